/* Tests of base/: text, maps, interning, UUIDs, recorded reads. */
#include "base/test.h"
#include "base/dep.h"
#include "base/hmap.h"
#include "base/intern.h"
#include "base/str.h"
#include "base/uuid.h"

static void
test_str(void **state)
{
    struct str s = STR_INIT;

    assert_string_equal(str_c(&s), "");
    for (int i = 0; i < 1000; i++) {
        str_printf(&s, "%d,", i);
    }
    assert_int_equal(s.len, 3890);
    assert_int_equal(strlen(s.s), 3890);
    str_truncate(&s, 4);
    str_putc(&s, 'x');
    assert_string_equal(s.s, "0,1,x");
    str_free(&s);

    /* A short one before a long one, a long one before a short one, and empty ones. */
    struct str a = STR_INIT, b = STR_INIT;
    str_puts(&a, "head");
    for (int j = 0; j < 100; j++) {
        str_puts(&b, "0123456789");
    }
    str_join(&a, &b);
    assert_int_equal(a.len, 1004);
    assert_int_equal(strlen(a.s), 1004);
    assert_memory_equal(a.s, "head0123", 8);
    assert_int_equal(b.len, 0);
    str_puts(&b, "tail");
    str_join(&a, &b);
    assert_string_equal(a.s + 1000, "6789tail");
    str_join(&a, &b);
    assert_int_equal(a.len, 1008);
    str_join(&b, &a);
    assert_int_equal(b.len, 1008);
    assert_int_equal(a.len, 0);
    str_free(&a);
    str_free(&b);
}

struct element {
    struct hmap_node node;
    int value;
};

static void
test_hmap(void **state)
{
    struct hmap h = HMAP_INIT(&h);
    enum { N = 5000 };
    struct element *e = xcalloc(N, sizeof *e);

    for (int i = 0; i < N; i++) {
        e[i].value = i;
        hmap_insert(&h, &e[i].node, hash_u64(i, 0));
    }
    int seen = 0;
    HMAP_FOR_EACH (x, struct element, node, &h) {
        seen++;
    }
    assert_int_equal(seen, N);
    HMAP_FOR_EACH_SAFE (x, struct element, node, &h) {
        if (x->value % 2) {
            hmap_remove(&h, &x->node);
        }
    }
    assert_int_equal(hmap_count(&h), N / 2);
    for (int i = 0; i < N; i++) {
        bool found = false;
        HMAP_FOR_EACH_HASH (x, struct element, node, hash_u64(i, 0), &h) {
            found |= x->value == i;
        }
        assert_int_equal(found, i % 2 == 0);
    }
    hmap_destroy(&h);
    free(e);
}

static void
test_intern(void **state)
{
    const char *a = intern_str("one");
    const char *b = intern_str("one");

    assert_ptr_equal(a, b);
    intern_unref(a);
    intern_unref(b);
    assert_int_equal(intern_count(), 1);       /* freed late */
    assert_ptr_equal(intern_str("one"), a);    /* and revived */
    intern_collect();
    assert_int_equal(intern_count(), 1);
    intern_unref(a);
    intern_collect();
    assert_int_equal(intern_count(), 0);
}

static void
test_uuid(void **state)
{
    static const char text[] = "0123abcd-4567-89ef-0123-456789abcdef";
    char out[UUID_LEN + 1];
    struct uuid u;

    assert_true(uuid_parse(text, &u));
    assert_int_equal(u.parts[0], 0x0123abcd);
    uuid_format(&u, out);
    assert_string_equal(out, text);
    assert_false(uuid_parse("0123abcd-4567-89ef-0123-456789abcdeg", &u));
    assert_false(uuid_parse("", &u));
    u = uuid_random();
    uuid_format(&u, out);
    assert_int_equal(out[14], '4');
    assert_non_null(strchr("89ab", out[19]));
}

static void
test_int(void **state)
{
    int64_t v;

    assert_true(str_to_int("0x10", 0, 100, &v));
    assert_int_equal(v, 16);
    assert_true(str_to_int("-5", -5, 5, &v));
    assert_false(str_to_int("5x", 0, 100, &v));
    assert_false(str_to_int("", 0, 100, &v));
    assert_false(str_to_int(" 5", 0, 100, &v));
    assert_false(str_to_int("101", 0, 100, &v));
    assert_false(str_to_int("99999999999999999999", 0, INT64_MAX, &v));
}

static int notified;
static void
count(struct dep_reader *r)
{
    notified++;
}

static void
test_dep(void **state)
{
    struct dep_source a = { .readers = NULL }, b = { .readers = NULL };
    struct dep_reader r1, r2;

    dep_reader_init(&r1, count);
    dep_reader_init(&r2, count);
    dep_read(&r1, &a, 1);
    dep_read(&r1, &b, 1);
    dep_read(&r1, &a, 2);              /* merged into the first */
    dep_read(&r2, &a, 4);
    assert_int_equal(r1.n_reads, 2);
    dep_changed(&a, 8);
    assert_int_equal(notified, 0);
    dep_changed(&a, 2);
    assert_int_equal(notified, 1);
    dep_changed(&a, 1);                /* stale already */
    assert_int_equal(notified, 1);
    dep_reader_begin(&r1);
    dep_changed(&b, 1);
    assert_int_equal(notified, 1);
    dep_source_destroy(&a);
    assert_int_equal(notified, 2);
    assert_null(a.readers);
    dep_reader_begin(&r2);
    dep_source_destroy(&b);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_str),    cmocka_unit_test(test_hmap), cmocka_unit_test(test_intern),
        cmocka_unit_test(test_uuid),   cmocka_unit_test(test_int),  cmocka_unit_test(test_dep),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

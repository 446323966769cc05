#include "ovsdb/testdb.h"

static void
expect_json(const struct ovsdb_record *r, uint64_t columns, const char *json)
{
    struct str s = STR_INIT;
    ovsdb_record_put_json(r, columns, &s);
    assert_string_equal(str_c(&s), json);
    str_free(&s);
}

static void
test_json(void **state)
{
    struct ovsdb_record *r = ovsdb_record_create(T_PORT);
    struct uuid a = test_uuid(0, 1), b = test_uuid(0, 2);

    expect_json(r, UINT64_MAX, "{}");
    ovsdb_record_str(r, P_NAME, "vm\"1\"");
    ovsdb_record_int(r, P_TAG, -5);
    ovsdb_record_real(r, P_WEIGHT, 0.5);
    ovsdb_record_bool(r, P_UP, true);
    ovsdb_record_empty(r, P_OPT);
    ovsdb_record_add_str(r, P_ADDRS, "z");
    ovsdb_record_add_str(r, P_ADDRS, "a");
    ovsdb_record_add_str(r, P_ADDRS, "z");
    ovsdb_record_add_str(r, P_ADDRS, "ab");
    ovsdb_record_add_int(r, P_NUMS, 7);
    ovsdb_record_map(r, P_OPTIONS, "k", "old");
    ovsdb_record_map(r, P_OPTIONS, "b", "1");
    ovsdb_record_map(r, P_OPTIONS, "k", "new");
    ovsdb_record_add_uuid(r, P_PEERS, &b);
    ovsdb_record_add_uuid(r, P_PEERS, &a);
    assert_int_equal(ovsdb_record_columns(r) & OVSDB_COLUMN(P_OPT), OVSDB_COLUMN(P_OPT));
    expect_json(r, OVSDB_COLUMN(P_NAME) | OVSDB_COLUMN(P_TAG) | OVSDB_COLUMN(P_WEIGHT) | OVSDB_COLUMN(P_UP),
                "{\"name\":\"vm\\\"1\\\"\",\"tag\":-5,\"weight\":0.5,\"up\":true}");
    expect_json(r, OVSDB_COLUMN(P_OPT) | OVSDB_COLUMN(P_ADDRS) | OVSDB_COLUMN(P_NUMS) | OVSDB_COLUMN(P_OPTIONS),
                "{\"opt\":[\"set\",[]],\"addrs\":[\"set\",[\"a\",\"ab\",\"z\"]],\"nums\":7,"
                "\"options\":[\"map\",[[\"b\",\"1\"],[\"k\",\"new\"]]]}");
    expect_json(r, OVSDB_COLUMN(P_PEERS) | OVSDB_COLUMN(P_ID),
                "{\"peers\":[\"set\",[[\"uuid\",\"00000001-9e37-79b1-0000-000000000001\"],"
                "[\"uuid\",\"00000002-3c6e-f362-0000-000000000002\"]]]}");
    ovsdb_record_reset(r);
    expect_json(r, UINT64_MAX, "{}");
    ovsdb_record_destroy(r);
}

static void
test_json_value(void **state)
{
    static const struct { uint16_t column; const char *in, *out; } cases[] = {
        { P_NAME, "\"x\"", "{\"name\":\"x\"}" },
        { P_NAME, "[\"set\",[\"x\"]]", "{\"name\":\"x\"}" },
        { P_TAG, "4095", "{\"tag\":4095}" },
        { P_WEIGHT, "2", "{\"weight\":2}" },
        { P_OPT, "[\"set\",[]]", "{\"opt\":[\"set\",[]]}" },
        { P_OPTNAME, "\"red\"", "{\"optname\":\"red\"}" },
        { P_NUMS, "[\"set\",[3,1,2,3]]", "{\"nums\":[\"set\",[1,2,3]]}" },
        { P_OPTIONS, "[\"map\",[[\"b\",\"2\"],[\"a\",\"1\"]]]", "{\"options\":[\"map\",[[\"a\",\"1\"],[\"b\",\"2\"]]]}" },
        { P_OPTIONS, "[\"set\",[]]", "{\"options\":[\"map\",[]]}" },
        { P_SWITCH, "[\"uuid\",\"00000001-9e37-79b1-0000-000000000001\"]",
          "{\"switch\":[\"uuid\",\"00000001-9e37-79b1-0000-000000000001\"]}" },
        { P_TAG, "4096", NULL }, { P_TAG, "-1", NULL }, { P_TAG, "1.5", NULL }, { P_TAG, "\"1\"", NULL },
        { P_OPTNAME, "\"blue\"", NULL }, { P_OPT, "[\"set\",[1,2]]", NULL }, { P_NAME, "[\"set\",[]]", NULL },
        { P_NAME, "\"a\\u0000b\"", NULL }, { P_NUMS, "[\"map\",[]]", NULL }, { P_NUMS, "[\"set\",[1,2]", NULL },
        { P_NUMS, "[\"set\",[1,2]] 3", NULL }, { P_NUMS, "", NULL }, { P_OPTIONS, "[\"map\",[[\"a\"]]]", NULL },
        { P_OPTIONS, "[\"map\",[[\"a\",\"b\",\"c\"]]]", NULL }, { P_OPTIONS, "\"a\"", NULL },
        { P_SWITCH, "[\"named-uuid\",\"x\"]", NULL }, { P_SWITCH, "[\"uuid\",\"x\"]", NULL },
    };
    struct ovsdb_record *r = ovsdb_record_create(T_PORT);

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        ovsdb_record_reset(r);
        char *error = ovsdb_record_json_value(r, cases[i].column, cases[i].in, strlen(cases[i].in));
        if (!error != (cases[i].out != NULL)) {
            fail_msg("%s: %s", cases[i].in, error ? error : "accepted");
        }
        expect_json(r, UINT64_MAX, cases[i].out ? cases[i].out : "{}");
        free(error);
    }
    ovsdb_record_destroy(r);
}

/* The same content, put together in different ways, in records and in a row. */
static void
test_digest(void **state)
{
    struct ovsdb *db = db_new();
    struct ovsdb_record *a = ovsdb_record_create(T_PORT), *b = ovsdb_record_create(T_PORT);
    struct uuid sw = test_uuid(1, 1), port = test_uuid(0, 1);
    char name[32];

    for (int i = 0; i < 1000; i++) {
        snprintf(name, sizeof name, "%d", i * 7919 % 1000);
        ovsdb_record_add_str(a, P_ADDRS, name);
        ovsdb_record_map(a, P_OPTIONS, name, "v");
        snprintf(name, sizeof name, "%d", i);
        ovsdb_record_add_str(b, P_ADDRS, name);
        ovsdb_record_map(b, P_OPTIONS, name, i == 500 ? "w" : "v");
    }
    ovsdb_record_str(a, P_NAME, "p");
    ovsdb_record_str(b, P_NAME, "p");
    ovsdb_record_real(a, P_WEIGHT, 1.5);
    ovsdb_record_real(b, P_WEIGHT, 1.5);
    ovsdb_record_int(b, P_TAG, 0);             /* Defaults do not count. */
    ovsdb_record_bool(b, P_UP, false);
    ovsdb_record_real(b, P_WEIGHT, 1.5);
    ovsdb_record_empty(b, P_NUMS);
    ovsdb_record_uuid(a, P_SWITCH, &sw);
    ovsdb_record_uuid(b, P_SWITCH, &sw);
    ovsdb_record_uuid(a, P_ID, &sw);
    ovsdb_record_uuid(b, P_ID, &sw);
    assert_false(digest_equal(ovsdb_record_digest(a, UINT64_MAX), ovsdb_record_digest(b, UINT64_MAX)));
    ovsdb_record_map(b, P_OPTIONS, "500", "v");
    assert_true(digest_equal(ovsdb_record_digest(a, UINT64_MAX), ovsdb_record_digest(b, UINT64_MAX)));

    ovsdb_use_all(db);
    struct str s = STR_INIT;
    char text[UUID_LEN + 1];
    uuid_format(&port, text);
    str_printf(&s, "{\"Port\":{\"%s\":{\"initial\":", text);
    ovsdb_record_put_json(b, UINT64_MAX, &s);
    str_puts(&s, "}}}");
    db_ok(db, OVSDB_UPDATE2, str_c(&s));
    str_free(&s);
    struct ovsdb_row *row = ovsdb_get(ovsdb_table(db, T_PORT), &port, NULL);
    assert_true(digest_equal(ovsdb_record_digest(a, UINT64_MAX), ovsdb_row_digest(row, UINT64_MAX)));
    uint64_t some = OVSDB_COLUMN(P_NAME) | OVSDB_COLUMN(P_OPT);
    assert_true(digest_equal(ovsdb_record_digest(a, some), ovsdb_row_digest(row, some)));
    assert_false(digest_equal(ovsdb_record_digest(a, some), ovsdb_row_digest(row, UINT64_MAX)));
    for (uint16_t c = 0; c < P_N; c++) {
        if (ovsdb_record_columns(a) & OVSDB_COLUMN(c)) {
            assert_true(ovsdb_record_equals(a, c, row));
        }
    }
    ovsdb_record_str(a, P_NAME, "q");
    ovsdb_record_add_str(a, P_ADDRS, "q");
    ovsdb_record_map(a, P_OPTIONS, "500", "q");
    assert_false(ovsdb_record_equals(a, P_NAME, row));
    assert_false(ovsdb_record_equals(a, P_ADDRS, row));
    assert_false(ovsdb_record_equals(a, P_OPTIONS, row));

    /* A copy, and what it was copied from gone. */
    ovsdb_record_reset(a);
    for (uint16_t c = 0; c < P_N; c++) {
        ovsdb_record_copy(a, c, row);
    }
    db_free(db);
    intern_collect();
    assert_true(digest_equal(ovsdb_record_digest(a, UINT64_MAX), ovsdb_record_digest(b, UINT64_MAX)));
    ovsdb_record_destroy(a);
    ovsdb_record_destroy(b);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_json),
        cmocka_unit_test(test_json_value),
        cmocka_unit_test(test_digest),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* Tests of ovn-detrace's scanner (marks, and that the text stays what it is) and of the templates that rows are described by. */
#include <stdlib.h>

#include "base/test.h"
#include "cli/common/describe.h"
#include "cli/detrace/scan.h"
#include "schema/nb.h"

/* What becomes of TEXT, fed in pieces of STEP bytes: the text, with <marks> where they stand. */
static char *
scanned(const char *text, size_t n, size_t step, bool ports)
{
    struct scanner s = SCANNER_INIT;
    struct str out = STR_INIT;

    s.ports = ports;
    for (size_t i = 0; i < n; i += step) {
        scan_feed(&s, text + i, MIN(step, n - i));
    }
    scan_end(&s);
    assert_int_equal(s.text.len, n);
    assert_memory_equal(str_c(&s.text), text, n);
    size_t at = 0;
    for (size_t i = 0; i < s.n_marks; i++) {
        const struct scan_mark *m = &s.marks[i];
        assert_true(m->at >= at && m->at <= n && (!m->at || m->at == n || text[m->at - 1] == '\n'));
        str_put(&out, str_c(&s.text) + at, m->at - at);
        at = m->at;
        if (m->kind == SCAN_COOKIE) {
            str_printf(&out, "<%x>", m->number);
        } else if (m->kind == SCAN_PORT_NUMBER) {
            str_printf(&out, "<%s:%u>", m->bridge, m->number);
        } else {
            str_printf(&out, "<%s:%s>", m->bridge, m->name);
        }
    }
    str_put(&out, str_c(&s.text) + at, n - at);
    scan_destroy(&s);
    str_c(&out);
    return out.s ? str_steal(&out) : xstrdup("");
}

static void
expect(const char *text, bool ports, const char *expected)
{
    for (size_t step = 1; step < 40; step += step < 8 ? 1 : 31) {
        char *got = scanned(text, strlen(text), step, ports);
        assert_string_equal(got, expected);
        free(got);
    }
}

static void
test_trace(void **state)
{
    expect("Flow: in_port=1\n"
           "\n"
           "bridge(\"br-int\")\n"
           "----------------\n"
           " 0. in_port=2, priority 100, cookie 0xab\n"
           "    set_field:0x1->reg13\n"
           "    resubmit(,8)\n"
           " 8. metadata=0x1, priority 50, cookie 0xcd\n"
           "    resubmit(,73)\n"
           "    73. reg14=0x1, priority 80, cookie 0xef\n"
           "            drop\n"
           "    move:NXM_NX_REG10[12]->NXM_NX_XXREG0[111]\n"
           "10. priority 0\n"
           "    output:3\n"
           "\n"
           "    bridge(\"br-phys\")\n"
           "    -----------------\n"
           "         0. in_port=LOCAL, priority 0\n"
           "            output:\"eth0\"\n"
           "40. in_port=7, priority 0, cookie 0x0\n"
           "    drop\n"
           "\n"
           "Final flow: in_port=2\n",
           true,
           "Flow: in_port=1\n"
           "\n"
           "bridge(\"br-int\")\n"
           "----------------\n"
           " 0. in_port=2, priority 100, cookie 0xab\n"
           "    set_field:0x1->reg13\n"
           "    resubmit(,8)\n"
           "<ab><br-int:2>"
           " 8. metadata=0x1, priority 50, cookie 0xcd\n"
           "    resubmit(,73)\n"
           "<cd>"
           "    73. reg14=0x1, priority 80, cookie 0xef\n"
           "            drop\n"
           "<ef>"
           "    move:NXM_NX_REG10[12]->NXM_NX_XXREG0[111]\n"
           "10. priority 0\n"
           "    output:3\n"
           "<br-int:3>"
           "\n"
           "    bridge(\"br-phys\")\n"
           "    -----------------\n"
           "         0. in_port=LOCAL, priority 0\n"
           "            output:\"eth0\"\n"
           "<br-phys:65534><br-phys:eth0>"
           "40. in_port=7, priority 0, cookie 0x0\n"
           "    drop\n"
           "<br-int:7>"
           "\n"
           "Final flow: in_port=2\n");
}

static void
test_dump(void **state)
{
    expect(" cookie=0xAb, duration=1s, table=0, in_port=1 actions=learn(table=3,cookie=0xab),learn(cookie=0x12),output:2,output:2\n"
           " cookie=0x0, duration=1s\n"
           " cookie=0x100000001, table=1\n"
           " cookie=0xffffffff, cookie=0x1g, xcookie=0x7, cookie:0x7",
           true,
           " cookie=0xAb, duration=1s, table=0, in_port=1 actions=learn(table=3,cookie=0xab),learn(cookie=0x12),output:2,output:2\n"
           "<ab><12><:1><:2>"
           " cookie=0x0, duration=1s\n"
           " cookie=0x100000001, table=1\n"
           " cookie=0xffffffff, cookie=0x1g, xcookie=0x7, cookie:0x7"
           "<ffffffff>");
    expect(" cookie=0x1, in_port=1 actions=output:2\n", false, " cookie=0x1, in_port=1 actions=output:2\n<1>");
    /* A dump behind a trace's table: each has its own. */
    expect(" 1. cookie 0x1\n    cookie=0x2\n", false, " 1. cookie 0x1\n<1>    cookie=0x2\n<2>");
    expect(" 1. cookie 0x1", false, " 1. cookie 0x1<1>");
    expect("10.0.0.1 cookie 0x5\r\n\r\n", false, "10.0.0.1 cookie 0x5\r\n<5>\r\n");
    expect("", false, "");
}

static void
test_long_lines(void **state)
{
    /* A cookie before the limit counts, one behind it not; the marks stand where the line ends. */
    size_t n = SCAN_MAX_LINE + 1000;
    char *text = xmalloc(n);
    memset(text, 'x', n);
    memcpy(text, " cookie=0x11,", 13);
    memcpy(text + SCAN_MAX_LINE + 100, " cookie=0x22,", 13);
    memcpy(text + SCAN_MAX_LINE + 500, "\ncookie=0x33,", 13);
    memset(text + 200, 0, 50);
    for (size_t step = 1000; step <= n; step = step * 8 - 1) {
        struct scanner s = SCANNER_INIT;
        for (size_t i = 0; i < n; i += step) {
            scan_feed(&s, text + i, MIN(step, n - i));
        }
        scan_end(&s);
        assert_int_equal(s.text.len, n);
        assert_memory_equal(s.text.s, text, n);
        assert_int_equal(s.n_marks, 2);
        assert_int_equal(s.marks[0].number, 0x11);
        assert_int_equal(s.marks[0].at, SCAN_MAX_LINE + 501);
        assert_int_equal(s.marks[1].number, 0x33);
        assert_int_equal(s.marks[1].at, n);
        scan_destroy(&s);
    }
    free(text);
}

static void
test_bounds(void **state)
{
    struct scanner s = SCANNER_INIT;
    struct str text = STR_INIT;

    for (int i = 1; i < 3000; i++) {
        str_printf(&text, "cookie=0x%x ", i);
    }
    for (int i = 0; i < 100; i++) {
        str_printf(&text, "\n%*sbridge(\"b%d\")", i, "", i);
    }
    str_printf(&text, "\nbridge(\"%0*d\")\n", 1000, 0);
    scan_feed(&s, text.s, text.len);
    scan_end(&s);
    assert_int_equal(s.n_marks, SCAN_MAX_PENDING);
    assert_int_equal(s.text.len, text.len);
    scan_destroy(&s);
    str_free(&text);
}

static void
test_describe(void **state)
{
    struct datum cells[NB_ACL_N_COLUMNS_] = { { .n = 0 } };
    struct str s = STR_INIT;
    static const char template[] = "$direction %priority $name (%match)[?log (log)][ \"%name\"]";

    cells[NB_ACL_DIRECTION] = (struct datum) { .n = 1, .k = &(union datum_atom) { .s = "from-lport" } };
    cells[NB_ACL_PRIORITY] = (struct datum) { .n = 1, .k = &(union datum_atom) { .i = -7 } };
    cells[NB_ACL_MATCH] = (struct datum) { .n = 1, .k = &(union datum_atom) { .s = "a\nb\x01" } };
    cells[NB_ACL_LOG] = (struct datum) { .n = 1, .k = &(union datum_atom) { .b = false } };
    describe_row(&nb_table_acl, template, cells, &s);
    assert_string_equal(str_c(&s), "from-lport -7 [] (a\\nb\\x01)");
    str_clear(&s);
    cells[NB_ACL_LOG] = (struct datum) { .n = 1, .k = &(union datum_atom) { .b = true } };
    cells[NB_ACL_NAME] = (struct datum) { .n = 1, .k = &(union datum_atom) { .s = "it's" } };
    describe_row(&nb_table_acl, template, cells, &s);
    assert_string_equal(str_c(&s), "from-lport -7 [\"it's\"] (a\\nb\\x01) (log) \"it's\"");
    str_clear(&s);
    cells[NB_ACL_EXTERNAL_IDS] = (struct datum) { .n = 2, .k = (union datum_atom[]) { { .s = "a'\"" }, { .s = "b\\" } },
                                                  .v = (union datum_atom[]) { { .s = "" }, { .s = "1" } } };
    describe_row(&nb_table_acl, "$external_ids", cells, &s);
    assert_string_equal(str_c(&s), "{'a\\'\"': '', 'b\\\\': '1'}");
    assert_int_equal(describe_columns(&nb_table_acl, template), OVSDB_COLUMN(NB_ACL_DIRECTION) | OVSDB_COLUMN(NB_ACL_PRIORITY) | OVSDB_COLUMN(NB_ACL_NAME)
                     | OVSDB_COLUMN(NB_ACL_MATCH) | OVSDB_COLUMN(NB_ACL_LOG));
    str_free(&s);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_trace), cmocka_unit_test(test_dump), cmocka_unit_test(test_long_lines), cmocka_unit_test(test_bounds),
        cmocka_unit_test(test_describe),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

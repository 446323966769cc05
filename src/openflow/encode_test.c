/* encode_test.c - matches and actions against bytes written by hand from the specifications. */
#include "base/test.h"

#include "openflow/action.h"
#include "openflow/match.h"

static void
assert_hex(struct str *s, const char *expected)
{
    struct str hex = STR_INIT;

    for (size_t i = 0; i < s->len; i++) {
        str_printf(&hex, "%02x", (uint8_t) s->s[i]);
    }
    assert_string_equal(str_c(&hex), expected);
    str_free(&hex);
    str_clear(s);
}

static void
add(struct of_match *m, enum of_field f, uint64_t value, uint64_t mask)
{
    union of_value v = of_value_u64(value), k = of_value_u64(mask);
    assert_true(of_match_add(m, f, &v, &k));
}

/* M's bytes are HEX and its text TEXT; parsing the bytes gives M again. */
static void
check_match(struct of_match *m, const char *hex, const char *text)
{
    struct of_match again = OF_MATCH_INIT;
    struct str s = STR_INIT;

    of_match_put_oxm(m, &s);
    assert_null(of_match_parse_oxm(s.s, s.len, &again));
    assert_true(of_match_equal(m, &again));
    assert_hex(&s, hex);
    of_match_format(m, &s);
    assert_string_equal(str_c(&s), text);
    str_free(&s);
    of_match_destroy(&again);
    of_match_destroy(m);
}

static void
test_match(void **state)
{
    struct of_match m = OF_MATCH_INIT;

    check_match(&m, "", "");
    add(&m, OFF_METADATA, 5, 0xffffff);
    add(&m, OFF_REG14, 3, UINT32_MAX);
    add(&m, OFF_IN_PORT, 7, UINT32_MAX);
    check_match(&m, "8000000400000007" "8000051000000000000000050000000000ffffff" "00011c0400000003",
                "in_port=7,metadata=0x5/0xffffff,reg14=0x3");
    add(&m, OFF_TCP_DST, 80, 0xffff);
    add(&m, OFF_IP_PROTO, 6, 0xff);
    add(&m, OFF_ETH_TYPE, 0x800, 0xffff);
    add(&m, OFF_IPV4_SRC, 0x0a000000, 0xff000000);
    add(&m, OFF_TCP_FLAGS, 2, 0x12);
    check_match(&m, "80000a020800" "8000140106" "800017080a000000ff000000" "80001c020050" "8000550400020012",
                "tcp,nw_src=10.0.0.0/8,tp_dst=80,tcp_flags=+syn-ack");
    add(&m, OFF_CT_STATE, 0x21, 0x31);
    add(&m, OFF_TUN_METADATA0, 0x10002, UINT32_MAX);
    check_match(&m, "0001500400010002" "0001d3080000002100000031", "tun_metadata0=0x10002,ct_state=+new-inv+trk");
    add(&m, OFF_ETH_DST, 0x010000000000, 0x010000000000);
    check_match(&m, "8000070c010000000000010000000000", "dl_dst=01:00:00:00:00:00/01:00:00:00:00:00");
}

static void
check_spoken(enum of_field f, uint32_t value, uint32_t mask, const char *hex, const char *text)
{
    struct of_match m = OF_MATCH_INIT;
    struct str s = STR_INIT;

    add(&m, f, value, mask);
    of_match_put_oxm(&m, &s);
    assert_hex(&s, hex);
    of_match_format(&m, &s);
    assert_string_equal(str_c(&s), text);
    str_free(&s);
    of_match_destroy(&m);
}

/* The same fragments in the words of ovs-fields(7), and no bits of ct_state that there are not. */
static void
test_match_spoken(void **state)
{
    check_spoken(OFF_IP_FRAG, 0, 1, "00013401" "00", "ip_frag=no");
    check_spoken(OFF_IP_FRAG, 0, 3, "00013401" "00", "ip_frag=no");
    check_spoken(OFF_IP_FRAG, 1, 1, "00013502" "0101", "ip_frag=yes");
    check_spoken(OFF_IP_FRAG, 2, 2, "00013401" "03", "ip_frag=later");
    check_spoken(OFF_IP_FRAG, 3, 3, "00013401" "03", "ip_frag=later");
    check_spoken(OFF_IP_FRAG, 0, 2, "00013502" "0002", "ip_frag=not_later");
    check_spoken(OFF_IP_FRAG, 1, 3, "00013401" "01", "ip_frag=first");
    check_spoken(OFF_CT_STATE, 0x21, UINT32_MAX, "0001d30800000021000000ff", "ct_state=+new-est-rel-rpl-inv+trk-snat-dnat");
    check_spoken(OFF_CT_STATE, 0, 0x20, "0001d3080000000000000020", "ct_state=-trk");
}

static void
test_match_vlan(void **state)
{
    struct of_match m = OF_MATCH_INIT;
    union of_value v = of_value_u64(0x1005), k = of_value_u64(0x1fff);

    add(&m, OFF_VLAN_TCI, 0x1000, 0x1000);
    check_match(&m, "80000d0410001000", "vlan_tci=0x1000/0x1000");
    add(&m, OFF_VLAN_TCI, 0x1005, 0x1fff);
    check_match(&m, "80000c021005", "vlan_tci=0x1005/0x1fff");
    add(&m, OFF_VLAN_TCI, 0x7005, 0xffff);
    check_match(&m, "80000c021005" "80000e0103", "vlan_tci=0x7005");
    add(&m, OFF_VLAN_TCI, 0xf000, 0xf000);
    check_match(&m, "80000d0410001000" "80000e0107", "vlan_tci=0xf000/0xf000");
    add(&m, OFF_VLAN_TCI, 0x2000, 0x2000);     /* No standard form. */
    check_match(&m, "0000090420002000", "vlan_tci=0x2000/0x2000");
    add(&m, OFF_VLAN_TCI, 0, 0xffff);          /* No tag. */
    assert_false(of_match_add(&m, OFF_VLAN_TCI, &v, &k));
    k = of_value_u64(0xfff);
    assert_false(of_match_add(&m, OFF_VLAN_TCI, &v, &k));
    check_match(&m, "80000d0400001000", "vlan_tci=0/0x1000");
}

static void
test_match_wide(void **state)
{
    struct of_match m = OF_MATCH_INIT;
    union of_value v = { .be64 = { 0, 0 } }, k = of_value_ones(128);

    v.b[3] = 1, v.b[15] = 2;                   /* reg4 = 1, reg7 = 2 */
    assert_true(of_match_add(&m, OFF_XXREG1, &v, &k));
    assert_int_equal(m.n, 4);
    assert_int_equal(of_value_low(&of_match_get(&m, OFF_REG7)->value), 2);
    v = of_value_u64(3), k = of_value_u64(0xff);
    assert_false(of_match_add(&m, OFF_XREG3, &v, &k));         /* reg7 is 2. */
    assert_int_equal(m.n, 4);
    v = of_value_u64(2);
    assert_true(of_match_add(&m, OFF_XREG3, &v, &k));
    check_match(&m, "0001080400000001" "00010a0400000000" "00010c0400000000" "00010e0400000002",
                "reg4=0x1,reg5=0,reg6=0,reg7=0x2");

    /* What a switch answers is in 64-bit registers. */
    static const uint8_t wide[] = { 0x80, 0x01, 0x07, 0x10, 0, 0, 0, 1, 0, 0, 0, 0, 0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0 };
    assert_null(of_match_parse_oxm(wide, sizeof wide, &m));
    check_match(&m, "00010c0400000001", "reg6=0x1");
}

static void
test_match_bad(void **state)
{
    static const struct {
        size_t n;
        uint8_t bytes[16];
    } bad[] = {
        { 3, { 0x80, 0, 0 } },
        { 6, { 0x80, 0, 0x0a, 4, 8, 0 } },
        { 8, { 0x80, 0, 0x0a, 4, 8, 0, 0, 0 } },
        { 7, { 0x80, 0, 0x0b, 3, 8, 0, 0 } },
        { 6, { 0x77, 0, 0x0a, 2, 8, 0 } },
        { 12, { 0x80, 0, 0x0a, 2, 8, 0, 0x80, 0, 0x0a, 2, 8, 6 } },
    };

    for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
        struct of_match m = OF_MATCH_INIT;
        char *error = of_match_parse_oxm(bad[i].bytes, bad[i].n, &m);
        assert_non_null(error);
        free(error);
        of_match_destroy(&m);
    }
}

#define SF(FIELD, OFS, N) ((struct of_subfield) { OFF_##FIELD, OFS, N })

/* The actions in S are HEX and TEXT. */
static void
check_actions(struct str *s, const char *hex, const char *text)
{
    struct str out = STR_INIT;

    ofa_format(s->s, s->len, &out);
    assert_string_equal(str_c(&out), text);
    assert_hex(s, hex);
    str_free(&out);
}

static void
test_actions(void **state)
{
    struct str s = STR_INIT;

    ofa_put_output(&s, 5);
    check_actions(&s, "00000010000000050000000000000000", "output:5");
    ofa_put_output(&s, OFPP_CONTROLLER_);
    check_actions(&s, "00000010fffffffdffff000000000000", "CONTROLLER:65535");
    ofa_put_output_reg(&s, SF(REG15, 0, 16));
    check_actions(&s, "ffff001800002320000f000f00011e04ffff000000000000", "output:reg15[0..15]");
    ofa_put_group(&s, 7);
    ofa_put_dec_ttl(&s);
    check_actions(&s, "00160008000000070018000800000000", "group:7,dec_ttl");
    ofa_put_resubmit(&s, 9);
    check_actions(&s, "ffff001000002320000efff809000000", "resubmit(,9)");
    ofa_put_load_u64(&s, OFF_REG1, 0, 32, 0x1234);
    check_actions(&s, "00190010000102040000123400000000", "set_field:0x1234->reg1");
    ofa_put_load_u64(&s, OFF_REG1, 4, 8, 0x12);
    check_actions(&s, "00190010000103080000012000000ff0", "set_field:0x120/0xff0->reg1");
    ofa_put_load_u64(&s, OFF_ETH_DST, 0, 48, 0xaabbccddeeff);
    check_actions(&s, "0019001080000606aabbccddeeff0000", "set_field:aa:bb:cc:dd:ee:ff->eth_dst");
    ofa_put_move(&s, SF(TUN_ID, 0, 24), SF(METADATA, 0, 24));
    check_actions(&s, "001c0018001800000000000080004c088000040800000000", "move:tun_id[0..23]->metadata[0..23]");
    ofa_put_push(&s, SF(REG0, 0, 16));
    check_actions(&s, "ffff001800002320001b0000000100040010000000000000", "push:reg0[0..15]");
    ofa_put_pop(&s, SF(ETH_SRC, 0, 48));
    check_actions(&s, "ffff001800002320001c0000000004060030000000000000", "pop:eth_src[]");
    ofa_put_push_vlan(&s, 0x8100);
    ofa_put_pop_vlan(&s);
    check_actions(&s, "00110008810000000012000800000000", "push_vlan:0x8100,pop_vlan");
    ofa_put_conjunction(&s, 5, 0, 2);
    check_actions(&s, "ffff0010000023200022000200000005", "conjunction(5,1/2)");
    ofa_put_note(&s, "\1\2\3\4\5\6\7", 7);
    check_actions(&s, "ffff00180000232000080102030405060700000000000000",
                  "note:01.02.03.04.05.06.07.00.00.00.00.00.00.00");
    ofa_put_check_pkt_larger(&s, 1500, SF(REG0, 3, 1));
    check_actions(&s, "ffff001800002320003105dc000300010004000000000000", "check_pkt_larger(1500)->reg0[3]");
    ofa_put_controller(&s, 128, 3, NULL, 0, false, 0);
    check_actions(&s, "ffff0010000023200014008000030100", "controller(max_len=128,id=3)");
    ofa_put_controller(&s, UINT16_MAX, 0, "\1\2\3\4\5", 5, true, 0);
    check_actions(&s, "ffff0028000023200025000000000000000300090102030405000000000000000004000400000000",
                  "controller(userdata=01.02.03.04.05,pause)");
    str_free(&s);
}

static void
test_nested(void **state)
{
    struct str s = STR_INIT;

    size_t clone = ofa_begin_clone(&s);
    ofa_put_load_u64(&s, OFF_REG1, 0, 32, 5);
    ofa_put_resubmit(&s, 4);
    ofa_end_clone(&s, clone);
    check_actions(&s, "ffff003000002320002a0000000000000019001000010204000000050000000"
                      "0ffff001000002320000efff804000000", "clone(set_field:0x5->reg1,resubmit(,4))");

    size_t ct = ofa_begin_ct(&s, &(struct ofa_ct) { .recirc_table = 5, .zone_from_field = true, .zone_field = SF(REG13, 0, 16) });
    ofa_end_ct(&s, ct);
    check_actions(&s, "ffff0018000023200023000000011a04000f050000000000", "ct(table=5,zone=reg13[0..15])");

    ct = ofa_begin_ct(&s, &(struct ofa_ct) { .commit = true, .recirc_table = 255, .zone = 77 });
    ofa_put_nat(&s, &(struct ofa_nat) { .src = true, .has_addr = true, .has_port = true, .addr_min = { 1, 2, 3, 4 },
                                        .addr_max = { 1, 2, 3, 9 }, .port_min = 80, .port_max = 90, .random = true, .persistent = true });
    ofa_end_ct(&s, ct);
    check_actions(&s, "ffff0038000023200023000100000000004dff0000000000ffff00200000232000240000001500330102030401020309"
                      "0050005a00000000", "ct(commit,zone=77,exec(nat(src=1.2.3.4-1.2.3.9:80-90,persistent,random)))");
    str_free(&s);
}

static void
test_format_bad(void **state)
{
    static const uint8_t bad[][16] = {
        { 0xff, 0xff, 0, 0 }, { 0, 0, 0, 12 }, { 0, 0, 0xff, 0xf8 }, { 0xff, 0xff, 0, 16, 0, 0, 0x23, 0x20, 0, 35 },
        { 0, 25, 0, 16, 0x80, 0, 6, 0xff },
    };

    for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
        struct str out = STR_INIT;
        ofa_format(bad[i], sizeof bad[i], &out);
        assert_non_null(strstr(str_c(&out), "bytes:"));
        str_free(&out);
    }
}

static void
test_values(void **state)
{
    union of_value v = of_value_u64(0x123456789abcdef0);
    for (unsigned n = 0; n < 64; n++) {
        union of_value up = of_value_shl(&v, n), down = of_value_shr(&up, n);
        assert_int_equal(of_value_compare(&down, &v), 0);
        union of_value ones = of_value_ones(n), all = of_value_ones(128), x = of_value_shr(&all, 128 - n);
        assert_int_equal(of_value_compare(&ones, &x), 0);
    }
    enum of_field f;
    assert_true(of_field_find("dl_src", &f) && f == OFF_ETH_SRC);
    assert_true(of_field_find("xxreg3", &f) && f == OFF_XXREG3);
    assert_false(of_field_find("tp_src", &f));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_values),    cmocka_unit_test(test_match),     cmocka_unit_test(test_match_vlan),
        cmocka_unit_test(test_match_spoken),
        cmocka_unit_test(test_match_wide), cmocka_unit_test(test_match_bad), cmocka_unit_test(test_actions),
        cmocka_unit_test(test_nested),    cmocka_unit_test(test_format_bad),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

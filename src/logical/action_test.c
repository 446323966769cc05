/* action_test.c - actions: canonical text, prerequisites, encodings (as ovs-ofctl shows them), and refusals. */
#include "base/test.h"

#include "logical/action.h"
#include "openflow/action.h"

static bool
lookup_port(void *aux, const char *name, uint32_t *key)
{
    *key = name[1] - '0';
    return name[0] == 'p' && name[1] >= '1' && name[1] <= '9';
}

static bool
meter(void *aux, const char *name, uint32_t *id)
{
    *id = 9;
    return !strcmp(name, "m");
}

static const struct action_env ingress = {
    .cur_ltable = 5, .n_tables = 30, .ingress_table = 8, .egress_table = 62, .output_table = 52, .save_inport_table = 88, .is_switch = true,
    .tables = { .mac_bind = 90, .mac_lookup = 91, .mac_lookup_ip = 92, .fdb = 93, .fdb_lookup = 94, .in_port_sec = 95, .out_port_sec = 96 },
    .controller_meter = 3, .lookup_port = lookup_port, .meter = meter,
};

static struct actions *
parse(const char *text)
{
    struct actions *a;
    char *error = actions_parse(text, &a);
    if (error) {
        fail_msg("%s: %s", text, error);
    }
    return a;
}

/* TEXT formats as CANONICAL (NULL: as itself) and that as itself; it encodes as FLOW; and requires PREREQS. */
static void
check_in(const struct action_env *env, const char *text, const char *canonical, const char *prereqs, const char *flow)
{
    struct actions *a = parse(text), *again;
    struct str s = STR_INIT;
    actions_format(a, &s);
    assert_string_equal(str_c(&s), canonical ? canonical : text);
    again = parse(str_c(&s));
    str_clear(&s);
    actions_format(again, &s);
    assert_string_equal(str_c(&s), canonical ? canonical : text);
    actions_unref(again);
    str_clear(&s);
    if (actions_prereqs(a)) {
        expr_format(actions_prereqs(a), &s);
    }
    assert_string_equal(str_c(&s), prereqs);
    struct str out = STR_INIT;
    char *error = actions_encode(a, env, &out);
    if (error) {
        fail_msg("%s: %s", text, error);
    }
    str_clear(&s);
    ofa_format(out.s, out.len, &s);
    if (strcmp(str_c(&s), flow)) {
        fail_msg("%s:\n%s\nand not\n%s", text, str_c(&s), flow);
    }
    str_free(&s);
    str_free(&out);
    actions_unref(a);
}

static void
check(const char *text, const char *canonical, const char *prereqs, const char *flow)
{
    check_in(&ingress, text, canonical, prereqs, flow);
}

static void
test_basic(void **state)
{
    struct action_env egress = ingress;
    egress.pipeline = LOGICAL_EGRESS;
    check("", "drop;", "", "drop");
    check("drop;", NULL, "", "drop");
    check("next;", NULL, "", "resubmit(,14)");
    check("next(7);", NULL, "", "resubmit(,15)");
    check("next(table=7);", "next(7);", "", "resubmit(,15)");
    check("next(pipeline=egress,table=2);", "next(pipeline=egress, table=2);", "", "resubmit(,64)");
    check_in(&egress, "next;", NULL, "", "resubmit(,68)");
    check("output;", NULL, "", "resubmit(,52)");
    check_in(&egress, "output;", NULL, "", "resubmit(,88)");
    check("clone { outport=\"p2\"; output; } ; next ;", "clone { outport = \"p2\"; output; }; next;", "",
          "clone(set_field:0x2->reg15,resubmit(,52)),resubmit(,14)");
    check("clone { drop; };", "clone { };", "", "clone()");
    check("set_queue(10);", NULL, "", "set_queue:10");
    check("reg0[6] = check_pkt_larger(1000);", NULL, "", "check_pkt_larger(1000)->reg10[13],move:reg10[13]->reg0[6]");
}

static void
test_assign(void **state)
{
    check("reg0 = 5;", NULL, "", "set_field:0x5->reg0");
    check("reg0[3..5] = 5;", NULL, "", "set_field:0x28/0x38->reg0");
    check("reg0 = 5/5;", NULL, "", "set_field:0x1/0x1->reg0,set_field:0x4/0x4->reg0");
    check("outport = \"gone\";", NULL, "", "set_field:0->reg15");
    check("inport = \"\";", NULL, "", "set_field:0->reg14");
    check("outport = inport;", NULL, "", "move:reg14[]->reg15[]");
    check("ip4.dst = reg0;", NULL, "ip4", "move:reg0[]->ip_dst[]");
    check("tcp.dst = 80; tcp.src = 81;", NULL, "tcp", "set_field:80->tcp_dst,set_field:81->tcp_src");
    check("ip.ttl--;", NULL, "ip", "dec_ttl");
    check("eth.dst <-> eth.src;", NULL, "", "push:eth_dst[],push:eth_src[],pop:eth_dst[],pop:eth_src[]");
    check("push(xxreg0); pop(xxreg0);", NULL, "", "push:xxreg0[],pop:xxreg0[]");
    check("xxreg0 = fd00::1;", NULL, "", "set_field:0xfd000000000000000000000000000001->xxreg0");
    check("flags.loopback = 1;", NULL, "", "set_field:0x1/0x1->reg10");
}

static void
test_lookup(void **state)
{
    check("outport = get_fdb(eth.dst);", NULL, "", "set_field:0->reg15,resubmit(,93)");
    check("reg0[11] = lookup_fdb(inport, eth.src);", NULL, "", "set_field:0/0x800->reg10,resubmit(,94),move:reg10[11]->reg0[11]");
    check("reg0[15] = check_in_port_sec();", NULL, "", "set_field:0/0x1000->reg10,resubmit(,95),move:reg10[12]->reg0[15]");
    check("reg0[15] = check_out_port_sec();", NULL, "", "set_field:0/0x1000->reg10,resubmit(,96),move:reg10[12]->reg0[15]");
    check("get_arp(outport, reg0);", NULL, "", "set_field:00:00:00:00:00:00->eth_dst,set_field:0/0x4000->reg10,resubmit(,90)");
    check("get_arp(outport, ip4.dst);", NULL, "ip4",
          "push:reg0[],move:ip_dst[]->reg0[],set_field:00:00:00:00:00:00->eth_dst,set_field:0/0x4000->reg10,resubmit(,90),pop:reg0[]");
    check("reg9[2] = lookup_nd(inport, ip6.src, nd.sll);", NULL, "ip6 && nd_ns",
          "push:xxreg0[],push:eth_src[],push:ipv6_src[],push:nd_sll[],pop:eth_src[],pop:xxreg0[],set_field:0x4000/0x4000->reg10,"
          "set_field:0/0x800->reg10,resubmit(,91),pop:eth_src[],pop:xxreg0[],move:reg10[11]->reg9[2]");
}

static void
test_ct(void **state)
{
    struct action_env router = ingress;
    router.is_switch = false;
    check("ct_next;", NULL, "ip4 || ip6", "ct(table=14,zone=reg13[0..15])");
    check_in(&router, "ct_next(snat);", NULL, "ip4 || ip6", "ct(table=14,zone=reg12[0..15])");
    check("ct_clear;", NULL, "", "ct_clear");
    check("ct_commit;", NULL, "ip4 || ip6", "ct(commit,zone=reg13[0..15])");
    check("ct_commit { ct_mark.blocked = 1; ct_label.label = reg3; };", NULL, "ip4 || ip6",
          "ct(commit,zone=reg13[0..15],exec(set_field:0x1/0x1->ct_mark,move:reg3[]->ct_label[96..127]))");
    check_in(&router, "ct_dnat;", NULL, "ip4 || ip6", "ct(table=14,zone=reg11[0..15],exec(nat))");
    check_in(&router, "ct_snat(10.0.0.1, 1024-2048);", NULL, "ip4 || ip6", "ct(commit,table=14,zone=reg12[0..15],exec(nat(src=10.0.0.1:1024-2048)))");
    check_in(&router, "ct_dnat_in_czone(fd00::1);", NULL, "ip4 || ip6", "ct(commit,table=14,zone=reg11[0..15],exec(nat(dst=fd00::1)))");
    check("ct_commit_nat;", NULL, "ip4 || ip6", "ct(commit,table=14,zone=reg13[0..15],exec(nat))");
}

static void
test_punt(void **state)
{
    check("arp { eth.dst = ff:ff:ff:ff:ff:ff; arp.op = 1; output; };", NULL, "eth.type == 0x800",
          "controller(userdata=01.00.00.00.00.00.00.00.00.19.00.10.80.00.06.06.ff.ff.ff.ff.ff.ff.00.00.00.19.00.10.80.00.2a.02.00.01.00.00.00.00.00.00."
          "ff.ff.00.10.00.00.23.20.00.0e.ff.f8.34.00.00.00,meter_id=3)");
    check("nd_na { output; };", NULL, "icmp6.type == 135 && icmp6.code == 0 && ip.ttl == 255",
          "controller(userdata=03.00.00.00.00.00.00.00.ff.ff.00.10.00.00.23.20.00.0e.ff.f8.34.00.00.00,meter_id=3)");
    check("put_fdb(inport, eth.src);", NULL, "", "controller(userdata=0c.00.00.00.00.00.00.00,meter_id=3)");
    check("put_arp(inport, arp.spa, arp.sha);", NULL, "arp",
          "push:reg0[],push:eth_src[],push:arp_spa[],push:arp_sha[],pop:eth_src[],pop:reg0[],controller(userdata=0a.00.00.00.00.00.00.00,meter_id=3),"
          "pop:eth_src[],pop:reg0[]");
    check("log(severity=debug,name=\"a\",verdict=deny,meter=\"m\");", "log(name=\"a\", verdict=drop, severity=debug, meter=\"m\");", "",
          "controller(userdata=0d.00.00.00.00.00.00.00.01.07.61,meter_id=9)");
    check("log();", "log(severity=info);", "", "controller(userdata=0d.00.00.00.00.00.00.00.03.06,meter_id=3)");
    check("reg0[4] = dns_lookup();", NULL, "ip.proto == 17", "controller(userdata=13.00.00.00.00.00.00.00.00.04.00.00.00.00.00.00,pause,meter_id=3)");
    check("tcp_reset;", NULL, "ip.proto == 6", "controller(userdata=07.00.00.00.00.00.00.00,meter_id=3)");
    check("reject {  };", "reject { };", "", "controller(userdata=09.00.00.00.00.00.00.00,meter_id=3)");
}

static void
test_refusals(void **state)
{
    static const struct {
        const char *text, *error;
    } t[] = {
        { "next", "column 5: `;' expected, not the end" },
        { "drop; next;", "column 7: the end (drop stands alone) expected, not `next'" },
        { "foo;", "column 1: there is no action or field of the name `foo'" },
        { "reg0 = foo();", "column 8: there is no function of the name `foo'" },
        { "eth.type = 5;", "column 1: eth.type cannot be changed" },
        { "ct_mark = 1;", "column 1: ct_mark cannot be changed" },
        { "ip4 = 1;", "column 5: ip4 is not a field here" },
        { "reg0 = ip6.src;", "column 8: reg0 has 32 bits and ip6.src has 128" },
        { "outport = reg0;", "column 11: a port and a number cannot be assigned to each other" },
        { "reg0[0..1] = lookup_fdb(inport, eth.src);", "column 1: the result of lookup_fdb has a width of 1" },
        { "reg0 = get_fdb(eth.dst);", "column 1: the result of get_fdb is a port" },
        { "get_arp(reg0, reg1);", "column 9: get_arp needs inport or outport here" },
        { "get_arp(outport, eth.src);", "column 16: get_arp needs a field of 32 bits here" },
        { "reg0[0] = put_dhcp_opts(offerip = 1.2.3.4);", "column 24: put_dhcp_opts is not supported yet" },
        { "ct_lb_mark(backends=10.0.0.1:80);", "column 11: ct_lb_mark with backends is not supported yet" },
        { "sample(probability=1);", "column 7: sample is not supported yet" },
        { "ct_commit { reg0 = 1; };", "column 11: only ct_mark and ct_label can be set within ct_commit" },
        { "ip.proto--;", "column 1: ip.proto cannot be changed" },
        { "reg0--;", "column 5: only ip.ttl can be decremented" },
        { "set_queue(61441);", "column 11: a number from 0 to 61440 expected, not `61441'" },
        { "clone { next;", "column 14: an action expected, not the end" },
        { "vlan.pcp = 8;", "column 12: `8' needs 4 bits, vlan.pcp has 3" },
        { "log(verdict=maybe);", "column 13: allow, drop, deny or reject expected, not `maybe'" },
        { "next(table=\"5\");", "column 12: a number from 0 to 255 expected, not `\"5\"'" },
    };
    for (size_t i = 0; i < ARRAY_SIZE(t); i++) {
        struct actions *a;
        char *error = actions_parse(t[i].text, &a);
        if (!error || strcmp(error, t[i].error)) {
            fail_msg("%s: \"%s\" and not \"%s\"", t[i].text, error ? error : "accepted", t[i].error);
        }
        assert_null(a);
        free(error);
    }
}

static void
check_refused(const struct action_env *env, const char *text, const char *expected)
{
    struct actions *a = parse(text);
    struct str out = STR_INIT;
    str_puts(&out, "before");
    char *error = actions_encode(a, env, &out);
    assert_non_null(error);
    assert_string_equal(error, expected);
    assert_string_equal(str_c(&out), "before");
    free(error);
    str_free(&out);
    actions_unref(a);
}

static void
test_encode_refusals(void **state)
{
    struct action_env env = ingress;
    env.pipeline = LOGICAL_EGRESS;
    env.cur_ltable = 29;
    check_refused(&env, "reg0 = 1; next;", "there is no logical table 30");
    check_refused(&env, "outport = \"p1\";", "outport cannot be changed in the egress pipeline");
    check_refused(&env, "clone { outport = inport; output; };", "outport cannot be changed in the egress pipeline");
    check_refused(&env, "reg0[0] = chk_lb_hairpin();", "chk_lb_hairpin is not supported here");
    struct str s = STR_INIT;
    for (int i = 0; i < 10000; i++) {
        str_puts(&s, "reg0 = 1;");
    }
    check_refused(&ingress, str_c(&s), "these actions are too long for the switch");
    str_clear(&s);
    str_puts(&s, "arp {");
    for (int i = 0; i < 10000; i++) {
        str_puts(&s, "reg0 = 1;");
    }
    str_puts(&s, "};");
    check_refused(&ingress, str_c(&s), "these actions are too long for the switch");
    str_free(&s);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_basic), cmocka_unit_test(test_assign), cmocka_unit_test(test_lookup), cmocka_unit_test(test_ct),
        cmocka_unit_test(test_punt), cmocka_unit_test(test_refusals), cmocka_unit_test(test_encode_refusals),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

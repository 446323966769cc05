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

/* Groups are numbered as they come; the last one is kept as text. */
static struct str last_group;

static bool
group(void *aux, const struct action_group *g, uint32_t *id)
{
    str_clear(&last_group);
    str_puts(&last_group, g->hash_fields ? g->hash_fields : "dp_hash");
    for (size_t i = 0; i < g->n; i++) {
        str_printf(&last_group, " %u:", g->buckets[i].weight);
        if (g->buckets[i].watch_port) {
            str_printf(&last_group, "watch %u:", g->buckets[i].watch_port);
        }
        ofa_format(g->buckets[i].actions, g->buckets[i].len, &last_group);
    }
    *id = 77;
    return true;
}

static bool
rate_meter(void *aux, uint32_t kbps, uint32_t burst, uint32_t *id)
{
    *id = kbps + burst;
    return kbps > 0;
}

static bool
dhcp_option(void *aux, bool ipv6, const char *name, uint8_t *code, const char **type)
{
    static const struct {
        const char *name, *type;
        uint8_t code;
    } options[] = {
        { "offerip", "ipv4", 0 }, { "dns_server", "ipv4", 6 }, { "mtu", "uint16", 26 }, { "fwd", "bool", 19 }, { "search", "domains", 119 },
        { "tftp", "host_id", 66 }, { "routes", "static_routes", 121 }, { "hostname", "str", 12 }, { "lease", "uint32", 51 }, { "server_id", "mac", 2 },
        { "ia_addr", "ipv6", 5 }, { "domain_search", "str", 24 }, { "file", "str", 59 },
    };
    for (size_t i = 0; i < ARRAY_SIZE(options); i++) {
        if (!strcmp(options[i].name, name)) {
            *code = options[i].code;
            *type = options[i].type;
            return ipv6 == (i >= 9);
        }
    }
    return false;
}

static bool
resident(void *aux, const char *name)
{
    return !strcmp(name, "p1");
}

static bool
tunnel_port(void *aux, const char *name, uint32_t *ofport)
{
    *ofport = 5;
    return !strcmp(name, "p2");
}

static bool
datapath_key(void *aux, uint32_t *key)
{
    *key = 0x30003;
    return true;
}

static const struct action_env ingress = {
    .cur_ltable = 5, .n_tables = 30, .ingress_table = 8, .egress_table = 62, .output_table = 52, .save_inport_table = 88, .is_switch = true,
    .tables = { .mac_bind = 90, .mac_lookup = 91, .mac_lookup_ip = 92, .fdb = 93, .fdb_lookup = 94, .in_port_sec = 95, .out_port_sec = 96,
                .chk_lb_aff = 100, .ecmp_nh = 101, .ecmp_nh_mac = 102, .evpn_arp = 104, .flood_remote = 105 },
    .controller_meter = 3, .cookie = 0xabcd, .lookup_port = lookup_port, .meter = meter, .group = group, .rate_meter = rate_meter,
    .dhcp_option = dhcp_option, .is_chassis_resident = resident, .tunnel_port = tunnel_port, .datapath_key = datapath_key,
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
    check("flags.force_snat_for_lb=1; drop;", "flags.force_snat_for_lb = 1; drop;", "", "set_field:0x20/0x20->reg10");
    check("clone { reg0[0] = 1; drop; }; next;", NULL, "", "clone(set_field:0x1/0x1->reg0),resubmit(,14)");
    check("flags.use_snat_zone = reg9[4];", NULL, "", "move:reg9[4]->reg10[15]");
    check("set_queue(10);", NULL, "", "set_queue:10");
    check("reg0[6] = check_pkt_larger(65553);", NULL, "", "set_field:0/0x40->reg0");
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
    check("ct_commit;", NULL, "ip4 || ip6", "ct(commit,zone=reg13[0..15],exec(nat(src)))");
    check("ct_commit { ct_mark.blocked = 1; ct_label.label = reg3; };", NULL, "ip4 || ip6",
          "ct(commit,zone=reg13[0..15],exec(nat(src),set_field:0x1/0x1->ct_mark,move:reg3[]->ct_label[96..127]))");
    check_in(&router, "ct_dnat;", NULL, "ip4 || ip6", "ct(table=14,zone=reg11[0..15],exec(nat))");
    check_in(&router, "ct_commit { ct_mark = 1; };", NULL, "ip4 || ip6", "ct(commit,zone=reg11[0..15],exec(set_field:0x1->ct_mark))");
    check_in(&router, "ct_snat(10.0.0.1,1024-2048);", NULL, "ip4 || ip6", "ct(commit,table=14,zone=reg12[0..15],exec(nat(src=10.0.0.1:1024-2048)))");
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
check_group(const char *text, const char *canonical, const char *expected)
{
    check(text, canonical, *text == 'c' ? "ip4 || ip6" : "", "group:77");
    assert_string_equal(str_c(&last_group), expected);
}

static void
test_groups(void **state)
{
    struct action_env router = ingress;
    router.is_switch = false;
    check_group("ct_lb_mark(backends=10.0.0.1:80,10.0.0.2; hash_fields=\"ip_src,ip_dst\"; skip_snat);", NULL,
                "ip_src,ip_dst 100:ct(commit,table=14,zone=reg13[0..15],exec(nat(dst=10.0.0.1:80),set_field:0x2/0x2->ct_mark,set_field:0x4/0x4->ct_mark))"
                " 100:ct(commit,table=14,zone=reg13[0..15],exec(nat(dst=10.0.0.2),set_field:0x2/0x2->ct_mark,set_field:0x4/0x4->ct_mark))");
    check_group("ct_lb(backends=[fd00::1]:80 , fd00::2;force_snat;hash_fields=ip_src,tp_dst);", "ct_lb(backends=[fd00::1]:80,fd00::2; hash_fields=\"ip_src,tp_dst\"; force_snat);",
                "ip_src,tp_dst 100:ct(commit,table=14,zone=reg13[0..15],exec(nat(dst=[fd00::1]:80),set_field:0x2/0x2->ct_label,set_field:0x8/0x8->ct_label))"
                " 100:ct(commit,table=14,zone=reg13[0..15],exec(nat(dst=fd00::2),set_field:0x2/0x2->ct_label,set_field:0x8/0x8->ct_label))");
    check("ct_lb_mark;", NULL, "ip4 || ip6", "ct(table=14,zone=reg13[0..15],exec(nat))");
    check_in(&router, "ct_lb_mark(backends=10.0.0.1);", NULL, "ip4 || ip6",
             "ct(commit,table=14,zone=reg11[0..15],exec(nat(dst=10.0.0.1),set_field:0x2/0x2->ct_mark))");
    check("ct_lb_mark_local(backends=\"p1\":10.0.0.1:80,\"p2\":10.0.0.2:80);", NULL, "ip4 || ip6",
          "ct(commit,table=14,zone=reg13[0..15],exec(nat(dst=10.0.0.1:80),set_field:0x2/0x2->ct_mark))");
    check("ct_lb_mark_local(backends=\"p2\":10.0.0.2:80);", NULL, "ip4 || ip6", "drop");
    check_group("reg8[16..31] = select(1=20, 2);", "reg8[16..31] = select(1=20, 2=100);",
                "dp_hash 20:set_field:0x10000/0xffff0000->reg8,resubmit(,14) 100:set_field:0x20000/0xffff0000->reg8,resubmit(,14)");
    check_group("reg8[16..31] = select(values=(1=20,2=30); hash_fields=\"ip_src\");", "reg8[16..31] = select(values=(1=20, 2=30); hash_fields=\"ip_src\");",
                "ip_src 20:set_field:0x10000/0xffff0000->reg8,resubmit(,14) 30:set_field:0x20000/0xffff0000->reg8,resubmit(,14)");
    check_group("fwd_group(liveness=\"true\",childports=\"p1\",\"p2\",\"gone\");", "fwd_group(liveness=true, childports=\"p1\", \"p2\", \"gone\");",
                "dp_hash 100:set_field:0x1->reg15,resubmit(,52) 100:watch 5:set_field:0x2->reg15,resubmit(,52)");
    check("fwd_group(childports=\"gone\");", NULL, "", "drop");
    str_free(&last_group);
}

static void
test_learning(void **state)
{
    check("commit_lb_aff(vip = \"10.0.0.100:80\", backend = \"10.0.0.1:8080\", proto = tcp, timeout = 60);", NULL, "eth.type == 0x800 && ip.proto == 6",
          "learn(table=100,idle_timeout=60,priority=100,delete_learned,cookie=0xabcd,metadata[0..23]=metadata[0..23],eth_type=0x800,nw_proto=6,ip_src[]=ip_src[],"
          "ip_dst=10.0.0.100,tcp_dst=80,load:0xa000001->reg4[],load:0x1f90->reg8[0..15],load:0x1->reg10[11])");
    check("commit_lb_aff(vip=\"fd00::1\",backend=\"fd00::2\",timeout=5);", "commit_lb_aff(vip = \"fd00::1\", backend = \"fd00::2\", timeout = 5);", "eth.type == 0x86dd",
          "learn(table=100,idle_timeout=5,priority=100,delete_learned,cookie=0xabcd,metadata[0..23]=metadata[0..23],eth_type=0x86dd,ipv6_src[]=ipv6_src[],"
          "ipv6_dst=fd00::1,load:0xfd000000000000000000000000000002->xxreg1[],load:0x1->reg10[11])");
    check("commit_ecmp_nh(ipv6 = false, proto = udp);", NULL, "eth.type == 0x800 && ip.proto == 17",
          "learn(table=102,idle_timeout=60,priority=100,delete_learned,cookie=0xabcd,metadata[0..23]=metadata[0..23],eth_type=0x800,nw_proto=17,eth_src[]=eth_src[],"
          "ip_src[]=ip_src[],ip_dst[]=ip_dst[],udp_src[]=udp_src[],udp_dst[]=udp_dst[],load:0x1->reg10[11]),"
          "learn(table=101,idle_timeout=60,priority=100,delete_learned,cookie=0xabcd,metadata[0..23]=metadata[0..23],eth_type=0x800,nw_proto=17,"
          "ip_dst[]=ip_src[],ip_src[]=ip_dst[],udp_dst[]=udp_src[],udp_src[]=udp_dst[],load:0x1->reg10[11])");
    check("reg9[5] = chk_ecmp_nh_mac();", NULL, "", "set_field:0/0x800->reg10,resubmit(,102),move:reg10[11]->reg9[5]");
    check("reg9[5] = check_ecmp_nh();", NULL, "", "set_field:0/0x800->reg10,resubmit(,101),move:reg10[11]->reg9[5]");
    check("reg9[6] = chk_lb_aff();", NULL, "", "set_field:0/0x800->reg10,resubmit(,100),move:reg10[11]->reg9[6]");
}

static void
test_options(void **state)
{
    check("reg0[3] = put_dhcp_opts(mtu=1400, offerip=10.0.0.2, dns_server={8.8.8.8 7.7.7.7});",
          "reg0[3] = put_dhcp_opts(mtu = 1400, offerip = 10.0.0.2, dns_server = {8.8.8.8, 7.7.7.7});", "",
          "controller(userdata=14.00.00.00.00.00.00.00.00.03.00.00.00.00.00.00.0a.00.00.02.1a.02.05.78.06.08.08.08.08.08.07.07.07.07,pause,meter_id=3)");
    check("reg0[3] = put_dhcp_opts(offerip = 10.0.0.2, fwd = 1, search = \"a.bc,d\", tftp = 1.2.3.4, hostname = \"h\", routes = {30.0.0.0/20, 10.0.0.4, 0.0.0.0/0, 10.0.0.1}, lease = 258);",
          NULL, "",
          "controller(userdata=14.00.00.00.00.00.00.00.00.03.00.00.00.00.00.00.0a.00.00.02.13.01.01.77.09.01.61.02.62.63.00.01.64.00."
          "42.07.31.2e.32.2e.33.2e.34.0c.01.68.79.0d.14.1e.00.00.0a.00.00.04.00.0a.00.00.01.33.04.00.00.01.02,pause,meter_id=3)");
    check("reg1[31] = put_dhcpv6_opts(ia_addr = aef0::4, server_id = 00:00:00:00:10:02, domain_search = \"a\", file = \"x\");", NULL, "",
          "controller(userdata=15.00.00.00.00.00.00.00.01.1f.00.00.00.00.00.00.00.05.00.10.ae.f0.00.00.00.00.00.00.00.00.00.00.00.00.00.04."
          "00.02.00.0a.00.03.00.01.00.00.00.00.10.02.00.18.00.03.01.61.00.00.3b.00.01.78,pause,meter_id=3)");
    check("reg0[5] = put_nd_ra_opts(addr_mode = \"slaac\", slla = 00:00:00:00:10:02, prefix = aef0::/64, mtu = 1450);", NULL, "",
          "controller(userdata=16.00.00.00.00.00.00.00.00.05.00.00.00.00.00.00.00.00.00.00.00.00.00.00.01.01.00.00.00.00.10.02."
          "03.04.40.c0.ff.ff.ff.ff.ff.ff.ff.ff.00.00.00.00.ae.f0.00.00.00.00.00.00.00.00.00.00.00.00.00.00.05.01.00.00.00.00.05.aa,pause,meter_id=3)");
    check("reg0[5] = put_nd_ra_opts(addr_mode = \"dhcpv6_stateful\", slla = 00:00:00:00:10:02, router_preference = \"LOW\", route_info = \"HIGH-2001::/64\", rdnss = fd00::5, dnssl = \"a.b\");",
          NULL, "",
          "controller(userdata=16.00.00.00.00.00.00.00.00.05.00.00.00.00.00.00.98.00.00.00.00.00.00.00.01.01.00.00.00.00.10.02."
          "18.03.40.08.ff.ff.ff.ff.20.01.00.00.00.00.00.00.00.00.00.00.00.00.00.00.19.03.00.00.ff.ff.ff.ff.fd.00.00.00.00.00.00.00.00.00.00.00.00.00.00.05."
          "1f.02.00.00.ff.ff.ff.ff.01.61.01.62.00.00.00.00,pause,meter_id=3)");
    check("reg9[7] = dhcp_relay_req_chk(192.168.1.1, 172.16.1.1);", NULL, "",
          "controller(userdata=1a.00.00.00.00.00.00.00.09.07.00.00.00.00.00.00.c0.a8.01.01.ac.10.01.01,pause,meter_id=3)");
}

static void
test_observe(void **state)
{
    check("sample(probability=65535,collector_set=1,obs_domain=2,obs_point=@cookie);", "sample(probability=65535, collector_set=1, obs_domain=2, obs_point=@cookie);", "",
          "sample(probability=65535,collector_set_id=1,obs_domain_id=33751043,obs_point_id=43981)");
    check("mirror(\"p2\");", NULL, "", "clone(set_field:0x2->reg15,set_field:0x1/0x1->reg10,resubmit(,52))");
    check("set_meter(100, 1000); next;", NULL, "", "meter:1100,resubmit(,14)");
    check("set_meter(100);", NULL, "", "meter:100");
    check("trigger_event(event = \"empty_lb_backends\", meter = \"m\", vip = \"1.2.3.4:5\", protocol = \"tcp\");", NULL, "",
          "controller(userdata=17.00.00.00.00.00.00.00.00.00.00.00.00.09.31.2e.32.2e.33.2e.34.3a.35.00.01.00.03.74.63.70,meter_id=9)");
    check("reg0[0] = chk_evpn_arp(ip6.dst);", NULL, "ip6",
          "push:xxreg0[],move:ipv6_dst[]->xxreg0[],set_field:0x4000/0x4000->reg10,set_field:0/0x800->reg10,resubmit(,104),pop:xxreg0[],move:reg10[11]->reg0[0]");
    check("flood_remote;", NULL, "", "resubmit(,105)");
    check("reg4[0..7] = ct_state_save();", NULL, "", "move:ct_state[0..7]->reg4[0..7]");
    check("icmp4.inner_ip4.src = 10.0.0.1;", NULL, "icmp4", "controller(userdata=19.00.00.00.00.00.00.00.0a.00.00.01,pause,meter_id=3)");
    check("ct_commit(ct_mark=1/1,ct_label=2);", "ct_commit { ct_mark = 1/1; ct_label = 2; };", "ip4 || ip6",
          "ct(commit,zone=reg13[0..15],exec(nat(src),set_field:0x1/0x1->ct_mark,set_field:0x2->ct_label))");
}

static void
test_refusals(void **state)
{
    static const struct {
        const char *text, *error;
    } t[] = {
        { "next", "column 5: `;' expected, not the end" },
        { "drop; next;", "column 7: the end (nothing comes after drop) expected, not `next'" },
        { "reg0 = 1; drop; drop;", "column 17: the end (nothing comes after drop) expected, not `drop'" },
        { "clone { drop; next; };", "column 15: the end (nothing comes after drop) expected, not `next'" },
        { "reg0 = 1; drop", "column 15: `;' expected, not the end" },
        { "reg0 = drop;", "column 8: there is no field of the name `drop'" },
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
        { "reg0[0] = put_dhcp_opts(offerip 1.2.3.4);", "column 33: `=' expected, not `1.2.3.4'" },
        { "reg0[0] = put_dhcp_opts();", "column 25: the name of an option expected, not `)'" },
        { "reg0[0] = put_dhcp_opts(mtu = {});", "column 32: a constant or a string expected, not `}'" },
        { "reg0[0] = put_nd_ra_opts(addr_mode = \"x\");", "column 26: this is no value for addr_mode" },
        { "reg0[0] = put_nd_ra_opts(prefix = fd00::/64);", "column 26: addr_mode is expected before prefix" },
        { "reg0[0] = put_nd_ra_opts(addr_mode = \"slaac\");", "column 25: put_nd_ra_opts needs addr_mode and slla" },
        { "ct_lb_mark(backend=10.0.0.1:80);", "column 12: backends expected, not `backend'" },
        { "ct_lb_mark(backends=10.0.0.1:80,fd00::1);", "column 33: an address of the same family expected, not `fd00::1'" },
        { "ct_lb_mark(backends=10.0.0.1:0);", "column 30: a number from 1 to 65535 expected, not `0'" },
        { "ct_lb_mark(backends=10.0.0.1; hash_fields=\"ip_src)(\");", "column 31: hash_fields are names of fields with commas between them" },
        { "reg0 = select(1);", "column 16: `,' and a second value expected, not `)'" },
        { "reg0[0..1] = select(1, 4);", "column 24: a number from 0 to 3 expected, not `4'" },
        { "outport = select(1, 2);", "column 1: the result of select is a number" },
        { "fwd_group(childports=p1);", "column 22: a string expected, not `p1'" },
        { "sample(collector_set=1);", "column 7: sample needs a probability" },
        { "sample(probability=0);", "column 20: a number from 1 to 65535 expected, not `0'" },
        { "commit_lb_aff(vip=\"1.2.3.4:80\", backend=\"fd00::1\", timeout=1);",
          "column 14: commit_lb_aff needs vip and backend of one family, a timeout, and with ports a proto" },
        { "commit_lb_aff(vip=\"1.2.3.4:\");", "column 19: \"1.2.3.4:\" is no address or address:port" },
        { "trigger_event(event=\"foo\");", "column 21: there is no event of the name \"foo\"" },
        { "ct_commit(reg0=1);", "column 10: only ct_mark and ct_label can be set within ct_commit" },
        { "dhcp_relay_req_chk(1.1.1.1);", "column 1: there is no action or field of the name `dhcp_relay_req_chk'" },
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
    check_refused(&env, "outport = \"p1\"; next(pipeline=egress, table=3);", "outport cannot be changed in the egress pipeline");
    check_in(&env, "clone { outport = \"\"; next(pipeline=ingress, table=0); };", NULL, "", "clone(set_field:0->reg15,resubmit(,8))");
    check_in(&env, "outport <-> inport; next(pipeline=ingress, table=0);", NULL, "",
             "push:reg15[],push:reg14[],pop:reg15[],pop:reg14[],resubmit(,8)");
    check_refused(&env, "reg0[0] = chk_lb_hairpin();", "chk_lb_hairpin is not supported here");
    check_refused(&ingress, "reg0[0] = put_dhcp_opts(mtu = 5);", "put_dhcp_opts needs one option offerip (of code 0)");
    check_refused(&ingress, "reg0[0] = put_dhcp_opts(offerip = 1.2.3.4, mtu = 65536);", "the value of the DHCP option mtu is not of type uint16");
    check_refused(&ingress, "reg0[0] = put_dhcp_opts(offerip = 1.2.3.4, what = 6);", "there is no DHCP option of the name what");
    check_refused(&ingress, "xxreg1[0] = put_dhcp_opts(offerip = 1.2.3.4);", "the result of put_dhcp_opts must be in a register");
    check_refused(&ingress, "sample(probability=1, obs_point=reg3);", "this switch cannot sample with an observation point from a field");
    check_refused(&ingress, "set_meter(0);", "there is no OpenFlow meter left for set_meter");
    struct action_env bare = { .n_tables = 30, .ingress_table = 8 };
    static const char *const needy[] = {
        "set_meter(1);", "reg0 = select(1, 2);", "commit_ecmp_nh(ipv6 = true);", "commit_lb_aff(vip = \"::1\", backend = \"::2\", timeout = 1);", "flood_remote;",
    };
    for (size_t i = 0; i < ARRAY_SIZE(needy); i++) {
        struct actions *a = parse(needy[i]);
        struct str out = STR_INIT;
        char *error = actions_encode(a, &bare, &out);
        assert_non_null(error);
        assert_non_null(strstr(error, "is not supported here"));
        free(error);
        actions_unref(a);
    }
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
        cmocka_unit_test(test_punt), cmocka_unit_test(test_groups), cmocka_unit_test(test_learning), cmocka_unit_test(test_options), cmocka_unit_test(test_observe),
         cmocka_unit_test(test_refusals), cmocka_unit_test(test_encode_refusals),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

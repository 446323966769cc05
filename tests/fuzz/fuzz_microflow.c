/* fuzz_microflow - what somebody may ask ovn-trace: the words of a request, options and all, over a small network. It is a trace, or a message of one line; and it ends.
 *
 * The first byte says how: 1, as to the daemon; 2, all of the rest is one microflow, which is traced from a port and from nowhere. Else the rest is words, each up to a 0 byte. */
#include <stdlib.h>

#include "cli/trace/request.h"
#include "cli/trace/show.h"
#include "ovsdb/replica.h"
#include "schema/nb.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { MAX_WORDS = 64, MAX_ANSWER = 64 << 20 };

void
ovsdb_session_monitor_changed(struct ovsdb *db)
{
}

/* Nobody is started here: no switch is there, and no Graphviz. */
bool
child_run(const char *const argv[], const char *input, size_t n_input, bool errors_too, struct str *out)
{
    return false;
}

/* ---- the network: two switches and a router, whose flows do a bit of everything ---- */

#define U(N) "00000000-0000-4000-8000-0000000000" N
#define REF(N) "[\"uuid\",\"" U(N) "\"]"
#define MAP(...) "[\"map\",[" __VA_ARGS__ "]]"
#define DATAPATH(N, KEY, NAME, KIND) "\"" U(N) "\":{\"initial\":{\"tunnel_key\":" KEY ",\"external_ids\":" \
    MAP("[\"name\",\"" NAME "\"],[\"" KIND "\",\"" U("0" KEY) "\"]") "}}"
#define PORT(N, KEY, NAME, DP, TYPE, OPTIONS, SECURITY) "\"" U(N) "\":{\"initial\":{\"logical_port\":\"" NAME "\",\"datapath\":" REF(DP) \
    ",\"tunnel_key\":" KEY ",\"type\":\"" TYPE "\",\"options\":" MAP(OPTIONS) ",\"port_security\":[\"set\",[" SECURITY "]]}}"

static const char tables[] =
    "{\"Datapath_Binding\":{" DATAPATH("a1", "1", "s0", "logical-switch") "," DATAPATH("a2", "2", "s1", "logical-switch") ","
    DATAPATH("a3", "3", "r0", "logical-router") "},"
    "\"Port_Binding\":{" PORT("b1", "1", "a", "a1", "", "", "\"0a:00:00:00:00:01 10.0.0.1/24 fd00::1\"") ","
    PORT("b2", "2", "b", "a1", "", "", "") "," PORT("b3", "3", "up", "a1", "patch", "[\"peer\",\"down\"]", "") ","
    PORT("b4", "1", "down", "a3", "patch", "[\"peer\",\"up\"]", "") "," PORT("b5", "2", "out", "a3", "patch", "[\"peer\",\"in\"]", "") ","
    PORT("b6", "1", "in", "a2", "patch", "[\"peer\",\"out\"]", "") "," PORT("b7", "2", "c", "a2", "localnet", "", "") ","
    PORT("b8", "3", "cr-out", "a3", "chassisredirect", "[\"distributed-port\",\"out\"]", "") "},"
    "\"Multicast_Group\":{\"" U("c1") "\":{\"initial\":{\"datapath\":" REF("a1") ",\"name\":\"_MC_flood\",\"tunnel_key\":32768,\"ports\":[\"set\","
    "[" REF("b1") "," REF("b2") "," REF("b3") "]]}}},"
    "\"Address_Set\":{\"" U("c2") "\":{\"initial\":{\"name\":\"as\",\"addresses\":[\"set\",[\"10.0.0.1\",\"10.0.1.0/24\",\"junk\"]]}}},"
    "\"Port_Group\":{\"" U("c3") "\":{\"initial\":{\"name\":\"1_pg\",\"ports\":[\"set\",[\"a\",\"gone\"]]}}},"
    "\"FDB\":{\"" U("c4") "\":{\"initial\":{\"mac\":\"0a:00:00:00:00:05\",\"dp_key\":1,\"port_key\":2}}},"
    "\"Load_Balancer\":{\"" U("c5") "\":{\"initial\":{\"name\":\"lb\",\"vips\":" MAP("[\"10.0.0.9:80\",\"10.0.0.1:80\"],[\"junk\",\"\"]") ",\"protocol\":\"tcp\","
    "\"datapaths\":[\"set\",[" REF("a1") "]]}}},"
    "\"MAC_Binding\":{\"" U("c6") "\":{\"initial\":{\"logical_port\":\"out\",\"ip\":\"10.0.1.7\",\"mac\":\"0a:00:00:00:00:07\",\"datapath\":" REF("a3") "}}}}";

static const struct {
    const char *dp, *pipeline;
    int table, priority;
    const char *match, *actions;
} flows[] = {
    { "a1", "ingress", 0, 100, "eth.type == 0x4242", "next(table=0);" },                                 /* A loop. */
    { "a1", "ingress", 0, 100, "vlan.present || eth.src[40]", "drop;" },
    { "a1", "ingress", 0, 50, "1", "reg0[15] = check_in_port_sec(); next;" },
    { "a1", "ingress", 1, 50, "reg0[15] == 1", "drop;" },
    { "a1", "ingress", 1, 10, "ip", "ct_next;" },
    { "a1", "ingress", 1, 0, "1", "next;" },
    { "a1", "ingress", 2, 90, "ct.inv", "log(name=\"x\", verdict=drop, severity=info); drop;" },
    { "a1", "ingress", 2, 80, "tcp.dst == 22 && inport == @pg", "reject { outport <-> inport; next(pipeline=egress, table=0); };" },
    { "a1", "ingress", 2, 70, "ct.new && ip4.dst == 10.0.0.9 && tcp.dst == 80", "ct_lb_mark(backends=10.0.0.1:80,10.0.0.2:8080);" },
    { "a1", "ingress", 2, 60, "udp.src == 68 && udp.dst == 67", "reg0[3] = put_dhcp_opts(offerip=10.0.0.1, netmask=255.255.255.0); next;" },
    { "a1", "ingress", 2, 60, "udp.dst == 53", "reg0[4] = dns_lookup(); next;" },
    { "a1", "ingress", 2, 0, "1", "next;" },
    { "a1", "ingress", 3, 100, "arp.op == 1 && arp.tpa == $as", "eth.dst = eth.src; arp.op = 2; arp.tha = arp.sha; arp.sha = 0a:00:00:00:00:01; outport = inport; "
      "flags.loopback = 1; output;" },
    { "a1", "ingress", 3, 90, "nd_ns", "nd_na { eth.src = 0a:00:00:00:00:01; ip6.src = nd.target; nd.tll = 0a:00:00:00:00:01; outport = inport; flags.loopback = 1; output; };" },
    { "a1", "ingress", 3, 80, "reg0[3] == 1", "outport = inport; flags.loopback = 1; output;" },
    { "a1", "ingress", 3, 70, "eth.mcast", "outport = \"_MC_flood\"; output;" },
    { "a1", "ingress", 3, 60, "reg0[6] == 0 && tcp.src == 1", "reg0[6] = chk_lb_hairpin(); next(3);" },
    { "a1", "ingress", 3, 50, "eth.dst == 0a:00:00:00:00:02", "outport = \"b\"; output;" },
    { "a1", "ingress", 3, 50, "eth.dst == 0a:00:00:00:ff:01", "outport = \"up\"; output;" },
    { "a1", "ingress", 3, 0, "1", "outport = get_fdb(eth.dst); clone { output; }; output;" },
    { "a1", "egress", 0, 10, "ip", "ct_commit { ct_mark.blocked = 0; }; next;" },
    { "a1", "egress", 0, 0, "1", "reg0[15] = check_out_port_sec(); next;" },
    { "a1", "egress", 1, 0, "1", "output;" },
    { "a3", "ingress", 0, 50, "ip", "reg9[1] = check_pkt_larger(1400); next;" },
    { "a3", "ingress", 1, 100, "ip.ttl == {0, 1}", "icmp4 { eth.dst <-> eth.src; icmp4.type = 11; ip4.dst <-> ip4.src; ip.ttl = 254; outport = inport; flags.loopback = 1; output; };" },
    { "a3", "ingress", 1, 90, "ip4.dst == 10.0.0.9", "ct_snat;" },
    { "a3", "ingress", 1, 80, "ip4.dst == 10.0.0.8", "ct_dnat(10.0.1.7);" },
    { "a3", "ingress", 1, 0, "1", "next;" },
    { "a3", "ingress", 2, 20, "ip4.dst == 10.0.2.0/24", "reg8[0..15] = select(1=2,2,3);" },
    { "a3", "ingress", 2, 10, "ip4", "ip.ttl--; reg0 = ip4.dst; reg1 = 10.0.1.254; eth.src = 0a:00:00:00:ff:02; outport = \"cr-out\"; get_arp(outport, reg0); next;" },
    { "a3", "ingress", 3, 10, "eth.dst == 00:00:00:00:00:00", "arp { eth.dst = ff:ff:ff:ff:ff:ff; arp.spa = reg1; arp.tpa = reg0; output; };" },
    { "a3", "ingress", 3, 0, "1", "output;" },
    { "a3", "egress", 0, 0, "1", "output;" },
    { "a2", "ingress", 0, 0, "1", "outport = \"c\"; output;" },
    { "a2", "egress", 0, 0, "1", "output;" },
    { "a2", "ingress", 0, 7, "a flow that cannot be read", "nor its actions;" },
};

static void
put_flows(struct str *s)
{
    str_puts(s, "{\"Logical_Flow\":{");
    for (size_t i = 0; i < ARRAY_SIZE(flows); i++) {
        str_printf(s, "%s\"%08zx-0000-4000-8000-0000000000f1\":{\"initial\":{\"logical_datapath\":[\"uuid\",\"00000000-0000-4000-8000-0000000000%s\"],", i ? "," : "", i + 1,
                   flows[i].dp);
        str_printf(s, "\"pipeline\":\"%s\",\"table_id\":%d,\"priority\":%d,\"match\":", flows[i].pipeline, flows[i].table, flows[i].priority);
        json_put_cstr(s, flows[i].match);
        str_puts(s, ",\"actions\":");
        json_put_cstr(s, flows[i].actions);
        str_printf(s, ",\"external_ids\":[\"map\",[[\"stage-name\",\"stage%d\"],[\"stage-hint\",\"0000000a\"]]]}}", flows[i].table);
    }
    str_puts(s, "}}");
}

static void
apply(struct ovsdb *db, const char *text, size_t n)
{
    struct json_reader r;
    char *copy = xmemdup(text, n);

    json_reader_init(&r, copy, n);
    json_next(&r);
    char *error = ovsdb_replica_apply(db, &r, OVSDB_UPDATE2);
    if (error) {
        panic("%s", error);
    }
    json_reader_destroy(&r);
    free(copy);
}

static struct {
    struct ovsdb *sb, *nb;
    struct world_indexes indexes;
} network;

static void
make_network(void)
{
    struct str s = STR_INIT;

    network.sb = XNEW(struct ovsdb);
    network.nb = XNEW(struct ovsdb);
    network.sb->desc = &sb_db;
    network.nb->desc = &nb_db;
    ovsdb_replica_init(network.sb);
    ovsdb_replica_init(network.nb);
    northbound_use(network.nb);
    world_use(&network.indexes, network.sb);
    apply(network.sb, tables, sizeof tables - 1);
    put_flows(&s);
    apply(network.sb, str_c(&s), s.len);
    str_free(&s);
    REQUIRE(ovsdb_count(ovsdb_table(network.sb, &sb_table_logical_flow)) == ARRAY_SIZE(flows));
    REQUIRE(ovsdb_count(ovsdb_table(network.sb, &sb_table_port_binding)) == 8);
}

/* ---- requests ---- */

static void
ask(bool daemon, int argc, const char *const argv[])
{
    struct request q = REQUEST_INIT;
    struct str out = STR_INIT;
    char *error = request_parse(&q, daemon, argc, argv);

    error = error ? error : request_run(&q, &network.indexes, network.nb, &out);
    REQUIRE(error ? *error && !out.len : out.len > 0 && str_c(&out)[out.len - 1] == '\n');
    REQUIRE(out.len <= MAX_ANSWER);
    free(error);
    request_destroy(&q);
    str_free(&out);
}

static void
ask_words(bool daemon, char *text, size_t n)
{
    const char *argv[MAX_WORDS + 1] = { "trace" };
    int argc = 1;

    for (char *p = text; p <= text + n && argc < MAX_WORDS; p += strlen(p) + 1) {
        argv[argc++] = p;
    }
    ask(daemon, argc, argv);
}

static void
ask_microflow(const char *text)
{
    char *from_port = xasprintf("inport == \"a\" && eth.src == 0a:00:00:00:00:01 && (%s)", text);

    ask(false, 5, (const char *[]) { "trace", "--all", "--json", "--", from_port, NULL });
    ask(false, 6, (const char *[]) { "trace", "--ct=new", "--why", "--graph", "s0", from_port, NULL });
    ask(false, 6, (const char *[]) { "trace", "--minimal", "--why", "--", "r0", text, NULL });
    free(from_port);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (!network.sb) {
        make_network();
    }
    if (size) {
        char *text = xstrndup((const char *) data + 1, size - 1);
        if (data[0] & 2) {
            ask_microflow(text);
        } else {
            free(text);
            text = xmalloc(size);
            memcpy(text, data + 1, size - 1);
            text[size - 1] = '\0';
            ask_words(data[0] & 1, text, size - 1);
        }
        free(text);
    }
    intern_collect();
    return 0;
}

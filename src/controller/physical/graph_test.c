/* The invariant (DESIGN.md 2) for ovn-controller: after any sequence of changes of the southbound and the local database, the desired flow table is the one
 * that a controller computes which finds the databases as they are now.
 *
 * Contents are random, and often nonsense: clashing keys of ports, ports on two chassis, members of other datapaths, references to nothing. Set tags depend on history: before the
 * comparison, flows with a tag become the flows of the datapaths that have it. (Zones do, too: here they are adopted from the bridge.) */
#include "base/test.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/log.h"
#include "controller/physical/testgraph.h"

enum {
    N_CHASSIS = 3, N_DPS = 5, N_PORTS = 14, N_MCASTS = 2 * N_DPS, N_GROUPS = 4, N_LFLOWS = 40, N_FDBS = 5, N_IFACES = 8,
    N_TUNNELS = N_CHASSIS - 1,
};

/* A row of the model: what the database has of it. */
struct slot {
    const char *table;
    bool ovs;
    int kind, n;
    char *row;                         /* JSON; NULL: not there. */
};
enum { CHASSIS, ENCAP, DP, PORT, MCAST, GROUP, LFLOW, FDB, ADDRESS_SET, PORT_GROUP, OPEN_VSWITCH, BRIDGE, OVS_PORT, OVS_IFACE, N_KINDS };

struct model {
    struct slot *slots;
    size_t n, cap;
    uint64_t seed;
};

static unsigned
rnd(struct model *m, unsigned n)
{
    m->seed = m->seed * 6364136223846793005u + 1442695040888963407u;
    return (m->seed >> 33) % n;
}

#define U "%04x%04x-0000-4000-8000-000000000000"
/* "["uuid", "..."]" */
#define REF "[\"uuid\",\"" U "\"]"

static void
put_refs(struct model *m, struct str *s, const char *column, int kind, int n, unsigned percent)
{
    bool any = false;

    str_printf(s, "\"%s\":[\"set\",[", column);
    for (int i = 0; i < n; i++) {
        if (rnd(m, 100) < percent) {
            str_printf(s, "%s" REF, any ? "," : "", kind + 1, i);
            any = true;
        }
    }
    str_puts(s, "]]");
}

/* A column is said even when it is empty: what an update does not mention stays. */
static void
put_opt(struct str *s, const char *column, bool has, int kind, int n)
{
    str_printf(s, has ? "\"%s\":" REF "," : "\"%s\":[\"set\",[]],", column, kind + 1, n);
}

static const char *const port_security[] = {
    "\"\"", "[\"set\",[]]", "[\"set\",[]]", "\"0a:00:00:00:00:01\"", "\"0a:00:00:00:00:01 10.0.0.1 fd00::1\"",
    "[\"set\",[\"0a:00:00:00:00:01 10.0.0.0/24\",\"0a:00:00:00:00:02\",\"0a:00:00:00:00:01 10.0.1.5/24\"]]", "\"garbage\"",
};
static const char *const port_types[] = { "", "", "", "", "", "localport", "patch", "patch", "localnet", "virtual" };

static void
put_port(struct model *m, struct str *s, int n)
{
    const char *type = port_types[rnd(m, ARRAY_SIZE(port_types))];

    str_printf(s, "\"logical_port\":\"lp%d\",\"type\":\"%s\",\"datapath\":" REF ",\"tunnel_key\":%u,\"port_security\":%s,", n, type,
               DP + 1, rnd(m, N_DPS), 1 + rnd(m, 20), port_security[rnd(m, ARRAY_SIZE(port_security))]);
    str_printf(s, "\"options\":[\"map\",[[\"peer\",\"lp%u\"]]],", rnd(m, N_PORTS));
    if (rnd(m, 6) == 0) {
        str_printf(s, "\"parent_port\":\"lp%u\",\"tag\":%u,", rnd(m, N_PORTS), 1 + rnd(m, 4000));
    } else {
        str_puts(s, "\"parent_port\":[\"set\",[]],\"tag\":[\"set\",[]],");
    }
    unsigned chassis = rnd(m, N_CHASSIS + 1);
    put_opt(s, "chassis", chassis < N_CHASSIS, CHASSIS, chassis);
    put_refs(m, s, "additional_chassis", CHASSIS, N_CHASSIS, 10);
}

static const char *const matches[] = {
    "1", "ip4", "inport == \\\"lp%u\\\"", "outport == \\\"lp%u\\\" && ip", "eth.mcast", "ip4.src == $as1", "outport == @pg1 && ip6",
    "is_chassis_resident(\\\"lp%u\\\")", "outport == \\\"_MC_flood\\\"", "eth.dst == 0a:00:00:00:00:%02x", "tcp.dst == {80, 81, %u}", "this is no match",
    "outport == \\\"none\\\"", "inport == \\\"lp%u\\\" || ip4", "ip4.src == {10.0.0.1, 10.0.0.2, 10.0.0.3} && tcp.dst == {80, 81, 82, %u}",
    "ip4.src == $as1 && tcp.dst == {80, 81, %u}", "ip4.src == {$as1, 10.9.0.1} && ip4.dst == $as1", "outport == @pg1 && ip4.src == $as1",
    "ip4.src == $as1 || (ip4.dst == $as1 && tcp.dst == %u)", "ip6.dst == $as1 && inport == {\\\"lp0\\\", \\\"lp1\\\", \\\"lp%u\\\"}",
};
static const char *const actions[] = {
    "next;", "drop;", "output;", "outport = \\\"lp%u\\\"; output;", "outport = \\\"_MC_flood\\\"; output;", "reg8[15] = check_in_port_sec(); next;",
    "outport = get_fdb(eth.dst); next;", "eth.dst <-> eth.src; flags.loopback = 1; output;", "no_such_action();", "next(pipeline=ingress,table=%u);",
    "ct_next;",
};

static void
put_lflow(struct model *m, struct str *s, int n)
{
    unsigned in_out = rnd(m, 4), which = rnd(m, 8);

    put_opt(s, "logical_dp_group", which > 0 && which < 5, GROUP, rnd(m, N_GROUPS));
    put_opt(s, "logical_datapath", which > 4, DP, rnd(m, N_DPS));
    /* A priority of its own: no two say different things of one match. */
    str_printf(s, "\"pipeline\":\"%s\",\"table_id\":%u,\"priority\":%d,", rnd(m, 3) ? "ingress" : "egress", rnd(m, 30), 10 + n);
    /* The format strings take one number, or none. */
    #pragma GCC diagnostic push
    #pragma GCC diagnostic ignored "-Wformat-nonliteral"
    char match[200], action[200];
    snprintf(match, sizeof match, matches[rnd(m, ARRAY_SIZE(matches))], rnd(m, N_PORTS));
    snprintf(action, sizeof action, actions[rnd(m, ARRAY_SIZE(actions))], rnd(m, N_PORTS));
    #pragma GCC diagnostic pop
    str_printf(s, "\"match\":\"%s\",\"actions\":\"%s\"", match, action);
    unsigned port;
    if (in_out == 0 && sscanf(match, "inport == \\\"lp%u\\\"", &port) == 1 && !strchr(match, '|') && strstr(s->s, "ingress")) {
        str_printf(s, ",\"tags\":[\"map\",[[\"in_out_port\",\"lp%u\"]]]", port);
    } else {
        str_puts(s, ",\"tags\":[\"map\",[]]");
    }
}

static void
put_iface(struct model *m, struct str *s, int n)
{
    str_printf(s, "\"name\":\"i%d\",", n);
    if (n < N_IFACES) {
        str_printf(s, "\"type\":\"\",\"external_ids\":[\"map\",[[\"iface-id\",\"lp%u\"]]],", rnd(m, N_PORTS));
    } else {
        str_printf(s, "\"type\":\"%s\",\"options\":[\"map\",[[\"remote_ip\",\"172.31.0.%d\"]]],", rnd(m, 4) ? "geneve" : "vxlan", n - N_IFACES + 1);
    }
    str_printf(s, "\"ofport\":%d", rnd(m, 8) ? n + 1 : -1);
}

static char *
make_row(struct model *m, const struct slot *slot)
{
    struct str s = STR_INIT;
    int n = slot->n;

    str_putc(&s, '{');
    switch (slot->kind) {
    case CHASSIS:
        str_printf(&s, "\"name\":\"hv%d\",\"encaps\":" REF, n, ENCAP + 1, n);
        break;
    case ENCAP:
        str_printf(&s, "\"type\":\"%s\",\"ip\":\"172.31.0.%d\",\"chassis_name\":\"hv%d\"", rnd(m, 4) ? "geneve" : "vxlan", n, n);
        break;
    case DP:
        str_printf(&s, "\"tunnel_key\":%u,\"external_ids\":[\"map\",[[\"logical-%s\",\"x\"]]]", 1 + n + N_DPS * rnd(m, 3),
                   rnd(m, 6) ? "switch" : "router");
        break;
    case PORT:
        put_port(m, &s, n);
        break;
    case MCAST:
        str_printf(&s, "\"datapath\":" REF ",\"name\":\"%s\",\"tunnel_key\":%u,", DP + 1, n / 2, n % 2 ? "_MC_unknown" : "_MC_flood",
                   32768 + (rnd(m, 8) ? n % 2 : rnd(m, 20)));
        put_refs(m, &s, "ports", PORT, N_PORTS, 40);
        break;
    case GROUP:
        put_refs(m, &s, "datapaths", DP, N_DPS, 60);
        break;
    case LFLOW:
        put_lflow(m, &s, n);
        break;
    case FDB:
        str_printf(&s, "\"mac\":\"0a:00:00:00:00:%02x\",\"dp_key\":%u,\"port_key\":%u", n, 1 + rnd(m, N_DPS), 1 + rnd(m, 20));
        break;
    case ADDRESS_SET:
        str_printf(&s, "\"name\":\"as1\",\"addresses\":[\"set\",[\"10.0.0.%u\",\"10.0.%u.0/24\",\"fd00::1\",\"bad\"", rnd(m, 9), rnd(m, 9));
        for (unsigned i = rnd(m, 3) * 30; i > 0; i--) {        /* More than a bucket has. */
            str_printf(&s, ",\"10.1.%u.%u\"", i, rnd(m, 3));
        }
        str_puts(&s, "]]");
        break;
    case PORT_GROUP:
        str_printf(&s, "\"name\":\"%d_pg1\",\"ports\":[\"set\",[\"lp%u\",\"lp%u\"]]", n + 1, rnd(m, 7), 7 + rnd(m, 7));
        break;
    case OPEN_VSWITCH:
        str_puts(&s, "\"external_ids\":[\"map\",[[\"ovn-encap-ip\",\"172.31.0.100\"],[\"ovn-encap-type\",\"geneve,vxlan\"],[\"system-id\",\"hv0\"]]]");
        break;
    case BRIDGE:
        str_puts(&s, "\"name\":\"br-int\",\"external_ids\":[\"map\",[");
        for (int i = 0; i < N_PORTS; i++) {
            str_printf(&s, "%s[\"ct-zone-lp%d\",\"%d\"]", i ? "," : "", i, i + 1);
        }
        str_puts(&s, "]],");
        put_refs(m, &s, "ports", OVS_PORT, N_IFACES + N_TUNNELS, 100);
        break;
    case OVS_PORT:
        str_printf(&s, "\"name\":\"p%d\",\"interfaces\":" REF, n, OVS_IFACE + 1, n);
        if (n >= N_IFACES) {
            str_printf(&s, ",\"external_ids\":[\"map\",[[\"ovn-chassis-id\",\"hv%d@172.31.0.%d\"]]]", n - N_IFACES + 1, n - N_IFACES + 1);
        }
        break;
    default:
        put_iface(m, &s, n);
    }
    if (s.s[s.len - 1] == ',') {
        str_truncate(&s, s.len - 1);
    }
    str_putc(&s, '}');
    return str_steal(&s);
}

static void
add_slots(struct model *m, int kind, const char *table, bool ovs, int n)
{
    for (int i = 0; i < n; i++) {
        GROW(m->slots, m->cap, m->n + 1);
        m->slots[m->n++] = (struct slot) { .table = table, .ovs = ovs, .kind = kind, .n = i };
    }
}

static void
model_init(struct model *m, uint64_t seed)
{
    *m = (struct model) { .seed = seed * 0x9e3779b97f4a7c15u };
    add_slots(m, OPEN_VSWITCH, "Open_vSwitch", true, 1);
    add_slots(m, BRIDGE, "Bridge", true, 1);
    add_slots(m, CHASSIS, "Chassis", false, N_CHASSIS);
    add_slots(m, ENCAP, "Encap", false, N_CHASSIS);
    add_slots(m, DP, "Datapath_Binding", false, N_DPS);
    add_slots(m, PORT, "Port_Binding", false, N_PORTS);
    add_slots(m, MCAST, "Multicast_Group", false, N_MCASTS);
    add_slots(m, GROUP, "Logical_DP_Group", false, N_GROUPS);
    add_slots(m, LFLOW, "Logical_Flow", false, N_LFLOWS);
    add_slots(m, FDB, "FDB", false, N_FDBS);
    add_slots(m, ADDRESS_SET, "Address_Set", false, 1);
    add_slots(m, PORT_GROUP, "Port_Group", false, N_DPS);
    add_slots(m, OVS_PORT, "Port", true, N_IFACES + N_TUNNELS);
    add_slots(m, OVS_IFACE, "Interface", true, N_IFACES + N_TUNNELS);
}

static void
model_destroy(struct model *m)
{
    for (size_t i = 0; i < m->n; i++) {
        free(m->slots[i].row);
    }
    free(m->slots);
}

static void
send_slot(struct testgraph *t, const struct slot *slot)
{
    struct str s = STR_INIT;

    str_printf(&s, "{\"%s\":{\"" U "\":{%s%s}}}", slot->table, slot->kind + 1, slot->n, slot->row ? "\"new\":" : "\"old\":{}",
               slot->row ? slot->row : "");
    testgraph_apply(slot->ovs ? t->c->ovs : t->c->sb, s.s);
    str_free(&s);
}

/* Changes one row, and the replica with it. */
static void
change(struct model *m, struct testgraph *t)
{
    struct slot *slot = &m->slots[rnd(m, m->n)];
    bool constant = slot->kind == OPEN_VSWITCH || slot->kind == BRIDGE;
    char *old = slot->row;

    slot->row = rnd(m, 12) || constant ? make_row(m, slot) : NULL;
    if (old || slot->row) {
        send_slot(t, slot);
    }
    free(old);
}

/* ---- comparing flow tables ---- */

static int
compare_lines(const void *a, const void *b)
{
    return strcmp(*(char *const *) a, *(char *const *) b);
}

struct lines {
    char **v;
    size_t n, cap;
};

static void
add_line(struct lines *l, const char *line, const char *from, size_t from_len, uint32_t dp_key)
{
    struct str s = STR_INIT;

    if (from) {
        str_put(&s, line, from - line);
        str_printf(&s, "metadata=0x%" PRIx32 "/0xffffff", dp_key);
        str_puts(&s, from + from_len);
    } else {
        str_puts(&s, line);
    }
    GROW(l->v, l->cap, l->n + 1);
    l->v[l->n++] = str_steal(&s);
}

/* The flow table without what depends on history; *tagged counts the flows that had a set tag. */
static char *
canonical(struct testgraph *t, size_t *tagged)
{
    struct str all = STR_INIT, out = STR_INIT;
    struct lines lines = { NULL, 0, 0 };
    struct { uint32_t key; uint64_t tags; } dps[64];
    size_t n_dps = 0;

    of_flows_format(t->c->flows, &all);
    for (int pass = 0; pass < 2; pass++) {
        char *copy = xstrdup(str_c(&all)), *rest = copy, *line;
        while ((line = strsep(&rest, "\n"))) {
            const char *metadata = strstr(line, "metadata=0x"), *load = strstr(line, "actions=set_field:0x");
            uint64_t value = metadata ? strtoull(metadata + 11, NULL, 16) : 0;
            if (strstr(line, "table=1,")) {
                if (!pass) {
                    assert_non_null(load);
                    assert_true(n_dps < ARRAY_SIZE(dps));
                    dps[n_dps].key = value;
                    dps[n_dps++].tags = strtoull(load + 20, NULL, 16);
                }
            } else if (pass && value >> 24) {
                size_t len = strcspn(metadata, ", ");
                ++*tagged;
                for (size_t i = 0; i < n_dps; i++) {
                    if (dps[i].tags & value) {
                        add_line(&lines, line, metadata, len, dps[i].key);
                    }
                }
            } else if (pass && *line) {
                add_line(&lines, line, NULL, 0, 0);
            }
        }
        free(copy);
    }
    qsort(lines.v, lines.n, sizeof *lines.v, compare_lines);
    for (size_t i = 0; i < lines.n; i++) {
        if (!i || !str_eq(lines.v[i], lines.v[i - 1])) {
            str_printf(&out, "%s\n", lines.v[i]);
        }
    }
    for (size_t i = 0; i < lines.n; i++) {
        free(lines.v[i]);
    }
    free(lines.v);
    str_free(&all);
    return out.s ? str_steal(&out) : xstrdup("");
}

static void
show_difference(const char *a, const char *b)
{
    FILE *f = fopen("/tmp/graph_test.incremental", "w"), *g = fopen("/tmp/graph_test.scratch", "w");

    if (f && g) {
        fputs(a, f);
        fputs(b, g);
        fclose(f);
        fclose(g);
    }
    while (*a && *a == *b) {
        a++, b++;
    }
    fail_msg("incremental: ...%.300s\nfrom scratch: ...%.300s\n(see /tmp/graph_test.incremental and .scratch)", a, b);
}

static size_t conjunctive;             /* Flow tables with conjunctive matches. */

static void
check_scratch(struct model *m, struct testgraph *live, size_t *tagged, size_t *flows)
{
    struct testgraph scratch = testgraph_create();
    struct str differences = STR_INIT;
    size_t ignored = 0;

    /* In another order than they came in. */
    for (size_t i = m->n; i-- > 0;) {
        if (m->slots[i].row) {
            send_slot(&scratch, &m->slots[i]);
        }
    }
    incr_run(scratch.c->incr);
    char *a = canonical(live, tagged), *b = canonical(&scratch, &ignored);
    if (!str_eq(a, b)) {
        show_difference(a, b);
    }
    *flows += of_flows_count(live->c->flows);
    assert_true(!strstr(a, "conj_id=") || strstr(a, "conjunction("));
    conjunctive += strstr(a, "conj_id=") != NULL;
    if (incr_verify(live->c->incr, &differences)) {
        fail_msg("%s", str_c(&differences));
    }
    free(a);
    free(b);
    str_free(&differences);
    testgraph_destroy(&scratch);
}

static void
test_incremental_is_scratch(void **state)
{
    size_t tagged = 0, flows = 0;
    struct test_seeds seeds = test_seeds(60);

    for (uint64_t seed; test_seeds_next(&seeds, &seed); ) {
        struct testgraph live = testgraph_create();
        struct model m;
        model_init(&m, seed);
        for (size_t i = 0; i < m.n; i++) {
            m.slots[i].row = make_row(&m, &m.slots[i]);
            send_slot(&live, &m.slots[i]);
            if (!rnd(&m, 10)) {
                incr_run(live.c->incr);
            }
        }
        for (int round = 0; round < 40; round++) {
            for (unsigned i = 1 + rnd(&m, 12); i > 0; i--) {
                change(&m, &live);
            }
            incr_run(live.c->incr);
            ovsdb_collect(live.c->sb);
            ovsdb_collect(live.c->ovs);
            intern_collect();
            if (round % 5 == 4) {
                check_scratch(&m, &live, &tagged, &flows);
            }
        }
        testgraph_destroy(&live);
        model_destroy(&m);
    }
    /* The test looked at something. */
    assert_true(flows > 20000);
    assert_true(tagged > 1000);
    assert_true(conjunctive > 100);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_incremental_is_scratch),
    };

    free(log_set("off"));              /* Most of it is nonsense: warnings tell nothing. */
    return cmocka_run_group_tests(tests, NULL, NULL);
}

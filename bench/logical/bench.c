/* bench-logical [FILE [ROUNDS]] - the cost of the logical language (issue 4): logical flows a CPU second, from southbound text to encoded OpenFlow.
 *
 *   first        parse the match and the actions, resolve, encode match and actions
 *   seen before  the parsed match and actions are found by their text; resolve, encode
 *
 * FILE has lines of pipeline, table, priority, match, actions with tabs between them: bench/run makes one of the kube workload, as does bench/logical/dump. Without it: a made-up sample
 * of the same kinds. Prints the best of ROUNDS. */
#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/hash.h"
#include "base/intern.h"
#include "logical/action.h"
#include "openflow/action.h"

struct lflow {
    bool egress, has_sets;
    uint8_t table;
    const char *match, *actions;       /* Interned, as the replica holds them. */
};
static struct lflow *flows;
static size_t n_flows, cap_flows;

static bool
lookup_port(void *aux, const char *name, uint32_t *key)
{
    *key = 1 + hash_string(name, 0) % 32767;
    return true;
}

static bool
resident(void *aux, const char *name)
{
    return true;
}

static bool
group(void *aux, const struct action_group *g, uint32_t *id)
{
    *id = g->n;
    return true;
}

static bool
rate_meter(void *aux, uint32_t kbps, uint32_t burst, uint32_t *id)
{
    *id = kbps;
    return true;
}

/* The ports of a group that are on one datapath. */
static const struct expr_keys *
port_group(void *aux, const char *name)
{
    static const uint32_t keys[] = { 2, 3, 5, 8, 13, 21, 34, 55, 89, 144 };
    static const struct expr_keys all = { ARRAY_SIZE(keys), keys };
    return &all;
}

static const struct expr_env expr_env = { .lookup_port = lookup_port, .port_group = port_group, .is_chassis_resident = resident, .conjunctions = EXPR_CONJUNCTIONS_FEWER };
static struct action_env action_env = {
    .n_tables = 40, .ingress_table = 8, .egress_table = 62, .output_table = 52, .save_inport_table = 88, .is_switch = true,
    .tables = { 90, 91, 92, 93, 94, 95, 96, 97, 98, 99, 100, 101, 102, 103, 104, 105 },
    .lookup_port = lookup_port, .group = group, .rate_meter = rate_meter, .is_chassis_resident = resident,
};

/* Parsed texts, by the address of the interned text; never evicted. */
struct seen {
    const char *text;
    struct expr *expr;
    struct actions *actions;
};
static struct seen *seen_matches, *seen_actions;
static uint32_t seen_mask;

static struct seen *
find(struct seen *table, const char *text)
{
    for (uint32_t i = hash_pointer(text, 0);; i++) {
        struct seen *s = &table[i & seen_mask];
        if (s->text == text || !s->text) {
            s->text = text;
            return s;
        }
    }
}

static void
make_tables(void)
{
    while (seen_mask < 2 * n_flows) {
        seen_mask = 2 * seen_mask + 1;
    }
    seen_matches = xcalloc(seen_mask + 1, sizeof *seen_matches);
    seen_actions = xcalloc(seen_mask + 1, sizeof *seen_actions);
}

static void
check(char *error, const char *text)
{
    if (error) {
        fprintf(stderr, "%s: %s\n", text, error);
        exit(1);
    }
}

static size_t n_openflow;

static void
encode(const struct lflow *f, const struct expr *e, const struct actions *a, struct str *out)
{
    struct expr_matches m = EXPR_MATCHES_INIT;
    struct expr_templates t = EXPR_TEMPLATES_INIT;
    action_env.pipeline = f->egress;
    action_env.cur_ltable = f->table;
    /* As translate/ does it: addresses of sets are not a logical flow's business. */
    check(f->has_sets ? expr_resolve_split(e, actions_prereqs(a), &expr_env, &m, &t) : expr_resolve(e, actions_prereqs(a), &expr_env, &m), f->match);
    if (m.n || t.n) {
        str_clear(out);
        char *error = actions_encode(a, &action_env, out);
        free(error);                   /* DHCP: no options here. */
    }
    for (size_t i = 0; i < m.n; i++) {
        str_clear(out);
        of_match_put_oxm(&m.m[i].match, out);
    }
    n_openflow += m.n + t.n;
    expr_matches_destroy(&m);
    expr_templates_destroy(&t);
}

static void
add(bool egress, int table, const char *match, const char *actions)
{
    GROW(flows, cap_flows, n_flows + 1);
    flows[n_flows++] = (struct lflow) { egress, strchr(match, '$'), table, intern_str(match), intern_str(actions) };
}

static void
read_file(const char *name)
{
    FILE *f = fopen(name, "r");
    char *line = NULL;
    size_t cap = 0;
    check(f ? NULL : xstrdup("cannot be read"), name);
    while (getline(&line, &cap, f) > 0) {
        char *p = line, *field[5];
        for (int i = 0; i < 5; i++) {
            field[i] = strsep(&p, i < 4 ? "\t" : "\n");
            check(field[i] ? NULL : xstrdup("five fields are needed"), name);
        }
        add(field[0][0] == 'e', atoi(field[1]), field[3], field[4]);
    }
    free(line);
    fclose(f);
}

static void
make_up(void)
{
    for (int i = 0; i < 4000; i++) {
        int k = i / 8;
        char *match[] = {
            xasprintf("outport == \"lrp-%d\" && reg0 == 10.%d.%d.%d", k % 20, k >> 8, k & 255, i % 250),
            xasprintf("arp.tpa == 10.%d.%d.%d && arp.op == 1 && inport == \"pod-%d\"", k >> 8, k & 255, i % 250, i),
            xasprintf("arp.tpa == 10.%d.%d.7 && arp.op == 1", k >> 8, k & 255),
            xasprintf("eth.dst == 0a:00:00:00:%02x:%02x", k >> 8, k & 255),
            xasprintf("ct.new && ip4.dst == 172.30.%d.%d && tcp.dst == 80", k >> 8, k & 255),
            xasprintf("flags[1] == 0 && nd_ns && nd.target == fe80::%x", i),
            xasprintf("reg8[30..31] == 0 && reg0[8] == 1 && (inport == \"pod-%d\" && ip4.src == {10.0.%d.0/24, 10.1.%d.0/24} && tcp.dst == {80, 443})", i, k & 255, k & 255),
            xasprintf("nd_ns && ip6.dst == {fd00::%x, ff02::1:ff00:%x} && nd.target == fd00::%x", i, i & 255, i),
        };
        char *actions[] = {
            xasprintf("eth.dst = 0a:04:00:00:%02x:%02x; next;", k >> 8, k & 255),
            xasprintf("next;"),
            xasprintf("eth.dst = eth.src; eth.src = 0a:00:00:00:%02x:%02x; arp.op = 2; arp.tha = arp.sha; arp.sha = 0a:00:00:00:%02x:%02x; arp.tpa = arp.spa; "
                      "arp.spa = 10.%d.%d.7; outport = inport; flags.loopback = 1; output;", k >> 8, k & 255, k >> 8, k & 255, k >> 8, k & 255),
            xasprintf("outport = \"pod-%d\"; output;", i),
            xasprintf("reg0[1] = 0; ct_lb_mark(backends=10.0.%d.1:8080,10.0.%d.2:8080,10.0.%d.3:8080);", k & 255, k & 255, k & 255),
            xasprintf("clone {outport = \"stor-%d\"; output; }; outport = \"_MC_flood_l2\"; output;", i % 20),
            xasprintf("reg8[16] = 1; reg0[1] = 1; next;"),
            xasprintf("nd_na_router { eth.src = 0a:00:00:00:00:01; ip6.src = fd00::1; nd.target = fd00::1; nd.tll = 0a:00:00:00:00:01; outport = inport; flags.loopback = 1; output; };"),
        };
        add(false, i % 8, match[i % 8], actions[i % 8]);
        for (int j = 0; j < 8; j++) {
            free(match[j]);
            free(actions[j]);
        }
    }
}

static double
round_first(struct str *out)
{
    int64_t start = clock_cpu_usec();
    for (size_t i = 0; i < n_flows; i++) {
        struct expr *e;
        struct actions *a;
        check(expr_parse(flows[i].match, &e), flows[i].match);
        check(actions_parse(flows[i].actions, &a), flows[i].actions);
        encode(&flows[i], e, a, out);
        expr_unref(e);
        actions_unref(a);
    }
    return n_flows * 1e6 / MAX(clock_cpu_usec() - start, 1);
}

static double
round_seen(struct str *out)
{
    int64_t start = clock_cpu_usec();
    for (size_t i = 0; i < n_flows; i++) {
        struct seen *m = find(seen_matches, flows[i].match), *a = find(seen_actions, flows[i].actions);
        if (!m->expr) {
            check(expr_parse(flows[i].match, &m->expr), flows[i].match);
        }
        if (!a->actions) {
            check(actions_parse(flows[i].actions, &a->actions), flows[i].actions);
        }
        encode(&flows[i], m->expr, a->actions, out);
    }
    return n_flows * 1e6 / MAX(clock_cpu_usec() - start, 1);
}

int
main(int argc, char **argv)
{
    int rounds = argc > 2 ? MAX(atoi(argv[2]), 1) : 20;
    double first = 0, seen = 0;
    struct str out = STR_INIT;
    if (argc > 1) {
        read_file(argv[1]);
    } else {
        make_up();
    }
    make_tables();
    round_seen(&out);
    for (int i = 0; i < rounds; i++) {
        double rate = round_first(&out);
        first = MAX(first, rate);
        rate = round_seen(&out);
        seen = MAX(seen, rate);
    }
    printf("%zu logical flows, %zu OpenFlow flows\n", n_flows, n_openflow / (2 * rounds + 1));
    printf("first: %.0f logical flows/s\n", first);
    printf("seen before: %.0f logical flows/s\n", seen);
    str_free(&out);
    return 0;
}

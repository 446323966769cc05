/* policy.c - lr-policy-add, lr-policy-del, lr-policy-list. ovn-nbctl(8), "Logical Router Policy Commands".
 *
 * A policy is identified by its chain, priority and match. Policies without a chain come first; "jump" goes to a chain. */
#include "cli/nbctl/nbctl.h"

#include <limits.h>
#include <stdlib.h>

static const struct ovsdb_table_desc *const POLICY = &nb_table_logical_router_policy;

#define COL(C) OVSDB_COLUMN(NB_LOGICAL_ROUTER_POLICY_##C)
#define IDENTITY (COL(PRIORITY) | COL(MATCH) | COL(CHAIN))
#define LISTED (IDENTITY | COL(ACTION) | COL(NEXTHOP) | COL(NEXTHOPS) | COL(OPTIONS) | COL(JUMP_CHAIN) | COL(OUTPUT_PORT) \
                | COL(BFD_SESSIONS))

static const char *
chain_of(struct view_row *row)
{
    const char *chain = view_str(row, NB_LOGICAL_ROUTER_POLICY_CHAIN);
    return chain ? chain : "";
}

/* ---- lr-policy-add ---- */

/* The addresses of "A,B,C" in *hops, canonical. */
static const char *
parse_nexthops(struct ctl *c, const char *arg, const char ***hops, size_t *n)
{
    struct ip_addr first, ip;

    *hops = ARENA_NEW(&c->arena, const char *, strlen(arg) + 1);
    *n = 0;
    for (const char *p = arg; *p;) {
        size_t len = strcspn(p, ", ");
        if (len) {
            if (!noun_parse_ip(c, arena_strndup(&c->arena, p, len), &ip, &(*hops)[*n])) {
                return ctl_error(c, "bad next hop argument: %s", arg);
            }
            first = *n ? first : ip;
            if (first.v6 != ip.v6) {
                return ctl_error(c, "bad next hops argument, not in the same addr family : %s", arg);
            }
            (*n)++;
        }
        p += len + (p[len] != '\0');
    }
    return *n ? NULL : ctl_error(c, "bad next hop argument: %s", arg);
}

static const char *
add_needs(struct ctl *c)
{
    const char *port = ctl_option(c, "--output-port"), **hops;
    size_t n;

    noun_need(c, &noun_router, ctl_arg(c, 1), NB_LR(POLICIES) | NB_LR(PORTS));
    noun_expect(c, POLICY, LISTED);
    if (port) {
        noun_need(c, &noun_router_port, port, NB_LRP(NAME));
    }
    if (ctl_has(c, "--bfd")) {
        noun_expect(c, &nb_table_logical_router_port, NB_LRP(NAME) | NB_LRP(NETWORKS));
        if (ctl_arg(c, 5) && !parse_nexthops(c, ctl_arg(c, 5), &hops, &n)) {
            for (size_t i = 0; i < n; i++) {
                bfd_need(c, hops[i]);
            }
        }
    }
    return NULL;
}

/* KEY=VALUE arguments from FIRST on. */
static const char *
set_options(struct ctl *c, struct view_row *row, int first)
{
    for (int i = first; ctl_arg(c, i); i++) {
        const char *arg = ctl_arg(c, i), *eq = strchr(arg, '=');
        const char *key = eq ? arena_strndup(&c->arena, arg, eq - arg) : arg;
        if (!eq || !eq[1] || eq == arg) {
            return ctl_error(c, "No value specified for the option : %s", key);
        }
        noun_put(c, row, NB_LOGICAL_ROUTER_POLICY_OPTIONS, key, eq + 1);
    }
    return NULL;
}

/* The name of the port of LR that has a session with HOP, or else of that with the smallest network that has HOP; NULL: none. */
static const char *
port_towards(struct ctl *c, struct view_row *lr, const char *hop, const char **name)
{
    struct view_row **ports, **sessions;
    struct ip_addr ip, network;
    size_t n, n_sessions;
    int longest = -1;

    *name = NULL;
    TRY(noun_members(c, lr, NB_LOGICAL_ROUTER_PORTS, NB_LRP(NAME) | NB_LRP(NETWORKS), &ports, &n));
    view_sort_by_str(ports, n, NB_LOGICAL_ROUTER_PORT_NAME);
    sessions = view_find_str(&c->view, &nb_table_bfd, NB_BFD_DST_IP, hop, &n_sessions);
    for (size_t i = 0; i < n; i++) {
        for (size_t j = 0; j < n_sessions; j++) {
            if (str_eq(view_str(ports[i], NB_LOGICAL_ROUTER_PORT_NAME), view_str(sessions[j], NB_BFD_LOGICAL_PORT))) {
                *name = view_str(ports[i], NB_LOGICAL_ROUTER_PORT_NAME);
                return NULL;
            }
        }
    }
    for (size_t i = 0; i < n && noun_parse_ip(c, hop, &ip, NULL); i++) {
        const struct datum *networks = view_datum(ports[i], NB_LOGICAL_ROUTER_PORT_NETWORKS);
        for (size_t j = 0; j < networks->n; j++) {
            if (noun_network_has(networks->k[j].s, &ip) && ip_addr_from_str(networks->k[j].s, &network) && network.plen > longest) {
                *name = view_str(ports[i], NB_LOGICAL_ROUTER_PORT_NAME);
                longest = network.plen;
            }
        }
    }
    return NULL;
}

/* --bfd: a session a next hop. */
static const char *
set_sessions(struct ctl *c, struct view_row *lr, struct view_row *row, size_t n, const char *const hops[])
{
    const char *port = ctl_option(c, "--output-port"), *name;
    struct view_row *session;

    TRY(ctl_check_has(c, POLICY, &POLICY->columns[NB_LOGICAL_ROUTER_POLICY_BFD_SESSIONS]));
    for (size_t i = 0; i < n; i++) {
        TRY(port_towards(c, lr, hops[i], &name));
        TRY(bfd_find(c, port ? port : name, hops[i], &session));
        if (!session) {
            return ctl_error(c, "%s: no port of the router is in the network of this next hop; name it with --output-port", hops[i]);
        }
        view_add_ref(row, NB_LOGICAL_ROUTER_POLICY_BFD_SESSIONS, session);
    }
    return NULL;
}

/* The action and what follows it. */
static const char *
set_action(struct ctl *c, struct view_row *lr, struct view_row *row)
{
    const char *action = ctl_arg(c, 4), *arg = ctl_arg(c, 5), *port = ctl_option(c, "--output-port"), **hops;
    struct view_row *out;
    size_t n = 0;

    if (!str_eq(action, "reroute") && (port || ctl_has(c, "--bfd"))) {
        return ctl_error(c, "%s: --bfd and --output-port go with action \"reroute\"", action);
    }
    view_set_str(row, NB_LOGICAL_ROUTER_POLICY_ACTION, action);
    if (str_eq(action, "jump")) {
        if (!arg || strchr(arg, '=')) {
            return ctl_error(c, "Chain is required when action is jump.");
        }
        TRY(ctl_check_has(c, POLICY, &POLICY->columns[NB_LOGICAL_ROUTER_POLICY_JUMP_CHAIN]));
        view_set_str(row, NB_LOGICAL_ROUTER_POLICY_JUMP_CHAIN, arg);
        return set_options(c, row, 6);
    }
    if (!str_eq(action, "reroute")) {
        return set_options(c, row, 5);
    }
    if (!arg) {
        return ctl_error(c, "Nexthop is required when action is reroute.");
    }
    TRY(parse_nexthops(c, arg, &hops, &n));
    view_set(row, NB_LOGICAL_ROUTER_POLICY_NEXTHOPS, datum_of_strs(&c->arena, n, hops));
    if (port) {
        TRY(ctl_check_has(c, POLICY, &POLICY->columns[NB_LOGICAL_ROUTER_POLICY_OUTPUT_PORT]));
        if (n > 1) {
            return ctl_error(c, "--output-port goes with one next hop");
        }
        TRY(noun_find(c, &noun_router_port, port, true, &out));
        if (datum_find(view_datum(lr, NB_LOGICAL_ROUTER_PORTS), &(union datum_atom) { .u = out->uuid }, OVSDB_UUID) == SIZE_MAX) {
            return ctl_error(c, "%s is not a router port of logical router: %s.", port, ctl_arg(c, 1));
        }
        noun_set_ref(c, row, NB_LOGICAL_ROUTER_POLICY_OUTPUT_PORT, out);
    }
    if (ctl_has(c, "--bfd")) {
        TRY(set_sessions(c, lr, row, n, hops));
    }
    return set_options(c, row, 6);
}

static const char *
policy_add(struct ctl *c)
{
    static const char *const actions[] = { "allow", "drop", "reroute", "jump" };
    const char *match = ctl_arg(c, 3), *action = ctl_arg(c, 4), *chain = ctl_option(c, "--chain");
    struct view_row *lr, **rows;
    int64_t priority;
    size_t n, a = 0;

    TRY(noun_find(c, &noun_router, ctl_arg(c, 1), true, &lr));
    TRY(noun_parse_priority(c, ctl_arg(c, 2), &priority));
    while (a < ARRAY_SIZE(actions) && !str_eq(actions[a], action)) {
        a++;
    }
    if (a == ARRAY_SIZE(actions)) {
        return ctl_error(c, "%s: action must be one of \"allow\", \"drop\", \"reroute\", and \"jump\"", action);
    }
    TRY(noun_members(c, lr, NB_LOGICAL_ROUTER_POLICIES, LISTED, &rows, &n));
    for (size_t i = 0; i < n; i++) {
        if (view_int(rows[i], NB_LOGICAL_ROUTER_POLICY_PRIORITY, 0) == priority
            && str_eq(view_str(rows[i], NB_LOGICAL_ROUTER_POLICY_MATCH), match) && str_eq(chain_of(rows[i]), chain ? chain : "")) {
            return ctl_has(c, "--may-exist") ? NULL : ctl_error(c, "Same routing policy already existed on the logical router %s.",
                                                                ctl_arg(c, 1));
        }
    }
    view_verify(lr, NB_LOGICAL_ROUTER_POLICIES);
    struct view_row *row = view_insert(&c->view, POLICY, NULL);
    view_set(row, NB_LOGICAL_ROUTER_POLICY_PRIORITY, datum_of_int(&c->arena, priority));
    view_set_str(row, NB_LOGICAL_ROUTER_POLICY_MATCH, match);
    if (chain) {
        TRY(ctl_check_has(c, POLICY, &POLICY->columns[NB_LOGICAL_ROUTER_POLICY_CHAIN]));
        view_set_str(row, NB_LOGICAL_ROUTER_POLICY_CHAIN, chain);
    }
    TRY(set_action(c, lr, row));
    view_add_ref(lr, NB_LOGICAL_ROUTER_POLICIES, row);
    return NULL;
}

/* ---- lr-policy-del ---- */

static const char *
needs(struct ctl *c)
{
    noun_need(c, &noun_router, ctl_arg(c, 1), NB_LR(POLICIES));
    noun_expect(c, POLICY, LISTED);
    return NULL;
}

static const char *
policy_del(struct ctl *c)
{
    const char *match = ctl_arg(c, 3), *chain = ctl_option(c, "--chain");
    struct view_row *lr, **rows;
    int64_t priority = -1;
    struct uuid uuid;
    size_t n;

    TRY(noun_find(c, &noun_router, ctl_arg(c, 1), true, &lr));
    if (ctl_arg(c, 2) && noun_is_uuid(ctl_arg(c, 2), &uuid)) {
        const struct datum *refs = view_datum(lr, NB_LOGICAL_ROUTER_POLICIES);
        if (datum_find(refs, &(union datum_atom) { .u = uuid }, OVSDB_UUID) == SIZE_MAX) {
            return ctl_has(c, "--if-exists") ? NULL : ctl_error(c, "Logical router policy uuid is not found.");
        }
        TRY(noun_members(c, lr, NB_LOGICAL_ROUTER_POLICIES, LISTED, &rows, &n));
        for (size_t i = 0; i < n; i++) {
            if (uuid_equal(&rows[i]->uuid, &uuid) && (!match || str_eq(view_str(rows[i], NB_LOGICAL_ROUTER_POLICY_MATCH), match))) {
                view_remove_ref(lr, NB_LOGICAL_ROUTER_POLICIES, rows[i]);
            }
        }
        return NULL;
    }
    if (ctl_arg(c, 2)) {
        TRY(noun_parse_priority(c, ctl_arg(c, 2), &priority));
    }
    TRY(noun_members(c, lr, NB_LOGICAL_ROUTER_POLICIES, LISTED, &rows, &n));
    for (size_t i = 0; i < n; i++) {
        if ((priority < 0 || view_int(rows[i], NB_LOGICAL_ROUTER_POLICY_PRIORITY, 0) == priority)
            && (!match || str_eq(view_str(rows[i], NB_LOGICAL_ROUTER_POLICY_MATCH), match))
            && (!chain || str_eq(chain_of(rows[i]), chain))) {
            view_remove_ref(lr, NB_LOGICAL_ROUTER_POLICIES, rows[i]);
        }
    }
    return NULL;
}

/* ---- lr-policy-list ---- */

static int
compare_policies(const void *a_, const void *b_)
{
    struct view_row *a = *(struct view_row *const *) a_, *b = *(struct view_row *const *) b_;
    int64_t pa = view_int(a, NB_LOGICAL_ROUTER_POLICY_PRIORITY, 0), pb = view_int(b, NB_LOGICAL_ROUTER_POLICY_PRIORITY, 0);
    int cmp = strcmp(chain_of(a), chain_of(b));

    if (cmp || pa != pb) {
        return cmp ? cmp : pa > pb ? -1 : 1;
    }
    cmp = strcmp(view_str(a, NB_LOGICAL_ROUTER_POLICY_MATCH), view_str(b, NB_LOGICAL_ROUTER_POLICY_MATCH));
    return cmp ? cmp : uuid_compare(&a->uuid, &b->uuid);
}

static void
print_policy(struct ctl *c, struct view_row *row)
{
    const char *action = view_str(row, NB_LOGICAL_ROUTER_POLICY_ACTION), *jump = view_str(row, NB_LOGICAL_ROUTER_POLICY_JUMP_CHAIN);
    const char *nexthop = view_str(row, NB_LOGICAL_ROUTER_POLICY_NEXTHOP);
    const struct datum *hops = view_datum(row, NB_LOGICAL_ROUTER_POLICY_NEXTHOPS);
    const struct datum *options = view_datum(row, NB_LOGICAL_ROUTER_POLICY_OPTIONS);

    ctl_print(c, "%10lld %50s %15s", (long long) view_int(row, NB_LOGICAL_ROUTER_POLICY_PRIORITY, 0),
              view_str(row, NB_LOGICAL_ROUTER_POLICY_MATCH), action);
    for (size_t i = 0; i < hops->n; i++) {
        ctl_print(c, i ? ", %s" : " %25s", hops->k[i].s);
    }
    if (!hops->n && nexthop && *nexthop) {
        ctl_print(c, " %25s", nexthop);
    }
    if (jump) {
        ctl_print(c, " %25s", jump);
    }
    for (size_t i = 0; i < options->n; i++) {
        ctl_print(c, "%s%s=%s", i ? "," : "               ", options->k[i].s, options->v[i].s);
    }
    ctl_print(c, "%s\n", view_datum(row, NB_LOGICAL_ROUTER_POLICY_BFD_SESSIONS)->n ? " bfd" : "");
}

static const char *
policy_list(struct ctl *c)
{
    const char *chain = ctl_option(c, "--chain"), *last = NULL;
    struct view_row *lr, **rows;
    size_t n;

    TRY(noun_find(c, &noun_router, ctl_arg(c, 1), true, &lr));
    TRY(noun_members(c, lr, NB_LOGICAL_ROUTER_POLICIES, LISTED, &rows, &n));
    qsort(rows, n, sizeof *rows, compare_policies);
    for (size_t i = 0; i < n; i++) {
        const char *its = chain_of(rows[i]);
        if (chain && !str_eq(its, chain)) {
            continue;
        }
        if (!last || !str_eq(last, its)) {
            ctl_print(c, *its ? "%sRouting Policies of chain %s\n" : "%sRouting Policies\n", last ? "\n" : "", its);
        }
        last = its;
        print_policy(c, rows[i]);
    }
    return NULL;
}

static const struct ctl_command commands[] = {
    { "lr-policy-add", "--may-exist --bfd --chain=CHAIN --output-port=PORT",
      "ROUTER PRIORITY MATCH ACTION [NEXTHOP[,NEXTHOP]... | CHAIN] [KEY=VALUE]...", 4, INT_MAX,
      "add a policy to ROUTER: ACTION is allow, drop,\nreroute (to NEXTHOPs) or jump (to CHAIN)", add_needs, policy_add, CTL_WRITES },
    { "lr-policy-del", "--if-exists --chain=CHAIN", "ROUTER [{PRIORITY | UUID} [MATCH]]", 1, 3, "remove policies from ROUTER", needs,
      policy_del, CTL_WRITES },
    { "lr-policy-list", "--chain=CHAIN", "ROUTER", 1, 1, "print the policies of ROUTER", needs, policy_list, 0 },
    { NULL },
};
const struct ctl_group nbctl_policy_group = { "Policy commands", commands };

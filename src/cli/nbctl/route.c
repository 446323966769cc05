/* route.c - lr-route-add, lr-route-del, lr-route-list; BFD sessions of next hops. ovn-nbctl(8), "Logical Router Static Route Commands".
 *
 * A route is identified by its table, prefix and policy; with --ecmp several may share these and differ in the next hop. */
#include "cli/nbctl/nbctl.h"

#include <stdlib.h>

static const struct ovsdb_table_desc *const ROUTE = &nb_table_logical_router_static_route, *const BFD = &nb_table_bfd;

#define COL(C) OVSDB_COLUMN(NB_LOGICAL_ROUTER_STATIC_ROUTE_##C)
#define LISTED (COL(ROUTE_TABLE) | COL(IP_PREFIX) | COL(POLICY) | COL(NEXTHOP) | COL(OUTPUT_PORT) | COL(BFD) | COL(OPTIONS))

/* A row, understood. */
struct route {
    struct view_row *row;
    struct ip_addr prefix;
    bool valid, src;                   /* The prefix is one; policy src-ip. */
    const char *table, *nexthop, *port;
};

/* ---- BFD ---- */

void
bfd_need(struct ctl *c, const char *dst)
{
    ctl_need_str(c, BFD, OVSDB_COLUMN(NB_BFD_LOGICAL_PORT) | OVSDB_COLUMN(NB_BFD_DST_IP), NB_BFD_DST_IP, dst);
}

const char *
bfd_find(struct ctl *c, const char *port, const char *dst, struct view_row **row)
{
    size_t n;
    struct view_row **rows = view_find_str(&c->view, BFD, NB_BFD_DST_IP, dst, &n);

    *row = NULL;
    for (size_t i = 0; i < n && !*row; i++) {
        *row = !port || str_eq(view_str(rows[i], NB_BFD_LOGICAL_PORT), port) ? rows[i] : NULL;
    }
    if (!*row && port) {
        *row = view_insert(&c->view, BFD, NULL);
        view_set_str(*row, NB_BFD_LOGICAL_PORT, port);
        view_set_str(*row, NB_BFD_DST_IP, dst);
    }
    return NULL;
}

/* --bfd, --bfd=UUID. *row NULL: not asked for. */
static const char *
find_session(struct ctl *c, const char *port, const char *nexthop, struct view_row **row)
{
    const char *id = ctl_option(c, "--bfd");
    struct uuid uuid;

    *row = NULL;
    if (!ctl_has(c, "--bfd")) {
        return NULL;
    }
    if (id) {
        *row = noun_is_uuid(id, &uuid) ? view_get(&c->view, BFD, &uuid) : NULL;
        return *row ? NULL : ctl_error(c, "no entry found in the BFD table");
    }
    TRY(bfd_find(c, port, nexthop, row));
    return *row ? NULL : ctl_error(c, "insert entry in the BFD table failed");
}

/* ---- reading ---- */

static const char *
read_routes(struct ctl *c, struct view_row *lr, struct route **routes, size_t *n)
{
    struct view_row **rows;

    TRY(noun_members(c, lr, NB_LOGICAL_ROUTER_STATIC_ROUTES, LISTED, &rows, n));
    *routes = ARENA_NEW(&c->arena, struct route, *n);
    for (size_t i = 0; i < *n; i++) {
        struct route *r = &(*routes)[i];
        const char *policy = view_str(rows[i], NB_LOGICAL_ROUTER_STATIC_ROUTE_POLICY);
        r->row = rows[i];
        r->valid = noun_parse_network(c, view_str(rows[i], NB_LOGICAL_ROUTER_STATIC_ROUTE_IP_PREFIX), &r->prefix, NULL);
        r->src = policy && str_eq(policy, "src-ip");
        r->table = view_str(rows[i], NB_LOGICAL_ROUTER_STATIC_ROUTE_ROUTE_TABLE);
        r->nexthop = view_str(rows[i], NB_LOGICAL_ROUTER_STATIC_ROUTE_NEXTHOP);
        r->port = view_str(rows[i], NB_LOGICAL_ROUTER_STATIC_ROUTE_OUTPUT_PORT);
    }
    return NULL;
}

static bool
same_prefix(const struct ip_addr *a, const struct ip_addr *b)
{
    return a->v6 == b->v6 && a->plen == b->plen && ip_addr_equal(a, b);
}

/* --policy: *given NULL if there is none. */
static const char *
parse_policy(struct ctl *c, const char **given)
{
    *given = ctl_option(c, "--policy");
    return !*given || str_eq(*given, "src-ip") || str_eq(*given, "dst-ip") ? NULL : ctl_error(c, "bad policy: %s", *given);
}

/* A next hop: an address or "discard". */
static bool
parse_nexthop(struct ctl *c, const char *text, struct ip_addr *ip, const char **canonical)
{
    *canonical = text;
    return str_eq(text, "discard") || noun_parse_ip(c, text, ip, canonical);
}

/* ---- lr-route-add ---- */

static const char *
add_needs(struct ctl *c)
{
    const char *id = ctl_option(c, "--bfd"), *nexthop;
    struct ip_addr ip;
    struct uuid uuid;

    noun_need(c, &noun_router, ctl_arg(c, 1), NB_LR(STATIC_ROUTES));
    noun_expect(c, ROUTE, LISTED);
    if (ctl_arg(c, 4)) {
        noun_need(c, &noun_router_port, ctl_arg(c, 4), NB_LRP(NAME));
    }
    if (id && noun_is_uuid(id, &uuid)) {
        ctl_need_uuid(c, BFD, 0, &uuid);
    } else if (ctl_has(c, "--bfd") && parse_nexthop(c, ctl_arg(c, 3), &ip, &nexthop)) {
        bfd_need(c, nexthop);
    }
    return NULL;
}

/* What lr-route-add was given. */
struct added {
    struct ip_addr prefix;
    const char *prefix_text, *nexthop, *policy, *table, *port;
    bool src, ecmp, symmetric, discard;
};

static const char *
parse_added(struct ctl *c, struct added *a)
{
    struct ip_addr ip = { .v6 = false };
    struct view_row *port;

    TRY(parse_policy(c, &a->policy));
    a->src = a->policy && str_eq(a->policy, "src-ip");
    a->table = ctl_option(c, "--route-table") ? ctl_option(c, "--route-table") : "";
    a->symmetric = ctl_has(c, "--ecmp-symmetric-reply");
    a->ecmp = a->symmetric || ctl_has(c, "--ecmp");
    if (!noun_parse_network(c, ctl_arg(c, 2), &a->prefix, &a->prefix_text)) {
        return ctl_error(c, "bad prefix argument: %s", ctl_arg(c, 2));
    }
    a->port = ctl_arg(c, 4);
    if (!parse_nexthop(c, ctl_arg(c, 3), &ip, &a->nexthop)) {
        return ctl_error(c, "bad %s nexthop argument: %s", a->prefix.v6 ? "IPv6" : "IPv4", ctl_arg(c, 3));
    }
    a->discard = str_eq(a->nexthop, "discard");
    if (a->discard) {
        return a->ecmp ? ctl_error(c, "ecmp is not valid for discard routes.")
               : a->port ? ctl_error(c, "outport is not valid for discard routes.") : NULL;
    }
    if (a->prefix.v6 && !ip.v6) {      /* IPv4 through an IPv6 next hop is possible. */
        return ctl_error(c, "bad IPv6 nexthop argument: %s", ctl_arg(c, 3));
    }
    if (a->port) {
        TRY(noun_find(c, &noun_router_port, a->port, true, &port));
        a->port = view_str(port, NB_LOGICAL_ROUTER_PORT_NAME);
    }
    return NULL;
}

static void
write_route(struct ctl *c, struct view_row *row, const struct added *a, const struct view_row *session)
{
    view_set_str(row, NB_LOGICAL_ROUTER_STATIC_ROUTE_IP_PREFIX, a->prefix_text);
    view_set_str(row, NB_LOGICAL_ROUTER_STATIC_ROUTE_NEXTHOP, a->nexthop);
    if (a->port) {                     /* Else --may-exist lets a route keep its port. */
        view_set_str(row, NB_LOGICAL_ROUTER_STATIC_ROUTE_OUTPUT_PORT, a->port);
    } else if (a->discard) {
        noun_clear(row, NB_LOGICAL_ROUTER_STATIC_ROUTE_OUTPUT_PORT);
    }
    if (a->policy) {
        view_set_str(row, NB_LOGICAL_ROUTER_STATIC_ROUTE_POLICY, a->policy);
    }
    if (a->symmetric) {
        noun_put(c, row, NB_LOGICAL_ROUTER_STATIC_ROUTE_OPTIONS, "ecmp_symmetric_reply", "true");
    }
    if (ctl_has(c, "--override-connected")) {
        noun_put(c, row, NB_LOGICAL_ROUTER_STATIC_ROUTE_OPTIONS, "override-connected", "true");
    }
    if (session) {
        noun_set_ref(c, row, NB_LOGICAL_ROUTER_STATIC_ROUTE_BFD, session);
    }
}

static const char *
route_add(struct ctl *c)
{
    bool may_exist = ctl_has(c, "--may-exist");
    struct view_row *lr, *session, *first = NULL, *same = NULL;
    struct route *routes;
    struct added a = { .src = false };
    bool discards = false;
    size_t n;

    TRY(noun_find(c, &noun_router, ctl_arg(c, 1), true, &lr));
    TRY(parse_added(c, &a));
    TRY(read_routes(c, lr, &routes, &n));
    for (size_t i = 0; i < n; i++) {
        if (routes[i].valid && routes[i].src == a.src && str_eq(routes[i].table, a.table) && same_prefix(&routes[i].prefix, &a.prefix)) {
            first = first ? first : routes[i].row;
            same = str_eq(routes[i].nexthop, a.nexthop) ? routes[i].row : same;
            discards |= str_eq(routes[i].nexthop, "discard");
        }
    }
    if (first && !a.ecmp && !may_exist) {
        return ctl_error(c, "duplicate prefix: %s (policy: %s). Use option --ecmp to allow this for ECMP routing.", a.prefix_text,
                         a.src ? "src-ip" : "dst-ip");
    }
    if (same && a.ecmp && !may_exist) {
        return ctl_error(c, "duplicate nexthop for the same ECMP route");
    }
    if (discards && a.ecmp) {
        return ctl_error(c, "discard nexthop for the same ECMP route exists.");
    }
    if (same && a.ecmp) {
        return NULL;                   /* One of the routes that share the prefix is this already. */
    }
    TRY(find_session(c, a.port, a.nexthop, &session));
    struct view_row *row = same || a.ecmp ? same : first;
    if (!row) {
        view_verify(lr, NB_LOGICAL_ROUTER_STATIC_ROUTES);
        row = view_insert(&c->view, ROUTE, NULL);
        view_add_ref(lr, NB_LOGICAL_ROUTER_STATIC_ROUTES, row);
        if (*a.table) {
            view_set_str(row, NB_LOGICAL_ROUTER_STATIC_ROUTE_ROUTE_TABLE, a.table);
        }
    }
    write_route(c, row, &a, session);
    return NULL;
}

/* ---- lr-route-del ---- */

/* ROUTE is going: its BFD session, too, unless others use it. */
static const char *
del_session(struct ctl *c, struct view_row *route)
{
    const struct ovsdb_table_desc *policies = &nb_table_logical_router_policy;
    const struct datum *ref = view_datum(route, NB_LOGICAL_ROUTER_STATIC_ROUTE_BFD);
    const uint16_t column = NB_LOGICAL_ROUTER_STATIC_ROUTE_BFD, sessions = NB_LOGICAL_ROUTER_POLICY_BFD_SESSIONS;

    if (!ref->n) {
        return NULL;
    }
    bool has_policies = !ctl_check_has(c, policies, &policies->columns[sessions]);
    struct view_row *session = view_get(&c->view, BFD, &ref->k[0].u);
    if (!session || session->base) {   /* Of one that this line makes, nothing is in the database. */
        bool ready = ctl_need_uuid(c, BFD, 0, &ref->k[0].u);
        ready &= ctl_need_referrer(c, ROUTE, OVSDB_COLUMN(column), column, &ref->k[0].u);
        ready &= !has_policies || ctl_need_referrer(c, policies, OVSDB_COLUMN(sessions), sessions, &ref->k[0].u);
        if (!ready) {
            return CTL_AGAIN;
        }
        session = view_get(&c->view, BFD, &ref->k[0].u);
    }
    view_delete(route);
    if (session && !view_referrer(&c->view, ROUTE, column, &session->uuid)
        && (!has_policies || !view_referrer(&c->view, policies, sessions, &session->uuid))) {
        view_delete(session);
    }
    return NULL;
}

static const char *
del_needs(struct ctl *c)
{
    noun_need(c, &noun_router, ctl_arg(c, 1), NB_LR(STATIC_ROUTES));
    noun_expect(c, ROUTE, LISTED);
    noun_expect(c, BFD, 0);
    return NULL;
}

static const char *
route_del(struct ctl *c)
{
    const char *policy, *table = ctl_option(c, "--route-table"), *prefix_text = NULL, *nexthop = NULL, *port = ctl_arg(c, 4);
    struct ip_addr prefix, ip;
    struct view_row *lr;
    struct route *routes;
    size_t n, gone = 0;

    TRY(noun_find(c, &noun_router, ctl_arg(c, 1), true, &lr));
    TRY(parse_policy(c, &policy));
    if (ctl_arg(c, 2) && !noun_parse_network(c, ctl_arg(c, 2), &prefix, &prefix_text)) {
        return ctl_error(c, "bad prefix argument: %s", ctl_arg(c, 2));
    }
    if (ctl_arg(c, 3) && !parse_nexthop(c, ctl_arg(c, 3), &ip, &nexthop)) {
        return ctl_error(c, "bad nexthop argument: %s", ctl_arg(c, 3));
    }
    table = table || (!prefix_text && !policy) ? table : "";
    TRY(read_routes(c, lr, &routes, &n));
    for (size_t i = 0; i < n; i++) {
        const struct route *r = &routes[i];
        if ((policy && r->src != str_eq(policy, "src-ip")) || (table && !str_eq(r->table, table))
            || (prefix_text && (!r->valid || !same_prefix(&r->prefix, &prefix))) || (nexthop && !str_eq(r->nexthop, nexthop))
            || (port && (!r->port || !str_eq(r->port, port)))) {
            continue;
        }
        view_remove_ref(lr, NB_LOGICAL_ROUTER_STATIC_ROUTES, r->row);
        if (prefix_text || policy) {
            TRY(del_session(c, r->row));
        }
        gone++;
    }
    if (!gone && !ctl_has(c, "--if-exists") && (prefix_text || policy || table)) {
        return ctl_error(c, "no matching route: policy '%s', prefix '%s', nexthop '%s', output_port '%s'.", policy ? policy : "any",
                         prefix_text ? prefix_text : "any", nexthop ? nexthop : "any", port ? port : "any");
    }
    return NULL;
}

/* ---- lr-route-list ---- */

static int
compare_routes(const void *a_, const void *b_)
{
    const struct route *a = a_, *b = b_;
    int cmp = a->prefix.v6 != b->prefix.v6 ? (a->prefix.v6 ? 1 : -1) : strcmp(a->table, b->table);

    if (cmp || a->prefix.plen != b->prefix.plen) {
        return cmp ? cmp : a->prefix.plen > b->prefix.plen ? -1 : 1;
    }
    if (a->src != b->src) {
        return a->src ? 1 : -1;
    }
    cmp = a->prefix.v6 ? memcmp(&a->prefix.v6_addr, &b->prefix.v6_addr, sizeof a->prefix.v6_addr)
                       : memcmp(&a->prefix.v4_addr, &b->prefix.v4_addr, sizeof a->prefix.v4_addr);
    cmp = cmp ? cmp : strcmp(a->nexthop, b->nexthop);
    return cmp ? cmp : uuid_compare(&a->row->uuid, &b->row->uuid);
}

static bool
is_ecmp(const struct route *a, const struct route *b)
{
    return a->src == b->src && str_eq(a->table, b->table) && same_prefix(&a->prefix, &b->prefix);
}

static void
print_route(struct ctl *c, const struct route *r, bool ecmp)
{
    const char *symmetric = view_map_str(r->row, NB_LOGICAL_ROUTER_STATIC_ROUTE_OPTIONS, "ecmp_symmetric_reply");
    const char *override = view_map_str(r->row, NB_LOGICAL_ROUTER_STATIC_ROUTE_OPTIONS, "override-connected");
    char buf[INET6_ADDRSTRLEN];
    const char *prefix = ip_addr_to_str(&r->prefix, buf);

    if (r->prefix.plen != (r->prefix.v6 ? 128 : 32)) {
        prefix = arena_printf(&c->arena, "%s/%d", buf, r->prefix.plen);
    }
    ctl_print(c, "%25s %25s %s", prefix, r->nexthop, r->src ? "src-ip" : "dst-ip");
    if (r->port) {
        ctl_print(c, " %s", r->port);
    }
    ctl_print(c, "%s%s%s%s\n", ecmp ? " ecmp" : "", symmetric && str_eq(symmetric, "true") ? " ecmp-symmetric-reply" : "",
              view_datum(r->row, NB_LOGICAL_ROUTER_STATIC_ROUTE_BFD)->n ? " bfd" : "",
              override && str_eq(override, "true") ? " override-connected" : "");
}

static const char *
route_list(struct ctl *c)
{
    const char *table = ctl_option(c, "--route-table");
    struct view_row *lr;
    struct route *routes;
    size_t n, kept = 0;

    TRY(noun_find(c, &noun_router, ctl_arg(c, 1), true, &lr));
    TRY(read_routes(c, lr, &routes, &n));
    for (size_t i = 0; i < n; i++) {
        if (routes[i].valid && (!table || str_eq(routes[i].table, table))) {
            routes[kept++] = routes[i];
        }
    }
    qsort(routes, kept, sizeof *routes, compare_routes);
    for (size_t i = 0; i < kept; i++) {
        const struct route *r = &routes[i], *before = i ? &routes[i - 1] : NULL;
        bool family = !before || before->prefix.v6 != r->prefix.v6;
        if (family || !str_eq(before->table, r->table)) {
            ctl_print(c, "%s", before ? "\n" : "");
            if (family) {
                ctl_print(c, "%s Routes\n", r->prefix.v6 ? "IPv6" : "IPv4");
            }
            ctl_print(c, "Route Table %s:\n", *r->table ? r->table : "<main>");
        }
        print_route(c, r, (before && is_ecmp(before, r)) || (i + 1 < kept && is_ecmp(r, &routes[i + 1])));
    }
    return NULL;
}

static const struct ctl_command commands[] = {
    { "lr-route-add", "--policy=POLICY --ecmp --ecmp-symmetric-reply --bfd[=UUID] --route-table=ROUTE_TABLE --override-connected --may-exist",
      "ROUTER PREFIX NEXTHOP [PORT]", 3, 4,
      "add a route to ROUTER: NEXTHOP is an address or \"discard\",\nPOLICY dst-ip or src-ip", add_needs, route_add, CTL_WRITES },
    { "lr-route-del", "--policy=POLICY --route-table=ROUTE_TABLE --if-exists", "ROUTER [PREFIX [NEXTHOP [PORT]]]", 1, 4,
      "remove routes from ROUTER", del_needs, route_del, CTL_WRITES },
    { "lr-route-list", "--route-table=ROUTE_TABLE", "ROUTER", 1, 1, "print the routes of ROUTER", del_needs, route_list, 0 },
    { NULL },
};
const struct ctl_group nbctl_route_group = { "Route commands", commands };

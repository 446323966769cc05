/* general.c - init, show, sync. ovn-nbctl(8), "General Commands", "Synchronization Commands". */
#include "cli/nbctl/nbctl.h"

#include <stdlib.h>

/* ---- init, sync ---- */

static const char *
init_needs(struct ctl *c)
{
    ctl_need_all(c, &nb_table_nb_global, 0);
    return NULL;
}

static const char *
init_run(struct ctl *c)
{
    ctl_singleton(c, &nb_table_nb_global);
    return NULL;
}

static const char *
sync_run(struct ctl *c)
{
    c->force_wait = true;
    return NULL;
}

/* ---- show ---- */

static const char *
show_needs(struct ctl *c)
{
    ctl_need_all(c, &nb_table_logical_switch, NB_LS(NAME) | NB_LS(PORTS) | NB_LS(EXTERNAL_IDS));
    ctl_need_all(c, &nb_table_logical_router, NB_LR(NAME) | NB_LR(PORTS) | NB_LR(NAT) | NB_LR(EXTERNAL_IDS));
    ctl_need_all(c, &nb_table_logical_switch_port,
                 NB_LSP(NAME) | NB_LSP(TYPE) | NB_LSP(OPTIONS) | NB_LSP(PARENT_NAME) | NB_LSP(TAG) | NB_LSP(ADDRESSES)
                     | NB_LSP(EXTERNAL_IDS));
    ctl_need_all(c, &nb_table_logical_router_port, NB_LRP(NAME) | NB_LRP(MAC) | NB_LRP(NETWORKS) | NB_LRP(GATEWAY_CHASSIS));
    ctl_need_all(c, &nb_table_gateway_chassis,
                 OVSDB_COLUMN(NB_GATEWAY_CHASSIS_CHASSIS_NAME) | OVSDB_COLUMN(NB_GATEWAY_CHASSIS_PRIORITY));
    ctl_need_all(c, &nb_table_nat,
                 OVSDB_COLUMN(NB_NAT_EXTERNAL_IP) | OVSDB_COLUMN(NB_NAT_LOGICAL_IP) | OVSDB_COLUMN(NB_NAT_TYPE)
                     | OVSDB_COLUMN(NB_NAT_EXTERNAL_PORT_RANGE));
    return NULL;
}

/* The rows of TO that the set REFS names. */
static struct view_row **
referred_rows(struct ctl *c, const struct ovsdb_table_desc *to, const struct datum *refs, size_t *n)
{
    struct view_row **rows = ARENA_NEW(&c->arena, struct view_row *, refs->n);

    *n = 0;
    for (size_t i = 0; i < refs->n; i++) {
        struct view_row *row = view_get(&c->view, to, &refs->k[i].u);
        if (row) {
            rows[(*n)++] = row;
        }
    }
    return rows;
}

/* " (aka NAME)" where the CMS keeps a name of its own. */
static void
print_alias(struct ctl *c, struct view_row *row, uint16_t external_ids, const char *key, const char *alternative)
{
    const char *alias = view_map_str(row, external_ids, key);

    if (!alias && alternative) {
        alias = view_map_str(row, external_ids, alternative);
    }
    ctl_print(c, alias && *alias ? " (aka %s)\n" : "\n", alias);
}

/* INDENT TITLE: ["a", "b"] */
static void
print_texts(struct ctl *c, const char *title, const struct datum *d)
{
    ctl_print(c, "        %s: [", title);
    for (size_t i = 0; i < d->n; i++) {
        ctl_print(c, "%s\"%s\"", i ? ", " : "", d->k[i].s);
    }
    ctl_print(c, "]\n");
}

/* The addresses, unless they are the router's. */
static void
show_addresses(struct ctl *c, struct view_row *port)
{
    const struct datum *addresses = view_datum(port, NB_LOGICAL_SWITCH_PORT_ADDRESSES);

    if (addresses->n && !(addresses->n == 1 && str_eq(addresses->k[0].s, "router"))) {
        print_texts(c, "addresses", addresses);
    }
}

static void
show_port(struct ctl *c, struct view_row *port)
{
    const char *type = view_str(port, NB_LOGICAL_SWITCH_PORT_TYPE), *parent = view_str(port, NB_LOGICAL_SWITCH_PORT_PARENT_NAME);
    const char *peer = view_map_str(port, NB_LOGICAL_SWITCH_PORT_OPTIONS, "router-port");
    int64_t tag = view_int(port, NB_LOGICAL_SWITCH_PORT_TAG, 0);

    ctl_print(c, "    port %s", view_str(port, NB_LOGICAL_SWITCH_PORT_NAME));
    print_alias(c, port, NB_LOGICAL_SWITCH_PORT_EXTERNAL_IDS, "neutron:port_name", NULL);
    if (*type) {
        ctl_print(c, "        type: %s\n", type);
    }
    if (parent) {
        ctl_print(c, "        parent: %s\n", parent);
    }
    if (tag) {
        ctl_print(c, "        tag: %lld\n", (long long) tag);
    }
    show_addresses(c, port);
    if (peer) {
        ctl_print(c, "        router-port: %s\n", peer);
    }
}

static void
show_switch(struct ctl *c, struct view_row *ls)
{
    size_t n;
    struct view_row **ports
        = referred_rows(c, &nb_table_logical_switch_port, view_datum(ls, NB_LOGICAL_SWITCH_PORTS), &n);

    ctl_print(c, "switch " UUID_FMT " (%s)", UUID_ARGS(&ls->uuid), view_str(ls, NB_LOGICAL_SWITCH_NAME));
    print_alias(c, ls, NB_LOGICAL_SWITCH_EXTERNAL_IDS, "neutron:network_name", NULL);
    view_sort_by_str(ports, n, NB_LOGICAL_SWITCH_PORT_NAME);
    for (size_t i = 0; i < n; i++) {
        show_port(c, ports[i]);
    }
}

static int
compare_gateways(const void *a_, const void *b_)
{
    struct view_row *a = *(struct view_row *const *) a_, *b = *(struct view_row *const *) b_;
    int64_t pa = view_int(a, NB_GATEWAY_CHASSIS_PRIORITY, 0), pb = view_int(b, NB_GATEWAY_CHASSIS_PRIORITY, 0);

    return pa != pb ? (pa > pb ? -1 : 1)
                    : strcmp(view_str(a, NB_GATEWAY_CHASSIS_CHASSIS_NAME), view_str(b, NB_GATEWAY_CHASSIS_CHASSIS_NAME));
}

static void
show_router_port(struct ctl *c, struct view_row *port)
{
    const struct datum *networks = view_datum(port, NB_LOGICAL_ROUTER_PORT_NETWORKS);
    size_t n;
    struct view_row **gateways
        = referred_rows(c, &nb_table_gateway_chassis, view_datum(port, NB_LOGICAL_ROUTER_PORT_GATEWAY_CHASSIS), &n);

    ctl_print(c, "    port %s\n        mac: \"%s\"\n", view_str(port, NB_LOGICAL_ROUTER_PORT_NAME),
              view_str(port, NB_LOGICAL_ROUTER_PORT_MAC));
    if (networks->n) {
        print_texts(c, "networks", networks);
    }
    if (n) {
        qsort(gateways, n, sizeof *gateways, compare_gateways);
        ctl_print(c, "        gateway chassis: [");
        for (size_t i = 0; i < n; i++) {
            ctl_print(c, "%s%s", i ? " " : "", view_str(gateways[i], NB_GATEWAY_CHASSIS_CHASSIS_NAME));
        }
        ctl_print(c, "]\n");
    }
}

static void
show_router(struct ctl *c, struct view_row *lr)
{
    size_t n;
    struct view_row **rows = referred_rows(c, &nb_table_logical_router_port, view_datum(lr, NB_LOGICAL_ROUTER_PORTS), &n);

    ctl_print(c, "router " UUID_FMT " (%s)", UUID_ARGS(&lr->uuid), view_str(lr, NB_LOGICAL_ROUTER_NAME));
    print_alias(c, lr, NB_LOGICAL_ROUTER_EXTERNAL_IDS, "neutron:router_name", NULL);
    view_sort_by_str(rows, n, NB_LOGICAL_ROUTER_PORT_NAME);
    for (size_t i = 0; i < n; i++) {
        show_router_port(c, rows[i]);
    }
    rows = referred_rows(c, &nb_table_nat, view_datum(lr, NB_LOGICAL_ROUTER_NAT), &n);
    for (size_t i = 0; i < n; i++) {
        const char *ports = view_str(rows[i], NB_NAT_EXTERNAL_PORT_RANGE);
        ctl_print(c, "    nat " UUID_FMT "\n        external ip: \"%s\"\n", UUID_ARGS(&rows[i]->uuid),
                  view_str(rows[i], NB_NAT_EXTERNAL_IP));
        if (ports && *ports) {
            ctl_print(c, "        external port(s): \"%s\"\n", ports);
        }
        ctl_print(c, "        logical ip: \"%s\"\n        type: \"%s\"\n", view_str(rows[i], NB_NAT_LOGICAL_IP),
                  view_str(rows[i], NB_NAT_TYPE));
    }
}

/* The one that ID names, if there is one; all (ID NULL), by name. */
static const char *
show_noun(struct ctl *c, const struct noun *noun, const char *id, void (*show)(struct ctl *, struct view_row *))
{
    struct view_row **rows, *row;
    size_t n;

    if (id) {
        TRY(noun_find(c, noun, id, false, &row));
        if (row) {
            show(c, row);
        }
        return NULL;
    }
    rows = view_rows(&c->view, noun->table, &n);
    view_sort_by_str(rows, n, noun->name);
    for (size_t i = 0; i < n; i++) {
        show(c, rows[i]);
    }
    return NULL;
}

static const char *
show_run(struct ctl *c)
{
    TRY(show_noun(c, &noun_switch, ctl_arg(c, 1), show_switch));
    return show_noun(c, &noun_router, ctl_arg(c, 1), show_router);
}

static const struct ctl_command commands[] = {
    { "init", NULL, "", 0, 0, "initialize the database, if it is empty", init_needs, init_run, CTL_WRITES },
    { "show", NULL, "[SWITCH | ROUTER]", 0, 1, "print an overview of the database, or of SWITCH or ROUTER", show_needs, show_run, 0 },
    { "sync", NULL, "", 0, 0, "wait (see --wait) even for earlier changes", NULL, sync_run, 0 },
    { NULL },
};
const struct ctl_group nbctl_general_group = { "General commands", commands };

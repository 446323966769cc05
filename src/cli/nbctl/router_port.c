/* router_port.c - lrp-add and all that is said of one logical router port. ovn-nbctl(8), "Logical Router Port Commands". */
#include "cli/nbctl/nbctl.h"

#include <limits.h>
#include <stdlib.h>
#include <strings.h>

static const struct ovsdb_table_desc *const LRP = &nb_table_logical_router_port, *const GW = &nb_table_gateway_chassis;

#define GW_COLUMNS (OVSDB_COLUMN(NB_GATEWAY_CHASSIS_NAME) | OVSDB_COLUMN(NB_GATEWAY_CHASSIS_CHASSIS_NAME) \
                    | OVSDB_COLUMN(NB_GATEWAY_CHASSIS_PRIORITY))

/* ---- lrp-add ---- */

static const char *
add_needs(struct ctl *c)
{
    noun_need(c, &noun_router, ctl_arg(c, 1), NB_LR(PORTS) | NB_LR(NAME));
    noun_need(c, &noun_router_port, ctl_arg(c, 2), NB_LRP(MAC) | NB_LRP(PEER) | NB_LRP(NETWORKS));
    return NULL;
}

/* --may-exist: PORT exists; is it what lrp-add would make? */
static const char *
check_existing(struct ctl *c, struct view_row *lr, struct view_row *port, struct eth_addr mac, const char *peer)
{
    const char *name = ctl_arg(c, 2), *its_mac = view_str(port, NB_LOGICAL_ROUTER_PORT_MAC);
    const char *its_peer = view_str(port, NB_LOGICAL_ROUTER_PORT_PEER);
    struct view_row *owner;
    struct eth_addr e;

    TRY(router_of_port(c, port, &owner));
    if (owner != lr) {
        const char *its_router = owner ? view_str(owner, NB_LOGICAL_ROUTER_NAME) : "";
        return !owner        ? ctl_error(c, "%s: port already exists but in no router", name)
               : *its_router ? ctl_error(c, "%s: port already exists but in router %s", name, its_router)
                             : ctl_error(c, "%s: port already exists but in router " UUID_FMT, name, UUID_ARGS(&owner->uuid));
    }
    if (!eth_addr_from_str(its_mac, &e) || memcmp(&e, &mac, sizeof e)) {
        return ctl_error(c, "%s: port already exists with mac %s", name, its_mac);
    }
    if (peer ? !its_peer || !str_eq(peer, its_peer) : its_peer != NULL) {
        return ctl_error(c, "%s: port already exists with mismatching peer", name);
    }
    return NULL;
}

/* Warns of an address of the N networks that another port of the router has: while one replaces another that is right, otherwise it rarely
 * is. Link-local addresses may be on any number. */
static const char *
check_addresses(struct ctl *c, struct view_row *lr, size_t n, const char *const networks[])
{
    struct view_row **ports;
    size_t n_ports;

    TRY(noun_members(c, lr, NB_LOGICAL_ROUTER_PORTS, NB_LRP(NETWORKS) | NB_LRP(NAME), &ports, &n_ports));
    for (size_t i = 0; i < n; i++) {
        struct ip_addr ip, other;
        if (!ip_addr_from_str(networks[i], &ip) || (ip.v6 && IN6_IS_ADDR_LINKLOCAL(&ip.v6_addr))) {
            continue;
        }
        for (size_t j = 0; j < n_ports; j++) {
            const struct datum *theirs = view_datum(ports[j], NB_LOGICAL_ROUTER_PORT_NETWORKS);
            for (size_t k = 0; k < theirs->n; k++) {
                if (ip_addr_from_str(theirs->k[k].s, &other) && ip_addr_equal(&ip, &other)) {
                    ctl_warn(c, "%s: port %s of the router already has the address of %s", ctl_arg(c, 2),
                             view_str(ports[j], NB_LOGICAL_ROUTER_PORT_NAME), networks[i]);
                }
            }
        }
    }
    return NULL;
}

static const char *
port_add(struct ctl *c)
{
    const char *name = ctl_arg(c, 2), *peer = NULL, **networks = ARENA_NEW(&c->arena, const char *, c->call->argc);
    struct view_row *lr, *port;
    struct eth_addr mac;
    size_t n = 0;
    int i = 4;

    TRY(noun_find(c, &noun_router, ctl_arg(c, 1), true, &lr));
    TRY(noun_find(c, &noun_router_port, name, false, &port));
    if (port && port->base) {
        struct view_row *owner;
        TRY(router_of_port(c, port, &owner));
        if (!owner) {
            view_delete(port);         /* It goes with its router, which this line has deleted. */
            port = NULL;
        }
    }
    if (port && !ctl_has(c, "--may-exist")) {
        return ctl_error(c, "%s: a port with this name already exists", name);
    }
    if (!eth_addr_from_str(ctl_arg(c, 3), &mac)) {
        return ctl_error(c, "%s: invalid mac address %s", name, ctl_arg(c, 3));
    }
    for (; ctl_arg(c, i) && !strchr(ctl_arg(c, i), '='); i++) {
        struct ip_addr ip;
        if (!ip_addr_from_str(ctl_arg(c, i), &ip)) {
            return ctl_error(c, "%s: invalid network address: %s", name, ctl_arg(c, i));
        }
        networks[n++] = ctl_arg(c, i);
    }
    for (int j = i; ctl_arg(c, j); j++) {
        TRY(database_set_one(c, LRP, NULL, ctl_arg(c, j)));
        peer = str_after(ctl_arg(c, j), "peer=") ? str_after(ctl_arg(c, j), "peer=") : peer;
    }
    if (port) {
        return check_existing(c, lr, port, mac, peer);
    }
    TRY(check_addresses(c, lr, n, networks));
    TRY(noun_insert(c, &noun_router_port, name, "a port", false, &port));
    view_set_str(port, NB_LOGICAL_ROUTER_PORT_MAC, ctl_arg(c, 3));
    view_set(port, NB_LOGICAL_ROUTER_PORT_NETWORKS, datum_of_strs(&c->arena, n, networks));
    for (; ctl_arg(c, i); i++) {
        TRY(database_set_one(c, LRP, port, ctl_arg(c, i)));
    }
    view_add_ref(lr, NB_LOGICAL_ROUTER_PORTS, port);
    return NULL;
}

/* ---- lrp-del, lrp-list ---- */

static const char *
del_needs(struct ctl *c)
{
    noun_need(c, &noun_router_port, ctl_arg(c, 1), 0);
    noun_expect(c, &nb_table_logical_router, NB_LR(NAME) | NB_LR(PORTS));
    return NULL;
}

static const char *
port_del(struct ctl *c)
{
    struct view_row *port, *lr;

    TRY(noun_find(c, &noun_router_port, ctl_arg(c, 1), !ctl_has(c, "--if-exists"), &port));
    if (!port) {
        return NULL;
    }
    TRY(router_of_port(c, port, &lr));
    if (!lr) {
        return ctl_error(c, "logical port %s is not part of any logical router", ctl_arg(c, 1));
    }
    view_remove_ref(lr, NB_LOGICAL_ROUTER_PORTS, port);
    view_delete(port);
    return NULL;
}

static const char *
list_needs(struct ctl *c)
{
    noun_need(c, &noun_router, ctl_arg(c, 1), NB_LR(PORTS));
    noun_expect(c, LRP, NB_LRP(NAME));
    return NULL;
}

static const char *
port_list(struct ctl *c)
{
    struct view_row *lr, **rows;
    size_t n;

    TRY(noun_find(c, &noun_router, ctl_arg(c, 1), true, &lr));
    TRY(noun_members(c, lr, NB_LOGICAL_ROUTER_PORTS, NB_LRP(NAME), &rows, &n));
    noun_print(c, rows, n, NB_LOGICAL_ROUTER_PORT_NAME);
    return NULL;
}

/* ---- one column ---- */

static const char *
needs_port(struct ctl *c)
{
    noun_need(c, &noun_router_port, ctl_arg(c, 1), NB_LRP(ENABLED) | NB_LRP(OPTIONS));
    return NULL;
}

static const char *
set_enabled(struct ctl *c)
{
    struct view_row *port;
    bool enabled;

    TRY(noun_find(c, &noun_router_port, ctl_arg(c, 1), true, &port));
    TRY(noun_parse_state(c, ctl_arg(c, 2), &enabled));
    view_set(port, NB_LOGICAL_ROUTER_PORT_ENABLED, datum_of_bool(&c->arena, enabled));
    return NULL;
}

static const char *
get_enabled(struct ctl *c)
{
    struct view_row *port;

    TRY(noun_find(c, &noun_router_port, ctl_arg(c, 1), true, &port));
    ctl_print(c, "%s\n", view_bool(port, NB_LOGICAL_ROUTER_PORT_ENABLED, true) ? "enabled" : "disabled");
    return NULL;
}

static const char *
set_options(struct ctl *c)
{
    struct view_row *port;
    struct datum d;

    TRY(noun_find(c, &noun_router_port, ctl_arg(c, 1), true, &port));
    TRY(noun_pairs(c, 2, "gateway_mtu=1500", &LRP->columns[NB_LOGICAL_ROUTER_PORT_OPTIONS], &d));
    view_set(port, NB_LOGICAL_ROUTER_PORT_OPTIONS, d);
    return NULL;
}

static const char *
set_redirect_type(struct ctl *c)
{
    const char *type = ctl_arg(c, 2);
    struct view_row *port;

    TRY(noun_find(c, &noun_router_port, ctl_arg(c, 1), true, &port));
    if (strcasecmp(type, "bridged") && strcasecmp(type, "overlay")) {
        return ctl_error(c, "Invalid redirect type: %s", type);
    }
    noun_put(c, port, NB_LOGICAL_ROUTER_PORT_OPTIONS, "redirect-type", type);
    return NULL;
}

static const char *
get_redirect_type(struct ctl *c)
{
    struct view_row *port;

    TRY(noun_find(c, &noun_router_port, ctl_arg(c, 1), true, &port));
    const char *type = view_map_str(port, NB_LOGICAL_ROUTER_PORT_OPTIONS, "redirect-type");
    ctl_print(c, "%s\n", type ? type : "overlay");
    return NULL;
}

/* ---- gateway chassis ---- */

static const char *
needs_gateways(struct ctl *c)
{
    noun_need(c, &noun_router_port, ctl_arg(c, 1), NB_LRP(NAME) | NB_LRP(GATEWAY_CHASSIS));
    noun_expect(c, GW, GW_COLUMNS);
    return NULL;
}

/* The port and its gateways; *gateway: that on CHASSIS, or NULL. */
static const char *
find_gateway(struct ctl *c, const char *chassis, struct view_row **port, struct view_row **gateway)
{
    struct view_row **rows;
    size_t n;

    *gateway = NULL;
    TRY(noun_find(c, &noun_router_port, ctl_arg(c, 1), true, port));
    TRY(noun_members(c, *port, NB_LOGICAL_ROUTER_PORT_GATEWAY_CHASSIS, GW_COLUMNS, &rows, &n));
    for (size_t i = 0; i < n; i++) {
        if (str_eq(view_str(rows[i], NB_GATEWAY_CHASSIS_CHASSIS_NAME), chassis)) {
            *gateway = rows[i];
        }
    }
    return NULL;
}

static const char *
set_gateway(struct ctl *c)
{
    const char *chassis = ctl_arg(c, 2);
    struct view_row *port, *gateway;
    int64_t priority = 0;

    if (ctl_arg(c, 3)) {
        TRY(noun_parse_priority(c, ctl_arg(c, 3), &priority));
    }
    TRY(find_gateway(c, chassis, &port, &gateway));
    if (!gateway) {
        gateway = view_insert(&c->view, GW, NULL);
        view_set_str(gateway, NB_GATEWAY_CHASSIS_NAME,
                     arena_printf(&c->arena, "%s-%s", view_str(port, NB_LOGICAL_ROUTER_PORT_NAME), chassis));
        view_set_str(gateway, NB_GATEWAY_CHASSIS_CHASSIS_NAME, chassis);
        view_verify(port, NB_LOGICAL_ROUTER_PORT_GATEWAY_CHASSIS);
        view_add_ref(port, NB_LOGICAL_ROUTER_PORT_GATEWAY_CHASSIS, gateway);
    }
    view_set(gateway, NB_GATEWAY_CHASSIS_PRIORITY, datum_of_int(&c->arena, priority));
    return NULL;
}

static const char *
del_gateway(struct ctl *c)
{
    struct view_row *port, *gateway;

    TRY(find_gateway(c, ctl_arg(c, 2), &port, &gateway));
    if (!gateway) {
        return ctl_error(c, "chassis %s is not added to logical port %s", ctl_arg(c, 2), ctl_arg(c, 1));
    }
    view_remove_ref(port, NB_LOGICAL_ROUTER_PORT_GATEWAY_CHASSIS, gateway);
    view_delete(gateway);
    return NULL;
}

static int
compare_gateways(const void *a_, const void *b_)
{
    struct view_row *a = *(struct view_row *const *) a_, *b = *(struct view_row *const *) b_;
    int64_t pa = view_int(a, NB_GATEWAY_CHASSIS_PRIORITY, 0), pb = view_int(b, NB_GATEWAY_CHASSIS_PRIORITY, 0);

    return pa != pb ? (pa > pb ? -1 : 1) : strcmp(view_str(a, NB_GATEWAY_CHASSIS_NAME), view_str(b, NB_GATEWAY_CHASSIS_NAME));
}

static const char *
get_gateways(struct ctl *c)
{
    struct view_row *port, **rows;
    size_t n;

    TRY(noun_find(c, &noun_router_port, ctl_arg(c, 1), true, &port));
    TRY(noun_members(c, port, NB_LOGICAL_ROUTER_PORT_GATEWAY_CHASSIS, GW_COLUMNS, &rows, &n));
    qsort(rows, n, sizeof *rows, compare_gateways);
    for (size_t i = 0; i < n; i++) {
        ctl_print(c, "%s %5lld\n", view_str(rows[i], NB_GATEWAY_CHASSIS_NAME),
                  (long long) view_int(rows[i], NB_GATEWAY_CHASSIS_PRIORITY, 0));
    }
    return NULL;
}

static const struct ctl_command commands[] = {
    { "lrp-add", "--may-exist", "ROUTER PORT MAC [NETWORK]... [COLUMN[:KEY]=VALUE]...", 3, INT_MAX,
      "add logical router port PORT on ROUTER, e.g.\nlrp-add lr0 lrp0 00:11:22:33:44:55 192.168.0.1/24 peer=lrp1", add_needs, port_add,
      CTL_WRITES },
    { "lrp-set-gateway-chassis", "--may-exist", "PORT CHASSIS [PRIORITY]", 2, 3, "let CHASSIS be a gateway of PORT", needs_gateways, set_gateway,
      CTL_WRITES },
    { "lrp-set-options", NULL, "PORT [KEY=VALUE]...", 1, INT_MAX, "set the options of PORT", needs_port, set_options, CTL_WRITES },
    { "lrp-del-gateway-chassis", NULL, "PORT CHASSIS", 2, 2, "and no longer", needs_gateways, del_gateway, CTL_WRITES },
    { "lrp-get-gateway-chassis", NULL, "PORT", 1, 1, "print the gateways of PORT, the highest priority first", needs_gateways,
      get_gateways, 0 },
    { "lrp-del", "--if-exists", "PORT", 1, 1, "delete PORT from its router", del_needs, port_del, CTL_WRITES },
    { "lrp-list", NULL, "ROUTER", 1, 1, "print the UUIDs and names of all ports on ROUTER", list_needs, port_list, 0 },
    { "lrp-set-enabled", NULL, "PORT STATE", 2, 2, "set the administrative state of PORT: enabled or disabled", needs_port,
      set_enabled, CTL_WRITES },
    { "lrp-get-enabled", NULL, "PORT", 1, 1, "print it", needs_port, get_enabled, 0 },
    { "lrp-set-redirect-type", NULL, "PORT TYPE", 2, 2, "how packets reach the gateway of PORT: overlay or bridged", needs_port,
      set_redirect_type, CTL_WRITES },
    { "lrp-get-redirect-type", NULL, "PORT", 1, 1, "print it", needs_port, get_redirect_type, 0 },
    { NULL },
};
const struct ctl_group nbctl_router_port_group = { "Logical router port commands", commands };

/* port_check.c - lsp-hc-*: checks of what answers at a logical switch port; ports of two types made in one step. */
#include "cli/nbctl/nbctl.h"

#include <stdlib.h>

static const struct ovsdb_table_desc *const HC = &nb_table_logical_switch_port_health_check;

#define COL(C) OVSDB_COLUMN(NB_LOGICAL_SWITCH_PORT_HEALTH_CHECK_##C)
#define LISTED (COL(PROTOCOL) | COL(SRC_IP) | COL(PORT) | COL(ADDRESS) | COL(STATUS))

static const char *
needs(struct ctl *c)
{
    noun_need(c, &noun_port, ctl_arg(c, 1), NB_LSP(HEALTH_CHECKS) | NB_LSP(ADDRESSES));
    noun_expect(c, HC, LISTED);
    return NULL;
}

/* The first IP address of PORT of FAMILY of SRC, "" if there is none: northd then waits for one. */
static const char *
address_of(struct ctl *c, struct view_row *port, const struct ip_addr *src)
{
    const struct datum *texts = view_datum(port, NB_LOGICAL_SWITCH_PORT_ADDRESSES);
    const char *found = "";

    for (size_t i = 0; i < texts->n && !*found; i++) {
        struct lport_addresses a;
        char *error = lport_addresses_parse(texts->k[i].s, &a), buf[INET6_ADDRSTRLEN];
        if (error) {
            free(error);
            continue;
        }
        for (size_t j = 0; j < a.n_ips && !*found; j++) {
            found = a.ips[j].v6 == src->v6 ? arena_strdup(&c->arena, ip_addr_to_str(&a.ips[j], buf)) : "";
        }
        lport_addresses_destroy(&a);
    }
    return found;
}

static const char *
check_add(struct ctl *c)
{
    const char *protocol = ctl_arg(c, 2), *src_text, *address;
    bool icmp = str_eq(protocol, "icmp");
    struct view_row *port, **rows;
    struct ip_addr src, ip;
    int64_t number = 0;
    size_t n;
    int next = 4;

    TRY(noun_find(c, &noun_port, ctl_arg(c, 1), true, &port));
    TRY(ctl_check_has(c, HC, NULL));
    if (!icmp && !str_eq(protocol, "tcp") && !str_eq(protocol, "udp")) {
        return ctl_error(c, "%s: protocol must be one of \"tcp\", \"udp\", or \"icmp\".", protocol);
    }
    if (!noun_parse_ip(c, ctl_arg(c, 3), &src, &src_text)) {
        return ctl_error(c, "%s: Not a valid IPv4 or IPv6 address.", ctl_arg(c, 3));
    }
    if (!icmp && (!ctl_arg(c, next) || !noun_parse_int(c, ctl_arg(c, next++), 1, 65535, &number))) {
        return ctl_error(c, "a %s check needs a port in the range 1...65535, e.g. lsp-hc-add p1 %s 10.0.0.1 80", protocol, protocol);
    }
    address = ctl_arg(c, next) ? ctl_arg(c, next) : address_of(c, port, &src);
    if (ctl_arg(c, next) && (!noun_parse_ip(c, ctl_arg(c, next), &ip, &address) || ip.v6 != src.v6 || ctl_arg(c, next + 1))) {
        return ctl_error(c, "%s: Not a valid %s address.", ctl_arg(c, next), src.v6 ? "IPv6" : "IPv4");
    }
    TRY(noun_members(c, port, NB_LOGICAL_SWITCH_PORT_HEALTH_CHECKS, LISTED, &rows, &n));
    for (size_t i = 0; i < n; i++) {
        if (str_eq(view_str(rows[i], NB_LOGICAL_SWITCH_PORT_HEALTH_CHECK_PROTOCOL), protocol)
            && view_int(rows[i], NB_LOGICAL_SWITCH_PORT_HEALTH_CHECK_PORT, 0) == number
            && str_eq(view_str(rows[i], NB_LOGICAL_SWITCH_PORT_HEALTH_CHECK_ADDRESS), address)) {
            return ctl_has(c, "--may-exist") ? NULL : ctl_error(c, "Same health check already existed on the port %s.", ctl_arg(c, 1));
        }
    }
    view_verify(port, NB_LOGICAL_SWITCH_PORT_HEALTH_CHECKS);
    struct view_row *check = view_insert(&c->view, HC, NULL);
    view_set_str(check, NB_LOGICAL_SWITCH_PORT_HEALTH_CHECK_PROTOCOL, protocol);
    view_set_str(check, NB_LOGICAL_SWITCH_PORT_HEALTH_CHECK_SRC_IP, src_text);
    view_set(check, NB_LOGICAL_SWITCH_PORT_HEALTH_CHECK_PORT, datum_of_int(&c->arena, number));
    view_set_str(check, NB_LOGICAL_SWITCH_PORT_HEALTH_CHECK_ADDRESS, address);
    view_add_ref(port, NB_LOGICAL_SWITCH_PORT_HEALTH_CHECKS, check);
    return NULL;
}

static const char *
check_del(struct ctl *c)
{
    struct view_row *port;
    struct uuid uuid;

    TRY(noun_find(c, &noun_port, ctl_arg(c, 1), true, &port));
    const struct datum *checks = view_datum(port, NB_LOGICAL_SWITCH_PORT_HEALTH_CHECKS);
    if (!ctl_arg(c, 2)) {
        view_remove(port, NB_LOGICAL_SWITCH_PORT_HEALTH_CHECKS, *checks);
        return NULL;
    }
    if (!noun_is_uuid(ctl_arg(c, 2), &uuid) || datum_find(checks, &(union datum_atom) { .u = uuid }, OVSDB_UUID) == SIZE_MAX) {
        return ctl_has(c, "--if-exists") ? NULL : ctl_error(c, "%s: health check UUID not found on port %s", ctl_arg(c, 2), ctl_arg(c, 1));
    }
    view_remove(port, NB_LOGICAL_SWITCH_PORT_HEALTH_CHECKS, datum_of_uuid(&c->arena, &uuid));
    return NULL;
}

static int
compare_checks(const void *a_, const void *b_)
{
    static const uint16_t columns[] = { NB_LOGICAL_SWITCH_PORT_HEALTH_CHECK_PROTOCOL, NB_LOGICAL_SWITCH_PORT_HEALTH_CHECK_ADDRESS };
    struct view_row *a = *(struct view_row *const *) a_, *b = *(struct view_row *const *) b_;

    for (size_t i = 0; i < ARRAY_SIZE(columns); i++) {
        int cmp = strcmp(view_str(a, columns[i]), view_str(b, columns[i]));
        if (cmp) {
            return cmp;
        }
    }
    int64_t pa = view_int(a, NB_LOGICAL_SWITCH_PORT_HEALTH_CHECK_PORT, 0), pb = view_int(b, NB_LOGICAL_SWITCH_PORT_HEALTH_CHECK_PORT, 0);
    return pa != pb ? (pa < pb ? -1 : 1) : uuid_compare(&a->uuid, &b->uuid);
}

static const char *
check_list(struct ctl *c)
{
    struct view_row *port, **rows;
    size_t n;

    TRY(noun_find(c, &noun_port, ctl_arg(c, 1), true, &port));
    TRY(noun_members(c, port, NB_LOGICAL_SWITCH_PORT_HEALTH_CHECKS, LISTED, &rows, &n));
    qsort(rows, n, sizeof *rows, compare_checks);
    for (size_t i = 0; i < n; i++) {
        const char *status = view_str(rows[i], NB_LOGICAL_SWITCH_PORT_HEALTH_CHECK_STATUS);
        const char *address = view_str(rows[i], NB_LOGICAL_SWITCH_PORT_HEALTH_CHECK_ADDRESS);
        ctl_print(c, UUID_FMT " %s src:%s", UUID_ARGS(&rows[i]->uuid), view_str(rows[i], NB_LOGICAL_SWITCH_PORT_HEALTH_CHECK_PROTOCOL),
                  view_str(rows[i], NB_LOGICAL_SWITCH_PORT_HEALTH_CHECK_SRC_IP));
        if (view_int(rows[i], NB_LOGICAL_SWITCH_PORT_HEALTH_CHECK_PORT, 0)) {
            ctl_print(c, " port:%lld", (long long) view_int(rows[i], NB_LOGICAL_SWITCH_PORT_HEALTH_CHECK_PORT, 0));
        }
        ctl_print(c, "%s%s%s%s\n", *address ? " address:" : "", address, status ? " status:" : "", status ? status : "");
    }
    return NULL;
}

/* ---- lsp-add-router-port, lsp-add-localnet-port ---- */

static const char *
add_needs(struct ctl *c)
{
    noun_need(c, &noun_switch, ctl_arg(c, 1), 0);
    noun_need(c, &noun_port, ctl_arg(c, 2), NB_LSP(TYPE) | NB_LSP(OPTIONS));
    noun_expect(c, &nb_table_logical_switch, NB_LS(NAME) | NB_LS(PORTS));
    return NULL;
}

static const char *
add_typed(struct ctl *c, const char *type, const char *address, const char *option)
{
    struct view_row *ls, *port, *owner;

    TRY(noun_find(c, &noun_switch, ctl_arg(c, 1), true, &ls));
    TRY(port_find(c, ctl_arg(c, 2), &port));
    if (port && ctl_has(c, "--may-exist")) {
        const char *value = view_map_str(port, NB_LOGICAL_SWITCH_PORT_OPTIONS, option);
        TRY(switch_of_port(c, port, &owner));
        return owner == ls && str_eq(view_str(port, NB_LOGICAL_SWITCH_PORT_TYPE), type) && value && str_eq(value, ctl_arg(c, 3))
                   ? NULL : ctl_error(c, "%s: port already exists, but in another switch or not as a port of type %s with %s=%s",
                                      ctl_arg(c, 2), type, option, ctl_arg(c, 3));
    }
    TRY(noun_insert(c, &noun_port, ctl_arg(c, 2), "a port", false, &port));
    view_set_str(port, NB_LOGICAL_SWITCH_PORT_TYPE, type);
    view_set_str(port, NB_LOGICAL_SWITCH_PORT_ADDRESSES, address);
    noun_put(c, port, NB_LOGICAL_SWITCH_PORT_OPTIONS, option, ctl_arg(c, 3));
    view_add_ref(ls, NB_LOGICAL_SWITCH_PORTS, port);
    return NULL;
}

static const char *
add_router_port(struct ctl *c)
{
    return add_typed(c, "router", "router", "router-port");
}

static const char *
add_localnet_port(struct ctl *c)
{
    return add_typed(c, "localnet", "unknown", "network_name");
}

static const struct ctl_command commands[] = {
    { "lsp-add-router-port", "--may-exist", "SWITCH PORT ROUTER_PORT", 3, 3, "add PORT on SWITCH, connected to router port ROUTER_PORT",
      add_needs, add_router_port, CTL_WRITES },
    { "lsp-add-localnet-port", "--may-exist", "SWITCH PORT NETWORK", 3, 3, "add PORT on SWITCH, connected to physical network NETWORK",
      add_needs, add_localnet_port, CTL_WRITES },
    { "lsp-hc-add", "--may-exist", "PORT {tcp SRC_IP NUMBER | udp SRC_IP NUMBER | icmp SRC_IP} [ADDRESS]", 3, 5,
      "check that ADDRESS at PORT answers SRC_IP", needs, check_add, CTL_WRITES },
    { "lsp-hc-del", "--if-exists", "PORT [UUID]", 1, 2, "remove one check of PORT, or all", needs, check_del, CTL_WRITES },
    { "lsp-hc-list", NULL, "PORT", 1, 1, "print the checks of PORT", needs, check_list, 0 },
    { NULL },
};
const struct ctl_group nbctl_check_group = { "More logical switch port commands", commands };

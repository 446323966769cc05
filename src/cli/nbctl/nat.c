/* nat.c - lr-nat-add, lr-nat-del, lr-nat-list, lr-nat-update-ext-ip. ovn-nbctl(8), "NAT Commands".
 *
 * What may stand beside what: per gateway port, of a router that has several, an external address has one dnat and one dnat_and_snat
 * rule, a logical network one snat rule; the external address of a stateless rule is its alone. */
#include "cli/nbctl/nbctl.h"

#include <stdlib.h>

static const struct ovsdb_table_desc *const NAT = &nb_table_nat;

#define COL(C) OVSDB_COLUMN(NB_NAT_##C)
#define LISTED (COL(TYPE) | COL(EXTERNAL_IP) | COL(LOGICAL_IP) | COL(EXTERNAL_PORT_RANGE) | COL(EXTERNAL_MAC) | COL(LOGICAL_PORT) \
                | COL(GATEWAY_PORT) | COL(OPTIONS) | COL(MATCH) | COL(PRIORITY))

static const char *
check_type(struct ctl *c, const char *type)
{
    return str_eq(type, "dnat") || str_eq(type, "snat") || str_eq(type, "dnat_and_snat")
               ? NULL : ctl_error(c, "%s: type must be one of \"dnat\", \"snat\" and \"dnat_and_snat\".", type);
}

/* TEXT, an address or a network, is the same as the row's COLUMN. */
static bool
has_ip(struct ctl *c, struct view_row *nat, uint16_t column, const char *text)
{
    struct ip_addr a, b;

    return noun_parse_network(c, view_str(nat, column), &a, NULL) && noun_parse_network(c, text, &b, NULL) && a.v6 == b.v6
           && a.plen == b.plen && ip_addr_equal(&a, &b);
}

static bool
has_gateway(struct view_row *nat, const struct view_row *gateway)
{
    const struct datum *d = view_datum(nat, NB_NAT_GATEWAY_PORT);
    return gateway ? d->n && uuid_equal(&d->k[0].u, &gateway->uuid) : !d->n;
}

/* ---- lr-nat-add: what it is given ---- */

struct added {
    const char *type, *external, *logical, *port, *mac, *range, *match;
    int64_t priority;
    struct ip_addr external_ip;
    bool snat, stateless;
    struct view_row *gateway;          /* --gateway-port */
    struct view_row **gateways, *at;   /* The router's gateway ports; that at which this takes effect. */
    size_t n_gateways;
};

static const char *
add_needs(struct ctl *c)
{
    const char *gateway = ctl_option(c, "--gateway-port");

    noun_need(c, &noun_router, ctl_arg(c, 1), NB_LR(NAT) | NB_LR(PORTS) | NB_LR(NAME));
    noun_expect(c, NAT, LISTED);
    noun_expect(c, &nb_table_logical_router_port, NB_LRP(NETWORKS) | NB_LRP(GATEWAY_CHASSIS) | NB_LRP(HA_CHASSIS_GROUP));
    if (ctl_arg(c, 6)) {
        noun_need(c, &noun_port, ctl_arg(c, 5), 0);
    }
    if (gateway) {
        noun_need(c, &noun_router_port, gateway, NB_LRP(GATEWAY_CHASSIS) | NB_LRP(HA_CHASSIS_GROUP));
    }
    return NULL;
}

/* "5" or "1-3000". */
static const char *
check_range(struct ctl *c, const char *range)
{
    const char *dash = strchr(range, '-');
    const char *low = dash ? arena_strndup(&c->arena, range, dash - range) : range;
    int64_t from, to;

    if (!str_to_int(low, 1, 65535, &from) || (dash && !str_to_int(dash + 1, from, 65535, &to))) {
        return ctl_error(c, "invalid port range %s.", range);
    }
    return NULL;
}

/* Arguments 5 to 7: [LOGICAL_PORT EXTERNAL_MAC] [EXTERNAL_PORT_RANGE]. */
static const char *
parse_port_and_range(struct ctl *c, struct added *a)
{
    int n = c->call->argc - 5;
    struct eth_addr mac;
    struct view_row *port;

    if (n >= 2 && !str_eq(a->type, "dnat_and_snat")) {
        return ctl_error(c, "logical_port and external_mac are only valid when type is \"dnat_and_snat\".");
    }
    if (ctl_has(c, "--portrange") ? n == 2 : n == 1) {
        return ctl_error(c, "lr-nat-add with logical_port must also specify external_mac.");
    }
    if (n == 1 || n == 3) {
        a->range = ctl_arg(c, 4 + n);
        TRY(check_range(c, a->range));
    }
    if (n < 2) {
        return NULL;
    }
    a->port = ctl_arg(c, 5);
    a->mac = ctl_arg(c, 6);
    TRY(noun_find(c, &noun_port, a->port, true, &port));
    return eth_addr_from_str(a->mac, &mac) ? NULL : ctl_error(c, "invalid mac address %s.", a->mac);
}

static const char *
parse_added(struct ctl *c, struct added *a)
{
    const char *logical = ctl_arg(c, 4);
    struct ip_addr ip;

    a->type = ctl_arg(c, 2);
    TRY(check_type(c, a->type));
    a->snat = str_eq(a->type, "snat");
    if (!noun_parse_ip(c, ctl_arg(c, 3), &a->external_ip, &a->external)) {
        return ctl_error(c, "%s: Not a valid IPv4 or IPv6 address.", ctl_arg(c, 3));
    }
    const char *family = a->external_ip.v6 ? "IPv6" : "IPv4";
    if (a->snat && (!noun_parse_network(c, logical, &ip, &a->logical) || ip.v6 != a->external_ip.v6)) {
        return ctl_error(c, "%s: should be an %s address or network.", logical, family);
    }
    if (!a->snat && (!noun_parse_ip(c, logical, &ip, &a->logical) || ip.v6 != a->external_ip.v6)) {
        return ctl_error(c, "%s: Not a valid %s address.", logical, family);
    }
    TRY(parse_port_and_range(c, a));
    a->stateless = ctl_has(c, "--stateless");
    if (a->stateless && !str_eq(a->type, "dnat_and_snat")) {
        return ctl_error(c, "stateless is not applicable to dnat or snat types");
    }
    if (a->snat && ctl_has(c, "--add-route")) {
        return ctl_error(c, "routes cannot be added for snat types.");
    }
    a->match = ctl_option(c, "--match") ? ctl_option(c, "--match") : "";
    if (ctl_has(c, "--priority") && !*a->match) {
        return ctl_error(c, "--priority goes with --match: only rules that match more than addresses have an order");
    }
    return ctl_has(c, "--priority") ? noun_parse_priority(c, ctl_option(c, "--priority"), &a->priority) : NULL;
}

/* The gateway port in whose network an external address is, or NULL. */
static struct view_row *
gateway_towards(const struct added *a, const struct ip_addr *external)
{
    for (size_t i = 0; i < a->n_gateways; i++) {
        const struct datum *networks = view_datum(a->gateways[i], NB_LOGICAL_ROUTER_PORT_NETWORKS);
        for (size_t j = 0; j < networks->n; j++) {
            if (noun_network_has(networks->k[j].s, external)) {
                return a->gateways[i];
            }
        }
    }
    return NULL;
}

/* --gateway-port; or, of several gateway ports, that in whose network the external address is. */
static const char *
find_gateway(struct ctl *c, struct view_row *lr, struct added *a)
{
    const char *id = ctl_option(c, "--gateway-port");
    struct view_row **ports;
    size_t n;

    TRY(noun_members(c, lr, NB_LOGICAL_ROUTER_PORTS, NB_LRP(NETWORKS) | NB_LRP(GATEWAY_CHASSIS) | NB_LRP(HA_CHASSIS_GROUP), &ports, &n));
    a->gateways = ARENA_NEW(&c->arena, struct view_row *, n);
    for (size_t i = 0; i < n; i++) {
        if (view_datum(ports[i], NB_LOGICAL_ROUTER_PORT_GATEWAY_CHASSIS)->n || view_datum(ports[i], NB_LOGICAL_ROUTER_PORT_HA_CHASSIS_GROUP)->n) {
            a->gateways[a->n_gateways++] = ports[i];
        }
    }
    if (id) {
        TRY(noun_find(c, &noun_router_port, id, true, &a->gateway));
        a->at = a->gateway;
        if (datum_find(view_datum(lr, NB_LOGICAL_ROUTER_PORTS), &(union datum_atom) { .u = a->gateway->uuid }, OVSDB_UUID) == SIZE_MAX) {
            return ctl_error(c, "%s is not a router port of logical router: %s.", id, ctl_arg(c, 1));
        }
        return view_datum(a->gateway, NB_LOGICAL_ROUTER_PORT_GATEWAY_CHASSIS)->n
                       || view_datum(a->gateway, NB_LOGICAL_ROUTER_PORT_HA_CHASSIS_GROUP)->n
                   ? NULL : ctl_error(c, "%s is not a distributed gateway router port.", id);
    }
    a->at = gateway_towards(a, &a->external_ip);
    return a->n_gateways < 2 || a->at
               ? NULL : ctl_error(c, "logical router: %s has multiple distributed gateway ports and gateway_port can not be determined "
                                  "from external IP of NAT rule.", view_str(lr, NB_LOGICAL_ROUTER_NAME));
}

/* ---- lr-nat-add ---- */

static bool
is_stateless(struct view_row *nat)
{
    const char *s = view_map_str(nat, NB_NAT_OPTIONS, "stateless");
    return s && str_eq(s, "true");
}

/* NAT takes effect where A does: there is but one gateway port at most, or both are at the same. */
static bool
is_at_same_gateway(const struct added *a, struct view_row *nat)
{
    struct ip_addr external;

    return a->n_gateways < 2
           || (view_datum(nat, NB_NAT_GATEWAY_PORT)->n ? has_gateway(nat, a->at)
               : ip_addr_from_str(view_str(nat, NB_NAT_EXTERNAL_IP), &external) && gateway_towards(a, &external) == a->at);
}

/* Whether A may stand beside NAT. *existing: they are the same rule. */
static const char *
check_beside(struct ctl *c, const struct added *a, struct view_row *nat, struct view_row **existing)
{
    bool same_type = str_eq(view_str(nat, NB_NAT_TYPE), a->type) && is_at_same_gateway(a, nat)
                     && str_eq(view_str(nat, NB_NAT_MATCH), a->match);
    bool same_external = has_ip(c, nat, NB_NAT_EXTERNAL_IP, a->external);
    bool same_logical = has_ip(c, nat, NB_NAT_LOGICAL_IP, a->logical);

    if (same_type && same_external && same_logical) {
        *existing = nat;
        return ctl_has(c, "--may-exist") ? NULL : ctl_error(c, "%s, %s: a NAT with this external_ip and logical_ip already exists",
                                                            a->external, a->logical);
    }
    if (same_external && (a->stateless || is_stateless(nat))) {
        return ctl_error(c, "%s, %s: External ip cannot be shared across stateless and stateful NATs", a->external, a->logical);
    }
    if (same_type && (a->snat ? same_logical : same_external)) {
        return ctl_error(c, "a NAT with this type (%s), %s (%s) already exists", a->type, a->snat ? "logical_ip" : "external_ip",
                         a->snat ? a->logical : a->external);
    }
    return NULL;
}

static const char *
write_newer(struct ctl *c, struct view_row *nat, const struct added *a)
{
    if (*a->match) {
        TRY(ctl_check_has(c, NAT, &NAT->columns[NB_NAT_MATCH]));
        view_set_str(nat, NB_NAT_MATCH, a->match);
    }
    if (a->priority) {
        TRY(ctl_check_has(c, NAT, &NAT->columns[NB_NAT_PRIORITY]));
        view_set(nat, NB_NAT_PRIORITY, datum_of_int(&c->arena, a->priority));
    }
    return NULL;
}

static const char *
nat_add(struct ctl *c)
{
    struct added a = { .priority = 0 };
    struct view_row *lr, **rows, *nat = NULL;
    size_t n;

    TRY(noun_find(c, &noun_router, ctl_arg(c, 1), true, &lr));
    TRY(parse_added(c, &a));
    TRY(find_gateway(c, lr, &a));
    TRY(noun_members(c, lr, NB_LOGICAL_ROUTER_NAT, LISTED, &rows, &n));
    for (size_t i = 0; i < n && !nat; i++) {
        TRY(check_beside(c, &a, rows[i], &nat));
    }
    if (nat) {
        if (a.port) {
            view_set_str(nat, NB_NAT_LOGICAL_PORT, a.port);
            view_set_str(nat, NB_NAT_EXTERNAL_MAC, a.mac);
        }
        return NULL;
    }
    view_verify(lr, NB_LOGICAL_ROUTER_NAT);
    nat = view_insert(&c->view, NAT, NULL);
    view_set_str(nat, NB_NAT_TYPE, a.type);
    view_set_str(nat, NB_NAT_EXTERNAL_IP, a.external);
    view_set_str(nat, NB_NAT_LOGICAL_IP, a.logical);
    if (a.port) {
        view_set_str(nat, NB_NAT_LOGICAL_PORT, a.port);
        view_set_str(nat, NB_NAT_EXTERNAL_MAC, a.mac);
    }
    if (a.range) {
        view_set_str(nat, NB_NAT_EXTERNAL_PORT_RANGE, a.range);
    }
    if (a.gateway) {
        noun_set_ref(c, nat, NB_NAT_GATEWAY_PORT, a.gateway);
    }
    noun_put(c, nat, NB_NAT_OPTIONS, "stateless", a.stateless ? "true" : "false");
    if (ctl_has(c, "--add-route")) {
        noun_put(c, nat, NB_NAT_OPTIONS, "add_route", "true");
    }
    TRY(write_newer(c, nat, &a));
    view_add_ref(lr, NB_LOGICAL_ROUTER_NAT, nat);
    return NULL;
}

/* ---- lr-nat-del ---- */

static const char *
del_needs(struct ctl *c)
{
    noun_need(c, &noun_router, ctl_arg(c, 1), NB_LR(NAT));
    noun_expect(c, NAT, LISTED);
    noun_expect(c, &nb_table_logical_router_port, NB_LRP(NAME));
    for (int i = 3; ctl_arg(c, i); i++) {
        noun_need(c, &noun_router_port, ctl_arg(c, i), NB_LRP(NAME));
    }
    return NULL;
}

static const char *
nat_del(struct ctl *c)
{
    const char *type = ctl_arg(c, 2), *ip_text = NULL, *port = ctl_arg(c, 4);
    struct view_row *lr, **rows, *gateway = NULL;
    struct ip_addr ip;
    size_t n, gone = 0;

    TRY(noun_find(c, &noun_router, ctl_arg(c, 1), true, &lr));
    if (type) {
        TRY(check_type(c, type));
    }
    if (ctl_arg(c, 3) && !noun_parse_network(c, ctl_arg(c, 3), &ip, &ip_text)) {
        if (port) {
            return ctl_error(c, "%s: Invalid IP address or CIDR", ctl_arg(c, 3));
        }
        port = ctl_arg(c, 3);
    }
    if (port) {
        TRY(noun_find(c, &noun_router_port, port, true, &gateway));
    }
    TRY(noun_members(c, lr, NB_LOGICAL_ROUTER_NAT, LISTED, &rows, &n));
    uint16_t column = type && str_eq(type, "snat") ? NB_NAT_LOGICAL_IP : NB_NAT_EXTERNAL_IP;
    for (size_t i = 0; i < n; i++) {
        if ((!type || str_eq(view_str(rows[i], NB_NAT_TYPE), type)) && (!ip_text || has_ip(c, rows[i], column, ip_text))
            && (!gateway || has_gateway(rows[i], gateway))) {
            view_remove_ref(lr, NB_LOGICAL_ROUTER_NAT, rows[i]);
            gone++;
        }
    }
    if (!gone && ip_text && gateway && !ctl_has(c, "--if-exists")) {
        return ctl_error(c, "no matching NAT with the type (%s), %s (%s) and gateway_port (%s)", type,
                         column == NB_NAT_LOGICAL_IP ? "logical_ip" : "external_ip", ip_text, port);
    }
    return NULL;
}

/* ---- lr-nat-list ---- */

struct listed {
    const char *cells[7];              /* In the order of the output. */
    const char *match;
    int64_t priority;
};

static int
compare_listed(const void *a_, const void *b_)
{
    const struct listed *a = a_, *b = b_;

    for (size_t i = 0; i < ARRAY_SIZE(a->cells); i++) {
        int cmp = strcmp(a->cells[i], b->cells[i]);
        if (cmp) {
            return cmp;
        }
    }
    return strcmp(a->match, b->match);
}

static const char *
list_one(struct ctl *c, struct view_row *nat, struct listed *l)
{
    const struct datum *gateway = view_datum(nat, NB_NAT_GATEWAY_PORT);
    const char *const texts[] = {
        view_str(nat, NB_NAT_TYPE), "", view_str(nat, NB_NAT_EXTERNAL_IP), view_str(nat, NB_NAT_EXTERNAL_PORT_RANGE),
        view_str(nat, NB_NAT_LOGICAL_IP), view_str(nat, NB_NAT_EXTERNAL_MAC), view_str(nat, NB_NAT_LOGICAL_PORT),
    };
    for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
        l->cells[i] = texts[i] ? texts[i] : "";
    }
    if (gateway->n) {
        struct view_row *port = view_get(&c->view, &nb_table_logical_router_port, &gateway->k[0].u);
        if (!port && !ctl_need_uuid(c, &nb_table_logical_router_port, NB_LRP(NAME), &gateway->k[0].u)) {
            return CTL_AGAIN;
        }
        l->cells[1] = port ? view_str(port, NB_LOGICAL_ROUTER_PORT_NAME) : "";
    }
    l->match = view_str(nat, NB_NAT_MATCH);
    l->priority = view_int(nat, NB_NAT_PRIORITY, 0);
    return NULL;
}

static const char *
nat_list(struct ctl *c)
{
    static const char format[] = "%-17.13s%-22.18s%-19.15s%-17.13s%-20s%-21s%s";
    struct str line = STR_INIT;
    struct view_row *lr, **rows;
    size_t n;

    TRY(noun_find(c, &noun_router, ctl_arg(c, 1), true, &lr));
    TRY(noun_members(c, lr, NB_LOGICAL_ROUTER_NAT, LISTED, &rows, &n));
    struct listed *listed = ARENA_NEW(&c->arena, struct listed, n);
    for (size_t i = 0; i < n; i++) {
        TRY(list_one(c, rows[i], &listed[i]));
    }
    qsort(listed, n, sizeof *listed, compare_listed);
    if (n) {
        ctl_print(c, "TYPE             GATEWAY_PORT          EXTERNAL_IP        EXTERNAL_PORT    LOGICAL_IP          EXTERNAL_MAC         "
                  "LOGICAL_PORT\n");
    }
    for (size_t i = 0; i < n; i++) {
        const char *const *s = listed[i].cells;
        str_clear(&line);
        str_printf(&line, format, s[0], s[1], s[2], s[3], s[4], s[5], s[6]);
        if (*listed[i].match) {
            str_printf(&line, "  match=\"%s\" priority=%lld", listed[i].match, (long long) listed[i].priority);
        }
        while (line.len && line.s[line.len - 1] == ' ') {
            str_truncate(&line, line.len - 1);
        }
        ctl_print(c, "%s\n", str_c(&line));
    }
    str_free(&line);
    return NULL;
}

/* ---- lr-nat-update-ext-ip ---- */

static const char *
update_needs(struct ctl *c)
{
    noun_need(c, &noun_router, ctl_arg(c, 1), NB_LR(NAT));
    noun_need(c, &noun_address_set, ctl_arg(c, 4), 0);
    noun_expect(c, NAT, LISTED);
    return NULL;
}

static const char *
nat_update(struct ctl *c)
{
    const char *type = ctl_arg(c, 2), *ip_text;
    struct view_row *lr, *set, **rows;
    struct ip_addr ip;
    bool found = false;
    size_t n;

    TRY(noun_find(c, &noun_router, ctl_arg(c, 1), true, &lr));
    TRY(check_type(c, type));
    if (!noun_parse_network(c, ctl_arg(c, 3), &ip, &ip_text)) {
        return ctl_error(c, "%s: Invalid IP address or CIDR", ctl_arg(c, 3));
    }
    TRY(noun_find(c, &noun_address_set, ctl_arg(c, 4), true, &set));
    TRY(noun_members(c, lr, NB_LOGICAL_ROUTER_NAT, LISTED, &rows, &n));
    for (size_t i = 0; i < n; i++) {
        if (str_eq(view_str(rows[i], NB_NAT_TYPE), type)
            && has_ip(c, rows[i], str_eq(type, "snat") ? NB_NAT_LOGICAL_IP : NB_NAT_EXTERNAL_IP, ip_text)) {
            noun_set_ref(c, rows[i], ctl_has(c, "--is-exempted") ? NB_NAT_EXEMPTED_EXT_IPS : NB_NAT_ALLOWED_EXT_IPS, set);
            found = true;
        }
    }
    return found ? NULL : ctl_error(c, "%s: Could not locate nat rule for: %s.", type, ip_text);
}

static const struct ctl_command commands[] = {
    { "lr-nat-add", "--stateless --portrange --add-route --gateway-port=GATEWAY_PORT --match=MATCH --priority=PRIORITY --may-exist",
      "ROUTER TYPE EXTERNAL_IP LOGICAL_IP [LOGICAL_PORT EXTERNAL_MAC] [EXTERNAL_PORT_RANGE]", 4, 7,
      "add a NAT to ROUTER: TYPE is snat, dnat or dnat_and_snat", add_needs, nat_add, CTL_WRITES },
    { "lr-nat-del", "--if-exists", "ROUTER [TYPE [IP] [GATEWAY_PORT]]", 1, 4, "remove NATs from ROUTER", del_needs, nat_del, CTL_WRITES },
    { "lr-nat-list", NULL, "ROUTER", 1, 1, "print the NATs of ROUTER", del_needs, nat_list, 0 },
    { "lr-nat-update-ext-ip", "--is-exempted", "ROUTER TYPE IP ADDRESS_SET", 4, 4,
      "apply a NAT only (or not) to the external addresses in ADDRESS_SET", update_needs, nat_update, CTL_WRITES },
    { NULL },
};
const struct ctl_group nbctl_nat_group = { "NAT commands", commands };

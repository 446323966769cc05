/* northbound.c - the northbound row behind a logical flow, by the beginning of its UUID (external_ids:stage-hint), in words. */
#include "cli/trace/show.h"

#include "schema/nb.h"

static void
put_name(const char *name, struct str *out)
{
    if (name && *name) {
        str_printf(out, " \"%s\"", name);
    }
}

static void
put_acl(struct ovsdb_row *row, struct str *out)
{
    const struct nb_acl *acl = nb_acl_of(row);

    put_name(nb_acl_name(acl, NULL), out);
    str_printf(out, " (%s %lld %s: %s)", nb_acl_direction(acl, NULL), (long long) nb_acl_priority(acl, NULL), nb_acl_action(acl, NULL),
               nb_acl_match(acl, NULL));
}

static void
put_nat(struct ovsdb_row *row, struct str *out)
{
    const struct nb_nat *nat = nb_nat_of(row);

    str_printf(out, " (%s %s %s)", nb_nat_type(nat, NULL), nb_nat_external_ip(nat, NULL), nb_nat_logical_ip(nat, NULL));
}

static void
put_route(struct ovsdb_row *row, struct str *out)
{
    const struct nb_logical_router_static_route *r = nb_logical_router_static_route_of(row);

    str_printf(out, " (%s to %s)", nb_logical_router_static_route_ip_prefix(r, NULL), nb_logical_router_static_route_nexthop(r, NULL));
}

static void
put_policy(struct ovsdb_row *row, struct str *out)
{
    const struct nb_logical_router_policy *p = nb_logical_router_policy_of(row);

    str_printf(out, " (%lld %s: %s)", (long long) nb_logical_router_policy_priority(p, NULL), nb_logical_router_policy_action(p, NULL),
               nb_logical_router_policy_match(p, NULL));
}

static void
put_lb(struct ovsdb_row *row, struct str *out)
{
    put_name(nb_load_balancer_name(nb_load_balancer_of(row), NULL), out);
}

static void
put_lsp(struct ovsdb_row *row, struct str *out)
{
    put_name(nb_logical_switch_port_name(nb_logical_switch_port_of(row), NULL), out);
}

static void
put_lrp(struct ovsdb_row *row, struct str *out)
{
    put_name(nb_logical_router_port_name(nb_logical_router_port_of(row), NULL), out);
}

#define COLUMN(TABLE, C) OVSDB_COLUMN(NB_##TABLE##_##C)
static const struct kind {
    const struct ovsdb_table_desc *table;
    const char *name;
    uint64_t columns;
    void (*put)(struct ovsdb_row *, struct str *);
} kinds[] = {
    { &nb_table_acl, "ACL", COLUMN(ACL, NAME) | COLUMN(ACL, DIRECTION) | COLUMN(ACL, PRIORITY) | COLUMN(ACL, ACTION) | COLUMN(ACL, MATCH), put_acl },
    { &nb_table_nat, "NAT rule", COLUMN(NAT, TYPE) | COLUMN(NAT, EXTERNAL_IP) | COLUMN(NAT, LOGICAL_IP), put_nat },
    { &nb_table_logical_router_static_route, "route", COLUMN(LOGICAL_ROUTER_STATIC_ROUTE, IP_PREFIX) | COLUMN(LOGICAL_ROUTER_STATIC_ROUTE, NEXTHOP),
      put_route },
    { &nb_table_logical_router_policy, "routing policy", COLUMN(LOGICAL_ROUTER_POLICY, PRIORITY) | COLUMN(LOGICAL_ROUTER_POLICY, ACTION)
      | COLUMN(LOGICAL_ROUTER_POLICY, MATCH), put_policy },
    { &nb_table_load_balancer, "load balancer", COLUMN(LOAD_BALANCER, NAME), put_lb },
    { &nb_table_logical_switch_port, "logical switch port", COLUMN(LOGICAL_SWITCH_PORT, NAME), put_lsp },
    { &nb_table_logical_router_port, "logical router port", COLUMN(LOGICAL_ROUTER_PORT, NAME), put_lrp },
};

void
northbound_use(struct ovsdb *nb)
{
    for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
        ovsdb_use(nb, kinds[i].table, kinds[i].columns);
    }
}

bool
northbound_put(struct ovsdb *nb, const char *hint, struct str *out)
{
    size_t n = strlen(hint);
    char uuid[UUID_LEN + 1];

    for (size_t i = 0; i < ARRAY_SIZE(kinds) && n >= 8 && n <= UUID_LEN; i++) {
        OVSDB_FOR_EACH (row, ovsdb_table(nb, kinds[i].table), NULL) {
            uuid_format(&row->uuid, uuid);
            if (!strncmp(uuid, hint, n)) {
                str_puts(out, kinds[i].name);
                kinds[i].put(row, out);
                str_printf(out, ", UUID %s,", uuid);
                return true;
            }
        }
    }
    return false;
}

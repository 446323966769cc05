/* dhcp.c - rows of DHCP options, and which logical switch ports have them. ovn-nbctl(8), "DHCP Options commands". */
#include "cli/nbctl/nbctl.h"

#include <limits.h>

static const struct ovsdb_table_desc *const DHCP = &nb_table_dhcp_options;

#define COL(C) OVSDB_COLUMN(NB_DHCP_OPTIONS_##C)

/* The row whose UUID ID is. */
static const char *
find_options(struct ctl *c, const char *id, struct view_row **row)
{
    struct uuid uuid;

    *row = noun_is_uuid(id, &uuid) ? view_get(&c->view, DHCP, &uuid) : NULL;
    return *row ? NULL : ctl_error(c, "%s: dhcp options UUID not found", id);
}

static void
need_options(struct ctl *c, const char *id, uint64_t columns)
{
    struct uuid uuid;

    noun_expect(c, DHCP, columns);
    if (id && noun_is_uuid(id, &uuid)) {
        ctl_need_uuid(c, DHCP, columns, &uuid);
    }
}

static const char *
needs(struct ctl *c)
{
    need_options(c, ctl_arg(c, 1), COL(OPTIONS));
    return NULL;
}

static const char *
create(struct ctl *c)
{
    struct ip_addr ip;
    struct datum d;

    if (!ip_addr_from_str(ctl_arg(c, 1), &ip)) {
        return ctl_error(c, "Invalid cidr format '%s'", ctl_arg(c, 1));
    }
    TRY(noun_pairs(c, 2, "subnet=blue", &DHCP->columns[NB_DHCP_OPTIONS_EXTERNAL_IDS], &d));
    struct view_row *row = view_insert(&c->view, DHCP, NULL);
    view_set_str(row, NB_DHCP_OPTIONS_CIDR, ctl_arg(c, 1));
    view_set(row, NB_DHCP_OPTIONS_EXTERNAL_IDS, d);
    return NULL;
}

static const char *
del(struct ctl *c)
{
    struct view_row *row;

    TRY(find_options(c, ctl_arg(c, 1), &row));
    view_delete(row);
    return NULL;
}

static const char *
list_needs(struct ctl *c)
{
    ctl_need_all(c, DHCP, 0);
    return NULL;
}

static const char *
list(struct ctl *c)
{
    size_t n;
    struct view_row **rows = view_rows(&c->view, DHCP, &n);

    for (size_t i = 0; i < n; i++) {
        ctl_print(c, UUID_FMT "\n", UUID_ARGS(&rows[i]->uuid));
    }
    return NULL;
}

static const char *
set_options(struct ctl *c)
{
    struct view_row *row;
    struct datum d;

    TRY(find_options(c, ctl_arg(c, 1), &row));
    TRY(noun_pairs(c, 2, "lease_time=3600", &DHCP->columns[NB_DHCP_OPTIONS_OPTIONS], &d));
    view_set(row, NB_DHCP_OPTIONS_OPTIONS, d);
    return NULL;
}

static const char *
get_options(struct ctl *c)
{
    struct view_row *row;

    TRY(find_options(c, ctl_arg(c, 1), &row));
    noun_print_pairs(c, view_datum(row, NB_DHCP_OPTIONS_OPTIONS));
    return NULL;
}

/* ---- ports ---- */

/* lsp-*-dhcpv6-options? */
static bool
is_v6(const struct ctl *c)
{
    return strstr(c->call->command->name, "dhcpv6") != NULL;
}

static const char *
port_needs(struct ctl *c)
{
    noun_need(c, &noun_port, ctl_arg(c, 1), is_v6(c) ? NB_LSP(DHCPV6_OPTIONS) : NB_LSP(DHCPV4_OPTIONS));
    need_options(c, ctl_arg(c, 2), COL(CIDR));
    return NULL;
}

static const char *
port_set(struct ctl *c)
{
    uint16_t column = is_v6(c) ? NB_LOGICAL_SWITCH_PORT_DHCPV6_OPTIONS : NB_LOGICAL_SWITCH_PORT_DHCPV4_OPTIONS;
    struct view_row *port, *row;
    struct ip_addr ip;

    TRY(noun_find(c, &noun_port, ctl_arg(c, 1), true, &port));
    if (!ctl_arg(c, 2)) {
        noun_clear(port, column);
        return NULL;
    }
    TRY(find_options(c, ctl_arg(c, 2), &row));
    const char *cidr = view_str(row, NB_DHCP_OPTIONS_CIDR);
    if (!ip_addr_from_str(cidr, &ip) || ip.v6 != is_v6(c)) {
        return ctl_error(c, "DHCP options cidr '%s' is not %s", cidr, is_v6(c) ? "IPv6" : "IPv4");
    }
    noun_set_ref(c, port, column, row);
    return NULL;
}

static const char *
port_get(struct ctl *c)
{
    struct view_row *port, **rows;
    size_t n;

    TRY(noun_find(c, &noun_port, ctl_arg(c, 1), true, &port));
    TRY(noun_members(c, port, is_v6(c) ? NB_LOGICAL_SWITCH_PORT_DHCPV6_OPTIONS : NB_LOGICAL_SWITCH_PORT_DHCPV4_OPTIONS, COL(CIDR), &rows,
                     &n));
    noun_print(c, rows, n, NB_DHCP_OPTIONS_CIDR);
    return NULL;
}

static const struct ctl_command commands[] = {
    { "dhcp-options-create", NULL, "CIDR [KEY=VALUE]...", 1, INT_MAX, "create a row of DHCP options for CIDR, with external ids",
      needs, create, CTL_WRITES },
    { "dhcp-options-del", NULL, "DHCP_OPTIONS_UUID", 1, 1, "delete it", needs, del, CTL_WRITES },
    { "dhcp-options-list", NULL, "", 0, 0, "print the UUIDs of all rows of DHCP options", list_needs, list, 0 },
    { "dhcp-options-set-options", NULL, "DHCP_OPTIONS_UUID [KEY=VALUE]...", 1, INT_MAX, "set the options", needs, set_options,
      CTL_WRITES },
    { "dhcp-options-get-options", NULL, "DHCP_OPTIONS_UUID", 1, 1, "print the options", needs, get_options, 0 },
    { "lsp-set-dhcpv4-options", NULL, "PORT [DHCP_OPTIONS_UUID]", 1, 2, "set (or clear) the DHCPv4 options of PORT", port_needs,
      port_set, CTL_WRITES },
    { "lsp-get-dhcpv4-options", NULL, "PORT", 1, 1, "print them", port_needs, port_get, 0 },
    { "lsp-set-dhcpv6-options", NULL, "PORT [DHCP_OPTIONS_UUID]", 1, 2, "set (or clear) the DHCPv6 options of PORT", port_needs,
      port_set, CTL_WRITES },
    { "lsp-get-dhcpv6-options", NULL, "PORT", 1, 1, "print them", port_needs, port_get, 0 },
    { NULL },
};
const struct ctl_group nbctl_dhcp_group = { "DHCP options commands", commands };

/* mac_binding.c - static-mac-binding-add, -del, -list: Ethernet addresses of neighbours that a router need not ask for. */
#include "cli/nbctl/nbctl.h"

#include <stdlib.h>

static const struct ovsdb_table_desc *const SMB = &nb_table_static_mac_binding;

#define COL(C) OVSDB_COLUMN(NB_STATIC_MAC_BINDING_##C)

static const char *
needs(struct ctl *c)
{
    noun_need(c, &noun_router_port, ctl_arg(c, 1), 0);
    ctl_need_str(c, SMB, COL(LOGICAL_PORT) | COL(IP) | COL(MAC), NB_STATIC_MAC_BINDING_LOGICAL_PORT, ctl_arg(c, 1));
    return NULL;
}

/* The binding of the port and address that the first arguments name; NULL: none. */
static const char *
find(struct ctl *c, struct view_row **row, const char **ip_text)
{
    struct view_row *port, **rows;
    struct ip_addr ip, other;
    size_t n;

    *row = NULL;
    TRY(noun_find(c, &noun_router_port, ctl_arg(c, 1), true, &port));
    if (!noun_parse_ip(c, ctl_arg(c, 2), &ip, ip_text)) {
        return ctl_error(c, "%s: Not a valid IPv4 or IPv6 address.", ctl_arg(c, 2));
    }
    rows = view_find_str(&c->view, SMB, NB_STATIC_MAC_BINDING_LOGICAL_PORT, ctl_arg(c, 1), &n);
    for (size_t i = 0; i < n; i++) {
        if (ip_addr_from_str(view_str(rows[i], NB_STATIC_MAC_BINDING_IP), &other) && other.v6 == ip.v6 && ip_addr_equal(&other, &ip)) {
            *row = rows[i];
        }
    }
    return NULL;
}

static const char *
binding_add(struct ctl *c)
{
    struct view_row *row;
    const char *ip_text;
    struct eth_addr mac;

    TRY(find(c, &row, &ip_text));
    if (!eth_addr_from_str(ctl_arg(c, 3), &mac)) {
        return ctl_error(c, "invalid mac address %s.", ctl_arg(c, 3));
    }
    if (row && !ctl_has(c, "--may-exist")) {
        return ctl_error(c, "%s, %s: a Static_MAC_Binding with this logical_port and ip already exists", ctl_arg(c, 1), ip_text);
    }
    if (!row) {
        row = view_insert(&c->view, SMB, NULL);
        view_set_str(row, NB_STATIC_MAC_BINDING_LOGICAL_PORT, ctl_arg(c, 1));
        view_set_str(row, NB_STATIC_MAC_BINDING_IP, ip_text);
    }
    view_set_str(row, NB_STATIC_MAC_BINDING_MAC, ctl_arg(c, 3));
    return NULL;
}

static const char *
binding_del(struct ctl *c)
{
    struct view_row *row;
    const char *ip_text;

    TRY(find(c, &row, &ip_text));
    if (row) {
        view_delete(row);
        return NULL;
    }
    return ctl_has(c, "--if-exists") ? NULL : ctl_error(c, "no matching Static_MAC_Binding with port %s and ip %s", ctl_arg(c, 1), ip_text);
}

static const char *
list_needs(struct ctl *c)
{
    ctl_need_all(c, SMB, COL(LOGICAL_PORT) | COL(IP) | COL(MAC));
    return NULL;
}

static int
compare_bindings(const void *a_, const void *b_)
{
    struct view_row *a = *(struct view_row *const *) a_, *b = *(struct view_row *const *) b_;
    int cmp = strcmp(view_str(a, NB_STATIC_MAC_BINDING_LOGICAL_PORT), view_str(b, NB_STATIC_MAC_BINDING_LOGICAL_PORT));

    return cmp ? cmp : strcmp(view_str(a, NB_STATIC_MAC_BINDING_IP), view_str(b, NB_STATIC_MAC_BINDING_IP));
}

static const char *
binding_list(struct ctl *c)
{
    static const char format[] = "%-25.21s%-25.21s%s\n";
    size_t n;
    struct view_row **rows = view_rows(&c->view, SMB, &n);

    qsort(rows, n, sizeof *rows, compare_bindings);
    if (n) {
        ctl_print(c, format, "LOGICAL_PORT", "IP", "MAC");
    }
    for (size_t i = 0; i < n; i++) {
        ctl_print(c, format, view_str(rows[i], NB_STATIC_MAC_BINDING_LOGICAL_PORT), view_str(rows[i], NB_STATIC_MAC_BINDING_IP),
                  view_str(rows[i], NB_STATIC_MAC_BINDING_MAC));
    }
    return NULL;
}

static const struct ctl_command commands[] = {
    { "static-mac-binding-add", "--may-exist", "LOGICAL_PORT IP MAC", 3, 3, "let router port LOGICAL_PORT know that IP has MAC", needs,
      binding_add, CTL_WRITES },
    { "static-mac-binding-del", "--if-exists", "LOGICAL_PORT IP", 2, 2, "and no longer", needs, binding_del, CTL_WRITES },
    { "static-mac-binding-list", NULL, "", 0, 0, "print the static MAC bindings", list_needs, binding_list, 0 },
    { NULL },
};
const struct ctl_group nbctl_mac_group = { "Static MAC binding commands", commands };

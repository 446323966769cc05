/* forwarding_group.c - fwd-group-add, fwd-group-del, fwd-group-list. ovn-nbctl(8), "Forwarding Group Commands". */
#include "cli/nbctl/nbctl.h"

#include <limits.h>

static const struct ovsdb_table_desc *const FG = &nb_table_forwarding_group, *const LS = &nb_table_logical_switch;

#define COL(C) OVSDB_COLUMN(NB_FORWARDING_GROUP_##C)

static const char *
add_needs(struct ctl *c)
{
    ctl_need_str(c, FG, 0, NB_FORWARDING_GROUP_NAME, ctl_arg(c, 1));
    noun_need(c, &noun_switch, ctl_arg(c, 2), NB_LS(PORTS) | NB_LS(NAME));
    for (int i = 5; ctl_arg(c, i); i++) {
        noun_need(c, &noun_port, ctl_arg(c, i), 0);
    }
    return NULL;
}

static const char *
group_add(struct ctl *c)
{
    const char *name = ctl_arg(c, 1);
    struct view_row *ls, *port, *owner;
    struct eth_addr mac;
    struct ip_addr ip;
    size_t n;

    view_find_str(&c->view, FG, NB_FORWARDING_GROUP_NAME, name, &n);
    if (n) {
        return ctl_error(c, "%s: a forwarding group by this name already exists", name);
    }
    TRY(noun_find(c, &noun_switch, ctl_arg(c, 2), true, &ls));
    if (!noun_parse_ip(c, ctl_arg(c, 3), &ip, NULL) || ip.v6) {        /* What it answers is ARP. */
        return ctl_error(c, "invalid ip address %s", ctl_arg(c, 3));
    }
    if (!eth_addr_from_str(ctl_arg(c, 4), &mac)) {
        return ctl_error(c, "invalid mac address %s", ctl_arg(c, 4));
    }
    for (int i = 5; ctl_arg(c, i); i++) {
        TRY(noun_find(c, &noun_port, ctl_arg(c, i), false, &port));
        if (!port) {
            return ctl_error(c, "%s: logical switch port does not exist", ctl_arg(c, i));
        }
        TRY(switch_of_port(c, port, &owner));
        if (owner != ls) {
            return ctl_error(c, "%s: port already exists but in logical switch %s", ctl_arg(c, i),
                             owner ? view_str(owner, NB_LOGICAL_SWITCH_NAME) : "");
        }
    }
    view_verify_absent(&c->view, FG, NB_FORWARDING_GROUP_NAME, name);
    struct view_row *group = view_insert(&c->view, FG, NULL);
    view_set_str(group, NB_FORWARDING_GROUP_NAME, name);
    view_set_str(group, NB_FORWARDING_GROUP_VIP, ctl_arg(c, 3));
    view_set_str(group, NB_FORWARDING_GROUP_VMAC, ctl_arg(c, 4));
    view_set(group, NB_FORWARDING_GROUP_LIVENESS, datum_of_bool(&c->arena, ctl_has(c, "--liveness")));
    view_set(group, NB_FORWARDING_GROUP_CHILD_PORT,
             datum_of_strs(&c->arena, c->call->argc - 5, (const char *const *) c->call->argv + 5));
    view_add_ref(ls, NB_LOGICAL_SWITCH_FORWARDING_GROUPS, group);
    return NULL;
}

static const char *
del_needs(struct ctl *c)
{
    struct uuid uuid;

    ctl_need_str(c, FG, 0, NB_FORWARDING_GROUP_NAME, ctl_arg(c, 1));
    if (noun_is_uuid(ctl_arg(c, 1), &uuid)) {
        ctl_need_uuid(c, FG, 0, &uuid);
    }
    noun_expect(c, LS, NB_LS(FORWARDING_GROUPS));
    return NULL;
}

static const char *
group_del(struct ctl *c)
{
    struct view_row **rows, *ls, *group = NULL;
    struct uuid uuid;
    size_t n;

    rows = view_find_str(&c->view, FG, NB_FORWARDING_GROUP_NAME, ctl_arg(c, 1), &n);
    if (noun_is_uuid(ctl_arg(c, 1), &uuid) && (group = view_get(&c->view, FG, &uuid))) {
        rows = &group;
        n = 1;
    }
    for (size_t i = 0; i < n; i++) {
        if (rows[i]->base && !ctl_need_referrer(c, LS, 0, NB_LOGICAL_SWITCH_FORWARDING_GROUPS, &rows[i]->uuid)) {
            return CTL_AGAIN;
        }
        ls = view_referrer(&c->view, LS, NB_LOGICAL_SWITCH_FORWARDING_GROUPS, &rows[i]->uuid);
        if (ls) {
            view_remove_ref(ls, NB_LOGICAL_SWITCH_FORWARDING_GROUPS, rows[i]);
        }
        view_delete(rows[i]);
    }
    return NULL;
}

static const char *
list_needs(struct ctl *c)
{
    if (ctl_arg(c, 1)) {
        noun_need(c, &noun_switch, ctl_arg(c, 1), NB_LS(NAME) | NB_LS(FORWARDING_GROUPS));
    } else {
        ctl_need_all(c, LS, NB_LS(NAME) | NB_LS(FORWARDING_GROUPS));
    }
    noun_expect(c, FG, COL(NAME) | COL(VIP) | COL(VMAC) | COL(CHILD_PORT));
    return NULL;
}

static const char *
print_groups(struct ctl *c, struct view_row *ls)
{
    struct view_row **rows;
    size_t n;

    TRY(noun_members(c, ls, NB_LOGICAL_SWITCH_FORWARDING_GROUPS, COL(NAME) | COL(VIP) | COL(VMAC) | COL(CHILD_PORT), &rows, &n));
    view_sort_by_str(rows, n, NB_FORWARDING_GROUP_NAME);
    for (size_t i = 0; i < n; i++) {
        const struct datum *ports = view_datum(rows[i], NB_FORWARDING_GROUP_CHILD_PORT);
        ctl_print(c, "%-16.14s%-14.12s%-15s%-22s", view_str(rows[i], NB_FORWARDING_GROUP_NAME), view_str(ls, NB_LOGICAL_SWITCH_NAME),
                  view_str(rows[i], NB_FORWARDING_GROUP_VIP), view_str(rows[i], NB_FORWARDING_GROUP_VMAC));
        for (size_t j = 0; j < ports->n; j++) {
            ctl_print(c, " %s", ports->k[j].s);
        }
        ctl_print(c, "\n");
    }
    return NULL;
}

static const char *
group_list(struct ctl *c)
{
    struct view_row *ls, **rows;
    size_t n;

    if (ctl_arg(c, 1)) {
        TRY(noun_find(c, &noun_switch, ctl_arg(c, 1), true, &ls));
        rows = &ls;
        n = 1;
    } else {
        rows = view_rows(&c->view, LS, &n);
        view_sort_by_str(rows, n, NB_LOGICAL_SWITCH_NAME);
    }
    ctl_print(c, "FWD_GROUP       LS            VIP             VMAC                  CHILD_PORTS\n");
    for (size_t i = 0; i < n; i++) {
        TRY(print_groups(c, rows[i]));
    }
    return NULL;
}

static const struct ctl_command commands[] = {
    { "fwd-group-add", "--liveness", "GROUP SWITCH VIP VMAC PORT...", 5, INT_MAX, "add a forwarding group of PORTs on SWITCH", add_needs,
      group_add, CTL_WRITES },
    { "fwd-group-del", "--if-exists", "GROUP", 1, 1, "delete a forwarding group", del_needs, group_del, CTL_WRITES },
    { "fwd-group-list", NULL, "[SWITCH]", 0, 1, "print forwarding groups", list_needs, group_list, 0 },
    { NULL },
};
const struct ctl_group nbctl_fwd_group = { "Forwarding group commands", commands };

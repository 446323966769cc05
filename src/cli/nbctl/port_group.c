/* port_group.c - pg-add, pg-set-ports, pg-get-ports, pg-del. ovn-nbctl(8), "Port Group commands". */
#include "cli/nbctl/nbctl.h"

#include <limits.h>

#define PORTS OVSDB_COLUMN(NB_PORT_GROUP_PORTS)

static const char *
needs(struct ctl *c)
{
    noun_need(c, &noun_port_group, ctl_arg(c, 1), PORTS);
    noun_expect(c, &nb_table_logical_switch_port, NB_LSP(NAME));
    for (int i = 2; ctl_arg(c, i); i++) {
        noun_need(c, &noun_port, ctl_arg(c, i), 0);
    }
    return NULL;
}

static const char *
set_members(struct ctl *c, struct view_row *group)
{
    struct datum all = { .n = 0 };

    for (int i = 2; ctl_arg(c, i); i++) {
        struct view_row *port;
        TRY(noun_find(c, &noun_port, ctl_arg(c, i), true, &port));
        struct datum one = datum_of_uuid(&c->arena, &port->uuid);
        all = datum_union(&c->arena, &all, &one, &nb_table_port_group.columns[NB_PORT_GROUP_PORTS]);
    }
    view_set(group, NB_PORT_GROUP_PORTS, all);
    return NULL;
}

static const char *
group_add(struct ctl *c)
{
    struct view_row *group;

    TRY(noun_insert(c, &noun_port_group, ctl_arg(c, 1), "a port group", ctl_has(c, "--may-exist"), &group));
    return group ? set_members(c, group) : NULL;
}

static const char *
group_set(struct ctl *c)
{
    struct view_row *group;

    TRY(noun_find(c, &noun_port_group, ctl_arg(c, 1), true, &group));
    return set_members(c, group);
}

static const char *
group_get(struct ctl *c)
{
    struct view_row *group, **rows;
    size_t n;

    TRY(noun_find(c, &noun_port_group, ctl_arg(c, 1), true, &group));
    TRY(noun_members(c, group, NB_PORT_GROUP_PORTS, NB_LSP(NAME), &rows, &n));
    noun_print(c, rows, n, NB_LOGICAL_SWITCH_PORT_NAME);
    return NULL;
}

static const char *
group_del(struct ctl *c)
{
    struct view_row *group;

    TRY(noun_find(c, &noun_port_group, ctl_arg(c, 1), !ctl_has(c, "--if-exists"), &group));
    if (group) {
        view_delete(group);
    }
    return NULL;
}

static const struct ctl_command commands[] = {
    { "pg-add", "--may-exist", "GROUP [PORT]...", 1, INT_MAX, "create port group GROUP of PORTs", needs, group_add, CTL_WRITES },
    { "pg-set-ports", NULL, "GROUP PORT...", 2, INT_MAX, "let PORTs, and no others, be in GROUP", needs, group_set, CTL_WRITES },
    { "pg-get-ports", NULL, "GROUP", 1, 1, "print the UUIDs and names of the ports in GROUP", needs, group_get, 0 },
    { "pg-del", "--if-exists", "GROUP", 1, 1, "delete GROUP", needs, group_del, CTL_WRITES },
    { NULL },
};
const struct ctl_group nbctl_pg_group = { "Port group commands", commands };

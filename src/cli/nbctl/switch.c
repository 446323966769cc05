/* switch.c - ls-add, ls-del, ls-list. ovn-nbctl(8), "Logical Switch Commands".
 *
 * Names of switches need not be unique in the database; a name that several switches have is refused where one is meant. */
#include "cli/nbctl/nbctl.h"

static const struct ovsdb_table_desc *const LS = &nb_table_logical_switch;

const char *
switch_of_port(struct ctl *c, const struct view_row *port, struct view_row **row)
{
    if (port->base && !ctl_need_referrer(c, LS, NB_LS(NAME), NB_LOGICAL_SWITCH_PORTS, &port->uuid)) {
        return CTL_AGAIN;
    }
    *row = view_referrer(&c->view, LS, NB_LOGICAL_SWITCH_PORTS, &port->uuid);
    return NULL;
}

static const char *
needs_switch(struct ctl *c)
{
    if (ctl_arg(c, 1)) {
        noun_need(c, &noun_switch, ctl_arg(c, 1), 0);
    } else {
        ctl_need(c, LS, 0, "false");
    }
    return NULL;
}

static const char *
switch_add(struct ctl *c)
{
    return noun_run_add(c, &noun_switch, "a switch");
}

static const char *
switch_del(struct ctl *c)
{
    struct view_row *row;

    TRY(noun_find(c, &noun_switch, ctl_arg(c, 1), !ctl_has(c, "--if-exists"), &row));
    if (row) {
        view_delete(row);              /* The server removes its ports. */
    }
    return NULL;
}

static const char *
needs_all_names(struct ctl *c)
{
    ctl_need_all(c, LS, NB_LS(NAME));
    return NULL;
}

static const char *
switch_list(struct ctl *c)
{
    return noun_run_list(c, &noun_switch);
}

static const struct ctl_command commands[] = {
    { "ls-add", "--may-exist --add-duplicate", "[SWITCH]", 0, 1, "create a logical switch named SWITCH", needs_switch, switch_add,
      CTL_WRITES },
    { "ls-del", "--if-exists", "SWITCH", 1, 1, "delete SWITCH and all its ports", needs_switch, switch_del, CTL_WRITES },
    { "ls-list", NULL, "", 0, 0, "print the UUIDs and names of all logical switches", needs_all_names, switch_list, 0 },
    { NULL },
};
const struct ctl_group nbctl_switch_group = { "Logical switch commands", commands };

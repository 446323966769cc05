/* switch.c - ls-add, ls-del, ls-list. ovn-nbctl(8), "Logical Switch Commands".
 *
 * Names of switches need not be unique in the database; a name that several switches have is refused where one is meant. */
#include "cli/nbctl/nbctl.h"

static const struct ovsdb_table_desc *const LS = &nb_table_logical_switch;

void
switch_need(struct ctl *c, const char *id, uint64_t columns)
{
    struct uuid uuid;

    ctl_need_str(c, LS, columns, NB_LOGICAL_SWITCH_NAME, id);
    if (strlen(id) == UUID_LEN && uuid_parse(id, &uuid)) {
        ctl_need_uuid(c, LS, columns, &uuid);
    }
}

const char *
switch_find(struct ctl *c, const char *id, bool must_exist, struct view_row **row)
{
    struct uuid uuid;
    size_t n;

    *row = NULL;
    if (strlen(id) == UUID_LEN && uuid_parse(id, &uuid)) {
        *row = view_get(&c->view, LS, &uuid);
    }
    if (!*row) {
        struct view_row **rows = view_find_str(&c->view, LS, NB_LOGICAL_SWITCH_NAME, id, &n);
        if (n > 1) {
            return ctl_error(c, "Multiple logical switches named '%s'.  Use a UUID.", id);
        }
        *row = n ? rows[0] : NULL;
    }
    return !*row && must_exist ? ctl_error(c, "%s: switch %s not found", id, strlen(id) == UUID_LEN && uuid_parse(id, &uuid)
                                           ? "UUID" : "name") : NULL;
}

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
        switch_need(c, ctl_arg(c, 1), 0);
    } else {
        ctl_need(c, LS, 0, "false");
    }
    return NULL;
}

static const char *
switch_add(struct ctl *c)
{
    const char *name = ctl_arg(c, 1);
    bool may_exist = ctl_has(c, "--may-exist"), duplicate = ctl_has(c, "--add-duplicate");
    size_t n;

    if (may_exist && duplicate) {
        return ctl_error(c, "--may-exist and --add-duplicate may not be used together");
    }
    if (!name && (may_exist || duplicate)) {
        return ctl_error(c, "%s requires specifying a name", may_exist ? "--may-exist" : "--add-duplicate");
    }
    if (name && !duplicate) {
        view_find_str(&c->view, LS, NB_LOGICAL_SWITCH_NAME, name, &n);
        if (n) {
            return may_exist ? NULL : ctl_error(c, "%s: a switch with this name already exists", name);
        }
        view_verify_absent(&c->view, LS, NB_LOGICAL_SWITCH_NAME, name);
    }
    struct view_row *row = view_insert(&c->view, LS, NULL);
    if (name) {
        view_set_str(row, NB_LOGICAL_SWITCH_NAME, name);
    }
    return NULL;
}

static const char *
switch_del(struct ctl *c)
{
    struct view_row *row;

    TRY(switch_find(c, ctl_arg(c, 1), !ctl_has(c, "--if-exists"), &row));
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
    size_t n;
    struct view_row **rows = view_rows(&c->view, LS, &n);

    view_sort_by_str(rows, n, NB_LOGICAL_SWITCH_NAME);
    for (size_t i = 0; i < n; i++) {
        ctl_print(c, UUID_FMT " (%s)\n", UUID_ARGS(&rows[i]->uuid), view_str(rows[i], NB_LOGICAL_SWITCH_NAME));
    }
    return NULL;
}

static const struct ctl_command commands[] = {
    { "ls-add", "--may-exist --add-duplicate", "[SWITCH]", 0, 1, "create a logical switch named SWITCH", needs_switch, switch_add,
      CTL_WRITES },
    { "ls-del", "--if-exists", "SWITCH", 1, 1, "delete SWITCH and all its ports", needs_switch, switch_del, CTL_WRITES },
    { "ls-list", NULL, "", 0, 0, "print the UUIDs and names of all logical switches", needs_all_names, switch_list, 0 },
    { NULL },
};
const struct ctl_group nbctl_switch_group = { "Logical switch commands", commands };

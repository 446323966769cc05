/* ha_chassis.c - groups of chassis that stand in for one another. ovn-nbctl(8), "HA Chassis Group commands". */
#include "cli/nbctl/nbctl.h"

static const struct ovsdb_table_desc *const GROUP = &nb_table_ha_chassis_group, *const CHASSIS = &nb_table_ha_chassis;

#define MEMBERS OVSDB_COLUMN(NB_HA_CHASSIS_GROUP_HA_CHASSIS)
#define CHASSIS_COLUMNS (OVSDB_COLUMN(NB_HA_CHASSIS_CHASSIS_NAME) | OVSDB_COLUMN(NB_HA_CHASSIS_PRIORITY))

static const char *
needs(struct ctl *c)
{
    noun_need(c, &noun_ha_group, ctl_arg(c, 1), MEMBERS);
    noun_expect(c, CHASSIS, CHASSIS_COLUMNS);
    return NULL;
}

static const char *
group_add(struct ctl *c)
{
    struct view_row *group;

    return noun_insert(c, &noun_ha_group, ctl_arg(c, 1), "an HA chassis group", ctl_has(c, "--may-exist"), &group);
}

static const char *
group_del(struct ctl *c)
{
    struct view_row *group;

    TRY(noun_find(c, &noun_ha_group, ctl_arg(c, 1), !ctl_has(c, "--if-exists"), &group));
    if (group) {
        view_delete(group);
    }
    return NULL;
}

/* The group and its member on the chassis that the second argument names, or NULL. */
static const char *
find_member(struct ctl *c, struct view_row **group, struct view_row **member)
{
    struct view_row **rows;
    size_t n;

    *member = NULL;
    TRY(noun_find(c, &noun_ha_group, ctl_arg(c, 1), true, group));
    TRY(noun_members(c, *group, NB_HA_CHASSIS_GROUP_HA_CHASSIS, CHASSIS_COLUMNS, &rows, &n));
    for (size_t i = 0; i < n; i++) {
        if (str_eq(view_str(rows[i], NB_HA_CHASSIS_CHASSIS_NAME), ctl_arg(c, 2))) {
            *member = rows[i];
        }
    }
    return NULL;
}

static const char *
not_found(struct ctl *c)
{
    return ctl_error(c, "%s: ha chassis not found in %s ha chassis group", ctl_arg(c, 2), ctl_arg(c, 1));
}

static const char *
chassis_add(struct ctl *c)
{
    struct view_row *group, *member;
    int64_t priority;

    TRY(find_member(c, &group, &member));
    TRY(noun_parse_priority(c, ctl_arg(c, 3), &priority));
    if (!member) {
        view_verify(group, NB_HA_CHASSIS_GROUP_HA_CHASSIS);
        member = view_insert(&c->view, CHASSIS, NULL);
        view_set_str(member, NB_HA_CHASSIS_CHASSIS_NAME, ctl_arg(c, 2));
        view_add_ref(group, NB_HA_CHASSIS_GROUP_HA_CHASSIS, member);
    }
    view_set(member, NB_HA_CHASSIS_PRIORITY, datum_of_int(&c->arena, priority));
    return NULL;
}

static const char *
chassis_set(struct ctl *c)
{
    struct view_row *group, *member;
    int64_t priority;

    TRY(find_member(c, &group, &member));
    if (!member) {
        return not_found(c);
    }
    TRY(noun_parse_priority(c, ctl_arg(c, 3), &priority));
    view_set(member, NB_HA_CHASSIS_PRIORITY, datum_of_int(&c->arena, priority));
    return NULL;
}

static const char *
chassis_remove(struct ctl *c)
{
    struct view_row *group, *member;

    TRY(find_member(c, &group, &member));
    if (!member) {
        return not_found(c);
    }
    view_remove_ref(group, NB_HA_CHASSIS_GROUP_HA_CHASSIS, member);
    view_delete(member);
    return NULL;
}

static const char *
list_needs(struct ctl *c)
{
    const uint64_t columns = MEMBERS | OVSDB_COLUMN(NB_HA_CHASSIS_GROUP_NAME);

    if (ctl_arg(c, 1)) {
        noun_need(c, &noun_ha_group, ctl_arg(c, 1), columns);
        noun_expect(c, CHASSIS, CHASSIS_COLUMNS);
    } else {
        ctl_need_all(c, GROUP, columns);
        ctl_need_all(c, CHASSIS, CHASSIS_COLUMNS);
    }
    return NULL;
}

static const char *
group_list(struct ctl *c)
{
    struct view_row **rows, *one, **members;
    size_t n, n_members;

    if (ctl_arg(c, 1)) {
        TRY(noun_find(c, &noun_ha_group, ctl_arg(c, 1), true, &one));
        rows = &one;
        n = 1;
    } else {
        rows = view_rows(&c->view, GROUP, &n);
        view_sort_by_str(rows, n, NB_HA_CHASSIS_GROUP_NAME);
    }
    for (size_t i = 0; i < n; i++) {
        ctl_print(c, UUID_FMT " (%s)\n", UUID_ARGS(&rows[i]->uuid), view_str(rows[i], NB_HA_CHASSIS_GROUP_NAME));
        TRY(noun_members(c, rows[i], NB_HA_CHASSIS_GROUP_HA_CHASSIS, CHASSIS_COLUMNS, &members, &n_members));
        view_sort_by_str(members, n_members, NB_HA_CHASSIS_CHASSIS_NAME);
        for (size_t j = 0; j < n_members; j++) {
            ctl_print(c, "    " UUID_FMT " (%s)\n    priority %lld\n\n", UUID_ARGS(&members[j]->uuid),
                      view_str(members[j], NB_HA_CHASSIS_CHASSIS_NAME), (long long) view_int(members[j], NB_HA_CHASSIS_PRIORITY, 0));
        }
        ctl_print(c, "\n");
    }
    return NULL;
}

static const struct ctl_command commands[] = {
    { "ha-chassis-group-add", "--may-exist", "GROUP", 1, 1, "create HA chassis group GROUP", needs, group_add, CTL_WRITES },
    { "ha-chassis-group-del", "--if-exists", "GROUP", 1, 1, "delete it", needs, group_del, CTL_WRITES },
    { "ha-chassis-group-list", NULL, "[GROUP]", 0, 1, "print the HA chassis groups", list_needs, group_list, 0 },
    { "ha-chassis-group-add-chassis", NULL, "GROUP CHASSIS PRIORITY", 3, 3, "add CHASSIS to GROUP, or change its priority", needs,
      chassis_add, CTL_WRITES },
    { "ha-chassis-group-remove-chassis", NULL, "GROUP CHASSIS", 2, 2, "remove CHASSIS from GROUP", needs, chassis_remove, CTL_WRITES },
    { "ha-chassis-group-set-chassis-prio", NULL, "GROUP CHASSIS PRIORITY", 3, 3, "change the priority of CHASSIS", needs, chassis_set,
      CTL_WRITES },
    { NULL },
};
const struct ctl_group nbctl_ha_group = { "HA chassis group commands", commands };

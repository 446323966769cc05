/* acl.c - acl-add, acl-del, acl-list. ovn-nbctl(8), "ACL Commands".
 *
 * An ACL belongs to a switch or to a port group, which may have the same name; --type says which is meant. */
#include "cli/nbctl/nbctl.h"

#include <stdlib.h>

static const struct ovsdb_table_desc *const ACL = &nb_table_acl;

#define COL(C) OVSDB_COLUMN(NB_ACL_##C)
#define IDENTITY (COL(PRIORITY) | COL(DIRECTION) | COL(MATCH) | COL(TIER) | COL(OPTIONS))

/* ---- whose ACLs ---- */

/* --type: which of the two may be meant. */
static const char *
owner_types(struct ctl *c, bool *is_switch, bool *is_group)
{
    const char *type = ctl_option(c, "--type");

    *is_switch = !type || str_eq(type, "switch");
    *is_group = !type || str_eq(type, "port-group");
    return *is_switch || *is_group ? NULL : ctl_error(c, "Invalid value '%s' for option --type", type);
}

static const char *
owner_needs(struct ctl *c)
{
    bool is_switch, is_group;

    TRY(owner_types(c, &is_switch, &is_group));
    if (is_switch) {
        noun_need(c, &noun_switch, ctl_arg(c, 1), NB_LS(ACLS));
    }
    if (is_group) {
        noun_need(c, &noun_port_group, ctl_arg(c, 1), OVSDB_COLUMN(NB_PORT_GROUP_ACLS));
    }
    return NULL;
}

static const char *
owner_find(struct ctl *c, struct view_row **owner, uint16_t *column)
{
    struct view_row *ls = NULL, *group = NULL;
    const char *id = ctl_arg(c, 1);
    bool is_switch, is_group;

    TRY(owner_types(c, &is_switch, &is_group));
    if (is_switch) {
        TRY(noun_find(c, &noun_switch, id, !is_group, &ls));
    }
    if (is_group) {
        TRY(noun_find(c, &noun_port_group, id, !is_switch, &group));
    }
    if (ls && group) {
        return ctl_error(c, "Same name '%s' exists in both port-groups and logical switches. Specify --type=port-group or switch, or use "
                         "a UUID.", id);
    }
    *owner = ls ? ls : group;
    *column = ls ? NB_LOGICAL_SWITCH_ACLS : NB_PORT_GROUP_ACLS;
    return *owner ? NULL : ctl_error(c, "'%s' is not found for port-group or switch.", id);
}

/* ---- acl-add ---- */

static const char *
add_needs(struct ctl *c)
{
    struct uuid uuid;

    if (ctl_arg(c, 6)) {
        noun_need(c, &noun_nfg, ctl_arg(c, 6), 0);
    }
    for (int i = 0; i < 2; i++) {
        const char *sample = ctl_option(c, i ? "--sample-est" : "--sample-new");
        if (sample && !noun_is_uuid(sample, &uuid) && *sample != '@') {
            return ctl_error(c, "%s: a sample is named by its UUID (e.g. that \"create Sample metadata=1\" prints)", sample);
        }
        if (sample) {
            TRY(ctl_need_record(c, &nb_table_sample, sample, 0));
        }
    }
    noun_expect(c, ACL, IDENTITY);
    return owner_needs(c);
}

static bool
is_one_of(const char *s, const char *const *names)
{
    while (*names && !str_eq(s, *names)) {
        names++;
    }
    return *names;
}

static const char *
parse_action(struct ctl *c, const char *action)
{
    static const char *const actions[] = { "allow", "allow-related", "allow-stateless", "drop", "reject", "pass", NULL };

    return is_one_of(action, actions)
               ? NULL : ctl_error(c, "%s: action must be one of \"allow\", \"allow-related\", \"allow-stateless\", \"drop\", \"reject\", and \"pass\"", action);
}

static const char *
check_severity(struct ctl *c)
{
    static const char *const severities[] = { "alert", "warning", "notice", "info", "debug", NULL };
    const char *severity = ctl_option(c, "--severity");

    return !severity || is_one_of(severity, severities) ? NULL : ctl_error(c, "bad severity: %s", severity);
}

/* --log, --name, --severity, --meter. */
static void
set_logging(struct ctl *c, struct view_row *acl)
{
    const char *severity = ctl_option(c, "--severity"), *name = ctl_option(c, "--name"), *meter = ctl_option(c, "--meter");

    if (severity) {
        view_set_str(acl, NB_ACL_SEVERITY, severity);
    }
    if (name) {
        view_set_str(acl, NB_ACL_NAME, name);
    }
    if (meter) {
        view_set_str(acl, NB_ACL_METER, meter);
    }
    view_set(acl, NB_ACL_LOG, datum_of_bool(&c->arena, ctl_has(c, "--log") || severity || name || meter));
}

static const char *
set_sample(struct ctl *c, struct view_row *acl, const char *option, uint16_t column)
{
    const char *id = ctl_option(c, option);
    struct view_row *sample;

    if (id) {
        TRY(ctl_check_has(c, ACL, &ACL->columns[column]));
        TRY(ctl_find_record(c, &nb_table_sample, id, true, &sample));
        noun_set_ref(c, acl, column, sample);
    }
    return NULL;
}

/* What only newer databases have: tier, samples, the network function group. */
static const char *
set_newer(struct ctl *c, struct view_row *acl, const char *action, int64_t tier)
{
    struct view_row *group;

    if (tier) {
        TRY(ctl_check_has(c, ACL, &ACL->columns[NB_ACL_TIER]));
        view_set(acl, NB_ACL_TIER, datum_of_int(&c->arena, tier));
    }
    TRY(set_sample(c, acl, "--sample-new", NB_ACL_SAMPLE_NEW));
    TRY(set_sample(c, acl, "--sample-est", NB_ACL_SAMPLE_EST));
    if (ctl_arg(c, 6)) {
        TRY(noun_find(c, &noun_nfg, ctl_arg(c, 6), true, &group));
        if (!str_eq(action, "allow") && !str_eq(action, "allow-related")) {
            return ctl_error(c, "%s: a network function group needs action \"allow\" or \"allow-related\"", action);
        }
        noun_set_ref(c, acl, NB_ACL_NETWORK_FUNCTION_GROUP, group);
    }
    return NULL;
}

static bool
is_after_lb(struct view_row *acl)
{
    const char *s = view_map_str(acl, NB_ACL_OPTIONS, "apply-after-lb");
    return s && str_eq(s, "true");
}

static bool
is_same(struct view_row *acl, const char *direction, int64_t priority, const char *match)
{
    return str_eq(view_str(acl, NB_ACL_DIRECTION), direction) && view_int(acl, NB_ACL_PRIORITY, 0) == priority
           && str_eq(view_str(acl, NB_ACL_MATCH), match);
}

static const char *
acl_add(struct ctl *c)
{
    const char *direction, *match = ctl_arg(c, 4), *action = ctl_arg(c, 5);
    int64_t priority, label = 0, tier = 0;
    struct view_row *owner, **rows;
    uint16_t column;
    size_t n;

    TRY(owner_find(c, &owner, &column));
    TRY(noun_parse_direction(c, ctl_arg(c, 2), &direction));
    TRY(noun_parse_priority(c, ctl_arg(c, 3), &priority));
    TRY(parse_action(c, action));
    TRY(check_severity(c));
    if (ctl_has(c, "--label")) {
        TRY(noun_parse_range(c, ctl_option(c, "--label"), "label", 0, UINT32_MAX, &label));
        if (!str_eq(action, "allow") && !str_eq(action, "allow-related")) {
            return ctl_error(c, "label can only be set with actions \"allow\" or \"allow-related\"");
        }
    }
    if (ctl_has(c, "--tier")) {
        TRY(noun_parse_range(c, ctl_option(c, "--tier"), "tier", 0, 3, &tier));
    }
    bool after_lb = ctl_has(c, "--apply-after-lb") && str_eq(direction, "from-lport");
    TRY(noun_members(c, owner, column, IDENTITY, &rows, &n));
    for (size_t i = 0; i < n; i++) {
        if (is_same(rows[i], direction, priority, match) && view_int(rows[i], NB_ACL_TIER, 0) == tier && is_after_lb(rows[i]) == after_lb) {
            return ctl_has(c, "--may-exist") ? NULL : ctl_error(c, "Same ACL already existed on the ls %s.", ctl_arg(c, 1));
        }
    }
    view_verify(owner, column);
    struct view_row *acl = view_insert(&c->view, ACL, NULL);
    view_set(acl, NB_ACL_PRIORITY, datum_of_int(&c->arena, priority));
    view_set_str(acl, NB_ACL_DIRECTION, direction);
    view_set_str(acl, NB_ACL_MATCH, match);
    view_set_str(acl, NB_ACL_ACTION, action);
    if (label) {
        view_set(acl, NB_ACL_LABEL, datum_of_int(&c->arena, label));
    }
    if (after_lb) {
        noun_put(c, acl, NB_ACL_OPTIONS, "apply-after-lb", "true");
    }
    set_logging(c, acl);
    TRY(set_newer(c, acl, action, tier));
    view_add_ref(owner, column, acl);
    return NULL;
}

/* ---- order ---- */

static int
compare_identity(struct view_row *a, struct view_row *b)
{
    int cmp = strcmp(view_str(a, NB_ACL_DIRECTION), view_str(b, NB_ACL_DIRECTION));
    int64_t ta = view_int(a, NB_ACL_TIER, 0), tb = view_int(b, NB_ACL_TIER, 0);
    int64_t pa = view_int(a, NB_ACL_PRIORITY, 0), pb = view_int(b, NB_ACL_PRIORITY, 0);

    if (cmp || ta != tb) {
        return cmp ? cmp : ta < tb ? -1 : 1;
    }
    if (pa != pb) {
        return pa > pb ? -1 : 1;
    }
    return strcmp(view_str(a, NB_ACL_MATCH), view_str(b, NB_ACL_MATCH));
}

static int
compare_acls(const void *a_, const void *b_)
{
    struct view_row *a = *(struct view_row *const *) a_, *b = *(struct view_row *const *) b_;
    int cmp = compare_identity(a, b);

    return cmp ? cmp : uuid_compare(&a->uuid, &b->uuid);
}

/* As they are listed. */
static int
compare_listed(const void *a_, const void *b_)
{
    struct view_row *a = *(struct view_row *const *) a_, *b = *(struct view_row *const *) b_;
    int cmp = compare_identity(a, b);

    cmp = cmp ? cmp : is_after_lb(a) - is_after_lb(b);
    return cmp ? cmp : uuid_compare(&a->uuid, &b->uuid);
}

/* ---- acl-del ---- */

static const char *
del_needs(struct ctl *c)
{
    noun_expect(c, ACL, IDENTITY);
    return owner_needs(c);
}

static const char *
acl_del(struct ctl *c)
{
    const char *direction = NULL, *match = ctl_arg(c, 4);
    int64_t priority = 0, tier = -1;
    struct view_row *owner, **rows;
    uint16_t column;
    size_t n;

    TRY(owner_find(c, &owner, &column));
    if (ctl_arg(c, 2)) {
        TRY(noun_parse_direction(c, ctl_arg(c, 2), &direction));
    }
    if (ctl_arg(c, 3) && !match) {
        return ctl_error(c, "cannot specify priority without match");
    }
    if (match) {
        TRY(noun_parse_priority(c, ctl_arg(c, 3), &priority));
    }
    if (ctl_has(c, "--tier")) {
        TRY(noun_parse_range(c, ctl_option(c, "--tier"), "tier", 0, 3, &tier));
    }
    TRY(noun_members(c, owner, column, IDENTITY, &rows, &n));
    qsort(rows, n, sizeof *rows, compare_acls);
    for (size_t i = 0; i < n; i++) {
        if ((direction && !str_eq(view_str(rows[i], NB_ACL_DIRECTION), direction))
            || (match && !is_same(rows[i], direction, priority, match)) || (tier >= 0 && view_int(rows[i], NB_ACL_TIER, 0) != tier)) {
            continue;
        }
        view_remove_ref(owner, column, rows[i]);
        if (match) {
            break;
        }
    }
    return NULL;
}

/* ---- acl-list ---- */

#define LISTED (IDENTITY | COL(ACTION) | COL(LOG) | COL(NAME) | COL(SEVERITY) | COL(METER) | COL(LABEL) \
                | COL(SAMPLE_NEW) | COL(SAMPLE_EST) | COL(NETWORK_FUNCTION_GROUP))

#define GROUP_COLUMNS (OVSDB_COLUMN(NB_PORT_GROUP_PORTS) | OVSDB_COLUMN(NB_PORT_GROUP_ACLS))

static const char *
list_needs(struct ctl *c)
{
    bool is_switch, is_group;

    TRY(owner_types(c, &is_switch, &is_group));
    noun_expect(c, ACL, LISTED);
    if (ctl_has(c, "--all") && is_switch) {
        noun_need(c, &noun_switch, ctl_arg(c, 1), NB_LS(PORTS));
        ctl_need_all(c, &nb_table_port_group, GROUP_COLUMNS);
    }
    return owner_needs(c);
}

static void
print_logging(struct ctl *c, struct view_row *acl)
{
    const char *name = view_str(acl, NB_ACL_NAME), *severity = view_str(acl, NB_ACL_SEVERITY), *meter = view_str(acl, NB_ACL_METER);
    const char *comma = "";

    ctl_print(c, " log(");
    if (name) {
        ctl_print(c, "name=%s", name);
        comma = ",";
    }
    if (severity) {
        ctl_print(c, "%sseverity=%s", comma, severity);
        comma = ",";
    }
    if (meter) {
        ctl_print(c, "%smeter=\"%s\"", comma, meter);
    }
    ctl_print(c, ")");
}

static void
print_acl(struct ctl *c, struct view_row *acl)
{
    int64_t label = view_int(acl, NB_ACL_LABEL, 0), tier = view_int(acl, NB_ACL_TIER, 0);

    ctl_print(c, "%10s %5lld (%s) %s", view_str(acl, NB_ACL_DIRECTION), (long long) view_int(acl, NB_ACL_PRIORITY, 0),
              view_str(acl, NB_ACL_MATCH), view_str(acl, NB_ACL_ACTION));
    if (view_bool(acl, NB_ACL_LOG, false)) {
        print_logging(c, acl);
    }
    if (label) {
        ctl_print(c, " label=%lld", (long long) label);
    }
    if (tier) {
        ctl_print(c, " tier=%lld", (long long) tier);
    }
    if (is_after_lb(acl)) {
        ctl_print(c, " [after-lb]");
    }
    ctl_print(c, "\n");
}

/* A port of LS is in GROUP. */
static bool
has_port_in(struct view_row *ls, struct view_row *group)
{
    const struct datum *ours = view_datum(ls, NB_LOGICAL_SWITCH_PORTS), *theirs = view_datum(group, NB_PORT_GROUP_PORTS);
    const struct datum *few = ours->n < theirs->n ? ours : theirs, *many = few == ours ? theirs : ours;

    for (size_t i = 0; i < few->n; i++) {
        if (datum_find(many, &few->k[i], OVSDB_UUID) != SIZE_MAX) {
            return true;
        }
    }
    return false;
}

/* --all: to the ACLs of LS come those of the port groups that its ports are in, each once. */
static const char *
add_those_of_groups(struct ctl *c, struct view_row *ls, struct view_row ***rows, size_t *n)
{
    size_t n_groups, n_kept = 0, n_all = *n, n_more;
    struct view_row **groups = view_rows(&c->view, &nb_table_port_group, &n_groups), **more;

    for (size_t i = 0; i < n_groups; i++) {
        if (has_port_in(ls, groups[i])) {
            n_all += view_datum(groups[i], NB_PORT_GROUP_ACLS)->n;
            groups[n_kept++] = groups[i];
        }
    }
    TRY(noun_fetch_members(c, groups, n_kept, NB_PORT_GROUP_ACLS, LISTED));
    struct view_row **all = ARENA_NEW(&c->arena, struct view_row *, n_all);
    memcpy(all, *rows, *n * sizeof *all);
    for (size_t i = 0; i < n_kept; i++) {
        TRY(noun_members(c, groups[i], NB_PORT_GROUP_ACLS, LISTED, &more, &n_more));
        memcpy(all + *n, more, n_more * sizeof *all);
        *n += n_more;
    }
    *rows = all;
    return NULL;
}

static const char *
acl_list(struct ctl *c)
{
    struct view_row *owner, **rows;
    uint16_t column;
    size_t n;

    TRY(owner_find(c, &owner, &column));
    TRY(noun_members(c, owner, column, LISTED, &rows, &n));
    if (ctl_has(c, "--all") && column == NB_LOGICAL_SWITCH_ACLS) {
        TRY(add_those_of_groups(c, owner, &rows, &n));
    }
    qsort(rows, n, sizeof *rows, compare_listed);
    for (size_t i = 0; i < n; i++) {
        if (!i || rows[i] != rows[i - 1]) {    /* One ACL may be in several groups. */
            print_acl(c, rows[i]);
        }
    }
    return NULL;
}

static const struct ctl_command commands[] = {
    { "acl-add", "--type={switch|port-group} --log --severity=SEVERITY --name=NAME --meter=METER --label=LABEL --tier=TIER "
      "--apply-after-lb --sample-new=SAMPLE --sample-est=SAMPLE --may-exist",
      "{SWITCH | PORTGROUP} DIRECTION PRIORITY MATCH ACTION [NETWORK-FUNCTION-GROUP]", 5, 6,
      "add an ACL: DIRECTION is from-lport or to-lport,\nACTION allow, allow-related, allow-stateless, drop, reject or pass",
      add_needs, acl_add, CTL_WRITES },
    { "acl-del", "--type={switch|port-group} --tier=TIER", "{SWITCH | PORTGROUP} [DIRECTION [PRIORITY MATCH]]", 1, 4,
      "remove one ACL, those of a direction, or all", del_needs, acl_del, CTL_WRITES },
    { "acl-list", "--type={switch|port-group} --all", "{SWITCH | PORTGROUP}", 1, 1,
      "print the ACLs; with --all also those of the port groups\nthat ports of SWITCH are in", list_needs, acl_list, 0 },
    { NULL },
};
const struct ctl_group nbctl_acl_group = { "ACL commands", commands };

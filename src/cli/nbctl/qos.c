/* qos.c - qos-add, qos-del, qos-list. ovn-nbctl(8), "Logical Switch QoS Rule Commands". */
#include "cli/nbctl/nbctl.h"

#include <limits.h>
#include <stdlib.h>

static const struct ovsdb_table_desc *const QOS = &nb_table_qos;

#define COL(C) OVSDB_COLUMN(NB_QOS_##C)
#define IDENTITY (COL(PRIORITY) | COL(DIRECTION) | COL(MATCH))
#define LISTED (IDENTITY | COL(ACTION) | COL(BANDWIDTH))

static const char *
needs(struct ctl *c)
{
    noun_need(c, &noun_switch, ctl_arg(c, 1), NB_LS(QOS_RULES));
    noun_expect(c, QOS, LISTED);
    return NULL;
}

static bool
is_same(struct view_row *rule, const char *direction, int64_t priority, const char *match)
{
    return str_eq(view_str(rule, NB_QOS_DIRECTION), direction) && view_int(rule, NB_QOS_PRIORITY, 0) == priority
           && str_eq(view_str(rule, NB_QOS_MATCH), match);
}

/* dscp=, mark=, rate=, burst=. */
struct settings {
    int64_t dscp, mark, rate, burst;   /* -1: not given. */
};

static const char *
parse_setting(struct ctl *c, const char *arg, struct settings *s)
{
    const struct {
        const char *name;
        int64_t min, max, *value;
    } known[] = {
        { "dscp", 0, 63, &s->dscp }, { "mark", 1, UINT32_MAX, &s->mark }, { "rate", 1, UINT32_MAX, &s->rate },
        { "burst", 1, UINT32_MAX, &s->burst },
    };
    for (size_t i = 0; i < ARRAY_SIZE(known); i++) {
        const char *rest = str_after(arg, known[i].name);
        if (rest && *rest == '=') {
            return noun_parse_int(c, rest + 1, known[i].min, known[i].max, known[i].value)
                       ? NULL : ctl_error(c, "%s: %s must be in the range %lld...%lld", rest + 1, known[i].name,
                                          (long long) known[i].min, (long long) known[i].max);
        }
    }
    return ctl_error(c, "%s: supported arguments are \"dscp=\", \"mark=\", \"rate=\", and \"burst=\"", arg);
}

/* A map from texts to integers. */
static void
put_int(struct ctl *c, struct view_row *row, uint16_t column, const char *key, int64_t value)
{
    struct datum d = { .n = 1, .k = ARENA_NEW(&c->arena, union datum_atom, 1), .v = ARENA_NEW(&c->arena, union datum_atom, 1) };

    if (value >= 0) {
        d.k->s = key;
        d.v->i = value;
        view_put(row, column, d);
    }
}

static const char *
qos_add(struct ctl *c)
{
    struct settings s = { -1, -1, -1, -1 };
    struct view_row *ls, **rows;
    const char *direction;
    int64_t priority;
    size_t n;

    TRY(noun_parse_direction(c, ctl_arg(c, 2), &direction));
    TRY(noun_parse_priority(c, ctl_arg(c, 3), &priority));
    for (int i = 5; ctl_arg(c, i); i++) {
        TRY(parse_setting(c, ctl_arg(c, i), &s));
    }
    if (s.dscp < 0 && s.rate < 0 && s.mark < 0) {
        return ctl_error(c, "Either \"rate\" and/or \"dscp\" must be specified");
    }
    TRY(noun_find(c, &noun_switch, ctl_arg(c, 1), true, &ls));
    TRY(noun_members(c, ls, NB_LOGICAL_SWITCH_QOS_RULES, LISTED, &rows, &n));
    for (size_t i = 0; i < n; i++) {
        if (is_same(rows[i], direction, priority, ctl_arg(c, 4))) {
            return ctl_has(c, "--may-exist") ? NULL : ctl_error(c, "Same qos already existed on the ls %s.", ctl_arg(c, 1));
        }
    }
    view_verify(ls, NB_LOGICAL_SWITCH_QOS_RULES);
    struct view_row *rule = view_insert(&c->view, QOS, NULL);
    view_set(rule, NB_QOS_PRIORITY, datum_of_int(&c->arena, priority));
    view_set_str(rule, NB_QOS_DIRECTION, direction);
    view_set_str(rule, NB_QOS_MATCH, ctl_arg(c, 4));
    put_int(c, rule, NB_QOS_ACTION, "dscp", s.dscp);
    put_int(c, rule, NB_QOS_ACTION, "mark", s.mark);
    put_int(c, rule, NB_QOS_BANDWIDTH, "rate", s.rate);
    put_int(c, rule, NB_QOS_BANDWIDTH, "burst", s.burst);
    view_add_ref(ls, NB_LOGICAL_SWITCH_QOS_RULES, rule);
    return NULL;
}

static const char *
del_by_uuid(struct ctl *c, struct view_row *ls, const struct uuid *uuid)
{
    const struct datum *rules = view_datum(ls, NB_LOGICAL_SWITCH_QOS_RULES);

    if (ctl_arg(c, 3)) {
        return ctl_error(c, "uuid must be the only argument");
    }
    if (datum_find(rules, &(union datum_atom) { .u = *uuid }, OVSDB_UUID) == SIZE_MAX) {
        return ctl_error(c, "uuid is not found");
    }
    view_remove(ls, NB_LOGICAL_SWITCH_QOS_RULES, datum_of_uuid(&c->arena, uuid));
    return NULL;
}

static const char *
qos_del(struct ctl *c)
{
    const char *direction = NULL, *match = ctl_arg(c, 4);
    struct view_row *ls, **rows;
    int64_t priority = 0;
    struct uuid uuid;
    size_t n;

    TRY(noun_find(c, &noun_switch, ctl_arg(c, 1), true, &ls));
    if (ctl_arg(c, 2) && noun_is_uuid(ctl_arg(c, 2), &uuid)) {
        return del_by_uuid(c, ls, &uuid);
    }
    if (ctl_arg(c, 2)) {
        TRY(noun_parse_direction(c, ctl_arg(c, 2), &direction));
    }
    if (ctl_arg(c, 3) && !match) {
        return ctl_error(c, "cannot specify priority without match");
    }
    if (match) {
        TRY(noun_parse_priority(c, ctl_arg(c, 3), &priority));
    }
    TRY(noun_members(c, ls, NB_LOGICAL_SWITCH_QOS_RULES, LISTED, &rows, &n));
    for (size_t i = 0; i < n; i++) {
        if ((!direction || str_eq(view_str(rows[i], NB_QOS_DIRECTION), direction))
            && (!match || is_same(rows[i], direction, priority, match))) {
            view_remove_ref(ls, NB_LOGICAL_SWITCH_QOS_RULES, rows[i]);
        }
    }
    return NULL;
}

static int
compare_rules(const void *a_, const void *b_)
{
    struct view_row *a = *(struct view_row *const *) a_, *b = *(struct view_row *const *) b_;
    int cmp = strcmp(view_str(a, NB_QOS_DIRECTION), view_str(b, NB_QOS_DIRECTION));
    int64_t pa = view_int(a, NB_QOS_PRIORITY, 0), pb = view_int(b, NB_QOS_PRIORITY, 0);

    if (cmp || pa != pb) {
        return cmp ? cmp : pa > pb ? -1 : 1;
    }
    cmp = strcmp(view_str(a, NB_QOS_MATCH), view_str(b, NB_QOS_MATCH));
    return cmp ? cmp : uuid_compare(&a->uuid, &b->uuid);
}

static void
print_ints(struct ctl *c, const struct datum *d, const char *key)
{
    size_t i = datum_find(d, &(union datum_atom) { .s = key }, OVSDB_STRING);

    if (i != SIZE_MAX) {
        ctl_print(c, " %s=%lld", key, (long long) d->v[i].i);
    }
}

static const char *
qos_list(struct ctl *c)
{
    struct view_row *ls, **rows;
    size_t n;

    TRY(noun_find(c, &noun_switch, ctl_arg(c, 1), true, &ls));
    TRY(noun_members(c, ls, NB_LOGICAL_SWITCH_QOS_RULES, LISTED, &rows, &n));
    qsort(rows, n, sizeof *rows, compare_rules);
    for (size_t i = 0; i < n; i++) {
        ctl_print(c, "%10s %5lld (%s)", view_str(rows[i], NB_QOS_DIRECTION), (long long) view_int(rows[i], NB_QOS_PRIORITY, 0),
                  view_str(rows[i], NB_QOS_MATCH));
        print_ints(c, view_datum(rows[i], NB_QOS_BANDWIDTH), "rate");
        print_ints(c, view_datum(rows[i], NB_QOS_BANDWIDTH), "burst");
        print_ints(c, view_datum(rows[i], NB_QOS_ACTION), "dscp");
        print_ints(c, view_datum(rows[i], NB_QOS_ACTION), "mark");
        ctl_print(c, "\n");
    }
    return NULL;
}

static const struct ctl_command commands[] = {
    { "qos-add", "--may-exist", "SWITCH DIRECTION PRIORITY MATCH [rate=RATE [burst=BURST]] [dscp=DSCP] [mark=MARK]", 5, INT_MAX,
      "mark packets, or limit their rate (kbps; burst in kilobits)", needs, qos_add, CTL_WRITES },
    { "qos-del", NULL, "SWITCH [{DIRECTION | UUID} [PRIORITY MATCH]]", 1, 4, "remove one QoS rule, those of a direction, or all", needs,
      qos_del, CTL_WRITES },
    { "qos-list", NULL, "SWITCH", 1, 1, "print the QoS rules of SWITCH", needs, qos_list, 0 },
    { NULL },
};
const struct ctl_group nbctl_qos_group = { "QoS commands", commands };

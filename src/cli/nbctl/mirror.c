/* mirror.c - mirror-add, mirror-del, mirror-list; rules of mirrors; lsp-attach-mirror, lsp-detach-mirror. ovn-nbctl(8), "Mirror
 * commands". Where the copies go: an address behind a tunnel (gre, erspan), an interface of the host (local), a logical port (lport). */
#include "cli/nbctl/nbctl.h"

#include <limits.h>
#include <stdlib.h>

static const struct ovsdb_table_desc *const MIRROR = &nb_table_mirror, *const RULE = &nb_table_mirror_rule;

#define COL(C) OVSDB_COLUMN(NB_MIRROR_##C)
#define RULE_COLUMNS (OVSDB_COLUMN(NB_MIRROR_RULE_PRIORITY) | OVSDB_COLUMN(NB_MIRROR_RULE_MATCH) | OVSDB_COLUMN(NB_MIRROR_RULE_ACTION))

/* ---- mirrors ---- */

static const char *
needs_name(struct ctl *c)
{
    if (ctl_arg(c, 1)) {
        noun_need(c, &noun_mirror, ctl_arg(c, 1), 0);
    } else {
        ctl_need_all(c, MIRROR, COL(NAME));
    }
    return NULL;
}

static const char *
parse_filter(struct ctl *c, const char *text, const char **filter)
{
    if (str_eq(text, "both")) {
        *filter = "both";
        return NULL;
    }
    return noun_parse_direction(c, text, filter)
               ? ctl_error(c, "%s: selection must be \"to-lport\", \"from-lport\" or \"both\"", text) : NULL;
}

static const char *
mirror_add(struct ctl *c)
{
    const char *name = ctl_arg(c, 1), *type = ctl_arg(c, 2), *filter, *sink;
    bool tunnel = str_eq(type, "gre") || str_eq(type, "erspan");
    struct view_row *mirror;
    struct ip_addr ip;
    int64_t index = 0;
    size_t n;
    int i = 3;

    if (!tunnel && !str_eq(type, "local") && !str_eq(type, "lport")) {
        return ctl_error(c, "%s: type must be \"gre\" or \"erspan\" (to an address), \"local\" or \"lport\"", type);
    }
    if (c->call->argc != (tunnel ? 6 : 5)) {
        return ctl_error(c, "mirror-add NAME %s, e.g. mirror-add m1 %s", tunnel ? "{gre | erspan} INDEX FILTER IP" : "{local | lport} FILTER SINK",
                         tunnel ? "gre 0 to-lport 10.0.0.1" : "lport both port1");
    }
    if (tunnel && !noun_parse_int(c, ctl_arg(c, i++), 0, UINT32_MAX, &index)) {
        return ctl_error(c, "Invalid Index");
    }
    TRY(parse_filter(c, ctl_arg(c, i++), &filter));
    sink = ctl_arg(c, i);
    if (tunnel && !noun_parse_ip(c, sink, &ip, NULL)) {
        return ctl_error(c, "%s: the destination of a %s mirror is an IP address, e.g. 10.0.0.1", sink, type);
    }
    view_find_str(&c->view, MIRROR, NB_MIRROR_NAME, name, &n);
    if (n) {
        return ctl_has(c, "--may-exist") ? NULL : ctl_error(c, "Mirror with %s name already exists.", name);
    }
    TRY(noun_insert(c, &noun_mirror, name, "a mirror", false, &mirror));
    view_set_str(mirror, NB_MIRROR_TYPE, type);
    view_set_str(mirror, NB_MIRROR_FILTER, filter);
    view_set_str(mirror, NB_MIRROR_SINK, sink);
    view_set(mirror, NB_MIRROR_INDEX, datum_of_int(&c->arena, index));
    return NULL;
}

static const char *
mirror_del(struct ctl *c)
{
    struct view_row **rows, *mirror;
    size_t n;

    if (ctl_arg(c, 1)) {
        TRY(noun_find(c, &noun_mirror, ctl_arg(c, 1), false, &mirror));
        if (mirror) {
            view_delete(mirror);
        }
        return NULL;
    }
    rows = view_rows(&c->view, MIRROR, &n);
    for (size_t i = 0; i < n; i++) {
        view_delete(rows[i]);
    }
    return NULL;
}

static const char *
list_needs(struct ctl *c)
{
    ctl_need_all(c, MIRROR, COL(NAME) | COL(TYPE) | COL(SINK) | COL(FILTER) | COL(INDEX) | COL(MIRROR_RULES));
    noun_expect(c, RULE, RULE_COLUMNS);
    return NULL;
}

/* As they are looked at: that of the highest priority first. */
static int
compare_rules(const void *a_, const void *b_)
{
    struct view_row *a = *(struct view_row *const *) a_, *b = *(struct view_row *const *) b_;
    int64_t pa = view_int(a, NB_MIRROR_RULE_PRIORITY, 0), pb = view_int(b, NB_MIRROR_RULE_PRIORITY, 0);
    int cmp = pa != pb ? (pa > pb ? -1 : 1) : strcmp(view_str(a, NB_MIRROR_RULE_MATCH), view_str(b, NB_MIRROR_RULE_MATCH));

    return cmp ? cmp : uuid_compare(&a->uuid, &b->uuid);
}

static const char *
mirror_list(struct ctl *c)
{
    size_t n, n_rules;
    struct view_row **rows = view_rows(&c->view, MIRROR, &n), **rules;

    TRY(noun_fetch_members(c, rows, n, NB_MIRROR_MIRROR_RULES, RULE_COLUMNS));
    view_sort_by_str(rows, n, NB_MIRROR_NAME);
    for (size_t i = 0; i < n; i++) {
        const char *type = view_str(rows[i], NB_MIRROR_TYPE);
        ctl_print(c, "%s:\n  Type     :  %s\n  Sink     :  %s\n  Filter   :  %s\n", view_str(rows[i], NB_MIRROR_NAME), type,
                  view_str(rows[i], NB_MIRROR_SINK), view_str(rows[i], NB_MIRROR_FILTER));
        if (str_eq(type, "gre") || str_eq(type, "erspan")) {
            ctl_print(c, "  Index/Key:  %lld\n", (long long) view_int(rows[i], NB_MIRROR_INDEX, 0));
        }
        TRY(noun_members(c, rows[i], NB_MIRROR_MIRROR_RULES, RULE_COLUMNS, &rules, &n_rules));
        qsort(rules, n_rules, sizeof *rules, compare_rules);
        for (size_t j = 0; j < n_rules; j++) {
            ctl_print(c, "%s%5lld  %s  %s\n", j ? "             " : "  Rules    : ",
                      (long long) view_int(rules[j], NB_MIRROR_RULE_PRIORITY, 0), view_str(rules[j], NB_MIRROR_RULE_ACTION),
                      view_str(rules[j], NB_MIRROR_RULE_MATCH));
        }
        ctl_print(c, "\n");
    }
    return NULL;
}

/* ---- rules ---- */

static const char *
rule_needs(struct ctl *c)
{
    noun_need(c, &noun_mirror, ctl_arg(c, 1), COL(MIRROR_RULES) | COL(TYPE));
    noun_expect(c, RULE, RULE_COLUMNS);
    return NULL;
}

static bool
is_same_rule(struct view_row *rule, int64_t priority, const char *match)
{
    return view_int(rule, NB_MIRROR_RULE_PRIORITY, 0) == priority && str_eq(view_str(rule, NB_MIRROR_RULE_MATCH), match);
}

static const char *
rule_add(struct ctl *c)
{
    const char *match = ctl_arg(c, 3), *action = ctl_arg(c, 4);
    struct view_row *mirror, **rules;
    int64_t priority;
    size_t n;

    TRY(noun_find(c, &noun_mirror, ctl_arg(c, 1), true, &mirror));
    TRY(ctl_check_has(c, MIRROR, &MIRROR->columns[NB_MIRROR_MIRROR_RULES]));
    TRY(noun_parse_priority(c, ctl_arg(c, 2), &priority));
    if (!str_eq(action, "mirror") && !str_eq(action, "skip")) {
        return ctl_error(c, "%s: action must be \"mirror\" or \"skip\"", action);
    }
    if (!str_eq(view_str(mirror, NB_MIRROR_TYPE), "lport")) {
        return ctl_error(c, "%s: only mirrors of type \"lport\" have rules", ctl_arg(c, 1));
    }
    TRY(noun_members(c, mirror, NB_MIRROR_MIRROR_RULES, RULE_COLUMNS, &rules, &n));
    for (size_t i = 0; i < n; i++) {
        if (is_same_rule(rules[i], priority, match)) {
            return ctl_has(c, "--may-exist") ? NULL : ctl_error(c, "Same rule already existed on the mirror %s.", ctl_arg(c, 1));
        }
    }
    view_verify(mirror, NB_MIRROR_MIRROR_RULES);
    struct view_row *rule = view_insert(&c->view, RULE, NULL);
    view_set(rule, NB_MIRROR_RULE_PRIORITY, datum_of_int(&c->arena, priority));
    view_set_str(rule, NB_MIRROR_RULE_MATCH, match);
    view_set_str(rule, NB_MIRROR_RULE_ACTION, action);
    view_add_ref(mirror, NB_MIRROR_MIRROR_RULES, rule);
    return NULL;
}

static const char *
rule_del(struct ctl *c)
{
    const char *match = ctl_arg(c, 3);
    struct view_row *mirror, **rules;
    int64_t priority = 0;
    size_t n;

    TRY(noun_find(c, &noun_mirror, ctl_arg(c, 1), true, &mirror));
    if (ctl_arg(c, 2)) {
        TRY(noun_parse_priority(c, ctl_arg(c, 2), &priority));
    }
    TRY(noun_members(c, mirror, NB_MIRROR_MIRROR_RULES, RULE_COLUMNS, &rules, &n));
    for (size_t i = 0; i < n; i++) {
        if (!ctl_arg(c, 2) || (match ? is_same_rule(rules[i], priority, match)
                                     : view_int(rules[i], NB_MIRROR_RULE_PRIORITY, 0) == priority)) {
            view_remove_ref(mirror, NB_MIRROR_MIRROR_RULES, rules[i]);
        }
    }
    return NULL;
}

/* ---- ports ---- */

static const char *
attach_needs(struct ctl *c)
{
    noun_need(c, &noun_port, ctl_arg(c, 1), NB_LSP(MIRROR_RULES));
    noun_need(c, &noun_mirror, ctl_arg(c, 2), COL(NAME));
    return NULL;
}

static const char *
attach(struct ctl *c)
{
    struct view_row *port, *mirror;

    TRY(noun_find(c, &noun_port, ctl_arg(c, 1), true, &port));
    TRY(noun_find(c, &noun_mirror, ctl_arg(c, 2), true, &mirror));
    const struct datum *has = view_datum(port, NB_LOGICAL_SWITCH_PORT_MIRROR_RULES);
    if (datum_find(has, &(union datum_atom) { .u = mirror->uuid }, OVSDB_UUID) != SIZE_MAX) {
        return ctl_has(c, "--may-exist") ? NULL : ctl_error(c, "mirror %s is already attached to the logical port %s.",
                                                            view_str(mirror, NB_MIRROR_NAME), ctl_arg(c, 1));
    }
    view_add_ref(port, NB_LOGICAL_SWITCH_PORT_MIRROR_RULES, mirror);
    return NULL;
}

static const char *
detach(struct ctl *c)
{
    struct view_row *port, *mirror;

    TRY(noun_find(c, &noun_port, ctl_arg(c, 1), true, &port));
    TRY(noun_find(c, &noun_mirror, ctl_arg(c, 2), true, &mirror));
    view_remove_ref(port, NB_LOGICAL_SWITCH_PORT_MIRROR_RULES, mirror);
    return NULL;
}

static const struct ctl_command commands[] = {
    { "mirror-add", "--may-exist", "NAME TYPE [INDEX] FILTER SINK", 4, 5,
      "add a mirror of what FILTER (to-lport, from-lport or both) says:\n{gre | erspan} INDEX FILTER IP, {local | lport} FILTER SINK",
      needs_name, mirror_add, CTL_WRITES },
    { "mirror-del", NULL, "[NAME]", 0, 1, "remove one mirror, or all", needs_name, mirror_del, CTL_WRITES },
    { "mirror-list", NULL, "", 0, 0, "print the mirrors", list_needs, mirror_list, 0 },
    { "mirror-rule-add", "--may-exist", "MIRROR PRIORITY MATCH ACTION", 4, 4,
      "let MIRROR (of type lport) mirror or skip packets that MATCH", rule_needs, rule_add, CTL_WRITES },
    { "mirror-rule-del", NULL, "MIRROR [PRIORITY [MATCH]]", 1, 3, "remove rules of MIRROR", rule_needs, rule_del, CTL_WRITES },
    { "lsp-attach-mirror", "--may-exist", "PORT MIRROR", 2, 2, "mirror PORT with MIRROR", attach_needs, attach, CTL_WRITES },
    { "lsp-detach-mirror", NULL, "PORT MIRROR", 2, 2, "and no longer", attach_needs, detach, CTL_WRITES },
    { NULL },
};
const struct ctl_group nbctl_mirror_group = { "Mirror commands", commands };

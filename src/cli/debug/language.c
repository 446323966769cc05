/* language.c - expressions and actions of the logical flow language (ovn-sb(5), Logical_Flow), and the OpenFlow that they become. */
#include <stdio.h>
#include <stdlib.h>

#include "cli/debug/debug.h"
#include "controller/translate/layout.h"
#include "openflow/action.h"

enum { MAX_SHOWN = 70 };

/* ERROR, which says a column of TEXT, and under it the place. */
static noreturn void
refuse(const char *text, const char *error)
{
    size_t column = 0, n = strlen(text);
    struct str s = STR_INIT;

    if (sscanf(error, "column %zu", &column) == 1 && column && column <= n + 1) {
        size_t from = column - 1 > MAX_SHOWN / 2 && n > MAX_SHOWN ? column - 1 - MAX_SHOWN / 2 : 0;
        str_puts(&s, "\n    ");
        for (size_t i = from; i < MIN(n, from + MAX_SHOWN); i++) {
            str_putc(&s, (unsigned char) text[i] < ' ' ? ' ' : text[i]);
        }
        str_printf(&s, "\n    %*s^", (int) (column - 1 - from), "");
    }
    ctl_fatal("%s%s", error, str_c(&s));
}

static struct expr *
parse_expression(const char *text)
{
    struct expr *e;
    char *error = expr_parse(text, &e);

    if (error) {
        refuse(text, error);
    }
    return e;
}

static struct actions *
parse_actions(const char *text)
{
    struct actions *a;
    char *error = actions_parse(text, &a);

    if (error) {
        refuse(text, error);
    }
    return a;
}

static int
expression_canonical(const struct debug_options *o UNUSED, const char *const argv[])
{
    struct expr *e = parse_expression(argv[0]);
    struct str s = STR_INIT;

    expr_format(e, &s);
    puts(str_c(&s));
    str_free(&s);
    expr_unref(e);
    return 0;
}

static int
actions_canonical(const struct debug_options *o UNUSED, const char *const argv[])
{
    struct actions *a = parse_actions(argv[0]);
    struct str s = STR_INIT;

    actions_format(a, &s);
    puts(str_c(&s));
    str_clear(&s);
    if (actions_prereqs(a)) {
        expr_format(actions_prereqs(a), &s);
        printf("requires: %s\n", str_c(&s));
    }
    str_free(&s);
    actions_unref(a);
    return 0;
}

/* A match as ovs-ofctl(8) takes it, and what a clause of a conjunctive match does. */
static void
print_match(const struct expr_match *m)
{
    struct str s = STR_INIT;

    of_match_format(&m->match, &s);
    if (!s.len) {
        str_putc(&s, '*');
    }
    if (m->n_conjs) {
        struct str actions = STR_INIT;
        str_puts(&s, " actions=");
        expr_match_put_conjunctions(m, &actions);
        ofa_format(actions.s, actions.len, &s);
        str_free(&actions);
    }
    puts(str_c(&s));
    str_free(&s);
}

/* Ids of conjunctions count from 1, as 0 would be none. */
static void
number_conjunctions(struct expr_matches *m)
{
    uint32_t *numbers = xcalloc(m->n_conj_ids + 1, sizeof *numbers);

    for (uint32_t i = 0; i < m->n_conj_ids; i++) {
        numbers[i] = i + 1;
    }
    for (size_t i = 0; m->n_conj_ids && i < m->n; i++) {
        expr_match_renumber(&m->m[i], numbers);
    }
    free(numbers);
}

static int
expression_flows(const struct debug_options *o, const char *const argv[])
{
    struct expr_matches m = EXPR_MATCHES_INIT;
    struct expr *e = parse_expression(argv[0]);
    struct names names;

    names_init(&names, o);
    struct expr_env env = names_expr_env(&names);
    char *error = expr_resolve(e, NULL, &env, &m);
    if (error) {
        refuse(argv[0], error);
    }
    number_conjunctions(&m);
    for (size_t i = 0; i < m.n; i++) {
        print_match(&m.m[i]);
    }
    fflush(stdout);
    if (!m.n) {
        fprintf(stderr, "%s: no packet matches\n", program_name());
    }
    expr_matches_destroy(&m);
    expr_unref(e);
    names_destroy(&names);
    return 0;
}

static int
actions_openflow(const struct debug_options *o, const char *const argv[])
{
    const struct debug_stage *stage = stage_must_find(o->stage ? o->stage : "ls_in_check_port_sec");
    struct action_env env = action_env_of_layout(stage->egress ? LOGICAL_EGRESS : LOGICAL_INGRESS, stage->table);
    struct actions *a = parse_actions(argv[0]);
    struct str encoded = STR_INIT, s = STR_INIT;
    struct names names;

    names_init(&names, o);
    names_action_env(&names, &env);
    env.is_switch = stage->is_switch;
    char *error = actions_encode(a, &env, &encoded);
    if (error) {
        refuse(argv[0], error);
    }
    ofa_format(encoded.s, encoded.len, &s);
    printf("%s\n%s", str_c(&s), str_c(&names.groups));
    fflush(stdout);
    str_free(&s);
    str_free(&encoded);
    actions_unref(a);
    names_destroy(&names);
    return 0;
}

const struct debug_command language_commands[] = {
    { "parse-expr", "EXPRESSION", 1, 1, "the canonical text of an expression", expression_canonical },
    { "expr-to-flows", "EXPRESSION", 1, 1, "the OpenFlow matches that it becomes, one a line; * matches every packet", expression_flows },
    { "parse-action", "ACTIONS", 1, 1, "the canonical text of actions, and what they require of a packet", actions_canonical },
    { "action-to-openflow", "ACTIONS", 1, 1, "the OpenFlow actions that they become, and the groups that those use", actions_openflow },
    { NULL },
};

/* Where a packet goes: next, output, clone; and the small actions of the switch: queues, lengths, the stack. */
#include "logical/actions/trace.h"

/* next; next(table); next(pipeline=ingress, table=5); -- number: the table, NEXT_DEFAULT for the one after this. */
enum { NEXT_DEFAULT = 1000 };
struct next {
    bool has_pipeline;
    enum logical_pipeline pipeline;
};

static bool
next_parse_argument(struct action_parser *p, struct action *a, struct next *next)
{
    struct token *t = &p->lex.token;
    if (token_is(t, "pipeline")) {
        lexer_next(&p->lex);
        if (!action_match(p, LEX_EQUALS, "`='")) {
            return false;
        }
        next->pipeline = token_is(t, "egress") ? LOGICAL_EGRESS : LOGICAL_INGRESS;
        next->has_pipeline = true;
        if (!token_is(t, "ingress") && !token_is(t, "egress")) {
            return action_expected(p, "ingress or egress");
        }
        lexer_next(&p->lex);
        return true;
    } else if (token_is(t, "table")) {
        lexer_next(&p->lex);
        if (!action_match(p, LEX_EQUALS, "`='")) {
            return false;
        }
    }
    return action_parse_number(p, 0, 255, &a->number);
}

static bool
next_parse(struct action_parser *p, struct action *a)
{
    struct next *next = a->data = arena_zalloc(p->arena, sizeof *next);
    a->number = NEXT_DEFAULT;
    if (!lexer_match(&p->lex, LEX_LPAREN)) {
        return true;
    }
    do {
        if (!next_parse_argument(p, a, next)) {
            return false;
        }
    } while (lexer_match(&p->lex, LEX_COMMA));
    return action_match(p, LEX_RPAREN, "`)'");
}

static void
next_format(const struct action *a, struct str *out)
{
    const struct next *next = a->data;
    str_puts(out, "next");
    if (next->has_pipeline) {
        str_printf(out, "(pipeline=%s", next->pipeline == LOGICAL_INGRESS ? "ingress" : "egress");
        if (a->number != NEXT_DEFAULT) {
            str_printf(out, ", table=%u", a->number);
        }
        str_putc(out, ')');
    } else if (a->number != NEXT_DEFAULT) {
        str_printf(out, "(%u)", a->number);
    }
}

static void
next_encode(const struct action *a, struct action_encoder *e)
{
    const struct next *next = a->data;
    uint8_t table;
    unsigned ltable = a->number == NEXT_DEFAULT ? e->env->cur_ltable + 1u : a->number;
    if (action_table(e, next->has_pipeline ? next->pipeline : e->env->pipeline, ltable, &table)) {
        ofa_put_resubmit(e->out, table);
    }
}

bool
action_list_reenters(const struct action *list)
{
    bool any = false;
    for (const struct action *a = list; a && !any; a = a->next) {
        const struct next *next = a->class->parse == next_parse ? a->data : NULL;
        any = (next && next->has_pipeline && next->pipeline == LOGICAL_INGRESS) || action_list_reenters(a->nested);
    }
    return any;
}

static void
output_encode(const struct action *a, struct action_encoder *e)
{
    ofa_put_resubmit(e->out, e->env->pipeline == LOGICAL_INGRESS ? e->env->output_table : e->env->save_inport_table);
}

static void
clone_encode(const struct action *a, struct action_encoder *e)
{
    size_t offset = ofa_begin_clone(e->out);
    action_list_encode(a->nested, e);
    ofa_end_clone(e->out, offset);
}

/* set_queue(N) */
static bool
set_queue_parse(struct action_parser *p, struct action *a)
{
    return action_match(p, LEX_LPAREN, "`('") && action_parse_number(p, 0, 61440, &a->number) && action_match(p, LEX_RPAREN, "`)'");
}

static void
set_queue_format(const struct action *a, struct str *out)
{
    str_printf(out, "set_queue(%u)", a->number);
}

static void
set_queue_encode(const struct action *a, struct action_encoder *e)
{
    ofa_put_set_queue(e->out, a->number);
}

/* push(field), pop(field) */
static bool
stack_parse(struct action_parser *p, struct action *a)
{
    return action_match(p, LEX_LPAREN, "`('") && (a->class->param ? action_parse_writable(p, &a->args[0]) : action_parse_field(p, &a->args[0]))
           && action_match(p, LEX_RPAREN, "`)'");
}

static void
stack_format(const struct action *a, struct str *out)
{
    str_printf(out, "%s(", a->class->name);
    field_format(&a->args[0], out);
    str_putc(out, ')');
}

static void
stack_encode(const struct action *a, struct action_encoder *e)
{
    if (a->class->param) {
        ofa_put_pop(e->out, a->args[0].sf);
    } else {
        ofa_put_push(e->out, a->args[0].sf);
    }
}

static void
drop_encode(const struct action *a, struct action_encoder *e)
{
}

/* What they do to an imagined packet. */

static enum logical_pipeline
next_pipeline(const struct action *a, const struct trace_at *at)
{
    const struct next *next = a->data;
    return next->has_pipeline ? next->pipeline : at->pipeline;
}

bool
action_next_is_plain(const struct action *a, const struct trace_at *at)
{
    return next_pipeline(a, at) == at->pipeline && (a->number == NEXT_DEFAULT || a->number == at->table + 1u);
}

void
action_next_describe(const struct action *a, const struct trace_at *at, struct str *out)
{
    if (action_next_is_plain(a, at)) {
        str_puts(out, "next");
    } else if (next_pipeline(a, at) == at->pipeline) {
        str_printf(out, "next(%u)", a->number);
    } else {
        next_format(a, out);
    }
}

bool
action_next_trace(const struct action *a, struct trace_at *at)
{
    at->env->next(at, next_pipeline(a, at), a->number == NEXT_DEFAULT ? at->table + 1u : a->number);
    return true;
}

static bool
output_trace(const struct action *a, struct trace_at *at)
{
    at->env->output(at);
    return true;
}

static bool
clone_trace(const struct action *a, struct trace_at *at)
{
    struct trace_at *copy = trace_enter(at, "clone");
    action_list_trace(a->nested, copy);
    trace_leave(copy);
    return true;
}

static const struct action_class classes[] = {
    { .name = "next", .parse = next_parse, .format = next_format, .encode = next_encode, .trace = action_next_trace },
    { .name = "output", .encode = output_encode, .trace = output_trace },
    { .name = "clone", .parse = action_parse_nested, .format = action_format_nested, .encode = clone_encode, .trace = clone_trace },
    { .name = "set_queue", .parse = set_queue_parse, .format = set_queue_format, .encode = set_queue_encode, .trace = trace_nothing },
    { .name = "push", .parse = stack_parse, .format = stack_format, .encode = stack_encode, .trace = trace_push, .param = 0 },
    { .name = "pop", .parse = stack_parse, .format = stack_format, .encode = stack_encode, .trace = trace_pop, .param = 1 },
};
const struct action_class action_drop = { .name = "drop", .encode = drop_encode, .trace = trace_nothing };
const struct action_family action_family_basic = { classes, ARRAY_SIZE(classes), false };

/* The frame of traces: the tree, the list of actions, changes of a packet. */
#include "logical/actions/trace.h"

#include <stdio.h>
#include <stdlib.h>

struct trace_stack {
    struct trace_stack *below;
    union of_value value;
};

/* ---- the tree ---- */

static struct trace_node *
add_text(struct arena *arena, struct trace_node *parent, enum trace_kind kind, struct str *text)
{
    struct trace_node *n = arena_zalloc(arena, sizeof *n);
    n->kind = kind;
    n->text = arena_strndup(arena, str_c(text), text->len);
    n->parent = parent;
    str_free(text);
    if (parent) {
        *(parent->last ? &parent->last->next : &parent->first) = n;
        parent->last = n;
    }
    return n;
}

struct trace_node *
trace_add(struct arena *arena, struct trace_node *parent, enum trace_kind kind, const char *fmt, ...)
{
    struct str s = STR_INIT;
    va_list args;
    va_start(args, fmt);
    str_vprintf(&s, fmt, args);
    va_end(args);
    return add_text(arena, parent, kind, &s);
}

/* ---- connection states ---- */

/* In the order of their names; bits of ct_state. */
static const struct {
    const char *name;
    uint8_t bit;
} ct_flags[] = {
    { "new", 0 }, { "est", 1 }, { "rel", 2 }, { "rpl", 3 }, { "inv", 4 }, { "trk", 5 }, { "snat", 6 }, { "dnat", 7 },
};

void
trace_put_ct_state(uint32_t state, struct str *out)
{
    const char *separator = "";
    for (size_t i = 0; i < ARRAY_SIZE(ct_flags); i++) {
        if (state >> ct_flags[i].bit & 1) {
            str_printf(out, "%s%s", separator, ct_flags[i].name);
            separator = "|";
        }
    }
}

char *
trace_parse_ct_state(const char *s, uint32_t *state)
{
    *state = CT_TRK;
    for (s += strspn(s, ", "); *s; s += strspn(s, ", ")) {
        size_t n = strcspn(s, ", "), i = 0;
        while (i < ARRAY_SIZE(ct_flags) && (strlen(ct_flags[i].name) != n || strncmp(ct_flags[i].name, s, n))) {
            i++;
        }
        if (i == ARRAY_SIZE(ct_flags)) {
            return xasprintf("%.*s: unknown connection tracking state flag (trk, new, est, rel, rpl, inv, dnat and snat are known)", (int) n, s);
        }
        *state |= 1u << ct_flags[i].bit;
        s += n;
    }
    return (*state & (CT_NEW | CT_EST)) == (CT_NEW | CT_EST) ? xstrdup("a connection cannot be both new and established") : NULL;
}

/* ---- the packet ---- */

/* What others see of a packet; not registers and other metadata. */
static bool
is_on_the_wire(enum of_field f)
{
    return f >= OFF_ETH_SRC && f <= OFF_ND_OPTIONS_TYPE;
}

/* FIELD is what the language calls SF. */
static void
put_name(struct of_subfield sf, struct str *out)
{
    size_t n;
    const struct symbol *s = symbol_table(&n), *best = NULL;
    for (size_t i = 0; i < n; i++) {
        if (s[i].kind == SYMBOL_FIELD && s[i].sf.field == sf.field && s[i].sf.ofs <= sf.ofs && s[i].sf.ofs + s[i].sf.n_bits >= sf.ofs + sf.n_bits
            && strncmp(s[i].name, "rarp", 4) && (!best || s[i].sf.n_bits < best->sf.n_bits)) {
            best = &s[i];
        }
    }
    struct field f = { best, sf };
    if (best) {
        field_format(&f, out);
    }
}

static void
put_value(struct of_subfield sf, const union of_value *v, struct str *out)
{
    static const enum lex_format formats[] = { [OFF_DEC] = LEX_DECIMAL, [OFF_HEX] = LEX_DECIMAL, [OFF_PORT] = LEX_DECIMAL, [OFF_MAC] = LEX_MAC,
                                               [OFF_IP4] = LEX_IPV4, [OFF_IP6] = LEX_IPV6 };
    const struct of_field_info *info = of_field_info(sf.field);
    enum lex_format format = sf.n_bits == info->n_bits ? formats[info->format] : LEX_DECIMAL;
    lex_format_constant(out, format == LEX_DECIMAL && sf.n_bits > 64 ? LEX_HEX : format, v, NULL);
}

void
trace_set(struct trace_at *at, struct of_subfield sf, const union of_value *v)
{
    logical_packet_set(at->packet, sf, v);
    if (is_on_the_wire(sf.field)) {
        struct str s = STR_INIT;
        union of_value now = logical_packet_get(at->packet, sf);
        put_name(sf, &s);
        str_puts(&s, " = ");
        put_value(sf, &now, &s);
        str_putc(&s, ';');
        add_text(at->env->arena, at->node, TRACE_MODIFY, &s);
    }
}

void
trace_set_u64(struct trace_at *at, struct of_subfield sf, uint64_t x)
{
    union of_value v = of_value_u64(x);
    trace_set(at, sf, &v);
}

void
trace_put_u64(struct logical_packet *p, enum of_field f, uint64_t x)
{
    p->f[f] = of_value_u64(x);
}

/* ---- places ---- */

struct trace_at *
trace_enter(struct trace_at *at, const char *fmt, ...)
{
    struct trace_at *copy = xmemdup(at, sizeof *at);
    struct str s = STR_INIT;
    va_list args;
    va_start(args, fmt);
    str_vprintf(&s, fmt, args);
    va_end(args);
    copy->packet = xmemdup(at->packet, sizeof *at->packet);
    copy->node = add_text(at->env->arena, at->node, TRACE_TRANSFORM, &s);
    return copy;
}

void
trace_leave(struct trace_at *at)
{
    free(at->packet);
    free(at);
}

void
trace_next(struct trace_at *at)
{
    at->env->next(at, at->pipeline, at->table + 1u);
}

/* ---- actions ---- */

bool
trace_nothing(const struct action *a UNUSED, struct trace_at *at UNUSED)
{
    return true;
}

bool
trace_zero(const struct action *a, struct trace_at *at)
{
    trace_set_u64(at, a->dst.sf, 0);
    return true;
}

bool
trace_push(const struct action *a, struct trace_at *at)
{
    struct trace_stack *top = arena_alloc(at->env->arena, sizeof *top);
    *top = (struct trace_stack) { at->stack, logical_packet_get(at->packet, a->args[0].sf) };
    at->stack = top;
    return true;
}

bool
trace_pop(const struct action *a, struct trace_at *at)
{
    if (at->stack) {
        trace_set(at, a->args[0].sf, &at->stack->value);
        at->stack = at->stack->below;
    }
    return true;
}

bool
action_list_trace(const struct action *list, struct trace_at *at)
{
    for (const struct action *a = list; a; a = a->next) {
        struct str s = STR_INIT;
        bool is_next = a->class->trace == action_next_trace;
        if (is_next) {
            action_next_describe(a, at, &s);
        } else {
            action_format(a, &s);
        }
        str_putc(&s, ';');
        add_text(at->env->arena, at->node, is_next && !action_next_is_plain(a, at) ? TRACE_GOTO : TRACE_ACTION, &s);
        if (!a->class->trace(a, at)) {
            return false;
        }
    }
    return true;
}

/* What a parsed expression is besides parsing and resolving: counted, formatted, compared; and the small texts around it. */
#include "logical/tree.h"

struct expr *
expr_ref(struct expr *e)
{
    e->refs++;
    return e;
}

void
expr_unref(struct expr *e)
{
    if (e && !--e->refs) {
        struct arena arena = e->arena;         /* E is in it. */
        arena_destroy(&arena);
    }
}

size_t
expr_bytes(const struct expr *e)
{
    return e->arena.bytes;
}

struct expr *
expr_all_of(const struct expr *const *exprs, size_t n)
{
    if (n < 2) {
        return n ? expr_ref((struct expr *) exprs[0]) : NULL;  /* A count is no part of what it says. */
    }
    struct arena arena = ARENA_INIT;
    struct expr *e = arena_alloc(&arena, sizeof *e);
    struct node *and = arena_zalloc(&arena, sizeof *and), **tail = &and->children;
    and->type = NODE_AND;
    for (size_t i = 0; i < n; i++) {
        struct node *ref = arena_zalloc(&arena, sizeof *ref);
        ref->type = NODE_REF;
        ref->ref = exprs[i];
        *tail = ref;
        tail = &ref->next;
    }
    *e = (struct expr) { .refs = 1, .arena = arena, .root = and };
    return e;
}

/* Formatting. */

void
field_format(const struct field *f, struct str *out)
{
    str_puts(out, f->symbol->name);
    if (!field_is_whole(f)) {
        int low = f->sf.ofs - f->symbol->sf.ofs;
        if (f->sf.n_bits == 1) {
            str_printf(out, "[%d]", low);
        } else {
            str_printf(out, "[%d..%d]", low, low + f->sf.n_bits - 1);
        }
    }
}

void
constant_format(const struct constant *c, struct str *out)
{
    switch (c->type) {
    case CONSTANT_INTEGER:
        lex_format_constant(out, c->format, &c->value, c->masked ? &c->mask : NULL);
        break;
    case CONSTANT_STRING:
        lex_format_string(out, c->s);
        break;
    case CONSTANT_ADDRESS_SET:
        str_printf(out, "$%s", c->s);
        break;
    case CONSTANT_PORT_GROUP:
        str_printf(out, "@%s", c->s);
        break;
    }
}

static void
compare_format(const struct node *n, struct str *out)
{
    static const char *const ops[] = { " == ", " != ", " < ", " <= ", " > ", " >= " };
    const struct field *f = &n->compare.field;
    const struct constant *c = n->compare.constants;
    if (f->sf.n_bits == 1 && n->compare.op == OP_EQ && !n->compare.is_set && c->type == CONSTANT_INTEGER && !c->masked) {
        str_puts(out, of_value_is_zero(&c->value) ? "!" : "");
        field_format(f, out);
        return;
    }
    field_format(f, out);
    str_puts(out, ops[n->compare.op]);
    str_puts(out, n->compare.is_set ? "{" : "");
    for (uint32_t i = 0; i < n->compare.n; i++) {
        str_puts(out, i ? ", " : "");
        constant_format(&c[i], out);
    }
    str_puts(out, n->compare.is_set ? "}" : "");
}

static void
node_format(const struct node *n, struct str *out)
{
    switch (n->type) {
    case NODE_BOOL:
        str_putc(out, n->value ? '1' : '0');
        break;
    case NODE_AND:
    case NODE_OR:
        for (const struct node *c = n->children; c; c = c->next) {
            bool parens = c->type == NODE_AND || c->type == NODE_OR;
            str_puts(out, c == n->children ? "" : n->type == NODE_AND ? " && " : " || ");
            str_puts(out, parens ? "(" : "");
            node_format(c, out);
            str_puts(out, parens ? ")" : "");
        }
        break;
    case NODE_COMPARE:
        compare_format(n, out);
        break;
    case NODE_PREDICATE:
        str_printf(out, "%s%s", n->predicate.negated ? "!" : "", n->predicate.symbol->name);
        break;
    case NODE_RESIDENT:
        str_puts(out, n->resident.negated ? "!is_chassis_resident(" : "is_chassis_resident(");
        lex_format_string(out, n->resident.port);
        str_putc(out, ')');
        break;
    case NODE_REF:
        node_format(n->ref->root, out);
        break;
    }
}

void
expr_format(const struct expr *e, struct str *out)
{
    node_format(e->root, out);
}

/* Comparing. */

static bool
constant_equal(const struct constant *a, const struct constant *b)
{
    if (a->type != b->type) {
        return false;
    } else if (a->type != CONSTANT_INTEGER) {
        return str_eq(a->s, b->s);
    }
    return a->format == b->format && a->masked == b->masked && !of_value_compare(&a->value, &b->value) && !of_value_compare(&a->mask, &b->mask);
}

static bool
compare_equal(const struct node *a, const struct node *b)
{
    const struct field *f = &a->compare.field, *g = &b->compare.field;
    if (f->symbol != g->symbol || f->sf.ofs != g->sf.ofs || f->sf.n_bits != g->sf.n_bits || a->compare.op != b->compare.op
        || a->compare.is_set != b->compare.is_set || a->compare.n != b->compare.n) {
        return false;
    }
    for (uint32_t i = 0; i < a->compare.n; i++) {
        if (!constant_equal(&a->compare.constants[i], &b->compare.constants[i])) {
            return false;
        }
    }
    return true;
}

static bool
node_equal(const struct node *a, const struct node *b)
{
    if (a->type != b->type) {
        return false;
    }
    switch (a->type) {
    case NODE_BOOL:
        return a->value == b->value;
    case NODE_AND:
    case NODE_OR:
        a = a->children;
        b = b->children;
        while (a && b && node_equal(a, b)) {
            a = a->next;
            b = b->next;
        }
        return !a && !b;
    case NODE_COMPARE:
        return compare_equal(a, b);
    case NODE_PREDICATE:
        return a->predicate.symbol == b->predicate.symbol && a->predicate.negated == b->predicate.negated;
    case NODE_RESIDENT:
        return str_eq(a->resident.port, b->resident.port) && a->resident.negated == b->resident.negated;
    case NODE_REF:
        return node_equal(a->ref->root, b->ref->root);
    }
    return false;
}

bool
expr_equal(const struct expr *a, const struct expr *b)
{
    return node_equal(a->root, b->root);
}

/* Texts around expressions. */

bool
expr_constant_parse(const char *s, struct expr_constant *c)
{
    struct arena arena = ARENA_INIT;
    struct lexer l;
    lexer_init(&l, s, &arena);
    struct token t = l.token;
    lexer_next(&l);
    bool ok = (t.type == LEX_INTEGER || t.type == LEX_MASKED) && t.format >= LEX_IPV4 && l.token.type == LEX_END;
    if (ok) {
        c->width = t.format == LEX_IPV4 ? 32 : t.format == LEX_IPV6 ? 128 : 48;
        c->value = t.value;
        c->mask = t.type == LEX_MASKED ? t.mask : u128_to(u128_ones(c->width));
    }
    arena_destroy(&arena);
    return ok;
}

bool
expr_expand_templates(const char *text, const char *(*lookup)(void *, const char *), void *aux, struct str *out)
{
    if (!strchr(text, '^')) {
        return false;
    }
    struct arena arena = ARENA_INIT;
    struct lexer l;
    size_t copied = 0;
    bool any = false;
    lexer_init(&l, text, &arena);
    /* What is too long already is refused when it is parsed; it need not be longer. */
    for (; l.token.type != LEX_END && l.token.type != LEX_ERROR && out->len <= EXPR_MAX_TEXT; lexer_next(&l)) {
        if (l.token.type == LEX_TEMPLATE) {
            const char *value = lookup(aux, arena_strndup(&arena, l.token.s, l.token.n));
            str_put(out, text + copied, l.token.start - copied);
            if (value) {
                str_puts(out, value);
            } else {
                str_put(out, text + l.token.start, l.token.end - l.token.start);
            }
            copied = l.token.end;
            any = true;
        }
    }
    if (any) {
        str_puts(out, text + copied);
    }
    arena_destroy(&arena);
    return any;
}

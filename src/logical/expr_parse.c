/* From text to tree: recursive descent, with "not" pushed down on the way. */
#include "logical/tree.h"

#include <stdio.h>

enum { MAX_DEPTH = 100 };

struct parser {
    struct lexer lex;
    struct arena *arena;
    unsigned depth;
    char *error;                       /* The first. Parsing functions return NULL then. */
};

static struct node *parse_expr(struct parser *);

#define FAIL(P, AT, ...) fail_((P), lexer_message(&(P)->lex, (AT), __VA_ARGS__))
static void *
fail_(struct parser *p, char *message)
{
    if (p->error) {
        free(message);
    } else {
        p->error = message;
    }
    return NULL;
}

/* The current token is not what is needed. A token that is wrong in itself says so itself. */
static void *
expected(struct parser *p, const char *what)
{
    const struct token *t = &p->lex.token;
    if (t->type == LEX_ERROR) {
        return FAIL(p, t->start, "%s", t->s);
    } else if (t->type == LEX_TEMPLATE) {
        return FAIL(p, t->start, "the template variable %s has no value here", token_describe(&p->lex));
    }
    return FAIL(p, t->start, "%s expected, not %s", what, token_describe(&p->lex));
}

static struct node *
node_new(struct parser *p, enum node_type type, size_t at)
{
    struct node *n = arena_zalloc(p->arena, sizeof *n);
    n->type = type;
    n->at = at;
    return n;
}

/* Fields. */

static bool
parse_index(struct lexer *l, unsigned *index, char **error)
{
    const struct token *t = &l->token;
    if (t->type != LEX_INTEGER || t->format != LEX_DECIMAL || u128_from(&t->value) > 127) {
        *error = lexer_message(l, t->start, "a bit number is expected, not %s", token_describe(l));
        return false;
    }
    *index = of_value_low(&t->value);
    lexer_next(l);
    return true;
}

static char *
parse_bits(struct lexer *l, struct field *f)
{
    size_t at = l->token.start;
    unsigned low, high;
    char *error;
    lexer_next(l);
    if (!parse_index(l, &low, &error)) {
        return error;
    }
    high = low;
    if (lexer_match(l, LEX_ELLIPSIS) && !parse_index(l, &high, &error)) {
        return error;
    }
    if (l->token.type != LEX_RSQUARE) {
        return lexer_message(l, l->token.start, "`]' is expected, not %s", token_describe(l));
    }
    const struct symbol *s = f->symbol;
    if (s->kind != SYMBOL_FIELD || (s->level != SYMBOL_ORDINAL && (low || high != s->sf.n_bits - 1))) {
        return lexer_message(l, at, "the bits of %s cannot be used one by one", s->name);
    } else if (low > high || high >= s->sf.n_bits) {
        return lexer_message(l, at, "%s has the bits 0 to %d, low before high", s->name, s->sf.n_bits - 1);
    }
    lexer_next(l);
    f->sf.ofs = s->sf.ofs + low;
    f->sf.n_bits = high - low + 1;
    return NULL;
}

char *
field_parse(struct lexer *l, struct field *f)
{
    if (l->token.type != LEX_ID) {
        return lexer_message(l, l->token.start, "the name of a field is expected, not %s", token_describe(l));
    }
    f->symbol = symbol_find(l->token.s, l->token.n);
    if (!f->symbol) {
        return lexer_message(l, l->token.start, "there is no field of the name %s", token_describe(l));
    }
    f->sf = f->symbol->sf;
    lexer_next(l);
    return l->token.type == LEX_LSQUARE ? parse_bits(l, f) : NULL;
}

bool
field_is_whole(const struct field *f)
{
    return f->sf.ofs == f->symbol->sf.ofs && f->sf.n_bits == f->symbol->sf.n_bits;
}

/* Constants. */

static unsigned
significant_bits(const union of_value *v)
{
    u128 x = u128_from(v);
    unsigned n = 0;
    for (; x; x >>= 1) {
        n++;
    }
    return n;
}

char *
constant_parse(struct lexer *l, const struct field *f, struct constant *c)
{
    const struct token *t = &l->token;
    c->type = CONSTANT_INTEGER;
    c->format = t->format;
    c->masked = t->type == LEX_MASKED;
    c->value = t->value;
    c->mask = c->masked ? t->mask : u128_to(u128_ones(f->sf.n_bits));
    c->s = NULL;
    unsigned need = MAX(significant_bits(&c->value), c->masked ? significant_bits(&c->mask) : 0);
    if (need > f->sf.n_bits) {
        return lexer_message(l, t->start, "%s needs %u bits, %s has %u", token_describe(l), need, f->symbol->name, f->sf.n_bits);
    }
    if (c->masked && f->symbol->level != SYMBOL_ORDINAL && u128_from(&c->mask) != u128_ones(f->sf.n_bits)) {
        return lexer_message(l, t->start, "%s cannot have a mask", f->symbol->name);
    }
    lexer_next(l);
    return NULL;
}

/* A constant as it stands, before its field is known ("80 == tcp.src"): tokens are kept and taken again. */
static bool
is_constant(enum lex_type type)
{
    return type == LEX_INTEGER || type == LEX_MASKED || type == LEX_STRING || type == LEX_ADDRESS_SET || type == LEX_PORT_GROUP;
}

static bool
parse_one_constant(struct parser *p, const struct field *f, struct constant *c)
{
    const struct token *t = &p->lex.token;
    bool string = f->symbol->kind == SYMBOL_STRING;
    if (!is_constant(t->type)) {
        expected(p, "a constant");
        return false;
    }
    if ((t->type == LEX_STRING || t->type == LEX_PORT_GROUP) != string) {
        FAIL(p, t->start, string ? "%s is compared with strings" : "%s is compared with numbers", f->symbol->name);
        return false;
    }
    if (t->type == LEX_INTEGER || t->type == LEX_MASKED) {
        char *error = constant_parse(&p->lex, f, c);
        if (error) {
            fail_(p, error);
        }
        return !error;
    }
    memset(c, 0, sizeof *c);
    c->type = t->type == LEX_STRING ? CONSTANT_STRING : t->type == LEX_PORT_GROUP ? CONSTANT_PORT_GROUP : CONSTANT_ADDRESS_SET;
    if (c->type == CONSTANT_ADDRESS_SET && f->symbol->level != SYMBOL_ORDINAL) {
        FAIL(p, t->start, "%s cannot be compared with an address set", f->symbol->name);
        return false;
    }
    c->s = t->type == LEX_STRING ? t->s : arena_strndup(p->arena, t->s, t->n);
    lexer_next(&p->lex);
    return true;
}

/* One constant, or a set in braces, into N. */
static bool
parse_constants(struct parser *p, struct node *n)
{
    n->compare.constants = arena_alloc(p->arena, sizeof *n->compare.constants);
    if (!lexer_match(&p->lex, LEX_LCURLY)) {
        n->compare.n = 1;
        return parse_one_constant(p, &n->compare.field, n->compare.constants);
    }
    n->compare.is_set = true;
    size_t cap = 1;
    do {
        if (n->compare.n == cap) {
            struct constant *bigger = arena_alloc(p->arena, 2 * cap * sizeof *bigger);
            memcpy(bigger, n->compare.constants, cap * sizeof *bigger);
            n->compare.constants = bigger;
            cap *= 2;
        }
        if (!parse_one_constant(p, &n->compare.field, &n->compare.constants[n->compare.n])) {
            return false;
        }
        n->compare.n++;
        lexer_match(&p->lex, LEX_COMMA);
    } while (!lexer_match(&p->lex, LEX_RCURLY));
    return true;
}

/* Steps over a constant or a set without looking. */
static bool
skip_constants(struct parser *p)
{
    if (!lexer_match(&p->lex, LEX_LCURLY)) {
        if (!is_constant(p->lex.token.type)) {
            expected(p, "a constant");
            return false;
        }
        lexer_next(&p->lex);
        return true;
    }
    while (!lexer_match(&p->lex, LEX_RCURLY)) {
        if (!is_constant(p->lex.token.type)) {
            expected(p, "a constant or `}'");
            return false;
        }
        lexer_next(&p->lex);
        lexer_match(&p->lex, LEX_COMMA);
    }
    return true;
}

/* Comparisons. */

static bool
relation(enum lex_type type, enum compare_op *op)
{
    if (type < LEX_EQ || type > LEX_GE) {
        return false;
    }
    static const enum compare_op ops[] = { OP_EQ, OP_NE, OP_LT, OP_LE, OP_GT, OP_GE };
    *op = ops[type - LEX_EQ];
    return true;
}

static enum compare_op
op_mirror(enum compare_op op)
{
    static const enum compare_op mirror[] = { OP_EQ, OP_NE, OP_GT, OP_GE, OP_LT, OP_LE };
    return mirror[op];
}

static enum compare_op
op_negate(enum compare_op op)
{
    static const enum compare_op negation[] = { OP_NE, OP_EQ, OP_GE, OP_GT, OP_LE, OP_LT };
    return negation[op];
}

/* A comparison of one bit with 0 or 1 is always "== 0" or "== 1", so that each meaning has one form. */
static void
normalize_bit(struct node *n)
{
    struct constant *c = n->compare.constants;
    if (n->compare.field.sf.n_bits == 1 && n->compare.n == 1 && c->type == CONSTANT_INTEGER && !c->masked
        && (n->compare.op == OP_EQ || n->compare.op == OP_NE)) {
        c->format = LEX_DECIMAL;
        if (n->compare.op == OP_NE) {
            n->compare.op = OP_EQ;
            c->value.b[15] ^= 1;
        }
        n->compare.is_set = false;
    }
}

static void
node_negate(struct node *n)
{
    switch (n->type) {
    case NODE_BOOL:
        n->value = !n->value;
        break;
    case NODE_AND:
    case NODE_OR:
        n->type = n->type == NODE_AND ? NODE_OR : NODE_AND;
        for (struct node *c = n->children; c; c = c->next) {
            node_negate(c);
        }
        break;
    case NODE_COMPARE:
        n->compare.op = op_negate(n->compare.op);
        normalize_bit(n);
        break;
    case NODE_PREDICATE:
        n->predicate.negated = !n->predicate.negated;
        break;
    case NODE_RESIDENT:
        n->resident.negated = !n->resident.negated;
        break;
    case NODE_REF:
        break;                         /* Never parsed. */
    }
}

/* A predicate compared with 0 or 1 is the predicate, or its negation. */
static struct node *
predicate_compare(struct parser *p, struct node *n)
{
    const struct constant *c = n->compare.constants;
    if (n->compare.is_set || c->masked || n->compare.op > OP_NE) {
        return FAIL(p, n->at, "%s can only be compared with 0 or 1", n->compare.field.symbol->name);
    }
    struct node *q = node_new(p, NODE_PREDICATE, n->at);
    q->predicate.symbol = n->compare.field.symbol;
    q->predicate.negated = (n->compare.op == OP_EQ) == of_value_is_zero(&c->value);
    return q;
}

static bool
field_expected(struct parser *p, struct field *f)
{
    if (p->lex.token.type != LEX_ID) {
        expected(p, "the name of a field");
        return false;
    }
    char *error = field_parse(&p->lex, f);
    if (error) {
        fail_(p, error);
        return false;
    }
    if (f->symbol->kind == SYMBOL_OVN_FIELD) {
        FAIL(p, p->lex.token.start, "%s can only be set by an action", f->symbol->name);
        return false;
    }
    if (f->symbol->kind == SYMBOL_PREDICATE) {
        f->sf = (struct of_subfield) { OFF_N_FIELDS, 0, 1 };
    }
    return true;
}

/* The constants of a comparison are at the current token. */
static struct node *
compare_finish(struct parser *p, const struct field *f, enum compare_op op, size_t at)
{
    struct node *n = node_new(p, NODE_COMPARE, at);
    n->compare.field = *f;
    n->compare.op = op;
    if (!parse_constants(p, n)) {
        return NULL;
    }
    if (f->symbol->kind == SYMBOL_PREDICATE) {
        return predicate_compare(p, n);
    }
    if (op > OP_NE) {
        if (f->symbol->level != SYMBOL_ORDINAL) {
            return FAIL(p, at, "%s is nominal: it can only be tested for equality", f->symbol->name);
        } else if (n->compare.is_set || n->compare.constants->type != CONSTANT_INTEGER || n->compare.constants->masked) {
            return FAIL(p, at, "only == and != can be used with masks and sets");
        }
    }
    normalize_bit(n);
    return n;
}

/* "constant relation field", and "constant relation field relation constant" for ranges. */
static struct node *
parse_constant_first(struct parser *p)
{
    struct lexer saved = p->lex;
    size_t at = p->lex.token.start;
    enum compare_op op, op2;
    if (!skip_constants(p)) {
        return NULL;
    }
    if (!relation(p->lex.token.type, &op)) {
        return expected(p, "a relational operator");
    }
    lexer_next(&p->lex);
    struct field f;
    if (!field_expected(p, &f)) {
        return NULL;
    }
    struct lexer after = p->lex;
    p->lex = saved;
    struct node *n = compare_finish(p, &f, op_mirror(op), at);
    if (!n) {
        return NULL;
    }
    p->lex = after;
    if (!relation(p->lex.token.type, &op2)) {
        return n;
    }
    bool up = op == OP_LT || op == OP_LE, up2 = op2 == OP_LT || op2 == OP_LE;
    if (op <= OP_NE || op2 <= OP_NE || up != up2) {
        return FAIL(p, p->lex.token.start, "a range is two of < and <=, or two of > and >=");
    }
    size_t at2 = p->lex.token.start;
    lexer_next(&p->lex);
    struct node *second = compare_finish(p, &f, op2, at2);
    if (!second) {
        return NULL;
    }
    struct node *both = node_new(p, NODE_AND, at);
    both->children = n;
    n->next = second;
    return both;
}

static struct node *
parse_resident(struct parser *p, size_t at)
{
    struct node *n = node_new(p, NODE_RESIDENT, at);
    if (!lexer_match(&p->lex, LEX_LPAREN)) {
        return expected(p, "`('");
    }
    if (p->lex.token.type != LEX_STRING) {
        return expected(p, "the name of a logical port, in quotes,");
    }
    n->resident.port = p->lex.token.s;
    lexer_next(&p->lex);
    if (!lexer_match(&p->lex, LEX_RPAREN)) {
        return expected(p, "`)'");
    }
    return n;
}

static struct node *
parse_field_first(struct parser *p, bool after_not)
{
    size_t at = p->lex.token.start;
    if (token_is(&p->lex.token, "is_chassis_resident")) {
        lexer_next(&p->lex);
        return parse_resident(p, at);
    }
    struct field f;
    if (!field_expected(p, &f)) {
        return NULL;
    }
    enum compare_op op;
    if (relation(p->lex.token.type, &op)) {
        if (after_not) {
            return FAIL(p, at, "parentheses are required between ! and a comparison");
        }
        lexer_next(&p->lex);
        return compare_finish(p, &f, op, at);
    }
    if (f.symbol->kind == SYMBOL_PREDICATE) {
        struct node *n = node_new(p, NODE_PREDICATE, at);
        n->predicate.symbol = f.symbol;
        return n;
    }
    if (f.sf.n_bits != 1 || f.symbol->kind == SYMBOL_STRING) {
        return expected(p, "a relational operator");
    }
    struct node *n = node_new(p, NODE_COMPARE, at);
    n->compare.field = f;
    n->compare.op = OP_EQ;
    n->compare.n = 1;
    n->compare.constants = arena_zalloc(p->arena, sizeof *n->compare.constants);
    n->compare.constants->value.b[15] = n->compare.constants->mask.b[15] = 1;
    return n;
}

static struct node *
parse_primary(struct parser *p, bool after_not)
{
    struct token *t = &p->lex.token;
    size_t at = t->start;
    if (lexer_match(&p->lex, LEX_LPAREN)) {
        struct node *n = parse_expr(p);
        if (n && !lexer_match(&p->lex, LEX_RPAREN)) {
            return expected(p, "`)'");
        }
        return n;
    }
    if (t->type == LEX_ID) {
        return parse_field_first(p, after_not);
    }
    if (t->type != LEX_LCURLY && !is_constant(t->type)) {
        return expected(p, "an expression");
    }
    if (t->type == LEX_INTEGER && t->format == LEX_DECIMAL && u128_from(&t->value) <= 1) {
        bool value = t->value.b[15];
        struct lexer saved = p->lex;
        enum compare_op op;
        lexer_next(&p->lex);
        if (!relation(p->lex.token.type, &op)) {
            struct node *n = node_new(p, NODE_BOOL, at);
            n->value = value;
            return n;
        }
        p->lex = saved;
    }
    if (after_not) {
        return FAIL(p, at, "parentheses are required between ! and a comparison");
    }
    return parse_constant_first(p);
}

static struct node *
parse_not(struct parser *p)
{
    unsigned nots = 0;
    while (lexer_match(&p->lex, LEX_NOT)) {
        if (++nots > MAX_DEPTH) {
            return FAIL(p, p->lex.token.start, "more than %d negations of each other", MAX_DEPTH);
        }
    }
    struct node *n = parse_primary(p, nots > 0);
    if (n && nots % 2) {
        node_negate(n);
    }
    return n;
}

/* Children of the same type as their parent become children of the parent. */
static struct node **
append_child(struct node **tail, enum node_type type, struct node *child)
{
    *tail = child->type == type ? child->children : child;
    while (*tail) {
        tail = &(*tail)->next;
    }
    return tail;
}

static struct node *
parse_expr(struct parser *p)
{
    if (++p->depth > MAX_DEPTH) {
        return FAIL(p, p->lex.token.start, "more than %d parentheses within each other", MAX_DEPTH);
    }
    struct node *n = parse_not(p);
    enum lex_type op = p->lex.token.type;
    if (n && (op == LEX_AND || op == LEX_OR)) {
        struct node *list = node_new(p, op == LEX_AND ? NODE_AND : NODE_OR, n->at);
        struct node **tail = append_child(&list->children, list->type, n);
        while (lexer_match(&p->lex, op)) {
            n = parse_not(p);
            if (!n) {
                return NULL;
            }
            tail = append_child(tail, list->type, n);
        }
        if (p->lex.token.type == LEX_AND || p->lex.token.type == LEX_OR) {
            return FAIL(p, p->lex.token.start, "&& and || can only be used together with parentheses");
        }
        n = list;
    }
    p->depth--;
    return n;
}

/* Of nominal fields and predicates, only the positive sense can be had. */
static bool
check_levels(struct parser *p, const struct node *n)
{
    if (n->type == NODE_AND || n->type == NODE_OR) {
        for (const struct node *c = n->children; c; c = c->next) {
            if (!check_levels(p, c)) {
                return false;
            }
        }
    } else if (n->type == NODE_COMPARE && n->compare.op == OP_NE && n->compare.field.symbol->level == SYMBOL_NOMINAL) {
        FAIL(p, n->at, "%s is nominal: it cannot be tested for being unequal", n->compare.field.symbol->name);
        return false;
    } else if (n->type == NODE_PREDICATE && n->predicate.negated && n->predicate.symbol->level == SYMBOL_NOMINAL) {
        FAIL(p, n->at, "%s is nominal: it cannot be negated", n->predicate.symbol->name);
        return false;
    }
    return true;
}

char *
expr_parse(const char *text, struct expr **ep)
{
    struct arena arena = ARENA_INIT;
    struct parser p = { .arena = &arena };
    *ep = NULL;
    if (strlen(text) > EXPR_MAX_TEXT) {
        return xasprintf("column %d: a text has at most %d bytes", EXPR_MAX_TEXT + 1, EXPR_MAX_TEXT);
    }
    struct expr *e = arena_alloc(&arena, sizeof *e);           /* First, so that it is near its nodes. */
    lexer_init(&p.lex, text, &arena);
    struct node *n = parse_expr(&p);
    if (n && p.lex.token.type != LEX_END) {
        n = expected(&p, "&&, || or the end");
    }
    if (!n || !check_levels(&p, n)) {
        arena_destroy(&arena);
        *ep = NULL;
        return p.error;
    }
    *e = (struct expr) { .refs = 1, .arena = arena, .root = n };
    *ep = e;
    return NULL;
}

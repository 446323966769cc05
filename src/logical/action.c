/* The frame of the actions: statements, nesting, prerequisites, the calls whose arguments are fields; and the public functions. */
#include "logical/actions/trace.h"

#include <stdio.h>

enum { MAX_DEPTH = 16, MAX_ENCODED = 60000 };

struct actions {
    unsigned refs;
    struct arena arena;
    struct action *list;
    struct expr *prereqs;
};

/* All classes, by name. Filled before main(). */
enum { N_SLOTS = 1024 };
static struct {
    const struct action_class *class;
    bool function;
} slots[N_SLOTS];

static uint32_t
name_hash(const char *name, size_t n, bool function)
{
    uint32_t h = function ? 5381 : 7919;
    for (size_t i = 0; i < n; i++) {
        h = h * 33 ^ (uint8_t) name[i];
    }
    return h ^ h >> 13;
}

static __attribute__((constructor)) void
action_register(void)
{
    static const struct action_family *const families[] = {
        &action_family_basic, &action_family_lookup, &action_family_lookup_result, &action_family_ct, &action_family_ct_result,
        &action_family_group, &action_family_group_result, &action_family_learn, &action_family_nd_ra_result, &action_family_observe,
        &action_family_options_result, &action_family_punt, &action_family_punt_result,
    };
    for (size_t i = 0; i < ARRAY_SIZE(families); i++) {
        for (size_t k = 0; k < families[i]->n; k++) {
            const struct action_class *c = &families[i]->classes[k];
            REQUIRE(!action_find(c->name, strlen(c->name), families[i]->functions));
            REQUIRE(c->trace);
            uint32_t h = name_hash(c->name, strlen(c->name), families[i]->functions);
            while (slots[h % N_SLOTS].class) {
                h++;
            }
            slots[h % N_SLOTS].class = c;
            slots[h % N_SLOTS].function = families[i]->functions;
        }
    }
}

const struct action_class *
action_find(const char *name, size_t n, bool function)
{
    for (uint32_t h = name_hash(name, n, function);; h++) {
        const struct action_class *c = slots[h % N_SLOTS].class;
        if (!c || (slots[h % N_SLOTS].function == function && !strncmp(c->name, name, n) && !c->name[n])) {
            return c;
        }
    }
}

/* Parsing. */

bool
action_fail(struct action_parser *p, char *message)
{
    if (p->error) {
        free(message);
    } else {
        p->error = message;
    }
    return false;
}

bool
action_expected(struct action_parser *p, const char *what)
{
    const struct token *t = &p->lex.token;
    if (t->type == LEX_ERROR) {
        return action_fail(p, lexer_message(&p->lex, t->start, "%s", t->s));
    }
    return action_fail(p, lexer_message(&p->lex, t->start, "%s expected, not %s", what, token_describe(&p->lex)));
}

bool
action_match(struct action_parser *p, enum lex_type type, const char *what)
{
    return lexer_match(&p->lex, type) || action_expected(p, what);
}

void
action_require(struct action_parser *p, const struct expr *e)
{
    if (!e || p->other_packet) {
        return;
    }
    for (size_t i = 0; i < p->n_prereqs; i++) {
        if (expr_equal(p->prereqs[i], e)) {
            return;
        }
    }
    GROW(p->prereqs, p->cap_prereqs, p->n_prereqs + 1);
    p->prereqs[p->n_prereqs++] = e;
}

bool
action_parse_field(struct action_parser *p, struct field *f)
{
    char *error = field_parse(&p->lex, f);
    if (error) {
        return action_fail(p, error);
    }
    if (f->symbol->kind != SYMBOL_FIELD && f->symbol->kind != SYMBOL_STRING) {
        return action_fail(p, lexer_message(&p->lex, p->lex.token.start, "%s is not a field here", f->symbol->name));
    }
    action_require(p, f->symbol->prereqs);
    return true;
}

bool
action_parse_writable(struct action_parser *p, struct field *f)
{
    size_t at = p->lex.token.start;
    if (!action_parse_field(p, f)) {
        return false;
    }
    bool ct = p->in_ct_commit && (f->sf.field == OFF_CT_MARK || f->sf.field == OFF_CT_LABEL);
    if (!f->symbol->writable && !ct) {
        return action_fail(p, lexer_message(&p->lex, at, "%s cannot be changed", f->symbol->name));
    }
    return true;
}

bool
action_parse_number(struct action_parser *p, uint32_t min, uint32_t max, uint32_t *n)
{
    const struct token *t = &p->lex.token;
    if (t->type != LEX_INTEGER || t->format > LEX_HEX || u128_from(&t->value) < min || u128_from(&t->value) > max) {
        char what[64];
        snprintf(what, sizeof what, "a number from %u to %u", min, max);
        return action_expected(p, what);
    }
    *n = of_value_low(&t->value);
    lexer_next(&p->lex);
    return true;
}

bool
action_parse_key(struct action_parser *p, struct token *key, const char *what)
{
    *key = p->lex.token;
    return action_match(p, LEX_ID, what) && action_match(p, LEX_EQUALS, "`='");
}

bool
action_parse_string(struct action_parser *p, const char **s)
{
    *s = p->lex.token.s;
    return action_match(p, LEX_STRING, "a string");
}

/* "name(field, ...)". */
static bool
parse_call(struct action_parser *p, struct action *a)
{
    const char *args = a->class->args;
    if (!action_match(p, LEX_LPAREN, "`('")) {
        return false;
    }
    for (size_t i = 0; args[i]; i++) {
        size_t at = p->lex.token.start;
        struct field *f = &a->args[i];
        if ((i && !action_match(p, LEX_COMMA, "`,'")) || !action_parse_field(p, f)) {
            return false;
        }
        unsigned bits = args[i] == 'X' ? 128 : args[i] == 'E' ? 48 : 32;
        if (args[i] == 'P' ? f->symbol->kind != SYMBOL_STRING : f->symbol->kind == SYMBOL_STRING || f->sf.n_bits != bits) {
            char *what = args[i] == 'P' ? xstrdup("inport or outport") : xasprintf("a field of %u bits", bits);
            action_fail(p, lexer_message(&p->lex, at, "%s needs %s here", a->class->name, what));
            free(what);
            return false;
        }
    }
    return action_match(p, LEX_RPAREN, "`)'");
}

/* What follows the name of a class. */
static bool
parse_class(struct action_parser *p, struct action *a)
{
    const char *prereq = a->class->prereq;
    if (prereq) {
        action_require(p, symbol_find(prereq, strlen(prereq))->expansion);
    }
    return a->class->parse ? a->class->parse(p, a) : a->class->args ? parse_call(p, a) : true;
}

/* "dst = function(...)": the function's name is the current token. */
static bool
parse_function(struct action_parser *p, struct action *a, size_t at)
{
    const struct token *t = &p->lex.token;
    a->class = action_find(t->s, t->n, true);
    if (!a->class) {
        return action_fail(p, lexer_message(&p->lex, t->start, "there is no function of the name %s", token_describe(&p->lex)));
    }
    unsigned bits = a->class->result_bits;
    bool port = a->dst.symbol->kind == SYMBOL_STRING;
    if (bits == ACTION_NUMBER ? port : bits ? port || a->dst.sf.n_bits != bits : !port) {
        return action_fail(p, bits == ACTION_NUMBER ? lexer_message(&p->lex, at, "the result of %s is a number", a->class->name) : bits ? lexer_message(&p->lex, at, "the result of %s has a width of %u", a->class->name, bits)
                                   : lexer_message(&p->lex, at, "the result of %s is a port", a->class->name));
    }
    lexer_next(&p->lex);
    return parse_class(p, a);
}

static bool
parse_statement(struct action_parser *p, struct action *a)
{
    struct token *t = &p->lex.token;
    size_t at = t->start;
    if (t->type != LEX_ID) {
        return action_expected(p, "an action");
    }
    a->class = action_find(t->s, t->n, false);
    if (a->class) {
        lexer_next(&p->lex);
        return parse_class(p, a);
    }
    const struct symbol *s = symbol_find(t->s, t->n);
    if (!s) {
        return action_fail(p, lexer_message(&p->lex, at, "there is no action or field of the name %s", token_describe(&p->lex)));
    }
    if (s->kind == SYMBOL_OVN_FIELD) {
        a->class = &action_assign_ovn;
        return a->class->parse(p, a);
    }
    if (!action_parse_writable(p, &a->dst)) {
        return false;
    }
    struct lexer saved = p->lex;
    if (lexer_match(&p->lex, LEX_EQUALS) && t->type == LEX_ID) {
        struct lexer name = p->lex;
        lexer_next(&p->lex);
        bool call = t->type == LEX_LPAREN;
        p->lex = name;
        if (call) {
            return parse_function(p, a, at);
        }
    }
    p->lex = saved;
    return action_parse_assignment(p, a);
}

/* "drop;" ends its list. Alone it is the empty list; after other actions, as northd of some releases writes it, it just says that no more is done. */
static bool
parse_drop(struct action_parser *p, enum lex_type end, bool alone, struct action **a)
{
    lexer_next(&p->lex);
    if (!alone) {
        *a = arena_zalloc(p->arena, sizeof **a);
        (*a)->class = &action_drop;
    }
    return action_match(p, LEX_SEMICOLON, "`;'") && (p->lex.token.type == end || action_expected(p, "the end (nothing comes after drop)"));
}

/* Up to END, which is left. */
static bool
parse_list(struct action_parser *p, enum lex_type end, struct action **list)
{
    struct action **tail = list;
    *tail = NULL;
    while (p->lex.token.type != end) {
        if (token_is(&p->lex.token, "drop")) {
            return parse_drop(p, end, tail == list, tail);
        }
        struct action *a = arena_zalloc(p->arena, sizeof *a);
        if (!parse_statement(p, a) || !action_match(p, LEX_SEMICOLON, "`;'")) {
            return false;
        }
        *tail = a;
        tail = &a->next;
    }
    return true;
}

bool
action_parse_nested(struct action_parser *p, struct action *a)
{
    if (!action_match(p, LEX_LCURLY, "`{'")) {
        return false;
    }
    if (++p->depth > MAX_DEPTH) {
        return action_fail(p, lexer_message(&p->lex, p->lex.token.start, "more than %d braces within each other", MAX_DEPTH));
    }
    if (!parse_list(p, LEX_RCURLY, &a->nested)) {
        return false;
    }
    p->depth--;
    lexer_next(&p->lex);
    return true;
}

char *
actions_parse(const char *text, struct actions **ap)
{
    struct arena arena = ARENA_INIT;
    struct action_parser p = { .arena = &arena };
    struct action *list;
    *ap = NULL;
    if (strlen(text) > EXPR_MAX_TEXT) {
        return xasprintf("column %d: a text has at most %d bytes", EXPR_MAX_TEXT + 1, EXPR_MAX_TEXT);
    }
    struct actions *a = arena_alloc(&arena, sizeof *a);        /* First, so that it is near its list. */
    lexer_init(&p.lex, text, &arena);
    if (parse_list(&p, LEX_END, &list)) {
        *a = (struct actions) { .refs = 1, .arena = arena, .list = list, .prereqs = expr_all_of(p.prereqs, p.n_prereqs) };
        *ap = a;
    } else {
        arena_destroy(&arena);
    }
    free(p.prereqs);
    return p.error;
}

struct actions *
actions_ref(struct actions *a)
{
    a->refs++;
    return a;
}

void
actions_unref(struct actions *a)
{
    if (a && !--a->refs) {
        struct arena arena = a->arena;         /* A is in it. */
        expr_unref(a->prereqs);
        arena_destroy(&arena);
    }
}

size_t
actions_bytes(const struct actions *a)
{
    return a->arena.bytes + (a->prereqs ? expr_bytes(a->prereqs) : 0);
}

const struct expr *
actions_prereqs(const struct actions *a)
{
    arena_prefetch(a);                 /* Encoding comes next. */
    return a->prereqs;
}

/* Formatting. */

void
action_format(const struct action *a, struct str *out)
{
    if (a->class->result_bits || (a->class->args && a->dst.symbol)) {
        field_format(&a->dst, out);
        str_puts(out, " = ");
    }
    if (a->class->format) {
        a->class->format(a, out);
        return;
    }
    str_puts(out, a->class->name);
    if (a->class->args) {
        for (size_t i = 0; a->class->args[i]; i++) {
            str_puts(out, i ? ", " : "(");
            field_format(&a->args[i], out);
        }
        str_puts(out, a->class->args[0] ? ")" : "()");
    }
}

void
action_list_format(const struct action *list, struct str *out)
{
    for (const struct action *a = list; a; a = a->next) {
        str_puts(out, a == list ? "" : " ");
        action_format(a, out);
        str_putc(out, ';');
    }
}

void
action_format_nested(const struct action *a, struct str *out)
{
    str_printf(out, "%s {%s", a->class->name, a->nested ? " " : "");
    action_list_format(a->nested, out);
    str_puts(out, " }");
}

void
actions_format(const struct actions *a, struct str *out)
{
    if (!a->list) {
        str_puts(out, "drop;");
    }
    action_list_format(a->list, out);
}

/* Encoding. */

void
action_encode_fail(struct action_encoder *e, const char *fmt, ...)
{
    if (!e->error) {
        struct str s = STR_INIT;
        va_list args;
        va_start(args, fmt);
        str_vprintf(&s, fmt, args);
        va_end(args);
        e->error = str_steal(&s);
    }
}

bool
action_table(struct action_encoder *e, enum logical_pipeline pipeline, unsigned ltable, uint8_t *table)
{
    unsigned n = pipeline == LOGICAL_EGRESS && e->env->n_egress_tables ? e->env->n_egress_tables : e->env->n_tables;
    if (ltable >= n) {
        action_encode_fail(e, "there is no logical table %u", ltable);
        return false;
    }
    *table = (pipeline == LOGICAL_INGRESS ? e->env->ingress_table : e->env->egress_table) + ltable;
    return true;
}

bool
action_next_table(struct action_encoder *e, uint8_t *table)
{
    return action_table(e, e->env->pipeline, e->env->cur_ltable + 1, table);
}

void
action_setup_add(struct action_setup *s, struct of_subfield from, struct of_subfield to)
{
    if (from.field != to.field || from.ofs != to.ofs) {
        s->from[s->n] = from;
        s->to[s->n++] = to;
    }
}

void
action_setup_begin(const struct action_setup *s, struct str *out)
{
    for (size_t i = 0; i < s->n; i++) {
        ofa_put_push(out, s->to[i]);
    }
    for (size_t i = 0; i < s->n && s->n > 1; i++) {
        ofa_put_push(out, s->from[i]);
    }
    /* Through the stack, since one's destination may be another's source. */
    for (size_t i = s->n; i-- > 0 && s->n > 1;) {
        ofa_put_pop(out, s->to[i]);
    }
    if (s->n == 1) {
        ofa_put_move(out, s->from[0], s->to[0]);
    }
}

void
action_setup_end(const struct action_setup *s, struct str *out)
{
    for (size_t i = s->n; i-- > 0;) {
        ofa_put_pop(out, s->to[i]);
    }
}

void
action_put_punt(struct action_encoder *e, enum opcode opcode, const void *data, size_t n, bool pause)
{
    struct opcode_header h = { .opcode = opcode };
    struct str s = STR_INIT;
    if (n > MAX_ENCODED) {
        action_encode_fail(e, "these actions are too long for the switch");
        return;
    }
    str_put(&s, &h, sizeof h);
    str_put(&s, data, n);
    ofa_put_controller(e->out, UINT16_MAX, 0, s.s, s.len, pause, e->env->controller_meter);
    str_free(&s);
}

void
action_put_metered(struct action_encoder *e, const char *name, enum opcode opcode, const void *data, size_t n)
{
    struct action_env env = *e->env;
    struct action_encoder inner = { .env = &env, .out = e->out };
    uint32_t meter;
    if (name && env.meter && env.meter(env.aux, name, &meter)) {
        env.controller_meter = meter;
    }
    action_put_punt(&inner, opcode, data, n, false);
    if (inner.error) {
        action_encode_fail(e, "%s", inner.error);
        free(inner.error);
    }
}

bool
action_result(const struct action *a, struct action_encoder *e, struct opcode_result *r)
{
    const struct of_subfield *sf = &a->dst.sf;
    if (sf->field < OFF_REG0 || sf->field > OFF_REG15) {
        action_encode_fail(e, "the result of %s must be in a register", a->class->name);
        return false;
    }
    *r = (struct opcode_result) { .reg = sf->field - OFF_REG0, .bit = sf->ofs };
    return true;
}

void
action_list_encode(const struct action *list, struct action_encoder *e)
{
    for (const struct action *a = list; a && !e->error; a = a->next) {
        a->class->encode(a, e);
        if (e->out->len > 4 * MAX_ENCODED) {
            break;                     /* Too long in any case. */
        }
    }
}

char *
actions_encode(const struct actions *a, const struct action_env *env, struct str *out)
{
    struct action_encoder e = { .env = env, .out = out, .list = a->list };
    size_t before = out->len;
    action_list_encode(a->list, &e);
    if (out->len - before > MAX_ENCODED) {
        action_encode_fail(&e, "these actions are too long for the switch");
    }
    if (e.error && out->s) {
        str_truncate(out, before);
    }
    return e.error;
}

/* Tracing. */

void
actions_trace(const struct actions *a, struct trace_at *at)
{
    if (!a->list) {
        trace_add(at->env->arena, at->node, TRACE_ACTION, "drop;");
    }
    action_list_trace(a->list, at);
}

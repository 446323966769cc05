/* fuzz_expr.c - any text is a valid expression or a message with a column; what is valid formats to a text that parses to the same tree, and its matches agree with direct
 * evaluation on packets made from the text's own constants, with conjunctions and without, with addresses filled in one by one, and after a journey as bytes; and what
 * is encoded can be read. Template variables without a value change nothing. */
#include <stdlib.h>

#include "logical/expr.h"
#include "openflow/action.h"

int LLVMFuzzerTestOneInput(const uint8_t *, size_t);

static bool
lookup_port(void *aux, const char *name, uint32_t *key)
{
    *key = strlen(name) % 3 + 1;
    return *name != 'x';
}

static const struct expr_constants *
address_set(void *aux, const char *name)
{
    static const struct expr_constant c[] = {
        { .value.b = { [12] = 10 }, .mask.b = { [12] = 255 }, .width = 32 },
        { .value.b = { [15] = 5 }, .mask.b = { [10] = 255, 255, 255, 255, 255, 255 }, .width = 48 },
        { .value.b = { 0xfd }, .mask.b = { 0xff }, .width = 128 },
    };
    static const struct expr_constants set = { 3, c };
    return *name != 'x' ? &set : NULL;
}

static const struct expr_keys *
port_group(void *aux, const char *name)
{
    static const uint32_t k[] = { 1, 3 };
    static const struct expr_keys keys = { 2, k };
    return *name != 'x' ? &keys : NULL;
}

static bool
resident(void *aux, const char *name)
{
    return *name == 'h';
}

static struct expr_env env = { lookup_port, address_set, port_group, resident, NULL, EXPR_CONJUNCTIONS_NEVER };

static bool
accepts(const struct of_match *m, const struct logical_packet *p)
{
    for (size_t i = 0; i < m->n; i++) {
        union of_value v = of_value_and(&p->f[m->terms[i].field], &m->terms[i].mask);
        if (of_value_compare(&v, &m->terms[i].value)) {
            return false;
        }
    }
    return true;
}

/* As the switch does it. Ids beyond 64 are not looked at: then the answer is what EXPECTED is. */
static bool
any_accepts(const struct expr_matches *m, struct logical_packet *p, bool expected)
{
    uint64_t met[64] = { 0 };
    uint8_t n_clauses[64] = { 0 };
    for (size_t i = 0; i < m->n; i++) {
        const struct expr_match *x = &m->m[i];
        if (of_match_get(&x->match, OFF_CONJ_ID) || !accepts(&x->match, p)) {
            continue;
        } else if (!x->n_conjs) {
            return true;
        }
        for (size_t k = 0; k < x->n_conjs; k++) {
            const struct expr_conj *c = &x->conjs[k];
            REQUIRE(c->id < m->n_conj_ids && c->clause < c->n_clauses && c->n_clauses >= 2);
            if (c->id < 64) {
                met[c->id] |= UINT64_C(1) << c->clause;
                n_clauses[c->id] = c->n_clauses;
            }
        }
    }
    for (uint32_t id = 0; id < 64; id++) {
        if (n_clauses[id] && met[id] == (UINT64_C(2) << (n_clauses[id] - 1)) - 1) {
            return true;
        }
    }
    return m->n_conj_ids > 64 ? expected : false;
}

/* Packets: nothing, then what each match wants, alone and with one bit changed. */
static void
check_matches(const struct expr *e, const struct expr_matches *m)
{
    for (size_t i = 0; i <= m->n && i < 8; i++) {
        struct logical_packet p = { 0 };
        const struct of_match *want = i ? &m->m[i - 1].match : NULL;
        for (size_t k = 0; want && k < want->n; k++) {
            p.f[want->terms[k].field] = want->terms[k].value;
        }
        for (size_t k = 0; k <= (want ? want->n : 0); k++) {
            if (k) {
                /* The lowest bit of the mask. */
                const struct of_term *t = &want->terms[k - 1];
                int b = 15;
                while (!t->mask.b[b]) {
                    b--;
                }
                p.f[t->field].b[b] ^= t->mask.b[b] & -t->mask.b[b];
            }
            bool expected = expr_evaluate(e, &env, &p);
            REQUIRE(any_accepts(m, &p, expected) == expected);
        }
    }
}

/* Other numbers for conjunctions are in all places where the old ones were, and what goes to the switch makes sense. */
static void
check_encoding(struct expr_matches *m)
{
    uint32_t *numbers = xcalloc(m->n_conj_ids + 1, sizeof *numbers);
    struct str s = STR_INIT, text = STR_INIT;
    for (uint32_t i = 0; i < m->n_conj_ids; i++) {
        numbers[i] = 1000 + i;
    }
    for (size_t i = 0; i < m->n && i < 64; i++) {
        struct expr_match *x = &m->m[i];
        struct of_match again = OF_MATCH_INIT;
        expr_match_renumber(x, numbers);
        const struct of_term *id = of_match_get(&x->match, OFF_CONJ_ID);
        REQUIRE(!id || of_value_low(&id->value) >= 1000);
        for (size_t k = 0; k < x->n_conjs; k++) {
            REQUIRE(x->conjs[k].id >= 1000);
        }
        str_clear(&s);
        expr_match_put_conjunctions(x, &s);
        REQUIRE(s.len % 8 == 0 && !s.len == !x->n_conjs);
        ofa_format(s.s, s.len, &text);
        str_clear(&s);
        of_match_put_oxm(&x->match, &s);
        char *error = of_match_parse_oxm(s.s, s.len, &again);
        REQUIRE(!error && again.n <= x->match.n);
        of_match_format(&x->match, &text);
        of_match_destroy(&again);
    }
    str_free(&s);
    str_free(&text);
    free(numbers);
}

/* ALSO, which is E again or nothing, changes nothing. Returns how many flows there are. */
static size_t
check_mode(const struct expr *e, const struct expr *also, int mode, char **error)
{
    struct expr_matches m = EXPR_MATCHES_INIT;
    env.conjunctions = mode;
    *error = expr_resolve(e, also, &env, &m);
    if (!*error) {
        check_matches(e, &m);
        check_encoding(&m);
    }
    size_t n = m.n;
    expr_matches_destroy(&m);
    return n;
}

static const char *
no_value(void *aux, const char *name)
{
    return NULL;
}

static const char *
some_value(void *aux, const char *name)
{
    return *name == 'x' ? NULL : "10.0.0.1, 10.0.0.2";
}

/* What comes of it may be anything, but not more than the text with a value for each sign. */
static void
check_expansion(const char *text)
{
    struct str s = STR_INIT;
    if (expr_expand_templates(text, no_value, NULL, &s)) {
        REQUIRE(!strcmp(str_c(&s), text));
    } else {
        REQUIRE(!s.len);
    }
    str_clear(&s);
    if (expr_expand_templates(text, some_value, NULL, &s)) {
        REQUIRE(strchr(text, '^') && s.len <= 20 * strlen(text) && strlen(str_c(&s)) == s.len);
    }
    str_free(&s);
}

/* With the addresses filled in one by one. */
static char *
check_split(const struct expr *e)
{
    struct expr_matches m = EXPR_MATCHES_INIT;
    struct expr_templates t = EXPR_TEMPLATES_INIT;
    char *error = expr_resolve_split(e, NULL, &env, &m, &t);
    REQUIRE(!error || (!m.n && !t.n));
    for (size_t i = 0; i < t.n; i++) {
        const struct expr_constants *set = address_set(NULL, t.t[i].set);
        struct expr_template copy;
        struct str bytes = STR_INIT;
        expr_template_put(&t.t[i], &bytes);
        expr_template_destroy(&t.t[i]);
        expr_template_get(bytes.s, &copy);
        t.t[i] = copy;
        str_free(&bytes);
        for (size_t k = 0; set && k < set->n; k++) {
            struct expr_match x;
            if (expr_template_fill(&t.t[i], &set->values[k], &x)) {
                GROW(m.m, m.cap, m.n + 1);
                m.m[m.n++] = x;
            }
        }
    }
    if (!error) {
        check_matches(e, &m);
    }
    expr_templates_destroy(&t);
    expr_matches_destroy(&m);
    return error;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    char *text = xstrndup((const char *) data, n);
    struct expr *e, *again;
    struct expr_constant c;
    struct str s = STR_INIT;
    if (expr_constant_parse(text, &c)) {
        REQUIRE(c.width == 32 || c.width == 48 || c.width == 128);
    }
    check_expansion(text);
    char *error = expr_parse(text, &e);
    REQUIRE(!error == (e != NULL));
    if (error) {
        REQUIRE(!strncmp(error, "column ", 7));
    } else {
        expr_format(e, &s);
        error = expr_parse(str_c(&s), &again);
        REQUIRE(!error && expr_equal(e, again));
        expr_unref(again);
        for (int mode = EXPR_CONJUNCTIONS_NEVER; mode <= EXPR_CONJUNCTIONS_ALWAYS; mode++) {
            free(error);
            /* With itself it takes the square of the time: what is large is tried alone. */
            size_t n = check_mode(e, NULL, mode, &error);
            if (!error && n < 512) {
                check_mode(e, e, mode, &error);
            }
        }
        free(error);
        error = check_split(e);
        expr_unref(e);
    }
    free(error);
    str_free(&s);
    free(text);
    return 0;
}

/* microflow.c - a packet described by an expression of the logical language: ovn-trace(8), "microflow"; ovn-controller(8), inject-pkt. The expression leaves no
 * choice: it is resolved as the match of a flow would be, and must come to one match. Bits that it does not speak of are zero. */
#include "logical/expr.h"

#include <stdlib.h>

/* Which fields the two differ in: what the microflow should say more of. */
static char *
ambiguous(const struct expr_matches *m)
{
    struct str s = STR_INIT;

    str_printf(&s, "the microflow is ambiguous: %zu kinds of packets match it", m->n);
    const char *separator = "; it does not say enough about ";
    for (int f = 0; f < OFF_N_FIELDS; f++) {
        const struct of_term *a = of_match_get(&m->m[0].match, f), *b = of_match_get(&m->m[1].match, f);
        if (!a != !b || (a && (of_value_compare(&a->value, &b->value) || of_value_compare(&a->mask, &b->mask)))) {
            str_printf(&s, "%s%s", separator, f == LOGICAL_INPORT ? "inport" : f == LOGICAL_OUTPORT ? "outport" : of_field_info(f)->name);
            separator = ", ";
        }
    }
    return str_steal(&s);
}

char *
logical_packet_parse(const char *text, const struct expr_env *env, struct logical_packet *p)
{
    struct expr_matches m = EXPR_MATCHES_INIT;
    struct expr *e;
    char *error = expr_parse(text, &e);

    memset(p, 0, sizeof *p);
    if (error) {
        char *message = xasprintf("error parsing flow: %s", error);
        free(error);
        return message;
    }
    error = expr_resolve(e, NULL, env, &m);
    expr_unref(e);
    if (!error && m.n != 1) {
        error = m.n ? ambiguous(&m) : xstrdup("the microflow is contradictory: no packet matches it");
    }
    if (!error) {
        const struct of_match *match = &m.m[0].match;
        for (size_t i = 0; i < match->n; i++) {
            p->f[match->terms[i].field] = match->terms[i].value;
        }
    }
    expr_matches_destroy(&m);
    return error;
}

/* From tree to cubes: each node of the tree, one after the other, is ANDed into the cubes so far (dnf.h). Contradictory cubes vanish on the way, so that a prerequisite like "ip"
 * costs nothing when the cube already says "ip4".
 *
 * What is said of one field in one conjunction by <, <=, >, >= and != is first put together as numbers: the intervals that are left become prefixes. So a range is as few matches
 * as it can be, and "ip4.dst != {...}" with many networks is a sum and no product. */
#include "logical/dnf.h"

enum { SIMPLIFY_MIN = 32 };            /* From here on, what is superfluous is removed on the way. */

struct interval {
    u128 low, high;
};

/* Patterns. */

/* The values and masks of a constant of a field of WIDTH bits. False if it names what is not there. */
static bool
constant_patterns(struct resolver *r, const struct constant *c, unsigned width, struct patterns *ps)
{
    const struct expr_env *env = r->env;
    switch (c->type) {
    case CONSTANT_INTEGER:
        patterns_add(r, ps, u128_from(&c->value), u128_from(&c->mask));
        return true;
    case CONSTANT_STRING: {
        uint32_t key;
        if (!env || !env->lookup_port || !env->lookup_port(env->aux, c->s, &key)) {
            return false;
        }
        patterns_add(r, ps, key, UINT32_MAX);
        return true;
    }
    case CONSTANT_ADDRESS_SET: {
        const struct expr_constants *set = env && env->address_set ? env->address_set(env->aux, c->s) : NULL;
        for (size_t i = 0; set && i < set->n; i++) {
            if (set->values[i].width == width) {
                patterns_add(r, ps, u128_from(&set->values[i].value), u128_from(&set->values[i].mask));
            }
        }
        return set != NULL;
    }
    case CONSTANT_PORT_GROUP: {
        const struct expr_keys *keys = env && env->port_group ? env->port_group(env->aux, c->s) : NULL;
        for (size_t i = 0; keys && i < keys->n; i++) {
            patterns_add(r, ps, keys->keys[i], UINT32_MAX);
        }
        return keys != NULL;
    }
    }
    return false;
}

/* Every constant of a comparison. False: one is not there. */
static bool
compare_patterns(struct resolver *r, const struct node *n, struct patterns *ps)
{
    bool known = true;
    bool split = false;
    for (size_t i = 0; i < r->n_splits; i++) {
        split |= r->splits[i] == n;
    }
    for (uint32_t i = 0; i < n->compare.n; i++) {
        if (split && n->compare.constants[i].type == CONSTANT_ADDRESS_SET) {
            continue;
        }
        known &= constant_patterns(r, &n->compare.constants[i], n->compare.field.sf.n_bits, ps);
    }
    return known;
}

/* Numbers left over when intervals are taken away. */

static bool
is_prefix(u128 mask, unsigned width)
{
    u128 rest = ~mask & u128_ones(width);
    return !(rest & (rest + 1));
}

static int
interval_compare(const void *a_, const void *b_)
{
    const struct interval *a = a_, *b = b_;
    return a->low < b->low ? -1 : a->low > b->low;
}

static void
interval_to_prefixes(struct resolver *r, u128 low, u128 high, unsigned width, struct patterns *ps)
{
    for (;;) {
        unsigned k = 0;
        while (k < width && !(low >> k & 1)) {
            k++;
        }
        while (k && low + u128_ones(k) > high) {
            k--;
        }
        patterns_add(r, ps, low, u128_ones(width) & ~u128_ones(k));
        if (low + u128_ones(k) == high) {
            return;
        }
        low += u128_ones(k) + 1;
    }
}

/* What one comparison takes away from its field, appended to *OUT. False: it is not of the kind that takes away intervals. */
static bool
compare_excludes(struct resolver *r, const struct node *n, struct interval **out, size_t *n_out, size_t *cap, bool *known)
{
    if (n->type != NODE_COMPARE || n->compare.op == OP_EQ || n->compare.field.symbol->level == SYMBOL_NOMINAL) {
        return false;
    }
    unsigned width = n->compare.field.sf.n_bits;
    u128 max = u128_ones(width), c = u128_from(&n->compare.constants->value);
    struct patterns ps = { NULL, 0, 0 };
    struct interval one = { 1, 0 };
    bool ok = true;
    switch (n->compare.op) {
    case OP_LT:
        one = (struct interval) { c, max };
        break;
    case OP_LE:
        one = c < max ? (struct interval) { c + 1, max } : one;
        break;
    case OP_GT:
        one = (struct interval) { 0, c };
        break;
    case OP_GE:
        one = c ? (struct interval) { 0, c - 1 } : one;
        break;
    case OP_NE:
        ok = compare_patterns(r, n, &ps);
        break;
    case OP_EQ:
        break;
    }
    for (size_t i = 0; i < ps.n; i++) {
        if (!is_prefix(ps.p[i].mask, width)) {
            return false;
        }
    }
    *known &= ok;
    if (*n_out + ps.n + 1 > *cap) {
        size_t bigger_cap = 2 * (*n_out + ps.n + 1);
        struct interval *bigger = arena_alloc(&r->arena, bigger_cap * sizeof *bigger);
        if (*n_out) {
            memcpy(bigger, *out, *n_out * sizeof *bigger);
        }
        *out = bigger;
        *cap = bigger_cap;
    }
    if (one.low <= one.high) {
        (*out)[(*n_out)++] = one;
    }
    for (size_t i = 0; i < ps.n; i++) {
        (*out)[(*n_out)++] = (struct interval) { ps.p[i].value, ps.p[i].value | (max & ~ps.p[i].mask) };
    }
    return true;
}

static void
and_remainder(struct resolver *r, struct dnf *d, struct of_subfield sf, struct interval *x, size_t n)
{
    u128 max = u128_ones(sf.n_bits), next = 0;
    struct patterns ps = { NULL, 0, 0 };
    bool open = true;                  /* [next, max] is still to be looked at. */
    qsort(x, n, sizeof *x, interval_compare);
    for (size_t i = 0; i < n && open && ps.n <= EXPR_MAX_MATCHES; i++) {
        if (x[i].low > next) {
            interval_to_prefixes(r, next, x[i].low - 1, sf.n_bits, &ps);
        }
        if (x[i].high >= next) {
            open = x[i].high < max;
            next = x[i].high + 1;
        }
    }
    if (open) {
        interval_to_prefixes(r, next, max, sf.n_bits, &ps);
    }
    dnf_and_patterns(r, d, sf, &ps);
}

/* ANDs comparison N, and those after it among its siblings that say something of the same field in the same way (they are marked in DONE). */
static bool
and_intervals(struct resolver *r, struct dnf *d, const struct node *n, bool siblings, uint8_t *done)
{
    struct interval *x = NULL;
    size_t n_x = 0, cap = 0;
    bool known = true;
    if (!compare_excludes(r, n, &x, &n_x, &cap, &known)) {
        return false;
    }
    size_t i = 0;
    for (const struct node *s = siblings ? n->next : NULL; s; s = s->next) {
        i++;
        if (!done[i] && s->type == NODE_COMPARE && s->compare.field.symbol == n->compare.field.symbol
            && s->compare.field.sf.ofs == n->compare.field.sf.ofs && s->compare.field.sf.n_bits == n->compare.field.sf.n_bits
            && compare_excludes(r, s, &x, &n_x, &cap, &known)) {
            done[i] = 1;
        }
    }
    if (!known) {
        d->n = 0;
        return true;
    }
    and_remainder(r, d, n->compare.field.sf, x, n_x);
    return true;
}

/* Nodes. */

/* A != that takes away no intervals: for each constant, some bit of its mask differs. */
static void
and_differs(struct resolver *r, struct dnf *d, const struct node *n)
{
    struct patterns ps = { NULL, 0, 0 };
    if (!compare_patterns(r, n, &ps)) {
        d->n = 0;
        return;
    }
    for (size_t i = 0; i < ps.n && !r->too_much; i++) {
        struct patterns bits = { NULL, 0, 0 };
        for (unsigned b = 0; b < n->compare.field.sf.n_bits; b++) {
            u128 bit = (u128) 1 << b;
            if (ps.p[i].mask & bit) {
                patterns_add(r, &bits, ~ps.p[i].value & bit, bit);
            }
        }
        dnf_and_patterns(r, d, n->compare.field.sf, &bits);
    }
}

void
resolve_prereqs(struct resolver *r, struct dnf *d, const struct symbol *s)
{
    if (s->prereqs) {
        resolve_node(r, d, s->prereqs->root);
    }
}

static void
and_compare(struct resolver *r, struct dnf *d, const struct node *n)
{
    resolve_prereqs(r, d, n->compare.field.symbol);
    if (n->compare.op == OP_EQ) {
        struct patterns ps = { NULL, 0, 0 };
        compare_patterns(r, n, &ps);
        dnf_and_patterns(r, d, n->compare.field.sf, &ps);
    } else if (!and_intervals(r, d, n, false, NULL)) {
        and_differs(r, d, n);
    }
}

bool
resolve_is_narrow(const struct node *n)
{
    return (n->type == NODE_COMPARE && n->compare.op == OP_EQ && n->compare.n == 1
            && n->compare.constants->type <= CONSTANT_STRING) || n->type == NODE_PREDICATE || n->type == NODE_BOOL
           || n->type == NODE_RESIDENT;
}

void
resolve_child(struct resolver *r, struct dnf *d, const struct node *c, size_t i, uint8_t *done)
{
    if (c->type == NODE_COMPARE && c->compare.op != OP_EQ) {
        resolve_prereqs(r, d, c->compare.field.symbol);
        if (!and_intervals(r, d, c, true, done + i)) {
            and_differs(r, d, c);
        }
    } else {
        resolve_node(r, d, c);
    }
}

static void
and_children(struct resolver *r, struct dnf *d, const struct node *and)
{
    size_t n = 0, i = 0;
    for (const struct node *c = and->children; c; c = c->next) {
        n++;
        if (resolve_is_narrow(c) && d->n) {
            resolve_node(r, d, c);
        }
    }
    uint8_t *done = arena_zalloc(&r->arena, n);
    for (const struct node *c = and->children; c && d->n && !r->too_much; c = c->next, i++) {
        if (!done[i] && !resolve_is_narrow(c)) {
            resolve_child(r, d, c, i, done);
        }
    }
}

static void
and_or(struct resolver *r, struct dnf *d, const struct node *or)
{
    struct dnf out = { NULL, 0, 0 };
    size_t simple = 0;
    for (const struct node *c = or->children; c && !r->too_much; c = c->next) {
        struct dnf branch = dnf_copy(r, d);
        resolve_node(r, &branch, c);
        for (size_t i = 0; i < branch.n; i++) {
            dnf_push(r, &out, branch.c[i]);
        }
        if (out.n > SIMPLIFY_MIN && out.n > 2 * simple) {
            dnf_simplify(r, &out);
            simple = out.n;
        }
    }
    *d = out;
}

void
resolve_node(struct resolver *r, struct dnf *d, const struct node *n)
{
    bool resident;
    if (!d->n || r->too_much) {
        return;
    }
    switch (n->type) {
    case NODE_BOOL:
        d->n = n->value ? d->n : 0;
        break;
    case NODE_AND:
        and_children(r, d, n);
        break;
    case NODE_OR:
        and_or(r, d, n);
        break;
    case NODE_COMPARE:
        and_compare(r, d, n);
        break;
    case NODE_PREDICATE:
        resolve_node(r, d, (n->predicate.negated ? n->predicate.symbol->negation : n->predicate.symbol->expansion)->root);
        break;
    case NODE_RESIDENT:
        resident = r->env && r->env->is_chassis_resident && r->env->is_chassis_resident(r->env->aux, n->resident.port);
        d->n = resident != n->resident.negated ? d->n : 0;
        break;
    case NODE_REF:
        resolve_node(r, d, n->ref->root);
        break;
    }
}

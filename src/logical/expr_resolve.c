/* From tree to matches: a disjunction of cubes (a cube is a conjunction of masked terms, one a field: what one flow can match), built by ANDing one node of the tree after
 * the other into the cubes so far. Contradictory cubes vanish on the way, so that a prerequisite like "ip" costs nothing when the cube already says "ip4".
 *
 * What is said of one field in one conjunction by <, <=, >, >= and != is first put together as numbers: the intervals that are left become prefixes. So a range is as few matches
 * as it can be, and "ip4.dst != {...}" with many networks is a sum and no product.
 *
 * Conjunctive matches: the factors of the outermost AND that have many alternatives each are what OpenFlow's conjunction() is for; struct expr_match has the room, this file multiplies them out. */
#include <endian.h>
#include <stdio.h>

#include "base/hash.h"
#include "logical/tree.h"

enum {
    MAX_WORK = 16 << 20,               /* Cubes touched for one expression. */
    SIMPLIFY_MIN = 32,                 /* From here on, what is superfluous is removed on the way. */
    SUBSUME_MAX = 512,                 /* With more cubes than this, only equal ones are found. */
};

struct cube {
    struct of_term *t;
    unsigned n, cap;
};
struct dnf {
    struct cube *c;
    size_t n, cap;
};
struct pattern {
    u128 value, mask;
};
struct patterns {
    struct pattern *p;
    size_t n, cap;
};
struct interval {
    u128 low, high;
};

struct resolver {
    const struct expr_env *env;
    struct arena arena;
    size_t work;
    bool too_much;
};

static void and_node(struct resolver *, struct dnf *, const struct node *);

/* Cubes. */

static void
count_work(struct resolver *r, size_t n)
{
    r->work += n;
    r->too_much |= r->work > MAX_WORK;
}

static bool
cube_add_term(struct resolver *r, struct cube *c, enum of_field f, union of_value v, union of_value m)
{
    for (unsigned i = 0; i < c->n; i++) {
        struct of_term *t = &c->t[i];
        if (t->field == f) {
            for (int k = 0; k < 2; k++) {
                if ((t->value.be64[k] ^ v.be64[k]) & t->mask.be64[k] & m.be64[k]) {
                    return false;
                }
            }
            for (int k = 0; k < 2; k++) {
                t->value.be64[k] |= v.be64[k];
                t->mask.be64[k] |= m.be64[k];
            }
            return true;
        }
    }
    if (c->n == c->cap) {
        struct of_term *bigger = arena_alloc(&r->arena, (c->cap + 6) * sizeof *bigger);
        if (c->n) {
            memcpy(bigger, c->t, c->n * sizeof *bigger);
        }
        c->t = bigger;
        c->cap += 6;
    }
    struct of_term *t = memset(&c->t[c->n++], 0, sizeof *t);           /* With its padding: cubes are compared as bytes. */
    t->field = f;
    t->value = v;
    t->mask = m;
    return true;
}

/* The narrow registers of a wide one, the last (least significant) first. */
static unsigned
narrow_registers(enum of_field f, enum of_field *last)
{
    if (f >= OFF_XXREG0 && f <= OFF_XXREG3) {
        *last = OFF_REG0 + 4 * (f - OFF_XXREG0) + 3;
        return 4;
    } else if (f >= OFF_XREG0 && f <= OFF_XREG7) {
        *last = OFF_REG0 + 2 * (f - OFF_XREG0) + 1;
        return 2;
    }
    return 0;
}

/* False if the cube contradicts it (and is then of no use). */
static bool
cube_add(struct resolver *r, struct cube *c, struct of_subfield sf, struct pattern p)
{
    u128 value = p.value << sf.ofs, mask = p.mask << sf.ofs;
    enum of_field last;
    unsigned n = narrow_registers(sf.field, &last);
    if (!n) {
        return !mask || cube_add_term(r, c, sf.field, u128_to(value), u128_to(mask));
    }
    for (unsigned i = 0; i < n; i++, value >>= 32, mask >>= 32) {
        if ((uint32_t) mask && !cube_add_term(r, c, last - i, u128_to((uint32_t) value), u128_to((uint32_t) mask))) {
            return false;
        }
    }
    return true;
}

static struct cube
cube_copy(struct resolver *r, const struct cube *c)
{
    struct cube copy = { .n = c->n, .cap = c->n + 4 };
    copy.t = arena_alloc(&r->arena, copy.cap * sizeof *copy.t);
    if (c->n) {
        memcpy(copy.t, c->t, c->n * sizeof *copy.t);
    }
    return copy;
}

static void
dnf_push(struct resolver *r, struct dnf *d, struct cube c)
{
    if (d->n >= EXPR_MAX_MATCHES) {
        r->too_much = true;
        return;
    }
    if (d->n == d->cap) {
        size_t cap = MAX(4, d->cap * 2);
        struct cube *bigger = arena_alloc(&r->arena, cap * sizeof *bigger);
        if (d->n) {
            memcpy(bigger, d->c, d->n * sizeof *bigger);
        }
        d->c = bigger;
        d->cap = cap;
    }
    d->c[d->n++] = c;
}

static struct dnf
dnf_copy(struct resolver *r, const struct dnf *d)
{
    struct dnf copy = { .n = d->n, .cap = d->n };
    copy.c = arena_alloc(&r->arena, d->n * sizeof *copy.c);
    for (size_t i = 0; i < d->n; i++) {
        copy.c[i] = cube_copy(r, &d->c[i]);
    }
    count_work(r, d->n);
    return copy;
}

/* ANDs "SF matches one of PS" into D. */
static void
and_patterns(struct resolver *r, struct dnf *d, struct of_subfield sf, const struct patterns *ps)
{
    count_work(r, d->n * MAX(ps->n, 1));
    if (r->too_much) {
        return;
    }
    if (ps->n == 1) {
        size_t n = 0;
        for (size_t i = 0; i < d->n; i++) {
            if (cube_add(r, &d->c[i], sf, ps->p[0])) {
                d->c[n++] = d->c[i];
            }
        }
        d->n = n;
        return;
    }
    struct dnf out = { NULL, 0, 0 };
    for (size_t i = 0; i < d->n; i++) {
        for (size_t k = 0; k < ps->n && !r->too_much; k++) {
            struct cube c = cube_copy(r, &d->c[i]);
            if (cube_add(r, &c, sf, ps->p[k])) {
                dnf_push(r, &out, c);
            }
        }
    }
    *d = out;
}

/* Patterns. */

static void
patterns_add(struct resolver *r, struct patterns *ps, u128 value, u128 mask)
{
    if (ps->n == ps->cap) {
        size_t cap = MAX(8, ps->cap * 2);
        struct pattern *bigger = arena_alloc(&r->arena, cap * sizeof *bigger);
        if (ps->n) {
            memcpy(bigger, ps->p, ps->n * sizeof *bigger);
        }
        ps->p = bigger;
        ps->cap = cap;
    }
    ps->p[ps->n++] = (struct pattern) { value, mask };
}

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
    for (uint32_t i = 0; i < n->compare.n; i++) {
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
    and_patterns(r, d, sf, &ps);
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

/* No cube twice, and none that another one covers. */

static void
cube_sort(struct cube *c)
{
    for (unsigned i = 1; i < c->n; i++) {
        struct of_term t = c->t[i];
        unsigned k = i;
        for (; k && c->t[k - 1].field > t.field; k--) {
            c->t[k] = c->t[k - 1];
        }
        c->t[k] = t;
    }
}

/* Does every packet of B match A? */
static bool
cube_covers(const struct cube *a, const struct cube *b)
{
    unsigned k = 0;
    for (unsigned i = 0; i < a->n; i++) {
        while (k < b->n && b->t[k].field < a->t[i].field) {
            k++;
        }
        if (k == b->n || b->t[k].field != a->t[i].field) {
            return false;
        }
        for (int w = 0; w < 2; w++) {
            uint64_t m = a->t[i].mask.be64[w];
            if ((b->t[k].mask.be64[w] & m) != m || (b->t[k].value.be64[w] & m) != a->t[i].value.be64[w]) {
                return false;
            }
        }
    }
    return true;
}

static void
remove_covered(struct resolver *r, struct dnf *d)
{
    size_t n = 0;
    bool *kept = arena_alloc(&r->arena, d->n);
    for (size_t i = 0; i < d->n; i++) {
        bool keep = true;
        for (size_t k = 0; keep && k < d->n; k++) {
            /* Of two that cover each other, the first stays. */
            keep = k == i || !cube_covers(&d->c[k], &d->c[i]) || (k > i && cube_covers(&d->c[i], &d->c[k]));
        }
        kept[i] = keep;
    }
    for (size_t i = 0; i < d->n; i++) {
        if (kept[i]) {
            d->c[n++] = d->c[i];
        }
    }
    d->n = n;
}

static void
remove_equal(struct resolver *r, struct dnf *d)
{
    size_t mask = 1, n = 0;
    while (mask < d->n * 2) {
        mask = mask * 2 + 1;
    }
    uint32_t *slots = arena_zalloc(&r->arena, (mask + 1) * sizeof *slots);
    for (size_t i = 0; i < d->n; i++) {
        struct cube *c = &d->c[i];
        size_t h = hash_bytes(c->t, c->n * sizeof *c->t, 0) & mask;
        while (slots[h] && (d->c[slots[h] - 1].n != c->n || memcmp(d->c[slots[h] - 1].t, c->t, c->n * sizeof *c->t))) {
            h = (h + 1) & mask;
        }
        if (!slots[h]) {
            d->c[n] = *c;
            slots[h] = ++n;
        }
    }
    d->n = n;
}

static void
dnf_simplify(struct resolver *r, struct dnf *d)
{
    if (d->n < 2) {
        return;
    }
    for (size_t i = 0; i < d->n; i++) {
        cube_sort(&d->c[i]);
    }
    if (d->n > SUBSUME_MAX) {
        remove_equal(r, d);
    } else {
        remove_covered(r, d);
    }
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
        and_patterns(r, d, n->compare.field.sf, &bits);
    }
}

static void
and_prereqs(struct resolver *r, struct dnf *d, const struct symbol *s)
{
    if (s->prereqs) {
        and_node(r, d, s->prereqs->root);
    }
}

static void
and_compare(struct resolver *r, struct dnf *d, const struct node *n)
{
    and_prereqs(r, d, n->compare.field.symbol);
    if (n->compare.op == OP_EQ) {
        struct patterns ps = { NULL, 0, 0 };
        compare_patterns(r, n, &ps);
        and_patterns(r, d, n->compare.field.sf, &ps);
    } else if (!and_intervals(r, d, n, false, NULL)) {
        and_differs(r, d, n);
    }
}

/* One flow's worth: worth ANDing before what branches. */
static bool
is_narrow(const struct node *n)
{
    return (n->type == NODE_COMPARE && n->compare.op == OP_EQ && n->compare.n == 1) || n->type == NODE_PREDICATE || n->type == NODE_BOOL
           || n->type == NODE_RESIDENT;
}

static void
and_children(struct resolver *r, struct dnf *d, const struct node *and)
{
    size_t n = 0, i = 0;
    for (const struct node *c = and->children; c; c = c->next) {
        n++;
        if (is_narrow(c) && d->n) {
            and_node(r, d, c);
        }
    }
    uint8_t *done = arena_zalloc(&r->arena, n);
    for (const struct node *c = and->children; c && d->n && !r->too_much; c = c->next, i++) {
        if (done[i] || is_narrow(c)) {
            continue;
        }
        if (c->type == NODE_COMPARE && c->compare.op != OP_EQ) {
            and_prereqs(r, d, c->compare.field.symbol);
            if (!and_intervals(r, d, c, true, done + i)) {
                and_differs(r, d, c);
            }
        } else {
            and_node(r, d, c);
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
        and_node(r, &branch, c);
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

static void
and_node(struct resolver *r, struct dnf *d, const struct node *n)
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
        and_node(r, d, (n->predicate.negated ? n->predicate.symbol->negation : n->predicate.symbol->expansion)->root);
        break;
    case NODE_RESIDENT:
        resident = r->env && r->env->is_chassis_resident && r->env->is_chassis_resident(r->env->aux, n->resident.port);
        d->n = resident != n->resident.negated ? d->n : 0;
        break;
    case NODE_REF:
        and_node(r, d, n->ref->root);
        break;
    }
}

char *
expr_resolve(const struct expr *e, const struct expr *also, const struct expr_env *env, struct expr_matches *m)
{
    struct resolver r = { .env = env, .arena = ARENA_INIT };
    struct dnf d = { NULL, 0, 0 };
    dnf_push(&r, &d, (struct cube) { NULL, 0, 0 });
    and_node(&r, &d, e->root);
    if (also) {
        and_node(&r, &d, also->root);
    }
    if (r.too_much) {
        arena_destroy(&r.arena);
        return xasprintf("this match would make more than %d OpenFlow flows", EXPR_MAX_MATCHES);
    }
    dnf_simplify(&r, &d);
    if (d.n == 1) {
        cube_sort(d.c);
    }
    GROW(m->m, m->cap, m->n + d.n);
    for (size_t i = 0; i < d.n; i++) {
        struct cube *c = &d.c[i];
        m->m[m->n++] = (struct expr_match) {
            .match = { .terms = c->n ? xmemdup(c->t, c->n * sizeof *c->t) : NULL, .n = c->n, .cap = c->n },
        };
    }
    arena_destroy(&r.arena);
    return NULL;
}

void
expr_matches_destroy(struct expr_matches *m)
{
    for (size_t i = 0; i < m->n; i++) {
        of_match_destroy(&m->m[i].match);
        free(m->m[i].conjs);
    }
    free(m->m);
    *m = (struct expr_matches) EXPR_MATCHES_INIT;
}

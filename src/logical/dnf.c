/* dnf.c - disjunctions of cubes: dnf.h. */
#include "logical/dnf.h"

#include "base/hash.h"

enum {
    MAX_WORK = 2 << 20,                /* Cubes made or touched for one expression: some 600 MB, and parts of a second. */
    COMPARISONS = 8,                   /* Of two cubes, that are as much work as making one. */
    SUBSUME_MAX = 512,                 /* With more cubes than this, only equal ones are found. */
};

void
resolver_init(struct resolver *r, const struct expr_env *env)
{
    r->env = env;
    r->work = 0;
    r->too_much = false;
    r->n_splits = 0;
    arena_borrow(&r->arena, r->first, sizeof r->first);
}

/* Cubes. */

void
dnf_count_work(struct resolver *r, size_t n)
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
bool
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

struct cube
cube_copy(struct resolver *r, const struct cube *c)
{
    struct cube copy = { .n = c->n, .cap = c->n + 4 };
    copy.t = arena_alloc(&r->arena, copy.cap * sizeof *copy.t);
    if (c->n) {
        memcpy(copy.t, c->t, c->n * sizeof *copy.t);
    }
    return copy;
}

void
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

struct dnf
dnf_copy(struct resolver *r, const struct dnf *d)
{
    struct dnf copy = { .n = d->n, .cap = d->n };
    copy.c = arena_alloc(&r->arena, d->n * sizeof *copy.c);
    for (size_t i = 0; i < d->n; i++) {
        copy.c[i] = cube_copy(r, &d->c[i]);
    }
    dnf_count_work(r, d->n);
    return copy;
}

/* ANDs "SF matches one of PS" into D. */
void
dnf_and_patterns(struct resolver *r, struct dnf *d, struct of_subfield sf, const struct patterns *ps)
{
    dnf_count_work(r, d->n * MAX(ps->n, 1));
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

void
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

/* No cube twice, and none that another one covers. */

void
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
    dnf_count_work(r, d->n * d->n / COMPARISONS);
    if (r->too_much) {
        return;
    }
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
    dnf_count_work(r, d->n);
    if (r->too_much) {
        return;
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

void
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

/* Direct evaluation: is an expression true for a packet? Plain recursion over the tree, with no normal form, so that it can be the judge of the matches. */
#include "logical/tree.h"

/* Wide registers are their narrow ones, the most significant first. */
static bool
wide_register(enum of_field f, enum of_field *first, unsigned *n)
{
    if (f >= OFF_XXREG0 && f <= OFF_XXREG3) {
        *n = 4;
        *first = OFF_REG0 + 4 * (f - OFF_XXREG0);
        return true;
    } else if (f >= OFF_XREG0 && f <= OFF_XREG7) {
        *n = 2;
        *first = OFF_REG0 + 2 * (f - OFF_XREG0);
        return true;
    }
    return false;
}

static u128
get_field(const struct logical_packet *p, enum of_field f)
{
    enum of_field first;
    unsigned n;
    if (!wide_register(f, &first, &n)) {
        return u128_from(&p->f[f]);
    }
    u128 x = 0;
    for (unsigned i = 0; i < n; i++) {
        x = x << 32 | u128_from(&p->f[first + i]);
    }
    return x;
}

static u128
get_bits(const struct logical_packet *p, struct of_subfield sf)
{
    return get_field(p, sf.field) >> sf.ofs & u128_ones(sf.n_bits);
}

union of_value
logical_packet_get(const struct logical_packet *p, struct of_subfield sf)
{
    return u128_to(get_bits(p, sf));
}

void
logical_packet_set(struct logical_packet *p, struct of_subfield sf, const union of_value *v)
{
    u128 mask = u128_ones(sf.n_bits) << sf.ofs;
    u128 x = (get_field(p, sf.field) & ~mask) | (u128_from(v) << sf.ofs & mask);
    enum of_field first;
    unsigned n;
    if (!wide_register(sf.field, &first, &n)) {
        p->f[sf.field] = u128_to(x);
        return;
    }
    for (unsigned i = n; i-- > 0; x >>= 32) {
        p->f[first + i] = u128_to(x & UINT32_MAX);
    }
}

/* Does X equal the constant, of a field of WIDTH bits? *KNOWN is cleared if the constant names what is not there. */
static bool
constant_matches(const struct constant *c, const struct expr_env *env, unsigned width, u128 x, bool *known)
{
    switch (c->type) {
    case CONSTANT_INTEGER:
        return (x & u128_from(&c->mask)) == u128_from(&c->value);
    case CONSTANT_STRING: {
        uint32_t key;
        *known = env && env->lookup_port && env->lookup_port(env->aux, c->s, &key);
        return *known && x == key;
    }
    case CONSTANT_ADDRESS_SET: {
        const struct expr_constants *set = env && env->address_set ? env->address_set(env->aux, c->s) : NULL;
        *known = set != NULL;
        for (size_t i = 0; set && i < set->n; i++) {
            const struct expr_constant *v = &set->values[i];
            if (v->width == width && (x & u128_from(&v->mask)) == u128_from(&v->value)) {
                return true;
            }
        }
        return false;
    }
    case CONSTANT_PORT_GROUP: {
        const struct expr_keys *keys = env && env->port_group ? env->port_group(env->aux, c->s) : NULL;
        *known = keys != NULL;
        for (size_t i = 0; keys && i < keys->n; i++) {
            if (x == keys->keys[i]) {
                return true;
            }
        }
        return false;
    }
    }
    return false;
}

static bool
evaluate_compare(const struct node *n, const struct expr_env *env, const struct logical_packet *p)
{
    const struct field *f = &n->compare.field;
    u128 x = get_bits(p, f->sf), c = u128_from(&n->compare.constants->value);
    switch (n->compare.op) {
    case OP_LT:
        return x < c;
    case OP_LE:
        return x <= c;
    case OP_GT:
        return x > c;
    case OP_GE:
        return x >= c;
    case OP_EQ:
    case OP_NE:
        break;
    }
    bool equal = false;
    for (uint32_t i = 0; i < n->compare.n; i++) {
        bool known = true;
        equal |= constant_matches(&n->compare.constants[i], env, f->sf.n_bits, x, &known);
        if (!known && n->compare.op == OP_NE) {
            return false;
        }
    }
    return equal == (n->compare.op == OP_EQ);
}

static bool
evaluate(const struct node *n, const struct expr_env *env, const struct logical_packet *p)
{
    const struct symbol *s;
    switch (n->type) {
    case NODE_BOOL:
        return n->value;
    case NODE_AND:
        for (const struct node *c = n->children; c; c = c->next) {
            if (!evaluate(c, env, p)) {
                return false;
            }
        }
        return true;
    case NODE_OR:
        for (const struct node *c = n->children; c; c = c->next) {
            if (evaluate(c, env, p)) {
                return true;
            }
        }
        return false;
    case NODE_COMPARE:
        s = n->compare.field.symbol;
        return (!s->prereqs || evaluate(s->prereqs->root, env, p)) && evaluate_compare(n, env, p);
    case NODE_PREDICATE:
        s = n->predicate.symbol;
        return evaluate((n->predicate.negated ? s->negation : s->expansion)->root, env, p);
    case NODE_RESIDENT:
        return (env && env->is_chassis_resident && env->is_chassis_resident(env->aux, n->resident.port)) != n->resident.negated;
    case NODE_REF:
        return evaluate(n->ref->root, env, p);
    }
    return false;
}

bool
expr_evaluate(const struct expr *e, const struct expr_env *env, const struct logical_packet *p)
{
    return evaluate(e->root, env, p);
}

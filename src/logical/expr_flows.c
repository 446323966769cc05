/* expr_flows.c - from cubes to matches: which conjunctive matches there are, and what of them belongs to one address of a set.
 *
 * The outermost OR makes branches. A branch is a conjunction of factors: what is one cube (and what the actions require) is ANDed first, the base; the others have several cubes
 * each. Multiplied out they are as many flows as their product. As a conjunctive match (ovs-fields(7), "Conjunctive match fields") they are as many as their sum and one: each cube of factor
 * K, within the base, is a flow that says "clause K of N is met", and a flow that matches the base and the number of the conjunction has the actions. That is
 * chosen where it is less; a factor with few cubes may still be multiplied out. A factor that is an OR of products makes branches of its own.
 *
 * Address sets that change an address at a time are left out on request: the factor "x == $set" then has a template, all but the address, and every address fills it in
 * by itself. Which shape is chosen must not depend on the set, so it counts as very large. */
#include "logical/dnf.h"
#include "openflow/action.h"

enum {
    MAX_FACTORS = 64,                  /* Open vSwitch has that many clauses. */
    MAX_CHOOSE = 6,                    /* With more factors than this, all are clauses. */
    SPLIT_SIZE = 1 << 20,
    GUESS_SET = 100,                   /* What a set or group may have. */
    GUESS_INTERVALS = 8,               /* What is left by <, !=. */
    MAX_DEEP = 3,
    MAX_DEEP_BRANCHES = 16,
};

struct factor {
    const struct node *node;
    size_t i;                          /* Which child of its AND. */
    bool is_child;                     /* Of an AND. */
    bool has_split;
    bool folded;                       /* Into the base. */
    struct dnf cubes;                  /* With the base. */
};
struct branch {
    struct factor *f;
    size_t n, n_children;
    uint8_t *done;
};

/* A cube that is no flow by itself. */
struct clause_cube {
    struct cube cube;
    struct expr_conj conj;
};
struct job {
    struct resolver r;
    enum expr_conjunctions mode;
    struct expr_templates *templates;  /* NULL: nothing is left out. */
    struct dnf plain;
    size_t simple;                     /* PLAIN's size after it was simplified. */
    struct clause_cube *clauses;
    size_t n_clauses, cap_clauses;
    struct dnf ids;                    /* The flow of conjunction I. */
};

static bool
is_set_compare(const struct node *n)
{
    if (n->type != NODE_COMPARE || n->compare.op != OP_EQ) {
        return false;
    }
    for (uint32_t i = 0; i < n->compare.n; i++) {
        if (n->compare.constants[i].type == CONSTANT_ADDRESS_SET) {
            return true;
        }
    }
    return false;
}

/* Leaves out the sets of factor N where they stand alone: "x == $set", or such a comparison as one alternative of an OR. */
static bool
find_splits(struct job *j, const struct node *n)
{
    bool any = false;
    const struct node *c = n->type == NODE_OR ? n->children : n;
    for (; c; c = n->type == NODE_OR ? c->next : NULL) {
        if (is_set_compare(c) && j->r.n_splits < RESOLVER_MAX_SPLITS) {
            j->r.splits[j->r.n_splits++] = c;
            any = true;
        }
    }
    return any;
}

static bool
is_split(const struct job *j, const struct node *n)
{
    for (size_t i = 0; i < j->r.n_splits; i++) {
        if (j->r.splits[i] == n) {
            return true;
        }
    }
    return false;
}

static struct dnf
dnf_of(struct resolver *r, const struct cube *c)
{
    struct dnf d = DNF_INIT;
    dnf_push(r, &d, cube_copy(r, c));
    return d;
}

/* Together with those after it that are done with it, which are marked. */
static void
and_factor(struct job *j, struct dnf *d, const struct factor *f, struct branch *b)
{
    if (f->is_child) {
        memset(b->done, 0, b->n_children);
        resolve_child(&j->r, d, f->node, f->i, b->done);
    } else {
        resolve_node(&j->r, d, f->node);
    }
}

static void
push_plain(struct job *j, const struct dnf *d)
{
    for (size_t i = 0; i < d->n; i++) {
        dnf_push(&j->r, &j->plain, d->c[i]);
    }
    if (j->plain.n > 32 && j->plain.n > 2 * j->simple) {
        dnf_simplify(&j->r, &j->plain);
        j->simple = j->plain.n;
    }
}

static struct expr_match
match_of(const struct cube *c, const struct expr_conj *conjs, size_t n_conjs)
{
    return (struct expr_match) {
        .match = { .terms = c->n ? xmemdup(c->t, c->n * sizeof *c->t) : NULL, .n = c->n, .cap = c->n },
        .conjs = n_conjs ? xmemdup(conjs, n_conjs * sizeof *conjs) : NULL,
        .n_conjs = n_conjs,
    };
}

/* The templates of factor F's sets within each cube of BASE. */
static void
push_templates(struct job *j, const struct factor *f, const struct dnf *base, const struct expr_conj *conj)
{
    bool or = f->node->type == NODE_OR;
    for (const struct node *c = or ? f->node->children : f->node; c; c = or ? c->next : NULL) {
        if (!is_split(j, c)) {
            continue;
        }
        struct dnf d = dnf_copy(&j->r, base);
        resolve_prereqs(&j->r, &d, c->compare.field.symbol);
        dnf_simplify(&j->r, &d);
        for (uint32_t k = 0; k < c->compare.n; k++) {
            for (size_t i = 0; i < d.n && c->compare.constants[k].type == CONSTANT_ADDRESS_SET && !j->r.too_much; i++) {
                struct expr_templates *t = j->templates;
                cube_sort(&d.c[i]);
                GROW(t->t, t->cap, t->n + 1);
                t->t[t->n++] = (struct expr_template) {
                    .set = xstrdup(c->compare.constants[k].s), .sf = c->compare.field.sf, .match = match_of(&d.c[i], conj, conj != NULL),
                };
            }
        }
    }
}

/* Multiplied out. At most one factor has sets that are left out. */
static void
emit_product(struct job *j, struct branch *b, const struct cube *base)
{
    struct dnf d = dnf_of(&j->r, base), others = dnf_of(&j->r, base);
    const struct factor *split = NULL;
    for (size_t i = 0; i < b->n; i++) {
        if (!b->f[i].folded) {
            and_factor(j, &d, &b->f[i], b);
            split = b->f[i].has_split ? &b->f[i] : split;
        }
    }
    push_plain(j, &d);
    if (split) {
        for (size_t i = 0; i < b->n; i++) {
            if (!b->f[i].folded && &b->f[i] != split) {
                and_factor(j, &others, &b->f[i], b);
            }
        }
        push_templates(j, split, &others, NULL);
    }
}

static void
push_clause(struct job *j, const struct dnf *d, const struct expr_conj *conj)
{
    for (size_t i = 0; i < d->n; i++) {
        if (j->n_clauses >= EXPR_MAX_MATCHES) {
            j->r.too_much = true;
            return;
        }
        GROW(j->clauses, j->cap_clauses, j->n_clauses + 1);
        j->clauses[j->n_clauses++] = (struct clause_cube) { d->c[i], *conj };
    }
}

/* One conjunctive match: the factors in SET within cube BASE. */
static void
emit_conjunction(struct job *j, struct branch *b, uint64_t set, const struct cube *base)
{
    struct dnf clauses[MAX_FACTORS];
    struct expr_conj conj;
    memset(&conj, 0, sizeof conj);     /* With its padding: templates are compared as bytes. */
    conj.id = j->ids.n;
    conj.n_clauses = __builtin_popcountll(set);
    for (size_t i = 0; i < b->n; i++) {
        if (set >> i & 1) {
            clauses[i] = dnf_of(&j->r, base);
            and_factor(j, &clauses[i], &b->f[i], b);
            dnf_simplify(&j->r, &clauses[i]);
            if (!clauses[i].n && !b->f[i].has_split) {
                return;                /* Nothing can match. */
            }
        }
    }
    struct dnf within = dnf_of(&j->r, base);
    for (size_t i = 0; i < b->n && !j->r.too_much; i++) {
        if (set >> i & 1) {
            push_clause(j, &clauses[i], &conj);
            if (b->f[i].has_split) {
                push_templates(j, &b->f[i], &within, &conj);
            }
            conj.clause++;
        }
    }
    struct cube id = cube_copy(&j->r, base);
    if (cube_add(&j->r, &id, (struct of_subfield) { OFF_CONJ_ID, 0, 32 }, (struct pattern) { conj.id, UINT32_MAX })) {
        dnf_push(&j->r, &j->ids, id);
    }
}

/* Which factors become clauses, a bit each; 0: none. */
static uint64_t
choose(const struct job *j, const struct branch *b)
{
    size_t live[MAX_FACTORS], n = 0;
    uint64_t all = 0, best_set = 0;
    double best = 1;
    for (size_t i = 0; i < b->n; i++) {
        if (!b->f[i].folded) {
            live[n++] = i;
            all |= UINT64_C(1) << i;
            best *= b->f[i].cubes.n + (b->f[i].has_split ? SPLIT_SIZE : 0);
        }
    }
    if (n < 2 || (j->mode == EXPR_CONJUNCTIONS_NEVER && !j->templates)) {
        return 0;
    } else if (n > MAX_CHOOSE || j->mode == EXPR_CONJUNCTIONS_ALWAYS) {
        return all;
    }
    for (unsigned pick = 1; pick < 1u << n; pick++) {
        if (__builtin_popcount(pick) < 2) {
            continue;
        }
        double product = 1, sum = 1;
        uint64_t set = 0;
        for (size_t k = 0; k < n; k++) {
            double size = b->f[live[k]].cubes.n + (b->f[live[k]].has_split ? SPLIT_SIZE : 0);
            if (pick >> k & 1) {
                sum += size;
                set |= UINT64_C(1) << live[k];
            } else {
                product *= size;
            }
        }
        if (product * sum < best) {
            best = product * sum;
            best_set = set;
        }
    }
    return best_set;
}

/* ANDs into BASE each factor that is one cube there, until no more are. False: nothing can match. */
static bool
fold(struct job *j, struct branch *b, struct cube *base)
{
    bool again = true;
    for (size_t i = 0; i < b->n; i++) {
        b->f[i].folded = false;
    }
    while (again && !j->r.too_much) {
        again = false;
        for (size_t i = 0; i < b->n; i++) {
            struct factor *f = &b->f[i];
            if (f->folded) {
                continue;
            }
            f->cubes = dnf_of(&j->r, base);
            and_factor(j, &f->cubes, f, b);
            dnf_simplify(&j->r, &f->cubes);
            if (!f->has_split && !f->cubes.n) {
                return false;
            } else if (!f->has_split && f->cubes.n == 1) {
                *base = f->cubes.c[0];
                f->folded = again = true;
            }
        }
    }
    return !j->r.too_much;
}

static void
emit_base(struct job *j, struct branch *b, struct cube base)
{
    if (!fold(j, b, &base)) {
        return;
    }
    uint64_t set = choose(j, b);
    if (!set) {
        emit_product(j, b, &base);
        return;
    }
    struct dnf rest = dnf_of(&j->r, &base);
    for (size_t i = 0; i < b->n; i++) {
        if (!b->f[i].folded && !(set >> i & 1)) {
            and_factor(j, &rest, &b->f[i], b);
        }
    }
    dnf_simplify(&j->r, &rest);
    for (size_t i = 0; i < rest.n && !j->r.too_much; i++) {
        emit_conjunction(j, b, set, &rest.c[i]);
    }
}

/* Fills B's factors with what of NODE is not one cube, and ANDs the others into BASE. */
static void
find_factors(struct job *j, const struct node *node, struct branch *b, struct dnf *base)
{
    bool and = node->type == NODE_AND;
    size_t n = 0;
    for (const struct node *c = and ? node->children : node; c; c = and ? c->next : NULL) {
        n++;
    }
    b->n_children = n;
    b->done = arena_zalloc(&j->r.arena, n);
    b->f = arena_alloc(&j->r.arena, n * sizeof *b->f);
    n = 0;
    for (const struct node *c = and ? node->children : node; c; c = and ? c->next : NULL, n++) {
        if (resolve_is_narrow(c)) {
            resolve_node(&j->r, base, c);
        } else {
            b->f[b->n++] = (struct factor) { .node = c, .i = n, .is_child = and, .has_split = j->templates && find_splits(j, c) };
        }
    }
    /* Comparisons of one field that are done together are one factor: the first. */
    uint8_t *gone = arena_zalloc(&j->r.arena, b->n_children);
    size_t kept = 0;
    for (size_t i = 0; i < b->n; i++) {
        struct factor *f = &b->f[i];
        if (gone[f->i]) {
            continue;
        }
        if (and && f->node->type == NODE_COMPARE && f->node->compare.op != OP_EQ) {
            struct dnf scratch = dnf_copy(&j->r, base);
            and_factor(j, &scratch, f, b);
            for (size_t k = 0; k < b->n_children; k++) {
                gone[k] |= b->done[k];
            }
        }
        b->f[kept++] = *f;
    }
    b->n = kept;
}

/* About how many cubes a node is, without asking what its names mean. */
static double
width(const struct node *n)
{
    double w = n->type == NODE_OR ? 0 : 1;
    switch (n->type) {
    case NODE_AND:
        for (const struct node *c = n->children; c; c = c->next) {
            w *= width(c);
        }
        return w;
    case NODE_OR:
        for (const struct node *c = n->children; c; c = c->next) {
            w += width(c);
        }
        return w;
    case NODE_COMPARE:
        if (n->compare.op != OP_EQ) {
            return GUESS_INTERVALS;
        }
        for (uint32_t i = 0; i < n->compare.n; i++) {
            w += n->compare.constants[i].type >= CONSTANT_ADDRESS_SET ? GUESS_SET : 1;
        }
        return w - 1;
    default:
        return 1;
    }
}

/* The sum of the widths of AND's children (or of the one node), without EXCEPT. */
static double
width_sum(const struct node *and, const struct node *except)
{
    double sum = 0;
    if (and->type != NODE_AND) {
        return width(and);
    }
    for (const struct node *c = and->children; c; c = c->next) {
        sum += c == except ? 0 : width(c);
    }
    return sum;
}

/* The factor of AND, an OR whose alternatives are products themselves, that is better made into branches: with the other factors, each of which is said again for every
 * alternative, sums are less than these products. NULL: none. */
static const struct node *
find_deep(const struct node *and)
{
    for (const struct node *c = and->type == NODE_AND ? and->children : NULL; c; c = c->next) {
        double apart = 0, n = 0;
        for (const struct node *k = c->type == NODE_OR ? c->children : NULL; k; k = k->next) {
            apart += width_sum(k, NULL) + width_sum(and, c) + 1;
            n++;
        }
        if (c->type == NODE_OR && n <= MAX_DEEP_BRANCHES && width(c) > apart) {
            return c;
        }
    }
    return NULL;
}

/* AND with its child DEEP replaced by that one's alternative K. */
static struct node *
make_branch(struct job *j, const struct node *and, const struct node *deep, const struct node *k)
{
    struct node *branch = arena_zalloc(&j->r.arena, sizeof *branch), **tail = &branch->children;
    branch->type = NODE_AND;
    for (const struct node *c = and->children; c; c = c->next) {
        const struct node *from = c != deep ? c : k->type == NODE_AND ? k->children : k;
        bool several = c == deep && k->type == NODE_AND;
        for (; from; from = several ? from->next : NULL) {
            struct node *copy = arena_alloc(&j->r.arena, sizeof *copy);
            *copy = *from;
            copy->next = NULL;
            *tail = copy;
            tail = &copy->next;
        }
    }
    return branch;
}

static void
emit_branch(struct job *j, const struct node *node, const struct expr *also, unsigned depth)
{
    const struct node *deep = depth < MAX_DEEP && (j->templates || j->mode != EXPR_CONJUNCTIONS_NEVER) ? find_deep(node) : NULL;
    if (deep) {
        for (const struct node *k = deep->children; k && !j->r.too_much; k = k->next) {
            emit_branch(j, make_branch(j, node, deep, k), also, depth + 1);
        }
        return;
    }
    struct branch b = { NULL, 0, 0, NULL };
    struct dnf base = DNF_INIT;
    dnf_push(&j->r, &base, (struct cube) { NULL, 0, 0 });
    size_t splits = j->r.n_splits;
    find_factors(j, node, &b, &base);
    if (also) {
        resolve_node(&j->r, &base, also->root);
    }
    if (b.n > MAX_FACTORS || (b.n < 2 && j->r.n_splits == splits)) {
        j->r.n_splits = splits;
        for (size_t i = 0; i < b.n; i++) {
            and_factor(j, &base, &b.f[i], &b);
        }
        push_plain(j, &base);
        return;
    }
    /* What every factor requires in the same way, all flows may say. */
    for (size_t i = 0; i < b.n; i++) {
        if (b.f[i].node->type == NODE_COMPARE) {
            struct dnf more = dnf_copy(&j->r, &base);
            resolve_prereqs(&j->r, &more, b.f[i].node->compare.field.symbol);
            base = more.n <= base.n ? more : base;
        }
    }
    dnf_simplify(&j->r, &base);
    for (size_t i = 0; i < base.n && !j->r.too_much; i++) {
        emit_base(j, &b, base.c[i]);
    }
}

static int
compare_clauses(const void *a_, const void *b_)
{
    const struct clause_cube *a = a_, *b = b_;
    size_t n = MIN(a->cube.n, b->cube.n) * sizeof *a->cube.t;
    int cmp = n ? memcmp(a->cube.t, b->cube.t, n) : 0;
    return cmp                              ? cmp
           : a->cube.n != b->cube.n         ? (a->cube.n < b->cube.n ? -1 : 1)
           : a->conj.id != b->conj.id       ? (a->conj.id < b->conj.id ? -1 : 1)
           : a->conj.clause != b->conj.clause ? (a->conj.clause < b->conj.clause ? -1 : 1)
                                            : 0;
}

static bool
same_cube(const struct cube *a, const struct cube *b)
{
    return a->n == b->n && (!a->n || !memcmp(a->t, b->t, a->n * sizeof *a->t));
}

/* The clauses' cubes, each match once with all that it is a clause of; not those that are flows by themselves: these stand among them, as cubes without clauses. */
static void
put_clauses(struct job *j, struct expr_matches *m)
{
    struct expr_conj *conjs = NULL;
    size_t n, cap = 0;
    GROW(j->clauses, j->cap_clauses, j->n_clauses + j->plain.n + 1);
    for (size_t i = 0; i < j->plain.n; i++) {
        j->clauses[j->n_clauses++] = (struct clause_cube) { .cube = j->plain.c[i] };
    }
    for (size_t i = 0; i < j->n_clauses; i++) {
        cube_sort(&j->clauses[i].cube);
    }
    qsort(j->clauses, j->n_clauses, sizeof *j->clauses, compare_clauses);
    for (size_t i = 0; i < j->n_clauses; i += n) {
        bool plain = false;
        for (n = 0; i + n < j->n_clauses && same_cube(&j->clauses[i].cube, &j->clauses[i + n].cube); n++) {
            GROW(conjs, cap, n + 1);
            conjs[n] = j->clauses[i + n].conj;
            plain |= !conjs[n].n_clauses;
        }
        if (!plain) {
            GROW(m->m, m->cap, m->n + 1);
            m->m[m->n++] = match_of(&j->clauses[i].cube, conjs, n);
        }
    }
    free(conjs);
}

static void
put_dnf(struct dnf *d, struct expr_matches *m)
{
    GROW(m->m, m->cap, m->n + d->n);
    for (size_t i = 0; i < d->n; i++) {
        cube_sort(&d->c[i]);
        m->m[m->n++] = match_of(&d->c[i], NULL, 0);
    }
}

static char *
finish(struct job *j, struct expr_matches *m)
{
    dnf_simplify(&j->r, &j->plain);
    if (j->plain.n == 1) {
        cube_sort(j->plain.c);
    }
    bool too_much = j->r.too_much || j->plain.n + j->n_clauses + j->ids.n > EXPR_MAX_MATCHES;
    if (!too_much) {
        put_dnf(&j->plain, m);
        if (j->n_clauses) {
            put_clauses(j, m);
        }
        put_dnf(&j->ids, m);
        m->n_conj_ids += j->ids.n;
    }
    arena_destroy(&j->r.arena);
    free(j->clauses);
    return too_much ? xasprintf("this match would make more than %d OpenFlow flows", EXPR_MAX_MATCHES) : NULL;
}

static void
begin(struct job *j, const struct expr_env *env, enum expr_conjunctions mode, struct expr_templates *t)
{
    resolver_init(&j->r, env);
    j->mode = mode;
    j->templates = t;
    j->plain = j->ids = (struct dnf) DNF_INIT;
    j->clauses = NULL;
    j->simple = j->n_clauses = j->cap_clauses = 0;
}

static void
emit(struct job *j, const struct expr *e, const struct expr *also)
{
    bool or = e->root->type == NODE_OR;
    for (const struct node *n = or ? e->root->children : e->root; n && !j->r.too_much; n = or ? n->next : NULL) {
        emit_branch(j, n, also, 0);
    }
}

/* Can there be a conjunction at all? */
static bool
is_simple(const struct node *root)
{
    unsigned wide = 0;
    if (root->type == NODE_AND) {
        for (const struct node *c = root->children; c; c = c->next) {
            wide += c->type == NODE_OR ? 2 : !resolve_is_narrow(c);
        }
    }
    return root->type != NODE_OR && wide < 2;
}

char *
expr_resolve(const struct expr *e, const struct expr *also, const struct expr_env *env, struct expr_matches *m)
{
    struct job j;
    arena_prefetch(e);
    begin(&j, env, env ? env->conjunctions : EXPR_CONJUNCTIONS_NEVER, NULL);
    if (j.mode == EXPR_CONJUNCTIONS_NEVER || is_simple(e->root)) {
        dnf_push(&j.r, &j.plain, (struct cube) { NULL, 0, 0 });
        resolve_node(&j.r, &j.plain, e->root);
        if (also) {
            resolve_node(&j.r, &j.plain, also->root);
        }
    } else {
        emit(&j, e, also);
    }
    return finish(&j, m);
}

char *
expr_resolve_split(const struct expr *e, const struct expr *also, const struct expr_env *env, struct expr_matches *m, struct expr_templates *t)
{
    struct job j;
    begin(&j, env, env ? env->conjunctions : EXPR_CONJUNCTIONS_FEWER, t);
    emit(&j, e, also);
    char *error = finish(&j, m);
    if (error) {
        expr_templates_destroy(t);
    }
    return error;
}

bool
expr_template_fill(const struct expr_template *t, const struct expr_constant *c, struct expr_match *m)
{
    if (c->width != t->sf.n_bits) {
        return false;
    }
    *m = (struct expr_match) { .match = of_match_clone(&t->match.match), .n_conjs = t->match.n_conjs };
    union of_value value = of_value_shl(&c->value, t->sf.ofs), mask = of_value_shl(&c->mask, t->sf.ofs);
    if (!of_value_is_zero(&mask) && !of_match_add(&m->match, t->sf.field, &value, &mask)) {
        of_match_destroy(&m->match);
        return false;
    }
    m->conjs = m->n_conjs ? xmemdup(t->match.conjs, m->n_conjs * sizeof *m->conjs) : NULL;
    return true;
}

void
expr_match_renumber(struct expr_match *m, const uint32_t *numbers)
{
    for (size_t i = 0; i < m->n_conjs; i++) {
        m->conjs[i].id = numbers[m->conjs[i].id];
    }
    for (size_t i = 0; i < m->match.n; i++) {
        struct of_term *t = &m->match.terms[i];
        if (t->field == OFF_CONJ_ID) {
            t->value = of_value_u64(numbers[of_value_low(&t->value)]);
        }
    }
}

void
expr_match_put_conjunctions(const struct expr_match *m, struct str *actions)
{
    for (size_t i = 0; i < m->n_conjs; i++) {
        ofa_put_conjunction(actions, m->conjs[i].id, m->conjs[i].clause, m->conjs[i].n_clauses);
    }
}

void
expr_match_destroy(struct expr_match *m)
{
    of_match_destroy(&m->match);
    free(m->conjs);
}

void
expr_matches_destroy(struct expr_matches *m)
{
    for (size_t i = 0; i < m->n; i++) {
        expr_match_destroy(&m->m[i]);
    }
    free(m->m);
    *m = (struct expr_matches) EXPR_MATCHES_INIT;
}

void
expr_template_destroy(struct expr_template *t)
{
    free(t->set);
    expr_match_destroy(&t->match);
}

/* What is before the terms, the clauses and the name. */
struct template_head {
    struct of_subfield sf;
    size_t n_terms, n_conjs, n_name;
};

void
expr_template_put(const struct expr_template *t, struct str *out)
{
    struct template_head head;
    memset(&head, 0, sizeof head);
    head.sf = t->sf;
    head.n_terms = t->match.match.n;
    head.n_conjs = t->match.n_conjs;
    head.n_name = strlen(t->set);
    str_put(out, &head, sizeof head);
    str_put(out, t->match.match.terms, head.n_terms * sizeof *t->match.match.terms);
    str_put(out, t->match.conjs, head.n_conjs * sizeof *t->match.conjs);
    str_put(out, t->set, head.n_name);
}

void
expr_template_get(const void *bytes, struct expr_template *t)
{
    const char *p = bytes;
    struct template_head head;
    memcpy(&head, p, sizeof head);
    p += sizeof head;
    size_t terms = head.n_terms * sizeof *t->match.match.terms, conjs = head.n_conjs * sizeof *t->match.conjs;
    *t = (struct expr_template) { .sf = head.sf, .set = xstrndup(p + terms + conjs, head.n_name) };
    t->match.match = (struct of_match) { terms ? xmemdup(p, terms) : NULL, head.n_terms, head.n_terms };
    t->match.conjs = conjs ? xmemdup(p + terms, conjs) : NULL;
    t->match.n_conjs = head.n_conjs;
}

void
expr_templates_destroy(struct expr_templates *t)
{
    for (size_t i = 0; i < t->n; i++) {
        expr_template_destroy(&t->t[i]);
    }
    free(t->t);
    *t = (struct expr_templates) EXPR_TEMPLATES_INIT;
}

/* dnf.h - disjunctions of cubes, for expr_resolve.c and expr_flows.c only.
 *
 * A cube is a conjunction of masked terms, one a field: what one flow can match. Terms of cubes are sorted by field once dnf_simplify() or cube_sort() was called.
 * All lives in the resolver's arena. What is too much for one expression is noted in the resolver and everything after does nothing much. */
#ifndef LOGICAL_DNF_H
#define LOGICAL_DNF_H 1

#include "logical/tree.h"

struct cube {
    struct of_term *t;
    unsigned n, cap;
};
struct dnf {
    struct cube *c;
    size_t n, cap;
};
#define DNF_INIT { NULL, 0, 0 }
struct pattern {
    u128 value, mask;
};
struct patterns {
    struct pattern *p;
    size_t n, cap;
};

enum { RESOLVER_MAX_SPLITS = 32 };
struct resolver {
    const struct expr_env *env;
    struct arena arena;
    size_t work;
    bool too_much;
    /* Comparisons whose address sets are left out (expr_resolve_split()). */
    const struct node *splits[RESOLVER_MAX_SPLITS];
    size_t n_splits;
    _Alignas(16) char first[4096];     /* Of the arena. */
};
/* Not initialised by hand: it is large. */
void resolver_init(struct resolver *, const struct expr_env *);

/* dnf.c */
void dnf_count_work(struct resolver *, size_t n);
/* False if the cube contradicts it (and is then of no use). */
bool cube_add(struct resolver *, struct cube *, struct of_subfield, struct pattern);
struct cube cube_copy(struct resolver *, const struct cube *);
void cube_sort(struct cube *);
void dnf_push(struct resolver *, struct dnf *, struct cube);
struct dnf dnf_copy(struct resolver *, const struct dnf *);
/* ANDs "the subfield matches one of them". */
void dnf_and_patterns(struct resolver *, struct dnf *, struct of_subfield, const struct patterns *);
/* No cube twice, and, if they are not too many, none that another one covers. */
void dnf_simplify(struct resolver *, struct dnf *);
void patterns_add(struct resolver *, struct patterns *, u128 value, u128 mask);

/* expr_resolve.c: AND something of the tree. */
void resolve_node(struct resolver *, struct dnf *, const struct node *);
void resolve_prereqs(struct resolver *, struct dnf *, const struct symbol *);
/* One flow's worth: worth ANDing before what branches. */
bool resolve_is_narrow(const struct node *);
/* Child I of an AND, C, with those siblings after it that are better done together with it; DONE has a byte a child and these are marked there. */
void resolve_child(struct resolver *, struct dnf *, const struct node *c, size_t i, uint8_t *done);

#endif

/* expr.h - match expressions of the logical language: ovn-sb(5), Logical_Flow, column "match".
 *
 *   text --expr_parse()--> tree --expr_resolve(env)--> OpenFlow matches
 *
 * Parsing depends on the text alone: a tree is immutable and may be shared by all that have the same text. What a hypervisor knows (port
 * keys, address sets, where ports reside) comes in at resolving, through the callbacks of struct expr_env; a caller that must
 * know what was read (incr/) records it in them. Nothing is logged; a refusal is a message that the caller owns, with the column. */
#ifndef LOGICAL_EXPR_H
#define LOGICAL_EXPR_H 1

#include "base/str.h"
#include "logical/symbols.h"
#include "openflow/match.h"

struct expr;

/* NULL and *E (expr_unref() it), or what is wrong with TEXT and *E is NULL. */
char *expr_parse(const char *text, struct expr **e) MUST_USE;
struct expr *expr_ref(struct expr *);
void expr_unref(struct expr *);                                /* NULL is ignored. */
size_t expr_bytes(const struct expr *);                        /* Memory it holds. */
/* The canonical text: parsing it gives an equal tree. */
void expr_format(const struct expr *, struct str *);
bool expr_equal(const struct expr *, const struct expr *);

/* Replaces every ^NAME outside of strings and comments by what LOOKUP says (NULL: stays as it is). Appends to OUT; false if there was none (nothing appended). */
bool expr_expand_templates(const char *text, const char *(*lookup)(void *aux, const char *name), void *aux, struct str *out);

/* A constant of an address set: an address with its mask. */
struct expr_constant {
    union of_value value, mask;
    uint8_t width;                     /* 32 (IPv4), 48 (Ethernet), 128 (IPv6). */
};
struct expr_constants {
    size_t n;
    const struct expr_constant *values;
};
/* "10.0.0.1", "10.0.0.0/24", "fd00::/64", "00:00:00:00:00:01". False if S is not one. */
bool expr_constant_parse(const char *s, struct expr_constant *) MUST_USE;

struct expr_keys {
    size_t n;
    const uint32_t *keys;
};

/* What resolving asks. Any callback may be NULL: then nothing is known of its kind. Answers need live only until the next call. */
struct expr_env {
    /* The key of a logical port or multicast group of the flow's datapath. False: there is none (yet); comparisons with it are false. */
    bool (*lookup_port)(void *aux, const char *name, uint32_t *key);
    /* $NAME; NULL: there is none (yet), comparisons with it are false, whether == or !=. Constants of another width than the field's are left out. */
    const struct expr_constants *(*address_set)(void *aux, const char *name);
    /* @NAME: the keys of those of its ports that are on the flow's datapath; NULL: there is none (yet). */
    const struct expr_keys *(*port_group)(void *aux, const char *name);
    bool (*is_chassis_resident)(void *aux, const char *name);
    void *aux;
};

/* A packet matches if it matches one of these. A match with N_CONJS > 0 is not a flow by itself: its flow has conjunction(id, clause, n) actions;
 * ids are numbered from 0 here and the caller adds a base of its own: also to the value of conj_id in matches that have OFF_CONJ_ID. */
struct expr_conj {
    uint32_t id;
    uint8_t clause, n_clauses;
};
struct expr_match {
    struct of_match match;
    struct expr_conj *conjs;
    size_t n_conjs;
};
struct expr_matches {
    struct expr_match *m;
    size_t n, cap;
    uint32_t n_conj_ids;
};
#define EXPR_MATCHES_INIT { NULL, 0, 0, 0 }
/* More matches than this for one expression are refused. */
enum { EXPR_MAX_MATCHES = 65536 };
void expr_matches_destroy(struct expr_matches *);

/* The matches of E && ALSO (NULL: just E; the prerequisites of a flow's actions, action.h), appended to M, in an order that depends only on the arguments.
 * None at all: it is false. A message (caller owns) if it is too much. ENV may be NULL: nothing is known. */
char *expr_resolve(const struct expr *e, const struct expr *also, const struct expr_env *env, struct expr_matches *m) MUST_USE;

/* A packet as the logical language sees it: the value of each field; zero if it has none. Wide registers are kept in their narrow ones. */
struct logical_packet {
    union of_value f[OFF_N_FIELDS];
};
union of_value logical_packet_get(const struct logical_packet *, struct of_subfield);
void logical_packet_set(struct logical_packet *, struct of_subfield, const union of_value *);
/* Is E true for this packet? Straight from the tree: what the matches are held against in tests, and what ovn-trace uses. */
bool expr_evaluate(const struct expr *e, const struct expr_env *env, const struct logical_packet *);

#endif

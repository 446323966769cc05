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

/* A longer text is refused, in matches and actions. */
enum { EXPR_MAX_TEXT = 4 << 20 };
/* NULL and *E (expr_unref() it), or what is wrong with TEXT and *E is NULL. */
char *expr_parse(const char *text, struct expr **e) MUST_USE;
struct expr *expr_ref(struct expr *);
void expr_unref(struct expr *);                                /* NULL is ignored. */
size_t expr_bytes(const struct expr *);                        /* Memory it holds. */
/* The canonical text: parsing it gives an equal tree. */
void expr_format(const struct expr *, struct str *);
bool expr_equal(const struct expr *, const struct expr *);

/* Replaces every ^NAME outside of strings and comments by what LOOKUP says (NULL: stays as it is). Appends to OUT (not
 * without end: what is longer than EXPR_MAX_TEXT may lack values); false if there was none (nothing appended). */
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
    /* May there be conjunctive matches? NEVER is what a caller gets that does not ask. ALWAYS (for tests) where they can be. */
    enum expr_conjunctions { EXPR_CONJUNCTIONS_NEVER, EXPR_CONJUNCTIONS_FEWER, EXPR_CONJUNCTIONS_ALWAYS } conjunctions;
};

/* A packet matches if it matches one of these. A match with N_CONJS > 0 is not a flow by itself: its flow has conjunction(id, clause, n) actions (and cookie 0,
 * as others' clauses may share it), and a match of conj_id, which has the flow's own actions, is met when all clauses of its id are.
 *
 * Ids are numbered from 0 here, in the order that the expression gives them; expr_match_renumber() puts the caller's in their place, everywhere. They must be unique within a table of the
 * switch, and those of a logical flow should stay what they were, also over a restart, as every clause names them: an owner of a number is (logical flow, datapath, i); with
 * incr_number(..., 0, 1 + hash of the owner) it gets the same one again without any memory. */
struct expr_conj {
    uint32_t id;
    uint8_t clause, n_clauses;
};
struct expr_match {
    struct of_match match;
    struct expr_conj *conjs;           /* Sorted. */
    size_t n_conjs;
};
void expr_match_destroy(struct expr_match *);
/* Replaces id I by NUMBERS[I]. */
void expr_match_renumber(struct expr_match *, const uint32_t *numbers);
/* Appends a match's conjunction actions (none if it is a flow by itself), in the order that an installed flow has them. */
void expr_match_put_conjunctions(const struct expr_match *, struct str *actions);
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

/* Address sets, an address at a time.
 *
 * expr_resolve_split() is expr_resolve(), with conjunctions in any case, without the addresses of sets that stand alone: "x == $set" or "x == {$set, ...}" as
 * a factor of the outermost AND, or as an alternative of an OR there. For those it gives templates; env->address_set is not asked for them. The flows of the whole are the
 * matches, and for each template each address of its set filled in: which sets there are, what they have, and in which order they come does not change the others. So
 * translate/ has the unit of the logical flow emit the matches, and each template as a fact of (set), and another unit for each (template, address) that emits
 * the one flow; an address that comes or goes is one unit. Two templates, or a template and a match, may come to the same flow: wishes are counted, and conjunctions are merged. */
struct expr_template {
    char *set;
    struct of_subfield sf;             /* What is compared with the address. */
    struct expr_match match;           /* All but that. */
};
struct expr_templates {
    struct expr_template *t;
    size_t n, cap;
};
#define EXPR_TEMPLATES_INIT { NULL, 0, 0 }
void expr_templates_destroy(struct expr_templates *);
char *expr_resolve_split(const struct expr *e, const struct expr *also, const struct expr_env *env, struct expr_matches *m, struct expr_templates *t) MUST_USE;
/* The template with one address. False (and *M is nothing): no packet can match, or the address is of another kind. */
bool expr_template_fill(const struct expr_template *, const struct expr_constant *, struct expr_match *m) MUST_USE;
/* As bytes, for facts of this process, equal if the templates are; and back. */
void expr_template_put(const struct expr_template *, struct str *);
void expr_template_get(const void *, struct expr_template *);
void expr_template_destroy(struct expr_template *);

/* A packet as the logical language sees it: the value of each field; zero if it has none. Wide registers are kept in their narrow ones. */
struct logical_packet {
    union of_value f[OFF_N_FIELDS];
};
union of_value logical_packet_get(const struct logical_packet *, struct of_subfield);
void logical_packet_set(struct logical_packet *, struct of_subfield, const union of_value *);
/* The one packet that TEXT describes, all that it does not speak of zero. A message (caller owns) if it does not parse, or is not one packet. */
char *logical_packet_parse(const char *text, const struct expr_env *, struct logical_packet *) MUST_USE;
/* frame.c: appends it as an Ethernet frame, with lengths and checksums right, padded to the least length of one. Registers and other metadata are no part of it. */
void logical_packet_put_frame(const struct logical_packet *, struct str *);
/* Is E true for this packet? Straight from the tree: what the matches are held against in tests, and what ovn-trace uses. */
bool expr_evaluate(const struct expr *e, const struct expr_env *env, const struct logical_packet *);

#endif

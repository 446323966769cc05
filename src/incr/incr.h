/* incr.h - units and facts: the mechanism by which a change costs what the change is worth (DESIGN.md 2).
 *
 * A *unit* turns one subject into facts. It is a run of its class's function, which reads only through recording
 * accessors (database rows and indexes, ovsdb/; facts of others, below), all given incr_reader(unit), and emits
 * facts. When something that it read changes, it runs again; its new facts are compared with its old ones, and
 * only the difference moves on. Starting up is every unit running for the first time. There is no other path.
 *
 * A *class* is a function and where its subjects come from: the rows of a table, the keys of a relation, or one
 * unit alone. Classes run in the order of their creation; a unit may read only facts of classes created before
 * its own (checked).
 *
 * A *relation* is one kind of fact: a key and a value, both bytes. The same fact emitted by several units is one
 * fact. Facts can be read by key, can be the subjects of a class, and can leave through a *sink*, which is told
 * of net changes after all units have settled. A relation made with INCR_DIGEST keeps of a value only its digest:
 * the value is at hand when the sink is told, and afterwards by asking for it again (incr_refresh(): the unit is
 * pure, so it can say it again).
 *
 * Bytes in keys and values may hold pointers to rows that the unit has read and to interned texts of such rows,
 * nothing else that can die; padding must be zero. */
#ifndef INCR_INCR_H
#define INCR_INCR_H 1

#include "base/dep.h"
#include "base/hash.h"
#include "base/hmap.h"
#include "base/list.h"
#include "ovsdb/ovsdb.h"

struct incr;
struct incr_class;
struct incr_unit;
struct incr_relation;

struct incr *incr_create(void);
void incr_destroy(struct incr *);

/* ---- relations ---- */

enum { INCR_DIGEST = 1 };
struct incr_relation *incr_relation_create(struct incr *, const char *name, unsigned flags);
const char *incr_relation_name(const struct incr_relation *);

struct incr_key {
    struct hmap_node node;             /* In its relation. */
    struct incr_relation *relation;
    struct dep_source source;
    struct incr_fact *facts;
    uint32_t n_facts;                  /* In the list. */
    uint32_t n_objects;                /* Facts that point here, those about to be freed too. */
    uint32_t n_units;
    uint32_t len;
    char bytes[] __attribute__((aligned(8)));
};

/* One fact, as long as some unit emits it. */
struct incr_fact {
    struct hmap_node node;             /* In its relation, by content. */
    struct incr_key *key;
    struct incr_fact *next, **prev;    /* Others of the same key. */
    struct incr_unit *emitter;         /* One of those that emit it, or NULL: not known. */
    void *sink_data;                   /* The sink's; NULL at first. */
    uint64_t mark;
    uint32_t refs : 24, flags : 8;     /* `refs`: units that emit it. */
    uint32_t len;                      /* Of `value` (INCR_DIGEST: a struct digest). */
    char value[] __attribute__((aligned(8)));
};

/* The facts of a key, in no order. BY (NULL: nobody) reads this key. */
const struct incr_fact *incr_first(struct incr_relation *, const void *key, size_t key_len,
                                   struct dep_reader *by);
#define INCR_FOR_EACH_FACT(VAR, RELATION, KEY, KEY_LEN, BY) \
    for (const struct incr_fact *VAR = incr_first((RELATION), (KEY), (KEY_LEN), (BY)); VAR; VAR = VAR->next)
size_t incr_count(struct incr_relation *, const void *key, size_t key_len, struct dep_reader *by);
/* The keys that have facts, in no order; BY reads which there are. */
struct incr_key *incr_first_key(struct incr_relation *, struct dep_reader *by);
struct incr_key *incr_next_key(struct incr_key *);
/* This very fact (of an INCR_DIGEST relation, by the digest of the value), or NULL. Not recorded. */
const struct incr_fact *incr_find(struct incr_relation *, const void *key, size_t key_len, const void *value,
                                  size_t value_len);
size_t incr_n_facts(const struct incr_relation *);

/* ---- sinks ---- */

enum incr_event { INCR_ADDED, INCR_REMOVED, INCR_REFRESHED };
typedef void incr_sink_cb(void *aux, struct incr_fact *, enum incr_event, const void *value, size_t len);
/* CB is called by incr_run() once for each net change, for what went before what came. VALUE is the whole value (INCR_REMOVED of an INCR_DIGEST
 * relation: NULL). The fact stays valid until INCR_REMOVED was told. */
void incr_set_sink(struct incr_relation *, incr_sink_cb *, void *aux);
/* The sink will be told FACT's value again (INCR_REFRESHED) by the next incr_run(). */
void incr_refresh(struct incr_fact *);

/* ---- classes and units ---- */

typedef void incr_run_cb(struct incr_unit *, void *aux);
struct incr_class *incr_class_create(struct incr *, const char *name, incr_run_cb *, void *aux);
/* Where subjects come from; one of these, once. */
void incr_class_over_table(struct incr_class *, struct ovsdb_table *);
void incr_class_over_relation(struct incr_class *, struct incr_relation *);
void incr_class_alone(struct incr_class *);
/* How a subject is shown by verify: appends to the str. Optional; rows show their table and UUID. */
void incr_class_set_format(struct incr_class *, void (*format)(const struct incr_unit *, struct str *));

struct dep_reader *incr_reader(struct incr_unit *);
struct ovsdb_row *incr_row(const struct incr_unit *);              /* Subject of a unit over a table. */
const struct incr_key *incr_subject(const struct incr_unit *);     /* ... over a relation: bytes, len. */
void incr_emit(struct incr_unit *, struct incr_relation *, const void *key, size_t key_len,
               const void *value, size_t value_len);

/* ---- running ---- */

/* Runs every unit that must, until all is settled, then tells the sinks. Returns the number of unit runs. */
size_t incr_run(struct incr *);
bool incr_is_dirty(const struct incr *);
/* All units run again at the next incr_run(). Changes nothing if all is well. */
void incr_recompute(struct incr *);
/* Computes everything again beside the live state: each unit runs on the side, its facts and reads are compared
 * with what it holds, and the set of units with the subjects there are. As a unit is a pure function of what it
 * reads, that is the from-scratch state. Appends a line a difference to OUT; returns how many. Only while settled. */
size_t incr_verify(struct incr *, struct str *out);
void incr_show_stats(const struct incr *, struct str *out);
void incr_clear_stats(struct incr *);
/* Registers inc-engine/...: verify, show-stats, clear-stats, recompute, compute-log-timeout, stopwatches. SETTLE runs the process's whole cycle. */
void incr_register_commands(struct incr *, void (*settle)(void *aux), void *aux);
/* The classes as a graph for dot(1): what each one's subjects are, and the order. ROOT (NULL: all): just what this class runs over.
 * A message (caller owns) if there is no such class. */
char *incr_put_dot(const struct incr *, const char *root, struct str *out) MUST_USE;

/* ---- numbers ---- */

/* Numbers handed to owners (tunnel keys, zones): an owner keeps its number while the unit that asked for it does.
 * They are state that restarts adopt, not something computed. */
struct incr_numbers;
struct incr_numbers *incr_numbers_create(const char *name, uint32_t min, uint32_t max);
/* From now on a free number is the lowest one, so that one given back is soon used again. Otherwise numbers are used in turn. */
void incr_numbers_prefer_low(struct incr_numbers *);
/* From now on only numbers up to LIMIT are given, adopted or had by request (0: the space's own maximum). What is had stays. */
void incr_numbers_set_limit(struct incr_numbers *, uint32_t limit);
void incr_numbers_destroy(struct incr_numbers *);       /* Must be empty. */
bool incr_numbers_is_empty(const struct incr_numbers *);
/* Every owner that has a number, in no order. */
void incr_numbers_for_each(const struct incr_numbers *, void (*cb)(void *aux, const void *owner, size_t owner_len, uint32_t number), void *aux);
/* The number of OWNER. REQUESTED (0: none) is taken from whoever has it without having requested it (that unit
 * runs again); if two request it, the smaller owner (by bytes) has it. Else what it had; else ADOPTED (0: none;
 * e.g. found in the database), taken in the same way from one who was given it by chance; else a free one. 0: none is left.
 * Given back when the unit ends or runs without asking; who got none, or not the one it requested, runs again then. */
uint32_t incr_number(struct incr_unit *, struct incr_numbers *, const void *owner, size_t owner_len,
                     uint32_t requested, uint32_t adopted);

#endif

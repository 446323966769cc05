/* private.h - structures shared by incr/'s own files: incr.c (facts), unit.c (classes, units, running), verify.c,
 * numbers.c. */
#ifndef INCR_PRIVATE_H
#define INCR_PRIVATE_H 1

#include "incr/incr.h"
#include "runtime/metrics.h"

struct incr_queued {
    struct incr_fact *fact;
    void *value;                       /* INCR_DIGEST: the whole value. */
    size_t len;
};

struct incr_relation {
    struct list node;                  /* In graph->relations. */
    struct incr *graph;
    const char *name;
    bool digest;
    struct hmap keys, facts;
    size_t swept;                      /* Keys left by the last sweep. */
    struct dep_source membership;      /* Which keys have facts. */
    struct list classes;               /* struct incr_class over this relation, by relation_node. */
    int last_writer, first_reader;     /* Orders of classes; 0: none yet. */
    incr_sink_cb *sink;
    void *sink_aux;
    struct incr_queued *queue;
    size_t n_queue, queue_cap;
};

struct incr_class {
    struct list node;                  /* In graph->classes. */
    struct incr *graph;
    const char *name;
    int order;                         /* From 1. */
    incr_run_cb *run;
    void *aux;
    struct ovsdb_table *table;         /* Subjects: one of these, or neither. */
    struct incr_relation *relation;
    struct ovsdb_watch watch;
    struct list relation_node;
    struct hmap units;                 /* By subject. */
    struct list dirty;
    void (*format)(const struct incr_unit *, struct str *);
    uint64_t n_runs;                   /* Of units. */
    uint64_t n_recomputes, n_computes; /* Cycles in which some ran: as all are computed again, for a change. */
    int64_t usec;
    struct stopwatch *stopwatch;       /* NULL until it was first wanted. */
    bool timed;
};

struct incr_held;                      /* numbers.c */

struct incr_unit {
    struct dep_reader reader;
    struct hmap_node node;             /* In class->units. */
    struct incr_class *class;
    void *subject;                     /* struct ovsdb_row, struct incr_key, or NULL. */
    struct list dirty;                 /* In class->dirty, or empty. */
    struct incr_fact **facts;
    size_t n_facts;
    struct incr_held *held;
};

/* A unit that runs on the side: verify.c. */
struct incr_shadow {
    struct dep_reader reader;
    struct incr_unit *unit;
    size_t n_missing;                  /* Emitted on the side, not held. */
    struct str *out;
};

struct incr {
    struct list classes, relations;
    int n_classes;
    struct incr_unit *running;
    struct incr_shadow *shadow;
    size_t n_dirty;
    uint64_t mark, mark_old, mark_new;
    struct incr_fact **emitted;        /* By the unit that runs. */
    size_t n_emitted, emitted_cap;
    struct incr_fact **gone;           /* Without a sink: freed at the end of the run. */
    size_t n_gone, gone_cap;
    bool recomputing;                  /* At the start, and after incr_recompute(): the next run is of everything. */
    int64_t log_msec;                  /* A class that takes longer is named in the log. */
    void (*settle)(void *);
    void *settle_aux;
};

/* incr.c */
void incr_facts_begin(struct incr *, struct incr_unit *);
void incr_facts_end(struct incr *, struct incr_unit *);
void incr_settle_facts(struct incr *);
void incr_sweep_keys(struct incr *);
/* unit.c */
void incr_unit_dirty(struct incr_unit *);
void incr_key_came(struct incr_key *);
void incr_key_went(struct incr_key *);
void incr_find_emitter(struct incr *, struct incr_fact *);
void incr_destroy_units(struct incr *);
void incr_unit_format(const struct incr_unit *, struct str *);
/* verify.c */
void incr_shadow_emit(struct incr *, struct incr_fact *, struct incr_relation *);
/* numbers.c */
void incr_held_begin(struct incr_unit *);
void incr_held_end(struct incr_unit *, bool all);

#endif

/* sink_private.h - what sink.c (entries: what is said, what is found, what has to be written) and outbox.c (transactions) share. */
#ifndef NORTHD_SINK_PRIVATE_H
#define NORTHD_SINK_PRIVATE_H 1

#include "northd/sink.h"

enum need { NEED_NOTHING, NEED_INSERT, NEED_UPDATE, NEED_DELETE };

struct entry {
    struct hmap_node node;             /* In sink->entries, by `key`. */
    struct hmap_node row_node;         /* In sink->rows, while `row`. */
    struct list due;                   /* In sink->due, outbox->in_flight, outbox->refused, or empty. */
    struct sink *sink;
    struct digest key;
    struct digest want;                /* Of the owned columns, as said. */
    struct incr_fact *fact;            /* What is said, or NULL. */
    struct ovsdb_row *row;             /* What is found, or NULL. */
    struct said *content;              /* What to write, while it is at hand. */
    struct identity *identity;         /* When someone asked for the UUID. */
    uint32_t expect;                   /* In flight: members that the row will have. */
    uint8_t seen;                      /* In flight: updates of the row's members, up to 2. */
    bool check_members;                /* The whole set is to be compared. */
    bool in_flight;
    bool inserted;                     /* In flight: as a new row. */
    bool refused;
    uint8_t need;                      /* enum need, of a due entry when `prepared`. */
    bool prepared;
    bool idle;                         /* In sink->idle. */
};

struct identity {
    struct uuid uuid;                  /* The row's, or the wish. */
    struct uuid wish;
    struct dep_source source;
};

/* What a unit says of a row; the JSON object follows. */
struct said {
    struct digest want;
    uint64_t columns;                  /* Which it has. */
    char json[];
};

/* A change of a row's member set that is due. */
struct delta {
    struct list node;                  /* In sink->deltas. */
    struct entry *entry;
    struct uuid element;
    bool add;
};

struct sink {
    struct list node;                  /* In outbox->sinks, in order of creation. */
    struct outbox *outbox;
    const char *name;
    const struct ovsdb_table_desc *desc;
    struct ovsdb_table *table;
    uint64_t owned, usable;            /* usable: those that the server has. */
    unsigned flags;
    void (*identify)(const struct ovsdb_row *, struct str *);
    struct incr_relation *said;        /* Key: digest of the key; value: digest of the record, its JSON. */
    struct incr_relation *members;     /* Key: digest of the key; value: UUID. */
    int member_column;                 /* -1: none. */
    struct hmap entries;
    struct hmap rows;                  /* Entries that have a row, by the row. */
    struct list due;
    struct list idle;                  /* Entries that stand for nothing any more. */
    struct list deltas;
    struct uuid *surplus;              /* Rows with a key that another row has. */
    size_t n_surplus, surplus_cap;
    struct ovsdb_watch watch;
    struct str scratch;
    struct ovsdb_record *record;
    uint64_t said_narrow;              /* Columns whose narrower limits on the server were warned of. */
};

struct outbox {
    struct ovsdb *db;
    struct incr *incr;
    bool locked;
    struct list sinks;
    struct list in_flight;             /* struct entry */
    struct list refused;               /* struct entry */
    struct loop_timer *refused_timer;
    unsigned schema_seqno;
    bool retry_refused;                /* With the next transaction. */
    bool trouble;                      /* All sets are to be compared once it is over. */
    bool without_extra;                /* The last transaction failed: was it the extra operations? */
    struct ovsdb_txn_handle *pending;
    bool pending_extra;
    size_t limit;                      /* Entries a transaction, after one was refused; 0: no limit. */
    int64_t retry_at;                  /* 0: at once. */
    struct loop_timer *timer;
    bool (*add_extra)(void *, struct ovsdb_txn *);
    void (*extra_done)(void *, bool);
    void *extra_aux;
    void (*wake)(void *);
    void *wake_aux;
};

/* sink.c */
void entry_due(struct entry *);                /* What is said and what is found may differ: to be looked at. */
void sink_destroy(struct sink *);
/* Looks at what is due: what needs nothing is due no more, contents that are not at hand are asked for. All that belongs together
 * must be at hand when the transaction is made. Returns whether anything was asked for, or changed for its readers. */
bool sink_prepare(struct sink *);
/* Adds what is due to the transaction (not more than outbox->limit entries); *N counts entries. */
void sink_write(struct sink *, struct ovsdb_txn *, size_t *n);

#endif

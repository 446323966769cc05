/* replica.h - between the two halves of ovsdb/: session.c + txn.c (the protocol) drive replica.c (the rows). Nobody else includes it.
 *
 * The session speaks JSON-RPC and decides what to monitor; it hands each table-updates value to the replica
 * while the reader stands on its first token. The replica decodes straight from the message into rows. */
#ifndef OVSDB_REPLICA_H
#define OVSDB_REPLICA_H 1

#include "json/json.h"
#include "base/list.h"
#include "ovsdb/ovsdb.h"

/* What the server's schema allows in a column and ours does more widely. */
struct ovsdb_limit {
    struct ovsdb_limit *next;
    uint16_t column;
    struct ovsdb_base_desc key;        /* `type` and what it may be; enum_strings is malloc()ed, as are its texts. */
};

struct ovsdb_table {
    const struct ovsdb_table_desc *desc;
    struct ovsdb *db;
    struct hmap rows;                  /* struct ovsdb_row, present and absent. */
    size_t n_present;
    struct dep_source membership;      /* "Which rows there are." */
    struct list watches;               /* struct ovsdb_watch */
    struct list indexes;               /* struct ovsdb_index */
    uint64_t used;                     /* Columns kept (mask), what the process asked for: what to monitor. */
    bool in_use, digest;
    uint64_t digest_columns;           /* The same as `used` in a digest table. */
    struct ovsdb_row *blank;           /* What an absent row looks like. */
    size_t row_size;                   /* Of `blank`; 0 until there is a row. */
    struct ovsdb_record *scratch;      /* Digest tables: the row being read. */
    uint64_t indexed;                  /* Columns with an index. */
    uint16_t *column_after;            /* Which column followed column i - 1 when one was last read. */
    uint8_t *name_lens;                /* Of the columns' names. */
    /* The session's: */
    bool server_has;
    uint64_t server_columns;           /* Columns that the server's schema has with the same type. Ranges and enumerations
                                        * may differ, but not whether max is 1: differences depend on it. */
    struct ovsdb_limit *limits;        /* Narrower than ours. */
    char *condition;                   /* JSON; NULL: "[true]". */
    uint64_t condition_number;
    bool condition_sent, condition_acked;
};

struct ovsdb_session;                  /* session.c */
struct ovsdb {
    const struct ovsdb_db_desc *desc;
    struct loop *loop;
    struct ovsdb_table *tables;        /* By desc->index. */
    struct ovsdb_row **garbage;        /* Absent rows that ovsdb_collect() looks at. */
    size_t n_garbage, cap_garbage, scan_garbage;
    uint64_t seqno;
    bool changed;                      /* The message being applied changed something. */
    struct ovsdb_values *values;       /* The column being read. */
    struct ovsdb_session *session;
};

/* ---- session.c, for the replica ---- */
/* What the tables say is to be monitored (in_use, used) has grown. */
void ovsdb_session_monitor_changed(struct ovsdb *);

/* ---- replica.c, for the session ---- */
void ovsdb_replica_init(struct ovsdb *);
void ovsdb_limits_free(struct ovsdb_table *);
void ovsdb_replica_destroy(struct ovsdb *);

enum ovsdb_update_kind {
    OVSDB_UPDATE,              /* RFC 7047 4.1.6 "update": {"old":..., "new":...} */
    OVSDB_UPDATE2,             /* ovsdb-server(7) 4.1.14 update2/update3: initial, insert, modify (differences), delete */
};
/* Applies a <table-updates>; the reader's current token is its first. On malformed content: returns a message (caller owns) after which the
 * content is not to be trusted (the session reconnects and starts anew); the replica stays consistent. */
char *ovsdb_replica_apply(struct ovsdb *, struct json_reader *, enum ovsdb_update_kind) MUST_USE;
/* A first content follows that replaces everything: rows that it does not mention become absent, the rest keep their identity (only real differences
 * notify anyone). begin, apply, end. */
void ovsdb_replica_replace_begin(struct ovsdb *);
void ovsdb_replica_replace_end(struct ovsdb *);

#endif

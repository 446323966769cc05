/* ovsdb.h - one database of a process: the connection, the replica, transactions.
 *
 * A process names the tables and columns it uses, then sets the remotes; the client connects, monitors exactly
 * those (monitor_cond_since, or what an older server has), and keeps the rows. Updates are applied when they
 * arrive, in the loop's callbacks; recorded readers (base/dep.h) are notified, watches are called. The
 * process computes in the loop's cycle. Tables and columns that the server does not have stay empty and are said
 * not to be there (ovsdb_has_column()): what exists works.
 *
 * Rows live until nothing needs them: a deleted row becomes absent at once and is freed by ovsdb_collect() when no row
 * refers to it and nobody recorded a read of it. So a unit may use a row it has read until it runs again.
 *
 * Reconnecting resumes from the last transaction seen; the rows stay meanwhile. RFC 7047, ovsdb-server(7). */
#ifndef OVSDB_OVSDB_H
#define OVSDB_OVSDB_H 1

#include "ovsdb/record.h"
#include "ovsdb/types.h"
#include "runtime/loop.h"

struct ovsdb;

struct ovsdb *ovsdb_create(struct loop *, const struct ovsdb_db_desc *);
/* NULL is ignored. Transactions not answered end without a word. Not from this database's own callbacks. */
void ovsdb_destroy(struct ovsdb *);
const struct ovsdb_db_desc *ovsdb_desc(const struct ovsdb *);

/* ---- what to keep ---- */

/* Also keeps COLUMNS (mask of OVSDB_COLUMN()) of TABLE; 0 keeps the rows' existence. May be called again at any time. */
void ovsdb_use(struct ovsdb *, const struct ovsdb_table_desc *, uint64_t columns);
void ovsdb_use_all(struct ovsdb *);            /* Every table and column that both sides know. */
/* Keeps of TABLE's rows only the digest of COLUMNS: rows are struct ovsdb_digest_row. */
void ovsdb_use_digest(struct ovsdb *, const struct ovsdb_table_desc *, uint64_t columns);
/* Which rows of TABLE to monitor: a JSON array of RFC 7047 5.1 conditions, any of which must hold ("[true]" all, the default;
 * "[false]" none). May change at run time (monitor_cond_change); rows that no longer match become absent.
 * Returns a number for ovsdb_conditions_reached(). */
uint64_t ovsdb_set_condition(struct ovsdb *, const struct ovsdb_table_desc *, const char *json);
/* Whether the replica reflects all conditions set up to number N (0 or the last one set). */
bool ovsdb_conditions_reached(const struct ovsdb *, uint64_t n);

/* ---- the connection ---- */

/* "unix:PATH", "tcp:HOST:PORT", "ssl:HOST:PORT" (runtime/tls.h), several separated by commas. Same as before: nothing happens.
 * A message (caller owns) or NULL. */
char *ovsdb_set_remotes(struct ovsdb *, const char *remotes) MUST_USE;
void ovsdb_set_leader_only(struct ovsdb *, bool);      /* Clusters: only the leader will do (default true). */
void ovsdb_set_shuffle(struct ovsdb *, bool);          /* Try remotes in random order (default true). */
void ovsdb_set_probe_interval(struct ovsdb *, int64_t ms);     /* At least 1000; 0: none; -1: 60000, none for unix: (the default). */
bool ovsdb_is_connected(const struct ovsdb *);
bool ovsdb_is_ready(const struct ovsdb *);             /* The whole first content has arrived, once. */
const char *ovsdb_last_error(const struct ovsdb *);    /* Why not connected, "" if unknown. */
/* Attempts in a row that could not connect, or not to a server that has the database; 0 while connected: a command gives up when it
 * has tried all remotes. */
unsigned ovsdb_n_unreachable(const struct ovsdb *);
bool ovsdb_lacks_database(const struct ovsdb *);       /* The only server that there is does not have the database; should it come, we go on. */
void ovsdb_force_reconnect(struct ovsdb *);
void ovsdb_retry_now(struct ovsdb *);          /* If it pauses before the next attempt to connect: it does not. */
void ovsdb_reset_cluster_state(struct ovsdb *);        /* sb-cluster-state-reset and the like. */
bool ovsdb_has_table(const struct ovsdb *, const struct ovsdb_table_desc *);
bool ovsdb_has_column(const struct ovsdb *, const struct ovsdb_table_desc *, uint16_t column);
/* Why the server's schema, narrower than ours, does not take RECORD ("table_id 33 exceeds 32"): the caller owns it. NULL: it does, as
 * far as integer ranges and enumerations say, or is not known. *column: the culprit. */
char *ovsdb_server_refuses(const struct ovsdb *, const struct ovsdb_record *, uint16_t *column) MUST_USE;
/* Increases when the server's schema turns out to be another than before. */
unsigned ovsdb_schema_seqno(const struct ovsdb *);
/* Increases whenever the replica or the connection state changed. */
uint64_t ovsdb_seqno(const struct ovsdb *);

/* Asks for the lock NAME (NULL: gives it up). Changes of ownership increase the seqno. */
void ovsdb_set_lock(struct ovsdb *, const char *name);
bool ovsdb_has_lock(const struct ovsdb *);             /* Connected and owner. */

/* ---- reading ---- */

struct ovsdb_table *ovsdb_table(const struct ovsdb *, const struct ovsdb_table_desc *);
const struct ovsdb_table_desc *ovsdb_table_desc(const struct ovsdb_table *);
struct ovsdb *ovsdb_table_db(const struct ovsdb_table *);
size_t ovsdb_count(const struct ovsdb_table *);        /* Present rows. */

/* Present rows in no order; BY (may be NULL) reads "which rows there are". */
struct ovsdb_row *ovsdb_first(struct ovsdb_table *, struct dep_reader *by);
struct ovsdb_row *ovsdb_next(struct ovsdb_row *);
#define OVSDB_FOR_EACH(VAR, TABLE, BY) \
    for (struct ovsdb_row *VAR = ovsdb_first((TABLE), (BY)); VAR; VAR = ovsdb_next(VAR))

/* The present row, or NULL; BY reads its presence. */
struct ovsdb_row *ovsdb_get(struct ovsdb_table *, const struct uuid *, struct dep_reader *by);
/* ROW if present, else NULL; BY reads its presence. ROW may be NULL. */
struct ovsdb_row *ovsdb_present(struct ovsdb_row *, struct dep_reader *by);

/* Indexes, unique or not, on one or more columns of shape ONE or OPT: declare before rows arrive, or any time. */
struct ovsdb_index;
struct ovsdb_index *ovsdb_index_create(struct ovsdb *, const struct ovsdb_table_desc *, int n_columns, const uint16_t columns[]);
/* Present rows whose columns equal KEY (texts need not be interned; UUIDs without a table: 16 bytes). BY reads this key of the index: rows that
 * come, go, or change into or out of it. Returns how many; *rows points to them until the next update. */
size_t ovsdb_index_find(struct ovsdb_index *, struct dep_reader *by, const union ovsdb_atom key[], struct ovsdb_row *const **rows);
/* The first (by UUID), or NULL. */
struct ovsdb_row *ovsdb_index_get(struct ovsdb_index *, struct dep_reader *by, const union ovsdb_atom key[]);
struct ovsdb_row *ovsdb_index_get_str(struct ovsdb_index *, struct dep_reader *by, const char *key);
struct ovsdb_row *ovsdb_index_get_int(struct ovsdb_index *, struct dep_reader *by, int64_t key);

/* Rows that refer to ROW by COLUMN; BY reads just that relation. */
struct ovsdb_referrer_iter {
    const struct ovsdb_row *row;
    const struct ovsdb_column_desc *column;
    const struct ovsdb_table_desc *from;
    uint32_t i;
};
struct ovsdb_row *ovsdb_referrer_first(struct ovsdb_referrer_iter *, struct ovsdb_row *, const struct ovsdb_table_desc *from, uint16_t column, struct dep_reader *by);
struct ovsdb_row *ovsdb_referrer_next(struct ovsdb_referrer_iter *);
/* How many there are, at once (a row that refers twice by a set or map counts twice). */
size_t ovsdb_referrer_count(struct ovsdb_row *, const struct ovsdb_table_desc *from, uint16_t column, struct dep_reader *by);
#define OVSDB_FOR_EACH_REFERRER(VAR, ITER, ROW, FROM, COLUMN, BY) \
    for (struct ovsdb_row *VAR = ovsdb_referrer_first((ITER), (ROW), (FROM), (COLUMN), (BY)); VAR; \
         VAR = ovsdb_referrer_next(ITER))

/* Called for every change of a row of TABLE as it is applied. CHANGED is a mask; with OVSDB_PRESENT the row came (row->present) or went. For
 * referrer bits it is not called. A row that went still has its last content during the call. Must not change the replica. The watch is the caller's and must be unwatched before it is freed. */
struct ovsdb_watch {
    struct list node;
    void (*cb)(struct ovsdb_watch *, struct ovsdb_row *, uint64_t changed);
};
void ovsdb_watch(struct ovsdb_table *, struct ovsdb_watch *);
void ovsdb_unwatch(struct ovsdb_watch *);

/* Frees absent rows that nothing needs. Between cycles. */
void ovsdb_collect(struct ovsdb *);

/* ---- writing ---- */

/* A transaction: operations in order, sent at commit, atomic. UUIDs of new rows are chosen here (the "uuid" member of insert, ovsdb-server(7) 5.2.1), so
 * that later operations and other rows refer to them at once. Columns and tables that the server lacks are left out. */
struct ovsdb_txn;
enum ovsdb_txn_status {
    OVSDB_TXN_SUCCESS,
    OVSDB_TXN_CONFLICT,        /* A verified value changed, or a chosen UUID exists: look again and retry. */
    OVSDB_TXN_LOST,            /* The connection broke before the answer: it may or may not have happened. */
    OVSDB_TXN_NOT_LOCKED,      /* The lock asserted is not ours. */
    OVSDB_TXN_ERROR,           /* Refused: see error. */
};
struct ovsdb_txn *ovsdb_txn_create(struct ovsdb *);
void ovsdb_txn_destroy(struct ovsdb_txn *);    /* Only if not committed. */
bool ovsdb_txn_is_empty(const struct ovsdb_txn *);
/* UUID NULL: a random one. Returns the new row's. */
struct uuid ovsdb_txn_insert(struct ovsdb_txn *, const struct ovsdb_record *, const struct uuid *);
void ovsdb_txn_update(struct ovsdb_txn *, const struct uuid *, const struct ovsdb_record *);
void ovsdb_txn_delete(struct ovsdb_txn *, const struct ovsdb_table_desc *, const struct uuid *);
/* Adds/removes what RECORD has in COLUMN (a set or map) to/from the row's: costs the difference, not the set. */
void ovsdb_txn_add(struct ovsdb_txn *, const struct uuid *, const struct ovsdb_record *, uint16_t column);
void ovsdb_txn_remove(struct ovsdb_txn *, const struct uuid *, const struct ovsdb_record *, uint16_t column);
/* Removes KEY from a map column whatever its value. */
void ovsdb_txn_remove_key(struct ovsdb_txn *, const struct ovsdb_table_desc *, const struct uuid *, uint16_t column, const char *key);
/* The transaction happens only if the row still has, in COLUMN, what the replica shows now (else CONFLICT). */
void ovsdb_txn_verify(struct ovsdb_txn *, const struct ovsdb_row *, uint16_t column);
void ovsdb_txn_increment(struct ovsdb_txn *, const struct ovsdb_row *, uint16_t column, int64_t by);   /* And selects the result. */
void ovsdb_txn_comment(struct ovsdb_txn *, const char *);
void ovsdb_txn_assert_lock(struct ovsdb_txn *);
void ovsdb_txn_put_raw(struct ovsdb_txn *, const char *json_op);       /* An operation as text. */
size_t ovsdb_txn_n_ops(const struct ovsdb_txn *);

struct ovsdb_txn_result {
    enum ovsdb_txn_status status;
    const char *error;         /* "constraint violation: details", or "". */
    int64_t incremented;       /* The value after the last ovsdb_txn_increment(). */
    const char *reply;         /* The reply's "result", JSON text; NULL if there is none. */
    size_t reply_len;
};
/* Sends; TXN is no longer the caller's. CB is called once, from the loop; not connected yet: it waits for the connection. At the call with SUCCESS, the replica has
 * the transaction's own changes. AUX may be NULL. Returns a handle for ovsdb_txn_cancel(). */
struct ovsdb_txn_handle;
struct ovsdb_txn_handle *ovsdb_txn_commit(struct ovsdb_txn *, void (*cb)(void *aux, const struct ovsdb_txn_result *), void *aux);
/* CB will not be called: one not sent yet never happens, one that was sent may. The handle ends here, or at the call of CB. */
void ovsdb_txn_cancel(struct ovsdb_txn_handle *);
size_t ovsdb_txn_pending(const struct ovsdb *);        /* Sent or waiting, not answered. */

#endif

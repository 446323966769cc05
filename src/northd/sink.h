/* sink.h - where facts leave northd: rows of a database.
 *
 * A *sink* owns some columns of one table. Units say rows to it (sink_emit()); it compares what is said with what the replica shows and
 * writes the difference: rows said and not there are inserted, rows there and not said are deleted, others get the owned columns
 * that differ. So rows found at start-up are adopted by content, and whatever someone else changes in the owned columns is mended. Of a row said, only
 * a digest is kept (incr.h, INCR_DIGEST); the unit says it again when it must be written again.
 *
 * A large set of a row (the ports of a multicast group, the datapaths of a datapath group) is said an element at a time
 * (sink_emit_member()), and leaves as differences: one port added to a group of 10,000 is a message of one element.
 *
 * An *outbox* gathers the sinks of one database and writes all that is due in one transaction; one is under way at a time. What fails is due again. */
#ifndef NORTHD_SINK_H
#define NORTHD_SINK_H 1

#include "incr/incr.h"
#include "ovsdb/ovsdb.h"

struct outbox;
struct sink;

/* LOCKED: transactions assert that the process owns the database's lock. */
struct outbox *outbox_create(struct loop *, struct ovsdb *, struct incr *, bool locked);
void outbox_destroy(struct outbox *);
/* Called while a transaction is made: to add operations that are no sink's (sequence numbers). Returns whether it added any. DONE is called when a transaction with
 * operations of it succeeded (or failed: OK false). */
void outbox_set_extra(struct outbox *, bool (*add)(void *aux, struct ovsdb_txn *), void (*done)(void *aux, bool ok), void *aux);
/* Before incr_run(): if the server's schema is another than before, all units run again, to say what it can have. */
void outbox_follow_schema(struct outbox *);
/* Writes what is due, if nothing is under way. After incr_run(). */
void outbox_flush(struct outbox *);
/* Nothing is due or under way: the database is as said. */
bool outbox_is_clean(const struct outbox *);
/* Called from the loop when a transaction is done or a retry is due: run the cycle. */
void outbox_on_wake(struct outbox *, void (*wake)(void *aux), void *aux);

enum sink_flags {
    SINK_UPDATE_ONLY = 1,      /* Rows are others': never inserted or deleted, only the owned columns of rows said are written. */
    SINK_DIGEST = 2,           /* The replica keeps digests of the owned columns (ovsdb_use_digest()); a row is what it contains: the key is ignored. */
    SINK_NO_DELETE = 4,        /* Rows not said are left. */
};
/* OWNED: columns (mask). IDENTIFY appends what tells a row from others, from its columns: the key given to sink_emit(). NULL: the
 * row's UUID (16 bytes), or with SINK_DIGEST its content. The columns must be in use by the replica (ovsdb_use()). */
struct sink *sink_create(struct outbox *, const char *name, const struct ovsdb_table_desc *, uint64_t owned, unsigned flags,
                         void (*identify)(const struct ovsdb_row *, struct str *key));
/* The set column MEMBERS of this sink's rows is said an element at a time. Elements are UUIDs. */
void sink_set_members(struct sink *, uint16_t column);

/* U says the row KEY, with RECORD's columns (a subset of those owned; others get their default). False: nothing is said, as the server's
 * schema does not allow such a row (it is warned of). */
bool sink_emit(struct incr_unit *, struct sink *, const void *key, size_t key_len, const struct ovsdb_record *record);
void sink_emit_member(struct incr_unit *, struct sink *, const void *key, size_t key_len, const struct uuid *element);

/* The UUID that the row KEY has, or will have when inserted. WISH: what it shall be if no row is there yet (of a given key always the same). BY reads it. */
struct uuid sink_uuid(struct sink *, const void *key, size_t key_len, const struct uuid *wish, struct dep_reader *by);
/* The row KEY in the replica, or NULL. Not recorded: for what must survive restarts (numbers). */
struct ovsdb_row *sink_row(struct sink *, const void *key, size_t key_len);

#endif

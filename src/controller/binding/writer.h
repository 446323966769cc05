/* writer.h - transactions of one database, from pending writes.
 *
 * A *write* has a key (a text that says what it is about) and a value: a description for people, NUL, then
 * operations as JSON texts, each ended by NUL. It is pending from writer_set() until writer_unset(). One
 * transaction is under way at a time and takes all that is due. A write that is still pending after it was
 * carried out, or comes back again and again (another host undoes it), waits longer each time. What the server
 * refuses is named in the log and does not hold up others: after a refusal, writes go one by one for once. */
#ifndef CONTROLLER_BINDING_WRITER_H
#define CONTROLLER_BINDING_WRITER_H 1

#include "incr/incr.h"
#include "ovsdb/ovsdb.h"
#include "runtime/loop.h"

struct writer;

struct writer *writer_create(struct loop *, struct ovsdb *);
void writer_destroy(struct writer *);
void writer_set(struct writer *, const char *key, size_t key_len, const void *value, size_t value_len);
void writer_unset(struct writer *, const char *key, size_t key_len);
/* What was written under KEY so far was for good reasons. */
void writer_forgive(struct writer *, const char *key, size_t key_len);
/* The facts of RELATION (key, value as above) are writes. */
void writer_attach(struct writer *, struct incr_relation *);
/* Before incr_run(): notices that the server has other tables or columns than before. */
void writer_look_at_schema(struct writer *);
/* Sends what is due, unless something is under way or the database is not connected. */
void writer_run(struct writer *);
bool writer_is_idle(const struct writer *);    /* Nothing pending, nothing under way. */

/* ---- making values ---- */

/* A value under construction. */
struct write {
    struct str value;
    struct ovsdb *db;                  /* Columns that it lacks are left out. */
};
/* BY (NULL: nobody) reads which tables and columns the server has. */
void write_begin(struct write *, struct writer *, struct dep_reader *by, const char *what, ...) PRINTF_LIKE(4, 5);
/* Others may write the same row and never stop: this one waits if it comes back again and again. */
void write_guard(struct write *);
/* As write_guard(), of what is written just to have something done again: that it comes back is no surprise. */
void write_retry(struct write *);
/* There is no hurry: it goes with the next transaction, or after a short while. */
void write_later(struct write *);
void write_insert(struct write *, const struct uuid *, const struct ovsdb_record *);
void write_update(struct write *, const struct uuid *, const struct ovsdb_record *);
/* Only if the row still has the reference IF_REF in IF_COLUMN. */
void write_update_if(struct write *, const struct uuid *, const struct ovsdb_record *, uint16_t if_column, const struct uuid *if_ref);
void write_delete(struct write *, const struct ovsdb_table_desc *, const struct uuid *);
/* Adds what RECORD has in its columns (sets, maps) to the row's; a map's keys get new values. */
void write_add(struct write *, const struct uuid *, const struct ovsdb_record *);
/* Removes REF from a set of references. */
void write_remove_ref(struct write *, const struct ovsdb_table_desc *, const struct uuid *, uint16_t column, const struct uuid *ref);
/* Removes keys of a map of texts. */
void write_remove_key(struct write *, const struct ovsdb_table_desc *, const struct uuid *, uint16_t column, const char *key);
/* Emits it under KEY and frees it. */
void write_emit(struct write *, struct incr_unit *, struct incr_relation *, const char *key_format, ...) PRINTF_LIKE(4, 5);
void write_put(struct write *, struct writer *, const char *key_format, ...) PRINTF_LIKE(3, 4);

/* A UUID for a new row of TABLE that the text NAME identifies: always the same in this process, another one in
 * the next. */
struct uuid write_uuid(const struct ovsdb_table_desc *, const char *name);

#endif

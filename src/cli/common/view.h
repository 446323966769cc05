/* view.h - the database as the commands of one line see it: the store, and over it what these commands have changed.
 *
 * A *view row* is a row of the store or a new one, with the columns that were looked at or written, as datums. Later commands see
 * what earlier ones did; nothing reaches the server before view_commit() turns the changes into operations of one transaction:
 * inserts, differences of sets and maps (mutate) where a command added or removed, whole values where it set one. What a
 * command based a decision on is named by view_verify() and view_verify_absent(), and holds when the transaction happens, or the
 * server refuses it and the commands run again (run.c).
 *
 * Reading a column that was not asked for (ctl_need()) is a bug and ends the process. Writing one is not: so a port is added to a switch
 * of 10,000 ports without fetching the other 9,999. */
#ifndef CLI_COMMON_VIEW_H
#define CLI_COMMON_VIEW_H 1

#include "base/hmap.h"
#include "cli/common/store.h"
#include "ovsdb/ovsdb.h"

struct view_cell {
    bool loaded, written, replaced;    /* Replaced: as a whole; else only added to and removed from. */
    bool unseen;                       /* Not in the store: BEFORE is empty, NOW is what was added, GONE what was removed. */
    struct datum before, now, gone;
};
struct view_row {
    struct hmap_node node;             /* In its table, by UUID. */
    struct view *view;
    const struct ovsdb_table_desc *table;
    struct uuid uuid;
    const struct stored_row *base;     /* NULL: new. */
    bool deleted;
    struct view_cell *cells;           /* By column. */
};
struct view_table {
    struct hmap rows;
    bool whole;                        /* All rows of the store are in ROWS. */
};
struct view {
    const struct store *store;
    struct arena *arena;
    struct view_table *tables;         /* By index. */
    struct view_row **changed;         /* In order of the first change. */
    size_t n_changed, cap_changed;
    struct str waits;                  /* Operations, each ended by a newline. */
    bool relies_on_indexes;            /* view_verify_absent() or ctl_singleton() left something to the server's unique indexes, or its limit of rows. */
};

void view_init(struct view *, const struct store *, struct arena *);
void view_reset(struct view *);                        /* As the store is now; rows handed out are gone. */
void view_destroy(struct view *);

/* The row, or NULL. */
struct view_row *view_get(struct view *, const struct ovsdb_table_desc *, const struct uuid *);
/* All rows of a table (in the arena), by UUID. */
struct view_row **view_rows(struct view *, const struct ovsdb_table_desc *, size_t *n);
/* The first row, in order of UUIDs, or NULL: for tables of one row. */
struct view_row *view_first(struct view *, const struct ovsdb_table_desc *);
/* The rows whose COLUMN (text) is VALUE. *n of them. */
struct view_row **view_find_str(struct view *, const struct ovsdb_table_desc *, uint16_t column, const char *value, size_t *n);
/* The first row whose COLUMN (of UUIDs) has UUID; of a column that was not asked for, what this line added to it. */
struct view_row *view_referrer(struct view *, const struct ovsdb_table_desc *, uint16_t column, const struct uuid *);
/* Sorts rows by a column of texts, then by UUID. */
void view_sort_by_str(struct view_row **, size_t n, uint16_t column);

const struct datum *view_datum(struct view_row *, uint16_t column);
const char *view_str(struct view_row *, uint16_t column);              /* NULL: empty. */
int64_t view_int(struct view_row *, uint16_t column, int64_t default_);
bool view_bool(struct view_row *, uint16_t column, bool default_);
const char *view_map_str(struct view_row *, uint16_t column, const char *key);        /* NULL: no such key. */

struct view_row *view_insert(struct view *, const struct ovsdb_table_desc *, const struct uuid *);    /* NULL: a random UUID. */
void view_delete(struct view_row *);
void view_set(struct view_row *, uint16_t column, struct datum);
void view_set_str(struct view_row *, uint16_t column, const char *);
void view_add(struct view_row *, uint16_t column, struct datum);       /* Keys of maps that are there stay as they are. */
void view_remove(struct view_row *, uint16_t column, struct datum);    /* Elements (of maps: with these values). */
void view_remove_keys(struct view_row *, uint16_t column, struct datum);
void view_put(struct view_row *, uint16_t column, struct datum);       /* Pairs of a map, replacing those with their keys. */
void view_add_ref(struct view_row *, uint16_t column, const struct view_row *to);
void view_remove_ref(struct view_row *, uint16_t column, const struct view_row *to);

/* The transaction happens only if COLUMN still has what the store shows (new rows: nothing to verify). */
void view_verify(struct view_row *, uint16_t column);
/* ... only if there is no row in TABLE whose COLUMN is VALUE. */
void view_verify_absent(struct view *, const struct ovsdb_table_desc *, uint16_t column, const char *value);

/* Whether anything would be different in the database. */
bool view_is_changed(const struct view *);
/* The changes as operations of TXN. */
void view_commit(struct view *, struct ovsdb_txn *);

#endif

/* source.h - one database that ovn-detrace asks: which rows there are, by the beginning of their UUIDs, and then the rows that matter.
 *
 * A cookie is the first 32 bits of a UUID, and the server has no look-up by part of a UUID. So the UUIDs alone of all tables concerned are read, in one
 * transaction, when the first is looked up, and kept sorted; whole rows are read by UUID. That costs the server some 100 us a row, a row of a whole table 15: so a
 * table of which a good part was asked for is read as a whole, and kept. Everything waits for the answer: the program has nothing else to do. */
#ifndef CLI_DETRACE_SOURCE_H
#define CLI_DETRACE_SOURCE_H 1

#include "cli/common/selects.h"

struct source {
    struct loop *loop;
    struct ovsdb *db;
    const char *remotes;
    struct store store;                /* Rows that were read; source_forget(). */
    struct store kept;                 /* Tables that were read as a whole. */
    struct source_table {
        size_t n, n_read;              /* Rows that the index has; that were read by UUID. */
        bool whole;
    } *tables;                         /* By index. */
    char *error;                       /* NULL, or why there is nothing (more) to read. */
    struct source_uuid {
        const struct ovsdb_table_desc *table;
        struct uuid uuid;
    } *index;                          /* Sorted by UUID. */
    size_t n_index, cap_index;
    bool indexed;
    struct source_uuid *wanted;        /* For the next source_fetch(). */
    size_t n_wanted, cap_wanted;
};

/* REMOTES must stay. Nothing is connected before it is needed. */
void source_init(struct source *, struct loop *, const struct ovsdb_db_desc *, const char *remotes, bool leader_only);
void source_destroy(struct source *);

/* Connects. False: it cannot be reached; see error. */
bool source_connect(struct source *);
/* Reads the UUIDs of TABLES, once. False: see error. */
bool source_index(struct source *, size_t n, const struct ovsdb_table_desc *const tables[]);
/* The rows whose UUIDs begin with FIRST: *n of them. */
const struct source_uuid *source_find(const struct source *, uint32_t first, size_t *n);

/* This row is wanted, unless it is here. */
void source_want(struct source *, const struct ovsdb_table_desc *, const struct uuid *);
/* Reads what is wanted, the columns that COLUMNS says of each table. False: see error. */
bool source_fetch(struct source *, uint64_t (*columns)(const struct ovsdb_table_desc *));
/* All rows of a table. */
bool source_fetch_all(struct source *, size_t n, const struct ovsdb_table_desc *const tables[], uint64_t (*columns)(const struct ovsdb_table_desc *));
/* The rows of a table whose COLUMN, of texts, is VALUE, in addition to those in the store. */
bool source_fetch_equal(struct source *, const struct ovsdb_table_desc *, uint64_t columns, uint16_t column, const char *value);
void source_forget(struct source *);

/* The cells of a row by column, or NULL if it is not there. */
const struct datum *source_row(const struct source *, const struct ovsdb_table_desc *, const struct uuid *);
/* Values of a row: "" and 0 if there is none; NULL if there is no such key. */
const char *source_str(const struct datum *cells, uint16_t column);
int64_t source_int(const struct datum *cells, uint16_t column);
const char *source_map(const struct datum *cells, uint16_t column, const char *key);

#endif

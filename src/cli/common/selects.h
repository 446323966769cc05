/* selects.h - several "select" operations (RFC 7047 5.2.2) in one transaction, and their rows into a store.
 *
 *     struct selects s;
 *     selects_init(&s, db);
 *     selects_put(&s, table, columns, clause);  ...
 *     ovsdb_txn_commit(selects_txn(&s), cb, ...);             ... and in cb:
 *     if (!selects_take(&s, &store, result)) ...
 *     selects_destroy(&s); */
#ifndef CLI_COMMON_SELECTS_H
#define CLI_COMMON_SELECTS_H 1

#include "cli/common/store.h"
#include "ovsdb/ovsdb.h"

struct selects {
    struct ovsdb *db;
    struct ovsdb_txn *txn;             /* NULL: sent. */
    struct selected { const struct ovsdb_table_desc *t; uint64_t columns; } *asked;    /* By operation. */
    size_t n, cap;
};

void selects_init(struct selects *, struct ovsdb *);
void selects_destroy(struct selects *);
/* COLUMNS of the rows of a table for which CLAUSE, a condition in JSON, holds (NULL: of all). */
void selects_put(struct selects *, const struct ovsdb_table_desc *, uint64_t columns, const char *clause);
void selects_put_uuid(struct selects *, const struct ovsdb_table_desc *, uint64_t columns, const struct uuid *);
/* The transaction, which is the caller's to commit, now and once. */
struct ovsdb_txn *selects_txn(struct selects *);
/* The rows of a successful answer. False: it makes no sense. */
bool selects_take(const struct selects *, struct store *, const struct ovsdb_txn_result *) MUST_USE;

#endif

/* store.h - rows as the server answered them: what the commands of one line have fetched (fetch.c), and nothing more.
 *
 * A row has the columns that were asked for, as datums; a column that the server lacks has its default. Rows stay until
 * store_clear(): then everything is fetched anew. */
#ifndef CLI_COMMON_STORE_H
#define CLI_COMMON_STORE_H 1

#include "base/hmap.h"
#include "cli/common/datum.h"

struct stored_row {
    struct hmap_node node;             /* By UUID. */
    struct uuid uuid;
    uint64_t columns;                  /* Those that CELLS has. */
    struct datum *cells;               /* By column. */
};
struct store {
    struct arena arena;
    const struct ovsdb_db_desc *db;
    struct hmap *tables;               /* By index: stored_row. */
};

void store_init(struct store *, const struct ovsdb_db_desc *);
void store_clear(struct store *);
void store_destroy(struct store *);
struct stored_row *store_get(const struct store *, const struct ovsdb_table_desc *, const struct uuid *);      /* NULL: none. */
#define STORE_FOR_EACH(VAR, STORE, TABLE) HMAP_FOR_EACH (VAR, struct stored_row, node, &(STORE)->tables[(TABLE)->index])

/* Takes the rows that READER, whose current token begins the array "rows" of a select's result, has for COLUMNS of TABLE, and what they
 * have more. False: the text is not such an array. */
struct json_reader;
bool store_take(struct store *, const struct ovsdb_table_desc *, uint64_t columns, struct json_reader *) MUST_USE;

#endif

/* desc.c - look-ups in descriptions of databases (types.h), which the build generates from schema/.
 *
 * Linear: a database has tens of tables, a table at most some tens of columns. */
#include "ovsdb/types.h"

const struct ovsdb_table_desc *
ovsdb_table_find(const struct ovsdb_db_desc *db, const char *name)
{
    for (size_t i = 0; i < db->n_tables; i++) {
        if (!strcmp(db->tables[i].name, name)) {
            return &db->tables[i];
        }
    }
    return NULL;
}

const struct ovsdb_column_desc *
ovsdb_column_find(const struct ovsdb_table_desc *table, const char *name)
{
    for (size_t i = 0; i < table->n_columns; i++) {
        if (!strcmp(table->columns[i].name, name)) {
            return &table->columns[i];
        }
    }
    return NULL;
}

/* rows.h - what the generated accessors (schema/nb.h, sb.h, ovs.h, server.h) are made of.
 *
 * schema/generate writes for each table a row structure and, for each column, an accessor that records the read
 * (base/dep.h) and returns the value in its natural C type. A reader BY of NULL records nothing. A row never
 * filled in (zeroed memory: new, absent, or a column that the process does not keep) reads as empty. */
#ifndef SCHEMA_ROWS_H
#define SCHEMA_ROWS_H 1

#include "ovsdb/types.h"

/* BY reads the parts MASK of ROW. Reading does not change a row, only who is told when it changes: const goes. */
static inline void
ovsdb_row_read(const struct ovsdb_row *row, struct dep_reader *by, uint64_t mask)
{
    if (by) {
        dep_read(by, (struct dep_source *) (uintptr_t) &row->source, mask);
    }
}

/* What a reference leads to: ROW (NULL: no reference) if it is in the database, as far as BY can see now. */
static inline struct ovsdb_row *
ovsdb_row_follow(struct ovsdb_row *row, struct dep_reader *by)
{
    if (!row) {
        return NULL;
    }
    ovsdb_row_read(row, by, OVSDB_PRESENT);
    return row->present ? row : NULL;
}

/* The UUID in an atom of a column of UUIDs that refer to no table. */
static inline struct uuid
ovsdb_plain_uuid(const union ovsdb_atom *atom)
{
    struct uuid uuid = { { 0, 0, 0, 0 } };
    if (atom->s) {
        memcpy(&uuid, atom->s, sizeof uuid);
    }
    return uuid;
}

static inline struct uuid
ovsdb_ref_uuid(const union ovsdb_atom *atom)
{
    return atom->row ? atom->row->uuid : (struct uuid) { { 0, 0, 0, 0 } };
}

#endif

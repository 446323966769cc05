/* types.h - what a database is made of: descriptions (generated from schema/) and values.
 *
 * The generator (schema/) emits one `struct ovsdb_db_desc` a database, with its tables and columns, and
 * for each table a row structure that begins with `struct ovsdb_row` and has one member a column, of
 * the type that the column's *shape* says:
 *
 *   OVSDB_ONE  min 1 max 1            union ovsdb_atom
 *   OVSDB_OPT  min 0 max 1, no value  struct ovsdb_opt
 *   OVSDB_SET  anything else          struct ovsdb_set     (sorted, no duplicates)
 *   OVSDB_MAP  has a value            struct ovsdb_map     (sorted by key)
 *
 * An atom is 8 bytes. Texts are interned (base/intern.h). A reference is the row it points to, present or
 * not: the replica makes an absent row for a UUID it has not seen, so references and back references need no
 * second look-up. A UUID that refers to nothing (no refTable) is its 16 bytes, interned. */
#ifndef OVSDB_TYPES_H
#define OVSDB_TYPES_H 1

#include "base/dep.h"
#include "base/hash.h"
#include "base/hmap.h"
#include "base/intern.h"
#include "base/list.h"
#include "base/str.h"
#include "base/uuid.h"

enum ovsdb_type { OVSDB_INTEGER, OVSDB_REAL, OVSDB_BOOLEAN, OVSDB_STRING, OVSDB_UUID };
enum ovsdb_shape { OVSDB_ONE, OVSDB_OPT, OVSDB_SET, OVSDB_MAP };

struct ovsdb_row;

union ovsdb_atom {
    int64_t i;
    double d;
    bool b;
    const char *s;                     /* Interned; for OVSDB_UUID without `ref`: 16 interned bytes. */
    struct ovsdb_row *row;             /* For OVSDB_UUID with `ref`. */
};
struct ovsdb_opt {
    union ovsdb_atom v;
    bool has;
};
struct ovsdb_set {
    uint32_t n, cap;
    union ovsdb_atom *v;
};
struct ovsdb_pair {
    union ovsdb_atom k, v;
};
struct ovsdb_map {
    uint32_t n, cap;
    struct ovsdb_pair *v;
};

/* Order of sets and maps: integers and reals by value, texts by strcmp, UUIDs and references by UUID. */

struct ovsdb_base_desc {
    enum ovsdb_type type;
    const struct ovsdb_table_desc *ref;        /* Refers to this table, or NULL. */
    bool weak;
    int64_t min_integer, max_integer;          /* OVSDB_INTEGER; INT64_MIN/MAX: no limit. */
    const char *const *enum_strings;           /* NULL-terminated, or NULL. */
};
struct ovsdb_column_desc {
    const char *name;
    enum ovsdb_shape shape;
    struct ovsdb_base_desc key, value;         /* `value` only for maps. */
    uint32_t min, max;                         /* Elements; UINT32_MAX: unlimited. */
    bool ephemeral, mutable_;
    uint16_t offset;                           /* Of the member in the row structure. */
    uint16_t index;                            /* Of the column in its table: its bit in masks. */
    uint16_t referrer_bit;                     /* If key (or value) has `ref`: bit, in masks of rows of the
                                                * referenced table, of "rows that refer here by this column". */
};
struct ovsdb_table_desc {
    const char *name;
    const struct ovsdb_db_desc *db;
    const struct ovsdb_column_desc *columns;
    uint16_t n_columns;
    uint16_t index;                            /* Of the table in its database. */
    size_t row_size;
    bool is_root;
    uint32_t max_rows;
    const uint16_t *const *indexes;            /* Column indexes, each ended by UINT16_MAX; ended by NULL. */
};
struct ovsdb_db_desc {
    const char *name;                          /* "OVN_Northbound" */
    const char *version;
    const struct ovsdb_table_desc *tables;
    uint16_t n_tables;
};

/* The table or column of that exact name, or NULL (desc.c). */
const struct ovsdb_table_desc *ovsdb_table_find(const struct ovsdb_db_desc *, const char *name);
const struct ovsdb_column_desc *ovsdb_column_find(const struct ovsdb_table_desc *, const char *name);

/* Masks: a bit a column (by index), then a bit a column that refers to this table (referrer_bit), and bit 63: the
 * row's presence. The generator refuses a table with more. */
#define OVSDB_PRESENT (UINT64_C(1) << 63)
#define OVSDB_COLUMN(C) (UINT64_C(1) << (C))

/* The rows that refer to a row, by one column of one table (row.c). */
struct ovsdb_referrers;

struct ovsdb_row {
    struct hmap_node node;                     /* In its table, by UUID. */
    struct uuid uuid;
    struct ovsdb_table *table;
    struct dep_source source;                  /* Reads of this row, masks as above. */
    struct ovsdb_referrers *referrers;         /* A group a (table, column), unordered. */
    uint32_t n_referrers;                      /* In all groups. */
    uint16_t n_referrer_groups;
    bool present;                              /* In the database, as far as the replica knows. */
    bool collecting;                           /* On the list of rows that ovsdb_collect() looks at. */
    bool unmentioned;                          /* While a first content replaces everything: not seen in it yet. */
};

/* A row of a table that the process keeps as digests (ovsdb_use_digest()). DIGEST is what ovsdb_record_digest() says of a
 * record with the same content. A difference ("modify") cannot be applied to a digest: it makes the digest {0, 0}, which no content
 * has: "unknown, differs from everything". Whoever owns the table then deletes the row and inserts it anew
 * (an update that happens to write what the row has is no change, and the digest would stay unknown). */
struct ovsdb_digest_row {
    struct ovsdb_row row_;
    struct digest digest;
};

/* The member of ROW for COLUMN, by its shape. */
static inline const void *
ovsdb_row_cell(const struct ovsdb_row *row, const struct ovsdb_column_desc *c)
{
    return (const char *) row + c->offset;
}

/* What a map of strings (keys) has for KEY: a text (maps of strings to strings), or NULL. */
const char *ovsdb_map_get(const struct ovsdb_map *, const char *key);
bool ovsdb_map_get_bool(const struct ovsdb_map *, const char *key, bool default_);   /* "true"/"false" */
int64_t ovsdb_map_get_int(const struct ovsdb_map *, const char *key, int64_t default_);
bool ovsdb_set_has_str(const struct ovsdb_set *, const char *);
/* A set of references has the row with this UUID, present or not. */
bool ovsdb_set_has_ref(const struct ovsdb_set *, const struct ovsdb_base_desc *, const struct uuid *);
struct uuid ovsdb_atom_uuid(const union ovsdb_atom *, const struct ovsdb_base_desc *);
int ovsdb_atom_compare(const union ovsdb_atom *, const union ovsdb_atom *, const struct ovsdb_base_desc *);

#endif

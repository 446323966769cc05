/* rows.h - inside the replica: what its files (types, decode, row, index, replica, record) share.
 *
 * A column's content, whatever its shape, can be looked at as an array of atoms: N elements of STRIDE atoms
 * (1; 2 in a map: key, value), sorted by the first, without duplicates. Equal texts are one pointer, equal
 * references too, so two contents are equal iff their bytes are. */
#ifndef OVSDB_ROWS_H
#define OVSDB_ROWS_H 1

#include "json/json.h"
#include "ovsdb/replica.h"

/* ---- types.c ---- */

/* Where KEY is, or would be, among the N sorted elements. */
size_t ovsdb_atoms_find(const union ovsdb_atom *, size_t n, size_t stride, const union ovsdb_atom *key,
                        const struct ovsdb_base_desc *, bool *found);
typedef int ovsdb_compare_cb(const void *, const void *, const void *aux);
/* Stable; N elements of SIZE bytes. */
void ovsdb_sort(void *, size_t n, size_t size, ovsdb_compare_cb *, const void *aux);

static inline size_t
ovsdb_stride(const struct ovsdb_column_desc *c)
{
    return c->shape == OVSDB_MAP ? 2 : 1;
}

static inline const struct ovsdb_base_desc *
ovsdb_base(const struct ovsdb_column_desc *c, size_t i)
{
    return c->shape == OVSDB_MAP && i & 1 ? &c->value : &c->key;
}

static inline uint64_t
ovsdb_all_columns(const struct ovsdb_table_desc *t)
{
    return (UINT64_C(1) << t->n_columns) - 1;
}

/* The elements of COLUMN in ROW; *n of them. */
static inline const union ovsdb_atom *
ovsdb_row_atoms(const struct ovsdb_row *row, const struct ovsdb_column_desc *c, size_t *n)
{
    const void *cell = ovsdb_row_cell(row, c);

    switch (c->shape) {
    case OVSDB_ONE:
        *n = 1;
        return cell;
    case OVSDB_OPT:
        *n = ((const struct ovsdb_opt *) cell)->has;
        return &((const struct ovsdb_opt *) cell)->v;
    case OVSDB_SET:
        *n = ((const struct ovsdb_set *) cell)->n;
        return ((const struct ovsdb_set *) cell)->v;
    case OVSDB_MAP:
        break;
    }
    *n = ((const struct ovsdb_map *) cell)->n;
    return (const union ovsdb_atom *) (const void *) ((const struct ovsdb_map *) cell)->v;
}

/* ---- decode.c: RFC 7047 5.1 <value> ---- */

/* Takes one atom after the other (in a map: key, value, key, ...). Returns NULL, or what is wrong (a static text). */
struct ovsdb_sink {
    const char *(*atom)(struct ovsdb_sink *, const struct ovsdb_base_desc *, const struct json_reader *,
                        const struct uuid *);
};
/* Reads the value that READER stands on, up to its last token. The number of elements goes to *n and is
 * right for the shape (1; 0 or 1; any). Returns NULL, or what is wrong (a static text). */
const char *ovsdb_decode(struct json_reader *, const struct ovsdb_column_desc *, struct ovsdb_sink *, size_t *n) MUST_USE;

/* The sink of the replica: atoms as rows have them. Owns a reference to each text until they are given to a row. */
struct ovsdb_values {
    struct ovsdb_sink sink;
    struct ovsdb *db;
    union ovsdb_atom *a;
    size_t n, cap;                     /* Atoms. */
};
void ovsdb_values_init(struct ovsdb_values *, struct ovsdb *);
void ovsdb_values_destroy(struct ovsdb_values *);
/* Reads, sorts, and drops what is there twice. *n elements. */
const char *ovsdb_values_read(struct ovsdb_values *, struct json_reader *, const struct ovsdb_column_desc *, size_t *n) MUST_USE;

/* ---- row.c ---- */

/* The content of a mandatory text or UUID column that is at its default. Held by nobody: not counted. */
const char *ovsdb_blank_text(void);
const char *ovsdb_blank_uuid(void);
static inline void
ovsdb_atom_release(const union ovsdb_atom *a, const struct ovsdb_base_desc *base)
{
    if ((base->type == OVSDB_STRING && a->s != ovsdb_blank_text())
        || (base->type == OVSDB_UUID && !base->ref && a->s != ovsdb_blank_uuid())) {
        intern_unref(a->s);
    }
}

/* The row, made absent if there is none. */
struct ovsdb_row *ovsdb_row_make(struct ovsdb_table *, const struct uuid *);
struct ovsdb_row *ovsdb_row_find(const struct ovsdb_table *, const struct uuid *);
void ovsdb_row_free(struct ovsdb_row *);               /* Removes nothing from the rows it refers to. */
void ovsdb_row_garbage(struct ovsdb_row *);            /* ROW may be unneeded: let ovsdb_collect() look. */
/* COLUMN becomes the N elements at A, whose texts are taken over. Returns whether that changed it. */
bool ovsdb_cell_assign(struct ovsdb_row *, const struct ovsdb_column_desc *, union ovsdb_atom *a, size_t n);
/* Applies the N elements at A as a difference, ovsdb-server(7) 4.1.14. */
bool ovsdb_cell_difference(struct ovsdb_row *, const struct ovsdb_column_desc *, union ovsdb_atom *a, size_t n);

/* ---- index.c ---- */

/* ROW, present, is about to change in COLUMNS: takes it out of the indexes concerned. */
void ovsdb_indexes_leave(struct ovsdb_row *, uint64_t columns);
/* It has changed, or come (then it was in none): puts it back. Who read the keys it left or came to is notified. */
void ovsdb_indexes_enter(struct ovsdb_row *, bool came);
/* It went: after ovsdb_indexes_leave() of all columns. */
void ovsdb_indexes_gone(struct ovsdb_row *);
void ovsdb_indexes_collect(struct ovsdb_table *);
void ovsdb_indexes_destroy(struct ovsdb_table *);

/* ---- record.c ---- */

/* Reads the value of COLUMN that READER stands on. NULL, or what is wrong (a static text). */
const char *ovsdb_record_read(struct ovsdb_record *, uint16_t column, struct json_reader *) MUST_USE;

/* A collection goes on where the last one stopped, until it has met so many that must be kept: its cost follows what
 * is freed, and not what waits. */
enum { OVSDB_COLLECT_SCAN = 64 };

#endif

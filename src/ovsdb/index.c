/* index.c - rows by the values of some of their columns, with recorded reads of single keys.
 *
 * An index is a hash map of keys; a key has its rows, sorted by UUID, and is a source (base/dep.h). It lives
 * while it has rows or readers: a key without rows may be read too, and its reader hears when a first row comes.
 * Keys hold values of their own (a counted text, a UUID and not the row it names), so they outlive any row.
 *
 * Rows are appended and sorted in when somebody looks: a first content of 10,000 rows with one key costs one sort. */
#include "ovsdb/rows.h"

#include <stdlib.h>

enum { MAX_KEY_COLUMNS = 8 };

struct key_atom {
    union {
        int64_t i;
        double d;
        const char *s;                 /* In a key: interned and counted. */
        struct uuid u;
    };
};

struct index_key {
    struct hmap_node node;
    struct dep_source source;
    uint32_t n, cap;                   /* CAP 0: the one row is in `one`. */
    uint32_t n_sorted;                 /* So many of the first rows are sorted. */
    bool idle;                         /* On the index's list of keys to be freed once nobody reads them. */
    union {
        struct ovsdb_row *one;
        struct ovsdb_row **rows;
    };
    struct key_atom atoms[];
};

struct ovsdb_index {
    struct list node;                  /* In its table. */
    struct ovsdb_table *table;
    uint64_t columns;
    int n_columns;
    const struct ovsdb_column_desc *column[MAX_KEY_COLUMNS];
    struct hmap keys;
    struct index_key **idle;
    size_t n_idle, cap_idle, scan_idle;
    /* While a row changes: */
    bool left;                         /* It was taken out of this index... */
    struct index_key *from;            /* ...where it had this key (NULL: none). */
};

static struct ovsdb_row *const *
key_rows(const struct index_key *k)
{
    return k->cap ? k->rows : &k->one;
}

/* ---- the rows of a key ---- */

static int
compare_rows(const void *a, const void *b, const void *aux)
{
    return uuid_compare(&(*(struct ovsdb_row *const *) a)->uuid, &(*(struct ovsdb_row *const *) b)->uuid);
}

/* Where ROW is, or would be, among the sorted. */
static uint32_t
key_position(const struct index_key *k, const struct ovsdb_row *row)
{
    struct ovsdb_row *const *rows = key_rows(k);
    uint32_t lo = 0, hi = k->n_sorted;

    while (lo < hi) {
        uint32_t mid = lo + (hi - lo) / 2;
        if (uuid_compare(&rows[mid]->uuid, &row->uuid) < 0) {
            lo = mid + 1;
        } else {
            hi = mid;
        }
    }
    return lo;
}

static void
key_sort(struct index_key *k)
{
    enum { FEW = 16 };

    if (k->n - k->n_sorted > FEW) {
        ovsdb_sort(k->rows, k->n, sizeof *k->rows, compare_rows, NULL);
        k->n_sorted = k->n;
    }
    while (k->n_sorted < k->n) {
        struct ovsdb_row *row = k->rows[k->n_sorted];
        uint32_t at = key_position(k, row);
        memmove(&k->rows[at + 1], &k->rows[at], (k->n_sorted - at) * sizeof *k->rows);
        k->rows[at] = row;
        k->n_sorted++;
    }
}

static void
key_add(struct index_key *k, struct ovsdb_row *row)
{
    if (!k->n && !k->cap) {
        k->one = row;
    } else {
        if (k->n >= k->cap) {
            uint32_t cap = k->cap ? k->cap + k->cap / 2 : 4;
            struct ovsdb_row **rows = xrealloc(k->cap ? k->rows : NULL, cap * sizeof *rows);
            if (!k->cap) {
                rows[0] = k->one;
            }
            k->rows = rows;
            k->cap = cap;
        }
        k->rows[k->n] = row;
    }
    if (k->n == k->n_sorted && (!k->n || uuid_compare(&key_rows(k)[k->n - 1]->uuid, &row->uuid) < 0)) {
        k->n_sorted++;
    }
    k->n++;
}

static void
key_remove(struct index_key *k, struct ovsdb_row *row)
{
    if (k->cap) {
        key_sort(k);
        uint32_t at = key_position(k, row);
        REQUIRE(at < k->n && k->rows[at] == row);
        memmove(&k->rows[at], &k->rows[at + 1], (k->n - at - 1) * sizeof *k->rows);
    }
    k->n--;
    k->n_sorted = k->n;
    if (!k->n && k->cap) {
        free(k->rows);
        k->cap = 0;
    }
}

/* ---- keys ---- */

static uint32_t
hash_atom(const struct key_atom *a, enum ovsdb_type type, uint32_t text_hash, uint32_t h)
{
    return type == OVSDB_STRING ? hash_u64(text_hash, h)
           : type == OVSDB_UUID ? hash_u64((uint64_t) a->u.parts[0] << 32 | a->u.parts[3], h)
                                : hash_u64(a->i, h);
}

/* The key of N columns' values; texts not counted. False: a column has no value, so the row has no key. */
static bool
key_of_row(const struct ovsdb_index *index, const struct ovsdb_row *row, struct key_atom key[], uint32_t *hash)
{
    *hash = 0;
    for (int i = 0; i < index->n_columns; i++) {
        const struct ovsdb_column_desc *c = index->column[i];
        size_t n;
        const union ovsdb_atom *a = ovsdb_row_atoms(row, c, &n);
        if (!n) {
            return false;
        }
        key[i] = (struct key_atom) { .i = a->i };
        if (c->key.type == OVSDB_UUID) {
            key[i].u = ovsdb_atom_uuid(a, &c->key);
        }
        *hash = hash_atom(&key[i], c->key.type, c->key.type == OVSDB_STRING ? intern_hash(a->s) : 0, *hash);
    }
    return true;
}

static void
key_of_atoms(const struct ovsdb_index *index, const union ovsdb_atom atoms[], struct key_atom key[], uint32_t *hash)
{
    *hash = 0;
    for (int i = 0; i < index->n_columns; i++) {
        const struct ovsdb_base_desc *base = &index->column[i]->key;
        const union ovsdb_atom *a = &atoms[i];
        key[i] = (struct key_atom) { .i = a->i };
        if (base->type == OVSDB_UUID) {
            key[i].u = ovsdb_atom_uuid(a, base);
        } else if (base->type == OVSDB_BOOLEAN) {
            key[i].i = a->b;
        } else if (base->type == OVSDB_REAL) {
            key[i].d = a->d + 0.0;
        }
        *hash = hash_atom(&key[i], base->type, base->type == OVSDB_STRING ? hash_string(a->s, 0) : 0, *hash);
    }
}

static struct index_key *
key_find(const struct ovsdb_index *index, const struct key_atom key[], uint32_t hash)
{
    HMAP_FOR_EACH_HASH(k, struct index_key, node, hash, &index->keys) {
        int i;
        for (i = 0; i < index->n_columns; i++) {
            const struct key_atom *a = &k->atoms[i];
            enum ovsdb_type type = index->column[i]->key.type;
            if (type == OVSDB_STRING   ? a->s != key[i].s && !str_eq(a->s, key[i].s)
                : type == OVSDB_UUID ? !uuid_equal(&a->u, &key[i].u)
                                     : a->i != key[i].i) {
                break;
            }
        }
        if (i == index->n_columns) {
            return k;
        }
    }
    return NULL;
}

static struct index_key *
key_make(struct ovsdb_index *index, const struct key_atom key[], uint32_t hash)
{
    struct index_key *k = key_find(index, key, hash);
    if (!k) {
        size_t size = index->n_columns * sizeof key[0];
        k = xcalloc(1, sizeof *k + size);
        memcpy(k->atoms, key, size);
        for (int i = 0; i < index->n_columns; i++) {
            if (index->column[i]->key.type == OVSDB_STRING) {
                k->atoms[i].s = intern_str(key[i].s);
            }
        }
        hmap_insert(&index->keys, &k->node, hash);
    }
    return k;
}

static void
key_free(struct ovsdb_index *index, struct index_key *k)
{
    for (int i = 0; i < index->n_columns; i++) {
        if (index->column[i]->key.type == OVSDB_STRING) {
            intern_unref(k->atoms[i].s);
        }
    }
    if (k->cap) {
        free(k->rows);
    }
    hmap_remove(&index->keys, &k->node);
    free(k);
}

/* K has no rows (any more): frees it if nobody reads it, else lets a later collection look. */
static void
key_rest(struct ovsdb_index *index, struct index_key *k)
{
    if (k->n || k->idle) {
    } else if (!dep_source_has_readers(&k->source)) {
        key_free(index, k);
    } else {
        k->idle = true;
        GROW(index->idle, index->cap_idle, index->n_idle + 1);
        index->idle[index->n_idle++] = k;
    }
}

void
ovsdb_indexes_collect(struct ovsdb_table *t)
{
    LIST_FOR_EACH(index, struct ovsdb_index, node, &t->indexes) {
        for (size_t kept = 0; kept < OVSDB_COLLECT_SCAN && kept < index->n_idle;) {
            if (!index->scan_idle || index->scan_idle > index->n_idle) {
                index->scan_idle = index->n_idle;
            }
            struct index_key *k = index->idle[--index->scan_idle];
            if (k->n || !dep_source_has_readers(&k->source)) {
                index->idle[index->scan_idle] = index->idle[--index->n_idle];
                k->idle = false;
                key_rest(index, k);
            } else {
                kept++;
            }
        }
    }
}

/* ---- changes ---- */

void
ovsdb_indexes_leave(struct ovsdb_row *row, uint64_t columns)
{
    LIST_FOR_EACH(index, struct ovsdb_index, node, &row->table->indexes) {
        if (!index->left && index->columns & columns) {
            struct key_atom key[MAX_KEY_COLUMNS];
            uint32_t hash;
            index->left = true;
            index->from = NULL;
            if (key_of_row(index, row, key, &hash)) {
                index->from = key_find(index, key, hash);
                REQUIRE(index->from);
                key_remove(index->from, row);
            }
        }
    }
}

static void
index_enter(struct ovsdb_index *index, struct ovsdb_row *row)
{
    struct key_atom key[MAX_KEY_COLUMNS];
    uint32_t hash;
    struct index_key *from = index->from, *to = NULL;

    index->left = false;
    index->from = NULL;
    if (row->present && key_of_row(index, row, key, &hash)) {
        to = key_make(index, key, hash);
        key_add(to, row);
    }
    if (from != to) {
        if (to) {
            dep_changed(&to->source, DEP_ALL);
        }
        if (from) {
            dep_changed(&from->source, DEP_ALL);
            key_rest(index, from);
        }
    }
}

void
ovsdb_indexes_enter(struct ovsdb_row *row, bool came)
{
    LIST_FOR_EACH(index, struct ovsdb_index, node, &row->table->indexes) {
        if (came || index->left) {
            index_enter(index, row);
        }
    }
}

void
ovsdb_indexes_gone(struct ovsdb_row *row)
{
    ovsdb_indexes_enter(row, false);
}

void
ovsdb_indexes_destroy(struct ovsdb_table *t)
{
    LIST_FOR_EACH_SAFE(index, struct ovsdb_index, node, &t->indexes) {
        HMAP_FOR_EACH_SAFE(k, struct index_key, node, &index->keys) {
            dep_source_destroy(&k->source);
            key_free(index, k);
        }
        hmap_destroy(&index->keys);
        free(index->idle);
        list_remove(&index->node);
        free(index);
    }
}

/* ---- for everybody ---- */

struct ovsdb_index *
ovsdb_index_create(struct ovsdb *db, const struct ovsdb_table_desc *desc, int n_columns, const uint16_t columns[])
{
    struct ovsdb_table *t = ovsdb_table(db, desc);
    struct ovsdb_index *index = XNEW(struct ovsdb_index);

    REQUIRE(n_columns > 0 && n_columns <= MAX_KEY_COLUMNS && !t->digest);
    index->table = t;
    index->n_columns = n_columns;
    for (int i = 0; i < n_columns; i++) {
        REQUIRE(columns[i] < desc->n_columns);
        index->column[i] = &desc->columns[columns[i]];
        index->columns |= OVSDB_COLUMN(columns[i]);
        REQUIRE(index->column[i]->shape == OVSDB_ONE || index->column[i]->shape == OVSDB_OPT);
    }
    LIST_FOR_EACH(other, struct ovsdb_index, node, &t->indexes) {
        if (other->n_columns == n_columns && !memcmp(other->column, index->column, sizeof index->column)) {
            free(index);
            return other;
        }
    }
    hmap_init(&index->keys);
    list_push_back(&t->indexes, &index->node);
    t->indexed |= index->columns;
    ovsdb_use(db, desc, index->columns);       /* What is not there is not found. */
    OVSDB_FOR_EACH(row, t, NULL) {
        index_enter(index, row);
    }
    return index;
}

size_t
ovsdb_index_find(struct ovsdb_index *index, struct dep_reader *by, const union ovsdb_atom atoms[],
                 struct ovsdb_row *const **rows)
{
    struct key_atom key[MAX_KEY_COLUMNS];
    uint32_t hash;

    key_of_atoms(index, atoms, key, &hash);
    struct index_key *k = key_find(index, key, hash);
    if (!k && by) {
        k = key_make(index, key, hash);
    }
    *rows = NULL;
    if (!k) {
        return 0;
    }
    dep_read(by, &k->source, DEP_ALL);
    key_rest(index, k);
    if (!k->n) {
        return 0;
    }
    if (k->cap) {
        key_sort(k);
    }
    *rows = key_rows(k);
    return k->n;
}

struct ovsdb_row *
ovsdb_index_get(struct ovsdb_index *index, struct dep_reader *by, const union ovsdb_atom key[])
{
    struct ovsdb_row *const *rows;
    return ovsdb_index_find(index, by, key, &rows) ? rows[0] : NULL;
}

struct ovsdb_row *
ovsdb_index_get_str(struct ovsdb_index *index, struct dep_reader *by, const char *key)
{
    return ovsdb_index_get(index, by, &(union ovsdb_atom) { .s = key });
}

struct ovsdb_row *
ovsdb_index_get_int(struct ovsdb_index *index, struct dep_reader *by, int64_t key)
{
    return ovsdb_index_get(index, by, &(union ovsdb_atom) { .i = key });
}

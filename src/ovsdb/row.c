/* row.c - rows and their cells: making, changing, freeing; and who refers to whom.
 *
 * A cell owns a counted reference to each of its texts, and for each reference to a row there is an entry in that
 * row's *referrers*. These are kept in groups, a group for each column of each table that refers, so that following
 * one relation back never meets the others. A group is a hash set of row pointers (open addressing, linear probing,
 * no tombstones), or just the one pointer while it is alone: a datapath may have 100,000 referrers of which any may go.
 * A row that refers twice by one column (two keys of a map) is twice in the set, and shown once.
 *
 * Cells are changed in two ways, by a new content or by a difference. In both, what comes is entered before what
 * goes is removed, so what stays is never seen to go, and its readers are not bothered. */
#include "ovsdb/rows.h"

#include <stdlib.h>

struct ovsdb_referrers {
    uint16_t table, column;            /* Of the rows that refer. */
    uint32_t n, cap;                   /* CAP 0: N is 1, in `one`. */
    union {
        struct ovsdb_row *one;
        struct ovsdb_row **slots;      /* CAP, a power of 2; NULL is free. */
    };
};

/* ---- defaults ---- */

const char *
ovsdb_blank_text(void)
{
    static const char *blank;
    return __builtin_expect(!blank, 0) ? blank = intern("", 0) : blank;
}

const char *
ovsdb_blank_uuid(void)
{
    static const char *blank;
    return __builtin_expect(!blank, 0) ? blank = intern((const char[16]) { 0 }, 16) : blank;
}

static union ovsdb_atom
blank_atom(const struct ovsdb_base_desc *base)
{
    return base->type == OVSDB_STRING ? (union ovsdb_atom) { .s = ovsdb_blank_text() }
           : base->type == OVSDB_UUID && !base->ref ? (union ovsdb_atom) { .s = ovsdb_blank_uuid() }
                                                    : (union ovsdb_atom) { .i = 0 };
}

static void
make_blank(struct ovsdb_table *t)
{
    t->row_size = t->digest ? sizeof(struct ovsdb_digest_row) : t->desc->row_size;
    t->blank = xcalloc(1, t->row_size);
    t->blank->table = t;
    for (size_t i = 0; !t->digest && i < t->desc->n_columns; i++) {
        const struct ovsdb_column_desc *c = &t->desc->columns[i];
        if (c->shape == OVSDB_ONE) {
            *(union ovsdb_atom *) ovsdb_row_cell(t->blank, c) = blank_atom(&c->key);
        }
    }
}

/* ---- rows ---- */

struct ovsdb_row *
ovsdb_row_find(const struct ovsdb_table *t, const struct uuid *uuid)
{
    HMAP_FOR_EACH_HASH(row, struct ovsdb_row, node, uuid_hash(uuid), &t->rows) {
        if (uuid_equal(&row->uuid, uuid)) {
            return row;
        }
    }
    return NULL;
}

struct ovsdb_row *
ovsdb_row_make(struct ovsdb_table *t, const struct uuid *uuid)
{
    struct ovsdb_row *row = ovsdb_row_find(t, uuid);
    if (!row) {
        if (!t->blank) {
            make_blank(t);
        }
        row = xmemdup(t->blank, t->row_size);
        row->uuid = *uuid;
        hmap_insert(&t->rows, &row->node, uuid_hash(uuid));
        ovsdb_row_garbage(row);
    }
    return row;
}

void
ovsdb_row_garbage(struct ovsdb_row *row)
{
    struct ovsdb *db = row->table->db;

    if (!row->collecting) {
        row->collecting = true;
        GROW(db->garbage, db->cap_garbage, db->n_garbage + 1);
        db->garbage[db->n_garbage++] = row;
    }
}

void
ovsdb_row_free(struct ovsdb_row *row)
{
    struct ovsdb_table *t = row->table;

    for (size_t i = 0; !t->digest && i < t->desc->n_columns; i++) {
        const struct ovsdb_column_desc *c = &t->desc->columns[i];
        size_t n;
        const union ovsdb_atom *a = ovsdb_row_atoms(row, c, &n);
        for (size_t k = 0; k < n * ovsdb_stride(c); k++) {
            ovsdb_atom_release(&a[k], ovsdb_base(c, k));
        }
        if (c->shape == OVSDB_SET || c->shape == OVSDB_MAP) {
            free((void *) (uintptr_t) a);
        }
    }
    for (size_t i = 0; i < row->n_referrer_groups; i++) {
        if (row->referrers[i].cap) {
            free(row->referrers[i].slots);
        }
    }
    free(row->referrers);
    hmap_remove(&t->rows, &row->node);
    free(row);
}

/* ---- referrers ---- */

static struct ovsdb_referrers *
referrers_of(const struct ovsdb_row *row, uint16_t table, uint16_t column)
{
    for (size_t i = 0; i < row->n_referrer_groups; i++) {
        if (row->referrers[i].table == table && row->referrers[i].column == column) {
            return &row->referrers[i];
        }
    }
    return NULL;
}

static void
slots_put(struct ovsdb_referrers *g, struct ovsdb_row *from)
{
    uint32_t i = hash_pointer(from, 0) & (g->cap - 1);
    while (g->slots[i]) {
        i = (i + 1) & (g->cap - 1);
    }
    g->slots[i] = from;
}

static void
slots_resize(struct ovsdb_referrers *g, uint32_t cap)
{
    struct ovsdb_row **old = g->slots;
    uint32_t old_cap = g->cap;

    g->slots = xcalloc(cap, sizeof *g->slots);
    g->cap = cap;
    for (uint32_t i = 0; i < old_cap; i++) {
        if (old[i]) {
            slots_put(g, old[i]);
        }
    }
    if (old_cap) {
        free(old);
    }
}

/* The first slot with FROM, or UINT32_MAX. */
static uint32_t
slots_find(const struct ovsdb_referrers *g, const struct ovsdb_row *from)
{
    uint32_t i = hash_pointer(from, 0) & (g->cap - 1);
    for (; g->slots[i]; i = (i + 1) & (g->cap - 1)) {
        if (g->slots[i] == from) {
            return i;
        }
    }
    return UINT32_MAX;
}

static void
slots_remove(struct ovsdb_referrers *g, uint32_t hole)
{
    uint32_t mask = g->cap - 1;

    for (uint32_t i = (hole + 1) & mask; g->slots[i]; i = (i + 1) & mask) {
        uint32_t home = hash_pointer(g->slots[i], 0) & mask;
        if (((i - home) & mask) >= ((i - hole) & mask)) {
            g->slots[hole] = g->slots[i];
            hole = i;
        }
    }
    g->slots[hole] = NULL;
}

static bool
group_has(const struct ovsdb_referrers *g, const struct ovsdb_row *from)
{
    return g->cap ? slots_find(g, from) != UINT32_MAX : g->one == from;
}

/* FROM refers to TO by C. */
static void
edge_add(struct ovsdb_row *from, const struct ovsdb_column_desc *c, struct ovsdb_row *to)
{
    struct ovsdb_referrers *g = referrers_of(to, from->table->desc->index, c->index);
    bool had = false;

    to->n_referrers++;
    if (!g) {
        to->referrers = xrealloc(to->referrers, (to->n_referrer_groups + 1) * sizeof *g);
        to->referrers[to->n_referrer_groups++] = (struct ovsdb_referrers) {
            .table = from->table->desc->index, .column = c->index, .n = 1, .one = from,
        };
    } else {
        had = dep_source_has_readers(&to->source) && group_has(g, from);
        if (!g->cap) {
            struct ovsdb_row *one = g->one;
            g->slots = NULL;
            slots_resize(g, 4);
            slots_put(g, one);
        } else if (g->n + 1 > g->cap / 4 * 3) {
            slots_resize(g, g->cap * 2);
        }
        g->n++;
        slots_put(g, from);
    }
    if (!had) {
        dep_changed(&to->source, OVSDB_COLUMN(c->referrer_bit));
    }
}

static void
edge_remove(struct ovsdb_row *from, const struct ovsdb_column_desc *c, struct ovsdb_row *to)
{
    struct ovsdb_referrers *g = referrers_of(to, from->table->desc->index, c->index);
    bool has = false;

    uint32_t at = !g ? UINT32_MAX : g->cap ? slots_find(g, from) : g->one == from ? 0 : UINT32_MAX;
    REQUIRE(at != UINT32_MAX);
    to->n_referrers--;
    g->n--;
    if (g->cap) {
        slots_remove(g, at);
        has = dep_source_has_readers(&to->source) && group_has(g, from);
        if (g->cap > 4 && g->n < g->cap / 8) {
            slots_resize(g, g->cap / 2);
        }
    }
    if (!g->n) {
        if (g->cap) {
            free(g->slots);
        }
        *g = to->referrers[--to->n_referrer_groups];
        if (!to->n_referrer_groups) {
            free(to->referrers);
            to->referrers = NULL;
        }
    }
    if (!has) {
        dep_changed(&to->source, OVSDB_COLUMN(c->referrer_bit));
    }
    if (!to->present && !to->n_referrers) {
        ovsdb_row_garbage(to);
    }
}

struct ovsdb_row *
ovsdb_referrer_first(struct ovsdb_referrer_iter *iter, struct ovsdb_row *row, const struct ovsdb_table_desc *from,
                     uint16_t column, struct dep_reader *by)
{
    REQUIRE(column < from->n_columns);
    *iter = (struct ovsdb_referrer_iter) { .row = row, .column = &from->columns[column], .from = from };
    if (!row) {
        return NULL;
    }
    dep_read(by, &row->source, OVSDB_COLUMN(iter->column->referrer_bit));
    return ovsdb_referrer_next(iter);
}

size_t
ovsdb_referrer_count(struct ovsdb_row *row, const struct ovsdb_table_desc *from, uint16_t column, struct dep_reader *by)
{
    REQUIRE(column < from->n_columns);
    dep_read(by, &row->source, OVSDB_COLUMN(from->columns[column].referrer_bit));
    const struct ovsdb_referrers *g = referrers_of(row, from->index, column);
    return g ? g->n : 0;
}

struct ovsdb_row *
ovsdb_referrer_next(struct ovsdb_referrer_iter *iter)
{
    const struct ovsdb_referrers *g = referrers_of(iter->row, iter->from->index, iter->column->index);

    if (!g) {
        return NULL;
    } else if (!g->cap) {
        return iter->i++ ? NULL : g->one;
    }
    while (iter->i < g->cap) {
        uint32_t i = iter->i++;
        if (g->slots[i] && slots_find(g, g->slots[i]) == i) {
            return g->slots[i];
        }
    }
    return NULL;
}

/* ---- cells ---- */

/* The references in one element at A are entered. */
static void
element_enter(struct ovsdb_row *row, const struct ovsdb_column_desc *c, const union ovsdb_atom *a)
{
    for (size_t k = 0; k < ovsdb_stride(c); k++) {
        if (ovsdb_base(c, k)->ref && a[k].row) {
            edge_add(row, c, a[k].row);
        }
    }
}

/* The references in one element at A are removed and its texts released. */
static void
element_leave(struct ovsdb_row *row, const struct ovsdb_column_desc *c, const union ovsdb_atom *a)
{
    for (size_t k = 0; k < ovsdb_stride(c); k++) {
        if (ovsdb_base(c, k)->ref) {
            if (a[k].row) {
                edge_remove(row, c, a[k].row);
            }
        } else {
            ovsdb_atom_release(&a[k], ovsdb_base(c, k));
        }
    }
}

/* One element that came in a message and is not kept. */
static void
element_drop(const struct ovsdb_column_desc *c, const union ovsdb_atom *a)
{
    for (size_t k = 0; k < ovsdb_stride(c); k++) {
        ovsdb_atom_release(&a[k], ovsdb_base(c, k));
    }
}

/* Sets and maps have one layout. */
static struct ovsdb_set *
cell_set(struct ovsdb_row *row, const struct ovsdb_column_desc *c)
{
    _Static_assert(offsetof(struct ovsdb_set, v) == offsetof(struct ovsdb_map, v)
                   && sizeof(struct ovsdb_pair) == 2 * sizeof(union ovsdb_atom), "sets and maps differ");
    return (struct ovsdb_set *) ovsdb_row_cell(row, c);
}

static void
cell_store(struct ovsdb_row *row, const struct ovsdb_column_desc *c, const union ovsdb_atom *a, size_t n)
{
    size_t size = n * ovsdb_stride(c) * sizeof *a;

    if (c->shape == OVSDB_ONE) {
        *(union ovsdb_atom *) ovsdb_row_cell(row, c) = n ? a[0] : blank_atom(&c->key);
    } else if (c->shape == OVSDB_OPT) {
        *(struct ovsdb_opt *) ovsdb_row_cell(row, c) = (struct ovsdb_opt) {
            .v = n ? a[0] : (union ovsdb_atom) { .i = 0 }, .has = n,
        };
    } else {
        struct ovsdb_set *set = cell_set(row, c);
        if (n > set->cap || n < set->cap / 2) {
            free(set->v);
            *set = (struct ovsdb_set) { .cap = n, .v = n ? xmalloc(size) : NULL };
        }
        set->n = n;
        if (n) {
            memcpy(set->v, a, size);
        }
    }
}

bool
ovsdb_cell_assign(struct ovsdb_row *row, const struct ovsdb_column_desc *c, union ovsdb_atom *a, size_t n)
{
    size_t n_old, stride = ovsdb_stride(c);
    const union ovsdb_atom *old = ovsdb_row_atoms(row, c, &n_old);
    union ovsdb_atom blank;

    if (!n && c->shape == OVSDB_ONE) {
        blank = blank_atom(&c->key);
        a = &blank;
        n = 1;
    }
    if (n == n_old && (!n || !memcmp(a, old, n * stride * sizeof *a))) {
        for (size_t i = 0; i < n; i++) {
            element_drop(c, &a[i * stride]);
        }
        return false;
    }
    for (size_t i = 0; i < n; i++) {
        element_enter(row, c, &a[i * stride]);
    }
    for (size_t i = 0; i < n_old; i++) {
        element_leave(row, c, &old[i * stride]);
    }
    cell_store(row, c, a, n);
    return true;
}

/* ELEMENT is in one of old and new, or has another value now. */
static void
set_toggle(struct ovsdb_row *row, const struct ovsdb_column_desc *c, struct ovsdb_set *set, const union ovsdb_atom *e)
{
    size_t stride = ovsdb_stride(c), size = stride * sizeof *e;
    bool found;
    size_t i = ovsdb_atoms_find(set->v, set->n, stride, e, &c->key, &found);
    union ovsdb_atom *at = set->v ? &set->v[i * stride] : NULL;

    if (found && (stride == 1 || at[1].i == e[1].i)) {
        element_leave(row, c, at);
        element_drop(c, e);
        memmove(at, at + stride, (--set->n - i) * size);
        if (!set->n) {
            free(set->v);
            *set = (struct ovsdb_set) { .n = 0 };
        }
    } else if (found) {
        element_enter(row, c, e);
        element_leave(row, c, at);
        memcpy(at, e, size);
    } else {
        element_enter(row, c, e);
        if (set->n >= set->cap) {
            set->cap = set->cap < 4 ? set->cap + 1 : set->cap + set->cap / 4;
            set->v = xrealloc(set->v, set->cap * size);
            at = &set->v[i * stride];
        }
        memmove(at + stride, at, (set->n++ - i) * size);
        memcpy(at, e, size);
    }
}

/* The same for N elements at once. */
static void
set_merge(struct ovsdb_row *row, const struct ovsdb_column_desc *c, struct ovsdb_set *set, const union ovsdb_atom *a,
          size_t n)
{
    size_t stride = ovsdb_stride(c), size = stride * sizeof *a;
    const union ovsdb_atom *old = set->v, *old_end = old + set->n * stride, *end = a + n * stride;
    union ovsdb_atom *out = xmalloc((set->n + n) * size), *o = out;

    while (old < old_end || a < end) {
        int cmp = old == old_end ? 1 : a == end ? -1 : ovsdb_atom_compare(old, a, &c->key);
        const union ovsdb_atom *take = cmp < 0 ? old : a;
        if (cmp >= 0) {
            bool gone = !cmp && (stride == 1 || old[1].i == a[1].i);
            if (!gone) {
                element_enter(row, c, a);
            } else {
                element_drop(c, a);
                take = NULL;
            }
            if (!cmp) {
                element_leave(row, c, old);
            }
            a += stride;
        }
        if (cmp <= 0) {
            old += stride;
        }
        if (take) {
            memcpy(o, take, size);
            o += stride;
        }
    }
    free(set->v);
    *set = (struct ovsdb_set) { .n = (o - out) / stride };
    if (set->n) {
        set->cap = set->n;
        set->v = xrealloc(out, set->n * size);
    } else {
        free(out);
    }
}

bool
ovsdb_cell_difference(struct ovsdb_row *row, const struct ovsdb_column_desc *c, union ovsdb_atom *a, size_t n)
{
    enum { FEW = 16 };

    /* "For columns with single value, the difference is the value of the new column", and so it is, as observed, for
     * every column of at most one element. */
    if (c->max == 1 || c->shape == OVSDB_ONE || c->shape == OVSDB_OPT) {
        return ovsdb_cell_assign(row, c, a, n);
    } else if (n > FEW) {
        set_merge(row, c, cell_set(row, c), a, n);
    } else {
        for (size_t i = 0; i < n; i++) {
            set_toggle(row, c, cell_set(row, c), &a[i * ovsdb_stride(c)]);
        }
    }
    return n > 0;
}

/* view.c - rows over the store, read and written by commands; see view.h. */
#include "cli/common/view.h"

#include <stdlib.h>
#include "cli/common/fetch.h"
#include "json/json.h"

void
view_init(struct view *v, const struct store *store, struct arena *arena)
{
    *v = (struct view) { .store = store, .arena = arena };
    v->tables = xcalloc(store->db->n_tables, sizeof *v->tables);
    for (size_t i = 0; i < store->db->n_tables; i++) {
        hmap_init(&v->tables[i].rows);
    }
}

void
view_reset(struct view *v)
{
    for (size_t i = 0; i < v->store->db->n_tables; i++) {
        hmap_destroy(&v->tables[i].rows);
        hmap_init(&v->tables[i].rows);
        v->tables[i].whole = false;
    }
    v->n_changed = 0;
    v->relies_on_indexes = false;
    str_clear(&v->waits);
}

void
view_destroy(struct view *v)
{
    view_reset(v);
    free(v->tables);
    free(v->changed);
    str_free(&v->waits);
}

/* ---- finding rows ---- */

static struct view_row *
row_make(struct view *v, const struct ovsdb_table_desc *t, const struct uuid *uuid, const struct stored_row *base)
{
    struct view_row *r = ARENA_NEW(v->arena, struct view_row, 1);

    *r = (struct view_row) { .view = v, .table = t, .uuid = *uuid, .base = base };
    hmap_insert(&v->tables[t->index].rows, &r->node, uuid_hash(uuid));
    return r;
}

static struct view_row *
row_find(struct view *v, const struct ovsdb_table_desc *t, const struct uuid *uuid)
{
    HMAP_FOR_EACH_HASH(r, struct view_row, node, uuid_hash(uuid), &v->tables[t->index].rows) {
        if (uuid_equal(&r->uuid, uuid)) {
            return r;
        }
    }
    return NULL;
}

struct view_row *
view_get(struct view *v, const struct ovsdb_table_desc *t, const struct uuid *uuid)
{
    struct view_row *r = row_find(v, t, uuid);

    if (!r && !v->tables[t->index].whole) {
        const struct stored_row *base = store_get(v->store, t, uuid);
        r = base ? row_make(v, t, uuid, base) : NULL;
    }
    return r && !r->deleted ? r : NULL;
}

static int
compare_uuid(const void *a_, const void *b_)
{
    const struct view_row *a = *(struct view_row *const *) a_, *b = *(struct view_row *const *) b_;
    return uuid_compare(&a->uuid, &b->uuid);
}

struct view_row **
view_rows(struct view *v, const struct ovsdb_table_desc *t, size_t *n)
{
    struct view_table *vt = &v->tables[t->index];

    if (!vt->whole) {
        STORE_FOR_EACH (base, v->store, t) {
            if (!row_find(v, t, &base->uuid)) {
                row_make(v, t, &base->uuid, base);
            }
        }
        vt->whole = true;
    }
    struct view_row **rows = ARENA_NEW(v->arena, struct view_row *, hmap_count(&vt->rows));
    *n = 0;
    HMAP_FOR_EACH (r, struct view_row, node, &vt->rows) {
        if (!r->deleted) {
            rows[(*n)++] = r;
        }
    }
    qsort(rows, *n, sizeof *rows, compare_uuid);
    return rows;
}

struct view_row *
view_first(struct view *v, const struct ovsdb_table_desc *t)
{
    size_t n;
    struct view_row **rows = view_rows(v, t, &n);
    return n ? rows[0] : NULL;
}

struct view_row **
view_find_str(struct view *v, const struct ovsdb_table_desc *t, uint16_t column, const char *value, size_t *n)
{
    size_t all;
    struct view_row **rows = view_rows(v, t, &all);

    *n = 0;
    for (size_t i = 0; i < all; i++) {
        const char *s = view_str(rows[i], column);
        if (s && str_eq(s, value)) {
            rows[(*n)++] = rows[i];
        }
    }
    return rows;
}

struct keyed {
    struct view_row *row;
    const char *key;
};

static int
compare_keyed(const void *a_, const void *b_)
{
    const struct keyed *a = a_, *b = b_;
    int cmp = strcmp(a->key, b->key);
    return cmp ? cmp : uuid_compare(&a->row->uuid, &b->row->uuid);
}

void
view_sort_by_str(struct view_row **rows, size_t n, uint16_t column)
{
    if (n < 2) {
        return;
    }
    struct keyed *k = ARENA_NEW(rows[0]->view->arena, struct keyed, n);
    for (size_t i = 0; i < n; i++) {
        const char *s = view_str(rows[i], column);
        k[i] = (struct keyed) { rows[i], s ? s : "" };
    }
    qsort(k, n, sizeof *k, compare_keyed);
    for (size_t i = 0; i < n; i++) {
        rows[i] = k[i].row;
    }
}

/* ---- reading ---- */

static struct view_cell *
row_cell(struct view_row *r, uint16_t column)
{
    const struct ovsdb_column_desc *c = &r->table->columns[column];

    if (!r->cells) {
        r->cells = ARENA_NEW(r->view->arena, struct view_cell, r->table->n_columns);
    }
    struct view_cell *cell = &r->cells[column];
    if (!cell->loaded) {
        cell->unseen = r->base && !(r->base->columns & OVSDB_COLUMN(column));
        if (!cell->unseen) {
            cell->before = r->base ? r->base->cells[column] : datum_default(r->view->arena, c);
        }
        cell->now = cell->before;
        cell->loaded = true;
    }
    return cell;
}

struct view_row *
view_referrer(struct view *v, const struct ovsdb_table_desc *t, uint16_t column, const struct uuid *uuid)
{
    size_t n;
    struct view_row **rows = view_rows(v, t, &n);

    for (size_t i = 0; i < n; i++) {
        if (datum_find(&row_cell(rows[i], column)->now, &(union datum_atom) { .u = *uuid }, OVSDB_UUID) != SIZE_MAX) {
            return rows[i];
        }
    }
    return NULL;
}

const struct datum *
view_datum(struct view_row *r, uint16_t column)
{
    struct view_cell *cell = row_cell(r, column);

    if (cell->unseen && !cell->replaced) {
        panic("column %s of %s is read, but no command said that it needs it", r->table->columns[column].name, r->table->name);
    }
    return &cell->now;
}

const char *
view_str(struct view_row *r, uint16_t column)
{
    const struct datum *d = view_datum(r, column);
    return d->n ? d->k[0].s : NULL;
}

int64_t
view_int(struct view_row *r, uint16_t column, int64_t default_)
{
    const struct datum *d = view_datum(r, column);
    return d->n ? d->k[0].i : default_;
}

bool
view_bool(struct view_row *r, uint16_t column, bool default_)
{
    const struct datum *d = view_datum(r, column);
    return d->n ? d->k[0].b : default_;
}

const char *
view_map_str(struct view_row *r, uint16_t column, const char *key)
{
    const struct datum *d = view_datum(r, column);
    size_t i = datum_find(d, &(union datum_atom) { .s = key }, OVSDB_STRING);
    return i != SIZE_MAX ? d->v[i].s : NULL;
}

/* ---- writing ---- */

static void
row_changed(struct view_row *r)
{
    struct view *v = r->view;

    for (size_t i = v->n_changed; i-- > 0;) {
        if (v->changed[i] == r) {
            return;
        }
    }
    GROW(v->changed, v->cap_changed, v->n_changed + 1);
    v->changed[v->n_changed++] = r;
}

struct view_row *
view_insert(struct view *v, const struct ovsdb_table_desc *t, const struct uuid *uuid)
{
    struct uuid random = uuid_random();
    struct view_row *r = row_make(v, t, uuid ? uuid : &random, NULL);

    GROW(v->changed, v->cap_changed, v->n_changed + 1);
    v->changed[v->n_changed++] = r;
    return r;
}

void
view_delete(struct view_row *r)
{
    r->deleted = true;
    row_changed(r);
}

/* COLUMN becomes NOW; as a whole, if it must be. */
static void
cell_write(struct view_row *r, uint16_t column, struct datum now, bool replace)
{
    const struct ovsdb_column_desc *c = &r->table->columns[column];
    struct view_cell *cell = row_cell(r, column);

    cell->now = now;
    cell->written = true;
    cell->replaced |= replace || c->shape == OVSDB_ONE || c->shape == OVSDB_OPT;
    row_changed(r);
}

void
view_set(struct view_row *r, uint16_t column, struct datum d)
{
    cell_write(r, column, d, true);
}

void
view_set_str(struct view_row *r, uint16_t column, const char *s)
{
    view_set(r, column, datum_of_str(r->view->arena, s));
}

/* NOW without REMOVED, with ADDED; what of it the column had, if that is not known, is noted. */
static void
cell_edit(struct view_row *r, uint16_t column, struct datum now, const struct datum *added, const struct datum *removed)
{
    const struct ovsdb_column_desc *c = &r->table->columns[column];
    struct view_cell *cell = row_cell(r, column);
    struct arena *arena = r->view->arena;

    if (cell->unseen && !cell->replaced) {
        REQUIRE(c->shape == OVSDB_SET);
        cell->gone = removed ? datum_union(arena, &cell->gone, removed, c) : datum_minus(arena, &cell->gone, added, c);
    }
    cell_write(r, column, now, false);
}

void
view_add(struct view_row *r, uint16_t column, struct datum d)
{
    struct view_cell *cell = row_cell(r, column);
    cell_edit(r, column, datum_union(r->view->arena, &cell->now, &d, &r->table->columns[column]), &d, NULL);
}

void
view_remove(struct view_row *r, uint16_t column, struct datum d)
{
    struct view_cell *cell = row_cell(r, column);
    cell_edit(r, column, datum_minus(r->view->arena, &cell->now, &d, &r->table->columns[column]), NULL, &d);
}

void
view_remove_keys(struct view_row *r, uint16_t column, struct datum d)
{
    cell_write(r, column, datum_without_keys(r->view->arena, view_datum(r, column), &d, &r->table->columns[column]), false);
}

void
view_put(struct view_row *r, uint16_t column, struct datum d)
{
    cell_write(r, column, datum_union(r->view->arena, &d, view_datum(r, column), &r->table->columns[column]), false);
}

void
view_add_ref(struct view_row *r, uint16_t column, const struct view_row *to)
{
    view_add(r, column, datum_of_uuid(r->view->arena, &to->uuid));
}

void
view_remove_ref(struct view_row *r, uint16_t column, const struct view_row *to)
{
    view_remove(r, column, datum_of_uuid(r->view->arena, &to->uuid));
}

/* ---- what must still hold ---- */

/* A "wait" for the rows of T for which WHERE holds to be ROWS in COLUMN, at once. */
static void
put_wait(struct view *v, const struct ovsdb_table_desc *t, const char *column, const char *where, const char *rows)
{
    struct str op = STR_INIT;

    str_printf(&op, "{\"op\":\"wait\",\"timeout\":0,\"table\":\"%s\",\"where\":[%s],\"columns\":[\"%s\"],\"until\":\"==\",\"rows\":[%s]}\n",
               t->name, where, column, rows);
    if (!strstr(str_c(&v->waits), str_c(&op))) {
        str_put(&v->waits, op.s, op.len);
    }
    str_free(&op);
}

void
view_verify(struct view_row *r, uint16_t column)
{
    const struct ovsdb_column_desc *c = &r->table->columns[column];
    struct str row = STR_INIT;

    if (!r->base) {
        return;
    }
    str_printf(&row, "{\"%s\":", c->name);
    datum_put(&row, &row_cell(r, column)->before, c, DATUM_JSON);
    str_putc(&row, '}');
    put_wait(r->view, r->table, c->name, arena_printf(r->view->arena, "[\"_uuid\",\"==\",[\"uuid\",\"" UUID_FMT "\"]]", UUID_ARGS(&r->uuid)),
             str_c(&row));
    str_free(&row);
}

/* The rows that have VALUE in the database and that this line has deleted or changed: they are no obstacle, and still there. */
static void
put_outgoing(struct view *v, const struct ovsdb_table_desc *t, uint16_t column, const char *value, struct str *rows)
{
    HMAP_FOR_EACH (r, struct view_row, node, &v->tables[t->index].rows) {
        const struct view_cell *cell = r->base ? row_cell(r, column) : NULL;
        if (cell && !cell->unseen && cell->before.n == 1 && str_eq(cell->before.k[0].s, value)) {
            str_printf(rows, "%s{\"_uuid\":[\"uuid\",\"" UUID_FMT "\"]}", rows->len ? "," : "", UUID_ARGS(&r->uuid));
        }
    }
}

void
view_verify_absent(struct view *v, const struct ovsdb_table_desc *t, uint16_t column, const char *value)
{
    struct str where = STR_INIT, rows = STR_INIT;

    if (fetch_is_indexed(t, column)) {
        v->relies_on_indexes = true;
        return;
    }
    str_printf(&where, "[\"%s\",\"==\",", t->columns[column].name);
    json_put_cstr(&where, value);
    str_putc(&where, ']');
    put_outgoing(v, t, column, value, &rows);
    put_wait(v, t, "_uuid", str_c(&where), str_c(&rows));
    str_free(&where);
    str_free(&rows);
}

/* ---- the transaction ---- */

static bool
cell_is_changed(const struct view_cell *cell, const struct ovsdb_column_desc *c)
{
    return cell->written && (cell->unseen || datum_compare(&cell->before, &cell->now, c));
}

static void
record_put(struct ovsdb_record *rec, const struct ovsdb_column_desc *c, const struct datum *d)
{
    struct str json = STR_INIT;

    datum_put(&json, d, c, DATUM_JSON);
    char *error = ovsdb_record_json_value(rec, c->index, str_c(&json), json.len);
    if (error) {
        panic("%s.%s: %s: %s", ovsdb_record_table(rec)->name, c->name, str_c(&json), error);
    }
    str_free(&json);
}

static void
commit_insert(struct view_row *r, struct ovsdb_txn *txn, struct ovsdb_record *rec)
{
    for (uint16_t i = 0; r->cells && i < r->table->n_columns; i++) {
        if (r->cells[i].written) {
            record_put(rec, &r->table->columns[i], &r->cells[i].now);
        }
    }
    ovsdb_txn_insert(txn, rec, &r->uuid);
}

/* The difference of a set or map, as mutations. */
static void
commit_difference(struct view_row *r, struct ovsdb_txn *txn, struct ovsdb_record *rec, const struct ovsdb_column_desc *c,
                  const struct view_cell *cell)
{
    struct arena *arena = r->view->arena;
    struct datum come = datum_minus(arena, &cell->now, &cell->before, c);
    struct datum gone = cell->unseen ? cell->gone : datum_minus(arena, &cell->before, &cell->now, c);

    if (gone.n) {
        ovsdb_record_reset(rec);
        record_put(rec, c, &gone);
        ovsdb_txn_remove(txn, &r->uuid, rec, c->index);
    }
    /* A key that another process has added meanwhile: with our value. */
    if (come.n && c->shape == OVSDB_MAP && c->key.type == OVSDB_STRING) {
        for (size_t i = 0; i < come.n; i++) {
            ovsdb_txn_remove_key(txn, r->table, &r->uuid, c->index, come.k[i].s);
        }
    }
    if (come.n) {
        ovsdb_record_reset(rec);
        record_put(rec, c, &come);
        ovsdb_txn_add(txn, &r->uuid, rec, c->index);
    }
}

static void
commit_update(struct view_row *r, struct ovsdb_txn *txn, struct ovsdb_record *rec)
{
    bool update = false;

    for (uint16_t i = 0; r->cells && i < r->table->n_columns; i++) {
        const struct ovsdb_column_desc *c = &r->table->columns[i];
        struct view_cell *cell = &r->cells[i];
        if (cell->replaced && cell_is_changed(cell, c)) {
            record_put(rec, c, &cell->now);
            update = true;
        }
    }
    if (update) {
        ovsdb_txn_update(txn, &r->uuid, rec);
    }
    for (uint16_t i = 0; r->cells && i < r->table->n_columns; i++) {
        const struct view_cell *cell = &r->cells[i];
        if (cell->written && !cell->replaced) {
            commit_difference(r, txn, rec, &r->table->columns[i], cell);
        }
    }
}

static void
commit_row(struct view_row *r, struct ovsdb_txn *txn)
{
    if (r->deleted) {
        if (r->base && r->table->is_root) {    /* Of other tables the server removes what nothing refers to any more, and nothing else. */
            ovsdb_txn_delete(txn, r->table, &r->uuid);
        }
        return;
    }
    struct ovsdb_record *rec = ovsdb_record_create(r->table);
    if (r->base) {
        commit_update(r, txn, rec);
    } else {
        commit_insert(r, txn, rec);
    }
    ovsdb_record_destroy(rec);
}

static bool
row_is_changed(const struct view_row *r)
{
    if (!r->base || r->deleted) {
        return r->base ? r->deleted : !r->deleted;
    }
    for (uint16_t i = 0; r->cells && i < r->table->n_columns; i++) {
        const struct view_cell *cell = &r->cells[i];
        if (cell_is_changed(cell, &r->table->columns[i])) {
            return true;
        }
    }
    return false;
}

bool
view_is_changed(const struct view *v)
{
    for (size_t i = 0; i < v->n_changed; i++) {
        if (row_is_changed(v->changed[i])) {
            return true;
        }
    }
    return false;
}

void
view_commit(struct view *v, struct ovsdb_txn *txn)
{
    for (char *p = str_c(&v->waits), *end; (end = strchr(p, '\n')); p = end + 1) {
        *end = '\0';
        ovsdb_txn_put_raw(txn, p);
        *end = '\n';
    }
    for (size_t i = 0; i < v->n_changed; i++) {
        commit_row(v->changed[i], txn);
    }
}

/* replica.c - the rows of one database: tables, reading, and applying what the server says.
 *
 * A table has a row for each UUID it was told of, by the server or by a reference from another row; `present` says
 * which of them are in the database. Rows never move. What is read from them is recorded (base/dep.h): a row is a
 * source with a bit a column, so are the table's membership and the keys of its indexes.
 *
 * A <table-updates> (RFC 7047 4.1.6; ovsdb-server(7) 4.1.14) is applied while it is being parsed. Each row-update is
 * one step: the row leaves the indexes of the columns that change, the cells change (row.c), it enters them again, and
 * only then readers and watches hear of it, and only if something really changed. A row whose update is
 * malformed halfway keeps what came before the error, in a consistent state.
 *
 * When a first content replaces what is there (a server that no longer knows our last transaction), all present rows are
 * unmentioned at the beginning, rows that come are compared with what they were, and what is still unmentioned in
 * the end goes.
 *
 * Digest tables keep 16 bytes for a row's content: see struct ovsdb_digest_row. */
#include "ovsdb/rows.h"

#include <stdlib.h>
#include "base/log.h"

LOG_MODULE(ovsdb_replica);

/* ---- tables ---- */

void
ovsdb_replica_init(struct ovsdb *db)
{
    db->tables = xcalloc(db->desc->n_tables, sizeof *db->tables);
    for (size_t i = 0; i < db->desc->n_tables; i++) {
        struct ovsdb_table *t = &db->tables[i];
        t->desc = &db->desc->tables[i];
        REQUIRE(t->desc->index == i && t->desc->n_columns < 63);
        t->db = db;
        hmap_init(&t->rows);
        list_init(&t->watches);
        list_init(&t->indexes);
        t->column_after = xcalloc(t->desc->n_columns + 1, sizeof *t->column_after);
        t->name_lens = xmalloc(t->desc->n_columns);
        for (size_t k = 0; k < t->desc->n_columns; k++) {
            t->name_lens[k] = MIN(strlen(t->desc->columns[k].name), UINT8_MAX);
        }
    }
    db->values = XNEW(struct ovsdb_values);
    ovsdb_values_init(db->values, db);
}

void
ovsdb_limits_free(struct ovsdb_table *table)
{
    for (struct ovsdb_limit *l; (l = table->limits);) {
        table->limits = l->next;
        for (const char *const *s = l->key.enum_strings; s && *s; s++) {
            free((char *) (uintptr_t) *s);
        }
        free((void *) (uintptr_t) l->key.enum_strings);
        free(l);
    }
}

void
ovsdb_replica_destroy(struct ovsdb *db)
{
    for (size_t i = 0; i < db->desc->n_tables; i++) {
        struct ovsdb_table *t = &db->tables[i];
        ovsdb_indexes_destroy(t);
        dep_source_destroy(&t->membership);
        LIST_FOR_EACH_SAFE(w, struct ovsdb_watch, node, &t->watches) {
            list_remove(&w->node);
        }
        HMAP_FOR_EACH_SAFE(row, struct ovsdb_row, node, &t->rows) {
            dep_source_destroy(&row->source);
        }
    }
    for (size_t i = 0; i < db->desc->n_tables; i++) {
        struct ovsdb_table *t = &db->tables[i];
        HMAP_FOR_EACH_SAFE(row, struct ovsdb_row, node, &t->rows) {
            ovsdb_row_free(row);
        }
        hmap_destroy(&t->rows);
        free(t->blank);
        free(t->column_after);
        free(t->name_lens);
        ovsdb_limits_free(t);
        ovsdb_record_destroy(t->scratch);
    }
    free(db->tables);
    free(db->garbage);
    ovsdb_values_destroy(db->values);
    free(db->values);
}

static void
table_use(struct ovsdb *db, struct ovsdb_table *t, uint64_t columns)
{
    REQUIRE(!(columns & ~ovsdb_all_columns(t->desc)));
    if (!t->in_use || columns & ~t->used) {
        t->in_use = true;
        t->used |= columns;
        ovsdb_session_monitor_changed(db);
    }
}

void
ovsdb_use(struct ovsdb *db, const struct ovsdb_table_desc *desc, uint64_t columns)
{
    struct ovsdb_table *t = ovsdb_table(db, desc);

    REQUIRE(!t->digest);
    table_use(db, t, columns);
}

void
ovsdb_use_all(struct ovsdb *db)
{
    for (size_t i = 0; i < db->desc->n_tables; i++) {
        struct ovsdb_table *t = &db->tables[i];
        if (!t->digest) {
            table_use(db, t, ovsdb_all_columns(t->desc));
        }
    }
}

void
ovsdb_use_digest(struct ovsdb *db, const struct ovsdb_table_desc *desc, uint64_t columns)
{
    struct ovsdb_table *t = ovsdb_table(db, desc);

    /* Rows have the size that the table's kind says. */
    REQUIRE(t->digest || (!t->in_use && !hmap_count(&t->rows) && list_is_empty(&t->indexes)));
    if (!t->digest) {
        t->digest = true;
        t->scratch = ovsdb_record_create(desc);
        free(t->blank);
        t->blank = NULL;
    }
    t->digest_columns |= columns;
    table_use(db, t, columns);
}

struct ovsdb_table *
ovsdb_table(const struct ovsdb *db, const struct ovsdb_table_desc *desc)
{
    REQUIRE(desc->index < db->desc->n_tables && db->tables[desc->index].desc == desc);
    return &db->tables[desc->index];
}

const struct ovsdb_table_desc *
ovsdb_table_desc(const struct ovsdb_table *t)
{
    return t->desc;
}

struct ovsdb *
ovsdb_table_db(const struct ovsdb_table *t)
{
    return t->db;
}

size_t
ovsdb_count(const struct ovsdb_table *t)
{
    return t->n_present;
}

/* ---- reading ---- */

static struct ovsdb_row *
next_present(struct ovsdb_table *t, const struct hmap_node *after)
{
    struct hmap_node *node;

    do {
        node = hmap_next_(&t->rows, after);
        after = node;
    } while (node && !CONTAINER_OF(node, struct ovsdb_row, node)->present);
    return HMAP_NODE_TO_(node, struct ovsdb_row, node);
}

struct ovsdb_row *
ovsdb_first(struct ovsdb_table *t, struct dep_reader *by)
{
    dep_read(by, &t->membership, DEP_ALL);
    return next_present(t, NULL);
}

struct ovsdb_row *
ovsdb_next(struct ovsdb_row *row)
{
    return next_present(row->table, &row->node);
}

struct ovsdb_row *
ovsdb_get(struct ovsdb_table *t, const struct uuid *uuid, struct dep_reader *by)
{
    /* Somebody may wait for a row that is not there: the absent row carries the read. */
    return ovsdb_present(by ? ovsdb_row_make(t, uuid) : ovsdb_row_find(t, uuid), by);
}

struct ovsdb_row *
ovsdb_present(struct ovsdb_row *row, struct dep_reader *by)
{
    if (!row) {
        return NULL;
    }
    dep_read(by, &row->source, OVSDB_PRESENT);
    return row->present ? row : NULL;
}

void
ovsdb_watch(struct ovsdb_table *t, struct ovsdb_watch *w)
{
    list_push_back(&t->watches, &w->node);
}

void
ovsdb_unwatch(struct ovsdb_watch *w)
{
    list_remove(&w->node);
}

void
ovsdb_collect(struct ovsdb *db)
{
    for (size_t kept = 0; kept < OVSDB_COLLECT_SCAN && kept < db->n_garbage;) {
        if (!db->scan_garbage || db->scan_garbage > db->n_garbage) {
            db->scan_garbage = db->n_garbage;
        }
        struct ovsdb_row **slot = &db->garbage[--db->scan_garbage], *row = *slot;
        bool needed = row->present || row->n_referrers;        /* It comes here again when it no longer is. */
        if (!needed && dep_source_has_readers(&row->source)) {
            kept++;
            continue;
        }
        *slot = db->garbage[--db->n_garbage];
        row->collecting = false;
        if (!needed) {
            ovsdb_row_free(row);
        }
    }
    for (size_t i = 0; i < db->desc->n_tables; i++) {
        ovsdb_indexes_collect(&db->tables[i]);
    }
}

/* ---- changing rows ---- */

/* What a row-update says about the columns that it does not name. */
enum row_content {
    CONTENT_FULL,              /* They are at their defaults. */
    CONTENT_GIVEN,             /* They are as they were. */
    CONTENT_DIFFERENCE,        /* The same; and what is named is a difference. */
};

static void
row_notify(struct ovsdb_row *row, uint64_t changed)
{
    struct ovsdb_table *t = row->table;

    t->db->changed = true;
    dep_changed(&row->source, changed);
    if (changed & OVSDB_PRESENT) {
        dep_changed(&t->membership, DEP_ALL);
    }
    LIST_FOR_EACH_SAFE(w, struct ovsdb_watch, node, &t->watches) {
        w->cb(w, row, changed);
    }
}

/* The columns of ROW have been changed: makes it present, if it was not, and lets everybody know. */
static void
row_changed(struct ovsdb_row *row, uint64_t changed)
{
    struct ovsdb_table *t = row->table;
    bool came = !row->present;

    row->unmentioned = false;
    if (came) {
        row->present = true;
        t->n_present++;
        changed = OVSDB_PRESENT | ovsdb_all_columns(t->desc);
    }
    ovsdb_indexes_enter(row, came);
    if (changed) {
        row_notify(row, changed);
    }
}

/* ROW, present, goes. Watches see it once more with its old content. */
static void
row_gone(struct ovsdb_row *row)
{
    struct ovsdb_table *t = row->table;

    ovsdb_indexes_leave(row, UINT64_MAX);
    row->present = false;
    row->unmentioned = false;
    t->n_present--;
    ovsdb_indexes_gone(row);
    row_notify(row, OVSDB_PRESENT | ovsdb_all_columns(t->desc));
    if (t->digest) {
        CONTAINER_OF(row, struct ovsdb_digest_row, row_)->digest = (struct digest) { 0, 0 };
    } else {
        for (size_t i = 0; i < t->desc->n_columns; i++) {
            ovsdb_cell_assign(row, &t->desc->columns[i], NULL, 0);
        }
    }
    ovsdb_row_garbage(row);
}

/* The column named by the reader's key, if it is kept. Rows name their columns in the same order mostly: a
 * column remembers which came after it. */
static const struct ovsdb_column_desc *
find_column(struct ovsdb_table *t, const struct json_reader *r, uint16_t *previous)
{
    uint16_t guess = t->column_after[*previous];

    for (size_t i = 0; i < t->desc->n_columns; i++) {
        uint16_t k = guess + i < t->desc->n_columns ? guess + i : guess + i - t->desc->n_columns;
        if (t->name_lens[k] == r->s.n && !memcmp(t->desc->columns[k].name, r->s.p, r->s.n)) {
            t->column_after[*previous] = k;
            *previous = k + 1;
            return t->used & OVSDB_COLUMN(k) ? &t->desc->columns[k] : NULL;
        }
    }
    return NULL;
}

static char *
column_error(const struct ovsdb_row *row, const struct ovsdb_column_desc *c, const struct json_reader *r,
             const char *error)
{
    return xasprintf("%s %s row "UUID_FMT": column %s: %s", row->table->desc->db->name, row->table->desc->name,
                     UUID_ARGS(&row->uuid), c->name, r->token == JSON_ERROR ? json_error(r) : error);
}

static char *
syntax_error(const struct json_reader *r, const char *what)
{
    return xasprintf("malformed table updates: %s", r->token == JSON_ERROR ? json_error(r) : what);
}

/* Reads a <row> into the cells of ROW. The reader stands on its first token. */
static char *
read_columns(struct ovsdb_row *row, struct json_reader *r, enum row_content content, uint64_t *changed)
{
    struct ovsdb_table *t = row->table;
    struct ovsdb_values *values = t->db->values;
    uint64_t seen = 0;
    uint16_t previous = 0;

    while (json_next(r) == JSON_KEY) {
        const struct ovsdb_column_desc *c = find_column(t, r, &previous);
        size_t n;
        json_next(r);
        if (!c) {
            json_skip(r);
            continue;
        }
        const char *error = ovsdb_values_read(values, r, c, &n);
        if (error) {
            return column_error(row, c, r, error);
        }
        uint64_t bit = OVSDB_COLUMN(c->index);
        if (row->present && t->indexed & bit) {
            ovsdb_indexes_leave(row, bit);
        }
        seen |= bit;
        if (content == CONTENT_DIFFERENCE ? ovsdb_cell_difference(row, c, values->a, n)
                                          : ovsdb_cell_assign(row, c, values->a, n)) {
            *changed |= bit;
        }
    }
    if (r->token != JSON_OBJECT_END) {
        return syntax_error(r, "expected a column");
    }
    if (content == CONTENT_FULL && row->present) {
        for (uint64_t rest = ovsdb_all_columns(t->desc) & ~seen; rest; rest &= rest - 1) {
            const struct ovsdb_column_desc *c = &t->desc->columns[__builtin_ctzll(rest)];
            if (t->indexed & OVSDB_COLUMN(c->index)) {
                ovsdb_indexes_leave(row, OVSDB_COLUMN(c->index));
            }
            if (ovsdb_cell_assign(row, c, NULL, 0)) {
                *changed |= OVSDB_COLUMN(c->index);
            }
        }
    }
    return NULL;
}

/* The same into the digest of ROW. */
static char *
read_digest(struct ovsdb_row *row, struct json_reader *r, enum row_content content, uint64_t *changed)
{
    struct ovsdb_table *t = row->table;
    struct digest *digest = &CONTAINER_OF(row, struct ovsdb_digest_row, row_)->digest;
    struct digest new = { 0, 0 };
    uint16_t previous = 0;
    bool touched = false;

    ovsdb_record_reset(t->scratch);
    while (json_next(r) == JSON_KEY) {
        const struct ovsdb_column_desc *c = find_column(t, r, &previous);
        json_next(r);
        if (!c || content == CONTENT_DIFFERENCE) {
            touched |= c != NULL;
            json_skip(r);
            continue;
        }
        const char *error = ovsdb_record_read(t->scratch, c->index, r);
        if (error) {
            return column_error(row, c, r, error);
        }
    }
    if (r->token != JSON_OBJECT_END) {
        return syntax_error(r, "expected a column");
    }
    if (content != CONTENT_DIFFERENCE) {
        new = ovsdb_record_digest(t->scratch, t->digest_columns);
    } else if (!touched) {
        return NULL;
    }
    if (!digest_equal(new, *digest)) {
        *digest = new;
        *changed |= t->digest_columns;
    }
    return NULL;
}

/* Applies a <row>, on which the reader stands. */
static char *
apply_row(struct ovsdb_table *t, const struct uuid *uuid, struct json_reader *r, enum row_content content)
{
    uint64_t changed = 0;

    if (r->token != JSON_OBJECT_BEGIN) {
        return syntax_error(r, "expected a row");
    }
    struct ovsdb_row *row = content == CONTENT_DIFFERENCE ? ovsdb_row_find(t, uuid) : ovsdb_row_make(t, uuid);
    if (content == CONTENT_DIFFERENCE && (!row || !row->present)) {
        LOG_WARN_RL("%s: %s row "UUID_FMT" is modified but was never there", t->desc->db->name, t->desc->name,
                    UUID_ARGS(uuid));
        return json_skip(r) ? NULL : syntax_error(r, "");
    }
    char *error = (t->digest ? read_digest : read_columns)(row, r, content, &changed);
    row_changed(row, changed);
    return error;
}

static void
apply_delete(struct ovsdb_table *t, const struct uuid *uuid)
{
    struct ovsdb_row *row = ovsdb_row_find(t, uuid);

    if (row && row->present) {
        row_gone(row);
    } else {
        LOG_WARN_RL("%s: %s row "UUID_FMT" is deleted but was never there", t->desc->db->name, t->desc->name,
                    UUID_ARGS(uuid));
    }
}

/* ---- messages ---- */

/* <row-update>: without "new", the row was deleted. */
static char *
apply_row_update(struct ovsdb_table *t, const struct uuid *uuid, struct json_reader *r)
{
    bool new = false, old = false;

    while (json_next(r) == JSON_KEY) {
        bool is_new = json_string_is(r, "new");
        bool is_old = json_string_is(r, "old");
        json_next(r);
        if (is_new && r->token != JSON_NULL) {
            char *error = apply_row(t, uuid, r, CONTENT_GIVEN);
            if (error) {
                return error;
            }
            new = true;
        } else {
            old |= is_old;
            json_skip(r);
        }
    }
    if (r->token != JSON_OBJECT_END) {
        return syntax_error(r, "expected \"old\" or \"new\"");
    }
    if (old && !new) {
        apply_delete(t, uuid);
    }
    return NULL;
}

/* <row-update2>. */
static char *
apply_row_update2(struct ovsdb_table *t, const struct uuid *uuid, struct json_reader *r)
{
    while (json_next(r) == JSON_KEY) {
        char *error = NULL;
        bool insert = json_string_is(r, "insert") || json_string_is(r, "initial");
        bool modify = json_string_is(r, "modify");
        bool delete = json_string_is(r, "delete");
        json_next(r);
        if (insert || modify) {
            error = apply_row(t, uuid, r, insert ? CONTENT_FULL : CONTENT_DIFFERENCE);
        } else {
            json_skip(r);
            if (delete && r->token != JSON_ERROR) {
                apply_delete(t, uuid);
            }
        }
        if (error) {
            return error;
        }
    }
    return r->token == JSON_OBJECT_END ? NULL : syntax_error(r, "expected what happened to a row");
}

static char *
apply_table(struct ovsdb_table *t, struct json_reader *r, enum ovsdb_update_kind kind)
{
    char *error = NULL;

    if (r->token != JSON_OBJECT_BEGIN) {
        return syntax_error(r, "expected a table's updates");
    }
    while (!error && json_next(r) == JSON_KEY) {
        struct uuid uuid;
        if (r->s.n != UUID_LEN || !uuid_parse(r->s.p, &uuid)) {
            return syntax_error(r, "expected a row's UUID");
        } else if (json_next(r) != JSON_OBJECT_BEGIN) {
            return syntax_error(r, "expected a row's update");
        }
        error = kind == OVSDB_UPDATE ? apply_row_update(t, &uuid, r) : apply_row_update2(t, &uuid, r);
    }
    return error               ? error
           : r->token != JSON_OBJECT_END ? syntax_error(r, "expected a row's UUID")
                                         : NULL;
}

static struct ovsdb_table *
find_table(const struct ovsdb *db, const struct json_reader *r)
{
    for (size_t i = 0; i < db->desc->n_tables; i++) {
        if (json_string_is(r, db->desc->tables[i].name)) {
            return db->tables[i].in_use ? &db->tables[i] : NULL;
        }
    }
    return NULL;
}

static void
count_change(struct ovsdb *db)
{
    if (db->changed) {
        db->changed = false;
        db->seqno++;
    }
}

char *
ovsdb_replica_apply(struct ovsdb *db, struct json_reader *r, enum ovsdb_update_kind kind)
{
    char *error = NULL;

    if (r->token != JSON_OBJECT_BEGIN) {
        return syntax_error(r, "expected an object");
    }
    while (!error && json_next(r) == JSON_KEY) {
        struct ovsdb_table *t = find_table(db, r);
        json_next(r);
        if (t) {
            error = apply_table(t, r, kind);
        } else {
            json_skip(r);
        }
    }
    if (!error && r->token != JSON_OBJECT_END) {
        error = syntax_error(r, "expected a table");
    }
    count_change(db);
    return error;
}

void
ovsdb_replica_replace_begin(struct ovsdb *db)
{
    for (size_t i = 0; i < db->desc->n_tables; i++) {
        HMAP_FOR_EACH(row, struct ovsdb_row, node, &db->tables[i].rows) {
            row->unmentioned = row->present;
        }
    }
}

void
ovsdb_replica_replace_end(struct ovsdb *db)
{
    for (size_t i = 0; i < db->desc->n_tables; i++) {
        HMAP_FOR_EACH(row, struct ovsdb_row, node, &db->tables[i].rows) {
            if (row->unmentioned) {
                row_gone(row);
            }
        }
    }
    count_change(db);
}

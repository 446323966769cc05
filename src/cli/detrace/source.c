/* source.c - see source.h. */
#include "cli/detrace/source.h"

#include <stdlib.h>
#include "json/json.h"
#include "runtime/loop.h"

/* A table is read as a whole when more than one in WHOLE_PART of its rows, and MIN_WHOLE, were asked for. */
enum { MAX_LOST = 3, WHOLE_PART = 8, MIN_WHOLE = 500 };

void
source_init(struct source *s, struct loop *loop, const struct ovsdb_db_desc *desc, const char *remotes, bool leader_only)
{
    *s = (struct source) { .loop = loop, .db = ovsdb_create(loop, desc), .remotes = remotes };
    store_init(&s->store, desc);
    store_init(&s->kept, desc);
    s->tables = xcalloc(desc->n_tables, sizeof *s->tables);
    ovsdb_set_leader_only(s->db, leader_only);
}

void
source_destroy(struct source *s)
{
    if (s->db) {
        ovsdb_destroy(s->db);
        store_destroy(&s->store);
        store_destroy(&s->kept);
    }
    free(s->error);
    free(s->tables);
    free(s->index);
    free(s->wanted);
}

/* ---- asking ---- */

static bool
is_unreachable(struct source *s)
{
    size_t n_remotes = 1;

    for (const char *p = s->remotes; (p = strchr(p, ',')); p++) {
        n_remotes++;
    }
    if (ovsdb_n_unreachable(s->db) < n_remotes) {
        return false;
    }
    /* "REMOTE: PATH: connect: why": the reason alone. */
    const char *why = ovsdb_last_error(s->db), *p = why;
    while ((p = strstr(p, ": "))) {
        why = p += 2;
    }
    s->error = xasprintf("%s: database connection failed (%s)", s->remotes, why);
    return true;
}

bool
source_connect(struct source *s)
{
    if (s->error) {
        return false;
    }
    char *error = ovsdb_set_remotes(s->db, s->remotes);
    if (error) {
        s->error = xasprintf("%s: database connection failed (%s)", s->remotes, error);
        free(error);
        return false;
    }
    while (!ovsdb_is_connected(s->db)) {
        if (is_unreachable(s)) {
            return false;
        }
        loop_once(s->loop, -1);
    }
    return true;
}

/* A transaction that only reads, and who takes the answer: false if it makes no sense. */
struct asking {
    struct source *s;
    bool (*take)(struct source *, const struct ovsdb_txn_result *, void *aux);
    void *aux;
    bool answered, lost;
};

static void
answered(void *a_, const struct ovsdb_txn_result *result)
{
    struct asking *a = a_;

    a->answered = true;
    if (result->status == OVSDB_TXN_LOST) {
        a->lost = true;
    } else if (result->status != OVSDB_TXN_SUCCESS) {
        a->s->error = xasprintf("%s: reading the database failed: %s", a->s->remotes, result->error);
    } else if (!a->take(a->s, result, a->aux)) {
        a->s->error = xasprintf("%s: the database server's answer makes no sense", a->s->remotes);
    }
}

/* False if the connection broke, or there is an error. */
static bool
wait_for(struct asking *a, struct ovsdb_txn *txn)
{
    struct ovsdb_txn_handle *handle = ovsdb_txn_commit(txn, answered, a);

    while (!a->answered && !is_unreachable(a->s)) {
        loop_once(a->s->loop, -1);
    }
    if (!a->answered) {
        ovsdb_txn_cancel(handle);
    }
    return !a->lost && !a->s->error;
}

/* ---- the index ---- */

/* Appends the UUIDs of TABLE's rows, after JSON_ARRAY_BEGIN: [{"_uuid":["uuid","..."]}, ...] */
static bool
take_uuids(struct source *s, const struct ovsdb_table_desc *table, struct json_reader *r)
{
    char text[UUID_LEN + 1];

    while (json_next(r) == JSON_OBJECT_BEGIN) {
        GROW(s->index, s->cap_index, s->n_index + 1);
        struct source_uuid *u = &s->index[s->n_index++];
        u->table = table;
        if (json_next(r) != JSON_KEY || json_next(r) != JSON_ARRAY_BEGIN || json_next(r) != JSON_STRING || json_next(r) != JSON_STRING
            || r->s.n != UUID_LEN) {
            return false;
        }
        memcpy(text, r->s.p, UUID_LEN);
        text[UUID_LEN] = '\0';
        if (!uuid_parse(text, &u->uuid) || json_next(r) != JSON_ARRAY_END || json_next(r) != JSON_OBJECT_END) {
            return false;
        }
    }
    return r->token == JSON_ARRAY_END;
}

static bool
take_index(struct source *s, const struct ovsdb_txn_result *result, void *selects_)
{
    const struct selects *selects = selects_;
    struct json_reader r;
    size_t i = 0;
    bool ok;

    json_reader_init(&r, result->reply, result->reply_len);
    ok = json_next(&r) == JSON_ARRAY_BEGIN;
    while (ok && json_next(&r) == JSON_OBJECT_BEGIN && i < selects->n) {
        ok = json_next(&r) == JSON_KEY && json_string_is(&r, "rows") && json_next(&r) == JSON_ARRAY_BEGIN && take_uuids(s, selects->asked[i].t, &r)
             && json_next(&r) == JSON_OBJECT_END;
        i++;
    }
    json_reader_destroy(&r);
    return ok && i == selects->n;
}

static int
compare_uuids(const void *a_, const void *b_)
{
    const struct source_uuid *a = a_, *b = b_;
    int cmp = uuid_compare(&a->uuid, &b->uuid);

    return cmp ? cmp : (a->table->index > b->table->index) - (a->table->index < b->table->index);
}

bool
source_index(struct source *s, size_t n, const struct ovsdb_table_desc *const tables[])
{
    if (s->indexed) {
        return true;
    }
    for (int lost = 0; !s->indexed && lost < MAX_LOST && source_connect(s); lost++) {
        struct selects selects;
        struct asking a = { .s = s, .take = take_index, .aux = &selects };
        selects_init(&selects, s->db);
        for (size_t i = 0; i < n; i++) {
            if (ovsdb_has_table(s->db, tables[i])) {
                selects_put(&selects, tables[i], 0, NULL);
            }
        }
        s->n_index = 0;
        s->indexed = !selects.n || wait_for(&a, selects_txn(&selects));
        selects_destroy(&selects);
    }
    for (size_t i = 0; s->indexed && i < s->n_index; i++) {
        s->tables[s->index[i].table->index].n++;
    }
    if (s->indexed && s->n_index) {
        qsort(s->index, s->n_index, sizeof *s->index, compare_uuids);
    } else if (!s->indexed && !s->error) {
        s->error = xasprintf("%s: the connection to the database breaks again and again", s->remotes);
    }
    return s->indexed;
}

const struct source_uuid *
source_find(const struct source *s, uint32_t first, size_t *n)
{
    size_t low = 0, high = s->n_index;

    while (low < high) {
        size_t mid = low + (high - low) / 2;
        if (s->index[mid].uuid.parts[0] < first) {
            low = mid + 1;
        } else {
            high = mid;
        }
    }
    for (*n = 0; low + *n < s->n_index && s->index[low + *n].uuid.parts[0] == first;) {
        (*n)++;
    }
    return *n ? &s->index[low] : NULL;
}

/* ---- rows ---- */

static const struct stored_row *
find_row(const struct source *s, const struct ovsdb_table_desc *t, const struct uuid *uuid)
{
    return store_get(s->tables[t->index].whole ? &s->kept : &s->store, t, uuid);
}

void
source_want(struct source *s, const struct ovsdb_table_desc *t, const struct uuid *uuid)
{
    if (!s->tables[t->index].whole && !find_row(s, t, uuid)) {
        GROW(s->wanted, s->cap_wanted, s->n_wanted + 1);
        s->wanted[s->n_wanted++] = (struct source_uuid) { t, *uuid };
    }
}

static bool
take_rows(struct source *s, const struct ovsdb_txn_result *result, void *selects)
{
    return selects_take(selects, &s->store, result);
}

static bool
take_whole(struct source *s, const struct ovsdb_txn_result *result, void *selects)
{
    return selects_take(selects, &s->kept, result);
}

/* Sends what PUT puts. */
static bool
fetch(struct source *s, void (*put)(struct source *, struct selects *, void *aux), void *aux,
      bool (*take)(struct source *, const struct ovsdb_txn_result *, void *))
{
    for (int lost = 0; lost < MAX_LOST && source_connect(s); lost++) {
        struct selects selects;
        struct asking a = { .s = s, .take = take, .aux = &selects };
        selects_init(&selects, s->db);
        put(s, &selects, aux);
        bool ok = !selects.n || wait_for(&a, selects_txn(&selects));
        selects_destroy(&selects);
        if (ok) {
            return true;
        }
    }
    if (!s->error) {
        s->error = xasprintf("%s: the connection to the database breaks again and again", s->remotes);
    }
    return false;
}

struct what {
    uint64_t (*columns)(const struct ovsdb_table_desc *);
    size_t n;
    const struct ovsdb_table_desc *const *tables;
};

static void
put_wanted(struct source *s, struct selects *selects, void *what_)
{
    const struct what *what = what_;

    for (size_t i = 0; i < s->n_wanted; i++) {
        selects_put_uuid(selects, s->wanted[i].table, what->columns(s->wanted[i].table), &s->wanted[i].uuid);
    }
}

static void
put_tables(struct source *s, struct selects *selects, void *what_)
{
    const struct what *what = what_;

    for (size_t i = 0; i < what->n; i++) {
        if (ovsdb_has_table(s->db, what->tables[i])) {
            selects_put(selects, what->tables[i], what->columns(what->tables[i]), NULL);
        }
    }
}

/* Reads those tables as a whole of which so much is wanted that this is cheaper. */
static bool
fetch_whole_tables(struct source *s, uint64_t (*columns)(const struct ovsdb_table_desc *))
{
    size_t n_kept = 0;

    for (size_t i = 0; i < s->n_wanted; i++) {
        s->tables[s->wanted[i].table->index].n_read++;
    }
    for (size_t i = 0; i < s->n_wanted; i++) {
        const struct ovsdb_table_desc *t = s->wanted[i].table;
        struct source_table *st = &s->tables[t->index];
        if (!st->whole && st->n_read > MIN_WHOLE && st->n_read > st->n / WHOLE_PART) {
            if (!fetch(s, put_tables, &(struct what) { .columns = columns, .n = 1, .tables = &t }, take_whole)) {
                return false;
            }
            st->whole = true;
        }
        if (!st->whole) {
            s->wanted[n_kept++] = s->wanted[i];
        }
    }
    s->n_wanted = n_kept;
    return true;
}

bool
source_fetch(struct source *s, uint64_t (*columns)(const struct ovsdb_table_desc *))
{
    size_t n = 0;

    if (s->n_wanted) {
        qsort(s->wanted, s->n_wanted, sizeof *s->wanted, compare_uuids);
    }
    for (size_t i = 0; i < s->n_wanted; i++) {
        if (!n || compare_uuids(&s->wanted[n - 1], &s->wanted[i])) {
            s->wanted[n++] = s->wanted[i];
        }
    }
    s->n_wanted = n;
    bool ok = !s->error && fetch_whole_tables(s, columns) && (!s->n_wanted || fetch(s, put_wanted, &(struct what) { .columns = columns }, take_rows));
    s->n_wanted = 0;
    return ok;
}

bool
source_fetch_all(struct source *s, size_t n, const struct ovsdb_table_desc *const tables[], uint64_t (*columns)(const struct ovsdb_table_desc *))
{
    return fetch(s, put_tables, &(struct what) { .columns = columns, .n = n, .tables = tables }, take_rows);
}

struct equal {
    const struct ovsdb_table_desc *table;
    uint64_t columns;
    const char *clause;
};

static void
put_equal(struct source *s, struct selects *selects, void *equal_)
{
    const struct equal *equal = equal_;

    if (ovsdb_has_table(s->db, equal->table)) {
        selects_put(selects, equal->table, equal->columns, equal->clause);
    }
}

bool
source_fetch_equal(struct source *s, const struct ovsdb_table_desc *t, uint64_t columns, uint16_t column, const char *value)
{
    struct str clause = STR_INIT;

    str_printf(&clause, "[\"%s\",\"==\",", t->columns[column].name);
    json_put_cstr(&clause, value);
    str_putc(&clause, ']');
    bool ok = fetch(s, put_equal, &(struct equal) { t, columns | OVSDB_COLUMN(column), str_c(&clause) }, take_rows);
    str_free(&clause);
    return ok;
}

void
source_forget(struct source *s)
{
    store_clear(&s->store);
}

/* ---- values ---- */

const struct datum *
source_row(const struct source *s, const struct ovsdb_table_desc *t, const struct uuid *uuid)
{
    const struct stored_row *row = find_row(s, t, uuid);

    return row ? row->cells : NULL;
}

const char *
source_str(const struct datum *cells, uint16_t column)
{
    return cells && cells[column].n ? cells[column].k[0].s : "";
}

int64_t
source_int(const struct datum *cells, uint16_t column)
{
    return cells && cells[column].n ? cells[column].k[0].i : 0;
}

const char *
source_map(const struct datum *cells, uint16_t column, const char *key)
{
    size_t i = cells ? datum_find(&cells[column], &(union datum_atom) { .s = key }, OVSDB_STRING) : SIZE_MAX;

    return i == SIZE_MAX ? NULL : cells[column].v[i].s;
}

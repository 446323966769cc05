/* store.c - see store.h. Values come in the notation of RFC 7047 5.1: an atom, ["uuid", U], ["set", [...]], ["map", [[K, V]...]]. */
#include "cli/common/store.h"

#include <stdlib.h>
#include "json/json.h"

void
store_init(struct store *s, const struct ovsdb_db_desc *db)
{
    *s = (struct store) { .db = db, .tables = xcalloc(db->n_tables, sizeof *s->tables) };
    for (size_t i = 0; i < db->n_tables; i++) {
        hmap_init(&s->tables[i]);
    }
}

void
store_clear(struct store *s)
{
    for (size_t i = 0; i < s->db->n_tables; i++) {
        hmap_destroy(&s->tables[i]);
        hmap_init(&s->tables[i]);
    }
    arena_clear(&s->arena);
}

void
store_destroy(struct store *s)
{
    store_clear(s);
    free(s->tables);
}

struct stored_row *
store_get(const struct store *s, const struct ovsdb_table_desc *t, const struct uuid *uuid)
{
    HMAP_FOR_EACH_HASH(r, struct stored_row, node, uuid_hash(uuid), &s->tables[t->index]) {
        if (uuid_equal(&r->uuid, uuid)) {
            return r;
        }
    }
    return NULL;
}

/* ---- values ---- */

/* The rest of ["uuid", U], whose first element is current. */
static bool
take_uuid(struct json_reader *r, struct uuid *uuid)
{
    char text[UUID_LEN + 1];

    if (r->token != JSON_STRING || !json_string_is(r, "uuid") || json_next(r) != JSON_STRING || r->s.n != UUID_LEN) {
        return false;
    }
    memcpy(text, r->s.p, UUID_LEN);
    text[UUID_LEN] = '\0';
    return uuid_parse(text, uuid) && json_next(r) == JSON_ARRAY_END;
}

/* The atom whose first token is current; the last one is current then. */
static bool
take_atom(struct store *s, struct json_reader *r, const struct ovsdb_base_desc *base, union datum_atom *a)
{
    switch (base->type) {
    case OVSDB_INTEGER:
        a->i = r->i;
        return r->token == JSON_INTEGER;
    case OVSDB_REAL:
        a->d = r->token == JSON_INTEGER ? r->i : r->d;
        return r->token == JSON_INTEGER || r->token == JSON_REAL;
    case OVSDB_BOOLEAN:
        a->b = r->token == JSON_TRUE;
        return r->token == JSON_TRUE || r->token == JSON_FALSE;
    case OVSDB_STRING:
        if (r->token != JSON_STRING) {
            return false;
        }
        a->s = arena_strndup(&s->arena, r->s.p, r->s.n);
        return true;
    case OVSDB_UUID:
        return r->token == JSON_ARRAY_BEGIN && json_next(r) != JSON_ERROR && take_uuid(r, &a->u);
    }
    return false;
}

/* The elements of a set or map, up to the end of its array, in blocks that double. */
static bool
take_elements(struct store *s, struct json_reader *r, const struct ovsdb_column_desc *c, struct datum *d)
{
    bool map = c->shape == OVSDB_MAP;
    size_t cap = 0;

    while (json_next(r) != JSON_ARRAY_END) {
        if (d->n == cap) {
            cap = cap ? cap * 2 : 4;
            union datum_atom *k = ARENA_NEW(&s->arena, union datum_atom, cap), *v = map ? ARENA_NEW(&s->arena, union datum_atom, cap) : NULL;
            if (d->n) {
                memcpy(k, d->k, d->n * sizeof *k);
            }
            if (d->n && map) {
                memcpy(v, d->v, d->n * sizeof *v);
            }
            d->k = k;
            d->v = v;
        }
        if (map) {
            if (r->token != JSON_ARRAY_BEGIN || json_next(r) == JSON_ERROR || !take_atom(s, r, &c->key, &d->k[d->n])
                || json_next(r) == JSON_ERROR || !take_atom(s, r, &c->value, &d->v[d->n]) || json_next(r) != JSON_ARRAY_END) {
                return false;
            }
        } else if (!take_atom(s, r, &c->key, &d->k[d->n])) {
            return false;
        }
        d->n++;
    }
    return datum_sort(d, c->key.type) && json_next(r) == JSON_ARRAY_END;
}

static bool
take_value(struct store *s, struct json_reader *r, const struct ovsdb_column_desc *c, struct datum *d)
{
    bool array = r->token == JSON_ARRAY_BEGIN;

    *d = (struct datum) { .n = 0 };
    if (array && json_next(r) == JSON_STRING && (json_string_is(r, "set") || json_string_is(r, "map"))) {
        return json_next(r) == JSON_ARRAY_BEGIN && take_elements(s, r, c, d);
    }
    if (c->shape == OVSDB_MAP) {
        return false;
    }
    d->n = 1;
    d->k = ARENA_NEW(&s->arena, union datum_atom, 1);
    return array ? c->key.type == OVSDB_UUID && take_uuid(r, &d->k->u) : take_atom(s, r, &c->key, d->k);
}

/* ---- rows ---- */

static struct stored_row *
row_make(struct store *s, const struct ovsdb_table_desc *t, const struct uuid *uuid)
{
    struct stored_row *row = store_get(s, t, uuid);

    if (!row) {
        row = ARENA_NEW(&s->arena, struct stored_row, 1);
        row->uuid = *uuid;
        row->cells = ARENA_NEW(&s->arena, struct datum, t->n_columns);
        hmap_insert(&s->tables[t->index], &row->node, uuid_hash(uuid));
    }
    return row;
}

/* One row, an object, whose first token is current. */
static bool
take_row(struct store *s, const struct ovsdb_table_desc *t, uint64_t columns, struct json_reader *r, struct datum *cells)
{
    static const struct ovsdb_base_desc uuid_base = { .type = OVSDB_UUID };
    const struct ovsdb_column_desc *c;
    union datum_atom uuid;
    bool has_uuid = false;
    uint64_t got = 0;
    char name[64];

    while (json_next(r) == JSON_KEY) {
        size_t n = MIN(r->s.n, sizeof name - 1);
        memcpy(name, r->s.p, n);
        name[n] = '\0';
        json_next(r);
        if (str_eq(name, "_uuid")) {
            has_uuid = take_atom(s, r, &uuid_base, &uuid);
        } else if ((c = ovsdb_column_find(t, name)) && (columns & OVSDB_COLUMN(c->index))) {
            if (!take_value(s, r, c, &cells[c->index])) {
                return false;
            }
            got |= OVSDB_COLUMN(c->index);
        } else if (!json_skip(r)) {
            return false;
        }
    }
    if (r->token != JSON_OBJECT_END || !has_uuid) {
        return false;
    }
    struct stored_row *row = row_make(s, t, &uuid.u);
    for (uint16_t i = 0; i < t->n_columns; i++) {
        if (columns & OVSDB_COLUMN(i)) {
            row->cells[i] = got & OVSDB_COLUMN(i) ? cells[i] : datum_default(&s->arena, &t->columns[i]);
        }
    }
    row->columns |= columns;
    return true;
}

bool
store_take(struct store *s, const struct ovsdb_table_desc *t, uint64_t columns, struct json_reader *r)
{
    struct datum *cells = ARENA_NEW(&s->arena, struct datum, t->n_columns);

    if (r->token != JSON_ARRAY_BEGIN) {
        return false;
    }
    while (json_next(r) == JSON_OBJECT_BEGIN) {
        if (!take_row(s, t, columns, r, cells)) {
            return false;
        }
    }
    return r->token == JSON_ARRAY_END;
}

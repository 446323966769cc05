/* decode.c - values in the notation of RFC 7047 5.1, from the pull reader to atoms.
 *
 *     <value>  <atom> | ["set", [<atom>*]] | ["map", [[<atom>, <atom>]*]]
 *     <atom>   text | number | true | false | ["uuid", "..."]
 *
 * An element by itself is a set of one. Nothing is kept but the atoms: they go to a sink, which is either a
 * replica's column (ovsdb_values) or a record (record.c). */
#include "ovsdb/rows.h"

#include <stdlib.h>

/* The reader stands on "uuid". */
static const char *
decode_uuid(struct json_reader *r, const struct ovsdb_base_desc *base, struct ovsdb_sink *sink)
{
    struct uuid u;

    if (base->type != OVSDB_UUID) {
        return "a UUID where none belongs";
    }
    if (json_next(r) != JSON_STRING || r->s.n != UUID_LEN || !uuid_parse(r->s.p, &u)) {
        return "malformed UUID";
    }
    const char *error = sink->atom(sink, base, r, &u);
    if (!error && json_next(r) != JSON_ARRAY_END) {
        error = "malformed UUID";
    }
    return error;
}

static const char *
decode_atom(struct json_reader *r, const struct ovsdb_base_desc *base, struct ovsdb_sink *sink)
{
    switch (base->type) {
    case OVSDB_INTEGER:
        if (r->token != JSON_INTEGER) {
            return "expected an integer";
        }
        break;
    case OVSDB_REAL:
        if (r->token != JSON_REAL && r->token != JSON_INTEGER) {
            return "expected a number";
        }
        break;
    case OVSDB_BOOLEAN:
        if (r->token != JSON_TRUE && r->token != JSON_FALSE) {
            return "expected true or false";
        }
        break;
    case OVSDB_STRING:
        if (r->token != JSON_STRING) {
            return "expected a string";
        }
        /* Only an escape can make one, and then the text is not in the message. */
        if ((r->s.p < r->start || r->s.p >= r->end) && memchr(r->s.p, 0, r->s.n)) {
            return "a string contains a null character";
        }
        break;
    case OVSDB_UUID:
        if (r->token != JSON_ARRAY_BEGIN || json_next(r) != JSON_STRING || !json_string_is(r, "uuid")) {
            return "expected a UUID";
        }
        return decode_uuid(r, base, sink);
    }
    return sink->atom(sink, base, r, NULL);
}

/* The reader stands on "set" or "map". */
static const char *
decode_elements(struct json_reader *r, const struct ovsdb_column_desc *c, bool map, struct ovsdb_sink *sink, size_t *n)
{
    const char *error = NULL;

    if (json_next(r) != JSON_ARRAY_BEGIN) {
        return "malformed set or map";
    }
    while (!error && json_next(r) != JSON_ARRAY_END) {
        ++*n;
        if (!map) {
            error = c->shape == OVSDB_MAP ? "expected a map" : decode_atom(r, &c->key, sink);
        } else if (r->token != JSON_ARRAY_BEGIN) {
            error = "malformed map";
        } else {
            json_next(r);
            error = decode_atom(r, &c->key, sink);
            if (!error) {
                json_next(r);
                error = decode_atom(r, &c->value, sink);
            }
            if (!error && json_next(r) != JSON_ARRAY_END) {
                error = "malformed map";
            }
        }
    }
    if (!error && json_next(r) != JSON_ARRAY_END) {
        error = "malformed set or map";
    }
    return error;
}

const char *
ovsdb_decode(struct json_reader *r, const struct ovsdb_column_desc *c, struct ovsdb_sink *sink, size_t *n)
{
    const char *error;

    *n = 0;
    if (r->token != JSON_ARRAY_BEGIN) {
        *n = 1;
        return c->shape == OVSDB_MAP ? "expected a map" : decode_atom(r, &c->key, sink);
    } else if (json_next(r) != JSON_STRING) {
        return "expected a value";
    } else if (json_string_is(r, "uuid")) {
        *n = 1;
        return c->shape == OVSDB_MAP ? "expected a map" : decode_uuid(r, &c->key, sink);
    } else if (json_string_is(r, "set")) {
        error = decode_elements(r, c, false, sink, n);
    } else if (json_string_is(r, "map") && c->shape == OVSDB_MAP) {
        error = decode_elements(r, c, true, sink, n);
    } else {
        return "expected a value";
    }
    if (!error && c->shape == OVSDB_ONE && *n != 1) {
        error = "expected exactly one value";
    } else if (!error && c->shape == OVSDB_OPT && *n > 1) {
        error = "expected at most one value";
    }
    return error;
}

/* ---- the replica's sink ---- */

static const char *
values_atom(struct ovsdb_sink *sink, const struct ovsdb_base_desc *base, const struct json_reader *r,
            const struct uuid *uuid)
{
    struct ovsdb_values *v = CONTAINER_OF(sink, struct ovsdb_values, sink);
    union ovsdb_atom atom = { .i = 0 };

    switch (base->type) {
    case OVSDB_INTEGER:
        atom.i = r->i;
        break;
    case OVSDB_REAL:
        atom.d = (r->token == JSON_INTEGER ? (double) r->i : r->d) + 0.0;      /* No -0. */
        break;
    case OVSDB_BOOLEAN:
        atom.b = r->token == JSON_TRUE;
        break;
    case OVSDB_STRING:
        atom.s = r->s.n ? intern(r->s.p, r->s.n) : ovsdb_blank_text();
        break;
    case OVSDB_UUID:
        if (base->ref) {
            atom.row = ovsdb_row_make(&v->db->tables[base->ref->index], uuid);
        } else {
            atom.s = uuid_is_zero(uuid) ? ovsdb_blank_uuid() : intern((const char *) uuid, sizeof *uuid);
        }
        break;
    }
    if (v->n >= v->cap) {
        GROW(v->a, v->cap, v->n + 1);
    }
    v->a[v->n++] = atom;
    return NULL;
}

void
ovsdb_values_init(struct ovsdb_values *v, struct ovsdb *db)
{
    *v = (struct ovsdb_values) { .sink.atom = values_atom, .db = db };
}

void
ovsdb_values_destroy(struct ovsdb_values *v)
{
    free(v->a);
}

static int
compare_elements(const void *a, const void *b, const void *base)
{
    return ovsdb_atom_compare(a, b, base);
}

/* Sorts the N elements and drops duplicates of a key; the last one stays. Returns how many are left. */
static size_t
values_canonicalize(struct ovsdb_values *v, const struct ovsdb_column_desc *c, size_t n)
{
    size_t stride = ovsdb_stride(c), i;

    for (i = 1; i < n && ovsdb_atom_compare(&v->a[(i - 1) * stride], &v->a[i * stride], &c->key) < 0; i++) {
    }
    if (i >= n) {
        return n;              /* As ovsdb-server sends them. */
    }
    ovsdb_sort(v->a, n, stride * sizeof *v->a, compare_elements, &c->key);
    size_t out = 0;
    for (i = 0; i < n; i++) {
        union ovsdb_atom *e = &v->a[i * stride];
        if (i + 1 < n && !ovsdb_atom_compare(e, e + stride, &c->key)) {
            for (size_t k = 0; k < stride; k++) {
                ovsdb_atom_release(&e[k], ovsdb_base(c, k));
            }
        } else {
            memmove(&v->a[out++ * stride], e, stride * sizeof *e);
        }
    }
    return out;
}

const char *
ovsdb_values_read(struct ovsdb_values *v, struct json_reader *r, const struct ovsdb_column_desc *c, size_t *n)
{
    v->n = 0;
    const char *error = ovsdb_decode(r, c, &v->sink, n);
    if (error) {
        for (size_t i = 0; i < v->n; i++) {
            ovsdb_atom_release(&v->a[i], ovsdb_base(c, i));
        }
        return error;
    }
    if (c->shape == OVSDB_ONE && c->key.ref && uuid_is_zero(&v->a[0].row->uuid)) {
        v->a[0].row = NULL;    /* The default: no reference at all. */
    } else if (*n > 1) {
        *n = values_canonicalize(v, c, *n);
    }
    return NULL;
}

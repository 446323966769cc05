/* datum.c - values of columns: order, set operations, text; see datum.h. */
#include "cli/common/datum.h"

#include <ctype.h>
#include <stdlib.h>
#include "json/json.h"
#include "ovsdb/rows.h"

/* ---- order ---- */

int
datum_atom_compare(const union datum_atom *a, const union datum_atom *b, enum ovsdb_type type)
{
    switch (type) {
    case OVSDB_INTEGER:
        return a->i < b->i ? -1 : a->i > b->i;
    case OVSDB_REAL:
        return a->d < b->d ? -1 : a->d > b->d;
    case OVSDB_BOOLEAN:
        return a->b - b->b;
    case OVSDB_STRING:
        return strcmp(a->s, b->s);
    case OVSDB_UUID:
        break;
    }
    return uuid_compare(&a->u, &b->u);
}

int
datum_compare(const struct datum *a, const struct datum *b, const struct ovsdb_column_desc *c)
{
    if (a->n != b->n) {
        return a->n < b->n ? -1 : 1;
    }
    for (size_t i = 0; i < a->n; i++) {
        int cmp = datum_atom_compare(&a->k[i], &b->k[i], c->key.type);
        if (cmp) {
            return cmp;
        }
    }
    for (size_t i = 0; c->shape == OVSDB_MAP && i < a->n; i++) {
        int cmp = datum_atom_compare(&a->v[i], &b->v[i], c->value.type);
        if (cmp) {
            return cmp;
        }
    }
    return 0;
}

size_t
datum_find(const struct datum *d, const union datum_atom *key, enum ovsdb_type type)
{
    size_t lo = 0, hi = d->n;

    while (lo < hi) {
        size_t mid = lo + (hi - lo) / 2;
        int cmp = datum_atom_compare(&d->k[mid], key, type);
        if (!cmp) {
            return mid;
        } else if (cmp < 0) {
            lo = mid + 1;
        } else {
            hi = mid;
        }
    }
    return SIZE_MAX;
}

/* Whether element I of A is in B, as key and, if there are values in both, value. */
static bool
has_element(const struct datum *a, size_t i, const struct datum *b, const struct ovsdb_column_desc *c)
{
    size_t j = datum_find(b, &a->k[i], c->key.type);
    return j != SIZE_MAX && (!a->v || !b->v || !datum_atom_compare(&a->v[i], &b->v[j], c->value.type));
}

bool
datum_is_subset(const struct datum *a, const struct datum *b, const struct ovsdb_column_desc *c)
{
    for (size_t i = 0; i < a->n; i++) {
        if (!has_element(a, i, b, c)) {
            return false;
        }
    }
    return true;
}

bool
datum_sort(struct datum *d, enum ovsdb_type type)
{
    bool unique = true, sorted = true;

    for (size_t i = 1; i < d->n; i++) {
        int cmp = datum_atom_compare(&d->k[i - 1], &d->k[i], type);
        unique &= cmp != 0;
        sorted &= cmp <= 0;
    }
    if (sorted) {
        return unique;
    }
    /* Insertion by binary search: values come sorted or are short; large ones are read from rows, sorted. */
    for (size_t i = 1; i < d->n; i++) {
        union datum_atom k = d->k[i], v = d->v ? d->v[i] : (union datum_atom) { .i = 0 };
        size_t lo = 0, hi = i;
        while (lo < hi) {
            size_t mid = lo + (hi - lo) / 2;
            if (datum_atom_compare(&d->k[mid], &k, type) <= 0) {
                lo = mid + 1;
            } else {
                hi = mid;
            }
        }
        memmove(&d->k[lo + 1], &d->k[lo], (i - lo) * sizeof *d->k);
        d->k[lo] = k;
        if (d->v) {
            memmove(&d->v[lo + 1], &d->v[lo], (i - lo) * sizeof *d->v);
            d->v[lo] = v;
        }
    }
    return datum_sort(d, type);
}

/* ---- set operations ---- */

static struct datum
datum_room(struct arena *arena, size_t n, const struct ovsdb_column_desc *c)
{
    return (struct datum) { .k = ARENA_NEW(arena, union datum_atom, n),
                            .v = c->shape == OVSDB_MAP ? ARENA_NEW(arena, union datum_atom, n) : NULL };
}

static void
datum_append(struct datum *d, const struct datum *from, size_t i)
{
    d->k[d->n] = from->k[i];
    if (d->v && from->v) {
        d->v[d->n] = from->v[i];
    }
    d->n++;
}

struct datum
datum_minus(struct arena *arena, const struct datum *a, const struct datum *b, const struct ovsdb_column_desc *c)
{
    struct datum d = datum_room(arena, a->n, c);

    for (size_t i = 0; i < a->n; i++) {
        if (!has_element(a, i, b, c)) {
            datum_append(&d, a, i);
        }
    }
    return d;
}

struct datum
datum_without_keys(struct arena *arena, const struct datum *a, const struct datum *keys, const struct ovsdb_column_desc *c)
{
    return datum_minus(arena, a, &(struct datum) { .n = keys->n, .k = keys->k }, c);
}

struct datum
datum_union(struct arena *arena, const struct datum *a, const struct datum *b, const struct ovsdb_column_desc *c)
{
    struct datum d = datum_room(arena, a->n + b->n, c);
    size_t i = 0, j = 0;

    while (i < a->n || j < b->n) {
        int cmp = i == a->n ? 1 : j == b->n ? -1 : datum_atom_compare(&a->k[i], &b->k[j], c->key.type);
        if (cmp <= 0) {
            datum_append(&d, a, i++);
            j += !cmp;
        } else {
            datum_append(&d, b, j++);
        }
    }
    return d;
}

/* ---- making ---- */

static struct datum
datum_of(struct arena *arena, union datum_atom atom)
{
    struct datum d = { .n = 1, .k = ARENA_NEW(arena, union datum_atom, 1) };
    *d.k = atom;
    return d;
}

struct datum
datum_default(struct arena *arena, const struct ovsdb_column_desc *c)
{
    union datum_atom zero;

    if (c->shape != OVSDB_ONE) {
        return (struct datum) { .n = 0 };
    }
    memset(&zero, 0, sizeof zero);
    switch (c->key.type) {
    case OVSDB_REAL:
        zero.d = 0;
        break;
    case OVSDB_STRING:
        zero.s = "";
        break;
    default:
        break;
    }
    return datum_of(arena, zero);
}

struct datum
datum_of_str(struct arena *arena, const char *s)
{
    return datum_of(arena, (union datum_atom) { .s = arena_strdup(arena, s) });
}

struct datum
datum_of_strs(struct arena *arena, size_t n, const char *const strs[])
{
    struct datum d = { .k = ARENA_NEW(arena, union datum_atom, n) };

    for (size_t i = 0; i < n; i++) {
        bool seen = false;
        for (size_t j = 0; j < d.n; j++) {
            seen |= str_eq(d.k[j].s, strs[i]);
        }
        if (!seen) {
            d.k[d.n++].s = arena_strdup(arena, strs[i]);
        }
    }
    datum_sort(&d, OVSDB_STRING);
    return d;
}

struct datum
datum_of_int(struct arena *arena, int64_t i)
{
    return datum_of(arena, (union datum_atom) { .i = i });
}

struct datum
datum_of_bool(struct arena *arena, bool b)
{
    return datum_of(arena, (union datum_atom) { .b = b });
}

struct datum
datum_of_uuid(struct arena *arena, const struct uuid *u)
{
    return datum_of(arena, (union datum_atom) { .u = *u });
}

/* ---- text ---- */

/* Whether S can stand without quotes. */
static bool
is_plain(const char *s)
{
    struct uuid uuid;

    if (!isalpha((unsigned char) *s) && *s != '_') {
        return false;
    }
    for (const char *p = s; *p; p++) {
        if (!isalnum((unsigned char) *p) && !strchr("_-.", *p)) {
            return false;
        }
    }
    return !str_eq(s, "true") && !str_eq(s, "false") && !(strlen(s) == UUID_LEN && uuid_parse(s, &uuid));
}

void
datum_put_atom(struct str *out, const union datum_atom *a, enum ovsdb_type type, enum datum_style style)
{
    switch (type) {
    case OVSDB_INTEGER:
        json_put_int(out, a->i);
        break;
    case OVSDB_REAL:
        json_put_real(out, a->d);
        break;
    case OVSDB_BOOLEAN:
        str_puts(out, a->b ? "true" : "false");
        break;
    case OVSDB_STRING:
        if (style == DATUM_BARE || (style == DATUM_STRING && is_plain(a->s))) {
            str_puts(out, a->s);
        } else {
            json_put_cstr(out, a->s);
        }
        break;
    case OVSDB_UUID:
        str_printf(out, style == DATUM_JSON ? "[\"uuid\",\"" UUID_FMT "\"]" : UUID_FMT, UUID_ARGS(&a->u));
        break;
    }
}

/* RFC 7047 5.1 <value>. */
static void
put_json(struct str *out, const struct datum *d, const struct ovsdb_column_desc *c)
{
    bool map = c->shape == OVSDB_MAP;

    if (!map && d->n == 1) {
        datum_put_atom(out, &d->k[0], c->key.type, DATUM_JSON);
        return;
    }
    str_puts(out, map ? "[\"map\",[" : "[\"set\",[");
    for (size_t i = 0; i < d->n; i++) {
        str_puts(out, i ? "," : "");
        str_puts(out, map ? "[" : "");
        datum_put_atom(out, &d->k[i], c->key.type, DATUM_JSON);
        if (map) {
            str_putc(out, ',');
            datum_put_atom(out, &d->v[i], c->value.type, DATUM_JSON);
            str_putc(out, ']');
        }
    }
    str_puts(out, "]]");
}

void
datum_put(struct str *out, const struct datum *d, const struct ovsdb_column_desc *c, enum datum_style style)
{
    bool map = c->shape == OVSDB_MAP;
    bool brackets = style == DATUM_STRING && (map || d->n != 1 || c->max > 1);

    if (style == DATUM_JSON) {
        put_json(out, d, c);
        return;
    }
    str_puts(out, !brackets ? "" : map ? "{" : "[");
    for (size_t i = 0; i < d->n; i++) {
        str_puts(out, !i ? "" : style == DATUM_BARE ? " " : ", ");
        datum_put_atom(out, &d->k[i], c->key.type, style);
        if (map) {
            str_putc(out, '=');
            datum_put_atom(out, &d->v[i], c->value.type, style);
        }
    }
    str_puts(out, !brackets ? "" : map ? "}" : "]");
}

/* types.c - looking into values: atoms, sets, maps; see types.h. */
#include "ovsdb/rows.h"

#include <stdlib.h>

/* ---- atoms ---- */

struct uuid
ovsdb_atom_uuid(const union ovsdb_atom *a, const struct ovsdb_base_desc *base)
{
    struct uuid u = { { 0 } };

    if (base->ref) {
        if (a->row) {
            u = a->row->uuid;
        }
    } else if (a->s) {
        memcpy(&u, a->s, sizeof u);
    }
    return u;
}

int
ovsdb_atom_compare(const union ovsdb_atom *a, const union ovsdb_atom *b, const struct ovsdb_base_desc *base)
{
    switch (base->type) {
    case OVSDB_INTEGER:
        return a->i < b->i ? -1 : a->i > b->i;
    case OVSDB_REAL:
        return a->d < b->d ? -1 : a->d > b->d;
    case OVSDB_BOOLEAN:
        return a->b - b->b;
    case OVSDB_STRING:
        return a->s == b->s ? 0 : strcmp(a->s, b->s);
    case OVSDB_UUID:
        break;
    }
    if (base->ref ? a->row == b->row : a->s == b->s) {
        return 0;
    }
    struct uuid u = ovsdb_atom_uuid(a, base), v = ovsdb_atom_uuid(b, base);
    return uuid_compare(&u, &v);
}

/* ---- sets and maps ---- */

size_t
ovsdb_atoms_find(const union ovsdb_atom *v, size_t n, size_t stride, const union ovsdb_atom *key,
                 const struct ovsdb_base_desc *base, bool *found)
{
    size_t lo = 0, hi = n;

    *found = false;
    while (lo < hi) {
        size_t mid = lo + (hi - lo) / 2;
        int cmp = ovsdb_atom_compare(&v[mid * stride], key, base);
        if (!cmp) {
            *found = true;
            return mid;
        } else if (cmp < 0) {
            lo = mid + 1;
        } else {
            hi = mid;
        }
    }
    return lo;
}

const char *
ovsdb_map_get(const struct ovsdb_map *map, const char *key)
{
    size_t lo = 0, hi = map->n;

    while (lo < hi) {
        size_t mid = lo + (hi - lo) / 2;
        int cmp = strcmp(map->v[mid].k.s, key);
        if (!cmp) {
            return map->v[mid].v.s;
        } else if (cmp < 0) {
            lo = mid + 1;
        } else {
            hi = mid;
        }
    }
    return NULL;
}

bool
ovsdb_map_get_bool(const struct ovsdb_map *map, const char *key, bool default_)
{
    const char *s = ovsdb_map_get(map, key);
    return s && str_eq(s, "true") ? true : s && str_eq(s, "false") ? false : default_;
}

int64_t
ovsdb_map_get_int(const struct ovsdb_map *map, const char *key, int64_t default_)
{
    const char *s = ovsdb_map_get(map, key);
    int64_t i;
    return s && str_to_int(s, INT64_MIN, INT64_MAX, &i) ? i : default_;
}

bool
ovsdb_set_has_str(const struct ovsdb_set *set, const char *s)
{
    static const struct ovsdb_base_desc text = { .type = OVSDB_STRING };
    bool found;

    ovsdb_atoms_find(set->v, set->n, 1, &(union ovsdb_atom) { .s = s }, &text, &found);
    return found;
}

bool
ovsdb_set_has_ref(const struct ovsdb_set *set, const struct ovsdb_base_desc *base, const struct uuid *uuid)
{
    struct ovsdb_row probe = { .uuid = *uuid };
    bool found;

    ovsdb_atoms_find(set->v, set->n, 1, &(union ovsdb_atom) { .row = &probe }, base, &found);
    return found;
}

/* ---- sorting ---- */

static void
merge_sort(char *a, char *tmp, size_t n, size_t size, ovsdb_compare_cb *cmp, const void *aux)
{
    if (n < 2) {
        return;
    }
    size_t half = n / 2;
    merge_sort(a, tmp, half, size, cmp, aux);
    merge_sort(a + half * size, tmp, n - half, size, cmp, aux);
    char *l = tmp, *lend = tmp + half * size;
    char *r = a + half * size, *rend = a + n * size, *out = a;
    if (cmp(r - size, r, aux) <= 0) {
        return;
    }
    memcpy(tmp, a, half * size);
    while (l < lend) {
        bool right = r < rend && cmp(l, r, aux) > 0;
        memcpy(out, right ? r : l, size);
        *(right ? &r : &l) += size;
        out += size;
    }
}

void
ovsdb_sort(void *a, size_t n, size_t size, ovsdb_compare_cb *cmp, const void *aux)
{
    char *tmp = xmalloc(n / 2 * size);
    merge_sort(a, tmp, n, size, cmp, aux);
    free(tmp);
}

/* parse.c - reading values as a person writes them: ovn-nbctl(8), "Database Values".
 *
 * A value is made of words and the characters :=,[]{}!<> ; a word is a JSON string in double quotes, or a run of other characters
 * without white space. Sets stand in [] or in nothing, maps in {} or in nothing, elements separated by a comma or white space.
 * In a set of integers, LOW-HIGH is all of them (ovs-vsctl(8)). */
#include "cli/common/datum.h"

#include <ctype.h>
#include <math.h>
#include <stdlib.h>
#include "json/json.h"

enum { MAX_RANGE = 65536 };

static const char special[] = ":=, []{}!<>\t\r\n";

static const char *
skip_space(const char *p)
{
    while (isspace((unsigned char) *p)) {
        p++;
    }
    return p;
}

static const char *
parse_quoted(struct arena *arena, const char *text, const char **end, const char **word)
{
    const char *p = text + 1;

    while (*p != '"') {
        if (!*p || (*p == '\\' && !*++p)) {
            return arena_printf(arena, "%s: quoted string extends past end of argument", text);
        }
        p++;
    }
    p++;
    struct json_reader r;
    json_reader_init(&r, text, p - text);
    const char *error = NULL;
    if (json_next(&r) != JSON_STRING) {
        error = arena_printf(arena, "%.*s: not a valid JSON string", (int) (p - text), text);
    } else if (memchr(r.s.p, '\0', r.s.n)) {
        error = arena_printf(arena, "%.*s: null bytes are not allowed", (int) (p - text), text);
    } else {
        *word = arena_strndup(arena, r.s.p, r.s.n);
        *end = p;
    }
    json_reader_destroy(&r);
    return error;
}

const char *
datum_parse_word(struct arena *arena, const char *text, const char **end, const char **word)
{
    if (*text == '"') {
        return parse_quoted(arena, text, end, word);
    }
    size_t n = 0;
    while (text[n] && !strchr(special, text[n])) {
        const char *closing = text[n] == '"' ? strchr(text + n + 1, '"') : NULL;
        n = closing ? (size_t) (closing + 1 - text) : n + 1;     /* What stands in quotes within a word belongs to it. */
    }
    *word = arena_strndup(arena, text, n);
    *end = text + n;
    return NULL;
}

/* ---- atoms ---- */

static const char *
check_integer(struct arena *arena, const struct ovsdb_base_desc *base, int64_t i)
{
    if (i < base->min_integer || i > base->max_integer) {
        return base->max_integer == INT64_MAX
                   ? arena_printf(arena, "constraint violation: %lld is less than minimum allowed value %lld", (long long) i,
                                  (long long) base->min_integer)
               : base->min_integer == INT64_MIN
                   ? arena_printf(arena, "constraint violation: %lld is greater than maximum allowed value %lld", (long long) i,
                                  (long long) base->max_integer)
                   : arena_printf(arena, "constraint violation: %lld is not in the valid range %lld to %lld (inclusive)",
                                  (long long) i, (long long) base->min_integer, (long long) base->max_integer);
    }
    return NULL;
}

static int
compare_texts(const void *a, const void *b)
{
    return strcmp(*(const char *const *) a, *(const char *const *) b);
}

static const char *
check_string(struct arena *arena, const struct ovsdb_base_desc *base, const char *s)
{
    struct str names = STR_INIT;
    size_t n = 0;

    if (!base->enum_strings) {
        return NULL;
    }
    for (; base->enum_strings[n]; n++) {
        if (str_eq(base->enum_strings[n], s)) {
            return NULL;
        }
    }
    const char **sorted = ARENA_NEW(arena, const char *, n);
    memcpy(sorted, base->enum_strings, n * sizeof *sorted);
    qsort(sorted, n, sizeof *sorted, compare_texts);
    for (size_t i = 0; i < n; i++) {
        str_puts(&names, i ? ", " : "");
        datum_put_atom(&names, &(union datum_atom) { .s = sorted[i] }, OVSDB_STRING, DATUM_STRING);
    }
    return arena_printf(arena, "constraint violation: %s is not one of the allowed values ([%s])", s, arena_take(arena, &names));
}

/* WORD as an atom of type BASE; QUOTED: it stood in quotes. */
static const char *
atom_from_word(const struct datum_parser *p, const struct ovsdb_base_desc *base, const char *word, bool quoted, union datum_atom *a)
{
    struct arena *arena = p->arena;
    char *end;

    memset(a, 0, sizeof *a);
    switch (base->type) {
    case OVSDB_INTEGER:
        if (quoted || !str_to_int(word, INT64_MIN, INT64_MAX, &a->i)) {
            return arena_printf(arena, "\"%s\" is not a valid integer or range", word);
        }
        return check_integer(arena, base, a->i);
    case OVSDB_REAL:
        a->d = strtod(word, &end);
        if (quoted || !*word || *end || !isfinite(a->d)) {
            return arena_printf(arena, "\"%s\" is not a valid real number", word);
        }
        return NULL;
    case OVSDB_BOOLEAN:
        a->b = str_eq(word, "true") || str_eq(word, "yes") || str_eq(word, "on") || str_eq(word, "1");
        if (!a->b && !str_eq(word, "false") && !str_eq(word, "no") && !str_eq(word, "off") && !str_eq(word, "0")) {
            return arena_printf(arena, "\"%s\" is not a valid boolean (use \"true\" or \"false\")", word);
        }
        return NULL;
    case OVSDB_STRING:
        if (!quoted && !*word) {
            return arena_strdup(arena, "An empty string is not valid as input; use \"\" to represent the empty string");
        }
        a->s = word;
        return check_string(arena, base, word);
    case OVSDB_UUID:
        break;
    }
    if (*word == '@' && p->symbol) {
        return p->symbol(p->aux, word, &a->u);
    }
    if (strlen(word) != UUID_LEN || !uuid_parse(word, &a->u)) {
        return arena_printf(arena, "\"%s\" is not a valid UUID", word);
    }
    return NULL;
}

const char *
datum_parse_atom(const struct datum_parser *p, const struct ovsdb_base_desc *base, const char *text, const char **end,
                 union datum_atom *a)
{
    const char *word;
    const char *error = datum_parse_word(p->arena, text, end, &word);

    return error ? error : atom_from_word(p, base, word, *text == '"', a);
}

const char *
datum_parse_whole_atom(const struct datum_parser *p, const struct ovsdb_base_desc *base, const char *text, union datum_atom *a)
{
    const char *word = text, *end;

    if (*text == '"') {
        const char *error = parse_quoted(p->arena, text, &end, &word);
        if (error || *end) {
            return error ? error : arena_printf(p->arena, "%s: missing quote at end of quoted string", text);
        }
    }
    return atom_from_word(p, base, word, *text == '"', a);
}

/* ---- sets and maps ---- */

struct builder {
    const struct datum_parser *p;
    const struct ovsdb_column_desc *c;
    struct datum d;
    size_t cap;
};

static void
builder_add(struct builder *b, const union datum_atom *k, const union datum_atom *v)
{
    if (b->d.n == b->cap) {
        size_t cap = b->cap ? b->cap * 2 : 4;
        union datum_atom *nk = ARENA_NEW(b->p->arena, union datum_atom, cap);
        union datum_atom *nv = v ? ARENA_NEW(b->p->arena, union datum_atom, cap) : NULL;
        if (b->d.n) {
            memcpy(nk, b->d.k, b->d.n * sizeof *nk);
            if (v) {
                memcpy(nv, b->d.v, b->d.n * sizeof *nv);
            }
        }
        b->d.k = nk;
        b->d.v = nv;
        b->cap = cap;
    }
    b->d.k[b->d.n] = *k;
    if (v) {
        b->d.v[b->d.n] = *v;
    }
    b->d.n++;
}

/* LOW-HIGH in a set of integers. False: WORD is no range. */
static bool
add_range(struct builder *b, const char *word, const char **error)
{
    const char *dash = *word ? strchr(word + 1, '-') : NULL;
    int64_t low, high;

    if (!dash || !str_to_int(arena_strndup(b->p->arena, word, dash - word), INT64_MIN, INT64_MAX, &low)
        || !str_to_int(dash + 1, INT64_MIN, INT64_MAX, &high)) {
        return false;
    }
    *error = NULL;
    if (low > high || (uint64_t) high - (uint64_t) low >= MAX_RANGE) {
        *error = arena_printf(b->p->arena, "\"%s\" is not a valid range", word);
    } else if (!(*error = check_integer(b->p->arena, &b->c->key, low)) && !(*error = check_integer(b->p->arena, &b->c->key, high))) {
        for (int64_t i = low; i <= high; i++) {
            builder_add(b, &(union datum_atom) { .i = i }, NULL);
        }
    }
    return true;
}

/* "set of strings", "map of (string, string) pairs": what is expected. */
static const char *
kind_of(struct arena *arena, const struct ovsdb_column_desc *c)
{
    static const char *const names[] = {
        [OVSDB_INTEGER] = "integer", [OVSDB_REAL] = "real", [OVSDB_BOOLEAN] = "boolean", [OVSDB_STRING] = "string", [OVSDB_UUID] = "UUID",
    };
    return c->shape == OVSDB_MAP ? arena_printf(arena, "map of (%s, %s) pairs", names[c->key.type], names[c->value.type])
                                 : arena_printf(arena, "set of %ss", names[c->key.type]);
}

static const char *
parse_element(struct builder *b, const char *text, const char **end)
{
    struct arena *arena = b->p->arena;
    union datum_atom k, v;
    const char *word, *error;

    if ((error = datum_parse_word(arena, text, end, &word))) {
        return error;
    }
    if (*end == text) {
        return arena_printf(arena, "unexpected \"%c\" parsing %s", *text, kind_of(arena, b->c));
    }
    if (b->c->key.type == OVSDB_INTEGER && b->c->max > 1 && b->c->shape == OVSDB_SET && add_range(b, word, &error)) {
        return error;
    }
    if ((error = atom_from_word(b->p, &b->c->key, word, *text == '"', &k))) {
        return error;
    }
    if (b->c->shape != OVSDB_MAP) {
        builder_add(b, &k, NULL);
        return NULL;
    }
    const char *at = skip_space(*end);
    if (*at != '=') {
        return *at ? arena_printf(arena, "syntax error at \"%s\" expecting \"=\"", at)
                   : arena_printf(arena, "syntax error at end expecting \"=\" and a value");
    }
    at = skip_space(at + 1);
    if ((error = datum_parse_atom(b->p, &b->c->value, at, end, &v))) {
        return error;
    }
    builder_add(b, &k, &v);
    return NULL;
}

/* The elements of TEXT. Messages do not name it yet. */
static const char *
parse_elements(struct builder *b, const char *text)
{
    struct arena *arena = b->p->arena;
    bool map = b->c->shape == OVSDB_MAP;
    const char *p = skip_space(text);
    char close = *p == (map ? '{' : '[') ? (map ? '}' : ']') : '\0';

    p = close ? skip_space(p + 1) : p;
    while (*p && *p != close) {
        const char *error = parse_element(b, p, &p);
        if (error) {
            return error;
        }
        const char *next = skip_space(p);
        if (*next == ',') {
            next = skip_space(next + 1);
        } else if (next == p && *next && *next != close) {
            return arena_printf(arena, "unexpected \"%c\" parsing %s", *next, kind_of(arena, b->c));
        }
        p = next;
    }
    if (close) {
        if (*p != close) {
            return arena_printf(arena, "missing \"%c\" at end of data", close);
        }
        p = skip_space(p + 1);
    }
    return *p ? arena_printf(arena, "trailing garbage after %s: \"%s\"", map ? "map" : "set", p) : NULL;
}

const char *
datum_parse(const struct datum_parser *p, const struct ovsdb_column_desc *c, const char *text, bool any_count, struct datum *d)
{
    struct builder b = { .p = p, .c = c };
    const char *error = parse_elements(&b, text);

    /* What is wrong with an atom names it; what is wrong with the whole is said of the whole. */
    if (error) {
        return *error == '"' || strstr(error, "constraint violation") == error || strstr(error, text) == error
                   ? error : arena_printf(p->arena, "%s: %s", text, error);
    }
    if (!datum_sort(&b.d, c->key.type)) {
        return c->shape == OVSDB_MAP ? arena_printf(p->arena, "%s: map contains duplicate key", text)
                                     : arena_printf(p->arena, "%s: set contains duplicate value", text);
    }
    if (!any_count && b.d.n < c->min) {
        return arena_printf(p->arena, "%s: %zu value(s) specified but the minimum number is %u", text, b.d.n, c->min);
    }
    if (!any_count && b.d.n > c->max) {
        return arena_printf(p->arena, "%s: %zu value(s) specified but the maximum number is %u", text, b.d.n, c->max);
    }
    *d = b.d;
    return NULL;
}

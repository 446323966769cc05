/* describe.c - see describe.h. */
#include "cli/common/describe.h"

#include <inttypes.h>

static const char NAME_CHARACTERS[] = "abcdefghijklmnopqrstuvwxyz0123456789_";

/* The column named at P, behind its mark; *end is what follows. */
static const struct ovsdb_column_desc *
template_column(const struct ovsdb_table_desc *t, const char *p, const char **end)
{
    size_t n = strspn(p, NAME_CHARACTERS);
    char name[64];

    REQUIRE(n && n < sizeof name);
    memcpy(name, p, n);
    name[n] = '\0';
    const struct ovsdb_column_desc *c = ovsdb_column_find(t, name);
    REQUIRE(c);
    *end = p + n;
    return c;
}

uint64_t
describe_columns(const struct ovsdb_table_desc *t, const char *template)
{
    uint64_t columns = 0;

    for (const char *p = template; *(p += strcspn(p, "%$?"));) {
        columns |= OVSDB_COLUMN(template_column(t, p + 1, &p)->index);
    }
    return columns;
}

static void
put_character(char ch, struct str *out)
{
    switch (ch) {
    case '\n':
        str_puts(out, "\\n");
        break;
    case '\r':
        str_puts(out, "\\r");
        break;
    case '\t':
        str_puts(out, "\\t");
        break;
    default:
        if ((unsigned char) ch < ' ' || ch == 0x7f) {
            str_printf(out, "\\x%02x", ch);
        } else {
            str_putc(out, ch);
        }
    }
}

void
describe_text(const char *text, struct str *out)
{
    for (; *text; text++) {
        put_character(*text, out);
    }
}

/* In quotes: ' unless that would need an escape and " would not. */
static void
put_quoted(const char *text, struct str *out)
{
    char quote = strchr(text, '\'') && !strchr(text, '"') ? '"' : '\'';

    str_putc(out, quote);
    for (; *text; text++) {
        if (*text == quote || *text == '\\') {
            str_putc(out, '\\');
        }
        put_character(*text, out);
    }
    str_putc(out, quote);
}

static void
put_atom(const union datum_atom *a, const struct ovsdb_base_desc *base, bool quoted, struct str *out)
{
    switch (base->type) {
    case OVSDB_INTEGER:
        str_printf(out, "%" PRId64, a->i);
        break;
    case OVSDB_BOOLEAN:
        str_puts(out, a->b ? "True" : "False");
        break;
    case OVSDB_STRING:
        (quoted ? put_quoted : describe_text)(a->s, out);
        break;
    case OVSDB_REAL:
    case OVSDB_UUID:
        datum_put_atom(out, a, base->type, DATUM_STRING);
        break;
    }
}

static void
put_list(const struct ovsdb_column_desc *c, const struct datum *d, struct str *out)
{
    bool map = c->shape == OVSDB_MAP;

    str_putc(out, map ? '{' : '[');
    for (size_t i = 0; i < d->n; i++) {
        str_puts(out, i ? ", " : "");
        put_atom(&d->k[i], &c->key, true, out);
        if (map) {
            str_puts(out, ": ");
            put_atom(&d->v[i], &c->value, true, out);
        }
    }
    str_putc(out, map ? '}' : ']');
}

static bool
is_empty(const struct ovsdb_column_desc *c, const struct datum *d)
{
    return !d->n || (c->shape != OVSDB_MAP && ((c->key.type == OVSDB_STRING && !*d->k[0].s) || (c->key.type == OVSDB_BOOLEAN && !d->k[0].b)));
}

/* Whether the group that begins at P, behind its bracket, is to be shown; *end is what follows it. */
static bool
group_is_full(const struct ovsdb_table_desc *t, const char *p, const struct datum *cells, const char **end)
{
    bool full = true;

    for (; *(p += strcspn(p, "%$?]")) != ']';) {
        REQUIRE(*p);
        const struct ovsdb_column_desc *c = template_column(t, p + 1, &p);
        full = full && !is_empty(c, &cells[c->index]);
    }
    *end = p + 1;
    return full;
}

void
describe_row(const struct ovsdb_table_desc *t, const char *template, const struct datum *cells, struct str *out)
{
    const char *p = template, *end;

    while (*p) {
        char mark = *p;
        if (mark == '[' && !group_is_full(t, p + 1, cells, &end)) {
            p = end;
        } else if (mark == '[' || mark == ']') {
            p++;
        } else if (mark != '%' && mark != '$' && mark != '?') {
            str_putc(out, *p++);
        } else {
            const struct ovsdb_column_desc *c = template_column(t, p + 1, &p);
            const struct datum *d = &cells[c->index];
            if (mark == '$' && c->shape != OVSDB_ONE) {
                put_list(c, d, out);
            } else if (mark != '?' && d->n) {
                put_atom(&d->k[0], &c->key, false, out);
            }
        }
    }
}

/* table.c - tables of cells printed in the documented formats: ovn-nbctl(8), "Table Formatting Options". */
#include "cli/common/ctl.h"

#include "json/json.h"

struct cell {
    struct datum datum;
    const struct ovsdb_column_desc *column;
};
struct table {
    struct arena *arena;
    size_t n_columns, n_headings, n_cells, cap_cells;
    const char **headings;
    struct cell *cells;                /* Row by row. */
};

struct table *
table_create(struct arena *arena, size_t n_columns)
{
    struct table *t = ARENA_NEW(arena, struct table, 1);

    *t = (struct table) { .arena = arena, .n_columns = n_columns, .headings = ARENA_NEW(arena, const char *, n_columns) };
    return t;
}

void
table_heading(struct table *t, const char *heading)
{
    REQUIRE(t->n_headings < t->n_columns);
    t->headings[t->n_headings++] = heading;
}

void
table_cell(struct table *t, struct datum d, const struct ovsdb_column_desc *c)
{
    if (t->n_cells == t->cap_cells) {
        size_t cap = t->cap_cells ? t->cap_cells * 2 : 64;
        struct cell *cells = ARENA_NEW(t->arena, struct cell, cap);
        if (t->n_cells) {
            memcpy(cells, t->cells, t->n_cells * sizeof *cells);
        }
        t->cells = cells;
        t->cap_cells = cap;
    }
    t->cells[t->n_cells++] = (struct cell) { d, c };
}

static const char *
cell_text(const struct table *t, size_t row, size_t column, enum datum_style style)
{
    const struct cell *cell = &t->cells[row * t->n_columns + column];
    struct str s = STR_INIT;

    datum_put(&s, &cell->datum, cell->column, style);
    return arena_take(t->arena, &s);
}

/* ---- table ---- */

/* The number of characters of UTF-8 text. */
static size_t
text_width(const char *s)
{
    size_t n = 0;

    for (; *s; s++) {
        n += (*s & 0xc0) != 0x80;
    }
    return n;
}

/* A line of cells, padded but for blanks at its end. */
static void
put_line(struct str *out, const char *const cells[], const size_t widths[], size_t n)
{
    size_t begin = out->len;

    for (size_t i = 0; i < n; i++) {
        str_printf(out, "%s%s", i ? " " : "", cells[i]);
        for (size_t w = text_width(cells[i]); w < widths[i]; w++) {
            str_putc(out, ' ');
        }
    }
    while (out->len > begin && out->s[out->len - 1] == ' ') {
        str_truncate(out, out->len - 1);
    }
    str_putc(out, '\n');
}

static void
put_table(struct str *out, const struct table *t, const struct table_style *style)
{
    size_t n = t->n_columns, n_rows = t->n_cells / n;
    size_t *widths = ARENA_NEW(t->arena, size_t, n);
    const char **cells = ARENA_NEW(t->arena, const char *, t->n_cells), **rules = ARENA_NEW(t->arena, const char *, n);

    for (size_t i = 0; i < t->n_cells; i++) {
        cells[i] = cell_text(t, i / n, i % n, style->cells);
        widths[i % n] = MAX(widths[i % n], text_width(cells[i]));
    }
    for (size_t i = 0; i < n; i++) {
        widths[i] = style->headings ? MAX(widths[i], text_width(t->headings[i])) : widths[i];
        char *rule = arena_alloc(t->arena, widths[i] + 1);
        memset(rule, '-', widths[i]);
        rules[i] = rule;
    }
    if (style->headings) {
        put_line(out, t->headings, widths, n);
        put_line(out, rules, widths, n);
    }
    for (size_t row = 0; row < n_rows; row++) {
        put_line(out, &cells[row * n], widths, n);
    }
}

/* ---- list, HTML, CSV ---- */

static void
put_list(struct str *out, const struct table *t, const struct table_style *style)
{
    for (size_t i = 0; i < t->n_cells; i++) {
        size_t column = i % t->n_columns;
        str_puts(out, i && !column ? "\n" : "");
        if (style->headings) {
            str_printf(out, "%-20s: ", t->headings[column]);
        }
        str_printf(out, "%s\n", cell_text(t, i / t->n_columns, column, style->cells));
    }
}

static void
put_html_cell(struct str *out, const char *tag, const char *text)
{
    str_printf(out, "    <%s>", tag);
    for (; *text; text++) {
        const char *entity = *text == '&' ? "&amp;" : *text == '<' ? "&lt;" : *text == '>' ? "&gt;" : *text == '"' ? "&quot;" : NULL;
        if (entity) {
            str_puts(out, entity);
        } else {
            str_putc(out, *text);
        }
    }
    str_printf(out, "</%s>\n", tag);
}

static void
put_html(struct str *out, const struct table *t, const struct table_style *style)
{
    str_puts(out, "<table border=1>\n");
    if (style->headings) {
        str_puts(out, "  <tr>\n");
        for (size_t i = 0; i < t->n_columns; i++) {
            put_html_cell(out, "th", t->headings[i]);
        }
        str_puts(out, "  </tr>\n");
    }
    for (size_t i = 0; i < t->n_cells; i++) {
        size_t column = i % t->n_columns;
        str_puts(out, column ? "" : "  <tr>\n");
        put_html_cell(out, "td", cell_text(t, i / t->n_columns, column, style->cells));
        str_puts(out, column + 1 < t->n_columns ? "" : "  </tr>\n");
    }
    str_puts(out, "</table>\n");
}

/* RFC 4180. */
static void
put_csv_cell(struct str *out, const char *text, bool last)
{
    if (!text[strcspn(text, "\",\r\n")]) {
        str_puts(out, text);
    } else {
        str_putc(out, '"');
        for (; *text; text++) {
            str_puts(out, *text == '"' ? "\"" : "");
            str_putc(out, *text);
        }
        str_putc(out, '"');
    }
    str_putc(out, last ? '\n' : ',');
}

static void
put_csv(struct str *out, const struct table *t, const struct table_style *style)
{
    for (size_t i = 0; style->headings && i < t->n_columns; i++) {
        put_csv_cell(out, t->headings[i], i + 1 == t->n_columns);
    }
    for (size_t i = 0; i < t->n_cells; i++) {
        size_t column = i % t->n_columns;
        put_csv_cell(out, cell_text(t, i / t->n_columns, column, style->cells), column + 1 == t->n_columns);
    }
}

/* ---- JSON ---- */

/* COMPACT, one member or element a line. */
static void
put_pretty(struct str *out, const char *compact)
{
    int depth = 0;
    bool quoted = false;

    for (const char *p = compact; *p; p++) {
        str_putc(out, *p);
        if (quoted) {
            if (*p == '\\') {
                str_putc(out, *++p);
            } else if (*p == '"') {
                quoted = false;
            }
            continue;
        }
        bool open = *p == '{' || *p == '[';
        quoted = *p == '"';
        str_puts(out, *p == ':' ? " " : "");
        depth += open ? 1 : *p == '}' || *p == ']' ? -1 : 0;
        if ((open && p[1] != ']' && p[1] != '}') || *p == ',') {
            str_printf(out, "\n%*s", 2 * depth, "");
        }
    }
}

static void
put_json_table(struct str *out, const struct table *t, const struct table_style *style)
{
    struct str s = STR_INIT;

    str_puts(&s, "{\"data\":[");
    for (size_t i = 0; i < t->n_cells; i++) {
        size_t column = i % t->n_columns;
        str_puts(&s, column ? "," : i ? ",[" : "[");
        datum_put(&s, &t->cells[i].datum, t->cells[i].column, DATUM_JSON);
        str_puts(&s, column + 1 == t->n_columns ? "]" : "");
    }
    str_puts(&s, "],\"headings\":[");
    for (size_t i = 0; i < t->n_columns; i++) {
        str_puts(&s, i ? "," : "");
        json_put_cstr(&s, t->headings[i]);
    }
    str_puts(&s, "]}");
    if (style->pretty) {
        put_pretty(out, str_c(&s));
    } else {
        str_put(out, str_c(&s), s.len);
    }
    str_putc(out, '\n');
    str_free(&s);
}

void
table_put(struct str *out, const struct table *t, const struct table_style *style)
{
    static void (*const put[])(struct str *, const struct table *, const struct table_style *) = {
        [TABLE_FORMAT_TABLE] = put_table, [TABLE_FORMAT_LIST] = put_list, [TABLE_FORMAT_HTML] = put_html,
        [TABLE_FORMAT_CSV] = put_csv, [TABLE_FORMAT_JSON] = put_json_table,
    };
    put[style->format](out, t, style);
}

/* record.c - what names on the command line mean: tables, columns, records, @symbols. ovn-nbctl(8), "Identifying Tables, Records, and
 * Columns". */
#include "cli/common/ctl.h"

#include <ctype.h>
#include <stdlib.h>
#include "json/json.h"

/* ---- tables and columns ---- */

static char
fold(char c)
{
    return c == '-' ? '_' : tolower((unsigned char) c);
}

/* 2: NAME is TEXT; 1: its beginning; 0: neither. */
static int
match(const char *text, const char *name)
{
    while (*name && fold(*text) == fold(*name)) {
        text++;
        name++;
    }
    return *name ? 0 : *text ? 1 : 2;
}

static int
compare_texts(const void *a, const void *b)
{
    return strcmp(*(const char *const *) a, *(const char *const *) b);
}

static const char *
join_sorted(struct ctl *c, const char **texts, size_t n)
{
    struct str all = STR_INIT;

    qsort(texts, n, sizeof *texts, compare_texts);
    for (size_t i = 0; i < n; i++) {
        str_printf(&all, "%s%s", i ? ", " : "", texts[i]);
    }
    return arena_take(&c->arena, &all);
}

const char *
ctl_find_table(struct ctl *c, const char *name, const struct ovsdb_table_desc **table)
{
    const struct ovsdb_db_desc *db = c->program->db;
    const char **matches = ARENA_NEW(&c->arena, const char *, db->n_tables);
    struct ctl_nearest near = ctl_nearest(name);
    size_t n = 0;

    *table = NULL;
    for (size_t i = 0; i < db->n_tables; i++) {
        int m = match(db->tables[i].name, name);
        ctl_offer(&near, db->tables[i].name);
        if (m == 2) {
            *table = &db->tables[i];
            return NULL;
        } else if (m) {
            *table = &db->tables[i];
            matches[n++] = db->tables[i].name;
        }
    }
    return n == 1 ? NULL
           : n    ? ctl_error(c, "\"%s\" matches multiple table names: %s", name, join_sorted(c, matches, n))
                  : ctl_error(c, "unknown table \"%s\"%s", name, ctl_did_you_mean(c, &near));
}

const char *
ctl_find_column(struct ctl *c, const struct ovsdb_table_desc *t, const char *name, const struct ovsdb_column_desc **column)
{
    const char **matches = ARENA_NEW(&c->arena, const char *, t->n_columns);
    struct ctl_nearest near = ctl_nearest(name);
    size_t n = 0;

    *column = NULL;
    for (size_t i = 0; i < t->n_columns; i++) {
        int m = match(t->columns[i].name, name);
        ctl_offer(&near, t->columns[i].name);
        if (m == 2) {
            *column = &t->columns[i];
            return NULL;
        } else if (m) {
            *column = &t->columns[i];
            matches[n++] = t->columns[i].name;
        }
    }
    return n == 1 ? NULL
           : n    ? ctl_error(c, "%s contains more than one column whose name matches \"%s\": %s", t->name, name,
                              join_sorted(c, matches, n))
                  : ctl_error(c, "%s does not contain a column whose name matches \"%s\"%s", t->name, name, ctl_did_you_mean(c, &near));
}

const char *
ctl_check_has(struct ctl *c, const struct ovsdb_table_desc *t, const struct ovsdb_column_desc *column)
{
    if (!ovsdb_has_table(c->db, t)) {
        return ctl_error(c, "the database at %s is of another version and has no table %s", c->remotes, t->name);
    }
    if (column && !ovsdb_has_column(c->db, t, column->index)) {
        return ctl_error(c, "the database at %s is of another version: its table %s has no column %s", c->remotes, t->name,
                         column->name);
    }
    return NULL;
}

/* ---- records ---- */

/* Whether ID is 4 or more hexadecimal digits (and -) that a UUID may begin with. */
static bool
is_uuid_prefix(const char *id)
{
    size_t n = strlen(id);

    if (n < 4 || n > UUID_LEN) {
        return false;
    }
    for (size_t i = 0; i < n; i++) {
        bool dash = i == 8 || i == 13 || i == 18 || i == 23;
        if (dash ? id[i] != '-' : !isxdigit((unsigned char) id[i])) {
            return false;
        }
    }
    return true;
}

static bool
is_uuid(const char *id, struct uuid *uuid)
{
    return strlen(id) == UUID_LEN && uuid_parse(id, uuid);
}

static bool
is_singleton(const struct ctl *c, const struct ovsdb_table_desc *t)
{
    for (const struct ovsdb_table_desc *const *s = c->program->singletons; *s; s++) {
        if (*s == t) {
            return true;
        }
    }
    return false;
}

/* The columns by which rows of T are named. */
static uint64_t
name_columns(const struct ctl *c, const struct ovsdb_table_desc *t)
{
    uint64_t columns = 0;

    for (const struct ctl_name *n = c->program->names; n->table; n++) {
        columns |= n->table == t ? OVSDB_COLUMN(n->column) : 0;
    }
    return columns;
}

/* Needs the rows of T that ID names. */
static bool
need_named(struct ctl *c, const struct ovsdb_table_desc *t, const char *id, uint64_t columns)
{
    bool ready = true;

    for (const struct ctl_name *n = c->program->names; n->table; n++) {
        if (n->table != t) {
            continue;
        }
        struct str clause = STR_INIT;
        str_printf(&clause, "[\"%s\",\"%s\",", t->columns[n->column].name, n->key ? "includes" : "==");
        if (n->key) {
            str_puts(&clause, "[\"map\",[[");
            json_put_cstr(&clause, n->key);
            str_putc(&clause, ',');
        }
        json_put_cstr(&clause, id);
        str_puts(&clause, n->key ? "]]]]" : "]");
        ready &= ctl_need(c, t, columns, arena_take(&c->arena, &clause));
    }
    return ready;
}

const char *
ctl_need_record(struct ctl *c, const struct ovsdb_table_desc *t, const char *id, uint64_t columns)
{
    struct uuid uuid;

    columns |= name_columns(c, t);
    if (is_singleton(c, t)) {
        ctl_need_all(c, t, columns);
    } else {
        ctl_need(c, t, columns, "false");
        need_named(c, t, id, columns);
        if (is_uuid(id, &uuid)) {
            ctl_need_uuid(c, t, columns, &uuid);
        }
    }
    return NULL;
}

/* Rows whose name is ID. Message: more than one. */
static const char *
find_named(struct ctl *c, const struct ovsdb_table_desc *t, const char *id, struct view_row **row)
{
    size_t n;
    struct view_row **rows = view_rows(&c->view, t, &n);

    for (const struct ctl_name *name = c->program->names; name->table; name++) {
        if (name->table != t) {
            continue;
        }
        for (size_t i = 0; i < n; i++) {
            const char *s = name->key ? view_map_str(rows[i], name->column, name->key) : view_str(rows[i], name->column);
            if (!s || !str_eq(s, id) || *row == rows[i]) {
                continue;
            }
            if (*row) {
                return ctl_error(c, "multiple rows in %s match \"%s\"", t->name, id);
            }
            *row = rows[i];
        }
        if (*row) {
            break;
        }
    }
    return NULL;
}

static const char *
find_by_prefix(struct ctl *c, const struct ovsdb_table_desc *t, const char *id, struct view_row **row)
{
    char text[UUID_LEN + 1];
    size_t n;

    if (!ctl_need_all(c, t, 0)) {
        return CTL_AGAIN;
    }
    struct view_row **rows = view_rows(&c->view, t, &n);
    for (size_t i = 0; i < n; i++) {
        uuid_format(&rows[i]->uuid, text);
        if (!strncasecmp(text, id, strlen(id))) {
            if (*row) {
                return ctl_error(c, "multiple rows in %s match \"%s\"", t->name, id);
            }
            *row = rows[i];
        }
    }
    return NULL;
}

const char *
ctl_find_record(struct ctl *c, const struct ovsdb_table_desc *t, const char *id, bool must_exist, struct view_row **row)
{
    struct uuid uuid;

    TRY(ctl_check_has(c, t, NULL));
    *row = NULL;
    if (*id == '@' && ctl_symbol(c, id)->defined) {
        *row = view_get(&c->view, t, &ctl_symbol(c, id)->uuid);
    }
    if (!*row && is_uuid(id, &uuid)) {
        if (!ctl_need_uuid(c, t, 0, &uuid)) {
            return CTL_AGAIN;
        }
        *row = view_get(&c->view, t, &uuid);
    }
    if (!*row && is_singleton(c, t) && str_eq(id, ".")) {
        *row = view_first(&c->view, t);
    }
    if (!*row) {
        if (!is_singleton(c, t) && !need_named(c, t, id, 0)) {
            return CTL_AGAIN;
        }
        TRY(find_named(c, t, id, row));
    }
    if (!*row && is_uuid_prefix(id) && strlen(id) < UUID_LEN) {
        TRY(find_by_prefix(c, t, id, row));
    }
    if (!*row && must_exist) {
        return ctl_error(c, "no row \"%s\" in table %s", id, t->name);
    }
    return NULL;
}

struct view_row *
ctl_singleton(struct ctl *c, const struct ovsdb_table_desc *t)
{
    struct view_row *row = view_first(&c->view, t);

    if (!row) {
        row = view_insert(&c->view, t, NULL);
        c->view.relies_on_indexes = true;      /* Somebody else may make it now; the server takes one. */
    }
    return row;
}

/* ---- symbols ---- */

struct ctl_symbol *
ctl_symbol(struct ctl *c, const char *name)
{
    for (struct ctl_symbol *s = c->symbols; s; s = s->next) {
        if (str_eq(s->name, name)) {
            return s;
        }
    }
    struct ctl_symbol *s = ARENA_NEW(&c->arena, struct ctl_symbol, 1);
    *s = (struct ctl_symbol) { .next = c->symbols, .name = arena_strdup(&c->arena, name), .uuid = uuid_random() };
    c->symbols = s;
    return s;
}

static const char *
resolve_symbol(void *c_, const char *name, struct uuid *uuid)
{
    struct ctl_symbol *s = ctl_symbol(c_, name);

    s->referenced = true;
    *uuid = s->uuid;
    return NULL;
}

struct datum_parser
ctl_parser(struct ctl *c)
{
    return (struct datum_parser) { .arena = &c->arena, .symbol = resolve_symbol, .aux = c };
}

/* refusal.c - why the database server refused a transaction, in words that its user understands.
 *
 * The server says what rule was broken (RFC 7047, 3.1: "constraint violation", ...) and then tells of rows by UUID, of a schema, of "the transaction". Of the
 * kinds that a command can meet, each has its pattern here, with "*" for what it tells, and what is said instead: rows by name where they
 * have one, and what is to be done about it. The rule stays in front, for scripts. What fits no pattern is passed on as it is. */
#include "cli/common/ctl.h"

enum { MAX_PARTS = 6 };

/* TEXT fits PATTERN: what the stars stand for goes to PARTS, in the arena. Each star ends where what follows it in the pattern is next. */
static bool
fits(struct ctl *c, const char *text, const char *pattern, const char *parts[MAX_PARTS])
{
    size_t n = 0;

    while (*pattern) {
        if (*pattern != '*') {
            if (*pattern++ != *text++) {
                return false;
            }
            continue;
        }
        size_t literal = strcspn(++pattern, "*");
        const char *end = text + strlen(text);
        if (literal) {
            const char *stop = arena_strndup(&c->arena, pattern, literal);
            end = strstr(text, stop);
        }
        if (!end || n == MAX_PARTS) {
            return false;
        }
        parts[n++] = arena_strndup(&c->arena, text, end - text);
        text = end;
    }
    return !*text;
}

static const struct ovsdb_table_desc *
table_named(const struct ctl *c, const char *name)
{
    for (size_t i = 0; i < c->program->db->n_tables; i++) {
        if (str_eq(c->program->db->tables[i].name, name)) {
            return &c->program->db->tables[i];
        }
    }
    return NULL;
}

/* The name of the row as far as this line has read or made it, or NULL. */
static const char *
row_name(struct ctl *c, const struct ovsdb_table_desc *t, const struct uuid *uuid)
{
    const struct stored_row *stored = store_get(&c->store, t, uuid);
    struct view_row *made = stored ? NULL : view_get(&c->view, t, uuid);

    for (const struct ctl_name *n = c->program->names; n->table; n++) {
        if (n->table != t || n->key) {
            continue;
        }
        const char *name = stored && (stored->columns & OVSDB_COLUMN(n->column)) && stored->cells[n->column].n ? stored->cells[n->column].k[0].s
                           : made                                                                              ? view_str(made, n->column)
                                                                                                               : NULL;
        if (name && *name) {
            return name;
        }
    }
    return NULL;
}

/* "Logical_Switch blue", "new row of Logical_Switch", "Logical_Switch row UUID". */
static const char *
row_label(struct ctl *c, const char *table, const char *uuid_text)
{
    const struct ovsdb_table_desc *t = table_named(c, table);
    struct uuid uuid;

    if (t && uuid_parse(uuid_text, &uuid)) {
        const char *name = row_name(c, t, &uuid);
        if (name) {
            return arena_printf(&c->arena, "%s %s", table, name);
        }
        if (!store_get(&c->store, t, &uuid) && view_get(&c->view, t, &uuid)) {
            return arena_printf(&c->arena, "new row of %s", table);
        }
    }
    return arena_printf(&c->arena, "%s row %s", table, uuid_text);
}

/* "Logical_Router_Port.ha_chassis_group or ...": the columns that may keep a row of the table alive. */
static const char *
who_refers(struct ctl *c, const char *table)
{
    const struct ovsdb_table_desc *t = table_named(c, table);
    struct str all = STR_INIT;

    for (size_t i = 0; t && i < c->program->db->n_tables; i++) {
        const struct ovsdb_table_desc *from = &c->program->db->tables[i];
        for (size_t j = 0; j < from->n_columns; j++) {
            const struct ovsdb_column_desc *column = &from->columns[j];
            if ((column->key.ref == t && !column->key.weak) || (column->shape == OVSDB_MAP && column->value.ref == t && !column->value.weak)) {
                str_printf(&all, "%s%s.%s", all.len ? " or " : "", from->name, column->name);
            }
        }
    }
    return arena_take(&c->arena, &all);
}

/* ---- what is said instead; P: what the pattern's stars stand for ---- */

/* P: table, values, columns, and the two rows, each with where it comes from. */
static const char *
twice(struct ctl *c, const char *const p[])
{
    const char *old = strstr(p[3], ", existed") ? p[3] : strstr(p[4], ", existed") ? p[4] : NULL;
    struct str columns = STR_INIT;

    for (const char *s = strchr(p[2], ' '); s && *s; s++) {    /* "column" or "columns" goes, and the quotes. */
        if (*s != '"' && !(s[0] == ' ' && !columns.len)) {
            str_putc(&columns, *s);
        }
    }
    const char *names = arena_take(&c->arena, &columns);
    return arena_printf(&c->arena, "two rows of %s would have the same %s, %s, which must be unique%s%s", p[0], names, p[1],
                        old ? "; there is already row " : "",
                        old ? arena_strndup(&c->arena, old, strcspn(old, ",")) : "");
}

static const char *
still_used(struct ctl *c, const char *const p[])
{
    return arena_printf(&c->arena, "%s is still in use: %s row%s to it, by %s; remove that first", row_label(c, p[0], p[1]), p[2],
                        str_eq(p[2], "1") ? " refers" : "s refer", who_refers(c, p[0]));
}

/* P: table, column, row; row, table referred to. */
static const char *
refers_to_nothing(struct ctl *c, const char *const p[])
{
    if (!p[3][strspn(p[3], "0-")]) {
        return arena_printf(&c->arena, "%s: column %s must be given: it names a row of %s", row_label(c, p[0], p[2]), p[1], p[4]);
    }
    return arena_printf(&c->arena, "%s: column %s names row %s of %s, which does not exist", row_label(c, p[0], p[2]), p[1], p[3], p[4]);
}

static const char *
too_many_rows(struct ctl *c, const char *const p[])
{
    return arena_printf(&c->arena, "table %s would have %s rows and may have no more than %s", p[0], p[1], p[2]);
}

/* P: client, role, what, table. */
static const char *
not_your_role(struct ctl *c, const char *const p[])
{
    const char *what = str_eq(p[2], "row deletion from")    ? "delete these rows of"
                       : str_eq(p[2], "row insertion into") ? "insert rows into"
                                                            : "change these rows or columns of";

    return arena_printf(&c->arena, "this connection has the role %s%s%s and may not %s table %s", p[1],
                        str_eq(p[0], "(null)") ? "" : ", as ", str_eq(p[0], "(null)") ? "" : p[0], what, p[3]);
}

static const char *
read_only(struct ctl *c, const char *const p[])
{
    return arena_printf(&c->arena, "the connection %s is for reading only (%s refused)", c->remotes, p[0]);
}

static const struct refusal {
    const char *rule, *pattern;
    const char *(*say)(struct ctl *, const char *const parts[]);
} refusals[] = {
    { "constraint violation: ",
      "Transaction causes multiple rows in \"*\" table to have identical values (*) for index on *.  First row, with UUID *.  Second row, with UUID *.",
      twice },
    { "constraint violation: ",
      "transaction causes \"*\" table to contain * rows, greater than the schema-defined limit of * row(s)", too_many_rows },
    { "referential integrity violation: ", "cannot delete * row * because of * remaining reference(s)", still_used },
    { "referential integrity violation: ", "Table * column * row * references nonexistent row * in table *.", refers_to_nothing },
    { "permission error: ", "RBAC rules for client \"*\" role \"*\" prohibit * table \"*\".", not_your_role },
    { "not allowed: ", "* operation not allowed when database server is in read only mode", read_only },
};

const char *
ctl_refusal(struct ctl *c, const char *error)
{
    for (size_t i = 0; i < ARRAY_SIZE(refusals); i++) {
        const char *parts[MAX_PARTS], *text = str_after(error, refusals[i].rule);
        if (text && fits(c, text, refusals[i].pattern, parts)) {
            return arena_printf(&c->arena, "%s%s", refusals[i].rule, refusals[i].say(c, parts));
        }
    }
    return error;
}

/* database.c - the commands that work on any table and only read: list, find, get, wait-until, comment. ovn-nbctl(8), "Database
 * Commands". Those that write are in write.c. */
#include "cli/common/database.h"

#include <limits.h>

/* ---- needs ---- */

const char *
database_need_table(struct ctl *c, const struct ovsdb_table_desc **t)
{
    return ctl_find_table(c, ctl_arg(c, 1), t);
}

/* The columns that --columns names, in order; all, in alphabetical order behind _uuid, without it. NULL stands for _uuid. */
static const char *
parse_columns(struct ctl *c, const struct ovsdb_table_desc *t, const struct ovsdb_column_desc ***columns, size_t *n)
{
    const char *option = ctl_option(c, "--columns");
    size_t max = (option ? strlen(option) : t->n_columns) + 2;

    *columns = ARENA_NEW(&c->arena, const struct ovsdb_column_desc *, max);
    *n = 0;
    if (!option) {
        (*columns)[(*n)++] = NULL;
        for (size_t i = 0; i < t->n_columns; i++) {
            size_t at = *n;
            for (; at > 1 && strcmp((*columns)[at - 1]->name, t->columns[i].name) > 0; at--) {
                (*columns)[at] = (*columns)[at - 1];
            }
            (*columns)[at] = &t->columns[i];
            (*n)++;
        }
        return NULL;
    }
    for (const char *p = option; *p;) {
        size_t len = strcspn(p, ", ");
        if (len) {
            const char *name = arena_strndup(&c->arena, p, len);
            const struct ovsdb_column_desc *column = NULL;
            if (!str_eq(name, "_uuid")) {
                TRY(ctl_find_column(c, t, name, &column));
            }
            (*columns)[(*n)++] = column;
        }
        p += len + (p[len] != '\0');
    }
    return *n ? NULL : ctl_error(c, "must specify at least one column name");
}

static uint64_t
mask_of(const struct ovsdb_column_desc *const *columns, size_t n)
{
    uint64_t mask = 0;

    for (size_t i = 0; i < n; i++) {
        mask |= columns[i] ? OVSDB_COLUMN(columns[i]->index) : 0;
    }
    return mask;
}

/* Needed to sort the rows that are shown. */
static uint64_t
name_column(const struct ctl *c, const struct ovsdb_table_desc *t, uint16_t *column)
{
    for (const struct ctl_name *name = c->program->names; name->table; name++) {
        if (name->table == t && !name->key) {
            *column = name->column;
            return OVSDB_COLUMN(*column);
        }
    }
    return 0;
}

/* ---- list ---- */

static const char *
list_needs(struct ctl *c)
{
    const struct ovsdb_table_desc *t;
    const struct ovsdb_column_desc **columns;
    uint16_t name;
    size_t n;

    TRY(database_need_table(c, &t));
    TRY(parse_columns(c, t, &columns, &n));
    uint64_t mask = mask_of(columns, n) | name_column(c, t, &name);
    for (int i = 2; ctl_arg(c, i); i++) {
        TRY(ctl_need_record(c, t, ctl_arg(c, i), mask));
    }
    if (!ctl_arg(c, 2)) {
        ctl_need_all(c, t, mask);
    }
    return NULL;
}

static const struct ovsdb_column_desc uuid_column = { "_uuid", OVSDB_ONE, { .type = OVSDB_UUID }, .min = 1, .max = 1 };

/* A table with COLUMNS, without those that this database does not have unless they were asked for by name. */
static const char *
begin_table(struct ctl *c, const struct ovsdb_table_desc *t, const struct ovsdb_column_desc ***columns, size_t *n)
{
    TRY(ctl_check_has(c, t, NULL));
    TRY(parse_columns(c, t, columns, n));
    size_t kept = 0;
    for (size_t i = 0; i < *n; i++) {
        const struct ovsdb_column_desc *column = (*columns)[i];
        if (column && !ovsdb_has_column(c->db, t, column->index)) {
            if (ctl_has(c, "--columns")) {
                return ctl_check_has(c, t, column);
            }
            continue;
        }
        (*columns)[kept++] = column;
    }
    *n = kept;
    c->call->table = table_create(&c->arena, kept);
    for (size_t i = 0; i < kept; i++) {
        table_heading(c->call->table, (*columns)[i] ? (*columns)[i]->name : "_uuid");
    }
    return NULL;
}

static void
put_row(struct ctl *c, struct view_row *row, const struct ovsdb_column_desc *const *columns, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (columns[i]) {
            table_cell(c->call->table, *view_datum(row, columns[i]->index), columns[i]);
        } else {
            table_cell(c->call->table, datum_of_uuid(&c->arena, &row->uuid), &uuid_column);
        }
    }
}

/* All rows of T, by name where they have one. */
static struct view_row **
sorted_rows(struct ctl *c, const struct ovsdb_table_desc *t, size_t *n)
{
    struct view_row **rows = view_rows(&c->view, t, n);
    uint16_t name;

    if (name_column(c, t, &name)) {
        view_sort_by_str(rows, *n, name);
    }
    return rows;
}

static const char *
list_run(struct ctl *c)
{
    const struct ovsdb_column_desc **columns;
    const struct ovsdb_table_desc *t;
    struct view_row *row;
    size_t n, n_rows;

    TRY(database_need_table(c, &t));
    TRY(begin_table(c, t, &columns, &n));
    for (int i = 2; ctl_arg(c, i); i++) {
        TRY(ctl_find_record(c, t, ctl_arg(c, i), !ctl_has(c, "--if-exists"), &row));
        if (row) {
            put_row(c, row, columns, n);
        }
    }
    if (!ctl_arg(c, 2)) {
        struct view_row **rows = sorted_rows(c, t, &n_rows);
        for (size_t i = 0; i < n_rows; i++) {
            put_row(c, rows[i], columns, n);
        }
    }
    return NULL;
}

/* ---- find ---- */

/* The condition "COLUMN=text" as the server understands it, to fetch only such rows; NULL: it is another one. */
static const char *
server_condition(struct ctl *c, const struct ovsdb_table_desc *t, const char *arg)
{
    const struct ovsdb_column_desc *column;
    struct datum_parser parser = ctl_parser(c);
    union datum_atom *key;
    struct datum value;
    const char *end;

    if (ctl_parse_column_key(c, t, arg, &column, &key, &end) || key || *end != '=' || !end[1] || column->shape != OVSDB_ONE
        || column->key.type == OVSDB_UUID || datum_parse(&parser, column, end + 1, false, &value)) {
        return NULL;
    }
    struct str s = STR_INIT;
    str_printf(&s, "[\"%s\",\"==\",", column->name);
    datum_put(&s, &value, column, DATUM_JSON);
    str_putc(&s, ']');
    return arena_take(&c->arena, &s);
}

static const char *
find_needs(struct ctl *c)
{
    const struct ovsdb_table_desc *t;
    const struct ovsdb_column_desc **columns, *column;
    uint16_t name;
    size_t n;

    TRY(database_need_table(c, &t));
    TRY(parse_columns(c, t, &columns, &n));
    uint64_t mask = mask_of(columns, n) | name_column(c, t, &name);
    const char *narrow = NULL;
    for (int i = 2; ctl_arg(c, i); i++) {
        TRY(ctl_condition_column(c, t, ctl_arg(c, i), &column));
        mask |= OVSDB_COLUMN(column->index);
        narrow = narrow ? narrow : server_condition(c, t, ctl_arg(c, i));
    }
    ctl_need(c, t, mask, narrow);
    return NULL;
}

static const char *
find_run(struct ctl *c)
{
    const struct ovsdb_column_desc **columns;
    const struct ovsdb_table_desc *t;
    size_t n, n_rows;
    bool holds;

    TRY(database_need_table(c, &t));
    TRY(begin_table(c, t, &columns, &n));
    for (int i = 2; ctl_arg(c, i); i++) {
        TRY(ctl_parse_condition(c, t, ctl_arg(c, i), NULL, &holds));
    }
    struct view_row **rows = sorted_rows(c, t, &n_rows);
    for (size_t r = 0; r < n_rows; r++) {
        holds = true;
        for (int i = 2; holds && ctl_arg(c, i); i++) {
            TRY(ctl_parse_condition(c, t, ctl_arg(c, i), rows[r], &holds));
        }
        if (holds) {
            put_row(c, rows[r], columns, n);
        }
    }
    return NULL;
}

/* ---- get ---- */

static const char *
get_needs(struct ctl *c)
{
    const struct ovsdb_table_desc *t;
    const struct ovsdb_column_desc *column;
    uint64_t mask = 0;

    TRY(database_need_table(c, &t));
    if (ctl_has(c, "--id") && ctl_has(c, "--if-exists")) {
        return ctl_error(c, "--if-exists and --id may not be specified together");
    }
    for (int i = 3; ctl_arg(c, i); i++) {
        if (!str_eq(ctl_arg(c, i), "_uuid")) {
            TRY(ctl_condition_column(c, t, ctl_arg(c, i), &column));
            mask |= OVSDB_COLUMN(column->index);
        }
    }
    return ctl_need_record(c, t, ctl_arg(c, 2), mask);
}

static const char *
get_one(struct ctl *c, const struct ovsdb_table_desc *t, struct view_row *row, const char *arg)
{
    const struct ovsdb_column_desc *column;
    struct str *out = &c->call->out;
    union datum_atom *key;
    const char *end;

    if (str_eq(arg, "_uuid")) {
        ctl_print(c, UUID_FMT "\n", UUID_ARGS(&row->uuid));
        return NULL;
    }
    TRY(ctl_parse_column_key(c, t, arg, &column, &key, &end));
    TRY(ctl_check_has(c, t, column));
    if (*end) {
        return ctl_error(c, "%s: trailing garbage \"%s\" in argument", arg, end);
    }
    if (key && column->shape != OVSDB_MAP) {
        return ctl_error(c, "cannot specify key to get for non-map column %s", column->name);
    }
    const struct datum *d = view_datum(row, column->index);
    if (!key) {
        datum_put(out, d, column, DATUM_STRING);
    } else {
        size_t i = datum_find(d, key, column->key.type);
        if (i != SIZE_MAX) {
            datum_put_atom(out, &d->v[i], column->value.type, DATUM_STRING);
        } else if (!ctl_has(c, "--if-exists")) {
            return ctl_error(c, "no key \"%s\" in %s record \"%s\" column %s", strchr(arg, ':') + 1, t->name, ctl_arg(c, 2),
                             column->name);
        }
    }
    str_putc(out, '\n');
    return NULL;
}

static const char *
get_run(struct ctl *c)
{
    const struct ovsdb_table_desc *t;
    struct view_row *row;

    TRY(database_need_table(c, &t));
    TRY(ctl_find_record(c, t, ctl_arg(c, 2), !ctl_has(c, "--if-exists"), &row));
    if (!row) {
        return NULL;
    }
    if (ctl_has(c, "--id")) {
        struct ctl_symbol *s;
        TRY(database_define_symbol(c, ctl_option(c, "--id"), &s));
        if (s->referenced) {
            return ctl_error(c, "row id \"%s\" of a \"get\" command was used before that command", s->name);
        }
        s->uuid = row->uuid;
        s->table = t;
    }
    for (int i = 3; ctl_arg(c, i); i++) {
        TRY(get_one(c, t, row, ctl_arg(c, i)));
    }
    return NULL;
}

const char *
database_define_symbol(struct ctl *c, const char *name, struct ctl_symbol **s)
{
    if (*name != '@') {
        return ctl_error(c, "row id \"%s\" does not begin with \"@\"", name);
    }
    *s = ctl_symbol(c, name);
    if ((*s)->defined) {
        return ctl_error(c, "row id \"%s\" may only be specified on one --id option", name);
    }
    (*s)->defined = true;
    return NULL;
}

/* ---- wait-until ---- */

static const char *
wait_until_needs(struct ctl *c)
{
    const struct ovsdb_table_desc *t;
    const struct ovsdb_column_desc *column;
    uint64_t mask = 0;

    TRY(database_need_table(c, &t));
    for (int i = 3; ctl_arg(c, i); i++) {
        TRY(ctl_condition_column(c, t, ctl_arg(c, i), &column));
        mask |= OVSDB_COLUMN(column->index);
    }
    return ctl_need_record(c, t, ctl_arg(c, 2), mask);
}

static const char *
wait_until_run(struct ctl *c)
{
    const struct ovsdb_table_desc *t;
    struct view_row *row;
    bool holds;

    TRY(database_need_table(c, &t));
    for (int i = 3; ctl_arg(c, i); i++) {
        TRY(ctl_parse_condition(c, t, ctl_arg(c, i), NULL, &holds));
    }
    TRY(ctl_find_record(c, t, ctl_arg(c, 2), false, &row));
    holds = row != NULL;
    for (int i = 3; holds && ctl_arg(c, i); i++) {
        TRY(ctl_parse_condition(c, t, ctl_arg(c, i), row, &holds));
    }
    return holds ? NULL : CTL_AGAIN;
}

/* ---- comment ---- */

static const char *
comment_run(struct ctl *c)
{
    return NULL;                       /* The whole line is the transaction's comment anyway. */
}

static const struct ctl_command commands[] = {
    { "list", "--if-exists --columns=COLUMN[,COLUMN]...", "TABLE [RECORD]...", 1, INT_MAX,
      "list RECORD (or all records) in TABLE", list_needs, list_run, 0 },
    { "find", "--columns=COLUMN[,COLUMN]...", "TABLE [COLUMN[:KEY]=VALUE]...", 1, INT_MAX,
      "list the records in TABLE that satisfy the conditions;\n"
      "other operators: != < > <= >= {=} {!=} {<} {>} {<=} {>=} {in} {not-in}", find_needs, find_run, 0 },
    { "get", "--if-exists --id=@NAME", "TABLE RECORD [COLUMN[:KEY]]...", 2, INT_MAX,
      "print values of COLUMNs in RECORD in TABLE", get_needs, get_run, 0 },
    { "set", "--if-exists", "TABLE RECORD COLUMN[:KEY]=VALUE...", 3, INT_MAX,
      "set COLUMN values in RECORD in TABLE", database_write_needs, database_set, CTL_WRITES },
    { "add", "--if-exists", "TABLE RECORD COLUMN [KEY=]VALUE...", 4, INT_MAX,
      "add (KEY=)VALUE to COLUMN in RECORD in TABLE", database_write_needs, database_add, CTL_WRITES },
    { "remove", "--if-exists", "TABLE RECORD COLUMN KEY|VALUE|KEY=VALUE...", 4, INT_MAX,
      "remove (KEY=)VALUE from COLUMN", database_write_needs, database_remove, CTL_WRITES },
    { "clear", "--if-exists", "TABLE RECORD COLUMN...", 3, INT_MAX,
      "empty COLUMN in RECORD in TABLE", database_write_needs, database_clear, CTL_WRITES },
    { "create", "--id=@NAME|UUID", "TABLE COLUMN[:KEY]=VALUE...", 2, INT_MAX,
      "create a new record in TABLE, print its UUID", database_create_needs, database_create, CTL_WRITES },
    { "destroy", "--if-exists --all", "TABLE [RECORD]...", 1, INT_MAX,
      "delete RECORD (or with --all, all records) from TABLE", database_destroy_needs, database_destroy, CTL_WRITES },
    { "wait-until", NULL, "TABLE RECORD [COLUMN[:KEY]=VALUE]...", 2, INT_MAX,
      "wait until RECORD exists and the conditions hold", wait_until_needs, wait_until_run, 0 },
    { "comment", NULL, "[ARG]...", 0, INT_MAX, "add ARGs to the database's log of this change", NULL, comment_run, 0 },
    { NULL },
};
const struct ctl_group ctl_database_group = { "Database commands (any table)", commands };

/* write.c - the commands that work on any table and write: set, add, remove, clear, create, destroy. ovn-nbctl(8), "Database
 * Commands". */
#include "cli/common/database.h"

/* set, add, remove, clear: columns from the third argument on (add, remove: only the third). */
const char *
database_write_needs(struct ctl *c)
{
    const struct ovsdb_table_desc *t;
    const struct ovsdb_column_desc *column;
    bool one = c->call->command->run == database_add || c->call->command->run == database_remove;
    uint64_t mask = 0;

    TRY(database_need_table(c, &t));
    for (int i = 3; ctl_arg(c, i) && (i == 3 || !one); i++) {
        TRY(ctl_condition_column(c, t, ctl_arg(c, i), &column));
        mask |= OVSDB_COLUMN(column->index);
    }
    return ctl_need_record(c, t, ctl_arg(c, 2), mask);
}

/* The table and the record; *row NULL if it does not exist and need not. */
static const char *
find_row(struct ctl *c, const struct ovsdb_table_desc **t, struct view_row **row)
{
    TRY(database_need_table(c, t));
    return ctl_find_record(c, *t, ctl_arg(c, 2), !ctl_has(c, "--if-exists"), row);
}

/* The third argument as a column that can be written. */
static const char *
find_column(struct ctl *c, const struct ovsdb_table_desc *t, const char *name, const struct view_row *row,
            const struct ovsdb_column_desc **column)
{
    TRY(ctl_find_column(c, t, name, column));
    TRY(ctl_check_has(c, t, *column));
    if (!(*column)->mutable_ && row && row->base) {
        return ctl_error(c, "cannot modify read-only column %s in table %s", (*column)->name, t->name);
    }
    return NULL;
}

/* ---- set ---- */

const char *
database_set_one(struct ctl *c, const struct ovsdb_table_desc *t, struct view_row *row, const char *arg)
{
    const struct ovsdb_column_desc *column;
    struct datum_parser parser = ctl_parser(c);
    union datum_atom *key, *value;
    const char *end;
    struct datum d;

    TRY(ctl_parse_column_key(c, t, arg, &column, &key, &end));
    TRY(find_column(c, t, column->name, row, &column));
    if (*end != '=' || !end[1]) {
        return ctl_error(c, "%s: argument does not end in \"=\" followed by a value.", arg);
    }
    end++;
    if (!key) {
        TRY(datum_parse(&parser, column, end, false, &d));
        if (row) {
            view_set(row, column->index, d);
        }
        return NULL;
    }
    if (column->shape != OVSDB_MAP) {
        return ctl_error(c, "cannot specify key to set for non-map column %s", column->name);
    }
    value = ARENA_NEW(&c->arena, union datum_atom, 1);
    TRY(datum_parse_whole_atom(&parser, &column->value, end, value));
    if (row) {
        view_put(row, column->index, (struct datum) { .n = 1, .k = key, .v = value });
    }
    return NULL;
}

const char *
database_set(struct ctl *c)
{
    const struct ovsdb_table_desc *t;
    struct view_row *row;

    TRY(find_row(c, &t, &row));
    for (int i = 3; ctl_arg(c, i); i++) {
        TRY(database_set_one(c, t, row, ctl_arg(c, i)));
    }
    return NULL;
}

/* ---- add, remove, clear ---- */

static const char *
check_count(struct ctl *c, const char *what, struct view_row *row, const struct ovsdb_column_desc *column)
{
    size_t n = view_datum(row, column->index)->n;

    if (n > column->max) {
        return ctl_error(c, "\"%s\" operation would put %zu values in column %s of table %s but the maximum number is %u", what, n,
                         column->name, row->table->name, column->max);
    }
    if (n < column->min) {
        return ctl_error(c, "\"%s\" operation would put %zu values in column %s of table %s but the minimum number is %u", what, n,
                         column->name, row->table->name, column->min);
    }
    return NULL;
}

const char *
database_add(struct ctl *c)
{
    const struct ovsdb_column_desc *column;
    const struct ovsdb_table_desc *t;
    struct datum_parser parser = ctl_parser(c);
    struct view_row *row;
    struct datum d;

    TRY(find_row(c, &t, &row));
    TRY(find_column(c, t, ctl_arg(c, 3), row, &column));
    for (int i = 4; ctl_arg(c, i); i++) {
        TRY(datum_parse(&parser, column, ctl_arg(c, i), true, &d));
        if (row) {
            view_add(row, column->index, d);
        }
    }
    return row ? check_count(c, "add", row, column) : NULL;
}

/* Of a map, KEY[,KEY]... or KEY=VALUE[,KEY=VALUE]... */
static const char *
remove_from_map(struct ctl *c, struct view_row *row, const struct ovsdb_column_desc *column, const char *arg)
{
    struct datum_parser parser = ctl_parser(c);
    struct ovsdb_column_desc keys = *column;
    struct datum d;

    if (!datum_parse(&parser, column, arg, true, &d)) {
        if (row) {
            view_remove(row, column->index, d);
        }
        return NULL;
    }
    keys.shape = OVSDB_SET;
    TRY(datum_parse(&parser, &keys, arg, true, &d));
    if (row) {
        view_remove_keys(row, column->index, d);
    }
    return NULL;
}

const char *
database_remove(struct ctl *c)
{
    const struct ovsdb_column_desc *column;
    const struct ovsdb_table_desc *t;
    struct datum_parser parser = ctl_parser(c);
    struct view_row *row;
    struct datum d;

    TRY(find_row(c, &t, &row));
    TRY(find_column(c, t, ctl_arg(c, 3), row, &column));
    for (int i = 4; ctl_arg(c, i); i++) {
        if (column->shape == OVSDB_MAP) {
            TRY(remove_from_map(c, row, column, ctl_arg(c, i)));
            continue;
        }
        TRY(datum_parse(&parser, column, ctl_arg(c, i), true, &d));
        if (row) {
            view_remove(row, column->index, d);
        }
    }
    return row ? check_count(c, "remove", row, column) : NULL;
}

const char *
database_clear(struct ctl *c)
{
    const struct ovsdb_column_desc *column;
    const struct ovsdb_table_desc *t;
    struct view_row *row;

    TRY(find_row(c, &t, &row));
    for (int i = 3; ctl_arg(c, i); i++) {
        TRY(find_column(c, t, ctl_arg(c, i), row, &column));
        if (column->min) {
            return ctl_error(c, "\"clear\" operation cannot be applied to column %s of table %s, which is not allowed to be empty",
                             column->name, t->name);
        }
        if (row) {
            view_set(row, column->index, (struct datum) { .n = 0 });
        }
    }
    return NULL;
}

/* ---- create, destroy ---- */

const char *
database_create_needs(struct ctl *c)
{
    const struct ovsdb_table_desc *t;
    const struct ovsdb_column_desc *column;
    const char *id = ctl_option(c, "--id");
    struct uuid uuid;

    TRY(database_need_table(c, &t));
    for (int i = 2; ctl_arg(c, i); i++) {
        TRY(ctl_condition_column(c, t, ctl_arg(c, i), &column));
    }
    if (id && strlen(id) == UUID_LEN && uuid_parse(id, &uuid)) {
        ctl_need_uuid(c, t, 0, &uuid);
    } else {
        ctl_need(c, t, 0, "false");
    }
    return NULL;
}

/* The UUID that --id asks for; *uuid is left alone without it. */
static const char *
create_id(struct ctl *c, const struct ovsdb_table_desc *t, const char *id, struct uuid *uuid)
{
    struct ctl_symbol *s;

    if (strlen(id) == UUID_LEN && uuid_parse(id, uuid)) {
        return view_get(&c->view, t, uuid) ? ctl_error(c, "table %s has a row %s already", t->name, id) : NULL;
    }
    TRY(database_define_symbol(c, id, &s));
    s->created = true;
    s->table = t;
    *uuid = s->uuid;
    return NULL;
}

const char *
database_create(struct ctl *c)
{
    const struct ovsdb_table_desc *t;
    const char *id = ctl_option(c, "--id");
    struct uuid uuid = uuid_random();

    TRY(database_need_table(c, &t));
    TRY(ctl_check_has(c, t, NULL));
    if (id) {
        TRY(create_id(c, t, id, &uuid));
    } else if (!t->is_root) {
        ctl_warn(c, "applying \"create\" command to table %s without --id option will have no effect", t->name);
    }
    struct view_row *row = view_insert(&c->view, t, &uuid);
    for (int i = 2; ctl_arg(c, i); i++) {
        TRY(database_set_one(c, t, row, ctl_arg(c, i)));
    }
    ctl_print(c, UUID_FMT "\n", UUID_ARGS(&uuid));
    return NULL;
}

const char *
database_destroy_needs(struct ctl *c)
{
    const struct ovsdb_table_desc *t;

    TRY(database_need_table(c, &t));
    if (ctl_has(c, "--all") && ctl_arg(c, 2)) {
        return ctl_error(c, "--all and records argument should not be specified together");
    }
    if (ctl_has(c, "--all")) {
        ctl_need_all(c, t, 0);
    }
    for (int i = 2; ctl_arg(c, i); i++) {
        TRY(ctl_need_record(c, t, ctl_arg(c, i), 0));
    }
    return NULL;
}

const char *
database_destroy(struct ctl *c)
{
    const struct ovsdb_table_desc *t;
    struct view_row *row;
    size_t n = 0;

    TRY(database_need_table(c, &t));
    TRY(ctl_check_has(c, t, NULL));
    struct view_row **rows = ctl_has(c, "--all") ? view_rows(&c->view, t, &n) : NULL;
    for (size_t i = 0; i < n; i++) {
        view_delete(rows[i]);
    }
    for (int i = 2; ctl_arg(c, i); i++) {
        TRY(ctl_find_record(c, t, ctl_arg(c, i), !ctl_has(c, "--if-exists"), &row));
        if (row) {
            view_delete(row);
        }
    }
    if (!rows && !ctl_arg(c, 2)) {
        ctl_warn(c, "either --all or records argument should be specified");
    }
    return NULL;
}

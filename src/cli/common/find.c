/* find.c - COLUMN[:KEY] and the conditions of find and wait-until: ovn-nbctl(8), "Database Command Syntax". */
#include "cli/common/ctl.h"

enum op { OP_EQ, OP_NE, OP_LT, OP_GT, OP_LE, OP_GE, OP_SET_EQ, OP_SET_NE, OP_SET_LT, OP_SET_GT, OP_SET_LE, OP_SET_GE, OP_IN,
          OP_NOT_IN };
/* The longer before what they begin with. */
static const struct {
    const char *text;
    enum op op;
} operators[] = {
    { "{not-in}", OP_NOT_IN }, { "{in}", OP_IN }, { "{<=}", OP_SET_LE }, { "{>=}", OP_SET_GE }, { "{!=}", OP_SET_NE },
    { "{=}", OP_SET_EQ }, { "{<}", OP_SET_LT }, { "{>}", OP_SET_GT }, { "!=", OP_NE }, { "<=", OP_LE }, { ">=", OP_GE },
    { "=", OP_EQ }, { "<", OP_LT }, { ">", OP_GT },
};

const char *
ctl_parse_column_key(struct ctl *c, const struct ovsdb_table_desc *t, const char *arg, const struct ovsdb_column_desc **column,
                     union datum_atom **key, const char **end)
{
    struct datum_parser parser = ctl_parser(c);
    const char *name;

    TRY(datum_parse_word(&c->arena, arg, end, &name));
    if (!*name) {
        return ctl_error(c, "%s: missing column name", arg);
    }
    TRY(ctl_find_column(c, t, name, column));
    *key = NULL;
    if (**end == ':') {
        static const struct ovsdb_base_desc any = { .type = OVSDB_STRING };     /* The caller refuses it. */
        *key = ARENA_NEW(&c->arena, union datum_atom, 1);
        TRY(datum_parse_atom(&parser, (*column)->shape == OVSDB_MAP ? &(*column)->key : &any, *end + 1, end, *key));
    }
    return NULL;
}

const char *
ctl_condition_column(struct ctl *c, const struct ovsdb_table_desc *t, const char *arg, const struct ovsdb_column_desc **column)
{
    const char *name, *end;

    TRY(datum_parse_word(&c->arena, arg, &end, &name));
    return ctl_find_column(c, t, name, column);
}

/* The operators that compare sets do so in both directions; the others by the order of values. */
static bool
evaluate(enum op op, const struct datum *a, const struct datum *b, const struct ovsdb_column_desc *c)
{
    int cmp = op < OP_SET_EQ ? datum_compare(a, b, c) : 0;
    bool a_in_b = op >= OP_SET_EQ && datum_is_subset(a, b, c), b_in_a = op >= OP_SET_EQ && datum_is_subset(b, a, c);

    switch (op) {
    case OP_EQ:
        return !cmp;
    case OP_NE:
        return cmp;
    case OP_LT:
        return cmp < 0;
    case OP_GT:
        return cmp > 0;
    case OP_LE:
        return cmp <= 0;
    case OP_GE:
        return cmp >= 0;
    case OP_SET_EQ:
        return a_in_b && b_in_a;
    case OP_SET_NE:
        return !(a_in_b && b_in_a);
    case OP_SET_LT:
        return a_in_b && !b_in_a;
    case OP_SET_GT:
        return b_in_a && !a_in_b;
    case OP_SET_LE:
    case OP_IN:
        return a_in_b;
    case OP_SET_GE:
        return b_in_a;
    case OP_NOT_IN:
        break;
    }
    for (size_t i = 0; i < a->n; i++) {
        if (datum_find(b, &a->k[i], c->key.type) != SIZE_MAX) {
            return false;
        }
    }
    return true;
}

/* A column of a set of what COLUMN, a map, has as values: to compare the value of one key. */
static struct ovsdb_column_desc
value_column(const struct ovsdb_column_desc *c)
{
    struct ovsdb_column_desc v = *c;

    v.shape = OVSDB_SET;
    v.key = c->value;
    v.min = 0;
    v.max = UINT32_MAX;
    return v;
}

/* Whether the condition ARG holds for ROW (NULL: only whether it is well formed). */
const char *
ctl_parse_condition(struct ctl *c, const struct ovsdb_table_desc *t, const char *arg, struct view_row *row, bool *holds)
{
    const struct ovsdb_column_desc *column;
    struct datum_parser parser = ctl_parser(c);
    union datum_atom *key;
    struct datum value, mine;
    const char *p;
    size_t i;

    TRY(ctl_parse_column_key(c, t, arg, &column, &key, &p));
    TRY(ctl_check_has(c, t, column));
    for (i = 0; i < ARRAY_SIZE(operators) && !str_after(p, operators[i].text); i++) {
    }
    if (i == ARRAY_SIZE(operators) || !*str_after(p, operators[i].text)) {
        return ctl_error(c, "%s: argument does not end in \"=\", \"!=\", \"<\", \">\", \"<=\", \">=\", \"{=}\", \"{!=}\", \"{<}\", "
                         "\"{>}\", \"{<=}\", \"{>=}\", \"{in}\", or \"{not-in}\" followed by a value.", arg);
    }
    p += strlen(operators[i].text);
    enum op op = operators[i].op;
    if (key && column->shape != OVSDB_MAP) {
        return ctl_error(c, "cannot specify key to check for non-map column %s", column->name);
    }
    if (!key) {
        struct ovsdb_column_desc unlimited = *column;          /* tag>0 is a good question, though no tag is 0. */
        unlimited.key.min_integer = INT64_MIN;
        unlimited.key.max_integer = INT64_MAX;
        TRY(datum_parse(&parser, &unlimited, p, op >= OP_SET_EQ, &value));
        *holds = row && evaluate(op, view_datum(row, column->index), &value, column);
        return NULL;
    }
    struct ovsdb_column_desc values = value_column(column);
    TRY(datum_parse(&parser, &values, p, true, &value));
    if (!row) {
        *holds = false;
        return NULL;
    }
    const struct datum *map = view_datum(row, column->index);
    size_t at = datum_find(map, key, column->key.type);
    mine = at == SIZE_MAX ? (struct datum) { .n = 0 } : (struct datum) { .n = 1, .k = &map->v[at] };
    *holds = (op >= OP_SET_EQ || mine.n) && evaluate(op, &mine, &value, &values);
    return NULL;
}

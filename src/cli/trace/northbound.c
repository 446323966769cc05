/* northbound.c - the northbound row behind a logical flow, by the beginning of its UUID (external_ids:stage-hint), in words (cli/common/northbound.h). */
#include "cli/trace/northbound.h"

#include "cli/common/northbound.h"

void
northbound_use(struct ovsdb *nb)
{
    for (size_t i = 0; i < n_northbound_kinds; i++) {
        const struct northbound_kind *kind = &northbound_kinds[i];
        ovsdb_use(nb, kind->table, describe_columns(kind->table, kind->sentence));
    }
}

/* What ROW has in COLUMNS, as far as a sentence wants it: values that stand alone. */
static struct datum *
row_cells(struct arena *arena, struct ovsdb_row *row, const struct ovsdb_table_desc *t, uint64_t columns)
{
    struct datum *cells = ARENA_NEW(arena, struct datum, t->n_columns);

    for (uint16_t i = 0; i < t->n_columns; i++) {
        const struct ovsdb_column_desc *c = &t->columns[i];
        const void *cell = ovsdb_row_cell(row, c);
        const struct ovsdb_opt *opt = c->shape == OVSDB_OPT ? cell : NULL;
        const union ovsdb_atom *a = opt && opt->has ? &opt->v : c->shape == OVSDB_ONE ? cell : NULL;
        if (!(columns & OVSDB_COLUMN(i)) || !a || c->key.type == OVSDB_UUID) {
            continue;
        }
        cells[i] = (struct datum) { .n = 1, .k = ARENA_NEW(arena, union datum_atom, 1) };
        switch (c->key.type) {
        case OVSDB_INTEGER:
            cells[i].k[0].i = a->i;
            break;
        case OVSDB_REAL:
            cells[i].k[0].d = a->d;
            break;
        case OVSDB_BOOLEAN:
            cells[i].k[0].b = a->b;
            break;
        case OVSDB_STRING:
            cells[i].k[0].s = a->s;
            break;
        case OVSDB_UUID:
            break;
        }
    }
    return cells;
}

bool
northbound_put(struct ovsdb *nb, const char *hint, struct str *out)
{
    size_t n = strlen(hint);
    char uuid[UUID_LEN + 1];

    for (size_t i = 0; i < n_northbound_kinds && n >= 8 && n <= UUID_LEN; i++) {
        const struct northbound_kind *kind = &northbound_kinds[i];
        OVSDB_FOR_EACH (row, ovsdb_table(nb, kind->table), NULL) {
            uuid_format(&row->uuid, uuid);
            if (!strncmp(uuid, hint, n)) {
                struct arena arena = ARENA_INIT;
                describe_row(kind->table, kind->sentence, row_cells(&arena, row, kind->table, describe_columns(kind->table, kind->sentence)), out);
                str_printf(out, ", UUID %s,", uuid);
                arena_clear(&arena);
                return true;
            }
        }
    }
    return false;
}

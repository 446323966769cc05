/* general.c - init, show. ovn-sbctl(8), "OVN_Southbound Commands".
 *
 * show --filter=TABLE(TEXT|TEXT...) leaves out the rows of TABLE in which none of the TEXTs appears. */
#include "cli/sbctl/sbctl.h"

#include <stdlib.h>

/* What show shows of each table; its filter looks there. */
static const struct {
    const struct ovsdb_table_desc *table;
    uint64_t columns;
} shown[] = {
    { &sb_table_chassis, OVSDB_COLUMN(SB_CHASSIS_NAME) | OVSDB_COLUMN(SB_CHASSIS_HOSTNAME) },
    { &sb_table_encap, OVSDB_COLUMN(SB_ENCAP_TYPE) | OVSDB_COLUMN(SB_ENCAP_IP) | OVSDB_COLUMN(SB_ENCAP_OPTIONS) },
    { &sb_table_port_binding, OVSDB_COLUMN(SB_PORT_BINDING_LOGICAL_PORT) },
};
/* TEXTs by table, as in `shown`. */
struct filter {
    size_t n[ARRAY_SIZE(shown)];
    const char **texts[ARRAY_SIZE(shown)];
};

static const char *
init_needs(struct ctl *c)
{
    ctl_need_all(c, &sb_table_sb_global, 0);
    return NULL;
}

static const char *
init_run(struct ctl *c)
{
    ctl_singleton(c, &sb_table_sb_global);
    return NULL;
}

static const char *
show_needs(struct ctl *c)
{
    for (size_t i = 0; i < ARRAY_SIZE(shown); i++) {
        ctl_need_all(c, shown[i].table, shown[i].columns);
    }
    ctl_need_all(c, &sb_table_chassis, OVSDB_COLUMN(SB_CHASSIS_ENCAPS));
    ctl_need_all(c, &sb_table_port_binding, OVSDB_COLUMN(SB_PORT_BINDING_CHASSIS));
    return NULL;
}

/* ---- --filter ---- */

static const char *
filter_add_table(struct ctl *c, struct filter *f, const char *name, char *texts)
{
    const struct ovsdb_table_desc *table;
    size_t i = 0;

    TRY(ctl_find_table(c, name, &table));
    while (i < ARRAY_SIZE(shown) && shown[i].table != table) {
        i++;
    }
    if (i == ARRAY_SIZE(shown)) {
        return ctl_error(c, "--filter: show has no rows of table %s, only of Chassis, Encap and Port_Binding", table->name);
    }
    const char **all = ARENA_NEW(&c->arena, const char *, f->n[i] + strlen(texts) + 1), *text;
    if (f->n[i]) {
        memcpy(all, f->texts[i], f->n[i] * sizeof *all);
    }
    while ((text = strsep(&texts, "|"))) {
        if (!*text) {
            return ctl_error(c, "--filter: an empty text for table %s", table->name);
        }
        all[f->n[i]++] = text;
    }
    f->texts[i] = all;
    return NULL;
}

/* TABLE(TEXT[|TEXT]...), several separated by commas or spaces. */
static const char *
filter_parse(struct ctl *c, const char *arg, struct filter *f)
{
    char *p = arena_strdup(&c->arena, arg);

    *f = (struct filter) { { 0 }, { NULL } };
    for (p += strspn(p, ", "); *p; p += strspn(p, ", ")) {
        char *open = strchr(p, '('), *close = open ? strchr(open, ')') : NULL;
        if (!close || open == p) {
            return ctl_error(c, "%s: --filter takes TABLE(TEXT|TEXT...), e.g. --filter='Port_Binding(web|db)'", arg);
        }
        *open = *close = '\0';
        TRY(filter_add_table(c, f, p, open + 1));
        p = close + 1;
    }
    return NULL;
}

static bool
filter_passes(const struct filter *f, struct view_row *row)
{
    size_t i = 0;
    bool passes = false;

    while (shown[i].table != row->table) {
        i++;
    }
    for (uint16_t column = 0; f->n[i] && !passes && column < row->table->n_columns; column++) {
        struct str text = STR_INIT;
        if (shown[i].columns & OVSDB_COLUMN(column)) {
            datum_put(&text, view_datum(row, column), &row->table->columns[column], DATUM_STRING);
        }
        for (size_t j = 0; !passes && j < f->n[i]; j++) {
            passes = strstr(str_c(&text), f->texts[i][j]);
        }
        str_free(&text);
    }
    return passes || !f->n[i];
}

/* ---- show ---- */

/* INDENT TITLE: value, unless it is empty. */
static void
print_column(struct ctl *c, int indent, struct view_row *row, uint16_t column)
{
    const struct ovsdb_column_desc *desc = &row->table->columns[column];
    const struct datum *d = view_datum(row, column);

    if (d->n && !(desc->key.type == OVSDB_STRING && desc->shape == OVSDB_ONE && !*d->k[0].s)) {
        ctl_print(c, "%*s%s: ", indent, "", desc->name);
        datum_put(&c->call->out, d, desc, DATUM_STRING);
        ctl_print(c, "\n");
    }
}

static void
show_encaps(struct ctl *c, struct view_row *chassis, const struct filter *f)
{
    const struct datum *refs = view_datum(chassis, SB_CHASSIS_ENCAPS);
    struct view_row **rows = ARENA_NEW(&c->arena, struct view_row *, refs->n);
    size_t n = 0;

    for (size_t i = 0; i < refs->n; i++) {
        struct view_row *row = view_get(&c->view, &sb_table_encap, &refs->k[i].u);
        if (row && filter_passes(f, row)) {
            rows[n++] = row;
        }
    }
    view_sort_by_str(rows, n, SB_ENCAP_TYPE);
    for (size_t i = 0; i < n; i++) {
        ctl_print(c, "    Encap %s\n", view_str(rows[i], SB_ENCAP_TYPE));
        print_column(c, 8, rows[i], SB_ENCAP_IP);
        print_column(c, 8, rows[i], SB_ENCAP_OPTIONS);
    }
}

static void
show_chassis(struct ctl *c, struct view_row *chassis, struct view_row **ports, size_t n_ports, const struct filter *f)
{
    ctl_print(c, "Chassis ");
    datum_put(&c->call->out, view_datum(chassis, SB_CHASSIS_NAME), &sb_table_chassis.columns[SB_CHASSIS_NAME], DATUM_STRING);
    ctl_print(c, "\n");
    print_column(c, 4, chassis, SB_CHASSIS_HOSTNAME);
    show_encaps(c, chassis, f);
    for (size_t i = 0; i < n_ports; i++) {
        ctl_print(c, "    Port_Binding ");
        datum_put(&c->call->out, view_datum(ports[i], SB_PORT_BINDING_LOGICAL_PORT),
                  &sb_table_port_binding.columns[SB_PORT_BINDING_LOGICAL_PORT], DATUM_STRING);
        ctl_print(c, "\n");
    }
}

/* By chassis; then as they were, by name. */
static int
compare_bound(const void *a_, const void *b_)
{
    struct view_row *a = *(struct view_row *const *) a_, *b = *(struct view_row *const *) b_;
    int cmp = uuid_compare(&view_datum(a, SB_PORT_BINDING_CHASSIS)->k[0].u, &view_datum(b, SB_PORT_BINDING_CHASSIS)->k[0].u);

    return cmp ? cmp : strcmp(view_str(a, SB_PORT_BINDING_LOGICAL_PORT), view_str(b, SB_PORT_BINDING_LOGICAL_PORT));
}

static const char *
show_run(struct ctl *c)
{
    const char *arg = ctl_option(c, "--filter");
    struct filter filter;
    size_t n, n_all, n_ports = 0;

    TRY(filter_parse(c, arg ? arg : "", &filter));
    struct view_row **chassis = view_rows(&c->view, &sb_table_chassis, &n);
    struct view_row **ports = view_rows(&c->view, &sb_table_port_binding, &n_all);
    for (size_t i = 0; i < n_all; i++) {
        if (view_datum(ports[i], SB_PORT_BINDING_CHASSIS)->n && filter_passes(&filter, ports[i])) {
            ports[n_ports++] = ports[i];
        }
    }
    qsort(ports, n_ports, sizeof *ports, compare_bound);
    view_sort_by_str(chassis, n, SB_CHASSIS_NAME);
    for (size_t i = 0; i < n; i++) {
        size_t first = 0, last = n_ports;      /* Of this chassis, found by halving. */
        while (first < last) {
            size_t middle = first + (last - first) / 2;
            bool before = uuid_compare(&view_datum(ports[middle], SB_PORT_BINDING_CHASSIS)->k[0].u, &chassis[i]->uuid) < 0;
            first = before ? middle + 1 : first;
            last = before ? last : middle;
        }
        while (last < n_ports && uuid_equal(&view_datum(ports[last], SB_PORT_BINDING_CHASSIS)->k[0].u, &chassis[i]->uuid)) {
            last++;
        }
        if (filter_passes(&filter, chassis[i])) {
            show_chassis(c, chassis[i], ports + first, last - first, &filter);
        }
    }
    return NULL;
}

static const struct ctl_command commands[] = {
    { "init", NULL, "", 0, 0, "initialize the database, if it is empty", init_needs, init_run, CTL_WRITES },
    { "show", "--filter=TABLE(TEXT[|TEXT]...)", "", 0, 0, "print an overview of the database; of TABLE (Chassis, Encap,\nPort_Binding) only rows with one of TEXTs", show_needs, show_run, 0 },
    { NULL },
};
const struct ctl_group sbctl_general_group = { "General commands", commands };

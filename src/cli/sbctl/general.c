/* general.c - init, show. ovn-sbctl(8), "OVN_Southbound Commands". */
#include "cli/sbctl/sbctl.h"

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
    ctl_need_all(c, &sb_table_chassis, OVSDB_COLUMN(SB_CHASSIS_NAME) | OVSDB_COLUMN(SB_CHASSIS_HOSTNAME)
                 | OVSDB_COLUMN(SB_CHASSIS_ENCAPS));
    ctl_need_all(c, &sb_table_encap, OVSDB_COLUMN(SB_ENCAP_TYPE) | OVSDB_COLUMN(SB_ENCAP_IP) | OVSDB_COLUMN(SB_ENCAP_OPTIONS));
    ctl_need_all(c, &sb_table_port_binding, OVSDB_COLUMN(SB_PORT_BINDING_LOGICAL_PORT) | OVSDB_COLUMN(SB_PORT_BINDING_CHASSIS));
    return NULL;
}

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
show_encaps(struct ctl *c, struct view_row *chassis)
{
    const struct datum *refs = view_datum(chassis, SB_CHASSIS_ENCAPS);
    struct view_row **rows = ARENA_NEW(&c->arena, struct view_row *, refs->n);
    size_t n = 0;

    for (size_t i = 0; i < refs->n; i++) {
        struct view_row *row = view_get(&c->view, &sb_table_encap, &refs->k[i].u);
        if (row) {
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

/* Port bindings are sorted by name; they are looked at once for each chassis that has any. */
static const char *
show_run(struct ctl *c)
{
    size_t n, n_ports;
    struct view_row **chassis = view_rows(&c->view, &sb_table_chassis, &n);
    struct view_row **ports = view_rows(&c->view, &sb_table_port_binding, &n_ports);

    view_sort_by_str(chassis, n, SB_CHASSIS_NAME);
    view_sort_by_str(ports, n_ports, SB_PORT_BINDING_LOGICAL_PORT);
    for (size_t i = 0; i < n; i++) {
        ctl_print(c, "Chassis ");
        datum_put(&c->call->out, view_datum(chassis[i], SB_CHASSIS_NAME), &sb_table_chassis.columns[SB_CHASSIS_NAME], DATUM_STRING);
        ctl_print(c, "\n");
        print_column(c, 4, chassis[i], SB_CHASSIS_HOSTNAME);
        show_encaps(c, chassis[i]);
        for (size_t j = 0; j < n_ports; j++) {
            const struct datum *at = view_datum(ports[j], SB_PORT_BINDING_CHASSIS);
            if (at->n && uuid_equal(&at->k[0].u, &chassis[i]->uuid)) {
                ctl_print(c, "    Port_Binding ");
                datum_put(&c->call->out, view_datum(ports[j], SB_PORT_BINDING_LOGICAL_PORT),
                          &sb_table_port_binding.columns[SB_PORT_BINDING_LOGICAL_PORT], DATUM_STRING);
                ctl_print(c, "\n");
            }
        }
    }
    return NULL;
}

static const struct ctl_command commands[] = {
    { "init", NULL, "", 0, 0, "initialize the database, if it is empty", init_needs, init_run, CTL_WRITES },
    { "show", NULL, "", 0, 0, "print an overview of the database", show_needs, show_run, 0 },
    { NULL },
};
const struct ctl_group sbctl_general_group = { "General commands", commands };

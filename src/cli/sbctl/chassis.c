/* chassis.c - chassis-add, chassis-del, lsp-bind, lsp-unbind. ovn-sbctl(8), "Chassis Commands", "Port Binding Commands".
 *
 * Hypervisors do these things themselves; the commands are for gateways without an ovn-controller, and for tests. */
#include "cli/sbctl/sbctl.h"

#include "net/address.h"

/* ---- chassis ---- */

const char *
chassis_find(struct ctl *c, const char *name, bool must_exist, struct view_row **row)
{
    size_t n;
    struct view_row **rows = view_find_str(&c->view, &sb_table_chassis, SB_CHASSIS_NAME, name, &n);

    *row = n ? rows[0] : NULL;
    return n || !must_exist ? NULL : ctl_error(c, "no chassis named %s", name);
}

static const char *
chassis_needs(struct ctl *c)
{
    ctl_need_str(c, &sb_table_chassis, OVSDB_COLUMN(SB_CHASSIS_ENCAPS), SB_CHASSIS_NAME, ctl_arg(c, 1));
    ctl_need(c, &sb_table_encap, 0, "false");
    return NULL;
}

static const char *
chassis_add(struct ctl *c)
{
    const char *name = ctl_arg(c, 1), *types = ctl_arg(c, 2), *ip_text = ctl_arg(c, 3);
    const struct ovsdb_column_desc *type_column = &sb_table_encap.columns[SB_ENCAP_TYPE];
    struct datum_parser parser = ctl_parser(c);
    struct view_row *chassis;
    struct ip_addr ip;

    TRY(chassis_find(c, name, false, &chassis));
    if (chassis) {
        return ctl_has(c, "--may-exist") ? NULL
               : ctl_error(c, "cannot create a chassis named %s because a chassis named %s already exists", name, name);
    }
    if (!ip_addr_from_str(ip_text, &ip) || strchr(ip_text, '/')) {
        return ctl_error(c, "%s: not an IP address (an encapsulation needs one, e.g. 192.0.2.1)", ip_text);
    }
    view_verify_absent(&c->view, &sb_table_chassis, SB_CHASSIS_NAME, name);
    chassis = view_insert(&c->view, &sb_table_chassis, NULL);
    view_set_str(chassis, SB_CHASSIS_NAME, name);
    for (const char *p = types; *p; p += *p == ',') {
        struct datum type;
        size_t n = strcspn(p, ",");
        if (n) {
            TRY(datum_parse(&parser, type_column, arena_strndup(&c->arena, p, n), false, &type));
            struct view_row *encap = view_insert(&c->view, &sb_table_encap, NULL);
            view_set(encap, SB_ENCAP_TYPE, type);
            view_set_str(encap, SB_ENCAP_IP, ip_text);
            view_set_str(encap, SB_ENCAP_CHASSIS_NAME, name);
            struct datum csum = datum_of_str(&c->arena, "csum");
            csum.v = datum_of_str(&c->arena, "true").k;
            view_set(encap, SB_ENCAP_OPTIONS, csum);
            view_add_ref(chassis, SB_CHASSIS_ENCAPS, encap);
        }
        p += n;
    }
    return view_datum(chassis, SB_CHASSIS_ENCAPS)->n ? NULL : ctl_error(c, "%s: expected encapsulations, e.g. geneve", types);
}

static const char *
chassis_del(struct ctl *c)
{
    struct view_row *chassis;

    TRY(chassis_find(c, ctl_arg(c, 1), !ctl_has(c, "--if-exists"), &chassis));
    if (chassis) {
        view_delete(chassis);          /* The server removes its encaps, and references to it. */
    }
    return NULL;
}

static const struct ctl_command chassis_commands[] = {
    { "chassis-add", "--may-exist", "CHASSIS ENCAP-TYPE[,ENCAP-TYPE]... ENCAP-IP", 3, 3, "create a new chassis named CHASSIS",
      chassis_needs, chassis_add, CTL_WRITES },
    { "chassis-del", "--if-exists", "CHASSIS", 1, 1, "delete CHASSIS and all of its encaps", chassis_needs, chassis_del, CTL_WRITES },
    { NULL },
};
const struct ctl_group sbctl_chassis_group = { "Chassis commands", chassis_commands };

/* ---- port bindings ---- */

static const char *
find_binding(struct ctl *c, const char *name, struct view_row **row)
{
    size_t n;
    struct view_row **rows = view_find_str(&c->view, &sb_table_port_binding, SB_PORT_BINDING_LOGICAL_PORT, name, &n);

    *row = n ? rows[0] : NULL;
    return n ? NULL : ctl_error(c, "no port named %s", name);
}

static const char *
binding_needs(struct ctl *c)
{
    ctl_need_str(c, &sb_table_port_binding, OVSDB_COLUMN(SB_PORT_BINDING_CHASSIS) | OVSDB_COLUMN(SB_PORT_BINDING_UP),
                 SB_PORT_BINDING_LOGICAL_PORT, ctl_arg(c, 1));
    if (ctl_arg(c, 2)) {
        ctl_need_str(c, &sb_table_chassis, 0, SB_CHASSIS_NAME, ctl_arg(c, 2));
    }
    return NULL;
}

/* The port is at AT already: fine with --may-exist, if that is CHASSIS. */
static const char *
port_is_bound(struct ctl *c, const struct uuid *at, const struct view_row *chassis)
{
    if (ctl_has(c, "--may-exist") && uuid_equal(at, &chassis->uuid)) {
        return NULL;
    }
    if (!ctl_need_uuid(c, &sb_table_chassis, OVSDB_COLUMN(SB_CHASSIS_NAME), at)) {
        return CTL_AGAIN;
    }
    struct view_row *row = view_get(&c->view, &sb_table_chassis, at);
    const char *name = row ? view_str(row, SB_CHASSIS_NAME) : NULL;
    return ctl_error(c, "lport (%s) has already been binded to chassis (%s)", ctl_arg(c, 1), name ? name : "");
}

static const char *
port_bind(struct ctl *c)
{
    struct view_row *port, *chassis;

    TRY(find_binding(c, ctl_arg(c, 1), &port));
    TRY(chassis_find(c, ctl_arg(c, 2), true, &chassis));
    const struct datum *at = view_datum(port, SB_PORT_BINDING_CHASSIS);
    if (at->n) {
        return port_is_bound(c, &at->k[0].u, chassis);
    }
    view_verify(port, SB_PORT_BINDING_CHASSIS);
    view_set(port, SB_PORT_BINDING_CHASSIS, datum_of_uuid(&c->arena, &chassis->uuid));
    if (ovsdb_has_column(c->db, &sb_table_port_binding, SB_PORT_BINDING_UP)) {
        view_set(port, SB_PORT_BINDING_UP, datum_of_bool(&c->arena, true));
    }
    return NULL;
}

static const char *
port_unbind(struct ctl *c)
{
    struct view_row *port;
    const char *error = find_binding(c, ctl_arg(c, 1), &port);

    if (error) {
        return ctl_has(c, "--if-exists") ? NULL : error;
    }
    if (view_datum(port, SB_PORT_BINDING_CHASSIS)->n) {
        view_set(port, SB_PORT_BINDING_CHASSIS, (struct datum) { .n = 0 });
        if (ovsdb_has_column(c->db, &sb_table_port_binding, SB_PORT_BINDING_UP)) {
            view_set(port, SB_PORT_BINDING_UP, (struct datum) { .n = 0 });
        }
    }
    return NULL;
}

static const struct ctl_command port_commands[] = {
    { "lsp-bind", "--may-exist", "PORT CHASSIS", 2, 2, "bind logical port PORT to CHASSIS", binding_needs, port_bind, CTL_WRITES },
    { "lsp-unbind", "--if-exists", "PORT", 1, 1, "remove the binding of logical port PORT", binding_needs, port_unbind, CTL_WRITES },
    { NULL },
};
const struct ctl_group sbctl_port_group = { "Port binding commands", port_commands };

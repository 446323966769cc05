/* port.c - lsp-add and all that is said of one logical switch port. ovn-nbctl(8), "Logical Switch Port Commands".
 *
 * Names of ports are meant to be unique in the whole database. A port is there as long as a switch has it: one whose switch was
 * deleted earlier on the same line is gone, too (the server removes it at the end). */
#include "cli/nbctl/nbctl.h"

#include <limits.h>
#include "cli/nbctl/port_address.h"

static const struct ovsdb_table_desc *const LS = &nb_table_logical_switch;
static const struct ovsdb_table_desc *const LSP = &nb_table_logical_switch_port;

/* ---- lsp-add ---- */

static const char *
add_needs(struct ctl *c)
{
    noun_need(c, &noun_switch, ctl_arg(c, 1), 0);
    noun_need(c, &noun_port, ctl_arg(c, 2), NB_LSP(PARENT_NAME) | NB_LSP(TAG_REQUEST));
    return NULL;
}

/* --may-exist: PORT exists; is it what lsp-add would make? */
static const char *
check_existing(struct ctl *c, struct view_row *ls, struct view_row *port, const char *parent, int64_t tag)
{
    const char *name = ctl_arg(c, 2), *its_parent = view_str(port, NB_LOGICAL_SWITCH_PORT_PARENT_NAME);
    struct view_row *owner;

    TRY(switch_of_port(c, port, &owner));
    if (!owner || owner != ls) {
        const char *its_switch = owner ? view_str(owner, NB_LOGICAL_SWITCH_NAME) : "";
        return !owner        ? ctl_error(c, "%s: port already exists but in no switch", name)
               : *its_switch ? ctl_error(c, "%s: port already exists but in switch %s", name, its_switch)
                             : ctl_error(c, "%s: port already exists but in switch " UUID_FMT, name, UUID_ARGS(&owner->uuid));
    }
    if (!parent) {
        return its_parent ? ctl_error(c, "%s: port already exists but has parent %s", name, its_parent) : NULL;
    }
    if (!its_parent) {
        return ctl_error(c, "%s: port already exists but has no parent", name);
    }
    if (!str_eq(its_parent, parent)) {
        return ctl_error(c, "%s: port already exists with different parent %s", name, its_parent);
    }
    int64_t its_tag = view_int(port, NB_LOGICAL_SWITCH_PORT_TAG_REQUEST, -1);
    if (its_tag < 0) {
        return ctl_error(c, "%s: port already exists but has no tag_request", name);
    }
    return its_tag == tag ? NULL
                          : ctl_error(c, "%s: port already exists with different tag_request %lld", name, (long long) its_tag);
}

const char *
port_find(struct ctl *c, const char *name, struct view_row **row)
{
    struct view_row *owner;

    TRY(noun_find(c, &noun_port, name, false, row));
    if (*row && (*row)->base) {
        TRY(switch_of_port(c, *row, &owner));
        if (!owner) {
            view_delete(*row);
            *row = NULL;
        }
    }
    return NULL;
}

static const char *
port_add(struct ctl *c)
{
    const char *name = ctl_arg(c, 2), *parent = ctl_arg(c, 3);
    struct view_row *ls, *port;
    int64_t tag = -1;

    TRY(noun_find(c, &noun_switch, ctl_arg(c, 1), true, &ls));
    if (parent && !ctl_arg(c, 4)) {
        return ctl_error(c, "lsp-add with parent must also specify a tag");
    }
    if (parent && !noun_parse_int(c, ctl_arg(c, 4), 0, 4095, &tag)) {
        return ctl_error(c, "%s: invalid tag (must be in range 0 to 4095)", ctl_arg(c, 4));
    }
    TRY(port_find(c, name, &port));
    if (port) {
        return ctl_has(c, "--may-exist") ? check_existing(c, ls, port, parent, tag)
                                         : ctl_error(c, "%s: a port with this name already exists", name);
    }
    view_verify_absent(&c->view, LSP, NB_LOGICAL_SWITCH_PORT_NAME, name);
    port = view_insert(&c->view, LSP, NULL);
    view_set_str(port, NB_LOGICAL_SWITCH_PORT_NAME, name);
    if (parent) {
        view_set_str(port, NB_LOGICAL_SWITCH_PORT_PARENT_NAME, parent);
        view_set(port, NB_LOGICAL_SWITCH_PORT_TAG_REQUEST, datum_of_int(&c->arena, tag));
    }
    view_add_ref(ls, NB_LOGICAL_SWITCH_PORTS, port);
    return NULL;
}

/* ---- lsp-del, lsp-list, lsp-get-ls ---- */

static const char *
needs_port_name(struct ctl *c)
{
    noun_need(c, &noun_port, ctl_arg(c, 1), 0);
    ctl_need(c, LS, NB_LS(NAME) | NB_LS(PORTS), "false");
    return NULL;
}

static const char *
port_del(struct ctl *c)
{
    struct view_row *port, *ls;

    TRY(noun_find(c, &noun_port, ctl_arg(c, 1), !ctl_has(c, "--if-exists"), &port));
    if (!port) {
        return NULL;
    }
    TRY(switch_of_port(c, port, &ls));
    if (!ls) {
        return ctl_error(c, "logical port %s is not part of any logical switch", ctl_arg(c, 1));
    }
    view_remove_ref(ls, NB_LOGICAL_SWITCH_PORTS, port);
    view_delete(port);
    return NULL;
}

static const char *
list_needs(struct ctl *c)
{
    noun_need(c, &noun_switch, ctl_arg(c, 1), NB_LS(PORTS));
    ctl_need(c, LSP, NB_LSP(NAME), "false");
    return NULL;
}

static const char *
port_list(struct ctl *c)
{
    struct view_row *ls, **rows;
    size_t n;

    TRY(noun_find(c, &noun_switch, ctl_arg(c, 1), true, &ls));
    TRY(noun_members(c, ls, NB_LOGICAL_SWITCH_PORTS, NB_LSP(NAME), &rows, &n));
    noun_print(c, rows, n, NB_LOGICAL_SWITCH_PORT_NAME);
    return NULL;
}

static const char *
port_get_ls(struct ctl *c)
{
    struct view_row *port, *ls;

    TRY(noun_find(c, &noun_port, ctl_arg(c, 1), true, &port));
    TRY(switch_of_port(c, port, &ls));
    if (ls) {
        ctl_print(c, UUID_FMT " (%s)\n", UUID_ARGS(&ls->uuid), view_str(ls, NB_LOGICAL_SWITCH_NAME));
    }
    return NULL;
}

/* ---- one column of one port ---- */

/* What the simple commands are about: the same needs, and the port found. */
static uint16_t
command_column(const struct ctl *c)
{
    static const struct {
        const char *suffix;
        uint16_t column;
    } columns[] = {
        { "-parent", NB_LOGICAL_SWITCH_PORT_PARENT_NAME }, { "-tag", NB_LOGICAL_SWITCH_PORT_TAG },
        { "-addresses", NB_LOGICAL_SWITCH_PORT_ADDRESSES }, { "-port-security", NB_LOGICAL_SWITCH_PORT_PORT_SECURITY },
        { "-up", NB_LOGICAL_SWITCH_PORT_UP }, { "-enabled", NB_LOGICAL_SWITCH_PORT_ENABLED },
        { "-type", NB_LOGICAL_SWITCH_PORT_TYPE }, { "-options", NB_LOGICAL_SWITCH_PORT_OPTIONS },
    };
    const char *rest = strpbrk(c->call->command->name + strlen("lsp-"), "-");

    for (size_t i = 0; i < ARRAY_SIZE(columns); i++) {
        if (str_eq(rest, columns[i].suffix)) {
            return columns[i].column;
        }
    }
    panic("%s is about no column", c->call->command->name);
}

static const char *
needs_column(struct ctl *c)
{
    noun_need(c, &noun_port, ctl_arg(c, 1), OVSDB_COLUMN(command_column(c)));
    return NULL;
}

/* Prints a value, or the values of a set, a line each; nothing if empty. */
static const char *
get_column(struct ctl *c)
{
    struct view_row *port;
    uint16_t column = command_column(c);

    TRY(noun_find(c, &noun_port, ctl_arg(c, 1), true, &port));
    const struct datum *d = view_datum(port, column);
    for (size_t i = 0; i < d->n; i++) {
        datum_put_atom(&c->call->out, &d->k[i], LSP->columns[column].key.type, DATUM_BARE);
        if (d->v) {
            ctl_print(c, "=%s", d->v[i].s);
        }
        ctl_print(c, "\n");
    }
    return NULL;
}

static const char *
set_port_security(struct ctl *c)
{
    struct view_row *port;

    TRY(noun_find(c, &noun_port, ctl_arg(c, 1), true, &port));
    view_set(port, NB_LOGICAL_SWITCH_PORT_PORT_SECURITY,
             datum_of_strs(&c->arena, c->call->argc - 2, (const char *const *) c->call->argv + 2));
    return NULL;
}

static const char *
get_up(struct ctl *c)
{
    struct view_row *port;

    TRY(noun_find(c, &noun_port, ctl_arg(c, 1), true, &port));
    ctl_print(c, "%s\n", view_bool(port, NB_LOGICAL_SWITCH_PORT_UP, false) ? "up" : "down");
    return NULL;
}

static const char *
get_enabled(struct ctl *c)
{
    struct view_row *port;

    TRY(noun_find(c, &noun_port, ctl_arg(c, 1), true, &port));
    ctl_print(c, "%s\n", view_bool(port, NB_LOGICAL_SWITCH_PORT_ENABLED, true) ? "enabled" : "disabled");
    return NULL;
}

static const char *
set_enabled(struct ctl *c)
{
    struct view_row *port;
    bool enabled;

    TRY(noun_find(c, &noun_port, ctl_arg(c, 1), true, &port));
    TRY(noun_parse_state(c, ctl_arg(c, 2), &enabled));
    view_set(port, NB_LOGICAL_SWITCH_PORT_ENABLED, datum_of_bool(&c->arena, enabled));
    return NULL;
}

static const char *
needs_type(struct ctl *c)
{
    noun_need(c, &noun_port, ctl_arg(c, 1), 0);
    return NULL;
}

static const char *
set_type(struct ctl *c)
{
    static const char *const types[] = { "", "router", "switch", "localnet", "localport", "l2gateway", "vtep", "external", "virtual",
                                         "remote" };
    const char *type = ctl_arg(c, 2), *peer = ctl_arg(c, 3) ? str_after(ctl_arg(c, 3), "peer=") : NULL;
    struct view_row *port;
    size_t i = 0;

    TRY(noun_find(c, &noun_port, ctl_arg(c, 1), true, &port));
    while (i < ARRAY_SIZE(types) && !str_eq(types[i], type)) {
        i++;
    }
    if (i == ARRAY_SIZE(types)) {
        return ctl_error(c, "Logical switch port type '%s' is unrecognized. Not setting type.", type);
    }
    if (ctl_arg(c, 3) && (!peer || !*peer || !str_eq(type, "switch"))) {
        return ctl_error(c, "%s: only peer=PORT may follow, and only ports of type switch have a peer", ctl_arg(c, 3));
    }
    view_set_str(port, NB_LOGICAL_SWITCH_PORT_TYPE, type);
    if (peer) {
        TRY(ctl_check_has(c, LSP, &LSP->columns[NB_LOGICAL_SWITCH_PORT_PEER]));
        view_set_str(port, NB_LOGICAL_SWITCH_PORT_PEER, peer);
    }
    return NULL;
}

static const char *
get_type(struct ctl *c)
{
    struct view_row *port;

    TRY(noun_find(c, &noun_port, ctl_arg(c, 1), true, &port));
    ctl_print(c, "%s\n", view_str(port, NB_LOGICAL_SWITCH_PORT_TYPE));
    return NULL;
}

static const char *
set_options(struct ctl *c)
{
    struct view_row *port;
    struct datum d;

    TRY(noun_find(c, &noun_port, ctl_arg(c, 1), true, &port));
    TRY(noun_pairs(c, 2, "router-port=lr0-sw0", &LSP->columns[NB_LOGICAL_SWITCH_PORT_OPTIONS], &d));
    view_set(port, NB_LOGICAL_SWITCH_PORT_OPTIONS, d);
    return NULL;
}

/* ---- addresses ---- */

static const char *
needs_get_addresses(struct ctl *c)
{
    noun_need(c, &noun_port, ctl_arg(c, 1), NB_LSP(ADDRESSES) | NB_LSP(OPTIONS));
    noun_expect(c, &nb_table_logical_router_port, NB_LRP(MAC) | NB_LRP(NETWORKS));
    return NULL;
}

/* Where "router" is all that is set: what that is. */
static const char *
get_addresses(struct ctl *c)
{
    const struct ovsdb_table_desc *t = &nb_table_logical_router_port;
    struct view_row *port, *router_port;

    TRY(noun_find(c, &noun_port, ctl_arg(c, 1), true, &port));
    const struct datum *addresses = view_datum(port, NB_LOGICAL_SWITCH_PORT_ADDRESSES);
    const char *name = view_map_str(port, NB_LOGICAL_SWITCH_PORT_OPTIONS, "router-port");
    if (addresses->n != 1 || !str_eq(addresses->k[0].s, "router") || !name) {
        return get_column(c);
    }
    if (!ctl_need_str(c, t, NB_LRP(MAC) | NB_LRP(NETWORKS), NB_LOGICAL_ROUTER_PORT_NAME, name)) {
        return CTL_AGAIN;
    }
    TRY(noun_find(c, &noun_router_port, name, false, &router_port));
    if (!router_port) {
        return get_column(c);
    }
    const struct datum *networks = view_datum(router_port, NB_LOGICAL_ROUTER_PORT_NETWORKS);
    ctl_print(c, "%s", view_str(router_port, NB_LOGICAL_ROUTER_PORT_MAC));
    for (size_t i = 0; i < networks->n; i++) {
        ctl_print(c, " %s", networks->k[i].s);
    }
    ctl_print(c, "\n");
    return NULL;
}

static const char *
needs_addresses(struct ctl *c)
{
    noun_need(c, &noun_port, ctl_arg(c, 1), NB_LSP(ADDRESSES) | NB_LSP(NAME));
    ctl_need(c, LS, NB_LS(NAME) | NB_LS(PORTS), "false");
    return NULL;
}

static const char *
set_addresses(struct ctl *c)
{
    size_t n = c->call->argc - 2;
    const char *const *texts = (const char *const *) c->call->argv + 2;
    struct view_row *port, *ls;

    TRY(noun_find(c, &noun_port, ctl_arg(c, 1), true, &port));
    for (size_t i = 0; i < n; i++) {
        TRY(port_check_address(c, texts[i]));
    }
    if (port_have_ips(n, texts)) {
        TRY(switch_of_port(c, port, &ls));
        if (ls) {
            TRY(port_check_duplicates(c, ls, port, n, texts));
        }
    }
    view_set(port, NB_LOGICAL_SWITCH_PORT_ADDRESSES, datum_of_strs(&c->arena, n, texts));
    return NULL;
}

static const struct ctl_command commands[] = {
    { "lsp-add", "--may-exist", "SWITCH PORT [PARENT TAG]", 2, 4, "add logical port PORT on SWITCH (as a child of PARENT with VLAN TAG)",
      add_needs, port_add, CTL_WRITES },
    { "lsp-del", "--if-exists", "PORT", 1, 1, "delete PORT from its switch", needs_port_name, port_del, CTL_WRITES },
    { "lsp-list", NULL, "SWITCH", 1, 1, "print the UUIDs and names of all ports on SWITCH", list_needs, port_list, 0 },
    { "lsp-get-parent", NULL, "PORT", 1, 1, "print the parent of PORT, if set", needs_column, get_column, 0 },
    { "lsp-get-tag", NULL, "PORT", 1, 1, "print the VLAN tag of PORT, if set", needs_column, get_column, 0 },
    { "lsp-set-addresses", NULL, "PORT [ADDRESS]...", 1, INT_MAX,
      "set the addresses of PORT, each one argument: \"MAC [IP]...\",\n\"MAC dynamic\", \"dynamic [IP]...\", router, or unknown",
      needs_addresses, set_addresses, CTL_WRITES },
    { "lsp-get-addresses", NULL, "PORT", 1, 1, "print the addresses of PORT", needs_get_addresses, get_addresses, 0 },
    { "lsp-set-port-security", NULL, "PORT [ADDRS]...", 1, INT_MAX, "set what PORT may send from and receive for", needs_column,
      set_port_security, CTL_WRITES },
    { "lsp-get-port-security", NULL, "PORT", 1, 1, "print that", needs_column, get_column, 0 },
    { "lsp-get-up", NULL, "PORT", 1, 1, "print the state of PORT: up or down", needs_column, get_up, 0 },
    { "lsp-set-enabled", NULL, "PORT STATE", 2, 2, "set the administrative state of PORT: enabled or disabled", needs_column,
      set_enabled, CTL_WRITES },
    { "lsp-get-enabled", NULL, "PORT", 1, 1, "print it", needs_column, get_enabled, 0 },
    { "lsp-set-type", NULL, "PORT TYPE [peer=PORT]", 2, 3,
      "set the type of PORT: \"\", router, switch (with its peer), localnet,\nlocalport, l2gateway, vtep, external, virtual or remote", needs_type, set_type, CTL_WRITES },
    { "lsp-get-type", NULL, "PORT", 1, 1, "print the type of PORT", needs_column, get_type, 0 },
    { "lsp-set-options", NULL, "PORT [KEY=VALUE]...", 1, INT_MAX, "set the options of PORT", needs_column, set_options, CTL_WRITES },
    { "lsp-get-options", NULL, "PORT", 1, 1, "print the options of PORT", needs_column, get_column, 0 },
    { "lsp-get-ls", NULL, "PORT", 1, 1, "print the logical switch that has PORT", needs_port_name, port_get_ls, 0 },
    { NULL },
};
const struct ctl_group nbctl_port_group = { "Logical switch port commands", commands };

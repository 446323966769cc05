/* names.c - what names in expressions and actions mean: what the options say, and, with --db, the southbound database.
 *
 * A row is read when its name first comes up, by name. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "cli/debug/debug.h"
#include "openflow/action.h"
#include "runtime/daemon.h"
#include "runtime/loop.h"
#include "schema/sb.h"

/* The value of the option NAME=VALUE among OPTIONS, or NULL. */
static const char *
option_value(const char *const options[], const char *name)
{
    const char *value = NULL;

    for (; options && *options; options++) {
        const char *rest = str_after(*options, name);
        value = rest && *rest == '=' ? rest + 1 : value;
    }
    return value;
}

static void
add_unknown(struct names *n, const char *what, const char *name, const char *option)
{
    char *text = xasprintf("there is no %s \"%s\": what is compared with it is false (%s=%s=..., or --db)", what, name, option, name);

    for (size_t i = 0; i < n->n_unknown; i++) {
        if (str_eq(n->unknown[i], text)) {
            free(text);
            return;
        }
    }
    GROW(n->unknown, n->cap_unknown, n->n_unknown + 1);
    n->unknown[n->n_unknown++] = text;
}

/* The cells of the row of T whose COLUMN is NAME (in this datapath, if DP_COLUMN says in which it is); NULL: none. */
static const struct datum *
find_row(struct names *n, const struct ovsdb_table_desc *t, uint64_t columns, uint16_t column, const char *name, int dp_column)
{
    if (!n->options->db) {
        return NULL;
    }
    if (!source_fetch_equal(&n->sb, t, columns, column, name)) {
        ctl_fatal("%s", n->sb.error);
    }
    STORE_FOR_EACH (row, &n->sb.store, t) {
        const struct datum *dp = dp_column >= 0 ? &row->cells[dp_column] : NULL;
        if (str_eq(source_str(row->cells, column), name) && (!dp || !n->datapath_key || (dp->n && uuid_equal(&dp->k[0].u, &n->datapath)))) {
            return row->cells;
        }
    }
    return NULL;
}

/* ---- ports ---- */

static bool
port_key(struct names *n, const char *name, uint32_t *key)
{
    const char *said = option_value(n->options->ports, name);
    int64_t value;

    if (said) {
        if (!str_to_int(said, 0, 65535, &value)) {
            ctl_fatal("--port=%s=%s: a key is a number from 0 to 65535", name, said);
        }
        *key = value;
        return true;
    }
    const struct datum *cells = find_row(n, &sb_table_port_binding, OVSDB_COLUMN(SB_PORT_BINDING_TUNNEL_KEY) | OVSDB_COLUMN(SB_PORT_BINDING_DATAPATH)
                                         | OVSDB_COLUMN(SB_PORT_BINDING_CHASSIS),
                                         SB_PORT_BINDING_LOGICAL_PORT, name, SB_PORT_BINDING_DATAPATH);
    if (cells) {
        *key = source_int(cells, SB_PORT_BINDING_TUNNEL_KEY);
        return true;
    }
    cells = find_row(n, &sb_table_multicast_group, OVSDB_COLUMN(SB_MULTICAST_GROUP_TUNNEL_KEY) | OVSDB_COLUMN(SB_MULTICAST_GROUP_DATAPATH),
                     SB_MULTICAST_GROUP_NAME, name, SB_MULTICAST_GROUP_DATAPATH);
    *key = cells ? source_int(cells, SB_MULTICAST_GROUP_TUNNEL_KEY) : 0;
    return cells;
}

static bool
lookup_port(void *n_, const char *name, uint32_t *key)
{
    struct names *n = n_;

    if (str_eq(name, "none")) {
        *key = 0;
        return true;
    }
    bool known = port_key(n, name, key);
    if (!known) {
        add_unknown(n, "port", name, "--port");
    }
    return known;
}

static bool
is_chassis_resident(void *n_, const char *name)
{
    struct names *n = n_;

    for (const char **r = n->options->residents; r && *r; r++) {
        if (str_eq(*r, name)) {
            return true;
        }
    }
    return false;
}

/* ---- sets ---- */

static void
add_constant(struct names *n, const char *set, const char *text)
{
    GROW(n->constants, n->cap_constants, n->constant_set.n + 1);
    if (!expr_constant_parse(text, &n->constants[n->constant_set.n])) {
        ctl_fatal("address set %s: \"%s\" is no address", set, text);
    }
    n->constant_set.n++;
    n->constant_set.values = n->constants;
}

/* Calls CB for each of the words in TEXT, which commas or spaces separate. */
static void
for_each_word(struct names *n, const char *name, const char *text, void (*cb)(struct names *, const char *name, const char *word))
{
    char *copy = xstrdup(text), *rest = copy, *word;

    while ((word = strsep(&rest, ", "))) {
        if (*word) {
            cb(n, name, word);
        }
    }
    free(copy);
}

static const struct expr_constants *
lookup_address_set(void *n_, const char *name)
{
    struct names *n = n_;
    const char *said = option_value(n->options->address_sets, name);
    const struct datum *cells = said ? NULL
                                     : find_row(n, &sb_table_address_set, OVSDB_COLUMN(SB_ADDRESS_SET_ADDRESSES), SB_ADDRESS_SET_NAME, name, -1);

    n->constant_set.n = 0;
    if (said) {
        for_each_word(n, name, said, add_constant);
    } else if (cells) {
        for (size_t i = 0; i < cells[SB_ADDRESS_SET_ADDRESSES].n; i++) {
            add_constant(n, name, cells[SB_ADDRESS_SET_ADDRESSES].k[i].s);
        }
    } else {
        add_unknown(n, "address set", name, "--address-set");
        return NULL;
    }
    return &n->constant_set;
}

static void
add_port(struct names *n, const char *group UNUSED, const char *name)
{
    int64_t number;
    uint32_t key;

    GROW(n->keys, n->cap_keys, n->key_set.n + 1);
    if (port_key(n, name, &key) || (str_to_int(name, 1, 65535, &number) && (key = number))) {
        n->keys[n->key_set.n++] = key;
        n->key_set.keys = n->keys;
    }
}

static const struct expr_keys *
lookup_port_group(void *n_, const char *name)
{
    struct names *n = n_;
    const char *said = option_value(n->options->port_groups, name);
    const struct datum *cells = NULL;

    n->key_set.n = 0;
    if (said) {
        for_each_word(n, name, said, add_port);
        return &n->key_set;
    }
    if (n->options->db && !n->datapath_key) {
        ctl_fatal("@%s: the ports of a group are those of a datapath, and --datapath does not say which", name);
    }
    if (n->options->db) {              /* Southbound, a group has a row a datapath: the datapath's key is in the name. */
        char *full = xasprintf("%" PRId64 "_%s", n->datapath_key, name);
        cells = find_row(n, &sb_table_port_group, OVSDB_COLUMN(SB_PORT_GROUP_PORTS), SB_PORT_GROUP_NAME, full, -1);
        free(full);
    }
    if (!cells) {
        add_unknown(n, "port group", name, "--port-group");
        return NULL;
    }
    for (size_t i = 0; i < cells[SB_PORT_GROUP_PORTS].n; i++) {
        add_port(n, name, cells[SB_PORT_GROUP_PORTS].k[i].s);
    }
    return &n->key_set;
}

struct expr_env
names_expr_env(struct names *n)
{
    return (struct expr_env) {
        .lookup_port = lookup_port, .address_set = lookup_address_set, .port_group = lookup_port_group, .is_chassis_resident = is_chassis_resident,
        .aux = n, .conjunctions = n->options->conjunctions,
    };
}

/* ---- what only actions ask ---- */

static bool
meter(void *n_, const char *name UNUSED, uint32_t *id)
{
    struct names *n = n_;

    *id = ++n->n_meters;
    return true;
}

static bool
rate_meter(void *n_, uint32_t kbps UNUSED, uint32_t burst UNUSED, uint32_t *id)
{
    return meter(n_, NULL, id);
}

static bool
group(void *n_, const struct action_group *g, uint32_t *id)
{
    struct names *n = n_;

    *id = ++n->n_groups;
    str_printf(&n->groups, "group_id=%u,type=select,selection_method=%s", *id, g->hash_fields ? "hash" : "dp_hash");
    if (g->hash_fields) {
        str_printf(&n->groups, ",fields(%s)", g->hash_fields);
    }
    for (size_t i = 0; i < g->n; i++) {
        str_printf(&n->groups, ",bucket=weight:%u,", g->buckets[i].weight);
        if (g->buckets[i].watch_port) {
            str_printf(&n->groups, "watch_port:%u,", g->buckets[i].watch_port);
        }
        str_puts(&n->groups, "actions=");
        ofa_format(g->buckets[i].actions, g->buckets[i].len, &n->groups);
    }
    str_putc(&n->groups, '\n');
    return true;
}

static bool
dhcp_option(void *n_, bool ipv6, const char *name, uint8_t *code, const char **type)
{
    struct names *n = n_;
    const struct ovsdb_table_desc *t = ipv6 ? &sb_table_dhcpv6_options : &sb_table_dhcp_options;
    uint16_t name_column = ipv6 ? SB_DHCPV6_OPTIONS_NAME : SB_DHCP_OPTIONS_NAME, code_column = ipv6 ? SB_DHCPV6_OPTIONS_CODE : SB_DHCP_OPTIONS_CODE;
    uint16_t type_column = ipv6 ? SB_DHCPV6_OPTIONS_TYPE : SB_DHCP_OPTIONS_TYPE;
    const struct datum *cells = find_row(n, t, OVSDB_COLUMN(code_column) | OVSDB_COLUMN(type_column), name_column, name, -1);

    if (cells) {
        *code = source_int(cells, code_column);
        *type = source_str(cells, type_column);
    }
    return cells;
}

static bool
datapath_key(void *n_, uint32_t *key)
{
    struct names *n = n_;

    *key = n->datapath_key;
    return n->datapath_key;
}

void
names_action_env(struct names *n, struct action_env *env)
{
    env->lookup_port = lookup_port;
    env->meter = meter;
    env->rate_meter = rate_meter;
    env->group = group;
    env->dhcp_option = n->options->db ? dhcp_option : NULL;
    env->is_chassis_resident = is_chassis_resident;
    env->datapath_key = datapath_key;
    env->aux = n;
}

/* ---- the beginning and the end ---- */

static uint64_t
datapath_columns(const struct ovsdb_table_desc *t UNUSED)
{
    return OVSDB_COLUMN(SB_DATAPATH_BINDING_EXTERNAL_IDS) | OVSDB_COLUMN(SB_DATAPATH_BINDING_TUNNEL_KEY);
}

static void
find_datapath(struct names *n)
{
    const struct ovsdb_table_desc *const t[] = { &sb_table_datapath_binding };
    const char *id = n->options->datapath;
    char uuid[UUID_LEN + 1];

    if (!source_fetch_all(&n->sb, 1, t, datapath_columns)) {
        ctl_fatal("%s", n->sb.error);
    }
    STORE_FOR_EACH (row, &n->sb.store, t[0]) {
        const char *name = source_map(row->cells, SB_DATAPATH_BINDING_EXTERNAL_IDS, "name");
        const char *name2 = source_map(row->cells, SB_DATAPATH_BINDING_EXTERNAL_IDS, "name2");
        uuid_format(&row->uuid, uuid);
        if (!str_eq(uuid, id) && !(name && str_eq(name, id)) && !(name2 && str_eq(name2, id))) {
            continue;
        }
        if (n->datapath_key) {
            ctl_fatal("%s: several datapaths have this name; use a UUID", id);
        }
        n->datapath = row->uuid;
        n->datapath_key = source_int(row->cells, SB_DATAPATH_BINDING_TUNNEL_KEY);
    }
    if (!n->datapath_key) {
        ctl_fatal("there is no datapath \"%s\"", id);
    }
}

void
names_init(struct names *n, const struct debug_options *options)
{
    *n = (struct names) { .options = options };
    if (options->datapath && !options->db) {
        ctl_fatal("--datapath has a meaning only with --db");
    }
    if (options->db) {
        source_init(&n->sb, loop_create(), &sb_db, options->db, options->leader_only);
        if (!source_connect(&n->sb)) {
            ctl_fatal("%s", n->sb.error);
        }
    }
    if (options->datapath) {
        find_datapath(n);
    }
}

void
names_destroy(struct names *n)
{
    struct loop *loop = n->sb.loop;

    for (size_t i = 0; i < n->n_unknown; i++) {
        fprintf(stderr, "%s: %s\n", program_name(), n->unknown[i]);
        free(n->unknown[i]);
    }
    source_destroy(&n->sb);
    if (loop) {
        loop_destroy(loop);
    }
    free(n->unknown);
    free(n->constants);
    free(n->keys);
    str_free(&n->groups);
}

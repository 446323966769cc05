/* noun.c - see noun.h. */
#include "cli/nbctl/noun.h"

#include <strings.h>

/* Few members are fetched by UUID, many with the whole table. */
enum { MAX_CLAUSES = 50000 };

#define NOUN(TABLE, COLUMN, KIND, PLURAL) { .table = &(TABLE), .name = (COLUMN), .kind = (KIND), .plural = (PLURAL) }
const struct noun noun_switch = NOUN(nb_table_logical_switch, NB_LOGICAL_SWITCH_NAME, "switch", "logical switches");
const struct noun noun_router = NOUN(nb_table_logical_router, NB_LOGICAL_ROUTER_NAME, "router", "logical routers");
const struct noun noun_port = NOUN(nb_table_logical_switch_port, NB_LOGICAL_SWITCH_PORT_NAME, "port", NULL);
const struct noun noun_router_port = NOUN(nb_table_logical_router_port, NB_LOGICAL_ROUTER_PORT_NAME, "port", NULL);
const struct noun noun_lb = NOUN(nb_table_load_balancer, NB_LOAD_BALANCER_NAME, "load balancer", "load balancers");
const struct noun noun_port_group = NOUN(nb_table_port_group, NB_PORT_GROUP_NAME, "port group", NULL);
const struct noun noun_address_set = NOUN(nb_table_address_set, NB_ADDRESS_SET_NAME, "Address Set", NULL);
const struct noun noun_mirror = NOUN(nb_table_mirror, NB_MIRROR_NAME, "mirror", NULL);
const struct noun noun_meter = NOUN(nb_table_meter, NB_METER_NAME, "meter", NULL);
const struct noun noun_copp = NOUN(nb_table_copp, NB_COPP_NAME, "copp", NULL);
const struct noun noun_ha_group = NOUN(nb_table_ha_chassis_group, NB_HA_CHASSIS_GROUP_NAME, "ha_chassi_group", NULL);
const struct noun noun_nf = NOUN(nb_table_network_function, NB_NETWORK_FUNCTION_NAME, "network function", NULL);
const struct noun noun_nfg = NOUN(nb_table_network_function_group, NB_NETWORK_FUNCTION_GROUP_NAME, "network function group", NULL);

bool
noun_is_uuid(const char *id, struct uuid *uuid)
{
    return strlen(id) == UUID_LEN && uuid_parse(id, uuid);
}

void
noun_need(struct ctl *c, const struct noun *noun, const char *id, uint64_t columns)
{
    struct uuid uuid;

    ctl_need_str(c, noun->table, columns, noun->name, id);
    if (noun_is_uuid(id, &uuid)) {
        ctl_need_uuid(c, noun->table, columns, &uuid);
    }
}

const char *
noun_find(struct ctl *c, const struct noun *noun, const char *id, bool must_exist, struct view_row **row)
{
    struct uuid uuid;
    size_t n;
    bool is_uuid = noun_is_uuid(id, &uuid);

    *row = is_uuid ? view_get(&c->view, noun->table, &uuid) : NULL;
    if (!*row) {
        struct view_row **rows = view_find_str(&c->view, noun->table, noun->name, id, &n);
        if (n > 1 && noun->plural) {
            return ctl_error(c, "Multiple %s named '%s'.  Use a UUID.", noun->plural, id);
        }
        *row = n ? rows[0] : NULL;
    }
    if (*row || !must_exist) {
        return NULL;
    }
    TRY(ctl_check_has(c, noun->table, NULL));
    return ctl_error(c, "%s: %s %s not found", id, noun->kind, is_uuid ? "UUID" : "name");
}

const char *
noun_insert(struct ctl *c, const struct noun *noun, const char *name, const char *what, bool may_exist, struct view_row **row)
{
    size_t n;

    TRY(ctl_check_has(c, noun->table, NULL));
    *row = NULL;
    view_find_str(&c->view, noun->table, noun->name, name, &n);
    if (n) {
        return may_exist ? NULL : ctl_error(c, "%s: %s with this name already exists", name, what);
    }
    view_verify_absent(&c->view, noun->table, noun->name, name);
    *row = view_insert(&c->view, noun->table, NULL);
    view_set_str(*row, noun->name, name);
    return NULL;
}

const char *
noun_members(struct ctl *c, struct view_row *owner, uint16_t column, uint64_t columns, struct view_row ***rows, size_t *n)
{
    const struct ovsdb_table_desc *t = owner->table->columns[column].key.ref;
    const struct datum *refs = view_datum(owner, column);
    bool ready = true;

    if (refs->n > MAX_CLAUSES) {
        ready = ctl_need_all(c, t, columns);
    } else {
        for (size_t i = 0; i < refs->n; i++) {
            struct view_row *known = view_get(&c->view, t, &refs->k[i].u);
            ready &= (known && !known->base) || ctl_need_uuid(c, t, columns, &refs->k[i].u);
        }
    }
    if (!ready) {
        return CTL_AGAIN;
    }
    *rows = ARENA_NEW(&c->arena, struct view_row *, refs->n);
    *n = 0;
    for (size_t i = 0; i < refs->n; i++) {
        struct view_row *row = view_get(&c->view, t, &refs->k[i].u);
        if (row) {
            (*rows)[(*n)++] = row;
        }
    }
    return NULL;
}

const char *
noun_fetch_members(struct ctl *c, struct view_row **owners, size_t n, uint16_t column, uint64_t columns)
{
    const char *result = NULL;
    struct view_row **rows;
    size_t n_rows;

    for (size_t i = 0; i < n; i++) {
        const char *error = noun_members(c, owners[i], column, columns, &rows, &n_rows);
        if (error && error != CTL_AGAIN) {
            return error;
        }
        result = error ? error : result;
    }
    return result;
}

void
noun_expect(struct ctl *c, const struct ovsdb_table_desc *t, uint64_t columns)
{
    ctl_need(c, t, columns, "false");
}

/* ---- commands ---- */

const char *
noun_run_add(struct ctl *c, const struct noun *noun, const char *what)
{
    const char *name = ctl_arg(c, 1);
    bool may_exist = ctl_has(c, "--may-exist"), duplicate = ctl_has(c, "--add-duplicate");
    struct view_row *row;

    if (may_exist && duplicate) {
        return ctl_error(c, "--may-exist and --add-duplicate may not be used together");
    }
    if (!name && (may_exist || duplicate)) {
        return ctl_error(c, "%s requires specifying a name", may_exist ? "--may-exist" : "--add-duplicate");
    }
    if (name && !duplicate) {
        return noun_insert(c, noun, name, what, may_exist, &row);
    }
    row = view_insert(&c->view, noun->table, NULL);
    if (name) {
        view_set_str(row, noun->name, name);
    }
    return NULL;
}

void
noun_print(struct ctl *c, struct view_row **rows, size_t n, uint16_t name)
{
    view_sort_by_str(rows, n, name);
    for (size_t i = 0; i < n; i++) {
        ctl_print(c, UUID_FMT " (%s)\n", UUID_ARGS(&rows[i]->uuid), view_str(rows[i], name));
    }
}

const char *
noun_run_list(struct ctl *c, const struct noun *noun)
{
    size_t n;
    struct view_row **rows = view_rows(&c->view, noun->table, &n);

    noun_print(c, rows, n, noun->name);
    return NULL;
}

/* ---- rows ---- */

static struct datum
one_pair(struct ctl *c, const char *key, const char *value)
{
    struct datum d = { .n = 1, .k = ARENA_NEW(&c->arena, union datum_atom, 1), .v = ARENA_NEW(&c->arena, union datum_atom, 1) };

    d.k->s = key;
    d.v->s = value;
    return d;
}

void
noun_put(struct ctl *c, struct view_row *row, uint16_t column, const char *key, const char *value)
{
    view_put(row, column, one_pair(c, key, value));
}

void
noun_clear(struct view_row *row, uint16_t column)
{
    view_set(row, column, (struct datum) { .n = 0 });
}

void
noun_set_ref(struct ctl *c, struct view_row *row, uint16_t column, const struct view_row *to)
{
    view_set(row, column, datum_of_uuid(&c->arena, &to->uuid));
}

const char *
noun_pairs(struct ctl *c, int first, const char *example, const struct ovsdb_column_desc *column, struct datum *d)
{
    *d = (struct datum) { .n = 0 };
    for (int i = first; ctl_arg(c, i); i++) {
        const char *arg = ctl_arg(c, i), *eq = strchr(arg, '=');
        if (!*arg) {
            continue;                  /* "$OPTIONS" of a script that has none. */
        }
        if (!eq || eq == arg) {
            return ctl_error(c, "%s: an option is written as KEY=VALUE, e.g. %s", arg, example);
        }
        struct datum one = one_pair(c, arena_strndup(&c->arena, arg, eq - arg), eq + 1);
        size_t i = datum_find(d, &one.k[0], OVSDB_STRING);
        bool smaller = i != SIZE_MAX && strcmp(one.v->s, d->v[i].s) < 0;
        *d = smaller ? datum_union(&c->arena, &one, d, column) : datum_union(&c->arena, d, &one, column);
    }
    return NULL;
}

void
noun_print_pairs(struct ctl *c, const struct datum *d)
{
    for (size_t i = 0; i < d->n; i++) {
        ctl_print(c, "%s=%s\n", d->k[i].s, d->v[i].s);
    }
}

/* ---- arguments ---- */

bool
noun_parse_int(struct ctl *c, const char *text, int64_t min, int64_t max, int64_t *value)
{
    size_t n = strlen(text += strspn(text, " \t\n"));

    while (n && strchr(" \t\n", text[n - 1])) {
        n--;
    }
    return str_to_int(arena_strndup(&c->arena, text, n), min, max, value);
}

const char *
noun_parse_range(struct ctl *c, const char *text, const char *what, int64_t min, int64_t max, int64_t *value)
{
    return noun_parse_int(c, text, min, max, value)
               ? NULL : ctl_error(c, "%s: %s must in range %lld...%lld", text, what, (long long) min, (long long) max);
}

const char *
noun_parse_priority(struct ctl *c, const char *text, int64_t *value)
{
    return noun_parse_range(c, text, "priority", 0, 32767, value);
}

const char *
noun_parse_state(struct ctl *c, const char *text, bool *enabled)
{
    *enabled = !strcasecmp(text, "enabled");
    return *enabled || !strcasecmp(text, "disabled") ? NULL : ctl_error(c, "%s: state must be \"enabled\" or \"disabled\"", text);
}

const char *
noun_parse_direction(struct ctl *c, const char *text, const char **direction)
{
    size_t n = strlen(text);

    *direction = n && !strncmp("to-lport", text, n) ? "to-lport" : n && !strncmp("from-lport", text, n) ? "from-lport" : NULL;
    return *direction ? NULL : ctl_error(c, "%s: direction must be \"to-lport\" or \"from-lport\"", text);
}

bool
noun_parse_ip(struct ctl *c, const char *text, struct ip_addr *ip, const char **canonical)
{
    if (strchr(text, '/') || !ip_addr_from_str(text, ip)) {
        return false;
    }
    if (canonical) {
        char buf[INET6_ADDRSTRLEN];
        *canonical = arena_strdup(&c->arena, ip_addr_to_str(ip, buf));
    }
    return true;
}

static void
clear_host_bits(struct ip_addr *ip)
{
    uint8_t *b = ip->v6 ? ip->v6_addr.s6_addr : (uint8_t *) &ip->v4_addr;

    for (int i = 0; i < (ip->v6 ? 16 : 4); i++) {
        int kept = MIN(8, MAX(0, ip->plen - i * 8));
        b[i] &= 0xff00 >> kept;
    }
}

bool
noun_parse_network(struct ctl *c, const char *text, struct ip_addr *ip, const char **canonical)
{
    if (!ip_addr_from_str(text, ip)) {
        return false;
    }
    clear_host_bits(ip);
    if (canonical) {
        char buf[INET6_ADDRSTRLEN];
        ip_addr_to_str(ip, buf);
        *canonical = ip->plen == (ip->v6 ? 128 : 32) ? arena_strdup(&c->arena, buf) : arena_printf(&c->arena, "%s/%d", buf, ip->plen);
    }
    return true;
}

bool
noun_network_has(const char *network, const struct ip_addr *address)
{
    struct ip_addr net, other = *address;

    if (!ip_addr_from_str(network, &net) || net.v6 != address->v6) {
        return false;
    }
    other.plen = net.plen;
    clear_host_bits(&net);
    clear_host_bits(&other);
    return ip_addr_equal(&net, &other);
}

/* world.c - see world.h. */
#include "cli/trace/world.h"

#include <stdio.h>
#include <stdlib.h>
#include <strings.h>
#include "base/log.h"

LOG_MODULE(trace);

#define COLUMN(TABLE, C) OVSDB_COLUMN(SB_##TABLE##_##C)

void
world_use(struct world_indexes *w, struct ovsdb *sb)
{
    w->sb = sb;
    ovsdb_use(sb, &sb_table_datapath_binding, COLUMN(DATAPATH_BINDING, TUNNEL_KEY) | COLUMN(DATAPATH_BINDING, EXTERNAL_IDS));
    ovsdb_use(sb, &sb_table_port_binding, COLUMN(PORT_BINDING, LOGICAL_PORT) | COLUMN(PORT_BINDING, TYPE) | COLUMN(PORT_BINDING, OPTIONS)
              | COLUMN(PORT_BINDING, DATAPATH) | COLUMN(PORT_BINDING, TUNNEL_KEY) | COLUMN(PORT_BINDING, PORT_SECURITY)
              | COLUMN(PORT_BINDING, EXTERNAL_IDS));
    ovsdb_use(sb, &sb_table_multicast_group, COLUMN(MULTICAST_GROUP, DATAPATH) | COLUMN(MULTICAST_GROUP, NAME)
              | COLUMN(MULTICAST_GROUP, TUNNEL_KEY) | COLUMN(MULTICAST_GROUP, PORTS));
    ovsdb_use(sb, &sb_table_logical_flow, COLUMN(LOGICAL_FLOW, LOGICAL_DATAPATH) | COLUMN(LOGICAL_FLOW, LOGICAL_DP_GROUP)
              | COLUMN(LOGICAL_FLOW, PIPELINE) | COLUMN(LOGICAL_FLOW, TABLE_ID) | COLUMN(LOGICAL_FLOW, PRIORITY)
              | COLUMN(LOGICAL_FLOW, MATCH) | COLUMN(LOGICAL_FLOW, ACTIONS) | COLUMN(LOGICAL_FLOW, EXTERNAL_IDS));
    ovsdb_use(sb, &sb_table_logical_dp_group, COLUMN(LOGICAL_DP_GROUP, DATAPATHS));
    ovsdb_use(sb, &sb_table_load_balancer, COLUMN(LOAD_BALANCER, VIPS));
    ovsdb_use(sb, &sb_table_address_set, COLUMN(ADDRESS_SET, NAME) | COLUMN(ADDRESS_SET, ADDRESSES));
    ovsdb_use(sb, &sb_table_port_group, COLUMN(PORT_GROUP, NAME) | COLUMN(PORT_GROUP, PORTS));
    ovsdb_use(sb, &sb_table_fdb, COLUMN(FDB, MAC) | COLUMN(FDB, DP_KEY) | COLUMN(FDB, PORT_KEY));
    ovsdb_use(sb, &sb_table_mac_binding, COLUMN(MAC_BINDING, LOGICAL_PORT) | COLUMN(MAC_BINDING, IP) | COLUMN(MAC_BINDING, MAC)
              | COLUMN(MAC_BINDING, DATAPATH));
    ovsdb_use(sb, &sb_table_static_mac_binding, COLUMN(STATIC_MAC_BINDING, LOGICAL_PORT) | COLUMN(STATIC_MAC_BINDING, IP)
              | COLUMN(STATIC_MAC_BINDING, MAC) | COLUMN(STATIC_MAC_BINDING, OVERRIDE_DYNAMIC_MAC) | COLUMN(STATIC_MAC_BINDING, DATAPATH));

    static const uint16_t port[] = { SB_PORT_BINDING_LOGICAL_PORT }, set[] = { SB_ADDRESS_SET_NAME }, group[] = { SB_PORT_GROUP_NAME };
    static const uint16_t fdb[] = { SB_FDB_DP_KEY, SB_FDB_MAC }, mac[] = { SB_MAC_BINDING_LOGICAL_PORT };
    static const uint16_t static_mac[] = { SB_STATIC_MAC_BINDING_LOGICAL_PORT };
    w->port_by_name = ovsdb_index_create(sb, &sb_table_port_binding, 1, port);
    w->address_set_by_name = ovsdb_index_create(sb, &sb_table_address_set, 1, set);
    w->port_group_by_name = ovsdb_index_create(sb, &sb_table_port_group, 1, group);
    w->fdb = ovsdb_index_create(sb, &sb_table_fdb, 2, fdb);
    w->mac_binding = ovsdb_index_create(sb, &sb_table_mac_binding, 1, mac);
    w->static_mac = ovsdb_index_create(sb, &sb_table_static_mac_binding, 1, static_mac);
}

void
world_init(struct world *w, const struct world_indexes *db, bool friendly, struct arena *arena)
{
    *w = (struct world) { .db = db, .friendly = friendly, .arena = arena };
    hmap_init(&w->datapaths);
}

static void
free_datapath(struct datapath *dp)
{
    HMAP_FOR_EACH_SAFE (p, struct port, node, &dp->ports) {
        free(p);
    }
    HMAP_FOR_EACH_SAFE (g, struct group, node, &dp->groups) {
        free(g);
    }
    for (size_t i = 0; i < dp->n_flows; i++) {
        expr_unref(dp->flows[i].match);
        actions_unref(dp->flows[i].actions);
    }
    hmap_destroy(&dp->ports);
    hmap_destroy(&dp->groups);
    free(dp->flows);
    free(dp->name);
    free(dp->friendly);
    free(dp);
}

void
world_destroy(struct world *w)
{
    HMAP_FOR_EACH_SAFE (dp, struct datapath, node, &w->datapaths) {
        free_datapath(dp);
    }
    hmap_destroy(&w->datapaths);
}

/* ---- a datapath ---- */

static bool
is_uuid(const char *s)
{
    struct uuid u;

    return uuid_parse(s, &u);
}

static struct datapath *
datapath_of_row(struct world *w, struct sb_datapath_binding *row)
{
    uint32_t hash = hash_bytes(&row->row_.uuid, sizeof row->row_.uuid, 0);

    HMAP_FOR_EACH_HASH (dp, struct datapath, node, hash, &w->datapaths) {
        if (dp->row == row) {
            return dp;
        }
    }
    struct datapath *dp = XNEW(struct datapath);
    const struct ovsdb_map *ids = sb_datapath_binding_external_ids(row, NULL);
    const char *name = ovsdb_map_get(ids, "name"), *name2 = ovsdb_map_get(ids, "name2");
    const char *nb = ovsdb_map_get(ids, "logical-switch");
    char uuid[UUID_LEN + 1];

    nb = nb ? nb : ovsdb_map_get(ids, "logical-router");
    uuid_format(&row->row_.uuid, uuid);
    dp->world = w;
    dp->row = row;
    hmap_init(&dp->ports);
    hmap_init(&dp->groups);
    /* Where a cloud gives a second name, the first is one for machines. */
    dp->name = xstrdup(name2 && nb ? nb : name && *name ? name : nb ? nb : uuid);
    dp->friendly = xstrdup(name2 && *name2 ? name2 : name && is_uuid(dp->name) ? name : dp->name);
    hmap_insert(&w->datapaths, &dp->node, hash);
    return dp;
}

static void
add_port(struct datapath *dp, struct sb_port_binding *row)
{
    struct port *p = XNEW(struct port);
    const char *friendly = ovsdb_map_get(sb_port_binding_external_ids(row, NULL), "name");

    *p = (struct port) { .row = row, .dp = dp, .key = sb_port_binding_tunnel_key(row, NULL),
                         .name = sb_port_binding_logical_port(row, NULL), .type = sb_port_binding_type(row, NULL) };
    p->friendly = friendly && *friendly ? friendly : p->name;
    hmap_insert(&dp->ports, &p->node, p->key);
    dp->gateway |= str_eq(p->type, "l3gateway") && ovsdb_map_get(sb_datapath_binding_external_ids(dp->row, NULL), "logical-router");
}

struct flow_list {
    struct flow *v;
    size_t n, cap;
};

static void
add_flow(struct flow_list *list, struct ovsdb_row *row_)
{
    struct sb_logical_flow *row = sb_logical_flow_of(row_);
    const char *match = sb_logical_flow_match(row, NULL), *actions = sb_logical_flow_actions(row, NULL);

    GROW(list->v, list->cap, list->n + 1);
    list->v[list->n++] = (struct flow) {
        .row = row, .pipeline = str_eq(sb_logical_flow_pipeline(row, NULL), "egress") ? LOGICAL_EGRESS : LOGICAL_INGRESS,
        .table = sb_logical_flow_table_id(row, NULL), .priority = sb_logical_flow_priority(row, NULL),
        .trivial = str_eq(match, "1") && str_eq(actions, "next;"),
    };
}

static int
compare_flows(const void *a_, const void *b_)
{
    const struct flow *a = a_, *b = b_;

    if (a->pipeline != b->pipeline) {
        return a->pipeline < b->pipeline ? -1 : 1;
    } else if (a->table != b->table) {
        return a->table - b->table;
    } else if (a->priority != b->priority) {
        return a->priority > b->priority ? -1 : 1;
    }
    return uuid_compare(&a->row->row_.uuid, &b->row->row_.uuid);
}

static void
load_flows(struct datapath *dp)
{
    struct flow_list list = { NULL, 0, 0 };
    struct ovsdb_referrer_iter of_dp, of_group;
    struct ovsdb_row *row = &dp->row->row_;

    OVSDB_FOR_EACH_REFERRER (f, &of_dp, row, &sb_table_logical_flow, SB_LOGICAL_FLOW_LOGICAL_DATAPATH, NULL) {
        add_flow(&list, f);
    }
    OVSDB_FOR_EACH_REFERRER (g, &of_dp, row, &sb_table_logical_dp_group, SB_LOGICAL_DP_GROUP_DATAPATHS, NULL) {
        OVSDB_FOR_EACH_REFERRER (f, &of_group, g, &sb_table_logical_flow, SB_LOGICAL_FLOW_LOGICAL_DP_GROUP, NULL) {
            add_flow(&list, f);
        }
    }
    if (list.n) {
        qsort(list.v, list.n, sizeof *list.v, compare_flows);
    }
    dp->flows = list.v;
    dp->n_flows = list.n;
    for (size_t i = 0; i < list.n; i++) {
        const struct flow *f = &list.v[i];
        const char *stage = ovsdb_map_get(sb_logical_flow_external_ids(f->row, NULL), "stage-name");
        if (stage && !dp->stages[f->pipeline][f->table]) {
            dp->stages[f->pipeline][f->table] = stage;
        }
    }
    for (size_t i = 0, slot = 0; slot <= 2 * 256; slot++) {
        while (i < list.n && list.v[i].pipeline * 256u + list.v[i].table < slot) {
            i++;
        }
        if (slot < 2 * 256) {
            dp->first[slot / 256][slot % 256] = i;
        }
        if (slot && slot % 256 == 0) {
            dp->first[slot / 256 - 1][256] = i;
        }
    }
}

static void
load(struct datapath *dp)
{
    struct ovsdb_referrer_iter iter;
    struct ovsdb_row *row = &dp->row->row_;

    if (dp->loaded) {
        return;
    }
    dp->loaded = true;
    OVSDB_FOR_EACH_REFERRER (p, &iter, row, &sb_table_port_binding, SB_PORT_BINDING_DATAPATH, NULL) {
        add_port(dp, sb_port_binding_of(p));
    }
    OVSDB_FOR_EACH_REFERRER (g, &iter, row, &sb_table_multicast_group, SB_MULTICAST_GROUP_DATAPATH, NULL) {
        struct group *group = XNEW(struct group);
        group->row = sb_multicast_group_of(g);
        group->key = sb_multicast_group_tunnel_key(group->row, NULL);
        group->name = sb_multicast_group_name(group->row, NULL);
        hmap_insert(&dp->groups, &group->node, group->key);
    }
    load_flows(dp);
}

struct port *
datapath_port(struct datapath *dp, uint32_t key)
{
    load(dp);
    HMAP_FOR_EACH_HASH (p, struct port, node, key, &dp->ports) {
        return p;
    }
    return NULL;
}

struct group *
datapath_group(struct datapath *dp, uint32_t key)
{
    load(dp);
    HMAP_FOR_EACH_HASH (g, struct group, node, key, &dp->groups) {
        return g;
    }
    return NULL;
}

bool
datapath_lookup(struct datapath *dp, const char *name, uint32_t *key)
{
    struct ovsdb_row *row = ovsdb_index_get_str(dp->world->db->port_by_name, NULL, name);

    load(dp);
    if (row && sb_port_binding_datapath(sb_port_binding_of(row), NULL) == dp->row) {
        *key = sb_port_binding_tunnel_key(sb_port_binding_of(row), NULL);
        return true;
    }
    HMAP_FOR_EACH (g, struct group, node, &dp->groups) {
        if (str_eq(g->name, name)) {
            *key = g->key;
            return true;
        }
    }
    *key = 0;
    return str_eq(name, "none");       /* What outport is when nothing has set it. */
}

const char *
datapath_name(const struct datapath *dp)
{
    return dp->world->friendly ? dp->friendly : dp->name;
}

const char *
port_name(const struct port *p)
{
    return p->dp->world->friendly ? p->friendly : p->name;
}

const char *
datapath_stage(const struct datapath *dp, enum logical_pipeline pipeline, uint8_t table)
{
    return dp->stages[pipeline][table] ? dp->stages[pipeline][table] : "";
}

/* ---- finding ---- */

static bool
is_called(struct sb_datapath_binding *row, const char *id)
{
    static const char *const keys[] = { "name", "name2", "logical-switch", "logical-router" };
    const struct ovsdb_map *ids = sb_datapath_binding_external_ids(row, NULL);
    char uuid[UUID_LEN + 1];

    for (size_t i = 0; i < ARRAY_SIZE(keys); i++) {
        const char *value = ovsdb_map_get(ids, keys[i]);
        if (value && (i < 2 ? str_eq(value, id) : !strcasecmp(value, id))) {
            return true;
        }
    }
    uuid_format(&row->row_.uuid, uuid);
    return !strcasecmp(uuid, id);
}

/* How many letters differ (Levenshtein), or more than MAX. */
static unsigned
distance(const char *a, const char *b, unsigned max)
{
    size_t m = strlen(a), n = strlen(b);
    unsigned row[64];

    if (n >= ARRAY_SIZE(row) || m >= ARRAY_SIZE(row) || (m > n ? m - n : n - m) > max) {
        return max + 1;
    }
    for (size_t j = 0; j <= n; j++) {
        row[j] = j;
    }
    for (size_t i = 1; i <= m; i++) {
        unsigned diagonal = row[0];
        row[0] = i;
        for (size_t j = 1; j <= n; j++) {
            unsigned cost = diagonal + (a[i - 1] != b[j - 1]);
            diagonal = row[j];
            row[j] = MIN(cost, MIN(row[j], row[j - 1]) + 1);
        }
    }
    return row[n];
}

static void
offer(const char *candidate, const char *name, const char **best, unsigned *d)
{
    unsigned x = candidate ? distance(candidate, name, *d) : UINT32_MAX;

    if (x < *d || (x == *d && *best && strcmp(candidate, *best) < 0)) {
        *best = candidate;
        *d = x;
    }
}

static unsigned
tolerance(const char *name)
{
    return strlen(name) < 3 ? 2 : strlen(name) / 3 + 2;
}

struct datapath *
world_find_datapath(struct world *w, const char *id, char **error)
{
    struct sb_datapath_binding *found = NULL;
    const char *near = NULL;
    unsigned d = tolerance(id);

    *error = NULL;
    OVSDB_FOR_EACH (row, ovsdb_table(w->db->sb, &sb_table_datapath_binding), NULL) {
        struct sb_datapath_binding *dp = sb_datapath_binding_of(row);
        if (is_called(dp, id)) {
            if (found) {
                *error = xasprintf("%s: more than one datapath has this name; use a UUID", id);
                return NULL;
            }
            found = dp;
        }
        offer(ovsdb_map_get(sb_datapath_binding_external_ids(dp, NULL), "name"), id, &near, &d);
        offer(ovsdb_map_get(sb_datapath_binding_external_ids(dp, NULL), "name2"), id, &near, &d);
    }
    if (!found) {
        *error = near ? xasprintf("unknown datapath \"%s\" (did you mean \"%s\"?)", id, near) : xasprintf("unknown datapath \"%s\"", id);
        return NULL;
    }
    struct datapath *dp = datapath_of_row(w, found);
    load(dp);
    return dp;
}

struct port *
world_port_of_row(struct world *w, struct sb_port_binding *row)
{
    struct sb_datapath_binding *dp = sb_port_binding_datapath(row, NULL);

    return dp && dp->row_.present ? datapath_port(datapath_of_row(w, dp), sb_port_binding_tunnel_key(row, NULL)) : NULL;
}

struct port *
world_find_port(struct world *w, const char *name)
{
    struct ovsdb_row *found = ovsdb_index_get_str(w->db->port_by_name, NULL, name);

    if (!found) {
        OVSDB_FOR_EACH (row, ovsdb_table(w->db->sb, &sb_table_port_binding), NULL) {
            const char *friendly = ovsdb_map_get(sb_port_binding_external_ids(sb_port_binding_of(row), NULL), "name");
            if (friendly && str_eq(friendly, name)) {
                if (found) {
                    return NULL;
                }
                found = row;
            }
        }
    }
    return found ? world_port_of_row(w, sb_port_binding_of(found)) : NULL;
}

const char *
world_nearest_port(struct world *w, const char *name)
{
    const char *near = NULL;
    unsigned d = tolerance(name);

    OVSDB_FOR_EACH (row, ovsdb_table(w->db->sb, &sb_table_port_binding), NULL) {
        offer(sb_port_binding_logical_port(sb_port_binding_of(row), NULL), name, &near, &d);
    }
    return near;
}

/* ---- sets ---- */

static struct world_set *
find_set(struct world *w, const struct ovsdb_row *row, const struct datapath *dp)
{
    for (struct world_set *s = w->sets; s; s = s->next) {
        if (s->key == row && s->dp == dp) {
            return s;
        }
    }
    return NULL;
}

static struct world_set *
add_set(struct world *w, const struct ovsdb_row *row, const struct datapath *dp)
{
    struct world_set *s = arena_zalloc(w->arena, sizeof *s);

    s->key = row;
    s->dp = dp;
    s->next = w->sets;
    w->sets = s;
    return s;
}

const struct expr_constants *
world_address_set(struct world *w, const char *name)
{
    struct ovsdb_row *row = ovsdb_index_get_str(w->db->address_set_by_name, NULL, name);
    struct world_set *s = row ? find_set(w, row, NULL) : NULL;

    if (row && !s) {
        const struct ovsdb_set *set = sb_address_set_addresses(sb_address_set_of(row), NULL);
        struct expr_constant *v = arena_alloc(w->arena, (set->n + 1) * sizeof *v);
        s = add_set(w, row, NULL);
        s->constants.values = v;
        for (uint32_t i = 0; i < set->n; i++) {
            s->constants.n += expr_constant_parse(set->v[i].s, &v[s->constants.n]);
        }
    }
    return row ? &s->constants : NULL;
}

const struct expr_keys *
datapath_port_group(struct datapath *dp, const char *name)
{
    struct world *w = dp->world;
    /* Southbound, a group has a row a datapath: the datapath's key is in the name. */
    char *full_name = xasprintf("%u_%s", (unsigned) sb_datapath_binding_tunnel_key(dp->row, NULL), name);
    struct ovsdb_row *row = ovsdb_index_get_str(w->db->port_group_by_name, NULL, full_name);

    free(full_name);
    row = row ? row : ovsdb_index_get_str(w->db->port_group_by_name, NULL, name);
    struct world_set *s = row ? find_set(w, row, dp) : NULL;
    if (row && !s) {
        const struct ovsdb_set *set = sb_port_group_ports(sb_port_group_of(row), NULL);
        uint32_t *keys = arena_alloc(w->arena, (set->n + 1) * sizeof *keys);
        s = add_set(w, row, dp);
        s->keys.keys = keys;
        for (uint32_t i = 0; i < set->n; i++) {
            s->keys.n += datapath_lookup(dp, set->v[i].s, &keys[s->keys.n]);
        }
    }
    return row ? &s->keys : NULL;
}

/* ---- bindings ---- */

static bool
is_address(const char *text, bool ipv6, const union of_value *ip)
{
    struct expr_constant c;

    return expr_constant_parse(text, &c) && c.width == (ipv6 ? 128 : 32) && !of_value_compare(&c.value, ip);
}

static bool
take_mac(const char *text, union of_value *mac)
{
    struct expr_constant c;
    bool ok = expr_constant_parse(text, &c) && c.width == 48;

    *mac = ok ? c.value : *mac;
    return ok;
}

bool
world_mac_binding(struct port *p, bool ipv6, const union of_value *ip, union of_value *mac)
{
    const struct world_indexes *db = p->dp->world->db;
    union ovsdb_atom key = { .s = p->name };
    struct ovsdb_row *const *rows;
    bool found = false, overridden = false;

    size_t n = ovsdb_index_find(db->static_mac, NULL, &key, &rows);
    for (size_t i = 0; i < n; i++) {
        struct sb_static_mac_binding *b = sb_static_mac_binding_of(rows[i]);
        if (sb_static_mac_binding_datapath(b, NULL) == p->dp->row && is_address(sb_static_mac_binding_ip(b, NULL), ipv6, ip)) {
            found = take_mac(sb_static_mac_binding_mac(b, NULL), mac);
            overridden = found && sb_static_mac_binding_override_dynamic_mac(b, NULL);
        }
    }
    n = overridden ? 0 : ovsdb_index_find(db->mac_binding, NULL, &key, &rows);
    for (size_t i = 0; i < n; i++) {
        struct sb_mac_binding *b = sb_mac_binding_of(rows[i]);
        if (sb_mac_binding_datapath(b, NULL) == p->dp->row && is_address(sb_mac_binding_ip(b, NULL), ipv6, ip)) {
            found |= take_mac(sb_mac_binding_mac(b, NULL), mac);
        }
    }
    return found;
}

uint32_t
datapath_fdb(struct datapath *dp, const union of_value *mac)
{
    char text[18];

    snprintf(text, sizeof text, "%02x:%02x:%02x:%02x:%02x:%02x", mac->b[10], mac->b[11], mac->b[12], mac->b[13], mac->b[14], mac->b[15]);
    union ovsdb_atom key[] = { { .i = sb_datapath_binding_tunnel_key(dp->row, NULL) }, { .s = text } };
    struct ovsdb_row *row = ovsdb_index_get(dp->world->db->fdb, NULL, key);
    return row ? sb_fdb_port_key(sb_fdb_of(row), NULL) : 0;
}

/* ---- a flow ---- */

bool
flow_parse(struct flow *f)
{
    if (!f->parsed) {
        f->parsed = true;
        char *error = expr_parse(sb_logical_flow_match(f->row, NULL), &f->match);
        error = error ? error : actions_parse(sb_logical_flow_actions(f->row, NULL), &f->actions);
        if (error) {
            LOG_WARN_RL("flow %08x is left out: %s", f->row->row_.uuid.parts[0], error);
            expr_unref(f->match);
            f->match = NULL;
            free(error);
        }
    }
    return f->match != NULL;
}

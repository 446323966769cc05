/* port.c - logical switch ports: a Port_Binding each, its key, its part in multicast groups, its flows (one unit a port, so that
 * everything of a port is computed together and nothing of another), and its state for the CMS (`up`). */
#include "northd/lflow.h"

#include <stdlib.h>
#include "base/log.h"
#include "json/json.h"

LOG_MODULE(northd_port);

enum { MAX_ADDITIONAL = 16 };

/* Documented multicast groups: name and key (features.md 24). */
enum { MC_FLOOD = 32768, MC_UNKNOWN = 32769, MC_FLOOD_L2 = 32772 };
struct mcast_key {
    struct uuid datapath;
    uint32_t key;
};

static const char *
mcast_name(uint32_t key)
{
    return key == MC_FLOOD ? "_MC_flood" : key == MC_UNKNOWN ? "_MC_unknown" : "_MC_flood_l2";
}

/* ---- key spaces ---- */

struct key_space {
    struct hmap_node node;             /* In northd->port_keys. */
    struct uuid datapath;
    struct incr_numbers *numbers;
};

static struct incr_numbers *
port_numbers(struct northd *n, const struct uuid *datapath)
{
    HMAP_FOR_EACH_HASH (s, struct key_space, node, uuid_hash(datapath), &n->port_keys) {
        if (uuid_equal(&s->datapath, datapath)) {
            return s->numbers;
        }
    }
    struct key_space *s = XNEW(struct key_space);
    s->datapath = *datapath;
    s->numbers = incr_numbers_create("port key", 1, MAX_PORT_KEY);
    hmap_insert(&n->port_keys, &s->node, uuid_hash(datapath));
    return s->numbers;
}

static void
sweep(struct northd *n)
{
    HMAP_FOR_EACH_SAFE (s, struct key_space, node, &n->port_keys) {
        if (incr_numbers_is_empty(s->numbers)) {
            incr_numbers_destroy(s->numbers);
            hmap_remove(&n->port_keys, &s->node);
            free(s);
        }
    }
}

void
port_sweep(struct northd *n)
{
    /* Not each time: a cycle costs what changed, not how many switches there are. */
    if (hmap_count(&n->port_keys) > 2 * ovsdb_count(ovsdb_table(n->nb, &nb_table_logical_switch)) + 64) {
        sweep(n);
    }
}

/* ---- what a port is ---- */

static bool
is_fixed_word(const char *address)
{
    return str_eq(address, "unknown") || str_eq(address, "router") || str_after(address, "dynamic") ||
           strstr(address, " dynamic");
}

static void
port_parse_addresses(struct port *p, struct dep_reader *by)
{
    const struct ovsdb_set *set = nb_logical_switch_port_addresses(p->row, by);

    p->addresses = xcalloc(set->n, sizeof *p->addresses);
    for (uint32_t i = 0; i < set->n; i++) {
        const char *text = set->v[i].s;
        if (str_eq(text, "unknown")) {
            p->unknown = true;
        } else if (!is_fixed_word(text)) {
            char *error = lport_addresses_parse(text, &p->addresses[p->n_addresses]);
            if (error) {
                LOG_INFO_RL("port %s: address \"%s\" is ignored: %s", p->name, text, error);
                free(error);
            } else {
                p->n_addresses++;
            }
        }
    }
}

/* False if the port belongs to no switch (yet). */
static bool
port_init(struct northd *n, struct port *p, struct nb_logical_switch_port *row, struct dep_reader *by)
{
    struct ovsdb_referrer_iter iter;
    struct ovsdb_row *ls = NULL;

    *p = (struct port) { .row = row };
    OVSDB_FOR_EACH_REFERRER (x, &iter, &row->row_, &nb_table_logical_switch, NB_LOGICAL_SWITCH_PORTS, by) {
        /* On several switches at once (the schema lets it): the one with the smallest UUID has it. */
        if (!ls || uuid_compare(&x->uuid, &ls->uuid) < 0) {
            ls = x;
        }
    }
    if (!ls) {
        return false;
    }
    struct str json = STR_INIT;
    bool enabled;
    p->ls = nb_logical_switch_of(ls);
    p->name = nb_logical_switch_port_name(row, by);
    json_put_cstr(&json, p->name);
    p->json_name = str_steal(&json);
    p->type = nb_logical_switch_port_type(row, by);
    p->datapath = switch_datapath(n, p->ls, by);
    p->enabled = !nb_logical_switch_port_enabled(row, by, &enabled) || enabled;
    p->has_port_security = nb_logical_switch_port_port_security(row, by)->n > 0;
    port_parse_addresses(p, by);
    return true;
}

static void
port_uninit(struct port *p)
{
    for (size_t i = 0; i < p->n_addresses; i++) {
        lport_addresses_destroy(&p->addresses[i]);
    }
    free(p->addresses);
    free(p->json_name);
}

/* ---- port bindings ---- */

static void
identify_port(const struct ovsdb_row *row, struct str *key)
{
    str_puts(key, sb_port_binding_logical_port((const struct sb_port_binding *) row, NULL));
}

static void
copy_map(struct ovsdb_record *r, uint16_t column, const struct ovsdb_map *map)
{
    for (uint32_t i = 0; i < map->n; i++) {
        ovsdb_record_map(r, column, map->v[i].k.s, map->v[i].v.s);
    }
}

static void
copy_set(struct ovsdb_record *r, uint16_t column, const struct ovsdb_set *set)
{
    for (uint32_t i = 0; i < set->n; i++) {
        ovsdb_record_add_str(r, column, set->v[i].s);
    }
}

/* The chassis of that name, else the one of that hostname; of several with one hostname the one with the first name. Or NULL. */
static struct sb_chassis *
find_chassis(struct northd *n, const char *name, struct dep_reader *by)
{
    struct sb_chassis *best = sb_chassis_of(ovsdb_index_get_str(n->sb_chassis_by_name, by, name));
    struct ovsdb_row *const *rows;

    if (best) {
        return best;
    }
    size_t n_rows = ovsdb_index_find(n->sb_chassis_by_hostname, by, &(union ovsdb_atom) { .s = name }, &rows);
    for (size_t i = 0; i < n_rows; i++) {
        struct sb_chassis *chassis = sb_chassis_of(rows[i]);
        if (!best || strcmp(sb_chassis_name(chassis, by), sb_chassis_name(best, by)) < 0) {
            best = chassis;
        }
    }
    return best;
}

/* Who is requested for a port by options:requested-chassis, a list of names (or hostnames): the first is the main one. Those that are not there are left out. */
struct requested {
    bool any;                          /* The option is there. */
    struct sb_chassis *main;           /* Or NULL. */
    struct sb_chassis *additional[MAX_ADDITIONAL];
    size_t n_additional;
};

static struct requested
get_requested(struct northd *n, const struct nb_logical_switch_port *lsp, struct dep_reader *by)
{
    const char *names = ovsdb_map_get(nb_logical_switch_port_options(lsp, by), "requested-chassis");
    struct requested r = { .any = names && *names };

    for (bool first = true; names && *names; first = false) {
        size_t len = strcspn(names, ",");
        char *name = xstrndup(names, len);
        struct sb_chassis *chassis = find_chassis(n, name, by);
        if (first) {
            r.main = chassis;
        } else if (chassis && r.n_additional < MAX_ADDITIONAL) {
            r.additional[r.n_additional++] = chassis;
        }
        free(name);
        names += len + (names[len] == ',');
    }
    return r;
}

static void
put_requested_chassis(struct northd *n, struct ovsdb_record *record, const struct port *p, struct dep_reader *by)
{
    struct requested r = get_requested(n, p->row, by);

    if (r.main) {
        ovsdb_record_uuid(record, SB_PORT_BINDING_REQUESTED_CHASSIS, &r.main->row_.uuid);
    }
    for (size_t i = 0; i < r.n_additional; i++) {
        ovsdb_record_add_uuid(record, SB_PORT_BINDING_REQUESTED_ADDITIONAL_CHASSIS, &r.additional[i]->row_.uuid);
    }
}

static void
emit_binding(struct northd *n, struct incr_unit *u, const struct port *p, uint32_t key)
{
    struct dep_reader *by = incr_reader(u);
    const struct ovsdb_map *options = nb_logical_switch_port_options(p->row, by);
    const char *parent = nb_logical_switch_port_parent_name(p->row, by);
    struct ovsdb_record *r = n->record.port;
    bool router = str_eq(p->type, "router");
    int64_t tag;

    ovsdb_record_reset(r);
    ovsdb_record_str(r, SB_PORT_BINDING_LOGICAL_PORT, p->name);
    ovsdb_record_str(r, SB_PORT_BINDING_TYPE, router ? "patch" : p->type);
    ovsdb_record_uuid(r, SB_PORT_BINDING_DATAPATH, &p->datapath);
    ovsdb_record_int(r, SB_PORT_BINDING_TUNNEL_KEY, key);
    if (router) {
        const char *peer = ovsdb_map_get(options, "router-port");
        ovsdb_record_map(r, SB_PORT_BINDING_OPTIONS, "peer", peer ? peer : "<error>");
    } else {
        copy_map(r, SB_PORT_BINDING_OPTIONS, options);
    }
    if (parent && *parent) {
        ovsdb_record_str(r, SB_PORT_BINDING_PARENT_PORT, parent);
    }
    if (nb_logical_switch_port_tag_request(p->row, by, &tag) && tag > 0) {
        ovsdb_record_int(r, SB_PORT_BINDING_TAG, tag);
    }
    copy_set(r, SB_PORT_BINDING_MAC, nb_logical_switch_port_addresses(p->row, by));
    copy_set(r, SB_PORT_BINDING_PORT_SECURITY, nb_logical_switch_port_port_security(p->row, by));
    put_requested_chassis(n, r, p, by);
    const struct ovsdb_map *ids = nb_logical_switch_port_external_ids(p->row, by);
    copy_map(r, SB_PORT_BINDING_EXTERNAL_IDS, ids);
    const char *name = ovsdb_map_get(ids, "neutron:port_name");
    if (name && *name) {
        ovsdb_record_map(r, SB_PORT_BINDING_EXTERNAL_IDS, "name", name);
    }
    sink_emit(u, n->sb_port, p->name, strlen(p->name), r);
}

/* ---- multicast groups ---- */

static void
join(struct northd *n, struct incr_unit *u, const struct port *p, const struct uuid *binding, uint32_t key)
{
    struct mcast_key k = { p->datapath, key };

    incr_emit(u, n->mcast, &k, sizeof k, NULL, 0);
    sink_emit_member(u, n->sb_mcast, &k, sizeof k, binding);
}

static void
run_mcast(struct incr_unit *u, void *n_)
{
    struct northd *n = n_;
    struct ovsdb_record *r = n->record.mcast;
    struct mcast_key k;

    memcpy(&k, incr_subject(u)->bytes, sizeof k);
    ovsdb_record_reset(r);
    ovsdb_record_uuid(r, SB_MULTICAST_GROUP_DATAPATH, &k.datapath);
    ovsdb_record_str(r, SB_MULTICAST_GROUP_NAME, mcast_name(k.key));
    ovsdb_record_int(r, SB_MULTICAST_GROUP_TUNNEL_KEY, k.key);
    sink_emit(u, n->sb_mcast, &k, sizeof k, r);
}

static void
identify_mcast(const struct ovsdb_row *row, struct str *key)
{
    const struct sb_multicast_group *g = (const struct sb_multicast_group *) row;
    struct mcast_key k = { sb_multicast_group_datapath_uuid(g, NULL), sb_multicast_group_tunnel_key(g, NULL) };

    str_put(key, &k, sizeof k);
}

/* ---- the units ---- */

/* The port's key, as switch_number() has it. */
static uint32_t
port_number(struct northd *n, struct incr_unit *u, const struct port *p, uint32_t adopted)
{
    struct dep_reader *by = incr_reader(u);
    struct incr_numbers *numbers = port_numbers(n, &p->datapath);
    int64_t requested = ovsdb_map_get_int(nb_logical_switch_port_options(p->row, by), "requested-tnl-key", 0);
    bool vxlan = global_vxlan_mode(n, requested ? by : NULL);

    if (vxlan && requested > VXLAN_MAX_PORT_KEY) {
        LOG_WARN_RL("port %s: the requested tunnel key %lld does not fit into VXLAN (%d at most)", p->name, (long long) requested,
                    VXLAN_MAX_PORT_KEY);
    }
    incr_numbers_set_limit(numbers, vxlan ? VXLAN_MAX_PORT_KEY : 0);
    uint32_t number = incr_number(u, numbers, &p->row->row_.uuid, sizeof p->row->row_.uuid, MAX(0, MIN(requested, UINT32_MAX)), adopted);
    if (!number) {
        global_vxlan_mode(n, by);
    }
    return number;
}

static void
run_port(struct incr_unit *u, void *n_)
{
    static void (*const features[])(struct northd *, struct incr_unit *, const struct port *) = {
        admission_port_flows, fdb_port_flows, arp_port_flows, l2_lookup_port_flows,
    };
    struct northd *n = n_;
    struct dep_reader *by = incr_reader(u);
    struct port p;

    if (!port_init(n, &p, nb_logical_switch_port_of(incr_row(u)), by)) {
        return;
    }
    struct sb_port_binding *found = sb_port_binding_of(sink_row(n->sb_port, p.name, strlen(p.name)));
    struct uuid found_datapath = found ? sb_port_binding_datapath_uuid(found, NULL) : (struct uuid) { { 0 } };
    bool same = found && uuid_equal(&found_datapath, &p.datapath);
    uint32_t key = port_number(n, u, &p, same ? sb_port_binding_tunnel_key(found, NULL) : 0);
    if (key) {
        struct uuid binding = sink_uuid(n->sb_port, p.name, strlen(p.name), &p.row->row_.uuid, by);
        emit_binding(n, u, &p, key);
        if (p.enabled) {
            join(n, u, &p, &binding, MC_FLOOD);
            if (!str_eq(p.type, "router")) {
                join(n, u, &p, &binding, MC_FLOOD_L2);
            }
            if (p.unknown) {
                join(n, u, &p, &binding, MC_UNKNOWN);
                incr_emit(u, n->unknown, &p.ls, sizeof p.ls, &p.row, sizeof p.row);
            }
        }
        for (size_t i = 0; i < ARRAY_SIZE(features); i++) {
            features[i](n, u, &p);
        }
    }
    port_uninit(&p);
}

/* Whether the chassis that says it has PB is one of those requested, if any are. Each hypervisor may write that it has a port (RBAC knows tables
 * and columns, and a port that nobody requested for anybody is the first one's who has the machine); what was requested only northd writes. */
static bool
is_rightful(const struct requested *r, const struct sb_port_binding *pb, struct dep_reader *by)
{
    const struct sb_chassis *chassis = sb_port_binding_chassis(pb, by);
    bool found = !chassis || !r->any || *sb_port_binding_type(pb, by) || r->main == chassis;

    for (size_t i = 0; i < r->n_additional; i++) {
        found |= r->additional[i] == chassis;
    }
    return found;
}

/* A chassis that has no right to PB says that it has it: the one requested gets it back, and will say so if it has it not. */
static void
give_back(struct northd *n, struct incr_unit *u, const struct sb_port_binding *pb, const struct sb_chassis *requested)
{
    struct dep_reader *by = incr_reader(u);

    bool up = false;

    LOG_INFO_RL("port %s: chassis %s says that it has it, and was not requested for it: not so", sb_port_binding_logical_port(pb, by),
                sb_chassis_name(sb_port_binding_chassis(pb, by), by));
    ovsdb_record_reset(n->record.claim);
    ovsdb_record_empty(n->record.claim, SB_PORT_BINDING_CHASSIS);
    if (requested) {
        ovsdb_record_add_uuid(n->record.claim, SB_PORT_BINDING_CHASSIS, &requested->row_.uuid);
        up = sb_port_binding_up(pb, by, &up) && up;
    }
    ovsdb_record_bool(n->record.claim, SB_PORT_BINDING_UP, up);
    sink_emit(u, n->sb_port_claim, &pb->row_.uuid, sizeof pb->row_.uuid, n->record.claim);
}

/* What the hypervisor says: bound, and installed. A chassis that goes away for good leaves `up` behind. One that never says `up` has no
 * other_config:port-up-notif, and an older database has no room for it: there bound is up. */
static bool
binding_is_up(const struct northd *n, const struct sb_port_binding *pb, struct dep_reader *by)
{
    const struct sb_chassis *chassis = sb_port_binding_chassis(pb, by);
    bool up;

    if (!chassis || !ovsdb_has_column(n->sb, &sb_table_port_binding, SB_PORT_BINDING_UP)) {
        return chassis;
    }
    return !ovsdb_map_get_bool(sb_chassis_other_config(chassis, by), "port-up-notif", false) || (sb_port_binding_up(pb, by, &up) && up);
}

/* `up` for the CMS; ports that no hypervisor binds are up by themselves. */
static void
run_port_up(struct incr_unit *u, void *n_)
{
    struct northd *n = n_;
    struct dep_reader *by = incr_reader(u);
    struct nb_logical_switch_port *lsp = nb_logical_switch_port_of(incr_row(u));
    const char *type = nb_logical_switch_port_type(lsp, by);
    struct sb_port_binding *pb =
        sb_port_binding_of(ovsdb_index_get_str(n->sb_port_by_name, by, nb_logical_switch_port_name(lsp, by)));
    bool up = str_eq(type, "router") || str_eq(type, "switch");
    struct requested requested = get_requested(n, lsp, by);

    if (!up && pb && !is_rightful(&requested, pb, by)) {
        give_back(n, u, pb, requested.main);
    } else if (!up && pb) {
        up = str_eq(type, "localnet") || str_eq(type, "localport") || binding_is_up(n, pb, by);
    }
    ovsdb_record_reset(n->record.lsp);
    ovsdb_record_bool(n->record.lsp, NB_LOGICAL_SWITCH_PORT_UP, up);
    sink_emit(u, n->nb_port_up, &lsp->row_.uuid, sizeof lsp->row_.uuid, n->record.lsp);
}

void
port_create(struct northd *n)
{
    enum { OWNED = OVSDB_COLUMN(SB_PORT_BINDING_LOGICAL_PORT) | OVSDB_COLUMN(SB_PORT_BINDING_TYPE) |
                   OVSDB_COLUMN(SB_PORT_BINDING_DATAPATH) | OVSDB_COLUMN(SB_PORT_BINDING_TUNNEL_KEY) |
                   OVSDB_COLUMN(SB_PORT_BINDING_OPTIONS) | OVSDB_COLUMN(SB_PORT_BINDING_PARENT_PORT) |
                   OVSDB_COLUMN(SB_PORT_BINDING_TAG) | OVSDB_COLUMN(SB_PORT_BINDING_MAC) |
                   OVSDB_COLUMN(SB_PORT_BINDING_PORT_SECURITY) | OVSDB_COLUMN(SB_PORT_BINDING_EXTERNAL_IDS) |
                   OVSDB_COLUMN(SB_PORT_BINDING_REQUESTED_CHASSIS) |
                   OVSDB_COLUMN(SB_PORT_BINDING_REQUESTED_ADDITIONAL_CHASSIS) };
    enum { MCAST = OVSDB_COLUMN(SB_MULTICAST_GROUP_DATAPATH) | OVSDB_COLUMN(SB_MULTICAST_GROUP_NAME) |
                   OVSDB_COLUMN(SB_MULTICAST_GROUP_TUNNEL_KEY) };
    uint16_t by_name[] = { SB_PORT_BINDING_LOGICAL_PORT }, chassis_name[] = { SB_CHASSIS_NAME }, hostname[] = { SB_CHASSIS_HOSTNAME };

    ovsdb_use(n->nb, &nb_table_logical_switch_port,
              OVSDB_COLUMN(NB_LOGICAL_SWITCH_PORT_NAME) | OVSDB_COLUMN(NB_LOGICAL_SWITCH_PORT_TYPE) |
                  OVSDB_COLUMN(NB_LOGICAL_SWITCH_PORT_OPTIONS) | OVSDB_COLUMN(NB_LOGICAL_SWITCH_PORT_PARENT_NAME) |
                  OVSDB_COLUMN(NB_LOGICAL_SWITCH_PORT_TAG_REQUEST) | OVSDB_COLUMN(NB_LOGICAL_SWITCH_PORT_UP) |
                  OVSDB_COLUMN(NB_LOGICAL_SWITCH_PORT_ENABLED) | OVSDB_COLUMN(NB_LOGICAL_SWITCH_PORT_ADDRESSES) |
                  OVSDB_COLUMN(NB_LOGICAL_SWITCH_PORT_PORT_SECURITY) |
                  OVSDB_COLUMN(NB_LOGICAL_SWITCH_PORT_EXTERNAL_IDS));
    ovsdb_use(n->sb, &sb_table_port_binding, OWNED | OVSDB_COLUMN(SB_PORT_BINDING_UP) | OVSDB_COLUMN(SB_PORT_BINDING_CHASSIS));
    ovsdb_use(n->sb, &sb_table_multicast_group, MCAST | OVSDB_COLUMN(SB_MULTICAST_GROUP_PORTS));
    ovsdb_use(n->sb, &sb_table_chassis, OVSDB_COLUMN(SB_CHASSIS_NAME) | OVSDB_COLUMN(SB_CHASSIS_HOSTNAME));
    n->sb_port_by_name = ovsdb_index_create(n->sb, &sb_table_port_binding, 1, by_name);
    n->sb_chassis_by_name = ovsdb_index_create(n->sb, &sb_table_chassis, 1, chassis_name);
    n->sb_chassis_by_hostname = ovsdb_index_create(n->sb, &sb_table_chassis, 1, hostname);
    n->sb_port = sink_create(n->sb_out, "port_binding", &sb_table_port_binding, OWNED, 0, identify_port);
    n->sb_mcast = sink_create(n->sb_out, "multicast_group", &sb_table_multicast_group, MCAST, 0, identify_mcast);
    n->sb_port_claim = sink_create(n->sb_out, "port_claim", &sb_table_port_binding,
                                   OVSDB_COLUMN(SB_PORT_BINDING_CHASSIS) | OVSDB_COLUMN(SB_PORT_BINDING_UP), SINK_UPDATE_ONLY, NULL);
    sink_set_members(n->sb_mcast, SB_MULTICAST_GROUP_PORTS);
    n->nb_port_up = sink_create(n->nb_out, "logical_switch_port", &nb_table_logical_switch_port,
                                OVSDB_COLUMN(NB_LOGICAL_SWITCH_PORT_UP), SINK_UPDATE_ONLY, NULL);
    n->mcast = incr_relation_create(n->incr, "mcast", 0);
    hmap_init(&n->port_keys);
    n->record.port = ovsdb_record_create(&sb_table_port_binding);
    n->record.claim = ovsdb_record_create(&sb_table_port_binding);
    n->record.mcast = ovsdb_record_create(&sb_table_multicast_group);
    n->record.lsp = ovsdb_record_create(&nb_table_logical_switch_port);
}

void
port_create_classes(struct northd *n)
{
    struct ovsdb_table *lsps = ovsdb_table(n->nb, &nb_table_logical_switch_port);

    incr_class_over_table(incr_class_create(n->incr, "port", run_port, n), lsps);
    incr_class_over_relation(incr_class_create(n->incr, "mcast", run_mcast, n), n->mcast);
    incr_class_over_table(incr_class_create(n->incr, "port_up", run_port_up, n), lsps);
}

void
port_destroy(struct northd *n)
{
    sweep(n);
    hmap_destroy(&n->port_keys);
    ovsdb_record_destroy(n->record.port);
    ovsdb_record_destroy(n->record.claim);
    ovsdb_record_destroy(n->record.mcast);
    ovsdb_record_destroy(n->record.lsp);
}

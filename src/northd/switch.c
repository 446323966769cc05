/* switch.c - logical switches: a Datapath_Binding each, its key, and the sets of switches that flows are said for. */
#include "northd/lflow.h"

#include <stdio.h>
#include "base/log.h"

LOG_MODULE(northd_switch);

static void
key_of(const char *kind, const char *uuid_text, struct str *key)
{
    str_printf(key, "%s %s", kind, uuid_text);
}

/* What a Datapath_Binding stands for: external_ids, which every version writes. */
static void
identify(const struct ovsdb_row *row, struct str *key)
{
    const struct ovsdb_map *ids = sb_datapath_binding_external_ids((const struct sb_datapath_binding *) row, NULL);
    const char *ls = ovsdb_map_get(ids, "logical-switch"), *lr = ovsdb_map_get(ids, "logical-router");

    key_of(ls ? "logical-switch" : "logical-router", ls ? ls : lr ? lr : "", key);
}

static void
switch_key(const struct nb_logical_switch *ls, struct str *key)
{
    char text[UUID_LEN + 1];
    uuid_format(&ls->row_.uuid, text);
    key_of("logical-switch", text, key);
}

struct uuid
switch_datapath(struct northd *n, struct nb_logical_switch *ls, struct dep_reader *by)
{
    struct str key = STR_INIT;

    switch_key(ls, &key);
    struct uuid uuid = sink_uuid(n->sb_datapath, key.s, key.len, &ls->row_.uuid, by);
    str_free(&key);
    return uuid;
}

static void
run_switch_config(struct incr_unit *u, void *n_)
{
    struct northd *n = n_;
    struct nb_logical_switch *ls = nb_logical_switch_of(incr_row(u));

    if (ovsdb_map_get_bool(nb_logical_switch_other_config(ls, incr_reader(u)), "vlan-passthru", false)) {
        incr_emit(u, n->passthru, &ls, sizeof ls, NULL, 0);
    }
}

bool
switch_has_vlan_passthru(struct northd *n, struct nb_logical_switch *ls, struct dep_reader *by)
{
    return incr_count(n->passthru, &ls, sizeof ls, by) > 0;
}

/* The key of LS's datapath: the one that is requested, or that it has, or (ADOPTED, 0: none) that is found, or a free one. */
static uint32_t
switch_number(struct northd *n, struct incr_unit *u, struct nb_logical_switch *ls, uint32_t adopted)
{
    struct dep_reader *by = incr_reader(u);
    int64_t requested = ovsdb_map_get_int(nb_logical_switch_other_config(ls, by), "requested-tnl-key", 0);

    /* Only a request, and who got none, looks again when the mode changes: what was given stays. */
    bool vxlan = global_vxlan_mode(n, requested ? by : NULL);
    if (vxlan && requested > VXLAN_MAX_DP_KEY) {
        LOG_WARN_RL("switch %s: the requested tunnel key %lld does not fit into VXLAN (%d at most)", nb_logical_switch_name(ls, by),
                    (long long) requested, VXLAN_MAX_DP_KEY);
    }
    incr_numbers_set_limit(n->dp_keys, vxlan ? VXLAN_MAX_DP_KEY : 0);
    uint32_t number = incr_number(u, n->dp_keys, &ls->row_.uuid, sizeof ls->row_.uuid, MAX(0, MIN(requested, UINT32_MAX)), adopted);
    if (!number) {
        global_vxlan_mode(n, by);
    }
    return number;
}

static void
run_switch(struct incr_unit *u, void *n_)
{
    struct northd *n = n_;
    struct dep_reader *by = incr_reader(u);
    struct nb_logical_switch *ls = nb_logical_switch_of(incr_row(u));
    const struct ovsdb_map *config = nb_logical_switch_other_config(ls, by);
    const struct ovsdb_map *ids = nb_logical_switch_external_ids(ls, by);
    struct str key = STR_INIT;
    char uuid_text[UUID_LEN + 1];

    switch_key(ls, &key);
    struct uuid datapath = switch_datapath(n, ls, by);
    struct sb_datapath_binding *row = sb_datapath_binding_of(sink_row(n->sb_datapath, key.s, key.len));
    uint32_t number = switch_number(n, u, ls, row ? sb_datapath_binding_tunnel_key(row, NULL) : 0);
    if (!number) {
        str_free(&key);
        return;                        /* Said by incr_number(): none is left. */
    }

    struct ovsdb_record *r = n->record.datapath;
    ovsdb_record_reset(r);
    ovsdb_record_int(r, SB_DATAPATH_BINDING_TUNNEL_KEY, number);
    ovsdb_record_str(r, SB_DATAPATH_BINDING_TYPE, "logical-switch");
    ovsdb_record_uuid(r, SB_DATAPATH_BINDING_NB_UUID, &ls->row_.uuid);
    uuid_format(&ls->row_.uuid, uuid_text);
    ovsdb_record_map(r, SB_DATAPATH_BINDING_EXTERNAL_IDS, "logical-switch", uuid_text);
    ovsdb_record_map(r, SB_DATAPATH_BINDING_EXTERNAL_IDS, "name", nb_logical_switch_name(ls, by));
    const char *name2 = ovsdb_map_get(ids, "neutron:network_name");
    const char *interconn = ovsdb_map_get(config, "interconn-ts");
    if (name2) {
        ovsdb_record_map(r, SB_DATAPATH_BINDING_EXTERNAL_IDS, "name2", name2);
    }
    if (interconn) {
        ovsdb_record_map(r, SB_DATAPATH_BINDING_EXTERNAL_IDS, "interconn-ts", interconn);
    }
    sink_emit(u, n->sb_datapath, key.s, key.len, r);
    str_free(&key);

    dpset_emit_member(n, u, SET_SWITCHES, &datapath);
    if (!ovsdb_map_get_bool(config, "vlan-passthru", false)) {
        dpset_emit_member(n, u, SET_VLAN_DROP, &datapath);
    }
    bool unknown = incr_count(n->unknown, &ls, sizeof ls, by) > 0;
    dpset_emit_member(n, u, unknown ? SET_UNKNOWN : SET_NO_UNKNOWN, &datapath);
}

void
switch_create(struct northd *n)
{
    ovsdb_use(n->nb, &nb_table_logical_switch,
              OVSDB_COLUMN(NB_LOGICAL_SWITCH_NAME) | OVSDB_COLUMN(NB_LOGICAL_SWITCH_PORTS) |
                  OVSDB_COLUMN(NB_LOGICAL_SWITCH_OTHER_CONFIG) | OVSDB_COLUMN(NB_LOGICAL_SWITCH_EXTERNAL_IDS));
    uint64_t columns = OVSDB_COLUMN(SB_DATAPATH_BINDING_TUNNEL_KEY) | OVSDB_COLUMN(SB_DATAPATH_BINDING_TYPE) |
                       OVSDB_COLUMN(SB_DATAPATH_BINDING_NB_UUID) | OVSDB_COLUMN(SB_DATAPATH_BINDING_EXTERNAL_IDS);
    ovsdb_use(n->sb, &sb_table_datapath_binding, columns);
    n->sb_datapath = sink_create(n->sb_out, "datapath_binding", &sb_table_datapath_binding, columns, 0, identify);
    n->dp_keys = incr_numbers_create("datapath key", 1, MAX_DP_KEY);
    n->unknown = incr_relation_create(n->incr, "unknown", 0);
    n->passthru = incr_relation_create(n->incr, "passthru", 0);
    n->record.datapath = ovsdb_record_create(&sb_table_datapath_binding);
}

void
switch_create_config_classes(struct northd *n)
{
    incr_class_over_table(incr_class_create(n->incr, "switch_config", run_switch_config, n),
                          ovsdb_table(n->nb, &nb_table_logical_switch));
}

void
switch_create_classes(struct northd *n)
{
    incr_class_over_table(incr_class_create(n->incr, "switch", run_switch, n), ovsdb_table(n->nb, &nb_table_logical_switch));
}

void
switch_destroy(struct northd *n)
{
    incr_numbers_destroy(n->dp_keys);
    ovsdb_record_destroy(n->record.datapath);
}

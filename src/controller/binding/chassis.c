/* chassis.c - our rows of Chassis, Encap and Chassis_Private: ovn-sb(5), "Chassis TABLE", "Encap TABLE".
 *
 * A chassis row is found by its name and brought to what the configuration says; keys of its maps that are not
 * ours stay. One Encap a type and address. An Encap of that type and address that says to be another chassis'
 * is left alone and named in the log: its chassis lives, or somebody must delete it (a changed system-id). */
#include "controller/binding/binding.h"

#include <stdlib.h>

#include "base/log.h"
#include "net/address.h"

LOG_MODULE(chassis);

enum { MAX_ENCAPS = 64 };

struct texts {
    char *v[MAX_ENCAPS];
    size_t n;
};

static void
add_text(void *texts_, const char *element)
{
    struct texts *t = texts_;

    for (size_t i = 0; i < t->n; i++) {
        if (str_eq(t->v[i], element)) {
            return;
        }
    }
    if (t->n < MAX_ENCAPS) {
        t->v[t->n++] = xstrdup(element);
    }
}

static void
texts_free(struct texts *t)
{
    for (size_t i = 0; i < t->n; i++) {
        free(t->v[i]);
    }
}

/* ---- what Chassis.other_config says ---- */

/* As CMSes and ovn-northd read them. */
static const struct {
    const char *key;                   /* In other_config. */
    const char *setting;               /* In the Open_vSwitch row; NULL: see `value`. */
    const char *value;                 /* The default if there is a setting. NULL: left out. */
    bool also_external;                /* Older CMSes look in external_ids. */
} settings[] = {
    { "ovn-bridge-mappings", "ovn-bridge-mappings", "", true },
    { "ovn-cms-options", "ovn-cms-options", "", true },
    { "ovn-chassis-mac-mappings", "ovn-chassis-mac-mappings", "", false },
    { "ovn-monitor-all", "ovn-monitor-all", "false", false },
    { "ovn-enable-lflow-cache", "ovn-enable-lflow-cache", "true", false },
    { "ovn-limit-lflow-cache", "ovn-limit-lflow-cache", NULL, false },
    { "ovn-memlimit-lflow-cache-kb", "ovn-memlimit-lflow-cache-kb", NULL, false },
    { "ovn-trim-limit-lflow-cache", "ovn-trim-limit-lflow-cache", NULL, false },
    { "ovn-trim-wmark-perc-lflow-cache", "ovn-trim-wmark-perc-lflow-cache", NULL, false },
    { "ovn-trim-timeout-ms", "ovn-trim-timeout-ms", NULL, false },
    { "is-interconn", "ovn-is-interconn", "false", false },
    { "port-up-notif", NULL, "true", false },
    { "ct-no-masked-label", NULL, "true", false },
};

/* KEY of the map COLUMN (other_config or external_ids) is VALUE (NULL: not there): if ROW says otherwise,
 * CHANGES gets it, or W removes it. */
static void
diff_key(struct write *w, struct ovsdb_record *changes, const struct sb_chassis *row, uint16_t column, const char *key,
         const char *value, struct dep_reader *by)
{
    const char *now = NULL;

    if (row) {
        now = ovsdb_map_get(column == SB_CHASSIS_OTHER_CONFIG ? sb_chassis_other_config(row, by) : sb_chassis_external_ids(row, by),
                            key);
    }
    if (value && (!now || !str_eq(now, value))) {
        ovsdb_record_map(changes, column, key, value);
    } else if (!value && now) {
        write_remove_key(w, &sb_table_chassis, &row->row_.uuid, column, key);
    }
}

/* Puts into CHANGES the keys of other_config and external_ids that ROW (NULL: new) should have and has not. */
static void
diff_maps(struct controller *c, struct write *w, struct ovsdb_record *changes, const struct controller_config *config,
          const struct sb_chassis *row, struct dep_reader *by)
{
    for (size_t i = 0; i < ARRAY_SIZE(settings); i++) {
        const char *value = settings[i].setting ? config_get(c, by, settings[i].setting) : NULL;

        value = value ? value : settings[i].value;
        diff_key(w, changes, row, SB_CHASSIS_OTHER_CONFIG, settings[i].key, value, by);
        if (settings[i].also_external) {
            diff_key(w, changes, row, SB_CHASSIS_EXTERNAL_IDS, settings[i].key, value, by);
        }
    }
    const char *datapath = config->bridge_row ? ovs_bridge_datapath_type(config->bridge_row, by) : "";
    diff_key(w, changes, row, SB_CHASSIS_OTHER_CONFIG, "datapath-type", datapath, by);

    const struct ovs_open_vswitch *root = config_row(c, by);
    struct str s = STR_INIT;
    const struct ovsdb_set *set = ovs_open_vswitch_iface_types(root, by);
    for (uint32_t i = 0; i < set->n; i++) {
        str_printf(&s, "%s%s", i ? "," : "", set->v[i].s);
    }
    diff_key(w, changes, row, SB_CHASSIS_OTHER_CONFIG, "iface-types", str_c(&s), by);
    str_free(&s);
}

/* ---- encaps ---- */

struct encap_list {
    struct uuid uuids[MAX_ENCAPS];
    size_t n;
};

static void
encap_options(struct controller *c, struct ovsdb_record *r, const char *ip, size_t n_ips, struct dep_reader *by)
{
    const char *csum = config_get(c, by, "ovn-encap-csum");
    const char *default_ip = config_get(c, by, "ovn-encap-ip-default");

    ovsdb_record_map(r, SB_ENCAP_OPTIONS, "csum", csum && str_eq(csum, "false") ? "false" : "true");
    if (n_ips > 1 && default_ip && str_eq(default_ip, ip)) {
        ovsdb_record_map(r, SB_ENCAP_OPTIONS, "is_default", "true");
    }
}

/* Writes what makes the Encap of TYPE and IP ours, unless it is; adds its UUID to LIST. */
static void
add_encap(struct controller *c, struct write *w, struct encap_list *list, const char *chassis, const char *type,
          const char *ip, size_t n_ips, struct dep_reader *by)
{
    union ovsdb_atom key[] = { { .s = type }, { .s = ip } };
    const struct sb_encap *row = (struct sb_encap *) ovsdb_index_get(c->binding->encap_by_place, by, key);
    struct ovsdb_record *r;

    if (row && *sb_encap_chassis_name(row, by) && !str_eq(sb_encap_chassis_name(row, by), chassis)) {
        LOG_WARN_RL("encap %s %s belongs to chassis %s, so that this chassis, %s, cannot have it; if that one is gone or was "
                    "this one's name before, delete it (ovn-sbctl chassis-del %s)",
                    type, ip, sb_encap_chassis_name(row, by), chassis, sb_encap_chassis_name(row, by));
        return;
    }
    r = ovsdb_record_create(&sb_table_encap);
    encap_options(c, r, ip, n_ips, by);
    ovsdb_record_str(r, SB_ENCAP_CHASSIS_NAME, chassis);
    if (!row) {
        char *name = xasprintf("%s/%s", type, ip);
        list->uuids[list->n] = write_uuid(&sb_table_encap, name);
        free(name);
        ovsdb_record_str(r, SB_ENCAP_TYPE, type);
        ovsdb_record_str(r, SB_ENCAP_IP, ip);
        write_insert(w, &list->uuids[list->n], r);
    } else {
        list->uuids[list->n] = row->row_.uuid;
        sb_encap_options(row, by);
        if (!ovsdb_record_equals(r, SB_ENCAP_OPTIONS, &row->row_) || !ovsdb_record_equals(r, SB_ENCAP_CHASSIS_NAME, &row->row_)) {
            write_update(w, &row->row_.uuid, r);
        }
    }
    list->n++;
    ovsdb_record_destroy(r);
}

static bool
is_encap_type(const char *type)
{
    return str_eq(type, "geneve") || str_eq(type, "vxlan");
}

static struct encap_list
diff_encaps(struct controller *c, struct write *w, const char *chassis, struct dep_reader *by)
{
    struct encap_list list = { .n = 0 };
    struct texts types = { .n = 0 }, ips = { .n = 0 };
    struct ip_addr ip;

    config_split(config_get(c, by, "ovn-encap-type"), add_text, &types);
    config_split(config_get(c, by, "ovn-encap-ip"), add_text, &ips);
    for (size_t i = 0; i < types.n; i++) {
        if (!is_encap_type(types.v[i])) {
            LOG_WARN_RL("ovn-encap-type: %s is none of geneve, vxlan", types.v[i]);
            continue;
        }
        for (size_t j = 0; j < ips.n && list.n < MAX_ENCAPS; j++) {
            if (!ip_addr_from_str(ips.v[j], &ip)) {
                LOG_WARN_RL("ovn-encap-ip: %s is no IP address", ips.v[j]);
            } else {
                add_encap(c, w, &list, chassis, types.v[i], ips.v[j], ips.n, by);
            }
        }
    }
    texts_free(&types);
    texts_free(&ips);
    return list;
}

/* ---- the units ---- */

static void
add_zone(void *r, const char *element)
{
    ovsdb_record_add_str(r, SB_CHASSIS_TRANSPORT_ZONES, element);
}

static void
chassis_diff(struct controller *c, struct incr_unit *unit, const struct controller_config *config)
{
    struct dep_reader *by = incr_reader(unit);
    struct sb_chassis *row = config->chassis_row;
    struct ovsdb_record *r = ovsdb_record_create(&sb_table_chassis);
    struct ovsdb_record *maps = ovsdb_record_create(&sb_table_chassis);
    struct write w;

    write_begin(&w, c->binding->sb_writer, by, "chassis %s", config->chassis);
    write_guard(&w);
    struct encap_list encaps = diff_encaps(c, &w, config->chassis, by);
    ovsdb_record_str(r, SB_CHASSIS_HOSTNAME, config_hostname(c, by));
    ovsdb_record_empty(r, SB_CHASSIS_TRANSPORT_ZONES);
    config_split(config_get(c, by, "ovn-transport-zones"), add_zone, r);
    for (size_t i = 0; i < encaps.n; i++) {
        ovsdb_record_add_uuid(r, SB_CHASSIS_ENCAPS, &encaps.uuids[i]);
    }
    diff_maps(c, &w, row ? maps : r, config, row, by);
    if (!encaps.n) {
        str_free(&w.value);            /* A chassis without a way to reach it is none. */
    } else if (!row) {
        struct uuid uuid = write_uuid(&sb_table_chassis, config->chassis);
        ovsdb_record_str(r, SB_CHASSIS_NAME, config->chassis);
        write_insert(&w, &uuid, r);
        write_emit(&w, unit, c->binding->sb_write, "chassis");
    } else {
        ovsdb_row_read(&row->row_, by, OVSDB_COLUMN(SB_CHASSIS_HOSTNAME) | OVSDB_COLUMN(SB_CHASSIS_TRANSPORT_ZONES)
                       | OVSDB_COLUMN(SB_CHASSIS_ENCAPS));
        if (!ovsdb_record_equals(r, SB_CHASSIS_HOSTNAME, &row->row_) || !ovsdb_record_equals(r, SB_CHASSIS_ENCAPS, &row->row_)
            || !ovsdb_record_equals(r, SB_CHASSIS_TRANSPORT_ZONES, &row->row_)) {
            write_update(&w, &row->row_.uuid, r);
        }
        if (ovsdb_record_columns(maps)) {
            write_add(&w, &row->row_.uuid, maps);
        }
        write_emit(&w, unit, c->binding->sb_write, "chassis");
    }
    ovsdb_record_destroy(r);
    ovsdb_record_destroy(maps);
}

static void
chassis_run(struct incr_unit *unit, void *c_)
{
    struct controller *c = c_;
    const struct controller_config *config = controller_config(c, incr_reader(unit));
    struct write w;

    if (!config || !*config->chassis) {
        return;
    }
    if (!c->leaving) {
        chassis_diff(c, unit, config);
    } else if (config->chassis_row) {
        write_begin(&w, c->binding->sb_writer, incr_reader(unit), "end of chassis %s", config->chassis);
        write_delete(&w, &sb_table_chassis, &config->chassis_row->row_.uuid);
        write_emit(&w, unit, c->binding->sb_write, "chassis");
    }
}

static void
private_run(struct incr_unit *unit, void *c_)
{
    struct controller *c = c_;
    struct dep_reader *by = incr_reader(unit);
    const struct controller_config *config = controller_config(c, by);
    const struct sb_chassis_private *row;
    struct ovsdb_record *r;
    struct write w;

    if (!config || !*config->chassis) {
        return;
    }
    row = (struct sb_chassis_private *) ovsdb_index_get_str(c->binding->private_by_name, by, config->chassis);
    if (c->leaving) {
        if (row) {
            write_begin(&w, c->binding->sb_writer, by, "end of chassis %s", config->chassis);
            write_delete(&w, &sb_table_chassis_private, &row->row_.uuid);
            write_emit(&w, unit, c->binding->sb_write, "private");
        }
        return;
    }
    if (!config->chassis_row || (row && sb_chassis_private_chassis(row, by) == config->chassis_row)) {
        return;
    }
    r = ovsdb_record_create(&sb_table_chassis_private);
    write_begin(&w, c->binding->sb_writer, by, "private data of chassis %s", config->chassis);
    write_guard(&w);
    ovsdb_record_add_uuid(r, SB_CHASSIS_PRIVATE_CHASSIS, &config->chassis_row->row_.uuid);
    if (row) {
        write_update(&w, &row->row_.uuid, r);
    } else {
        struct uuid uuid = write_uuid(&sb_table_chassis_private, config->chassis);
        ovsdb_record_str(r, SB_CHASSIS_PRIVATE_NAME, config->chassis);
        write_insert(&w, &uuid, r);
    }
    ovsdb_record_destroy(r);
    write_emit(&w, unit, c->binding->sb_write, "private");
}

void
chassis_create(struct controller *c)
{
    struct binding *b = c->binding;

    b->private_by_name = ovsdb_index_create(c->sb, &sb_table_chassis_private, 1, (uint16_t[]) { SB_CHASSIS_PRIVATE_NAME });
    b->encap_by_place = ovsdb_index_create(c->sb, &sb_table_encap, 2, (uint16_t[]) { SB_ENCAP_TYPE, SB_ENCAP_IP });
    ovsdb_use(c->sb, &sb_table_chassis, OVSDB_COLUMN(SB_CHASSIS_NAME) | OVSDB_COLUMN(SB_CHASSIS_HOSTNAME)
              | OVSDB_COLUMN(SB_CHASSIS_ENCAPS) | OVSDB_COLUMN(SB_CHASSIS_OTHER_CONFIG) | OVSDB_COLUMN(SB_CHASSIS_EXTERNAL_IDS)
              | OVSDB_COLUMN(SB_CHASSIS_TRANSPORT_ZONES));
    ovsdb_use(c->sb, &sb_table_encap, OVSDB_COLUMN(SB_ENCAP_TYPE) | OVSDB_COLUMN(SB_ENCAP_IP) | OVSDB_COLUMN(SB_ENCAP_OPTIONS)
              | OVSDB_COLUMN(SB_ENCAP_CHASSIS_NAME));
    ovsdb_use(c->sb, &sb_table_chassis_private, OVSDB_COLUMN(SB_CHASSIS_PRIVATE_NAME) | OVSDB_COLUMN(SB_CHASSIS_PRIVATE_CHASSIS));
    incr_class_alone(incr_class_create(c->incr, "chassis", chassis_run, c));
    incr_class_alone(incr_class_create(c->incr, "chassis-private", private_run, c));
}

/* config.c - what the administrator says: external_ids of the one Open_vSwitch row, and the integration bridge.
 *
 * Every key may carry the suffix -CHASSIS, for several controllers on one host; the suffixed one wins. The
 * chassis' name itself comes from -n, else the file system-id-override, else external_ids:system-id.
 * ovn-controller(8), "Configuration". */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/log.h"
#include "controller/binding/binding.h"
#include "runtime/daemon.h"
#include "runtime/tls.h"

LOG_MODULE(config);

struct ovs_open_vswitch *
config_row(struct controller *c, struct dep_reader *by)
{
    return ovs_open_vswitch_of(ovsdb_first(ovsdb_table(c->ovs, &ovs_table_open_vswitch), by));
}

static const char *
chassis_name(struct controller *c, struct dep_reader *by)
{
    const struct ovs_open_vswitch *row;

    if (c->binding->chassis_override) {
        return c->binding->chassis_override;
    }
    row = config_row(c, by);
    return row ? ovsdb_map_get(ovs_open_vswitch_external_ids(row, by), "system-id") : NULL;
}

static const char *
get(struct controller *c, struct dep_reader *by, const char *chassis, const char *key)
{
    const struct ovs_open_vswitch *row = config_row(c, by);
    const char *value = NULL;

    if (!row) {
        return NULL;
    }
    const struct ovsdb_map *ids = ovs_open_vswitch_external_ids(row, by);
    if (chassis && *chassis) {
        char *suffixed = xasprintf("%s-%s", key, chassis);
        value = ovsdb_map_get(ids, suffixed);
        free(suffixed);
    }
    return value ? value : ovsdb_map_get(ids, key);
}

const char *
config_get(struct controller *c, struct dep_reader *by, const char *key)
{
    return get(c, by, chassis_name(c, by), key);
}

bool
config_get_bool(struct controller *c, struct dep_reader *by, const char *key, bool default_)
{
    const char *value = config_get(c, by, key);

    return !value ? default_ : default_ ? !str_eq(value, "false") : str_eq(value, "true");
}

const char *
config_hostname(struct controller *c, struct dep_reader *by)
{
    static char name[256];
    const char *configured = config_get(c, by, "hostname");

    if (configured && *configured) {
        return configured;
    }
    if (gethostname(name, sizeof name - 1)) {
        name[0] = '\0';
    }
    return name;
}

void
config_split(const char *list, void (*cb)(void *aux, const char *element), void *aux)
{
    char *copy = xstrdup(list ? list : ""), *rest = copy, *element;

    while ((element = strsep(&rest, ","))) {
        element += strspn(element, " \t");
        size_t n = strlen(element);
        while (n > 0 && (element[n - 1] == ' ' || element[n - 1] == '\t')) {
            element[--n] = '\0';
        }
        if (n > 0) {
            cb(aux, element);
        }
    }
    free(copy);
}

/* ---- the unit ---- */

static void
config_run(struct incr_unit *unit, void *c_)
{
    struct controller *c = c_;
    struct dep_reader *by = incr_reader(unit);
    struct binding *b = c->binding;
    const char *chassis = chassis_name(c, by);
    const char *bridge = get(c, by, chassis, "ovn-bridge");
    struct controller_config v = {
        .chassis = chassis ? chassis : b->empty,
        .bridge = bridge && *bridge ? bridge : b->default_bridge,
        .monitor_all = config_get_bool(c, by, "ovn-monitor-all", false),
    };

    if (!config_row(c, by)) {
        return;
    }
    v.bridge_row = (struct ovs_bridge *) ovsdb_index_get_str(b->bridge_by_name, by, v.bridge);
    if (*v.chassis) {
        v.chassis_row = (struct sb_chassis *) ovsdb_index_get_str(b->chassis_by_name, by, v.chassis);
    }
    incr_emit(unit, c->config, "", 0, &v, sizeof v);
}

/* The integration bridge, made when it is missing, as ovn-architecture(7) wants it. */
static void
bridge_run(struct incr_unit *unit, void *c_)
{
    struct controller *c = c_;
    struct dep_reader *by = incr_reader(unit);
    const struct controller_config *config = controller_config(c, by);
    struct ovs_open_vswitch *root = config_row(c, by);
    struct write w;

    if (!config || !*config->chassis || !root || c->leaving) {
        return;
    }
    if (config->bridge_row) {
        const char *known = ovsdb_map_get(ovs_bridge_external_ids(config->bridge_row, by), "ovn-startup-ts");
        char now[24];

        snprintf(now, sizeof now, "%lld", (long long) c->binding->started_at);
        if (!known || !str_eq(known, now)) {
            struct ovsdb_record *r = ovsdb_record_create(&ovs_table_bridge);
            write_begin(&w, c->binding->ovs_writer, by, "start time in bridge %s", config->bridge);
            ovsdb_record_map(r, OVS_BRIDGE_EXTERNAL_IDS, "ovn-startup-ts", now);
            write_add(&w, &config->bridge_row->row_.uuid, r);
            ovsdb_record_destroy(r);
            write_emit(&w, unit, c->binding->ovs_write, "startup");
        }
        return;
    }
    struct uuid bridge_uuid = write_uuid(&ovs_table_bridge, config->bridge);
    struct uuid port_uuid = write_uuid(&ovs_table_port, config->bridge);
    struct uuid iface_uuid = write_uuid(&ovs_table_interface, config->bridge);
    const char *datapath_type = config_get(c, by, "ovn-bridge-datapath-type");
    struct ovsdb_record *iface = ovsdb_record_create(&ovs_table_interface);
    struct ovsdb_record *port = ovsdb_record_create(&ovs_table_port);
    struct ovsdb_record *bridge = ovsdb_record_create(&ovs_table_bridge);
    struct ovsdb_record *bridges = ovsdb_record_create(&ovs_table_open_vswitch);

    write_begin(&w, c->binding->ovs_writer, by, "integration bridge %s", config->bridge);
    ovsdb_record_str(iface, OVS_INTERFACE_NAME, config->bridge);
    ovsdb_record_str(iface, OVS_INTERFACE_TYPE, "internal");
    write_insert(&w, &iface_uuid, iface);
    ovsdb_record_str(port, OVS_PORT_NAME, config->bridge);
    ovsdb_record_add_uuid(port, OVS_PORT_INTERFACES, &iface_uuid);
    write_insert(&w, &port_uuid, port);
    ovsdb_record_str(bridge, OVS_BRIDGE_NAME, config->bridge);
    ovsdb_record_str(bridge, OVS_BRIDGE_FAIL_MODE, "secure");
    ovsdb_record_map(bridge, OVS_BRIDGE_OTHER_CONFIG, "disable-in-band", "true");
    ovsdb_record_add_uuid(bridge, OVS_BRIDGE_PORTS, &port_uuid);
    if (datapath_type && *datapath_type) {
        ovsdb_record_str(bridge, OVS_BRIDGE_DATAPATH_TYPE, datapath_type);
    }
    write_insert(&w, &bridge_uuid, bridge);
    ovsdb_record_add_uuid(bridges, OVS_OPEN_VSWITCH_BRIDGES, &bridge_uuid);
    write_add(&w, &root->row_.uuid, bridges);
    ovsdb_record_destroy(iface);
    ovsdb_record_destroy(port);
    ovsdb_record_destroy(bridge);
    ovsdb_record_destroy(bridges);
    write_emit(&w, unit, c->binding->ovs_write, "bridge");
}

/* The first line of SYSCONFDIR/system-id-override, interned, or NULL. */
static const char *
read_override_file(void)
{
    char *path = xasprintf("%s/system-id-override", dir_sysconf());
    FILE *f = fopen(path, "re");
    char line[256];
    const char *name = NULL;

    if (f) {
        if (fgets(line, sizeof line, f)) {
            size_t n = strcspn(line, " \t\r\n");
            name = n ? intern(line, n) : NULL;
        }
        if (name) {
            LOG_INFO("%s says that this chassis is %s", path, name);
        }
        fclose(f);
    } else if (errno != ENOENT && errno != ENOTDIR) {
        LOG_WARN("%s: %s", path, strerror(errno));
    }
    free(path);
    return name;
}

void
config_create(struct controller *c)
{
    struct binding *b = c->binding;

    b->empty = intern_str("");
    b->default_bridge = intern_str("br-int");
    b->chassis_override = c->system_id_option && *c->system_id_option ? intern_str(c->system_id_option) : read_override_file();
    b->bridge_by_name = ovsdb_index_create(c->ovs, &ovs_table_bridge, 1, (uint16_t[]) { OVS_BRIDGE_NAME });
    b->chassis_by_name = ovsdb_index_create(c->sb, &sb_table_chassis, 1, (uint16_t[]) { SB_CHASSIS_NAME });
    ovsdb_use(c->ovs, &ovs_table_open_vswitch, OVSDB_COLUMN(OVS_OPEN_VSWITCH_BRIDGES)
              | OVSDB_COLUMN(OVS_OPEN_VSWITCH_EXTERNAL_IDS) | OVSDB_COLUMN(OVS_OPEN_VSWITCH_IFACE_TYPES)
              | OVSDB_COLUMN(OVS_OPEN_VSWITCH_SSL));
    ovsdb_use(c->ovs, &ovs_table_ssl, OVSDB_COLUMN(OVS_SSL_PRIVATE_KEY) | OVSDB_COLUMN(OVS_SSL_CERTIFICATE)
              | OVSDB_COLUMN(OVS_SSL_CA_CERT) | OVSDB_COLUMN(OVS_SSL_BOOTSTRAP_CA_CERT));
    ovsdb_use(c->ovs, &ovs_table_bridge, OVSDB_COLUMN(OVS_BRIDGE_NAME) | OVSDB_COLUMN(OVS_BRIDGE_PORTS)
              | OVSDB_COLUMN(OVS_BRIDGE_DATAPATH_TYPE) | OVSDB_COLUMN(OVS_BRIDGE_DATAPATH_ID) | OVSDB_COLUMN(OVS_BRIDGE_EXTERNAL_IDS));
    struct incr_class *class = incr_class_create(c->incr, "config", config_run, c);
    incr_class_alone(class);
    class = incr_class_create(c->incr, "bridge", bridge_run, c);
    incr_class_alone(class);
}

/* ---- connections ---- */

/* The SSL row: for what no option of the command line says. */
static void
configure_tls(struct controller *c)
{
    const struct ovs_open_vswitch *root = config_row(c, NULL);
    const struct ovs_ssl *row = root ? ovs_open_vswitch_ssl(root, NULL) : NULL;
    struct tls_options tls = { 0 };

    if (row) {
        const char *ca = ovs_ssl_ca_cert(row, NULL);
        tls.private_key = ovs_ssl_private_key(row, NULL);
        tls.certificate = ovs_ssl_certificate(row, NULL);
        *(ovs_ssl_bootstrap_ca_cert(row, NULL) ? &tls.bootstrap_ca_cert : &tls.ca_cert) = ca;
    }
    if (tls_configure(&tls) && !ovsdb_is_connected(c->sb)) {
        ovsdb_force_reconnect(c->sb);          /* With the new files, without waiting for the pause to end. */
    }
}

static void
connect_sb(struct controller *c)
{
    const char *remote = config_get(c, NULL, "ovn-remote");
    const char *probe = config_get(c, NULL, "ovn-remote-probe-interval");
    int64_t ms;

    ovsdb_set_probe_interval(c->sb, probe && str_to_int(probe, 0, INT32_MAX, &ms) ? ms : -1);
    char *error = ovsdb_set_remotes(c->sb, remote ? remote : "");
    if (error) {
        LOG_WARN("ovn-remote: %s", error);
        free(error);
    }
}

static void
connect_switch(struct controller *c, const struct controller_config *config)
{
    const char *remote = config_get(c, NULL, "ovn-bridge-remote");
    const char *probe = config_get(c, NULL, "ovn-bridge-remote-probe-interval");
    int64_t s;

    of_switch_set_probe_interval(c->of, probe && str_to_int(probe, 0, INT32_MAX / 1000, &s) && s ? MAX(s, 5) * 1000 : 0);
    if (!config->bridge_row || !ovs_bridge_datapath_id(config->bridge_row, NULL)) {
        of_switch_set_target(c->of, NULL);     /* Open vSwitch has not made it yet. */
    } else if (remote && *remote) {
        of_switch_set_target(c->of, remote);
    } else {
        char *target = xasprintf("unix:%s/%s.mgmt", dir_ovs_run(), config->bridge);
        of_switch_set_target(c->of, target);
        free(target);
    }
}

/* What this chassis cannot do without and the administrator has not set, in words; NULL: all is there. */
static const char *
what_is_missing(struct controller *c, const struct controller_config *config)
{
    static const struct {
        const char *key, *words;
    } needed[] = {
        { "ovn-remote", "external_ids:ovn-remote of the Open_vSwitch row says where the southbound database is" },
        { "ovn-encap-type", "external_ids:ovn-encap-type of the Open_vSwitch row says by which tunnels other chassis reach this one" },
        { "ovn-encap-ip", "external_ids:ovn-encap-ip of the Open_vSwitch row says at which address other chassis reach this one" },
    };

    if (!*config->chassis) {
        return "external_ids:system-id of the Open_vSwitch row says who this chassis is";
    }
    for (size_t i = 0; i < ARRAY_SIZE(needed); i++) {
        const char *value = config_get(c, NULL, needed[i].key);
        if (!value || !value[strspn(value, ", \t")]) {
            return needed[i].words;
        }
    }
    return NULL;
}

void
config_connect(struct controller *c)
{
    const struct controller_config *config = controller_config(c, NULL);
    uint64_t seqno = ovsdb_seqno(c->ovs);

    if (seqno == c->binding->ovs_seen || !config) {
        return;
    }
    c->binding->ovs_seen = seqno;
    const char *missing = what_is_missing(c, config);
    if (missing && missing != c->binding->missing) {
        LOG_INFO("%s: it is not set, waiting", missing);
    }
    c->binding->missing = missing;
    if (!*config->chassis) {
        return;
    }
    configure_tls(c);
    connect_sb(c);
    connect_switch(c, config);
}

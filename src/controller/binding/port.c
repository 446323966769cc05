/* port.c - which interfaces are logical ports here, and which of these are ours.
 *
 * A Port_Binding is *here* if an interface has its name as iface-id, its requested-chassis lets us have it and
 * its iface-id-ver is the interface's. Then its datapath is local (and monitored as soon as the interface is
 * coming). A port of a virtual machine (type "") that
 * is here is claimed (claim.c decides when); it is *bound*, and gets packets, unless it is another chassis' at
 * the moment. A container in a virtual machine (parent_port and tag) has no interface: it uses its parent's,
 * and is here while the parent is ours. A localport is bound wherever it is here, and is nobody's. What is said to be ours and is not
 * here is released. */
#include "base/log.h"
#include "controller/binding/binding.h"

LOG_MODULE(binding);

enum { MAX_VLAN = 4095 };

/* The interface in IFACES with the port's name; of several the one with the first name. NULL: none. */
static const struct iface_value *
find_iface(struct incr_relation *ifaces, const char *port, struct dep_reader *by)
{
    const struct iface_value *best = NULL;
    const char *best_name = NULL, *other = NULL;

    INCR_FOR_EACH_FACT (f, ifaces, port, strlen(port), by) {
        const struct iface_value *v = (const void *) f->value;
        const char *name = ovs_interface_name(v->row, by);

        if (!best || strcmp(name, best_name) < 0) {
            other = best_name;
            best = v;
            best_name = name;
        } else {
            other = name;
        }
    }
    if (other) {
        LOG_WARN_RL("interfaces %s and %s both have iface-id %s: %s is used", best_name, other, port, best_name);
    }
    return best;
}

/* Whether the first chassis of LIST (requested-chassis; NULL or "": any) is this one. */
static bool
is_requested_here(struct controller *c, const struct controller_config *config, const char *list, struct dep_reader *by)
{
    size_t n = list ? strcspn(list, ",") : 0;
    const char *hostname;

    if (!n || (strlen(config->chassis) == n && !memcmp(list, config->chassis, n))) {
        return true;
    }
    hostname = config_hostname(c, by);
    return strlen(hostname) == n && !memcmp(list, hostname, n);
}

/* The one of the interfaces IFACES that may be PB, or NULL. */
static const struct iface_value *
find_eligible(struct controller *c, struct incr_relation *ifaces, const struct controller_config *config,
              const struct sb_port_binding *pb, struct dep_reader *by)
{
    const char *name = sb_port_binding_logical_port(pb, by);
    const struct iface_value *iface = find_iface(ifaces, name, by);

    if (!iface || c->leaving) {
        return NULL;
    }
    const struct ovsdb_map *options = sb_port_binding_options(pb, by);
    const char *requested = ovsdb_map_get(options, "requested-chassis");
    if (!is_requested_here(c, config, requested, by)) {
        LOG_INFO_RL("not claiming %s, which is requested to be on chassis %s", name, requested);
        return NULL;
    }
    const char *version = ovsdb_map_get(options, "iface-id-ver");
    const char *have = ovsdb_map_get(ovs_interface_external_ids(iface->row, by), "iface-id-ver");
    if (version && *version && (!have || !str_eq(have, version))) {
        LOG_INFO_RL("not claiming %s: its iface-id-ver is %s, that of interface %s is %s", name, version,
                    ovs_interface_name(iface->row, by), have ? have : "not set");
        return NULL;
    }
    return iface;
}

static bool
is_container(const struct sb_port_binding *pb, struct dep_reader *by)
{
    const char *parent = sb_port_binding_parent_port(pb, by);

    return parent && *parent;
}

/* The port whose interface the container PB uses, or NULL. */
static struct sb_port_binding *
find_parent(struct controller *c, const struct sb_port_binding *pb, struct dep_reader *by)
{
    const char *name = sb_port_binding_parent_port(pb, by);
    struct sb_port_binding *parent = sb_port_binding_of(ovsdb_index_get_str(c->port_by_name, by, name));

    return parent && !*sb_port_binding_type(parent, by) && !is_container(parent, by) ? parent : NULL;
}

/* What is here for a port. */
struct place {
    const struct iface_value *iface;   /* NULL: it is not here. */
    bool coming;                       /* It will be. */
};

static struct place
find_place(struct controller *c, const struct controller_config *config, const struct sb_port_binding *pb, struct dep_reader *by)
{
    const struct sb_port_binding *host = pb;
    struct place place = { NULL, false };

    if (is_container(pb, by)) {
        host = find_parent(c, pb, by);
        if (!host || !is_requested_here(c, config, ovsdb_map_get(sb_port_binding_options(pb, by), "requested-chassis"), by)) {
            return place;
        }
    }
    const struct iface_value *coming = find_eligible(c, c->binding->coming, config, host, by);
    int64_t tag;
    if (host != pb && coming && (!sb_port_binding_tag(pb, by, &tag) || tag < 1 || tag > MAX_VLAN)) {
        LOG_WARN_RL("port %s, in %s, has no VLAN tag: it is not bound", sb_port_binding_logical_port(pb, by),
                    sb_port_binding_parent_port(pb, by));
        return place;
    }
    place.coming = coming;
    place.iface = coming && !coming->ofport ? find_eligible(c, c->iface, config, host, by) : coming;
    if (host != pb && (!config->chassis_row || sb_port_binding_chassis(host, by) != config->chassis_row)) {
        place.iface = NULL;            /* First the parent, then what is in it. */
    }
    return place;
}

/* The Encap of ours that the interface asks for by external_ids:encap-ip, or NULL. */
static struct sb_encap *
find_encap(struct controller_config const *config, const struct ovs_interface *iface, struct dep_reader *by)
{
    const char *ip = ovsdb_map_get(ovs_interface_external_ids(iface, by), "encap-ip");
    struct sb_encap *best = NULL;

    if (!ip || !config->chassis_row) {
        return NULL;
    }
    const struct ovsdb_set *encaps = sb_chassis_encaps(config->chassis_row, by);
    for (uint32_t i = 0; i < encaps->n; i++) {
        struct sb_encap *e = sb_encap_of(ovsdb_present(encaps->v[i].row, by));
        if (e && str_eq(sb_encap_ip(e, by), ip) && (!best || strcmp(sb_encap_type(e, by), sb_encap_type(best, by)) < 0)) {
            best = e;
        }
    }
    return best;
}

/* Writes what makes PB nobody's, if it is still ours then. Guarded: another host of the same name would take it
 * again. */
static void
emit_release(struct controller *c, struct incr_unit *unit, const struct sb_port_binding *pb, const struct sb_chassis *us)
{
    struct ovsdb_record *r = ovsdb_record_create(&sb_table_port_binding);
    struct write w;

    write_begin(&w, c->binding->sb_writer, incr_reader(unit), "release of port %s", sb_port_binding_logical_port(pb, incr_reader(unit)));
    write_guard(&w);
    ovsdb_record_empty(r, SB_PORT_BINDING_CHASSIS);
    ovsdb_record_empty(r, SB_PORT_BINDING_ENCAP);
    ovsdb_record_bool(r, SB_PORT_BINDING_UP, false);
    write_update_if(&w, &pb->row_.uuid, r, SB_PORT_BINDING_CHASSIS, &us->row_.uuid);
    ovsdb_record_destroy(r);
    write_emit(&w, unit, c->binding->sb_write, "port " UUID_FMT, UUID_ARGS(&pb->row_.uuid));
}

/* PB is ours: its encap is what the interface wants. */
static void
emit_encap(struct controller *c, struct incr_unit *unit, const struct sb_port_binding *pb, const struct sb_encap *encap)
{
    struct ovsdb_record *r = ovsdb_record_create(&sb_table_port_binding);
    struct write w;

    write_begin(&w, c->binding->sb_writer, incr_reader(unit), "encap of port %s", sb_port_binding_logical_port(pb, incr_reader(unit)));
    ovsdb_record_empty(r, SB_PORT_BINDING_ENCAP);
    if (encap) {
        ovsdb_record_add_uuid(r, SB_PORT_BINDING_ENCAP, &encap->row_.uuid);
    }
    write_update(&w, &pb->row_.uuid, r);
    ovsdb_record_destroy(r);
    write_emit(&w, unit, c->binding->sb_write, "encap " UUID_FMT, UUID_ARGS(&pb->row_.uuid));
}

static void
emit_claim(struct controller *c, struct incr_unit *unit, const struct controller_config *config,
           struct sb_port_binding *pb, struct sb_chassis *chassis, const struct iface_value *iface, bool usurped)
{
    struct dep_reader *by = incr_reader(unit);
    struct claim_value v = { .iface = iface->row, .ofport = iface->ofport, .chassis = chassis, .us = config->chassis_row,
                             .usurped = usurped };
    const char *installed = ovsdb_map_get(ovs_interface_external_ids(iface->row, by), "ovn-installed");
    bool up = false, container = is_container(pb, by);

    v.up = sb_port_binding_up(pb, by, &up) && up;
    v.installed = container || (installed && str_eq(installed, "true"));   /* Its parent says so of the interface. */
    incr_emit(unit, c->binding->claim, &pb, sizeof pb, &v, sizeof v);
    if (chassis == config->chassis_row) {
        struct sb_encap *encap = find_encap(config, iface->row, by);
        if (!container) {
            incr_emit(unit, c->binding->held_iface, &iface->row, sizeof iface->row, NULL, 0);
        }
        if (sb_port_binding_encap(pb, by) != encap) {
            emit_encap(c, unit, pb, encap);
        }
    }
}

static void
port_run(struct incr_unit *unit, void *c_)
{
    struct controller *c = c_;
    struct dep_reader *by = incr_reader(unit);
    struct sb_port_binding *pb = sb_port_binding_of(incr_row(unit));
    const struct controller_config *config = controller_config(c, by);
    const char *type = sb_port_binding_type(pb, by);
    bool is_vif = !*type, is_localport = str_eq(type, "localport");

    if (!config || (!is_vif && !is_localport) || (is_localport && is_container(pb, by))) {
        return;
    }
    const struct place place = find_place(c, config, pb, by);
    const struct iface_value *iface = place.iface;
    struct sb_chassis *said = is_vif ? sb_port_binding_chassis(pb, by) : NULL;
    bool usurped = said && said != controller_chassis_of(pb, by);
    struct sb_chassis *chassis = usurped ? NULL : said;
    struct uuid dp_uuid = sb_port_binding_datapath_uuid(pb, by);
    if (place.coming) {
        incr_emit(unit, c->binding->wanted_dp, &dp_uuid, sizeof dp_uuid, NULL, 0);
    }
    if (!iface) {
        if (said && said == config->chassis_row) {
            emit_release(c, unit, pb, said);
        }
        return;
    }
    struct sb_datapath_binding *dp = sb_port_binding_datapath(pb, by);
    if (dp) {
        incr_emit(unit, c->local_dp, &dp, sizeof dp, &pb, sizeof pb);
    }
    if (is_vif && config->chassis_row) {
        emit_claim(c, unit, config, pb, chassis, iface, usurped);
    }
    if (!chassis || chassis == config->chassis_row) {
        struct bound_value v = { .row = iface->row, .ofport = iface->ofport };
        incr_emit(unit, c->bound, &pb, sizeof pb, &v, sizeof v);
    }
}

/* An interface that is no port of ours (any more) does not say that it is installed. */
static void
installed_run(struct incr_unit *unit, void *c_)
{
    struct controller *c = c_;
    struct dep_reader *by = incr_reader(unit);
    struct ovs_interface *iface = ovs_interface_of(incr_row(unit));
    const struct ovsdb_map *ids = ovs_interface_external_ids(iface, by);
    struct write w;

    const struct controller_config *config;

    if (!ovsdb_map_get(ids, "ovn-installed") || incr_count(c->binding->held_iface, &iface, sizeof iface, by)) {
        return;
    }
    config = controller_config(c, by);
    if (!config || !config->bridge_row || !iface_port(iface, config->bridge_row, by)) {
        return;                        /* Another controller's, on another bridge. */
    }
    write_begin(&w, c->binding->ovs_writer, by, "interface %s is not installed", ovs_interface_name(iface, by));
    write_remove_key(&w, &ovs_table_interface, &iface->row_.uuid, OVS_INTERFACE_EXTERNAL_IDS, "ovn-installed");
    write_remove_key(&w, &ovs_table_interface, &iface->row_.uuid, OVS_INTERFACE_EXTERNAL_IDS, "ovn-installed-ts");
    write_emit(&w, unit, c->binding->ovs_write, "installed " UUID_FMT, UUID_ARGS(&iface->row_.uuid));
}

void
port_create(struct controller *c)
{
    ovsdb_use(c->sb, &sb_table_port_binding, OVSDB_COLUMN(SB_PORT_BINDING_LOGICAL_PORT) | OVSDB_COLUMN(SB_PORT_BINDING_TYPE)
              | OVSDB_COLUMN(SB_PORT_BINDING_OPTIONS) | OVSDB_COLUMN(SB_PORT_BINDING_DATAPATH) | OVSDB_COLUMN(SB_PORT_BINDING_CHASSIS)
              | OVSDB_COLUMN(SB_PORT_BINDING_PARENT_PORT) | OVSDB_COLUMN(SB_PORT_BINDING_ENCAP) | OVSDB_COLUMN(SB_PORT_BINDING_UP)
              | OVSDB_COLUMN(SB_PORT_BINDING_TAG));
    ovsdb_use(c->sb, &sb_table_datapath_binding, OVSDB_COLUMN(SB_DATAPATH_BINDING_TUNNEL_KEY));
    struct incr_class *class = incr_class_create(c->incr, "binding", port_run, c);
    incr_class_over_table(class, ovsdb_table(c->sb, &sb_table_port_binding));
    class = incr_class_create(c->incr, "installed", installed_run, c);
    incr_class_over_table(class, ovsdb_table(c->ovs, &ovs_table_interface));
}

/* tunnel.c - a tunnel port to every other chassis of our transport zones.
 *
 * A chassis is reached by the best type of its encaps that we have too: Geneve, then VXLAN; one port for each
 * of its addresses of that type, and for each of ours if there are several. The Port's
 * external_ids:ovn-chassis-id, CHASSIS@REMOTE-IP or CHASSIS@REMOTE-IP%LOCAL-IP, says what it is for; ports with
 * that key on our bridge are adopted, brought to what they should be, and removed when nobody needs them. Their
 * names are ovn-CHASSIS-N, the chassis' name cut to six characters and N in hexadecimal.
 *
 * A chassis that goes and comes back may do so before ovs-vswitchd has looked. It then finds the old port gone and the new one there at once: of the
 * same name, that is one port that stays (so N is the lowest that is free); of another, it refuses the new one as a double of the
 * old, and never tries again by itself. A change of the interface makes it try (retry_interface()). */
#include "controller/binding/binding.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/log.h"

LOG_MODULE(tunnel);

enum { MAX_LOCAL = 16, NAME_TRIES = 16, MAX_TUNNELS = 0xfff };

/* What a run works with. */
struct tunnels {
    struct controller *c;
    struct incr_unit *unit;
    struct dep_reader *by;
    const struct controller_config *config;
    const struct sb_chassis *chassis;          /* The other one. */
    const char *type;
    char *local[MAX_LOCAL];
    size_t n_local;
};

static void
add_local(void *t_, const char *ip)
{
    struct tunnels *t = t_;

    if (t->n_local < MAX_LOCAL) {
        t->local[t->n_local++] = xstrdup(ip);
    }
}

/* ---- which ---- */

struct search {
    const char *text;
    bool found;
};

static void
match_text(void *s_, const char *element)
{
    struct search *s = s_;

    s->found |= str_eq(s->text, element);
}

static bool
list_has(const char *list, const char *text)
{
    struct search s = { .text = text };

    config_split(list, match_text, &s);
    return s.found;
}

/* Whether the two chassis have a transport zone in common; without any, one is in the zone of all such. */
static bool
share_zone(struct tunnels *t)
{
    const struct ovsdb_set *theirs = sb_chassis_transport_zones(t->chassis, t->by);
    const char *ours = config_get(t->c, t->by, "ovn-transport-zones");
    bool any = false;

    for (uint32_t i = 0; i < theirs->n; i++) {
        any |= list_has(ours, theirs->v[i].s);
    }
    return any || (!theirs->n && (!ours || !*ours));
}

/* The type by which the chassis is reached, or NULL. */
static const char *
best_type(struct tunnels *t, const struct ovsdb_set *encaps)
{
    static const char *const types[] = { "geneve", "vxlan" };
    const char *ours = config_get(t->c, t->by, "ovn-encap-type");

    for (size_t i = 0; i < ARRAY_SIZE(types); i++) {
        for (uint32_t j = 0; list_has(ours, types[i]) && j < encaps->n; j++) {
            const struct sb_encap *e = sb_encap_of(ovsdb_present(encaps->v[j].row, t->by));
            if (e && str_eq(sb_encap_type(e, t->by), types[i])) {
                return types[i];
            }
        }
    }
    return NULL;
}

/* ---- one port ---- */

/* Of the ports with that ovn-chassis-id the first by UUID, or NULL. */
static struct ovs_port *
find_port(struct controller *c, const char *id, size_t len, struct dep_reader *by)
{
    struct ovs_port *best = NULL;

    INCR_FOR_EACH_FACT (f, c->binding->tunnel_row, id, len, by) {
        struct ovs_port *port = *(struct ovs_port *const *) (const void *) f->value;
        if (!best || uuid_compare(&port->row_.uuid, &best->row_.uuid) < 0) {
            best = port;
        }
    }
    return best;
}

static struct ovs_interface *
port_interface(const struct ovs_port *port, struct dep_reader *by)
{
    const struct ovsdb_set *interfaces = port ? ovs_port_interfaces(port, by) : NULL;

    return interfaces && interfaces->n ? ovs_interface_of(ovsdb_present(interfaces->v[0].row, by)) : NULL;
}

/* The interface as it should be. */
static struct ovsdb_record *
make_interface(struct tunnels *t, const struct sb_encap *encap, const char *local)
{
    struct ovsdb_record *r = ovsdb_record_create(&ovs_table_interface);
    const struct ovsdb_map *options = sb_encap_options(encap, t->by);
    const char *csum = ovsdb_map_get(options, "csum"), *dst_port = ovsdb_map_get(options, "dst_port");
    const char *tos = config_get(t->c, t->by, "ovn-encap-tos");
    const char *df = config_get(t->c, t->by, "ovn-encap-df_default");

    ovsdb_record_str(r, OVS_INTERFACE_TYPE, t->type);
    ovsdb_record_map(r, OVS_INTERFACE_OPTIONS, "remote_ip", sb_encap_ip(encap, t->by));
    ovsdb_record_map(r, OVS_INTERFACE_OPTIONS, "key", "flow");
    if (csum && (str_eq(csum, "true") || str_eq(csum, "false"))) {
        ovsdb_record_map(r, OVS_INTERFACE_OPTIONS, "csum", csum);
    }
    if (dst_port) {
        ovsdb_record_map(r, OVS_INTERFACE_OPTIONS, "dst_port", dst_port);
    }
    if (t->n_local > 1) {
        ovsdb_record_map(r, OVS_INTERFACE_OPTIONS, "local_ip", local);
    }
    if (tos && *tos && !str_eq(tos, "none")) {
        ovsdb_record_map(r, OVS_INTERFACE_OPTIONS, "tos", tos);
    }
    if (df && *df) {
        ovsdb_record_map(r, OVS_INTERFACE_OPTIONS, "df_default", df);
    }
    return r;
}

/* A name that no port has, N being the tunnel's own number. */
static bool
choose_name(struct tunnels *t, uint32_t n, char name[16])
{
    for (uint32_t i = 0; i < NAME_TRIES; i++) {
        snprintf(name, 16, "ovn-%.6s-%x", sb_chassis_name(t->chassis, t->by), n - 1 + i * (MAX_TUNNELS + 1));
        if (!ovsdb_index_get_str(t->c->binding->ovs_port_by_name, t->by, name)) {
            return true;
        }
    }
    return false;
}

static void
write_new_port(struct tunnels *t, struct ovsdb_record *iface, const char *id, uint32_t n)
{
    struct ovsdb_record *port = ovsdb_record_create(&ovs_table_port), *bridge = ovsdb_record_create(&ovs_table_bridge);
    /* On another bridge it is another port: the one of the bridge before may not be gone yet. */
    char *whose = xasprintf("%s/%s", t->config->bridge, id);
    struct uuid iface_uuid = write_uuid(&ovs_table_interface, whose), port_uuid = write_uuid(&ovs_table_port, whose);
    char name[16];
    struct write w;

    free(whose);
    if (choose_name(t, n, name)) {
        write_begin(&w, t->c->binding->ovs_writer, t->by, "tunnel %s to chassis %s", name, id);
        write_guard(&w);
        ovsdb_record_str(iface, OVS_INTERFACE_NAME, name);
        write_insert(&w, &iface_uuid, iface);
        ovsdb_record_str(port, OVS_PORT_NAME, name);
        ovsdb_record_add_uuid(port, OVS_PORT_INTERFACES, &iface_uuid);
        ovsdb_record_map(port, OVS_PORT_EXTERNAL_IDS, "ovn-chassis-id", id);
        write_insert(&w, &port_uuid, port);
        ovsdb_record_add_uuid(bridge, OVS_BRIDGE_PORTS, &port_uuid);
        write_add(&w, &t->config->bridge_row->row_.uuid, bridge);
        write_emit(&w, t->unit, t->c->binding->ovs_write, "tunnel %s", id);
    } else {
        LOG_WARN_RL("no port name is free for the tunnel to %s", id);
    }
    ovsdb_record_destroy(port);
    ovsdb_record_destroy(bridge);
}

/* The switch could not make the interface: asks it to try again, by a change of the row that means nothing else. */
static void
retry_interface(struct tunnels *t, const struct ovs_interface *iface, const char *id, const char *error)
{
    struct ovsdb_record *r = ovsdb_record_create(&ovs_table_interface);
    const char *now = ovsdb_map_get(ovs_interface_other_config(iface, t->by), "ovn-retry");
    struct write w;

    LOG_WARN_RL("tunnel %s to chassis %s: %s", ovs_interface_name(iface, t->by), id, error);
    ovsdb_record_map(r, OVS_INTERFACE_OTHER_CONFIG, "ovn-retry", now && str_eq(now, "1") ? "2" : "1");
    write_begin(&w, t->c->binding->ovs_writer, t->by, "another try of tunnel %s", id);
    write_retry(&w);
    write_add(&w, &iface->row_.uuid, r);
    write_emit(&w, t->unit, t->c->binding->ovs_write, "retry %s", id);
    ovsdb_record_destroy(r);
}

/* The number in a tunnel port's name, plus one: 0 if there is none. */
static uint32_t
number_in_name(const char *name)
{
    const char *dash = strrchr(name, '-');
    char *end;
    unsigned long n;

    if (!dash || !dash[1]) {
        return 0;
    }
    n = strtoul(dash + 1, &end, 16);
    return *end || n >= MAX_TUNNELS ? 0 : n + 1;
}

/* Wants the tunnel from LOCAL to ENCAP. Its OpenFlow port, or 0 while it has none. */
static int64_t
want_tunnel(struct tunnels *t, const struct sb_encap *encap, const char *local)
{
    struct controller *c = t->c;
    const char *remote = sb_encap_ip(encap, t->by), *name = sb_chassis_name(t->chassis, t->by);
    char *plain = xasprintf("%s@%s", name, remote), *both = xasprintf("%s@%s%%%s", name, remote, local);
    const char *id = t->n_local > 1 ? both : plain;
    struct ovs_port *port = find_port(c, id, strlen(id), t->by);
    int64_t ofport = 0;

    if (!port && id == plain && (port = find_port(c, both, strlen(both), t->by))) {
        id = both;                     /* As another version names it. */
    }
    incr_emit(t->unit, c->binding->tunnel_wanted, id, strlen(id), NULL, 0);
    struct ovs_interface *iface = port_interface(port, t->by);
    uint32_t n = incr_number(t->unit, c->binding->tunnel_numbers, id, strlen(id), 0,
                             port ? number_in_name(ovs_port_name(port, t->by)) : 0);
    struct ovsdb_record *r = make_interface(t, encap, local);
    if (!port && n) {
        write_new_port(t, r, id, n);
    } else if (iface) {
        ovs_interface_type(iface, t->by);
        ovs_interface_options(iface, t->by);
        if (!ovsdb_record_equals(r, OVS_INTERFACE_TYPE, &iface->row_)
            || !ovsdb_record_equals(r, OVS_INTERFACE_OPTIONS, &iface->row_)) {
            struct write w;
            write_begin(&w, c->binding->ovs_writer, t->by, "tunnel to chassis %s", id);
            write_guard(&w);
            write_update(&w, &iface->row_.uuid, r);
            write_emit(&w, t->unit, c->binding->ovs_write, "tunnel %s", id);
        }
        if (!ovs_interface_ofport(iface, t->by, &ofport) || ofport < 0) {
            const char *error = ovs_interface_error(iface, t->by);
            if (error) {
                retry_interface(t, iface, id, error);
            }
            ofport = 0;
        }
    }
    ovsdb_record_destroy(r);
    free(plain);
    free(both);
    return ofport;
}

/* ---- the units ---- */

/* Whether A is preferred to B (NULL: nothing): the default one, else the smaller address. */
static bool
is_better(const struct sb_encap *a, const struct sb_encap *b, struct dep_reader *by)
{
    if (!b) {
        return true;
    }
    bool a_default = ovsdb_map_get_bool(sb_encap_options(a, by), "is_default", false);
    bool b_default = ovsdb_map_get_bool(sb_encap_options(b, by), "is_default", false);
    return a_default != b_default ? a_default : strcmp(sb_encap_ip(a, by), sb_encap_ip(b, by)) < 0;
}

static void
want_tunnels(struct tunnels *t, const struct ovsdb_set *encaps)
{
    const char *default_local = config_get(t->c, t->by, "ovn-encap-ip-default");
    struct tunnel_value best = { .vxlan = str_eq(t->type, "vxlan") };
    const struct sb_encap *best_encap = NULL;

    for (uint32_t i = 0; i < encaps->n; i++) {
        const struct sb_encap *e = sb_encap_of(ovsdb_present(encaps->v[i].row, t->by));

        if (!e || !str_eq(sb_encap_type(e, t->by), t->type)) {
            continue;
        }
        int64_t preferred = 0;
        for (size_t j = 0; j < t->n_local; j++) {
            int64_t ofport = want_tunnel(t, e, t->local[j]);
            if (ofport && (!preferred || (default_local && str_eq(default_local, t->local[j])))) {
                preferred = ofport;
            }
        }
        if (preferred && is_better(e, best_encap, t->by)) {
            best.ofport = preferred;
            best_encap = e;
        }
    }
    if (best.ofport) {
        incr_emit(t->unit, t->c->tunnel, &t->chassis, sizeof t->chassis, &best, sizeof best);
    }
}

static void
chassis_run(struct incr_unit *unit, void *c_)
{
    struct controller *c = c_;
    struct tunnels t = { .c = c, .unit = unit, .by = incr_reader(unit), .chassis = sb_chassis_of(incr_row(unit)) };

    t.config = controller_config(c, t.by);
    if (!t.config || !*t.config->chassis || !t.config->bridge_row || c->leaving
        || str_eq(sb_chassis_name(t.chassis, t.by), t.config->chassis) || !share_zone(&t)) {
        return;
    }
    const struct ovsdb_set *encaps = sb_chassis_encaps(t.chassis, t.by);
    t.type = best_type(&t, encaps);
    if (t.type) {
        config_split(config_get(c, t.by, "ovn-encap-ip"), add_local, &t);
        want_tunnels(&t, encaps);
    }
    for (size_t i = 0; i < t.n_local; i++) {
        free(t.local[i]);
    }
}

/* Ports that no tunnel needs: all of an ovn-chassis-id that is not wanted, else all but the first. */
static void
excess_run(struct incr_unit *unit, void *c_)
{
    struct controller *c = c_;
    struct dep_reader *by = incr_reader(unit);
    const struct incr_key *id = incr_subject(unit);
    const struct controller_config *config = controller_config(c, by);
    bool wanted = incr_count(c->binding->tunnel_wanted, id->bytes, id->len, by) > 0;
    const struct ovs_port *first = find_port(c, id->bytes, id->len, by);

    if (!config || !config->bridge_row) {
        return;
    }
    INCR_FOR_EACH_FACT (f, c->binding->tunnel_row, id->bytes, id->len, by) {
        const struct ovs_port *port = *(struct ovs_port *const *) (const void *) f->value;
        struct write w;

        if (!wanted || port != first) {
            write_begin(&w, c->binding->ovs_writer, by, "removal of tunnel %s to chassis %.*s", ovs_port_name(port, by), (int) id->len, id->bytes);
            write_remove_ref(&w, &ovs_table_bridge, &config->bridge_row->row_.uuid, OVS_BRIDGE_PORTS, &port->row_.uuid);
            write_emit(&w, unit, c->binding->ovs_write, "excess " UUID_FMT, UUID_ARGS(&port->row_.uuid));
        }
    }
}

void
tunnel_create(struct controller *c)
{
    struct binding *b = c->binding;

    b->tunnel_numbers = incr_numbers_create("tunnel", 1, MAX_TUNNELS);
    incr_numbers_prefer_low(b->tunnel_numbers);
    b->ovs_port_by_name = ovsdb_index_create(c->ovs, &ovs_table_port, 1, (uint16_t[]) { OVS_PORT_NAME });
    incr_class_over_table(incr_class_create(c->incr, "tunnel", chassis_run, c), ovsdb_table(c->sb, &sb_table_chassis));
    incr_class_over_relation(incr_class_create(c->incr, "tunnel-excess", excess_run, c), b->tunnel_row);
}

void
tunnel_destroy(struct controller *c)
{
    incr_numbers_destroy(c->binding->tunnel_numbers);
}

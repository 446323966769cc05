/* old_bridge.c - the integration bridge gets another name (ovn-bridge): what we made on the one before goes, or its flows would go on answering for ports
 * that are elsewhere, and its tunnels on taking what is for the new one.
 *
 * The flows go by a connection of its own that wants none; rows (tunnel and patch ports, our external_ids) by a write. The bridge itself and its other ports stay:
 * they are the administrator's. A bridge that some ovn-bridge key still names is another controller's, and is left alone. What happened while we did
 * not run is not known, and nothing is done about it. */
#include "controller/binding/binding.h"

#include <stdlib.h>

#include "base/log.h"
#include "controller/binding/writer.h"
#include "runtime/daemon.h"

LOG_MODULE(old_bridge);

struct old_bridge {
    char *now;                         /* The bridge that we work on; NULL: none yet. */
    char *name;                        /* The one before, being cleaned; NULL: none. */
    struct of_switch *of;              /* NULL: its flows are gone. */
    struct of_flows *flows;            /* None. */
    uint64_t mark;                     /* 0: not asked for yet. */
};

static const char write_key[] = "old bridge";

static void
wake(void *loop)
{
    loop_wake(loop);
}

static void
drop_connection(struct old_bridge *o)
{
    if (o->of) {
        of_switch_destroy(o->of);
        of_flows_destroy(o->flows);
        o->of = NULL;
        o->flows = NULL;
    }
    o->mark = 0;
}

static void
finish(struct controller *c)
{
    struct old_bridge *o = c->binding->old_bridge;

    drop_connection(o);
    free(o->name);
    o->name = NULL;
    writer_unset(c->binding->ovs_writer, write_key, strlen(write_key));
}

/* Whether a key names that bridge, for us before or for another controller; br-int may also be meant by none. */
static bool
is_somebodys(struct controller *c, const char *name)
{
    const struct ovs_open_vswitch *root = config_row(c, NULL);
    const struct ovsdb_map *ids = ovs_open_vswitch_external_ids(root, NULL);
    bool plain = false, suffixed = false;

    for (uint32_t i = 0; i < ids->n; i++) {
        if (!strncmp(ids->v[i].k.s, "ovn-bridge", 10) && str_eq(ids->v[i].v.s, name)) {
            return true;
        }
        plain |= str_eq(ids->v[i].k.s, "ovn-bridge");
        suffixed |= !strncmp(ids->v[i].k.s, "ovn-bridge-", 11) && str_eq(ids->v[i].v.s, c->binding->old_bridge->now);
    }
    return str_eq(name, c->binding->default_bridge) && !plain && suffixed;
}

static void
begin(struct controller *c)
{
    struct old_bridge *o = c->binding->old_bridge;
    char *target = xasprintf("unix:%s/%s.mgmt", dir_ovs_run(), o->name);

    LOG_INFO("the integration bridge is now %s: what was made on %s is removed", o->now, o->name);
    o->flows = of_flows_create();
    o->of = of_switch_create(c->loop, o->flows);
    of_switch_on_change(o->of, wake, c->loop);
    of_switch_set_target(o->of, target);
    free(target);
}

static void
empty_flows(struct old_bridge *o)
{
    if (o->of && of_switch_is_ready(o->of)) {
        if (!o->mark) {
            of_switch_sync(o->of);
            o->mark = of_switch_mark(o->of);
        } else if (of_switch_installed(o->of) >= o->mark) {
            drop_connection(o);
        }
    }
}

static bool
is_ours(const struct ovs_port *port)
{
    static const char *const marks[] = { "ovn-chassis-id", "ovn-localnet-port", "ovn-l2gateway-port", "ovn-l3gateway-port", "ovn-logical-patch-port" };

    for (size_t i = 0; i < ARRAY_SIZE(marks); i++) {
        if (ovsdb_map_get(ovs_port_external_ids(port, NULL), marks[i])) {
            return true;
        }
    }
    return false;
}

static bool
is_our_key(const char *key)
{
    return !strncmp(key, "ct-zone-", 8) || str_eq(key, "ovn-startup-ts") || !strncmp(key, "ovn-nb-cfg", 10);
}

/* Writes the removal of what is ours in BRIDGE. Whether there was anything. */
static bool
remove_rows(struct controller *c, const struct ovs_bridge *bridge)
{
    const struct ovsdb_set *ports = ovs_bridge_ports(bridge, NULL);
    const struct ovsdb_map *ids = ovs_bridge_external_ids(bridge, NULL);
    struct write w;
    size_t n = 0;

    write_begin(&w, c->binding->ovs_writer, NULL, "removal of what was made on bridge %s", c->binding->old_bridge->name);
    for (uint32_t i = 0; i < ports->n; i++) {
        const struct ovs_port *port = ovs_port_of(ovsdb_present(ports->v[i].row, NULL));
        if (port && is_ours(port)) {
            write_remove_ref(&w, &ovs_table_bridge, &bridge->row_.uuid, OVS_BRIDGE_PORTS, &port->row_.uuid);
            n++;
        }
    }
    for (uint32_t i = 0; i < ids->n; i++) {
        if (is_our_key(ids->v[i].k.s)) {
            write_remove_key(&w, &ovs_table_bridge, &bridge->row_.uuid, OVS_BRIDGE_EXTERNAL_IDS, ids->v[i].k.s);
            n++;
        }
    }
    if (n) {
        write_put(&w, c->binding->ovs_writer, "%s", write_key);
    } else {
        str_free(&w.value);
        writer_unset(c->binding->ovs_writer, write_key, strlen(write_key));
    }
    return n > 0;
}

void
old_bridge_run(struct controller *c, const struct controller_config *config)
{
    struct old_bridge *o = c->binding->old_bridge;

    if (!config->bridge_row) {
        return;
    }
    if (!o->now || !str_eq(o->now, config->bridge)) {
        finish(c);                     /* Of an even older one, no more. */
        o->name = o->now;
        o->now = xstrdup(config->bridge);
        if (o->name && is_somebodys(c, o->name)) {
            finish(c);
        } else if (o->name) {
            begin(c);
        }
    }
    if (o->name) {
        struct ovsdb_row *row = ovsdb_index_get_str(c->binding->bridge_by_name, NULL, o->name);
        empty_flows(o);
        if (!row || (!remove_rows(c, ovs_bridge_of(row)) && !o->of)) {
            finish(c);
        }
    }
}

void
old_bridge_create(struct controller *c)
{
    c->binding->old_bridge = XNEW(struct old_bridge);
}

void
old_bridge_destroy(struct controller *c)
{
    struct old_bridge *o = c->binding->old_bridge;

    drop_connection(o);
    free(o->now);
    free(o->name);
    free(o);
}

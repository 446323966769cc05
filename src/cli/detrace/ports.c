/* ports.c - OpenFlow ports, by number or name, and the interfaces behind them: what --ovs adds. */
#include <stdlib.h>

#include "base/hash.h"
#include "cli/common/describe.h"
#include "cli/detrace/detrace.h"
#include "schema/ovs.h"

struct detrace_port {
    struct hmap_node by_number, by_name, by_uuid;
    const char *bridge, *name;         /* In the store. */
    const char *iface_id;              /* NULL: none. */
    int64_t number;
    struct uuid uuid;
};

static const struct ovsdb_table_desc *const tables[] = { &ovs_table_open_vswitch, &ovs_table_bridge, &ovs_table_port, &ovs_table_interface };

static uint64_t
columns(const struct ovsdb_table_desc *t)
{
    return t == &ovs_table_open_vswitch ? OVSDB_COLUMN(OVS_OPEN_VSWITCH_EXTERNAL_IDS)
           : t == &ovs_table_bridge   ? OVSDB_COLUMN(OVS_BRIDGE_NAME) | OVSDB_COLUMN(OVS_BRIDGE_PORTS)
           : t == &ovs_table_port     ? OVSDB_COLUMN(OVS_PORT_INTERFACES)
                                      : OVSDB_COLUMN(OVS_INTERFACE_NAME) | OVSDB_COLUMN(OVS_INTERFACE_OFPORT) | OVSDB_COLUMN(OVS_INTERFACE_EXTERNAL_IDS);
}

static void
add_interface(struct port_map *m, const char *bridge, const struct uuid *uuid)
{
    const struct datum *cells = source_row(&m->ovs, &ovs_table_interface, uuid);
    struct detrace_port *p = &m->ports[m->n];

    if (!cells) {
        return;
    }
    m->n++;
    *p = (struct detrace_port) {
        .bridge = bridge, .name = source_str(cells, OVS_INTERFACE_NAME), .iface_id = source_map(cells, OVS_INTERFACE_EXTERNAL_IDS, "iface-id"),
        .number = cells[OVS_INTERFACE_OFPORT].n ? source_int(cells, OVS_INTERFACE_OFPORT) : -1, .uuid = *uuid,
    };
    hmap_insert(&m->by_number, &p->by_number, hash_bytes(&p->number, sizeof p->number, 0));
    hmap_insert(&m->by_name, &p->by_name, hash_string(p->name, 0));
    hmap_insert(&m->by_uuid, &p->by_uuid, uuid->parts[0]);
}

static void
add_bridges(struct port_map *m)
{
    const struct store *store = &m->ovs.store;

    m->ports = xcalloc(hmap_count(&store->tables[ovs_table_interface.index]) + 1, sizeof *m->ports);
    STORE_FOR_EACH (bridge, store, &ovs_table_bridge) {
        const struct datum *ports = &bridge->cells[OVS_BRIDGE_PORTS];
        for (size_t i = 0; i < ports->n; i++) {
            const struct datum *port = source_row(&m->ovs, &ovs_table_port, &ports->k[i].u);
            for (size_t j = 0; port && j < port[OVS_PORT_INTERFACES].n; j++) {
                if (m->n < hmap_count(&store->tables[ovs_table_interface.index])) {
                    add_interface(m, source_str(bridge->cells, OVS_BRIDGE_NAME), &port[OVS_PORT_INTERFACES].k[j].u);
                }
            }
        }
    }
}

bool
port_map_init(struct port_map *m, struct loop *loop, const char *remotes)
{
    const char *bridge = NULL;

    *m = (struct port_map) { .n = 0 };
    hmap_init(&m->by_number);
    hmap_init(&m->by_name);
    hmap_init(&m->by_uuid);
    source_init(&m->ovs, loop, &ovs_db, remotes, false);
    if (!source_fetch_all(&m->ovs, ARRAY_SIZE(tables), tables, columns)) {
        return false;
    }
    STORE_FOR_EACH (row, &m->ovs.store, &ovs_table_open_vswitch) {
        bridge = source_map(row->cells, OVS_OPEN_VSWITCH_EXTERNAL_IDS, "ovn-bridge");
    }
    m->bridge = xstrdup(bridge ? bridge : "br-int");
    add_bridges(m);
    return true;
}

void
port_map_destroy(struct port_map *m)
{
    hmap_destroy(&m->by_number);
    hmap_destroy(&m->by_name);
    hmap_destroy(&m->by_uuid);
    source_destroy(&m->ovs);
    free(m->ports);
    free(m->bridge);
}

static void
put_port(const struct detrace_port *p, struct str *out)
{
    str_puts(out, "  * OVS Interface: ");
    describe_text(p->name, out);
    str_puts(out, " (");
    describe_text(p->iface_id ? p->iface_id : "None", out);
    str_puts(out, ")\n");
}

void
port_map_put(const struct port_map *m, const struct scan_mark *mark, struct str *out)
{
    const char *bridge = *mark->bridge ? mark->bridge : m->bridge;
    int64_t number = mark->number;

    switch (mark->kind) {
    case SCAN_COOKIE:
        HMAP_FOR_EACH_HASH (p, struct detrace_port, by_uuid, mark->number, &m->by_uuid) {
            put_port(p, out);
        }
        break;
    case SCAN_PORT_NUMBER:
        HMAP_FOR_EACH_HASH (p, struct detrace_port, by_number, hash_bytes(&number, sizeof number, 0), &m->by_number) {
            if (p->number == number && str_eq(p->bridge, bridge)) {
                put_port(p, out);
            }
        }
        break;
    case SCAN_PORT_NAME:
        HMAP_FOR_EACH_HASH (p, struct detrace_port, by_name, hash_string(mark->name, 0), &m->by_name) {
            if (str_eq(p->name, mark->name)) {
                put_port(p, out);
            }
        }
        break;
    }
}

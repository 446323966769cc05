/* iface.c - interfaces of the integration bridge: those that are logical ports, by iface-id, and tunnels, by
 * ovn-chassis-id.
 *
 * An interface counts when Open vSwitch has given it an OpenFlow port. One whose device is missing or broken
 * has none (-1), and is as good as absent. Until Open vSwitch has said which, it is *coming*: what is needed
 * for it is asked of the southbound database while the switch makes the port (which takes a switch with many
 * ports longer than all else). */
#include "controller/binding/binding.h"

struct ovs_port *
iface_port(struct ovs_interface *iface, struct ovs_bridge *bridge, struct dep_reader *by)
{
    struct ovsdb_referrer_iter i, j;

    OVSDB_FOR_EACH_REFERRER (port, &i, &iface->row_, &ovs_table_port, OVS_PORT_INTERFACES, by) {
        OVSDB_FOR_EACH_REFERRER (b, &j, port, &ovs_table_bridge, OVS_BRIDGE_PORTS, by) {
            if (b == &bridge->row_) {
                return ovs_port_of(port);
            }
        }
    }
    return NULL;
}

static void
iface_run(struct incr_unit *unit, void *c_)
{
    struct controller *c = c_;
    struct dep_reader *by = incr_reader(unit);
    struct ovs_interface *iface = ovs_interface_of(incr_row(unit));
    const struct controller_config *config = controller_config(c, by);
    struct ovs_port *port;
    int64_t ofport = 0;

    if (!config || !config->bridge_row || !(port = iface_port(iface, config->bridge_row, by))) {
        return;
    }
    bool known = ovs_interface_ofport(iface, by, &ofport);
    if (!known || ofport < 0) {
        ofport = 0;
    }
    struct iface_value v = { .row = iface, .ofport = ofport };
    const char *iface_id = ovsdb_map_get(ovs_interface_external_ids(iface, by), "iface-id");
    const char *chassis = ovsdb_map_get(ovs_port_external_ids(port, by), "ovn-chassis-id");
    if (iface_id && *iface_id && (ofport || !known)) {
        incr_emit(unit, c->binding->coming, iface_id, strlen(iface_id), &v, sizeof v);
        if (ofport) {
            incr_emit(unit, c->iface, iface_id, strlen(iface_id), &v, sizeof v);
        }
    }
    if (chassis && *chassis) {
        incr_emit(unit, c->binding->tunnel_row, chassis, strlen(chassis), &port, sizeof port);
        if (ofport) {
            incr_emit(unit, c->tunnel_port, chassis, strlen(chassis), &v, sizeof v);
        }
    }
}

void
iface_create(struct controller *c)
{
    ovsdb_use(c->ovs, &ovs_table_interface, OVSDB_COLUMN(OVS_INTERFACE_NAME) | OVSDB_COLUMN(OVS_INTERFACE_TYPE)
              | OVSDB_COLUMN(OVS_INTERFACE_OPTIONS) | OVSDB_COLUMN(OVS_INTERFACE_OFPORT) | OVSDB_COLUMN(OVS_INTERFACE_EXTERNAL_IDS)
              | OVSDB_COLUMN(OVS_INTERFACE_ERROR) | OVSDB_COLUMN(OVS_INTERFACE_OTHER_CONFIG));
    ovsdb_use(c->ovs, &ovs_table_port, OVSDB_COLUMN(OVS_PORT_NAME) | OVSDB_COLUMN(OVS_PORT_INTERFACES)
              | OVSDB_COLUMN(OVS_PORT_EXTERNAL_IDS));
    struct incr_class *class = incr_class_create(c->incr, "iface", iface_run, c);
    incr_class_over_table(class, ovsdb_table(c->ovs, &ovs_table_interface));
}

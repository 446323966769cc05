/* tunnel.c - packets between chassis (ovn-architecture(7), "Tunnel Encapsulations").
 *
 * Geneve: the VNI is the datapath's key; the option (class 0x0102, type 0x80, which the switch knows as tun_metadata0) is, from the most significant bit,
 * 1 reserved bit, 15 bits of inport, 16 bits of outport. VXLAN: the 24 bits of the VNI are 12 bits of datapath and 12 of outport, with no inport; the keys of multicast groups
 * (32768 and up) are 2048 and up there. */
#include "base/log.h"
#include "controller/physical/physical.h"

LOG_MODULE(tunnel);

enum {
    OPTION_INPORT_OFS = 16, OPTION_INPORT_BITS = 15, OPTION_OUTPORT_BITS = 16,
    VXLAN_BITS = 12, VXLAN_MCAST_BIT = 11,
};

void
tunnel_put_output(struct flow *f, const struct tunnel_value *tunnel, uint32_t dp_key, uint32_t key)
{
    if (tunnel->vxlan) {
        uint32_t outport = key >= MIN_MCAST_KEY ? 1 << VXLAN_MCAST_BIT | (key - MIN_MCAST_KEY) : key;
        flow_load(f, OFF_TUN_ID, 0, 64, (outport & 0xfff) << VXLAN_BITS | (dp_key & 0xfff));
    } else {
        flow_load(f, OFF_TUN_ID, 0, 64, dp_key);
        flow_load(f, OFF_TUN_METADATA0, 0, 32, key);
        ofa_put_move(&f->actions, (struct of_subfield) { LOGICAL_INPORT, 0, OPTION_INPORT_BITS },
                     (struct of_subfield) { OFF_TUN_METADATA0, OPTION_INPORT_OFS, OPTION_INPORT_BITS });
    }
    ofa_put_output(&f->actions, tunnel->ofport);
}

const struct tunnel_value *
tunnel_to(struct controller *c, struct sb_chassis *chassis, struct dep_reader *by)
{
    const struct tunnel_value *best = NULL;

    INCR_FOR_EACH_FACT (fact, c->tunnel, &chassis, sizeof chassis, by) {
        const struct tunnel_value *v = (const void *) fact->value;
        if (!best || v->ofport < best->ofport) {
            best = v;
        }
    }
    return best;
}

static void
put_move(struct flow *f, enum of_field from, uint16_t from_ofs, enum of_field to, uint16_t to_ofs, uint16_t n_bits)
{
    ofa_put_move(&f->actions, (struct of_subfield) { from, from_ofs, n_bits }, (struct of_subfield) { to, to_ofs, n_bits });
}

/* What comes from a tunnel: the sender's ingress pipeline is behind it, outport is known. */
static void
emit_receive(struct controller *c, struct incr_unit *u, const struct iface_value *iface, bool vxlan)
{
    uint32_t cookie = row_cookie(&iface->row->row_);
    struct flow f = FLOW_INIT(c, u);

    if (!vxlan) {
        flow_match(&f, OFF_IN_PORT, iface->ofport);
        put_move(&f, OFF_TUN_ID, 0, OFF_METADATA, 0, DP_KEY_BITS);
        put_move(&f, OFF_TUN_METADATA0, OPTION_INPORT_OFS, LOGICAL_INPORT, 0, OPTION_INPORT_BITS);
        put_move(&f, OFF_TUN_METADATA0, 0, LOGICAL_OUTPORT, 0, OPTION_OUTPORT_BITS);
        flow_load(&f, LOGICAL_FLAGS, MLF_RX_FROM_TUNNEL, 1, 1);
        flow_resubmit(&f, OFT_TAGS);
        flow_resubmit(&f, OFT_LOCAL_OUTPUT);
        flow_emit(&f, OFT_PHY_TO_LOG, 100, cookie);
    }
    for (int mcast = 0; vxlan && mcast < 2; mcast++) {
        flow_match(&f, OFF_IN_PORT, iface->ofport);
        flow_match_bits(&f, OFF_TUN_ID, VXLAN_BITS + VXLAN_MCAST_BIT, 1, mcast);
        put_move(&f, OFF_TUN_ID, 0, OFF_METADATA, 0, VXLAN_BITS);
        put_move(&f, OFF_TUN_ID, VXLAN_BITS, LOGICAL_OUTPORT, 0, VXLAN_MCAST_BIT);
        flow_load(&f, LOGICAL_OUTPORT, 15, 1, mcast);
        flow_load(&f, LOGICAL_FLAGS, MLF_RX_FROM_TUNNEL, 1, 1);
        flow_resubmit(&f, OFT_TAGS);
        flow_resubmit(&f, OFT_LOCAL_OUTPUT);
        flow_emit(&f, OFT_PHY_TO_LOG, 100, cookie);
    }
    flow_destroy(&f);
}

static void
tunnel_run(struct incr_unit *u, void *c_)
{
    struct controller *c = c_;
    struct dep_reader *by = incr_reader(u);
    const struct incr_key *subject = incr_subject(u);

    INCR_FOR_EACH_FACT (fact, c->tunnel_port, subject->bytes, subject->len, by) {
        const struct iface_value *iface = (const void *) fact->value;
        const char *type = ovs_interface_type(iface->row, by);
        if (type && (str_eq(type, "geneve") || str_eq(type, "vxlan"))) {
            emit_receive(c, u, iface, str_eq(type, "vxlan"));
        } else {
            LOG_WARN_RL("interface %s: tunnels of type \"%s\" are not supported", ovs_interface_name(iface->row, by), type ? type : "");
        }
    }
}

static void
format_subject(const struct incr_unit *u, struct str *out)
{
    str_printf(out, "ovn-chassis-id=%.*s", (int) incr_subject(u)->len, incr_subject(u)->bytes);
}

void
tunnel_flows_create(struct controller *c)
{
    ovsdb_use(c->ovs, &ovs_table_interface, OVSDB_COLUMN(OVS_INTERFACE_NAME) | OVSDB_COLUMN(OVS_INTERFACE_TYPE));
    struct incr_class *class = incr_class_create(c->incr, "tunnel_flows", tunnel_run, c);
    incr_class_over_relation(class, c->tunnel_port);
    incr_class_set_format(class, format_subject);
}

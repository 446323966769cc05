/* port.c - a logical port: where it is, how its packets come in and how packets go out to it.
 *
 * One unit a Port_Binding. A port that is here (`bound`) gets
 *
 *   PHY_TO_LOG      its interface (and VLAN, if it is a container in a VM): enter the datapath with this inport
 *   LOCAL_OUTPUT    to it: with its conntrack zone, through the egress pipeline
 *   CHECK_LOOPBACK  from it to itself: dropped, unless flags.loopback
 *   LOG_TO_PHY      out of its interface
 *
 * and one that is on other chassis gets REMOTE_OUTPUT: through the tunnels there. While a VM moves it is on several (additional_chassis) and
 * all get a copy. Patch ports are on every chassis: out of one is into its peer. */
#include <stdlib.h>

#include "base/log.h"
#include "controller/physical/physical.h"

LOG_MODULE(port);

enum { VLAN_CFI = 0x1000 };

static enum port_kind
port_kind(const char *type)
{
    static const char *const unsupported[] = { "localnet", "l2gateway", "l3gateway", "chassisredirect", "vtep" };

    for (size_t i = 0; i < ARRAY_SIZE(unsupported); i++) {
        if (str_eq(type, unsupported[i])) {
            return PORT_UNSUPPORTED;
        }
    }
    return str_eq(type, "localport") ? PORT_LOCALPORT : str_eq(type, "patch") ? PORT_PATCH : PORT_VIF;
}

bool
port_get(struct controller *c, struct sb_port_binding *pb, struct dep_reader *by, struct port_info *p)
{
    const struct dp_key_value *dp = datapath_get(c, sb_port_binding_datapath(pb, by), by);

    if (!dp) {
        return false;
    }
    int64_t key = sb_port_binding_tunnel_key(pb, by);
    if (key < 1 || key > MAX_PORT_KEY) {
        LOG_WARN_RL("port %s: %lld is no tunnel key", sb_port_binding_logical_port(pb, by), (long long) key);
        return false;
    }
    const char *type = sb_port_binding_type(pb, by);
    *p = (struct port_info) { .pb = pb, .dp_key = dp->key, .key = key, .kind = port_kind(type ? type : "") };
    INCR_FOR_EACH_FACT (fact, c->bound, &pb, sizeof pb, by) {
        const struct bound_value *v = (const void *) fact->value;
        if (!p->bound || v->ofport < p->bound->ofport) {
            p->bound = v;
        }
    }
    if (p->kind == PORT_UNSUPPORTED || p->kind == PORT_PATCH) {
        p->bound = NULL;
    }
    return true;
}

static int
compare_chassis(const void *a_, const void *b_)
{
    const struct sb_chassis *const *a = a_, *const *b = b_;

    return memcmp(&(*a)->row_.uuid, &(*b)->row_.uuid, sizeof(struct uuid));
}

void
port_for_each_remote(struct controller *c, const struct port_info *p, struct dep_reader *by,
                     void (*cb)(void *aux, struct sb_chassis *), void *aux)
{
    const struct controller_config *config = controller_config(c, by);
    struct sb_chassis *ours = config ? config->chassis_row : NULL;

    if (p->kind != PORT_VIF) {
        return;
    }
    const struct ovsdb_set *additional = sb_port_binding_additional_chassis(p->pb, by);
    struct sb_chassis **all = xcalloc(additional->n + 1, sizeof *all);
    size_t n = 0;
    struct sb_chassis *chassis = controller_chassis_of(p->pb, by);
    if (chassis) {
        all[n++] = chassis;
    }
    for (uint32_t i = 0; i < additional->n; i++) {
        struct ovsdb_row *row = ovsdb_present(additional->v[i].row, by);
        if (row && controller_may_have(p->pb, sb_chassis_of(row), by)) {
            all[n++] = sb_chassis_of(row);
        }
    }
    qsort(all, n, sizeof *all, compare_chassis);
    for (size_t i = 0; i < n; i++) {
        if (all[i] != ours && (!i || all[i] != all[i - 1])) {
            cb(aux, all[i]);
        }
    }
    free(all);
}

uint16_t
port_container_tag(const struct sb_port_binding *pb, struct dep_reader *by)
{
    const char *parent = sb_port_binding_parent_port(pb, by);
    int64_t tag;

    return parent && *parent && sb_port_binding_tag(pb, by, &tag) && tag > 0 && tag < 4096 ? tag : 0;
}

uint16_t
port_zone(struct controller *c, const struct sb_port_binding *pb, struct dep_reader *by)
{
    const char *name = sb_port_binding_logical_port(pb, by);
    int64_t zone = 0;

    INCR_FOR_EACH_FACT (fact, c->zone, name, strlen(name), by) {
        int64_t z;
        memcpy(&z, fact->value, sizeof z);
        zone = !zone || z < zone ? z : zone;
    }
    return zone;
}

/* ---- here ---- */

static void
emit_in(struct flow *f, const struct port_info *p, uint16_t tag, uint16_t zone)
{
    flow_match(f, OFF_IN_PORT, p->bound->ofport);
    if (tag) {
        flow_match_bits(f, OFF_VLAN_TCI, 0, 13, VLAN_CFI | tag);
        ofa_put_pop_vlan(&f->actions);
        /* Or nothing could go to another container of this VM. */
        flow_load(f, OFF_IN_PORT, 0, 16, 0);
    }
    flow_load(f, LOGICAL_CT_ZONE, 0, 16, zone);
    flow_load(f, LOGICAL_INPORT, 0, 32, p->key);
    datapath_put_enter(f, p->dp_key);
    flow_resubmit(f, OFT_INGRESS);
    flow_emit(f, OFT_PHY_TO_LOG, tag ? 150 : 100, row_cookie(&p->pb->row_));
}

/* To the port: the egress pipeline, unless it came from there. */
static void
emit_local_output(struct flow *f, const struct port_info *p, uint16_t zone)
{
    uint32_t cookie = row_cookie(&p->pb->row_);

    flow_match_dp(f, p->dp_key);
    flow_match(f, LOGICAL_OUTPORT, p->key);
    flow_load(f, LOGICAL_CT_ZONE, 0, 16, zone);
    flow_resubmit(f, OFT_CHECK_LOOPBACK);
    flow_emit(f, OFT_LOCAL_OUTPUT, 100, cookie);

    flow_match_dp(f, p->dp_key);
    flow_match(f, LOGICAL_INPORT, p->key);
    flow_match(f, LOGICAL_OUTPORT, p->key);
    flow_match_bits(f, LOGICAL_FLAGS, MLF_ALLOW_LOOPBACK, 1, 0);
    flow_emit(f, OFT_CHECK_LOOPBACK, 100, cookie);
}

static void
emit_out(struct flow *f, const struct port_info *p, uint16_t tag)
{
    const struct of_subfield in_port = { OFF_IN_PORT, 0, 16 };

    flow_match_dp(f, p->dp_key);
    flow_match(f, LOGICAL_OUTPORT, p->key);
    if (tag) {
        ofa_put_push(&f->actions, in_port);
        flow_load(f, OFF_IN_PORT, 0, 16, 0);
        ofa_put_push_vlan(&f->actions, 0x8100);
        flow_load(f, OFF_VLAN_TCI, 0, 13, VLAN_CFI | tag);     /* Without CFI the switch takes it for no tag, and refuses. */
    }
    ofa_put_output(&f->actions, p->bound->ofport);
    if (tag) {
        ofa_put_pop_vlan(&f->actions);
        ofa_put_pop(&f->actions, in_port);
    }
    flow_emit(f, OFT_LOG_TO_PHY, 100, row_cookie(&p->pb->row_));
}

static void
run_here(struct flow *f, const struct port_info *p, struct dep_reader *by)
{
    uint16_t tag = port_container_tag(p->pb, by), zone = port_zone(f->c, p->pb, by);

    emit_in(f, p, tag, zone);
    emit_local_output(f, p, zone);
    emit_out(f, p, tag);
}

/* ---- patch ports ---- */

/* Out of a patch port is into its peer: in a clone, as a packet that knows nothing of where it was. */
static void
run_patch(struct flow *f, const struct port_info *p, struct dep_reader *by)
{
    const char *name = ovsdb_map_get(sb_port_binding_options(p->pb, by), "peer");
    struct ovsdb_row *row = name ? ovsdb_index_get_str(f->c->port_by_name, by, name) : NULL;
    struct port_info peer;

    if (!row || !port_get(f->c, sb_port_binding_of(row), by, &peer)) {
        return;
    }
    emit_local_output(f, p, 0);
    flow_match_dp(f, p->dp_key);
    flow_match(f, LOGICAL_OUTPORT, p->key);
    size_t clone = ofa_begin_clone(&f->actions);
    ofa_put_ct_clear(&f->actions);
    for (int reg = 0; reg <= LOGICAL_OUTPORT - OFF_REG0; reg++) {
        flow_load(f, OFF_REG0 + reg, 0, 32, OFF_REG0 + reg == LOGICAL_INPORT ? peer.key : 0);
    }
    datapath_put_enter(f, peer.dp_key);
    flow_resubmit(f, OFT_INGRESS);
    ofa_end_clone(&f->actions, clone);
    flow_emit(f, OFT_LOG_TO_PHY, 100, row_cookie(&p->pb->row_));
}

/* ---- elsewhere ---- */

struct remote {
    struct flow *f;
    const struct port_info *p;
    struct dep_reader *by;
    bool any;
};

static void
put_remote(void *r_, struct sb_chassis *chassis)
{
    struct remote *r = r_;
    const struct tunnel_value *tunnel = tunnel_to(r->f->c, chassis, r->by);

    if (tunnel) {
        tunnel_put_output(r->f, tunnel, r->p->dp_key, r->p->key);
        r->any = true;
    }
}

static void
run_elsewhere(struct flow *f, const struct port_info *p, struct dep_reader *by)
{
    struct remote r = { .f = f, .p = p, .by = by };

    port_for_each_remote(f->c, p, by, put_remote, &r);
    if (r.any) {
        flow_match_dp(f, p->dp_key);
        flow_match(f, LOGICAL_OUTPORT, p->key);
        if (p->bound) {
            flow_resubmit(f, OFT_LOCAL_OUTPUT);
        }
        flow_emit(f, OFT_REMOTE_OUTPUT, 100, row_cookie(&p->pb->row_));
    }
}

static void
port_run(struct incr_unit *u, void *c_)
{
    struct controller *c = c_;
    struct dep_reader *by = incr_reader(u);
    struct port_info p;

    if (!port_get(c, sb_port_binding_of(incr_row(u)), by, &p)) {
        return;
    }
    struct flow f = FLOW_INIT(c, u);
    if (p.bound) {
        run_here(&f, &p, by);
    }
    if (p.kind == PORT_PATCH) {
        run_patch(&f, &p, by);
    } else if (p.kind == PORT_VIF) {
        run_elsewhere(&f, &p, by);
    } else if (p.kind == PORT_LOCALPORT) {
        /* Nothing that comes from it leaves this chassis. */
        flow_match_dp(&f, p.dp_key);
        flow_match(&f, LOGICAL_INPORT, p.key);
        flow_resubmit(&f, OFT_LOCAL_OUTPUT);
        flow_emit(&f, OFT_REMOTE_OUTPUT, 150, row_cookie(&p.pb->row_));
    }
    flow_destroy(&f);
}

void
port_flows_create(struct controller *c)
{
    ovsdb_use(c->sb, &sb_table_port_binding, OVSDB_COLUMN(SB_PORT_BINDING_LOGICAL_PORT) | OVSDB_COLUMN(SB_PORT_BINDING_TYPE)
              | OVSDB_COLUMN(SB_PORT_BINDING_DATAPATH) | OVSDB_COLUMN(SB_PORT_BINDING_TUNNEL_KEY) | OVSDB_COLUMN(SB_PORT_BINDING_PARENT_PORT)
              | OVSDB_COLUMN(SB_PORT_BINDING_TAG) | OVSDB_COLUMN(SB_PORT_BINDING_CHASSIS) | OVSDB_COLUMN(SB_PORT_BINDING_ADDITIONAL_CHASSIS)
              | OVSDB_COLUMN(SB_PORT_BINDING_OPTIONS) | OVSDB_COLUMN(SB_PORT_BINDING_REQUESTED_CHASSIS)
              | OVSDB_COLUMN(SB_PORT_BINDING_REQUESTED_ADDITIONAL_CHASSIS));
    incr_class_over_table(incr_class_create(c->incr, "port", port_run, c), ovsdb_table(c->sb, &sb_table_port_binding));
}

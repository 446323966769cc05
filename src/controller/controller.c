/* controller.c - the graph of ovn-controller: its databases, its relations, and how flows leave it. */
#include "controller/controller.h"

#include <stdlib.h>

/* A flow as the relation `flow` holds it: this, then the match's OXM TLVs, then the actions. */
struct packed_flow {
    uint32_t cookie;
    uint16_t priority;
    uint16_t match_len;
    uint8_t table;
    uint8_t pad[3];
    char bytes[];
};

/* The sink of flows. An INCR_DIGEST relation does not keep values, and the flow table knows flows by its own
 * digest: sink_data holds a copy of that. */
static void
flow_changed(void *c_, struct incr_fact *fact, enum incr_event event, const void *value, size_t len)
{
    struct controller *c = c_;

    if (event == INCR_REMOVED) {
        struct digest *digest = fact->sink_data;

        of_flows_remove(c->flows, *digest);
        free(digest);
        fact->sink_data = NULL;
    } else if (event == INCR_ADDED) {
        const struct packed_flow *p = value;
        size_t actions_at = offsetof(struct packed_flow, bytes) + p->match_len;
        struct of_flow_spec spec = {
            .table = p->table, .priority = p->priority, .cookie = p->cookie,
            .match = p->bytes, .match_len = p->match_len,
            .actions = (const char *) value + actions_at, .actions_len = len - actions_at,
        };
        struct digest digest = of_flow_digest(&spec);

        of_flows_add(c->flows, &spec);
        fact->sink_data = xmemdup(&digest, sizeof digest);
    }
}

void
controller_emit_flow(struct controller *c, struct incr_unit *unit, uint8_t table, uint16_t priority, uint32_t cookie,
                     const struct of_match *match, const void *actions, size_t actions_len)
{
    static struct str buffer;          /* Kept: this is the busiest function of a start. */
    struct packed_flow header = { .cookie = cookie, .priority = priority, .table = table };

    str_clear(&buffer);
    str_put(&buffer, &header, offsetof(struct packed_flow, bytes));
    of_match_put_oxm(match, &buffer);
    size_t match_len = buffer.len - offsetof(struct packed_flow, bytes);
    REQUIRE(match_len <= UINT16_MAX);
    ((struct packed_flow *) (void *) buffer.s)->match_len = match_len;
    str_put(&buffer, actions, actions_len);
    incr_emit(unit, c->flow, "", 0, buffer.s, buffer.len);
}

const struct controller_config *
controller_config(struct controller *c, struct dep_reader *by)
{
    const struct incr_fact *fact = incr_first(c->config, "", 0, by);

    return fact ? (const struct controller_config *) (const void *) fact->value : NULL;
}

/* Whether the list of names and hostnames has CHASSIS. */
static bool
is_listed(const char *list, const struct sb_chassis *chassis, struct dep_reader *by)
{
    const char *names[] = { sb_chassis_name(chassis, by), sb_chassis_hostname(chassis, by) };

    while (*list) {
        size_t n = strcspn(list, ",");
        for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
            if (n && strlen(names[i]) == n && !memcmp(list, names[i], n)) {
                return true;
            }
        }
        list += n + (list[n] == ',');
    }
    return false;
}

bool
controller_may_have(const struct sb_port_binding *pb, const struct sb_chassis *chassis, struct dep_reader *by)
{
    const struct sb_chassis *requested = sb_port_binding_requested_chassis(pb, by);
    const struct ovsdb_set *additional = sb_port_binding_requested_additional_chassis(pb, by);

    for (uint32_t i = 0; i < additional->n; i++) {
        if (additional->v[i].row == &chassis->row_) {
            return true;
        }
    }
    if (requested || additional->n) {
        return requested == chassis;
    }
    /* Those requested were not there when northd last looked; or it is an old one. */
    const char *list = ovsdb_map_get(sb_port_binding_options(pb, by), "requested-chassis");
    return !list || !*list || is_listed(list, chassis, by);
}

struct sb_chassis *
controller_chassis_of(const struct sb_port_binding *pb, struct dep_reader *by)
{
    struct sb_chassis *chassis = sb_port_binding_chassis(pb, by);

    return !chassis || *sb_port_binding_type(pb, by) || controller_may_have(pb, chassis, by) ? chassis : sb_port_binding_requested_chassis(pb, by);
}

static void
create_relations(struct controller *c)
{
    c->config = incr_relation_create(c->incr, "config", 0);
    c->iface = incr_relation_create(c->incr, "iface", 0);
    c->tunnel_port = incr_relation_create(c->incr, "tunnel_port", 0);
    c->bound = incr_relation_create(c->incr, "bound", 0);
    c->local_dp = incr_relation_create(c->incr, "local_dp", 0);
    c->zone = incr_relation_create(c->incr, "zone", 0);
    c->dp_member = incr_relation_create(c->incr, "dp_member", 0);
    c->set_tag = incr_relation_create(c->incr, "set_tag", 0);
    c->tunnel = incr_relation_create(c->incr, "tunnel", 0);
    c->flow = incr_relation_create(c->incr, "flow", INCR_DIGEST);
    incr_set_sink(c->flow, flow_changed, c);
}

/* SYSTEM_ID_OPTION (NULL: none was given) stays the caller's. */
struct controller *
controller_create(struct loop *loop, const char *system_id_option)
{
    struct controller *c = XNEW(struct controller);

    c->loop = loop;
    c->system_id_option = system_id_option;
    c->ovs = ovsdb_create(loop, &ovs_db);
    c->sb = ovsdb_create(loop, &sb_db);
    ovsdb_set_leader_only(c->sb, false);
    c->port_by_name = ovsdb_index_create(c->sb, &sb_table_port_binding, 1, (uint16_t[]) { SB_PORT_BINDING_LOGICAL_PORT });
    c->mcast_by_name = ovsdb_index_create(c->sb, &sb_table_multicast_group, 2,
                                          (uint16_t[]) { SB_MULTICAST_GROUP_DATAPATH, SB_MULTICAST_GROUP_NAME });
    c->flows = of_flows_create();
    c->of = of_switch_create(loop, c->flows);
    c->incr = incr_create();
    create_relations(c);
    binding_create(c);
    physical_create(c);
    translate_create(c);
    packets_create(c);
    return c;
}

void
controller_destroy(struct controller *c)
{
    packets_destroy(c);
    INCR_FOR_EACH_FACT (fact, c->flow, "", 0, NULL) {
        free(fact->sink_data);
    }
    incr_destroy(c->incr);             /* Before what its units have read. */
    translate_destroy(c);
    physical_destroy(c);
    binding_destroy(c);
    of_switch_destroy(c->of);
    of_flows_destroy(c->flows);
    ovsdb_destroy(c->sb);
    ovsdb_destroy(c->ovs);
    free(c);
}

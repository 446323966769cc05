/* controller.h - what the parts of ovn-controller share: the databases, the graph, its relations, and the OpenFlow layout.
 *
 * The story. Three inputs: the southbound replica (only what concerns local datapaths), the local Open_vSwitch replica, and what the switch says. Units turn
 * them into facts, in the order of the classes below; three sinks take facts out: OpenFlow flows, rows of the local
 * database, and columns of southbound rows that a hypervisor owns. Nothing else writes.
 *
 *   class            subject                      reads                               says
 *   ---------------- ---------------------------- ----------------------------------- -----------------------------------------
 *   config           alone                        Open_vSwitch row, SB_Global         config (key "", one struct)
 *   iface            ovs Interface                Port, Bridge back references        iface: name -> interface, ofport;
 *                                                                                      tunnel_port: ovn-chassis-id -> interface, ofport
 *   binding          sb Port_Binding              iface, config, Chassis              bound: port -> ofport; local_dp: datapath;
 *                                                                                      sb columns (chassis, encap, up)
 *   datapath         local_dp                     Datapath_Binding, Logical_DP_Group  dp_key: datapath -> key; dp_member: group -> datapath
 *   dp_group         dp_member                    its own members, Logical_Flow       what a tag for it would save
 *   set_tag          alone                        that                                set_tag: group -> tag (incr_numbers), the best ones
 *   tags             local_dp                     set_tag                             flows: the datapath's tags
 *   chassis, encap   sb Chassis, sb Encap         config                              tunnel rows of the local database; tunnel: chassis -> ofport, type
 *   port             sb Port_Binding (local dp)   bound, tunnel, local_dp             flows: physical in, out, remote
 *   mcast            sb Multicast_Group           ports, bound, tunnel                flows: output to members here, and to tunnels once a chassis
 *   lflow            sb Logical_Flow              set_tag, dp_member, local_dp, ports flows: match x action, by set tag or a datapath each
 *   aset, template, part: what compares with an address set, an address at a time (translate/address_set.c)
 *
 * binding/ owns config, iface, binding, chassis, encap, conditions and all database writing; physical/ owns datapath, dp_group, set_tag, tags, port, mcast; translate/ owns lflow.
 * Order of creation is the order here (incr.h): binding_create(), physical_create(), translate_create() from main.c.
 *
 * Keys and values of relations are the structures below, copied as bytes, padding zero. Row pointers are rows that the emitter has read. */
#ifndef CONTROLLER_CONTROLLER_H
#define CONTROLLER_CONTROLLER_H 1

#include "incr/incr.h"
#include "openflow/switch.h"
#include "schema/ovs.h"
#include "schema/sb.h"

/* ---- OpenFlow tables and registers (ovn-architecture(7), features.md 24) ---- */
enum {
    OFT_PHY_TO_LOG = 0,        /* in_port -> datapath, logical inport, zones */
    OFT_TAGS = 1,              /* metadata key -> set tags in its upper bits; one flow a datapath */
    OFT_INGRESS = 8,           /* 35 logical ingress tables */
    OFT_OUTPUT = 52,           /* `output` of the ingress pipeline enters here */
    OFT_OUTPUT_TOO_BIG = 53,
    OFT_REMOTE_OUTPUT = 54,
    OFT_MORE_MEMBERS = 55,     /* A multicast group with many members here: those that are not in LOCAL_OUTPUT's flow. */
    OFT_LOCAL_OUTPUT = 56,
    OFT_CHECK_LOOPBACK = 57,
    OFT_EGRESS = 62,           /* 16 logical egress tables */
    OFT_SAVE_INPORT = 88,      /* `output` of the egress pipeline enters here */
    OFT_LOG_TO_PHY = 89,
    OFT_MAC_BINDING = 90,
    OFT_MAC_LOOKUP = 91,
    OFT_GET_FDB = 94,
    OFT_LOOKUP_FDB = 95,
    OFT_IN_PORT_SEC = 96,      /* check_in_port_sec(); 97: its ND part if needed */
    OFT_IN_PORT_SEC_ND = 97,
    OFT_OUT_PORT_SEC = 98,
};
/* metadata: datapath key in the low 24 bits, set tags in the 40 above (DESIGN.md 2, rule 2). */
enum { DP_KEY_BITS = 24, N_SET_TAGS = 40 };
/* reg14 inport, reg15 outport, reg13 low half zone of the port, reg11/reg12 DNAT/SNAT zone, reg10 logical flags (logical/symbols.h). */

/* ---- relations ---- */
struct controller_config {             /* config, key "" */
    const char *chassis;               /* This chassis' name; "" while not configured. */
    const char *bridge;                /* Integration bridge. */
    struct ovs_bridge *bridge_row;     /* NULL while it does not exist. */
    struct sb_chassis *chassis_row;    /* NULL while not registered. */
    bool monitor_all;
    uint8_t pad[7];
};
struct iface_value {                   /* iface, key: iface-id text */
    struct ovs_interface *row;
    int64_t ofport;                    /* > 0 */
};
struct bound_value {                   /* bound, key: struct sb_port_binding * */
    struct ovs_interface *row;
    int64_t ofport;
};
struct tunnel_value {                  /* tunnel, key: struct sb_chassis *: how to reach it, the preferred one */
    int64_t ofport;
    bool vxlan;                        /* else Geneve */
    uint8_t pad[7];
};
/* local_dp: key struct sb_datapath_binding *, value struct sb_port_binding * (the port that makes it local)
 * dp_member: key struct sb_logical_dp_group *, value struct sb_datapath_binding *
 * zone: key logical port's name (text without NUL), value int64_t: its conntrack zone, for every bound port
 * mc_key: key a multicast group's name (text without NUL), value uint64_t: its key; one fact if it is the same in all local datapaths */
struct dp_key_value {                  /* dp_key, key: struct sb_datapath_binding *, each local one */
    uint32_t key;
    bool is_switch;                    /* Else a router. */
    uint8_t pad[3];
};
struct set_tag_value {                 /* set_tag, key: struct sb_logical_dp_group * */
    uint64_t tag;                      /* 1 << (24..63) */
    bool is_switch;                    /* All its members are. */
    uint8_t pad[7];
};

struct controller {
    struct loop *loop;
    struct ovsdb *sb, *ovs;
    struct incr *incr;
    struct of_flows *flows;
    struct of_switch *of;
    const char *system_id_option;      /* -n */
    struct ovsdb_index *port_by_name;  /* sb Port_Binding.logical_port */
    struct ovsdb_index *mcast_by_name; /* sb Multicast_Group (datapath, name) */
    struct incr_relation *config, *iface, *tunnel_port, *bound, *local_dp, *zone, *dp_key, *dp_member, *set_tag, *mc_key, *tunnel;
    struct incr_relation *flow;        /* INCR_DIGEST, key "", value as controller_emit_flow() packs it; its sink is the flow table. */
    struct binding *binding;           /* binding/'s own. */
    struct physical *physical;         /* physical/'s own. */
    struct translate *translate;       /* translate/'s own. */
    struct packets *packets;           /* packets/'s own. */
    bool leaving;                      /* A graceful exit is under way: nothing here is ours any more. */
};

struct controller *controller_create(struct loop *, const char *system_id_option);
void controller_destroy(struct controller *);

/* The one config fact, read by BY; NULL before there is one. */
const struct controller_config *controller_config(struct controller *, struct dep_reader *by);

/* Whether CHASSIS, which is said to have PB, may: if the CMS requested chassis for the port, only those. What is said is any hypervisor's to write (RBAC),
 * what was requested is not; so a claim of another is none, and moves no packet. */
bool controller_may_have(const struct sb_port_binding *pb, const struct sb_chassis *chassis, struct dep_reader *by);
/* Where PB is: the chassis that says so if it may; if it may not, the one that was requested. Or NULL. */
struct sb_chassis *controller_chassis_of(const struct sb_port_binding *pb, struct dep_reader *by);

/* Says one OpenFlow flow. ACTIONS may be empty (drop). */
void controller_emit_flow(struct controller *, struct incr_unit *, uint8_t table, uint16_t priority, uint32_t cookie,
                          const struct of_match *, const void *actions, size_t actions_len);

/* binding/: config, iface, binding, chassis, encap, conditions, writing. */
void binding_create(struct controller *);
void binding_destroy(struct controller *);
/* Before incr_run(): what is read outside the graph. */
void binding_prepare(struct controller *);
/* Before that: whether changes may be acted on at all (ovn-match-northd-version). */
bool binding_version_fits(struct controller *) MUST_USE;
/* After incr_run(): connections, conditions, transactions, reports. Returns whether the switch may be given flows: all that concerns local
 * ports was known once. Until then the flows of our predecessor work. */
bool binding_run(struct controller *) MUST_USE;
/* Whether a graceful exit takes this chassis out of the databases (ovn-cleanup-on-exit). */
bool binding_leaves_nothing(struct controller *);
/* After LEAVING was set and all was computed again: whether nothing is left to write (or never will be). */
bool binding_has_left(const struct controller *);
void binding_register_commands(struct controller *);

/* The destroyers after incr_destroy(). */
void physical_create(struct controller *);     /* datapath, dp_group, port, mcast, and the fixed flows of the pipeline */
void physical_destroy(struct controller *);
void translate_create(struct controller *);    /* lflow */
void translate_destroy(struct controller *);

/* packets/: what the switch punts, in a thread of its own from creation to destruction (before what it uses goes). */
void packets_create(struct controller *);
void packets_destroy(struct controller *);
/* After binding_run(): the thread talks to the switch that the flows go to; what it learnt is written. */
void packets_run(struct controller *);
void packets_report_memory(const struct controller *, struct str *);

#endif

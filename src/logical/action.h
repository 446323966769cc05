/* action.h - actions of the logical language: ovn-sb(5), Logical_Flow, column "actions".
 *
 *   text --actions_parse()--> actions --actions_encode(env)--> OpenFlow actions (bytes)
 *
 * As with expressions (expr.h), parsing depends on the text alone and its result may be shared; what depends on the place (pipeline, table,
 * keys of ports) comes in at encoding. Each action is one entry of a table, with parse, format, encode and trace beside each
 * other (actions/, one file a family).
 *
 * Lookup actions and their tables. An action that asks a question puts its arguments where its table expects them (saving what was there on the
 * stack and restoring it after), resubmits to that table, and moves the answer from its bit of LOGICAL_FLAGS to the destination. Every
 * table is matched within the datapath (metadata). The caller fills these tables:
 *
 *   action                    table          arguments (matched)                            a flow of the table does
 *   get_arp(P, A)             mac_bind       reg15 = P, reg0 = A, reg10[LOOKUP_IPV6] = 0    eth.dst = MAC  (0 before)
 *   get_nd(P, A)              mac_bind       reg15 = P, xxreg0 = A, reg10[LOOKUP_IPV6] = 1  eth.dst = MAC  (0 before)
 *   lookup_arp(P, A, M)       mac_lookup     reg14 = P, reg0 = A, eth.src = M, [IPV6] = 0   reg10[MLF_LOOKUP] = 1
 *   lookup_nd(P, A, M)        mac_lookup     reg14 = P, xxreg0 = A, eth.src = M, [IPV6] = 1 reg10[MLF_LOOKUP] = 1
 *   lookup_arp_ip(P, A)       mac_lookup_ip  reg14 = P, reg0 = A, [IPV6] = 0                reg10[MLF_LOOKUP] = 1
 *   lookup_nd_ip(P, A)        mac_lookup_ip  reg14 = P, xxreg0 = A, [IPV6] = 1              reg10[MLF_LOOKUP] = 1
 *   P = get_fdb(A)            fdb            eth.dst = A                                    reg15 = port key (0 before)
 *   R = lookup_fdb(P, A)      fdb_lookup     reg14 = P, eth.src = A                         reg10[MLF_LOOKUP] = 1
 *   R = chk_evpn_arp(A)       evpn_arp       reg0 = A or xxreg0 = A, [IPV6] = 0 or 1        eth.dst = MAC, reg10[MLF_LOOKUP] = 1
 *   R = check_in_port_sec()   in_port_sec    reg14 (the packet as it is)                    reg10[MLF_PORT_SEC_FAILED] = 1 if refused
 *   R = check_out_port_sec()  out_port_sec   reg15 (the packet as it is)                    reg10[MLF_PORT_SEC_FAILED] = 1 if refused
 *
 * The switch itself fills tables.chk_lb_aff, ecmp_nh and ecmp_nh_mac with flows that it learns (commit_lb_aff, commit_ecmp_nh); they set
 * reg10[MLF_LOOKUP]. tables.flood_remote does what flood_remote; says: a copy to every other chassis.
 *
 * The answer bits are 0 when the table is entered, unless said otherwise. What the switch cannot do itself goes to the controller: opcode.h. */
#ifndef LOGICAL_ACTION_H
#define LOGICAL_ACTION_H 1

#include "base/str.h"
#include "logical/expr.h"

struct actions;

/* NULL and *A (actions_unref() it), or what is wrong with TEXT, with the column. */
char *actions_parse(const char *text, struct actions **a) MUST_USE;
struct actions *actions_ref(struct actions *);
void actions_unref(struct actions *);                          /* NULL is ignored. */
size_t actions_bytes(const struct actions *);
/* The canonical text: parsing it gives the same actions. */
void actions_format(const struct actions *, struct str *);
/* What the actions require of a packet, to be ANDed to the match (expr_resolve()'s ALSO); NULL: nothing. Lives as long as A. */
const struct expr *actions_prereqs(const struct actions *);

enum logical_pipeline { LOGICAL_INGRESS, LOGICAL_EGRESS };

/* A group that chooses one of its buckets (ct_lb_mark, select, fwd_group). */
struct action_bucket {
    uint16_t weight;
    const void *actions;
    size_t len;
    uint32_t watch_port;               /* The bucket lives while this OpenFlow port does; 0: always. */
};
struct action_group {
    const char *hash_fields;           /* Comma-separated fields of ovs-fields(7); NULL: dp_hash. */
    const struct action_bucket *buckets;
    size_t n;
};

/* What encoding asks. The tables are OpenFlow tables; the caller owns the layout. A lookup table that is 0, or a callback that is NULL, is not there: actions that need it
 * are refused by name. */
struct action_env {
    enum logical_pipeline pipeline;
    uint8_t cur_ltable;                /* The flow's logical table. */
    uint8_t n_tables;                  /* Logical tables of a pipeline: a jump beyond is refused. */
    uint8_t n_egress_tables;           /* The same of the egress pipeline, if it is another number; else 0. */
    uint8_t ingress_table, egress_table;       /* Where logical table 0 is. */
    uint8_t output_table;              /* Where "output" goes in the ingress pipeline. */
    uint8_t save_inport_table;         /* Where "output" goes in the egress pipeline. */
    struct {
        uint8_t mac_bind, mac_lookup, mac_lookup_ip, fdb, fdb_lookup, in_port_sec, out_port_sec;
        uint8_t chk_lb_hairpin, chk_lb_hairpin_reply, ct_snat_hairpin, chk_lb_aff, ecmp_nh, ecmp_nh_mac, mac_cache_use, evpn_arp, flood_remote;
    } tables;
    bool is_switch;                    /* The zone of ct actions: the port's (reg13) in a switch, reg11/reg12 in a router. */
    uint32_t cookie;                   /* The first 32 bits of the Logical_Flow's UUID. */
    uint32_t controller_meter;         /* OpenFlow meter of what is sent to the controller; 0: none. */
    /* As in struct expr_env. A port that is not there: the assigned key is 0 (no port). */
    bool (*lookup_port)(void *aux, const char *name, uint32_t *key);
    bool (*meter)(void *aux, const char *name, uint32_t *id);  /* By name; the Meter table. */
    /* An OpenFlow group of type select with these buckets; the same buckets may get the same number. What is in the group lives until the call returns. */
    bool (*group)(void *aux, const struct action_group *, uint32_t *id);
    bool (*rate_meter)(void *aux, uint32_t kbps, uint32_t burst_kbit /* 0: none said */, uint32_t *id);
    bool (*dhcp_option)(void *aux, bool ipv6, const char *name, uint8_t *code, const char **type);     /* DHCP_Options, DHCPv6_Options; TYPE as there. */
    bool (*is_chassis_resident)(void *aux, const char *name);
    bool (*tunnel_port)(void *aux, const char *lport, uint32_t *ofport);       /* The tunnel to where LPORT is. False: it is here, or nowhere. */
    bool (*datapath_key)(void *aux, uint32_t *key);            /* False: the flow is for a set of datapaths. */
    void *aux;
};

/* Appends the OpenFlow actions. NULL, or what cannot be done here (nothing is appended then). */
char *actions_encode(const struct actions *, const struct action_env *, struct str *out) MUST_USE;

#endif

/* action.h - OpenFlow 1.5 actions and Open vSwitch's extension actions, appended as encoded bytes to a str.
 *
 * Layouts: the OpenFlow 1.5.1 specification and ovs-actions(7)/nicira-ext.h. Each is padded to 8 bytes. They are encoded exactly as Open vSwitch 3.1 gives
 * them back in a flow dump, so that installed flows compare by bytes. */
#ifndef OPENFLOW_ACTION_H
#define OPENFLOW_ACTION_H 1

#include "base/str.h"
#include "openflow/field.h"

enum { OFPP_IN_PORT_ = 0xfffffff8, OFPP_CONTROLLER_ = 0xfffffffd, OFPP_LOCAL_ = 0xfffffffe, OFPP_NONE_ = 0xffffffff };

void ofa_put_output(struct str *, uint32_t port);
void ofa_put_output_reg(struct str *, struct of_subfield);
void ofa_put_group(struct str *, uint32_t group_id);
void ofa_put_resubmit(struct str *, uint8_t table);                    /* in_port unchanged */
void ofa_put_resubmit_port(struct str *, uint32_t in_port, uint8_t table);
void ofa_put_load(struct str *, struct of_subfield, const union of_value *);   /* a (masked) set-field */
void ofa_put_load_u64(struct str *, enum of_field, uint16_t ofs, uint16_t n_bits, uint64_t);
void ofa_put_move(struct str *, struct of_subfield src, struct of_subfield dst);       /* equal n_bits */
void ofa_put_push(struct str *, struct of_subfield);
void ofa_put_pop(struct str *, struct of_subfield);
void ofa_put_push_vlan(struct str *, uint16_t ethertype);
void ofa_put_pop_vlan(struct str *);
void ofa_put_dec_ttl(struct str *);
void ofa_put_set_queue(struct str *, uint32_t queue);
void ofa_put_meter(struct str *, uint32_t meter);
/* To the controller: USERDATA comes back in the packet-in; with PAUSE the pipeline can be continued. */
void ofa_put_controller(struct str *, uint16_t max_len, uint16_t controller_id, const void *userdata, size_t n, bool pause, uint32_t meter /* 0: none */);
/* CLAUSE counts from 0 (ovs-ofctl shows it from 1). */
void ofa_put_conjunction(struct str *, uint32_t id, uint8_t clause, uint8_t n_clauses);
void ofa_put_note(struct str *, const void *, size_t n);
void ofa_put_check_pkt_larger(struct str *, uint16_t len, struct of_subfield dst);
void ofa_put_ct_clear(struct str *);
/* The packet leaves the translation and comes back to what follows, as it is: what follows has the switch's limits (4096 resubmits) for itself. It is
 * encap(nsh), decap(): a header that is put on and taken off, as taking it off recirculates, whatever the packet is. */
void ofa_put_recirculate(struct str *);

/* Actions with nested actions: begin returns the offset that end wants. */
size_t ofa_begin_clone(struct str *);
void ofa_end_clone(struct str *, size_t offset);

struct ofa_nat {
    bool src, dst;                     /* None: just "nat" (use the connection's translation). */
    bool ipv6;
    bool has_addr, has_port;
    uint8_t addr_min[16], addr_max[16];/* IPv4 in the first 4 bytes. */
    uint16_t port_min, port_max;
    bool persistent, hash, random;
};
struct ofa_ct {
    bool commit, force;
    uint8_t recirc_table;              /* 255: none. */
    bool zone_from_field;
    struct of_subfield zone_field;
    uint16_t zone;
    uint16_t alg;
};
size_t ofa_begin_ct(struct str *, const struct ofa_ct *);
void ofa_put_nat(struct str *, const struct ofa_nat *);
void ofa_end_ct(struct str *, size_t offset);

/* A flow that the switch makes when a packet passes: begin, what it matches and does, end. With delete_learned it goes when the last flow with a learn action for
 * the same table and cookie goes. */
struct ofa_learn {
    uint8_t table;
    bool delete_learned;
    uint16_t priority, idle_timeout, hard_timeout;     /* Seconds; 0: none. */
    uint64_t cookie;
};
size_t ofa_begin_learn(struct str *, const struct ofa_learn *);
void ofa_learn_match_field(struct str *, struct of_subfield src, struct of_subfield dst);      /* DST as SRC is in this packet. */
void ofa_learn_match_value(struct str *, struct of_subfield dst, const union of_value *);
void ofa_learn_load_value(struct str *, struct of_subfield dst, const union of_value *);
void ofa_end_learn(struct str *, size_t offset);
void ofa_put_sample(struct str *, uint16_t probability, uint32_t collector_set, uint32_t obs_domain, uint32_t obs_point);

/* As ovs-ofctl shows them; "drop" if there are none; unknown ones as bytes. */
void ofa_format(const void *actions, size_t n, struct str *);

#endif

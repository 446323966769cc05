/* field.h - the fields of a packet and its metadata that Open vSwitch matches and sets: ovs-fields(7).
 *
 * One table (fields.def) says for each: name, width in bits, OXM/NXM header as Open vSwitch sends it on OpenFlow 1.5, whether
 * it can be masked, and the prerequisite. xxreg0 covers reg0..reg3, most significant first, and so on: in a match the encoder
 * resolves overlaps to the narrow registers, so that one match has one encoding. in_port has 16 bits, as actions can set only that form;
 * matches are sent with the 32-bit one, and OpenFlow 1.5's reserved ports (0xfffffffe) are the same as OpenFlow 1.0's (0xfffe). */
#ifndef OPENFLOW_FIELD_H
#define OPENFLOW_FIELD_H 1

#include "base/util.h"

enum of_field {
    OFF_IN_PORT, OFF_TUN_ID, OFF_TUN_METADATA0, OFF_TUN_FLAGS, OFF_TUN_SRC, OFF_TUN_DST, OFF_TUN_IPV6_SRC, OFF_TUN_IPV6_DST, OFF_METADATA, OFF_PKT_MARK,
    OFF_REG0, OFF_REG1, OFF_REG2, OFF_REG3, OFF_REG4, OFF_REG5, OFF_REG6, OFF_REG7,
    OFF_REG8, OFF_REG9, OFF_REG10, OFF_REG11, OFF_REG12, OFF_REG13, OFF_REG14, OFF_REG15,
    OFF_XXREG0, OFF_XXREG1, OFF_XXREG2, OFF_XXREG3,
    OFF_XREG0, OFF_XREG1, OFF_XREG2, OFF_XREG3, OFF_XREG4, OFF_XREG5, OFF_XREG6, OFF_XREG7,
    OFF_ETH_SRC, OFF_ETH_DST, OFF_ETH_TYPE, OFF_VLAN_TCI,
    OFF_IP_PROTO, OFF_IP_DSCP, OFF_IP_ECN, OFF_IP_TTL, OFF_IP_FRAG,
    OFF_IPV4_SRC, OFF_IPV4_DST, OFF_IPV6_SRC, OFF_IPV6_DST, OFF_IPV6_LABEL,
    OFF_ARP_OP, OFF_ARP_SPA, OFF_ARP_TPA, OFF_ARP_SHA, OFF_ARP_THA,
    OFF_TCP_SRC, OFF_TCP_DST, OFF_TCP_FLAGS, OFF_UDP_SRC, OFF_UDP_DST, OFF_SCTP_SRC, OFF_SCTP_DST,
    OFF_ICMPV4_TYPE, OFF_ICMPV4_CODE, OFF_ICMPV6_TYPE, OFF_ICMPV6_CODE,
    OFF_ND_TARGET, OFF_ND_SLL, OFF_ND_TLL, OFF_ND_RESERVED, OFF_ND_OPTIONS_TYPE,
    OFF_CT_STATE, OFF_CT_ZONE, OFF_CT_MARK, OFF_CT_LABEL,
    OFF_CT_NW_PROTO, OFF_CT_NW_SRC, OFF_CT_NW_DST, OFF_CT_IPV6_SRC, OFF_CT_IPV6_DST, OFF_CT_TP_SRC, OFF_CT_TP_DST,
    OFF_CONJ_ID,
    OFF_N_FIELDS
};

/* A number of up to 128 bits, big-endian, right-aligned: b[15] is the least significant byte. */
union of_value {
    uint8_t b[16];
    uint64_t be64[2];
};

/* How a value is written. */
enum of_format { OFF_DEC, OFF_HEX, OFF_PORT, OFF_MAC, OFF_IP4, OFF_IP6 };

struct of_field_info {
    const char *name;                  /* As in ovs-fields(7). */
    const char *show;                  /* As ovs-ofctl dump-flows shows it: "dl_src", "tp_dst". */
    enum of_format format;
    uint16_t n_bits;
    uint8_t n_bytes;                   /* On the wire. */
    bool maskable;
    uint32_t header;                   /* OXM header with the unmasked length: matches, set-field, copy-field. */
    uint32_t nxm;                      /* The header in Open vSwitch's own actions (push, pop, output_reg, ct zone). */
};
const struct of_field_info *of_field_info(enum of_field);
/* By name, e.g. "reg0", "eth_src"; also by what ovs-ofctl shows ("dl_src"), where that names one field. False if there is none. */
bool of_field_find(const char *name, enum of_field *) MUST_USE;

/* N_BITS bits (<= 128) of FIELD beginning at bit OFS (0: least significant). */
struct of_subfield {
    enum of_field field;
    uint16_t ofs, n_bits;
};

union of_value of_value_u64(uint64_t);
uint64_t of_value_low(const union of_value *);                 /* The low 64 bits. */
bool of_value_is_zero(const union of_value *);
union of_value of_value_ones(unsigned n_bits);                 /* n_bits low ones. */
union of_value of_value_shl(const union of_value *, unsigned n);
union of_value of_value_shr(const union of_value *, unsigned n);
union of_value of_value_and(const union of_value *, const union of_value *);
union of_value of_value_or(const union of_value *, const union of_value *);
union of_value of_value_not(const union of_value *);
int of_value_compare(const union of_value *, const union of_value *);
/* The low N_BYTES as they are on the wire, and back. */
void of_value_to_wire(const union of_value *, void *, size_t n_bytes);
union of_value of_value_from_wire(const void *, size_t n_bytes);

/* Appends VALUE as the field's values are written: "0x1f", "10.0.0.1", "aa:bb:...". */
struct str;
void of_value_format(enum of_field, const union of_value *, struct str *);

#endif

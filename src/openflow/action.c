/* action.c - encodes actions (OpenFlow 1.5.1, 7.2.6; ovs-actions(7)); action_format.c shows them.
 *
 * An action is type, length, body, padding to 8 bytes. Open vSwitch's own have type 0xffff, then its vendor number and a
 * subtype. Where one thing can be said in several ways, this is the way in which Open vSwitch 3.1 says it in a dump on OpenFlow 1.5;
 * switch_test.c installs each and compares. */
#include "openflow/action.h"

#include "openflow/action_wire.h"
#include "openflow/put.h"

/* An action's first bytes; returns its offset for end_action(). */
static size_t
begin_action(struct str *out, uint16_t type)
{
    size_t offset = out->len;

    put_u16(out, type);
    put_u16(out, 0);
    return offset;
}

static size_t
begin_nicira(struct str *out, uint16_t subtype)
{
    size_t offset = begin_action(out, OFPAT_EXPERIMENTER);

    put_u32(out, NX_VENDOR);
    put_u16(out, subtype);
    return offset;
}

/* Pads the action and writes its length. An action too long for the 16-bit field (a clone of thousands) becomes length 0, which a switch
 * refuses like any bad action, rather than a lie. */
static void
end_action(struct str *out, size_t offset)
{
    put_padding(out, offset);
    size_t n = out->len - offset;
    set_u16(out, offset + 2, n <= 0xfff8 ? n : 0);
}

static void
check_subfield(struct of_subfield sf)
{
    REQUIRE(sf.n_bits && sf.ofs + sf.n_bits <= of_field_info(sf.field)->n_bits);
}

/* The OFS_NBITS form of Open vSwitch's actions: 6 bits of length - 1. */
static uint16_t
ofs_n_bits(struct of_subfield sf)
{
    check_subfield(sf);
    REQUIRE(sf.n_bits <= 64);
    return sf.ofs << 6 | (sf.n_bits - 1);
}

static uint32_t
nxm_header(enum of_field f)
{
    return of_field_info(f)->nxm;
}

static void
put_output(struct str *out, uint32_t port, uint16_t max_len)
{
    size_t offset = begin_action(out, OFPAT_OUTPUT);

    put_u32(out, port);
    put_u16(out, max_len);
    end_action(out, offset);
}

void
ofa_put_output(struct str *out, uint32_t port)
{
    put_output(out, port, port == OFPP_CONTROLLER_ ? UINT16_MAX : 0);
}

void
ofa_put_output_reg(struct str *out, struct of_subfield sf)
{
    size_t offset = begin_nicira(out, NXAST_OUTPUT_REG);

    put_u16(out, ofs_n_bits(sf));
    put_u32(out, nxm_header(sf.field));
    put_u16(out, UINT16_MAX);
    end_action(out, offset);
}

/* The actions that are a type and a 32-bit number. */
static void
put_simple(struct str *out, uint16_t type, uint32_t x)
{
    put_u16(out, type);
    put_u16(out, 8);
    put_u32(out, x);
}

void
ofa_put_group(struct str *out, uint32_t group_id)
{
    put_simple(out, OFPAT_GROUP, group_id);
}

void
ofa_put_resubmit(struct str *out, uint8_t table)
{
    ofa_put_resubmit_port(out, OFPP_IN_PORT_, table);
}

void
ofa_put_resubmit_port(struct str *out, uint32_t in_port, uint8_t table)
{
    size_t offset = begin_nicira(out, NXAST_RESUBMIT_TABLE);

    put_u16(out, in_port);             /* Reserved ports: the low half is OpenFlow 1.0's number. */
    put_u8(out, table);
    end_action(out, offset);
}

void
ofa_put_load(struct str *out, struct of_subfield sf, const union of_value *value)
{
    const struct of_field_info *info = of_field_info(sf.field);
    union of_value ones = of_value_ones(sf.n_bits), mask = of_value_shl(&ones, sf.ofs);
    union of_value v = of_value_and(value, &ones);
    uint8_t b[16];

    check_subfield(sf);
    v = of_value_shl(&v, sf.ofs);
    bool exact = sf.n_bits == info->n_bits;
    size_t n = info->n_bytes;
    if (sf.field == OFF_TUN_METADATA0) {       /* Of variable length: told without leading zeros. */
        const union of_value *longest = exact ? &v : &mask;
        while (n > 1 && !longest->b[sizeof longest->b - n]) {
            n--;
        }
    }
    size_t offset = begin_action(out, OFPAT_SET_FIELD);
    put_u32(out, (info->header & ~0xffu) | (exact ? n : 0x100 | 2 * n));
    of_value_to_wire(&v, b, n);
    str_put(out, b, n);
    if (!exact) {
        of_value_to_wire(&mask, b, n);
        str_put(out, b, n);
    }
    end_action(out, offset);
}

void
ofa_put_load_u64(struct str *out, enum of_field f, uint16_t ofs, uint16_t n_bits, uint64_t x)
{
    union of_value value = of_value_u64(x);

    ofa_put_load(out, (struct of_subfield) { f, ofs, n_bits }, &value);
}

void
ofa_put_move(struct str *out, struct of_subfield src, struct of_subfield dst)
{
    check_subfield(src);
    check_subfield(dst);
    REQUIRE(src.n_bits == dst.n_bits);
    size_t offset = begin_action(out, OFPAT_COPY_FIELD);
    put_u16(out, src.n_bits);
    put_u16(out, src.ofs);
    put_u16(out, dst.ofs);
    put_u16(out, 0);
    put_u32(out, of_field_info(src.field)->header);
    put_u32(out, of_field_info(dst.field)->header);
    end_action(out, offset);
}

static void
put_stack(struct str *out, uint16_t subtype, struct of_subfield sf)
{
    check_subfield(sf);
    size_t offset = begin_nicira(out, subtype);
    put_u16(out, sf.ofs);
    put_u32(out, nxm_header(sf.field));
    put_u16(out, sf.n_bits);
    end_action(out, offset);
}

void
ofa_put_push(struct str *out, struct of_subfield sf)
{
    put_stack(out, NXAST_STACK_PUSH, sf);
}

void
ofa_put_pop(struct str *out, struct of_subfield sf)
{
    put_stack(out, NXAST_STACK_POP, sf);
}

void
ofa_put_push_vlan(struct str *out, uint16_t ethertype)
{
    put_simple(out, OFPAT_PUSH_VLAN, (uint32_t) ethertype << 16);
}

void
ofa_put_pop_vlan(struct str *out)
{
    put_simple(out, OFPAT_POP_VLAN, 0);
}

void
ofa_put_dec_ttl(struct str *out)
{
    put_simple(out, OFPAT_DEC_NW_TTL, 0);
}

void
ofa_put_set_queue(struct str *out, uint32_t queue)
{
    put_simple(out, OFPAT_SET_QUEUE, queue);
}

void
ofa_put_meter(struct str *out, uint32_t meter)
{
    put_simple(out, OFPAT_METER, meter);
}

static void
put_property(struct str *out, uint16_t type, const void *data, size_t n)
{
    size_t offset = out->len;

    put_u16(out, type);
    put_u16(out, 4 + n);
    str_put(out, data, n);
    put_padding(out, offset);
}

void
ofa_put_controller(struct str *out, uint16_t max_len, uint16_t controller_id, const void *userdata, size_t n, bool pause,
                   uint32_t meter)
{
    if (!n && !pause && !meter) {
        if (!controller_id) {          /* The standard action says it all. */
            put_output(out, OFPP_CONTROLLER_, max_len);
            return;
        }
        size_t offset = begin_nicira(out, NXAST_CONTROLLER);
        put_u16(out, max_len);
        put_u16(out, controller_id);
        put_u8(out, OFPR_ACTION);
        end_action(out, offset);
        return;
    }

    size_t offset = begin_nicira(out, NXAST_CONTROLLER2);
    put_zeros(out, 6);
    if (max_len != UINT16_MAX) {       /* These two count their padding. */
        put_property(out, NXAC2PT_MAX_LEN, (uint8_t[4]) { max_len >> 8, max_len }, 4);
    }
    if (controller_id) {
        put_property(out, NXAC2PT_CONTROLLER_ID, (uint8_t[4]) { controller_id >> 8, controller_id }, 4);
    }
    if (n) {
        put_property(out, NXAC2PT_USERDATA, userdata, n);
    }
    if (pause) {
        put_property(out, NXAC2PT_PAUSE, NULL, 0);
    }
    if (meter) {
        put_property(out, NXAC2PT_METER_ID, (uint8_t[]) { meter >> 24, meter >> 16, meter >> 8, meter }, 4);
    }
    end_action(out, offset);
}

void
ofa_put_conjunction(struct str *out, uint32_t id, uint8_t clause, uint8_t n_clauses)
{
    size_t offset = begin_nicira(out, NXAST_CONJUNCTION);

    put_u8(out, clause);
    put_u8(out, n_clauses);
    put_u32(out, id);
    end_action(out, offset);
}

void
ofa_put_note(struct str *out, const void *data, size_t n)
{
    size_t offset = begin_nicira(out, NXAST_NOTE);

    str_put(out, data, n);
    end_action(out, offset);
}

void
ofa_put_check_pkt_larger(struct str *out, uint16_t len, struct of_subfield dst)
{
    check_subfield(dst);
    REQUIRE(dst.n_bits == 1);
    size_t offset = begin_nicira(out, NXAST_CHECK_PKT_LARGER);
    put_u16(out, len);
    put_u16(out, dst.ofs);
    put_u32(out, nxm_header(dst.field));
    end_action(out, offset);
}

void
ofa_put_ct_clear(struct str *out)
{
    end_action(out, begin_nicira(out, NXAST_CT_CLEAR));
}

void
ofa_put_recirculate(struct str *out)
{
    size_t offset = begin_nicira(out, NXAST_ENCAP);

    put_u16(out, 0);                   /* The header's size: as it comes. */
    put_u32(out, PACKET_TYPE_NSH);
    end_action(out, offset);
    offset = begin_nicira(out, NXAST_DECAP);
    put_u16(out, 0);
    put_u32(out, PACKET_TYPE_NEXT_PROTO);
    end_action(out, offset);
}

size_t
ofa_begin_clone(struct str *out)
{
    size_t offset = begin_nicira(out, NXAST_CLONE);

    put_zeros(out, 6);
    return offset;
}

void
ofa_end_clone(struct str *out, size_t offset)
{
    end_action(out, offset);
}

size_t
ofa_begin_ct(struct str *out, const struct ofa_ct *ct)
{
    size_t offset = begin_nicira(out, NXAST_CT);

    put_u16(out, (ct->commit ? NX_CT_F_COMMIT : 0) | (ct->force ? NX_CT_F_FORCE : 0));
    put_u32(out, ct->zone_from_field ? nxm_header(ct->zone_field.field) : 0);
    put_u16(out, ct->zone_from_field ? ofs_n_bits(ct->zone_field) : ct->zone);
    put_u8(out, ct->recirc_table);
    put_zeros(out, 3);
    put_u16(out, ct->alg);
    return offset;
}

/* The addresses and ports that are given follow the mask that says which. */
void
ofa_put_nat(struct str *out, const struct ofa_nat *nat)
{
    size_t offset = begin_nicira(out, NXAST_NAT), n = nat->ipv6 ? 16 : 4;
    bool typed = nat->src || nat->dst;
    bool addr = typed && nat->has_addr, addr_max = addr && memcmp(nat->addr_min, nat->addr_max, n);
    bool port = addr && nat->has_port, port_max = port && nat->port_min != nat->port_max;
    int shift = nat->ipv6 ? 2 : 0;

    put_u16(out, 0);
    put_u16(out, !typed ? 0
                        : (nat->src ? NX_NAT_F_SRC : NX_NAT_F_DST) | (nat->persistent ? NX_NAT_F_PERSISTENT : 0)
                              | (nat->hash     ? NX_NAT_F_PROTO_HASH
                                 : nat->random ? NX_NAT_F_PROTO_RANDOM
                                               : 0));
    put_u16(out, (addr ? NX_NAT_IPV4_MIN << shift : 0) | (addr_max ? NX_NAT_IPV4_MAX << shift : 0)
                     | (port ? NX_NAT_PROTO_MIN : 0) | (port_max ? NX_NAT_PROTO_MAX : 0));
    str_put(out, nat->addr_min, addr ? n : 0);
    str_put(out, nat->addr_max, addr_max ? n : 0);
    if (port) {
        put_u16(out, nat->port_min);
    }
    if (port_max) {
        put_u16(out, nat->port_max);
    }
    end_action(out, offset);
}

void
ofa_end_ct(struct str *out, size_t offset)
{
    end_action(out, offset);
}

/* learn.c - the actions that make flows and samples: learn and sample (ovs-actions(7); layouts: nicira-ext.h).
 *
 * A learn action is a fixed part and a list of specifications, each a 16-bit header (2 bits destination: match, load, output; 1 bit source:
 * a field or a value; 11 bits width), the source, and the destination field. A value takes whole 16-bit words. */
#include "openflow/action.h"

#include "openflow/action_wire.h"
#include "openflow/put.h"

enum { SPEC_LOAD = 1 << 11, SPEC_IMMEDIATE = 1 << 13 };
enum { F_DELETE_LEARNED = 2 };

size_t
ofa_begin_learn(struct str *out, const struct ofa_learn *l)
{
    size_t offset = out->len;

    put_u16(out, OFPAT_EXPERIMENTER);
    put_u16(out, 0);
    put_u32(out, NX_VENDOR);
    put_u16(out, NXAST_LEARN);
    put_u16(out, l->idle_timeout);
    put_u16(out, l->hard_timeout);
    put_u16(out, l->priority);
    put_u64(out, l->cookie);
    put_u16(out, l->delete_learned ? F_DELETE_LEARNED : 0);
    put_u8(out, l->table);
    put_zeros(out, 5);                 /* Padding, no fin_timeouts. */
    return offset;
}

static void
put_field(struct str *out, struct of_subfield sf)
{
    put_u32(out, of_field_info(sf.field)->nxm);
    put_u16(out, sf.ofs);
}

void
ofa_learn_match_field(struct str *out, struct of_subfield src, struct of_subfield dst)
{
    REQUIRE(src.n_bits == dst.n_bits);
    put_u16(out, src.n_bits);
    put_field(out, src);
    put_field(out, dst);
}

static void
put_immediate(struct str *out, uint16_t header, struct of_subfield dst, const union of_value *v)
{
    put_u16(out, header | SPEC_IMMEDIATE | dst.n_bits);
    size_t n = (dst.n_bits + 15) / 16 * 2;
    str_put(out, v->b + sizeof v->b - n, n);
    put_field(out, dst);
}

void
ofa_learn_match_value(struct str *out, struct of_subfield dst, const union of_value *v)
{
    put_immediate(out, 0, dst, v);
}

void
ofa_learn_load_value(struct str *out, struct of_subfield dst, const union of_value *v)
{
    put_immediate(out, SPEC_LOAD, dst, v);
}

void
ofa_end_learn(struct str *out, size_t offset)
{
    put_padding(out, offset);
    size_t n = out->len - offset;
    set_u16(out, offset + 2, n <= 0xfff8 ? n : 0);
}

void
ofa_put_sample(struct str *out, uint16_t probability, uint32_t collector_set, uint32_t obs_domain, uint32_t obs_point)
{
    put_u16(out, OFPAT_EXPERIMENTER);
    put_u16(out, 24);
    put_u32(out, NX_VENDOR);
    put_u16(out, NXAST_SAMPLE);
    put_u16(out, probability);
    put_u32(out, collector_set);
    put_u32(out, obs_domain);
    put_u32(out, obs_point);
}

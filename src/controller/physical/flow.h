/* flow.h - one OpenFlow flow under construction, for physical/ and translate/.
 *
 *     struct flow f = FLOW_INIT(c, u);
 *     flow_match_dp(&f, key); flow_match(&f, OFF_REG15, port);
 *     ofa_put_output(&f.actions, ofport);
 *     flow_emit(&f, OFT_LOG_TO_PHY, 100, cookie);     ... and it is empty again
 *     flow_destroy(&f); */
#ifndef CONTROLLER_PHYSICAL_FLOW_H
#define CONTROLLER_PHYSICAL_FLOW_H 1

#include "base/str.h"
#include "controller/controller.h"
#include "openflow/action.h"
#include "openflow/match.h"

struct flow {
    struct controller *c;
    struct incr_unit *unit;
    struct of_match match;
    struct str actions;
};
#define FLOW_INIT(C, UNIT) { (C), (UNIT), OF_MATCH_INIT, STR_INIT }

static inline void
flow_destroy(struct flow *f)
{
    of_match_destroy(&f->match);
    str_free(&f->actions);
}

/* Adds SUBFIELD == VALUE. A second, contradicting term is a mistake of the program. */
static inline void
flow_match_bits(struct flow *f, enum of_field field, uint16_t ofs, uint16_t n_bits, uint64_t value)
{
    union of_value v = of_value_u64(value);

    REQUIRE(of_match_add_bits(&f->match, (struct of_subfield) { field, ofs, n_bits }, &v));
}

static inline void
flow_match(struct flow *f, enum of_field field, uint64_t value)
{
    REQUIRE(of_match_add_u64(&f->match, field, value));
}

/* The datapath whatever its set tags. */
static inline void
flow_match_dp(struct flow *f, uint32_t dp_key)
{
    flow_match_bits(f, OFF_METADATA, 0, DP_KEY_BITS, dp_key);
}

static inline void
flow_load(struct flow *f, enum of_field field, uint16_t ofs, uint16_t n_bits, uint64_t value)
{
    ofa_put_load_u64(&f->actions, field, ofs, n_bits, value);
}

static inline void
flow_resubmit(struct flow *f, uint8_t table)
{
    ofa_put_resubmit(&f->actions, table);
}

static inline void
flow_emit(struct flow *f, uint8_t table, uint16_t priority, uint32_t cookie)
{
    controller_emit_flow(f->c, f->unit, table, priority, cookie, &f->match, f->actions.s, f->actions.len);
    of_match_clear(&f->match);
    str_clear(&f->actions);
}

#endif

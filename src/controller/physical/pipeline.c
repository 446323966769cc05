/* pipeline.c - the flows that hold the pipeline together, whatever the network; and the parts of physical/, in order. */
#include "controller/physical/physical.h"

#include <stdlib.h>

static void
emit_next(struct flow *f, uint8_t table, uint16_t priority, uint8_t to)
{
    flow_resubmit(f, to);
    flow_emit(f, table, priority, 0);
}

static void
pipeline_run(struct incr_unit *u, void *c_)
{
    struct flow f = FLOW_INIT(c_, u);

    /* What comes from nobody we know. */
    flow_emit(&f, OFT_PHY_TO_LOG, 0, 0);

    emit_next(&f, OFT_OUTPUT, 0, OFT_REMOTE_OUTPUT);
    flow_match_bits(&f, LOGICAL_FLAGS, MLF_RCV_FROM_RAMP, 1, 1);
    emit_next(&f, OFT_REMOTE_OUTPUT, 150, OFT_LOCAL_OUTPUT);
    flow_match_bits(&f, LOGICAL_FLAGS, MLF_LOCAL_ONLY, 1, 1);
    flow_match_bits(&f, LOGICAL_OUTPORT, 15, 1, 1);    /* A group. */
    emit_next(&f, OFT_REMOTE_OUTPUT, 150, OFT_LOCAL_OUTPUT);
    emit_next(&f, OFT_REMOTE_OUTPUT, 0, OFT_LOCAL_OUTPUT);

    /* The egress pipeline begins with empty logical registers. */
    for (int reg = 0; reg < 10; reg++) {
        flow_load(&f, OFF_REG0 + reg, 0, 32, 0);
    }
    emit_next(&f, OFT_CHECK_LOOPBACK, 0, OFT_EGRESS);

    /* The switch itself outputs nothing to the port that it came from, unless it forgets which that was. */
    const struct of_subfield in_port = { OFF_IN_PORT, 0, 16 };
    flow_match_bits(&f, LOGICAL_FLAGS, MLF_ALLOW_LOOPBACK, 1, 1);
    ofa_put_push(&f.actions, in_port);
    flow_load(&f, OFF_IN_PORT, 0, 16, 0);
    flow_resubmit(&f, OFT_LOG_TO_PHY);
    ofa_put_pop(&f.actions, in_port);
    flow_emit(&f, OFT_SAVE_INPORT, 100, 0);
    emit_next(&f, OFT_SAVE_INPORT, 0, OFT_LOG_TO_PHY);
    flow_destroy(&f);
}

void
pipeline_create(struct controller *c)
{
    incr_class_alone(incr_class_create(c->incr, "pipeline", pipeline_run, c));
}

void
physical_create(struct controller *c)
{
    c->physical = XNEW(struct physical);
    c->dp_key = incr_relation_create(c->incr, "dp_key", 0);
    c->mc_key = incr_relation_create(c->incr, "mc_key", 0);
    pipeline_create(c);
    datapath_create(c);
    tunnel_flows_create(c);
    port_flows_create(c);
    mcast_create(c);
    port_security_create(c);
    fdb_create(c);
}

void
physical_destroy(struct controller *c)
{
    incr_numbers_destroy(c->physical->tags);
    free(c->physical);
}

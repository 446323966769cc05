/* pipeline.c - the way through the pipeline: a packet that no feature stops goes on to the next stage. */
#include "northd/lflow.h"

/* Stages whose own feature says what happens to every packet. */
static bool
has_own_default(enum stage s)
{
    return s == stage_ls_in_check_port_sec || s == stage_ls_in_l2_lkup || s == stage_ls_in_l2_unknown ||
           s == stage_ls_out_check_port_sec || s == stage_ls_out_apply_port_sec;
}

void
pipeline_set_flows(struct northd *n, struct incr_unit *u, const char *name, const struct dpset *set)
{
    if (!str_eq(name, SET_SWITCHES)) {
        return;
    }
    for (enum stage s = 0; s < N_STAGES; s++) {
        if (stage_info(s)->is_switch && !has_own_default(s)) {
            lflow_emit(n, u, set, s, 0, "1", "next;", NULL, NULL);
        }
    }
}

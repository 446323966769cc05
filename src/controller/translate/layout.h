/* layout.h - where the logical pipelines are among the OpenFlow tables (controller.h), as encoding actions wants to know it; ovn-debug(8) shows it. */
#ifndef CONTROLLER_TRANSLATE_LAYOUT_H
#define CONTROLLER_TRANSLATE_LAYOUT_H 1

#include "controller/controller.h"
#include "logical/action.h"

enum {
    N_INGRESS_TABLES = OFT_OUTPUT - OFT_INGRESS,       /* Room for more than are documented today (35, 16). */
    N_EGRESS_TABLES = OFT_SAVE_INPORT - OFT_EGRESS,
};

static inline struct action_env
action_env_of_layout(enum logical_pipeline pipeline, uint8_t ltable)
{
    return (struct action_env) {
        .pipeline = pipeline, .cur_ltable = ltable,
        .n_tables = N_INGRESS_TABLES, .n_egress_tables = N_EGRESS_TABLES,
        .ingress_table = OFT_INGRESS, .egress_table = OFT_EGRESS,
        .output_table = OFT_OUTPUT, .save_inport_table = OFT_SAVE_INPORT,
        .tables = {
            .mac_bind = OFT_MAC_BINDING, .mac_lookup = OFT_MAC_LOOKUP,
            .fdb = OFT_GET_FDB, .fdb_lookup = OFT_LOOKUP_FDB,
            .in_port_sec = OFT_IN_PORT_SEC, .out_port_sec = OFT_OUT_PORT_SEC,
        },
    };
}

#endif

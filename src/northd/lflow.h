/* lflow.h - saying logical flows: stages, the registers that stages share, and the sets of datapaths that flows belong to. */
#ifndef NORTHD_LFLOW_H
#define NORTHD_LFLOW_H 1

#include "northd/northd.h"

/* LS_IN_CHECK_PORT_SEC and so on are spelled as in stages.def: stage_ls_in_check_port_sec. */
enum stage {
#define STAGE(DP, PIPELINE, TABLE, NAME) stage_##DP##_##PIPELINE##_##NAME,
#include "northd/stages.def"
#undef STAGE
    N_STAGES
};
struct stage_info {
    const char *name;                  /* "ls_in_check_port_sec" */
    bool is_switch, egress;
    uint8_t table;
};
const struct stage_info *stage_info(enum stage);

/* Registers, as texts of the logical language: the documented use (features.md 24). */
#define REGBIT_FDB_LOOKUP "reg0[11]"
#define REGBIT_PORT_SEC_DROP "reg0[15]"

/* Whom a flow belongs to: one datapath, or a set of datapaths that has a name ("every switch"). Membership is said apart
 * (dpset_emit_member()), so a set's flows do not move when it changes. */
struct dpset {
    bool group;
    struct uuid uuid;                  /* Of the Datapath_Binding, or of the Logical_DP_Group. */
};
struct dpset dpset_one(const struct uuid *datapath);
struct dpset dpset_named(const char *name);

/* U says that DATAPATH is in the set NAME. */
void dpset_emit_member(struct northd *, struct incr_unit *, const char *name, const struct uuid *datapath);

/* U says a logical flow. HINT (may be NULL): the northbound row it comes from. INOUTPORT (may be NULL): the port without which it matches nothing. */
void lflow_emit(struct northd *, struct incr_unit *, const struct dpset *, enum stage, uint16_t priority, const char *match,
                const char *actions, const struct ovsdb_row *hint, const char *inoutport);

/* Sets that switches are in. */
#define SET_SWITCHES "switches"                        /* Every one. */
#define SET_VLAN_DROP "switches without vlan-passthru"
#define SET_UNKNOWN "switches with unknown ports"
#define SET_NO_UNKNOWN "switches without unknown ports"

/* Each feature's flows: for the set NAME (none for names it does not know), and for one port. A set that has members must have flows. */
struct port;
void pipeline_set_flows(struct northd *, struct incr_unit *, const char *name, const struct dpset *);
void admission_set_flows(struct northd *, struct incr_unit *, const char *name, const struct dpset *);
void l2_lookup_set_flows(struct northd *, struct incr_unit *, const char *name, const struct dpset *);
void admission_port_flows(struct northd *, struct incr_unit *, const struct port *);
void fdb_port_flows(struct northd *, struct incr_unit *, const struct port *);
void arp_port_flows(struct northd *, struct incr_unit *, const struct port *);
void l2_lookup_port_flows(struct northd *, struct incr_unit *, const struct port *);

void lflow_create(struct northd *);            /* Sinks and relations. */
void lflow_destroy(struct northd *);
void lflow_create_classes(struct northd *);    /* After all who say members. */

#endif

/* flow.h - between flow.c (logical flows) and vflow.c (the other rows that OpenFlow flows are made of). */
#ifndef CLI_SBCTL_FLOW_H
#define CLI_SBCTL_FLOW_H 1

#include "cli/ovs/ovs.h"
#include "cli/sbctl/sbctl.h"

/* Whether the datapath group has the datapath. */
bool group_has(struct ctl *, const struct uuid *group, const struct uuid *datapath);
/* "NAME" aka "NAME2", as far as it has them. */
const char *datapath_names(struct ctl *, struct view_row *datapath);
/* The OpenFlow flows whose cookie is that of the row UUID; OVS NULL: none. */
void print_ovs_flows(struct ctl *, const struct ovs_flows *ovs, const struct uuid *);

void vflow_needs(struct ctl *);
/* The rows of the datapath ONLY, NULL: of all. */
void vflow_print(struct ctl *, struct view_row *only, const struct ovs_flows *ovs);

#endif

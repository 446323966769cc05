/* sbctl.h - what the files of ovn-sbctl share. */
#ifndef CLI_SBCTL_SBCTL_H
#define CLI_SBCTL_SBCTL_H 1

#include "cli/common/ctl.h"
#include "schema/sb.h"

extern const struct ctl_group sbctl_general_group, sbctl_chassis_group, sbctl_port_group, sbctl_flow_group;

/* The chassis NAME; *row NULL: there is none and it need not be there. Needs: its name. */
const char *chassis_find(struct ctl *, const char *name, bool must_exist, struct view_row **row) MUST_USE;

#endif

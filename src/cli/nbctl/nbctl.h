/* nbctl.h - what the files of ovn-nbctl share: how to find switches and ports. */
#ifndef CLI_NBCTL_NBCTL_H
#define CLI_NBCTL_NBCTL_H 1

#include "cli/common/ctl.h"
#include "schema/nb.h"

extern const struct ctl_group nbctl_general_group, nbctl_switch_group, nbctl_port_group;

#define NB_LS(C) OVSDB_COLUMN(NB_LOGICAL_SWITCH_##C)
#define NB_LSP(C) OVSDB_COLUMN(NB_LOGICAL_SWITCH_PORT_##C)
#define NB_LR(C) OVSDB_COLUMN(NB_LOGICAL_ROUTER_##C)
#define NB_LRP(C) OVSDB_COLUMN(NB_LOGICAL_ROUTER_PORT_##C)

/* The switch that ID (a UUID or a name) means; *row NULL: there is none and it need not be there. */
const char *switch_find(struct ctl *, const char *id, bool must_exist, struct view_row **row) MUST_USE;
/* Says that COLUMNS of that switch are needed. */
void switch_need(struct ctl *, const char *id, uint64_t columns);
/* The switch that has PORT; *row NULL: none. */
const char *switch_of_port(struct ctl *, const struct view_row *port, struct view_row **row) MUST_USE;

#endif

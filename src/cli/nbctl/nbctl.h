/* nbctl.h - the table of commands of ovn-nbctl: a group is one noun (one file). */
#ifndef CLI_NBCTL_NBCTL_H
#define CLI_NBCTL_NBCTL_H 1

#include "cli/nbctl/noun.h"

extern const struct ctl_group nbctl_general_group, nbctl_switch_group, nbctl_port_group, nbctl_acl_group, nbctl_qos_group,
    nbctl_mirror_group, nbctl_meter_group, nbctl_fwd_group, nbctl_router_group, nbctl_router_port_group,
    nbctl_route_group, nbctl_policy_group, nbctl_nat_group, nbctl_lb_group, nbctl_dhcp_group, nbctl_pg_group, nbctl_ha_group,
    nbctl_copp_group, nbctl_mac_group, nbctl_nf_group, nbctl_check_group;

/* The switch that has PORT; *row NULL: none. */
const char *switch_of_port(struct ctl *, const struct view_row *port, struct view_row **row) MUST_USE;
/* The switch port NAME, if there is one that is not gone with its switch, which this line has deleted; else *row NULL, and another may
 * have the name. */
const char *port_find(struct ctl *, const char *name, struct view_row **row) MUST_USE;
/* The router that has PORT; *row NULL: none. */
const char *router_of_port(struct ctl *, const struct view_row *port, struct view_row **row) MUST_USE;
/* The BFD session of logical port PORT with DST; made if there is none. *row NULL: there is none and PORT is NULL. */
const char *bfd_find(struct ctl *, const char *port, const char *dst, struct view_row **row) MUST_USE;
/* What bfd_find() needs. */
void bfd_need(struct ctl *, const char *dst);

#endif

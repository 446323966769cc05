/* main.c - ovn-nbctl: its table of commands, and how rows of its database are named. ovn-nbctl(8). */
#include "base/log.h"
#include "cli/common/connection.h"
#include "cli/nbctl/nbctl.h"

LOG_MODULE(nbctl);

static void
note(const char *text)
{
    LOG_INFO("%s", text);
}

const struct connection_schema connection_schema = {
    .global = &nb_table_nb_global, .connections = NB_NB_GLOBAL_CONNECTIONS,
    .connection = &nb_table_connection, .target = NB_CONNECTION_TARGET, .inactivity_probe = NB_CONNECTION_INACTIVITY_PROBE,
    .ssl = &nb_table_ssl, .global_ssl = NB_NB_GLOBAL_SSL,
};

static const struct ctl_name names[] = {
    { &nb_table_logical_switch, NB_LOGICAL_SWITCH_NAME, NULL },
    { &nb_table_logical_switch_port, NB_LOGICAL_SWITCH_PORT_NAME, NULL },
    { &nb_table_logical_router, NB_LOGICAL_ROUTER_NAME, NULL },
    { &nb_table_logical_router_port, NB_LOGICAL_ROUTER_PORT_NAME, NULL },
    { &nb_table_load_balancer, NB_LOAD_BALANCER_NAME, NULL },
    { &nb_table_load_balancer_group, NB_LOAD_BALANCER_GROUP_NAME, NULL },
    { &nb_table_address_set, NB_ADDRESS_SET_NAME, NULL },
    { &nb_table_port_group, NB_PORT_GROUP_NAME, NULL },
    { &nb_table_acl, NB_ACL_NAME, NULL },
    { &nb_table_meter, NB_METER_NAME, NULL },
    { &nb_table_mirror, NB_MIRROR_NAME, NULL },
    { &nb_table_copp, NB_COPP_NAME, NULL },
    { &nb_table_forwarding_group, NB_FORWARDING_GROUP_NAME, NULL },
    { &nb_table_gateway_chassis, NB_GATEWAY_CHASSIS_NAME, NULL },
    { &nb_table_ha_chassis_group, NB_HA_CHASSIS_GROUP_NAME, NULL },
    { &nb_table_ha_chassis, NB_HA_CHASSIS_CHASSIS_NAME, NULL },
    { &nb_table_network_function, NB_NETWORK_FUNCTION_NAME, NULL },
    { &nb_table_network_function_group, NB_NETWORK_FUNCTION_GROUP_NAME, NULL },
    { &nb_table_dhcp_relay, NB_DHCP_RELAY_NAME, NULL },
    { &nb_table_connection, NB_CONNECTION_TARGET, NULL },
    { &nb_table_chassis_template_var, NB_CHASSIS_TEMPLATE_VAR_CHASSIS, NULL },
    { NULL },
};
static const struct ovsdb_table_desc *const singletons[] = { &nb_table_nb_global, &nb_table_ssl, NULL };
static const struct ctl_group *const groups[] = {
    &nbctl_general_group, &nbctl_switch_group, &nbctl_acl_group, &nbctl_qos_group, &nbctl_mirror_group, &nbctl_meter_group,
    &nbctl_port_group, &nbctl_check_group, &nbctl_fwd_group, &nbctl_router_group, &nbctl_router_port_group, &nbctl_route_group,
    &nbctl_policy_group, &nbctl_nat_group, &nbctl_lb_group, &nbctl_dhcp_group, &nbctl_pg_group, &nbctl_ha_group,
    &nbctl_copp_group, &nbctl_mac_group, &nbctl_nf_group, &ctl_connection_group, &ctl_ssl_group, &ctl_database_group, NULL,
};
static const struct ctl_wait wait_columns = {
    .global = &nb_table_nb_global, .nb_cfg = NB_NB_GLOBAL_NB_CFG, .sb_cfg = NB_NB_GLOBAL_SB_CFG, .hv_cfg = NB_NB_GLOBAL_HV_CFG,
    .nb_timestamp = NB_NB_GLOBAL_NB_CFG_TIMESTAMP, .sb_timestamp = NB_NB_GLOBAL_SB_CFG_TIMESTAMP,
    .hv_timestamp = NB_NB_GLOBAL_HV_CFG_TIMESTAMP,
};
static const struct ctl_program program = {
    .title = "OVN northbound database management utility", .db = &nb_db, .db_env = "OVN_NB_DB", .daemon_env = "OVN_NB_DAEMON",
    .options_env = "OVN_NBCTL_OPTIONS", .db_socket = "ovnnb_db.sock", .log_module = "nbctl", .groups = groups, .names = names,
    .singletons = singletons, .note = note, .wait = &wait_columns,
};

int
main(int argc, char *argv[])
{
    return ctl_main(&program, argc, argv);
}

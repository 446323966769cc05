/* main.c - ovn-sbctl: its table of commands, and how rows of its database are named. ovn-sbctl(8). */
#include "base/log.h"
#include "cli/common/connection.h"
#include "cli/sbctl/sbctl.h"

LOG_MODULE(sbctl);

static void
note(const char *text)
{
    LOG_INFO("%s", text);
}

const struct connection_schema connection_schema = {
    .global = &sb_table_sb_global, .connections = SB_SB_GLOBAL_CONNECTIONS,
    .connection = &sb_table_connection, .target = SB_CONNECTION_TARGET, .inactivity_probe = SB_CONNECTION_INACTIVITY_PROBE,
    .roles = true, .read_only = SB_CONNECTION_READ_ONLY, .role = SB_CONNECTION_ROLE,
    .ssl = &sb_table_ssl, .global_ssl = SB_SB_GLOBAL_SSL,
};

static const struct ctl_name names[] = {
    { &sb_table_chassis, SB_CHASSIS_NAME, NULL },
    { &sb_table_chassis_private, SB_CHASSIS_PRIVATE_NAME, NULL },
    { &sb_table_datapath_binding, SB_DATAPATH_BINDING_EXTERNAL_IDS, "name" },
    { &sb_table_datapath_binding, SB_DATAPATH_BINDING_EXTERNAL_IDS, "name2" },
    { &sb_table_datapath_binding, SB_DATAPATH_BINDING_EXTERNAL_IDS, "logical-switch" },
    { &sb_table_datapath_binding, SB_DATAPATH_BINDING_EXTERNAL_IDS, "logical-router" },
    { &sb_table_port_binding, SB_PORT_BINDING_LOGICAL_PORT, NULL },
    { &sb_table_mac_binding, SB_MAC_BINDING_LOGICAL_PORT, NULL },
    { &sb_table_address_set, SB_ADDRESS_SET_NAME, NULL },
    { &sb_table_port_group, SB_PORT_GROUP_NAME, NULL },
    { &sb_table_ha_chassis_group, SB_HA_CHASSIS_GROUP_NAME, NULL },
    { &sb_table_gateway_chassis, SB_GATEWAY_CHASSIS_NAME, NULL },
    { &sb_table_multicast_group, SB_MULTICAST_GROUP_NAME, NULL },
    { &sb_table_load_balancer, SB_LOAD_BALANCER_NAME, NULL },
    { &sb_table_meter, SB_METER_NAME, NULL },
    { &sb_table_mirror, SB_MIRROR_NAME, NULL },
    { &sb_table_dhcp_options, SB_DHCP_OPTIONS_NAME, NULL },
    { &sb_table_dhcpv6_options, SB_DHCPV6_OPTIONS_NAME, NULL },
    { &sb_table_rbac_role, SB_RBAC_ROLE_NAME, NULL },
    { &sb_table_rbac_permission, SB_RBAC_PERMISSION_TABLE, NULL },
    { &sb_table_igmp_group, SB_IGMP_GROUP_ADDRESS, NULL },
    { &sb_table_connection, SB_CONNECTION_TARGET, NULL },
    { &sb_table_chassis_template_var, SB_CHASSIS_TEMPLATE_VAR_CHASSIS, NULL },
    { NULL },
};
static const struct ovsdb_table_desc *const singletons[] = { &sb_table_sb_global, &sb_table_ssl, NULL };
static const struct ctl_group *const groups[] = {
    &sbctl_general_group, &sbctl_chassis_group, &sbctl_port_group, &sbctl_flow_group, &ctl_connection_group, &ctl_ssl_group,
    &ctl_database_group, NULL,
};
static const struct ctl_program program = {
    .title = "OVN southbound database management utility", .db = &sb_db, .db_env = "OVN_SB_DB", .daemon_env = "OVN_SB_DAEMON",
    .options_env = "OVN_SBCTL_OPTIONS", .db_socket = "ovnsb_db.sock", .log_module = "sbctl", .groups = groups, .names = names,
    .singletons = singletons, .note = note,
};

int
main(int argc, char *argv[])
{
    return ctl_main(&program, argc, argv);
}

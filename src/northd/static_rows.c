/* static_rows.c - southbound rows that northd keeps the same in every network: who may write what (RBAC, ovn-architecture(7)), and the
 * DHCP options that logical flows may name (ovn-sb(5), DHCP_Options and DHCPv6_Options). */
#include "northd/lflow.h"

#include <stdlib.h>

static const struct permission {
    const char *table, *authorization;
    bool insert_delete;
    const char *update;                /* Columns, separated by spaces. */
} permissions[] = {
    { "Chassis", "name", true, "nb_cfg external_ids encaps vtep_logical_switches other_config transport_zones hostname" },
    { "Chassis_Private", "name", true, "nb_cfg nb_cfg_timestamp chassis external_ids" },
    { "Encap", "chassis_name", true, "type options ip" },
    { "Port_Binding", "", false, "chassis additional_chassis encap additional_encap up virtual_parent options" },
    { "MAC_Binding", "", true, "logical_port ip mac datapath timestamp" },
    { "FDB", "", true, "dp_key mac port_key timestamp" },
    { "Controller_Event", "", true, "chassis event_info event_type seq_num" },
    { "Service_Monitor", "chassis_name", false, "status" },
    { "BFD", "chassis_name", false, "status" },
    { "IGMP_Group", "chassis_name", true, "address protocol chassis chassis_name datapath ports" },
    { "Learned_Route", "", true, "datapath logical_port ip_prefix nexthop external_ids" },
};

static const struct dhcp_option {
    const char *name;
    uint8_t code;
    const char *type;
} dhcp4_options[] = {
    { "offerip", 0, "ipv4" }, { "netmask", 1, "ipv4" }, { "router", 3, "ipv4" }, { "dns_server", 6, "ipv4" },
    { "log_server", 7, "ipv4" }, { "lpr_server", 9, "ipv4" }, { "hostname", 12, "str" }, { "domain_name", 15, "str" },
    { "swap_server", 16, "ipv4" }, { "ip_forward_enable", 19, "bool" }, { "policy_filter", 21, "ipv4" },
    { "default_ttl", 23, "uint8" }, { "mtu", 26, "uint16" }, { "broadcast_address", 28, "ipv4" },
    { "router_discovery", 31, "bool" }, { "router_solicitation", 32, "ipv4" }, { "arp_cache_timeout", 35, "uint32" },
    { "ethernet_encap", 36, "bool" }, { "tcp_ttl", 37, "uint8" }, { "tcp_keepalive_interval", 38, "uint32" },
    { "nis_server", 41, "ipv4" }, { "ntp_server", 42, "ipv4" }, { "netbios_name_server", 44, "ipv4" },
    { "netbios_node_type", 46, "uint8" }, { "lease_time", 51, "uint32" }, { "server_id", 54, "ipv4" }, { "T1", 58, "uint32" },
    { "T2", 59, "uint32" }, { "tftp_server", 66, "host_id" }, { "bootfile_name", 67, "str" },
    { "domain_search_list", 119, "domains" }, { "classless_static_route", 121, "static_routes" },
    { "tftp_server_address", 150, "ipv4" }, { "path_prefix", 210, "str" }, { "ms_classless_static_route", 249, "static_routes" },
    { "wpad", 252, "str" }, { "next_server", 253, "ipv4" }, { "bootfile_name_alt", 254, "str" },
}, dhcp6_options[] = {
    { "server_id", 2, "mac" }, { "ia_addr", 5, "ipv6" }, { "dns_server", 23, "ipv6" }, { "domain_search", 24, "str" },
    { "fqdn", 39, "domain" }, { "bootfile_name", 59, "str" }, { "bootfile_name_alt", 254, "str" },
};

/* Rows of a table of options are told apart by name. */
static void
identify_dhcp4(const struct ovsdb_row *row, struct str *key)
{
    str_puts(key, sb_dhcp_options_name((const struct sb_dhcp_options *) row, NULL));
}

static void
identify_dhcp6(const struct ovsdb_row *row, struct str *key)
{
    str_puts(key, sb_dhcpv6_options_name((const struct sb_dhcpv6_options *) row, NULL));
}

static void
identify_permission(const struct ovsdb_row *row, struct str *key)
{
    str_puts(key, sb_rbac_permission_table((const struct sb_rbac_permission *) row, NULL));
}

static void
identify_role(const struct ovsdb_row *row, struct str *key)
{
    str_puts(key, sb_rbac_role_name((const struct sb_rbac_role *) row, NULL));
}

static void
run_dhcp(struct incr_unit *u, struct sink *sink, const struct ovsdb_table_desc *table, const struct dhcp_option *options, size_t n,
         uint16_t name, uint16_t code, uint16_t type)
{
    struct ovsdb_record *r = ovsdb_record_create(table);
    for (size_t i = 0; i < n; i++) {
        ovsdb_record_reset(r);
        ovsdb_record_str(r, name, options[i].name);
        ovsdb_record_int(r, code, options[i].code);
        ovsdb_record_str(r, type, options[i].type);
        sink_emit(u, sink, options[i].name, strlen(options[i].name), r);
    }
    ovsdb_record_destroy(r);
}

static void
run_rbac(struct incr_unit *u, struct northd *n)
{
    struct ovsdb_record *role = ovsdb_record_create(&sb_table_rbac_role);
    struct ovsdb_record *r = ovsdb_record_create(&sb_table_rbac_permission);

    ovsdb_record_str(role, SB_RBAC_ROLE_NAME, "ovn-controller");
    for (size_t i = 0; i < ARRAY_SIZE(permissions); i++) {
        const struct permission *p = &permissions[i];
        struct digest d = digest_bytes(p->table, strlen(p->table));
        struct uuid wish;
        memcpy(&wish, &d, sizeof wish);
        struct uuid uuid = sink_uuid(n->sb_rbac_permission, p->table, strlen(p->table), &wish, incr_reader(u));

        ovsdb_record_reset(r);
        ovsdb_record_str(r, SB_RBAC_PERMISSION_TABLE, p->table);
        ovsdb_record_add_str(r, SB_RBAC_PERMISSION_AUTHORIZATION, p->authorization);
        ovsdb_record_bool(r, SB_RBAC_PERMISSION_INSERT_DELETE, p->insert_delete);
        for (const char *s = p->update; *s;) {
            size_t len = strcspn(s, " ");
            char *column = xstrndup(s, len);
            ovsdb_record_add_str(r, SB_RBAC_PERMISSION_UPDATE, column);
            free(column);
            s += len + (s[len] == ' ');
        }
        sink_emit(u, n->sb_rbac_permission, p->table, strlen(p->table), r);
        ovsdb_record_map_uuid(role, SB_RBAC_ROLE_PERMISSIONS, p->table, &uuid);
    }
    sink_emit(u, n->sb_rbac_role, "ovn-controller", strlen("ovn-controller"), role);
    ovsdb_record_destroy(role);
    ovsdb_record_destroy(r);
}

static void
run_static(struct incr_unit *u, void *n_)
{
    struct northd *n = n_;

    run_dhcp(u, n->sb_dhcp, &sb_table_dhcp_options, dhcp4_options, ARRAY_SIZE(dhcp4_options), SB_DHCP_OPTIONS_NAME,
             SB_DHCP_OPTIONS_CODE, SB_DHCP_OPTIONS_TYPE);
    run_dhcp(u, n->sb_dhcpv6, &sb_table_dhcpv6_options, dhcp6_options, ARRAY_SIZE(dhcp6_options), SB_DHCPV6_OPTIONS_NAME,
             SB_DHCPV6_OPTIONS_CODE, SB_DHCPV6_OPTIONS_TYPE);
    run_rbac(u, n);
}

static struct sink *
whole_table(struct northd *n, const char *name, const struct ovsdb_table_desc *table,
            void (*identify)(const struct ovsdb_row *, struct str *))
{
    uint64_t columns = OVSDB_COLUMN(table->n_columns) - 1;
    ovsdb_use(n->sb, table, columns);
    return sink_create(n->sb_out, name, table, columns, 0, identify);
}

void
static_rows_create(struct northd *n)
{
    n->sb_dhcp = whole_table(n, "dhcp_options", &sb_table_dhcp_options, identify_dhcp4);
    n->sb_dhcpv6 = whole_table(n, "dhcpv6_options", &sb_table_dhcpv6_options, identify_dhcp6);
    n->sb_rbac_permission = whole_table(n, "rbac_permission", &sb_table_rbac_permission, identify_permission);
    n->sb_rbac_role = whole_table(n, "rbac_role", &sb_table_rbac_role, identify_role);
}

void
static_rows_create_classes(struct northd *n)
{
    incr_class_alone(incr_class_create(n->incr, "static", run_static, n));
}

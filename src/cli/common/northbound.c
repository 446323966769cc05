/* northbound.c - see northbound.h. Lines are what Debian's ovn-detrace writes, as far as it knows the table, with the name behind if there is one. */
#include "cli/common/northbound.h"

#include "schema/nb.h"

const struct northbound_kind northbound_kinds[] = {
    { &nb_table_acl, "ACL: $direction, priority=$priority, match=($match), $action[?log (log)][ \"%name\"]",
      "ACL[ \"%name\"] (%direction %priority %action: %match)" },
    { &nb_table_bfd, "BFD: port %logical_port address %dst_ip", "BFD session (%logical_port to %dst_ip)" },
    { &nb_table_copp, "CoPP: $name meters $meters", "control plane protection[ \"%name\"]" },
    { &nb_table_dhcp_options, "DHCP Options: cidr $cidr options ($options)", "DHCP options (%cidr)" },
    { &nb_table_dns, "DNS: records $records", "DNS" },
    { &nb_table_forwarding_group, "Forwarding Group: name $name vip $vip vmac $vmac liveness $liveness child ports ($child_port)",
      "forwarding group \"%name\" (%vip)" },
    { &nb_table_load_balancer, "Load Balancer: $name protocol $protocol vips $vips ip_port_mappings $ip_port_mappings", "load balancer[ \"%name\"]" },
    { &nb_table_logical_router, "Logical Router: $name", "logical router[ \"%name\"]" },
    { &nb_table_logical_router_policy, "Logical Router Policy: priority $priority match $match action $action nexthop $nexthop",
      "routing policy (%priority %action: %match)" },
    { &nb_table_logical_router_port, "Logical Router Port: $name mac $mac networks $networks ipv6_ra_configs $ipv6_ra_configs",
      "logical router port[ \"%name\"]" },
    { &nb_table_logical_router_static_route, "Route: $ip_prefix via $nexthop (port $output_port), policy=$policy", "route (%ip_prefix to %nexthop)" },
    { &nb_table_logical_switch, "Logical Switch: $name", "logical switch[ \"%name\"]" },
    { &nb_table_logical_switch_port,
      "Logical Switch Port: $name type $type (addresses $addresses, dynamic addresses $dynamic_addresses, security $port_security)",
      "logical switch port[ \"%name\"]" },
    { &nb_table_mirror, "Mirror: $name filter $filter sink $sink", "mirror[ \"%name\"]" },
    { &nb_table_nat, "NAT: external IP $external_ip external_mac $external_mac logical_ip $logical_ip logical_port $logical_port type $type",
      "NAT rule (%type %external_ip %logical_ip)" },
    { &nb_table_qos, "QoS: priority $priority direction $direction match $match action $action bandwidth $bandwidth",
      "QoS rule (%direction %priority: %match)" },
    { &nb_table_static_mac_binding, "Static MAC Binding: port $logical_port ip $ip mac $mac", "static MAC binding (%logical_port %ip)" },
};
const size_t n_northbound_kinds = ARRAY_SIZE(northbound_kinds);

"""Lines for ovn-nbctl, made from a grammar: what tests run on our tool and on Debian's and compare (test_peer_lines.py).

A line of FORMS is a command as it is documented. "{KIND}" is a word of that kind of POOLS; "?" behind a word: it and what follows may be left out; "*": any
number of them. In brackets: options. "U:TABLE:NAME" stands for the UUID of that row, "P4:TABLE:NAME" for its first 4 digits.
"""
import random
import re

# Built by the peer; what the lines below find. Names that are hard: one for a switch, a router and a port group; names that are twice there; a name
# that is a UUID; spaces, quotes, commas, letters beyond ASCII.
WORLD = r"""
ls-add s0 -- ls-add s1 -- ls-add both -- ls-add twice -- --add-duplicate ls-add twice -- ls-add "a b" -- ls-add "c,d" -- ls-add 'q"q' -- ls-add ü
ls-add 11111111-2222-3333-4444-555555555555 -- lr-add r0 -- lr-add r1 -- lr-add both -- lr-add twice -- --add-duplicate lr-add twice -- pg-add both -- ls-add -- lr-add
lsp-add s0 p0 -- lsp-add s0 p1 -- lsp-add s1 q0 -- lsp-add s0 c0 p0 5 -- lsp-add s0 "sp ace" -- lsp-add s1 both
lsp-set-addresses p0 "00:00:00:00:00:01 10.0.0.1 fd00::1" -- lsp-set-addresses p1 unknown -- lsp-set-port-security p0 "00:00:00:00:00:01 10.0.0.1"
lsp-add s0 rp -- lsp-set-type rp router -- lsp-set-addresses rp router -- lsp-set-options rp router-port=r0-s0
lrp-add r0 r0-s0 00:00:00:00:ff:01 10.0.0.254/24 fd00::fe/64 -- lrp-add r0 r0-x 00:00:00:00:ff:02 172.16.0.1/24 -- lrp-add r1 r1-x 00:00:00:00:ff:03 172.16.0.2/24
lrp-set-gateway-chassis r0-x hv1 10 -- lrp-set-gateway-chassis r0-x hv2 20
acl-add s0 from-lport 100 "ip4" allow -- acl-add s0 to-lport 100 "ip4" drop -- --log --name=n --severity=alert acl-add s0 to-lport 99 "ip6" reject
-- --type=port-group acl-add both from-lport 1 ip4 allow-related -- --type=switch acl-add both to-lport 1 ip4 allow-stateless
pg-add pg0 p0 p1 -- pg-add pg1
qos-add s0 from-lport 100 ip4 dscp=5 -- qos-add s0 to-lport 100 ip4 rate=10 burst=20 -- qos-add s0 to-lport 1 ip6 dscp=1 rate=7
meter-add m0 drop 10 kbps -- --fair meter-add m1 drop 5 pktps 7
mirror-add mi0 gre 1 from-lport 10.1.1.1 -- mirror-add mi1 erspan 2 to-lport fd00::9 -- lsp-attach-mirror p0 mi0
fwd-group-add f0 s0 10.0.0.50 00:00:00:00:00:50 p0 p1
lr-route-add r0 10.1.0.0/16 10.0.0.1 -- lr-route-add r0 10.2.0.0/16 172.16.0.9 r0-x -- --policy=src-ip lr-route-add r0 10.3.0.0/16 10.0.0.3 -- --ecmp lr-route-add r0 10.1.0.0/16 10.0.0.2 -- lr-route-add r0 10.4.0.0/16 discard
-- --route-table=rt lr-route-add r0 10.1.0.0/16 10.0.0.5 -- lr-route-add r0 fd01::/64 fd00::1 -- --bfd lr-route-add r0 10.9.0.0/16 172.16.0.7 r0-x
lr-policy-add r0 10 "ip4.src == 10.0.0.0/8" drop -- lr-policy-add r0 10 "ip4.dst == 10.0.0.0/8" allow pkt_mark=5 -- lr-policy-add r0 20 "ip4" reroute 10.0.0.7,10.0.0.8 -- lr-policy-add r0 21 ip6 reroute fd00::7
lr-nat-add r0 snat 30.0.0.1 10.0.0.0/24 -- lr-nat-add r0 dnat 30.0.0.2 10.0.0.2 -- lr-nat-add r0 dnat_and_snat 30.0.0.3 10.0.0.3 p0 00:00:00:00:00:33 -- lr-nat-add r0 dnat_and_snat fd30::1 fd00::3
-- --gateway-port=r0-x lr-nat-add r0 snat 30.0.0.4 10.5.0.0/24 -- --stateless lr-nat-add r0 dnat_and_snat 30.0.0.5 10.0.0.5
lb-add lb0 30.0.0.10:80 10.0.0.1:80,10.0.0.2:80 -- lb-add lb0 30.0.0.11 10.0.0.1 -- lb-add lb1 [fd30::2]:80 [fd00::1]:80 udp -- lb-add lb1 30.0.0.12:53 10.0.0.3:53 udp
lb-add twice 30.0.0.20 10.0.0.1 -- --add-duplicate lb-add twice 30.0.0.20 10.0.0.1 -- ls-lb-add s0 lb0 -- lr-lb-add r0 lb1
dhcp-options-create 10.0.0.0/24 a=b -- dhcp-options-create fd00::/64
ha-chassis-group-add h0 -- ha-chassis-group-add-chassis h0 hv1 10 -- ha-chassis-group-add-chassis h0 hv2 20 -- ha-chassis-group-add h1
copp-add cp0 arp m0 -- copp-add cp0 bfd m1 -- ls-copp-add cp0 s0
static-mac-binding-add r0-s0 10.0.0.77 00:00:00:00:00:77 -- create address_set name=as0 addresses="10.8.0.1"
init
"""

FORMS = r"""
init
show {entity}?
sync
[--may-exist] [--add-duplicate] ls-add {newname}?
[--if-exists] ls-del {switch}
ls-list
[--type={entitytype}] [--log] [--severity={severity}] [--name={aclname}] [--meter={meter}] [--label={label}] [--may-exist] [--apply-after-lb] acl-add {aclowner} {direction} {priority} {match} {verdict}
[--type={entitytype}] acl-del {aclowner} {direction}? {priority} {match}
[--type={entitytype}] acl-list {aclowner}
[--may-exist] qos-add {switch} {direction} {priority} {match} rate={rate}? burst={rate}? dscp={dscp}?
[--may-exist] qos-add {switch} {direction} {priority} {match} dscp={dscp}? rate={rate}? burst={rate}?
qos-del {switch} {direction}? {priority} {match}
qos-del {switch} {qos}
qos-list {switch}
[--may-exist] mirror-add {mirrorname} {mirrortype} {index} {filter} {ip}
mirror-del {mirror}?
mirror-list
[--may-exist] lsp-attach-mirror {port} {mirror}
lsp-detach-mirror {port} {mirror}
[--fair] [--may-exist] meter-add {metername} {meteraction} {rate} {unit} {rate}?
meter-del {meter}?
meter-list
[--may-exist] lsp-add {switch} {newport}
[--may-exist] lsp-add {switch} {newport} {port} {tag}
[--if-exists] lsp-del {port}
lsp-list {switch}
lsp-get-parent {port}
lsp-get-tag {port}
lsp-set-addresses {port} {address}? {address}?
lsp-get-addresses {port}
lsp-set-port-security {port} {address}? {address}?
lsp-get-port-security {port}
lsp-get-up {port}
lsp-set-enabled {port} {state}
lsp-get-enabled {port}
lsp-set-type {port} {porttype}
lsp-get-type {port}
lsp-set-options {port} {pair}? {pair}?
lsp-get-options {port}
lsp-get-ls {port}
[--liveness] fwd-group-add {fwdname} {switch} {ip} {mac} {port}? {port}?
[--if-exists] fwd-group-del {fwd}
fwd-group-list {switch}?
[--may-exist] [--add-duplicate] lr-add {newname}?
[--if-exists] lr-del {router}
lr-list
[--may-exist] lrp-add {router} {newrport} {mac} {network} {network}? {setting}?
[--may-exist] lrp-set-gateway-chassis {rport} {chassis} {priority}?
lrp-set-options {rport} {pair}? {pair}?
lrp-del-gateway-chassis {rport} {chassis}
lrp-get-gateway-chassis {rport}
[--if-exists] lrp-del {rport}
lrp-list {router}
lrp-set-enabled {rport} {state}
lrp-get-enabled {rport}
lrp-set-redirect-type {rport} {redirect}
lrp-get-redirect-type {rport}
[--policy={policy}] [--ecmp] [--ecmp-symmetric-reply] [--bfd] [--bfd={bfd}] [--route-table={table}] [--may-exist] lr-route-add {router} {prefix} {nexthop} {rport}?
[--policy={policy}] [--route-table={table}] [--if-exists] lr-route-del {router} {prefix}? {nexthop}? {rport}?
[--route-table={table}] lr-route-list {router}
[--may-exist] lr-policy-add {router} {priority} {policymatch} {policyaction} {nexthops}? {pair}?
[--may-exist] lr-policy-add {router} {priority} {policymatch} {policyaction} {pair}
[--if-exists] lr-policy-del {router} {policyid}? {policymatch}?
lr-policy-list {router}
[--stateless] [--portrange] [--add-route] [--gateway-port={rport}] [--may-exist] lr-nat-add {router} {nattype} {ip} {logicalip} {port}? {mac}
[--stateless] [--gateway-port={rport}] [--may-exist] [--portrange] lr-nat-add {router} {nattype} {ip} {logicalip} {range}
--portrange lr-nat-add {router} {nattype} {ip} {logicalip} {port} {mac} {range}
[--if-exists] lr-nat-del {router} {nattype}? {natip}? {rport}?
[--if-exists] lr-nat-del {router} {nattype} {rport}
lr-nat-list {router}
[--is-exempted] lr-nat-update-ext-ip {router} {nattype} {natip} {addressset}
[--may-exist] [--add-duplicate] [--reject] [--event] [--add-route] lb-add {lbname} {vip} {backends} {protocol}?
[--may-exist] --template lb-add {lbname} {vip} {backends} {protocol}? {family}?
[--if-exists] lb-del {lb} {vip}?
lb-list {lb}?
[--may-exist] lr-lb-add {router} {lb}
[--if-exists] lr-lb-del {router} {lb}?
lr-lb-list {router}
[--may-exist] ls-lb-add {switch} {lb}
[--if-exists] ls-lb-del {switch} {lb}?
ls-lb-list {switch}
dhcp-options-create {network} {pair}? {pair}?
dhcp-options-del {dhcp}
dhcp-options-list
dhcp-options-set-options {dhcp} {pair}? {pair}?
dhcp-options-get-options {dhcp}
lsp-set-dhcpv4-options {port} {dhcp}?
lsp-get-dhcpv4-options {port}
lsp-set-dhcpv6-options {port} {dhcp}?
lsp-get-dhcpv6-options {port}
[--may-exist] pg-add {pgname} {port}? {port}?
pg-set-ports {pg} {port}? {port}?
[--if-exists] pg-del {pg}
[--may-exist] ha-chassis-group-add {haname}
[--if-exists] ha-chassis-group-del {ha}
ha-chassis-group-list
ha-chassis-group-add-chassis {ha} {chassis} {priority}
ha-chassis-group-remove-chassis {ha} {chassis}
ha-chassis-group-set-chassis-prio {ha} {chassis} {priority}
copp-add {copp} {proto} {meter}
copp-del {copp} {proto}?
copp-list {copp}
ls-copp-add {copp} {switch}
lr-copp-add {copp} {router}
[--may-exist] static-mac-binding-add {rport} {bindingip} {mac}
[--if-exists] static-mac-binding-del {rport} {bindingip}
static-mac-binding-list
get-connection
del-connection
[--inactivity-probe={probe}] set-connection {target} {target}?
get-ssl
del-ssl
[--bootstrap] set-ssl {file} {file} {file} {sslprotocols}? {sslciphers}?
[--if-exists] [--columns={columns}] list {table} {record}? {record}?
[--columns={columns}] find {table} {condition}? {condition}?
[--if-exists] get {table} {record} {columnkey}? {columnkey}?
[--if-exists] set {table} {record} {setting} {setting}?
[--if-exists] add {table} {record} {column} {value} {value}?
[--if-exists] remove {table} {record} {column} {value} {value}?
[--if-exists] clear {table} {record} {column} {column}?
create {table} {setting} {setting}?
[--if-exists] destroy {table} {record} {record}?
--all destroy {table}
comment {pair}? {pair}?
"""

IPS = "10.0.0.1 10.0.0.9 30.0.0.1 30.0.0.2 30.0.0.9 fd00::1 fd00::9 | 10.0.0 10.0.0.256 10.0.0.1/24 010.0.0.1 fd00:: FD00::1 fd00:0::1 ::ffff:1.2.3.4 0.0.0.0 255.255.255.255 fe80::1%eth0 10.0.0.1:80 [fd00::1]"
# Before "|": words that are right somewhere; behind it: words to be refused or looked at closely.
POOLS = {
    "entity": "s0 r0 | both twice nosuch U:Logical_Switch:s0 P4:Logical_Router:r0 p0 ü",
    "newname": "n0 n1 | s0 r0 twice U:Logical_Switch:s0 11111111-2222-3333-4444-555555555556",
    "switch": "s0 s1 | both twice 'a b' c,d q\"q ü nosuch U:Logical_Switch:s0 P4:Logical_Switch:s0 P3:Logical_Switch:s0 11111111-2222-3333-4444-555555555555 1111 r0",
    "router": "r0 r1 | both twice nosuch U:Logical_Router:r0 P4:Logical_Router:r0 s0",
    "aclowner": "s0 pg0 | both twice nosuch U:Logical_Switch:s0 U:Port_Group:pg0 P4:Port_Group:pg0 p0",
    "entitytype": "switch port-group | Switch router sw",
    "direction": "from-lport to-lport | f t from to from-lportx FROM-LPORT lport x",
    "priority": "100 0 1 32767 | -1 32768 99999999999 1.5 0x10 010 +1 '1 ' ' 1' abc",
    "match": "ip4 ip6 tcp | ip4.src==1.2.3.4 'ip4 &&' 1 'inport == \"p0\"'",
    "verdict": "allow allow-related allow-stateless drop reject | Allow pass accept",
    "severity": "alert warning notice info debug | Info crit emerg",
    "aclname": "n0 | 'a name' abcdefghijabcdefghijabcdefghijabcdefghijabcdefghijabcdefghijabc abcdefghijabcdefghijabcdefghijabcdefghijabcdefghijabcdefghijabcd",
    "meter": "m0 m1 | nosuch __x",
    "label": "1 0 4294967295 | 4294967296 -1 0x10 1.5 x",
    "rate": "10 1 4294967295 | 0 4294967296 -1 1.5 0x10 abc 99999999999999999999",
    "dscp": "5 0 63 | 64 -1 0x10 x",
    "qos": "U:QoS:100 U:QoS:1 | P4:QoS:1 P8:QoS:1 00000000-0000-0000-0000-000000000000 12345678-",
    "mirrorname": "mi0 new | U:Mirror:mi0",
    "mirrortype": "gre erspan | GRE local lport vxlan",
    "index": "0 1 65535 | -1 65536 4294967296 0x10 1.5 x",
    "filter": "from-lport to-lport | both From-lport from x",
    "mirror": "mi0 mi1 | nosuch U:Mirror:mi0 P4:Mirror:mi1",
    "ip": IPS, "bindingip": "10.0.0.77 | " + IPS.replace(" |", ""), "natip": "30.0.0.1 30.0.0.3 10.0.0.0/24 fd30::1 | 10.0.0.1/24 10.5.0.0/24 fd30:0::1 r0-x " + IPS.replace("|", ""),
    "metername": "n0 m0 | __m _m",
    "meteraction": "drop | Drop allow",
    "unit": "kbps pktps | KBPS bps",
    "newport": "n0 p0 q0 c0 | both U:Logical_Switch_Port:p0",
    "port": "p0 p1 q0 c0 rp | both nosuch 'sp ace' U:Logical_Switch_Port:p0 P4:Logical_Switch_Port:p0 P3:Logical_Switch_Port:p0 r0-s0",
    "tag": "0 5 4095 | 4096 -1 x 5x 1.5 0x5 05 99999999999",
    "address": "'00:00:00:00:00:05 10.0.0.5' unknown dynamic 00:00:00:00:00:06 | router 'dynamic 10.0.0.9' '00:00:00:00:00:07 dynamic' '00:00:00:00:00:01 10.0.0.1' '00:00:00:00:00:08 10.0.0.1' 'dynamic fd00::5' "
               "'00:00:00:00:00:09 10.0.0.9 10.0.0.10 fd00::9' '00:00:00:00:00:0a 10.0.0.9/24' '00:00:00:00:00:0b 10.0.0.9/33' '00:00:00:00:00' 10.0.0.1 ' ' 'unknown 10.0.0.1' Unknown '00:00:00:00:00:0c  10.0.0.12' "
               "'00:00:00:00:00:0d,10.0.0.13' '00:00:00:00:00:0e 10.0.0.14,' 'dynamic dynamic' '00:00:00:00:00:0A FD00::A' '0:0:0:0:0:5 10.0.0.55' 'dynamic 10.0.0.9 fd00::9' 'dynamic 10.0.0.9 10.0.0.10' '00:00:00:00:00:0f dynamic 10.0.0.1' "
               "'00:00:00:00:00:0f 10.0.0.1x' 'dynamic ' ' dynamic' '00:00:00:00:00:0f fd00::1/64' ' 00:00:00:00:00:0f' '00:00:00:00:00:0f '",
    "state": "enabled disabled | Enabled true up",
    "porttype": "router localnet localport l2gateway vtep external virtual remote '' | Router switch vif patch l3gateway chassisredirect",
    "pair": "a=b c=d | a= =b a nosign a=b=c a='b c' a=\"b c\" 'a=b,c=d' 'a = b' 'a:b=c' a={b} '\"x y\"=z' pkt_mark=5 a=b,c ,",
    "fwdname": "n0 f0 | U:Forwarding_Group:f0",
    "fwd": "f0 | nosuch U:Forwarding_Group:f0 P4:Forwarding_Group:f0",
    "mac": "00:00:00:00:00:99 0a:0B:0c:0d:0e:0f 00:00:00:00:ff:01 | 00:00:00:00:00 0:0:0:0:0:1 01:00:00:00:00:01 ff:ff:ff:ff:ff:ff 00-00-00-00-00-01 0000.0000.0001 00:00:00:00:00:0g 00:00:00:00:00:01:02 '00:00:00:00:00:01 '",
    "newrport": "n0 r0-s0 r1-x | U:Logical_Router_Port:r0-s0 p0",
    "network": "10.7.0.1/24 fd07::1/64 172.16.0.1/24 10.0.0.0/24 fd00::/64 10.0.0.254/24 fd00::fe/64 | 10.7.0.1 fd07::1 10.7.0.1/33 10.7.0.1/255.255.255.0 10.7.0.1/255.0.255.0 fd07::1/129 10.7.0.0/24 0.0.0.0/0 10.7.0.1/32 10.7.0.1/ /24 10.7/16",
    "rport": "r0-s0 r0-x r1-x | nosuch p0 U:Logical_Router_Port:r0-s0 P4:Logical_Router_Port:r0-x both",
    "chassis": "hv1 hv2 hv9 | HV1 'a b' U:HA_Chassis:hv1",
    "redirect": "overlay bridged | Overlay tunnel",
    "policy": "dst-ip src-ip | dst src DST-IP both x",
    "bfd": "U:BFD:172.16.0.7 | 00000000-0000-0000-0000-000000000000 P4:BFD:172.16.0.7 x U:Logical_Router:r0",
    "table": "rt rt2 | ''",
    "prefix": "10.1.0.0/16 10.2.0.0/16 10.3.0.0/16 10.8.0.0/16 fd01::/64 0.0.0.0/0 ::/0 10.4.0.0/16 | 10.1.0.1/16 10.1.2.3 10.1.0.0/33 10.1 10.1.0.0/255.255.0.0 fd01::1 FD01::/64 fd01::/129 10.1.0.0/16x '10.1.0.0/16 ' default",
    "nexthop": "10.0.0.1 10.0.0.2 172.16.0.9 172.16.0.7 fd00::1 discard | Discard 10.0.0 10.0.0.1/24 10.0.0.1x fd00::1/64 drop 010.0.0.1 fd00:0::1 99.99.99.99 '10.0.0.1 '",
    "policymatch": "'ip4.src == 10.0.0.0/8' ip4 ip6 | 'ip4.src==10.0.0.0/8'",
    "policyaction": "allow drop reroute | Allow jump pass",
    "nexthops": "10.0.0.7 10.0.0.7,10.0.0.8 fd00::7 fd00::7,fd00::8 10.0.0.8,10.0.0.7 | 10.0.0.7, ,10.0.0.7 10.0.0.7,fd00::7 '10.0.0.7 10.0.0.8' 10.0.0.7,10.0.0.7 10.0.0 10.0.0.7/24 '10.0.0.7, 10.0.0.8' FD00::7",
    "policyid": "10 20 U:Logical_Router_Policy:20 | P4:Logical_Router_Policy:20 00000000-0000-0000-0000-000000000000 -1 32768 x 1x",
    "nattype": "snat dnat dnat_and_snat | SNAT nat dnat-and-snat snat_and_dnat",
    "logicalip": "10.0.0.0/24 10.0.0.1 10.0.0.2 10.0.0.9 fd00::3 fd00::9 fd00::/64 | 10.0.0.9/24 10.0.0.9/33 10.0.0.9/0 10.0.0.1/32 10.0.0 fd00:0::9 fd00::9/128 10.0.0.0/255.255.255.0 10.0.0.0/255.0.255.0",
    "range": "1 1-3000 65535 | 0 65536 3-1 1- -5 a 1-a 1-65536 1,2 ' 1' '1-2 '",
    "addressset": "as0 | nosuch U:Address_Set:as0 P4:Address_Set:as0",
    "lbname": "n0 lb0 lb1 | twice U:Load_Balancer:lb0",
    "vip": "30.0.0.10:80 30.0.0.11 30.0.0.30:80 30.0.0.30 [fd30::2]:80 fd30::9 [fd30::9] 30.0.0.12:53 | 30.0.0.10:0 30.0.0.10:65536 30.0.0.10: 30.0.0.10:x 30.0.0 30.0.0.10/24 fd30::9:80 [fd30::2] [FD30::2]:80 [fd30:0::2]:80 :80 ^vip:80 ^vip:^port 30.0.0.10:080 '30.0.0.10:80 ' [30.0.0.10]:80 host:80 "
           "0.0.0.0:80 30.0.0.10:-1 30.0.0.10:80:80",
    "backends": "10.0.0.1:80 10.0.0.1:80,10.0.0.2:80 10.0.0.1 10.0.0.1,10.0.0.2 [fd00::1]:80 [fd00::1]:80,[fd00::2]:80 fd00::1 10.0.0.3:53 | 10.0.0.1:80, ,10.0.0.1:80 10.0.0.1:80,10.0.0.2 10.0.0.1:80,[fd00::1]:80 10.0.0.1:0 10.0.0.1:65536 10.0.0 "
                "10.0.0.1:80;10.0.0.2:80 '10.0.0.1:80 10.0.0.2:80' '10.0.0.1:80, 10.0.0.2:80' 10.0.0.1:x [FD00::1]:80 [fd00:0::1]:80 ^b ^b,^c 10.0.0.1:80,,10.0.0.2:80 10.0.0.1:080 10.0.0.1:80,10.0.0.1:80 fd00::1,fd00::2 [fd00::1] , ''",
    "protocol": "tcp udp sctp | TCP icmp http",
    "family": "ipv4 ipv6 | IPv4 ip4 6",
    "lb": "lb0 lb1 | twice nosuch U:Load_Balancer:lb0 P4:Load_Balancer:lb1",
    "dhcp": "U:DHCP_Options:10.0.0.0/24 U:DHCP_Options:fd00::/64 | P4:DHCP_Options:fd00::/64 P3:DHCP_Options:fd00::/64 00000000-0000-0000-0000-000000000000 x 10.0.0.0/24",
    "pgname": "n0 pg0 | both U:Port_Group:pg0 '9a' 'a-b' \"a b\"",
    "pg": "pg0 pg1 both | nosuch U:Port_Group:pg0 P4:Port_Group:pg1",
    "haname": "n0 h0 | U:HA_Chassis_Group:h0",
    "ha": "h0 h1 | nosuch U:HA_Chassis_Group:h0 P4:HA_Chassis_Group:h1",
    "copp": "cp0 n0 | nosuch U:Copp:cp0",
    "proto": "arp bfd dns nd-na tcp-reset reject dhcpv4-opts event-elb svc-monitor arp-resolve | ARP x igmpx",
    "probe": "0 1000 5000 | -1 x 999 1.5 99999999999",
    "target": "ptcp:6641 pssl:6641:127.0.0.1 ptcp:6641:[::1] ssl:1.2.3.4:6641 tcp:1.2.3.4:6641 | tcp: foo tcp ptcp ptcp:6641 'punix:/x' 'a b' read-only read-write role=x ptcp:99999 tcp:host:1",
    "file": "/a/b /c | ''",
    "sslprotocols": "TLSv1.2 TLSv1,TLSv1.1 | x ''",
    "sslciphers": "HIGH | ''",
    "record": "s0 p0 U:Logical_Switch:s0 U:Logical_Switch_Port:p0 r0 . | P4:Logical_Switch:s0 P3:Logical_Switch:s0 twice nosuch pg0 100 m0 'a b' U:ACL:100 U:QoS:1 U:NAT:snat P5:NAT:snat 11111111-2222-3333-4444-555555555555",
    "columns": "name name,ports _uuid,name | nosuch NAME name, ,name '' name,name ext external-ids",
    "column": "name ports external_ids other_config enabled tag options addresses priority match | nosuch _uuid NAME external-ids ext _version '' up type",
    "columnkey": "name ports external_ids options external_ids:a options:router-port addresses tag up _uuid | nosuch external_ids:nokey name:a _version EXTERNAL-IDS ext options: :a '' type",
    "setting": "name=x external_ids:a=b external_ids={c=d} options:a=1 addresses=1 tag=5 enabled=false other_config:subnet=10.0.0.0/24 peer=x priority=5 match=x direction=to-lport options={} tag=[] enabled=true,false "
               "name='\"a b\"' | name name= =x nosuch=1 tag=x tag=4096 tag=1,2 name:a=b enabled=maybe ports=p0 external_ids=a external_ids:a external_ids={a=b,a=c} name=[] type=router name='\"a' addresses=[1,2] addresses='\"a b\",c' external_ids='a=b c=d' _uuid=x tag=-1 tag=1.5 name==x "
               "'name= x' external_ids:\"a b\"=c options+=x name=\"\" ports=U:Logical_Switch_Port:q0 tag='' up=true",
    "condition": "name=s0 name!=s0 external_ids:a=b tag=5 tag>3 ports=[] ports!=[] addresses{>=}unknown enabled=[] type=router options:router-port=r0-s0 | nosuch=1 name external_ids:a!=b external_ids:a{!=}b external_ids:a{in}b,c name{not-in}s0,s1 name<s1 name>=s0 name{<}s0 name{=}s0 "
                 "tag{<=}5,6 tag{>}[] tag=x name= name==s0 name=~s0 'name = s0' ports{<=}[] priority<=100 NAME=s0 'external_ids{=}{}' options={} options{>=}router-port=r0-s0 _uuid=U:Logical_Switch:s0 match=ip4",
    "value": "x a=b 5 unknown U:Logical_Switch_Port:q0 false | '' a [] {} a,b a=b,c=d '\"a b\"' nosuch '[a,b]' a=",
    }
POOLS["table"] = "Logical_Switch Logical_Switch_Port logical_router ACL NAT Port_Group Meter NB_Global QoS DHCP_Options Load_Balancer | nosuch logical-switch logical_switch_ logical LOGICAL_SWITCH dhcp a nb '' Connection _uuid"

ANY = ["", " ", "x" * 300, "-1", "é", 'a"b', "a,b", "a b", "0", "32768", "@x", "[]", "{}", "\\", "\t", "a\nb"]


def words(text):
    """As a shell splits them, but a word's quotes are in it only at its ends or behind a '=' (values of columns have their own)."""
    return [w[1:-1] if w[:1] == "'" else w for w in re.findall(r"'[^']*'(?!\S)|(?:[^\s']|'[^']*')+", text)]


RIGHT = {kind: words(text.split(" | ")[0]) for kind, text in POOLS.items()}
WRONG = {kind: words(text.split(" | ")[1]) for kind, text in POOLS.items()}


class Form:
    def __init__(self, text):
        self.text = text
        pieces = text.split()
        self.options = [p[1:-1] for p in pieces if p[0] == "["]
        pieces = [p for p in pieces if p[0] != "["]
        self.fixed = [p for p in pieces if p.startswith("--")]
        self.command, self.slots = [p for p in pieces if not p.startswith("--")][0], [p for p in pieces if not p.startswith("--")][1:]

    def cut(self, r):
        """The number of words: all, or up to one that may be left out."""
        ends = [i for i, s in enumerate(self.slots) if s.endswith("?")] + [len(self.slots)]
        return r.choice(ends) if r else ends[-1]


def fill(slot, pick):
    """A word for SLOT; PICK chooses from a kind."""
    return re.sub(r"\{(\w+)\}", lambda m: pick(m[1]), slot.rstrip("?"))


def kind_of(slot):
    return re.search(r"\{(\w+)\}", slot)[1]


def form_list():
    return [Form(line) for line in FORMS.strip().split("\n")]


def mutations(form, rest=0):
    """Every way in which one thing of FORM is not as usual. The usual is the REST-th right word of each kind."""
    def usual(kind):
        return RIGHT[kind][rest % len(RIGHT[kind])]

    base = [fill(s, usual) for s in form.slots]
    head = ["--", *form.fixed]
    ends = [i for i, s in enumerate(form.slots) if s.endswith("?")] + [len(form.slots)]
    for n in range(len(form.slots) + 3):       # Too few, too many, all that may be left out.
        yield [*head, form.command, *(base + ["x", "y"])[:n]]
    for i, slot in enumerate(form.slots):
        end = min(e for e in ends if e > i)
        for n in {end, len(base)}:
            for word in [fill(slot, lambda _, w=w: w) for w in dict.fromkeys(RIGHT[kind_of(slot)] + WRONG[kind_of(slot)] + ANY)]:
                yield [*head, form.command, *base[:i], word, *base[i + 1:n]]
    for option in form.options:
        values = [option]
        if "{" in option:
            values = [fill(option, lambda _, w=w: w) for w in RIGHT[kind_of(option)] + WRONG[kind_of(option)] + ANY]
        for value in values:
            for n in set(ends):
                yield [*head, value, form.command, *base[:n]]
            for other in form.options:
                if other != option and "{" not in other + option:
                    yield [*head, value, other, form.command, *base]


def random_line(r, forms, errors):
    """One command; with probability ERRORS each word is any of its kind's instead of a right one."""
    form = r.choice(forms)

    def pick(kind):
        chance = r.random()
        if chance < errors / 4:
            return r.choice(ANY)
        return r.choice(WRONG[kind] if chance < errors else RIGHT[kind])

    options = [fill(o, pick) for o in form.options if r.random() < (0.5 if o == "--may-exist" else 0.15)]
    n = form.cut(r)
    if r.random() < errors / 4:
        n = r.randrange(len(form.slots) + 1)
    return ["--", *form.fixed, *options, form.command, *(fill(s, pick) for s in form.slots[:n])]


def resolve(argv, rows):
    """ARGV with the UUIDs of ROWS where it names them."""
    def uuid(m):
        for found, row in sorted(rows.get(m[2], {}).items()):
            if any(str(row.get(c)) == m[3] for c in ("name", "priority", "cidr", "dst_ip", "type", "chassis_name")):
                return found if m[1] == "U" else found[:int(m[1][1:])]
        return "0" * 8 + "-0000-0000-0000-" + "0" * 12
    return [re.sub(r"\b(U|P\d):(\w+):(\S+)", uuid, word) for word in argv]

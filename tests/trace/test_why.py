"""--why, --json and --graph on a network of everything that drops packets (made by Debian's ovn-northd): one plain sentence, with the northbound object by name and UUID."""
import json

import pytest
from network import PEER, Network, outputs

pytestmark = pytest.mark.skipif(PEER is None, reason="Debian's OVN is not unpacked (make check-peer)")

NETWORK = """
ls-add s0
lsp-add s0 a
lsp-set-addresses a "0a:00:00:00:00:01 10.0.0.1"
lsp-set-port-security a "0a:00:00:00:00:01 10.0.0.1"
lsp-add s0 b
lsp-set-addresses b "0a:00:00:00:00:02 10.0.0.2"
ls-add s1
lsp-add s1 c
lsp-set-addresses c "0a:00:00:00:00:03 10.0.1.3"
ls-add pub
lsp-add pub ln
lsp-set-type ln localnet
lsp-set-addresses ln unknown
lsp-set-options ln network_name=phys
lr-add r0
lrp-add r0 r0s0 0a:00:00:00:ff:00 10.0.0.254/24
lrp-add r0 r0s1 0a:00:00:00:ff:01 10.0.1.254/24
lrp-add r0 r0pub 0a:00:00:00:fe:00 172.16.0.1/24
lrp-set-gateway-chassis r0pub gw 10
lsp-add s0 s0r0
lsp-set-type s0r0 router
lsp-set-addresses s0r0 router
lsp-set-options s0r0 router-port=r0s0
lsp-add s1 s1r0
lsp-set-type s1r0 router
lsp-set-addresses s1r0 router
lsp-set-options s1r0 router-port=r0s1
lsp-add pub pubr0
lsp-set-type pubr0 router
lsp-set-addresses pubr0 router
lsp-set-options pubr0 router-port=r0pub
--name=web acl-add s0 to-lport 1000 'outport == "b" && tcp.dst == 80' drop
--name=no-ftp acl-add s0 from-lport 1000 'inport == "a" && tcp.dst == 21' reject
acl-add s0 to-lport 0 'ip' allow-related
lr-route-add r0 192.0.2.0/24 discard
lr-policy-add r0 50 'ip4.dst == 10.0.1.0/24 && ip4.src == 10.0.0.2' drop
--id=@lb create Load_Balancer name=empty protocol=tcp vips='"10.77.0.1:80"=""' options:reject=true
add Logical_Switch s0 load_balancer @lb
lr-nat-add r0 dnat_and_snat 172.16.0.20 10.0.0.2
lr-nat-add r0 snat 172.16.0.10 10.0.0.0/24
"""
A = 'inport == "a" && eth.src == 0a:00:00:00:00:01 && ip4.src == 10.0.0.1 && ip.ttl == 64 && '
B = 'inport == "b" && eth.src == 0a:00:00:00:00:02 && ip4.src == 10.0.0.2 && ip.ttl == 64 && '
OUTSIDE = 'inport == "ln" && eth.src == 0a:00:00:00:77:01 && eth.dst == 0a:00:00:00:fe:00 && ip4.src == 172.16.0.99 && ip.ttl == 64 && '
TO_B, ROUTED = "eth.dst == 0a:00:00:00:00:02 && ip4.dst == 10.0.0.2 && ", "eth.dst == 0a:00:00:00:ff:00 && "


@pytest.fixture(scope="module")
def network():
    n = Network(peer=True)
    try:
        n.sb("Chassis", {"name": "gw", "hostname": "gw", "encaps": ["named-uuid", "e"]},
             {"op": "insert", "table": "Encap", "uuid-name": "e", "row": {"type": "geneve", "ip": "10.255.0.1", "chassis_name": "gw"}})
        n.build(NETWORK)
        yield n
    finally:
        n.stop()


def uuid(network, table, column, value):
    return network.select(table, [[column, "==", value]], "_uuid", db="nb")[0]["_uuid"][1]


@pytest.mark.parametrize("packet, verdict, begin, row, end", [
    (A + TO_B + "tcp.dst == 80", "dropped", 'Dropped by logical switch "s0" in stage ls_out_acl: ACL "web" (to-lport 1000 drop: outport == "b" && tcp.dst == 80), UUID {}, says so (flow ',
     ("ACL", "name", "web"), ""),
    (A + TO_B + "tcp.dst == 21", "refused", 'Refused by logical switch "s0" in stage ls_in_acl: ACL "no-ftp" (from-lport 1000 reject: inport == "a" && tcp.dst == 21), UUID {}, says so (flow ',
     ("ACL", "name", "no-ftp"), '; the answer (tcp_reset) goes to "a".'),
    (A + ROUTED + "ip4.dst == 8.8.8.8 && udp.dst == 9", "dropped", 'Dropped by logical router "r0" in stage lr_in_ip_routing: the router has no route to 8.8.8.8 (flow ', None, ""),
    (A + ROUTED + "ip4.dst == 192.0.2.7 && udp.dst == 9", "dropped", 'Dropped by logical router "r0" in stage lr_in_ip_routing: route (192.0.2.0/24 to discard), UUID {}, says so (flow ',
     ("Logical_Router_Static_Route", "ip_prefix", "192.0.2.0/24"), ""),
    (B + ROUTED + "ip4.dst == 10.0.1.3 && udp.dst == 9", "dropped", 'Dropped by logical router "r0" in stage lr_in_policy: routing policy (50 drop: ip4.dst == 10.0.1.0/24 && '
     'ip4.src == 10.0.0.2), UUID {}, says so (flow ', ("Logical_Router_Policy", "priority", 50), ""),
    (A.replace("10.0.0.1", "10.0.0.9") + TO_B + "udp.dst == 9", "dropped", 'Dropped by logical switch "s0" in stage ls_in_apply_port_sec: port security of logical switch port "a" does not '
     'let it send from 0a:00:00:00:00:01 with 10.0.0.9 (allowed: "0a:00:00:00:00:01 10.0.0.1") (flow ', None, ""),
    (OUTSIDE + "ip4.dst == 172.16.0.10 && udp.dst == 9", "dropped", 'Dropped by logical router "r0" in stage lr_in_arp_resolve: NAT rule (snat 172.16.0.10 10.0.0.0/24), UUID {}, says so (flow ',
     ("NAT", "external_ip", "172.16.0.10"), ""),
    (A + ROUTED + "ip4.dst == 10.77.0.1 && tcp.dst == 80", "refused", 'Refused by logical switch "s0" in stage ls_in_lb: load balancer "empty", UUID {}, says so (flow ',
     ("Load_Balancer", "name", "empty"), '; the answer (tcp_reset) goes to "a".'),
    (A.replace("64", "1") + ROUTED + "ip4.dst == 10.0.1.3 && udp.dst == 9", "refused", 'Refused by logical router "r0" in stage lr_in_ip_input: its hop limit has run out (ip.ttl) (flow ', None,
     '; the answer (icmp4) goes to "a".'),
    (A + ROUTED + "ip4.dst == 10.0.0.254 && udp.dst == 9", None, "", None, ""),
    (A.replace('"a"', '"c"') + "eth.dst == 0a:00:00:00:ff:77", "dropped", 'Dropped by logical switch "s1" in stage ls_in_l2_unknown: no port of the switch has the address 0a:00:00:00:ff:77, '
     'and none takes unknown ones (flow ', None, ""),
    (OUTSIDE + "ip4.dst == 172.16.0.20 && udp.dst == 9", "delivered", 'Delivered to "b".', None, ""),
    (A + ROUTED + "ip4.dst == 10.0.1.3 && udp.dst == 9", "delivered", 'Delivered to "c".', None, ""),
])
def test_why(network, packet, verdict, begin, row, end):
    said = network.trace("--why", "--ct=new", packet).stdout
    assert said.count("\n") == 1, said
    assert said.startswith(begin.format(uuid(network, *row)) if row else begin) and said.endswith(end + "\n"), said
    data = json.loads(network.trace("--json", "--ct=new", packet).stdout)
    assert data["why"] == said.strip()
    assert not verdict or data["verdict"] == verdict
    assert sorted(o["port"] for o in data["outputs"]) == outputs(network.trace("--minimal", "--ct=new", packet).stdout)
    graph = network.trace("--graph", "--ct=new", packet).stdout
    assert "<svg" in graph or graph.startswith("digraph trace {\n")
    for port in data["outputs"]:
        assert port["port"] in graph


def test_an_invalid_connection(network):
    said = network.trace("--why", "--ct=inv", A + TO_B + "tcp.dst == 443").stdout
    assert said.startswith('Dropped by logical switch "s0" in stage ls_in_acl: connection tracking finds it invalid, or an ACL has blocked its connection meanwhile (flow '), said


def test_without_the_northbound_database(network):
    said = network.trace("--nb-db=unix:/nonexistent", "--why", "--ct=new", A + TO_B + "tcp.dst == 80").stdout
    acl = uuid(network, "ACL", "name", "web")
    assert said.startswith(f'Dropped by logical switch "s0" in stage ls_out_acl: ACL {acl[:8]} says so (flow '), said

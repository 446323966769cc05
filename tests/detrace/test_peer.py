"""Beside Debian's ovn-detrace, on databases that Debian's ovn-northd has made: it says what ours says, except for what is ours alone."""
import re
import subprocess

import pytest
from ground import PEER, Network, cookie, detrace, pause_northd, select, start_ovs, transact, uuid


def peer_runs():
    """Its program needs Python's OVS library (python3-openvswitch), which nothing of ours does."""
    return PEER and (PEER / "bin/ovn-detrace").exists() and subprocess.run(["/usr/bin/python3", "-c", "import ovs"], stderr=subprocess.DEVNULL).returncode == 0


pytestmark = pytest.mark.skipif(not peer_runs(), reason="Debian's ovn-detrace is not unpacked (make check-peer), or there is no python3-openvswitch")

NETWORK = """
ls-add sw0
lsp-add sw0 a
lsp-set-addresses a "0a:00:00:00:00:01 10.0.0.1 fd00::1"
lsp-set-port-security a "0a:00:00:00:00:01 10.0.0.1"
lsp-add sw0 b
lsp-set-addresses b "0a:00:00:00:00:02 10.0.0.2"
ls-add sw1
lsp-add sw1 c
lsp-set-addresses c "0a:00:00:00:01:01 10.0.1.1"
lr-add r0
lrp-add r0 r0s0 0a:00:00:00:ff:00 10.0.0.254/24
lrp-add r0 r0s1 0a:00:00:00:ff:01 10.0.1.254/24
lsp-add sw0 s0r
lsp-set-type s0r router
lsp-set-addresses s0r router
lsp-set-options s0r router-port=r0s0
lsp-add sw1 s1r
lsp-set-type s1r router
lsp-set-addresses s1r router
lsp-set-options s1r router-port=r0s1
lrp-set-gateway-chassis r0s1 hv1 10
--name=no-web --log --severity=info acl-add sw0 from-lport 1000 'inport == "a" && tcp.dst == 80' drop
acl-add sw0 to-lport 900 'outport == "b" && ip4' allow-related
pg-add pg1 a b
--type=port-group acl-add pg1 to-lport 500 'outport == @pg1 && ip4.src == 10.0.0.7' reject
qos-add sw0 from-lport 100 'ip4' rate=1000 burst=100
qos-add sw0 to-lport 100 'ip6' dscp=10
lb-add lb0 10.0.0.100:80 10.0.0.1:8080,10.0.0.2:8080 tcp
ls-lb-add sw0 lb0
lr-lb-add r0 lb0
lr-nat-add r0 snat 172.16.0.1 10.0.0.0/24
lr-nat-add r0 dnat_and_snat 172.16.0.3 10.0.0.2 b 0a:00:00:00:00:42
lr-route-add r0 20.0.0.0/8 10.0.1.7
lr-route-add r0 30.0.0.0/8 10.0.1.8 r0s1
lr-policy-add r0 100 'ip4.src == 10.0.0.1' drop
lr-policy-add r0 90 'ip4.src == 10.0.0.2' reroute 10.0.1.9
--id=@d create DHCP_Options cidr=10.0.0.0/24 options:server_id=10.0.0.254 options:server_mac=0a:00:00:00:ff:00 options:lease_time=3600 -- set Logical_Switch_Port a dhcpv4_options=@d
fwd-group-add fg sw1 10.0.1.50 0a:00:00:00:00:50 c
lsp-add sw0 ln0
lsp-set-type ln0 localnet
lsp-set-options ln0 network_name=phys
"""
TABLES = ["Logical_Flow", "Port_Binding", "MAC_Binding", "Multicast_Group", "Chassis", "Load_Balancer"]        # Those that it knows.
NORTHBOUND = ["ACL", "DHCP_Options", "Forwarding_Group", "Load_Balancer", "Logical_Router_Policy", "Logical_Router_Port", "Logical_Router_Static_Route",
              "Logical_Switch_Port", "NAT", "QoS"]


@pytest.fixture(scope="module")
def network():
    n = Network(peer=True)
    try:
        n.build(NETWORK)
        subprocess.run([PEER / "bin/ovn-sbctl", "chassis-add", "hv1", "geneve", "172.31.0.1", "--", "lsp-bind", "a", "hv1"], env=n.peer_env, check=True, timeout=20)
        start_ovs(n)
        n.nbctl("--wait=sb", "sync")
        pause_northd(n)
        router = next(d for d in select(n, "sb", "Datapath_Binding", "external_ids") if ["name", "r0"] in d["external_ids"][1])["_uuid"]
        transact(n, "sb", {"op": "insert", "table": "MAC_Binding", "row": {"logical_port": "r0s0", "ip": "10.0.0.9", "mac": "0a:00:00:00:00:09", "datapath": router}})
        yield n
    finally:
        n.stop()


def theirs(out):
    """Without its mistakes: it forgets a quotation mark and a bracket; an empty line at the end is its own; it orders the ports and datapaths of a set as they come."""
    out = out.removesuffix("\n")
    out = re.sub(r'(match=\((?:[^"\n]*"[^"\n]*")*[^"\n]*"[^"\n]*)\), actions=', r'\1"), actions=', out)
    out = re.sub(r"(Logical Switch Port: .*security \[.*\])$", r"\1)", out, flags=re.M)
    return re.sub(r"(tunnel_key \d+), $", r"\1", out, flags=re.M)


def ours(out):
    """Without what is ours: lines as they came, UUIDs behind the rows, the source, the name of an ACL, the type of a port, and tables that it does not know."""
    out = re.sub(r"^   \* (?:Logical Switch|Logical Router|Static MAC Binding|BFD|CoPP|DNS|Mirror): .*\n", "", out, flags=re.M)
    out = re.sub(r"^ +(?![ *])", "", out, flags=re.M)           # It strips lines.
    out = re.sub(r"(^ +\* (?!Logical datapath:|    ).*?)(?:, type \"[a-z0-9]*\")? \([0-9a-f-]{36}\)(?: source .*)?$", r"\1", out, flags=re.M)
    return re.sub(r'(ACL: .*) ".*"$', r"\1", out, flags=re.M)


def sets_in_order(out):
    out = re.sub(r"ports: \((.*)\)$", lambda m: "ports: (" + ", ".join(sorted(m.group(1).split(", "))) + ")", out, flags=re.M)
    return re.sub(r"(?:^  \*     .*\n)+", lambda m: "".join(sorted(m.group(0).splitlines(True))), out, flags=re.M)


def compare(network, text, *options):
    done, peer = detrace(network, text, *options), detrace(network, text, *options, program=PEER / "bin/ovn-detrace", env=network.peer_env)
    assert done.returncode == peer.returncode == 0 and not done.stderr, (done.stderr, peer.stderr)
    a, b = sets_in_order(ours(done.stdout.decode())), sets_in_order(theirs(peer.stdout.decode()))
    assert a.splitlines() == b.splitlines()
    return a


@pytest.mark.parametrize("table", TABLES)
def test_every_row(network, table):
    rows = select(network, "sb", table)
    out = compare(network, "".join(f" 8. priority 1, cookie {cookie(r)}\n    resubmit(,9)\n" for r in rows) + "\nFinal flow: unchanged\n")
    assert rows and out.count("  * ") >= len(rows)


@pytest.mark.parametrize("table", NORTHBOUND)
def test_every_northbound_row(network, table):
    rows = select(network, "nb", table)
    text = ""
    for i, row in enumerate(rows):
        ident = f"ccc{NORTHBOUND.index(table):x}{i:04x}-0000-0000-0000-000000000001"
        transact(network, "sb", {"op": "insert", "table": "Logical_Flow", "uuid": ident, "row": {
            "pipeline": "egress", "match": "1", "actions": "next;", "external_ids": ["map", [["stage-hint", uuid(row)[:8]]]]}})
        text += f" 8. priority 1, cookie 0x{ident[:8]}\n"
    out = compare(network, text + "\nFinal flow: unchanged\n")
    assert rows and len(re.findall(r"^   \* ", out, re.M)) == len(rows)


def test_ports(network):
    binding = select(network, "sb", "Port_Binding", where=[["logical_port", "==", "a"]])[0]
    out = compare(network, f'bridge("br-int")\n----------------\n 0. in_port=1, priority 100, cookie {cookie(binding)}\n    output:2\n\nFinal flow: unchanged\n', "--ovs")
    assert out.count("OVS Interface") == 2

"""inject-pkt: the packet that a microflow describes goes through the pipeline as if a port here had sent it, and comes out where it should, byte for byte."""
import os
import subprocess

import pytest
from ground import BUILD, eventually
from scapy.layers.inet import ICMP, IP, TCP, UDP
from scapy.layers.inet6 import ICMPv6ND_NS, ICMPv6NDOptSrcLLAddr, IPv6
from scapy.layers.l2 import ARP, Dot1Q, Ether
from scapy.utils import RawPcapReader
from test_binding import owner

FROM, TO = "0a:00:00:00:00:01", "0a:00:00:00:00:02"
ETH = f'inport == "vm1" && eth.src == {FROM} && eth.dst == {TO}'


def flow(dp, pipeline, table, match, actions, priority=1):
    return {"op": "insert", "table": "Logical_Flow", "row": {"logical_datapath": ["uuid", dp], "pipeline": pipeline, "table_id": table,
                                                             "priority": priority, "match": match, "actions": actions}}


@pytest.fixture
def net(ground):
    """vm1, vm2 and a container vm1c in vm1 on hv1; vm3 nowhere. What goes to TO, or has reg5 == 7, comes out of vm2."""
    db, dp = ground.central.db, ground.central.datapath()
    for name in ("vm1", "vm2", "vm3"):
        ground.central.port(dp, name)
    ground.central.port(dp, "vm1c", parent_port="vm1", tag=42)
    db.transact(*(flow(dp, "ingress", t, "1", "next;") for t in range(10)),
                flow(dp, "ingress", 10, f"eth.dst == {TO} || reg5 == 7", 'outport = "vm2"; output;'),
                flow(dp, "ingress", 10, 'outport == "vm2"', "output;", 2),
                flow(dp, "ingress", 10, 'inport == "vm1c"', 'outport = "vm2"; output;', 3),
                *(flow(dp, "egress", t, "1", "next;") for t in range(15)), flow(dp, "egress", 15, "1", "output;"))
    other = ground.central.datapath("green")
    ground.central.port(other, "green1")
    h = ground.host()
    eventually(h.bridge)
    h.plug("vif1", "vm1")
    h.plug("vif2", "vm2")
    h.plug("vif3", "green1")
    h.pcap = h.dir / "vif2.pcap"
    h.vsctl("--no-wait", "set", "Interface", "vif2", f"options:tx_pcap={h.pcap}")
    for name in ("vm1", "vm2", "vm1c", "green1"):
        owner(ground, name, "hv1")
    eventually(h.pcap.exists)
    return h


def inject(h, microflow):
    """(status, what was said)."""
    r = subprocess.run([BUILD / "bin/ovn-appctl", "-T", "10", "-t", f"{h.dir}/ovn-controller.{h.pids['controller'][0]}.ctl", "inject-pkt", microflow],
                       stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert not r.stdout
    return r.returncode, r.stderr.splitlines()[0] if r.stderr else ""


def frames(h):
    return [data for data, _ in RawPcapReader(str(h.pcap))] if os.path.getsize(h.pcap) > 24 else []


def arrives(h, microflow):
    """The one frame that comes out of vm2."""
    before = len(frames(h))
    assert inject(h, microflow) == (0, "")
    got = eventually(lambda: frames(h)[before:], what=f"no packet of {microflow}")
    assert len(got) == 1
    return Ether(got[0])


def intact(p):
    """Scapy fills in lengths and checksums; they are what came."""
    again = Ether(bytes(p))
    for layer in again.layers():
        for field in ("chksum", "cksum", "len", "plen", "dataofs", "ihl"):
            if field in again[layer].fields:
                del again[layer].fields[field]
    return bytes(again) == bytes(p)


def test_packets_come_out_as_described(net):
    p = arrives(net, f"{ETH} && ip4.src == 10.0.0.1 && ip4.dst == 10.0.0.2 && ip.ttl == 64 && udp.src == 1000 && udp.dst == 2000")
    assert (p.src, p.dst, p[IP].src, p[IP].dst, p[IP].ttl, p[UDP].sport, p[UDP].dport) == (FROM, TO, "10.0.0.1", "10.0.0.2", 64, 1000, 2000)
    assert intact(p)
    p = arrives(net, f"{ETH} && ip4.src == 10.0.0.1 && ip4.dst == 10.0.0.2 && ip.ttl == 9 && ip.dscp == 10 && tcp.dst == 80 && tcp.flags == 2")
    assert (p[TCP].dport, str(p[TCP].flags), p[IP].tos, p[IP].ttl) == (80, "S", 40, 9) and intact(p)
    p = arrives(net, f"{ETH} && ip4.src == 10.0.0.1 && ip4.dst == 10.0.0.2 && ip.ttl == 1 && icmp4.type == 8")
    assert p[ICMP].type == 8 and intact(p)
    p = arrives(net, f"{ETH} && ip6.src == fd00::1 && ip6.dst == ff02::1:ff00:2 && nd_ns && nd.target == fd00::2 && nd.sll == {FROM}")
    assert (p[ICMPv6ND_NS].tgt, p[ICMPv6NDOptSrcLLAddr].lladdr, p[IPv6].hlim) == ("fd00::2", FROM, 255) and intact(p)
    p = arrives(net, f"{ETH} && arp.op == 1 && arp.spa == 10.0.0.1 && arp.sha == {FROM} && arp.tpa == 10.0.0.2")
    assert (p[ARP].op, p[ARP].psrc, p[ARP].hwsrc, p[ARP].pdst) == (1, "10.0.0.1", FROM, "10.0.0.2")
    p = arrives(net, f"{ETH} && vlan.vid == 7 && eth.type == 0x88b5")
    assert p[Dot1Q].vlan == 7 and p[Dot1Q].type == 0x88b5


def test_metadata_of_the_description(net):
    assert arrives(net, f'inport == "vm1" && eth.src == {FROM} && eth.type == 0x88b5 && reg5 == 7').src == FROM
    assert arrives(net, f'inport == "vm1" && eth.src == {FROM} && eth.type == 0x88b5 && outport == "vm2"').src == FROM
    assert arrives(net, f'inport == "vm1c" && eth.src == {FROM} && eth.type == 0x88b5').src == FROM, "from a container"


@pytest.mark.parametrize("microflow, said", [
    ("", "error parsing flow"),
    ("nonsense", "error parsing flow"),
    ('inport == "vm1" && ip4 && ip6', "contradictory"),
    ('inport == "vm1" && (ip4 || ip6)', "ambiguous"),
    ('inport == "vm1" && tcp.dst == 80', "it does not say enough about eth_type"),
    ('inport == {"vm1", "vm2"}', "ambiguous"),
    ("ip4", "does not say an inport"),
    ('inport == "nobody" && ip4', 'port "nobody" is not on a datapath of this chassis'),
    ('inport == "vm3" && ip4', "ingress port not found on hypervisor"),
    ('inport == "vm1" && outport == "nobody"', 'port "nobody" is not on a datapath of this chassis'),
    ('inport == "vm1" && outport == "green1" && ip4', "the outport is not on the datapath of the inport"),
    ('inport == "vm1" && ip4 && ct.est', "ct_state cannot be set"),
    ("(" * 5000, "error parsing flow"),
])
def test_refusals(net, microflow, said):
    status, error = inject(net, microflow)
    assert status == 2 and said in error
    assert frames(net) == []


def test_arguments_and_a_switch_that_is_away(net):
    assert "at least 1 argument" in subprocess.run([BUILD / "bin/ovn-appctl", "-t", f"{net.dir}/ovn-controller.{net.pids['controller'][0]}.ctl",
                                                    "inject-pkt"], stderr=subprocess.PIPE, text=True).stderr
    net.kill("vswitchd")
    eventually(lambda: inject(net, f"{ETH} && eth.type == 0x88b5") == (2, "ovn-controller is not ready: the integration bridge is not connected"))
    net.start_vswitchd()

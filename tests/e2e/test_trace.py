"""Random packets: ovn-trace says what the switch does (ofproto/trace on the flows that our ovn-controller has installed): dropped or not, and the ports."""
import json
import os
import random
import re
import subprocess

import pytest
from conftest import REPO

TOPOLOGY = """
[hypervisor.hv1]
[switch.blue]
[switch.red]
[vm.a]
switch = "blue"
on = "hv1"
mac = "0a:00:00:00:00:01"
ip = ["10.0.0.1/24", "fd00::1/64"]
[vm.b]
switch = "blue"
on = "hv1"
mac = "0a:00:00:00:00:02"
ip = "10.0.0.2/24"
[vm.c]
switch = "blue"
on = "hv1"
mac = "0a:00:00:00:00:03"
addresses = ["unknown"]
[vm.d]
switch = "red"
on = "hv1"
mac = "0a:00:00:00:00:01"
ip = "10.0.0.1/24"
[vm.e]
switch = "red"
on = "hv1"
mac = "0a:00:00:00:00:05"
ip = "10.0.0.5/24"
"""
PACKETS = int(os.environ.get("OVN_PACKETS", "300"))
MACS = [f"0a:00:00:00:00:0{i}" for i in range(1, 6)] + ["ff:ff:ff:ff:ff:ff", "01:00:5e:00:00:01", "33:33:00:00:00:01", "0a:00:00:00:00:99"]
IP4 = ["10.0.0.1", "10.0.0.2", "10.0.0.5", "10.0.0.255", "10.0.8.7", "0.0.0.0", "255.255.255.255", "224.0.0.1", "8.8.8.8"]
IP6 = ["fd00::1", "fd00::2", "fe80::800:ff:fe00:1", "fe80::800:ff:fe00:2", "ff02::1", "::"]


def random_packet(r):
    """inport, and the rest of a microflow."""
    words = [f"eth.src == {r.choice(MACS)}", f"eth.dst == {r.choice(MACS)}"]
    kind = r.choice(["none", "arp", "ip4", "ip4", "ip6", "nd", "vlan"])
    if kind == "arp":
        words += [f"arp.op == {r.randint(1, 3)}", f"arp.sha == {r.choice(MACS)}", f"arp.spa == {r.choice(IP4)}", f"arp.tpa == {r.choice(IP4)}"]
    elif kind == "ip4":
        words += [f"ip4.src == {r.choice(IP4)}", f"ip4.dst == {r.choice(IP4)}", "ip.ttl == 64",
                  r.choice(["udp.src == 68 && udp.dst == 67", "udp.dst == 53", "tcp.dst == 80", "icmp4.type == 8"])]
    elif kind == "ip6":
        words += [f"ip6.src == {r.choice(IP6)}", f"ip6.dst == {r.choice(IP6)}", "ip.ttl == 64", r.choice(["udp.dst == 53", "icmp6.type == 143"])]
    elif kind == "nd":
        words += [f"ip6.src == {r.choice(IP6)}", f"ip6.dst == {r.choice(IP6)}", f"nd_na && nd.target == {r.choice(IP6)}", f"nd.tll == {r.choice(MACS[:5])}"]
    else:
        words += ["eth.type == 0x88b5"] + (["vlan.vid == 9"] if kind == "vlan" else [])
    return r.choice("abcde"), " && ".join(words)


@pytest.fixture
def secured(lab):
    lab.nbctl("lsp-set-port-security", "a", "0a:00:00:00:00:01 10.0.0.1/24 10.0.8.0/24 fd00::1")
    lab.nbctl("lsp-set-port-security", "e", "0a:00:00:00:00:05 10.0.0.5", "0a:00:00:00:00:04")
    lab.nbctl("--wait=hv", "lsp-set-port-security", "b", "0a:00:00:00:00:02")
    return lab


def interfaces(lab):
    """Interface name -> logical port, and logical port -> OpenFlow port."""
    out = json.loads(lab.ovs("hv1", "vsctl", "--format=json", "--columns=name,ofport,external_ids", "list", "Interface"))
    ports, numbers = {}, {}
    for name, ofport, (_, ids) in out["data"]:
        if dict(ids).get("iface-id"):
            ports[name], numbers[dict(ids)["iface-id"]] = dict(ids)["iface-id"], ofport
    return ports, numbers


def exact(flow, in_port):
    """The microflow as this command wants it: fields by names of one protocol, a physical port in place of the logical one."""
    flow = re.sub(r"\breg14=0x[0-9a-f]+", f"in_port={in_port}", flow)
    for gone in "vlan_tci=0x0000,", "vlan_tci1=0x0000,", ",nd_sll=00:00:00:00:00:00", ",nd_tll=00:00:00:00:00:00":
        flow = flow.replace(gone, "")
    proto = flow.split(",")[0].removesuffix("6")
    if proto in ("tcp", "udp"):
        flow = flow.replace("tp_src", f"{proto}_src").replace("tp_dst", f"{proto}_dst")
    return flow.replace("icmp_", "icmpv6_" if flow.startswith("icmp6") else "icmp_")


def test_the_switch_does_the_same(secured):
    lab, r, compared, delivered = secured, random.Random(int(os.environ.get("OVN_SEED", "1"))), 0, 0
    ports, numbers = interfaces(lab)
    for _ in range(PACKETS):
        inport, rest = random_packet(r)
        microflow = f'inport == "{inport}" && {rest}'
        done = subprocess.run([REPO / "build/bin/ovn-trace", "--minimal", microflow], env=lab.tool_environment(),
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, timeout=20)
        assert done.returncode == 0 and not done.stderr, (microflow, done.stderr)
        if " {" in done.stdout:
            continue                                             # Another packet, made by the controller.
        said = sorted(re.findall(r'output\("([^"]*)"\)', done.stdout))
        flow = exact(done.stdout.split("\n", 1)[0].removeprefix("# "), numbers[inport])
        seen = lab.ovs("hv1", "appctl", "ofproto/trace", "--names", "br-int", flow)
        actions = seen.rsplit("Datapath actions:", 1)[1].split("\n", 1)[0]
        does = sorted(ports[name] for name in re.findall(r"[A-Za-z0-9_.-]+", actions) if name in ports)
        assert said == does, f"{microflow}\nsaid {said}, does {does}\n{done.stdout}\n{seen}"
        compared += 1
        delivered += bool(said)
    assert compared > PACKETS / 2 and delivered > compared / 20

"""Random packets through random ACLs (with connection tracking, port groups, address sets, logging), QoS rules and a load balancer that Debian's ovn-northd has made, on our
ovn-controller: ovn-trace says what the switch does (ofproto/trace): dropped or not, and the ports. Both are told what connection tracking finds.

OVN_PACKETS: how many for each of the rounds; OVN_SEED."""
import os
import random
import re
import subprocess

import pytest
from conftest import REPO
from ovnlab import programs
from test_trace import exact, interfaces

pytestmark = pytest.mark.skipif(not programs.peer_available(), reason="Debian's OVN is not unpacked (make check-peer)")

TOPOLOGY = """
[programs]
northd = "peer"
nbctl = "peer"
sbctl = "peer"
schema = "peer"
[hypervisor.hv1]
[switch.blue]
[vm.a]
switch = "blue"
on = "hv1"
mac = "0a:00:00:00:00:01"
ip = ["10.0.0.1/24", "fd00::1/64"]
[vm.b]
switch = "blue"
on = "hv1"
mac = "0a:00:00:00:00:02"
ip = ["10.0.0.2/24", "fd00::2/64"]
[vm.c]
switch = "blue"
on = "hv1"
mac = "0a:00:00:00:00:03"
ip = "10.0.0.3/24"
[vm.d]
switch = "blue"
on = "hv1"
mac = "0a:00:00:00:00:04"
addresses = ["unknown"]
"""
PACKETS = int(os.environ.get("OVN_PACKETS", "60"))
ROUNDS = 3
PORTS = "abcd"
MACS = [f"0a:00:00:00:00:0{i}" for i in range(1, 5)]
STATES = ["new", "est", "est,rpl", "rel,rpl", "inv"]


def random_rules(r, stateful):
    """Words for ovn-nbctl, in one transaction."""
    priorities, words = r.sample(range(1, 2000), 12), []
    for priority in priorities:
        direction, side = r.choice([("from-lport", "inport"), ("to-lport", "outport")])
        where = r.choice(["@pg", "@pg"] + [f'"{p}"' for p in PORTS])
        match = r.choice(["ip4", "ip6", "tcp.dst == 80", "udp", "ip4.src == $as4", "ip6.dst == $as6", "icmp", "tcp.dst == {22, 80} && ip4", "tcp.dst > 100 && tcp.dst < 1000",
                          "ip4.dst == 10.0.0.0/30", "arp", "ip4.src == $pg_ip4", "udp.dst != 53 && ip4.src == $as4", "ip.ttl == 64 && ip4.dst == {10.0.0.2, 10.0.0.3}"])
        action = r.choice(["drop", "drop", "allow", "allow-stateless"] + (["allow-related"] if stateful else []) + (["reject"] if match != "arp" else []))
        options = r.choice([[], [], ["--log", "--name=rule"]]) + (["--apply-after-lb"] if direction == "from-lport" and r.random() < 0.3 else [])
        words += ["--", *options, "--type=port-group" if where == "@pg" else "--type=switch", "acl-add", "pg" if where == "@pg" else "blue", direction, str(priority),
                  f"{side} == {where} && ({match})", action]
    if stateful:
        words += ["--", "acl-add", "blue", "to-lport", "0", "ip", "allow-related"]
    words += ["--", "qos-add", "blue", r.choice(["from-lport", "to-lport"]), "100", "ip4", r.choice(["dscp=12", "rate=1000", "rate=1000 burst=200 dscp=3"])]
    return [w for word in words for w in (word.split(" ") if word.startswith("rate=") else [word])]


def random_packet(r):
    words = [f"eth.src == {r.choice(MACS)}", f"eth.dst == {r.choice(MACS + MACS + ['ff:ff:ff:ff:ff:ff', '01:00:5e:00:00:05', '0a:00:00:00:00:99'])}"]
    kind = r.choice(["none", "arp", "ip4", "ip4", "ip4", "ip4", "ip6", "ip6"])
    if kind == "arp":
        words += [f"arp.op == {r.randint(1, 2)}", f"arp.sha == {r.choice(MACS)}", f"arp.spa == 10.0.0.{r.randint(1, 5)}", f"arp.tpa == 10.0.0.{r.randint(1, 5)}"]
    elif kind == "ip4":
        words += [f"ip4.src == 10.0.0.{r.randint(1, 5)}", f"ip4.dst == {r.choice([f'10.0.0.{r.randint(1, 5)}', '8.8.8.8', '255.255.255.255'])}", "ip.ttl == 64",
                  r.choice(["udp.dst == 53", "udp.dst == 54", "tcp.dst == 80", "tcp.dst == 22", "tcp.dst == 443", "icmp4.type == 8"])]
    elif kind == "ip6":
        words += [f"ip6.src == fd00::{r.randint(1, 3)}", f"ip6.dst == fd00::{r.randint(1, 3)}", "ip.ttl == 64", r.choice(["udp.dst == 53", "tcp.dst == 80", "icmp6.type == 128"])]
    return r.choice(PORTS), " && ".join(words)


def ask(lab, microflow, state):
    done = subprocess.run([REPO / "build/bin/ovn-trace", "--minimal", *[f"--ct={state}"] * 8, microflow], env=lab.tool_environment(),
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, timeout=20)
    assert done.returncode == 0 and not done.stderr, (microflow, done.stderr)
    return done.stdout


@pytest.mark.parametrize("number", range(ROUNDS))
def test_the_switch_does_the_same(lab, number):
    r, compared, delivered = random.Random(int(os.environ.get("OVN_SEED", "1")) * 100 + number), 0, 0
    ports, numbers = interfaces(lab)
    try:
        lab.nbctl("create", "Address_Set", "name=as4", 'addresses="10.0.0.1","10.0.0.4/31"', "--", "create", "Address_Set", "name=as6", 'addresses="fd00::2"',
                  "--", "pg-add", "pg", *sorted(r.sample(PORTS, 2)), *random_rules(r, stateful=number != 1))
        if number == 2:
            lab.nbctl("lb-add", "lb", "10.77.0.1:80", "10.0.0.2:8080,10.0.0.3:8080", "tcp", "--", "ls-lb-add", "blue", "lb")
        lab.nbctl("--wait=hv", "sync")
        for _ in range(PACKETS):
            inport, rest = random_packet(r)
            state, microflow = r.choice(STATES), f'inport == "{inport}" && {rest}'
            out = ask(lab, microflow, state)
            if re.search(r"^ *(arp|icmp4|icmp6|tcp_reset|nd_na)\b.*[{;]$", out, flags=re.M):
                continue                                         # Another packet, made by the controller.
            said = sorted(re.findall(r'output\("([^"]*)"\)', out))
            flow = exact(out.split("\n", 1)[0].removeprefix("# "), numbers[inport])
            seen = lab.ovs("hv1", "appctl", "ofproto/trace", "--names", "br-int", flow, *["--ct-next", "trk," + state] * 16)
            actions = " ".join(re.findall(r"^Datapath actions: (.*)$", seen, flags=re.M))
            does = sorted(ports[name] for name in re.findall(r"[A-Za-z0-9_.-]+", actions) if name in ports)
            assert said == does, f"--ct={state} {microflow}\nsaid {said}, does {does}\n{lab.nbctl('acl-list', 'blue')}\n{out}\n{seen}"
            compared += 1
            delivered += bool(said)
    finally:
        lab.nbctl("--wait=hv", "clear", "Logical_Switch", "blue", "acls", "qos_rules", "load_balancer",
                  *[w for table in ("Port_Group", "Address_Set", "Load_Balancer") for w in ("--", "--all", "destroy", table)])
    assert compared > PACKETS / 2 and delivered > compared / 20

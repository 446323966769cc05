"""Our ovn-controller and Debian's over the same southbound database, made by Debian's ovn-northd: random networks, random packets, and the switches of both
do the same to them, as ofproto/trace tells: where they go, with which headers, through which connection tracking, and what goes to the controller.

Both are the same chassis, one after the other, each with a switch of its own over the dummy datapath."""
import random
import re
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

REPO = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(REPO / "tests/controller"), str(REPO / "tests/trace")]
from ground import Host, eventually                                 # noqa: E402
from network import PEER, Network                                   # noqa: E402

pytestmark = pytest.mark.skipif(not PEER, reason="no peer: run `tools/check-peer --unpack`")
HERE, THERE = "192.0.2.1", "192.0.2.2"


def mac(i):
    return f"0a:00:00:00:00:{i:02x}"


# ---- networks ----

class Random:
    """A network of two switches with ports here, on another chassis, and nowhere; and what a packet there may look like."""

    def __init__(self, seed):
        self.r = random.Random(seed)
        self.lines, self.ports = [], {}                 # name -> (switch, number, where)
        self.secure = set()                             # Switches with port security, of IP addresses too.
        for s in "ab":
            self.lines.append(f"ls-add {s}")
            for i in range(6):
                self.port(s, i + (11 if s == "b" else 1), ["here", "here", "here", "there", "there", "nowhere"][i])
        self.groups()
        for s in "ab":
            for _ in range(self.r.randrange(8)):
                self.acl(s)
            if self.r.random() < 0.5:
                self.lines.append(f"qos-add {s} {self.r.choice(['from', 'to'])}-lport 10 '{self.match(s)}' dscp={self.r.randrange(64)}")

    def here(self):
        return [p for p, (_, _, where) in self.ports.items() if where == "here"]

    def port(self, switch, i, where):
        r, name, address = self.r, f"p{i}", f"{mac(i)} 10.0.0.{i} fd00::{i:x}"
        self.ports[name] = switch, i, where
        self.lines.append(f"lsp-add {switch} {name}")
        kinds = [f'"{address}"', f'"{mac(i)}"', f'"{address}" unknown', "unknown", f'"{address}" "{mac(i + 100)} 10.0.1.{i}"']
        self.lines.append(f"lsp-set-addresses {name} {r.choice(kinds)}")
        if r.random() < 0.5:
            security = [f'"{address}"', mac(i), f'"{mac(i)} 10.0.0.{i}/24 10.0.9.0/24"', f'"{mac(i)} 10.0.0.{i} fd00::{i:x}/64"', f'{mac(i)} {mac(i + 100)}']
            self.lines.append(f"lsp-set-port-security {name} {r.choice(security)}")
            self.secure.add(switch)
        if r.random() < 0.1:
            self.lines.append(f"lsp-set-enabled {name} disabled")

    def groups(self):
        r = self.r
        for g in "gh":
            members = r.sample(sorted(self.ports), r.randrange(1, 7))
            self.lines.append(f"pg-add {g} {' '.join(members)}")
        four = ",".join([f'"10.0.0.{i}"' for i in r.sample(range(16), 3)] + [f'"10.0.{r.randrange(2)}.0/30"'])
        self.lines.append(f"create Address_Set name=four addresses='{four}'")
        self.lines.append(f"create Address_Set name=six addresses='\"fd00::{r.randrange(8):x}\",\"fd00::8/125\"'")

    def match(self, switch):
        """An expression that is sometimes true; of a switch, or of a port group's ports."""
        r = self.r
        direction = r.choice(["src", "dst"])
        port = r.choice([p for p, (s, _, _) in self.ports.items() if s == switch])
        pieces = ["ip4", "ip6", "ip", "tcp", "udp", "icmp4", "arp", f"eth.{direction} == {mac(r.randrange(16))}", f"ip4.{direction} == $four",
                  f"ip6.{direction} == $six", f"ip4.{direction} == 10.0.0.{r.randrange(16)}", f"tcp.dst == {{{r.randrange(78, 82)}, 443}}",
                  f"udp.{direction} > {r.randrange(2000)}", f"{r.randrange(50)} <= tcp.dst <= {r.randrange(50, 300)}", "ip.ttl == 64", "!(tcp.dst == 80)",
                  f'{r.choice(["inport", "outport"])} == "{port}"', "ip4.src == $g_ip4", "ip.frag == 0", "ip4.src == $h_ip4 && tcp.dst == {80, 81}",
                  "(ip4.src == 10.0.0.0/29 || tcp.dst == 80) && ip4.dst == {10.0.0.1, 10.0.0.2, 10.0.0.11}"]
        return " && ".join(f"({p})" if "||" in p else p for p in r.sample(pieces, r.choice([1, 1, 2])))

    def acl(self, switch):
        r = self.r
        direction = r.choice(["from-lport", "to-lport"])
        entity, match = switch, self.match(switch)
        options = []
        if r.random() < 0.4:
            entity = r.choice("gh")
            match = f"{'inport' if direction == 'from-lport' else 'outport'} == @{entity} && ({match})"
        if r.random() < 0.2:
            options.append("--log")
        verdict = r.choice(["allow", "allow-related", "allow-related", "drop", "drop", "reject", "allow-stateless"])
        if verdict == "allow-related" and r.random() < 0.3:
            options.append(f"--label={r.randrange(1, 1000)}")
        if direction == "from-lport" and r.random() < 0.3 and verdict != "allow-stateless":
            options.append("--apply-after-lb")
        self.lines.append(f"{' '.join(options)} acl-add {entity} {direction} {r.randrange(1000, 1010)} '{match}' {verdict}")

    def packet(self):
        """(port, flow for ofproto/trace, options)"""
        r = self.r
        port = r.choice(self.here())
        switch, i, _ = self.ports[port]
        source = i if r.random() < 0.8 else r.randrange(16)
        target = r.choice([n for _, (s, n, _) in self.ports.items() if s == switch] + [r.randrange(16)])
        dst = r.choice([mac(target)] * 6 + [mac(target + 100), "ff:ff:ff:ff:ff:ff", "01:00:5e:00:00:05", "33:33:00:00:00:05", mac(0x99)])
        flow = f"in_port={port},dl_src={mac(source if r.random() < 0.9 else r.randrange(16))},dl_dst={dst}"
        four, six = f"nw_src=10.0.0.{source},nw_dst=10.0.{r.choice([0, 0, 0, 1])}.{target}", f"ipv6_src=fd00::{source:x},ipv6_dst=fd00::{target:x}"
        tcp, udp, sctp = (f"{p}_src={r.randrange(1, 3000)},{p}_dst={r.choice([79, 80, 81, 443, 53, 1000])}" for p in ("tcp", "udp", "sctp"))
        kinds = [
            f"tcp,{four},{tcp},nw_ttl=64", f"udp,{four},{udp},nw_ttl=63", f"icmp,{four},icmp_type=8,icmp_code=0,nw_ttl=64", f"tcp6,{six},{tcp},nw_ttl=64",
            f"udp6,{six},{udp},nw_ttl=64", f"icmp6,{six},icmpv6_type=128,icmpv6_code=0,nw_ttl=64", f"sctp,{four},{sctp},nw_ttl=64", f"ip,{four},nw_proto=47,nw_ttl=9",
            f"arp,arp_op={r.choice([1, 2])},arp_spa=10.0.0.{source},arp_tpa=10.0.0.{target},arp_sha={mac(source)},arp_tha={mac(0)}",
            f"icmp6,ipv6_src=fd00::{source:x},ipv6_dst=ff02::1:ff00:{target:x},icmpv6_type=135,icmpv6_code=0,nw_ttl=255,nd_target=fd00::{target:x}",
            f"tcp,{four},{tcp},nw_ttl=64,nw_frag=first",
        ]
        if switch not in self.secure:                   # See test_port_security_differs().
            kinds += [f"icmp6,{six},icmpv6_type=136,icmpv6_code=0,nw_ttl=255,nd_target=fd00::{source:x},nd_tll={mac(source)}", "dl_type=0x88b5"]
        flow += "," + r.choice(kinds)
        states = r.choice([["trk,new"] * 4, ["trk,est"] * 4, ["trk,est,rpl"] * 4, ["trk,new", "trk,est"] * 2, ["trk,rel"] * 4, ["trk,inv"] * 4, ["trk,new,rel"] * 4])
        return port, flow, [x for s in states for x in ("--ct-next", s)]


# ---- what a switch does ----

def pieces(actions):
    """Datapath actions, separated."""
    depth, start = 0, 0
    for i, c in enumerate(actions + ","):
        depth += (c == "(") - (c == ")")
        if c == "," and not depth:
            yield actions[start:i]
            start = i + 1


def verdict(trace, names):
    """What becomes of the packet, with the other's numbers left out: [what, ...] in order."""
    found = []
    for actions in re.findall(r"^Datapath actions: (.*)$", trace, re.M):
        for p in pieces(actions):
            if p.isdigit():
                found.append(names[int(p)])
            elif p.startswith("clone("):
                found += [w for w in verdict(f"Datapath actions: {p[6:-1]}", names)]
            elif p.startswith("userspace("):
                found.append("to the controller")
            elif p.startswith("tnl_push("):
                found.append(" ".join(re.findall(r"vni=\w+|options\([^)]*\)+|dst=[\d.]+", p)))
            elif p.startswith("ct("):
                found.append(re.sub(r"zone=\d+,?", "", p))
            elif not p.startswith(("recirc(", "drop", "ct_clear", "hash(", "set(skb_priority", "meter(")):
                found.append(p)
    return found


def names_of_ports(h):
    shown = h.ovs("appctl", "-t", f"{h.dir}/vswitchd.ctl", "dpctl/show")
    return {int(n): name for n, name in re.findall(r"port (\d+): (\S+)", shown)}


def make_host(network, name, ports):
    """A switch whose tunnels have a way out, with its virtual machines."""
    h = Host(SimpleNamespace(dir=network.dir), name, HERE, SimpleNamespace(sock=network.dir / "sb.sock"), controller=False, system_id="hv1", hostname="hv1")
    h.vsctl("--no-wait", "add-br", "br-phys")
    eventually(lambda: "br-phys" in h.ovs("appctl", "-t", f"{h.dir}/vswitchd.ctl", "dpctl/show"))
    for words in (["netdev-dummy/ip4addr", "br-phys", f"{HERE}/24"], ["ovs/route/add", "192.0.2.0/24", "br-phys"],
                  ["tnl/neigh/set", "br-phys", THERE, "aa:55:00:00:00:02"]):
        h.ovs("appctl", "-t", f"{h.dir}/vswitchd.ctl", *words)
    h.vsctl("--no-wait", "--may-exist", "add-br", "br-int", "--", "set", "Bridge", "br-int", "fail_mode=secure", "other_config:disable-in-band=true")
    for p in ports:
        h.plug(p, p)
    return h


def ask(h, packets):
    traces = [h.ovs("appctl", "-t", f"{h.dir}/vswitchd.ctl", "ofproto/trace", "br-int", flow, *options) for _, flow, options in packets]
    names = names_of_ports(h)                           # Last: a tunnel's port comes when it is first used.
    return [verdict(t, names) for t in traces]


@pytest.fixture
def network():
    n = Network(peer=True)
    hosts = []
    n.hosts = hosts
    try:
        yield n
    finally:
        for h in hosts:
            h.end()
        n.stop()


def compare(network, lines, ports, elsewhere, packets, lacking=()):
    """Both controllers on the network of LINES; PACKETS(seed) meet the same. LACKING: what our controller may say that it cannot do yet."""
    network.build("\n".join(lines))
    network.sbctl("chassis-add", "hv2", "geneve", THERE)
    for p in elsewhere:
        network.sbctl("lsp-bind", p, "hv2")
    answers = []
    for kind in "ours", "peer":
        h = make_host(network, kind, ports)
        network.hosts.append(h)
        if kind == "ours":
            h.start_controller()
        else:
            h.env.update(network.peer_env, **{k: v for k, v in h.env.items() if k.startswith(("OVS_", "OVN_"))})
            h.start("controller", PEER / "bin/ovn-controller", f"unix:{h.sock}", stem="ovn-controller")
        eventually(lambda: all(h.installed(p) for p in ports), 20, "not all ports are there")
        network.nbctl("--timeout=20", "--wait=hv", "sync")
        answers.append(ask(h, packets))
        if kind == "ours":
            strange = [l for l in h.complaints() if not any(x in l for x in lacking)]
            assert not strange, strange
            h.kill("controller")
    return answers


def check(network, n, packets, lacking=()):
    ours, peer = compare(network, n.lines, n.here(), [p for p, (_, _, where) in n.ports.items() if where == "there"], packets, lacking)
    assert any(p for p in peer) and any(not p for p in peer)
    different = [(p[1], " ".join(p[2][1::2]), x, y) for p, x, y in zip(packets, ours, peer) if sorted(x) != sorted(y)]
    assert not different, "\n".join(f"{flow} ({state})\n  ours {x}\n  peer {y}" for flow, state, x, y in different[:5]) + f"\n{len(different)} of {len(packets)}"


@pytest.mark.parametrize("seed", range(6))
def test_switches(network, seed):
    n = Random(seed)
    check(network, n, [n.packet() for _ in range(150)])


ROUTER = "0a:00:00:00:ff:{:02x}"


def routed(seed):
    """The switches are two networks with a router between them: (network, packets)."""
    n = Random(seed)
    n.lines += ["lr-add r", f"lrp-add r ra {ROUTER.format(1)} 10.0.0.254/24 fd00::ff/64", f"lrp-add r rb {ROUTER.format(2)} 10.5.0.254/24 fd05::ff/64",
                "lr-route-add r 10.6.0.0/16 10.5.0.20", "lr-route-add r 10.7.0.0/16 discard", "lr-policy-add r 10 'ip4.dst == 10.0.0.3' drop",
                "lr-policy-add r 9 'ip4.src == 10.0.0.2' allow"]
    for switch in "ab":
        n.lines += [f"lsp-add {switch} to-{switch} -- lsp-set-type to-{switch} router -- lsp-set-addresses to-{switch} router -- "
                    f"lsp-set-options to-{switch} router-port=r{switch}"]
    n.lines += [f'lsp-set-addresses p{i} "{mac(i)} 10.5.0.{i} fd05::{i:x}"' for i in range(11, 17)]
    n.lines += [f"lsp-set-port-security p{i}" for i in [*range(1, 7), *range(11, 17)]]
    n.secure = set("ab")
    n.lines = [line for line in n.lines if not line.startswith("qos-add")]

    def packet():
        port, flow, options = n.packet()
        side, i, _ = n.ports[port]
        if n.r.random() < 0.7:
            own, other = ("0", "5") if side == "a" else ("5", "0")
            source = f"nw_src=10.{own}.0.{i}" if n.r.random() < 0.9 else f"nw_src=10.{own}.0.99"
            target = n.r.choice([f"10.{other}.0.{n.r.randrange(1, 17)}"] * 4 + ["10.0.0.254", "10.5.0.254", "10.6.1.1", "10.7.1.1", "8.8.8.8", "255.255.255.255"])
            six = f"ipv6_src=fd0{own}::{i:x},ipv6_dst=fd0{other}::{n.r.randrange(1, 17):x}"
            ttl = n.r.choice([64, 64, 64, 2, 1, 0])
            flow = f"in_port={port},dl_src={mac(i)},dl_dst={ROUTER.format(1 if side == 'a' else 2)}," + n.r.choice([
                f"tcp,{source},nw_dst={target},tcp_src=5,tcp_dst=80,nw_ttl={ttl}", f"udp,{source},nw_dst={target},udp_src=5,udp_dst=53,nw_ttl={ttl}",
                f"icmp,{source},nw_dst={target},icmp_type=8,icmp_code=0,nw_ttl={ttl}", f"udp6,{six},udp_src=5,udp_dst=53,nw_ttl={ttl}",
                f"icmp6,{six},icmpv6_type=128,icmpv6_code=0,nw_ttl={ttl}",
                f"arp,arp_op=1,arp_spa=10.{own}.0.{i},arp_tpa=10.{own}.0.254,arp_sha={mac(i)},arp_tha={mac(0)}"])
        return port, flow, options

    return n, [packet() for _ in range(150)]


@pytest.mark.xfail(strict=True, raises=AssertionError, reason="our controller does not take a packet from a switch to its router yet")
@pytest.mark.parametrize("seed", range(10, 12))
def test_a_router(network, seed):
    check(network, *routed(seed))


def test_port_security_differs(network):
    """Where the other does not do what ovn-nb(5) says: a neighbour advertisement from who may send it; ARP to a port that has IPv6 addresses only."""
    lines = ["ls-add a"]
    for i, security in ((1, f'"{mac(1)} fd00::1"'), (2, ""), (3, f'"{mac(3)} 10.0.0.3"'), (4, mac(4))):
        lines += [f"lsp-add a p{i}", f'lsp-set-addresses p{i} "{mac(i)} 10.0.0.{i} fd00::{i}"'] + ([f"lsp-set-port-security p{i} {security}"] if security else [])
    to = lambda i, k, more: (f"p{i}", f"in_port=p{i},dl_src={mac(i)},dl_dst={mac(k)},{more}", [])
    packets = [to(4, 2, f"icmp6,ipv6_src=fd00::4,ipv6_dst=fd00::2,icmpv6_type=136,icmpv6_code=0,nw_ttl=255,nd_target=fd00::4,nd_tll={mac(4)}"),
               to(2, 1, f"arp,arp_op=2,arp_spa=10.0.0.2,arp_tpa=10.0.0.1,arp_sha={mac(2)},arp_tha={mac(1)}"), to(3, 2, "dl_type=0x88b5")]
    ours, peer = compare(network, lines, ["p1", "p2", "p3", "p4"], [], packets)
    assert ours == [["p2"], [], []]
    assert peer == [[], ["p1"], []]

"""Random packets through random networks that Debian's ovn-northd has made: our ovn-trace and Debian's say the same, to the letter, in all three forms.

Where Debian's 23.03 and the manual differ the manual is right; each such place is one of the functions below, with its sentence. OVN_SECONDS: go on for so long; OVN_SEED: from
which network on; OVN_PACKETS: how many in each."""
import difflib
import ipaddress
import os
import re
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
from network import PEER, Network, outputs
from random_network import RandomNetwork

pytestmark = pytest.mark.skipif(PEER is None, reason="Debian's OVN is not unpacked (make check-peer)")

SECONDS, NETWORKS = float(os.environ.get("OVN_SECONDS", "0")), 4
FIRST_SEED = int(os.environ.get("OVN_SEED", "1"))
PACKETS = int(os.environ.get("OVN_PACKETS", "30"))
# ovn-sb(5), Static_MAC_Binding: "entries which are static in nature"; 23.03's ovn-trace does not read them. fwd_group: "directs packet to one of those ports"; it only names it.
# A port with port security sends no protocol but IP and ARP (e2e/test_port_security.py; Debian's switch does the same): its ovn-trace lets others pass, so random_network.py makes none.
# ovn-architecture(7): flags are "intended to handle keeping context between tables in order to decide which rules in subsequent tables are matched"; it forgets them before egress.
WITHOUT = "static_mac", "forwarding_group", "egress_flags"


def words(text):
    """ovn-sb(5) calls the actions ct_dnat_in_czone and ct_snat_in_czone."""
    return text.replace("ct_dnatin_czone", "ct_dnat_in_czone").replace("ct_snatin_czone", "ct_snat_in_czone")


def registers(text):
    """ovn-trace(8): "Minimal output includes only actions that modify packet data (not including OVN registers or metadata such as outport) and output actions"."""
    return re.sub(r"^ *(x*reg\d+(\[[^]]*\])? = |/\* DHCP \*/).*\n", "", text, flags=re.M)


def constants(text):
    """ovn-trace(8): "The operands of actions that modify packet data are displayed reduced to constants, e.g. ip4.dst = reg0; might be show as ip4.dst = 192.168.0.1"."""
    def constant(match):
        name, value = match[1], int(match[2], 0)
        if name.startswith(("ip6", "nd.target")):
            return f"{name} = {ipaddress.IPv6Address(value)};"
        if name.startswith("eth") or name.endswith(("ll", "ha")):
            return f"{name} = {':'.join(f'{x:02x}' for x in value.to_bytes(6, 'big'))};"
        return f"{name} = {ipaddress.IPv4Address(value)};"
    return re.sub(r"((?:ip[46]|eth)\.(?:src|dst)|arp\.(?:[st]pa|[st]ha)|nd\.(?:target|[st]ll)) = (0x[0-9a-f]+|0);", constant, text)


def bindings(text):
    """It finds a MAC binding or an FDB entry, and prints zeros."""
    return re.sub(r"(MAC binding to|MAC lookup for) \S+ found", r"\1 MAC found", text)


def natted(text):
    """ovn-sb(5): one "should check ct_label.natted to detect load balanced traffic"; Debian's ct_lb does not set it."""
    return re.sub(r"reg9\[4\] = 1;", "reg9[4] = 0;", text)


def dns(text):
    """ovn-sb(5), dns_lookup: "If the packet is not a DNS query or no answer is found ... stores 0"; it does not know the action, we say why."""
    return re.sub(r"^ *(\*\*\* dns_lookup action not implemented|/\* The name that is asked for).*\n", "", text, flags=re.M)


def logged(text):
    """A load balancer changes the port of what has ports, Debian's the code of an ICMP packet, and that of an IGMP packet; what a flow makes of one copy of a multicast is not done to the next."""
    return re.sub(r"(icmp_code|nw_tos|tp_dst)=\d+", r"\1=N", text)


def dhcpv6(text):
    """It says DHCPDISCOVER of DHCPv6, too."""
    return re.sub(r"/\* We assume that this packet is .*DHCP.* \*/", "/* DHCP */", text)


def ties(text):
    """ovn-sb(5), priority: "If two logical flows with the same priority both match, then the one actually applied is undefined". northd has such: ct_clear or not."""
    return re.sub(r"^ *(\d+\. (ls_(in|out)_pre_(lb|acl) .*priority 110|lr_in_ip_input .*arp.op == 1.*priority 90), .*|ct_clear;|next;)\n", "", text, flags=re.M)


def assumed(text):
    """A packet that crosses a patch port, or comes from the controller, has not been tracked there (it is as in the switch: test_switch.py); Debian's still has what it
    was before, and so says more rarely that it assumes something."""
    return text.replace(" /* default (use --ct to customize) */", "")


def empty_blocks(text):
    while (shorter := re.sub(r"^( *)(.*) \{\n\1\};\n", r"\1\2;\n", text, flags=re.M)) != text:
        text = shorter
    return text


def underlines(text):
    """Of headings that have changed above."""
    return re.sub(r"^( *)-+$", r"\1-", text, flags=re.M)


def normal(text, minimal):
    for change in (words, bindings, natted, dns, logged, dhcpv6, ties, assumed, underlines) + ((registers, constants, empty_blocks) if minimal else ()):
        text = change(text)
    return text


def generated(text):
    """What the controller makes is not tracked: ovn-sb(5), arp, icmp4, ...: "executes each nested action on the" new packet. Debian's keeps the state of the old one. So within
    connection tracking it is compared up to there."""
    kept, skip = [], None
    for line in text.splitlines():
        depth = len(line) - len(line.lstrip())
        if skip is not None and depth <= skip:
            skip = None
        if skip is None:
            kept.append(line)
            if depth and re.match(r" +(arp|icmp4|icmp6|tcp_reset|sctp_abort) \{", line):
                skip = depth
    return "\n".join(kept)


def tracked_across_a_patch_port(text):
    """See assumed(): from there on the summary and the detailed form, which show what flows of a switch without connection tracking make of it, are not compared."""
    tracked, kept = False, []
    for line in text.splitlines():
        kept.append(line)
        tracked |= bool(re.match(r" *ct_(next|lb|dnat|snat|commit_nat)(?!.*;$)", line))
        if tracked and re.search(r'type "(patch|l3gateway)" \*/', line):
            break
    return "\n".join(kept)


def incomparable(theirs):
    """Debian's crashed, or traced what it cannot: a neighbour solicitation with the hop limit of the packet (RFC 4861, 7.1.1: 255, or nobody takes it for one)."""
    return theirs.returncode < 0 or "nd_ns {" in theirs.stdout


def compare(network, seed, text, packet, options):
    """The ports, None if the two cannot be compared."""
    with ThreadPoolExecutor(2) as pool:
        theirs, ours = [f.result() for f in [pool.submit(f, "--all", *options, packet) for f in (network.peer_trace, network.trace)]]
    if incomparable(theirs):
        return None
    where = f"OVN_SEED={seed}, ovn-trace {' '.join(map(repr, [*options, packet]))}\n{text}\n"
    assert ours.returncode == 0, where + ours.stderr
    for form, begin in (("minimal", "# Minimal trace.\n"), ("summary", "# Summary trace.\n"), ("detailed", "")):
        parts = [x.stdout.split(begin)[1] if begin else x.stdout for x in (theirs, ours)]
        parts = [x.split("# Minimal" if form == "summary" else "# Summary")[0] for x in parts]
        a, b = [generated(normal(x, form == "minimal")) if form != "detailed" else normal(x, False) for x in parts]
        if form != "minimal":
            a, b = tracked_across_a_patch_port(a), tracked_across_a_patch_port(b)
        if form != "detailed" or not re.search(r"^ *(arp|icmp4|icmp6|tcp_reset|sctp_abort)$", a, flags=re.M):
            if a != b:
                raise AssertionError(where + "\n".join(difflib.unified_diff(a.splitlines(), b.splitlines(), f"{form}: theirs", "ours", lineterm="")))
        if form == "minimal":
            ports = outputs(b)
    return ports


def test_the_same_words():
    end, seed, compared, delivered = time.monotonic() + SECONDS, FIRST_SEED, 0, 0
    while seed < FIRST_SEED + NETWORKS or time.monotonic() < end:
        r = RandomNetwork(seed, WITHOUT)
        network = Network(peer=True)
        try:
            r.install(network)
            for _ in range(PACKETS):
                ports = compare(network, seed, r.text, r.packet(), r.options())
                compared += ports is not None
                delivered += bool(ports)
        finally:
            network.stop()
        seed += 1
    print(f"{compared} packets through {seed - FIRST_SEED} networks, {delivered} delivered")
    assert compared >= PACKETS / 2 and delivered > compared / 10


# What it says of each of these, in a flow of a switch with the ports a, b and c; the flows after it are those of by_hand().
ACTIONS = [
    "ct_next;", "ct_dnat;", "ct_snat;", "ct_dnat(3.3.3.3);", "ct_snat(3.3.3.3);", "ct_commit_nat;", "ct_lb;", "ct_lb_mark;", "ct_lb(backends=4.4.4.4:80);",
    "ct_next; output;", "ct_commit; next;", "ct_commit { }; next;", "ct_commit { ct_mark = 1; }; next;", "ct_clear; next;", "ct_snat_to_vip; next;",
    "reg2 = 1; next(2);", "next(pipeline=ingress, table=1);", "outport = \"b\"; output; next;", "output;", "outport = \"nobody\"; output;", "outport = \"a\"; output;",
    "outport = \"a\"; flags.loopback = 1; output;", "outport = \"all\"; output;", "outport = \"all\"; output; next;", "clone { outport = \"b\"; output; }; outport = \"c\"; output;",
    "log(name=\"x\", verdict=drop, severity=alert); next;", "log(verdict=allow); ct_next;", "arp { eth.dst = ff:ff:ff:ff:ff:ff; outport = \"b\"; output; };",
    "icmp4 { outport = \"b\"; output; };", "icmp4_error { outport = \"b\"; output; };", "tcp_reset { outport = \"b\"; output; };", "reject { outport = \"c\"; output; };",
    "get_arp(inport, ip4.dst); next;", "reg0[0] = lookup_arp_ip(inport, ip4.dst); next;", "reg0[0] = lookup_fdb(inport, eth.src); next;", "outport = get_fdb(eth.dst); output;",
    "reg0 = select(1=1, 2=5);", "reg0[1] = check_pkt_larger(1000); next;", "igmp;", "handle_svc_check(inport); next;", "set_queue(5); next;", "set_meter(100); next;",
    "eth.src <-> eth.dst; ip4.src <-> ip4.dst; next;", "ip4.src = 1.2.3.4; ip.dscp = 3; ip.ttl = 7; next;", "ip.ttl--; next;", "reg8[0..15] = 3; next;", "drop;",
]


@pytest.fixture(scope="module")
def by_hand():
    n = Network(peer=True, northd=False)
    flows = [("ingress", 0, f"tcp.dst == {i + 1}", action) for i, action in enumerate(ACTIONS)]
    flows += [("ingress", 1, "ct.new", "reg1 = 1; next;"), ("ingress", 1, "ct.est && ct.dnat", "reg1 = 2; next;"), ("ingress", 1, "!ct.trk", "reg1 = 3; next;"), ("ingress", 1, "ct.est && !ct.dnat", "reg1 = 3; next;"),
              ("ingress", 2, "reg1 == 1", "ct_next;"), ("ingress", 2, "reg1 == 2", "ct_dnat(5.5.5.5);"), ("ingress", 2, "reg1 == 3", "next;"),
              ("ingress", 3, "ip4", "outport = \"b\"; output;"), ("egress", 0, "1", "next;"), ("egress", 1, "ip", "ct_next;"), ("egress", 2, "outport == {\"a\", \"b\"}", "output;"),
              ("egress", 1, "arp", "next;")]
    try:
        n.transact({"op": "insert", "table": "Datapath_Binding", "uuid-name": "d", "row": {"tunnel_key": 1, "external_ids": ["map", [["name", "sw"]]]}},
                   *[{"op": "insert", "table": "Port_Binding", "uuid-name": f"p{p}", "row": {"logical_port": p, "datapath": ["named-uuid", "d"], "tunnel_key": i + 1}}
                     for i, p in enumerate("abc")],
                   {"op": "insert", "table": "Multicast_Group", "row": {"datapath": ["named-uuid", "d"], "name": "all", "tunnel_key": 40000,
                                                                         "ports": ["set", [["named-uuid", f"p{p}"] for p in "abc"]]}},
                   *[{"op": "insert", "table": "Logical_Flow", "row": {
                       "logical_datapath": ["named-uuid", "d"], "pipeline": pipeline, "table_id": table, "priority": 10, "match": match, "actions": actions,
                       "external_ids": ["map", [["stage-name", f"stage{table}"], ["source", "here:1"]]]}} for pipeline, table, match, actions in flows],
                   {"op": "insert", "table": "MAC_Binding", "row": {"logical_port": "a", "ip": "2.2.2.2", "mac": "0a:00:00:00:00:02", "datapath": ["named-uuid", "d"]}},
                   {"op": "insert", "table": "FDB", "row": {"mac": "0a:00:00:00:00:02", "dp_key": 1, "port_key": 2}})
        yield n
    finally:
        n.stop()


@pytest.mark.parametrize("number", range(len(ACTIONS)), ids=ACTIONS)
def test_the_words_of_an_action(by_hand, number):
    packet = f'inport == "a" && eth.src == 0a:00:00:00:00:01 && eth.dst == 0a:00:00:00:00:02 && ip4.src == 1.1.1.1 && ip4.dst == 2.2.2.2 && ip.ttl == 64 && tcp.dst == {number + 1}'
    for options in [], ["--ct=new"], ["--ct=est,dnat", "--ct=new", "--ct=inv"]:
        words = ["--all", "--select-id=2", *options, packet]
        theirs, ours = by_hand.peer_trace(*words), by_hand.trace(*words)
        assert theirs.returncode == ours.returncode == 0, theirs.stderr + ours.stderr
        a, b = [normal(constants(registers(x.stdout)), False).splitlines() for x in (theirs, ours)]
        assert a == b, "\n".join(difflib.unified_diff(a, b, "theirs", "ours", lineterm=""))

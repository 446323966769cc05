"""Port security, packet by packet: what a machine may claim to be, and what reaches it. ovn-nb(5), Logical_Switch_Port, "port_security"."""
import pytest
from helpers import eventually, is_marked
from scapy.layers.dhcp import BOOTP, DHCP
from scapy.layers.inet import IP, UDP
from scapy.layers.inet6 import (ICMPv6ND_NA, ICMPv6ND_NS, ICMPv6NDOptDstLLAddr, ICMPv6NDOptSrcLLAddr, IPv6)
from scapy.layers.l2 import ARP, Ether
from scapy.packet import Raw

# strict: MAC and addresses; loose: MAC alone; other: nothing is checked, and it gets frames to anybody.
TOPOLOGY = """
[hypervisor.hv1]
[hypervisor.hv2]
[switch.blue]
[vm.strict]
switch = "blue"
on = "hv1"
mac = "0a:00:00:00:00:01"
[vm.loose]
switch = "blue"
on = "hv1"
mac = "0a:00:00:00:00:02"
[vm.other]
switch = "blue"
on = "hv2"
mac = "0a:00:00:00:00:03"
addresses = ["unknown"]
"""
S, L, O, X = "0a:00:00:00:00:01", "0a:00:00:00:00:02", "0a:00:00:00:00:03", "0a:00:00:00:00:99"
LINK_LOCAL = "fe80::800:ff:fe00:1"
ALL_NODES, ALL_NODES_MAC = "ff02::1", "33:33:00:00:00:01"
BROADCAST = "ff:ff:ff:ff:ff:ff"


@pytest.fixture
def secured(lab):
    lab.nbctl("lsp-set-port-security", "strict", f"{S} 10.0.0.1/24 10.0.8.0/24 fd00::1")
    lab.nbctl("--wait=hv", "lsp-set-port-security", "loose", L)
    return lab


def udp4(src, dst, sport=1000, dport=2000):
    return IP(src=src, dst=dst) / UDP(sport=sport, dport=dport)


def udp6(src, dst):
    return IPv6(src=src, dst=dst) / UDP(sport=1000, dport=2000)


def arp(sha, spa, op=1):
    return ARP(op=op, hwsrc=sha, psrc=spa, hwdst="00:00:00:00:00:00", pdst="10.0.0.77")


def solicit(src, sll=None):
    ns = IPv6(src=src, dst="ff02::1:ff00:77", hlim=255) / ICMPv6ND_NS(tgt="fd00::77")
    return ns / ICMPv6NDOptSrcLLAddr(lladdr=sll) if sll else ns


def solicit_twice(src, first, second):
    return solicit(src, first) / ICMPv6NDOptSrcLLAddr(lladdr=second)


def advertise(src, target, tll):
    return (IPv6(src=src, dst=ALL_NODES, hlim=255) / ICMPv6ND_NA(tgt=target, R=0, S=0, O=1) / ICMPv6NDOptDstLLAddr(lladdr=tll))


# What it is, from whom, Ethernet source and destination, the rest, whether it may pass.
SENT = [
    ("own IPv4 address", "strict", S, O, udp4("10.0.0.1", "10.0.0.3"), True),
    ("another IPv4 address", "strict", S, O, udp4("10.0.0.2", "10.0.0.3"), False),
    ("an address of the subnet that is all its own", "strict", S, O, udp4("10.0.8.77", "10.0.0.3"), True),
    ("another MAC", "strict", X, O, udp4("10.0.0.1", "10.0.0.3"), False),
    ("another port's MAC", "strict", L, O, udp4("10.0.0.1", "10.0.0.3"), False),
    ("DHCP without an address", "strict", S, BROADCAST,
     udp4("0.0.0.0", "255.255.255.255", 68, 67) / BOOTP(chaddr=bytes(6)) / DHCP(options=[("message-type", "discover"), "end"]), True),
    ("no address, not DHCP", "strict", S, BROADCAST, udp4("0.0.0.0", "255.255.255.255"), False),
    ("own IPv6 address", "strict", S, O, udp6("fd00::1", "fd00::3"), True),
    ("another IPv6 address", "strict", S, O, udp6("fd00::2", "fd00::3"), False),
    ("own link-local address", "strict", S, ALL_NODES_MAC, udp6(LINK_LOCAL, ALL_NODES), True),
    ("neither IP nor ARP, where addresses are given", "strict", S, O, Raw(b""), False),
    ("neither IP nor ARP", "loose", L, O, Raw(b""), True),
    ("ARP for itself", "strict", S, BROADCAST, arp(S, "10.0.0.1"), True),
    ("ARP with another sender MAC", "strict", S, BROADCAST, arp(X, "10.0.0.1"), False),
    ("ARP with another sender address", "strict", S, BROADCAST, arp(S, "10.0.0.2"), False),
    ("ARP reply with another address", "strict", S, O, arp(S, "10.0.0.254", op=2), False),
    ("solicitation", "strict", S, "33:33:ff:00:00:77", solicit("fd00::1", S), True),
    ("solicitation without an option", "strict", S, "33:33:ff:00:00:77", solicit("fd00::1"), True),
    ("duplicate address detection", "strict", S, "33:33:ff:00:00:77", solicit("::"), True),
    ("solicitation with another MAC inside", "strict", S, "33:33:ff:00:00:77", solicit("fd00::1", X), False),
    ("solicitation with two MACs inside", "strict", S, "33:33:ff:00:00:77", solicit_twice("fd00::1", X, S), False),
    ("advertisement", "strict", S, ALL_NODES_MAC, advertise("fd00::1", "fd00::1", S), True),
    ("advertisement from the link-local address", "strict", S, ALL_NODES_MAC, advertise(LINK_LOCAL, LINK_LOCAL, S), True),
    ("advertisement of another address", "strict", S, ALL_NODES_MAC, advertise("fd00::1", "fd00::2", S), False),
    ("advertisement with another MAC inside", "strict", S, ALL_NODES_MAC, advertise("fd00::1", "fd00::1", X), False),
    ("any IPv4 address", "loose", L, O, udp4("192.0.2.7", "10.0.0.3"), True),
    ("any IPv6 address", "loose", L, O, udp6("2001:db8::7", "fd00::3"), True),
    ("another MAC, no address given", "loose", X, O, udp4("10.0.0.2", "10.0.0.3"), False),
    ("ARP of any address", "loose", L, BROADCAST, arp(L, "192.0.2.7"), True),
    ("ARP with another MAC inside, no address given", "loose", L, BROADCAST, arp(X, "192.0.2.7"), False),
    ("advertisement of any address", "loose", L, ALL_NODES_MAC, advertise("2001:db8::7", "2001:db8::7", L), True),
    ("advertisement with another MAC inside, no address given", "loose", L, ALL_NODES_MAC, advertise("2001:db8::7", "2001:db8::7", X), False),
    ("anything where nothing is checked", "other", X, BROADCAST, arp(S, "10.0.0.1"), True),
]


def frame(source, destination, rest, text):
    """Ends in TEXT, so that it is known again; padding behind the packet, so that no checksum counts it."""
    e = Ether(src=source, dst=destination) / rest if not isinstance(rest, Raw) else Ether(src=source, dst=destination, type=0x88b5) / rest
    return bytes(e) + text.encode().ljust(46, b".")


@pytest.mark.parametrize("what, sender, source, destination, rest, passes", SENT, ids=[c[0] for c in SENT])
def test_sending(secured, wire, what, sender, source, destination, rest, passes):
    receiver = wire("strict" if sender == "other" else "other")
    wire(sender).send(frame(source, destination, rest, "the-frame"))
    got = receiver.collect(is_marked("the-frame"), 1 if passes else 0.4, enough=1)
    assert bool(got) == passes, f"{what}: {'lost' if passes else 'came through'}"


RECEIVED = [
    ("to the own address", "strict", S, udp4("10.0.0.3", "10.0.0.1"), True),
    ("to another address", "strict", S, udp4("10.0.0.3", "10.0.0.2"), False),
    ("to the subnet's broadcast address", "strict", S, udp4("10.0.0.3", "10.0.0.255"), True),
    ("to the broadcast address", "strict", S, udp4("10.0.0.3", "255.255.255.255"), True),
    ("to an IPv4 group", "strict", S, udp4("10.0.0.3", "224.0.0.5"), True),
    ("to the own IPv6 address", "strict", S, udp6("fd00::3", "fd00::1"), True),
    ("to another IPv6 address", "strict", S, udp6("fd00::3", "fd00::2"), False),
    ("to an IPv6 group", "strict", S, udp6("fd00::3", "ff02::5"), True),
    ("a broadcast frame", "strict", BROADCAST, udp4("10.0.0.3", "10.0.0.2"), True),
    ("to any address", "loose", L, udp4("10.0.0.3", "192.0.2.9"), True),
]


@pytest.mark.parametrize("what, receiver, destination, rest, passes", RECEIVED, ids=[c[0] for c in RECEIVED])
def test_receiving(secured, wire, what, receiver, destination, rest, passes):
    target = wire(receiver)
    wire("other").send(frame(O, destination, rest, "the-frame"))
    got = target.collect(is_marked("the-frame"), 1 if passes else 0.4, enough=1)
    assert bool(got) == passes, f"{what}: {'lost' if passes else 'came through'}"


def test_frames_to_other_macs_do_not_reach_a_secured_port(secured, wire):
    """Not even flooded ones, as its addresses become unknown."""
    secured.nbctl("--wait=hv", "lsp-set-addresses", "loose", "unknown")
    try:
        loose, strict = wire("loose"), wire("strict")
        wire("strict").send(frame(S, X, udp4("10.0.0.1", "10.0.0.3"), "to-nobody"))
        assert not loose.collect(is_marked("to-nobody"), 0.4)
        strict.send(frame(S, L, udp4("10.0.0.1", "10.0.0.3"), "to-loose"))
        assert loose.collect(is_marked("to-loose"), 1, enough=1)
    finally:
        secured.nbctl("--wait=hv", "lsp-set-addresses", "loose", L)


def test_it_can_be_taken_back(secured, wire):
    secured.nbctl("--wait=hv", "lsp-set-port-security", "strict")
    spoofed = frame(X, O, udp4("10.0.0.2", "10.0.0.3"), "as-it-likes")
    other = wire("other")

    def passes():
        wire("strict").send(spoofed)
        return other.collect(is_marked("as-it-likes"), 0.3, enough=1)

    eventually(passes, 5)

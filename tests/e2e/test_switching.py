"""Frames on logical switches: who gets them, how often, and what they look like on the underlay."""
import pytest
from helpers import Pinger, endpoints, geneve_of, is_marked, keys, marked, ping, reaches, works
from ovnlab import process
from scapy.layers.inet6 import ICMPv6ND_NA, ICMPv6ND_NS, ICMPv6NDOptDstLLAddr, ICMPv6NDOptSrcLLAddr, IPv6
from scapy.layers.l2 import ARP, Ether

BROADCAST, MULTICAST, NOBODY = "ff:ff:ff:ff:ff:ff", "01:00:5e:01:02:03", "0a:de:ad:00:00:01"


def mac(lab, vm):
    return lab.topology.vms[vm].mac


def test_ping_on_one_hypervisor_and_across(lab):
    assert works(lab, "b1", "10.0.0.3"), "b3, on the same hypervisor"
    assert works(lab, "b1", "10.0.0.2"), "b2, on the other"
    assert works(lab, "b2", "10.0.0.1"), "and back"
    assert works(lab, "b1", "fd00::2"), "over IPv6"
    assert ping(lab, "b1", "10.0.0.2", size=1372) == 3, "with the largest packet that fits 1400 bytes"


def test_geneve_header_carries_the_southbound_keys(lab, wire):
    cable, sender, receiver = wire("hv1"), wire("b1"), wire("b2")
    k = keys(lab)
    sender.send(marked(mac(lab, "b1"), mac(lab, "b2"), "unicast"))
    assert len(receiver.collect(is_marked("unicast"), 2, enough=1)) == 1
    seen = [p for p in cable.tunnelled() if b"unicast" in bytes(p)]
    assert len(seen) == 1, "one frame is one packet on the underlay"
    assert geneve_of(seen[0]) == (k["blue"], k["b1"], k["b2"])
    assert endpoints(seen[0]) == ("172.31.0.11", "172.31.0.12")


def test_geneve_header_of_the_way_back_and_of_the_other_switch(lab, wire):
    cable, k = wire("hv2"), keys(lab)
    wire("b2").send(marked(mac(lab, "b2"), mac(lab, "b1"), "way-back"))
    wire("r1").send(marked(mac(lab, "r1"), mac(lab, "r2"), "red-frame"))
    seen = cable.tunnelled()
    back, red = ([p for p in seen if text in bytes(p)] for text in (b"way-back", b"red-frame"))
    assert [geneve_of(p) for p in back] == [(k["blue"], k["b2"], k["b1"])]
    assert [geneve_of(p) for p in red] == [(k["red"], k["r1"], k["r2"])]
    assert endpoints(back[0]) == ("172.31.0.12", "172.31.0.11")


def test_local_frames_stay_off_the_underlay(lab, wire):
    cable, receiver = wire("hv1"), wire("b3")
    wire("b1").send(marked(mac(lab, "b1"), mac(lab, "b3"), "stays-here"))
    assert len(receiver.collect(is_marked("stays-here"), 2, enough=1)) == 1
    assert not [p for p in cable.tunnelled() if b"stays-here" in bytes(p)]


@pytest.mark.parametrize("destination", [BROADCAST, MULTICAST, "33:33:00:00:12:34"])
def test_flooding_reaches_every_port_of_the_switch_once(lab, wire, destination):
    cable, wires, k = wire("hv1"), {vm: wire(vm) for vm in lab.topology.vms}, keys(lab)
    wires["b1"].send(marked(mac(lab, "b1"), destination, "everybody"))
    tunnelled = [p for p in cable.tunnelled(0.4) if b"everybody" in bytes(p)]
    counts = {vm: len(w.collect(is_marked("everybody"), 0.05)) for vm, w in wires.items()}
    assert counts == {"b1": 0, "b2": 1, "b3": 1, "b4": 1, "r1": 0, "r2": 0}
    assert len(tunnelled) == 1, "one copy for the other hypervisor, whatever it holds"
    vni, ingress, egress = geneve_of(tunnelled[0])
    groups = {v for key, v in k.items() if isinstance(key, tuple) and key[0] == "blue"}
    assert (vni, ingress) == (k["blue"], k["b1"]) and egress in groups and egress >= 32768


def test_flooding_from_the_other_hypervisor(lab, wire):
    wires = {vm: wire(vm) for vm in lab.topology.vms}
    wires["r2"].send(marked(mac(lab, "r2"), BROADCAST, "red-all"))
    wires["b4"].send(marked(mac(lab, "b4"), BROADCAST, "blue-all"))
    counts = {vm: [sum(is_marked(t)(f) for f in frames) for t in ("red-all", "blue-all")]
              for vm, frames in ((vm, w.collect(lambda f: True, 0.25)) for vm, w in wires.items())}
    assert counts == {"r1": [1, 0], "r2": [0, 0], "b1": [0, 1], "b2": [0, 1], "b3": [0, 1], "b4": [0, 0]}


def test_same_addresses_on_two_switches_are_strangers(lab, wire):
    blue, red = {vm: wire(vm) for vm in ("b1", "b2", "b3")}, {vm: wire(vm) for vm in ("r1", "r2")}
    for vm in ("b1", "r1"):
        process.run(["ip", "-n", lab.namespace(vm), "neigh", "flush", "all"])
    assert works(lab, "b1", "10.0.0.2")
    sent_by = lambda machines: lambda f: f[6:12] in {bytes.fromhex(mac(lab, vm).replace(":", "")) for vm in machines}
    assert not any(w.collect(sent_by(blue), 0.05) for w in red.values()), "red saw something of blue's"
    for w in blue.values():
        w.drain()
    assert works(lab, "r1", "10.0.0.2")
    assert not any(w.collect(sent_by(red), 0.05) for w in blue.values()), "blue saw something of red's"
    for vm, peer in (("b1", "b2"), ("r1", "r2")):
        out = process.run(["ip", "-n", lab.namespace(vm), "neigh", "show", "10.0.0.2"])
        assert mac(lab, peer) in out, f"who is 10.0.0.2 for {vm}"


def test_a_frame_to_the_other_switchs_mac_goes_nowhere_there(lab, wire):
    red = wire("r2")
    wire("b1").send(marked(mac(lab, "b1"), mac(lab, "r2"), "over-the-wall"))
    assert red.collect(is_marked("over-the-wall")) == []


def test_unknown_unicast_reaches_the_unknown_ports_only(lab, wire):
    wires = {vm: wire(vm) for vm in lab.topology.vms}
    wires["b1"].send(marked(mac(lab, "b1"), NOBODY, "who-is-it"))
    assert len(wires["b4"].collect(is_marked("who-is-it"), 2, enough=1)) == 1
    others = {vm: len(w.collect(is_marked("who-is-it"), 0.1)) for vm, w in wires.items()}
    assert not any(others.values()), f"and once: {others}"


def test_unknown_unicast_without_unknown_ports_is_dropped(lab, wire):
    wires = {vm: wire(vm) for vm in lab.topology.vms}
    wires["r1"].send(marked(mac(lab, "r1"), NOBODY, "who-is-red"))
    assert not any(w.collect(is_marked("who-is-red"), 0.1) for w in wires.values())


def test_known_unicast_does_not_reach_the_unknown_port(lab, wire):
    unknown, receiver = wire("b4"), wire("b2")
    wire("b1").send(marked(mac(lab, "b1"), mac(lab, "b2"), "for-b2-alone"))
    assert len(receiver.collect(is_marked("for-b2-alone"), 2, enough=1)) == 1
    assert unknown.collect(is_marked("for-b2-alone"), 0.2) == []


def test_the_machine_behind_an_unknown_port_talks_both_ways(lab):
    assert works(lab, "b4", "10.0.0.1")
    assert works(lab, "b3", "10.0.0.4")


def test_a_disabled_port_drops_both_directions(lab, wire):
    one, two, three = wire("b1"), wire("b2"), wire("b3")

    def pass_frames(text):
        """What arrives: from b2; at b2, sent to it; at b2, sent to all."""
        two.send(marked(mac(lab, "b2"), mac(lab, "b1"), f"{text}-out"))
        one.send(marked(mac(lab, "b1"), mac(lab, "b2"), f"{text}-in"))
        three.send(marked(mac(lab, "b3"), BROADCAST, f"{text}-all"))
        arrived = two.collect(is_marked(text), 0.25)
        return (len(one.collect(is_marked(f"{text}-out"), 0.05)), sum(is_marked(f"{text}-in")(f) for f in arrived),
                sum(is_marked(f"{text}-all")(f) for f in arrived))

    assert pass_frames("enabled") == (1, 1, 1)
    lab.nbctl("--wait=hv", "lsp-set-enabled", "b2", "disabled")
    try:
        assert pass_frames("disabled") == (0, 0, 0), "--wait=hv has returned, so the flows must be gone"
    finally:
        lab.nbctl("--wait=hv", "lsp-set-enabled", "b2", "enabled")
    assert pass_frames("again") == (1, 1, 1)


def _arp(lab, wires, asker, address, sender_ip):
    """The answers to an ARP request of ASKER."""
    wires[asker].send(Ether(src=mac(lab, asker), dst=BROADCAST) /
                      ARP(op=1, hwsrc=mac(lab, asker), psrc=sender_ip, pdst=address))
    return [ARP(f[14:]) for f in wires[asker].collect(lambda f: f[12:14] == b"\x08\x06" and f[21] == 2)]


def test_arp_for_known_addresses_is_answered_on_the_spot(lab, wire):
    cable, wires = wire("hv1"), {vm: wire(vm) for vm in ("b1", "b2", "b3")}
    answers = _arp(lab, wires, "b1", "10.0.0.2", "10.0.0.1")
    assert [(a.hwsrc, a.psrc, a.hwdst, a.pdst) for a in answers] == \
        [(mac(lab, "b2"), "10.0.0.2", mac(lab, "b1"), "10.0.0.1")]
    is_arp = lambda f: f[12:14] == b"\x08\x06"
    assert not wires["b2"].collect(is_arp, 0.05) and not wires["b3"].collect(is_arp, 0.05), "nobody was asked"
    assert not [p for p in cable.tunnelled(0.05) if ARP in p and p[ARP].pdst == "10.0.0.2"], "nothing crossed the underlay"


def test_arp_for_unknown_addresses_is_flooded(lab, wire):
    wires = {vm: wire(vm) for vm in ("b1", "b2", "b3", "b4")}
    assert _arp(lab, wires, "b1", "10.0.0.99", "10.0.0.1") == []
    for vm in ("b2", "b3", "b4"):
        assert len(wires[vm].collect(lambda f: f[12:14] == b"\x08\x06" and f[38:42] == b"\x0a\0\0\x63", 0.05)) == 1, vm


def test_arp_for_ones_own_address_is_not_answered(lab, wire):
    wires = {"b1": wire("b1")}
    assert _arp(lab, wires, "b1", "10.0.0.1", "0.0.0.0") == [], "duplicate detection would think it taken"


def test_neighbour_solicitation_is_answered_on_the_spot(lab, wire):
    cable, one, two = wire("hv1"), wire("b1"), wire("b2")
    one.send(Ether(src=mac(lab, "b1"), dst="33:33:ff:00:00:02") / IPv6(src="fd00::1", dst="ff02::1:ff00:2", hlim=255) /
             ICMPv6ND_NS(tgt="fd00::2") / ICMPv6NDOptSrcLLAddr(lladdr=mac(lab, "b1")))
    adverts = one.collect(lambda f: len(f) > 54 and f[12:14] == b"\x86\xdd" and f[54] == 136)
    assert len(adverts) == 1
    answer = Ether(adverts[0])
    assert answer[ICMPv6ND_NA].tgt == "fd00::2" and answer[ICMPv6NDOptDstLLAddr].lladdr == mac(lab, "b2")
    assert answer[IPv6].hlim == 255 and answer[IPv6].dst == "fd00::1"
    checksum = answer[ICMPv6ND_NA].cksum
    del answer[ICMPv6ND_NA].cksum
    assert Ether(bytes(answer))[ICMPv6ND_NA].cksum == checksum
    solicits = lambda f: len(f) > 54 and f[12:14] == b"\x86\xdd" and f[54] == 135 and f[14 + 40 + 8:14 + 40 + 24][-1] == 2
    assert not two.collect(solicits, 0.05), "b2 was not asked"
    assert not [p for p in cable.tunnelled(0.05) if ICMPv6ND_NS in p], "nothing crossed the underlay"


def test_duplicate_detection_finds_what_is_taken_and_only_that(lab, wire):
    """RFC 5227 and RFC 4862: a probe (from no address) for one's own address gets no answer, one for another's does."""
    one = wire("b1")
    assert [a.hwsrc for a in _arp(lab, {"b1": one}, "b1", "10.0.0.2", "0.0.0.0")] == [mac(lab, "b2")]

    def probe(address):
        last = address.rpartition(":")[2].rjust(6, "0")
        one.drain()
        one.send(Ether(src=mac(lab, "b1"), dst=f"33:33:ff:{last[:2]}:{last[2:4]}:{last[4:]}") /
                 IPv6(src="::", dst=f"ff02::1:ff{last[:2]}:{last[2:]}", hlim=255) / ICMPv6ND_NS(tgt=address))
        frames = one.collect(lambda f: len(f) > 54 and f[12:14] == b"\x86\xdd" and f[54] == 136, 0.5)
        return [(Ether(f)[IPv6].dst, Ether(f)[ICMPv6ND_NA].tgt) for f in frames]

    assert probe("fd00::1") == [], "duplicate detection would think it taken"
    answers = probe("fd00::2")
    assert answers == [("ff02::1", "fd00::2")], "to all, as the asker has no address yet"


@pytest.mark.parametrize("what, frame", [
    ("a VLAN tag", lambda src, dst: Ether(src=src, dst=dst, type=0x8100) / (b"\0\x05\x88\xb5" + b"odd-frame".ljust(46))),
    ("a multicast source", lambda src, dst: marked("01:00:5e:00:00:09", dst, "odd-frame"))])
def test_admission_refuses(lab, wire, what, frame):
    receiver = wire("b2")
    wire("b1").send(frame(mac(lab, "b1"), mac(lab, "b2")))
    assert receiver.collect(is_marked("odd-frame")) == [], what


def test_ping_at_100_a_second_loses_nothing(lab):
    reaches(lab, "b1", "10.0.0.2")
    with Pinger(lab, "b1", "10.0.0.2") as p:
        process.run(["sleep", "1"])
    assert not p.lost

"""What the switch hands to the controller: neighbour solicitations answered where they are asked, MAC addresses learnt where they are seen."""
import random
import subprocess
import time

import pytest
from helpers import eventually, is_marked, keys, marked, reaches
from scapy.layers.inet6 import ICMPv6ND_NA, ICMPv6ND_NS, ICMPv6NDOptDstLLAddr, ICMPv6NDOptSrcLLAddr, IPv6
from scapy.layers.l2 import Ether

# u1 and u3 on hv1, u2 and u4 on hv2, and u5, u6 of their own switch, take frames to unknown addresses.
TOPOLOGY = """
[hypervisor.hv1]
[hypervisor.hv2]
[switch.blue]
[vm.b1]
switch = "blue"
on = "hv1"
ip = ["10.0.0.1/24", "fd00::1/64"]
[vm.b2]
switch = "blue"
on = "hv2"
ip = ["10.0.0.2/24", "fd00::2/64"]
[vm.u1]
switch = "blue"
on = "hv1"
ip = "10.0.0.11/24"
addresses = ["unknown"]
[vm.u2]
switch = "blue"
on = "hv2"
ip = "10.0.0.12/24"
addresses = ["unknown"]
[vm.u3]
switch = "blue"
on = "hv1"
ip = "10.0.0.13/24"
addresses = ["unknown"]
"""
LEARNT = "0a:aa:00:00:00:01"
ALL_NODES, ALL_NODES_MAC = "ff02::1", "33:33:00:00:00:01"


def mac(lab, vm):
    return lab.topology.vms[vm].mac


def fdb(lab, address):
    rows = lab.sb.select("FDB", [("mac", "==", address)])
    assert len(rows) <= 1, "an address is in one place"
    return rows[0] if rows else None


def learn(lab, wire, vm, address):
    """Sends from ADDRESS at VM until the database has it there."""
    k = keys(lab)

    def known():
        wire.send(marked(address, mac(lab, "b2"), "teach"))
        row = fdb(lab, address)
        return row and row["port_key"] == k[vm]
    eventually(known, 10, f"{address} is not learnt at {vm}")
    assert fdb(lab, address)["dp_key"] == k["blue"]
    assert lab.sync(20)


def counter(lab, hv, name):
    return int(lab.daemons.appctl(f"{hv}/controller", "coverage/read-counter", name))


def solicitation(lab, source, target):
    group = f"ff02::1:ff00:{target.rpartition(':')[2]}"
    ns = ICMPv6ND_NS(tgt=target)
    packet = Ether(src=mac(lab, "b1"), dst="33:33:ff:00:00:02") / IPv6(src=source, dst=group, hlim=255) / ns
    return packet if source == "::" else packet / ICMPv6NDOptSrcLLAddr(lladdr=mac(lab, "b1"))


def advertisements(w, seconds=2, enough=1):
    return [Ether(f) for f in w.collect(lambda f: f[12:14] == b"\x86\xdd" and f[54:55] == b"\x88", seconds, enough)]


@pytest.mark.parametrize("source", ["fd00::1", "::"])
def test_neighbour_is_answered_for_here(lab, wire, source):
    asker, asked, cable = wire("b1"), wire("b2"), wire("hv1")
    asker.send(solicitation(lab, source, "fd00::2"))
    answers = advertisements(asker)
    assert len(answers) == 1, "exactly one answer"
    p = answers[0]
    na = p[ICMPv6ND_NA]
    assert (p.src, p[IPv6].src, p[IPv6].hlim) == (mac(lab, "b2"), "fd00::2", 255)
    assert (na.tgt, na.R, na.O, p[ICMPv6NDOptDstLLAddr].lladdr) == ("fd00::2", 0, 1, mac(lab, "b2"))
    if source == "::":                # a duplicate is being looked for: nobody to answer but all
        assert (p.dst, p[IPv6].dst, na.S) == (ALL_NODES_MAC, ALL_NODES, 0)
    else:
        assert (p.dst, p[IPv6].dst, na.S) == (mac(lab, "b1"), "fd00::1", 1)
    given = na.cksum
    del na.cksum
    assert Ether(bytes(p))[ICMPv6ND_NA].cksum == given, "the checksum"
    about = lambda x, layer: layer in x and x[layer].tgt == "fd00::2"
    assert not [x for x in cable.tunnelled(0.1) if about(x, ICMPv6ND_NS) or about(x, ICMPv6ND_NA)], "nothing on the underlay"
    assert not asked.collect(lambda f: bytes(Ether(f))[62:78] == bytes(p)[62:78], 0.1), "the neighbour was not asked"


def test_bad_solicitations_get_no_answer(lab, wire):
    asker = wire("b1")
    hops, cut = solicitation(lab, "fd00::1", "fd00::2"), solicitation(lab, "fd00::1", "fd00::2")
    hops[IPv6].hlim = 64
    cut = bytearray(bytes(cut))
    cut[79] = 0                       # the option's length
    asker.send(hops)
    asker.send(cut)
    assert not advertisements(asker, 0.5, None)
    asker.send(solicitation(lab, "fd00::1", "fd00::2"))
    assert len(advertisements(asker)) == 1, "and then a good one does"


def test_answers_do_not_wait_for_the_control_plane(lab, wire):
    asker, controller = wire("b1"), "hv1/controller"
    lab.daemons.appctl(controller, "debug/pause")
    lab.kill("central/sb")
    try:
        asker.send(solicitation(lab, "fd00::1", "fd00::2"))
        assert len(advertisements(asker)) == 1
    finally:
        lab.daemons.appctl(controller, "debug/resume")
        lab.start("central/sb")
    assert lab.sync(20)


def test_learnt_address_gets_its_frames_alone(lab, wire):
    a, b, other, far = wire("u1"), wire("b1"), wire("u3"), wire("u2")
    b.send(marked(mac(lab, "b1"), LEARNT, "before"))
    for w in (a, other, far):
        assert w.collect(is_marked("before"), 2, 1), "to whom it is unknown it is flooded"
    learn(lab, a, "u1", LEARNT)
    b.send(marked(mac(lab, "b1"), LEARNT, "after"))
    assert len(a.collect(is_marked("after"), 2, 1)) == 1
    assert not other.collect(is_marked("after"), 0.2) and not far.collect(is_marked("after"), 0.1)
    wire("b2").send(marked(mac(lab, "b2"), LEARNT, "from afar"))
    assert len(a.collect(is_marked("from afar"), 2, 1)) == 1, "the other hypervisor knows too"
    assert not far.collect(is_marked("from afar"), 0.2)


def test_learnt_address_moves_and_stays(lab, wire):
    learn(lab, wire("u1"), "u1", LEARNT)
    uuid = fdb(lab, LEARNT)["_uuid"]
    learn(lab, wire("u2"), "u2", LEARNT)                      # on the other hypervisor
    assert fdb(lab, LEARNT)["_uuid"] == uuid, "the row is changed, not made anew"
    version = fdb(lab, LEARNT)["_version"]
    for _ in range(50):
        wire("u2").send(marked(LEARNT, mac(lab, "b1"), "again"))
    lab.restart("hv1/controller")
    lab.restart("hv2/controller")
    assert lab.sync(20)
    a, far = wire("u1"), wire("u2")
    wire("b1").send(marked(mac(lab, "b1"), LEARNT, "later"))
    assert len(far.collect(is_marked("later"), 2, 1)) == 1 and not a.collect(is_marked("later"), 0.2)
    assert fdb(lab, LEARNT)["_version"] == version, "what is known is not written again"


def test_flood_of_made_up_addresses(lab, wire):
    """10,000 addresses at one port: bounded in the database and in memory; the control plane and other ports' packets go on."""
    u1, asker = wire("u1"), wire("b1")
    reaches(lab, "b1", "10.0.0.2")
    pid = lab.daemons.running(lab.daemons.find("hv1/controller"))[0]
    rss = lambda: int(subprocess.run(["ps", "-o", "rss=", "-p", str(pid)], stdout=subprocess.PIPE, text=True).stdout)
    before, limited = rss(), counter(lab, "hv1", "packet_learn_limited")
    started, answered = time.monotonic(), 0
    for i in range(10000):
        u1.send(marked("0a:bb:%02x:%02x:%02x:%02x" % tuple(random.randbytes(4)), mac(lab, "b2"), "flood"))
        if i % 2000 == 1000:
            asked = time.monotonic()
            assert lab.sync(10), "nb_cfg goes on"
            assert time.monotonic() - asked < 2, "and in time"
            asker.send(solicitation(lab, "fd00::1", "fd00::2"))
            answered += len(advertisements(asker, 1))
    took = time.monotonic() - started
    assert answered >= 3, "others are answered meanwhile"
    rows = [r for r in lab.sb.select("FDB") if r["mac"].startswith("0a:bb:")]
    assert 0 < len(rows) <= 128 + 50 * (took + 2), f"{len(rows)} rows in {took:.1f} s"
    assert counter(lab, "hv1", "packet_learn_limited") > limited, "what was left out is counted"
    assert rss() - before < 8 << 10, "memory, KB"
    lab.sb.transact({"op": "delete", "table": "FDB", "where": []})
    learn(lab, wire("u3"), "u3", "0a:cc:00:00:00:01")

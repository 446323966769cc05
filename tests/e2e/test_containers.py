"""Containers in virtual machines: logical ports behind a VLAN tag of their parent's interface (parent_name, tag)."""
import struct

import pytest
from helpers import eventually, is_marked, marked
from scapy.layers.l2 import Dot1Q, Ether

SOL_PACKET, PACKET_AUXDATA = 263, 8
PODS = {"p1": ("b1", 41, "0a:00:00:00:10:01"), "p2": ("b1", 42, "0a:00:00:00:10:02"), "p3": ("b2", 41, "0a:00:00:00:10:03")}


def is_up(lab, name, up=True):
    return lab.nb.wait("Logical_Switch_Port", [("name", "==", name), ("up", "==", up)], 10)


@pytest.fixture(autouse=True)
def pods(lab):
    """p1 and p2 in b1 on hv1, p3 in b2 on hv2: on a switch of their own."""
    lab.nbctl("--", "ls-add", "pods", *(w for name, (parent, tag, mac) in PODS.items() for w in (
        "--", "lsp-add", "pods", name, parent, str(tag), "--", "lsp-set-addresses", name, mac)))
    for name in PODS:
        assert is_up(lab, name)
    lab.sync(10)
    yield
    lab.nbctl("ls-del", "pods")
    lab.sync(10)


def received(wire, text, seconds=1):
    """[(VLAN tag, frame)] of what arrives with TEXT; the kernel hands tags over beside the frame."""
    found = []

    def look():
        while True:
            try:
                frame, aux, _, where = wire.socket.recvmsg(65535, 256)
            except BlockingIOError:
                return found
            if text.encode() in frame and where[2] != 4:
                tci = [struct.unpack_from("IIIHHHH", data)[5] for level, kind, data in aux if (level, kind) == (SOL_PACKET, PACKET_AUXDATA)]
                inner = Ether(frame)
                found.append(((inner[Dot1Q].vlan if Dot1Q in inner else tci[0] & 0xfff), frame))
    try:
        eventually(look, seconds)
    except AssertionError:
        pass
    return found


def tagged(source, destination, text):
    frame = marked(PODS[source][2], destination, text)
    return Ether(src=frame.src, dst=frame.dst) / Dot1Q(vlan=PODS[source][1], type=frame.type) / frame.payload


@pytest.mark.parametrize("source, destination", [("p1", "p3"), ("p3", "p2"), ("p1", "p2")], ids=["across", "back", "in one machine"])
def test_a_frame_goes_from_one_container_to_another(lab, wire, source, destination):
    wires = {vm: wire(vm) for vm in ("b1", "b2", "b3")}
    for w in wires.values():
        w.socket.setsockopt(SOL_PACKET, PACKET_AUXDATA, 1)
    text = f"{source}-to-{destination}"
    wires[PODS[source][0]].send(tagged(source, PODS[destination][2], text))
    assert [tag for tag, _ in received(wires[PODS[destination][0]], text)] == [PODS[destination][1]]
    assert received(wires["b3"], text, 0.2) == []


def test_the_tag_decides_whose_frame_it_is(lab, wire):
    """Untagged frames are the machine's own, those with a tag that nobody has too: neither reaches a container."""
    b1, b2 = wire("b1"), wire("b2")
    mac = PODS["p3"][2]
    b1.send(marked(lab.topology.vms["b1"].mac, mac, "untagged"))
    stranger = tagged("p1", mac, "stranger")
    stranger[Dot1Q].vlan = 99
    b1.send(stranger)
    assert not b2.collect(lambda f: is_marked("untagged")(f) or is_marked("stranger")(f), 0.4)


def test_containers_go_down_with_their_machine(lab):
    lab.unplug("b1")
    try:
        for name in ("p1", "p2"):
            assert is_up(lab, name, False)
    finally:
        lab.plug("b1", "hv1")
    for name in PODS:
        assert is_up(lab, name)

"""Capturing on the underlay, and reading what was captured: pcap files and the Geneve header (RFC 8926)
with OVN's option (class 0x0102, type 0x80: one bit 0, 15 bits logical ingress port, 16 bits egress)."""
import contextlib
import signal
import struct
import subprocess
import time
from dataclasses import dataclass

from . import LabError, netns

GENEVE_PORT, OVN_CLASS, OVN_TYPE = 6081, 0x0102, 0x80


def link(lab, name):
    """(namespace, interface) of what a user calls a link: `underlay`, `mgmt`, a hypervisor (its cable to
    the underlay) or a virtual machine (its eth0)."""
    if name in ("underlay", "mgmt"):
        return lab.namespace("net"), name
    if name in lab.topology.hypervisors:
        return lab.namespace(name), "under0"
    if name in lab.topology.vms:
        return lab.namespace(name), "eth0"
    raise LabError(f"{name}: no such link. There are: " +
                   ", ".join(["underlay", "mgmt", *lab.topology.hypervisors, *lab.topology.vms]))


def tcpdump_argv(lab, name, words):
    namespace, interface = link(lab, name)
    return netns.inside(namespace, ["tcpdump", "-i", interface, *words])


@contextlib.contextmanager
def running(lab, name, path, filter_words=(), settle=0.05):
    """Captures into the pcap file PATH while the block runs; everything that arrived is in the file after."""
    argv = tcpdump_argv(lab, name, ["-n", "-U", "--immediate-mode", "-Z", "root", "-w", str(path), *filter_words])
    p = subprocess.Popen(argv, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    said = ""
    while "listening on" not in said:
        line = p.stderr.readline()
        said += line
        if not line:
            raise LabError(f"tcpdump: {said.strip()}")
    try:
        yield p
    finally:
        time.sleep(settle)
        p.send_signal(signal.SIGINT)
        p.stderr.read()
        p.wait()


def packets(path):
    """The packets of a pcap file, as (seconds, bytes)."""
    with open(path, "rb") as f:
        data = f.read()
    order = "<" if data[:4] in (b"\xd4\xc3\xb2\xa1", b"\x4d\x3c\xb2\xa1") else ">"
    at, found = 24, []
    while at + 16 <= len(data):
        seconds, fraction, length, _ = struct.unpack_from(order + "IIII", data, at)
        found.append((seconds + fraction / 1e6, data[at + 16:at + 16 + length]))
        at += 16 + length
    return found


@dataclass
class Geneve:
    """One Geneve packet on the underlay."""
    source: str          # tunnel addresses
    destination: str
    udp_port: int
    vni: int
    options: list        # (class, type, value)
    inner: bytes         # the Ethernet frame inside

    @property
    def ovn_ports(self):
        """(logical ingress port key, logical egress key) or None."""
        for option_class, kind, value in self.options:
            if (option_class, kind) == (OVN_CLASS, OVN_TYPE) and len(value) == 4:
                word = struct.unpack(">I", value)[0]
                return word >> 16 & 0x7fff, word & 0xffff
        return None


def decode_geneve(frame):
    """The Geneve packet in an Ethernet frame, or None when it is none."""
    if len(frame) < 50 or frame[12:14] != b"\x08\x00" or frame[23] != 17:
        return None
    udp = 14 + (frame[14] & 15) * 4
    port = struct.unpack_from(">H", frame, udp + 2)[0]
    head = udp + 8
    if port != GENEVE_PORT or len(frame) < head + 8:
        return None
    at, end, options = head + 8, head + 8 + (frame[head] & 0x3f) * 4, []
    while at + 4 <= min(end, len(frame)):
        option_class, kind, length = struct.unpack_from(">HBB", frame, at)
        length = (length & 0x1f) * 4
        options.append((option_class, kind, frame[at + 4:at + 4 + length]))
        at += 4 + length
    dotted = lambda o: ".".join(str(b) for b in frame[o:o + 4])
    return Geneve(dotted(26), dotted(30), port, int.from_bytes(frame[head + 4:head + 7], "big"), options, frame[end:])

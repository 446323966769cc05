"""What the tests do with a lab: ping, send and see frames, wait, compare states."""
import ctypes
import os
import re
import select
import signal
import socket
import subprocess
import threading
import time

from scapy.contrib.geneve import GENEVE
from scapy.layers.inet import IP, UDP
from scapy.layers.l2 import Ether

from ovnlab import LabError, capture, netns

_libc = ctypes.CDLL(None, use_errno=True)
CLONE_NEWNET, SO_RCVBUFFORCE, PACKET_OUTGOING, ETH_P_ALL = 0x40000000, 33, 4, 3
MARK = 0x88b5                     # the Ethernet type for local experiments: nothing else sends it


def eventually(condition, seconds=10, what="it did not become true"):
    """Asks CONDITION up to 20 times a second until it holds; returns what it returned."""
    deadline = time.monotonic() + seconds
    while True:
        value = condition()
        if value:
            return value
        assert time.monotonic() < deadline, f"{what} (in {seconds} s)"
        time.sleep(0.05)


def ping(lab, vm, address, count=3, interval=0.05, wait=1, size=56):
    """How many of COUNT pings were answered."""
    argv = ["ping", "-n", f"-c{count}", f"-i{interval}", f"-W{wait}", f"-s{size}", address]
    out = subprocess.run(netns.inside(lab.namespace(vm), argv), stdout=subprocess.PIPE, text=True).stdout
    return len(re.findall(r"icmp_seq=\d+ (?:ttl|hlim)", out))


def reaches(lab, vm, address, seconds=10):
    """Waits until a ping is answered."""
    eventually(lambda: ping(lab, vm, address, 1, wait=0.3), seconds, f"{vm} gets no answer from {address}")


def works(lab, vm, address):
    """Whether pings are answered, all of three, after a change. Before the first one that is, some may not be: the switch throws away what it
    had decided for these packets in a thread of its own, a moment after it has said that the flows are installed."""
    reaches(lab, vm, address, 5)
    return ping(lab, vm, address) == 3


class Pinger:
    """A ping that runs while a block does (100 a second); afterwards knows what was lost."""

    def __init__(self, lab, vm, address, interval=0.01):
        self.argv = netns.inside(lab.namespace(vm), ["ping", "-n", "-D", f"-i{interval}", address])
        self.times, self.lost, self.silence = {}, set(), 0.0

    def __enter__(self):
        self.process = subprocess.Popen(self.argv, stdout=subprocess.PIPE, text=True)
        time.sleep(0.3)
        return self

    def __exit__(self, *_):
        ended = time.time()
        time.sleep(0.2)
        self.process.send_signal(signal.SIGINT)
        out = self.process.communicate(timeout=10)[0]
        self.times = {int(n): float(t) for t, n in re.findall(r"\[([\d.]+)\].*icmp_seq=(\d+) ttl", out)}
        assert self.times, "not one ping was answered"
        sent = int(re.search(r"(\d+) packets transmitted", out).group(1))
        # What was sent after the block may still be under way and does not count.
        until = max([n for n, t in self.times.items() if t <= ended], default=0)
        answered_to_the_end = max(self.times.values()) >= ended - 0.5
        self.lost = set(range(1, (until if answered_to_the_end else sent) + 1)) - self.times.keys()
        at = sorted(self.times.values())
        self.silence = max([b - a for a, b in zip(at, at[1:])] + [ended - at[-1]])


class Wire:
    """A raw socket on a machine's eth0 or a hypervisor's cable to the underlay: sends frames, and keeps
    those that arrive. It lives in the test's own process, so opening one costs nothing."""

    def __init__(self, lab, place):
        self.namespace, self.interface = capture.link(lab, place)
        self.hypervisor = place in lab.topology.hypervisors
        self.socket, failure = None, []

        def open_inside():
            try:                                  # setns() moves this thread alone; the socket stays there
                with open(f"{netns.DIRECTORY}/{self.namespace}") as f:
                    if _libc.setns(f.fileno(), CLONE_NEWNET):
                        raise OSError(ctypes.get_errno(), "setns")
                s = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(ETH_P_ALL))
                s.setsockopt(socket.SOL_SOCKET, SO_RCVBUFFORCE, 8 << 20)
                s.bind((self.interface, ETH_P_ALL))
                s.setblocking(False)
                self.socket = s
            except OSError as e:
                failure.append(e)

        thread = threading.Thread(target=open_inside)
        thread.start()
        thread.join()
        if failure:
            raise LabError(f"{place}: {failure[0]}")

    def close(self):
        self.socket.close()

    def send(self, frame):
        self.socket.send(bytes(frame))

    def drain(self):
        """Every frame that has arrived by now (on a hypervisor's cable: in either direction)."""
        frames = []
        while True:
            try:
                frame, where = self.socket.recvfrom(65535)
            except BlockingIOError:
                return frames
            if self.hypervisor or where[2] != PACKET_OUTGOING:
                frames.append(frame)

    def collect(self, wanted, seconds=0.3, enough=None):
        """The frames for which WANTED holds that arrive within SECONDS; with ENOUGH, as soon as so many."""
        deadline, found = time.monotonic() + seconds, []
        while enough is None or len(found) < enough:
            left = deadline - time.monotonic()
            if left <= 0 or not select.select([self.socket], [], [], left)[0]:
                break
            found += [f for f in self.drain() if wanted(f)]
        return found

    def tunnelled(self, seconds=0.3):
        """The Geneve packets on a hypervisor's cable, as scapy reads them."""
        frames = self.collect(lambda f: True, seconds)
        return [p for p in map(Ether, frames) if UDP in p and p[UDP].dport == 6081]


def marked(source, destination, text):
    """A frame that nothing else sends, recognisable by its text."""
    return Ether(src=source, dst=destination, type=MARK) / text.encode().ljust(46, b".")


def is_marked(text):
    return lambda frame: text.encode() in frame


def geneve_of(packet):
    """(VNI, ingress port key, egress port key) of a tunnelled packet; checks the header's fixed parts."""
    g = packet[GENEVE]
    assert g.version == 0 and g.proto == 0x6558, "Geneve version 0 around Ethernet"
    assert g.optionlen == 2 and len(g.options) == 1, "exactly one option, of four bytes"
    option = g.options[0]
    assert (option.classid, option.type) == (0x0102, 0x80), "OVN's option"
    word = int.from_bytes(bytes(option.data), "big")
    assert word >> 31 == 0, "the top bit is 0"
    assert g.critical == 1, "an option is critical, so the header says so"
    return g.vni, word >> 16 & 0x7fff, word & 0xffff


def endpoints(packet):
    return packet[IP].src, packet[IP].dst


def keys(lab):
    """The tunnel keys of datapaths, ports and multicast groups, by name."""
    datapaths = {r["_uuid"]: r for r in lab.sb.select("Datapath_Binding")}
    name = lambda uuid: datapaths[uuid]["external_ids"].get("name")
    found = {name(u): r["tunnel_key"] for u, r in datapaths.items()}
    found |= {r["logical_port"]: r["tunnel_key"] for r in lab.sb.select("Port_Binding")}
    return found | {(name(r["datapath"]), r["name"]): r["tunnel_key"] for r in lab.sb.select("Multicast_Group")}


def settle(lab):
    """Puts a lab in order: daemons run, machines are at home and up, hypervisors have caught up."""
    for name in lab.daemons.all():
        if not lab.daemons.running(name):
            lab.start(name)
    for vm in lab.topology.vms.values():
        if vm.on and lab.where(vm.name) != vm.on:
            (lab.move if lab.where(vm.name) else lab.plug)(vm.name, vm.on)
    for vm in lab.topology.vms.values():
        assert not vm.on or not vm.enabled or lab.wait_port_up(vm.name, 20), f"the port of {vm.name} does not come up"
    assert lab.sync(20), "the hypervisors do not catch up"


def chassis_caught_up(lab, timeout=15):
    """Raises nb_cfg northbound and southbound, as a northd that is away cannot, and waits for every chassis."""
    lab.nb.transact({"op": "mutate", "table": "NB_Global", "where": [], "mutations": [["nb_cfg", "+=", 1]]})
    n = lab.nb.select("NB_Global", columns=["nb_cfg"])[0]["nb_cfg"]
    lab.sb.transact({"op": "update", "table": "SB_Global", "where": [], "row": {"nb_cfg": n}})
    return all(lab.sb.wait("Chassis_Private", [("name", "==", hv), ("nb_cfg", ">=", n)], timeout)
               for hv in lab.topology.hypervisors)


def flows(lab, hv, bridge="br-int"):
    """The OpenFlow flows and groups of a hypervisor, without counters: a state to compare. (The peer
    gives switches' unused router zones new numbers when it starts; ours are stable.)"""
    out = lab.ovs(hv, "ofctl", "-O", "OpenFlow15", "--no-stats", "dump-flows", bridge)
    groups = lab.ovs(hv, "ofctl", "-O", "OpenFlow15", "dump-groups", bridge)
    lines = out.splitlines() + [g for g in groups.splitlines() if "group_id" in g]
    if os.environ.get("OVN_LAB_PEER", "0") not in ("", "0"):
        lines = [re.sub(r"set_field:0x[0-9a-f]+->reg1[123],", "", line) for line in lines]
    return sorted(line.strip() for line in lines if "OFPST" not in line)


_DERIVED = {"Logical_Flow": ["pipeline", "table_id", "priority", "match", "actions", "controller_meter"],
            "Port_Binding": ["logical_port", "tunnel_key", "mac", "type", "options", "up"],
            "Datapath_Binding": ["tunnel_key", "external_ids"], "Multicast_Group": ["name", "tunnel_key"]}


def derived(lab):
    """What a northd makes southbound, without what differs from run to run: a state to compare."""
    return {table: sorted(str(sorted(row.items(), key=str)) for row in lab.sb.select(table, columns=columns))
            for table, columns in _DERIVED.items()}


def log_of(lab, daemon):
    return lab.daemons.files(lab.daemons.find(daemon))[1].read_text(errors="replace")

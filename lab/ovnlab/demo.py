"""The demonstration: a small overlay network shown at work, in plain words, every claim checked.

Each step prints what it claims, does it with real packets, and marks it. A claim that does not hold makes
the exit code 1. KEEP=1 leaves the lab running.
"""
import os
import re
import subprocess
import sys
import tempfile
import time

from . import LabError, capture, netns, process, topology
from .cli import DEFAULT_TOPOLOGY
from .lab import Lab

NAME = "demo"
_PICTURE = """
      switch blue        switch red                switch blue        switch red
   anna 10.0.0.1      carl 10.0.0.1             ben 10.0.0.2       dora 10.0.0.2
        |                  |                         |                  |
  +-----+------------------+-----+             +-----+------------------+-----+
  |  hv1   ovs + ovn-controller  |== Geneve ===|  hv2   ovs + ovn-controller  |
  +--------------+---------------+             +--------------+---------------+
                 |                                            |
                 +---- central: Northbound, Southbound, ovn-northd ----+
"""


class Stage:
    """What the audience sees: headings, checks, and a count of what failed."""

    def __init__(self):
        self.colour, self.failed, self.began = sys.stdout.isatty(), 0, time.monotonic()

    def _paint(self, code, text):
        return f"\033[{code}m{text}\033[0m" if self.colour else text

    def heading(self, text):
        print("\n" + self._paint("1;36", text), flush=True)

    def say(self, text):
        print(f"  {text}", flush=True)

    def check(self, holds, text):
        mark = self._paint("1;32", "\u2714") if holds else self._paint("1;31", "\u2718 NOT TRUE:")
        self.failed += not holds
        print(f"  {mark} {text}", flush=True)


def _ping(lab, vm, address, count=3, interval=0.2, wait=1):
    """(answers, milliseconds of the fastest)"""
    out = process.run(netns.inside(lab.namespace(vm), ["ping", "-n", f"-c{count}", f"-i{interval}", f"-W{wait}",
                                                       address]), check=False, timeout=count * (interval + wait) + 10)
    answers = len(re.findall(r"icmp_seq=\d+ ttl", out))
    fastest = re.search(r"min/avg/max\S* = ([\d.]+)/", out)
    return answers, float(fastest.group(1)) if fastest else 0.0


def _neighbour(lab, vm, address):
    """The MAC that a machine has learnt for an address."""
    out = process.run(["ip", "-n", lab.namespace(vm), "neigh", "show", address])
    found = re.search(r"lladdr (\S+)", out)
    return found.group(1) if found else "nobody"


def _same_switch(stage, lab, work):
    stage.heading("Two machines of one switch, on two hypervisors")
    with capture.running(lab, "hv1", f"{work}/same.pcap", ["udp", "port", "6081"]):
        answers, ms = _ping(lab, "anna", "10.0.0.2")
    stage.check(answers == 3, f"anna (hv1) pings ben (hv2) at 10.0.0.2: {answers} of 3 answered, fastest {ms:.1f} ms")
    tunnelled = [g for g in (capture.decode_geneve(f) for _, f in capture.packets(f"{work}/same.pcap")) if g]
    if not tunnelled:
        stage.check(False, "the packets crossed the underlay in Geneve tunnels: none was seen")
        return
    g = next((g for g in tunnelled if g.inner[12:14] == b"\x08\x00"), tunnelled[0])
    keys = {r["logical_port"]: r["tunnel_key"] for r in lab.sb.select("Port_Binding", columns=["logical_port", "tunnel_key"])}
    vni = {r["external_ids"].get("name"): r["tunnel_key"]
           for r in lab.sb.select("Datapath_Binding", columns=["external_ids", "tunnel_key"])}
    ports = g.ovn_ports or (0, 0)
    dotted = lambda b: ".".join(map(str, b))
    stage.say(f"one of {len(tunnelled)} packets seen on the cable between the hypervisors:")
    stage.say("")
    stage.say(f"    outside   {g.source} (hv1)  ->  {g.destination} (hv2)   UDP port {g.udp_port}, Geneve")
    stage.say(f"    label     network number (VNI) {g.vni}, from port {ports[0]}, to port {ports[1]}")
    stage.say(f"    inside    {dotted(g.inner[26:30])} (anna)  ->  {dotted(g.inner[30:34])} (ben)   as anna sent it")
    stage.say("")
    stage.check((g.vni, *ports) == (vni["blue"], keys["anna"], keys["ben"]),
                f"the label is what the Southbound says: blue is {vni['blue']}, anna {keys['anna']}, ben {keys['ben']}")


def _isolation(stage, lab, work):
    stage.heading("Two switches with the same addresses, which do not see each other")
    t = lab.topology.vms
    stage.say("anna (blue) and carl (red) are both 10.0.0.1; ben (blue) and dora (red) are both 10.0.0.2")
    with capture.running(lab, "carl", f"{work}/carl.pcap"), capture.running(lab, "dora", f"{work}/dora.pcap"):
        process.run(["ip", "-n", lab.namespace("anna"), "neigh", "flush", "all"])
        _ping(lab, "anna", "10.0.0.2")
        _ping(lab, "anna", "10.0.0.77", 1)                        # nobody: asks everybody of blue
    seen = len(capture.packets(f"{work}/carl.pcap")) + len(capture.packets(f"{work}/dora.pcap"))
    stage.check(seen == 0, f"anna talks and broadcasts on blue: carl and dora on red see {seen} packets")
    _ping(lab, "carl", "10.0.0.2")
    blue, red = _neighbour(lab, "anna", "10.0.0.2"), _neighbour(lab, "carl", "10.0.0.2")
    stage.check((blue, red) == (t["ben"].mac, t["dora"].mac),
                f"who is 10.0.0.2? for anna {blue} (ben), for carl {red} (dora)")
    lab.unplug("ben")
    lab.sync()
    anna, carl = _ping(lab, "anna", "10.0.0.2", wait=0.5)[0], _ping(lab, "carl", "10.0.0.2")[0]
    stage.check(anna == 0 and carl == 3,
                f"ben's cable is pulled: anna gets {anna} of 3 answers from 10.0.0.2, carl still {carl} of 3")
    lab.plug("ben", "hv2")
    stage.check(lab.wait_port_up("ben") and lab.sync() and _ping(lab, "anna", "10.0.0.2")[0] > 0,
                "ben is plugged in again, and answers")


def _move(stage, lab, work):
    stage.heading("A machine that moves to the other hypervisor")
    stage.say("anna pings ben 50 times a second, while ben moves from hv2 to hv1")
    pinger = subprocess.Popen(netns.inside(lab.namespace("anna"), ["ping", "-n", "-D", "-i0.02", "10.0.0.2"]),
                              stdout=subprocess.PIPE, text=True)
    try:
        time.sleep(1)
        moved = time.time()
        lab.move("ben", "hv1")
        lab.wait_port_up("ben")
        time.sleep(1.5)
    finally:
        pinger.terminate()
        out = pinger.communicate()[0]
    answers = [float(x) for x in re.findall(r"\[([\d.]+)\].*icmp_seq=\d+ ttl", out)]
    before, after = [t for t in answers if t < moved], [t for t in answers if t >= moved]
    gap = max((b - a for a, b in zip(before[-1:] + after, after)), default=None)
    inside = process.run(["ip", "-n", lab.namespace("ben"), "-br", "addr", "show", "eth0"])
    stage.check("10.0.0.2/24" in inside, "ben kept its address 10.0.0.2")
    stage.check(bool(before) and gap is not None and gap < 5 and time.time() - answers[-1] < 2,
                f"ben answers again: the longest silence was {gap * 1000:.0f} ms" if gap is not None else "ben answers again")
    with capture.running(lab, "hv1", f"{work}/local.pcap", ["udp", "port", "6081"]):
        answered = _ping(lab, "anna", "10.0.0.2")[0]
    ben = bytes.fromhex(lab.topology.vms["ben"].mac.replace(":", ""))
    crossed = sum(1 for g in map(capture.decode_geneve, (f for _, f in capture.packets(f"{work}/local.pcap")))
                  if g and ben in (g.inner[:6], g.inner[6:12]))
    stage.check(answered == 3 and crossed == 0,
                f"both are on hv1 now: {answered} of 3 answered, {crossed} of their packets crossed the underlay")


def _closing(stage, keep):
    tool = "lab/ovn-lab --name demo" if keep else "lab/ovn-lab"
    first = [] if keep else ["lab/ovn-lab up                                 the same network, to play with"]
    stage.heading("What to try next")
    for line in first + [f"{tool} show", f"{tool} exec anna ping 10.0.0.2",
                         f"{tool} move dora hv1", f"{tool} capture underlay",
                         f"{tool} nbctl lsp-set-enabled ben disabled", f"{tool} sbctl lflow-list blue",
                         f"{tool} kill hv1/controller         (and ping meanwhile; start brings it back)",
                         "lab/ovn-lab up --help                          your own topology, in a short file",
                         f"{tool} down"]:
        stage.say("  " + line)


def main():
    sys.stdout.reconfigure(errors="replace")
    process.be_interruptible()
    stage, lab = Stage(), Lab(NAME)
    keep = os.environ.get("KEEP", "0") not in ("", "0")
    up = False
    try:
        stage.heading("A virtual network from nothing")
        print(_PICTURE)
        lab.down()
        began = time.monotonic()
        lab.up(topology.load(DEFAULT_TOPOLOGY), say=lambda text: stage.say(f"{text} ..."))
        up = True
        stage.check(True, f"a central, two hypervisors and four machines run, in {time.monotonic() - began:.1f} s")
        with tempfile.TemporaryDirectory(prefix="ovn-demo-") as work:
            for step in (_same_switch, _isolation, _move):
                step(stage, lab, work)
        _closing(stage, keep)
    except LabError as e:
        print(f"demo: {e}", file=sys.stderr)
        stage.failed += 1
    except KeyboardInterrupt:
        print("demo: interrupted", file=sys.stderr)
        stage.failed += 1
        keep = False
    finally:
        if not (keep and up):
            lab.down()
    took = time.monotonic() - stage.began
    left = f"everything still runs; `lab/ovn-lab --name {NAME} down` ends it" if keep and up else "nothing is left running"
    print(f"\n{'All of it true' if not stage.failed else f'{stage.failed} not true'}, in {took:.0f} s; {left}.")
    return 1 if stage.failed else 0

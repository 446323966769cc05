"""world.py - the ground of the chaos run: three machines with clustered databases, hypervisors over dummy switches, a network between.

A `Member` is a machine of the cluster: a Northbound and a Southbound server, on two of three an ovn-northd too, all made by our ovn-ctl, in a
network namespace of its own, so that its cable can be cut. Hypervisors and the relay live in the namespace of this program, which is the network's
middle. Nothing restarts what dies (--no-monitor), so a daemon that is gone without our doing is found out.
"""
import importlib.util
import os
import random
import re
import shutil
import sys
import tempfile
import threading
import time
from pathlib import Path
from types import SimpleNamespace

TESTS = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(TESTS / "ovnctl"), str(TESTS.parent / "lab")]
from conftest import Machine, dead, eventually                  # noqa: E402
from ovnlab import netns, process                               # noqa: E402


def load(room):
    """tests/ROOM/ground.py: several rooms have one of that name."""
    spec = importlib.util.spec_from_file_location(f"{room}_ground", TESTS / room / "ground.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


hypervisors, northd = load("controller"), load("northd")
NAMES = {"nb": "OVN_Northbound", "sb": "OVN_Southbound"}
PORTS = {"nb": 6641, "sb": 6642}
RAFT = {"nb": 6643, "sb": 6644}
MIDDLE, RELAY = "10.99.0.254", "tcp:10.99.0.254:16642"
PROBE = 2000                            # ms; a hanging peer is given up after twice this time
DAEMONS = {"nb": "ovnnb_db", "sb": "ovnsb_db", "northd": "ovn-northd"}


def address(i):
    return f"10.99.0.{i + 1}"


def remotes(db):
    return ",".join(f"tcp:{address(i)}:{PORTS[db]}" for i in range(3))


def watched(machine):
    """Sanitizers of its daemons write into its directory."""
    for tool in ("ASAN", "UBSAN"):
        machine.env[f"{tool}_OPTIONS"] = f"{os.environ.get(tool + '_OPTIONS', '')}:log_path={machine.dir}/sanitizer".lstrip(":")
    return machine


class Member(Machine):
    """Machine I of the cluster."""

    def __init__(self, i):
        super().__init__("--no-monitor", f"--ovn-northd-nb-db={remotes('nb')}", f"--ovn-northd-sb-db={remotes('sb')}")
        self.i, self.name, self.has_northd = i, f"m{i + 1}", i < 2
        self.namespace = f"ovnlong-{os.getpid()}-{self.name}"
        for db in NAMES:
            self.options += [f"--db-{db}-cluster-local-addr={address(i)}", f"--db-{db}-election-timer=1000"]
            if i:
                self.options.append(f"--db-{db}-cluster-remote-addr={address(0)}")

    def argv(self, *args):
        return netns.inside(self.namespace, super().argv(*args))

    def what(self):
        """Its daemons' short names."""
        return ["nb", "sb", "northd"] if self.has_northd else ["nb", "sb"]

    def start(self, what):
        self.ok("start_northd", "--ovn-manage-ovsdb=no") if what == "northd" else self.ok(f"start_{what}_ovsdb")

    def signal(self, what, number):
        pid = self.pid(DAEMONS[what])
        os.kill(pid, number)
        return pid

    def cut(self, off=True):
        """Pulls the machine's cable, at the far end: it keeps its address, and nobody is told."""
        process.run(["ip", "link", "set", f"to-{self.name}", "down" if off else "up"])

    def status(self, db):
        return self.program("ovn-appctl", "-T", "5", "-t", f"{self.run}/ovn{db}_db.ctl", "cluster/status", NAMES[db]).out

    def is_leader(self, db):
        return "\nRole: leader\n" in self.status(db)

    def northd_status(self):
        return self.program("ovn-appctl", "-T", "5", "-t", "ovn-northd", "status").out.strip().removeprefix("Status: ")


class World:
    """Everything. Runs in a network namespace of its own (unshare -n), which it makes the middle of the network."""

    def __init__(self, n_hypervisors=3):
        self.members, self.client, self.hosts = [], None, []
        self.dir = Path(tempfile.mkdtemp(prefix="ovnlong-"))
        self.n_hypervisors = n_hypervisors

    def up(self):
        self.members = [watched(Member(i)) for i in range(3)]
        netns.add([m.namespace for m in self.members])
        netns.batch(["link set lo up", "link add middle type bridge", f"addr add {MIDDLE}/24 dev middle", "link set middle up"] +
                    [line for m in self.members for line in (
                        f"link add to-{m.name} type veth peer name eth0 netns {m.namespace}",
                        f"link set to-{m.name} master middle", f"link set to-{m.name} up")])
        for m in self.members:
            netns.batch(["link set lo up", f"addr add {address(m.i)}/24 dev eth0", "link set eth0 up"], m.namespace)
        for m in self.members:
            m.ok("start_ovsdb")
        local = self.members[0]
        for db, tool in (("nb", local.nbctl), ("sb", local.sbctl)):
            tool("--no-leader-only", f"--inactivity-probe={PROBE}", "set-connection", f"ptcp:{PORTS[db]}:0.0.0.0")
        for m in self.members:
            for what in m.what()[2:]:
                m.start(what)
        self.client = watched(Machine("--no-monitor", f"--db-sb-relay-remote={remotes('sb')}"))
        self.client.env |= {"OVN_NB_DB": remotes("nb"), "OVN_SB_DB": remotes("sb")}
        self.nbctl("set", "NB_Global", ".", f"options:northd_probe_interval={PROBE}")
        self.start_relay()
        for i in range(self.n_hypervisors):
            # The last one is behind the relay.
            remote = RELAY if i == self.n_hypervisors - 1 else remotes("sb")
            self.hosts.append(hypervisors.Host(SimpleNamespace(dir=self.dir), f"hv{i + 1}", f"192.0.2.{i + 1}", SimpleNamespace(sock=None),
                                               ovn_remote=remote, ovn_remote_probe_interval=str(PROBE)))

    def down(self, keep):
        """Ends everything; a sanitizer's report is an error, and all is kept then."""
        machines = [*self.members, *([self.client] if self.client else [])]
        for h in self.hosts:
            h.end()
        for m in machines:
            for pidfile in m.run.glob("*.pid"):
                pid = m.pid(pidfile.stem)
                start = pid and process.start_time(pid)
                if start and str(m.dir) in Path(f"/proc/{pid}/cmdline").read_text():
                    process.end([(pid, start)])
        netns.delete([m.namespace for m in self.members])
        directories = [self.dir, *(m.dir for m in machines)]
        reports = [p.read_text(errors="replace") for d in directories for p in d.rglob("sanitizer.*")]
        if keep or reports:
            print("kept:", *directories)
        else:
            for d in directories:
                shutil.rmtree(d)
        assert not reports, "sanitizers found:\n" + "\n".join(reports)

    def sanitized(self):
        """Our daemons keep what is freed, to watch it."""
        return b"__asan_init" in Path(f"/proc/{self.hosts[0].pids['controller'][0]}/exe").read_bytes()

    def start_relay(self):
        self.client.ok("start_sb_relay_ovsdb", "--", "--remote=p" + RELAY.replace(f"{MIDDLE}:16642", f"16642:{MIDDLE}"))

    # ---- the network's content ----

    def nbctl(self, *args, timeout=60):
        return self.client.nbctl(f"--timeout={timeout}", *args, db=remotes("nb"))

    def sbctl(self, *args, timeout=60):
        return self.client.sbctl(f"--timeout={timeout}", *args, db=remotes("sb"))

    def leader(self, db):
        """The member that leads; None while none is known, or two claim to."""
        found = [m for m in self.members if m.is_leader(db)]
        return found[0] if len(found) == 1 else None

    def active(self):
        return [m for m in self.members if m.has_northd and m.northd_status() == "active"]

    def settle(self):
        """Everything runs and is connected: until all have caught up."""
        for db in NAMES:
            eventually(lambda: self.leader(db), 30, f"no leader of {db}")
        eventually(lambda: len(self.active()) == 1, 30, "not one active ovn-northd")
        for h in self.hosts:
            eventually(lambda: h.appctl("connection-status").strip() == "connected", 30, f"{h.name} is not connected")
        self.nbctl("--wait=hv", "sync")

    def local(self, db):
        """The database behind a Unix socket: that of the member that leads."""
        leader = eventually(lambda: self.leader(db), 30, f"no leader of {db}")
        return northd.Database(leader.run / f"ovn{db}_db.sock", NAMES[db])

    def resident(self):
        """{daemon of ours: KB of memory}"""
        pids = {f"{m.name}/northd": m.pid("ovn-northd") for m in self.members if m.has_northd}
        pids |= {f"{h.name}/controller": h.pids["controller"][0] for h in self.hosts}
        return {name: int(re.search(r"VmRSS:\s+(\d+)", Path(f"/proc/{pid}/status").read_text())[1]) for name, pid in pids.items()}

    def logs(self):
        """{daemon of ours: log}"""
        found = {f"{m.name}/northd": m.log / "ovn-northd.log" for m in self.members if m.has_northd}
        return found | {f"{h.name}/controller": h.dir / "ovn-controller.log" for h in self.hosts}


def wait(seconds, stop):
    """A pause that the end of the run cuts short."""
    end = time.monotonic() + seconds
    while time.monotonic() < end and not stop():
        time.sleep(0.05)


class Worker(threading.Thread):
    """A thread that does step() over and over until it is told to finish, and keeps what it fails of: nobody else would hear."""

    def __init__(self, world, seed, name):
        super().__init__(name=name, daemon=True)
        self.world, self.rng = world, random.Random(f"{seed} {name}")
        self.stopping, self.failure = False, None

    def run(self):
        try:
            while not self.stopping:
                self.step()
        except Exception as e:
            self.failure = e

    def pause(self, least, most):
        wait(self.rng.uniform(least, most), lambda: self.stopping)

    def finish(self):
        self.stopping = True
        self.join(120)
        assert not self.is_alive(), f"{self.name} hangs"
        if self.failure:
            raise AssertionError(f"{self.name}: {self.failure}") from self.failure

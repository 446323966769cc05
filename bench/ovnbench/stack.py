"""One OVN at work: its databases (each OVN with its own schemas), its daemons, and what they cost.

A Stack lives in a run directory of its own and ends the processes that it started, and only those: by their pid,
when it is closed. Should the bench itself be killed, the kernel ends them (PR_SET_PDEATHSIG).
"""
import ctypes
import os
import shutil
import signal
import subprocess
import tempfile
import time
from pathlib import Path

from . import BenchError
from .rpc import Client

REPO = Path(__file__).resolve().parents[2]
VSWITCH_SCHEMA = "/usr/share/openvswitch/vswitch.ovsschema"
_libc = ctypes.CDLL(None)


class Kind:
    """Whose programs: `ours` or `peer`."""

    def __init__(self, name, bins, schemas):
        self.name, self.bins, self.schemas = name, Path(bins), Path(schemas)

    def program(self, name):
        """The path, or None if this OVN has no such program (yet)."""
        path = self.bins / name
        return str(path) if os.access(path, os.X_OK) else None

    def version(self):
        program = self.program("ovn-northd")
        done = program and subprocess.run([program, "--version"], capture_output=True, text=True)
        return done.stdout.splitlines()[0] if done and done.stdout else "unknown"


def ours():
    return Kind("ours", REPO / "build/bin", REPO / "build/schema")


def peer():
    return Kind("peer", REPO / ".peer/usr/bin", REPO / ".peer/usr/share/ovn")


def _die_with_parent():
    _libc.prctl(1, signal.SIGKILL)      # PR_SET_PDEATHSIG


class Process:
    """A daemon in the foreground; costs are what the kernel counts of it."""

    def __init__(self, argv, env, log):
        # Standard output and error go to a file, for the message when it does not start.
        with open(log, "ab") as out:
            try:
                # A group of its own: Ctrl-C is for the bench, which then ends all in order.
                self.popen = subprocess.Popen(argv, env=env, stdin=subprocess.DEVNULL, stdout=out, stderr=out,
                                              process_group=0, preexec_fn=_die_with_parent)
            except OSError as e:
                raise BenchError(f"{argv[0]}: {e.strerror}") from None
        self.ended = False
        self.pid, self.name, self.log = self.popen.pid, os.path.basename(argv[0]), log

    def check(self):
        if self.popen.poll() is not None and not self.ended:
            tail = Path(self.log).read_text(errors="replace").splitlines()[-3:]
            raise BenchError(f"{self.name} ended ({self.popen.returncode}): {' | '.join(tail)}")

    def cpu(self):
        """CPU seconds of all its threads, to the nanosecond (schedstat(5) of each thread; exact while it sleeps)."""
        self.check()
        total = 0
        for task in os.listdir(f"/proc/{self.pid}/task"):
            try:
                with open(f"/proc/{self.pid}/task/{task}/schedstat") as f:
                    total += int(f.read().split()[0])
            except OSError:                # A thread that has just ended.
                pass
        return total / 1e9

    def memory_mb(self, key="VmHWM"):
        """VmHWM is the peak, VmRSS what it has now; in megabytes."""
        self.check()
        with open(f"/proc/{self.pid}/status") as f:
            for line in f:
                if line.startswith(key + ":"):
                    return int(line.split()[1]) * 1024 / 1e6
        return 0.0

    def settle(self, quiet=0.25, limit=60):
        """Waits until it has used no CPU time to speak of for QUIET seconds: until it is done."""
        end, last, since = time.monotonic() + limit, self.cpu(), time.monotonic()
        while time.monotonic() < end and time.monotonic() - since < quiet:
            time.sleep(0.02)
            now = self.cpu()
            if now - last > 0.0005:
                last, since = now, time.monotonic()
        return self.cpu()

    def end(self, number=signal.SIGTERM, patience=10):
        self.ended = True
        if self.popen.poll() is None:
            self.popen.send_signal(number)
            try:
                self.popen.wait(patience)
            except subprocess.TimeoutExpired:
                self.popen.kill()
                self.popen.wait()


class Stack:
    def __init__(self, kind):
        self.kind, self.processes, self.clients = kind, [], []
        self.dir = tempfile.mkdtemp(prefix="ovn-bench.")
        keys = [f"{o}_{k}DIR" for o in ("OVN", "OVS") for k in ("RUN", "LOG", "DB", "SYSCONF")]
        self.env = dict(os.environ, **{k: self.dir for k in keys})

    def __enter__(self):
        return self

    def __exit__(self, *exc):
        for c in self.clients:
            c.close()
        for p in reversed(self.processes):
            p.end()
        if os.environ.get("KEEP"):
            print("kept:", self.dir)
        else:
            shutil.rmtree(self.dir, ignore_errors=True)

    def path(self, name):
        return os.path.join(self.dir, name)

    def start(self, *argv):
        p = Process([str(a) for a in argv], self.env, self.path(f"{os.path.basename(argv[0])}.out"))
        self.processes.append(p)
        return p

    def run(self, *argv):
        done = subprocess.run([str(a) for a in argv], env=self.env, capture_output=True, text=True, timeout=120)
        if done.returncode:
            raise BenchError(f"{argv[0]}: {done.stderr.strip()[-500:]}")
        return done.stdout

    def database(self, name, schema, db):
        """Starts an ovsdb-server with an empty database; returns (process, a client of it)."""
        file, socket = self.path(name + ".db"), self.path(name + ".sock")
        self.run("ovsdb-tool", "create", file, schema)
        p = self.start("ovsdb-server", "--remote=punix:" + socket, f"--unixctl={self.path(name + '.ctl')}",
                       "-vconsole:off", f"--log-file={self.path(name + '.log')}", file)
        end = time.monotonic() + 30
        while True:
            try:
                client = Client(socket, db)
                break
            except OSError as e:        # Not bound, or bound and not listening yet.
                p.check()
                if time.monotonic() > end:
                    raise BenchError(f"{socket}: {e.strerror}") from None
                time.sleep(0.01)
        self.clients.append(client)
        return p, client

    def central(self):
        """Northbound and southbound servers, as self.nb_server, self.nb, self.sb_server, self.sb."""
        schemas = self.kind.schemas
        self.nb_server, self.nb = self.database("nb", schemas / "ovn-nb.ovsschema", "OVN_Northbound")
        self.sb_server, self.sb = self.database("sb", schemas / "ovn-sb.ovsschema", "OVN_Southbound")
        self.nb.transact({"op": "insert", "table": "NB_Global", "row": {"nb_cfg": 1}})

    def northd(self):
        return self.start(self.kind.program("ovn-northd"), f"--ovnnb-db=unix:{self.path('nb.sock')}",
                          f"--ovnsb-db=unix:{self.path('sb.sock')}", f"--unixctl={self.path('northd.ctl')}",
                          "-vconsole:off", f"--log-file={self.path('northd.log')}")

    def controller(self):
        return self.start(self.kind.program("ovn-controller"), "-vconsole:off",
                          f"--log-file={self.path('controller.log')}", f"unix:{self.path('ovs.sock')}")

    def vswitchd(self):
        """A switch without a kernel datapath: flows are real, packets are not."""
        return self.start("ovs-vswitchd", f"--unixctl={self.path('vswitchd.ctl')}", "--enable-dummy=override",
                          "--disable-system", "-vconsole:off", f"--log-file={self.path('vswitchd.log')}",
                          f"unix:{self.path('ovs.sock')}")

    def raise_nb_cfg(self, *ops):
        """Runs the northbound OPS and raises nb_cfg, in one transaction; returns the new number."""
        return self.nb.transact(*ops, {"op": "mutate", "table": "NB_Global", "where": [], "mutations": [["nb_cfg", "+=", 1]]},
                                {"op": "select", "table": "NB_Global", "where": [], "columns": ["nb_cfg"]})[-1]["rows"][0]["nb_cfg"]

    def sync(self, *ops, column="sb_cfg", timeout=600):
        """The same, and waits until the southbound database (sb_cfg) or all hypervisors (hv_cfg) have it."""
        want = self.raise_nb_cfg(*ops)
        self.wait(self.nb, "NB_Global", {column: want}, timeout=timeout)

    def wait(self, client, table, row, where=(), timeout=600):
        """Until each row of TABLE that meets WHERE has the columns of ROW; an error once a process of ours has died."""
        end = time.monotonic() + timeout
        while not client.wait(table, row, where, min(2, timeout)):
            for p in self.processes:
                p.check()
            if time.monotonic() > end:
                raise BenchError(f"{table}{list(where)} has not become {row} in {timeout} s")

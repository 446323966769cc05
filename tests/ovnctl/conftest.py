"""Machines for the tests of ovn-ctl: each a set of directories of its own and an environment that names them."""
import contextlib
import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from pathlib import Path

import pytest

REPO = Path(__file__).resolve().parents[2]
BUILD = Path(os.environ.get("BUILD", REPO / "build"))


def eventually(condition, seconds=10, what="it did not become true"):
    deadline = time.monotonic() + seconds
    while True:
        value = condition()
        if value:
            return value
        assert time.monotonic() < deadline, f"{what} (in {seconds} s)"
        time.sleep(0.02)


def free_ports(n):
    """N TCP ports of 127.0.0.1 that nobody has just now, below those that connections get by themselves."""
    found, port = [], 20000 + os.getpid() * 37 % 10000
    while len(found) < n:
        port += 1
        with socket.socket() as s:
            try:
                s.bind(("127.0.0.1", port))
                found.append(port)
            except OSError:
                pass
    return found


def dead(pid):
    """True if the process is gone, or waits to be buried."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] == "Z"
    except (FileNotFoundError, ProcessLookupError):
        return True


class Result:
    def __init__(self, done):
        self.out, self.err, self.status = done.stdout, done.stderr, done.returncode

    def __repr__(self):
        return f"status {self.status}\nstdout: {self.out}\nstderr: {self.err}"


class Machine:
    """What one machine's ovn-ctl knows: run, log, database and configuration directories, options for every call."""

    def __init__(self, *options, **env):
        self.dir = Path(tempfile.mkdtemp(prefix="ovnctl-"))
        self.run, self.log, self.db, self.etc = (self.dir / d for d in ("run", "log", "db", "etc"))
        self.etc.mkdir()
        self.options = list(options)
        kept = {k: v for k, v in os.environ.items() if not k.startswith(("OVN_", "OVS_", "NOTIFY_"))}
        self.env = dict(kept, OVN_RUNDIR=str(self.run), OVS_RUNDIR=str(self.run), OVN_LOGDIR=str(self.log), OVN_DBDIR=str(self.db),
                        OVN_SYSCONFDIR=str(self.etc), OVS_SYSLOG_METHOD="null", **env)

    def argv(self, *args):
        return [str(BUILD / "bin/ovn-ctl"), "--ovn-northd-priority=", "--ovn-controller-priority=", *self.options, *args]

    def program(self, name, *args, timeout=60):
        path = BUILD / "bin" / name
        argv = [str(path) if path.exists() else name, *args]
        return Result(subprocess.run(argv, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=self.env, timeout=timeout))

    def ctl(self, *args):
        """ovn-ctl ARGS: what it did. No file handle of ours is left with daemons, or this would wait for them."""
        return Result(subprocess.run(self.argv(*args), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=self.env, timeout=90))

    def ok(self, *args):
        r = self.ctl(*args)
        assert r.status == 0 and not r.err, (args, r)
        return r.out

    def refused(self, *args):
        r = self.ctl(*args)
        assert r.status == 1, (args, r)
        return r.err

    def pid(self, name):
        try:
            return int((self.run / f"{name}.pid").read_text())
        except (FileNotFoundError, ValueError):
            return None

    def nbctl(self, *args, db=None):
        r = self.program("ovn-nbctl", f"--db={db or f'unix:{self.run}/ovnnb_db.sock'}", *args)
        assert r.status == 0, (args, r)
        return r.out

    def sbctl(self, *args, db=None):
        r = self.program("ovn-sbctl", f"--db={db or f'unix:{self.run}/ovnsb_db.sock'}", *args)
        assert r.status == 0, (args, r)
        return r.out

    def appctl(self, target, *args):
        r = self.program("ovn-appctl", "-t", str(self.run / target) if target.endswith(".ctl") else target, *args)
        assert r.status == 0, (target, args, r)
        return r.out

    def warnings(self, name):
        return [line for line in (self.log / f"{name}.log").read_text().splitlines() if "|WARN|" in line or "|ERR|" in line]

    def kill(self, name):
        """kill -9 to a daemon, and first to the monitor that would start it again; returns when it is dead."""
        pid = self.pid(name)
        try:
            parent = int(Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[1])
            command = Path(f"/proc/{parent}/cmdline").read_text()
            if f"monitoring pid {pid}" in command or str(self.dir) in command:
                os.kill(parent, signal.SIGKILL)
            os.kill(pid, signal.SIGKILL)
        except (FileNotFoundError, ProcessLookupError):
            return
        eventually(lambda: dead(pid), what=f"{name} does not die")

    def close(self):
        """Ends whatever still runs here, by the numbers in its pidfiles."""
        for pidfile in self.run.glob("*.pid"):
            self.kill(pidfile.stem)
        shutil.rmtree(self.dir)


@contextlib.contextmanager
def a_hypervisor(m, remote):
    """An Open vSwitch database without a switch on machine M, for an ovn-controller that is chassis hv at REMOTE. Yields ovs-vsctl."""
    m.run.mkdir(exist_ok=True)
    subprocess.run(["ovsdb-tool", "create", f"{m.dir}/conf.db", "/usr/share/openvswitch/vswitch.ovsschema"], check=True)
    local = subprocess.Popen(["ovsdb-server", f"--remote=punix:{m.run}/db.sock", f"--unixctl={m.run}/local.ctl", "-vconsole:off",
                              f"{m.dir}/conf.db"])
    vsctl = lambda *words: subprocess.run(["ovs-vsctl", "--no-wait", f"--db=unix:{m.run}/db.sock", *words], check=True)
    try:
        eventually((m.run / "db.sock").exists)
        vsctl("init", "--", "set", "Open_vSwitch", ".", "external_ids:system-id=hv", "external_ids:ovn-encap-type=geneve",
              "external_ids:ovn-encap-ip=127.0.0.1", f"external_ids:ovn-remote={remote}")
        yield vsctl
    finally:
        local.terminate()
        local.wait()


@pytest.fixture
def machines():
    made = []

    def make(*options, **env):
        made.append(Machine(*options, **env))
        return made[-1]

    yield make
    for m in made:
        m.close()


@pytest.fixture
def machine(machines):
    return machines()

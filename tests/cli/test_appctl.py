"""ovn-appctl as ovn-appctl(8) has it: whom it finds, what every daemon answers, exit statuses; with our own daemon, and with ovsdb-server of Open vSwitch."""
import os
import re
import shutil
import signal
import subprocess
import tempfile
import time
from pathlib import Path

import pytest
from conftest import BUILD, PEER, Result

APPCTL = BUILD / "bin/ovn-appctl"


def eventually(condition, seconds=10):
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not become true"
        time.sleep(0.01)


class Place:
    """Run directories of OVN and of Open vSwitch: an ovn-northd in one, an ovsdb-server in the other."""

    def __init__(self):
        self.dir = Path(tempfile.mkdtemp(prefix="ovn-cli-"))
        self.ovn, self.ovs = self.dir / "ovn", self.dir / "ovs"
        for d in self.ovn, self.ovs:
            d.mkdir()
        self.env = dict({k: v for k, v in os.environ.items() if not k.startswith(("OVN_", "OVS_"))}, OVN_RUNDIR=str(self.ovn),
                        OVS_RUNDIR=str(self.ovs), OVN_LOGDIR=str(self.dir), OVS_LOGDIR=str(self.dir))
        subprocess.run(["ovsdb-tool", "create", f"{self.dir}/sb.db", f"{BUILD}/schema/ovn-sb.ovsschema"], check=True)
        self.pids = []
        self.start("ovsdb-server", "--remote=punix:" + str(self.dir / "db.sock"), str(self.dir / "sb.db"), rundir=self.ovs)
        nowhere = f"unix:{self.dir}/nowhere"
        self.start(str(BUILD / "bin/ovn-northd"), f"--ovnnb-db={nowhere}", f"--ovnsb-db={nowhere}", rundir=self.ovn)

    def start(self, program, *args, rundir):
        name = os.path.basename(program)
        subprocess.run([program, "--detach", "--no-chdir", f"--pidfile={rundir}/{name}.pid", f"--log-file={self.dir}/{name}.log", "-vconsole:off", *args],
                       env=self.env, check=True, timeout=30, stderr=subprocess.DEVNULL)
        self.pids.append(int((rundir / f"{name}.pid").read_text()))

    def __call__(self, *args, program=APPCTL, **env):
        return Result(subprocess.run([program, *map(str, args)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, timeout=30, env=dict(self.env, **env)))

    def ok(self, *args, **env):
        r = self(*args, **env)
        assert r.status == 0 and not r.err, (args, r)
        return r.out

    def close(self):
        for pid in self.pids:
            os.kill(pid, signal.SIGTERM)
        eventually(lambda: not any(Path(f"/proc/{pid}").exists() for pid in self.pids))
        shutil.rmtree(self.dir)


@pytest.fixture(scope="module")
def place():
    p = Place()
    yield p
    p.close()


def test_targets(place):
    """A name in OVN's run directory, then in Open vSwitch's; a path; the default."""
    pid = (place.ovn / "ovn-northd.pid").read_text().strip()
    ours, theirs = place.ok("-t", "ovn-northd", "version"), place.ok("-t", "ovsdb-server", "version")
    assert ours.startswith("ovn-northd (") and theirs.startswith("ovsdb-server (Open vSwitch)")
    for target in f"-t{place.ovn}/ovn-northd.{pid}.ctl", f"--target={place.ovn}/ovn-northd.{pid}.ctl", "--target=ovn-northd", "--targ=ovn-northd":
        assert place.ok(target, "version") == ours
    r = place("version")
    assert r.status == 1 and r.err == f'ovn-appctl: cannot read pidfile "{place.ovn}/ovn-controller.pid" (No such file or directory)\n'
    (place.ovn / "ovn-controller.pid").write_text(f"{pid}\n")         # Nobody holds it: a daemon that died, and another that has its number.
    r = place("version")
    assert r.status == 1 and f'cannot read pidfile "{place.ovn}/ovn-controller.pid" (No such process)' in r.err
    (place.ovn / "ovn-controller.pid").unlink()
    place.start(str(BUILD / "bin/ovn-controller"), f"unix:{place.dir}/nowhere", rundir=place.ovn)
    assert place.ok("version").startswith("ovn-controller (") and place.ok("exit") == ""
    eventually(lambda: place("version").status == 1)
    place.pids.pop()


def test_both_clients_talk_to_both_daemons(place):
    pids = {name: (d / f"{name}.pid").read_text().strip() for name, d in (("ovn-northd", place.ovn), ("ovsdb-server", place.ovs))}
    for name, d in ("ovn-northd", place.ovn), ("ovsdb-server", place.ovs):
        path = d / f"{name}.{pids[name]}.ctl"
        for words in ["version"], ["list-commands"], ["vlog/list"], ["nonsense"], ["version", "more"]:
            ours, theirs = place("-t", path, *words), place("-t", path, *words, program="ovs-appctl")
            assert (ours.out, ours.err.replace("ovn-appctl", "ovs-appctl"), ours.status) == (theirs.out, theirs.err, theirs.status)


def test_commands_of_every_daemon(place):
    ask = lambda *words: place.ok("-t", "ovn-northd", *words)
    commands = ask("list-commands")
    assert commands.startswith("The available commands are:\n")
    for command in ("list-commands", "version", "exit", "vlog/list", "vlog/list-pattern", "vlog/set", "vlog/close", "vlog/reopen", "vlog/enable-rate-limit",
                    "vlog/disable-rate-limit", "coverage/show", "coverage/read-counter", "memory/show"):
        assert f"\n  {command} " in commands


def test_vlog(place):
    ask = lambda *words: place.ok("-t", "ovn-northd", *words)
    level = lambda: re.search(r"^daemon +(\w+) +(\w+) +(\w+)$", ask("vlog/list"), re.M).groups()
    before = level()
    ask("vlog/set", "daemon:file:dbg")
    assert level() == (*before[:2], "DBG")
    ask("vlog/set", "daemon,syslog,off", "daemon:console:err")
    assert level() == ("ERR", "OFF", "DBG")
    ask("vlog/set")
    assert set(re.findall(r"^\w+ +(\w+) +(\w+) +(\w+)$", ask("vlog/list"), re.M)) == {("DBG", "DBG", "DBG")}
    ask("vlog/set", "ANY:ANY:info", "console:off")
    ask("vlog/set", "PATTERN:file:%p %m")
    assert re.search(r"^FILE .* %p %m$", ask("vlog/list-pattern"), re.M)
    ask("vlog/set", "FACILITY:local1")
    for bad in "nonsense", "daemon:nonsense", "PATTERN:nowhere:x", "FACILITY:nonsense", "daemon:file:loud":
        r = place("-t", "ovn-northd", "vlog/set", bad)
        assert r.status == 2 and not r.out and r.err.endswith("ovn-appctl: ovn-northd: server returned an error\n"), (bad, r)
    log = place.dir / "ovn-northd.log"
    moved = log.rename(place.dir / "old.log")
    ask("vlog/reopen")
    assert log.exists()
    ask("vlog/close")
    log.unlink()
    ask("vlog/reopen")
    assert log.exists() and moved.exists()


def test_exit_statuses(place):
    for args, status, err in (
            ([], 1, "at least one non-option argument is required (use --help for help)"), (["-t"], 1, "option requires an argument"),
            (["-t", "ovn-northd"], 1, "at least one non-option argument is required"), (["--nonsense"], 1, "unrecognized option '--nonsense'"),
            (["-T", "x", "version"], 1, "value x on -T or --timeout is invalid"), (["-T", "-1", "version"], 1, "value -1 on -T or --timeout is invalid"),
            (["-t", "/nowhere", "version"], 1, 'cannot connect to "/nowhere" (No such file or directory)'),
            (["-t", "nobody", "version"], 1, f'cannot read pidfile "{place.ovn}/nobody.pid"'),
            (["-t", "ovn-northd", "lunch"], 2, '"lunch" is not a valid command (use "list-commands" to see a list of valid commands)'),
            (["-t", "ovn-northd", "coverage/read-counter"], 2, '"coverage/read-counter" command requires at least 1 arguments')):
        r = place(*args)
        assert r.status == status and not r.out and err in r.err, (args, r)
    assert place("-t", "ovn-northd", "version", OVS_CTL_TIMEOUT="x").status == 1
    for zero in ["-T", "0"], ["--timeout=0"]:
        place.ok(*zero, "-t", "ovn-northd", "version")
    assert "Commands that every daemon knows" in place.ok("--help") and place.ok("-V").startswith("ovn-appctl ")


def test_it_waits_no_longer_than_it_is_told(place):
    os.kill(place.pids[1], signal.SIGSTOP)
    try:
        assert place("-t", "ovn-northd", "-T1", "version").status == -signal.SIGALRM
    finally:
        os.kill(place.pids[1], signal.SIGCONT)
    place.ok("-t", "ovn-northd", "version")


@pytest.mark.skipif(not (PEER / "usr/bin/ovn-appctl").exists(), reason="Debian's OVN is not unpacked (make check-peer)")
def test_as_the_peer(place):
    for words in (["-t", "ovn-northd", "list-commands"], ["-t", "ovn-northd", "version"], [], ["-T", "x", "version"], ["-t", "ovn-northd"],
                  ["-t", "ovn-northd", "nope"], ["-t", "ovn-northd", "version", "x"], ["-t", "ovn-northd", "vlog/set", "nope"], ["-t", "ovn-northd", "vlog/list"],
                  ["-t", "ovn-northd", "vlog/list-pattern"], ["-t", "/nope", "version"], ["-t", "nope", "version"]):
        ours, theirs = place(*words), place(*words, program=PEER / "usr/bin/ovn-appctl")
        without_log = re.sub(r"^\d{4}-\d\d-\d\dT[^\n]*\n", "", theirs.err, flags=re.M)
        assert (ours.out, ours.err, ours.status) == (theirs.out, without_log, theirs.status), words

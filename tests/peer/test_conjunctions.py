"""Conjunctive matches as the real switch evaluates them: random expressions of sets, and random packets, through ofproto/trace of an ovs-vswitchd with
a dummy datapath. The verdict is worked out here from the sets themselves."""
import os
import random
import shutil
import signal
import subprocess
import tempfile
import time
from pathlib import Path

import pytest

REPO = Path(__file__).resolve().parents[2]
LFLOW_DUMP = REPO / "build/src/logical/lflow-dump"
SCHEMA = Path("/usr/share/openvswitch/vswitch.ovsschema")


class Switch:
    def __init__(self, *options):
        self.dir = Path(tempfile.mkdtemp(prefix="conj-"))
        d = self.dir
        self.env = dict(os.environ, OVS_RUNDIR=str(d), OVS_LOGDIR=str(d), OVS_DBDIR=str(d))
        self.processes = []
        self.run("ovsdb-tool", "create", f"{d}/conf.db", SCHEMA)
        self.start("db.sock", "ovsdb-server", f"--remote=punix:{d}/db.sock", f"--unixctl={d}/db.ctl", f"{d}/conf.db")
        self.start("vs.ctl", "ovs-vswitchd", f"unix:{d}/db.sock", "--disable-system", "--enable-dummy=override", f"--unixctl={d}/vs.ctl", "-vconsole:off", *options)
        self.run("ovs-vsctl", f"--db=unix:{d}/db.sock", "add-br", "br0", "--", "set", "bridge", "br0", "datapath_type=dummy", "fail_mode=secure",
                 "--", "add-port", "br0", "p1", "--", "set", "interface", "p1", "type=dummy", "ofport_request=1")

    def start(self, file, *command):
        self.processes.append(subprocess.Popen(command, env=self.env, stderr=subprocess.DEVNULL))
        deadline = time.monotonic() + 10
        while not (self.dir / file).exists():
            assert time.monotonic() < deadline
            time.sleep(0.02)

    def run(self, *command):
        return subprocess.run(command, env=self.env, check=True, text=True, capture_output=True).stdout

    def ofctl(self, *words):
        done = subprocess.run(["ovs-ofctl", "-O", "OpenFlow15", *words], env=self.env, text=True, capture_output=True)
        assert done.returncode == 0, done.stderr + done.stdout
        return done.stdout

    def load(self, flows):
        file = self.dir / "flows"
        file.write_text("table=0 actions=resubmit(,8)\n" + "\n".join(flows) + "\n")
        self.ofctl("replace-flows", f"unix:{self.dir}/br0.mgmt", file)

    def accepts(self, packet):
        trace = self.run("ovs-appctl", "-t", f"{self.dir}/vs.ctl", "ofproto/trace", "br0", f"in_port=p1,{packet}")
        return "resubmit(,9)" in trace

    def stop(self):
        for p in reversed(self.processes):
            p.send_signal(signal.SIGTERM)
            p.wait()
        shutil.rmtree(self.dir, ignore_errors=True)


@pytest.fixture
def switch():
    s = Switch()
    yield s
    s.stop()


def some(values):
    return sorted(random.sample(values, random.randint(3, 6)))


SOURCES = [f"10.0.0.{i}" for i in range(1, 10)]
PORTS = list(range(80, 90))


def branch():
    return some(SOURCES), some(SOURCES), some(PORTS)


def text(b):
    return f"(ip4.src == {{{', '.join(b[0])}}} && ip4.dst == {{{', '.join(b[1])}}} && tcp.dst == {{{', '.join(map(str, b[2]))}}})"


def dump(match):
    done = subprocess.run([LFLOW_DUMP, "--conjunctions"], input=f"ingress\t0\t100\t{match}\tnext;\n", text=True, capture_output=True, check=True)
    return done.stdout.splitlines()


@pytest.mark.parametrize("n_branches", [1, 2, 3])
def test_random_sets(switch, n_branches):
    random.seed(n_branches)
    verdicts = set()
    for _ in range(4):
        branches = [branch() for _ in range(n_branches)]
        flows = dump(" || ".join(map(text, branches)))
        assert any("conj_id" in f for f in flows) and len(flows) <= n_branches * 19
        switch.load(flows)
        for _ in range(15):
            src, dst, port = random.choice(SOURCES), random.choice(SOURCES), random.choice(PORTS)
            expected = any(src in b[0] and dst in b[1] and port in b[2] for b in branches)
            assert switch.accepts(f"tcp,nw_src={src},nw_dst={dst},tp_dst={port}") == expected, (branches, src, dst, port)
            verdicts.add(expected)
    assert verdicts == {True, False}


def test_many(switch):
    """Ten thousand addresses and twenty ports: the switch takes them, and all of them work."""
    addresses = [f"10.{i >> 8}.{i & 255}.1" for i in range(10000)]
    flows = dump(f"ip4.src == {{{', '.join(addresses)}}} && tcp.dst == {{{', '.join(map(str, range(1000, 1020)))}}}")
    assert len(flows) == 10000 + 20 + 1
    switch.load(flows)
    assert switch.accepts("tcp,nw_src=10.39.15.1,tp_dst=1019")
    assert not switch.accepts("tcp,nw_src=10.39.16.1,tp_dst=1019")
    assert not switch.accepts("tcp,nw_src=10.39.15.1,tp_dst=1020")

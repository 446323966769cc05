"""Fixtures for the tests of ovn-nbctl and ovn-sbctl: a private ovsdb-server a module, and the tools on it.

Run by meson (see meson.build here); BUILD is the build folder. No network, no root.
"""
import os
import re
import resource
import shutil
import socket
import subprocess
import tempfile
import time
from pathlib import Path

import coverage
import pytest

REPO = Path(__file__).resolve().parents[2]
BUILD = Path(os.environ.get("BUILD", REPO / "build"))
PEER = REPO / ".peer"
UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")


def pytest_collection_modifyitems(config, items):
    """What looks at the whole run comes last, and says so if it is not the whole."""
    items.sort(key=lambda item: item.path.name == "test_coverage.py")
    here = Path(__file__).parent
    some = config.option.keyword or config.option.markexpr or any("::" in arg for arg in config.args)
    config.whole_folder = not some and {item.path for item in items} >= set(here.glob("test_*.py"))


class Result:
    def __init__(self, done):
        self.out, self.err, self.status = done.stdout, done.stderr, done.returncode

    def __repr__(self):
        return f"status {self.status}\nstdout: {self.out}\nstderr: {self.err}"


class Server:
    """ovsdb-server with a Northbound and a Southbound database of the schemas in SCHEMAS."""

    def __init__(self, schemas):
        self.newer = Path(schemas) == BUILD / "schema"         # Than the peer's.
        self.dir = Path(tempfile.mkdtemp(prefix="ovn-cli-"))
        for db in "nb", "sb":
            subprocess.run(["ovsdb-tool", "create", f"{self.dir}/{db}.db", f"{schemas}/ovn-{db}.ovsschema"], check=True)
        self.socket = f"{self.dir}/db.sock"
        self.remote = f"unix:{self.socket}"
        self.process = None
        self.start()

    def start(self):
        self.process = subprocess.Popen(
            ["ovsdb-server", f"--remote=punix:{self.socket}", "--no-chdir", f"--unixctl={self.dir}/ctl", "-vconsole:off",
             f"{self.dir}/nb.db", f"{self.dir}/sb.db"], stderr=subprocess.DEVNULL)
        deadline = time.monotonic() + 10
        while not self.listens():
            assert time.monotonic() < deadline and self.process.poll() is None
            time.sleep(0.005)

    def listens(self):
        with socket.socket(socket.AF_UNIX) as s:
            return s.connect_ex(self.socket) == 0

    def kill(self):
        self.process.kill()
        self.process.wait()
        os.unlink(self.socket)

    def close(self):
        self.process.terminate()
        self.process.wait()
        shutil.rmtree(self.dir)


class Tool:
    """A command-line tool on a server: tool("ls-add", "s") is its Result; ok() and refused() also look at the status."""

    def __init__(self, path, server):
        self.path, self.server = str(path), server

    def environment(self):
        env = {k: v for k, v in os.environ.items() if not k.startswith(("OVN_", "OVS_"))}
        return dict(env, OVN_NB_DB=self.server.remote, OVN_SB_DB=self.server.remote, OVN_RUNDIR=str(self.server.dir))

    def start(self, *args, env=None):
        return subprocess.Popen([self.path, *args], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                                env=dict(self.environment(), **(env or {})))

    def __call__(self, *args, env=None):
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        result = Result(subprocess.run([self.path, *args], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, timeout=30,
                                       env=dict(self.environment(), **(env or {}))))
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        if self.server.newer and self.path.startswith(str(BUILD)):     # Ours, on our schema: without the peer, too.
            coverage.record(self.path, args, result, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)
        return result

    def ok(self, *args, env=None):
        r = self(*args, env=env)
        assert r.status == 0, (args, r)
        return r.out

    def refused(self, *args, env=None):
        """The message of a refusal, without the program's name."""
        r = self(*args, env=env)
        name = os.path.basename(self.path)
        assert r.status == 1 and not r.out, (args, r)
        lines = [line for line in r.err.splitlines() if line.startswith(f"{name}: ")]
        assert len(lines) == 1, (args, r)
        return lines[0].removeprefix(f"{name}: ")


@pytest.fixture(scope="module")
def server():
    s = Server(BUILD / "schema")
    yield s
    s.close()


def empty(tool):
    """Removes all rows: those of root tables; what only they refer to goes with them."""
    line = []
    newer = ("Network_Function_Group", "Network_Function")
    if tool.server.newer:
        line += [word for table in newer for word in ("--", "--all", "destroy", table)]
    for table in ("Logical_Switch", "Logical_Router", "Port_Group", "NB_Global", "Meter", "Mirror", "Load_Balancer", "DHCP_Options", "Copp",
                  "HA_Chassis_Group", "Static_MAC_Binding", "BFD"):
        line += ["--", "--all", "destroy", table]
    tool.ok(*line)
    tool.ok("--", "--all", "destroy", "Address_Set")


@pytest.fixture
def nbctl(server):
    tool = Tool(BUILD / "bin/ovn-nbctl", server)
    empty(tool)
    return tool


@pytest.fixture
def sbctl(server):
    tool = Tool(BUILD / "bin/ovn-sbctl", server)
    for table in "Logical_Flow", "Port_Binding", "Logical_DP_Group", "Datapath_Binding", "Chassis", "SB_Global", "Connection":
        tool.ok("--", "--all", "destroy", table)
    return tool

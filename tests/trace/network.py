"""A northbound and a southbound database with a northd, ours or the peer's, in a folder of their own; and ways to ask both ovn-trace."""
import json
import os
import re
import shlex
import shutil
import signal
import subprocess
import tempfile
import time
from pathlib import Path

REPO = Path(__file__).resolve().parents[2]
BUILD = Path(os.environ.get("BUILD", REPO / "build"))
TRACE = BUILD / "bin/ovn-trace"


def find_peer():
    for place in (os.environ.get("OVN_PEER", ""), REPO / ".peer", "/tmp/ovnman/x"):
        if place and (Path(place) / "usr/bin/ovn-trace").exists() and (Path(place) / "usr/bin/ovn-northd").exists():
            return Path(place) / "usr"
    return None


PEER = find_peer()


class Network:
    def __init__(self, peer=False, northd=True):
        self.dir = Path(tempfile.mkdtemp(prefix="ovn-trace-"))
        self.peer, self.pids = peer, []
        d = self.dir
        self.env = dict(os.environ, OVN_RUNDIR=str(d), OVS_RUNDIR=str(d), OVN_LOGDIR=str(d), OVN_DBDIR=str(d), OVN_NB_DB=f"unix:{d}/nb.sock",
                        OVN_SB_DB=f"unix:{d}/sb.sock")
        self.peer_env = dict(self.env, LD_LIBRARY_PATH=":".join(map(str, PEER.glob("lib/*-linux-gnu")))) if PEER else None
        for db in "nb", "sb":
            schema = (PEER / "share/ovn" if peer else BUILD / "schema") / f"ovn-{db}.ovsschema"
            subprocess.run(["ovsdb-tool", "create", d / f"{db}.db", schema], check=True)
            self.start("ovsdb-server", db, f"--remote=punix:{d}/{db}.sock", f"--unixctl={d}/{db}.ctl", str(d / f"{db}.db"))
        if northd:
            self.start((PEER if peer else BUILD) / "bin/ovn-northd", "northd", f"--unixctl={d}/northd.ctl")

    def start(self, program, name, *args):
        pidfile = self.dir / f"{name}.pid"
        subprocess.run([program, "--detach", "--no-chdir", f"--pidfile={pidfile}", "-vconsole:off", f"--log-file={self.dir}/{name}.log", *args],
                       env=self.peer_env if self.peer else self.env, check=True, timeout=30)
        self.pids.append(int(pidfile.read_text()))
        return self.pids[-1]

    def stop(self):
        for pid in reversed(self.pids):
            try:
                os.kill(pid, signal.SIGTERM)
            except ProcessLookupError:
                pass
        for pid in self.pids:
            for _ in range(200):
                if not Path(f"/proc/{pid}").exists():
                    break
                time.sleep(0.01)
        shutil.rmtree(self.dir, ignore_errors=True)

    def nbctl(self, *words):
        program = (PEER if self.peer else BUILD) / "bin/ovn-nbctl"
        done = subprocess.run([program, *words], env=self.peer_env if self.peer else self.env, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                              text=True, timeout=30)
        assert done.returncode == 0, (words, done.stdout)
        return done.stdout

    def sbctl(self, *words):
        program = (PEER if self.peer else BUILD) / "bin/ovn-sbctl"
        return subprocess.run([program, *words], env=self.peer_env if self.peer else self.env, check=True, stdout=subprocess.PIPE, text=True, timeout=30).stdout

    def build(self, text):
        """Runs the lines as ovn-nbctl commands, in one transaction, and waits for northd."""
        words = ["--wait=sb"]
        for line in text.strip().splitlines():
            words += [*shlex.split(line), "--"]
        self.nbctl(*words[:-1])

    def trace(self, *words):
        """Our ovn-trace: its CompletedProcess."""
        return subprocess.run([TRACE, *words], env=self.env, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, timeout=30)

    def peer_trace(self, *words):
        return subprocess.run([PEER / "bin/ovn-trace", *words], env=self.peer_env, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                              timeout=30)

    def transact(self, *operations, db="sb"):
        name = "OVN_Southbound" if db == "sb" else "OVN_Northbound"
        done = subprocess.run(["ovsdb-client", "transact", f"unix:{self.dir}/{db}.sock", json.dumps([name, *operations])],
                              check=True, stdout=subprocess.PIPE, text=True)
        answer = json.loads(done.stdout)
        assert not any("error" in a for a in answer), answer
        return answer

    def sb(self, table, row, *more):
        """Inserts a southbound row, in one transaction with MORE operations."""
        self.transact({"op": "insert", "table": table, "row": row}, *more)

    def select(self, table, where, *columns, db="sb"):
        """The rows, as dictionaries."""
        return self.transact({"op": "select", "table": table, "where": list(where), "columns": list(columns)}, db=db)[0]["rows"]

    def sb_uuid(self, table, where):
        return self.select(table, where, "_uuid")[0]["_uuid"]

    def keys(self):
        """{"datapaths": {name: (UUID, key)}, "ports": {name: key}}"""
        datapaths = {dict(row["external_ids"][1]).get("name"): (row["_uuid"], row["tunnel_key"])
                     for row in self.select("Datapath_Binding", [], "_uuid", "tunnel_key", "external_ids")}
        return {"datapaths": datapaths, "ports": {row["logical_port"]: row["tunnel_key"] for row in self.select("Port_Binding", [], "logical_port", "tunnel_key")}}


def outputs(minimal):
    """The ports that a trace in minimal form delivers to, in order."""
    return sorted(re.findall(r'output\("([^"]*)"\)', minimal))

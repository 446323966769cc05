"""A real ovs-vswitchd with one bridge, br-int, on its dummy datapath: no network, no root."""
import os
import shutil
import subprocess
import tempfile
import time
from pathlib import Path


class Bridge:
    def __init__(self, *ports):
        self.dir = Path(tempfile.mkdtemp(prefix="ovn-cli-"))
        self.env = dict({k: v for k, v in os.environ.items() if not k.startswith(("OVN_", "OVS_"))}, OVS_RUNDIR=str(self.dir),
                        OVS_LOGDIR=str(self.dir), OVS_DBDIR=str(self.dir))
        self.remote = f"unix:{self.dir}/br-int.mgmt"
        self.processes = []
        try:
            self.run("ovsdb-tool", "create", f"{self.dir}/conf.db", "/usr/share/openvswitch/vswitch.ovsschema")
            self.start("ovsdb-server", f"--remote=punix:{self.dir}/db.sock", f"--unixctl={self.dir}/db.ctl", f"{self.dir}/conf.db")
            self.wait_for("db.sock")
            self.vsctl("--no-wait", "init")
            self.start("ovs-vswitchd", f"unix:{self.dir}/db.sock", "--enable-dummy=override", "--disable-system", f"--unixctl={self.dir}/vs.ctl")
            self.wait_for("vs.ctl")
            line = ["add-br", "br-int", "--", "set", "bridge", "br-int", "datapath_type=dummy", "fail_mode=secure"]
            for i, port in enumerate(ports, 1):
                line += ["--", "add-port", "br-int", port, "--", "set", "interface", port, "type=dummy", f"ofport_request={i}"]
            self.vsctl(*line)
            self.wait_for("br-int.mgmt")
        except BaseException:
            self.close()
            raise

    def start(self, *argv):
        self.processes.append(subprocess.Popen([*argv, "--no-chdir", "-vconsole:off"], env=self.env, cwd=self.dir, stderr=subprocess.DEVNULL))

    def wait_for(self, name):
        deadline = time.monotonic() + 20
        while not (self.dir / name).exists():
            assert time.monotonic() < deadline and all(p.poll() is None for p in self.processes)
            time.sleep(0.005)

    def run(self, *argv):
        done = subprocess.run([str(word) for word in argv], env=self.env, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, timeout=30)
        assert not done.returncode, (argv, done.stderr)
        return done.stdout

    def vsctl(self, *words):
        return self.run("ovs-vsctl", f"--db=unix:{self.dir}/db.sock", "--timeout=20", *words)

    def add_flow(self, flow):
        self.run("ovs-ofctl", "-OOpenFlow15", "add-flow", self.remote, flow)

    def dump_flows(self, *options):
        return [line.strip() for line in self.run("ovs-ofctl", "-OOpenFlow15", "--no-names", *options, "dump-flows", self.remote).splitlines() if "cookie=" in line]

    def appctl(self, *words):
        return self.run("ovs-appctl", "-t", f"{self.dir}/vs.ctl", *words)

    def close(self):
        for p in reversed(self.processes):
            p.terminate()
            p.wait()
        shutil.rmtree(self.dir)

"""ground.py - hosts for our ovn-controller without any network: real ovsdb-servers, real ovs-vswitchd over its dummy datapath.

A `Central` is a southbound database that the test itself fills, in the place of ovn-northd. A `Host` is a local database, a switch and a
controller. Everything lives in one temporary directory and is ended, by process id, when the test ends."""
import json
import os
import shutil
import subprocess
import tempfile
import time
from pathlib import Path

from ovnlab import process
from ovnlab.ovsdb import Database

REPO = Path(__file__).resolve().parents[2]
BUILD = Path(os.environ.get("BUILD") or REPO / "build")
CONTROLLER = os.environ.get("OVN_LAB_CONTROLLER_PROGRAM") or str(BUILD / "bin/ovn-controller")
OVS_SCHEMA = "/usr/share/openvswitch/vswitch.ovsschema"


def eventually(condition, seconds=8, what="it did not become true"):
    deadline = time.monotonic() + seconds
    while True:
        value = condition()
        if value:
            return value
        assert time.monotonic() < deadline, f"{what} (in {seconds} s)"
        time.sleep(0.02)


def stays(condition, seconds=0.6, what="it did not stay true"):
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        assert condition(), what
        time.sleep(0.02)


def omap(d):
    return ["map", [[k, v] for k, v in d.items()]]


class Place:
    """A directory with daemons in it."""

    def __init__(self, ground, name):
        self.dir = ground.dir / name
        (self.dir / "etc").mkdir(parents=True)
        self.env = {k: v for k, v in os.environ.items() if not k.startswith(("OVN_", "OVS_"))}
        for prefix in ("OVS", "OVN"):
            for kind in ("RUNDIR", "LOGDIR", "DBDIR"):
                self.env[f"{prefix}_{kind}"] = str(self.dir)
            self.env[f"{prefix}_SYSCONFDIR"] = str(self.dir / "etc")
        for tool in ("ASAN", "UBSAN"):
            self.env[f"{tool}_OPTIONS"] = f"{os.environ.get(tool + '_OPTIONS', '')}:log_path={self.dir}/sanitizer".lstrip(":")
        self.pids = {}

    def start(self, name, *argv, stem=None):
        stem = stem or name
        process.run([*argv, "-vconsole:off", "--detach", "--no-chdir", f"--pidfile={self.dir}/{stem}.pid",
                     f"--log-file={self.dir}/{stem}.log"], env=self.env)
        pid = int((self.dir / f"{stem}.pid").read_text())
        self.pids[name] = (pid, process.start_time(pid))

    def kill(self, name, number=9):
        process.send_signal(*self.pids[name], number)
        assert not process.wait_gone([self.pids[name]], 10), f"{name} does not end"

    def end(self):
        process.end(list(self.pids.values()))


class Central(Place):
    """The southbound database."""

    def __init__(self, ground, schema="ovn-sb"):
        super().__init__(ground, "central")
        process.run(["ovsdb-tool", "create", str(self.dir / "sb.db"), str(BUILD / f"schema/{schema}.ovsschema")])
        self.sock = self.dir / "sb.sock"
        self.start_server()
        self.db = Database(self.sock, "OVN_Southbound")
        self.db.transact({"op": "insert", "table": "SB_Global", "row": {}})
        self.n = 0

    def start_server(self):
        self.start("sb", "ovsdb-server", f"--remote=punix:{self.sock}", f"--unixctl={self.dir}/sb.ctl", str(self.dir / "sb.db"))

    def datapath(self, name="blue"):
        self.n += 1
        return self.db.transact({"op": "insert", "table": "Datapath_Binding", "row": {
            "tunnel_key": self.n, "external_ids": omap({"name": name})}})[0]["uuid"][1]

    def port(self, datapath, name, **columns):
        self.n += 1
        row = {"logical_port": name, "datapath": ["uuid", datapath], "tunnel_key": self.n, **columns}
        return self.db.transact({"op": "insert", "table": "Port_Binding", "row": row})[0]["uuid"][1]

    def update(self, table, where, **row):
        self.db.transact({"op": "update", "table": table, "where": where, "row": row})

    def one(self, table, **where):
        rows = self.db.select(table, [(k, "==", v) for k, v in where.items()])
        return rows[0] if rows else None

    def binding(self, name):
        """(chassis name or None, up) of a port."""
        row = self.one("Port_Binding", logical_port=name)
        chassis = self.db.select("Chassis", [("_uuid", "==", ["uuid", row["chassis"]])]) if row["chassis"] else []
        return chassis[0]["name"] if chassis else None, row["up"] is True

    def versions(self):
        """What changes whenever a row is written."""
        return {(t, r["_uuid"]): r["_version"] for t in ("Chassis", "Encap", "Chassis_Private", "Port_Binding")
                for r in self.db.select(t)}

    def chassis(self, name, ip, type_="geneve", options=None, **columns):
        """A chassis that nobody runs."""
        return self.db.transact(
            {"op": "insert", "table": "Encap", "uuid-name": "e",
             "row": {"type": type_, "ip": ip, "chassis_name": name, "options": omap(options or {"csum": "true"})}},
            {"op": "insert", "table": "Chassis", "row": {"name": name, "encaps": ["named-uuid", "e"], **columns}})[1]["uuid"][1]


class Host(Place):
    """A hypervisor. KEYS are more external_ids; a key with the value None is left out."""

    def __init__(self, ground, name, ip, central, controller=True, **keys):
        super().__init__(ground, name)
        self.name = name
        self.sock = self.dir / "db.sock"
        process.run(["ovsdb-tool", "create", str(self.dir / "conf.db"), OVS_SCHEMA])
        self.start_ovsdb()
        ids = {"system-id": name, "hostname": f"{name}.example", "ovn-remote": f"unix:{central.sock}",
               "ovn-encap-type": "geneve", "ovn-encap-ip": ip, **{k.replace("_", "-"): v for k, v in keys.items()}}
        self.vsctl("--no-wait", "init", "--", "set", "Open_vSwitch", ".",
                   *(f"external_ids:{k}={json.dumps(v)}" for k, v in ids.items() if v is not None))
        self.start_vswitchd()
        self.db = Database(self.sock, "Open_vSwitch")
        if controller:
            self.start_controller()

    def start_ovsdb(self):
        self.start("ovsdb", "ovsdb-server", f"--remote=punix:{self.sock}", f"--unixctl={self.dir}/ovsdb.ctl", str(self.dir / "conf.db"),
                   stem="ovsdb-server")

    def start_vswitchd(self):
        self.start("vswitchd", "ovs-vswitchd", "--enable-dummy=override", "--disable-system", f"--unixctl={self.dir}/vswitchd.ctl",
                   f"unix:{self.sock}", stem="ovs-vswitchd")

    def start_controller(self, *options):
        self.start("controller", CONTROLLER, *options, f"unix:{self.sock}", stem="ovn-controller")

    def ovs(self, tool, *words):
        return process.run([f"ovs-{tool}", "--timeout=10", *words], env=self.env)

    def vsctl(self, *words):
        return process.run(["ovs-vsctl", f"--db=unix:{self.sock}", "--timeout=10", *words], env=self.env)

    def set(self, **keys):
        for k, v in keys.items():
            k = k.replace("_", "-")
            self.vsctl("--no-wait", *(["remove", "Open_vSwitch", ".", "external_ids", k] if v is None else
                                      ["set", "Open_vSwitch", ".", f"external_ids:{k}={json.dumps(v)}"]))

    def appctl(self, *words):
        return process.run(["ovs-appctl", "--timeout=10", "-t", f"{self.dir}/ovn-controller.{self.pids['controller'][0]}.ctl", *words])

    def plug(self, interface, iface_id, bridge="br-int", **ids):
        self.vsctl("--no-wait", "add-port", bridge, interface, "--", "set", "Interface", interface, "type=dummy",
                   f"external_ids:iface-id={iface_id}", *(f"external_ids:{k.replace('_', '-')}={v}" for k, v in ids.items()))

    def unplug(self, interface):
        self.vsctl("--no-wait", "del-port", interface)

    def interface(self, name):
        rows = self.db.select("Interface", [("name", "==", name)])
        return rows[0] if rows else None

    def installed(self, name):
        return self.interface(name)["external_ids"].get("ovn-installed") == "true"

    def bridge(self, name="br-int"):
        rows = self.db.select("Bridge", [("name", "==", name)])
        return rows[0] if rows else None

    def tunnels(self):
        """ovn-chassis-id -> (port name, type, options)"""
        found = {}
        for port in self.db.select("Port"):
            if "ovn-chassis-id" in port["external_ids"]:
                i = self.interface(port["name"])
                if i:                  # It may go between the two looks.
                    found[port["external_ids"]["ovn-chassis-id"]] = (port["name"], i["type"], i["options"])
        return found

    def versions(self):
        """What changes whenever a row is written; the bridge's row, where the start is noted, is left out."""
        return {(t, r["name"]): r["_version"] for t in ("Port", "Interface") for r in self.db.select(t)}

    def log(self):
        return (self.dir / "ovn-controller.log").read_text()

    def complaints(self):
        return [l for l in self.log().splitlines() if l.split("|")[3:4] in (["WARN"], ["ERR"], ["EMER"])]

    def running(self):
        return process.is_alive(*self.pids["controller"])


class Ground:
    def __init__(self):
        self.dir = Path(tempfile.mkdtemp(prefix="ovn-binding-"))
        self.places = []
        self.central = Central(self)
        self.places.append(self.central)

    def host(self, name="hv1", ip="192.0.2.1", **keys):
        self.places.append(Host(self, name, ip, self.central, **keys))
        return self.places[-1]

    def check(self):
        """What holds at the end of every test: the state is that from scratch, and computing it again changes nothing."""
        for h in self.places[1:]:
            if "controller" in h.pids and h.running():
                assert h.appctl("inc-engine/verify").strip() == "0 differences"
                now = lambda: (h.versions(), self.central.versions())
                eventually(lambda: now() == (time.sleep(0.15), now())[1], what="writing does not end")
                before = now()
                h.appctl("recompute")
                time.sleep(0.1)
                assert (h.versions(), self.central.versions()) == before, "recompute wrote something"

    def end(self, keep=False):
        for p in reversed(self.places):
            p.end()
        reports = [p.read_text(errors="replace") for p in self.dir.rglob("sanitizer.*")]
        if not keep and not reports:
            shutil.rmtree(self.dir, ignore_errors=True)
        else:
            print(f"kept: {self.dir}")
        assert not reports, "sanitizers found:\n" + "\n".join(reports)

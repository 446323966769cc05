"""What the tests of ovn-northd stand on: real ovsdb-servers, northds, and small words to change and look at databases.

Everything lives in one temporary directory and is stopped, by process id, at the end."""
import json
import os
import pathlib
import shutil
import signal
import subprocess
import sys
import tempfile
import time

REPO = pathlib.Path(__file__).resolve().parents[2]
BUILD = pathlib.Path(os.environ.get("BUILD", REPO / "build"))
sys.path.insert(0, str(REPO / "lab"))

from ovnlab import LabError                    # noqa: E402,F401
from ovnlab.ovsdb import Database, scalar              # noqa: E402

NAMES = {"nb": "OVN_Northbound", "sb": "OVN_Southbound"}
SCHEMAS = {kind: BUILD / f"schema/ovn-{kind}.ovsschema" for kind in NAMES}
# The peer's packages, as tools/check-peer unpacks them: schemas of an older OVN.
PEER = pathlib.Path(os.environ.get("OVN_PEER", REPO / ".peer"))
OLD_SCHEMAS = {kind: PEER / f"usr/share/ovn/ovn-{kind}.ovsschema" for kind in NAMES}


def eventually(condition, seconds=10, what="it did not become true"):
    deadline = time.monotonic() + seconds
    while True:
        value = condition()
        if value:
            return value
        assert time.monotonic() < deadline, f"{what} (in {seconds} s)"
        time.sleep(0.01)


def stays(condition, seconds, what="it did not stay true"):
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        assert condition(), what
        time.sleep(0.05)


def uuids(ids):
    return ["set", [["uuid", u] for u in ids]]


def strings(texts):
    return ["set", list(texts)]


def a_map(d):
    return ["map", [[k, v] for k, v in d.items()]]


class Server:
    """One ovsdb-server with one or both databases."""

    def __init__(self, directory, kinds, name, schemas=SCHEMAS):
        self.directory, self.kinds, self.name = directory, kinds, name
        self.socket, self.control = directory / f"{name}.sock", directory / f"{name}.ctl"
        self.files = {kind: directory / f"{name}-{kind}.db" for kind in kinds}
        self.process = None
        for kind in kinds:
            self.create(kind, schemas)

    def create(self, kind, schemas=SCHEMAS):
        self.files[kind].unlink(missing_ok=True)
        subprocess.run(["ovsdb-tool", "create", self.files[kind], schemas[kind]], check=True)

    def start(self):
        for path in (self.socket, self.control):
            path.unlink(missing_ok=True)
        self.process = subprocess.Popen(
            ["ovsdb-server", "-vconsole:off", "-vsyslog:off", f"--remote=punix:{self.socket}", f"--unixctl={self.control}",
             *map(str, self.files.values())], stdin=subprocess.DEVNULL)
        eventually(lambda: self.control.exists() and self.socket.exists(), what=f"{self.name} serves")

    def stop(self):
        if self.process:
            self.process.kill()
            self.process.wait()
            self.process = None

    def database(self, kind):
        return Database(self.socket, NAMES[kind])

    def appctl(self, *command):
        subprocess.run(["ovs-appctl", "-t", self.control, *command], check=True, stdout=subprocess.DEVNULL)

    def bytes(self, kind):
        """The database's file: it grows with every transaction that changes something."""
        return self.files[kind].read_bytes()


class Northd:
    def __init__(self, directory, nb, sb, name="northd", *options):
        self.control, self.log_file = directory / f"{name}.ctl", directory / f"{name}.log"
        self.argv = [str(BUILD / "bin/ovn-northd"), f"--ovnnb-db=unix:{nb}", f"--ovnsb-db=unix:{sb}", "-vconsole:off",
                     f"--log-file={self.log_file}", f"--unixctl={self.control}", *options]
        self.process = None

    def start(self):
        self.control.unlink(missing_ok=True)
        with open(str(self.log_file) + ".stderr", "a") as stderr:
            self.process = subprocess.Popen(self.argv, stdin=subprocess.DEVNULL, stderr=stderr)
        eventually(lambda: self.control.exists() or self.process.poll() is not None, what="northd starts")
        return self

    def ask(self, *command, check=True):
        r = subprocess.run([BUILD / "bin/ovn-appctl", "-t", self.control, *command], stdout=subprocess.PIPE,
                           stderr=subprocess.STDOUT, text=True, timeout=60)
        assert not check or r.returncode == 0, r.stdout
        return r.stdout

    def log(self):
        return self.log_file.read_text(errors="replace")

    def complaints(self):
        return [line for line in self.log().splitlines() if any(f"|{x}|" in line for x in ("WARN", "ERR", "EMER"))]

    def kill(self):
        if self.process:
            self.process.kill()
            self.process.wait()
            self.process = None

    def exit(self):
        """A clean end; returns the exit code."""
        self.process.send_signal(signal.SIGTERM)
        code = self.process.wait(20)
        self.process = None
        return code

    def cpu(self):
        """CPU seconds used."""
        fields = pathlib.Path(f"/proc/{self.process.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


class Ground:
    """NB, SB and a northd."""

    def __init__(self, schemas=SCHEMAS, one_server=False):
        self.directory = pathlib.Path(tempfile.mkdtemp(prefix="northdt"))
        if one_server:
            self.nb_server = self.sb_server = Server(self.directory, ("nb", "sb"), "both", schemas)
            self.nb_server.start()
        else:
            self.nb_server = Server(self.directory, ("nb",), "nb", schemas)
            self.sb_server = Server(self.directory, ("sb",), "sb", schemas)
            self.nb_server.start()
            self.sb_server.start()
        self.nb, self.sb = self.nb_server.database("nb"), self.sb_server.database("sb")
        self.northds = []
        self.northd = self.another("northd")

    def another(self, name, *options):
        self.northds.append(Northd(self.directory, self.nb_server.socket, self.sb_server.socket, name, *options))
        return self.northds[-1]

    def up(self):
        self.northd.start()
        self.sync()
        return self

    def down(self, check=True):
        codes = [n.exit() for n in self.northds if n.process and n.process.poll() is None]
        complaints = "".join(pathlib.Path(str(n.log_file) + ".stderr").read_text() for n in self.northds
                             if pathlib.Path(str(n.log_file) + ".stderr").exists())
        for s in (self.nb_server, self.sb_server):
            s.stop()
        if os.environ.get("KEEP"):
            print("kept:", self.directory)
        else:
            shutil.rmtree(self.directory, ignore_errors=True)
        assert not check or (not any(codes) and not complaints), (codes, complaints)

    # ---- northbound ----

    def switch(self, name, ports=(), **columns):
        """Creates a switch with ports ({column: value} each, at least a name); returns its UUID."""
        ops, refs = [], []
        for i, port in enumerate(ports):
            ops.append({"op": "insert", "table": "Logical_Switch_Port", "uuid-name": f"p{i}", "row": port})
            refs.append(["named-uuid", f"p{i}"])
        ops.append({"op": "insert", "table": "Logical_Switch",
                    "row": {"name": name, "ports": ["set", refs], **columns}})
        return self.nb.transact(*ops)[-1]["uuid"][1]

    def port(self, switch, name, **columns):
        result = self.nb.transact(
            {"op": "insert", "table": "Logical_Switch_Port", "uuid-name": "p", "row": {"name": name, **columns}},
            {"op": "mutate", "table": "Logical_Switch", "where": [["name", "==", switch]],
             "mutations": [["ports", "insert", ["named-uuid", "p"]]]})
        return result[0]["uuid"][1]

    def remove_port(self, name):
        uuid = self.nb.select("Logical_Switch_Port", [("name", "==", name)])[0]["_uuid"]
        self.nb.transact({"op": "mutate", "table": "Logical_Switch", "where": [],
                          "mutations": [["ports", "delete", ["uuid", uuid]]]})

    def set(self, table, which, /, **columns):
        r = self.nb.transact({"op": "update", "table": table, "where": [["name", "==", which]], "row": columns})
        assert r[0]["count"] == 1

    def option(self, key, value):
        ops = [{"op": "mutate", "table": "NB_Global", "where": [], "mutations": [["options", "delete", ["set", [key]]]]}]
        if value is not None:
            ops.append({"op": "mutate", "table": "NB_Global", "where": [],
                        "mutations": [["options", "insert", a_map({key: value})]]})
        self.nb.transact(*ops)

    def nb_global(self):
        return self.nb.select("NB_Global")[0]

    def bump(self):
        self.nb.transact({"op": "mutate", "table": "NB_Global", "where": [], "mutations": [["nb_cfg", "+=", 1]]})
        return self.nb_global()["nb_cfg"]

    def sync(self, seconds=10):
        """As `ovn-nbctl --wait=sb sync`."""
        eventually(lambda: self.nb.select("NB_Global"), what="northd makes an NB_Global row")
        n = self.bump()
        assert self.nb.wait("NB_Global", [("sb_cfg", ">=", n)], seconds), f"sb_cfg does not reach {n}"
        return n

    def clear(self):
        """An empty network with default options."""
        self.nb.transact({"op": "delete", "table": "Logical_Switch", "where": []},
                         {"op": "mutate", "table": "NB_Global", "where": [],
                          "mutations": [["options", "delete", ["set", ["ignore_lsp_down"]]]]})
        self.sb.transact({"op": "delete", "table": "Chassis", "where": []},
                         {"op": "delete", "table": "Chassis_Private", "where": []})
        self.sync()

    # ---- southbound ----

    def datapaths(self):
        return {r["_uuid"]: r["external_ids"].get("name", "?") for r in self.sb.select("Datapath_Binding")}

    def flows(self, switch=None):
        """{(stage, priority, match, actions)}, of every switch or of one."""
        names = self.datapaths()
        groups = {r["_uuid"]: [names[d] for d in as_list(r["datapaths"])] for r in self.sb.select("Logical_DP_Group")} \
            if switch else {}
        found = set()
        for f in self.sb.select("Logical_Flow"):
            of = groups.get(f["logical_dp_group"], []) if f["logical_dp_group"] else [names[f["logical_datapath"]]] \
                if switch else []
            if not switch or switch in of:
                found.add((f["external_ids"]["stage-name"], f["priority"], f["match"], f["actions"]))
        return found

    def binding(self, name):
        rows = self.sb.select("Port_Binding", [("logical_port", "==", name)])
        assert len(rows) <= 1
        return rows[0] if rows else None

    def group(self, switch, name):
        """The ports of a multicast group, by name; None: there is none."""
        dp = next(u for u, n in self.datapaths().items() if n == switch)
        rows = self.sb.select("Multicast_Group", [("datapath", "==", ["uuid", dp]), ("name", "==", name)])
        ports = {r["_uuid"]: r["logical_port"] for r in self.sb.select("Port_Binding")}
        return sorted(ports[p] for p in as_list(rows[0]["ports"])) if rows else None

    def chassis(self, name, nb_cfg=0, **private):
        """A hypervisor's rows, as an ovn-controller writes them."""
        self.sb.transact(
            {"op": "insert", "table": "Encap", "uuid-name": "e",
             "row": {"type": "geneve", "ip": f"127.0.0.{len(self.sb.select('Encap')) + 1}", "chassis_name": name}},
            {"op": "insert", "table": "Chassis", "uuid-name": "c", "row": {"name": name, "encaps": ["named-uuid", "e"]}},
            {"op": "insert", "table": "Chassis_Private",
             "row": {"name": name, "chassis": ["named-uuid", "c"], "nb_cfg": nb_cfg, **private}})

    def say_nb_cfg(self, chassis, nb_cfg, timestamp):
        self.sb.transact({"op": "update", "table": "Chassis_Private", "where": [["name", "==", chassis]],
                          "row": {"nb_cfg": nb_cfg, "nb_cfg_timestamp": timestamp}})

    def verify(self):
        said = self.northd.ask("inc-engine/verify", check=False)
        assert said.strip() == "0 differences", said


def as_list(v):
    return v if isinstance(v, list) else [v]


_SKIP = {"_uuid", "_version", "nb_cfg", "nb_cfg_timestamp", "chassis", "up", "encap"}
_TABLES = ("Datapath_Binding", "Port_Binding", "Logical_Flow", "Logical_DP_Group", "Multicast_Group", "DHCP_Options",
           "DHCPv6_Options", "RBAC_Role", "RBAC_Permission", "SB_Global", "Chassis")


def content(sb, keys=False):
    """What northd makes southbound, without UUIDs and allocated keys: a state to compare, {table: sorted texts}."""
    results = sb.transact(*({"op": "select", "table": t, "where": []} for t in _TABLES))     # At one moment.
    rows = {t: [{k: scalar(v) for k, v in row.items()} for row in r["rows"]] for t, r in zip(_TABLES, results)}
    names = {r["_uuid"]: r["external_ids"].get("logical-switch", "?") for r in rows["Datapath_Binding"]}
    names |= {r["_uuid"]: r["logical_port"] for r in rows["Port_Binding"]}
    names |= {r["_uuid"]: sorted(names[d] for d in as_list(r["datapaths"])) for r in rows["Logical_DP_Group"]}
    names |= {r["_uuid"]: r["table"] for r in rows["RBAC_Permission"]}
    names |= {r["_uuid"]: r["name"] for r in rows["Chassis"]}
    state = {}
    for table in _TABLES[:-1]:
        skip = _SKIP if keys or table == "Multicast_Group" else _SKIP | {"tunnel_key"}
        state[table] = sorted(json.dumps({k: _named(v, names) for k, v in row.items() if k not in skip}, sort_keys=True)
                              for row in rows[table])
    return state


def _named(v, names):
    if isinstance(v, list):
        return sorted((_named(x, names) for x in v), key=str)
    if isinstance(v, dict):
        return {k: _named(x, names) for k, x in v.items()}
    return names.get(v, v) if isinstance(v, str) else v


def differences(a, b):
    """Words about what A has and B has not, and the other way around."""
    out = []
    for table in a:
        x, y = a[table], b[table]
        for what, p, q in (("only live", x, y), ("only from scratch", y, x)):
            rest = list(q)
            for row in p:
                if row in rest:
                    rest.remove(row)
                else:
                    out.append(f"{table}: {what}: {row}")
    return out


def from_scratch(ground):
    """The content that a northd makes of GROUND's northbound database in an empty southbound one."""
    scratch = Ground.__new__(Ground)
    scratch.directory = pathlib.Path(tempfile.mkdtemp(prefix="northdt"))
    server = Server(scratch.directory, ("nb", "sb"), "both")
    shutil.copyfile(ground.nb_server.files["nb"], server.files["nb"])
    server.start()
    scratch.nb_server = scratch.sb_server = server
    scratch.nb, scratch.sb = server.database("nb"), server.database("sb")
    for c in ground.sb.select("Chassis"):
        scratch.chassis(c["name"])
    scratch.northds = []
    scratch.northd = scratch.another("northd")
    try:
        scratch.up()
        return content(scratch.sb)
    finally:
        scratch.down()

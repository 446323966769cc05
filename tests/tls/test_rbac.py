#!/usr/bin/env python3
"""test_rbac.py - what a hypervisor's certificate allows on the southbound database, with the roles that our ovn-northd writes.

    SCHEMAS=build/schema BIN=build/bin tests/tls/test_rbac.py build/tests/ovsdb/ovsdb-probe [NAME...]

Northbound and Southbound are real ovsdb-servers, the southbound one listens where our ovn-sbctl tells it to. The hypervisors are
raw JSON-RPC over Python's TLS: they say what no ovn-controller would. ovn-sb(5), RBAC_Role and RBAC_Permission; ovn-architecture(7).
"""
import json
import os
import pathlib
import socket
import ssl
import subprocess
import sys

sys.dont_write_bytecode = True
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "ovsdb"))
import run  # noqa: E402
from ground import Ground, Messages, Server, wait_until  # noqa: E402
from pki import Authority  # noqa: E402

SB = "OVN_Southbound"
BIN = pathlib.Path(os.environ["BIN"])


class Chassis:
    """A connection with a hypervisor's certificate. may() and may_not() say what came of one transaction."""

    def __init__(self, port, ca, identity):
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname = False
        context.load_verify_locations(ca.certificate)
        if identity:
            context.load_cert_chain(identity.certificate, identity.key)
        self.sock = context.wrap_socket(socket.create_connection(("127.0.0.1", port), timeout=10))
        self.messages = Messages()

    def transact(self, *ops):
        self.sock.sendall(json.dumps({"id": 1, "method": "transact", "params": [SB, *ops]}).encode())
        while True:
            data = self.sock.recv(1 << 20)
            if not data:
                raise ConnectionError("refused")
            for m in self.messages.feed(data):
                assert m["error"] is None, m
                return m["result"]

    def may(self, *ops):
        results = self.transact(*ops)
        assert not any((r or {}).get("error") for r in results), (ops, results)
        assert all(r.get("count", 1) for r in results), (ops, results)
        return results

    def may_not(self, *ops):
        results = self.transact(*ops)
        assert any((r or {}).get("error") == "permission error" for r in results), (ops, results)


def insert(table, **row):
    return {"op": "insert", "table": table, "row": row, "uuid-name": f"new_{table}"}


def update(table, column, value, **row):
    return {"op": "update", "table": table, "where": [[column, "==", value]], "row": row}


def mutate(table, column, value, *mutation):
    return {"op": "mutate", "table": table, "where": [[column, "==", value]], "mutations": [list(mutation)]}


def delete(table, column, value):
    return {"op": "delete", "table": table, "where": [[column, "==", value]]}


def a_chassis(name, ip):
    """The rows of a chassis, as its ovn-controller makes them."""
    return [insert("Encap", type="geneve", ip=ip, chassis_name=name),
            insert("Chassis", name=name, hostname=name, encaps=["named-uuid", "new_Encap"]),
            insert("Chassis_Private", name=name, chassis=["named-uuid", "new_Chassis"])]


class Network(Ground):
    """Databases, northd, a switch with ports p1 and p2, and chassis hv2 which has p2."""

    def __enter__(self):
        self.ca = Authority(self.dir, "ca")
        self.env = {**os.environ, "OVN_RUNDIR": str(self.dir), "OVS_RUNDIR": str(self.dir), "OVN_LOGDIR": str(self.dir),
                    "OVN_NB_DB": f"unix:{self.dir}/n.sock", "OVN_SB_DB": f"unix:{self.dir}/s.sock"}
        self.nb = self.server("nb", name="n")
        self.sb = Server(self, "sb")
        self.sb.args += [f"--remote=db:{SB},SB_Global,connections", *self.ca.issue("the server").options(self.ca)]
        self.sb.start()
        self.northd = self.popen([BIN / "ovn-northd", "-vconsole:off", f"--unixctl={self.dir}/northd.ctl"], env=self.env)
        with socket.socket() as s:
            s.bind(("127.0.0.1", 0))
            self.port = s.getsockname()[1]
        self.tool("ovn-nbctl", "ls-add", "sw", "--", "lsp-add", "sw", "p1", "--", "lsp-add", "sw", "p2")
        self.tool("ovn-sbctl", "init", "--", "set-connection", "role=ovn-controller", f"pssl:{self.port}:127.0.0.1")
        self.admin = self.sb.rpc()
        wait_until("northd's rows", lambda: self.rows("RBAC_Role") and len(self.rows("Port_Binding")) == 2)
        wait_until("a listener", lambda: socket.socket().connect_ex(("127.0.0.1", self.port)) == 0)
        self.admin.transact(SB, *a_chassis("hv2", "192.0.2.2"))
        self.admin.transact(SB, update("Port_Binding", "logical_port", "p2", chassis=self.uuid("Chassis", "name", "hv2")))
        return self

    def tool(self, program, *words, fails=None):
        p = subprocess.run([str(BIN / program), "--timeout=10", *words], env=self.env, capture_output=True, text=True, timeout=20)
        assert (p.returncode == 0) == (fails is None) and (fails or "") in p.stderr, p
        return p.stdout

    def rows(self, table):
        return self.admin.transact(SB, {"op": "select", "table": table, "where": []})[0]["rows"]

    def uuid(self, table, column, value):
        return next(r["_uuid"] for r in self.rows(table) if r[column] == value)

    def chassis(self, cn="hv1", identity=None):
        return Chassis(self.port, self.ca, identity or self.ca.issue(cn))


def test_own_rows(g):
    hv1 = g.chassis()
    hv1.may(*a_chassis("hv1", "192.0.2.1"))
    me, sw = g.uuid("Chassis", "name", "hv1"), g.rows("Datapath_Binding")[0]["_uuid"]
    hv1.may(update("Chassis", "name", "hv1", other_config=["map", [["k", "v"]]], hostname="elsewhere"))
    hv1.may(mutate("Chassis", "name", "hv1", "external_ids", "insert", ["map", [["k", "v"]]]))
    hv1.may(update("Chassis_Private", "name", "hv1", nb_cfg=3, nb_cfg_timestamp=4))
    hv1.may(update("Encap", "chassis_name", "hv1", options=["map", [["csum", "true"]]]))
    hv1.may(update("Port_Binding", "logical_port", "p1", chassis=me, up=True))
    hv1.may(insert("MAC_Binding", logical_port="p1", ip="10.0.0.1", mac="0a:00:00:00:00:01", datapath=sw))
    hv1.may(update("MAC_Binding", "logical_port", "p1", mac="0a:00:00:00:00:02"))
    hv1.may(delete("MAC_Binding", "logical_port", "p1"))
    hv1.may(insert("FDB", mac="0a:00:00:00:00:01", dp_key=1, port_key=1))
    hv1.may(insert("IGMP_Group", address="224.1.1.1", datapath=sw, chassis_name="hv1"))
    hv1.may(update("Port_Binding", "logical_port", "p1", chassis=["set", []], up=False))
    hv1.may(delete("Chassis_Private", "name", "hv1"), delete("Chassis", "name", "hv1"))


def test_rows_of_another_chassis(g):
    hv1 = g.chassis()
    hv1.may(*a_chassis("hv1", "192.0.2.1"))
    me, sw = g.uuid("Chassis", "name", "hv1"), g.rows("Datapath_Binding")[0]["_uuid"]
    g.admin.transact(SB, insert("IGMP_Group", address="224.1.1.2", datapath=sw, chassis_name="hv2"),
                     insert("Service_Monitor", ip="10.0.0.1", logical_port="p2", port=1, protocol="tcp", chassis_name="hv2"),
                     insert("BFD", logical_port="p2", dst_ip="10.0.0.1", src_port=50000, disc=1, min_tx=1, min_rx=1, detect_mult=1,
                            status="down", chassis_name="hv2"))
    watched = ("Chassis", "Encap", "Chassis_Private", "Port_Binding", "Service_Monitor", "BFD", "IGMP_Group")
    before = {t: g.rows(t) for t in watched}
    for op in (update("Chassis", "name", "hv2", hostname="mine"), delete("Chassis", "name", "hv2"),
               mutate("Chassis", "name", "hv2", "encaps", "insert", g.uuid("Encap", "chassis_name", "hv1")),
               insert("Chassis", name="hv3", encaps=g.uuid("Encap", "chassis_name", "hv1")),
               update("Chassis", "name", "hv1", name="hv3"),
               update("Encap", "chassis_name", "hv2", ip="192.0.2.66"), delete("Encap", "chassis_name", "hv2"),
               insert("Encap", type="geneve", ip="192.0.2.66", chassis_name="hv2"),
               update("Encap", "chassis_name", "hv1", chassis_name="hv2"),
               update("Chassis_Private", "name", "hv2", chassis=me), update("Chassis_Private", "name", "hv2", nb_cfg=99),
               delete("Chassis_Private", "name", "hv2"), insert("Chassis_Private", name="hv3"),
               update("Service_Monitor", "chassis_name", "hv2", status="online"),
               update("BFD", "chassis_name", "hv2", status="up"),
               delete("IGMP_Group", "chassis_name", "hv2"),
               insert("IGMP_Group", address="224.1.1.3", datapath=sw, chassis_name="hv2")):
        hv1.may_not(op)
    # One forbidden operation spoils the permitted ones beside it.
    hv1.may_not(update("Chassis", "name", "hv1", hostname="new"), update("Chassis", "name", "hv2", hostname="new"))
    assert {t: g.rows(t) for t in watched} == before


def test_a_port_requested_for_another_chassis(g):
    """The permission rows let a hypervisor say of any port that it has it (how else would a machine move); but of a port that the CMS requested for a
    chassis it says so in vain."""
    hv1 = g.chassis()
    hv1.may(*a_chassis("hv1", "192.0.2.1"))
    me, other = g.uuid("Chassis", "name", "hv1"), g.uuid("Chassis", "name", "hv2")
    g.tool("ovn-nbctl", "lsp-set-options", "p2", "requested-chassis=hv2")
    port = lambda: next(r for r in g.rows("Port_Binding") if r["logical_port"] == "p2")
    wait_until("the request", lambda: port()["requested_chassis"] == other)
    assert port()["chassis"] == other, "who has it rightfully keeps it"
    for column in ("requested_chassis", "requested_additional_chassis"):
        hv1.may_not(update("Port_Binding", "logical_port", "p2", **{column: me}))
    hv1.transact(update("Port_Binding", "logical_port", "p2", chassis=me, up=True, options=["map", []]))
    wait_until("the port is not its", lambda: port()["chassis"] == other)
    wait_until("the request is back", lambda: port()["options"] == ["map", [["requested-chassis", "hv2"]]])
    g.tool("ovn-nbctl", "lsp-set-options", "p2", "requested-chassis=hv9")
    wait_until("nobody has what is requested for a chassis that is not there", lambda: port()["chassis"] == ["set", []])
    hv1.transact(update("Port_Binding", "logical_port", "p2", chassis=me, up=True))
    wait_until("nor does it now", lambda: port()["chassis"] == ["set", []])
    g.tool("ovn-nbctl", "lsp-set-options", "p2", "requested-chassis=hv1,hv2")
    wait_until("both may", lambda: port()["requested_additional_chassis"] == other)
    hv1.may(update("Port_Binding", "logical_port", "p2", chassis=me, up=True))
    hv1.may(update("Chassis_Private", "name", "hv1", nb_cfg=77))
    assert port()["chassis"] == me


def test_what_is_northds(g):
    hv1 = g.chassis()
    hv1.may(*a_chassis("hv1", "192.0.2.1"))
    sw = g.rows("Datapath_Binding")[0]["_uuid"]
    role = g.rows("RBAC_Role")[0]["_uuid"]
    watched = ("Port_Binding", "Datapath_Binding", "Logical_Flow", "RBAC_Role", "RBAC_Permission", "SB_Global", "Multicast_Group")
    before = {t: g.rows(t) for t in watched}
    for op in (update("Port_Binding", "logical_port", "p2", logical_port="p3"), update("Port_Binding", "logical_port", "p2", mac="unknown"),
               update("Port_Binding", "logical_port", "p2", tunnel_key=77), update("Port_Binding", "logical_port", "p2", type="localport"),
               delete("Port_Binding", "logical_port", "p2"), insert("Port_Binding", logical_port="p9", datapath=sw, tunnel_key=9),
               insert("Datapath_Binding", tunnel_key=99), {"op": "delete", "table": "Datapath_Binding", "where": []},
               insert("Logical_Flow", pipeline="ingress", table_id=0, priority=1, match="1", actions="next;"),
               {"op": "delete", "table": "Logical_Flow", "where": []},
               {"op": "update", "table": "RBAC_Permission", "where": [["table", "==", "Chassis"]], "row": {"authorization": ""}},
               {"op": "update", "table": "RBAC_Role", "where": [["_uuid", "==", role]], "row": {"permissions": ["map", []]}},
               {"op": "update", "table": "Connection", "where": [], "row": {"role": ""}},
               {"op": "update", "table": "SB_Global", "where": [], "row": {"nb_cfg": 12345}},
               {"op": "delete", "table": "Multicast_Group", "where": []}):
        hv1.may_not(op)
    assert {t: g.rows(t) for t in watched} == before


def test_our_programs(g):
    """ovn-sbctl and ovn-northd under TLS: by the role's listener, and by one without roles."""
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        free = s.getsockname()[1]
    g.sb.appctl("ovsdb-server/add-remote", f"pssl:{free}:127.0.0.1")
    options = g.ca.issue("hv1").options(g.ca)
    roles, whole = (["ovn-sbctl", f"--db=ssl:127.0.0.1:{port}", *options] for port in (g.port, free))
    assert "hv2" in g.tool(*roles, "show") and "hv2" in g.tool(*whole, "show")
    g.tool(*roles, "set", "Chassis", "hv2", "hostname=x", fails="permission")
    g.tool(*whole, "set", "Chassis", "hv2", "hostname=x")
    assert g.tool(*roles, "get", "Chassis", "hv2", "hostname").strip() == "x"
    stranger = Authority(g.dir, "other", "another authority").issue("hv1").options(g.ca)
    g.tool("ovn-sbctl", f"--db=ssl:127.0.0.1:{free}", *stranger, "--timeout=1", "show", fails="signed by another authority")
    g.popen([BIN / "ovn-northd", "-vconsole:off", f"--unixctl={g.dir}/second.ctl", f"--ovnsb-db=ssl:127.0.0.1:{free}", *options],
            env=g.env)
    second = lambda command: subprocess.run(["ovs-appctl", "-t", f"{g.dir}/second.ctl", command], capture_output=True, text=True).stdout
    wait_until("a second northd, by TLS", lambda: second("sb-connection-status") == "connected\n")
    assert "standby" in second("status")
    g.northd.kill()
    wait_until("it takes over", lambda: "active" in second("status"))
    g.tool("ovn-nbctl", "lsp-add", "sw", "p3")
    wait_until("its work", lambda: "p3" in [r["logical_port"] for r in g.rows("Port_Binding")])


def refused(make):
    try:
        make().transact({"op": "select", "table": "Chassis", "where": []})
    except (ssl.SSLError, ConnectionError, socket.timeout):
        return
    raise AssertionError("it was let in")


def test_who_has_no_certificate(g):
    foreign = Authority(g.dir, "other", "another authority")
    refused(lambda: Chassis(g.port, g.ca, None))
    refused(lambda: g.chassis(identity=foreign.issue("hv2")))
    refused(lambda: g.chassis(identity=g.ca.issue("hv2", -20, -10)))
    assert len(g.chassis().transact({"op": "select", "table": "Chassis", "where": []})[0]["rows"]) == 1
    g.chassis("hv1").may(*a_chassis("hv1", "192.0.2.1"))
    g.chassis("hv2").may_not(update("Chassis", "name", "hv1", hostname="x"))
    g.chassis("hv2").may(update("Chassis", "name", "hv2", hostname="x"))


if __name__ == "__main__":
    run.main(globals(), Network)

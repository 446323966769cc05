"""python3-ovsdbapp (Debian's), the client that OpenStack Neutron uses, on our schemas: what it writes is what our ovn-nbctl shows, and the
reverse; and our ovn-northd answers it."""
import os
import re
import shutil
import subprocess
import tempfile
import time
from pathlib import Path

import pytest

from ovsdbapp.backend.ovs_idl import connection
from ovsdbapp.schema.ovn_northbound.impl_idl import OvnNbApiIdlImpl
from ovsdbapp.schema.ovn_southbound.impl_idl import OvnSbApiIdlImpl

REPO = Path(__file__).resolve().parents[2]
BUILD = Path(os.environ.get("BUILD", REPO / "build"))
UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")


def eventually(condition, seconds=10, what="it did not become true"):
    deadline = time.monotonic() + seconds
    while True:
        value = condition()
        if value:
            return value
        assert time.monotonic() < deadline, f"{what} (in {seconds} s)"
        time.sleep(0.01)


class Central:
    """Both databases, our northd, our tools, and the client's two connections."""

    def __init__(self):
        self.dir = d = Path(tempfile.mkdtemp(prefix="ovn-cms-"))
        self.processes = []
        self.env = dict({k: v for k, v in os.environ.items() if not k.startswith(("OVN_", "OVS_"))}, OVN_RUNDIR=str(d), OVN_LOGDIR=str(d),
                        OVN_NB_DB=f"unix:{d}/nb.sock", OVN_SB_DB=f"unix:{d}/sb.sock")
        for db in "nb", "sb":
            subprocess.run(["ovsdb-tool", "create", f"{d}/{db}.db", f"{BUILD}/schema/ovn-{db}.ovsschema"], check=True)
            self.start("ovsdb-server", f"--remote=punix:{d}/{db}.sock", f"--unixctl={d}/{db}.ctl", f"{d}/{db}.db")
            eventually(lambda: (d / f"{db}.sock").exists())
        self.tool("nbctl", "init")
        self.tool("sbctl", "init")
        self.start(str(BUILD / "bin/ovn-northd"), f"--unixctl={d}/northd.ctl", f"--log-file={d}/northd.log")
        self.connections = []
        self.nb = OvnNbApiIdlImpl(self.connect("nb", "OVN_Northbound"))
        self.sb = OvnSbApiIdlImpl(self.connect("sb", "OVN_Southbound"))

    def start(self, *argv):
        self.processes.append(subprocess.Popen([*argv, "--no-chdir", "-vconsole:off"], env=self.env, cwd=self.dir, stderr=subprocess.DEVNULL))

    def connect(self, db, schema):
        idl = connection.OvsdbIdl.from_server(f"unix:{self.dir}/{db}.sock", schema)
        self.connections.append(connection.Connection(idl, timeout=10))
        return self.connections[-1]

    def tool(self, name, *words, status=0):
        done = subprocess.run([BUILD / f"bin/ovn-{name}", "--timeout=20", *words], env=self.env, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                              text=True, timeout=30)
        assert done.returncode == status, (words, done.stdout, done.stderr)
        return done.stdout

    def nbctl(self, *words, **options):
        return self.tool("nbctl", *words, **options)

    def sbctl(self, *words):
        return self.tool("sbctl", *words)

    def get(self, table, record, *columns):
        return self.nbctl("get", table, record, *columns).splitlines()

    def follow(self):
        """The client has seen what our tools have written."""
        n = int(self.nbctl("--wait=sb", "sync", "--", "get", "nb_global", ".", "nb_cfg"))
        eventually(lambda: [r.nb_cfg for r in self.nb.tables["NB_Global"].rows.values()] >= [n], what="the northbound copy does not follow")
        eventually(lambda: [r.nb_cfg for r in self.sb.tables["SB_Global"].rows.values()] >= [n], what="the southbound copy does not follow")

    def close(self):
        for c in getattr(self, "connections", []):
            c.stop(10)
        for p in reversed(self.processes):
            p.terminate()
            p.wait()
        shutil.rmtree(self.dir)


@pytest.fixture(scope="module")
def central():
    made = Central()
    yield made
    made.close()


@pytest.fixture
def c(central):
    """Empty."""
    line = []
    for table in ("Logical_Switch", "Logical_Router", "Port_Group", "Meter", "Load_Balancer", "DHCP_Options", "DNS", "HA_Chassis_Group",
                  "Static_MAC_Binding", "BFD"):
        line += ["--", "--all", "destroy", table]
    central.nbctl("--wait=sb", *line)
    central.nbctl("--", "--all", "destroy", "Address_Set")
    for chassis in UUID.findall(central.sbctl("--bare", "--columns=_uuid", "list", "chassis")):
        central.sbctl("destroy", "chassis", chassis)
    central.follow()
    return central


def do(command):
    return command.execute(check_error=True)


def names(rows):
    return sorted(r.name for r in rows)


# ---- switches and ports ----

def test_switches(c):
    do(c.nb.ls_add("s1"))
    do(c.nb.ls_add("s2", external_ids={"neutron:network_name": "blue"}, other_config={"subnet": "10.0.0.0/24"}))
    with pytest.raises(RuntimeError):
        do(c.nb.ls_add("s1"))
    do(c.nb.ls_add("s1", may_exist=True))
    assert UUID.sub("U", c.nbctl("ls-list")) == "U (s1)\nU (s2)\n"
    assert c.get("logical_switch", "s2", "external_ids", "other_config") == ['{"neutron:network_name"=blue}', '{subnet="10.0.0.0/24"}']
    c.nbctl("ls-add", "s3")
    c.follow()
    assert names(do(c.nb.ls_list())) == ["s1", "s2", "s3"] and do(c.nb.ls_get("s3")).name == "s3"
    do(c.nb.db_set("Logical_Switch", "s3", ("external_ids", {"a": "b"})))
    assert c.get("logical_switch", "s3", "external_ids") == ["{a=b}"]
    for s in "s1", "s2", "s3":
        do(c.nb.ls_del(s))
    do(c.nb.ls_del("s1", if_exists=True))
    with pytest.raises(RuntimeError):
        do(c.nb.ls_del("s1"))
    assert c.nbctl("ls-list") == ""


def test_ports(c):
    do(c.nb.ls_add("s"))
    with c.nb.transaction(check_error=True) as txn:
        txn.add(c.nb.lsp_add("s", "p", addresses=["0a:00:00:00:00:01 10.0.0.1"], external_ids={"neutron:port_name": "web"}))
        txn.add(c.nb.lsp_set_port_security("p", ["0a:00:00:00:00:01 10.0.0.1"]))
        txn.add(c.nb.lsp_set_options("p", mcast_flood="true", qos_burst="5"))
        txn.add(c.nb.lsp_add("s", "child", parent_name="p", tag=7))
    assert c.nbctl("lsp-get-addresses", "p") == c.nbctl("lsp-get-port-security", "p") == "0a:00:00:00:00:01 10.0.0.1\n"
    assert c.nbctl("lsp-get-options", "p") == "mcast_flood=true\nqos_burst=5\n"
    assert c.nbctl("lsp-get-parent", "child", "--", "get", "logical_switch_port", "child", "tag_request") == "p\n7\n"
    do(c.nb.lsp_set_addresses("p", ["0a:00:00:00:00:02 10.0.0.2", "unknown"]))
    do(c.nb.lsp_set_enabled("p", False))
    do(c.nb.lsp_set_type("p", "localnet"))
    assert sorted(c.nbctl("lsp-get-addresses", "p").splitlines()) == ["0a:00:00:00:00:02 10.0.0.2", "unknown"]
    assert c.nbctl("lsp-get-enabled", "p", "--", "lsp-get-type", "p") == "disabled\nlocalnet\n"
    # The reverse.
    c.nbctl("lsp-add", "s", "q", "--", "lsp-set-addresses", "q", "0a:00:00:00:00:03 10.0.0.3", "--", "lsp-set-enabled", "q", "enabled", "--",
            "lsp-set-type", "q", "virtual", "--", "lsp-set-options", "q", "virtual-ip=10.0.0.9", "--", "lsp-set-port-security", "q", "0a:00:00:00:00:03")
    c.follow()
    assert names(do(c.nb.lsp_list("s"))) == ["child", "p", "q"]
    assert do(c.nb.lsp_get_addresses("q")) == ["0a:00:00:00:00:03 10.0.0.3"] and do(c.nb.lsp_get_port_security("q")) == ["0a:00:00:00:00:03"]
    assert do(c.nb.lsp_get_enabled("q")) is True and do(c.nb.lsp_get_type("q")) == "virtual"
    assert do(c.nb.lsp_get_options("q")) == {"virtual-ip": "10.0.0.9"} and do(c.nb.lsp_get_parent("child")) == "p"
    do(c.nb.lsp_del("p"))
    do(c.nb.lsp_del("child", switch="s"))
    assert c.nbctl("lsp-list", "s") == f"{c.nb.lookup('Logical_Switch_Port', 'q').uuid} (q)\n"


def test_dhcp_and_dns(c):
    do(c.nb.ls_add("s"))
    do(c.nb.lsp_add("s", "p"))
    v4 = do(c.nb.dhcp_options_add("10.0.0.0/24", subnet="blue")).uuid
    v6 = do(c.nb.dhcp_options_add("fd00::/64")).uuid
    do(c.nb.dhcp_options_set_options(v4, server_id="10.0.0.254", lease_time="3600"))
    do(c.nb.lsp_set_dhcpv4_options("p", v4))
    assert c.nbctl("dhcp-options-get-options", str(v4)) == "lease_time=3600\nserver_id=10.0.0.254\n"
    assert c.nbctl("lsp-get-dhcpv4-options", "p") == f"{v4} (10.0.0.0/24)\n"
    c.nbctl("lsp-set-dhcpv6-options", "p", str(v6), "--", "dhcp-options-set-options", str(v6), "server_id=0a:00:00:00:00:01")
    c.follow()
    assert do(c.nb.dhcp_options_get_options(v6)) == {"server_id": "0a:00:00:00:00:01"}
    assert sorted(r.cidr for r in do(c.nb.dhcp_options_list())) == ["10.0.0.0/24", "fd00::/64"]
    assert [r.uuid for r in c.nb.lookup("Logical_Switch_Port", "p").dhcpv6_options] == [v6]
    do(c.nb.dhcp_options_del(v4))
    assert c.nbctl("lsp-get-dhcpv4-options", "p") == ""
    dns = do(c.nb.dns_add(external_ids={"zone": "a"})).uuid
    do(c.nb.dns_set_records(dns, **{"web.example": "10.0.0.1"}))
    do(c.nb.dns_add_record(dns, "db.example", ["10.0.0.2", "fd00::2"]))
    do(c.nb.ls_set_dns_records(c.nb.lookup("Logical_Switch", "s").uuid, [dns]))
    assert c.get("dns", str(dns), "records") == ['{db.example="10.0.0.2 fd00::2", web.example="10.0.0.1"}']
    assert c.get("logical_switch", "s", "dns_records") == [f"[{dns}]"]
    c.nbctl("set", "dns", str(dns), 'records:mail.example="10.0.0.3"')
    c.follow()
    assert do(c.nb.dns_get(dns)).records["mail.example"] == "10.0.0.3"
    do(c.nb.dns_remove_record(dns, "web.example"))
    do(c.nb.ls_clear_dns_records(c.nb.lookup("Logical_Switch", "s").uuid))
    do(c.nb.dns_del(dns))
    assert c.nbctl("list", "dns") == ""


def test_northd_answers(c):
    """A port is up when it is bound."""
    do(c.nb.ls_add("s"))
    do(c.nb.lsp_add("s", "q", addresses=["0a:00:00:00:00:02 10.9.0.20"]))
    c.follow()
    eventually(lambda: do(c.nb.lsp_get_up("q")) is False)
    do(c.sb.chassis_add("hv1", ["geneve"], "192.0.2.1"))
    do(c.sb.lsp_bind("q", "hv1"))
    assert c.sbctl("show").endswith("    Port_Binding q\n")
    c.sbctl("set", "port_binding", "q", "up=true")
    eventually(lambda: do(c.nb.lsp_get_up("q")), what="the port does not become up")
    assert c.nbctl("lsp-get-up", "q") == "up\n"
    do(c.sb.lsp_unbind("q"))
    eventually(lambda: not do(c.nb.lsp_get_up("q")), what="the port stays up")


# ---- access control, quality of service ----

def test_acls_address_sets_and_port_groups(c):
    do(c.nb.ls_add("s"))
    for port in "p", "q":
        do(c.nb.lsp_add("s", port))
    do(c.nb.acl_add("s", "to-lport", 1001, "ip4 && tcp.dst == 80", "allow-related", log=True, why="web"))
    do(c.nb.acl_add("s", "from-lport", 900, "ip6", "drop"))
    assert c.nbctl("acl-list", "s") == ("from-lport   900 (ip6) drop\n  to-lport  1001 (ip4 && tcp.dst == 80) allow-related log()\n")
    with pytest.raises(RuntimeError):
        do(c.nb.acl_add("s", "from-lport", 900, "ip6", "drop"))
    do(c.nb.acl_add("s", "from-lport", 900, "ip6", "drop", may_exist=True))
    uuids = [c.nb.lookup("Logical_Switch_Port", p).uuid for p in ("p", "q")]
    do(c.nb.pg_add("pg1", ports=[uuids[0]], external_ids={"a": "b"}))
    do(c.nb.pg_add_ports("pg1", uuids[1]))
    do(c.nb.pg_acl_add("pg1", "to-lport", 1002, "outport == @pg1 && ip4.src == $as1", "reject", severity="alert", name="no", meter="m1"))
    assert sorted(c.nbctl("pg-get-ports", "pg1").splitlines()) == sorted(f"{u} ({n})" for u, n in zip(uuids, "pq"))
    assert c.nbctl("acl-list", "pg1") == "  to-lport  1002 (outport == @pg1 && ip4.src == $as1) reject\n"
    do(c.nb.address_set_add("as1", ["10.0.0.1", "10.0.0.2"]))
    do(c.nb.address_set_add_addresses("as1", "10.0.0.3"))
    do(c.nb.address_set_remove_addresses("as1", ["10.0.0.1"]))
    assert c.get("address_set", "as1", "addresses") == ['["10.0.0.2", "10.0.0.3"]']
    # The reverse.
    c.nbctl("acl-add", "s", "to-lport", "5", "icmp", "allow", "--", "pg-add", "pg2", "p", "q", "--", "acl-add", "pg2", "from-lport", "6", "arp", "drop", "--",
            "create", "address_set", "name=as2", 'addresses="10.1.0.0/16"')
    c.follow()
    assert sorted((a.priority, a.match, a.action, a.direction) for a in do(c.nb.acl_list("s"))) == [
        (5, "icmp", "allow", "to-lport"), (900, "ip6", "drop", "from-lport"), (1001, "ip4 && tcp.dst == 80", "allow-related", "to-lport")]
    assert names(do(c.nb.pg_get("pg2")).ports) == ["p", "q"] and [a.match for a in do(c.nb.pg_acl_list("pg2"))] == ["arp"]
    assert names(do(c.nb.address_set_list())) == ["as1", "as2"] and do(c.nb.address_set_get("as2")).addresses == ["10.1.0.0/16"]
    do(c.nb.acl_del("s", "to-lport", 5, "icmp"))
    do(c.nb.acl_del("s"))
    do(c.nb.pg_acl_del("pg1"))
    do(c.nb.pg_del_ports("pg1", uuids[0]))
    do(c.nb.pg_del("pg2"))
    do(c.nb.address_set_del("as2"))
    assert c.nbctl("acl-list", "s") == c.nbctl("acl-list", "pg1") == "" and c.nbctl("pg-get-ports", "pg1") == f"{uuids[1]} (q)\n"
    c.nbctl("pg-get-ports", "pg2", status=1)


def test_qos_and_meters(c):
    do(c.nb.ls_add("s"))
    do(c.nb.qos_add("s", "from-lport", 100, "ip4", rate=1000, burst=2000, dscp=10, external_ids={"neutron:port_id": "x"}))
    assert c.nbctl("qos-list", "s") == "from-lport   100 (ip4) rate=1000 burst=2000 dscp=10\n"
    c.nbctl("qos-add", "s", "to-lport", "200", "ip6", "rate=500")
    c.follow()
    assert sorted((q.priority, q.match, dict(q.bandwidth)) for q in do(c.nb.qos_list("s"))) == [(100, "ip4", {"rate": 1000, "burst": 2000}),
                                                                                              (200, "ip6", {"rate": 500})]
    do(c.nb.qos_del("s", "to-lport", 200, "ip6"))
    do(c.nb.qos_del_ext_ids("s", {"neutron:port_id": "x"}))
    assert c.nbctl("qos-list", "s") == ""
    do(c.nb.meter_add("m1", "kbps", rate=100, fair=True, burst_size=10))
    assert c.nbctl("meter-list") == "m1: (fair) bands:\n  drop: 100 kbps, 10 kb burst\n"
    c.nbctl("--fair", "meter-add", "m2", "drop", "5", "pktps")
    c.follow()
    assert names(do(c.nb.meter_list())) == ["m1", "m2"] and do(c.nb.meter_get("m2")).unit == "pktps" and do(c.nb.meter_get("m2")).fair == [True]
    do(c.nb.meter_del("m1"))
    assert c.nbctl("meter-list").startswith("m2:") and "m1" not in c.nbctl("meter-list")


# ---- routers ----

def test_routers_ports_and_routes(c):
    do(c.nb.lr_add("r", external_ids={"neutron:router_name": "gw"}, options={"chassis": "hv1"}))
    do(c.nb.lrp_add("r", "rp1", "0a:00:00:00:01:01", ["10.0.0.254/24", "fd00::1/64"], peer="elsewhere"))
    do(c.nb.lrp_add("r", "rp2", "0a:00:00:00:01:02", ["192.0.2.254/24"]))
    do(c.nb.lrp_set_options("rp2", gateway_mtu="1400"))
    do(c.nb.lrp_add_networks("rp2", ["198.51.100.254/24"]))
    do(c.nb.lrp_set_enabled("rp1", False))
    for chassis, priority in (("hv1", 20), ("hv2", 10)):
        do(c.nb.lrp_set_gateway_chassis("rp2", chassis, priority))
    assert UUID.sub("U", c.nbctl("lr-list")) == "U (r)\n" and UUID.sub("U", c.nbctl("lrp-list", "r")) == "U (rp1)\nU (rp2)\n"
    assert c.nbctl("lrp-get-enabled", "rp1") == "disabled\n"
    assert c.nbctl("lrp-get-gateway-chassis", "rp2") == "rp2_hv1    20\nrp2_hv2    10\n"
    shown = c.nbctl("show", "r")
    for text in ('networks: ["10.0.0.254/24", "fd00::1/64"]', 'networks: ["192.0.2.254/24", "198.51.100.254/24"]', "gateway chassis: [hv1 hv2]"):
        assert text in shown
    do(c.nb.lr_route_add("r", "10.1.0.0/16", "10.0.0.1"))
    do(c.nb.lr_route_add("r", "0.0.0.0/0", "192.0.2.1", port="rp2", policy="dst-ip"))
    with pytest.raises(RuntimeError):
        do(c.nb.lr_route_add("r", "10.1.0.0/16", "10.0.0.1"))
    assert [line.split() for line in c.nbctl("lr-route-list", "r").splitlines() if "dst-ip" in line] == [
        ["10.1.0.0/16", "10.0.0.1", "dst-ip"], ["0.0.0.0/0", "192.0.2.1", "dst-ip", "rp2"]]
    # The reverse.
    c.nbctl("lrp-add", "r", "rp3", "0a:00:00:00:01:03", "10.3.0.254/24", "--", "lrp-set-gateway-chassis", "rp3", "hv3", "5", "--",
            "lr-route-add", "r", "fd01::/64", "fd00::9", "--", "lr-add", "r2")
    c.follow()
    assert names(do(c.nb.lr_list())) == ["r", "r2"] and names(do(c.nb.lrp_list("r"))) == ["rp1", "rp2", "rp3"]
    assert [(g.chassis_name, g.priority) for g in do(c.nb.lrp_get_gateway_chassis("rp3"))] == [("hv3", 5)]
    assert sorted((r.ip_prefix, r.nexthop) for r in do(c.nb.lr_route_list("r"))) == [("0.0.0.0/0", "192.0.2.1"), ("10.1.0.0/16", "10.0.0.1"),
                                                                                    ("fd01::/64", "fd00::9")]
    do(c.nb.lrp_del_gateway_chassis("rp2", "hv1"))
    do(c.nb.lrp_del_networks("rp2", ["198.51.100.254/24"]))
    do(c.nb.lr_route_del("r", "10.1.0.0/16"))
    assert c.nbctl("lrp-get-gateway-chassis", "rp2") == "rp2_hv2    10\n" and "10.1.0.0/16" not in c.nbctl("lr-route-list", "r")
    do(c.nb.lr_route_del("r"))
    do(c.nb.lrp_del("rp1"))
    do(c.nb.lrp_del("rp3", router="r"))
    assert UUID.sub("U", c.nbctl("lrp-list", "r")) == "U (rp2)\n" and c.nbctl("lr-route-list", "r") == ""
    do(c.nb.lr_del("r"))
    assert UUID.sub("U", c.nbctl("lr-list")) == "U (r2)\n"


def test_nat_and_policies(c):
    do(c.nb.lr_add("r"))
    do(c.nb.ls_add("s"))
    do(c.nb.lsp_add("s", "p"))
    do(c.nb.lr_nat_add("r", "snat", "192.0.2.1", "10.0.0.0/24"))
    do(c.nb.lr_nat_add("r", "dnat_and_snat", "192.0.2.2", "10.0.0.2", logical_port="p", external_mac="0a:00:00:00:00:02"))
    rows = [line.split() for line in c.nbctl("lr-nat-list", "r").splitlines()][1:]
    assert sorted(rows) == [["dnat_and_snat", "192.0.2.2", "10.0.0.2", "0a:00:00:00:00:02", "p"], ["snat", "192.0.2.1", "10.0.0.0/24"]]
    c.nbctl("lr-nat-add", "r", "dnat", "192.0.2.3", "10.0.0.3")
    c.follow()
    assert sorted((n.type, n.external_ip, n.logical_ip) for n in do(c.nb.lr_nat_list("r"))) == [
        ("dnat", "192.0.2.3", "10.0.0.3"), ("dnat_and_snat", "192.0.2.2", "10.0.0.2"), ("snat", "192.0.2.1", "10.0.0.0/24")]
    do(c.nb.lr_nat_del("r", "snat", "10.0.0.0/24"))
    do(c.nb.lr_nat_del("r", "dnat_and_snat", "192.0.2.2"))
    assert "snat" not in c.nbctl("lr-nat-list", "r")
    do(c.nb.lr_policy_add("r", 100, "ip4.src == 10.0.0.1", "allow"))
    do(c.nb.lr_policy_add("r", 90, "ip4.src == 10.0.0.2", "reroute", nexthops=["10.0.0.9"]))
    assert [line.split() for line in c.nbctl("lr-policy-list", "r").splitlines()[1:]] == [
        ["100", "ip4.src", "==", "10.0.0.1", "allow"], ["90", "ip4.src", "==", "10.0.0.2", "reroute", "10.0.0.9"]]
    c.nbctl("lr-policy-add", "r", "80", "ip6", "drop")
    c.follow()
    assert sorted(p.priority for p in do(c.nb.lr_policy_list("r"))) == [80, 90, 100]
    do(c.nb.lr_policy_del("r", 80, "ip6"))
    do(c.nb.lr_policy_del("r"))
    assert len(c.nbctl("lr-policy-list", "r").splitlines()) <= 1


def test_gateways_bfd_and_mac_bindings(c):
    do(c.nb.lr_add("r"))
    do(c.nb.lrp_add("r", "rp", "0a:00:00:00:01:01", ["10.0.0.254/24"]))
    do(c.nb.ha_chassis_group_add("g", external_ids={"a": "b"}))
    for chassis, priority in (("hv1", 10), ("hv2", 20)):
        do(c.nb.ha_chassis_group_add_chassis("g", chassis, priority))
    shown = c.nbctl("ha-chassis-group-list")
    assert "(g)" in shown and re.search(r"\(hv1\)\s+priority 10", shown) and re.search(r"\(hv2\)\s+priority 20", shown)
    c.nbctl("ha-chassis-group-add-chassis", "g", "hv3", "30", "--", "ha-chassis-group-remove-chassis", "g", "hv1")
    c.follow()
    assert sorted((h.chassis_name, h.priority) for h in do(c.nb.ha_chassis_group_get("g")).ha_chassis) == [("hv2", 20), ("hv3", 30)]
    do(c.nb.ha_chassis_group_del_chassis("g", "hv2"))
    assert "hv2" not in c.nbctl("ha-chassis-group-list")
    do(c.nb.ha_chassis_group_del("g"))
    assert c.nbctl("ha-chassis-group-list") == ""
    bfd = do(c.nb.db_create("BFD", logical_port="rp", dst_ip="10.0.0.1", min_tx=250, detect_mult=3))
    assert c.get("bfd", str(bfd), "dst_ip", "logical_port", "min_tx", "detect_mult") == ['"10.0.0.1"', "rp", "250", "3"]
    do(c.nb.db_create("Static_MAC_Binding", logical_port="rp", ip="10.0.0.7", mac="0a:00:00:00:00:07", override_dynamic_mac=True))
    assert [line.split()[:3] for line in c.nbctl("static-mac-binding-list").splitlines()][1:] == [["rp", "10.0.0.7", "0a:00:00:00:00:07"]]
    c.nbctl("static-mac-binding-add", "rp", "10.0.0.8", "0a:00:00:00:00:08")
    c.follow()
    assert sorted(r["ip"] for r in do(c.nb.db_list("Static_MAC_Binding"))) == ["10.0.0.7", "10.0.0.8"]
    assert [r["dst_ip"] for r in do(c.nb.db_find("BFD", ("logical_port", "=", "rp")))] == ["10.0.0.1"]
    do(c.nb.db_destroy("BFD", bfd))
    assert c.nbctl("list", "bfd") == ""


# ---- load balancers ----

def test_load_balancers(c):
    do(c.nb.ls_add("s"))
    do(c.nb.lr_add("r"))
    do(c.nb.lb_add("lb", "10.9.9.9:80", ["10.0.0.1:80", "10.0.0.2:80"], external_ids={"a": "b"}))
    do(c.nb.lb_add("lb", "[fd00::9]:80", ["[fd00::1]:80"]))
    do(c.nb.lb_add("lbu", "10.9.9.9:53", ["10.0.0.1:53"], protocol="udp"))
    do(c.nb.ls_lb_add("s", "lb"))
    do(c.nb.lr_lb_add("r", "lb"))
    for command in ("ls-lb-list", "s"), ("lr-lb-list", "r"):
        rows = [line.split() for line in c.nbctl(*command).splitlines()]
        assert ["10.9.9.9:80", "10.0.0.1:80,10.0.0.2:80"] in [row[-2:] for row in rows] and ["[fd00::9]:80", "[fd00::1]:80"] in [row[-2:] for row in rows]
    do(c.nb.lb_add_health_check("lb", "10.9.9.9:80", interval="5"))
    hc = do(c.nb.lb_get("lb")).health_check[0].uuid
    do(c.nb.lb_add_ip_port_mapping("lb", "10.0.0.1", "p", "10.0.0.100"))
    do(c.nb.health_check_set_options(hc, timeout="7"))
    assert c.get("load_balancer", "lb", "health_check", "ip_port_mappings") == [f"[{hc}]", '{"10.0.0.1"="p:10.0.0.100"}']
    assert "timeout=" in c.nbctl("get", "load_balancer_health_check", str(hc), "options")
    c.nbctl("lb-add", "lb2", "10.8.8.8", "10.0.0.5", "--", "ls-lb-add", "s", "lb2", "--", "lb-del", "lbu")
    c.follow()
    assert names(do(c.nb.lb_list())) == ["lb", "lb2"] and names(do(c.nb.ls_lb_list("s"))) == ["lb", "lb2"] and names(do(c.nb.lr_lb_list("r"))) == ["lb"]
    assert do(c.nb.lb_get("lb2")).vips == {"10.8.8.8": "10.0.0.5"}
    assert do(c.nb.health_check_get_options(hc)) != {}
    do(c.nb.lb_del("lb", "[fd00::9]:80"))
    assert "fd00::9" not in c.nbctl("lb-list")
    do(c.nb.lb_del_health_check("lb", hc))
    do(c.nb.lb_del_ip_port_mapping("lb", "10.0.0.1"))
    assert c.get("load_balancer", "lb", "health_check", "ip_port_mappings") == ["[]", "{}"]
    do(c.nb.lr_lb_del("r", "lb"))
    do(c.nb.ls_lb_del("s"))
    do(c.nb.lb_del("lb"))
    assert c.nbctl("ls-lb-list", "s") == c.nbctl("lr-lb-list", "r") == ""


# ---- southbound ----

def test_southbound(c):
    do(c.sb.chassis_add("hv1", ["geneve", "vxlan"], "192.0.2.1", hostname="h1"))
    assert c.sbctl("show").startswith("Chassis hv1\n    hostname: h1\n    Encap geneve\n        ip: \"192.0.2.1\"\n")
    c.sbctl("chassis-add", "hv2", "geneve", "192.0.2.2")
    do(c.nb.ls_add("s"))
    do(c.nb.lsp_add("s", "p", addresses=["0a:00:00:00:00:01 10.0.0.1"]))
    c.follow()
    eventually(lambda: names(do(c.sb.chassis_list())) == ["hv1", "hv2"])
    assert sorted(e.type for e in c.sb.lookup("Chassis", "hv1").encaps) == ["geneve", "vxlan"]
    assert [r["logical_port"] for r in do(c.sb.db_list("Port_Binding", columns=["logical_port"]))] == ["p"]
    assert [r["mac"] for r in do(c.sb.db_find("Port_Binding", ("logical_port", "=", "p")))] == [["0a:00:00:00:00:01 10.0.0.1"]]
    assert "s" in [r.external_ids.get("name") for r in do(c.sb.db_list_rows("Datapath_Binding"))]
    do(c.sb.lsp_bind("p", "hv2"))
    assert c.sbctl("get", "port_binding", "p", "chassis").strip() == str(c.sb.lookup("Chassis", "hv2").uuid)
    with pytest.raises(RuntimeError):
        do(c.sb.lsp_bind("p", "hv1"))
    c.sbctl("lsp-unbind", "p")
    eventually(lambda: [r["chassis"] for r in do(c.sb.db_find("Port_Binding", ("logical_port", "=", "p")))] == [[]])
    do(c.sb.chassis_del("hv1"))
    assert "hv1" not in c.sbctl("show")

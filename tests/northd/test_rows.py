"""Southbound rows and northbound status, beside flows."""
import time

import pytest

from ground import LabError, a_map, as_list, content, eventually, from_scratch, strings, uuids


def test_datapath(ground):
    uuid = ground.switch("s", external_ids=a_map({"neutron:network_name": "net"}), other_config=a_map({"interconn-ts": "ts"}))
    ground.sync()
    row, = ground.sb.select("Datapath_Binding")
    assert row["external_ids"] == {"logical-switch": uuid, "name": "s", "name2": "net", "interconn-ts": "ts"}
    assert row["type"] == "logical-switch" and row["nb_uuid"] == uuid
    ground.set("Logical_Switch", "s", name="renamed", other_config=a_map({}))
    ground.sync()
    after, = ground.sb.select("Datapath_Binding")
    assert after["external_ids"] == {"logical-switch": uuid, "name": "renamed", "name2": "net"}
    assert (after["_uuid"], after["tunnel_key"]) == (row["_uuid"], row["tunnel_key"])


def test_port_binding(ground):
    ground.chassis("hv1")
    ground.chassis("hv2")
    ground.switch("s", [{
        "name": "p", "type": "localport", "addresses": strings(["0a:00:00:00:00:01 10.0.0.1", "unknown"]),
        "port_security": "0a:00:00:00:00:01", "parent_name": "parent", "tag_request": 7,
        "options": a_map({"requested-chassis": "hv1,hv2", "x": "y"}),
        "external_ids": a_map({"neutron:port_name": "nice", "a": "b"})}])
    ground.sync()
    row = ground.binding("p")
    chassis = {c["name"]: c["_uuid"] for c in ground.sb.select("Chassis")}
    assert row["datapath"] in ground.datapaths() and row["tunnel_key"] > 0
    assert row["type"] == "localport" and row["parent_port"] == "parent" and row["tag"] == 7
    assert sorted(row["mac"]) == ["0a:00:00:00:00:01 10.0.0.1", "unknown"]
    assert as_list(row["port_security"]) == ["0a:00:00:00:00:01"]
    assert row["options"] == {"requested-chassis": "hv1,hv2", "x": "y"}
    assert row["external_ids"] == {"neutron:port_name": "nice", "a": "b", "name": "nice"}
    assert row["requested_chassis"] == chassis["hv1"] and row["requested_additional_chassis"] == chassis["hv2"]
    ground.set("Logical_Switch_Port", "p", type="router", parent_name=["set", []], tag_request=["set", []],
               options=a_map({"router-port": "rp"}), external_ids=a_map({}), port_security=strings([]))
    ground.sync()
    after = ground.binding("p")
    assert after["_uuid"] == row["_uuid"] and after["tunnel_key"] == row["tunnel_key"]
    assert after["type"] == "patch" and after["options"] == {"peer": "rp"} and after["external_ids"] == {}
    assert after["parent_port"] == [] and after["tag"] == [] and after["requested_chassis"] == []


def test_a_chassis_comes_later(ground):
    ground.switch("s", [{"name": "p", "options": a_map({"requested-chassis": "late"})}])
    ground.sync()
    assert ground.binding("p")["requested_chassis"] == []
    ground.chassis("late")
    eventually(lambda: ground.binding("p")["requested_chassis"] == ground.sb.select("Chassis")[0]["_uuid"])


def test_requested_keys(ground):
    ground.switch("s", [{"name": "a"}, {"name": "b", "options": a_map({"requested-tnl-key": "1"})},
                        {"name": "c", "options": a_map({"requested-tnl-key": "700"})},
                        {"name": "d", "options": a_map({"requested-tnl-key": "99999"})}],
                  other_config=a_map({"requested-tnl-key": "4242"}))
    ground.sync()
    keys = {r["logical_port"]: r["tunnel_key"] for r in ground.sb.select("Port_Binding")}
    assert keys["b"] == 1 and keys["c"] == 700 and len(set(keys.values())) == 4 and max(keys.values()) < 32768
    assert ground.sb.select("Datapath_Binding")[0]["tunnel_key"] == 4242
    ground.set("Logical_Switch_Port", "a", options=a_map({"requested-tnl-key": "2"}))
    ground.sync()
    assert ground.binding("a")["tunnel_key"] == 2


def test_a_renamed_port_and_its_old_name(ground):
    """The row of the new name must not want the UUID of the row of the old one."""
    ground.switch("s", [{"name": "x", "addresses": "0a:00:00:00:00:01"}])
    ground.sync()
    for old, new in (("x", "y"), ("y", "z"), ("z", "x"), ("x", "y")):
        ground.set("Logical_Switch_Port", old, name=new)
        ground.sync(3)
        assert [r["logical_port"] for r in ground.sb.select("Port_Binding")] == [new]
        assert ground.group("s", "_MC_flood") == [new]
    ground.port("s", "x")
    ground.sync(3)
    assert ground.group("s", "_MC_flood") == ["x", "y"]
    ids = {r["name"]: r["_uuid"] for r in ground.nb.select("Logical_Switch_Port")}
    ground.nb.transact(*[{"op": "update", "table": "Logical_Switch_Port", "where": [["_uuid", "==", ["uuid", ids[a]]]],
                          "row": {"name": b}} for a, b in (("x", "y"), ("y", "x"))])
    ground.sync(3)
    assert ground.group("s", "_MC_flood") == ["x", "y"]


def test_a_port_moves_between_switches(ground):
    ground.switch("s", [{"name": "p", "addresses": "0a:00:00:00:00:01 10.0.0.1"}])
    ground.switch("t", [{"name": "q"}])
    ground.sync()
    uuid = ground.nb.select("Logical_Switch_Port", [("name", "==", "p")])[0]["_uuid"]
    ground.nb.transact(
        {"op": "mutate", "table": "Logical_Switch", "where": [["name", "==", "s"]],
         "mutations": [["ports", "delete", ["uuid", uuid]]]},
        {"op": "mutate", "table": "Logical_Switch", "where": [["name", "==", "t"]],
         "mutations": [["ports", "insert", ["uuid", uuid]]]})
    ground.sync()
    assert ground.group("s", "_MC_flood") is None and ground.group("t", "_MC_flood") == ["p", "q"]
    assert ground.datapaths()[ground.binding("p")["datapath"]] == "t"
    assert ground.binding("p")["tunnel_key"] != ground.binding("q")["tunnel_key"]
    assert not [f for f in ground.flows("s") if "0a:00:00:00:00:01" in f[2]]


def test_a_port_on_two_switches_is_on_one(ground):
    ids = {ground.switch("s", [{"name": "p"}]): "s", ground.switch("t"): "t"}
    uuid = ground.nb.select("Logical_Switch_Port")[0]["_uuid"]
    ground.set("Logical_Switch", "t", ports=uuids([uuid]))
    ground.sync()
    on = ids[min(ids)]
    assert ground.datapaths()[ground.binding("p")["datapath"]] == on
    ground.set("Logical_Switch", on, ports=uuids([]))
    ground.sync()
    assert ground.datapaths()[ground.binding("p")["datapath"]] == ids[max(ids)]


def test_up(ground):
    ground.switch("s", [{"name": "p"}, {"name": "r", "type": "router"}, {"name": "n", "type": "localnet"}])
    ground.sync()
    up = lambda: {r["name"]: r["up"] for r in ground.nb.select("Logical_Switch_Port")}
    eventually(lambda: up() == {"p": False, "r": True, "n": True})
    p = lambda **row: ground.sb.transact({"op": "update", "table": "Port_Binding", "where": [["logical_port", "==", "p"]], "row": row})
    chassis = ground.sb.transact(
        {"op": "insert", "table": "Encap", "uuid-name": "e", "row": {"type": "geneve", "ip": "192.0.2.1", "chassis_name": "hv1"}},
        {"op": "insert", "table": "Chassis", "row": {"name": "hv1", "encaps": ["named-uuid", "e"], "other_config": a_map({"port-up-notif": "true"})}})[1]["uuid"]
    p(chassis=chassis, up=True)
    eventually(lambda: up()["p"] is True)
    ground.nb.transact({"op": "update", "table": "Logical_Switch_Port", "where": [["name", "==", "p"]], "row": {"up": False}})
    eventually(lambda: up()["p"] is True, what="a hand edit of `up` is mended")
    p(up=False)
    eventually(lambda: up()["p"] is False)
    ground.sb.transact({"op": "update", "table": "Chassis", "where": [["name", "==", "hv1"]], "row": {"other_config": a_map({})}})
    eventually(lambda: up()["p"] is True, what="a chassis that never says `up` binds")
    p(up=True)
    ground.sb.transact({"op": "delete", "table": "Chassis", "where": [["name", "==", "hv1"]]})
    eventually(lambda: up()["p"] is False, what="a port of a chassis that is gone is down")


def test_sequence_numbers(ground):
    before = int(time.time() * 1000)
    n = ground.sync()
    g = ground.nb_global()
    assert g["sb_cfg"] == n and ground.sb.select("SB_Global")[0]["nb_cfg"] == n
    assert before <= g["nb_cfg_timestamp"] <= g["sb_cfg_timestamp"] <= time.time() * 1000
    assert g["hv_cfg"] == n, "without hypervisors they are all caught up"

    for hv in ("hv1", "hv2"):
        ground.chassis(hv, nb_cfg=n, nb_cfg_timestamp=5)
    n = ground.sync()
    assert ground.nb_global()["hv_cfg"] == n - 1
    ground.say_nb_cfg("hv1", n, 1000)
    time.sleep(0.1)
    assert ground.nb_global()["hv_cfg"] == n - 1
    ground.say_nb_cfg("hv2", n, 2000)
    eventually(lambda: ground.nb_global()["hv_cfg"] == n)
    assert ground.nb_global()["hv_cfg_timestamp"] == 2000, "when the slowest said so"
    ground.chassis("hv3", nb_cfg=0)
    eventually(lambda: ground.nb_global()["hv_cfg"] == 0, what="hv_cfg may regress")
    ground.sb.transact({"op": "delete", "table": "Chassis_Private", "where": [["name", "==", "hv3"]]})
    eventually(lambda: ground.nb_global()["hv_cfg"] == n)
    # Hypervisors of other availability zones do not count.
    ground.chassis("remote", nb_cfg=0)
    ground.sb.transact({"op": "update", "table": "Chassis", "where": [["name", "==", "remote"]],
                        "row": {"other_config": a_map({"is-remote": "true"})}})
    eventually(lambda: ground.nb_global()["hv_cfg"] == n)


def test_global_options(ground):
    ground.option("northd_probe_interval", "6000")
    ground.nb.transact({"op": "update", "table": "NB_Global", "where": [], "row": {"external_ids": a_map({"k": "v"}), "ipsec": True}})
    ground.sync()
    sb, nb = ground.sb.select("SB_Global")[0], ground.nb_global()
    assert sb["options"] == nb["options"] and sb["external_ids"] == {"k": "v"} and sb["ipsec"] is True
    for key in ("mac_prefix", "svc_monitor_mac", "max_tunid", "northd_internal_version"):
        assert nb["options"][key]
    ground.option("northd_probe_interval", None)
    ground.nb.transact({"op": "update", "table": "NB_Global", "where": [], "row": {"external_ids": a_map({}), "ipsec": False}})


def test_static_rows(ground):
    role, = ground.sb.select("RBAC_Role")
    names = {r["_uuid"]: r["table"] for r in ground.sb.select("RBAC_Permission")}
    assert role["name"] == "ovn-controller" and all(names[u] == t for t, u in role["permissions"].items())
    assert {"Chassis", "Chassis_Private", "Encap", "Port_Binding", "MAC_Binding", "FDB", "IGMP_Group"} <= role["permissions"].keys()
    row, = ground.sb.select("RBAC_Permission", [("table", "==", "Chassis")])
    assert as_list(row["authorization"]) == ["name"] and row["insert_delete"] is True and "encaps" in row["update"]
    dhcp = {r["name"]: (r["code"], r["type"]) for r in ground.sb.select("DHCP_Options")}
    assert dhcp["lease_time"] == (51, "uint32") and dhcp["router"] == (3, "ipv4")
    assert {r["name"]: r["code"] for r in ground.sb.select("DHCPv6_Options")}["dns_server"] == 23


def hand_edits(g):
    """Operations that somebody else might do southbound; northd mends each."""
    dp = next(iter(g.datapaths()))
    pb = g.binding("p")["_uuid"]
    flow = next(f for f in g.sb.select("Logical_Flow") if f["match"] == "eth.dst == 0a:00:00:00:00:01")
    group = g.sb.select("Multicast_Group")[0]["_uuid"]
    dpg = g.sb.select("Logical_DP_Group")[0]["_uuid"]
    at = lambda u: [["_uuid", "==", ["uuid", u]]]
    return {
        "flow edited": [{"op": "update", "table": "Logical_Flow", "where": at(flow["_uuid"]), "row": {"priority": 3}}],
        "flow deleted": [{"op": "delete", "table": "Logical_Flow", "where": at(flow["_uuid"])}],
        "two flows edited alike": [{"op": "update", "table": "Logical_Flow", "where": [["table_id", "==", 33]], "row": {"actions": "x"}}],
        "foreign flow": [{"op": "insert", "table": "Logical_Flow", "row": {
            "pipeline": "ingress", "table_id": 1, "priority": 9, "match": "m", "actions": "a", "logical_datapath": ["uuid", dp]}}],
        "flow twice": [{"op": "insert", "table": "Logical_Flow", "row": {
            "pipeline": "ingress", "table_id": flow["table_id"], "priority": flow["priority"], "match": flow["match"],
            "actions": flow["actions"], "external_ids": a_map(flow["external_ids"]), "tags": a_map(flow["tags"]),
            "logical_datapath": ["uuid", dp]}}],
        "binding edited": [{"op": "update", "table": "Port_Binding", "where": at(pb), "row": {"mac": "foo", "type": "vtep"}}],
        "binding's key": [{"op": "update", "table": "Port_Binding", "where": at(pb), "row": {"tunnel_key": 999}}],
        "binding deleted": [{"op": "delete", "table": "Port_Binding", "where": at(pb)}],
        "binding renamed": [{"op": "update", "table": "Port_Binding", "where": at(pb), "row": {"logical_port": "other"}}],
        "foreign binding": [{"op": "insert", "table": "Port_Binding", "row": {
            "logical_port": "foreign", "tunnel_key": 77, "datapath": ["uuid", dp]}}],
        "group emptied": [{"op": "update", "table": "Multicast_Group", "where": at(group), "row": {"ports": uuids([])}}],
        "group deleted": [{"op": "delete", "table": "Multicast_Group", "where": at(group)}],
        "datapath group emptied": [{"op": "update", "table": "Logical_DP_Group", "where": at(dpg), "row": {"datapaths": uuids([])}}],
        "datapath renamed": [{"op": "update", "table": "Datapath_Binding", "where": at(dp), "row": {"external_ids": a_map({})}}],
        "everything deleted": [{"op": "delete", "table": t, "where": []} for t in
                               ("Logical_Flow", "Multicast_Group", "Port_Binding", "Datapath_Binding", "DHCP_Options",
                                "RBAC_Role", "RBAC_Permission", "SB_Global")],
        "global edited": [{"op": "update", "table": "SB_Global", "where": [], "row": {"options": a_map({"a": "b"}), "nb_cfg": 1}}],
        "option edited": [{"op": "update", "table": "DHCP_Options", "where": [["name", "==", "router"]], "row": {"code": 99}}],
    }


EDITS = ["flow edited", "flow deleted", "two flows edited alike", "foreign flow", "flow twice", "binding edited", "binding's key",
         "binding deleted", "binding renamed", "foreign binding", "group emptied", "group deleted", "datapath group emptied",
         "datapath renamed", "everything deleted", "global edited", "option edited"]


@pytest.mark.parametrize("what", EDITS)
def test_hand_edits_are_mended(ground, what):
    ground.switch("s", [{"name": "p", "addresses": "0a:00:00:00:00:01 10.0.0.1"}, {"name": "q", "addresses": "unknown"}])
    ground.sync()
    before = content(ground.sb)
    ground.sb.transact(*hand_edits(ground)[what])
    eventually(lambda: content(ground.sb) == before, 3, f"{what}: mended")


def test_a_big_switch(ground):
    """10,000 ports; the 10,001st is a transaction of its own size, not of the switch's."""
    ports = [{"name": f"p{i}", "addresses": f"0a:00:00:00:{i >> 8:02x}:{i & 255:02x} 10.0.{i >> 8}.{i & 255}"} for i in range(10000)]
    ground.switch("s", ports)
    ground.sync(30)
    assert len(ground.sb.select("Port_Binding", columns=["tunnel_key"])) == 10000
    before = len(ground.sb_server.bytes("sb"))
    ground.port("s", "one", addresses="0a:00:00:01:00:00 10.1.0.0")
    ground.sync(10)
    assert len(ground.sb_server.bytes("sb")) - before < 20000
    assert "one" in ground.group("s", "_MC_flood")


def test_the_state_is_that_from_scratch(ground):
    ground.switch("s", [{"name": "p", "addresses": "0a:00:00:00:00:01 10.0.0.1"}, {"name": "q", "addresses": "unknown"}])
    ground.switch("t", [{"name": "r", "enabled": False}], other_config=a_map({"vlan-passthru": "true"}))
    ground.sync()
    assert content(ground.sb) == from_scratch(ground)

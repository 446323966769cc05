"""Ports: plugging, moving, unknown interfaces, and what the databases say about it."""
import json
import time

import pytest
from helpers import Pinger, endpoints, eventually, keys, ping, reaches, works
from ovnlab import LabError, process
from scapy.layers.inet import ICMP


def binding(lab, port):
    return lab.sb.select("Port_Binding", [("logical_port", "==", port)])[0]


def interface(lab, hv, iface_id):
    """The Interface row that carries this iface-id."""
    rows = [r for r in lab.local(hv).select("Interface") if r["external_ids"].get("iface-id") == iface_id]
    return rows[0] if rows else None


def chassis(lab, hv):
    return lab.sb.select("Chassis", [("name", "==", hv)])[0]


def test_chassis_and_encaps_are_registered(lab):
    for hv, h in lab.topology.hypervisors.items():
        c = chassis(lab, hv)
        assert c["hostname"] == hv
        encaps = [e for e in lab.sb.select("Encap") if e["chassis_name"] == hv]
        assert [(e["type"], e["ip"]) for e in encaps] == [("geneve", h.encap_ip)]
        assert c["encaps"] in (encaps[0]["_uuid"], [encaps[0]["_uuid"]])
        assert len(lab.sb.select("Chassis_Private", [("name", "==", hv)])) == 1


def test_tunnels_and_bridge_as_documented(lab):
    for hv, other in (("hv1", "hv2"), ("hv2", "hv1")):
        bridge = lab.local(hv).select("Bridge", [("name", "==", "br-int")])[0]
        assert bridge["datapath_type"] == "netdev", "ovn-bridge-datapath-type"
        tunnels = [r for r in lab.local(hv).select("Interface") if r["type"] == "geneve"]
        assert len(tunnels) == 1 and tunnels[0]["name"].startswith(f"ovn-{other}-")
        assert tunnels[0]["options"]["remote_ip"] == lab.topology.hypervisors[other].encap_ip
        assert tunnels[0]["options"]["key"] == "flow"
        port = lab.local(hv).select("Port", [("name", "==", tunnels[0]["name"])])[0]
        assert port["external_ids"]["ovn-chassis-id"].startswith(other)


def test_claimed_ports_are_up_everywhere(lab):
    for name, vm in lab.topology.vms.items():
        assert binding(lab, name)["chassis"] == chassis(lab, vm.on)["_uuid"]
        assert lab.nb.wait("Logical_Switch_Port", [("name", "==", name), ("up", "==", True)], 5)
        eventually(lambda: interface(lab, vm.on, name)["external_ids"].get("ovn-installed") == "true",
                   what=f"no ovn-installed on {name}")


def test_keys_are_distinct(lab):
    k = keys(lab)
    assert k["blue"] != k["red"] and 1 <= k["blue"] <= 0xffffff
    assert len({k[p] for p in ("b1", "b2", "b3", "b4")}) == 4 and all(1 <= k[p] <= 32767 for p in ("b1", "b2", "r1"))
    assert (k["blue", "_MC_flood"], k["blue", "_MC_unknown"]) == (32768, 32769)


def test_move_keeps_address_and_answers_within_seconds(lab):
    reaches(lab, "b1", "10.0.0.2")
    key = keys(lab)["b2"]
    with Pinger(lab, "b1", "10.0.0.2", interval=0.02) as there:
        lab.move("b2", "hv1")
        assert lab.wait_port_up("b2", 10)
        time.sleep(1)
    assert there.silence < 3, "answers again within seconds"
    assert "10.0.0.2/24" in process.run(["ip", "-n", lab.namespace("b2"), "-br", "addr", "show", "eth0"])
    assert keys(lab)["b2"] == key and works(lab, "b3", "10.0.0.2")
    with Pinger(lab, "b1", "10.0.0.2", interval=0.02) as back:
        lab.move("b2", "hv2")
        assert lab.wait_port_up("b2", 10)
        time.sleep(1)
    assert back.silence < 3
    assert binding(lab, "b2")["chassis"] == chassis(lab, "hv2")["_uuid"]


def test_the_other_hypervisor_forgets_a_machine_that_moved(lab, wire):
    lab.move("b1", "hv2")
    assert lab.wait_port_up("b1", 10) and lab.sync()
    cable = wire("hv1")
    assert works(lab, "b1", "10.0.0.2")
    assert not [p for p in cable.tunnelled(0.1) if ICMP in p], "two machines on hv2 need no tunnel"
    assert interface(lab, "hv1", "b1") is None


def test_unplugged_port_goes_down_and_nobody_answers(lab):
    lab.unplug("r2")
    assert lab.nb.wait("Logical_Switch_Port", [("name", "==", "r2"), ("up", "==", False)], 10)
    assert lab.sync() and ping(lab, "r1", "10.0.0.2", 2, wait=0.3) == 0
    assert binding(lab, "r2")["chassis"] == []
    assert ping(lab, "b1", "10.0.0.2") == 3, "the other switch does not notice"
    lab.plug("r2", "hv1")
    assert lab.wait_port_up("r2", 10) and lab.sync()
    assert works(lab, "r1", "10.0.0.2")


def test_unknown_iface_id_waits_and_harms_nobody(lab):
    """A cable to a port that the Northbound does not know is nothing; it works once the port appears."""
    mac = lab.topology.vms["b3"].mac
    lab.ovs("hv1", "vsctl", "set", "Interface", "vm-b3", "external_ids:iface-id=stranger")
    try:
        assert lab.nb.wait("Logical_Switch_Port", [("name", "==", "b3"), ("up", "==", False)], 10)
        assert lab.sync()
        assert ping(lab, "b1", "10.0.0.2") == 3, "the others do not notice"
        assert "ovn-installed" not in interface(lab, "hv1", "stranger")["external_ids"]
        assert ping(lab, "b1", "10.0.0.3", 1, wait=0.3) == 0
        lab.nbctl("lsp-set-addresses", "b3", "--", "lsp-add", "blue", "stranger")
        lab.nbctl("--wait=hv", "lsp-set-addresses", "stranger", f"{mac} 10.0.0.3")
        assert lab.nb.wait("Logical_Switch_Port", [("name", "==", "stranger"), ("up", "==", True)], 10)
        reaches(lab, "b1", "10.0.0.3", 5)
    finally:
        lab.nbctl("--if-exists", "lsp-del", "stranger")
        lab.nbctl("lsp-set-addresses", "b3", f"{mac} 10.0.0.3")
        lab.ovs("hv1", "vsctl", "set", "Interface", "vm-b3", "external_ids:iface-id=b3")


def test_a_port_deleted_northbound_stops_working_and_comes_back(lab):
    mac = lab.topology.vms["r2"].mac
    assert works(lab, "r1", "10.0.0.2")
    lab.nbctl("--wait=hv", "lsp-del", "r2")
    assert ping(lab, "r1", "10.0.0.2", 2, wait=0.3) == 0
    assert "ovn-installed" not in interface(lab, "hv2", "r2")["external_ids"]
    lab.nbctl("--wait=hv", "lsp-add", "red", "r2", "--", "lsp-set-addresses", "r2", f"{mac} 10.0.0.2")
    assert lab.wait_port_up("r2", 10)
    reaches(lab, "r1", "10.0.0.2", 5)


def test_changed_address_takes_effect_with_wait_hv(lab):
    mac = lab.topology.vms["b2"].mac
    lab.nbctl("--wait=hv", "lsp-set-addresses", "b2", "0a:00:00:00:77:77 10.0.0.2")
    try:
        process.run(["ip", "-n", lab.namespace("b1"), "neigh", "flush", "all"])
        ping(lab, "b1", "10.0.0.2", 1, wait=0.3)
        assert "0a:00:00:00:77:77" in process.run(["ip", "-n", lab.namespace("b1"), "neigh", "show", "10.0.0.2"])
    finally:
        lab.nbctl("--wait=hv", "lsp-set-addresses", "b2", f"{mac} 10.0.0.2 fd00::2")
    process.run(["ip", "-n", lab.namespace("b1"), "neigh", "flush", "all"])
    assert works(lab, "b1", "10.0.0.2")


def test_sequence_numbers_reach_every_hypervisor(lab):
    lab.nbctl("--wait=hv", "sync")
    nb, sb = lab.nb.select("NB_Global")[0], lab.sb.select("SB_Global")[0]
    assert nb["nb_cfg"] > 0 and nb["nb_cfg"] == nb["sb_cfg"] == nb["hv_cfg"] == sb["nb_cfg"]
    assert {r["name"]: r["nb_cfg"] for r in lab.sb.select("Chassis_Private")} == \
        {hv: nb["nb_cfg"] for hv in lab.topology.hypervisors}
    assert nb["nb_cfg_timestamp"] <= nb["sb_cfg_timestamp"] <= time.time() * 1000 + 5000
    assert 0 < nb["hv_cfg_timestamp"] <= time.time() * 1000 + 5000


def test_wait_hv_waits_for_the_slowest_hypervisor(lab):
    """--wait=hv returns when the last one is done; --wait=sb does not wait for hypervisors."""
    lab.kill("hv2/controller", 19)          # SIGSTOP
    try:
        before = lab.nb.select("NB_Global")[0]["hv_cfg"]
        lab.nbctl("--wait=sb", "--timeout=10", "sync")
        with pytest.raises(LabError):
            lab.nbctl("--wait=hv", "--timeout=1", "sync")
        nb = lab.nb.select("NB_Global")[0]
        assert nb["sb_cfg"] == nb["nb_cfg"] and nb["hv_cfg"] == before
    finally:
        lab.kill("hv2/controller", 18)      # SIGCONT
    assert lab.nb.wait("NB_Global", [("hv_cfg", "==", nb["nb_cfg"])], 10)


def test_an_encap_address_that_changes_takes_the_tunnels_along(lab, wire):
    """hv1 gets another address on the underlay: both ends follow, whoever sends."""
    hv1, old, new = lab.namespace("hv1"), lab.topology.hypervisors["hv1"].encap_ip, "172.31.0.99"
    where = next(a["ifname"] for a in json.loads(process.run(["ip", "-n", hv1, "-j", "addr"]))
                 if any(i["local"] == old for i in a["addr_info"]))

    def follow(before, after):
        process.run(["ip", "-n", hv1, "addr", "add", f"{after}/16", "dev", where])
        process.run(["ip", "-n", hv1, "addr", "del", f"{before}/16", "dev", where])
        process.run(["ip", "-n", hv1, "addr", "replace", f"{after}/16", "dev", where])      # It may have gone as a secondary one.
        lab.ovs("hv1", "vsctl", "set", "Open_vSwitch", ".", f"external_ids:ovn-encap-ip={after}")
        remotes = lambda: [r["options"]["remote_ip"] for r in lab.local("hv2").select("Interface", [("type", "==", "geneve")])]
        eventually(lambda: remotes() == [after], 10, f"hv2's tunnels do not lead to {after}")
        reaches(lab, "b1", "10.0.0.2")

    follow(old, new)
    try:
        cable = wire("hv2")
        assert works(lab, "b2", "10.0.0.1")
        assert {endpoints(p) for p in cable.tunnelled(0.2) if ICMP in p} == {("172.31.0.12", new), (new, "172.31.0.12")}
    finally:
        follow(new, old)
    assert len([e for e in lab.sb.select("Encap") if e["chassis_name"] == "hv1"]) == 1


def test_the_integration_bridge_deleted_by_hand_is_made_again(lab):
    lab.ovs("hv1", "vsctl", "--timeout=10", "del-br", "br-int")
    eventually(lambda: lab.local("hv1").select("Bridge", [("name", "==", "br-int")]), 10, "br-int is not made again")
    eventually(lambda: [r for r in lab.local("hv1").select("Interface") if r["type"] == "geneve"], 10, "no tunnel")
    for vm in [v for v, m in lab.topology.vms.items() if m.on == "hv1"]:
        lab.unplug(vm)
        lab.plug(vm, "hv1")
        assert lab.wait_port_up(vm, 10)
    reaches(lab, "b1", "10.0.0.2")
    assert works(lab, "b1", "10.0.0.3")


def test_ports_of_types_that_are_not_for_switching_alone_harm_nobody(lab):
    """A CMS that uses everything: what is not built yet is left alone, and the switch goes on."""
    ports = {"router": "router-port=nowhere", "localnet": "network_name=nowhere", "localport": "", "external": "", "vtep": "",
             "virtual": "virtual-ip=10.0.0.77 virtual-parents=b1,b2", "l2gateway": "network_name=nowhere", "remote": ""}
    words = []
    for kind, options in ports.items():
        words += ["--", "lsp-add", "blue", f"of-{kind}", "--", "lsp-set-type", f"of-{kind}", kind, "--",
                  "lsp-set-addresses", f"of-{kind}", "router" if kind == "router" else "unknown"]
        words += ["--", "lsp-set-options", f"of-{kind}", *options.split()] if options else []
    try:
        lab.nbctl("--wait=hv", *words[1:])
        assert works(lab, "b1", "10.0.0.2") and works(lab, "b1", "10.0.0.3")
        for name in ("central/northd", "hv1/controller", "hv2/controller"):
            eventually(lambda: lab.daemons.appctl(name, "inc-engine/verify").strip() == "0 differences", what=name)
    finally:
        lab.nbctl("--wait=hv", *[w for kind in ports for w in ("--", "--if-exists", "lsp-del", f"of-{kind}")][1:])
    assert works(lab, "b1", "10.0.0.2")


@pytest.mark.ours("23.03 believes whoever says that he has a port")
@pytest.mark.parametrize("northd", ["with northd", "without northd"])
def test_a_port_that_was_requested_cannot_be_taken_over(lab, northd):
    """A chassis (in whose place we write to the database) says again and again that it has another's port: no packet goes to it."""
    lab.nbctl("--wait=hv", "lsp-set-options", "b2", "requested-chassis=hv2")
    lab.sb.transact({"op": "insert", "table": "Encap", "uuid-name": "e", "row": {"type": "geneve", "ip": "172.31.0.66", "chassis_name": "evil"}},
                    {"op": "insert", "table": "Chassis", "row": {"name": "evil", "encaps": ["named-uuid", "e"]}})
    mine, theirs = chassis(lab, "evil")["_uuid"], chassis(lab, "hv2")["_uuid"]
    eventually(lambda: binding(lab, "b2")["requested_chassis"] == theirs)
    works(lab, "b1", "10.0.0.2")
    try:
        with Pinger(lab, "b1", "10.0.0.2") as p:
            if northd == "without northd":
                lab.kill("northd", 19)
            for _ in range(4):
                lab.sb.transact({"op": "update", "table": "Port_Binding", "where": [["logical_port", "==", "b2"]],
                                 "row": {"chassis": ["uuid", mine], "up": True}})
                eventually(lambda: binding(lab, "b2")["chassis"] == theirs and binding(lab, "b2")["up"], what="it is taken back")
        assert not p.lost
    finally:
        lab.kill("northd", 18)
        lab.sb.transact({"op": "delete", "table": "Chassis", "where": [["name", "==", "evil"]]},
                        {"op": "delete", "table": "Encap", "where": [["chassis_name", "==", "evil"]]})
        lab.nbctl("clear", "Logical_Switch_Port", "b2", "options")
    assert lab.wait_port_up("b2", 10)


def test_requested_by_hostname(lab):
    lab.nbctl("--wait=hv", "lsp-set-options", "b2", "requested-chassis=hv2.example")
    assert lab.nb.wait("Logical_Switch_Port", [("name", "==", "b2"), ("up", "==", False)], 10), "no chassis is called so"
    lab.ovs("hv2", "vsctl", "--no-wait", "set", "Open_vSwitch", ".", "external_ids:hostname=hv2.example")
    try:
        assert lab.wait_port_up("b2", 10)
        assert binding(lab, "b2")["requested_chassis"] == binding(lab, "b2")["chassis"] == chassis(lab, "hv2")["_uuid"]
        reaches(lab, "b1", "10.0.0.2")
    finally:
        lab.ovs("hv2", "vsctl", "--no-wait", "set", "Open_vSwitch", ".", "external_ids:hostname=hv2")
        lab.nbctl("clear", "Logical_Switch_Port", "b2", "options")
    eventually(lambda: chassis(lab, "hv2")["hostname"] == "hv2")
    assert lab.wait_port_up("b2", 10)

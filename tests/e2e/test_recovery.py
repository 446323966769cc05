"""Restarts and crashes under traffic: no packet of an established flow is lost (unless the switch itself
dies), no configuration is lost, and the state afterwards equals the state from scratch."""
import json
import time

import pytest
from helpers import Pinger, derived, eventually, flows, log_of, ping, reaches

EVERYWHERE = [("b1", "10.0.0.2"), ("b2", "10.0.0.3"), ("r1", "10.0.0.2"), ("b3", "10.0.0.1")]


def add_and_remove_a_port(lab, name):
    """A change northbound arrives on the hypervisors: b3's cable becomes the port NAME and back."""
    mac = lab.topology.vms["b3"].mac
    lab.nbctl("lsp-set-addresses", "b3", "--", "lsp-add", "blue", name)
    lab.nbctl("lsp-set-addresses", name, f"{mac} 10.0.0.3")
    lab.ovs("hv1", "vsctl", "set", "Interface", "vm-b3", f"external_ids:iface-id={name}")
    try:
        assert lab.nb.wait("Logical_Switch_Port", [("name", "==", name), ("up", "==", True)], 20), \
            f"{name} does not come up"
        reaches(lab, "b2", "10.0.0.3")
    finally:
        lab.ovs("hv1", "vsctl", "set", "Interface", "vm-b3", "external_ids:iface-id=b3")
        lab.nbctl("lsp-del", name)
        lab.nbctl("lsp-set-addresses", "b3", f"{mac} 10.0.0.3")
    assert lab.wait_port_up("b3", 20)


def works_everywhere(lab):
    for vm, address in EVERYWHERE:
        reaches(lab, vm, address, 20)


@pytest.fixture
def quiet_lab(lab):
    works_everywhere(lab)
    return lab


@pytest.mark.ours("23.03 clears the switch's flows when it connects")
@pytest.mark.parametrize("hv", ["hv1", "hv2"])
@pytest.mark.parametrize("how", ["exit --restart", "kill -9", "kill -TERM"])
def test_controller_restart_loses_no_packet(quiet_lab, hv, how):
    lab, name = quiet_lab, f"{hv}/controller"
    before = flows(lab, hv)
    with Pinger(lab, "b1", "10.0.0.2") as p:
        if how == "exit --restart":
            lab.stop(name, keep=True)
        else:
            lab.kill(name, 9 if "9" in how else 15)
        time.sleep(0.3)
        lab.start(name)
        assert lab.sync(15)
        time.sleep(0.5)
    assert not p.lost, f"{len(p.lost)} of {len(p.times)} lost"
    assert flows(lab, hv) == before, "the flows from scratch are the flows there were"


@pytest.mark.parametrize("hv", ["hv1", "hv2"])
def test_controller_killed_comes_back_to_the_same_flows(quiet_lab, hv):
    """As above, without the promise about packets: holds for any OVN."""
    lab, before = quiet_lab, flows(quiet_lab, hv)
    lab.kill(f"{hv}/controller")
    with Pinger(lab, "b1", "10.0.0.2") as p:
        time.sleep(0.5)
    assert not p.lost, "the switch goes on without its controller"
    lab.start(f"{hv}/controller")
    assert lab.sync(15)
    works_everywhere(lab)
    assert flows(lab, hv) == before


def test_controller_catches_up_with_what_happened_meanwhile(quiet_lab):
    lab = quiet_lab
    lab.kill("hv1/controller")
    lab.nbctl("lsp-set-enabled", "b2", "disabled")
    lab.unplug("r1")
    lab.start("hv1/controller")
    try:
        assert lab.sync(15)
        assert ping(lab, "b1", "10.0.0.2", 2, wait=0.3) == 0
        assert lab.nb.wait("Logical_Switch_Port", [("name", "==", "r1"), ("up", "==", False)], 10)
    finally:
        lab.nbctl("--wait=hv", "lsp-set-enabled", "b2", "enabled")
    lab.plug("r1", "hv1")
    assert lab.wait_port_up("r1", 10)
    works_everywhere(lab)


def test_controller_exit_cleans_up_after_itself(quiet_lab):
    """A plain exit means that the hypervisor leaves: its chassis and bindings go, and come back with it."""
    lab = quiet_lab
    lab.stop("hv2/controller")
    assert lab.sb.wait("Chassis", [("name", "==", "hv2")], 5, gone=True)
    assert lab.nb.wait("Logical_Switch_Port", [("name", "==", "b2"), ("up", "==", False)], 5)
    lab.start("hv2/controller")
    assert lab.wait_port_up("b2", 10)
    works_everywhere(lab)


def test_northd_killed_under_traffic(quiet_lab):
    lab, before = quiet_lab, derived(quiet_lab)
    hv1 = flows(lab, "hv1")
    with Pinger(lab, "b1", "10.0.0.2") as p:
        lab.kill("northd")
        time.sleep(0.3)
        lab.start("northd")
        assert lab.sync(15)
    assert not p.lost
    assert derived(lab) == before and flows(lab, "hv1") == hv1


def test_northd_applies_what_changed_while_it_was_away(quiet_lab):
    lab, before = quiet_lab, derived(quiet_lab)
    lab.kill("northd")
    lab.nbctl("ls-add", "green", "--", "lsp-add", "green", "g1", "--", "lsp-set-enabled", "b2", "disabled")
    lab.start("northd")
    assert lab.sync(15)
    assert lab.sb.select("Port_Binding", [("logical_port", "==", "g1")])
    assert ping(lab, "b1", "10.0.0.2", 2, wait=0.3) == 0
    lab.kill("northd")
    lab.nbctl("ls-del", "green", "--", "lsp-set-enabled", "b2", "enabled")
    lab.start("northd")
    assert lab.sync(15)
    works_everywhere(lab)
    assert derived(lab) == before, "and nothing of it remains"


@pytest.mark.parametrize("database", ["nb", "sb"])
@pytest.mark.parametrize("how", ["kill", "restart"])
def test_central_database_goes_and_comes_back(quiet_lab, database, how):
    lab = quiet_lab
    with Pinger(lab, "b1", "10.0.0.2") as p:
        if how == "kill":
            lab.kill(database)
            time.sleep(0.5)
            lab.start(database)
        else:
            lab.restart(database)
        assert eventually(lambda: lab.sync(10), 20)
    assert not p.lost
    add_and_remove_a_port(lab, f"after-{database}")


@pytest.mark.parametrize("database", ["nb", "sb", "hv1/ovsdb"])
def test_a_database_that_does_not_answer_for_a_while(quiet_lab, database):
    """A server that hangs, longer than a probe waits: traffic goes on, and what was asked for is done when it is back."""
    lab = quiet_lab
    pids = {name: lab.daemons.running(name) for name in lab.daemons.all()}
    with Pinger(lab, "b1", "10.0.0.2") as p:
        lab.kill(database, 19)               # SIGSTOP
        try:
            if database != "nb":
                lab.nbctl("lsp-set-enabled", "b3", "disabled")
            time.sleep(6)
        finally:
            lab.kill(database, 18)           # SIGCONT
        assert eventually(lambda: lab.sync(10), 20)
    assert not p.lost
    try:
        assert ping(lab, "b1", "10.0.0.3", 1, wait=0.3) == (1 if database == "nb" else 0)
    finally:
        lab.nbctl("--wait=hv", "lsp-set-enabled", "b3", "enabled")
    works_everywhere(lab)
    assert {name: lab.daemons.running(name) for name in lab.daemons.all()} == pids, "and nobody died of it"


@pytest.mark.ours("23.03 does not always bind its ports again")
def test_southbound_that_lost_everything_is_built_again(quiet_lab):
    """The Southbound is derived: with its file gone, northd and the controllers write it again."""
    lab, before = quiet_lab, derived(quiet_lab)
    lab.kill("sb")
    (lab.directory / "central/ovnsb_db.db").unlink()
    lab.start("sb")
    for hv in lab.topology.hypervisors:
        assert lab.sb.wait("Chassis", [("name", "==", hv)], 20), f"{hv} does not register again"
    for vm in lab.topology.vms:
        assert lab.wait_port_up(vm, 20), f"{vm} is not bound again"
    assert eventually(lambda: lab.sync(10), 20)
    works_everywhere(lab)
    now = derived(lab)
    for table in ("Logical_Flow", "Multicast_Group"):
        assert len(now[table]) == len(before[table]), table


@pytest.mark.parametrize("how", ["kill", "restart"])
def test_local_database_goes_and_comes_back(quiet_lab, how):
    lab = quiet_lab
    with Pinger(lab, "b1", "10.0.0.2") as p:
        if how == "kill":
            lab.kill("hv1/ovsdb")
            time.sleep(0.3)
            lab.start("hv1/ovsdb")
        else:
            lab.restart("hv1/ovsdb")
        assert lab.sync(15)
    assert not p.lost
    add_and_remove_a_port(lab, f"local-{how}")


@pytest.mark.parametrize("how", ["kill", "restart"])
def test_switch_goes_and_comes_back(quiet_lab, how):
    """With ovs-vswitchd its flows and tunnels go; the controller puts all of it back by itself."""
    lab, before = quiet_lab, flows(quiet_lab, "hv1")
    if how == "kill":
        lab.kill("hv1/vswitchd")
        lab.start("hv1/vswitchd")
    else:
        lab.restart("hv1/vswitchd")
    works_everywhere(lab)
    assert lab.sync(15)
    eventually(lambda: flows(lab, "hv1") == before, 10, "the flows are not those there were")


def test_everything_killed_at_once(quiet_lab):
    lab, before = quiet_lab, flows(quiet_lab, "hv2")
    for name in lab.daemons.all():
        lab.kill(name)
    for name in lab.daemons.all():
        lab.start(name)
    for vm in lab.topology.vms:
        assert lab.wait_port_up(vm, 20), vm
    works_everywhere(lab)
    assert lab.sync(15)
    eventually(lambda: flows(lab, "hv2") == before, 10, "the flows are not those there were")


def test_the_central_unreachable_for_a_while(quiet_lab):
    """The management network fails; hypervisors go on, and catch up when it is back."""
    from ovnlab import netns
    lab, net = quiet_lab, quiet_lab.namespace("net")
    netns.batch(["link set hv1-m down"], net)
    try:
        with Pinger(lab, "b1", "10.0.0.2") as p:
            lab.nbctl("lsp-set-enabled", "b3", "disabled")
            time.sleep(1)
        assert not p.lost
    finally:
        netns.batch(["link set hv1-m up"], net)
    try:
        assert eventually(lambda: lab.sync(10), 20)
        assert ping(lab, "b1", "10.0.0.3", 1, wait=0.3) == 0
    finally:
        lab.nbctl("lsp-set-enabled", "b3", "enabled")
    reaches(lab, "b1", "10.0.0.3", 10)


@pytest.mark.ours("23.03 warns while it reconnects")
def test_a_healthy_life_warns_of_nothing(quiet_lab):
    """WARN and ERR mean that a person should look: a fresh start and a clean exit give no cause."""
    lab = quiet_lab
    for name in ("hv1/controller", "northd"):
        at = len(log_of(lab, name))
        lab.restart(name)
        assert lab.sync(15)
        lines = log_of(lab, name)[at:].splitlines()
        assert lines and not [line for line in lines if "|WARN|" in line or "|ERR|" in line or "|EMER|" in line]


def interface(lab, hv, name):
    rows = json.loads(lab.ovs(hv, "vsctl", "--format=json", "--columns=ofport,error,other_config", "find", "Interface", f"name={name}"))["data"]
    ofport, error, ids = rows[0] if rows else (None, None, ["map", []])
    return {"works": isinstance(ofport, int) and ofport > 0, "error": error if isinstance(error, str) else "", "ids": dict(ids[1])}


def add_chassis(lab, name, ip):
    """A chassis that nobody runs."""
    lab.sb.transact({"op": "insert", "table": "Encap", "uuid-name": "e", "row": {"type": "geneve", "ip": ip, "chassis_name": name}},
                    {"op": "insert", "table": "Chassis", "row": {"name": name, "encaps": ["named-uuid", "e"]}})


def remove_chassis(lab, name):
    lab.sb.transact({"op": "delete", "table": "Chassis", "where": [["name", "==", name]]},
                    {"op": "delete", "table": "Encap", "where": [["chassis_name", "==", name]]})


@pytest.mark.ours("23.03 leaves such a tunnel broken")
def test_a_chassis_that_goes_and_comes_back_at_once_is_reached(lab):
    """The switch may see only the end of it: the old port gone and the new one there, of one and the same tunnel."""
    try:
        for i in range(4):
            add_chassis(lab, "hv7", "172.31.0.77")
            eventually(lambda: interface(lab, "hv1", "ovn-hv7-1")["works"] and interface(lab, "hv2", "ovn-hv7-1")["works"],
                       what=f"the tunnel works (time {i})")
            remove_chassis(lab, "hv7")
    finally:
        remove_chassis(lab, "hv7")


@pytest.mark.ours("23.03 leaves such a tunnel broken")
def test_a_tunnel_that_the_switch_could_not_make_is_tried_again(lab):
    """ovs-vswitchd says once that it cannot, and would not try again by itself."""
    lab.ovs("hv1", "vsctl", "add-port", "br-int", "other", "--", "set", "Interface", "other", "type=geneve",
            "options:remote_ip=172.31.0.78", "options:key=flow")
    try:
        add_chassis(lab, "hv8", "172.31.0.78")
        at = lambda: interface(lab, "hv1", "ovn-hv8-1")
        eventually(lambda: at()["error"], what="two ports of one tunnel are refused")
        first = eventually(lambda: at()["ids"].get("ovn-retry"))
        eventually(lambda: at()["ids"]["ovn-retry"] != first, what="it is tried again")
        assert any("|WARN|" in line and "ovn-hv8-1" in line and "hv8@172.31.0.78" in line for line in log_of(lab, "hv1/controller").splitlines())
    finally:
        lab.ovs("hv1", "vsctl", "del-port", "other")
    try:
        eventually(lambda: at()["works"] and not at()["error"])
    finally:
        remove_chassis(lab, "hv8")

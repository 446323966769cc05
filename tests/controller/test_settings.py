"""The keys of the Open_vSwitch row that change under a running ovn-controller: where it connects to, which bridge it has, whether it may work at all."""
import os
import signal
import socket
import time

import pytest
from ground import Central, eventually, omap, process, stays
from test_binding import owner, registered


def bound(ground, h, port="vm1", interface="vif1", dp=None):
    ground.central.port(dp or ground.central.datapath(), port)
    h.plug(interface, port)
    owner(ground, port, h.name)


def flows(h, bridge="br-int"):
    return h.ovs("ofctl", "-O", "OpenFlow15", "--no-stats", "dump-flows", f"{h.dir}/{bridge}.mgmt")


# ---- the southbound database ----

def test_several_remotes_and_another_database(ground):
    h = ground.host()
    registered(ground)
    bound(ground, h)
    h.set(ovn_remote=f"unix:{ground.central.dir}/nobody.sock,unix:{ground.central.sock}")
    eventually(lambda: h.appctl("connection-status").strip() == "connected")
    owner(ground, "vm1", "hv1")
    # Another database, which knows nothing of us: we register there, and its ports are ours.
    first = ground.central
    second = Central.__new__(Central)
    ground.dir = ground.dir / "second"
    Central.__init__(second, ground)
    ground.dir = ground.dir.parent
    ground.places.insert(0, second)
    second.port(second.datapath("other"), "vm1")
    h.set(ovn_remote=f"unix:{second.sock}")
    eventually(lambda: second.binding("vm1") == ("hv1", True))
    eventually(lambda: second.one("Chassis_Private", name="hv1"))
    h.set(ovn_remote=None)
    eventually(lambda: h.appctl("connection-status").strip() == "not connected")
    h.set(ovn_remote=f"unix:{first.sock}")
    owner(ground, "vm1", "hv1")
    assert h.complaints() == []


def test_probe_interval(ground):
    """A database that hangs is noticed after the time asked for; over a Unix socket nobody probes by default."""
    h = ground.host(ovn_remote_probe_interval="10")       # Less than a second is a second.
    registered(ground)
    bound(ground, h)
    os.kill(ground.central.pids["sb"][0], signal.SIGSTOP)
    try:
        eventually(lambda: h.appctl("connection-status").strip() == "not connected", 10)
    finally:
        os.kill(ground.central.pids["sb"][0], signal.SIGCONT)
    eventually(lambda: h.appctl("connection-status").strip() == "connected", 20)
    h.set(ovn_remote_probe_interval=None)
    eventually(lambda: h.appctl("debug/status").strip() == "running")
    os.kill(ground.central.pids["sb"][0], signal.SIGSTOP)
    try:
        stays(lambda: h.appctl("connection-status").strip() == "connected", 2.5, "without the key there are no probes")
    finally:
        os.kill(ground.central.pids["sb"][0], signal.SIGCONT)


def test_monitor_all_goes_on_and_off(ground):
    """What is monitored changes; what is in the switch does not, and no port goes down."""
    h = ground.host()
    registered(ground)
    bound(ground, h)
    other = ground.central.datapath("other")
    ground.central.port(other, "far")
    eventually(lambda: flows(h) == (time.sleep(0.2), flows(h))[1])
    before = flows(h)
    seen = []
    for value in ("true", "false", "true", None):
        h.set(ovn_monitor_all=value)
        end = time.monotonic() + 0.4
        while time.monotonic() < end:
            seen.append((ground.central.binding("vm1"), flows(h) == before))
    assert set(seen) == {(("hv1", True), True)}
    eventually(lambda: ground.central.one("Chassis", name="hv1")["other_config"]["ovn-monitor-all"] == "false")


# ---- the bridge ----

def ports(h, bridge):
    names = {p["_uuid"]: p["name"] for p in h.db.select("Port")}
    row = h.bridge(bridge)["ports"]
    return {names.get(u) for u in (row if isinstance(row, list) else [row])}


def ours(h, bridge):
    return {p for p in ports(h, bridge) if p and p.startswith("ovn-")}, \
        {k for k in h.bridge(bridge)["external_ids"] if k.startswith(("ct-zone-", "ovn-"))}


def test_another_bridge(ground):
    """The ports follow: nothing of ours stays on the old bridge, whose flows would answer for ports that are elsewhere."""
    ground.central.chassis("hv9", "192.0.2.9")
    h = ground.host()
    registered(ground)
    bound(ground, h)
    eventually(lambda: h.tunnels())
    h.set(ovn_bridge="br-two")
    eventually(lambda: h.bridge("br-two"))
    h.plug("vif2", "vm2", bridge="br-two")
    ground.central.port(ground.central.datapath("two"), "vm2")
    owner(ground, "vm2", "hv1")
    eventually(lambda: ground.central.binding("vm1") == (None, False), what="vm1 is on a bridge that is not ours")
    eventually(lambda: ours(h, "br-two")[0], what="tunnels are on the new bridge")
    eventually(lambda: ours(h, "br-int") == (set(), set()), what="and nothing of ours is on the old one")
    eventually(lambda: "priority=" not in flows(h), what="the old bridge has no flow left")
    assert "vif1" in ports(h, "br-int") and "priority=100" in flows(h, "br-two")
    h.set(ovn_bridge=None)
    owner(ground, "vm1", "hv1")
    eventually(lambda: ours(h, "br-int")[0] and ours(h, "br-two") == (set(), set()))
    eventually(lambda: "priority=" not in flows(h, "br-two") and "priority=100" in flows(h))
    assert h.complaints() == []


def test_a_bridge_of_another_controller_is_left_alone(ground):
    h = ground.host(ovn_bridge_other="br-int")
    registered(ground)
    bound(ground, h)
    before = flows(h)
    h.set(ovn_bridge="br-two")
    h.plug("vif2", "vm2", bridge="br-two")
    ground.central.port(ground.central.datapath("two"), "vm2")
    owner(ground, "vm2", "hv1")
    stays(lambda: flows(h) == before and "ct-zone-vm1" in h.bridge()["external_ids"], 0.5)


@pytest.mark.parametrize("kind", ["unix", "tcp"])
def test_bridge_remote(ground, kind):
    """ovn-bridge-remote: the switch is where it says."""
    h = ground.host(controller=False)
    h.vsctl("add-br", "br-int")
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        port = s.getsockname()[1]
    where, remote = {"unix": (f"punix:{h.dir}/br-int.elsewhere", f"unix:{h.dir}/br-int.elsewhere"),
                     "tcp": (f"ptcp:{port}:127.0.0.1", f"tcp:127.0.0.1:{port}")}[kind]
    h.vsctl("--no-wait", "set-controller", "br-int", where)
    h.set(ovn_bridge_remote=remote)
    h.start_controller()
    registered(ground)
    bound(ground, h)
    assert f"{remote}: connected" in h.log()
    assert h.complaints() == []


def test_times_of_nb_cfg_on_the_bridge(ground):
    h = ground.host()
    registered(ground)
    ground.central.update("SB_Global", [], nb_cfg=7, nb_cfg_timestamp=12345)
    ids = lambda: h.bridge()["external_ids"]
    eventually(lambda: ids().get("ovn-nb-cfg") == "7")
    assert ids()["ovn-nb-cfg-sb-ts"] == "12345" and int(ids()["ovn-nb-cfg-ts"]) > 12345


# ---- a quiet log ----

def test_a_life_among_things_that_are_not_there_yet(ground):
    """Databases and a switch that start later, a mapping whose bridge is missing, a chassis that cannot be reached: nothing that a person must look at."""
    ground.central.chassis("hv9", "192.0.2.9")
    h = ground.host(controller=False, ovn_bridge_mappings="physnet1:br-none")
    for name in ("vswitchd", "ovsdb"):
        h.kill(name)
    ground.central.kill("sb")
    h.start_controller()
    eventually(lambda: "db.sock" in h.log())
    h.start_ovsdb()
    eventually(lambda: "sb.sock" in h.log())
    ground.central.start_server()
    h.start_vswitchd()
    registered(ground)
    bound(ground, h)
    eventually(lambda: h.tunnels())
    h.kill("ovsdb"), ground.central.kill("sb")
    h.start_ovsdb(), ground.central.start_server()
    ground.central.port(ground.central.datapath(), "vm2")
    h.plug("vif2", "vm2")
    owner(ground, "vm2", "hv1")
    h.appctl("exit")
    eventually(lambda: not ground.central.one("Chassis", name="hv1") and not h.running())
    assert h.complaints() == []


# ---- versions ----

def test_northd_of_another_version(ground):
    """With ovn-match-northd-version nothing is touched while northd is of another version; what is installed works on."""
    version = eventually_version(ground)
    say = lambda v: ground.central.update("SB_Global", [], options=omap({"northd_internal_version": v} if v else {}))
    say(version)
    h = ground.host(ovn_match_northd_version="true")
    registered(ground)
    dp = ground.central.datapath()
    bound(ground, h, dp=dp)
    before = flows(h)
    say("0.0.0-0.0.0-0.0")
    eventually(lambda: [c for c in h.complaints() if "0.0.0-0.0.0-0.0" in c], what="the log says why nothing happens")
    ground.central.port(dp, "vm2")
    h.plug("vif2", "vm2")
    stays(lambda: ground.central.binding("vm2") == (None, False) and ground.central.binding("vm1") == ("hv1", True) and flows(h) == before, 0.6)
    assert len(h.complaints()) == 1
    # A version that fits comes, or the option goes.
    say(version)
    owner(ground, "vm2", "hv1")
    say("")
    ground.central.port(dp, "vm3")
    h.plug("vif3", "vm3")
    stays(lambda: ground.central.binding("vm3") == (None, False), 0.4)
    h.set(ovn_match_northd_version=None)
    owner(ground, "vm3", "hv1")


def test_a_start_beside_a_northd_of_another_version(ground):
    ground.central.update("SB_Global", [], options=omap({"northd_internal_version": "other"}))
    h = ground.host(ovn_match_northd_version="true")
    eventually(lambda: h.complaints(), what="the log says why nothing happens")
    stays(lambda: not ground.central.one("Chassis", name="hv1"), 0.4)
    ground.central.update("SB_Global", [], options=omap({"northd_internal_version": eventually_version(ground)}))
    registered(ground)
    h.appctl("exit")
    eventually(lambda: not ground.central.one("Chassis", name="hv1") and not h.running())


def eventually_version(ground):
    """What our own northd says: it is asked."""
    import subprocess
    from ground import BUILD
    d = ground.dir / "northd"
    d.mkdir()
    process.run(["ovsdb-tool", "create", str(d / "nb.db"), str(BUILD / "schema/ovn-nb.ovsschema")])
    process.run(["ovsdb-tool", "create", str(d / "sb.db"), str(BUILD / "schema/ovn-sb.ovsschema")])
    server = subprocess.Popen(["ovsdb-server", "-vconsole:off", f"--remote=punix:{d}/db.sock", f"--unixctl={d}/ctl", str(d / "nb.db"), str(d / "sb.db")])
    northd = None
    try:
        eventually((d / "db.sock").exists)
        northd = subprocess.Popen([str(BUILD / "bin/ovn-northd"), f"--ovnnb-db=unix:{d}/db.sock", f"--ovnsb-db=unix:{d}/db.sock", "--unixctl=none",
                                   "-vconsole:off"])
        from ovnlab.ovsdb import Database
        db = Database(d / "db.sock", "OVN_Southbound")
        row = eventually(lambda: next((r for r in db.select("SB_Global") if "northd_internal_version" in r["options"]), None), 20)
        return row["options"]["northd_internal_version"]
    finally:
        for p in (northd, server):
            if p:
                p.kill()
                p.wait()

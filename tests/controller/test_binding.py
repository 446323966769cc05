"""What ovn-controller writes into the databases: itself, its ports, its tunnels, how far it is; and what it leaves alone."""
import signal
import time

import pytest
from ground import eventually, omap, process, stays


def registered(g, name="hv1"):
    return eventually(lambda: g.central.one("Chassis_Private", name=name) and g.central.one("Chassis", name=name),
                      what=f"chassis {name} does not register")


def owner(g, port, chassis, up=True):
    eventually(lambda: g.central.binding(port) == (chassis, up), what=f"port {port} is not {chassis}'s")


# ---- the chassis ----

def test_registers_and_makes_the_bridge(ground):
    h = ground.host(ovn_bridge_datapath_type="dummy", ovn_bridge_mappings="physnet1:br-eth0", ovn_cms_options="enable-chassis-as-gw")
    c = registered(ground)
    assert c["hostname"] == "hv1.example"
    b = h.bridge()
    assert b["fail_mode"] == "secure" and b["other_config"] == {"disable-in-band": "true"} and b["datapath_type"] == "dummy"
    assert "ovn-startup-ts" in eventually(lambda: h.bridge()["external_ids"])
    e = ground.central.one("Encap")
    assert (e["type"], e["ip"], e["chassis_name"], e["options"]) == ("geneve", "192.0.2.1", "hv1", {"csum": "true"})
    assert c["encaps"] == e["_uuid"]
    assert ground.central.one("Chassis_Private")["chassis"] == c["_uuid"]
    for where in ("other_config", "external_ids"):
        assert c[where]["ovn-bridge-mappings"] == "physnet1:br-eth0" and c[where]["ovn-cms-options"] == "enable-chassis-as-gw"
    assert c["other_config"]["port-up-notif"] == "true" and "geneve" in c["other_config"]["iface-types"]
    assert c["other_config"]["datapath-type"] == "dummy"
    assert h.appctl("connection-status").strip() == "connected"


def test_follows_the_configuration_and_keeps_what_others_wrote(ground):
    h = ground.host()
    c = registered(ground)
    ground.central.db.transact({"op": "mutate", "table": "Chassis", "where": [],
                                "mutations": [["external_ids", "insert", omap({"cms": "x"})], ["other_config", "insert", omap({"y": "z"})]]})
    h.set(ovn_bridge_mappings="p:br-p", ovn_encap_ip="192.0.2.1,192.0.2.9", hostname="other", ovn_transport_zones="a, b")
    now = lambda: ground.central.one("Chassis")
    eventually(lambda: now()["other_config"]["ovn-bridge-mappings"] == "p:br-p" and now()["hostname"] == "other")
    eventually(lambda: sorted(now()["transport_zones"]) == ["a", "b"])
    assert now()["external_ids"]["cms"] == "x" and now()["other_config"]["y"] == "z"
    assert sorted(e["ip"] for e in ground.central.db.select("Encap")) == ["192.0.2.1", "192.0.2.9"]
    h.set(ovn_encap_ip="192.0.2.9", ovn_bridge_mappings=None, ovn_encap_csum="false", ovn_limit_lflow_cache="7")
    eventually(lambda: [e["ip"] for e in ground.central.db.select("Encap")] == ["192.0.2.9"])
    eventually(lambda: ground.central.one("Encap")["options"] == {"csum": "false"})
    eventually(lambda: now()["other_config"].get("ovn-limit-lflow-cache") == "7")
    assert now()["other_config"]["ovn-bridge-mappings"] == "" and now()["_uuid"] == c["_uuid"]
    h.set(ovn_limit_lflow_cache=None)
    eventually(lambda: "ovn-limit-lflow-cache" not in now()["other_config"])
    assert h.complaints() == []


@pytest.mark.parametrize("how", ["option", "file"])
def test_name_precedence_and_suffixed_keys(ground, how):
    h = ground.host(controller=False, **{"ovn_encap_ip_me": "192.0.2.77", "ovn_bridge_me": "br-me", "ovn_encap_ip_hv1": "192.0.2.66"})
    (h.dir / "etc/system-id-override").write_text("me\n" if how == "file" else "not-me\n")
    h.start_controller(*(["-n", "me"] if how == "option" else []))
    registered(ground, "me")
    assert ground.central.one("Encap")["ip"] == "192.0.2.77" and h.bridge("br-me") and not h.bridge("br-int")


def test_never_changes_the_type_of_a_bridge_that_is_there(ground):
    h = ground.host(controller=False, ovn_bridge_datapath_type="netdev")
    h.vsctl("add-br", "br-int")
    h.start_controller()
    registered(ground)
    stays(lambda: h.bridge()["datapath_type"] == "" and not h.bridge()["fail_mode"], 0.3)


def test_deleted_rows_come_back(ground):
    h = ground.host()
    c = registered(ground)
    port = ground.central.port(ground.central.datapath(), "vm1")
    h.plug("vif1", "vm1")
    owner(ground, "vm1", "hv1")
    ground.central.db.transact({"op": "delete", "table": "Chassis", "where": []}, {"op": "delete", "table": "Chassis_Private", "where": []})
    eventually(lambda: ground.central.one("Chassis") and ground.central.one("Chassis")["_version"] != c["_version"])
    owner(ground, "vm1", "hv1")
    assert port
    h.vsctl("--no-wait", "del-br", "br-int")
    eventually(lambda: h.bridge())


def test_an_encap_of_another_chassis_is_respected(ground):
    ground.central.chassis("old-name", "192.0.2.1")
    h = ground.host()
    eventually(lambda: "belongs to chassis old-name" in h.log())
    stays(lambda: ground.central.one("Encap")["chassis_name"] == "old-name" and not ground.central.one("Chassis", name="hv1"), 0.5)
    assert len(h.complaints()) < 6
    ground.central.db.transact({"op": "delete", "table": "Chassis", "where": []})
    registered(ground)


def test_one_name_on_two_hosts_is_told_and_does_not_storm(ground):
    a = ground.host("one", "192.0.2.1", system_id="same")
    registered(ground, "same")
    ground.central.port(ground.central.datapath(), "vm1")
    a.plug("vif1", "vm1")
    owner(ground, "vm1", "same")
    b = ground.host("two", "192.0.2.2", system_id="same")
    eventually(lambda: any("does another host" in l for l in a.complaints() + b.complaints()), what="nobody says anything")
    versions = set()
    end = time.monotonic() + 2
    while time.monotonic() < end:
        versions |= set(ground.central.versions().items())
        time.sleep(0.005)
    assert len(versions) < 25, f"{len(versions)} rewrites in 2 seconds"
    b.kill("controller", 15)
    eventually(lambda: ground.central.one("Encap")["ip"] == "192.0.2.1", 40)


# ---- ports ----

def test_claims_and_releases(ground):
    h = ground.host()
    registered(ground)
    dp = ground.central.datapath()
    ground.central.port(dp, "vm1")
    ground.central.port(dp, "vm2")
    ground.central.port(dp, "local", type="localport")
    h.plug("vif1", "vm1")
    owner(ground, "vm1", "hv1")
    eventually(lambda: h.installed("vif1"))
    assert abs(int(h.interface("vif1")["external_ids"]["ovn-installed-ts"]) - time.time() * 1000) < 10000
    h.plug("vifl", "local")
    h.plug("vifx", "nobody-knows")
    eventually(lambda: "local" in h.appctl("debug/dump-local-bindings"))
    stays(lambda: ground.central.binding("local") == (None, False), 0.2)
    assert not h.installed("vifx")
    assert h.appctl("ct-zone-list").split()[0::2] == ["local", "vm1"]
    # The interface becomes another port, then nothing, then goes.
    h.vsctl("--no-wait", "set", "Interface", "vif1", "external_ids:iface-id=vm2")
    owner(ground, "vm2", "hv1")
    owner(ground, "vm1", None, False)
    eventually(lambda: h.installed("vif1"))
    h.vsctl("--no-wait", "remove", "Interface", "vif1", "external_ids", "iface-id")
    owner(ground, "vm2", None, False)
    eventually(lambda: "ovn-installed" not in str(h.interface("vif1")["external_ids"]))
    h.plug("vif2", "vm1")
    owner(ground, "vm1", "hv1")
    h.unplug("vif2")
    owner(ground, "vm1", None, False)
    # A port that appears after its interface, and one that is deleted under it.
    ground.central.port(dp, "nobody-knows")
    owner(ground, "nobody-knows", "hv1")
    eventually(lambda: h.installed("vifx"))
    ground.central.db.transact({"op": "delete", "table": "Port_Binding", "where": [["logical_port", "==", "nobody-knows"]]})
    eventually(lambda: not h.installed("vifx"))
    assert h.complaints() == []


def test_an_interface_without_device_is_none(ground):
    h = ground.host()
    registered(ground)
    ground.central.port(ground.central.datapath(), "vm1")
    h.vsctl("--no-wait", "add-port", "br-int", "broken", "--", "set", "Interface", "broken", "type=nonsense", "external_ids:iface-id=vm1")
    stays(lambda: ground.central.binding("vm1") == (None, False))


def test_two_interfaces_for_one_port(ground):
    h = ground.host()
    registered(ground)
    ground.central.port(ground.central.datapath(), "vm1")
    h.plug("b", "vm1")
    owner(ground, "vm1", "hv1")
    h.plug("a", "vm1")
    eventually(lambda: "interface name: [a]" in h.appctl("debug/dump-local-bindings"))
    assert any("both have iface-id vm1" in l for l in h.complaints())
    eventually(lambda: h.installed("a") and not h.installed("b"))
    h.unplug("a")
    eventually(lambda: h.installed("b") and "interface name: [b]" in h.appctl("debug/dump-local-bindings"))
    owner(ground, "vm1", "hv1")


def test_requested_chassis_and_version(ground):
    h = ground.host()
    registered(ground)
    dp = ground.central.datapath()
    for name, options in {"else": {"requested-chassis": "hv2"}, "name": {"requested-chassis": "hv1,hv2"},
                          "host": {"requested-chassis": "hv1.example"}, "second": {"requested-chassis": "hv2,hv1"},
                          "v1": {"iface-id-ver": "1"}, "v2": {"iface-id-ver": "2"}, "any": {"requested-chassis": ""}}.items():
        ground.central.port(dp, name, options=omap(options))
        h.plug("if-" + name, name, **({"iface_id_ver": "1"} if name[0] == "v" else {}))
    for name in ("name", "host", "v1", "any"):
        owner(ground, name, "hv1")
    stays(lambda: all(ground.central.binding(n) == (None, False) for n in ("else", "second", "v2")), 0.3)
    where = [["logical_port", "==", "name"]]
    ground.central.update("Port_Binding", where, options=omap({"requested-chassis": "hv2"}))
    owner(ground, "name", None, False)
    eventually(lambda: not h.installed("if-name"))
    ground.central.update("Port_Binding", where, options=omap({}))
    owner(ground, "name", "hv1")
    assert h.complaints() == []


def test_the_last_who_came_has_the_port(ground):
    a, b = ground.host("hv1", "192.0.2.1"), ground.host("hv2", "192.0.2.2")
    registered(ground, "hv1"), registered(ground, "hv2")
    ground.central.port(ground.central.datapath(), "vm1")
    a.plug("vif1", "vm1")
    owner(ground, "vm1", "hv1")
    b.plug("vif1", "vm1")
    owner(ground, "vm1", "hv2")
    eventually(lambda: b.installed("vif1") and not a.installed("vif1"))
    version = ground.central.one("Port_Binding")["_version"]
    stays(lambda: ground.central.one("Port_Binding")["_version"] == version)      # Nobody writes any more.
    a.unplug("vif1")
    stays(lambda: ground.central.binding("vm1") == ("hv2", True), 0.3)
    a.plug("vif1", "vm1")
    owner(ground, "vm1", "hv1")
    a.unplug("vif1")
    owner(ground, "vm1", "hv2")                  # It is nobody's, and its interface is still there.
    assert a.complaints() == [] and b.complaints() == []


def test_encap_of_an_interface(ground):
    h = ground.host(ovn_encap_ip="192.0.2.1,192.0.2.2", ovn_encap_ip_default="192.0.2.2")
    registered(ground)
    ground.central.port(ground.central.datapath(), "vm1")
    h.plug("vif1", "vm1", encap_ip="192.0.2.2")
    owner(ground, "vm1", "hv1")
    encap = ground.central.one("Encap", ip="192.0.2.2")
    assert encap["options"] == {"csum": "true", "is_default": "true"}
    eventually(lambda: ground.central.one("Port_Binding")["encap"] == encap["_uuid"])
    h.vsctl("--no-wait", "remove", "Interface", "vif1", "external_ids", "encap-ip")
    eventually(lambda: ground.central.one("Port_Binding")["encap"] == [])


def test_containers_follow_their_parent(ground):
    vms, pods = ground.central.datapath("vms"), ground.central.datapath("pods")
    ground.central.port(vms, "vm1")
    ground.central.port(pods, "pod1", parent_port="vm1", tag=41)
    ground.central.port(pods, "pod2", parent_port="vm1", tag=42)
    ground.central.port(pods, "untagged", parent_port="vm1")
    ground.central.port(pods, "nested", parent_port="pod1", tag=43)
    ground.central.port(pods, "astray", parent_port="nobody-knows", tag=44)
    a, b = ground.host("hv1", "192.0.2.1"), ground.host("hv2", "192.0.2.2")
    registered(ground, "hv1"), registered(ground, "hv2")
    a.plug("vif1", "vm1")
    for port in ("vm1", "pod1", "pod2"):
        owner(ground, port, "hv1")
    assert sorted(a.appctl("ct-zone-list").split()[0::2]) == ["pod1", "pod2", "vm1"]
    stays(lambda: [ground.central.binding(p) for p in ("untagged", "nested", "astray")] == [(None, False)] * 3, 0.3)
    # A new one; one that is deleted; the machine moves, and all that is in it.
    ground.central.port(pods, "pod3", parent_port="vm1", tag=45)
    owner(ground, "pod3", "hv1")
    ground.central.db.transact({"op": "delete", "table": "Port_Binding", "where": [["logical_port", "==", "pod2"]]})
    b.plug("vif1", "vm1")
    for port in ("vm1", "pod1", "pod3"):
        owner(ground, port, "hv2")
    a.unplug("vif1")
    stays(lambda: ground.central.binding("pod1") == ("hv2", True), 0.3)
    b.unplug("vif1")
    for port in ("vm1", "pod1", "pod3"):
        owner(ground, port, None, False)
    assert all("VLAN" in l or "waits" in l for l in a.complaints()), a.complaints()


# ---- what is monitored ----

def units(h, name):
    return next(int(l.split()[1]) for l in h.appctl("inc-engine/show-stats").splitlines() if l.split()[:1] == [name])


def runs(h, name):
    return next(int(l.split()[2]) for l in h.appctl("inc-engine/show-stats").splitlines() if l.split()[:1] == [name])


@pytest.mark.parametrize("everything", ["false", "true"])
def test_monitors_what_it_needs(ground, everything):
    near, far = ground.central.datapath("near"), ground.central.datapath("far")
    for i in range(5):
        ground.central.port(near, f"near{i}")
        ground.central.port(far, f"far{i}")
    h = ground.host(ovn_monitor_all=everything)
    registered(ground)
    h.plug("vif1", "near0")
    owner(ground, "near0", "hv1")
    eventually(lambda: units(h, "binding") == (10 if everything == "true" else 5))
    h.plug("vif2", "far1")
    owner(ground, "far1", "hv1")
    eventually(lambda: units(h, "binding") == 10)
    h.unplug("vif1")
    eventually(lambda: units(h, "binding") == (10 if everything == "true" else 5))
    assert ground.central.one("Chassis")["other_config"]["ovn-monitor-all"] == everything


def test_what_a_port_needs_is_there_before_the_switch_has_made_it(ground):
    """A switch with many ports takes long to make another one: meanwhile its datapath is fetched, and nothing more."""
    datapath = ground.central.datapath()
    for i in range(5):
        ground.central.port(datapath, f"vm{i}")
    h = ground.host()
    registered(ground)
    process.send_signal(*h.pids["vswitchd"], signal.SIGSTOP)
    try:
        h.plug("vif1", "vm1")
        eventually(lambda: units(h, "binding") == 5)
        assert ground.central.binding("vm1") == (None, False), "claimed, and there is no port"
    finally:
        process.send_signal(*h.pids["vswitchd"], signal.SIGCONT)
    owner(ground, "vm1", "hv1")
    h.plug("vif2", "vm2")
    owner(ground, "vm2", "hv1")
    before = runs(h, "zone-rows"), runs(h, "zone")
    h.plug("vif3", "vm3")
    owner(ground, "vm3", "hv1")
    eventually(lambda: "ct-zone-vm3" in h.bridge()["external_ids"])
    assert runs(h, "zone-rows") - before[0] <= 2, "a zone more costs a bucket"


# ---- tunnels ----

def test_tunnels_come_change_and_go(ground):
    h = ground.host(ovn_encap_type="geneve,vxlan", ovn_encap_tos="inherit")
    registered(ground)
    ground.central.chassis("hypervisor-2", "192.0.2.2")
    ground.central.chassis("hypervisor-3", "192.0.2.3", "vxlan", {"csum": "false", "dst_port": "4790"})
    ground.central.chassis("zoned", "192.0.2.4", transport_zones="west")
    eventually(lambda: len(h.tunnels()) == 2)
    name, kind, options = h.tunnels()["hypervisor-2@192.0.2.2"]
    assert name.startswith("ovn-hyperv-") and len(name) <= 15
    assert (kind, options) == ("geneve", {"remote_ip": "192.0.2.2", "key": "flow", "csum": "true", "tos": "inherit"})
    name3, kind, options = h.tunnels()["hypervisor-3@192.0.2.3"]
    assert name3 != name and kind == "vxlan" and options["dst_port"] == "4790" and options["csum"] == "false"
    h.vsctl("--no-wait", "set", "Open_vSwitch", ".", "external_ids:ovn-encap-df_default=false")
    eventually(lambda: h.tunnels()["hypervisor-2@192.0.2.2"][2].get("df_default") == "false")
    h.set(ovn_transport_zones="east,west")
    eventually(lambda: set(h.tunnels()) == {"zoned@192.0.2.4"})
    h.set(ovn_transport_zones=None)
    eventually(lambda: len(h.tunnels()) == 2 and "zoned@192.0.2.4" not in h.tunnels())
    ground.central.db.transact({"op": "delete", "table": "Chassis", "where": [["name", "==", "hypervisor-2"]]})
    eventually(lambda: set(h.tunnels()) == {"hypervisor-3@192.0.2.3"})
    assert h.complaints() == []


def test_tunnels_of_several_addresses_and_foreign_names(ground):
    h = ground.host(controller=False, ovn_encap_ip="192.0.2.1,192.0.2.9")
    h.vsctl("add-br", "br-else", "--", "add-port", "br-else", "ovn-hv2-0", "--", "set", "Interface", "ovn-hv2-0", "type=dummy")
    h.start_controller()
    registered(ground)
    ground.central.chassis("hv2", "192.0.2.2")
    eventually(lambda: set(h.tunnels()) == {"hv2@192.0.2.2%192.0.2.1", "hv2@192.0.2.2%192.0.2.9"})
    assert {t[2]["local_ip"] for t in h.tunnels().values()} == {"192.0.2.1", "192.0.2.9"}
    h.set(ovn_encap_ip="192.0.2.1")
    eventually(lambda: set(h.tunnels()) == {"hv2@192.0.2.2%192.0.2.1"})
    eventually(lambda: "local_ip" not in h.tunnels()["hv2@192.0.2.2%192.0.2.1"][2])


# ---- how far ----

def test_reports_nb_cfg(ground):
    h = ground.host()
    registered(ground)
    reported = lambda: ground.central.one("Chassis_Private")["nb_cfg"]
    ground.central.update("SB_Global", [], nb_cfg=3)
    eventually(lambda: reported() == 3)
    assert abs(ground.central.one("Chassis_Private")["nb_cfg_timestamp"] - time.time() * 1000) < 10000
    eventually(lambda: h.bridge()["external_ids"]["ovn-nb-cfg"] == "3" and "ovn-nb-cfg-ts" in h.bridge()["external_ids"])
    h.appctl("debug/delay-nb-cfg-report", "1")
    ground.central.update("SB_Global", [], nb_cfg=4)
    stays(lambda: reported() == 3, 0.7)
    eventually(lambda: reported() == 4)
    h.appctl("debug/delay-nb-cfg-report", "0")
    ground.central.update("SB_Global", [], nb_cfg=5, options=omap({"enable_chassis_nb_cfg_update": "false"}))
    eventually(lambda: h.bridge()["external_ids"]["ovn-nb-cfg"] == "5")
    assert reported() == 4
    # Nothing is installed while the switch is away, so nothing is reported.
    ground.central.update("SB_Global", [], options=omap({}))
    eventually(lambda: reported() == 5)
    h.kill("vswitchd")
    time.sleep(0.2)
    ground.central.update("SB_Global", [], nb_cfg=6)
    stays(lambda: reported() == 5, 0.5)


def test_pause(ground):
    h = ground.host()
    registered(ground)
    assert h.appctl("debug/status").strip() == "running"
    h.appctl("debug/pause")
    assert h.appctl("debug/status").strip() == "paused"
    ground.central.update("SB_Global", [], nb_cfg=3)
    stays(lambda: ground.central.one("Chassis_Private")["nb_cfg"] == 0, 0.3)
    h.appctl("debug/resume")
    eventually(lambda: ground.central.one("Chassis_Private")["nb_cfg"] == 3)


# ---- ends and beginnings ----

def running_host(ground):
    h = ground.host()
    registered(ground)
    ground.central.chassis("hv2", "192.0.2.2")
    dp = ground.central.datapath()
    for i in range(3):
        ground.central.port(dp, f"vm{i}")
        h.plug(f"vif{i}", f"vm{i}")
        owner(ground, f"vm{i}", "hv1")
        eventually(lambda: h.installed(f"vif{i}"))
    eventually(lambda: len(h.tunnels()) == 1)
    ground.central.update("SB_Global", [], nb_cfg=7)
    eventually(lambda: ground.central.one("Chassis_Private")["nb_cfg"] == 7 and h.bridge()["external_ids"].get("ovn-nb-cfg") == "7")
    return h


@pytest.mark.parametrize("how", ["restart", "sigterm", "kill"])
def test_a_restart_writes_nothing(ground, how):
    h = running_host(ground)
    zones, before = h.appctl("ct-zone-list"), (h.versions(), ground.central.versions())
    if how == "restart":
        h.appctl("exit", "--restart")
        eventually(lambda: not h.running())
    else:
        h.kill("controller", 15 if how == "sigterm" else 9)
    assert (h.versions(), ground.central.versions()) == before
    h.start_controller()
    eventually(lambda: h.appctl("ct-zone-list") == zones)
    stays(lambda: (h.versions(), ground.central.versions()) == before, 0.5)
    assert h.complaints() == []


def test_what_changed_while_it_was_away(ground):
    h = running_host(ground)
    h.kill("controller")
    h.unplug("vif0")
    h.vsctl("--no-wait", "set", "Interface", "vif1", "external_ids:iface-id=new")
    ground.central.port(ground.central.db.select("Datapath_Binding")[0]["_uuid"], "new")
    ground.central.db.transact({"op": "delete", "table": "Chassis", "where": [["name", "==", "hv2"]]})
    h.start_controller()
    owner(ground, "vm0", None, False)
    owner(ground, "vm1", None, False)
    owner(ground, "new", "hv1")
    owner(ground, "vm2", "hv1")
    eventually(lambda: h.tunnels() == {})
    eventually(lambda: sorted(k for k in h.bridge()["external_ids"] if k.startswith("ct-zone-")) == ["ct-zone-new", "ct-zone-vm2"])


def test_exit_leaves_nothing(ground):
    h = running_host(ground)
    h.appctl("exit")
    eventually(lambda: not h.running())
    assert not ground.central.one("Chassis", name="hv1") and not ground.central.one("Chassis_Private", name="hv1")
    assert [e["chassis_name"] for e in ground.central.db.select("Encap")] == ["hv2"]
    assert [ground.central.binding(f"vm{i}") for i in range(3)] == [(None, False)] * 3
    assert h.tunnels() == {} and h.bridge() and not h.installed("vif0")
    assert h.complaints() == []


def test_exit_without_cleanup_and_with_everything_away(ground):
    h = running_host(ground)
    h.set(ovn_cleanup_on_exit="false")
    before = h.versions(), ground.central.versions()
    h.appctl("exit")
    eventually(lambda: not h.running())
    assert (h.versions(), ground.central.versions()) == before
    h.set(ovn_cleanup_on_exit=None)
    h.start_controller()
    eventually(lambda: h.appctl("connection-status").strip() == "connected")
    ground.central.kill("sb")
    h.kill("vswitchd")
    h.appctl("exit")
    eventually(lambda: not h.running())


def test_databases_that_come_back(ground):
    h = running_host(ground)
    ground.central.kill("sb")
    eventually(lambda: h.appctl("connection-status").strip() == "not connected")
    h.unplug("vif0")
    time.sleep(0.2)
    ground.central.start_server()
    owner(ground, "vm0", None, False)
    h.kill("ovsdb")
    h.start_ovsdb()
    h.plug("vif9", "vm0")
    owner(ground, "vm0", "hv1")


def test_says_once_what_it_waits_for(ground):
    """An Open vSwitch that nobody has configured: one line for each thing that is missing, and none that is a warning."""
    h = ground.host(controller=False)
    needed = ("system-id", "ovn-remote", "ovn-encap-type", "ovn-encap-ip")
    given = {k.replace("-", "_"): h.db.select("Open_vSwitch")[0]["external_ids"][k] for k in needed}
    h.set(**dict.fromkeys(given))
    h.start_controller()
    said = lambda: [l.split("external_ids:")[1].split()[0] for l in h.log().splitlines() if "it is not set, waiting" in l]
    for i, (key, value) in enumerate(given.items()):
        eventually(lambda: said() == list(needed[:i + 1]), what=f"does not ask for {key}, or says more")
        h.set(unrelated=key)
        h.set(**{key: value})
    registered(ground)
    assert said() == list(needed) and h.complaints() == []


def test_waits_for_a_southbound_database(ground):
    ground.central.kill("sb")
    h = ground.host()
    stays(lambda: h.running(), 0.3)
    assert h.appctl("connection-status").strip() == "not connected"
    ground.central.start_server()
    registered(ground)

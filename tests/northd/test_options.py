"""What NB_Global.options and the Encap rows make ovn-northd do: keys for VXLAN, probes, pauses, what is copied and what is drawn."""
import os
import re
import signal

import pytest

from ground import Ground, a_map, eventually


@pytest.fixture
def own():
    g = Ground().up()
    yield g
    g.down()


def datapath_keys(g):
    return {r["external_ids"]["name"]: r["tunnel_key"] for r in g.sb.select("Datapath_Binding")}


def port_keys(g):
    return {r["logical_port"]: r["tunnel_key"] for r in g.sb.select("Port_Binding")}


def encap(g, chassis, kind, ip):
    g.sb.transact({"op": "insert", "table": "Encap", "uuid-name": "e", "row": {"type": kind, "ip": ip, "chassis_name": chassis}},
                  {"op": "insert", "table": "Chassis", "row": {"name": chassis, "encaps": ["named-uuid", "e"]}})


def test_keys_for_vxlan(own):
    """As soon as a chassis has a VXLAN encap: what was given stays, what is new fits into 12 bits, and requests that do not are named."""
    max_key = lambda: own.nb_global()["options"]["max_tunid"]
    asks = lambda key: a_map({"requested-tnl-key": str(key)})
    own.switch("old", [{"name": "p", "options": asks(3000)}, {"name": "q"}], other_config=asks(5000))
    own.sync()
    assert max_key() == "16711680" and datapath_keys(own)["old"] == 5000 and port_keys(own) == {"p": 3000, "q": port_keys(own)["q"]}
    q = port_keys(own)["q"]
    encap(own, "c1", "geneve", "192.0.2.1")
    own.sync()
    assert max_key() == "16711680"
    encap(own, "c2", "vxlan", "192.0.2.2")
    own.sync()
    eventually(lambda: max_key() == "4095")
    assert own.sb.select("SB_Global")[0]["options"]["max_tunid"] == "4095"
    assert datapath_keys(own)["old"] == 5000 and port_keys(own) == {"p": 3000, "q": q}, "what is in use is not taken away"
    own.switch("new", [{"name": "r", "options": asks(2048)}, {"name": "t", "options": asks(2047)}], other_config=asks(6000))
    own.switch("fits", other_config=asks(4095))
    own.sync()
    assert datapath_keys(own)["new"] < 4096 and datapath_keys(own)["fits"] == 4095
    assert port_keys(own)["r"] < 2048 and port_keys(own)["t"] == 2047
    said = "\n".join(own.northd.complaints())
    assert "switch new: the requested tunnel key 6000 does not fit into VXLAN (4095 at most)" in said
    assert "port r: the requested tunnel key 2048 does not fit into VXLAN (2047 at most)" in said
    own.verify()
    # The CMS says that VXLAN is for other things: the requests are met.
    own.option("vxlan_mode", "false")
    own.sync()
    eventually(lambda: max_key() == "16711680")
    assert datapath_keys(own)["new"] == 6000 and port_keys(own)["r"] == 2048
    own.option("vxlan_mode", None)
    own.sync()
    eventually(lambda: max_key() == "4095")
    own.sb.transact({"op": "delete", "table": "Chassis", "where": [["name", "==", "c2"]]})
    own.sync()
    eventually(lambda: max_key() == "16711680")
    own.verify()


def test_keys_for_vxlan_run_out(own):
    """2,047 ports a switch; who got no key has one when there are more."""
    encap(own, "c", "vxlan", "192.0.2.2")
    own.switch("s", [{"name": f"p{i}"} for i in range(2050)])
    own.sync(30)
    assert len(port_keys(own)) == 2047 and max(port_keys(own).values()) == 2047
    assert any("no port key is left (1 to 2047)" in c for c in own.northd.complaints())
    own.option("vxlan_mode", "false")                      # And nothing else: those without a key ask again by themselves.
    eventually(lambda: len(port_keys(own)) == 2050, 20)
    own.sync()
    own.verify()


@pytest.mark.parametrize("kind", ["nb", "sb"])
def test_probe_interval(own, kind):
    """A database that hangs is noticed when the CMS asked for probes; over a Unix socket none are sent by default."""
    server = own.nb_server if kind == "nb" else own.sb_server
    status = lambda: own.northd.ask(f"{kind}-connection-status")
    own.option("northd_probe_interval", "10")             # Less than a second is a second.
    own.sync()
    os.kill(server.process.pid, signal.SIGSTOP)
    try:
        eventually(lambda: status() == "not connected\n", 10, "the hanging database is not noticed")
    finally:
        os.kill(server.process.pid, signal.SIGCONT)
    eventually(lambda: status() == "connected\n", 20)
    own.option("northd_probe_interval", "0")
    own.sync(20)


def test_time_can_be_warped(own):
    """debug/enable-timewarp: hours pass in no time, for those who test what happens after hours."""
    assert "not a valid command" in own.northd.ask("time/stop", check=False)
    own.northd.ask("debug/enable-timewarp")
    assert "invalid MSECS" in own.northd.ask("time/warp", "soon", check=False)
    own.option("northd_probe_interval", "3600000")
    own.sync()
    status = lambda: own.northd.ask("nb-connection-status").strip()
    warp = lambda ms: own.northd.ask("time/warp", str(ms), "1000") == "warped\n"
    assert own.northd.ask("time/stop") == ""
    os.kill(own.nb_server.process.pid, signal.SIGSTOP)
    try:
        assert status() == "connected" and warp(3600100)           # A probe is sent,
        eventually(lambda: warp(3600100) and status() == "not connected")      # and gets no answer.
    finally:
        os.kill(own.nb_server.process.pid, signal.SIGCONT)
    eventually(lambda: warp(100) and status() == "connected")      # Little by little: a connection that is being made must not be overtaken.
    own.sync()


def test_back_off(own):
    """With northd-backoff-interval-ms, changes that come just after a long run wait a moment and are then there."""
    postponed = lambda: int(own.northd.ask("coverage/read-counter", "northd_postponed"))
    own.switch("s", [{"name": f"p{i}", "addresses": f"0a:00:00:00:{i >> 8:02x}:{i & 255:02x}"} for i in range(3000)])
    own.sync(30)
    assert postponed() == 0
    own.option("northd-backoff-interval-ms", "2000")
    own.sync(30)

    def meets_a_pause():
        own.northd.ask("inc-engine/recompute")             # A long run,
        own.port("s", f"late{postponed()}{os.urandom(3).hex()}")       # and a change at once.
        return postponed() > 0

    eventually(meets_a_pause, 30, "no change is postponed")
    own.sync(30)
    assert len(port_keys(own)) == len(own.nb.select("Logical_Switch_Port")), "and none is lost"
    own.option("northd-backoff-interval-ms", None)
    own.sync(30)
    n = postponed()
    own.port("s", "prompt")
    own.sync(30)
    assert postponed() == n


def test_what_is_drawn_stays(own):
    """mac_prefix and svc_monitor_mac: drawn once, the CMS's own if it has one, in both databases, the same after restarts."""
    of_nb = lambda: own.nb_global()["options"]
    of_sb = lambda: own.sb.select("SB_Global")[0]["options"]
    own.sync()
    first = of_nb()
    assert re.fullmatch(r"[0-9a-f]{2}(:[0-9a-f]{2}){2}", first["mac_prefix"]) and int(first["mac_prefix"][:2], 16) & 3 == 2
    assert re.fullmatch(r"[0-9a-f]{2}(:[0-9a-f]{2}){5}", first["svc_monitor_mac"]) and int(first["svc_monitor_mac"][:2], 16) & 3 == 2
    assert re.fullmatch(r"[\w.]+-\d+\.\d+\.\d+-\d+\.\d+", first["northd_internal_version"])
    keys = ("max_tunid", "mac_prefix", "svc_monitor_mac", "northd_internal_version")
    eventually(lambda: all(of_sb().get(k) == first[k] for k in keys))
    for how in (own.northd.kill, own.northd.exit):
        how()
        own.northd.start()
        own.sync()
        assert of_nb() == first
    own.option("mac_prefix", "aa:bb:cc")
    own.option("max_tunid", "7")
    own.sync()
    eventually(lambda: of_nb()["max_tunid"] == "16711680", what="a read-only option is mended")
    assert of_nb()["mac_prefix"] == "aa:bb:cc"
    eventually(lambda: of_sb()["mac_prefix"] == "aa:bb:cc" and of_sb()["max_tunid"] == "16711680")
    own.nb.transact({"op": "update", "table": "NB_Global", "where": [], "row": {"ipsec": True}})
    own.option("ipsec_encapsulation", "true")
    own.sync()
    eventually(lambda: own.sb.select("SB_Global")[0]["ipsec"] is True and of_sb()["ipsec_encapsulation"] == "true")
    assert not own.northd.complaints()


def test_the_global_rows_come_back(own):
    own.switch("s")
    own.sync()
    for database, table in ((own.sb, "SB_Global"), (own.nb, "NB_Global")):
        database.transact({"op": "delete", "table": table, "where": []})
        eventually(lambda: database.select(table), what=f"northd makes a row in {table}")
        own.sync()
    assert own.nb_global()["options"]["mac_prefix"] and datapath_keys(own).keys() == {"s"}


def test_times_follow_each_other(own):
    """nb_cfg_timestamp <= sb_cfg_timestamp, and hv_cfg_timestamp is that of the last hypervisor."""
    import time
    own.chassis("hv1")
    own.chassis("hv2")
    before = time.time() * 1000
    n = own.sync()
    g = own.nb_global()
    assert before - 1 <= g["nb_cfg_timestamp"] <= g["sb_cfg_timestamp"] <= time.time() * 1000 + 1
    assert g["hv_cfg"] < n
    own.say_nb_cfg("hv1", n, g["sb_cfg_timestamp"] + 10)
    own.say_nb_cfg("hv2", n, g["sb_cfg_timestamp"] + 5)
    eventually(lambda: own.nb_global()["hv_cfg"] == n)
    eventually(lambda: own.nb_global()["hv_cfg_timestamp"] == g["sb_cfg_timestamp"] + 10)
    sb = own.sb.select("SB_Global")[0]
    assert (sb["nb_cfg"], sb["nb_cfg_timestamp"]) == (n, own.nb_global()["nb_cfg_timestamp"])

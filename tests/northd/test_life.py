"""The life of a northd: restarts, standbys, databases that go, come back empty, or are old; its control commands."""
import re
import signal
import subprocess
import time

import pytest

from ground import OLD_SCHEMAS, SCHEMAS, Ground, a_map, content, differences, eventually, from_scratch, stays, strings


@pytest.fixture
def own():
    """Databases and a northd for this test alone."""
    g = Ground().up()
    yield g
    g.down()


def some_network(g):
    g.switch("s", [{"name": "p", "addresses": "0a:00:00:00:00:01 10.0.0.1"}, {"name": "q", "addresses": "unknown"}])
    g.switch("t", [{"name": f"t{i}", "addresses": f"0a:00:00:00:01:{i:02x} 10.0.1.{i}"} for i in range(10)])
    g.sync()


def test_a_restart_writes_nothing(own):
    some_network(own)
    for i in range(3):                  # Keys with gaps, in another order than from scratch.
        own.remove_port(f"t{i}")
        own.port("s", f"new{i}")
    own.sync()
    own.chassis("hv1", nb_cfg=own.nb_global()["nb_cfg"], nb_cfg_timestamp=12345)
    eventually(lambda: own.nb_global()["hv_cfg_timestamp"] == 12345)
    time.sleep(0.1)
    before = own.nb_server.bytes("nb"), own.sb_server.bytes("sb")
    own.northd.kill()
    own.northd.start()
    eventually(lambda: own.northd.ask("status") == "Status: active\n")
    time.sleep(0.3)
    own.verify()
    assert own.nb_server.bytes("nb") == before[0], "northbound: " + repr(own.nb_server.bytes("nb")[len(before[0]):])
    assert own.sb_server.bytes("sb") == before[1], "southbound: " + repr(own.sb_server.bytes("sb")[len(before[1]):])
    own.sync()
    assert not own.northd.complaints()


def test_what_changed_meanwhile(own):
    some_network(own)
    own.northd.kill()
    own.remove_port("p")
    own.port("t", "new", addresses="0a:00:00:00:00:09 10.0.0.9")
    own.sb.transact({"op": "delete", "table": "Logical_Flow", "where": [["priority", "==", 50]]})
    own.northd.start()
    own.sync()
    assert differences(content(own.sb), from_scratch(own)) == []


def test_standby(own):
    some_network(own)
    standby = own.another("standby").start()
    eventually(lambda: standby.ask("status") == "Status: standby\n")
    before = own.sb_server.bytes("sb")
    own.northd.kill()
    start = time.monotonic()
    eventually(lambda: standby.ask("status") == "Status: active\n", 2)
    own.port("s", "late", addresses="0a:00:00:00:00:09")
    eventually(lambda: own.binding("late"), 2)
    assert time.monotonic() - start < 2
    assert b"Logical_DP_Group" not in own.sb_server.bytes("sb")[len(before):], "it goes on where the other was"
    # The first is back, as a standby; a pause hands over, and after both had it nothing differs.
    own.northd.start()
    eventually(lambda: own.northd.ask("status") == "Status: standby\n")
    cfg = own.sync()
    standby.ask("pause")
    assert standby.ask("is-paused").strip() == "true" and standby.ask("status") == "Status: paused\n"
    eventually(lambda: own.northd.ask("status") == "Status: active\n")
    own.remove_port("late")
    assert own.sync() == cfg + 1
    standby.ask("resume")
    assert standby.ask("is-paused").strip() == "false"
    eventually(lambda: standby.ask("status") == "Status: standby\n")
    own.northd.ask("pause")
    eventually(lambda: standby.ask("status") == "Status: active\n")
    own.port("t", "last")
    own.sync()
    assert differences(content(own.sb), from_scratch(own)) == []
    assert standby.ask("inc-engine/verify") == "0 differences\n"
    assert not own.northd.complaints() and not standby.complaints()


def test_sb_cfg_does_not_go_back(own):
    """A northd that is active again, with something to write, does not say the number it knew when it was last."""
    other = own.another("other").start()
    own.switch("s")
    own.sync()
    own.northd.ask("pause")
    eventually(lambda: other.ask("status") == "Status: active\n")
    for _ in range(3):
        n = own.sync()
    other.ask("pause")
    tail = len(own.nb_server.bytes("nb"))
    own.switch("t", [{"name": f"p{i}"} for i in range(50)])
    own.northd.ask("resume")
    eventually(lambda: own.binding("p49"))
    own.sync()
    said = [int(x) for x in re.findall(rb'"sb_cfg":(\d+)', own.nb_server.bytes("nb")[tail:])]
    assert said and min(said) >= n, (n, said)


def test_paused(own):
    own.northd.ask("pause")
    own.switch("s")
    time.sleep(0.2)
    assert not own.datapaths()
    own.northd.ask("resume")
    eventually(lambda: own.datapaths())
    paused = own.another("dry", "--dry-run").start()
    assert paused.ask("status") == "Status: paused\n"


def test_commands(own):
    assert own.northd.ask("nb-connection-status") == own.northd.ask("sb-connection-status") == "connected\n"
    for command in ("inc-engine/show-stats", "inc-engine/recompute", "inc-engine/clear-stats", "memory/show", "version",
                    "nb-cluster-state-reset", "sb-cluster-state-reset", "parallel-build/get-n-threads", "coverage/show"):
        own.northd.ask(command)
    own.sync()
    before = own.sb_server.bytes("sb")
    own.northd.ask("inc-engine/recompute")
    time.sleep(0.1)
    assert own.sb_server.bytes("sb") == before, "a recompute changes nothing"
    samples = lambda: int(re.search(r"'ovn-northd-loop'\n  Total samples: (\d+)", own.northd.ask("stopwatch/show"))[1])
    at = samples()
    own.sync()
    assert samples() > at, "the work of a change is timed"


def test_a_server_that_hangs(own):
    """northd_probe_interval says how soon a silent server is given up, also to a standby; without it that is no matter of seconds."""
    standby = own.another("standby").start()
    some_network(own)
    connections = lambda: {n.ask(f"{db}-connection-status").strip() for n in (own.northd, standby) for db in ("nb", "sb")}

    def hang(until):
        for server in own.nb_server, own.sb_server:
            server.process.send_signal(signal.SIGSTOP)
        try:
            until()
        finally:
            for server in own.nb_server, own.sb_server:
                server.process.send_signal(signal.SIGCONT)

    own.option("northd_probe_interval", "1")           # As good as the least, 1000.
    own.sync()
    start = time.monotonic()
    hang(lambda: eventually(lambda: connections() == {"not connected"}, 6))
    assert time.monotonic() - start > 1
    eventually(lambda: connections() == {"connected"})
    own.option("northd_probe_interval", None)
    own.sync()
    hang(lambda: stays(lambda: connections() == {"connected"}, 2.5))
    own.sync()
    # Both had lost the lock: which one has it now is a matter of chance.
    active = [n for n in (own.northd, standby) if n.ask("status").split()[-1] == "active"]
    assert [n.ask("inc-engine/verify").strip() for n in active] == ["0 differences"]


def test_the_southbound_database_comes_back_empty(own):
    some_network(own)
    before = content(own.sb)
    own.sb_server.stop()
    own.port("s", "meanwhile")
    own.remove_port("meanwhile")
    own.sb_server.create("sb")
    own.sb_server.start()
    eventually(lambda: content(own.sb) == before)
    own.sync()
    own.verify()


def test_databases_restart(own):
    some_network(own)
    for server in (own.sb_server, own.nb_server, own.sb_server):
        server.stop()
        time.sleep(0.05)
        server.start()
    own.port("s", "after")
    own.sync(20)
    assert differences(content(own.sb), from_scratch(own)) == []
    own.verify()


def test_changes_while_the_northbound_database_is_away(own):
    some_network(own)
    own.nb_server.stop()
    own.sb.transact({"op": "delete", "table": "Multicast_Group", "where": []})
    eventually(lambda: len(own.sb.select("Multicast_Group")) == 5, what="mended from what is known")
    own.nb_server.start()
    own.sync()
    assert differences(content(own.sb), from_scratch(own)) == []


def test_the_northbound_database_is_emptied(own):
    some_network(own)
    own.nb_server.stop()
    own.nb_server.create("nb")
    own.nb_server.start()
    eventually(lambda: not own.datapaths() and not own.sb.select("Port_Binding"))
    own.sync()
    some_network(own)
    assert own.binding("p")


def test_a_refused_row_keeps_no_other_out(own):
    """Somebody's row stands in the way of one datapath's key: all else is written, and it is when the row goes."""
    some_network(own)
    own.northd.kill()
    own.sb.transact(
        {"op": "insert", "table": "Datapath_Binding", "uuid-name": "d", "row": {"tunnel_key": 4000, "external_ids": a_map({"x": "y"})}},
        {"op": "insert", "table": "MAC_Binding", "row": {"logical_port": "x", "ip": "1.1.1.1", "datapath": ["named-uuid", "d"]}})
    own.northd.start()
    own.sync()
    assert own.sb.select("Datapath_Binding", [("tunnel_key", "==", 4000)]), "referred to by a row that is not ours"
    own.switch("blocked", [{"name": "b"}], other_config=a_map({"requested-tnl-key": "4000"}))
    own.switch("u", [{"name": f"u{i}", "addresses": f"0a:00:00:00:02:{i:02x} 10.0.2.{i}"} for i in range(30)])
    own.sync(20)
    assert own.group("u", "_MC_flood") == sorted(f"u{i}" for i in range(30))
    assert "blocked" not in own.datapaths().values()
    assert any("constraint violation" in c for c in own.northd.complaints())
    before = own.northd.cpu()
    time.sleep(0.5)
    assert own.northd.cpu() - before < 0.1, "no tight loop"
    own.port("u", "later")
    own.sync()
    assert "later" in own.group("u", "_MC_flood")
    own.sb.transact({"op": "delete", "table": "MAC_Binding", "where": []})
    own.set("Logical_Switch", "blocked", other_config=a_map({"requested-tnl-key": "4001"}))
    eventually(lambda: own.group("blocked", "_MC_flood") == ["b"] if "blocked" in own.datapaths().values() else False)


def test_keys_run_out_and_come_back(own):
    """More ports than keys; one that got none has one as soon as one is free."""
    g, n = own, 32768
    g.switch("s", [{"name": f"p{i}"} for i in range(n)])
    g.sync(60)
    bound = {r["logical_port"] for r in g.sb.select("Port_Binding", columns=["logical_port"])}
    assert len(bound) == n - 1 and any("no port key is left" in c for c in g.northd.complaints())
    without = next(f"p{i}" for i in range(n) if f"p{i}" not in bound)
    g.remove_port(next(iter(bound)))
    g.sync(10)
    assert g.binding(without)


def test_a_requested_key_is_had_when_it_is_free(own):
    uuids = own.switch("s", [{"name": n, "options": a_map({"requested-tnl-key": "55"})} for n in ("a", "b")])
    own.sync()
    key = lambda: {r["logical_port"]: r["tunnel_key"] for r in own.sb.select("Port_Binding")}
    has, other = sorted("ab", key=lambda n: key()[n] != 55)
    assert key()[has] == 55 and key()[other] != 55 and uuids
    own.set("Logical_Switch_Port", has, options=a_map({}))
    own.sync()
    assert key()[other] == 55 and key()[has] != 55


def old_ground():
    if not all(p.exists() for p in OLD_SCHEMAS.values()):
        pytest.skip("the peer's packages are not unpacked: tools/check-peer --unpack")
    return Ground(OLD_SCHEMAS)


def test_an_old_schema():
    """OVN 23.03's databases know 33 tables a pipeline: what they can hold is there, the rest is named."""
    g = old_ground()
    try:
        g.up()
        some_network(g)
        g.port("s", "new", addresses=strings(["0a:00:00:00:00:05 10.0.0.5", "unknown"]))
        g.sync()
        stages = {f["external_ids"]["stage-name"] for f in g.sb.select("Logical_Flow")}
        assert "ls_in_external_port" in stages and "ls_out_apply_port_sec" in stages
        assert not stages & {"ls_in_l2_lkup", "ls_in_l2_unknown"}
        assert g.group("s", "_MC_flood") == ["new", "p", "q"] and g.binding("new")["tunnel_key"]
        names = {r["name"] for r in g.sb.select("DHCPv6_Options")}
        assert "dns_server" in names and "fqdn" not in names
        complaints = g.northd.complaints()
        assert len(complaints) == 2, "\n".join(complaints)
        assert any("Logical_Flow" in c and "table_id" in c for c in complaints)
        size, cpu = len(g.sb_server.bytes("sb")), g.northd.cpu()
        time.sleep(0.5)
        assert len(g.sb_server.bytes("sb")) == size and g.northd.cpu() - cpu < 0.05, "no tight loop"
        g.verify()
        # The schema is upgraded under way: nothing is missing any more.
        subprocess.run(["ovsdb-client", "convert", f"unix:{g.sb_server.socket}", SCHEMAS["sb"]], check=True, timeout=20)
        eventually(lambda: "ls_in_l2_lkup" in {f["external_ids"]["stage-name"] for f in g.sb.select("Logical_Flow")})
        g.sync()
        assert "fqdn" in {r["name"] for r in g.sb.select("DHCPv6_Options")}
        g.verify()
    finally:
        g.down()



def test_memory_goes_back(own):
    """After a time without work (northd_trim_timeout) what is free is given back to the system."""
    if b"__asan_init" in open(f"/proc/{own.northd.process.pid}/exe", "rb").read():
        pytest.skip("a sanitized build keeps what is free, to watch it")

    def rss():
        return int(re.search(r"VmRSS:\s+(\d+)", open(f"/proc/{own.northd.process.pid}/status").read())[1])

    own.option("northd_trim_timeout", "3600000")
    own.switch("s", [{"name": f"p{i}", "addresses": f"0a:00:00:00:{i >> 8:02x}:{i & 255:02x}"} for i in range(5000)])
    own.sync(20)
    own.nb.transact({"op": "delete", "table": "Logical_Switch", "where": []})
    own.sync(20)
    before = rss()
    own.option("northd_trim_timeout", "50")
    own.switch("t")
    own.sync()
    eventually(lambda: rss() < before * 0.8, 3, f"less than 80% of {before} KB")

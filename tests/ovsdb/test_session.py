#!/usr/bin/env python3
"""test_session.py - the OVSDB client (src/ovsdb/) against real and misbehaving servers.

    SCHEMAS=build/schema tests/ovsdb/test_session.py build/tests/ovsdb/ovsdb-probe [NAME...]

Each test_* function gets a Ground (ground.py); several run at once. Prints a line a test; fails if one does.
"""
import concurrent.futures
import json
import os
import signal
import socket
import sys
import time
import traceback

sys.dont_write_bytecode = True
import ground  # noqa: E402
from ground import Fake, Ground, Proxy, ZERO, wait_until  # noqa: E402

A, B = "aaaaaaaa-1111-4111-8111-111111111111", "bbbbbbbb-1111-4111-8111-111111111111"
NB, SB = "OVN_Northbound", "OVN_Southbound"


def names(probe, table):
    return sorted(row["name"] for row in probe.rows(table).values())


# ---- content ----

def test_initial_content_and_differences_both_ways(g):
    server = g.server()
    outside = server.rpc()
    outside.insert(NB, "Logical_Switch", name="early", external_ids=["map", [["a", "1"], ["b", "2"]]])
    proxy = Proxy(g, server)
    c = g.client("nb", proxy)
    c.until(ready=1, connected=1)
    assert names(c, "Logical_Switch") == ["early"]

    status, seen, _, _ = c.commit(f'insert Logical_Switch_Port {B} {{"name": "p", "tag": 7}}',
                                  f'insert Logical_Switch {A} {{"name": "sw", "ports": ["uuid", "{B}"]}}',
                                  "comment made by a test")()
    assert (status, seen) == ("success", True)         # The replica has it when the answer is told.
    assert c.rows("Logical_Switch")[A]["ports"] == ["uuid", B] or c.rows("Logical_Switch")[A]["ports"] == ["set", [["uuid", B]]]

    # From outside, a difference of a large map: one element on the wire.
    outside.transact(NB, {"op": "update", "table": "Logical_Switch", "where": [["name", "==", "sw"]],
                          "row": {"external_ids": ["map", [[f"k{i:04}", "v" * 50] for i in range(1000)]]}})
    wait_until("the map is there", lambda: "k0999" in json.dumps(c.rows("Logical_Switch")[A]["external_ids"]))
    before = c.status()["rx"]
    outside.transact(NB, {"op": "mutate", "table": "Logical_Switch", "where": [["name", "==", "sw"]],
                          "mutations": [["external_ids", "insert", ["map", [["new", "x"]]]]]})
    wait_until("the new key", lambda: ["new", "x"] in c.rows("Logical_Switch")[A]["external_ids"][1])
    assert c.status()["rx"] - before < 400
    # And from us.
    proxy.seen.clear()
    done = c.commit(f'add Logical_Switch {A} external_ids ["map", [["ours", "y"]]]',
                    f"remove-key Logical_Switch {A} external_ids k0500",
                    f'remove Logical_Switch {A} external_ids ["map", [["k0501", "{"v" * 50}"]]]')
    assert done()[0] == "success"
    assert len(json.dumps(proxy.requests("transact")[0])) < 1000
    keys = [k for k, _ in c.rows("Logical_Switch")[A]["external_ids"][1]]
    assert "ours" in keys and "k0500" not in keys and "k0501" not in keys and len(keys) == 1000

    assert c.commit(f"delete Logical_Switch {A}")()[0] == "success"
    assert names(c, "Logical_Switch") == ["early"]
    assert c.count("Logical_Switch_Port") == 0         # Garbage-collected by the server.
    c.send("quit")
    assert c.process.wait(5) == 0


def test_transaction_outcomes(g):
    server = g.server()
    outside = server.rpc()
    hold = []

    def hook(proxy, m, to_server):
        return None if hold and m.get("method") == "update3" and "NB_Global" in json.dumps(m) else m

    c = g.client("nb", Proxy(g, server, hook=hook))
    c.until(connected=1)
    u = outside.insert(NB, "NB_Global", nb_cfg=5)
    wait_until("the row", lambda: c.count("NB_Global"))
    assert c.commit(f"increment NB_Global {u} nb_cfg 3")() == ("success", False, 8, "")
    # A verified value that is as the replica shows it, even if this transaction changes it.
    assert c.commit(f'update NB_Global {u} {{"nb_cfg": 20}}', f"verify NB_Global {u} nb_cfg")()[0] == "success"
    hold.append(1)
    outside.transact(NB, {"op": "update", "table": "NB_Global", "where": [], "row": {"nb_cfg": 30}})
    status, _, _, error = c.commit(f"verify NB_Global {u} nb_cfg", f'update NB_Global {u} {{"nb_cfg": 21}}')()
    assert status == "conflict" and error.startswith("timed out"), error
    assert outside.transact(NB, {"op": "select", "table": "NB_Global", "where": []})[0]["rows"][0]["nb_cfg"] == 30
    assert c.commit(f'insert Logical_Switch {A} {{"name": "x"}}')()[0] == "success"
    assert c.commit(f'insert Logical_Switch {A} {{"name": "y"}}')()[0] == "conflict"
    status, _, _, error = c.commit('raw {"op":"insert","table":"NB_Global","row":{}}')()
    assert status == "error" and error.startswith("constraint violation: "), error
    status, _, _, error = c.commit('raw {"op":"nonsense"}')()
    assert status == "error" and error
    assert c.commit("comment nothing else")()[0] == "success"
    # Canceled: it happens, nobody is told.
    c.send(f'insert Logical_Switch {B} {{"name": "quiet"}}')
    n = int(c.ask("commit cancel").split()[1])
    wait_until("it happened", lambda: B in c.rows("Logical_Switch"))
    assert n not in c.results and c.status()["pending"] == 0


def test_lost_and_waiting(g):
    server = g.server()
    behaviour = {}

    def hook(proxy, m, to_server):
        if m.get("method") == "transact" and behaviour.get("cut"):
            return OSError()
        return m

    proxy = Proxy(g, server, hook=hook)
    c = g.client("nb", proxy)
    # Committed before the connection: waits, is sent.
    first = c.commit(f'insert Logical_Switch {A} {{"name": "first"}}')
    assert first()[:2] == ("success", True)
    behaviour["cut"] = True
    status, _, _, error = c.commit(f'insert Logical_Switch {B} {{"name": "second"}}')()
    assert status == "lost" and "connection" in error
    behaviour.clear()
    c.until(connected=1)
    time.sleep(0.2)
    assert len(proxy.requests("transact")) == 2        # Not sent again.
    assert names(c, "Logical_Switch") == ["first"]
    # Server gone: waits for its return.
    server.kill()
    c.until(connected=0)
    waiting = c.commit(f'insert Logical_Switch {B} {{"name": "second"}}')
    time.sleep(0.2)
    assert c.status()["pending"] == 1
    server.start()
    assert waiting()[:2] == ("success", True)


def test_used_columns_only_and_more_later(g):
    server = g.server()
    server.rpc().insert(NB, "Logical_Switch", name="a", other_config=["map", [["k", "v"]]])
    c = g.client("nb", server, use=())
    c.send("use Logical_Switch name")
    c.until(connected=1)
    wait_until("its content", lambda: list(c.rows("Logical_Switch").values()) == [{"name": "a"}])
    c.changes()
    c.send("use Logical_Switch other_config")
    c.send("use NB_Global")
    wait_until("the column", lambda: list(c.rows("Logical_Switch").values())
               == [{"name": "a", "other_config": ["map", [["k", "v"]]]}])
    assert c.changes() == 1
    server.rpc().insert(NB, "NB_Global")
    wait_until("the table", lambda: c.count("NB_Global") == 1)
    assert c.commit(f'insert Logical_Switch {A} {{"name": "b"}}')()[:2] == ("success", True)
    assert c.count("Logical_Switch") == 2


# ---- reconnecting ----

def test_restart_of_a_standalone_server(g):
    server = g.server()
    rpc = server.rpc()
    for i in range(50):
        rpc.insert(NB, "Logical_Switch", name=f"sw{i}")
    c = g.client("nb", server)
    c.until(connected=1)
    assert c.count("Logical_Switch") == 50 and c.changes() == 50
    server.kill()
    c.until(connected=0, ready=1, error="unix:")
    assert c.count("Logical_Switch") == 50             # The rows stay.
    server.start()
    rpc = server.rpc()
    rpc.insert(NB, "Logical_Switch", name="new")
    rpc.transact(NB, {"op": "delete", "table": "Logical_Switch", "where": [["name", "==", "sw7"]]})
    c.until(connected=1)
    assert c.count("Logical_Switch") == 50
    assert c.changes() == 2                            # Only what is different.
    assert not any("WARN" in line or "|ERR|" in line for line in c.log), c.log


def test_resume_from_the_last_transaction(g):
    server = g.server("sb", cluster="new")
    rpc = server.rpc()
    wait_until("the cluster", lambda: "leader" in server.appctl("cluster/status", SB))
    for i in range(200):
        rpc.insert(SB, "FDB", mac=f"mac{i}", dp_key=i + 1, port_key=1)
    proxy = Proxy(g, server)
    c = g.client("sb", proxy)
    c.until(connected=1)
    assert c.count("FDB") == 200
    c.changes()
    proxy.cut()
    rpc.insert(SB, "FDB", mac="late", dp_key=1, port_key=1)
    wait_until("the new row", lambda: c.count("FDB") == 201)
    requests = proxy.requests("monitor_cond_since")
    assert len(requests) == 2 and requests[0]["params"][3] == ZERO and requests[1]["params"][3] != ZERO
    found, last, updates = proxy.reply_to(requests[1])["result"]
    assert found is True and len(updates["FDB"]) == 1
    assert c.changes() == 1
    # The server dies and comes back: it has read what happened from its log.
    server.kill()
    c.until(connected=0)
    server.start()
    wait_until("it came back", lambda: len(proxy.requests("monitor_cond_since")) == 3 and c.status()["connected"])
    again = proxy.requests("monitor_cond_since")[2]
    assert again["params"][3] == last and proxy.reply_to(again)["result"][0] is True
    assert c.changes() == 0 and c.count("FDB") == 201
    # What the process uses now is more than before: that cannot be resumed.
    server.kill()
    some = g.client("sb", proxy, use=())
    some.send("use FDB mac")
    some.until(connected=0)
    server.start()
    some.until(connected=1)
    server.kill()
    some.until(connected=0)
    some.send("use FDB dp_key")
    server.start()
    wait_until("the column", lambda: some.status()["connected"]
               and all(row.get("dp_key", 0) > 0 for row in some.rows("FDB").values()))
    mine = [m for m in proxy.requests("monitor_cond_since") if m["params"][2] == {"FDB": [
        {"columns": ["mac", "dp_key"], "where": [True]}]}]
    assert [m["params"][3] for m in mine] == [ZERO]


def test_conditions(g):
    server = g.server("sb", cluster="new")
    rpc = server.rpc()
    wait_until("the cluster", lambda: "leader" in server.appctl("cluster/status", SB))
    for i in range(10):
        rpc.insert(SB, "FDB", mac=f"mac{i}", dp_key=1 + i % 2, port_key=1)
    behaviour = {}

    def hook(proxy, m, to_server):
        if m.get("method") == "monitor_cond_change" and behaviour.get("hold"):
            return None
        return m

    proxy = Proxy(g, server, hook=hook)
    server.process.send_signal(signal.SIGSTOP)         # So that the condition is there before anything is asked.
    c = g.client("sb", proxy)
    first = c.condition("FDB", [["dp_key", "==", 1]])
    assert not c.reached(first)
    server.process.send_signal(signal.SIGCONT)
    c.until(connected=1)
    assert c.reached(first) and c.count("FDB") == 5
    assert proxy.requests("monitor_cond_since")[-1]["params"][2]["FDB"][0]["where"] == [["dp_key", "==", 1]]

    second = c.condition("FDB", [["dp_key", "==", 2], ["mac", "==", "mac0"]])
    wait_until("the change", lambda: c.reached(second))
    assert c.count("FDB") == 6
    assert c.condition("FDB", [["dp_key", "==", 2], ["mac", "==", "mac0"]]) == second

    # Changed while disconnected: resumes with the old ones, then changes.
    server.process.send_signal(signal.SIGSTOP)
    proxy.cut()
    c.until(connected=0)
    third = c.condition("FDB", [["mac", "==", "mac3"]])
    assert not c.reached(third) and c.reached(second) and c.count("FDB") == 6
    server.process.send_signal(signal.SIGCONT)
    wait_until("the third", lambda: c.reached(third))
    assert c.count("FDB") == 1
    again = proxy.requests("monitor_cond_since")[-1]
    assert again["params"][3] != ZERO and again["params"][2]["FDB"][0]["where"][0] == ["dp_key", "==", 2]
    assert proxy.reply_to(again)["result"][0] is True

    # Broken while a change was under way: everything anew.
    behaviour["hold"] = True
    fourth = c.condition("FDB", [["mac", "==", "mac4"]])
    fifth = c.condition("FDB", [["mac", "==", "mac5"]])
    wait_until("it is sent", lambda: len(proxy.requests("monitor_cond_change")) >= 3)
    assert not c.reached(fourth) and not c.reached(fifth)
    behaviour.clear()
    proxy.cut()
    wait_until("the fifth", lambda: c.reached(fifth))
    assert [r["mac"] for r in c.rows("FDB").values()] == ["mac5"]
    assert proxy.requests("monitor_cond_since")[-1]["params"][3] == ZERO
    # One that the server refuses is told of, and nothing else suffers.
    bad = c.condition("Chassis", [["name", "no such function", 1]])
    wait_until("the answer", lambda: c.reached(bad) and c.logged("conditions refused"))
    assert c.status()["connected"]


def test_lock(g):
    server = g.server()
    one, two = g.client("nb", server), g.client("nb", server)
    one.send("lock ovn_northd")
    one.until(lock=1)
    two.send("lock ovn_northd")
    two.until(connected=1)
    time.sleep(0.1)
    assert two.status()["lock"] == 0
    assert two.commit("assert-lock", f'insert Logical_Switch {A} {{"name": "two"}}')()[0] == "not-locked"
    assert one.commit("assert-lock", f'insert Logical_Switch {A} {{"name": "one"}}')()[0] == "success"
    before = two.status()["seqno"]
    one.process.kill()
    assert two.until(lock=1)["seqno"] > before
    assert two.commit("assert-lock", f'insert Logical_Switch {B} {{"name": "two"}}')()[0] == "success"
    server.kill()
    two.until(connected=0, lock=0)
    server.start()
    two.until(lock=1)
    # Given up: the next in line has it.
    three = g.client("nb", server)
    three.send("lock ovn_northd")
    three.until(connected=1, lock=0)
    two.send("lock")
    two.until(lock=0)
    three.until(lock=1)
    assert two.commit("assert-lock", f'insert Logical_Switch - {{"name": "no"}}')()[0] == "not-locked"
    two.send("lock other")
    two.until(lock=1)
    # Stolen, and given back.
    thief = server.rpc()
    thief.call("steal", "other")
    two.until(lock=0)
    thief.sock.close()
    two.until(lock=1)


# ---- other versions ----

def test_older_schema(g):
    old = ground.schema("nb")
    old["version"] = "6.0.0"
    del old["tables"]["NB_Global"]["columns"]["nb_cfg_timestamp"]
    del old["tables"]["Logical_Switch"]["columns"]["copp"]
    del old["tables"]["Logical_Switch"]["columns"]["other_config"]
    old["tables"]["Logical_Switch_Port"]["columns"]["peer"] = {"type": "integer"}        # Another type: not ours.
    for name in list(old["tables"]):
        if name not in ("NB_Global", "Logical_Switch", "Logical_Switch_Port", "Connection", "SSL"):
            del old["tables"][name]
    for table in old["tables"].values():
        for name, column in list(table["columns"].items()):
            key = column["type"].get("key") if isinstance(column["type"], dict) else None
            if isinstance(key, dict) and key.get("refTable") not in (None, *old["tables"]):
                del table["columns"][name]
    server = g.server(the_schema=old)
    c = g.client("nb", server)
    c.until(connected=1)
    assert c.has("Logical_Switch") and not c.has("ACL")
    assert c.has("Logical_Switch", "name") and not c.has("Logical_Switch", "other_config")
    assert not c.has("Logical_Switch", "acls") and not c.has("NB_Global", "nb_cfg_timestamp")
    assert c.has("Logical_Switch_Port", "tag") and not c.has("Logical_Switch_Port", "peer")
    done = c.commit(f'insert Logical_Switch {A} {{"name": "sw", "other_config": ["map", [["a", "b"]]]}}',
                    'insert ACL - {"priority": 1, "direction": "to-lport", "match": "1", "action": "drop"}')
    assert done()[:2] == ("success", False)
    assert c.rows("Logical_Switch")[A]["name"] == "sw" and c.count("ACL") == 0
    assert c.commit(f'update Logical_Switch {A} {{"other_config": ["map", []]}}')()[0] == "success"
    assert c.logs("lacks")

    # A condition that this schema cannot express takes all.
    n = c.condition("Logical_Switch", [["other_config", "includes", ["map", [["a", "b"]]]]])
    wait_until("the condition", lambda: c.reached(n))
    assert names(c, "Logical_Switch") == ["sw"] and not c.logged("refused")
    c.send("reconnect")
    wait_until("it came back", lambda: sum("connected to unix:" in line for line in c.log) == 2 and c.status()["connected"])
    assert names(c, "Logical_Switch") == ["sw"]
    c.condition("Logical_Switch", [True])
    wait_until("no condition", c.reached)

    # Converted to today's, under us.
    c.send("lock x")
    c.until(lock=1)
    new = g.dir / "new.ovsschema"
    today = ground.schema("nb")
    today["tables"]["Logical_Switch_Port"]["columns"]["peer"] = {"type": "integer"}
    new.write_text(json.dumps(today))
    ground.run("ovsdb-client", "convert", server.remote(), new)
    wait_until("the new schema", lambda: c.has("ACL") and c.has("Logical_Switch", "other_config"))
    c.until(connected=1, lock=1)
    assert names(c, "Logical_Switch") == ["sw"]
    assert c.commit(f'update Logical_Switch {A} {{"other_config": ["map", [["a", "b"]]]}}')()[0] == "success"
    assert c.rows("Logical_Switch")[A]["other_config"] == ["map", [["a", "b"]]]


def older_server(g, *unknown):
    server = g.server()
    rpc = server.rpc()
    rpc.insert(NB, "Logical_Switch", name="a")

    def hook(proxy, m, to_server):
        if to_server and (m.get("method") in unknown or m["params"][:1] == ["_Server"] and "_Server" in unknown):
            return ({"id": m["id"], "result": None, "error": "unknown method"},)
        return m

    c = g.client("nb", Proxy(g, server, hook=hook))
    c.condition("Logical_Switch", [["name", "!=", "hidden"]])
    c.until(connected=1)
    wait_until("the first content", lambda: names(c, "Logical_Switch") == ["a"] and c.reached())
    rpc.insert(NB, "Logical_Switch", name="b", external_ids=["map", [["a", "1"]]])
    wait_until("b", lambda: names(c, "Logical_Switch") == ["a", "b"])
    rpc.transact(NB, {"op": "mutate", "table": "Logical_Switch", "where": [["name", "==", "b"]],
                      "mutations": [["external_ids", "insert", ["map", [["b", "2"]]]]]},
                 {"op": "delete", "table": "Logical_Switch", "where": [["name", "==", "a"]]})
    wait_until("the change", lambda: [r["external_ids"] for r in c.rows("Logical_Switch").values()]
               == [["map", [["a", "1"], ["b", "2"]]]])
    assert c.commit(f'insert Logical_Switch {A} {{"name": "ours"}}')()[:2] == ("success", True)
    return c


def test_conditions_follow_a_schema(g):
    """The column of a condition appears with a conversion: then the condition holds."""
    old = ground.schema("nb")
    del old["tables"]["Logical_Switch"]["columns"]["other_config"]
    server = g.server(the_schema=old)
    server.rpc().insert(NB, "Logical_Switch", name="sw")
    c = g.client("nb", server)
    c.condition("Logical_Switch", [["other_config", "includes", ["map", [["a", "b"]]]]])
    c.until(connected=1)
    wait_until("all", lambda: names(c, "Logical_Switch") == ["sw"] and c.reached())
    new = g.dir / "new.ovsschema"
    new.write_text(json.dumps(ground.schema("nb")))
    ground.run("ovsdb-client", "convert", server.remote(), new)
    wait_until("none", lambda: names(c, "Logical_Switch") == [] and c.reached())


def test_server_without_monitor_cond_since(g):
    older_server(g, "monitor_cond_since")


def test_server_of_rfc_7047(g):
    c = older_server(g, "monitor_cond_since", "monitor_cond", "monitor_cond_change", "set_db_change_aware", "_Server")
    n = c.condition("Logical_Switch", [["name", "==", "nothing"]])
    wait_until("said to be reached, as far as it goes", lambda: c.reached(n))


# ---- which server ----

def test_database_that_comes_later(g):
    server = g.server("sb")
    c = g.client("nb", server)
    c.until(connected=0, error="the server has no database OVN_Northbound; it has OVN_Southbound")
    other = ground.Server(g, "nb", name="later")       # Only its file.
    server.appctl("ovsdb-server/add-db", other.file)
    c.until(connected=1)
    server.appctl("ovsdb-server/remove-db", NB)
    c.until(connected=0, error="the server has no database OVN_Northbound; it has OVN_Southbound")
    server.appctl("ovsdb-server/add-db", other.file)
    c.until(connected=1)


def test_cluster_leader(g):
    servers = [g.server("sb", cluster="new", name="s1")]
    wait_until("a leader", lambda: "Role: leader" in servers[0].appctl("cluster/status", SB))
    for name in ("s2", "s3"):
        servers.append(g.server("sb", cluster="s1", name=name))
        wait_until("it joined", lambda: "Status: cluster member" in servers[-1].appctl("cluster/status", SB))
    remotes = ",".join(s.remote() for s in reversed(servers))
    c = g.client("sb", remotes, "no-shuffle")
    c.until(connected=1)
    assert c.logs("is not the leader") and c.logs(f"connected to {servers[0].remote()}")
    assert c.commit(f'insert FDB {A} {{"mac": "x", "dp_key": 1, "port_key": 1}}')()[:2] == ("success", True)
    alone = g.client("sb", servers[1])                 # A follower, and no other: waits there.
    alone.until(connected=0, error="not the leader")
    follower = g.client("sb", servers[2], "follower")
    follower.until(connected=1)
    # Through a follower as well the replica has it at the answer.
    for i in range(10):
        u = f"{i:08}-1111-4111-8111-111111111111"
        assert follower.commit(f'insert FDB {u} {{"mac": "{i}", "dp_key": 1, "port_key": 1}}')()[:2] \
            == ("success", True)
    c.changes()
    servers[0].kill()
    c.until(connected=0)
    c.until(connected=1, seconds=15)
    assert c.count("FDB") == 11 and c.changes() <= 11
    new = next(s for s in servers[1:] if "Role: leader" in s.appctl("cluster/status", SB))
    assert c.logs(f"connected to {new.remote()}")
    alone.send("follower")
    alone.until(connected=1)


def test_older_state_of_a_cluster_is_refused(g):
    server = g.server("sb", cluster="new")
    wait_until("the cluster", lambda: "leader" in server.appctl("cluster/status", SB))
    for i in range(5):
        server.rpc().insert(SB, "FDB", mac=str(i), dp_key=1, port_key=1)

    def behind(proxy, m, to_server):
        if "_Server" in json.dumps(m) or not to_server and "Database" in str(m.get("result")):
            m = json.loads(json.dumps(m).replace('"index": ', '"index": -'))
        return m

    fresh, stale = Proxy(g, server), Proxy(g, server, name="stale", hook=behind)
    c = g.client("sb", fresh)
    c.until(connected=1)
    c.ask(f"remotes {stale.remote()},{fresh.remote()}")
    wait_until("the fresh one again", lambda: sum(f"connected to {fresh.remote()}" in line for line in c.log) == 2)
    c.ask(f"remotes {stale.remote()}")
    c.until(connected=0, error="older than one seen before")
    c.send("reset-cluster-state")
    c.until(connected=1)


def test_relay(g):
    server = g.server()
    relay = g.server(path=f"relay:{NB}:{server.remote()}", name="relay")
    c = g.client("nb", relay)
    c.until(connected=1)
    for i in range(20):
        u = f"{i:08}-1111-4111-8111-111111111111"
        assert c.commit(f'insert Logical_Switch {u} {{"name": "{i}"}}')()[:2] == ("success", True)


def test_remotes(g):
    server = g.server()
    c = g.client("nb", "")
    for bad in ("ssl:", "ssl:127.0.0.1:x", "tcp:", "tcp:127.0.0.1:99999", "tcp:[::1", "punix:/x", "unix:", "nonsense"):
        assert c.ask(f"remotes {bad}") != "remotes ok", bad
    assert c.ask("remotes ssl:127.0.0.1:6641") == "remotes ok"
    c.until(connected=0, error="private-key")
    listener = socket.socket()
    listener.bind(("127.0.0.1", 0))
    port = listener.getsockname()[1]
    listener.close()
    server.appctl("ovsdb-server/add-remote", f"ptcp:{port}:127.0.0.1")
    assert c.ask(f"remotes unix:/nonexistent,tcp:127.0.0.1:1,tcp:127.0.0.1:{port}") == "remotes ok"
    c.until(connected=1, seconds=3)
    assert c.ask(f"remotes {server.remote()}") == "remotes ok"
    wait_until("the other remote", lambda: c.logged(f"connected to {server.remote()}"))
    c.send("reconnect")
    wait_until("it came back", lambda: sum("connected to unix:" in line for line in c.log) == 2)
    assert c.ask("remotes ") == "remotes ok"
    c.until(connected=0)


# ---- bad servers ----

def answer_until(n_replies, then):
    """A talk: answers the first requests as an honest server would, then sends THEN (in which MONITOR is the monitor's id)."""
    def send(c, m):
        if callable(then):
            return then(c, m)
        c.sendall(then.replace(b"MONITOR", str(m["params"][1:2]).strip("[']").encode()))
        time.sleep(20)

    def talk(c):
        messages, replies = ground.Messages(), 0
        schema = {"name": NB, "version": "1", "tables": {"Logical_Switch": {"columns": {"name": {"type": "string"}}}}}
        while data := c.recv(65536):
            for m in messages.feed(data):
                if replies == n_replies:
                    return send(c, m)
                replies += 1
                result = {"set_db_change_aware": {}, "get_schema": schema, "monitor_cond_since": [False, ZERO, {}],
                          "monitor_cond": {"Database": {A: {"initial": {"model": "standalone", "connected": True,
                                                                        "leader": True}}}}}[m["method"]]
                c.sendall(json.dumps({"id": m["id"], "result": result, "error": None}).encode())
                if m["method"] == "monitor_cond_since" and replies == n_replies:
                    return send(c, m)
    return talk


def flood(c, m):
    c.sendall(b'{"id":null,"method":"update3","params":["x","')
    for _ in range(100):
        c.sendall(b"x" * (1 << 20))
    c.sendall(b'"]}')
    time.sleep(20)


UPDATE = b'{"id":null,"method":"update3","params":["MONITOR","%s",%%s]}' % ZERO.encode()
BAD = {                                # After how many honest replies, what, and what is said of it.
    "garbage": (0, b"\x00\xff\xfe HTTP/1.1 400 Bad Request\r\n", "not JSON"),
    "garbage later": (4, b"]]]]", "not JSON"),
    "deep": (4, b'{"id":null,"method":"update3","params":' + b"[" * 100000, ""),
    "deep in bounds": (4, UPDATE % (b'{"Logical_Switch":' * 190 + b"1" + b"}" * 190), ""),
    "too large at first": (2, flood, "exceeds"),
    "not an object": (4, b"[1, 2]", "not an object"),
    "no request of ours": (4, b'{"id":4711,"result":{},"error":null}', "no request"),
    "neither": (4, b'{"id":null}', "neither"),
    "bad schema": (2, b'{"id":2,"result":{"tables":[]},"error":null}', "malformed"),
    "bad _Server": (1, b'{"id":1,"result":{"Database":[]},"error":null}', "malformed"),
    "bad monitor": (3, b'{"id":3,"result":[true],"error":null}', "malformed"),
    "found, unasked": (3, b'{"id":3,"result":[true,"%s",{}],"error":null}' % ZERO.encode(), "resume"),
    "bad update": (4, UPDATE % b'{"Logical_Switch":{"%s":{"insert":{"name":7}}}}' % A.encode(), ""),
    "bad row uuid": (4, UPDATE % b'{"Logical_Switch":{"x":{"insert":{"name":"n"}}}}', ""),
    "no update": (4, b'{"id":null,"method":"update3","params":[]}', "malformed"),
    "bad JSON": (4, b'{"id":null,"method":"update3","params":[nonsense]}', ""),
    "long method": (4, b'{"id":null,"method":"%s","params":[]}' % (b"m" * 1000), "too long"),
}


def test_bad_servers(g):
    """Each is dropped with a word, tried again after a pause, and an honest one beside it serves."""
    server = g.server()
    server.rpc().insert(NB, "Logical_Switch", name="honest")
    fakes = {name: Fake(g, answer_until(n, what), name=f"f{i}") for i, (name, (n, what, _)) in enumerate(BAD.items())}
    clients = {name: g.client("nb", fake) for name, fake in fakes.items()}
    for name, c in clients.items():
        c.until(connected=0, error=BAD[name][2])
        wait_until(f"{name} is dropped", lambda c=c: c.logged("connection dropped"))
        assert c.rss() < 40000, (name, c.rss())
    time.sleep(0.5)
    for name, fake in fakes.items():
        assert fake.connections <= 3, (name, fake.connections)
        assert clients[name].ask(f"remotes {fake.remote()},{server.remote()}") == "remotes ok"
    for name, c in clients.items():
        c.until(connected=1)
        wait_until(name, lambda c=c: names(c, "Logical_Switch") == ["honest"])


def test_half_a_message(g):
    def half(c, m):
        c.sendall(b'{"id":null,"method":"upd')

    fake = Fake(g, answer_until(4, half))
    c = g.client("nb", fake)
    c.until(error="closed the connection")
    assert not c.logged("WARN")


def test_large_message_is_given_back(g):
    """100 MB of a message that means nothing to us: read, ignored, forgotten; and refused where the bound is lower."""
    fake = Fake(g, answer_until(4, flood))
    c = g.client("nb", fake)
    wait_until("all of it", lambda: c.status()["rx"] > 100 << 20)
    assert c.status()["connected"]
    wait_until("memory is given back", lambda: c.rss() < 40000)
    small = g.client("nb", Fake(g, answer_until(4, flood), name="g"), "max-message=50000000")
    small.until(error="exceeds 50000000")
    wait_until("memory is given back", lambda: small.rss() < 40000)


def test_inactivity(g):
    server = g.server()
    c = g.client("nb", server, "probe=1000")
    c.until(connected=1)
    server.process.send_signal(signal.SIGSTOP)
    c.until(connected=0, error="inactivity probe", seconds=4)
    server.process.send_signal(signal.SIGCONT)
    c.until(connected=1)
    time.sleep(1.5)                                    # It answers: nothing happens.
    assert c.status()["connected"] and sum("connected to" in line for line in c.log) == 2


def test_a_silent_server_of_several(g):
    """One that accepts and says nothing costs a second and not a probe's time; where it is the only one, patience is longer."""
    server = g.server()
    other = g.server(name="other")
    server.process.send_signal(signal.SIGSTOP)
    began = time.monotonic()
    c = g.client("nb", f"{server.remote()},{other.remote()}", "no-shuffle")
    c.until(connected=1, seconds=5)
    assert 0.9 < time.monotonic() - began < 3 and c.logged("no answer in 1000 ms")
    alone = g.client("nb", server)
    time.sleep(2.5)
    assert not any("no answer" in line for line in alone.log), alone.log
    server.process.send_signal(signal.SIGCONT)
    alone.until(connected=1)
    assert c.status()["connected"]


def test_probes_of_the_server_are_answered(g):
    answers = []

    def probing(c, m):
        messages = ground.Messages()
        c.sendall(b'{"id":"echo","method":"echo","params":["x",{"y":[]}]}{"method":"nonsense","params":[],"id":9}')
        while data := c.recv(65536):
            answers.extend(messages.feed(data))

    c = g.client("nb", Fake(g, answer_until(4, probing)))
    wait_until("answers", lambda: len(answers) == 2)
    assert answers[0] == {"id": "echo", "result": ["x", {"y": []}], "error": None}
    assert answers[1]["error"] == "unknown method"
    assert c.status()["connected"]


def test_slow_server(g):
    """A byte at a time, from a server that also reads slowly: everything arrives, nobody is kept from anything else."""
    server = g.server()
    server.rpc().insert(NB, "Logical_Switch", name="x" * 300)

    def slow(client):
        upstream = socket.socket(socket.AF_UNIX)
        upstream.connect(str(server.sock))
        client.setblocking(False)
        upstream.setblocking(False)
        pending = b""
        while True:
            for a, n in ((client, 4096), (upstream, 65536)):
                try:
                    data = a.recv(n)
                    if not data:
                        return
                    if a is client:
                        upstream.sendall(data)
                    else:
                        pending += data
                except BlockingIOError:
                    pass
            step = 1 if len(pending) < 500 else 997
            client.sendall(pending[:step])
            pending = pending[step:]
            time.sleep(0.0005)

    c = g.client("nb", Fake(g, slow))
    c.until(connected=1)
    assert names(c, "Logical_Switch") == ["x" * 300]
    big = c.commit(f'insert Logical_Switch {A} {{"name": "{"y" * 3000000}"}}')
    for _ in range(20):
        c.status()
    assert big()[0] == "success"


def run_one(probe, name, test):
    start = time.monotonic()
    try:
        with Ground(probe) as g:
            test(g)
        return name, None, time.monotonic() - start
    except BaseException:
        return name, traceback.format_exc(), time.monotonic() - start


def main():
    probe, wanted = os.path.abspath(sys.argv[1]), sys.argv[2:]
    tests = {n[5:]: f for n, f in globals().items() if n.startswith("test_") and (not wanted or n[5:] in wanted)}
    failed = 0
    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        for done in concurrent.futures.as_completed(pool.submit(run_one, probe, n, f) for n, f in tests.items()):
            name, error, seconds = done.result()
            print(f"{'FAILED' if error else 'ok':6} {seconds:5.1f} s  {name}", flush=True)
            if error:
                failed += 1
                print(error, flush=True)
    print(f"{len(tests) - failed} passed, {failed} failed")
    return 1 if failed or not tests else 0


if __name__ == "__main__":
    sys.exit(main())

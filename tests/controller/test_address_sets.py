"""Conjunctive matches and address sets, on a real switch: what a packet meets, and what a change of one address of 10,000 costs."""
import re
import time

from ground import BUILD, eventually
from test_binding import registered, runs

N = 10000
FLOWS = [  # table, match, actions
    (0, "1", "next;"),
    (1, "ip4.src == $big && tcp.dst == {80, 81, 443}", "reg9 = 1; next;"),
    (1, "ip4.src == {10.9.0.1, 10.9.0.2, 10.9.0.3} && tcp.dst == {1, 2, 3, 4}", "reg9 = 2; next;"),
    (1, "ip4.src == $big", "reg9 = 3; next;"),
]


def address(i):
    return f"10.{1 + (i >> 16)}.{i >> 8 & 255}.{i & 255}"


def said(h, source, port):
    return said_for(h, source, "10.8.0.1", port)


def said_for(h, source, destination, port):
    """Which of the flows a packet meets: reg9 at the end; 0 if none."""
    out = h.ovs("appctl", "-t", f"{h.dir}/vswitchd.ctl", "ofproto/trace", "br-int",
                f"in_port=vif1,tcp,nw_src={source},nw_dst={destination},nw_ttl=9,tcp_dst={port}")
    return int(re.findall(r"(?:load:|set_field:)0x(\d+)->(?:NXM_NX_REG9\[\]|reg9)", out)[-1]) if "reg9" in out.lower() else 0


def cpu(h):
    with open(f"/proc/{h.pids['controller'][0]}/schedstat") as f:
        return int(f.read().split()[0]) / 1e6


def count(h):
    return int(re.search(r"flow_count=(\d+)", h.ovs("ofctl", "-O", "OpenFlow15", "dump-aggregate", f"{h.dir}/br-int.mgmt"))[1])


def flows(h):
    out = h.ovs("ofctl", "-O", "OpenFlow15", "--no-stats", "dump-flows", f"{h.dir}/br-int.mgmt")
    return sorted(re.sub(r"n_packets.*?, |duration.*?, ", "", l) for l in out.splitlines() if "table=9" in l)


def test_one_address_of_many(ground):
    db, dp = ground.central.db, ground.central.datapath()
    ground.central.port(dp, "vm1")
    db.transact({"op": "insert", "table": "Address_Set", "row": {"name": "big", "addresses": ["set", [address(i) for i in range(N)]]}},
                *({"op": "insert", "table": "Logical_Flow", "row": {
                    "logical_datapath": ["uuid", dp], "pipeline": "ingress", "table_id": t, "priority": 100 - i, "match": m, "actions": a}}
                  for i, (t, m, a) in enumerate(FLOWS)))
    h = ground.host()
    registered(ground)
    h.plug("vif1", "vm1")
    eventually(lambda: ground.central.binding("vm1") == ("hv1", True), 30)
    assert 2 * N < count(h) < 2 * N + 100, "addresses plus ports, not addresses times ports"
    want = {(address(7), 81): 1, (address(N - 1), 443): 1, (address(7), 82): 3, (address(N), 80): 0, ("10.9.0.2", 3): 2, ("10.9.0.2", 5): 0,
            ("10.9.0.4", 3): 0}
    assert {k: said(h, *k) for k in want} == want

    def change(verb, *addresses):
        db.transact({"op": "mutate", "table": "Address_Set", "where": [["name", "==", "big"]],
                     "mutations": [["addresses", verb, ["set", list(addresses)]]]})

    before, installed, spent = {k: runs(h, k) for k in ("lflow", "part", "aset")}, count(h), cpu(h)
    for i in range(20):
        change("insert", address(N + i))
    eventually(lambda: count(h) == installed + 40)
    spent = (cpu(h) - spent) / 20
    assert runs(h, "lflow") == before["lflow"], "no logical flow is translated again"
    assert runs(h, "part") - before["part"] <= 40, "each of the two flows says one bucket again"
    print(f"one address of {N}, in two logical flows: {spent:.2f} ms of CPU")
    assert spent < (1 if "asan" not in str(BUILD) else 10)
    assert said(h, address(N + 3), 80) == 1
    change("delete", *(address(N + i) for i in range(20)), address(7))
    eventually(lambda: count(h) == installed - 2)
    assert (said(h, address(7), 80), said(h, address(8), 80)) == (0, 1)
    # Conjunction ids are the same after a restart: not a flow changes.
    there = flows(h)
    h.kill("controller", 9)
    h.start_controller()
    eventually(lambda: h.appctl("connection-status").strip() == "connected")
    time.sleep(1)
    assert flows(h) == there
    db.transact({"op": "delete", "table": "Address_Set", "where": []})
    eventually(lambda: count(h) < 100)
    assert h.complaints() == []


OVERLAPPING = [  # All of one table and one priority, and no two for the same packet: sources, destinations, what is said.
    ("$left", "{10.7.0.1, 10.7.0.2, 10.7.0.3}", 1), ("$left", "{10.7.0.4, 10.7.0.5, 10.7.0.6}", 2), ("{10.1.0.4, 10.1.0.5, 10.1.0.6}", "{10.7.0.1, 10.7.0.2, 10.7.0.3}", 3),
    ("{10.1.0.4, 10.1.0.5, 10.1.0.6}", "{10.7.0.4, 10.7.0.5, 10.7.0.6}", 4), ("10.1.0.7", "$right", 5),
]


def test_overlapping_conjunctions(ground):
    """Logical flows of one priority that share clauses: one OpenFlow flow stands in several conjunctions, and goes with the last of them."""
    db, dp = ground.central.db, ground.central.datapath()
    ground.central.port(dp, "vm1")
    db.transact({"op": "insert", "table": "Address_Set", "row": {"name": "left", "addresses": ["set", ["10.1.0.1", "10.1.0.2", "10.1.0.3"]]}},
                {"op": "insert", "table": "Address_Set", "row": {"name": "right", "addresses": ["set", ["10.7.0.3", "10.7.0.7"]]}},
                {"op": "insert", "table": "Logical_Flow", "row": {
                    "logical_datapath": ["uuid", dp], "pipeline": "ingress", "table_id": 0, "priority": 1, "match": "1", "actions": "next;"}})
    rows = [r["uuid"] for r in db.transact(*({"op": "insert", "table": "Logical_Flow", "row": {
        "logical_datapath": ["uuid", dp], "pipeline": "ingress", "table_id": 1, "priority": 7, "match": f"ip4.src == {s} && ip4.dst == {d} && tcp.dst == {{80, 81, 82}}",
        "actions": f"reg9 = {n}; next;"}} for s, d, n in OVERLAPPING))]
    h = ground.host()
    registered(ground)
    h.plug("vif1", "vm1")
    eventually(lambda: ground.central.binding("vm1") == ("hv1", True), 30)
    alive, left = {n for _, _, n in OVERLAPPING}, {1, 2, 3}

    def want(s, d, port):
        if port not in (80, 81, 82):
            return 0
        n = (1 if d <= 3 else 2) if s in left and d <= 6 else (3 if d <= 3 else 4) if 4 <= s <= 6 and d <= 6 else 5 if s == 7 and d in (3, 7) else 0
        return n if n in alive else 0

    def met():
        return {(s, d, p): said_for(h, f"10.1.0.{s}", f"10.7.0.{d}", p) for s in (1, 3, 4, 7, 8) for d in (2, 3, 4, 7) for p in (80, 82, 83)}

    def right():
        return {(s, d, p): want(s, d, p) for s in (1, 3, 4, 7, 8) for d in (2, 3, 4, 7) for p in (80, 82, 83)}

    assert met() == right() and set(right().values()) == {0, 1, 2, 3, 4, 5}
    shared = [f for f in flows(h) if f.count("conjunction(") > 1]
    assert shared, "some flow stands in several conjunctions"
    for gone in (0, 3):
        before = count(h)
        db.transact({"op": "delete", "table": "Logical_Flow", "where": [["_uuid", "==", rows[gone]]]})
        alive.discard(OVERLAPPING[gone][2])
        eventually(lambda: count(h) < before)
        assert met() == right()
    before = count(h)
    db.transact({"op": "mutate", "table": "Address_Set", "where": [["name", "==", "left"]], "mutations": [["addresses", "insert", "10.1.0.8"]]})
    left.add(8)
    eventually(lambda: count(h) > before)
    assert met() == right()
    assert h.complaints() == []

"""Logical flows that make no sense, or would make too much: each is named in the log, once, with what is wrong and where; the rest of the pipeline works on."""
import random
import re

from ground import eventually
from test_binding import registered, runs
from test_templates import flows

random.seed(1)
# Each of these makes flows for each bit of a mask, in each combination.
TOO_MUCH = " && ".join(f"xxreg0 != {random.getrandbits(128):#x}/{random.getrandbits(128):#x}" for _ in range(200))
BAD = {  # match -> (actions, what the log says)
    TOO_MUCH: ("next;", "this match would make more than 65536 OpenFlow flows"),
    "(" * 101 + "ip4" + ")" * 101: ("next;", "column 101: more than 100 parentheses within each other"),
    "ip4 && nosuch.field == 1": ("next;", "column 8: there is no field of the name `nosuch.field'"),
    "tcp.dst == 65536": ("next;", "column 12: `65536' needs 17 bits, tcp.dst has 16"),
    "ip4 && tcp || udp": ("next;", "column 12: && and || can only be used together with parentheses"),
    "ip4 && ip.ttl > 3": ("next;", "column 8: ip.ttl is nominal"),
    "ip4 &&": ("next;", "column 7: an expression expected, not the end"),
    "x" * 100000: ("next;", "column 1: there is no field of the name `xxxxx"),
    "ip.proto == 1": ("clone { " * 17 + "next; " + "}; " * 17, "more than 16 braces within each other"),
    "ip.proto == 2": ("next(200);", "there is no logical table 200"),
    "ip.proto == 3": ("eth.type = 5;", "column 1: eth.type cannot be changed"),
    "ip.proto == 4": ("reg0 = reg1[0..7];", "column 8: reg0 has 32 bits and reg1 has 8"),
    "ip.proto == 5": ("set_queue(61441);", "column 11: a number from 0 to 61440 expected, not `61441'"),
    "ip.proto == 6": ("next", "column 5: `;' expected, not the end"),
    "ip.proto == 7": ("reg0 = 1; " * 4000 + "next;", "these actions are too long for the switch"),
}


def test_each_is_named_and_the_rest_works(ground):
    db, dp = ground.central.db, ground.central.datapath()
    ground.central.port(dp, "vm1")

    def lflow(table, priority, match, actions):
        return {"op": "insert", "table": "Logical_Flow", "row": {"logical_datapath": ["uuid", dp], "pipeline": "ingress", "table_id": table,
                                                               "priority": priority, "match": match, "actions": actions}}

    rows = db.transact(*(lflow(1, 100 + i, m, BAD[m][0]) for i, m in enumerate(BAD)))
    good = [(t, p, "ip4" if p == 1 else f"tcp.dst == {p}", "next;") for t in (1, 2) for p in (1, 2, 3)]
    db.transact(*(lflow(*g) for g in good))
    h = ground.host()
    registered(ground)
    h.appctl("vlog/disable-rate-limit", "lflow")
    h.plug("vif1", "vm1")
    eventually(lambda: ground.central.binding("vm1") == ("hv1", True))
    # tcp.dst is two flows, one for each IP.
    assert len(flows(h, 9)) == len(flows(h, 10)) == 5
    lines = eventually(lambda: (lambda l: len(l) >= len(BAD) and l)([l for l in h.complaints() if "skipped" in l]), what="not all are named")
    for (match, (_, message)), row in zip(BAD.items(), rows):
        named = [l for l in lines if row["uuid"][1] in l]
        assert len(named) == 1 and message in named[0] and "ingress table 1" in named[0], (match[:60], named)
        assert len(named[0]) < 1000, "a long text is not repeated in full"
    assert len(h.complaints()) == len(BAD)
    counted = h.appctl("coverage/show")
    assert {k: int(re.search(rf"{k} .*total: (\d+)", counted)[1]) for k in ("lflow_refused", "lflow_not_parsed")} == {"lflow_refused": 3, "lflow_not_parsed": 12}
    # What was too much is mended: that flow alone runs again.
    before = runs(h, "lflow")
    db.transact({"op": "update", "table": "Logical_Flow", "where": [["_uuid", "==", rows[0]["uuid"]]], "row": {"match": "xxreg0 != 1/1"}})
    eventually(lambda: len(flows(h, 9)) == 6)
    assert runs(h, "lflow") == before + 1

"""Template variables: what ^NAME is in a logical flow follows Chassis_Template_Var, this chassis' row, and nothing else."""
import re

from ground import eventually, omap
from test_binding import registered, runs


def flows(h, table):
    out = h.ovs("ofctl", "-O", "OpenFlow15", "--no-stats", "dump-flows", f"{h.dir}/br-int.mgmt", f"table={table}")
    return sorted(re.sub(r"metadata=0x1(/0x\w+)?,?", "", line.split(" priority=", 1)[1]) for line in out.splitlines() if " priority=" in line)


def variables(db, chassis, **values):
    if not db.select("Chassis_Template_Var", [("chassis", "==", chassis)]):
        db.transact({"op": "insert", "table": "Chassis_Template_Var", "row": {"chassis": chassis, "variables": omap(values)}})
    else:
        db.transact({"op": "update", "table": "Chassis_Template_Var", "where": [["chassis", "==", chassis]], "row": {"variables": omap(values)}})


def test_variables(ground):
    db, dp = ground.central.db, ground.central.datapath()
    ground.central.port(dp, "vm1")
    db.transact(*({"op": "insert", "table": "Logical_Flow", "row": {
        "logical_datapath": ["uuid", dp], "pipeline": "ingress", "table_id": t, "priority": p, "match": m, "actions": a}}
        for t, p, m, a in ((1, 1, "ip4.dst == ^vip", "next;"), (2, 3, "ip4 && tcp.dst == {^ports}", "reg0 = ^number; next;"),
                           (3, 4, "ip4 /* ^vip */", "reg1 = 1; next;"))))
    variables(db, "hv2", vip="10.0.0.2", ports="1, 2", number="2")
    h = ground.host()
    registered(ground)
    h.plug("vif1", "vm1")
    eventually(lambda: ground.central.binding("vm1") == ("hv1", True))
    # Nothing of this chassis: the names stay and are refused, by name; others' values do not count.
    assert flows(h, 9) == [] and flows(h, 10) == []
    assert len(flows(h, 11)) == 1
    told = [l for l in h.complaints() if "skipped" in l]
    assert len(told) == 2 and any("^vip" in l for l in told) and any("^ports" in l for l in told), told
    before = runs(h, "lflow")
    variables(db, "hv1", vip="10.0.0.1", ports="80, 443", number="7")
    eventually(lambda: flows(h, 9) and len(flows(h, 10)) == 2)
    assert flows(h, 9) == ["1,ip,nw_dst=10.0.0.1 actions=resubmit(,10)"]
    assert [re.search(r"tp_dst=(\d+).*0x(\d+)->reg0", f).groups() for f in flows(h, 10)] == [("443", "7"), ("80", "7")]
    assert runs(h, "lflow") - before == 2, "only the flows that name a variable run again"
    variables(db, "hv1", vip="10.0.0.0/24", ports="80", number="7")
    eventually(lambda: flows(h, 9) == ["1,ip,nw_dst=10.0.0.0/24 actions=resubmit(,10)"] and len(flows(h, 10)) == 1)
    before = runs(h, "lflow")
    variables(db, "hv2", vip="10.0.0.3")
    db.transact({"op": "delete", "table": "Chassis_Template_Var", "where": [["chassis", "==", "hv1"]]})
    eventually(lambda: flows(h, 9) == [] and flows(h, 10) == [])
    assert runs(h, "lflow") - before == 2

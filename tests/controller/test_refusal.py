"""A switch that refuses a flow: the log names it, all others are installed, and nobody waits."""
import re
import time

from ground import eventually, stays
from test_binding import owner, registered


def flows(h, table):
    out = h.ovs("ofctl", "-O", "OpenFlow15", "--no-stats", "dump-flows", f"{h.dir}/br-int.mgmt", f"table={table}")
    return re.findall(r"priority=(\d+)", out)


def lflow(priority, table, match, dp):
    return {"op": "insert", "table": "Logical_Flow", "row": {
        "logical_datapath": ["uuid", dp], "pipeline": "ingress", "table_id": table, "priority": priority, "match": match, "actions": "next;"}}


def test_a_flow_that_the_switch_refuses(ground):
    db, dp = ground.central.db, ground.central.datapath()
    ground.central.port(dp, "vm1"), ground.central.port(dp, "vm2")
    h = ground.host()
    registered(ground)
    # Table 20 of OpenFlow, the 12th of the ingress pipeline, has room for one flow.
    h.vsctl("--no-wait", "--id=@f", "create", "Flow_Table", "flow_limit=1", "overflow_policy=refuse", "--", "set", "Bridge", "br-int", "flow_tables:20=@f")
    time.sleep(0.3)
    db.transact(lflow(101, 12, "ip4", dp), lflow(102, 12, "ip6", dp), lflow(103, 13, "ip4", dp), lflow(104, 14, "ip6", dp))
    h.plug("vif1", "vm1")
    owner(ground, "vm1", "hv1")
    assert len(flows(h, 20)) == 1 and flows(h, 21) == ["103"] and flows(h, 22) == ["104"]
    told = eventually(lambda: [l for l in h.complaints() if "refused" in l])
    missing = ({"101", "102"} - set(flows(h, 20))).pop()
    assert len(told) == 1 and "TABLE_FULL" in told[0] and f"table=20, priority={missing}" in told[0], told
    # Nothing is tried again and again, and all else goes on.
    before = len(h.complaints())
    h.plug("vif2", "vm2")
    owner(ground, "vm2", "hv1")
    db.transact(lflow(105, 14, "arp", dp))
    eventually(lambda: flows(h, 22) == ["105", "104"] or sorted(flows(h, 22)) == ["104", "105"])
    stays(lambda: len(h.complaints()) == before, 0.5)
    # There is room again: a new connection tries it.
    h.vsctl("--no-wait", "clear", "Bridge", "br-int", "flow_tables")
    time.sleep(0.3)
    h.kill("controller", 15)
    h.start_controller()
    eventually(lambda: sorted(flows(h, 20)) == ["101", "102"])

"""Names in logical flows that mean nothing yet: the flow matches nothing, without a word in the log; when the name arrives, just the flows that mention it run again; when
it goes, they match nothing again."""
import re

from ground import eventually
from test_binding import registered, runs

# table -> match; the name is in Address_Set, Port_Group, Multicast_Group or Port_Binding.
MATCHES = {
    1: "ip4.src == $as", 2: "ip4.src != $as", 3: "ip4.src == {$as, 10.9.9.9}", 4: "inport == @pg", 5: "inport == {@pg, \"vm1\"} && ip4", 6: 'outport == "late"',
    7: 'is_chassis_resident("late")', 8: '!is_chassis_resident("late")', 9: "ip6.dst == $pg_ip6", 10: 'outport == "_MC_late"', 11: "eth.src == $mixed && ip4.src == $mixed",
}


def matched(h):
    """table -> what its flows match, without priority and datapath; fields are sorted."""
    found = {t: [] for t in MATCHES}
    dump = h.ovs("ofctl", "-O", "OpenFlow15", "--no-stats", "dump-flows", f"{h.dir}/br-int.mgmt")
    for table, match in re.findall(r"table=(\d+), priority=1(\S*) actions=", dump):
        if int(table) - 8 in found:
            fields = re.sub(r"conj_id=\d+", "conj_id", re.sub(r"metadata=[^,]*", "", match)).split(",")
            found[int(table) - 8].append(",".join(sorted(filter(None, fields))))
    return {t: sorted(m) for t, m in found.items()}


def test_arriving_and_going(ground):
    db, dp = ground.central.db, ground.central.datapath()
    ground.central.port(dp, "vm1")
    db.transact(*({"op": "insert", "table": "Logical_Flow", "row": {
        "logical_datapath": ["uuid", dp], "pipeline": "ingress", "table_id": t, "priority": 1, "match": m, "actions": "next;"}} for t, m in MATCHES.items()))
    h = ground.host()
    registered(ground)
    h.plug("vif1", "vm1")
    eventually(lambda: ground.central.binding("vm1") == ("hv1", True))
    key = f"reg14={hex(ground.central.one('Port_Binding', logical_port='vm1')['tunnel_key'])}"
    nothing = {t: [] for t in MATCHES} | {3: ["ip,nw_src=10.9.9.9"], 5: [f"ip,{key}"], 8: [""], 11: ["conj_id,ip"]}
    fields = lambda: matched(h)
    eventually(lambda: fields() == nothing, what=f"{fields()} is not {nothing}")

    def arrives(many, expect, *ops):
        before = runs(h, "lflow")
        db.transact(*ops)
        now = nothing | expect
        eventually(lambda: fields() == now, what=f"{fields()} is not {now}")
        assert runs(h, "lflow") - before == many, "only those that mention it"
        nothing.update(expect)

    insert = lambda table, **row: {"op": "insert", "table": table, "row": row}
    delete = lambda table, column, value: {"op": "delete", "table": table, "where": [[column, "==", value]]}
    # $as == and the like have templates (address_set.c), so that one more address does not run the flow; != is the flow's own.
    before = runs(h, "lflow")
    db.transact(insert("Address_Set", name="as", addresses=["set", ["10.0.0.1", "fd00::1", "00:00:00:00:00:01", "nonsense"]]))
    eventually(lambda: fields()[1] == ["ip,nw_src=10.0.0.1"] and fields()[3] == ["ip,nw_src=10.0.0.1", "ip,nw_src=10.9.9.9"] and len(fields()[2]) == 32)
    assert runs(h, "lflow") - before == 1
    assert any('"nonsense" is no address' in l for l in h.complaints())
    db.transact(delete("Address_Set", "name", "as"))
    eventually(lambda: fields() == nothing)
    # A group of this datapath: its name has the datapath's key.
    arrives(2, {4: [key], 5: [f"ip,{key}"]}, insert("Port_Group", name="1_pg", ports=["set", ["vm1", "unknown"]]))
    arrives(2, {4: [], 5: [f"ip,{key}"]}, delete("Port_Group", "name", "1_pg"))
    arrives(1, {10: ["reg15=0x8005"]}, insert("Multicast_Group", datapath=["uuid", dp], name="_MC_late", tunnel_key=0x8005, ports=["set", []]))
    # A set of several kinds has for each field what fits it.
    before = runs(h, "lflow")
    db.transact(insert("Address_Set", name="mixed", addresses=["set", ["10.0.0.1", "10.1.0.0/16", "fd00::1", "00:00:00:00:00:01"]]),
                insert("Address_Set", name="pg_ip6", addresses=["set", ["fd00::7"]]))
    eventually(lambda: len(fields()[11]) == 4 and fields()[9] == ["ipv6,ipv6_dst=fd00::7"], what=str(fields()[11]))
    assert runs(h, "lflow") == before, "addresses are not a logical flow's business"
    late = db.transact(insert("Port_Binding", logical_port="late", datapath=["uuid", dp], tunnel_key=77))[0]["uuid"]
    eventually(lambda: fields()[6] == ["reg15=0x4d"] and fields()[7] == [] and fields()[8] == [""])
    h.plug("vif2", "late")
    eventually(lambda: fields()[7] == [""] and fields()[8] == [])
    h.unplug("vif2")
    eventually(lambda: fields()[7] == [] and fields()[8] == [""])
    db.transact(delete("Port_Binding", "_uuid", late))
    eventually(lambda: fields()[6] == [])
    assert all("nonsense" in l for l in h.complaints()), h.complaints()
    assert re.fullmatch(r"\d+ differences\n?", h.appctl("inc-engine/verify"))

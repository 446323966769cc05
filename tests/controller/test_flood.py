"""A flooded frame reaches every member of its group here, however many there are: more than one translation of the switch can serve."""
import re
import time

from ground import eventually
from test_binding import owner, registered

MEMBERS = 400                          # Each costs 20 resubmits or so, of 4096.


def transmitted(h):
    return {int(n): int(c) for n, c in re.findall(r"port +\"?[^:]*?(\d+)\"?: rx.*\n +tx pkts=(\d+)", h.ovs("ofctl", "-O", "OpenFlow15", "dump-ports", f"{h.dir}/br-int.mgmt"))}


def test_flood_to_many(ground):
    db, dp = ground.central.db, ground.central.datapath()
    ports = [ground.central.port(dp, f"vm{i}") for i in range(MEMBERS)]
    db.transact({"op": "insert", "table": "Multicast_Group", "row": {
        "datapath": ["uuid", dp], "name": "_MC_flood", "tunnel_key": 32768, "ports": ["set", [["uuid", p] for p in ports]]}})
    flows = [("ingress", t, "1", "next;") for t in range(10)] + [("ingress", 10, "1", 'outport = "_MC_flood"; output;')] \
        + [("egress", t, "1", "next;") for t in range(15)] + [("egress", 15, "1", "output;")]
    db.transact(*({"op": "insert", "table": "Logical_Flow", "row": {
        "logical_datapath": ["uuid", dp], "pipeline": p, "table_id": t, "priority": 1, "match": m, "actions": a}} for p, t, m, a in flows))
    h = ground.host()
    registered(ground)
    words = []
    for i in range(MEMBERS):
        words += ["--", "add-port", "br-int", f"v{i}", "--", "set", "Interface", f"v{i}", "type=dummy", f"external_ids:iface-id=vm{i}"]
    h.vsctl("--no-wait", *words[1:])
    eventually(lambda: len(db.select("Port_Binding", [("up", "==", True)])) == MEMBERS, 30)
    owner(ground, "vm0", "hv1")

    def flood():
        before = transmitted(h)
        h.ovs("appctl", "-t", f"{h.dir}/vswitchd.ctl", "netdev-dummy/receive", "v0",
              "ffffffffffff0a0000000001" "0806" "00010800060400010a00000000010a000001" + "00" * 28)
        time.sleep(0.5)
        after = transmitted(h)
        return [after[n] - before.get(n, 0) for n in after]

    counts = flood()
    assert (sum(counts), max(counts)) == (MEMBERS - 1, 1), "one copy for each, none for who sent it"
    assert sum(flood()) == MEMBERS - 1
    assert h.complaints() == []
    # A restart finds these flows as they should be.
    h.kill("controller", 15)
    h.start_controller()
    eventually(lambda: h.appctl("connection-status").strip() == "connected")
    time.sleep(0.5)
    assert sum(flood()) == MEMBERS - 1

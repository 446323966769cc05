"""What packets teach, from the switch to the southbound database: FDB and MAC_Binding rows. Packets are put into the switch as its flows would
hand them on: metadata and registers, then the controller action with the operation in its userdata (src/logical/opcode.h)."""
import pytest
from ground import eventually, stays
from test_binding import owner

ND_NS, PUT_ARP, PUT_ND, PUT_FDB, UNKNOWN = 2, 10, 11, 12, 200
FRAME = "ffffffffffff{mac}88b5" + "00" * 46


@pytest.fixture
def blue(ground):
    """A host with a port of switch blue, and where that is: (host, datapath, keys of the datapath and the port)."""
    h = ground.host()
    dp = ground.central.datapath("blue")
    ground.central.port(dp, "vm1")
    eventually(h.bridge)
    h.plug("vif1", "vm1")
    owner(ground, "vm1", "hv1")
    key = lambda table, **where: ground.central.one(table, **where)["tunnel_key"]
    eventually(lambda: "connected for packets" in h.log())
    return h, dp, key("Datapath_Binding"), key("Port_Binding", logical_port="vm1")


def punt(h, operation, dp, port, mac, reg0=0, reg3=0):
    userdata = ".".join(f"{b:02x}" for b in [operation] + [0] * 7)
    h.ovs("ofctl", "-O", "OpenFlow15", "packet-out", f"unix:{h.dir}/br-int.mgmt",
          f"in_port=CONTROLLER packet={FRAME.format(mac=mac.replace(':', ''))} actions=set_field:{dp}->metadata,set_field:{port}->reg14,"
          f"set_field:{reg0}->reg0,set_field:{reg3}->reg3,controller(userdata={userdata})")


def rows(g, table):
    return g.central.db.select(table)


def test_address_is_learnt_and_moves(ground, blue):
    h, _, dp, port = blue
    punt(h, PUT_FDB, dp, port, "0a:00:00:00:00:01")
    row = eventually(lambda: ground.central.one("FDB"))
    assert (row["mac"], row["dp_key"], row["port_key"]) == ("0a:00:00:00:00:01", dp, port) and row["timestamp"] > 0
    punt(h, PUT_FDB, dp, port + 50, "0a:00:00:00:00:01")
    eventually(lambda: ground.central.one("FDB")["port_key"] == port + 50)
    assert ground.central.one("FDB")["_uuid"] == row["_uuid"]
    version = ground.central.one("FDB")["_version"]
    punt(h, PUT_FDB, dp, port + 50, "0a:00:00:00:00:01")
    stays(lambda: ground.central.one("FDB")["_version"] == version)
    assert h.complaints() == []


def test_rows_of_other_datapaths_are_not_ours_to_know(ground, blue):
    h, _, dp, port = blue
    ground.central.db.transact({"op": "insert", "table": "FDB", "row": {"mac": "0a:00:00:00:00:07", "dp_key": dp + 77, "port_key": 1}})
    punt(h, PUT_FDB, dp, port, "0a:00:00:00:00:01")
    eventually(lambda: len(rows(ground, "FDB")) == 2)
    lookup = lambda: h.ovs("ofctl", "-O", "OpenFlow15", "dump-flows", f"unix:{h.dir}/br-int.mgmt", "table=94")
    eventually(lambda: "0a:00:00:00:00:01" in lookup())
    assert "0a:00:00:00:00:07" not in lookup()
    # Another chassis learnt the same address of a datapath we do not see: ours holds, and it is no error.
    punt(h, PUT_FDB, dp + 77, port, "0a:00:00:00:00:07")
    eventually(lambda: ground.central.one("FDB", mac="0a:00:00:00:00:07")["port_key"] == port)
    assert h.complaints() == []


def test_neighbours(ground, blue):
    h, datapath, dp, port = blue
    punt(h, PUT_ARP, dp, port, "0a:00:00:00:00:01", reg0=0x0a000009)
    punt(h, PUT_ND, dp, port, "0a:00:00:00:00:02", reg0=0xfd000000, reg3=2)
    found = lambda: {r["ip"]: (r["mac"], r["logical_port"], r["datapath"]) for r in rows(ground, "MAC_Binding")}
    eventually(lambda: found() == {"10.0.0.9": ("0a:00:00:00:00:01", "vm1", datapath), "fd00::2": ("0a:00:00:00:00:02", "vm1", datapath)})
    punt(h, PUT_ARP, dp, port, "0a:00:00:00:00:05", reg0=0x0a000009)
    eventually(lambda: found()["10.0.0.9"][0] == "0a:00:00:00:00:05")
    punt(h, PUT_ARP, dp, port + 50, "0a:00:00:00:00:05", reg0=0x0a000008)          # No such port.
    stays(lambda: len(found()) == 2)
    assert h.complaints() == []


def test_a_neighbour_that_is_known_is_not_written_again(ground, blue):
    h, _, dp, port = blue
    punt(h, PUT_ARP, dp, port, "0a:00:00:00:00:01", reg0=0x0a000009)
    before = eventually(lambda: rows(ground, "MAC_Binding"))
    h.kill("controller", 15)                              # It forgets what it learnt a moment ago.
    h.start_controller()
    eventually(lambda: h.log().count("connected for packets") == 2)
    owner(ground, "vm1", "hv1")
    punt(h, PUT_ARP, dp, port, "0a:00:00:00:00:01", reg0=0x0a000009)
    eventually(lambda: h.appctl("coverage/read-counter", "packet_put_arp").strip() == "1")
    stays(lambda: rows(ground, "MAC_Binding") == before, 0.4)


def test_what_waits_for_the_database_is_written_when_it_is_back(ground, blue):
    h, _, dp, port = blue
    ground.central.kill("sb")
    for i in range(3):
        punt(h, PUT_FDB, dp, port, f"0a:00:00:00:00:0{i}")
    ground.central.start_server()
    eventually(lambda: len(rows(ground, "FDB")) == 3)


def test_a_lesson_that_is_refused_holds_up_no_other(ground, blue):
    """A port key out of the column's range is refused by the server: the others of the transaction are written."""
    h, _, dp, port = blue
    ground.central.kill("sb")         # So that all are in one transaction.
    punt(h, PUT_FDB, dp, port, "0a:00:00:00:00:01")
    punt(h, PUT_FDB, dp, 0x7fffffff, "0a:00:00:00:00:02")
    punt(h, PUT_FDB, dp, port, "0a:00:00:00:00:03")
    ground.central.start_server()
    eventually(lambda: {r["mac"][-1] for r in rows(ground, "FDB")} == {"1", "3"})
    assert any("cannot write what was learnt" in l for l in h.complaints())
    assert h.appctl("coverage/read-counter", "learnt_dropped").strip() == "1"


def test_unknown_operations_are_named_once(ground, blue):
    h, _, dp, port = blue
    for _ in range(3):
        punt(h, UNKNOWN, dp, port, "0a:00:00:00:00:01")
    eventually(lambda: h.appctl("coverage/read-counter", "packet_unknown").strip() == "3")
    assert len([l for l in h.complaints() if "operation 200" in l]) == 1
    punt(h, ND_NS, dp, port, "0a:00:00:00:00:01")             # Not of IPv6.
    eventually(lambda: h.appctl("coverage/read-counter", "packet_refused").strip() == "1")


def test_the_switch_restarts_and_packets_come_again(ground, blue):
    h, _, dp, port = blue
    h.kill("vswitchd", 15)
    h.start_vswitchd()
    eventually(lambda: h.log().count("connected for packets") == 2, 15)
    punt(h, PUT_FDB, dp, port, "0a:00:00:00:00:01")
    eventually(lambda: ground.central.one("FDB"))

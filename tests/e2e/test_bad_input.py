"""Bad input gets a clear message and harms nothing else."""
import contextlib
import os
import socket
import threading

import pytest
from helpers import Pinger, chassis_caught_up, eventually, is_marked, log_of, marked, ping, reaches, works

BAD_FLOWS = [("nosuchfield == 1", "drop;"), ("((ip4", "drop;"), ("1", "nosuchaction();"), ("1", "output"),
             ("ip4.src == 10.0.0.0/33", "drop;"), ("eth.type ==", "drop;"), ('inport == "unclosed', "drop;"),
             ("ip4 && ip6.src == 10.0.0.1", "drop;"), ("1", "eth.dst = ip4.src;"), ("\u2603 == 1", "drop;"),
             ("1", "next(99);"), ("(" * 5000 + "1" + ")" * 5000, "drop;"), ("!" * 5000 + "ip4", "drop;")]


def insert_flow(datapath, match, actions, priority=65000):
    return {"op": "insert", "table": "Logical_Flow", "row": {
        "logical_datapath": ["uuid", datapath], "pipeline": "ingress", "table_id": 0, "priority": priority,
        "match": match, "actions": actions}}


def test_bad_logical_flows_are_skipped_and_named(lab, wire):
    """With northd away, flows that do not parse appear beside a good one: the good one works."""
    one, two = lab.topology.vms["b1"].mac, lab.topology.vms["b2"].mac
    sender, receiver = wire("b1"), wire("b2")
    datapath = lab.sb.select("Port_Binding", [("logical_port", "==", "b1")])[0]["datapath"]
    log_before = len(log_of(lab, "hv1/controller"))
    lab.kill("northd")
    with Pinger(lab, "b1", "10.0.0.2") as p:
        bad = [insert_flow(datapath, m, a, 65000 + i) for i, (m, a) in enumerate(BAD_FLOWS)]
        lab.sb.transact(bad[0])           # by itself, as warnings are rate-limited
        assert chassis_caught_up(lab)
        lab.sb.transact(*bad[1:],
                        insert_flow(datapath, f"eth.type == 0x88b5 && eth.dst == {two}", "drop;", 64000))
        assert chassis_caught_up(lab)
    assert not p.lost, "all other flows work"
    sender.send(marked(one, two, "dropped-by-good"))
    assert receiver.collect(is_marked("dropped-by-good")) == [], "the good flow beside them works"
    lab.unplug("b3")
    lab.plug("b3", "hv1")
    assert lab.wait_port_up("b3", 10) and works(lab, "b3", "10.0.0.2"), "and so does the hypervisor"
    said = [line for line in log_of(lab, "hv1/controller")[log_before:].splitlines() if "|WARN|" in line]
    assert any("nosuchfield" in line for line in said), f"a warning names what is wrong: {said}"
    assert len(said) <= 3 * len(BAD_FLOWS), "and does not flood the log"
    lab.start("northd")
    assert lab.sync(15)
    assert not [r for r in lab.sb.select("Logical_Flow", columns=["match"]) if r["match"] == BAD_FLOWS[0][0]]
    sender.send(marked(one, two, "back-to-normal"))
    assert len(receiver.collect(is_marked("back-to-normal"), 2, enough=1)) == 1


@contextlib.contextmanager
def liar(path, words):
    """A server on the Unix socket PATH that sends WORDS (chunks) to whoever connects, and counts them."""
    server = socket.socket(socket.AF_UNIX)
    with contextlib.suppress(FileNotFoundError):
        os.unlink(path)
    server.bind(str(path))
    server.listen(16)
    guests, stop = [], threading.Event()

    def serve():
        while not stop.is_set():
            try:
                guest = server.accept()[0]
            except OSError:
                return
            guests.append(guest)
            with contextlib.suppress(OSError):
                guest.settimeout(5)
                guest.recv(100)
                for w in words:
                    guest.sendall(w)

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    try:
        yield guests
    finally:
        stop.set()
        server.shutdown(socket.SHUT_RDWR)
        server.close()
        for g in guests:
            g.close()
        thread.join(10)
        os.unlink(path)


LIES = {
    "garbage": [b"\xff\xfe\0 this is no JSON \x80\n" * 100],
    "half a message": [b'{"id":1,"result":[{"rows":[{"name":"h'],
    "deep nesting": [b"[" * 300000],
    "a wrong type": [b'{"id":null,"method":"update3","params":[1,2,3,4,5]}{"id":"echo","method":"echo","params":7}'
                     b'{"id":1,"result":"yes","error":null}[]true"x"'],
}


def resident(pid):
    with open(f"/proc/{pid}/status") as f:
        return int(next(line for line in f if line.startswith("VmRSS")).split()[1]) << 10


def lie_to_controller(lab, lies):
    real = lab.local("hv1").select("Open_vSwitch")[0]["external_ids"]["ovn-remote"]
    pid = lab.daemons.running("hv1/controller")
    before = resident(pid[0])
    path = lab.directory / "liar.sock"
    with Pinger(lab, "b1", "10.0.0.2") as p:
        with liar(path, lies) as guests:
            lab.ovs("hv1", "vsctl", "set", "Open_vSwitch", ".", f"external_ids:ovn-remote=unix:{path}")
            eventually(lambda: guests, 15, "nobody came to listen")
            eventually(lambda: len(guests) > 1 or lies is LIES["half a message"], 15, "no second try")
            assert lab.daemons.running("hv1/controller") == pid, "the controller died of it"
            grown = resident(pid[0]) - before
        lab.ovs("hv1", "vsctl", "set", "Open_vSwitch", ".", f"external_ids:ovn-remote={real}")
        assert lab.sync(20), "the controller does not come back to the real database"
    assert not p.lost
    assert lab.daemons.running("hv1/controller") == pid
    return grown


@pytest.mark.parametrize("lie", LIES)
def test_southbound_that_talks_nonsense(lab, lie):
    reaches(lab, "b1", "10.0.0.2")
    lie_to_controller(lab, LIES[lie])


@pytest.mark.ours("23.03 keeps whatever it is sent")
def test_southbound_that_sends_100_megabytes(lab):
    reaches(lab, "b1", "10.0.0.2")
    huge = [b'{"id":1,"result":["'] + [b"x" * (1 << 20)] * 100 + [b'"]}'] * 2
    assert lie_to_controller(lab, huge) < 400 << 20, "bounded memory"


@pytest.mark.parametrize("lie", LIES)
def test_northbound_that_talks_nonsense(lab, lie):
    lab.kill("northd")
    with liar(lab.directory / "liar.sock", LIES[lie]) as guests:
        lab.daemons.start("central/northd", [f"--ovnnb-db=unix:{lab.directory}/liar.sock"])
        pid = lab.daemons.running("central/northd")
        eventually(lambda: guests, 15, "nobody came to listen")
        eventually(lambda: len(guests) > 1 or lie == "half a message", 15, "no second try")
        assert lab.daemons.running("central/northd") == pid, "northd died of it"
        lab.kill("northd")
    lab.start("northd")
    assert lab.sync(15)
    assert works(lab, "b1", "10.0.0.2")


def test_two_ports_with_one_mac(lab):
    lab.nbctl("--wait=hv", "lsp-add", "blue", "twin", "--", "lsp-set-addresses", "twin", lab.topology.vms["b2"].mac)
    try:
        assert works(lab, "b1", "10.0.0.3") and works(lab, "b2", "10.0.0.1")
        assert lab.daemons.running("central/northd")
    finally:
        lab.nbctl("--wait=hv", "lsp-del", "twin")
    assert works(lab, "b1", "10.0.0.2")


@pytest.mark.parametrize("addresses", ["nonsense", "0a:00:00:00:00", "0a:00:00:00:00:09 10.0.0.300", "dynamic dynamic"])
def test_a_port_with_bad_addresses(lab, addresses):
    """Written past ovn-nbctl's checks, as another CMS would."""
    lab.nb.transact({"op": "update", "table": "Logical_Switch_Port", "where": [["name", "==", "b3"]],
                     "row": {"addresses": addresses}})
    try:
        assert lab.sync(10)
        assert ping(lab, "b1", "10.0.0.2") == 3, "the other ports do not notice"
    finally:
        lab.nbctl("--wait=hv", "lsp-set-addresses", "b3", f"{lab.topology.vms['b3'].mac} 10.0.0.3")
    assert works(lab, "b1", "10.0.0.3")


def test_a_chassis_name_taken_by_another_host(lab):
    """A cloned machine claims to be hv1. Nobody dies, and all is well once it has a name of its own."""
    pids = {hv: lab.daemons.running(f"{hv}/controller") for hv in lab.topology.hypervisors}
    lab.ovs("hv2", "vsctl", "set", "Open_vSwitch", ".", "external_ids:system-id=hv1")
    eventually(lambda: "hv1" in log_of(lab, "hv2/controller"), 5)
    ping(lab, "b1", "10.0.0.3", 20)
    assert ping(lab, "b1", "10.0.0.3") == 3, "local traffic goes on"
    lab.ovs("hv2", "vsctl", "set", "Open_vSwitch", ".", "external_ids:system-id=hv2")
    for vm in lab.topology.vms:
        assert lab.wait_port_up(vm, 20), f"{vm} does not come back"
    reaches(lab, "b1", "10.0.0.2", 20)
    assert {hv: lab.daemons.running(f"{hv}/controller") for hv in pids} == pids

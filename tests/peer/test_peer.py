"""Beside another OVN (Debian's 23.03): under its northd, in one overlay with its ovn-controller, on its
databases. `make check-peer` unpacks it; without it, or without our programs, these tests are skipped."""
import time

import pytest
from conftest import BLUE_AND_RED, build_lab, retire_lab
from helpers import Pinger, flows, geneve_of, is_marked, keys, marked, ping, reaches, settle
from ovnlab import LabError, process, programs

needs_peer = pytest.mark.skipif(not programs.peer_available(), reason="no peer: run `tools/check-peer --unpack`")
needs_ours = pytest.mark.skipif(not programs.ours_available(), reason="our programs are not built: run `make`")
pytestmark = [needs_peer, needs_ours]

# What runs where. Our northd is never put above the peer's controller: 23.03 knows fewer tables.
CENTRAL = {"northd": "peer", "schema": "peer", "nbctl": "peer", "sbctl": "peer"}
MIXES = {"ours under its northd": ("ours", "ours"), "ours and its, one overlay": ("ours", "peer"),
         "its and ours, one overlay": ("peer", "ours")}


@pytest.fixture(scope="module", params=MIXES)
def mixed_of_module(request):
    hv1, hv2 = MIXES[request.param]
    text = BLUE_AND_RED.replace("[hypervisor.hv1]", f'[hypervisor.hv1]\ncontroller = "{hv1}"') \
                       .replace("[hypervisor.hv2]", f'[hypervisor.hv2]\ncontroller = "{hv2}"')
    try:
        lab = build_lab(f"mixed-{hv1}-{hv2}", text, use=CENTRAL)
    except LabError as e:
        pytest.fail(f"the lab did not come up: {e}", pytrace=False)
    yield lab
    retire_lab(lab, request.module)


@pytest.fixture
def mixed(mixed_of_module):
    settle(mixed_of_module)
    return mixed_of_module


@pytest.fixture
def lab(mixed):
    """For the `wire` fixture."""
    return mixed


def test_pings_across(mixed):
    for vm, address in (("b1", "10.0.0.2"), ("b2", "10.0.0.1"), ("r1", "10.0.0.2"), ("r2", "10.0.0.1"),
                        ("b1", "10.0.0.3"), ("b3", "10.0.0.4"), ("b4", "10.0.0.1"), ("b1", "fd00::2")):
        reaches(mixed, vm, address)
        assert ping(mixed, vm, address) == 3, f"{vm} to {address}"


@pytest.mark.parametrize("one, two, cable", [("b1", "b2", "hv1"), ("b2", "b1", "hv2"), ("r1", "r2", "hv1"), ("r2", "r1", "hv2")])
def test_geneve_headers_agree_with_the_southbound(mixed, wire, one, two, cable):
    vms, k, text = mixed.topology.vms, keys(mixed), f"{one}-to-{two}"
    watch, receiver = wire(cable), wire(two)
    wire(one).send(marked(vms[one].mac, vms[two].mac, text))
    assert len(receiver.collect(is_marked(text), 2, enough=1)) == 1
    seen = [p for p in watch.tunnelled() if text.encode() in bytes(p)]
    assert [geneve_of(p) for p in seen] == [(k[vms[one].switch], k[one], k[two])]


@pytest.mark.parametrize("sender", ["b1", "b2"])
def test_flooding_reaches_everyone_once(mixed, wire, sender):
    wires = {vm: wire(vm) for vm in mixed.topology.vms}
    wires[sender].send(marked(mixed.topology.vms[sender].mac, "ff:ff:ff:ff:ff:ff", "to-all"))
    time.sleep(0.4)
    counts = {vm: len(w.collect(is_marked("to-all"), 0.02)) for vm, w in wires.items()}
    assert counts == {vm: int(vm[0] == "b" and vm != sender) for vm in wires}


def test_a_machine_moves_there_and_back(mixed):
    reaches(mixed, "b1", "10.0.0.2")
    for hv in ("hv1", "hv2"):
        with Pinger(mixed, "b1", "10.0.0.2", interval=0.02) as p:
            mixed.move("b2", hv)
            assert mixed.wait_port_up("b2", 10)
            time.sleep(0.7)
        assert p.silence < 3


def test_our_controller_restarts_without_loss(mixed):
    reaches(mixed, "b1", "10.0.0.2")
    for hv in mixed.topology.hypervisors:
        if mixed.state["controllers"][hv].startswith(str(programs.PEER)):
            continue
        before = flows(mixed, hv)
        with Pinger(mixed, "b1", "10.0.0.2") as p:
            mixed.restart(f"{hv}/controller")
            assert mixed.sync(15)
        assert not p.lost and flows(mixed, hv) == before


def our_tool(mixed, program, *words):
    return process.run([str(programs.OURS / "bin" / f"ovn-{program}"), *words], env=mixed.tool_environment())


def test_our_tools_say_what_its_tools_say(mixed):
    for program, words in (("nbctl", ["ls-list"]), ("nbctl", ["lsp-list", "blue"]), ("nbctl", ["lsp-get-up", "b1"]),
                           ("nbctl", ["lsp-get-addresses", "b1"]), ("nbctl", ["show"]), ("sbctl", ["show"]),
                           ("nbctl", ["--bare", "--columns=name,addresses", "list", "Logical_Switch_Port", "b1"]),
                           ("nbctl", ["--format=csv", "--columns=name,nb_cfg", "list", "NB_Global"]),
                           ("nbctl", ["get", "Logical_Switch_Port", "b1", "addresses"]),
                           ("sbctl", ["--columns=logical_port,tunnel_key", "find", "Port_Binding", "logical_port=b1"]),
                           ("sbctl", ["lflow-list", "blue"])):
        theirs = mixed.tool(program, *words)
        ours = our_tool(mixed, program, *words)
        if words == ["show"]:
            # The databases promise no order among rows; neither do the tools.
            ours, theirs = sorted(ours.splitlines()), sorted(theirs.splitlines())
        assert ours == theirs, f"ovn-{program} {' '.join(words)}"


def test_our_tools_change_its_databases(mixed):
    our_tool(mixed, "nbctl", "--wait=hv", "--timeout=15", "lsp-set-enabled", "b2", "disabled")
    try:
        assert ping(mixed, "b1", "10.0.0.2", 2, wait=0.3) == 0
    finally:
        our_tool(mixed, "nbctl", "--wait=hv", "--timeout=15", "lsp-set-enabled", "b2", "enabled")
    reaches(mixed, "b1", "10.0.0.2", 5)

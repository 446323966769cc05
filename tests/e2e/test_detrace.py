"""ovn-detrace on real switches: every cookie of every flow is explained, and a trace names the port and the stages that a packet goes through."""
import re
import subprocess

import pytest
from conftest import REPO
from helpers import flows

pytestmark = pytest.mark.ours("the peer's flows from tunnels have no cookie, and its ovn-detrace knows fewer tables")


def detrace(lab, hv, text, *options):
    done = subprocess.run([REPO / "build/bin/ovn-detrace", f"--ovsdb=unix:{lab.directory}/{hv}/db.sock", *options], env=lab.tool_environment(), input=text,
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, timeout=30)
    assert done.returncode == 0 and not done.stderr, done.stderr
    assert re.sub(r"^ {2,3}\* .*\n", "", done.stdout, flags=re.M) == text, "the lines are what they were"
    return done.stdout


@pytest.mark.parametrize("hv", ["hv1", "hv2"])
def test_every_cookie_is_explained(lab, hv):
    b1, b2 = lab.topology.vms["b1"], lab.topology.vms["b2"]
    lab.nbctl("--wait=hv", "lsp-set-port-security", "b1", b1.mac, "--", "lsp-set-port-security", "b2", b2.mac)
    try:
        dump = lab.ovs(hv, "ofctl", "-OOpenFlow15", "dump-flows", "br-int")
        blocks = re.split(r"^(?= cookie=)", detrace(lab, hv, dump, "--ovs"), flags=re.M)[1:]
    finally:
        lab.nbctl("--wait=hv", "lsp-set-port-security", "b1", "--", "lsp-set-port-security", "b2")
    assert len(blocks) == dump.count("cookie=") > 100
    kinds = set()
    for block in blocks:
        flow, *said = block.splitlines()
        cookie, table = re.match(r" cookie=(0x[0-9a-f]+),.* table=(\d+),", flow).groups()
        rows = [line for line in said if not re.match(r"  \*     |  \* (Logical datapaths|OVS Interface)", line)]
        kinds |= {re.match(r" +\* ([A-Za-z ]+)", line).group(1) for line in said}
        if cookie == "0x0":
            assert not rows
            continue
        assert said, flow
        lflow = re.search(r"Logical flow: table=(\d+) \((l[sr])_(in|out)_\w+\), priority=(\d+), .* \(([0-9a-f-]{36})\)", block)
        if lflow:                                                # It is that flow, in the table that it belongs to.
            ltable, _, direction, priority, uuid = lflow.groups()
            assert int(table) == int(ltable) + (8 if direction == "in" else 62) and f"priority={priority}," in flow
            assert int(uuid[:8], 16) == int(cookie, 16)
    assert {"Logical flow", "Logical datapath", "Port Binding", "Multicast Group", "Logical Switch Port", "OVS Interface"} <= kinds


def test_a_trace_names_what_the_packet_meets(lab):
    b1, b2 = lab.topology.vms["b1"], lab.topology.vms["b2"]
    seen = lab.ovs("hv1", "appctl", "ofproto/trace", "--names", "br-int", f"in_port=vm-b1,dl_src={b1.mac},dl_dst={b2.mac}")
    out = detrace(lab, "hv1", seen, "--ovs")
    enters, *tables = re.split(r"^(?= *\d+\. )", out, flags=re.M)[1:]
    assert 'Port Binding: logical_port "b1"' in enters and "OVS Interface: vm-b1 (b1)" in enters
    stages = {}
    for block in tables:
        number = int(re.match(r" *(\d+)\. ", block).group(1))
        if 8 <= number < 52 and "cookie" in block.split("\n", 1)[0]:
            ltable, stage = re.search(r"Logical flow: table=(\d+) \((\w+)\)", block).groups()
            assert int(ltable) == number - 8 and '"blue"' in block
            stages[int(ltable)] = stage
    assert list(stages) == sorted(stages) and stages[0] == "ls_in_check_port_sec" and stages[33] == "ls_in_l2_lkup"
    assert all(stages.get(t) for t in range(34)), "every stage up to the look-up"
    assert re.search(r'ls_in_l2_lkup\).*actions=\(outport = "b2"; output;\).*\n   \* Logical Switch Port: b2 ', out)
    assert re.search(r'Port Binding: logical_port "b2", .*chassis-name "hv2"', out) and re.search(r"OVS Interface: ovn-\S+ \(None\)", out), "and leaves by the tunnel"
    assert flows(lab, "hv1"), "the lab is as it was"

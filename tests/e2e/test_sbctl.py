"""ovn-sbctl lflow-list --ovs on real hypervisors: every OpenFlow flow that has a logical flow is under it, with what the switch counted."""
import re

from helpers import eventually, ping, reaches


def remote(lab, hv):
    return f"--ovs=unix:{lab.place_environment(hv)['OVS_RUNDIR']}/br-int.mgmt"


def listing(lab, hv, *options):
    """(first 32 bits of a logical flow's UUID, the OpenFlow flows under it) in order."""
    out, found = lab.sbctl("--", "--uuid", remote(lab, hv), *options, "lflow-list", timeout=60), []
    for line in out.splitlines():
        if line.startswith("  uuid=0x"):
            found.append((line[9:17], []))
        elif line.startswith("    "):
            found[-1][1].append(line.strip())
    return found


def cookies(lab, hv):
    """How many OpenFlow flows the switch has with each cookie."""
    counts = {}
    for cookie in re.findall(r"cookie=0x([0-9a-f]+), ", lab.ovs(hv, "ofctl", "-O", "OpenFlow15", "--no-stats", "dump-flows", "br-int")):
        counts[int(cookie, 16)] = counts.get(int(cookie, 16), 0) + 1
    return counts


def test_every_flow_of_the_switch_is_under_its_logical_flow(lab):
    for hv in "hv1", "hv2":
        shown, there = {int(c, 16): flows for c, flows in listing(lab, hv)}, cookies(lab, hv)
        logical = {int(r["_uuid"][:8], 16) for r in lab.sb.select("Logical_Flow", columns=["_uuid"])}
        assert set(shown) == logical
        assert {c: len(flows) for c, flows in shown.items() if flows} == {c: n for c, n in there.items() if c in logical}
        assert sum(map(bool, shown.values())) > 20


def counted(lab, hv):
    """Packets that the logical flow that delivers to b3 has let through on a hypervisor."""
    out = lab.sbctl("--", remote(lab, hv), "--stats", "lflow-list", "blue", timeout=60)
    mac = lab.topology.vms["b3"].mac
    block = re.search(rf"ls_in_l2_lkup +\), priority=50 +, match=\(eth\.dst == {mac}\), action=.*\n((?:    cookie=.*\n)*)", out)
    return sum(int(n) for n in re.findall(r"n_packets=(\d+)", block.group(1)))


def test_stats_count_the_packets_of_a_ping(lab):
    reaches(lab, "b1", "10.0.0.3")
    before = counted(lab, "hv1")
    assert ping(lab, "b1", "10.0.0.3", 5) == 5
    eventually(lambda: counted(lab, "hv1") >= before + 5, what="the packets are not counted")
    assert counted(lab, "hv2") == 0

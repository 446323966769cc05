"""lflow-list with --ovs, --stats and --vflows: our tool on our schema with a real switch, and beside the peer's on its own schema."""
import re
import time

import pytest
from bridge import Bridge
from conftest import BUILD, PEER, Server, Tool

D1, D2 = "11111111-0000-4000-8000-000000000001", "22222222-0000-4000-8000-000000000002"
FLOWS = """
cookie=0xaaaaaaaa,table=8,priority=50,metadata=0x1,reg14=0x1,ip,nw_src=10.0.0.1 actions=load:0x1->NXM_NX_REG10[0],resubmit(,9)
cookie=0xaaaaaaaa,table=8,priority=60,metadata=0x1,in_port=1,ipv6 actions=resubmit(,10)
cookie=0xaaaaaaaa,table=7,idle_timeout=600,send_flow_rem,priority=0 actions=drop
cookie=0xbbbbbbbb,table=7,importance=4,priority=1,udp actions=write_actions(output:1),goto_table:9
cookie=0xbbbbbbbb,table=0,in_port=1 actions=resubmit(,20)
cookie=0xbbbbbbbb,table=64,hard_timeout=700,check_overlap,reset_counts,no_packet_counts,no_byte_counts actions=output:1
cookie=0xbbbbbbbb,table=65,priority=32768,metadata=0x9 actions=drop
cookie=0xcccccccc,table=20,priority=100,metadata=0x1 actions=drop
cookie=0xdddddddd,table=21,priority=100,metadata=0x2 actions=drop
cookie=0xeeeeeeee,table=22,priority=100,metadata=0x3 actions=drop
cookie=0x99999999,table=23,priority=100,metadata=0x4 actions=drop
cookie=0x88888888,table=24,priority=100,metadata=0x4 actions=drop
"""
ROWS = f"""
--id={D1} create datapath_binding tunnel_key=1 external_ids:name=blue
--id={D2} create datapath_binding tunnel_key=2 external_ids:name=red external_ids:name2=rouge
--id=@g create logical_dp_group datapaths={D1},{D2}
--id=aaaaaaaa-0000-4000-8000-000000000001 create logical_flow logical_datapath={D1} pipeline=ingress table_id=0 priority=50 match="ip4" actions="next;" external_ids:stage-name=ls_in_check_port_sec
--id=bbbbbbbb-0000-4000-8000-000000000001 create logical_flow logical_dp_group=@g pipeline=egress table_id=9 priority=65535 match=1 actions="drop;" external_ids:stage-name=ls_out_apply_port_sec
--id=cccccccc-0000-4000-8000-000000000001 create port_binding logical_port=p datapath={D1} tunnel_key=1
--id=77777777-0000-4000-8000-000000000001 create port_binding logical_port=q datapath={D2} tunnel_key=12345
--id=dddddddd-0000-4000-8000-000000000001 create mac_binding logical_port=p datapath={D1} ip=10.0.0.9 mac="0a:00:00:00:00:09"
--id=eeeeeeee-0000-4000-8000-000000000001 create multicast_group name=_MC_flood datapath={D1} tunnel_key=32768 ports=cccccccc-0000-4000-8000-000000000001
--id=99999999-0000-4000-8000-000000000001 create chassis name=hv1 encaps=@e
--id=@e create encap type=geneve ip=192.0.2.1
--id=88888888-0000-4000-8000-000000000001 create load_balancer name=lb1 protocol=tcp datapaths={D1},{D2} vips:"10.1.1.1:80"="10.0.0.1:80,10.0.0.2:80"
--id=66666666-0000-4000-8000-000000000001 create load_balancer name=lb2 protocol=udp datapath_group=@g vips:"[fd00::1]:53"="[fd00::2]:53"
"""
BLUE = f'Datapath: "blue" ({D1})  Pipeline: '
RED = f'Datapath: "red" aka "rouge" ({D2})  Pipeline: '
F1 = "  table=0 (ls_in_check_port_sec), priority=50   , match=(ip4), action=(next;)\n"
F2 = "  table=9 (ls_out_apply_port_sec), priority=65535, match=(1), action=(drop;)\n"
F2_OVS = """    table=0 in_port=1 actions=resubmit(,20)
    table=7 udp actions=write_actions(output:1),goto_table:9
    table=64 actions=output:1
    table=65 metadata=0x9 actions=drop
"""


def fill(tool):
    tool.ok(*(word for row in ROWS.strip().splitlines() for word in ["--", *row.split()]))


@pytest.fixture(scope="module")
def bridge():
    b = Bridge("p1", "p2")
    try:
        for flow in FLOWS.strip().splitlines():
            b.add_flow(flow)
        yield b
    finally:
        b.close()


@pytest.fixture(scope="module")
def sb(server):
    tool = Tool(BUILD / "bin/ovn-sbctl", server)
    for table in "Logical_Flow", "Port_Binding", "Multicast_Group", "MAC_Binding", "Load_Balancer", "Logical_DP_Group", "Datapath_Binding", "Chassis":
        tool.ok("--", "--all", "destroy", table)
    fill(tool)
    yield tool
    for table in "Logical_Flow", "Multicast_Group", "MAC_Binding", "Load_Balancer", "Port_Binding", "Logical_DP_Group", "Datapath_Binding", "Chassis":
        tool.ok("--", "--all", "destroy", table)


def test_ovs(sb, bridge):
    """By table, then priority; only what a flow matches and does."""
    ovs = f"--ovs={bridge.remote}"
    assert sb.ok("--", ovs, "lflow-list", "blue") == (
        BLUE + "ingress\n" + F1 + "    table=7 actions=drop\n    table=8 ipv6,metadata=0x1,in_port=1 actions=resubmit(,10)\n"
        "    table=8 ip,reg14=0x1,metadata=0x1,nw_src=10.0.0.1 actions=set_field:0x1/0x1->reg10,resubmit(,9)\n"
        + BLUE + "egress\n" + F2 + F2_OVS)
    assert sb.ok("--", ovs, "--uuid", "dump-flows", "red") == RED + "egress\n" + F2.replace("  table", "  uuid=0xbbbbbbbb, table") + F2_OVS
    assert sb.ok("--", ovs, "lflow-list", "rouge", "0xaa") == ""


def test_the_default_is_the_integration_bridge(sb, bridge):
    assert sb.ok("--", "--ovs", "lflow-list", "red", env={"OVS_RUNDIR": str(bridge.dir)}) == RED + "egress\n" + F2 + F2_OVS


def test_stats_are_counted_by_the_switch(sb, bridge):
    ovs = f"--ovs={bridge.remote}"
    first = r"cookie=0xbbbbbbbb, duration=[\d.]+s, table=0, n_packets=%d, n_bytes=%d, idle_age=\d+, in_port=1 actions=resubmit\(,20\)"
    assert re.search(first % (0, 0), sb.ok("--", ovs, "--stats", "lflow-list", "red"))
    for _ in range(3):
        bridge.appctl("netdev-dummy/receive", "p1", "0a00000000010a0000000002" + "1234" + "00" * 46)
    deadline = time.monotonic() + 10
    while True:                                                    # The datapath takes the packets when it pleases.
        bridge.appctl("revalidator/purge")                         # Its counters go to the flows.
        out = sb.ok("--", ovs, "--stats", "lflow-list", "red")
        if re.search(first % (3, 180), out):
            break
        assert time.monotonic() < deadline, out
    # All of it, as the switch's own tool writes it.
    shown = {re.sub(r"duration=[\d.]+s|idle_age=\d+", "", line.strip()) for line in out.splitlines() if "cookie=" in line}
    assert shown == {re.sub(r"duration=[\d.]+s|idle_age=\d+", "", line) for line in bridge.dump_flows() if "cookie=0xbbbbbbbb" in line}
    assert "cookie=" not in sb.ok("--", "--stats", "lflow-list", "red")                # Of what, without --ovs?


def test_a_switch_that_is_not_there_is_a_warning(sb):
    r = sb("--", "--ovs=unix:/nonexistent", "lflow-list", "blue", "aaaa")
    assert r.status == 0 and r.out == BLUE + "ingress\n" + F1
    assert "--ovs: no switch at unix:/nonexistent" in r.err


VFLOWS = """
Port Bindings:
  {blue}logical_port=p, tunnel_key=1    
    table=20 metadata=0x1 actions=drop
{q}
MAC Bindings:
  {blue}logical_port=p, ip=10.0.0.9, mac=0a:00:00:00:00:09
    table=21 metadata=0x2 actions=drop

MC Groups:
  {blue}name=_MC_flood, tunnel_key=32768, ports=(p)
    table=22 metadata=0x3 actions=drop

Chassis:
  name=hv1
    table=23 metadata=0x4 actions=drop

Load Balancers:
  name="lb1", protocol="tcp", {both}
  vips:
    10.1.1.1:80 = 10.0.0.1:80,10.0.0.2:80

    table=24 metadata=0x4 actions=drop
  name="lb2", protocol="udp", {both}
  vips:
    [fd00::1]:53 = [fd00::2]:53

"""


def test_vflows(sb, bridge):
    ovs = f"--ovs={bridge.remote}"
    everything = VFLOWS.format(blue='datapath="blue", ', q='  datapath="red" aka "rouge", logical_port=q, tunnel_key=12345\n',
                               both='datapath="blue", datapath="red" aka "rouge", ')
    out = sb.ok("--", "--vflows", ovs, "lflow-list", "0xaa")
    assert out[out.index("\n\nPort") + 1:] == everything
    out = sb.ok("--", "--vflows", ovs, "lflow-list", "blue")
    assert out[out.index("\n\nPort") + 1:] == VFLOWS.format(blue="", q="", both="")
    out = sb.ok("--", "--vflows", "--uuid", "lflow-list", "red", "aa")
    assert out == ('\nPort Bindings:\n  uuid=0x77777777, logical_port=q, tunnel_key=12345\n\nChassis:\n  uuid=0x99999999, name=hv1\n\nLoad Balancers:\n'
                   '  uuid=0x88888888, name="lb1", protocol="tcp", \n  vips:\n    10.1.1.1:80 = 10.0.0.1:80,10.0.0.2:80\n\n'
                   '  uuid=0x66666666, name="lb2", protocol="udp", \n  vips:\n    [fd00::1]:53 = [fd00::2]:53\n\n')


def test_groups_of_today_are_datapaths_too(sb):
    """ls_datapath_group and lr_datapath_group, which 23.03 has not."""
    group = sb.ok("--bare", "--columns=_uuid", "list", "logical_dp_group").strip()
    sb.ok("clear", "load_balancer", "lb2", "datapath_group", "--", "set", "load_balancer", "lb2", f"lr_datapath_group={group}")
    assert 'name="lb2", protocol="udp", datapath="blue", datapath="red" aka "rouge", \n' in sb.ok("--", "--vflows", "lflow-list", "0xaa")
    sb.ok("clear", "load_balancer", "lb2", "lr_datapath_group", "--", "set", "load_balancer", "lb2", f"ls_datapath_group={group}")
    assert 'name="lb2", protocol="udp", \n' in sb.ok("--", "--vflows", "lflow-list", "red", "0xaa")
    sb.ok("clear", "load_balancer", "lb2", "ls_datapath_group", "--", "set", "load_balancer", "lb2", f"datapath_group={group}")


@pytest.mark.skipif(not (PEER / "usr/bin/ovn-sbctl").exists(), reason="Debian's OVN is not unpacked (make check-peer)")
def test_as_the_peer_on_one_database(bridge):
    server = Server(PEER / "usr/share/ovn")
    try:
        ours, theirs = (Tool(path / "ovn-sbctl", server) for path in (BUILD / "bin", PEER / "usr/bin"))
        fill(theirs)
        for options in [], ["--uuid"], ["--stats"], ["--vflows"], ["--vflows", "--uuid"]:
            for more in [], [f"--ovs={bridge.remote}"]:
                for words in [], ["blue"], ["rouge"], [D2], ["2222"], ["0xaa"], ["blue", "bb"], ["red", "aa", "bb"]:
                    for command in "lflow-list", "dump-flows":
                        argv = ["--", *options, *more, command, *words]
                        a, b = (re.sub(r"duration=[\d.]+s|idle_age=\d+", "", t.ok(*argv)) for t in (ours, theirs))
                        # The peer shows rows and OpenFlow flows as its hash tables have them.
                        assert sorted(a.splitlines()) == sorted(b.splitlines()), argv
                        if not more and "--vflows" not in options:
                            assert a == b, argv
        for words in [], ["blue"], ["rouge"], [D1], ["nothing"]:
            assert ours.ok("count-flows", *words) == theirs.ok("count-flows", *words)
    finally:
        server.close()

"""ovn-trace on what our ovn-northd makes of switches: where packets go, in which words, and what it says to wrong questions."""
import json
import subprocess

import pytest
from network import BUILD, Network, outputs

A, B, C, X = "0a:00:00:00:00:01", "0a:00:00:00:00:02", "0a:00:00:00:00:03", "0a:00:00:00:00:99"
SWITCHES = f"""
ls-add sw0
lsp-add sw0 a
lsp-set-addresses a "{A} 10.0.0.1 fd00::1"
lsp-set-port-security a "{A} 10.0.0.1/24 10.0.8.0/24 fd00::1"
lsp-add sw0 b
lsp-set-addresses b "{B} 10.0.0.2"
lsp-set-port-security b {B}
lsp-add sw0 c
lsp-set-addresses c unknown
ls-add sw1
set Logical_Switch sw1 'external_ids:"neutron:network_name"=mynet'
lsp-add sw1 "5c2cb8c1-3a7e-4d5b-8d3a-000000000001"
set Logical_Switch_Port 5c2cb8c1-3a7e-4d5b-8d3a-000000000001 'external_ids:"neutron:port_name"=webserver'
lsp-set-addresses "5c2cb8c1-3a7e-4d5b-8d3a-000000000001" "{A} 10.0.0.1"
lsp-add sw1 d
lsp-set-addresses d "{B} 10.0.0.2"
"""


@pytest.fixture(scope="module")
def network():
    n = Network()
    try:
        n.build(SWITCHES)
        yield n
    finally:
        n.stop()


def frame(port, src, dst, more=""):
    return f'inport == "{port}" && eth.src == {src} && eth.dst == {dst}' + (f" && {more}" if more else "")


def trace(network, *words):
    done = network.trace(*words)
    assert done.returncode == 0 and not done.stderr, done
    return done.stdout


def goes_to(network, *words):
    return outputs(trace(network, "--minimal", *words))


@pytest.mark.parametrize("packet, ports", [
    (frame("a", A, B), ["b"]),
    (frame("b", B, A), ["a"]),
    (frame("a", A, X), ["c"]),                                   # Who takes unknown ones.
    (frame("a", A, "ff:ff:ff:ff:ff:ff"), ["b", "c"]),
    (frame("c", X, A), ["a"]),
    (frame("c", X, X), []),                                      # Back to where it came from.
    (frame("a", B, C), []),                                      # Not its MAC,
    (frame("a", A, B, "ip4.src == 10.0.0.1 && ip4.dst == 10.0.0.2"), ["b"]),
    (frame("a", A, B, "ip4.src == 10.0.0.9"), []),               # not its address:
    (frame("a", A, B, "ip4.src == 10.0.8.9"), ["b"]),            # 10.0.0.1/24 is one, 10.0.8.0/24 are many.
    (frame("b", B, A, "ip4.dst == 10.0.0.1"), ["a"]),
    (frame("b", B, A, "ip4.dst == 10.0.0.255"), ["a"]),          # The broadcast address of its network.
    (frame("b", B, A, "ip4.dst == 10.0.0.9"), []),
    (frame("b", B, A, "ip6.dst == fe80::800:ff:fe00:1"), ["a"]),
    (frame("a", A, B, "ip6.src == fd00::1"), ["b"]),
    (frame("a", A, B, "ip6.src == fd00::2"), []),
    (frame("a", A, B, f"arp.op == 2 && arp.sha == {A} && arp.spa == 10.0.0.1"), ["b"]),
    (frame("a", A, B, f"arp.op == 2 && arp.sha == {B} && arp.spa == 10.0.0.1"), []),
    (frame("a", A, B, "nd_na && ip6.src == fd00::1 && ip6.dst == fd00::2 && nd.target == fd00::1"), ["b"]),
    (frame("a", A, B, "nd_na && ip6.src == fd00::1 && ip6.dst == fd00::2 && nd.target == fd00::3"), []),
    (frame("a", A, B, "ip4.src == 0.0.0.0 && ip4.dst == 255.255.255.255 && udp.src == 68 && udp.dst == 67"), ["b"]),
    (frame("a", A, B, "vlan.vid == 3"), []),
    (frame("a", "01:00:00:00:00:01", B), []),
])
def test_goes_to(network, packet, ports):
    assert goes_to(network, packet) == ports, trace(network, packet)
    data = json.loads(trace(network, "--json", packet))
    assert [o["port"] for o in data["outputs"]] == ports
    assert data["verdict"] == ("delivered" if ports else "dropped")


def test_the_switch_answers_arp(network):
    out = trace(network, "--minimal", frame("b", B, "ff:ff:ff:ff:ff:ff", f"arp.op == 1 && arp.sha == {B} && arp.spa == 10.0.0.2 && arp.tpa == 10.0.0.1"))
    assert outputs(out) == ["b"]
    assert f"eth.dst = {B};\n" in out and f"arp.sha = {A};\n" in out and "arp.spa = 10.0.0.1;\n" in out and "arp.op = 2;\n" in out


def test_the_three_forms(network):
    packet = frame("a", A, B)
    out = trace(network, "--all", packet)
    first, detailed, summary, minimal = out.split("\n", 1)[0], *[out.split(f"# {x} trace.\n")[1].split("# ")[0]
                                                              for x in ("Detailed", "Summary", "Minimal")]
    assert first.startswith("# reg14=0x") and first.endswith(f",vlan_tci=0x0000,dl_src={A},dl_dst={B},dl_type=0x0000")
    assert '\ningress(dp="sw0", inport="a")\n-----------------------------\n 0. ls_in_check_port_sec' in detailed
    assert '\negress(dp="sw0", inport="a", outport="b")\n' in detailed and '    /* output to "b", type "" */\n' in detailed
    assert summary.startswith('ingress(dp="sw0", inport="a") {\n    reg0[15] = check_in_port_sec();\n') and summary.endswith("    };\n};\n")
    assert minimal == 'output("b");\n'
    assert trace(network, packet) == first + "\n" + detailed
    assert trace(network, "--summary", packet) == first + "\n" + summary


def test_copies_are_indented(network):
    out = trace(network, frame("a", A, "ff:ff:ff:ff:ff:ff"))
    assert '\nmulticast(dp="sw0", mcgroup="_MC_flood' in out
    assert '\n\n    egress(dp="sw0", inport="a", outport="c")\n    ---' in out
    assert "            /* omitting output because inport == outport && !flags.loopback */\n" in out


def test_names_for_people(network):
    packet = frame("webserver", A, B)
    assert '\ningress(dp="mynet", inport="webserver")\n' in trace(network, packet)
    assert "webserver" not in trace(network, "--no-friendly-names", packet)
    port = 'inport == "5c2cb8c1-3a7e-4d5b-8d3a-000000000001"'
    for datapath in "sw1", "mynet":
        assert goes_to(network, datapath, f"{port} && eth.src == {A} && eth.dst == {B}") == ["d"]


def test_a_datapath_instead_of_an_inport(network):
    assert goes_to(network, "sw0", f"eth.src == {A} && eth.dst == {B}") == ["b"]


def test_why(network):
    why = lambda packet: trace(network, "--why", packet)
    assert why(frame("a", A, "ff:ff:ff:ff:ff:ff")) == 'Delivered to "b", "c".\n'
    assert why(frame("a", A, B, "ip4.src == 10.0.0.9")).startswith(
        f'Dropped by logical switch "sw0" in stage ls_in_apply_port_sec: port security of logical switch port "a" does not let it send from {A} with '
        f'10.0.0.9 (allowed: "{A} 10.0.0.1/24 10.0.8.0/24 fd00::1") (flow ')
    assert "port \"a\" does not let it receive for " in why(frame("b", B, A, "ip4.dst == 10.0.0.9"))
    assert f"no port of the switch has the address {X}, and none takes unknown ones" in why(frame("d", B, X))
    assert "it would leave by the port that it came from" in why(frame("c", X, X))
    assert why(frame("a", A, B)).count("\n") == 1


def test_the_database_s_fdb(network):
    keys = {}
    for table, name in (("Datapath_Binding", "sw0"), ("Port_Binding", "c")):
        where = [["logical_port", "==", name]] if table == "Port_Binding" else [["external_ids", "includes", ["map", [["name", name]]]]]
        done = subprocess.run(["ovsdb-client", "transact", f"unix:{network.dir}/sb.sock", json.dumps(
            ["OVN_Southbound", {"op": "select", "table": table, "where": where, "columns": ["tunnel_key"]}])], check=True, stdout=subprocess.PIPE)
        keys[name] = json.loads(done.stdout)[0]["rows"][0]["tunnel_key"]
    network.sb("FDB", {"mac": "0a:00:00:00:00:55", "dp_key": keys["sw0"], "port_key": keys["c"]})
    out = trace(network, frame("b", B, "0a:00:00:00:00:55"))
    assert "outport = get_fdb(eth.dst);" in out and '\negress(dp="sw0", inport="b", outport="c")\n' in out


def test_graph(network):
    import shutil
    out = trace(network, "--graph", frame("a", A, B))
    if shutil.which("dot"):
        assert "<svg" in out and "</svg>" in out
    else:
        assert out.startswith("digraph trace {\n") and out.endswith("}\n") and 'label="b"' in out


@pytest.mark.parametrize("words, message", [
    (['inport == "a" &&'], "error parsing flow: column 17"),
    (['inport == "a" && eth.srk == 1'], "error parsing flow: column 1"),
    (['inport == "a" && tcp.dst == 80'], "ambiguous: 2 kinds of packets match it; it does not say enough about eth_type"),
    (['inport == "a" && ip4 && tcp.src > 1024'], "ambiguous"),
    (['inport == "a" || inport == "b"'], "it does not say enough about inport"),
    (['inport == "a" && ip4 && ip6'], "contradictory"),
    (['inport == "aa"'], 'unknown port "aa" (did you mean "a"?)'),
    (["sw9", 'inport == "a"'], 'unknown datapath "sw9" (did you mean "sw0"?)'),
    (["sw1", 'inport == "a"'], 'port "a" is on datapath "sw0", not on "mynet"'),
    (["eth.src == 0a:00:00:00:00:01"], "does not say an inport, so a datapath is needed"),
    (["--ct=foo", 'inport == "a"'], "foo: unknown connection tracking state flag"),
    (["--ct=new,est", 'inport == "a"'], "cannot be both new and established"),
    (["--lb-dst=10.0.0.1:0", 'inport == "a"'], "bad port number"),
    (["--lb-dst=[fd00::1:80", 'inport == "a"'], "--lb-dst"),
    (["--select-id=x", 'inport == "a"'], "--select-id is a number"),
    (["--ovs=unix:/nonexistent", 'inport == "a"'], "--ovs: no switch at unix:/nonexistent"),
    (["--db=unix:/nonexistent", 'inport == "a"'], "unix:/nonexistent: database connection failed"),
    ([], "a microflow is needed"),
    (["a", "b", "c"], "one or two arguments are needed"),
    (["(" * 5000], "error parsing flow: column"),
    (["x" * 100000], "error parsing flow: column"),
])
def test_wrong_questions(network, words, message):
    done = network.trace(*words)
    assert done.returncode == 1 and not done.stdout
    assert message in done.stderr and done.stderr.count("\n") == 1, done.stderr


def test_loops_end(network):
    """A flow of somebody else's that goes in circles."""
    northd = lambda *words: subprocess.run([BUILD / "bin/ovn-appctl", "-t", network.dir / "northd.ctl", *words], check=True)
    northd("pause")                                              # It would put this right.
    try:
        dp = network.sb_uuid("Datapath_Binding", [["external_ids", "includes", ["map", [["name", "sw1"]]]]])
        network.sb("Logical_Flow", {"logical_datapath": dp, "pipeline": "ingress", "table_id": 0, "priority": 60000, "match": "eth.type == 0x4242",
                                    "actions": "next(table=0);"})
        network.sb("Logical_Flow", {"logical_datapath": dp, "pipeline": "ingress", "table_id": 0, "priority": 60000, "match": "eth.type == 0x4343",
                                    "actions": "clone { next(table=0); }; clone { next(table=0); };"})
        for kind in "0x4242", "0x4343":
            for form in "--all", "--json", "--why":
                assert "loop" in trace(network, form, frame("d", B, A, f"eth.type == {kind}"))
    finally:
        northd("resume")
        network.nbctl("--wait=sb", "sync")


def test_daemon(network):
    control = network.dir / "trace.ctl"
    pid = network.start(BUILD / "bin/ovn-trace", "trace", f"--unixctl={control}")
    ask = lambda *words: subprocess.run([BUILD / "bin/ovn-appctl", "-T20", "-t", control, *words], stdout=subprocess.PIPE,
                                        stderr=subprocess.PIPE, text=True)
    packet = frame("a", A, B)
    assert ask("trace", "--all", packet).stdout == trace(network, "--all", packet)
    assert outputs(ask("trace", "--minimal", "sw0", packet).stdout) == ["b"]
    for words, message in (([], "trace"), (["--lb-dst=1.2.3.4", packet], "--lb-dst is not available in daemon mode"), (["--bogus", packet], "--bogus"),
                           (['inport == "zz"'], "unknown port"), (["--ct"], "argument")):
        done = ask("trace", *words)
        assert done.returncode == 2 and message in done.stderr, done
    network.nbctl("--wait=sb", "lsp-set-addresses", "c", f"{C} 10.0.0.3")
    try:
        for _ in range(100):
            if not outputs(ask("trace", "--minimal", frame("a", A, X)).stdout):
                break
        else:
            raise AssertionError("the daemon does not follow the database")
    finally:
        network.nbctl("--wait=sb", "lsp-set-addresses", "c", "unknown")
    assert ask("exit").returncode == 0
    network.pids.remove(pid)

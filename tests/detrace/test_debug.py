"""ovn-debug: stages as ovn-northd writes them, and OpenFlow that ovs-ofctl takes."""
import re
import subprocess

import pytest
from ground import DEBUG, Network, pause_northd, select, transact


@pytest.fixture(scope="module")
def network():
    n = Network()
    try:
        n.build("""
            ls-add sw0
            lsp-add sw0 a
            lsp-set-addresses a "0a:00:00:00:00:01 10.0.0.1"
            lsp-add sw0 b
            ls-add sw1
            lsp-add sw1 c
        """)
        pause_northd(n)
        # Southbound, a port group has a row a datapath.
        keys = {dict(d["external_ids"][1])["name"]: d["tunnel_key"] for d in select(n, "sb", "Datapath_Binding", "external_ids", "tunnel_key")}
        transact(n, "sb", *({"op": "insert", "table": "Port_Group", "row": {"name": f"{keys[dp]}_pg1", "ports": ["set", ports]}}
                            for dp, ports in (("sw0", ["a", "b"]), ("sw1", ["c"]))),
                 {"op": "insert", "table": "Address_Set", "row": {"name": "web", "addresses": ["set", ["10.0.0.1", "10.0.0.0/30"]]}})
        yield n
    finally:
        n.stop()


def debug(*words, env=None):
    return subprocess.run([DEBUG, *words], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, timeout=20, env=env)


def answer(*words, env=None):
    done = debug(*words, env=env)
    assert done.returncode == 0 and not done.stderr, done
    return done.stdout


def test_stages_are_those_of_northd(network):
    flows = select(network, "sb", "Logical_Flow", "pipeline", "table_id", "external_ids")
    stages = {(dict(f["external_ids"][1])["stage-name"], f["table_id"], f["pipeline"]) for f in flows}
    listed = {line.split()[0]: [int(x) for x in line.split()[1:]] for line in answer("stage-list").splitlines()}
    starts = dict(line.split(": ") for line in answer("lflow-pipeline-oftable-start-list").splitlines())
    assert len(stages) > 40 and set(starts) == {"ingress", "output", "egress", "delivery"}
    for name, ltable, pipeline in stages:
        assert listed[name] == [ltable, ltable + int(starts[pipeline])]
    for name, (ltable, oftable) in listed.items():
        assert answer("lflow-stage-to-ltable", name) == f"{ltable}\n" and answer("lflow-stage-to-oftable", name) == f"{oftable}\n"
    tables = {t for _, t in listed.values()}
    for table in range(255):
        names = [n for n, (_, t) in listed.items() if t == table]
        done = debug("oftable-to-stage", str(table))
        assert (done.stdout.split(), done.returncode) == (names, 0 if table in tables else 1)
    assert [line.split()[0] for line in answer("stage-list", "ls_out_").splitlines()] == [n for n in listed if n.startswith("ls_out_")]


def test_cookies():
    assert answer("uuid-to-cookie", "00ab0001-1111-2222-3333-444444444444") == "0xab0001\n"


def ofctl(lines):
    """As ovs-ofctl(8) takes and writes it."""
    done = subprocess.run(["ovs-ofctl", "-OOpenFlow15", "parse-flows", "-"], input="".join(line + "\n" for line in lines), stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE, text=True, timeout=20)
    assert done.returncode == 0 and "rror" not in done.stderr, done.stderr
    return [line for line in done.stdout.splitlines() if line.startswith("OFPT_FLOW_MOD")]


@pytest.mark.parametrize("words, flows", [
    (["1"], ["*"]), (["ip4"], ["ip"]), (["ip.proto == 6 || udp"], ["tcp", "tcp6", "udp", "udp6"]),
    (["--port=a=7", 'inport == "a" && vlan.vid == 5'], ["reg14=0x7,dl_vlan=5"]),
    (["--port-group=g=a,9", "--port=a=7", "outport == @g"], ["reg15=0x7", "reg15=0x9"]),
    (["--address-set=s=fd00::1 fd00::/64", "ip6.src == $s"], ["ipv6,ipv6_src=fd00::/64"]),
    (["--resident=cr", 'is_chassis_resident("cr") && arp'], ["arp"]),
])
def test_expressions_as_flows(words, flows):
    *options, expression = words
    got = answer(*options, "expr-to-flows", expression).splitlines()
    assert sorted(got) == sorted(flows) or "vlan" in expression
    assert len(ofctl([("" if g == "*" else g + ",") + " actions=drop" for g in got])) == len(flows)


def test_conjunctions():
    words = ["--conjunctions=always", "expr-to-flows", "ip4.src == {10.0.0.1, 10.0.0.2} && tcp.dst == {80, 443, 444}"]
    got = answer(*words).splitlines()
    assert len(got) == 6 and sum("actions=conjunction(1," in g for g in got) == 5
    ofctl([g if " actions=" in g else g + " actions=drop" for g in got])
    assert len(answer("--conjunctions=never", *words[1:]).splitlines()) == 6
    assert not any("conj" in g for g in answer("--conjunctions=never", *words[1:]).splitlines())


def test_what_nobody_knows_is_said():
    done = debug("expr-to-flows", 'ip4 && (inport == "x" || inport == "x" || ip4.src == $s || outport == @g)')
    assert done.returncode == 0 and not done.stdout
    assert [line.split('"')[1] for line in done.stderr.splitlines() if "there is no" in line] == ["x", "s", "g"] and "no packet matches" in done.stderr


def test_names_from_the_database(network):
    db = lambda *words: answer(f"--db=unix:{network.dir}/sb.sock", *words)
    keys = {r["logical_port"]: f"{r['tunnel_key']:#x}" for r in select(network, "sb", "Port_Binding", "logical_port", "tunnel_key")}
    assert db("--datapath=sw0", "expr-to-flows", 'inport == "a"') == f"reg14={keys['a']}\n"
    assert sorted(db("--datapath=sw0", "expr-to-flows", "outport == @pg1").split()) == sorted(f"reg15={keys[p]}" for p in "ab")
    assert db("--datapath=sw1", "expr-to-flows", "outport == @pg1") == f"reg15={keys['c']}\n"
    assert db("expr-to-flows", "ip4.dst == $web") == "ip,nw_dst=10.0.0.0/30\n"
    assert db("--datapath=sw0", "expr-to-flows", 'outport == "_MC_flood"') == "reg15=0x8000\n"
    assert answer("--db", "--datapath=sw0", "expr-to-flows", 'inport == "a"', env=network.env) == f"reg14={keys['a']}\n"
    assert "lease_time" not in db("action-to-openflow", "reg0[1] = put_dhcp_opts(offerip = 10.0.0.1, lease_time = 3600);")
    for words, message in ((["--datapath=nope", "expr-to-flows", "1"], 'no datapath "nope"'), (["expr-to-flows", "outport == @pg1"], "--datapath does not say"),
                           (["--db=unix:/nonexistent", "expr-to-flows", "1"], "unix:/nonexistent: database connection failed")):
        done = debug(f"--db=unix:{network.dir}/sb.sock", *words)
        assert done.returncode == 1 and message in done.stderr and not done.stdout, done
    done = debug(f"--db=unix:{network.dir}/sb.sock", "--datapath=sw1", "expr-to-flows", 'inport == "a"')
    assert 'there is no port "a"' in done.stderr, "it is in sw0"


@pytest.mark.parametrize("actions", [
    "drop;", "next;", "reg0[1] = 1; next;", "eth.dst <-> eth.src; ip.ttl--; next(2);", "ct_next;", 'outport = "a"; output;', "ct_commit { ct_mark.blocked = 1; };",
    "arp { eth.dst = ff:ff:ff:ff:ff:ff; output; };", "reg0[15] = check_in_port_sec(); next;", "get_fdb(eth.dst);", "ct_lb_mark(backends=10.0.0.1:80,10.0.0.2:80);",
    'log(verdict=drop, name="x");', "set_queue(7);", "clone { ct_clear; outport = \"none\"; next; };", "push(reg0); pop(reg1);",
])
@pytest.mark.parametrize("stage", ["ls_in_acl_eval", "lr_out_snat"])
def test_actions_as_openflow(actions, stage):
    done = debug("--port=a=7", f"--stage={stage}", "action-to-openflow", actions)
    if "outport" in actions and stage == "lr_out_snat":
        assert done.returncode == 1 and "cannot be changed in the egress pipeline" in done.stderr
        return
    if actions == "get_fdb(eth.dst);":
        assert done.returncode == 1 and "column" in done.stderr         # It says no destination.
        return
    assert done.returncode == 0 and not done.stderr, done
    openflow, *groups = done.stdout.splitlines()
    assert len(ofctl([f"priority=1,ip, actions={openflow}"])) == 1
    assert len(groups) == ("lb_mark" in actions) and all(re.match(r"group_id=\d+,type=select,", g) for g in groups)
    table = int(answer("lflow-stage-to-oftable", stage))
    if actions == "next;":
        assert openflow == f"resubmit(,{table + 1})"


def test_canonical_texts():
    assert answer("parse-expr", 'inport=="a"&&ip4.src=={10.0.0.1,10.0.0.2}') == 'inport == "a" && ip4.src == {10.0.0.1, 10.0.0.2}\n'
    assert answer("parse-action", "ip.ttl--;next(1);") == "ip.ttl--; next(1);\nrequires: ip\n"
    assert answer("parse-action", "drop;") == "drop;\n"


@pytest.mark.parametrize("words, column, text", [
    (["parse-expr", "ip4.src == 10.0.0.1 &&"], 23, "ip4.src == 10.0.0.1 &&"), (["expr-to-flows", "foo == 1"], 1, "foo == 1"),
    (["action-to-openflow", "next"], 5, "next"), (["parse-action", "next; foo;"], 7, "next; foo;"),
    (["parse-expr", "ip4 &&" + " " * 500 + "foo"], 507, None),
])
def test_mistakes_are_pointed_at(words, column, text):
    done = debug(*words)
    message, shown, caret = done.stderr.split("\n")[:3]
    assert done.returncode == 1 and not done.stdout and message.startswith(f"ovn-debug: column {column}: ")
    assert caret.strip() == "^" and len(shown) < 100
    if text:
        assert shown == "    " + text and caret.index("^") == 4 + column - 1
    else:
        assert shown[caret.index("^"):].startswith("foo")


@pytest.mark.parametrize("words, message", [
    ([], "a command is needed"), (["nonsense"], 'unknown command "nonsense"'), (["parse-expr"], "usage: parse-expr EXPRESSION"),
    (["lflow-stage-to-ltable", "acl_eval"], 'did you mean "ls_in_acl_eval"'), (["oftable-to-stage", "255"], "from 0 to 254"), (["uuid-to-cookie", "12"], "not a UUID"),
    (["stage-list", "zz"], "no stage"), (["--port=x", "expr-to-flows", "1"], "NAME=VALUE"), (["--port=x=y", "expr-to-flows", 'inport == "x"'], "a key is a number"),
    (["--address-set=s=nonsense", "expr-to-flows", "ip4.src == $s"], "is no address"), (["--conjunctions=some", "expr-to-flows", "1"], "never, fewer or always"),
    (["--datapath=x", "expr-to-flows", "1"], "only with --db"), (["--stage=x", "action-to-openflow", "next;"], 'no stage "x"'),
    (["parse-expr", "(" * 5000], "column"), (["parse-action", "x" * 100000], "column"),
])
def test_wrong_questions(words, message):
    done = debug(*words)
    assert done.returncode == 1 and not done.stdout and message in done.stderr and len(done.stderr) < 500, done

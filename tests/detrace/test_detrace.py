"""ovn-detrace on what our ovn-northd makes, and on rows that the tests put there: what it says, where, and what it makes of bad input."""
import os
import random
import re
import subprocess

import pytest
from ground import DETRACE, Network, cookie, detrace, explained, pause_northd, select, start_ovs, transact, uuid

NETWORK = """
ls-add sw0
lsp-add sw0 a
lsp-set-addresses a "0a:00:00:00:00:01 10.0.0.1"
lsp-add sw0 b
lsp-set-addresses b unknown
ls-add sw1
lsp-add sw1 c
--name=no-web acl-add sw0 from-lport 1000 'inport == "a" && tcp.dst == 80' drop
"""


@pytest.fixture(scope="module")
def network():
    n = Network()
    try:
        n.build(NETWORK)
        start_ovs(n)
        pause_northd(n)
        yield n
    finally:
        n.stop()


def flow_row(n, ident, **more):
    row = {"pipeline": "ingress", "table_id": 9, "priority": 3, "match": 'inport == "a"', "actions": "drop;", **more}
    if not {"logical_datapath", "logical_dp_group"} & set(row):
        row["logical_datapath"] = select(n, "sb", "Datapath_Binding")[0]["_uuid"]
    return {"op": "insert", "table": "Logical_Flow", "uuid": ident, "row": row}


@pytest.mark.parametrize("table, heading", [
    ("Logical_Flow", "Logical flow: "), ("Port_Binding", "Port Binding: "), ("Multicast_Group", "Multicast Group: "), ("Datapath_Binding", "Logical datapath: ")])
@pytest.mark.parametrize("form", [" 8. metadata=0x1, priority 5, cookie {}\n    resubmit(,9)\n", " cookie={}, duration=3s, table=8, actions=drop\n"])
def test_every_row_is_explained(network, table, heading, form):
    rows = select(network, "sb", table)
    assert len(rows) >= 2
    text = "".join(form.format(cookie(row)) for row in rows)
    blocks = re.split(r"^(?= 8\.| cookie=)", explained(network, text), flags=re.M)[1:]
    assert len(blocks) == len(rows)
    for row, block in zip(rows, blocks):
        assert re.search(rf"^  \* {heading}.*\({uuid(row)}\)", block, re.M), block


def test_a_port_is_named_behind_its_flow(network):
    row = select(network, "sb", "Port_Binding", where=[["logical_port", "==", "a"]])[0]
    flow = f" 0. in_port=1, priority 100, cookie {cookie(row)}\n    resubmit(,8)\n"
    out = explained(network, flow + " 8. priority 0\n    drop\n")
    datapath = next(d for d in select(network, "sb", "Datapath_Binding", "external_ids") if ["name", "sw0"] in d["external_ids"][1])
    assert out == (flow + f'  * Logical datapath: "sw0" ({uuid(datapath)})\n'
                   f'  * Port Binding: logical_port "a", tunnel_key {select(network, "sb", "Port_Binding", "tunnel_key", where=[["logical_port", "==", "a"]])[0]["tunnel_key"]} '
                   f"({uuid(row)})\n 8. priority 0\n    drop\n")


def test_a_northbound_row_is_named(network):
    acl = select(network, "nb", "ACL")[0]
    port = select(network, "nb", "Logical_Switch_Port", where=[["name", "==", "b"]])[0]
    for i, (row, line) in enumerate([(acl, 'ACL: from-lport, priority=1000, match=(inport == "a" && tcp.dst == 80), drop (log) "no-web"'),
                                     (port, "Logical Switch Port: b type  (addresses ['unknown'], dynamic addresses [], security [])")]):
        ident = f"ac1000{i:02x}-0000-0000-0000-000000000001"
        transact(network, "sb", flow_row(network, ident, external_ids=["map", [["stage-name", "ls_in_acl_eval"], ["stage-hint", uuid(row)[:8]]]]))
        out = explained(network, f"cookie 0x{ident[:8]}\n")
        assert out.endswith(f'  * Logical flow: table=9 (ls_in_acl_eval), priority=3, match=(inport == "a"), actions=(drop;) ({ident})\n'
                            f"   * {line} ({uuid(row)})\n")


def test_several_rows_with_one_cookie(network):
    first, second = "dddddddd-0000-0000-0000-000000000001", "dddddddd-0000-0000-0000-000000000002"
    dps = ["set", [d["_uuid"] for d in select(network, "sb", "Datapath_Binding")]]
    group = {"op": "insert", "table": "Logical_DP_Group", "uuid-name": "g", "row": {"datapaths": dps}}
    binding = {"op": "insert", "table": "FDB", "uuid": "dddddddd-0000-0000-0000-000000000003", "row": {"mac": "0a:00:00:00:00:09", "dp_key": 1, "port_key": 2}}
    shared = flow_row(network, second, match="1", logical_dp_group=["named-uuid", "g"])
    transact(network, "sb", group, flow_row(network, first), shared, binding)
    out = explained(network, " cookie=0xdddddddd, table=1\n cookie=0xdddddddd, table=2\n")
    assert out.count("   * [Duplicate uuid cookie]\n") == 2 and out.count(f"({first})") == out.count(f"({second})") == 2
    assert out.count('  * FDB: mac "0a:00:00:00:00:09", dp_key 1, port_key 2 (dddddddd-') == 2
    assert re.search(r'Duplicate.*\n  \* Logical datapaths:\n  \*     "sw0" .* \[ingress\]\n  \*     "sw1" .* \[ingress\]\n  \* Logical flow: .*match=\(1\)', out)


def test_cookies_that_nothing_has(network):
    for text in "", "\n", "cookie 0x0\n", " cookie=0x0, table=0\n", "cookie=0x12345678\n", "cookie=0x1234567812345678\n", "cookie=0x", "no newline":
        assert explained(network, text) == text


def test_a_group_of_many_is_cut(network):
    dps = [{"op": "insert", "table": "Datapath_Binding", "uuid-name": f"d{i}", "row": {"tunnel_key": 1000 + i, "external_ids": ["map", [["name", f"many{i:03}"]]]}} for i in range(100)]
    group = {"op": "insert", "table": "Logical_DP_Group", "uuid-name": "g", "row": {"datapaths": ["set", [["named-uuid", f"d{i}"] for i in range(100)]]}}
    flow = flow_row(network, "eeeeeeee-0000-0000-0000-000000000001", logical_dp_group=["named-uuid", "g"])
    transact(network, "sb", *dps, group, flow)
    out = explained(network, "cookie=0xeeeeeeee\n")
    assert len(re.findall(r'^  \*     "many', out, re.M)) == 32 and "  *     and 68 more\n" in out
    transact(network, "sb", {"op": "delete", "table": "Logical_Flow", "where": [["_uuid", "==", ["uuid", "eeeeeeee-0000-0000-0000-000000000001"]]]},
             {"op": "delete", "table": "Datapath_Binding", "where": [["tunnel_key", ">=", 1000]]})


def test_a_whole_dump(network):
    """So many flows that their table is read as a whole."""
    dp = select(network, "sb", "Datapath_Binding")[0]["_uuid"]
    rows = [flow_row(network, f"{0xa0000000 + i * 7:08x}-0000-4000-8000-000000000000", priority=i % 60000, logical_datapath=dp) for i in range(3000)]
    for i in range(0, len(rows), 200):
        transact(network, "sb", *rows[i:i + 200])
    text = "".join(f" cookie=0x{r['uuid'][:8]}, table=17, priority={r['row']['priority']} actions=drop\n" for r in rows)
    out = explained(network, text)
    for row in random.Random(1).sample(rows, 50):
        ours = re.search(rf"^ cookie=0x{row['uuid'][:8]}.*\n(?:  \*.*\n)+", out, re.M).group(0)
        assert f"priority={row['row']['priority']}, match" in ours and f"({row['uuid']})" in ours
    assert out.count("Logical flow: ") == len(rows)


def test_ports_of_the_switch(network):
    binding = select(network, "sb", "Port_Binding", where=[["logical_port", "==", "a"]])[0]
    text = ('bridge("br-int")\n----\n'
            f" 0. in_port=1, priority 100, cookie {cookie(binding)}\n    output:2\n    output:99\n"
            ' 1. in_port="vm-a", priority 1\n    output:1\n    output:NORMAL\n\n'
            '    bridge("br-ex")\n    ----\n         0. in_port=1, priority 0\n            drop\n'
            " cookie=0x0, table=0, in_port=LOCAL actions=output:1\n")
    lines = lambda out: [re.sub(r" \([0-9a-f-]{36}\)$", "", x) for x in out.splitlines()]
    got = lines(explained(network, text, "--ovs"))
    vm, tunnel, external = "  * OVS Interface: vm-a (a)", "  * OVS Interface: ovn-hv2-0 (None)", "  * OVS Interface: eth0 (None)"
    at = got.index(" 1. in_port=\"vm-a\", priority 1")
    assert got[at - 4].startswith("  * Logical datapath") and got[at - 3].startswith("  * Port Binding") and got[at - 2:at] == [vm, tunnel]
    assert got[at + 1:at + 6] == ["    output:1", "    output:NORMAL", vm, vm, ""]
    assert got[at + 9:] == ["            drop", external, " cookie=0x0, table=0, in_port=LOCAL actions=output:1", "  * OVS Interface: br-int (None)", vm]
    assert "OVS Interface" not in explained(network, text)
    interface = select(network, "ovs", "Interface", where=[["name", "==", "ovn-hv2-0"]])[0]
    assert explained(network, f" cookie={cookie(interface)}, table=0\n", "--ovs").endswith(tunnel + "\n")


def test_databases_away(network):
    text = " cookie=0xac100000, table=0\n"
    for options in ["--ovnsb=unix:/nonexistent"], ["--ovs", "--ovsdb=unix:/nonexistent"], ["--ovnsb=nonsense:"], ["--ovnsb=tcp:127.0.0.1:1"]:
        done = detrace(network, text, *options)
        assert done.returncode == 1 and not done.stdout, options
        assert "database connection failed" in done.stderr.decode() and done.stderr.count(b"\n") == 1, done.stderr
    done = detrace(network, text * 3 + "\n" + text, "--ovnnb=unix:/nonexistent")
    assert done.returncode == 0 and done.stdout.count(b"Logical flow") == 4 and b"ACL" not in done.stdout
    assert b"northbound objects are not shown" in done.stderr and done.stderr.count(b"\n") == 1
    assert detrace(network, "x\n", "--ovnnb=unix:/nonexistent").stderr == b"", "nobody asked it"


def test_the_environment_and_options(network):
    plain = dict(network.env)
    del plain["OVN_SB_DB"], plain["OVN_NB_DB"]
    text = " cookie=0xac100000, table=0\n"
    assert detrace(network, text, env=plain).returncode == 1
    done = detrace(network, text, f"--ovnsb={network.env['OVN_SB_DB']}", f"--ovnnb={network.env['OVN_NB_DB']}", "--no-leader-only", env=plain)
    assert done.returncode == 0 and b"ACL: " in done.stdout and not done.stderr
    for wrong in ["argument"], ["--bogus"], ["--ovnsb"]:
        done = detrace(network, text, *wrong)
        assert done.returncode == 1 and not done.stdout and b"Usage" not in done.stdout
    assert detrace(network, "", "--help").stdout.startswith(b"ovn-detrace: ") and b"DB Schema" in detrace(network, "", "--version").stdout


def test_garbage_goes_through(network):
    r = random.Random(7)
    known = b"cookie 0xac100000\n"
    for _ in range(5):
        noise = bytes(r.getrandbits(8) for _ in range(50000))
        data = noise + b"\n" + known + b"x" * 3000000 + b"\n" + known + noise
        done = detrace(network, data)
        assert done.returncode == 0 and not done.stderr
        assert b"".join(line for line in done.stdout.splitlines(True) if not re.match(rb" {2,3}\* ", line)) == data
        assert done.stdout.count(b"ACL: ") == 2


def test_a_line_is_answered_at_once(network):
    """As under `ovs-ofctl monitor': the pipe stays open."""
    p = subprocess.Popen([DETRACE], env=network.env, stdin=subprocess.PIPE, stdout=subprocess.PIPE, bufsize=0)
    try:
        for _ in range(3):
            os.write(p.stdin.fileno(), b" cookie=0xac100000, table=0\n")
            lines = [p.stdout.readline() for _ in range(5)]
            assert lines[3].startswith(b"  * Logical flow") and lines[4].startswith(b"   * ACL: ")
        p.stdin.close()
        assert p.wait(20) == 0 and p.stdout.read() == b""
    finally:
        p.kill()
        p.wait()


def test_a_reader_that_goes_ends_it(network):
    p = subprocess.Popen([DETRACE], env=network.env, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    p.stdout.close()
    with pytest.raises(BrokenPipeError):
        for _ in range(1000):
            p.stdin.write(b"x" * 100000 + b"\n")
    p.stderr.close()
    assert p.wait(20) != 0

"""The logical flows of a switch, family by family: ovn-logical-flows(7), ovn-sb(5)."""
from ground import a_map, strings

MAC = "0a:00:00:00:00:01"


def stage(flows, *names):
    return {f for f in flows if f[0] in names}


def test_a_switch_alone(ground):
    ground.switch("s")
    ground.sync()
    flows = ground.flows("s")
    assert stage(flows, "ls_in_check_port_sec") == {
        ("ls_in_check_port_sec", 100, "eth.src[40]", "drop;"),
        ("ls_in_check_port_sec", 100, "vlan.present", "drop;"),
        ("ls_in_check_port_sec", 50, "1", "reg0[15] = check_in_port_sec(); next;")}
    assert ("ls_in_apply_port_sec", 50, "reg0[15] == 1", "drop;") in flows
    assert stage(flows, "ls_in_l2_lkup", "ls_in_l2_unknown") == {
        ("ls_in_l2_lkup", 70, "eth.mcast", 'outport = "_MC_flood"; output;'),
        ("ls_in_l2_lkup", 0, "1", "outport = get_fdb(eth.dst); next;"),
        ("ls_in_l2_unknown", 50, 'outport == "none"', "drop;"),
        ("ls_in_l2_unknown", 0, "1", "output;")}
    assert stage(flows, "ls_out_check_port_sec") == {
        ("ls_out_check_port_sec", 100, "eth.mcast", "reg0[15] = 0; next;"),
        ("ls_out_check_port_sec", 0, "1", "reg0[15] = check_out_port_sec(); next;")}
    assert stage(flows, "ls_out_apply_port_sec") == {
        ("ls_out_apply_port_sec", 50, "reg0[15] == 1", "drop;"), ("ls_out_apply_port_sec", 0, "1", "output;")}
    # Every other stage lets through, so every table of both pipelines has a flow for every packet.
    ingress = {f["table_id"] for f in ground.sb.select("Logical_Flow") if f["pipeline"] == "ingress" and f["match"] == "1"}
    egress = {f["table_id"] for f in ground.sb.select("Logical_Flow") if f["pipeline"] == "egress" and f["match"] == "1"}
    assert ingress == set(range(35)) and egress == set(range(16))


def test_flows_of_every_switch_are_one_row(ground):
    ground.switch("s")
    ground.sync()
    n = len(ground.sb.select("Logical_Flow"))
    for i in range(5):
        ground.switch(f"t{i}")
    ground.sync()
    assert len(ground.sb.select("Logical_Flow")) == n
    assert ground.flows("t3") == ground.flows("s")


def test_vlan_passthru(ground):
    ground.switch("s", [{"name": "p", "addresses": f"{MAC} 10.0.0.1"}], other_config=a_map({"vlan-passthru": "true"}))
    ground.switch("t")
    ground.sync()
    drop = ("ls_in_check_port_sec", 100, "vlan.present", "drop;")
    assert drop not in ground.flows("s") and drop in ground.flows("t")
    assert not [f for f in ground.flows("s") if f[0] == "ls_in_arp_rsp" and f[1] != 0]
    ground.set("Logical_Switch", "s", other_config=a_map({}))
    ground.sync()
    assert drop in ground.flows("s")
    assert [f for f in ground.flows("s") if f[0] == "ls_in_arp_rsp" and f[1] == 50]


def test_known_addresses(ground):
    ground.switch("s", [{"name": "p", "addresses": strings([f"{MAC} 10.0.0.1 fd00::1", "0a:00:00:00:00:02"])}])
    ground.sync()
    flows = ground.flows("s")
    for mac in (MAC, "0a:00:00:00:00:02"):
        assert ("ls_in_l2_lkup", 50, f"eth.dst == {mac}", 'outport = "p"; output;') in flows
    arp = {f[:3]: f[3] for f in stage(flows, "ls_in_arp_rsp") if f[1] > 0}
    ns = "nd_ns && ip6.dst == {fd00::1, ff02::1:ff00:1} && nd.target == fd00::1"
    assert arp == {
        ("ls_in_arp_rsp", 50, "arp.tpa == 10.0.0.1 && arp.op == 1"):
            f"eth.dst = eth.src; eth.src = {MAC}; arp.op = 2; arp.tha = arp.sha; arp.sha = {MAC}; "
            "arp.tpa = arp.spa; arp.spa = 10.0.0.1; outport = inport; flags.loopback = 1; output;",
        ("ls_in_arp_rsp", 100, 'arp.tpa == 10.0.0.1 && arp.op == 1 && inport == "p"'): "next;",
        ("ls_in_arp_rsp", 50, ns): f"nd_na {{ eth.src = {MAC}; ip6.src = fd00::1; nd.target = fd00::1; nd.tll = {MAC}; "
                                   "outport = inport; flags.loopback = 1; output; };",
        ("ls_in_arp_rsp", 100, ns + ' && inport == "p"'): "next;"}


def test_arp_waits_for_the_port_where_asked_to(ground):
    ground.option("ignore_lsp_down", "false")
    ground.switch("s", [{"name": "p", "addresses": f"{MAC} 10.0.0.1"}])
    ground.sync()
    answers = lambda: [f for f in ground.flows("s") if f[0] == "ls_in_arp_rsp" and f[1] == 50]
    assert not answers()
    ground.sb.transact({"op": "update", "table": "Port_Binding", "where": [], "row": {"up": True}})
    ground.sync()
    assert answers()
    ground.sb.transact({"op": "update", "table": "Port_Binding", "where": [], "row": {"up": False}})
    ground.sync()
    assert not answers()
    ground.option("ignore_lsp_down", None)
    ground.sync()
    assert answers()


def test_no_answers_for(ground):
    ground.switch("s", [
        {"name": "unknown", "addresses": strings([f"{MAC} 10.0.0.1", "unknown"])},
        {"name": "virtual", "addresses": "0a:00:00:00:00:02 10.0.0.2", "type": "virtual"},
        {"name": "asked", "addresses": "0a:00:00:00:00:03 10.0.0.3", "options": a_map({"disable_arp_nd_rsp": "true"})},
        {"name": "off", "addresses": "0a:00:00:00:00:04 10.0.0.4", "enabled": False},
        {"name": "net", "addresses": "unknown", "type": "localnet", "options": a_map({"network_name": "phys"})}])
    ground.sync()
    flows = stage(ground.flows("s"), "ls_in_arp_rsp")
    assert flows == {("ls_in_arp_rsp", 0, "1", "next;"), ("ls_in_arp_rsp", 100, 'inport == "net"', "next;")}


def test_unknown_addresses_and_learning(ground):
    ground.switch("s", [{"name": "u", "addresses": "unknown"},
                        {"name": "secured", "addresses": "unknown", "port_security": MAC}])
    ground.sync()
    flows = ground.flows("s")
    assert ("ls_in_l2_unknown", 50, 'outport == "none"', 'outport = "_MC_unknown"; output;') in flows
    assert {f for f in stage(flows, "ls_in_lookup_fdb", "ls_in_put_fdb") if f[1]} == {
        ("ls_in_lookup_fdb", 100, 'inport == "u"', "reg0[11] = lookup_fdb(inport, eth.src); next;"),
        ("ls_in_put_fdb", 100, 'inport == "u" && reg0[11] == 0', "put_fdb(inport, eth.src); next;")}
    assert ground.group("s", "_MC_unknown") == ["secured", "u"]
    for name in ("u", "secured"):
        ground.set("Logical_Switch_Port", name, addresses=strings([]))
    ground.sync()
    assert ("ls_in_l2_unknown", 50, 'outport == "none"', "drop;") in ground.flows("s")
    assert ground.group("s", "_MC_unknown") is None


def test_a_disabled_port(ground):
    ground.switch("s", [{"name": "p", "addresses": f"{MAC} 10.0.0.1", "enabled": False}])
    ground.sync()
    flows = ground.flows("s")
    assert {("ls_in_check_port_sec", 100, 'inport == "p"', "reg0[15] = 1; next;"),
            ("ls_in_l2_unknown", 50, 'outport == "p"', "drop;"),
            ("ls_out_check_port_sec", 150, 'outport == "p"', "reg0[15] = 1; next;"),
            ("ls_in_l2_lkup", 50, f"eth.dst == {MAC}", "drop;")} <= flows
    assert not ground.group("s", "_MC_flood")
    ground.set("Logical_Switch_Port", "p", enabled=True)
    ground.sync()
    assert not [f for f in ground.flows("s") if "reg0[15] = 1" in f[3]]
    assert ground.group("s", "_MC_flood") == ["p"]


def test_multicast_groups(ground):
    ground.switch("s", [{"name": "a"}, {"name": "b"}, {"name": "r", "type": "router", "options": a_map({"router-port": "x"})}])
    ground.sync()
    assert ground.group("s", "_MC_flood") == ["a", "b", "r"]
    assert ground.group("s", "_MC_flood_l2") == ["a", "b"]
    assert {r["name"]: r["tunnel_key"] for r in ground.sb.select("Multicast_Group")} == {
        "_MC_flood": 32768, "_MC_flood_l2": 32772}
    ground.port("s", "c")
    ground.remove_port("a")
    ground.sync()
    assert ground.group("s", "_MC_flood") == ["b", "c", "r"]


def test_where_a_flow_comes_from(ground):
    ground.switch("s", [{"name": "p", "addresses": MAC, "enabled": False}])
    ground.sync()
    uuid = ground.nb.select("Logical_Switch_Port")[0]["_uuid"]
    row, = ground.sb.select("Logical_Flow", [("match", "==", 'inport == "p"')])
    assert row["external_ids"]["stage-hint"] == uuid[:8] and row["tags"] == {"in_out_port": "p"}
    assert (row["pipeline"], row["table_id"]) == ("ingress", 0)


def test_strange_names_and_addresses(ground):
    names = ['quo"te', "back\\slash", "ünï☃", "sp ace", "a" * 300, "new\nline"]
    ground.switch('sw"itch', [{"name": n, "addresses": strings([f"0a:00:00:00:01:{i:02x}", "0a:zz", "", "10.0.0.1"])}
                              for i, n in enumerate(names)])
    ground.sync()
    actions = {f[3] for f in ground.flows() if f[0] == "ls_in_l2_lkup" and f[1] == 50}
    quoted = ['"quo\\"te"', '"back\\\\slash"', '"ünï☃"', '"sp ace"', '"' + "a" * 300 + '"', '"new\\nline"']
    assert actions == {f"outport = {q}; output;" for q in quoted}
    assert all(ground.binding(n) for n in names)

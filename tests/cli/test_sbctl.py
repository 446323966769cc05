"""ovn-sbctl on a real ovsdb-server with our schema."""
import pytest
from conftest import UUID

D1, D2 = "11111111-0000-4000-8000-000000000001", "22222222-0000-4000-8000-000000000002"
GROUP = "33333333-0000-4000-8000-000000000003"


@pytest.fixture
def flows(sbctl):
    """Two datapaths, a flow of each kind: of one datapath, of a group of both."""
    def flow(uuid, *columns):
        return "--", f"--id={uuid}", "create", "logical_flow", *columns
    sbctl.ok("--", f"--id={D1}", "create", "datapath_binding", "tunnel_key=1", "external_ids:name=blue", "--",
             f"--id={D2}", "create", "datapath_binding", "tunnel_key=2", "external_ids:name=red", "--",
             f"--id={GROUP}", "create", "logical_dp_group", f"datapaths={D1},{D2}",
             *flow("aaaaaaaa-0000-4000-8000-000000000001", f"logical_datapath={D1}", "pipeline=ingress", "table_id=0", "priority=50",
                   'match="ip4"', 'actions="next;"', "external_ids:stage-name=ls_in_check_port_sec"),
             *flow("bbbbbbbb-0000-4000-8000-000000000001", f"logical_dp_group={GROUP}", "pipeline=ingress", "table_id=0", "priority=100",
                   'match="eth.src[40]"', 'actions="drop;"', "external_ids:stage-name=ls_in_check_port_sec"),
             *flow("cccccccc-0000-4000-8000-000000000001", f"logical_datapath={D2}", "pipeline=egress", "table_id=9", "priority=0",
                   "match=1", 'actions="output;"', "external_ids:stage-name=ls_out_apply_port_sec"))
    return sbctl


BLUE = f"""Datapath: "blue" ({D1})  Pipeline: ingress
  table=0 (ls_in_check_port_sec), priority=100  , match=(eth.src[40]), action=(drop;)
  table=0 (ls_in_check_port_sec), priority=50   , match=(ip4), action=(next;)
"""
RED = f"""Datapath: "red" ({D2})  Pipeline: ingress
  table=0 (ls_in_check_port_sec), priority=100  , match=(eth.src[40]), action=(drop;)
Datapath: "red" ({D2})  Pipeline: egress
  table=9 (ls_out_apply_port_sec), priority=0    , match=(1), action=(output;)
"""


def test_lflow_list(flows):
    assert flows.ok("lflow-list") == BLUE + RED
    assert flows.ok("dump-flows", "blue") == BLUE
    assert flows.ok("lflow-list", D2) == RED
    assert flows.ok("lflow-list", "red", "0xcc") == RED[RED.index("Datapath", 1):]
    assert flows.ok("lflow-list", "red", "aaaa") == ""
    assert flows.ok("--uuid", "lflow-list", "0xbbbbbbbb").count("  uuid=0xbbbbbbbb, table=0 (") == 2
    assert flows.refused("lflow-list", "green") == "green is not a UUID or the beginning of a UUID"
    assert flows.refused("lflow-list", "blue", "green") == "green is not a UUID or the beginning of a UUID"


def test_lflow_list_wants_a_name_that_is_one_datapaths(flows):
    flows.ok("set", "datapath_binding", D2, "external_ids:name=blue")
    assert flows.refused("lflow-list", "blue") == 'multiple rows in Datapath_Binding match "blue"'
    assert flows.ok("lflow-list", D1) == BLUE


def test_count_flows(flows):
    assert flows.ok("count-flows", "blue") == (
        f'Datapath: "blue" ({D1})  Pipeline: ingress\n  table=0 (ls_in_check_port_sec) lflows=2\n'
        f'Total number of logical flows in the datapath "blue" ({D1}) Pipeline: ingress = 2\n\nTotal number of logical flows = 2\n')
    assert flows.ok("count-flows").endswith("\nTotal number of logical flows = 4\n")
    assert flows.ok("count-flows", "green") == "Total number of logical flows = 0\n"


def test_chassis(sbctl):
    sbctl.ok("chassis-add", "hv1", "geneve,vxlan", "192.0.2.1", "--", "set", "chassis", "hv1", "hostname=h1")
    assert sbctl.ok("show") == ('Chassis hv1\n    hostname: h1\n    Encap geneve\n        ip: "192.0.2.1"\n        options: {csum="true"}\n'
                                '    Encap vxlan\n        ip: "192.0.2.1"\n        options: {csum="true"}\n')
    assert sbctl.refused("chassis-add", "hv1", "geneve", "192.0.2.1") == "cannot create a chassis named hv1 because a chassis named hv1 already exists"
    sbctl.ok("--may-exist", "chassis-add", "hv1", "geneve", "192.0.2.1")
    sbctl.ok("chassis-del", "hv1", "--", "chassis-add", "hv1", "geneve", "192.0.2.1")
    assert "not one of the allowed values" in sbctl.refused("chassis-add", "hv2", "nonsense", "192.0.2.2")
    assert "not an IP address" in sbctl.refused("chassis-add", "hv2", "geneve", "nonsense")
    assert "expected encapsulations" in sbctl.refused("chassis-add", "hv2", ",", "192.0.2.2")
    sbctl.ok("chassis-del", "hv1")
    assert sbctl.ok("show") == "" and sbctl.ok("list", "encap") == ""
    assert sbctl.refused("chassis-del", "hv1") == "no chassis named hv1"
    sbctl.ok("--if-exists", "chassis-del", "hv1")


def test_bindings(flows):
    flows.ok("chassis-add", "hv1", "geneve", "192.0.2.1", "--", "create", "port_binding", "logical_port=p", f"datapath={D1}", "tunnel_key=1")
    flows.ok("lsp-bind", "p", "hv1")
    assert flows.ok("show").endswith("    Port_Binding p\n")
    assert flows.ok("get", "port_binding", "p", "up") == "true\n"
    assert flows.refused("lsp-bind", "p", "hv1") == "lport (p) has already been binded to chassis (hv1)"
    flows.ok("--may-exist", "lsp-bind", "p", "hv1")
    assert flows.refused("lsp-bind", "q", "hv1") == "no port named q"
    assert flows.refused("lsp-bind", "p", "hv2") == "no chassis named hv2"
    flows.ok("lsp-unbind", "p")
    assert flows.ok("get", "port_binding", "p", "chassis", "up") == "[]\n[]\n"
    assert flows.refused("lsp-unbind", "q") == "no port named q"
    flows.ok("--if-exists", "lsp-unbind", "q")


def test_connections_with_roles(sbctl):
    sbctl.ok("init")
    sbctl.ok("set-connection", "read-only", "ptcp:16642:127.0.0.1", "read-write", "role=ovn-controller", "pssl:16643:127.0.0.1")
    assert sbctl.ok("get-connection") == 'read-only role="" ptcp:16642:127.0.0.1\nread-write role="ovn-controller" pssl:16643:127.0.0.1\n'
    sbctl.ok("del-connection")
    assert sbctl.ok("get-connection") == ""


def test_names_of_datapaths(flows):
    assert flows.ok("get", "datapath_binding", "blue", "tunnel_key") == "1\n"
    flows.ok("set", "datapath_binding", "blue", "external_ids:name2=azure", f"external_ids:logical-switch={GROUP}")
    assert flows.ok("get", "datapath_binding", "azure", "tunnel_key") == "1\n"
    assert flows.ok("get", "datapath_binding", GROUP, "tunnel_key") == "1\n"
    assert len(UUID.findall(flows.ok("--bare", "--columns=_uuid", "find", "datapath_binding", "tunnel_key>0"))) == 2


def test_sbctl_has_no_wait(sbctl):
    assert sbctl.refused("--wait=sb", "show") == "unrecognized option '--wait=sb'"

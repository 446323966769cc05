"""Databases of an older version, as during an upgrade: what they have is used, what they lack is not asked for."""
import json

import pytest
from conftest import BLUE_AND_RED, PEER, REPO, build_lab, retire_lab
from helpers import log_of, ping, reaches, works

# Much of what came after 22.03, and more: tables, and columns of tables that stay.
LACKING = {
    "nb": ({"Sample_Collector", "Sample", "Sampling_App", "Chassis_Template_Var", "Static_MAC_Binding", "Mirror", "Mirror_Rule", "DHCP_Relay",
            "Network_Function", "Network_Function_Group", "Network_Function_Health_Check", "Logical_Switch_Port_Health_Check"},
           {"NB_Global": {"ipsec", "nb_cfg_timestamp", "sb_cfg_timestamp", "hv_cfg_timestamp"},
            "Logical_Switch": {"copp", "load_balancer_group", "forwarding_groups"},
            "Logical_Switch_Port": {"tag_request", "ha_chassis_group", "peer", "mirror_rules", "health_checks", "dynamic_addresses"}}),
    "sb": ({"Chassis_Template_Var", "Static_MAC_Binding", "FDB", "ECMP_Nexthop", "ACL_ID", "Mirror", "Learned_Route", "Advertised_Route",
            "Advertised_MAC_Binding"},
           {"Datapath_Binding": {"type", "nb_uuid"}, "Port_Binding": {"additional_chassis", "additional_encap", "requested_chassis",
            "requested_additional_chassis", "mirror_rules", "mirror_port", "port_security"},
            "Logical_Flow": {"flow_desc", "controller_meter", "tags"}, "Chassis": {"other_config"}, "SB_Global": {"ipsec"},
            "Chassis_Private": {"nb_cfg_timestamp"}}),
}


def refers(column, tables):
    """Whether a column's type leads to one of TABLES."""
    t = column["type"]
    return any(isinstance(part, dict) and part.get("refTable") in tables
               for part in (t, t.get("key"), t.get("value"))) if isinstance(t, dict) else False


def make_older(directory):
    for db, (tables, columns) in LACKING.items():
        schema = json.loads((REPO / f"build/schema/ovn-{db}.ovsschema").read_text())
        schema["version"] = "1.0.0"
        schema.pop("cksum", None)
        schema["tables"] = {name: t for name, t in schema["tables"].items() if name not in tables}
        for name, t in schema["tables"].items():
            t["columns"] = {c: d for c, d in t["columns"].items() if c not in columns.get(name, ()) and not refers(d, tables)}
            t["indexes"] = [i for i in t.get("indexes", []) if set(i) <= t["columns"].keys()]
        (directory / f"ovn-{db}.ovsschema").write_text(json.dumps(schema))


@pytest.mark.skipif(PEER, reason="the peer promises less")
def test_the_whole_path_on_databases_that_lack_much(tmp_path, request):
    make_older(tmp_path)
    lab = build_lab(request.module.__name__, BLUE_AND_RED, use={"schema": str(tmp_path)})
    try:
        reaches(lab, "b1", "10.0.0.2")
        assert works(lab, "b1", "10.0.0.3") and works(lab, "b3", "10.0.0.4") and works(lab, "r1", "10.0.0.2")
        lab.nbctl("--wait=hv", "lsp-set-enabled", "b2", "disabled")
        assert ping(lab, "b1", "10.0.0.2", 2, wait=0.3) == 0
        lab.nbctl("--wait=hv", "lsp-set-enabled", "b2", "enabled")
        lab.restart("hv1/controller")
        lab.restart("northd")
        assert lab.sync(15) and works(lab, "b1", "10.0.0.2")
        for name in ("central/northd", "hv1/controller", "hv2/controller"):
            assert lab.daemons.appctl(name, "inc-engine/verify").strip() == "0 differences"
            bad = [line for line in log_of(lab, name).splitlines() if "|ERR|" in line or "constraint" in line or "unknown column" in line]
            assert not bad, bad
    except BaseException:
        request.module.any_failed = True
        raise
    finally:
        retire_lab(lab, request.module)

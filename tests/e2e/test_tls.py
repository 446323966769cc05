"""Hypervisors that reach the southbound database by TLS, with the rights of the role ovn-controller and no more."""
from helpers import eventually, log_of, ping, reaches, works
from ovnlab import pki

TOPOLOGY = """
[central]
tls = true
[hypervisor.hv1]
[hypervisor.hv2]
[switch.s]
[vm.a]
switch = "s"
on = "hv1"
ip = "10.0.0.1/24"
[vm.b]
switch = "s"
on = "hv2"
ip = "10.0.0.2/24"
"""


def complaints(lab, hv, since=0):
    return [line for line in log_of(lab, f"{hv}/controller")[since:].splitlines() if "|WARN|" in line or "|ERR|" in line]


def drop_connections(lab):
    lab.daemons.appctl("central/sb", "ovsdb-server/reconnect")


def test_a_network_under_tls_and_roles(lab):
    """Binding, learning, sequence numbers: all that a controller writes is among its rights."""
    reaches(lab, "a", "10.0.0.2")
    assert lab.sync(10)
    assert [(c["target"], c["role"]) for c in lab.sb.select("Connection")] == [("pssl:6642:0.0.0.0", "ovn-controller")]
    eventually(lambda: lab.sb.select("Connection")[0]["status"].get("n_connections") == "2", what="both by that listener")
    for hv in ("hv1", "hv2"):
        assert "connected to ssl:" in log_of(lab, f"{hv}/controller")
        assert not complaints(lab, hv)


def test_a_port_moves_and_comes_back(lab):
    lab.move("a", "hv2")
    reaches(lab, "b", "10.0.0.1")
    lab.move("a", "hv1")
    reaches(lab, "b", "10.0.0.1")
    assert not complaints(lab, "hv1") and not complaints(lab, "hv2")


def test_leave_and_return(lab):
    """`exit` takes the chassis' rows away, a start brings them back: with its own certificate it may do both."""
    lab.daemons.appctl("hv1/controller", "exit")
    eventually(lambda: [c["name"] for c in lab.sb.select("Chassis")] == ["hv2"], what="hv1 is still there")
    eventually(lambda: not lab.daemons.running("hv1/controller"))
    lab.start("hv1/controller")
    assert lab.wait_port_up("a", 10)
    reaches(lab, "a", "10.0.0.2")


def test_certificates_are_renewed_under_traffic(lab):
    before = len(log_of(lab, "hv1/controller"))
    pid = lab.daemons.running("hv1/controller")
    pki.issue(lab, "hv1")
    drop_connections(lab)
    eventually(lambda: "read the TLS files again" in log_of(lab, "hv1/controller")[before:])
    assert lab.sync(10) and works(lab, "a", "10.0.0.2")
    assert lab.daemons.running("hv1/controller") == pid and not complaints(lab, "hv1", before)


def test_another_hypervisors_certificate(lab):
    """hv1 with hv2's certificate is let in and may write nothing of hv1's; its traffic goes on. What was wrong is told."""
    before = len(log_of(lab, "hv1/controller"))
    try:
        lab.ovs("hv1", "vsctl", "set-ssl", *pki.files(lab, "hv2"))
        drop_connections(lab)
        lab.ovs("hv1", "vsctl", "set", "Open_vSwitch", ".", "external_ids:hostname=elsewhere")
        eventually(lambda: any("permission" in line or "RBAC" in line for line in complaints(lab, "hv1", before)))
        assert [c["hostname"] for c in lab.sb.select("Chassis") if c["name"] == "hv1"] == ["hv1"]
        assert works(lab, "a", "10.0.0.2")
    finally:
        lab.ovs("hv1", "vsctl", "set", "Open_vSwitch", ".", "external_ids:hostname=hv1")
        lab.ovs("hv1", "vsctl", "set-ssl", *pki.files(lab, "hv1"))
        drop_connections(lab)
    assert lab.sync(20)


def test_a_key_of_another_certificate(lab):
    """Refused before it connects, with a word that says so; mended, it connects at once."""
    key, certificate, ca = pki.files(lab, "hv1")
    before = len(log_of(lab, "hv1/controller"))
    lab.kill("hv1/controller")
    lab.ovs("hv1", "vsctl", "set-ssl", pki.files(lab, "hv2")[0], certificate, ca)
    lab.start("hv1/controller")
    eventually(lambda: any("does not match certificate" in line for line in complaints(lab, "hv1", before)))
    assert ping(lab, "a", "10.0.0.2") == 3, "what is installed works on"
    lab.ovs("hv1", "vsctl", "set-ssl", key, certificate, ca)
    eventually(lambda: lab.daemons.appctl("hv1/controller", "connection-status").strip() == "connected", 3)
    assert lab.sync(10)


def test_options_go_before_the_row(lab):
    lab.kill("hv1/controller")
    lab.ovs("hv1", "vsctl", "set-ssl", "/no/key", "/no/certificate", "/no/ca")
    lab.daemons.start("hv1/controller", pki.options(lab, "hv1"))
    eventually(lambda: lab.daemons.appctl("hv1/controller", "connection-status").strip() == "connected", 5)
    assert lab.sync(10)
    lab.ovs("hv1", "vsctl", "set-ssl", *pki.files(lab, "hv1"))

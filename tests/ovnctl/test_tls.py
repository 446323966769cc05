"""TLS as an operator sets it up: by our tools in the databases and by options of ovn-ctl, with real servers that pick it up, and
certificates that are replaced while everything runs."""
import shutil
import sys
import time

import pytest
from conftest import REPO, a_hypervisor, dead, eventually, free_ports

sys.path.insert(0, str(REPO / "tests/tls"))
from pki import Authority                                        # noqa: E402


@pytest.fixture
def ca(tmp_path):
    return Authority(tmp_path, "ca")


def ssl_row(identity, ca):
    return [str(identity.key), str(identity.certificate), str(ca.certificate)]


def ctl_options(prefix, identity, ca):
    return [f"--{prefix}-ssl-{o}={path}" for o, path in zip(("key", "cert", "ca-cert"), ssl_row(identity, ca))]


def by_tls(machine, tool, port, identity, ca, *words):
    return machine.program(tool, f"--db=ssl:127.0.0.1:{port}", "--timeout=10", *map(str, identity.options(ca)), *words)


def listens(machine, tool, port, identity, ca):
    eventually(lambda: by_tls(machine, tool, port, identity, ca, "--no-leader-only", "get-connection").status == 0,
               what=f"no TLS at port {port}")


@pytest.mark.parametrize("tool, db", [("ovn-nbctl", "nb"), ("ovn-sbctl", "sb")])
def test_set_ssl_and_set_connection(machine, ca, tmp_path, tool, db):
    """What the tools write into a database, its server does: at once, and again when it is changed."""
    machine.ok("start_ovsdb")
    local = machine.nbctl if db == "nb" else machine.sbctl
    me, server = ca.issue("me"), ca.issue("the server")
    port, other_port = free_ports(2)
    local("--inactivity-probe=5000", "set-connection", f"pssl:{port}:127.0.0.1")
    time.sleep(0.1)
    assert by_tls(machine, tool, port, me, ca, "show").status, "it listens without a certificate"
    local("set-ssl", *ssl_row(server, ca))
    listens(machine, tool, port, me, ca)
    said = local("get-ssl")
    assert all(path in said for path in ssl_row(server, ca))

    # Protocols and ciphers of the row.
    local("set-ssl", *ssl_row(server, ca), "TLSv1.2", "ECDHE-ECDSA-AES256-GCM-SHA384")
    refusal = lambda *options: by_tls(machine, tool, port, me, ca, "--timeout=2", *options, "show").err
    eventually(lambda: "refuses our protocol versions" in refusal("--ssl-protocols=TLSv1.3"), what="TLSv1.2 only")
    assert by_tls(machine, tool, port, me, ca, "--ssl-protocols=TLSv1.2", "show").status == 0
    eventually(lambda: "no cipher or protocol version in common" in refusal("--ssl-ciphers=ECDHE-ECDSA-AES128-GCM-SHA256"), what="one cipher only")
    assert by_tls(machine, tool, port, me, ca, "--ssl-ciphers=ECDHE-ECDSA-AES256-GCM-SHA384", "show").status == 0
    local("set-ssl", *ssl_row(server, ca))

    # Another port instead; another authority; no listener at all.
    local("set-connection", f"pssl:{other_port}:127.0.0.1")
    listens(machine, tool, other_port, me, ca)
    assert "refused" in by_tls(machine, tool, port, me, ca, "--timeout=1", "show").err
    other = Authority(tmp_path, "other", "another authority")
    local("set-ssl", *ssl_row(other.issue("the server"), other))
    eventually(lambda: "signed by another CA (another authority)" in
               by_tls(machine, tool, other_port, me, ca, "--timeout=1", "show").err, what="the server does not take the new files")
    listens(machine, tool, other_port, other.issue("me"), other)
    local("del-connection")
    eventually(lambda: "refused" in by_tls(machine, tool, other_port, me, ca, "--timeout=1", "show").err)
    local("del-ssl")
    assert not local("get-ssl").strip() and not local("get-connection").strip()


def test_set_ssl_bootstrap(machine, ca, tmp_path):
    """--bootstrap: a server without its CA's certificate takes it from the peer that it connects to."""
    machine.ok("start_ovsdb")
    file = tmp_path / "bootstrapped.pem"
    server = ca.issue("the server")
    machine.nbctl("--bootstrap", "set-ssl", str(server.key), str(server.certificate), str(file))
    assert "true" in machine.nbctl("--bare", "--columns=bootstrap_ca_cert", "list", "SSL")
    assert "Bootstrap: true" in machine.nbctl("get-ssl")


def replace(identity, by):
    shutil.copy(by.key, identity.key)
    shutil.copy(by.certificate, identity.certificate)


@pytest.fixture
def in_tls(machine, ca):
    """A machine all of whose daemons talk TLS, by options of ovn-ctl; what they use is machine.identities."""
    port = free_ports(2)
    machine.ports = dict(zip(("nb", "sb"), port))
    ids = machine.identities = {n: ca.issue(n) for n in ("nb", "sb", "northd", "hv")}
    machine.trusted = [machine.dir / f"{n}-ca.pem" for n in ids]
    for path in machine.trusted:
        shutil.copy(ca.certificate, path)
    for name, prefix in (("nb", "ovn-nb-db"), ("sb", "ovn-sb-db"), ("northd", "ovn-northd"), ("hv", "ovn-controller")):
        machine.options += [f"--{prefix}-ssl-key={ids[name].key}", f"--{prefix}-ssl-cert={ids[name].certificate}",
                            f"--{prefix}-ssl-ca-cert={machine.dir}/{name}-ca.pem"]
    machine.options += [f"--ovn-northd-{db}-db=ssl:127.0.0.1:{machine.ports[db]}" for db in ("nb", "sb")] + ["--no-monitor"]
    machine.ok("start_ovsdb")
    machine.nbctl("set-connection", f"pssl:{machine.ports['nb']}:127.0.0.1")
    machine.sbctl("set-connection", f"pssl:{machine.ports['sb']}:127.0.0.1")
    machine.ok("start_northd", "--ovn-manage-ovsdb=no")
    with a_hypervisor(machine, f"ssl:127.0.0.1:{machine.ports['sb']}") as machine.vsctl:
        machine.ok("start_controller")
        yield machine


def goes_on(machine, word):
    """A change goes northbound to southbound, and one from the hypervisor arrives."""
    machine.nbctl("--wait=sb", "--timeout=20", "ls-add", word)
    machine.vsctl("set", "Open_vSwitch", ".", f"external_ids:ovn-cms-options={word}")
    eventually(lambda: f"ovn-cms-options={word}" in machine.sbctl("--bare", "--columns=other_config", "list", "Chassis"), 15,
               f"ovn-controller does not say {word}")


def test_everything_in_tls(in_tls, ca, tmp_path):
    """All files, the authority too, are replaced while daemons run; no daemon is restarted, and none of the old is accepted any more."""
    m = in_tls
    goes_on(m, "first")
    pids = [m.pid("ovn-northd"), m.pid("ovn-controller")]
    new = Authority(tmp_path, "new", "a new authority")
    for name, identity in m.identities.items():
        replace(identity, new.issue(name))
    for path in m.trusted:
        shutil.copy(new.certificate, path)
    # Connections that stand go on with what they have; new ones need the new.
    goes_on(m, "second")
    old = ca.issue("me")
    for db, tool in (("nb", "ovn-nbctl"), ("sb", "ovn-sbctl")):
        eventually(lambda: by_tls(m, tool, m.ports[db], new.issue("me"), new, "show").status == 0, what=f"{db} does not take the new files")
        assert "signed by" in by_tls(m, tool, m.ports[db], old, new, "--timeout=2", "show").err
        m.ok(f"restart_{db}_ovsdb")
    goes_on(m, "third")
    assert [m.pid("ovn-northd"), m.pid("ovn-controller")] == pids and not any(map(dead, pids))
    for name in "ovn-northd", "ovn-controller":
        assert "read the TLS files again" in (m.log / f"{name}.log").read_text()
        assert not any("TLS" in line or "certificate" in line for line in m.warnings(name)), m.warnings(name)
    m.ok("stop_controller")


def test_a_certificate_expires_and_is_renewed(in_tls, ca):
    """Daemons whose certificates expired say so, by name, and go on when they are renewed."""
    m = in_tls
    goes_on(m, "first")
    for name in "northd", "hv":
        replace(m.identities[name], ca.issue(name, -20, -10, f"{name}-old"))
    for db in "nb", "sb":
        m.ok(f"restart_{db}_ovsdb")
    for daemon, name in (("ovn-northd", "northd"), ("ovn-controller", "hv")):
        eventually(lambda: any(f"({name}), which expired on 20" in w for w in m.warnings(daemon)), what=f"{daemon} does not say why")
    for name in "northd", "hv":
        replace(m.identities[name], ca.issue(name, name=f"{name}-new"))
    goes_on(m, "second")
    m.ok("stop_controller")


def test_a_cluster_in_tls(machines, ca):
    """Three servers of each database that talk TLS to each other and to clients; the leader dies."""
    servers = [machines() for _ in range(3)]
    ports, remotes = free_ports(12), {}
    me = ca.issue("everybody")
    for i, db in enumerate(("nb", "sb")):
        listen, raft = ports[6 * i:6 * i + 3], ports[6 * i + 3:6 * i + 6]
        remotes[db] = ",".join(f"ssl:127.0.0.1:{p}" for p in listen)
        for n, m in enumerate(servers):
            m.options += [f"--db-{db}-cluster-local-proto=ssl", f"--db-{db}-cluster-local-addr=127.0.0.1", f"--db-{db}-cluster-local-port={raft[n]}",
                          *ctl_options(f"ovn-{db}-db", me, ca)]
            m.options += [f"--db-{db}-cluster-remote-proto=ssl", f"--db-{db}-cluster-remote-addr=127.0.0.1",
                          f"--db-{db}-cluster-remote-port={raft[0]}"] if n else [f"--db-{db}-election-timer=1000"]
            m.ok(f"start_{db}_ovsdb", "--", f"--remote=pssl:{listen[n]}:127.0.0.1")
    client = servers[0]
    for m in servers[:2]:
        m.ok(*ctl_options("ovn-northd", me, ca), *(f"--ovn-northd-{db}-db={r}" for db, r in remotes.items()), "--ovn-manage-ovsdb=no", "start_northd")
    nbctl = lambda *words: client.program("ovn-nbctl", f"--db={remotes['nb']}", "--timeout=20", "--wait=sb", *map(str, me.options(ca)), *words)
    assert nbctl("ls-add", "before").status == 0
    leads = lambda m, db, name: "Role: leader" in m.appctl(f"ovn{db}_db.ctl", "cluster/status", name)
    for db, name in (("nb", "OVN_Northbound"), ("sb", "OVN_Southbound")):
        next(m for m in servers if leads(m, db, name)).kill(f"ovn{db}_db")
    r = nbctl("ls-add", "after")
    assert r.status == 0, r
    shown = client.program("ovn-sbctl", f"--db={remotes['sb']}", "--timeout=20", *map(str, me.options(ca)), "--bare", "--columns=external_ids",
                           "list", "Datapath_Binding")
    assert "name=before" in shown.out and "name=after" in shown.out, shown
    # Nothing listens without TLS.
    refused = client.program("ovn-nbctl", f"--db={remotes['nb'].replace('ssl:', 'tcp:')}", "--timeout=2", "show")
    assert refused.status and not refused.out

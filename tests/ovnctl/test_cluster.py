"""Three servers of a cluster, made and joined by ovn-ctl, on the loopback: writes through deaths, failovers, a relay.

A server is a Machine with ports of its own. Nothing here waits for longer than it must; the whole takes seconds.
"""
import re
import subprocess
import threading
import time

import pytest
from conftest import eventually, free_ports
from test_ctl import older_schema, version_of


class Cluster:
    """Three Machines, each with a Northbound and a Southbound server of a cluster, and a Machine for clients."""

    def __init__(self, machines, schemas=(), timer=1000):
        ports = free_ports(14)
        self.client, self.relay_port = machines(), ports.pop()
        ports.pop()
        self.remotes = {}
        self.servers = [machines(*schemas) for _ in range(3)]
        for i, db in enumerate(("nb", "sb")):
            listen, raft = ports[6 * i:6 * i + 3], ports[6 * i + 3:6 * i + 6]
            self.remotes[db] = ",".join(f"tcp:127.0.0.1:{p}" for p in listen)
            for n, m in enumerate(self.servers):
                m.options += [f"--db-{db}-create-insecure-remote=yes", f"--db-{db}-addr=127.0.0.1", f"--db-{db}-port={listen[n]}",
                              f"--db-{db}-cluster-local-addr=127.0.0.1", f"--db-{db}-cluster-local-port={raft[n]}"]
                if n:
                    m.options += [f"--db-{db}-cluster-remote-addr=127.0.0.1", f"--db-{db}-cluster-remote-port={raft[0]}"]
                else:
                    m.options += [f"--db-{db}-election-timer={timer}"]
        for m in self.servers:
            m.options += [f"--ovn-northd-nb-db={self.remotes['nb']}", f"--ovn-northd-sb-db={self.remotes['sb']}"]
        self.client.env |= {"OVN_NB_DB": self.remotes["nb"], "OVN_SB_DB": self.remotes["sb"]}

    def start(self, command="start_ovsdb"):
        for m in self.servers:
            m.ok(command)

    def nbctl(self, *args):
        return self.client.nbctl(*args, db=self.remotes["nb"])

    def sbctl(self, *args):
        return self.client.sbctl(*args, db=self.remotes["sb"])

    def role(self, m, db):
        text = m.program("ovn-appctl", "-t", f"{m.run}/ovn{db}_db.ctl", "cluster/status", NAMES[db]).out
        found = re.search(r"^Role: (\w+)$", text, re.M)
        return found and found.group(1)

    def leader(self, db):
        found = [m for m in self.servers if self.role(m, db) == "leader"]
        return found[0] if len(found) == 1 else None


NAMES = {"nb": "OVN_Northbound", "sb": "OVN_Southbound"}


@pytest.fixture(scope="module")
def module_machines():
    from conftest import Machine
    made = []

    def make(*options, **env):
        made.append(Machine(*options, **env))
        return made[-1]

    yield make
    for m in made:
        m.close()


@pytest.fixture(scope="module")
def started(module_machines):
    c = Cluster(module_machines)
    c.start("start_northd")
    return c


@pytest.fixture
def cluster(started):
    """The cluster in good health: three members of both databases, one active ovn-northd of three, no switches."""
    for m in started.servers:
        m.ok("start_northd")
    for db in NAMES:
        eventually(lambda: started.leader(db), 15, f"no leader of {db}")
    eventually(lambda: active(started), 10, "no active ovn-northd")
    for name in started.nbctl("--bare", "--columns=name", "list", "Logical_Switch").split():
        started.nbctl("ls-del", name)
    return started


def active(cluster):
    found = [m for m in cluster.servers if m.program("ovn-appctl", "-t", "ovn-northd", "status").out == "Status: active\n"]
    assert len(found) <= 1, "two ovn-northds are active"
    return found[0] if found else None


class Writer(threading.Thread):
    """Adds switches until it is told to stop, and knows which of the commands said that they had done so."""

    def __init__(self, cluster, prefix):
        super().__init__()
        self.cluster, self.prefix, self.stopped, self.acknowledged, self.refused, self.slowest = cluster, prefix, False, [], [], 0
        self.start()

    def run(self):
        n = 0
        while not self.stopped:
            name, began = f"{self.prefix}{n}", time.monotonic()
            r = self.cluster.client.program("ovn-nbctl", "--timeout=30", f"--db={self.cluster.remotes['nb']}", "--add-duplicate",
                                            "ls-add", name)           # a transaction sent twice would be seen as two switches
            self.slowest = max(self.slowest, time.monotonic() - began)
            (self.acknowledged if r.status == 0 else self.refused).append(name if r.status == 0 else (name, r.err))
            n += 1

    def finish(self):
        self.stopped = True
        self.join(40)
        assert not self.is_alive()


def switches(cluster):
    return sorted(cluster.nbctl("--bare", "--columns=name", "list", "Logical_Switch").split())


def accounted_for(cluster, *writers):
    """The switches there are: all that were acknowledged, each once, and beside them only such as ovn-nbctl did not
    know of, when the server that it had sent them to went away before it answered. No other refusal is right."""
    acknowledged = {name for w in writers for name in w.acknowledged}
    unknown = dict(r for w in writers for r in w.refused)
    assert all("the change may or may not have been made" in why for why in unknown.values()), unknown
    found = switches(cluster)
    assert not acknowledged - set(found), "lost"
    assert len(found) == len(set(found)), "doubled"
    assert set(found) - acknowledged <= set(unknown), "not asked for"
    return found


def datapaths(cluster):
    return sorted(re.findall(r"\bname=(\S+)", cluster.sbctl("--bare", "--columns=external_ids", "list", "Datapath_Binding")))


def test_made_by_ovn_ctl(cluster):
    for db, name in NAMES.items():
        for m in cluster.servers:
            status = m.appctl(f"ovn{db}_db.ctl", "cluster/status", name)
            assert len(re.findall(r"^    \w{4} \(", status, re.M)) == 3 and "Status: cluster member" in status, status
            assert "Election timer: 1000" in status
    assert len(cluster.nbctl("--bare", "--columns=_uuid", "list", "NB_Global").split()) == 1
    assert len(cluster.sbctl("--bare", "--columns=_uuid", "list", "SB_Global").split()) == 1
    assert all(m.ok("status_ovnnb") == "running/active\n" for m in cluster.servers)


@pytest.mark.parametrize("victim", ["leader", "follower"])
def test_killed_under_writes(cluster, victim):
    """kill -9 of a server under writes: what was acknowledged is there, once; and southbound follows it."""
    leader = cluster.leader("nb")
    dying = leader if victim == "leader" else next(m for m in cluster.servers if m is not leader)
    writers = [Writer(cluster, f"{victim}-{i}-") for i in range(2)]
    eventually(lambda: all(len(w.acknowledged) > 5 for w in writers))
    dying.kill("ovnnb_db")
    before = [len(w.acknowledged) for w in writers]
    eventually(lambda: all(len(w.acknowledged) > b + 10 for w, b in zip(writers, before)), 20, "no writes after the death")
    for w in writers:
        w.finish()
    print(f"{victim} killed: {sum(len(w.acknowledged) for w in writers)} writes, the slowest took "
          f"{max(w.slowest for w in writers):.2f} s; not known: {sum((w.refused for w in writers), [])}")
    found = accounted_for(cluster, *writers)
    dying.ok("start_nb_ovsdb")
    # The one that was away learns the rest.
    alone = lambda: sorted(dying.nbctl("--no-leader-only", "--bare", "--columns=name", "list", "Logical_Switch").split())
    eventually(lambda: alone() == found, 15, "the returned server does not catch up")
    cluster.nbctl("--wait=sb", "--timeout=20", "sync")
    assert datapaths(cluster) == found


def test_southbound_killed_under_northd(cluster):
    """The southbound leader dies while ovn-northd writes: what it says in the end is what the northbound says."""
    writer = Writer(cluster, "sb-")
    eventually(lambda: len(writer.acknowledged) > 5)
    dying = cluster.leader("sb")
    dying.kill("ovnsb_db")
    eventually(lambda: cluster.leader("sb"), 15)
    before = len(writer.acknowledged)
    eventually(lambda: len(writer.acknowledged) > before + 5)
    writer.finish()
    assert not writer.refused
    cluster.nbctl("--wait=sb", "--timeout=20", "sync")
    assert datapaths(cluster) == switches(cluster) == sorted(writer.acknowledged)
    dying.ok("start_sb_ovsdb")


def test_leadership_transfer(cluster):
    """Leadership moves when the leader is stopped by ovn-ctl; writes go on."""
    writer = Writer(cluster, "moved-")
    for db in NAMES:
        old = cluster.leader(db)
        old.ok(f"stop_{db}_ovsdb")
        new = eventually(lambda: cluster.leader(db), 5, "no new leader")
        assert new is not old
        old.ok(f"start_{db}_ovsdb")
        before = len(writer.acknowledged)
        eventually(lambda: len(writer.acknowledged) > before + 3)
    writer.finish()
    found = accounted_for(cluster, writer)
    cluster.nbctl("--wait=sb", "--timeout=20", "sync")
    assert datapaths(cluster) == found


def test_standby_takes_over(cluster):
    """The active ovn-northd dies; within two seconds another one works."""
    cluster.nbctl("--wait=sb", "--timeout=20", "ls-add", "before")
    old = active(cluster)
    old.kill("ovn-northd")
    died = time.monotonic()
    cluster.nbctl("--wait=sb", "--timeout=20", "ls-add", "after")
    took = time.monotonic() - died
    print(f"standby took over and worked in {took * 1000:.0f} ms")
    assert took < 2
    assert active(cluster) not in (old, None)
    assert datapaths(cluster) == ["after", "before"]


def test_relay(cluster):
    """A relay of the Southbound, started by ovn-ctl; ovn-controller is behind it, and a member's death is not its matter."""
    m = cluster.client
    m.ok("start_sb_relay_ovsdb", f"--db-sb-relay-remote={cluster.remotes['sb']}", "--", f"--remote=ptcp:{cluster.relay_port}:127.0.0.1")
    relay = f"tcp:127.0.0.1:{cluster.relay_port}"
    assert "is running" in m.ok("status_sb_relay_ovsdb")
    subprocess.run(["ovsdb-tool", "create", f"{m.dir}/conf.db", "/usr/share/openvswitch/vswitch.ovsschema"], check=True)
    local = subprocess.Popen(["ovsdb-server", f"--remote=punix:{m.run}/db.sock", f"--unixctl={m.run}/local.ctl", "-vconsole:off",
                              f"{m.dir}/conf.db"])
    try:
        eventually((m.run / "db.sock").exists)
        vsctl = ["ovs-vsctl", "--no-wait", f"--db=unix:{m.run}/db.sock"]
        subprocess.run([*vsctl, "init"], check=True)
        subprocess.run([*vsctl, "set", "Open_vSwitch", ".", "external_ids:system-id=hv", "external_ids:ovn-encap-type=geneve",
                        "external_ids:ovn-encap-ip=127.0.0.1", f"external_ids:ovn-remote={relay}"], check=True)
        m.ok("start_controller")
        chassis = lambda: cluster.sbctl("--bare", "--columns=name", "list", "Chassis").split() == ["hv"]
        eventually(chassis, what="the chassis does not come through the relay")
        dying = cluster.leader("sb")
        dying.kill("ovnsb_db")
        eventually(lambda: cluster.leader("sb"), 15)
        assert m.appctl("ovn-controller", "connection-status") == "connected\n"
        # A write through the relay still arrives.
        subprocess.run([*vsctl, "set", "Open_vSwitch", ".", "external_ids:ovn-cms-options=hello"], check=True)
        eventually(lambda: "hello" in cluster.sbctl("--bare", "--columns=other_config", "list", "Chassis"), 15)
        m.ok("stop_controller")
        eventually(lambda: not cluster.sbctl("--bare", "--columns=name", "list", "Chassis").strip())
        dying.ok("start_sb_ovsdb")
    finally:
        local.terminate()
        local.wait()
    m.ok("stop_sb_relay_ovsdb")


def test_schema_upgrade_of_a_running_cluster(machines):
    """An older schema is converted through a running cluster, under a running ovn-northd, at the first server's
    restart, unless told not to."""
    m = machines()
    old = {db: older_schema(m, db, "5.0.0") for db in NAMES}
    cluster = Cluster(machines)
    schemas = [f"--db-{db}-schema={path}" for db, path in old.items()]
    for s in cluster.servers:
        s.ok(*schemas, "start_northd")
    cluster.nbctl("--wait=sb", "--timeout=20", "ls-add", "old")
    first, second, _ = cluster.servers
    version = lambda: first.program("ovsdb-client", "get-schema-version", f"unix:{first.run}/ovnnb_db.sock", "OVN_Northbound").out.strip()
    first.ok("restart_nb_ovsdb", "--no-db-cluster-schema-upgrade")
    assert version() == "5.0.0"
    said = second.ok("restart_ovsdb")
    for db in NAMES:
        assert f"from schema 5.0.0 to {version_of(f'ovn-{db}.ovsschema')}" in said
    eventually(lambda: version() == version_of("ovn-nb.ovsschema"))
    cluster.nbctl("--wait=sb", "--timeout=20", "--", "set", "Logical_Switch", "old", "other_config:a=b", "--", "ls-add", "new")
    assert datapaths(cluster) == ["new", "old"]


def test_standalone_becomes_clustered(machine):
    """The rows of a standalone database are the first of a cluster's."""
    machine.ok("start_nb_ovsdb")
    machine.nbctl("ls-add", "kept")
    machine.ok("stop_nb_ovsdb")
    raft, = free_ports(1)
    said = machine.ok("--db-nb-cluster-local-addr=127.0.0.1", f"--db-nb-cluster-local-port={raft}", "start_nb_ovsdb")
    assert "becomes clustered" in said
    assert machine.nbctl("--bare", "--columns=name", "list", "Logical_Switch") == "kept\n"
    # From now on the file says what it is: no option is needed.
    machine.ok("restart_nb_ovsdb")
    assert "Role: leader" in machine.appctl("ovnnb_db.ctl", "cluster/status", "OVN_Northbound")

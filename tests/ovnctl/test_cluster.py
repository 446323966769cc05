"""Three servers of a cluster, made and joined by ovn-ctl, on the loopback: writes through deaths, failovers, a relay.

A server is a Machine with ports of its own. Nothing here waits for longer than it must; the whole takes seconds.
"""
import json
import os
import re
import signal
import subprocess
import threading
import time

import pytest
from conftest import REPO, a_hypervisor, eventually, free_ports
from test_ctl import older_schema, version_of


class Cluster:
    """Three Machines, each with a Northbound and a Southbound server of a cluster, and a Machine for clients."""

    def __init__(self, machines, schemas=(), timer=1000):
        ports = free_ports(14)
        self.client, self.relay_port, self.writers = machines(), ports.pop(), []
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
    yield started
    while started.writers:              # Of a test that failed: they would write on into the next one's network.
        started.writers.pop().finish()


def active(cluster):
    found = [m for m in cluster.servers if m.program("ovn-appctl", "-t", "ovn-northd", "status").out == "Status: active\n"]
    assert len(found) <= 1, "two ovn-northds are active"
    return found[0] if found else None


class Writer(threading.Thread):
    """Adds switches until it is told to stop, and knows which of the commands said that they had done so."""

    def __init__(self, cluster, prefix, timeout=30):
        super().__init__(daemon=True)
        cluster.writers.append(self)
        self.cluster, self.prefix, self.stopped, self.acknowledged, self.refused, self.slowest = cluster, prefix, False, [], [], 0
        self.timeout = timeout
        self.start()

    def run(self):
        n = 0
        while not self.stopped:
            name, began = f"{self.prefix}{n}", time.monotonic()
            r = self.cluster.client.program("ovn-nbctl", f"--timeout={self.timeout}", f"--db={self.cluster.remotes['nb']}", "--add-duplicate",
                                            "ls-add", name)           # a transaction sent twice would be seen as two switches
            self.slowest = max(self.slowest, time.monotonic() - began)
            why = "no answer" if r.status == -signal.SIGALRM else r.err
            (self.acknowledged if r.status == 0 else self.refused).append(name if r.status == 0 else (name, why))
            n += 1

    def finish(self):
        self.stopped = True
        self.join(40)
        assert not self.is_alive()


def switches(cluster):
    return sorted(cluster.nbctl("--bare", "--columns=name", "list", "Logical_Switch").split())


def accounted_for(cluster, *writers, other="nothing else"):
    """The switches there are: all that were acknowledged, each once, and beside them only such as ovn-nbctl did not
    know of, when the server that it had sent them to went away before it answered. No refusal but that and OTHER is right."""
    acknowledged = {name for w in writers for name in w.acknowledged}
    unknown = dict(r for w in writers for r in w.refused)
    assert all("the change may or may not have been made" in why or why == other for why in unknown.values()), unknown
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


def test_standby_takes_over_from_one_that_hangs(machines):
    """Nobody closes the connection of an ovn-northd that stands still, or whose machine is gone: the server's inactivity
    probe decides. Of one second, asked for in the Connection row, it takes two until the lock is the standby's."""
    a, b = machines("--no-monitor"), machines("--no-monitor")
    port, = free_ports(1)
    a.ok("start_ovsdb")
    a.sbctl("--inactivity-probe=1000", "set-connection", f"ptcp:{port}:127.0.0.1")
    for m in a, b:
        m.ok("--ovn-manage-ovsdb=no", f"--ovn-northd-nb-db=unix:{a.run}/ovnnb_db.sock", f"--ovn-northd-sb-db=tcp:127.0.0.1:{port}", "start_northd")
    status = lambda m: m.appctl("ovn-northd", "status").strip().removeprefix("Status: ")
    eventually(lambda: sorted(map(status, (a, b))) == ["active", "standby"])
    old, new = (a, b) if status(a) == "active" else (b, a)
    a.nbctl("--wait=sb", "ls-add", "before")
    pid = old.pid("ovn-northd")
    os.kill(pid, signal.SIGSTOP)
    try:
        began = time.monotonic()
        a.nbctl("--wait=sb", "--timeout=20", "ls-add", "after")
        took = time.monotonic() - began
        print(f"standby took over from one that hangs in {took * 1000:.0f} ms")
        assert 0.9 < took < 4 and status(new) == "active"
    finally:
        os.kill(pid, signal.SIGCONT)
    # It comes to itself with work in hand, and must not do it.
    eventually(lambda: status(old) == "standby")
    a.nbctl("--wait=sb", "--timeout=20", "ls-del", "before")
    assert sorted(re.findall(r"\bname=(\S+)", a.sbctl("--bare", "--columns=external_ids", "list", "Datapath_Binding"))) == ["after"]
    assert status(old) == "standby" and new.appctl("ovn-northd", "inc-engine/verify") == "0 differences\n"


@pytest.mark.parametrize("role", ["leader", "follower"])
def test_a_server_that_hangs(cluster, role):
    """Both databases of one machine stand still: the others elect, ovn-northd goes to them, writes go on; then it goes on."""
    leader = cluster.leader("sb")
    member = leader if role == "leader" else next(m for m in cluster.servers if m is not leader)
    cluster.nbctl("--wait=sb", "--timeout=20", "set", "NB_Global", ".", "options:northd_probe_interval=1000")
    writer = Writer(cluster, f"hangs-{role}-", timeout=8)
    pids = [member.pid("ovnnb_db"), member.pid("ovnsb_db")]
    eventually(lambda: len(writer.acknowledged) > 3)
    for pid in pids:
        os.kill(pid, signal.SIGSTOP)
    try:
        began, before = time.monotonic(), len(writer.acknowledged)
        eventually(lambda: len(writer.acknowledged) > before + 5, 25, "no writes")
        others = ",".join(r for r, m in zip(cluster.remotes["nb"].split(","), cluster.servers) if m is not member)
        cluster.client.nbctl("--wait=sb", "--timeout=20", "sync", db=others)
        print(f"{role} hangs: writes and ovn-northd went on after {time.monotonic() - began:.1f} s")
        writer.finish()
    finally:
        for pid in pids:
            os.kill(pid, signal.SIGCONT)
    found = accounted_for(cluster, writer, other="no answer")
    cluster.nbctl("--wait=sb", "--timeout=20", "--", "remove", "NB_Global", ".", "options", "northd_probe_interval")
    assert datapaths(cluster) == found
    alone = lambda: sorted(member.nbctl("--no-leader-only", "--bare", "--columns=name", "list", "Logical_Switch").split())
    eventually(lambda: alone() == found, 15, "the server that hung does not catch up")


def test_a_machine_dies(cluster):
    """The machine of the active ovn-northd, its servers and it at once, under writes."""
    writer = Writer(cluster, "machine-")
    eventually(lambda: len(writer.acknowledged) > 5)
    dying = active(cluster)
    for name in "ovnnb_db", "ovnsb_db", "ovn-northd":
        dying.kill(name)
    died, before = time.monotonic(), len(writer.acknowledged)
    eventually(lambda: len(writer.acknowledged) > before, 20)
    writes = time.monotonic() - died
    cluster.nbctl("--wait=sb", "--timeout=20", "sync")
    print(f"writes go on after {writes:.1f} s, and reach the southbound database after {time.monotonic() - died:.1f} s")
    writer.finish()
    found = accounted_for(cluster, writer)
    cluster.nbctl("--wait=sb", "--timeout=20", "sync")
    assert datapaths(cluster) == found and active(cluster) is not dying
    dying.ok("start_northd")
    eventually(lambda: cluster.role(dying, "nb") == "follower" and cluster.role(dying, "sb") == "follower", 15)


def test_relay(cluster):
    """A relay of the Southbound, started by ovn-ctl; ovn-controller is behind it, and a member's death is not its matter."""
    m = cluster.client
    m.ok("start_sb_relay_ovsdb", f"--db-sb-relay-remote={cluster.remotes['sb']}", "--", f"--remote=ptcp:{cluster.relay_port}:127.0.0.1")
    assert "is running" in m.ok("status_sb_relay_ovsdb")
    with a_hypervisor(m, f"tcp:127.0.0.1:{cluster.relay_port}") as vsctl:
        m.ok("start_controller")
        chassis = lambda: cluster.sbctl("--bare", "--columns=name", "list", "Chassis").split() == ["hv"]
        eventually(chassis, what="the chassis does not come through the relay")
        dying = cluster.leader("sb")
        dying.kill("ovnsb_db")
        eventually(lambda: cluster.leader("sb"), 15)
        assert m.appctl("ovn-controller", "connection-status") == "connected\n"
        # A write through the relay still arrives.
        options = lambda: cluster.sbctl("--bare", "--columns=other_config", "list", "Chassis")
        vsctl("set", "Open_vSwitch", ".", "external_ids:ovn-cms-options=hello")
        eventually(lambda: "hello" in options(), 15)
        # The relay itself dies, and comes back: what changed meanwhile arrives.
        m.kill("ovnsb_relay_db")
        vsctl("set", "Open_vSwitch", ".", "external_ids:ovn-cms-options=again")
        cluster.nbctl("--wait=sb", "--timeout=20", "ls-add", "meanwhile")
        m.ok("start_sb_relay_ovsdb", f"--db-sb-relay-remote={cluster.remotes['sb']}", "--", f"--remote=ptcp:{cluster.relay_port}:127.0.0.1")
        eventually(lambda: "again" in options(), 20)
        cluster.nbctl("--wait=sb", "--timeout=20", "sync")
        m.ok("stop_controller")
    eventually(lambda: not cluster.sbctl("--bare", "--columns=name", "list", "Chassis").strip())
    dying.ok("start_sb_ovsdb")
    m.ok("stop_sb_relay_ovsdb")


def schemas_of(kind, m):
    """Older schemas: made up of ours, or Debian's."""
    if kind == "made up":
        return {db: older_schema(m, db, "5.0.0") for db in NAMES}
    found = {db: REPO / f".peer/usr/share/ovn/ovn-{db}.ovsschema" for db in NAMES}
    if not all(p.exists() for p in found.values()):
        pytest.skip("the peer's packages are not unpacked: tools/check-peer --unpack")
    return found


@pytest.mark.parametrize("kind", ["made up", "23.03"])
def test_schema_upgrade_of_a_running_cluster(machines, kind):
    """An older schema is converted through a running cluster, under a running ovn-northd and a running ovn-controller, at the
    first server's restart, unless told not to. No daemon dies or needs a restart."""
    m = machines()
    old = schemas_of(kind, m)
    versions = {db: json.loads(path.read_text())["version"] for db, path in old.items()}
    cluster = Cluster(machines)
    schemas = [f"--db-{db}-schema={path}" for db, path in old.items()]
    for s in cluster.servers:
        s.ok(*schemas, "start_northd")
    cluster.nbctl("--wait=sb", "--timeout=20", "ls-add", "old")
    with a_hypervisor(cluster.client, cluster.remotes["sb"]):
        cluster.client.ok("start_controller")
        eventually(lambda: cluster.sbctl("--bare", "--columns=name", "list", "Chassis").split() == ["hv"])
        chassis = cluster.sbctl("--bare", "--columns=_uuid", "list", "Chassis")
        first, second, _ = cluster.servers
        pids = [s.pid("ovn-northd") for s in cluster.servers] + [cluster.client.pid("ovn-controller")]
        version = lambda db: first.program("ovsdb-client", "get-schema-version", f"unix:{first.run}/ovn{db}_db.sock", NAMES[db]).out.strip()
        first.ok("restart_nb_ovsdb", "--no-db-cluster-schema-upgrade")
        assert {db: version(db) for db in NAMES} == versions
        said = second.ok("restart_ovsdb")
        for db in NAMES:
            assert f"from schema {versions[db]} to {version_of(f'ovn-{db}.ovsschema')}" in said
        eventually(lambda: all(version(db) == version_of(f"ovn-{db}.ovsschema") for db in NAMES))
        cluster.nbctl("--wait=sb", "--timeout=30", "--", "set", "Logical_Switch", "old", "other_config:a=b", "--", "ls-add", "new")
        assert datapaths(cluster) == ["new", "old"]
        # What the older schema had no room for is there now: the last of our stages, and columns of the chassis.
        assert "ls_in_l2_unknown" in cluster.sbctl("--bare", "--columns=external_ids", "list", "Logical_Flow")
        assert cluster.sbctl("--bare", "--columns=_uuid", "list", "Chassis") == chassis
        assert cluster.sbctl("--bare", "--columns=other_config", "list", "Chassis").strip()
        assert [s.pid("ovn-northd") for s in cluster.servers] + [cluster.client.pid("ovn-controller")] == pids
        assert active(cluster).appctl("ovn-northd", "inc-engine/verify") == "0 differences\n"
        cluster.client.ok("stop_controller")


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

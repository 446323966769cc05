"""checks.py - the reckoning after a chaos run: see chaos.py. Each function raises an AssertionError that says what is wrong."""
import re
import subprocess
from pathlib import Path

from world import NAMES, dead, eventually, northd
from writers import Plugs, Tracked

CHURN, BREAK = 150, 30                  # Changes, and how often all connections are broken meanwhile.
GROWTH = 1024                           # The KB that a daemon may grow with them.


def acknowledged(world, writers, log):
    nb = world.local("nb")
    for w in writers:
        if isinstance(w, Tracked):
            found = [r["name"] for r in nb.select(w.TABLE, columns=["name"])]
            w.check(found)
        elif not isinstance(w, Plugs):
            w.check()
    log("every acknowledged change is there once")


def plugged(world, writers, log):
    at = {port: host.name for w in writers if isinstance(w, Plugs) for port, host in w.at.items()}
    sb = world.local("sb")
    chassis = {c["_uuid"]: c["name"] for c in sb.select("Chassis")}
    assert sorted(chassis.values()) == sorted(h.name for h in world.hosts), chassis
    for row in sb.select("Port_Binding"):
        port, where = row["logical_port"], chassis.get(row["chassis"]) if row["chassis"] else None
        assert where == at.get(port), f"{port} is plugged at {at.get(port)} and bound to {where}"
        assert (row["up"] is True) == (port in at), f"{port}: up {row['up']}, plugged at {at.get(port)}"
    log(f"{len(at)} plugged ports are where they are plugged")


def without_connections(content):
    """SB_Global.connections are the operator's, and not northd's."""
    return content | {"SB_Global": [re.sub(r'"connections": [^,]*, ', "", row) for row in content["SB_Global"]]}


def southbound(world, log):
    """What is there is what a northd makes of the same northbound content in an empty database."""
    scratch = northd.Ground(one_server=True)
    try:
        scratch.nb_server.stop()
        leader = world.leader("nb")
        with open(scratch.nb_server.files["nb"], "wb") as f:
            subprocess.run(["ovsdb-client", "backup", f"unix:{leader.run}/ovnnb_db.sock", NAMES["nb"]], stdout=f, check=True)
        scratch.nb_server.start()
        sb = world.local("sb")
        for c in sb.select("Chassis"):
            scratch.chassis(c["name"])
        scratch.up()
        world.nbctl("--wait=sb", "sync")
        found = northd.differences(*map(without_connections, (northd.content(sb), northd.content(scratch.sb))))
        assert not found, "southbound, live and from scratch:\n" + "\n".join(found[:20])
    finally:
        scratch.down()
    log("southbound is as from scratch")


def verified(world, log):
    """By every daemon. Of two northds one is active; it hands over, so that the other has its turn."""
    for _ in range(2):
        m, = world.active()
        said = m.program("ovn-appctl", "-t", "ovn-northd", "inc-engine/verify")
        assert said.out.strip() == "0 differences", f"{m.name}/northd: {said}"
        m.appctl("ovn-northd", "pause")
        eventually(lambda: world.active(), 10, "the standby does not take over from a paused northd")
        m.appctl("ovn-northd", "resume")
        world.settle()
    for h in world.hosts:
        said = h.appctl("inc-engine/verify").strip()
        assert said == "0 differences", f"{h.name}/controller: {said}"
    log("inc-engine/verify finds nothing")


def flows(host):
    out = host.ovs("ofctl", "-O", "OpenFlow15", "--no-stats", "dump-flows", f"unix:{host.dir}/br-int.mgmt")
    groups = host.ovs("ofctl", "-O", "OpenFlow15", "dump-groups", f"unix:{host.dir}/br-int.mgmt")
    return sorted(line.strip() for line in [*out.splitlines(), *groups.splitlines()] if line.startswith(" ") and "OFPST" not in line)


def hypervisors(world, log):
    """A controller that starts with an empty switch makes the flows that were there."""
    before = {h.name: flows(h) for h in world.hosts}
    for h in world.hosts:
        pid = h.pids["controller"][0]
        h.appctl("exit", "--restart")
        eventually(lambda: dead(pid), 20, f"{h.name}/controller does not end")
        h.ovs("ofctl", "-O", "OpenFlow15", "del-flows", f"unix:{h.dir}/br-int.mgmt")
        h.ovs("ofctl", "-O", "OpenFlow15", "del-groups", f"unix:{h.dir}/br-int.mgmt")
        assert not flows(h)
        h.start_controller()
    world.settle()
    for h in world.hosts:
        now = flows(h)
        gone, new = sorted(set(before[h.name]) - set(now)), sorted(set(now) - set(before[h.name]))
        assert not gone and not new, f"{h.name}: only live:\n" + "\n".join(gone[:10]) + "\nonly from scratch:\n" + "\n".join(new[:10])
    log("hypervisors' flows are as from scratch: " + ", ".join(f"{h.name} {len(before[h.name])}" for h in world.hosts))


def quiet(world, log):
    """Nobody said that something is wrong with itself."""
    for name, path in world.logs().items():
        bad = [line for line in path.read_text(errors="replace").splitlines() if re.search(r"\|(ERR|EMER)\|", line)]
        # Where the switch or its database were killed, their clients may say so.
        assert not bad, f"{name}: " + "\n".join(bad[:5])
    log("no daemon logged an error")


def grows_not(world, log):
    """Changes, and connections that break, over and over: memory stays what it is."""
    def churn(n):
        for i in range(n):
            world.nbctl("ls-add", "churn", "--", "lsp-add", "churn", "churn-p", "--", "lsp-set-addresses", "churn-p", f"0a:00:00:00:09:{i % 200:02x}")
            world.nbctl("ls-del", "churn")
            if i % BREAK == 0:
                for m in world.members:
                    m.program("ovn-appctl", "-T", "5", "-t", f"{m.run}/ovnsb_db.ctl", "ovsdb-server/reconnect")
                world.settle()
        world.settle()

    if world.sanitized():
        churn(BREAK)
        log("memory is not looked at: a sanitized build keeps what is free")
        return
    churn(2 * BREAK)
    before = world.resident()
    churn(CHURN)
    after = world.resident()
    for name in before:
        assert after[name] - before[name] < GROWTH, f"{name} grew from {before[name]} to {after[name]} KB with {CHURN} changes"
    log(f"memory, KB, before and after {CHURN} changes and {CHURN // BREAK} reconnects: " +
        ", ".join(f"{n} {before[n]} {after[n]}" for n in before))


def all_of_them(world, writers, log):
    acknowledged(world, writers, log)
    plugged(world, writers, log)
    southbound(world, log)
    verified(world, log)
    hypervisors(world, log)
    grows_not(world, log)
    verified(world, log)
    quiet(world, log)

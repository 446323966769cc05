"""monkeys.py - what goes wrong during a chaos run. A monkey draws one thing after another from its seed, and mends it.

`Central` hurts the cluster, one member at a time, so that a majority is always there; `Edge` hurts everything else, at the same time: northds,
controllers, switches, their databases, the relay. Before a process is killed it must be alive: whatever died by itself is the run's failure.
"""
import os
import signal
import time

from world import DAEMONS, NAMES, Worker, dead, eventually, process


class Monkey(Worker):
    """Does one of the methods of its class that are named in `does`, and then another."""
    does = ()

    def __init__(self, world, seed, log):
        super().__init__(world, seed, type(self).__name__.lower())
        self.log, self.done = log, {}

    def step(self):
        act = self.rng.choice(self.does)
        began = time.monotonic()
        words = getattr(self, act)()
        self.done[act] = self.done.get(act, 0) + 1
        self.log(f"{self.name}: {act} {words} ({time.monotonic() - began:.1f} s)")
        self.pause(0.2, 2)


def alive(pid, name):
    assert pid and not dead(pid), f"{name} has died, and it was none of us"
    return pid


class Central(Monkey):
    does = ("kill", "kill", "die_with_work", "die_with_work", "die_with_work", "hang", "hang", "terminate", "leave", "restart", "cut", "cut", "vanish", "crash", "compact")

    def pick(self):
        m = self.rng.choice(self.world.members)
        return m, self.rng.choice([["nb"], ["sb"], ["nb", "sb"]])

    def pids(self, m, which):
        return [alive(m.pid(DAEMONS[w]), f"{m.name}/{w}") for w in which]

    def back(self, m, which=("nb", "sb")):
        """The member's servers are in touch with the others again, before the next one is hurt."""
        for db in which:
            r = m.program("ovsdb-client", "-t", "40", "wait", f"unix:{m.run}/ovn{db}_db.sock", NAMES[db], "connected")
            assert r.status == 0, (f"{m.name}/{db} does not come back", r)

    def end(self, m, which, number):
        pids = self.pids(m, which)
        for pid in pids:
            os.kill(pid, number)
        for pid in pids:
            eventually(lambda: dead(pid), 30, f"a server does not end: {pid}")
        self.pause(0.1, 3)
        for w in which:
            m.start(w)
        self.back(m, [w for w in which if w in NAMES])

    def kill(self):
        m, which = self.pick()
        self.end(m, which, signal.SIGKILL)
        return f"{m.name} {which}"

    def die_with_work(self):
        """A leader stands still until clients wait for it, and dies without having read what they sent."""
        db = self.rng.choice(["nb", "nb", "sb"])
        m = self.world.leader(db)
        if not m:
            return "nobody: no leader"
        pid, = self.pids(m, [db])
        os.kill(pid, signal.SIGSTOP)
        self.pause(0.1, 0.8)
        self.end(m, [db], signal.SIGKILL)
        return f"{m.name} {db}"

    def terminate(self):
        m, which = self.pick()
        self.end(m, which, signal.SIGTERM)
        return f"{m.name} {which}"

    def hang(self):
        m, which = self.pick()
        self.freeze(m, which, 0.5, 8)
        return f"{m.name} {which}"

    def freeze(self, m, which, least, most):
        pids = self.pids(m, which)
        for pid in pids:
            os.kill(pid, signal.SIGSTOP)
        self.pause(least, most)
        for pid in pids:
            os.kill(alive(pid, f"{m.name}/{which}"), signal.SIGCONT)
        self.back(m, [w for w in which if w in NAMES])

    def leave(self):
        """Stopped by ovn-ctl: leadership is handed over."""
        m, which = self.pick()
        self.pids(m, which)
        for w in which:
            m.ok(f"stop_{w}_ovsdb")
        self.pause(0, 2)
        for w in which:
            m.start(w)
        self.back(m, which)
        return f"{m.name} {which}"

    def restart(self):
        m, which = self.pick()
        self.pids(m, which)
        for w in which:
            m.ok(f"restart_{w}_ovsdb")
        self.back(m, which)
        return f"{m.name} {which}"

    def cut(self):
        """The machine's cable; its northd still has its own servers."""
        m, _ = self.pick()
        m.cut()
        self.pause(1, 10)
        m.cut(False)
        self.back(m)
        return m.name

    def vanish(self):
        """The whole machine stands still, then goes on as if nothing had been."""
        m, _ = self.pick()
        with self.world.northd_lock:
            self.freeze(m, m.what(), 2, 10)
        return m.name

    def crash(self):
        """The whole machine dies at once."""
        m, _ = self.pick()
        with self.world.northd_lock:
            self.end(m, m.what(), signal.SIGKILL)
        return m.name

    def compact(self):
        m, which = self.pick()
        for db in which:
            r = m.program("ovn-appctl", "-T", "20", "-t", f"{m.run}/ovn{db}_db.ctl", "ovsdb-server/compact")
            assert r.status == 0 or "not storing" in r.err, r
        return f"{m.name} {which}"


class Edge(Monkey):
    does = ("northd_killed", "northd_killed", "northd_hangs", "northd_ends", "northd_paused", "controller_killed", "controller_killed",
            "controller_hangs", "controller_ends", "controller_restarted", "switch_killed", "local_killed", "relay_killed", "relay_hangs")

    def northd(self):
        return self.rng.choice([m for m in self.world.members if m.has_northd])

    def northd_killed(self, number=signal.SIGKILL):
        m = self.northd()
        with self.world.northd_lock:
            pid = alive(m.pid("ovn-northd"), f"{m.name}/northd")
            os.kill(pid, number)
            eventually(lambda: dead(pid), 20, f"{m.name}/northd does not end")
            self.pause(0, 2)
            m.start("northd")
        return m.name

    def northd_ends(self):
        return self.northd_killed(signal.SIGTERM)

    def northd_hangs(self):
        m = self.northd()
        with self.world.northd_lock:
            pid = alive(m.pid("ovn-northd"), f"{m.name}/northd")
            os.kill(pid, signal.SIGSTOP)
            self.pause(0.5, 8)
            os.kill(pid, signal.SIGCONT)
        return m.name

    def northd_paused(self):
        m = self.northd()
        with self.world.northd_lock:
            m.appctl("ovn-northd", "pause")
            self.pause(0.2, 3)
            m.appctl("ovn-northd", "resume")
        return m.name

    def daemon_killed(self, daemon, restart, number=signal.SIGKILL, host=None):
        h = host or self.rng.choice(self.world.hosts)
        pid, start = h.pids[daemon]
        alive(pid, f"{h.name}/{daemon}")
        process.send_signal(pid, start, number)
        eventually(lambda: dead(pid), 20, f"{h.name}/{daemon} does not end")
        self.pause(0, 2)
        getattr(h, restart)()
        return h.name

    def controller_killed(self):
        return self.daemon_killed("controller", "start_controller")

    def controller_ends(self):
        """SIGTERM: flows and chassis stay."""
        return self.daemon_killed("controller", "start_controller", signal.SIGTERM)

    def controller_restarted(self):
        h = self.rng.choice(self.world.hosts)
        pid = alive(h.pids["controller"][0], f"{h.name}/controller")
        h.appctl("exit", "--restart")
        eventually(lambda: dead(pid), 20, f"{h.name}/controller does not end")
        h.start_controller()
        return h.name

    def controller_hangs(self):
        h = self.rng.choice(self.world.hosts)
        pid = alive(h.pids["controller"][0], f"{h.name}/controller")
        os.kill(pid, signal.SIGSTOP)
        self.pause(0.5, 8)
        os.kill(pid, signal.SIGCONT)
        return h.name

    def switch_killed(self):
        """Every flow is gone."""
        return self.daemon_killed("vswitchd", "start_vswitchd")

    def local_killed(self):
        return self.daemon_killed("ovsdb", "start_ovsdb")

    def relay_killed(self):
        pid = alive(self.world.client.pid("ovnsb_relay_db"), "the relay")
        os.kill(pid, signal.SIGKILL)
        eventually(lambda: dead(pid), 20, "the relay does not end")
        self.pause(0, 2)
        self.world.start_relay()
        return ""

    def relay_hangs(self):
        pid = alive(self.world.client.pid("ovnsb_relay_db"), "the relay")
        os.kill(pid, signal.SIGSTOP)
        self.pause(0.5, 8)
        os.kill(pid, signal.SIGCONT)
        return ""

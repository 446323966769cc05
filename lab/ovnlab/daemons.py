"""How each daemon of a lab is started, and where it keeps its files.

A daemon is named PLACE/PROGRAM, as in `hv1/controller` or `central/northd`; people may leave out what is
clear (`northd`, `nb`, `sb`). Each place is one directory (run, log and database directory in one) and
one namespace. Further northds (`northd2`, ...) have a directory of their own below the central's.
"""
import os
import signal

from . import LabError, netns, pki, process
from .programs import OVS_SCHEMA

CENTRAL = "central"
_PROGRAM = {"nb": "ovsdb-server", "sb": "ovsdb-server", "ovsdb": "ovsdb-server", "vswitchd": "ovs-vswitchd",
            "controller": "ovn-controller"}
_HYPERVISOR = ("ovsdb", "vswitchd", "controller")


def environment(directory):
    """The environment of everything that runs at a place: its files, and nothing of the host's."""
    env = {k: v for k, v in os.environ.items() if not k.startswith(("OVN_", "OVS_"))}
    for prefix in ("OVS", "OVN"):
        for kind in ("RUNDIR", "LOGDIR", "DBDIR"):
            env[f"{prefix}_{kind}"] = str(directory)
        env[f"{prefix}_SYSCONFDIR"] = str(directory / "etc")
    for tool in ("ASAN", "UBSAN"):      # what sanitizers find goes to files, as daemons have no terminal
        options = env.get(f"{tool}_OPTIONS", "")
        env[f"{tool}_OPTIONS"] = f"{options}:log_path={directory}/sanitizer".lstrip(":")
    return env


class Daemons:
    """The daemons of one lab. Knows nothing of virtual machines; keeps (pid, start time) in the state."""

    def __init__(self, lab):
        self.lab = lab

    def all(self):
        """Every daemon's name, in the order they start."""
        t = self.lab.topology
        names = [f"{CENTRAL}/nb", f"{CENTRAL}/sb"]
        names += [f"{CENTRAL}/northd{i or ''}" for i in [0] * (t.northds > 0) + list(range(2, t.northds + 1))]
        for hv in t.hypervisors:
            names += [f"{hv}/{d}" for d in _HYPERVISOR
                      if d != "controller" or self.lab.state["controllers"][hv] != "none"]
        return names

    def find(self, word):
        """The full name that WORD means."""
        names = self.all()
        short = word.replace("ovn-", "").replace("ovs-", "").replace("ovsdb-server", "ovsdb")
        hits = [n for n in names if n in (word, short)] or [n for n in names if n.split("/")[1] == short]
        if len(hits) == 1:
            return hits[0]
        raise LabError(f"{word}: " + (f"which one? {', '.join(hits)}" if hits else
                                      f"no such daemon. There are: {', '.join(names)}"))

    def directory(self, name):
        place, program = name.split("/")
        d = self.lab.directory / place
        return d / program if program.startswith("northd") and program != "northd" else d

    def files(self, name):
        """(the stem of its file names, its log)"""
        program = name.split("/")[1]
        stem = {"nb": "ovnnb_db", "sb": "ovnsb_db"}.get(program) or _PROGRAM.get(program, "ovn-northd")
        return stem, self.directory(name) / f"{stem}.log"

    def _argv(self, name):
        place, program = name.split("/")
        d, (stem, log) = self.directory(name), self.files(name)
        common = ["-vconsole:off", "--detach", "--no-chdir", f"--pidfile={d}/{stem}.pid", f"--log-file={log}"]
        central = self.lab.directory / CENTRAL
        if program in ("nb", "sb"):
            listen = [f"--remote=ptcp:{6641 if program == 'nb' else 6642}:0.0.0.0"]
            if program == "sb" and self.lab.topology.tls:      # Where, and for which role, its Connection row says.
                listen = ["--remote=db:OVN_Southbound,SB_Global,connections", *pki.options(self.lab, CENTRAL)]
            return ["ovsdb-server", *common, f"--unixctl={d}/{stem}.ctl", f"--remote=punix:{d}/{stem}.sock", *listen,
                    f"{d}/{stem}.db"]
        if program == "ovsdb":
            return ["ovsdb-server", *common, f"--remote=punix:{d}/db.sock", f"{d}/conf.db"]
        if program == "vswitchd":
            return ["ovs-vswitchd", *common, f"unix:{d}/db.sock"]
        if program == "controller":
            return [self.lab.state["controllers"][place], *common, f"unix:{d}/db.sock"]
        return [self.lab.state["programs"]["northd"], *common,
                f"--ovnnb-db=unix:{central}/ovnnb_db.sock", f"--ovnsb-db=unix:{central}/ovnsb_db.sock"]

    def create_database(self, name):
        """Makes the database file of an ovsdb-server that has none yet."""
        d, (stem, _) = self.directory(name), self.files(name)
        program = name.split("/")[1]
        schema = OVS_SCHEMA if program == "ovsdb" else f"{self.lab.state['programs']['schema']}/ovn-{program}.ovsschema"
        path = d / ("conf.db" if program == "ovsdb" else f"{stem}.db")
        if not path.exists():
            process.run(["ovsdb-tool", "create", str(path), schema])

    def running(self, name):
        """(pid, start time) of a daemon that runs, or None."""
        known = self.lab.state["daemons"].get(name)
        return tuple(known) if known and process.is_alive(*known) else None

    def start(self, name, extra=()):
        """Starts a daemon and records it; it has said that it is ready when this returns."""
        if self.running(name):
            raise LabError(f"{name} is running already")
        d, (stem, log) = self.directory(name), self.files(name)
        (d / "etc").mkdir(parents=True, exist_ok=True)
        if name.split("/")[1] in ("nb", "sb", "ovsdb"):
            self.create_database(name)
        argv = netns.inside(self.lab.namespace(name.split("/")[0]), self._argv(name) + list(extra))
        try:
            process.run(argv, env=environment(d), timeout=60)
        except LabError as e:
            raise LabError(f"{name} did not start: {e}{self.tail(name)}") from None
        try:
            pid = int((d / f"{stem}.pid").read_text())
        except (OSError, ValueError):
            raise LabError(f"{name} left no pid in {d}/{stem}.pid{self.tail(name)}") from None
        begun = process.start_time(pid)
        if begun is None:
            raise LabError(f"{name} ended at once{self.tail(name)}")
        self.lab.record(lambda s: s["daemons"].__setitem__(name, [pid, begun]))

    def tail(self, name, lines=8):
        """The end of its log, for an error message."""
        try:
            text = self.files(name)[1].read_text(errors="replace").splitlines()[-lines:]
        except OSError:
            return ""
        return "\n  its log ends:\n    " + "\n    ".join(text) if text else ""

    def kill(self, name, number=signal.SIGKILL):
        """Sends a signal; after SIGKILL or SIGTERM, waits until the daemon is gone."""
        p = self.running(name)
        if not p:
            raise LabError(f"{name} is not running")
        process.send_signal(*p, number)
        if number in (signal.SIGKILL, signal.SIGTERM) and process.wait_gone([p], 10):
            raise LabError(f"{name} does not end")

    def stop(self, name, keep=False):
        """Asks a daemon to exit and waits. KEEP: it comes back soon, so it leaves the network as it is."""
        p = self.running(name)
        if not p:
            raise LabError(f"{name} is not running")
        self.appctl(name, "exit", *(["--restart"] if keep and name.endswith("/controller") else []))
        process.end([p], patience=10)

    def control_socket(self, name):
        """The path of a running daemon's control socket."""
        d, (stem, _) = self.directory(name), self.files(name)
        p = self.running(name)
        if not p:
            raise LabError(f"{name} is not running")
        return f"{d}/{stem}.ctl" if name.split("/")[1] in ("nb", "sb") else f"{d}/{stem}.{p[0]}.ctl"

    def appctl(self, name, *words, timeout=20):
        """What the daemon answers over its control socket."""
        return process.run(["ovs-appctl", f"--timeout={timeout}", "-t", self.control_socket(name), *words],
                           timeout=timeout + 5)

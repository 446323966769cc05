"""ovn-northd's control commands and command line, as ovn-northd(8) has them: what they answer, and what they refuse."""
import os
import re
import signal
import subprocess

import pytest

from ground import BUILD, Ground, a_map, eventually

NORTHD = BUILD / "bin/ovn-northd"


@pytest.fixture(scope="module")
def g():
    ground = Ground().up()
    ground.switch("s", [{"name": "p"}])
    ground.sync()
    yield ground
    ground.down()


def refused(g, *words):
    """The message, and the status by which ovn-appctl says that the daemon refused."""
    r = subprocess.run([BUILD / "bin/ovn-appctl", "-t", g.northd.control, *words], stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                       text=True, timeout=20)
    assert r.returncode == 2 and not r.stdout, (words, r)
    return r.stderr.splitlines()[0]


def test_all_commands_are_there(g):
    listed = {line.split()[0] for line in g.northd.ask("list-commands").splitlines()[1:]}
    assert listed >= set("""coverage/read-counter coverage/show debug/chassis-features-list debug/enable-timewarp exit inc-engine/clear-stats
        inc-engine/compute-log-timeout inc-engine/disable-stopwatch inc-engine/enable-stopwatch inc-engine/list-stopwatches
        inc-engine/recompute inc-engine/show-stats is-paused list-commands memory/show nb-cluster-state-reset nb-connection-status
        parallel-build/get-n-threads parallel-build/set-n-threads pause resume sb-cluster-state-reset sb-connection-status set-options
        status stopwatch/reset stopwatch/show version vlog/close vlog/disable-rate-limit vlog/enable-rate-limit vlog/list
        vlog/list-pattern vlog/reopen vlog/set""".split())


@pytest.mark.parametrize("words, said", [
    (["status", "x"], '"status" command takes at most 0 arguments'),
    (["pause", "x"], '"pause" command takes at most 0 arguments'),
    (["parallel-build/set-n-threads"], '"parallel-build/set-n-threads" command requires at least 1 arguments'),
    (["parallel-build/set-n-threads", "0"], "invalid n_threads: 0"),
    (["parallel-build/set-n-threads", "257"], "invalid n_threads: 257"),
    (["parallel-build/set-n-threads", "many"], "invalid n_threads: many"),
    (["inc-engine/compute-log-timeout"], '"inc-engine/compute-log-timeout" command requires at least 1 arguments'),
    (["inc-engine/compute-log-timeout", "-1"], "unsigned integer required"),
    (["inc-engine/compute-log-timeout", "soon"], "unsigned integer required"),
    (["inc-engine/show-stats", "nobody"], 'no class "nobody" (inc-engine/show-stats lists them)'),
    (["inc-engine/show-stats", "switch", "nothing"], "the counters are recompute, compute and cancel"),
    (["inc-engine/enable-stopwatch", "nobody"], 'no class "nobody" (inc-engine/show-stats lists them)'),
    (["stopwatch/show", "nobody"], "No such stopwatch"),
    (["coverage/read-counter", "nobody"], "No such counter"),
    (["no-such-command"], '"no-such-command" is not a valid command (use "list-commands" to see a list of valid commands)'),
])
def test_refuses(g, words, said):
    assert refused(g, *words) == said


def test_threads(g):
    """Accepted as documented and remembered, whatever we make of it."""
    assert g.northd.ask("parallel-build/get-n-threads") == "1\n"
    assert g.northd.ask("parallel-build/set-n-threads", "4") == ""
    assert g.northd.ask("parallel-build/get-n-threads") == "4\n"
    g.northd.ask("parallel-build/set-n-threads", "1")


@pytest.mark.parametrize("asked, had, warns", [("7", "7", False), ("0", "1", True), ("x", "1", True), ("300", "256", True)])
def test_threads_of_the_command_line(g, asked, had, warns):
    other = g.another(f"threads{asked}", "--dry-run", f"--n-threads={asked}").start()
    assert other.ask("parallel-build/get-n-threads") == had + "\n"
    assert [f"--n-threads={asked}: taken for {had}" in c for c in other.complaints()] == [True] * warns
    other.exit()


def test_features_that_all_chassis_have(g):
    """A feature counts when every chassis has it; one of another zone is not asked."""
    features = lambda: dict(re.findall(r"^(\w+): +(true|false)$", g.northd.ask("debug/chassis-features-list"), re.M))
    wanted = {"ct_no_masked_label", "ct_lb_related", "mac_binding_timestamp", "fdb_timestamp", "ls_dpg_column"}
    assert features().keys() >= wanted and set(features().values()) == {"true"}
    g.chassis("hv1")
    eventually(lambda: set(features().values()) == {"false"})
    say = lambda name, config: g.sb.transact({"op": "update", "table": "Chassis", "where": [["name", "==", name]],
                                              "row": {"other_config": a_map(config)}})
    say("hv1", {"ct-no-masked-label": "true"})
    eventually(lambda: features()["ct_no_masked_label"] == "true" and features()["ct_lb_related"] == "false")
    g.chassis("far")
    eventually(lambda: features()["ct_no_masked_label"] == "false")
    say("far", {"is-remote": "true"})
    eventually(lambda: features()["ct_no_masked_label"] == "true")
    g.option("ignore_chassis_features", "true")
    eventually(lambda: set(features().values()) == {"true"})
    g.option("ignore_chassis_features", None)
    g.sb.transact({"op": "delete", "table": "Chassis", "where": []}, {"op": "delete", "table": "Chassis_Private", "where": []})


def test_counters_of_the_engine(g):
    count = lambda counter: int(g.northd.ask("inc-engine/show-stats", "switch", counter))
    assert re.fullmatch(r"Node: switch\n- recompute: +\d+\n- compute: +\d+\n- cancel: +0\n", g.northd.ask("inc-engine/show-stats", "switch"))
    g.northd.ask("inc-engine/clear-stats")
    assert (count("recompute"), count("compute"), count("cancel"), count("abort")) == (0, 0, 0, 0)
    g.switch("one more")
    g.sync()
    assert count("recompute") == 0 and count("compute") > 0
    computes = count("compute")
    g.northd.ask("inc-engine/recompute")
    assert (count("recompute"), count("compute")) == (1, computes)


def test_slow_classes_are_named(g):
    g.northd.ask("inc-engine/compute-log-timeout", "0")
    g.switch("slow")
    g.sync()
    eventually(lambda: re.search(r"\|INFO\|class switch: \d+ units took \d+ ms", g.northd.log()))
    g.northd.ask("inc-engine/compute-log-timeout", "60000")
    g.northd.log_file.write_text("")
    g.switch("not slow")
    g.sync()
    assert "|class " not in g.northd.log()


def test_stopwatches(g):
    listed = lambda: dict(re.findall(r"^(\w+): (enabled|disabled)$", g.northd.ask("inc-engine/list-stopwatches"), re.M))
    samples = lambda name: int(re.search(r"Total samples: (\d+)", g.northd.ask("stopwatch/show", name))[1])
    assert listed()["switch"] == "disabled" and "No such stopwatch" in refused(g, "stopwatch/show", "switch")
    g.northd.ask("inc-engine/enable-stopwatch", "switch")
    assert listed()["switch"] == "enabled" and listed()["port"] == "disabled"
    g.switch("timed")
    g.sync()
    n = samples("switch")
    assert n > 0
    g.northd.ask("inc-engine/disable-stopwatch")
    assert set(listed().values()) == {"disabled"}
    g.switch("not timed")
    g.sync()
    assert samples("switch") == n
    g.northd.ask("inc-engine/enable-stopwatch")
    assert set(listed().values()) == {"enabled"}
    g.northd.ask("inc-engine/disable-stopwatch")
    table = g.northd.ask("stopwatch/show", "-t").splitlines()
    assert any(line.split()[:2] == ["switch", str(n)] for line in table) and len(table) > 2
    assert len(g.northd.ask("stopwatch/show", "-t", "switch").splitlines()) == 2
    g.northd.ask("stopwatch/reset", "switch")
    assert samples("switch") == 0


def run(*options, env=None):
    return subprocess.run([NORTHD, *options], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, timeout=20, stdin=subprocess.DEVNULL,
                          env=env)


def test_the_graph_as_text():
    r = run("--dump-inc-proc-graph")
    assert r.returncode == 0 and not r.stderr and r.stdout.startswith("digraph ") and '"table Logical_Switch" -> "switch";' in r.stdout
    r = run("--dump-inc-proc-graph=switch")
    assert r.returncode == 0 and '-> "switch";' in r.stdout and '"port"' not in r.stdout
    r = run("--dump-inc-proc-graph=nobody")
    assert (r.returncode, r.stdout) == (1, "") and "nobody" in r.stderr


@pytest.mark.parametrize("options, said", [
    (["--nonsense"], "unrecognized option '--nonsense'"),
    (["stray"], "ovn-northd: stray: unexpected argument"),
    (["--ovnnb-db"], "option '--ovnnb-db' requires an argument"),
    (["--dry-run=1"], "option '--dry-run' doesn't allow an argument"),
    (["--ovnnb-db=nonsense", "--unixctl=none", "-vconsole:off"], "ovn-northd: nonsense: expected unix:"),
    (["-vnonsense"], 'processing "nonsense": no destination, level, or module "nonsense"'),
    (["--syslog-target=nonsense"], '"nonsense"'),
    (["--log-file=/nonexistent/x"], "failed to open /nonexistent/x for logging: No such file or directory"),
    (["--pidfile=/nonexistent/x", "-vconsole:off"], "/nonexistent/x: create failed (No such file or directory)"),
    (["--unixctl=/nonexistent/x", "-vconsole:off"], "could not initialize control socket (/nonexistent/x"),
])
def test_refuses_to_start(options, said):
    r = run(*options)
    assert r.returncode == 1 and not r.stdout and said in r.stderr and len(r.stderr.splitlines()) == 1, r


def test_a_detached_daemon_prints_nothing(g, tmp_path):
    """...and its files are where the environment says, 75 characters deep."""
    deep = tmp_path / ("d" * max(1, 75 - len(str(tmp_path)) - 1))
    deep.mkdir()
    env = {**os.environ, "OVN_RUNDIR": str(deep), "OVN_LOGDIR": str(deep), "OVN_NB_DB": f"unix:{g.nb_server.socket}",
           "OVN_SB_DB": f"unix:{g.sb_server.socket}"}
    r = run("--detach", "--pidfile", "--log-file", env=env)
    assert (r.returncode, r.stdout, r.stderr) == (0, "", "")
    pid = int((deep / "ovn-northd.pid").read_text())
    try:
        ask = lambda *w: subprocess.run([BUILD / "bin/ovn-appctl", "-t", "ovn-northd", *w], env=env, stdout=subprocess.PIPE, text=True).stdout
        eventually(lambda: ask("nb-connection-status") == "connected\n")
        eventually(lambda: ask("status") == "Status: standby\n")
        assert os.readlink(f"/proc/{pid}/cwd") == "/" and (deep / f"ovn-northd.{pid}.ctl").exists()
        again = run("--detach", "--pidfile", "-vconsole:off", env=env)
        assert again.returncode == 1 and f"already running as pid {pid}" in again.stderr
        # Logs are rotated: by the command, and by SIGHUP.
        log = deep / "ovn-northd.log"
        for how in (lambda: ask("vlog/reopen"), lambda: os.kill(pid, signal.SIGHUP)):
            log.rename(deep / "old.log")
            how()
            eventually(log.exists, what="a new log")
        os.kill(pid, signal.SIGPIPE)
        assert ask("status") == "Status: standby\n", "SIGPIPE is harmless"
        assert ask("exit") == ""
        eventually(lambda: not (deep / "ovn-northd.pid").exists() and not (deep / f"ovn-northd.{pid}.ctl").exists())
    finally:
        if os.path.exists(f"/proc/{pid}/exe") and os.readlink(f"/proc/{pid}/exe").endswith("ovn-northd"):
            os.kill(pid, signal.SIGKILL)


def test_a_full_disk_is_no_reason_to_end(g):
    """/dev/full takes no byte of the log."""
    other = g.another("full", "--dry-run")
    other.argv = [a if not a.startswith("--log-file") else "--log-file=/dev/full" for a in other.argv]
    other.start()
    assert other.ask("status") == "Status: paused\n"
    other.ask("vlog/set", "file:dbg")
    assert other.ask("is-paused") == "true\n"
    assert other.exit() == 0


def test_relative_names_hold_in_the_background(g, tmp_path):
    """A daemon goes to /; directories, files and sockets that were named from where it was started are found all the same."""
    run_dir = tmp_path / "run"
    run_dir.mkdir()
    (run_dir / "nb.sock").symlink_to(g.nb_server.socket)           # A relative socket is one of the run directory.
    (run_dir / "sb.sock").symlink_to(g.sb_server.socket)
    env = {**os.environ, "OVN_RUNDIR": "run", "OVS_RUNDIR": "./run/", "OVN_LOGDIR": "run"}
    r = subprocess.run([NORTHD, "--ovnnb-db=unix:nb.sock", "--ovnsb-db=unix:sb.sock", "--detach", "--pidfile", "--log-file", "--dry-run"],
                       cwd=tmp_path, env=env, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=20)
    assert (r.returncode, r.stdout) == (0, "")
    pid = int((run_dir / "ovn-northd.pid").read_text())
    try:
        ask = lambda *w: subprocess.run([BUILD / "bin/ovn-appctl", "-t", "ovn-northd", *w], cwd=tmp_path, env=env, stdout=subprocess.PIPE,
                                        text=True).stdout
        assert os.readlink(f"/proc/{pid}/cwd") == "/"
        eventually(lambda: ask("nb-connection-status") == ask("sb-connection-status") == "connected\n")
        (run_dir / "ovn-northd.log").rename(run_dir / "old.log")
        assert ask("vlog/reopen") == "" and (run_dir / "ovn-northd.log").exists()
        assert ask("exit") == ""
        eventually(lambda: not list(run_dir.glob("ovn-northd.*.ctl")) and not (run_dir / "ovn-northd.pid").exists(), what="nothing is left behind")
    finally:
        if os.path.exists(f"/proc/{pid}/exe") and os.readlink(f"/proc/{pid}/exe").endswith("ovn-northd"):
            os.kill(pid, signal.SIGKILL)


def test_a_life_that_begins_before_the_databases(tmp_path):
    """Databases that start later, and restart, are no reason to warn."""
    ground = Ground()
    ground.nb_server.stop(), ground.sb_server.stop()
    ground.northd.start()
    eventually(lambda: "No such file or directory" in ground.northd.log() or "Connection refused" in ground.northd.log())
    for server in (ground.sb_server, ground.nb_server):
        server.start()
    ground.sync(20)
    for server in (ground.sb_server, ground.nb_server):
        server.stop()
        server.start()
    ground.switch("s", [{"name": "p"}])
    ground.sync(20)
    assert ground.northd.complaints() == []
    ground.down()

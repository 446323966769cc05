"""ovn-ctl on one machine: the life of databases and daemons, with real servers and no network."""
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import time

import pytest

from conftest import BUILD, REPO, a_hypervisor, dead, eventually, free_ports


def older_schema(machine, db, version):
    """A schema like ours, but of another version and without one column."""
    schema = json.loads((BUILD / f"schema/ovn-{db}.ovsschema").read_text())
    schema["version"] = version
    schema.pop("cksum", None)
    table = {"nb": "Logical_Switch", "sb": "Chassis"}[db]
    del schema["tables"][table]["columns"]["other_config"]
    path = machine.dir / f"ovn-{db}.ovsschema"
    path.write_text(json.dumps(schema))
    return path


def version_of(path):
    return json.loads((BUILD / "schema" / path).read_text())["version"]


# --- The command line. ---

def test_unknown_words(machine):
    assert machine.refused("start_nothd") == 'ovn-ctl: unknown command "start_nothd"; did you mean start_northd? (use --help for help)\n'
    assert "did you mean restart_controller?" in machine.refused("restart_controler")
    assert machine.refused("dance") == 'ovn-ctl: unknown command "dance" (use --help for help)\n'
    assert "did you mean --db-nb-addr?" in machine.refused("start_northd", "--db-nb-adr=::1")
    assert machine.refused() == "ovn-ctl: missing command name (use --help for help)\n"
    assert '"stop_northd" after "start_northd"' in machine.refused("start_northd", "stop_northd")
    assert not machine.run.exists() and not machine.db.exists()


def test_help_has_every_command_and_option(machine):
    text = machine.ok("--help")
    # The families of ../shared/reference/features.md, 23, and ovn-ctl(8).
    for verb in "start", "stop", "restart":
        for what in ("northd", "controller", "controller_vtep", "ic", "ovsdb", "nb_ovsdb", "sb_ovsdb", "ic_ovsdb", "ic_nb_ovsdb",
                     "ic_sb_ovsdb", "sb_relay_ovsdb"):
            if verb != "restart":
                assert re.search(rf"^  {verb}_{what} ", text, re.M), what
    for command in ("status_northd status_ovsdb status_ic status_ic_ovsdb status_controller status_controller_vtep status_ovnnb "
                    "status_ovnsb status_ic_nb status_ic_sb promote_ovnnb promote_ovnsb demote_ovnnb demote_ovnsb promote_ic_nb "
                    "promote_ic_sb demote_ic_nb demote_ic_sb run_nb_ovsdb run_sb_ovsdb run_ic_nb_ovsdb run_ic_sb_ovsdb").split():
        assert re.search(rf"^  {command} ", text, re.M), command
    options = ["ovn-manage-ovsdb", "ovn-user", "ovs-user", "db-sock", "ovn-northd-n-threads", "ovn-northd-nb-db", "ovn-northd-sb-db",
               "ovn-ic-nb-db", "ovn-ic-sb-db", "ovsdb-nb-wrapper", "ovsdb-sb-wrapper", "ovsdb-disable-file-column-diff",
               "db-cluster-schema-upgrade", "ovn-controller-system-id", "ovn-controller-ssl-bootstrap-ca-cert", "ovn-northd-ssl-server-name",
               "db-nb-election-timer", "db-sb-election-timer", "db-nb-probe-interval-to-active", "db-sb-probe-interval-to-active",
               "db-sb-relay-remote", "db-sb-relay-sock", "db-sb-relay-pidfile", "db-sb-relay-ctrl-sock", "db-sb-relay-use-remote-in-db",
               "ovn-sb-relay-db-ssl-key", "ovn-sb-relay-db-ssl-cert", "ovn-sb-relay-db-ssl-ca-cert"]
    for daemon in "northd", "controller", "ic":
        options += [f"ovn-{daemon}-{o}" for o in ("priority", "wrapper", "log", "logfile", "ssl-key", "ssl-cert", "ssl-ca-cert")]
    for db in "nb", "sb", "ic-nb", "ic-sb":
        options += [f"db-{db}-{o}" for o in ("sock", "file", "pidfile", "schema", "addr", "port", "ctrl-sock", "create-insecure-remote",
                                             "use-remote-in-db", "sync-from-proto", "sync-from-addr", "sync-from-port", "config-file")]
        options += [f"db-{db}-cluster-{w}-{o}" for w in ("local", "remote") for o in ("proto", "addr", "port")]
        options += [f"ovn-{db}-{o}" for o in ("log", "logfile", "db-ssl-key", "db-ssl-cert", "db-ssl-ca-cert")]
    for option in options:
        assert f"  --{option}=" in text, option


# --- Daemons. ---

def test_life(machine):
    assert machine.refused("status_northd") == ""
    assert machine.ctl("status_ovnnb").out == "not-running\n"
    machine.ok("start_northd")
    names = {"ovn-northd", "ovnnb_db", "ovnsb_db"}
    assert {p.stem for p in machine.run.glob("*.pid")} == names
    assert all((machine.run / f).is_socket() for f in ("ovnnb_db.sock", "ovnsb_db.sock", "ovnnb_db.ctl", "ovnsb_db.ctl"))
    assert {p.name for p in machine.log.iterdir()} == {"ovn-northd.log", "ovsdb-server-nb.log", "ovsdb-server-sb.log"}
    assert {p.name for p in machine.db.iterdir() if not p.name.startswith(".")} == {"ovnnb_db.db", "ovnsb_db.db"}
    pid = machine.pid("ovn-northd")
    assert machine.ok("status_northd") == f"ovn-northd is running with pid {pid}\n"
    assert machine.ok("status_ovnsb") == "running/active\n"
    assert machine.ok("status_ovsdb").count("is running with pid") == 2
    machine.nbctl("--wait=sb", "ls-add", "one")
    assert "one" in machine.sbctl("--columns=external_ids", "list", "Datapath_Binding")

    # Once more starts nothing; a restart is new processes on the old data; a stop leaves none of their files.
    assert "already running" in machine.ok("start_northd") and machine.pid("ovn-northd") == pid
    machine.ok("restart_northd")
    assert machine.pid("ovn-northd") != pid and dead(pid)
    assert machine.nbctl("--bare", "--columns=name", "list", "Logical_Switch") == "one\n"
    pids = [machine.pid(n) for n in names]
    machine.ok("stop_northd")
    assert all(map(dead, pids)) and not list(machine.run.iterdir())
    assert "not running" in machine.ok("stop_northd")
    assert not machine.warnings("ovn-northd")


def test_databases_apart(machine):
    machine.ok("start_nb_ovsdb")
    machine.ok("start_northd", "--ovn-manage-ovsdb=no")
    assert not machine.pid("ovnsb_db")
    machine.ok("stop_northd", "--ovn-manage-ovsdb=no")
    assert machine.pid("ovnnb_db")
    machine.ok("restart_nb_ovsdb")
    machine.ok("stop_ovsdb")


def test_kill_and_reused_number(machine):
    """A pidfile that a crash left names no process of ours, whatever has its number now."""
    machine.ok("start_nb_ovsdb", "--no-monitor")
    pid = machine.pid("ovnnb_db")
    os.kill(pid, 9)
    eventually(lambda: dead(pid))
    (machine.run / "ovnnb_db.pid").write_text(f"{os.getpid()}\n")
    assert "not running" in machine.ctl("status_nb_ovsdb").out
    machine.ok("start_nb_ovsdb")
    assert machine.pid("ovnnb_db") not in (pid, os.getpid())
    # One that does not listen any more: it is stopped nevertheless.
    (machine.run / "ovnnb_db.ctl").unlink()
    pid = machine.pid("ovnnb_db")
    assert "SIGTERM" in machine.ok("stop_nb_ovsdb")
    assert dead(pid)


def test_wrapper_and_arguments(machine):
    wrapper = machine.dir / "wrap"
    wrapper.write_text(f'#!/bin/sh\necho "$@" >>{machine.dir}/wrapped\nexec "$@"\n')
    wrapper.chmod(0o755)
    port, = free_ports(1)
    machine.ok(f"--ovsdb-nb-wrapper={wrapper}", f"--ovn-northd-wrapper={wrapper}", "--ovn-northd-n-threads=4", "start_northd",
               "--", f"--remote=ptcp:{port}:127.0.0.1")
    first, last = (machine.dir / "wrapped").read_text().splitlines()
    assert first.startswith("ovsdb-server ") and f"--remote=ptcp:{port}:127.0.0.1" in first and "--monitor" in first
    assert last.startswith("ovn-northd ") and "--n-threads=4" in last and "ptcp" not in last
    machine.nbctl("show", db=f"tcp:127.0.0.1:{port}")
    machine.ok("stop_northd")
    assert "not installed here" in machine.refused("--ovn-northd-wrapper=nonesuch", "start_northd", "--ovn-manage-ovsdb=no")


def test_insecure_remote_and_user(machine):
    port, = free_ports(1)
    machine.dir.chmod(0o755)
    machine.ok("--ovn-user=nobody:nogroup", "--db-nb-create-insecure-remote=yes", "--db-nb-addr=127.0.0.1", f"--db-nb-port={port}",
               "start_northd")
    machine.nbctl("ls-add", "s", db=f"tcp:127.0.0.1:{port}")
    for name in "ovnnb_db", "ovn-northd":
        assert os.stat(f"/proc/{machine.pid(name)}").st_uid == os.stat(machine.db).st_uid == 65534
    assert "--use" not in machine.ok("stop_northd")


def test_parameters_file(machines):
    """With ovn-northd-db-params.conf the databases are elsewhere, and start_northd and stop_northd leave ours alone."""
    there, here = machines(), machines()
    there.ok("start_ovsdb")
    (here.etc / "ovn-northd-db-params.conf").write_text(
        f"--ovnnb-db=unix:{there.run}/ovnnb_db.sock --ovnsb-db=unix:{there.run}/ovnsb_db.sock\n")
    here.ok("start_northd")
    assert [p.stem for p in here.run.glob("*.pid")] == ["ovn-northd"]
    there.nbctl("--wait=sb", "ls-add", "s")
    here.ok("stop_northd")
    there.ok("stop_ovsdb")


def test_foreground_and_notify(machine):
    """run_nb_ovsdb becomes the server; a service manager hears when it serves."""
    notify = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    notify.bind(f"{machine.dir}/notify")
    notify.settimeout(10)
    machine.env["NOTIFY_SOCKET"] = f"{machine.dir}/notify"
    for command, name in ("run_nb_ovsdb", "ovnnb_db"), ("run_sb_ovsdb", "ovnsb_db"), ("run_northd", "ovn-northd"):
        p = subprocess.Popen(machine.argv("--ovn-manage-ovsdb=no", command), env=machine.env, stdout=subprocess.DEVNULL)
        text = b""
        while b"READY=1" not in text:
            text = notify.recv(1000)
        assert machine.pid(name) == p.pid
        assert machine.refused(command).endswith(f"is already running with pid {p.pid}\n")
    machine.nbctl("--wait=sb", "ls-add", "s")
    del machine.env["NOTIFY_SOCKET"]
    machine.ok("stop_northd")


def test_controller(machine):
    """A stop takes the chassis away; a restart keeps it, and so does a stop with --restart."""
    machine.ok("start_northd")
    with a_hypervisor(machine, f"unix:{machine.run}/ovnsb_db.sock"):
        chassis = lambda: machine.sbctl("--bare", "--columns=_uuid", "find", "Chassis", "name=hv").strip()
        machine.ok("start_controller")
        first, pid = eventually(chassis), machine.pid("ovn-controller")
        machine.ok("restart_controller")
        assert machine.pid("ovn-controller") != pid and chassis() == first
        machine.ok("stop_controller", "--restart")
        assert chassis() == first
        machine.ok("start_controller")
        eventually(lambda: machine.appctl("ovn-controller", "connection-status") == "connected\n")
        machine.ok("stop_controller")
        assert not chassis()
    machine.ok("stop_northd")


# --- Conversion and copies. ---

def test_upgrade_standalone(machine):
    """A database of an older schema is converted at the start, keeps its rows, and a copy of it stays."""
    old = older_schema(machine, "nb", "5.0.0")
    machine.ok(f"--db-nb-schema={old}", "start_nb_ovsdb")
    machine.program("ovsdb-client", "transact", f"unix:{machine.run}/ovnnb_db.sock",
                    '["OVN_Northbound",{"op":"insert","table":"Logical_Switch","row":{"name":"kept"}}]')
    said = machine.ok("restart_nb_ovsdb")
    assert f"from schema 5.0.0 to {version_of('ovn-nb.ovsschema')}" in said
    machine.nbctl("set", "Logical_Switch", "kept", "other_config:a=b")
    backup, = machine.db.glob("ovnnb_db.db.backup5.0.0-*")
    assert machine.program("ovsdb-tool", "db-version", str(backup)).out == "5.0.0\n"
    assert "Converting" not in machine.ok("restart_nb_ovsdb") and len(list(machine.db.glob("*.backup*"))) == 1


def test_newer_schema_stays(machine):
    newer = older_schema(machine, "nb", "99.0.0")
    machine.ok(f"--db-nb-schema={newer}", "start_nb_ovsdb")
    assert "newer than ours" in machine.ok("restart_nb_ovsdb").replace(f"our {version_of('ovn-nb.ovsschema')}", "ours")
    assert machine.program("ovsdb-tool", "db-version", f"{machine.db}/ovnnb_db.db").out == "99.0.0\n"


def test_file_of_an_older_place(machine):
    """Without a database where ours are kept, the one beside the configuration is it."""
    del machine.env["OVN_DBDIR"]
    r = machine.ctl("--help")
    assert "--db-nb-file=/var/lib/ovn/ovnnb_db.db" in r.out
    machine.program("ovsdb-tool", "create", f"{machine.etc}/ovnnb_db.db", str(BUILD / "schema/ovn-nb.ovsschema"))
    if not os.path.exists("/var/lib/ovn/ovnnb_db.db"):
        machine.ok("start_nb_ovsdb")
        assert str(machine.etc) in open(f"/proc/{machine.pid('ovnnb_db')}/cmdline").read()


def test_active_backup(machines):
    """The manual's promote and demote: the copy follows, takes over, and the other becomes the copy."""
    a, b = machines(), machines()
    pa, pb = free_ports(2)
    a.ok("--db-nb-create-insecure-remote=yes", "--db-nb-addr=127.0.0.1", f"--db-nb-port={pa}", "start_nb_ovsdb")
    b.ok("--db-nb-sync-from-addr=127.0.0.1", f"--db-nb-sync-from-port={pa}", "--db-nb-create-insecure-remote=yes",
         "--db-nb-addr=127.0.0.1", f"--db-nb-port={pb}", "start_nb_ovsdb")
    assert (a.ok("status_ovnnb"), b.ok("status_ovnnb")) == ("running/active\n", "running/backup\n")
    switches = lambda m: m.nbctl("--no-leader-only", "--bare", "--columns=name", "list", "Logical_Switch").split()
    a.nbctl("ls-add", "one")
    eventually(lambda: switches(b) == ["one"])
    b.ok("promote_ovnnb")
    a.ok("--db-nb-sync-from-addr=127.0.0.1", f"--db-nb-sync-from-port={pb}", "demote_ovnnb")
    assert (a.etc / "ovnnb-active.conf").read_text() == f"tcp:127.0.0.1:{pb}\n"
    assert (a.ok("status_ovnnb"), b.ok("status_ovnnb")) == ("running/backup\n", "running/active\n")
    b.nbctl("ls-add", "two")
    eventually(lambda: sorted(switches(a)) == ["one", "two"])
    # The file makes a restart a copy again; promoting removes it.
    a.ok("restart_nb_ovsdb")
    assert a.ok("status_ovnnb") == "running/backup\n"
    a.ok("promote_ovnnb")
    assert not (a.etc / "ovnnb-active.conf").exists() and a.ok("status_ovnnb") == "running/active\n"
    assert "--db-nb-sync-from-addr" in a.refused("demote_ovnnb")


# --- What reaches the programs, and what is not here. ---

@pytest.fixture
def fakes(machine):
    """Programs that only write down how they were called: words(program) of the last call."""
    programs = machine.dir / "programs"
    programs.mkdir()
    for name in ("ovsdb-server", "ovn-northd", "ovn-controller", "ovn-ic", "ovn-controller-vtep", "ovn-br-controller"):
        (programs / name).write_text(f'#!/bin/sh\nprintf "%s\\n" "$@" >{machine.dir}/{name}.words\n')
        (programs / name).chmod(0o755)
    machine.env["OVN_BINDIR"] = str(programs)
    return lambda name: (machine.dir / f"{name}.words").read_text().splitlines()


def test_options_reach_the_daemons(machine, fakes):
    """Every option of the families of ovn-ctl(8) that a daemon gets, and where it arrives."""
    tls = {"key": "private-key", "cert": "certificate", "ca-cert": "ca-cert", "bootstrap-ca-cert": "bootstrap-ca-cert",
           "protocols": "ssl-protocols", "ciphers": "ssl-ciphers", "ciphersuites": "ssl-ciphersuites", "server-name": "ssl-server-name"}
    nb, sb, local = (f"unix:{machine.run}/{s}" for s in ("ovnnb_db.sock", "ovnsb_db.sock", "db.sock"))
    both = {f"--ovnnb-db={nb}", f"--ovnsb-db={sb}"}
    for daemon, command, always in (
            ("ovn-northd", "start_northd", both), ("ovn-controller", "start_controller", {local}),
            ("ovn-ic", "start_ic", both | {f"--ic-nb-db=unix:{machine.run}/ovn_ic_nb_db.sock"}),
            ("ovn-controller-vtep", "start_controller_vtep", {f"--vtep-db={local}", f"--ovnsb-db={sb}"}),
            ("ovn-br-controller", "start_br_controller", {local})):
        options = [f"--{daemon}-ssl-{o}=the {o}" for o in tls]
        machine.ok(*options, f"--{daemon}-log=-vconsole:off -vfile:dbg", f"--{daemon}-logfile=/the/log", "--ovn-user=root", "--no-monitor",
                   "--ovn-manage-ovsdb=no", command, "--", "one more", "-vx")
        words = fakes(daemon)
        assert set(words) >= always | {f"--{ours}=the {o}" for o, ours in tls.items()} | {
            "-vconsole:off", "-vfile:dbg", "--log-file=/the/log", f"--pidfile={machine.run}/{daemon}.pid", "one more", "-vx", "--detach"}, words
        assert ("--user=root" in words) == (daemon != "ovn-controller") and "--monitor" not in words
        machine.ok("--ovn-manage-ovsdb=no", command)
        words = fakes(daemon)
        assert "--monitor" in words and not any("ssl" in w or "--user" in w for w in words), words
    machine.ok("--ovn-manage-ovsdb=no", "--ovn-northd-nb-db=tcp:a:1,tcp:b:1", "--ovn-northd-sb-db=ssl:c:2", "--ovn-northd-n-threads=4", "start_northd")
    assert {"--ovnnb-db=tcp:a:1,tcp:b:1", "--ovnsb-db=ssl:c:2", "--n-threads=4"} <= set(fakes("ovn-northd"))
    machine.ok("--ovn-ic-nb-db=tcp:a:1", "--ovn-ic-sb-db=tcp:b:1", "--ovn-northd-nb-db=tcp:n:1", "start_ic")
    assert {"--ic-nb-db=tcp:a:1", "--ic-sb-db=tcp:b:1", "--ovnnb-db=tcp:n:1"} <= set(fakes("ovn-ic"))
    machine.ok("--ovn-controller-system-id=hv 1", "--db-sock=/the/db.sock", "start_controller")
    words = fakes("ovn-controller")
    assert words[words.index("-n") + 1] == "hv 1" and "unix:/the/db.sock" in words
    # The files of /etc/ovn.
    (machine.etc / "ovn-northd-db-params.conf").write_text("--ovnnb-db=tcp:p:1\n--ovnsb-db=tcp:q:1  --private-key=/k\n")
    (machine.etc / "ovn-ic-db-params.conf").write_text("--ic-nb-db=tcp:r:1 --ic-sb-db=tcp:s:1\n")
    machine.ok("start_northd")
    assert fakes("ovn-northd")[:3] == ["--ovnnb-db=tcp:p:1", "--ovnsb-db=tcp:q:1", "--private-key=/k"]
    machine.ok("start_ic")
    assert {"--ic-nb-db=tcp:r:1", "--ic-sb-db=tcp:s:1"} <= set(fakes("ovn-ic"))


def test_options_reach_the_servers(machine, fakes):
    """The same for the servers of databases."""
    def run(key, *options):
        began = time.monotonic()
        machine.ok(*options, f"run_{key.replace('-', '_')}_ovsdb", "--", "--extra")
        assert time.monotonic() - began < 5, "it waits for a server that is gone"
        return fakes("ovsdb-server")

    for key, name, port, prefix in ("nb", "OVN_Northbound", 6641, "NB"), ("sb", "OVN_Southbound", 6642, "SB"):
        db, files = f"db-{key}", f"ovn{key}_db"
        words = run(key)
        assert {f"--remote=punix:{machine.run}/{files}.sock", f"--pidfile={machine.run}/{files}.pid", f"--unixctl={machine.run}/{files}.ctl",
                f"--log-file={machine.log}/ovsdb-server-{key}.log", f"--remote=db:{name},{prefix}_Global,connections",
                f"--private-key=db:{name},SSL,private_key", f"--certificate=db:{name},SSL,certificate", f"--ca-cert=db:{name},SSL,ca_cert",
                f"--ssl-protocols=db:{name},SSL,ssl_protocols", f"--ssl-ciphers=db:{name},SSL,ssl_ciphers", "--extra",
                f"{machine.db}/{files}.db"} <= set(words), words
        assert not any(w.startswith(("--detach", "--monitor", "--sync-from", "--user")) or "ptcp" in w for w in words), words
        words = run(key, f"--{db}-create-insecure-remote=yes")
        assert f"--remote=ptcp:{port}:0.0.0.0" in words
        words = run(key, f"--{db}-create-insecure-remote=yes", f"--{db}-addr=::1", f"--{db}-port=7777", f"--{db}-use-remote-in-db=no",
                    "--ovsdb-disable-file-column-diff=yes", f"--ovn-{key}-log=-vfile:dbg -vconsole:off", f"--ovn-{key}-logfile=/l")
        assert {"--remote=ptcp:7777:[::1]", "--disable-file-column-diff", "-vfile:dbg", "-vconsole:off", "--log-file=/l"} <= set(words)
        assert not any("db:" in w for w in words), words
        words = run(key, *(f"--ovn-{key}-db-ssl-{o}=/the/{o}" for o in ("key", "cert", "ca-cert")), f"--ovn-{key}-db-ssl-protocols=TLSv1.3",
                    f"--ovn-{key}-db-ssl-ciphers=HIGH", f"--ovn-{key}-db-ssl-ciphersuites=TLS_AES_256_GCM_SHA384")
        assert {"--private-key=/the/key", "--certificate=/the/cert", "--ca-cert=/the/ca-cert", "--ssl-protocols=TLSv1.3", "--ssl-ciphers=HIGH",
                "--ssl-ciphersuites=TLS_AES_256_GCM_SHA384"} <= set(words)
        assert "--sync-from=tcp:192.0.2.1:" + str(port) in run(key, f"--{db}-sync-from-addr=192.0.2.1")
        assert "--sync-from=ssl:[::1]:7" in run(key, f"--{db}-sync-from-addr=::1", f"--{db}-sync-from-port=7", f"--{db}-sync-from-proto=ssl")
        (machine.etc / f"ovn{key}-active.conf").write_text("tcp:192.0.2.9:6641\n")
        assert "--sync-from=tcp:192.0.2.9:6641" in run(key)
        (machine.etc / f"ovn{key}-active.conf").unlink()
        places = {o: f"{machine.dir}/{key}.{o}" for o in ("sock", "file", "pidfile", "ctrl-sock")}
        words = run(key, *(f"--{db}-{o}={path}" for o, path in places.items()))
        assert {f"--remote=punix:{places['sock']}", f"--pidfile={places['pidfile']}", f"--unixctl={places['ctrl-sock']}", places["file"]} <= set(words)
        words = run(key, f"--{db}-config-file=/the/config")
        assert "--config-file=/the/config" in words and not any(w.startswith("--remote") or w.endswith(".db") for w in words), words
    words = run("sb-relay", "--db-sb-relay-remote=tcp:a:1,tcp:b:1", "--ovn-sb-relay-db-ssl-key=/k", "--db-sb-relay-sock=/s")
    assert {"relay:OVN_Southbound:tcp:a:1,tcp:b:1", "--private-key=/k", "--remote=punix:/s"} <= set(words)
    assert "--db-sb-relay-remote" in machine.refused("run_sb_relay_ovsdb")


def test_what_is_not_here(machine):
    """Daemons and databases that this version does not have are known by name, and say so with a status of their own."""
    for command, what in (("start_ic", "ovn-ic"), ("restart_ic", "ovn-ic"), ("start_controller_vtep", "ovn-controller-vtep"),
                          ("start_br_controller", "ovn-br-controller"), ("start_ovnbr_controller", "ovn-br-controller"),
                          ("start_ovnbr_ovsdb", "OVN bridge DB"), ("run_ovnbr_ovsdb", "OVN bridge DB"),
                          ("start_ic_ovsdb", "OVN IC-Northbound DB"), ("run_ic_sb_ovsdb", "OVN IC-Southbound DB")):
        program = what if what.startswith("ovn-") else None
        if program and (BUILD / "bin" / program).exists() or "IC-" in what and (BUILD / "schema/ovn-ic-nb.ovsschema").exists():
            continue
        r = machine.ctl(command)
        assert r.status == 5 and what in r.err and ("not installed" in r.err or "not part of" in r.err), (command, r)
    assert not machine.db.exists() or not list(machine.db.iterdir())
    for what in "ic", "controller_vtep", "br_controller", "ovnbr_controller", "ovnbr_ovsdb", "ic_ovsdb":
        r = machine.ctl(f"status_{what}")
        assert r.status == 1 and "is not running" in r.out, (what, r)
        machine.ok(f"stop_{what}")


def test_words_for_resource_agents(machine):
    """status_ovnnb and its like answer with a word and status 0, whatever the word."""
    for command in "status_ovnnb", "status_ovnsb", "status_ic_nb", "status_ic_sb":
        assert machine.ok(command) == "not-running\n"
    machine.ok("start_nb_ovsdb", "--no-monitor")
    assert machine.ok("status_ovnnb") == "running/active\n"
    pid = machine.pid("ovnnb_db")
    (machine.run / "ovnnb_db.ctl").unlink()            # As good as a server that hangs.
    assert machine.ok("status_ovnnb") == "running/unknown\n"
    os.kill(pid, signal.SIGKILL)
    eventually(lambda: dead(pid))
    assert machine.ok("status_ovnnb") == "not-running\n"


def test_the_directory_above(machine):
    """OVN_SYSCONFDIR=/etc, as other OVNs' scripts have it, is /etc/ovn."""
    machine.env["OVN_SYSCONFDIR"] = str(machine.dir)
    (machine.dir / "ovn").mkdir()
    machine.ok("start_nb_ovsdb")
    machine.ok("--db-nb-sync-from-addr=127.0.0.1", "demote_ovnnb")
    assert (machine.dir / "ovn/ovnnb-active.conf").read_text() == "tcp:127.0.0.1:6641\n"
    machine.ok("promote_ovnnb")
    assert not list((machine.dir / "ovn").iterdir())


def test_nothing_is_missing_of_debians(machine):
    """Every command and option of another OVN's ovn-ctl (--help) is one of ours."""
    peer = REPO / ".peer/usr/share/ovn/scripts"
    if not (peer / "ovn-ctl").exists():
        pytest.skip("the peer's packages are not unpacked: tools/check-peer --unpack")
    scripts = machine.dir / "share/ovn/scripts"
    shutil.copytree(peer, scripts)
    (machine.dir / "share/openvswitch").symlink_to("/usr/share/openvswitch")
    theirs = subprocess.run(["sh", scripts / "ovn-ctl", "--help"], env=machine.env, stdout=subprocess.PIPE, text=True).stdout
    ours = machine.ok("--help")
    commands = set(re.findall(r"^  ((?:start|stop|restart|status|promote|demote|run)_\w+) ", theirs, re.M))
    assert len(commands) > 40
    for c in commands:
        known = c if not c.startswith("restart_") or c == "restart_controller" else c.replace("restart_", "start_")
        assert re.search(rf"^  {known} ", ours, re.M), c
    options = set(re.findall(r"^  --([a-z-]+)[= ]", theirs, re.M))
    assert len(options) > 100
    assert {o for o in options if f"  --{o}=" not in ours} <= {"help"}

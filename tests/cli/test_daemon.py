"""Daemon mode, ovn-nbctl(8): the same answers as without, for many clients at once, for a long time, across a restart of the database."""
import json
import os
import re
import shlex
import signal
import socket
import subprocess
import time

import pytest
from conftest import BUILD, PEER, UUID, Server, Tool
from test_transcripts import HERE, answer, read

SANITIZED = b"__asan_init" in open(BUILD / "bin/ovn-nbctl", "rb").read()


def wait(condition, seconds=10):
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.005)


class Daemon:
    """A daemon of TOOL's program; client() runs lines in it, appctl() asks it otherwise."""

    n = 0                                                      # Made so far.

    def __init__(self, tool, *options):
        self.tool = tool
        self.name = os.path.basename(tool.path)
        Daemon.n += 1
        self.pidfile = tool.server.dir / f"daemon{Daemon.n}.pid"
        self.out = tool.ok("--detach", f"--pidfile={self.pidfile}", *options)
        self.socket = self.out.rstrip("\n")
        self.pid = int(self.pidfile.read_text())
        self.env = {"OVN_NB_DAEMON" if self.name == "ovn-nbctl" else "OVN_SB_DAEMON": self.socket,
                    # A client must not need the database.
                    "OVN_NB_DB": "unix:/nowhere", "OVN_SB_DB": "unix:/nowhere"}
        self.client = Client(tool, self.env)

    def appctl(self, *words):
        return subprocess.run(["ovs-appctl", "-t", self.socket, *words], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, timeout=30)

    def files(self):
        return len(os.listdir(f"/proc/{self.pid}/fd"))

    def idle(self):
        """As many as it has open when it serves nobody: who has just gone may still be counted for a moment."""
        fewest, until = self.files(), time.monotonic() + 0.5
        while time.monotonic() < until:
            time.sleep(0.01)
            fewest = min(fewest, self.files())
        return fewest

    def rss(self):
        with open(f"/proc/{self.pid}/statm") as f:
            return int(f.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")

    def stop(self):
        if self.pidfile.exists():
            os.kill(self.pid, signal.SIGTERM)
            wait(lambda: not self.pidfile.exists())


class Client(Tool):
    def __init__(self, tool, env):
        super().__init__(tool.path, tool.server)
        self.env = env

    def environment(self):
        return dict(super().environment(), **self.env)


class Raw:
    """A connection to the control socket that sends a line and reads the answer when told to."""

    def __init__(self, path):
        self.s = socket.socket(socket.AF_UNIX)
        self.s.settimeout(20)
        while True:
            try:
                self.s.connect(path)
                return
            except BlockingIOError:                            # Many others are just being let in.
                time.sleep(0.005)

    def send(self, *words):
        self.s.sendall(json.dumps({"id": 1, "method": "run", "params": words}).encode())
        return self

    def answer(self):
        text = b""
        while True:
            piece = self.s.recv(65536)
            assert piece, "the daemon hung up"
            text += piece
            try:
                return json.loads(text)
            except ValueError:
                pass

    def run(self, *words):
        return self.send(*words).answer()


@pytest.fixture(scope="module")
def daemons(server):
    made = [Daemon(Tool(BUILD / "bin" / name, server)) for name in ("ovn-nbctl", "ovn-sbctl")]
    yield made
    for d in made:
        d.stop()


@pytest.fixture
def daemon(nbctl, daemons):
    return daemons[0]


# ---- the same answers ----

@pytest.mark.parametrize("path", sorted(HERE.glob("*.txt")), ids=lambda p: p.stem)
def test_transcript_through_a_daemon(nbctl, daemon, path):
    """Every line of the transcripts, its success and its refusals, as without a daemon."""
    for mark, command, expected in read(path):
        got = answer(daemon.client(*shlex.split(command)))
        assert (sorted(got) == sorted(expected)) if mark == "^" else got == expected, command


LINES = r"""
ls-list
--oneline show
--oneline -- show -- ls-list -- get logical_switch s1 name
-f csv list logical_switch
--format=table --no-headings --columns=name list logical_switch
-d bare -f table -- --columns=name,other_config find logical_switch name=s1
--format=json --pretty list logical_switch
--bare --columns=_uuid list logical_switch s1
--dry-run ls-add s9 -- get logical_switch s1 name
--dry-run --oneline ls-add s9
--no-wait --print-wait-time ls-list
-- --if-exists ls-del nope -- ls-list
--if-exists ls-del nope
get logical_switch s1 name -- ls-list
ls-del nope
ls-add s1
ls-add s9 -- ls-add s1
ls-ad x
--may-exist ls-del s1
ls-add
ls-list a b c
--format=nonsense ls-list
--data=nonsense ls-list
--timeout=x ls-list
--wait=x ls-list
--nonsense ls-list
--oneline=1 ls-list
-Z ls-list
-f
--
-- --
list nosuch
get logical_switch s1 nosuch
set logical_switch s1 other_config:a
lsp-set-addresses p1 nonsense
set-connection foo:bar
set-connection foo:bar a:b -- ls-del nope
-- --id=@x create acl priority=1 direction=to-lport match=1 action=drop
create logical_switch name=x -- create acl priority=99999
-- --id=@x get logical_switch s1 -- get logical_switch @x name
-- --id=@x create logical_switch name=x -- set logical_switch @y name=z
--columns=name --columns=name list logical_switch
wait-until logical_switch s1 other_config:a=b
comment a "b c" 'd"e'
set logical_switch s1 external_ids:"a b"="c\"d"
get logical_switch s1 external_ids
--version
--commands
--help
"""


def comparable(text):
    """Without the time of what is logged, and UUIDs (rows that are made have new ones)."""
    return UUID.sub("U", re.sub(r"^\S+Z\|\d+\|", "", text, flags=re.M))


def test_lines_through_a_daemon(nbctl, daemon):
    nbctl.ok("ls-add", "s1", "--", "set", "logical_switch", "s1", "other_config:a=b", "--", "lsp-add", "s1", "p1", "--", "ls-add", "s2")
    for line in LINES.strip().splitlines():
        a, b = nbctl(*shlex.split(line)), daemon.client(*shlex.split(line))
        assert (comparable(a.out), comparable(a.err), a.status) == (comparable(b.out), comparable(b.err), b.status), line


def test_words_arrive_as_they_are(daemon):
    for name in ("", " ", "--", "a\nb", 'q"\\', "ü", "-x"):
        daemon.client.ok("--", "--id=@s", "create", "logical_switch", "name=" + json.dumps(name))
        assert daemon.client.ok("--bare", "--columns=name", "list", "logical_switch") == name + "\n"
        daemon.client.ok("--", "--all", "destroy", "logical_switch")


def test_the_southbound_daemon(sbctl, daemons):
    client = daemons[1].client
    client.ok("chassis-add", "ch1", "geneve", "1.2.3.4")
    for line in (["show"], ["list", "chassis"], ["--bare", "--columns=name", "list", "chassis"], ["chassis-add", "ch1", "geneve", "1.2.3.4"],
                 ["lsp-bind", "no", "ch1"], ["lflow-list"], ["nonsense"], ["--wait=sb", "show"]):
        a, b = sbctl(*line), client(*line)
        assert (a.out, a.err, a.status) == (b.out, b.err, b.status), line
    assert "run" in daemons[1].appctl("list-commands").stdout


def test_options_from_the_environment_are_the_clients(nbctl, daemon):
    nbctl.ok("ls-add", "s")
    assert daemon.client.ok("list", "logical_switch", env={"OVN_NBCTL_OPTIONS": "--format=csv '--columns=name'"}) == "name\ns\n"
    assert daemon.client.refused("ls-list", env={"OVN_NBCTL_OPTIONS": "--nonsense"}) == "unrecognized option '--nonsense'"


def test_the_database_log_has_the_clients_line(server, daemon):
    daemon.client.ok("ls-add", "by daemon")
    log = subprocess.run(["ovsdb-tool", "-mm", "show-log", f"{server.dir}/nb.db"], stdout=subprocess.PIPE, text=True, check=True).stdout
    assert 'ovn-nbctl ls-add \\"by daemon\\"' in log or 'ovn-nbctl ls-add "by daemon"' in log


def test_a_line_longer_than_a_megabyte(nbctl, daemon):
    words = []
    for i in range(13):
        words += ["--", "set", "nb_global", ".", f"external_ids:k{i}=" + "x" * 90000]
    assert len(json.dumps(words)) > 1 << 20
    daemon.client.ok("init")
    daemon.client.ok(*words)
    assert nbctl.ok("get", "nb_global", ".", "external_ids:k12") == "x" * 90000 + "\n"


# ---- which daemon ----

def test_detach_prints_the_socket_and_nothing_else(server, daemon):
    assert daemon.out == f"{server.dir}/ovn-nbctl.{daemon.pid}.ctl\n"
    assert daemon.appctl("version").stdout.startswith("ovn-nbctl ")
    commands = daemon.appctl("list-commands").stdout
    assert all(f"  {c} " in commands for c in ("run", "exit", "list-commands", "version", "vlog/set", "vlog/list"))


def test_a_socket_by_option(server, nbctl):
    path = f"{server.dir}/mine.ctl"
    assert nbctl.ok("--detach", "-u", path, f"--pidfile={server.dir}/mine.pid") == path + "\n"
    nbctl.ok("ls-add", "s")
    for words in (["-u", path], [f"--unixctl={path}"], ["--unixctl=mine.ctl"]):
        assert nbctl.ok(*words, "--columns=name", "--bare", "list", "logical_switch", env={"OVN_NB_DB": "unix:/nowhere"}) == "s\n"
    assert subprocess.run(["ovs-appctl", "-t", path, "exit"]).returncode == 0
    wait(lambda: not os.path.exists(path))
    message = nbctl.refused("-u", path, "ls-list")
    assert message.startswith(f'cannot connect to "{path}" (No such file or directory)') and "leave -u out" in message


def test_what_detach_refuses():
    server = Server(BUILD / "schema")
    nbctl = Tool(BUILD / "bin/ovn-nbctl", server)
    assert "not supported with --detach" in nbctl.refused("--detach", "ls-list")
    assert "control socket" in nbctl.refused("--detach", "--unixctl=none")
    assert nbctl.refused("--detach", "--db=nonsense").startswith("nonsense: database connection failed")
    assert not [f for f in os.listdir(server.dir) if f.startswith("ovn-nbctl")]
    server.close()


def test_a_dead_daemon_is_said(server, nbctl):
    message = nbctl.refused("ls-list", env={"OVN_NB_DAEMON": "/nowhere.ctl"})
    assert message == ('cannot connect to "/nowhere.ctl" (No such file or directory): is the ovn-nbctl daemon running? '
                       "(unset OVN_NB_DAEMON to do without it)")
    assert nbctl.ok("ls-list", env={"OVN_NB_DAEMON": ""}) == ""
    daemon = Daemon(nbctl, f"--unixctl={server.dir}/dying.ctl")
    before = daemon.idle()
    with daemon.client.start("wait-until", "logical_switch", "never") as p:
        wait(lambda: daemon.files() == before + 2)
        os.kill(daemon.pid, signal.SIGKILL)
        out, err = p.communicate(timeout=10)
    assert (out, p.returncode) == ("", 1) and "daemon ended before it answered" in err
    assert "Connection refused" in daemon.client.refused("ls-list")
    os.unlink(daemon.pidfile)


def test_an_explicit_database_is_asked_directly(server, nbctl, daemon):
    r = nbctl(f"--db={server.remote}", "ls-list", env={"OVN_NB_DAEMON": "/nowhere.ctl"})
    assert r.status == 0 and "not using ovn-nbctl daemon because of db option" in r.err


# ---- many at once ----

def test_a_waiting_client_holds_up_nobody(nbctl, daemon):
    before = daemon.idle()
    waiting = [Raw(daemon.socket).send("wait-until", "logical_switch", f"late{i % 2}", "--", "get", "logical_switch", f"late{i % 2}", "name")
               for i in range(150)]
    wait(lambda: daemon.files() >= before + 300)               # Each with a connection of its own.
    assert daemon.client.ok("ls-list") == ""
    daemon.client.ok("ls-add", "late1")
    assert [w.answer()["result"] for w in waiting[1::2]] == ["late1\n"] * 75
    for w in waiting:
        w.s.close()
    wait(lambda: daemon.files() == before)                     # Those who went leave nothing behind.
    assert daemon.client.ok("--columns=name", "--bare", "list", "logical_switch") == "late1\n"


def test_clients_do_not_mix(nbctl, daemon):
    many = [(i, daemon.client.start("ls-add", f"s{i}", "--", "lsp-add", f"s{i}", f"p{i}", "--", "lsp-list", f"s{i}", "--", "lsp-get-type", f"p{i}",
                                    "--", "get", "logical_switch_port", f"p{i}", "name")) for i in range(40)]
    for i, p in many:
        out, err = p.communicate(timeout=20)
        assert out.splitlines()[0].endswith(f"(p{i})") and out.splitlines()[-1] == f"p{i}" and not err and p.returncode == 0
    one = [daemon.client.start("ls-add", "one") for _ in range(20)]
    answers = [(p.communicate(timeout=20)[1], p.returncode) for p in one]
    assert sorted(status for _, status in answers) == [0] + [1] * 19
    assert {err for err, status in answers if status} == {"ovn-nbctl: one: a switch with this name already exists\n"}


def test_wait_sb_of_one_holds_up_nobody(nbctl, daemon):
    nbctl.ok("init")
    with daemon.client.start("--wait=sb", "ls-add", "s") as one, daemon.client.start("--wait=hv", "--print-wait-time", "sync") as two:
        wait(lambda: nbctl.ok("get", "nb_global", ".", "nb_cfg") == "2\n")
        assert daemon.client.ok("ls-list").endswith("(s)\n")
        assert one.poll() is None and two.poll() is None
        nbctl.ok("set", "nb_global", ".", "sb_cfg=2")
        assert one.communicate(timeout=5) == ("", "") and one.returncode == 0
        assert two.poll() is None
        nbctl.ok("set", "nb_global", ".", "hv_cfg=2")
        assert "ovn-controller(s) completion" in two.communicate(timeout=5)[0]


def test_a_killed_client_stops_its_line(nbctl, daemon):
    before = daemon.idle()
    with daemon.client.start("wait-until", "logical_switch", "late", "--", "ls-add", "never") as p:
        wait(lambda: daemon.files() == before + 2)
        p.kill()
    wait(lambda: daemon.files() == before)
    daemon.client.ok("ls-add", "late")
    assert daemon.client.ok("--columns=name", "--bare", "list", "logical_switch") == "late\n"


@pytest.mark.parametrize("how", [["-t", "1"], []])
def test_timeout_ends_the_client_with_sigalrm(nbctl, daemon, how):
    before, began = daemon.idle(), time.monotonic()
    r = daemon.client(*how, "wait-until", "logical_switch", "never", env={} if how else {"OVS_CTL_TIMEOUT": "1"})
    assert r.status == -signal.SIGALRM and "Alarm clock" in r.err and not r.out
    assert 0.9 < time.monotonic() - began < 8
    wait(lambda: daemon.files() == before)


def test_timeout_of_run(nbctl, daemon):
    before = daemon.idle()
    r = daemon.appctl("run", "--timeout=1", "wait-until", "logical_switch", "never")
    assert r.returncode == 2 and r.stderr.startswith("no end after 1 s (--timeout)\n")
    wait(lambda: daemon.files() == before)
    r = daemon.appctl("run", "--db=unix:/x", "ls-list")
    assert r.returncode == 2 and r.stderr.startswith("unrecognized option '--db=unix:/x'\n")


# ---- for a long time ----

@pytest.mark.skipif(SANITIZED, reason="a sanitizer keeps what was freed")
def test_memory_does_not_grow(nbctl, daemon):
    line = ["ls-add", "big"]
    for i in range(30):
        line += ["--", "lsp-add", "big", f"q{i}"]
    nbctl.ok(*line)
    c = Raw(daemon.socket)

    def some(n):
        for i in range(n):
            assert c.run("lsp-add", "big", f"p{i}", "--", "set", "logical_switch_port", f"p{i}", f"external_ids:k{i}={time.monotonic()}")["error"] is None
            assert c.run("lsp-get-type", f"p{i}")["error"] is None
            assert c.run("lsp-add", "big", f"p{i}")["error"] and c.run("nonsense", f"x{i}")["error"]
            assert c.run("--format=json", "list", "logical_switch_port")["result"].count("[") > 30
            assert c.run("wait-until", "logical_switch", "big", "--", "lsp-del", f"p{i}")["error"] is None
    some(80)
    before = daemon.rss()
    some(350)                                                  # 2,100 lines
    assert daemon.rss() - before < 300_000


def test_a_restart_of_the_database(tmp_path):
    server = Server(BUILD / "schema")
    nbctl = Tool(BUILD / "bin/ovn-nbctl", server)
    daemon = Daemon(nbctl)
    try:
        daemon.client.ok("ls-add", "s")
        before = daemon.idle()
        waiting = daemon.client.start("wait-until", "logical_switch", "late")
        wait(lambda: daemon.files() == before + 2)
        for _ in range(3):
            server.kill()
            for _ in range(3):                                 # At once, as without a daemon, however long it has been away.
                assert daemon.client.refused("ls-list") == nbctl.refused("ls-list")
            server.start()
            assert daemon.client.ok("--columns=name", "--bare", "list", "logical_switch") == "s\n"
        daemon.client.ok("ls-add", "late")
        assert waiting.communicate(timeout=20) == ("", "") and waiting.returncode == 0
    finally:
        daemon.stop()
        server.close()


def test_a_daemon_before_its_database():
    server = Server(BUILD / "schema")
    nbctl = Tool(BUILD / "bin/ovn-nbctl", server)
    server.kill()
    daemon = Daemon(nbctl)
    try:
        assert daemon.client.refused("ls-list") == nbctl.refused("ls-list")
        server.start()
        daemon.client.ok("ls-add", "s")
    finally:
        daemon.stop()
        server.close()


def test_exit_tells_those_who_wait(server, nbctl):
    daemon = Daemon(nbctl, f"--unixctl={server.dir}/ending.ctl")
    before = daemon.idle()
    with daemon.client.start("wait-until", "logical_switch", "never") as p:
        wait(lambda: daemon.files() >= before + 2)
        assert daemon.appctl("exit").returncode == 0
        out, err = p.communicate(timeout=10)
        assert (out, p.returncode) == ("", 1) and "daemon ended before it answered" in err
    wait(lambda: not daemon.pidfile.exists() and not os.path.exists(daemon.socket))


# ---- with Debian's tools ----

@pytest.mark.skipif(not (PEER / "usr/bin/ovn-nbctl").exists(), reason="Debian's OVN is not unpacked (make check-peer)")
def test_debians_client_and_our_daemon(nbctl, daemon):
    peer = Client(Tool(PEER / "usr/bin/ovn-nbctl", nbctl.server), daemon.env)
    peer.ok("ls-add", "s")
    assert peer.ok("--oneline", "--columns=name", "--bare", "list", "logical_switch") == "s\n"
    assert peer.refused("ls-add", "s") == "s: a switch with this name already exists"
    assert peer("--timeout=1", "wait-until", "logical_switch", "never").status == -signal.SIGALRM


@pytest.mark.skipif(not (PEER / "usr/bin/ovn-nbctl").exists(), reason="Debian's OVN is not unpacked (make check-peer)")
def test_our_client_and_debians_daemon():
    server = Server(PEER / "usr/share/ovn")
    peer, ours = Tool(PEER / "usr/bin/ovn-nbctl", server), Tool(BUILD / "bin/ovn-nbctl", server)
    daemon = Daemon(peer)
    try:
        client = Client(ours, daemon.env)
        client.ok("ls-add", "s")
        assert client.ok("--oneline", "--columns=name", "--bare", "list", "logical_switch") == "s\n"
        assert client.refused("ls-add", "s") == "s: a switch with this name already exists"
    finally:
        daemon.stop()
        server.close()

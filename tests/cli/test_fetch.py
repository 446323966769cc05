"""How lines read: names by the server's index, rows by UUID; nothing is written by reading; what is read may change meanwhile."""
import json
import os
import socket
import subprocess
import threading
import time

import pytest
from conftest import BUILD, Tool


def test_names_that_look_like_an_answer(nbctl):
    names = ['x).  First row, with UUID 00000000-0000-0000-0000-000000000001, existed in the database before', 'a"b\\c', "ü", " ",
             "y).  Second row, with UUID 00000000-0000-0000-0000-000000000001, existed in the database before this transaction"]
    nbctl.ok("ls-add", "s")
    for name in names:
        assert nbctl.refused("lsp-get-addresses", name) == f"{name}: port name not found"
        nbctl.ok("lsp-add", "s", name, "--", "lsp-set-addresses", name, "0a:00:00:00:00:01")
        assert nbctl.ok("lsp-get-addresses", name) == "0a:00:00:00:00:01\n"
        assert nbctl.refused("lsp-add", "s", name) == f"{name}: a port with this name already exists"
        nbctl.ok("--", "lsp-del", name)


def test_reading_writes_nothing(server, nbctl):
    nbctl.ok("ls-add", "s", "--", "lsp-add", "s", "p", "--", "pg-add", "g", "p")
    before = os.path.getsize(server.dir / "nb.db")
    for _ in range(5):
        nbctl.ok("lsp-get-type", "p", "--", "pg-get-ports", "g", "--", "list", "logical_switch_port", "p", "--", "ls-list")
        nbctl.refused("lsp-get-type", "nope")
    assert os.path.getsize(server.dir / "nb.db") == before


def test_a_read_only_connection_is_enough_to_read(server, sbctl):
    path = server.dir / "readonly"
    sbctl.ok("init", "--", "chassis-add", "ch1", "geneve", "1.2.3.4", "--", "set-connection", "read-only", f"punix:{path}")
    subprocess.run(["ovs-appctl", "-t", str(server.dir / "ctl"), "ovsdb-server/add-remote", "db:OVN_Southbound,SB_Global,connections"], check=True)
    deadline = time.monotonic() + 5
    while not path.exists():
        assert time.monotonic() < deadline
        time.sleep(0.01)
    assert sbctl.ok(f"--db=unix:{path}", "get", "chassis", "ch1", "name") == "ch1\n"
    assert sbctl.refused(f"--db=unix:{path}", "get", "chassis", "ch2", "name") == 'no row "ch2" in table Chassis'
    assert "not allowed" in sbctl.refused(f"--db=unix:{path}", "chassis-del", "ch1")


def test_every_kind_of_value_is_read(nbctl):
    nbctl.ok("create", "meter", "name=m", "unit=kbps", "bands=@b", "--", "--id=@b", "create", "meter_band", "action=drop", "rate=5",
             "--", "set", "meter", "m", r'external_ids:"a b"="c\"d\\e"', "fair=true")
    assert nbctl.ok("get", "meter", "m", "external_ids", "fair", "unit") == '{"a b"="c\\"d\\\\e"}\ntrue\nkbps\n'
    assert nbctl.ok("get", "meter", "m", "bands").startswith("[") and nbctl.ok("get", "meter_band",
                                                                                nbctl.ok("get", "meter", "m", "bands").strip("[]\n"), "rate") == "5\n"


def test_the_same_name_twice_in_one_line_is_refused_in_words(nbctl):
    nbctl.ok("ls-add", "s")
    assert nbctl.refused("lsp-add", "s", "p", "--", "lsp-add", "s", "p") == "p: a port with this name already exists"
    message = nbctl.refused("--", "--id=@a", "create", "logical_switch_port", "name=q", "--", "--id=@b", "create", "logical_switch_port",
                            "name=q", "--", "set", "logical_switch", "s", "ports=@a,@b")
    assert message.startswith("transaction error: constraint violation: ")


def test_one_of_many_gets_the_port(nbctl):
    nbctl.ok("ls-add", "s")
    many = [nbctl.start("lsp-add", "s", "p") for _ in range(20)]
    answers = [(p.communicate(timeout=20)[1], p.returncode) for p in many]
    assert sorted(status for _, status in answers) == [0] + [1] * 19
    assert {err for err, status in answers if status} == {"ovn-nbctl: p: a port with this name already exists\n"}


@pytest.mark.parametrize("n", [3000])
def test_a_large_switch_is_read_by_uuid(nbctl, n):
    line = ["ls-add", "s"]
    for i in range(n):
        line += ["--", "lsp-add", "s", f"p{i}"]
    if "build-asan" in str(BUILD):
        pytest.skip("a sanitized build is slow")
    nbctl.ok(*line)
    assert len(nbctl.ok("lsp-list", "s").splitlines()) == n
    assert Tool(BUILD / "bin/ovn-nbctl", nbctl.server).ok("lsp-get-ls", "p7").endswith("(s)\n")


class Listener:
    """Stands between a tool and a server, and keeps what the tool asks: .transactions, lists of operations."""

    def __init__(self, server):
        self.dir, self.socket, self.transactions = server.dir, server.socket, []
        self.remote = f"unix:{server.dir}/listener"
        self.listening = socket.socket(socket.AF_UNIX)
        self.listening.bind(f"{server.dir}/listener")
        self.listening.listen()
        threading.Thread(target=self.serve, daemon=True).start()

    def serve(self):
        while True:
            try:
                client, _ = self.listening.accept()
            except OSError:
                return
            there = socket.socket(socket.AF_UNIX)
            there.connect(self.socket)
            threading.Thread(target=self.copy, args=(there, client, False), daemon=True).start()
            threading.Thread(target=self.copy, args=(client, there, True), daemon=True).start()

    def copy(self, source, to, heard):
        decoder, text = json.JSONDecoder(), ""
        while data := source.recv(1 << 16):
            if heard:                  # Before it is passed on: whoever has the answer finds the question here.
                text += data.decode()
                while text:
                    try:
                        message, end = decoder.raw_decode(text)
                    except json.JSONDecodeError:
                        break
                    text = text[end:].lstrip()
                    if message["method"] == "transact":
                        self.transactions.append(message["params"][1:])
            to.sendall(data)
        to.shutdown(socket.SHUT_WR)

    def close(self):
        self.listening.close()
        os.unlink(f"{self.dir}/listener")


@pytest.fixture
def listener(server):
    one = Listener(server)
    yield one
    one.close()


def test_an_address_is_found_at_whichever_port_has_it(server, nbctl, listener):
    """The ports of a switch are read in several transactions, of few rows each: a large one costs the server thrice as much."""
    n, line = 130, ["ls-add", "s"]
    for i in range(n):
        line += ["--", "lsp-add", "s", f"p{i}", "--", "lsp-set-addresses", f"p{i}", f"0a:00:00:00:01:{i:02x} 10.0.0.{i} fd00::1:{i:x}"]
    nbctl.ok(*line, "--", "lsp-add", "s", "new")
    at = f"--db={listener.remote}"
    for i in range(n):
        listener.transactions.clear()
        address, family = (f"10.0.0.{i}", 4) if i % 2 else (f"fd00::1:{i:x}", 6)
        assert nbctl.refused(at, "lsp-set-addresses", "new", f"0a:00:00:00:02:00 {address}") == \
            f"Error on switch s: duplicate IPv{family} address '{address}' found on logical switch port 'p{i}'"
        assert sum(map(len, listener.transactions)) > n and max(map(len, listener.transactions)) <= 50
    nbctl.ok(at, "lsp-set-addresses", "new", "0a:00:00:00:02:00 10.0.0.200 fd00::200")
    assert nbctl.ok("lsp-get-addresses", "new") == "0a:00:00:00:02:00 10.0.0.200 fd00::200\n"
    assert len(nbctl.ok(at, "lsp-list", "s").splitlines()) == n + 1


def test_lists_ask_for_the_members_of_all_rows_at_once(nbctl, listener):
    line, names = ["ls-add", "s"], [f"x{i}" for i in range(12)]
    for i, name in enumerate(names):
        line += ["--", "lsp-add", "s", name, "--", "nf-add", name, name, name, "--", "nfg-add", name, str(i + 1), "inline", name]
        line += ["--", "mirror-add", name, "lport", "both", name, "--", "mirror-rule-add", name, "1", "ip4", "mirror"]
        line += ["--", "pg-add", name, name, "--", "--type=port-group", "acl-add", name, "to-lport", str(i), "ip4", "drop"]
    nbctl.ok(*line)
    at = f"--db={listener.remote}"
    for command in ["nf-list"], ["nfg-list"], ["mirror-list"], ["--", "--all", "acl-list", "s"]:
        listener.transactions.clear()
        assert nbctl.ok(at, *command).count("\n") >= len(names)
        assert 0 < len(listener.transactions) <= 5, (command, listener.transactions)

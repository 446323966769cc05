"""How lines read: names by the server's index, rows by UUID; nothing is written by reading; what is read may change meanwhile."""
import os
import subprocess
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

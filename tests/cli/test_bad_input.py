"""Bad input: what is refused, by whom, in which words, and with which status; and that nothing of it happens."""
import os
import signal
import subprocess
import time

import pytest
from conftest import BUILD, Tool
from test_nbctl import wait


# ---- mistyped ----

def test_the_nearest_is_suggested(nbctl):
    assert nbctl.refused("ls-ad", "s").endswith("(did you mean 'ls-add'?)")
    assert nbctl.refused("list", "logical_swich") == 'unknown table "logical_swich" (did you mean \'Logical_Switch\'?)'
    assert nbctl.refused("list", "nonsense") == 'unknown table "nonsense"'
    assert nbctl.refused("--columns=nmae", "list", "logical_switch").endswith("(did you mean 'name'?)")
    assert nbctl.refused("--if-exits", "ls-del", "s") == "unrecognized option '--if-exits' (did you mean '--if-exists'?)"
    assert nbctl.refused("--formt=csv", "ls-list").endswith("(did you mean '--format'?)")
    assert nbctl.refused("--xyzzy", "ls-list") == "unrecognized option '--xyzzy'"


def test_what_was_expected_is_said(nbctl):
    assert nbctl.refused("lsp-add", "s") == "'lsp-add' command requires at least 2 arguments (SWITCH PORT [PARENT TAG])"
    assert nbctl.refused("ls-add", "a", "b") == "'ls-add' command takes at most 1 arguments ([SWITCH])"
    assert nbctl.refused("ls-list", "a") == "'ls-list' command takes at most 0 arguments"
    assert nbctl.refused("--wait=all", "ls-list") == 'argument to --wait must be "none", "sb", or "hv"'


def test_an_option_behind_the_name_is_not_taken_for_an_argument(nbctl):
    nbctl.ok("ls-add", "s")
    assert nbctl.refused("ls-del", "--if-exists", "s") == "'--if-exists' must stand before the command's name, as in \"--if-exists ls-del ...\""
    assert "must stand before" in nbctl.refused("set-connection", "--inactivity-probe=5000", "ptcp:6641")
    assert nbctl.ok("get-connection") == "" and nbctl.ok("ls-list").count("(s)") == 1
    nbctl.ok("comment", "--if-exists", "--anything")                   # It has no options: these are words.


@pytest.mark.parametrize("bad", [["ls-add", "one"], ["lsp-add", "nope", "p"], ["set", "logical_switch", "new", "nosuch=1"], ["nonsense"],
                                 ["set", "logical_switch", "new", "ports=" + "1" * 8 + "-1111-1111-1111-" + "1" * 12]])
def test_a_line_with_one_bad_command_applies_nothing(nbctl, bad):
    nbctl.ok("ls-add", "one")
    for line in (["ls-add", "new", "--", *bad], ["ls-add", "new", "--", *bad, "--", "ls-add", "last"]):
        nbctl.refused(*line)
    assert [line.split()[1] for line in nbctl.ok("ls-list").splitlines()] == ["(one)"]


# ---- refused by the server ----

def test_a_row_that_is_in_use(nbctl):
    nbctl.ok("lr-add", "r", "--", "lrp-add", "r", "rp", "0a:00:00:00:00:01", "1.1.1.1/24", "--", "ha-chassis-group-add", "g")
    nbctl.ok("set", "logical_router_port", "rp", "ha_chassis_group=" + nbctl.ok("get", "ha_chassis_group", "g", "_uuid").strip())
    message = nbctl.refused("destroy", "ha_chassis_group", "g")
    nbctl.ok("clear", "logical_router_port", "rp", "ha_chassis_group")
    assert message == (
        "transaction error: referential integrity violation: HA_Chassis_Group g is still in use: 1 row refers to it, by "
        "Logical_Switch_Port.ha_chassis_group or Logical_Router_Port.ha_chassis_group; remove that first")
    nbctl.ok("destroy", "ha_chassis_group", "g")


def test_a_row_that_is_not_there(nbctl, sbctl):
    nbctl.ok("ls-add", "s")
    nobody = "11111111-1111-1111-1111-111111111111"
    assert nbctl.refused("set", "logical_switch", "s", f"ports={nobody}") == (
        f"transaction error: referential integrity violation: Logical_Switch s: column ports names row {nobody} of Logical_Switch_Port, which does not exist")
    assert nbctl.refused("create", "logical_switch", "name=t", f"ports={nobody}") == (
        f"transaction error: referential integrity violation: Logical_Switch t: column ports names row {nobody} of Logical_Switch_Port, which does not exist")
    assert sbctl.refused("create", "port_binding", "tunnel_key=3", "logical_port=a") == (
        "transaction error: referential integrity violation: Port_Binding a: column datapath must be given: it names a row of Datapath_Binding")
    assert sbctl.refused("create", "port_binding", "tunnel_key=3").startswith(
        "transaction error: referential integrity violation: new row of Port_Binding: column datapath must be given")


def test_what_must_be_unique(nbctl, sbctl):
    sbctl.ok("create", "datapath_binding", "tunnel_key=7")
    old = sbctl.ok("--bare", "--columns=_uuid", "find", "datapath_binding", "tunnel_key=7").strip()
    assert sbctl.refused("create", "datapath_binding", "tunnel_key=7") == (
        f"transaction error: constraint violation: two rows of Datapath_Binding would have the same tunnel_key, 7, which must be unique; there is already row {old}")
    assert sbctl.refused("create", "datapath_binding", "tunnel_key=8", "--", "create", "datapath_binding", "tunnel_key=8") == (
        "transaction error: constraint violation: two rows of Datapath_Binding would have the same tunnel_key, 8, which must be unique")
    dp = ["--", "--id=@d", "create", "datapath_binding", "tunnel_key=9"]
    for name in "a", "b":
        dp += ["--", "create", "port_binding", f"logical_port={name}", "datapath=@d", "tunnel_key=1"]
    message = sbctl.refused(*dp)
    assert "would have the same datapath and tunnel_key, " in message and "which must be unique" in message
    nbctl.ok("init")
    assert nbctl.refused("create", "nb_global", "name=b") == "transaction error: constraint violation: table NB_Global would have 2 rows and may have no more than 1"
    assert "{" not in message


@pytest.fixture(scope="module")
def roles(server):
    """The southbound database by a socket for reading only, and by one of the role ovn-controller."""
    sbctl = Tool(BUILD / "bin/ovn-sbctl", server)
    ro, role = f"{server.dir}/read-only", f"{server.dir}/role"
    sbctl.ok("init", "--", "create", "rbac_role", "name=ovn-controller", "--", "set-connection", "read-only", f"punix:{ro}", "read-write", "role=ovn-controller",
             f"punix:{role}")
    subprocess.run(["ovs-appctl", "-t", f"{server.dir}/ctl", "ovsdb-server/add-remote", "db:OVN_Southbound,SB_Global,connections"], check=True)
    wait(lambda: os.path.exists(ro) and os.path.exists(role))
    yield f"--db=unix:{ro}", f"--db=unix:{role}"


def test_a_connection_that_may_not(server, roles):
    sbctl = Tool(BUILD / "bin/ovn-sbctl", server)
    sbctl.ok("chassis-add", "mine", "geneve", "192.0.2.1")
    ro, role = roles
    assert sbctl.refused(ro, "set", "chassis", "mine", "hostname=x") == (
        f"transaction error: not allowed: the connection {ro.removeprefix('--db=')} is for reading only (update refused)")
    for words, what in ((["chassis-add", "other", "geneve", "1.2.3.4"], "insert rows into table Chassis"),
                        (["chassis-del", "mine"], "delete these rows of table Chassis"),
                        (["set", "chassis", "mine", "hostname=x"], "change these rows or columns of table Chassis")):
        assert sbctl.refused(role, *words) == f"transaction error: permission error: this connection has the role ovn-controller and may not {what}", words
    assert sbctl.ok("get", "chassis", "mine", "hostname") == '""\n'


# ---- the wrong server ----

def served(directory, name, *databases):
    """ovsdb-server on DATABASES, and its remote."""
    path = f"{directory}/{name}"
    p = subprocess.Popen(["ovsdb-server", f"--remote=punix:{path}", "--no-chdir", f"--unixctl={path}.ctl", "-vconsole:off", *databases], stderr=subprocess.DEVNULL)
    version = ["ovs-appctl", "-t", path + ".ctl", "version"]       # A socket is there a moment before anybody listens at it.
    wait(lambda: os.path.exists(path) and not subprocess.run(version, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL).returncode)
    return p, f"unix:{path}"


def test_a_server_without_the_database(server, tmp_path):
    sb, nb, tool = f"{tmp_path}/sb.db", f"{tmp_path}/nb.db", Tool(BUILD / "bin/ovn-nbctl", server)
    for db in "sb", "nb":
        subprocess.run(["ovsdb-tool", "create", f"{tmp_path}/{db}.db", f"{BUILD}/schema/ovn-{db}.ovsschema"], check=True)
    p, remote = served(tmp_path, "south", sb)
    try:
        began = time.monotonic()
        why = "database connection failed (the server has no database OVN_Northbound; it has OVN_Southbound)"
        assert tool.refused(f"--db={remote}", "show") == f"{remote}: {why}"
        assert tool.refused("--no-shuffle-remotes", f"--db=unix:/nowhere,{remote}", "show") == f"unix:/nowhere,{remote}: {why}"
        assert tool.ok(f"--db={remote},{server.remote}", "--columns=name", "list", "copp") == ""       # Another server has it.
        # The same by a daemon, again and again; when it comes, the daemon has it.
        socket = tool.ok("--detach", f"--unixctl={tmp_path}/daemon", env={"OVN_NB_DB": remote}).strip()
        for _ in range(3):
            assert tool.refused("-u", socket, "show") == f"{remote}: {why}"
        assert time.monotonic() - began < 20
        subprocess.run(["ovs-appctl", "-t", f"{tmp_path}/south.ctl", "ovsdb-server/add-db", nb], check=True)
        wait(lambda: tool("-u", socket, "ls-list").status == 0)
        subprocess.run(["ovs-appctl", "-t", socket, "exit"], check=True)
    finally:
        p.terminate()
        p.wait()


def test_a_member_that_is_still_to_join_is_waited_for(server, tmp_path):
    subprocess.run(["ovsdb-tool", "--cid=00000000-0000-4000-8000-000000000001", "join-cluster", f"{tmp_path}/nb.db", "OVN_Northbound", f"unix:{tmp_path}/me",
                    f"unix:{tmp_path}/other"], check=True)
    p, remote = served(tmp_path, "joining", f"{tmp_path}/nb.db")
    try:
        r = Tool(BUILD / "bin/ovn-nbctl", server)("-t", "1", f"--db={remote}", "show")
        assert r.status == -signal.SIGALRM and not r.out
        assert f"not connected: {remote}: the server has no contact with its cluster" in r.err
    finally:
        p.terminate()
        p.wait()

"""ovn-nbctl on a real ovsdb-server with our schema: every command's success and refusal, and what a line of several promises."""
import resource
import signal
import subprocess
import time

import pytest
from conftest import BUILD, UUID, Tool


def wait(condition, seconds=10):
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not become true"
        time.sleep(0.01)


# ---- general ----

def test_init_makes_one_row_once(nbctl):
    nbctl.ok("init")
    nbctl.ok("init")
    assert len(UUID.findall(nbctl.ok("--bare", "--columns=_uuid", "list", "nb_global"))) == 1


def test_show_is_sorted_and_filtered(nbctl):
    nbctl.ok("ls-add", "b", "--", "lsp-add", "b", "z", "--", "lsp-add", "b", "a", "--", "ls-add", "a", "--",
             "lsp-set-addresses", "z", "0a:00:00:00:00:01 10.0.0.1", "unknown", "--", "lsp-add", "b", "c", "z", "5")
    text = UUID.sub("U", nbctl.ok("show"))
    assert text == ('switch U (a)\nswitch U (b)\n    port a\n    port c\n        parent: z\n    port z\n'
                    '        addresses: ["0a:00:00:00:00:01 10.0.0.1", "unknown"]\n')
    assert UUID.sub("U", nbctl.ok("show", "a")) == "switch U (a)\n"
    uuid = nbctl.ok("get", "logical_switch", "a", "_uuid").strip()
    assert nbctl.ok("show", uuid) == f"switch {uuid} (a)\n"
    assert nbctl.ok("show", "nothing") == ""


def test_help_names_every_command_and_table(nbctl):
    text = nbctl.ok("--help")
    for word in ("ls-add [SWITCH]", "lsp-set-addresses PORT [ADDRESS]...", "[--id=@NAME|UUID] create", "Logical_Switch_Port\n", "--timeout"):
        assert word in text
    assert max(map(len, text.splitlines())) < 132


def test_an_unknown_command_suggests_the_nearest(nbctl):
    assert nbctl.refused("lsadd", "x") == "unknown command 'lsadd'; use --help for help (did you mean 'ls-add'?)"
    assert nbctl.refused("lsp-set-adresses", "x").endswith("(did you mean 'lsp-set-addresses'?)")
    assert nbctl.refused("frobnicate") == "unknown command 'frobnicate'; use --help for help"


# ---- switches and ports ----

def test_a_switch_by_uuid_and_duplicate_names(nbctl):
    nbctl.ok("ls-add", "s", "--", "--add-duplicate", "ls-add", "s")
    assert nbctl.refused("ls-del", "s") == "Multiple logical switches named 's'.  Use a UUID."
    uuid = UUID.findall(nbctl.ok("ls-list"))[0]
    nbctl.ok("lsp-add", uuid, "p")
    nbctl.ok("ls-del", uuid)
    assert nbctl.ok("ls-list").endswith(" (s)\n") and nbctl.ok("lsp-list", "s") == ""
    assert nbctl.refused("ls-del", uuid) == f"{uuid}: switch UUID not found"
    assert nbctl.refused("--", "--may-exist", "ls-add") == "--may-exist requires specifying a name"


def test_lsp_set_addresses_checks_what_it_is_given(nbctl):
    nbctl.ok("ls-add", "s", "--", "lsp-add", "s", "p", "--", "lsp-add", "s", "q")
    for good in ("0a:00:00:00:00:01", "0a:00:00:00:00:01 10.0.0.1", "0a:00:00:00:00:01 10.0.0.1/24 fd00::1", "unknown", "dynamic",
                 "router", "0a:00:00:00:00:01 dynamic", "dynamic 10.0.0.7", "dynamic fd00::7"):
        nbctl.ok("lsp-set-addresses", "p", good)
        assert nbctl.ok("lsp-get-addresses", "p") == good + "\n"
    for bad in ("", "nonsense", "0a:00:00:00:00", "0a:00:00:00:00:01 10.0.0", "0a:00:00:00:00:01/40", "10.0.0.1", "dynamically"):
        assert "Invalid address format" in nbctl.refused("lsp-set-addresses", "p", bad)
    nbctl.ok("lsp-set-addresses", "p", "0a:00:00:00:00:01 10.0.0.1 fd00::1")
    assert (nbctl.refused("lsp-set-addresses", "q", "0a:00:00:00:00:02 10.0.0.1")
            == "Error on switch s: duplicate IPv4 address '10.0.0.1' found on logical switch port 'p'")
    assert "duplicate IPv6 address 'fd00::1'" in nbctl.refused("lsp-set-addresses", "q", "0a:00:00:00:00:02 10.0.0.2 fd00:0::1")
    nbctl.ok("ls-add", "t", "--", "lsp-add", "t", "other", "--", "lsp-set-addresses", "other", "0a:00:00:00:00:02 10.0.0.1")
    nbctl.ok("lsp-set-addresses", "p", "0a:00:00:00:00:01 10.0.0.1")      # Its own address is no duplicate.


def test_lsp_set_type_and_peer(nbctl):
    nbctl.ok("ls-add", "s", "--", "lsp-add", "s", "p")
    for t in "", "router", "switch", "localnet", "localport", "l2gateway", "vtep", "external", "virtual", "remote":
        nbctl.ok("lsp-set-type", "p", t)
        assert nbctl.ok("lsp-get-type", "p") == t + "\n"
    nbctl.ok("lsp-set-type", "p", "switch", "peer=q")
    assert nbctl.ok("get", "logical_switch_port", "p", "peer") == "q\n"
    assert "only peer=PORT" in nbctl.refused("lsp-set-type", "p", "localnet", "peer=q")
    assert "unrecognized" in nbctl.refused("lsp-set-type", "p", "nonsense")


def test_lsp_set_options_wants_pairs(nbctl):
    nbctl.ok("ls-add", "s", "--", "lsp-add", "s", "p")
    nbctl.ok("lsp-set-options", "p", "b=2", "a=1", "a=3=4")
    assert nbctl.ok("lsp-get-options", "p") == "a=1\nb=2\n"
    assert "KEY=VALUE" in nbctl.refused("lsp-set-options", "p", "ab")
    assert nbctl.ok("lsp-get-options", "p") == "a=1\nb=2\n"


def test_every_port_command_refuses_a_port_that_is_not_there(nbctl):
    for line in ("lsp-del", "lsp-get-parent", "lsp-get-tag", "lsp-set-addresses", "lsp-get-addresses", "lsp-set-port-security",
                 "lsp-get-port-security", "lsp-get-up", "lsp-set-enabled nope enabled", "lsp-get-enabled", "lsp-set-type nope router",
                 "lsp-get-type", "lsp-set-options", "lsp-get-options", "lsp-get-ls"):
        words = line.split() if " " in line else [line, "nope"]
        assert nbctl.refused(*words) == "nope: port name not found"


# ---- a line of several commands ----

def test_commands_see_what_earlier_ones_did(nbctl):
    out = nbctl.ok("ls-add", "s", "--", "lsp-add", "s", "p", "--", "lsp-set-addresses", "p", "0a:00:00:00:00:01 10.0.0.1", "--",
                   "lsp-set-type", "p", "localport", "--", "lsp-get-type", "p", "--", "lsp-get-ls", "p", "--", "lsp-list", "s", "--",
                   "lsp-del", "p", "--", "lsp-list", "s", "--", "get", "logical_switch", "s", "ports")
    assert UUID.sub("U", out) == "localport\nU (s)\nU (p)\n[]\n"
    assert nbctl.ok("lsp-list", "s") == ""


def test_a_port_goes_with_its_switch_and_its_name_is_free(nbctl):
    nbctl.ok("ls-add", "s", "--", "lsp-add", "s", "p")
    nbctl.ok("ls-del", "s", "--", "ls-add", "t", "--", "lsp-add", "t", "p")
    assert nbctl.ok("lsp-get-ls", "p").endswith("(t)\n")
    assert len(nbctl.ok("--bare", "--columns=name", "list", "logical_switch_port").split()) == 1


def test_a_name_is_free_once_the_line_has_let_it_go(nbctl):
    nbctl.ok("ls-add", "s", "--", "lsp-add", "s", "p")
    nbctl.ok("lsp-del", "p", "--", "lsp-add", "s", "p")
    seen = set()
    for i in range(10):                                # Which of two rows comes first is by chance.
        nbctl.ok("--if-exists", "ls-del", "s", "--", "ls-add", "s", "--", "lsp-add", "s", "p", "--", "lsp-set-addresses", "p", "unknown")
        seen |= {nbctl.ok("get", "logical_switch", "s", "_uuid"), nbctl.ok("get", "logical_switch_port", "p", "_uuid")}
        assert len(seen) == 2 * i + 2 and nbctl.ok("lsp-get-addresses", "p") == "unknown\n"
    nbctl.ok("set", "logical_switch", "s", "name=t", "--", "ls-add", "s", "--", "lsp-del", "p", "--", "lsp-add", "s", "p")
    assert nbctl.ok("--bare", "--columns=name", "list", "logical_switch").split() in (["s", "t"], ["t", "s"])
    assert nbctl.ok("lsp-get-ls", "p").endswith("(s)\n")
    nbctl.ok("ls-del", "s", "--", "--may-exist", "lsp-add", "t", "p")
    assert nbctl.ok("lsp-get-ls", "p").endswith("(t)\n")
    assert nbctl.refused("ls-add", "u", "--", "ls-add", "u") == "u: a switch with this name already exists"


def test_a_router_again_under_its_name(nbctl):
    again = ("--if-exists", "lr-del", "r", "--", "lr-add", "r", "--", "lrp-add", "r", "rp", "0a:00:00:00:00:01", "10.0.0.1/24", "--",
             "set", "logical_router_port", "rp", "external_ids:n=one")
    for _ in range(6):
        nbctl.ok(*again)
        assert nbctl.ok("get", "logical_router_port", "rp", "external_ids") == "{n=one}\n"


def test_a_line_that_fails_applies_nothing(nbctl):
    for last in (["lsp-add", "nowhere", "p"], ["set", "logical_switch", "s", "name=a,b"],
                 ["create", "Meter", "name=m", "unit=kbps"]):          # The last one only the server refuses: no bands.
        before = nbctl.ok("list", "logical_switch")
        nbctl.refused("ls-add", "s", "--", *last)
        assert nbctl.ok("list", "logical_switch") == before
    message = nbctl.refused("create", "Meter", "name=m", "unit=kbps")
    assert message.startswith("transaction error: referential integrity violation: ") and "{" not in message


def test_symbols_before_and_after_what_they_name(nbctl):
    out = nbctl.ok("--", "--id=@x", "create", "logical_switch_port", "name=x", "--", "--id=@s", "create", "logical_switch", "name=s",
                   "ports=@x,@y", "--", "--id=@y", "create", "logical_switch_port", "name=y", "--", "get", "logical_switch", "@s", "ports")
    uuids = out.split("\n")
    assert uuids[3] == "[" + ", ".join(sorted([uuids[0], uuids[2]])) + "]"
    assert nbctl.ok("get", "logical_switch_port", "y", "_uuid").strip() == uuids[2]
    assert 'row id "@u" is referenced but never created' in nbctl.refused("add", "logical_switch", "s", "ports", "@u")


def test_dry_run_changes_nothing_and_shows_what_would_be(nbctl):
    assert nbctl.ok("--dry-run", "ls-add", "s", "--", "get", "logical_switch", "s", "name") == "s\n"
    assert nbctl.ok("ls-list") == ""


def test_the_database_log_says_who_did_what(server, nbctl):
    nbctl.ok("ls-add", "logged switch")
    text = (server.dir / "nb.db").read_text()
    assert 'ovn-nbctl ls-add \\"logged switch\\"' in text


# ---- waiting ----

def test_wait_until_waits(nbctl):
    with nbctl.start("wait-until", "logical_switch", "late", "other_config:a=1", "--", "get", "logical_switch", "late", "name") as p:
        time.sleep(0.1)
        assert p.poll() is None
        nbctl.ok("ls-add", "late")
        time.sleep(0.1)
        assert p.poll() is None
        nbctl.ok("set", "logical_switch", "late", "other_config:a=1")
        assert p.communicate(timeout=5)[0] == "late\n"
        assert p.returncode == 0


@pytest.mark.parametrize("how", [["-t", "1"], ["--timeout=1"], []])
def test_timeout_ends_with_sigalrm(nbctl, how):
    began = time.monotonic()
    r = nbctl(*how, "wait-until", "logical_switch", "never", env={} if how else {"OVS_CTL_TIMEOUT": "1"})
    assert r.status == -signal.SIGALRM and "Alarm clock" in r.err
    assert 0.9 < time.monotonic() - began < 2


def test_wait_sb_counts_and_waits_for_northd(nbctl):
    nbctl.ok("init")
    with nbctl.start("--wait=sb", "ls-add", "s") as p:
        wait(lambda: nbctl.ok("get", "nb_global", ".", "nb_cfg") == "1\n")
        assert nbctl.ok("ls-list").endswith("(s)\n")
        time.sleep(0.1)
        assert p.poll() is None
        nbctl.ok("set", "nb_global", ".", "sb_cfg=1")          # What ovn-northd does.
        assert p.wait(5) == 0
    with nbctl.start("--wait=hv", "--print-wait-time", "sync") as p:
        wait(lambda: nbctl.ok("get", "nb_global", ".", "nb_cfg") == "2\n")
        nbctl.ok("set", "nb_global", ".", "sb_cfg=2")
        time.sleep(0.1)
        assert p.poll() is None
        nbctl.ok("set", "nb_global", ".", "hv_cfg=2")
        assert "ovn-controller(s) completion" in p.communicate(timeout=5)[0]
    nbctl.ok("--wait=hv", "ls-list")                           # Changes nothing: does not wait.
    nbctl.ok("--wait=hv", "--", "--may-exist", "ls-add", "s")
    nbctl.ok("--no-wait", "sync")
    assert nbctl.ok("get", "nb_global", ".", "nb_cfg") == "2\n"


def test_wait_makes_the_global_row_if_there_is_none(nbctl):
    with nbctl.start("--wait=sb", "ls-add", "s") as p:
        wait(lambda: nbctl("get", "nb_global", ".", "nb_cfg").out == "1\n")
        nbctl.ok("set", "nb_global", ".", "sb_cfg=1")
        assert p.wait(5) == 0


# ---- several at once ----

def test_many_writers_lose_nothing(nbctl):
    nbctl.ok("ls-add", "s")
    many = [nbctl.start("lsp-add", "s", f"p{i}", "--", "set", "logical_switch", "s", f"other_config:k{i}=v") for i in range(40)]
    assert [p.wait(20) for p in many] == [0] * 40
    assert len(nbctl.ok("lsp-list", "s").splitlines()) == 40
    assert nbctl.ok("get", "logical_switch", "s", "other_config").count("=v") == 40


def test_one_of_many_gets_the_name(nbctl):
    many = [nbctl.start("ls-add", "s") for _ in range(20)]
    assert sorted(p.wait(20) for p in many) == [0] + [1] * 19
    assert len(nbctl.ok("ls-list").splitlines()) == 1
    for p in many:
        p.stdout.close(), p.stderr.close()


def test_a_hundred_commands_a_second(nbctl):
    if b"__asan_init" in open(nbctl.path, "rb").read():
        pytest.skip("a sanitized build is slow")
    nbctl.ok("ls-add", "s")
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    for i in range(100):
        nbctl.ok("lsp-add", "s", f"p{i}")
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    assert after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime < 1


def test_a_line_of_many_commands(nbctl):
    line = ["ls-add", "s"]
    for i in range(500):
        line += ["--", "lsp-add", "s", f"p{i}", "--", "lsp-set-addresses", f"p{i}", f"0a:00:00:00:{i >> 8:02x}:{i & 255:02x} 10.0.{i >> 8}.{i & 255}"]
    nbctl.ok(*line)
    assert len(nbctl.ok("lsp-list", "s").splitlines()) == 500


# ---- where and how ----

def test_options_from_the_environment(nbctl):
    nbctl.ok("ls-add", "s")
    assert nbctl.ok("list", "logical_switch", env={"OVN_NBCTL_OPTIONS": "--format=csv '--columns=name'"}) == "name\ns\n"
    assert nbctl.ok("--format=table", "--no-headings", "list", "logical_switch", env={"OVN_NBCTL_OPTIONS": "--format=csv --columns=name"}) == "s\n"
    assert nbctl.refused("ls-list", env={"OVN_NBCTL_OPTIONS": "--nonsense"}) == "unrecognized option '--nonsense'"


def test_the_default_socket_is_in_the_run_directory(server, nbctl):
    nbctl.ok("ls-add", "s")
    (server.dir / "ovnnb_db.sock").symlink_to(server.socket)
    assert nbctl.ok("ls-list", env={"OVN_NB_DB": "", "OVN_RUNDIR": str(server.dir)}).endswith("(s)\n")
    (server.dir / "ovnnb_db.sock").unlink()


def test_a_database_that_is_not_there(server, nbctl):
    assert nbctl.refused("--db=unix:/nowhere", "show") == "unix:/nowhere: database connection failed (No such file or directory)"
    assert nbctl.refused("--db=nonsense", "show").startswith("nonsense: database connection failed (")
    assert nbctl.ok("--no-shuffle-remotes", f"--db=unix:/nowhere,{server.remote}", "ls-list") == ""
    assert nbctl.ok(f"--db={server.remote},unix:/nowhere", "ls-list") == ""


def test_a_restarted_server_is_found_again(server, nbctl):
    with nbctl.start("wait-until", "logical_switch", "late") as p:
        time.sleep(0.2)
        server.kill()
        server.start()
        nbctl.ok("ls-add", "late")
        assert p.wait(10) == 0


def test_a_quiet_success(nbctl):
    r = nbctl("ls-add", "s")
    assert (r.out, r.err, r.status) == ("", "", 0)


def test_bad_arguments_name_what_was_expected(nbctl):
    assert nbctl.refused("lsp-add", "s") == "'lsp-add' command requires at least 2 arguments (SWITCH PORT [PARENT TAG])"
    assert nbctl.refused("set", "logical_switch", "s", "nosuch=1") == 'Logical_Switch does not contain a column whose name matches "nosuch"'
    assert nbctl.refused("list", "logical") .startswith('"logical" matches multiple table names: Logical_Router, ')
    assert nbctl.refused("--verbose=nonsense", "show")


def test_version(nbctl):
    assert nbctl.ok("--version").startswith("ovn-nbctl ") and "DB Schema 7." in nbctl.ok("-V")


# ---- any table ----

def test_set_changes_only_what_it_names(nbctl):
    nbctl.ok("create", "logical_switch", "name=s", "other_config:a=1", "other_config:b=2")
    nbctl.ok("set", "logical_switch", "s", "other_config:a=3", 'other_config:"x y"="z w"')
    assert nbctl.ok("get", "logical_switch", "s", "other_config") == '{a="3", b="2", "x y"="z w"}\n'
    nbctl.ok("add", "logical_switch", "s", "other_config", "a=9", "c=4")
    nbctl.ok("remove", "logical_switch", "s", "other_config", "b", "a=nope")
    assert nbctl.ok("get", "logical_switch", "s", "other_config") == '{a="3", c="4", "x y"="z w"}\n'
    nbctl.ok("remove", "logical_switch", "s", "other_config", "a=3", "c")
    nbctl.ok("clear", "logical_switch", "s", "other_config")
    assert nbctl.ok("get", "logical_switch", "s", "other_config") == "{}\n"


def test_constraints_are_told_before_the_server_sees_them(nbctl):
    nbctl.ok("ls-add", "s", "--", "lsp-add", "s", "p")
    assert nbctl.refused("set", "logical_switch_port", "p", "tag=9999") == "constraint violation: 9999 is not in the valid range 1 to 4095 (inclusive)"
    assert "maximum number is 1" in nbctl.refused("set", "logical_switch_port", "p", "tag=1,2")
    assert "maximum number is 1" in nbctl.refused("add", "logical_switch_port", "p", "tag", "1", "2")
    assert '"add" operation would put 2 values in column name' in nbctl.refused("add", "logical_switch_port", "p", "name", "q")
    assert "not one of the allowed values" in nbctl.refused("--", "--id=@a", "create", "ACL", "action=nonsense", "priority=1",
                                                             "direction=from-lport", "match=1")
    assert "already" in nbctl.refused("--", f"--id={nbctl.ok('get', 'logical_switch', 's', '_uuid').strip()}", "create",
                                      "logical_switch", "name=t")


def test_a_record_by_the_beginning_of_its_uuid(nbctl):
    one, two = "aaaa1111-0000-4000-8000-000000000001", "aaaa2222-0000-4000-8000-000000000002"
    nbctl.ok("--", f"--id={one}", "create", "logical_switch", "name=one", "--", f"--id={two}", "create", "logical_switch", "name=two")
    assert nbctl.ok("get", "logical_switch", "aaaa1", "name") == "one\n"
    assert nbctl.ok("get", "logical_switch", two.upper(), "name") == "two\n"
    assert nbctl.refused("get", "logical_switch", "aaaa", "name") == 'multiple rows in Logical_Switch match "aaaa"'
    assert nbctl.refused("get", "logical_switch", "aaa", "name") == 'no row "aaa" in table Logical_Switch'
    nbctl.ok("ls-add", "aaaa1")                                # A name goes before the beginning of a UUID.
    assert nbctl.ok("get", "logical_switch", "aaaa1", "name") == "aaaa1\n"


def test_ranges_and_quotes(nbctl):
    nbctl.ok("create", "address_set", "name=a", 'addresses="10.0.0.1","10.0.0.2"', "external_ids={}")
    assert nbctl.ok("get", "address_set", "a", "addresses") == '["10.0.0.1", "10.0.0.2"]\n'
    nbctl.ok("set", "address_set", "a", r'external_ids:k="tab\tquote\"back\\slash ü"')
    assert nbctl.ok("--bare", "get", "address_set", "a", "external_ids:k") == '"tab\\tquote\\"back\\\\slash ü"\n'
    assert nbctl.ok("--bare", "--columns=external_ids", "list", "address_set", "a") == 'k=tab\tquote"back\\slash ü\n'
    for bad in ('external_ids:k="open', 'external_ids={a=1', "external_ids={a}", "external_ids={a=1}}", 'external_ids:k="a"b', "external_ids:k=", "addresses=[a]]",
                r'external_ids:k="\u0000"', "addresses=,a"):
        nbctl.refused("set", "address_set", "a", bad)


def test_a_value_behind_a_key_is_all_of_the_rest(nbctl):
    for text in "a,b", "a b", "fd00::/64", 'a"b"', "k=v", "{}", "[]":
        nbctl.ok("--", "--may-exist", "ls-add", "s", "--", "set", "logical_switch", "s", f"other_config:k={text}")
        assert nbctl.ok("--bare", "--columns=other_config", "list", "logical_switch", "s") == f"k={text}\n"


def test_connections(nbctl):
    nbctl.ok("--inactivity-probe=5000", "set-connection", "ptcp:16641:127.0.0.1", "punix:/tmp/x")
    assert nbctl.ok("get-connection") == "ptcp:16641:127.0.0.1\npunix:/tmp/x\n"
    assert nbctl.ok("--bare", "--columns=inactivity_probe", "list", "connection") == "5000\n\n5000\n"
    assert "milliseconds" in nbctl.refused("--", "--inactivity-probe=x", "set-connection", "ptcp:1")
    assert "possibly erroneous" in nbctl("set-connection", "nonsense").err
    nbctl.ok("del-connection")
    assert nbctl.ok("get-connection") == "" and nbctl.ok("list", "connection") == ""


def test_a_writer_to_a_closed_pipe_does_not_hang(nbctl):
    p = subprocess.run(f"{nbctl.path} --help | head -1", shell=True, stdout=subprocess.PIPE, text=True)
    assert p.stdout.startswith("ovn-nbctl")
    assert Tool(BUILD / "bin/ovn-nbctl", nbctl.server).ok("ls-list") == ""
    nbctl.ok(*[w for i in range(400) for w in ("--", "ls-add", f"a-switch-with-a-long-name-{i}")][1:])
    p = subprocess.run(f"{nbctl.path} --db={nbctl.server.remote} show | head -1", shell=True, capture_output=True, text=True)
    assert p.stdout.startswith("switch ") and p.stderr == "", "a reader that has enough is no error"


def test_destroy_of_what_others_refer_to_is_ignored(nbctl):
    """Such rows live as long as another refers to them, ovn-nbctl(8) says, and no script breaks on it."""
    nbctl.ok("ls-add", "s", "--", "lsp-add", "s", "p", "--", "acl-add", "s", "to-lport", "1", "ip4", "drop")
    assert nbctl.ok("destroy", "logical_switch_port", "p") == ""
    assert nbctl.ok("--", "--all", "destroy", "ACL") == ""
    assert "(p)" in nbctl.ok("lsp-list", "s") and "ip4" in nbctl.ok("acl-list", "s")
    nbctl.ok("clear", "logical_switch", "s", "ports", "--", "destroy", "logical_switch_port", "p")
    assert nbctl.ok("list", "logical_switch_port") == ""


def test_a_route_takes_its_bfd_session_along_unless_another_uses_it(nbctl):
    nbctl.ok("lr-add", "r", "--", "lrp-add", "r", "rp", "00:00:00:00:00:01", "10.0.0.1/24")
    for prefix in "10.1.0.0/16", "10.2.0.0/16":
        nbctl.ok("--", "--bfd", "lr-route-add", "r", prefix, "10.0.0.2", "rp")
    nbctl.ok("--", "--bfd", "lr-policy-add", "r", "1", "ip4", "reroute", "10.0.0.2")
    nbctl.ok("lr-route-del", "r", "10.1.0.0/16")
    assert nbctl.ok("--bare", "--columns=dst_ip", "list", "BFD") == "10.0.0.2\n"
    nbctl.ok("lr-route-del", "r", "10.2.0.0/16")
    assert nbctl.ok("--bare", "--columns=dst_ip", "list", "BFD") == "10.0.0.2\n"          # The policy's.
    nbctl.ok("lr-policy-del", "r", "--", "--bfd", "lr-route-add", "r", "10.3.0.0/16", "10.0.0.2", "rp")
    nbctl.ok("lr-route-del", "r", "10.3.0.0/16")
    assert nbctl.ok("list", "BFD") == ""


def test_a_uuid_names_what_a_name_does(nbctl):
    nbctl.ok("ls-add", "s", "--", "lsp-add", "s", "p", "--", "fwd-group-add", "f", "s", "10.0.0.5", "00:00:00:00:00:05", "p", "--", "mirror-add",
             "m", "gre", "1", "to-lport", "10.0.0.1", "--", "lsp-attach-mirror", "p", "m")
    mirror, group = nbctl.ok("get", "mirror", "m", "_uuid").strip(), nbctl.ok("get", "forwarding_group", "f", "_uuid").strip()
    assert nbctl.refused("lsp-attach-mirror", "p", mirror) == "mirror m is already attached to the logical port p."
    nbctl.ok("fwd-group-del", group)
    assert "f" not in nbctl.ok("--bare", "--columns=name", "list", "forwarding_group")
    nbctl.ok("lr-add", "r", "--", "lrp-add", "r", "rp", "00:00:00:00:00:01", "10.0.0.1/24")
    nbctl.ok("lr-route-add", "r", "10.1.0.0/16", "10.0.0.2", nbctl.ok("get", "logical_router_port", "rp", "_uuid").strip())
    assert "rp" in nbctl.ok("lr-route-list", "r")
    nbctl.ok("lr-policy-add", "r", "1", "ip4", "drop")
    policy = nbctl.ok("--bare", "--columns=_uuid", "list", "logical_router_policy").strip()
    nbctl.ok("lr-policy-del", "r", policy, "ip6")
    assert "ip4" in nbctl.ok("lr-policy-list", "r")
    nbctl.ok("lr-policy-del", "r", policy, "ip4")
    assert nbctl.ok("lr-policy-list", "r") == ""


def test_an_address_on_two_ports_of_a_router_is_warned_of(nbctl):
    """Not refused: a script may put the new port there before it takes the old away."""
    nbctl.ok("lr-add", "r", "--", "lrp-add", "r", "a", "00:00:00:00:00:01", "10.0.0.1/24", "fe80::1/64")
    result = nbctl("lrp-add", "r", "b", "00:00:00:00:00:02", "10.0.0.1/16", "fe80::1/64")
    assert result.status == 0 and "port a of the router already has the address of 10.0.0.1/16" in result.err and "fe80" not in result.err
    assert "(b)" in nbctl.ok("lrp-list", "r")

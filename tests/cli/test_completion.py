"""Completion for bash, as the build makes it of the tables of commands: in a bash without a terminal, with the programs it asks."""
import os
import re
import subprocess
import time

import pytest
from conftest import BUILD, REPO, Tool

FILES = {"ovn-nbctl": BUILD / "packaging/completion/ovn-nbctl", "ovn-sbctl": BUILD / "packaging/completion/ovn-sbctl",
         "ovn-appctl": REPO / "packaging/completion/ovn-appctl"}
SCRIPT = r"""
set -u
COMP_WORDBREAKS=$' \t\n"\'><=;|&(:'
for file; do source "$file"; done
while IFS= read -r COMP_LINE; do
    COMP_POINT=${#COMP_LINE}
    read -ra COMP_WORDS <<<"$COMP_LINE"
    [[ $COMP_LINE == *' ' ]] && COMP_WORDS+=('')
    COMP_CWORD=$((${#COMP_WORDS[@]} - 1))
    COMPREPLY=()
    function=$(complete -p "${COMP_WORDS[0]}" | sed 's/.*-F \([^ ]*\).*/\1/')
    $function
    echo "${#COMPREPLY[@]}"
    ((${#COMPREPLY[@]})) && printf '%s\n' "${COMPREPLY[@]}"
done
"""


class Completion:
    def __init__(self, server):
        self.tool = Tool(BUILD / "bin/ovn-nbctl", server)

    def lines(self, lines, **env):
        """What is offered at the end of each of LINES."""
        env = dict(self.tool.environment(), PATH=f"{BUILD}/bin:{os.environ['PATH']}", **env)
        done = subprocess.run(["bash", "--norc", "--noprofile", "-c", SCRIPT, "bash", *map(str, FILES.values())], env=env,
                              input="".join(line + "\n" for line in lines), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, timeout=60)
        assert done.returncode in (0, 1) and done.stderr == "", done.stderr
        words, answers = iter(done.stdout.splitlines()), []
        for _ in lines:
            answers.append([next(words) for _ in range(int(next(words)))])
        return answers

    def __call__(self, line, **env):
        return self.lines([line], **env)[0]


@pytest.fixture(scope="module")
def complete(server):
    return Completion(server)


def table(program):
    out = subprocess.run([BUILD / "bin" / program, "--commands"], stdout=subprocess.PIPE, text=True, check=True).stdout
    return [line.split("\t")[1:4] for line in out.rstrip("\n").split("\n")]


@pytest.mark.parametrize("program", ["ovn-nbctl", "ovn-sbctl"])
def test_every_command_and_its_options(complete, program):
    commands = table(program)
    found = complete.lines([f"{program} {name[:-1]}" for _, name, _ in commands])
    for (_, name, _), offered in zip(commands, found):
        assert name in offered
    assert complete(f"{program} ") == [name for _, name, _ in commands]
    with_options = [(o.split(), name) for o, name, _ in commands if o]
    found = complete.lines([f"{program} -- {re.sub(r'[=[].*', '', options[0])} {name[:5]}" for options, name in with_options])
    for (_, name), offered in zip(with_options, found):
        assert name in offered
    offered = complete(f"{program} -- --")
    assert {re.sub(r"=.*", "=", re.sub(r"\[.*", "", o)) for options, _ in with_options for o in options} == set(offered)


def test_global_options_are_those_of_help(complete):
    text = subprocess.run([BUILD / "bin/ovn-nbctl", "--help"], stdout=subprocess.PIPE, text=True, check=True).stdout
    text = re.sub(r"--\[no-\]([a-z-]+)", r"--\1 --no-\1", text[text.index("\nOptions:"):text.index("\nThe default")])
    assert set(re.findall(r"(?<![\w-])--[a-z][a-z-]*[a-z]", text)) <= {o.rstrip("=") for o in complete("ovn-nbctl --")}
    assert complete("ovn-nbctl --wait=") == ["none", "sb", "hv"]       # Behind the "=": there bash's word begins.
    assert complete("ovn-nbctl --format=c") == ["csv"] and complete("ovn-nbctl -f js") == ["json"]
    assert complete("ovn-nbctl -t 5 --oneline ls-d") == ["ls-del"]
    assert complete("ovn-nbctl --wa") == ["--wait="] and complete("ovn-sbctl --wa") == []


def test_where_a_word_stands(complete):
    assert complete("ovn-nbctl ls-add s -- lsp-add s p -- --if-exists ls-d") == ["ls-del"]
    assert complete("ovn-nbctl ls-add s -- --oneli") == []             # Global options stand in front.
    assert complete("ovn-nbctl init ") == ["--"]
    assert complete("ovn-nbctl acl-add s fr") == ["from-lport"]
    assert complete("ovn-nbctl acl-add s from-lport 100 ip d") == ["drop"]
    assert complete("ovn-nbctl lsp-set-enabled p e") == ["enabled"]
    assert complete("ovn-nbctl list Port_") == ["Port_Group"]
    assert complete("ovn-nbctl get logical-switch s other") == ["other_config"]
    assert complete("ovn-nbctl set Logical_Switch s name=x other") == ["other_config="]
    assert complete("ovn-nbctl nosuch ") == []


def test_names_from_the_database(nbctl, sbctl, complete):
    nbctl.ok("ls-add", "sw0", "--", "ls-add", "sw1", "--", "lsp-add", "sw0", "p:1", "--", "lsp-add", "sw0", "p:2", "--", "lr-add", "r0", "--", "lrp-add", "r0",
             "rp0", "0a:00:00:00:00:01", "10.0.0.1/24", "--", "pg-add", "pg0")
    sbctl.ok("chassis-add", "hv1", "geneve", "192.0.2.1")
    assert complete("ovn-nbctl ls-del ") == ["sw0", "sw1"]
    assert complete("ovn-nbctl lsp-add sw1") == ["sw1"]
    assert complete("ovn-nbctl --if-exists lsp-del p") == ["p:1", "p:2"]
    assert complete("ovn-nbctl lsp-get-type p:") == ["1", "2"]
    assert complete("ovn-nbctl show ") == ["sw0", "sw1", "r0"] and complete("ovn-nbctl acl-list ") == ["sw0", "sw1", "pg0"]
    assert complete("ovn-nbctl lrp-del ") == ["rp0"]
    assert complete("ovn-nbctl pg-set-ports pg0 p:1 ") == ["p:1", "p:2"]
    assert complete("ovn-nbctl list Logical_Switch sw0 sw") == ["sw0", "sw1"]
    assert complete("ovn-nbctl lrp-set-gateway-chassis rp0 ") == ["hv1"]
    assert complete("ovn-nbctl ls-add ") == ["--"]                     # What is made has no name yet.
    assert complete("ovn-sbctl chassis-del ") == ["hv1"]
    assert complete(f"ovn-nbctl --db={nbctl.server.remote} ls-del ", OVN_NB_DB="unix:/nowhere") == ["sw0", "sw1"]
    assert complete(f"ovn-nbctl -t 3 --db {nbctl.server.remote} ls-del ", OVN_NB_DB="unix:/nowhere") == ["sw0", "sw1"]


def test_names_are_quoted_and_never_run(nbctl, complete, tmp_path):
    nbctl.ok("--", "--id=@s", "create", "logical_switch", f'name="$(touch {tmp_path}/a)"', "--", "create", "logical_switch", 'name="two words"')
    assert complete("ovn-nbctl ls-del ") == [rf"\$\(touch\ {tmp_path}/a\)", r"two\ words"]
    complete.lines([f"ovn-nbctl --db=$(touch${{IFS}}{tmp_path}/b) ls-del ", f"ovn-nbctl ls-del `touch${{IFS}}{tmp_path}/c", "ovn-nbctl ls-del a[$(touch c)] "])
    assert os.listdir(tmp_path) == []


def test_without_a_database(complete):
    began = time.monotonic()
    assert complete("ovn-nbctl ls-del ", OVN_NB_DB="unix:/nowhere") == ["--"]
    assert time.monotonic() - began < 5


def test_appctl(complete, server):
    tool = Tool(BUILD / "bin/ovn-nbctl", server)
    path = tool.ok("--detach", "--pidfile").strip()
    try:
        assert "ovn-nbctl" in complete("ovn-appctl -t ovn-n")
        assert complete("ovn-appctl -t ovn-nbctl vlog/li") == ["vlog/list", "vlog/list-pattern"]
        assert complete(f"ovn-appctl --target {path} ru") == ["run"]
        assert complete("ovn-appctl --ver") == ["--verbose", "--version"]
    finally:
        subprocess.run(["ovs-appctl", "-t", path, "exit"], check=True)

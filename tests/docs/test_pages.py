"""What the manual pages say is what the programs do: options, control commands, references, and that they can be rendered."""
import os
import re
import subprocess
import tempfile

import pytest
from examples import Server
from pages import BIN, ELSEWHERE, LAB, MAN, pages

PAGES = pages()
PROGRAMS = sorted(p.name for p in BIN.iterdir() if p.is_file() and os.access(p, os.X_OK))
DAEMONS = [p for p in ("ovn-controller", "ovn-northd", "ovn-nbctl", "ovn-sbctl", "ovn-trace") if p in PROGRAMS]


def test_there_are_pages():
    assert {"ovn-nb.5", "ovn-sb.5", "ovn-architecture.7"} <= set(PAGES)


def page_of(program):
    found = [p for p in PAGES.values() if p.name == program]
    assert len(found) == 1, f"{program} has no manual page (docs/man/, man/meson.build)"
    return found[0]


def options_in_help(program):
    text = subprocess.run([BIN / program, "--help"], check=True, stdout=subprocess.PIPE, text=True, timeout=20).stdout
    text = re.sub(r"--\[no-\]([a-z-]+)", r"--\1 --no-\1", text)
    return set(re.findall(r"(?<![\w-])(--[a-z][a-z-]*[a-z]|-[A-Za-z](?![a-z-]))", text))


@pytest.mark.parametrize("program", PROGRAMS)
def test_options_are_those_of_help(program):
    page, help_ = page_of(program).options(), options_in_help(program)
    assert len(help_) > 3
    assert help_ - page == set(), f"in {program} --help and not in its page"
    assert page - help_ == set(), f"in the page of {program} and not in --help"


@pytest.mark.parametrize("program", DAEMONS)
def test_control_commands_are_those_of_the_daemon(program):
    with tempfile.TemporaryDirectory(prefix="ovn-docs-") as d, Server() as server:      # ovn-trace serves when it has read a database.
        env = dict(server.env, OVN_RUNDIR=d, OVS_RUNDIR=d, OVN_LOGDIR=d)
        subprocess.run([BIN / program, "--detach", "--no-chdir", "--pidfile", "-vconsole:off"], env=env, check=True, timeout=20)
        ask = lambda *words: subprocess.run([BIN / "ovn-appctl", "-T20", "-t", program, *words], env=env, check=True,
                                            stdout=subprocess.PIPE, text=True).stdout
        try:
            listed = {line.split()[0] for line in ask("list-commands").splitlines() if line.startswith("  ")}
        finally:
            ask("exit")
    documented = page_of(program).defined("CONTROL COMMANDS")
    assert len(listed) > 10
    assert listed - documented == set(), "the daemon knows them, its page does not"
    assert documented - listed == set(), "the page has them, the daemon does not"


@pytest.mark.parametrize("program", [p for p in PROGRAMS if p in ("ovn-nbctl", "ovn-sbctl")])
def test_commands_are_all_there(program):
    table = subprocess.run([BIN / program, "--commands"], check=True, stdout=subprocess.PIPE, text=True).stdout
    names = {line.split("\t")[2] for line in table.rstrip("\n").split("\n")}
    assert len(names) > 10 and names <= set(page_of(program).bold())


@pytest.mark.parametrize("title", PAGES)
def test_references_lead_somewhere(title):
    ours = {f"{p.name}({p.section})" for p in PAGES.values()}
    broken = {name + section for name, section in PAGES[title].references()} - ours - ELSEWHERE
    assert broken == set()


@pytest.mark.parametrize("title", PAGES)
def test_includes_and_marks_are_gone(title):
    assert not re.search(r"@[A-Za-z]+@|^@(include|commands?|stages|layout|end)\b", PAGES[title].text, re.M)


@pytest.mark.parametrize("title", PAGES)
def test_groff_has_nothing_to_complain_about(title):
    done = subprocess.run(["groff", "-man", "-Tutf8", "-ww", "-rLL=100n", MAN / title], stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                          text=True, timeout=60)
    complaints = [line for line in done.stderr.splitlines() if "an-old.tmac" not in line and "can't break line" not in line]
    assert done.returncode == 0 and not complaints, "\n".join(complaints[:10])
    text = re.sub(r"\x1b\[[0-9;]*m|.\x08", "", done.stdout)
    assert "NAME" in text and "SEE ALSO" in text
    assert not re.search(r"(?<=\s)(\*[A-Za-z-]+\*|_[A-Z]+_)(?=\s)", text), "marks that scdoc did not take for marks"
    assert max(map(len, text.splitlines())) <= 140, "an example is too wide for a terminal"


def test_ovn_ctl_s_commands_are_all_there():
    text = subprocess.run([BIN / "ovn-ctl", "--help"], check=True, stdout=subprocess.PIPE, text=True).stdout
    commands = set(re.findall(r"^  ([a-z]+_[a-z_.]+) ", text.split("\n\n")[2], re.M))
    assert len(commands) > 20
    assert commands == PAGES["ovn-ctl.8"].defined("COMMANDS") - {"version", "help"}


@pytest.mark.skipif("ovn-lab.1" not in PAGES, reason="no page of the lab")
def test_the_lab_s_commands_are_all_there():
    text = subprocess.run([LAB, "--help"], check=True, stdout=subprocess.PIPE, text=True).stdout
    commands = set(re.findall(r"^  ([a-z]+) ", text, re.M))
    assert len(commands) > 10
    assert commands == PAGES["ovn-lab.1"].defined("COMMANDS")

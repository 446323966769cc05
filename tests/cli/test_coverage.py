"""Every command of ovn-nbctl --commands and ovn-sbctl --commands ended well in some test of this folder and was refused in another. Runs last (conftest.py), and only
when everything has run."""
import os

import coverage
import pytest
from conftest import BUILD

# Commands that refuse nothing that the frame has let through, whatever their arguments and the database.
REFUSE_NOTHING = {
    "ovn-nbctl": {
        "comment": "takes any words",
        "copp-list": "lists what is there of a name",
        "fwd-group-del": "what is not there need not go",
        "lb-list": "lists what is there of a name",
        "meter-del": "what is not there need not go",
        "mirror-del": "what is not there need not go",
        "set-ssl": "names files of the server's machine",
    },
    "ovn-sbctl": {
        "comment": "takes any words",
        "set-ssl": "names files of the server's machine",
    },
}
TOOLS = "ovn-nbctl", "ovn-sbctl"


@pytest.fixture(autouse=True)
def whole(request):
    if not request.config.whole_folder:
        assert not os.environ.get("OVN_CLI_WHOLE"), "make check did not run the whole folder"
        pytest.skip("only a part of the folder runs")


@pytest.mark.parametrize("tool", TOOLS)
def test_every_command_ended_well(tool):
    missing = set(coverage.table(str(BUILD / "bin" / tool))) - coverage.record_of(tool).well
    assert not missing, f"no test of the success of {sorted(missing)}"


@pytest.mark.parametrize("tool", TOOLS)
def test_every_command_was_refused(tool):
    """By itself, if it has something to refuse; else for words that it does not take."""
    r, missing = coverage.record_of(tool), set()
    for command, arguments in coverage.table(str(BUILD / "bin" / tool)).items():
        nothing = not arguments or command in REFUSE_NOTHING[tool]
        if command not in r.refused and not (nothing and (command in r.misused or arguments.endswith("..."))):
            missing.add(command)
    assert not missing, f"no test of the refusal of {sorted(missing)}"
    stale = set(REFUSE_NOTHING[tool]) & r.refused
    assert not stale, f"they do refuse: {sorted(stale)}"


@pytest.mark.parametrize("tool", TOOLS)
def test_a_hundred_commands_a_second(tool):
    if b"__asan_init" in (BUILD / "bin" / tool).read_bytes():
        pytest.skip("a sanitized build is slow")
    r = coverage.record_of(tool)
    assert r.n > 100 and r.cpu / r.n < 0.01, f"{r.n} commands took {r.cpu:.2f} s of CPU"

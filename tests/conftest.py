"""Fixtures for tests that need a whole network: a lab for each module, put back in order for each test.

A module may set TOPOLOGY (TOML); else it gets BLUE_AND_RED below. OVN_LAB_PEER=1 runs everything with
the other OVN in .peer/, which tests the tests; where the contract is ours alone a test is marked
`ours(reason)` and is skipped then.
"""
import os
import shutil
import sys
from pathlib import Path

import pytest

REPO = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(REPO / "lab"), str(REPO / "tests")]

from helpers import Wire, settle                               # noqa: E402
from ovnlab import LabError, process, programs, topology       # noqa: E402
from ovnlab.lab import Lab, labs                               # noqa: E402

PEER = os.environ.get("OVN_LAB_PEER", "0") not in ("", "0")
collect_ignore = ["ovsdb", "tls", "cli", "fuzz", "northd", "docs", "trace", "cms", "detrace"]       # these have runners of their own
FAILED_LOGS = REPO / "build/e2e-logs"

# Two switches with the same addresses over both hypervisors; b4 takes frames to unknown addresses.
BLUE_AND_RED = """
[hypervisor.hv1]
[hypervisor.hv2]
[switch.blue]
[switch.red]
[vm.b1]
switch = "blue"
on = "hv1"
ip = ["10.0.0.1/24", "fd00::1/64"]
[vm.b2]
switch = "blue"
on = "hv2"
ip = ["10.0.0.2/24", "fd00::2/64"]
[vm.b3]
switch = "blue"
on = "hv1"
ip = "10.0.0.3/24"
[vm.b4]
switch = "blue"
on = "hv2"
ip = "10.0.0.4/24"
addresses = ["unknown"]
[vm.r1]
switch = "red"
on = "hv1"
ip = "10.0.0.1/24"
[vm.r2]
switch = "red"
on = "hv2"
ip = "10.0.0.2/24"
"""


def pytest_configure(config):
    config.addinivalue_line("markers", "ours(reason): a promise of ours that the peer does not make")


def pytest_collection_modifyitems(items):
    for item in items:
        mark = item.get_closest_marker("ours")
        if PEER and mark:
            item.add_marker(pytest.mark.skip(reason=f"the peer promises less: {mark.args[0]}"))


def pytest_sessionstart(session):
    """Ends the labs of test runs that were killed, and says early what is missing."""
    if os.geteuid() != 0:
        pytest.exit("these tests build network namespaces: run them as root", 2)
    for name in labs():
        owner = name.split("-")[0]
        if owner[:1] == "t" and owner[1:].isdigit() and process.start_time(int(owner[1:])) is None:
            Lab(name).down()


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item, call):
    outcome = yield
    if outcome.get_result().failed:
        item.module.any_failed = True


def lab_name(suffix):
    return f"t{os.getpid()}-{suffix}"[:31]


def build_lab(module_name, text, **choices):
    """A lab that is up; a LabError fails the test with its own words."""
    t = topology.parse(text, module_name)
    lab = Lab(lab_name(module_name.rpartition(".")[2].removeprefix("test_")))
    lab.up(t, programs.Programs(topology=t.programs, **choices))
    return lab


def retire_lab(lab, module):
    """Ends a lab; keeps its logs when a test failed; fails on what sanitizers found."""
    process.end([p for p in map(lab.daemons.running, lab.daemons.all()) if p])
    reports = lab.sanitizer_reports()
    if getattr(module, "any_failed", False) or reports:
        kept = FAILED_LOGS / module.__name__.rpartition(".")[2]
        for path in lab.directory.rglob("*"):
            if path.suffix in (".log", ".json", ".db") or "sanitizer" in path.name:
                copy = kept / path.relative_to(lab.directory)
                copy.parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(path, copy)
        print(f"logs of the lab: {kept}")
    lab.down()
    assert not reports, "sanitizers found:\n" + "\n".join(reports.values())


@pytest.fixture(scope="module")
def lab_of_module(request):
    try:
        lab = build_lab(request.module.__name__, getattr(request.module, "TOPOLOGY", BLUE_AND_RED))
    except LabError as e:
        pytest.fail(f"the lab did not come up: {e}", pytrace=False)
    yield lab
    retire_lab(lab, request.module)


@pytest.fixture
def lab(lab_of_module):
    """The module's lab, in order: every daemon runs, every machine is where its file says, ports are up."""
    settle(lab_of_module)
    return lab_of_module


@pytest.fixture
def wire(lab):
    """wire(VM or hypervisor): a raw socket on its eth0 (a hypervisor's cable to the underlay), closed after."""
    opened = []

    def open_wire(place):
        opened.append(Wire(lab, place))
        return opened[-1]

    yield open_wire
    for w in opened:
        w.close()

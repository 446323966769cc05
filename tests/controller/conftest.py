import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parent))
sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "lab"))
from ground import Ground                                       # noqa: E402


@pytest.fixture
def ground(request):
    g = Ground()
    ok = False
    try:
        yield g
        if not getattr(request.node, "failed_", False):
            g.check()
            ok = True
    finally:
        g.end(keep=not ok)


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item, call):
    outcome = yield
    if outcome.get_result().failed:
        item.failed_ = True

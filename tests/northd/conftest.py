import pytest

from ground import Ground


@pytest.fixture(scope="module")
def ground_of_module():
    g = Ground().up()
    yield g
    complaints = g.northd.complaints()
    g.down()
    assert not complaints, "a clean life has a quiet log:\n" + "\n".join(complaints)


@pytest.fixture
def ground(ground_of_module):
    """The module's databases and northd, with an empty network. After the test, the invariant holds."""
    ground_of_module.clear()
    yield ground_of_module
    ground_of_module.sync()
    ground_of_module.verify()

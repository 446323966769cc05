"""Two northds on one pair of databases: one works, the other is ready."""
from helpers import eventually, ping, works

TOPOLOGY = """
northds = 2
[hypervisor.hv1]
[switch.s]
[vm.a]
switch = "s"
on = "hv1"
ip = "10.0.0.1/24"
[vm.b]
switch = "s"
on = "hv1"
ip = "10.0.0.2/24"
"""
BOTH = ("central/northd", "central/northd2")


def status(lab, name):
    return lab.daemons.appctl(name, "status").strip().partition(": ")[2]


def active(lab):
    """The one northd that works; None while there is no such."""
    found = [n for n in BOTH if lab.daemons.running(n) and status(lab, n) == "active"]
    assert len(found) <= 1, "two at once"
    return found[0] if found else None


def other(name):
    return BOTH[1 - BOTH.index(name)]


def test_one_is_active_and_the_other_stands_by(lab):
    one = eventually(lambda: active(lab))
    assert status(lab, other(one)) == "standby"


def test_the_standby_takes_over_when_the_active_one_dies(lab):
    one = eventually(lambda: active(lab))
    lab.kill(one)
    lab.nbctl("lsp-set-enabled", "b", "disabled")
    try:
        assert eventually(lambda: active(lab)) == other(one)
        assert lab.sync(15)
        assert ping(lab, "a", "10.0.0.2", 2, wait=0.3) == 0, "the change was carried out"
        lab.start(one)
        assert eventually(lambda: status(lab, one) == "standby")
    finally:
        lab.nbctl("lsp-set-enabled", "b", "enabled")
    assert lab.sync(15) and works(lab, "a", "10.0.0.2")


def test_a_paused_northd_hands_over(lab):
    one = eventually(lambda: active(lab))
    lab.daemons.appctl(one, "pause")
    try:
        assert status(lab, one) == "paused"
        assert lab.daemons.appctl(one, "is-paused").strip() == "true"
        assert eventually(lambda: active(lab)) == other(one)
        assert lab.sync(15)
    finally:
        lab.daemons.appctl(one, "resume")
    assert eventually(lambda: status(lab, one) in ("standby", "active"))


def test_a_stopped_pair_loses_nothing(lab):
    for n in BOTH:
        lab.kill(n)
    lab.nbctl("lsp-del", "b", "--", "lsp-add", "s", "c")
    for n in BOTH:
        lab.start(n)
    try:
        assert lab.sync(15)
        assert {r["logical_port"] for r in lab.sb.select("Port_Binding")} == {"a", "c"}
    finally:
        lab.nbctl("lsp-del", "c", "--", "lsp-add", "s", "b")
        lab.nbctl("lsp-set-addresses", "b", f"{lab.topology.vms['b'].mac} 10.0.0.2")
    assert lab.wait_port_up("b", 10) and lab.sync(15) and works(lab, "a", "10.0.0.2")

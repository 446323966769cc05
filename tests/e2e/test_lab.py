"""The lab itself: it cleans up after anything, runs beside others, and touches nothing of the host's."""
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from conftest import PEER, REPO, lab_name
from helpers import eventually, ping, works
from ovnlab import LabError, netns, process, topology
from ovnlab.lab import Lab
from ovnlab.programs import Programs

SMALL = """
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


def host_state():
    """The host's own links, addresses and routes."""
    show = lambda *words: process.run(["ip", "-j", *words])
    strip = lambda text: [{k: v for k, v in d.items() if "lft" not in k and "life" not in k} for d in json.loads(text or "[]")]
    return [[(d["ifname"], d.get("address")) for d in json.loads(show("link"))],
            [[a.get("local") for a in d["addr_info"]] for d in json.loads(show("addr"))], strip(show("route"))]


def remains(lab):
    """What of a lab can still be found."""
    return netns.names(lab.prefix) + ([str(lab.directory)] if lab.directory.exists() else [])


@pytest.fixture
def small():
    """A function that brings up a small lab; all of them go afterwards."""
    made = []

    def up(suffix="small", text=SMALL, use=None):
        lab = Lab(lab_name(suffix))
        made.append(lab)
        lab.up(topology.parse(text), Programs(use))
        return lab

    yield up
    for lab in made:
        lab.down()


def processes_of(lab):
    return list(filter(None, map(lab.daemons.running, lab.daemons.all()))) + netns.processes(netns.names(lab.prefix))


def test_two_labs_side_by_side_and_the_host_untouched(small):
    before = host_state()
    one, two = small("one"), small("two")
    assert host_state() == before
    assert works(one, "a", "10.0.0.2") and works(two, "a", "10.0.0.2")
    one.down()
    assert remains(one) == [] and ping(two, "a", "10.0.0.2") == 3, "the other lab goes on"
    two.down()
    assert remains(two) == [] and host_state() == before


@pytest.mark.parametrize("damage", ["daemons killed", "state lost", "state garbage", "half of it gone"])
def test_down_cleans_up_after_any_crash(small, damage):
    lab = small()
    sleeper = subprocess.Popen(netns.inside(lab.namespace("a"), ["sleep", "300"]))
    eventually(lambda: sleeper.pid in dict(netns.processes([lab.namespace("a")])), what="it is inside")
    processes = processes_of(lab)
    if damage == "daemons killed":
        for name in lab.daemons.all():
            lab.kill(name)
    elif damage == "state lost":
        (lab.directory / "state.json").unlink()
    elif damage == "state garbage":
        (lab.directory / "state.json").write_text('{"daemons": [1, 2')
    else:
        netns.delete([lab.namespace("net"), lab.namespace("b")])
    assert Lab(lab.name).down()
    sleeper.wait(5)
    assert remains(lab) == [] and not [p for p in processes if process.is_alive(*p)]
    assert not Lab(lab.name).down(), "nothing is left to clean"


def test_up_goes_over_a_crashed_lab_but_not_over_a_living_one(small):
    lab = small()
    with pytest.raises(LabError, match="is up already"):
        small()
    for name in lab.daemons.all():
        lab.kill(name)
    again = small()
    assert works(again, "a", "10.0.0.2")


def test_up_that_fails_leaves_nothing_and_says_why(small):
    with pytest.raises(LabError, match="hv1/controller did not start"):
        small("broken", use={"controller": "/bin/false"})
    assert remains(Lab(lab_name("broken"))) == []
    with pytest.raises(LabError, match="no such file"):
        small("missing", use={"northd": "/nonexistent"})
    with pytest.raises(LabError, match="port of a did not come up on hv1"):
        lab = Lab(lab_name("slow"))
        lab.up(topology.parse(SMALL.replace('on = "hv1"\nip = "10.0.0.1/24"',
                                            'on = "hv1"\noptions = { requested-chassis = "elsewhere" }')),
               Programs(), timeout=3)
    assert remains(Lab(lab_name("slow"))) == []


def test_a_pid_given_to_somebody_else_is_left_alone(small):
    lab = small()
    bystander = subprocess.Popen(["sleep", "300"])
    try:
        begun = process.start_time(bystander.pid)
        lab.record(lambda s: s["daemons"].update({"hv1/imagined": [bystander.pid, begun - 1]}))
        lab.down()
        assert bystander.poll() is None
    finally:
        bystander.kill()
        bystander.wait()


def test_plug_move_and_unplug_refuse_what_makes_no_sense(small):
    lab = small()
    for wrong, said in ((lambda: lab.plug("a", "hv1"), "already"), (lambda: lab.move("a", "hv1"), "already"),
                        (lambda: lab.plug("x"), "no such virtual machine"), (lambda: lab.move("a", "hv9"), "no such hypervisor"),
                        (lambda: lab.start("hv1/controller"), "running already"), (lambda: lab.kill("nothing"), "no such daemon")):
        with pytest.raises(LabError, match=said):
            wrong()
    lab.unplug("a")
    with pytest.raises(LabError, match="not plugged in"):
        lab.unplug("a")
    with pytest.raises(LabError, match="not plugged in"):
        lab.move("a", "hv1")


def command(*words):
    p = subprocess.run([sys.executable, str(REPO / "lab/ovn-lab"), *words], capture_output=True, text=True, timeout=60)
    return p.returncode, p.stdout, p.stderr


def test_the_command(tmp_path):
    name, file = lab_name("command"), tmp_path / "t.toml"
    file.write_text(SMALL)
    lab = Lab(name)
    try:
        assert command("--name", name, "show")[0] == 1
        code, out, err = command("--name", name, "up", str(file))
        assert code == 0 and err == "" and "up in" in out
        facts = json.loads(command("--name", name, "show", "--json")[1])
        assert facts["vms"]["a"]["up"] and all(facts["daemons"].values())
        assert name in command("list")[1]
        assert command("--name", name, "exec", "a", "ping", "-c1", "10.0.0.2")[0] == 0
        assert command("exec", "--name", name, "a", "sh", "-c", "exit 7")[0] == 7, "the command's own exit code"
        assert command("--name", name, "nbctl", "--bare", "--columns=name", "list", "Logical_Switch")[1].strip() == "s"
        assert "vm-a" in command("--name", name, "ovs", "hv1", "vsctl", "list-ports", "br-int")[1]
        assert "list-commands" in command("--name", name, "appctl", "northd", "list-commands")[1]
        assert "did not" not in command("--name", name, "restart", "hv1/controller")[2]
        assert "INFO" in command("--name", name, "log", "hv1/vswitchd", "-n3")[1]
        code, out, err = command("--name", name, "plug", "nobody")
        assert (code, out) == (1, "") and "no such virtual machine" in err and "Traceback" not in err
        assert command("--name", name, "down")[0] == 0
    finally:
        lab.down()
    assert remains(lab) == []


@pytest.mark.parametrize("words", [[c, "--help"] for c in ("up", "down", "exec", "plug", "move", "ovs", "capture")] + [["--help"]])
def test_help(words):
    code, out, err = command(*words)
    assert code == 0 and "usage" in out and err == ""


@pytest.mark.parametrize("text, said", [
    ("[hypervisor.hv1", "topology"), ("[vm.a]\nswitch = 'x'", "switch `x`"), ("colour = 1", "unknown key `colour`"),
    ("[hypervisor.a-very-long-name]", "12 letters"), ("[hypervisor.h]\nencap_ip = '9.9.9.9'", "not a free address"),
    ("[hypervisor.h]\nencap = 'gre'", "geneve, vxlan"), ("[switch.s]\n[vm.a]\nswitch='s'\nmac='zz'", "hexadecimal"),
    ("[switch.s]\n[vm.a]\nswitch='s'\nip='1.2.3'", "ip:"), ("[switch.s]\n[vm.a]\nswitch='s'\non='h'", "hypervisor `h`"),
    ("[switch.s]\n[vm.a]\nswitch='s'\nenabled=1", "not a bool"), ("[hypervisor.a]\nencap_ip='172.31.0.5'\n"
     "[hypervisor.b]\nencap_ip='172.31.0.5'", "not a free address"), ("northds = 99", "0 to 9"),
    ("[hypervisor.mgmt]", "taken"), ("[hypervisor.a]\n[switch.s]\n[vm.a]\nswitch='s'", "taken")])
def test_a_topology_that_is_wrong_is_refused_with_a_reason(text, said):
    with pytest.raises(LabError) as e:
        topology.parse(text)
    assert said in str(e.value)


def test_the_demo_runs_and_leaves_nothing():
    env = dict(os.environ, OVN_LAB_PEER="1" if PEER else "0", OVN_LAB_DIR=f"/run/ovn-lab/{lab_name('demo')}")
    p = subprocess.run([sys.executable, str(REPO / "lab/demo")], capture_output=True, text=True, timeout=120, env=env)
    assert p.returncode == 0, p.stdout + p.stderr
    assert "nothing is left running" in p.stdout and "\033" not in p.stdout, "no colours into a file"
    assert os.listdir(env["OVN_LAB_DIR"]) == []
    os.rmdir(env["OVN_LAB_DIR"])


@pytest.mark.parametrize("tool", ["demo", "ovn-lab"])
def test_a_tool_that_is_ended_midway_leaves_nothing(tool):
    base = Path("/run/ovn-lab") / lab_name("ended")
    env = dict(os.environ, OVN_LAB_PEER="1" if PEER else "0", OVN_LAB_DIR=str(base))
    p = subprocess.Popen([sys.executable, str(REPO / "lab" / tool), *(["up"] if tool == "ovn-lab" else [])], env=env,
                         stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    eventually(lambda: list(base.glob("*/state.json")), 20)
    p.terminate()
    assert "interrupted" in p.communicate(timeout=30)[1] and p.returncode
    assert os.listdir(base) == []
    os.rmdir(base)

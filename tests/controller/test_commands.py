"""ovn-controller's control commands and command line, as ovn-controller(8) has them: what they answer, and what they refuse."""
import os
import re
import signal
import socket
import subprocess

import pytest
from ground import BUILD, CONTROLLER, eventually, omap
from test_binding import owner, registered


def ask(h, *words):
    r = subprocess.run([BUILD / "bin/ovn-appctl", "-T", "10", "-t", f"{h.dir}/ovn-controller.{h.pids['controller'][0]}.ctl", *words],
                       stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    return r.returncode, r.stdout, r.stderr.splitlines()[0] if r.stderr else ""


def test_all_commands_are_there(ground):
    h = ground.host()
    registered(ground)
    listed = {line.split()[0] for line in h.appctl("list-commands").splitlines()[1:]}
    assert listed >= set("""connection-status coverage/read-counter coverage/show ct-zone-list debug/delay-nb-cfg-report debug/dump-lflow-conj-ids
        debug/dump-local-bindings debug/dump-local-datapaths debug/dump-local-template-vars debug/dump-mac-bindings debug/dump-peer-ports
        debug/dump-related-ports debug/enable-timewarp debug/pause debug/resume debug/status evpn/remote-vtep-list evpn/vtep-arp-list evpn/vtep-binding-list
        evpn/vtep-fdb-list evpn/vtep-multicast-group-list exit flush-lflow-cache group-table-list inc-engine/clear-stats
        inc-engine/compute-log-timeout inc-engine/disable-stopwatch inc-engine/enable-stopwatch inc-engine/list-stopwatches
        inc-engine/recompute inc-engine/show-stats inject-pkt lflow-cache/flush lflow-cache/show-stats list-commands memory/show meter-table-list
        recompute sb-cluster-state-reset set-options stopwatch/reset stopwatch/show version vlog/close vlog/disable-rate-limit
        vlog/enable-rate-limit vlog/list vlog/list-pattern vlog/reopen vlog/set""".split())
    # What ours has no such thing for is answered as if it were empty.
    for command in ("flush-lflow-cache", "lflow-cache/flush", "group-table-list", "meter-table-list", "recompute", "inc-engine/recompute",
                    "evpn/remote-vtep-list", "evpn/vtep-arp-list", "evpn/vtep-binding-list", "evpn/vtep-fdb-list",
                    "evpn/vtep-multicast-group-list", "sb-cluster-state-reset", "debug/dump-mac-bindings", "debug/dump-peer-ports"):
        assert ask(h, command) == (0, "", ""), command
        assert ask(h, command, "x")[0] == 2, f"{command} takes no argument"
    assert ask(h, "lflow-cache/show-stats")[1].startswith("Enabled: false\n")
    assert ask(h, "debug/dump-local-template-vars")[1] == "Local template vars:\n"
    assert ask(h, "debug/dump-lflow-conj-ids")[1] == "Conjunction IDs allocations:\n---\nTotal 0 IDs used.\n"
    assert ask(h, "debug/delay-nb-cfg-report", "5") == (0, "delay nb_cfg report for 5 seconds.\n", "")
    assert ask(h, "debug/delay-nb-cfg-report", "0") == (0, "no delay for nb_cfg report.\n", "")
    assert ask(h, "debug/delay-nb-cfg-report", "-1") == (2, "", "unsigned integer required")
    assert ask(h, "debug/delay-nb-cfg-report", "soon") == (2, "", "unsigned integer required")
    assert ask(h, "exit", "now")[0] == 2 and h.running()
    assert h.complaints() == []


def test_what_there_is(ground):
    db, dp, far = ground.central.db, ground.central.datapath("blue"), ground.central.datapath("far")
    ground.central.port(dp, "vm1"), ground.central.port(dp, "elsewhere"), ground.central.port(far, "far1")
    ground.central.port(dp, "to-far", type="patch", options=omap({"peer": "to-blue"}))
    for datapath, name, ip in ((dp, "vm1", "10.0.0.9"), (far, "far1", "10.0.0.8")):
        db.transact({"op": "insert", "table": "MAC_Binding", "row": {"logical_port": name, "ip": ip, "mac": "0a:00:00:00:00:09",
                                                                     "datapath": ["uuid", datapath]}})
    uuid = db.transact({"op": "insert", "table": "Logical_Flow", "row": {
        "logical_datapath": ["uuid", dp], "pipeline": "ingress", "table_id": 3, "priority": 1, "actions": "next;",
        "match": "ip4.src == {10.0.0.1, 10.0.0.2, 10.0.0.4} && ip4.dst == {10.0.1.1, 10.0.1.2, 10.0.1.4} && tcp.dst == {1, 2, 4}"}})[0]["uuid"][1]
    h = ground.host()
    registered(ground)
    h.plug("vif1", "vm1")
    owner(ground, "vm1", "hv1")
    key = lambda table, **where: ground.central.one(table, **where)["tunnel_key"]
    d = ground.central.one("Datapath_Binding", _uuid=["uuid", dp])["tunnel_key"]
    eventually(lambda: f"ip: 10.0.0.9, mac: 0a:00:00:00:00:09" in ask(h, "debug/dump-mac-bindings")[1])
    db.transact(*({"op": "insert", "table": "Chassis_Template_Var", "row": {"chassis": c, "variables": omap(v)}}
                for c, v in (("hv1", {"b": "2", "a": "1"}), ("hv2", {"c": "3"}))))
    eventually(lambda: ask(h, "debug/dump-local-template-vars")[1] == "Local template vars:\nname: 'a' value: '1'\nname: 'b' value: '2'\n")
    assert ask(h, "debug/dump-mac-bindings")[1] == f"datapath: {d}, logical port: vm1, ip: 10.0.0.9, mac: 0a:00:00:00:00:09\n"
    assert ask(h, "debug/dump-peer-ports")[1] == f"to-far: peer to-blue, datapath {d}\n"
    assert ask(h, "debug/dump-related-ports")[1] == \
        f"to-far: datapath {d}, port {key('Port_Binding', logical_port='to-far')}\nvm1: datapath {d}, port {key('Port_Binding', logical_port='vm1')}\n"

    text = eventually(lambda: (t := ask(h, "debug/dump-lflow-conj-ids")[1]) and uuid in t and t)
    ids = re.findall(rf"^lflow: {uuid}, Conjunction: (\d+)$", text, re.M)
    assert ids and text.endswith(f"---\nTotal {len(ids)} IDs used.\n")
    flows = h.ovs("ofctl", "-O", "OpenFlow15", "--no-stats", "dump-flows", f"{h.dir}/br-int.mgmt", "table=11")
    assert set(ids) == set(re.findall(r"conj_id=(\d+)", flows)), "they are those in the switch"
    h.appctl("recompute")
    assert ask(h, "debug/dump-lflow-conj-ids")[1] == text, "and stay"


def run(*options, env=None):
    return subprocess.run([CONTROLLER, *options], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, timeout=20,
                          stdin=subprocess.DEVNULL, env=env)


@pytest.mark.parametrize("options, said", [
    (["--nonsense"], "unrecognized option '--nonsense'"),
    (["a", "b"], "at most one argument"),
    (["-n"], "option requires an argument -- 'n'"),
    (["nonsense", "--unixctl=none", "-vconsole:off"], "ovn-controller: nonsense: expected unix:"),
    (["--syslog-method=nonsense"], '"nonsense"'),
    (["--log-file=/nonexistent/x"], "failed to open /nonexistent/x for logging: No such file or directory"),
    (["--pidfile=/nonexistent/x", "-vconsole:off"], "/nonexistent/x: create failed (No such file or directory)"),
    (["--dump-inc-proc-graph=nobody"], 'there is no class "nobody"'),
])
def test_refuses_to_start(options, said, tmp_path):
    r = run(*options, env={**os.environ, "OVN_RUNDIR": str(tmp_path), "OVS_RUNDIR": str(tmp_path)})
    assert r.returncode == 1 and not r.stdout and said in r.stderr and len(r.stderr.splitlines()) == 1, r


def test_the_graph_as_text(tmp_path):
    r = run("--dump-inc-proc-graph", env={**os.environ, "OVN_RUNDIR": str(tmp_path), "OVS_RUNDIR": str(tmp_path)})
    assert r.returncode == 0 and not r.stderr and r.stdout.startswith("digraph ") and '"table Logical_Flow" -> "lflow";' in r.stdout
    assert not list(tmp_path.iterdir()), "it starts nothing"


def test_chassis_is_another_name_of_n(ground):
    h = ground.host(controller=False)
    h.start_controller("--chassis=me")
    registered(ground, "me")


def control(h):
    s = socket.socket(socket.AF_UNIX)
    s.connect(f"{h.dir}/ovn-controller.{h.pids['controller'][0]}.ctl")
    return s


def test_clients_that_misbehave(ground):
    """Half a request, none, garbage, a huge one, one that is gone before the answer: nobody else notices."""
    h = ground.host()
    registered(ground)
    half, silent, gone, garbage, huge = (control(h) for _ in range(5))
    half.send(b'{"id":1,"method":"ver')
    gone.send(b'{"id":1,"method":"coverage/show","params":[]}')
    gone.close()
    garbage.send(b"}{ \x00\xff this is no JSON")
    sent = 0
    try:
        while sent < 100 << 20:
            sent += huge.send(b'{"id":1,"method":"' + b"x" * 65536 if not sent else b"x" * 65536)
    except (BrokenPipeError, ConnectionResetError):
        pass
    assert sent < 4 << 20, "a request is bounded"
    garbage.settimeout(10)
    assert garbage.recv(100) == b"", "garbage ends its connection"
    many = [subprocess.Popen([BUILD / "bin/ovn-appctl", "-T", "30", "-t", f"{h.dir}/ovn-controller.{h.pids['controller'][0]}.ctl", "debug/status"],
                             stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) for _ in range(100)]
    assert [p.communicate()[0] for p in many] == ["running\n"] * 100
    half.send(b'sion","params":[]}')
    half.settimeout(10)
    assert b"ovn-controller" in half.recv(1000), "who was slow is answered"
    silent.close(), half.close(), huge.close()
    rss = int(re.search(r"VmHWM:\s+(\d+)", open(f"/proc/{h.pids['controller'][0]}/status").read())[1])
    assert rss < 100 << 10 or b"__asan_init" in open(f"/proc/{h.pids['controller'][0]}/exe", "rb").read()


def test_signals(ground):
    h = ground.host()
    registered(ground)
    pid = h.pids["controller"][0]
    log = h.dir / "ovn-controller.log"
    log.rename(h.dir / "old.log")
    os.kill(pid, signal.SIGHUP)
    eventually(log.exists, what="SIGHUP opens the log again")
    os.kill(pid, signal.SIGPIPE)
    assert h.appctl("debug/status") == "running\n"
    h.kill("controller", signal.SIGINT)
    assert ground.central.one("Chassis", name="hv1") and not (h.dir / f"ovn-controller.{pid}.ctl").exists()
    assert not (h.dir / "ovn-controller.pid").exists()
    assert [l for l in log.read_text().splitlines() if l.split("|")[3] in ("WARN", "ERR")] == []

"""ovn-controller on one simulated hypervisor of a switching network.

The switch is a real ovs-vswitchd with a dummy datapath, the local database real as well; northd of the same OVN fills
the southbound database. The first port of each of the first LOCAL switches is plugged in here; all others are bound
to CHASSIS other hypervisors that exist only as rows.
"""
import time

from .measure import changes
from .rpc import equals, insert, map_, mutate, named, set_, update
from .switching import Switching, address, port_name

LOCAL, CHASSIS, SYSTEM_ID = 20, 50, "hv0"


def _add_chassis(stack):
    """Hypervisors that are rows only; without Chassis_Private, so that hv_cfg does not wait for them."""
    for i in range(CHASSIS):
        stack.sb.transact(
            insert("Encap", {"type": "geneve", "ip": f"192.0.2.{i + 1}", "chassis_name": f"remote{i}",
                             "options": map_({"csum": "true"})}, "e"),
            insert("Chassis", {"name": f"remote{i}", "hostname": f"remote{i}", "encaps": named("e")}))
    return [r["_uuid"] for r in stack.sb.select("Chassis", ["_uuid", "name"])]


def _bind_remote(stack, chassis):
    """Binds all ports that are not ours, in one transaction each 1,000."""
    local = {port_name(s, 0) for s in range(LOCAL)}
    rows = [r["_uuid"] for r in stack.sb.select("Port_Binding", ["_uuid", "logical_port"]) if r["logical_port"] not in local]
    for at in range(0, len(rows), 1000):
        stack.sb.transact(*(update("Port_Binding", equals("_uuid", row), {"chassis": chassis[(at + i) % len(chassis)], "up": True})
                            for i, row in enumerate(rows[at:at + 1000])))


def _plug(stack, interface, port):
    """Adds an interface to br-int, the way libvirt or a CNI plugin do."""
    stack.ovs.transact(
        insert("Interface", {"name": interface, "type": "dummy", "external_ids": map_({"iface-id": port})}, "i"),
        insert("Port", {"name": interface, "interfaces": named("i")}, "p"),
        mutate("Bridge", equals("name", "br-int"), ["ports", "insert", named("p")]),
        mutate("Open_vSwitch", None, ["next_cfg", "+=", 1]))


def _start_hypervisor(stack, local):
    _, stack.ovs = stack.database("ovs", "/usr/share/openvswitch/vswitch.ovsschema", "Open_vSwitch")
    stack.ovs.transact(
        insert("Interface", {"name": "br-int", "type": "internal"}, "i"),
        insert("Port", {"name": "br-int", "interfaces": named("i")}, "p"),
        insert("Bridge", {"name": "br-int", "datapath_type": "dummy", "fail_mode": "secure", "ports": set_([named("p")])}, "b"),
        insert("Open_vSwitch", {"bridges": set_([named("b")]), "next_cfg": 1, "external_ids": map_({
            "system-id": SYSTEM_ID, "ovn-remote": "unix:" + stack.path("sb.sock"), "ovn-encap-type": "geneve",
            "ovn-encap-ip": "127.0.0.1"})}))
    vswitchd = stack.vswitchd()
    for s in range(local):
        _plug(stack, f"v{s}", port_name(s, 0))
    cfg = stack.ovs.select("Open_vSwitch", ["next_cfg"])[0]["next_cfg"]
    stack.wait(stack.ovs, "Open_vSwitch", {"cur_cfg": cfg}, timeout=60)
    return vswitchd


def _flow_count(stack):
    text = stack.run("ovs-ofctl", "-O", "OpenFlow15", "dump-aggregate", "unix:" + stack.path("br-int.mgmt"))
    return int(text.split("flow_count=")[1].split()[0])


def _wait_up(stack, port, timeout=60):
    stack.wait(stack.nb, "Logical_Switch_Port", {"up": True}, [equals("name", port)], timeout)


class Hypervisor:
    """The central, filled, and a hypervisor whose controller is about to start."""

    def __init__(self, stack, switches, ports):
        self.stack, self.local = stack, min(LOCAL, switches)
        self.network = Switching(stack, switches, ports)

    def prepare(self):
        self.stack.central()
        self.network.load()
        self.northd = self.stack.northd()
        self.stack.wait(self.stack.nb, "NB_Global", {"sb_cfg": 1})
        self.chassis = _add_chassis(self.stack)
        _bind_remote(self.stack, self.chassis)
        self.northd.settle()
        self.vswitchd = _start_hypervisor(self.stack, self.local)

    def wait_installed(self):
        """Until every port that is here is up, and what was asked for after that is installed."""
        for s in range(self.local):
            _wait_up(self.stack, port_name(s, 0), 120)
        self.stack.sync(column="hv_cfg")


def measure(stack, switches, ports, plan):
    """Returns {measure: value}, as northd.measure() does."""
    hv = Hypervisor(stack, switches, ports)
    hv.prepare()
    network, local = hv.network, hv.local
    before, start = hv.vswitchd.settle(), time.monotonic()
    controller = stack.controller()
    hv.wait_installed()
    out = {"local": local, "cold_wall": time.monotonic() - start, "cold_cpu": controller.settle()}
    out["vswitchd_cpu"] = hv.vswitchd.settle() - before
    out["peak_mb"], out["rss_mb"] = controller.memory_mb(), controller.memory_mb("VmRSS")
    out["of_flows"] = _flow_count(stack)

    def measured(name, one, plan=plan):
        (cpu,), latency, n = changes(plan, [controller], one)
        out[name + "_cpu_ms"], out[name + "_ms"], out[name + "_n"] = cpu, latency, n

    def installed(change):
        return lambda i: stack.sync(*change(i), column="hv_cfg")

    def bound_elsewhere(i):
        """A port appears, and another hypervisor binds it."""
        stack.sync(*network.port_add_to(i % local)(i))
        stack.sb.transact(update("Port_Binding", equals("logical_port", network.new[-1][0]),
                                 {"chassis": hv.chassis[i % len(hv.chassis)], "up": True}))
        stack.sync(column="hv_cfg")

    def plug(i):
        """A port of a switch that is here is plugged in: milliseconds until the CMS sees it up.
        It waits by UUID, as the server would look through all ports for a name, and slow down what is measured."""
        uuid = stack.nb.select("Logical_Switch_Port", ["_uuid"], [equals("name", f"plug{i}")])[0]["_uuid"]
        t = time.monotonic()
        _plug(stack, f"n{i}", f"plug{i}")
        stack.wait(stack.nb, "Logical_Switch_Port", {"up": True}, [equals("_uuid", uuid)], 60)
        return (time.monotonic() - t) * 1000

    measured("nothing", installed(network.nothing))
    measured("port_add", installed(lambda i: network.port_add_to(i % local)(i)))
    measured("port_bound", bound_elsewhere)
    measured("port_del", installed(network.port_del), plan.up_to(len(network.new)))
    if switches > local:
        measured("port_add_far", installed(lambda i: network.port_add_to(local + i % (switches - local))(i)))
    for i in range(plan.most):
        stack.nb.transact(insert("Logical_Switch_Port", {"name": f"plug{i}", "addresses": address(2, i % local, i)}, "new"),
                          mutate("Logical_Switch", equals("name", f"sw{i % local}"), ["ports", "insert", named("new")]))
    stack.sync(column="hv_cfg")
    measured("plug", plug)
    return out

"""The lab: a central, hypervisors, an underlay, virtual machines; up, down and everything between.

    ovnlab.LAB.net       two bridges (namespaces cannot be cabled in a star without): `underlay` joins the
                         hypervisors and carries nothing but tunnels; `mgmt` joins them with the central
                         and carries the databases' traffic
    ovnlab.LAB.central   ovsdb-server for Northbound and Southbound, ovn-northd; mgmt0 172.30.0.1
    ovnlab.LAB.hv.NAME   ovsdb-server, ovs-vswitchd, ovn-controller; mgmt0 172.30.0.N; br-phys holds the
                         underlay cable (under0) and the tunnel address: the userspace switch routes
                         its tunnels only over a bridge of its own
    ovnlab.LAB.vm.NAME   a virtual machine: eth0, whose other end is a port of br-int

All that is known stands in LAB/state.json under the run directory (/run/ovn-lab, or OVN_LAB_DIR), written
before it is needed, so that `down` cleans up after any crash: it ends the recorded processes and all
that run in the lab's namespaces, deletes the namespaces by prefix, and then the directory.
"""
import concurrent.futures
import contextlib
import fcntl
import hashlib
import json
import os
import re
import shutil
import signal
import threading
import time
from pathlib import Path

from . import LabError, netns, pki, process
from .daemons import CENTRAL, Daemons, environment
from .ovsdb import Database
from .programs import Programs
from .topology import MANAGEMENT, UNDERLAY, Topology

DEFAULT_DIRECTORY = "/run/ovn-lab"
CENTRAL_ADDRESS = str(MANAGEMENT[1])
_OVS_NAME = "Open_vSwitch"


def base_directory():
    return Path(os.environ.get("OVN_LAB_DIR") or DEFAULT_DIRECTORY).absolute()


def labs():
    """The names of the labs that have a directory."""
    try:
        return sorted(p.name for p in base_directory().iterdir() if (p / "state.json").exists())
    except OSError:
        return []


class Lab:
    """One lab by name; it need not be up. Methods that change it take its lock."""

    def __init__(self, name="lab"):
        if not re.match(r"[A-Za-z0-9][A-Za-z0-9_-]{0,30}\Z", name):
            raise LabError(f"{name}: a lab's name is at most 31 letters, digits, '-' and '_'")
        base = base_directory()
        self.name, self.directory = name, base / name
        apart = "" if str(base) == DEFAULT_DIRECTORY else "@" + hashlib.sha1(str(base).encode()).hexdigest()[:6]
        self.prefix = f"ovnlab.{name}{apart}."
        self.daemons = Daemons(self)
        self.state = self.topology = None
        self._mutex, self._depth, self._lock_file = threading.RLock(), 0, None

    # State on disk.

    def load(self):
        """Reads the state; LabError when the lab is not up. Returns self."""
        try:
            self.state = json.loads((self.directory / "state.json").read_text())
            self.topology = Topology.from_dict(self.state["topology"])
        except FileNotFoundError:
            others = labs()
            raise LabError(f"lab `{self.name}` is not up. " + (
                f"There are: {', '.join(others)} (--name)" if others else "`ovn-lab up` starts one.")) from None
        except (ValueError, KeyError, TypeError) as e:
            raise LabError(f"{self.directory}/state.json is damaged ({e}); `ovn-lab down` cleans up") from None
        return self

    def record(self, change):
        """Applies CHANGE to the state and writes it, all or nothing."""
        with self._mutex:
            change(self.state)
            new = self.directory / "state.json.new"
            new.write_text(json.dumps(self.state, indent=1))
            new.rename(self.directory / "state.json")

    @contextlib.contextmanager
    def locked(self):
        """One change at a time, among processes too. The lock's file goes with the lab."""
        path = self.directory.parent / f".{self.name}.lock"
        if self._depth == 0:
            path.parent.mkdir(parents=True, exist_ok=True)
            while True:
                self._lock_file = open(path, "w")
                fcntl.flock(self._lock_file, fcntl.LOCK_EX)
                with contextlib.suppress(FileNotFoundError):
                    if os.path.samestat(os.fstat(self._lock_file.fileno()), os.stat(path)):
                        break
                self._lock_file.close()             # its lab went down while we waited: take the new one
        self._depth += 1
        try:
            yield
        finally:
            self._depth -= 1
            if self._depth == 0:
                if not self.directory.exists():
                    path.unlink(missing_ok=True)
                self._lock_file.close()

    # Names and addresses.

    def namespace(self, place):
        """The namespace of `central`, `net`, a hypervisor or a virtual machine."""
        if place in (CENTRAL, "net"):
            return self.prefix + place
        if place in self.topology.hypervisors:
            return f"{self.prefix}hv.{place}"
        if place in self.topology.vms:
            return f"{self.prefix}vm.{place}"
        raise LabError(f"{place}: no such machine. There are: " +
                       ", ".join([*self.topology.vms, *self.topology.hypervisors, CENTRAL]))

    def vm(self, name):
        try:
            return self.topology.vms[name]
        except KeyError:
            raise LabError(f"{name}: no such virtual machine. There are: "
                           f"{', '.join(self.topology.vms) or 'none'}") from None

    def hypervisor(self, name):
        try:
            return self.topology.hypervisors[name]
        except KeyError:
            raise LabError(f"{name}: no such hypervisor. There are: "
                           f"{', '.join(self.topology.hypervisors)}") from None

    def where(self, vm):
        """The hypervisor that a virtual machine is plugged into, or None."""
        return self.state["plugged"].get(self.vm(vm).name)

    @property
    def nb(self):
        return Database(self.directory / CENTRAL / "ovnnb_db.sock", "OVN_Northbound")

    @property
    def sb(self):
        return Database(self.directory / CENTRAL / "ovnsb_db.sock", "OVN_Southbound")

    def local(self, hv):
        """A hypervisor's own database."""
        return Database(self.directory / self.hypervisor(hv).name / "db.sock", _OVS_NAME)

    # Tools.

    def tool(self, program, *words, check=True, timeout=30):
        """Runs ovn-nbctl or ovn-sbctl on the central's databases."""
        return process.run(self.tool_argv(program, words), env=self.tool_environment(), timeout=timeout, check=check)

    def tool_argv(self, program, words):
        return [self.state["programs"][program], *words]

    def tool_environment(self):
        d = self.directory / CENTRAL
        return environment(d) | {"OVN_NB_DB": f"unix:{d}/ovnnb_db.sock", "OVN_SB_DB": f"unix:{d}/ovnsb_db.sock"}

    def nbctl(self, *words, **options):
        return self.tool("nbctl", *words, **options)

    def sbctl(self, *words, **options):
        return self.tool("sbctl", *words, **options)

    def ovs_argv(self, hv, tool, words):
        """ovs-vsctl, ovs-ofctl, ... inside a hypervisor (environment: place_environment)."""
        return netns.inside(self.namespace(self.hypervisor(hv).name), [f"ovs-{tool}", *words])

    def place_environment(self, place):
        if place in self.topology.hypervisors or place == CENTRAL:
            return environment(self.directory / place)
        return dict(os.environ)

    def ovs(self, hv, tool, *words, check=True, timeout=30):
        return process.run(self.ovs_argv(hv, tool, words), env=self.place_environment(hv), timeout=timeout,
                           check=check)

    def exec_argv(self, place, words):
        return ["ip", "netns", "exec", self.namespace(place), *words]

    # Up and down.

    def up(self, topology, programs=None, timeout=30, say=lambda text: None, keep_failed=False):
        """Builds the lab and waits until it works; over the remains of an earlier one. When it fails,
        nothing stays (KEEP_FAILED: for an autopsy) and a LabError says why."""
        if os.geteuid() != 0:
            raise LabError("namespaces need root: run as root")
        programs = programs or Programs(topology=topology.programs)
        chosen = {p: programs.resolve(p) for p in ("northd", "nbctl", "sbctl", "schema")}
        controllers = {n: "none" if h.controller == "none" else programs.resolve("controller", h.controller)
                       for n, h in topology.hypervisors.items()}
        with self.locked():
            if (self.directory / "state.json").exists() and self._lives():
                raise LabError(f"lab `{self.name}` is up already; `ovn-lab down` ends it, --name NAME starts another")
            self.down()
            self.topology = topology
            self.state = {"name": self.name, "owner": os.getpid(), "prefix": self.prefix, "complete": False,
                          "topology": topology.to_dict(), "programs": chosen, "controllers": controllers,
                          "daemons": {}, "plugged": {}}
            self.directory.mkdir(parents=True)
            self.record(lambda s: None)
            if topology.tls:
                pki.create(self)
            try:
                self._build(time.monotonic() + timeout, say)
            except BaseException:
                if not keep_failed:
                    self.down()
                raise
            self.record(lambda s: s.__setitem__("complete", True))

    def _lives(self):
        """Whether the lab on disk was built to its end and any of its daemons still runs."""
        try:
            self.load()
        except LabError:
            return False
        return self.state["complete"] and any(self.daemons.running(n) for n in self.daemons.all())

    def down(self):
        """Ends everything of the lab, whatever state it is in. Returns whether there was anything."""
        with self.locked():
            namespaces = netns.names(self.prefix)
            recorded = []
            try:
                recorded = [tuple(p) for p in json.loads((self.directory / "state.json").read_text())["daemons"].values()]
            except (OSError, ValueError, KeyError, TypeError, AttributeError):
                pass
            process.end(list({*recorded, *netns.processes(namespaces)}))
            netns.delete(namespaces)
            existed = bool(namespaces) or self.directory.exists()
            shutil.rmtree(self.directory, ignore_errors=True)
            return existed

    def _build(self, deadline, say):
        say("namespaces and cables")
        self._build_network()
        say("databases, switches and daemons")
        t = self.topology
        with concurrent.futures.ThreadPoolExecutor(max_workers=4) as pool:
            places = [pool.submit(self._build_central)] + [pool.submit(self._build_hypervisor, h)
                                                           for h in t.hypervisors.values()]
            for f in places:
                f.result()
            self._configure()
            for f in [pool.submit(self._start_controller, h) for h in t.hypervisors]:
                f.result()
        say("virtual machines")
        for vm in t.vms.values():
            if vm.on:
                self._plug(vm, vm.on, deadline)
        say("waiting until every port is up")
        self._wait_ready(deadline)

    def _build_network(self):
        t, lines, net = self.topology, [], self.namespace("net")
        netns.add([net, self.namespace(CENTRAL)] + [self.namespace(p) for p in [*t.hypervisors, *t.vms]])
        lines.append(netns.veth("mgmt0", self.namespace(CENTRAL), "central-m", net))
        for hv in t.hypervisors:
            lines.append(netns.veth("under0", self.namespace(hv), hv, net))
            lines.append(netns.veth("mgmt0", self.namespace(hv), f"{hv}-m", net))
        netns.batch(lines)
        hvs = list(t.hypervisors)
        netns.quiet(net, [p for hv in hvs for p in (hv, f"{hv}-m")] + ["central-m"])
        netns.batch([f"link add {b} type bridge stp_state 0 forward_delay 0 mcast_snooping 0"
                     for b in ("underlay", "mgmt")] +
                    [f"link set {b} up" for b in ("lo", "underlay", "mgmt")] +
                    [f"link set {hv} master underlay up" for hv in hvs] +
                    [f"link set {p} master mgmt up" for p in [f"{hv}-m" for hv in hvs] + ["central-m"]], net)
        netns.quiet(self.namespace(CENTRAL), ["mgmt0"])
        netns.batch([f"addr add {CENTRAL_ADDRESS}/16 dev mgmt0", "link set lo up", "link set mgmt0 up"],
                    self.namespace(CENTRAL))
        for i, h in enumerate(t.hypervisors.values()):
            ns = self.namespace(h.name)
            netns.quiet(ns, ["under0", "mgmt0"])
            netns.batch([f"addr add {MANAGEMENT[11 + i]}/16 dev mgmt0", "link set lo up", "link set mgmt0 up",
                         "link set under0 arp off up"], ns)        # br-phys answers, not the bare cable
        for vm in t.vms.values():
            netns.quiet(self.namespace(vm.name), [], any(":" in ip for ip in vm.ip))
            netns.batch(["link set lo up"], self.namespace(vm.name))

    def _build_central(self):
        for name in [n for n in self.daemons.all() if n.startswith(CENTRAL + "/")]:
            self.daemons.start(name)

    def _build_hypervisor(self, h):
        self.daemons.start(f"{h.name}/ovsdb")
        scheme = "ssl" if self.topology.tls else "tcp"
        keys = {"system-id": h.name, "hostname": h.name, "ovn-remote": f"{scheme}:{CENTRAL_ADDRESS}:6642",
                "ovn-encap-type": h.encap, "ovn-encap-ip": h.encap_ip, "ovn-bridge": "br-int",
                "ovn-bridge-datapath-type": "netdev", **h.external_ids}
        self.ovs(h.name, "vsctl", "--no-wait", "init", "--", "set", _OVS_NAME, ".",
                 "other_config:n-handler-threads=1", "other_config:n-revalidator-threads=1",
                 *(f"external_ids:{k}={json.dumps(v)}" for k, v in keys.items()))
        if self.topology.tls:
            self.ovs(h.name, "vsctl", "--no-wait", "set-ssl", *pki.files(self, h.name))
        self.daemons.start(f"{h.name}/vswitchd")
        bridge = ["--", "add-br", "br-int", "--", "set", "bridge", "br-int", "datapath_type=netdev", "fail_mode=secure"]
        self.ovs(h.name, "vsctl", "add-br", "br-phys", "--", "set", "bridge", "br-phys", "datapath_type=netdev",
                 "fail_mode=standalone", f'other_config:hwaddr="{self.underlay_mac(h.name)}"', "--", "add-port", "br-phys", "under0",
                 *(bridge if self.state["controllers"][h.name] == "none" else []))
        self.address_underlay(h.name)

    def underlay_mac(self, hv):
        """The MAC of a hypervisor's br-phys, made from its tunnel address."""
        return "02:00:%02x:%02x:%02x:%02x" % tuple(int(b) for b in self.hypervisor(hv).encap_ip.split("."))

    def address_underlay(self, hv):
        """Gives br-phys its tunnel address (again: it is a tap of ovs-vswitchd's and dies with it)."""
        netns.batch([f"addr replace {self.hypervisor(hv).encap_ip}/{UNDERLAY.prefixlen} dev br-phys",
                     "link set br-phys up"], self.namespace(hv))

    def _start_controller(self, hv):
        if self.state["controllers"][hv] != "none":
            self.daemons.start(f"{hv}/controller")

    def _configure(self):
        """Writes the Northbound configuration: one transaction, then the topology's own commands."""
        t, words = self.topology, ["init"]
        if t.tls:
            self.sbctl("init", "--", "set-connection", "role=ovn-controller", "pssl:6642:0.0.0.0")
        for name, config in t.switches.items():
            words += ["--", "ls-add", name]
            for k, v in config.items():
                words += ["--", "set", "Logical_Switch", name, f"other_config:{k}={json.dumps(v)}"]
        for vm in t.vms.values():
            words += ["--", "lsp-add", vm.switch, vm.name]
            if vm.addresses:
                words += ["--", "lsp-set-addresses", vm.name, *vm.addresses]
            if not vm.enabled:
                words += ["--", "lsp-set-enabled", vm.name, "disabled"]
            if vm.options:
                words += ["--", "lsp-set-options", vm.name, *(f"{k}={v}" for k, v in vm.options.items())]
        self.nbctl(*words)
        for line in t.nbctl:
            self.nbctl(*line.split())

    def _wait_ready(self, deadline):
        left = lambda: max(0.0, deadline - time.monotonic())
        served = [hv for hv in self.topology.hypervisors if self.state["controllers"][hv] != "none"]
        for hv in served:
            if not self.sb.wait("Chassis", [("name", "==", hv)], left()):
                raise LabError(f"{hv} did not register as a chassis{self.daemons.tail(f'{hv}/controller')}")
        for vm in self.topology.vms.values():
            if vm.on in served and vm.enabled and not self.wait_port_up(vm.name, left()):
                raise LabError(f"the port of {vm.name} did not come up on {vm.on}"
                               f"{self.daemons.tail(f'{vm.on}/controller')}")
        if served and self.topology.northds and not self.sync(left()):
            raise LabError("the hypervisors did not report that they caught up (hv_cfg)")
        self._greet(self.topology.hypervisors)

    def _greet(self, hypervisors):
        """Tells the switches each other's MAC, so that the first tunnel packet between two need not be lost
        to asking for it. Labs of many hypervisors ask."""
        for a in hypervisors:
            for b in self.topology.hypervisors if len(self.topology.hypervisors) <= 8 else ():
                if a != b:
                    self.daemons.appctl(f"{a}/vswitchd", "tnl/arp/set", "br-phys",
                                        self.topology.hypervisors[b].encap_ip, self.underlay_mac(b))

    # Waiting.

    def wait_port_up(self, vm, timeout=10):
        """Until the Southbound says that the virtual machine's port is up where it is plugged."""
        hv, deadline = self.where(vm), time.monotonic() + timeout
        while hv:
            left = deadline - time.monotonic()
            # In slices, as a chassis that registers anew is a new row.
            if self.sb.wait("Chassis", [("name", "==", hv)], max(0, left)):
                chassis = self.sb.select("Chassis", [("name", "==", hv)], ["_uuid"])
                if chassis and self.sb.wait("Port_Binding", [("logical_port", "==", vm), ("up", "==", True), (
                        "chassis", "==", ["uuid", chassis[0]["_uuid"]])], min(1.0, max(0, left))):
                    return True
            if left <= 0:
                return False
        return False

    def sync(self, timeout=10):
        """Until every hypervisor has carried out all that stands in the Northbound now (as --wait=hv)."""
        self.nb.transact({"op": "mutate", "table": "NB_Global", "where": [], "mutations": [["nb_cfg", "+=", 1]]})
        n = self.nb.select("NB_Global", columns=["nb_cfg"])[0]["nb_cfg"]
        return self.nb.wait("NB_Global", [("hv_cfg", ">=", n)], timeout)

    # Virtual machines.

    @staticmethod
    def _interface(vm):
        return f"vm-{vm.name}"[:15]

    def _plug(self, vm, hv, deadline):
        ns, port = self.namespace(vm.name), self._interface(vm)
        netns.batch([netns.veth("eth0", ns, port, self.namespace(hv))])
        netns.quiet(self.namespace(hv), [port])
        netns.quiet(ns, ["eth0"], any(":" in ip for ip in vm.ip))
        addresses = [f"addr add {ip} dev eth0{' nodad' if ':' in ip else ''}" for ip in vm.ip]
        netns.batch([f"link set eth0 address {vm.mac} mtu {vm.mtu}", *addresses, "link set eth0 up"] +
                    ([f"route add default via {vm.gateway}"] if vm.gateway else []), ns)
        self._attach(vm, hv, deadline)

    def _attach(self, vm, hv, deadline):
        """Makes the VM's cable, already inside the hypervisor, a port of br-int."""
        left = max(1.0, deadline - time.monotonic())
        if not self.local(hv).wait("Bridge", [("name", "==", "br-int")], left):
            raise LabError(f"{hv} has no br-int{self.daemons.tail(f'{hv}/controller')}")
        port = self._interface(vm)
        netns.batch([f"link set {port} up"], self.namespace(hv))
        self.ovs(hv, "vsctl", "--no-wait", "--may-exist", "add-port", "br-int", port, "--", "set", "Interface", port,
                 f"external_ids:iface-id={vm.name}", f'external_ids:attached-mac="{vm.mac}"')
        self.record(lambda s: s["plugged"].__setitem__(vm.name, hv))

    def plug(self, name, hv=None, timeout=10):
        """Plugs a virtual machine into a hypervisor (default: where it was last, or its file says)."""
        with self.locked():
            vm, hv = self.vm(name), hv or self.vm(name).on or next(iter(self.topology.hypervisors), "")
            self.hypervisor(hv)
            if self.where(name):
                raise LabError(f"{name} is plugged into {self.where(name)} already; `move` moves it")
            self._plug(vm, hv, time.monotonic() + timeout)

    def unplug(self, name):
        """Takes a virtual machine's cable away; the machine stays."""
        with self.locked():
            vm, hv = self.vm(name), self.where(name)
            if not hv:
                raise LabError(f"{name} is not plugged in")
            self.ovs(hv, "vsctl", "--if-exists", "--", "del-port", "br-int", self._interface(vm))
            netns.batch([f"link del {self._interface(vm)}"], self.namespace(hv))
            self.record(lambda s: s["plugged"].pop(name))

    def move(self, name, hv, timeout=10):
        """Moves a running virtual machine: the hypervisor's end of its cable goes to another one, the
        machine's end stays as it is, with its addresses and all that runs there."""
        with self.locked():
            vm, old = self.vm(name), self.where(name)
            self.hypervisor(hv)
            if not old:
                raise LabError(f"{name} is not plugged in; `plug {name} {hv}` does that")
            if old == hv:
                raise LabError(f"{name} is at {hv} already")
            port = self._interface(vm)
            self.ovs(old, "vsctl", "--if-exists", "del-port", "br-int", port)
            netns.batch([f"link set {port} netns {self.namespace(hv)}"], self.namespace(old))
            self._attach(vm, hv, time.monotonic() + timeout)

    # Daemons, with what belongs to them.

    def start(self, word):
        with self.locked():
            name = self.daemons.find(word)
            self.daemons.start(name)
            place, program = name.split("/")
            if program == "vswitchd":
                self.address_underlay(place)
                self._greet([place])

    def stop(self, word, keep=False):
        """Asks a daemon to exit. KEEP: an ovn-controller leaves the network as it is."""
        with self.locked():
            self.daemons.stop(self.daemons.find(word), keep)

    def kill(self, word, number=signal.SIGKILL):
        with self.locked():
            self.daemons.kill(self.daemons.find(word), number)

    def restart(self, word):
        with self.locked():
            name = self.daemons.find(word)
            if self.daemons.running(name):
                self.daemons.stop(name, keep=True)
            self.start(name)

    def sanitizer_reports(self):
        """What sanitizers wrote, by file."""
        return {str(p): p.read_text(errors="replace") for p in self.directory.rglob("sanitizer.*")}

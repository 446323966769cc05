"""The topology file: what a lab consists of, in TOML.

    encap = "geneve"            # tunnels for every hypervisor: geneve, vxlan, or "geneve,vxlan"
    northds = 1                 # more than one: the others stand by
    nbctl = ["acl-add blue to-lport 1000 ip4 allow"]   # further ovn-nbctl commands, in order

    [central]
    tls = true                  # hypervisors reach the southbound database by TLS, each with a certificate
                                # of its own and no more rights than the role ovn-controller has

    [hypervisor.hv1]            # any number of them
    encap_ip = "172.31.0.11"    # default: the next free address of 172.31.0.0/16
    encap = "vxlan"             # default: as above
    controller = "peer"         # whose ovn-controller: ours, peer, none, or a path
    external_ids = { ovn-monitor-all = "true" }        # more for its Open_vSwitch record

    [switch.blue]               # logical switches
    other_config = { mcast_snoop = "true" }

    [vm.anna]                   # virtual machines: a namespace each, with one interface
    switch = "blue"
    on = "hv1"                  # where it is plugged at the start; "" leaves it unplugged
    mac = "0a:00:00:00:00:01"   # default: made from its place in this file
    ip = "10.0.0.1/24"          # or a list, IPv6 too; none is fine
    gateway = "10.0.0.254"
    addresses = ["unknown"]     # the logical port's; default: "MAC IP..."
    enabled = true
    options = { requested-chassis = "hv1" }            # the logical port's
    mtu = 1400

    [programs]                  # per program: "ours", "peer" or a path
    northd = "peer"             # also nbctl, sbctl, controller, schema

Names are short (12 characters: they become interface names), of letters, digits, '-' and '_'.
"""
import ipaddress
import re
import tomllib
from dataclasses import asdict, dataclass, field

from . import LabError

UNDERLAY = ipaddress.ip_network("172.31.0.0/16")
MANAGEMENT = ipaddress.ip_network("172.30.0.0/16")
PROGRAMS = ("northd", "controller", "nbctl", "sbctl", "schema")
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,11}\Z")
_MAC = re.compile(r"[0-9a-f]{2}(:[0-9a-f]{2}){5}\Z")


@dataclass
class Hypervisor:
    name: str
    encap_ip: str
    encap: str
    controller: str = ""
    external_ids: dict = field(default_factory=dict)


@dataclass
class VM:
    name: str
    switch: str
    on: str
    mac: str
    ip: list
    addresses: list
    gateway: str = ""
    enabled: bool = True
    options: dict = field(default_factory=dict)
    mtu: int = 1400


@dataclass
class Topology:
    hypervisors: dict
    switches: dict                # name → other_config
    vms: dict
    northds: int = 1
    tls: bool = False
    nbctl: list = field(default_factory=list)
    programs: dict = field(default_factory=dict)

    def to_dict(self):
        return asdict(self)

    @classmethod
    def from_dict(cls, d):
        return cls(hypervisors={n: Hypervisor(**h) for n, h in d["hypervisors"].items()},
                   vms={n: VM(**v) for n, v in d["vms"].items()},
                   **{k: d[k] for k in ("switches", "northds", "tls", "nbctl", "programs")})


class _Table:
    """One table of the file: typed reads, and a complaint about whatever nobody read."""

    def __init__(self, where, values):
        if not isinstance(values, dict):
            raise LabError(f"{where}: expected a table")
        self.where, self.values = where, dict(values)

    def take(self, key, kind, default):
        value = self.values.pop(key, default)
        if value is not default and (not isinstance(value, kind) or
                                     (isinstance(value, bool) and kind is not bool)):
            raise LabError(f"{self.where}: `{key}` is not a {kind.__name__}")
        return value

    def take_strings(self, key, default=()):
        value = self.values.pop(key, default)
        value = [value] if isinstance(value, str) else value
        if not isinstance(value, (list, tuple)) or not all(isinstance(v, str) for v in value):
            raise LabError(f"{self.where}: `{key}` is a string or a list of strings")
        return list(value)

    def take_map(self, key):
        value = self.take(key, dict, {})
        return {k: (str(v).lower() if isinstance(v, bool) else str(v)) for k, v in value.items()}

    def done(self):
        if self.values:
            raise LabError(f"{self.where}: unknown key `{next(iter(self.values))}`")


def _section(top, key):
    """The named tables below [KEY.*], each name checked."""
    tables = top.take(key, dict, {})
    for name in tables:
        if not _NAME.match(name):
            raise LabError(f"[{key}.{name}]: a name is at most 12 letters, digits, '-' and '_'")
    return {name: _Table(f"[{key}.{name}]", values) for name, values in tables.items()}


def _hypervisors(top):
    encap = top.take("encap", str, "geneve")
    result, used = {}, set()
    for i, (name, t) in enumerate(_section(top, "hypervisor").items()):
        h = Hypervisor(name, t.take("encap_ip", str, str(UNDERLAY[11 + i])), t.take("encap", str, encap),
                       t.take("controller", str, ""), t.take_map("external_ids"))
        t.done()
        try:
            inside = ipaddress.ip_address(h.encap_ip) in UNDERLAY
        except ValueError:
            inside = False
        if not inside or h.encap_ip in used:
            raise LabError(f"{t.where}: encap_ip {h.encap_ip}: not a free address of {UNDERLAY}")
        if not set(h.encap.split(",")) <= {"geneve", "vxlan"}:
            raise LabError(f"{t.where}: encap is geneve, vxlan or both")
        used.add(h.encap_ip)
        result[name] = h
    return result


def _vm(i, name, t, hypervisors, switches):
    mac = t.take("mac", str, "0a:00:00:00:%02x:%02x" % divmod(i + 1, 256)).lower()
    ips = t.take_strings("ip")
    if not _MAC.match(mac):
        raise LabError(f"{t.where}: mac {mac}: expected six pairs of hexadecimal digits")
    try:
        bare = [str(ipaddress.ip_interface(ip).ip) for ip in ips]
    except ValueError as e:
        raise LabError(f"{t.where}: ip: {e}") from None
    vm = VM(name, t.take("switch", str, ""), t.take("on", str, ""), mac, ips,
            t.take_strings("addresses", [" ".join([mac] + bare)]), t.take("gateway", str, ""),
            t.take("enabled", bool, True), t.take_map("options"), t.take("mtu", int, 1400))
    t.done()
    if vm.switch not in switches:
        raise LabError(f"{t.where}: switch `{vm.switch}` is not in this file")
    if vm.on and vm.on not in hypervisors:
        raise LabError(f"{t.where}: hypervisor `{vm.on}` is not in this file")
    return vm


def parse(text, origin="topology"):
    """The Topology that the TOML text describes; raises LabError naming what is wrong."""
    try:
        top = _Table(origin, tomllib.loads(text))
    except tomllib.TOMLDecodeError as e:
        raise LabError(f"{origin}: {e}") from None
    hypervisors = _hypervisors(top)
    switches = {}
    for name, t in _section(top, "switch").items():
        switches[name] = t.take_map("other_config")
        t.done()
    vms = {name: _vm(i, name, t, hypervisors, switches)
           for i, (name, t) in enumerate(_section(top, "vm").items())}
    taken = {"central", "net", "underlay", "mgmt", "lo"}
    for name in [*hypervisors, *vms]:
        if name in taken:
            raise LabError(f"{origin}: {name}: the name is taken (by another machine, or by the lab itself)")
        taken.add(name)
    programs = _Table("[programs]", top.take("programs", dict, {}))
    chosen = {p: programs.take(p, str, "") for p in PROGRAMS}
    programs.done()
    central = _Table("[central]", top.take("central", dict, {}))
    tls = central.take("tls", bool, False)
    central.done()
    topology = Topology(hypervisors, switches, vms, top.take("northds", int, 1), tls, top.take_strings("nbctl"),
                        {p: v for p, v in chosen.items() if v})
    top.done()
    if not 0 <= topology.northds <= 9:
        raise LabError(f"{origin}: northds is 0 to 9")
    return topology


def load(path):
    """parse() of a file."""
    try:
        with open(path, encoding="utf-8") as f:
            return parse(f.read(), str(path))
    except (OSError, UnicodeDecodeError) as e:
        raise LabError(f"{path}: {getattr(e, 'strerror', None) or e}") from None

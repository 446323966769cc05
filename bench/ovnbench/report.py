"""Budgets (DESIGN.md section 7, and the contract of the switching issue), and the table that holds figures against them."""
import datetime
import os
import platform
import subprocess
from dataclasses import asdict, dataclass
from typing import Optional

from .stack import REPO

THIRD = 1 / 3


@dataclass
class Budget:
    """What is promised of a measure: at most LIMIT (at least, if LEAST), or at most FRACTION of the peer's."""
    limit: Optional[float] = None
    fraction: Optional[float] = None
    least: bool = False

    def text(self, unit):
        if self.fraction:
            return f"≤ 1/{1 / self.fraction:.0f} of peer"
        return f"{'≥' if self.least else '≤'} {self.limit:g} {unit}" if self.limit is not None else ""

    def met(self, ours, peer):
        """True, False, or None when it cannot be said."""
        if ours is None or (self.limit is None and not (self.fraction and peer)):
            return None
        if self.fraction:
            return ours <= self.fraction * peer
        return ours >= self.limit if self.least else ours <= self.limit


MS = Budget(limit=1)
NONE = Budget()

# Measures in the order of the table: key, what it is, unit, budget.
NORTHD = [
    ("cold_cpu", "from nothing: CPU", "s", Budget(fraction=THIRD)),
    ("peak_mb", "from nothing: peak memory", "MB", Budget(fraction=THIRD)),
    ("rss_mb", "from nothing: memory kept", "MB", NONE),
    ("lflows", "logical flows", "", NONE),
    ("sb_server_cpu", "from nothing: southbound server's CPU", "s", NONE),
    ("restart_cpu", "restart over a filled database: CPU", "s", NONE),
    ("nothing_cpu_ms", "nb_cfg alone: CPU", "ms", NONE),
    ("port_add_cpu_ms", "port added: CPU", "ms", MS),
    ("port_add_ms", "port added: until sb_cfg has it", "ms", NONE),
    ("port_del_cpu_ms", "port deleted: CPU", "ms", MS),
    ("port_address_cpu_ms", "port's address changed: CPU", "ms", MS),
    ("port_disable_cpu_ms", "port disabled: CPU", "ms", MS),
    ("switch_add_cpu_ms", "switch added: CPU", "ms", MS),
    ("switch_del_cpu_ms", "switch deleted: CPU", "ms", MS),
]
CONTROLLER = [
    ("cold_cpu", "from nothing: CPU", "s", NONE),
    ("peak_mb", "from nothing: peak memory", "MB", NONE),
    ("of_flows", "OpenFlow flows", "", NONE),
    ("vswitchd_cpu", "from nothing: ovs-vswitchd's CPU", "s", NONE),
    ("nothing_cpu_ms", "nb_cfg alone: CPU", "ms", NONE),
    ("port_add_cpu_ms", "port added to a local switch: CPU", "ms", MS),
    ("port_bound_cpu_ms", "same, then bound elsewhere: CPU", "ms", MS),
    ("port_add_far_cpu_ms", "port added to a switch not here: CPU", "ms", MS),
    ("port_del_cpu_ms", "port deleted: CPU", "ms", MS),
    ("port_add_ms", "port added: until hv_cfg has it", "ms", NONE),
    ("plug_cpu_ms", "interface plugged: CPU", "ms", NONE),
    ("plug_ms", "interface plugged, until the port is up", "ms", Budget(limit=10)),
]
REPLICA = [
    ("json_mb_s", "JSON reader, a database dump", "MB/s", NONE),
    ("json_ratio", "JSON reader, times jansson", "×", Budget(limit=3, least=True)),
    ("rows_mb_s", "replica: JSON text to typed rows", "MB/s", Budget(limit=300, least=True)),
    ("digest_mb_s", "replica: JSON text to digests", "MB/s", NONE),
    ("element_us", "one element of a set of 10,000", "µs", NONE),
]
COMMANDS = ["lsp-add", "lsp-get-addresses", "lsp-set-addresses", "lr-nat-add", "lr-route-add", "acl-add", "lb-add", "ls-lb-add", "lsp-del"]
CLI = [
    *((c.replace("-", "_") + "_cpu_ms", f"{c}: CPU", "ms", Budget(limit=20)) for c in COMMANDS),
    *((c.replace("-", "_") + "_server_ms", f"{c}: CPU of the server", "ms", Budget(limit=20)) for c in COMMANDS),
    ("cli_mb", "peak memory of any of these", "MB", Budget(limit=20)),
]
LOGICAL = [
    ("lflows", "logical flows", "", NONE),
    ("of_flows", "OpenFlow flows of them", "", NONE),
    ("first", "text to OpenFlow, a text seen first", "k/s", Budget(limit=200, least=True)),
    ("seen", "text to OpenFlow, a text seen before", "k/s", Budget(limit=1000, least=True)),
]
NOT_MEASURED = ["northd and controller on kube 200 × 50 × 500 (DESIGN.md 7): routers, NAT and load balancers are not built yet"]


@dataclass
class Row:
    section: str
    what: str
    unit: str
    budget: str
    ours: Optional[float]
    peer: Optional[float]
    met: Optional[bool]


def without_budgets(measures):
    return [(key, what, unit, NONE) for key, what, unit, _ in measures]


def rows(section, measures, ours, peer, small=False):
    """OURS and PEER are {key: value} (or None: not measured). On a SMALL network nothing is promised that is a share
    of the peer's: there, it is a program's start that is measured."""
    ours, peer = ours or {}, peer or {}
    if small:
        measures = [(key, what, unit, NONE if budget.fraction else budget) for key, what, unit, budget in measures]
    return [Row(section, what, unit, budget.text(unit), ours.get(key), peer.get(key), budget.met(ours.get(key), peer.get(key)))
            for key, what, unit, budget in measures if key in ours or key in peer]


def _number(value, unit):
    if value is None:
        return "-"
    if not unit:
        return f"{value:,.0f}"
    text = f"{value:,.0f}" if value >= 100 else f"{value:.1f}" if value >= 10 else f"{value:.2f}"
    return f"{text} {unit}"


def _ratio(row):
    """How many times less than the peer's."""
    if not row.ours or not row.peer:
        return ""
    r = row.peer / row.ours
    return f"{r:,.0f}×" if r >= 10 else f"{r:.1f}×" if r >= 0.1 else f"{r:.2f}×"


def _met(row):
    return "" if not row.budget else "no peer" if row.met is None and row.ours is not None else \
        "-" if row.met is None else "yes" if row.met else "NO"


def table(all_rows):
    """The rows as text, a heading a section."""
    head = ("what", "budget", "ours", "peer", "peer/ours", "met?")
    cells = [(r.what, r.budget, _number(r.ours, r.unit), _number(r.peer, r.unit), _ratio(r), _met(r)) for r in all_rows]
    widths = [max(len(c[i]) for c in [head, *cells]) for i in range(len(head))]

    def line(c):
        return "  ".join(x.ljust(w) if i in (0, 1, 5) else x.rjust(w) for i, (x, w) in enumerate(zip(c, widths))).rstrip()

    out, section = [], None
    for row, c in zip(all_rows, cells):
        if row.section != section:
            section = row.section
            out += ["", section, line(head), "  ".join("-" * w for w in widths)]
        out.append(line(c))
    return "\n".join(out)


def closing(all_rows):
    asked = [r for r in all_rows if r.budget]
    met = sum(r.met is True for r in asked)
    missed = sum(r.met is False for r in asked)
    rest = len(asked) - met - missed
    return f"{met} of {len(asked)} budgets met, {missed} missed" + (f", {rest} not to be said" if rest else "")


def _output(*argv):
    try:
        return subprocess.run(argv, capture_output=True, text=True, timeout=10, cwd=REPO).stdout.strip()
    except OSError:
        return ""


def machine(peer):
    """What the figures were taken on, and when."""
    with open("/proc/cpuinfo") as f:
        model = next((x.split(":", 1)[1].strip() for x in f if x.startswith("model name")), platform.machine())
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 1e9
    switch = _output("ovs-vswitchd", "--version").splitlines()
    return {
        "date": datetime.datetime.now().astimezone().strftime("%Y-%m-%d %H:%M %Z"),
        "machine": f"{os.cpu_count()} × {model}, {memory:.0f} GB, Linux {platform.release()}, "
                   f"load {' '.join(f'{x:.1f}' for x in os.getloadavg())}",
        "ours": _output("git", "describe", "--always", "--dirty") or "no git",
        "peer": peer.version() if peer else "none",
        "switch": switch[0] if switch else "none",
    }


def as_json(where, all_rows, raw, notes):
    return {**where, "rows": [asdict(r) for r in all_rows], "raw": raw, "notes": notes, "closing": closing(all_rows)}

"""ovn-northd on a switching network: from nothing, single changes, and a restart over a filled southbound database."""
import signal
import time

from .measure import changes
from .switching import Switching

CHANGES = ["nothing", "port_add", "port_address", "port_disable", "port_del", "switch_add", "switch_del"]


def measure(stack, switches, ports, plan):
    """Returns {measure: value}: CPU in seconds (from nothing) or milliseconds (a change), memory in MB."""
    stack.central()
    network = Switching(stack, switches, ports)
    network.load()
    out, before, start = {}, stack.sb_server.settle(), time.monotonic()
    northd = stack.northd()
    stack.wait(stack.nb, "NB_Global", {"sb_cfg": 1})
    out["cold_wall"] = time.monotonic() - start
    out["cold_cpu"] = northd.settle()
    out["sb_server_cpu"] = stack.sb_server.settle() - before
    out["peak_mb"], out["rss_mb"] = northd.memory_mb(), northd.memory_mb("VmRSS")
    out["lflows"] = len(stack.sb.select("Logical_Flow", ["_uuid"]))
    for name in CHANGES:
        change = getattr(network, name)

        def one(i):
            ops = change(i)
            t = time.monotonic()
            stack.sync(*ops)
            return (time.monotonic() - t) * 1000

        undone = {"port_del": "port_add_n", "switch_del": "switch_add_n"}.get(name)
        (cpu,), latency, n = changes(plan.up_to(out[undone]) if undone else plan, [northd], one)
        out[name + "_cpu_ms"], out[name + "_ms"], out[name + "_n"] = cpu, latency, n
    out["peak_after_mb"] = northd.memory_mb()
    northd.end(signal.SIGKILL)
    northd = stack.northd()
    stack.sync()
    out["restart_cpu"] = northd.settle()
    return out

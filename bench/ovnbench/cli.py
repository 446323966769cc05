"""What one ovn-nbctl command costs on a large northbound database: CPU time of the command and of the server, and the command's memory.

A command is started by a small launcher (LAUNCHER), because the kernel counts what a process used before it became the command, too.
"""
import json
import subprocess
import sys

from . import BenchError, stack
from .rpc import insert
from .switching import Switching

LAUNCHER = """
import json, os, sys
pid = os.fork()
if not pid:
    os.execv(sys.argv[1], sys.argv[1:])
_, status, usage = os.wait4(pid, 0)
print(json.dumps([os.waitstatus_to_exitcode(status), usage.ru_utime + usage.ru_stime, usage.ru_maxrss * 1024 / 1e6]))
"""

# (key of report.CLI, words of the I-th command of its kind). sw1-port3 is a port of the workload; r0 and lb0 are made here.
COMMANDS = [
    ("lsp_add", lambda i: ["lsp-add", "sw1", f"cli{i}"]),
    ("lsp_get_addresses", lambda i: ["lsp-get-addresses", f"sw1-port{i + 3}"]),
    ("lsp_set_addresses", lambda i: ["lsp-set-addresses", f"cli{i}", f"0b:00:00:00:00:{i:02x} 172.16.1.{i + 1}"]),
    ("lr_nat_add", lambda i: ["lr-nat-add", "r0", "snat", f"192.0.2.{i + 1}", f"10.0.{i}.0/24"]),
    ("lr_route_add", lambda i: ["lr-route-add", "r0", f"10.1.{i}.0/24", "172.16.0.2"]),
    ("acl_add", lambda i: ["acl-add", "sw1", "to-lport", "100", f"ip4.src == 10.2.{i}.0/24", "drop"]),
    ("lb_add", lambda i: ["lb-add", f"lb{i + 1}", "192.0.2.200:80", "172.16.0.3:80"]),
    ("ls_lb_add", lambda i: ["ls-lb-add", f"sw{i + 1}", "lb0"]),
    ("lsp_del", lambda i: ["lsp-del", f"cli{i}"]),
]


def run_one(s, program, words, last_answer):
    before = s.nb_server.cpu()
    done = subprocess.run([sys.executable, "-I", "-S", "-c", LAUNCHER, program, f"--db=unix:{s.path('nb.sock')}", "--no-leader-only", *words],
                          env=s.env, capture_output=True, text=True, timeout=300)
    status, cpu, memory = json.loads(done.stdout.splitlines()[-1]) if done.stdout else (None, 0, 0)
    if status != 0:
        raise BenchError(f"{' '.join(words)}: {done.stderr.strip()[-300:] or done.returncode}")
    last_answer()                      # The server is done with the command before its time is read.
    return cpu, s.nb_server.cpu() - before, memory


def measure(s, switches, ports, times):
    """The means over TIMES commands of each kind, and the largest memory, on a stack of its own."""
    program, found, memory = s.kind.program("ovn-nbctl"), {}, []
    s.central()
    Switching(s, switches, ports).load()
    s.nb.transact(insert("Logical_Router", {"name": "r0"}), insert("Load_Balancer", {"name": "lb0", "vips": ["map", [["192.0.2.1", "172.16.0.3"]]]}))
    s.run(program, f"--db=unix:{s.path('nb.sock')}", "lrp-add", "r0", "r0-x", "00:00:00:00:00:01", "172.16.0.1/16")
    for key, words in COMMANDS:
        costs = [run_one(s, program, words(i), lambda: s.nb.select("NB_Global", ["nb_cfg"])) for i in range(times)]
        found[key + "_cpu_ms"] = sum(c[0] for c in costs) * 1000 / times
        found[key + "_server_ms"] = sum(c[1] for c in costs) * 1000 / times
        memory += [c[2] for c in costs]
    found["cli_mb"] = max(memory)
    return found


def sizes(quick):
    """(switches, ports a switch): growth with the database would show between them."""
    return [(4, 50), (40, 50)] if quick else [(20, 1000), (200, 1000)]


def kinds(peer):
    return [k for k in (stack.ours(), peer) if k and k.program("ovn-nbctl")]

"""The ovn-lab command: a table of subcommands over Lab."""
import argparse
import json
import os
import re
import signal
import sys
import time

from . import LabError, capture, process, topology
from .daemons import CENTRAL
from .lab import Lab, base_directory, labs
from .programs import REPO, Programs
from . import programs as programs_module

DEFAULT_TOPOLOGY = REPO / "lab/topologies/two-switches.toml"


def become(argv, env=None):
    """Turns this process into ARGV."""
    sys.stdout.flush()
    try:
        os.execvpe(argv[0], argv, env if env is not None else dict(os.environ))
    except OSError as e:
        raise LabError(f"{argv[0]}: {e.strerror}") from None


def do_up(lab, args):
    use = {}
    for word in args.use:
        program, equals, which = word.partition("=")
        if not equals:
            raise LabError(f"--use {word}: expected PROGRAM=WHICH")
        use[program] = which
    t = topology.load(args.file or DEFAULT_TOPOLOGY)
    began = time.monotonic()
    say = (lambda text: None) if args.quiet else (lambda text: print(f"  {text} ...", flush=True))
    if not args.quiet:
        print(f"lab `{lab.name}` from {args.file or os.path.relpath(DEFAULT_TOPOLOGY)}")
    lab.up(t, Programs(use, args.bin, args.peer, t.programs), args.timeout, say, args.keep_failed)
    if not args.quiet:
        name = "" if lab.name == "lab" else f" --name {lab.name}"
        print(f"up in {time.monotonic() - began:.1f} s. `ovn-lab{name} show` shows it, "
              f"`ovn-lab{name} down` ends it.")


def do_down(lab, args):
    names = labs() if args.all else [lab.name]
    for name in names:
        one = Lab(name)
        print(f"lab `{name}` is down" if one.down() else f"lab `{name}` was not up")


def do_list(lab, args):
    for name in labs():
        try:
            one = Lab(name).load()
        except LabError as e:
            print(f"{name:<12}  {e}")
            continue
        alive = sum(1 for n in one.daemons.all() if one.daemons.running(n))
        print(f"{name:<12}  {len(one.topology.hypervisors)} hypervisors, {len(one.topology.vms)} machines, "
              f"{alive} of {len(one.daemons.all())} daemons running, in {one.directory}")


def _gather(lab):
    ports = {}
    try:
        for row in lab.sb.select("Port_Binding", columns=["logical_port", "up", "tunnel_key"]):
            ports[row["logical_port"]] = row
    except LabError:
        pass
    t = lab.topology
    return {
        "name": lab.name, "directory": str(lab.directory), "programs": lab.state["programs"],
        "daemons": {n: (lab.daemons.running(n) or [None])[0] for n in lab.daemons.all()},
        "hypervisors": {n: {"encap_ip": h.encap_ip, "encap": h.encap, "controller": lab.state["controllers"][n]}
                        for n, h in t.hypervisors.items()},
        "vms": {n: {"switch": v.switch, "at": lab.where(n), "mac": v.mac, "ip": v.ip,
                    "up": ports.get(n, {}).get("up") is True, "tunnel_key": ports.get(n, {}).get("tunnel_key"),
                    "namespace": lab.namespace(n)} for n, v in t.vms.items()},
    }


def _origin(path):
    return path.replace(str(programs_module.PEER), "peer").replace(str(programs_module.OURS), "ours")


def do_show(lab, args):
    facts = _gather(lab)
    if args.json:
        print(json.dumps(facts, indent=1))
        return
    state = lambda n: f"{n.split('/')[1]} " + (f"(pid {facts['daemons'][n]})" if facts["daemons"][n] else "(NOT RUNNING)")
    at = lambda place: ", ".join(state(n) for n in facts["daemons"] if n.startswith(place + "/"))
    print(f"lab {lab.name}    {lab.directory}")
    print(f"\ncentral       {at(CENTRAL)}\n              northd: {_origin(facts['programs']['northd'])}")
    for name, h in facts["hypervisors"].items():
        print(f"\n{name:<12}  {at(name)}\n              {h['encap']} at {h['encap_ip']}, controller: "
              f"{_origin(h['controller'])}")
        for n, v in facts["vms"].items():
            if v["at"] == name:
                _show_vm(n, v)
    away = [n for n, v in facts["vms"].items() if not v["at"]]
    if away:
        print("\nnot plugged in")
        for n in away:
            _show_vm(n, facts["vms"][n])


def _show_vm(name, v):
    print(f"    {name:<12}  switch {v['switch']:<12}  {v['mac']}  {' '.join(v['ip']) or '-':<18}  "
          f"{'up' if v['up'] else 'down'}")


def do_plug(lab, args):
    began = time.monotonic()
    lab.plug(args.vm, args.hv)
    _report_port(lab, args, began)


def _report_port(lab, args, began):
    if not args.no_wait and not lab.wait_port_up(args.vm, args.timeout):
        raise LabError(f"{args.vm} is plugged into {lab.where(args.vm)}, but its port did not come up in "
                       f"{args.timeout} s (`ovn-lab log {lab.where(args.vm)}/controller`)")
    print(f"{args.vm} is at {lab.where(args.vm)}" +
          ("" if args.no_wait else f", port up after {(time.monotonic() - began) * 1000:.0f} ms"))


def do_unplug(lab, args):
    lab.unplug(args.vm)
    print(f"{args.vm} is unplugged")


def do_move(lab, args):
    began = time.monotonic()
    lab.move(args.vm, args.hv)
    _report_port(lab, args, began)


def do_log(lab, args):
    if not args.daemon:
        for n in lab.daemons.all():
            print(f"{n:<18}  {lab.daemons.files(n)[1]}")
        return
    become(["tail", f"-n{args.lines}", *(["-F"] if args.follow else []),
            str(lab.daemons.files(lab.daemons.find(args.daemon))[1])])


def do_kill(lab, args):
    name = lab.daemons.find(args.daemon)
    try:
        number = int(args.signal) if args.signal.isdigit() else signal.Signals["SIG" + args.signal.upper().removeprefix("SIG")]
    except KeyError:
        raise LabError(f"{args.signal}: no such signal") from None
    lab.kill(name, number)
    print(f"{name}: signal {args.signal} sent")


def do_start(lab, args):
    lab.start(args.daemon)


def do_stop(lab, args):
    lab.stop(args.daemon)


def do_restart(lab, args):
    lab.restart(args.daemon)


def do_capture(lab, args):
    words = ["-n", "-U", "-Z", "root", "-w", args.file] if args.file else ["-n", "-l", "-e", "-v"]
    become(capture.tcpdump_argv(lab, args.link, words + args.filter))


# The commands below pass their words on untouched, options too.

def do_exec(lab, words):
    if len(words) < 2:
        raise LabError("exec: expected VM COMMAND...")
    become(lab.exec_argv(words[0], words[1:]), lab.place_environment(words[0]))


def do_nbctl(lab, words):
    become(lab.tool_argv("nbctl", words), lab.tool_environment())


def do_sbctl(lab, words):
    become(lab.tool_argv("sbctl", words), lab.tool_environment())


def do_ovs(lab, words):
    if len(words) < 2 or not re.match(r"[a-z]+\Z", words[1]):
        raise LabError("ovs: expected HV vsctl|ofctl|appctl|dpctl WORDS...")
    become(lab.ovs_argv(words[0], words[1], words[2:]), lab.place_environment(words[0]))


def do_appctl(lab, words):
    if len(words) < 2:
        raise LabError("appctl: expected DAEMON COMMAND...")
    become(["ovs-appctl", "-t", lab.daemons.control_socket(lab.daemons.find(words[0])), *words[1:]])


def _vm(p):
    p.add_argument("vm", metavar="VM")


def _waiting(p):
    p.add_argument("--no-wait", action="store_true", help="do not wait until the port is up")
    p.add_argument("--timeout", type=float, default=10, metavar="S")


def _up(p):
    p.add_argument("file", nargs="?", metavar="FILE", help="topology (default: two switches, two hypervisors)")
    p.add_argument("--peer", action="store_true", help="run the other OVN in .peer/ (tools/check-peer --unpack)")
    p.add_argument("--bin", action="append", default=[], metavar="DIR", help="run the programs that DIR holds")
    p.add_argument("--use", action="append", default=[], metavar="PROGRAM=WHICH",
                   help="northd, controller, nbctl, sbctl or schema; ours, peer or a path")
    p.add_argument("--timeout", type=float, default=30, metavar="S", help="give up after S seconds (30)")
    p.add_argument("--keep-failed", action="store_true", help="leave a lab that did not come up, to look at")
    p.add_argument("-q", "--quiet", action="store_true")
    p.epilog = topology.__doc__ + programs_module.__doc__


def _down(p):
    p.add_argument("--all", action="store_true", help="every lab of this run directory")


def _plug(p):
    _vm(p)
    p.add_argument("hv", nargs="?", metavar="HV")
    _waiting(p)


def _move(p):
    _vm(p)
    p.add_argument("hv", metavar="HV")
    _waiting(p)


def _log(p):
    p.add_argument("daemon", nargs="?", metavar="DAEMON", help="without: where all the logs are")
    p.add_argument("-n", "--lines", type=int, default=40, metavar="N")
    p.add_argument("-f", "--follow", action="store_true")


def _daemon(p):
    p.add_argument("daemon", metavar="DAEMON", help="hv1/controller, hv1/vswitchd, hv1/ovsdb, northd, nb, sb")


def _kill(p):
    _daemon(p)
    p.add_argument("signal", nargs="?", default="KILL", help="default KILL")


def _show(p):
    p.add_argument("--json", action="store_true")


def _capture(p):
    p.add_argument("link", metavar="LINK", help="underlay, mgmt, a hypervisor's cable, a virtual machine's")
    p.add_argument("file", nargs="?", metavar="FILE", help="pcap file, or - ; without: as text")
    p.add_argument("filter", nargs="*", metavar="FILTER", help="pcap-filter(7)")


# name: (function, arguments or None for words passed on, needs the lab up, what it does)
COMMANDS = {
    "up": (do_up, _up, False, "build a lab from a topology file and wait until it works"),
    "down": (do_down, _down, False, "end a lab and everything it left, after a crash too"),
    "list": (do_list, lambda p: None, False, "the labs there are"),
    "show": (do_show, _show, True, "machines, ports and daemons"),
    "exec": (do_exec, None, True, "VM|HV|central COMMAND...: run a command inside a machine"),
    "plug": (do_plug, _plug, True, "plug a virtual machine into a hypervisor"),
    "unplug": (do_unplug, lambda p: _vm(p), True, "pull a virtual machine's cable"),
    "move": (do_move, _move, True, "move a running virtual machine to another hypervisor"),
    "log": (do_log, _log, True, "the log of a daemon"),
    "kill": (do_kill, _kill, True, "send a daemon a signal (SIGKILL)"),
    "start": (do_start, _daemon, True, "start a daemon that was killed or stopped"),
    "stop": (do_stop, _daemon, True, "ask a daemon to exit"),
    "restart": (do_restart, _daemon, True, "stop and start a daemon (ovn-controller: exit --restart)"),
    "appctl": (do_appctl, None, True, "DAEMON COMMAND...: talk to a daemon's control socket"),
    "nbctl": (do_nbctl, None, True, "WORDS...: ovn-nbctl on the lab's Northbound database"),
    "sbctl": (do_sbctl, None, True, "WORDS...: ovn-sbctl on the lab's Southbound database"),
    "ovs": (do_ovs, None, True, "HV vsctl|ofctl|appctl WORDS...: a hypervisor's own switch"),
    "capture": (do_capture, _capture, True, "tcpdump on the underlay, a hypervisor's cable or a machine's"),
}


def _usage():
    lines = [f"  {name:<9} {what}" for name, (_, _, _, what) in COMMANDS.items()]
    return ("usage: ovn-lab [--name NAME] COMMAND ...\n\nA whole OVN network on this machine, inside network "
            "namespaces: nothing outside them is touched.\n\n" + "\n".join(lines) +
            "\n\n`ovn-lab COMMAND --help` says more. --name NAME: which lab (default `lab`). Run directory: "
            f"{base_directory()}\n(OVN_LAB_DIR).\n\nTry: ovn-lab up && ovn-lab exec anna ping -c3 10.0.0.2 && ovn-lab show")


def _parse(argv):
    """(lab name, command, its words); handles --name before or right after the command, and --help."""
    name, command, words = "lab", None, list(argv)
    while words:
        w = words[0]
        if w == "--name" and len(words) > 1:
            name, words = words[1], words[2:]
        elif w.startswith("--name="):
            name, words = w[7:], words[1:]
        elif command is None and w in ("-h", "--help", "help"):
            print(_usage())
            sys.exit(0)
        elif command is None and w.startswith("-"):
            raise LabError(f"{w}: unknown option (`ovn-lab --help`)")
        elif command is None:
            command, words = w, words[1:]
        else:
            break
    return name, command, words


def main(argv=None):
    process.be_interruptible()
    try:
        name, command, words = _parse(sys.argv[1:] if argv is None else argv)
        if command is None:
            print(_usage(), file=sys.stderr)
            return 2
        if command not in COMMANDS:
            raise LabError(f"{command}: no such command. There are: {', '.join(COMMANDS)}")
        function, arguments, needs_lab, what = COMMANDS[command]
        if arguments is None:
            if words[:1] in (["--help"], ["-h"]) and command not in ("nbctl", "sbctl"):
                print(f"usage: ovn-lab [--name NAME] {command} {what}")
                return 0
            args = words
        else:
            p = argparse.ArgumentParser(prog=f"ovn-lab {command}", description=what[0].upper() + what[1:] + ".",
                                        formatter_class=argparse.RawDescriptionHelpFormatter)
            p.add_argument("--name", default=name, help="which lab (default `lab`)")
            arguments(p)
            args = p.parse_args(words)
            name = args.name
        lab = Lab(name)
        function(lab.load() if needs_lab else lab, args)
        return 0
    except LabError as e:
        print(f"ovn-lab: {e}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("ovn-lab: interrupted", file=sys.stderr)
        return 130
    except BrokenPipeError:
        sys.stderr.close()
        return 0

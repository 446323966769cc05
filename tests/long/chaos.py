#!/usr/bin/python3
"""chaos.py - an OVN under everything that goes wrong, for minutes, and then the reckoning.

    tests/long/chaos.py [--seconds N] [--seed N] [--keep]          as root; BUILD=build

Three machines with clustered Northbound and Southbound databases and two northds, made by our ovn-ctl; three hypervisors over dummy switches, one of
them behind a relay (world.py). Writers change the network and note what was acknowledged (writers.py). Meanwhile servers, daemons and cables are
killed, stopped, restarted and cut (monkeys.py). Then everything is mended, and these must hold:

  - every acknowledged change is there exactly once, one whose answer was lost at most once, nothing else;
  - the southbound content is what an ovn-northd makes of the northbound content in an empty database; ports are where they are plugged;
  - inc-engine/verify finds no difference in any daemon; a hypervisor whose flows are deleted gets the same flows again;
  - no daemon died by itself, none logged an error, none grows with the number of changes and reconnects.

The seed decides what is done in which order, not how the processes race: a failure may need several runs of its seed. The last line says how the run
went; with a failure, or --keep, the directories with logs and databases stay.
"""
import argparse
import os
import random
import sys
import threading
import time
import traceback
from pathlib import Path

if "--inside" not in sys.argv:          # Once more, in a network namespace that is this run's alone.
    os.execvp("unshare", ["unshare", "--net", sys.executable, "-B", __file__, "--inside", *sys.argv[1:]])

sys.path.insert(0, str(Path(__file__).resolve().parent))
import checks                                                    # noqa: E402
from monkeys import Central, Edge                                # noqa: E402
from world import World, process, wait                           # noqa: E402
from writers import Counter, Plugs, Ports, Tool                  # noqa: E402


class Log:
    def __init__(self):
        self.start, self.lock = time.monotonic(), threading.Lock()

    def __call__(self, text):
        with self.lock:
            print(f"{time.monotonic() - self.start:7.1f} {text}", flush=True)


def base_network(world):
    """What is there all the time: two switches with machines, one for the ports that come and go."""
    words, ports = ["--", "ls-add", "pool"], []
    for s in range(3):
        words += ["--", "ls-add", f"base{s}"]
        for p in range(4):
            ports.append(f"vm{s}{p}")
            words += ["--", "lsp-add", f"base{s}", ports[-1], "--", "lsp-set-addresses", ports[-1], f"0a:00:00:00:{s:02x}:{p:02x} 10.0.{s}.{p + 1}"]
    world.nbctl(*words)
    return ports


def run(args, world, log):
    world.northd_lock = threading.RLock()              # Who stops or starts a northd.
    world.up()
    ports = base_network(world)
    world.settle()
    log("the network is up")
    seed = args.seed
    writers = [Tool(world, seed, "tool1"), Tool(world, seed, "tool2"), Ports(world, seed, "port", "pool"), Counter(world, seed, "count"),
               Plugs(world, seed, "plug", ports)]
    monkeys = [Central(world, seed, log), Edge(world, seed, log)]
    for t in writers + monkeys:
        t.start()
    wait(args.seconds, lambda: any(t.failure for t in writers + monkeys))
    for t in monkeys + writers:
        t.finish()
    for w in writers:
        log(f"{w.name}: {w.counts}, the slowest took {w.slowest:.1f} s")
    log("did: " + ", ".join(f"{n} {a}" for m in monkeys for a, n in sorted(m.done.items())))
    if args.seconds >= 20:
        assert sum(w.counts["acknowledged"] for w in writers) > args.seconds * 2, "little was written: this run says nothing"
    world.settle()
    log("all is mended and has caught up")
    checks.all_of_them(world, writers, log)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--seed", type=int, default=random.randrange(1 << 30))
    parser.add_argument("--keep", action="store_true", help="keep directories, though all is well")
    parser.add_argument("--inside", action="store_true", help=argparse.SUPPRESS)
    args = parser.parse_args()
    print(f"seed {args.seed}, {args.seconds:g} s", flush=True)
    process.be_interruptible()
    log, world, good = Log(), World(), False
    try:
        run(args, world, log)
        good = True
    except BaseException:
        traceback.print_exc(file=sys.stdout)
    finally:
        try:
            world.down(keep=args.keep or not good)
        except Exception:
            traceback.print_exc(file=sys.stdout)
            good = False
    log(f"seed {args.seed}: {'passed' if good else 'FAILED'}")
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())

"""What the tests of this folder made the tools do: which commands ended well and which were refused, by the tools' own exit statuses.

conftest.Tool tells record() of every run of our tools on our schema; test_coverage.py looks at the whole when everything else has run. So a command counts when
it ran, and not when a test mentions it; in a line of several commands nobody knows who was refused, so only the line's success counts."""
import functools
import os
import re
import subprocess

# What the frame says before a command of it runs: wrong numbers of arguments and options that it does not have are refused alike for all.
USAGE = re.compile(r"command (requires at least|takes at most|has no)|option on '|missing command name|unknown command|unrecognized option|specified multiple times|"
                   r"no argument is allowed|requires an argument|database connection failed")


class Record:
    def __init__(self):
        self.well, self.refused, self.misused = set(), set(), set()
        self.n, self.cpu = 0, 0.0


records = {}                      # By name of the tool.


def record_of(tool):
    return records.setdefault(tool, Record())


@functools.cache
def table(path):
    """The commands of a tool: name -> arguments."""
    lines = subprocess.run([path, "--commands"], check=True, stdout=subprocess.PIPE, text=True).stdout.rstrip("\n").split("\n")
    return {name: arguments for _, _, name, arguments, _ in (line.split("\t") for line in lines)}


def commands_of(path, argv):
    """The commands of a line, in order. Words before a command's name are options and their arguments."""
    calls, call = [], []
    for word in [*argv, "--"]:
        if word == "--":
            name = next((w for w in call if w in table(path)), None)
            calls += [name] if name else []
            call = []
        else:
            call.append(word)
    return calls


def record(path, argv, result, cpu):
    """A run of the tool PATH ended with RESULT and took CPU seconds."""
    commands, r = commands_of(path, argv), record_of(os.path.basename(path))
    r.n += 1
    r.cpu += cpu
    if result.status == 0:
        r.well.update(() if "--dry-run" in argv else commands)
    elif result.status == 1 and len(commands) == 1 and result.err:
        (r.misused if USAGE.search(result.err) else r.refused).update(commands)

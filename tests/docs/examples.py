"""Examples in the manual pages, and running them.

In a page's source (docs/man/*.scd) the comment `; test: WHERE` before a literal block says that the block is a session at a shell: a
line that begins with "$ " is a command (with the lines after it that a backslash at the end asks for), the lines up to the next
one are what it prints, on both streams. "..." stands for anything in a line, and for any lines when it stands alone.

WHERE is `server` (both databases empty on an ovsdb-server, with ovn-northd) or `lab` (the lab's default network, up). The
blocks of a page in one place follow each other, in one shell.
"""
import os
import re
import shutil
import subprocess
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path

from pages import BIN, BUILD, LAB, REPO


@dataclass
class Step:
    line: int
    command: str
    expected: list = field(default_factory=list)


def steps(source):
    """{WHERE: [Step]} of the page at SOURCE."""
    found, where, inside, step, indent = {}, None, False, None, ""
    for number, raw in enumerate(source.read_text().splitlines(), 1):
        line = raw.removeprefix(indent) if inside else raw.lstrip("\t")
        if line.startswith("; test: "):
            where = line.split()[2]
            assert where in ("server", "lab"), f"{source.name}:{number}: no such place: {where}"
        elif line == "```" and not inside and where:
            inside, step, indent = True, None, raw.removesuffix("```")
        elif line == "```" and inside:
            inside = where = None
        elif inside:
            if step and step.command.endswith("\\") and not step.expected:
                step.command += "\n" + line
            elif line.startswith("$ "):
                step = Step(number, line[2:])
                found.setdefault(where, []).append(step)
            else:
                assert step, f"{source.name}:{number}: output without a command"
                step.expected.append(line)
        else:
            assert where is None or not line, f"{source.name}:{number}: a mark is followed by a literal block"
    return found


def matches(expected, printed):
    """Whether the lines PRINTED are as EXPECTED says."""
    pattern = "".join(r"(?:.*\n)*" if line.strip() == "..." else re.escape(line).replace(r"\.\.\.", ".*") + r"\n" for line in expected)
    return re.fullmatch(pattern, "".join(line + "\n" for line in printed)) is not None


class Shell:
    """One shell for several commands."""

    def __init__(self, env):
        self.process = subprocess.Popen(["bash", "--norc", "--noprofile"], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                        stderr=subprocess.STDOUT, text=True, env=env, cwd=REPO)

    def run(self, command):
        mark = "@end-of-example@"
        self.process.stdin.write(f"{command}\nstatus=$?; echo; echo {mark}; (exit $status)\n")
        self.process.stdin.flush()
        lines = []
        for line in self.process.stdout:
            if line.rstrip("\n") == mark:
                break
            lines.append(line.rstrip("\n"))
        else:
            raise AssertionError(f"the shell ended in: {command}")
        return lines[:-1] if lines and not lines[-1] else lines

    def close(self):
        self.process.stdin.close()
        self.process.wait(timeout=20)


def play(source, where, env):
    """Runs the examples of SOURCE; AssertionError names the first that does not do what it says."""
    shell = Shell(env)
    try:
        for step in steps(source)[where]:
            printed = shell.run(step.command)
            assert matches(step.expected, printed), "\n".join([
                f"{source.name}:{step.line}: $ {step.command}", "expected:", *step.expected, "printed:", *printed])
    finally:
        shell.close()


class Server:
    """Both databases, empty, on one ovsdb-server, and ovn-northd."""

    def __enter__(self):
        self.dir = Path(tempfile.mkdtemp(prefix="ovn-docs-"))
        self.env = {k: v for k, v in os.environ.items() if not k.startswith(("OVN_", "OVS_"))}
        self.env.update(OVN_RUNDIR=str(self.dir), OVS_RUNDIR=str(self.dir), OVN_LOGDIR=str(self.dir),
                        OVN_NB_DB=f"unix:{self.dir}/db.sock", OVN_SB_DB=f"unix:{self.dir}/db.sock", OVS_CTL_TIMEOUT="30",
                        PATH=f"{BIN}:{os.environ['PATH']}", LC_ALL="C")
        for db in "nb", "sb":
            subprocess.run(["ovsdb-tool", "create", f"{self.dir}/{db}.db", f"{BUILD}/schema/ovn-{db}.ovsschema"], check=True)
        self.server = subprocess.Popen(["ovsdb-server", f"--remote=punix:{self.dir}/db.sock", f"--unixctl={self.dir}/db.ctl",
                                        "-vconsole:off", f"{self.dir}/nb.db", f"{self.dir}/sb.db"], stderr=subprocess.DEVNULL)
        deadline = time.monotonic() + 20
        while not (self.dir / "db.sock").exists():
            assert time.monotonic() < deadline and self.server.poll() is None
            time.sleep(0.01)
        subprocess.run([BIN / "ovn-northd", "--detach", "--no-chdir", "--pidfile", "--log-file", "-vconsole:off"], env=self.env,
                       check=True, timeout=20)
        subprocess.run([BIN / "ovn-nbctl", "--wait=sb", "sync"], env=self.env, check=True, timeout=20)     # It is active.
        return self

    def __exit__(self, *_):
        subprocess.run([BIN / "ovn-appctl", "-t", "ovn-northd", "exit"], env=self.env, timeout=20)
        self.server.terminate()
        self.server.wait()
        shutil.rmtree(self.dir)


class Network:
    """The lab's default network."""

    def __enter__(self):
        self.dir = tempfile.mkdtemp(prefix="ovn-docs-lab-")
        self.env = {k: v for k, v in os.environ.items() if not k.startswith(("OVN_", "OVS_"))}
        self.env.update(OVN_LAB_DIR=self.dir, OVN_LAB_NORTHD=str(BIN), OVN_LAB_CONTROLLER=str(BIN), OVN_LAB_NBCTL=str(BIN),
                        OVN_LAB_SBCTL=str(BIN), OVN_LAB_SCHEMA=str(BUILD / "schema"), PATH=f"{LAB.parent}:{BIN}:{os.environ['PATH']}",
                        OVS_CTL_TIMEOUT="30", LC_ALL="C", PYTHONDONTWRITEBYTECODE="1")
        subprocess.run([LAB, "up", "--quiet"], env=self.env, check=True, timeout=90)
        return self

    def __exit__(self, *_):
        subprocess.run([LAB, "down"], env=self.env, timeout=60, stdout=subprocess.DEVNULL)
        shutil.rmtree(self.dir, ignore_errors=True)


PLACES = {"server": Server, "lab": Network}

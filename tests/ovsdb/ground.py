"""ground.py - what the tests of the OVSDB client stand on: real servers, a proxy that can misbehave, the probe.

Everything lives in a temporary directory of one test and is stopped, by process id, when the test ends.
"""
import contextlib
import json
import os
import pathlib
import queue
import re
import shutil
import signal
import socket
import subprocess
import tempfile
import threading
import time

SCHEMAS = pathlib.Path(os.environ["SCHEMAS"])
NAMES = {"nb": "OVN_Northbound", "sb": "OVN_Southbound"}
ZERO = "00000000-0000-0000-0000-000000000000"


def wait_until(what, condition, seconds=8):
    end = time.monotonic() + seconds
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > end:
            raise AssertionError(f"not within {seconds} s: {what}")
        time.sleep(0.01)


def schema(kind):
    return json.loads((SCHEMAS / f"ovn-{kind}.ovsschema").read_text())


def run(*argv):
    return subprocess.run([str(a) for a in argv], check=True, capture_output=True, text=True, timeout=30).stdout


class Messages:
    """Takes JSON values out of a stream of bytes."""

    def __init__(self):
        self.text = ""
        self.decoder = json.JSONDecoder()

    def feed(self, data):
        self.text = (self.text + data.decode()).lstrip()
        while self.text:
            try:
                value, end = self.decoder.raw_decode(self.text)
            except json.JSONDecodeError:
                return
            self.text = self.text[end:].lstrip()
            yield value


class Rpc:
    """Our own plain connection to a server, to change and look at a database from outside."""

    def __init__(self, path):
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(10)
        self.sock.connect(str(path))
        self.messages = Messages()
        self.ready = []
        self.id = 0

    def call(self, method, *params):
        self.id += 1
        self.sock.sendall(json.dumps({"id": self.id, "method": method, "params": params}).encode())
        while True:
            while self.ready:
                message = self.ready.pop(0)
                if message.get("id") == self.id:
                    assert not message.get("error"), message
                    return message["result"]
            data = self.sock.recv(1 << 20)
            assert data, "the server closed the connection"
            self.ready += self.messages.feed(data)

    def transact(self, db, *ops):
        results = self.call("transact", db, *ops)
        assert not any("error" in (r or {}) for r in results), results
        return results

    def insert(self, db, table, **row):
        return self.transact(db, {"op": "insert", "table": table, "row": row})[0]["uuid"][1]


class Server:
    """A real ovsdb-server."""

    def __init__(self, ground, kind, path=None, cluster=None, the_schema=None, name="s"):
        self.ground, self.kind, self.name = ground, kind, name
        self.db = NAMES[kind]
        self.sock = ground.dir / f"{name}.sock"
        self.ctl = ground.dir / f"{name}.ctl"
        self.file = ground.dir / f"{name}.db"
        self.process = None
        if the_schema is None:
            the_schema = schema(kind)
        if path is None:
            text = ground.dir / f"{name}.ovsschema"
            text.write_text(json.dumps(the_schema))
            raft = f"unix:{ground.dir}/{name}.raft"
            if cluster is None:
                run("ovsdb-tool", "create", self.file, text)
            elif cluster == "new":
                run("ovsdb-tool", "create-cluster", self.file, text, raft)
            else:
                run("ovsdb-tool", "join-cluster", self.file, self.db, raft, f"unix:{ground.dir}/{cluster}.raft")
            self.args = [self.file]
        else:
            self.args = [path] if path else []

    def start(self):
        self.process = self.ground.popen(
            ["ovsdb-server", "-vconsole:off", "-vsyslog:off", f"--remote=punix:{self.sock}", f"--unixctl={self.ctl}",
             *map(str, self.args)])
        wait_until(f"{self.name} serves", lambda: self.ctl.exists() and self.sock.exists())
        return self

    def appctl(self, *command):
        return run("ovs-appctl", "-t", self.ctl, *command)

    def kill(self):
        self.process.kill()
        self.process.wait()
        for path in (self.sock, self.ctl):
            with contextlib.suppress(FileNotFoundError):
                path.unlink()

    def rpc(self):
        return Rpc(self.sock)

    def remote(self):
        return f"unix:{self.sock}"


class Proxy:
    """Between a client and a server. HOOK(self, message, to_server) returns what to pass on: a message, None (nothing), or an
    Exception (the connection is cut). With a hook the messages are counted and kept, decoded."""

    def __init__(self, ground, server, name="p", hook=None):
        self.path = ground.dir / f"{name}.sock"
        self.server, self.hook = server, hook
        self.seen = []                 # (to_server, message)
        self.pairs = []
        self.listener = socket.socket(socket.AF_UNIX)
        self.listener.bind(str(self.path))
        self.listener.listen()
        ground.later(self.listener.close)
        ground.later(self.cut)
        threading.Thread(target=self.accept, daemon=True).start()

    def remote(self):
        return f"unix:{self.path}"

    def accept(self):
        while True:
            try:
                client, _ = self.listener.accept()
            except OSError:
                return
            server = socket.socket(socket.AF_UNIX)
            try:
                server.connect(str(self.server.sock))
            except OSError:
                client.close()
                continue
            self.pairs.append((client, server))
            for a, b, to_server in ((client, server, True), (server, client, False)):
                threading.Thread(target=self.pump, args=(a, b, to_server), daemon=True).start()

    def pump(self, a, b, to_server):
        messages = Messages()
        with contextlib.suppress(OSError):
            while data := a.recv(1 << 20):
                for m in messages.feed(data):
                    self.seen.append((to_server, m))
                    if self.hook:
                        m = self.hook(self, m, to_server)
                    if isinstance(m, Exception):
                        raise OSError
                    if isinstance(m, tuple):           # An answer to the sender.
                        a.sendall(json.dumps(m[0]).encode())
                    elif m is not None:
                        b.sendall(json.dumps(m).encode())
        for s in (a, b):
            with contextlib.suppress(OSError):
                s.shutdown(socket.SHUT_RDWR)

    def cut(self):
        for pair in self.pairs:
            for s in pair:
                with contextlib.suppress(OSError):
                    s.shutdown(socket.SHUT_RDWR)
        self.pairs = []

    def requests(self, method):
        return [m for to_server, m in self.seen if to_server and m.get("method") == method]

    def reply_to(self, request):
        """The first reply after REQUEST with its id."""
        i = next(i for i, (_, m) in enumerate(self.seen) if m is request)
        return next((m for to_server, m in self.seen[i:] if not to_server and m.get("id") == request["id"]), None)


class Fake:
    """A server that sends what TALK(connection) makes it send."""

    def __init__(self, ground, talk, name="f"):
        self.path = ground.dir / f"{name}.sock"
        self.talk, self.connections = talk, 0
        self.listener = socket.socket(socket.AF_UNIX)
        self.listener.bind(str(self.path))
        self.listener.listen()
        ground.later(self.listener.close)
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        while True:
            try:
                c, _ = self.listener.accept()
            except OSError:
                return
            self.connections += 1
            threading.Thread(target=self.serve, args=(c,), daemon=True).start()

    def serve(self, c):
        with contextlib.suppress(OSError):
            self.talk(c)
        c.close()

    def remote(self):
        return f"unix:{self.path}"


class Probe:
    """The C client under test, see ovsdb_probe.c."""

    def __init__(self, ground, kind, remotes, *options, use=("use-all",)):
        self.process = ground.popen([ground.probe, kind, remotes, *use, *options], stdin=subprocess.PIPE,
                                    stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        self.sanitized = b"__asan_init" in pathlib.Path(ground.probe).read_bytes()
        ground.clients.append(self)
        self.answers, self.results, self.log = queue.Queue(), {}, []
        threading.Thread(target=self.read_stdout, daemon=True).start()
        self.log_thread = threading.Thread(target=self.read_stderr, daemon=True)
        self.log_thread.start()

    def read_stdout(self):
        for line in self.process.stdout:
            line = line.decode().rstrip("\n")
            if m := re.match(r"result (\d+) (\S+) seen=(\d) incremented=(-?\d+) (.*)", line):
                self.results[int(m[1])] = (m[2], m[3] == "1", int(m[4]), m[5])
            else:
                self.answers.put(line)

    def read_stderr(self):
        for line in self.process.stderr:
            self.log.append(line.decode(errors="replace").rstrip("\n"))

    def send(self, line):
        self.process.stdin.write(line.encode() + b"\n")
        self.process.stdin.flush()

    def ask(self, line):
        self.send(line)
        return self.answer()

    def answer(self):
        try:
            return self.answers.get(timeout=10)
        except queue.Empty:
            raise AssertionError(f"the probe is silent (exit {self.process.poll()}): " + "\n".join(self.log[-5:])) from None

    def status(self):
        m = re.match(r"status connected=(\d) ready=(\d) lock=(\d) seqno=(\d+) pending=(\d+) rx=(\d+) error=(.*)",
                     self.ask("status"))
        return dict(zip(("connected", "ready", "lock", "seqno", "pending", "rx"), map(int, m.groups()[:6])), error=m[7])

    def until(self, seconds=8, **want):
        """Until the status says what is wanted; a text wanted need only occur."""
        def reached():
            got = self.status()
            return all(v in got[k] if isinstance(v, str) else got[k] == v for k, v in want.items()) and got
        try:
            return wait_until(want, reached, seconds)
        except AssertionError as e:
            raise AssertionError(f"{e}: {self.status()}\n" + "\n".join(self.log[-5:])) from None

    def rows(self, table):
        self.send(f"rows {table}")
        rows = {}
        while (line := self.answer()) != "end":
            _, uuid, text = line.split(" ", 2)
            rows[uuid] = json.loads(text)
        return rows

    def count(self, table):
        return int(self.ask(f"count {table}").split()[1])

    def changes(self):
        return int(self.ask("changes").split()[1])

    def has(self, *what):
        return self.ask("has " + " ".join(what)) == "has 1"

    def condition(self, table, condition):
        return int(self.ask(f"condition {table} {json.dumps(condition)}").split()[1])

    def reached(self, n=0):
        return self.ask(f"reached {n}") == "reached 1"

    def commit(self, *ops):
        """Commits; returns a function that waits for (status, seen, incremented, error)."""
        for op in ops:
            self.send(op)
        n = int(self.ask("commit").split()[1])
        return lambda: wait_until(f"an answer to transaction {n}", lambda: self.results.get(n))

    def rss(self):
        """KB; of no meaning with AddressSanitizer, which keeps what was freed."""
        if self.sanitized:
            return 0
        return int(re.search(r"VmRSS:\s+(\d+)", pathlib.Path(f"/proc/{self.process.pid}/status").read_text())[1])

    def end(self):
        """A client that lives ends cleanly at the end of its input: no leak, no complaint of a sanitizer."""
        if self.process.poll() is None:
            self.process.stdin.close()
            status = self.process.wait(10)
            wait_until("the end of its log", lambda: not self.log_thread.is_alive())
            assert status == 0 and not self.logged("runtime error"), f"the probe ended with {status}:\n" + "\n".join(self.log[-30:])

    def logged(self, text):
        return any(text in line for line in self.log)

    def logs(self, text):
        """Waits for it: a thread reads the log, which may be behind the answers."""
        return wait_until(f"{text!r} in the log", lambda: self.logged(text))


class Ground:
    """One test's directory, processes and sockets."""

    def __init__(self, probe):
        self.probe = probe
        self.dir = pathlib.Path(tempfile.mkdtemp(prefix="ovsdbt"))
        self.processes, self.clients, self.cleanups = [], [], []

    def __enter__(self):
        return self

    def __exit__(self, kind, *exc):
        try:
            if kind is None:
                for c in self.clients:
                    c.end()
        finally:
            self.clean()

    def clean(self):
        for p in self.processes:
            if p.poll() is None:
                p.send_signal(signal.SIGCONT)
                p.kill()
            p.wait()
        for f in self.cleanups:
            f()
        shutil.rmtree(self.dir, ignore_errors=True)

    def later(self, f):
        self.cleanups.append(f)

    def popen(self, argv, **how):
        how.setdefault("stdin", subprocess.DEVNULL)
        p = subprocess.Popen([str(a) for a in argv], **how)
        self.processes.append(p)
        return p

    def server(self, kind="nb", **how):
        return Server(self, kind, **how).start()

    def client(self, kind, remotes, *options, **how):
        return Probe(self, kind, remotes if isinstance(remotes, str) else remotes.remote(), *options, **how)

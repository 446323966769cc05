"""writers.py - those who change the network during a chaos run, and know what was acknowledged.

A change is *acknowledged* (it must be there, once), *unknown* (the connection broke or time ran out before the answer: it may be there, once), or
refused, which no change here deserves: a refusal is a failure of the run.
"""
import json
import signal
import socket
import time

from world import Worker, address, eventually, remotes

ACKNOWLEDGED, UNKNOWN = "acknowledged", "unknown"


class Writer(Worker):
    """Makes one change after the other."""

    def __init__(self, world, seed, name):
        super().__init__(world, seed, name)
        self.n, self.slowest, self.counts = 0, 0.0, {ACKNOWLEDGED: 0, UNKNOWN: 0}

    def step(self):
        began = time.monotonic()
        self.change()
        self.slowest = max(self.slowest, time.monotonic() - began)
        self.pause(0, 0.05)

    def note(self, outcome):
        self.counts[outcome] += 1
        return outcome


class Tracked(Writer):
    """Keeps what must be there (True), must not be there (False) or may be there (None), by name, and at most LIVE alive."""
    LIVE = 12

    def __init__(self, *args):
        super().__init__(*args)
        self.state = {}

    def change(self):
        alive = [n for n, s in self.state.items() if s]
        if len(alive) >= self.LIVE or (alive and self.rng.random() < 0.3):
            name = alive[0]
            self.state[name] = False if self.note(self.remove(name)) == ACKNOWLEDGED else None
        else:
            name, self.n = f"{self.name}-{self.n}", self.n + 1
            self.state[name] = True if self.note(self.add(name)) == ACKNOWLEDGED else None

    def check(self, found):
        """FOUND: the names in the database."""
        mine = [n for n in found if n.startswith(self.name + "-")]
        doubled = {n for n in mine if mine.count(n) > 1}
        lost = [n for n, s in self.state.items() if s and n not in mine]
        undead = [n for n, s in self.state.items() if s is False and n in mine]
        strange = [n for n in mine if n not in self.state]
        assert not (doubled or lost or undead or strange), \
            f"{self.name}: doubled {doubled}, lost {lost}, deleted and there {undead}, never asked for {strange}"


class Tool(Tracked):
    """Logical switches, by ovn-nbctl, a process each."""
    TABLE = "Logical_Switch"

    def command(self, *args):
        r = self.world.client.program("ovn-nbctl", "--timeout=20", f"--db={remotes('nb')}", *args)
        if r.status == 0:
            return ACKNOWLEDGED
        # A server that hangs is not noticed before --timeout is up, which ends ovn-nbctl by SIGALRM.
        assert "may or may not have been made" in r.err or r.status == -signal.SIGALRM, r
        return UNKNOWN

    def add(self, name):
        return self.command("--add-duplicate", "ls-add", name, "--", "lsp-add", name, f"{name}-p", "--",
                            "lsp-set-addresses", f"{name}-p", "0a:00:00:00:00:01 10.0.0.1")

    def remove(self, name):
        return self.command("--if-exists", "ls-del", name)


class Raw:
    """A plain connection to some member, made when needed; a transaction is sent once and never again."""

    def __init__(self, rng, database, port):
        self.rng, self.database, self.port, self.sock = rng, database, port, None

    def connect(self):
        s = socket.create_connection((address(self.rng.randrange(3)), self.port), timeout=3)
        s.settimeout(12)
        self.sock, self.text = s, ""

    def transact(self, *operations):
        """(outcome, results). Raises what a server refuses."""
        while True:
            try:
                if not self.sock:
                    self.connect()
                break
            except OSError:
                time.sleep(0.05)
        try:
            self.sock.sendall(json.dumps({"id": 1, "method": "transact", "params": [self.database, *operations]}).encode())
            while True:
                message = self.receive()
                if message.get("method") == "echo":
                    self.sock.sendall(json.dumps({"id": message["id"], "result": message["params"], "error": None}).encode())
                elif message.get("id") == 1:
                    break
        except (OSError, ValueError):
            self.close()
            return UNKNOWN, None
        errors = [r["error"] for r in [message, *(message["result"] or [])] if r and r.get("error")]
        if not errors:
            return ACKNOWLEDGED, message["result"]
        # A server that lost its cluster says so; whether the change was on its way by then it does not say.
        assert all("not leader" in str(e) or "cluster" in str(e) or "disconnected" in str(e) for e in errors), message
        self.close()
        return UNKNOWN, None

    def receive(self):
        while True:
            try:
                message, end = json.JSONDecoder().raw_decode(self.text)
                self.text = self.text[end:].lstrip()
                return message
            except json.JSONDecodeError:
                data = self.sock.recv(1 << 16)
                if not data:
                    raise ConnectionError("closed") from None
                self.text += data.decode()

    def close(self):
        self.sock.close()
        self.sock = None


class Ports(Tracked):
    """Ports of one switch, by transactions of our own, to whichever server."""
    TABLE = "Logical_Switch_Port"

    def __init__(self, world, seed, name, switch):
        super().__init__(world, seed, name)
        self.switch, self.raw = switch, Raw(self.rng, "OVN_Northbound", 6641)

    def add(self, name):
        mutation = [["ports", "insert", ["named-uuid", "p"]]]
        return self.raw.transact({"op": "insert", "table": self.TABLE, "uuid-name": "p", "row": {"name": name, "addresses": "unknown"}},
                                 {"op": "mutate", "table": "Logical_Switch", "where": [["name", "==", self.switch]],
                                  "mutations": mutation})[0]

    def remove(self, name):
        outcome, rows = self.raw.transact({"op": "select", "table": self.TABLE, "where": [["name", "==", name]], "columns": ["_uuid"]})
        if outcome == UNKNOWN or not rows[0]["rows"]:
            # A server that has not caught up shows an older state: the port is there nevertheless.
            return UNKNOWN
        mutation = [["ports", "delete", rows[0]["rows"][0]["_uuid"]]]
        return self.raw.transact({"op": "mutate", "table": "Logical_Switch", "where": [["name", "==", self.switch]],
                                  "mutations": mutation})[0]


class Counter(Writer):
    """Counts a number in the database up: it tells a change that was made twice, and one that was lost."""

    def __init__(self, world, seed, name):
        super().__init__(world, seed, name)
        self.raw = Raw(self.rng, "OVN_Northbound", 6641)
        world.local("nb").transact(
            {"op": "insert", "table": "Meter_Band", "uuid-name": "b", "row": {"action": "drop", "rate": 1, "burst_size": 0}},
            {"op": "insert", "table": "Meter", "row": {"name": name, "unit": "pktps", "bands": ["named-uuid", "b"]}})

    def change(self):
        self.note(self.raw.transact({"op": "mutate", "table": "Meter_Band", "where": [], "mutations": [["burst_size", "+=", 1]]})[0])

    def check(self):
        value = self.world.local("nb").select("Meter_Band")[0]["burst_size"]
        low = self.counts[ACKNOWLEDGED]
        assert low <= value <= low + self.counts[UNKNOWN], f"counted to {value}; {self.counts}"


class Plugs(Writer):
    """Machines that are plugged, unplugged, and plugged elsewhere: PORTS are there all the time."""

    def __init__(self, world, seed, name, ports):
        super().__init__(world, seed, name)
        self.ports, self.at = ports, {}

    def local(self, host, *words):
        """ovs-vsctl, also while the hypervisor's own database is being restarted."""
        def tried():
            try:
                host.vsctl("--no-wait", *words)
                return True
            except Exception as e:
                last.append(str(e))
                return False
        last = []
        eventually(tried, 20, f"{host.name}: ovs-vsctl {words}: {last[-1:]}")
        self.note(ACKNOWLEDGED)

    def change(self):
        port = self.rng.choice(self.ports)
        host = self.at.pop(port, None)
        if host:
            self.local(host, "--if-exists", "del-port", "br-int", f"i-{port}")
        if not host or self.rng.random() < 0.6:
            host = self.rng.choice(self.world.hosts)
            self.local(host, "--may-exist", "add-port", "br-int", f"i-{port}", "--", "set", "Interface", f"i-{port}", "type=dummy",
                       f"external_ids:iface-id={port}")
            self.at[port] = host
        self.pause(0, 0.4)

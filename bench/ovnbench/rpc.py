"""A blocking OVSDB client (RFC 7047) over a Unix socket that stays connected, so that what is measured is
the daemon and not connecting. Its answers may have tens of megabytes; a message's end is found in one pass."""
import json
import re
import socket

from . import BenchError

_TOKEN = re.compile(rb'"(?:[^"\\]|\\.)*"|[{}]|["]', re.DOTALL)


class Client:
    def __init__(self, path, db):
        self.db, self.n, self.data = db, 0, b""
        self.socket = socket.socket(socket.AF_UNIX)
        try:
            self.socket.connect(path)
        except OSError:
            self.socket.close()
            raise

    def close(self):
        self.socket.close()

    def transact(self, *ops, timeout=900):
        """Runs OPS in one transaction; returns their results."""
        self.n += 1
        self.socket.settimeout(timeout)
        self._send({"id": self.n, "method": "transact", "params": [self.db, *ops]})
        while True:
            message = self._receive()
            if message.get("method") == "echo":
                self._send({"id": message["id"], "result": message["params"], "error": None})
            elif message.get("id") == self.n:
                break
        if message.get("error"):
            raise BenchError(f"{self.db}: {message['error']}")
        for result in message["result"]:
            if result and result.get("error"):
                raise BenchError(f"{self.db}: {result['error']}: {result.get('details', '')}")
        return message["result"]

    def _send(self, message):
        self.socket.sendall(json.dumps(message).encode())

    def _receive(self):
        pieces, depth, rest = [], 0, self.data
        try:
            while True:
                at = 0
                for token in _TOKEN.finditer(rest):
                    c = token.group()
                    if c == b'"':               # A string that is not all here: looked at again with what follows.
                        break
                    at = token.end()
                    depth += (c == b"{") - (c == b"}")
                    if c == b"}" and not depth:
                        pieces.append(rest[:at])
                        self.data = rest[at:]
                        return json.loads(b"".join(pieces))
                more = self.socket.recv(1 << 20)
                if not more:
                    raise BenchError(f"{self.db}: the server closed the connection")
                pieces.append(rest[:at])
                rest = rest[at:] + more
        except TimeoutError:
            raise BenchError(f"{self.db}: no answer in {self.socket.gettimeout():.0f} s") from None

    def select(self, table, columns, where=()):
        return self.transact({"op": "select", "table": table, "where": list(where), "columns": list(columns)})[0]["rows"]

    def wait(self, table, row, where=(), timeout=2):
        """True once each row of TABLE that meets WHERE has the columns of ROW (the server tells, nobody polls);
        False after TIMEOUT seconds."""
        try:
            self.transact({"op": "wait", "table": table, "where": list(where), "columns": list(row), "until": "==",
                           "rows": [row], "timeout": timeout * 1000}, timeout=timeout + 60)
            return True
        except BenchError as e:
            if "timed out" in str(e):
                return False
            raise


def map_(d):
    return ["map", [[k, v] for k, v in d.items()]]


def set_(values):
    return ["set", list(values)]


def named(name):
    return ["named-uuid", name]


def equals(column, value):
    return [column, "==", value]


def insert(table, row, name=None):
    op = {"op": "insert", "table": table, "row": row}
    return dict(op, **{"uuid-name": name}) if name else op


def update(table, where, row):
    return {"op": "update", "table": table, "where": [where], "row": row}


def mutate(table, where, *mutations):
    return {"op": "mutate", "table": table, "where": [where] if where else [], "mutations": [list(m) for m in mutations]}

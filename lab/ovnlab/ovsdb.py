"""A very small OVSDB client (RFC 7047) over a Unix socket: enough to select, to change, and to let the
server tell when something has become true. It needs none of the command-line tools that a lab tests."""
import json
import socket
import time

from . import LabError


def scalar(value):
    """A column's value as plain Python: sets as lists (one of optional columns as itself), maps as dicts."""
    if isinstance(value, list) and len(value) == 2:
        kind, v = value
        if kind == "set":
            return [scalar(x) for x in v]
        if kind == "map":
            return {scalar(k): scalar(x) for k, x in v}
        if kind in ("uuid", "named-uuid"):
            return v
    return value


class Database:
    """One database behind a Unix socket. A connection a call: cheap, and a restarted server is no matter."""

    def __init__(self, path, name):
        self.path, self.name = str(path), name

    def transact(self, *operations, timeout=10.0):
        """Runs the operations in one transaction; returns their results or raises LabError."""
        request = {"id": 1, "method": "transact", "params": [self.name, *operations]}
        answer = self._call(json.dumps(request).encode(), time.monotonic() + timeout)
        if answer.get("error"):
            raise LabError(f"{self.name}: {answer['error']}")
        for result in answer["result"]:
            if result and result.get("error"):
                raise LabError(f"{self.name}: {result['error']}: {result.get('details', '')}")
        return answer["result"]

    def _call(self, request, deadline):
        with socket.socket(socket.AF_UNIX) as s:
            try:
                s.settimeout(max(0.01, deadline - time.monotonic()))
                s.connect(self.path)
                s.sendall(request)
                return self._receive(s, deadline)
            except OSError as e:
                raise LabError(f"{self.name} database: {e}") from None

    @staticmethod
    def _receive(s, deadline):
        data, decoder = "", json.JSONDecoder()
        while True:
            s.settimeout(max(0.01, deadline - time.monotonic()))
            piece = s.recv(1 << 20)
            if not piece:
                raise ConnectionError("the server closed the connection")
            data += piece.decode("utf-8", "replace")
            while data:
                try:
                    message, end = decoder.raw_decode(data)
                except json.JSONDecodeError:
                    break
                data = data[end:].lstrip()
                if message.get("method") == "echo":
                    s.sendall(json.dumps({"id": message["id"], "result": message["params"],
                                          "error": None}).encode())
                elif message.get("id") == 1:
                    return message

    def select(self, table, where=(), columns=None):
        """The rows of TABLE that meet WHERE, as dictionaries."""
        op = {"op": "select", "table": table, "where": [list(c) for c in where]}
        if columns:
            op["columns"] = list(columns)
        return [{k: scalar(v) for k, v in row.items()} for row in self.transact(op)[0]["rows"]]

    def wait(self, table, where, timeout, gone=False):
        """True once a row of TABLE meets WHERE (GONE: once none does); False after TIMEOUT seconds.
        A server that is away is asked again."""
        deadline = time.monotonic() + timeout
        while True:
            left = deadline - time.monotonic()
            op = {"op": "wait", "table": table, "where": [list(c) for c in where], "columns": ["_uuid"],
                  "until": "==" if gone else "!=", "rows": [], "timeout": max(0, int(left * 1000))}
            try:
                self.transact(op, timeout=max(left, 0.1) + 2)
                return True
            except LabError as e:
                if "timed out" in str(e) or left <= 0:
                    return False
                if "database:" not in str(e):
                    raise
                time.sleep(0.05)

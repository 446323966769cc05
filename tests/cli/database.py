"""A database as a value: what is in it, putting that into another, and what differs. Speaks RFC 7047 to the server itself, so that
neither of two compared tools is also the judge."""
import hashlib
import json
import socket

MAP_OR_SET = ("map", "set")


class Database:
    """One connection to the Northbound database of a Server (conftest.py)."""

    def __init__(self, server, name="OVN_Northbound"):
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.connect(server.socket)
        self.decoder, self.text, self.id, self.name = json.JSONDecoder(), "", 0, name
        self.schema = self.call("get_schema", [name])["tables"]

    def close(self):
        self.socket.close()

    def call(self, method, params):
        self.id += 1
        self.send({"method": method, "params": params, "id": self.id})
        while True:
            message = self.receive()
            if message.get("method") == "echo":
                self.send({"result": message["params"], "error": None, "id": message["id"]})
            elif message.get("id") == self.id:
                assert message["error"] is None, message
                return message["result"]

    def send(self, message):
        self.socket.sendall(json.dumps(message).encode())

    def receive(self):
        while True:
            try:
                message, end = self.decoder.raw_decode(self.text)
                self.text = self.text[end:].lstrip()
                return message
            except json.JSONDecodeError:
                data = self.socket.recv(1 << 20)
                assert data
                self.text += data.decode()

    def transact(self, *operations):
        results = self.call("transact", [self.name, *operations])
        assert not any(r and r.get("error") for r in results), results
        return results

    def rows(self):
        """{table: {uuid: row}}; nb_cfg and the like of no interest are there, too."""
        results = self.transact(*({"op": "select", "table": t, "where": []} for t in self.schema))
        return {t: {row["_uuid"][1]: {k: v for k, v in row.items() if k not in ("_uuid", "_version")} for row in r["rows"]}
                for t, r in zip(self.schema, results)}

    def restore(self, rows):
        """Makes the database's content ROWS, with their UUIDs."""
        self.transact(*({"op": "delete", "table": t, "where": []} for t in self.schema))
        self.transact(*({"op": "insert", "table": t, "uuid": uuid, "row": row} for t, of in rows.items() for uuid, row in of.items()))


def canonical(rows):
    """ROWS as sorted texts in which a UUID is what the row with it says: equal for databases that differ in UUIDs only."""
    labels = {uuid: table for table, of in rows.items() for uuid in of}

    def named(value):
        if isinstance(value, list):
            if len(value) == 2 and value[0] == "uuid":
                return labels.get(value[1], value[1])
            if len(value) == 2 and value[0] in MAP_OR_SET:
                return [value[0], sorted((named(v) for v in value[1]), key=json.dumps)]
            return [named(v) for v in value]
        return value

    for _ in range(4):                 # References are no longer chains than that.
        labels = {uuid: table + hashlib.md5(json.dumps({k: named(v) for k, v in row.items()}, sort_keys=True).encode()).hexdigest()[:8]
                  for table, of in rows.items() for uuid, row in of.items()}
    return sorted(table + " " + json.dumps({k: named(v) for k, v in row.items() if v not in ("", ["set", []], ["map", []])},
                                           sort_keys=True, ensure_ascii=False)
                  for table, of in rows.items() for row in of.values())


def difference(a, b):
    """The lines that only one of two canonical() has."""
    only_a, only_b = list(a), []
    for line in b:
        try:
            only_a.remove(line)
        except ValueError:
            only_b.append(line)
    return [f"only ours:   {line}" for line in only_a] + [f"only theirs: {line}" for line in only_b]

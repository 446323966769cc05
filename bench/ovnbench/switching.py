"""The workload `switching SWITCHES PORTS`: logical switches and their ports, and single changes to them.

Every port has a MAC and an IPv4 address that no other has; every third has port security, one in fifty also takes
unknown addresses.
"""
from .rpc import equals, insert, mutate, named, set_, update


def mac(kind, switch, port):
    return f"0a:{kind:02x}:{switch >> 8:02x}:{switch & 255:02x}:{port >> 8:02x}:{port & 255:02x}"


def address(kind, switch, port):
    n = (switch << 12) + (kind << 10) + port + 1        # 4,096 addresses a switch, 1,024 of a kind, in 10.0.0.0/8.
    return f"{mac(kind, switch, port)} 10.{n >> 16 & 255}.{n >> 8 & 255}.{n & 255}"


def port_name(switch, port):
    return f"sw{switch}-port{port}"


def port_row(switch, port, kind=0, name=None):
    a = address(kind, switch, port)
    row = {"name": name or port_name(switch, port), "addresses": set_([a, "unknown"]) if port % 50 == 49 else a}
    if port % 3 == 0:
        row["port_security"] = a
    return row


class Switching:
    def __init__(self, stack, switches, ports):
        self.stack, self.switches, self.ports = stack, switches, ports
        self.new = []                                   # Names of the ports that single changes made.

    def __str__(self):
        return f"{self.switches} × {self.ports}"

    def load(self):
        """Writes the network; northd may run or not."""
        for s in range(self.switches):
            names = [f"p{p}" for p in range(self.ports)]
            self.stack.nb.transact(
                *(insert("Logical_Switch_Port", port_row(s, p), names[p]) for p in range(self.ports)),
                insert("Logical_Switch", {"name": f"sw{s}", "ports": set_(named(n) for n in names)}))

    # Single changes: each returns the northbound operations of the I-th one of its kind.

    def nothing(self, i):
        return []

    def _port_add(self, i, switch):
        name = f"new{len(self.new)}"
        row = port_row(switch, len(self.new), 1, name)
        self.new.append((name, switch))
        return [insert("Logical_Switch_Port", row, "new"),
                mutate("Logical_Switch", equals("name", f"sw{switch}"), ["ports", "insert", named("new")])]

    def port_add(self, i):
        return self._port_add(i, i % self.switches)

    def port_add_to(self, switch):
        return lambda i: self._port_add(i, switch)

    def port_address(self, i):
        return [update("Logical_Switch_Port", equals("name", port_name(i % self.switches, 1)),
                       {"addresses": address(2, i % self.switches, 700 + i // self.switches % 200)})]

    def port_disable(self, i):
        return [update("Logical_Switch_Port", equals("name", port_name(i % self.switches, 2)),
                       {"enabled": bool(i // self.switches % 2)})]

    def port_del(self, i):
        name, switch = self.new.pop()
        rows = self.stack.nb.select("Logical_Switch_Port", ["_uuid"], [equals("name", name)])
        return [mutate("Logical_Switch", equals("name", f"sw{switch}"), ["ports", "delete", rows[0]["_uuid"]])]

    def switch_add(self, i):
        return [insert("Logical_Switch", {"name": f"added{i}"})]

    def switch_del(self, i):
        return [{"op": "delete", "table": "Logical_Switch", "where": [equals("name", f"added{i}")]}]

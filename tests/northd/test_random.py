"""The invariant (DESIGN.md 2), as a property: after any sequence of northbound changes, and of edits by hand southbound, what a
living northd has made is what one makes from scratch.

OVN_SEED=n runs one sequence again, and with OVN_SECONDS=n those after it for so long; OVN_SECONDS=n alone runs for longer than the
15 seconds of `make check`."""
import os
import random
import time

from ground import Ground, a_map, content, differences, from_scratch, strings, uuids

SECONDS = float(os.environ.get("OVN_SECONDS", "15"))
STEPS = 25


class World:
    """A network that changes at random; what there is, is asked from the database, not remembered."""

    def __init__(self, ground, rng):
        self.g, self.rng, self.n = ground, rng, 0

    def name(self, kind):
        """Often one that was used before."""
        return f"{kind}{self.rng.randrange(12)}" + self.rng.choice(["", "", "", '"', "é"])

    def addresses(self):
        some = []
        for _ in range(self.rng.choice([0, 1, 1, 1, 2])):
            mac = f"0a:00:00:00:00:{self.rng.randrange(8):02x}"
            ips = self.rng.sample(["10.0.0.1", "10.0.0.2", "fd00::1", "fd00::2", "10.0.0.3/24"], self.rng.randrange(3))
            some.append(" ".join([mac, *ips]))
        some += self.rng.choice([[], [], ["unknown"], ["garbage"], ["dynamic"], ["router"]])
        return strings(sorted(set(some)))

    def port_columns(self):
        r = self.rng
        options = {k: v for k, v in (("requested-tnl-key", str(r.randrange(1, 6))), ("requested-chassis", r.choice(["hv1", "hv2,hv1"])),
                                     ("disable_arp_nd_rsp", "true"), ("force_fdb_lookup", "true"), ("router-port", "x"))
                   if r.random() < 0.15}
        return {"addresses": self.addresses(), "options": a_map(options),
                "type": r.choice(["", "", "", "", "router", "localnet", "localport", "virtual"]),
                "enabled": r.choice([["set", []], True, False]), "port_security": r.choice([strings([]), "0a:00:00:00:00:01"]),
                "external_ids": a_map(r.choice([{}, {"neutron:port_name": "n"}]))}

    def switch_columns(self):
        config = {k: v for k, v in (("vlan-passthru", "true"), ("requested-tnl-key", str(self.rng.randrange(1, 4))))
                  if self.rng.random() < 0.2}
        return {"other_config": a_map(config), "external_ids": a_map(self.rng.choice([{}, {"neutron:network_name": "n"}]))}

    def change(self):
        """One northbound transaction with one or several changes; names may collide, then it does not happen."""
        try:
            self.g.nb.transact(*[op for _ in range(self.rng.choice([1, 1, 1, 3])) for op in self.operations()])
        except Exception as e:
            assert "constraint violation" in str(e) or "referential integrity" in str(e), e

    def operations(self):
        r, self.n = self.rng, self.n + 1
        switches = sorted(x["_uuid"] for x in self.g.nb.select("Logical_Switch", columns=["_uuid"]))
        ports = sorted(x["_uuid"] for x in self.g.nb.select("Logical_Switch_Port", columns=["_uuid"]))
        at = lambda u: [["_uuid", "==", ["uuid", u]]]
        what = r.choice(["switch+", "switch-", "switch!", "port+", "port+", "port+", "port-", "port!", "port!", "rename", "move",
                         "share", "option"])
        if what == "switch+" or not switches:
            return [{"op": "insert", "table": "Logical_Switch", "row": {"name": self.name("s"), **self.switch_columns()}}]
        s = r.choice(switches)
        if what == "switch-":
            return [{"op": "delete", "table": "Logical_Switch", "where": at(s)}]
        if what == "switch!":
            return [{"op": "update", "table": "Logical_Switch", "where": at(s), "row": {"name": self.name("s"), **self.switch_columns()}}]
        if what == "option":
            return [{"op": "update", "table": "NB_Global", "where": [], "row": {"ipsec": r.choice([True, False])}},
                    {"op": "mutate", "table": "NB_Global", "where": [], "mutations": [["options", "delete", ["set", ["ignore_lsp_down"]]]]},
                    *([{"op": "mutate", "table": "NB_Global", "where": [],
                        "mutations": [["options", "insert", a_map({"ignore_lsp_down": "false"})]]}] if r.random() < .5 else [])]
        if what == "port+" or not ports:
            return [{"op": "insert", "table": "Logical_Switch_Port", "uuid-name": f"p{self.n}",
                     "row": {"name": self.name("p"), **self.port_columns()}},
                    {"op": "mutate", "table": "Logical_Switch", "where": at(s),
                     "mutations": [["ports", "insert", ["named-uuid", f"p{self.n}"]]]}]
        p = r.choice(ports)
        if what == "port!":
            columns = self.port_columns()
            return [{"op": "update", "table": "Logical_Switch_Port", "where": at(p),
                     "row": {k: columns[k] for k in r.sample(sorted(columns), 2)}}]
        if what == "rename":
            return [{"op": "update", "table": "Logical_Switch_Port", "where": at(p), "row": {"name": self.name("p")}}]
        take = [{"op": "mutate", "table": "Logical_Switch", "where": [], "mutations": [["ports", "delete", ["uuid", p]]]}]
        give = [{"op": "mutate", "table": "Logical_Switch", "where": at(s), "mutations": [["ports", "insert", ["uuid", p]]]}]
        return take if what == "port-" else take + give if what == "move" else give

    def edit(self):
        """Somebody changes rows that are northd's."""
        r, sb = self.rng, self.g.sb
        table = r.choice(["Datapath_Binding", "Port_Binding", "Logical_Flow", "Multicast_Group", "Logical_DP_Group", "DHCP_Options"])
        rows = sorted(x["_uuid"] for x in sb.select(table, columns=["_uuid"]))
        if not rows:
            return
        where = [["_uuid", "==", ["uuid", r.choice(rows)]]]
        row = {"Datapath_Binding": {"external_ids": a_map(r.choice([{}, {"logical-switch": "x"}]))},
               "Port_Binding": r.choice([{"mac": "x"}, {"options": a_map({"a": "b"})}, {"logical_port": "other"},
                                         {"tunnel_key": r.randrange(1, 9)}]),
               "Logical_Flow": {"actions": "x"}, "Multicast_Group": {"ports": uuids([])},
               "Logical_DP_Group": {"datapaths": uuids([])}, "DHCP_Options": {"code": 200}}[table]
        op = {"op": "delete"} if r.random() < 0.3 and table not in ("Datapath_Binding", "Logical_DP_Group") else {"op": "update", "row": row}
        try:
            sb.transact({"table": table, "where": where, **op})
        except Exception as e:
            assert "constraint violation" in str(e) or "referential integrity" in str(e), e


def run(seed):
    rng = random.Random(seed)
    g = Ground(one_server=True)
    try:
        for hv in ("hv1", "hv2"):
            g.chassis(hv)
        g.up()
        world = World(g, rng)
        for step in range(STEPS):
            for _ in range(rng.choice([1, 1, 2, 6])):
                (world.edit if rng.random() < 0.25 else world.change)()
            if rng.random() < 0.1:
                g.northd.kill()
                g.northd.start()
            if rng.random() < 0.7:
                g.sync()
            if step % 5 == 4:
                g.sync()
                g.verify()
        # An edit may have come after northd looked; once more, now that all is quiet.
        g.sync()
        g.verify()
        found = differences(content(g.sb), from_scratch(g))
        assert not found, "\n".join(found[:10])
        bad = [c for c in g.northd.complaints() if "is requested twice" not in c]
        assert not bad, bad
    finally:
        g.down()


def test_live_is_from_scratch():
    seed = os.environ.get("OVN_SEED")
    if seed and "OVN_SECONDS" not in os.environ:
        run(int(seed))
        return
    end, first = time.monotonic() + SECONDS, int(seed) if seed else random.randrange(1 << 30)
    for seed in range(first, first + 100000):
        print(f"seed {seed}: OVN_SEED={seed}")
        run(seed)
        if time.monotonic() > end:
            break

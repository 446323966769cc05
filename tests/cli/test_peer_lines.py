"""Lines made from a grammar (lines.py), one after the other to our ovn-nbctl and to Debian's on a database of the same content: the same
exit status, the same output (lines of a table in any order), the same database afterwards. What messages say is compared by test_peer.py.

PEER_LINES=N    so many random lines instead of a few; PEER_SEED=S another sequence.
PEER_EVERY=1    every mutation of every command (some ten minutes); otherwise every PEER_EVERY-th.
"""
import os
import random
import re
import shlex
from concurrent.futures import ThreadPoolExecutor

import pytest
from conftest import BUILD, PEER, UUID, Server, Tool
from database import Database, canonical, difference
from lines import WORLD, form_list, mutations, random_line, resolve

pytestmark = pytest.mark.skipif(not (PEER / "usr/bin/ovn-nbctl").exists(), reason="Debian's OVN is not unpacked (make check-peer)")

# Where we differ on purpose. What ours says when it refuses what the peer lets pass and has no use for:
STRICTER = [
    r"must (be )?in (the )?range|invalid tag|Invalid Index|label must|probe takes",       # "5x", "1.5": read by the peer up to the digits.
    r"written as KEY=VALUE|No value specified",                                           # Dropped silently by the peer.
    r"Invalid address format",                                                            # "10.0.0.9/33", "10.0.0.9,".
    r"direction must be|selection must be",                                               # "from-lportx"
    r"Invalid IP address or CIDR|port name not found|bad nexthop argument",               # "10.0.0.256", "010.0.0.1"
    r"address family is|is of another version|matches multiple table names",              # What newer databases have.
    r"policy uuid is not found|no matching route",                                        # The peer forgets to look if more is said.
    r"does not contain a column",                                                         # Asked of a row that is not there.
    r"requires at least 1 arguments",                                                     # The peer dies.
    r"no row .* in table",                                                                # destroy TABLE A A: the peer dies.
]
# Lines to which the peer does something else:
OTHER = [
    r"--may-exist (pg-add|ha-chassis-group-add|mirror-add)|--if-exists (pg-del|ha-chassis-group-del)",     # Options of today's OVN.
    r"lsp-set-type \S+ switch|nf-|acl-add( \S+){6}$",                                     # So are these.
    r"[ =]0x",
    r"\{[^}]+\}[^ ]*,",                                                                  # Several values, compared with a column of one.
    r"--template .*lb-add|lb-add .*--template",                                           # The peer mangles IPv6 addresses.
    r"(fwd-group-add \S+|fwd-group-list|mirror-del|lb-list|lrp-set-gateway-chassis) [0-9a-f]{8}-",        # UUIDs that the peer takes for names.
    r"fwd-group-add [0-9a-f]{8}-|fwd-group-list$",                                        # Without a switch, the peer's list may be empty.
    r"lb-del lb\d (\[(FD|fd30:0|30)|\S+:0\d)",                                                    # The same address, written differently.
    r"lr-policy-del r\d [0-9a-f]{8}-\S+ ",
    r"--route-table\S* .*lr-route-del|lr-route-del .*10\.9\.0\.0/16",                     # Ours heeds it; keeps a BFD session that another uses.
    r"--bfd .*lr-route-add",                                                              # The peer adds a second session for the same.
    r"lr-route-add r\d \d.* [fF][dD]00:",                                                 # IPv4 by an IPv6 next hop.
    r"lr-route-add .*discard",                                                            # --may-exist: the peer keeps the port.
    r"--may-exist .*lr-nat-add",                                                          # The peer forgets the port that is not named.
    r"-add .*-(list|del)|-add .*show|set .*list",                                            # What is new on a line, the peer does not see.
    r"set .*external_ids:\S+ external_ids=",                                              # Ours: the last word counts.
    r"find .*(table|dhcp)|'\"|\"'|a\"b|\\",
    r"add \S+ \S+ (name|match|type) |remove \S+ \S+ (name|match|type) ",
    r"set-connection.*=",
]


GATEWAYS = re.compile(r"(?<=gateway chassis: \[)[^]]*")     # By priority; the peer's come in any order.


def printed(text, known):
    """The lines of TEXT, sorted, in which UUIDs that nobody knew before are alike."""
    text = UUID.sub(lambda m: m.group() if m.group() in known else "NEW", text)
    return sorted(GATEWAYS.sub(lambda m: " ".join(sorted(m.group().split())), text).split("\n"))


class Pair:
    """The two tools, each with a server of its own."""

    def __init__(self):
        self.servers = [Server(PEER / "usr/share/ovn") for _ in range(2)]
        self.tools = [Tool(BUILD / "bin/ovn-nbctl", self.servers[0]), Tool(PEER / "usr/bin/ovn-nbctl", self.servers[1])]
        self.databases = [Database(s) for s in self.servers]
        for line in WORLD.strip().split("\n"):
            self.tools[1].ok(*shlex.split(line))
        self.world = self.state = self.databases[1].rows()
        self.databases[0].restore(self.world)
        self.threads, self.wrong, self.equal = ThreadPoolExecutor(2), [], 0

    def close(self):
        self.threads.shutdown()
        for thing in self.databases + self.servers:
            thing.close()

    def restore(self, state, now):
        for database, rows in zip(self.databases, now):
            if rows != state:
                database.restore(state)
        self.state = state

    def run(self, argv):
        """Runs ARGV on both; the contents of the databases afterwards."""
        known = {uuid for rows in self.state.values() for uuid in rows}
        results = list(self.threads.map(lambda tool: tool(*argv), self.tools))
        now = [database.rows() for database in self.databases]
        out = [printed(r.out, known) for r in results]
        wrong = [f"  {name}: status {r.status} {r.err.strip()[-300:]}" for name, r in zip(("ours", "theirs"), results)]
        if now[0] != self.state or now[1] != self.state:
            for rows in now:
                rows["NB_Global"] = {u: row for u, row in rows["NB_Global"].items() if row["connections"][1] or row["ssl"][1]}
            changes = difference(canonical(now[0]), canonical(now[1]))
        else:
            changes = []
        line = shlex.join(argv)
        self.alike = results[0].status == results[1].status and out[0] == out[1] and not changes
        if self.alike:
            self.equal += 1
        elif not (results[0].status == 1 and any(re.search(s, results[0].err) for s in STRICTER)) and not any(re.search(o, line) for o in OTHER):
            self.wrong.append("\n".join([f"$ ovn-nbctl {line}", *wrong, *difference(*out), *changes]))
        return [database.rows() for database in self.databases]


@pytest.fixture(scope="module")
def pair():
    p = Pair()
    yield p
    p.close()


@pytest.mark.timeout(7200)
def test_mutated_lines_do_as_the_peers(pair):
    """Each command as documented, and everything that can be wrong with one word of it."""
    every, n, seen = int(os.environ.get("PEER_EVERY", 71)), 0, set()
    pair.wrong, pair.equal = [], 0
    for form in form_list():
        for argv in [line for rest in range(2) for line in mutations(form, rest)]:
            if tuple(argv) in seen:
                continue
            seen.add(tuple(argv))
            n += 1
            if n % every == 0:
                pair.restore(pair.world, pair.run(resolve(argv, pair.world)))
    assert not pair.wrong, "\n\n".join(["", *pair.wrong])
    assert pair.equal > n // every // 2


@pytest.mark.timeout(7200)
def test_random_lines_do_as_the_peers(pair):
    """Sequences on what earlier lines have made, up to three commands a line; each begins where both are alike."""
    r, forms = random.Random(os.environ.get("PEER_SEED", "ovn")), form_list()
    lines = int(os.environ.get("PEER_LINES", 120))
    pair.wrong, pair.equal = [], 0
    for _ in range(lines):
        argv = [word for _ in range(r.choice([1, 1, 1, 2, 3])) for word in random_line(r, forms, 0.06)]
        now = pair.run(resolve(argv, pair.state))
        pair.restore(now[1] if pair.alike and r.random() > 0.03 else pair.world, now)
    assert not pair.wrong, "\n\n".join(["", *pair.wrong])
    assert pair.equal > lines // 2

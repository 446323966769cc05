"""The logical language: what it costs to make OpenFlow of the logical flows of the kube workload, as a northd wrote them."""
from .kube import Kube
from .stack import Stack

KUBE, SMALL = (50, 20, 100), (5, 10, 10)        # Nodes, pods of each, services.
COLUMNS = ["pipeline", "table_id", "priority", "match", "actions"]


def write_flows(kind, size, file):
    """The logical flows that KIND's ovn-northd makes of a kube of that size, one a line with tabs between its columns: what bench-logical reads.
    Returns how many there are."""
    with Stack(kind) as s:
        s.central()
        Kube(s, *size).load()
        s.northd()
        s.sync()
        rows = s.sb.select("Logical_Flow", COLUMNS)
    with open(file, "w") as f:
        f.writelines("\t".join(str(r[c]) for c in COLUMNS) + "\n" for r in rows)
    return len(rows)

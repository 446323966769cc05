"""ovnlab - a whole OVN network on one machine: the demo's stage and the tests' ground.

    topology.py   what to build: reads and checks the topology file
    programs.py   which programs to run: ours, another OVN's, or yours
    netns.py      network namespaces and the links between them
    process.py    starting, finding and ending processes, never the wrong one
    ovsdb.py      a very small OVSDB client, to wait for states instead of polling
    daemons.py    how each daemon is started, and where it keeps its files
    lab.py        the lab: up, down, plug, move, ... over a state file
    capture.py    reading captures, and the Geneve header
    cli.py        the ovn-lab command
    demo.py       the demonstration

Everything happens inside namespaces named `ovnlab.LAB.*` and a run directory. The host's own network,
switches and databases are never looked at and never touched.
"""


class LabError(Exception):
    """Something a user can understand and act on; the message says what."""

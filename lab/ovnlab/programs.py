"""Which programs a lab runs.

The most particular word wins: a hypervisor's `controller`, `--use PROGRAM=WHICH`, the environment
(OVN_LAB_NORTHD, OVN_LAB_CONTROLLER, OVN_LAB_NBCTL, OVN_LAB_SBCTL, OVN_LAB_SCHEMA), the topology's
[programs], then for all of them `--bin DIR` (what is in DIR) and `--peer` or OVN_LAB_PEER=1; else what
this tree built. WHICH is `ours`, `peer` or a path: of the program, or of a directory that holds it.
"""
import os
from pathlib import Path

from . import LabError

REPO = Path(__file__).resolve().parents[2]
OURS = REPO / "build"
PEER = REPO / ".peer"
OVS_SCHEMA = "/usr/share/openvswitch/vswitch.ovsschema"
_FILE = {"northd": "ovn-northd", "controller": "ovn-controller", "nbctl": "ovn-nbctl", "sbctl": "ovn-sbctl",
         "schema": "ovn-nb.ovsschema"}


def peer_available():
    return (PEER / "usr/bin/ovn-controller").exists()


def ours_available():
    return all((OURS / "bin" / _FILE[p]).exists() for p in ("northd", "controller", "nbctl"))


def _at(program, which):
    """The path that WHICH names for PROGRAM (for the schema: its directory)."""
    name = _FILE[program]
    if which == "ours":
        path = OURS / ("schema" if program == "schema" else "bin") / name
    elif which == "peer":
        path = PEER / ("usr/share/ovn" if program == "schema" else "usr/bin") / name
    else:
        path = Path(which).absolute()
        path = path / name if path.is_dir() else path
    if not path.exists():
        hint = {"ours": "run `make` first", "peer": "run `tools/check-peer --unpack` first"}
        raise LabError(f"{name}: no such file: {path} ({hint.get(which, 'asked for by name')})")
    return str(path.parent if program == "schema" else path)


class Programs:
    """The choices of one lab; resolve() answers with a path."""

    def __init__(self, use=None, bins=(), peer=False, topology=None):
        self.use, self.bins, self.topology = dict(use or {}), list(bins), dict(topology or {})
        self.all = "peer" if peer or os.environ.get("OVN_LAB_PEER", "0") not in ("", "0") else "ours"
        for p in self.use:
            if p not in _FILE:
                raise LabError(f"--use {p}: not one of {', '.join(_FILE)}")

    def resolve(self, program, particular=""):
        which = (particular or self.use.get(program) or os.environ.get("OVN_LAB_" + program.upper()) or
                 self.topology.get(program))
        if not which:
            for d in self.bins:
                if os.path.exists(os.path.join(d, _FILE[program])):
                    which = d
                    break
        return _at(program, which or self.all)

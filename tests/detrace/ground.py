"""A network (tests/trace/network.py) and ways to ask ovn-detrace and ovn-debug about it."""
import json
import re
import subprocess
import sys
from pathlib import Path

REPO = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(REPO / "tests/trace"))
from network import BUILD, PEER, Network                       # noqa: E402, F401

DETRACE, DEBUG = BUILD / "bin/ovn-detrace", BUILD / "bin/ovn-debug"
DATABASES = {"nb": "OVN_Northbound", "sb": "OVN_Southbound", "ovs": "Open_vSwitch"}


def transact(network, db, *operations):
    socket = network.dir / ("db.sock" if db == "ovs" else f"{db}.sock")
    done = subprocess.run(["ovsdb-client", "transact", f"unix:{socket}", json.dumps([DATABASES[db], *operations])], check=True,
                          stdout=subprocess.PIPE, text=True, timeout=60)
    results = json.loads(done.stdout)
    assert not [r for r in results if r and "error" in r], results
    return results


def select(network, db, table, *columns, where=()):
    return transact(network, db, {"op": "select", "table": table, "where": list(where), "columns": ["_uuid", *columns]})[0]["rows"]


def uuid(row):
    return row["_uuid"][1]


def cookie(row):
    return f"0x{int(uuid(row)[:8], 16):x}"


def pause_northd(network):
    """From now on southbound rows of others stay."""
    subprocess.run([BUILD / "bin/ovn-appctl", "-t", network.dir / "northd.ctl", "pause"], check=True, timeout=20)


def start_ovs(network):
    """A local database with a bridge, a virtual machine's port and a tunnel."""
    d = network.dir
    subprocess.run(["ovsdb-tool", "create", d / "ovs.db", "/usr/share/openvswitch/vswitch.ovsschema"], check=True)
    network.start("ovsdb-server", "ovs", f"--remote=punix:{d}/db.sock", f"--unixctl={d}/ovs.ctl", str(d / "ovs.db"))
    vsctl = lambda *words: subprocess.run(["ovs-vsctl", "--no-wait", f"--db=unix:{d}/db.sock", *words], check=True, timeout=20)
    vsctl("init", "--", "add-br", "br-int", "--", "add-br", "br-ex", "--", "add-port", "br-ex", "eth0", "--", "add-port", "br-int", "vm-a", "--",
          "add-port", "br-int", "ovn-hv2-0", "--", "set", "Interface", "vm-a", "external_ids:iface-id=a")
    # ovs-vswitchd would write these.
    for name, number in ("vm-a", 1), ("ovn-hv2-0", 2), ("br-int", 65534), ("eth0", 1):
        transact(network, "ovs", {"op": "update", "table": "Interface", "where": [["name", "==", name]], "row": {"ofport": number}})


def detrace(network, text, *options, program=DETRACE, env=None):
    text = text if isinstance(text, bytes) else text.encode()
    return subprocess.run([program, *options], env=env or network.env, input=text, stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=60)


def explained(network, text, *options):
    """What ovn-detrace prints; all is well, and without its own lines the text is what it was."""
    done = detrace(network, text, *options)
    assert done.returncode == 0 and not done.stderr, done.stderr
    out = done.stdout.decode()
    assert re.sub(r"^ {2,3}\* .*\n", "", out, flags=re.M) == text
    return out

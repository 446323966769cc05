"""Every logical flow that Debian's ovn-northd writes for networks of many kinds is parsed, formats to itself, and becomes OpenFlow that
ovs-ofctl takes, as text and, byte for byte the same, as messages; and that a real ovs-vswitchd takes, with its groups and meters."""
import json
import os
import re
import shlex
import shutil
import signal
import subprocess
import tempfile
from pathlib import Path

import pytest
from test_conjunctions import Switch

REPO = Path(__file__).resolve().parents[2]
PEER = REPO / ".peer/usr"
LFLOW_DUMP = REPO / "build/src/logical/lflow-dump"

SWITCHES = """
ls-add sw0
lsp-add sw0 p1 -- lsp-set-addresses p1 '00:00:00:00:00:01 10.0.0.1 fd00::1' -- lsp-set-port-security p1 '00:00:00:00:00:01 10.0.0.1'
lsp-add sw0 p2 -- lsp-set-addresses p2 '00:00:00:00:00:02 10.0.0.2' unknown
ls-add sw1
lsp-add sw1 q1 -- lsp-set-addresses q1 unknown
lsp-add sw1 q2 -- lsp-set-enabled q2 disabled
lsp-add sw1 ln -- lsp-set-type ln localnet -- lsp-set-addresses ln unknown -- lsp-set-options ln network_name=phys
"""
MIXED = Path(__file__).with_name("mixed.nbctl").read_text()


class Central:
    """Databases and Debian's ovn-northd in a folder of their own."""

    def __init__(self):
        self.dir = Path(tempfile.mkdtemp(prefix="lflow-"))
        self.pids = []
        d = self.dir
        self.env = dict(os.environ, OVN_RUNDIR=str(d), OVN_LOGDIR=str(d), OVN_DBDIR=str(d), OVN_NB_DB=f"unix:{d}/nb.sock",
                        OVN_SB_DB=f"unix:{d}/sb.sock", LD_LIBRARY_PATH=":".join(map(str, PEER.glob("lib/*-linux-gnu"))))
        for db in "nb", "sb":
            subprocess.run(["ovsdb-tool", "create", d / f"{db}.db", PEER / f"share/ovn/ovn-{db}.ovsschema"], check=True)
            self.start("ovsdb-server", db, f"--remote=punix:{d}/{db}.sock", str(d / f"{db}.db"))
        self.start(PEER / "bin/ovn-northd", "northd")

    def start(self, program, name, *args):
        pidfile = self.dir / f"{name}.pid"
        subprocess.run([program, "--detach", "--no-chdir", f"--pidfile={pidfile}", "-vconsole:off", f"--log-file={self.dir}/{name}.log",
                        f"--unixctl={self.dir}/{name}.ctl", *args], env=self.env, check=True)
        self.pids.append(int(pidfile.read_text()))

    def stop(self):
        for pid in reversed(self.pids):
            os.kill(pid, signal.SIGTERM)
        shutil.rmtree(self.dir, ignore_errors=True)

    def run(self, program, *args):
        return subprocess.run([PEER / "bin" / program, "--timeout=15", *args], env=self.env, check=True, text=True, capture_output=True).stdout

    def flows(self):
        """Its logical flows, each once, as lflow-dump takes them."""
        rows = json.loads(self.run("ovn-sbctl", "--format=json", "--columns=pipeline,table_id,priority,match,actions", "list", "logical_flow"))
        return sorted({"\t".join(map(str, row)) for row in rows["data"]})

    def dhcp_options(self):
        """As lflow-dump takes them."""
        lines = []
        for family, table in (4, "dhcp_options"), (6, "dhcpv6_options"):
            rows = json.loads(self.run("ovn-sbctl", "--format=json", "--columns=code,name,type", "list", table))
            lines += [f"{family} {code} {name} {kind}\n" for code, name, kind in rows["data"]]
        file = self.dir / "dhcp"
        file.write_text("".join(lines))
        return file


@pytest.fixture
def central():
    c = Central()
    yield c
    c.stop()


def build(central, script):
    for line in script.splitlines():
        if line and not line.startswith("#"):
            central.run("ovn-nbctl", *shlex.split(line))
    central.run("ovn-nbctl", "--wait=sb", "sync")
    return central.flows()


def lflow_dump(flows, *options):
    done = subprocess.run([LFLOW_DUMP, *map(str, options)], input="\n".join(flows) + "\n", text=True, capture_output=True, timeout=60)
    refused = {re.sub(r"^column \d+: ", "", line) for line in done.stderr.splitlines() if not line.startswith("    ")}
    return done.stdout.splitlines(), refused


def without_xid(lines):
    return [re.sub(r".*\(xid=[^)]*\): ", "", line) for line in lines if "OFPT_FLOW_MOD" in line]


def check(central, flows, tmp_path):
    """The flows, as text."""
    dhcp = ("--dhcp", central.dhcp_options())
    text, refused = lflow_dump(flows, *dhcp)
    assert not refused
    (tmp_path / "flows").write_text("\n".join(text) + "\n")
    parsed = subprocess.run(["ovs-ofctl", "-O", "OpenFlow15", "parse-flows", tmp_path / "flows"], text=True, capture_output=True)
    assert parsed.returncode == 0, parsed.stderr
    messages, _ = lflow_dump(flows, "--hex", *dhcp)
    assert len(messages) == len(text)
    (tmp_path / "messages").write_text("".join(f"{m}\n" for m in messages))
    printed = subprocess.run(["xargs", "-a", tmp_path / "messages", "-n1", "ovs-ofctl", "-O", "OpenFlow15", "ofp-print"], text=True,
                             capture_output=True).stdout
    assert without_xid(printed.splitlines()) == without_xid(parsed.stdout.splitlines())
    return text


def test_switches(central, tmp_path):
    flows = build(central, SWITCHES)
    assert len(flows) > 60
    check(central, flows, tmp_path)


ACTIONS = """arp bind_vport check_in_port_sec check_out_port_sec check_pkt_larger chk_ecmp_nh chk_ecmp_nh_mac chk_lb_aff chk_lb_hairpin
chk_lb_hairpin_reply clone commit_ecmp_nh commit_lb_aff ct_clear ct_commit ct_commit_nat ct_dnat ct_dnat_in_czone ct_lb_mark ct_next ct_snat
ct_snat_in_czone ct_snat_to_vip dns_lookup drop fwd_group get_arp get_fdb get_nd handle_bfd_msg handle_dhcpv6_reply handle_svc_check icmp4 icmp4_error
icmp6_error igmp log lookup_arp lookup_arp_ip lookup_fdb lookup_nd lookup_nd_ip nd_na nd_na_router nd_ns next output put_arp put_dhcp_opts put_dhcpv6_opts
put_fdb put_nd put_nd_ra_opts reject select set_meter set_queue tcp_reset trigger_event""".split()


def test_everything(central, tmp_path):
    flows = build(central, MIXED)
    assert len(flows) > 800
    actions = " ".join(f.split("\t")[4] for f in flows)
    assert not {a for a in ACTIONS if not re.search(rf"\b{a}\b *[(;{{]", actions)}
    check(central, flows, tmp_path)


def test_a_switch_takes_everything(central, tmp_path):
    """With its groups and meters, none refused, none changed, and without a word in its log."""
    groups, meters = tmp_path / "groups", tmp_path / "meters"
    text, refused = lflow_dump(build(central, MIXED), "--conjunctions", "--dhcp", central.dhcp_options(), "--groups", groups, "--meters", meters)
    assert not refused
    switch = Switch("-vfile:warn", "--log-file")
    try:
        bridge = f"unix:{switch.dir}/br0.mgmt"
        for line in meters.read_text().splitlines():
            switch.ofctl("add-meter", bridge, line)
        switch.ofctl("add-groups", bridge, groups)
        # Nothing here tells logical datapaths apart, so several may say the same match: the last one's actions stay.
        unique = {line.partition(" actions=")[0]: line for line in text}
        (tmp_path / "flows").write_text("\n".join(unique.values()) + "\n")
        switch.ofctl("add-flows", bridge, tmp_path / "flows")
        # ovs-ofctl finds that a masked nw_frag differs from itself.
        done = subprocess.run(["ovs-ofctl", "-O", "OpenFlow15", "diff-flows", bridge, tmp_path / "flows"], env=switch.env, text=True, capture_output=True)
        differing = done.stdout.splitlines()
        assert sorted(d[1:] for d in differing if d[0] == "-") == sorted(d[1:] for d in differing if d[0] == "+"), done.stderr
        assert not [d for d in differing if "nw_frag=" not in d] and done.returncode in (0, 2), done.stderr
        assert [line for line in (switch.dir / "ovs-vswitchd.log").read_text().splitlines() if "|WARN|" in line or "|ERR|" in line] == []
    finally:
        switch.stop()

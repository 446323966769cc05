"""Every logical flow that Debian's ovn-northd writes for networks of many kinds is parsed, formats to itself, and becomes OpenFlow that
ovs-ofctl takes: as text and, byte for byte the same, as messages."""
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
EVERYTHING = SWITCHES + """
pg-add pg0 p1 p2
create address_set name=as1 addresses='"10.0.0.0/24","10.0.1.1"'
acl-add pg0 from-lport 1000 'inport == @pg0 && ip4.dst == $as1 && tcp.dst == {80,443}' allow-related
--log --severity=info --name=foo acl-add pg0 to-lport 900 'outport == @pg0 && ip4 && !(tcp.dst == 22)' reject
--apply-after-lb acl-add sw0 from-lport 5 ip drop
lb-add lb0 10.0.0.100:80 10.0.0.1:80,10.0.0.2:80 -- ls-lb-add sw0 lb0
lr-add r0 -- set logical_router r0 options:chassis=c1
lrp-add r0 rp0 00:00:00:00:ff:01 10.0.0.254/24 fd00::ff/64 -- set logical_router_port rp0 ipv6_ra_configs:address_mode=slaac
lsp-add sw0 sr0 -- lsp-set-type sr0 router -- lsp-set-addresses sr0 router -- lsp-set-options sr0 router-port=rp0
lrp-add r0 rp1 00:00:00:00:ff:02 172.16.0.1/24
lr-nat-add r0 snat 172.16.0.1 10.0.0.0/24 -- lr-nat-add r0 dnat_and_snat 172.16.0.5 10.0.0.1
lr-route-add r0 0.0.0.0/0 172.16.0.254
--ecmp lr-route-add r0 9.9.9.0/24 172.16.0.3 -- --ecmp lr-route-add r0 9.9.9.0/24 172.16.0.4
lr-policy-add r0 10 'ip4.src == 10.0.0.0/24' reroute 172.16.0.9
qos-add sw0 from-lport 10 ip4 dscp=10 rate=100
set logical_switch sw0 other_config:mcast_snoop=true other_config:mcast_querier=false
set logical_router_port rp0 ipv6_ra_configs:address_mode=dhcpv6_stateful ipv6_ra_configs:mtu=1400 ipv6_ra_configs:router_preference=HIGH ipv6_ra_configs:route_info="HIGH-2001::/64,LOW-fc00::/7" ipv6_ra_configs:rdnss=fd00::5 ipv6_ra_configs:dnssl="a.b,c.d"
lb-add lb1 10.0.0.101:80 10.0.0.1:80,10.0.0.2:80 udp
set load_balancer lb1 selection_fields=ip_src,tp_dst,ip_dst options:affinity_timeout=60 options:skip_snat=true
lb-add lb2 [fd00::100]:80 [fd00::1]:80,[fd00::2]:80 -- set load_balancer lb2 options:affinity_timeout=60
lb-add lb3 10.0.0.105:80 '' -- set load_balancer lb3 options:event=true
ls-lb-add sw0 lb1 -- ls-lb-add sw0 lb2 -- ls-lb-add sw0 lb3 -- lr-lb-add r0 lb1 -- lr-lb-add r0 lb2
--ecmp-symmetric-reply --ecmp lr-route-add r0 8.9.9.0/24 172.16.0.3 -- --ecmp --ecmp-symmetric-reply lr-route-add r0 8.9.9.0/24 172.16.0.4
qos-add sw0 from-lport 11 ip4 rate=100 burst=1000
fwd-group-add fwd1 sw0 10.0.0.77 00:11:22:33:44:55 p1 p2 -- --liveness fwd-group-add fwd2 sw0 10.0.0.78 00:11:22:33:44:56 p1 p2
--id=@d create dhcp_options cidr=10.0.0.0/24 options:server_id=10.0.0.254 options:server_mac='"00:00:00:00:ff:01"' options:lease_time=3600 options:router=10.0.0.254 options:mtu=1400 options:ip_forward_enable=1 options:tftp_server=10.0.0.9 options:next_server=1.2.3.4 -- set logical_switch_port p1 dhcpv4_options=@d
"""


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


@pytest.fixture
def central():
    c = Central()
    yield c
    c.stop()


def build(central, script):
    for line in filter(None, script.splitlines()):
        central.run("ovn-nbctl", *shlex.split(line))
    central.run("ovn-nbctl", "--wait=sb", "sync")
    return central.flows()


def lflow_dump(flows, *options):
    done = subprocess.run([LFLOW_DUMP, *options], input="\n".join(flows) + "\n", text=True, capture_output=True, timeout=60)
    refused = {re.sub(r"^column \d+: ", "", line) for line in done.stderr.splitlines() if not line.startswith("    ")}
    return done.stdout.splitlines(), refused


def without_xid(lines):
    return [re.sub(r".*\(xid=[^)]*\): ", "", line) for line in lines if "OFPT_FLOW_MOD" in line]


def check(flows, tmp_path):
    text, refused = lflow_dump(flows)
    assert not refused
    (tmp_path / "flows").write_text("\n".join(text) + "\n")
    parsed = subprocess.run(["ovs-ofctl", "-O", "OpenFlow15", "parse-flows", tmp_path / "flows"], text=True, capture_output=True)
    assert parsed.returncode == 0, parsed.stderr
    messages, _ = lflow_dump(flows, "--hex")
    assert len(messages) == len(text)
    printed = [subprocess.run(["ovs-ofctl", "-O", "OpenFlow15", "ofp-print", m], text=True, capture_output=True).stdout.split("\n")[0] for m in messages]
    assert without_xid(printed) == without_xid(parsed.stdout.splitlines())


def test_switches(central, tmp_path):
    flows = build(central, SWITCHES)
    assert len(flows) > 60
    check(flows, tmp_path)


def test_everything(central, tmp_path):
    flows = build(central, EVERYTHING)
    text = "\n".join(flows)
    for action in ("ct_lb_mark(", "put_nd_ra_opts", "put_dhcp_opts", "select(", "set_meter", "commit_ecmp_nh", "commit_lb_aff", "fwd_group", "trigger_event"):
        assert action in text
    assert len(flows) > 200
    check(flows, tmp_path)

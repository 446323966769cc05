"""commit_lb_aff and commit_ecmp_nh in the real switch: what a packet made it learn, later packets find; others do not."""
import subprocess

from test_conjunctions import LFLOW_DUMP, switch  # noqa: F401


def load(switch, *lflows):
    text = "".join("\t".join(("ingress", *f)) + "\n" for f in lflows)
    switch.load(subprocess.run([LFLOW_DUMP], input=text, text=True, capture_output=True, check=True).stdout.splitlines())


def trace(switch, packet, *options):
    return switch.run("ovs-appctl", "-t", f"{switch.dir}/vs.ctl", "ofproto/trace", "br0", f"in_port=p1,{packet}", *options)


def found(switch, packet):
    return "resubmit(,10)" in trace(switch, packet)


def test_affinity(switch):  # noqa: F811
    load(switch,
         ("0", "100", "ip4.dst == 10.0.0.1", 'commit_lb_aff(vip = "10.0.0.100:80", backend = "10.0.0.1:8080", proto = tcp, timeout = 60);'),
         ("0", "100", "ip6.dst == fd00::1", 'commit_lb_aff(vip = "[fd00::100]:80", backend = "[fd00::1]:8080", proto = udp, timeout = 60);'),
         ("0", "50", "ip", "reg9[6] = chk_lb_aff(); next;"),
         ("1", "1", "reg9[6] == 1 && ip4 && reg4 == 10.0.0.1 && reg8[0..15] == 8080", "next;"),
         ("1", "1", "reg9[6] == 1 && ip6 && xxreg1 == fd00::1 && reg8[0..15] == 8080", "next;"))
    vip = "tcp,nw_src=1.1.1.1,nw_dst=10.0.0.100,tp_dst=80"
    vip6 = "udp6,ipv6_src=fe80::1,ipv6_dst=fd00::100,udp_dst=80"
    assert not found(switch, vip) and not found(switch, vip6)
    trace(switch, "tcp,nw_src=1.1.1.1,nw_dst=10.0.0.1,tp_dst=8080", "-generate")
    trace(switch, "udp6,ipv6_src=fe80::1,ipv6_dst=fd00::1,udp_dst=8080", "-generate")
    assert found(switch, vip) and found(switch, vip6)
    assert not found(switch, vip.replace("1.1.1.1", "1.1.1.2"))
    assert not found(switch, vip.replace("tp_dst=80", "tp_dst=81"))
    assert not found(switch, "metadata=7," + vip)          # Another datapath.
    load(switch, ("0", "50", "ip", "reg9[6] = chk_lb_aff(); next;"), ("1", "1", "reg9[6] == 1", "next;"))
    assert not found(switch, vip)                          # It goes with the logical flow that made it.


def test_ecmp(switch):  # noqa: F811
    load(switch,
         ("0", "100", "eth.src == 00:00:00:00:00:01", "commit_ecmp_nh(ipv6 = false, proto = tcp);"),
         ("0", "50", "ip && ip.ttl == 1", "reg9[5] = check_ecmp_nh_mac(); next;"),
         ("0", "50", "ip && ip.ttl == 2", "reg9[5] = check_ecmp_nh(); next;"),
         ("1", "1", "reg9[5] == 1", "next;"))
    there = "tcp,nw_src=1.1.1.1,nw_dst=2.2.2.2,tp_src=5,tp_dst=80"
    back = "tcp,nw_src=2.2.2.2,nw_dst=1.1.1.1,tp_src=80,tp_dst=5"
    assert not found(switch, f"{back},nw_ttl=2")
    trace(switch, f"dl_src=00:00:00:00:00:01,{there}", "-generate")
    assert found(switch, f"{back},nw_ttl=2")
    assert not found(switch, f"{there},nw_ttl=2")
    # The other direction asks for the MAC too; the first table would learn from it again, so it is changed.
    rule = switch.run("ovs-ofctl", "-O", "OpenFlow15", "dump-flows", f"unix:{switch.dir}/br0.mgmt", "table=102")
    assert "dl_src=00:00:00:00:00:01" in rule and "nw_src=1.1.1.1" in rule and "tp_src=5,tp_dst=80" in rule

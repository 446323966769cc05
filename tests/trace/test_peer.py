"""Random packets through random networks that Debian's ovn-northd has made: our ovn-trace and Debian's agree on where they arrive, and on what changes on the way."""
import os
import random
import re
import time

import pytest
from network import PEER, Network, outputs

pytestmark = pytest.mark.skipif(PEER is None, reason="Debian's OVN is not unpacked (make check-peer)")

SECONDS = float(os.environ.get("OVN_SECONDS", "25"))
FIRST_SEED = int(os.environ.get("OVN_SEED", "1"))


class Random(random.Random):
    """A random network: switches, some behind a router, with port security, ACLs, load balancers and NAT."""

    def network(self):
        self.ports, self.macs, self.ips = [], {}, {}
        lines, n = [], self.randint(2, 3)
        router = self.random() < 0.8
        lines += ["lr-add r0"] if router else []
        for s in range(n):
            lines += self.switch(s, router and (s < 2 or self.random() < 0.5))
        if router:
            lines += self.routes(n)
        return "\n".join(lines)

    def switch(self, s, routed):
        lines = [f"ls-add s{s}"]
        for i in range(self.randint(2, 4)):
            p, mac, ip = f"s{s}p{i}", f"0a:00:00:00:{s:02x}:{i + 1:02x}", f"10.0.{s}.{i + 1}"
            self.ports.append((p, s))
            self.macs[p], self.ips[p] = mac, (ip, f"fd0{s}::{i + 1}")
            addresses = self.choice([f"{mac} {ip} fd0{s}::{i + 1}", f"{mac} {ip}", mac, "unknown"])
            lines += [f"lsp-add s{s} {p}", f'lsp-set-addresses {p} "{addresses}"']
            if self.random() < 0.4:                            # No networks: the peer's trace lets no ARP of theirs pass.
                lines += [f'lsp-set-port-security {p} "{self.choice([mac, f"{mac} {ip}", f"{mac} {ip} fd0{s}::{i + 1}"])}"']
        if routed:
            mac = f"0a:00:00:00:ff:{s:02x}"
            lines += [f"lrp-add r0 r0s{s} {mac} 10.0.{s}.254/24 fd0{s}::fe/64", f"lsp-add s{s} s{s}r", f"lsp-set-type s{s}r router",
                      f"lsp-set-addresses s{s}r router", f"lsp-set-options s{s}r router-port=r0s{s}"]
        lines += self.acls(s)
        if self.random() < 0.3:
            lines += [f"lb-add lb{s} 10.0.{s}.100:80 10.0.{s}.1:8080 tcp", f"ls-lb-add s{s} lb{s}"]
        return lines

    def acls(self, s):
        lines = []
        for _ in range(self.choice([0, 0, 1, 3])):
            port = self.choice([p for p, on in self.ports if on == s])
            direction, side = self.choice([("from-lport", "inport"), ("to-lport", "outport")])
            match = self.choice(["ip4", "ip6", "tcp.dst == 80", "udp", f"ip4.src == 10.0.{s}.0/24", "icmp", "tcp.dst == {22, 80} && ip4", "tcp.dst > 100 && tcp.dst < 1000",
                                 f"ip4.dst == 10.0.{s}.0/28 || ip6.dst == fd0{s}::/64"])
            action = self.choice(["drop", "allow", "allow-related", "drop"])
            lines += [f'--may-exist acl-add s{s} {direction} {self.randint(1, 2000)} \'{side} == "{port}" && ({match})\' {action}']
        return lines

    def routes(self, n):
        lines = []
        if self.random() < 0.5:
            lines += ["lr-route-add r0 0.0.0.0/0 10.0.0.1"]
        if self.random() < 0.3:
            lines += ["lr-route-add r0 ::/0 fd00::1"]
        if self.random() < 0.3:
            lines += [f"lr-policy-add r0 {self.randint(1, 100)} 'ip4.src == 10.0.1.0/24 && ip4.dst == 10.0.0.0/29' {self.choice(['drop', 'allow'])}"]
        return lines

    # ---- packets ----

    def packet(self):
        port, s = self.choice(self.ports)
        src = self.choice([port] * 5 + [p for p, _ in self.ports])
        dst, d = self.choice(self.ports)
        there = self.macs[dst] if d == s else f"0a:00:00:00:ff:{s:02x}"
        eth_dst = self.choice([there] * 6 + ["ff:ff:ff:ff:ff:ff", "01:00:5e:00:00:05", "0a:00:00:00:77:77", "33:33:00:00:00:01"])
        words = [f'inport == "{port}"', f"eth.src == {self.macs[src]}", f"eth.dst == {eth_dst}"]
        kind = self.choice(["l2", "arp", "ip4", "ip4", "ip4", "ip6", "ip6", "vlan"])
        if kind == "arp":
            tpa = self.choice([self.ips[dst][0], f"10.0.{s}.254", "10.0.9.9"])
            words += [f"arp.op == {self.randint(1, 2)}", f"arp.sha == {self.macs[src]}", f"arp.spa == {self.ips[src][0]}", f"arp.tpa == {tpa}"]
        elif kind in ("ip4", "ip6"):
            v6 = kind == "ip6"
            to = self.choice([self.ips[dst][v6]] * 4 + [f"fd0{d}::fe" if v6 else f"10.0.{d}.254", "fd99::1" if v6 else "8.8.8.8",
                                                        f"fd0{d}::99" if v6 else f"10.0.{d}.100"])
            if eth_dst[:2] in ("01", "33") and self.random() < 0.5:            # Its ip4.mcast wants a multicast MAC, too, unlike ovn-sb(5).
                to = "ff02::1" if v6 else "224.0.0.5"
            words += [f"{kind}.src == {self.ips[src][v6]}", f"{kind}.dst == {to}", f"ip.ttl == {self.choice([64, 64, 64, 1, 2, 255])}"]
            words += [self.choice([f"tcp.dst == {self.choice([22, 80, 443])}", "udp.dst == 53", "udp.src == 68 && udp.dst == 67",
                                   "icmp6.type == 128" if v6 else "icmp4.type == 8", "ip.proto == 47"])]
        elif kind == "vlan":
            words += ["vlan.vid == 7"]
        return " && ".join(words)


def changes(minimal):
    """Addresses that the packet has got, without what each writes in its own way: registers, numbers in place of addresses."""
    lines = [line.strip() for line in minimal.splitlines()]
    return [line for line in lines if re.match(r"(eth\.(src|dst)|ip4\.(src|dst)|ip6\.(src|dst)|ip\.ttl) ?(=|--)", line)]


def test_the_same_fate():
    end, seed, compared, delivered = time.monotonic() + SECONDS, FIRST_SEED, 0, 0
    while time.monotonic() < end:
        r = Random(seed)
        text = r.network()
        network = Network(peer=True)
        try:
            network.build(text)
            for _ in range(60):
                packet = r.packet()
                theirs, ours = network.peer_trace("--minimal", packet), network.trace("--minimal", packet)
                if theirs.returncode < 0 or "not implemented" in theirs.stdout or "nd_ns {" in theirs.stdout:
                    continue                                   # It has crashed, or does not know; its solicitations have the hop limit of the packet.
                where = f"OVN_SEED={seed}, packet {packet}\n{text}\n--- theirs\n{theirs.stdout}--- ours\n{ours.stdout}{ours.stderr}"
                assert ours.returncode == 0 and not ours.stderr, where
                assert outputs(ours.stdout) == outputs(theirs.stdout), where
                assert changes(ours.stdout) == changes(theirs.stdout), where
                compared += 1
                delivered += bool(outputs(ours.stdout))
        finally:
            network.stop()
        seed += 1
    print(f"{compared} packets through {seed - FIRST_SEED} networks, {delivered} delivered")
    assert compared > 40 and delivered > compared / 10

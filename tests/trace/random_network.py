"""Random networks of everything that the northbound database knows, as ovn-nbctl commands, and random packets for them.

A network is switches s0.. behind a distributed router r0, which may have a distributed gateway port or a gateway router r1 behind it, and a provider's
network `pub' outside. What a seed makes is always the same."""
import random

CHASSIS = "gw"


def v4(switch, host):
    return f"10.0.{switch}.{host}"


def v6(switch, host):
    return f"fd00:{switch + 1:x}::{host:x}"


def column(name, value):
    """COLUMN=VALUE as a word of a line, with a value that is no identifier."""
    return f"'{name}=\"{value}\"'"


class RandomNetwork(random.Random):
    def __init__(self, seed, without=()):
        """WITHOUT: parts to leave out, by the names of the methods."""
        super().__init__(seed)
        self.lines, self.rows, self.without = [], [], set(without)
        self.ports = {}                                        # Name -> (switch, MAC, IPv4, IPv6).
        self.vips = []                                         # (address, port, protocol)
        self.stateful = self.likely(0.75)
        self.disabled = None
        self.secured = set()                                   # Ports with port security.
        self.backends = []                                     # Those that a load balancer can choose from.
        self.outside = []                                      # Addresses of NAT rules.
        self.router_macs = {}                                  # Switch -> MAC of the router there.
        self.switches = [f"s{i}" for i in range(self.randint(2, 3))]
        self.routed = [s for i, s in enumerate(self.switches) if i < 2 or self.likely(0.5)] if self.likely(0.85) else []
        self.edge = self.choice(["none", "distributed", "distributed", "gateway", "gateway"]) if self.routed else "none"
        for s in self.switches:
            self.switch(s)
        if self.routed:
            self.routers()
        for part in ("sets", "acls", "qos", "load_balancers", "dhcp", "dns", "special_ports", "forwarding_group", "learnt"):
            if part not in self.without:
                getattr(self, part)()

    def likely(self, p):
        return self.random() < p

    def add(self, *lines):
        self.lines += lines

    @property
    def text(self):
        return "\n".join(self.lines)

    # ---- switches ----

    def switch(self, s):
        i = int(s[1:])
        self.add(f"ls-add {s}")
        for k in range(self.randint(2, 4)):
            p, mac, ip, ip6 = f"{s}p{k}", f"0a:00:00:00:{i:02x}:{k + 1:02x}", v4(i, k + 1), v6(i, k + 1)
            self.ports[p] = (s, mac, ip, ip6)
            addresses = self.choice([f'"{mac} {ip} {ip6}"'] * 3 + [f'"{mac} {ip}"', mac, "unknown", f'"{mac} {ip} {ip6}" unknown'])
            self.add(f"lsp-add {s} {p}", f"lsp-set-addresses {p} {addresses}")
            if self.likely(0.3) and "port_security" not in self.without:
                self.secured.add(p)
                self.add(f'lsp-set-port-security {p} "{self.choice([mac, f"{mac} {ip}", f"{mac} {ip} {ip6}"])}"')

    def uplink(self, router, switch, mac, networks, more=""):
        """A router port and its switch port."""
        rp, sp = f"{router}{switch}", f"{switch}{router}"
        self.add(f"lrp-add {router} {rp} {mac} {networks}", f"lsp-add {switch} {sp}", f"lsp-set-type {sp} router", f"lsp-set-addresses {sp} router",
                 f"lsp-set-options {sp} router-port={rp}{more}")
        return rp, sp

    # ---- routers ----

    def routers(self):
        self.add("lr-add r0")
        for s in self.routed:
            i = int(s[1:])
            self.router_macs[s] = f"0a:00:00:00:ff:{i:02x}"
            rp, _ = self.uplink("r0", s, self.router_macs[s], f"{v4(i, 254)}/24 {v6(i, 0xfe)}/64")
            if self.likely(0.3):
                self.add(f"set Logical_Router_Port {rp} ipv6_ra_configs:address_mode=slaac ipv6_ra_configs:mtu=1400")
            if self.likely(0.2):
                self.add(f"set Logical_Router_Port {rp} options:gateway_mtu=1400")
        if self.edge != "none":
            self.add("ls-add pub", "lsp-add pub ln", "lsp-set-type ln localnet", "lsp-set-addresses ln unknown", "lsp-set-options ln network_name=phys")
        if self.edge == "distributed":
            self.router_macs["pub"] = "0a:00:00:00:fe:00"
            rp, _ = self.uplink("r0", "pub", self.router_macs["pub"], "172.16.0.1/24 fd16::1/64", self.choice(["", " nat-addresses=router"]))
            self.add(f"lrp-set-gateway-chassis {rp} {CHASSIS} 10")
            self.nat("r0", rp)
            self.routes("r0", "172.16.0.254", "fd16::fe")
        elif self.edge == "gateway":
            self.router_macs["pub"] = "0a:00:00:00:fe:01"
            self.add("ls-add join", "lr-add r1", f"set Logical_Router r1 options:chassis={CHASSIS}")
            self.uplink("r0", "join", "0a:00:00:00:fd:00", "100.64.0.1/24 fd64::1/64")
            self.uplink("r1", "join", "0a:00:00:00:fd:01", "100.64.0.2/24 fd64::2/64")
            rp, _ = self.uplink("r1", "pub", self.router_macs["pub"], "172.16.0.1/24 fd16::1/64")
            self.add("lr-route-add r0 0.0.0.0/0 100.64.0.2", "lr-route-add r0 ::/0 fd64::2", "lr-route-add r1 10.0.0.0/16 100.64.0.1",
                     "lr-route-add r1 fd00::/16 fd64::1")
            if self.likely(0.3) and "egress_flags" not in self.without:
                self.add(f"set Logical_Router r1 {column('options:lb_force_snat_ip', '100.64.0.2')}")
            if self.likely(0.2) and "egress_flags" not in self.without:
                self.add(f"set Logical_Router r1 {column('options:dnat_force_snat_ip', '100.64.0.2')}")
            self.nat("r1", rp)
            self.routes("r1", "172.16.0.254", "fd16::fe")
        if self.edge == "none":
            self.routes("r0", v4(0, 1), v6(0, 1))
        self.policies()

    def routes(self, router, gateway, gateway6):
        if self.likely(0.7):
            self.add(f"lr-route-add {router} 0.0.0.0/0 {gateway}", f"lr-route-add {router} ::/0 {gateway6}")
        if self.likely(0.3):
            self.add(f"--ecmp lr-route-add {router} 192.168.0.0/16 {gateway}", f"--ecmp lr-route-add {router} 192.168.0.0/16 {gateway.rsplit('.', 1)[0]}.77")
        if self.likely(0.2):
            self.add(f"--policy=src-ip lr-route-add {router} 10.0.1.0/25 {gateway}")
        if self.likely(0.2):
            self.add(f"lr-route-add {router} 192.0.2.0/24 discard")
        if self.likely(0.2) and self.edge == "gateway":
            self.add(f"--ecmp-symmetric-reply lr-route-add {router} 198.51.100.0/24 {gateway}")
        if self.likely(0.2) and "static_mac" not in self.without:
            self.add(f"static-mac-binding-add {router}{'pub' if self.edge != 'none' else 's0'} {gateway} 0a:00:00:00:fc:01")

    def policies(self):
        for _ in range(self.choice([0, 0, 1, 2])):
            match = self.choice(["ip4.src == 10.0.1.0/24 && ip4.dst == 10.0.0.0/29", "ip4.src == 10.0.0.2", "ip6.dst == fd00:2::/64", "tcp.dst == 443 && ip4"])
            action = self.choice(["drop", "allow", "reroute 10.0.0.1" if "ip6" not in match else "reroute fd00:1::1",
                                  "reroute 10.0.0.1,10.0.0.2" if "ip6" not in match else "drop"])
            self.add(f"--may-exist lr-policy-add r0 {self.randint(1, 100)} '{match}' {action}")

    def nat(self, router, rp):
        if not self.stateful:
            return
        if self.likely(0.6):
            self.add(f"lr-nat-add {router} snat 172.16.0.{self.choice([1, 10])} 10.0.{self.randint(0, 2)}.0/24")
        if self.likely(0.3):
            self.add(f"lr-nat-add {router} snat fd16::10 fd00:{self.randint(1, 2)}::/64")
        for k, p in enumerate(self.sample(sorted(self.ports), 2)):
            s, mac, ip, ip6 = self.ports[p]
            external, external6 = f"172.16.0.{20 + k}", f"fd16::{20 + k}"
            kind = self.choice(["dnat", "dnat_and_snat", "dnat_and_snat", "dnat_and_snat 6", "distributed", "stateless", "portrange", "none"])
            if kind in ("dnat", "dnat_and_snat"):
                self.add(f"lr-nat-add {router} {kind} {external} {ip}")
            elif kind == "dnat_and_snat 6":
                self.add(f"lr-nat-add {router} dnat_and_snat {external6} {ip6}")
                external = external6
            elif kind == "distributed" and self.edge == "distributed":
                self.add(f"lr-nat-add {router} dnat_and_snat {external} {ip} {p} 0a:00:00:00:fb:{k:02x}")
            elif kind == "stateless":
                self.add(f"--stateless lr-nat-add {router} dnat_and_snat {external} {ip}")
            elif kind == "portrange":
                self.add(f"--portrange lr-nat-add {router} dnat_and_snat {external} {ip} 1024-2047")
            else:
                continue
            self.outside.append(external)

    # ---- filters ----

    def sets(self):
        self.add("create Address_Set name=as0 addresses='\"10.0.0.1\",\"10.0.1.0/30\"'", "create Address_Set name=as6 addresses='\"fd00::1\",\"fd00:2::/126\"'")
        self.add(f"pg-add pg0 {' '.join(self.sample(sorted(self.ports), 3))}")

    def acls(self):
        """With connection tracking on every switch, or on none."""
        priorities = self.sample(range(1, 2000), 60)
        if self.stateful:
            self.add(*[f"acl-add {s} to-lport 0 'ip' allow-related" for s in self.switches])
        for s in self.switches + (["pg0"] if "sets" not in self.without else []):
            for _ in range(self.choice([0, 0, 1, 3])):
                direction, side = self.choice([("from-lport", "inport"), ("to-lport", "outport")])
                where = "@pg0" if s == "pg0" else f'"{self.choice([p for p, what in self.ports.items() if what[0] == s])}"'
                match = self.choice(["ip4", "ip6", "tcp.dst == 80", "udp", "ip4.src == 10.0.0.0/24", "icmp", "tcp.dst == {22, 80} && ip4",
                                     "tcp.dst > 100 && tcp.dst < 1000", "ip4.src == $as0", "ip6.dst == $as6", "ip4.dst == 10.0.1.0/28 || ip6.dst == fd00:2::/64",
                                     "ip4.src == $pg0_ip4", "arp", "tcp.flags == 2", "ip.ttl == {10, 64}"] if "sets" not in self.without else ["ip4", "udp", "tcp.dst == 80"])
                action = self.choice(["drop", "allow", "allow-related", "drop", "reject" if match != "arp" else "drop", "allow-stateless"])
                action = "allow" if action == "allow-related" and not self.stateful else action
                options = self.choice(["", "", "--log --name=acl1 --severity=info", "--log"])
                if direction == "from-lport" and self.likely(0.2):
                    options += " --apply-after-lb"
                self.add(f"--may-exist {options} acl-add {s} {direction} {priorities.pop()} '{side} == {where} && ({match})' {action}".replace("  ", " "))

    def qos(self):
        for s in self.switches:
            if self.likely(0.3):
                self.add(f"qos-add {s} {self.choice(['from-lport', 'to-lport'])} 100 ip4 "
                         f"{self.choice(['dscp=12', 'rate=1000', 'rate=1000 burst=200 dscp=3'])}")

    # ---- load balancers ----

    def load_balancers(self):
        for k in range(self.choice([0, 1, 2, 3]) if self.stateful else 0):
            ipv6, proto = self.likely(0.3), self.choice(["tcp", "tcp", "udp"])
            backends = self.sample(sorted(self.ports), self.choice([0, 1, 1, 2]))
            if len(backends) == 2 and self.backends:
                backends.pop()                                 # --lb-dst chooses in one of them.
            vip = f"fd77::{k + 1}" if ipv6 else f"10.77.0.{k + 1}"
            if self.likely(0.2) and backends and not ipv6:
                vip = self.choice(["172.16.0.30", v4(0, 100)])
            brackets = (lambda a: f"[{a}]") if ipv6 else (lambda a: a)
            targets = [f"{brackets(self.ports[p][2 + ipv6])}:8080" for p in backends]
            self.backends = targets if len(targets) == 2 else self.backends
            options = [o for o in ("options:reject=true", "options:affinity_timeout=60", "options:hairpin_snat_ip=10.99.0.1", "options:skip_snat=true" if "egress_flags" not in self.without else "options:x=y",
                                   "options:event=true") if self.likely(0.2)]
            self.add(f'--id=@lb{k} create Load_Balancer name=lb{k} protocol={proto} vips=\'"{brackets(vip)}:80"="{",".join(targets)}"\' {" ".join(options)}')
            self.attach(k)
            self.vips.append((vip, 80, proto))

    def attach(self, k):
        """Puts a load balancer on switches and a router, by itself or in a group."""
        what = f"load_balancer @lb{k}"
        if self.likely(0.3):
            self.add(f"--id=@g{k} create Load_Balancer_Group name=g{k} load_balancer=@lb{k}")
            what = f"load_balancer_group @g{k}"
        self.add(*[f"add Logical_Switch {s} {what}" for s in self.switches if self.likely(0.6)])
        if self.routed and self.likely(0.6):
            self.add(f"add Logical_Router {'r1' if self.edge == 'gateway' else 'r0'} {what}")

    # ---- what the controller answers ----

    def dhcp(self):
        if self.likely(0.6):
            self.add('--id=@d4 create DHCP_Options cidr=10.0.0.0/24 options:server_id=10.0.0.253 ' + column("options:server_mac", "0a:00:00:00:dd:01")
                     + " options:lease_time=3600 options:router=10.0.0.254")
            self.add(f'--id=@d6 create DHCP_Options {column("cidr", "fd00:1::/64")} {column("options:server_id", "0a:00:00:00:dd:01")}')
            for p, what in self.ports.items():
                if what[0] == "s0" and self.likely(0.7):
                    self.add(f"set Logical_Switch_Port {p} dhcpv4_options=@d4 dhcpv6_options=@d6")

    def dns(self):
        if self.likely(0.4):
            self.add("--id=@dns create DNS records:a.example=10.0.0.1", "add Logical_Switch s0 dns_records @dns")

    # ---- other kinds of ports ----

    def special_ports(self):
        if self.likely(0.3):
            self.add("lsp-add s0 s0local", "lsp-set-type s0local localport", 'lsp-set-addresses s0local "0a:00:00:00:aa:01 10.0.0.60"')
        if self.likely(0.3):
            parents = [p for p, what in self.ports.items() if what[0] == "s0"]
            self.add("lsp-add s0 s0vip", "lsp-set-type s0vip virtual", 'lsp-set-addresses s0vip "0a:00:00:00:aa:02 10.0.0.70"',
                     f"set Logical_Switch_Port s0vip options:virtual-ip=10.0.0.70 {column('options:virtual-parents', ','.join(parents))}")
        if self.likely(0.2):
            self.add(f"set Logical_Switch {self.choice(self.switches)} other_config:vlan-passthru=true")
        if self.likely(0.3):
            self.add("set Logical_Switch s0 other_config:mcast_snoop=true other_config:mcast_querier=false other_config:mcast_flood_unregistered=true")
        if self.likely(0.2):
            p = self.choice(sorted(self.ports))
            s, mac, ip, _ = self.ports[p]
            self.add(f"lsp-add {s} {s}c {p} 5", f'lsp-set-addresses {s}c "0a:00:00:00:ac:01 10.0.{s[1:]}.80"')
        if self.likely(0.2):
            self.disabled = self.choice(sorted(self.ports))
            self.add(f"lsp-set-enabled {self.disabled} disabled")

    def forwarding_group(self):
        if self.likely(0.2):
            children = [p for p, what in self.ports.items() if what[0] == "s1"]
            self.add(f"fwd-group-add fg0 s1 10.0.1.200 0a:00:00:00:ab:01 {' '.join(children)}")

    # ---- southbound ----

    def learnt(self):
        """Rows of MAC_Binding and FDB: (table, datapath, port, MAC, IP)."""
        for s in self.routed:
            i = int(s[1:])
            if self.likely(0.5):
                self.rows.append(("MAC_Binding", "r0", f"r0{s}", f"0a:00:00:00:ee:{i:02x}", v4(i, 99)))
            if self.likely(0.5):
                self.rows.append(("MAC_Binding", "r0", f"r0{s}", f"0a:00:00:00:ee:{i:02x}", v6(i, 0x99)))
        if self.edge != "none" and self.likely(0.7):
            router = "r1" if self.edge == "gateway" else "r0"
            self.rows.append(("MAC_Binding", router, f"{router}pub", "0a:00:00:00:ee:fe", "172.16.0.254"))
            self.rows.append(("MAC_Binding", router, f"{router}pub", "0a:00:00:00:ee:fe", "fd16::fe"))
        p = self.choice(sorted(self.ports))
        self.rows.append(("FDB", self.ports[p][0], p, "0a:00:00:00:77:01", None))

    def install(self, network):
        """Builds it, with its southbound rows. NETWORK: network.Network."""
        network.sb("Chassis", {"name": CHASSIS, "hostname": CHASSIS, "encaps": ["named-uuid", "e"]},
                   {"op": "insert", "table": "Encap", "uuid-name": "e", "row": {"type": "geneve", "ip": "10.255.0.1", "chassis_name": CHASSIS}})
        network.build(self.text)
        keys = network.keys()
        for table, datapath, port, mac, ip in self.rows:
            uuid, dp_key = keys["datapaths"][datapath]
            if table == "FDB":
                network.sb(table, {"mac": mac, "dp_key": dp_key, "port_key": keys["ports"][port]})
            else:
                network.sb(table, {"logical_port": port, "ip": ip, "mac": mac, "datapath": uuid})

    # ---- packets ----

    def packet(self):
        """A microflow."""
        inside = sorted(self.ports)
        if self.edge != "none" and self.likely(0.2):
            return self.packet_from_outside(self.ports[self.choice(inside)])
        p = self.choice(inside)
        s, mac, ip, ip6 = self.ports[p]
        if self.likely(0.1):
            _, mac, ip, ip6 = self.ports[self.choice(inside)]                    # Of somebody else.
        other = self.ports[self.choice(inside)]
        there = other[1] if other[0] == s else self.router_macs.get(s, "0a:00:00:00:77:77")
        return self.frame(p, s, mac, ip, ip6, other, there)

    def packet_from_outside(self, other):
        mac = self.router_macs["pub"]
        return self.frame("ln", "pub", "0a:00:00:00:ee:fe", "172.16.0.254", "fd16::fe", other, mac)

    def frame(self, port, switch, mac, ip, ip6, other, there):
        words = [f'inport == "{port}"', f"eth.src == {mac}"]
        kind = self.choice(["l2", "arp", "arp", "nd", "ip4", "ip4", "ip4", "ip4", "vip", "vip", "nat", "ip6", "ip6", "vlan", "dhcp", "dns", "multicast", "odd"])
        if kind == "vip" and not self.vips or kind == "nat" and not self.outside:
            kind = "ip4"
        eth_dst = self.choice([there] * 8 + ["ff:ff:ff:ff:ff:ff", "0a:00:00:00:77:77", "0a:00:00:00:77:01", "01:80:c2:00:00:00"])
        if kind in ("vip", "nat"):
            eth_dst = self.router_macs.get(switch, there)
        if kind == "arp":
            words += [f"eth.dst == {self.choice(['ff:ff:ff:ff:ff:ff'] * 3 + [there])}"] + self.arp(mac, ip, other, switch)
        elif kind == "nd":
            words += self.nd(mac, ip6, other, switch, there)
        elif kind in ("ip4", "ip6"):
            words += [f"eth.dst == {eth_dst}"] + self.ip(kind == "ip6", ip6 if kind == "ip6" else ip, other, switch)
        elif kind == "vip":
            vip, l4, proto = self.choice(self.vips)
            ipv6 = ":" in vip
            words += [f"eth.dst == {eth_dst}", f"ip{4 + 2 * ipv6}.src == {ip6 if ipv6 else ip}", f"ip{4 + 2 * ipv6}.dst == {vip}", "ip.ttl == 64",
                      f"{proto}.src == 5555 && {proto}.dst == {self.choice([l4, l4, l4, 81])}"]
        elif kind == "nat":
            to = self.choice(self.outside)
            ipv6 = ":" in to
            words += [f"eth.dst == {eth_dst}", f"ip{4 + 2 * ipv6}.src == {ip6 if ipv6 else ip}", f"ip{4 + 2 * ipv6}.dst == {to}", "ip.ttl == 64", self.l4(ipv6)]
        elif kind == "vlan" and not self.disabled:             # Both are dropped, by flows of one priority.
            words += [f"eth.dst == {eth_dst}", f"vlan.vid == {self.randint(1, 9)}"]
        elif kind == "dhcp":
            words += self.dhcp_packet(ip, ip6)
        elif kind == "dns":
            words += [f"eth.dst == {eth_dst}", f"ip4.src == {ip}", f"ip4.dst == {other[2]}", "ip.ttl == 64", "udp.src == 999 && udp.dst == 53"]
        elif kind == "multicast":
            words += self.multicast(ip, ip6)
        elif kind == "odd":
            words += [f"eth.dst == {eth_dst}", self.choice(["eth.type == 0x8847" if port not in self.secured else "ip4", "ip4 && ip.proto == 2", "ip4 && ip.frag == 1 && ip4.src == 127.0.0.1", "ip6.src == ::",
                                                            f"ip4.src == {ip} && ip4.dst == {other[2]} && ip.proto == 47 && ip.ttl == 2"])]
        else:
            words += [f"eth.dst == {eth_dst}"]
        return " && ".join(words)

    def router_ip(self, switch, ipv6):
        if switch == "pub":
            return "fd16::1" if ipv6 else "172.16.0.1"
        return v6(int(switch[1:]), 0xfe) if ipv6 else v4(int(switch[1:]), 254)

    def arp(self, mac, ip, other, switch):
        tpa = self.choice([other[2], self.router_ip(switch, False), "10.0.9.9", ip, "10.0.0.70", "10.0.1.200"] + self.outside[:1] + [v[0] for v in self.vips[:1]])
        return ["arp.op == 1" if self.likely(0.8) else "arp.op == 2", f"arp.sha == {mac}", f"arp.spa == {ip}", f"arp.tpa == {'10.0.9.9' if ':' in tpa else tpa}"]

    def nd(self, mac, ip6, other, switch, there):
        target = self.choice([other[3], self.router_ip(switch, True), "fd99::9", ip6])
        kind = self.choice(["nd_ns", "nd_ns", "nd_na", "nd_rs"])
        if kind == "nd_rs":
            return ["eth.dst == 33:33:00:00:00:02", "ip6.src == fe80::1", "ip6.dst == ff02::2", "nd_rs", "ip.ttl == 255"]
        if kind == "nd_na":
            return [f"eth.dst == {there}", f"ip6.src == {ip6}", f"ip6.dst == {other[3]}", "nd_na", f"nd.target == {target}", f"nd.tll == {mac}", "ip.ttl == 255"]
        low = target.rsplit(":", 1)[1]
        return [f"eth.dst == 33:33:ff:00:00:{int(low or '0', 16) & 255:02x}", f"ip6.src == {ip6}", f"ip6.dst == ff02::1:ff00:{low or 0}", "nd_ns", f"nd.target == {target}",
                f"nd.sll == {mac}", "ip.ttl == 255"]

    def l4(self, ipv6):
        return self.choice([f"tcp.dst == {self.choice([22, 80, 443])}", "tcp.flags == 2 && tcp.dst == 80", "udp.dst == 53", "udp.dst == 3000",
                            "icmp6.type == 128" if ipv6 else "icmp4.type == 8", "sctp.dst == 5"])

    def ip(self, ipv6, source, other, switch):
        to = self.choice([other[2 + ipv6]] * 5 + [self.router_ip(switch, ipv6), "fd99::1" if ipv6 else "8.8.8.8", v6(0, 0x99) if ipv6 else v4(0, 99),
                                                "fe80::1" if ipv6 else "192.168.3.4", "fd00:2::98" if ipv6 else "192.0.2.9", "fd16::77" if ipv6 else "198.51.100.3",
                                                "ff02::1" if ipv6 else "255.255.255.255"])
        n = 6 if ipv6 else 4
        return [f"ip{n}.src == {source}", f"ip{n}.dst == {to}", f"ip.ttl == {self.choice([64, 64, 64, 1, 2, 0])}", self.l4(ipv6)]

    def dhcp_packet(self, ip, ip6):
        if self.likely(0.6):
            source, to = self.choice([("0.0.0.0", "255.255.255.255"), (ip, "10.0.0.253")])
            return ["eth.dst == ff:ff:ff:ff:ff:ff", f"ip4.src == {source}", f"ip4.dst == {to}", "udp.src == 68 && udp.dst == 67", "ip.ttl == 64"]
        return ["eth.dst == 33:33:00:01:00:02", f"ip6.src == {self.choice(['fe80::1', ip6])}", "ip6.dst == ff02::1:2", "udp.src == 546 && udp.dst == 547", "ip.ttl == 64"]

    def multicast(self, ip, ip6):
        if self.likely(0.6):
            to = self.choice(["224.0.0.5", "239.1.2.3"])
            last = "05" if to[-1] == "5" else "03"
            return [f"eth.dst == 01:00:5e:00:00:{last}", f"ip4.src == {ip}", f"ip4.dst == {to}", "ip.ttl == 5", self.choice(["udp.dst == 5000", "ip.proto == 2"])]
        return ["eth.dst == 33:33:00:00:00:01", f"ip6.src == {ip6}", f"ip6.dst == {self.choice(['ff02::1', 'ff0e::1'])}", "ip.ttl == 5",
                self.choice(["udp.dst == 5000", "icmp6.type == 143"])]

    def options(self):
        """What is to be assumed: alike for both programs."""
        words = [f"--ct={self.choice(['new', 'est', 'est,rpl', 'new,trk', 'rel,rpl', 'est,dnat', 'trk new'] + ['inv'] * (not self.routed))}"] * self.choice([0, 0, 8])
        if not words and self.edge == "none" and not self.vips and self.likely(0.5):
            words = [f"--ct={self.choice(['new', 'est', 'inv', 'est,rpl'])}" for _ in range(self.randint(1, 4))]
        if self.backends:
            words.append(f"--lb-dst={self.choice(self.backends)}")
        return words + ["--select-id=1"]

"""The workload `kube NODES PODS SERVICES`: a container cluster as its network plugin writes it.

One switch a node on one router of the cluster; a gateway router a node, all on one join switch; every service a load balancer of one group that
all switches and gateway routers have; for each fifty pods a policy: everything to them is dropped but one port from one address set.
"""
from .rpc import insert, map_, named, set_

PODS_A_POLICY = 50
N_BACKENDS = 5


def mac(n):
    return "0a:" + ":".join(f"{n >> shift & 255:02x}" for shift in (32, 24, 16, 8, 0))


def node_net(node):
    """The first two octets that differ between nodes: each has a /24 in 10.128.0.0/9."""
    return f"10.{128 + (node >> 8)}.{node & 255}"


class Kube:
    def __init__(self, stack, nodes, pods, services):
        self.stack, self.nodes, self.pods, self.services = stack, nodes, pods, services

    def __str__(self):
        return f"{self.nodes} × {self.pods} × {self.services}"

    def load(self):
        """Writes the network, in one transaction."""
        self.ops, self.n = [], 0
        group = self._insert("Load_Balancer_Group", name="cluster", load_balancer=set_(self._service(s) for s in range(self.services)))
        on_router, on_join, pods = [], [], []
        for node in range(self.nodes):
            self._node(node, group, on_router, on_join, pods)
        on_join.append(self._router_port_of_switch("jtor-cluster", "rtoj-cluster"))
        on_router.append(self._insert("Logical_Router_Port", name="rtoj-cluster", mac=mac(1 << 35), networks="100.65.255.254/16"))
        self._insert("Logical_Switch", name="join", ports=set_(on_join))
        routes = [self._insert("Logical_Router_Static_Route", ip_prefix=f"{node_net(n)}.0/24", policy="src-ip", nexthop=f"100.65.{n >> 8}.{n & 255}")
                  for n in range(self.nodes)]
        self._insert("Logical_Router", name="cluster", ports=set_(on_router), static_routes=set_(routes))
        for i in range(0, len(pods), PODS_A_POLICY):
            self._policy(i // PODS_A_POLICY, pods[i:i + PODS_A_POLICY])
        self.stack.nb.transact(*self.ops)

    def _insert(self, table, **row):
        self.n += 1
        self.ops.append(insert(table, row, f"r{self.n}"))
        return named(f"r{self.n}")

    def _router_port_of_switch(self, name, peer):
        return self._insert("Logical_Switch_Port", name=name, type="router", addresses="router", options=map_({"router-port": peer}))

    def _pod_address(self, node, pod):
        return f"{node_net(node)}.{10 + pod}" if pod < 240 else f"10.{192 + (node >> 8)}.{node & 255}.{pod - 230}"

    def _service(self, s):
        backends = ",".join(f"{self._pod_address((7 * b + s) % self.nodes, s % max(1, min(self.pods, 200)))}:8080" for b in range(N_BACKENDS))
        return self._insert("Load_Balancer", name=f"svc{s}", protocol="tcp", vips=map_({f"172.30.{s >> 8}.{s & 255}:80": backends}),
                            options=map_({"hairpin_snat_ip": "169.254.169.5"}))

    def _node(self, node, group, on_router, on_join, pods):
        net, ports = node_net(node), []
        for pod in range(self.pods):
            ip = self._pod_address(node, pod)
            address = f"{mac(node * 1000 + pod + 10)} {ip}"
            ports.append(self._insert("Logical_Switch_Port", name=f"pod-{node}-{pod}", addresses=address, port_security=address))
            pods.append((ports[-1], ip))
        ports.append(self._router_port_of_switch(f"stor-{node}", f"rtos-{node}"))
        on_router.append(self._insert("Logical_Router_Port", name=f"rtos-{node}", mac=mac((1 << 33) + node), networks=f"{net}.1/24"))
        self._insert("Logical_Switch", name=f"node-{node}", ports=set_(ports), load_balancer_group=group, other_config=map_({"subnet": f"{net}.0/24"}))
        join = self._insert("Logical_Router_Port", name=f"rtoj-GR-{node}", mac=mac((1 << 34) + node), networks=f"100.65.{node >> 8}.{node & 255}/16")
        on_join.append(self._router_port_of_switch(f"jtor-GR-{node}", f"rtoj-GR-{node}"))
        nat = self._insert("NAT", type="snat", external_ip=f"198.18.{node >> 8}.{node & 255}", logical_ip=f"{net}.0/24")
        route = self._insert("Logical_Router_Static_Route", ip_prefix="10.128.0.0/9", nexthop="100.65.255.254")
        self._insert("Logical_Router", name=f"GR-{node}", ports=join, nat=nat, static_routes=route, load_balancer_group=group,
                     options=map_({"chassis": f"hv{node}", "lb_force_snat_ip": "router_ip"}))

    def _policy(self, i, pods):
        self._insert("Address_Set", name=f"as_{i}", addresses=set_(ip for _, ip in pods))
        acls = [self._insert("ACL", priority=1000, direction="to-lport", action="drop", match=f"outport == @pg_{i}"),
                self._insert("ACL", priority=1001, direction="to-lport", action="allow-related",
                             match=f"outport == @pg_{i} && ip4.src == $as_{i} && tcp.dst == 8080")]
        self._insert("Port_Group", name=f"pg_{i}", ports=set_(port for port, _ in pods), acls=set_(acls))

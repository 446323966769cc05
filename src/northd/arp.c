/* arp.c - the ARP and neighbour-discovery responder: stage arp_rsp. Requests for addresses that the CMS told us are answered on the
 * hypervisor that asks, so they never cross the overlay (RFC 826, RFC 4861). */
#include "northd/lflow.h"

#include <stdlib.h>

/* Whether requests for P's addresses are answered for it. */
static bool
is_answered_for(struct northd *n, const struct port *p, struct dep_reader *by)
{
    const struct ovsdb_map *options = nb_logical_switch_port_options(p->row, by);

    if (p->unknown || str_eq(p->type, "virtual") || str_eq(p->type, "localnet") ||
        switch_has_vlan_passthru(n, p->ls, by) || ovsdb_map_get_bool(options, "disable_arp_nd_rsp", false)) {
        return false;
    }
    if (str_eq(p->type, "router") || str_eq(p->type, "localport") || global_option_bool(n, "ignore_lsp_down", true, by)) {
        return true;
    }
    struct sb_port_binding *pb = sb_port_binding_of(ovsdb_index_get_str(n->sb_port_by_name, by, p->name));
    bool up;
    return pb && sb_port_binding_up(pb, by, &up) && up;
}

static void
arp_flows(struct northd *n, struct incr_unit *u, const struct port *p, const struct dpset *set, struct eth_addr mac, const char *ip)
{
    char *match = xasprintf("arp.tpa == %s && arp.op == 1", ip);
    char *own = xasprintf("%s && inport == %s", match, p->json_name);
    char *actions = xasprintf("eth.dst = eth.src; eth.src = " ETH_ADDR_FMT "; arp.op = 2; arp.tha = arp.sha; "
                              "arp.sha = " ETH_ADDR_FMT "; arp.tpa = arp.spa; arp.spa = %s; outport = inport; "
                              "flags.loopback = 1; output;",
                              ETH_ADDR_ARGS(mac), ETH_ADDR_ARGS(mac), ip);

    lflow_emit(n, u, set, stage_ls_in_arp_rsp, 50, match, actions, &p->row->row_, NULL);
    /* Who asks for its own address looks for a duplicate: it must not hear itself. */
    lflow_emit(n, u, set, stage_ls_in_arp_rsp, 100, own, "next;", &p->row->row_, p->name);
    free(match);
    free(own);
    free(actions);
}

static void
nd_flows(struct northd *n, struct incr_unit *u, const struct port *p, const struct dpset *set, struct eth_addr mac,
         const struct ip_addr *addr, const char *ip)
{
    struct ip_addr sn = { .v6 = true, .v6_addr = ipv6_solicited_node(&addr->v6_addr) };
    char sn_text[INET6_ADDRSTRLEN];
    char *match = xasprintf("nd_ns && ip6.dst == {%s, %s} && nd.target == %s", ip, ip_addr_to_str(&sn, sn_text), ip);
    char *own = xasprintf("%s && inport == %s", match, p->json_name);
    char *actions = xasprintf("%s { eth.src = " ETH_ADDR_FMT "; ip6.src = %s; nd.target = %s; nd.tll = " ETH_ADDR_FMT
                              "; outport = inport; flags.loopback = 1; output; };",
                              str_eq(p->type, "router") ? "nd_na_router" : "nd_na", ETH_ADDR_ARGS(mac), ip, ip,
                              ETH_ADDR_ARGS(mac));

    lflow_emit(n, u, set, stage_ls_in_arp_rsp, 50, match, actions, &p->row->row_, NULL);
    lflow_emit(n, u, set, stage_ls_in_arp_rsp, 100, own, "next;", &p->row->row_, p->name);
    free(match);
    free(own);
    free(actions);
}

void
arp_port_flows(struct northd *n, struct incr_unit *u, const struct port *p)
{
    struct dpset set = dpset_one(&p->datapath);

    if (str_eq(p->type, "localnet")) {
        /* From the physical network every hypervisor hears the request; not all shall answer. */
        char *match = xasprintf("inport == %s", p->json_name);
        lflow_emit(n, u, &set, stage_ls_in_arp_rsp, 100, match, "next;", &p->row->row_, p->name);
        free(match);
    }
    if (!p->enabled || !is_answered_for(n, p, incr_reader(u))) {
        return;
    }
    for (size_t i = 0; i < p->n_addresses; i++) {
        const struct lport_addresses *a = &p->addresses[i];
        for (size_t j = 0; j < a->n_ips; j++) {
            char ip[INET6_ADDRSTRLEN];
            ip_addr_to_str(&a->ips[j], ip);
            if (a->ips[j].v6) {
                nd_flows(n, u, p, &set, a->mac, &a->ips[j], ip);
            } else {
                arp_flows(n, u, p, &set, a->mac, ip);
            }
        }
    }
}

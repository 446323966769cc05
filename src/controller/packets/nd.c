/* nd.c - nd_na { ... }, nd_na_router { ... }: a neighbour solicitation becomes the advertisement that answers it. nd_ns { ... }: an IPv6 packet becomes the
 * solicitation of its destination. ovn-sb(5), RFC 4861. The nested actions then say whose addresses it carries. */
#include "net/nd.h"

#include "controller/packets/packets.h"

static bool
advertise(const struct punt *p, uint32_t flags, struct str *out)
{
    static const struct ip_addr all_nodes = { .v6 = true, .plen = 128, .v6_addr = { { { 0xff, 2, [15] = 1 } } } };
    struct ip_packet ip;
    struct nd solicit;

    if (!ip_parse(p->eth.type, p->eth.payload, p->eth.payload_len, &ip) || !nd_parse(&ip, &solicit) || solicit.type != ND_SOLICIT) {
        return false;
    }
    struct nd advert = { .type = ND_ADVERT, .flags = flags | ND_SOLICITED | ND_OVERRIDE, .target = solicit.target, .has_lla = true, .lla = p->eth.dst };
    struct ip_packet header = { .src = { .v6 = true, .plen = 128, .v6_addr = solicit.target }, .dst = ip.src };
    struct eth_addr dst = p->eth.src;
    if (ip_addr_is_unspecified(&ip.src)) {             /* Who has no address yet (RFC 4862 5.4) is told with all others: 7.2.4. */
        advert.flags &= ~ND_SOLICITED;
        header.dst = all_nodes;
        dst = eth_addr_for_ipv6_multicast(&all_nodes.v6_addr);
    }
    eth_put(out, dst, p->eth.dst, &p->eth, ETH_TYPE_IPV6);
    nd_put(out, &header, &advert);
    return true;
}

bool
nd_na_compose(const struct punt *p, struct str *out)
{
    return advertise(p, 0, out);
}

bool
nd_na_router_compose(const struct punt *p, struct str *out)
{
    return advertise(p, ND_ROUTER, out);
}

bool
nd_ns_compose(const struct punt *p, struct str *out)
{
    struct ip_packet ip;

    if (p->eth.type != ETH_TYPE_IPV6 || !ip_parse(p->eth.type, p->eth.payload, p->eth.payload_len, &ip)
        || ip_addr_is_multicast(&ip.dst) || ip_addr_is_multicast(&ip.src)) {
        return false;
    }
    struct nd solicit = { .type = ND_SOLICIT, .target = ip.dst.v6_addr, .has_lla = true, .lla = p->eth.src };
    struct ip_packet header = { .src = ip.src, .dst = { .v6 = true, .plen = 128, .v6_addr = ipv6_solicited_node(&ip.dst.v6_addr) } };
    eth_put(out, eth_addr_for_ipv6_multicast(&header.dst.v6_addr), p->eth.src, &p->eth, ETH_TYPE_IPV6);
    nd_put(out, &header, &solicit);
    return true;
}

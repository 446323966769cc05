/* arp.c - arp { ... }: an IPv4 packet becomes an ARP request for its destination. ovn-sb(5). */
#include "controller/packets/packets.h"
#include "net/arp.h"
#include "net/ip.h"

bool
arp_compose(const struct punt *p, struct str *out)
{
    struct ip_packet ip;

    if (p->eth.type != ETH_TYPE_IPV4 || !ip_parse(p->eth.type, p->eth.payload, p->eth.payload_len, &ip)) {
        return false;
    }
    struct arp arp = { .op = ARP_REQUEST, .sha = p->eth.src, .spa = ip.src.v4_addr, .tpa = ip.dst.v4_addr };
    eth_put(out, p->eth.dst, p->eth.src, &p->eth, ETH_TYPE_ARP);
    arp_put(out, &arp);
    return true;
}

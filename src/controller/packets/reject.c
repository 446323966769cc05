/* reject.c - a packet becomes the news that it was refused: icmp4 { ... }, icmp6 { ... } and their _error forms (destination unreachable), tcp_reset { ... }, reject { ... } (what
 * suits the packet). ovn-sb(5).
 *
 * All but reject leave Ethernet and IP addresses as they are, for the nested actions to exchange; reject exchanges them itself. Ports
 * of a reset are always exchanged. */
#include "controller/packets/packets.h"
#include "net/icmp.h"
#include "net/tcp.h"

/* The headers of the answer, and what it is about. There is none to what is for many, or from nobody (RFC 1122 3.2.2, RFC 9293 3.10.7). */
struct refusal {
    struct eth_addr eth_dst, eth_src;
    struct ip_packet about, header;
};

static bool
refusal_init(const struct punt *p, bool exchange, struct refusal *r)
{
    if (!ip_parse(p->eth.type, p->eth.payload, p->eth.payload_len, &r->about) || !icmp_may_complain(&r->about) || eth_addr_is_multicast(p->eth.dst)) {
        return false;
    }
    r->eth_dst = exchange ? p->eth.src : p->eth.dst;
    r->eth_src = exchange ? p->eth.dst : p->eth.src;
    r->header = (struct ip_packet) { .src = exchange ? r->about.dst : r->about.src, .dst = exchange ? r->about.src : r->about.dst };
    return true;
}

static void
put_unreachable(const struct punt *p, const struct refusal *r, uint8_t code4, uint8_t code6, struct str *out)
{
    bool v6 = r->about.src.v6;

    eth_put(out, r->eth_dst, r->eth_src, &p->eth, p->eth.type);
    icmp_put_error(out, &r->header, v6 ? ICMP6_UNREACHABLE : ICMP4_UNREACHABLE, v6 ? code6 : code4, 0, &r->about);
}

static bool
put_reset(const struct punt *p, const struct refusal *r, struct str *out)
{
    struct tcp tcp;

    if (!tcp_parse(&r->about, &tcp) || tcp.flags & TCP_RST) {
        return false;
    }
    eth_put(out, r->eth_dst, r->eth_src, &p->eth, p->eth.type);
    tcp_put_reset(out, &r->header, &tcp);
    return true;
}

bool
icmp_compose(const struct punt *p, struct str *out)
{
    struct refusal r;

    if (!refusal_init(p, false, &r)) {
        return false;
    }
    put_unreachable(p, &r, ICMP4_HOST, ICMP6_PROHIBITED, out);
    return true;
}

bool
icmp_error_compose(const struct punt *p, struct str *out)
{
    return icmp_compose(p, out);
}

bool
tcp_reset_compose(const struct punt *p, struct str *out)
{
    struct refusal r;

    return refusal_init(p, false, &r) && put_reset(p, &r, out);
}

bool
reject_compose(const struct punt *p, struct str *out)
{
    struct refusal r;

    if (!refusal_init(p, true, &r)) {
        return false;
    } else if (r.about.proto == IP_TCP) {
        return put_reset(p, &r, out);
    }
    bool udp = r.about.proto == IP_UDP;
    put_unreachable(p, &r, udp ? ICMP4_PORT : ICMP4_HOST, udp ? ICMP6_PORT : ICMP6_PROHIBITED, out);
    return true;
}

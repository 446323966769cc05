/* nd.c - neighbour solicitations and advertisements. */
#include "net/nd.h"

#include "net/bytes.h"

enum { ND_LEN = 24, OPTION_LEN = 8, OPTION_SOURCE = 1, OPTION_TARGET = 2 };

/* Options: N bytes at P. */
static bool
parse_options(const uint8_t *p, size_t n, struct nd *nd)
{
    const uint8_t wanted = nd->type == ND_SOLICIT ? OPTION_SOURCE : OPTION_TARGET;

    while (n) {
        size_t len = n >= 2 ? p[1] * 8u : 0;
        if (!len || len > n) {
            return false;
        }
        if (p[0] == wanted && len == OPTION_LEN && !nd->has_lla) {
            nd->has_lla = true;
            memcpy(nd->lla.b, p + 2, 6);
        }
        p += len;
        n -= len;
    }
    return true;
}

bool
nd_parse(const struct ip_packet *ip, struct nd *nd)
{
    const uint8_t *p = ip->payload;

    if (!ip->src.v6 || ip->proto != IP_ICMPV6 || ip->is_frag || ip->ttl != ND_HOP_LIMIT || ip->payload_len < ND_LEN
        || (p[0] != ND_SOLICIT && p[0] != ND_ADVERT) || p[1] || ip_addr_is_multicast(&ip->src) || ip_checksum(ip, p, ip->payload_len)) {
        return false;
    }
    *nd = (struct nd) { .type = p[0], .flags = be32_get(p + 4) };
    memcpy(&nd->target, p + 8, 16);
    if (nd->target.s6_addr[0] == 0xff || !parse_options(p + ND_LEN, ip->payload_len - ND_LEN, nd)) {
        return false;
    }
    if (nd->type == ND_ADVERT) {
        return !(ip_addr_is_multicast(&ip->dst) && nd->flags & ND_SOLICITED);
    }
    /* Who has no address yet asks the solicited-node group, and does not say where he is. */
    struct in6_addr group = ipv6_solicited_node(&nd->target);
    return !ip_addr_is_unspecified(&ip->src) || (!nd->has_lla && IN6_ARE_ADDR_EQUAL(&group, &ip->dst.v6_addr));
}

void
nd_put(struct str *out, const struct ip_packet *ip, const struct nd *nd)
{
    struct ip_packet header = { .src = ip->src, .dst = ip->dst, .proto = IP_ICMPV6, .ttl = ND_HOP_LIMIT };
    size_t len = ND_LEN + (nd->has_lla ? OPTION_LEN : 0);

    ip_put(out, &header, len);
    size_t at = out->len;
    u8_put(out, nd->type);
    u8_put(out, 0);
    be16_put(out, 0);
    be32_put(out, nd->flags);
    str_put(out, &nd->target, 16);
    if (nd->has_lla) {
        u8_put(out, nd->type == ND_SOLICIT ? OPTION_SOURCE : OPTION_TARGET);
        u8_put(out, 1);
        str_put(out, nd->lla.b, 6);
    }
    be16_set(out->s + at + 2, ip_checksum(&header, out->s + at, len));
}

/* ip.c - IPv4 and IPv6 headers. */
#include "net/ip.h"

#include "net/bytes.h"
#include "net/checksum.h"
#include "net/eth.h"

enum { EXT_HOP_BY_HOP = 0, EXT_ROUTING = 43, EXT_FRAGMENT = 44, EXT_AUTH = 51, EXT_DESTINATION = 60, MAX_EXTENSIONS = 8 };

static bool
ipv4_parse(const uint8_t *p, size_t n, struct ip_packet *ip)
{
    size_t header = n >= IPV4_HEADER_LEN ? (p[0] & 15) * 4u : 0, len;

    if (header < IPV4_HEADER_LEN || p[0] >> 4 != 4 || (len = be16_get(p + 2)) < header || len > n) {
        return false;
    }
    uint16_t frag = be16_get(p + 6);
    *ip = (struct ip_packet) {
        .src = { .plen = 32 }, .dst = { .plen = 32 }, .tos = p[1], .ttl = p[8], .proto = p[9],
        .is_frag = frag & 0x3fff, .later_frag = frag & 0x1fff, .header = p, .len = len,
        .payload = p + header, .payload_len = len - header,
    };
    memcpy(&ip->src.v4_addr, p + 12, 4);
    memcpy(&ip->dst.v4_addr, p + 16, 4);
    return true;
}

/* Steps over extension headers to the payload. */
static bool
skip_extensions(struct ip_packet *ip)
{
    for (int i = 0; i < MAX_EXTENSIONS; i++) {
        const uint8_t *p = ip->payload;
        size_t n = ip->payload_len, len;
        switch (ip->proto) {
        case EXT_HOP_BY_HOP:
        case EXT_ROUTING:
        case EXT_DESTINATION:
            len = n >= 8 ? (p[1] + 1) * 8u : 0;
            break;
        case EXT_AUTH:
            len = n >= 8 ? (p[1] + 2) * 4u : 0;
            break;
        case EXT_FRAGMENT:
            len = 8;
            if (n >= len) {
                ip->is_frag = be16_get(p + 2) & 0xfff9;
                ip->later_frag = be16_get(p + 2) & 0xfff8;
            }
            break;
        default:
            return true;
        }
        if (!len || len > n) {
            return false;
        }
        ip->proto = p[0];
        ip->payload += len;
        ip->payload_len -= len;
        if (ip->later_frag) {
            return true;
        }
    }
    return false;
}

static bool
ipv6_parse(const uint8_t *p, size_t n, struct ip_packet *ip)
{
    if (n < IPV6_HEADER_LEN || p[0] >> 4 != 6 || be16_get(p + 4) > n - IPV6_HEADER_LEN) {
        return false;
    }
    *ip = (struct ip_packet) {
        .src = { .v6 = true, .plen = 128 }, .dst = { .v6 = true, .plen = 128 }, .tos = be16_get(p) >> 4, .ttl = p[7], .proto = p[6],
        .header = p, .len = IPV6_HEADER_LEN + be16_get(p + 4), .payload = p + IPV6_HEADER_LEN, .payload_len = be16_get(p + 4),
    };
    memcpy(&ip->src.v6_addr, p + 8, 16);
    memcpy(&ip->dst.v6_addr, p + 24, 16);
    return skip_extensions(ip);
}

bool
ip_parse(uint16_t type, const void *p, size_t n, struct ip_packet *ip)
{
    return type == ETH_TYPE_IPV4 ? ipv4_parse(p, n, ip) : type == ETH_TYPE_IPV6 && ipv6_parse(p, n, ip);
}

static void
ipv4_put(struct str *out, const struct ip_packet *ip, size_t payload_len)
{
    size_t at = out->len;

    u8_put(out, 0x45);
    u8_put(out, ip->tos);
    be16_put(out, IPV4_HEADER_LEN + payload_len);
    be32_put(out, 0);
    u8_put(out, ip->ttl);
    u8_put(out, ip->proto);
    be16_put(out, 0);
    str_put(out, &ip->src.v4_addr, 4);
    str_put(out, &ip->dst.v4_addr, 4);
    be16_set(out->s + at + 10, checksum_finish(checksum_add(0, out->s + at, IPV4_HEADER_LEN)));
}

void
ip_put(struct str *out, const struct ip_packet *ip, size_t payload_len)
{
    if (!ip->src.v6) {
        ipv4_put(out, ip, payload_len);
        return;
    }
    be32_put(out, UINT32_C(6) << 28 | (uint32_t) ip->tos << 20);
    be16_put(out, payload_len);
    u8_put(out, ip->proto);
    u8_put(out, ip->ttl);
    str_put(out, &ip->src.v6_addr, 16);
    str_put(out, &ip->dst.v6_addr, 16);
}

uint16_t
ip_eth_type(const struct ip_addr *a)
{
    return a->v6 ? ETH_TYPE_IPV6 : ETH_TYPE_IPV4;
}

bool
ip_addr_is_multicast(const struct ip_addr *a)
{
    uint32_t v4 = a->v6 ? 0 : ntohl(a->v4_addr.s_addr);

    return a->v6 ? a->v6_addr.s6_addr[0] == 0xff : v4 >> 28 == 14 || v4 == UINT32_MAX;
}

bool
ip_addr_is_unspecified(const struct ip_addr *a)
{
    return a->v6 ? IN6_IS_ADDR_UNSPECIFIED(&a->v6_addr) : !a->v4_addr.s_addr;
}

uint16_t
ip_checksum(const struct ip_packet *ip, const void *data, size_t n)
{
    uint32_t sum = 0;

    if (ip->src.v6) {
        sum = checksum_add(sum, &ip->src.v6_addr, 16);
        sum = checksum_add(sum, &ip->dst.v6_addr, 16);
        sum += ip->proto + n;
    } else if (ip->proto != IP_ICMP) {
        sum = checksum_add(sum, &ip->src.v4_addr, 4);
        sum = checksum_add(sum, &ip->dst.v4_addr, 4);
        sum += ip->proto + n;
    }
    return checksum_finish(checksum_add(sum, data, n));
}

/* icmp.c - ICMP error messages. */
#include "net/icmp.h"

#include "net/bytes.h"

enum { ICMP_LEN = 8, IPV4_MAX = 576, IPV6_MAX = 1280, TTL = 255 };

bool
icmp_may_complain(const struct ip_packet *about)
{
    if (ip_addr_is_multicast(&about->dst) || ip_addr_is_multicast(&about->src) || ip_addr_is_unspecified(&about->src) || about->later_frag) {
        return false;
    }
    if (about->proto == (about->src.v6 ? IP_ICMPV6 : IP_ICMP)) {
        uint8_t type = about->payload_len ? about->payload[0] : 0;
        if (about->src.v6) {
            return about->payload_len && type >= 128 && type != 137;           /* Errors are below; redirects are like them. */
        }
        return about->payload_len && (type == 0 || type == 8 || (type >= 13 && type <= 18));   /* Known to be questions and answers. */
    }
    return true;
}

void
icmp_put_error(struct str *out, const struct ip_packet *ip, uint8_t type, uint8_t code, uint32_t rest, const struct ip_packet *about)
{
    bool v6 = ip->src.v6;
    struct ip_packet header = { .src = ip->src, .dst = ip->dst, .proto = v6 ? IP_ICMPV6 : IP_ICMP, .ttl = TTL };
    size_t room = v6 ? IPV6_MAX - IPV6_HEADER_LEN - ICMP_LEN : IPV4_MAX - IPV4_HEADER_LEN - ICMP_LEN;
    size_t quoted = MIN(about->len, room);

    ip_put(out, &header, ICMP_LEN + quoted);
    size_t at = out->len;
    u8_put(out, type);
    u8_put(out, code);
    be16_put(out, 0);
    be32_put(out, rest);
    str_put(out, about->header, quoted);
    be16_set(out->s + at + 2, ip_checksum(&header, out->s + at, ICMP_LEN + quoted));
}

/* tcp.c - TCP resets. */
#include "net/tcp.h"

#include "net/bytes.h"

bool
tcp_parse(const struct ip_packet *ip, struct tcp *t)
{
    const uint8_t *p = ip->payload;
    size_t n = ip->payload_len, header = n >= TCP_HEADER_LEN ? (p[12] >> 4) * 4u : 0;

    if (ip->proto != IP_TCP || ip->later_frag || header < TCP_HEADER_LEN || header > n) {
        return false;
    }
    *t = (struct tcp) { .src = be16_get(p), .dst = be16_get(p + 2), .seq = be32_get(p + 4), .ack = be32_get(p + 8), .flags = be16_get(p + 12) & 0xfff };
    t->segment_len = n - header + !!(t->flags & TCP_SYN) + !!(t->flags & TCP_FIN);
    return true;
}

void
tcp_put_reset(struct str *out, const struct ip_packet *ip, const struct tcp *to)
{
    struct ip_packet header = { .src = ip->src, .dst = ip->dst, .proto = IP_TCP, .ttl = 255 };
    bool acked = to->flags & TCP_ACK;

    ip_put(out, &header, TCP_HEADER_LEN);
    size_t at = out->len;
    be16_put(out, to->dst);
    be16_put(out, to->src);
    be32_put(out, acked ? to->ack : 0);
    be32_put(out, acked ? 0 : to->seq + to->segment_len);
    be16_put(out, TCP_HEADER_LEN / 4 << 12 | TCP_RST | (acked ? 0 : TCP_ACK));
    be16_put(out, 0);
    be32_put(out, 0);
    be16_set(out->s + at + 16, ip_checksum(&header, out->s + at, TCP_HEADER_LEN));
}

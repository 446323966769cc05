/* eth.c - Ethernet headers. */
#include "net/eth.h"

#include "net/bytes.h"

bool
eth_parse(const void *frame, size_t n, struct eth_frame *f)
{
    const uint8_t *p = frame;
    size_t at = ETH_HEADER_LEN;

    if (n < ETH_HEADER_LEN) {
        return false;
    }
    *f = (struct eth_frame) { .tags = p + 12, .type = be16_get(p + 12) };
    memcpy(f->dst.b, p, sizeof f->dst.b);
    memcpy(f->src.b, p + 6, sizeof f->src.b);
    for (int i = 0; i < ETH_MAX_VLANS && (f->type == ETH_TYPE_VLAN || f->type == ETH_TYPE_QINQ); i++) {
        if (n < at + ETH_VLAN_LEN) {
            return false;
        }
        f->type = be16_get(p + at + 2);
        f->tags_len += ETH_VLAN_LEN;
        at += ETH_VLAN_LEN;
    }
    f->payload = p + at;
    f->payload_len = n - at;
    return true;
}

void
eth_put(struct str *out, struct eth_addr dst, struct eth_addr src, const struct eth_frame *like, uint16_t type)
{
    str_put(out, dst.b, sizeof dst.b);
    str_put(out, src.b, sizeof src.b);
    if (like) {
        str_put(out, like->tags, like->tags_len);
    }
    be16_put(out, type);
}

struct eth_addr
eth_addr_for_ipv6_multicast(const struct in6_addr *a)
{
    struct eth_addr e = { { 0x33, 0x33 } };

    memcpy(e.b + 2, a->s6_addr + 12, 4);
    return e;
}

/* arp.c - ARP packets. */
#include "net/arp.h"

#include "net/bytes.h"
#include "net/eth.h"

bool
arp_parse(const void *packet, size_t n, struct arp *a)
{
    const uint8_t *p = packet;

    if (n < ARP_LEN || be16_get(p) != 1 || be16_get(p + 2) != ETH_TYPE_IPV4 || p[4] != 6 || p[5] != 4) {
        return false;
    }
    a->op = be16_get(p + 6);
    memcpy(&a->sha, p + 8, 6);
    memcpy(&a->spa, p + 14, 4);
    memcpy(&a->tha, p + 18, 6);
    memcpy(&a->tpa, p + 24, 4);
    return true;
}

void
arp_put(struct str *out, const struct arp *a)
{
    be16_put(out, 1);
    be16_put(out, ETH_TYPE_IPV4);
    u8_put(out, 6);
    u8_put(out, 4);
    be16_put(out, a->op);
    str_put(out, &a->sha, 6);
    str_put(out, &a->spa, 4);
    str_put(out, &a->tha, 6);
    str_put(out, &a->tpa, 4);
}

/* eth.h - Ethernet II headers with up to two VLAN tags (IEEE 802.3, 802.1Q, 802.1ad). */
#ifndef NET_ETH_H
#define NET_ETH_H 1

#include "net/address.h"

enum { ETH_TYPE_IPV4 = 0x0800, ETH_TYPE_ARP = 0x0806, ETH_TYPE_VLAN = 0x8100, ETH_TYPE_IPV6 = 0x86dd, ETH_TYPE_QINQ = 0x88a8 };
enum { ETH_HEADER_LEN = 14, ETH_VLAN_LEN = 4, ETH_MAX_VLANS = 2, ETH_MIN_FRAME = 60 };

struct eth_frame {
    struct eth_addr dst, src;
    uint16_t type;                     /* After the tags. */
    const uint8_t *tags;               /* TAGS_LEN bytes: VLAN tags, each with its type before it. */
    size_t tags_len;
    const uint8_t *payload;            /* Maybe padded. */
    size_t payload_len;
};
/* False if the header is cut off. *F points into the frame. */
bool eth_parse(const void *frame, size_t n, struct eth_frame *f) MUST_USE;
/* Appends a header with LIKE's tags (NULL: none). */
void eth_put(struct str *, struct eth_addr dst, struct eth_addr src, const struct eth_frame *like, uint16_t type);
/* The group address for an IPv6 multicast address (RFC 2464 7). */
struct eth_addr eth_addr_for_ipv6_multicast(const struct in6_addr *);

#endif

/* arp.h - ARP for IPv4 over Ethernet (RFC 826). */
#ifndef NET_ARP_H
#define NET_ARP_H 1

#include "net/address.h"

enum { ARP_REQUEST = 1, ARP_REPLY = 2, ARP_LEN = 28 };

struct arp {
    uint16_t op;
    struct eth_addr sha, tha;          /* Of the sender, of the target. */
    struct in_addr spa, tpa;
};
/* An Ethernet payload; false if it is cut off or of other kinds of addresses. */
bool arp_parse(const void *, size_t n, struct arp *) MUST_USE;
void arp_put(struct str *, const struct arp *);

#endif

/* nd.h - IPv6 neighbour solicitations and advertisements (RFC 4861 4.3, 4.4, 7.1). */
#ifndef NET_ND_H
#define NET_ND_H 1

#include "net/ip.h"

enum { ND_SOLICIT = 135, ND_ADVERT = 136, ND_HOP_LIMIT = 255 };
enum { ND_ROUTER = UINT32_C(1) << 31, ND_SOLICITED = 1 << 30, ND_OVERRIDE = 1 << 29 };

struct nd {
    uint8_t type;                      /* ND_SOLICIT or ND_ADVERT. */
    uint32_t flags;                    /* ND_ROUTER, ... of an advertisement. */
    struct in6_addr target;
    bool has_lla;                      /* There is a link-layer address option: the source's of a solicitation, the target's of an advertisement. */
    struct eth_addr lla;
};
/* The payload of IP. False if it is none, or not valid (RFC 4861 7.1): hop limit, checksum, lengths, addresses. */
bool nd_parse(const struct ip_packet *ip, struct nd *) MUST_USE;
/* Appends the IPv6 header (of IP, src and dst) and the message; LLA as has_lla says. */
void nd_put(struct str *, const struct ip_packet *ip, const struct nd *);

#endif

/* ip.h - IPv4 (RFC 791) and IPv6 (RFC 8200) headers. */
#ifndef NET_IP_H
#define NET_IP_H 1

#include "net/address.h"

enum { IP_ICMP = 1, IP_TCP = 6, IP_UDP = 17, IP_ICMPV6 = 58 };
enum { IPV4_HEADER_LEN = 20, IPV6_HEADER_LEN = 40 };

struct ip_packet {
    struct ip_addr src, dst;           /* Both IPv4 or both IPv6. */
    uint8_t tos, ttl;                  /* IPv6: traffic class, hop limit. */
    uint8_t proto;                     /* Of the payload: after IPv6 extension headers. */
    bool is_frag, later_frag;          /* Of a fragmented packet; not its first fragment (the payload is no header then). */
    const uint8_t *header;             /* Where the packet begins. */
    size_t len;                        /* All of it, without what pads the frame. */
    const uint8_t *payload;
    size_t payload_len;
};
/* An Ethernet payload of TYPE. False if TYPE is neither, or it is cut off, or what its headers say cannot be. An IPv4 header checksum is not looked at. */
bool ip_parse(uint16_t type, const void *, size_t n, struct ip_packet *) MUST_USE;
/* Appends a header without options for a payload of PAYLOAD_LEN bytes: of IP, src, dst, proto, tos and ttl. */
void ip_put(struct str *, const struct ip_packet *ip, size_t payload_len);
/* The Ethernet type of packets with this address. */
uint16_t ip_eth_type(const struct ip_addr *);
bool ip_addr_is_multicast(const struct ip_addr *);     /* Or IPv4 broadcast. */
bool ip_addr_is_unspecified(const struct ip_addr *);
/* The checksum over the pseudo-header (of IP, src, dst and proto) and N bytes (RFC 9293 3.1, RFC 8200 8.1); ICMP over IPv4 has no pseudo-header. */
uint16_t ip_checksum(const struct ip_packet *ip, const void *, size_t n);

#endif

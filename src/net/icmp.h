/* icmp.h - ICMP error messages: RFC 792, RFC 1812 4.3.2, RFC 4443. */
#ifndef NET_ICMP_H
#define NET_ICMP_H 1

#include "net/ip.h"

enum { ICMP4_UNREACHABLE = 3, ICMP4_HOST = 1, ICMP4_PORT = 3, ICMP6_UNREACHABLE = 1, ICMP6_PROHIBITED = 1, ICMP6_PORT = 4 };

/* Whether ABOUT may cause an error message: not about errors, multicast, fragments without the header of what they carry, or nobody's packets. */
bool icmp_may_complain(const struct ip_packet *about) MUST_USE;
/* Appends an IP header (of IP, src and dst; IPv4 or IPv6 as they are) and the error message about ABOUT, which is quoted as far as fits: 576 bytes for IPv4,
 * 1280 for IPv6, all headers included. REST: the second word of the ICMP header. */
void icmp_put_error(struct str *, const struct ip_packet *ip, uint8_t type, uint8_t code, uint32_t rest, const struct ip_packet *about);

#endif

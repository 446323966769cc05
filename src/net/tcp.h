/* tcp.h - TCP headers, as far as resets need them (RFC 9293). */
#ifndef NET_TCP_H
#define NET_TCP_H 1

#include "net/ip.h"

enum { TCP_FIN = 1, TCP_SYN = 2, TCP_RST = 4, TCP_ACK = 16, TCP_HEADER_LEN = 20 };

struct tcp {
    uint16_t src, dst;
    uint32_t seq, ack;
    uint16_t flags;
    uint32_t segment_len;              /* Data, SYN and FIN: what an acknowledgment of all of it adds to seq. */
};
/* The payload of IP. False if it is no TCP, or cut off. */
bool tcp_parse(const struct ip_packet *ip, struct tcp *) MUST_USE;
/* Appends an IP header (of IP, src and dst) and the reset that answers TO (RFC 9293 3.5.2). */
void tcp_put_reset(struct str *, const struct ip_packet *ip, const struct tcp *to);

#endif

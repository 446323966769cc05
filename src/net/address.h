/* address.h - Ethernet, IPv4 and IPv6 addresses: values, parsing, formatting, and the "MAC IP IP..." lists of OVN's databases. */
#ifndef NET_ADDRESS_H
#define NET_ADDRESS_H 1

#include <arpa/inet.h>
#include <netinet/in.h>
#include "base/str.h"

struct eth_addr {
    uint8_t b[6];
};
#define ETH_ADDR_FMT "%02x:%02x:%02x:%02x:%02x:%02x"
#define ETH_ADDR_ARGS(E) (E).b[0], (E).b[1], (E).b[2], (E).b[3], (E).b[4], (E).b[5]

/* Parses an Ethernet address at the beginning of S: six one- or two-digit hexadecimal numbers and colons. Returns what
 * follows it, or NULL. */
const char *eth_addr_parse(const char *s, struct eth_addr *) MUST_USE;
bool eth_addr_from_str(const char *s, struct eth_addr *) MUST_USE;     /* All of S. */
static inline bool
eth_addr_is_multicast(struct eth_addr e)
{
    return e.b[0] & 1;
}
static inline bool
eth_addr_is_zero(struct eth_addr e)
{
    return !(e.b[0] | e.b[1] | e.b[2] | e.b[3] | e.b[4] | e.b[5]);
}

/* An IPv4 or IPv6 address with a prefix length ("10.0.0.1" has 32, "fd00::1" 128). */
struct ip_addr {
    bool v6;
    uint8_t plen;
    union {
        struct in_addr v4_addr;
        struct in6_addr v6_addr;
    };
};
/* Parses N characters at S as ADDRESS[/PLEN] or, for IPv4, ADDRESS/MASK with a contiguous mask. */
bool ip_addr_parse(const char *s, size_t n, struct ip_addr *) MUST_USE;
bool ip_addr_from_str(const char *s, struct ip_addr *) MUST_USE;
void ip_addr_put(const struct ip_addr *, struct str *);                /* Without the prefix length. */
char *ip_addr_to_str(const struct ip_addr *, char buf[INET6_ADDRSTRLEN]);
bool ip_addr_equal(const struct ip_addr *, const struct ip_addr *);    /* The addresses alone. */

/* The solicited-node multicast address of an IPv6 address (RFC 4291 2.7.1). */
struct in6_addr ipv6_solicited_node(const struct in6_addr *);
/* fe80::/64 with the modified EUI-64 of E (RFC 4291 2.5.6). */
struct in6_addr ipv6_link_local(struct eth_addr e);

/* An element of Logical_Switch_Port.addresses or port_security: "MAC [IP[/PLEN]]...". */
struct lport_addresses {
    struct eth_addr mac;
    struct ip_addr *ips;
    size_t n_ips;
};
/* NULL and *A (lport_addresses_destroy() it), or what is wrong (caller owns). */
char *lport_addresses_parse(const char *, struct lport_addresses *a) MUST_USE;
void lport_addresses_destroy(struct lport_addresses *);

#endif

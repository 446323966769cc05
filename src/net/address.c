#include "net/address.h"

#include <stdlib.h>

static int
hex_digit(char c)
{
    return c >= '0' && c <= '9' ? c - '0' : (c | 32) >= 'a' && (c | 32) <= 'f' ? (c | 32) - 'a' + 10 : -1;
}

const char *
eth_addr_parse(const char *s, struct eth_addr *e)
{
    for (int i = 0; i < 6; i++) {
        if (i && *s++ != ':') {
            return NULL;
        }
        int v = hex_digit(*s);
        if (v < 0) {
            return NULL;
        }
        s++;
        int low = hex_digit(*s);
        if (low >= 0) {
            v = v << 4 | low;
            s++;
        }
        e->b[i] = v;
    }
    return s;
}

bool
eth_addr_from_str(const char *s, struct eth_addr *e)
{
    s = eth_addr_parse(s, e);
    return s && !*s;
}

/* The prefix length of an IPv4 mask, or -1 if it has holes. */
static int
mask_plen(struct in_addr mask)
{
    uint32_t m = ntohl(mask.s_addr), inverse = ~m;
    return inverse & (inverse + 1) ? -1 : __builtin_popcount(m);
}

bool
ip_addr_parse(const char *s, size_t n, struct ip_addr *ip)
{
    char text[INET6_ADDRSTRLEN + 1 + INET_ADDRSTRLEN];

    if (n >= sizeof text) {
        return false;
    }
    memcpy(text, s, n);
    text[n] = '\0';
    char *slash = strchr(text, '/');
    if (slash) {
        *slash++ = '\0';
    }
    memset(ip, 0, sizeof *ip);
    if (inet_pton(AF_INET, text, &ip->v4_addr) == 1) {
        ip->plen = 32;
    } else if (inet_pton(AF_INET6, text, &ip->v6_addr) == 1) {
        ip->v6 = true;
        ip->plen = 128;
    } else {
        return false;
    }
    if (slash) {
        struct in_addr mask;
        int64_t plen;
        if (!ip->v6 && inet_pton(AF_INET, slash, &mask) == 1) {
            plen = mask_plen(mask);
        } else if (*slash < '0' || *slash > '9' || !str_to_int(slash, 0, ip->plen, &plen)) {
            return false;
        }
        if (plen < 0) {
            return false;
        }
        ip->plen = plen;
    }
    return true;
}

bool
ip_addr_from_str(const char *s, struct ip_addr *ip)
{
    return ip_addr_parse(s, strlen(s), ip);
}

char *
ip_addr_to_str(const struct ip_addr *ip, char buf[INET6_ADDRSTRLEN])
{
    inet_ntop(ip->v6 ? AF_INET6 : AF_INET, ip->v6 ? (const void *) &ip->v6_addr : &ip->v4_addr, buf,
              INET6_ADDRSTRLEN);
    return buf;
}

void
ip_addr_put(const struct ip_addr *ip, struct str *out)
{
    char buf[INET6_ADDRSTRLEN];
    str_puts(out, ip_addr_to_str(ip, buf));
}

bool
ip_addr_equal(const struct ip_addr *a, const struct ip_addr *b)
{
    return a->v6 == b->v6 && (a->v6 ? !memcmp(&a->v6_addr, &b->v6_addr, sizeof a->v6_addr)
                                    : a->v4_addr.s_addr == b->v4_addr.s_addr);
}

struct in6_addr
ipv6_solicited_node(const struct in6_addr *ip)
{
    struct in6_addr out = { .s6_addr = { 0xff, 0x02, [11] = 0x01, [12] = 0xff } };
    memcpy(&out.s6_addr[13], &ip->s6_addr[13], 3);
    return out;
}

struct in6_addr
ipv6_link_local(struct eth_addr e)
{
    return (struct in6_addr) { .s6_addr = { 0xfe, 0x80, [8] = e.b[0] ^ 2, e.b[1], e.b[2], 0xff, 0xfe, e.b[3],
                                            e.b[4], e.b[5] } };
}

char *
lport_addresses_parse(const char *s, struct lport_addresses *a)
{
    size_t cap = 0;

    *a = (struct lport_addresses) { .n_ips = 0 };
    s += strspn(s, " ");
    const char *p = eth_addr_parse(s, &a->mac);
    if (!p || (*p && *p != ' ')) {
        return xasprintf("%s: not an Ethernet address, as in \"0a:00:00:00:00:01 10.0.0.1\"", s);
    }
    while (*(p += strspn(p, " "))) {
        size_t n = strcspn(p, " ");
        GROW(a->ips, cap, a->n_ips + 1);
        if (!ip_addr_parse(p, n, &a->ips[a->n_ips])) {
            char *error = xasprintf("%.*s: not an IPv4 or IPv6 address", (int) n, p);
            lport_addresses_destroy(a);
            return error;
        }
        a->n_ips++;
        p += n;
    }
    return NULL;
}

void
lport_addresses_destroy(struct lport_addresses *a)
{
    free(a->ips);
    *a = (struct lport_addresses) { .n_ips = 0 };
}

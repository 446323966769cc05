/* port_security.c - would a port's security refuse this packet? The rules of ovn-nb(5), Logical_Switch_Port, "port_security", asked of one packet; the hypervisor
 * has the same as flows (controller/physical/port_security.c).
 *
 * Elements of one MAC are put together: what any of them allows is allowed. One that cannot be read allows nothing. */
#include "cli/trace/simulate.h"

#include <stdlib.h>
#include "net/address.h"

enum { ARP = 0x806, IPV4 = 0x800, IPV6 = 0x86dd, UDP = 17, ICMPV6 = 58 };

/* What is allowed to the packet's MAC. */
struct allowed {
    bool mac, any;                     /* The MAC itself; every address of it. */
    struct ip_addr *ips;
    size_t n, cap;
    struct eth_addr eth;
};

static uint64_t
get(const struct logical_packet *p, enum of_field f)
{
    return of_value_low(&p->f[f]);
}

static bool
has_family(const struct allowed *a, bool v6)
{
    for (size_t i = 0; i < a->n; i++) {
        if (a->ips[i].v6 == v6) {
            return true;
        }
    }
    return false;
}

/* "10.0.0.1/24" is one address, "10.0.0.0/24" all of them. */
static bool
covers(const struct ip_addr *ip, const uint8_t *addr)
{
    const uint8_t *b = ip->v6 ? ip->v6_addr.s6_addr : (const uint8_t *) &ip->v4_addr;
    unsigned n_bits = ip->v6 ? 128 : 32, n = ip->plen;

    for (unsigned i = ip->plen; i < n_bits; i++) {
        n = b[i / 8] & 0x80 >> i % 8 ? n_bits : n;
    }
    for (unsigned i = 0; i < n; i++) {
        if ((b[i / 8] ^ addr[i / 8]) & 0x80 >> i % 8) {
            return false;
        }
    }
    return true;
}

static bool
covers_any(const struct allowed *a, bool v6, const union of_value *v)
{
    for (size_t i = 0; i < a->n; i++) {
        if (a->ips[i].v6 == v6 && covers(&a->ips[i], v->b + (v6 ? 0 : 12))) {
            return true;
        }
    }
    return false;
}

static bool
is_link_local(const struct allowed *a, const union of_value *v)
{
    struct in6_addr own = ipv6_link_local(a->eth);

    return has_family(a, true) && !memcmp(&own, v->b, sizeof own);
}

/* The addresses inside of a solicitation or an advertisement. */
static bool
nd_allowed(const struct allowed *a, const struct logical_packet *p)
{
    uint64_t type = get(p, OFF_ICMPV6_TYPE), mac = get(p, OFF_ETH_SRC);
    const union of_value *target = &p->f[OFF_ND_TARGET];

    if (get(p, OFF_IP_PROTO) != ICMPV6 || (type != 135 && type != 136)) {
        return true;
    }
    uint64_t inner = get(p, type == 135 ? OFF_ND_SLL : OFF_ND_TLL);
    return get(p, OFF_ICMPV6_CODE) == 0 && !of_value_is_zero(target) && (!inner || inner == mac)
           && (type == 135 || a->any || is_link_local(a, target) || covers_any(a, true, target));
}

static bool
in_allowed(const struct allowed *a, const struct logical_packet *p)
{
    const union of_value *src6 = &p->f[OFF_IPV6_SRC], *dst6 = &p->f[OFF_IPV6_DST];

    switch (get(p, OFF_ETH_TYPE)) {
    case ARP:
        return get(p, OFF_ARP_SHA) == get(p, OFF_ETH_SRC) && (a->any || covers_any(a, false, &p->f[OFF_ARP_SPA]));
    case IPV4:
        /* Who asks DHCP for an address has none yet. */
        return a->any || covers_any(a, false, &p->f[OFF_IPV4_SRC])
               || (has_family(a, false) && !get(p, OFF_IPV4_SRC) && get(p, OFF_IPV4_DST) == UINT32_MAX && get(p, OFF_IP_PROTO) == UDP
                   && get(p, OFF_UDP_SRC) == 68 && get(p, OFF_UDP_DST) == 67);
    case IPV6: {
        /* Duplicate address detection and multicast reports come from no address. */
        uint64_t type = get(p, OFF_ICMPV6_TYPE);
        bool from_none = has_family(a, true) && of_value_is_zero(src6) && dst6->b[0] == 0xff && dst6->b[1] == 2
                         && get(p, OFF_IP_PROTO) == ICMPV6 && (type == 131 || type == 135 || type == 143);
        return (a->any || covers_any(a, true, src6) || is_link_local(a, src6) || from_none) && nd_allowed(a, p);
    }
    case 0:
        return true;                   /* The microflow does not say what it is. */
    default:
        return a->any;                 /* Whose IP addresses are given sends nothing else. */
    }
}

static bool
is_broadcast(const struct allowed *a, uint32_t dst)
{
    for (size_t i = 0; i < a->n; i++) {
        const struct ip_addr *ip = &a->ips[i];
        if (!ip->v6 && ip->plen < 31 && (ntohl(ip->v4_addr.s_addr) | UINT32_MAX >> ip->plen) == dst) {
            return true;
        }
    }
    return false;
}

static bool
out_allowed(const struct allowed *a, const struct logical_packet *p)
{
    const union of_value *dst6 = &p->f[OFF_IPV6_DST];
    uint32_t dst = get(p, OFF_IPV4_DST);

    switch (get(p, OFF_ETH_TYPE)) {
    case ARP:
        return a->any || has_family(a, false);
    case IPV4:
        return a->any || covers_any(a, false, &p->f[OFF_IPV4_DST]) || is_broadcast(a, dst)
               || (has_family(a, false) && (dst == UINT32_MAX || dst >> 28 == 0xe));
    case IPV6:
        return a->any || covers_any(a, true, dst6) || is_link_local(a, dst6) || (has_family(a, true) && dst6->b[0] == 0xff);
    default:
        return true;
    }
}

static void
add_element(struct allowed *a, const char *element)
{
    char *text = xstrdup(element);
    struct lport_addresses addresses;

    for (char *p = text; *p; p++) {
        *p = *p == ',' ? ' ' : *p;
    }
    char *error = lport_addresses_parse(text, &addresses);
    free(text);
    if (error) {
        free(error);
        return;
    }
    if (!memcmp(&addresses.mac, &a->eth, sizeof a->eth)) {
        a->mac = true;
        a->any |= !addresses.n_ips;
        for (size_t i = 0; i < addresses.n_ips; i++) {
            GROW(a->ips, a->cap, a->n + 1);
            a->ips[a->n++] = addresses.ips[i];
        }
    }
    lport_addresses_destroy(&addresses);
}

bool
port_security_refuses(const struct port *port, bool in, const struct logical_packet *p)
{
    const struct ovsdb_set *set = sb_port_binding_port_security(port->row, NULL);
    const union of_value *mac = &p->f[in ? OFF_ETH_SRC : OFF_ETH_DST];
    struct allowed a = { .mac = false };

    if (!set->n || (!in && mac->b[10] & 1)) {
        return false;
    }
    memcpy(&a.eth, mac->b + 10, sizeof a.eth);
    for (uint32_t i = 0; i < set->n; i++) {
        add_element(&a, set->v[i].s);
    }
    bool ok = a.mac && (in ? in_allowed(&a, p) : out_allowed(&a, p));
    free(a.ips);
    return !ok;
}

/* port_security.c - which addresses a port may use: the tables behind check_in_port_sec() and check_out_port_sec() (logical/action.h), from
 * Port_Binding.port_security of the ports here. What is allowed is in ovn-nb(5), Logical_Switch_Port, column "port_security".
 *
 * A flow without actions lets the packet pass; one that sets the flag refuses it. A port without port_security has no flow. With it:
 *
 *   priority  80   refuse: neither MAC is one of the port's
 *             85   pass: the MAC is (what comes from it: only if no addresses are given, so that it sends nothing but ARP and IP else)
 *             90   refuse what of this MAC needs an address too: ARP, IPv4 and IPv6 where addresses are given
 *             95   pass: with such an address
 *
 * and for IPv6, which may be neighbor discovery, IN_PORT_SEC goes on to IN_PORT_SEC_ND: 80 refuses all solicitations and advertisements, 90 lets pass those
 * with the right inner addresses, 95 refuses those that the switch could not parse (their target reads as zero): others might make sense of them.
 *
 * Elements of one MAC are put together: what any of them allows is allowed. One that cannot be read allows nothing. */
#include <stdlib.h>

#include "base/log.h"
#include "controller/physical/physical.h"
#include "net/address.h"

LOG_MODULE(port_security);

enum { ND_SOLICIT = 135, ND_ADVERT = 136, DHCP_CLIENT = 68, DHCP_SERVER = 67 };

/* All elements of one MAC. */
struct allowed {
    struct eth_addr mac;
    struct ip_addr *ips;
    size_t n, cap;
    bool any;                          /* An element without addresses: all are allowed. */
};

struct guard {
    struct flow f;
    const struct port_info *p;
    uint32_t cookie;
    bool in;                           /* What comes from the port; else what goes to it. */
};

static uint64_t
mac_value(const struct eth_addr *mac)
{
    union of_value v = of_value_from_wire(mac->b, sizeof mac->b);

    return of_value_low(&v);
}

/* ---- flows ---- */

/* Every flow is of one port. */
static void
begin(struct guard *g)
{
    flow_match_dp(&g->f, g->p->dp_key);
    flow_match(&g->f, g->in ? LOGICAL_INPORT : LOGICAL_OUTPORT, g->p->key);
}

static void
begin_mac(struct guard *g, const struct allowed *a)
{
    begin(g);
    flow_match(&g->f, g->in ? OFF_ETH_SRC : OFF_ETH_DST, mac_value(&a->mac));
}

static void
refuse(struct guard *g, uint8_t table, uint16_t priority)
{
    flow_load(&g->f, LOGICAL_FLAGS, MLF_PORT_SEC_FAILED, 1, 1);
    flow_emit(&g->f, table, priority, g->cookie);
}

static void
pass(struct guard *g, uint16_t priority)
{
    flow_emit(&g->f, g->in ? OFT_IN_PORT_SEC : OFT_OUT_PORT_SEC, priority, g->cookie);
}

/* IPv6 from the port is looked at once more. */
static void
pass_ipv6(struct guard *g, uint16_t priority)
{
    if (g->in) {
        flow_resubmit(&g->f, OFT_IN_PORT_SEC_ND);
    }
    pass(g, priority);
}

static void
match_masked(struct flow *f, enum of_field field, const void *address, size_t n, unsigned plen)
{
    union of_value value = of_value_from_wire(address, n), mask = of_value_ones(plen);

    mask = of_value_shl(&mask, n * 8 - plen);
    value = of_value_and(&value, &mask);
    if (plen) {
        REQUIRE(of_match_add(&f->match, field, &value, &mask));
    }
}

/* "10.0.0.1/24" is one address, "10.0.0.0/24" all of them. */
static unsigned
significant_bits(const struct ip_addr *ip)
{
    const uint8_t *b = ip->v6 ? ip->v6_addr.s6_addr : (const uint8_t *) &ip->v4_addr;
    unsigned n_bits = ip->v6 ? 128 : 32;

    for (unsigned i = ip->plen; i < n_bits; i++) {
        if (b[i / 8] & 0x80 >> i % 8) {
            return n_bits;
        }
    }
    return ip->plen;
}

static void
match_ip(struct guard *g, const struct ip_addr *ip)
{
    if (ip->v6) {
        flow_match(&g->f, OFF_ETH_TYPE, 0x86dd);
        match_masked(&g->f, g->in ? OFF_IPV6_SRC : OFF_IPV6_DST, &ip->v6_addr, 16, significant_bits(ip));
    } else {
        flow_match(&g->f, OFF_ETH_TYPE, 0x0800);
        match_masked(&g->f, g->in ? OFF_IPV4_SRC : OFF_IPV4_DST, &ip->v4_addr, 4, significant_bits(ip));
    }
}

static void
pass_address(struct guard *g, const struct allowed *a, const char *address)
{
    struct ip_addr ip;

    REQUIRE(ip_addr_from_str(address, &ip));
    begin_mac(g, a);
    match_ip(g, &ip);
    pass(g, 95);
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

/* ---- addresses of IP packets ---- */

static void
emit_ipv4(struct guard *g, const struct allowed *a)
{
    begin_mac(g, a);
    flow_match(&g->f, OFF_ETH_TYPE, 0x0800);
    refuse(g, g->in ? OFT_IN_PORT_SEC : OFT_OUT_PORT_SEC, 90);
    for (size_t i = 0; i < a->n; i++) {
        if (!a->ips[i].v6) {
            begin_mac(g, a);
            match_ip(g, &a->ips[i]);
            pass(g, 95);
        }
        if (!g->in && !a->ips[i].v6 && a->ips[i].plen < 31) {
            struct ip_addr broadcast = a->ips[i];
            broadcast.v4_addr.s_addr |= htonl(UINT32_MAX >> broadcast.plen);
            broadcast.plen = 32;
            begin_mac(g, a);
            match_ip(g, &broadcast);
            pass(g, 95);
        }
    }
    if (!has_family(a, false)) {
        return;
    } else if (!g->in) {
        pass_address(g, a, "255.255.255.255");
        pass_address(g, a, "224.0.0.0/4");
    } else {
        /* Who asks DHCP for an address has none yet. */
        begin_mac(g, a);
        flow_match(&g->f, OFF_ETH_TYPE, 0x0800);
        flow_match(&g->f, OFF_IPV4_SRC, 0);
        flow_match(&g->f, OFF_IPV4_DST, UINT32_MAX);
        flow_match(&g->f, OFF_IP_PROTO, 17);
        flow_match(&g->f, OFF_UDP_SRC, DHCP_CLIENT);
        flow_match(&g->f, OFF_UDP_DST, DHCP_SERVER);
        pass(g, 95);
    }
}

static void
emit_ipv6(struct guard *g, const struct allowed *a)
{
    begin_mac(g, a);
    flow_match(&g->f, OFF_ETH_TYPE, 0x86dd);
    refuse(g, g->in ? OFT_IN_PORT_SEC : OFT_OUT_PORT_SEC, 90);
    for (size_t i = 0; i < a->n; i++) {
        if (a->ips[i].v6) {
            begin_mac(g, a);
            match_ip(g, &a->ips[i]);
            pass_ipv6(g, 95);
        }
    }
    if (!has_family(a, true)) {
        return;
    }
    /* A host with IPv6 has its link-local address, too. */
    struct ip_addr link_local = { .v6 = true, .plen = 128, .v6_addr = ipv6_link_local(a->mac) };
    begin_mac(g, a);
    match_ip(g, &link_local);
    pass_ipv6(g, 95);
    if (!g->in) {
        pass_address(g, a, "ff00::/8");
        return;
    }
    /* Duplicate address detection and multicast reports come from no address (RFC 4862, RFC 3810). */
    static const uint8_t types[] = { 131, ND_SOLICIT, 143 };
    for (size_t i = 0; i < ARRAY_SIZE(types); i++) {
        static const uint8_t multicast[16] = { 0xff, 0x02 };
        static const uint8_t none[16];
        begin_mac(g, a);
        flow_match(&g->f, OFF_ETH_TYPE, 0x86dd);
        match_masked(&g->f, OFF_IPV6_SRC, none, 16, 128);
        match_masked(&g->f, OFF_IPV6_DST, multicast, 16, 16);
        flow_match(&g->f, OFF_IP_PROTO, 58);
        flow_match(&g->f, OFF_ICMPV6_TYPE, types[i]);
        pass_ipv6(g, 95);
    }
}

/* ---- addresses inside ARP and neighbor discovery ---- */

static void
emit_arp_in(struct guard *g, const struct allowed *a)
{
    begin_mac(g, a);
    flow_match(&g->f, OFF_ETH_TYPE, 0x0806);
    refuse(g, OFT_IN_PORT_SEC, 90);
    for (size_t i = 0; i < (a->any ? 1 : a->n); i++) {
        if (!a->any && a->ips[i].v6) {
            continue;
        }
        begin_mac(g, a);
        flow_match(&g->f, OFF_ETH_TYPE, 0x0806);
        flow_match(&g->f, OFF_ARP_SHA, mac_value(&a->mac));
        if (!a->any) {
            match_masked(&g->f, OFF_ARP_SPA, &a->ips[i].v4_addr, 4, significant_bits(&a->ips[i]));
        }
        pass(g, 95);
    }
}

static void
begin_nd(struct guard *g, const struct allowed *a, uint8_t type)
{
    if (a) {
        begin_mac(g, a);
    } else {
        begin(g);
    }
    flow_match(&g->f, OFF_ETH_TYPE, 0x86dd);
    flow_match(&g->f, OFF_IP_PROTO, 58);
    flow_match(&g->f, OFF_ICMPV6_TYPE, type);
}

/* The port as a whole: what no MAC allows. */
static void
emit_nd_refusals(struct guard *g)
{
    for (uint8_t type = ND_SOLICIT; type <= ND_ADVERT; type++) {
        static const uint8_t none[16];
        begin_nd(g, NULL, type);
        refuse(g, OFT_IN_PORT_SEC_ND, 80);
        begin_nd(g, NULL, type);
        flow_match(&g->f, OFF_ICMPV6_CODE, 0);
        match_masked(&g->f, OFF_ND_TARGET, none, 16, 128);
        refuse(g, OFT_IN_PORT_SEC_ND, 95);
    }
}

static void
begin_nd_inner(struct guard *g, const struct allowed *a, uint8_t type, uint64_t mac)
{
    begin_nd(g, a, type);
    flow_match(&g->f, OFF_ICMPV6_CODE, 0);
    flow_match(&g->f, type == ND_SOLICIT ? OFF_ND_SLL : OFF_ND_TLL, mac);
}

static void
pass_nd(struct guard *g)
{
    flow_emit(&g->f, OFT_IN_PORT_SEC_ND, 90, g->cookie);
}

/* The link-layer address may be missing (zero), or is the sender's. What is advertised is an address of the port. */
static void
emit_nd_in(struct guard *g, const struct allowed *a)
{
    const uint64_t macs[] = { 0, mac_value(&a->mac) };

    for (size_t m = 0; m < ARRAY_SIZE(macs); m++) {
        begin_nd_inner(g, a, ND_SOLICIT, macs[m]);
        pass_nd(g);
        if (a->any) {
            begin_nd_inner(g, a, ND_ADVERT, macs[m]);
            pass_nd(g);
        } else if (has_family(a, true)) {
            struct in6_addr link_local = ipv6_link_local(a->mac);
            begin_nd_inner(g, a, ND_ADVERT, macs[m]);
            match_masked(&g->f, OFF_ND_TARGET, &link_local, 16, 128);
            pass_nd(g);
        }
        for (size_t i = 0; i < (a->any ? 0 : a->n); i++) {
            if (a->ips[i].v6) {
                begin_nd_inner(g, a, ND_ADVERT, macs[m]);
                match_masked(&g->f, OFF_ND_TARGET, &a->ips[i].v6_addr, 16, significant_bits(&a->ips[i]));
                pass_nd(g);
            }
        }
    }
}

/* ---- a port ---- */

static void
emit_allowed(struct guard *g, const struct allowed *a)
{
    if (!g->in || a->any) {
        begin_mac(g, a);
        pass(g, 85);
    }
    if (g->in) {
        emit_arp_in(g, a);
        emit_nd_in(g, a);
    } else if (!a->any && !has_family(a, false)) {
        begin_mac(g, a);
        flow_match(&g->f, OFF_ETH_TYPE, 0x0806);
        refuse(g, OFT_OUT_PORT_SEC, 90);
    }
    if (!a->any) {
        emit_ipv4(g, a);
        emit_ipv6(g, a);
    } else if (g->in) {
        begin_mac(g, a);
        flow_match(&g->f, OFF_ETH_TYPE, 0x86dd);
        pass_ipv6(g, 90);
    }
}

static void
emit_port(struct guard *g, const struct allowed *allowed, size_t n)
{
    begin(g);
    refuse(g, g->in ? OFT_IN_PORT_SEC : OFT_OUT_PORT_SEC, 80);
    if (g->in) {
        emit_nd_refusals(g);
    } else {
        begin(g);
        flow_match_bits(&g->f, OFF_ETH_DST, 40, 1, 1);
        pass(g, 100);
    }
    for (size_t i = 0; i < n; i++) {
        emit_allowed(g, &allowed[i]);
    }
}

/* Adds an element to ALLOWED (room for one more MAC). Returns how many MACs there are then. */
static size_t
add_element(struct allowed *allowed, size_t n, const char *element, const char *port)
{
    char *text = xstrdup(element);
    struct lport_addresses addresses;

    for (char *p = text; *p; p++) {
        *p = *p == ',' ? ' ' : *p;
    }
    char *error = lport_addresses_parse(text, &addresses);
    free(text);
    if (error) {
        LOG_WARN_RL("port %s: port security \"%s\" is not understood and allows nothing: %s", port, element, error);
        free(error);
        return n;
    }
    size_t i = 0;
    while (i < n && memcmp(&allowed[i].mac, &addresses.mac, sizeof addresses.mac)) {
        i++;
    }
    if (i == n) {
        allowed[n++] = (struct allowed) { .mac = addresses.mac };
    }
    allowed[i].any |= !addresses.n_ips;
    for (size_t j = 0; j < addresses.n_ips; j++) {
        GROW(allowed[i].ips, allowed[i].cap, allowed[i].n + 1);
        allowed[i].ips[allowed[i].n++] = addresses.ips[j];
    }
    lport_addresses_destroy(&addresses);
    return n;
}

static void
port_security_run(struct incr_unit *u, void *c_)
{
    struct controller *c = c_;
    struct dep_reader *by = incr_reader(u);
    struct sb_port_binding *pb = sb_port_binding_of(incr_row(u));
    struct port_info p;
    size_t n = 0;

    const struct ovsdb_set *set = sb_port_binding_port_security(pb, by);
    if (!set->n || !port_get(c, pb, by, &p) || !p.bound) {
        return;
    }
    struct allowed *allowed = xcalloc(set->n, sizeof *allowed);
    for (uint32_t i = 0; i < set->n; i++) {
        n = add_element(allowed, n, set->v[i].s, sb_port_binding_logical_port(pb, by));
    }
    for (int in = 0; in < 2; in++) {
        struct guard g = { .f = FLOW_INIT(c, u), .p = &p, .cookie = row_cookie(&pb->row_), .in = in };
        emit_port(&g, allowed, n);
        flow_destroy(&g.f);
    }
    for (size_t i = 0; i < n; i++) {
        free(allowed[i].ips);
    }
    free(allowed);
}

void
port_security_create(struct controller *c)
{
    ovsdb_use(c->sb, &sb_table_port_binding, OVSDB_COLUMN(SB_PORT_BINDING_PORT_SECURITY));
    incr_class_over_table(incr_class_create(c->incr, "port_security", port_security_run, c), ovsdb_table(c->sb, &sb_table_port_binding));
}

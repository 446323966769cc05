/* frame.c - a packet as the logical language describes it, as bytes on a wire. What a description leaves open is zero, also where that makes no good packet (a TTL);
 * what follows from the rest (lengths, checksums, header lengths) is right.
 *
 * RFC 826 (ARP), 791 and 8200 (IP), 9293 (TCP), 768 (UDP), 9260 (SCTP), 792 and 4443 (ICMP), 4861 (neighbour discovery). */
#include "logical/expr.h"

#include "net/arp.h"
#include "net/bytes.h"
#include "net/checksum.h"
#include "net/eth.h"
#include "net/nd.h"
#include "net/tcp.h"

enum { ETH_TYPE_RARP = 0x8035, IP_SCTP = 132, IP_FRAGMENT = 44, VLAN_CFI = 0x1000 };
enum { FRAG_ANY = 1, FRAG_LATER = 2, MORE_FRAGMENTS = 0x2000 };

static uint64_t
get(const struct logical_packet *p, enum of_field f)
{
    return of_value_low(&p->f[f]);
}

static struct eth_addr
get_mac(const struct logical_packet *p, enum of_field f)
{
    struct eth_addr mac;

    of_value_to_wire(&p->f[f], mac.b, sizeof mac.b);
    return mac;
}

static struct ip_addr
get_ip(const struct logical_packet *p, enum of_field f, bool v6)
{
    struct ip_addr ip = { .v6 = v6, .plen = v6 ? 128 : 32 };

    of_value_to_wire(&p->f[f], v6 ? (void *) &ip.v6_addr : &ip.v4_addr, v6 ? 16 : 4);
    return ip;
}

static void
put_arp(const struct logical_packet *p, struct str *out)
{
    struct arp arp = { .op = get(p, OFF_ARP_OP), .sha = get_mac(p, OFF_ARP_SHA), .tha = get_mac(p, OFF_ARP_THA) };

    of_value_to_wire(&p->f[OFF_ARP_SPA], &arp.spa, 4);
    of_value_to_wire(&p->f[OFF_ARP_TPA], &arp.tpa, 4);
    arp_put(out, &arp);
}

/* ---- what IP carries ---- */

/* CRC32c (RFC 9260 appendix A), a bit at a time: this is no hot path. */
static uint32_t
crc32c(const uint8_t *data, size_t n)
{
    uint32_t crc = UINT32_MAX;

    for (size_t i = 0; i < n; i++) {
        crc ^= data[i];
        for (int bit = 0; bit < 8; bit++) {
            crc = crc >> 1 ^ (crc & 1 ? UINT32_C(0x82f63b78) : 0);
        }
    }
    return ~crc;
}

static void
put_tcp(const struct logical_packet *p, struct str *out)
{
    be16_put(out, get(p, OFF_TCP_SRC));
    be16_put(out, get(p, OFF_TCP_DST));
    be32_put(out, 0);
    be32_put(out, 0);
    be16_put(out, TCP_HEADER_LEN / 4 << 12 | get(p, OFF_TCP_FLAGS));
    be16_put(out, 0);
    be32_put(out, 0);
}

static void
put_sctp(const struct logical_packet *p, struct str *out)
{
    size_t at = out->len;

    be16_put(out, get(p, OFF_SCTP_SRC));
    be16_put(out, get(p, OFF_SCTP_DST));
    be32_put(out, 0);
    be32_put(out, 0);
    uint32_t crc = crc32c((const uint8_t *) out->s + at, out->len - at);
    for (int i = 0; i < 4; i++) {
        out->s[at + 8 + i] = crc >> 8 * i;     /* Least significant byte first. */
    }
}

static void
put_icmp6(const struct logical_packet *p, struct str *out)
{
    uint8_t type = get(p, OFF_ICMPV6_TYPE);
    struct eth_addr lla = get_mac(p, type == ND_SOLICIT ? OFF_ND_SLL : OFF_ND_TLL);

    be16_put(out, type << 8 | get(p, OFF_ICMPV6_CODE));
    be16_put(out, 0);
    be32_put(out, 0);
    if (type == ND_SOLICIT || type == ND_ADVERT) {
        struct ip_addr target = get_ip(p, OFF_ND_TARGET, true);
        str_put(out, &target.v6_addr, 16);
        if (!eth_addr_is_zero(lla)) {
            be16_put(out, (type == ND_SOLICIT ? 1 : 2) << 8 | 1);      /* Source's or target's, of 8 bytes. */
            str_put(out, lla.b, sizeof lla.b);
        }
    }
}

/* The header after IP's, with its checksum; nothing for a protocol that we do not know. */
static void
put_transport(const struct logical_packet *p, const struct ip_packet *ip, struct str *out)
{
    int checksum_at = -1;

    switch (ip->proto) {
    case IP_TCP:
        put_tcp(p, out);
        checksum_at = 16;
        break;
    case IP_UDP:
        be16_put(out, get(p, OFF_UDP_SRC));
        be16_put(out, get(p, OFF_UDP_DST));
        be16_put(out, 8);
        be16_put(out, 0);
        checksum_at = 6;
        break;
    case IP_SCTP:
        put_sctp(p, out);
        break;
    case IP_ICMP:
        if (!ip->src.v6) {
            be16_put(out, get(p, OFF_ICMPV4_TYPE) << 8 | get(p, OFF_ICMPV4_CODE));
            be16_put(out, 0);
            be32_put(out, 0);
            checksum_at = 2;
        }
        break;
    case IP_ICMPV6:
        if (ip->src.v6) {
            put_icmp6(p, out);
            checksum_at = 2;
        }
        break;
    }
    if (checksum_at >= 0) {
        uint16_t sum = ip_checksum(ip, out->s, out->len);
        be16_set(out->s + checksum_at, !sum && ip->proto == IP_UDP ? UINT16_MAX : sum);        /* 0 would say that there is none. */
    }
}

/* ---- IP ---- */

static void
put_ipv4(struct str *out, const struct ip_packet *ip, unsigned fragment, const struct str *payload)
{
    size_t at = out->len;

    ip_put(out, ip, payload->len);
    if (fragment) {
        be16_set(out->s + at + 6, fragment & FRAG_LATER ? 1 : MORE_FRAGMENTS);
        be16_set(out->s + at + 10, 0);
        be16_set(out->s + at + 10, checksum_finish(checksum_add(0, out->s + at, IPV4_HEADER_LEN)));
    }
    str_put(out, payload->s, payload->len);
}

static void
put_ipv6(struct str *out, const struct ip_packet *ip, uint32_t label, unsigned fragment, const struct str *payload)
{
    struct ip_packet header = *ip;
    size_t at = out->len;

    header.proto = fragment ? IP_FRAGMENT : ip->proto;
    ip_put(out, &header, payload->len + (fragment ? 8 : 0));
    be16_set(out->s + at + 2, label);
    out->s[at + 1] |= label >> 16;
    if (fragment) {
        be16_put(out, ip->proto << 8);
        be16_put(out, fragment & FRAG_LATER ? 1 << 3 : 1);
        be32_put(out, 0);
    }
    str_put(out, payload->s, payload->len);
}

static void
put_ip(const struct logical_packet *p, bool v6, struct str *out)
{
    unsigned fragment = get(p, OFF_IP_FRAG) & (FRAG_ANY | FRAG_LATER);
    struct str payload = STR_INIT;
    struct ip_packet ip = {
        .src = get_ip(p, v6 ? OFF_IPV6_SRC : OFF_IPV4_SRC, v6), .dst = get_ip(p, v6 ? OFF_IPV6_DST : OFF_IPV4_DST, v6),
        .tos = get(p, OFF_IP_DSCP) << 2 | get(p, OFF_IP_ECN), .ttl = get(p, OFF_IP_TTL), .proto = get(p, OFF_IP_PROTO),
    };

    if (fragment & FRAG_LATER) {
        be32_put(&payload, 0);         /* Something of the middle. */
        be32_put(&payload, 0);
    } else {
        put_transport(p, &ip, &payload);
    }
    if (v6) {
        put_ipv6(out, &ip, get(p, OFF_IPV6_LABEL), fragment, &payload);
    } else {
        put_ipv4(out, &ip, fragment, &payload);
    }
    str_free(&payload);
}

void
logical_packet_put_frame(const struct logical_packet *p, struct str *out)
{
    uint16_t type = get(p, OFF_ETH_TYPE), tci = get(p, OFF_VLAN_TCI);
    const uint8_t tag[ETH_VLAN_LEN] = { ETH_TYPE_VLAN >> 8, ETH_TYPE_VLAN & 0xff, (tci & ~VLAN_CFI) >> 8, tci & 0xff };
    struct eth_frame tags = { .tags = tag, .tags_len = tci & VLAN_CFI ? sizeof tag : 0 };
    size_t start = out->len;

    eth_put(out, get_mac(p, OFF_ETH_DST), get_mac(p, OFF_ETH_SRC), &tags, type);
    if (type == ETH_TYPE_ARP || type == ETH_TYPE_RARP) {
        put_arp(p, out);
    } else if (type == ETH_TYPE_IPV4 || type == ETH_TYPE_IPV6) {
        put_ip(p, type == ETH_TYPE_IPV6, out);
    }
    while (out->len - start < ETH_MIN_FRAME) {
        str_putc(out, 0);
    }
}

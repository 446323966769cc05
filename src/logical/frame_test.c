/* A microflow becomes a frame, which net/'s parsers (written for packets of others) and the checksums find right, field by field. */
#include "base/test.h"

#include <stdlib.h>
#include "logical/expr.h"
#include "net/arp.h"
#include "net/bytes.h"
#include "net/checksum.h"
#include "net/eth.h"
#include "net/nd.h"
#include "net/tcp.h"

static bool
lookup(void *aux, const char *name, uint32_t *key)
{
    *key = name[0] == 'p' ? atoi(name + 1) : 0;
    return *key > 0;
}

static struct str frame;

/* The frame of TEXT, parsed as far as Ethernet. */
static struct eth_frame
compose(const char *text)
{
    struct expr_env env = { .lookup_port = lookup };
    struct logical_packet p;
    struct eth_frame eth;

    char *error = logical_packet_parse(text, &env, &p);
    assert_null(error);
    str_clear(&frame);
    logical_packet_put_frame(&p, &frame);
    assert_true(frame.len >= ETH_MIN_FRAME);
    assert_true(eth_parse(frame.s, frame.len, &eth));
    return eth;
}

static struct ip_packet
compose_ip(const char *text)
{
    struct eth_frame eth = compose(text);
    struct ip_packet ip;

    assert_true(ip_parse(eth.type, eth.payload, eth.payload_len, &ip));
    if (!ip.src.v6) {
        assert_int_equal(checksum_finish(checksum_add(0, ip.header, IPV4_HEADER_LEN)), 0);
    }
    return ip;
}

static void
assert_ip(const struct ip_addr *ip, const char *text)
{
    char buf[INET6_ADDRSTRLEN];
    assert_string_equal(ip_addr_to_str(ip, buf), text);
}

static void
assert_mac(struct eth_addr e, const char *text)
{
    char buf[18];
    snprintf(buf, sizeof buf, ETH_ADDR_FMT, ETH_ADDR_ARGS(e));
    assert_string_equal(buf, text);
}

#define ETH "inport == \"p1\" && eth.src == 0a:00:00:00:00:01 && eth.dst == 0a:00:00:00:00:02 && "
#define IP4 ETH "ip4.src == 10.0.0.1 && ip4.dst == 10.0.0.2 && ip.ttl == 64 && "
#define IP6 ETH "ip6.src == fd00::1 && ip6.dst == fd00::2 && ip.ttl == 63 && "

static void
test_ethernet(void **state)
{
    struct eth_frame eth = compose(ETH "eth.type == 0x88b5");
    assert_mac(eth.src, "0a:00:00:00:00:01");
    assert_mac(eth.dst, "0a:00:00:00:00:02");
    assert_int_equal(eth.type, 0x88b5);
    assert_int_equal(eth.tags_len, 0);
    assert_int_equal(frame.len, ETH_MIN_FRAME);
    eth = compose(ETH "vlan.vid == 100 && vlan.pcp == 5 && eth.type == 0x88b5");
    assert_int_equal(eth.tags_len, 4);
    assert_int_equal(be16_get(eth.tags), 0x8100);
    assert_int_equal(be16_get(eth.tags + 2), 5 << 13 | 100);
    assert_int_equal(eth.type, 0x88b5);
}

static void
test_arp(void **state)
{
    struct eth_frame eth = compose(ETH "arp.op == 2 && arp.spa == 10.0.0.1 && arp.sha == 0a:00:00:00:00:03 && arp.tpa == 10.0.0.2 && arp.tha == 0a:00:00:00:00:04");
    struct arp arp;
    assert_int_equal(eth.type, ETH_TYPE_ARP);
    assert_true(arp_parse(eth.payload, eth.payload_len, &arp));
    assert_int_equal(arp.op, 2);
    assert_mac(arp.sha, "0a:00:00:00:00:03");
    assert_mac(arp.tha, "0a:00:00:00:00:04");
    assert_int_equal(ntohl(arp.spa.s_addr), 0x0a000001);
    assert_int_equal(ntohl(arp.tpa.s_addr), 0x0a000002);
    assert_int_equal(compose(ETH "rarp.op == 3").type, 0x8035);
}

static void
test_transport(void **state)
{
    static const char *const families[] = { IP4, IP6 };

    for (int v6 = 0; v6 < 2; v6++) {
        char *text = xasprintf("%stcp.src == 1000 && tcp.dst == 2000 && tcp.flags == 0x12 && ip.dscp == 10 && ip.ecn == 1", families[v6]);
        struct ip_packet ip = compose_ip(text);
        struct tcp tcp;
        free(text);
        assert_ip(&ip.src, v6 ? "fd00::1" : "10.0.0.1");
        assert_ip(&ip.dst, v6 ? "fd00::2" : "10.0.0.2");
        assert_int_equal(ip.ttl, v6 ? 63 : 64);
        assert_int_equal(ip.tos, 10 << 2 | 1);
        assert_false(ip.is_frag);
        assert_true(tcp_parse(&ip, &tcp));
        assert_int_equal(tcp.src, 1000);
        assert_int_equal(tcp.dst, 2000);
        assert_int_equal(tcp.flags & 0xfff, 0x12);
        assert_int_equal(ip_checksum(&ip, ip.payload, ip.payload_len), 0);

        text = xasprintf("%sudp.src == 53 && udp.dst == 4000", families[v6]);
        ip = compose_ip(text);
        free(text);
        assert_int_equal(ip.proto, IP_UDP);
        assert_int_equal(ip.payload_len, 8);
        assert_int_equal(be16_get(ip.payload), 53);
        assert_int_equal(be16_get(ip.payload + 2), 4000);
        assert_int_equal(be16_get(ip.payload + 4), 8);
        assert_int_not_equal(be16_get(ip.payload + 6), 0);
        assert_int_equal(ip_checksum(&ip, ip.payload, ip.payload_len), 0);

        text = xasprintf("%ssctp.src == 7 && sctp.dst == 8", families[v6]);
        ip = compose_ip(text);
        free(text);
        assert_int_equal(ip.proto, 132);
        assert_int_equal(ip.payload_len, 12);
        assert_int_equal(be16_get(ip.payload + 2), 8);
    }
    struct ip_packet ip = compose_ip(IP4 "icmp4.type == 8 && icmp4.code == 0");
    assert_int_equal(ip.payload[0], 8);
    assert_int_equal(ip_checksum(&ip, ip.payload, ip.payload_len), 0);
    ip = compose_ip(IP4 "ip.proto == 47");
    assert_int_equal(ip.proto, 47);
    assert_int_equal(ip.payload_len, 0);
    compose(IP6 "ip6.label == 0xabcde && icmp6.type == 128");
    assert_int_equal(be32_get(frame.s + ETH_HEADER_LEN), UINT32_C(6) << 28 | 0xabcde);
}

static void
test_sctp_checksum(void **state)
{
    /* What scapy's SCTP(sport=0, dport=0, tag=0) has there. */
    static const uint8_t want[] = { 0x5d, 0xb5, 0x60, 0x2b };
    struct ip_packet ip = compose_ip(IP4 "sctp.src == 0 && sctp.dst == 0");
    assert_int_equal(ip.payload_len, 12);
    assert_memory_equal(ip.payload + 8, want, sizeof want);
}

static void
test_neighbours(void **state)
{
    struct nd nd;
    struct ip_packet ip = compose_ip(ETH "ip6.src == fd00::1 && ip6.dst == ff02::1:ff00:2 && nd_ns && nd.target == fd00::2 && nd.sll == 0a:00:00:00:00:05");
    assert_true(nd_parse(&ip, &nd));
    assert_int_equal(nd.type, ND_SOLICIT);
    assert_true(nd.has_lla);
    assert_mac(nd.lla, "0a:00:00:00:00:05");
    ip = compose_ip(ETH "ip6.src == fd00::1 && ip6.dst == fd00::2 && nd_na && nd.target == fd00::1 && nd.tll == 0a:00:00:00:00:06");
    assert_true(nd_parse(&ip, &nd));
    assert_int_equal(nd.type, ND_ADVERT);
    assert_mac(nd.lla, "0a:00:00:00:00:06");
    ip = compose_ip(ETH "ip6.src == fd00::1 && ip6.dst == fd00::2 && nd_na && nd.target == fd00::1");
    assert_true(nd_parse(&ip, &nd));
    assert_false(nd.has_lla);
}

static void
test_fragments(void **state)
{
    static const char *const families[] = { IP4, IP6 };

    for (int v6 = 0; v6 < 2; v6++) {
        char *text = xasprintf("%sip.frag == 1 && udp.dst == 9", families[v6]);
        struct ip_packet ip = compose_ip(text);
        free(text);
        assert_true(ip.is_frag && !ip.later_frag);
        assert_int_equal(ip.proto, IP_UDP);
        assert_int_equal(be16_get(ip.payload + 2), 9);
        text = xasprintf("%sip.frag == 3 && ip.proto == 17", families[v6]);
        ip = compose_ip(text);
        free(text);
        assert_true(ip.is_frag && ip.later_frag);
        assert_int_equal(ip.proto, IP_UDP);
    }
}

static void
test_refusals(void **state)
{
    static const struct {
        const char *text, *said;
    } bad[] = {
        { "ip4 &&", "error parsing flow: " },
        { "", "error parsing flow: " },
        { "ip4 && ip6", "the microflow is contradictory: no packet matches it" },
        { "inport == \"nobody\"", "the microflow is contradictory: no packet matches it" },
        { "ip4 || ip6", "the microflow is ambiguous: 2 kinds of packets match it; it does not say enough about eth_type" },
        { "inport == {\"p1\", \"p2\"}", "the microflow is ambiguous: 2 kinds of packets match it; it does not say enough about inport" },
    };
    struct expr_env env = { .lookup_port = lookup };

    for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
        struct logical_packet p;
        char *error = logical_packet_parse(bad[i].text, &env, &p);
        assert_non_null(error);
        assert_memory_equal(error, bad[i].said, strlen(bad[i].said));
        free(error);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_ethernet), cmocka_unit_test(test_arp), cmocka_unit_test(test_transport), cmocka_unit_test(test_sctp_checksum),
        cmocka_unit_test(test_neighbours), cmocka_unit_test(test_fragments), cmocka_unit_test(test_refusals),
    };
    int failed = cmocka_run_group_tests(tests, NULL, NULL);

    str_free(&frame);
    return failed;
}

/* packet_test.c - packets parsed and made, against bytes that are not our own; cut off at each length; bent. */
#include "base/test.h"

#include "net/arp.h"
#include "net/bytes.h"
#include "net/checksum.h"
#include "net/eth.h"
#include "net/icmp.h"
#include "net/nd.h"
#include "net/tcp.h"
#include "net/test_packets.h"

static struct eth_frame eth;
static struct ip_packet ip;

static bool
parse(const struct str *s, size_t n)
{
    return eth_parse(s->s, n, &eth) && ip_parse(eth.type, eth.payload, eth.payload_len, &ip);
}

static void
check_bytes(struct str *made, const char *hex)
{
    struct str s = t_bytes(hex);

    assert_int_equal(made->len, s.len);
    assert_memory_equal(made->s, s.s, s.len);
    str_free(&s);
    str_free(made);
}

static void
test_checksum(void **state)
{
    static const uint8_t rfc1071[] = { 0x00, 0x01, 0xf2, 0x03, 0xf4, 0xf5, 0xf6, 0xf7 };
    uint8_t many[65534];

    assert_int_equal(checksum_finish(checksum_add(0, rfc1071, 8)), (uint16_t) ~0xddf2);
    assert_int_equal(checksum_finish(checksum_add(checksum_add(0, rfc1071, 2), rfc1071 + 2, 6)), (uint16_t) ~0xddf2);
    assert_int_equal(checksum_finish(checksum_add(0, rfc1071, 1)), 0xffff);
    assert_int_equal(checksum_finish(checksum_add(0, rfc1071 + 2, 1)), (uint16_t) ~0xf200);
    memset(many, 0xff, sizeof many);
    assert_int_equal(checksum_finish(checksum_add(0xffffffff, many, sizeof many)), 0);
}

/* As good as nothing is lost by padding, and nothing is read beyond a cut. */
static void
test_lengths(void **state)
{
    static const char *const all[] = { T_NS, T_NS_DAD, T_NA, T_UDP4, T_UDP6, T_SYN, T_ACK6, T_UDP4_REJECT, T_UDP6_REJECT };

    for (size_t i = 0; i < ARRAY_SIZE(all); i++) {
        struct str s = t_bytes(all[i]);
        for (size_t n = 0; n < s.len; n++) {
            uint8_t *exact = xmemdup(s.s, n);  /* For the sanitizer. */
            struct str cut = { (char *) exact, n, n };
            assert_false(parse(&cut, n));
            free(exact);
        }
        assert_true(parse(&s, s.len));
        size_t len = ip.len, payload_len = ip.payload_len;
        assert_int_equal(len, s.len - (eth.payload - (uint8_t *) s.s));
        for (int pad = 0; pad < 30; pad++) {
            str_putc(&s, 0x55);
        }
        assert_true(parse(&s, s.len));
        assert_int_equal(ip.len, len);
        assert_int_equal(ip.payload_len, payload_len);
        str_free(&s);
    }
}

static void
test_nd(void **state)
{
    struct str s = t_bytes(T_NS), made = STR_INIT;
    struct nd nd;

    assert_true(parse(&s, s.len) && nd_parse(&ip, &nd));
    assert_int_equal(nd.type, ND_SOLICIT);
    assert_true(nd.has_lla && nd.lla.b[5] == 1 && nd.target.s6_addr[15] == 2);
    eth_put(&made, eth.dst, eth.src, NULL, eth.type);
    nd_put(&made, &ip, &nd);
    check_bytes(&made, T_NS);

    /* Any one wrong byte of the message: the checksum. */
    for (size_t i = 54; i < s.len; i++) {
        s.s[i] ^= 0x10;
        assert_false(parse(&s, s.len) && nd_parse(&ip, &nd));
        s.s[i] ^= 0x10;
    }
    s.s[21] = 64;                      /* It came through a router. */
    assert_false(parse(&s, s.len) && nd_parse(&ip, &nd));
    str_free(&s);

    s = t_bytes(T_NS_DAD);
    assert_true(parse(&s, s.len) && nd_parse(&ip, &nd) && !nd.has_lla);
    nd.has_lla = true;                 /* Who has no address must not say where it is. */
    eth_put(&made, eth.dst, eth.src, NULL, eth.type);
    nd_put(&made, &ip, &nd);
    assert_false(parse(&made, made.len) && nd_parse(&ip, &nd));
    str_free(&made);
    str_free(&s);

    s = t_bytes(T_NA);
    assert_true(parse(&s, s.len) && nd_parse(&ip, &nd));
    assert_true(nd.type == ND_ADVERT && nd.flags == (ND_SOLICITED | ND_OVERRIDE) && nd.lla.b[5] == 2);
    eth_put(&made, eth.dst, eth.src, NULL, eth.type);
    nd_put(&made, &ip, &nd);
    check_bytes(&made, T_NA);
    str_free(&s);
}

static void
test_arp(void **state)
{
    struct str s = t_bytes(T_UDP4_ARP), made = STR_INIT;
    struct arp a;

    assert_true(eth_parse(s.s, s.len, &eth));
    assert_int_equal(eth.type, ETH_TYPE_ARP);
    assert_int_equal(eth.tags_len, 4);
    for (size_t n = 0; n < eth.payload_len; n++) {
        assert_false(arp_parse(eth.payload, n, &a));
    }
    assert_true(arp_parse(eth.payload, eth.payload_len, &a));
    assert_int_equal(a.op, ARP_REQUEST);
    assert_int_equal(ntohl(a.spa.s_addr), 0x0a000001);
    eth_put(&made, eth.dst, eth.src, &eth, eth.type);
    arp_put(&made, &a);
    check_bytes(&made, T_UDP4_ARP);
    s.s[19] = 7;                       /* Another kind of network. */
    assert_true(eth_parse(s.s, s.len, &eth));
    assert_false(arp_parse(eth.payload, eth.payload_len, &a));
    str_free(&s);
}

static void
test_tcp(void **state)
{
    struct str s = t_bytes(T_SYN);
    struct tcp t;

    assert_true(parse(&s, s.len) && tcp_parse(&ip, &t));
    assert_true(t.src == 1000 && t.dst == 80 && t.seq == 0xfffffffe && t.flags == TCP_SYN && t.segment_len == 4);
    s.s[34 + 12] = 0x40;               /* A header of 16 bytes; of 24, one more than there is. */
    assert_false(parse(&s, s.len) && tcp_parse(&ip, &t));
    s.s[34 + 12] = 0x60;
    assert_false(parse(&s, s.len) && tcp_parse(&ip, &t));
    str_free(&s);
}

/* IPv6 extension headers: those of a known form are stepped over; their lengths are not believed. */
static void
test_extensions(void **state)
{
    struct str s = t_bytes(T_UDP6), made = STR_INIT;
    static const uint8_t chain[] = { 60, 0, 1, 4, 0, 0, 0, 0,  44, 1, 1, 12, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,  17, 0, 0, 1, 0, 0, 0, 9 };

    str_put(&made, s.s, 54);
    str_put(&made, chain, sizeof chain);
    str_put(&made, s.s + 54, s.len - 54);
    be16_set(made.s + 18, made.len - 54);
    made.s[20] = 0;                    /* Hop-by-hop, destination options, fragment (the first), UDP. */
    assert_true(parse(&made, made.len));
    assert_int_equal(ip.proto, IP_UDP);
    assert_int_equal(ip.payload_len, s.len - 54);
    assert_true(ip.is_frag && !ip.later_frag);
    made.s[54 + 26] = 1;               /* A later fragment: what follows is no UDP header. */
    assert_true(parse(&made, made.len));
    assert_true(ip.later_frag);
    made.s[54 + 9] = 100;
    assert_false(parse(&made, made.len));
    str_free(&made);

    str_put(&made, s.s, 54);           /* A chain without end. */
    for (int i = 0; i < 100; i++) {
        str_put(&made, "\0\0\0\0\0\0\0\0", 8);
    }
    be16_set(made.s + 18, made.len - 54);
    made.s[20] = 0;
    assert_false(parse(&made, made.len));
    str_free(&made);
    str_free(&s);
}

/* No error message about error messages, groups, later fragments, nobody. */
static void
test_complaints(void **state)
{
    static const struct {
        const char *hex;
        size_t at;
        uint8_t value;
        bool may;
    } cases[] = {
        { T_UDP4, 0, 0x0a, true },  { T_UDP6, 0, 0x0a, true },   { T_UDP4_REJECT, 0, 0x0a, false }, { T_UDP6_REJECT, 0, 0x0a, false },
        { T_NA, 0, 0x0a, true },    { T_NS, 0, 0x33, false },    { T_UDP4_REJECT, 38, 8, true },    { T_UDP4_REJECT, 38, 5, false },
        { T_UDP4, 34, 224, false }, { T_UDP4, 25, 1, false },
    };

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct str s = t_bytes(cases[i].hex);
        s.s[cases[i].at] = cases[i].value;
        assert_true(parse(&s, s.len));
        assert_int_equal(icmp_may_complain(&ip), cases[i].may);
        str_free(&s);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_checksum), cmocka_unit_test(test_lengths), cmocka_unit_test(test_nd),        cmocka_unit_test(test_arp),
        cmocka_unit_test(test_tcp),      cmocka_unit_test(test_extensions), cmocka_unit_test(test_complaints),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

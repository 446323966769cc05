#include "base/test.h"
#include "net/address.h"

static void
test_eth(void **state)
{
    struct eth_addr e;

    assert_true(eth_addr_from_str("0a:0B:c:00:00:ff", &e));
    assert_int_equal(e.b[1], 0x0b);
    assert_int_equal(e.b[2], 0x0c);
    assert_int_equal(e.b[5], 0xff);
    assert_false(eth_addr_from_str("0a:0b:0c:00:00", &e));
    assert_false(eth_addr_from_str("0a:0b:0c:00:00:fff", &e));
    assert_false(eth_addr_from_str("0a:0b:0c:00:00:", &e));
    assert_false(eth_addr_from_str("", &e));
}

static void
test_ip(void **state)
{
    struct ip_addr ip;
    char buf[INET6_ADDRSTRLEN];

    assert_true(ip_addr_from_str("10.0.0.1/255.255.255.0", &ip));
    assert_int_equal(ip.plen, 24);
    assert_string_equal(ip_addr_to_str(&ip, buf), "10.0.0.1");
    assert_true(ip_addr_from_str("fd00:0::1/64", &ip));
    assert_true(ip.v6 && ip.plen == 64);
    assert_string_equal(ip_addr_to_str(&ip, buf), "fd00::1");
    struct in6_addr sn = ipv6_solicited_node(&ip.v6_addr);
    assert_string_equal(inet_ntop(AF_INET6, &sn, buf, sizeof buf), "ff02::1:ff00:1");
    struct eth_addr e = { { 2, 0, 0, 0, 0, 1 } };
    sn = ipv6_link_local(e);
    assert_string_equal(inet_ntop(AF_INET6, &sn, buf, sizeof buf), "fe80::ff:fe00:1");
    static const char *const bad[] = { "", "10.0.0", "10.0.0.1/33", "10.0.0.1/", "10.0.0.1/255.0.255.0", "::1/129",
                                       "10.0.0.1/-1", "10.0.0.1 ", "1:2:3:4:5:6:7:8:9", "10.0.0.1/+8" };
    for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
        assert_false(ip_addr_from_str(bad[i], &ip));
    }
}

static void
test_lport(void **state)
{
    struct lport_addresses a;

    assert_null(lport_addresses_parse("0a:00:00:00:00:01  10.0.0.1 fd00::1 10.0.0.0/24", &a));
    assert_int_equal(a.n_ips, 3);
    assert_int_equal(a.ips[2].plen, 24);
    lport_addresses_destroy(&a);
    assert_null(lport_addresses_parse("0a:00:00:00:00:01", &a));
    assert_int_equal(a.n_ips, 0);
    lport_addresses_destroy(&a);
    static const char *const bad[] = { "", "unknown", "0a:00:00:00:00:01,10.0.0.1", "0a:00:00:00:00:01 10.0.0.256" };
    for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
        char *error = lport_addresses_parse(bad[i], &a);
        assert_non_null(error);
        free(error);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_eth),
        cmocka_unit_test(test_ip),
        cmocka_unit_test(test_lport),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

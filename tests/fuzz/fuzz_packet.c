/* fuzz_packet.c - what a virtual machine may send: a byte that chooses the operation, then the frame, through the handlers of punted packets. What they make is a frame that
 * our own parsers take, with right checksums. */
#include <stdlib.h>

#include "controller/packets/packets.h"
#include "logical/symbols.h"
#include "net/arp.h"
#include "net/checksum.h"
#include "net/icmp.h"
#include "net/nd.h"
#include "net/tcp.h"

int LLVMFuzzerTestOneInput(const uint8_t *, size_t);

static void
check_made(void *aux, const void *packet, size_t n, const void *actions, size_t actions_len)
{
    struct eth_frame eth;
    struct ip_packet ip;
    struct arp arp;
    struct tcp tcp;
    struct nd nd;

    REQUIRE(eth_parse(packet, n, &eth));
    if (eth.type == ETH_TYPE_ARP) {
        REQUIRE(arp_parse(eth.payload, eth.payload_len, &arp) && arp.op == ARP_REQUEST);
        return;
    }
    REQUIRE(ip_parse(eth.type, eth.payload, eth.payload_len, &ip) && ip.len == eth.payload_len && !ip.is_frag);
    REQUIRE(ip.src.v6 || !checksum_finish(checksum_add(0, ip.header, IPV4_HEADER_LEN)));
    REQUIRE(!ip_checksum(&ip, ip.payload, ip.payload_len));
    if (ip.proto == IP_TCP) {
        REQUIRE(tcp_parse(&ip, &tcp) && tcp.flags & TCP_RST && tcp.segment_len == 0);
    } else if (ip.proto == IP_ICMPV6 && ip.payload[0] > 128) {
        /* A solicitation from nobody waits for the nested actions to say who asks. */
        REQUIRE(nd_parse(&ip, &nd) || (ip.payload[0] == ND_SOLICIT && ip_addr_is_unspecified(&ip.src)));
    } else {
        REQUIRE(!icmp_may_complain(&ip) && ip.len <= (ip.src.v6 ? 1280 : 576));
    }
}

static void
resumed(void *aux, const struct of_packet_in *in)
{
}

static bool
learnt(void *aux, const struct learnt *l)
{
    REQUIRE(!eth_addr_is_multicast(l->mac) && l->dp_key == 5 && l->port_key == 7);
    return true;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    static struct engine e;
    static struct of_match metadata;
    static int64_t now = 1000000;

    if (!e.send) {
        engine_init(&e);
        e.send = check_made;
        e.resume = resumed;
        e.learnt = learnt;
        REQUIRE(of_match_add_u64(&metadata, OFF_METADATA, 5) && of_match_add_u64(&metadata, LOGICAL_INPORT, 7));
        REQUIRE(of_match_add_u64(&metadata, OFF_REG0, 0x0a000001));
    }
    if (n) {
        struct opcode_header header = { .opcode = data[0] };
        struct of_packet_in in = { .packet = data + 1, .packet_len = n - 1, .userdata = &header, .userdata_len = sizeof header, .metadata = metadata };
        engine_handle(&e, &in, now += 10);
    }
    return 0;
}

/* opcode.h - what the pipeline says to the controller: the userdata of the controller action (NXAST_CONTROLLER2, property userdata).
 *
 * It stays on one hypervisor: written by logical/, read by controller/packets/, both of one version, so the layout is ours. Userdata is struct
 * opcode_header, then what the operation says here, without padding. Numbers are big-endian.
 *
 * Operations with "actions" replace the packet by another one (as ovn-sb(5) says for the action of that name) and execute on it the OpenFlow actions that follow
 * (encoded bytes, a multiple of 8): a packet-out with in_port CONTROLLER, which first loads metadata, reg0..reg15 and pkt_mark from the packet-in, then these actions.
 * Operations with "result" are sent with pause: the controller changes the packet, sets the result bit and resumes. */
#ifndef LOGICAL_OPCODE_H
#define LOGICAL_OPCODE_H 1

#include <stdint.h>

enum opcode {
    OPCODE_NONE = 0,
    OPCODE_ARP = 1,                    /* actions */
    OPCODE_ND_NS = 2,                  /* actions */
    OPCODE_ND_NA = 3,                  /* actions */
    OPCODE_ND_NA_ROUTER = 4,           /* actions */
    OPCODE_ICMP = 5,                   /* actions; icmp4 and icmp6: the packet tells which */
    OPCODE_ICMP_ERROR = 6,             /* actions; the original datagram follows the ICMP header */
    OPCODE_TCP_RESET = 7,              /* actions */
    OPCODE_SCTP_ABORT = 8,             /* actions */
    OPCODE_REJECT = 9,                 /* actions */
    OPCODE_PUT_ARP = 10,               /* reg14: port, reg0: IPv4 address, eth.src: MAC (in the packet-in's match and packet) */
    OPCODE_PUT_ND = 11,                /* reg14: port, xxreg0: IPv6 address, eth.src: MAC */
    OPCODE_PUT_FDB = 12,               /* reg14: port, eth.src: MAC */
    OPCODE_LOG = 13,                   /* struct opcode_log, then the name (the rest) */
    OPCODE_SVC_CHECK = 14,             /* reg14: port */
    OPCODE_DHCPV6_REPLY = 15,
    OPCODE_BFD = 16,
    OPCODE_IGMP = 17,
    OPCODE_BIND_VPORT = 18,            /* be32 key of the virtual port; reg14: parent */
    OPCODE_DNS_LOOKUP = 19,            /* struct opcode_result */
    OPCODE_PUT_DHCP_OPTS = 20,         /* struct opcode_result; the address to offer; then options as on the wire (code, length, value) in the flow's order, also those
                                        * that are none of the protocol's: 253 (next server, into siaddr), 254 (another bootfile name, for who did not send option 175). */
    OPCODE_PUT_DHCPV6_OPTS = 21,       /* struct opcode_result; then options as on the wire (be16 code, be16 length, value), except that 5 (ia_addr) is just the address (or
                                        * addresses); 2 (server_id) is a DUID; 254 as above. */
    OPCODE_PUT_ND_RA_OPTS = 22,        /* struct opcode_result, struct opcode_nd_ra, then options as on the wire. */
    OPCODE_TRIGGER_EVENT = 23,         /* be16 enum opcode_event; then for each argument be16 number (0 vip, 1 protocol, 2 load_balancer), be16 length, text. */
    OPCODE_ICMP_FRAG_MTU = 24,         /* be16 mtu: within OPCODE_ICMP's actions: sets icmp4.frag_mtu or icmp6.frag_mtu */
    OPCODE_ICMP_INNER_SRC = 25,        /* IPv4 address: sets icmp4.inner_ip4.src, the source in the datagram within; with pause */
    OPCODE_DHCP_RELAY_REQ_CHK = 26,    /* struct opcode_result, IPv4 address of the relay, of the server */
    OPCODE_DHCP_RELAY_RESP_CHK = 27,   /* the same */
};

struct opcode_header {
    uint8_t opcode;
    uint8_t zero[7];                   /* So that actions are aligned. */
};
struct opcode_result {
    uint8_t reg;                       /* N of regN. */
    uint8_t bit;
    uint8_t zero[6];
};
struct opcode_log {
    uint8_t verdict;                   /* enum log_verdict */
    uint8_t severity;                  /* RFC 5424: 1 alert, 4 warning, 5 notice, 6 info, 7 debug. */
};
enum opcode_event { OPCODE_EVENT_EMPTY_LB_BACKENDS = 0 };
struct opcode_nd_ra {
    uint8_t flags;                     /* The byte of RFC 4861, 4.2, with the preference of RFC 4191. */
    uint8_t zero[7];
};
enum log_verdict { LOG_VERDICT_ALLOW, LOG_VERDICT_DROP, LOG_VERDICT_REJECT, LOG_VERDICT_UNKNOWN };

#endif

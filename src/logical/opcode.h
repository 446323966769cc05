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
    OPCODE_PUT_DHCP_OPTS = 20,         /* struct opcode_result, then options */
    OPCODE_PUT_DHCPV6_OPTS = 21,
    OPCODE_PUT_ND_RA_OPTS = 22,
    OPCODE_TRIGGER_EVENT = 23,
    OPCODE_ICMP_FRAG_MTU = 24,         /* be16 mtu: within OPCODE_ICMP's actions: sets icmp4.frag_mtu or icmp6.frag_mtu */
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
enum log_verdict { LOG_VERDICT_ALLOW, LOG_VERDICT_DROP, LOG_VERDICT_REJECT, LOG_VERDICT_UNKNOWN };

#endif

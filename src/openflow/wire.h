/* wire.h - OpenFlow 1.5 messages: composed into a str, parsed from untrusted bytes. Private to this room.
 *
 * Parsers return NULL or a message that the caller owns; what they yield points into the bytes given. */
#ifndef OPENFLOW_WIRE_H
#define OPENFLOW_WIRE_H 1

#include "openflow/flows_private.h"
#include "openflow/switch.h"

enum { OF_VERSION = 6, OF_HEADER_LEN = 8, OF_MAX_MESSAGE = 65535 };

enum {
    OFPT_HELLO = 0,
    OFPT_ERROR = 1,
    OFPT_ECHO_REQUEST = 2,
    OFPT_ECHO_REPLY = 3,
    OFPT_EXPERIMENTER = 4,
    OFPT_FEATURES_REQUEST = 5,
    OFPT_FEATURES_REPLY = 6,
    OFPT_SET_CONFIG = 9,
    OFPT_PACKET_OUT = 13,
    OFPT_FLOW_MOD = 14,
    OFPT_MULTIPART_REQUEST = 18,
    OFPT_MULTIPART_REPLY = 19,
    OFPT_BARRIER_REQUEST = 20,
    OFPT_BARRIER_REPLY = 21,
    OFPT_SET_ASYNC = 28,
    OFPT_BUNDLE_CONTROL = 33,
    OFPT_BUNDLE_ADD_MESSAGE = 34,
};
/* Open vSwitch's messages, in OFPT_EXPERIMENTER. */
enum {
    NXT_SET_PACKET_IN_FORMAT = 16,
    NXT_TLV_TABLE_MOD = 24,
    NXT_TLV_TABLE_REQUEST = 25,
    NXT_TLV_TABLE_REPLY = 26,
    NXT_RESUME = 28,
    NXT_PACKET_IN2 = 30,
};
enum { OFPBCT_OPEN_REQUEST = 0, OFPBCT_OPEN_REPLY = 1, OFPBCT_COMMIT_REQUEST = 4, OFPBCT_COMMIT_REPLY = 5, OFPBCT_DISCARD_REQUEST = 6 };

struct ofm {
    uint8_t version, type;
    uint32_t xid;
    const uint8_t *body;               /* After the header. */
    size_t n;
};
/* P has at least OF_HEADER_LEN bytes. False if the length in it is none; the message need not be complete. */
bool ofm_parse_header(const uint8_t *p, struct ofm *) MUST_USE;

size_t ofm_begin(struct str *, uint8_t type, uint32_t xid);
void ofm_end(struct str *, size_t offset);
void ofm_put_hello(struct str *, uint32_t xid);
/* A version bitmap that has VERSION, or, without one, a version not below. */
bool ofm_hello_has_version(const struct ofm *, uint8_t version) MUST_USE;
void ofm_put_empty(struct str *, uint8_t type, uint32_t xid);
void ofm_put_echo(struct str *, uint8_t type, uint32_t xid, const void *, size_t n);
/* With PACKETS: packet-ins in Open vSwitch's format, whole. No other asynchronous message. */
void ofm_put_async_setup(struct str *, uint32_t xid, bool packets);
void ofm_put_flow_dump(struct str *, uint32_t xid);
void ofm_put_bundle_control(struct str *, uint32_t xid, uint32_t bundle, uint16_t type);
/* The flow-mod of C, in BUNDLE or (0) by itself. False, and nothing is put, if it is too long for a message. */
bool ofm_put_change(struct str *, uint32_t xid, uint32_t bundle, const struct of_change *) MUST_USE;
void ofm_put_packet_out(struct str *, uint32_t xid, uint32_t in_port, const void *packet, size_t packet_len, const void *actions,
                        size_t actions_len);
/* Lets the packet of IN go on where it paused, as PACKET and with METADATA. */
void ofm_put_resume(struct str *, uint32_t xid, const struct of_packet_in *in, const void *packet, size_t packet_len, const struct of_match *metadata);
void ofm_put_tlv_request(struct str *, uint32_t xid);
void ofm_put_tlv_add(struct str *, uint32_t xid, uint16_t class, uint8_t type, uint8_t len, uint16_t index);

/* The key in a flow-mod that ofm_put_change() put at P (in a bundle or not). */
struct of_flow_key ofm_change_key(const uint8_t *p);
void ofm_change_content(const uint8_t *p, uint64_t *cookie, const void **actions, size_t *n);

/* One flow of a dump; CONTENT is not of_content_hash() of ACTIONS if the flow has more than we would give it (time-outs, other instructions). */
struct ofm_flow {
    struct of_flow_key key;
    uint64_t content;
};
/* The next flow in what remains of a flow description's body; key.match as the switch said it. */
char *ofm_next_flow(const uint8_t **p, size_t *n, struct ofm_flow *) MUST_USE;
/* A multipart reply's type, whether more follow, and its body. */
char *ofm_parse_multipart(const struct ofm *, uint16_t *type, bool *more, const uint8_t **body, size_t *n) MUST_USE;

struct ofm_error {
    uint16_t type, code;               /* Type 0xffff: of EXPERIMENTER. */
    uint32_t experimenter;
    uint8_t failed_type;               /* Of the message at fault, if DATA has its header. */
    uint32_t failed_xid;
    const uint8_t *data;
    size_t n;
};
char *ofm_parse_error(const struct ofm *, struct ofm_error *) MUST_USE;
/* "OFPBMC_BAD_PREREQ", or its numbers. */
void ofm_format_error(const struct ofm_error *, struct str *);

struct ofm_bundle_reply {
    uint32_t bundle;
    uint16_t type;
};
char *ofm_parse_bundle_reply(const struct ofm *, struct ofm_bundle_reply *) MUST_USE;

/* The vendor message's subtype and body, if it is Open vSwitch's. */
bool ofm_parse_nicira(const struct ofm *, uint32_t *subtype, const uint8_t **body, size_t *n) MUST_USE;
/* Which tunnel metadata field stands for the Geneve option, and which fields are in use at all (a bit each). */
struct ofm_tlv_table {
    int index;                         /* -1: none. */
    bool conflict;                     /* The option is there with another length. */
    uint64_t used;
};
char *ofm_parse_tlv_table(const uint8_t *, size_t n, uint16_t class, uint8_t type, uint8_t len, struct ofm_tlv_table *) MUST_USE;
/* P->metadata: the caller's to destroy, also on error. */
char *ofm_parse_packet_in(const uint8_t *, size_t n, struct of_packet_in *p) MUST_USE;

#endif

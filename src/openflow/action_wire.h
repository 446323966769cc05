/* action_wire.h - the numbers of actions on the wire: OpenFlow 1.5.1, 7.2.6 and Open vSwitch's (nicira-ext.h). Private to this room. */
#ifndef OPENFLOW_ACTION_WIRE_H
#define OPENFLOW_ACTION_WIRE_H 1

enum { NX_VENDOR = 0x2320 };

enum {
    OFPAT_OUTPUT = 0,
    OFPAT_PUSH_VLAN = 17,
    OFPAT_POP_VLAN = 18,
    OFPAT_SET_QUEUE = 21,
    OFPAT_GROUP = 22,
    OFPAT_DEC_NW_TTL = 24,
    OFPAT_SET_FIELD = 25,
    OFPAT_COPY_FIELD = 28,
    OFPAT_METER = 29,
    OFPAT_EXPERIMENTER = 0xffff,
};

enum {
    NXAST_NOTE = 8,
    NXAST_RESUBMIT_TABLE = 14,
    NXAST_OUTPUT_REG = 15,
    NXAST_LEARN = 16,
    NXAST_CONTROLLER = 20,
    NXAST_STACK_PUSH = 27,
    NXAST_STACK_POP = 28,
    NXAST_SAMPLE = 29,
    NXAST_CONJUNCTION = 34,
    NXAST_CT = 35,
    NXAST_NAT = 36,
    NXAST_CONTROLLER2 = 37,
    NXAST_CLONE = 42,
    NXAST_CT_CLEAR = 43,
    NXAST_ENCAP = 46,
    NXAST_DECAP = 47,
    NXAST_CHECK_PKT_LARGER = 49,
};

/* Packet types of encap and decap: the namespace of Ethernet types in the upper half; "what is inside says so" in OpenFlow's own. */
enum { PACKET_TYPE_NSH = 0x1894f, PACKET_TYPE_NEXT_PROTO = 0xfffe };
enum { OFPR_ACTION = 1 };
enum { NXAC2PT_MAX_LEN, NXAC2PT_CONTROLLER_ID, NXAC2PT_REASON, NXAC2PT_USERDATA, NXAC2PT_PAUSE, NXAC2PT_METER_ID };
enum { NX_CT_F_COMMIT = 1, NX_CT_F_FORCE = 2 };
enum { NX_NAT_F_SRC = 1, NX_NAT_F_DST = 2, NX_NAT_F_PERSISTENT = 4, NX_NAT_F_PROTO_HASH = 8, NX_NAT_F_PROTO_RANDOM = 16 };
enum { NX_NAT_IPV4_MIN = 1, NX_NAT_IPV4_MAX = 2, NX_NAT_IPV6_MIN = 4, NX_NAT_IPV6_MAX = 8, NX_NAT_PROTO_MIN = 16, NX_NAT_PROTO_MAX = 32 };

#endif

/* physical.h - between the files of physical/: how packets enter and leave the logical pipelines.
 *
 *   pipeline.c       the flows that hold the pipeline together, whatever the network
 *   datapath.c       which datapaths and sets of datapaths are here; set tags
 *   tunnel.c         packets between chassis: what a tunnel carries, both ways
 *   port.c           a logical port: where it is, and its flows in and out
 *   mcast.c          multicast groups: members here, chassis that have others
 *   port_security.c  which addresses a port may use
 *   fdb.c            learnt MAC addresses
 *
 * The life of a packet (ovn-architecture(7)), with our tables (controller.h):
 *
 *   VM -> PHY_TO_LOG -> TAGS, INGRESS ... OUTPUT -> REMOTE_OUTPUT -> tunnel
 *                                                   REMOTE_OUTPUT -> LOCAL_OUTPUT -> CHECK_LOOPBACK -> EGRESS ... SAVE_INPORT -> LOG_TO_PHY -> VM
 *   tunnel -> PHY_TO_LOG -> TAGS, LOCAL_OUTPUT -> ...
 *
 * Whoever enters a datapath loads its key into all 64 bits of metadata (so that the tags of the datapath it comes from are gone), resubmits to TAGS, then to
 * where it goes. Copies of a packet are made with clone, so that what one copy meets is not seen by the next. */
#ifndef CONTROLLER_PHYSICAL_PHYSICAL_H
#define CONTROLLER_PHYSICAL_PHYSICAL_H 1

#include "controller/controller.h"
#include "controller/physical/flow.h"
#include "logical/symbols.h"

/* The keys of logical ports and of multicast groups (ovn-architecture(7), "Tunnel Encapsulations"). */
enum { MAX_DP_KEY = (1 << DP_KEY_BITS) - 1, MAX_PORT_KEY = 32767, MIN_MCAST_KEY = 32768, MAX_MCAST_KEY = 65535 };

struct physical {
    struct incr_relation *tag_demand;  /* key "", value struct tag_demand (datapath.c). */
    struct incr_relation *member;      /* key Multicast_Group *, value struct member (mcast.c). */
    struct incr_numbers *tags;
    struct incr_relation *local_key;   /* key int64_t: the keys of local datapaths; no value. */
};

void pipeline_create(struct controller *);
void datapath_create(struct controller *);
void tunnel_flows_create(struct controller *);
void port_flows_create(struct controller *);
void mcast_create(struct controller *);
void port_security_create(struct controller *);
void fdb_create(struct controller *);

/* ---- datapath.c ---- */

/* NULL: DP (or NULL) is not local. */
const struct dp_key_value *datapath_get(struct controller *, struct sb_datapath_binding *, struct dep_reader *by);
/* Appends: enter the datapath of that key. */
void datapath_put_enter(struct flow *, uint32_t dp_key);

/* ---- tunnel.c ---- */

/* Appends: send to outport KEY of datapath DP_KEY through TUNNEL. The packet's inport is in reg14. */
void tunnel_put_output(struct flow *, const struct tunnel_value *, uint32_t dp_key, uint32_t key);
/* How to reach CHASSIS; NULL: not (yet). */
const struct tunnel_value *tunnel_to(struct controller *, struct sb_chassis *, struct dep_reader *by);

/* ---- port.c ---- */

enum port_kind {
    PORT_VIF,                          /* "", virtual, external, remote...: at most on one chassis. */
    PORT_LOCALPORT,                    /* On every chassis; no packet of it leaves. */
    PORT_PATCH,                        /* On every chassis. */
    PORT_UNSUPPORTED,
};
/* What is the same for everybody who looks at a port. */
struct port_info {
    struct sb_port_binding *pb;
    enum port_kind kind;
    uint32_t dp_key, key;
    const struct bound_value *bound;   /* NULL: not here. */
};
/* False if the port is none of ours: its datapath is not local, or a key is no key. */
bool port_get(struct controller *, struct sb_port_binding *, struct dep_reader *by, struct port_info *) MUST_USE;
/* Calls CB for each other chassis that PB is on, in order of UUIDs, as long as it is a VIF. */
void port_for_each_remote(struct controller *, const struct port_info *, struct dep_reader *by,
                          void (*cb)(void *aux, struct sb_chassis *), void *aux);

/* The connection tracking zone of a port that is here; 0: none yet. */
uint16_t port_zone(struct controller *, const struct sb_port_binding *, struct dep_reader *by);
/* The VLAN of a container in a VM; 0: it is none. */
uint16_t port_container_tag(const struct sb_port_binding *, struct dep_reader *by);

/* The cookie of flows made of ROW. */
static inline uint32_t
row_cookie(const struct ovsdb_row *row)
{
    return row->uuid.parts[0];
}

#endif

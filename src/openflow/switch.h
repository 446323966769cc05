/* switch.h - the OpenFlow 1.5 connection to one switch's management socket: handshake, echo, flow-mods in bundles, barriers, errors, packets.
 *
 * At connect, the flows found in the switch are read and adopted as installed; nothing is changed until of_switch_sync() is
 * called, which sends just the differences to what is desired, in bundles. So a restart of the controller loses no packet. When the
 * switch restarts (connects anew, empty), the same path installs everything. */
#ifndef OPENFLOW_SWITCH_H
#define OPENFLOW_SWITCH_H 1

#include "openflow/flows.h"
#include "runtime/loop.h"

struct of_switch;

/* FLOWS NULL: a connection for packets alone. It is ready after the handshake, changes and reads no flows, and is the only kind that gets packet-ins: those of
 * every `controller` action with controller id 0 (ovs-actions(7)). So two connections to one switch share the work: flows, packets. */
struct of_switch *of_switch_create(struct loop *, struct of_flows *);
void of_switch_destroy(struct of_switch *);
/* "unix:PATH" or "tcp:HOST:PORT"; NULL disconnects. Same as before: nothing happens. Reconnects with back-off. */
void of_switch_set_target(struct of_switch *, const char *target);
const char *of_switch_target(const struct of_switch *);                /* NULL: none. */
void of_switch_set_probe_interval(struct of_switch *, int64_t ms);     /* 0: none. */
int64_t of_switch_probe_interval(const struct of_switch *);
/* Connected, handshake done and the installed flows are known. */
bool of_switch_is_ready(const struct of_switch *);
uint64_t of_switch_generation(const struct of_switch *);               /* Increases when it becomes ready anew. */
/* Sends the differences. No more than one bundle is under way; what is pending when it is called meanwhile, or is more than a bundle holds, goes in
 * the next by itself. */
void of_switch_sync(struct of_switch *);
/* A number for "all that is desired now"; it is installed when of_switch_installed() has reached it. Numbers only grow; after a reconnect what was reached stays reached
 * only once it was installed again. CHANGED is called from the loop whenever installed or readiness changes. */
uint64_t of_switch_mark(struct of_switch *);
uint64_t of_switch_installed(const struct of_switch *);
void of_switch_on_change(struct of_switch *, void (*changed)(void *aux), void *aux);
/* A flow that the switch refused: named in the log (rate-limited) with the switch's error, not sent again until it changes; others are not affected. */
size_t of_switch_n_refused(const struct of_switch *);
/* What was refused may be accepted now (a group or meter that it names exists): the next sync sends it again. A new connection does so by itself. */
void of_switch_retry_refused(struct of_switch *);
/* The number of the tunnel metadata field that stands for the Geneve option of OVN (class 0x0102, type 0x80, 4 bytes), which the handshake maps
 * if nobody did: 0 unless someone else has tun_metadata0. -1: none, before the handshake or for a conflict (logged). */
int of_switch_tun_metadata_index(const struct of_switch *);
uint64_t of_switch_n_sent(const struct of_switch *);                   /* Flow-mods, ever. */

struct of_packet_in {
    const void *packet;
    size_t packet_len;
    const void *userdata;
    size_t userdata_len;
    struct of_match metadata;          /* in_port, registers, ... at the time. */
    uint64_t cookie;
    uint8_t table, reason;
    const void *continuation;          /* For resuming; NULL if none. */
    size_t continuation_len;
};
void of_switch_on_packet_in(struct of_switch *, void (*cb)(void *aux, const struct of_packet_in *), void *aux);
void of_switch_packet_out(struct of_switch *, uint32_t in_port, const void *packet, size_t packet_len, const void *actions, size_t actions_len);
/* Lets the packet of IN (with a continuation) go on where it paused, as PACKET with METADATA in the place of its own. */
void of_switch_resume(struct of_switch *, const struct of_packet_in *in, const void *packet, size_t packet_len, const struct of_match *metadata);

#endif

/* flight.h - differences on their way to a switch: one bundle, from composing it to knowing what became of it. Private to this room. */
#ifndef OPENFLOW_FLIGHT_H
#define OPENFLOW_FLIGHT_H 1

#include "openflow/wire.h"

struct flight_flow;

/* Zeroed: nothing under way. */
struct flight {
    bool active;                       /* Sent; its barrier has not been answered. */
    bool plain;                        /* Flow-mods one by one, no bundle. */
    bool committed;
    uint32_t bundle;                   /* The last bundle's number. */
    uint32_t first_xid, commit_xid, barrier_xid;
    struct str messages;               /* All flow-mods, in order: XID first_xid, first_xid + 1, ... */
    struct flight_flow *flows;         /* N of them. */
    size_t n, cap;
    size_t n_named;                    /* Flows that an error named. */
    unsigned n_failures;               /* In a row. */
    bool unnamed;                      /* The last failure named no flow. */
};

void flight_destroy(struct flight *);
/* The connection is gone, and what was under way with it. */
void flight_reset(struct flight *);
/* Takes the pending differences, as many as one bundle holds, and puts the messages into OUT. False if there are none. */
bool flight_start(struct flight *, struct of_flows *, uint32_t *xid, struct str *out) MUST_USE;
/* True if the error belongs to this flight. */
bool flight_error(struct flight *, const struct ofm_error *) MUST_USE;
void flight_bundle_reply(struct flight *, const struct ofm_bundle_reply *);
/* The barrier was answered. True if all is installed that was not refused; false if it has to be sent again, without what was refused. */
bool flight_finish(struct flight *, struct of_flows *) MUST_USE;

#endif

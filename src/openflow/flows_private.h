/* flows_private.h - what the connection (switch.c) sees of a flow table: what is pending, and what it learnt from the switch.
 *
 * The installed side is optimistic: of_flows_take() counts a difference as done, of_flows_revert() takes that back. So what is under way is
 * described by the messages sent and nothing here points to it. */
#ifndef OPENFLOW_FLOWS_PRIVATE_H
#define OPENFLOW_FLOWS_PRIVATE_H 1

#include "openflow/flows.h"

/* What tells flows apart. */
struct of_flow_key {
    uint8_t table;
    uint16_t priority;
    uint16_t match_len;
    const void *match;
};

/* The switch's side of one key: whether it has a flow there and what it says (of_content_hash()). */
struct of_installed {
    bool present;
    uint64_t content;
};

struct of_change {
    struct of_flow_key key;
    bool add;                          /* Add or replace; otherwise delete. */
    uint64_t cookie;
    const void *actions;
    size_t actions_len;
    struct of_installed before, after;
};

uint64_t of_content_hash(uint64_t cookie, const void *actions, size_t n);

/* A new connection: nothing is known to be installed, nothing refused. Then of_flows_adopt() for each flow found. */
void of_flows_begin_adoption(struct of_flows *);
void of_flows_adopt(struct of_flows *, const struct of_flow_key *, uint64_t content);

/* The next difference, additions first; false if there is none. The pointers in it live until the next call. */
bool of_flows_take(struct of_flows *, struct of_change *) MUST_USE;
/* What was taken for KEY did not happen. */
void of_flows_revert(struct of_flows *, const struct of_flow_key *, struct of_installed before);
/* The switch will not have the content CONTENT for KEY; does not wish it any more until it is added anew. False if nobody wishes it now. */
bool of_flows_refuse(struct of_flows *, const struct of_flow_key *, uint64_t content);
size_t of_flows_n_refused(const struct of_flows *);
void of_flows_retry_refused(struct of_flows *);

void of_flow_format(const struct of_flow_key *, uint64_t cookie, const void *actions, size_t n, struct str *);

#endif

/* flows.h - the flow table of one switch: what is desired, what is installed, and the difference between them.
 *
 * Flows are compact encoded bytes. Several owners may want the same flow, or different actions for one match (two logical flows that
 * say different things): the flow is there while anyone wants it; of different wishes the one with the smallest content (by bytes of actions, then
 * cookie) is installed, whoever came first, so that the table depends on what is wanted and never on the order; the clash is counted and logged.
 * Conjunction actions are no clash: of several wishes the flow gets all of them, in the order of their bytes; a wish of other actions beats them, as
 * it needs no second clause. */
#ifndef OPENFLOW_FLOWS_H
#define OPENFLOW_FLOWS_H 1

#include "base/hash.h"
#include "base/str.h"
#include "openflow/match.h"

struct of_flows;

struct of_flow_spec {
    uint8_t table;
    uint16_t priority;
    uint64_t cookie;
    const void *match;                 /* OXM TLVs from of_match_put_oxm(). */
    size_t match_len;
    const void *actions;
    size_t actions_len;
};

struct of_flows *of_flows_create(void);
void of_flows_destroy(struct of_flows *);
/* Counted: as many removes as adds of the same content. Copied. Both are named by the digest of the content (of_flow_digest()). */
void of_flows_add(struct of_flows *, const struct of_flow_spec *);
void of_flows_remove(struct of_flows *, struct digest);
struct digest of_flow_digest(const struct of_flow_spec *);
size_t of_flows_count(const struct of_flows *);        /* Desired matches. */
size_t of_flows_n_pending(const struct of_flows *);    /* Differences to what is installed. */
size_t of_flows_n_clashes(const struct of_flows *);    /* Matches with different wishes now, conjunctions apart. */
size_t of_flows_bytes(const struct of_flows *);        /* Memory. */
/* One line a desired flow, sorted, as ovs-ofctl dump-flows --no-stats would: for tests and debugging. */
void of_flows_format(const struct of_flows *, struct str *);

#endif

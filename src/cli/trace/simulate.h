/* simulate.h - one packet through the logical network: ovn-trace(8). */
#ifndef CLI_TRACE_SIMULATE_H
#define CLI_TRACE_SIMULATE_H 1

#include "cli/trace/world.h"
#include "logical/trace.h"

/* What is asked. */
struct trace_question {
    const char *datapath;              /* NULL: that of the inport. */
    const char *microflow;
    bool friendly;
    const uint32_t *ct_states;         /* For one pass through connection tracking after the other. */
    size_t n_ct_states;
    const char *lb_dst;                /* "10.0.0.1:80", NULL: any. */
    int64_t select_id;                 /* -1: any. */
};

/* What a TRACE_TABLE node has in `data`: the place and the flow (NULL: none matched). */
struct trace_step {
    struct datapath *dp;
    enum logical_pipeline pipeline;
    uint8_t table;
    struct flow *flow;
    struct logical_packet *packet;     /* Where the packet goes nowhere from here; else NULL. */
};
/* TRACE_OUTPUT nodes have the struct port. TRACE_PIPELINE has a struct trace_step without flow. */

struct trace_result {
    struct arena arena;
    struct world world;
    struct datapath *dp;
    struct port *inport;               /* NULL: none was given. */
    char *openflow;                    /* The microflow as OpenFlow has it. */
    struct logical_packet packet;      /* At the beginning. */
    struct trace_node *root;           /* What happens is below it. */
    size_t n_outputs;
};

/* NULL and *R (trace_result_destroy() it before the loop runs again), or a message (caller owns). */
char *trace_run(const struct world_indexes *, const struct trace_question *, struct trace_result *) MUST_USE;
void trace_result_destroy(struct trace_result *);

/* ---- microflow.c ---- */

/* The packet that TEXT describes; *INPORT and the datapath come from it, or from *DP if that is not NULL. A message (caller owns) if it is not one packet. */
char *microflow_parse(const char *text, struct world *, struct datapath **dp, struct port **inport, struct logical_packet *) MUST_USE;
/* "tcp,reg14=0x1,...": as ovs-ofctl(8) shows it. */
void microflow_format(const struct logical_packet *, struct str *);

/* ---- lb.c ---- */

/* "10.0.0.1", "10.0.0.1:80", "[fd00::1]:80", "fd00::1". A message (caller owns) that says WHAT it should have been. */
char *endpoint_parse(const char *text, const char *what, struct trace_backend *) MUST_USE;
/* A load balancer has this virtual address (with this port, if it has one). */
bool world_has_vip(const struct world *, const struct trace_backend *vip);

/* ---- port_security.c: ovn-nb(5), Logical_Switch_Port, "port_security" ---- */

bool port_security_refuses(const struct port *, bool in, const struct logical_packet *);

#endif

/* trace.h - actions executed on an imagined packet: what ovn-trace(8) shows.
 *
 * Each action has a trace beside its encoding (actions/): it changes the packet and notes what it did as nodes of a tree. What lies outside of an action, the flow
 * tables, ports and bindings, is the caller's: struct trace_env. Everything of one trace is in its arena. */
#ifndef LOGICAL_TRACE_H
#define LOGICAL_TRACE_H 1

#include "logical/action.h"
#include "logical/arena.h"

enum trace_kind {
    TRACE_PIPELINE,                    /* ingress(dp=..., inport=...): what happens in it is below. */
    TRACE_TABLE,                       /* A flow that matched, or none. */
    TRACE_ACTION,                      /* As written, "next;". */
    TRACE_GOTO,                        /* A next that names its table: of interest to who looks at tables. */
    TRACE_COMMENT,                     /* What was found or assumed. */
    TRACE_NOTE,                        /* The same, where scripts that read the text forms do not know it. */
    TRACE_MODIFY,                      /* A change of the packet itself, its operand a constant. */
    TRACE_OUTPUT,                      /* Delivered to a port. */
    TRACE_TRANSFORM,                   /* Another packet, or the same after connection tracking. */
    TRACE_MULTICAST,                   /* Several copies. */
    TRACE_ERROR,
};

struct trace_node {
    enum trace_kind kind;
    const char *text;
    struct trace_node *parent, *first, *last, *next;
    void *data;                        /* The caller's. */
};

struct trace_at;

/* Load balancing: what there is to choose from. */
struct trace_backend {
    bool ipv6;
    union of_value ip;
    uint32_t port;                     /* 0: as it is. */
};

struct trace_env {
    struct arena *arena;
    /* What happens then, with AT's packet, noted below AT's node. */
    void (*next)(struct trace_at *, enum logical_pipeline, unsigned table);
    void (*output)(struct trace_at *);
    /* The key of a port of AT's datapath. */
    bool (*lookup_port)(struct trace_at *, const char *name, uint32_t *key);
    bool (*mac_binding)(struct trace_at *, uint32_t port, bool ipv6, const union of_value *ip, union of_value *mac);
    uint32_t (*fdb)(struct trace_at *, const union of_value *mac);             /* The key of the port; 0: not known. */
    bool (*port_sec_refuses)(struct trace_at *, bool in);
    /* The state that the next pass through connection tracking gives; *ASSUMED: nobody said so. */
    uint32_t (*ct_state)(struct trace_at *, bool *assumed);
    /* An index; N > 0. */
    size_t (*choose_backend)(struct trace_at *, const struct trace_backend *, size_t n);
    size_t (*choose_number)(struct trace_at *, const uint32_t *numbers, const uint32_t *weights, size_t n);
    /* Where an established connection goes to; false: as it is. */
    bool (*established_backend)(struct trace_at *, struct trace_backend *);
    bool (*is_gateway_router)(struct trace_at *);
    /* A load balancer has this virtual address. */
    bool (*is_vip)(struct trace_at *, const struct trace_backend *);
    /* The packet in a line. */
    void (*describe)(struct trace_at *, struct str *);
};

/* A packet at a place. */
struct trace_at {
    const struct trace_env *env;
    void *aux;                         /* The caller's: the datapath. */
    struct logical_packet *packet;
    struct trace_node *node;           /* Notes go below it. */
    enum logical_pipeline pipeline;
    uint8_t table;
    struct trace_stack *stack;         /* push(), pop(). */
};

/* Adds a node below PARENT. */
struct trace_node *trace_add(struct arena *, struct trace_node *parent, enum trace_kind, const char *text, ...) PRINTF_LIKE(4, 5);
/* Bits of ct_state as people write them: "est|trk". */
void trace_put_ct_state(uint32_t state, struct str *);
/* As in "--ct": a number with bit values, or a message (caller owns). */
char *trace_parse_ct_state(const char *, uint32_t *state) MUST_USE;

/* Executes A. */
void actions_trace(const struct actions *a, struct trace_at *);

#endif

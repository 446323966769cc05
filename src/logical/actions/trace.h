/* trace.h - what the traces of the families share; see logical/trace.h. */
#ifndef LOGICAL_ACTIONS_TRACE_H
#define LOGICAL_ACTIONS_TRACE_H 1

#include "logical/actions/internal.h"
#include "logical/trace.h"

enum { CT_NEW = 1, CT_EST = 2, CT_REL = 4, CT_RPL = 8, CT_INV = 16, CT_TRK = 32, CT_SNAT = 64, CT_DNAT = 128 };

/* "next", "next(5)" or "next(pipeline=egress, table=5)": the shortest that says where A, an action of the class "next", goes from here. */
bool action_next_is_plain(const struct action *, const struct trace_at *);
void action_next_describe(const struct action *, const struct trace_at *, struct str *);

/* False: the packet goes no further here. */
bool action_list_trace(const struct action *, struct trace_at *);

/* The packet's field, and the same set; a change of what is on the wire is noted. */
static inline union of_value
trace_get(const struct trace_at *at, enum of_field f)
{
    return logical_packet_get(at->packet, whole(f));
}
/* The field of the destination port. */
static inline enum of_field
transport_dst(const struct logical_packet *p)
{
    uint64_t proto = of_value_low(&p->f[OFF_IP_PROTO]);
    return proto == 17 ? OFF_UDP_DST : proto == 132 ? OFF_SCTP_DST : OFF_TCP_DST;
}
void trace_set(struct trace_at *, struct of_subfield, const union of_value *);
void trace_set_u64(struct trace_at *, struct of_subfield, uint64_t);
/* Without a note. */
void trace_put_u64(struct logical_packet *, enum of_field, uint64_t);
/* A comment, or a note; the text as for printf. */
#define trace_comment(AT, ...) ((void) trace_add((AT)->env->arena, (AT)->node, TRACE_COMMENT, __VA_ARGS__))
#define trace_note(AT, ...) ((void) trace_add((AT)->env->arena, (AT)->node, TRACE_NOTE, __VA_ARGS__))

/* A copy of AT with a packet of its own below a new node; trace_leave() it. */
struct trace_at *trace_enter(struct trace_at *, const char *fmt, ...) PRINTF_LIKE(2, 3);
void trace_leave(struct trace_at *);
/* The copy moves on to the next table. */
void trace_next(struct trace_at *);

bool action_next_trace(const struct action *, struct trace_at *);
bool trace_push(const struct action *, struct trace_at *);
bool trace_pop(const struct action *, struct trace_at *);

/* Traces for the table of several classes. */
bool trace_nothing(const struct action *, struct trace_at *);          /* Seen by others, changes nothing here. */
bool trace_zero(const struct action *, struct trace_at *);             /* The answer is 0. */

#endif

/* show.h - the same trace for several readers. */
#ifndef CLI_TRACE_SHOW_H
#define CLI_TRACE_SHOW_H 1

#include "cli/ovs/ovs.h"
#include "cli/trace/northbound.h"
#include "cli/trace/simulate.h"

/* ovn-trace(8), "Output". OVS (may be NULL): the OpenFlow flows to show with each logical flow. */
void show_detailed(const struct trace_result *, const struct ovs_flows *, struct str *);
void show_summary(const struct trace_result *, struct str *);
void show_minimal(const struct trace_result *, struct str *);

/* As data (data.c). NB (may be NULL): the northbound database. */
void show_json(const struct trace_result *, const char *microflow, struct ovsdb *nb, struct str *);
/* For Graphviz (data.c). */
void show_dot(const struct trace_result *, struct str *);
/* "delivered", "dropped", or "refused": answered with an error. */
const char *show_verdict(const struct trace_result *);
/* Why the packet is dropped, or where it goes, in a sentence (why.c). */
void show_why(const struct trace_result *, struct ovsdb *nb, struct str *);

/* data.c: an SVG drawn by Graphviz; false: it is not installed, nothing is appended. */
bool graph_to_svg(const char *dot, size_t n, struct str *out);

#endif

/* show.h - the same trace for several readers. */
#ifndef CLI_TRACE_SHOW_H
#define CLI_TRACE_SHOW_H 1

#include "cli/trace/northbound.h"
#include "cli/trace/simulate.h"

struct ovs_flows;

/* ovn-trace(8), "Output". OVS (may be NULL): the OpenFlow flows to show with each logical flow. */
void show_detailed(const struct trace_result *, const struct ovs_flows *, struct str *);
void show_summary(const struct trace_result *, struct str *);
void show_minimal(const struct trace_result *, struct str *);

/* As data (data.c). NB (may be NULL): the northbound database. */
void show_json(const struct trace_result *, const char *microflow, struct ovsdb *nb, struct str *);
/* For Graphviz (data.c). */
void show_dot(const struct trace_result *, struct str *);
/* Why the packet is dropped, or where it goes, in a sentence (why.c). */
void show_why(const struct trace_result *, struct ovsdb *nb, struct str *);

/* ovs.c: what the switch at REMOTE has. NULL and *error (caller owns) if it cannot be reached. */
struct ovs_flows *ovs_flows_get(const char *remote, char **error) MUST_USE;
void ovs_flows_destroy(struct ovs_flows *);
/* Calls CB for each flow with this cookie. */
void ovs_flows_for_each(const struct ovs_flows *, uint32_t cookie, void (*cb)(void *aux, const char *flow), void *aux);

/* data.c: an SVG drawn by Graphviz; false: it is not installed, nothing is appended. */
bool graph_to_svg(const char *dot, size_t n, struct str *out);

/* child.c: runs ARGV (found in PATH) with INPUT and appends what it writes, also its errors if ERRORS_TOO. False: it failed or could not be started. */
bool child_run(const char *const argv[], const char *input, size_t n_input, bool errors_too, struct str *out);

#endif

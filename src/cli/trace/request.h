/* request.h - what somebody asks ovn-trace: the options that are about a trace, the microflow, and the answer. On the command line and to the daemon alike. */
#ifndef CLI_TRACE_REQUEST_H
#define CLI_TRACE_REQUEST_H 1

#include <getopt.h>
#include "cli/trace/world.h"

struct request {
    unsigned forms;
    bool friendly;
    uint32_t *ct_states;
    size_t n_ct_states, cap_ct_states;
    const char *lb_dst;
    int64_t select_id;
    const char *ovs;                   /* The switch to ask; NULL: none. */
    const char *datapath, *microflow;
};
#define REQUEST_INIT { .friendly = true, .select_id = -1 }
void request_destroy(struct request *);

enum {
    REQUEST_OPT_DETAILED = 2000, REQUEST_OPT_SUMMARY, REQUEST_OPT_MINIMAL, REQUEST_OPT_ALL, REQUEST_OPT_OVS, REQUEST_OPT_CT, REQUEST_OPT_LB_DST,
    REQUEST_OPT_SELECT_ID, REQUEST_OPT_FRIENDLY, REQUEST_OPT_NO_FRIENDLY, REQUEST_OPT_JSON, REQUEST_OPT_GRAPH, REQUEST_OPT_WHY, REQUEST_OPT_MAX,
};
#define REQUEST_OPTIONS \
    { "detailed", no_argument, NULL, REQUEST_OPT_DETAILED }, { "summary", no_argument, NULL, REQUEST_OPT_SUMMARY }, \
    { "minimal", no_argument, NULL, REQUEST_OPT_MINIMAL }, { "all", no_argument, NULL, REQUEST_OPT_ALL }, \
    { "ovs", optional_argument, NULL, REQUEST_OPT_OVS }, { "ct", required_argument, NULL, REQUEST_OPT_CT }, \
    { "friendly-names", no_argument, NULL, REQUEST_OPT_FRIENDLY }, { "no-friendly-names", no_argument, NULL, REQUEST_OPT_NO_FRIENDLY }, \
    { "lb-dst", required_argument, NULL, REQUEST_OPT_LB_DST }, { "select-id", required_argument, NULL, REQUEST_OPT_SELECT_ID }, \
    { "json", no_argument, NULL, REQUEST_OPT_JSON }, { "graph", no_argument, NULL, REQUEST_OPT_GRAPH }, \
    { "why", no_argument, NULL, REQUEST_OPT_WHY }

/* Takes an option about a trace; *KNOWN: it is one. ARG must live as long as the request. A message (caller owns) or NULL. */
char *request_option(struct request *, int opt, const char *arg, bool *known) MUST_USE;
/* "[DATAPATH] MICROFLOW". */
char *request_arguments(struct request *, int argc, const char *const argv[]) MUST_USE;
/* A whole request, ARGV[0] its name; DAEMON: without what ovn-trace(8) keeps from the daemon. */
char *request_parse(struct request *, bool daemon, int argc, const char *const argv[]) MUST_USE;
/* The northbound database would be of use. */
bool request_wants_nb(const struct request *);
/* Appends the answer, or returns a message (caller owns). NB may be NULL. */
char *request_run(const struct request *, const struct world_indexes *, struct ovsdb *nb, struct str *out) MUST_USE;

#endif

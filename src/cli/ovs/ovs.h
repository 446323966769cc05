/* ovs.h - the OpenFlow flows of a real switch, for those that show them beside what they were made of (ovn-sbctl and ovn-trace --ovs).
 *
 * The cookie of a flow is the first 32 bits of the UUID of the southbound row that it was made of. */
#ifndef CLI_OVS_OVS_H
#define CLI_OVS_OVS_H 1

#include "base/str.h"

struct ovs_flows;

/* All flows of the switch at REMOTE ("unix:PATH", "tcp:HOST:PORT"), with their counters if STATS. Waits for it, at most 10 seconds. NULL and *error (caller owns)
 * if it cannot be reached. */
struct ovs_flows *ovs_flows_get(const char *remote, bool stats, char **error) MUST_USE;
void ovs_flows_destroy(struct ovs_flows *);            /* NULL is ignored. */
/* Where the integration bridge is, unless somebody says otherwise (caller owns). */
char *ovs_default_remote(void);
/* Calls CB for each flow with this cookie, by table, then priority (highest first). FLOW is as ovs-ofctl(8) writes it: "cookie=0x..., table=8, priority=50,ip actions=...". */
void ovs_flows_for_each(const struct ovs_flows *, uint32_t cookie, void (*cb)(void *aux, const char *flow), void *aux);
/* What follows the cookie. */
const char *ovs_flow_after_cookie(const char *flow);
/* Only what it matches and does: "table=8 ip actions=...". */
void ovs_flow_put_brief(const char *flow, struct str *);

/* child.c: runs ARGV (found in PATH) with INPUT and appends what it writes, also its errors if ERRORS_TOO. False: it failed or could not be started. */
bool child_run(const char *const argv[], const char *input, size_t n_input, bool errors_too, struct str *out);

#endif

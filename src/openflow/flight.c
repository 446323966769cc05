/* flight.c - one bundle of flow-mods and its outcome (OpenFlow 1.5.1, 7.3.9).
 *
 * A bundle is open, flow-mods, commit, barrier, all sent at once, atomic and ordered. Additions replace what is there and deletions come last, so
 * no packet meets a gap. When the barrier is answered all errors have come. An error carries the XID of the message at fault, which is its
 * place in the flight. If the commit failed, nothing happened: everything goes back to pending, the flows that errors named are refused, and the next
 * flight goes without them. A switch may name only the first offender of a bundle; so that many of them do not cost a bundle each,
 * after MAX_FAILURES in a row the next flight is plain flow-mods, where each stands or falls alone (additions are still first). */
#include "openflow/flight.h"

#include <stdlib.h>

#include "base/log.h"

LOG_MODULE(ofctrl);

/* A bundle ends at the first that is reached. */
enum { MAX_FLOWS = 20000, MAX_BYTES = 4 << 20, MAX_FAILURES = 3 };

struct flight_flow {
    uint32_t offset;                   /* Of its message. */
    bool add;
    bool named;                        /* An error came for it. */
    struct of_installed before, after;
};

void
flight_destroy(struct flight *f)
{
    str_free(&f->messages);
    free(f->flows);
    f->flows = NULL;
}

void
flight_reset(struct flight *f)
{
    f->active = f->plain = f->committed = f->unnamed = false;
    f->n = f->n_named = f->n_failures = 0;
    str_clear(&f->messages);
}

static void
log_refused(const struct of_flow_key *key, bool add, uint64_t cookie, const void *actions, size_t n, const char *why)
{
    struct str s = STR_INIT;

    of_flow_format(key, cookie, actions, n, &s);
    LOG_WARN_RL("the switch refused to %s a flow: %s:%s", add ? "add" : "delete", why, str_c(&s));
    str_free(&s);
}

/* Composes the flow-mods of what is pending. */
static void
compose(struct flight *f, struct of_flows *flows, uint32_t *xid)
{
    struct of_change c;

    while (f->n < MAX_FLOWS && f->messages.len < MAX_BYTES && of_flows_take(flows, &c)) {
        size_t offset = f->messages.len;
        if (!ofm_put_change(&f->messages, *xid, f->plain ? 0 : f->bundle, &c)) {
            log_refused(&c.key, true, c.cookie, NULL, 0, "its actions do not fit into a message");
            void *match = xmemdup(c.key.match, c.key.match_len);       /* The slot may move. */
            c.key.match = match;
            of_flows_refuse(flows, &c.key, c.after.content);
            of_flows_revert(flows, &c.key, c.before);
            free(match);
            continue;
        }
        ++*xid;
        GROW(f->flows, f->cap, f->n + 1);
        f->flows[f->n++] = (struct flight_flow) { offset, c.add, false, c.before, c.after };
    }
}

bool
flight_start(struct flight *f, struct of_flows *flows, uint32_t *xid, struct str *out)
{
    REQUIRE(!f->active);
    f->n = f->n_named = 0;
    f->committed = false;
    f->plain = f->unnamed || f->n_failures >= MAX_FAILURES;
    str_clear(&f->messages);
    f->bundle = f->bundle == UINT32_MAX ? 1 : f->bundle + 1;
    if (*xid > UINT32_MAX - MAX_FLOWS - 10) {
        *xid = 1;
    }
    uint32_t open_xid = (*xid)++;
    f->first_xid = *xid;
    compose(f, flows, xid);
    if (!f->n) {
        return false;
    }
    f->commit_xid = (*xid)++;
    f->barrier_xid = (*xid)++;
    if (!f->plain) {
        ofm_put_bundle_control(out, open_xid, f->bundle, OFPBCT_OPEN_REQUEST);
    }
    str_put(out, f->messages.s, f->messages.len);
    if (!f->plain) {
        ofm_put_bundle_control(out, f->commit_xid, f->bundle, OFPBCT_COMMIT_REQUEST);
    }
    ofm_put_empty(out, OFPT_BARRIER_REQUEST, f->barrier_xid);
    f->active = true;
    return true;
}

/* The flow-mod at P tells of the flow that was refused. */
static void
name_refused(const uint8_t *p, bool add, const struct ofm_error *e)
{
    struct of_flow_key key = ofm_change_key(p);
    struct str why = STR_INIT;

    ofm_format_error(e, &why);
    uint64_t cookie;
    const void *actions;
    size_t n;
    ofm_change_content(p, &cookie, &actions, &n);
    log_refused(&key, add, cookie, actions, n, str_c(&why));
    str_free(&why);
}

bool
flight_error(struct flight *f, const struct ofm_error *e)
{
    uint32_t i = e->failed_xid - f->first_xid;

    if (!f->active) {
        return false;
    }
    if (i < f->n) {
        struct flight_flow *flow = &f->flows[i];
        if (!flow->named) {
            flow->named = true;
            f->n_named++;
            name_refused((const uint8_t *) f->messages.s + flow->offset, flow->add, e);
        }
        return true;
    }
    return e->failed_xid == f->commit_xid || e->failed_xid == f->first_xid - 1;
}

void
flight_bundle_reply(struct flight *f, const struct ofm_bundle_reply *r)
{
    if (f->active && r->bundle == f->bundle && r->type == OFPBCT_COMMIT_REPLY) {
        f->committed = true;
    }
}

bool
flight_finish(struct flight *f, struct of_flows *flows)
{
    bool all = !f->plain && !f->committed;     /* Nothing happened of it. */

    REQUIRE(f->active);
    f->active = false;
    for (size_t i = 0; (all || f->n_named) && i < f->n; i++) {
        const struct flight_flow *flow = &f->flows[i];
        struct of_flow_key key = ofm_change_key((const uint8_t *) f->messages.s + flow->offset);
        if (flow->named && flow->add) {
            of_flows_refuse(flows, &key, flow->after.content);
        }
        /* A deletion that the switch refuses is forgotten: there is no better second attempt. */
        if (flow->named ? flow->add : all) {
            of_flows_revert(flows, &key, flow->before);
        }
    }
    if (!all) {
        f->n_failures = 0;
        f->unnamed = false;
        return true;
    }
    f->n_failures++;
    f->unnamed = !f->n_named;
    if (f->unnamed) {
        LOG_WARN_RL("the switch refused a bundle of %zu flow changes and named none; sending them one by one", f->n);
    }
    return false;
}

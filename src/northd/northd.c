/* northd.c - puts the parts together, and the cycle. */
#include "northd/lflow.h"

#include <malloc.h>
#include <stdlib.h>
#include "base/clock.h"
#include "base/log.h"
#include "runtime/metrics.h"

LOG_MODULE(northd);
METRIC(northd_postponed)               /* A cycle that came during a pause. */

static void
wake(void *loop)
{
    loop_wake(loop);
}

/* Nothing happened for a while (NB_Global option northd_trim_timeout): what is free goes back to the system. */
static void
trim(void *aux UNUSED)
{
    malloc_trim(0);
}

struct northd *
northd_create(struct loop *loop, struct ovsdb *nb, struct ovsdb *sb)
{
    struct northd *n = XNEW(struct northd);
    n->loop = loop;
    n->nb = nb;
    n->sb = sb;
    n->incr = incr_create();
    n->n_threads = 1;
    n->trim = loop_timer_create(loop, trim, NULL);
    n->backoff = loop_timer_create(loop, wake, loop);
    n->sb_out = outbox_create(loop, sb, n->incr, true);
    n->nb_out = outbox_create(loop, nb, n->incr, false);
    outbox_on_wake(n->sb_out, wake, loop);
    outbox_on_wake(n->nb_out, wake, loop);

    global_create(n);
    static_rows_create(n);
    switch_create(n);
    port_create(n);
    lflow_create(n);

    global_create_classes(n);
    static_rows_create_classes(n);
    switch_create_config_classes(n);
    port_create_classes(n);            /* Says which switches have unknown ports, which the switch reads. */
    switch_create_classes(n);
    lflow_create_classes(n);           /* Over the sets that all of them say. */
    return n;
}

void
northd_destroy(struct northd *n)
{
    if (n) {
        incr_destroy(n->incr);
        outbox_destroy(n->sb_out);
        outbox_destroy(n->nb_out);
        lflow_destroy(n);
        port_destroy(n);
        switch_destroy(n);
        global_destroy(n);
        loop_timer_destroy(n->trim);
        loop_timer_destroy(n->backoff);
        free(n);
    }
}

/* Runs the units, unless the last run was a moment ago and the CMS wants changes to be collected (northd-backoff-interval-ms): the pause is as
 * long as that run took, up to the option. False: later. */
static bool
compute(struct northd *n)
{
    int64_t start = clock_msec(), longest = global_backoff(n);

    if (incr_is_dirty(n->incr) && longest && start < n->not_before) {
        METRIC_INC(northd_postponed);
        loop_timer_set(n->backoff, n->not_before - start);
        return false;
    }
    if (incr_run(n->incr)) {
        int64_t end = clock_msec();
        n->not_before = end + MIN(end - start, longest);
        loop_timer_set(n->trim, global_trim_timeout(n));
    }
    return true;
}

void
northd_cycle(struct northd *n)
{
    if (ovsdb_is_ready(n->nb)) {
        global_configure(n);
    }
    if (!ovsdb_is_ready(n->nb) || !ovsdb_is_ready(n->sb) || !ovsdb_has_lock(n->sb)) {
        global_standby(n);
        return;
    }
    outbox_follow_schema(n->sb_out);
    outbox_follow_schema(n->nb_out);
    if (!compute(n)) {
        return;
    }
    global_cycle(n);
    outbox_flush(n->sb_out);
    global_cycle(n);                   /* If there was nothing to write, the CMS is told in this very cycle. */
    outbox_flush(n->nb_out);
    port_sweep(n);
}

/* northd.c - puts the parts together, and the cycle. */
#include "northd/lflow.h"

#include <malloc.h>
#include <stdlib.h>
#include "base/clock.h"
#include "base/log.h"
#include "runtime/metrics.h"

LOG_MODULE(northd);

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
    n->trim = loop_timer_create(loop, trim, NULL);
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
        free(n);
    }
}

void
northd_cycle(struct northd *n)
{
    if (ovsdb_is_ready(n->nb)) {
        global_set_probes(n);
    }
    if (!ovsdb_is_ready(n->nb) || !ovsdb_is_ready(n->sb) || !ovsdb_has_lock(n->sb)) {
        global_standby(n);
        return;
    }
    outbox_follow_schema(n->sb_out);
    outbox_follow_schema(n->nb_out);
    if (incr_run(n->incr)) {
        loop_timer_set(n->trim, global_trim_timeout(n));
    }
    global_cycle(n);
    outbox_flush(n->sb_out);
    global_cycle(n);                   /* If there was nothing to write, the CMS is told in this very cycle. */
    outbox_flush(n->nb_out);
    port_sweep(n);
}

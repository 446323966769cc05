/* metrics.h - counters, memory figures and stopwatches, shown by coverage/show, memory/show and
 * stopwatch/show of every daemon. */
#ifndef RUNTIME_METRICS_H
#define RUNTIME_METRICS_H 1

#include "base/str.h"
#include "runtime/loop.h"

struct metric {
    const char *name;
    uint64_t n;
    struct metric *next;
};
void metric_register(struct metric *);
/* Declares a counter: METRIC(flow_add); ... METRIC_INC(flow_add). */
#define METRIC(NAME) \
    static struct metric metric_##NAME = { .name = #NAME }; \
    static __attribute__((constructor)) void metric_##NAME##_register(void) \
    { \
        metric_register(&metric_##NAME); \
    }
#define METRIC_INC(NAME) METRIC_ADD(NAME, 1)
/* Counters are shown while another thread counts: each belongs to the thread that increments it (two would lose a few). */
#define METRIC_ADD(NAME, N) metric_add(&metric_##NAME, (N))
static inline uint64_t
metric_read(const struct metric *m)
{
    return __atomic_load_n(&m->n, __ATOMIC_RELAXED);
}
static inline void
metric_add(struct metric *m, uint64_t n)
{
    __atomic_store_n(&m->n, metric_read(m) + n, __ATOMIC_RELAXED);
}

/* Adds "name:value" pairs to memory/show (e.g. "rows:1234"). */
void metrics_register_memory(void (*report)(struct str *, void *aux), void *aux);

struct stopwatch;
struct stopwatch *stopwatch_create(const char *name);  /* Lives as long as the process. */
void stopwatch_start(struct stopwatch *);
void stopwatch_stop(struct stopwatch *);

/* Registers coverage/show, coverage/read-counter, memory/show, stopwatch/show, stopwatch/reset. */
void metrics_init(void);
/* From now on coverage/show knows rates. Done by daemon_start(). */
void metrics_start_rates(struct loop *);

#endif

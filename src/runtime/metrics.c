/* metrics.c - counters, memory figures, stopwatches, and the commands that show them.
 *
 * Counters belong to one thread each, and are read by the main one.
 * The rates in coverage/show come from remembered totals, one every 5 seconds and one a minute, by
 * a timer of the daemon's loop: the average over a window is the growth since its beginning. */
#include "runtime/metrics.h"

#include <malloc.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/hash.h"
#include "base/list.h"
#include "runtime/unixctl.h"

/* --- Counters. --- */

static struct metric *metrics;         /* Filled by constructors. */
static size_t n_metrics;

void
metric_register(struct metric *m)
{
    m->next = metrics;
    metrics = m;
    n_metrics++;
}

static int
compare_metrics(const void *a_, const void *b_)
{
    const struct metric *const *a = a_, *const *b = b_;
    return strcmp((*a)->name, (*b)->name);
}

/* Rates: for each counter, its total at the beginning of each of the last 60 slots of 5 s, 60 s. */
enum { N_SLOTS = 12, N_MINUTES = 60, SLOT_MSEC = 5000 };
struct history {
    uint64_t slots[N_SLOTS + 1];       /* [i]: the total i slots ago. */
    uint64_t minutes[N_MINUTES + 1];
};
static struct history *histories;      /* In the order of `metrics`. */

static void
shift(uint64_t *a, size_t n, uint64_t now)
{
    memmove(a + 1, a, (n - 1) * sizeof *a);
    a[0] = now;
}

static void
on_tick(void *timer_)
{
    struct loop_timer *const *timer = timer_;
    static unsigned n_ticks;
    bool minute = n_ticks++ % (60000 / SLOT_MSEC) == 0;
    size_t i = 0;

    for (const struct metric *m = metrics; m; m = m->next, i++) {
        shift(histories[i].slots, N_SLOTS + 1, metric_read(m));
        if (minute) {
            shift(histories[i].minutes, N_MINUTES + 1, metric_read(m));
        }
    }
    loop_timer_set(*timer, SLOT_MSEC);
}

static void
coverage_show(struct unixctl_conn *conn, int argc, const char *argv[], void *aux)
{
    struct metric **sorted = xcalloc(n_metrics, sizeof *sorted);
    struct str s = STR_INIT;
    size_t i = 0, never = 0;
    uint32_t hash = 0;

    for (struct metric *m = metrics; m; m = m->next) {
        sorted[i++] = m;
    }
    struct metric **order = xmemdup(sorted, n_metrics * sizeof *sorted);
    qsort(sorted, n_metrics, sizeof *sorted, compare_metrics);
    for (i = 0; i < n_metrics; i++) {
        if (metric_read(sorted[i])) {
            hash = hash_string(sorted[i]->name, hash);
        }
    }
    str_printf(&s, "Event coverage, avg rate over last: 5 seconds, last minute, last hour,  "
               "hash=%08x:\n", hash);
    for (i = 0; i < n_metrics; i++) {
        const struct metric *m = sorted[i];
        if (!metric_read(m)) {
            never++;
            continue;
        }
        size_t at = 0;
        while (order[at] != m) {
            at++;
        }
        static const struct history none;
        const struct history *h = histories ? &histories[at] : &none;
        str_printf(&s, "%-24s %5.1f/sec %9.3f/sec %13.4f/sec   total: %llu\n", m->name,
                   (h->slots[0] - h->slots[1]) / 5.0, (h->slots[0] - h->slots[N_SLOTS]) / 60.0,
                   (h->minutes[0] - h->minutes[N_MINUTES]) / 3600.0, (unsigned long long) metric_read(m));
    }
    str_printf(&s, "%zu events never hit\n", never);
    unixctl_reply(conn, s.s);
    str_free(&s);
    free(sorted);
    free(order);
}

static void
coverage_read_counter(struct unixctl_conn *conn, int argc, const char *argv[], void *aux)
{
    for (const struct metric *m = metrics; m; m = m->next) {
        if (str_eq(m->name, argv[1])) {
            char *text = xasprintf("%llu\n", (unsigned long long) metric_read(m));
            unixctl_reply(conn, text);
            free(text);
            return;
        }
    }
    unixctl_error(conn, "No such counter");
}

/* --- Memory. --- */

struct reporter {
    struct list node;
    void (*report)(struct str *, void *aux);
    void *aux;
};
static struct list reporters = { &reporters, &reporters };

void
metrics_register_memory(void (*report)(struct str *, void *aux), void *aux)
{
    struct reporter *r = XNEW(struct reporter);

    r->report = report;
    r->aux = aux;
    list_push_back(&reporters, &r->node);
}

static void
memory_show(struct unixctl_conn *conn, int argc, const char *argv[], void *aux)
{
    struct str s = STR_INIT;
    struct mallinfo2 mi = mallinfo2();
    unsigned long resident = 0;
    FILE *f = fopen("/proc/self/statm", "r");

    if (f) {
        if (fscanf(f, "%*u %lu", &resident) != 1) {
            resident = 0;
        }
        fclose(f);
    }
    LIST_FOR_EACH (r, struct reporter, node, &reporters) {
        r->report(&s, r->aux);
        if (s.len && s.s[s.len - 1] != ' ') {
            str_putc(&s, ' ');
        }
    }
    str_printf(&s, "heap-KB:%zu rss-KB:%lu", (mi.uordblks + mi.hblkhd) / 1024,
               resident * (sysconf(_SC_PAGESIZE) / 1024));
    unixctl_reply(conn, s.s);
    str_free(&s);
}

/* --- Stopwatches. --- */

enum { N_SAMPLES = 1024 };
/* Averages follow the field's stopwatches: exponentially weighted, the new one counting 0.5 (short
 * term) and 0.01 (long term). The 95th percentile is of the last N_SAMPLES. */
struct stopwatch {
    struct list node;
    char *name;
    int64_t began;             /* -1: not running. */
    uint64_t n;
    double max, min, average, average_short;           /* Milliseconds. */
    double samples[N_SAMPLES];                         /* A ring. */
};
static struct list stopwatches = { &stopwatches, &stopwatches };

static void
reset_stopwatch(struct stopwatch *sw)
{
    sw->n = 0;
    sw->max = sw->min = sw->average = sw->average_short = 0;
}

static struct stopwatch *
find_stopwatch(const char *name)
{
    LIST_FOR_EACH (sw, struct stopwatch, node, &stopwatches) {
        if (str_eq(sw->name, name)) {
            return sw;
        }
    }
    return NULL;
}

struct stopwatch *
stopwatch_create(const char *name)
{
    struct stopwatch *sw = find_stopwatch(name);

    if (!sw) {
        sw = XNEW(struct stopwatch);
        sw->name = xstrdup(name);
        sw->began = -1;
        list_push_back(&stopwatches, &sw->node);
    }
    return sw;
}

void
stopwatch_start(struct stopwatch *sw)
{
    sw->began = clock_usec();
}

void
stopwatch_stop(struct stopwatch *sw)
{
    if (sw->began < 0) {
        return;
    }
    double ms = (clock_usec() - sw->began) / 1000.0;
    sw->began = -1;
    sw->samples[sw->n % N_SAMPLES] = ms;
    if (!sw->n++) {
        sw->min = sw->max = sw->average = sw->average_short = ms;
        return;
    }
    sw->min = MIN(sw->min, ms);
    sw->max = MAX(sw->max, ms);
    sw->average = 0.99 * sw->average + 0.01 * ms;
    sw->average_short = 0.5 * sw->average_short + 0.5 * ms;
}

static int
compare_doubles(const void *a_, const void *b_)
{
    double a = *(const double *) a_, b = *(const double *) b_;
    return a < b ? -1 : a > b;
}

static double
percentile_95(const struct stopwatch *sw)
{
    size_t n = MIN(sw->n, (uint64_t) N_SAMPLES);
    if (!n) {
        return 0;
    }
    double *sorted = xmemdup(sw->samples, n * sizeof *sorted);
    qsort(sorted, n, sizeof *sorted, compare_doubles);
    double p = sorted[(size_t) ceil(n * 0.95) - 1];
    free(sorted);
    return p;
}

static void
put_stopwatch(const struct stopwatch *sw, bool as_table, struct str *s)
{
    if (as_table) {
        str_printf(s, "%-32s %12llu %10.0f %10.0f %14.6f %14.6f %14.6f\n", sw->name, (unsigned long long) sw->n, sw->max, sw->min,
                   percentile_95(sw), sw->average_short, sw->average);
        return;
    }
    str_printf(s, "Statistics for '%s'\n", sw->name);
    str_printf(s, "  Total samples: %llu\n", (unsigned long long) sw->n);
    str_printf(s, "  Maximum: %.0f msec\n  Minimum: %.0f msec\n", sw->max, sw->min);
    str_printf(s, "  95th percentile: %.6f msec\n", percentile_95(sw));
    str_printf(s, "  Short term average: %.6f msec\n", sw->average_short);
    str_printf(s, "  Long term average: %.6f msec\n", sw->average);
}

/* [-t] [NAME]: -t for a table, a line each, times in milliseconds. */
static void
stopwatch_show(struct unixctl_conn *conn, int argc, const char *argv[], void *aux)
{
    struct str s = STR_INIT;
    bool as_table = argc > 1 && str_eq(argv[1], "-t");
    const char *name = argc > 1 + as_table ? argv[1 + as_table] : NULL;
    bool found = !name;

    if (argc > 2 + as_table) {
        unixctl_error(conn, "at most one stopwatch can be named");
        return;
    }
    if (as_table) {
        str_printf(&s, "%-32s %12s %10s %10s %14s %14s %14s\n", "name (ms)", "samples", "max", "min", "95th pct", "short avg", "long avg");
    }
    LIST_FOR_EACH (sw, struct stopwatch, node, &stopwatches) {
        if (!name || str_eq(sw->name, name)) {
            found = true;
            put_stopwatch(sw, as_table, &s);
        }
    }
    if (found) {
        unixctl_reply(conn, str_c(&s));
    } else {
        unixctl_error(conn, "No such stopwatch");
    }
    str_free(&s);
}

static void
stopwatch_reset(struct unixctl_conn *conn, int argc, const char *argv[], void *aux)
{
    if (argc > 1 && !find_stopwatch(argv[1])) {
        unixctl_error(conn, "No such stopwatch");
        return;
    }
    LIST_FOR_EACH (sw, struct stopwatch, node, &stopwatches) {
        if (argc == 1 || str_eq(sw->name, argv[1])) {
            reset_stopwatch(sw);
        }
    }
    unixctl_reply(conn, NULL);
}

void
metrics_start_rates(struct loop *loop)
{
    static struct loop_timer *timer;

    histories = xcalloc(n_metrics, sizeof *histories);
    timer = loop_timer_create(loop, on_tick, &timer);
    on_tick(&timer);
}

void
metrics_init(void)
{
    unixctl_register("coverage/show", "", 0, 0, coverage_show, NULL);
    unixctl_register("coverage/read-counter", "COUNTER", 1, 1, coverage_read_counter, NULL);
    unixctl_register("memory/show", "", 0, 0, memory_show, NULL);
    unixctl_register("stopwatch/show", "[-t] [NAME]", 0, 2, stopwatch_show, NULL);
    unixctl_register("stopwatch/reset", "[NAME]", 0, 1, stopwatch_reset, NULL);
}

#include "base/clock.h"

#include <time.h>

static int64_t
usec(clockid_t id)
{
    struct timespec ts;

    clock_gettime(id, &ts);
    return ts.tv_sec * INT64_C(1000000) + ts.tv_nsec / 1000;
}

static int64_t warped, stopped_at;      /* Atomic: any thread reads them. 0: not stopped. */

int64_t
clock_msec(void)
{
    int64_t at = __atomic_load_n(&stopped_at, __ATOMIC_RELAXED);

    return (at ? at : usec(CLOCK_MONOTONIC) / 1000) + __atomic_load_n(&warped, __ATOMIC_RELAXED);
}

void
clock_stop(void)
{
    if (!__atomic_load_n(&stopped_at, __ATOMIC_RELAXED)) {
        __atomic_store_n(&stopped_at, usec(CLOCK_MONOTONIC) / 1000, __ATOMIC_RELAXED);
    }
}

void
clock_warp(int64_t msec)
{
    __atomic_add_fetch(&warped, msec, __ATOMIC_RELAXED);
}

int64_t
clock_usec(void)
{
    return usec(CLOCK_MONOTONIC);
}

int64_t
clock_wall_msec(void)
{
    return usec(CLOCK_REALTIME) / 1000;
}

int64_t
clock_cpu_usec(void)
{
    return usec(CLOCK_PROCESS_CPUTIME_ID);
}

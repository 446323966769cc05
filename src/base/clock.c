#include "base/clock.h"

#include <time.h>

static int64_t
usec(clockid_t id)
{
    struct timespec ts;

    clock_gettime(id, &ts);
    return ts.tv_sec * INT64_C(1000000) + ts.tv_nsec / 1000;
}

int64_t
clock_msec(void)
{
    return usec(CLOCK_MONOTONIC) / 1000;
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

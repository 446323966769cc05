/* clock.h - time. All in milliseconds unless named otherwise. */
#ifndef BASE_CLOCK_H
#define BASE_CLOCK_H 1

#include <stdint.h>

int64_t clock_msec(void);          /* Monotonic. */
/* For tests of daemons (time/stop, time/warp): clock_msec() stands still from now on, but for what it is warped by; timers follow (runtime/loop.h). */
void clock_stop(void);
void clock_warp(int64_t msec);
int64_t clock_usec(void);          /* Monotonic, microseconds. */
int64_t clock_wall_msec(void);     /* Since 1970-01-01 UTC. */
int64_t clock_cpu_usec(void);      /* CPU time of this process, microseconds. */

#endif

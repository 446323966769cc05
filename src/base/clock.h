/* clock.h - time. All in milliseconds unless named otherwise. */
#ifndef BASE_CLOCK_H
#define BASE_CLOCK_H 1

#include <stdint.h>

int64_t clock_msec(void);          /* Monotonic. */
int64_t clock_usec(void);          /* Monotonic, microseconds. */
int64_t clock_wall_msec(void);     /* Since 1970-01-01 UTC. */
int64_t clock_cpu_usec(void);      /* CPU time of this process, microseconds. */

#endif

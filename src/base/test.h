/* test.h - what a unit test includes: cmocka, with the headers it wants before it. */
#ifndef BASE_TEST_H
#define BASE_TEST_H 1

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <cmocka.h>

/* Seeds for a test at random: N, the same in every run. OVN_SEED=S begins with another than 1, and OVN_SECONDS=T goes on
 * until so much time is over (make check-long); then each is printed, so that a failure can be had again. */
struct test_seeds {
    uint64_t seed;
    unsigned left;
    time_t end;
    _Bool told;
};

static inline struct test_seeds
test_seeds(unsigned n)
{
    const char *seed = getenv("OVN_SEED"), *seconds = getenv("OVN_SECONDS");

    return (struct test_seeds) { seed ? strtoull(seed, NULL, 10) : 1, n, seconds ? time(NULL) + atol(seconds) : 0, seed || seconds };
}

/* The next seed, or false: enough. */
static inline _Bool
test_seeds_next(struct test_seeds *t, uint64_t *seed)
{
    if (!t->left && time(NULL) >= t->end) {
        return 0;
    }
    t->left -= t->left > 0;
    *seed = t->seed++;
    if (t->told) {
        printf("OVN_SEED=%llu\n", (unsigned long long) *seed);
        fflush(stdout);
    }
    return 1;
}

#endif

/* unixctl_time.c - debug/enable-timewarp: tests of a daemon need not wait for what happens after a time.
 *
 * It makes two commands known: time/stop, after which the daemon's clock stands still, and time/warp, which moves it on. Timers of the main loop follow;
 * time stamps in rows and in the log, and how long things took, remain those of the system. There is no way back but a restart. */
#include <stdlib.h>

#include "base/clock.h"
#include "runtime/unixctl.h"
#include "runtime/unixctl_private.h"

static void
time_stop(struct unixctl_conn *conn, int argc, const char *argv[], void *loop)
{
    clock_stop();
    loop_follow_clock(loop);
    unixctl_reply(conn, NULL);
}

/* [LARGE_MSECS] MSECS: the sum that is to pass, in steps; we need none, as timers fire in their order. */
static void
time_warp(struct unixctl_conn *conn, int argc, const char *argv[], void *loop)
{
    int64_t total, step;

    if (!str_to_int(argv[1], 1, INT32_MAX, &total) || !str_to_int(argv[argc - 1], 1, INT32_MAX, &step)) {
        unixctl_error(conn, "invalid MSECS");
        return;
    }
    clock_stop();
    clock_warp(total);
    loop_follow_clock(loop);
    unixctl_reply(conn, "warped");
}

static void
enable(struct unixctl_conn *conn, int argc, const char *argv[], void *loop)
{
    unixctl_register("time/stop", "", 0, 0, time_stop, loop);
    unixctl_register("time/warp", "[LARGE_MSECS] MSECS", 1, 2, time_warp, loop);
    unixctl_reply(conn, NULL);
}

void
unixctl_register_time(struct loop *loop)
{
    unixctl_register("debug/enable-timewarp", "", 0, 0, enable, loop);
}

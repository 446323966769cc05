/* unixctl_log.c - the commands of logging, as ovs-appctl(8) documents them. */
#include <limits.h>
#include <stdlib.h>

#include "base/log.h"
#include "runtime/unixctl.h"
#include "runtime/unixctl_private.h"

static void
vlog_list(struct unixctl_conn *conn, int argc, const char *argv[], void *aux)
{
    struct str s = STR_INIT;

    log_list(&s);
    unixctl_reply(conn, s.s);
    str_free(&s);
}

static void
vlog_list_pattern(struct unixctl_conn *conn, int argc, const char *argv[], void *aux)
{
    struct str s = STR_INIT;

    log_list_pattern(&s);
    unixctl_reply(conn, s.s);
    str_free(&s);
}

static void
vlog_set(struct unixctl_conn *conn, int argc, const char *argv[], void *aux)
{
    char *error = argc == 1 ? log_set("") : NULL;

    for (int i = 1; i < argc && !error; i++) {
        error = log_set(argv[i]);
    }
    if (error) {
        unixctl_error(conn, error);
        free(error);
    } else {
        unixctl_reply(conn, NULL);
    }
}

static void
vlog_reopen(struct unixctl_conn *conn, int argc, const char *argv[], void *aux)
{
    char *error = log_reopen();

    if (error) {
        unixctl_error(conn, error);
        free(error);
    } else {
        unixctl_reply(conn, NULL);
    }
}

static void
vlog_close(struct unixctl_conn *conn, int argc, const char *argv[], void *aux)
{
    log_close();
    unixctl_reply(conn, NULL);
}

/* Both of vlog/enable-rate-limit and vlog/disable-rate-limit; all modules, or those named. */
static void
vlog_rate_limit(struct unixctl_conn *conn, int argc, const char *argv[], void *aux)
{
    bool enable = str_eq(argv[0], "vlog/enable-rate-limit");

    for (int i = 1; i < argc; i++) {
        if (!str_eq(argv[i], "any") && !log_has_module(argv[i])) {
            unixctl_error(conn, "unknown module");
            return;
        }
    }
    if (argc == 1) {
        log_set_rate_limits("any", enable);
    }
    for (int i = 1; i < argc; i++) {
        log_set_rate_limits(argv[i], enable);
    }
    unixctl_reply(conn, NULL);
}

void
unixctl_register_log(void)
{
    unixctl_register("vlog/list", "", 0, 0, vlog_list, NULL);
    unixctl_register("vlog/list-pattern", "", 0, 0, vlog_list_pattern, NULL);
    unixctl_register("vlog/set", "{spec | PATTERN:destination:pattern}", 0, INT_MAX, vlog_set, NULL);
    unixctl_register("vlog/reopen", "", 0, 0, vlog_reopen, NULL);
    unixctl_register("vlog/close", "", 0, 0, vlog_close, NULL);
    unixctl_register("vlog/enable-rate-limit", "[module]...", 0, INT_MAX, vlog_rate_limit, NULL);
    unixctl_register("vlog/disable-rate-limit", "[module]...", 0, INT_MAX, vlog_rate_limit, NULL);
}

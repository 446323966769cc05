/* A daemon for daemon_test.c: all the options, and commands to misbehave. */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/log.h"
#include "runtime/daemon.h"
#include "runtime/metrics.h"
#include "runtime/unixctl.h"

LOG_MODULE(test_daemon);
METRIC(test_event)

static void
crash(struct unixctl_conn *conn, int argc, const char *argv[], void *aux)
{
    signal(SIGSEGV, SIG_DFL);
    raise(SIGSEGV);
}

static void
print_cwd(struct unixctl_conn *conn, int argc, const char *argv[], void *aux)
{
    char *cwd = getcwd(NULL, 0);

    LOG_WARN("warned");
    puts("to stdout");
    fflush(stdout);
    METRIC_INC(test_event);
    unixctl_reply(conn, cwd);
    free(cwd);
}

int
main(int argc, char *argv[])
{
    enum { OPT_FAIL = 2000, OPT_DIE };
    static const struct option long_options[] = {
        { "fail", no_argument, NULL, OPT_FAIL }, { "die", no_argument, NULL, OPT_DIE },
        { "version", no_argument, NULL, 'V' },   DAEMON_LONG_OPTIONS, LOG_LONG_OPTIONS,
        TLS_LONG_OPTIONS,                        { NULL, 0, NULL, 0 },
    };
    bool fail = false, die = false;
    int opt;

    program_set_name(argv[0]);
    while ((opt = getopt_long(argc, argv, "v::Vp:c:C:", long_options, NULL)) != -1) {
        if (opt == OPT_FAIL) {
            fail = true;
        } else if (opt == OPT_DIE) {
            die = true;
        } else if (!daemon_option(opt, optarg)) {
            return EXIT_FAILURE;
        }
    }
    struct loop *loop = loop_create();
    daemon_start(loop);
    unixctl_register("test/crash", "", 0, 0, crash, NULL);
    unixctl_register("test/cwd", "", 0, 0, print_cwd, NULL);
    if (fail) {
        daemon_fatal("cannot start: as asked");
    }
    if (die) {
        signal(SIGSEGV, SIG_DFL);
        raise(SIGSEGV);
    }
    daemon_complete();
    daemon_run(loop);
    loop_destroy(loop);
    return EXIT_SUCCESS;
}

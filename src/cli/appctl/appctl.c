/* ovn-appctl - sends one command to a running daemon and prints its answer; ovn-appctl(8).
 *
 * Exit status: 0 the command succeeded, 1 the daemon could not be asked, 2 it answered an error. */
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/log.h"
#include "runtime/daemon.h"
#include "runtime/unixctl.h"

static noreturn void
usage(void)
{
    printf("%s, for querying and controlling OVN daemons\n"
           "usage: %s [-t TARGET] COMMAND [ARG...]\n"
           "\nOptions:\n"
           "  -t, --target=TARGET  a daemon's name, or the path of its control socket\n"
           "                       (default: ovn-controller)\n"
           "  -T, --timeout=SECS   wait at most so many seconds for the answer\n"
           "  -vSPEC, --verbose=SPEC, --log-file[=FILE], --syslog-method=METHOD,\n"
           "  --syslog-target=IP:PORT  logging of %s itself\n"
           "  -h, --help           this text\n"
           "  -V, --version        the version of %s itself\n"
           "\nCommands that every daemon knows:\n"
           "  list-commands        all commands of the daemon\n"
           "  version              the version of the daemon\n"
           "  vlog/list            logging levels\n"
           "  vlog/list-pattern    logging patterns\n"
           "  vlog/set [SPEC]      set them: [MODULE] [console|syslog|file] [off|emer|err|warn|info|dbg],\n"
           "                       or PATTERN:DESTINATION:PATTERN\n"
           "  vlog/reopen          open the log file again, after it was renamed\n",
           program_name(), program_name(), program_name(), program_name());
    exit(EXIT_SUCCESS);
}

static void
set_timeout(const char *text, const char *from)
{
    int64_t seconds;

    if (!str_to_int(text, 0, INT32_MAX, &seconds)) {
        fprintf(stderr, "%s: value %s on %s is invalid\n", program_name(), text, from);
        exit(EXIT_FAILURE);
    }
    alarm(seconds);            /* Documented: the process ends by SIGALRM. */
}

int
main(int argc, char *argv[])
{
    static const struct option long_options[] = {
        { "target", required_argument, NULL, 't' }, { "timeout", required_argument, NULL, 'T' },
        { "help", no_argument, NULL, 'h' },         { "version", no_argument, NULL, 'V' },
        LOG_LONG_OPTIONS,                           { NULL, 0, NULL, 0 },
    };
    const char *target = "ovn-controller";
    const char *timeout = getenv("OVS_CTL_TIMEOUT");
    int opt;

    program_set_name(argv[0]);
    free(log_set("console:warn"));
    if (timeout && *timeout) {
        set_timeout(timeout, "OVS_CTL_TIMEOUT");
    }
    while ((opt = getopt_long(argc, argv, "+t:T:hVv::", long_options, NULL)) != -1) {
        switch (opt) {
        case 't':
            target = optarg;
            break;
        case 'T':
            set_timeout(optarg, "-T or --timeout");
            break;
        case 'h':
            usage();
        default:
            if (!daemon_option(opt, optarg)) {
                exit(EXIT_FAILURE);
            }
        }
    }
    if (optind >= argc) {
        fprintf(stderr, "%s: at least one non-option argument is required (use --help for help)\n",
                program_name());
        exit(EXIT_FAILURE);
    }

    char *result, *remote_error;
    char *error = unixctl_call(target, argv[optind], argc - optind - 1,
                               (const char *const *) &argv[optind + 1], 0, &result, &remote_error, NULL);
    int status = error ? 1 : remote_error ? 2 : 0;
    if (error) {
        fprintf(stderr, "%s: %s\n", program_name(), error);
    } else if (remote_error) {
        fprintf(stderr, "%s%s: %s: server returned an error\n", remote_error, program_name(), target);
    } else {
        fputs(result, stdout);
        if (fflush(stdout)) {
            status = 1;
        }
    }
    free(error);
    free(result);
    free(remote_error);
    return status;
}

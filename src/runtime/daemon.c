/* daemon.c - what makes a program a daemon.
 *
 * Processes. Without --detach and --monitor there is one. With --detach the first process forks and
 * waits on a pipe until the child says that it is ready (daemon_complete), then exits 0; if the
 * pipe closes instead, it exits as the child did. With --monitor there is one process more, between
 * the two or in the first one's place: it starts the daemon, and again when a signal that
 * means a bug killed it, at most once in RESTART_MSEC. All of them but the last, the daemon, do nothing
 * else, so each is a function here that never returns in the process that waits.
 *
 * The daemon writes the pidfile and opens the control socket (both named by its own pid), hears
 * signals through the loop, and removes both when it ends, however it does so short of a crash. */
#include "runtime/daemon.h"

#include <errno.h>
#include <event2/event.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "runtime/metrics.h"
#include "runtime/notify.h"
#include "runtime/pidfile.h"
#include "runtime/privileges.h"
#include "runtime/tls.h"
#include "runtime/unixctl.h"

LOG_MODULE(daemon);

enum { RESTART_MSEC = 10000 };

static struct {
    bool detach, no_chdir, monitor, overwrite_pidfile;
    char *pidfile;             /* NULL: none. */
    const char *unixctl;
    const char *user;
} options;
static struct tls_options tls;

static int ready_fd = -1;      /* Where the waiting process hears that we are ready. */
static pid_t daemon_pid;       /* The process that daemon_start() returned in. */
static volatile sig_atomic_t monitored_pid;
static struct event *signals[3];

/* --- Options. --- */

static noreturn void
usage_error(const char *what, const char *arg, char *error)
{
    fprintf(stderr, "%s: %s \"%s\": %s\n", program_name(), what, arg, error);
    exit(EXIT_FAILURE);
}

static bool
log_option(int opt, const char *arg)
{
    char *error = NULL;

    switch (opt) {
    case 'v':
        error = log_set(arg ? arg : "");
        if (error) {
            usage_error("processing", arg, error);
        }
        return true;
    case 1010:
        error = log_open_file(arg);
        if (error) {
            daemon_fatal("%s", error);
        }
        return true;
    case 1011:
    case 1012:
        error = log_set_syslog(arg);
        if (error) {
            usage_error(opt == 1011 ? "syslog target" : "syslog method", arg, error);
        }
        return true;
    default:
        return false;
    }
}

/* What can be told to be wrong before a connection is made. */
static void
check_tls_options(const char *arg)
{
    int min, max;
    bool old;

    if (tls.ca_cert && tls.bootstrap_ca_cert) {
        usage_error("CA certificate", arg, xstrdup("--ca-cert and --bootstrap-ca-cert exclude each other"));
    }
    char *error = tls.protocols ? tls_parse_protocols(tls.protocols, &min, &max, &old) : NULL;
    if (error) {
        usage_error("--ssl-protocols", tls.protocols, error);
    }
}

static bool
tls_option(int opt, const char *arg)
{
    const struct {
        int opt;
        const char **value;
    } table[] = {
        { 'p', &tls.private_key }, { 'c', &tls.certificate }, { 'C', &tls.ca_cert },
        { 1020, &tls.bootstrap_ca_cert }, { 1021, &tls.protocols }, { 1022, &tls.ciphers },
        { 1023, &tls.ciphersuites }, { 1024, &tls.server_name },
    };

    for (size_t i = 0; i < ARRAY_SIZE(table); i++) {
        if (table[i].opt == opt) {
            /* Files are opened again and again, a daemon in another directory by then. */
            bool is_file = opt == 'p' || opt == 'c' || (opt == 'C' && !str_eq(arg, "none")) || opt == 1020;
            *table[i].value = is_file ? dir_absolute(arg) : arg;
            check_tls_options(arg);
            return true;
        }
    }
    return false;
}

const struct tls_options *
daemon_tls_options(void)
{
    return &tls;
}

bool
daemon_detaching(void)
{
    return options.detach;
}

static void
set_pidfile(const char *arg)
{
    free(options.pidfile);
    options.pidfile = !arg            ? xasprintf("%s/%s.pid", dir_run(), program_name())
                      : arg[0] == '/' ? xstrdup(arg)
                                      : xasprintf("%s/%s", dir_run(), arg);
}

bool
daemon_option(int opt, const char *arg)
{
    switch (opt) {
    case 1000:
        options.detach = true;
        return true;
    case 1001:
        options.no_chdir = true;
        return true;
    case 1002:
        set_pidfile(arg);
        return true;
    case 1003:
        options.overwrite_pidfile = true;
        return true;
    case 1004:
        options.monitor = true;
        return true;
    case 1005:
        options.unixctl = arg;
        return true;
    case 1006:
        return true;           /* We do not confine ourselves in the first place. */
    case 1007:
        options.user = arg;
        return true;
    case 'V':
        print_version();
        exit(EXIT_SUCCESS);
    default:
        return log_option(opt, arg) || tls_option(opt, arg);
    }
}

void
daemon_usage(struct str *s)
{
    str_printf(s, "\nDaemon options:\n"
               "  --detach                run in the background\n"
               "  --monitor               start again after a crash\n"
               "  --user=USER[:GROUP]     run as another user and group\n"
               "  --no-chdir              with --detach, stay in this directory\n"
               "  --pidfile[=FILE]        write the process id (default: %s/%s.pid)\n"
               "  --overwrite-pidfile     with --pidfile, start even if already running\n"
               "  --unixctl=SOCKET        name of the control socket, or none\n"
               "  --no-self-confinement   accepted and without effect\n"
               "\nLogging options:\n"
               "  -vSPEC, --verbose=SPEC  set logging levels\n"
               "  -v, --verbose           log everything\n"
               "  --log-file[=FILE]       log to a file (default: %s/%s.log)\n"
               "  --syslog-method=METHOD  null, libc, unix:FILE or udp:IP:PORT\n"
               "  --syslog-target=IP:PORT also send syslog messages there, by UDP\n"
               "\nTLS options:\n"
               "  -p, --private-key=FILE  our private key\n"
               "  -c, --certificate=FILE  our certificate\n"
               "  -C, --ca-cert=FILE      certificate of the peers' authority (none: peers are not verified)\n"
               "  --bootstrap-ca-cert=FILE  the same, fetched from the peer where missing\n"
               "  --ssl-protocols=LIST    protocols, such as TLSv1.2,TLSv1.3 or TLSv1.2+ (the default)\n"
               "  --ssl-ciphers=LIST, --ssl-ciphersuites=LIST  ciphers of TLSv1.2, of TLSv1.3\n"
               "  --ssl-server-name=NAME  name to ask the server for (default: the host's)\n"
               "\nOther options:\n"
               "  -h, --help              print this text\n"
               "  -V, --version           print the version\n",
               dir_run(), program_name(), dir_log(), program_name());
}

void
print_version(void)
{
    printf("%s %s\n", program_name(), ovn_version());
}

void
daemon_fatal(const char *fmt, ...)
{
    struct str s = STR_INIT;
    va_list args;

    va_start(args, fmt);
    str_vprintf(&s, fmt, args);
    va_end(args);
    /* Once on stderr, not as a log line beside it. */
    free(log_set("console:off"));
    log_write(&this_module, LOG_EMER_, NULL, "%s", str_c(&s));
    fprintf(stderr, "%s: %s\n", program_name(), str_c(&s));
    exit(EXIT_FAILURE);
}

/* --- Processes. --- */

static void
close_ready_fd(bool ready)
{
    if (ready_fd >= 0) {
        if (ready && write(ready_fd, "", 1) != 1) {
            LOG_WARN("the process that started us is gone");
        }
        close(ready_fd);
        ready_fd = -1;
    }
}

/* Forks; in the child, daemon_complete() will tell the parent, by the pipe *FDP. */
static pid_t
fork_with_pipe(struct loop *loop, int *fdp)
{
    int fds[2];
    pid_t pid;

    fflush(NULL);
    if (pipe2(fds, O_CLOEXEC) || (pid = fork()) < 0) {
        daemon_fatal("cannot start another process: %s", strerror(errno));
    }
    if (!pid) {
        close(fds[0]);
        if (ready_fd >= 0) {
            close(ready_fd);
        }
        ready_fd = fds[1];
        loop_after_fork(loop);
    } else {
        close(fds[1]);
        *fdp = fds[0];
    }
    return pid;
}

/* Waits until the child at the other end of FD is ready (true) or has failed (false). */
static bool
wait_ready(int fd)
{
    char c;
    ssize_t n;

    do {
        n = read(fd, &c, 1);
    } while (n < 0 && errno == EINTR);
    close(fd);
    return n == 1;
}

static int
wait_child(pid_t pid)
{
    int status;

    while (waitpid(pid, &status, 0) < 0) {
        if (errno != EINTR) {
            return EXIT_FAILURE << 8;
        }
    }
    return status;
}

/* Ends this process with the status of a child that ended with STATUS. FAILED: never with success. */
static noreturn void
exit_like(int status, bool failed)
{
    if (WIFSIGNALED(status)) {
        if (failed) {
            fprintf(stderr, "%s: died while starting (%s)\n", program_name(),
                    strsignal(WTERMSIG(status)));
        }
        _exit(EXIT_FAILURE);
    }
    int code = WEXITSTATUS(status);
    _exit(failed && !code ? EXIT_FAILURE : code);
}

static void
detach(struct loop *loop)
{
    int fd;
    pid_t pid = fork_with_pipe(loop, &fd);

    if (!pid) {
        setsid();
        return;
    }
    if (wait_ready(fd)) {
        _exit(EXIT_SUCCESS);
    }
    exit_like(wait_child(pid), true);
}

static bool
is_crash(int status)
{
    static const int crashes[] = { SIGABRT, SIGALRM, SIGBUS, SIGFPE, SIGILL, SIGPIPE, SIGSEGV,
                                   SIGXCPU, SIGXFSZ };

    for (size_t i = 0; i < ARRAY_SIZE(crashes); i++) {
        if (WIFSIGNALED(status) && WTERMSIG(status) == crashes[i]) {
            return true;
        }
    }
    return false;
}

static void
pass_on(int sig)
{
    if (monitored_pid) {
        kill(monitored_pid, sig);
    }
}

static void
close_stdio(void)
{
    int fd = open("/dev/null", O_RDWR);

    if (fd >= 0) {
        dup2(fd, STDIN_FILENO);
        dup2(fd, STDOUT_FILENO);
        dup2(fd, STDERR_FILENO);
        if (fd > STDERR_FILENO) {
            close(fd);
        }
    }
}

static void
go_to_background(void)
{
    if (options.detach) {
        if (!options.no_chdir && chdir("/")) {
            LOG_WARN("cannot change to /: %s", strerror(errno));
        }
        close_stdio();
    }
}

static void
monitor_signals(void (*handler)(int))
{
    static const int forwarded[] = { SIGTERM, SIGINT, SIGHUP };

    for (size_t i = 0; i < ARRAY_SIZE(forwarded); i++) {
        struct sigaction sa = { .sa_handler = handler };
        sigaction(forwarded[i], &sa, NULL);
    }
}

/* Returns in the daemon, each time it is started. */
static void
monitor(struct loop *loop)
{
    int64_t restart_at = 0;    /* Not before. */
    bool ever_ready = false;

    for (;;) {
        int fd;
        pid_t pid = fork_with_pipe(loop, &fd);
        if (!pid) {
            monitored_pid = 0;
            monitor_signals(SIG_DFL);
            log_set_subprogram("");
            return;
        }
        monitored_pid = pid;
        monitor_signals(pass_on);
        log_set_subprogram("monitor");
        bool ready = wait_ready(fd);
        if (ready && !ever_ready) {
            ever_ready = true;
            close_ready_fd(true);
            go_to_background();
        }
        int status = wait_child(pid);
        monitored_pid = 0;
        if (!ever_ready || !is_crash(status)) {
            if (ever_ready) {
                LOG_INFO("%ld ended (%s %d), so do we", (long) pid,
                         WIFSIGNALED(status) ? "signal" : "status",
                         WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status));
            }
            exit_like(status, !ever_ready);
        }
        LOG_ERR("%ld crashed (%s), starting it again", (long) pid, strsignal(WTERMSIG(status)));
        monitor_signals(SIG_DFL);
        while (clock_msec() < restart_at) {
            usleep(100000);
        }
        restart_at = clock_msec() + RESTART_MSEC;
    }
}

/* --- The daemon. --- */

static void
clean_up(void)
{
    if (getpid() == daemon_pid) {
        unixctl_close();
        pidfile_remove();
    }
}

static void
on_stop(evutil_socket_t sig, short what, void *loop)
{
    LOG_INFO("stopping (%s)", strsignal(sig));
    loop_stop(loop);
}

static void
on_hangup(evutil_socket_t sig, short what, void *aux)
{
    char *error = log_reopen();

    if (error) {
        LOG_WARN("%s", error);
        free(error);
    }
}

static void
watch_signals(struct loop *loop)
{
    signals[0] = evsignal_new(loop_base(loop), SIGTERM, on_stop, loop);
    signals[1] = evsignal_new(loop_base(loop), SIGINT, on_stop, loop);
    signals[2] = evsignal_new(loop_base(loop), SIGHUP, on_hangup, loop);
    for (size_t i = 0; i < ARRAY_SIZE(signals); i++) {
        REQUIRE(signals[i] && !event_add(signals[i], NULL));
    }
}

void
daemon_start(struct loop *loop)
{
    char *error;

    signal(SIGPIPE, SIG_IGN);
    if (options.detach) {
        free(log_set("console:off"));
    }
    if (options.user) {
        error = privileges_drop(options.user, log_file_name());
        if (error) {
            daemon_fatal("%s", error);
        }
    }
    if (options.detach) {
        detach(loop);
    }
    if (options.monitor) {
        monitor(loop);
    }
    daemon_pid = getpid();
    atexit(clean_up);
    if (options.pidfile) {
        error = pidfile_create(options.pidfile, options.overwrite_pidfile);
        if (error) {
            daemon_fatal("%s", error);
        }
    }
    if (!options.unixctl || !str_eq(options.unixctl, "none")) {
        error = unixctl_listen(loop, options.unixctl);
        if (error) {
            daemon_fatal("%s", error);
        }
    }
    metrics_init();
    metrics_start_rates(loop);
    watch_signals(loop);
    LOG_INFO("%s (Open Virtual Network) %s", program_name(), ovn_version());
}

/* Tells a service manager (Type=notify) that we serve. Its main process, the one whose end is ours, is
 * the one that it started, unless that detached: then the monitor, or else the daemon. */
static void
notify_ready(void)
{
    char *pid = options.detach ? xasprintf("\nMAINPID=%ld", (long) (options.monitor ? getppid() : getpid())) : NULL;
    char *state = xasprintf("READY=1%s", pid ? pid : "");

    notify_service_manager(state);
    free(state);
    free(pid);
}

void
daemon_complete(void)
{
    static bool done;

    if (done) {
        return;
    }
    done = true;
    notify_ready();
    /* First in the background, then ready: who waited for us finds nothing of us on its terminal. */
    go_to_background();
    close_ready_fd(true);
}

void
daemon_run(struct loop *loop)
{
    loop_run(loop);
    notify_service_manager("STOPPING=1");
    for (size_t i = 0; i < ARRAY_SIZE(signals); i++) {
        if (signals[i]) {
            event_free(signals[i]);
            signals[i] = NULL;
        }
    }
    clean_up();
}

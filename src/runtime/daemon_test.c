/* Tests of a daemon's life: starting, files, signals, crashes, others' tools. Runs test_daemon.c,
 * whose path is the argument, and commands of a shell; each test in a run directory of its own. */
#include "base/test.h"

#include <errno.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/str.h"
#include "runtime/pidfile.h"

#define NAME "runtime-test-daemon"

static const char *program;
static char base[] = "/tmp/daemon_test.XXXXXX";
static char dir[300];

/* Runs a shell command; its status, and what it printed (both streams) in OUT. */
static int
run(struct str *out, const char *fmt, ...)
{
    va_list args;
    struct str command = STR_INIT;
    char buf[4096];
    size_t n;

    va_start(args, fmt);
    str_puts(&command, "exec 2>&1; ");
    str_vprintf(&command, fmt, args);
    va_end(args);
    str_clear(out);
    FILE *f = popen(command.s, "r");
    assert_non_null(f);
    while ((n = fread(buf, 1, sizeof buf, f)) > 0) {
        str_put(out, buf, n);
    }
    int status = pclose(f);
    str_free(&command);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

static pid_t
daemon_pid(void)
{
    char *path = xasprintf("%s/" NAME ".pid", dir);
    pid_t pid = 0;

    if (pidfile_read(path, &pid)) {
        pid = 0;
    }
    free(path);
    return pid;
}

/* Waits until PID, a child of ours or not, is gone. */
static void
wait_gone(pid_t pid)
{
    for (int i = 0; i < 1000 && !kill(pid, 0); i++) {
        usleep(5000);
        waitpid(pid, NULL, WNOHANG);
    }
    assert_int_equal(kill(pid, 0), -1);
}

static bool
exists(const char *fmt, ...)
{
    struct str name = STR_INIT;
    va_list args;

    str_printf(&name, "%s/", dir);
    va_start(args, fmt);
    str_vprintf(&name, fmt, args);
    va_end(args);
    bool there = !access(name.s, F_OK);
    str_free(&name);
    return there;
}

/* Fresh run directory. */
static int
setup(void **state)
{
    static int n;

    snprintf(dir, sizeof dir, "%s/%d", base, n++);
    setenv("OVN_RUNDIR", dir, 1);
    setenv("OVS_RUNDIR", dir, 1);
    setenv("OVN_LOGDIR", dir, 1);
    setenv("OVS_LOGDIR", dir, 1);
    setenv("OVS_SYSLOG_METHOD", "null", 1);
    return mkdir(dir, 0755);
}

static void
test_detach(void **state)
{
    struct str out = STR_INIT;
    struct stat st;

    /* Silent, although it warns on its console. */
    assert_int_equal(run(&out, "%s --detach --pidfile --log-file", program), 0);
    assert_string_equal(str_c(&out), "");
    pid_t pid = daemon_pid();
    assert_true(pid > 0);
    assert_true(exists(NAME ".%d.ctl", pid));
    assert_int_equal(getsid(pid), pid);
    assert_int_equal(run(&out, "ovs-appctl -t " NAME " test/cwd"), 0);
    assert_string_equal(out.s, "/\n");
    assert_int_equal(run(&out, "ovs-appctl -t " NAME " version"), 0);
    assert_string_equal(out.s, NAME " (Open Virtual Network) " OVN_VERSION "\n");
    assert_int_equal(run(&out, "ovs-appctl -t " NAME " foo"), 2);
    assert_int_equal(run(&out, "cat %s/" NAME ".log", dir), 0);
    assert_non_null(strstr(out.s, "|test_daemon|WARN|warned\n"));
    char *log = xasprintf("%s/" NAME ".log", dir);
    assert_int_equal(stat(log, &st), 0);
    assert_int_equal(st.st_mode & 07, 0);

    /* A second one refuses, and does not harm the first; unless told to overwrite. */
    assert_int_equal(run(&out, "%s --detach --pidfile", program), 1);
    char *message = xasprintf(NAME ": %s/" NAME ".pid: already running as pid %d, aborting\n", dir, pid);
    assert_string_equal(out.s, message);
    assert_int_equal(daemon_pid(), pid);
    assert_int_equal(run(&out, "%s --detach --pidfile --overwrite-pidfile", program), 0);
    pid_t second = daemon_pid();
    assert_true(second > 0 && second != pid);

    /* The log file follows a rotation by signal; the first one's end leaves the other's files. */
    char *old = xasprintf("%s.1", log);
    assert_int_equal(rename(log, old), 0);
    kill(pid, SIGHUP);
    for (int i = 0; i < 500 && !exists(NAME ".log"); i++) {
        usleep(10000);
    }
    assert_true(exists(NAME ".log"));
    kill(pid, SIGTERM);
    wait_gone(pid);
    assert_false(exists(NAME ".%d.ctl", pid));
    assert_int_equal(daemon_pid(), second);

    assert_int_equal(run(&out, "ovs-appctl -t " NAME " exit"), 0);
    assert_string_equal(str_c(&out), "");
    wait_gone(second);
    assert_false(exists(NAME ".%d.ctl", second));
    assert_false(exists(NAME ".pid"));
    free(old);
    free(log);
    free(message);
    str_free(&out);
}

static void
test_stale_pidfile(void **state)
{
    struct str out = STR_INIT;

    assert_int_equal(run(&out, "%s --detach --pidfile", program), 0);
    pid_t pid = daemon_pid();
    kill(pid, SIGKILL);
    wait_gone(pid);
    assert_true(exists(NAME ".pid"));
    assert_int_equal(run(&out, "echo 123456789 >%s/" NAME ".pid; ovs-appctl -t " NAME " version", dir), 1);
    assert_int_equal(run(&out, "%s --detach --pidfile --no-chdir --unixctl=%s/x.ctl", program, dir), 0);
    assert_string_equal(str_c(&out), "");
    pid = daemon_pid();
    assert_true(pid > 0);
    assert_true(exists("x.ctl"));
    char *cwd = getcwd(NULL, 0);
    assert_int_equal(run(&out, "ovs-appctl -t %s/x.ctl test/cwd", dir), 0);
    out.s[out.len - 1] = '\0';
    assert_string_equal(out.s, cwd);
    free(cwd);
    kill(pid, SIGINT);
    wait_gone(pid);
    assert_false(exists("x.ctl"));
    assert_false(exists(NAME ".pid"));
    str_free(&out);
}

static void
test_failures(void **state)
{
    struct str out = STR_INIT;

    for (int monitor = 0; monitor < 2; monitor++) {
        const char *m = monitor ? "--monitor" : "";
        assert_int_equal(run(&out, "%s --detach %s --pidfile --log-file --fail", program, m), 1);
        assert_string_equal(out.s, NAME ": cannot start: as asked\n");
        assert_false(exists(NAME ".pid"));
        assert_int_equal(run(&out, "cat %s/" NAME ".log", dir), 0);
        assert_non_null(strstr(out.s, "|daemon|EMER|cannot start: as asked\n"));
        assert_int_equal(run(&out, "%s --detach %s --die", program, m), 1);
        assert_string_equal(out.s, NAME ": died while starting (Segmentation fault)\n");
    }
    assert_int_equal(run(&out, "%s --detach --unixctl=/nonexistent/x", program), 1);
    assert_non_null(strstr(out.s, "could not initialize control socket"));
    assert_int_equal(run(&out, "%s --detach --pidfile=/nonexistent/x", program), 1);
    assert_string_equal(out.s, NAME ": /nonexistent/x: create failed (No such file or directory)\n");
    assert_int_equal(run(&out, "%s --detach --log-file=/nonexistent/x", program), 1);
    assert_string_equal(out.s, NAME ": failed to open /nonexistent/x for logging: No such file or directory\n");
    assert_int_equal(run(&out, "%s -vfoo:bar", program), 1);
    assert_string_equal(out.s, NAME ": processing \"foo:bar\": no destination, level, or module \"foo\"\n");
    assert_int_equal(run(&out, "%s --syslog-method=blah", program), 1);
    assert_int_equal(run(&out, "%s --user=no-such-user", program), 1);
    assert_int_equal(run(&out, "%s --nonsense", program), 1);
    assert_int_equal(run(&out, "%s --version", program), 0);
    assert_string_equal(out.s, NAME " " OVN_VERSION "\n");
    str_free(&out);
}

static pid_t
parent_of(pid_t pid)
{
    char path[40];
    int parent = 0;

    snprintf(path, sizeof path, "/proc/%d/stat", pid);
    FILE *f = fopen(path, "r");
    if (f) {
        assert_int_equal(fscanf(f, "%*d %*s %*c %d", &parent), 1);
        fclose(f);
    }
    return parent;
}

static void
test_monitor(void **state)
{
    struct str out = STR_INIT;

    assert_int_equal(run(&out, "%s --detach --monitor --pidfile --log-file", program), 0);
    assert_string_equal(str_c(&out), "");
    pid_t pid = daemon_pid();
    pid_t monitor = parent_of(pid);
    assert_true(pid > 0 && monitor > 1);
    assert_int_equal(run(&out, "ovs-appctl -t " NAME " test/crash"), 1);
    pid_t second = 0;
    for (int i = 0; i < 1500 && !(second = daemon_pid()); i++) {
        usleep(10000);
    }
    assert_true(second > 0 && second != pid);
    assert_int_equal(parent_of(second), monitor);
    for (int i = 0; i < 100 && !exists(NAME ".%d.ctl", second); i++) {
        usleep(10000);
    }
    assert_int_equal(run(&out, "cat %s/" NAME ".log", dir), 0);
    assert_non_null(strstr(out.s, "|daemon(monitor)|ERR|"));
    /* An end that was asked for is one; the monitor's own is the daemon's. */
    kill(monitor, SIGTERM);
    wait_gone(second);
    wait_gone(monitor);
    assert_false(exists(NAME ".pid"));

    assert_int_equal(run(&out, "%s --detach --monitor --pidfile", program), 0);
    pid = daemon_pid();
    monitor = parent_of(pid);
    assert_int_equal(run(&out, "ovs-appctl -t " NAME " exit"), 0);
    wait_gone(monitor);
    assert_false(exists(NAME ".pid"));
    str_free(&out);
}

static void
test_deep(void **state)
{
    struct str out = STR_INIT;
    size_t n = strlen(dir);

    /* A run directory of 75 characters and, for our own tools, one of 150. */
    for (size_t len = 75; len <= 150; len += 75) {
        dir[n] = '/';
        memset(dir + n + 1, 'd', len - n - 1);
        dir[len] = '\0';
        assert_int_equal(mkdir(dir, 0755), 0);
        setenv("OVS_RUNDIR", dir, 1);
        setenv("OVN_RUNDIR", dir, 1);
        assert_int_equal(run(&out, "%s --detach --pidfile", program), 0);
        pid_t pid = daemon_pid();
        assert_true(pid > 0);
        assert_int_equal(run(&out, "ovs-appctl -t " NAME " version"), 0);
        assert_string_equal(out.s, NAME " (Open Virtual Network) " OVN_VERSION "\n");
        assert_int_equal(run(&out, "ovs-appctl -t " NAME " exit"), 0);
        wait_gone(pid);
        dir[n] = '\0';
    }
    str_free(&out);
}

static void
test_user(void **state)
{
    struct str out = STR_INIT;

    if (getuid()) {
        skip();
    }
    assert_int_equal(chmod(base, 0755), 0);
    assert_int_equal(chmod(dir, 0777), 0);
    assert_int_equal(run(&out, "%s --detach --pidfile --log-file --user=nobody:daemon", program), 0);
    assert_int_equal(run(&out, "ovs-appctl -t " NAME " vlog/reopen"), 0);
    pid_t pid = daemon_pid();
    assert_true(pid > 0);
    assert_int_equal(run(&out, "ps -o user=,group= -p %d", pid), 0);
    assert_non_null(strstr(out.s, "nobody"));
    assert_non_null(strstr(out.s, "daemon"));
    assert_int_equal(run(&out, "grep CapEff /proc/%d/status", pid), 0);
    assert_string_equal(out.s, "CapEff:\t0000000000004400\n");
    assert_int_equal(run(&out, "ovs-appctl -t " NAME " exit"), 0);
    wait_gone(pid);
    str_free(&out);
}

/* Neither a control socket nor standard streams. */
static void
test_bare(void **state)
{
    struct str out = STR_INIT;

    assert_int_equal(run(&out, "%s --detach --pidfile --unixctl=none <&- >&- 2>&-; echo $?", program), 0);
    assert_string_equal(str_c(&out), "0\n");
    pid_t pid = daemon_pid();
    assert_true(pid > 0);
    assert_false(exists(NAME ".%d.ctl", pid));
    for (int fd = 0; fd < 3; fd++) {
        char path[40], target[40];
        snprintf(path, sizeof path, "/proc/%d/fd/%d", pid, fd);
        ssize_t n = readlink(path, target, sizeof target - 1);
        assert_true(n > 0);
        target[n] = '\0';
        assert_string_equal(target, "/dev/null");
    }
    kill(pid, SIGTERM);
    wait_gone(pid);
    str_free(&out);
}

/* The next datagram at FD, which comes within seconds, is TEXT. */
static void
expect_notice(int fd, const char *text)
{
    char buf[200];

    alarm(10);
    ssize_t n = recv(fd, buf, sizeof buf - 1, 0);
    alarm(0);
    assert_true(n > 0);
    buf[n] = '\0';
    assert_string_equal(buf, text);
}

/* A service manager hears when we serve and when we stop, and which process to watch. */
static void
test_notify(void **state)
{
    static const char *const starts[] = { "--detach --pidfile", "--detach --monitor --pidfile" };
    struct str out = STR_INIT;

    for (size_t i = 0; i < ARRAY_SIZE(starts); i++) {
        struct sockaddr_un un = { .sun_family = AF_UNIX };
        char *name = i ? xasprintf("%s/path", dir) : xasprintf("@%s/abstract", dir);
        size_t n = strlen(name);
        memcpy(un.sun_path, name, n);
        un.sun_path[0] = i ? '/' : '\0';
        int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
        assert_int_equal(bind(fd, (struct sockaddr *) &un, offsetof(struct sockaddr_un, sun_path) + n), 0);
        setenv("NOTIFY_SOCKET", name, 1);
        assert_int_equal(run(&out, "%s %s", program, starts[i]), 0);
        pid_t pid = daemon_pid();
        /* With a monitor, that is the one to watch: its number is no other's than the daemon's parent. */
        int status = run(&out, "awk '/^PPid/ { printf \"%%s\", $2 }' /proc/%d/status", pid);
        assert_int_equal(status, 0);
        char *ready = i ? xasprintf("READY=1\nMAINPID=%s", str_c(&out)) : xasprintf("READY=1\nMAINPID=%d", pid);
        expect_notice(fd, ready);
        kill(pid, SIGTERM);
        expect_notice(fd, "STOPPING=1");
        wait_gone(pid);
        close(fd);
        free(ready);
        free(name);
    }
    /* Nobody there, or nonsense: no reason not to start. */
    setenv("NOTIFY_SOCKET", "/nonexistent/socket", 1);
    assert_int_equal(run(&out, "%s --detach --pidfile", program), 0);
    assert_string_equal(str_c(&out), "");
    pid_t pid = daemon_pid();
    kill(pid, SIGTERM);
    wait_gone(pid);
    unsetenv("NOTIFY_SOCKET");
    str_free(&out);
}

static int
remove_all(void **state)
{
    struct str out = STR_INIT;

    run(&out, "rm -rf %s", base);
    str_free(&out);
    return 0;
}

int
main(int argc, char *argv[])
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(test_detach, setup), cmocka_unit_test_setup(test_stale_pidfile, setup),
        cmocka_unit_test_setup(test_failures, setup), cmocka_unit_test_setup(test_monitor, setup),
        cmocka_unit_test_setup(test_deep, setup), cmocka_unit_test_setup(test_user, setup),
        cmocka_unit_test_setup(test_bare, setup), cmocka_unit_test_setup(test_notify, setup),
    };
    if (argc < 2 || !mkdtemp(base)) {
        fprintf(stderr, "usage: daemon_test PROGRAM\n");
        return 1;
    }
    program = argv[1];
    prctl(PR_SET_CHILD_SUBREAPER, 1);      /* Not everybody's init is quick to bury. */
    return cmocka_run_group_tests(tests, NULL, remove_all);
}

/* Tests of ovn-appctl as its users see it. Arguments: the program, a daemon to talk to
 * (runtime/test_daemon.c). */
#include "base/test.h"

#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/str.h"

#define NAME "runtime-test-daemon"

static const char *program, *daemon_program;
static char dir[] = "/tmp/appctl_test.XXXXXX";

/* Runs ovn-appctl with ARGS: what it must print on stdout and stderr (NULL: anything), and return. */
static void
expect(const char *args, int status, const char *out, const char *err)
{
    struct str text = STR_INIT;
    char buf[4096];
    size_t n;
    char *command = xasprintf("%s %s 2>%s/err", program, args, dir);
    FILE *f = popen(command, "r");

    assert_non_null(f);
    while ((n = fread(buf, 1, sizeof buf, f)) > 0) {
        str_put(&text, buf, n);
    }
    int s = pclose(f);
    assert_int_equal(WIFEXITED(s) ? WEXITSTATUS(s) : 128 + WTERMSIG(s), status);
    if (out) {
        assert_string_equal(str_c(&text), out);
    }
    free(command);
    str_clear(&text);
    command = xasprintf("%s/err", dir);
    f = fopen(command, "r");
    assert_non_null(f);
    n = fread(buf, 1, sizeof buf - 1, f);
    buf[n] = '\0';
    fclose(f);
    if (err) {
        assert_string_equal(buf, err);
    }
    free(command);
    str_free(&text);
}

static void
test_options(void **state)
{
    expect("--version", 0, "ovn-appctl " OVN_VERSION "\n", "");
    expect("--help", 0, NULL, "");
    expect("", 1, "",
           "ovn-appctl: at least one non-option argument is required (use --help for help)\n");
    expect("-T x version", 1, "", "ovn-appctl: value x on -T or --timeout is invalid\n");
    expect("--nonsense", 1, "", NULL);
    char *message = xasprintf("ovn-appctl: cannot read pidfile \"%s/ovn-controller.pid\" "
                              "(No such file or directory)\n", dir);
    expect("version", 1, "", message);
    free(message);
    expect("-t /nonexistent version", 1, "",
           "ovn-appctl: cannot connect to \"/nonexistent\" (No such file or directory)\n");
}

static void
test_commands(void **state)
{
    expect("-t " NAME " version", 0, NAME " (Open Virtual Network) " OVN_VERSION "\n", "");
    expect("--target=" NAME " -T 5 test/cwd", 0, "/\n", "");
    expect("-t " NAME " coverage/read-counter nope", 2, "",
           "No such counter\novn-appctl: " NAME ": server returned an error\n");
    /* What follows the command are its arguments, options or not. */
    expect("-t " NAME " version --help", 2, "",
           "\"version\" command takes at most 0 arguments\n"
           "ovn-appctl: " NAME ": server returned an error\n");
    expect("-t " NAME " vlog/set PATTERN:console:%m%n test_daemon,file,dbg", 0, "", "");
}

static void
test_timeout(void **state)
{
    char *path = xasprintf("%s/" NAME ".pid", dir);
    FILE *f = fopen(path, "r");
    int pid;

    assert_non_null(f);
    assert_int_equal(fscanf(f, "%d", &pid), 1);
    fclose(f);
    kill(pid, SIGSTOP);
    expect("-t " NAME " -T 1 version", 128 + SIGALRM, "", NULL);
    setenv("OVS_CTL_TIMEOUT", "1", 1);
    expect("-t " NAME " version", 128 + SIGALRM, "", NULL);
    unsetenv("OVS_CTL_TIMEOUT");
    kill(pid, SIGCONT);
    free(path);
}

static int
setup(void **state)
{
    if (!mkdtemp(dir)) {
        return 1;
    }
    setenv("OVN_RUNDIR", dir, 1);
    setenv("OVS_RUNDIR", dir, 1);
    setenv("OVS_SYSLOG_METHOD", "null", 1);
    unsetenv("OVS_CTL_TIMEOUT");
    char *command = xasprintf("%s --detach --pidfile", daemon_program);
    int status = system(command);
    free(command);
    return status;
}

static int
teardown(void **state)
{
    char *command = xasprintf("%s -t " NAME " exit; rm -rf %s", program, dir);
    int status = system(command);
    free(command);
    return status;
}

int
main(int argc, char *argv[])
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_options), cmocka_unit_test(test_commands), cmocka_unit_test(test_timeout),
    };
    if (argc < 3) {
        fprintf(stderr, "usage: appctl_test OVN-APPCTL DAEMON\n");
        return 1;
    }
    program = argv[1];
    daemon_program = argv[2];
    return cmocka_run_group_tests(tests, setup, teardown);
}

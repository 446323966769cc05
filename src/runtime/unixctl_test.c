/* Tests of the control socket: the server in this process, peers on the same loop or in a thread. */
#include "base/test.h"

#include <errno.h>
#include <pthread.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "runtime/metrics.h"
#include "runtime/socket.h"
#include "runtime/unixctl.h"

METRIC(seen)

static struct loop *loop;
static char dir[200];
static char *path;
static struct unixctl_conn *held;

static void
on_echo(struct unixctl_conn *conn, int argc, const char *argv[], void *aux)
{
    struct str s = STR_INIT;

    for (int i = 0; i < argc; i++) {
        str_printf(&s, "<%s>", argv[i]);
    }
    unixctl_reply(conn, s.s);
    str_free(&s);
}

static void
on_hold(struct unixctl_conn *conn, int argc, const char *argv[], void *aux)
{
    assert_null(held);
    held = conn;
}

static void
on_big(struct unixctl_conn *conn, int argc, const char *argv[], void *aux)
{
    size_t n = 3000000;
    char *text = xmalloc(n + 1);

    memset(text, 'x', n);
    text[n] = '\0';
    unixctl_reply(conn, text);
    free(text);
}

/* --- A raw peer on the same loop. --- */

static int
peer_open(void)
{
    char *error;
    int fd = socket_connect_unix(path, &error);

    assert_null(error);
    return fd;
}

/* Sends N bytes, running the loop as needed; false if the server hung up. */
static bool
peer_send(int fd, const char *p, size_t n)
{
    while (n) {
        ssize_t done = send(fd, p, n, MSG_NOSIGNAL);
        if (done < 0 && errno != EAGAIN) {
            return false;
        }
        if (done > 0) {
            p += done;
            n -= done;
        }
        loop_once(loop, 0);
    }
    return true;
}

/* What comes within a while: text (static), or "EOF". */
static const char *
peer_receive(int fd)
{
    static char buf[4096];
    int64_t end = clock_msec() + 60;
    size_t len = 0;

    do {
        loop_once(loop, 1);
        ssize_t n = recv(fd, buf + len, sizeof buf - 1 - len, 0);
        if (n > 0) {
            len += n;
        } else if (n == 0 || errno != EAGAIN) {
            return len ? (buf[len] = '\0', buf) : "EOF";
        }
    } while (clock_msec() < end);
    buf[len] = '\0';
    return buf;
}

static void
expect(const char *request, const char *answer)
{
    int fd = peer_open();

    peer_send(fd, request, strlen(request));
    assert_string_equal(peer_receive(fd), answer);
    close(fd);
    loop_once(loop, 1);
}

static void
test_requests(void **state)
{
    expect("{\"id\":0,\"method\":\"echo\",\"params\":[\"a\",\"b \\u00e9\\n\"]}",
           "{\"id\":0,\"result\":\"<echo><a><b \u00e9\\n>\\n\",\"error\":null}");
    /* Members in any order, an id of any kind, an unknown member. */
    expect(" {\"params\":[] , \"x\":[{}], \"id\":{\"a\":[1]},\"method\":\"echo\"}",
           "{\"id\":{\"a\":[1]},\"result\":\"<echo>\\n\",\"error\":null}");
    /* Two at once. */
    expect("{\"id\":1,\"method\":\"echo\",\"params\":[]}\n{\"id\":2,\"method\":\"echo\",\"params\":[]}",
           "{\"id\":1,\"result\":\"<echo>\\n\",\"error\":null}"
           "{\"id\":2,\"result\":\"<echo>\\n\",\"error\":null}");
    expect("{\"id\":1,\"method\":\"nope\",\"params\":[]}",
           "{\"id\":1,\"error\":\"\\\"nope\\\" is not a valid command (use \\\"list-commands\\\" to see a "
           "list of valid commands)\\n\",\"result\":null}");
    expect("{\"id\":1,\"method\":\"echo\",\"params\":[\"1\",\"2\",\"3\"]}",
           "{\"id\":1,\"error\":\"\\\"echo\\\" command takes at most 2 arguments\\n\",\"result\":null}");
    expect("{\"id\":1,\"method\":\"coverage/read-counter\",\"params\":[]}",
           "{\"id\":1,\"error\":\"\\\"coverage/read-counter\\\" command requires at least 1 arguments\\n\","
           "\"result\":null}");
}

static void
test_garbage(void **state)
{
    static const char *const bad[] = {
        "garbage", "[]", "{}", "{]", "\x80\xff", "{\"id\":null,\"method\":\"echo\",\"params\":[]}",
        "{\"id\":1,\"method\":\"echo\"}", "{\"id\":1,\"method\":2,\"params\":[]}",
        "{\"id\":1,\"method\":\"echo\",\"params\":[1]}", "{\"id\":1,\"method\":\"echo\",\"params\":{}}",
        "{\"id\":1,\"method\":\"ec\\u0000ho\",\"params\":[]}",
        "{\"id\":1,\"method\":\"echo\",\"params\":[\"\\u0000\"]}",
        "{\"id\":1,\"method\":\"echo\",\"params\":[1}}",
        "{\"id\":1,\"result\":\"x\",\"error\":null}",
    };

    for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
        expect(bad[i], "EOF");
    }
    expect("{\"id\":1,\"method\":\"ec", "");           /* Half of one: nothing yet. */

    /* Depth, and length: bounded. */
    int fd = peer_open();
    char *text = xmalloc(3000000);
    memset(text, '[', 3000000);
    peer_send(fd, "{\"id\":1,\"params\":", 17);
    peer_send(fd, text, 3000000);
    assert_string_equal(peer_receive(fd), "EOF");
    close(fd);
    fd = peer_open();
    memset(text, 'x', 3000000);
    peer_send(fd, "{\"id\":\"", 7);
    assert_false(peer_send(fd, text, 3000000));
    close(fd);
    free(text);
    expect("{\"id\":1,\"method\":\"echo\",\"params\":[]}",
           "{\"id\":1,\"result\":\"<echo>\\n\",\"error\":null}");
}

static void
test_held(void **state)
{
    const char *hold = "{\"id\":7,\"method\":\"hold\",\"params\":[]}"
                       "{\"id\":8,\"method\":\"echo\",\"params\":[]}";
    int fd = peer_open();

    /* The second request waits for the answer to the first. */
    peer_send(fd, hold, strlen(hold));
    assert_string_equal(peer_receive(fd), "");
    assert_non_null(held);
    unixctl_error(held, "later");
    held = NULL;
    assert_string_equal(peer_receive(fd), "{\"id\":7,\"error\":\"later\\n\",\"result\":null}"
                                          "{\"id\":8,\"result\":\"<echo>\\n\",\"error\":null}");
    /* The peer goes before it is answered. */
    peer_send(fd, hold, strlen(hold));
    peer_receive(fd);
    close(fd);
    loop_once(loop, 5);
    assert_non_null(held);
    unixctl_reply(held, "to nobody");
    held = NULL;
    loop_once(loop, 5);
}

static void
test_many(void **state)
{
    int fds[300];

    /* More than it keeps: the longest idle go, and it still answers. */
    for (size_t i = 0; i < ARRAY_SIZE(fds); i++) {
        fds[i] = peer_open();
        loop_once(loop, 1);
    }
    assert_string_equal(peer_receive(fds[0]), "EOF");
    assert_string_equal(peer_receive(fds[ARRAY_SIZE(fds) - 1]), "");
    expect("{\"id\":1,\"method\":\"echo\",\"params\":[]}",
           "{\"id\":1,\"result\":\"<echo>\\n\",\"error\":null}");
    for (size_t i = 0; i < ARRAY_SIZE(fds); i++) {
        close(fds[i]);
    }
    for (int i = 0; i < 20; i++) {
        loop_once(loop, 1);
    }
}

/* Clients that came at once and are slow to ask are all answered. */
static void
test_a_hundred_at_once(void **state)
{
    static const char request[] = "{\"id\":1,\"method\":\"echo\",\"params\":[]}";
    int fds[128];

    for (size_t i = 0; i < ARRAY_SIZE(fds); i++) {
        fds[i] = peer_open();
    }
    for (size_t i = 0; i < ARRAY_SIZE(fds); i++) {
        loop_once(loop, 1);
    }
    for (size_t i = ARRAY_SIZE(fds); i-- > 0;) {
        assert_true(peer_send(fds[i], request, strlen(request)));
    }
    for (size_t i = 0; i < ARRAY_SIZE(fds); i++) {
        char buf[100] = "";
        for (int tries = 0; tries < 1000 && recv(fds[i], buf, sizeof buf - 1, 0) < 0; tries++) {
            loop_once(loop, 1);
        }
        assert_string_equal(buf, "{\"id\":1,\"result\":\"<echo>\\n\",\"error\":null}");
        close(fds[i]);
    }
    for (int i = 0; i < 20; i++) {
        loop_once(loop, 1);
    }
}

/* What ovs-appctl --format json does on its connection: the format holds there and nowhere else. */
static void
test_formats(void **state)
{
    static const struct {
        const char *request, *answer;
    } talk[] = {
        { "{\"id\":1,\"method\":\"echo\",\"params\":[]}", "{\"id\":1,\"result\":\"<echo>\\n\",\"error\":null}" },
        { "{\"id\":2,\"method\":\"set-options\",\"params\":[\"--format\",\"json\"]}", "{\"id\":2,\"result\":\"\",\"error\":null}" },
        { "{\"id\":3,\"method\":\"echo\",\"params\":[]}",
          "{\"id\":3,\"result\":{\"reply-format\":\"plain\",\"reply\":\"<echo>\\n\"},\"error\":null}" },
        { "{\"id\":4,\"method\":\"nonsense\",\"params\":[]}",
          "{\"id\":4,\"error\":\"\\\"nonsense\\\" is not a valid command (use \\\"list-commands\\\" to see a list of valid commands)\\n\""
          ",\"result\":null}" },
        { "{\"id\":5,\"method\":\"set-options\",\"params\":[\"--format\",\"xml\"]}",
          "{\"id\":5,\"error\":\"set-options: the only option is --format text|json\\n\",\"result\":null}" },
        { "{\"id\":6,\"method\":\"set-options\",\"params\":[\"--format\"]}",
          "{\"id\":6,\"error\":\"set-options: the only option is --format text|json\\n\",\"result\":null}" },
        { "{\"id\":7,\"method\":\"set-options\",\"params\":[\"--format=text\"]}",
          "{\"id\":7,\"result\":{\"reply-format\":\"plain\",\"reply\":\"\"},\"error\":null}" },
        { "{\"id\":8,\"method\":\"echo\",\"params\":[]}", "{\"id\":8,\"result\":\"<echo>\\n\",\"error\":null}" },
    };
    int fd = peer_open();

    for (size_t i = 0; i < ARRAY_SIZE(talk); i++) {
        peer_send(fd, talk[i].request, strlen(talk[i].request));
        assert_string_equal(peer_receive(fd), talk[i].answer);
        expect(talk[0].request, talk[0].answer);
    }
    close(fd);
    loop_once(loop, 1);
}

/* --- Our client, in a thread. --- */

struct call {
    const char *target, *method;
    int argc;
    const char *argv[3];
    int64_t timeout;
    char *error, *result, *remote_error, *log;
    bool done, with_log;
};

static void *
call_thread(void *c_)
{
    struct call *c = c_;

    c->error = unixctl_call(c->target, c->method, c->argc, c->argv, c->timeout, &c->result,
                            &c->remote_error, c->with_log ? &c->log : NULL);
    __atomic_store_n(&c->done, true, __ATOMIC_RELEASE);
    return NULL;
}

static void
run_call(struct call *c)
{
    pthread_t thread;

    c->target = c->target ? c->target : path;
    assert_int_equal(pthread_create(&thread, NULL, call_thread, c), 0);
    while (!__atomic_load_n(&c->done, __ATOMIC_ACQUIRE)) {
        loop_once(loop, 1);
    }
    pthread_join(thread, NULL);
}

static void
free_call(struct call *c)
{
    free(c->error);
    free(c->result);
    free(c->remote_error);
    free(c->log);
}

static void
on_gone(void *aux)
{
    *(bool *) aux = true;
}

static void
test_hang_up_and_log(void **state)
{
    const char *hold = "{\"id\":\"log\",\"method\":\"hold\",\"params\":[]}";
    int fd = peer_open(), other = peer_open();
    bool gone = false;

    /* Who asks for it gets lines for its log; the answer ends the interest in the peer. */
    peer_send(fd, hold, strlen(hold));
    peer_receive(fd);
    unixctl_on_hang_up(held, on_gone, &gone);
    unixctl_log(held, "a \"line\"");
    unixctl_reply(held, "text");
    held = NULL;
    assert_string_equal(peer_receive(fd), "{\"id\":\"log\",\"result\":\"text\\n\",\"log\":\"a \\\"line\\\"\\n\",\"error\":null}");
    peer_send(fd, hold, strlen(hold));
    peer_receive(fd);
    assert_false(gone);
    /* It goes before it is answered: we are told, once, and still owe the answer; others are served. */
    unixctl_on_hang_up(held, on_gone, &gone);
    peer_receive(fd);
    assert_false(gone);
    close(fd);
    loop_once(loop, 100);
    assert_true(gone);
    const char *echo = "{\"id\":1,\"method\":\"echo\",\"params\":[]}";
    peer_send(other, echo, strlen(echo));
    assert_string_equal(peer_receive(other), "{\"id\":1,\"result\":\"<echo>\\n\",\"error\":null}");
    unixctl_log(held, "to nobody");
    unixctl_error(held, "to nobody");
    held = NULL;
    close(other);
    struct call c = { .target = path, .method = "hold", .with_log = true };
    pthread_t thread;
    assert_int_equal(pthread_create(&thread, NULL, call_thread, &c), 0);
    while (!held) {
        loop_once(loop, 1);
    }
    unixctl_log(held, "one");
    unixctl_log(held, "two");
    unixctl_error(held, "no");
    held = NULL;
    while (!__atomic_load_n(&c.done, __ATOMIC_ACQUIRE)) {
        loop_once(loop, 1);
    }
    pthread_join(thread, NULL);
    assert_string_equal(c.log, "one\ntwo\n");
    assert_string_equal(c.remote_error, "no\n");
    free_call(&c);
}

static void
test_client(void **state)
{
    struct call c = { .method = "echo", .argc = 2, .argv = { "x\"y", "\u00e9\t" } };
    run_call(&c);
    assert_null(c.error);
    assert_null(c.remote_error);
    assert_string_equal(c.result, "<echo><x\"y><\u00e9\t>\n");
    free_call(&c);

    c = (struct call) { .method = "coverage/read-counter", .argc = 1, .argv = { "unseen" } };
    run_call(&c);
    assert_string_equal(c.remote_error, "No such counter\n");
    free_call(&c);

    METRIC_ADD(seen, 41);
    METRIC_INC(seen);
    c = (struct call) { .method = "coverage/read-counter", .argc = 1, .argv = { "seen" } };
    run_call(&c);
    assert_string_equal(c.result, "42\n");
    free_call(&c);

    c = (struct call) { .method = "big" };
    run_call(&c);
    assert_null(c.error);
    assert_int_equal(strlen(c.result), 3000001);
    free_call(&c);

    c = (struct call) { .method = "hold", .timeout = 50 };
    run_call(&c);
    assert_non_null(strstr(c.error, "timed out"));
    free_call(&c);
    unixctl_reply(held, NULL);
    held = NULL;

    c = (struct call) { .target = "/nonexistent/x.ctl", .method = "echo" };
    run_call(&c);
    assert_string_equal(c.error, "cannot connect to \"/nonexistent/x.ctl\" (No such file or directory)");
    free_call(&c);

    c = (struct call) { .target = "nobody", .method = "echo" };
    run_call(&c);
    char *expected = xasprintf("cannot read pidfile \"%s/nobody.pid\" (No such file or directory)", dir);
    assert_string_equal(c.error, expected);
    free(expected);
    free_call(&c);
}

static char *
get(const char *method, const char *arg)
{
    struct call c = { .method = method, .argc = arg != NULL, .argv = { arg } };
    run_call(&c);
    assert_null(c.error);
    assert_null(c.remote_error);
    return c.result;
}

static void
report(struct str *s, void *aux)
{
    str_printf(s, "rows:%d", 12);
}

static void
test_builtins(void **state)
{
    char *s = get("list-commands", NULL);
    assert_memory_equal(s, "The available commands are:\n  big                     \n", 54);
    assert_non_null(strstr(s, "\n  echo                    [X [Y]]\n"));
    assert_non_null(strstr(s, "\n  vlog/set                {spec | PATTERN:destination:pattern}\n"));
    free(s);

    s = get("version", NULL);
    assert_string_equal(s, "prog (Open Virtual Network) " OVN_VERSION "\n");
    free(s);

    free(get("vlog/set", "unixctl:file:dbg"));
    s = get("vlog/list", NULL);
    assert_non_null(strstr(s, "unixctl            OFF       INFO        DBG\n"));
    free(s);
    struct call c = { .method = "vlog/set", .argc = 1, .argv = { "blah" } };
    run_call(&c);
    assert_string_equal(c.remote_error, "no destination, level, or module \"blah\"\n");
    free_call(&c);
    free(get("vlog/disable-rate-limit", "unixctl"));
    s = get("vlog/list", NULL);
    assert_non_null(strstr(s, "DBG    (rate limiting disabled)\n"));
    free(s);

    metrics_register_memory(report, NULL);
    s = get("memory/show", NULL);
    assert_memory_equal(s, "rows:12 heap-KB:", 16);
    free(s);

    struct stopwatch *sw = stopwatch_create("cycle");
    assert_ptr_equal(sw, stopwatch_create("cycle"));
    for (int i = 0; i < 3; i++) {
        stopwatch_start(sw);
        usleep(1000);
        stopwatch_stop(sw);
    }
    stopwatch_stop(sw);                /* Not running: ignored. */
    s = get("stopwatch/show", "cycle");
    assert_memory_equal(s, "Statistics for 'cycle'\n  Total samples: 3\n  Maximum: ", 53);
    free(s);
    s = get("stopwatch/show", "-t");
    assert_non_null(strstr(s, "\ncycle                                       3 "));
    free(s);
    struct call two = { .method = "stopwatch/show", .argc = 2, .argv = { "a", "b" } };
    run_call(&two);
    assert_string_equal(two.remote_error, "at most one stopwatch can be named\n");
    free_call(&two);
    free(get("stopwatch/reset", NULL));
    s = get("stopwatch/show", NULL);
    assert_non_null(strstr(s, "Total samples: 0\n"));
    free(s);

    s = get("coverage/show", NULL);
    assert_non_null(strstr(s, "\nseen                       0.0/sec     0.000/sec        0.0000/sec   "
                              "total: 42\n"));
    free(s);
}

static void
test_close(void **state)
{
    int fd = peer_open();
    const char *hold = "{\"id\":7,\"method\":\"hold\",\"params\":[]}";

    peer_send(fd, hold, strlen(hold));
    peer_receive(fd);
    assert_non_null(held);
    unixctl_close();
    assert_int_equal(access(path, F_OK), -1);
    assert_string_equal(peer_receive(fd), "EOF");
    unixctl_reply(held, "too late");          /* Harmless, and frees it. */
    held = NULL;
    close(fd);
}

static int
setup(void **state)
{
    char base[] = "/tmp/unixctl_test.XXXXXX";

    program_set_name("prog");
    if (!mkdtemp(base)) {
        return 1;
    }
    snprintf(dir, sizeof dir, "%s/%090d", base, 1);    /* Longer than a socket's name may be. */
    mkdir(dir, 0700);
    setenv("OVN_RUNDIR", dir, 1);
    setenv("OVS_RUNDIR", dir, 1);
    free(log_set_syslog("null"));
    free(log_set("console:off"));
    loop = loop_create();
    char *error = unixctl_listen(loop, NULL);
    assert_null(error);
    path = xstrdup(unixctl_path());
    metrics_init();
    metrics_start_rates(loop);
    unixctl_register("echo", "", 0, 0, on_hold, NULL);
    unixctl_register("echo", "[X [Y]]", 0, 2, on_echo, NULL);  /* Replaces it. */
    unixctl_register("hold", "", 0, 0, on_hold, NULL);
    unixctl_register("big", "", 0, 0, on_big, NULL);
    return 0;
}

static int
teardown(void **state)
{
    rmdir(dir);
    *strrchr(dir, '/') = '\0';
    free(path);
    return rmdir(dir);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_requests), cmocka_unit_test(test_garbage), cmocka_unit_test(test_held),
        cmocka_unit_test(test_many), cmocka_unit_test(test_a_hundred_at_once), cmocka_unit_test(test_formats),
        cmocka_unit_test(test_client), cmocka_unit_test(test_builtins), cmocka_unit_test(test_hang_up_and_log), cmocka_unit_test(test_close),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}

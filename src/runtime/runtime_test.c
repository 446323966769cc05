/* Tests of loop.c and socket.c. */
#include "base/test.h"

#include <errno.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "runtime/loop.h"
#include "runtime/socket.h"

struct record {
    struct loop *loop;
    struct loop_io *io;
    struct loop_timer *timer;
    int n;
};

static char trace[200];

static void
note(const char *what)
{
    strncat(trace, what, sizeof trace - strlen(trace) - 1);
}

static void
cycle(void *r_)
{
    struct record *r = r_;

    note("C");
    if (r->n > 0 && --r->n > 0) {
        loop_wake(r->loop);
    }
}

static void
on_timer(void *r_)
{
    note("t");
}

static void
on_read(void *r_, unsigned events)
{
    struct record *r = r_;

    assert_int_equal(events, LOOP_READ);
    note("r");
    loop_io_destroy(r->io);            /* From its own callback. */
    r->io = NULL;
}

static void
on_write(void *r_, unsigned events)
{
    struct record *r = r_;

    assert_int_equal(events, LOOP_WRITE);
    note("w");
    loop_io_set(r->io, LOOP_READ);
}

static void
on_end(void *r_)
{
    struct record *r = r_;

    note("e");
    loop_stop(r->loop);
}

static void
test_loop(void **state)
{
    struct record r = { .loop = loop_create(), .n = 3 };
    int fds[2];

    trace[0] = '\0';
    loop_set_cycle(r.loop, cycle, &r);
    loop_once(r.loop, -1);             /* Does not sleep: the first, then two wakes. */
    loop_once(r.loop, -1);
    loop_once(r.loop, -1);
    assert_string_equal(trace, "CCC");
    int64_t start = clock_msec();
    loop_once(r.loop, 30);             /* Nothing to wait for. */
    assert_in_range(clock_msec() - start, 25, 2000);
    assert_string_equal(trace, "CCCC");

    /* Two things ready together: one cycle. */
    trace[0] = '\0';
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, fds), 0);
    assert_int_equal(write(fds[1], "x", 1), 1);
    r.io = loop_io_create(r.loop, fds[0], LOOP_READ, on_read, &r);
    r.timer = loop_timer_create(r.loop, on_timer, &r);
    loop_timer_set(r.timer, 0);
    usleep(2000);
    loop_once(r.loop, -1);
    assert_int_equal(strlen(trace), 3);
    assert_non_null(strchr(trace, 'r'));
    assert_non_null(strchr(trace, 't'));
    assert_int_equal(trace[2], 'C');

    /* One shot; cancelled; set again. */
    trace[0] = '\0';
    loop_once(r.loop, 5);
    loop_timer_set(r.timer, 1);
    loop_timer_cancel(r.timer);
    loop_once(r.loop, 5);
    assert_string_equal(trace, "CC");
    loop_timer_set(r.timer, 10000);
    loop_timer_set(r.timer, 1);
    loop_once(r.loop, 5000);
    assert_string_equal(trace, "CCtC");

    /* What is watched can change in the callback. */
    trace[0] = '\0';
    r.io = loop_io_create(r.loop, fds[1], LOOP_WRITE, on_write, &r);
    loop_once(r.loop, -1);
    loop_once(r.loop, 1);
    assert_string_equal(trace, "wCC");
    loop_io_set(r.io, 0);
    loop_io_destroy(r.io);

    trace[0] = '\0';
    struct loop_timer *end = loop_timer_create(r.loop, on_end, &r);
    loop_timer_set(end, 1);
    loop_run(r.loop);
    assert_string_equal(trace, "eC");
    loop_timer_destroy(end);
    loop_timer_destroy(r.timer);
    loop_timer_destroy(NULL);
    loop_io_destroy(NULL);
    loop_destroy(r.loop);
    close(fds[0]);
    close(fds[1]);
}

static void
check_pair(int listener, int client)
{
    char buf[10];
    int server = -1;

    for (int i = 0; i < 1000 && (server < 0 || socket_error(client) == EINPROGRESS); i++) {
        if (server < 0) {
            server = socket_accept(listener);
        }
        usleep(1000);
    }
    assert_true(server >= 0);
    assert_int_equal(socket_error(client), 0);
    assert_int_equal(write(client, "hello", 5), 5);
    for (int i = 0; i < 1000 && recv(server, buf, 5, MSG_PEEK) < 0; i++) {
        assert_int_equal(errno, EAGAIN);
        usleep(1000);
    }
    assert_int_equal(read(server, buf, 10), 5);
    close(server);
    close(client);
    close(listener);
}

struct stubborn {
    struct loop *loop;
    int calls, cycles;
};

static void
stubborn_ready(void *s_, unsigned events)
{
    struct stubborn *s = s_;

    s->calls++;                        /* Reads nothing: ready again at once. */
    assert_true(s->calls < 1000);
}

static void
stubborn_cycle(void *s_)
{
    struct stubborn *s = s_;

    s->cycles++;
}

/* A descriptor that is always ready does not keep the loop from its cycle, nor from stopping, waiting or polling. */
static void
test_always_ready(void **state)
{
    struct stubborn s = { .loop = loop_create() };
    int fds[2];

    assert_int_equal(pipe(fds), 0);
    close(fds[1]);
    struct loop_io *io = loop_io_create(s.loop, fds[0], LOOP_READ, stubborn_ready, &s);
    loop_set_cycle(s.loop, stubborn_cycle, &s);
    for (int i = 0; i < 10; i++) {
        if (i % 2) {
            loop_wake(s.loop);
        }
        loop_once(s.loop, i < 5 ? 0 : -1);
    }
    assert_int_equal(s.cycles, 10);
    assert_in_range(s.calls, 9, 10);
    loop_io_destroy(io);
    close(fds[0]);
    loop_destroy(s.loop);
}

static void
test_unix(void **state)
{
    char dir[] = "/tmp/runtime_test.XXXXXX";
    char *error;

    assert_non_null(mkdtemp(dir));
    char *deep = xasprintf("%s/%075d", dir, 7);
    assert_int_equal(mkdir(deep, 0700), 0);
    char *paths[] = { xasprintf("%s/short.sock", dir),
                      xasprintf("%s/ovn-controller-of-a-long-name.12345.ctl", deep) };
    assert_true(strlen(paths[1]) > 108);
    for (int i = 0; i < 2; i++) {
        struct stat st;
        int listener = socket_listen_unix(paths[i], &error);
        assert_null(error);
        assert_int_equal(stat(paths[i], &st), 0);
        assert_int_equal(st.st_mode & 07, 0);
        int client = socket_connect_unix(paths[i], &error);
        assert_null(error);
        check_pair(listener, client);
        /* Nobody listens. */
        assert_int_equal(socket_connect_unix(paths[i], &error), -1);
        assert_int_equal(errno, ECONNREFUSED);
        free(error);
        /* The dead one's file is no obstacle. */
        listener = socket_listen_unix(paths[i], &error);
        assert_null(error);
        close(listener);
        unlink(paths[i]);
        assert_int_equal(socket_connect_unix(paths[i], &error), -1);
        assert_non_null(strstr(error, "No such file or directory"));
        free(error);
    }
    /* A file that is no socket stays. */
    FILE *f = fopen(paths[0], "w");
    fclose(f);
    assert_int_equal(socket_listen_unix(paths[0], &error), -1);
    assert_int_equal(access(paths[0], F_OK), 0);
    free(error);
    unlink(paths[0]);
    char *name = xasprintf("%s/%0150d", deep, 1);
    assert_int_equal(socket_listen_unix(name, &error), -1);
    assert_non_null(strstr(error, "File name too long"));
    free(error);
    free(name);
    rmdir(deep);
    rmdir(dir);
    free(deep);
    free(paths[0]);
    free(paths[1]);
}

static void
test_tcp(void **state)
{
    static const char *const forms[] = {
        "0:127.0.0.1", "0:[::1]", "0",
    };
    char *error;

    for (size_t i = 0; i < ARRAY_SIZE(forms); i++) {
        int listener = socket_listen_tcp(forms[i], 6640, &error);
        if (listener < 0 && i == 1) {
            free(error);               /* No IPv6 here. */
            continue;
        }
        assert_null(error);
        char target[40];
        snprintf(target, sizeof target, i == 0 ? "127.0.0.1:%d" : i == 1 ? "[::1]:%d" : "localhost:%d",
                 socket_port(listener));
        int client = socket_connect_tcp(target, 0, &error);
        assert_null(error);
        check_pair(listener, client);
    }

    /* Refused, sooner or later. */
    int listener = socket_listen_tcp("0:127.0.0.1", 0, &error);
    assert_null(error);
    int port = socket_port(listener);
    close(listener);
    int client = socket_connect_tcp("127.0.0.1", port, &error);
    if (client >= 0) {
        int e;
        for (int i = 0; i < 1000 && (e = socket_error(client)) == EINPROGRESS; i++) {
            usleep(1000);
        }
        assert_int_equal(e, ECONNREFUSED);
        close(client);
    }
    free(error);

    const char *bad[] = { "", ":1", "127.0.0.1", "127.0.0.1:x", "127.0.0.1:0", "127.0.0.1:65536", "[::1", "[::1]6" };
    for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
        assert_int_equal(socket_connect_tcp(bad[i], 0, &error), -1);
        assert_non_null(error);
        free(error);
    }
    const char *bad_listen[] = { "x", "1:[::1", "70000", "1:127.0.0.1:2" };
    for (size_t i = 0; i < ARRAY_SIZE(bad_listen); i++) {
        assert_int_equal(socket_listen_tcp(bad_listen[i], 0, &error), -1);
        assert_non_null(error);
        free(error);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_loop), cmocka_unit_test(test_always_ready), cmocka_unit_test(test_unix), cmocka_unit_test(test_tcp),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

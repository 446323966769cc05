/* rpc_test.c - framing and reading messages, over a socket pair: every order of members, every cut of the stream. */
#include "base/test.h"
#include "ovsdb/rpc.h"

#include <sys/socket.h>
#include <unistd.h>

struct heard {
    struct str text;               /* What the callbacks heard, in words. */
    bool closed, violation;
};

static void
heard_connected(void *aux)
{
}

static char *
heard_message(void *aux, struct rpc_message *m)
{
    static const char *const kinds[] = { "request", "notification", "reply", "error" };
    struct heard *h = aux;
    const char *p = "";
    size_t n = 0;

    assert_true(json_raw(&m->payload, &p, &n));
    str_printf(&h->text, "%s %s %.*s %lld %.*s %.*s;", kinds[m->kind], m->method, (int) m->id_len, m->id ? m->id : "",
               (long long) m->number, (int) m->error_len, m->error ? m->error : "", (int) n, p);
    return str_eq(m->method, "stop") ? xstrdup("stopped") : NULL;
}

static void
heard_closed(void *aux, const char *reason, bool violation)
{
    struct heard *h = aux;
    str_printf(&h->text, "closed: %s;", reason);
    h->closed = true;
    h->violation = violation;
}

static const struct rpc_ops ops = { heard_connected, heard_message, heard_closed };

/* What is heard when TEXT comes in pieces of STEP bytes, and then the end. */
static char *
hear(const char *text, size_t step, size_t limit, bool *violation)
{
    struct heard h = { STR_INIT, false, false };
    struct loop *loop = loop_create();
    int fds[2];

    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, fds), 0);
    struct rpc *r = rpc_create(loop, stream_from_fd(fds[0]), &ops, &h);
    rpc_set_limit(r, limit);
    loop_once(loop, 0);
    for (size_t at = 0, n = strlen(text); at < n && !h.closed; at += step) {
        size_t m = MIN(step, n - at);
        assert_int_equal(send(fds[1], text + at, m, MSG_NOSIGNAL), m);
        loop_once(loop, 1000);
    }
    close(fds[1]);
    for (int i = 0; i < 10 && !h.closed; i++) {
        loop_once(loop, 1000);
    }
    assert_true(h.closed);
    *violation = h.violation;
    rpc_destroy(r);
    loop_destroy(loop);
    return str_steal(&h.text);
}

static void
test_messages(void **state)
{
    static const struct {
        const char *text, *heard;
        bool violation;
    } cases[] = {
        { "{\"id\":1,\"result\":[1,{\"a\":2}],\"error\":null}", "reply  1 1  [1,{\"a\":2}];", false },
        { "{\"result\":[1,{\"a\":2}],\"error\":null,\"id\":1}", "reply  1 1  [1,{\"a\":2}];", false },
        { "{\"error\":null,\"id\":\"x\",\"result\":{}}", "reply  \"x\" -1  {};", false },
        { "{\"id\":3,\"result\":null,\"error\":{\"error\":\"e\"}}", "error  3 3 {\"error\":\"e\"} null;", false },
        { "{\"id\":3,\"error\":\"e\"}", "error  3 3 \"e\" null;", false },
        { "{\"id\":null,\"method\":\"update\",\"params\":[\"x\",{}]}", "notification update null -1  [\"x\",{}];", false },
        { "{\"params\":[\"]}\"],\"method\":\"update\",\"id\":null}", "notification update null -1  [\"]}\"];", false },
        { "{\"method\":\"update\",\"params\":[]}", "notification update  -1  [];", false },
        { "{\"method\":\"echo\",\"params\":[],\"id\":[1]}", "request echo [1] -1  [];", false },
        { "{\"id\":1,\"method\":\"echo\",\"params\":null}", "request echo 1 1  null;", false },
        { " {\"id\":1,\"result\":{}} \n\t{\"id\":2,\"result\":[]}{\"id\":", "reply  1 1  {};reply  2 2  [];", false },
        { "{\"id\":1,\"method\":\"stop\",\"params\":[]}{\"id\":2,\"result\":[]}", "request stop 1 1  [];closed: stopped;", true },
        { "[]", "closed: a message is not an object;", true },
        { "{}", "closed: a message is neither a request nor a reply;", true },
        { "{\"id\":null,\"result\":{}}", "closed: a message is neither a request nor a reply;", true },
        { "7", "closed: received bytes that are not JSON;", true },
        { "}", "closed: received bytes that are not JSON;", true },
        { "{\"id\":1,\"result\":{}}x", "reply  1 1  {};closed: received bytes that are not JSON;", true },
    };
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        for (size_t step = 1; step < 200; step = step * 2 + 1) {
            bool violation;
            char *heard = hear(cases[i].text, step, 1000, &violation);
            char *expected = xasprintf("%s%s", cases[i].heard,
                                       cases[i].violation ? "" : "closed: the peer closed the connection;");
            assert_string_equal(heard, expected);
            assert_int_equal(violation, cases[i].violation);
            free(heard);
            free(expected);
        }
    }
}

static void
test_limit(void **state)
{
    bool violation;
    char *ok = hear("{\"id\":1,\"result\":[12]}", 5, 22, &violation);
    assert_string_equal(ok, "reply  1 1  [12];closed: the peer closed the connection;");
    assert_false(violation);
    char *bad = hear("{\"id\":1,\"result\":[123]}", 5, 22, &violation);
    assert_string_equal(bad, "closed: a message exceeds 22 bytes;");
    assert_true(violation);
    free(ok);
    free(bad);
}

/* A peer that does not read: sending never blocks, everything arrives in order when it does read. */
static void
test_sending(void **state)
{
    struct heard h = { STR_INIT, false, false };
    struct loop *loop = loop_create();
    int fds[2];
    enum { N = 20000 };
    size_t got = 0;

    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, fds), 0);
    struct rpc *r = rpc_create(loop, stream_from_fd(fds[0]), &ops, &h);
    struct str all = STR_INIT, read_ = STR_INIT;
    for (int i = 0; i < N; i++) {
        struct str *out = rpc_begin(r);
        size_t before = out->len;
        str_printf(out, "{\"number\":%d,\"text\":\"%0200d\"}", i, i);
        str_put(&all, out->s + before, out->len - before);
        rpc_end(r);
    }
    assert_true(rpc_tx_queued(r) > N * 100);
    while (got < all.len && !h.closed) {
        char buffer[100000];
        loop_once(loop, 0);
        ssize_t n = recv(fds[1], buffer, sizeof buffer, 0);
        if (n > 0) {
            str_put(&read_, buffer, n);
            got += n;
        }
    }
    assert_int_equal(rpc_tx_queued(r), 0);
    assert_int_equal(read_.len, all.len);
    assert_memory_equal(read_.s, all.s, all.len);
    str_free(&all);
    str_free(&read_);
    str_free(&h.text);
    rpc_destroy(r);
    close(fds[1]);
    loop_destroy(loop);
}

static void
test_error_text(void **state)
{
    static const char *const cases[][2] = {
        { "\"unknown method\"", "unknown method" },
        { "{\"error\":\"a\",\"details\":\"b \\\"c\\\"\",\"syntax\":[1]}", "a: b \"c\"" },
        { "{\"details\":\"b\",\"error\":\"a\"}", "a: b" },
        { "[1]", "[1]" },
        { "{\"error\":", "{\"error\":" },
    };
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        char *text = rpc_error_text(cases[i][0], strlen(cases[i][0]));
        assert_string_equal(text, cases[i][1]);
        free(text);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_messages),
        cmocka_unit_test(test_limit),
        cmocka_unit_test(test_sending),
        cmocka_unit_test(test_error_text),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

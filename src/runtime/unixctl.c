/* unixctl.c - the server of the control socket. The commands of logging are in unixctl_log.c, the
 * client in unixctl_client.c.
 *
 * A connection reads requests one at a time: while a command has not answered, nothing more is read,
 * so its peer is slowed and not we. A connection belongs to the server while idle, and to the
 * command while `pending`: it is freed only after the answer, even if its peer or the server is gone.
 *
 * Whoever can open the socket is an administrator, but not necessarily a careful one: a message is
 * bounded, and so are connections (the longest idle goes first); anything that is not a request
 * closes its connection and nothing else. */
#include "runtime/unixctl.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/list.h"
#include "base/log.h"
#include "json/json.h"
#include "runtime/daemon.h"
#include "runtime/socket.h"
#include "runtime/unixctl_private.h"

LOG_MODULE(unixctl);

enum { ACCEPT_RETRY_MSEC = 1000 };
static size_t max_request = 1024 * 1024, max_conns = 256;

struct command {
    struct list node;          /* In `commands`, by name. */
    char *name, *usage;
    int min_args, max_args;
    unixctl_cb *cb;
    void *aux;
};

struct unixctl_conn {
    struct list node;          /* In server.conns, the longest idle first. */
    int fd;                    /* -1: the server is closed, or the peer gone. */
    struct loop_io *io;
    struct json_framer framer;
    struct str in;             /* Received and not yet consumed; */
    size_t framed;             /* of which the framer saw so many. */
    struct str out;
    char *id;                  /* Of the pending request, as JSON. */
    struct str log;            /* Goes with its answer. */
    bool pending;
    bool running;              /* The command is on the stack. */
    bool json;                 /* set-options --format json: results are JSON documents. */
    void (*gone)(void *aux);   /* While pending: what to call if the peer hangs up. */
    void *gone_aux;
};

static struct {
    struct loop *loop;
    char *path;
    int fd;
    struct loop_io *io;
    struct loop_timer *retry;
    struct list conns;
    size_t n_conns;
} server = { .fd = -1 };

static struct list commands = { &commands, &commands };

/* --- Commands. --- */

static struct command *
find_command(const char *name)
{
    LIST_FOR_EACH (c, struct command, node, &commands) {
        if (str_eq(c->name, name)) {
            return c;
        }
    }
    return NULL;
}

void
unixctl_register(const char *name, const char *usage, int min_args, int max_args, unixctl_cb *cb,
                 void *aux)
{
    struct command *c = find_command(name);

    if (!c) {
        c = XNEW(struct command);
        c->name = xstrdup(name);
        struct list *where = &commands;
        LIST_FOR_EACH (other, struct command, node, &commands) {
            if (strcmp(other->name, name) > 0) {
                where = &other->node;
                break;
            }
        }
        list_insert_before(where, &c->node);
    }
    free(c->usage);
    c->usage = xstrdup(usage);
    c->min_args = min_args;
    c->max_args = max_args;
    c->cb = cb;
    c->aux = aux;
}

static void
list_commands(struct unixctl_conn *conn, int argc, const char *argv[], void *aux)
{
    struct str s = STR_INIT;

    str_puts(&s, "The available commands are:\n");
    LIST_FOR_EACH (c, struct command, node, &commands) {
        str_printf(&s, "  %-23s %s\n", c->name, c->usage);
    }
    unixctl_reply(conn, s.s);
    str_free(&s);
}

static void
show_version(struct unixctl_conn *conn, int argc, const char *argv[], void *aux)
{
    char *text = xasprintf("%s (Open Virtual Network) %s\n", program_name(), ovn_version());

    unixctl_reply(conn, text);
    free(text);
}

static void
exit_command(struct unixctl_conn *conn, int argc, const char *argv[], void *aux)
{
    loop_stop(server.loop);
    unixctl_reply(conn, NULL);
}

/* What a newer ovs-appctl asks first on its connection when the user wants another format: "--format json". */
static void
set_options(struct unixctl_conn *conn, int argc, const char *argv[], void *aux)
{
    bool json = conn->json;

    for (int i = 1; i < argc; i++) {
        const char *value = str_eq(argv[i], "--format") ? argv[++i]
                            : !strncmp(argv[i], "--format=", 9) ? argv[i] + 9 : NULL;
        if (!value || i >= argc || (!str_eq(value, "json") && !str_eq(value, "text"))) {
            char *error = xasprintf("%s: the only option is --format text|json", argv[0]);
            unixctl_error(conn, error);
            free(error);
            return;
        }
        json = str_eq(value, "json");
    }
    unixctl_reply(conn, NULL);
    conn->json = json;
}

static void
register_builtins(void)
{
    static const struct {
        const char *name, *usage;
        int max_args;
        unixctl_cb *cb;
    } builtins[] = {
        { "list-commands", "", 0, list_commands },
        { "version", "", 0, show_version },
        { "exit", "", 0, exit_command },
        { "set-options", "[--format text|json]", 2, set_options },
    };

    for (size_t i = 0; i < ARRAY_SIZE(builtins); i++) {
        if (!find_command(builtins[i].name)) {
            unixctl_register(builtins[i].name, builtins[i].usage, 0, builtins[i].max_args, builtins[i].cb, NULL);
        }
    }
    unixctl_register_log();
    unixctl_register_time(server.loop);
}

/* --- Connections. --- */

static void conn_run(struct unixctl_conn *);

static void
conn_hang_up(struct unixctl_conn *conn)
{
    loop_io_destroy(conn->io);
    conn->io = NULL;
    if (conn->fd >= 0) {
        close(conn->fd);
        conn->fd = -1;
        list_remove(&conn->node);
        server.n_conns--;
    }
}

static void
conn_destroy(struct unixctl_conn *conn)
{
    conn_hang_up(conn);
    str_free(&conn->in);
    str_free(&conn->out);
    str_free(&conn->log);
    free(conn->id);
    free(conn);
}

/* Sends what it can of `out`. False if the peer is gone. */
static bool
conn_flush(struct unixctl_conn *conn)
{
    size_t done = 0;

    while (done < conn->out.len) {
        ssize_t n = send(conn->fd, conn->out.s + done, conn->out.len - done, MSG_NOSIGNAL);
        if (n < 0 && errno == EINTR) {
            continue;
        } else if (n < 0 && errno == EAGAIN) {
            break;
        } else if (n < 0) {
            return false;
        }
        done += n;
    }
    if (done) {
        memmove(conn->out.s, conn->out.s + done, conn->out.len - done);
        str_truncate(&conn->out, conn->out.len - done);
    }
    return true;
}

/* Watches what the state of CONN calls for: first the answer goes out, then the next request. */
static void
conn_watch(struct unixctl_conn *conn)
{
    if (conn->io) {
        loop_io_set(conn->io, conn->out.len ? LOOP_WRITE : !conn->pending ? LOOP_READ : conn->gone ? LOOP_GONE : 0);
    }
}

static void
answer(struct unixctl_conn *conn, const char *key, const char *text)
{
    struct str full = STR_INIT;
    struct str *out = &conn->out;

    REQUIRE(conn->pending);
    str_puts(&full, text ? text : "");
    if (full.len && full.s[full.len - 1] != '\n') {
        str_putc(&full, '\n');
    }
    bool is_error = str_eq(key, "error"), wrap = conn->json && !is_error;
    str_printf(out, "{\"id\":%s,\"%s\":", conn->id, key);
    str_puts(out, wrap ? "{\"reply-format\":\"plain\",\"reply\":" : "");
    json_put_string(out, str_c(&full), full.len);
    str_puts(out, wrap ? "}" : "");
    if (conn->log.len) {
        str_puts(out, ",\"log\":");
        json_put_string(out, conn->log.s, conn->log.len);
        str_clear(&conn->log);
    }
    str_puts(out, is_error ? ",\"result\":null}" : ",\"error\":null}");
    str_free(&full);
    free(conn->id);
    conn->id = NULL;
    conn->pending = false;
    conn->gone = NULL;
    if (conn->running) {
        return;                /* conn_run() goes on. */
    }
    if (conn->fd < 0 || !conn_flush(conn)) {
        conn_destroy(conn);
        return;
    }
    conn_run(conn);
}

void
unixctl_reply(struct unixctl_conn *conn, const char *text)
{
    answer(conn, "result", text);
}

void
unixctl_error(struct unixctl_conn *conn, const char *text)
{
    answer(conn, "error", text);
}

void
unixctl_log(struct unixctl_conn *conn, const char *line)
{
    if (str_eq(conn->id, UNIXCTL_LOG_ID)) {
        str_printf(&conn->log, "%s\n", line);
    }
}

void
unixctl_on_hang_up(struct unixctl_conn *conn, void (*cb)(void *aux), void *aux)
{
    conn->gone = cb;
    conn->gone_aux = aux;
    conn_watch(conn);
}

void
unixctl_set_limits(size_t conns, size_t request)
{
    max_conns = conns;
    max_request = request;
}

static void
run_command(struct unixctl_conn *conn, int argc, const char *argv[])
{
    const struct command *c = find_command(argv[0]);
    char *error = NULL;

    LOG_DBG("command %s with %d arguments", argv[0], argc - 1);
    if (!c) {
        error = xasprintf("\"%s\" is not a valid command (use \"list-commands\" to see a list of "
                          "valid commands)", argv[0]);
    } else if (argc - 1 < c->min_args) {
        error = xasprintf("\"%s\" command requires at least %d arguments", argv[0], c->min_args);
    } else if (argc - 1 > c->max_args) {
        error = xasprintf("\"%s\" command takes at most %d arguments", argv[0], c->max_args);
    }
    conn->running = true;
    if (error) {
        unixctl_error(conn, error);
        free(error);
    } else {
        c->cb(conn, argc, argv, c->aux);
    }
    conn->running = false;
}

/* The current string of R as a C string; NULL if it holds a NUL. */
static char *
take_string(const struct json_reader *r)
{
    return memchr(r->s.p, 0, r->s.n) ? NULL : xstrndup(r->s.p, r->s.n);
}

struct request {
    char *id;
    char **argv;               /* [0] is the method. */
    size_t argc, cap;
};

static void
request_free(struct request *q)
{
    for (size_t i = 0; i < q->argc; i++) {
        free(q->argv[i]);
    }
    free(q->argv);
    free(q->id);
}

/* The elements of "params", whose '[' is the current token. */
static bool
parse_params(struct json_reader *r, struct request *q)
{
    if (r->token != JSON_ARRAY_BEGIN) {
        return false;
    }
    while (json_next(r) == JSON_STRING) {
        char *arg = take_string(r);
        if (!arg) {
            return false;
        }
        GROW(q->argv, q->cap, q->argc + 1);
        q->argv[q->argc++] = arg;
    }
    return r->token == JSON_ARRAY_END;
}

/* {"id": not null, "method": STRING, "params": [STRING...]}; members in any order, others ignored. */
static bool
parse_request(struct json_reader *r, struct request *q)
{
    bool has_params = false;

    GROW(q->argv, q->cap, 1);
    q->argv[q->argc++] = NULL;
    if (json_next(r) != JSON_OBJECT_BEGIN) {
        return false;
    }
    while (json_next(r) == JSON_KEY) {
        bool is_method = json_string_is(r, "method") && !q->argv[0];
        bool is_params = json_string_is(r, "params") && !has_params;
        bool is_id = json_string_is(r, "id") && !q->id;
        enum json_token token = json_next(r);
        if (is_method) {
            if (token != JSON_STRING || !(q->argv[0] = take_string(r))) {
                return false;
            }
        } else if (is_params) {
            has_params = true;
            if (!parse_params(r, q)) {
                return false;
            }
        } else if (is_id) {
            const char *p;
            size_t n;
            if (token == JSON_NULL || !json_raw(r, &p, &n)) {
                return false;
            }
            q->id = xstrndup(p, n);
        } else if (!json_skip(r)) {
            return false;
        }
    }
    return r->token == JSON_OBJECT_END && q->argv[0] && has_params && q->id;
}

/* Runs the request of N bytes that `in` begins with, and drops it. False if it was none. */
static bool
conn_request(struct unixctl_conn *conn, size_t n)
{
    struct request q = { NULL };
    struct json_reader r;

    json_reader_init(&r, conn->in.s, n);
    bool ok = parse_request(&r, &q);
    json_reader_destroy(&r);

    memmove(conn->in.s, conn->in.s + n, conn->in.len - n);
    str_truncate(&conn->in, conn->in.len - n);
    conn->framed = 0;
    memset(&conn->framer, 0, sizeof conn->framer);
    if (ok) {
        conn->id = q.id;
        q.id = NULL;
        conn->pending = true;
        run_command(conn, q.argc, (const char **) q.argv);
    }
    request_free(&q);
    return ok;
}

/* Handles complete requests in `in`. Might destroy CONN. */
static void
conn_run(struct unixctl_conn *conn)
{
    const char *problem = NULL;

    while (!conn->pending && !conn->out.len && conn->framed < conn->in.len) {
        bool complete = false;
        size_t n = json_framer_feed(&conn->framer, conn->in.s + conn->framed,
                                    conn->in.len - conn->framed, &complete);
        if (n == SIZE_MAX) {
            problem = "what is not JSON";
            break;
        }
        conn->framed += n;
        if (complete && !conn_request(conn, conn->framed)) {
            problem = "what is not a request";
            break;
        }
        if (conn->fd < 0) {
            /* The command closed the server; an answer may still come. */
            if (!conn->pending) {
                conn_destroy(conn);
            }
            return;
        }
        if (!conn_flush(conn)) {
            if (!conn->pending) {
                conn_destroy(conn);
                return;
            }
            conn_hang_up(conn);
            return;
        }
        if (!complete) {
            break;
        }
    }
    if (!problem && !conn->pending && !conn->out.len && conn->in.len >= max_request) {
        problem = "too long a message";
    }
    if (problem) {
        LOG_WARN_RL("control connection sent %s, closing it", problem);
        conn_destroy(conn);
        return;
    }
    conn_watch(conn);
}

static void
on_conn(void *conn_, unsigned events)
{
    struct unixctl_conn *conn = conn_;
    char buf[16384];

    list_remove(&conn->node);
    list_push_back(&server.conns, &conn->node);
    if (events & LOOP_GONE) {
        conn_hang_up(conn);
        conn->gone(conn->gone_aux);            /* Might answer, which frees it. */
        return;
    }
    if (events & LOOP_WRITE) {
        if (!conn_flush(conn)) {
            conn_destroy(conn);
        } else {
            conn_run(conn);
        }
        return;
    }
    ssize_t n = recv(conn->fd, buf, sizeof buf, 0);
    if (n > 0) {
        str_put(&conn->in, buf, n);
        conn_run(conn);
    } else if (n == 0 || (errno != EAGAIN && errno != EINTR)) {
        conn_destroy(conn);
    }
}

static void
on_retry(void *aux)
{
    loop_io_set(server.io, LOOP_READ);
}

static void
on_listener(void *aux, unsigned events)
{
    int fd = socket_accept(server.fd);
    if (fd < 0) {
        if (errno != EAGAIN && errno != EINTR && errno != ECONNABORTED) {
            LOG_WARN_RL("control socket: accept: %s", strerror(errno));
            loop_io_set(server.io, 0);
            loop_timer_set(server.retry, ACCEPT_RETRY_MSEC);
        }
        return;
    }
    if (server.n_conns >= max_conns) {
        struct unixctl_conn *victim = NULL;
        LIST_FOR_EACH (conn, struct unixctl_conn, node, &server.conns) {
            if (!conn->pending) {
                victim = conn;
                break;
            }
        }
        if (!victim) {
            close(fd);
            return;
        }
        conn_destroy(victim);
    }
    struct unixctl_conn *conn = XNEW(struct unixctl_conn);
    conn->fd = fd;
    conn->io = loop_io_create(server.loop, fd, LOOP_READ, on_conn, conn);
    list_push_back(&server.conns, &conn->node);
    server.n_conns++;
}

/* --- The server. --- */

char *
unixctl_listen(struct loop *loop, const char *path)
{
    char *error;

    REQUIRE(server.fd < 0);
    if (!path) {
        server.path = xasprintf("%s/%s.%ld.ctl", dir_run(), program_name(), (long) getpid());
    } else if (path[0] == '/') {
        server.path = xstrdup(path);
    } else {
        server.path = xasprintf("%s/%s", dir_run(), path);
    }
    server.fd = socket_listen_unix(server.path, &error);
    if (server.fd < 0) {
        char *message = xasprintf("could not initialize control socket (%s)", error);
        free(error);
        free(server.path);
        server.path = NULL;
        return message;
    }
    list_init(&server.conns);
    server.loop = loop;
    server.io = loop_io_create(loop, server.fd, LOOP_READ, on_listener, NULL);
    server.retry = loop_timer_create(loop, on_retry, NULL);
    register_builtins();
    return NULL;
}

const char *
unixctl_path(void)
{
    return server.path;
}

void
unixctl_close(void)
{
    if (server.fd < 0) {
        return;
    }
    LIST_FOR_EACH_SAFE (conn, struct unixctl_conn, node, &server.conns) {
        if (conn->pending || conn->running) {
            conn_hang_up(conn);        /* Freed with its answer. */
        } else {
            conn_destroy(conn);
        }
    }
    loop_timer_destroy(server.retry);
    loop_io_destroy(server.io);
    close(server.fd);
    server.fd = -1;
    unlink(server.path);
    free(server.path);
    server.path = NULL;
}

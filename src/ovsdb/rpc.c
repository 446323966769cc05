/* rpc.c - see rpc.h.
 *
 * Reading: `in` holds what was received and not yet consumed, from `head` to `len`; `scanned` bytes of it went through the
 * framer. A complete message is [head, head + its length). The buffer doubles as a message grows, so a dump of
 * n bytes is moved O(1) times (by the kernel's page tables, for large ones) and is in memory once.
 *
 * In a message the payload is read in place where the members that it depends on came before it (ovsdb-server
 * sends "id" and "method" first); otherwise it is skipped and read afterwards, in a second pass over its text. */
#include "ovsdb/rpc.h"

#include <errno.h>
#include <stdlib.h>
#include "base/clock.h"

enum {
    READ_MIN = 64 * 1024,          /* Room made for a read. */
    READ_TURN = 8 * 1024 * 1024,   /* Bytes read before the loop serves others. */
    KEEP = 1024 * 1024,            /* A larger buffer is freed when it is empty. */
};

struct rpc {
    struct loop *loop;
    struct loop_io *io;
    struct stream *stream;
    const struct rpc_ops *ops;
    void *aux;
    bool connecting;
    bool broken;                   /* Sending failed; the reading side will say so. */

    char *in;
    size_t head, len, cap, scanned;
    struct json_framer framer;
    size_t limit;
    int64_t last_rx;
    uint64_t rx_bytes;

    struct str out;
    size_t sent;                   /* Of `out`. */
};

static void rpc_event(void *aux, unsigned events);

struct rpc *
rpc_create(struct loop *loop, struct stream *stream, const struct rpc_ops *ops, void *aux)
{
    struct rpc *r = XNEW(struct rpc);
    r->loop = loop;
    r->stream = stream;
    r->ops = ops;
    r->aux = aux;
    r->connecting = true;
    r->limit = SIZE_MAX;
    r->last_rx = clock_msec();
    r->io = loop_io_create(loop, stream_fd(stream), stream_events(stream, true), rpc_event, r);
    return r;
}

void
rpc_destroy(struct rpc *r)
{
    if (!r) {
        return;
    }
    loop_io_destroy(r->io);
    stream_close(r->stream);
    free(r->in);
    str_free(&r->out);
    free(r);
}

void
rpc_set_limit(struct rpc *r, size_t max_message)
{
    r->limit = max_message;
}

int64_t
rpc_last_rx(const struct rpc *r)
{
    return r->last_rx;
}

uint64_t
rpc_rx_bytes(const struct rpc *r)
{
    return r->rx_bytes;
}

size_t
rpc_tx_queued(const struct rpc *r)
{
    return r->out.len - r->sent;
}

/* ---- sending ---- */

static void
rpc_flush(struct rpc *r)
{
    while (!r->connecting && !r->broken && r->sent < r->out.len) {
        ssize_t n = stream_send(r->stream, r->out.s + r->sent, r->out.len - r->sent);
        if (n > 0) {
            r->sent += n;
        } else if (!n) {
            break;
        } else {
            r->broken = true;
        }
    }
    if (r->broken || r->sent == r->out.len) {
        if (r->out.cap > KEEP) {
            str_free(&r->out);
        }
        str_clear(&r->out);
        r->sent = 0;
    } else if (r->sent > KEEP && r->sent > r->out.len / 2) {
        memmove(r->out.s, r->out.s + r->sent, r->out.len - r->sent);
        str_truncate(&r->out, r->out.len - r->sent);
        r->sent = 0;
    }
    loop_io_set(r->io, stream_events(r->stream, r->sent < r->out.len));
}

struct str *
rpc_begin(struct rpc *r)
{
    return &r->out;
}

void
rpc_end(struct rpc *r)
{
    rpc_flush(r);
}

/* ---- receiving ---- */

/* Parses the envelope of the message [text, text + n). On success M->payload stands on the payload and the
 * caller destroys it. False: *error is a message, the caller's, and nothing is to be destroyed. */
static bool
rpc_parse(const char *text, size_t n, struct rpc_message *m, char **error)
{
    struct json_reader *r = &m->payload;
    const char *late = NULL;           /* A payload that came too early to be read in place. */
    size_t late_len = 0;
    bool has_id = false, has_result = false;

    memset(m, 0, offsetof(struct rpc_message, payload));
    m->number = -1;
    json_reader_init(r, text, n);
    if (json_next(r) != JSON_OBJECT_BEGIN) {
        *error = xstrdup(r->token == JSON_ERROR ? json_error(r) : "a message is not an object");
        goto fail;
    }
    while (json_next(r) == JSON_KEY) {
        bool id = json_string_is(r, "id"), method = json_string_is(r, "method"),
            params = json_string_is(r, "params"), result = json_string_is(r, "result"),
            is_error = json_string_is(r, "error");
        enum json_token token = json_next(r);

        if (id) {
            m->number = token == JSON_INTEGER ? r->i : -1;
            has_id = token != JSON_NULL;
            if (!json_raw(r, &m->id, &m->id_len)) {
                break;
            }
        } else if (method && token == JSON_STRING) {
            if (!r->s.n || r->s.n >= sizeof m->method) {
                *error = xstrdup("a method's name is too long");
                goto fail;
            }
            memcpy(m->method, r->s.p, r->s.n);
            m->method[r->s.n] = '\0';
        } else if (is_error && token != JSON_NULL) {
            if (!json_raw(r, &m->error, &m->error_len)) {
                break;
            }
        } else if ((params || result) && token != JSON_NULL) {
            has_result |= result;
            if (m->id && (result ? has_id : m->method[0] != '\0')) {
                m->kind = result ? RPC_REPLY : has_id ? RPC_REQUEST : RPC_NOTIFICATION;
                return true;
            }
            if (!json_raw(r, &late, &late_len)) {
                break;
            }
        } else if (!json_skip(r)) {
            break;
        }
    }
    if (r->token != JSON_OBJECT_END) {
        *error = xstrdup(r->token == JSON_ERROR ? json_error(r) : "a message is malformed");
        goto fail;
    }
    json_reader_destroy(r);

    if (m->method[0]) {
        m->kind = has_id ? RPC_REQUEST : RPC_NOTIFICATION;
    } else if (has_id && (m->error || has_result)) {
        m->kind = m->error ? RPC_ERROR : RPC_REPLY;
    } else {
        *error = xstrdup("a message is neither a request nor a reply");
        return false;
    }
    json_reader_init(r, late ? late : "null", late ? late_len : 4);
    json_next(r);
    return true;

fail:
    json_reader_destroy(r);
    return false;
}

/* Handles the complete message of N bytes. Returns NULL or why the connection ends. */
static char *
rpc_message(struct rpc *r, size_t n)
{
    struct rpc_message m;
    char *error = NULL;

    if (!rpc_parse(r->in + r->head, n, &m, &error)) {
        return error;
    }
    error = r->ops->message(r->aux, &m);
    json_reader_destroy(&m.payload);
    return error;
}

/* Frames and handles what is in the buffer. Returns NULL or why the connection ends. */
static char *
rpc_consume(struct rpc *r)
{
    while (r->head + r->scanned < r->len) {
        bool complete = false;
        size_t at = r->head + r->scanned;
        size_t n = json_framer_feed(&r->framer, r->in + at, r->len - at, &complete);
        if (n == SIZE_MAX) {
            return xstrdup("received bytes that are not JSON");
        }
        r->scanned += n;
        if (r->scanned > r->limit) {
            return xasprintf("a message exceeds %zu bytes", r->limit);
        }
        if (complete) {
            char *error = rpc_message(r, r->scanned);
            if (error) {
                return error;
            }
            r->head += r->scanned;
            r->scanned = 0;
            memset(&r->framer, 0, sizeof r->framer);
        }
    }
    return NULL;
}

/* Makes room to read into: moves what is kept to the front, grows. */
static void
rpc_reserve(struct rpc *r)
{
    if (r->head == r->len) {
        r->head = r->len = 0;
        if (r->cap > KEEP) {
            free(r->in);
            r->in = NULL;
            r->cap = 0;
        }
    } else if (r->head && r->cap - r->len < READ_MIN) {
        memmove(r->in, r->in + r->head, r->len - r->head);
        r->len -= r->head;
        r->head = 0;
    }
    if (r->cap - r->len < READ_MIN) {
        r->cap = MAX(r->cap * 2, 2 * READ_MIN);
        r->in = xrealloc(r->in, r->cap);
    }
}

static void
rpc_readable(struct rpc *r)
{
    for (size_t turn = 0; turn < READ_TURN || stream_has_more(r->stream); ) {
        rpc_reserve(r);
        size_t room = r->cap - r->len;
        ssize_t n = stream_recv(r->stream, r->in + r->len, room);
        if (!n) {
            break;
        }
        if (n < 0) {
            r->ops->closed(r->aux, stream_error(r->stream), false);
            return;
        }
        r->len += n;
        r->rx_bytes += n;
        r->last_rx = clock_msec();
        turn += n;
        char *error = rpc_consume(r);
        if (error) {
            r->ops->closed(r->aux, error, true);
            free(error);
            return;
        }
        if ((size_t) n < room && !stream_has_more(r->stream)) {
            break;
        }
    }
    rpc_reserve(r);                /* Gives a large buffer back while idle. */
}

static void
rpc_event(void *aux, unsigned events)
{
    struct rpc *r = aux;

    if (r->connecting) {
        int status = stream_connect(r->stream);
        if (status < 0) {
            r->ops->closed(r->aux, stream_error(r->stream), false);
            return;
        }
        if (status) {
            loop_io_set(r->io, stream_events(r->stream, false));
            return;
        }
        r->connecting = false;
        r->last_rx = clock_msec();
        r->ops->connected(r->aux);
        rpc_flush(r);
        return;
    }
    /* Under TLS, to read may be to wait until one can write, and the reverse: whatever happened, both are tried. */
    if (rpc_tx_queued(r)) {
        rpc_flush(r);
    }
    rpc_readable(r);
}

char *
rpc_error_text(const char *json, size_t n)
{
    struct json_reader r;
    struct str what = STR_INIT, details = STR_INIT;

    json_reader_init(&r, json, n);
    switch (json_next(&r)) {
    case JSON_STRING:
        str_put(&what, r.s.p, r.s.n);
        break;
    case JSON_OBJECT_BEGIN:
        while (json_next(&r) == JSON_KEY) {
            struct str *s = json_string_is(&r, "error") ? &what : json_string_is(&r, "details") ? &details : NULL;
            if (json_next(&r) == JSON_STRING && s) {
                str_put(s, r.s.p, r.s.n);
            } else if (!json_skip(&r)) {
                break;
            }
        }
        break;
    default:
        break;
    }
    json_reader_destroy(&r);
    if (!what.len) {
        str_put(&what, json, MIN(n, 200));
    }
    if (details.len) {
        str_printf(&what, ": %s", details.s);
    }
    str_free(&details);
    return str_steal(&what);
}

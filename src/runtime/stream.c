/* stream.c - see stream.h. Plain sockets are read and written here, those under TLS through tls.c.
 *
 * A plain connection to a server that speaks TLS is told from a broken one by the first bytes that come: a TLS record begins
 * with its type (alert, handshake), and the version's first byte, 3 (RFC 8446 5.1). */
#include "runtime/stream.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>
#include "base/str.h"
#include "runtime/socket.h"
#include "runtime/tls.h"

enum { RECHECK_MSEC = 60000 };         /* How often the files of TLS are looked at. */

struct stream {
    int fd;
    bool connected;                    /* The socket; a handshake may follow. */
    bool is_tcp, heard;                /* Bytes were received. */
    struct tls *tls;                   /* NULL: a plain connection. */
    struct loop_timer *recheck;
    char *error;
};

/* "HOST", "HOST:PORT", "[IPv6]", "[IPv6]:PORT": checked here, so that a typing error is told when it is made. */
static bool
is_host_port(const char *s)
{
    const char *port = NULL, *end;

    if (*s == '[') {
        end = strchr(++s, ']');
        if (!end || (end[1] && end[1] != ':')) {
            return false;
        }
        port = end[1] ? end + 2 : NULL;
    } else {
        end = strchr(s, ':');
        port = end ? end + 1 : NULL;
        end = end ? end : s + strlen(s);
    }
    int64_t n;
    return end > s && (!port || str_to_int(port, 1, 65535, &n));
}

char *
stream_check_name(const char *name)
{
    const char *rest;

    if ((rest = str_after(name, "unix:")) && *rest) {
        return NULL;
    }
    bool ssl = str_after(name, "ssl:") != NULL;
    if ((rest = str_after(name, "tcp:")) || (rest = str_after(name, "ssl:"))) {
        return is_host_port(rest) ? NULL : xasprintf("%s: expected %s:HOST[:PORT], an IPv6 address in brackets", name,
                                                     ssl ? "ssl" : "tcp");
    }
    return xasprintf("%s: expected unix:PATH, tcp:HOST[:PORT] or ssl:HOST[:PORT]", name);
}

static void
recheck_files(void *s_)
{
    struct stream *s = s_;

    tls_refresh();
    loop_timer_set(s->recheck, RECHECK_MSEC);
}

struct stream *
stream_open(struct loop *loop, const char *name, int default_port, char **error)
{
    const char *path = str_after(name, "unix:"), *tcp = str_after(name, "tcp:"), *ssl = str_after(name, "ssl:");
    struct tls *tls = NULL;
    int fd = -1;

    *error = stream_check_name(name);
    if (*error || (ssl && !(tls = tls_create(ssl, error)))) {
        return NULL;
    }
    fd = path ? socket_connect_unix(path, error) : socket_connect_tcp(ssl ? ssl : tcp, default_port, error);
    if (fd < 0) {
        tls_destroy(tls);
        return NULL;
    }
    struct stream *s = XNEW(struct stream);
    s->fd = fd;
    s->tls = tls;
    s->is_tcp = tcp;
    if (tls) {
        tls_attach(tls, fd);
        s->recheck = loop_timer_create(loop, recheck_files, s);
        loop_timer_set(s->recheck, RECHECK_MSEC);
    }
    return s;
}

struct stream *
stream_from_fd(int fd)
{
    struct stream *s = XNEW(struct stream);

    s->fd = fd;
    return s;
}

void
stream_close(struct stream *s)
{
    if (!s) {
        return;
    }
    loop_timer_destroy(s->recheck);
    tls_destroy(s->tls);
    close(s->fd);
    free(s->error);
    free(s);
}

int
stream_fd(const struct stream *s)
{
    return s->fd;
}

unsigned
stream_events(const struct stream *s, bool writing)
{
    if (!s->connected) {
        return LOOP_WRITE;
    }
    return s->tls ? tls_events(s->tls, writing) : LOOP_READ | (writing ? LOOP_WRITE : 0);
}

static int
fail(struct stream *s, const char *why)
{
    if (!s->error) {
        s->error = xstrdup(why);
    }
    return -1;
}

int
stream_connect(struct stream *s)
{
    if (!s->connected) {
        int error = socket_error(s->fd);
        if (error) {
            return error == EINPROGRESS ? EAGAIN : fail(s, strerror(error));
        }
        s->connected = true;
    }
    return s->tls ? tls_handshake(s->tls) : 0;
}

ssize_t
stream_recv(struct stream *s, void *p, size_t n)
{
    ssize_t got;

    if (s->tls) {
        return tls_recv(s->tls, p, n);
    }
    do {
        got = recv(s->fd, p, n, MSG_DONTWAIT);
    } while (got < 0 && errno == EINTR);
    if (got < 0) {
        return errno == EAGAIN || errno == EWOULDBLOCK ? 0 : fail(s, strerror(errno));
    } else if (!got) {
        return fail(s, s->is_tcp && !s->heard ? "the peer closed the connection without a word (does it speak TLS? ssl: is with it)"
                                              : "the peer closed the connection");
    }
    const uint8_t *b = p;
    if (got >= 2 && !s->heard && (b[0] == 21 || b[0] == 22) && b[1] == 3) {
        return fail(s, TLS_REFUSED "the peer speaks TLS here: use ssl: instead of tcp:");
    }
    s->heard = true;
    return got;
}

ssize_t
stream_send(struct stream *s, const void *p, size_t n)
{
    ssize_t sent;

    if (s->tls) {
        return tls_send(s->tls, p, n);
    }
    do {
        sent = send(s->fd, p, n, MSG_NOSIGNAL | MSG_DONTWAIT);
    } while (sent < 0 && errno == EINTR);
    return sent < 0 && (errno == EAGAIN || errno == EWOULDBLOCK) ? 0 : sent;
}

bool
stream_has_more(const struct stream *s)
{
    return s->tls && tls_has_more(s->tls);
}

const char *
stream_error(const struct stream *s)
{
    return s->error ? s->error : s->tls ? tls_error(s->tls) : "";
}

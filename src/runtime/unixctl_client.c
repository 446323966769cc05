/* unixctl_client.c - one command, one answer, waited for. What tools use. */
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "json/json.h"
#include "runtime/daemon.h"
#include "runtime/pidfile.h"
#include "runtime/socket.h"
#include "runtime/unixctl.h"
#include "runtime/unixctl_private.h"

/* The socket of TARGET: itself if a path, else by its pidfile. */
static char *
find_socket(const char *target, char **path)
{
    const char *const dirs[] = { dir_run(), dir_ovs_run() };
    char *error = NULL;

    if (target[0] == '/') {
        *path = xstrdup(target);
        return NULL;
    }
    for (size_t i = 0; i < ARRAY_SIZE(dirs); i++) {
        char *pidfile = xasprintf("%s/%s.pid", dirs[i], target);
        pid_t pid;
        int e = pidfile_read(pidfile, &pid);
        if (!e) {
            *path = xasprintf("%s/%s.%ld.ctl", dirs[i], target, (long) pid);
            free(pidfile);
            free(error);
            return NULL;
        }
        if (!error) {
            error = xasprintf("cannot read pidfile \"%s\" (%s)", pidfile, strerror(e));
        }
        free(pidfile);
    }
    return error;
}

/* Waits until FD is ready for EVENTS. 0, or an errno value. */
static int
wait_fd(int fd, short events, int64_t deadline)
{
    for (;;) {
        struct pollfd p = { .fd = fd, .events = events };
        int64_t left = deadline < 0 ? -1 : deadline - clock_msec();
        if (deadline >= 0 && left <= 0) {
            return ETIMEDOUT;
        }
        int n = poll(&p, 1, left < 0 ? -1 : (int) MIN(left, INT32_MAX));
        if (n > 0) {
            return 0;
        } else if (n < 0 && errno != EINTR) {
            return errno;
        }
    }
}

static int
send_all(int fd, const struct str *s, int64_t deadline)
{
    size_t done = 0;

    while (done < s->len) {
        ssize_t n = send(fd, s->s + done, s->len - done, MSG_NOSIGNAL);
        if (n >= 0) {
            done += n;
        } else if (errno == EAGAIN) {
            int error = wait_fd(fd, POLLOUT, deadline);
            if (error) {
                return error;
            }
        } else if (errno != EINTR) {
            return errno;
        }
    }
    return 0;
}

/* Receives one JSON message. 0, or an errno value; EPROTO if it is none, ECONNRESET at the end. */
static int
receive(int fd, struct str *s, int64_t deadline)
{
    struct json_framer framer = { 0 };
    bool complete = false;

    while (!complete) {
        char buf[16384];
        ssize_t n = recv(fd, buf, sizeof buf, 0);
        if (n > 0) {
            size_t used = json_framer_feed(&framer, buf, n, &complete);
            if (used == SIZE_MAX) {
                return EPROTO;
            }
            str_put(s, buf, used);
        } else if (n == 0) {
            return ECONNRESET;
        } else if (errno == EAGAIN) {
            int error = wait_fd(fd, POLLIN, deadline);
            if (error) {
                return error;
            }
        } else if (errno != EINTR) {
            return errno;
        }
    }
    return 0;
}

static bool
parse_reply(const struct str *s, char **result, char **remote_error, char **log)
{
    struct json_reader r;
    bool ok = true;

    json_reader_init(&r, s->s, s->len);
    if (json_next(&r) != JSON_OBJECT_BEGIN) {
        ok = false;
    }
    while (ok && json_next(&r) == JSON_KEY) {
        char **text = json_string_is(&r, "result")  ? result
                      : json_string_is(&r, "error") ? remote_error
                      : json_string_is(&r, "log")   ? log
                                                    : NULL;
        if (json_next(&r) == JSON_STRING && text && !*text) {
            *text = xstrndup(r.s.p, r.s.n);
        } else if (!json_skip(&r)) {
            ok = false;
        }
    }
    ok = ok && r.token == JSON_OBJECT_END && !*result != !*remote_error;
    json_reader_destroy(&r);
    if (!ok) {
        free(*result);
        free(*remote_error);
        *result = *remote_error = NULL;
    }
    return ok;
}

char *
unixctl_call(const char *target, const char *method, int argc, const char *const argv[],
             int64_t timeout_ms, char **result, char **remote_error, char **log)
{
    int64_t deadline = timeout_ms ? clock_msec() + timeout_ms : -1;
    char *path = NULL, *connect_error, *said = NULL;

    *result = *remote_error = NULL;
    if (log) {
        *log = NULL;
    }
    char *error = find_socket(target, &path);
    if (error) {
        return error;
    }
    int fd;
    while ((fd = socket_connect_unix(path, &connect_error)) < 0 && errno == EAGAIN && (deadline < 0 || clock_msec() < deadline)) {
        free(connect_error);           /* Many others are just being let in. */
        poll(NULL, 0, 5);
    }
    if (fd < 0) {
        error = xasprintf("cannot connect to \"%s\" (%s)", path, strerror(errno));
        free(connect_error);
        free(path);
        return error;
    }

    struct str request = STR_INIT, reply = STR_INIT;
    str_printf(&request, "{\"id\":%s,\"method\":", log ? UNIXCTL_LOG_ID : "0");
    json_put_cstr(&request, method);
    str_puts(&request, ",\"params\":[");
    for (int i = 0; i < argc; i++) {
        str_puts(&request, i ? "," : "");
        json_put_cstr(&request, argv[i]);
    }
    str_puts(&request, "]}");
    int e = send_all(fd, &request, deadline);
    if (!e) {
        e = receive(fd, &reply, deadline);
    }
    if (!e && !parse_reply(&reply, result, remote_error, &said)) {
        e = EPROTO;
    }
    if (e) {
        error = xasprintf("%s: transaction error (%s)", path, strerror(e));
    }
    if (log) {
        *log = said;
    } else {
        free(said);
    }
    str_free(&request);
    str_free(&reply);
    close(fd);
    free(path);
    return error;
}

/* remote.c - see remote.h. The forms are those of ovsdb(7) "Connection Methods", the active ones. */
#include "ovsdb/remote.h"

#include <stdlib.h>
#include "base/uuid.h"
#include "runtime/socket.h"

/* "HOST", "HOST:PORT", "[IPv6]", "[IPv6]:PORT": checked here, so that a typing error is told when it is made. */
static bool
remote_is_host_port(const char *s)
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

static char *
remote_parse(const char *text, struct remote *r)
{
    const char *rest;

    memset(r, 0, sizeof *r);
    if ((rest = str_after(text, "unix:")) && *rest) {
        r->is_unix = true;
        r->host = xstrdup(rest);
    } else if (str_after(text, "ssl:")) {
        return xasprintf("%s: TLS is not there yet (it follows); use tcp: or unix:", text);
    } else if ((rest = str_after(text, "tcp:"))) {
        if (!remote_is_host_port(rest)) {
            return xasprintf("%s: expected tcp:HOST[:PORT], an IPv6 address in brackets", text);
        }
        r->host = xstrdup(rest);
    } else {
        return xasprintf("%s: expected unix:PATH or tcp:HOST[:PORT]", text);
    }
    r->text = xstrdup(text);
    return NULL;
}

char *
remotes_parse(const char *list, struct remotes *out)
{
    char *copy = xstrdup(list ? list : ""), *save = NULL;

    memset(out, 0, sizeof *out);
    out->text = xstrdup(copy);
    for (char *s = strtok_r(copy, ", \t\n", &save); s; s = strtok_r(NULL, ", \t\n", &save)) {
        GROW(out->v, out->cap, out->n + 1);
        char *error = remote_parse(s, &out->v[out->n]);
        if (error) {
            remotes_free(out);
            free(copy);
            return error;
        }
        out->n++;
    }
    free(copy);
    return NULL;
}

void
remotes_free(struct remotes *r)
{
    for (size_t i = 0; i < r->n; i++) {
        free(r->v[i].text);
        free(r->v[i].host);
    }
    free(r->v);
    free(r->text);
    memset(r, 0, sizeof *r);
}

void
remotes_shuffle(struct remotes *r)
{
    for (size_t i = r->n; i > 1; i--) {
        struct uuid u = uuid_random();
        size_t j = u.parts[0] % i;
        struct remote tmp = r->v[i - 1];
        r->v[i - 1] = r->v[j];
        r->v[j] = tmp;
    }
}

int
remote_connect(const struct remote *r, char **error)
{
    return r->is_unix ? socket_connect_unix(r->host, error) : socket_connect_tcp(r->host, OVSDB_DEFAULT_PORT, error);
}

/* remote.c - see remote.h. The forms are those of ovsdb(7) "Connection Methods", the active ones. */
#include "ovsdb/remote.h"

#include <stdlib.h>
#include "base/str.h"
#include "base/uuid.h"

char *
remotes_parse(const char *list, struct remotes *out)
{
    char *copy = xstrdup(list ? list : ""), *save = NULL;

    memset(out, 0, sizeof *out);
    out->text = xstrdup(copy);
    for (char *s = strtok_r(copy, ", \t\n", &save); s; s = strtok_r(NULL, ", \t\n", &save)) {
        GROW(out->v, out->cap, out->n + 1);
        char *error = stream_check_name(s);
        if (error) {
            remotes_free(out);
            free(copy);
            return error;
        }
        out->v[out->n++] = (struct remote) { xstrdup(s), str_after(s, "unix:") != NULL };
    }
    free(copy);
    return NULL;
}

void
remotes_free(struct remotes *r)
{
    for (size_t i = 0; i < r->n; i++) {
        free(r->v[i].text);
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

struct stream *
remote_connect(struct loop *loop, const struct remote *r, char **error)
{
    return stream_open(loop, r->text, OVSDB_DEFAULT_PORT, error);
}

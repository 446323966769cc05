/* remote.h - the servers of a database: "unix:PATH,tcp:HOST:PORT,ssl:HOST:PORT,...", and the order in which they are tried. */
#ifndef OVSDB_REMOTE_H
#define OVSDB_REMOTE_H 1

#include "runtime/stream.h"

enum { OVSDB_DEFAULT_PORT = 6640 };

struct remote {
    char *text;                    /* As given. */
    bool is_unix;
};
struct remotes {
    struct remote *v;
    size_t n, cap;
    char *text;                    /* The whole list as given. */
};

/* Parses LIST ("" or NULL: none). A message (caller owns) and nothing in *OUT, or NULL. */
char *remotes_parse(const char *list, struct remotes *out) MUST_USE;
void remotes_free(struct remotes *);
void remotes_shuffle(struct remotes *);
/* A connection, connected or connecting; on failure NULL and *error (caller owns). */
struct stream *remote_connect(struct loop *, const struct remote *, char **error);

#endif

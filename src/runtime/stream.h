/* stream.h - a connection to a server: "unix:PATH", "tcp:HOST[:PORT]" or "ssl:HOST[:PORT]", one interface, never blocking.
 *
 * A stream is a descriptor to watch (stream_events() says for what), bytes in and bytes out. Errors are texts for people, kept by
 * the stream. Forms of names: ovsdb(7), "Connection Methods". */
#ifndef RUNTIME_STREAM_H
#define RUNTIME_STREAM_H 1

#include <sys/types.h>
#include "runtime/loop.h"

struct stream;

/* NULL, or what is wrong with NAME (caller owns): nothing is connected or looked up. */
char *stream_check_name(const char *name) MUST_USE;
/* A stream that is connecting; on failure NULL and *error (caller owns). A host that is no numeric address is looked up, which
 * blocks. For ssl: the files of runtime/tls.h are read if they changed, now and once a minute while the stream lives (from LOOP). */
struct stream *stream_open(struct loop *, const char *name, int default_port, char **error) MUST_USE;
/* A stream of a connected socket, which is now the stream's. */
struct stream *stream_from_fd(int fd);
void stream_close(struct stream *);                    /* NULL is ignored. */

int stream_fd(const struct stream *);
/* What to watch the descriptor for (LOOP_READ, LOOP_WRITE): while connecting that, then to read, and to write if WRITING. */
unsigned stream_events(const struct stream *, bool writing);

/* To be called when the descriptor has events, until it is decided: 0, connected (and, for ssl:, the peer verified); EAGAIN, not yet;
 * -1, failed. */
int stream_connect(struct stream *);
/* Bytes moved; 0: none can be now; -1: the connection ended. With fewer than N bytes received no more are at hand, unless
 * stream_has_more(). After an incomplete stream_send() the next one starts with the same bytes. */
ssize_t stream_recv(struct stream *, void *, size_t n);
ssize_t stream_send(struct stream *, const void *, size_t n);
bool stream_has_more(const struct stream *);           /* stream_recv() would not return 0, whatever the descriptor says. */
/* Why stream_connect() or stream_recv() returned -1. What the peer said last, a refusal say, is there to be received after stream_send()
 * has failed: so the receiving side tells why. */
const char *stream_error(const struct stream *);

#endif

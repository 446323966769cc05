/* arena.h - memory of one attempt: everything a command makes while it runs goes away together.
 *
 * Commands are short and may run again from the start when the database has changed meanwhile (run.c). Nothing that
 * they make outlives the attempt, so nothing has to be freed one by one. */
#ifndef CLI_COMMON_ARENA_H
#define CLI_COMMON_ARENA_H 1

#include "base/str.h"

struct arena_block;
struct arena {
    struct arena_block *blocks;
};
#define ARENA_INIT { NULL }

void arena_clear(struct arena *);                      /* Frees everything in it. */
void *arena_alloc(struct arena *, size_t);             /* Zeroed. */
char *arena_strndup(struct arena *, const char *, size_t n);
char *arena_strdup(struct arena *, const char *);
char *arena_printf(struct arena *, const char *fmt, ...) PRINTF_LIKE(2, 3);
char *arena_take(struct arena *, struct str *);        /* The text of S, which becomes empty. */
#define ARENA_NEW(A, TYPE, N) ((TYPE *) arena_alloc((A), (N) * sizeof(TYPE)))

#endif

/* arena.h - memory that is freed at once: what one parsed text, or one resolving, needs. */
#ifndef LOGICAL_ARENA_H
#define LOGICAL_ARENA_H 1

#include <stdlib.h>
#include "base/util.h"

struct arena_block {
    struct arena_block *next;
    size_t used, size;
    bool borrowed;                     /* Not from the heap. */
    _Alignas(16) char data[];
};
struct arena {
    struct arena_block *block;         /* The current one, then the full ones. */
    size_t bytes;                      /* Of all blocks. */
};
#define ARENA_INIT { NULL, 0 }

void *arena_grow_(struct arena *, size_t size);
void arena_destroy(struct arena *);
/* Begins with the caller's N bytes (aligned to 16), which must live as long as what is in it. */
void arena_borrow(struct arena *, void *, size_t n);

/* SIZE bytes, aligned for anything, not initialised. */
static inline void *
arena_alloc(struct arena *a, size_t size)
{
    size = (size + 15) & ~(size_t) 15;
    struct arena_block *b = a->block;
    if (b && b->size - b->used >= size) {
        void *p = b->data + b->used;
        b->used += size;
        return p;
    }
    return arena_grow_(a, size);
}

/* P is the first that an arena gave, and all else of it is about to be read: its lines are asked for at once, and not waited for one after the other. */
static inline void
arena_prefetch(const void *p)
{
    for (int i = 0; i < 6; i++) {
        __builtin_prefetch((const char *) p + 64 * i);
    }
}

static inline void *
arena_zalloc(struct arena *a, size_t size)
{
    return memset(arena_alloc(a, size), 0, size);
}

static inline char *
arena_strndup(struct arena *a, const char *s, size_t n)
{
    char *p = arena_alloc(a, n + 1);
    memcpy(p, s, n);
    p[n] = '\0';
    return p;
}

#endif

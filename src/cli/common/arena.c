/* arena.c - see arena.h. Small pieces share blocks of 16 kB; a large one has its own. */
#include "cli/common/arena.h"

#include <stdio.h>
#include <stdlib.h>

enum { BLOCK = 16384 };

struct arena_block {
    struct arena_block *next;
    size_t used, size;
    char data[] __attribute__((aligned(16)));
};

void
arena_clear(struct arena *a)
{
    while (a->blocks) {
        struct arena_block *b = a->blocks;
        a->blocks = b->next;
        free(b);
    }
}

void *
arena_alloc(struct arena *a, size_t n)
{
    n = (MAX(n, 1) + 15) & ~(size_t) 15;
    struct arena_block *b = a->blocks;

    if (!b || b->size - b->used < n) {
        size_t size = MAX(n, BLOCK);
        struct arena_block *fresh = xcalloc(1, sizeof *fresh + size);
        fresh->size = size;
        if (b && n >= BLOCK / 4) {     /* The current block still has room for small ones. */
            fresh->next = b->next;
            b->next = fresh;
        } else {
            fresh->next = b;
            a->blocks = fresh;
        }
        b = fresh;
    }
    void *p = b->data + b->used;
    b->used += n;
    return p;
}

char *
arena_strndup(struct arena *a, const char *s, size_t n)
{
    char *p = arena_alloc(a, n + 1);
    memcpy(p, s, n);
    return p;
}

char *
arena_strdup(struct arena *a, const char *s)
{
    return arena_strndup(a, s, strlen(s));
}

char *
arena_printf(struct arena *a, const char *fmt, ...)
{
    struct str s = STR_INIT;
    va_list args;

    va_start(args, fmt);
    str_vprintf(&s, fmt, args);
    va_end(args);
    return arena_take(a, &s);
}

char *
arena_take(struct arena *a, struct str *s)
{
    char *p = arena_strndup(a, str_c(s), s->len);
    str_free(s);
    return p;
}

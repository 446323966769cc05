#include "logical/arena.h"

enum { FIRST_BLOCK = 512, MAX_BLOCK = 1 << 20 };

void *
arena_grow_(struct arena *a, size_t size)
{
    size_t want = a->block ? MIN(a->block->size * 2, (size_t) MAX_BLOCK) : FIRST_BLOCK;
    want = MAX(want, size);
    struct arena_block *b = xmalloc(sizeof *b + want);
    b->next = a->block;
    b->size = want;
    b->used = size;
    a->block = b;
    a->bytes += sizeof *b + want;
    return b->data;
}

void
arena_destroy(struct arena *a)
{
    for (struct arena_block *b = a->block, *next; b; b = next) {
        next = b->next;
        free(b);
    }
    *a = (struct arena) ARENA_INIT;
}

#include "logical/arena.h"

/* With their heads powers of two, which the heap has at hand. */
enum { FIRST_BLOCK = 512 - sizeof(struct arena_block), MAX_BLOCK = 1 << 20 };

void *
arena_grow_(struct arena *a, size_t size)
{
    size_t want = a->block ? MIN(a->block->size * 2 + sizeof *a->block, (size_t) MAX_BLOCK) : FIRST_BLOCK;
    want = MAX(want, size);
    struct arena_block *b = xmalloc(sizeof *b + want);
    b->next = a->block;
    b->borrowed = false;
    b->size = want;
    b->used = size;
    a->block = b;
    a->bytes += sizeof *b + want;
    return b->data;
}

void
arena_borrow(struct arena *a, void *p, size_t n)
{
    struct arena_block *b = p;
    *b = (struct arena_block) { .size = n - sizeof *b, .borrowed = true };
    *a = (struct arena) { b, 0 };
}

void
arena_destroy(struct arena *a)
{
    for (struct arena_block *b = a->block, *next; b; b = next) {
        next = b->next;
        if (!b->borrowed) {
            free(b);
        }
    }
    *a = (struct arena) ARENA_INIT;
}

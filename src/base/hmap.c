#include "base/hmap.h"

#include <stdlib.h>

void
hmap_init(struct hmap *h)
{
    *h = (struct hmap) HMAP_INIT(h);
}

void
hmap_destroy(struct hmap *h)
{
    if (h->buckets != &h->one) {
        free(h->buckets);
    }
    hmap_init(h);
}

static void
resize(struct hmap *h, size_t mask)
{
    struct hmap_node **buckets = xcalloc(mask + 1, sizeof *buckets);
    for (size_t i = 0; i <= h->mask; i++) {
        for (struct hmap_node *node = h->buckets[i], *next; node; node = next) {
            next = node->next;
            node->next = buckets[node->hash & mask];
            buckets[node->hash & mask] = node;
        }
    }
    if (h->buckets != &h->one) {
        free(h->buckets);
    }
    h->buckets = buckets;
    h->one = NULL;
    h->mask = mask;
}

void
hmap_expand_(struct hmap *h)
{
    resize(h, h->mask * 2 + 1);
}

void
hmap_reserve(struct hmap *h, size_t n)
{
    size_t mask = h->mask;
    while (n > mask + 1) {
        mask = mask * 2 + 1;
    }
    if (mask > h->mask) {
        resize(h, mask);
    }
}

struct hmap_node *
hmap_next_(const struct hmap *h, const struct hmap_node *node)
{
    if (node && node->next) {
        return node->next;
    }
    for (size_t i = node ? (node->hash & h->mask) + 1 : 0; i <= h->mask; i++) {
        if (h->buckets[i]) {
            return h->buckets[i];
        }
    }
    return NULL;
}

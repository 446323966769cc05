/* hmap.h - intrusive chained hash map. The caller hashes (base/hash.h) and compares.
 *
 * Iteration order is unspecified; anything that is shown or compared must sort. */
#ifndef BASE_HMAP_H
#define BASE_HMAP_H 1

#include "base/util.h"

struct hmap_node {
    struct hmap_node *next;
    uint32_t hash;
};

struct hmap {
    struct hmap_node **buckets;
    struct hmap_node *one;     /* The only bucket of a small map. */
    size_t mask;
    size_t n;
};
#define HMAP_INIT(H) { &(H)->one, NULL, 0, 0 }

void hmap_init(struct hmap *);
void hmap_destroy(struct hmap *);              /* Frees the buckets; the nodes are the caller's. */
void hmap_expand_(struct hmap *);
void hmap_reserve(struct hmap *, size_t n);
struct hmap_node *hmap_next_(const struct hmap *, const struct hmap_node *);

static inline size_t
hmap_count(const struct hmap *h)
{
    return h->n;
}

static inline void
hmap_insert(struct hmap *h, struct hmap_node *node, uint32_t hash)
{
    node->hash = hash;
    node->next = h->buckets[hash & h->mask];
    h->buckets[hash & h->mask] = node;
    if (h->n++ > h->mask) {
        hmap_expand_(h);
    }
}

static inline void
hmap_remove(struct hmap *h, struct hmap_node *node)
{
    struct hmap_node **p = &h->buckets[node->hash & h->mask];
    while (*p != node) {
        p = &(*p)->next;
    }
    *p = node->next;
    h->n--;
}

static inline struct hmap_node *
hmap_first_hash_(struct hmap_node *node, uint32_t hash)
{
    while (node && node->hash != hash) {
        node = node->next;
    }
    return node;
}

#define HMAP_NODE_TO_(NODE, TYPE, MEMBER) \
    ({ struct hmap_node *n_ = (NODE); n_ ? CONTAINER_OF(n_, TYPE, MEMBER) : NULL; })

/* Every element whose hash is HASH; the caller compares. */
#define HMAP_FOR_EACH_HASH(VAR, TYPE, MEMBER, HASH, HMAP) \
    for (TYPE *VAR = HMAP_NODE_TO_( \
             hmap_first_hash_((HMAP)->buckets[(HASH) & (HMAP)->mask], (HASH)), TYPE, MEMBER); \
         VAR; \
         VAR = HMAP_NODE_TO_(hmap_first_hash_(VAR->MEMBER.next, VAR->MEMBER.hash), TYPE, MEMBER))

/* Every element. Not to be changed in the body. */
#define HMAP_FOR_EACH(VAR, TYPE, MEMBER, HMAP) \
    for (TYPE *VAR = HMAP_NODE_TO_(hmap_next_((HMAP), NULL), TYPE, MEMBER); VAR; \
         VAR = HMAP_NODE_TO_(hmap_next_((HMAP), &VAR->MEMBER), TYPE, MEMBER))

/* As HMAP_FOR_EACH; VAR may be removed or freed in the body. */
#define HMAP_FOR_EACH_SAFE(VAR, TYPE, MEMBER, HMAP) \
    for (TYPE *VAR = HMAP_NODE_TO_(hmap_next_((HMAP), NULL), TYPE, MEMBER), *VAR##_next; \
         VAR && (VAR##_next = HMAP_NODE_TO_(hmap_next_((HMAP), &VAR->MEMBER), TYPE, MEMBER), true); \
         VAR = VAR##_next)

#endif

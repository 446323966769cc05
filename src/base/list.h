/* list.h - intrusive doubly linked list, circular, with a head of the same type. */
#ifndef BASE_LIST_H
#define BASE_LIST_H 1

#include "base/util.h"

struct list {
    struct list *prev, *next;
};

static inline void
list_init(struct list *l)
{
    l->prev = l->next = l;
}

static inline bool
list_is_empty(const struct list *l)
{
    return l->next == l;
}

static inline void
list_insert_before(struct list *where, struct list *node)
{
    node->prev = where->prev;
    node->next = where;
    where->prev->next = node;
    where->prev = node;
}

static inline void
list_push_back(struct list *l, struct list *node)
{
    list_insert_before(l, node);
}

static inline void
list_push_front(struct list *l, struct list *node)
{
    list_insert_before(l->next, node);
}

/* Unlinks NODE and leaves it an empty list, so that removing twice is harmless. */
static inline void
list_remove(struct list *node)
{
    node->prev->next = node->next;
    node->next->prev = node->prev;
    list_init(node);
}

static inline struct list *
list_pop_front(struct list *l)
{
    struct list *node = l->next;
    list_remove(node);
    return node;
}

#define LIST_FOR_EACH(VAR, TYPE, MEMBER, LIST) \
    for (TYPE *VAR = CONTAINER_OF((LIST)->next, TYPE, MEMBER); &VAR->MEMBER != (LIST); \
         VAR = CONTAINER_OF(VAR->MEMBER.next, TYPE, MEMBER))

/* As LIST_FOR_EACH; VAR may be removed or freed in the body. */
#define LIST_FOR_EACH_SAFE(VAR, TYPE, MEMBER, LIST) \
    for (TYPE *VAR = CONTAINER_OF((LIST)->next, TYPE, MEMBER), \
              *VAR##_next = CONTAINER_OF(VAR->MEMBER.next, TYPE, MEMBER); \
         &VAR->MEMBER != (LIST); \
         VAR = VAR##_next, VAR##_next = CONTAINER_OF(VAR->MEMBER.next, TYPE, MEMBER))

#endif

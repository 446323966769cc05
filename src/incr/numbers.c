/* numbers.c - numbers that stay with their owners (tunnel keys, zones). See incr.h. */
#include <stdlib.h>
#include "base/log.h"
#include "incr/private.h"

LOG_MODULE(incr_numbers);

struct incr_held {
    struct hmap_node by_owner;
    struct hmap_node by_number;        /* While number != 0. */
    struct incr_numbers *space;
    struct incr_unit *unit;
    struct incr_held *next;            /* Of the same unit. */
    uint32_t number;
    uint32_t denied;                   /* Requested and another's; 0: none. */
    enum { BY_CHANCE, ADOPTED, REQUESTED } how;
    bool asked;
    uint32_t len;
    char owner[];
};

struct incr_numbers {
    const char *name;
    uint32_t min, max, next;
    uint32_t limit;                    /* Of what is given now: at most max. */
    bool prefer_low;                   /* `next` is no higher than the lowest that is free. */
    size_t n_denied;                   /* Owners whose `denied` is not 0. */
    struct hmap owners, numbers;
};

struct incr_numbers *
incr_numbers_create(const char *name, uint32_t min, uint32_t max)
{
    struct incr_numbers *s = XNEW(struct incr_numbers);
    REQUIRE(min > 0 && min <= max);
    s->name = name;
    s->min = s->next = min;
    s->max = s->limit = max;
    hmap_init(&s->owners);
    hmap_init(&s->numbers);
    return s;
}

void
incr_numbers_prefer_low(struct incr_numbers *s)
{
    s->prefer_low = true;
    s->next = s->min;
}

void
incr_numbers_set_limit(struct incr_numbers *s, uint32_t limit)
{
    uint32_t old = s->limit;

    s->limit = limit ? MAX(s->min, MIN(limit, s->max)) : s->max;
    if (s->limit > old && hmap_count(&s->owners) > hmap_count(&s->numbers)) {
        HMAP_FOR_EACH (h, struct incr_held, by_owner, &s->owners) {
            if (h->asked && !h->number) {
                incr_unit_dirty(h->unit);      /* Who got none asks again. */
            }
        }
    }
}

void
incr_numbers_destroy(struct incr_numbers *s)
{
    if (s) {
        REQUIRE(!hmap_count(&s->owners));
        hmap_destroy(&s->owners);
        hmap_destroy(&s->numbers);
        free(s);
    }
}

bool
incr_numbers_is_empty(const struct incr_numbers *s)
{
    return !hmap_count(&s->owners);
}

void
incr_numbers_for_each(const struct incr_numbers *s, void (*cb)(void *, const void *, size_t, uint32_t), void *aux)
{
    HMAP_FOR_EACH (h, struct incr_held, by_number, &s->numbers) {
        cb(aux, h->owner, h->len, h->number);
    }
}

static struct incr_held *
holder(const struct incr_numbers *s, uint32_t number)
{
    HMAP_FOR_EACH_HASH (h, struct incr_held, by_number, hash_u64(number, 0), &s->numbers) {
        if (h->number == number) {
            return h;
        }
    }
    return NULL;
}

/* NUMBER became free: who wanted just this one, or got none at all, asks again. */
static void
number_freed(struct incr_numbers *s, uint32_t number)
{
    if (s->prefer_low) {
        s->next = MIN(s->next, number);
    }
    if (s->n_denied || hmap_count(&s->owners) > hmap_count(&s->numbers)) {
        HMAP_FOR_EACH (h, struct incr_held, by_owner, &s->owners) {
            if (h->asked && (h->denied == number || !h->number)) {
                incr_unit_dirty(h->unit);
            }
        }
    }
}

static void
set_number(struct incr_held *h, uint32_t number)
{
    uint32_t old = h->number;

    if (old == number) {
        return;
    }
    if (old) {
        hmap_remove(&h->space->numbers, &h->by_number);
    }
    h->number = number;
    if (number) {
        hmap_insert(&h->space->numbers, &h->by_number, hash_u64(number, 0));
    }
    if (old) {
        number_freed(h->space, old);
    }
}

static void
set_denied(struct incr_held *h, uint32_t number)
{
    h->space->n_denied += (number != 0) - (h->denied != 0);
    h->denied = number;
}

static uint32_t
first_free(struct incr_numbers *s)
{
    /* No more looks than there are numbers: some above the limit may be had. */
    for (size_t left = MIN(hmap_count(&s->numbers), (size_t) (s->limit - s->min)) + 1; left > 0; left--) {
        uint32_t n = s->next <= s->limit ? s->next : s->min;
        s->next = n == s->limit ? s->min : n + 1;
        if (!holder(s, n)) {
            return n;
        }
    }
    return 0;
}

/* Whether H may have NUMBER: who requests goes before who adopts before who has it by chance. */
static bool
may_take(const struct incr_held *h, uint32_t number, int how)
{
    const struct incr_held *other = holder(h->space, number);
    if (!other || other == h || other->how < how) {
        return true;
    } else if (other->how > how || how != REQUESTED) {
        return false;
    }
    int cmp = memcmp(h->owner, other->owner, MIN(h->len, other->len));
    return cmp < 0 || (!cmp && h->len < other->len);
}

static void
take(struct incr_held *h, uint32_t number)
{
    struct incr_held *other = holder(h->space, number);
    if (other && other != h) {
        /* It changes hands and is not free in between. */
        hmap_remove(&h->space->numbers, &other->by_number);
        other->number = 0;
        incr_unit_dirty(other->unit);
    }
    set_number(h, number);
}

static struct incr_held *
held_get(struct incr_unit *u, struct incr_numbers *s, const void *owner, size_t len)
{
    uint32_t hash = hash_bytes(owner, len, 0);
    HMAP_FOR_EACH_HASH (h, struct incr_held, by_owner, hash, &s->owners) {
        if (h->unit == u && h->len == len && !memcmp(h->owner, owner, len)) {
            return h;
        }
    }
    struct incr_held *h = xmalloc(sizeof *h + len);
    *h = (struct incr_held) { .space = s, .unit = u, .next = u->held, .len = len };
    memcpy(h->owner, owner, len);
    u->held = h;
    hmap_insert(&s->owners, &h->by_owner, hash);
    return h;
}

uint32_t
incr_number(struct incr_unit *u, struct incr_numbers *s, const void *owner, size_t len, uint32_t requested,
            uint32_t adopted)
{
    struct incr_held *h = held_get(u, s, owner, len);

    if (u->class->graph->shadow) {
        return h->number;
    }
    h->asked = true;
    if (requested >= s->min && requested <= s->limit) {
        if (may_take(h, requested, REQUESTED)) {
            h->how = REQUESTED;
            set_denied(h, 0);
            take(h, requested);
            return requested;
        }
        LOG_WARN_RL("%s %u is requested twice", s->name, requested);
        set_denied(h, requested);
    } else {
        set_denied(h, 0);
    }
    if (h->how == REQUESTED) {
        h->how = ADOPTED;              /* What was requested once is kept, unless another requests it. */
        number_freed(s, h->number);
    }
    if (!h->number) {
        if (adopted >= s->min && adopted <= s->limit && may_take(h, adopted, ADOPTED)) {
            h->how = ADOPTED;
            take(h, adopted);
        } else {
            h->how = BY_CHANCE;
            set_number(h, first_free(s));
            if (!h->number) {
                LOG_WARN_RL("no %s is left (%u to %u)", s->name, s->min, s->limit);
            }
        }
    }
    return h->number;
}

void
incr_held_begin(struct incr_unit *u)
{
    for (struct incr_held *h = u->held; h; h = h->next) {
        h->asked = false;
    }
}

/* Gives back what was not asked for since incr_held_begin(), or ALL. */
void
incr_held_end(struct incr_unit *u, bool all)
{
    for (struct incr_held **p = &u->held, *h; (h = *p);) {
        if (all || !h->asked) {
            *p = h->next;
            h->asked = false;
            set_denied(h, 0);
            hmap_remove(&h->space->owners, &h->by_owner);
            set_number(h, 0);
            free(h);
        } else {
            p = &h->next;
        }
    }
}

/* parsed.c - parsed matches and actions, shared by text: at a start most logical flows say what another one has said just before ("1", "next;").
 *
 * A table of fixed size with one place a text (by the hash of its address, as texts are interned): a newcomer takes the place of whoever is there. So it is
 * bounded, and nothing must be found out to decide what goes. Later changes parse again what they concern. */
#include "controller/translate/translate.h"

#include <stdlib.h>

enum { N_PLACES = 2048, MAX_TEXT = 4096 };

struct parsed_cache {
    struct parsed matches[N_PLACES], actions[N_PLACES];
    struct parsed long_match, long_actions;    /* The last one that is too long to be kept. */
};

struct parsed_cache *
parsed_cache_create(void)
{
    return XNEW(struct parsed_cache);
}

static void
forget(struct parsed *p)
{
    intern_unref(p->text);
    expr_unref(p->expr);
    actions_unref(p->actions);
    free(p->error);
    *p = (struct parsed) { .text = NULL };
}

void
parsed_cache_destroy(struct parsed_cache *cache)
{
    for (size_t i = 0; i < N_PLACES; i++) {
        forget(&cache->matches[i]);
        forget(&cache->actions[i]);
    }
    forget(&cache->long_match);
    forget(&cache->long_actions);
    free(cache);
}

/* The place of TEXT in PLACES; true if it is there already. */
static bool
find(struct parsed *places, struct parsed *long_place, const char *text, struct parsed **p)
{
    *p = intern_len(text) > MAX_TEXT ? long_place : &places[hash_pointer(text, 0) % N_PLACES];
    if ((*p)->text == text) {
        return true;
    }
    forget(*p);
    (*p)->text = intern_ref(text);
    return false;
}

struct parsed *
parsed_match(struct parsed_cache *cache, const char *text)
{
    struct parsed *p;

    if (!find(cache->matches, &cache->long_match, text, &p)) {
        p->error = expr_parse(text, &p->expr);
    }
    return p;
}

struct parsed *
parsed_actions(struct parsed_cache *cache, const char *text)
{
    struct parsed *p;

    if (!find(cache->actions, &cache->long_actions, text, &p)) {
        p->error = actions_parse(text, &p->actions);
    }
    return p;
}

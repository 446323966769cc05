#include "base/intern.h"

#include <stdlib.h>
#include "base/hmap.h"
#include "base/hash.h"
#include "base/list.h"

struct interned {
    struct hmap_node node;
    uint32_t refs;
    uint32_t len;
    bool dead;                 /* On the list of those to be freed, unless referenced again. */
    char text[];
};

static struct hmap table = HMAP_INIT(&table);
static struct interned **dead;
static size_t n_dead, cap_dead;

static struct interned *
of(const char *text)
{
    return CONTAINER_OF(text, struct interned, text);
}

const char *
intern(const char *s, size_t n)
{
    uint32_t hash = hash_bytes(s, n, 0);

    REQUIRE(n < UINT32_MAX);
    HMAP_FOR_EACH_HASH(i, struct interned, node, hash, &table) {
        if (i->len == n && !memcmp(i->text, s, n)) {
            i->refs++;
            return i->text;
        }
    }
    struct interned *i = xmalloc(sizeof *i + n + 1);
    *i = (struct interned) { .refs = 1, .len = n };
    memcpy(i->text, s, n);
    i->text[n] = '\0';
    hmap_insert(&table, &i->node, hash);
    return i->text;
}

const char *
intern_ref(const char *text)
{
    of(text)->refs++;
    return text;
}

void
intern_unref(const char *text)
{
    if (!text) {
        return;
    }
    struct interned *i = of(text);
    REQUIRE(i->refs);
    if (!--i->refs && !i->dead) {
        i->dead = true;
        GROW(dead, cap_dead, n_dead + 1);
        dead[n_dead++] = i;
    }
}

void
intern_collect(void)
{
    for (size_t k = 0; k < n_dead; k++) {
        struct interned *i = dead[k];
        i->dead = false;
        if (!i->refs) {
            hmap_remove(&table, &i->node);
            free(i);
        }
    }
    n_dead = 0;
    if (cap_dead > 4096) {
        free(dead);
        dead = NULL;
        cap_dead = 0;
    }
}

size_t
intern_count(void)
{
    return hmap_count(&table);
}

size_t
intern_len(const char *text)
{
    return of(text)->len;
}

uint32_t
intern_hash(const char *text)
{
    return of(text)->node.hash;
}

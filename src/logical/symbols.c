#include "logical/symbols.h"

#include <stdlib.h>
#include "logical/tree.h"

#define RW true
#define RO false
#define ORDINAL SYMBOL_ORDINAL
#define NOMINAL SYMBOL_NOMINAL
#define FIELD(NAME, OFF, OFS, BITS, LEVEL, PREREQS, W) \
    { .name = NAME, .kind = SYMBOL_FIELD, .level = LEVEL, .writable = W, .sf = { OFF, OFS, BITS }, .prereqs_text = PREREQS },
#define STRING(NAME, OFF) \
    { .name = NAME, .kind = SYMBOL_STRING, .level = SYMBOL_NOMINAL, .writable = true, .sf = { OFF, 0, 32 } },
#define PREDICATE(NAME, EXPANSION) { .name = NAME, .kind = SYMBOL_PREDICATE, .level = SYMBOL_BOOLEAN, .expansion_text = EXPANSION },
#define OVN_FIELD(NAME, BITS, PREREQS) \
    { .name = NAME, .kind = SYMBOL_OVN_FIELD, .level = SYMBOL_NOMINAL, .writable = true, .sf = { OFF_N_FIELDS, 0, BITS }, .prereqs_text = PREREQS },

static struct symbol symbols[] = {
#include "logical/symbols.def"
};

/* By name: open addressing, filled once in the order of the table. 0: empty, else index + 1. */
enum { N_SLOTS = 1024 };
static uint8_t slots[N_SLOTS];
_Static_assert(ARRAY_SIZE(symbols) < 250, "the slots hold one byte each");

static uint32_t
name_hash(const char *name, size_t n)
{
    uint32_t h = 2166136261u;
    for (size_t i = 0; i < n; i++) {
        h = (h ^ (uint8_t) name[i]) * 16777619u;
    }
    return h ^ h >> 15;
}

const struct symbol *
symbol_find(const char *name, size_t n)
{
    for (uint32_t i = name_hash(name, n);; i++) {
        uint8_t slot = slots[i % N_SLOTS];
        if (!slot) {
            return NULL;
        }
        const struct symbol *s = &symbols[slot - 1];
        if (!strncmp(s->name, name, n) && !s->name[n]) {
            return s;
        }
    }
}

const struct symbol *
symbol_table(size_t *n)
{
    *n = ARRAY_SIZE(symbols);
    return symbols;
}

static const struct expr *
parse_own(const struct symbol *s, const char *text)
{
    struct expr *e;
    char *error = text ? expr_parse(text, &e) : NULL;
    if (error) {
        panic("symbol %s: \"%s\": %s", s->name, text, error);
    }
    return text ? e : NULL;
}

/* Symbols are entered one by one, after what they mention was parsed: a symbol that mentions a later one, or itself, is found at once. */
static __attribute__((constructor)) void
symbols_init(void)
{
    for (size_t i = 0; i < ARRAY_SIZE(symbols); i++) {
        struct symbol *s = &symbols[i];
        s->prereqs = parse_own(s, s->prereqs_text);
        s->expansion = parse_own(s, s->expansion_text);
        if (s->kind == SYMBOL_PREDICATE) {
            /* What cannot be negated is nominal. */
            char *text = xasprintf("!(%s)", s->expansion_text);
            struct expr *negation;
            char *error = expr_parse(text, &negation);
            s->negation = negation;
            s->level = error ? SYMBOL_NOMINAL : SYMBOL_BOOLEAN;
            free(error);
            free(text);
        }
        uint32_t h = name_hash(s->name, strlen(s->name));
        while (slots[h % N_SLOTS]) {
            h++;
        }
        slots[h % N_SLOTS] = i + 1;
    }
}

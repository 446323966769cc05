/* intern.h - one copy of each text, counted. Two interned texts are equal iff their pointers are.
 *
 * Freed late: a text whose last reference went stays until intern_collect(), which a daemon calls
 * between cycles. So a fact that still holds the pointer (incr/) never meets another text at the
 * same address before it was computed again. Not thread-safe: the main thread's only. */
#ifndef BASE_INTERN_H
#define BASE_INTERN_H 1

#include "base/util.h"

const char *intern(const char *, size_t n);             /* The text, with one more reference. */
const char *intern_ref(const char *interned);           /* One more reference. */
void intern_unref(const char *interned);                /* One less; NULL is ignored. */
void intern_collect(void);                              /* Frees what has no reference left. */
size_t intern_count(void);                              /* Texts held. */
size_t intern_len(const char *interned);
uint32_t intern_hash(const char *interned);

static inline const char *
intern_str(const char *s)
{
    return intern(s, strlen(s));
}

#endif

/* util.h - the smallest things: allocation that cannot fail, macros, program name.
 *
 * Out of memory ends the process: no caller can do anything better (base/ knows
 * nothing of networks, databases or retries). */
#ifndef BASE_UTIL_H
#define BASE_UTIL_H 1

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdnoreturn.h>
#include <string.h>

#define ARRAY_SIZE(A) (sizeof(A) / sizeof((A)[0]))
#define MIN(A, B) ((A) < (B) ? (A) : (B))
#define MAX(A, B) ((A) > (B) ? (A) : (B))
#define PRINTF_LIKE(FMT, ARG) __attribute__((format(printf, FMT, ARG)))
#define UNUSED __attribute__((unused))
#define MUST_USE __attribute__((warn_unused_result))
#define STRINGIFY_(X) #X
#define STRINGIFY(X) STRINGIFY_(X)

/* The structure of type TYPE whose member MEMBER is at PTR. */
#define CONTAINER_OF(PTR, TYPE, MEMBER) \
    ((TYPE *) (void *) ((char *) (uintptr_t) (PTR) - offsetof(TYPE, MEMBER)))

/* Allocation: never returns NULL (a zero size yields a unique pointer); free with free(). */
void *xmalloc(size_t size) __attribute__((malloc));
void *xcalloc(size_t n, size_t size) __attribute__((malloc));
void *xrealloc(void *p, size_t size);
void *xmemdup(const void *p, size_t size);
char *xstrdup(const char *s);
char *xstrndup(const char *s, size_t n);
char *xasprintf(const char *fmt, ...) PRINTF_LIKE(1, 2) __attribute__((malloc));
#define XNEW(TYPE) ((TYPE *) xcalloc(1, sizeof(TYPE)))

/* Grows array *P (elements of SIZE bytes, capacity *CAP) so that it holds at least NEED. */
void *xgrow(void *p, size_t *cap, size_t need, size_t size);
#define GROW(ARRAY, CAP, NEED) ((ARRAY) = xgrow((ARRAY), &(CAP), (NEED), sizeof *(ARRAY)))

/* Ends the process because the program itself is wrong; prints the message first. */
noreturn void panic(const char *fmt, ...) PRINTF_LIKE(1, 2);
/* An invariant that stays checked in production builds. */
#define REQUIRE(COND) \
    do { \
        if (__builtin_expect(!(COND), 0)) { \
            panic("%s:%d: %s: broken invariant: %s", __FILE__, __LINE__, __func__, #COND); \
        } \
    } while (0)

/* The last component of argv[0]; set first thing in main(). */
void program_set_name(const char *argv0);
const char *program_name(void);

/* The version of this OVN, from meson.build. */
const char *ovn_version(void);

static inline bool
str_eq(const char *a, const char *b)
{
    return !strcmp(a, b);
}

/* If S begins with PREFIX, what follows it; otherwise NULL. */
static inline const char *
str_after(const char *s, const char *prefix)
{
    size_t n = strlen(prefix);
    return !strncmp(s, prefix, n) ? s + n : NULL;
}

/* Parses all of S as a decimal (or, with 0x, hexadecimal) integer in [MIN, MAX]; false otherwise. */
bool str_to_int(const char *s, int64_t min, int64_t max, int64_t *value) MUST_USE;

#endif

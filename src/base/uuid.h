/* uuid.h - universally unique identifiers (RFC 4122 text form). */
#ifndef BASE_UUID_H
#define BASE_UUID_H 1

#include "base/hash.h"

struct uuid {
    uint32_t parts[4];         /* Host order; parts[0] is the first eight hexadecimal digits. */
};
#define UUID_LEN 36
#define UUID_FMT "%08x-%04x-%04x-%04x-%04x%08x"
#define UUID_ARGS(U) \
    (U)->parts[0], (U)->parts[1] >> 16, (U)->parts[1] & 0xffff, (U)->parts[2] >> 16, \
        (U)->parts[2] & 0xffff, (U)->parts[3]

struct uuid uuid_random(void);                          /* Version 4. */
/* Parses exactly the 36 characters at S, which need not end there. */
bool uuid_parse(const char *s, struct uuid *) MUST_USE;
void uuid_format(const struct uuid *, char out[UUID_LEN + 1]);

static inline bool
uuid_equal(const struct uuid *a, const struct uuid *b)
{
    return !memcmp(a, b, sizeof *a);
}

/* In the order of the text form. */
static inline int
uuid_compare(const struct uuid *a, const struct uuid *b)
{
    for (int i = 0; i < 4; i++) {
        if (a->parts[i] != b->parts[i]) {
            return a->parts[i] < b->parts[i] ? -1 : 1;
        }
    }
    return 0;
}

static inline bool
uuid_is_zero(const struct uuid *u)
{
    return !(u->parts[0] | u->parts[1] | u->parts[2] | u->parts[3]);
}

/* UUIDs are random already. */
static inline uint32_t
uuid_hash(const struct uuid *u)
{
    return u->parts[0] ^ u->parts[3];
}

#endif

#include "base/uuid.h"

#include <stdio.h>
#include <sys/random.h>

/* Random bytes are drawn from the kernel a pool at a time: a system call an id would cost more
 * than all else done for a row. */
struct uuid
uuid_random(void)
{
    static _Thread_local struct uuid pool[64];
    static _Thread_local size_t left;

    if (!left) {
        for (size_t got = 0; got < sizeof pool;) {
            ssize_t n = getrandom((char *) pool + got, sizeof pool - got, 0);
            if (n > 0) {
                got += n;
            }
        }
        left = ARRAY_SIZE(pool);
    }
    struct uuid u = pool[--left];
    u.parts[1] = (u.parts[1] & ~0xf000u) | 0x4000;
    u.parts[2] = (u.parts[2] & ~0xc0000000u) | 0x80000000;
    return u;
}

/* The value of a hexadecimal digit plus 1; 0: it is none. */
static const uint8_t hex_values[256] = {
    ['0'] = 1, ['1'] = 2, ['2'] = 3, ['3'] = 4, ['4'] = 5, ['5'] = 6, ['6'] = 7, ['7'] = 8, ['8'] = 9, ['9'] = 10,
    ['a'] = 11, ['b'] = 12, ['c'] = 13, ['d'] = 14, ['e'] = 15, ['f'] = 16,
    ['A'] = 11, ['B'] = 12, ['C'] = 13, ['D'] = 14, ['E'] = 15, ['F'] = 16,
};

/* Reads N digits at *S and, if SEPARATOR, a dash. Looks at nothing after the first wrong character: the text may
 * end there. */
static inline bool
parse_digits(const char **s, int n, bool separator, uint32_t *value)
{
    for (; n; n--) {
        uint32_t v = hex_values[(uint8_t) *(*s)++];
        if (!v) {
            return false;
        }
        *value = *value << 4 | (v - 1);
    }
    return !separator || *(*s)++ == '-';
}

bool
uuid_parse(const char *s, struct uuid *u)
{
    uint32_t p[4] = { 0, 0, 0, 0 };

    if (!parse_digits(&s, 8, true, &p[0]) || !parse_digits(&s, 4, true, &p[1]) || !parse_digits(&s, 4, true, &p[1])
        || !parse_digits(&s, 4, true, &p[2]) || !parse_digits(&s, 4, false, &p[2])
        || !parse_digits(&s, 8, false, &p[3])) {
        return false;
    }
    memcpy(u, p, sizeof *u);
    return true;
}

void
uuid_format(const struct uuid *u, char out[UUID_LEN + 1])
{
    static const char hex[] = "0123456789abcdef";
    int n = 0;

    for (int i = 0; i < UUID_LEN; i++) {
        if (i == 8 || i == 13 || i == 18 || i == 23) {
            out[i] = '-';
        } else {
            out[i] = hex[u->parts[n / 8] >> (28 - n % 8 * 4) & 15];
            n++;
        }
    }
    out[UUID_LEN] = '\0';
}

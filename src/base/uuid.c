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

static int
hex_value(char c)
{
    return c >= '0' && c <= '9' ? c - '0'
           : c >= 'a' && c <= 'f' ? c - 'a' + 10
           : c >= 'A' && c <= 'F' ? c - 'A' + 10
           : -1;
}

bool
uuid_parse(const char *s, struct uuid *u)
{
    int n = 0;

    for (int i = 0; i < UUID_LEN; i++) {
        if (i == 8 || i == 13 || i == 18 || i == 23) {
            if (s[i] != '-') {
                return false;
            }
            continue;
        }
        int v = hex_value(s[i]);
        if (v < 0) {
            return false;
        }
        u->parts[n / 8] = u->parts[n / 8] << 4 | v;
        n++;
    }
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

/* bytes.h - big-endian numbers at any address, and appended to a packet under construction. */
#ifndef NET_BYTES_H
#define NET_BYTES_H 1

#include "base/str.h"

static inline uint16_t
be16_get(const void *p)
{
    const uint8_t *b = p;
    return b[0] << 8 | b[1];
}

static inline uint32_t
be32_get(const void *p)
{
    return (uint32_t) be16_get(p) << 16 | be16_get((const uint8_t *) p + 2);
}

static inline void
be16_set(void *p, uint16_t x)
{
    uint8_t *b = p;
    b[0] = x >> 8;
    b[1] = x;
}

static inline void
u8_put(struct str *s, uint8_t x)
{
    str_putc(s, x);
}

static inline void
be16_put(struct str *s, uint16_t x)
{
    uint8_t b[] = { x >> 8, x };
    str_put(s, b, sizeof b);
}

static inline void
be32_put(struct str *s, uint32_t x)
{
    be16_put(s, x >> 16);
    be16_put(s, x);
}

#endif

/* put.h - big-endian numbers into a str and out of bytes: private to this room. */
#ifndef OPENFLOW_PUT_H
#define OPENFLOW_PUT_H 1

#include "base/str.h"

static inline void
put_u8(struct str *s, uint8_t x)
{
    str_putc(s, x);
}

static inline void
put_u16(struct str *s, uint16_t x)
{
    uint8_t b[] = { x >> 8, x };
    str_put(s, b, sizeof b);
}

static inline void
put_u32(struct str *s, uint32_t x)
{
    uint8_t b[] = { x >> 24, x >> 16, x >> 8, x };
    str_put(s, b, sizeof b);
}

static inline void
put_u64(struct str *s, uint64_t x)
{
    put_u32(s, x >> 32);
    put_u32(s, x);
}

static inline void
put_zeros(struct str *s, size_t n)
{
    static const uint8_t zeros[64];

    for (; n > sizeof zeros; n -= sizeof zeros) {
        str_put(s, zeros, sizeof zeros);
    }
    str_put(s, zeros, n);
}

/* Zeros until what was added since OFFSET is a multiple of 8. */
static inline void
put_padding(struct str *s, size_t offset)
{
    put_zeros(s, -(s->len - offset) & 7);
}

/* Overwrites two bytes at OFFSET. */
static inline void
set_u16(struct str *s, size_t offset, uint16_t x)
{
    s->s[offset] = x >> 8;
    s->s[offset + 1] = x;
}

static inline uint16_t
get_u16(const void *p)
{
    const uint8_t *b = p;
    return b[0] << 8 | b[1];
}

static inline uint32_t
get_u32(const void *p)
{
    const uint8_t *b = p;
    return (uint32_t) b[0] << 24 | b[1] << 16 | b[2] << 8 | b[3];
}

static inline uint64_t
get_u64(const void *p)
{
    return (uint64_t) get_u32(p) << 32 | get_u32((const uint8_t *) p + 4);
}

#endif

/* scan.h - finding the few bytes that matter, many bytes at a time (private to json/).
 *
 * SSE2, which every x86-64 has, 16 bytes a step; elsewhere (or with JSON_PORTABLE, which the tests use)
 * 8 bytes in a word. Nothing is read past END. */
#ifndef JSON_SCAN_H
#define JSON_SCAN_H 1

#include "base/util.h"

#if defined(__SSE2__) && !defined(JSON_PORTABLE)
#define JSON_SSE2 1
#include <emmintrin.h>
#endif

/* A byte that ends a run of plain characters in a string: a quote, a backslash or a control character. */
static inline bool
scan_is_special(uint8_t c)
{
    return c < 0x20 || c == '"' || c == '\\';
}

#ifdef JSON_SSE2
enum { SCAN_STEP = 16 };

/* A set bit for every special byte of the SCAN_STEP at P; *HIGH, for every byte that is not ASCII. */
static inline uint32_t
scan_block(const char *p, uint32_t *high)
{
    __m128i x = _mm_loadu_si128((const __m128i *) (const void *) p);
    __m128i quote = _mm_cmpeq_epi8(x, _mm_set1_epi8('"'));
    __m128i backslash = _mm_cmpeq_epi8(x, _mm_set1_epi8('\\'));
    __m128i control = _mm_cmpeq_epi8(_mm_min_epu8(x, _mm_set1_epi8(0x1f)), x);
    *high = _mm_movemask_epi8(x);
    return _mm_movemask_epi8(_mm_or_si128(_mm_or_si128(quote, backslash), control));
}

#define SCAN_INDEX(MASK) __builtin_ctz(MASK)
#define SCAN_BELOW(MASK) (((MASK) & -(MASK)) - 1)
typedef uint32_t scan_mask;
#else
enum { SCAN_STEP = 8 };
typedef uint64_t scan_mask;

/* The same in a word: the top bit of each byte, first byte lowest. A false hit is possible only above a
 * true one (a borrow), and only the lowest is used. */
static inline scan_mask
scan_block(const char *p, scan_mask *high)
{
    const uint64_t ones = 0x0101010101010101, tops = 0x8080808080808080;
    uint64_t x;
    memcpy(&x, p, 8);
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
    x = __builtin_bswap64(x);
#endif
    uint64_t quote = x ^ ones * '"', backslash = x ^ ones * '\\';
    *high = x & tops;
    return (((quote - ones) & ~quote) | ((backslash - ones) & ~backslash) | ((x - ones * 0x20) & ~x)) & tops;
}

#define SCAN_INDEX(MASK) (__builtin_ctzll(MASK) >> 3)
#define SCAN_BELOW(MASK) (((MASK) & -(MASK)) - 1)
#endif

/* The first special byte in [P, END), or END. Sets *NOT_ASCII if a byte before it is above 0x7f. */
static inline const char *
scan_string(const char *p, const char *end, bool *not_ascii)
{
    scan_mask seen = 0, high;
    for (; end - p >= SCAN_STEP; p += SCAN_STEP) {
        scan_mask special = scan_block(p, &high);
        if (special) {
            *not_ascii |= (seen | (high & SCAN_BELOW(special))) != 0;
            return p + SCAN_INDEX(special);
        }
        seen |= high;
    }
    uint8_t tail = 0;
    for (; p < end && !scan_is_special(*p); p++) {
        tail |= *p;
    }
    *not_ascii |= seen != 0 || tail >= 0x80;
    return p;
}

static inline const char *
scan_space(const char *p, const char *end)
{
    while (p < end && (uint8_t) *p <= ' ' && (*p == ' ' || *p == '\n' || *p == '\r' || *p == '\t')) {
        p++;
    }
    return p;
}

#endif

/* framer.c - finds where a JSON object or array ends in a stream of bytes.
 *
 * Only quotes, backslashes and brackets matter. feed_bytes() is the definition, a byte at a time;
 * feed_blocks() does the same for 64 bytes at once where nothing can happen in them (the message cannot
 * end nor get too deep, and no backslash stands outside a string), with a bit a byte: which are escaped,
 * which are in strings, and so how many brackets count. What the brackets hold is the reader's affair. */
#include "json/json.h"
#include "json/scan.h"

/* Takes bytes from P until END or the end of the message. Returns where it stopped; NULL on an error. */
static const char *
feed_bytes(struct json_framer *f, const char *p, const char *end)
{
    for (; p < end; p++) {
        if (f->escaped) {
            f->escaped = false;
        } else if (f->in_string) {
            if (*p == '"') {
                f->in_string = false;
            } else if (*p == '\\') {
                f->escaped = true;
            }
        } else {
            switch (*p) {
            case '"':
                f->in_string = true;
                break;
            case '{': case '[':
                if (++f->depth > JSON_MAX_DEPTH) {
                    return NULL;
                }
                break;
            case '}': case ']':
                if (!--f->depth) {
                    return p + 1;
                }
                break;
            case '\\':
                return NULL;
            }
        }
    }
    return p;
}

#ifdef JSON_SSE2
/* The exclusive or of all bits up to and with each bit: from quotes to what they quote. */
static inline uint64_t
prefix_xor(uint64_t x)
{
    x ^= x << 1;
    x ^= x << 2;
    x ^= x << 4;
    x ^= x << 8;
    x ^= x << 16;
    return x ^ x << 32;
}

static inline uint32_t
count_bits(uint64_t x)
{
    /* The compiler's own is a call where the processor's instruction cannot be assumed. */
    x -= x >> 1 & 0x5555555555555555;
    x = (x & 0x3333333333333333) + (x >> 2 & 0x3333333333333333);
    x = (x + (x >> 4)) & 0x0f0f0f0f0f0f0f0f;
    return x * 0x0101010101010101 >> 56;
}

struct block_masks {
    uint64_t quote, backslash, open, close;
};

static inline struct block_masks
load_block(const char *p)
{
    struct block_masks m = {0};
    for (int i = 0; i < 4; i++) {
        __m128i x = _mm_loadu_si128((const __m128i *) (const void *) (p + 16 * i));
        __m128i folded = _mm_or_si128(x, _mm_set1_epi8(0x20));  /* [ to {, ] to }. */
        uint64_t quote = (uint32_t) _mm_movemask_epi8(_mm_cmpeq_epi8(x, _mm_set1_epi8('"')));
        uint64_t backslash = (uint32_t) _mm_movemask_epi8(_mm_cmpeq_epi8(x, _mm_set1_epi8('\\')));
        uint64_t open = (uint32_t) _mm_movemask_epi8(_mm_cmpeq_epi8(folded, _mm_set1_epi8('{')));
        uint64_t close = (uint32_t) _mm_movemask_epi8(_mm_cmpeq_epi8(folded, _mm_set1_epi8('}')));
        m.quote |= quote << 16 * i;
        m.backslash |= backslash << 16 * i;
        m.open |= open << 16 * i;
        m.close |= close << 16 * i;
    }
    return m;
}

/* The bits that an odd run of backslashes precedes. *CARRY: whether the first bit is one, and then
 * whether the bit after the last is. Adding a run's first bit to the run carries to the bit after it,
 * whose parity against the first's tells the run's. */
static inline uint64_t
find_escaped(uint64_t backslash, bool *carry)
{
    if (!backslash) {
        uint64_t escaped = *carry;
        *carry = false;
        return escaped;
    }
    const uint64_t even = 0x5555555555555555;
    backslash &= ~(uint64_t) *carry;
    uint64_t follows = backslash << 1 | *carry, sum;
    uint64_t odd_starts = backslash & ~even & ~follows;
    *carry = __builtin_add_overflow(odd_starts, backslash, &sum);
    return (even ^ sum << 1) & follows;
}

/* As feed_bytes(), but stops at any block that needs it. */
static const char *
feed_blocks(struct json_framer *f, const char *p, const char *end)
{
    bool escaped_carry = f->escaped;
    uint64_t string_carry = f->in_string ? UINT64_MAX : 0;
    uint32_t depth = f->depth;
    for (; end - p >= 64; p += 64) {
        struct block_masks m = load_block(p);
        bool carry = escaped_carry;
        uint64_t escaped = find_escaped(m.backslash, &carry);
        uint64_t in_string = prefix_xor(m.quote & ~escaped) ^ string_carry;
        uint64_t open = m.open & ~in_string, close = m.close & ~in_string;
        uint32_t n_open = count_bits(open), n_close = count_bits(close);
        if (depth <= n_close || depth + n_open > JSON_MAX_DEPTH || m.backslash & ~in_string) {
            break;
        }
        depth += n_open - n_close;
        escaped_carry = carry;
        string_carry = (uint64_t) ((int64_t) in_string >> 63);
    }
    f->escaped = escaped_carry;
    f->in_string = string_carry != 0;
    f->depth = depth;
    return p;
}
#else
/* Without vectors: skips what is plain in a string. */
static const char *
feed_blocks(struct json_framer *f, const char *p, const char *end)
{
    bool not_ascii = false;
    return f->in_string && !f->escaped ? scan_string(p, end, &not_ascii) : p;
}
#endif

size_t
json_framer_feed(struct json_framer *f, const char *start, size_t n, bool *complete)
{
    *complete = false;
    if (!n) {
        return 0;
    }
    const char *p = start, *end = start + n;
    if (!f->started) {
        p = scan_space(p, end);
        if (p == end) {
            return n;
        }
        if (*p != '{' && *p != '[') {
            return SIZE_MAX;
        }
        f->started = true;
        f->depth = 1;
        p++;
    }
    while (p < end) {
        p = feed_blocks(f, p, end);
        p = feed_bytes(f, p, end - p > 64 ? p + 64 : end);
        if (!p) {
            return SIZE_MAX;
        }
        if (!f->depth) {
            *f = (struct json_framer) JSON_FRAMER_INIT;
            *complete = true;
            break;
        }
    }
    return p - start;
}

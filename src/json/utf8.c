/* utf8.c - strict UTF-8, by the table of well-formed sequences (Unicode 15, table 3-7): a lead byte
 * fixes the length and the range of the second byte, which alone excludes overlong forms, surrogates and
 * values above U+10FFFF; other bytes are 80..BF. */
#include "json/utf8.h"

int
utf8_next(const char *s, const char *end)
{
    const uint8_t *p = (const uint8_t *) s;
    uint8_t lead = *p;
    if (lead < 0x80) {
        return 1;
    }
    if (lead < 0xc2 || lead > 0xf4) {
        return -1;
    }
    int n = lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4;
    uint8_t min = lead == 0xe0 ? 0xa0 : lead == 0xf0 ? 0x90 : 0x80;
    uint8_t max = lead == 0xed ? 0x9f : lead == 0xf4 ? 0x8f : 0xbf;
    for (int i = 1; i < n; i++) {
        if (s + i == end || p[i] < min || p[i] > max) {
            return -i;
        }
        min = 0x80;
        max = 0xbf;
    }
    return n;
}

const char *
utf8_check(const char *p, const char *end)
{
    while (p < end) {
        uint64_t word;
        if (end - p >= 8 && (memcpy(&word, p, 8), !(word & 0x8080808080808080))) {
            p += 8;
            continue;
        }
        int n = utf8_next(p, end);
        if (n < 0) {
            return p;
        }
        p += n;
    }
    return end;
}

size_t
utf8_encode(uint32_t code, char out[4])
{
    if (code < 0x80) {
        out[0] = code;
        return 1;
    }
    size_t n = code < 0x800 ? 2 : code < 0x10000 ? 3 : 4;
    for (size_t i = n - 1; i > 0; i--) {
        out[i] = 0x80 | (code & 0x3f);
        code >>= 6;
    }
    out[0] = (0xf00 >> n) | code;
    return n;
}

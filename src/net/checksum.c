/* checksum.c - the Internet checksum. The sum of at most 32 Ki numbers of 16 bits fits 32 bits; each part is folded, so that parts can be added. */
#include "net/checksum.h"

#include "net/bytes.h"

static uint32_t
fold(uint32_t sum)
{
    sum = (sum & 0xffff) + (sum >> 16);
    return (sum & 0xffff) + (sum >> 16);
}

uint32_t
checksum_add(uint32_t sum, const void *data, size_t n)
{
    const uint8_t *p = data;

    sum = fold(sum);
    for (; n >= 2; n -= 2, p += 2) {
        sum += be16_get(p);
    }
    if (n) {
        sum += *p << 8;
    }
    return fold(sum);
}

uint16_t
checksum_finish(uint32_t sum)
{
    return ~fold(sum);
}

#include "base/hash.h"

#define XXH_INLINE_ALL
#include <xxhash.h>

uint32_t
hash_bytes(const void *p, size_t n, uint32_t basis)
{
    uint64_t h = XXH3_64bits_withSeed(p, n, basis);
    return h ^ h >> 32;
}

struct digest
digest_bytes(const void *p, size_t n)
{
    XXH128_hash_t h = XXH3_128bits(p, n);
    return (struct digest) { h.low64, h.high64 };
}

/* hash.h - hashing, by xxHash (XXH3). 32 bits for maps, 128 for content identity. */
#ifndef BASE_HASH_H
#define BASE_HASH_H 1

#include "base/util.h"

/* 128 bits of XXH3: what stands for a content that we do not keep. */
struct digest {
    uint64_t lo, hi;
};

uint32_t hash_bytes(const void *, size_t n, uint32_t basis);
struct digest digest_bytes(const void *, size_t n);

static inline uint32_t
hash_u64(uint64_t x, uint32_t basis)
{
    x ^= (uint64_t) basis << 32 | basis;
    x ^= x >> 33;
    x *= 0xff51afd7ed558ccdULL;
    x ^= x >> 33;
    x *= 0xc4ceb9fe1a85ec53ULL;
    return x ^ x >> 33;
}

static inline uint32_t
hash_pointer(const void *p, uint32_t basis)
{
    return hash_u64((uintptr_t) p, basis);
}

static inline uint32_t
hash_string(const char *s, uint32_t basis)
{
    return hash_bytes(s, strlen(s), basis);
}

static inline bool
digest_equal(struct digest a, struct digest b)
{
    return a.lo == b.lo && a.hi == b.hi;
}

#endif

/* learn.c - put_fdb, put_arp, put_nd: what a packet teaches; and the filter that keeps a flood of lessons from becoming a flood of transactions.
 *
 * The filter's memory is of fixed size. `recent` holds what was passed on less than RECENT_MSEC ago (until the answer is in the switch, each packet
 * from that address teaches it again), one entry a hash. Each port has a bucket of tokens, a share of it if hashes meet: a port where
 * somebody makes up addresses does not keep others from learning. */
#include <stdlib.h>

#include "base/hash.h"
#include "controller/controller.h"
#include "controller/packets/packets.h"
#include "logical/symbols.h"
#include "net/ip.h"

enum { N_RECENT = 1024, RECENT_MSEC = 1000 };
enum { N_BUCKETS = 256, BURST = 128, PER_SECOND = 50 };

struct recent {
    struct learnt learnt;
    int64_t until;
};
struct bucket {
    int64_t tokens;                    /* Thousandths. */
    int64_t filled;                    /* When. */
};
struct learn_filter {
    struct recent recent[N_RECENT];
    struct bucket buckets[N_BUCKETS];
};

struct learn_filter *
learn_filter_create(void)
{
    struct learn_filter *f = XNEW(struct learn_filter);

    for (size_t i = 0; i < N_BUCKETS; i++) {
        f->buckets[i].tokens = BURST * 1000;
    }
    return f;
}

void
learn_filter_destroy(struct learn_filter *f)
{
    free(f);
}

static struct recent *
find_recent(struct learn_filter *f, const struct learnt *l)
{
    return &f->recent[hash_bytes(l, sizeof *l, 0) % N_RECENT];
}

static bool
take_token(struct bucket *b, int64_t now)
{
    b->tokens = MIN(b->tokens + (now - b->filled) * PER_SECOND, BURST * 1000);
    b->filled = now;
    if (b->tokens < 1000) {
        return false;
    }
    b->tokens -= 1000;
    return true;
}

enum learn_verdict
learn_filter_judge(struct learn_filter *f, const struct learnt *l, int64_t now)
{
    struct recent *r = find_recent(f, l);

    if (now < r->until && !memcmp(&r->learnt, l, sizeof *l)) {
        return LEARN_REPEATED;
    } else if (!take_token(&f->buckets[hash_u64((uint64_t) l->dp_key << 32 | l->port_key, 0) % N_BUCKETS], now)) {
        return LEARN_LIMITED;
    }
    r->learnt = *l;
    r->until = now + RECENT_MSEC;
    return LEARN_NEW;
}

void
learn_filter_forget(struct learn_filter *f, const struct learnt *l)
{
    find_recent(f, l)->until = 0;
}

/* ---- lessons ---- */

static bool
learn_mac(const struct punt *p, enum learnt_kind kind, struct learnt *l)
{
    l->kind = kind;
    l->dp_key = punt_field(p, OFF_METADATA) & ((1 << DP_KEY_BITS) - 1);
    l->port_key = punt_field(p, LOGICAL_INPORT);
    l->mac = p->eth.src;
    return l->dp_key && l->port_key && !eth_addr_is_multicast(l->mac) && !eth_addr_is_zero(l->mac);
}

bool
put_fdb_learn(const struct punt *p, struct learnt *l)
{
    return learn_mac(p, LEARNT_FDB, l);
}

static bool
learn_neighbour(const struct punt *p, bool v6, struct learnt *l)
{
    uint32_t words[4];

    for (int i = 0; i < 4; i++) {
        words[i] = htonl(punt_field(p, OFF_REG0 + i));
    }
    l->ip.v6 = v6;
    l->ip.plen = v6 ? 128 : 32;
    v6 ? memcpy(&l->ip.v6_addr, words, 16) : memcpy(&l->ip.v4_addr, words, 4);
    return learn_mac(p, LEARNT_NEIGHBOUR, l) && !ip_addr_is_unspecified(&l->ip) && !ip_addr_is_multicast(&l->ip);
}

bool
put_arp_learn(const struct punt *p, struct learnt *l)
{
    return learn_neighbour(p, false, l);
}

bool
put_nd_learn(const struct punt *p, struct learnt *l)
{
    return learn_neighbour(p, true, l);
}

/* flows.c - desired and installed flows of one switch.
 *
 * A *wish* is one content (match, actions, cookie) with a count of those who want it: one allocation, header and bytes. The wishes for one key
 * (table, priority, match) form a *slot*: a list in the order of their contents, whose head stands in the hash map and carries the slot's
 * state: what the switch has there, and its place in the list of pending differences. When another wish becomes the head, the state moves.
 * A slot that nobody wants but the switch has is a head without wishers (refs 0) and without actions, until it is deleted.
 *
 * slot_update(), after each change, compares what the slot wants with what the switch has and enters it in, or takes it from, the list of
 * additions or that of deletions. So a sync costs the differences, not the table.
 *
 * Of what the switch has only a 64-bit hash of cookie and actions is kept. A digest that names a wish is made of the key's hash (where the map
 * looks) and the content's. */
#include "openflow/flows.h"

#include <stdlib.h>

#include "base/hmap.h"
#include "base/list.h"
#include "base/log.h"
#include "openflow/action.h"
#include "openflow/action_wire.h"
#include "openflow/flows_private.h"
#include "openflow/put.h"

LOG_MODULE(flows);

struct wish {
    /* The slot's state; only in its head. */
    struct hmap_node node;             /* By the key's hash. */
    struct list pending;
    uint64_t installed;                /* What the switch has, if IN_SWITCH. */

    struct wish *next;                 /* The slot's next wish, of a larger content. */
    uint64_t cookie;
    uint32_t refs;
    uint32_t actions_len;
    uint16_t priority;
    uint16_t match_len;
    uint8_t table;
    bool in_switch : 1;                /* Head. */
    bool is_pending : 1;               /* Head. */
    bool clashes : 1;                  /* Head. */
    bool refused : 1;                  /* By the switch. */
    uint8_t bytes[];                   /* Match, actions. */
};

struct of_flows {
    struct hmap slots;                 /* Heads. */
    struct list adds, deletes;         /* Heads, through `pending`. */
    size_t n_pending, n_desired, n_clashes, n_refused, bytes;
    struct wish *freed;                /* What the last of_flows_take() points to. */
    struct str merged;                 /* A merged list of conjunctions. */
};

static uint64_t
mix(uint64_t x)
{
    x ^= x >> 32;
    x *= 0xe9846af9b1a615dULL;
    x ^= x >> 32;
    x *= 0xe9846af9b1a615dULL;
    return x ^ x >> 28;
}

uint64_t
of_content_hash(uint64_t cookie, const void *actions, size_t n)
{
    return mix(digest_bytes(actions, n).lo ^ mix(cookie + 0x9e3779b97f4a7c15ULL));
}

static struct of_flow_key
wish_key(const struct wish *w)
{
    return (struct of_flow_key) { w->table, w->priority, w->match_len, w->bytes };
}

static const uint8_t *
wish_actions(const struct wish *w)
{
    return w->bytes + w->match_len;
}

static struct digest
key_digest(const struct of_flow_key *k)
{
    struct digest d = digest_bytes(k->match, k->match_len);
    d.lo = mix(d.lo ^ mix((uint64_t) k->table << 16 | k->priority));
    return d;
}

static struct digest
content_digest(const struct of_flow_key *k, uint64_t cookie, const void *actions, size_t n)
{
    struct digest d = key_digest(k);
    d.hi = mix(d.hi + of_content_hash(cookie, actions, n));
    return d;
}

static struct of_flow_key
spec_key(const struct of_flow_spec *s)
{
    REQUIRE(s->match_len <= UINT16_MAX && s->actions_len <= UINT32_MAX);
    return (struct of_flow_key) { s->table, s->priority, s->match_len, s->match };
}

struct digest
of_flow_digest(const struct of_flow_spec *s)
{
    struct of_flow_key key = spec_key(s);
    return content_digest(&key, s->cookie, s->actions, s->actions_len);
}

struct of_flows *
of_flows_create(void)
{
    struct of_flows *f = XNEW(struct of_flows);
    hmap_init(&f->slots);
    list_init(&f->adds);
    list_init(&f->deletes);
    return f;
}

static void
wish_free(struct of_flows *f, struct wish *w)
{
    if (w) {
        f->bytes -= sizeof *w + w->match_len + w->actions_len;
        f->n_refused -= w->refused;
        free(w);
    }
}

void
of_flows_destroy(struct of_flows *f)
{
    if (!f) {
        return;
    }
    HMAP_FOR_EACH_SAFE (w, struct wish, node, &f->slots) {
        for (struct wish *next; w; w = next) {
            next = w->next;
            free(w);
        }
    }
    free(f->freed);
    hmap_destroy(&f->slots);
    str_free(&f->merged);
    free(f);
}

static struct wish *
wish_create(struct of_flows *f, const struct of_flow_key *key, uint64_t cookie, const void *actions, size_t n)
{
    struct wish *w = xmalloc(sizeof *w + key->match_len + n);

    *w = (struct wish) { .cookie = cookie, .actions_len = n, .priority = key->priority, .match_len = key->match_len, .table = key->table };
    list_init(&w->pending);
    if (key->match_len) {
        memcpy(w->bytes, key->match, key->match_len);
    }
    if (n) {
        memcpy(w->bytes + key->match_len, actions, n);
    }
    f->bytes += sizeof *w + w->match_len + w->actions_len;
    return w;
}

static struct wish *
slot_find(const struct of_flows *f, const struct of_flow_key *k, uint32_t hash)
{
    HMAP_FOR_EACH_HASH (w, struct wish, node, hash, &f->slots) {
        if (w->table == k->table && w->priority == k->priority && w->match_len == k->match_len
            && !memcmp(w->bytes, k->match_len ? k->match : "", k->match_len)) {
            return w;
        }
    }
    return NULL;
}

/* NEW becomes the slot's head instead of OLD (whose list is the caller's care). */
static void
slot_replace_head(struct of_flows *f, struct wish *old, struct wish *new)
{
    new->installed = old->installed;
    new->in_switch = old->in_switch;
    new->is_pending = old->is_pending;
    new->clashes = old->clashes;
    if (old->is_pending) {
        list_insert_before(&old->pending, &new->pending);
        list_remove(&old->pending);
    }
    hmap_remove(&f->slots, &old->node);
    hmap_insert(&f->slots, &new->node, old->node.hash);
}

/* Only conjunction actions, at least one. */
static bool
is_conjunction(const struct wish *w)
{
    const uint8_t *p = wish_actions(w);

    for (size_t i = 0; i < w->actions_len; i += 16) {
        if (w->actions_len - i < 16 || get_u16(p + i) != OFPAT_EXPERIMENTER || get_u16(p + i + 2) != 16
            || get_u32(p + i + 4) != NX_VENDOR || get_u16(p + i + 8) != NXAST_CONJUNCTION) {
            return false;
        }
    }
    return w->actions_len > 0;
}

static int
compare_conjunctions(const void *a, const void *b)
{
    return memcmp(a, b, 16);
}

/* What a slot wants. */
struct want {
    bool any;
    uint64_t cookie;
    const void *actions;
    size_t actions_len;
};

/* All conjunctions of the slot's wishes from FIRST on, each once. */
static struct want
merge_conjunctions(struct of_flows *f, const struct wish *first)
{
    uint64_t cookie = UINT64_MAX;
    size_t n = 0;

    str_clear(&f->merged);
    for (const struct wish *w = first; w; w = w->next) {
        if (!w->refused) {
            str_put(&f->merged, wish_actions(w), w->actions_len);
            cookie = MIN(cookie, w->cookie);
        }
    }
    char *p = f->merged.s;
    qsort(p, f->merged.len / 16, 16, compare_conjunctions);
    for (size_t i = 0; i < f->merged.len; i += 16) {
        if (!n || memcmp(p + n - 16, p + i, 16)) {
            memmove(p + n, p + i, 16);
            n += 16;
        }
    }
    str_truncate(&f->merged, n);
    return (struct want) { true, cookie, f->merged.s, n };
}

/* Of the wishes that were not refused: the first that is no conjunction, or else all conjunctions. The result lives until the next change. */
static struct want
slot_want(struct of_flows *f, const struct wish *head)
{
    const struct wish *conjunction = NULL;
    size_t n = 0;

    for (const struct wish *w = head; w; w = w->next) {
        if (!w->refs || w->refused) {
            continue;
        } else if (!head->next || !is_conjunction(w)) {
            return (struct want) { true, w->cookie, wish_actions(w), w->actions_len };
        }
        conjunction = conjunction ? conjunction : w;
        n++;
    }
    return n ? merge_conjunctions(f, conjunction) : (struct want) { .any = false };
}

static void
slot_set_pending(struct of_flows *f, struct wish *head, struct list *where)
{
    list_remove(&head->pending);
    f->n_pending -= head->is_pending;
    head->is_pending = where != NULL;
    f->n_pending += head->is_pending;
    if (where) {
        list_push_back(where, &head->pending);
    }
}

/* After any change of a slot: enters its difference in the right list; frees it if nobody, on neither side, has anything of it. */
static void
slot_update(struct of_flows *f, struct wish *head)
{
    struct want want = slot_want(f, head);

    if (want.any) {
        bool same = head->in_switch && head->installed == of_content_hash(want.cookie, want.actions, want.actions_len);
        slot_set_pending(f, head, same ? NULL : &f->adds);
    } else if (head->in_switch) {
        slot_set_pending(f, head, &f->deletes);
    } else {
        slot_set_pending(f, head, NULL);
        if (!head->refs) {
            hmap_remove(&f->slots, &head->node);
            wish_free(f, f->freed);
            f->freed = head;
        }
    }
}

/* Counts the slot as a clash while two of its wishes disagree; conjunctions do not. */
static void
slot_count_clash(struct of_flows *f, struct wish *head)
{
    size_t plain = 0;

    if (head->next) {
        for (const struct wish *w = head; w; w = w->next) {
            plain += !is_conjunction(w);
        }
    }
    bool clashes = plain > 1;
    if (clashes && !head->clashes) {
        struct of_flow_key key = wish_key(head);
        struct str s = STR_INIT;
        of_flow_format(&key, head->cookie, wish_actions(head), head->actions_len, &s);
        LOG_WARN_RL("different actions for one match; kept:%s", str_c(&s));
        str_free(&s);
    }
    f->n_clashes += (int) clashes - (int) head->clashes;
    head->clashes = clashes;
}

/* By actions, then cookie. */
static int
compare_content(const struct wish *w, const struct of_flow_spec *s)
{
    size_t n = MIN(w->actions_len, s->actions_len);
    int cmp = n ? memcmp(wish_actions(w), s->actions, n) : 0;

    return cmp                                ? cmp
           : w->actions_len != s->actions_len ? (w->actions_len < s->actions_len ? -1 : 1)
           : w->cookie != s->cookie           ? (w->cookie < s->cookie ? -1 : 1)
                                              : 0;
}

/* Puts W where its content belongs in the slot of HEAD; returns the slot's head. */
static struct wish *
slot_insert(struct of_flows *f, struct wish *head, struct wish *w, const struct of_flow_spec *s)
{
    if (!head->refs) {                 /* Was nobody's. */
        slot_replace_head(f, head, w);
        wish_free(f, head);
        f->n_desired++;
        return w;
    } else if (compare_content(head, s) > 0) {
        w->next = head;
        slot_replace_head(f, head, w);
        return w;
    }
    struct wish *before = head;
    while (before->next && compare_content(before->next, s) < 0) {
        before = before->next;
    }
    w->next = before->next;
    before->next = w;
    return head;
}

void
of_flows_add(struct of_flows *f, const struct of_flow_spec *s)
{
    struct of_flow_key key = spec_key(s);
    uint32_t hash = key_digest(&key).lo;
    struct wish *head = slot_find(f, &key, hash);

    for (struct wish *w = head; w && w->refs; w = w->next) {
        if (!compare_content(w, s)) {
            w->refs++;
            return;
        }
    }
    struct wish *w = wish_create(f, &key, s->cookie, s->actions, s->actions_len);
    w->refs = 1;
    if (!head) {
        hmap_insert(&f->slots, &w->node, hash);
        f->n_desired++;
        head = w;
    } else {
        head = slot_insert(f, head, w, s);
        slot_count_clash(f, head);
    }
    slot_update(f, head);
}

/* The wish of digest D, its slot's head, and the pointer to it within the list (NULL: it is the head). */
static struct wish *
wish_find(struct of_flows *f, struct digest d, struct wish **head, struct wish ***link)
{
    HMAP_FOR_EACH_HASH (h, struct wish, node, (uint32_t) d.lo, &f->slots) {
        struct wish **p = NULL;
        for (struct wish *w = h; w && w->refs; p = &w->next, w = w->next) {
            struct of_flow_key key = wish_key(w);
            if (digest_equal(d, content_digest(&key, w->cookie, wish_actions(w), w->actions_len))) {
                *head = h;
                *link = p;
                return w;
            }
        }
    }
    return NULL;
}

void
of_flows_remove(struct of_flows *f, struct digest d)
{
    struct wish *head, **link, *w = wish_find(f, d, &head, &link);

    REQUIRE(w);
    if (--w->refs) {
        return;
    }
    if (link) {
        *link = w->next;
    } else if (w->next) {
        slot_replace_head(f, w, w->next);
        head = w->next;
    } else {                           /* The last wish: what remains is what the switch has. */
        struct of_flow_key key = wish_key(w);
        head = wish_create(f, &key, 0, NULL, 0);
        slot_replace_head(f, w, head);
        f->n_desired--;
    }
    wish_free(f, w);
    slot_count_clash(f, head);
    slot_update(f, head);
}

void
of_flows_begin_adoption(struct of_flows *f)
{
    HMAP_FOR_EACH_SAFE (head, struct wish, node, &f->slots) {
        for (struct wish *w = head; w; w = w->next) {
            f->n_refused -= w->refused;
            w->refused = false;
        }
        head->in_switch = false;
        slot_update(f, head);
    }
}

void
of_flows_adopt(struct of_flows *f, const struct of_flow_key *key, uint64_t content)
{
    uint32_t hash = key_digest(key).lo;
    struct wish *head = slot_find(f, key, hash);

    if (!head) {
        head = wish_create(f, key, 0, NULL, 0);
        hmap_insert(&f->slots, &head->node, hash);
    }
    head->in_switch = true;
    head->installed = content;
    slot_update(f, head);
}

bool
of_flows_take(struct of_flows *f, struct of_change *c)
{
    struct list *from = !list_is_empty(&f->adds) ? &f->adds : &f->deletes;

    if (list_is_empty(from)) {
        return false;
    }
    struct wish *head = CONTAINER_OF(from->next, struct wish, pending);
    struct want want = slot_want(f, head);
    *c = (struct of_change) {
        .key = wish_key(head),
        .add = want.any,
        .cookie = want.cookie,
        .actions = want.actions,
        .actions_len = want.actions_len,
        .before = { head->in_switch, head->installed },
        .after = { want.any, want.any ? of_content_hash(want.cookie, want.actions, want.actions_len) : 0 },
    };
    head->in_switch = c->after.present;
    head->installed = c->after.content;
    slot_update(f, head);
    return true;
}

void
of_flows_revert(struct of_flows *f, const struct of_flow_key *key, struct of_installed before)
{
    uint32_t hash = key_digest(key).lo;
    struct wish *head = slot_find(f, key, hash);

    if (before.present) {
        of_flows_adopt(f, key, before.content);
    } else if (head) {
        head->in_switch = false;
        slot_update(f, head);
    }
}

bool
of_flows_refuse(struct of_flows *f, const struct of_flow_key *key, uint64_t content)
{
    struct wish *head = slot_find(f, key, key_digest(key).lo);
    bool found = false;

    if (!head) {
        return false;
    }
    struct want want = slot_want(f, head);
    bool merged = want.any && want.actions == f->merged.s && content == of_content_hash(want.cookie, want.actions, want.actions_len);
    for (struct wish *w = head; w; w = w->next) {
        if (w->refs && !w->refused
            && ((merged && is_conjunction(w)) || content == of_content_hash(w->cookie, wish_actions(w), w->actions_len))) {
            w->refused = found = true;
            f->n_refused++;
        }
    }
    slot_update(f, head);
    return found;
}

void
of_flows_retry_refused(struct of_flows *f)
{
    if (!f->n_refused) {
        return;
    }
    HMAP_FOR_EACH_SAFE (head, struct wish, node, &f->slots) {
        bool changed = false;
        for (struct wish *w = head; w; w = w->next) {
            changed |= w->refused;
            w->refused = false;
        }
        if (changed) {
            slot_update(f, head);
        }
    }
    f->n_refused = 0;
}

size_t
of_flows_count(const struct of_flows *f)
{
    return f->n_desired;
}

size_t
of_flows_n_pending(const struct of_flows *f)
{
    return f->n_pending;
}

size_t
of_flows_n_clashes(const struct of_flows *f)
{
    return f->n_clashes;
}

size_t
of_flows_n_refused(const struct of_flows *f)
{
    return f->n_refused;
}

size_t
of_flows_bytes(const struct of_flows *f)
{
    return f->bytes + (f->slots.mask + 1) * sizeof *f->slots.buckets + sizeof *f;
}

void
of_flow_format(const struct of_flow_key *k, uint64_t cookie, const void *actions, size_t n, struct str *out)
{
    struct of_match m = OF_MATCH_INIT;

    str_printf(out, " cookie=0x%llx, ", (unsigned long long) cookie);
    if (k->table) {
        str_printf(out, "table=%u, ", k->table);
    }
    str_printf(out, "priority=%u", k->priority);
    char *error = of_match_parse_oxm(k->match, k->match_len, &m);
    if (error) {
        str_printf(out, ",(%s)", error);
        free(error);
    } else if (m.n) {
        str_putc(out, ',');
        of_match_format(&m, out);
    }
    of_match_destroy(&m);
    str_puts(out, " actions=");
    ofa_format(actions, n, out);
}

/* By table, priority (highest first), match. */
static int
compare_slots(const void *a_, const void *b_)
{
    const struct wish *a = *(struct wish *const *) a_, *b = *(struct wish *const *) b_;

    if (a->table != b->table) {
        return a->table < b->table ? -1 : 1;
    } else if (a->priority != b->priority) {
        return a->priority > b->priority ? -1 : 1;
    }
    int cmp = memcmp(a->bytes, b->bytes, MIN(a->match_len, b->match_len));
    return cmp ? cmp : a->match_len < b->match_len ? -1 : a->match_len > b->match_len;
}

void
of_flows_format(const struct of_flows *f_, struct str *out)
{
    struct of_flows *f = (struct of_flows *) (uintptr_t) f_;   /* For the merge buffer. */
    const struct wish **all = xmalloc((f->n_desired + 1) * sizeof *all);
    size_t n = 0;

    HMAP_FOR_EACH (w, struct wish, node, &f->slots) {
        if (w->refs) {
            all[n++] = w;
        }
    }
    qsort(all, n, sizeof *all, compare_slots);
    for (size_t i = 0; i < n; i++) {
        struct of_flow_key key = wish_key(all[i]);
        struct want want = slot_want(f, all[i]);
        if (want.any) {
            of_flow_format(&key, want.cookie, want.actions, want.actions_len, out);
            str_putc(out, '\n');
        }
    }
    free(all);
}

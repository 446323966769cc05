/* incr.c - relations and facts; see incr.h. Units and running are in unit.c. */
#include <stdlib.h>
#include "incr/private.h"

enum { FACT_QUEUED = 1, FACT_TOLD = 2, FACT_WANTED = 4, FACT_REFRESHED = 8, FACT_GONE = 16 };

enum { LOG_MSEC = 500 };

struct incr *
incr_create(void)
{
    struct incr *g = XNEW(struct incr);
    list_init(&g->classes);
    list_init(&g->relations);
    g->recomputing = true;
    g->log_msec = LOG_MSEC;
    return g;
}

struct incr_relation *
incr_relation_create(struct incr *g, const char *name, unsigned flags)
{
    struct incr_relation *r = XNEW(struct incr_relation);
    r->graph = g;
    r->name = name;
    r->digest = flags & INCR_DIGEST;
    hmap_init(&r->keys);
    hmap_init(&r->facts);
    list_init(&r->classes);
    list_push_back(&g->relations, &r->node);
    return r;
}

const char *
incr_relation_name(const struct incr_relation *r)
{
    return r->name;
}

size_t
incr_n_facts(const struct incr_relation *r)
{
    return hmap_count(&r->facts);
}

/* ---- keys ---- */

static struct incr_key *
key_find(struct incr_relation *r, const void *bytes, size_t len, uint32_t hash)
{
    HMAP_FOR_EACH_HASH (k, struct incr_key, node, hash, &r->keys) {
        if (k->len == len && (!len || !memcmp(k->bytes, bytes, len))) {
            return k;
        }
    }
    return NULL;
}

static struct incr_key *
key_get(struct incr_relation *r, const void *bytes, size_t len)
{
    uint32_t hash = hash_bytes(bytes, len, 0);
    struct incr_key *k = key_find(r, bytes, len, hash);
    if (!k) {
        k = xmalloc(sizeof *k + len);
        *k = (struct incr_key) { .relation = r, .len = len };
        if (len) {
            memcpy(k->bytes, bytes, len);
        }
        hmap_insert(&r->keys, &k->node, hash);
    }
    return k;
}

static void
key_maybe_free(struct incr_key *k)
{
    if (!k->n_objects && !k->n_units && !dep_source_has_readers(&k->source)) {
        hmap_remove(&k->relation->keys, &k->node);
        free(k);
    }
}

/* Keys that were read in vain, or have lost their readers, are swept now and then. */
void
incr_sweep_keys(struct incr *g)
{
    LIST_FOR_EACH (r, struct incr_relation, node, &g->relations) {
        if (hmap_count(&r->keys) > 2 * r->swept + 1024) {
            HMAP_FOR_EACH_SAFE (k, struct incr_key, node, &r->keys) {
                key_maybe_free(k);
            }
            r->swept = hmap_count(&r->keys);
        }
    }
}

/* Facts flow from earlier classes to later ones. */
static void
check_reader(struct incr_relation *r, struct dep_reader *by)
{
    struct incr_unit *u = r->graph->running;
    if (u && by == incr_reader(u)) {
        REQUIRE(r->last_writer < u->class->order);
        r->first_reader = MIN(r->first_reader ? r->first_reader : INT32_MAX, u->class->order);
    }
}

const struct incr_fact *
incr_first(struct incr_relation *r, const void *key, size_t len, struct dep_reader *by)
{
    if (!by) {
        struct incr_key *k = key_find(r, key, len, hash_bytes(key, len, 0));
        return k ? k->facts : NULL;
    }
    check_reader(r, by);
    struct incr_key *k = key_get(r, key, len);
    dep_read(by, &k->source, DEP_ALL);
    return k->facts;
}

size_t
incr_count(struct incr_relation *r, const void *key, size_t len, struct dep_reader *by)
{
    const struct incr_fact *f = incr_first(r, key, len, by);
    return f ? f->key->n_facts : 0;
}

static struct incr_key *
next_key_with_facts(struct incr_relation *r, struct incr_key *k)
{
    struct hmap_node *node = k ? &k->node : NULL;
    while ((node = hmap_next_(&r->keys, node))) {
        k = CONTAINER_OF(node, struct incr_key, node);
        if (k->n_facts) {
            return k;
        }
    }
    return NULL;
}

struct incr_key *
incr_first_key(struct incr_relation *r, struct dep_reader *by)
{
    check_reader(r, by);
    dep_read(by, &r->membership, DEP_ALL);
    return next_key_with_facts(r, NULL);
}

struct incr_key *
incr_next_key(struct incr_key *k)
{
    return next_key_with_facts(k->relation, k);
}

/* ---- facts ---- */

void
incr_set_sink(struct incr_relation *r, incr_sink_cb *cb, void *aux)
{
    r->sink = cb;
    r->sink_aux = aux;
}

static void
queue_fact(struct incr_relation *r, struct incr_fact *f)
{
    if (!(f->flags & FACT_QUEUED)) {
        f->flags |= FACT_QUEUED;
        GROW(r->queue, r->queue_cap, r->n_queue + 1);
        r->queue[r->n_queue++] = (struct incr_queued) { f, NULL, 0 };
    }
}

/* Keeps VALUE of an INCR_DIGEST fact until the sink was told. A fact that was just queued is the last. */
static void
queue_value(struct incr_relation *r, struct incr_fact *f, const void *value, size_t len)
{
    queue_fact(r, f);
    for (size_t i = r->n_queue; i-- > 0;) {
        if (r->queue[i].fact == f) {
            if (!r->queue[i].value) {
                r->queue[i].value = xmemdup(value, len);
                r->queue[i].len = len;
            }
            return;
        }
    }
}

static void
fact_free(struct incr_fact *f)
{
    struct incr_key *k = f->key;

    hmap_remove(&k->relation->facts, &f->node);
    free(f);
    k->n_objects--;
    key_maybe_free(k);
}

/* The first unit emits F: it appears. */
static void
fact_link(struct incr_fact *f)
{
    struct incr_key *k = f->key;

    f->next = k->facts;
    f->prev = &k->facts;
    if (k->facts) {
        k->facts->prev = &f->next;
    }
    k->facts = f;
    dep_changed(&k->source, DEP_ALL);
    if (!k->n_facts++) {
        dep_changed(&k->relation->membership, DEP_ALL);
        incr_key_came(k);
    }
    if (k->relation->sink) {
        queue_fact(k->relation, f);
    }
}

/* No unit emits F any more: it goes, at once for readers, at the end of the run for the sink; units that are
 * still to run may hold its key, so nothing is freed before. */
static void
fact_unlink(struct incr_fact *f)
{
    struct incr_key *k = f->key;
    struct incr *g = k->relation->graph;

    *f->prev = f->next;
    if (f->next) {
        f->next->prev = f->prev;
    }
    f->next = NULL;
    dep_changed(&k->source, DEP_ALL);
    if (!--k->n_facts) {
        dep_changed(&k->relation->membership, DEP_ALL);
        incr_key_went(k);
    }
    if (k->relation->sink) {
        queue_fact(k->relation, f);
    } else if (!(f->flags & FACT_GONE)) {
        f->flags |= FACT_GONE;
        GROW(g->gone, g->gone_cap, g->n_gone + 1);
        g->gone[g->n_gone++] = f;
    }
}

static struct incr_fact *
fact_find(struct incr_relation *r, const void *key, size_t key_len, const void *value, size_t len, uint32_t hash)
{
    HMAP_FOR_EACH_HASH (f, struct incr_fact, node, hash, &r->facts) {
        if (f->len == len && (!len || !memcmp(f->value, value, len)) &&
            f->key->len == key_len && (!key_len || !memcmp(f->key->bytes, key, key_len))) {
            return f;
        }
    }
    return NULL;
}

const struct incr_fact *
incr_find(struct incr_relation *r, const void *key, size_t key_len, const void *value, size_t len)
{
    uint32_t hash = hash_bytes(value, len, hash_bytes(key, key_len, 0));
    const struct incr_fact *f = fact_find(r, key, key_len, value, len, hash);
    return f && f->refs ? f : NULL;
}

void
incr_emit(struct incr_unit *u, struct incr_relation *r, const void *key, size_t key_len, const void *value,
          size_t len)
{
    struct incr *g = r->graph;
    const void *content = value;
    size_t content_len = len;
    struct digest digest;

    REQUIRE(g->running == u);
    REQUIRE(!r->first_reader || r->first_reader > u->class->order);
    r->last_writer = MAX(r->last_writer, u->class->order);
    if (r->digest) {
        digest = digest_bytes(value, len);
        content = &digest;
        content_len = sizeof digest;
    }
    uint32_t hash = hash_bytes(content, content_len, hash_bytes(key, key_len, 0));
    struct incr_fact *f = fact_find(r, key, key_len, content, content_len, hash);
    if (g->shadow) {
        incr_shadow_emit(g, f, r);
        return;
    }
    if (!f) {
        f = xmalloc(sizeof *f + content_len);
        *f = (struct incr_fact) { .key = key_get(r, key, key_len), .len = content_len };
        if (content_len) {
            memcpy(f->value, content, content_len);
        }
        hmap_insert(&r->facts, &f->node, hash);
        f->key->n_objects++;
    }
    if (f->mark == g->mark_new) {
        return;                        /* Said twice in one run. */
    }
    bool had = f->mark == g->mark_old;
    f->mark = g->mark_new;
    GROW(g->emitted, g->emitted_cap, g->n_emitted + 1);
    g->emitted[g->n_emitted++] = f;
    if (!had && !f->refs++) {
        fact_link(f);
    }
    if (!f->emitter) {
        f->emitter = u;
    }
    if (r->digest && r->sink && (f->flags & FACT_WANTED || !(f->flags & FACT_TOLD))) {
        if (f->flags & FACT_WANTED) {
            f->flags = (f->flags & ~FACT_WANTED) | FACT_REFRESHED;
        }
        queue_value(r, f, value, len);
    }
}

void
incr_refresh(struct incr_fact *f)
{
    if (!f->refs || f->flags & FACT_WANTED) {
        return;
    }
    f->flags |= FACT_WANTED;
    if (!f->emitter) {
        incr_find_emitter(f->key->relation->graph, f);
    }
    incr_unit_dirty(f->emitter);
}

/* A unit's run: its old facts are marked old; those it emits are marked new; what is still marked old at the end
 * it does not say any more. */
void
incr_facts_begin(struct incr *g, struct incr_unit *u)
{
    g->mark_old = ++g->mark;
    g->mark_new = ++g->mark;
    for (size_t i = 0; i < u->n_facts; i++) {
        u->facts[i]->mark = g->mark_old;
    }
    g->n_emitted = 0;
}

void
incr_facts_end(struct incr *g, struct incr_unit *u)
{
    for (size_t i = 0; i < u->n_facts; i++) {
        struct incr_fact *f = u->facts[i];
        if (f->mark == g->mark_old) {
            if (f->emitter == u) {
                f->emitter = NULL;
            }
            if (!--f->refs) {
                fact_unlink(f);
            } else if (f->flags & FACT_WANTED) {
                f->flags &= ~FACT_WANTED;      /* Another unit has to say it. */
                incr_refresh(f);
            }
        }
    }
    if (!g->n_emitted) {
        free(u->facts);
        u->facts = NULL;
    } else {
        if (g->n_emitted != u->n_facts) {
            u->facts = xrealloc(u->facts, g->n_emitted * sizeof *u->facts);
        }
        memcpy(u->facts, g->emitted, g->n_emitted * sizeof *u->facts);
    }
    u->n_facts = g->n_emitted;
}

/* ---- the end of a run ---- */

/* What went (GONE) or the rest. */
static void
tell_sink_part(struct incr_relation *r, bool gone)
{
    for (size_t i = 0; i < r->n_queue; i++) {
        struct incr_queued *q = &r->queue[i];
        struct incr_fact *f = q->fact;
        if (!f || gone != !f->refs) {
            continue;
        }
        bool was = f->flags & FACT_TOLD, is = f->refs > 0, refreshed = f->flags & FACT_REFRESHED;
        const void *value = r->digest ? q->value : f->value;
        size_t len = r->digest ? q->len : f->len;

        f->flags &= ~(FACT_QUEUED | FACT_REFRESHED);
        if (is && !was) {
            f->flags |= FACT_TOLD;
            r->sink(r->sink_aux, f, INCR_ADDED, value, len);
        } else if (was && !is) {
            f->flags &= ~FACT_TOLD;
            r->sink(r->sink_aux, f, INCR_REMOVED, value, len);
        } else if (is && refreshed) {
            r->sink(r->sink_aux, f, INCR_REFRESHED, value, len);
        }
        free(q->value);
        q->fact = NULL;
        if (!is) {
            fact_free(f);
        }
    }
}

/* First what went, then what came: a sink never holds the old and the new together. */
static void
tell_sink(struct incr_relation *r)
{
    tell_sink_part(r, true);
    tell_sink_part(r, false);
    r->n_queue = 0;
    if (r->queue_cap > 4096) {
        free(r->queue);
        r->queue = NULL;
        r->queue_cap = 0;
    }
}

void
incr_settle_facts(struct incr *g)
{
    LIST_FOR_EACH (r, struct incr_relation, node, &g->relations) {
        if (r->n_queue) {
            tell_sink(r);
        }
    }
    for (size_t i = 0; i < g->n_gone; i++) {
        g->gone[i]->flags &= ~FACT_GONE;
        if (!g->gone[i]->refs) {
            fact_free(g->gone[i]);
        }
    }
    g->n_gone = 0;
}

void
incr_destroy(struct incr *g)
{
    if (!g) {
        return;
    }
    incr_destroy_units(g);
    LIST_FOR_EACH_SAFE (r, struct incr_relation, node, &g->relations) {
        for (size_t i = 0; i < r->n_queue; i++) {
            free(r->queue[i].value);
        }
        HMAP_FOR_EACH_SAFE (f, struct incr_fact, node, &r->facts) {
            hmap_remove(&r->facts, &f->node);
            free(f);
        }
        HMAP_FOR_EACH_SAFE (k, struct incr_key, node, &r->keys) {
            dep_source_destroy(&k->source);
            hmap_remove(&r->keys, &k->node);
            free(k);
        }
        hmap_destroy(&r->facts);
        hmap_destroy(&r->keys);
        dep_source_destroy(&r->membership);
        free(r->queue);
        free(r);
    }
    free(g->emitted);
    free(g->gone);
    free(g);
}

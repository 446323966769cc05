#include "base/dep.h"

#include <stdlib.h>

struct dep_edge {
    struct dep_source *source;         /* NULL once the source went. */
    struct dep_reader *reader;
    struct dep_edge *source_prev, *source_next;
    struct dep_edge *reader_next;
    uint64_t mask;
};

/* Edges come and go with every run of every unit: they are kept on a free list. */
static struct dep_edge *free_edges;

static struct dep_edge *
edge_new(void)
{
    if (!free_edges) {
        enum { CHUNK = 256 };
        struct dep_edge *chunk = xmalloc(CHUNK * sizeof *chunk);
        for (int i = 0; i < CHUNK; i++) {
            chunk[i].reader_next = free_edges;
            free_edges = &chunk[i];
        }
    }
    struct dep_edge *e = free_edges;
    free_edges = e->reader_next;
    return e;
}

static void
edge_leave_source(struct dep_edge *e)
{
    if (e->source) {
        if (e->source_prev) {
            e->source_prev->source_next = e->source_next;
        } else {
            e->source->readers = e->source_next;
        }
        if (e->source_next) {
            e->source_next->source_prev = e->source_prev;
        }
        e->source = NULL;
    }
}

void
dep_reader_init(struct dep_reader *r, void (*notify)(struct dep_reader *))
{
    *r = (struct dep_reader) { .notify = notify };
}

void
dep_reader_begin(struct dep_reader *r)
{
    for (struct dep_edge *e = r->reads, *next; e; e = next) {
        next = e->reader_next;
        edge_leave_source(e);
        e->reader_next = free_edges;
        free_edges = e;
    }
    r->reads = NULL;
    r->n_reads = 0;
    r->stale = false;
}

void
dep_read(struct dep_reader *r, struct dep_source *s, uint64_t mask)
{
    if (!r) {
        return;
    }
    s->parts = (s->readers ? s->parts : 0) | mask;
    /* One reader runs at a time and new edges go first, so if this reader has read this source in
     * this run, its edge is the first one. */
    struct dep_edge *e = s->readers;
    if (e && e->reader == r) {
        e->mask |= mask;
        return;
    }
    e = edge_new();
    *e = (struct dep_edge) {
        .source = s, .reader = r, .source_next = s->readers, .reader_next = r->reads, .mask = mask,
    };
    if (s->readers) {
        s->readers->source_prev = e;
    }
    s->readers = e;
    r->reads = e;
    r->n_reads++;
}

static void
edge_notify(struct dep_edge *e)
{
    if (!e->reader->stale) {
        e->reader->stale = true;
        e->reader->notify(e->reader);
    }
}

void
dep_changed(struct dep_source *s, uint64_t mask)
{
    for (struct dep_edge *e = s->parts & mask ? s->readers : NULL; e; e = e->source_next) {
        if (e->mask & mask) {
            edge_notify(e);
        }
    }
}

void
dep_source_destroy(struct dep_source *s)
{
    while (s->readers) {
        struct dep_edge *e = s->readers;
        edge_notify(e);
        edge_leave_source(e);
    }
}

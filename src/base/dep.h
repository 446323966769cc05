/* dep.h - recorded reads: who read what, so that a change finds those whom it concerns.
 *
 * A *source* is anything that can be read (a database row, an index key, a fact's key); a *reader*
 * is whoever reads (a unit, src/incr/). A read records an edge, with a mask that says which parts of
 * the source were read (for a row, a bit a column). When the source changes, every reader whose mask
 * meets the changed parts is notified, at most once until it is cleared and reads again.
 *
 * Both ends may go first. A source that goes notifies its readers and drops the edges; a reader
 * that goes drops its edges silently. This is the only dependency mechanism in the house
 * (DESIGN.md 2, rule 1); it stands in base/ because the replica (ovsdb/) records reads too. */
#ifndef BASE_DEP_H
#define BASE_DEP_H 1

#include "base/util.h"

struct dep_edge;

struct dep_source {
    struct dep_edge *readers;
    uint64_t parts;            /* Those that any of its readers has read: thousands may know a chassis' name, and nobody asks who refers to it. */
};

struct dep_reader {
    struct dep_edge *reads;
    /* Called on the first change after dep_reader_begin(); must not read or run, only note. */
    void (*notify)(struct dep_reader *);
    uint32_t n_reads;
    bool stale;                /* Was notified since dep_reader_begin(). */
};

#define DEP_ALL UINT64_MAX

void dep_reader_init(struct dep_reader *, void (*notify)(struct dep_reader *));
/* Forgets all reads: before a run, or for good. */
void dep_reader_begin(struct dep_reader *);

/* READER (NULL: nobody, nothing is recorded) reads the parts MASK of SOURCE. */
void dep_read(struct dep_reader *, struct dep_source *, uint64_t mask);
/* The parts MASK of SOURCE changed. */
void dep_changed(struct dep_source *, uint64_t mask);
/* SOURCE goes: as dep_changed(DEP_ALL), and no edge is left. */
void dep_source_destroy(struct dep_source *);

static inline bool
dep_source_has_readers(const struct dep_source *s)
{
    return s->readers != NULL;
}

#endif

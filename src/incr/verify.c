/* verify.c - a daemon checks itself: every unit runs again on the side and says what it would say from nothing. */
#include <stdlib.h>
#include "incr/private.h"

static void
difference(struct incr_shadow *s, const char *what, const char *relation)
{
    incr_unit_format(s->unit, s->out);
    str_printf(s->out, ": %s %s\n", what, relation);
}

void
incr_shadow_emit(struct incr *g, struct incr_fact *f, struct incr_relation *r)
{
    if (f && f->mark == g->mark_old) {
        f->mark = g->mark_new;
    } else if (!f || f->mark != g->mark_new) {
        g->shadow->n_missing++;
        difference(g->shadow, "lacks a fact of", r->name);
    }
}

static void
ignore(struct dep_reader *r UNUSED)
{
}

static size_t
verify_unit(struct incr *g, struct incr_unit *u, struct str *out)
{
    struct incr_shadow s = { .unit = u, .out = out };
    size_t n = 0;

    dep_reader_init(&s.reader, ignore);
    if (u->class->table) {
        dep_read(&s.reader, &((struct ovsdb_row *) u->subject)->source, OVSDB_PRESENT);
    }
    incr_facts_begin(g, u);
    g->shadow = &s;
    g->running = u;
    u->class->run(u, u->class->aux);
    g->running = NULL;
    g->shadow = NULL;
    for (size_t i = 0; i < u->n_facts; i++) {
        if (u->facts[i]->mark == g->mark_old) {
            difference(&s, "has a stale fact of", u->facts[i]->key->relation->name);
            n++;
        }
    }
    if (s.reader.n_reads != u->reader.n_reads) {
        incr_unit_format(u, out);
        str_printf(out, ": recorded %u reads, makes %u\n", u->reader.n_reads, s.reader.n_reads);
        n++;
    }
    dep_reader_begin(&s.reader);
    return n + s.n_missing;
}

static size_t
verify_subjects(struct incr_class *c, struct str *out)
{
    size_t want = hmap_count(&c->units);

    if (c->table) {
        want = ovsdb_count(c->table);
    } else if (c->relation) {
        want = 0;
        for (struct incr_key *k = incr_first_key(c->relation, NULL); k; k = incr_next_key(k)) {
            want++;
        }
    }
    if (want != hmap_count(&c->units)) {
        str_printf(out, "%s: %zu units for %zu subjects\n", c->name, hmap_count(&c->units), want);
        return 1;
    }
    return 0;
}

size_t
incr_verify(struct incr *g, struct str *out)
{
    size_t n = 0;

    if (g->n_dirty) {
        str_puts(out, "not settled: a standby, a paused process and one whose databases are away compute nothing\n");
        return 1;
    }
    LIST_FOR_EACH (c, struct incr_class, node, &g->classes) {
        n += verify_subjects(c, out);
        HMAP_FOR_EACH (u, struct incr_unit, node, &c->units) {
            n += verify_unit(g, u, out);
        }
    }
    return n;
}

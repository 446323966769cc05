/* unit.c - classes and their units: where subjects come from, who must run, and in what order. */
#include <stdlib.h>
#include "base/clock.h"
#include "base/log.h"
#include "incr/private.h"

LOG_MODULE(incr);

struct incr_class *
incr_class_create(struct incr *g, const char *name, incr_run_cb *run, void *aux)
{
    struct incr_class *c = XNEW(struct incr_class);
    c->graph = g;
    c->name = name;
    c->order = ++g->n_classes;
    c->run = run;
    c->aux = aux;
    hmap_init(&c->units);
    list_init(&c->dirty);
    list_push_back(&g->classes, &c->node);
    return c;
}

void
incr_class_set_format(struct incr_class *c, void (*format)(const struct incr_unit *, struct str *))
{
    c->format = format;
}

static void
notify(struct dep_reader *r)
{
    struct incr_unit *u = CONTAINER_OF(r, struct incr_unit, reader);
    if (list_is_empty(&u->dirty)) {
        list_push_back(&u->class->dirty, &u->dirty);
        u->class->graph->n_dirty++;
    }
}

void
incr_unit_dirty(struct incr_unit *u)
{
    u->reader.stale = true;
    notify(&u->reader);
}

static struct incr_unit *
unit_find(const struct incr_class *c, const void *subject)
{
    HMAP_FOR_EACH_HASH (u, struct incr_unit, node, hash_pointer(subject, 0), &c->units) {
        if (u->subject == subject) {
            return u;
        }
    }
    return NULL;
}

static void
unit_create(struct incr_class *c, void *subject)
{
    struct incr_unit *u = XNEW(struct incr_unit);
    dep_reader_init(&u->reader, notify);
    u->class = c;
    u->subject = subject;
    list_init(&u->dirty);
    hmap_insert(&c->units, &u->node, hash_pointer(subject, 0));
    if (c->relation) {
        ((struct incr_key *) subject)->n_units++;
    } else if (c->table) {
        /* The row must not be freed before its unit: a read of it keeps it. */
        dep_read(&u->reader, &((struct ovsdb_row *) subject)->source, OVSDB_PRESENT);
    }
    incr_unit_dirty(u);
}

static void
unit_destroy(struct incr_unit *u)
{
    struct incr *g = u->class->graph;

    incr_facts_begin(g, u);
    incr_facts_end(g, u);
    incr_held_begin(u);
    incr_held_end(u, true);
    dep_reader_begin(&u->reader);
    if (!list_is_empty(&u->dirty)) {
        list_remove(&u->dirty);
        g->n_dirty--;
    }
    if (u->class->relation) {
        ((struct incr_key *) u->subject)->n_units--;
    }
    hmap_remove(&u->class->units, &u->node);
    free(u);
}

/* ---- subjects ---- */

/* SUBJECT came or went. */
static void
subject_changed(struct incr_class *c, void *subject, bool is)
{
    struct incr_unit *u = unit_find(c, subject);
    if (u) {
        incr_unit_dirty(u);
    } else if (is) {
        unit_create(c, subject);
    }
}

static void
table_changed(struct ovsdb_watch *w, struct ovsdb_row *row, uint64_t changed)
{
    if (changed & OVSDB_PRESENT) {
        subject_changed(CONTAINER_OF(w, struct incr_class, watch), row, row->present);
    }
}

void
incr_class_over_table(struct incr_class *c, struct ovsdb_table *table)
{
    REQUIRE(!c->table && !c->relation);
    c->table = table;
    c->watch.cb = table_changed;
    ovsdb_watch(table, &c->watch);
    OVSDB_FOR_EACH (row, table, NULL) {
        unit_create(c, row);
    }
}

void
incr_class_over_relation(struct incr_class *c, struct incr_relation *r)
{
    REQUIRE(!c->table && !c->relation);
    c->relation = r;
    list_push_back(&r->classes, &c->relation_node);
    for (struct incr_key *k = incr_first_key(r, NULL); k; k = incr_next_key(k)) {
        unit_create(c, k);
    }
}

void
incr_class_alone(struct incr_class *c)
{
    unit_create(c, NULL);
}

void
incr_key_came(struct incr_key *k)
{
    LIST_FOR_EACH (c, struct incr_class, relation_node, &k->relation->classes) {
        subject_changed(c, k, true);
    }
}

void
incr_key_went(struct incr_key *k)
{
    LIST_FOR_EACH (c, struct incr_class, relation_node, &k->relation->classes) {
        subject_changed(c, k, false);
    }
}

static bool
subject_lives(const struct incr_unit *u)
{
    return u->class->table      ? ((struct ovsdb_row *) u->subject)->present
           : u->class->relation ? ((struct incr_key *) u->subject)->n_facts > 0
                                : true;
}

struct dep_reader *
incr_reader(struct incr_unit *u)
{
    struct incr_shadow *s = u->class->graph->shadow;
    return s ? &s->reader : &u->reader;
}

struct ovsdb_row *
incr_row(const struct incr_unit *u)
{
    return u->class->table ? u->subject : NULL;
}

const struct incr_key *
incr_subject(const struct incr_unit *u)
{
    return u->class->relation ? u->subject : NULL;
}

void
incr_unit_format(const struct incr_unit *u, struct str *out)
{
    str_printf(out, "%s(", u->class->name);
    if (u->class->format) {
        u->class->format(u, out);
    } else if (u->class->table) {
        const struct ovsdb_row *row = u->subject;
        str_printf(out, "%s " UUID_FMT, ovsdb_table_desc(row->table)->name, UUID_ARGS(&row->uuid));
    } else if (u->class->relation) {
        const struct incr_key *k = u->subject;
        str_printf(out, "%s ", k->relation->name);
        for (size_t i = 0; i < k->len; i++) {
            str_printf(out, "%02x", (unsigned char) k->bytes[i]);
        }
    }
    str_putc(out, ')');
}

/* The slow way to an emitter of F, for when the one on record stopped emitting it. */
void
incr_find_emitter(struct incr *g, struct incr_fact *f)
{
    LIST_FOR_EACH (c, struct incr_class, node, &g->classes) {
        HMAP_FOR_EACH (u, struct incr_unit, node, &c->units) {
            for (size_t i = 0; i < u->n_facts; i++) {
                if (u->facts[i] == f) {
                    f->emitter = u;
                    return;
                }
            }
        }
    }
    REQUIRE(!"a fact has an emitter");
}

/* ---- running ---- */

static void
unit_run(struct incr *g, struct incr_unit *u)
{
    struct incr_class *c = u->class;
    int64_t start = clock_usec();

    if (!subject_lives(u)) {
        unit_destroy(u);
    } else {
        dep_reader_begin(&u->reader);
        if (c->table) {
            dep_read(&u->reader, &((struct ovsdb_row *) u->subject)->source, OVSDB_PRESENT);
        }
        incr_facts_begin(g, u);
        incr_held_begin(u);
        g->running = u;
        c->run(u, c->aux);
        g->running = NULL;
        incr_held_end(u, false);
        incr_facts_end(g, u);
    }
    c->n_runs++;
    c->usec += clock_usec() - start;
}

static size_t
class_run(struct incr *g, struct incr_class *c)
{
    /* A unit that becomes dirty again meanwhile waits for the next pass. */
    struct list todo;
    size_t n = 0;

    if (list_is_empty(&c->dirty)) {
        return 0;
    }
    int64_t began = clock_usec();
    if (c->timed) {
        stopwatch_start(c->stopwatch);
    }
    list_init(&todo);
    while (!list_is_empty(&c->dirty)) {
        list_push_back(&todo, list_pop_front(&c->dirty));
    }
    while (!list_is_empty(&todo)) {
        struct incr_unit *u = CONTAINER_OF(list_pop_front(&todo), struct incr_unit, dirty);
        g->n_dirty--;
        unit_run(g, u);
        n++;
    }
    if (c->timed) {
        stopwatch_stop(c->stopwatch);
    }
    *(g->recomputing ? &c->n_recomputes : &c->n_computes) += 1;
    int64_t ms = (clock_usec() - began) / 1000;
    if (ms >= g->log_msec) {
        LOG_INFO_RL("class %s: %zu units took %lld ms", c->name, n, (long long) ms);
    }
    return n;
}

size_t
incr_run(struct incr *g)
{
    size_t n = 0;

    REQUIRE(!g->running);
    /* One pass is enough unless a unit makes an earlier one run again (incr_number() taking a number away). */
    for (int pass = 0; g->n_dirty; pass++) {
        if (pass == 100) {
            LOG_ERR_RL("units make each other run without end; %zu are left for the next cycle", g->n_dirty);
            break;
        }
        LIST_FOR_EACH (c, struct incr_class, node, &g->classes) {
            n += class_run(g, c);
        }
    }
    g->recomputing = false;
    if (n) {
        incr_settle_facts(g);
        incr_sweep_keys(g);
    }
    return n;
}

bool
incr_is_dirty(const struct incr *g)
{
    return g->n_dirty > 0;
}

void
incr_recompute(struct incr *g)
{
    g->recomputing = true;
    LIST_FOR_EACH (c, struct incr_class, node, &g->classes) {
        HMAP_FOR_EACH (u, struct incr_unit, node, &c->units) {
            incr_unit_dirty(u);
        }
    }
}

void
incr_destroy_units(struct incr *g)
{
    /* Sinks are not told: who destroys the graph ends with it. */
    LIST_FOR_EACH (r, struct incr_relation, node, &g->relations) {
        r->sink = NULL;
        list_init(&r->classes);
    }
    LIST_FOR_EACH_SAFE (c, struct incr_class, node, &g->classes) {
        if (c->table) {
            ovsdb_unwatch(&c->watch);
        }
        HMAP_FOR_EACH_SAFE (u, struct incr_unit, node, &c->units) {
            unit_destroy(u);
        }
        hmap_destroy(&c->units);
        list_remove(&c->node);
        free(c);
    }
}

/* outbox.c - the transactions of the sinks of one database; see sink.h.
 *
 * outbox_flush() prepares what is due (sink_prepare()), writes it, and when the answer is there everything that was in
 * the transaction is looked at once more: it is as said, or not yet.
 *
 * Trouble. A transaction that the server refuses because of what it says (a constraint) is tried again in smaller and smaller
 * parts, until single rows are found guilty: these are *refused*, named in a warning and set aside, until what is said or found
 * of them changes or REFUSED_RETRY passes. So one bad row keeps no other out. Members of groups whose rows were out
 * meanwhile are dropped by the server without a word (weak references): after trouble all sets are compared once. Any other
 * error (a full disk, a database that is read-only) is no row's fault: the same is tried again a second later. */
#include <malloc.h>
#include <stdlib.h>
#include "northd/sink_private.h"
#include "base/clock.h"
#include "base/log.h"
#include "runtime/metrics.h"

LOG_MODULE(northd_outbox);
METRIC(txn_committed);
METRIC(txn_failed);

enum { LARGE = 10000 };                /* Rows; after such a transaction the memory it took goes back. */
enum { REFUSED_RETRY = 60000, RETRY = 1000, CONFLICT_RETRY = 10 };     /* ms */

/* Sets aside what the server will not have. */
static void
entry_refuse(struct entry *e)
{
    struct outbox *o = e->sink->outbox;

    e->refused = true;
    list_push_back(&o->refused, &e->due);
    o->trouble = true;
    loop_timer_set(o->refused_timer, REFUSED_RETRY);
}

static void
timer_fired(void *o_)
{
    struct outbox *o = o_;
    o->retry_at = 0;
    if (o->wake) {
        o->wake(o->wake_aux);
    }
}

static void
retry_refused(struct outbox *o)
{
    while (!list_is_empty(&o->refused)) {
        entry_due(CONTAINER_OF(o->refused.next, struct entry, due));
    }
    o->retry_refused = false;
}

static void
refused_timer_fired(void *o_)
{
    struct outbox *o = o_;
    retry_refused(o);
    if (o->wake) {
        o->wake(o->wake_aux);
    }
}

struct outbox *
outbox_create(struct loop *loop, struct ovsdb *db, struct incr *incr, bool locked)
{
    struct outbox *o = XNEW(struct outbox);
    o->db = db;
    o->incr = incr;
    o->locked = locked;
    list_init(&o->sinks);
    list_init(&o->in_flight);
    list_init(&o->refused);
    o->refused_timer = loop_timer_create(loop, refused_timer_fired, o);
    o->timer = loop_timer_create(loop, timer_fired, o);
    return o;
}

void
outbox_set_extra(struct outbox *o, bool (*add)(void *, struct ovsdb_txn *), void (*done)(void *, bool), void *aux)
{
    o->add_extra = add;
    o->extra_done = done;
    o->extra_aux = aux;
}

void
outbox_on_wake(struct outbox *o, void (*wake)(void *), void *aux)
{
    o->wake = wake;
    o->wake_aux = aux;
}

void
outbox_destroy(struct outbox *o)
{
    if (!o) {
        return;
    }
    if (o->pending) {
        ovsdb_txn_cancel(o->pending);
    }
    LIST_FOR_EACH_SAFE (s, struct sink, node, &o->sinks) {
        sink_destroy(s);
    }
    loop_timer_destroy(o->timer);
    loop_timer_destroy(o->refused_timer);
    free(o);
}

/* ---- transactions ---- */

static void
retry_later(struct outbox *o, int64_t ms)
{
    o->retry_at = clock_msec() + ms;
    loop_timer_set(o->timer, ms);
}

/* Errors that say: not these rows (RFC 7047 5.2, ovsdb-server(7)). */
static bool
is_fault_of_rows(const char *error)
{
    static const char *const names[] = { "constraint violation", "referential integrity violation", "domain error",
                                         "range error", "syntax error", "unknown table", "unknown column" };
    for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
        if (str_after(error, names[i])) {
            return true;
        }
    }
    return false;
}

/* Whether E's row, in a transaction that succeeded, is gone all the same: nothing refers to it. */
static bool
has_vanished(const struct entry *e)
{
    return e->inserted && e->fact && !e->row && !e->sink->desc->is_root && !e->sink->outbox->limit;
}

/* E was in a transaction that is over. */
static void
entry_landed(struct entry *e, bool ok)
{
    struct sink *s = e->sink;
    bool vanished = ok && has_vanished(e);

    e->in_flight = false;
    if (s->member_column >= 0) {
        /* Somebody else changed the set meanwhile, or the server did not take all? */
        const struct ovsdb_set *set = e->row ? ovsdb_row_cell(e->row, &s->desc->columns[s->member_column]) : NULL;
        e->check_members |= !ok || e->seen > 1 || (e->seen && set && set->n != e->expect);
    }
    e->inserted = false;
    if (vanished) {
        LOG_WARN_RL("%s: a row of %s is not kept, nothing refers to it", ovsdb_desc(s->outbox->db)->name, s->desc->name);
        entry_refuse(e);
    } else {
        entry_due(e);                  /* Looked at once more: it is as said, or not yet. */
    }
}

/* The server refused a transaction with N rows (roots; others go along with them and are blamed only when alone); ONE is one of them. */
static void
txn_refused(struct outbox *o, const char *error, size_t n, struct entry *one)
{
    const char *db = ovsdb_desc(o->db)->name;

    if (!is_fault_of_rows(error) || !one) {
        LOG_WARN_RL("%s refused a transaction: %s", db, error);
        retry_later(o, RETRY);
    } else if (o->pending_extra) {
        o->without_extra = true;
    } else if (n == 1) {
        struct ovsdb_row *row = one->row;
        LOG_WARN_RL("%s refused a row of %s (%s " UUID_FMT "): %s", db, one->sink->desc->name,
                    row ? "there is" : "no row yet", UUID_ARGS(row ? &row->uuid : &(struct uuid) { { 0 } }), error);
        entry_due(one);
        list_remove(&one->due);
        entry_refuse(one);
    } else {
        LOG_INFO_RL("%s refused a transaction of %zu rows, which are tried in smaller parts: %s", db, n, error);
        o->limit = (n + 1) / 2;
        o->trouble = true;
    }
}

static void
txn_done(void *o_, const struct ovsdb_txn_result *r)
{
    struct outbox *o = o_;
    bool ok = r->status == OVSDB_TXN_SUCCESS;
    struct entry *one = NULL;
    size_t n = 0;

    o->pending = NULL;
    while (!list_is_empty(&o->in_flight)) {
        struct entry *e = CONTAINER_OF(list_pop_front(&o->in_flight), struct entry, due);
        one = !one || (e->sink->desc->is_root && !one->sink->desc->is_root) ? e : one;
        n += e->sink->desc->is_root;
        entry_landed(e, ok);
    }
    if (ok) {
        METRIC_INC(txn_committed);
        o->limit = o->limit && o->limit < 1000000 ? o->limit * 2 : 0;
        o->without_extra = false;
    } else {
        METRIC_INC(txn_failed);
        if (r->status == OVSDB_TXN_ERROR) {
            txn_refused(o, r->error, MAX(n, one != NULL), one);
        } else if (r->status == OVSDB_TXN_CONFLICT) {
            retry_later(o, CONFLICT_RETRY);
        }
    }
    if (n >= LARGE) {
        malloc_trim(0);
    }
    if (o->pending_extra && o->extra_done) {
        o->extra_done(o->extra_aux, ok);
    }
    o->pending_extra = false;
    if (o->wake) {
        o->wake(o->wake_aux);
    }
}

/* Trouble is over: members that the server dropped meanwhile are found by comparing. */
static void
check_all_members(struct outbox *o)
{
    o->trouble = !list_is_empty(&o->refused);
    LIST_FOR_EACH (s, struct sink, node, &o->sinks) {
        HMAP_FOR_EACH (e, struct entry, node, &s->entries) {
            if (s->member_column >= 0 && e->row) {
                e->check_members = true;
                entry_due(e);
            }
        }
    }
}

/* The columns that the server has may change (it was upgraded): everything is said again, without or with them. */
void
outbox_follow_schema(struct outbox *o)
{
    if (ovsdb_schema_seqno(o->db) == o->schema_seqno) {
        return;
    }
    o->schema_seqno = ovsdb_schema_seqno(o->db);
    LIST_FOR_EACH (s, struct sink, node, &o->sinks) {
        uint64_t usable = 0;
        for (uint16_t c = 0; c < s->desc->n_columns; c++) {
            if (s->owned & OVSDB_COLUMN(c) && ovsdb_has_column(o->db, s->desc, c)) {
                usable |= OVSDB_COLUMN(c);
            }
        }
        s->usable = usable;
        s->said_narrow = 0;
    }
    retry_refused(o);
    incr_recompute(o->incr);
}

/* Brings all that is due to where it can be written. */
static void
outbox_prepare(struct outbox *o)
{
    /* What is asked for comes with the first run; in the second round only what that run itself made due is new. */
    for (int round = 0; round < 4; round++) {
        bool asked = false;
        LIST_FOR_EACH (s, struct sink, node, &o->sinks) {
            asked |= sink_prepare(s);
        }
        if (!asked && !incr_is_dirty(o->incr)) {
            return;
        }
        incr_run(o->incr);
    }
    if (o->wake) {
        o->wake(o->wake_aux);
    }
}

static bool
is_anything_due(const struct outbox *o)
{
    LIST_FOR_EACH (s, struct sink, node, &o->sinks) {
        if (!list_is_empty(&s->due) || !list_is_empty(&s->deltas) || s->n_surplus) {
            return true;
        }
    }
    return false;
}

void
outbox_flush(struct outbox *o)
{
    size_t n = 0;

    if (o->pending || o->retry_at || !ovsdb_is_connected(o->db)) {
        return;
    }
    outbox_follow_schema(o);
    if (o->retry_refused) {
        retry_refused(o);
    }
    if (o->trouble && !o->limit && list_is_empty(&o->refused) && !is_anything_due(o)) {
        check_all_members(o);
    }
    outbox_prepare(o);
    struct ovsdb_txn *txn = ovsdb_txn_create(o->db);
    if (o->locked) {
        ovsdb_txn_assert_lock(txn);
    }
    size_t none = ovsdb_txn_n_ops(txn);
    LIST_FOR_EACH (s, struct sink, node, &o->sinks) {
        sink_write(s, txn, &n);
    }
    if (ovsdb_txn_n_ops(txn) == none) {
        o->without_extra = false;
    }
    /* What follows from the whole goes with the last of it. */
    bool last = !o->without_extra && (!o->limit || !n);
    LIST_FOR_EACH (s, struct sink, node, &o->sinks) {
        last = last && list_is_empty(&s->due);
    }
    o->pending_extra = last && o->add_extra && o->add_extra(o->extra_aux, txn);
    if (ovsdb_txn_n_ops(txn) == none) {
        ovsdb_txn_destroy(txn);
        o->pending_extra = false;
    } else {
        o->pending = ovsdb_txn_commit(txn, txn_done, o);
    }
}

bool
outbox_is_clean(const struct outbox *o)
{
    return !o->pending && !is_anything_due(o);
}

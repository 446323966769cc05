/* run.c - running a line: fetch what the commands need, run them, commit, wait; see ctl.h.
 *
 * Many lines may run over one connection (daemon.c): each has its own needs, rows and transactions, and nothing of one is seen by another. What a
 * replica is needed for depends: the row that --wait looks at is the same for all; but a line that waits until a condition holds
 * (wait-until) monitors what it needs, so it gets a connection of its own, which goes away with it. */
#include "cli/common/fetch.h"

#include <stdio.h>
#include <stdlib.h>
#include "base/clock.h"
#include "base/hash.h"
#include "runtime/loop.h"

const char CTL_AGAIN[] = "again";

enum { MAX_CONFLICTS = 1000 };

enum run_state {
    RUN_CONNECT,                       /* Nothing is fetched yet. */
    RUN_FETCH, RUN_COMMIT,             /* An answer will come. */
    RUN_WATCH,                         /* A condition does not hold; the replica tells when the tables change. */
    RUN_WAIT,                          /* --wait: for what was written to take effect. */
    RUN_END,                           /* c->error or c->output says how it ended. */
};
struct run {
    struct ctl *c;
    bool shared, own;                  /* c->db serves others, too; it is ours. */
    bool patient;                      /* It waits for something, so also for a database that is away for a while. */
    unsigned n_unreachable;            /* Attempts to connect that had failed before we came. */
    struct ovsdb_txn_handle *commit;   /* RUN_COMMIT */
    enum run_state state;
    uint64_t seen;                     /* The replica's seqno when the last fetching began. */
    bool waits, retried;               /* --wait; refused by an index before. */
    unsigned n_conflicts, n_remotes;
    int64_t awaited, started;          /* --wait: the value of nb_cfg; when it was sent (wall clock). */
};
static void run_fetch(struct run *);

/* ---- for commands ---- */

const char *
ctl_error(struct ctl *c, const char *fmt, ...)
{
    struct str s = STR_INIT;
    va_list args;

    va_start(args, fmt);
    str_vprintf(&s, fmt, args);
    va_end(args);
    return arena_take(&c->arena, &s);
}

void
ctl_print(struct ctl *c, const char *fmt, ...)
{
    va_list args;

    va_start(args, fmt);
    str_vprintf(&c->call->out, fmt, args);
    va_end(args);
}

const char *
ctl_arg(const struct ctl *c, int i)
{
    return i < c->call->argc ? c->call->argv[i] : NULL;
}

static const struct ctl_option *
find_option(const struct ctl *c, const char *option)
{
    for (size_t i = 0; i < c->call->n_options; i++) {
        if (str_eq(c->call->options[i].name, option)) {
            return &c->call->options[i];
        }
    }
    return NULL;
}

bool
ctl_has(const struct ctl *c, const char *option)
{
    return find_option(c, option) != NULL;
}

const char *
ctl_option(const struct ctl *c, const char *option)
{
    const struct ctl_option *o = find_option(c, option);
    return o ? o->value : NULL;
}

/* ---- needs ---- */

static bool
need_clause(struct ctl *c, const struct ovsdb_table_desc *t, const char *json, uint16_t column, const char *equals)
{
    struct ctl_need *need = &c->needs[t->index];

    uint32_t hash = hash_string(json, 0);

    HMAP_FOR_EACH_HASH (clause, struct ctl_need_clause, node, hash, &need->by_json) {
        if (str_eq(clause->json, json)) {
            return true;
        }
    }
    if (need->all) {
        return true;
    }
    struct ctl_need_clause *clause = XNEW(struct ctl_need_clause);
    *clause = (struct ctl_need_clause) { .json = xstrdup(json), .equals = equals ? xstrdup(equals) : NULL, .column = column };
    hmap_insert(&need->by_json, &clause->node, hash);
    GROW(need->clauses, need->cap_clauses, need->n_clauses + 1);
    need->clauses[need->n_clauses++] = clause;
    return false;
}

static bool
need_columns(struct ctl *c, const struct ovsdb_table_desc *t, uint64_t columns)
{
    struct ctl_need *need = &c->needs[t->index];
    bool ready = need->used && !(columns & ~need->columns);

    need->used = true;
    need->columns |= columns;
    return ready;
}

bool
ctl_need(struct ctl *c, const struct ovsdb_table_desc *t, uint64_t columns, const char *clause)
{
    struct ctl_need *need = &c->needs[t->index];
    bool ready = need_columns(c, t, columns);

    if (!clause) {
        ready &= need->all;
        need->all = true;
    } else if (!str_eq(clause, "false")) {
        ready &= need_clause(c, t, clause, 0, NULL);
    }
    c->need_more |= !ready;
    return ready;
}

bool
ctl_need_all(struct ctl *c, const struct ovsdb_table_desc *t, uint64_t columns)
{
    return ctl_need(c, t, columns, NULL);
}

bool
ctl_need_str(struct ctl *c, const struct ovsdb_table_desc *t, uint64_t columns, uint16_t column, const char *equals)
{
    struct str s = STR_INIT;

    str_printf(&s, "[\"%s\",\"==\",", t->columns[column].name);
    datum_put_atom(&s, &(union datum_atom) { .s = equals }, OVSDB_STRING, DATUM_JSON);
    str_putc(&s, ']');
    bool ready = need_columns(c, t, columns | OVSDB_COLUMN(column));
    ready &= need_clause(c, t, str_c(&s), column, equals);
    str_free(&s);
    c->need_more |= !ready;
    return ready;
}

bool
ctl_need_uuid(struct ctl *c, const struct ovsdb_table_desc *t, uint64_t columns, const struct uuid *uuid)
{
    return ctl_need(c, t, columns,
                    arena_printf(&c->arena, "[\"_uuid\",\"==\",[\"uuid\",\"" UUID_FMT "\"]]", UUID_ARGS(uuid)));
}

bool
ctl_need_referrer(struct ctl *c, const struct ovsdb_table_desc *t, uint64_t columns, uint16_t column, const struct uuid *uuid)
{
    return ctl_need(c, t, columns | OVSDB_COLUMN(column),
                    arena_printf(&c->arena, "[\"%s\",\"includes\",[\"uuid\",\"" UUID_FMT "\"]]", t->columns[column].name,
                                 UUID_ARGS(uuid)));
}

/* Lets the replica follow what the line needs, to know when it changes. */
static void
watch_needs(struct ctl *c)
{
    for (size_t i = 0; i < c->program->db->n_tables; i++) {
        const struct ovsdb_table_desc *t = &c->program->db->tables[i];
        struct ctl_need *need = &c->needs[i];
        struct str s = STR_INIT;
        if (!need->used) {
            continue;
        }
        for (size_t j = 0; !need->all && j < need->n_clauses; j++) {
            str_printf(&s, "%c%s", j ? ',' : '[', need->clauses[j]->json);
        }
        str_puts(&s, need->all ? "[true]" : need->n_clauses ? "]" : "[false]");
        ovsdb_use(c->db, t, need->columns);
        ovsdb_set_condition(c->db, t, str_c(&s));
        str_free(&s);
    }
}

/* ---- output ---- */

static void
put_oneline(struct str *to, const struct str *from)
{
    size_t n = from->len && from->s[from->len - 1] == '\n' ? from->len - 1 : from->len;

    for (size_t i = 0; i < n; i++) {
        char ch = from->s[i];
        str_puts(to, ch == '\n' ? "\\n" : ch == '\\' ? "\\\\" : "");
        if (ch != '\n' && ch != '\\') {
            str_putc(to, ch);
        }
    }
    str_putc(to, '\n');
}

/* The line has ended: with an error, or with its output. */
static void
run_end(struct run *r, const char *error)
{
    r->state = RUN_END;
    r->c->error = error ? xstrdup(error) : NULL;
    loop_wake(r->c->loop);
}

static void
put_output(struct ctl *c)
{
    struct str *out = &c->output;
    bool any_table = false;

    for (size_t i = 0; i < c->n_calls; i++) {
        const struct ctl_call *call = &c->calls[i];
        if (call->table) {
            str_puts(out, any_table ? "\n" : "");
            any_table = true;
            table_put(out, call->table, &c->style);
        } else if (c->oneline) {
            put_oneline(out, &call->out);
        } else if (call->out.len) {
            str_put(out, call->out.s, call->out.len);
        }
    }
}

/* ---- waiting for the change to take effect ---- */

/* What the replica has in COLUMN of the row that counts changes. */
static int64_t
global_int(const struct ctl *c, uint16_t column)
{
    const struct ovsdb_table_desc *t = c->program->wait->global;
    struct ovsdb_row *row = ovsdb_first(ovsdb_table(c->db, t), NULL);

    return row ? ((const union ovsdb_atom *) ovsdb_row_cell(row, &t->columns[column]))->i : 0;
}

static void
put_wait_times(const struct run *r)
{
    const struct ctl_wait *w = r->c->program->wait;
    struct str *out = &r->c->output;

    str_printf(out, "Time spent on processing nb_cfg %lld:\n", (long long) r->awaited);
    str_printf(out, "\tovn-northd delay before processing:\t%lldms\n", (long long) (global_int(r->c, w->nb_timestamp) - r->started));
    str_printf(out, "\tovn-northd completion:\t\t\t%lldms\n", (long long) (global_int(r->c, w->sb_timestamp) - r->started));
    if (r->c->wait == CTL_WAIT_HV) {
        str_printf(out, "\tovn-controller(s) completion:\t\t%lldms\n",
                   (long long) (global_int(r->c, w->hv_timestamp) - r->started));
    }
}

static void
run_wait(struct run *r)
{
    struct ctl *c = r->c;
    const struct ctl_wait *w = c->program->wait;

    if (global_int(c, w->sb_cfg) < r->awaited || (c->wait == CTL_WAIT_HV && global_int(c, w->hv_cfg) < r->awaited)) {
        return;
    }
    if (c->print_wait_time) {
        put_wait_times(r);
    }
    run_end(r, NULL);
}

/* ---- the transaction ---- */

static void
run_done(struct run *r, int64_t nb_cfg)
{
    put_output(r->c);
    if (r->awaited) {
        r->awaited = nb_cfg ? nb_cfg : r->awaited;
        r->state = RUN_WAIT;
        run_wait(r);
    } else {
        run_end(r, NULL);
    }
}

static void
run_committed(void *aux, const struct ovsdb_txn_result *result)
{
    struct run *r = aux;
    struct ctl *c = r->c;

    r->commit = NULL;
    switch (result->status) {
    case OVSDB_TXN_SUCCESS:
        run_done(r, result->incremented);
        return;
    case OVSDB_TXN_CONFLICT:
        if (++r->n_conflicts > MAX_CONFLICTS) {
            run_end(r, ctl_error(c, "transaction error: the database changes faster than this command can follow (%s)", result->error));
            return;
        }
        fetch_forget(c);
        run_fetch(r);
        return;
    case OVSDB_TXN_LOST:
        run_end(r, ctl_error(c, "%s: the connection broke before the answer came; the change may or may not have been made",
                             c->remotes));
        return;
    case OVSDB_TXN_ERROR:
        /* Somebody else took the name meanwhile: the command says so, in its own words. */
        if (c->view.relies_on_indexes && !r->retried && str_after(result->error, "constraint violation: ")) {
            r->retried = true;
            fetch_forget(c);
            run_fetch(r);
            return;
        }
        break;
    case OVSDB_TXN_NOT_LOCKED:
        break;
    }
    run_end(r, ctl_error(c, "transaction error: %s", ctl_refusal(c, result->error)));
}

/* The row that counts changes gets the next number. */
static void
count_change(struct run *r, struct ovsdb_txn *txn)
{
    struct ctl *c = r->c;
    const struct ctl_wait *w = c->program->wait;
    struct ovsdb_row *row = ovsdb_first(ovsdb_table(c->db, w->global), NULL);

    r->awaited = global_int(c, w->nb_cfg) + 1;
    r->started = clock_wall_msec();
    if (row) {
        ovsdb_txn_increment(txn, row, w->nb_cfg, 1);
    } else {
        view_set(ctl_singleton(c, w->global), w->nb_cfg, datum_of_int(&c->arena, 1));
    }
}

static void
run_commit(struct run *r)
{
    struct ctl *c = r->c;
    struct ovsdb_txn *txn = ovsdb_txn_create(c->db), *counted = NULL;
    bool waits = r->waits && !c->dry_run;

    r->awaited = 0;
    if (waits && (c->force_wait || view_is_changed(&c->view))) {
        counted = txn;
        count_change(r, txn);
    }
    if (c->dry_run || (!view_is_changed(&c->view) && !counted)) {
        ovsdb_txn_destroy(txn);
        run_done(r, 0);
        return;
    }
    view_commit(&c->view, txn);
    ovsdb_txn_comment(txn, str_c(&c->comment));
    r->state = RUN_COMMIT;
    r->commit = ovsdb_txn_commit(txn, run_committed, r);
}

/* ---- an attempt ---- */

static const char *
check_symbols(struct ctl *c)
{
    for (const struct ctl_symbol *s = c->symbols; s; s = s->next) {
        if (s->referenced && !s->defined) {
            return ctl_error(c, "row id \"%s\" is referenced but never created (e.g. with \"-- --id=%s create ...\")", s->name,
                             s->name);
        }
        if (s->created && !s->referenced && !s->table->is_root) {
            ctl_warn(c, "row id \"%s\" was created but no reference to it was inserted, so it will not actually appear in the "
                     "database", s->name);
        }
    }
    return NULL;
}

static const char *
run_calls(struct ctl *c)
{
    for (size_t i = 0; i < c->n_calls; i++) {
        c->call = &c->calls[i];
        str_clear(&c->call->out);
        c->call->table = NULL;
    }
    for (size_t i = 0; i < c->n_calls; i++) {
        c->call = &c->calls[i];
        TRY(c->call->command->run(c));
    }
    return check_symbols(c);
}

/* Follows what the line needs, on a connection of its own. */
static void
run_watch(struct run *r)
{
    struct ctl *c = r->c;

    if (r->shared && !r->own) {
        c->db = ovsdb_create(c->loop, c->program->db);
        r->own = true;
        r->seen = ovsdb_seqno(c->db);
        ovsdb_set_leader_only(c->db, c->leader_only);
        ovsdb_set_shuffle(c->db, c->shuffle);
        if (r->waits) {
            ctl_use_wait(c->program, c->db, c->print_wait_time);
        }
        free(ovsdb_set_remotes(c->db, c->remotes));    /* As they were before. */
    }
    r->patient = true;
    watch_needs(c);
    r->state = RUN_WATCH;
    loop_wake(c->loop);
}

static void
run_attempt(struct run *r)
{
    struct ctl *c = r->c;

    arena_clear(&c->arena);
    view_reset(&c->view);
    c->symbols = NULL;
    c->force_wait = false;
    c->need_more = false;
    const char *error = run_calls(c);
    if (error == CTL_AGAIN && c->need_more) {
        run_fetch(r);
    } else if (error == CTL_AGAIN) {
        run_watch(r);
    } else if (error) {
        run_end(r, error);
    } else {
        run_commit(r);
    }
}

static void
run_fetched(void *r_, const char *error)
{
    struct run *r = r_;

    if (error == CTL_AGAIN) {
        fetch_forget(r->c);
        r->state = RUN_CONNECT;
    } else if (error) {
        run_end(r, error);
    } else {
        run_fetch(r);                  /* What an index found. */
    }
}

/* Fetches what is missing, and runs. */
static void
run_fetch(struct run *r)
{
    r->state = RUN_FETCH;
    if (!fetch_start(r->c, run_fetched, r)) {
        run_attempt(r);
    }
}

/* Why nothing can be reached, if so. A line has had its own attempts, and does not fail for those that were made before it came. */
static const char *
why_unreachable(struct run *r)
{
    struct ctl *c = r->c;
    unsigned n = ovsdb_n_unreachable(c->db);

    r->n_unreachable = MIN(r->n_unreachable, n);
    if (n - r->n_unreachable < r->n_remotes && !ovsdb_lacks_database(c->db)) {
        return NULL;
    }
    /* "REMOTE: PATH: connect: why": the reason alone. */
    const char *why = ovsdb_last_error(c->db), *p = why;
    while ((p = strstr(p, ": "))) {
        why = p += 2;
    }
    return ctl_error(c, "%s: database connection failed (%s)", c->remotes, why);
}

bool
ctl_step(struct ctl *c)
{
    struct run *r = c->run;
    const char *error = r->state == RUN_CONNECT && !r->patient ? why_unreachable(r) : NULL;

    if (error) {
        run_end(r, error);
    }
    if (r->state == RUN_FETCH || r->state == RUN_COMMIT || r->state == RUN_END || !ovsdb_is_connected(c->db)) {
        return r->state == RUN_END;
    }
    if (r->state == RUN_CONNECT && r->waits && !ovsdb_is_ready(c->db)) {
        return false;
    }
    if (r->state == RUN_WAIT) {
        run_wait(r);
    } else if (r->state == RUN_CONNECT || (ovsdb_conditions_reached(c->db, 0) && ovsdb_seqno(c->db) != r->seen)) {
        r->seen = ovsdb_seqno(c->db);
        fetch_forget(c);
        run_fetch(r);
    }
    return r->state == RUN_END;
}

/* ---- the beginning and the end ---- */

void
ctl_use_wait(const struct ctl_program *program, struct ovsdb *db, bool times)
{
    const struct ctl_wait *w = program->wait;

    ovsdb_use(db, w->global, OVSDB_COLUMN(w->nb_cfg) | OVSDB_COLUMN(w->sb_cfg) | OVSDB_COLUMN(w->hv_cfg)
              | (times ? OVSDB_COLUMN(w->nb_timestamp) | OVSDB_COLUMN(w->sb_timestamp) | OVSDB_COLUMN(w->hv_timestamp) : 0));
}

static const char *
all_needs(struct ctl *c)
{
    for (size_t i = 0; i < c->n_calls; i++) {
        c->call = &c->calls[i];
        TRY(c->call->command->needs ? c->call->command->needs(c) : NULL);
    }
    return NULL;
}

void
ctl_start(struct ctl *c, bool shared)
{
    struct run *r = c->run = XNEW(struct run);

    r->c = c;
    r->shared = shared;
    r->n_remotes = 1;
    r->waits = c->program->wait && c->wait != CTL_WAIT_NONE;
    for (const char *p = c->remotes; (p = strchr(p, ',')); p++) {
        r->n_remotes++;
    }
    r->n_unreachable = ovsdb_n_unreachable(c->db);
    const char *error = all_needs(c);
    if (error) {
        run_end(r, error);
        return;
    }
    if (r->waits) {
        ctl_need_all(c, c->program->wait->global, 0);
    }
    if (r->waits && !shared) {
        ctl_use_wait(c->program, c->db, c->print_wait_time);
    }
    ovsdb_retry_now(c->db);
    loop_wake(c->loop);
}

void
ctl_stop(struct ctl *c)
{
    struct run *r = c->run;

    if (!r) {
        return;
    }
    fetch_cancel(c);
    if (r->commit) {
        ovsdb_txn_cancel(r->commit);
    }
    if (r->own) {
        ovsdb_destroy(c->db);
    }
    free(r);
    c->run = NULL;
}

/* run.c - running a line: fetch what the commands need, run them, commit, wait; see ctl.h. */
#include "cli/common/fetch.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
#include "base/clock.h"
#include "base/log.h"
#include "runtime/loop.h"

LOG_MODULE(fatal_signal);

const char CTL_AGAIN[] = "again";

enum { MAX_CONFLICTS = 1000 };

enum run_state {
    RUN_CONNECT,                       /* Nothing is fetched yet. */
    RUN_FETCH, RUN_COMMIT,             /* An answer will come. */
    RUN_WATCH,                         /* A condition does not hold; the replica tells when the tables change. */
    RUN_WAIT,                          /* --wait: for what was written to take effect. */
};
struct run {
    struct ctl *c;
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

    for (size_t i = 0; i < need->n_clauses; i++) {
        if (str_eq(need->clauses[i].json, json)) {
            return true;
        }
    }
    if (need->all) {
        return true;
    }
    GROW(need->clauses, need->cap_clauses, need->n_clauses + 1);
    need->clauses[need->n_clauses++]
        = (struct ctl_need_clause) { .json = xstrdup(json), .equals = equals ? xstrdup(equals) : NULL, .column = column };
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
            str_printf(&s, "%c%s", j ? ',' : '[', need->clauses[j].json);
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

static void
print_output(struct ctl *c)
{
    struct str out = STR_INIT;
    bool any_table = false;

    for (size_t i = 0; i < c->n_calls; i++) {
        const struct ctl_call *call = &c->calls[i];
        if (call->table) {
            str_puts(&out, any_table ? "\n" : "");
            any_table = true;
            table_put(&out, call->table, &c->style);
        } else if (c->oneline) {
            put_oneline(&out, &call->out);
        } else if (call->out.len) {
            str_put(&out, call->out.s, call->out.len);
        }
    }
    signal(SIGPIPE, SIG_DFL);          /* `ovn-sbctl ... | head` ends without a word, as others do. */
    if (out.len) {
        fwrite(out.s, 1, out.len, stdout);
    }
    str_free(&out);
    if (fflush(stdout)) {
        ctl_fatal("write to standard output failed");
    }
    signal(SIGPIPE, SIG_IGN);
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
print_wait_times(const struct run *r)
{
    const struct ctl_wait *w = r->c->program->wait;

    printf("Time spent on processing nb_cfg %lld:\n", (long long) r->awaited);
    printf("\tovn-northd delay before processing:\t%lldms\n", (long long) (global_int(r->c, w->nb_timestamp) - r->started));
    printf("\tovn-northd completion:\t\t\t%lldms\n", (long long) (global_int(r->c, w->sb_timestamp) - r->started));
    if (r->c->wait == CTL_WAIT_HV) {
        printf("\tovn-controller(s) completion:\t\t%lldms\n", (long long) (global_int(r->c, w->hv_timestamp) - r->started));
    }
    fflush(stdout);
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
        print_wait_times(r);
    }
    loop_stop(c->loop);
}

/* ---- the transaction ---- */

static void
run_done(struct run *r, int64_t nb_cfg)
{
    print_output(r->c);
    if (r->awaited) {
        r->awaited = nb_cfg ? nb_cfg : r->awaited;
        r->state = RUN_WAIT;
        run_wait(r);
    } else {
        loop_stop(r->c->loop);
    }
}

static void
run_committed(void *aux, const struct ovsdb_txn_result *result)
{
    struct run *r = aux;

    switch (result->status) {
    case OVSDB_TXN_SUCCESS:
        run_done(r, result->incremented);
        return;
    case OVSDB_TXN_CONFLICT:
        if (++r->n_conflicts > MAX_CONFLICTS) {
            ctl_fatal("transaction error: the database changes faster than this command can follow (%s)", result->error);
        }
        fetch_forget(r->c);
        run_fetch(r);
        return;
    case OVSDB_TXN_LOST:
        ctl_fatal("%s: the connection broke before the answer came; the change may or may not have been made", r->c->remotes);
    case OVSDB_TXN_ERROR:
        /* Somebody else took the name meanwhile: the command says so, in its own words. */
        if (r->c->view.relies_on_indexes && !r->retried && str_after(result->error, "constraint violation: ")) {
            r->retried = true;
            fetch_forget(r->c);
            run_fetch(r);
            return;
        }
        break;
    case OVSDB_TXN_NOT_LOCKED:
        break;
    }
    ctl_fatal("transaction error: %s", result->error);
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
    ovsdb_txn_commit(txn, run_committed, r);
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
        watch_needs(c);
        r->state = RUN_WATCH;
        loop_wake(c->loop);
    } else if (error) {
        ctl_fatal("%s", error);
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
        ctl_fatal("%s", error);
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

static void
run_cycle(void *aux)
{
    struct run *r = aux;
    struct ctl *c = r->c;

    if (r->state == RUN_CONNECT && ovsdb_n_unreachable(c->db) >= r->n_remotes) {
        /* "REMOTE: PATH: connect: why": the reason alone. */
        const char *why = ovsdb_last_error(c->db), *p = why;
        while ((p = strstr(p, ": "))) {
            why = p += 2;
        }
        ctl_fatal("%s: database connection failed (%s)", c->remotes, why);
    }
    if (r->state == RUN_FETCH || r->state == RUN_COMMIT || !ovsdb_is_connected(c->db)) {
        return;
    }
    if (r->state == RUN_CONNECT && r->waits && !ovsdb_is_ready(c->db)) {
        return;
    }
    if (r->state == RUN_WAIT) {
        run_wait(r);
    } else if (r->state == RUN_CONNECT || (ovsdb_conditions_reached(c->db, 0) && ovsdb_seqno(c->db) != r->seen)) {
        r->seen = ovsdb_seqno(c->db);
        fetch_forget(c);
        run_fetch(r);
    }
}

/* ---- the beginning and the end ---- */

static void
run_timeout(void *aux)
{
    LOG_WARN("terminating with signal %d (Alarm clock)", SIGALRM);
    fflush(NULL);
    signal(SIGALRM, SIG_DFL);
    raise(SIGALRM);
}

static void
all_needs(struct ctl *c)
{
    const struct ctl_wait *w = c->program->wait;

    for (size_t i = 0; i < c->n_calls; i++) {
        c->call = &c->calls[i];
        const char *error = c->call->command->needs ? c->call->command->needs(c) : NULL;
        if (error) {
            ctl_fatal("%s", error);
        }
    }
    if (w && c->wait != CTL_WAIT_NONE) {
        ctl_need_all(c, w->global, 0);
        ovsdb_use(c->db, w->global, OVSDB_COLUMN(w->nb_cfg) | OVSDB_COLUMN(w->sb_cfg) | OVSDB_COLUMN(w->hv_cfg)
                  | (c->print_wait_time ? OVSDB_COLUMN(w->nb_timestamp) | OVSDB_COLUMN(w->sb_timestamp)
                                              | OVSDB_COLUMN(w->hv_timestamp) : 0));
    }
}

int
ctl_run(struct ctl *c)
{
    struct run r = { .c = c, .n_remotes = 1 };
    struct loop_timer *timeout = loop_timer_create(c->loop, run_timeout, NULL);

    r.waits = c->program->wait && c->wait != CTL_WAIT_NONE;
    all_needs(c);
    for (const char *p = c->remotes; (p = strchr(p, ',')); p++) {
        r.n_remotes++;
    }
    ovsdb_set_leader_only(c->db, c->leader_only);
    ovsdb_set_shuffle(c->db, c->shuffle);
    char *error = ovsdb_set_remotes(c->db, c->remotes);
    if (error) {
        ctl_fatal("%s: database connection failed (%s)", c->remotes, error);
    }
    if (c->timeout) {
        loop_timer_set(timeout, c->timeout * 1000);
        alarm(c->timeout + 1);         /* Should the loop itself hang. */
    }
    loop_set_cycle(c->loop, run_cycle, &r);
    loop_run(c->loop);
    loop_timer_destroy(timeout);
    return EXIT_SUCCESS;
}

/* fetch.c - see fetch.h.
 *
 * Looking a unique name up. OVSDB has no operation for it: "select" with a condition on a column walks the table (200,000 ports: 50 ms).
 * But the server does keep an index of columns that must be unique, and says what stands in it to whoever breaks the rule. So we
 * ask it to insert the name *twice*. No server can do that (RFC 7047 3.2, "indexes"): the transaction is always refused, nothing is
 * ever changed or logged, and the refusal names the row that has the name already, if there is one:
 *
 *     ... for index on column "name".  First row, with UUID A, was inserted by this transaction.  Second row, with UUID B, existed in
 *     the database before this transaction ...
 *
 * A row of a table that is not a root would be swept away before the index is looked at, so a row that refers to both comes along.
 * Any other answer (a read-only connection, a constraint, another wording) says nothing, and the name is selected.
 *
 * Many rows by UUID. OVSDB has no "or", so it is one select a row; but how many are in a transaction matters: the memory that a large
 * transaction is parsed into and answered from is given back and taken anew piece by piece, and a server of 200,000 ports needs 25 ms for
 * 1,000 selects at once, and 9 ms for the same in transactions of 20 to 50. What is selected may be of different moments: so is what
 * a line reads before it knows which rows it needs. */
#include "cli/common/fetch.h"

#include <stdlib.h>
#include "cli/common/selects.h"
#include "json/json.h"

struct fetch {
    struct ctl *c;
    void (*cb)(void *aux, const char *error);
    void *aux;
    size_t n_pending;                  /* Transactions not answered. */
    struct batch *batches;             /* The last one first. */
    struct probe *probes;
    const char *error;
};
/* Selects of one transaction. */
struct batch {
    struct batch *next;
    struct ovsdb_txn_handle *handle;
    struct fetch *f;
    struct selects selects;
};
enum { MAX_SELECTS = 20 };
struct probe {
    struct probe *next;
    struct ovsdb_txn_handle *handle;
    struct fetch *f;
    struct ctl_need_clause *clause;
};

void
fetch_forget(struct ctl *c)
{
    store_clear(&c->store);
    for (size_t i = 0; i < c->program->db->n_tables; i++) {
        struct ctl_need *need = &c->needs[i];
        need->fetched = 0;
        need->all_fetched = false;
        for (size_t j = 0; j < need->n_clauses; j++) {
            need->clauses[j]->state = CLAUSE_NEW;
        }
    }
}

bool
fetch_is_indexed(const struct ovsdb_table_desc *t, uint16_t column)
{
    for (const uint16_t *const *index = t->indexes; index && *index; index++) {
        if ((*index)[0] == column && (*index)[1] == UINT16_MAX) {
            return true;
        }
    }
    return false;
}

static void
fetch_free(struct fetch *f)
{
    for (struct probe *p = f->probes, *next; p; p = next) {
        next = p->next;
        free(p);
    }
    for (struct batch *batch = f->batches, *next; batch; batch = next) {
        next = batch->next;
        selects_destroy(&batch->selects);
        free(batch);
    }
    free(f);
}

static void
fetch_done(struct fetch *f)
{
    if (--f->n_pending) {
        return;
    }
    struct fetch copy = *f;
    f->c->fetch = NULL;
    fetch_free(f);
    copy.cb(copy.aux, copy.error);
}

void
fetch_cancel(struct ctl *c)
{
    struct fetch *f = c->fetch;

    if (!f) {
        return;
    }
    for (struct batch *batch = f->batches; batch; batch = batch->next) {
        if (batch->handle) {
            ovsdb_txn_cancel(batch->handle);
        }
    }
    for (struct probe *p = f->probes; p; p = p->next) {
        if (p->handle) {
            ovsdb_txn_cancel(p->handle);
        }
    }
    c->fetch = NULL;
    fetch_free(f);
}

/* ---- by index ---- */

/* A root table that may refer to rows of T, and its column; *column NULL: T is a root itself. False: there is none. */
static bool
find_referrer(const struct ovsdb_table_desc *t, const struct ovsdb_table_desc **from, const struct ovsdb_column_desc **column)
{
    *column = NULL;
    if (t->is_root) {
        return true;
    }
    for (size_t i = 0; i < t->db->n_tables; i++) {
        *from = &t->db->tables[i];
        for (size_t j = 0; (*from)->is_root && j < (*from)->n_columns; j++) {
            *column = &(*from)->columns[j];
            if ((*column)->key.ref == t && !(*column)->key.weak && (*column)->shape == OVSDB_SET && (*column)->max == UINT32_MAX) {
                return true;
            }
        }
    }
    return false;
}

/* [COLUMN,"==",TEXT]: the column, if it is one of texts with an index. */
static const struct ovsdb_column_desc *
indexed_column(const struct ovsdb_table_desc *t, const struct ctl_need_clause *clause)
{
    return clause->equals && fetch_is_indexed(t, clause->column) ? &t->columns[clause->column] : NULL;
}

/* What the refusal says: CLAUSE_ABSENT; CLAUSE_FOUND, with *uuid; CLAUSE_SELECT: nothing. The name in it may be anything: what
 * counts stands behind the last "First row". */
static enum ctl_clause_state
read_refusal(const char *error, struct uuid *uuid)
{
    static const char first[] = ".  First row, with UUID ", second[] = ".  Second row, with UUID ", existed[] = ", existed in the database before",
                      inserted[] = ", was inserted by this transaction";
    const char *p = error ? error : "", *at = NULL;
    struct uuid a, b;

    while ((p = strstr(p, first))) {
        at = p += strlen(first);
    }
    const char *then = at ? strstr(at, second) : NULL;
    if (!then || strlen(then) < strlen(second) + UUID_LEN) {
        return CLAUSE_SELECT;
    }
    const char *two = then + strlen(second);
    char text[2][UUID_LEN + 1] = { { 0 } };
    memcpy(text[0], at, UUID_LEN);
    memcpy(text[1], two, UUID_LEN);
    if (!uuid_parse(text[0], &a) || !uuid_parse(text[1], &b)) {
        return CLAUSE_SELECT;
    }
    bool a_old = str_after(at + UUID_LEN, existed), b_old = str_after(two + UUID_LEN, existed);
    *uuid = a_old ? a : b;
    return a_old != b_old                                                                      ? CLAUSE_FOUND
           : str_after(at + UUID_LEN, inserted) && str_after(two + UUID_LEN, inserted) ? CLAUSE_ABSENT
                                                                                               : CLAUSE_SELECT;
}

static void
probe_answered(void *aux, const struct ovsdb_txn_result *result)
{
    struct probe *probe = aux;

    probe->handle = NULL;
    if (result->status == OVSDB_TXN_LOST) {
        probe->f->error = CTL_AGAIN;
    }
    probe->clause->state = read_refusal(result->error, &probe->clause->uuid);
    fetch_done(probe->f);
}

/* Asks the index for the text of CLAUSE. False: that is not possible. */
static bool
probe_send(struct fetch *f, const struct ovsdb_table_desc *t, struct ctl_need_clause *clause)
{
    const struct ovsdb_column_desc *column = indexed_column(t, clause), *via;
    const struct ovsdb_table_desc *from = NULL;
    struct ovsdb *db = f->c->db;

    if (!column || !find_referrer(t, &from, &via) || !ovsdb_has_column(db, t, column->index)
        || (via && !ovsdb_has_column(db, from, via->index))) {
        return false;
    }
    struct ovsdb_txn *txn = ovsdb_txn_create(db);
    struct str op = STR_INIT;
    for (int i = 0; i < 2; i++) {
        str_printf(&op, "{\"op\":\"insert\",\"table\":\"%s\",\"uuid-name\":\"row%d\",\"row\":{\"%s\":", t->name, i, column->name);
        json_put_cstr(&op, clause->equals);
        str_puts(&op, "}}");
        ovsdb_txn_put_raw(txn, str_c(&op));
        str_clear(&op);
    }
    if (via) {
        str_printf(&op, "{\"op\":\"insert\",\"table\":\"%s\",\"row\":{\"%s\":[\"set\",[[\"named-uuid\",\"row0\"],[\"named-uuid\",\"row1\"]]]}}",
                   from->name, via->name);
        ovsdb_txn_put_raw(txn, str_c(&op));
    }
    str_free(&op);
    struct probe *probe = XNEW(struct probe);
    *probe = (struct probe) { .next = f->probes, .f = f, .clause = clause };
    f->probes = probe;
    f->n_pending++;
    probe->handle = ovsdb_txn_commit(txn, probe_answered, probe);
    return true;
}

/* ---- by select ---- */

static void
selects_answered(void *aux, const struct ovsdb_txn_result *result)
{
    struct batch *batch = aux;
    struct fetch *f = batch->f;

    batch->handle = NULL;
    if (result->status != OVSDB_TXN_SUCCESS) {
        f->error = result->status == OVSDB_TXN_LOST ? CTL_AGAIN : ctl_error(f->c, "reading the database failed: %s", result->error);
    } else if (!selects_take(&batch->selects, &f->c->store, result)) {
        f->error = ctl_error(f->c, "the database server's answer makes no sense");
    }
    fetch_done(f);
}

/* Where the next select goes. */
static struct selects *
next_select(struct fetch *f)
{
    if (!f->batches || f->batches->selects.n == MAX_SELECTS) {
        struct batch *batch = XNEW(struct batch);
        *batch = (struct batch) { .next = f->batches, .f = f };
        selects_init(&batch->selects, f->c->db);
        f->batches = batch;
    }
    return &f->batches->selects;
}

/* What is missing of T, as selects and as probes. */
static void
ask_table(struct fetch *f, const struct ovsdb_table_desc *t, struct ctl_need *need)
{
    if (need->columns & ~need->fetched) {      /* More columns: all rows again. */
        need->all_fetched = false;
        for (size_t i = 0; i < need->n_clauses; i++) {
            if (need->clauses[i]->state == CLAUSE_FETCHED) {
                need->clauses[i]->state = CLAUSE_SELECT;
            }
        }
        need->fetched = need->columns;
    }
    if (need->all) {
        if (!need->all_fetched) {
            selects_put(next_select(f), t, need->columns, NULL);
        }
        need->all_fetched = true;
        return;
    }
    for (size_t i = 0; i < need->n_clauses; i++) {
        struct ctl_need_clause *clause = need->clauses[i];
        if (clause->state == CLAUSE_NEW && probe_send(f, t, clause)) {
            continue;
        }
        if (clause->state == CLAUSE_NEW || clause->state == CLAUSE_SELECT) {
            selects_put(next_select(f), t, need->columns, clause->json);
            clause->state = CLAUSE_FETCHED;
        } else if (clause->state == CLAUSE_FOUND) {
            selects_put_uuid(next_select(f), t, need->columns, &clause->uuid);
            clause->state = CLAUSE_FETCHED;
        }
    }
}

bool
fetch_start(struct ctl *c, void (*cb)(void *aux, const char *error), void *aux)
{
    struct fetch *f = XNEW(struct fetch);

    *f = (struct fetch) { .c = c, .cb = cb, .aux = aux };
    for (size_t i = 0; i < c->program->db->n_tables; i++) {
        const struct ovsdb_table_desc *t = &c->program->db->tables[i];
        if (c->needs[i].used && ovsdb_has_table(c->db, t)) {
            ask_table(f, t, &c->needs[i]);
        }
    }
    for (struct batch *batch = f->batches; batch; batch = batch->next) {
        f->n_pending++;
        batch->handle = ovsdb_txn_commit(selects_txn(&batch->selects), selects_answered, batch);
    }
    if (!f->n_pending) {
        fetch_free(f);
        return false;
    }
    c->fetch = f;
    return true;
}

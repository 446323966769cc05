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
 * Any other answer (a read-only connection, a constraint, another wording) says nothing, and the name is selected. */
#include "cli/common/fetch.h"

#include <stdlib.h>
#include "json/json.h"

struct fetch {
    struct ctl *c;
    void (*cb)(void *aux, const char *error);
    void *aux;
    size_t n_pending;                  /* Transactions not answered. */
    const char *error;
    struct asked { const struct ovsdb_table_desc *t; uint64_t columns; } *asked;       /* By operation of the selects. */
    size_t n_asked, cap_asked;
};
struct probe {
    struct fetch *f;
    const struct ovsdb_table_desc *t;
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
            need->clauses[j].state = CLAUSE_NEW;
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
fetch_done(struct fetch *f)
{
    if (--f->n_pending) {
        return;
    }
    struct fetch copy = *f;
    free(f->asked);
    free(f);
    copy.cb(copy.aux, copy.error);
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

    if (result->status == OVSDB_TXN_LOST) {
        probe->f->error = CTL_AGAIN;
    }
    probe->clause->state = read_refusal(result->error, &probe->clause->uuid);
    fetch_done(probe->f);
    free(probe);
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
    *probe = (struct probe) { f, t, clause };
    f->n_pending++;
    ovsdb_txn_commit(txn, probe_answered, probe);
    return true;
}

/* ---- by select ---- */

/* CLAUSE NULL: all rows. */
static void
put_select(struct fetch *f, struct ovsdb_txn *txn, const struct ovsdb_table_desc *t, uint64_t columns, const char *clause)
{
    struct str op = STR_INIT;

    str_printf(&op, "{\"op\":\"select\",\"table\":\"%s\",\"where\":[%s],\"columns\":[\"_uuid\"", t->name, clause ? clause : "");
    for (uint16_t i = 0; i < t->n_columns; i++) {
        if ((columns & OVSDB_COLUMN(i)) && ovsdb_has_column(f->c->db, t, i)) {
            str_printf(&op, ",\"%s\"", t->columns[i].name);
        }
    }
    str_puts(&op, "]}");
    ovsdb_txn_put_raw(txn, str_c(&op));
    str_free(&op);
    GROW(f->asked, f->cap_asked, f->n_asked + 1);
    f->asked[f->n_asked++] = (struct asked) { t, columns };
}

/* [{"rows":[...]}, ...] */
static bool
take_answers(struct fetch *f, struct json_reader *r)
{
    size_t i = 0;

    if (json_next(r) != JSON_ARRAY_BEGIN) {
        return false;
    }
    while (json_next(r) == JSON_OBJECT_BEGIN && i < f->n_asked) {
        while (json_next(r) == JSON_KEY) {
            bool rows = json_string_is(r, "rows");
            json_next(r);
            if (rows ? !store_take(&f->c->store, f->asked[i].t, f->asked[i].columns, r) : !json_skip(r)) {
                return false;
            }
        }
        i++;
    }
    return i == f->n_asked;
}

static void
selects_answered(void *aux, const struct ovsdb_txn_result *result)
{
    struct fetch *f = aux;
    struct json_reader r;

    if (result->status != OVSDB_TXN_SUCCESS) {
        f->error = result->status == OVSDB_TXN_LOST ? CTL_AGAIN : ctl_error(f->c, "reading the database failed: %s", result->error);
    } else {
        json_reader_init(&r, result->reply, result->reply_len);
        if (!take_answers(f, &r)) {
            f->error = ctl_error(f->c, "the database server's answer makes no sense");
        }
        json_reader_destroy(&r);
    }
    fetch_done(f);
}

/* What is missing of T, as selects in TXN and as probes. */
static void
ask_table(struct fetch *f, struct ovsdb_txn *txn, const struct ovsdb_table_desc *t, struct ctl_need *need)
{
    if (need->columns & ~need->fetched) {      /* More columns: all rows again. */
        need->all_fetched = false;
        for (size_t i = 0; i < need->n_clauses; i++) {
            if (need->clauses[i].state == CLAUSE_FETCHED) {
                need->clauses[i].state = CLAUSE_SELECT;
            }
        }
        need->fetched = need->columns;
    }
    if (need->all) {
        if (!need->all_fetched) {
            put_select(f, txn, t, need->columns, NULL);
        }
        need->all_fetched = true;
        return;
    }
    for (size_t i = 0; i < need->n_clauses; i++) {
        struct ctl_need_clause *clause = &need->clauses[i];
        if (clause->state == CLAUSE_NEW && probe_send(f, t, clause)) {
            continue;
        }
        if (clause->state == CLAUSE_NEW || clause->state == CLAUSE_SELECT) {
            put_select(f, txn, t, need->columns, clause->json);
            clause->state = CLAUSE_FETCHED;
        } else if (clause->state == CLAUSE_FOUND) {
            struct str where = STR_INIT;
            str_printf(&where, "[\"_uuid\",\"==\",[\"uuid\",\"" UUID_FMT "\"]]", UUID_ARGS(&clause->uuid));
            put_select(f, txn, t, need->columns, str_c(&where));
            str_free(&where);
            clause->state = CLAUSE_FETCHED;
        }
    }
}

bool
fetch_start(struct ctl *c, void (*cb)(void *aux, const char *error), void *aux)
{
    struct fetch *f = XNEW(struct fetch);
    struct ovsdb_txn *txn = ovsdb_txn_create(c->db);

    *f = (struct fetch) { .c = c, .cb = cb, .aux = aux, .n_pending = 1 };
    for (size_t i = 0; i < c->program->db->n_tables; i++) {
        const struct ovsdb_table_desc *t = &c->program->db->tables[i];
        if (c->needs[i].used && ovsdb_has_table(c->db, t)) {
            ask_table(f, txn, t, &c->needs[i]);
        }
    }
    if (f->n_asked) {
        ovsdb_txn_commit(txn, selects_answered, f);
        return true;
    }
    ovsdb_txn_destroy(txn);
    if (f->n_pending > 1) {
        f->n_pending--;
        return true;
    }
    free(f->asked);
    free(f);
    return false;
}

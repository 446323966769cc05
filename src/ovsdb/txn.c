/* txn.c - transactions: operations as JSON text, built as they are added, sent at commit (RFC 7047 4.1.3, 5.2).
 *
 * What must hold before anything is done ("assert", "wait" with timeout 0) is kept apart, in `head`, and sent first: it is about
 * the state that the process saw, not about what this transaction makes of it.
 *
 * At the answer the replica has the transaction's changes: ovsdb-server sends the update of a monitor before
 * the reply to a transaction on the same connection (ovsdb-server(7) 4.1.5; clusters and relays of 3.1 keep to it), and both
 * are handled in that order.
 *
 * A transaction that was sent is never sent again: if the connection breaks before the answer, nobody knows what happened, and
 * the process hears LOST. One that was not sent yet waits for the next connection. */
#include "ovsdb/session.h"

#include <stdlib.h>
#include "base/log.h"
#include "ovsdb/record.h"

LOG_MODULE(ovsdb_txn);

struct ovsdb_txn {
    struct ovsdb *db;
    struct list node;                  /* In the session's `waiting`, or empty. */
    struct str head, ops;              /* Operations, each preceded by a comma. */
    size_t n_head, n_ops, n_writes;
    bool assert_lock;
    size_t increment_at;               /* Which of `ops` selects the result; SIZE_MAX: none. */
    const char *increment_column;
    void (*cb)(void *aux, const struct ovsdb_txn_result *);
    void *aux;
};

/* ---- building ---- */

struct ovsdb_txn *
ovsdb_txn_create(struct ovsdb *db)
{
    struct ovsdb_txn *t = XNEW(struct ovsdb_txn);
    t->db = db;
    t->increment_at = SIZE_MAX;
    list_init(&t->node);
    return t;
}

void
txn_free(struct ovsdb_txn *t)
{
    list_remove(&t->node);
    str_free(&t->head);
    str_free(&t->ops);
    free(t);
}

void
ovsdb_txn_destroy(struct ovsdb_txn *t)
{
    if (t) {
        txn_free(t);
    }
}

bool
ovsdb_txn_is_empty(const struct ovsdb_txn *t)
{
    return !t->n_writes;
}

size_t
ovsdb_txn_n_ops(const struct ovsdb_txn *t)
{
    return t->n_head + t->n_ops;
}

/* The columns of the table that can be written. Before the first connection we do not know better: all. */
static uint64_t
writable(const struct ovsdb_txn *t, const struct ovsdb_table_desc *desc)
{
    const struct ovsdb_table *table = &t->db->tables[desc->index];

    if (!t->db->session->schema_known) {
        return ~OVSDB_PRESENT;
    }
    return table->server_has ? table->server_columns : 0;
}

static bool
table_exists(const struct ovsdb_txn *t, const struct ovsdb_table_desc *desc)
{
    return !t->db->session->schema_known || t->db->tables[desc->index].server_has;
}

/* Begins the operation OP on TABLE: ,{"op":OP,"table":TABLE */
static struct str *
txn_begin_op(struct ovsdb_txn *t, const char *op, const struct ovsdb_table_desc *desc)
{
    str_printf(&t->ops, ",{\"op\":\"%s\",\"table\":\"%s\"", op, desc->name);
    t->n_ops++;
    t->n_writes++;
    return &t->ops;
}

static void
put_where(struct str *s, const struct uuid *uuid)
{
    str_printf(s, ",\"where\":[[\"_uuid\",\"==\",[\"uuid\",\"" UUID_FMT "\"]]]", UUID_ARGS(uuid));
}

/* The value alone of what RECORD has in COLUMN. */
static void
put_value(struct str *s, const struct ovsdb_record *record, uint16_t column)
{
    struct str object = STR_INIT;
    const char *name = ovsdb_record_table(record)->columns[column].name;
    size_t skip = strlen(name) + 4;    /* {"name":value} */

    ovsdb_record_put_json(record, OVSDB_COLUMN(column), &object);
    REQUIRE(object.len > skip + 1);
    str_put(s, object.s + skip, object.len - skip - 1);
    str_free(&object);
}

struct uuid
ovsdb_txn_insert(struct ovsdb_txn *t, const struct ovsdb_record *record, const struct uuid *uuid)
{
    const struct ovsdb_table_desc *desc = ovsdb_record_table(record);
    struct uuid u = uuid ? *uuid : uuid_random();

    if (table_exists(t, desc)) {
        struct str *s = txn_begin_op(t, "insert", desc);
        str_printf(s, ",\"uuid\":\"" UUID_FMT "\",\"row\":", UUID_ARGS(&u));
        ovsdb_record_put_json(record, writable(t, desc), s);
        str_putc(s, '}');
    }
    return u;
}

void
ovsdb_txn_update(struct ovsdb_txn *t, const struct uuid *uuid, const struct ovsdb_record *record)
{
    const struct ovsdb_table_desc *desc = ovsdb_record_table(record);
    uint64_t columns = writable(t, desc);

    if (ovsdb_record_columns(record) & columns) {
        struct str *s = txn_begin_op(t, "update", desc);
        put_where(s, uuid);
        str_puts(s, ",\"row\":");
        ovsdb_record_put_json(record, columns, s);
        str_putc(s, '}');
    }
}

void
ovsdb_txn_delete(struct ovsdb_txn *t, const struct ovsdb_table_desc *desc, const struct uuid *uuid)
{
    if (table_exists(t, desc)) {
        struct str *s = txn_begin_op(t, "delete", desc);
        put_where(s, uuid);
        str_putc(s, '}');
    }
}

/* Begins ,{"op":"mutate",... "mutations":[["column","mutator", and leaves the value and ]]} to the caller. */
static struct str *
txn_begin_mutate(struct ovsdb_txn *t, const struct ovsdb_table_desc *desc, const struct uuid *uuid, uint16_t column,
                 const char *mutator)
{
    struct str *s = txn_begin_op(t, "mutate", desc);
    put_where(s, uuid);
    str_printf(s, ",\"mutations\":[[\"%s\",\"%s\",", desc->columns[column].name, mutator);
    return s;
}

static void
txn_mutate(struct ovsdb_txn *t, const struct uuid *uuid, const struct ovsdb_record *record, uint16_t column,
           const char *mutator)
{
    const struct ovsdb_table_desc *desc = ovsdb_record_table(record);

    if (ovsdb_record_columns(record) & writable(t, desc) & OVSDB_COLUMN(column)) {
        struct str *s = txn_begin_mutate(t, desc, uuid, column, mutator);
        put_value(s, record, column);
        str_puts(s, "]]}");
    }
}

void
ovsdb_txn_add(struct ovsdb_txn *t, const struct uuid *uuid, const struct ovsdb_record *record, uint16_t column)
{
    txn_mutate(t, uuid, record, column, "insert");
}

void
ovsdb_txn_remove(struct ovsdb_txn *t, const struct uuid *uuid, const struct ovsdb_record *record, uint16_t column)
{
    txn_mutate(t, uuid, record, column, "delete");
}

void
ovsdb_txn_remove_key(struct ovsdb_txn *t, const struct ovsdb_table_desc *desc, const struct uuid *uuid, uint16_t column,
                     const char *key)
{
    REQUIRE(desc->columns[column].shape == OVSDB_MAP && desc->columns[column].key.type == OVSDB_STRING);
    if (writable(t, desc) & OVSDB_COLUMN(column)) {
        struct str *s = txn_begin_mutate(t, desc, uuid, column, "delete");
        str_puts(s, "[\"set\",[");
        json_put_cstr(s, key);
        str_puts(s, "]]]]}");
    }
}

void
ovsdb_txn_verify(struct ovsdb_txn *t, const struct ovsdb_row *row, uint16_t column)
{
    const struct ovsdb_table_desc *desc = row->table->desc;

    REQUIRE(!row->table->digest && row->table->used & OVSDB_COLUMN(column));
    if (!(writable(t, desc) & OVSDB_COLUMN(column))) {
        return;
    }
    struct ovsdb_record *r = ovsdb_record_create(desc);
    ovsdb_record_copy(r, column, row);
    str_printf(&t->head, ",{\"op\":\"wait\",\"timeout\":0,\"table\":\"%s\"", desc->name);
    put_where(&t->head, &row->uuid);
    str_printf(&t->head, ",\"columns\":[\"%s\"],\"until\":\"==\",\"rows\":[{\"%s\":", desc->columns[column].name,
               desc->columns[column].name);
    put_value(&t->head, r, column);
    str_puts(&t->head, "}]}");
    t->n_head++;
    ovsdb_record_destroy(r);
}

void
ovsdb_txn_increment(struct ovsdb_txn *t, const struct ovsdb_row *row, uint16_t column, int64_t by)
{
    const struct ovsdb_table_desc *desc = row->table->desc;

    if (!(writable(t, desc) & OVSDB_COLUMN(column))) {
        return;
    }
    struct str *s = txn_begin_mutate(t, desc, &row->uuid, column, "+=");
    str_printf(s, "%lld]]}", (long long) by);
    s = txn_begin_op(t, "select", desc);
    put_where(s, &row->uuid);
    str_printf(s, ",\"columns\":[\"%s\"]}", desc->columns[column].name);
    t->increment_at = t->n_ops - 1;
    t->increment_column = desc->columns[column].name;
}

void
ovsdb_txn_comment(struct ovsdb_txn *t, const char *text)
{
    str_puts(&t->ops, ",{\"op\":\"comment\",\"comment\":");
    json_put_cstr(&t->ops, text);
    str_putc(&t->ops, '}');
    t->n_ops++;
}

void
ovsdb_txn_assert_lock(struct ovsdb_txn *t)
{
    t->assert_lock = true;
}

void
ovsdb_txn_put_raw(struct ovsdb_txn *t, const char *json_op)
{
    str_putc(&t->ops, ',');
    str_puts(&t->ops, json_op);
    t->n_ops++;
    t->n_writes++;
}

/* ---- sending ---- */

/* The transaction is over: tells its owner and frees it. */
static void
txn_finish(struct ovsdb_session *s, struct ovsdb_txn *t, const struct ovsdb_txn_result *result)
{
    void (*cb)(void *, const struct ovsdb_txn_result *) = t->cb;
    void *aux = t->aux;

    s->n_pending--;
    txn_free(t);
    if (cb) {
        cb(aux, result);
    }
}

static void
txn_send(struct ovsdb_session *s, struct ovsdb_txn *t)
{
    list_remove(&t->node);
    struct str *out = session_request(s, "transact", REQ_TXN, t);
    str_putc(out, '[');
    json_put_cstr(out, s->db->desc->name);
    if (t->assert_lock) {
        str_puts(out, ",{\"op\":\"assert\",\"lock\":");
        json_put_cstr(out, s->lock);
        str_putc(out, '}');
        t->n_head++;
    }
    str_put(out, str_c(&t->head), t->head.len);
    str_join(out, &t->ops);
    str_putc(out, ']');
    session_request_end(s);
    str_free(&t->head);
}

static bool
txn_can_send(const struct ovsdb_session *s, const struct ovsdb_txn *t)
{
    return s->state == S_ACTIVE && !(t->assert_lock && !s->lock);
}

void
txn_run(struct ovsdb_session *s)
{
    /* Those that were waiting at the start: a callback may add others. */
    struct list todo;
    list_init(&todo);
    while (!list_is_empty(&s->waiting)) {
        list_push_back(&todo, list_pop_front(&s->waiting));
    }
    while (!list_is_empty(&todo)) {
        struct ovsdb_txn *t = CONTAINER_OF(list_pop_front(&todo), struct ovsdb_txn, node);
        if (t->assert_lock && !s->lock) {
            txn_finish(s, t, &(struct ovsdb_txn_result) { .status = OVSDB_TXN_NOT_LOCKED,
                                                          .error = "no lock is asked for" });
        } else if (txn_can_send(s, t)) {
            txn_send(s, t);
        } else {
            list_push_back(&s->waiting, &t->node);
        }
    }
}

struct ovsdb_txn_handle *
ovsdb_txn_commit(struct ovsdb_txn *t, void (*cb)(void *aux, const struct ovsdb_txn_result *), void *aux)
{
    struct ovsdb_session *s = t->db->session;

    t->cb = cb;
    t->aux = aux;
    s->n_pending++;
    if (txn_can_send(s, t) && list_is_empty(&s->waiting)) {
        txn_send(s, t);
    } else {
        list_push_back(&s->waiting, &t->node);
        session_kick(s);
    }
    return (struct ovsdb_txn_handle *) t;
}

void
ovsdb_txn_cancel(struct ovsdb_txn_handle *handle)
{
    struct ovsdb_txn *t = (struct ovsdb_txn *) handle;

    if (!list_is_empty(&t->node)) {
        t->db->session->n_pending--;
        txn_free(t);
    } else {
        t->cb = NULL;
    }
}

size_t
ovsdb_txn_pending(const struct ovsdb *db)
{
    return db->session->n_pending;
}

void
txn_lost(struct ovsdb_session *s, struct ovsdb_txn *t)
{
    txn_finish(s, t, &(struct ovsdb_txn_result) {
        .status = OVSDB_TXN_LOST, .error = "the connection broke before the answer" });
}

void
txn_destroy_all(struct ovsdb_session *s)
{
    while (!list_is_empty(&s->waiting)) {
        txn_free(CONTAINER_OF(list_pop_front(&s->waiting), struct ovsdb_txn, node));
    }
    while (!list_is_empty(&s->requests)) {
        struct request *r = CONTAINER_OF(list_pop_front(&s->requests), struct request, node);
        if (r->txn) {
            txn_free(r->txn);
        }
        free(r);
    }
}

/* ---- the answer ---- */

static enum ovsdb_txn_status
status_from_error(const char *error)
{
    static const struct {
        const char *error;
        enum ovsdb_txn_status status;
    } known[] = {
        { "timed out", OVSDB_TXN_CONFLICT },           /* A "wait". */
        { "duplicate uuid", OVSDB_TXN_CONFLICT },
        { "not owner", OVSDB_TXN_NOT_LOCKED },         /* An "assert". */
        { "canceled", OVSDB_TXN_LOST },                /* The database was converted or removed meanwhile. */
    };
    for (size_t i = 0; i < ARRAY_SIZE(known); i++) {
        const char *rest = str_after(error, known[i].error);
        if (rest && (!*rest || *rest == ':')) {
            return known[i].status;
        }
    }
    return OVSDB_TXN_ERROR;
}

/* [{COLUMN: integer}]: the rows of the "select" after an increment. */
static void
read_increment(struct json_reader *r, const char *column, int64_t *value)
{
    if (r->token != JSON_ARRAY_BEGIN) {
        json_skip(r);
        return;
    }
    while (json_next(r) == JSON_OBJECT_BEGIN) {
        while (json_next(r) == JSON_KEY) {
            bool it = json_string_is(r, column);
            if (json_next(r) == JSON_INTEGER && it) {
                *value = r->i;
            } else if (!json_skip(r)) {
                return;
            }
        }
    }
}

/* Reads the array of results: the first error goes to *error (the caller's), the result of an increment to *incremented. False if
 * it is malformed. */
static bool
read_results(struct json_reader *r, const struct ovsdb_txn *t, char **error, int64_t *incremented)
{
    size_t increment_at = t->increment_at == SIZE_MAX ? SIZE_MAX : t->n_head + t->increment_at;

    if (r->token != JSON_ARRAY_BEGIN) {
        return false;
    }
    for (size_t i = 0; json_next(r) != JSON_ARRAY_END; i++) {
        if (r->token != JSON_OBJECT_BEGIN) {
            if (!json_skip(r)) {
                return false;
            }
            continue;
        }
        const char *start = r->at;
        bool is_error = false;
        while (json_next(r) == JSON_KEY) {
            is_error |= json_string_is(r, "error");
            bool rows = i == increment_at && json_string_is(r, "rows");
            json_next(r);
            if (rows) {
                read_increment(r, t->increment_column, incremented);
            } else if (!json_skip(r)) {
                return false;
            }
        }
        if (r->token != JSON_OBJECT_END) {
            return false;
        }
        if (is_error && !*error) {
            *error = rpc_error_text(start, r->p - start);
        }
    }
    return true;
}

void
txn_reply(struct ovsdb_session *s, struct ovsdb_txn *t, struct rpc_message *m)
{
    struct ovsdb_txn_result result = { .status = OVSDB_TXN_SUCCESS, .error = "" };
    char *error = NULL;

    if (m->kind == RPC_ERROR) {
        error = rpc_error_text(m->error, m->error_len);
    } else if (json_raw(&m->payload, &result.reply, &result.reply_len)) {
        struct json_reader r;
        json_reader_init(&r, result.reply, result.reply_len);
        json_next(&r);
        if (!read_results(&r, t, &error, &result.incremented) && !error) {
            error = xstrdup("malformed reply to \"transact\"");
        }
        json_reader_destroy(&r);
    } else {
        error = xstrdup("malformed reply to \"transact\"");
    }
    if (error) {
        result.error = error;
        result.status = status_from_error(error);
        LOG_DBG("%s: transaction: %s", s->db->desc->name, error);
    }
    txn_finish(s, t, &result);
    free(error);
}

/* writer.c - pending writes and the one transaction under way. See writer.h.
 *
 * An entry lives from writer_set() to writer_unset(); a guarded one is remembered for a while after that, so
 * that a write that comes back again and again is recognised. The transaction holds no pointer to entries but
 * their `sent` flags: what is unset while it is under way is freed at once. */
#include "controller/binding/writer.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/log.h"
#include "json/json.h"

LOG_MODULE(writer);

enum {
    FREE_TRIES = 5,                    /* Of one write, before it must wait. */
    MIN_WAIT_MSEC = 1000,
    MAX_WAIT_MSEC = 30000,
    FORGET_MSEC = 30000,
    N_RECENT = 4,
    LATER_MSEC = 50,
};

struct entry {
    struct hmap_node node;             /* In `entries`, by key. */
    struct list list;                  /* In `pending`, or in `past`. */
    char *key;
    size_t key_len;
    char *value;                       /* As writer.h says, without the leading flag; NULL: only remembered. */
    size_t value_len;
    int64_t not_before, last_sent;
    int64_t alone_from;                /* Until then it waits for others to go with; 0: it does not. */
    uint32_t recent[N_RECENT];         /* Hashes of what was sent last. */
    unsigned next_recent;
    unsigned tries, refusals;          /* Sent again with a recent value; refused in a row. */
    bool guarded, quiet, sent, alone;
};

struct writer {
    struct ovsdb *db;
    struct loop *loop;
    struct loop_timer *timer;
    struct hmap entries;
    struct list pending, past;         /* `past`: the longest ago first. */
    struct ovsdb_txn_handle *under_way;
    struct dep_source schema;          /* Who has asked what the server has. */
    uint32_t schema_hash;
};

static struct entry *
entry_find(struct writer *w, const char *key, size_t len)
{
    HMAP_FOR_EACH_HASH (e, struct entry, node, hash_bytes(key, len, 0), &w->entries) {
        if (e->key_len == len && !memcmp(e->key, key, len)) {
            return e;
        }
    }
    return NULL;
}

static void
entry_free(struct writer *w, struct entry *e)
{
    hmap_remove(&w->entries, &e->node);
    list_remove(&e->list);
    free(e->key);
    free(e->value);
    free(e);
}

static void
wake(void *w_)
{
    struct writer *w = w_;

    loop_wake(w->loop);
}

struct writer *
writer_create(struct loop *loop, struct ovsdb *db)
{
    struct writer *w = XNEW(struct writer);

    w->db = db;
    w->loop = loop;
    w->timer = loop_timer_create(loop, wake, w);
    hmap_init(&w->entries);
    list_init(&w->pending);
    list_init(&w->past);
    return w;
}

void
writer_destroy(struct writer *w)
{
    if (!w) {
        return;
    }
    if (w->under_way) {
        ovsdb_txn_cancel(w->under_way);
    }
    HMAP_FOR_EACH_SAFE (e, struct entry, node, &w->entries) {
        entry_free(w, e);
    }
    hmap_destroy(&w->entries);
    loop_timer_destroy(w->timer);
    dep_source_destroy(&w->schema);
    free(w);
}

void
writer_look_at_schema(struct writer *w)
{
    const struct ovsdb_db_desc *desc = ovsdb_desc(w->db);
    uint32_t hash = 0;

    for (uint16_t i = 0; i < desc->n_tables; i++) {
        uint64_t columns = ovsdb_has_table(w->db, &desc->tables[i]);
        for (uint16_t j = 0; columns && j < desc->tables[i].n_columns; j++) {
            columns = columns << 1 | ovsdb_has_column(w->db, &desc->tables[i], j);
        }
        hash = hash_bytes(&columns, sizeof columns, hash);
    }
    if (hash != w->schema_hash) {
        w->schema_hash = hash;
        dep_changed(&w->schema, DEP_ALL);
    }
}

void
writer_set(struct writer *w, const char *key, size_t key_len, const void *value_, size_t value_len)
{
    struct entry *e = entry_find(w, key, key_len);
    const char *value = value_;

    REQUIRE(value_len > 1);
    if (!e) {
        e = XNEW(struct entry);
        e->key = xmemdup(key, key_len);
        e->key_len = key_len;
        list_init(&e->list);
        hmap_insert(&w->entries, &e->node, hash_bytes(key, key_len, 0));
    } else if (e->value && e->value_len == value_len - 1 && !memcmp(e->value, value + 1, e->value_len)) {
        return;
    } else if (!e->guarded) {
        e->tries = e->refusals = 0;
        e->not_before = 0;
    }
    e->guarded = value[0] == 'g' || value[0] == 'r';
    e->quiet = value[0] == 'r';
    e->alone_from = value[0] == 'l' ? clock_msec() + LATER_MSEC : 0;
    free(e->value);
    e->value_len = value_len - 1;
    e->value = xmemdup(value + 1, e->value_len);
    e->sent = false;
    list_remove(&e->list);
    list_push_back(&w->pending, &e->list);
    loop_wake(w->loop);
}

void
writer_unset(struct writer *w, const char *key, size_t key_len)
{
    struct entry *e = entry_find(w, key, key_len);

    if (!e || !e->value) {
        return;
    }
    if (!e->guarded || !e->tries) {
        entry_free(w, e);
        return;
    }
    free(e->value);
    e->value = NULL;
    e->sent = false;
    list_remove(&e->list);
    list_push_back(&w->past, &e->list);
}

void
writer_forgive(struct writer *w, const char *key, size_t key_len)
{
    struct entry *e = entry_find(w, key, key_len);

    if (e) {
        e->tries = 0;
        memset(e->recent, 0, sizeof e->recent);
    }
}

static void
fact_changed(void *w_, struct incr_fact *fact, enum incr_event event, const void *value, size_t len)
{
    struct writer *w = w_;
    const struct incr_key *key = fact->key;

    if (event == INCR_ADDED) {
        writer_set(w, key->bytes, key->len, value, len);
    } else if (event == INCR_REMOVED) {
        struct entry *e = entry_find(w, key->bytes, key->len);

        /* A key whose value changed: the new one may have been told first. */
        if (e && e->value && e->value_len == len - 1 && !memcmp(e->value, (const char *) value + 1, len - 1)) {
            writer_unset(w, key->bytes, key->len);
        }
    }
}

void
writer_attach(struct writer *w, struct incr_relation *r)
{
    incr_set_sink(r, fact_changed, w);
}

bool
writer_is_idle(const struct writer *w)
{
    return list_is_empty(&w->pending) && !w->under_way;
}

/* ---- sending ---- */

static int64_t
wait_after(unsigned n)
{
    return MIN(MAX_WAIT_MSEC, (int64_t) MIN_WAIT_MSEC << MIN(n, 10u));
}

static void
entry_refused(struct entry *e, const struct ovsdb_txn_result *result)
{
    int64_t wait = wait_after(e->refusals++);

    e->not_before = clock_msec() + wait;
    if (result->status == OVSDB_TXN_ERROR) {
        LOG_WARN_RL("cannot write %s: %s (trying again in %"PRId64" s)", e->value, result->error, wait / 1000);
    }
}

/* The answer. What was carried out goes when the graph sees the replica's new state; only what was refused
 * needs care here. */
static void
answered(void *w_, const struct ovsdb_txn_result *result)
{
    struct writer *w = w_;
    size_t n = 0;

    w->under_way = NULL;
    LIST_FOR_EACH (e, struct entry, list, &w->pending) {
        n += e->sent;
    }
    LIST_FOR_EACH (e, struct entry, list, &w->pending) {
        if (!e->sent) {
            continue;
        }
        e->sent = false;
        if (result->status == OVSDB_TXN_SUCCESS) {
            e->refusals = 0;
            e->alone = false;
        } else if (result->status == OVSDB_TXN_LOST) {
            LOG_DBG("%s: the connection broke before the answer", e->value);
        } else if (n > 1) {
            e->alone = true;
        } else {
            entry_refused(e, result);
        }
    }
    loop_wake(w->loop);
}

/* Whether the value is one of the last sent; from now on it is. */
static bool
sent_lately(struct entry *e)
{
    uint32_t hash = hash_bytes(e->value, e->value_len, 0);

    for (size_t i = 0; i < N_RECENT; i++) {
        if (e->recent[i] == hash) {
            return true;
        }
    }
    e->recent[e->next_recent++ % N_RECENT] = hash;
    return false;
}

static void
entry_put(struct entry *e, struct ovsdb_txn *txn, int64_t now)
{
    const char *end = e->value + e->value_len;

    LOG_DBG("writing %s", e->value);
    for (const char *op = e->value + strlen(e->value) + 1; op < end; op += strlen(op) + 1) {
        ovsdb_txn_put_raw(txn, op);
    }
    if (now - e->last_sent > FORGET_MSEC || !sent_lately(e)) {
        e->tries = 0;
    }
    e->last_sent = now;
    e->sent = true;
    if (++e->tries >= FREE_TRIES) {
        int64_t wait = wait_after(e->tries - FREE_TRIES);
        if (!e->quiet && (e->tries == FREE_TRIES || wait == MAX_WAIT_MSEC)) {
            LOG_WARN_RL("%s: written %u times in a short while and not as it should be again; does another host or "
                        "program write it too? (the same system-id on two hosts?)", e->value, e->tries);
        }
        e->not_before = now + wait;
    }
}

static void
forget_past(struct writer *w, int64_t now)
{
    while (!list_is_empty(&w->past)) {
        struct entry *e = CONTAINER_OF(w->past.next, struct entry, list);
        if (now - e->last_sent < FORGET_MSEC) {
            break;
        }
        entry_free(w, e);
    }
}

/* Whether something is due that does not wait for company. *NEXT: when something will be, if later. */
static bool
is_any_due(const struct writer *w, int64_t now, int64_t *next)
{
    *next = INT64_MAX;
    LIST_FOR_EACH (e, struct entry, list, &w->pending) {
        int64_t at = MAX(e->not_before, e->alone_from);

        if (at <= now) {
            return true;
        }
        *next = MIN(*next, at);
    }
    return false;
}

void
writer_run(struct writer *w)
{
    int64_t now = clock_msec(), next;
    struct ovsdb_txn *txn = NULL;

    forget_past(w, now);
    if (w->under_way || list_is_empty(&w->pending) || !ovsdb_is_connected(w->db) || !ovsdb_is_ready(w->db)) {
        return;
    }
    if (!is_any_due(w, now, &next)) {
        loop_timer_set(w->timer, next - now);
        return;
    }
    LIST_FOR_EACH (e, struct entry, list, &w->pending) {
        if (e->not_before <= now && (!e->alone || !txn)) {
            txn = txn ? txn : ovsdb_txn_create(w->db);
            entry_put(e, txn, now);
            if (e->alone) {
                break;
            }
        }
    }
    ovsdb_txn_comment(txn, "ovn-controller");
    w->under_way = ovsdb_txn_commit(txn, answered, w);
}

/* ---- making values ---- */

struct uuid
write_uuid(const struct ovsdb_table_desc *t, const char *name)
{
    static struct uuid seed;
    struct uuid uuid;

    if (uuid_is_zero(&seed)) {
        seed = uuid_random();
    }
    struct str s = STR_INIT;
    str_put(&s, &seed, sizeof seed);
    str_printf(&s, "%s/%s", t->name, name);
    struct digest d = digest_bytes(s.s, s.len);
    str_free(&s);
    memcpy(&uuid, &d, sizeof uuid);
    uuid.parts[1] = (uuid.parts[1] & ~UINT32_C(0xf000)) | 0x4000;          /* Version 4, RFC 4122. */
    uuid.parts[2] = (uuid.parts[2] & ~UINT32_C(0xc0000000)) | UINT32_C(0x80000000);
    return uuid;
}

void
write_begin(struct write *w, struct writer *writer, struct dep_reader *by, const char *what, ...)
{
    va_list args;

    dep_read(by, &writer->schema, DEP_ALL);
    *w = (struct write) { .value = STR_INIT, .db = writer->db };
    str_putc(&w->value, '-');
    va_start(args, what);
    str_vprintf(&w->value, what, args);
    va_end(args);
    str_putc(&w->value, '\0');
}

void
write_guard(struct write *w)
{
    w->value.s[0] = 'g';
}

void
write_retry(struct write *w)
{
    w->value.s[0] = 'r';
}

void
write_later(struct write *w)
{
    w->value.s[0] = 'l';
}

/* The columns of RECORD that the server has; none if it lacks the table. */
static uint64_t
columns_there(const struct write *w, const struct ovsdb_record *r)
{
    const struct ovsdb_table_desc *t = ovsdb_record_table(r);
    uint64_t columns = 0;

    for (uint16_t i = 0; ovsdb_has_table(w->db, t) && i < t->n_columns; i++) {
        if (ovsdb_record_columns(r) & OVSDB_COLUMN(i) && ovsdb_has_column(w->db, t, i)) {
            columns |= OVSDB_COLUMN(i);
        }
    }
    return columns;
}

static void
put_op(struct str *s, const char *op, const struct ovsdb_table_desc *t)
{
    str_printf(s, "{\"op\":\"%s\",\"table\":\"%s\"", op, t->name);
}

static void
put_where(struct str *s, const struct uuid *uuid, const char *more)
{
    str_printf(s, ",\"where\":[[\"_uuid\",\"==\",[\"uuid\",\"" UUID_FMT "\"]]%s]", UUID_ARGS(uuid), more);
}

static void
end_op(struct write *w)
{
    str_putc(&w->value, '}');
    str_putc(&w->value, '\0');
}

void
write_insert(struct write *w, const struct uuid *uuid, const struct ovsdb_record *r)
{
    if (ovsdb_has_table(w->db, ovsdb_record_table(r))) {
        put_op(&w->value, "insert", ovsdb_record_table(r));
        str_printf(&w->value, ",\"uuid\":\"" UUID_FMT "\",\"row\":", UUID_ARGS(uuid));
        ovsdb_record_put_json(r, columns_there(w, r), &w->value);
        end_op(w);
    }
}

static void
put_update(struct write *w, const struct uuid *uuid, const struct ovsdb_record *r, const char *more)
{
    uint64_t columns = columns_there(w, r);

    if (columns) {
        put_op(&w->value, "update", ovsdb_record_table(r));
        put_where(&w->value, uuid, more);
        str_puts(&w->value, ",\"row\":");
        ovsdb_record_put_json(r, columns, &w->value);
        end_op(w);
    }
}

void
write_update(struct write *w, const struct uuid *uuid, const struct ovsdb_record *r)
{
    put_update(w, uuid, r, "");
}

void
write_update_if(struct write *w, const struct uuid *uuid, const struct ovsdb_record *r, uint16_t column,
                const struct uuid *ref)
{
    char *more = xasprintf(",[\"%s\",\"==\",[\"uuid\",\"" UUID_FMT "\"]]", ovsdb_record_table(r)->columns[column].name,
                           UUID_ARGS(ref));
    put_update(w, uuid, r, more);
    free(more);
}

void
write_delete(struct write *w, const struct ovsdb_table_desc *t, const struct uuid *uuid)
{
    if (ovsdb_has_table(w->db, t)) {
        put_op(&w->value, "delete", t);
        put_where(&w->value, uuid, "");
        end_op(w);
    }
}

static void
put_mutate(struct write *w, const struct ovsdb_table_desc *t, const struct uuid *uuid, const char *mutations)
{
    if (ovsdb_has_table(w->db, t)) {
        put_op(&w->value, "mutate", t);
        put_where(&w->value, uuid, "");
        str_printf(&w->value, ",\"mutations\":[%s]", mutations);
        end_op(w);
    }
}

/* Appends the mutation that deletes the keys that the map VALUE (as JSON: ["map",[[key,value],...]]) has. */
static void
put_key_deletions(struct str *s, const char *column, const char *value, size_t len)
{
    struct json_reader j;
    int depth = 0;
    bool first = true;

    str_printf(s, "[\"%s\",\"delete\",[\"set\",[", column);
    json_reader_init(&j, value, len);
    for (enum json_token t = json_next(&j); t != JSON_END && t != JSON_ERROR; t = json_next(&j)) {
        if (t == JSON_ARRAY_BEGIN) {
            depth++;
        } else if (t == JSON_ARRAY_END) {
            depth--;
        } else if (t == JSON_STRING && depth == 3) {
            str_puts(s, first ? "" : ",");
            first = false;
            json_put_string(s, j.s.p, j.s.n);
            json_next(&j);             /* The value. */
        }
    }
    json_reader_destroy(&j);
    str_puts(s, "]]],");
}

void
write_add(struct write *w, const struct uuid *uuid, const struct ovsdb_record *r)
{
    const struct ovsdb_table_desc *t = ovsdb_record_table(r);
    uint64_t columns = columns_there(w, r);
    struct str mutations = STR_INIT, value = STR_INIT;

    for (uint16_t i = 0; i < t->n_columns; i++) {
        const struct ovsdb_column_desc *column = &t->columns[i];

        if (!(columns & OVSDB_COLUMN(i))) {
            continue;
        }
        str_clear(&value);
        ovsdb_record_put_value(r, i, &value);
        str_puts(&mutations, mutations.len ? "," : "");
        if (column->shape == OVSDB_MAP) {
            /* An insertion leaves a key that is there as it is: RFC 7047 5.1. */
            put_key_deletions(&mutations, column->name, value.s, value.len);
        }
        str_printf(&mutations, "[\"%s\",\"insert\",%s]", column->name, str_c(&value));
    }
    if (mutations.len) {
        put_mutate(w, t, uuid, mutations.s);
    }
    str_free(&mutations);
    str_free(&value);
}

void
write_remove_ref(struct write *w, const struct ovsdb_table_desc *t, const struct uuid *uuid, uint16_t column,
                 const struct uuid *ref)
{
    char *mutation = xasprintf("[\"%s\",\"delete\",[\"uuid\",\"" UUID_FMT "\"]]", t->columns[column].name, UUID_ARGS(ref));

    put_mutate(w, t, uuid, mutation);
    free(mutation);
}

void
write_remove_key(struct write *w, const struct ovsdb_table_desc *t, const struct uuid *uuid, uint16_t column,
                 const char *key)
{
    struct str mutation = STR_INIT;

    if (!ovsdb_has_column(w->db, t, column)) {
        return;
    }
    str_printf(&mutation, "[\"%s\",\"delete\",[\"set\",[", t->columns[column].name);
    json_put_cstr(&mutation, key);
    str_puts(&mutation, "]]]");
    put_mutate(w, t, uuid, mutation.s);
    str_free(&mutation);
}

/* Whether there is any operation: all may have been for what the server lacks. */
static bool
has_ops(const struct write *w)
{
    return strlen(w->value.s) + 1 < w->value.len;
}

void
write_emit(struct write *w, struct incr_unit *unit, struct incr_relation *r, const char *key_format, ...)
{
    struct str key = STR_INIT;
    va_list args;

    va_start(args, key_format);
    str_vprintf(&key, key_format, args);
    va_end(args);
    if (has_ops(w)) {
        incr_emit(unit, r, key.s, key.len, w->value.s, w->value.len);
    }
    str_free(&key);
    str_free(&w->value);
}

void
write_put(struct write *w, struct writer *writer, const char *key_format, ...)
{
    struct str key = STR_INIT;
    va_list args;

    va_start(args, key_format);
    str_vprintf(&key, key_format, args);
    va_end(args);
    if (has_ops(w)) {
        writer_set(writer, key.s, key.len, w->value.s, w->value.len);
    }
    str_free(&key);
    str_free(&w->value);
}

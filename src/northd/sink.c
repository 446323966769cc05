/* sink.c - facts become rows; see sink.h.
 *
 * An *entry* stands for one row, said or found, by the digest of its key. It is *due* when what is said and what is
 * found may differ: after an event on either side. outbox_flush() looks at the due entries and makes the transaction. */
#include <stdlib.h>
#include "northd/sink_private.h"
#include "base/log.h"
#include "runtime/metrics.h"

LOG_MODULE(northd_sink);
METRIC(rows_inserted);
METRIC(rows_updated);
METRIC(rows_deleted);

/* ---- entries ---- */

static struct entry *
entry_find(struct sink *s, struct digest key)
{
    HMAP_FOR_EACH_HASH (e, struct entry, node, (uint32_t) key.lo, &s->entries) {
        if (digest_equal(e->key, key)) {
            return e;
        }
    }
    return NULL;
}

static struct entry *
entry_get(struct sink *s, struct digest key)
{
    struct entry *e = entry_find(s, key);
    if (!e) {
        e = XNEW(struct entry);
        e->sink = s;
        e->key = key;
        list_init(&e->due);
        hmap_insert(&s->entries, &e->node, (uint32_t) key.lo);
    }
    return e;
}

static void
entry_destroy(struct entry *e)
{
    hmap_remove(&e->sink->entries, &e->node);
    list_remove(&e->due);
    if (e->identity) {
        dep_source_destroy(&e->identity->source);
        free(e->identity);
    }
    free(e->content);
    free(e);
}

void
entry_due(struct entry *e)
{
    if (e->refused || e->idle) {
        list_remove(&e->due);
        e->sink->outbox->retry_refused |= e->refused;  /* Others may have been refused because of this one. */
        e->refused = e->idle = false;
    }
    e->prepared = false;
    if (!e->in_flight && list_is_empty(&e->due)) {
        list_push_back(&e->sink->due, &e->due);
    }
}

static struct digest
key_digest(const struct sink *s, const void *key, size_t n)
{
    struct digest d;

    if (s->identify) {
        return digest_bytes(key, n);
    }
    REQUIRE(n == sizeof d);
    memcpy(&d, key, sizeof d);         /* The row's UUID. */
    return d;
}

/* A sink of others' rows has entries only for those of which something is said: it may be of few. */
static bool
is_lazy(const struct sink *s)
{
    return s->flags & SINK_UPDATE_ONLY && !s->identify;
}

static struct digest
row_key(struct sink *s, const struct ovsdb_row *row)
{
    if (s->flags & SINK_DIGEST) {
        return ((const struct ovsdb_digest_row *) row)->digest;
    } else if (!s->identify) {
        return key_digest(s, &row->uuid, sizeof row->uuid);
    }
    str_clear(&s->scratch);
    s->identify(row, &s->scratch);
    return key_digest(s, str_c(&s->scratch), s->scratch.len);
}

static void
identity_update(struct entry *e)
{
    struct identity *i = e->identity;
    if (i) {
        const struct uuid *now = e->row ? &e->row->uuid : &i->wish;
        if (!uuid_equal(&i->uuid, now)) {
            i->uuid = *now;
            dep_changed(&i->source, DEP_ALL);
        }
    }
}

/* ---- what is found ---- */

static struct entry *
entry_of_row(struct sink *s, const struct ovsdb_row *row)
{
    HMAP_FOR_EACH_HASH (e, struct entry, row_node, uuid_hash(&row->uuid), &s->rows) {
        if (e->row == row) {
            return e;
        }
    }
    return NULL;
}

static void
row_found(struct sink *s, struct ovsdb_row *row)
{
    struct entry *e = entry_find(s, row_key(s, row));

    if (!e && is_lazy(s)) {
        return;
    }
    e = e ? e : entry_get(s, row_key(s, row));
    if (e->row) {
        GROW(s->surplus, s->surplus_cap, s->n_surplus + 1);
        s->surplus[s->n_surplus++] = row->uuid;
        return;
    }
    e->row = row;
    hmap_insert(&s->rows, &e->row_node, uuid_hash(&row->uuid));
    e->check_members = s->member_column >= 0;
    identity_update(e);
    entry_due(e);
}

/* The row of E is not (any more) what E stands for. */
static void
row_lost(struct entry *e)
{
    hmap_remove(&e->sink->rows, &e->row_node);
    e->row = NULL;
    identity_update(e);
    entry_due(e);
}

static void
table_changed(struct ovsdb_watch *w, struct ovsdb_row *row, uint64_t changed)
{
    struct sink *s = CONTAINER_OF(w, struct sink, watch);
    struct entry *e = entry_of_row(s, row);

    if (e && (!row->present || !digest_equal(row_key(s, row), e->key))) {
        row_lost(e);
        e = NULL;
    }
    if (!row->present) {
        return;
    }
    if (!e) {
        row_found(s, row);
    } else if (s->member_column >= 0 && changed & OVSDB_COLUMN(s->member_column)) {
        /* Of what we are writing ourselves we know the difference already: see txn_done(). */
        e->check_members |= !e->in_flight;
        e->seen = MIN(e->seen + 1, 2);
        entry_due(e);
    } else if (changed & s->owned) {
        entry_due(e);
    }
}

/* ---- what is said ---- */

static void
told_row(void *s_, struct incr_fact *f, enum incr_event event, const void *value, size_t len)
{
    struct sink *s = s_;
    struct digest key;

    if (s->flags & SINK_DIGEST) {
        memcpy(&key, event == INCR_REMOVED ? (void *) &((struct entry *) f->sink_data)->key : value, sizeof key);
    } else {
        memcpy(&key, f->key->bytes, sizeof key);
    }
    struct entry *e = entry_get(s, key);
    if (is_lazy(s) && !e->row && event != INCR_REMOVED) {
        struct uuid uuid;
        memcpy(&uuid, &key, sizeof uuid);
        struct ovsdb_row *row = ovsdb_get(s->table, &uuid, NULL);
        if (row) {
            row_found(s, row);
        }
    }
    if (event == INCR_REMOVED) {
        f->sink_data = NULL;
        if (e->fact == f) {
            e->fact = NULL;
            free(e->content);
            e->content = NULL;
            if (is_lazy(s) && e->row) {
                row_lost(e);
            }
            if (!(s->flags & SINK_DIGEST)) {
                /* Another unit may say the same row differently: it has its turn now. */
                INCR_FOR_EACH_FACT (other, s->said, f->key->bytes, f->key->len, NULL) {
                    if (other->sink_data) {
                        e->fact = (struct incr_fact *) (uintptr_t) other;
                        incr_refresh(e->fact);
                        break;
                    }
                }
            }
        }
    } else {
        f->sink_data = e;
        if (e->fact && e->fact != f && e->fact->refs && memcmp(e->fact->value, f->value, f->len) < 0) {
            return;                    /* Two units disagree about a row: the smaller one has it. */
        }
        e->fact = f;
        const struct said *said = value;
        e->want = said->want;
        free(e->content);
        e->content = xmemdup(said, len);       /* With the NUL. */
    }
    entry_due(e);
}

static void
told_member(void *s_, struct incr_fact *f, enum incr_event event, const void *value, size_t len UNUSED)
{
    struct sink *s = s_;
    struct digest key;

    if (event == INCR_REFRESHED) {
        return;
    }
    memcpy(&key, f->key->bytes, sizeof key);
    struct entry *e = entry_get(s, key);
    if (!e->check_members) {
        struct delta *d = XNEW(struct delta);
        d->entry = e;
        d->add = event == INCR_ADDED;
        memcpy(&d->element, value, sizeof d->element);
        list_push_back(&s->deltas, &d->node);
    }
    entry_due(e);
}

/* A row that the server's (older) schema cannot have is not said at all; when the schema changes, all units run again. */
static bool
is_refused_by_schema(struct sink *s, const struct ovsdb_record *record)
{
    uint16_t column;
    char *why = ovsdb_server_refuses(s->outbox->db, record, &column);

    if (!why) {
        return false;
    }
    if (!(s->said_narrow & OVSDB_COLUMN(column))) {
        s->said_narrow |= OVSDB_COLUMN(column);
        LOG_WARN("%s: the server's schema is too old: rows of %s are left out, where in column %s %s; upgrade the schema",
                 ovsdb_desc(s->outbox->db)->name, s->desc->name, s->desc->columns[column].name, why);
    }
    free(why);
    return true;
}

bool
sink_emit(struct incr_unit *u, struct sink *s, const void *key, size_t key_len, const struct ovsdb_record *record)
{
    struct str value = STR_INIT;
    struct said said = { ovsdb_record_digest(record, s->usable), ovsdb_record_columns(record) };
    struct digest k = s->flags & SINK_DIGEST ? said.want : key_digest(s, key, key_len);

    REQUIRE(!(said.columns & ~s->owned));
    if (is_refused_by_schema(s, record)) {
        return false;
    }
    str_put(&value, &said, sizeof said);
    ovsdb_record_put_json(record, s->usable, &value);
    /* With SINK_DIGEST, all facts stand under one empty key: the content is the key. */
    incr_emit(u, s->said, &k, s->flags & SINK_DIGEST ? 0 : sizeof k, value.s, value.len + 1);
    str_free(&value);
    return true;
}

void
sink_emit_member(struct incr_unit *u, struct sink *s, const void *key, size_t key_len, const struct uuid *element)
{
    struct digest k = key_digest(s, key, key_len);
    incr_emit(u, s->members, &k, sizeof k, element, sizeof *element);
}

struct uuid
sink_uuid(struct sink *s, const void *key, size_t key_len, const struct uuid *wish, struct dep_reader *by)
{
    struct entry *e = entry_get(s, key_digest(s, key, key_len));

    if (!e->identity) {
        e->identity = XNEW(struct identity);
        e->identity->wish = *wish;
        e->identity->uuid = e->row ? e->row->uuid : *wish;
    }
    dep_read(by, &e->identity->source, DEP_ALL);
    return e->identity->uuid;
}

struct ovsdb_row *
sink_row(struct sink *s, const void *key, size_t key_len)
{
    struct entry *e = entry_find(s, key_digest(s, key, key_len));
    return e ? e->row : NULL;
}

/* ---- creation ---- */

struct sink *
sink_create(struct outbox *o, const char *name, const struct ovsdb_table_desc *desc, uint64_t owned, unsigned flags,
            void (*identify)(const struct ovsdb_row *, struct str *))
{
    struct sink *s = XNEW(struct sink);
    s->outbox = o;
    s->name = name;
    s->desc = desc;
    s->table = ovsdb_table(o->db, desc);
    s->owned = s->usable = owned;
    s->flags = flags;
    s->identify = identify;
    s->member_column = -1;
    s->record = ovsdb_record_create(desc);
    hmap_init(&s->entries);
    hmap_init(&s->rows);
    list_init(&s->due);
    list_init(&s->idle);
    list_init(&s->deltas);
    list_push_back(&o->sinks, &s->node);
    s->said = incr_relation_create(o->incr, name, INCR_DIGEST);
    incr_set_sink(s->said, told_row, s);
    s->watch.cb = table_changed;
    ovsdb_watch(s->table, &s->watch);
    return s;
}

void
sink_set_members(struct sink *s, uint16_t column)
{
    s->member_column = column;
    s->members = incr_relation_create(s->outbox->incr, s->name, 0);
    incr_set_sink(s->members, told_member, s);
}

void
sink_destroy(struct sink *s)
{
    ovsdb_unwatch(&s->watch);
    LIST_FOR_EACH_SAFE (d, struct delta, node, &s->deltas) {
        free(d);
    }
    HMAP_FOR_EACH_SAFE (e, struct entry, node, &s->entries) {
        entry_destroy(e);
    }
    hmap_destroy(&s->entries);
    hmap_destroy(&s->rows);
    ovsdb_record_destroy(s->record);
    str_free(&s->scratch);
    free(s->surplus);
    free(s);
}

/* ---- writing ---- */

/* Appends what COLUMN has when nothing was said of it. */
static void
put_default(const struct ovsdb_column_desc *c, struct str *out)
{
    static const char *const atoms[] = {
        [OVSDB_INTEGER] = "0", [OVSDB_REAL] = "0.0", [OVSDB_BOOLEAN] = "false", [OVSDB_STRING] = "\"\"",
        [OVSDB_UUID] = "[\"uuid\",\"00000000-0000-0000-0000-000000000000\"]",
    };
    str_puts(out, c->shape == OVSDB_ONE ? atoms[c->key.type] : c->shape == OVSDB_MAP ? "[\"map\",[]]" : "[\"set\",[]]");
}

/* An update writes all owned columns: those that were not said get their default. */
static void
put_full_row(const struct sink *s, const struct entry *e, struct str *out)
{
    str_put(out, e->content->json, strlen(e->content->json) - 1);      /* Without the brace. */
    for (uint16_t c = 0; c < s->desc->n_columns; c++) {
        if (s->usable & ~e->content->columns & OVSDB_COLUMN(c)) {
            str_printf(out, "%s\"%s\":", out->s[out->len - 1] == '{' ? "" : ",", s->desc->columns[c].name);
            put_default(&s->desc->columns[c], out);
        }
    }
    str_putc(out, '}');
}

/* Adds what is missing in the row's set and removes what is too much: all of it, by comparison. */
static void
write_all_members(struct sink *s, struct entry *e, const struct uuid *row_uuid, struct ovsdb_txn *txn)
{
    const struct ovsdb_column_desc *c = &s->desc->columns[s->member_column];
    const struct ovsdb_set *have = e->row ? ovsdb_row_cell(e->row, c) : NULL;
    struct ovsdb_record *add = ovsdb_record_create(s->desc), *remove = ovsdb_record_create(s->desc);
    size_t n_add = 0, n_remove = 0;

    INCR_FOR_EACH_FACT (f, s->members, &e->key, sizeof e->key, NULL) {
        struct uuid u;
        memcpy(&u, f->value, sizeof u);
        if (!have || !ovsdb_set_has_ref(have, &c->key, &u)) {
            ovsdb_record_add_uuid(add, s->member_column, &u);
            n_add++;
        }
    }
    if (have && have->n + n_add > incr_count(s->members, &e->key, sizeof e->key, NULL)) {
        for (uint32_t i = 0; i < have->n; i++) {
            struct uuid u = ovsdb_atom_uuid(&have->v[i], &c->key);
            if (!incr_find(s->members, &e->key, sizeof e->key, &u, sizeof u)) {
                ovsdb_record_add_uuid(remove, s->member_column, &u);
                n_remove++;
            }
        }
    }
    e->expect = (have ? have->n : 0) + n_add - n_remove;
    if (n_add) {
        ovsdb_txn_add(txn, row_uuid, add, s->member_column);
    }
    if (n_remove) {
        ovsdb_txn_remove(txn, row_uuid, remove, s->member_column);
    }
    ovsdb_record_destroy(add);
    ovsdb_record_destroy(remove);
}

static void
txn_raw(struct ovsdb_txn *txn, const char *op, const struct sink *s, const struct uuid *uuid, struct str *row)
{
    struct str text = STR_INIT;

    if (str_eq(op, "insert")) {
        str_printf(&text, "{\"op\":\"insert\",\"table\":\"%s\",\"uuid\":\"" UUID_FMT "\",\"row\":", s->desc->name,
                   UUID_ARGS(uuid));
    } else {
        str_printf(&text, "{\"op\":\"update\",\"table\":\"%s\",\"where\":[[\"_uuid\",\"==\",[\"uuid\",\"" UUID_FMT
                   "\"]]],\"row\":", s->desc->name, UUID_ARGS(uuid));
    }
    str_put(&text, row->s, row->len);
    str_putc(&text, '}');
    ovsdb_txn_put_raw(txn, text.s);
    str_free(&text);
}

static bool
row_is_as_said(const struct sink *s, const struct entry *e)
{
    if (s->flags & SINK_DIGEST) {
        return true;                   /* Found by its content. */
    }
    return digest_equal(ovsdb_row_digest(e->row, s->usable), e->want);
}

/* What has to be done about E's row, but for its members. */
static enum need
entry_need(const struct sink *s, const struct entry *e)
{
    if (!e->fact) {
        return e->row && !(s->flags & (SINK_UPDATE_ONLY | SINK_NO_DELETE)) ? NEED_DELETE : NEED_NOTHING;
    } else if (!e->row) {
        return s->flags & SINK_UPDATE_ONLY ? NEED_NOTHING : NEED_INSERT;
    }
    return row_is_as_said(s, e) ? NEED_NOTHING : NEED_UPDATE;
}

/* Writes what E needs; its content is at hand. */
static void
entry_write(struct sink *s, struct entry *e, struct ovsdb_txn *txn)
{
    struct str row = STR_INIT;
    struct uuid uuid = e->row ? e->row->uuid : e->identity ? e->identity->wish : uuid_random();

    switch (e->need) {
    case NEED_DELETE:
        ovsdb_txn_delete(txn, s->desc, &uuid);
        METRIC_INC(rows_deleted);
        return;
    case NEED_UPDATE:
        put_full_row(s, e, &row);
        txn_raw(txn, "update", s, &uuid, &row);
        METRIC_INC(rows_updated);
        break;
    case NEED_INSERT:
        str_puts(&row, e->content->json);
        txn_raw(txn, "insert", s, &uuid, &row);
        e->inserted = true;
        METRIC_INC(rows_inserted);
        break;
    case NEED_NOTHING:
        break;
    }
    str_free(&row);
    /* It is in the transaction's text now; if that fails, the unit says it again. */
    free(e->content);
    e->content = NULL;
    if (s->member_column >= 0 && e->fact && (!e->row || e->check_members)) {
        write_all_members(s, e, &uuid, txn);
        e->check_members = false;
    }
}

/* The entry is part of the transaction that is being made. */
static void
put_in_flight(struct entry *e)
{
    e->in_flight = true;
    e->seen = 0;
    list_remove(&e->due);
    list_push_back(&e->sink->outbox->in_flight, &e->due);
}

/* Member changes, one by one, of rows that are there. */
static void
write_deltas(struct sink *s, struct ovsdb_txn *txn)
{
    LIST_FOR_EACH_SAFE (d, struct delta, node, &s->deltas) {
        struct entry *e = d->entry;
        if (s->outbox->limit) {
            e->check_members = true;
            entry_due(e);
        } else if (e->row && !e->check_members) {
            const struct ovsdb_column_desc *c = &s->desc->columns[s->member_column];
            const struct ovsdb_set *set = ovsdb_row_cell(e->row, c);
            bool has = ovsdb_set_has_ref(set, &c->key, &d->element);
            if (has != d->add) {
                e->expect = (e->in_flight ? e->expect : set->n) + (d->add ? 1 : -1);
                ovsdb_record_reset(s->record);
                ovsdb_record_add_uuid(s->record, s->member_column, &d->element);
                if (d->add) {
                    ovsdb_txn_add(txn, &e->row->uuid, s->record, s->member_column);
                } else {
                    ovsdb_txn_remove(txn, &e->row->uuid, s->record, s->member_column);
                }
                put_in_flight(e);
            }
        }
        list_remove(&d->node);
        free(d);
    }
}

/* Deletes rows that another row makes superfluous; they stay noted until they are gone. */
static void
write_surplus(struct sink *s, struct ovsdb_txn *txn, size_t n_entries)
{
    size_t kept = 0;

    for (size_t i = 0; i < s->n_surplus; i++) {
        struct ovsdb_row *row = ovsdb_get(s->table, &s->surplus[i], NULL);
        if (row && !entry_of_row(s, row) && !(s->flags & (SINK_UPDATE_ONLY | SINK_NO_DELETE))) {
            s->surplus[kept++] = s->surplus[i];
        }
    }
    s->n_surplus = kept;
    if (!s->outbox->limit || !n_entries) {
        for (size_t i = 0; i < kept; i++) {
            ovsdb_txn_delete(txn, s->desc, &s->surplus[i]);
        }
    }
}

bool
sink_prepare(struct sink *s)
{
    bool has_table = ovsdb_has_table(s->outbox->db, s->desc), asked = false;

    LIST_FOR_EACH_SAFE (e, struct entry, due, &s->due) {
        if (!e->prepared) {
            e->need = has_table ? entry_need(s, e) : NEED_NOTHING;
            e->prepared = true;
            if (e->need == NEED_NOTHING && !(e->check_members && e->row && e->fact && has_table)) {
                list_remove(&e->due);
                if (e->fact || e->row) {
                    free(e->content);
                    e->content = NULL;
                } else if (!(e->identity && dep_source_has_readers(&e->identity->source))) {
                    e->idle = true;
                    list_push_back(&s->idle, &e->due);
                }
                continue;
            }
        }
        if ((e->need == NEED_INSERT || e->need == NEED_UPDATE) && !e->content) {
            incr_refresh(e->fact);
            asked = true;
        }
        /* A row's UUID is chosen once for its key. Somebody else may have it by now: a row of the same table with another key (a
         * port that was renamed took its UUID along). */
        if (e->need == NEED_INSERT && e->identity && ovsdb_get(s->table, &e->identity->wish, NULL)) {
            e->identity->wish = uuid_random();
            identity_update(e);
            asked = true;
        }
    }
    return asked;
}

void
sink_write(struct sink *s, struct ovsdb_txn *txn, size_t *n)
{
    struct outbox *o = s->outbox;

    if (o->limit) {
        write_deltas(s, txn);
    }
    LIST_FOR_EACH_SAFE (e, struct entry, due, &s->due) {
        if (o->limit && *n >= o->limit) {
            break;
        } else if (e->prepared && (e->content || e->need == NEED_NOTHING || e->need == NEED_DELETE)) {
            size_t before = ovsdb_txn_n_ops(txn);
            entry_write(s, e, txn);
            if (ovsdb_txn_n_ops(txn) > before) {
                put_in_flight(e);
                *n += s->desc->is_root;    /* Others live by those that refer to them: they go along. */
            } else {
                list_remove(&e->due);
            }
        }
    }
    write_deltas(s, txn);
    while (!list_is_empty(&s->idle)) {
        entry_destroy(CONTAINER_OF(list_pop_front(&s->idle), struct entry, due));
    }
    write_surplus(s, txn, *n);
}

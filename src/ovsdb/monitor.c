/* monitor.c - what we ask the server to tell us, and what it tells.
 *
 * One monitor at a time, for all tables and columns in use that the server has. Its id carries a generation, so that
 * updates of a monitor that was replaced are known. The request is the best that the server knows:
 * monitor_cond_since, monitor_cond, monitor (ovsdb-server(7) 4.1.15, 4.1.12, RFC 7047 4.1.5).
 *
 * Resuming. After a reconnect the rows are still there. If the tables and columns are the same as before, the request names
 * the last transaction seen; the server sends what came since ("found"), or everything. Everything replaces: a row
 * that is not mentioned becomes absent, one that is the same notifies nobody. A standalone server never finds (3.1).
 *
 * Conditions. A table's condition is wanted, then sent, then acknowledged; one change is in flight at a time, with
 * all tables that changed until then. The replica's rows obey what was acknowledged. To resume, a request names
 * these conditions, and what is wanted since follows as a change; if the connection broke while a change was in flight,
 * nobody knows what the rows obey, and we ask for everything with the new ones. */
#include "ovsdb/session.h"

#include <stdlib.h>
#include "base/log.h"

LOG_MODULE(ovsdb_monitor);

static const char *
condition_or_true(const char *condition)
{
    return condition ? condition : "[true]";
}

/* The condition wanted of T, as this server can take it: one that names a column that the server lacks is "all". */
static const char *
condition_for_server(const struct ovsdb_table *t)
{
    struct json_reader r;
    bool ok = true;

    if (!t->condition) {
        return NULL;
    }
    json_reader_init(&r, t->condition, strlen(t->condition));
    ok = json_next(&r) == JSON_ARRAY_BEGIN;
    while (ok && json_next(&r) == JSON_ARRAY_BEGIN) {
        ok = json_next(&r) == JSON_STRING;
        if (ok && !json_string_is(&r, "_uuid")) {
            char *name = xstrndup(r.s.p, r.s.n);
            const struct ovsdb_column_desc *c = ovsdb_column_find(t->desc, name);
            ok = c && t->server_columns & OVSDB_COLUMN(c->index);
            free(name);
        }
        while (ok && json_next(&r) != JSON_ARRAY_END) {
            ok = json_skip(&r);
        }
    }
    ok = ok && r.token != JSON_ERROR;
    json_reader_destroy(&r);
    return ok ? t->condition : NULL;
}

static void
put_monitor_id(const struct ovsdb_session *s, unsigned generation, struct str *out)
{
    str_printf(out, "\"%s.%u\"", s->db->desc->name, generation);
}

/* ---- asking ---- */

/* Notes in the session's tables what a monitor asks for now; returns what identifies it. */
static struct digest
monitor_compose(struct ovsdb_session *s)
{
    struct ovsdb *db = s->db;
    uint64_t *masks = xcalloc(db->desc->n_tables + 1, sizeof *masks);

    for (size_t i = 0; i < db->desc->n_tables; i++) {
        const struct ovsdb_table *t = &db->tables[i];
        if (t->in_use && t->server_has) {
            masks[i] = (t->used & t->server_columns) | OVSDB_PRESENT;
        }
    }
    struct digest d = digest_bytes(masks, db->desc->n_tables * sizeof *masks);
    for (size_t i = 0; i < db->desc->n_tables; i++) {
        s->tables[i].in_monitor = masks[i] & OVSDB_PRESENT;
        s->tables[i].monitored = masks[i] & ~OVSDB_PRESENT;
    }
    free(masks);
    return d;
}

static void
put_monitor_tables(struct ovsdb_session *s, struct str *out)
{
    struct ovsdb *db = s->db;
    bool first = true;

    str_putc(out, '{');
    for (size_t i = 0; i < db->desc->n_tables; i++) {
        struct ovsdb_table *t = &db->tables[i];
        struct session_table *st = &s->tables[i];
        bool first_column = true;

        if (!st->in_monitor) {
            continue;
        }
        str_printf(out, "%s\"%s\":[{\"columns\":[", first ? "" : ",", t->desc->name);
        first = false;
        for (size_t c = 0; c < t->desc->n_columns; c++) {
            if (st->monitored & OVSDB_COLUMN(c)) {
                str_printf(out, "%s\"%s\"", first_column ? "" : ",", t->desc->columns[c].name);
                first_column = false;
            }
        }
        str_putc(out, ']');
        if (s->method != MONITOR_PLAIN) {
            str_printf(out, ",\"where\":%s", condition_or_true(s->resuming ? st->acked : condition_for_server(t)));
        }
        str_puts(out, "}]");
    }
    str_putc(out, '}');
}

/* The request that was just sent has the conditions that are wanted (or, resuming, those acknowledged before). */
static void
conditions_note_sent(struct ovsdb_session *s)
{
    for (size_t i = 0; i < s->db->desc->n_tables; i++) {
        struct ovsdb_table *t = &s->db->tables[i];
        struct session_table *st = &s->tables[i];
        const char *wanted = condition_for_server(t);
        const char *sent = s->resuming && st->in_monitor ? st->acked : wanted;

        free(st->sent);
        st->sent = sent ? xstrdup(sent) : NULL;
        t->condition_sent = str_eq(condition_or_true(sent), condition_or_true(wanted));
    }
}

void
monitor_request(struct ovsdb_session *s)
{
    static const char *const names[] = {
        [MONITOR_PLAIN] = "monitor", [MONITOR_COND] = "monitor_cond", [MONITOR_COND_SINCE] = "monitor_cond_since",
    };
    if (s->state != S_ACTIVE && !s->have_monitor && s->state != S_MONITOR) {
        s->method = MONITOR_COND_SINCE;
    }
    schema_say(s);
    struct digest now = monitor_compose(s);
    s->resuming = s->method == MONITOR_COND_SINCE && s->ready && s->has_last_id && !s->have_monitor
                  && digest_equal(now, s->monitored);
    s->monitored = now;
    s->has_last_id &= s->resuming;
    s->conditions_in_flight = false;   /* Its reply, if any, no longer says what the rows obey. */
    if (s->have_monitor) {
        struct str *out = session_request(s, "monitor_cancel", REQ_OTHER, NULL);
        str_putc(out, '[');
        put_monitor_id(s, s->generation, out);
        str_putc(out, ']');
        session_request_end(s);
    }
    session_set_state(s, S_MONITOR);

    struct str *out = session_request(s, names[s->method], REQ_MONITOR, NULL);
    str_putc(out, '[');
    json_put_cstr(out, s->db->desc->name);
    str_putc(out, ',');
    put_monitor_id(s, ++s->generation, out);
    str_putc(out, ',');
    put_monitor_tables(s, out);
    if (s->method == MONITOR_COND_SINCE) {
        struct uuid from = s->resuming ? s->last_id : (struct uuid) { { 0 } };
        str_printf(out, ",\"" UUID_FMT "\"", UUID_ARGS(&from));
    }
    str_putc(out, ']');
    session_request_end(s);
    conditions_note_sent(s);
}

/* What was sent is what the rows obey now. */
static void
conditions_acked(struct ovsdb_session *s)
{
    for (size_t i = 0; i < s->db->desc->n_tables; i++) {
        struct ovsdb_table *t = &s->db->tables[i];
        struct session_table *st = &s->tables[i];

        free(st->acked);
        st->acked = st->sent;
        st->sent = NULL;
        t->condition_acked = t->condition_sent;
        if (t->condition_acked) {
            st->first_unacked = 0;
        } else if (st->first_unacked < t->condition_number) {
            st->first_unacked = t->condition_number;   /* Of several changes only the last is still due. */
        }
    }
    s->conditions_in_flight = false;
    session_changed(s);
}

/* Sends the conditions that changed. */
static void
conditions_run(struct ovsdb_session *s)
{
    bool any = false;

    for (size_t i = 0; i < s->db->desc->n_tables; i++) {
        any |= s->db->tables[i].condition_number && !s->db->tables[i].condition_sent;
    }
    if (!any || s->conditions_in_flight) {
        return;
    }
    s->conditions_in_flight = true;
    bool first = true;
    struct str *out = NULL;
    for (size_t i = 0; i < s->db->desc->n_tables; i++) {
        struct ovsdb_table *t = &s->db->tables[i];
        struct session_table *st = &s->tables[i];
        bool change = t->condition_number && !t->condition_sent;
        const char *now = change ? condition_for_server(t) : st->acked;

        if (change && st->in_monitor && s->method != MONITOR_PLAIN) {
            if (!out) {
                out = session_request(s, "monitor_cond_change", REQ_CONDITIONS, NULL);
                str_putc(out, '[');
                put_monitor_id(s, s->generation, out);
                str_putc(out, ',');
                put_monitor_id(s, s->generation, out);
                str_puts(out, ",{");
            }
            str_printf(out, "%s\"%s\":[{\"where\":%s}]", first ? "" : ",", t->desc->name, condition_or_true(now));
            first = false;
        }
        free(st->sent);
        st->sent = now ? xstrdup(now) : NULL;
        t->condition_sent |= change;
    }
    if (out) {
        str_puts(out, "}]");
        session_request_end(s);
    } else {
        conditions_acked(s);           /* Nothing that the server has to know. */
    }
}

void
monitor_run(struct ovsdb_session *s)
{
    struct session_table *tables = s->tables;
    bool other = false;

    for (size_t i = 0; i < s->db->desc->n_tables; i++) {
        const struct ovsdb_table *t = &s->db->tables[i];
        if (t->in_use && t->server_has) {
            other |= !tables[i].in_monitor || (t->used & t->server_columns) != tables[i].monitored;
        }
    }
    if (other) {
        monitor_request(s);
    } else {
        conditions_run(s);
    }
}

void
ovsdb_session_monitor_changed(struct ovsdb *db)
{
    if (db->session) {
        session_kick(db->session);
    }
}

/* ---- hearing ---- */

/* Reads the uuid text that is current. */
static bool
read_txn_id(struct ovsdb_session *s, const struct json_reader *r, struct uuid *id)
{
    return r->token == JSON_STRING && r->s.n == UUID_LEN && uuid_parse(r->s.p, id);
}

static void
set_last_id(struct ovsdb_session *s, const struct uuid *id)
{
    s->last_id = *id;
    s->has_last_id = !uuid_is_zero(id);
}

static char *
monitor_apply(struct ovsdb_session *s, struct json_reader *r, enum ovsdb_update_kind kind)
{
    char *error = ovsdb_replica_apply(s->db, r, kind);
    if (error) {
        s->has_last_id = false;
    }
    session_changed(s);
    return error;
}

/* The first content of a monitor. */
static char *
monitor_content(struct ovsdb_session *s, struct json_reader *r)
{
    struct uuid id = { { 0 } };
    bool found = false;

    if (s->method == MONITOR_COND_SINCE) {
        if (r->token != JSON_ARRAY_BEGIN) {
            return xstrdup("malformed reply to monitor_cond_since");
        }
        found = json_next(r) == JSON_TRUE;
        json_next(r);
        if (!read_txn_id(s, r, &id)) {
            return xstrdup("malformed reply to monitor_cond_since");
        }
        json_next(r);
    }
    if (found && !s->resuming) {
        return xstrdup("the server resumes what we did not ask to resume");
    }
    if (s->ready) {
        LOG_DBG("%s: found=%s", s->db->desc->name, found ? "true" : "false");
    }
    enum ovsdb_update_kind kind = s->method == MONITOR_PLAIN ? OVSDB_UPDATE : OVSDB_UPDATE2;
    if (!found) {
        ovsdb_replica_replace_begin(s->db);
    }
    char *error = monitor_apply(s, r, kind);
    if (error) {
        return error;
    }
    if (!found) {
        ovsdb_replica_replace_end(s->db);
    }
    set_last_id(s, &id);
    return NULL;
}

char *
monitor_reply(struct ovsdb_session *s, struct rpc_message *m)
{
    if (s->state != S_MONITOR) {
        return NULL;
    }
    if (m->kind == RPC_ERROR) {
        char *text = rpc_error_text(m->error, m->error_len);
        if (str_after(text, "unknown method") && s->method != MONITOR_PLAIN) {
            free(text);
            s->method--;
            monitor_request(s);
        } else {
            s->has_last_id = false;
            session_refuse(s, text);
        }
        return NULL;
    }
    char *error = monitor_content(s, &m->payload);
    if (error) {
        return error;
    }
    s->ready = true;
    if (s->method == MONITOR_PLAIN) {
        for (size_t i = 0; i < s->db->desc->n_tables; i++) {
            s->db->tables[i].condition_sent = true;    /* It sends every row: more than was asked. */
        }
    }
    conditions_acked(s);
    session_set_state(s, S_ACTIVE);
    s->have_monitor = true;
    session_kick(s);
    return NULL;
}

char *
monitor_conditions_reply(struct ovsdb_session *s, struct rpc_message *m)
{
    if (m->kind == RPC_ERROR) {
        char *text = rpc_error_text(m->error, m->error_len);
        LOG_WARN_RL("%s: conditions refused: %s", s->db->desc->name, text);
        free(text);
    }
    if (s->conditions_in_flight) {
        conditions_acked(s);
        session_kick(s);
    }
    return NULL;
}

/* [id, updates], update3: [id, last-txn-id, updates]. */
char *
monitor_update(struct ovsdb_session *s, struct rpc_message *m)
{
    struct json_reader *r = &m->payload;
    unsigned generation = s->state == S_MONITOR ? s->generation - 1 : s->generation;
    bool since = str_eq(m->method, "update3");
    struct uuid id = { { 0 } };
    struct str ours = STR_INIT;

    if (r->token != JSON_ARRAY_BEGIN || json_next(r) != JSON_STRING) {
        return xasprintf("malformed \"%s\"", m->method);
    }
    if (json_string_is(r, "_Server")) {
        json_next(r);
        return cluster_update(s, r);
    }
    str_printf(&ours, "%s.%u", s->db->desc->name, generation);
    bool match = json_string_is(r, ours.s) && s->have_monitor;
    str_free(&ours);
    if (!match) {
        return NULL;                   /* Of a monitor that was replaced or canceled. */
    }
    if (since) {
        json_next(r);
        if (!read_txn_id(s, r, &id)) {
            return xstrdup("malformed \"update3\"");
        }
    }
    json_next(r);
    char *error = monitor_apply(s, r, str_eq(m->method, "update") ? OVSDB_UPDATE : OVSDB_UPDATE2);
    if (!error && since && s->state == S_ACTIVE) {
        set_last_id(s, &id);
    }
    return error;
}

/* The database was converted or removed: see what there is now. */
char *
monitor_canceled(struct ovsdb_session *s, struct rpc_message *m)
{
    struct json_reader *r = &m->payload;
    struct str ours = STR_INIT;

    str_printf(&ours, "%s.%u", s->db->desc->name, s->generation);
    bool match = r->token == JSON_ARRAY_BEGIN && json_next(r) == JSON_STRING && json_string_is(r, ours.s);
    str_free(&ours);
    if (match && s->state == S_ACTIVE) {
        LOG_INFO_RL("%s: %s: the database was converted or removed", s->db->desc->name, session_remote(s));
        free(s->last_error);
        s->last_error = xstrdup("the database was converted or removed");
        monitor_disconnected(s);
        s->has_last_id = false;
        schema_request(s);
    } else if (match && s->state == S_MONITOR) {
        session_refuse(s, xstrdup("the database was converted or removed"));
    }
    return NULL;
}

void
monitor_disconnected(struct ovsdb_session *s)
{
    s->have_monitor = false;
    if (s->conditions_in_flight) {
        s->has_last_id = false;
        s->conditions_in_flight = false;
    }
    for (size_t i = 0; i < s->db->desc->n_tables; i++) {
        free(s->tables[i].sent);
        s->tables[i].sent = NULL;
        s->db->tables[i].condition_sent = s->db->tables[i].condition_acked;
    }
}

void
monitor_destroy(struct ovsdb_session *s)
{
    for (size_t i = 0; i < s->db->desc->n_tables; i++) {
        free(s->tables[i].acked);
        free(s->tables[i].sent);
        free(s->db->tables[i].condition);
        s->db->tables[i].condition = NULL;
    }
    free(s->tables);
}

/* ---- conditions, public ---- */

uint64_t
ovsdb_set_condition(struct ovsdb *db, const struct ovsdb_table_desc *desc, const char *json)
{
    struct ovsdb_session *s = db->session;
    struct ovsdb_table *t = &db->tables[desc->index];
    struct session_table *st = &s->tables[desc->index];

    if (str_eq(condition_or_true(t->condition), json)) {
        return t->condition_number ? t->condition_number : s->condition_seq;
    }
    free(t->condition);
    t->condition = xstrdup(json);
    t->condition_number = ++s->condition_seq;
    t->condition_sent = t->condition_acked = false;
    if (!st->first_unacked) {
        st->first_unacked = t->condition_number;
    }
    session_kick(s);
    return t->condition_number;
}

bool
ovsdb_conditions_reached(const struct ovsdb *db, uint64_t n)
{
    const struct ovsdb_session *s = db->session;

    if (!s->ready) {
        return false;
    }
    for (size_t i = 0; i < db->desc->n_tables; i++) {
        const struct ovsdb_table *t = &db->tables[i];
        if (t->condition_number && !t->condition_acked && (!n || s->tables[i].first_unacked <= n)) {
            return false;
        }
    }
    return true;
}

/* session.c - the connection of a database's client: which remote, when, and what to say to it first.
 *
 * See session.h for the states. Every reply is matched to its request by id; a message that nobody waits for is
 * a violation, as is one that cannot be read. After a violation the content may be wrong, so the next connection starts
 * from nothing instead of the last transaction.
 *
 * Trying again: the remotes are tried in turn, each at once after the other; when all have failed, after a pause of
 * 1 s, doubled every round up to 8 s. A connection that had served for longer than the pause starts this
 * anew, without a pause. A server that hangs, or whose machine is gone, is given up if it does not answer: with others to try,
 * after 1 s in the first round and twice the pause later, up to 10 s. Inactivity, later on: after the probe interval without a byte we send "echo", after
 * another one we give up. RFC 7047 4, ovsdb-server(7). */
#include "ovsdb/session.h"

#include <stdlib.h>
#include "base/clock.h"
#include "base/log.h"
#include "runtime/tls.h"

LOG_MODULE(ovsdb_session);

enum {
    MAX_PATIENCE = 10000,
    MIN_BACKOFF = 1000,
    MAX_BACKOFF = 8000,
    DEFAULT_PROBE = 60000,
    MIN_PROBE = 1000,
};
/* The largest message: of a server that has shown a schema, and of one that has not. */
static const size_t MAX_MESSAGE = 1 << 30, MAX_FIRST_MESSAGE = 16 << 20;

static void session_run(void *aux);
static void session_retry(void *aux);
static void session_probe(void *aux);
static void session_close(struct ovsdb_session *, const char *why, bool violation);

void
session_kick(struct ovsdb_session *s)
{
    loop_timer_set(s->kick, 0);
}

void
session_changed(struct ovsdb_session *s)
{
    s->db->seqno++;
}

const char *
session_remote(const struct ovsdb_session *s)
{
    return s->peer ? s->peer : "(no remote)";
}

static void
session_set_error(struct ovsdb_session *s, const char *error)
{
    free(s->last_error);
    s->last_error = xstrdup(error);
}

void
session_set_state(struct ovsdb_session *s, enum session_state state)
{
    bool was_serving = session_is_serving(s);

    s->state = state;
    if (session_is_serving(s) != was_serving) {
        session_changed(s);
    }
    if (state == S_WAIT || state == S_MONITOR) {
        loop_timer_set(s->probe, 0);   /* It has answered: from now on the probe interval counts. */
    }
    if (state != S_ACTIVE || was_serving) {
        return;
    }
    s->active_since = clock_msec();
    LOG_INFO_RL("%s: connected to %s", s->db->desc->name, session_remote(s));
    free(s->last_error);
    free(s->last_logged);
    s->last_error = s->last_logged = NULL;
}

/* ---- requests ---- */

struct str *
session_request(struct ovsdb_session *s, const char *method, enum request_kind kind, struct ovsdb_txn *txn)
{
    struct request *r = XNEW(struct request);
    r->id = s->next_id++;
    r->kind = kind;
    r->txn = txn;
    list_push_back(&s->requests, &r->node);

    struct str *out = rpc_begin(s->rpc);
    str_printf(out, "{\"id\":%lld,\"method\":\"%s\",\"params\":", (long long) r->id, method);
    return out;
}

void
session_request_end(struct ovsdb_session *s)
{
    str_putc(rpc_begin(s->rpc), '}');
    rpc_end(s->rpc);
}

static void
session_request_text(struct ovsdb_session *s, const char *method, enum request_kind kind, const char *param)
{
    struct str *out = session_request(s, method, kind, NULL);
    str_putc(out, '[');
    if (param) {
        json_put_cstr(out, param);
    }
    str_putc(out, ']');
    session_request_end(s);
}

/* ---- the lock ---- */

static void
session_set_has_lock(struct ovsdb_session *s, bool has)
{
    if (s->has_lock != has) {
        s->has_lock = has;
        session_changed(s);
    }
}

/* Brings what we asked this server for in line with what is wanted. */
static void
session_run_lock(struct ovsdb_session *s)
{
    if (s->lock_sent && (!s->lock || !str_eq(s->lock, s->lock_sent))) {
        session_request_text(s, "unlock", REQ_OTHER, s->lock_sent);
        free(s->lock_sent);
        s->lock_sent = NULL;
        session_set_has_lock(s, false);
    }
    if (s->lock && !s->lock_sent && !s->lock_pending) {
        session_request_text(s, "lock", REQ_LOCK, s->lock);
        s->lock_sent = xstrdup(s->lock);
        s->lock_pending = true;
    }
}

static char *
session_lock_reply(struct ovsdb_session *s, struct rpc_message *m)
{
    s->lock_pending = false;
    if (m->kind == RPC_ERROR) {
        char *text = rpc_error_text(m->error, m->error_len);
        LOG_WARN_RL("%s: lock refused: %s", s->db->desc->name, text);
        free(text);
        session_run_lock(s);
        return NULL;
    }
    struct json_reader *r = &m->payload;
    if (r->token != JSON_OBJECT_BEGIN) {
        return xstrdup("malformed reply to \"lock\"");
    }
    while (json_next(r) == JSON_KEY) {
        bool locked = json_string_is(r, "locked");
        json_next(r);
        if (locked && r->token == JSON_TRUE && s->lock_sent) {
            session_set_has_lock(s, true);
        }
        if (!json_skip(r)) {
            return xstrdup("malformed reply to \"lock\"");
        }
    }
    session_run_lock(s);
    return NULL;
}

/* "locked" and "stolen": ["name"]. While a reply to "lock" is outstanding, an unlocked name's old notification cannot be
 * meant for it: the server answers before it notifies. */
static void
session_lock_notified(struct ovsdb_session *s, struct json_reader *r, bool locked)
{
    if (r->token == JSON_ARRAY_BEGIN && json_next(r) == JSON_STRING && s->lock_sent && !s->lock_pending
        && json_string_is(r, s->lock_sent)) {
        session_set_has_lock(s, locked);
    }
}

/* ---- messages ---- */

static void
session_connected(void *aux)
{
    struct ovsdb_session *s = aux;

    rpc_set_limit(s->rpc, MIN(MAX_FIRST_MESSAGE, s->max_message));
    session_set_state(s, S_CLUSTER);
    struct str *out = session_request(s, "set_db_change_aware", REQ_OTHER, NULL);
    str_puts(out, "[true]");
    session_request_end(s);
    cluster_request(s);
    s->echo_sent = false;
    loop_timer_set(s->probe, 0);
}

static void
session_echo_reply(struct ovsdb_session *s, struct rpc_message *m)
{
    const char *params = "[]";
    size_t n = 2;

    if (m->payload.token != JSON_NULL && !json_raw(&m->payload, &params, &n)) {
        return;
    }
    struct str *out = rpc_begin(s->rpc);
    str_puts(out, "{\"id\":");
    str_put(out, m->id, m->id_len);
    str_puts(out, ",\"result\":");
    str_put(out, params, n);
    str_puts(out, ",\"error\":null}");
    rpc_end(s->rpc);
}

static char *
session_notified(struct ovsdb_session *s, struct rpc_message *m)
{
    if (str_eq(m->method, "update3") || str_eq(m->method, "update2") || str_eq(m->method, "update")) {
        return monitor_update(s, m);
    } else if (str_eq(m->method, "monitor_canceled")) {
        return monitor_canceled(s, m);
    } else if (str_eq(m->method, "locked") || str_eq(m->method, "stolen")) {
        session_lock_notified(s, &m->payload, str_eq(m->method, "locked"));
    } else {
        LOG_INFO_RL("%s: notification \"%s\" is not known here", session_remote(s), m->method);
    }
    return NULL;
}

static char *
session_replied(struct ovsdb_session *s, struct rpc_message *m)
{
    struct request *req = NULL;
    LIST_FOR_EACH (r, struct request, node, &s->requests) {
        if (r->id == m->number) {
            req = r;
            break;
        }
    }
    if (!req) {
        return xasprintf("a reply to no request (id %.*s)", (int) MIN(m->id_len, 40), m->id);
    }
    enum request_kind kind = req->kind;
    struct ovsdb_txn *txn = req->txn;
    list_remove(&req->node);
    free(req);

    switch (kind) {
    case REQ_CLUSTER:
        return cluster_reply(s, m);
    case REQ_LIST:
        return cluster_list_reply(s, m);
    case REQ_SCHEMA:
        return schema_reply(s, m);
    case REQ_MONITOR:
        return monitor_reply(s, m);
    case REQ_CONDITIONS:
        return monitor_conditions_reply(s, m);
    case REQ_LOCK:
        return session_lock_reply(s, m);
    case REQ_TXN:
        txn_reply(s, txn, m);
        return NULL;
    case REQ_ECHO:
    case REQ_OTHER:
        break;
    }
    return NULL;
}

static char *
session_message(void *aux, struct rpc_message *m)
{
    struct ovsdb_session *s = aux;

    switch (m->kind) {
    case RPC_REQUEST:
        if (str_eq(m->method, "echo")) {
            session_echo_reply(s, m);
            return NULL;
        }
        LOG_INFO_RL("%s: request \"%s\" is not known here", session_remote(s), m->method);
        struct str *out = rpc_begin(s->rpc);
        str_puts(out, "{\"id\":");
        str_put(out, m->id, m->id_len);
        str_puts(out, ",\"result\":null,\"error\":\"unknown method\"}");
        rpc_end(s->rpc);
        return NULL;
    case RPC_NOTIFICATION:
        return session_notified(s, m);
    case RPC_REPLY:
    case RPC_ERROR:
        break;
    }
    return session_replied(s, m);
}

static void
session_closed(void *aux, const char *reason, bool violation)
{
    session_close(aux, reason, violation);
}

static const struct rpc_ops session_rpc_ops = {
    .connected = session_connected,
    .message = session_message,
    .closed = session_closed,
};

/* ---- connecting and losing the connection ---- */

/* Says once why, and again only when the reason is another. */
static void
session_log_failure(struct ovsdb_session *s, const char *why, bool violation, bool was_active)
{
    char *text = xasprintf("%s: %s", session_remote(s), why);
    session_set_error(s, text);
    bool news = was_active || !s->last_logged || !str_eq(s->last_logged, text);
    if (violation) {
        LOG_WARN_RL("%s: %s: connection dropped", s->db->desc->name, text);
    } else if (news && str_after(why, TLS_REFUSED)) {
        LOG_WARN_RL("%s: %s", s->db->desc->name, text);
    } else if (news) {
        LOG_INFO_RL("%s: %s", s->db->desc->name, text);
    }
    free(s->last_logged);
    s->last_logged = text;
}

/* How long a server that we need not have may take for its first answers. */
static int64_t
session_patience(const struct ovsdb_session *s)
{
    return s->remotes.n > 1 ? MIN(MAX(2 * s->backoff, MIN_BACKOFF), MAX_PATIENCE) : MAX_PATIENCE;
}

static int64_t
session_next_delay(struct ovsdb_session *s, bool was_active)
{
    int64_t now = clock_msec();

    if (s->at_once) {
        s->at_once = false;
        return 0;
    }
    if (was_active && now - s->active_since >= MAX(s->backoff, MIN_BACKOFF)) {
        s->backoff = 0;
        s->tries = 0;
        return 0;
    }
    if (++s->tries < s->remotes.n) {
        return 0;
    }
    s->tries = 0;
    s->backoff = s->backoff ? MIN(s->backoff * 2, MAX_BACKOFF) : MIN_BACKOFF;
    return s->backoff;
}

/* From the loop only: answers the transactions that were sent. */
static void
session_close(struct ovsdb_session *s, const char *why, bool violation)
{
    bool was_active = session_is_serving(s);

    s->unreachable = s->state <= S_CONNECTING || s->lacks ? s->unreachable + 1 : 0;
    session_log_failure(s, why, violation, was_active);
    if (str_after(why, TLS_BOOTSTRAPPED)) {
        s->at_once = true;
        s->remote = s->remotes.n ? (s->remote + s->remotes.n - 1) % s->remotes.n : 0;  /* The same one again. */
    }
    rpc_destroy(s->rpc);
    s->rpc = NULL;
    session_set_state(s, S_IDLE);
    session_set_has_lock(s, false);
    free(s->lock_sent);
    s->lock_sent = NULL;
    s->lock_pending = false;
    s->cluster = (struct cluster_info) { .present = false };
    free(s->lacks);
    s->lacks = NULL;
    loop_timer_cancel(s->probe);
    monitor_disconnected(s);
    if (violation) {
        s->has_last_id = false;
    }
    s->remote = s->remotes.n ? (s->remote + 1) % s->remotes.n : 0;
    if (s->remotes.n) {
        loop_timer_set(s->retry, session_next_delay(s, was_active));
    }
    while (!list_is_empty(&s->requests)) {
        struct request *r = CONTAINER_OF(list_pop_front(&s->requests), struct request, node);
        struct ovsdb_txn *txn = r->txn;
        free(r);
        if (txn) {
            txn_lost(s, txn);
        }
    }
}

void
session_refuse(struct ovsdb_session *s, char *why)
{
    session_set_error(s, why);
    free(why);
    s->reconnect = true;
    session_kick(s);
}

static void
session_retry(void *aux)
{
    struct ovsdb_session *s = aux;
    char *error = NULL;

    if (s->state != S_IDLE || !s->remotes.n) {
        return;
    }
    free(s->peer);
    s->peer = xstrdup(s->remotes.v[s->remote].text);
    struct stream *stream = remote_connect(s->db->loop, &s->remotes.v[s->remote], &error);
    if (!stream) {
        session_close(s, error, false);
        free(error);
        return;
    }
    session_set_state(s, S_CONNECTING);
    s->rpc = rpc_create(s->db->loop, stream, &session_rpc_ops, s);
    loop_timer_set(s->probe, session_patience(s));
}

static int64_t
session_probe_interval(const struct ovsdb_session *s)
{
    if (s->probe_interval >= 0) {
        return s->probe_interval;
    }
    return s->remotes.n && s->remotes.v[s->remote].is_unix ? 0 : DEFAULT_PROBE;
}

static void
session_probe(void *aux)
{
    struct ovsdb_session *s = aux;
    int64_t interval = session_probe_interval(s);

    if (s->state == S_CONNECTING) {
        session_close(s, "the connection attempt timed out", false);
        return;
    }
    bool starting = s->state == S_CLUSTER || s->state == S_SCHEMA;
    if (s->state == S_IDLE || (!interval && !starting)) {
        return;
    }
    int64_t idle = clock_msec() - rpc_last_rx(s->rpc), patience = session_patience(s);
    if (starting && idle < patience) {
        loop_timer_set(s->probe, patience - idle);
    } else if (starting) {
        char *why = xasprintf("no answer in %lld ms", (long long) patience);
        session_close(s, why, false);
        free(why);
    } else if (idle < interval) {
        s->echo_sent = false;
        loop_timer_set(s->probe, interval - idle);
    } else if (!s->echo_sent) {
        session_request_text(s, "echo", REQ_ECHO, NULL);
        s->echo_sent = true;
        loop_timer_set(s->probe, interval);
    } else {
        char *why = xasprintf("no answer to an inactivity probe in %lld ms", (long long) interval);
        session_close(s, why, false);
        free(why);
    }
}

/* Does what public functions asked for. */
static void
session_run(void *aux)
{
    struct ovsdb_session *s = aux;

    if (s->reconnect) {
        s->reconnect = false;
        if (s->rpc) {
            char *why = s->last_error ? xstrdup(s->last_error) : xstrdup("told to reconnect");
            session_close(s, why, false);
            free(why);
        }
    }
    if (s->state == S_ACTIVE) {
        monitor_run(s);
    }
    if (s->state == S_ACTIVE) {
        session_run_lock(s);
    }
    txn_run(s);
}

/* ---- public ---- */

struct ovsdb *
ovsdb_create(struct loop *loop, const struct ovsdb_db_desc *desc)
{
    struct ovsdb *db = XNEW(struct ovsdb);
    struct ovsdb_session *s = XNEW(struct ovsdb_session);

    db->desc = desc;
    db->loop = loop;
    db->session = s;
    ovsdb_replica_init(db);

    s->db = db;
    s->leader_only = true;
    s->probe_interval = -1;
    s->max_message = MAX_MESSAGE;
    s->kick = loop_timer_create(loop, session_run, s);
    s->retry = loop_timer_create(loop, session_retry, s);
    s->probe = loop_timer_create(loop, session_probe, s);
    s->tables = xcalloc(desc->n_tables, sizeof *s->tables);
    list_init(&s->requests);
    list_init(&s->waiting);
    return db;
}

void
ovsdb_destroy(struct ovsdb *db)
{
    if (!db) {
        return;
    }
    struct ovsdb_session *s = db->session;
    rpc_destroy(s->rpc);
    txn_destroy_all(s);
    monitor_destroy(s);
    loop_timer_destroy(s->kick);
    loop_timer_destroy(s->retry);
    loop_timer_destroy(s->probe);
    remotes_free(&s->remotes);
    free(s->peer);
    free(s->last_error);
    free(s->last_logged);
    free(s->lacks);
    free(s->lock);
    free(s->lock_sent);
    ovsdb_replica_destroy(db);
    free(s);
    free(db);
}

const struct ovsdb_db_desc *
ovsdb_desc(const struct ovsdb *db)
{
    return db->desc;
}

char *
ovsdb_set_remotes(struct ovsdb *db, const char *text)
{
    struct ovsdb_session *s = db->session;
    struct remotes new;

    if (s->remotes.text && str_eq(s->remotes.text, text ? text : "")) {
        return NULL;
    }
    char *error = remotes_parse(text, &new);
    if (error) {
        return error;
    }
    if (!s->no_shuffle) {
        remotes_shuffle(&new);
    }
    remotes_free(&s->remotes);
    s->remotes = new;
    s->remote = s->remotes.n ? s->remotes.n - 1 : 0;   /* Closing the old connection moves on to the first. */
    s->tries = 0;
    s->backoff = 0;
    if (s->rpc) {
        free(s->last_error);
        s->last_error = xstrdup("the remotes were changed");
        s->reconnect = s->at_once = true;
    } else {
        s->remote = 0;
        if (s->remotes.n) {
            loop_timer_set(s->retry, 0);
        } else {
            loop_timer_cancel(s->retry);
        }
    }
    session_kick(s);
    return NULL;
}

void
ovsdb_set_leader_only(struct ovsdb *db, bool leader_only)
{
    struct ovsdb_session *s = db->session;

    s->leader_only = leader_only;
    if (leader_only && s->rpc && s->cluster.clustered && !s->cluster.leader) {
        session_refuse(s, xstrdup("the server is not the leader of its cluster"));
    } else if (!leader_only && s->state == S_WAIT) {
        s->at_once = true;
        session_refuse(s, xstrdup("a follower will do now"));
    }
}

void
ovsdb_set_shuffle(struct ovsdb *db, bool shuffle)
{
    db->session->no_shuffle = !shuffle;
}

void
ovsdb_set_probe_interval(struct ovsdb *db, int64_t ms)
{
    struct ovsdb_session *s = db->session;

    ms = ms > 0 ? MAX(ms, MIN_PROBE) : MAX(ms, -1);
    if (s->probe_interval != ms) {
        s->probe_interval = ms;
        if (s->rpc && s->state != S_CONNECTING) {
            s->echo_sent = false;
            loop_timer_set(s->probe, 0);
        }
    }
}

void
ovsdb_set_max_message(struct ovsdb *db, size_t n)
{
    db->session->max_message = n;
}

bool
ovsdb_is_connected(const struct ovsdb *db)
{
    return session_is_serving(db->session);
}

bool
ovsdb_is_ready(const struct ovsdb *db)
{
    return db->session->ready;
}

unsigned
ovsdb_n_unreachable(const struct ovsdb *db)
{
    const struct ovsdb_session *s = db->session;

    return s->state > S_CONNECTING ? 0 : s->unreachable;
}

bool
ovsdb_lacks_database(const struct ovsdb *db)
{
    return db->session->state == S_WAIT && db->session->lacks;
}

const char *
ovsdb_last_error(const struct ovsdb *db)
{
    const char *error = db->session->last_error;
    return error ? error : "";
}

void
ovsdb_force_reconnect(struct ovsdb *db)
{
    struct ovsdb_session *s = db->session;

    if (s->rpc) {
        s->at_once = true;
        session_refuse(s, xstrdup("told to reconnect"));
    } else if (s->remotes.n) {
        loop_timer_set(s->retry, 0);
    }
}

void
ovsdb_retry_now(struct ovsdb *db)
{
    struct ovsdb_session *s = db->session;

    if (!s->rpc && s->remotes.n) {
        loop_timer_set(s->retry, 0);
    }
}

void
ovsdb_reset_cluster_state(struct ovsdb *db)
{
    struct ovsdb_session *s = db->session;

    s->min_index = INT64_MIN;
    if (s->state == S_WAIT || s->state == S_IDLE) {
        ovsdb_force_reconnect(db);
    }
}

uint64_t
ovsdb_seqno(const struct ovsdb *db)
{
    return db->seqno;
}

void
ovsdb_set_lock(struct ovsdb *db, const char *name)
{
    struct ovsdb_session *s = db->session;

    if (s->lock == name || (s->lock && name && str_eq(s->lock, name))) {
        return;
    }
    free(s->lock);
    s->lock = name ? xstrdup(name) : NULL;
    session_kick(s);
}

bool
ovsdb_has_lock(const struct ovsdb *db)
{
    const struct ovsdb_session *s = db->session;
    return session_is_serving(s) && s->has_lock && s->lock && s->lock_sent && str_eq(s->lock, s->lock_sent);
}

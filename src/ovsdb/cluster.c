/* cluster.c - whether this server is the one to work with: what its database "_Server" says of ours.
 *
 * We monitor our row of table Database (ovsdb-server(5)), decoded here by hand: it is one row. All its columns hold at most
 * one value, so a difference carries the new value. The column "schema" is not asked for: Open vSwitch 3.1 leaves it as it was
 * when a standalone database is converted; "monitor_canceled" tells of that, and get_schema has the truth.
 *
 * A server that cannot serve (no such database, a member without majority, a follower where the leader is wanted, a state
 * older than one we have seen) is left for the next remote. If there is no other, we stay and wait for it. */
#include "ovsdb/session.h"

#include <stdlib.h>
#include "base/log.h"

LOG_MODULE(ovsdb_cluster);

void
cluster_request(struct ovsdb_session *s)
{
    struct str *out = session_request(s, "monitor_cond", REQ_CLUSTER, NULL);
    str_puts(out, "[\"_Server\",\"_Server\",{\"Database\":[{\"columns\":[\"model\",\"connected\",\"leader\",\"index\",\"cid\"],"
                  "\"where\":[[\"name\",\"==\",");
    json_put_cstr(out, s->db->desc->name);
    str_puts(out, "]]}]}]");
    session_request_end(s);
}

/* Reads one column: a bare atom, ["uuid", x], or ["set", [zero or one of these]]. Leaves the reader on the value's last token;
 * *has tells whether there was an atom, which is what the other arguments were set from. */
static bool
read_value(struct json_reader *r, bool *has, bool *b, int64_t *i, char s[64])
{
    *has = true;
    if (r->token == JSON_ARRAY_BEGIN) {
        if (json_next(r) != JSON_STRING) {
            return false;
        }
        if (json_string_is(r, "uuid")) {
            json_next(r);
            return r->token == JSON_STRING && read_value(r, has, b, i, s) && json_next(r) == JSON_ARRAY_END;
        }
        if (!json_string_is(r, "set") || json_next(r) != JSON_ARRAY_BEGIN) {
            return false;
        }
        if (json_next(r) == JSON_ARRAY_END) {
            *has = false;
        } else if (!read_value(r, has, b, i, s) || json_next(r) != JSON_ARRAY_END) {
            return false;
        }
        return json_next(r) == JSON_ARRAY_END;
    }
    *b = r->token == JSON_TRUE;
    *i = r->token == JSON_INTEGER ? r->i : 0;
    s[0] = '\0';
    if (r->token == JSON_STRING) {
        size_t n = MIN(r->s.n, 63);
        memcpy(s, r->s.p, n);
        s[n] = '\0';
    }
    return r->token != JSON_ERROR && r->token != JSON_OBJECT_BEGIN;
}

static bool
read_row(struct json_reader *r, struct cluster_info *c)
{
    if (r->token != JSON_OBJECT_BEGIN) {
        return false;
    }
    while (json_next(r) == JSON_KEY) {
        enum { MODEL, CONNECTED, LEADER, INDEX, CID, OTHER } column =
            json_string_is(r, "model") ? MODEL : json_string_is(r, "connected") ? CONNECTED
            : json_string_is(r, "leader") ? LEADER : json_string_is(r, "index") ? INDEX
            : json_string_is(r, "cid") ? CID : OTHER;
        bool has, b = false;
        int64_t i = 0;
        char text[64] = "";

        json_next(r);
        if (!read_value(r, &has, &b, &i, text)) {
            return false;
        }
        switch (column) {
        case MODEL:
            c->clustered = str_eq(text, "clustered");
            c->relay = str_eq(text, "relay");
            break;
        case CONNECTED:
            c->connected = b;
            break;
        case LEADER:
            c->leader = b;
            break;
        case INDEX:
            c->has_index = has;
            c->index = i;
            break;
        case CID:
            if (!has || strlen(text) != UUID_LEN || !uuid_parse(text, &c->cid)) {
                c->cid = (struct uuid) { { 0 } };
            }
            break;
        case OTHER:
            break;
        }
    }
    return r->token == JSON_OBJECT_END;
}

/* {"Database": {uuid: {"initial"|"insert"|"modify"|"delete": row}}} */
static bool
read_updates(struct json_reader *r, struct cluster_info *c)
{
    if (r->token != JSON_OBJECT_BEGIN) {
        return false;
    }
    while (json_next(r) == JSON_KEY) {
        if (json_next(r) != JSON_OBJECT_BEGIN) {
            return false;
        }
        while (json_next(r) == JSON_KEY) {
            if (json_next(r) != JSON_OBJECT_BEGIN) {
                return false;
            }
            while (json_next(r) == JSON_KEY) {
                bool gone = json_string_is(r, "delete"), modify = json_string_is(r, "modify");
                json_next(r);
                if (gone) {
                    *c = (struct cluster_info) { .present = false };
                    if (!json_skip(r)) {
                        return false;
                    }
                    continue;
                }
                if (!modify) {
                    *c = (struct cluster_info) { .present = true };
                }
                if (!read_row(r, c)) {
                    return false;
                }
            }
            if (r->token != JSON_OBJECT_END) {
                return false;
            }
        }
        if (r->token != JSON_OBJECT_END) {
            return false;
        }
    }
    return r->token == JSON_OBJECT_END;
}

/* ---- a server without our database ---- */

static char *cluster_decide(struct ovsdb_session *);

/* Asks what it has instead, to say so: who mistook one server for another sees it at once. (A member that is still to join its cluster is not
 * such a server: it has the row, and is not connected.) */
static void
list_request(struct ovsdb_session *s)
{
    struct str *out = session_request(s, "list_dbs", REQ_LIST, NULL);
    str_puts(out, "[]");
    session_request_end(s);
}

char *
cluster_list_reply(struct ovsdb_session *s, struct rpc_message *m)
{
    struct str text = STR_INIT;
    struct json_reader *r = &m->payload;
    bool any = false;

    if (s->cluster.present) {          /* It came meanwhile. */
        return NULL;
    }
    str_printf(&text, "the server has no database %s", s->db->desc->name);
    if (m->kind == RPC_REPLY && r->token == JSON_ARRAY_BEGIN) {
        while (json_next(r) == JSON_STRING) {
            if (!json_string_is(r, "_Server")) {
                str_printf(&text, "%s%.*s", any ? ", " : "; it has ", (int) MIN(r->s.n, 100), r->s.p);
                any = true;
            }
        }
    }
    free(s->lacks);
    s->lacks = str_steal(&text);
    return cluster_decide(s);
}

/* ---- what the row says ---- */

/* Why this server will not do, or NULL. */
static const char *
cluster_objection(const struct ovsdb_session *s)
{
    const struct cluster_info *c = &s->cluster;

    if (!c->present) {
        return s->lacks;
    }
    if (!c->connected) {
        return c->relay ? "the relay has no connection to its source" : "the server has no contact with its cluster";
    }
    if (!c->clustered) {
        return NULL;
    }
    if (s->leader_only && !c->leader) {
        return "the server is not the leader of its cluster";
    }
    if (c->has_index && c->index < s->min_index && uuid_equal(&c->cid, &s->min_index_cid)) {
        return "the server's state is older than one seen before";
    }
    return NULL;
}

/* Goes on, waits, or gives up, as the row says. */
static char *
cluster_decide(struct ovsdb_session *s)
{
    if (!s->cluster.present && !s->lacks) {
        list_request(s);
        return NULL;
    }
    if (s->cluster.present) {
        free(s->lacks);
        s->lacks = NULL;
    }
    const char *objection = cluster_objection(s);

    if (objection) {
        if (s->remotes.n > 1 || s->state > S_WAIT) {
            session_refuse(s, xstrdup(objection));
        } else {
            if (s->state != S_WAIT) {
                LOG_INFO_RL("%s: %s: %s: waiting", s->db->desc->name, session_remote(s), objection);
            }
            session_set_state(s, S_WAIT);
            free(s->last_error);
            s->last_error = xasprintf("%s: %s", session_remote(s), objection);
        }
        return NULL;
    }
    if (s->cluster.clustered && s->cluster.has_index) {
        s->min_index = s->cluster.index;
        s->min_index_cid = s->cluster.cid;
    }
    if (s->state == S_CLUSTER || s->state == S_WAIT) {
        schema_request(s);
    }
    return NULL;
}

char *
cluster_reply(struct ovsdb_session *s, struct rpc_message *m)
{
    s->has_cluster = m->kind == RPC_REPLY;
    if (!s->has_cluster) {             /* Before Open vSwitch 2.9. */
        schema_request(s);
        return NULL;
    }
    s->cluster = (struct cluster_info) { .present = false };
    return cluster_update(s, &m->payload);
}

char *
cluster_update(struct ovsdb_session *s, struct json_reader *r)
{
    if (!read_updates(r, &s->cluster)) {
        return xstrdup("malformed content of database _Server");
    }
    return cluster_decide(s);
}

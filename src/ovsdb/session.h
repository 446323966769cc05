/* session.h - what the files of the protocol half of ovsdb/ share: session.c (the connection), cluster.c (is this server
 * the right one), schema.c (what it has), monitor.c (what we ask for and get), txn.c (what we write).
 *
 * A session goes through these states for every connection:
 *
 *   IDLE --> CONNECTING --> CLUSTER --> SCHEMA --> MONITOR --> ACTIVE
 *                              `--> WAIT: this server cannot serve us now, and there is no other: `_Server` will tell
 *
 * Whatever ends a connection leads to IDLE, where a timer waits until the next remote is tried. Everything that the
 * process asks for (new remotes, columns, conditions, locks) only changes what is wanted and calls session_kick();
 * session_run() does it from the loop. So no public function closes a connection or calls back. */
#ifndef OVSDB_SESSION_H
#define OVSDB_SESSION_H 1

#include "ovsdb/remote.h"
#include "ovsdb/replica.h"
#include "ovsdb/rpc.h"

enum session_state { S_IDLE, S_CONNECTING, S_CLUSTER, S_WAIT, S_SCHEMA, S_MONITOR, S_ACTIVE };

enum request_kind { REQ_OTHER, REQ_ECHO, REQ_CLUSTER, REQ_LIST, REQ_SCHEMA, REQ_MONITOR, REQ_CONDITIONS, REQ_LOCK, REQ_TXN };
struct request {
    struct list node;
    int64_t id;
    enum request_kind kind;
    struct ovsdb_txn *txn;             /* REQ_TXN */
};

/* A row of table Database of database _Server: what the server says of ours. */
struct cluster_info {
    bool present, clustered, relay, connected, leader, has_index;
    int64_t index;
    struct uuid cid;
};

/* The conditions of a table, beside what struct ovsdb_table has of it. NULL: "[true]". */
struct session_table {
    char *acked;                       /* What the replica's rows obey. */
    char *sent;                        /* Asked for, not acknowledged. */
    uint64_t first_unacked;            /* The first number that is not reached (while !condition_acked). */
    uint64_t monitored;                /* Columns in the current monitor. */
    bool in_monitor;
};

enum monitor_method { MONITOR_PLAIN, MONITOR_COND, MONITOR_COND_SINCE };

struct ovsdb_session {
    struct ovsdb *db;
    enum session_state state;
    struct loop_timer *kick, *retry, *probe;

    /* Wanted. */
    struct remotes remotes;
    bool leader_only, no_shuffle;
    bool reconnect, at_once;           /* Drop the connection, connect again; without a pause. */
    int64_t probe_interval;            /* -1: the default. */
    size_t max_message;

    /* The connection. */
    struct rpc *rpc;
    char *peer;                        /* The remote's text, of `rpc` or of the last one. */
    size_t remote;                     /* Which remote is, or is next to be, tried. */
    size_t tries;                      /* Remotes that failed in this round. */
    unsigned unreachable;              /* Attempts in a row that did not even connect, or not to a server with our database. */
    int64_t backoff, active_since;
    bool echo_sent;
    int64_t next_id;
    struct list requests;              /* struct request, sent and not answered. */
    char *last_error;                  /* Why not connected. */
    char *last_logged;                 /* The failure last logged: said once. */

    struct cluster_info cluster;
    bool has_cluster;                  /* The server has the _Server database. */
    char *lacks;                       /* Not NULL: the server has no such database, but which it has. */
    int64_t min_index;                 /* Never look at an older state of this cluster. */
    struct uuid min_index_cid;

    bool schema_known;                 /* server_has, server_columns are valid. */
    struct digest schema;              /* Of what we know of it, */
    unsigned schema_seqno;             /* and how often that changed. */
    struct digest schema_said;         /* What of the schema was logged. */

    enum monitor_method method;
    unsigned generation;               /* Of the monitor: part of its id. */
    bool have_monitor;                 /* On the server: the generation before, until the new one answers. */
    bool resuming;                     /* The monitor request names the last transaction. */
    bool ready;                        /* The whole content has arrived, once. */
    bool has_last_id;
    struct uuid last_id;               /* The last transaction of which we know. */
    struct digest monitored;           /* Tables and columns of the monitor that last_id belongs to. */
    struct session_table *tables;
    uint64_t condition_seq;            /* The last number given. */
    bool conditions_in_flight;

    char *lock, *lock_sent;            /* Wanted; asked for on this connection. */
    bool lock_pending, has_lock;

    struct list waiting;               /* struct ovsdb_txn, not sent. */
    size_t n_pending;
};

/* session.c */
void session_kick(struct ovsdb_session *);
void session_changed(struct ovsdb_session *);          /* Counts the seqno up. */
/* Connected, with a monitor that lives: also while it is being replaced because more is to be monitored. */
static inline bool
session_is_serving(const struct ovsdb_session *s)
{
    return s->state == S_ACTIVE || (s->state == S_MONITOR && s->have_monitor);
}
/* Starts a request: the caller appends the JSON of "params" (an array) and calls session_request_end(). */
struct str *session_request(struct ovsdb_session *, const char *method, enum request_kind, struct ovsdb_txn *);
void session_request_end(struct ovsdb_session *);
void session_set_state(struct ovsdb_session *, enum session_state);
const char *session_remote(const struct ovsdb_session *);
/* Fails the attempt: the next remote is tried, from the loop. The message becomes the session's. */
void session_refuse(struct ovsdb_session *, char *why);

/* cluster.c. Each returns NULL, or why the connection must be given up (caller owns). */
void cluster_request(struct ovsdb_session *);
char *cluster_reply(struct ovsdb_session *, struct rpc_message *) MUST_USE;
char *cluster_update(struct ovsdb_session *, struct json_reader *) MUST_USE;
char *cluster_list_reply(struct ovsdb_session *, struct rpc_message *) MUST_USE;

/* schema.c */
void schema_request(struct ovsdb_session *);
char *schema_reply(struct ovsdb_session *, struct rpc_message *) MUST_USE;
void schema_say(struct ovsdb_session *);               /* Logs, once, what the server lacks of what we use. */

/* monitor.c */
void monitor_request(struct ovsdb_session *);
void monitor_run(struct ovsdb_session *);              /* ACTIVE: sends what changed in what we want. */
char *monitor_reply(struct ovsdb_session *, struct rpc_message *) MUST_USE;
char *monitor_conditions_reply(struct ovsdb_session *, struct rpc_message *) MUST_USE;
char *monitor_update(struct ovsdb_session *, struct rpc_message *) MUST_USE;
char *monitor_canceled(struct ovsdb_session *, struct rpc_message *) MUST_USE;
void monitor_disconnected(struct ovsdb_session *);
void monitor_destroy(struct ovsdb_session *);

/* txn.c */
void txn_run(struct ovsdb_session *);                  /* Sends what waits, answers what cannot be sent. */
void txn_reply(struct ovsdb_session *, struct ovsdb_txn *, struct rpc_message *);
void txn_lost(struct ovsdb_session *, struct ovsdb_txn *);
void txn_destroy_all(struct ovsdb_session *);
void txn_free(struct ovsdb_txn *);

/* For tests: the largest message accepted, bytes (default 1 GB). */
void ovsdb_set_max_message(struct ovsdb *, size_t);

#endif

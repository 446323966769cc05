/* rpc.h - one JSON-RPC connection of the OVSDB protocol (RFC 7047 4): a stream, messages in and out.
 *
 * It knows nothing of databases. Incoming bytes are framed as they come and kept in one buffer, in which each message is
 * then read in place; the buffer is given back after a large message. What a peer can make us hold is bounded
 * (rpc_set_limit()). Outgoing messages are queued and never block. */
#ifndef OVSDB_RPC_H
#define OVSDB_RPC_H 1

#include "json/json.h"
#include "runtime/stream.h"

enum rpc_kind { RPC_REQUEST, RPC_NOTIFICATION, RPC_REPLY, RPC_ERROR };

/* A message received; valid in the callback only. */
struct rpc_message {
    enum rpc_kind kind;
    char method[64];               /* Requests and notifications. */
    const char *id;                /* JSON text of the id. */
    size_t id_len;
    int64_t number;                /* The id as integer, -1 if it is none. */
    const char *error;             /* RPC_ERROR: JSON text of the error. */
    size_t error_len;
    struct json_reader payload;    /* Current token: the first of "params" or "result" (JSON_NULL: none). */
};

struct rpc_ops {
    void (*connected)(void *aux);
    /* NULL, or why the connection must be given up (callee's allocation); then `closed` follows. */
    char *(*message)(void *aux, struct rpc_message *);
    /* The connection ended; VIOLATION: because of what the peer sent. The callee may destroy the rpc here,
     * in the other callbacks it must not. */
    void (*closed)(void *aux, const char *reason, bool violation);
};

struct rpc;

/* STREAM, connected or connecting, is now the rpc's. Callbacks come from the loop. */
struct rpc *rpc_create(struct loop *, struct stream *, const struct rpc_ops *, void *aux);
void rpc_destroy(struct rpc *);                        /* NULL is ignored. */
/* The largest message accepted from now on, bytes. */
void rpc_set_limit(struct rpc *, size_t max_message);
int64_t rpc_last_rx(const struct rpc *);               /* clock_msec() of the last byte received. */
uint64_t rpc_rx_bytes(const struct rpc *);

/* Appends to the output: the caller writes one whole JSON message into what rpc_begin() returns, then
 * calls rpc_end(), which sends what the socket takes. Never calls back. */
struct str *rpc_begin(struct rpc *);
void rpc_end(struct rpc *);
size_t rpc_tx_queued(const struct rpc *);

/* "unknown database: no such thing" from the JSON text of an error; the caller owns it. */
char *rpc_error_text(const char *json, size_t n);

#endif

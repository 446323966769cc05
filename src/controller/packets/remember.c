/* remember.c - what was learnt goes to the southbound database: MAC addresses to FDB, neighbours to MAC_Binding. ovn-sb(5).
 *
 * Lessons wait in `entries`, one for each address, the last one holds. One transaction is under way at a time, of at most BATCH lessons; what the replica
 * shows already is not written. A new row is written as "delete what has this key, insert": another chassis that learnt the same a moment earlier
 * is no error. A transaction that is refused (a datapath that went, say) is tried again lesson by lesson, and then what is refused is dropped:
 * the next packet teaches it again. So is what waited too long, for want of a connection. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/hash.h"
#include "base/hmap.h"
#include "base/list.h"
#include "base/log.h"
#include "controller/controller.h"
#include "controller/packets/packets.h"

LOG_MODULE(learn);
METRIC(learnt_fdb)                     /* Written. */
METRIC(learnt_neighbour)
METRIC(learnt_known)                   /* The database had it. */
METRIC(learnt_dropped)                 /* Too many wait, or too long, or refused. */

enum { MAX_WAITING = 4096, BATCH = 256, MAX_AGE_MSEC = 10000 };

struct entry {
    struct hmap_node node;
    struct list list;                  /* In `waiting`, the longest waiting first. */
    struct learnt learnt;
    int64_t at;
};

struct memory {
    struct controller *c;
    struct ovsdb_index *fdb_by_mac, *neighbour_by_ip, *dp_by_key, *port_by_key;
    struct hmap entries;
    struct list waiting;
    struct ovsdb_txn_handle *under_way;
    struct entry *sent[BATCH];
    size_t n_sent, n_alone;            /* So many lessons are sent one by one. */
};

struct memory *
memory_create(struct controller *c)
{
    struct memory *m = XNEW(struct memory);

    m->c = c;
    hmap_init(&m->entries);
    list_init(&m->waiting);
    ovsdb_use(c->sb, &sb_table_fdb, OVSDB_COLUMN(SB_FDB_PORT_KEY));
    ovsdb_use(c->sb, &sb_table_mac_binding, OVSDB_COLUMN(SB_MAC_BINDING_MAC) | OVSDB_COLUMN(SB_MAC_BINDING_DATAPATH));
    m->fdb_by_mac = ovsdb_index_create(c->sb, &sb_table_fdb, 2, (uint16_t[]) { SB_FDB_MAC, SB_FDB_DP_KEY });
    m->neighbour_by_ip = ovsdb_index_create(c->sb, &sb_table_mac_binding, 2,
                                            (uint16_t[]) { SB_MAC_BINDING_LOGICAL_PORT, SB_MAC_BINDING_IP });
    m->dp_by_key = ovsdb_index_create(c->sb, &sb_table_datapath_binding, 1, (uint16_t[]) { SB_DATAPATH_BINDING_TUNNEL_KEY });
    m->port_by_key = ovsdb_index_create(c->sb, &sb_table_port_binding, 2,
                                        (uint16_t[]) { SB_PORT_BINDING_DATAPATH, SB_PORT_BINDING_TUNNEL_KEY });
    return m;
}

static void
entry_free(struct memory *m, struct entry *e)
{
    hmap_remove(&m->entries, &e->node);
    list_remove(&e->list);
    free(e);
}

void
memory_destroy(struct memory *m)
{
    if (m->under_way) {
        ovsdb_txn_cancel(m->under_way);
        for (size_t i = 0; i < m->n_sent; i++) {
            free(m->sent[i]);
        }
    }
    HMAP_FOR_EACH_SAFE (e, struct entry, node, &m->entries) {
        entry_free(m, e);
    }
    hmap_destroy(&m->entries);
    free(m);
}

size_t
memory_count(const struct memory *m)
{
    return hmap_count(&m->entries);
}

/* What a lesson is about: all of it but the answer (the port of a MAC address, the MAC address of a neighbour). */
static struct learnt
subject(const struct learnt *l)
{
    struct learnt s;

    memcpy(&s, l, sizeof s);           /* Padding too. */
    if (s.kind == LEARNT_FDB) {
        s.port_key = 0;
    } else {
        memset(&s.mac, 0, sizeof s.mac);
    }
    return s;
}

static struct entry *
entry_find(struct memory *m, const struct learnt *about, uint32_t hash)
{
    HMAP_FOR_EACH_HASH (e, struct entry, node, hash, &m->entries) {
        struct learnt other = subject(&e->learnt);
        if (!memcmp(&other, about, sizeof other)) {
            return e;
        }
    }
    return NULL;
}

void
memory_add(struct memory *m, const struct learnt *l)
{
    struct learnt about = subject(l);
    uint32_t hash = hash_bytes(&about, sizeof about, 0);
    struct entry *e = entry_find(m, &about, hash);

    if (!e) {
        if (hmap_count(&m->entries) >= MAX_WAITING) {
            METRIC_INC(learnt_dropped);
            return;
        }
        e = XNEW(struct entry);
        hmap_insert(&m->entries, &e->node, hash);
        list_push_back(&m->waiting, &e->list);
        e->at = clock_msec();
    }
    memcpy(&e->learnt, l, sizeof *l);
    loop_wake(m->c->loop);
}

/* E, which was sent in vain, waits again, unless something newer does. */
static void
entry_again(struct memory *m, struct entry *e)
{
    struct learnt about = subject(&e->learnt);

    if (entry_find(m, &about, e->node.hash)) {
        free(e);
    } else {
        hmap_insert(&m->entries, &e->node, e->node.hash);
        list_push_front(&m->waiting, &e->list);
    }
}

static void
answered(void *m_, const struct ovsdb_txn_result *result)
{
    struct memory *m = m_;
    size_t n = m->n_sent;

    m->under_way = NULL;
    m->n_sent = 0;
    m->n_alone -= MIN(n, m->n_alone);
    if (result->status == OVSDB_TXN_ERROR && n > 1) {
        m->n_alone = n;
    } else if (result->status == OVSDB_TXN_ERROR) {
        LOG_WARN_RL("cannot write what was learnt: %s", result->error);
    }
    for (size_t i = 0; i < n; i++) {
        if (result->status == OVSDB_TXN_SUCCESS) {
            m->sent[i]->learnt.kind == LEARNT_FDB ? METRIC_INC(learnt_fdb) : METRIC_INC(learnt_neighbour);
            free(m->sent[i]);
        } else if (result->status == OVSDB_TXN_ERROR && n == 1) {
            METRIC_INC(learnt_dropped);
            free(m->sent[i]);
        } else {
            entry_again(m, m->sent[i]);
        }
    }
    loop_wake(m->c->loop);
}

/* Puts into TXN that the row that WHERE says, or that ROW is, shall be as RECORD. */
static void
put_row(struct ovsdb_txn *txn, const struct ovsdb_row *row, const struct ovsdb_record *record, const char *where)
{
    if (row) {
        ovsdb_txn_update(txn, &row->uuid, record);
        return;
    }
    char *op = xasprintf("{\"op\":\"delete\",\"table\":\"%s\",\"where\":%s}", ovsdb_record_table(record)->name, where);
    ovsdb_txn_put_raw(txn, op);
    ovsdb_txn_insert(txn, record, NULL);
    free(op);
}

static bool
put_fdb(struct memory *m, const struct learnt *l, struct ovsdb_txn *txn)
{
    char mac[18], where[128];

    snprintf(mac, sizeof mac, ETH_ADDR_FMT, ETH_ADDR_ARGS(l->mac));
    struct ovsdb_row *row = ovsdb_index_get(m->fdb_by_mac, NULL, (union ovsdb_atom[]) { { .s = mac }, { .i = l->dp_key } });
    if (row && sb_fdb_port_key(sb_fdb_of(row), NULL) == l->port_key) {
        return false;
    }
    struct ovsdb_record *r = ovsdb_record_create(&sb_table_fdb);
    ovsdb_record_str(r, SB_FDB_MAC, mac);
    ovsdb_record_int(r, SB_FDB_DP_KEY, l->dp_key);
    ovsdb_record_int(r, SB_FDB_PORT_KEY, l->port_key);
    ovsdb_record_int(r, SB_FDB_TIMESTAMP, clock_wall_msec());
    snprintf(where, sizeof where, "[[\"mac\",\"==\",\"%s\"],[\"dp_key\",\"==\",%"PRIu32"]]", mac, l->dp_key);
    put_row(txn, row, r, where);
    ovsdb_record_destroy(r);
    return true;
}

static bool
put_neighbour(struct memory *m, const struct learnt *l, struct ovsdb_txn *txn)
{
    struct ovsdb_row *dp = ovsdb_index_get_int(m->dp_by_key, NULL, l->dp_key), *port = NULL;
    char mac[18], ip[INET6_ADDRSTRLEN];

    if (dp) {
        port = ovsdb_index_get(m->port_by_key, NULL, (union ovsdb_atom[]) { { .row = dp }, { .i = l->port_key } });
    }
    if (!port) {
        return false;                  /* It went meanwhile. */
    }
    const char *name = sb_port_binding_logical_port(sb_port_binding_of(port), NULL);
    snprintf(mac, sizeof mac, ETH_ADDR_FMT, ETH_ADDR_ARGS(l->mac));
    ip_addr_to_str(&l->ip, ip);
    struct ovsdb_row *row = ovsdb_index_get(m->neighbour_by_ip, NULL, (union ovsdb_atom[]) { { .s = name }, { .s = ip } });
    if (row && str_eq(sb_mac_binding_mac(sb_mac_binding_of(row), NULL), mac)) {
        return false;
    }
    struct ovsdb_record *r = ovsdb_record_create(&sb_table_mac_binding);
    ovsdb_record_str(r, SB_MAC_BINDING_LOGICAL_PORT, name);
    ovsdb_record_str(r, SB_MAC_BINDING_IP, ip);
    ovsdb_record_str(r, SB_MAC_BINDING_MAC, mac);
    ovsdb_record_uuid(r, SB_MAC_BINDING_DATAPATH, &dp->uuid);
    ovsdb_record_int(r, SB_MAC_BINDING_TIMESTAMP, clock_wall_msec());
    struct str where = STR_INIT;
    str_puts(&where, "[[\"logical_port\",\"==\",");
    ovsdb_record_put_value(r, SB_MAC_BINDING_LOGICAL_PORT, &where);
    str_printf(&where, "],[\"ip\",\"==\",\"%s\"]]", ip);
    put_row(txn, row, r, where.s);
    str_free(&where);
    ovsdb_record_destroy(r);
    return true;
}

static bool
is_writable(struct memory *m, const struct learnt *l)
{
    return ovsdb_has_table(m->c->sb, l->kind == LEARNT_FDB ? &sb_table_fdb : &sb_table_mac_binding);
}

void
memory_run(struct memory *m)
{
    struct ovsdb *sb = m->c->sb;
    int64_t now = clock_msec();

    if (list_is_empty(&m->waiting) || m->under_way) {
        return;
    }
    bool connected = ovsdb_is_connected(sb) && ovsdb_is_ready(sb);
    struct ovsdb_txn *txn = connected ? ovsdb_txn_create(sb) : NULL;
    LIST_FOR_EACH_SAFE (e, struct entry, list, &m->waiting) {
        if (now - e->at > MAX_AGE_MSEC || (connected && !is_writable(m, &e->learnt)) || m->c->leaving) {
            METRIC_INC(learnt_dropped);
            entry_free(m, e);
        } else if (!connected || m->n_sent >= (m->n_alone ? 1 : BATCH)) {
            break;
        } else if (e->learnt.kind == LEARNT_FDB ? put_fdb(m, &e->learnt, txn) : put_neighbour(m, &e->learnt, txn)) {
            hmap_remove(&m->entries, &e->node);
            list_remove(&e->list);
            m->sent[m->n_sent++] = e;
        } else {
            METRIC_INC(learnt_known);
            entry_free(m, e);
        }
    }
    if (m->n_sent) {
        ovsdb_txn_comment(txn, "ovn-controller: learnt from packets");
        m->under_way = ovsdb_txn_commit(txn, answered, m);
    } else if (txn) {
        ovsdb_txn_destroy(txn);
    }
}

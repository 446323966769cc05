/* ovsdb_probe.c - a client of a database that does what it is told: the hands of tests/ovsdb/test_session.py.
 *
 *     ovsdb-probe nb|sb|ovs REMOTES [use-all] [max-message=N] [probe=MS] [follower] [no-shuffle] [debug] [--TLS-OPTION=VALUE]...
 *
 * Reads commands from standard input, a line each (see `commands`), answers with lines on standard output; the log goes to
 * standard error. Results of transactions come when they come: "result NUMBER STATUS seen=B incremented=N error". */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
#include "base/log.h"
#include "json/json.h"
#include "ovsdb/ovsdb.h"
#include "ovsdb/session.h"
#include "runtime/daemon.h"
#include "runtime/tls.h"
#include "schema/nb.h"
#include "schema/ovs.h"
#include "schema/sb.h"

struct probe {
    struct loop *loop;
    struct ovsdb *db;
    struct ovsdb_txn *txn;
    struct uuid inserted;              /* By the transaction being built. */
    const struct ovsdb_table_desc *into;
    unsigned n_txns;
    unsigned changes;
    struct ovsdb_watch *watches;
    struct str in;
};

struct commit {
    struct probe *p;
    unsigned number;
    struct uuid inserted;
    const struct ovsdb_table_desc *into;
};

static const struct ovsdb_table_desc *
find_table(struct probe *p, const char *name)
{
    const struct ovsdb_table_desc *t = name ? ovsdb_table_find(ovsdb_desc(p->db), name) : NULL;
    if (!t) {
        panic("no table %s", name ? name : "given");
    }
    return t;
}

static const struct ovsdb_column_desc *
find_column(const struct ovsdb_table_desc *t, const char *name)
{
    const struct ovsdb_column_desc *c = name ? ovsdb_column_find(t, name) : NULL;
    if (!c) {
        panic("no column %s in %s", name ? name : "given", t->name);
    }
    return c;
}

static struct uuid
read_uuid(const char *s)
{
    struct uuid u;
    if (!s || !uuid_parse(s, &u)) {
        panic("not a UUID: %s", s ? s : "(none)");
    }
    return u;
}

static char *
word(char **rest)
{
    char *w;
    do {
        w = strsep(rest, " ");
    } while (w && !*w);
    return w;
}

static void
must(char *error)
{
    if (error) {
        panic("%s", error);
    }
}

/* {"column": value, ...} */
static struct ovsdb_record *
read_record(const struct ovsdb_table_desc *t, const char *json)
{
    struct ovsdb_record *record = ovsdb_record_create(t);
    struct json_reader r;

    json_reader_init(&r, json, strlen(json));
    json_next(&r);
    while (json_next(&r) == JSON_KEY) {
        char *name = xstrndup(r.s.p, r.s.n);
        const char *value;
        size_t n;
        json_next(&r);
        REQUIRE(json_raw(&r, &value, &n));
        must(ovsdb_record_json_value(record, find_column(t, name)->index, value, n));
        free(name);
    }
    REQUIRE(r.token == JSON_OBJECT_END);
    json_reader_destroy(&r);
    return record;
}

static int
compare_rows(const void *a, const void *b)
{
    return uuid_compare(&(*(struct ovsdb_row *const *) a)->uuid, &(*(struct ovsdb_row *const *) b)->uuid);
}

static void
cmd_rows(struct probe *p, char *rest)
{
    struct ovsdb_table *t = ovsdb_table(p->db, find_table(p, word(&rest)));
    size_t n = 0, count = ovsdb_count(t);
    struct ovsdb_row **rows = xcalloc(count + 1, sizeof *rows);
    struct ovsdb_record *record = ovsdb_record_create(t->desc);

    OVSDB_FOR_EACH(row, t, NULL) {
        REQUIRE(n < count);
        rows[n++] = row;
    }
    REQUIRE(n == count);
    qsort(rows, n, sizeof *rows, compare_rows);
    for (size_t i = 0; i < n; i++) {
        struct str s = STR_INIT;
        ovsdb_record_reset(record);
        for (size_t c = 0; c < t->desc->n_columns; c++) {
            if (t->used & OVSDB_COLUMN(c)) {
                ovsdb_record_copy(record, c, rows[i]);
            }
        }
        ovsdb_record_put_json(record, UINT64_MAX, &s);
        printf("row " UUID_FMT " %s\n", UUID_ARGS(&rows[i]->uuid), str_c(&s));
        str_free(&s);
    }
    printf("end\n");
    ovsdb_record_destroy(record);
    free(rows);
}

static void
cmd_count(struct probe *p, char *rest)
{
    printf("count %zu\n", ovsdb_count(ovsdb_table(p->db, find_table(p, word(&rest)))));
}

static void
cmd_use(struct probe *p, char *rest)
{
    const struct ovsdb_table_desc *t = find_table(p, word(&rest));
    uint64_t columns = 0;
    char *w;

    while ((w = word(&rest))) {
        columns |= OVSDB_COLUMN(find_column(t, w)->index);
    }
    ovsdb_use(p->db, t, columns);
}

static void
cmd_condition(struct probe *p, char *rest)
{
    const struct ovsdb_table_desc *t = find_table(p, word(&rest));
    printf("condition %" PRIu64 "\n", ovsdb_set_condition(p->db, t, rest));
}

static void
cmd_reached(struct probe *p, char *rest)
{
    printf("reached %d\n", ovsdb_conditions_reached(p->db, strtoull(rest ? rest : "0", NULL, 10)));
}

static void
cmd_status(struct probe *p, char *rest)
{
    struct ovsdb_session *s = p->db->session;
    printf("status connected=%d ready=%d lock=%d seqno=%" PRIu64 " pending=%zu rx=%" PRIu64 " error=%s\n",
           ovsdb_is_connected(p->db), ovsdb_is_ready(p->db), ovsdb_has_lock(p->db), ovsdb_seqno(p->db),
           ovsdb_txn_pending(p->db), s->rpc ? rpc_rx_bytes(s->rpc) : 0, ovsdb_last_error(p->db));
}

static void
cmd_changes(struct probe *p, char *rest)
{
    printf("changes %u\n", p->changes);
    p->changes = 0;
}

static void
cmd_has(struct probe *p, char *rest)
{
    const struct ovsdb_table_desc *t = find_table(p, word(&rest));
    char *column = word(&rest);
    printf("has %d\n", column ? ovsdb_has_column(p->db, t, find_column(t, column)->index) : ovsdb_has_table(p->db, t));
}

static void
cmd_lock(struct probe *p, char *rest)
{
    ovsdb_set_lock(p->db, word(&rest));
}

static void
cmd_tls_refresh(struct probe *p, char *rest)
{
    tls_refresh();
}

static void
cmd_tls_database(struct probe *p, char *rest)
{
    struct tls_options o = { 0 };

    o.private_key = word(&rest);
    o.certificate = word(&rest);
    o.ca_cert = word(&rest);
    printf("news %d\n", tls_configure(&o));
}

static void
cmd_remotes(struct probe *p, char *rest)
{
    char *error = ovsdb_set_remotes(p->db, rest);
    printf("remotes %s\n", error ? error : "ok");
    free(error);
}

static void
cmd_reconnect(struct probe *p, char *rest)
{
    ovsdb_force_reconnect(p->db);
}

static void
cmd_reset_cluster_state(struct probe *p, char *rest)
{
    ovsdb_reset_cluster_state(p->db);
}

static void
cmd_follower(struct probe *p, char *rest)
{
    ovsdb_set_leader_only(p->db, false);
}

static struct ovsdb_txn *
txn(struct probe *p)
{
    if (!p->txn) {
        p->txn = ovsdb_txn_create(p->db);
    }
    return p->txn;
}

static void
cmd_insert(struct probe *p, char *rest)
{
    const struct ovsdb_table_desc *t = find_table(p, word(&rest));
    char *w = word(&rest);
    struct uuid u = str_eq(w, "-") ? uuid_random() : read_uuid(w);
    struct ovsdb_record *record = read_record(t, rest);

    p->inserted = ovsdb_txn_insert(txn(p), record, &u);
    p->into = t;
    ovsdb_record_destroy(record);
}

static void
cmd_update(struct probe *p, char *rest)
{
    const struct ovsdb_table_desc *t = find_table(p, word(&rest));
    struct uuid u = read_uuid(word(&rest));
    struct ovsdb_record *record = read_record(t, rest);
    ovsdb_txn_update(txn(p), &u, record);
    ovsdb_record_destroy(record);
}

static void
mutate(struct probe *p, char *rest, void (*f)(struct ovsdb_txn *, const struct uuid *, const struct ovsdb_record *, uint16_t))
{
    const struct ovsdb_table_desc *t = find_table(p, word(&rest));
    struct uuid u = read_uuid(word(&rest));
    const struct ovsdb_column_desc *c = find_column(t, word(&rest));
    struct ovsdb_record *record = ovsdb_record_create(t);
    must(ovsdb_record_json_value(record, c->index, rest, strlen(rest)));
    f(txn(p), &u, record, c->index);
    ovsdb_record_destroy(record);
}

static void
cmd_add(struct probe *p, char *rest)
{
    mutate(p, rest, ovsdb_txn_add);
}

static void
cmd_remove(struct probe *p, char *rest)
{
    mutate(p, rest, ovsdb_txn_remove);
}

static void
cmd_remove_key(struct probe *p, char *rest)
{
    const struct ovsdb_table_desc *t = find_table(p, word(&rest));
    struct uuid u = read_uuid(word(&rest));
    const struct ovsdb_column_desc *c = find_column(t, word(&rest));
    ovsdb_txn_remove_key(txn(p), t, &u, c->index, word(&rest));
}

static void
cmd_delete(struct probe *p, char *rest)
{
    const struct ovsdb_table_desc *t = find_table(p, word(&rest));
    struct uuid u = read_uuid(word(&rest));
    ovsdb_txn_delete(txn(p), t, &u);
}

static struct ovsdb_row *
read_row(struct probe *p, char **rest, const struct ovsdb_column_desc **c)
{
    const struct ovsdb_table_desc *t = find_table(p, word(rest));
    struct uuid u = read_uuid(word(rest));
    *c = find_column(t, word(rest));
    struct ovsdb_row *row = ovsdb_get(ovsdb_table(p->db, t), &u, NULL);
    REQUIRE(row);
    return row;
}

static void
cmd_verify(struct probe *p, char *rest)
{
    const struct ovsdb_column_desc *c;
    struct ovsdb_row *row = read_row(p, &rest, &c);
    ovsdb_txn_verify(txn(p), row, c->index);
}

static void
cmd_increment(struct probe *p, char *rest)
{
    const struct ovsdb_column_desc *c;
    struct ovsdb_row *row = read_row(p, &rest, &c);
    ovsdb_txn_increment(txn(p), row, c->index, atoi(word(&rest)));
}

static void
cmd_comment(struct probe *p, char *rest)
{
    ovsdb_txn_comment(txn(p), rest);
}

static void
cmd_assert_lock(struct probe *p, char *rest)
{
    ovsdb_txn_assert_lock(txn(p));
}

static void
cmd_raw(struct probe *p, char *rest)
{
    ovsdb_txn_put_raw(txn(p), rest);
}

static void
committed(void *aux, const struct ovsdb_txn_result *r)
{
    static const char *const names[] = {
        [OVSDB_TXN_SUCCESS] = "success", [OVSDB_TXN_CONFLICT] = "conflict", [OVSDB_TXN_LOST] = "lost",
        [OVSDB_TXN_NOT_LOCKED] = "not-locked", [OVSDB_TXN_ERROR] = "error",
    };
    struct commit *c = aux;
    bool seen = c->into && ovsdb_get(ovsdb_table(c->p->db, c->into), &c->inserted, NULL);

    printf("result %u %s seen=%d incremented=%" PRId64 " %s\n", c->number, names[r->status], seen, r->incremented,
           r->error);
    free(c);
}

static void
cmd_commit(struct probe *p, char *rest)
{
    struct commit *c = XNEW(struct commit);
    c->p = p;
    c->number = ++p->n_txns;
    c->inserted = p->inserted;
    c->into = p->into;
    p->into = NULL;
    struct ovsdb_txn_handle *h = ovsdb_txn_commit(txn(p), committed, c);
    p->txn = NULL;
    printf("txn %u\n", c->number);
    if (rest && str_eq(rest, "cancel")) {
        ovsdb_txn_cancel(h);
        free(c);
    }
}

static void
cmd_quit(struct probe *p, char *rest)
{
    loop_stop(p->loop);
}

static const struct {
    const char *name;
    void (*f)(struct probe *, char *rest);
} commands[] = {
    { "rows", cmd_rows },              /* TABLE */
    { "count", cmd_count },            /* TABLE */
    { "use", cmd_use },                /* TABLE COLUMN... */
    { "condition", cmd_condition },    /* TABLE JSON */
    { "reached", cmd_reached },        /* NUMBER */
    { "status", cmd_status },
    { "changes", cmd_changes },        /* Rows that came, changed or went since last asked. */
    { "has", cmd_has },                /* TABLE [COLUMN] */
    { "lock", cmd_lock },              /* [NAME] */
    { "remotes", cmd_remotes },        /* LIST */
    { "tls-refresh", cmd_tls_refresh },        /* As once a minute. */
    { "tls-database", cmd_tls_database },      /* KEY CERTIFICATE CA, as from an SSL row. */
    { "reconnect", cmd_reconnect },
    { "follower", cmd_follower },
    { "reset-cluster-state", cmd_reset_cluster_state },
    { "insert", cmd_insert },          /* TABLE UUID|- {COLUMN: VALUE} */
    { "update", cmd_update },          /* TABLE UUID {COLUMN: VALUE} */
    { "add", cmd_add },                /* TABLE UUID COLUMN VALUE */
    { "remove", cmd_remove },
    { "remove-key", cmd_remove_key },  /* TABLE UUID COLUMN KEY */
    { "delete", cmd_delete },          /* TABLE UUID */
    { "verify", cmd_verify },          /* TABLE UUID COLUMN */
    { "increment", cmd_increment },    /* TABLE UUID COLUMN BY */
    { "comment", cmd_comment },
    { "assert-lock", cmd_assert_lock },
    { "raw", cmd_raw },                /* JSON */
    { "commit", cmd_commit },          /* [cancel] */
    { "quit", cmd_quit },
};

static void
run_command(struct probe *p, char *line)
{
    char *rest = line, *name = word(&rest);

    for (size_t i = 0; name && i < ARRAY_SIZE(commands); i++) {
        if (str_eq(name, commands[i].name)) {
            commands[i].f(p, rest);
            return;
        }
    }
    panic("unknown command: %s", name ? name : "");
}

static void
input(void *aux, unsigned events)
{
    struct probe *p = aux;
    char buffer[65536];
    ssize_t n = read(0, buffer, sizeof buffer);

    if (n <= 0) {
        loop_stop(p->loop);
        return;
    }
    str_put(&p->in, buffer, n);
    for (char *nl; (nl = memchr(p->in.s, '\n', p->in.len)); ) {
        size_t len = nl - p->in.s;
        *nl = '\0';
        run_command(p, p->in.s);
        memmove(p->in.s, p->in.s + len + 1, p->in.len - len);
        p->in.len -= len + 1;
    }
}

static struct probe probe;

static void
count_change(struct ovsdb_watch *w, struct ovsdb_row *row, uint64_t columns)
{
    probe.changes++;
}

/* "--private-key=FILE" and its like, as a program of ours takes them. */
static bool
tls_option(char *arg)
{
    static const struct option options[] = { TLS_LONG_OPTIONS };
    char *value = strchr(arg, '=');

    for (size_t i = 0; value && i < ARRAY_SIZE(options); i++) {
        const char *name = str_after(arg, "--");
        if (name && strlen(options[i].name) == (size_t) (value - name) && !strncmp(options[i].name, name, value - name)) {
            return daemon_option(options[i].val, value + 1);
        }
    }
    return false;
}

int
main(int argc, char **argv)
{
    struct probe *p = &probe;

    program_set_name(argv[0]);
    if (argc < 3) {
        panic("usage: ovsdb-probe nb|sb|ovs REMOTES [OPTION]...");
    }
    setvbuf(stdout, NULL, _IOLBF, 0);
    const struct ovsdb_db_desc *desc = str_eq(argv[1], "nb") ? &nb_db : str_eq(argv[1], "sb") ? &sb_db : &ovs_db;
    p->loop = loop_create();
    p->db = ovsdb_create(p->loop, desc);
    for (int i = 3; i < argc; i++) {
        const char *v;
        if ((v = str_after(argv[i], "max-message="))) {
            ovsdb_set_max_message(p->db, strtoull(v, NULL, 10));
        } else if ((v = str_after(argv[i], "probe="))) {
            ovsdb_set_probe_interval(p->db, atoi(v));
        } else if (str_eq(argv[i], "follower")) {
            ovsdb_set_leader_only(p->db, false);
        } else if (str_eq(argv[i], "use-all")) {
            ovsdb_use_all(p->db);
        } else if (str_eq(argv[i], "no-shuffle")) {
            ovsdb_set_shuffle(p->db, false);
        } else if (str_eq(argv[i], "debug")) {
            must(log_set("console:dbg"));
        } else if (!tls_option(argv[i])) {
            panic("unknown option %s", argv[i]);
        }
    }
    p->watches = xcalloc(desc->n_tables, sizeof *p->watches);
    for (size_t i = 0; i < desc->n_tables; i++) {
        p->watches[i].cb = count_change;
        ovsdb_watch(ovsdb_table(p->db, &desc->tables[i]), &p->watches[i]);
    }
    char *error = ovsdb_set_remotes(p->db, argv[2]);
    if (error) {
        printf("remotes %s\n", error);
        free(error);
    }
    struct loop_io *io = loop_io_create(p->loop, 0, LOOP_READ, input, p);
    loop_run(p->loop);
    loop_io_destroy(io);
    ovsdb_txn_destroy(p->txn);
    ovsdb_destroy(p->db);
    loop_destroy(p->loop);
    free(p->watches);
    str_free(&p->in);
    return 0;
}

/* connection.c - how the database server listens: ovn-nbctl(8), ovn-sbctl(8), "Remote Connectivity Commands". */
#include "cli/common/connection.h"

#include <limits.h>
#include <stdlib.h>

static const struct connection_schema *const S = &connection_schema;

static const char *
connection_needs(struct ctl *c)
{
    ctl_need_all(c, S->global, OVSDB_COLUMN(S->connections));
    ctl_need_all(c, S->connection, OVSDB_COLUMN(S->target) | OVSDB_COLUMN(S->inactivity_probe)
                 | (S->roles ? OVSDB_COLUMN(S->read_only) | OVSDB_COLUMN(S->role) : 0));
    return NULL;
}

static int
compare_texts(const void *a, const void *b)
{
    return strcmp(*(const char *const *) a, *(const char *const *) b);
}

static const char *
connection_get(struct ctl *c)
{
    struct view_row *global = view_first(&c->view, S->global);
    const struct datum none = { .n = 0 }, *refs = global ? view_datum(global, S->connections) : &none;
    const char **texts = ARENA_NEW(&c->arena, const char *, refs->n);
    size_t n = 0;

    for (size_t i = 0; i < refs->n; i++) {
        struct view_row *row = view_get(&c->view, S->connection, &refs->k[i].u);
        if (!row) {
            continue;
        }
        const char *target = view_str(row, S->target), *role = S->roles ? view_str(row, S->role) : NULL;
        texts[n++] = !S->roles ? target
                     : ctl_error(c, "%s role=\"%s\" %s", view_bool(row, S->read_only, false) ? "read-only" : "read-write",
                                 role ? role : "", target);
    }
    qsort(texts, n, sizeof *texts, compare_texts);
    for (size_t i = 0; i < n; i++) {
        ctl_print(c, "%s\n", texts[i]);
    }
    return NULL;
}

static void
delete_all(struct ctl *c, struct view_row *global)
{
    const struct datum *refs = view_datum(global, S->connections);

    view_verify(global, S->connections);
    for (size_t i = 0; i < refs->n; i++) {
        struct view_row *row = view_get(&c->view, S->connection, &refs->k[i].u);
        if (row) {
            view_delete(row);
        }
    }
    view_set(global, S->connections, (struct datum) { .n = 0 });
}

static const char *
connection_del(struct ctl *c)
{
    struct view_row *global = view_first(&c->view, S->global);

    if (global) {
        delete_all(c, global);
    }
    return NULL;
}

static bool
is_target(const char *s)
{
    static const char *const prefixes[] = { "ssl:", "tcp:", "unix:", "pssl:", "ptcp:", "punix:" };

    for (size_t i = 0; i < ARRAY_SIZE(prefixes); i++) {
        const char *rest = str_after(s, prefixes[i]);
        if (rest && *rest) {
            return true;
        }
    }
    return false;
}

static const char *
connection_set(struct ctl *c)
{
    struct view_row *global = ctl_singleton(c, S->global);
    const char *probe = ctl_option(c, "--inactivity-probe"), *role = NULL;
    bool read_only = false;
    int64_t ms = 0;

    if (probe && !str_to_int(probe, 0, INT64_MAX, &ms)) {
        return ctl_error(c, "%s: --inactivity-probe takes a number of milliseconds", probe);
    }
    delete_all(c, global);
    for (int i = 1; ctl_arg(c, i); i++) {
        const char *arg = ctl_arg(c, i);
        if (S->roles && (str_eq(arg, "read-only") || str_eq(arg, "read-write"))) {
            read_only = str_eq(arg, "read-only");
            continue;
        }
        if (S->roles && str_after(arg, "role=")) {
            role = str_after(arg, "role=");
            continue;
        }
        if (!is_target(arg)) {
            ctl_warn(c, "target type \"%s\" is possibly erroneous", arg);
        }
        struct view_row *row = view_insert(&c->view, S->connection, NULL);
        view_set_str(row, S->target, arg);
        if (probe) {
            view_set(row, S->inactivity_probe, datum_of_int(&c->arena, ms));
        }
        if (S->roles) {
            view_set(row, S->read_only, datum_of_bool(&c->arena, read_only));
            view_set_str(row, S->role, role ? role : "");
        }
        view_add_ref(global, S->connections, row);
    }
    return NULL;
}

static const struct ctl_command commands[] = {
    { "get-connection", NULL, "", 0, 0, "print how the database server listens and connects", connection_needs, connection_get, 0 },
    { "del-connection", NULL, "", 0, 0, "remove all of them", connection_needs, connection_del, CTL_WRITES },
    { "set-connection", "--inactivity-probe=MSECS", "TARGET...", 1, INT_MAX,
      "let the server listen (ptcp:PORT[:IP], pssl:...) or\nconnect (tcp:IP:PORT, ...) to TARGETs, and to no others",
      connection_needs, connection_set, CTL_WRITES },
    { NULL },
};
const struct ctl_group ctl_connection_group = { "Remote connectivity commands", commands };

/* commands.c - what an operator asks of the graph: inc-engine/... in ovn-northd(8), ovn-controller(8), and --dump-inc-proc-graph.
 *
 * The counters that are documented for an engine's nodes are those of our classes: recompute, the cycles in which a class ran because all were
 * computed again; compute, those in which it ran for a change; cancel (older pages: abort), 0, as nothing here gives up for a recompute. */
#include <inttypes.h>
#include <stdlib.h>
#include "incr/private.h"
#include "runtime/unixctl.h"

static struct incr_class *
find_class(const struct incr *g, const char *name)
{
    LIST_FOR_EACH (c, struct incr_class, node, &g->classes) {
        if (str_eq(c->name, name)) {
            return c;
        }
    }
    return NULL;
}

/* The class that an argument names; NULL, and the command is answered: there is none. */
static struct incr_class *
class_argument(const struct incr *g, const char *name, struct unixctl_conn *conn)
{
    struct incr_class *c = find_class(g, name);
    if (!c) {
        char *error = xasprintf("no class \"%s\" (inc-engine/show-stats lists them)", name);
        unixctl_error(conn, error);
        free(error);
    }
    return c;
}

/* ---- statistics ---- */

void
incr_show_stats(const struct incr *g, struct str *out)
{
    str_printf(out, "%-28s %9s %10s %10s %10s %10s %10s %10s %7s\n", "class", "units", "runs", "reads", "facts", "ms", "recompute",
               "compute", "cancel");
    LIST_FOR_EACH (c, struct incr_class, node, &g->classes) {
        size_t reads = 0, facts = 0;
        HMAP_FOR_EACH (u, struct incr_unit, node, &c->units) {
            reads += u->reader.n_reads;
            facts += u->n_facts;
        }
        str_printf(out, "%-28s %9zu %10" PRIu64 " %10zu %10zu %10.1f %10" PRIu64 " %10" PRIu64 " %7d\n", c->name, hmap_count(&c->units),
                   c->n_runs, reads, facts, c->usec / 1000.0, c->n_recomputes, c->n_computes, 0);
    }
    str_printf(out, "\n%-28s %9s %10s\n", "relation", "keys", "facts");
    LIST_FOR_EACH (r, struct incr_relation, node, &g->relations) {
        str_printf(out, "%-28s %9zu %10zu\n", r->name, hmap_count(&r->keys), hmap_count(&r->facts));
    }
}

void
incr_clear_stats(struct incr *g)
{
    LIST_FOR_EACH (c, struct incr_class, node, &g->classes) {
        c->n_runs = c->n_recomputes = c->n_computes = 0;
        c->usec = 0;
    }
}

/* One class, or one counter of it: as the manual pages have it. */
static void
show_class(const struct incr_class *c, const char *counter, struct unixctl_conn *conn)
{
    const bool recompute = !counter || str_eq(counter, "recompute"), compute = !counter || str_eq(counter, "compute");
    char *text;

    if (!counter) {
        text = xasprintf("Node: %s\n- recompute: %12" PRIu64 "\n- compute:   %12" PRIu64 "\n- cancel:    %12d\n", c->name, c->n_recomputes,
                         c->n_computes, 0);
    } else if (recompute || compute || str_eq(counter, "cancel") || str_eq(counter, "abort")) {
        text = xasprintf("%" PRIu64 "\n", recompute ? c->n_recomputes : compute ? c->n_computes : 0);
    } else {
        unixctl_error(conn, "the counters are recompute, compute and cancel");
        return;
    }
    unixctl_reply(conn, text);
    free(text);
}

static void
cmd_show_stats(struct unixctl_conn *conn, int argc, const char *argv[], void *g)
{
    if (argc > 1) {
        const struct incr_class *c = class_argument(g, argv[1], conn);
        if (c) {
            show_class(c, argc > 2 ? argv[2] : NULL, conn);
        }
        return;
    }
    struct str s = STR_INIT;
    incr_show_stats(g, &s);
    unixctl_reply(conn, str_c(&s));
    str_free(&s);
}

static void
cmd_clear_stats(struct unixctl_conn *conn, int argc UNUSED, const char *argv[] UNUSED, void *g)
{
    incr_clear_stats(g);
    unixctl_reply(conn, "");
}

/* ---- times ---- */

static void
cmd_log_timeout(struct unixctl_conn *conn, int argc UNUSED, const char *argv[], void *g_)
{
    struct incr *g = g_;
    int64_t ms;

    if (!str_to_int(argv[1], 0, UINT32_MAX, &ms)) {
        unixctl_error(conn, "unsigned integer required");
        return;
    }
    g->log_msec = ms;
    unixctl_reply(conn, "");
}

static void
set_timed(struct incr_class *c, bool timed)
{
    c->timed = timed;
    if (timed && !c->stopwatch) {
        c->stopwatch = stopwatch_create(c->name);
    }
}

/* Both of enable-stopwatch and disable-stopwatch. */
static void
cmd_stopwatch(struct unixctl_conn *conn, int argc, const char *argv[], void *g_)
{
    struct incr *g = g_;
    struct incr_class *one = argc > 1 ? class_argument(g, argv[1], conn) : NULL;

    if (argc > 1 && !one) {
        return;
    }
    LIST_FOR_EACH (c, struct incr_class, node, &g->classes) {
        if (!one || c == one) {
            set_timed(c, str_eq(argv[0], "inc-engine/enable-stopwatch"));
        }
    }
    unixctl_reply(conn, "");
}

static void
cmd_list_stopwatches(struct unixctl_conn *conn, int argc UNUSED, const char *argv[] UNUSED, void *g_)
{
    struct incr *g = g_;
    struct str s = STR_INIT;

    LIST_FOR_EACH (c, struct incr_class, node, &g->classes) {
        str_printf(&s, "%s: %s\n", c->name, c->timed ? "enabled" : "disabled");
    }
    unixctl_reply(conn, str_c(&s));
    str_free(&s);
}

/* ---- again ---- */

static void
cmd_recompute(struct unixctl_conn *conn, int argc UNUSED, const char *argv[] UNUSED, void *g_)
{
    struct incr *g = g_;
    incr_recompute(g);
    g->settle(g->settle_aux);
    unixctl_reply(conn, "");
}

static void
cmd_verify(struct unixctl_conn *conn, int argc UNUSED, const char *argv[] UNUSED, void *g_)
{
    struct incr *g = g_;
    struct str s = STR_INIT;

    g->settle(g->settle_aux);
    size_t n = incr_verify(g, &s);
    str_printf(&s, "%zu differences\n", n);
    if (n) {
        unixctl_error(conn, str_c(&s));
    } else {
        unixctl_reply(conn, str_c(&s));
    }
    str_free(&s);
}

void
incr_register_commands(struct incr *g, void (*settle)(void *), void *aux)
{
    static const struct {
        const char *name, *usage;
        int min_args, max_args;
        unixctl_cb *cb;
    } commands[] = {
        { "inc-engine/show-stats", "[CLASS [COUNTER]]", 0, 2, cmd_show_stats },
        { "inc-engine/clear-stats", "", 0, 0, cmd_clear_stats },
        { "inc-engine/recompute", "", 0, 0, cmd_recompute },
        { "inc-engine/verify", "", 0, 0, cmd_verify },
        { "inc-engine/compute-log-timeout", "MSEC", 1, 1, cmd_log_timeout },
        { "inc-engine/list-stopwatches", "", 0, 0, cmd_list_stopwatches },
        { "inc-engine/enable-stopwatch", "[CLASS]", 0, 1, cmd_stopwatch },
        { "inc-engine/disable-stopwatch", "[CLASS]", 0, 1, cmd_stopwatch },
    };

    g->settle = settle;
    g->settle_aux = aux;
    for (size_t i = 0; i < ARRAY_SIZE(commands); i++) {
        unixctl_register(commands[i].name, commands[i].usage, commands[i].min_args, commands[i].max_args, commands[i].cb, g);
    }
}

/* ---- the graph ---- */

/* The subjects of C, if it has any: a box for a table, an ellipse for a relation. */
static void
put_subjects(const struct incr_class *c, struct str *out)
{
    if (c->table) {
        const char *table = ovsdb_table_desc(c->table)->name;
        str_printf(out, "    \"table %s\" [shape=box, label=\"%s\"];\n    \"table %s\" -> \"%s\";\n", table, table, table, c->name);
    } else if (c->relation) {
        const char *relation = c->relation->name;
        str_printf(out, "    \"relation %s\" [shape=ellipse, label=\"%s\"];\n    \"relation %s\" -> \"%s\";\n", relation, relation,
                   relation, c->name);
    }
}

char *
incr_put_dot(const struct incr *g, const char *root, struct str *out)
{
    const struct incr_class *only = root ? find_class(g, root) : NULL, *before = NULL;

    if (root && !only) {
        return xasprintf("there is no class \"%s\"", root);
    }
    str_puts(out, "digraph \"incremental processing\" {\n    rankdir=LR;\n");
    LIST_FOR_EACH (c, struct incr_class, node, &g->classes) {
        if (only && c != only) {
            continue;
        }
        str_printf(out, "    \"%s\" [style=filled];\n", c->name);
        put_subjects(c, out);
        if (before) {
            str_printf(out, "    \"%s\" -> \"%s\" [style=dashed];\n", before->name, c->name);
        }
        before = c;
    }
    str_puts(out, "}\n");
    return NULL;
}

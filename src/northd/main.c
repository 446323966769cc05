/* main.c - ovn-northd(8): options, connections, control commands. */
#include <stdio.h>
#include <stdlib.h>
#include "base/log.h"
#include "northd/northd.h"
#include "runtime/daemon.h"
#include "runtime/metrics.h"
#include "runtime/unixctl.h"

LOG_MODULE(ovn_northd);

static struct {
    struct loop *loop;
    struct northd *northd;
    struct ovsdb *nb, *sb;
    struct stopwatch *working;
    bool paused;
    bool had_lock;
} ctx;

static void
usage(void)
{
    struct str s = STR_INIT;

    str_printf(&s,
               "%s: compiles the northbound database into the southbound one\n"
               "usage: %s [OPTIONS]\n\n"
               "  --ovnnb-db=DATABASE      northbound database (default: $OVN_NB_DB or unix:%s/ovnnb_db.sock)\n"
               "  --ovnsb-db=DATABASE      southbound database (default: $OVN_SB_DB or unix:%s/ovnsb_db.sock)\n"
               "  --n-threads=N            accepted for compatibility: one thread is enough\n"
               "  --dry-run                start paused: connect, but write nothing\n"
               "  --dump-inc-proc-graph[=CLASS]  print what is computed in which order, for dot(1), and end\n\n"
               "DATABASE is unix:FILE, tcp:HOST:PORT or ssl:HOST:PORT; several, separated by commas, for a cluster.\n",
               program_name(), program_name(), dir_run(), dir_run());
    daemon_usage(&s);
    fputs(str_c(&s), stdout);
    str_free(&s);
    exit(EXIT_SUCCESS);
}

static void
log_lock(void)
{
    bool has = ovsdb_has_lock(ctx.sb);
    if (has != ctx.had_lock) {
        ctx.had_lock = has;
        LOG_INFO(has ? "ovn-northd lock acquired. This ovn-northd instance is now active."
                     : "ovn-northd lock lost. This ovn-northd instance is now on standby.");
    }
}

static void
cycle(void *aux UNUSED)
{
    log_lock();
    if (!ctx.paused) {
        stopwatch_start(ctx.working);
        northd_cycle(ctx.northd);
        stopwatch_stop(ctx.working);
    }
    ovsdb_collect(ctx.nb);
    ovsdb_collect(ctx.sb);
    intern_collect();
}

static const char *
status(void)
{
    return ctx.paused ? "paused" : ovsdb_has_lock(ctx.sb) ? "active" : "standby";
}

static void
cmd_pause(struct unixctl_conn *conn, int argc UNUSED, const char *argv[], void *aux UNUSED)
{
    ctx.paused = str_eq(argv[0], "pause");
    ovsdb_set_lock(ctx.sb, ctx.paused ? NULL : "ovn_northd");
    loop_wake(ctx.loop);
    unixctl_reply(conn, "");
}

static void
cmd_is_paused(struct unixctl_conn *conn, int argc UNUSED, const char *argv[] UNUSED, void *aux UNUSED)
{
    unixctl_reply(conn, ctx.paused ? "true" : "false");
}

static void
cmd_status(struct unixctl_conn *conn, int argc UNUSED, const char *argv[] UNUSED, void *aux UNUSED)
{
    char *text = xasprintf("Status: %s\n", status());
    unixctl_reply(conn, text);
    free(text);
}

static void
cmd_connection_status(struct unixctl_conn *conn, int argc UNUSED, const char *argv[] UNUSED, void *db)
{
    unixctl_reply(conn, ovsdb_is_connected(db) ? "connected\n" : "not connected\n");
}

static void
cmd_cluster_reset(struct unixctl_conn *conn, int argc UNUSED, const char *argv[] UNUSED, void *db)
{
    ovsdb_reset_cluster_state(db);
    unixctl_reply(conn, "");
}

static void
report_memory(struct str *s, void *aux UNUSED)
{
    str_printf(s, "interned:%zu ", intern_count());
}

static void
register_commands(void)
{
    unixctl_register("pause", "", 0, 0, cmd_pause, NULL);
    unixctl_register("resume", "", 0, 0, cmd_pause, NULL);
    unixctl_register("is-paused", "", 0, 0, cmd_is_paused, NULL);
    unixctl_register("status", "", 0, 0, cmd_status, NULL);
    unixctl_register("nb-connection-status", "", 0, 0, cmd_connection_status, ctx.nb);
    unixctl_register("sb-connection-status", "", 0, 0, cmd_connection_status, ctx.sb);
    unixctl_register("nb-cluster-state-reset", "", 0, 0, cmd_cluster_reset, ctx.nb);
    unixctl_register("sb-cluster-state-reset", "", 0, 0, cmd_cluster_reset, ctx.sb);
    northd_register_commands(ctx.northd);
    incr_register_commands(ctx.northd->incr, cycle, NULL);
    metrics_init();
    metrics_register_memory(report_memory, NULL);
    ctx.working = stopwatch_create("ovn-northd-loop");
}

static char *
default_db(const char *variable, const char *socket)
{
    const char *env = getenv(variable);
    return env && *env ? xstrdup(env) : xasprintf("unix:%s/%s", dir_run(), socket);
}

static void
connect_to(struct ovsdb *db, const char *remotes)
{
    char *error = ovsdb_set_remotes(db, remotes);
    if (error) {
        daemon_fatal("%s", error);
    }
}

/* What the command line says; texts are the caller's to free. */
struct arguments {
    char *nb, *sb;
    const char *threads;               /* NULL: none said. */
    bool dump_graph;
    const char *dump_class;
};

static void
parse_options(int argc, char *argv[], struct arguments *a)
{
    enum { OPT_NB = 2000, OPT_SB, OPT_THREADS, OPT_DRY_RUN, OPT_DUMP };
    static const struct option options[] = {
        { "ovnnb-db", required_argument, NULL, OPT_NB },
        { "ovnsb-db", required_argument, NULL, OPT_SB },
        { "n-threads", required_argument, NULL, OPT_THREADS },
        { "dry-run", no_argument, NULL, OPT_DRY_RUN },
        { "dump-inc-proc-graph", optional_argument, NULL, OPT_DUMP },
        { "help", no_argument, NULL, 'h' },
        { "version", no_argument, NULL, 'V' },
        DAEMON_LONG_OPTIONS,
        LOG_LONG_OPTIONS,
        TLS_LONG_OPTIONS,
        { NULL, 0, NULL, 0 },
    };

    for (int opt; (opt = getopt_long(argc, argv, "hVv::p:c:C:", options, NULL)) != -1;) {
        char **db = opt == OPT_NB ? &a->nb : opt == OPT_SB ? &a->sb : NULL;
        if (db) {
            free(*db);
            *db = xstrdup(optarg);
        } else if (opt == OPT_THREADS) {
            a->threads = optarg;
        } else if (opt == OPT_DRY_RUN) {
            ctx.paused = true;
        } else if (opt == OPT_DUMP) {
            a->dump_graph = true;
            a->dump_class = optarg;
        } else if (opt == 'h') {
            usage();
        } else if (opt == '?' || !daemon_option(opt, optarg)) {
            exit(EXIT_FAILURE);
        }
    }
    if (optind < argc) {
        daemon_fatal("%s: unexpected argument; --help shows how to use this", argv[optind]);
    }
}

static noreturn void
dump_graph(const char *class)
{
    struct str s = STR_INIT;
    char *error = incr_put_dot(ctx.northd->incr, class, &s);

    if (error) {
        daemon_fatal("%s", error);
    }
    fputs(str_c(&s), stdout);
    exit(fflush(stdout) ? EXIT_FAILURE : EXIT_SUCCESS);
}

int
main(int argc, char *argv[])
{
    program_set_name(argv[0]);
    struct arguments a = { .nb = default_db("OVN_NB_DB", "ovnnb_db.sock"), .sb = default_db("OVN_SB_DB", "ovnsb_db.sock") };

    parse_options(argc, argv, &a);
    ctx.loop = loop_create();
    ctx.nb = ovsdb_create(ctx.loop, &nb_db);
    ctx.sb = ovsdb_create(ctx.loop, &sb_db);
    ctx.northd = northd_create(ctx.loop, ctx.nb, ctx.sb);
    if (a.dump_graph) {
        dump_graph(a.dump_class);
    }
    if (a.threads) {
        northd_set_threads(ctx.northd, a.threads);
    }
    register_commands();
    daemon_start(ctx.loop);
    if (!ctx.paused) {
        ovsdb_set_lock(ctx.sb, "ovn_northd");
    }
    connect_to(ctx.nb, a.nb);
    connect_to(ctx.sb, a.sb);
    loop_set_cycle(ctx.loop, cycle, NULL);
    daemon_complete();
    daemon_run(ctx.loop);

    northd_destroy(ctx.northd);
    ovsdb_destroy(ctx.nb);
    ovsdb_destroy(ctx.sb);
    loop_destroy(ctx.loop);
    free(a.nb);
    free(a.sb);
    return EXIT_SUCCESS;
}

/* main.c - ovn-controller: options, the cycle, control commands. ovn-controller(8).
 *
 * One cycle: what the replicas brought is computed (incr_run), the results are written to the databases
 * (binding_run) and to the switch (of_switch_sync). All three note what is under way and return; nothing
 * blocks.
 *
 * Three ways to end. SIGTERM, and `exit --restart`: at once, everything stays as it is, for a successor.
 * `exit`: a graceful leave; the graph computes what holds when this chassis is no more (controller.h,
 * `leaving`), and the process ends when that is written. */
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/log.h"
#include "controller/commands.h"
#include "controller/controller.h"
#include "runtime/daemon.h"
#include "runtime/metrics.h"
#include "runtime/unixctl.h"

LOG_MODULE(main);

enum { LEAVE_TIMEOUT_MSEC = 5000 };

struct daemon {
    struct loop *loop;
    struct controller *controller;
    struct stopwatch *computing;
    struct loop_timer *leave_timer;
    struct unixctl_conn *leave_conn;   /* Who waits for `exit`. */
    bool paused;
};

/* ---- the cycle ---- */

static void
end(struct daemon *d)
{
    if (d->leave_conn) {
        unixctl_reply(d->leave_conn, NULL);
        d->leave_conn = NULL;
    }
    loop_stop(d->loop);
}

static void
leave_timed_out(void *d_)
{
    struct daemon *d = d_;

    LOG_WARN("cannot take this chassis out of the databases in time: they keep its rows");
    end(d);
}

/* Everything at hand is computed and sent. */
static void
settle(void *d_)
{
    struct daemon *d = d_;
    struct controller *c = d->controller;

    if (!ovsdb_is_ready(c->ovs)) {
        return;
    }
    if (!binding_version_fits(c)) {
        ovsdb_collect(c->sb);
        ovsdb_collect(c->ovs);
        return;
    }
    binding_prepare(c);
    stopwatch_start(d->computing);
    incr_run(c->incr);
    stopwatch_stop(d->computing);
    if (binding_run(c)) {
        of_switch_sync(c->of);
    }
    packets_run(c);
    ovsdb_collect(c->sb);
    ovsdb_collect(c->ovs);
    intern_collect();
}

static void
cycle(void *d_)
{
    struct daemon *d = d_;

    if (!d->paused) {
        settle(d);
    }
    if (d->controller->leaving && binding_has_left(d->controller)) {
        end(d);
    }
}

static void
wake(void *d_)
{
    struct daemon *d = d_;

    loop_wake(d->loop);
}

/* ---- control commands ---- */

static void
command_exit(struct unixctl_conn *conn, int argc, const char *argv[], void *d_)
{
    struct daemon *d = d_;

    if (argc > 1 && !str_eq(argv[1], "--restart")) {
        unixctl_error(conn, "exit: the only argument is --restart");
        return;
    }
    if (d->leave_conn || argc > 1 || !binding_leaves_nothing(d->controller)) {
        unixctl_reply(conn, NULL);
        end(d);
        return;
    }
    d->leave_conn = conn;
    d->paused = false;
    d->controller->leaving = true;
    incr_recompute(d->controller->incr);
    d->leave_timer = loop_timer_create(d->loop, leave_timed_out, d);
    loop_timer_set(d->leave_timer, LEAVE_TIMEOUT_MSEC);
    loop_wake(d->loop);
}

static void
command_recompute(struct unixctl_conn *conn, int argc, const char *argv[], void *d_)
{
    struct daemon *d = d_;

    incr_recompute(d->controller->incr);
    loop_wake(d->loop);
    unixctl_reply(conn, NULL);
}

static void
command_connection_status(struct unixctl_conn *conn, int argc, const char *argv[], void *d_)
{
    struct daemon *d = d_;

    unixctl_reply(conn, ovsdb_is_connected(d->controller->sb) ? "connected" : "not connected");
}

static void
command_pause(struct unixctl_conn *conn, int argc, const char *argv[], void *d_)
{
    struct daemon *d = d_;

    d->paused = str_eq(argv[0], "debug/pause");
    loop_wake(d->loop);
    unixctl_reply(conn, NULL);
}

static void
command_status(struct unixctl_conn *conn, int argc, const char *argv[], void *d_)
{
    struct daemon *d = d_;

    unixctl_reply(conn, d->paused ? "paused" : "running");
}

static void
command_cluster_reset(struct unixctl_conn *conn, int argc, const char *argv[], void *d_)
{
    struct daemon *d = d_;

    LOG_INFO("forgetting how far the southbound cluster was, as asked");
    ovsdb_reset_cluster_state(d->controller->sb);
    unixctl_reply(conn, NULL);
}

static void
register_commands(struct daemon *d)
{
    unixctl_register("exit", "[--restart]", 0, 1, command_exit, d);
    unixctl_register("recompute", "", 0, 0, command_recompute, d);
    unixctl_register("connection-status", "", 0, 0, command_connection_status, d);
    unixctl_register("debug/pause", "", 0, 0, command_pause, d);
    unixctl_register("debug/resume", "", 0, 0, command_pause, d);
    unixctl_register("debug/status", "", 0, 0, command_status, d);
    unixctl_register("sb-cluster-state-reset", "", 0, 0, command_cluster_reset, d);
    commands_register(d->controller);
    binding_register_commands(d->controller);
    incr_register_commands(d->controller->incr, settle, d);
}

static void
report_memory(struct str *out, void *d_)
{
    struct controller *c = ((struct daemon *) d_)->controller;

    str_printf(out, "flows:%zu flow-bytes:%zu interned-texts:%zu ", of_flows_count(c->flows), of_flows_bytes(c->flows),
               intern_count());
    packets_report_memory(c, out);
}

/* ---- starting ---- */

enum { OPT_DUMMY_VIF_PLUG = 2000, OPT_PEER_CA_CERT, OPT_DUMP };

static noreturn void
usage(void)
{
    struct str options = STR_INIT;

    daemon_usage(&options);
    printf("%s: local controller of OVN\n"
           "usage: %s [OPTIONS] [OVS-DATABASE]\n"
           "where OVS-DATABASE is where the Open vSwitch database is\n"
           "(default: unix:%s/db.sock).\n\n"
           "  -n, --chassis=SYSTEM-ID  name of this chassis (default: as configured)\n"
           "  --dump-inc-proc-graph[=CLASS]  print what is computed in which order, for dot(1), and end\n"
           "  --enable-dummy-vif-plug, --peer-ca-cert=FILE  accepted and without effect\n%s",
           program_name(), program_name(), dir_ovs_run(), str_c(&options));
    str_free(&options);
    exit(EXIT_SUCCESS);
}

static noreturn void
dump_graph(const char *class)
{
    struct controller *c = controller_create(loop_create(), NULL);
    struct str s = STR_INIT;
    char *error = incr_put_dot(c->incr, class, &s);

    if (error) {
        daemon_fatal("%s", error);
    }
    fputs(str_c(&s), stdout);
    exit(fflush(stdout) ? EXIT_FAILURE : EXIT_SUCCESS);
}

/* Returns the system-id given by -n, or NULL; *remote is what stands after the options, or NULL. */
static const char *
parse_options(int argc, char *argv[], const char **remote)
{
    static const struct option long_options[] = {
        { "enable-dummy-vif-plug", no_argument, NULL, OPT_DUMMY_VIF_PLUG },
        { "peer-ca-cert", required_argument, NULL, OPT_PEER_CA_CERT },
        { "dump-inc-proc-graph", optional_argument, NULL, OPT_DUMP },
        { "chassis", required_argument, NULL, 'n' },
        { "help", no_argument, NULL, 'h' },
        { "version", no_argument, NULL, 'V' },
        DAEMON_LONG_OPTIONS,
        LOG_LONG_OPTIONS,
        TLS_LONG_OPTIONS,
        { NULL, 0, NULL, 0 },
    };
    const char *system_id = NULL;
    int opt;

    while ((opt = getopt_long(argc, argv, "n:v::hVp:c:C:", long_options, NULL)) != -1) {
        if (opt == 'n') {
            system_id = optarg;
        } else if (opt == 'h') {
            usage();
        } else if (opt == OPT_DUMP) {
            dump_graph(optarg);
        } else if (opt == OPT_DUMMY_VIF_PLUG || opt == OPT_PEER_CA_CERT) {
            continue;          /* Nothing to set up for either: no interface is plugged, nobody connects to us. */
        } else if (opt == '?' || !daemon_option(opt, optarg)) {
            exit(EXIT_FAILURE);
        }
    }
    if (argc - optind > 1) {
        daemon_fatal("at most one argument, the Open vSwitch database, is possible; use --help for usage");
    }
    *remote = argc > optind ? argv[optind] : NULL;
    return system_id;
}

int
main(int argc, char *argv[])
{
    const char *remote;
    struct daemon d = { 0 };

    program_set_name(argv[0]);
    const char *system_id = parse_options(argc, argv, &remote);
    char *local = remote ? xstrdup(remote) : xasprintf("unix:%s/db.sock", dir_ovs_run());

    d.loop = loop_create();
    daemon_start(d.loop);
    d.controller = controller_create(d.loop, system_id);
    d.computing = stopwatch_create("flow-generation");
    register_commands(&d);
    metrics_register_memory(report_memory, &d);
    char *error = ovsdb_set_remotes(d.controller->ovs, local);
    if (error) {
        daemon_fatal("%s", error);
    }
    of_switch_on_change(d.controller->of, wake, &d);
    loop_set_cycle(d.loop, cycle, &d);
    daemon_complete();
    daemon_run(d.loop);

    loop_timer_destroy(d.leave_timer);
    controller_destroy(d.controller);
    loop_destroy(d.loop);
    free(local);
    return EXIT_SUCCESS;
}

/* main.c - ovn-trace(8): options, one trace, or a daemon that traces on request. */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
#include "base/log.h"
#include "cli/common/fatal.h"
#include "cli/trace/request.h"
#include "cli/trace/show.h"
#include "runtime/daemon.h"
#include "runtime/tls.h"
#include "runtime/unixctl.h"
#include "schema/nb.h"

LOG_MODULE(ovntrace);

static struct {
    struct loop *loop;
    struct ovsdb *sb, *nb;             /* NB is NULL if nobody said where it is. */
    struct world_indexes db;
    const char *remotes, *nb_remotes;
    bool leader_only;
    int timeout;
} ctx = { .leader_only = true };

/* ---- options ---- */

enum { OPT_DB = REQUEST_OPT_MAX, OPT_NB_DB, OPT_LEADER_ONLY, OPT_NO_LEADER_ONLY };
static const struct option program_options[] = {
    { "db", required_argument, NULL, OPT_DB }, { "nb-db", required_argument, NULL, OPT_NB_DB }, REQUEST_OPTIONS, { "leader-only", no_argument, NULL, OPT_LEADER_ONLY },
    { "no-leader-only", no_argument, NULL, OPT_NO_LEADER_ONLY }, { "timeout", required_argument, NULL, 't' },
    { "help", no_argument, NULL, 'h' }, { "version", no_argument, NULL, 'V' },
    DAEMON_LONG_OPTIONS, LOG_LONG_OPTIONS, TLS_LONG_OPTIONS, { NULL, 0, NULL, 0 },
};

static void
usage(void)
{
    struct str s = STR_INIT;

    str_printf(&s,
               "%s: shows what happens to a packet in the logical network\n"
               "usage: %s [OPTIONS] [DATAPATH] MICROFLOW\n"
               "       %s [OPTIONS] --detach\n\n"
               "Forms of output:\n"
               "  --detailed               every table and flow (the default)\n"
               "  --summary                pipelines and actions\n"
               "  --minimal                only what can be seen from outside\n"
               "  --all                    all three\n"
               "  --json                   the trace as data\n"
               "  --graph                  a picture: SVG if Graphviz' dot is installed, else its source\n"
               "  --why                    one sentence: what decided the packet's fate\n"
               "  --ovs[=REMOTE]           with the OpenFlow flows of each logical flow (default: unix:%s/br-int.mgmt)\n"
               "  --[no-]friendly-names    names for people, or as they are in the database\n\n"
               "What is assumed:\n"
               "  --ct=FLAGS               the next connection tracking state: trk, new, est, rel, rpl, inv, dnat, snat (default: trk,est)\n"
               "  --lb-dst=IP[:PORT]       the backend that load balancers choose\n"
               "  --select-id=ID           what `select' chooses\n\n"
               "  --db=DATABASE            southbound database (default: $OVN_SB_DB or unix:%s/ovnsb_db.sock)\n"
               "  --nb-db=DATABASE         northbound database, to call by name what --why tells of (default: $OVN_NB_DB)\n"
               "  --[no-]leader-only       only the leader of a cluster, or any of its servers\n"
               "  -t, --timeout=SECS       give up after so many seconds\n\n",
               program_name(), program_name(), program_name(), dir_ovs_run(), dir_run());
    daemon_usage(&s);
    fputs(str_c(&s), stdout);
    str_free(&s);
    exit(EXIT_SUCCESS);
}

static void
parse_options(struct request *r, int argc, char *argv[])
{
    const char *db = getenv("OVN_SB_DB"), *nb_db = getenv("OVN_NB_DB"), *timeout = getenv("OVS_CTL_TIMEOUT");
    int64_t secs = 0;
    int opt;

    ctx.remotes = db && *db ? db : xasprintf("unix:%s/ovnsb_db.sock", dir_run());
    ctx.nb_remotes = nb_db && *nb_db ? nb_db : NULL;
    if (timeout && *timeout && !str_to_int(timeout, 0, INT32_MAX / 1000, &secs)) {
        ctl_fatal("value %s on OVS_CTL_TIMEOUT is invalid", timeout);
    }
    while ((opt = getopt_long(argc, argv, "hVv::t:p:c:C:", program_options, NULL)) != -1) {
        bool known;
        char *error = request_option(r, opt, optarg, &known);
        if (error) {
            ctl_fatal("%s", error);
        } else if (known) {
            continue;
        } else if (opt == OPT_DB) {
            ctx.remotes = optarg;
        } else if (opt == OPT_NB_DB) {
            ctx.nb_remotes = optarg;
        } else if (opt == OPT_LEADER_ONLY || opt == OPT_NO_LEADER_ONLY) {
            ctx.leader_only = opt == OPT_LEADER_ONLY;
        } else if (opt == 't') {
            if (!str_to_int(optarg, 0, INT32_MAX / 1000, &secs)) {
                ctl_fatal("value %s on -t or --timeout is invalid", optarg);
            }
        } else if (opt == 'h') {
            usage();
        } else if (opt == 'V') {
            print_version();
            printf("DB Schema %s\n", sb_db.version);
            exit(EXIT_SUCCESS);
        } else if (!daemon_option(opt, optarg)) {
            exit(EXIT_FAILURE);
        }
    }
    ctx.timeout = secs;
}

static struct ovsdb *
ready_nb(void)
{
    return ctx.nb && ovsdb_is_ready(ctx.nb) ? ctx.nb : NULL;
}

/* ---- the database ---- */

static void
timed_out(int sig UNUSED)
{
    static const char message[] = "ovn-trace: no answer from the database in time\n";

    _exit(write(STDERR_FILENO, message, sizeof message - 1) < 0 ? 2 : EXIT_FAILURE);
}

static size_t
count_remotes(const char *remotes)
{
    size_t n = 1;

    for (const char *p = remotes; (p = strchr(p, ',')); p++) {
        n++;
    }
    return n;
}

static void
set_remotes(struct ovsdb *db, const char *remotes)
{
    ovsdb_set_leader_only(db, ctx.leader_only);
    char *error = ovsdb_set_remotes(db, remotes);
    if (error) {
        ctl_fatal("%s: database connection failed (%s)", remotes, error);
    }
}

/* The northbound database is a help, and not needed. */
static void
connect_nb(bool wait)
{
    size_t n = count_remotes(ctx.nb_remotes);

    ctx.nb = ovsdb_create(ctx.loop, &nb_db);
    northbound_use(ctx.nb);
    set_remotes(ctx.nb, ctx.nb_remotes);
    while (wait && !ovsdb_is_ready(ctx.nb) && ovsdb_n_unreachable(ctx.nb) < n) {
        loop_once(ctx.loop, -1);
    }
}

static void
connect_db(bool wait)
{
    size_t n = count_remotes(ctx.remotes);

    ctx.sb = ovsdb_create(ctx.loop, &sb_db);
    world_use(&ctx.db, ctx.sb);
    set_remotes(ctx.sb, ctx.remotes);
    while (wait && !ovsdb_is_ready(ctx.sb)) {
        if (ovsdb_n_unreachable(ctx.sb) >= n) {
            ctl_fatal("%s: database connection failed (%s)", ctx.remotes, ovsdb_last_error(ctx.sb));
        }
        loop_once(ctx.loop, -1);
    }
}

/* ---- the daemon ---- */

static void
cmd_trace(struct unixctl_conn *conn, int argc, const char *argv[], void *aux UNUSED)
{
    struct request q = REQUEST_INIT;
    struct str out = STR_INIT;
    char *error = ovsdb_is_ready(ctx.sb) ? request_parse(&q, true, argc, argv) : xstrdup("the database has not been read yet");

    error = error ? error : request_run(&q, &ctx.db, ready_nb(), &out);
    if (error) {
        unixctl_error(conn, error);
    } else {
        unixctl_reply(conn, str_c(&out));
    }
    free(error);
    request_destroy(&q);
    str_free(&out);
}

static void
collect(void *aux UNUSED)
{
    ovsdb_collect(ctx.sb);
    if (ctx.nb) {
        ovsdb_collect(ctx.nb);
    }
    intern_collect();
    if (ovsdb_is_ready(ctx.sb)) {
        daemon_complete();
    }
}

static int
serve(void)
{
    daemon_start(ctx.loop);
    unixctl_register("trace", "[OPTIONS] [DATAPATH] MICROFLOW", 1, INT32_MAX, cmd_trace, NULL);
    connect_db(false);
    if (ctx.nb_remotes) {
        connect_nb(false);
    }
    loop_set_cycle(ctx.loop, collect, NULL);
    daemon_run(ctx.loop);
    ovsdb_destroy(ctx.nb);
    ovsdb_destroy(ctx.sb);
    loop_destroy(ctx.loop);
    return EXIT_SUCCESS;
}

int
main(int argc, char *argv[])
{
    struct request q = REQUEST_INIT;
    struct str out = STR_INIT;

    program_set_name(argv[0]);
    signal(SIGPIPE, SIG_IGN);
    free(log_set("console:warn"));
    free(log_set("syslog:warn"));
    parse_options(&q, argc, argv);
    ctx.loop = loop_create();
    if (daemon_detaching()) {
        if (optind < argc) {
            ctl_fatal("a daemon takes no microflow: ask it with `ovn-appctl -t ovn-trace trace ...'");
        }
        request_destroy(&q);
        return serve();
    }
    char *error = request_arguments(&q, argc - optind, (const char *const *) argv + optind);
    if (error) {
        ctl_fatal("%s", error);
    }
    if (ctx.timeout) {
        signal(SIGALRM, timed_out);
        alarm(ctx.timeout);
    }
    connect_db(true);
    if (ctx.nb_remotes && request_wants_nb(&q)) {
        connect_nb(true);
    }
    error = request_run(&q, &ctx.db, ready_nb(), &out);
    if (error) {
        ctl_fatal("%s", error);
    }
    fwrite(str_c(&out), 1, out.len, stdout);
    str_free(&out);
    request_destroy(&q);
    ovsdb_destroy(ctx.nb);
    ovsdb_destroy(ctx.sb);
    loop_destroy(ctx.loop);
    return fflush(stdout) || ferror(stdout) ? EXIT_FAILURE : EXIT_SUCCESS;
}

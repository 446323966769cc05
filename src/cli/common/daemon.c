/* daemon.c - the tool as a daemon: it stays connected to the database and runs lines for others. ovn-nbctl(8), DAEMON MODE.
 *
 * A line comes with the command `run` over the control socket (runtime/unixctl.h), from client.c or from ovn-appctl, and is run as in a process of its own
 * (run.c), many at a time: none waits for another, none sees another's rows. What the lines share is the connection, and one row of the
 * replica (for --wait). Nothing else is kept: a line reads what it needs when it needs it, so the daemon is as small after a million lines as after one, and
 * never out of date.
 *
 * Who hangs up has lost interest (it was killed, or its --timeout is over): its line stops where it stands. */
#include "cli/common/ctl.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include "base/intern.h"
#include "base/list.h"
#include "runtime/daemon.h"
#include "runtime/unixctl.h"

/* Lines at a time (each may wait, with a connection of its own), and the longest: what a shell can pass to a process, quoted. */
enum { MAX_LINES = 4096, MAX_LINE = 32 << 20 };

struct served {
    struct list node;
    struct ctl c;
    struct unixctl_conn *conn;         /* Is owed an answer. */
    struct loop_timer *timer;
    bool gone, late;                   /* The client hung up; --timeout is over. */
};
struct server {
    const struct ctl *self;            /* The daemon's own command line. */
    struct list lines;                 /* struct served */
};

static void
served_destroy(struct served *s)
{
    list_remove(&s->node);
    loop_timer_destroy(s->timer);
    ctl_destroy(&s->c);
    free(s);
}

/* From the loop's cycle, where nothing of the line is on the stack. */
static void
served_end(struct served *s)
{
    struct unixctl_conn *conn = s->conn;
    char *error = s->c.error ? xstrdup(s->c.error)
                  : s->late  ? xasprintf("no end after %d s (--timeout)", s->c.timeout)
                  : s->gone  ? xstrdup("")
                             : NULL;
    char *output = str_steal(&s->c.output);

    for (char *p = str_c(&s->c.warnings), *line; (line = strsep(&p, "\n")) && *line;) {
        unixctl_log(conn, line);
    }

    served_destroy(s);
    if (error) {
        unixctl_error(conn, error);
    } else {
        unixctl_reply(conn, output);
    }
    free(error);
    free(output);
}

static void
on_hang_up(void *s_)
{
    struct served *s = s_;

    s->gone = true;
    loop_wake(s->c.loop);
}

static void
on_late(void *s_)
{
    struct served *s = s_;

    s->late = true;
    loop_wake(s->c.loop);
}

static const char *
parse(struct ctl *c, int argc, const char *argv[])
{
    char **words = ARENA_NEW(&c->line, char *, argc + 1);

    words[0] = arena_strdup(&c->line, program_name());
    for (int i = 1; i < argc; i++) {
        words[i] = arena_strdup(&c->line, argv[i]);
    }
    ctl_put_line(c, argc, words);
    c->program->note(str_c(&c->comment));
    TRY(ctl_parse_options(c, true, argc, words));
    return ctl_parse_calls(c);
}

static void
on_run(struct unixctl_conn *conn, int argc, const char *argv[], void *server_)
{
    struct server *server = server_;
    const struct ctl *self = server->self;
    struct served *s = XNEW(struct served);

    list_push_back(&server->lines, &s->node);
    ctl_init(&s->c, self->program, self->loop);
    s->conn = conn;
    s->c.db = self->db;
    const char *error = parse(&s->c, argc, argv);
    if (error) {
        unixctl_error(conn, error);
        served_destroy(s);
        return;
    }
    s->c.remotes = self->remotes;
    s->c.leader_only = self->leader_only;
    s->c.shuffle = self->shuffle;
    if (s->c.timeout) {
        s->timer = loop_timer_create(self->loop, on_late, s);
        loop_timer_set(s->timer, s->c.timeout * INT64_C(1000));
    }
    unixctl_on_hang_up(conn, on_hang_up, s);
    ctl_start(&s->c, true);
}

static void
server_cycle(void *server_)
{
    struct server *server = server_;

    LIST_FOR_EACH_SAFE (s, struct served, node, &server->lines) {
        if (ctl_step(&s->c) || s->gone || s->late) {
            served_end(s);
        } else if (s->c.db != server->self->db) {
            ovsdb_collect(s->c.db);
        }
    }
    ovsdb_collect(server->self->db);
    intern_collect();
}

static void
allow_many_files(void)
{
    struct rlimit limit;

    if (!getrlimit(RLIMIT_NOFILE, &limit)) {
        limit.rlim_cur = MIN(limit.rlim_max, 4 * MAX_LINES);
        setrlimit(RLIMIT_NOFILE, &limit);
    }
}

void
ctl_daemon(struct ctl *c)
{
    struct server server = { .self = c };

    if (c->n_words || c->first.n_options) {
        ctl_fatal("non-option arguments not supported with --detach (use --help for help)");
    }
    list_init(&server.lines);
    allow_many_files();
    daemon_start(c->loop);
    if (!unixctl_path()) {
        daemon_fatal("a daemon without a control socket is of no use to anybody (--unixctl=none)");
    }
    unixctl_set_limits(MAX_LINES, MAX_LINE);
    unixctl_register("run", "[OPTION]... COMMAND [ARG]... [-- COMMAND [ARG]...]...", 0, INT_MAX, on_run, &server);
    c->db = ctl_connect(c);
    if (c->program->wait) {
        ctl_use_wait(c->program, c->db, true);
    }
    loop_set_cycle(c->loop, server_cycle, &server);
    printf("%s\n", unixctl_path());
    if (fflush(stdout)) {
        daemon_fatal("write to standard output failed");
    }
    daemon_complete();
    daemon_run(c->loop);
    LIST_FOR_EACH_SAFE (s, struct served, node, &server.lines) {
        s->gone = true;
        served_end(s);
    }
}

/* main.c - the beginning of ovn-nbctl and ovn-sbctl, which are tables (ctl.h): run the line, or hand it to a daemon, or be that daemon. */
#include "cli/common/ctl.h"

#include <signal.h>
#include <stdlib.h>
#include <unistd.h>
#include "base/intern.h"
#include "base/log.h"
#include "runtime/loop.h"

LOG_MODULE(ctl);

void
ctl_warn(struct ctl *c, const char *fmt, ...)
{
    struct str s = STR_INIT;
    va_list args;

    va_start(args, fmt);
    str_vprintf(&s, fmt, args);
    va_end(args);
    LOG_WARN("%s", str_c(&s));
    str_printf(&c->warnings, "%s\n", str_c(&s));
    str_free(&s);
}

void
ctl_put_line(struct ctl *c, int argc, char *argv[])
{
    str_puts(&c->comment, program_name());
    for (int i = 1; i < argc; i++) {
        bool plain = *argv[i] && !argv[i][strspn(argv[i], "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789@%+=:,./_-")];
        str_putc(&c->comment, ' ');
        if (plain) {
            str_puts(&c->comment, argv[i]);
        } else {
            datum_put_atom(&c->comment, &(union datum_atom) { .s = argv[i] }, OVSDB_STRING, DATUM_JSON);
        }
    }
}

void
ctl_init(struct ctl *c, const struct ctl_program *program, struct loop *loop)
{
    c->program = program;
    c->loop = loop;
    c->needs = xcalloc(program->db->n_tables, sizeof *c->needs);
    for (size_t i = 0; i < program->db->n_tables; i++) {
        hmap_init(&c->needs[i].by_json);
    }
    store_init(&c->store, program->db);
    view_init(&c->view, &c->store, &c->arena);
}

void
ctl_destroy(struct ctl *c)
{
    ctl_stop(c);
    for (size_t i = 0; i < c->program->db->n_tables; i++) {
        for (size_t j = 0; j < c->needs[i].n_clauses; j++) {
            free(c->needs[i].clauses[j]->json);
            free(c->needs[i].clauses[j]->equals);
            free(c->needs[i].clauses[j]);
        }
        free(c->needs[i].clauses);
        hmap_destroy(&c->needs[i].by_json);
    }
    free(c->needs);
    for (size_t i = 0; i < c->n_calls; i++) {
        str_free(&c->calls[i].out);
        free(c->calls[i].options);
    }
    free(c->calls);
    free(c->first.options);
    free(c->forward);
    view_destroy(&c->view);
    store_destroy(&c->store);
    arena_clear(&c->arena);
    arena_clear(&c->line);
    str_free(&c->comment);
    str_free(&c->output);
    str_free(&c->warnings);
    free(c->error);
}

struct ovsdb *
ctl_connect(struct ctl *c)
{
    struct ovsdb *db = ovsdb_create(c->loop, c->program->db);

    ovsdb_set_leader_only(db, c->leader_only);
    ovsdb_set_shuffle(db, c->shuffle);
    char *error = ovsdb_set_remotes(db, c->remotes);
    if (error) {
        ctl_fatal("%s: database connection failed (%s)", c->remotes, error);
    }
    return db;
}

/* ---- the line in this process ---- */

static void
on_timeout(void *c_)
{
    struct ctl *c = c_;

    if (!ovsdb_is_connected(c->db) && *ovsdb_last_error(c->db)) {
        LOG_WARN("not connected: %s", ovsdb_last_error(c->db));
    }
    ctl_alarm();
}

static void
direct_cycle(void *c_)
{
    struct ctl *c = c_;

    if (ctl_step(c)) {
        loop_stop(c->loop);
    }
    ovsdb_collect(c->db);
    intern_collect();
}

static void
ctl_direct(struct ctl *c)
{
    struct loop_timer *timer = loop_timer_create(c->loop, on_timeout, c);

    c->db = ctl_connect(c);
    if (c->timeout) {
        loop_timer_set(timer, c->timeout * INT64_C(1000));
        alarm(c->timeout + 1);         /* Should the loop itself hang. */
    }
    loop_set_cycle(c->loop, direct_cycle, c);
    ctl_start(c, false);
    loop_run(c->loop);
    loop_timer_destroy(timer);
}

/* Whether a daemon is to run the line. */
static bool
is_for_daemon(const struct ctl *c)
{
    if (!c->process.socket) {
        return false;
    }
    if (c->process.not_by_daemon) {
        LOG_WARN("not using %s daemon because of %s option", program_name(), c->process.not_by_daemon);
        return false;
    }
    return true;
}

int
ctl_main(const struct ctl_program *program, int argc, char *argv[])
{
    struct ctl c = { .program = program };

    program_set_name(argv[0]);
    signal(SIGPIPE, SIG_IGN);
    const char *error = ctl_parse_options(&c, false, argc, argv);
    if (error) {
        ctl_fatal("%s", error);
    }
    if (!c.process.detach && is_for_daemon(&c)) {
        ctl_client(&c);
    }
    ctl_init(&c, program, loop_create());
    if (c.process.detach) {
        ctl_daemon(&c);
    } else {
        error = ctl_parse_calls(&c);
        if (error) {
            ctl_fatal("%s", error);
        }
        ctl_put_line(&c, argc, argv);
        program->note(str_c(&c.comment));
        ctl_direct(&c);
        if (c.error) {
            ctl_fatal("%s", c.error);
        }
        ctl_print_out(str_c(&c.output), c.output.len);
    }
    struct loop *loop = c.loop;
    struct ovsdb *db = c.db;
    ctl_destroy(&c);
    ovsdb_destroy(db);
    loop_destroy(loop);
    return EXIT_SUCCESS;
}

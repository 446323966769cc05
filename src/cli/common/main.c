/* main.c - the beginning of ovn-nbctl and ovn-sbctl, which are tables (ctl.h). */
#include "cli/common/ctl.h"

#include <signal.h>
#include <stdlib.h>
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
    str_free(&s);
}

/* The command line, for the log and the database's log. */
static void
put_command_line(struct ctl *c, int argc, char *argv[])
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

static void
ctl_destroy(struct ctl *c)
{
    for (size_t i = 0; i < c->program->db->n_tables; i++) {
        for (size_t j = 0; j < c->needs[i].n_clauses; j++) {
            free(c->needs[i].clauses[j].json);
            free(c->needs[i].clauses[j].equals);
        }
        free(c->needs[i].clauses);
    }
    free(c->needs);
    for (size_t i = 0; i < c->n_calls; i++) {
        str_free(&c->calls[i].out);
        free(c->calls[i].options);
    }
    free(c->calls);
    view_destroy(&c->view);
    store_destroy(&c->store);
    arena_clear(&c->arena);
    str_free(&c->comment);
    ovsdb_destroy(c->db);
    loop_destroy(c->loop);
}

int
ctl_main(const struct ctl_program *program, int argc, char *argv[])
{
    struct ctl c = { .program = program };

    program_set_name(argv[0]);
    signal(SIGPIPE, SIG_IGN);
    ctl_parse(&c, argc, argv);
    put_command_line(&c, argc, argv);
    program->note(str_c(&c.comment));
    c.needs = xcalloc(program->db->n_tables, sizeof *c.needs);
    c.loop = loop_create();
    c.db = ovsdb_create(c.loop, program->db);
    store_init(&c.store, program->db);
    view_init(&c.view, &c.store, &c.arena);
    int status = ctl_run(&c);
    ctl_destroy(&c);
    return status;
}

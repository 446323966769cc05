/* client.c - handing the line to a daemon (daemon.c), whose command `run` answers with what is to be printed. ovn-nbctl(8), DAEMON MODE.
 *
 * The daemon takes the words as they are: it knows the commands, and what it refuses it refuses as we would. What it does not take are the options of the
 * process: where the database is and how to speak to it are the daemon's own. --timeout stays here: it is this process that ends then, by
 * SIGALRM; the daemon sees that nobody waits any more, and stops, too. */
#include "cli/common/ctl.h"

#include <stdlib.h>
#include <unistd.h>
#include "base/clock.h"
#include "base/log.h"
#include "runtime/daemon.h"
#include "runtime/unixctl.h"

LOG_MODULE(ctl);

/* What follows "run". */
static const char **
words_to_hand_over(struct ctl *c, int *n)
{
    const char **words = ARENA_NEW(&c->line, const char *, c->n_forward + 1 + c->n_words);

    *n = 0;
    for (size_t i = 0; i < c->n_forward; i++) {
        const struct ctl_option *o = &c->forward[i];
        if (!str_eq(o->name, "timeout")) {
            words[(*n)++] = arena_printf(&c->line, "--%s%s%s", o->name, o->value ? "=" : "", o->value ? o->value : "");
        }
    }
    if (c->dashes) {
        words[(*n)++] = "--";
    }
    for (int i = 0; i < c->n_words; i++) {
        words[(*n)++] = c->words[i];
    }
    return words;
}

/* The daemon could not be asked, or did not answer: ERROR says why. */
static noreturn void
no_answer(struct ctl *c, const char *error)
{
    const char *away = c->process.socket_given ? "leave -u out to do without it"
                                               : arena_printf(&c->line, "unset %s to do without it", c->program->daemon_env);

    if (str_after(error, "cannot connect")) {
        ctl_fatal("%s: is the %s daemon running? (%s)", error, program_name(), away);
    }
    ctl_fatal("%s: the %s daemon ended before it answered; what was to be changed may or may not have been", error, program_name());
}

void
ctl_client(struct ctl *c)
{
    const char *socket = c->process.socket;
    int64_t limit = c->timeout * INT64_C(1000), began = clock_msec();
    char *path = socket[0] == '/' ? xstrdup(socket) : xasprintf("%s/%s", dir_run(), socket), *result, *refusal, *warnings;
    int n;
    const char **words = words_to_hand_over(c, &n);

    if (c->timeout) {
        alarm(c->timeout + 1);         /* Should something hang where no limit is looked at. */
    }
    char *error = unixctl_call(path, "run", n, words, limit, &result, &refusal, &warnings);
    if (error && limit && clock_msec() - began >= limit) {
        ctl_alarm();
    }
    if (error) {
        no_answer(c, error);
    }
    for (char *p = warnings, *line; (line = p ? strsep(&p, "\n") : NULL) && *line;) {
        LOG_WARN("%s", line);
    }
    if (refusal) {
        size_t len = strlen(refusal);
        ctl_fatal("%.*s", (int) (len && refusal[len - 1] == '\n' ? len - 1 : len), refusal);
    }
    ctl_print_out(result, strlen(result));
    exit(EXIT_SUCCESS);
}

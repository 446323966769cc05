/* help.c - what the table of commands says of itself: --help, --commands (for the manual page and completion), and the nearest name to a mistyped one. */
#include "cli/common/ctl.h"

#include <ctype.h>
#include "runtime/daemon.h"

enum { HELP_COLUMN = 28, MAX_OPTIONS = 90 };

/* "  USAGE    HELP", HELP aligned; on a line of its own if USAGE is long. */
static void
put_entry(struct str *out, const char *usage, const char *help)
{
    size_t begin = out->len;

    str_printf(out, "  %s", usage);
    if (out->len - begin >= HELP_COLUMN) {
        str_putc(out, '\n');
        begin = out->len;
    }
    for (const char *p = help, *end; *p; p = *end ? end + 1 : end) {
        end = p + strcspn(p, "\n");
        str_printf(out, "%*s%.*s\n", (int) (HELP_COLUMN - (out->len - begin)), "", (int) (end - p), p);
        begin = out->len;
    }
}

static void
put_command(struct str *out, const struct ctl_command *cmd)
{
    struct str usage = STR_INIT;

    for (const char *p = cmd->options ? cmd->options : ""; *p;) {
        size_t word = strcspn(p, " ");
        if (usage.len + word > MAX_OPTIONS) {
            str_printf(out, "  %s\n", str_c(&usage));
            str_clear(&usage);
        }
        str_printf(&usage, "[%.*s] ", (int) word, p);
        p += word + strspn(p + word, " ");
    }
    if (usage.len && usage.len + strlen(cmd->name) + strlen(cmd->arguments) > MAX_OPTIONS) {
        str_printf(out, "  %s\n", str_c(&usage));
        str_clear(&usage);
    }
    str_printf(&usage, "%s%s%s", cmd->name, *cmd->arguments ? " " : "", cmd->arguments);
    put_entry(out, str_c(&usage), cmd->help);
    str_free(&usage);
}

void
ctl_help(const struct ctl_program *program, struct str *out)
{
    str_printf(out, "%s: %s\nusage: %s [OPTIONS] COMMAND [ARG...]\n", program_name(), program->title, program_name());
    str_puts(out, "Several commands, separated by --, are one transaction.\n");
    for (const struct ctl_group *const *g = program->groups; *g; g++) {
        str_printf(out, "\n%s:\n", (*g)->title);
        for (const struct ctl_command *cmd = (*g)->commands; cmd->name; cmd++) {
            put_command(out, cmd);
        }
    }
    str_puts(out, "\nTables:\n");
    for (size_t i = 0; i < program->db->n_tables; i++) {
        str_printf(out, "  %s\n", program->db->tables[i].name);
    }
    str_printf(out, "\nOptions:\n");
    put_entry(out, "--db=REMOTE", "the database to use; several servers separated by commas");
    if (program->wait) {
        put_entry(out, "--wait=none|sb|hv, --no-wait", "wait until the southbound database (sb) or also all\n"
                                                       "hypervisors (hv) have what was changed; none is the default");
        put_entry(out, "--print-wait-time", "say how long that took");
    }
    put_entry(out, "-t, --timeout=SECS", "end with SIGALRM after SECS seconds");
    put_entry(out, "--dry-run", "change nothing");
    put_entry(out, "--oneline", "print each command's output on one line");
    put_entry(out, "--[no-]leader-only", "accept only the leader of a cluster (default), or any server");
    put_entry(out, "--[no-]shuffle-remotes", "try servers in random order (default), or as given");
    put_entry(out, "--no-syslog", "do not log the command");
    put_entry(out, "--commands", "print the commands for other programs, with tabs");
    put_entry(out, "-h, --help", "print this text");
    put_entry(out, "-V, --version", "print the versions of this program and its schema");
    str_puts(out, "\nOutput of list and find:\n");
    put_entry(out, "-f, --format=FORMAT", "table, list (default), html, csv, or json");
    put_entry(out, "-d, --data=FORMAT", "cells as string (default), bare, or json");
    put_entry(out, "--no-headings", "no headings");
    put_entry(out, "--pretty", "JSON over several lines");
    put_entry(out, "--bare", "the same as --format=list --data=bare --no-headings");
    str_puts(out, "\nDaemon mode:\n");
    put_entry(out, "--detach", "stay connected in the background, and run lines for others;\nprints the socket where they find us");
    put_entry(out, "-u, --unixctl=SOCKET", "with --detach: listen there; else: let the daemon there run\nthe line");
    put_entry(out, "--pidfile[=FILE]", "write the process id");
    put_entry(out, "--overwrite-pidfile", "with --pidfile, start even if already running");
    put_entry(out, "--monitor", "start again after a crash");
    put_entry(out, "--user=USER[:GROUP]", "run as another user and group");
    put_entry(out, "--no-chdir", "with --detach, stay in this directory");
    put_entry(out, "--no-self-confinement", "accepted and without effect");
    str_puts(out, "\nLogging and TLS:\n");
    put_entry(out, "-v[SPEC], --verbose[=SPEC]", "levels of logging");
    put_entry(out, "--log-file[=FILE]", "log to FILE");
    put_entry(out, "--syslog-method=METHOD", "null, libc, unix:FILE or udp:IP:PORT");
    put_entry(out, "--syslog-target=IP:PORT", "also send syslog messages there, by UDP");
    put_entry(out, "-p, --private-key=FILE", "our private key");
    put_entry(out, "-c, --certificate=FILE", "our certificate");
    put_entry(out, "-C, --ca-cert=FILE", "certificate of the authority that signed the server's");
    put_entry(out, "--bootstrap-ca-cert=FILE", "the same, fetched from the server where missing");
    put_entry(out, "--ssl-protocols=LIST", "protocols, such as TLSv1.2,TLSv1.3 or TLSv1.2+ (the default)");
    put_entry(out, "--ssl-ciphers=LIST, --ssl-ciphersuites=LIST", "ciphers of TLSv1.2, of TLSv1.3");
    put_entry(out, "--ssl-server-name=NAME", "name to ask the server for (default: the host's)");
    str_printf(out, "\nThe default database is that of the environment variable %s, or %s in\nthe run directory; %s holds further options.\nWhere %s names a daemon's socket, the daemon runs the line.\n",
               program->db_env, program->db_socket, program->options_env, program->daemon_env);
}

/* GROUP, options, name, arguments, help of each command on a line, separated by tabs; lines of the help by a vertical tab. */
void
ctl_list_commands(const struct ctl_program *program, struct str *out)
{
    for (const struct ctl_group *const *g = program->groups; *g; g++) {
        for (const struct ctl_command *cmd = (*g)->commands; cmd->name; cmd++) {
            str_printf(out, "%s\t%s\t%s\t%s\t", (*g)->title, cmd->options ? cmd->options : "", cmd->name, cmd->arguments);
            for (const char *p = cmd->help; *p; p++) {
                str_putc(out, *p == '\n' ? '\v' : *p);
            }
            str_putc(out, '\n');
        }
    }
}

/* ---- the nearest name ---- */

static bool
same(char a, char b)
{
    return tolower((unsigned char) a) == tolower((unsigned char) b);
}

/* Insertions, deletions, substitutions and exchanges of neighbours that make A of B (Damerau's distance, restricted); upper and lower case are alike; at most MAX_NAME characters. */
enum { MAX_NAME = 40 };
static size_t
distance(const char *a, const char *b)
{
    size_t d[MAX_NAME + 1][MAX_NAME + 1], n = strlen(a), m = strlen(b);

    if (n > MAX_NAME || m > MAX_NAME) {
        return SIZE_MAX;
    }
    for (size_t i = 0; i <= n; i++) {
        for (size_t j = 0; j <= m; j++) {
            if (!i || !j) {
                d[i][j] = i + j;
                continue;
            }
            size_t best = d[i - 1][j - 1] + !same(a[i - 1], b[j - 1]);
            best = MIN(best, d[i - 1][j] + 1);
            best = MIN(best, d[i][j - 1] + 1);
            if (i > 1 && j > 1 && same(a[i - 1], b[j - 2]) && same(a[i - 2], b[j - 1])) {
                best = MIN(best, d[i - 2][j - 2] + 1);
            }
            d[i][j] = best;
        }
    }
    return d[n][m];
}

struct ctl_nearest
ctl_nearest(const char *name)
{
    return (struct ctl_nearest) { .name = name, .distance = strlen(name) / 3 + 2 };
}

void
ctl_offer(struct ctl_nearest *n, const char *candidate)
{
    size_t far = distance(n->name, candidate);

    if (far < n->distance) {
        n->distance = far;
        n->nearest = candidate;
    }
}

const char *
ctl_did_you_mean(struct ctl *c, const struct ctl_nearest *n)
{
    return n->nearest ? ctl_error(c, " (did you mean '%s'?)", n->nearest) : "";
}

/* options.c - the command line: global options, then calls separated by "--". ovn-nbctl(8), OPTIONS.
 *
 * A command's own options stand before its name. For the first command the "--" before them may be left out, so getopt
 * gets them too; what is not a global option goes to the first call. */
#include "cli/common/ctl.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include "base/log.h"
#include "runtime/daemon.h"

/* What is made of the command line; lives as long as the process. */
static struct arena line = ARENA_INIT;

const struct ctl_command *
ctl_command_find(const struct ctl_program *program, const char *name)
{
    for (const struct ctl_group *const *g = program->groups; *g; g++) {
        for (const struct ctl_command *cmd = (*g)->commands; cmd->name; cmd++) {
            if (str_eq(cmd->name, name)) {
                return cmd;
            }
        }
    }
    return NULL;
}

/* ---- options of commands ---- */

/* 0: COMMAND has no option NAME ("--id"); 1: it has; 2: with an argument; 3: the argument may be left out. */
static int
command_option(const struct ctl_command *cmd, const char *name, size_t n)
{
    for (const char *p = cmd->options ? cmd->options : ""; *p;) {
        size_t word = strcspn(p, " "), end = MIN(word, strcspn(p, "=["));
        if (end == n && !strncmp(p, name, n)) {
            return p[end] == '=' ? 2 : p[end] == '[' ? 3 : 1;
        }
        p += word + strspn(p + word, " ");
    }
    return 0;
}

static void
call_add_option(struct ctl_call *call, const char *name, const char *value)
{
    for (size_t i = 0; i < call->n_options; i++) {
        if (str_eq(call->options[i].name, name)) {
            ctl_fatal("'%s' option specified multiple times", name);
        }
    }
    call->options = xrealloc(call->options, (call->n_options + 1) * sizeof *call->options);
    call->options[call->n_options++] = (struct ctl_option) { name, value };
}

static void
unknown_command(const struct ctl_program *program, const char *name)
{
    const char *near = ctl_nearest(program, name);

    if (near) {
        ctl_fatal("unknown command '%s'; use --help for help (did you mean '%s'?)", name, near);
    }
    ctl_fatal("unknown command '%s'; use --help for help", name);
}

static void
check_options(const struct ctl_call *call)
{
    for (size_t i = 0; i < call->n_options; i++) {
        const struct ctl_option *o = &call->options[i];
        int kind = command_option(call->command, o->name, strlen(o->name));
        if (!kind) {
            ctl_fatal("'%s' command has no '%s' option", call->command->name, o->name);
        } else if (kind == 1 && o->value) {
            ctl_fatal("'%s' option on '%s' does not accept an argument", o->name, call->command->name);
        } else if (kind == 2 && !o->value) {
            ctl_fatal("missing argument to '%s' option on '%s' command", o->name, call->command->name);
        }
    }
}

/* One call: ARGV has no "--". */
static void
parse_call(const struct ctl_program *program, struct ctl_call *call, int argc, char *argv[])
{
    int i;

    for (i = 0; i < argc && argv[i][0] == '-' && argv[i][1] == '-'; i++) {
        char *eq = strchr(argv[i], '=');
        call_add_option(call, eq ? arena_strndup(&line, argv[i], eq - argv[i]) : argv[i], eq ? eq + 1 : NULL);
    }
    if (i == argc) {
        ctl_fatal("missing command name (use --help for help)");
    }
    call->argc = argc - i;
    call->argv = argv + i;
    call->command = ctl_command_find(program, argv[i]);
    if (!call->command) {
        unknown_command(program, argv[i]);
    }
    check_options(call);
    if (call->argc - 1 < call->command->min_args) {
        ctl_fatal("'%s' command requires at least %d arguments (%s)", call->command->name, call->command->min_args,
                  call->command->arguments);
    }
    if (call->argc - 1 > call->command->max_args) {
        ctl_fatal("'%s' command takes at most %d arguments", call->command->name, call->command->max_args);
    }
}

/* Splits ARGV at "--"; FIRST holds the options that stood before. */
static void
parse_calls(struct ctl *c, const struct ctl_call *first, int argc, char *argv[])
{
    for (int begin = 0, i = 0; i <= argc; i++) {
        if (i < argc && !str_eq(argv[i], "--")) {
            continue;
        }
        if (i > begin) {
            c->calls = xrealloc(c->calls, (c->n_calls + 1) * sizeof *c->calls);
            c->calls[c->n_calls] = c->n_calls ? (struct ctl_call) { .argc = 0 } : *first;
            parse_call(c->program, &c->calls[c->n_calls], i - begin, argv + begin);
            c->n_calls++;
        }
        begin = i + 1;
    }
    if (!c->n_calls) {
        ctl_fatal("missing command name (use --help for help)");
    }
}

/* ---- global options ---- */

enum {
    OPT_DB = 2000, OPT_NO_SYSLOG, OPT_ONELINE, OPT_DRY_RUN, OPT_WAIT, OPT_NO_WAIT, OPT_PRINT_WAIT_TIME, OPT_NO_HEADINGS,
    OPT_PRETTY, OPT_BARE, OPT_LEADER_ONLY, OPT_NO_LEADER_ONLY, OPT_SHUFFLE, OPT_NO_SHUFFLE, OPT_COMMANDS,
    OPT_LOCAL,
};
static const struct option global_options[] = {
    { "db", required_argument, NULL, OPT_DB }, { "no-syslog", no_argument, NULL, OPT_NO_SYSLOG },
    { "oneline", no_argument, NULL, OPT_ONELINE }, { "dry-run", no_argument, NULL, OPT_DRY_RUN },
    { "timeout", required_argument, NULL, 't' }, { "format", required_argument, NULL, 'f' },
    { "data", required_argument, NULL, 'd' }, { "no-headings", no_argument, NULL, OPT_NO_HEADINGS },
    { "pretty", no_argument, NULL, OPT_PRETTY }, { "bare", no_argument, NULL, OPT_BARE },
    { "leader-only", no_argument, NULL, OPT_LEADER_ONLY }, { "no-leader-only", no_argument, NULL, OPT_NO_LEADER_ONLY },
    { "shuffle-remotes", no_argument, NULL, OPT_SHUFFLE }, { "no-shuffle-remotes", no_argument, NULL, OPT_NO_SHUFFLE },
    { "help", no_argument, NULL, 'h' }, { "version", no_argument, NULL, 'V' }, { "commands", no_argument, NULL, OPT_COMMANDS },
    LOG_LONG_OPTIONS, TLS_LONG_OPTIONS,
};
static const struct option wait_options[] = {
    { "wait", required_argument, NULL, OPT_WAIT }, { "no-wait", no_argument, NULL, OPT_NO_WAIT },
    { "print-wait-time", no_argument, NULL, OPT_PRINT_WAIT_TIME },
};

static void
add_option(struct option **options, size_t *n, struct option o)
{
    for (size_t i = 0; i < *n; i++) {
        if (str_eq((*options)[i].name, o.name)) {
            return;
        }
    }
    *options = xrealloc(*options, (*n + 2) * sizeof **options);
    (*options)[(*n)++] = o;
    (*options)[*n] = (struct option) { NULL, 0, NULL, 0 };
}

/* The options getopt knows: the global ones and those of all commands. */
static struct option *
all_options(const struct ctl_program *program)
{
    struct option *options = NULL;
    size_t n = 0;

    for (size_t i = 0; i < ARRAY_SIZE(global_options); i++) {
        add_option(&options, &n, global_options[i]);
    }
    for (size_t i = 0; program->wait && i < ARRAY_SIZE(wait_options); i++) {
        add_option(&options, &n, wait_options[i]);
    }
    for (const struct ctl_group *const *g = program->groups; *g; g++) {
        for (const struct ctl_command *cmd = (*g)->commands; cmd->name; cmd++) {
            for (const char *p = cmd->options ? cmd->options : ""; *p;) {
                size_t word = strcspn(p, " "), name = MIN(word, strcspn(p, "=["));
                add_option(&options, &n, (struct option) { arena_strndup(&line, p + 2, name - 2), optional_argument, NULL, OPT_LOCAL });
                p += word + strspn(p + word, " ");
            }
        }
    }
    return options;
}

static void
set_timeout(struct ctl *c, const char *arg, const char *what)
{
    int64_t secs;

    if (!str_to_int(arg, 0, INT_MAX / 1000, &secs)) {
        ctl_fatal("value %s on %s is invalid", arg, what);
    }
    c->timeout = secs;
}

static void
set_format(struct ctl *c, const char *arg)
{
    static const char *const names[] = {
        [TABLE_FORMAT_TABLE] = "table", [TABLE_FORMAT_LIST] = "list", [TABLE_FORMAT_HTML] = "html", [TABLE_FORMAT_CSV] = "csv",
        [TABLE_FORMAT_JSON] = "json",
    };
    for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
        if (str_eq(arg, names[i])) {
            c->style.format = i;
            return;
        }
    }
    ctl_fatal("unknown output format \"%s\"", arg);
}

static void
set_data(struct ctl *c, const char *arg)
{
    static const char *const names[] = { [DATUM_STRING] = "string", [DATUM_BARE] = "bare", [DATUM_JSON] = "json" };

    for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
        if (str_eq(arg, names[i])) {
            c->style.cells = i;
            return;
        }
    }
    ctl_fatal("unknown data format \"%s\"", arg);
}

static void
set_wait(struct ctl *c, const char *arg)
{
    static const char *const names[] = { [CTL_WAIT_NONE] = "none", [CTL_WAIT_SB] = "sb", [CTL_WAIT_HV] = "hv" };

    for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
        if (str_eq(arg, names[i])) {
            c->wait = i;
            return;
        }
    }
    ctl_fatal("argument to --wait must be \"none\", \"sb\", or \"hv\"");
}

static void
must_log_set(const char *spec)
{
    char *error = log_set(spec);

    if (error) {
        ctl_fatal("%s", error);
    }
}

static void
global_option(struct ctl *c, int opt, const char *arg)
{
    struct str help = STR_INIT;
    char spec[64];

    switch (opt) {
    case OPT_DB:
        c->remotes = arg;
        break;
    case OPT_NO_SYSLOG:
        snprintf(spec, sizeof spec, "%s:syslog:warn", c->program->log_module);
        must_log_set(spec);
        break;
    case OPT_ONELINE:
        c->oneline = true;
        break;
    case OPT_DRY_RUN:
        c->dry_run = true;
        break;
    case 't':
        set_timeout(c, arg, "-t or --timeout");
        break;
    case 'f':
        set_format(c, arg);
        break;
    case 'd':
        set_data(c, arg);
        break;
    case OPT_WAIT:
        set_wait(c, arg);
        break;
    case OPT_NO_WAIT:
        c->wait = CTL_WAIT_NONE;
        break;
    case OPT_PRINT_WAIT_TIME:
        c->print_wait_time = true;
        break;
    case OPT_BARE:
        c->style = (struct table_style) { TABLE_FORMAT_LIST, DATUM_BARE, false, c->style.pretty };
        break;
    case OPT_NO_HEADINGS:
        c->style.headings = false;
        break;
    case OPT_PRETTY:
        c->style.pretty = true;
        break;
    case OPT_LEADER_ONLY:
    case OPT_NO_LEADER_ONLY:
        c->leader_only = opt == OPT_LEADER_ONLY;
        break;
    case OPT_SHUFFLE:
    case OPT_NO_SHUFFLE:
        c->shuffle = opt == OPT_SHUFFLE;
        break;
    case 'h':
    case OPT_COMMANDS:
        (opt == 'h' ? ctl_help : ctl_list_commands)(c->program, &help);
        fputs(str_c(&help), stdout);
        exit(EXIT_SUCCESS);
    case 'V':
        print_version();
        printf("DB Schema %s\n", c->program->db->version);
        exit(EXIT_SUCCESS);
    default:
        REQUIRE(daemon_option(opt, arg));
    }
}

/* ARGV with the words of the environment variable NAME after the first. Words are separated by white space; quotes and backslash as in a shell. */
static char **
options_from_env(const char *name, int *argc, char *argv[])
{
    const char *p = getenv(name);
    char **all = ARENA_NEW(&line, char *, *argc + 1 + (p ? strlen(p) : 0));
    int n = 0;

    all[n++] = argv[0];
    for (p = p ? p : ""; *(p += strspn(p, " \t\r\n"));) {
        struct str word = STR_INIT;
        char quote = '\0';
        for (; *p && (quote || !strchr(" \t\r\n", *p)); p++) {
            if (quote ? *p == quote : *p == '"' || *p == '\'') {
                quote = quote ? '\0' : *p;
            } else {
                p += *p == '\\' && quote != '\'' && p[1];
                str_putc(&word, *p);
            }
        }
        all[n++] = arena_take(&line, &word);
    }
    for (int i = 1; i < *argc; i++) {
        all[n++] = argv[i];
    }
    *argc = n;
    return all;
}

void
ctl_parse(struct ctl *c, int argc, char *argv[])
{
    struct option *options = all_options(c->program);
    struct ctl_call first = { .argc = 0 };
    const char *timeout = getenv("OVS_CTL_TIMEOUT"), *db = getenv(c->program->db_env);
    int opt, index = -1;

    argv = options_from_env(c->program->options_env, &argc, argv);
    must_log_set("console:warn");
    must_log_set("syslog:info");
    c->remotes = db && *db ? db : arena_printf(&line, "unix:%s/%s", dir_run(), c->program->db_socket);
    c->style = (struct table_style) { TABLE_FORMAT_LIST, DATUM_STRING, true, false };
    c->leader_only = c->shuffle = true;
    if (timeout && *timeout) {
        set_timeout(c, timeout, "OVS_CTL_TIMEOUT");
    }
    opterr = 0;
    while ((opt = getopt_long(argc, argv, "+:hVv::t:f:d:p:c:C:", options, &index)) != -1) {
        const char *arg = argv[optind - 1];
        if (opt == OPT_LOCAL) {
            call_add_option(&first, arena_printf(&line, "--%s", options[index].name), optarg);
        } else if (opt == ':') {
            ctl_fatal("option '%s' requires an argument", arg[1] == '-' ? arg : arena_printf(&line, "-%c", optopt));
        } else if (opt == '?' && optopt && arg[1] != '-') {
            ctl_fatal("unrecognized option '%c'", optopt);
        } else if (opt == '?') {
            ctl_fatal("%s '%s'", optopt ? "no argument is allowed in option" : "unrecognized option", arg);
        } else {
            global_option(c, opt, optarg);
        }
    }
    free(options);
    parse_calls(c, &first, argc - optind, argv + optind);
}

/* options.c - the command line: global options, then calls separated by "--". ovn-nbctl(8), OPTIONS.
 *
 * A command's own options stand before its name. For the first command the "--" before them may be left out, so getopt
 * gets them too; what is not a global option goes to the first call.
 *
 * Some options are of the line (--wait, --format, ...), the others of the process (--db, -v, ...). A daemon takes the former with a line, as
 * ovn-nbctl(8) says of its command `run`; ctl->forward has them, for who hands the line to a daemon. */
#include "cli/common/ctl.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include "base/log.h"
#include "runtime/daemon.h"

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

static const char *
call_add_option(struct ctl *c, struct ctl_call *call, const char *name, const char *value)
{
    for (size_t i = 0; i < call->n_options; i++) {
        if (str_eq(call->options[i].name, name)) {
            return ctl_error(c, "'%s' option specified multiple times", name);
        }
    }
    call->options = xrealloc(call->options, (call->n_options + 1) * sizeof *call->options);
    call->options[call->n_options++] = (struct ctl_option) { name, value };
    return NULL;
}

static const char *
unknown_command(struct ctl *c, const char *name)
{
    struct ctl_nearest near = ctl_nearest(name);

    for (const struct ctl_group *const *g = c->program->groups; *g; g++) {
        for (const struct ctl_command *cmd = (*g)->commands; cmd->name; cmd++) {
            ctl_offer(&near, cmd->name);
        }
    }
    return ctl_error(c, "unknown command '%s'; use --help for help%s", name, ctl_did_you_mean(c, &near));
}

static const char *
check_options(struct ctl *c, const struct ctl_call *call)
{
    for (size_t i = 0; i < call->n_options; i++) {
        const struct ctl_option *o = &call->options[i];
        int kind = command_option(call->command, o->name, strlen(o->name));
        if (!kind) {
            return ctl_error(c, "'%s' command has no '%s' option", call->command->name, o->name);
        } else if (kind == 1 && o->value) {
            return ctl_error(c, "'%s' option on '%s' does not accept an argument", o->name, call->command->name);
        } else if (kind == 2 && !o->value) {
            return ctl_error(c, "missing argument to '%s' option on '%s' command", o->name, call->command->name);
        }
    }
    return NULL;
}

/* Among the arguments there is no option of the command: it would stand behind the name by mistake, and be taken for a name or worse. */
static const char *
check_arguments(struct ctl *c, const struct ctl_call *call)
{
    for (int i = 1; i < call->argc; i++) {
        const char *arg = call->argv[i];
        if (command_option(call->command, arg, strcspn(arg, "="))) {
            return ctl_error(c, "'%s' must stand before the command's name, as in \"%s %s ...\"", arg, arg, call->command->name);
        }
    }
    return NULL;
}

/* One call: ARGV has no "--". */
static const char *
parse_call(struct ctl *c, struct ctl_call *call, int argc, char *argv[])
{
    int i;

    for (i = 0; i < argc && argv[i][0] == '-' && argv[i][1] == '-'; i++) {
        char *eq = strchr(argv[i], '=');
        TRY(call_add_option(c, call, eq ? arena_strndup(&c->line, argv[i], eq - argv[i]) : argv[i], eq ? eq + 1 : NULL));
    }
    if (i == argc) {
        return ctl_error(c, "missing command name (use --help for help)");
    }
    call->argc = argc - i;
    call->argv = argv + i;
    call->command = ctl_command_find(c->program, argv[i]);
    if (!call->command) {
        return unknown_command(c, argv[i]);
    }
    TRY(check_options(c, call));
    TRY(check_arguments(c, call));
    if (call->argc - 1 < call->command->min_args) {
        return ctl_error(c, "'%s' command requires at least %d arguments (%s)", call->command->name, call->command->min_args,
                  call->command->arguments);
    }
    if (call->argc - 1 > call->command->max_args) {
        return ctl_error(c, "'%s' command takes at most %d arguments%s", call->command->name, call->command->max_args,
                         *call->command->arguments ? ctl_error(c, " (%s)", call->command->arguments) : "");
    }
    return NULL;
}

/* Splits the words at "--". */
const char *
ctl_parse_calls(struct ctl *c)
{
    for (int begin = 0, i = 0; i <= c->n_words; i++) {
        if (i < c->n_words && !str_eq(c->words[i], "--")) {
            continue;
        }
        if (i > begin) {
            c->calls = xrealloc(c->calls, (c->n_calls + 1) * sizeof *c->calls);
            c->calls[c->n_calls] = c->first;
            c->first = (struct ctl_call) { .argc = 0 };
            TRY(parse_call(c, &c->calls[c->n_calls++], i - begin, c->words + begin));
        }
        begin = i + 1;
    }
    return c->n_calls ? NULL : "missing command name (use --help for help)";
}

/* ---- global options ---- */

enum {
    OPT_DB = 2000, OPT_NO_SYSLOG, OPT_ONELINE, OPT_DRY_RUN, OPT_WAIT, OPT_NO_WAIT, OPT_PRINT_WAIT_TIME, OPT_NO_HEADINGS,
    OPT_PRETTY, OPT_BARE, OPT_LEADER_ONLY, OPT_NO_LEADER_ONLY, OPT_SHUFFLE, OPT_NO_SHUFFLE, OPT_COMMANDS,
    OPT_LOCAL,
    OPT_UNIXCTL = 1005,                /* In DAEMON_LONG_OPTIONS. */
};
static const struct option process_options[] = {
    { "db", required_argument, NULL, OPT_DB }, { "no-syslog", no_argument, NULL, OPT_NO_SYSLOG },
    { "leader-only", no_argument, NULL, OPT_LEADER_ONLY }, { "no-leader-only", no_argument, NULL, OPT_NO_LEADER_ONLY },
    { "shuffle-remotes", no_argument, NULL, OPT_SHUFFLE }, { "no-shuffle-remotes", no_argument, NULL, OPT_NO_SHUFFLE },
    { "help", no_argument, NULL, 'h' }, { "version", no_argument, NULL, 'V' }, { "commands", no_argument, NULL, OPT_COMMANDS },
    DAEMON_LONG_OPTIONS, LOG_LONG_OPTIONS, TLS_LONG_OPTIONS,
};
static const struct option line_options[] = {
    { "oneline", no_argument, NULL, OPT_ONELINE }, { "dry-run", no_argument, NULL, OPT_DRY_RUN },
    { "timeout", required_argument, NULL, 't' }, { "format", required_argument, NULL, 'f' },
    { "data", required_argument, NULL, 'd' }, { "no-headings", no_argument, NULL, OPT_NO_HEADINGS },
    { "pretty", no_argument, NULL, OPT_PRETTY }, { "bare", no_argument, NULL, OPT_BARE },
};
static const struct option wait_options[] = {
    { "wait", required_argument, NULL, OPT_WAIT }, { "no-wait", no_argument, NULL, OPT_NO_WAIT },
    { "print-wait-time", no_argument, NULL, OPT_PRINT_WAIT_TIME },
};
/* What getopt knows, made once. */
struct option_table {
    struct option *options;
    size_t n;
    struct arena names;
};

static void
add_option(struct option_table *t, struct option o)
{
    for (size_t i = 0; i < t->n; i++) {
        if (str_eq(t->options[i].name, o.name)) {
            return;
        }
    }
    t->options = xrealloc(t->options, (t->n + 2) * sizeof *t->options);
    t->options[t->n++] = o;
    t->options[t->n] = (struct option) { NULL, 0, NULL, 0 };
}

static void
add_options(struct option_table *t, const struct option *options, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        add_option(t, options[i]);
    }
}

/* The options that there are: the global ones and those of all commands. */
static const struct option *
all_options(const struct ctl_program *program, bool by_daemon)
{
    static struct option_table tables[2];
    struct option_table *t = &tables[by_daemon];

    if (t->n) {
        return t->options;
    }
    add_options(t, line_options, ARRAY_SIZE(line_options));
    if (!by_daemon) {
        add_options(t, process_options, ARRAY_SIZE(process_options));
    }
    if (program->wait) {
        add_options(t, wait_options, ARRAY_SIZE(wait_options));
    }
    for (const struct ctl_group *const *g = program->groups; *g; g++) {
        for (const struct ctl_command *cmd = (*g)->commands; cmd->name; cmd++) {
            for (const char *p = cmd->options ? cmd->options : ""; *p;) {
                size_t word = strcspn(p, " "), name = MIN(word, strcspn(p, "=["));
                add_option(t, (struct option) { arena_strndup(&t->names, p + 2, name - 2), optional_argument, NULL, OPT_LOCAL });
                p += word + strspn(p + word, " ");
            }
        }
    }
    return t->options;
}

static const char *
set_timeout(struct ctl *c, const char *arg, const char *what)
{
    int64_t secs;

    if (!str_to_int(arg, 0, INT_MAX / 1000, &secs)) {
        return ctl_error(c, "value %s on %s is invalid", arg, what);
    }
    c->timeout = secs;
    return NULL;
}

static const char *
set_format(struct ctl *c, const char *arg)
{
    static const char *const names[] = {
        [TABLE_FORMAT_TABLE] = "table", [TABLE_FORMAT_LIST] = "list", [TABLE_FORMAT_HTML] = "html", [TABLE_FORMAT_CSV] = "csv",
        [TABLE_FORMAT_JSON] = "json",
    };
    for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
        if (str_eq(arg, names[i])) {
            c->style.format = i;
            return NULL;
        }
    }
    return ctl_error(c, "unknown output format \"%s\"", arg);
}

static const char *
set_data(struct ctl *c, const char *arg)
{
    static const char *const names[] = { [DATUM_STRING] = "string", [DATUM_BARE] = "bare", [DATUM_JSON] = "json" };

    for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
        if (str_eq(arg, names[i])) {
            c->style.cells = i;
            return NULL;
        }
    }
    return ctl_error(c, "unknown data format \"%s\"", arg);
}

static const char *
set_wait(struct ctl *c, const char *arg)
{
    static const char *const names[] = { [CTL_WAIT_NONE] = "none", [CTL_WAIT_SB] = "sb", [CTL_WAIT_HV] = "hv" };

    for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
        if (str_eq(arg, names[i])) {
            c->wait = i;
            return NULL;
        }
    }
    return "argument to --wait must be \"none\", \"sb\", or \"hv\"";
}

static void
must_log_set(const char *spec)
{
    char *error = log_set(spec);

    if (error) {
        ctl_fatal("%s", error);
    }
}

/* Of the process. */
static const char *
process_option(struct ctl *c, int opt, const char *arg)
{
    struct str help = STR_INIT;
    char spec[64];

    switch (opt) {
    case OPT_DB:
        c->remotes = arg;
        c->process.not_by_daemon = "db";
        break;
    case OPT_NO_SYSLOG:
        snprintf(spec, sizeof spec, "%s:syslog:warn", c->program->log_module);
        must_log_set(spec);
        break;
    case OPT_LEADER_ONLY:
    case OPT_NO_LEADER_ONLY:
        c->leader_only = opt == OPT_LEADER_ONLY;
        break;
    case OPT_SHUFFLE:
    case OPT_NO_SHUFFLE:
        c->shuffle = opt == OPT_SHUFFLE;
        break;
    case 'u':
    case OPT_UNIXCTL:
        c->process.socket = arg;
        c->process.socket_given = true;
        REQUIRE(daemon_option(OPT_UNIXCTL, arg));
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
    return NULL;
}

/* Of the line. */
static const char *
line_option(struct ctl *c, int opt, const char *arg)
{
    switch (opt) {
    case OPT_ONELINE:
        c->oneline = true;
        return NULL;
    case OPT_DRY_RUN:
        c->dry_run = true;
        return NULL;
    case 't':
        return set_timeout(c, arg, "-t or --timeout");
    case 'f':
        return set_format(c, arg);
    case 'd':
        return set_data(c, arg);
    case OPT_WAIT:
        return set_wait(c, arg);
    case OPT_NO_WAIT:
        c->wait = CTL_WAIT_NONE;
        return NULL;
    case OPT_PRINT_WAIT_TIME:
        c->print_wait_time = true;
        return NULL;
    case OPT_BARE:
        c->style = (struct table_style) { TABLE_FORMAT_LIST, DATUM_BARE, false, c->style.pretty };
        return NULL;
    case OPT_NO_HEADINGS:
        c->style.headings = false;
        return NULL;
    default:
        REQUIRE(opt == OPT_PRETTY);
        c->style.pretty = true;
        return NULL;
    }
}

/* The option is one of N in OPTIONS; its long name. */
static const char *
long_name(const struct option *options, size_t n, int opt)
{
    for (size_t i = 0; i < n; i++) {
        if (options[i].val == opt) {
            return options[i].name;
        }
    }
    return NULL;
}

/* INDEX: which of OPTIONS, if it is one of a command. */
static const char *
take_option(struct ctl *c, int opt, const char *arg, const struct option *options, int index)
{
    const char *name = opt == OPT_LOCAL ? options[index].name : long_name(line_options, ARRAY_SIZE(line_options), opt);

    name = name ? name : long_name(wait_options, ARRAY_SIZE(wait_options), opt);
    if (!name) {
        return process_option(c, opt, arg);
    }
    GROW(c->forward, c->cap_forward, c->n_forward + 1);
    c->forward[c->n_forward++] = (struct ctl_option) { name, arg };
    return opt == OPT_LOCAL ? call_add_option(c, &c->first, arena_printf(&c->line, "--%s", name), arg) : line_option(c, opt, arg);
}

/* ARGV with the words of the program's environment variable after the first. Words are separated by white space; quotes and backslash as in a shell. */
static char **
options_from_env(struct ctl *c, int *argc, char *argv[])
{
    const char *p = getenv(c->program->options_env);
    char **all = ARENA_NEW(&c->line, char *, *argc + 1 + (p ? strlen(p) : 0));
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
        all[n++] = arena_take(&c->line, &word);
    }
    for (int i = 1; i < *argc; i++) {
        all[n++] = argv[i];
    }
    *argc = n;
    return all;
}

/* What getopt refused: OPT, '?' or ':'. */
static const char *
refused_option(struct ctl *c, int opt, const char *arg, const struct option *options)
{
    if (opt == ':') {
        return ctl_error(c, "option '%s' requires an argument", arg[1] == '-' ? arg : arena_printf(&c->line, "-%c", optopt));
    }
    if (optopt && arg[1] != '-') {
        return ctl_error(c, "unrecognized option '%c'", optopt);
    }
    if (optopt) {
        return ctl_error(c, "no argument is allowed in option '%s'", arg);
    }
    struct ctl_nearest near = ctl_nearest(arena_strndup(&c->line, arg + 2, strcspn(arg + 2, "=")));
    for (; options->name; options++) {
        ctl_offer(&near, options->name);
    }
    if (near.nearest) {
        return ctl_error(c, "unrecognized option '%s' (did you mean '--%s'?)", arg, near.nearest);
    }
    return ctl_error(c, "unrecognized option '%s'", arg);
}

/* Where the database is, and a daemon, unless an option says otherwise. */
static const char *
from_environment(struct ctl *c)
{
    const char *timeout = getenv("OVS_CTL_TIMEOUT"), *db = getenv(c->program->db_env), *daemon = getenv(c->program->daemon_env);

    must_log_set("console:warn");
    must_log_set("syslog:info");
    c->remotes = db && *db ? db : arena_printf(&c->line, "unix:%s/%s", dir_run(), c->program->db_socket);
    c->process.socket = daemon && *daemon ? daemon : NULL;
    return timeout && *timeout ? set_timeout(c, timeout, "OVS_CTL_TIMEOUT") : NULL;
}

const char *
ctl_parse_options(struct ctl *c, bool by_daemon, int argc, char *argv[])
{
    const struct option *options = all_options(c->program, by_daemon);
    const char *last_arg = NULL;
    int opt, index = -1;

    c->style = (struct table_style) { TABLE_FORMAT_LIST, DATUM_STRING, true, false };
    c->leader_only = c->shuffle = true;
    if (!by_daemon) {
        argv = options_from_env(c, &argc, argv);
        TRY(from_environment(c));
    }
    opterr = 0;
    optind = 0;                        /* From the beginning, whatever was parsed before. */
    while ((opt = getopt_long(argc, argv, by_daemon ? "+:t:f:d:" : "+:hVv::t:f:d:p:c:C:u:", options, &index)) != -1) {
        if (opt == '?' || opt == ':') {
            return refused_option(c, opt, argv[optind - 1], options);
        }
        TRY(take_option(c, opt, optarg, options, index));
        last_arg = optarg;
    }
    c->process.detach = daemon_detaching();
    c->dashes = optind > 1 && str_eq(argv[optind - 1], "--") && argv[optind - 1] != last_arg;
    c->words = argv + optind;
    c->n_words = argc - optind;
    return NULL;
}

/* main.c - ovn-debug(8): options, and the table of commands. */
#include <stdio.h>
#include <stdlib.h>

#include "base/log.h"
#include "cli/debug/debug.h"
#include "runtime/daemon.h"
#include "schema/sb.h"

enum { OPT_DB = 2000, OPT_LEADER_ONLY, OPT_NO_LEADER_ONLY, OPT_DATAPATH, OPT_STAGE, OPT_PORT, OPT_ADDRESS_SET, OPT_PORT_GROUP, OPT_RESIDENT,
       OPT_CONJUNCTIONS };
static const struct option long_options[] = {
    { "db", optional_argument, NULL, OPT_DB }, { "leader-only", no_argument, NULL, OPT_LEADER_ONLY },
    { "no-leader-only", no_argument, NULL, OPT_NO_LEADER_ONLY }, { "datapath", required_argument, NULL, OPT_DATAPATH },
    { "stage", required_argument, NULL, OPT_STAGE }, { "port", required_argument, NULL, OPT_PORT },
    { "address-set", required_argument, NULL, OPT_ADDRESS_SET }, { "port-group", required_argument, NULL, OPT_PORT_GROUP },
    { "resident", required_argument, NULL, OPT_RESIDENT }, { "conjunctions", required_argument, NULL, OPT_CONJUNCTIONS },
    { "help", no_argument, NULL, 'h' }, { "version", no_argument, NULL, 'V' }, TLS_LONG_OPTIONS, { NULL, 0, NULL, 0 },
};
static const struct debug_command *const groups[] = { stage_commands, language_commands };

static noreturn void
usage(void)
{
    static const char *const titles[] = { "Stages and tables:", "The logical flow language:" };

    printf("%s: helps to find one's way in OVN\nusage: %s [OPTIONS] COMMAND [ARGUMENT]...\n", program_name(), program_name());
    for (size_t g = 0; g < ARRAY_SIZE(groups); g++) {
        printf("\n%s\n", titles[g]);
        for (const struct debug_command *c = groups[g]; c->name; c++) {
            printf("  %s %s\n      %s\n", c->name, c->arguments, c->help);
        }
    }
    printf("\nWhat names in expressions and actions mean:\n"
           "  --port=NAME=KEY               a port, or multicast group\n"
           "  --address-set=NAME=ADDRESS,...\n"
           "  --port-group=NAME=PORT,...    ports by name, or by key\n"
           "  --resident=NAME               is_chassis_resident(NAME) is true\n"
           "  --db[=DATABASE]               what the southbound database says (default: $OVN_SB_DB or\n"
           "                                unix:%s/ovnsb_db.sock)\n"
           "  --[no-]leader-only            only the leader of a cluster, or any of its servers\n"
           "  --datapath=NAME|UUID          in which datapath, with --db\n"
           "  --conjunctions=never|fewer|always     conjunctive matches: where they are fewer (the default)\n"
           "  --stage=STAGE                 where actions are (default: at the beginning of a switch)\n\n"
           "  -p, --private-key=FILE, -c, --certificate=FILE, -C, --ca-cert=FILE, --bootstrap-ca-cert=FILE\n"
           "  --ssl-protocols=LIST, --ssl-ciphers=LIST, --ssl-ciphersuites=LIST, --ssl-server-name=NAME\n"
           "                                TLS: our identity, and whom we trust\n"
           "  -h, --help                    this text\n"
           "  -V, --version                 version\n",
           dir_run());
    exit(EXIT_SUCCESS);
}

/* Appends ARG to the list, which NULL ends. With a '=' in it, if it is to be NAME=VALUE. */
static void
add(const char ***list, const char *arg, const char *option, bool assigns)
{
    size_t n = 0;

    if (assigns && (!strchr(arg, '=') || *arg == '=')) {
        ctl_fatal("%s=%s: NAME=VALUE is needed", option, arg);
    }
    while (*list && (*list)[n]) {
        n++;
    }
    *list = xrealloc(*list, (n + 2) * sizeof **list);
    (*list)[n] = arg;
    (*list)[n + 1] = NULL;
}

static void
set_conjunctions(struct debug_options *o, const char *arg)
{
    static const char *const names[] = { [EXPR_CONJUNCTIONS_NEVER] = "never", [EXPR_CONJUNCTIONS_FEWER] = "fewer",
                                         [EXPR_CONJUNCTIONS_ALWAYS] = "always" };

    for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
        if (str_eq(arg, names[i])) {
            o->conjunctions = i;
            return;
        }
    }
    ctl_fatal("--conjunctions=%s: never, fewer or always is needed", arg);
}

static void
option(struct debug_options *o, int opt, const char *arg)
{
    const char *db = getenv("OVN_SB_DB");

    switch (opt) {
    case OPT_DB:
        o->db = arg ? arg : db && *db ? db : xasprintf("unix:%s/ovnsb_db.sock", dir_run());
        break;
    case OPT_LEADER_ONLY:
    case OPT_NO_LEADER_ONLY:
        o->leader_only = opt == OPT_LEADER_ONLY;
        break;
    case OPT_DATAPATH:
        o->datapath = arg;
        break;
    case OPT_STAGE:
        o->stage = arg;
        break;
    case OPT_PORT:
        add(&o->ports, arg, "--port", true);
        break;
    case OPT_ADDRESS_SET:
        add(&o->address_sets, arg, "--address-set", true);
        break;
    case OPT_PORT_GROUP:
        add(&o->port_groups, arg, "--port-group", true);
        break;
    case OPT_RESIDENT:
        add(&o->residents, arg, "--resident", false);
        break;
    case OPT_CONJUNCTIONS:
        set_conjunctions(o, arg);
        break;
    case 'h':
        usage();
    case 'V':
        print_version();
        printf("DB Schema %s\n", sb_db.version);
        exit(EXIT_SUCCESS);
    default:
        if (!daemon_option(opt, arg)) {
            exit(EXIT_FAILURE);
        }
    }
}

static const struct debug_command *
find_command(const char *name)
{
    for (size_t g = 0; g < ARRAY_SIZE(groups); g++) {
        for (const struct debug_command *c = groups[g]; c->name; c++) {
            if (str_eq(c->name, name)) {
                return c;
            }
        }
    }
    ctl_fatal("unknown command \"%s\" (--help for help)", name);
}

int
main(int argc, char *argv[])
{
    struct debug_options o = { .leader_only = true, .conjunctions = EXPR_CONJUNCTIONS_FEWER };
    int opt;

    program_set_name(argv[0]);
    free(log_set("console:warn"));
    free(log_set("syslog:off"));
    while ((opt = getopt_long(argc, argv, "hVp:c:C:", long_options, NULL)) != -1) {
        option(&o, opt, optarg);
    }
    if (optind == argc) {
        ctl_fatal("a command is needed (--help for help)");
    }
    const struct debug_command *c = find_command(argv[optind]);
    int n = argc - optind - 1;
    if (n < c->min_args || n > c->max_args) {
        ctl_fatal("usage: %s %s", c->name, c->arguments);
    }
    int status = c->run(&o, (const char *const *) argv + optind + 1);
    free(o.ports);
    free(o.address_sets);
    free(o.port_groups);
    free(o.residents);
    return fflush(stdout) || ferror(stdout) ? EXIT_FAILURE : status;
}

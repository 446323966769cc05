/* main.c - ovn-detrace(1): the text of ofproto/trace or a flow dump goes through, with what is known of its cookies between the lines.
 *
 * Text is taken as it comes, up to BATCH bytes at a time, and written as soon as what it asks is known: so a terminal sees each line at once, and a dump of
 * 150,000 flows costs the databases a few questions for each batch and never more memory than that. */
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/log.h"
#include "cli/common/fatal.h"
#include "cli/detrace/detrace.h"
#include "runtime/daemon.h"
#include "runtime/loop.h"
#include "schema/sb.h"

enum { BATCH = 1 << 20 };

static struct {
    const char *sb, *nb, *ovs;
    bool any_member, ports;
} options;

/* ---- options ---- */

enum { OPT_SB = 2000, OPT_NB, OPT_OVS, OPT_OVSDB, OPT_NO_LEADER_ONLY, OPT_LEADER_ONLY };
static const struct option long_options[] = {
    { "ovnsb", required_argument, NULL, OPT_SB }, { "ovnnb", required_argument, NULL, OPT_NB }, { "ovs", no_argument, NULL, OPT_OVS },
    { "ovsdb", required_argument, NULL, OPT_OVSDB }, { "no-leader-only", no_argument, NULL, OPT_NO_LEADER_ONLY },
    { "leader-only", no_argument, NULL, OPT_LEADER_ONLY }, { "help", no_argument, NULL, 'h' }, { "version", no_argument, NULL, 'V' },
    TLS_LONG_OPTIONS, { NULL, 0, NULL, 0 },
};

static void
usage(void)
{
    printf("%s: says what OVN the OpenFlow flows come from\n"
           "usage: ovs-appctl ofproto/trace BRIDGE FLOW | %s [OPTIONS]\n"
           "       ovs-ofctl dump-flows BRIDGE | %s [OPTIONS]\n\n"
           "Every line goes through as it is. Behind a flow come the southbound rows that its\n"
           "cookie stands for, and the northbound rows that those come from.\n\n"
           "  --ovnsb=DATABASE         southbound database (default: $OVN_SB_DB or\n"
           "                           unix:%s/ovnsb_db.sock)\n"
           "  --ovnnb=DATABASE         northbound database (default: $OVN_NB_DB or\n"
           "                           unix:%s/ovnnb_db.sock)\n"
           "  --[no-]leader-only       only the leader of a cluster, or any of its servers\n"
           "  --ovs                    also name the ports of the local switch\n"
           "  --ovsdb=DATABASE         its database (default: unix:%s/db.sock)\n\n"
           "  -p, --private-key=FILE   TLS: file with our private key\n"
           "  -c, --certificate=FILE   its certificate\n"
           "  -C, --ca-cert=FILE       certificate of the authority that servers are checked against\n"
           "  --bootstrap-ca-cert=FILE the same, taken from the first server if there is no such file\n"
           "  --ssl-protocols=LIST, --ssl-ciphers=LIST, --ssl-ciphersuites=LIST\n"
           "  --ssl-server-name=NAME\n\n"
           "  -h, --help               this text\n"
           "  -V, --version            version\n",
           program_name(), program_name(), program_name(), dir_run(), dir_run(), dir_ovs_run());
    exit(EXIT_SUCCESS);
}

static const char *
default_remote(const char *env, const char *dir, const char *socket)
{
    const char *set = env ? getenv(env) : NULL;

    return set && *set ? set : xasprintf("unix:%s/%s", dir, socket);
}

static void
parse_options(int argc, char *argv[])
{
    int opt;

    while ((opt = getopt_long(argc, argv, "hVp:c:C:", long_options, NULL)) != -1) {
        switch (opt) {
        case OPT_SB:
            options.sb = optarg;
            break;
        case OPT_NB:
            options.nb = optarg;
            break;
        case OPT_OVS:
            options.ports = true;
            break;
        case OPT_OVSDB:
            options.ovs = optarg;
            break;
        case OPT_NO_LEADER_ONLY:
        case OPT_LEADER_ONLY:
            options.any_member = opt == OPT_NO_LEADER_ONLY;
            break;
        case 'h':
            usage();
            break;
        case 'V':
            print_version();
            printf("DB Schema %s\n", sb_db.version);
            exit(EXIT_SUCCESS);
        default:
            if (!daemon_option(opt, optarg)) {
                exit(EXIT_FAILURE);
            }
        }
    }
    if (optind < argc) {
        ctl_fatal("%s: no argument is taken: the text comes from the standard input (--help for help)", argv[optind]);
    }
    options.sb = options.sb ? options.sb : default_remote("OVN_SB_DB", dir_run(), "ovnsb_db.sock");
    options.nb = options.nb ? options.nb : default_remote("OVN_NB_DB", dir_run(), "ovnnb_db.sock");
    options.ovs = options.ovs ? options.ovs : default_remote(NULL, dir_ovs_run(), "db.sock");
}

/* ---- the text ---- */

/* What there is to read by now, up to SIZE bytes; waits only for the first. 0: the end. */
static size_t
read_batch(char *buffer, size_t size)
{
    struct pollfd pfd = { .fd = STDIN_FILENO, .events = POLLIN };
    size_t n = 0;

    do {
        ssize_t got = read(STDIN_FILENO, buffer + n, size - n);
        if (got < 0 && errno != EINTR) {
            ctl_fatal("reading the standard input failed (%s)", strerror(errno));
        } else if (!got) {
            break;
        }
        n += got > 0 ? got : 0;
    } while (!n || (n < size && poll(&pfd, 1, 0) > 0));
    return n;
}

static char last_written = '\n';

static void
put(const char *data, size_t n)
{
    if (n && fwrite(data, 1, n, stdout) != n) {
        ctl_fatal("writing the output failed (%s)", strerror(errno));
    }
    last_written = n ? data[n - 1] : last_written;
}

/* Puts whole lines: the last one before may lack its newline. */
static void
put_lines(const struct str *lines)
{
    if (lines->len) {
        put("\n", last_written != '\n');
        put(lines->s, lines->len);
    }
}

static void
write_batch(struct scanner *scan, struct explainer *explainer, const struct port_map *ports)
{
    struct str line = STR_INIT;
    size_t at = 0;

    if (!explainer_prepare(explainer, scan->marks, scan->n_marks)) {
        ctl_fatal("%s", explainer->sb.error);
    }
    for (size_t i = 0; i < scan->n_marks; i++) {
        const struct scan_mark *m = &scan->marks[i];
        put(str_c(&scan->text) + at, m->at - at);
        at = m->at;
        str_puts(&line, m->kind == SCAN_COOKIE ? explainer_text(explainer, m->number) : "");
        if (ports) {
            port_map_put(ports, m, &line);
        }
        put_lines(&line);
        str_clear(&line);
    }
    put(str_c(&scan->text) + at, scan->text.len - at);
    str_free(&line);
    if (fflush(stdout)) {
        ctl_fatal("writing the output failed (%s)", strerror(errno));
    }
    scan_clear(scan);
}

int
main(int argc, char *argv[])
{
    struct scanner scan = SCANNER_INIT;
    struct explainer explainer;
    struct port_map ports;
    size_t n;

    program_set_name(argv[0]);
    free(log_set("console:warn"));
    free(log_set("syslog:off"));
    parse_options(argc, argv);
    struct loop *loop = loop_create();
    explainer_init(&explainer, loop, options.sb, options.nb, !options.any_member);
    if (!source_connect(&explainer.sb)) {
        ctl_fatal("%s", explainer.sb.error);
    }
    if (options.ports && !port_map_init(&ports, loop, options.ovs)) {
        ctl_fatal("%s", ports.ovs.error);
    }
    scan.ports = options.ports;
    char *buffer = xmalloc(BATCH);
    while ((n = read_batch(buffer, BATCH))) {
        scan_feed(&scan, buffer, n);
        write_batch(&scan, &explainer, options.ports ? &ports : NULL);
    }
    scan_end(&scan);
    write_batch(&scan, &explainer, options.ports ? &ports : NULL);
    free(buffer);
    scan_destroy(&scan);
    if (options.ports) {
        port_map_destroy(&ports);
    }
    explainer_destroy(&explainer);
    loop_destroy(loop);
    return EXIT_SUCCESS;
}

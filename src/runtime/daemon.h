/* daemon.h - what every program of ours shares: options, files, detaching, the control socket.
 *
 * Options, files and environment are those of ../shared/reference/operating.md: -v/--verbose,
 * --log-file, --syslog-target, --detach, --pidfile, --overwrite-pidfile, --no-chdir, --monitor,
 * --unixctl, -h/--help, -V/--version. */
#ifndef RUNTIME_DAEMON_H
#define RUNTIME_DAEMON_H 1

#include <getopt.h>
#include "base/str.h"
#include "runtime/loop.h"

/* Directories: the environment (OVN_RUNDIR before OVS_RUNDIR, ...) or the built-in default; no trailing slash. */
const char *dir_run(void);             /* OVN_RUNDIR, OVS_RUNDIR, /var/run/ovn */
const char *dir_ovs_run(void);         /* OVS_RUNDIR, /var/run/openvswitch: where ovs-vswitchd and its db.sock are */
const char *dir_log(void);
const char *dir_db(void);
const char *dir_sysconf(void);         /* e.g. /etc/ovn */
const char *dir_pkgdata(void);         /* schemas */

/* PATH as it is if it begins with a slash, else from the present directory: for what is opened later, when the daemon is in another one. Caller owns. */
char *dir_absolute(const char *path);

/* Long options to splice into a getopt_long() table, handled by daemon_option(). */
enum { DAEMON_OPTION_FIRST = 1000, DAEMON_OPTION_LAST = 1099 };
#define DAEMON_LONG_OPTIONS \
    { "detach", no_argument, NULL, 1000 }, { "no-chdir", no_argument, NULL, 1001 }, \
    { "pidfile", optional_argument, NULL, 1002 }, { "overwrite-pidfile", no_argument, NULL, 1003 }, \
    { "monitor", no_argument, NULL, 1004 }, { "unixctl", required_argument, NULL, 1005 }, \
    { "no-self-confinement", no_argument, NULL, 1006 }, { "user", required_argument, NULL, 1007 }
#define LOG_LONG_OPTIONS \
    { "verbose", optional_argument, NULL, 'v' }, { "log-file", optional_argument, NULL, 1010 }, \
    { "syslog-target", required_argument, NULL, 1011 }, { "syslog-method", required_argument, NULL, 1012 }
/* TLS material, used by runtime/tls.h for ssl: connections. */
#define TLS_LONG_OPTIONS \
    { "private-key", required_argument, NULL, 'p' }, { "certificate", required_argument, NULL, 'c' }, \
    { "ca-cert", required_argument, NULL, 'C' }, { "bootstrap-ca-cert", required_argument, NULL, 1020 }, \
    { "ssl-protocols", required_argument, NULL, 1021 }, { "ssl-ciphers", required_argument, NULL, 1022 }, \
    { "ssl-ciphersuites", required_argument, NULL, 1023 }, { "ssl-server-name", required_argument, NULL, 1024 }
/* What the TLS options said; NULL where they said nothing. */
struct tls_options {
    const char *private_key, *certificate, *ca_cert, *bootstrap_ca_cert;
    const char *protocols, *ciphers, *ciphersuites, *server_name;
};
const struct tls_options *daemon_tls_options(void);
/* True if OPT was one of the above (or 'V': prints the version, ends) and is done with; a bad argument ends the process with a message. */
bool daemon_option(int opt, const char *arg);
void daemon_usage(struct str *);       /* The help text of the options above. */
void print_version(void);              /* -V */
bool daemon_detaching(void);           /* --detach was given. */

/* Detaches (if asked), writes the pidfile, opens the control socket, starts the monitor. The
 * parent of a detached daemon returns to the shell only when daemon_complete() was called or the
 * child failed; a service manager that asked for it ($NOTIFY_SOCKET) hears READY=1. Call before threads and connections exist. */
void daemon_start(struct loop *);
void daemon_complete(void);
/* Runs LOOP until `exit` or SIGTERM/SIGINT/SIGHUP(reopens the log instead); then removes pidfile and socket. */
void daemon_run(struct loop *);
/* Ends the process (EXIT_FAILURE) with a message on stderr and in the log. */
noreturn void daemon_fatal(const char *fmt, ...) PRINTF_LIKE(1, 2);

#endif

/* unixctl.h - the control socket: what ovs-appctl -t PROG and ovn-appctl -t PROG talk to.
 *
 * Protocol: JSON-RPC 1.0 on a Unix stream socket; the method is the command, the parameters are its
 * arguments (strings), the result is the text to print; an error is a text, printed to stderr with
 * exit status 2. RUNDIR/PROG.PID.ctl, or --unixctl. Our own: a request whose id is "log" may be answered with a member "log" besides.
 *
 * A connection that said `set-options --format json` gets results as JSON documents: a text in the wrapping that
 * ovs-appctl(8) documents for commands that have no format of their own, {"reply-format":"plain","reply":TEXT}.
 *
 * Registered from the start: list-commands, version, exit (stops the loop; a daemon that has more to do
 * registers its own), set-options, vlog/... . Registering a name again replaces the command. */
#ifndef RUNTIME_UNIXCTL_H
#define RUNTIME_UNIXCTL_H 1

#include "base/str.h"
#include "runtime/loop.h"

struct unixctl_conn;

/* A command. ARGV[0] is its name. It answers now or later, exactly once, by unixctl_reply() or
 * unixctl_error(). */
typedef void unixctl_cb(struct unixctl_conn *, int argc, const char *argv[], void *aux);

/* USAGE names the arguments for list-commands and messages, e.g. "[MODULE]"; counts exclude the name. */
void unixctl_register(const char *name, const char *usage, int min_args, int max_args, unixctl_cb *,
                      void *aux);
/* TEXT NULL: nothing to print. A line that does not end is ended. */
void unixctl_reply(struct unixctl_conn *, const char *text);
void unixctl_error(struct unixctl_conn *, const char *text);

/* Beside the answer, if the client asked for that (unixctl_call() with LOG): a line for its log. Before the answer. */
void unixctl_log(struct unixctl_conn *, const char *line);
/* CB is called, from the loop, if the peer hangs up before the answer, which is still owed (it goes nowhere). */
void unixctl_on_hang_up(struct unixctl_conn *, void (*cb)(void *aux), void *aux);
/* How many connections there may be (64), and how long a request (1 MB): for commands that take long or much. */
void unixctl_set_limits(size_t max_conns, size_t max_request);

/* Opens the socket; PATH NULL for the default. Message owned by the caller, or NULL. */
char *unixctl_listen(struct loop *, const char *path) MUST_USE;
void unixctl_close(void);
/* The path of the open socket, or NULL. */
const char *unixctl_path(void);

/* The client: runs METHOD on TARGET (a program name, or a path beginning with '/'; see dir_run(),
 * then dir_ovs_run()). Returns an error about reaching it (caller owns) or NULL, with *result or
 * *remote_error set (caller owns). TIMEOUT_MS 0: none. LOG may be NULL; else *log is what unixctl_log() said, or NULL (caller owns). */
char *unixctl_call(const char *target, const char *method, int argc, const char *const argv[],
                   int64_t timeout_ms, char **result, char **remote_error, char **log) MUST_USE;

#endif

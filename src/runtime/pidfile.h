/* pidfile.h - the file that holds a daemon's process id, locked as long as the daemon lives.
 *
 * Being locked, and not merely being there, is what says that the daemon runs: a file that a
 * killed daemon left behind is taken over silently. */
#ifndef RUNTIME_PIDFILE_H
#define RUNTIME_PIDFILE_H 1

#include <sys/types.h>

#include "base/util.h"

/* Creates and locks PATH for this process. If another process holds it and not OVERWRITE, refuses.
 * Message owned by the caller, or NULL. One a process. */
char *pidfile_create(const char *path, bool overwrite) MUST_USE;
/* Removes what this process created; nothing in a child of that process. */
void pidfile_remove(void);
/* The id of the running process that holds PATH: 0, or an errno value (ESRCH: nobody holds it). */
int pidfile_read(const char *path, pid_t *pid) MUST_USE;

#endif

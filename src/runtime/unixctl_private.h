/* unixctl_private.h - between the files of unixctl. */
#ifndef RUNTIME_UNIXCTL_PRIVATE_H
#define RUNTIME_UNIXCTL_PRIVATE_H 1

#include "runtime/loop.h"

/* The id of a request whose client understands the member "log" of an answer. */
#define UNIXCTL_LOG_ID "\"log\""

void unixctl_register_log(void);       /* vlog/... */
void unixctl_register_time(struct loop *);     /* debug/enable-timewarp */

#endif

/* unixctl_private.h - between the files of unixctl. */
#ifndef RUNTIME_UNIXCTL_PRIVATE_H
#define RUNTIME_UNIXCTL_PRIVATE_H 1

void unixctl_register_log(void);       /* vlog/... */

#endif

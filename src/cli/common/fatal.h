/* fatal.h - how a command ends that cannot do what it is asked. */
#ifndef CLI_COMMON_FATAL_H
#define CLI_COMMON_FATAL_H 1

#include "base/util.h"

/* Prints the message, after the program's name, on the standard error and exits with EXIT_FAILURE. */
noreturn void ctl_fatal(const char *fmt, ...) PRINTF_LIKE(1, 2);

#endif

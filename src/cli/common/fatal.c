/* fatal.c - see fatal.h. */
#include "cli/common/fatal.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

void
ctl_fatal(const char *fmt, ...)
{
    va_list args;

    fflush(stdout);
    fprintf(stderr, "%s: ", program_name());
    va_start(args, fmt);
    vfprintf(stderr, fmt, args);
    va_end(args);
    fputc('\n', stderr);
    exit(EXIT_FAILURE);
}

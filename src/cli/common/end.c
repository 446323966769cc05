/* end.c - how a tool ends that could do what it is asked, or whose time is over: with its output, or by SIGALRM. ovn-nbctl(8), OPTIONS, --timeout. */
#include "cli/common/ctl.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include "base/log.h"

LOG_MODULE(fatal_signal);

void
ctl_alarm(void)
{
    LOG_WARN("terminating with signal %d (Alarm clock)", SIGALRM);
    fflush(NULL);
    signal(SIGALRM, SIG_DFL);
    raise(SIGALRM);
    abort();
}

void
ctl_print_out(const char *text, size_t n)
{
    signal(SIGPIPE, SIG_DFL);          /* `ovn-sbctl ... | head` ends without a word, as others do. */
    fwrite(text, 1, n, stdout);
    if (fflush(stdout)) {
        ctl_fatal("write to standard output failed");
    }
    signal(SIGPIPE, SIG_IGN);
}

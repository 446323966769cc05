/* dir.c - the directories of daemon.h, from the environment or built in. A relative one is meant from where the program was started: a daemon goes to / and
 * still has to find it. */
#include <stdlib.h>
#include <unistd.h>

#include "runtime/daemon.h"

char *
dir_absolute(const char *path)
{
    char *cwd = path[0] == '/' ? NULL : getcwd(NULL, 0);
    char *absolute = cwd ? xasprintf("%s/%s", str_eq(cwd, "/") ? "" : cwd, path) : xstrdup(path);

    free(cwd);
    return absolute;
}

/* The first of the variables A and B (NULL: none) that is set, or FALLBACK; kept in *CACHE. */
static const char *
find(char **cache, const char *a, const char *b, const char *fallback)
{
    if (!*cache) {
        const char *dir = a ? getenv(a) : NULL;
        if (!dir || !*dir) {
            dir = b ? getenv(b) : NULL;
        }
        *cache = dir_absolute(dir && *dir ? dir : fallback);
        for (size_t n = strlen(*cache); n > 1 && (*cache)[n - 1] == '/'; n--) {
            (*cache)[n - 1] = '\0';
        }
    }
    return *cache;
}

#define DEFINE_DIR(NAME, A, B, FALLBACK) \
    const char *NAME(void) \
    { \
        static char *cache; \
        return find(&cache, A, B, FALLBACK); \
    }

DEFINE_DIR(dir_run, "OVN_RUNDIR", "OVS_RUNDIR", "/var/run/ovn")
DEFINE_DIR(dir_ovs_run, NULL, "OVS_RUNDIR", "/var/run/openvswitch")
DEFINE_DIR(dir_log, "OVN_LOGDIR", "OVS_LOGDIR", "/var/log/ovn")
DEFINE_DIR(dir_db, "OVN_DBDIR", "OVS_DBDIR", "/var/lib/ovn")
DEFINE_DIR(dir_sysconf, "OVN_SYSCONFDIR", "OVS_SYSCONFDIR", "/etc/ovn")
DEFINE_DIR(dir_pkgdata, "OVN_PKGDATADIR", "OVS_PKGDATADIR", "/usr/share/ovn")

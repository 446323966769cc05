/* privileges.c - see privileges.h, credentials(7), capabilities(7). */
#include "runtime/privileges.h"

#include <errno.h>
#include <grp.h>
#include <linux/capability.h>
#include <pwd.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

static int
keep_capabilities(void)
{
    struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
    struct __user_cap_data_struct data[_LINUX_CAPABILITY_U32S_3] = { 0 };

    data[0].effective = data[0].permitted = 1u << CAP_NET_BIND_SERVICE | 1u << CAP_IPC_LOCK;
    return syscall(SYS_capset, &header, data);
}

static char *
become(uid_t uid, gid_t gid, const char *user)
{
    if (prctl(PR_SET_KEEPCAPS, 1)
        || (user ? initgroups(user, gid) : setgroups(1, &gid)) || setresgid(gid, gid, gid)
        || setresuid(uid, uid, uid) || keep_capabilities()) {
        return xasprintf("cannot change user or group: %s", strerror(errno));
    }
    return NULL;
}

char *
privileges_drop(const char *spec, const char *log_file)
{
    char *user = xstrndup(spec, strcspn(spec, ":"));
    const char *colon = strchr(spec, ':');
    uid_t uid = getuid();
    gid_t gid = getgid();
    char *error = NULL;

    if (geteuid()) {
        error = xstrdup("--user: only root may change its user");
    }
    if (!error && *user) {
        const struct passwd *pw = getpwnam(user);
        if (pw) {
            uid = pw->pw_uid;
            gid = pw->pw_gid;
        } else {
            error = xasprintf("--user: user %s not found", user);
        }
    }
    if (!error && colon && colon[1]) {
        const struct group *gr = getgrnam(colon + 1);
        if (gr) {
            gid = gr->gr_gid;
        } else {
            error = xasprintf("--user: group %s not found", colon + 1);
        }
    }
    if (!error && log_file && chown(log_file, uid, gid) && errno != ENOENT) {
        error = xasprintf("--user: %s: %s", log_file, strerror(errno));
    }
    if (!error) {
        error = become(uid, gid, *user ? user : NULL);
    }
    free(user);
    return error;
}

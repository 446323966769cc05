/* pidfile.c - see pidfile.h.
 *
 * The lock is a POSIX record lock, as other tools around an OVN look for one (F_GETLK). It is not
 * inherited by fork(), and closing any descriptor of the file gives it up: the one in `own` stays
 * open, and nobody here opens the file again. */
#include "runtime/pidfile.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

static struct {
    char *path;
    int fd;
    pid_t pid;
} own = { .fd = -1 };

static int
set_lock(int fd, int command, struct flock *l)
{
    *l = (struct flock) { .l_type = F_WRLCK, .l_whence = SEEK_SET };
    return fcntl(fd, command, l) ? errno : 0;
}

/* Opens and locks PATH. 0; EAGAIN with *HOLDER; another errno value. */
static int
open_locked(const char *path, int *fdp, pid_t *holder)
{
    enum { TRIES = 10 };

    for (int i = 0; i < TRIES; i++) {
        struct stat opened, there;
        struct flock l;
        int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0644);
        if (fd < 0) {
            return errno;
        }
        int error = set_lock(fd, F_SETLK, &l);
        if (!error && !fstat(fd, &opened) && !stat(path, &there) && opened.st_ino == there.st_ino
            && opened.st_dev == there.st_dev) {
            *fdp = fd;
            return 0;
        }
        if (error == EAGAIN || error == EACCES) {
            /* If it let go just now (F_UNLCK), or its file went in between: again. */
            if (!set_lock(fd, F_GETLK, &l) && l.l_type != F_UNLCK) {
                *holder = l.l_pid;
                close(fd);
                return EAGAIN;
            }
            error = 0;
        }
        close(fd);
        if (error) {
            return error;
        }
    }
    return EBUSY;
}

char *
pidfile_create(const char *path, bool overwrite)
{
    pid_t holder = 0;
    int fd;

    int error = open_locked(path, &fd, &holder);
    if (error == EAGAIN && overwrite) {
        unlink(path);
        error = open_locked(path, &fd, &holder);
    }
    if (error == EAGAIN) {
        return xasprintf("%s: already running as pid %ld, aborting", path, (long) holder);
    } else if (error) {
        return xasprintf("%s: create failed (%s)", path, strerror(error));
    }

    char text[24];
    int n = snprintf(text, sizeof text, "%ld\n", (long) getpid());
    if (pwrite(fd, text, n, 0) != n || ftruncate(fd, n)) {
        error = errno;
        unlink(path);
        close(fd);
        return xasprintf("%s: write failed (%s)", path, strerror(error));
    }
    own.path = xstrdup(path);
    own.fd = fd;
    own.pid = getpid();
    return NULL;
}

void
pidfile_remove(void)
{
    struct stat opened, there;

    if (own.fd < 0 || own.pid != getpid()) {
        return;
    }
    /* Not the file of one who overwrote ours. */
    if (!fstat(own.fd, &opened) && !stat(own.path, &there) && opened.st_ino == there.st_ino
        && opened.st_dev == there.st_dev) {
        unlink(own.path);
    }
    close(own.fd);
    own.fd = -1;
    free(own.path);
    own.path = NULL;
}

int
pidfile_read(const char *path, pid_t *pid)
{
    struct flock l;
    char text[24];
    int64_t value;

    int fd = open(path, O_RDWR | O_CLOEXEC);
    if (fd < 0) {
        return errno;
    }
    ssize_t n = read(fd, text, sizeof text - 1);
    int error = n < 0 ? errno : set_lock(fd, F_GETLK, &l);
    close(fd);
    if (error) {
        return error;
    }
    if (l.l_type == F_UNLCK) {
        return ESRCH;
    }
    text[n] = '\0';
    text[strcspn(text, "\n")] = '\0';
    if (!str_to_int(text, 1, INT32_MAX, &value)) {
        return EINVAL;
    }
    *pid = value;
    return 0;
}

/* child.c - runs another program: ovs-ofctl, dot. */
#include "cli/ovs/ovs.h"

#include <errno.h>
#include <fcntl.h>
#include <spawn.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

extern char **environ;

/* A file that holds INPUT. -1: no. */
static int
file_of(const char *input, size_t n)
{
    int fd = memfd_create("input", MFD_CLOEXEC);

    for (size_t done = 0; fd >= 0 && done < n;) {
        ssize_t m = write(fd, input + done, n - done);
        if (m > 0) {
            done += m;
        } else if (m == 0 || errno != EINTR) {
            close(fd);
            fd = -1;
        }
    }
    if (fd >= 0) {
        lseek(fd, 0, SEEK_SET);
    }
    return fd;
}

bool
child_run(const char *const argv[], const char *input, size_t n_input, bool errors_too, struct str *out)
{
    posix_spawn_file_actions_t actions;
    int fds[2], status = 0, in = file_of(input, n_input);
    pid_t pid;
    char buf[4096];
    ssize_t n;

    if (in < 0 || pipe2(fds, O_CLOEXEC)) {
        return false;
    }
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, in, STDIN_FILENO);
    posix_spawn_file_actions_adddup2(&actions, fds[1], STDOUT_FILENO);
    if (errors_too) {
        posix_spawn_file_actions_adddup2(&actions, fds[1], STDERR_FILENO);
    } else {
        posix_spawn_file_actions_addopen(&actions, STDERR_FILENO, "/dev/null", O_WRONLY, 0);
    }
    int error = posix_spawnp(&pid, argv[0], &actions, NULL, (char *const *) argv, environ);
    posix_spawn_file_actions_destroy(&actions);
    close(fds[1]);
    close(in);
    while (!error && ((n = read(fds[0], buf, sizeof buf)) > 0 || (n < 0 && errno == EINTR))) {
        str_put(out, buf, MAX(n, 0));
    }
    close(fds[0]);
    return !error && waitpid(pid, &status, 0) == pid && WIFEXITED(status) && !WEXITSTATUS(status);
}

/* socket.c - see socket.h. */
#include "runtime/socket.h"

#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "runtime/daemon.h"

enum { BACKLOG = 256 };

/* Fills UN with a name for PATH; *DIR_FD is to be kept until the name was used, -1 if there is none. */
static int
name_unix(const char *path, struct sockaddr_un *un, int *dir_fd)
{
    *dir_fd = -1;
    memset(un, 0, sizeof *un);
    un->sun_family = AF_UNIX;
    if (strlen(path) < sizeof un->sun_path) {
        strcpy(un->sun_path, path);
        return 0;
    }

    const char *slash = strrchr(path, '/');
    if (!slash) {
        return ENAMETOOLONG;
    }
    char *dir = xstrndup(path, slash > path ? slash - path : 1);
    *dir_fd = open(dir, O_PATH | O_DIRECTORY | O_CLOEXEC);
    free(dir);
    if (*dir_fd < 0) {
        return errno;
    }
    int n = snprintf(un->sun_path, sizeof un->sun_path, "/proc/self/fd/%d%s", *dir_fd, slash);
    return n < (int) sizeof un->sun_path ? 0 : ENAMETOOLONG;
}

/* A socket bound or connected to PATH. An errno value, or 0 and *FDP. */
static int
open_unix(const char *path, int (*use)(int, const struct sockaddr *, socklen_t), int *fdp)
{
    struct sockaddr_un un;
    int dir_fd;
    int fd = -1;
    int error = name_unix(path, &un, &dir_fd);

    if (!error) {
        fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
        /* The mode of the file that bind() makes, less the umask: owner and group (Linux). */
        if (fd < 0 || fchmod(fd, 0770) || use(fd, (struct sockaddr *) &un, sizeof un)) {
            error = errno == EINPROGRESS ? 0 : errno;
        }
    }
    if (dir_fd >= 0) {
        close(dir_fd);
    }
    if (error && fd >= 0) {
        close(fd);
        fd = -1;
    }
    *fdp = fd;
    return error;
}

/* A relative name is one in the run directory (Open vSwitch's, whose habit this is; else ours), or, if there is none, here. */
static char *
find_unix(const char *path)
{
    const char *const dirs[] = { dir_ovs_run(), dir_run() };

    for (size_t i = 0; i < ARRAY_SIZE(dirs) && path[0] != '/'; i++) {
        char *there = xasprintf("%s/%s", dirs[i], path);
        if (!access(there, F_OK)) {
            return there;
        }
        free(there);
    }
    return xstrdup(path);
}

int
socket_connect_unix(const char *path, char **errorp)
{
    char *found = find_unix(path);
    int fd;
    int error = open_unix(found, connect, &fd);

    free(found);
    *errorp = error ? xasprintf("%s: connect: %s", path, strerror(error)) : NULL;
    errno = error;
    return fd;
}

int
socket_listen_unix(const char *path, char **errorp)
{
    struct stat st;
    int fd;

    if (!lstat(path, &st) && S_ISSOCK(st.st_mode)) {
        unlink(path);
    }
    int error = open_unix(path, bind, &fd);
    if (!error && listen(fd, BACKLOG)) {
        error = errno;
        close(fd);
        fd = -1;
    }
    *errorp = error ? xasprintf("%s: bind: %s", path, strerror(error)) : NULL;
    errno = error;
    return fd;
}

/* Splits "[HOST]:PORT", "HOST:PORT", "HOST" (which may be a bare IPv6 address). */
static bool
split_host_port(const char *s, char **host, const char **port)
{
    const char *end;

    *host = NULL;
    *port = NULL;
    if (*s == '[') {
        end = strchr(++s, ']');
        if (!end || (end[1] && end[1] != ':')) {
            return false;
        }
        *port = end[1] ? end + 2 : NULL;
    } else {
        end = strchr(s, ':');
        if (end && !strchr(end + 1, ':')) {
            *port = end + 1;
        } else {
            end = s + strlen(s);
        }
    }
    *host = xstrndup(s, end - s);
    return true;
}

/* The first address of HOST (NULL or "": any local one, for listening), with PORT. */
static struct addrinfo *
look_up(const char *host, const char *port, int flags, char **errorp)
{
    struct addrinfo hints = { .ai_socktype = SOCK_STREAM, .ai_flags = AI_NUMERICSERV | flags };
    struct addrinfo *list;

    if (host && !*host) {
        host = NULL;
    }
    hints.ai_flags |= AI_NUMERICHOST;
    int error = getaddrinfo(host, port, &hints, &list);
    if (error == EAI_NONAME && host) {
        hints.ai_flags &= ~AI_NUMERICHOST;
        error = getaddrinfo(host, port, &hints, &list);
    }
    if (error) {
        *errorp = xasprintf("%s: %s", host ? host : "*", gai_strerror(error));
        return NULL;
    }
    return list;
}

/* PORT's text checked, or DEFAULT_PORT's in BUF. */
static const char *
choose_port(const char *port, int default_port, int min, char buf[8])
{
    int64_t n;

    if (!port || !*port) {
        n = default_port;
    } else if (!str_to_int(port, min, 65535, &n)) {
        return NULL;
    }
    if (n < min) {
        return NULL;
    }
    snprintf(buf, 8, "%d", (int) n);
    return buf;
}

int
socket_connect_tcp(const char *host_port, int default_port, char **errorp)
{
    char buf[8], *host;
    const char *port;
    struct addrinfo *ai = NULL;
    int fd = -1, one = 1;

    *errorp = NULL;
    if (!split_host_port(host_port, &host, &port) || !*host
        || !(port = choose_port(port, default_port, 1, buf))) {
        *errorp = xasprintf("%s: not of the form HOST:PORT", host_port);
    } else {
        ai = look_up(host, port, 0, errorp);
    }
    if (ai) {
        fd = socket(ai->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
        if (fd < 0 || setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one)
            || (connect(fd, ai->ai_addr, ai->ai_addrlen) && errno != EINPROGRESS)) {
            *errorp = xasprintf("%s: connect: %s", host_port, strerror(errno));
            if (fd >= 0) {
                close(fd);
                fd = -1;
            }
        }
        freeaddrinfo(ai);
    }
    free(host);
    return fd;
}

int
socket_listen_tcp(const char *port_host, int default_port, char **errorp)
{
    char buf[8];
    const char *colon = strchr(port_host, ':');
    char *port = colon ? xstrndup(port_host, colon - port_host) : xstrdup(port_host);
    char *host = NULL;
    const char *rest, *service;
    struct addrinfo *ai = NULL;
    int fd = -1, one = 1;

    *errorp = NULL;
    if (!(service = choose_port(port, default_port, 0, buf))
        || (colon && (!split_host_port(colon + 1, &host, &rest) || rest))) {
        *errorp = xasprintf("%s: not of the form PORT[:HOST]", port_host);
    } else {
        ai = look_up(host, service, AI_PASSIVE, errorp);
    }
    if (ai) {
        fd = socket(ai->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
        if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one)
            || bind(fd, ai->ai_addr, ai->ai_addrlen) || listen(fd, BACKLOG)) {
            *errorp = xasprintf("%s: listen: %s", port_host, strerror(errno));
            if (fd >= 0) {
                close(fd);
                fd = -1;
            }
        }
        freeaddrinfo(ai);
    }
    free(host);
    free(port);
    return fd;
}

int
socket_accept(int listener)
{
    return accept4(listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
}

int
socket_port(int fd)
{
    struct sockaddr_in6 sa;        /* The port stands at the same place in sockaddr_in. */
    socklen_t len = sizeof sa;

    if (getsockname(fd, (struct sockaddr *) &sa, &len)
        || (sa.sin6_family != AF_INET && sa.sin6_family != AF_INET6)) {
        return 0;
    }
    return ntohs(sa.sin6_port);
}

int
socket_error(int fd)
{
    struct pollfd p = { .fd = fd, .events = POLLOUT };
    int error = 0;
    socklen_t len = sizeof error;

    if (poll(&p, 1, 0) == 0) {
        return EINPROGRESS;
    }
    return getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &len) ? errno : error;
}

/* socket.h - stream sockets: Unix and TCP, listening and connecting, never blocking.
 *
 * Unix paths may be longer than the 107 bytes of sockaddr_un: the directory is then opened and the
 * socket named through /proc/self/fd. Every descriptor is close-on-exec and non-blocking. Functions
 * that return a descriptor return -1 on failure, with *errorp a message that the caller owns; those for
 * Unix sockets set errno too. */
#ifndef RUNTIME_SOCKET_H
#define RUNTIME_SOCKET_H 1

#include "base/util.h"

/* A connection, perhaps still in progress: when it becomes writable, socket_error() tells. */
int socket_connect_unix(const char *path, char **errorp) MUST_USE;
/* HOST[:PORT], IPv6 in brackets: "192.0.2.1:6642", "[::1]:6642", "[fe80::1%eth0]". A host that is
 * no numeric address is looked up, which blocks. DEFAULT_PORT 0: the port must be given. */
int socket_connect_tcp(const char *host_port, int default_port, char **errorp) MUST_USE;

/* Replaces a socket that stands at PATH (not any other kind of file). */
int socket_listen_unix(const char *path, char **errorp) MUST_USE;
/* [PORT][:HOST], as in ovsdb(7): "6641:0.0.0.0", "6641:[::1]". Port 0: the system chooses. */
int socket_listen_tcp(const char *port_host, int default_port, char **errorp) MUST_USE;
/* The next connection, or -1: none now (or none that could be accepted). */
int socket_accept(int listener);
/* The port a TCP listener has, or 0. */
int socket_port(int fd);

/* Why the connection failed (an errno value), 0 if it did not; EINPROGRESS while it is not decided. */
int socket_error(int fd);

#endif

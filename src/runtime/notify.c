/* notify.c - see notify.h. The protocol is a datagram of VARIABLE=VALUE lines, as sd_notify(3) describes it. */
#include "runtime/notify.h"

#include <errno.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/log.h"

LOG_MODULE(notify);

void
notify_service_manager(const char *state)
{
    const char *name = getenv("NOTIFY_SOCKET");
    struct sockaddr_un un = { .sun_family = AF_UNIX };
    size_t n = name ? strlen(name) : 0;

    if (!n) {
        return;
    }
    if ((name[0] != '/' && name[0] != '@') || n >= sizeof un.sun_path) {
        LOG_WARN("$NOTIFY_SOCKET (%s) is not a socket's name", name);
        return;
    }
    memcpy(un.sun_path, name, n);
    if (name[0] == '@') {
        un.sun_path[0] = '\0';
    }
    int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0 || sendto(fd, state, strlen(state), MSG_NOSIGNAL, (struct sockaddr *) &un,
                         offsetof(struct sockaddr_un, sun_path) + n) < 0) {
        LOG_WARN("cannot tell the service manager (%s): %s", name, strerror(errno));
    }
    if (fd >= 0) {
        close(fd);
    }
}

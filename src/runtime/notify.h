/* notify.h - telling the service manager what has become of us: sd_notify(3)'s protocol. */
#ifndef RUNTIME_NOTIFY_H
#define RUNTIME_NOTIFY_H 1

#include "base/util.h"

/* Sends STATE ("READY=1", "STOPPING=1", ...; newline between several) as one datagram to the socket that
 * $NOTIFY_SOCKET names: a path, or @NAME in the abstract namespace. Without the variable, which is every
 * start that is not by a service manager, and with one that nobody hears, nothing happens. */
void notify_service_manager(const char *state);

#endif

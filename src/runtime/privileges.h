/* privileges.h - --user: becoming somebody else. */
#ifndef RUNTIME_PRIVILEGES_H
#define RUNTIME_PRIVILEGES_H 1

#include "base/util.h"

/* SPEC is USER[:[GROUP]] or :GROUP. Of root's capabilities, binding low ports and locking memory stay.
 * Only root may. Message owned by the caller, or NULL. */
char *privileges_drop(const char *spec) MUST_USE;

#endif

/* privileges.h - --user: becoming somebody else. */
#ifndef RUNTIME_PRIVILEGES_H
#define RUNTIME_PRIVILEGES_H 1

#include "base/util.h"

/* SPEC is USER[:[GROUP]] or :GROUP. Of root's capabilities, binding low ports and locking memory stay.
 * LOG_FILE (NULL: none) becomes theirs, so that they can open it again. Only root may. Message owned
 * by the caller, or NULL. */
char *privileges_drop(const char *spec, const char *log_file) MUST_USE;

#endif

/* version.h - which logical language a build speaks: ovn-controller(8), "ovn-match-northd-version". */
#ifndef LOGICAL_VERSION_H
#define LOGICAL_VERSION_H 1

#include "base/util.h"

/* "PROGRAM-SCHEMA-SYMBOLS.REVISION", SCHEMA being the version of the southbound schema that the program was built with: what northd says of itself in the option
 * northd_internal_version, and what a controller of the same build expects there. The caller's to free. */
char *logical_internal_version(const char *schema);

#endif

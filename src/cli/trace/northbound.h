/* northbound.h - the northbound object behind a flow, by name. */
#ifndef CLI_TRACE_NORTHBOUND_H
#define CLI_TRACE_NORTHBOUND_H 1

#include "ovsdb/ovsdb.h"

/* Says which tables are wanted. */
void northbound_use(struct ovsdb *nb);
/* Describes the row whose UUID begins with HINT ("ACL "x" (...), UUID ...,"). False: there is none. */
bool northbound_put(struct ovsdb *nb, const char *hint, struct str *) MUST_USE;

#endif

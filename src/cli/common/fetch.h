/* fetch.h - getting from the server what a line needs, and no more.
 *
 * Rows are read by "select", not by monitoring: the server walks a whole table to begin any monitor of it, even one of no rows. Rows by
 * UUID cost the server nothing; a name that is unique (an index of the schema) is looked up in the server's index (see
 * fetch.c); for any other condition the server walks the table. */
#ifndef CLI_COMMON_FETCH_H
#define CLI_COMMON_FETCH_H 1

#include "cli/common/ctl.h"

/* Asks for what ctl->needs has and the store has not. Calls CB when it has arrived (from the loop), with NULL, or why it did not:
 * a message, or CTL_AGAIN if the connection broke. False: there is nothing to ask for. */
bool fetch_start(struct ctl *, void (*cb)(void *aux, const char *error), void *aux) MUST_USE;
/* What was asked for is not wanted any more: CB will not be called. */
void fetch_cancel(struct ctl *);
/* Everything must be fetched anew. */
void fetch_forget(struct ctl *);
/* Whether the server has an index of COLUMN of T alone, by which fetch_start() looks texts up. */
bool fetch_is_indexed(const struct ovsdb_table_desc *, uint16_t column);

#endif

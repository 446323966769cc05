/* describe.h - a row in one line, by a template: what ovn-detrace and ovn-trace --why call things.
 *
 * A template is text, in which
 *
 *   %column   is the column's value as it stands; of a set its first element, nothing if it is empty
 *   $column   the same of columns of one value; optional ones and sets are ['a', 'b'], maps {'k': 'v'} (as Debian's ovn-detrace writes them)
 *   ?column   nothing, but see the next line
 *   [...]     is left out if a column in it is empty (no element, "", false)
 *
 * Control characters become escapes, so the line stays one. */
#ifndef CLI_COMMON_DESCRIBE_H
#define CLI_COMMON_DESCRIBE_H 1

#include "cli/common/datum.h"

/* The columns that a template names. A column that the table lacks is a mistake of the program. */
uint64_t describe_columns(const struct ovsdb_table_desc *, const char *template);
/* Appends the row whose columns are CELLS, by their index; one that was not fetched is empty. */
void describe_row(const struct ovsdb_table_desc *, const char *template, const struct datum *cells, struct str *);
/* TEXT with control characters as escapes. */
void describe_text(const char *text, struct str *);

#endif

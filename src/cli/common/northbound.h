/* northbound.h - what a logical flow may come from: the northbound tables whose rows external_ids:stage-hint names, and how to call such a row. */
#ifndef CLI_COMMON_NORTHBOUND_H
#define CLI_COMMON_NORTHBOUND_H 1

#include "cli/common/describe.h"

struct northbound_kind {
    const struct ovsdb_table_desc *table;
    const char *line;                  /* Templates (describe.h): for a list, */
    const char *sentence;              /* and within a sentence. */
};
extern const struct northbound_kind northbound_kinds[];
extern const size_t n_northbound_kinds;

#endif

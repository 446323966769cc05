/* database.h - between database.c (the table of the generic commands, and those that read) and write.c (those that write). */
#ifndef CLI_COMMON_DATABASE_H
#define CLI_COMMON_DATABASE_H 1

#include "cli/common/ctl.h"

/* The table that the first argument names. */
const char *database_need_table(struct ctl *, const struct ovsdb_table_desc **) MUST_USE;
/* --id=NAME: the symbol, defined now. */
const char *database_define_symbol(struct ctl *, const char *name, struct ctl_symbol **) MUST_USE;

const char *database_write_needs(struct ctl *);
const char *database_set(struct ctl *);
const char *database_add(struct ctl *);
const char *database_remove(struct ctl *);
const char *database_clear(struct ctl *);
const char *database_create_needs(struct ctl *);
const char *database_create(struct ctl *);
const char *database_destroy_needs(struct ctl *);
const char *database_destroy(struct ctl *);

#endif

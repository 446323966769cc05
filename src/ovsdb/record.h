/* record.h - a row to be written: values for some columns of one table, independent of any replica.
 *
 *     struct ovsdb_record *r = ovsdb_record_create(&sb_table_port_binding);
 *     ovsdb_record_str(r, SB_PORT_BINDING_LOGICAL_PORT, "vm1");
 *     ovsdb_record_add_str(r, SB_PORT_BINDING_MAC, "0a:00:00:00:00:01 10.0.0.1");
 *
 * Values are checked against the column's type (a wrong type is a bug: REQUIRE). Elements of sets and maps may be added in any
 * order and twice. Digest and JSON are canonical: two records with the same content have the same ones, and a row
 * of a replica has the digest of the record that made it. A column that was not set has no part in
 * either; ovsdb_record_empty() sets a column to the empty set. Columns set to their default value (RFC 7047 5.2.1: 0, "", false, empty)
 * count as not set for the digest, so that an older server's missing column, or one never written, compares equal. */
#ifndef OVSDB_RECORD_H
#define OVSDB_RECORD_H 1

#include "ovsdb/types.h"

struct ovsdb_record;

struct ovsdb_record *ovsdb_record_create(const struct ovsdb_table_desc *);
void ovsdb_record_destroy(struct ovsdb_record *);
void ovsdb_record_reset(struct ovsdb_record *);        /* Sets no column; keeps the memory. */
const struct ovsdb_table_desc *ovsdb_record_table(const struct ovsdb_record *);
uint64_t ovsdb_record_columns(const struct ovsdb_record *);   /* Mask of the columns that are set. */

/* Columns of shape ONE or OPT. */
void ovsdb_record_int(struct ovsdb_record *, uint16_t column, int64_t);
void ovsdb_record_real(struct ovsdb_record *, uint16_t column, double);
void ovsdb_record_bool(struct ovsdb_record *, uint16_t column, bool);
void ovsdb_record_str(struct ovsdb_record *, uint16_t column, const char *);
void ovsdb_record_uuid(struct ovsdb_record *, uint16_t column, const struct uuid *);
/* Columns of shape SET (or OPT). */
void ovsdb_record_empty(struct ovsdb_record *, uint16_t column);
void ovsdb_record_add_int(struct ovsdb_record *, uint16_t column, int64_t);
void ovsdb_record_add_str(struct ovsdb_record *, uint16_t column, const char *);
void ovsdb_record_add_uuid(struct ovsdb_record *, uint16_t column, const struct uuid *);
/* Columns of shape MAP, strings to strings. A key added again replaces. */
void ovsdb_record_map(struct ovsdb_record *, uint16_t column, const char *key, const char *value);
void ovsdb_record_map_uuid(struct ovsdb_record *, uint16_t column, const char *key, const struct uuid *value);    /* Strings to UUIDs. */
/* A copy of what ROW (of the same table, kept in a replica) has in COLUMN. */
void ovsdb_record_copy(struct ovsdb_record *, uint16_t column, const struct ovsdb_row *);
/* Whether COLUMN, set here, equals what ROW has. */
bool ovsdb_record_equals(const struct ovsdb_record *, uint16_t column, const struct ovsdb_row *);
/* A value given as JSON text in OVSDB notation (RFC 7047 5.1), e.g. from the command line. A message (caller owns) or NULL. */
char *ovsdb_record_json_value(struct ovsdb_record *, uint16_t column, const char *json, size_t n) MUST_USE;

/* What COLUMN of RECORD has (its keys, for a map) that BASE does not allow: a message, the caller's, or NULL. */
char *ovsdb_record_check(const struct ovsdb_record *, uint16_t column, const struct ovsdb_base_desc *base) MUST_USE;

struct digest ovsdb_record_digest(const struct ovsdb_record *, uint64_t columns);
struct digest ovsdb_row_digest(const struct ovsdb_row *, uint64_t columns);
/* Appends {"column":value,...} for the columns that are set and in COLUMNS. */
void ovsdb_record_put_json(const struct ovsdb_record *, uint64_t columns, struct str *);
/* Appends the value of COLUMN, which is set, in the notation of RFC 7047 5.1. */
void ovsdb_record_put_value(const struct ovsdb_record *, uint16_t column, struct str *);

#endif

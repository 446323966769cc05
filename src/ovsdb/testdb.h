/* testdb.h - a small database with a column of every shape, for the tests of this room. */
#ifndef OVSDB_TESTDB_H
#define OVSDB_TESTDB_H 1

#include "base/test.h"
#include "ovsdb/rows.h"

enum { P_NAME, P_TAG, P_WEIGHT, P_UP, P_OPT, P_OPTNAME, P_ADDRS, P_NUMS, P_OPTIONS, P_SWITCH, P_PEERS, P_LINKS, P_ID, P_N };
enum { S_NAME, S_PORTS, S_FIRST, S_N };

struct port {
    struct ovsdb_row row_;
    union ovsdb_atom name, tag, weight, up;
    struct ovsdb_opt opt, optname;
    struct ovsdb_set addrs, nums;
    struct ovsdb_map options;
    union ovsdb_atom sw;
    struct ovsdb_set peers;
    struct ovsdb_map links;
    union ovsdb_atom id;
};
struct sw {
    struct ovsdb_row row_;
    union ovsdb_atom name;
    struct ovsdb_set ports;
    struct ovsdb_opt first;
};

static const struct ovsdb_table_desc test_tables[2];
#define T_PORT (&test_tables[0])
#define T_SWITCH (&test_tables[1])
#define INT_ { .type = OVSDB_INTEGER, .min_integer = INT64_MIN, .max_integer = INT64_MAX }
#define TXT_ { .type = OVSDB_STRING }
#define REF_(T) { .type = OVSDB_UUID, .ref = T }
static const char *const test_enum[] = { "", "red", "green", NULL };
static const struct ovsdb_column_desc port_columns[] = {
    { "name", OVSDB_ONE, TXT_, .min = 1, .max = 1, .offset = offsetof(struct port, name), .index = P_NAME },
    { "tag", OVSDB_ONE, { .type = OVSDB_INTEGER, .min_integer = 0, .max_integer = 4095 }, .min = 1, .max = 1,
      .offset = offsetof(struct port, tag), .index = P_TAG },
    { "weight", OVSDB_ONE, { .type = OVSDB_REAL }, .min = 1, .max = 1, .offset = offsetof(struct port, weight), .index = P_WEIGHT },
    { "up", OVSDB_ONE, { .type = OVSDB_BOOLEAN }, .min = 1, .max = 1, .offset = offsetof(struct port, up), .index = P_UP },
    { "opt", OVSDB_OPT, INT_, .max = 1, .offset = offsetof(struct port, opt), .index = P_OPT },
    { "optname", OVSDB_OPT, { .type = OVSDB_STRING, .enum_strings = test_enum }, .max = 1, .offset = offsetof(struct port, optname), .index = P_OPTNAME },
    { "addrs", OVSDB_SET, TXT_, .max = UINT32_MAX, .offset = offsetof(struct port, addrs), .index = P_ADDRS },
    { "nums", OVSDB_SET, INT_, .max = UINT32_MAX, .offset = offsetof(struct port, nums), .index = P_NUMS },
    { "options", OVSDB_MAP, TXT_, TXT_, .max = UINT32_MAX, .offset = offsetof(struct port, options), .index = P_OPTIONS },
    { "switch", OVSDB_ONE, REF_(T_SWITCH), .min = 1, .max = 1, .offset = offsetof(struct port, sw), .index = P_SWITCH, .referrer_bit = S_N },
    { "peers", OVSDB_SET, REF_(T_PORT), .max = UINT32_MAX, .offset = offsetof(struct port, peers), .index = P_PEERS, .referrer_bit = P_N },
    { "links", OVSDB_MAP, TXT_, REF_(T_SWITCH), .max = UINT32_MAX, .offset = offsetof(struct port, links), .index = P_LINKS, .referrer_bit = S_N + 1 },
    { "id", OVSDB_ONE, { .type = OVSDB_UUID }, .min = 1, .max = 1, .offset = offsetof(struct port, id), .index = P_ID },
};
static const struct ovsdb_column_desc switch_columns[] = {
    { "name", OVSDB_ONE, TXT_, .min = 1, .max = 1, .offset = offsetof(struct sw, name), .index = S_NAME },
    { "ports", OVSDB_SET, REF_(T_PORT), .max = UINT32_MAX, .offset = offsetof(struct sw, ports), .index = S_PORTS, .referrer_bit = P_N + 1 },
    { "first", OVSDB_OPT, REF_(T_PORT), .max = 1, .offset = offsetof(struct sw, first), .index = S_FIRST, .referrer_bit = P_N + 2 },
};
static const struct ovsdb_db_desc test_desc;
static const struct ovsdb_table_desc test_tables[2] = {
    { "Port", &test_desc, port_columns, P_N, 0, sizeof(struct port) },
    { "Switch", &test_desc, switch_columns, S_N, 1, sizeof(struct sw) },
};
static const struct ovsdb_db_desc test_desc = { "Test", "1.0.0", test_tables, 2 };

static int monitor_changes;

/* What session.c has. */
void
ovsdb_session_monitor_changed(struct ovsdb *db)
{
    monitor_changes++;
}

static UNUSED struct ovsdb *
db_new(void)
{
    struct ovsdb *db = XNEW(struct ovsdb);
    db->desc = &test_desc;
    ovsdb_replica_init(db);
    return db;
}

static UNUSED void
db_free(struct ovsdb *db)
{
    ovsdb_replica_destroy(db);
    free(db);
}

static UNUSED char *
db_apply(struct ovsdb *db, enum ovsdb_update_kind kind, const char *json)
{
    struct json_reader r;
    /* A copy of the exact size: reading beyond it would be seen. */
    char *text = xmemdup(json, strlen(json));
    json_reader_init(&r, text, strlen(json));
    json_next(&r);
    char *error = ovsdb_replica_apply(db, &r, kind);
    json_reader_destroy(&r);
    free(text);
    return error;
}

static UNUSED void
db_ok(struct ovsdb *db, enum ovsdb_update_kind kind, const char *json)
{
    char *error = db_apply(db, kind, json);
    if (error) {
        fail_msg("%s: %s", json, error);
    }
}

static struct uuid UNUSED
test_uuid(uint32_t table, uint32_t n)
{
    return (struct uuid) { { 0x1000 * table + n, n * 2654435761u, table, n } };
}

#endif

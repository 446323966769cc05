/* connection.h - get-connection, del-connection, set-connection: the same commands over the tables of two databases. */
#ifndef CLI_COMMON_CONNECTION_H
#define CLI_COMMON_CONNECTION_H 1

#include "cli/common/ctl.h"

/* Where a database keeps how its server listens. */
struct connection_schema {
    const struct ovsdb_table_desc *global, *connection;
    uint16_t connections;              /* Of `global`: references. */
    uint16_t target, inactivity_probe; /* Of `connection`. */
    const struct ovsdb_table_desc *ssl;
    uint16_t global_ssl;
    bool roles;                        /* It has the next two: read-only and role= are understood. */
    uint16_t read_only, role;
};
extern const struct connection_schema connection_schema;       /* The program's own. */
extern const struct ctl_group ctl_ssl_group;
extern const struct ctl_group ctl_connection_group;

#endif

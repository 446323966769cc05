/* world.h - the logical network as ovn-trace sees it: datapaths, ports, flows and bindings, from the southbound database.
 *
 * A world is made for one trace, over the replica as it is then; the loop must not run before it is destroyed. What a trace does not come by
 * costs nothing: a datapath's ports and flows are gathered when a packet first enters it, and a flow is parsed when it is first looked at. */
#ifndef CLI_TRACE_WORLD_H
#define CLI_TRACE_WORLD_H 1

#include "logical/action.h"
#include "logical/arena.h"
#include "ovsdb/ovsdb.h"
#include "schema/sb.h"

struct flow {
    struct sb_logical_flow *row;
    enum logical_pipeline pipeline;
    uint8_t table;
    int priority;
    struct expr *match;                /* NULL: not looked at yet, or not understood. */
    struct actions *actions;
    bool parsed;
    bool trivial;                      /* match 1, action next: nobody wants to see it. */
};

struct datapath;
struct port {
    struct hmap_node node;             /* In its datapath, by key. */
    struct sb_port_binding *row;
    struct datapath *dp;
    uint32_t key;
    const char *name, *friendly, *type;
};
struct group {
    struct hmap_node node;
    struct sb_multicast_group *row;
    uint32_t key;
    const char *name;
};
struct datapath {
    struct hmap_node node;             /* By the row's address. */
    struct world *world;
    struct sb_datapath_binding *row;
    char *name, *friendly;
    bool gateway;                      /* A router with an l3gateway port. */
    bool loaded;
    struct hmap ports, groups;         /* By key. */
    struct flow *flows;                /* By pipeline, table, priority (highest first). */
    size_t n_flows;
    const char *stages[2][256];        /* Their names; NULL: no flow says. */
    uint32_t first[2][257];            /* Where the flows of a table begin. */
};

/* Columns that this program uses, and indexes: once, when the database is made. */
struct world_indexes {
    struct ovsdb *sb;
    struct ovsdb_index *port_by_name, *address_set_by_name, *port_group_by_name, *fdb, *mac_binding, *static_mac;
};
void world_use(struct world_indexes *, struct ovsdb *sb);

struct world {
    const struct world_indexes *db;
    bool friendly;
    struct hmap datapaths;
    struct arena *arena;
    struct world_set {
        struct world_set *next;
        const void *key;               /* The row; of port groups with the datapath. */
        const struct datapath *dp;
        struct expr_constants constants;
        struct expr_keys keys;
    } *sets;                           /* Those that matches have asked for. */
};
void world_init(struct world *, const struct world_indexes *, bool friendly, struct arena *);
void world_destroy(struct world *);

/* By name, UUID of the northbound or southbound row. NULL and *error (caller owns) if there is none, or several. */
struct datapath *world_find_datapath(struct world *, const char *id, char **error) MUST_USE;
/* By name, or by a friendly name that only one port has. NULL: there is none. */
struct port *world_find_port(struct world *, const char *name);
/* What may have been meant; NULL: nothing is near. */
const char *world_nearest_port(struct world *, const char *name);
struct port *datapath_port(struct datapath *, uint32_t key);
struct group *datapath_group(struct datapath *, uint32_t key);
struct port *world_port_of_row(struct world *, struct sb_port_binding *);
bool datapath_lookup(struct datapath *, const char *name, uint32_t *key);
/* $NAME and @NAME; NULL: there is none. */
const struct expr_constants *world_address_set(struct world *, const char *name);
const struct expr_keys *datapath_port_group(struct datapath *, const char *name);
/* MAC_Binding and Static_MAC_Binding. */
bool world_mac_binding(struct port *, bool ipv6, const union of_value *ip, union of_value *mac);
uint32_t datapath_fdb(struct datapath *, const union of_value *mac);          /* 0: not known. */
/* The names to show. */
const char *datapath_name(const struct datapath *);
const char *port_name(const struct port *);

/* The match (with what the actions require) and actions of F; false: it is not understood. */
bool flow_parse(struct flow *);
/* "ls_in_l2_lkup", or the flow's own; "" if nothing says. */
const char *datapath_stage(const struct datapath *, enum logical_pipeline, uint8_t table);

#endif

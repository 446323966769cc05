/* northd.h - what the features of ovn-northd share.
 *
 * The story. Two replicas come in (northbound; southbound, for what hypervisors own and for what is there already). Units compile
 * them into southbound rows, and a few northbound status columns; sinks (sink.h) write the differences. Features are files: switch.c (datapaths, sets),
 * port.c (port bindings, addresses, multicast groups), and one a stage family for flows. Classes are created in the order of northd_create(). */
#ifndef NORTHD_NORTHD_H
#define NORTHD_NORTHD_H 1

#include "incr/incr.h"
#include "northd/sink.h"
#include "schema/nb.h"
#include "schema/sb.h"

struct northd {
    struct loop *loop;
    struct ovsdb *nb, *sb;
    struct incr *incr;
    struct outbox *nb_out, *sb_out;

    /* Relations. */
    struct incr_relation *dpset;       /* Name of a set -> UUID of a datapath. */
    struct incr_relation *lsp;         /* struct nb_logical_switch * -> struct lsp_fact: its ports that are usable. */
    struct incr_relation *mcast;       /* struct mcast_key -> "": multicast groups that have members. */

    /* Sinks. */
    struct sink *sb_datapath, *sb_port, *sb_lflow, *sb_dp_group, *sb_mcast, *sb_rbac_role, *sb_rbac_permission, *sb_dhcp, *sb_dhcpv6;
    struct sink *nb_port_up;

    struct incr_numbers *dp_keys;
    struct hmap port_keys;             /* port.c: a number space a datapath. */

    struct ovsdb_index *sb_port_by_name, *sb_chassis_by_name;
    struct { /* Scratch records. */
        struct ovsdb_record *lflow, *dp_group, *datapath, *port, *mcast, *lsp;
    } record;

    struct global_state *global;       /* global.c */
};

/* Each: declares the columns it uses, its sinks and relations. */
void global_create(struct northd *);   /* Sequence numbers, NB_Global, SB_Global. */
void global_destroy(struct northd *);
void static_rows_create(struct northd *);      /* RBAC, DHCP option definitions. */
void switch_create(struct northd *);
void port_create(struct northd *);
void port_destroy(struct northd *);
/* And their classes, in order of dependence. */
void switch_create_classes(struct northd *);
void port_create_classes(struct northd *);
void static_rows_create_classes(struct northd *);
void admission_create_classes(struct northd *);        /* check/apply port security */
void fdb_create_classes(struct northd *);              /* MAC learning */
void arp_create_classes(struct northd *);              /* ARP/ND responder */
void l2_lookup_create_classes(struct northd *);        /* unicast, flooding, unknown */
void pipeline_create_classes(struct northd *);         /* every stage's "next" */

/* The datapath of a northbound switch, as its units see it. */
struct datapath {
    struct nb_logical_switch *ls;
    struct uuid uuid;                  /* Of the Datapath_Binding, there or to be. */
};
/* Of LS; BY reads it. */
struct datapath switch_datapath(struct northd *, struct nb_logical_switch *ls, struct dep_reader *by);
/* The switch that has the port LSP, or NULL. */
struct nb_logical_switch *port_switch(struct nb_logical_switch_port *lsp, struct dep_reader *by);
bool port_is_enabled(struct nb_logical_switch_port *lsp, struct dep_reader *by);
bool port_has_unknown(struct nb_logical_switch_port *lsp, struct dep_reader *by);

#endif

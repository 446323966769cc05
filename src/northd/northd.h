/* northd.h - what the features of ovn-northd share.
 *
 * The story. Two replicas come in: northbound, and southbound for what hypervisors own and what is there already. Units
 * compile them into southbound rows and a few northbound status columns; sinks (sink.h) write the differences.
 * Features are files: switch.c (datapaths, sets), port.c (port bindings, multicast groups), global.c (sequence numbers, options), and one a
 * family of stages for logical flows (lflow.h): pipeline.c, admission.c, fdb.c, arp.c, l2_lookup.c. */
#ifndef NORTHD_NORTHD_H
#define NORTHD_NORTHD_H 1

#include "incr/incr.h"
#include "net/address.h"
#include "northd/sink.h"
#include "schema/nb.h"
#include "schema/sb.h"

struct global;

struct northd {
    struct loop *loop;
    struct ovsdb *nb, *sb;
    struct incr *incr;
    struct loop_timer *trim, *backoff;
    int64_t not_before;                /* No computing until then (northd-backoff-interval-ms). */
    struct outbox *nb_out, *sb_out;

    /* Relations. */
    struct incr_relation *option;      /* Name of an NB_Global option that units look at -> its text. */
    struct incr_relation *vxlan;       /* "" -> nothing: VXLAN mode is on. */
    struct incr_relation *dpset;       /* Name of a set -> UUID of a datapath. */
    struct incr_relation *passthru;    /* struct nb_logical_switch * -> nothing: it has vlan-passthru. */
    struct incr_relation *unknown;     /* struct nb_logical_switch * -> a port of it that takes unknown addresses. */
    struct incr_relation *mcast;       /* struct mcast_key -> nothing: multicast groups that have members. */

    struct sink *sb_global, *sb_datapath, *sb_port, *sb_lflow, *sb_dp_group, *sb_mcast;
    struct sink *sb_rbac_role, *sb_rbac_permission, *sb_dhcp, *sb_dhcpv6;
    struct sink *sb_port_claim, *nb_port_up;

    struct incr_numbers *dp_keys;
    size_t n_lflows;                   /* Said, counted by lflow_emit(). */
    struct hmap port_keys;             /* port.c: a number space a datapath. */

    unsigned n_threads;                /* As asked for and answered: one is enough. */
    struct ovsdb_index *sb_port_by_name, *sb_chassis_by_name, *sb_chassis_by_hostname, *sb_encap_by_type;
    struct { /* Scratch. */
        struct ovsdb_record *lflow, *dp_group, *datapath, *port, *claim, *mcast, *lsp, *global;
    } record;
    struct global *global;
};

struct northd *northd_create(struct loop *, struct ovsdb *nb, struct ovsdb *sb);
void northd_destroy(struct northd *);
/* Computes and writes what is due, if this process is the active one (has the lock) and both replicas are there. */
void northd_cycle(struct northd *);

/* The parts. x_create(): columns used, sinks, relations. x_create_classes(): units, in the order of northd_create(). */
void global_create(struct northd *);
void global_create_classes(struct northd *);
void global_cycle(struct northd *);    /* After the units: what follows from both databases being caught up. */
void global_standby(struct northd *);  /* Another northd is active: forget what was written when. */
void global_destroy(struct northd *);
void static_rows_create(struct northd *);      /* RBAC, DHCP option definitions. */
void static_rows_create_classes(struct northd *);
void switch_create(struct northd *);
void switch_create_classes(struct northd *);
void switch_create_config_classes(struct northd *);    /* What ports want to know of their switch: before they run. */
void switch_destroy(struct northd *);
void port_create(struct northd *);
void port_create_classes(struct northd *);
void port_destroy(struct northd *);
void port_sweep(struct northd *);              /* Frees the key spaces of datapaths that are gone. */

/* The text of NB_Global option NAME, or NULL. Only options listed in global.c. */
const char *global_option(struct northd *, const char *name, struct dep_reader *by);
bool global_option_bool(struct northd *, const char *name, bool default_, struct dep_reader *by);

int64_t global_trim_timeout(struct northd *);  /* ms without work after which memory is trimmed: ovn-nb(5). */
int64_t global_backoff(struct northd *);       /* The longest pause after a run, ms; 0: none. */
void global_configure(struct northd *);        /* What NB_Global says of our connections. Also for a standby. */

/* In VXLAN mode a tunnel carries 12 bits of each key (ovn-architecture(7), "Tunnel Encapsulations"): new keys must be no larger. */
enum { MAX_DP_KEY = 16711680, MAX_PORT_KEY = 32767, VXLAN_MAX_DP_KEY = 4095, VXLAN_MAX_PORT_KEY = 2047 };
bool global_vxlan_mode(struct northd *, struct dep_reader *by);

/* ---- commands.c ---- */
void northd_register_commands(struct northd *);
/* As --n-threads=TEXT documents it: what is no number from 1 to 256 is mended, with a warning. */
void northd_set_threads(struct northd *, const char *text);

/* The Datapath_Binding's UUID of LS, there or to be. */
struct uuid switch_datapath(struct northd *, struct nb_logical_switch *ls, struct dep_reader *by);

/* Read by the ports of LS (that row itself changes with every port of it). */
bool switch_has_vlan_passthru(struct northd *, struct nb_logical_switch *ls, struct dep_reader *by);

/* A logical switch port as the units of its flows see it. */
struct port {
    struct nb_logical_switch_port *row;
    struct nb_logical_switch *ls;
    const char *name, *type;
    char *json_name;                   /* In double quotes and escaped, as expressions want it. */
    struct uuid datapath;
    bool enabled, unknown, has_port_security;
    struct lport_addresses *addresses;
    size_t n_addresses;
};

#endif

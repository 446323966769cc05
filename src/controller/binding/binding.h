/* binding.h - between the files of binding/: what a chassis says about itself and which ports are its own.
 *
 *   config.c     settings of the Open_vSwitch row; the integration bridge
 *   iface.c      interfaces of the integration bridge
 *   port.c       which of them are logical ports, and which of these are ours
 *   claim.c      the moment a port becomes ours, and when it is up: what only events can tell
 *   zone.c       conntrack zones
 *   chassis.c    our rows of Chassis, Encap, Chassis_Private
 *   tunnel.c     tunnel ports to other chassis
 *   condition.c  what we monitor of the southbound database
 *   nbcfg.c      how far we are
 *   writer.c     transactions
 *
 * A row that should be different is a fact: a unit that reads both what should be and what is says a *write*
 * (writer.h) as long as they differ. The replica's next update makes it go. So there is nothing to remember,
 * nothing is lost with a connection, and what somebody else undoes is done again. Exceptions are what a pure
 * function of the databases cannot know: who came last (claim.c) and what the switch has (claim.c, nbcfg.c). */
#ifndef CONTROLLER_BINDING_BINDING_H
#define CONTROLLER_BINDING_BINDING_H 1

#include "controller/binding/writer.h"
#include "controller/controller.h"

struct claims;
struct conditions;
struct nb_cfg;
struct zones;

struct binding {
    const char *chassis_override;              /* -n, or the file; interned; NULL: the database says. */
    const char *default_bridge;                /* Interned. */
    const char *empty;                         /* "", interned. */
    int64_t started_at;                        /* Wall clock. */
    bool ready;                                /* Once all that concerns local ports was known. */
    uint64_t ovs_seen;                         /* ovsdb_seqno() when the connections were last looked at. */
    bool version_differs;                      /* ovn-match-northd-version: northd's is another, and that was said. */
    const char *missing;                       /* What the administrator has yet to set, as it was said; or NULL. */

    struct ovsdb_index *bridge_by_name, *ovs_port_by_name, *chassis_by_name, *private_by_name, *encap_by_place;

    /* Our own relations. Keys that are texts are without NUL. */
    struct incr_relation *coming;              /* key iface-id, value struct iface_value: also without an OpenFlow port (0), while Open vSwitch is giving it one. */
    struct incr_relation *wanted_dp;           /* key UUID of a datapath that local interfaces need; no value. */
    struct incr_relation *claim;               /* key Port_Binding *, value struct claim_value. */
    struct incr_relation *held_iface;          /* key Interface *: it is a port that is ours in the southbound database. */
    struct incr_relation *tunnel_row;          /* key ovn-chassis-id, value Port *: also without an OpenFlow port. */
    struct incr_relation *tunnel_wanted;       /* key ovn-chassis-id, value: how (tunnel.c). */
    struct incr_relation *zone_row;            /* key port name, value text: what the bridge's external_ids say. */
    struct incr_relation *condition;           /* key uint64_t index of a southbound table, value: a condition, JSON. */
    struct incr_relation *sb_write, *ovs_write;/* As writer.h says. */
    struct incr_numbers *tunnel_numbers;

    struct writer *sb_writer, *ovs_writer;
    struct claims *claims;
    struct conditions *conditions;
    struct nb_cfg *nb_cfg;
    struct zones *zones;
    struct old_bridge *old_bridge;
};

/* A port that an interface here makes ours. */
struct claim_value {
    struct ovs_interface *iface;
    int64_t ofport;
    struct sb_chassis *chassis;                /* Whose it is now, or NULL. */
    struct sb_chassis *us;
    bool up, installed;                        /* Port_Binding.up; ovn-installed of the interface. */
    bool usurped;                              /* A chassis that may not says it is its (then `chassis` is NULL). */
    uint8_t pad[5];
};

/* ---- config.c ---- */

void config_create(struct controller *);
struct ovs_open_vswitch *config_row(struct controller *, struct dep_reader *by);
/* external_ids:KEY-CHASSIS if there is one, else external_ids:KEY, else NULL. CHASSIS "": just KEY. */
const char *config_get(struct controller *, struct dep_reader *by, const char *key);
bool config_get_bool(struct controller *, struct dep_reader *by, const char *key, bool default_);
/* The host's name as configured or the system's: a text that stays until the next call. */
const char *config_hostname(struct controller *, struct dep_reader *by);
/* Points databases and switch to where the configuration says. */
void config_connect(struct controller *);
/* Calls CB for each element of a list separated by commas, without white space around; empty ones are left out. */
void config_split(const char *list, void (*cb)(void *aux, const char *element), void *aux);

/* ---- the others ---- */

void iface_create(struct controller *);
/* The Port that has the interface, if it is one of the bridge; else NULL. */
struct ovs_port *iface_port(struct ovs_interface *, struct ovs_bridge *, struct dep_reader *by);
void port_create(struct controller *);
void zone_create(struct controller *);
void zone_destroy(struct controller *);
void chassis_create(struct controller *);
void tunnel_create(struct controller *);
void tunnel_destroy(struct controller *);
void condition_create(struct controller *);
/* Tells the replica which conditions changed. */
void condition_run(struct controller *);
uint64_t condition_last(const struct controller *);    /* The number of the last one set. */
void condition_destroy(struct controller *);

void claim_create(struct controller *);
void claim_run(struct controller *);
void claim_destroy(struct controller *);
/* old_bridge.c: on another integration bridge, cleans the one before. */
void old_bridge_create(struct controller *);
void old_bridge_run(struct controller *, const struct controller_config *);
void old_bridge_destroy(struct controller *);
void nb_cfg_create(struct controller *);
void nb_cfg_run(struct controller *);
void nb_cfg_destroy(struct controller *);
void nb_cfg_register_commands(struct controller *);

/* ---- barrier: "from now on, until it is in the switch" (binding.c) ---- */

/* What is known at the beginning may make more of the southbound database needed (a datapath: its flows; then
 * the groups they are for): so conditions are waited for, a few rounds of them, then the switch is. */
struct barrier {
    uint64_t condition;
    uint64_t mark;
    int rounds;
    bool marked;
};
void barrier_begin(struct barrier *);
/* After incr_run() and condition_run(). */
bool barrier_is_passed(struct controller *, struct barrier *) MUST_USE;

#endif

/* noun.h - what the files of ovn-nbctl share: things that have a name, what belongs to them, and checks of arguments. */
#ifndef CLI_NBCTL_NOUN_H
#define CLI_NBCTL_NOUN_H 1

#include "cli/common/ctl.h"
#include "net/address.h"
#include "schema/nb.h"

#define NB_LS(C) OVSDB_COLUMN(NB_LOGICAL_SWITCH_##C)
#define NB_LSP(C) OVSDB_COLUMN(NB_LOGICAL_SWITCH_PORT_##C)
#define NB_LR(C) OVSDB_COLUMN(NB_LOGICAL_ROUTER_##C)
#define NB_LRP(C) OVSDB_COLUMN(NB_LOGICAL_ROUTER_PORT_##C)

/* A kind of rows that are named on the command line by name or by whole UUID. */
struct noun {
    const struct ovsdb_table_desc *table;
    uint16_t name;                     /* The column. */
    const char *kind;                  /* As in "s1: switch name not found". */
    const char *plural;                /* As in "Multiple logical switches named ..."; NULL: names are unique. */
};
extern const struct noun noun_switch, noun_router, noun_port, noun_router_port, noun_lb, noun_port_group, noun_address_set,
    noun_mirror, noun_meter, noun_copp, noun_ha_group, noun_nf, noun_nfg;

/* Says that COLUMNS of the one that ID means are needed. */
void noun_need(struct ctl *, const struct noun *, const char *id, uint64_t columns);
/* The one that ID means; *row NULL: there is none and it need not be there. */
const char *noun_find(struct ctl *, const struct noun *, const char *id, bool must_exist, struct view_row **row) MUST_USE;
/* A new one, unless there is one of that name: *row NULL and, unless it may exist, a message ("...: WHAT with this name already
 * exists"). */
const char *noun_insert(struct ctl *, const struct noun *, const char *name, const char *what, bool may_exist, struct view_row **row) MUST_USE;
/* The rows that COLUMN of OWNER names, with COLUMNS of them. */
const char *noun_members(struct ctl *, struct view_row *owner, uint16_t column, uint64_t columns, struct view_row ***rows, size_t *n) MUST_USE;
/* Those of N owners are here: asked for all at once, where noun_members() of each would ask for them one after the other. */
const char *noun_fetch_members(struct ctl *, struct view_row **owners, size_t n, uint16_t column, uint64_t columns) MUST_USE;
/* Members may be needed: their columns are asked for at once, their rows by noun_members(). */
void noun_expect(struct ctl *, const struct ovsdb_table_desc *, uint64_t columns);
/* Whether ID has the form of a whole UUID. */
bool noun_is_uuid(const char *id, struct uuid *);

/* ---- commands that many nouns have ---- */

/* ls-add, lr-add: [NAME], --may-exist, --add-duplicate. */
const char *noun_run_add(struct ctl *, const struct noun *, const char *what);
/* ls-list, lr-list: UUIDs and names of all, by name. */
const char *noun_run_list(struct ctl *, const struct noun *);
/* "UUID (NAME)" of ROWS, by name. */
void noun_print(struct ctl *, struct view_row **rows, size_t n, uint16_t name);

/* ---- rows ---- */

/* Maps and optional columns. */
void noun_put(struct ctl *, struct view_row *, uint16_t column, const char *key, const char *value);
void noun_clear(struct view_row *, uint16_t column);
void noun_set_ref(struct ctl *, struct view_row *, uint16_t column, const struct view_row *to);
/* KEY=VALUE arguments from FIRST on; of a key that is there twice, the smallest value. EXAMPLE is shown if one is not of that form; empty ones are none. */
const char *noun_pairs(struct ctl *, int first, const char *example, const struct ovsdb_column_desc *, struct datum *) MUST_USE;
/* Prints a map, a pair a line. */
void noun_print_pairs(struct ctl *, const struct datum *);

/* ---- arguments ---- */

/* A number of [MIN, MAX]; blanks around it do not matter: wc(1) and others print some. */
bool noun_parse_int(struct ctl *, const char *text, int64_t min, int64_t max, int64_t *);
/* The same, or "TEXT: WHAT must in range MIN...MAX". */
const char *noun_parse_range(struct ctl *, const char *text, const char *what, int64_t min, int64_t max, int64_t *) MUST_USE;
const char *noun_parse_priority(struct ctl *, const char *text, int64_t *) MUST_USE;
/* "enabled" or "disabled", upper or lower case. */
const char *noun_parse_state(struct ctl *, const char *text, bool *enabled) MUST_USE;
/* "from-lport", "to-lport", or the beginning of one. */
const char *noun_parse_direction(struct ctl *, const char *text, const char **direction) MUST_USE;
/* All of TEXT as an address (without a prefix length), or NETWORK with one, whose host bits become 0. *canonical, if not NULL: as
 * it is written in the database; a network of one address without a length. */
bool noun_parse_ip(struct ctl *, const char *text, struct ip_addr *, const char **canonical) MUST_USE;
bool noun_parse_network(struct ctl *, const char *text, struct ip_addr *, const char **canonical) MUST_USE;
/* ADDRESS is in the network of NETWORK ("10.0.0.1/24"). */
bool noun_network_has(const char *network, const struct ip_addr *address);

#endif

/* detrace.h - what ovn-detrace knows of cookies (explain.c) and of ports (ports.c), as lines of text. */
#ifndef CLI_DETRACE_DETRACE_H
#define CLI_DETRACE_DETRACE_H 1

#include "base/hmap.h"
#include "cli/detrace/scan.h"
#include "cli/detrace/source.h"

/* ---- explain.c ---- */

struct explainer {
    struct source sb, nb;
    bool nb_warned;
    struct hmap explained;             /* By cookie. */
    size_t bytes;                      /* Of their texts. */
};
void explainer_init(struct explainer *, struct loop *, const char *sb_remotes, const char *nb_remotes, bool leader_only);
void explainer_destroy(struct explainer *);
/* Reads what is needed for the cookies among MARKS. False: the southbound database cannot be read (sb.error). Without the northbound one flows are explained, too, and a
 * warning is printed, once. */
bool explainer_prepare(struct explainer *, const struct scan_mark *marks, size_t n) MUST_USE;
/* The lines for a cookie that was among them, "" if nothing has it. Good until the next explainer_prepare(). */
const char *explainer_text(const struct explainer *, uint32_t cookie);

/* ---- southbound.c ---- */

/* The I-th of the southbound tables whose rows OpenFlow flows are made of, in the order in which they are shown; NULL: there are no more. */
const struct ovsdb_table_desc *southbound_table(size_t i);
/* The columns that are read of a southbound table. */
uint64_t southbound_columns(const struct ovsdb_table_desc *);
/* Wants what a row refers to, as far as that is here: until it wants nothing more. */
void southbound_want_related(struct source *, const struct ovsdb_table_desc *, const struct uuid *);
/* The row in lines. */
void southbound_put(const struct source *, const struct ovsdb_table_desc *, const struct uuid *, struct str *);
/* The beginning of the UUID of the northbound row behind it; false: it says none. */
bool southbound_hint(const struct source *, const struct ovsdb_table_desc *, const struct uuid *, uint32_t *first);

/* ---- ports.c ---- */

struct port_map {
    struct source ovs;
    struct hmap by_number, by_name, by_uuid;
    struct detrace_port *ports;
    size_t n;
    char *bridge;                      /* The integration bridge. */
};
/* Reads the ports of the local switch. False: that cannot be; see ovs.error. */
bool port_map_init(struct port_map *, struct loop *, const char *remotes) MUST_USE;
void port_map_destroy(struct port_map *);
/* Appends a line for the port that MARK names, or whose interface's UUID begins with the cookie it is. */
void port_map_put(const struct port_map *, const struct scan_mark *, struct str *);

#endif

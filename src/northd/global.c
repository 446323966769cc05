/* global.c - NB_Global and SB_Global: the configuration's sequence numbers, options, and what the CMS is told.
 *
 * The sequence (ovn-nb(5), NB_Global): the CMS increments nb_cfg with a change. northd copies it southbound in the very transaction that
 * has the change's consequences; when that is committed it says sb_cfg. Hypervisors say in
 * Chassis_Private.nb_cfg what they have installed; hv_cfg is the smallest of these (nb_cfg itself if there is no hypervisor).
 *
 * These numbers follow transactions, not rows alone, so they are no unit's: a small state machine here, called from the cycle. */
#include "northd/lflow.h"

#include <stdio.h>
#include <stdlib.h>
#include "base/clock.h"
#include "logical/version.h"

enum { MAX_BACKOFF = 60000 };

/* NB_Global options that units look at. */
static const char *const unit_options[] = { "ignore_lsp_down", "vxlan_mode" };

struct global {
    int64_t nb_cfg, nb_cfg_seen_at;    /* Seen northbound, and when. */
    int64_t sent;                      /* nb_cfg in the southbound transaction under way; -1: none. */
    int64_t sb_cfg, sb_cfg_at;         /* Committed southbound with all its consequences. */
    int64_t hv_cfg, hv_cfg_at;
    struct uuid new_nb_row, new_sb_row;
    char mac_prefix[9], svc_monitor_mac[18];
};

static struct nb_nb_global *
nb_row(struct northd *n, struct dep_reader *by)
{
    return nb_nb_global_of(ovsdb_first(ovsdb_table(n->nb, &nb_table_nb_global), by));
}

static struct sb_sb_global *
sb_row(struct northd *n)
{
    return sb_sb_global_of(ovsdb_first(ovsdb_table(n->sb, &sb_table_sb_global), NULL));
}

/* ---- options for units ---- */

static void
run_options(struct incr_unit *u, void *n_)
{
    struct northd *n = n_;
    struct dep_reader *by = incr_reader(u);
    struct nb_nb_global *g = nb_row(n, by);

    if (g) {
        const struct ovsdb_map *options = nb_nb_global_options(g, by);
        for (size_t i = 0; i < ARRAY_SIZE(unit_options); i++) {
            const char *value = ovsdb_map_get(options, unit_options[i]);
            if (value) {
                incr_emit(u, n->option, unit_options[i], strlen(unit_options[i]), value, strlen(value) + 1);
            }
        }
    }
}

const char *
global_option(struct northd *n, const char *name, struct dep_reader *by)
{
    const struct incr_fact *f = incr_first(n->option, name, strlen(name), by);
    return f ? f->value : NULL;
}

bool
global_option_bool(struct northd *n, const char *name, bool default_, struct dep_reader *by)
{
    const char *value = global_option(n, name, by);
    return !value ? default_ : default_ ? !str_eq(value, "false") : str_eq(value, "true");
}

int64_t
global_trim_timeout(struct northd *n)
{
    struct nb_nb_global *g = nb_row(n, NULL);
    int64_t ms = g ? ovsdb_map_get_int(nb_nb_global_options(g, NULL), "northd_trim_timeout", 30000) : 30000;

    return ms < 0 || ms > INT32_MAX ? 30000 : ms;
}

static int64_t
option_int(struct northd *n, const char *name, int64_t default_)
{
    struct nb_nb_global *g = nb_row(n, NULL);

    return g ? ovsdb_map_get_int(nb_nb_global_options(g, NULL), name, default_) : default_;
}

int64_t
global_backoff(struct northd *n)
{
    return MAX(0, MIN(option_int(n, "northd-backoff-interval-ms", 0), MAX_BACKOFF));
}

void
global_configure(struct northd *n)
{
    int64_t ms = option_int(n, "northd_probe_interval", -1);

    ms = ms > INT32_MAX ? -1 : ms;
    ovsdb_set_probe_interval(n->nb, ms);
    ovsdb_set_probe_interval(n->sb, ms);
}

/* ---- VXLAN mode ---- */

/* Some chassis may be reached by VXLAN, and the CMS does not say that this is for other things (vxlan_mode=false). */
static void
run_vxlan(struct incr_unit *u, void *n_)
{
    struct northd *n = n_;
    struct dep_reader *by = incr_reader(u);

    if (global_option_bool(n, "vxlan_mode", true, by) && ovsdb_index_get_str(n->sb_encap_by_type, by, "vxlan")) {
        incr_emit(u, n->vxlan, "", 0, "", 0);
    }
}

bool
global_vxlan_mode(struct northd *n, struct dep_reader *by)
{
    return incr_first(n->vxlan, "", 0, by) != NULL;
}

/* SB_Global gets the CMS's options and ids, and ours. */
static void
run_sb_global(struct incr_unit *u, void *n_)
{
    struct northd *n = n_;
    struct dep_reader *by = incr_reader(u);
    struct nb_nb_global *g = nb_row(n, by);
    struct ovsdb_record *r = n->record.global;
    struct sb_sb_global *sb = sb_sb_global_of(ovsdb_first(ovsdb_table(n->sb, &sb_table_sb_global), by));

    if (!g || !sb) {
        return;                        /* Inserted by add_rows(). */
    }
    const struct ovsdb_map *options = nb_nb_global_options(g, by), *ids = nb_nb_global_external_ids(g, by);
    ovsdb_record_reset(r);
    for (uint32_t i = 0; i < options->n; i++) {
        ovsdb_record_map(r, SB_SB_GLOBAL_OPTIONS, options->v[i].k.s, options->v[i].v.s);
    }
    for (uint32_t i = 0; i < ids->n; i++) {
        ovsdb_record_map(r, SB_SB_GLOBAL_EXTERNAL_IDS, ids->v[i].k.s, ids->v[i].v.s);
    }
    ovsdb_record_bool(r, SB_SB_GLOBAL_IPSEC, nb_nb_global_ipsec(g, by));
    sink_emit(u, n->sb_global, &sb->row_.uuid, sizeof sb->row_.uuid, r);
}

/* ---- sequence numbers ---- */

/* What the slowest hypervisors have reached, and when the last of these did (0: not said). NB_CFG if there is no hypervisor. */
static int64_t
lowest_hv_cfg(struct northd *n, int64_t nb_cfg, int64_t *at)
{
    int64_t lowest = INT64_MAX;

    *at = 0;

    OVSDB_FOR_EACH (row, ovsdb_table(n->sb, &sb_table_chassis_private), NULL) {
        const struct sb_chassis_private *cp = sb_chassis_private_of(row);
        const struct sb_chassis *chassis = sb_chassis_private_chassis(cp, NULL);
        if (!chassis || !ovsdb_map_get_bool(sb_chassis_other_config(chassis, NULL), "is-remote", false)) {
            int64_t its = sb_chassis_private_nb_cfg(cp, NULL), its_at = sb_chassis_private_nb_cfg_timestamp(cp, NULL);
            *at = its < lowest ? its_at : its == lowest ? MAX(*at, its_at) : *at;
            lowest = MIN(lowest, its);
        }
    }
    return lowest == INT64_MAX ? nb_cfg : lowest;
}

static void
insert_row(struct northd *n UNUSED, struct ovsdb_txn *txn, const struct ovsdb_table_desc *table, struct uuid *uuid)
{
    struct ovsdb_record *r = ovsdb_record_create(table);
    if (uuid_is_zero(uuid)) {
        *uuid = uuid_random();
    }
    ovsdb_txn_insert(txn, r, uuid);
    ovsdb_record_destroy(r);
}

/* The southbound transaction carries nb_cfg. */
static bool
add_southbound(void *n_, struct ovsdb_txn *txn)
{
    struct northd *n = n_;
    struct global *g = n->global;
    struct sb_sb_global *sb = sb_row(n);

    g->sent = -1;
    if (!sb) {
        insert_row(n, txn, &sb_table_sb_global, &g->new_sb_row);
        return true;
    }
    if (!nb_row(n, NULL) || sb_sb_global_nb_cfg(sb, NULL) == g->nb_cfg) {
        return false;
    }
    struct ovsdb_record *r = ovsdb_record_create(&sb_table_sb_global);
    ovsdb_record_int(r, SB_SB_GLOBAL_NB_CFG, g->nb_cfg);
    if (ovsdb_has_column(n->sb, &sb_table_sb_global, SB_SB_GLOBAL_NB_CFG_TIMESTAMP)) {
        ovsdb_record_int(r, SB_SB_GLOBAL_NB_CFG_TIMESTAMP, g->nb_cfg_seen_at);
    }
    ovsdb_txn_update(txn, &sb->row_.uuid, r);
    ovsdb_record_destroy(r);
    g->sent = g->nb_cfg;
    return true;
}

/* It is committed, with all that follows from it (the CMS may be further by now). */
static void
southbound_done(void *n_, bool ok)
{
    struct northd *n = n_;
    struct global *g = n->global;

    if (ok && g->sent >= 0) {
        g->sb_cfg = g->sent;
        g->sb_cfg_at = clock_wall_msec();
    }
    g->sent = -1;
}

/* Adds to R the integer COLUMN if it is not what ROW has. */
static void
want_int(struct ovsdb_record *r, const struct ovsdb_row *row, uint16_t column, int64_t value)
{
    const union ovsdb_atom *have = ovsdb_row_cell(row, &ovsdb_table_desc(row->table)->columns[column]);
    if (have->i != value) {
        ovsdb_record_int(r, column, value);
    }
}

static void
want_option(struct northd *n, struct nb_nb_global *nb, struct ovsdb_txn *txn, const char *key, const char *value, bool fixed)
{
    const char *have = ovsdb_map_get(nb_nb_global_options(nb, NULL), key);
    if (have && (!fixed || str_eq(have, value))) {
        return;
    }
    struct ovsdb_record *r = ovsdb_record_create(&nb_table_nb_global);
    if (have) {
        ovsdb_txn_remove_key(txn, &nb_table_nb_global, &nb->row_.uuid, NB_NB_GLOBAL_OPTIONS, key);
    }
    ovsdb_record_map(r, NB_NB_GLOBAL_OPTIONS, key, value);
    ovsdb_txn_add(txn, &nb->row_.uuid, r, NB_NB_GLOBAL_OPTIONS);
    ovsdb_record_destroy(r);
}

static bool
add_northbound(void *n_, struct ovsdb_txn *txn)
{
    struct northd *n = n_;
    struct global *g = n->global;
    struct nb_nb_global *nb = nb_row(n, NULL);
    size_t before = ovsdb_txn_n_ops(txn);

    if (!nb) {
        insert_row(n, txn, &nb_table_nb_global, &g->new_nb_row);
        return true;
    }
    char max_key[12];
    snprintf(max_key, sizeof max_key, "%d", global_vxlan_mode(n, NULL) ? VXLAN_MAX_DP_KEY : MAX_DP_KEY);
    want_option(n, nb, txn, "max_tunid", max_key, true);
    want_option(n, nb, txn, "mac_prefix", g->mac_prefix, false);
    want_option(n, nb, txn, "svc_monitor_mac", g->svc_monitor_mac, false);
    char *version = logical_internal_version(ovsdb_desc(n->sb)->version);
    want_option(n, nb, txn, "northd_internal_version", version, true);
    free(version);

    struct ovsdb_record *r = ovsdb_record_create(&nb_table_nb_global);
    if (g->sb_cfg >= 0) {
        want_int(r, &nb->row_, NB_NB_GLOBAL_SB_CFG, g->sb_cfg);
        want_int(r, &nb->row_, NB_NB_GLOBAL_SB_CFG_TIMESTAMP, g->sb_cfg_at);
        want_int(r, &nb->row_, NB_NB_GLOBAL_HV_CFG, g->hv_cfg);
        want_int(r, &nb->row_, NB_NB_GLOBAL_HV_CFG_TIMESTAMP, g->hv_cfg_at);
        want_int(r, &nb->row_, NB_NB_GLOBAL_NB_CFG_TIMESTAMP, g->nb_cfg_seen_at);
    }
    if (ovsdb_record_columns(r)) {
        ovsdb_txn_update(txn, &nb->row_.uuid, r);
    }
    ovsdb_record_destroy(r);
    return ovsdb_txn_n_ops(txn) > before;
}

/* After the units have run: what does the CMS get to know? */
void
global_cycle(struct northd *n)
{
    struct global *g = n->global;
    struct nb_nb_global *nb = nb_row(n, NULL);
    struct sb_sb_global *sb = sb_row(n);

    if (!nb || !sb) {
        return;
    }
    int64_t nb_cfg = nb_nb_global_nb_cfg(nb, NULL);
    if (g->nb_cfg != nb_cfg || !g->nb_cfg_seen_at) {
        bool old = !g->nb_cfg_seen_at && nb_nb_global_sb_cfg(nb, NULL) == nb_cfg;
        g->nb_cfg = nb_cfg;
        /* A restarted northd says again what is written about a number it did not see arrive. */
        g->nb_cfg_seen_at = old ? nb_nb_global_nb_cfg_timestamp(nb, NULL) : clock_wall_msec();
        g->nb_cfg_seen_at = g->nb_cfg_seen_at ? g->nb_cfg_seen_at : clock_wall_msec();
    }
    if (outbox_is_clean(n->sb_out) && sb_sb_global_nb_cfg(sb, NULL) == nb_cfg && g->sb_cfg != nb_cfg) {
        bool old = g->sb_cfg < 0 && nb_nb_global_sb_cfg(nb, NULL) == nb_cfg;
        g->sb_cfg = nb_cfg;
        g->sb_cfg_at = old ? nb_nb_global_sb_cfg_timestamp(nb, NULL) : clock_wall_msec();
    }
    if (g->sb_cfg >= 0) {
        int64_t said_at;
        int64_t lowest = lowest_hv_cfg(n, g->sb_cfg, &said_at), hv_cfg = MIN(lowest, g->sb_cfg);
        if (said_at && lowest == hv_cfg) {
            g->hv_cfg = hv_cfg;
            g->hv_cfg_at = said_at;
        } else if (hv_cfg != g->hv_cfg || !g->hv_cfg_at) {
            bool old = nb_nb_global_hv_cfg(nb, NULL) == hv_cfg && nb_nb_global_hv_cfg_timestamp(nb, NULL);
            g->hv_cfg = hv_cfg;
            g->hv_cfg_at = old ? nb_nb_global_hv_cfg_timestamp(nb, NULL) : clock_wall_msec();
        }
    }
}

void
global_standby(struct northd *n)
{
    struct global *g = n->global;

    g->sb_cfg = -1;
    g->nb_cfg_seen_at = 0;
    g->hv_cfg_at = 0;
}

/* ---- creation ---- */

void
global_create(struct northd *n)
{
    enum { OWNED = OVSDB_COLUMN(SB_SB_GLOBAL_OPTIONS) | OVSDB_COLUMN(SB_SB_GLOBAL_EXTERNAL_IDS) |
                   OVSDB_COLUMN(SB_SB_GLOBAL_IPSEC) };
    struct global *g = n->global = XNEW(struct global);
    struct uuid u = uuid_random();

    g->sb_cfg = g->sent = -1;
    snprintf(g->mac_prefix, sizeof g->mac_prefix, "%02x:%02x:%02x", (u.parts[0] & 0xfc) | 2, u.parts[0] >> 8 & 0xff,
             u.parts[0] >> 16 & 0xff);
    snprintf(g->svc_monitor_mac, sizeof g->svc_monitor_mac, "%02x:%02x:%02x:%02x:%02x:%02x", (u.parts[3] & 0xfc) | 2,
             u.parts[3] >> 8 & 0xff, u.parts[3] >> 16 & 0xff, u.parts[3] >> 24, u.parts[0] >> 24, u.parts[1] & 0xff);
    ovsdb_use(n->nb, &nb_table_nb_global,
              OVSDB_COLUMN(NB_NB_GLOBAL_NB_CFG) | OVSDB_COLUMN(NB_NB_GLOBAL_SB_CFG) | OVSDB_COLUMN(NB_NB_GLOBAL_HV_CFG) |
                  OVSDB_COLUMN(NB_NB_GLOBAL_NB_CFG_TIMESTAMP) | OVSDB_COLUMN(NB_NB_GLOBAL_SB_CFG_TIMESTAMP) |
                  OVSDB_COLUMN(NB_NB_GLOBAL_HV_CFG_TIMESTAMP) | OVSDB_COLUMN(NB_NB_GLOBAL_OPTIONS) |
                  OVSDB_COLUMN(NB_NB_GLOBAL_EXTERNAL_IDS) | OVSDB_COLUMN(NB_NB_GLOBAL_IPSEC));
    ovsdb_use(n->sb, &sb_table_sb_global, OWNED | OVSDB_COLUMN(SB_SB_GLOBAL_NB_CFG));
    ovsdb_use(n->sb, &sb_table_chassis_private,
              OVSDB_COLUMN(SB_CHASSIS_PRIVATE_NAME) | OVSDB_COLUMN(SB_CHASSIS_PRIVATE_CHASSIS) |
                  OVSDB_COLUMN(SB_CHASSIS_PRIVATE_NB_CFG) | OVSDB_COLUMN(SB_CHASSIS_PRIVATE_NB_CFG_TIMESTAMP));
    ovsdb_use(n->sb, &sb_table_chassis, OVSDB_COLUMN(SB_CHASSIS_NAME) | OVSDB_COLUMN(SB_CHASSIS_OTHER_CONFIG));
    ovsdb_use(n->sb, &sb_table_encap, OVSDB_COLUMN(SB_ENCAP_TYPE));
    n->sb_encap_by_type = ovsdb_index_create(n->sb, &sb_table_encap, 1, (uint16_t[]) { SB_ENCAP_TYPE });
    n->sb_global = sink_create(n->sb_out, "sb_global", &sb_table_sb_global, OWNED, SINK_UPDATE_ONLY, NULL);
    n->option = incr_relation_create(n->incr, "option", 0);
    n->vxlan = incr_relation_create(n->incr, "vxlan", 0);
    n->record.global = ovsdb_record_create(&sb_table_sb_global);
    outbox_set_extra(n->sb_out, add_southbound, southbound_done, n);
    outbox_set_extra(n->nb_out, add_northbound, NULL, n);
}

void
global_create_classes(struct northd *n)
{
    incr_class_alone(incr_class_create(n->incr, "option", run_options, n));
    incr_class_alone(incr_class_create(n->incr, "vxlan", run_vxlan, n));
    incr_class_alone(incr_class_create(n->incr, "sb_global", run_sb_global, n));
}

void
global_destroy(struct northd *n)
{
    ovsdb_record_destroy(n->record.global);
    free(n->global);
}

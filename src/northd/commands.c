/* commands.c - control commands of ovn-northd that ask about its work; those about its role (pause, status, ...) are in main.c. ovn-northd(8). */
#include <stdlib.h>
#include "base/log.h"
#include "northd/northd.h"
#include "runtime/unixctl.h"

LOG_MODULE(ovn_northd);

/* ---- threads ---- */

enum { MAX_THREADS = 256 };

void
northd_set_threads(struct northd *n, const char *text)
{
    int64_t threads;

    if (!str_to_int(text, INT64_MIN, INT64_MAX, &threads) || threads < 1) {
        LOG_WARN("--n-threads=%s: taken for 1", text);
        threads = 1;
    } else if (threads > MAX_THREADS) {
        LOG_WARN("--n-threads=%s: taken for %d", text, MAX_THREADS);
        threads = MAX_THREADS;
    }
    n->n_threads = threads;
}

static void
cmd_get_threads(struct unixctl_conn *conn, int argc UNUSED, const char *argv[] UNUSED, void *n_)
{
    const struct northd *n = n_;
    char *text = xasprintf("%u\n", n->n_threads);

    unixctl_reply(conn, text);
    free(text);
}

static void
cmd_set_threads(struct unixctl_conn *conn, int argc UNUSED, const char *argv[], void *n_)
{
    struct northd *n = n_;
    int64_t threads;

    if (!str_to_int(argv[1], 1, MAX_THREADS, &threads)) {
        char *error = xasprintf("invalid n_threads: %s", argv[1]);
        unixctl_error(conn, error);
        free(error);
        return;
    }
    n->n_threads = threads;
    unixctl_reply(conn, "");
}

/* ---- features ---- */

/* What hypervisors say of themselves in Chassis.other_config, and the name that the command has for it. */
static const struct {
    const char *key, *name;
} features[] = {
    { "ct-no-masked-label", "ct_no_masked_label" },
    { "ovn-ct-lb-related", "ct_lb_related" },
    { "mac-binding-timestamp", "mac_binding_timestamp" },
    { "fdb-timestamp", "fdb_timestamp" },
    { "ls-dpg-column", "ls_dpg_column" },
    { "ct-commit-nat-v2", "ct_commit_nat_v2" },
    { "ct-commit-to-zone", "ct_commit_to_zone" },
    { "ct-next-zone", "ct_next_zone" },
    { "ct-label-flush", "ct_label_flush" },
    { "ct-state-save", "ct_state_save" },
    { "ovn-sample-with-registers", "sample_with_registers" },
};

/* Whether every chassis has it, those of other zones aside. */
static bool
all_have(const struct northd *n, const char *key)
{
    OVSDB_FOR_EACH (row, ovsdb_table(n->sb, &sb_table_chassis), NULL) {
        const struct ovsdb_map *config = sb_chassis_other_config(sb_chassis_of(row), NULL);
        if (!ovsdb_map_get_bool(config, "is-remote", false) && !ovsdb_map_get_bool(config, key, false)) {
            return false;
        }
    }
    return true;
}

static void
cmd_features(struct unixctl_conn *conn, int argc UNUSED, const char *argv[] UNUSED, void *n_)
{
    struct northd *n = n_;
    const struct nb_nb_global *g = nb_nb_global_of(ovsdb_first(ovsdb_table(n->nb, &nb_table_nb_global), NULL));
    bool ignore = g && ovsdb_map_get_bool(nb_nb_global_options(g, NULL), "ignore_chassis_features", false);
    struct str s = STR_INIT;

    for (size_t i = 0; i < ARRAY_SIZE(features); i++) {
        char *label = xasprintf("%s:", features[i].name);
        str_printf(&s, "%-22s %s\n", label, ignore || all_have(n, features[i].key) ? "true" : "false");
        free(label);
    }
    unixctl_reply(conn, str_c(&s));
    str_free(&s);
}

void
northd_register_commands(struct northd *n)
{
    unixctl_register("parallel-build/get-n-threads", "", 0, 0, cmd_get_threads, n);
    unixctl_register("parallel-build/set-n-threads", "N_THREADS", 1, 1, cmd_set_threads, n);
    unixctl_register("debug/chassis-features-list", "", 0, 0, cmd_features, n);
}

/* version.c - ovn-match-northd-version: an administrator who upgrades northd and hypervisors apart may want that we touch nothing while northd is of
 * another version than we. Then no change of a database is acted on, and what is installed works on. ovn-controller(8). */
#include "controller/binding/binding.h"

#include <stdlib.h>

#include "base/log.h"
#include "logical/version.h"

LOG_MODULE(version);

bool
binding_version_fits(struct controller *c)
{
    struct binding *b = c->binding;
    bool fits = true;

    if (!c->leaving && ovsdb_is_ready(c->sb) && config_get_bool(c, NULL, "ovn-match-northd-version", false)) {
        const struct sb_sb_global *global = sb_sb_global_of(ovsdb_first(ovsdb_table(c->sb, &sb_table_sb_global), NULL));
        const char *theirs = global ? ovsdb_map_get(sb_sb_global_options(global, NULL), "northd_internal_version") : NULL;
        char *ours = logical_internal_version(sb_db.version);

        fits = theirs && str_eq(ours, theirs);
        if (!fits && !b->version_differs) {
            LOG_WARN("ovn-northd is of version %s and this is %s: nothing is changed until they match (ovn-match-northd-version)",
                     theirs ? theirs : "(none)", ours);
        }
        free(ours);
    }
    if (fits && b->version_differs) {
        LOG_INFO("the version of ovn-northd fits, or need not: going on");
    }
    b->version_differs = !fits;
    if (!fits) {
        config_connect(c);             /* The way to another database stays open. */
    }
    return fits;
}

/* l2_lookup.c - where a frame goes: stages l2_lkup and l2_unknown. Known addresses to their port, broadcast and multicast to all,
 * the rest to what was learned or to the ports that take unknown addresses. */
#include "northd/lflow.h"

#include <stdlib.h>

void
l2_lookup_set_flows(struct northd *n, struct incr_unit *u, const char *name, const struct dpset *set)
{
    if (str_eq(name, SET_SWITCHES)) {
        lflow_emit(n, u, set, stage_ls_in_l2_lkup, 70, "eth.mcast", "outport = \"_MC_flood\"; output;", NULL, NULL);
        lflow_emit(n, u, set, stage_ls_in_l2_lkup, 0, "1", "outport = get_fdb(eth.dst); next;", NULL, NULL);
        lflow_emit(n, u, set, stage_ls_in_l2_unknown, 0, "1", "output;", NULL, NULL);
    } else if (str_eq(name, SET_UNKNOWN)) {
        lflow_emit(n, u, set, stage_ls_in_l2_unknown, 50, "outport == \"none\"", "outport = \"_MC_unknown\"; output;", NULL, NULL);
    } else if (str_eq(name, SET_NO_UNKNOWN)) {
        lflow_emit(n, u, set, stage_ls_in_l2_unknown, 50, "outport == \"none\"", "drop;", NULL, NULL);
    }
}

void
l2_lookup_port_flows(struct northd *n, struct incr_unit *u, const struct port *p)
{
    struct dpset set = dpset_one(&p->datapath);
    const struct ovsdb_map *options = nb_logical_switch_port_options(p->row, incr_reader(u));
    char *actions = p->enabled ? xasprintf("outport = %s; output;", p->json_name) : xstrdup("drop;");

    if (!p->unknown || !ovsdb_map_get_bool(options, "force_fdb_lookup", false)) {
        for (size_t i = 0; i < p->n_addresses; i++) {
            char *match = xasprintf("eth.dst == " ETH_ADDR_FMT, ETH_ADDR_ARGS(p->addresses[i].mac));
            lflow_emit(n, u, &set, stage_ls_in_l2_lkup, 50, match, actions, &p->row->row_, NULL);
            free(match);
        }
    }
    free(actions);
}

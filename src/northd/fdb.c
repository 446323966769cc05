/* fdb.c - MAC learning: stages lookup_fdb and put_fdb. Learned from are ports that take unknown addresses and have no port
 * security (their addresses would be known otherwise). */
#include "northd/lflow.h"

#include <stdlib.h>

void
fdb_port_flows(struct northd *n, struct incr_unit *u, const struct port *p)
{
    if (!p->enabled || !p->unknown || p->has_port_security || *p->type) {
        return;
    }
    struct dpset set = dpset_one(&p->datapath);
    char *lookup = xasprintf("inport == %s", p->json_name);
    char *put = xasprintf("inport == %s && " REGBIT_FDB_LOOKUP " == 0", p->json_name);

    lflow_emit(n, u, &set, stage_ls_in_lookup_fdb, 100, lookup, REGBIT_FDB_LOOKUP " = lookup_fdb(inport, eth.src); next;",
               &p->row->row_, p->name);
    lflow_emit(n, u, &set, stage_ls_in_put_fdb, 100, put, "put_fdb(inport, eth.src); next;", &p->row->row_, p->name);
    free(lookup);
    free(put);
}

/* admission.c - who may send and receive: stages check_port_sec and apply_port_sec of both pipelines.
 *
 * The rules of port security themselves are data (Port_Binding.port_security), looked up by the hypervisor's
 * check_in_port_sec() and check_out_port_sec(): no flow a port. */
#include "northd/lflow.h"

#include <stdlib.h>

void
admission_set_flows(struct northd *n, struct incr_unit *u, const char *name, const struct dpset *set)
{
    if (str_eq(name, SET_VLAN_DROP)) {
        lflow_emit(n, u, set, stage_ls_in_check_port_sec, 100, "vlan.present", "drop;", NULL, NULL);
    }
    if (!str_eq(name, SET_SWITCHES)) {
        return;
    }
    lflow_emit(n, u, set, stage_ls_in_check_port_sec, 100, "eth.src[40]", "drop;", NULL, NULL);
    lflow_emit(n, u, set, stage_ls_in_check_port_sec, 50, "1", REGBIT_PORT_SEC_DROP " = check_in_port_sec(); next;", NULL, NULL);
    lflow_emit(n, u, set, stage_ls_in_apply_port_sec, 50, REGBIT_PORT_SEC_DROP " == 1", "drop;", NULL, NULL);
    lflow_emit(n, u, set, stage_ls_out_check_port_sec, 100, "eth.mcast", REGBIT_PORT_SEC_DROP " = 0; next;", NULL, NULL);
    lflow_emit(n, u, set, stage_ls_out_check_port_sec, 0, "1", REGBIT_PORT_SEC_DROP " = check_out_port_sec(); next;", NULL, NULL);
    lflow_emit(n, u, set, stage_ls_out_apply_port_sec, 50, REGBIT_PORT_SEC_DROP " == 1", "drop;", NULL, NULL);
    lflow_emit(n, u, set, stage_ls_out_apply_port_sec, 0, "1", "output;", NULL, NULL);
}

/* A disabled port neither sends nor receives. */
void
admission_port_flows(struct northd *n, struct incr_unit *u, const struct port *p)
{
    if (p->enabled) {
        return;
    }
    struct dpset set = dpset_one(&p->datapath);
    char *in = xasprintf("inport == %s", p->json_name), *out = xasprintf("outport == %s", p->json_name);

    lflow_emit(n, u, &set, stage_ls_in_check_port_sec, 100, in, REGBIT_PORT_SEC_DROP " = 1; next;", &p->row->row_, p->name);
    lflow_emit(n, u, &set, stage_ls_in_l2_unknown, 50, out, "drop;", &p->row->row_, p->name);
    lflow_emit(n, u, &set, stage_ls_out_check_port_sec, 150, out, REGBIT_PORT_SEC_DROP " = 1; next;", &p->row->row_, p->name);
    free(in);
    free(out);
}

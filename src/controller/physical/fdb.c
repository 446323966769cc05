/* fdb.c - learnt MAC addresses: the tables behind get_fdb() and lookup_fdb() (logical/action.h), from the southbound FDB rows of local datapaths. */
#include "controller/physical/physical.h"
#include "net/address.h"

static void
fdb_run(struct incr_unit *u, void *c_)
{
    struct controller *c = c_;
    struct dep_reader *by = incr_reader(u);
    const struct sb_fdb *fdb = sb_fdb_of(incr_row(u));
    uint32_t cookie = row_cookie(&fdb->row_);
    int64_t dp = sb_fdb_dp_key(fdb, by), port = sb_fdb_port_key(fdb, by);
    struct eth_addr mac;

    if (!eth_addr_from_str(sb_fdb_mac(fdb, by), &mac) || port < 1 || port > MAX_PORT_KEY
        || !incr_first(c->physical->local_key, &dp, sizeof dp, by)) {
        return;
    }
    union of_value value = of_value_from_wire(mac.b, sizeof mac.b);
    struct flow f = FLOW_INIT(c, u);

    flow_match_dp(&f, dp);
    flow_match(&f, OFF_ETH_DST, of_value_low(&value));
    flow_load(&f, LOGICAL_OUTPORT, 0, 32, port);
    flow_emit(&f, OFT_GET_FDB, 100, cookie);

    flow_match_dp(&f, dp);
    flow_match(&f, LOGICAL_INPORT, port);
    flow_match(&f, OFF_ETH_SRC, of_value_low(&value));
    flow_load(&f, LOGICAL_FLAGS, MLF_LOOKUP, 1, 1);
    flow_emit(&f, OFT_LOOKUP_FDB, 100, cookie);
    flow_destroy(&f);
}

void
fdb_create(struct controller *c)
{
    ovsdb_use(c->sb, &sb_table_fdb, OVSDB_COLUMN(SB_FDB_MAC) | OVSDB_COLUMN(SB_FDB_DP_KEY) | OVSDB_COLUMN(SB_FDB_PORT_KEY));
    incr_class_over_table(incr_class_create(c->incr, "fdb", fdb_run, c), ovsdb_table(c->sb, &sb_table_fdb));
}

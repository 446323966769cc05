/* datapath.c - which logical datapaths and sets of datapaths are here, and the set tags that stand for sets (DESIGN.md 2, rule 2).
 *
 *   class       subject     reads                                    says
 *   ----------- ----------- ---------------------------------------- ------------------------------------------
 *   datapath    local_dp    Datapath_Binding, who refers to it       dp_key; dp_member: group -> datapath
 *   dp_group    dp_member   its members, how many flows refer to it  tag_demand: what a tag would save, roughly
 *   set_tag     alone       tag_demand                               set_tag: group -> bit
 *   tags        local_dp    dp_member by way of the rows, set_tag    the datapath's flow in OFT_TAGS
 *
 * A tag saves (members - 1) * flows. The 32 sets that save most have one (the other 8 tags are room for sets that change
 * places: a number is given back only after the run that gives out the next). Savings are compared by their number of binary digits, so that a
 * flow more or less moves nothing. A set of more than one kind of datapath has none:
 * what a flow does may depend on the kind. */
#include <stdlib.h>

#include "base/log.h"
#include "controller/physical/physical.h"

LOG_MODULE(datapath);

enum { MAX_TAGGED = 32 };

struct tag_demand {
    struct sb_logical_dp_group *group;
    uint32_t digits;                   /* Of what it would save. */
    bool is_switch;
    uint8_t pad[3];
};

static bool
is_switch(const struct sb_datapath_binding *dp, struct dep_reader *by)
{
    const char *type = sb_datapath_binding_type(dp, by);

    return type && *type ? str_eq(type, "logical-switch")
                         : ovsdb_map_get(sb_datapath_binding_external_ids(dp, by), "logical-switch") != NULL;
}

const struct dp_key_value *
datapath_get(struct controller *c, struct sb_datapath_binding *dp, struct dep_reader *by)
{
    const struct incr_fact *fact = dp ? incr_first(c->dp_key, &dp, sizeof dp, by) : NULL;

    return fact ? (const struct dp_key_value *) (const void *) fact->value : NULL;
}

void
datapath_put_enter(struct flow *f, uint32_t dp_key)
{
    flow_load(f, OFF_METADATA, 0, 64, dp_key);
    flow_resubmit(f, OFT_TAGS);
}

static struct sb_datapath_binding *
subject_datapath(struct incr_unit *u)
{
    struct sb_datapath_binding *dp;

    memcpy(&dp, incr_subject(u)->bytes, sizeof dp);
    return dp;
}

static void
datapath_run(struct incr_unit *u, void *c_)
{
    struct controller *c = c_;
    struct dep_reader *by = incr_reader(u);
    struct sb_datapath_binding *dp = subject_datapath(u);
    struct ovsdb_referrer_iter iter;

    if (!ovsdb_present(&dp->row_, by)) {
        return;
    }
    int64_t key = sb_datapath_binding_tunnel_key(dp, by);
    if (key < 1 || key > MAX_DP_KEY) {
        LOG_WARN_RL("datapath " UUID_FMT ": %lld is no tunnel key", UUID_ARGS(&dp->row_.uuid), (long long) key);
        return;
    }
    struct dp_key_value value = { .key = key, .is_switch = is_switch(dp, by) };
    incr_emit(u, c->dp_key, &dp, sizeof dp, &value, sizeof value);
    incr_emit(u, c->physical->local_key, &key, sizeof key, NULL, 0);
    OVSDB_FOR_EACH_REFERRER (group, &iter, &dp->row_, &sb_table_logical_dp_group, SB_LOGICAL_DP_GROUP_DATAPATHS, by) {
        if (ovsdb_present(group, by)) {
            incr_emit(u, c->dp_member, &group, sizeof group, &dp, sizeof dp);
        }
    }
}

static unsigned
binary_digits(uint64_t x)
{
    return x ? 64 - __builtin_clzll(x) : 0;
}

static void
dp_group_run(struct incr_unit *u, void *c_)
{
    struct controller *c = c_;
    struct dep_reader *by = incr_reader(u);
    const struct incr_key *subject = incr_subject(u);
    struct tag_demand demand = { .group = NULL };
    uint64_t members = 0;
    bool mixed = false;

    memcpy(&demand.group, subject->bytes, sizeof demand.group);
    INCR_FOR_EACH_FACT (fact, c->dp_member, subject->bytes, subject->len, by) {
        struct sb_datapath_binding *dp;
        memcpy(&dp, fact->value, sizeof dp);
        const struct dp_key_value *v = datapath_get(c, dp, by);
        if (v) {
            mixed |= members && demand.is_switch != v->is_switch;
            demand.is_switch = v->is_switch;
            members++;
        }
    }
    uint64_t flows = ovsdb_referrer_count(&demand.group->row_, &sb_table_logical_flow, SB_LOGICAL_FLOW_LOGICAL_DP_GROUP, by);
    if (members >= 2 && flows && !mixed) {
        demand.digits = binary_digits((members - 1) * flows);
        incr_emit(u, c->physical->tag_demand, "", 0, &demand, sizeof demand);
    }
}

static int
compare_demands(const void *a_, const void *b_)
{
    const struct tag_demand *a = a_, *b = b_;

    return a->digits != b->digits ? (a->digits > b->digits ? -1 : 1)
                                  : memcmp(&a->group->row_.uuid, &b->group->row_.uuid, sizeof(struct uuid));
}

static void
set_tag_run(struct incr_unit *u, void *c_)
{
    struct controller *c = c_;
    struct dep_reader *by = incr_reader(u);
    struct tag_demand *demands = NULL;
    size_t n = 0, cap = 0;

    INCR_FOR_EACH_FACT (fact, c->physical->tag_demand, "", 0, by) {
        GROW(demands, cap, n + 1);
        memcpy(&demands[n++], fact->value, sizeof *demands);
    }
    if (n) {
        qsort(demands, n, sizeof *demands, compare_demands);
    }
    for (size_t i = 0; i < MIN(n, MAX_TAGGED); i++) {
        struct sb_logical_dp_group *group = demands[i].group;
        /* A place that the set is likely to have after a restart too: then its flows are found in place. */
        uint32_t wish = 1 + hash_bytes(&group->row_.uuid, sizeof group->row_.uuid, 0) % N_SET_TAGS;
        uint32_t number = incr_number(u, c->physical->tags, &group->row_.uuid, sizeof group->row_.uuid, 0, wish);
        if (number) {
            struct set_tag_value value = {
                .tag = UINT64_C(1) << (DP_KEY_BITS - 1 + number), .is_switch = demands[i].is_switch,
            };
            incr_emit(u, c->set_tag, &group, sizeof group, &value, sizeof value);
        }
    }
    free(demands);
}

static void
tags_run(struct incr_unit *u, void *c_)
{
    struct controller *c = c_;
    struct dep_reader *by = incr_reader(u);
    struct sb_datapath_binding *dp = subject_datapath(u);
    const struct dp_key_value *v = datapath_get(c, dp, by);
    struct ovsdb_referrer_iter iter;
    uint64_t tags = 0;

    if (!v) {
        return;
    }
    OVSDB_FOR_EACH_REFERRER (group, &iter, &dp->row_, &sb_table_logical_dp_group, SB_LOGICAL_DP_GROUP_DATAPATHS, by) {
        const struct incr_fact *fact = incr_first(c->set_tag, &group, sizeof group, by);
        if (fact) {
            tags |= ((const struct set_tag_value *) (const void *) fact->value)->tag;
        }
    }
    if (tags) {
        struct flow f = FLOW_INIT(c, u);
        flow_match_dp(&f, v->key);
        flow_load(&f, OFF_METADATA, DP_KEY_BITS, N_SET_TAGS, tags >> DP_KEY_BITS);
        flow_emit(&f, OFT_TAGS, 100, row_cookie(&dp->row_));
        flow_destroy(&f);
    }
}

static void
format_row_subject(const struct incr_unit *u, struct str *out)
{
    struct ovsdb_row *row;

    memcpy(&row, incr_subject(u)->bytes, sizeof row);
    str_printf(out, "%s " UUID_FMT, ovsdb_table_desc(row->table)->name, UUID_ARGS(&row->uuid));
}

static void
class_over(struct controller *c, const char *name, incr_run_cb *run, struct incr_relation *relation)
{
    struct incr_class *class = incr_class_create(c->incr, name, run, c);

    incr_class_over_relation(class, relation);
    incr_class_set_format(class, format_row_subject);
}

void
datapath_create(struct controller *c)
{
    ovsdb_use(c->sb, &sb_table_datapath_binding, OVSDB_COLUMN(SB_DATAPATH_BINDING_TUNNEL_KEY) | OVSDB_COLUMN(SB_DATAPATH_BINDING_TYPE)
              | OVSDB_COLUMN(SB_DATAPATH_BINDING_EXTERNAL_IDS));
    ovsdb_use(c->sb, &sb_table_logical_dp_group, OVSDB_COLUMN(SB_LOGICAL_DP_GROUP_DATAPATHS));
    c->physical->tag_demand = incr_relation_create(c->incr, "tag_demand", 0);
    c->physical->local_key = incr_relation_create(c->incr, "local_key", 0);
    c->physical->tags = incr_numbers_create("set tag", 1, N_SET_TAGS);
    class_over(c, "datapath", datapath_run, c->local_dp);
    class_over(c, "dp_group", dp_group_run, c->dp_member);
    incr_class_alone(incr_class_create(c->incr, "set_tag", set_tag_run, c));
    class_over(c, "tags", tags_run, c->local_dp);
}

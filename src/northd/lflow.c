/* lflow.c - logical flows and sets of datapaths as facts; see lflow.h.
 *
 * A set is a Logical_DP_Group row whose UUID is derived from the set's name, so that flows can name it before it is there and
 * after a restart. The row is said while the set has members; rows of that table are not roots, and vanish by themselves when no flow refers to
 * them, so the sink does not delete. */
#include "northd/lflow.h"

#include <stdio.h>
#include <stdlib.h>

static const struct stage_info stages[N_STAGES] = {
#define STAGE(DP, PIPELINE, TABLE, NAME) \
    [stage_##DP##_##PIPELINE##_##NAME] = { #DP "_" #PIPELINE "_" #NAME, (#DP)[1] == 's', (#PIPELINE)[0] == 'o', TABLE },
#include "northd/stages.def"
#undef STAGE
};

const struct stage_info *
stage_info(enum stage s)
{
    return &stages[s];
}

static struct uuid
set_uuid(const char *name)
{
    struct digest d = digest_bytes(name, strlen(name));
    struct uuid u;

    memcpy(&u, &d, sizeof u);
    u.parts[1] = (u.parts[1] & ~0xf000u) | 0x8000;     /* RFC 9562: version 8, our own making. */
    u.parts[2] = (u.parts[2] & ~0xc0000000u) | 0x80000000;
    return u;
}

struct dpset
dpset_one(const struct uuid *datapath)
{
    return (struct dpset) { .uuid = *datapath };
}

struct dpset
dpset_named(const char *name)
{
    return (struct dpset) { .group = true, .uuid = set_uuid(name) };
}

void
dpset_emit_member(struct northd *n, struct incr_unit *u, const char *name, const struct uuid *datapath)
{
    struct uuid group = set_uuid(name);

    incr_emit(u, n->dpset, name, strlen(name), datapath, sizeof *datapath);
    sink_emit_member(u, n->sb_dp_group, &group, sizeof group, datapath);
}

/* One unit a set, while it has members: says its row and the flows of every feature for it. */
static void
run_dpset(struct incr_unit *u, void *n_)
{
    struct northd *n = n_;
    const struct incr_key *k = incr_subject(u);
    char *name = xstrndup(k->bytes, k->len);
    struct uuid uuid = set_uuid(name);

    sink_uuid(n->sb_dp_group, &uuid, sizeof uuid, &uuid, incr_reader(u));
    static void (*const features[])(struct northd *, struct incr_unit *, const char *, const struct dpset *) = {
        pipeline_set_flows, admission_set_flows, l2_lookup_set_flows,
    };
    struct dpset set = dpset_named(name);
    n->n_lflows = 0;
    for (size_t i = 0; i < ARRAY_SIZE(features); i++) {
        features[i](n, u, name, &set);
    }
    if (n->n_lflows) {                 /* Else nothing refers to the row, and the server would not keep it. */
        ovsdb_record_reset(n->record.dp_group);
        sink_emit(u, n->sb_dp_group, &uuid, sizeof uuid, n->record.dp_group);
    }
    free(name);
}

void
lflow_emit(struct northd *n, struct incr_unit *u, const struct dpset *set, enum stage stage, uint16_t priority, const char *match,
           const char *actions, const struct ovsdb_row *hint, const char *inoutport)
{
    const struct stage_info *s = &stages[stage];
    struct ovsdb_record *r = n->record.lflow;

    ovsdb_record_reset(r);
    ovsdb_record_uuid(r, set->group ? SB_LOGICAL_FLOW_LOGICAL_DP_GROUP : SB_LOGICAL_FLOW_LOGICAL_DATAPATH, &set->uuid);
    ovsdb_record_str(r, SB_LOGICAL_FLOW_PIPELINE, s->egress ? "egress" : "ingress");
    ovsdb_record_int(r, SB_LOGICAL_FLOW_TABLE_ID, s->table);
    ovsdb_record_int(r, SB_LOGICAL_FLOW_PRIORITY, priority);
    ovsdb_record_str(r, SB_LOGICAL_FLOW_MATCH, match);
    ovsdb_record_str(r, SB_LOGICAL_FLOW_ACTIONS, actions);
    ovsdb_record_map(r, SB_LOGICAL_FLOW_EXTERNAL_IDS, "stage-name", s->name);
    if (hint) {
        char text[9];
        snprintf(text, sizeof text, "%08x", hint->uuid.parts[0]);
        ovsdb_record_map(r, SB_LOGICAL_FLOW_EXTERNAL_IDS, "stage-hint", text);
    }
    if (inoutport) {
        ovsdb_record_map(r, SB_LOGICAL_FLOW_TAGS, "in_out_port", inoutport);
    }
    n->n_lflows += sink_emit(u, n->sb_lflow, NULL, 0, r);
}

void
lflow_create(struct northd *n)
{
    enum { COLUMNS = OVSDB_COLUMN(SB_LOGICAL_FLOW_LOGICAL_DATAPATH) | OVSDB_COLUMN(SB_LOGICAL_FLOW_LOGICAL_DP_GROUP) |
                     OVSDB_COLUMN(SB_LOGICAL_FLOW_PIPELINE) | OVSDB_COLUMN(SB_LOGICAL_FLOW_TABLE_ID) |
                     OVSDB_COLUMN(SB_LOGICAL_FLOW_PRIORITY) | OVSDB_COLUMN(SB_LOGICAL_FLOW_MATCH) |
                     OVSDB_COLUMN(SB_LOGICAL_FLOW_ACTIONS) | OVSDB_COLUMN(SB_LOGICAL_FLOW_EXTERNAL_IDS) |
                     OVSDB_COLUMN(SB_LOGICAL_FLOW_TAGS) | OVSDB_COLUMN(SB_LOGICAL_FLOW_CONTROLLER_METER) };

    ovsdb_use_digest(n->sb, &sb_table_logical_flow, COLUMNS);
    ovsdb_use(n->sb, &sb_table_logical_dp_group, OVSDB_COLUMN(SB_LOGICAL_DP_GROUP_DATAPATHS));
    n->sb_dp_group = sink_create(n->sb_out, "logical_dp_group", &sb_table_logical_dp_group, 0, SINK_NO_DELETE, NULL);
    sink_set_members(n->sb_dp_group, SB_LOGICAL_DP_GROUP_DATAPATHS);
    n->sb_lflow = sink_create(n->sb_out, "logical_flow", &sb_table_logical_flow, COLUMNS, SINK_DIGEST, NULL);
    n->dpset = incr_relation_create(n->incr, "dpset", 0);
    n->record.lflow = ovsdb_record_create(&sb_table_logical_flow);
    n->record.dp_group = ovsdb_record_create(&sb_table_logical_dp_group);
}

void
lflow_destroy(struct northd *n)
{
    ovsdb_record_destroy(n->record.lflow);
    ovsdb_record_destroy(n->record.dp_group);
}

void
lflow_create_classes(struct northd *n)
{
    incr_class_over_relation(incr_class_create(n->incr, "dpset", run_dpset, n), n->dpset);
}

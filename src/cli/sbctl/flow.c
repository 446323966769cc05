/* flow.c - lflow-list, dump-flows, count-flows. ovn-sbctl(8), "Logical Flow Commands".
 *
 * A flow of a datapath group is shown under each of its datapaths. Datapaths are sorted by name, a pipeline's flows by table,
 * priority (highest first), match and actions. For one datapath only its own flows and its groups' are asked for.
 *
 * What else OpenFlow flows are made of (--vflows) is in vflow.c. */
#include "cli/sbctl/flow.h"

#include <ctype.h>
#include <limits.h>
#include <stdlib.h>
#include <strings.h>

static const struct ovsdb_table_desc *const DP = &sb_table_datapath_binding;
static const struct ovsdb_table_desc *const FLOW = &sb_table_logical_flow;
static const struct ovsdb_table_desc *const GROUP = &sb_table_logical_dp_group;

#define FLOW_COLUMN(C) OVSDB_COLUMN(SB_LOGICAL_FLOW_##C)

/* A flow in a datapath. */
struct shown {
    struct view_row *flow, *datapath;
    const char *name;                  /* Of the datapath. */
    bool egress;
    int64_t table, priority;
    const char *match, *actions;
};

#define FLOW_COLUMNS \
    (FLOW_COLUMN(LOGICAL_DATAPATH) | FLOW_COLUMN(LOGICAL_DP_GROUP) | FLOW_COLUMN(PIPELINE) | FLOW_COLUMN(TABLE_ID) | FLOW_COLUMN(PRIORITY) \
     | FLOW_COLUMN(MATCH) | FLOW_COLUMN(ACTIONS) | FLOW_COLUMN(EXTERNAL_IDS))

static const char *
needs(struct ctl *c)
{
    ctl_need_all(c, DP, OVSDB_COLUMN(SB_DATAPATH_BINDING_EXTERNAL_IDS));
    ctl_need_all(c, GROUP, OVSDB_COLUMN(SB_LOGICAL_DP_GROUP_DATAPATHS));
    ctl_need(c, FLOW, FLOW_COLUMNS, ctl_arg(c, 1) ? "false" : NULL);
    return NULL;
}

static const char *
list_needs(struct ctl *c)
{
    TRY(needs(c));
    if (ctl_has(c, "--vflows")) {
        vflow_needs(c);
    }
    return NULL;
}

/* ---- what is asked for ---- */

bool
group_has(struct ctl *c, const struct uuid *group, const struct uuid *datapath)
{
    struct view_row *g = view_get(&c->view, GROUP, group);

    return g && datum_find(view_datum(g, SB_LOGICAL_DP_GROUP_DATAPATHS), &(union datum_atom) { .u = *datapath }, OVSDB_UUID) != SIZE_MAX;
}

/* Asks for the flows of the datapath ONLY, NULL: of all. A condition costs the server a walk over all flows: for many groups it sends them all. */
static const char *
need_flows(struct ctl *c, const struct view_row *only)
{
    enum { MAX_GROUPS = 8 };
    struct view_row *of[MAX_GROUPS + 1];
    size_t n, n_of = 0;
    struct view_row **groups = view_rows(&c->view, GROUP, &n);

    for (size_t i = 0; only && i < n && n_of <= MAX_GROUPS; i++) {
        if (group_has(c, &groups[i]->uuid, &only->uuid)) {
            of[n_of++] = groups[i];
        }
    }
    if (!only || n_of > MAX_GROUPS) {
        return ctl_need_all(c, FLOW, FLOW_COLUMNS) ? NULL : CTL_AGAIN;
    }
    bool here = ctl_need_referrer(c, FLOW, FLOW_COLUMNS, SB_LOGICAL_FLOW_LOGICAL_DATAPATH, &only->uuid);
    for (size_t i = 0; i < n_of; i++) {
        here &= ctl_need_referrer(c, FLOW, FLOW_COLUMNS, SB_LOGICAL_FLOW_LOGICAL_DP_GROUP, &of[i]->uuid);
    }
    return here ? NULL : CTL_AGAIN;
}

/* ARG as the beginning of a flow's UUID, without 0x. */
static const char *
flow_prefix(struct ctl *c, const char *arg, const char **prefix)
{
    const char *p = !strncasecmp(arg, "0x", 2) ? arg + 2 : arg;

    *prefix = p;
    for (size_t i = 0; p[i]; i++) {
        bool dash = i == 8 || i == 13 || i == 18 || i == 23;
        if (i >= UUID_LEN || (dash ? p[i] != '-' : !isxdigit((unsigned char) p[i]))) {
            return ctl_error(c, "%s is not a UUID or the beginning of a UUID", arg);
        }
    }
    return *p ? NULL : ctl_error(c, "%s is not a UUID or the beginning of a UUID", arg);
}

static bool
is_asked_for(const struct view_row *flow, const char *const prefixes[], size_t n)
{
    char uuid[UUID_LEN + 1];

    uuid_format(&flow->uuid, uuid);
    for (size_t i = 0; i < n; i++) {
        if (!strncasecmp(uuid, prefixes[i], strlen(prefixes[i]))) {
            return true;
        }
    }
    return !n;
}

const char *
datapath_names(struct ctl *c, struct view_row *dp)
{
    const char *name = view_map_str(dp, SB_DATAPATH_BINDING_EXTERNAL_IDS, "name");
    const char *name2 = view_map_str(dp, SB_DATAPATH_BINDING_EXTERNAL_IDS, "name2");

    return !name ? "" : !name2 ? arena_printf(&c->arena, "\"%s\"", name) : arena_printf(&c->arena, "\"%s\" aka \"%s\"", name, name2);
}

/* ---- collecting ---- */

struct collection {
    struct ctl *c;
    struct view_row *only;             /* Of this datapath; NULL: of all. */
    struct shown *v;
    size_t n, cap;
};

static void
collect_one(struct collection *to, struct view_row *flow, const struct uuid *datapath)
{
    struct view_row *dp = view_get(&to->c->view, DP, datapath);

    if (!dp || (to->only && dp != to->only)) {
        return;
    }
    const char *name = view_map_str(dp, SB_DATAPATH_BINDING_EXTERNAL_IDS, "name");
    GROW(to->v, to->cap, to->n + 1);
    to->v[to->n++] = (struct shown) {
        .flow = flow, .datapath = dp, .name = name ? name : "",
        .egress = str_eq(view_str(flow, SB_LOGICAL_FLOW_PIPELINE), "egress"),
        .table = view_int(flow, SB_LOGICAL_FLOW_TABLE_ID, 0), .priority = view_int(flow, SB_LOGICAL_FLOW_PRIORITY, 0),
        .match = view_str(flow, SB_LOGICAL_FLOW_MATCH), .actions = view_str(flow, SB_LOGICAL_FLOW_ACTIONS),
    };
}

static void
collect_flow(struct collection *to, struct view_row *flow)
{
    const struct datum *dp = view_datum(flow, SB_LOGICAL_FLOW_LOGICAL_DATAPATH);
    const struct datum *group = view_datum(flow, SB_LOGICAL_FLOW_LOGICAL_DP_GROUP);
    struct view_row *g = group->n ? view_get(&to->c->view, GROUP, &group->k[0].u) : NULL;

    if (dp->n) {
        collect_one(to, flow, &dp->k[0].u);
    }
    if (g) {
        const struct datum *members = view_datum(g, SB_LOGICAL_DP_GROUP_DATAPATHS);
        for (size_t i = 0; i < members->n; i++) {
            collect_one(to, flow, &members->k[i].u);
        }
    }
}

static int
compare_shown(const void *a_, const void *b_)
{
    const struct shown *a = a_, *b = b_;
    int cmp = a->datapath == b->datapath ? 0 : strcmp(a->name, b->name);

    cmp = cmp ? cmp : uuid_compare(&a->datapath->uuid, &b->datapath->uuid);
    cmp = cmp ? cmp : a->egress - b->egress;
    cmp = cmp ? cmp : (a->table > b->table) - (a->table < b->table);
    cmp = cmp ? cmp : (a->priority < b->priority) - (a->priority > b->priority);
    cmp = cmp ? cmp : strcmp(a->match, b->match);
    cmp = cmp ? cmp : strcmp(a->actions, b->actions);
    return cmp ? cmp : uuid_compare(&a->flow->uuid, &b->flow->uuid);
}

/* ---- showing ---- */

static void
print_heading(struct ctl *c, const struct shown *s)
{
    ctl_print(c, "Datapath: %s (" UUID_FMT ")  Pipeline: %s\n", datapath_names(c, s->datapath), UUID_ARGS(&s->datapath->uuid),
              s->egress ? "egress" : "ingress");
}

static bool
same_pipeline(const struct shown *a, const struct shown *b)
{
    return a->datapath == b->datapath && a->egress == b->egress;
}

static void
print_stage(struct ctl *c, const struct shown *s)
{
    const char *stage = view_map_str(s->flow, SB_LOGICAL_FLOW_EXTERNAL_IDS, "stage-name");

    ctl_print(c, "table=%-2lld(%-19s)", (long long) s->table, stage ? stage : "");
}

/* The OpenFlow flows of a row, each in a line of its own. */
static void
print_ovs_flow(void *c_, const char *flow)
{
    struct ctl *c = c_;
    struct str text = STR_INIT;

    if (ctl_has(c, "--stats")) {
        str_puts(&text, flow);
    } else {
        ovs_flow_put_brief(flow, &text);
    }
    ctl_print(c, "    %s\n", str_c(&text));
    str_free(&text);
}

void
print_ovs_flows(struct ctl *c, const struct ovs_flows *ovs, const struct uuid *uuid)
{
    if (ovs) {
        ovs_flows_for_each(ovs, uuid->parts[0], print_ovs_flow, c);
    }
}

static void
list_print(struct ctl *c, const struct collection *all, const struct ovs_flows *ovs)
{
    for (size_t i = 0; i < all->n; i++) {
        const struct shown *s = &all->v[i];
        if (!i || !same_pipeline(s - 1, s)) {
            print_heading(c, s);
        }
        ctl_print(c, "  ");
        if (ctl_has(c, "--uuid")) {
            ctl_print(c, "uuid=0x%08x, ", s->flow->uuid.parts[0]);
        }
        print_stage(c, s);
        ctl_print(c, ", priority=%-5lld, match=(%s), action=(%s)\n", (long long) s->priority, s->match, s->actions);
        print_ovs_flows(c, ovs, &s->flow->uuid);
    }
}

/* --ovs: a switch that is not there is a pity, and no reason not to show the rest. */
static struct ovs_flows *
get_ovs_flows(struct ctl *c)
{
    const char *remote = ctl_option(c, "--ovs");
    char *default_remote = ovs_default_remote(), *error;
    struct ovs_flows *ovs = ovs_flows_get(remote ? remote : default_remote, ctl_has(c, "--stats"), &error);

    if (error) {
        ctl_warn(c, "%s", error);
    }
    free(error);
    free(default_remote);
    return ovs;
}

static const char *
list_run(struct ctl *c)
{
    struct collection all = { .c = c };
    const char **prefixes = ARENA_NEW(&c->arena, const char *, c->call->argc);
    size_t n_prefixes = 0, n;
    int first = 1;

    if (ctl_arg(c, 1)) {
        TRY(ctl_find_record(c, DP, ctl_arg(c, 1), false, &all.only));
        first += all.only != NULL;
    }
    for (int i = first; ctl_arg(c, i); i++) {
        TRY(flow_prefix(c, ctl_arg(c, i), &prefixes[n_prefixes]));
        n_prefixes++;
    }
    TRY(need_flows(c, all.only));
    struct view_row **flows = view_rows(&c->view, FLOW, &n);
    for (size_t i = 0; i < n; i++) {
        if (is_asked_for(flows[i], prefixes, n_prefixes)) {
            collect_flow(&all, flows[i]);
        }
    }
    if (all.n) {
        qsort(all.v, all.n, sizeof *all.v, compare_shown);
    }
    struct ovs_flows *ovs = ctl_has(c, "--ovs") ? get_ovs_flows(c) : NULL;
    list_print(c, &all, ovs);
    if (ctl_has(c, "--vflows")) {
        vflow_print(c, all.only, ovs);
    }
    ovs_flows_destroy(ovs);
    free(all.v);
    return NULL;
}

static const char *
count_run(struct ctl *c)
{
    struct collection all = { .c = c };
    size_t n, in_table = 0, in_pipeline = 0;

    if (ctl_arg(c, 1)) {
        TRY(ctl_find_record(c, DP, ctl_arg(c, 1), false, &all.only));
    }
    if (all.only || !ctl_arg(c, 1)) {
        TRY(need_flows(c, all.only));
    }
    struct view_row **flows = view_rows(&c->view, FLOW, &n);
    for (size_t i = 0; (all.only || !ctl_arg(c, 1)) && i < n; i++) {
        collect_flow(&all, flows[i]);
    }
    if (all.n) {
        qsort(all.v, all.n, sizeof *all.v, compare_shown);
    }
    for (size_t i = 0; i < all.n; i++) {
        const struct shown *s = &all.v[i], *next = i + 1 < all.n ? s + 1 : NULL;
        bool ends = !next || !same_pipeline(s, next);
        if (!i || !same_pipeline(s - 1, s)) {
            print_heading(c, s);
            in_pipeline = 0;
        }
        in_table++;
        in_pipeline++;
        if (ends || next->table != s->table) {
            ctl_print(c, "  ");
            print_stage(c, s);
            ctl_print(c, " lflows=%zu\n", in_table);
            in_table = 0;
        }
        if (ends) {
            ctl_print(c, "Total number of logical flows in the datapath %s (" UUID_FMT ") Pipeline: %s = %zu\n\n", datapath_names(c, s->datapath),
                      UUID_ARGS(&s->datapath->uuid), s->egress ? "egress" : "ingress", in_pipeline);
        }
    }
    ctl_print(c, "Total number of logical flows = %zu\n", all.n);
    free(all.v);
    return NULL;
}

#define LIST_OPTIONS "--uuid --ovs[=REMOTE] --stats --vflows"
static const struct ctl_command commands[] = {
    { "lflow-list", LIST_OPTIONS, "[DATAPATH] [LFLOW]...", 0, INT_MAX, "list logical flows of DATAPATH, or only LFLOWs (beginnings of UUIDs)",
      list_needs, list_run, 0 },
    { "dump-flows", LIST_OPTIONS, "[DATAPATH] [LFLOW]...", 0, INT_MAX, "the same", list_needs, list_run, 0 },
    { "count-flows", NULL, "[DATAPATH]", 0, 1, "count logical flows by table and datapath", needs, count_run, 0 },
    { NULL },
};
const struct ctl_group sbctl_flow_group = { "Logical flow commands", commands };

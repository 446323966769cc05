/* lflow.c - one unit a southbound Logical_Flow: match and actions, parsed, resolved, encoded, said as OpenFlow flows.
 *
 * A flow for one datapath is matched by the datapath's key. One for a set of datapaths is one flow with the set's tag, if it has one and all names
 * in it mean the same in the whole set; else it is said for each local member. Which datapaths is asked first: what concerns none of ours is not even parsed.
 *
 * Conjunctive matches have ids that are the logical flow's in that place (incr_number(), by hash: the same after a restart); the flows of their clauses have no
 * cookie, as several logical flows may share one. What compares with an address set is left to address_set.c.
 *
 * Template variables (^NAME) are replaced in the texts, before anything else, by what they are on this chassis.
 *
 * A flow that cannot be used is skipped, counted, and named in the log: once for each thing that is wrong, limited in rate. */
#include <stdlib.h>

#include "base/log.h"
#include "controller/physical/flow.h"
#include "controller/translate/layout.h"
#include "controller/translate/translate.h"
#include "runtime/metrics.h"

LOG_MODULE(lflow);
METRIC(lflow_run);
METRIC(lflow_not_parsed);
METRIC(lflow_refused);

enum { MAX_SHOWN = 200 };              /* Of a text, in the log. */

/* One logical flow under translation. */
struct job {
    struct controller *c;
    struct incr_unit *u;
    struct dep_reader *by;
    const struct sb_logical_flow *row;
    bool egress;
    uint8_t ltable;
    uint16_t priority;
    const struct expr *match;
    const struct actions *actions;
    bool has_sets;                     /* The match names an address set. */
    struct resolver resolver;
};

/* What it is in one place. */
struct outcome {
    struct expr_matches matches;
    struct expr_templates templates;
    struct str actions;
};
#define OUTCOME_INIT { EXPR_MATCHES_INIT, EXPR_TEMPLATES_INIT, STR_INIT }

static void
outcome_destroy(struct outcome *o)
{
    expr_matches_destroy(&o->matches);
    expr_templates_destroy(&o->templates);
    str_free(&o->actions);
}

static void
warn(const struct job *j, const char *what, const char *text, const char *error)
{
    LOG_WARN_RL("logical flow " UUID_FMT " (%s table %d) is skipped: %s \"%.*s%s\": %s", UUID_ARGS(&j->row->row_.uuid),
                j->egress ? "egress" : "ingress", j->ltable, what, MAX_SHOWN, text, strlen(text) > MAX_SHOWN ? "..." : "", error);
}

static bool
check_parsed(const struct job *j, const char *what, struct parsed *p)
{
    if (p->error) {
        METRIC_INC(lflow_not_parsed);
        if (!p->warned) {
            p->warned = true;
            warn(j, what, p->text, p->error);
        }
    }
    return !p->error;
}

static struct action_env
make_action_env(struct job *j, bool is_switch)
{
    struct action_env env = action_env_of_layout(j->egress ? LOGICAL_EGRESS : LOGICAL_INGRESS, j->ltable);

    env.is_switch = is_switch;
    env.cookie = j->row->row_.uuid.parts[0];
    env.lookup_port = resolver_lookup_port;
    env.is_chassis_resident = resolver_is_chassis_resident;
    env.datapath_key = resolver_datapath_key;
    env.aux = &j->resolver;
    return env;
}

/* In datapath DP (NULL: in the whole set). True if it can be said so. */
static bool
work_out(struct job *j, struct sb_datapath_binding *dp, uint32_t dp_key, bool is_switch, struct outcome *o)
{
    j->resolver.dp = dp;
    j->resolver.dp_key = dp_key;
    j->resolver.differs = false;
    struct expr_env env = resolver_env(&j->resolver);
    struct action_env action_env = make_action_env(j, is_switch);
    const struct expr *also = actions_prereqs(j->actions);
    env.conjunctions = EXPR_CONJUNCTIONS_FEWER;
    char *error = j->has_sets ? expr_resolve_split(j->match, also, &env, &o->matches, &o->templates) : expr_resolve(j->match, also, &env, &o->matches);
    if (error) {
        METRIC_INC(lflow_refused);
        warn(j, "match", sb_logical_flow_match(j->row, j->by), error);
    } else if (!j->resolver.differs && (o->matches.n || o->templates.n)) {
        error = actions_encode(j->actions, &action_env, &o->actions);
        if (error && !j->resolver.differs) {   /* Else each datapath is asked. */
            METRIC_INC(lflow_refused);
            warn(j, "actions", sb_logical_flow_actions(j->row, j->by), error);
        }
    }
    bool ok = !error && !j->resolver.differs;
    free(error);
    return ok;
}

void
flow_place_emit(struct controller *c, struct incr_unit *u, struct expr_match *m, const struct flow_place *place, const void *actions, size_t actions_len)
{
    union of_value value = of_value_u64(place->metadata), mask = of_value_u64(place->metadata_mask);

    REQUIRE(of_match_add(&m->match, OFF_METADATA, &value, &mask));
    if (m->n_conjs) {
        struct str conjunctions = STR_INIT;
        expr_match_put_conjunctions(m, &conjunctions);
        controller_emit_flow(c, u, place->table, place->priority, 0, &m->match, conjunctions.s, conjunctions.len);
        str_free(&conjunctions);
    } else {
        controller_emit_flow(c, u, place->table, place->priority, place->cookie, &m->match, actions, actions_len);
    }
}

/* Gives the conjunctions of O ids of their own. False: none are left. */
static bool
number_conjunctions(struct job *j, bool of_group, struct outcome *o)
{
    uint32_t n = o->matches.n_conj_ids, *numbers = n ? xcalloc(n, sizeof *numbers) : NULL;
    bool ok = true;

    for (uint32_t i = 0; ok && i < n; i++) {
        struct conj_owner owner = { .lflow = j->row->row_.uuid, .i = i, .of_group = of_group };
        uint32_t wish = 1 + hash_bytes(&owner, sizeof owner, 0) % (UINT32_MAX - 1);
        numbers[i] = incr_number(j->u, j->c->translate->conj_ids, &owner, sizeof owner, 0, wish);
        ok = numbers[i];
    }
    for (size_t i = 0; ok && n && i < o->matches.n; i++) {
        expr_match_renumber(&o->matches.m[i], numbers);
    }
    for (size_t i = 0; ok && n && i < o->templates.n; i++) {
        expr_match_renumber(&o->templates.t[i].match, numbers);
    }
    free(numbers);
    return ok;
}

/* Says O where the bits of METADATA that MASK has are so. */
static void
say(struct job *j, bool of_group, struct outcome *o, uint64_t metadata, uint64_t mask)
{
    const struct flow_place place = {
        .metadata = metadata, .metadata_mask = mask, .cookie = j->row->row_.uuid.parts[0], .priority = j->priority,
        .table = (j->egress ? OFT_EGRESS : OFT_INGRESS) + j->ltable,
    };

    if (!number_conjunctions(j, of_group, o)) {
        warn(j, "match", sb_logical_flow_match(j->row, j->by), "no conjunction id is left");
        return;
    }
    for (size_t i = 0; i < o->matches.n; i++) {
        flow_place_emit(j->c, j->u, &o->matches.m[i], &place, o->actions.s, o->actions.len);
    }
    for (size_t i = 0; i < o->templates.n; i++) {
        address_template_emit(j->c, j->u, &o->templates.t[i], &place, &o->actions);
    }
}

static void
translate_datapath(struct job *j, struct sb_datapath_binding *dp, const struct dp_key_value *v, bool of_group)
{
    struct outcome o = OUTCOME_INIT;

    if (work_out(j, dp, v->key, v->is_switch, &o)) {
        say(j, of_group, &o, v->key, (UINT64_C(1) << DP_KEY_BITS) - 1);
    }
    outcome_destroy(&o);
}

static const struct dp_key_value *
local_datapath(struct job *j, struct sb_datapath_binding *dp)
{
    const struct incr_fact *fact = incr_first(j->c->dp_key, &dp, sizeof dp, j->by);

    return fact ? (const struct dp_key_value *) (const void *) fact->value : NULL;
}

static void
translate_group(struct job *j, struct sb_logical_dp_group *group, const struct incr_fact *tag)
{
    struct outcome o = OUTCOME_INIT;
    bool differs = true;

    if (tag) {
        const struct set_tag_value *v = (const void *) tag->value;
        if (work_out(j, NULL, 0, v->is_switch, &o)) {
            say(j, true, &o, v->tag, v->tag);
        }
        differs = j->resolver.differs;
    }
    outcome_destroy(&o);
    if (!differs) {
        return;
    }
    INCR_FOR_EACH_FACT (fact, j->c->dp_member, &group, sizeof group, j->by) {
        struct sb_datapath_binding *dp;
        memcpy(&dp, fact->value, sizeof dp);
        const struct dp_key_value *v = local_datapath(j, dp);
        if (v) {
            translate_datapath(j, dp, v, true);
        }
    }
}

/* Whether the flow is about what one port sends (ingress) or gets (egress), and that port is a VIF which is not here: Logical_Flow.tags, "in_out_port". */
static bool
is_of_port_elsewhere(struct job *j)
{
    const struct ovsdb_map *tags = sb_logical_flow_tags(j->row, j->by);
    const char *name = tags->n ? ovsdb_map_get(tags, "in_out_port") : NULL;
    struct ovsdb_row *row = name ? ovsdb_index_get_str(j->c->port_by_name, j->by, name) : NULL;
    struct sb_port_binding *pb = sb_port_binding_of(row);

    return pb && str_eq(sb_port_binding_type(pb, j->by), "") && !incr_first(j->c->bound, &pb, sizeof pb, j->by);
}

/* Fills J; false if the row makes no sense. */
static bool
begin(struct job *j)
{
    int64_t ltable = sb_logical_flow_table_id(j->row, j->by), priority = sb_logical_flow_priority(j->row, j->by);
    const char *pipeline = sb_logical_flow_pipeline(j->row, j->by);

    j->egress = str_eq(pipeline, "egress");
    if ((!j->egress && !str_eq(pipeline, "ingress")) || ltable < 0 || ltable >= (j->egress ? N_EGRESS_TABLES : N_INGRESS_TABLES)
        || priority < 0 || priority > UINT16_MAX) {
        METRIC_INC(lflow_refused);
        LOG_WARN_RL("logical flow " UUID_FMT " is skipped: there is no %s table %lld with priority %lld", UUID_ARGS(&j->row->row_.uuid),
                    pipeline, (long long) ltable, (long long) priority);
        return false;
    }
    j->ltable = ltable;
    j->priority = priority;
    return true;
}

static void
lflow_run(struct incr_unit *u, void *c_)
{
    struct controller *c = c_;
    struct job j = { .c = c, .u = u, .by = incr_reader(u), .row = sb_logical_flow_of(incr_row(u)) };
    struct sb_datapath_binding *dp = sb_logical_flow_logical_datapath(j.row, j.by);
    struct sb_logical_dp_group *group = sb_logical_flow_logical_dp_group(j.row, j.by);
    const struct dp_key_value *v = dp ? local_datapath(&j, dp) : NULL;
    const struct incr_fact *tag = group ? incr_first(c->set_tag, &group, sizeof group, j.by) : NULL;

    j.resolver = (struct resolver) { .c = c, .by = j.by };
    METRIC_INC(lflow_run);
    /* With a tag, the members are none of a flow's business: they come and go without it. */
    bool here = v || tag || (group && incr_first(c->dp_member, &group, sizeof group, j.by));
    if (!here || !begin(&j) || is_of_port_elsewhere(&j)) {
        return;
    }
    const char *match_text = resolver_expand(&j.resolver, sb_logical_flow_match(j.row, j.by));
    const char *actions_text = resolver_expand(&j.resolver, sb_logical_flow_actions(j.row, j.by));
    struct parsed *match = parsed_match(c->translate->parsed, match_text), *actions = parsed_actions(c->translate->parsed, actions_text);
    if (check_parsed(&j, "match", match) && check_parsed(&j, "actions", actions)) {
        j.match = match->expr;
        j.has_sets = strchr(match->text, '$');
        j.actions = actions->actions;
        if (v) {
            translate_datapath(&j, dp, v, false);
        }
        if (group) {
            translate_group(&j, group, tag);
        }
    }
    intern_unref(match_text);
    intern_unref(actions_text);
    resolver_destroy(&j.resolver);
}

void
translate_create(struct controller *c)
{
    struct translate *t = c->translate = XNEW(struct translate);

    t->parsed = parsed_cache_create();
    t->conj_ids = incr_numbers_create("conjunction id", 1, UINT32_MAX);
    address_set_create(c);
    ovsdb_use(c->sb, &sb_table_logical_flow, OVSDB_COLUMN(SB_LOGICAL_FLOW_LOGICAL_DATAPATH) | OVSDB_COLUMN(SB_LOGICAL_FLOW_LOGICAL_DP_GROUP)
              | OVSDB_COLUMN(SB_LOGICAL_FLOW_PIPELINE) | OVSDB_COLUMN(SB_LOGICAL_FLOW_TABLE_ID) | OVSDB_COLUMN(SB_LOGICAL_FLOW_PRIORITY)
              | OVSDB_COLUMN(SB_LOGICAL_FLOW_MATCH) | OVSDB_COLUMN(SB_LOGICAL_FLOW_ACTIONS) | OVSDB_COLUMN(SB_LOGICAL_FLOW_TAGS));
    ovsdb_use(c->sb, &sb_table_address_set, OVSDB_COLUMN(SB_ADDRESS_SET_NAME) | OVSDB_COLUMN(SB_ADDRESS_SET_ADDRESSES));
    ovsdb_use(c->sb, &sb_table_port_group, OVSDB_COLUMN(SB_PORT_GROUP_NAME) | OVSDB_COLUMN(SB_PORT_GROUP_PORTS));
    ovsdb_use(c->sb, &sb_table_chassis_template_var, OVSDB_COLUMN(SB_CHASSIS_TEMPLATE_VAR_CHASSIS) | OVSDB_COLUMN(SB_CHASSIS_TEMPLATE_VAR_VARIABLES));
    t->template_var_by_chassis = ovsdb_index_create(c->sb, &sb_table_chassis_template_var, 1, (uint16_t[]) { SB_CHASSIS_TEMPLATE_VAR_CHASSIS });
    t->address_set_by_name = ovsdb_index_create(c->sb, &sb_table_address_set, 1, (uint16_t[]) { SB_ADDRESS_SET_NAME });
    t->port_group_by_name = ovsdb_index_create(c->sb, &sb_table_port_group, 1, (uint16_t[]) { SB_PORT_GROUP_NAME });
    incr_class_over_table(incr_class_create(c->incr, "lflow", lflow_run, c), ovsdb_table(c->sb, &sb_table_logical_flow));
    address_set_create_classes(c);
}

void
translate_destroy(struct controller *c)
{
    parsed_cache_destroy(c->translate->parsed);
    incr_numbers_destroy(c->translate->conj_ids);
    free(c->translate);
}

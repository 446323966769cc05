/* simulate.c - walks a packet through logical flow tables, and from datapath to datapath.
 *
 * What a hypervisor does between the pipelines is done here too (ovn-architecture(7)): registers are cleared between ingress and egress, a packet
 * does not leave by the port it came from unless flags.loopback says so, and what crosses a patch port arrives with nothing but itself. */
#include "cli/trace/simulate.h"

#include <stdio.h>
#include <stdlib.h>

/* As in the switch, a packet that was looked up more than 4096 times one within the other is in a loop. In all branches together: */
enum { MAX_DEPTH = 4096, MAX_LOOKUPS = 200000 };

struct simulation {
    struct trace_env env;
    struct trace_result *result;
    const struct trace_question *question;
    size_t ct_used;
    unsigned depth, lookups;
    bool over;                         /* Too much: nothing more happens. */
    bool has_lb_dst;
    struct trace_backend lb_dst;
};

static struct simulation *
simulation_of(const struct trace_at *at)
{
    return CONTAINER_OF(at->env, struct simulation, env);
}

static struct datapath *
datapath_of(const struct trace_at *at)
{
    return at->aux;
}

/* ---- what matches ask ---- */

static bool
expr_lookup_port(void *at_, const char *name, uint32_t *key)
{
    return datapath_lookup(datapath_of(at_), name, key);
}

static const struct expr_constants *
expr_address_set(void *at_, const char *name)
{
    return world_address_set(datapath_of(at_)->world, name);
}

static const struct expr_keys *
expr_port_group(void *at_, const char *name)
{
    return datapath_port_group(datapath_of(at_), name);
}

/* Wherever it has to be, it is. */
static bool
expr_resident(void *at UNUSED, const char *name UNUSED)
{
    return true;
}

static bool
flow_matches(struct flow *f, struct trace_at *at)
{
    const struct expr_env env = { .lookup_port = expr_lookup_port, .address_set = expr_address_set, .port_group = expr_port_group,
                                  .is_chassis_resident = expr_resident, .aux = at };
    if (!flow_parse(f)) {
        return false;
    }
    const struct expr *prereqs = actions_prereqs(f->actions);
    return expr_evaluate(f->match, &env, at->packet) && (!prereqs || expr_evaluate(prereqs, &env, at->packet));
}

/* ---- tables ---- */

static struct flow *
lookup(struct trace_at *at, enum logical_pipeline pipeline, unsigned table)
{
    struct datapath *dp = datapath_of(at);

    for (uint32_t i = dp->first[pipeline][table]; i < dp->first[pipeline][table + 1]; i++) {
        if (flow_matches(&dp->flows[i], at)) {
            return &dp->flows[i];
        }
    }
    return NULL;
}

static struct trace_node *
add_step(struct trace_at *at, enum trace_kind kind, enum logical_pipeline pipeline, uint8_t table, struct flow *f, const char *text)
{
    struct arena *arena = at->env->arena;
    struct trace_node *n = trace_add(arena, at->node, kind, "%s", text);
    struct trace_step *step = arena_zalloc(arena, sizeof *step);

    *step = (struct trace_step) { .dp = datapath_of(at), .pipeline = pipeline, .table = table, .flow = f };
    n->data = step;
    return n;
}

static struct trace_node *
add_table(struct trace_at *at, enum logical_pipeline pipeline, uint8_t table, struct flow *f)
{
    struct datapath *dp = datapath_of(at);
    struct str s = STR_INIT;

    str_printf(&s, "%2u. ", table);
    if (f) {
        const struct ovsdb_map *ids = sb_logical_flow_external_ids(f->row, NULL);
        const char *stage = ovsdb_map_get(ids, "stage-name"), *source = ovsdb_map_get(ids, "source");
        str_puts(&s, stage ? stage : "");
        if (source) {
            str_printf(&s, "%s(%s)", stage ? " " : "", source);
        }
        str_printf(&s, ": %s, priority %d, uuid %08x", sb_logical_flow_match(f->row, NULL), f->priority, f->row->row_.uuid.parts[0]);
    } else {
        const char *stage = datapath_stage(dp, pipeline, table);
        str_printf(&s, "%s%sno match (implicit drop)", stage, *stage ? ": " : "");
    }
    struct trace_node *n = add_step(at, TRACE_TABLE, pipeline, table, f, str_c(&s));
    str_free(&s);
    return n;
}

/* The port's name, as it is shown; "" if there is none. */
static const char *
name_of_key(struct datapath *dp, uint32_t key)
{
    struct port *p = datapath_port(dp, key);

    return p ? port_name(p) : "";
}

static struct trace_node *
add_pipeline(struct trace_at *at, enum logical_pipeline pipeline)
{
    struct datapath *dp = datapath_of(at);
    struct str s = STR_INIT;

    str_printf(&s, "%s(dp=\"%s\", inport=\"%s\"", pipeline == LOGICAL_INGRESS ? "ingress" : "egress", datapath_name(dp),
               name_of_key(dp, of_value_low(&at->packet->f[LOGICAL_INPORT])));
    if (pipeline == LOGICAL_EGRESS) {
        str_printf(&s, ", outport=\"%s\"", name_of_key(dp, of_value_low(&at->packet->f[LOGICAL_OUTPORT])));
    }
    str_putc(&s, ')');
    struct trace_node *n = add_step(at, TRACE_PIPELINE, pipeline, 0, NULL, str_c(&s));
    str_free(&s);
    return n;
}

/* The packet went nowhere from there. */
static bool
is_end(const struct trace_node *table)
{
    for (const struct trace_node *n = table->first; n; n = n->next) {
        if (n->kind != TRACE_ACTION && n->kind != TRACE_GOTO && n->kind != TRACE_COMMENT && n->kind != TRACE_NOTE && n->kind != TRACE_MODIFY
            && !(n->kind == TRACE_TRANSFORM && !n->first)) {
            return false;
        }
    }
    return true;
}

static void
run_table(struct trace_at *at, enum logical_pipeline pipeline, unsigned table)
{
    struct flow *f;
    struct trace_at inner = *at;

    if (pipeline != at->pipeline) {
        inner.node = add_pipeline(at, pipeline);
        inner.pipeline = pipeline;
    }
    while (table < 256 && (f = lookup(&inner, pipeline, table)) && f->trivial) {
        table++;
    }
    if (table >= 256) {
        trace_add(at->env->arena, inner.node, TRACE_ERROR, "there is no table %u", table);
        return;
    }
    inner.table = table;
    inner.node = add_table(&inner, pipeline, table, f);
    if (f) {
        actions_trace(f->actions, &inner);
        at->stack = inner.stack;
    }
    if (is_end(inner.node)) {
        struct trace_step *step = inner.node->data;
        step->packet = arena_alloc(at->env->arena, sizeof *step->packet);
        *step->packet = *at->packet;
    }
}

static void
env_next(struct trace_at *at, enum logical_pipeline pipeline, unsigned table)
{
    struct simulation *s = simulation_of(at);

    if (s->over) {
        return;
    } else if (s->depth >= MAX_DEPTH || s->lookups >= MAX_LOOKUPS) {
        s->over = true;
        trace_add(at->env->arena, at->node, TRACE_ERROR, "more than %d lookups%s: the trace ends here",
                  s->depth >= MAX_DEPTH ? MAX_DEPTH : MAX_LOOKUPS, s->depth >= MAX_DEPTH ? " within each other, the packet is in a loop" : "");
    } else {
        s->lookups++;
        s->depth++;
        run_table(at, pipeline, table);
        s->depth--;
    }
}

/* ---- output ---- */

/* A packet of its own at the beginning of PIPELINE of DP, noted below AT's node. */
static struct trace_at *
enter(struct trace_at *at, struct datapath *dp, enum logical_pipeline pipeline)
{
    struct trace_at *copy = xmemdup(at, sizeof *at);

    copy->packet = xmemdup(at->packet, sizeof *at->packet);
    copy->aux = dp;
    copy->pipeline = pipeline;
    copy->table = 0;
    copy->stack = NULL;
    return copy;
}

static void
leave(struct trace_at *at)
{
    free(at->packet);
    free(at);
}

static void
clear_fields(struct logical_packet *p, enum of_field first, enum of_field last)
{
    for (enum of_field f = first; f <= last; f++) {
        p->f[f] = of_value_u64(0);
    }
}

static void
comment(struct trace_at *at, const char *text)
{
    trace_add(at->env->arena, at->node, TRACE_COMMENT, "%s", text);
}

static void
run_egress(struct trace_at *at, struct port *out)
{
    struct trace_at *e = enter(at, datapath_of(at), LOGICAL_EGRESS);

    bool back = of_value_low(&e->packet->f[LOGICAL_INPORT]) == out->key
                && !(of_value_low(&e->packet->f[LOGICAL_FLAGS]) >> MLF_ALLOW_LOOPBACK & 1);
    clear_fields(e->packet, OFF_REG0, OFF_REG9);
    e->packet->f[LOGICAL_OUTPORT] = of_value_u64(out->key);
    if (!back || at->node->kind == TRACE_MULTICAST) {
        e->node = add_pipeline(e, LOGICAL_EGRESS);
    }
    if (back) {
        comment(e, "omitting output because inport == outport && !flags.loopback");
    } else {
        env_next(e, LOGICAL_EGRESS, 0);
    }
    leave(e);
}

static struct port *
port_by_option(struct port *p, const char *option)
{
    struct world *w = p->dp->world;
    const char *name = ovsdb_map_get(sb_port_binding_options(p->row, NULL), option);
    struct ovsdb_row *row = name ? ovsdb_index_get_str(w->db->port_by_name, NULL, name) : NULL;

    return row ? world_port_of_row(w, sb_port_binding_of(row)) : NULL;
}

static void
output_to_port(struct trace_at *at, struct port *p)
{
    if (str_eq(p->type, "chassisredirect")) {
        struct port *real = port_by_option(p, "distributed-port");
        if (!real) {
            trace_add(at->env->arena, at->node, TRACE_ERROR, "output to %s \"%s\" without a distributed port", p->type, port_name(p));
            return;
        }
        trace_add(at->env->arena, at->node, TRACE_COMMENT, "Replacing type \"%s\" outport \"%s\" with distributed port \"%s\".", p->type,
                  port_name(p), port_name(real));
        p = real;
    }
    run_egress(at, p);
}

static int
compare_ports(const void *a_, const void *b_)
{
    const struct port *const *a = a_, *const *b = b_;

    return strcmp((*a)->name, (*b)->name);
}

static void
output_to_group(struct trace_at *at, struct group *g)
{
    const struct ovsdb_set *set = sb_multicast_group_ports(g->row, NULL);
    struct port **ports = xcalloc(set->n + 1, sizeof *ports);
    struct trace_at *m = enter(at, datapath_of(at), at->pipeline);
    size_t n = 0;

    m->node = trace_add(at->env->arena, at->node, TRACE_MULTICAST, "multicast(dp=\"%s\", mcgroup=\"%s\")", datapath_name(datapath_of(at)),
                        g->name);
    for (uint32_t i = 0; i < set->n; i++) {
        struct sb_port_binding *row = sb_port_binding_of(set->v[i].row);
        struct port *p = row->row_.present ? world_port_of_row(datapath_of(at)->world, row) : NULL;
        if (p && p->dp == datapath_of(at)) {
            ports[n++] = p;
        }
    }
    qsort(ports, n, sizeof *ports, compare_ports);
    for (size_t i = 0; i < n; i++) {
        output_to_port(m, ports[i]);
    }
    free(ports);
    leave(m);
}

static void
run_peer(struct trace_at *at, struct port *peer)
{
    struct trace_at *e = enter(at, peer->dp, LOGICAL_INGRESS);

    clear_fields(e->packet, OFF_REG0, OFF_REG15);
    clear_fields(e->packet, OFF_CT_STATE, OFF_CT_TP_DST);
    e->packet->f[LOGICAL_INPORT] = of_value_u64(peer->key);
    e->node = add_pipeline(e, LOGICAL_INGRESS);
    env_next(e, LOGICAL_INGRESS, 0);
    leave(e);
}

/* The end of an egress pipeline. */
static void
deliver(struct trace_at *at)
{
    struct port *p = datapath_port(datapath_of(at), of_value_low(&at->packet->f[LOGICAL_OUTPORT]));

    if (!p) {
        trace_add(at->env->arena, at->node, TRACE_ERROR, "output to no port");
        return;
    }
    trace_add(at->env->arena, at->node, TRACE_COMMENT, "output to \"%s\", type \"%s\"", port_name(p), p->type);
    struct port *peer = str_eq(p->type, "patch") || str_eq(p->type, "l3gateway") ? port_by_option(p, "peer") : NULL;
    if (peer) {
        run_peer(at, peer);
    } else {
        trace_add(at->env->arena, at->node, TRACE_OUTPUT, "output(\"%s\");", port_name(p))->data = p;
        simulation_of(at)->result->n_outputs++;
    }
}

static void
env_output(struct trace_at *at)
{
    uint32_t key = of_value_low(&at->packet->f[LOGICAL_OUTPORT]);
    struct group *g;
    struct port *p;

    if (at->pipeline == LOGICAL_EGRESS) {
        deliver(at);
    } else if ((g = datapath_group(datapath_of(at), key))) {
        output_to_group(at, g);
    } else if ((p = datapath_port(datapath_of(at), key))) {
        output_to_port(at, p);
    } else {
        trace_add(at->env->arena, at->node, TRACE_ERROR, key ? "output to unknown port %u" : "output to null logical port", key);
    }
}

/* ---- what actions ask ---- */

static bool
env_lookup_port(struct trace_at *at, const char *name, uint32_t *key)
{
    return datapath_lookup(datapath_of(at), name, key);
}

static bool
env_mac_binding(struct trace_at *at, uint32_t key, bool ipv6, const union of_value *ip, union of_value *mac)
{
    struct port *p = datapath_port(datapath_of(at), key);
    struct port *real = p && str_eq(p->type, "chassisredirect") ? port_by_option(p, "distributed-port") : NULL;

    return p && world_mac_binding(real ? real : p, ipv6, ip, mac);
}

static uint32_t
env_fdb(struct trace_at *at, const union of_value *mac)
{
    return datapath_fdb(datapath_of(at), mac);
}

static bool
env_port_sec_refuses(struct trace_at *at, bool in)
{
    struct port *p = datapath_port(datapath_of(at), of_value_low(&at->packet->f[in ? LOGICAL_INPORT : LOGICAL_OUTPORT]));

    return p && port_security_refuses(p, in, at->packet);
}

static uint32_t
env_ct_state(struct trace_at *at, bool *assumed)
{
    struct simulation *s = simulation_of(at);

    *assumed = s->ct_used >= s->question->n_ct_states;
    return *assumed ? 1u << 5 | 1u << 1 : s->question->ct_states[s->ct_used++];        /* trk, est */
}

static size_t
env_choose_backend(struct trace_at *at, const struct trace_backend *all, size_t n)
{
    const struct simulation *s = simulation_of(at);

    for (size_t i = 0; i < n && s->has_lb_dst; i++) {
        if (all[i].ipv6 == s->lb_dst.ipv6 && !of_value_compare(&all[i].ip, &s->lb_dst.ip)
            && (!s->lb_dst.port || all[i].port == s->lb_dst.port)) {
            return i;
        }
    }
    return 0;
}

static bool
env_established_backend(struct trace_at *at, struct trace_backend *b)
{
    const struct simulation *s = simulation_of(at);
    bool ipv6 = of_value_low(&at->packet->f[OFF_ETH_TYPE]) == 0x86dd;

    *b = s->lb_dst;
    return s->has_lb_dst && s->lb_dst.ipv6 == ipv6;
}

static size_t
env_choose_number(struct trace_at *at, const uint32_t *numbers, const uint32_t *weights, size_t n)
{
    const struct trace_question *q = simulation_of(at)->question;
    uint32_t total = 0;

    for (size_t i = 0; i < n; i++) {
        if (q->select_id == numbers[i]) {
            return i;
        }
        total += weights[i];
    }
    uint32_t x = arc4random_uniform(total);
    size_t i = 0;
    for (; x >= weights[i]; i++) {
        x -= weights[i];
    }
    return i;
}

static bool
env_is_vip(struct trace_at *at, const struct trace_backend *vip)
{
    return world_has_vip(datapath_of(at)->world, vip);
}

static void
env_describe(struct trace_at *at, struct str *out)
{
    microflow_format(at->packet, out);
}

static bool
env_is_gateway_router(struct trace_at *at)
{
    return datapath_of(at)->gateway;
}

/* ---- a trace ---- */

static char *
prepare(struct simulation *s)
{
    const struct trace_question *q = s->question;
    struct trace_result *r = s->result;
    char *error = q->lb_dst ? endpoint_parse(q->lb_dst, "--lb-dst", &s->lb_dst) : NULL;

    s->has_lb_dst = q->lb_dst;
    if (!error && q->datapath) {
        r->dp = world_find_datapath(&r->world, q->datapath, &error);
    }
    return error ? error : microflow_parse(q->microflow, &r->world, &r->dp, &r->inport, &r->packet);
}

char *
trace_run(const struct world_indexes *db, const struct trace_question *q, struct trace_result *r)
{
    struct simulation s = {
        .env = { .arena = &r->arena, .next = env_next, .output = env_output, .lookup_port = env_lookup_port, .mac_binding = env_mac_binding,
                 .fdb = env_fdb, .port_sec_refuses = env_port_sec_refuses, .ct_state = env_ct_state, .choose_backend = env_choose_backend,
                 .choose_number = env_choose_number, .established_backend = env_established_backend,
                 .is_gateway_router = env_is_gateway_router, .is_vip = env_is_vip, .describe = env_describe },
        .result = r, .question = q,
    };
    struct logical_packet packet;
    struct str text = STR_INIT;

    *r = (struct trace_result) { .arena = ARENA_INIT };
    world_init(&r->world, db, q->friendly, &r->arena);
    char *error = prepare(&s);
    if (error) {
        trace_result_destroy(r);
        return error;
    }
    microflow_format(&r->packet, &text);
    r->openflow = str_steal(&text);
    packet = r->packet;
    r->root = trace_add(&r->arena, NULL, TRACE_ACTION, "%s", "");
    struct trace_at at = { .env = &s.env, .aux = r->dp, .packet = &packet, .node = r->root, .pipeline = LOGICAL_INGRESS };
    at.node = add_pipeline(&at, LOGICAL_INGRESS);
    env_next(&at, LOGICAL_INGRESS, 0);
    return NULL;
}

void
trace_result_destroy(struct trace_result *r)
{
    world_destroy(&r->world);
    arena_destroy(&r->arena);
    free(r->openflow);
}

/* binding.c - puts the parts of binding/ together, and the order in which they act after the graph has settled. */
#include "controller/binding/binding.h"

#include <inttypes.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/log.h"
#include "runtime/unixctl.h"

LOG_MODULE(binding_run);

/* Rounds of conditions that what is known at first can lead to: a datapath's flows and groups, then the groups'
 * flows. */
enum { CONDITION_ROUNDS = 3 };

void
binding_create(struct controller *c)
{
    struct binding *b = c->binding = XNEW(struct binding);

    b->started_at = clock_wall_msec();
    b->coming = incr_relation_create(c->incr, "coming", 0);
    b->wanted_dp = incr_relation_create(c->incr, "wanted_dp", 0);
    b->claim = incr_relation_create(c->incr, "claim", 0);
    b->held_iface = incr_relation_create(c->incr, "held_iface", 0);
    b->tunnel_row = incr_relation_create(c->incr, "tunnel_row", 0);
    b->tunnel_wanted = incr_relation_create(c->incr, "tunnel_wanted", 0);
    b->zone_row = incr_relation_create(c->incr, "zone_row", 0);
    b->condition = incr_relation_create(c->incr, "condition", 0);
    b->sb_write = incr_relation_create(c->incr, "sb_write", 0);
    b->ovs_write = incr_relation_create(c->incr, "ovs_write", 0);
    b->sb_writer = writer_create(c->loop, c->sb);
    b->ovs_writer = writer_create(c->loop, c->ovs);
    writer_attach(b->sb_writer, b->sb_write);
    writer_attach(b->ovs_writer, b->ovs_write);
    config_create(c);
    iface_create(c);
    port_create(c);
    claim_create(c);
    zone_create(c);
    chassis_create(c);
    tunnel_create(c);
    condition_create(c);
    nb_cfg_create(c);
    old_bridge_create(c);
}

void
binding_destroy(struct controller *c)
{
    struct binding *b = c->binding;

    old_bridge_destroy(c);
    claim_destroy(c);
    nb_cfg_destroy(c);
    condition_destroy(c);
    zone_destroy(c);
    tunnel_destroy(c);
    writer_destroy(b->sb_writer);
    writer_destroy(b->ovs_writer);
    intern_unref(b->chassis_override);
    intern_unref(b->default_bridge);
    intern_unref(b->empty);
    free(b);
    c->binding = NULL;
}

void
binding_prepare(struct controller *c)
{
    writer_look_at_schema(c->binding->sb_writer);
    writer_look_at_schema(c->binding->ovs_writer);
}

bool
binding_run(struct controller *c)
{
    struct binding *b = c->binding;
    const struct controller_config *config = controller_config(c, NULL);

    condition_run(c);                  /* Before the first connection: then it brings what is needed at once. */
    config_connect(c);
    if (!b->ready && config && *config->chassis && ovsdb_conditions_reached(c->sb, 0)) {
        if (config->bridge_row) {
            LOG_INFO("the databases are read: this is chassis %s", config->chassis);
            b->ready = true;
        } else {
            writer_run(b->ovs_writer); /* Only the bridge can be missing here: what else is wanted is not known. */
        }
    }
    if (b->ready) {
        claim_run(c);
        nb_cfg_run(c);
        old_bridge_run(c, config);
        writer_run(b->sb_writer);
        writer_run(b->ovs_writer);
    }
    return b->ready && !c->leaving;
}

bool
binding_leaves_nothing(struct controller *c)
{
    return ovsdb_is_ready(c->ovs) && config_get_bool(c, NULL, "ovn-cleanup-on-exit", true);
}

bool
binding_has_left(const struct controller *c)
{
    const struct binding *b = c->binding;
    bool sb_done = !ovsdb_is_connected(c->sb) || writer_is_idle(b->sb_writer);
    bool ovs_done = !ovsdb_is_connected(c->ovs) || writer_is_idle(b->ovs_writer);

    return !incr_is_dirty(c->incr) && (!b->ready || (sb_done && ovs_done));
}

/* ---- barriers ---- */

void
barrier_begin(struct barrier *r)
{
    *r = (struct barrier) { 0 };
}

bool
barrier_is_passed(struct controller *c, struct barrier *r)
{
    while (!r->marked) {
        uint64_t last = condition_last(c);

        if (r->rounds > 0 && !ovsdb_conditions_reached(c->sb, r->condition)) {
            return false;
        }
        if (r->rounds == CONDITION_ROUNDS || (r->rounds > 0 && last <= r->condition)) {
            r->mark = of_switch_mark(c->of);
            r->marked = true;
        }
        r->condition = last;
        r->rounds++;
    }
    return of_switch_is_ready(c->of) && of_switch_installed(c->of) >= r->mark;
}

/* ---- control commands ---- */

static int
compare_lines(const void *a, const void *b)
{
    return strcmp(*(char *const *) a, *(char *const *) b);
}

/* Replies with the lines of TEXT in order. */
static void
reply_sorted(struct unixctl_conn *conn, struct str *text)
{
    struct str out = STR_INIT;
    char **lines = NULL, *rest = str_c(text), *line;
    size_t n = 0, cap = 0;

    while ((line = strsep(&rest, "\n"))) {
        if (*line) {
            GROW(lines, cap, n + 1);
            lines[n++] = line;
        }
    }
    if (n) {
        qsort(lines, n, sizeof *lines, compare_lines);
    }
    for (size_t i = 0; i < n; i++) {
        str_printf(&out, "%s\n", lines[i]);
    }
    unixctl_reply(conn, str_c(&out));
    free(lines);
    str_free(&out);
    str_free(text);
}

static void
command_zones(struct unixctl_conn *conn, int argc, const char *argv[], void *c_)
{
    struct controller *c = c_;
    struct str out = STR_INIT;

    for (struct incr_key *k = incr_first_key(c->zone, NULL); k; k = incr_next_key(k)) {
        INCR_FOR_EACH_FACT (f, c->zone, k->bytes, k->len, NULL) {
            str_printf(&out, "%.*s %"PRId64"\n", (int) k->len, k->bytes, *(const int64_t *) (const void *) f->value);
        }
    }
    reply_sorted(conn, &out);
}

static void
command_bindings(struct unixctl_conn *conn, int argc, const char *argv[], void *c_)
{
    struct controller *c = c_;
    struct str out = STR_INIT;

    for (struct incr_key *k = incr_first_key(c->bound, NULL); k; k = incr_next_key(k)) {
        const struct sb_port_binding *pb = *(struct sb_port_binding *const *) (const void *) k->bytes;
        INCR_FOR_EACH_FACT (f, c->bound, k->bytes, k->len, NULL) {
            const struct bound_value *v = (const void *) f->value;
            str_printf(&out, "name: [%s], OVS interface name: [%s], num binding ports: 1, type: [%s], OpenFlow port: %"PRId64"\n",
                       sb_port_binding_logical_port(pb, NULL), ovs_interface_name(v->row, NULL),
                       *sb_port_binding_type(pb, NULL) ? sb_port_binding_type(pb, NULL) : "VIF", v->ofport);
        }
    }
    reply_sorted(conn, &out);
}

static void
command_datapaths(struct unixctl_conn *conn, int argc, const char *argv[], void *c_)
{
    struct controller *c = c_;
    struct str out = STR_INIT;

    for (struct incr_key *k = incr_first_key(c->local_dp, NULL); k; k = incr_next_key(k)) {
        const struct sb_datapath_binding *dp = *(struct sb_datapath_binding *const *) (const void *) k->bytes;
        str_printf(&out, UUID_FMT ", tunnel key %"PRId64", local ports %zu\n", UUID_ARGS(&dp->row_.uuid),
                   sb_datapath_binding_tunnel_key(dp, NULL), incr_count(c->local_dp, k->bytes, k->len, NULL));
    }
    reply_sorted(conn, &out);
}

void
binding_register_commands(struct controller *c)
{
    unixctl_register("ct-zone-list", "", 0, 0, command_zones, c);
    unixctl_register("debug/dump-local-bindings", "", 0, 0, command_bindings, c);
    unixctl_register("debug/dump-local-datapaths", "", 0, 0, command_datapaths, c);
    nb_cfg_register_commands(c);
}

/* condition.c - what this chassis monitors of the southbound database: conditions (RFC 7047 5.1) as facts, one
 * list a table.
 *
 * Ports: those of local datapaths, those that are ours, those that local interfaces name and are in
 * neither, and all containers in virtual machines, as what is said of a parent here is in them. Of a local datapath: itself, its multicast groups, what was learnt there, its logical flows, and
 * the datapath groups that it is in; and the logical flows of these groups. A group that is no longer of a
 * local datapath goes from the replica by the condition of its table, and takes its flows' condition with it.
 * Of the rows that are a chassis' own (Chassis_Private, Chassis_Template_Var): ours.
 * With ovn-monitor-all everything else is monitored. Tables not named here always are. */
#include "controller/binding/binding.h"

#include <stdio.h>
#include <stdlib.h>

#include "json/json.h"


static const struct ovsdb_table_desc *
conditional_table(size_t i)
{
    const struct ovsdb_table_desc *tables[] = {
        &sb_table_port_binding, &sb_table_datapath_binding, &sb_table_logical_flow,
        &sb_table_logical_dp_group, &sb_table_multicast_group, &sb_table_chassis_private,
        &sb_table_fdb, &sb_table_mac_binding, &sb_table_chassis_template_var,
    };

    return i < ARRAY_SIZE(tables) ? tables[i] : NULL;
}

struct conditions {
    uint64_t dirty;                    /* A bit a table, by its index. */
    uint64_t last;                     /* The largest number that ovsdb_set_condition() returned. */
};

/* ---- saying ---- */

static void
emit(struct controller *c, struct incr_unit *unit, const struct ovsdb_table_desc *table, const char *text)
{
    uint64_t key = table->index;

    incr_emit(unit, c->binding->condition, &key, sizeof key, text, strlen(text));
}

static void
emit_uuid(struct controller *c, struct incr_unit *unit, const struct ovsdb_table_desc *table, const char *column,
          const char *function, const struct uuid *uuid)
{
    char text[128];

    snprintf(text, sizeof text, "[\"%s\",\"%s\",[\"uuid\",\"" UUID_FMT "\"]]", column, function, UUID_ARGS(uuid));
    emit(c, unit, table, text);
}

static void
emit_text(struct controller *c, struct incr_unit *unit, const struct ovsdb_table_desc *table, const char *column,
          const char *value, size_t len)
{
    struct str s = STR_INIT;

    str_printf(&s, "[\"%s\",\"==\",", column);
    json_put_string(&s, value, len);
    str_putc(&s, ']');
    emit(c, unit, table, s.s);
    str_free(&s);
}

/* ---- the units ---- */

static void
base_run(struct incr_unit *unit, void *c_)
{
    struct controller *c = c_;
    const struct controller_config *config = controller_config(c, incr_reader(unit));
    const struct ovsdb_table_desc *t;

    if (!config) {
        return;
    }
    for (size_t i = 0; config->monitor_all && (t = conditional_table(i)); i++) {
        if (t != &sb_table_chassis_private && t != &sb_table_chassis_template_var) {
            emit(c, unit, t, "true");
        }
    }
    if (config->chassis_row) {
        emit_uuid(c, unit, &sb_table_port_binding, "chassis", "==", &config->chassis_row->row_.uuid);
    }
    if (!config->monitor_all) {
        emit(c, unit, &sb_table_port_binding, "[\"parent_port\",\"!=\",[\"set\",[]]]");
    }
    emit_text(c, unit, &sb_table_chassis_private, "name", config->chassis, strlen(config->chassis));
    emit_text(c, unit, &sb_table_chassis_template_var, "chassis", config->chassis, strlen(config->chassis));
}

static bool
monitors_all(struct controller *c, struct incr_unit *unit)
{
    const struct controller_config *config = controller_config(c, incr_reader(unit));

    return !config || config->monitor_all;
}

/* A port is asked for by name until it is there and its datapath is asked for. */
static void
iface_run(struct incr_unit *unit, void *c_)
{
    struct controller *c = c_;
    struct dep_reader *by = incr_reader(unit);
    const struct incr_key *iface_id = incr_subject(unit);
    char *name = xstrndup(iface_id->bytes, iface_id->len);
    const struct sb_port_binding *pb = (struct sb_port_binding *) ovsdb_index_get_str(c->port_by_name, by, name);
    bool covered = false;

    if (pb) {
        struct uuid dp = sb_port_binding_datapath_uuid(pb, by);
        covered = incr_count(c->binding->wanted_dp, &dp, sizeof dp, by) > 0;
    }
    if (!covered && !monitors_all(c, unit)) {
        emit_text(c, unit, &sb_table_port_binding, "logical_port", iface_id->bytes, iface_id->len);
    }
    free(name);
}

/* Learnt MAC addresses name the datapath by its key. */
static void
emit_fdb(struct controller *c, struct incr_unit *unit, const struct uuid *dp)
{
    struct dep_reader *by = incr_reader(unit);
    struct ovsdb_row *row = ovsdb_get(ovsdb_table(c->sb, &sb_table_datapath_binding), dp, by);
    char text[64];

    if (row) {
        snprintf(text, sizeof text, "[\"dp_key\",\"==\",%lld]", (long long) sb_datapath_binding_tunnel_key(sb_datapath_binding_of(row), by));
        emit(c, unit, &sb_table_fdb, text);
    }
}

static void
datapath_run(struct incr_unit *unit, void *c_)
{
    const struct uuid *dp = (const void *) incr_subject(unit)->bytes;

    if (!monitors_all(c_, unit)) {
        emit_uuid(c_, unit, &sb_table_datapath_binding, "_uuid", "==", dp);
        emit_uuid(c_, unit, &sb_table_port_binding, "datapath", "==", dp);
        emit_uuid(c_, unit, &sb_table_multicast_group, "datapath", "==", dp);
        emit_uuid(c_, unit, &sb_table_logical_flow, "logical_datapath", "==", dp);
        emit_uuid(c_, unit, &sb_table_logical_dp_group, "datapaths", "includes", dp);
        emit_uuid(c_, unit, &sb_table_mac_binding, "datapath", "==", dp);
        emit_fdb(c_, unit, dp);
    }
}

static void
group_run(struct incr_unit *unit, void *c_)
{
    if (!monitors_all(c_, unit)) {
        emit_uuid(c_, unit, &sb_table_logical_flow, "logical_dp_group", "==", &incr_row(unit)->uuid);
    }
}

static void
fact_changed(void *c_, struct incr_fact *fact, enum incr_event event, const void *value, size_t len)
{
    struct controller *c = c_;

    c->binding->conditions->dirty |= UINT64_C(1) << *(const uint64_t *) (const void *) fact->key->bytes;
}

/* ---- telling the replica ---- */

static int
compare_facts(const void *a_, const void *b_)
{
    const struct incr_fact *a = *(const struct incr_fact *const *) a_, *b = *(const struct incr_fact *const *) b_;
    int order = memcmp(a->value, b->value, MIN(a->len, b->len));

    return order ? order : a->len < b->len ? -1 : a->len > b->len;
}

/* The conditions of TABLE in the order of their texts, so that the same ones are the same text. */
static void
put_conditions(struct controller *c, uint64_t table, struct str *out)
{
    size_t n = 0, count = incr_count(c->binding->condition, &table, sizeof table, NULL);
    const struct incr_fact **facts = xcalloc(count, sizeof *facts);

    INCR_FOR_EACH_FACT (f, c->binding->condition, &table, sizeof table, NULL) {
        if (f->len == 4) {             /* "true": all. */
            n = 0;
            count = 0;
            str_puts(out, "[true]");
            break;
        }
        facts[n++] = f;
    }
    if (n) {
        qsort(facts, n, sizeof *facts, compare_facts);
        for (size_t i = 0; i < n; i++) {
            str_putc(out, i ? ',' : '[');
            str_put(out, facts[i]->value, facts[i]->len);
        }
        str_putc(out, ']');
    } else if (!out->len) {
        str_puts(out, "[false]");
    }
    free(facts);
}

void
condition_run(struct controller *c)
{
    struct conditions *s = c->binding->conditions;
    const struct ovsdb_table_desc *t;
    struct str text = STR_INIT;

    for (size_t i = 0; s->dirty && (t = conditional_table(i)); i++) {
        if (s->dirty & UINT64_C(1) << t->index) {
            str_clear(&text);
            put_conditions(c, t->index, &text);
            s->last = MAX(s->last, ovsdb_set_condition(c->sb, t, str_c(&text)));
        }
    }
    s->dirty = 0;
    str_free(&text);
}

uint64_t
condition_last(const struct controller *c)
{
    return c->binding->conditions->last;
}

void
condition_create(struct controller *c)
{
    struct binding *b = c->binding;
    const struct ovsdb_table_desc *t;

    b->conditions = XNEW(struct conditions);
    for (size_t i = 0; (t = conditional_table(i)); i++) {
        REQUIRE(t->index < 64);
        b->conditions->dirty |= UINT64_C(1) << t->index;
    }
    incr_set_sink(b->condition, fact_changed, c);
    ovsdb_use(c->sb, &sb_table_logical_dp_group, OVSDB_COLUMN(SB_LOGICAL_DP_GROUP_DATAPATHS));
    incr_class_alone(incr_class_create(c->incr, "condition", base_run, c));
    incr_class_over_relation(incr_class_create(c->incr, "condition-iface", iface_run, c), b->coming);
    incr_class_over_relation(incr_class_create(c->incr, "condition-datapath", datapath_run, c), b->wanted_dp);
    incr_class_over_table(incr_class_create(c->incr, "condition-group", group_run, c),
                          ovsdb_table(c->sb, &sb_table_logical_dp_group));
}

void
condition_destroy(struct controller *c)
{
    free(c->binding->conditions);
}

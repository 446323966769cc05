/* inject.c - inject-pkt: a packet that an operator describes goes into the pipeline as if a port here had sent it. ovn-controller(8).
 *
 * The description is a microflow (logical/microflow.c). The packet is composed and sent by a packet-out, with the actions by which the flow of its
 * inport would let it in (physical/port.c), and with those registers, flags and the outport that the description sets. */
#include <stdlib.h>

#include "controller/commands.h"
#include "controller/physical/physical.h"
#include "controller/translate/translate.h"

enum { MAX_NAMES = 64 };

/* The ports that the description names. */
struct injection {
    struct resolver resolver;          /* First: it is the callbacks' aux. */
    struct sb_port_binding *ports[MAX_NAMES];
    size_t n;
    char *unknown;
};

static bool
lookup(void *in_, const char *name, uint32_t *key)
{
    struct injection *in = in_;
    struct ovsdb_row *row = ovsdb_index_get_str(in->resolver.c->port_by_name, NULL, name);

    if (!row || in->n == MAX_NAMES) {
        in->unknown = in->unknown ? in->unknown : xstrdup(name);
        return false;
    }
    in->ports[in->n++] = sb_port_binding_of(row);
    *key = sb_port_binding_tunnel_key(sb_port_binding_of(row), NULL);
    return true;
}

static char *
parse(struct injection *in, const char *text, struct logical_packet *p)
{
    struct expr_env env = resolver_env(&in->resolver);

    env.lookup_port = lookup;
    char *error = logical_packet_parse(text, &env, p);
    if (in->unknown) {
        free(error);
        error = xasprintf("port \"%s\" is not on a datapath of this chassis", in->unknown);
    }
    return error;
}

/* What the description says and a packet-out cannot set. */
static const char *
unsettable(const struct logical_packet *p)
{
    static const enum of_field fields[] = { OFF_CT_STATE, OFF_CT_MARK, OFF_CT_LABEL };

    for (size_t i = 0; i < ARRAY_SIZE(fields); i++) {
        if (!of_value_is_zero(&p->f[fields[i]])) {
            return of_field_info(fields[i])->name;
        }
    }
    return NULL;
}

/* The named port that is the packet's inport, and here; and whether its outport, if there is one, is a port beside it. */
static char *
find_inport(struct injection *in, const struct logical_packet *p, struct port_info *inport)
{
    uint64_t in_key = of_value_low(&p->f[LOGICAL_INPORT]), out_key = of_value_low(&p->f[LOGICAL_OUTPORT]);
    bool found = false, out_found = !out_key;

    for (size_t i = 0; i < in->n && in_key && !found; i++) {
        found = port_get(in->resolver.c, in->ports[i], NULL, inport) && inport->key == in_key && inport->bound;
    }
    if (!found) {
        return xstrdup(in_key ? "ingress port not found on hypervisor: no interface here is this port" :
                       "the microflow does not say an inport");
    }
    for (size_t i = 0; i < in->n && !out_found; i++) {
        struct port_info out;
        out_found = port_get(in->resolver.c, in->ports[i], NULL, &out) && out.key == out_key && out.dp_key == inport->dp_key;
    }
    return out_found ? NULL : xstrdup("the outport is not on the datapath of the inport");
}

/* As the packet would come in, then on through the ingress pipeline. */
static void
put_actions(struct flow *f, const struct logical_packet *p, const struct port_info *inport)
{
    for (enum of_field reg = OFF_REG0; reg <= LOGICAL_OUTPORT; reg++) {
        if (reg != LOGICAL_CT_ZONE && reg != LOGICAL_INPORT && !of_value_is_zero(&p->f[reg])) {
            flow_load(f, reg, 0, 32, of_value_low(&p->f[reg]));
        }
    }
    if (!of_value_is_zero(&p->f[OFF_PKT_MARK])) {
        flow_load(f, OFF_PKT_MARK, 0, 32, of_value_low(&p->f[OFF_PKT_MARK]));
    }
    if (port_container_tag(inport->pb, NULL)) {
        flow_load(f, OFF_IN_PORT, 0, 16, 0);
    }
    flow_load(f, LOGICAL_CT_ZONE, 0, 16, port_zone(f->c, inport->pb, NULL));
    flow_load(f, LOGICAL_INPORT, 0, 32, inport->key);
    datapath_put_enter(f, inport->dp_key);
    flow_resubmit(f, OFT_INGRESS);
}

static void
command_inject(struct unixctl_conn *conn, int argc, const char *argv[], void *c_)
{
    struct controller *c = c_;
    struct injection in = { .resolver = { .c = c } };
    struct logical_packet p;
    struct port_info inport;

    if (!of_switch_is_ready(c->of)) {
        unixctl_error(conn, "ovn-controller is not ready: the integration bridge is not connected");
        return;
    }
    char *error = parse(&in, argv[1], &p);
    if (!error && unsettable(&p)) {
        error = xasprintf("%s cannot be set for an injected packet: the connection tracker says it", unsettable(&p));
    }
    if (!error) {
        error = find_inport(&in, &p, &inport);
    }
    if (error) {
        unixctl_error(conn, error);
    } else {
        struct flow f = FLOW_INIT(c, NULL);
        struct str frame = STR_INIT;

        logical_packet_put_frame(&p, &frame);
        put_actions(&f, &p, &inport);
        of_switch_packet_out(c->of, inport.bound->ofport, frame.s, frame.len, f.actions.s, f.actions.len);
        str_free(&frame);
        flow_destroy(&f);
        unixctl_reply(conn, NULL);
    }
    free(error);
    free(in.unknown);
    resolver_destroy(&in.resolver);
}

void
inject_register_commands(struct controller *c)
{
    unixctl_register("inject-pkt", "MICROFLOW", 1, 1, command_inject, c);
}

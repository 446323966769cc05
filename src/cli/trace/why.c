/* why.c - one plain sentence about a packet's fate: the flow that decided it, and the northbound object behind that flow.
 *
 * A flow says where it comes from: external_ids:stage-hint begins the UUID of the northbound row, stage-name says what kind of thing it is. For port security
 * the port and its addresses say more than the row does. */
#include "cli/trace/show.h"

/* What flows of these stages come from; the end of the name decides, the longest first. */
static const struct {
    const char *part, *object, *reason;
} stages[] = {
    { "acl", "ACL", "the default of ACLs" },
    { "qos", "QoS rule", "a QoS rule" },
    { "apply_port_sec", "logical switch port", "port security" },
    { "check_port_sec", "logical switch port", "a check of what may enter the switch" },
    { "port_sec", "logical switch port", "port security" },
    { "l2_unknown", "logical switch", "nobody having that MAC address" },
    { "ls_in_lb", "load balancer", "a load balancer" },
    { "hairpin", "load balancer", "a load balancer" },
    { "lr_in_dnat", "NAT rule or load balancer", "a NAT rule or load balancer" },
    { "lr_in_unsnat", "NAT rule", "a NAT rule" },
    { "lr_out_snat", "NAT rule", "a NAT rule" },
    { "lr_out_undnat", "NAT rule", "a NAT rule" },
    { "policy", "routing policy", "a routing policy" },
    { "ip_routing", "route", "a route" },
    { "arp_resolve", "logical router port", "the next hop having no MAC address" },
    { "lr_in_admission", "logical router port", "not being for this router port" },
    { "ip_input", "logical router port", "what a router does not accept" },
    { "dhcp", "DHCP options", "DHCP" },
    { "dns", "DNS records", "DNS" },
    { "external_port", "logical switch port", "an external port" },
};

static size_t
stage_index(const char *stage)
{
    size_t i = 0;

    while (i < ARRAY_SIZE(stages) && !strstr(stage, stages[i].part)) {
        i++;
    }
    return i;
}

/* Another packet that says no. */
static bool
is_refusal(const struct trace_node *n)
{
    static const char *const names[] = { "icmp4", "icmp6", "tcp_reset", "sctp_abort" };

    for (size_t i = 0; i < ARRAY_SIZE(names) && n->kind == TRACE_TRANSFORM; i++) {
        if (str_eq(n->text, names[i])) {
            return true;
        }
    }
    return false;
}

/* Where the packet itself arrives, and not an answer to it: the first refusal, if any. */
static size_t
count_arrivals(const struct trace_node *first, const struct trace_node **refusal)
{
    size_t count = 0;

    for (const struct trace_node *n = first; n; n = n->next) {
        if (is_refusal(n)) {
            *refusal = *refusal ? *refusal : n;
        } else {
            count += (n->kind == TRACE_OUTPUT) + count_arrivals(n->first, refusal);
        }
    }
    return count;
}

/* Where a packet ended: the last table from which it went nowhere, or what was noted there instead. */
struct end {
    const struct trace_step *step;
    const char *note;
    bool punted;                       /* The controller has it. */
};

static void
find_end(const struct trace_node *first, struct end *end)
{
    for (const struct trace_node *n = first; n; n = n->next) {
        const struct trace_step *step = n->data;
        if (n->kind == TRACE_TABLE && step->packet) {
            *end = (struct end) { .step = step };
        } else if (n->kind == TRACE_ERROR || (n->kind == TRACE_COMMENT && (strstr(n->text, "dropped") || strstr(n->text, "omitting output")))) {
            end->note = n->text;
        } else if (n->kind == TRACE_NOTE && strstr(n->text, "sent to ovn-controller")) {
            end->punted = true;
        }
        find_end(n->first, end);
    }
}

/* ---- delivered ---- */

static void
put_ports(const struct trace_node *first, const char **separator, struct str *out)
{
    for (const struct trace_node *n = first; n; n = n->next) {
        if (n->kind == TRACE_OUTPUT) {
            const struct port *p = n->data;
            str_printf(out, "%s\"%s\"", *separator, port_name(p));
            *separator = ", ";
        }
        put_ports(n->first, separator, out);
    }
}

/* ---- dropped ---- */

static void
put_address(const struct trace_step *step, bool in, struct str *out)
{
    const struct logical_packet *p = step->packet;
    uint64_t type = of_value_low(&p->f[OFF_ETH_TYPE]);
    enum of_field f = type == 0x806 ? OFF_ARP_SPA : type == 0x800 ? (in ? OFF_IPV4_SRC : OFF_IPV4_DST) : type == 0x86dd ? (in ? OFF_IPV6_SRC : OFF_IPV6_DST)
                      : OFF_N_FIELDS;

    of_value_format(OFF_ETH_SRC, &p->f[in ? OFF_ETH_SRC : OFF_ETH_DST], out);
    if (f != OFF_N_FIELDS) {
        str_puts(out, " with ");
        of_value_format(f, &p->f[f], out);
    }
}

static void
put_port_security(const struct trace_step *step, struct str *out)
{
    bool in = step->pipeline == LOGICAL_INGRESS;
    struct port *p = datapath_port(step->dp, of_value_low(&step->packet->f[in ? LOGICAL_INPORT : LOGICAL_OUTPORT]));

    str_printf(out, "port security of logical switch port \"%s\" does not let it %s ", p ? port_name(p) : "", in ? "send from" : "receive for");
    put_address(step, in, out);
    if (p) {
        const struct ovsdb_set *set = sb_port_binding_port_security(p->row, NULL);
        str_puts(out, " (allowed: ");
        for (uint32_t i = 0; i < set->n; i++) {
            str_printf(out, "%s\"%s\"", i ? ", " : "", set->v[i].s);
        }
        str_putc(out, ')');
    }
}

/* "by ACL 12345678..." as far as the flow says. */
static void
put_cause(const struct trace_step *step, const char *stage, struct ovsdb *nb, struct str *out)
{
    size_t i = stage_index(stage);
    const struct ovsdb_map *ids = step->flow ? sb_logical_flow_external_ids(step->flow->row, NULL) : NULL;
    const char *hint = ids ? ovsdb_map_get(ids, "stage-hint") : NULL;

    const char *match = step->flow ? sb_logical_flow_match(step->flow->row, NULL) : "";

    if (step->flow && strstr(match, "ip.ttl == {0, 1}")) {
        str_puts(out, "its hop limit has run out (ip.ttl)");
    } else if (step->flow && strstr(stage, "acl") && !hint && !strncmp(match, "ct.inv", 6)) {
        str_puts(out, "connection tracking finds it invalid, or an ACL has blocked its connection meanwhile");
    } else if (strstr(stage, "apply_port_sec") && step->flow && step->packet) {
        put_port_security(step, out);
    } else if (strstr(stage, "l2_unknown") && step->flow && step->packet) {
        str_puts(out, "no port of the switch has the address ");
        of_value_format(OFF_ETH_DST, &step->packet->f[OFF_ETH_DST], out);
        str_puts(out, ", and none takes unknown ones");
    } else if (strstr(stage, "ip_routing") && (!step->flow || step->flow->priority == 0) && step->packet) {
        str_puts(out, "the router has no route to ");
        bool v6 = of_value_low(&step->packet->f[OFF_ETH_TYPE]) == 0x86dd;
        of_value_format(v6 ? OFF_IPV6_DST : OFF_IPV4_DST, &step->packet->f[v6 ? OFF_IPV6_DST : OFF_IPV4_DST], out);
    } else if (!step->flow) {
        str_puts(out, "no flow of that stage matches it");
    } else if (hint && nb && northbound_put(nb, hint, out)) {
        str_puts(out, " says so");
    } else if (hint && i < ARRAY_SIZE(stages)) {
        str_printf(out, "%s %s says so", stages[i].object, hint);
    } else if (hint) {
        str_printf(out, "northbound row %s says so", hint);
    } else if (i < ARRAY_SIZE(stages)) {
        str_printf(out, "the reason is %s", stages[i].reason);
    } else {
        str_puts(out, "a rule of the pipeline itself says so");
    }
}

/* VERB: "Dropped". Ends without a full stop. */
static void
put_decisive(const char *verb, const struct trace_step *step, struct ovsdb *nb, struct str *out)
{
    const struct flow *f = step->flow;
    const char *own = f ? ovsdb_map_get(sb_logical_flow_external_ids(f->row, NULL), "stage-name") : NULL;
    const char *stage = own ? own : datapath_stage(step->dp, step->pipeline, step->table);
    const struct ovsdb_map *ids = sb_datapath_binding_external_ids(step->dp->row, NULL);

    str_printf(out, "%s by %s \"%s\" in stage %s", verb, ovsdb_map_get(ids, "logical-router") ? "logical router" : "logical switch",
               datapath_name(step->dp), *stage ? stage : "without a name");
    str_puts(out, ": ");
    put_cause(step, stage, nb, out);
    if (f) {
        str_printf(out, " (flow %08x, priority %d, match %s)", f->row->row_.uuid.parts[0], f->priority, sb_logical_flow_match(f->row, NULL));
    }
}

const char *
show_verdict(const struct trace_result *r)
{
    const struct trace_node *refusal = NULL;

    return count_arrivals(r->root->first, &refusal) ? "delivered" : refusal ? "refused" : r->n_outputs ? "delivered" : "dropped";
}

void
show_why(const struct trace_result *r, struct ovsdb *nb, struct str *out)
{
    const char *separator = "";
    const struct trace_node *refusal = NULL;
    struct end end = { NULL, NULL, false };

    if (!count_arrivals(r->root->first, &refusal) && refusal && refusal->parent->kind == TRACE_TABLE) {
        put_decisive("Refused", refusal->parent->data, nb, out);
        str_printf(out, "; the answer (%s) ", refusal->text);
        str_puts(out, r->n_outputs ? "goes to " : "arrives nowhere");
        put_ports(refusal->first, &separator, out);
        str_puts(out, ".\n");
        return;
    } else if (r->n_outputs) {
        str_puts(out, "Delivered to ");
        put_ports(r->root->first, &separator, out);
        str_puts(out, ".\n");
        return;
    }
    find_end(r->root->first, &end);
    if (end.punted) {
        str_puts(out, "Sent to ovn-controller, which answers or takes note; the packet itself is delivered nowhere.\n");
    } else if (end.note && strstr(end.note, "omitting output")) {
        str_puts(out, "Dropped: it would leave by the port that it came from, and no flow allows that (flags.loopback).\n");
    } else if (end.note) {
        str_printf(out, "Dropped: %s.\n", end.note);
    } else if (end.step) {
        put_decisive("Dropped", end.step, nb, out);
        str_puts(out, ".\n");
    } else {
        str_puts(out, "Dropped: no action of the flows that it met sends it anywhere.\n");
    }
}

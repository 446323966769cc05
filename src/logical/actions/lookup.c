/* Questions that tables of the controller's answer: MAC bindings, forwarding database, port security, load balancer and ECMP checks. The conventions are in action.h. */
#include "logical/actions/trace.h"

/* Tables are named by their place in struct action_env. */
#define TABLE(MEMBER) offsetof(struct action_env, tables.MEMBER)

static bool
lookup_table(const struct action *a, struct action_encoder *e, uint8_t *table)
{
    *table = *((const uint8_t *) e->env + a->class->param);
    if (!*table) {
        action_encode_fail(e, "%s is not supported here", a->class->name);
    }
    return *table != 0;
}

/* get_arp(P, A), get_nd(P, A) */
static void
get_mac_encode(const struct action *a, struct action_encoder *e)
{
    bool ipv6 = a->class->args[1] == 'X';
    struct action_setup s = { 0 };
    uint8_t table;
    if (!lookup_table(a, e, &table)) {
        return;
    }
    action_setup_add(&s, a->args[0].sf, whole(LOGICAL_OUTPORT));
    action_setup_add(&s, a->args[1].sf, whole(ipv6 ? OFF_XXREG0 : OFF_REG0));
    action_setup_begin(&s, e->out);
    ofa_put_load_u64(e->out, OFF_ETH_DST, 0, 48, 0);
    ofa_put_load_u64(e->out, LOGICAL_FLAGS, MLF_LOOKUP_IPV6, 1, ipv6);
    ofa_put_resubmit(e->out, table);
    action_setup_end(&s, e->out);
}

/* R = lookup_arp(P, A, M) and its likes */
static void
lookup_mac_encode(const struct action *a, struct action_encoder *e)
{
    bool ipv6 = a->class->args[1] == 'X';
    struct action_setup s = { 0 };
    uint8_t table;
    if (!lookup_table(a, e, &table)) {
        return;
    }
    action_setup_add(&s, a->args[0].sf, whole(LOGICAL_INPORT));
    action_setup_add(&s, a->args[1].sf, whole(ipv6 ? OFF_XXREG0 : OFF_REG0));
    if (a->class->args[2]) {
        action_setup_add(&s, a->args[2].sf, whole(OFF_ETH_SRC));
    }
    action_setup_begin(&s, e->out);
    ofa_put_load_u64(e->out, LOGICAL_FLAGS, MLF_LOOKUP_IPV6, 1, ipv6);
    ofa_put_load_u64(e->out, LOGICAL_FLAGS, MLF_LOOKUP, 1, 0);
    ofa_put_resubmit(e->out, table);
    action_setup_end(&s, e->out);
    ofa_put_move(e->out, flag_bit(MLF_LOOKUP), a->dst.sf);
}

/* P = get_fdb(A) */
static void
get_fdb_encode(const struct action *a, struct action_encoder *e)
{
    struct action_setup s = { 0 };
    uint8_t table;
    bool direct = a->dst.sf.field == LOGICAL_OUTPORT;
    if (e->env->pipeline == LOGICAL_EGRESS) {
        action_encode_fail(e, "get_fdb can only be used in the ingress pipeline");
    }
    if (!lookup_table(a, e, &table)) {
        return;
    }
    if (!direct) {
        ofa_put_push(e->out, whole(LOGICAL_OUTPORT));
    }
    action_setup_add(&s, a->args[0].sf, whole(OFF_ETH_DST));
    action_setup_begin(&s, e->out);
    ofa_put_load_u64(e->out, LOGICAL_OUTPORT, 0, 32, 0);
    ofa_put_resubmit(e->out, table);
    action_setup_end(&s, e->out);
    if (!direct) {
        ofa_put_move(e->out, whole(LOGICAL_OUTPORT), a->dst.sf);
        ofa_put_pop(e->out, whole(LOGICAL_OUTPORT));
    }
}

/* R = lookup_fdb(P, A) */
static void
lookup_fdb_encode(const struct action *a, struct action_encoder *e)
{
    struct action_setup s = { 0 };
    uint8_t table;
    if (!lookup_table(a, e, &table)) {
        return;
    }
    action_setup_add(&s, a->args[0].sf, whole(LOGICAL_INPORT));
    action_setup_add(&s, a->args[1].sf, whole(OFF_ETH_SRC));
    action_setup_begin(&s, e->out);
    ofa_put_load_u64(e->out, LOGICAL_FLAGS, MLF_LOOKUP, 1, 0);
    ofa_put_resubmit(e->out, table);
    action_setup_end(&s, e->out);
    ofa_put_move(e->out, flag_bit(MLF_LOOKUP), a->dst.sf);
}

/* R = question(): the packet as it is, the answer in one bit of the flags. */
static void
ask_encode(const struct action *a, struct action_encoder *e, unsigned bit)
{
    uint8_t table;
    if (lookup_table(a, e, &table)) {
        ofa_put_load_u64(e->out, LOGICAL_FLAGS, bit, 1, 0);
        ofa_put_resubmit(e->out, table);
        ofa_put_move(e->out, flag_bit(bit), a->dst.sf);
    }
}

static void
check_encode(const struct action *a, struct action_encoder *e)
{
    ask_encode(a, e, MLF_LOOKUP);
}

static void
port_sec_encode(const struct action *a, struct action_encoder *e)
{
    ask_encode(a, e, MLF_PORT_SEC_FAILED);
}

/* R = chk_evpn_arp(A): an IPv4 or an IPv6 address. */
static bool
evpn_parse(struct action_parser *p, struct action *a)
{
    size_t at = p->lex.token.start;
    if (!action_match(p, LEX_LPAREN, "`('") || !action_parse_field(p, &a->args[0])) {
        return false;
    }
    unsigned n = a->args[0].sf.n_bits;
    if (a->args[0].symbol->kind == SYMBOL_STRING || (n != 32 && n != 128)) {
        return action_fail(p, lexer_message(&p->lex, at + 1, "chk_evpn_arp needs a field of 32 or 128 bits here"));
    }
    return action_match(p, LEX_RPAREN, "`)'");
}

static void
evpn_format(const struct action *a, struct str *out)
{
    str_puts(out, "chk_evpn_arp(");
    field_format(&a->args[0], out);
    str_putc(out, ')');
}

static void
evpn_encode(const struct action *a, struct action_encoder *e)
{
    bool ipv6 = a->args[0].sf.n_bits == 128;
    struct action_setup s = { 0 };
    uint8_t table;
    if (!lookup_table(a, e, &table)) {
        return;
    }
    action_setup_add(&s, a->args[0].sf, whole(ipv6 ? OFF_XXREG0 : OFF_REG0));
    action_setup_begin(&s, e->out);
    ofa_put_load_u64(e->out, LOGICAL_FLAGS, MLF_LOOKUP_IPV6, 1, ipv6);
    ofa_put_load_u64(e->out, LOGICAL_FLAGS, MLF_LOOKUP, 1, 0);
    ofa_put_resubmit(e->out, table);
    action_setup_end(&s, e->out);
    ofa_put_move(e->out, flag_bit(MLF_LOOKUP), a->dst.sf);
}

/* A table does it all: ct_snat_to_vip; mac_cache_use; */
static void
resubmit_encode(const struct action *a, struct action_encoder *e)
{
    uint8_t table;
    if (lookup_table(a, e, &table)) {
        ofa_put_resubmit(e->out, table);
    }
}

/* R = check_pkt_larger(L). The switch knows 16 bits; northd adds the Ethernet header to a gateway's MTU, which gives more, and nothing is larger than that. */
static bool
larger_parse(struct action_parser *p, struct action *a)
{
    return action_match(p, LEX_LPAREN, "`('") && action_parse_number(p, 0, UINT32_MAX, &a->number) && action_match(p, LEX_RPAREN, "`)'");
}

static void
larger_format(const struct action *a, struct str *out)
{
    str_printf(out, "check_pkt_larger(%u)", a->number);
}

static void
larger_encode(const struct action *a, struct action_encoder *e)
{
    if (a->number > UINT16_MAX) {
        ofa_put_load_u64(e->out, a->dst.sf.field, a->dst.sf.ofs, 1, 0);
        return;
    }
    ofa_put_check_pkt_larger(e->out, a->number, flag_bit(MLF_CHECK_LARGER));
    ofa_put_move(e->out, flag_bit(MLF_CHECK_LARGER), a->dst.sf);
}

/* What they do to an imagined packet. */

/* What a lookup found, in the words and the form that scripts know: as an action, without a semicolon. */
#define found_text(AT, FMT, ...) ((void) trace_add((AT)->env->arena, (AT)->node, TRACE_ACTION, "/* " FMT " */", ##__VA_ARGS__))

static bool
find_mac(const struct action *a, struct trace_at *at, union of_value *mac)
{
    union of_value port = logical_packet_get(at->packet, a->args[0].sf), ip = logical_packet_get(at->packet, a->args[1].sf);
    *mac = of_value_u64(0);
    return at->env->mac_binding(at, of_value_low(&port), a->class->args[1] == 'X', &ip, mac);
}

static bool
get_mac_trace(const struct action *a, struct trace_at *at)
{
    union of_value mac;
    struct str s = STR_INIT;
    if (find_mac(a, at, &mac)) {
        lex_format_constant(&s, LEX_MAC, &mac, NULL);
        found_text(at, "MAC binding to %s.", str_c(&s));
    } else {
        found_text(at, "No MAC binding.");
    }
    trace_set(at, whole(OFF_ETH_DST), &mac);
    str_free(&s);
    return true;
}

static bool
lookup_mac_trace(const struct action *a, struct trace_at *at)
{
    union of_value mac, wanted = a->class->args[2] ? logical_packet_get(at->packet, a->args[2].sf) : of_value_u64(0);
    bool found = find_mac(a, at, &mac);
    struct str s = STR_INIT;
    found = found && !(a->class->args[2] && of_value_compare(&mac, &wanted));
    if (found && a->class->args[2]) {
        lex_format_constant(&s, LEX_MAC, &mac, NULL);
        found_text(at, "MAC binding to %s found.", str_c(&s));
    } else {
        found_text(at, "%s", found ? "MAC binding found." : "lookup failed - No MAC binding.");
    }
    str_free(&s);
    trace_set_u64(at, a->dst.sf, found);
    return true;
}

static bool
get_fdb_trace(const struct action *a, struct trace_at *at)
{
    union of_value mac = logical_packet_get(at->packet, a->args[0].sf);
    trace_set_u64(at, a->dst.sf, at->env->fdb(at, &mac));
    return true;
}

static bool
lookup_fdb_trace(const struct action *a, struct trace_at *at)
{
    union of_value port = logical_packet_get(at->packet, a->args[0].sf), mac = logical_packet_get(at->packet, a->args[1].sf);
    bool found = at->env->fdb(at, &mac) == of_value_low(&port);
    struct str s = STR_INIT;
    lex_format_constant(&s, LEX_MAC, &mac, NULL);
    if (found) {
        found_text(at, "MAC lookup for %s found in FDB.", str_c(&s));
    } else {
        found_text(at, "lookup mac failed in mac learning table.");
    }
    str_free(&s);
    trace_set_u64(at, a->dst.sf, found);
    return true;
}

static bool
port_sec_trace(const struct action *a, struct trace_at *at)
{
    trace_set_u64(at, a->dst.sf, at->env->port_sec_refuses(at, a->class->param == TABLE(in_port_sec)));
    return true;
}

/* The virtual address that the packet was for before a load balancer had it: connection tracking remembers. */
static bool
came_by_vip(struct trace_at *at, struct trace_backend *vip)
{
    const struct logical_packet *p = at->packet;
    bool ipv6 = of_value_low(&p->f[OFF_ETH_TYPE]) == 0x86dd;
    *vip = (struct trace_backend) { ipv6, p->f[ipv6 ? OFF_CT_IPV6_DST : OFF_CT_NW_DST], of_value_low(&p->f[OFF_CT_TP_DST]) };
    return !of_value_is_zero(&vip->ip) && at->env->is_vip(at, vip);
}

/* Did the packet come to its own sender, by way of a load balancer? */
static bool
hairpin_trace(const struct action *a, struct trace_at *at)
{
    const struct logical_packet *p = at->packet;
    struct trace_backend vip;
    bool balanced = came_by_vip(at, &vip);
    bool same = !of_value_compare(&p->f[vip.ipv6 ? OFF_IPV6_SRC : OFF_IPV4_SRC], &p->f[vip.ipv6 ? OFF_IPV6_DST : OFF_IPV4_DST]);
    trace_set_u64(at, a->dst.sf, balanced && same);
    return true;
}

static bool
snat_to_vip_trace(const struct action *a UNUSED, struct trace_at *at)
{
    struct trace_backend vip;
    struct str s = STR_INIT;
    if (came_by_vip(at, &vip)) {
        lex_format_constant(&s, vip.ipv6 ? LEX_IPV6 : LEX_IPV4, &vip.ip, NULL);
        found_text(at, "nat(src=%s)", str_c(&s));
        str_free(&s);
    }
    return true;
}

static bool
larger_trace(const struct action *a, struct trace_at *at)
{
    trace_note(at, "the packet is taken to be small enough");
    trace_set_u64(at, a->dst.sf, 0);
    return true;
}

static const struct action_class statements[] = {
    { .name = "get_arp", .args = "PI", .encode = get_mac_encode, .trace = get_mac_trace, .param = TABLE(mac_bind) },
    { .name = "get_nd", .args = "PX", .encode = get_mac_encode, .trace = get_mac_trace, .param = TABLE(mac_bind) },
    { .name = "ct_snat_to_vip", .encode = resubmit_encode, .trace = snat_to_vip_trace, .param = TABLE(ct_snat_hairpin) },
    { .name = "flood_remote", .encode = resubmit_encode, .trace = trace_nothing, .param = TABLE(flood_remote) },
    { .name = "mac_cache_use", .encode = resubmit_encode, .trace = trace_nothing, .param = TABLE(mac_cache_use) },
};
const struct action_family action_family_lookup = { statements, ARRAY_SIZE(statements), false };

static const struct action_class functions[] = {
    { .name = "lookup_arp", .args = "PIE", .encode = lookup_mac_encode, .trace = lookup_mac_trace, .param = TABLE(mac_lookup), .result_bits = 1 },
    { .name = "lookup_arp_ip", .args = "PI", .encode = lookup_mac_encode, .trace = lookup_mac_trace, .param = TABLE(mac_lookup_ip), .result_bits = 1 },
    { .name = "lookup_nd", .args = "PXE", .encode = lookup_mac_encode, .trace = lookup_mac_trace, .param = TABLE(mac_lookup), .result_bits = 1 },
    { .name = "lookup_nd_ip", .args = "PX", .encode = lookup_mac_encode, .trace = lookup_mac_trace, .param = TABLE(mac_lookup_ip), .result_bits = 1 },
    { .name = "get_fdb", .args = "E", .encode = get_fdb_encode, .trace = get_fdb_trace, .param = TABLE(fdb), .result_bits = 0 },
    { .name = "lookup_fdb", .args = "PE", .encode = lookup_fdb_encode, .trace = lookup_fdb_trace, .param = TABLE(fdb_lookup), .result_bits = 1 },
    { .name = "check_in_port_sec", .args = "", .encode = port_sec_encode, .trace = port_sec_trace, .param = TABLE(in_port_sec), .result_bits = 1 },
    { .name = "check_out_port_sec", .args = "", .encode = port_sec_encode, .trace = port_sec_trace, .param = TABLE(out_port_sec), .result_bits = 1 },
    { .name = "chk_lb_hairpin", .args = "", .encode = check_encode, .trace = hairpin_trace, .param = TABLE(chk_lb_hairpin), .result_bits = 1 },
    { .name = "chk_lb_hairpin_reply", .args = "", .encode = check_encode, .trace = trace_zero, .param = TABLE(chk_lb_hairpin_reply), .result_bits = 1 },
    { .name = "chk_lb_aff", .args = "", .encode = check_encode, .trace = trace_zero, .param = TABLE(chk_lb_aff), .result_bits = 1 },
    { .name = "check_ecmp_nh", .args = "", .encode = check_encode, .trace = trace_zero, .param = TABLE(ecmp_nh), .result_bits = 1 },
    { .name = "check_ecmp_nh_mac", .args = "", .encode = check_encode, .trace = trace_zero, .param = TABLE(ecmp_nh_mac), .result_bits = 1 },
    /* As 23.03 writes them. */
    { .name = "chk_ecmp_nh", .args = "", .encode = check_encode, .trace = trace_zero, .param = TABLE(ecmp_nh), .result_bits = 1 },
    { .name = "chk_ecmp_nh_mac", .args = "", .encode = check_encode, .trace = trace_zero, .param = TABLE(ecmp_nh_mac), .result_bits = 1 },
    { .name = "chk_evpn_arp", .parse = evpn_parse, .format = evpn_format, .encode = evpn_encode, .trace = trace_zero, .param = TABLE(evpn_arp), .result_bits = 1 },
    { .name = "check_pkt_larger", .parse = larger_parse, .format = larger_format, .encode = larger_encode, .trace = larger_trace, .result_bits = 1 },
};
const struct action_family action_family_lookup_result = { functions, ARRAY_SIZE(functions), true };

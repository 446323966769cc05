/* Connection tracking. In a switch the zone is the logical port's; in a router there is one for destination and one for source translation. The actions that
 * "move on to the next table" do so by recirculation, so that later tables see what the tracker said. */
#include <arpa/inet.h>

#include "logical/actions/trace.h"

enum { NO_TABLE = 255 };

static struct of_subfield
zone_field(enum action_zone zone, const struct action_env *env)
{
    enum of_field f = env->is_switch ? LOGICAL_CT_ZONE : zone == ZONE_SNAT ? LOGICAL_SNAT_ZONE : LOGICAL_DNAT_ZONE;
    return (struct of_subfield) { f, 0, 16 };
}

size_t
action_begin_ct(struct str *out, const struct action_encoder *e, enum action_zone zone, bool commit, uint8_t table)
{
    struct ofa_ct ct = { .commit = commit, .recirc_table = table, .zone_from_field = true, .zone_field = zone_field(zone, e->env) };
    return ofa_begin_ct(out, &ct);
}

static size_t
ct_begin(struct action_encoder *e, enum action_zone zone, bool commit, uint8_t table)
{
    return action_begin_ct(e->out, e, zone, commit, table);
}

/* name; or name(dnat) or name(snat): number is the zone. */
static bool
zone_parse(struct action_parser *p, struct action *a)
{
    bool needed = a->class->param;
    if (!needed && p->lex.token.type != LEX_LPAREN) {
        return true;
    }
    if (!action_match(p, LEX_LPAREN, "`('")) {
        return false;
    }
    a->number = token_is(&p->lex.token, "snat") ? ZONE_SNAT : ZONE_DNAT;
    if (!token_is(&p->lex.token, "snat") && !token_is(&p->lex.token, "dnat")) {
        return action_expected(p, "dnat or snat");
    }
    lexer_next(&p->lex);
    return action_match(p, LEX_RPAREN, "`)'");
}

static void
zone_format(const struct action *a, struct str *out)
{
    static const char *const zones[] = { "", "(dnat)", "(snat)" };
    str_printf(out, "%s%s", a->class->name, zones[a->number]);
}

static void
ct_next_encode(const struct action *a, struct action_encoder *e)
{
    uint8_t table;
    if (action_next_table(e, &table)) {
        ofa_end_ct(e->out, ct_begin(e, a->number, false, table));
    }
}

static void
ct_commit_to_zone_encode(const struct action *a, struct action_encoder *e)
{
    uint8_t table;
    if (action_next_table(e, &table)) {
        ofa_end_ct(e->out, ct_begin(e, a->number, true, table));
    }
}

/* ct_commit(ct_mark=1/1, ct_label=2): the old way to write the same. */
static bool
ct_commit_parse_old(struct action_parser *p, struct action *a)
{
    struct action **tail = &a->nested;
    lexer_next(&p->lex);
    do {
        struct action *n = arena_zalloc(p->arena, sizeof *n);
        if (!action_parse_writable(p, &n->dst) || !action_parse_assignment(p, n)) {
            return false;
        }
        *tail = n;
        tail = &n->next;
    } while (lexer_match(&p->lex, LEX_COMMA));
    return action_match(p, LEX_RPAREN, "`,' or `)'");
}

/* ct_commit; ct_commit { ct_mark = ...; ct_label.label = ...; } */
static bool
ct_commit_parse(struct action_parser *p, struct action *a)
{
    size_t at = p->lex.token.start;
    if (p->lex.token.type != LEX_LCURLY && p->lex.token.type != LEX_LPAREN) {
        return true;
    }
    bool outer = p->in_ct_commit;
    p->in_ct_commit = true;
    if (!(p->lex.token.type == LEX_LPAREN ? ct_commit_parse_old(p, a) : action_parse_nested(p, a))) {
        return false;
    }
    p->in_ct_commit = outer;
    for (const struct action *n = a->nested; n; n = n->next) {
        if ((n->class != &action_assign_constant && n->class != &action_assign_field)
            || (n->dst.sf.field != OFF_CT_MARK && n->dst.sf.field != OFF_CT_LABEL)) {
            return action_fail(p, lexer_message(&p->lex, at, "only ct_mark and ct_label can be set within ct_commit"));
        }
    }
    return true;
}

static void
ct_commit_format(const struct action *a, struct str *out)
{
    if (a->nested) {
        action_format_nested(a, out);
    } else {
        str_puts(out, a->class->name);
    }
}

/* In a switch, whose zone has connections of load balancers as well, the translation is "none": a source port that another connection to the same backend
 * has already is replaced, where the packet would be lost otherwise (ovs-actions(7), "nat"). */
static void
ct_commit_encode(const struct action *a, struct action_encoder *e)
{
    size_t offset = ct_begin(e, ZONE_DEFAULT, true, NO_TABLE);
    if (e->env->is_switch) {
        ofa_put_nat(e->out, &(struct ofa_nat) { .src = true });
    }
    action_list_encode(a->nested, e);
    ofa_end_ct(e->out, offset);
}

static void
ct_clear_encode(const struct action *a, struct action_encoder *e)
{
    ofa_put_ct_clear(e->out);
}

/* ct_commit_nat; -- the translation that the connection has. */
static void
ct_nat_encode(const struct action *a, struct action_encoder *e)
{
    struct ofa_nat nat = { 0 };
    uint8_t table;
    if (action_next_table(e, &table)) {
        size_t offset = ct_begin(e, ZONE_DEFAULT, a->class->param, table);
        ofa_put_nat(e->out, &nat);
        ofa_end_ct(e->out, offset);
    }
}

/* ct_dnat; ct_dnat(IP); ct_snat(IP, 1024-2048); and the same in the common zone. number: has an address. */
struct translation {
    bool ipv6;
    union of_value ip;
    uint32_t port_min, port_max;       /* 0: no ports. */
};

static bool
translate_parse(struct action_parser *p, struct action *a)
{
    struct token *t = &p->lex.token;
    struct translation *x = a->data = arena_zalloc(p->arena, sizeof *x);
    action_require(p, symbol_find("ip", 2)->expansion);
    if (!lexer_match(&p->lex, LEX_LPAREN)) {
        return true;
    }
    if (t->type != LEX_INTEGER || (t->format != LEX_IPV4 && t->format != LEX_IPV6)) {
        return action_expected(p, "an IP address");
    }
    a->number = 1;
    x->ipv6 = t->format == LEX_IPV6;
    x->ip = t->value;
    lexer_next(&p->lex);
    if (lexer_match(&p->lex, LEX_COMMA)) {
        if (!action_parse_number(p, 1, UINT16_MAX, &x->port_min)) {
            return false;
        }
        x->port_max = x->port_min;
        /* "1-10": the lexer has no minus of its own, so the range is looked for in the text. */
        if (t->type == LEX_ERROR && p->lex.text[t->start] == '-') {
            p->lex.pos = t->start + 1;
            lexer_next(&p->lex);
            if (!action_parse_number(p, x->port_min, UINT16_MAX, &x->port_max)) {
                return false;
            }
        }
    }
    return action_match(p, LEX_RPAREN, "`)'");
}

static void
translate_format(const struct action *a, struct str *out)
{
    const struct translation *x = a->data;
    str_puts(out, a->class->name);
    if (a->number) {
        str_putc(out, '(');
        lex_format_constant(out, x->ipv6 ? LEX_IPV6 : LEX_IPV4, &x->ip, NULL);
        if (x->port_min) {
            str_printf(out, ",%u", x->port_min);
        }
        if (x->port_max != x->port_min) {
            str_printf(out, "-%u", x->port_max);
        }
        str_putc(out, ')');
    }
}

static void
translate_encode(const struct action *a, struct action_encoder *e)
{
    const struct translation *x = a->data;
    bool src = a->class->param & 1, common = a->class->param & 2;
    struct ofa_nat nat = { .ipv6 = x->ipv6 };
    uint8_t table;
    if (!action_next_table(e, &table)) {
        return;
    }
    if (a->number) {
        nat.src = src;
        nat.dst = !src;
        nat.has_addr = true;
        memcpy(nat.addr_min, x->ip.b + (x->ipv6 ? 0 : 12), x->ipv6 ? 16 : 4);
        memcpy(nat.addr_max, nat.addr_min, sizeof nat.addr_max);
        nat.has_port = x->port_min;
        nat.port_min = x->port_min;
        nat.port_max = x->port_max;
    }
    size_t offset = ct_begin(e, src && !common ? ZONE_SNAT : ZONE_DNAT, a->number, table);
    ofa_put_nat(e->out, &nat);
    ofa_end_ct(e->out, offset);
}

/* What they do to an imagined packet: ovn-trace(8), "Stateful Actions". No state is known, so it is assumed. */

static const char assumed_text[] = " /* default (use --ct to customize) */";

/* What translation finds: what was tracked before stays so, else the next state that is to be assumed. */
static uint32_t
tracked(struct trace_at *at, bool *assumed)
{
    uint32_t state = of_value_low(&at->packet->f[OFF_CT_STATE]);
    *assumed = false;
    return state ? state : at->env->ct_state(at, assumed);
}

static bool
ct_next_trace(const struct action *a, struct trace_at *at)
{
    bool assumed;
    uint32_t state = at->env->ct_state(at, &assumed);
    struct str s = STR_INIT;
    trace_put_ct_state(state, &s);
    struct trace_at *copy = trace_enter(at, "%s(ct_state=%s%s)", a->class->name, str_c(&s), assumed ? assumed_text : "");
    str_free(&s);
    trace_put_u64(copy->packet, OFF_CT_STATE, state);
    trace_next(copy);
    trace_leave(copy);
    return true;
}

static bool
ct_clear_trace(const struct action *a, struct trace_at *at)
{
    for (enum of_field f = OFF_CT_STATE; f <= OFF_CT_TP_DST; f++) {
        trace_put_u64(at->packet, f, 0);
    }
    return true;
}

/* ct_commit_nat; */
static bool
ct_commit_nat_trace(const struct action *a, struct trace_at *at)
{
    bool assumed;
    uint32_t state = tracked(at, &assumed);
    struct trace_at *copy = trace_enter(at, "%s /* assuming no un-nat entry, so no change */%s", a->class->name, assumed ? assumed_text : "");
    trace_put_u64(copy->packet, OFF_CT_STATE, state);
    trace_next(copy);
    trace_leave(copy);
    return true;
}

/* The connection is committed, and the packet moves on with what it has. */
static bool
ct_go_on_trace(const struct action *a, struct trace_at *at)
{
    struct trace_at *copy = trace_enter(at, "%s /* assuming no change */", a->class->name);
    uint64_t state = of_value_low(&copy->packet->f[OFF_CT_STATE]);
    trace_put_u64(copy->packet, OFF_CT_STATE, state ? state | CT_TRK : CT_TRK | CT_EST);
    trace_next(copy);
    trace_leave(copy);
    return true;
}

static bool
translate_trace(const struct action *a, struct trace_at *at)
{
    const struct translation *x = a->data;
    bool src = a->class->param & 1, assumed;
    struct str s = STR_INIT;
    if (!a->number && src && at->env->is_gateway_router(at)) {
        trace_note(at, "%s is taken for a no-op on a gateway router", a->class->name);
        return true;
    }
    uint32_t state = tracked(at, &assumed);
    if (!a->number) {
        struct trace_at *copy = trace_enter(at, "%s /* assuming no un-%s entry, so no change */%s", a->class->name, src ? "snat" : "dnat",
                                            assumed ? assumed_text : "");
        trace_put_u64(copy->packet, OFF_CT_STATE, state);
        trace_next(copy);
        trace_leave(copy);
        return true;
    }
    lex_format_constant(&s, x->ipv6 ? LEX_IPV6 : LEX_IPV4, &x->ip, NULL);
    struct trace_at *copy = trace_enter(at, "%s(ip%d.%s=%s)%s", a->class->name, x->ipv6 ? 6 : 4, src ? "src" : "dst", str_c(&s),
                                        assumed ? assumed_text : "");
    copy->packet->f[x->ipv6 ? (src ? OFF_IPV6_SRC : OFF_IPV6_DST) : src ? OFF_IPV4_SRC : OFF_IPV4_DST] = x->ip;
    trace_put_u64(copy->packet, OFF_CT_STATE, state | (src ? CT_SNAT : CT_DNAT));
    trace_next(copy);
    trace_leave(copy);
    str_free(&s);
    return true;
}

static const struct action_class statements[] = {
    { .name = "ct_next", .prereq = "ip", .parse = zone_parse, .format = zone_format, .encode = ct_next_encode, .trace = ct_next_trace },
    { .name = "ct_commit", .prereq = "ip", .parse = ct_commit_parse, .format = ct_commit_format, .encode = ct_commit_encode, .trace = trace_nothing },
    { .name = "ct_commit_to_zone", .prereq = "ip", .parse = zone_parse, .format = zone_format, .encode = ct_commit_to_zone_encode, .trace = ct_go_on_trace, .param = 1 },
    { .name = "ct_clear", .encode = ct_clear_encode, .trace = ct_clear_trace },
    { .name = "ct_commit_nat", .prereq = "ip", .encode = ct_nat_encode, .trace = ct_commit_nat_trace, .param = 1 },
    { .name = "ct_dnat", .parse = translate_parse, .format = translate_format, .encode = translate_encode, .trace = translate_trace, .param = 0 },
    { .name = "ct_snat", .parse = translate_parse, .format = translate_format, .encode = translate_encode, .trace = translate_trace, .param = 1 },
    { .name = "ct_dnat_in_czone", .parse = translate_parse, .format = translate_format, .encode = translate_encode, .trace = translate_trace, .param = 2 },
    { .name = "ct_snat_in_czone", .parse = translate_parse, .format = translate_format, .encode = translate_encode, .trace = translate_trace, .param = 3 },
};
const struct action_family action_family_ct = { statements, ARRAY_SIZE(statements), false };

/* What the connection was before translation. */
static void
ct_original_encode(const struct action *a, struct action_encoder *e)
{
    ofa_put_move(e->out, whole(a->class->param), a->dst.sf);
}

/* R = ct_state_save(): the flags of ct_state that the switch has, in its order. */
static void
ct_state_save_encode(const struct action *a, struct action_encoder *e)
{
    ofa_put_move(e->out, (struct of_subfield) { OFF_CT_STATE, 0, 8 }, a->dst.sf);
}

/* Where a load balancer has changed it, it is what it was before; no other translation is known of. */
static bool
ct_original_trace(const struct action *a, struct trace_at *at)
{
    const struct logical_packet *p = at->packet;
    enum of_field f = a->class->param == OFF_CT_NW_DST ? OFF_IPV4_DST : a->class->param == OFF_CT_IPV6_DST ? OFF_IPV6_DST
                      : a->class->param == OFF_CT_TP_DST ? transport_dst(p) : OFF_IP_PROTO;
    bool balanced = !of_value_is_zero(&p->f[OFF_CT_NW_DST]) || !of_value_is_zero(&p->f[OFF_CT_IPV6_DST]);
    union of_value v = balanced && f != OFF_IP_PROTO ? p->f[a->class->param] : p->f[f];
    trace_set(at, a->dst.sf, &v);
    return true;
}

static bool
ct_state_save_trace(const struct action *a, struct trace_at *at)
{
    union of_value v = at->packet->f[OFF_CT_STATE];
    trace_set(at, a->dst.sf, &v);
    return true;
}

static const struct action_class functions[] = {
    { .name = "ct_nw_dst", .prereq = "ip4", .args = "", .encode = ct_original_encode, .trace = ct_original_trace, .param = OFF_CT_NW_DST, .result_bits = 32 },
    { .name = "ct_ip6_dst", .prereq = "ip6", .args = "", .encode = ct_original_encode, .trace = ct_original_trace, .param = OFF_CT_IPV6_DST, .result_bits = 128 },
    { .name = "ct_tp_dst", .prereq = "ip", .args = "", .encode = ct_original_encode, .trace = ct_original_trace, .param = OFF_CT_TP_DST, .result_bits = 16 },
    { .name = "ct_state_save", .args = "", .encode = ct_state_save_encode, .trace = ct_state_save_trace, .result_bits = 8 },
    { .name = "ct_proto", .prereq = "ip", .args = "", .encode = ct_original_encode, .trace = ct_original_trace, .param = OFF_CT_NW_PROTO, .result_bits = 8 },
};
const struct action_family action_family_ct_result = { functions, ARRAY_SIZE(functions), true };

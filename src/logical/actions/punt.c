/* What the controller does: packets made from packets (ARP, ND, ICMP, resets), learning, logging, and replies to what the switch cannot answer. Layouts: opcode.h. */
#include <arpa/inet.h>

#include "logical/actions/trace.h"

static void
name_format(const struct action *a, struct str *out)
{
    str_puts(out, a->class->name);
}

/* name { action; ... }: the actions are for the other packet. */
static bool
replace_parse(struct action_parser *p, struct action *a)
{
    bool outer = p->other_packet;
    p->other_packet = true;
    bool ok = action_parse_nested(p, a);
    p->other_packet = outer;
    a->number = 1;
    return ok;
}

/* The braces may be left out. */
static bool
replace_parse_optional(struct action_parser *p, struct action *a)
{
    return p->lex.token.type != LEX_LCURLY || replace_parse(p, a);
}

static void
replace_format(const struct action *a, struct str *out)
{
    if (a->number) {
        action_format_nested(a, out);
    } else {
        str_puts(out, a->class->name);
    }
}

static void
replace_encode(const struct action *a, struct action_encoder *e)
{
    struct str nested = STR_INIT;
    struct action_encoder inner = { .env = e->env, .out = &nested, .other_packet = true };
    action_list_encode(a->nested, &inner);
    if (inner.error) {
        action_encode_fail(e, "%s", inner.error);
        free(inner.error);
    } else {
        action_put_punt(e, a->class->param, str_c(&nested), nested.len, false);
    }
    str_free(&nested);
}

/* put_arp(P, A, E), put_nd(P, A, E), put_fdb(P, E), handle_svc_check(P): the arguments where opcode.h says. */
static void
report_encode(const struct action *a, struct action_encoder *e)
{
    struct action_setup s = { 0 };
    for (size_t i = 0; a->class->args[i]; i++) {
        char kind = a->class->args[i];
        enum of_field to = kind == 'P' ? LOGICAL_INPORT : kind == 'I' ? OFF_REG0 : kind == 'X' ? OFF_XXREG0 : OFF_ETH_SRC;
        action_setup_add(&s, a->args[i].sf, whole(to));
    }
    action_setup_begin(&s, e->out);
    action_put_punt(e, a->class->param, NULL, 0, false);
    action_setup_end(&s, e->out);
}

static void
punt_encode(const struct action *a, struct action_encoder *e)
{
    action_put_punt(e, a->class->param, NULL, 0, false);
}

/* "name;" or "name();" */
static bool
optional_parens_parse(struct action_parser *p, struct action *a)
{
    return !lexer_match(&p->lex, LEX_LPAREN) || action_match(p, LEX_RPAREN, "`)'");
}

/* bind_vport("virtual port", P) */
static bool
bind_vport_parse(struct action_parser *p, struct action *a)
{
    if (!action_match(p, LEX_LPAREN, "`('")) {
        return false;
    }
    if (p->lex.token.type != LEX_STRING) {
        return action_expected(p, "the name of a logical port, in quotes,");
    }
    a->data = (char *) p->lex.token.s;
    lexer_next(&p->lex);
    size_t at = p->lex.token.end;
    if (!action_match(p, LEX_COMMA, "`,'") || !action_parse_field(p, &a->args[0])) {
        return false;
    }
    if (a->args[0].symbol->kind != SYMBOL_STRING) {
        return action_fail(p, lexer_message(&p->lex, at, "bind_vport needs inport or outport here"));
    }
    return action_match(p, LEX_RPAREN, "`)'");
}

static void
bind_vport_format(const struct action *a, struct str *out)
{
    str_puts(out, "bind_vport(");
    lex_format_string(out, a->data);
    str_puts(out, ", ");
    field_format(&a->args[0], out);
    str_putc(out, ')');
}

static void
bind_vport_encode(const struct action *a, struct action_encoder *e)
{
    struct action_setup s = { 0 };
    uint32_t key;
    if (!e->env->lookup_port || !e->env->lookup_port(e->env->aux, a->data, &key)) {
        return;                        /* Nothing can be bound that is not there. */
    }
    key = htonl(key);
    action_setup_add(&s, a->args[0].sf, whole(LOGICAL_INPORT));
    action_setup_begin(&s, e->out);
    action_put_punt(e, OPCODE_BIND_VPORT, &key, sizeof key, false);
    action_setup_end(&s, e->out);
}

/* log(name="...", severity=..., verdict=..., meter="...") */
struct log {
    const char *name, *meter;
    struct opcode_log head;
};
static const char *const severities[] = { [1] = "alert", [4] = "warning", [5] = "notice", [6] = "info", [7] = "debug" };
static const char *const verdicts[] = { [LOG_VERDICT_ALLOW] = "allow", [LOG_VERDICT_DROP] = "drop", [LOG_VERDICT_REJECT] = "reject" };

static bool
choice_parse(struct action_parser *p, const char *const *names, size_t n, uint8_t *value, const char *what)
{
    for (size_t i = 0; i < n; i++) {
        if (names[i] && token_is(&p->lex.token, names[i])) {
            *value = i;
            lexer_next(&p->lex);
            return true;
        }
    }
    return action_expected(p, what);
}

static bool
log_argument_parse(struct action_parser *p, struct log *log)
{
    struct token key = p->lex.token;
    lexer_next(&p->lex);
    if (key.type != LEX_ID || p->lex.token.type != LEX_EQUALS) {
        return action_expected(p, "an argument like name=\"...\"");
    }
    lexer_next(&p->lex);
    if (token_is(&key, "name")) {
        size_t at = p->lex.token.start;
        return action_parse_string(p, &log->name)
               && (strlen(log->name) < 64 || action_fail(p, lexer_message(&p->lex, at, "a name has less than 64 bytes")));
    } else if (token_is(&key, "meter")) {
        return action_parse_string(p, &log->meter);
    } else if (token_is(&key, "severity")) {
        return choice_parse(p, severities, ARRAY_SIZE(severities), &log->head.severity, "alert, warning, notice, info or debug");
    } else if (token_is(&key, "verdict")) {
        if (token_is(&p->lex.token, "deny")) {
            log->head.verdict = LOG_VERDICT_DROP;      /* The same, in other words. */
            lexer_next(&p->lex);
            return true;
        }
        return choice_parse(p, verdicts, ARRAY_SIZE(verdicts), &log->head.verdict, "allow, drop, deny or reject");
    }
    return action_fail(p, lexer_message(&p->lex, key.start, "log has the arguments name, severity, verdict and meter"));
}

static bool
log_parse(struct action_parser *p, struct action *a)
{
    struct log *log = a->data = arena_zalloc(p->arena, sizeof *log);
    log->head = (struct opcode_log) { .verdict = LOG_VERDICT_UNKNOWN, .severity = 6 };
    if (p->lex.token.type == LEX_SEMICOLON) {
        return true;
    }
    if (!action_match(p, LEX_LPAREN, "`('")) {
        return false;
    }
    while (!lexer_match(&p->lex, LEX_RPAREN)) {
        if (!log_argument_parse(p, log) || (p->lex.token.type != LEX_RPAREN && !action_match(p, LEX_COMMA, "`,' or `)'"))) {
            return false;
        }
    }
    return true;
}

static void
log_format(const struct action *a, struct str *out)
{
    const struct log *log = a->data;
    str_puts(out, "log(");
    if (log->name) {
        str_puts(out, "name=");
        lex_format_string(out, log->name);
        str_puts(out, ", ");
    }
    if (log->head.verdict != LOG_VERDICT_UNKNOWN) {
        str_printf(out, "verdict=%s, ", verdicts[log->head.verdict]);
    }
    str_printf(out, "severity=%s", severities[log->head.severity]);
    if (log->meter) {
        str_puts(out, ", meter=");
        lex_format_string(out, log->meter);
    }
    str_putc(out, ')');
}

static void
log_encode(const struct action *a, struct action_encoder *e)
{
    const struct log *log = a->data;
    struct str data = STR_INIT;
    str_put(&data, &log->head, sizeof log->head);
    str_puts(&data, log->name ? log->name : "");
    action_put_metered(e, log->meter, OPCODE_LOG, data.s, data.len);
    str_free(&data);
}

/* What they do to an imagined packet: the other packet as ovn-sb(5) says it begins. */

static void
clear_fields(struct logical_packet *p, enum of_field first, enum of_field last)
{
    for (enum of_field f = first; f <= last; f++) {
        trace_put_u64(p, f, 0);
    }
}

static void
swap_fields(struct logical_packet *p, enum of_field a, enum of_field b)
{
    union of_value v = p->f[a];
    p->f[a] = p->f[b];
    p->f[b] = v;
}

/* Is the packet IPv6? It becomes an ICMP packet with TYPE and CODE. */
static bool
make_icmp(struct logical_packet *p)
{
    bool ipv6 = of_value_low(&p->f[OFF_ETH_TYPE]) == 0x86dd;
    clear_fields(p, OFF_TCP_SRC, OFF_ND_OPTIONS_TYPE);
    trace_put_u64(p, OFF_IP_PROTO, ipv6 ? 58 : 1);
    trace_put_u64(p, OFF_IP_FRAG, 0);
    trace_put_u64(p, OFF_IP_TTL, 255);
    trace_put_u64(p, ipv6 ? OFF_ICMPV6_TYPE : OFF_ICMPV4_TYPE, ipv6 ? 1 : 3);
    trace_put_u64(p, ipv6 ? OFF_ICMPV6_CODE : OFF_ICMPV4_CODE, 1);
    return ipv6;
}

static void
make_arp(struct logical_packet *p)
{
    union of_value spa = p->f[OFF_IPV4_SRC], tpa = p->f[OFF_IPV4_DST];
    clear_fields(p, OFF_IP_PROTO, OFF_ND_OPTIONS_TYPE);
    trace_put_u64(p, OFF_ETH_TYPE, 0x806);
    trace_put_u64(p, OFF_ARP_OP, 1);
    p->f[OFF_ARP_SHA] = p->f[OFF_ETH_SRC];
    p->f[OFF_ARP_SPA] = spa;
    p->f[OFF_ARP_TPA] = tpa;
}

static void
begin_nd(struct logical_packet *p, uint8_t type)
{
    union of_value src = p->f[OFF_IPV6_SRC], dst = p->f[OFF_IPV6_DST];
    clear_fields(p, OFF_IP_PROTO, OFF_ND_OPTIONS_TYPE);
    trace_put_u64(p, OFF_IP_PROTO, 58);
    trace_put_u64(p, OFF_IP_TTL, 255);
    trace_put_u64(p, OFF_ICMPV6_TYPE, type);
    p->f[OFF_IPV6_SRC] = src;
    p->f[OFF_IPV6_DST] = dst;
}

static void
make_nd_ns(struct logical_packet *p)
{
    begin_nd(p, 135);
    p->f[OFF_ND_TARGET] = p->f[OFF_IPV6_DST];
    u128 low = u128_from(&p->f[OFF_IPV6_DST]) & 0xffffff;
    union of_value group = { .b = { 0xff, 2, [11] = 1, [12] = 0xff } };        /* RFC 4291, 2.7.1; RFC 2464, 7. */
    p->f[OFF_IPV6_DST] = u128_to(u128_from(&group) | low);
    trace_put_u64(p, OFF_ETH_DST, 0x3333ff000000 | (uint64_t) low);
}

static void
make_nd_na(struct logical_packet *p)
{
    union of_value target = p->f[OFF_ND_TARGET], src = p->f[OFF_IPV6_SRC], tll = p->f[OFF_ETH_DST];
    begin_nd(p, 136);
    swap_fields(p, OFF_ETH_SRC, OFF_ETH_DST);
    p->f[OFF_IPV6_DST] = src;
    p->f[OFF_IPV6_SRC] = p->f[OFF_ND_TARGET] = target;
    p->f[OFF_ND_TLL] = tll;
}

/* TCP and SCTP answer with a reset; the rest with ICMP. Returns what it became. */
static const char *
make_reject(struct logical_packet *p)
{
    uint64_t proto = of_value_low(&p->f[OFF_IP_PROTO]);
    bool ipv6 = of_value_low(&p->f[OFF_ETH_TYPE]) == 0x86dd;
    swap_fields(p, OFF_ETH_SRC, OFF_ETH_DST);
    swap_fields(p, ipv6 ? OFF_IPV6_SRC : OFF_IPV4_SRC, ipv6 ? OFF_IPV6_DST : OFF_IPV4_DST);
    if (proto == 6 || proto == 132) {
        swap_fields(p, proto == 6 ? OFF_TCP_SRC : OFF_SCTP_SRC, proto == 6 ? OFF_TCP_DST : OFF_SCTP_DST);
        trace_put_u64(p, OFF_IP_TTL, 255);
        if (proto == 6) {
            trace_put_u64(p, OFF_TCP_FLAGS, 0x14);
        }
        return proto == 6 ? "tcp_reset" : "sctp_abort";
    }
    return make_icmp(p) ? "icmp6" : "icmp4";
}

/* Nobody answers an ICMP error with an error (RFC 1122, 3.2.2; RFC 4443, 2.4), or a reset with a reset (RFC 9293, 3.5.2). */
static bool
is_refusal(const struct logical_packet *p)
{
    uint64_t proto = of_value_low(&p->f[OFF_IP_PROTO]), type = of_value_low(&p->f[OFF_ICMPV4_TYPE]);
    if (of_value_low(&p->f[OFF_ETH_TYPE]) == 0x86dd) {
        type = of_value_low(&p->f[OFF_ICMPV6_TYPE]);
        return (proto == 58 && type && type < 128) || (proto == 6 && of_value_low(&p->f[OFF_TCP_FLAGS]) & 4);
    }
    return (proto == 1 && (type == 3 || type == 4 || type == 5 || type == 11 || type == 12)) || (proto == 6 && of_value_low(&p->f[OFF_TCP_FLAGS]) & 4);
}

static bool
replace_trace(const struct action *a, struct trace_at *at)
{
    struct logical_packet other = *at->packet;
    const char *name = a->class->name;
    if (a->class->param == OPCODE_REJECT && is_refusal(at->packet)) {
        trace_note(at, "an error or a reset is not answered with another: the packet is dropped");
        return true;
    }
    switch ((enum opcode) a->class->param) {
    case OPCODE_ARP:
        make_arp(&other);
        break;
    case OPCODE_ND_NS:
        make_nd_ns(&other);
        break;
    case OPCODE_ND_NA:
    case OPCODE_ND_NA_ROUTER:
        make_nd_na(&other);
        break;
    case OPCODE_REJECT:
        name = make_reject(&other);
        break;
    case OPCODE_TCP_RESET:
        trace_put_u64(&other, OFF_IP_TTL, 255);
        trace_put_u64(&other, OFF_TCP_FLAGS, 0x14);
        break;
    case OPCODE_SCTP_ABORT:
        trace_put_u64(&other, OFF_IP_TTL, 255);
        break;
    default:
        name = make_icmp(&other) ? "icmp6" : "icmp4";
        break;
    }
    struct trace_at *copy = trace_enter(at, "%s", name);
    *copy->packet = other;
    clear_fields(copy->packet, OFF_CT_STATE, OFF_CT_TP_DST);           /* It comes from the controller. */
    action_list_trace(a->nested, copy);
    trace_leave(copy);
    return true;
}

/* What ovn-controller writes into its log. */
static bool
log_trace(const struct action *a, struct trace_at *at)
{
    const struct log *log = a->data;
    struct str s = STR_INIT;
    at->env->describe(at, &s);
    trace_add(at->env->arena, at->node, TRACE_TRANSFORM, "LOG: ACL name=%s, direction=%s, verdict=%s, severity=%s, packet=\"%s\"",
              log->name ? log->name : "<unnamed>", at->pipeline == LOGICAL_INGRESS ? "IN" : "OUT",
              log->head.verdict == LOG_VERDICT_UNKNOWN ? "<unknown>" : verdicts[log->head.verdict], severities[log->head.severity], str_c(&s));
    str_free(&s);
    return true;
}

/* For the controller. */
static bool
punt_trace(const struct action *a, struct trace_at *at)
{
    trace_note(at, "sent to ovn-controller");
    return true;
}

#define REPLACE(NAME, PREREQ, OPCODE) \
    { .name = NAME, .prereq = PREREQ, .parse = replace_parse, .format = replace_format, .encode = replace_encode, .trace = replace_trace, .param = OPCODE }
#define REPLACE_OPTIONAL(NAME, PREREQ, OPCODE) \
    { .name = NAME, .prereq = PREREQ, .parse = replace_parse_optional, .format = replace_format, .encode = replace_encode, .trace = replace_trace, .param = OPCODE }
#define REPORT(NAME, ARGS, OPCODE) { .name = NAME, .args = ARGS, .encode = report_encode, .trace = trace_nothing, .param = OPCODE }
#define PUNT(NAME, PREREQ, OPCODE) \
    { .name = NAME, .prereq = PREREQ, .parse = optional_parens_parse, .format = name_format, .encode = punt_encode, .trace = punt_trace, .param = OPCODE }

static const struct action_class statements[] = {
    REPLACE("arp", "ip4", OPCODE_ARP),
    REPLACE("nd_ns", "ip6", OPCODE_ND_NS),
    REPLACE("nd_na", "nd_ns", OPCODE_ND_NA),
    REPLACE("nd_na_router", "nd_ns", OPCODE_ND_NA_ROUTER),
    REPLACE("icmp4", "ip4", OPCODE_ICMP),
    REPLACE("icmp6", "ip6", OPCODE_ICMP),
    REPLACE("icmp4_error", "ip4", OPCODE_ICMP_ERROR),
    REPLACE("icmp6_error", "ip6", OPCODE_ICMP_ERROR),
    REPLACE_OPTIONAL("tcp_reset", "tcp", OPCODE_TCP_RESET),
    REPLACE_OPTIONAL("sctp_abort", "sctp", OPCODE_SCTP_ABORT),
    REPLACE_OPTIONAL("reject", NULL, OPCODE_REJECT),
    REPORT("put_arp", "PIE", OPCODE_PUT_ARP),
    REPORT("put_nd", "PXE", OPCODE_PUT_ND),
    REPORT("put_fdb", "PE", OPCODE_PUT_FDB),
    REPORT("handle_svc_check", "P", OPCODE_SVC_CHECK),
    PUNT("handle_dhcpv6_reply", NULL, OPCODE_DHCPV6_REPLY),
    PUNT("handle_bfd_msg", NULL, OPCODE_BFD),
    PUNT("igmp", NULL, OPCODE_IGMP),
    { .name = "bind_vport", .parse = bind_vport_parse, .format = bind_vport_format, .encode = bind_vport_encode, .trace = trace_nothing },
    { .name = "log", .parse = log_parse, .format = log_format, .encode = log_encode, .trace = log_trace },
};
const struct action_family action_family_punt = { statements, ARRAY_SIZE(statements), false };

static bool
dns_trace(const struct action *a, struct trace_at *at)
{
    trace_comment(at, "The name that is asked for is not part of a microflow: no answer is assumed.");
    trace_set_u64(at, a->dst.sf, 0);
    return true;
}

/* R = dns_lookup() */
static void
result_encode(const struct action *a, struct action_encoder *e)
{
    struct opcode_result r;
    if (action_result(a, e, &r)) {
        action_put_punt(e, a->class->param, &r, sizeof r, true);
    }
}

static const struct action_class functions[] = {
    { .name = "dns_lookup", .prereq = "udp", .args = "", .encode = result_encode, .trace = dns_trace, .param = OPCODE_DNS_LOOKUP, .result_bits = 1 },
};
const struct action_family action_family_punt_result = { functions, ARRAY_SIZE(functions), true };

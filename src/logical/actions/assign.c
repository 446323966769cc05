/* Assignments: field = constant, field = field, field <-> field, ip.ttl--, and fields that only the controller can set. */
#include <arpa/inet.h>

#include "logical/actions/trace.h"

static bool
assign_value_parse(struct action_parser *p, struct action *a)
{
    struct token *t = &p->lex.token;
    size_t at = t->start;
    bool string = a->dst.symbol->kind == SYMBOL_STRING;
    if (t->type == LEX_ID) {
        a->class = &action_assign_field;
        if (!action_parse_field(p, &a->args[0])) {
            return false;
        }
        const struct field *src = &a->args[0];
        if ((src->symbol->kind == SYMBOL_STRING) != string) {
            return action_fail(p, lexer_message(&p->lex, at, "a port and a number cannot be assigned to each other"));
        } else if (src->sf.n_bits != a->dst.sf.n_bits) {
            return action_fail(p, lexer_message(&p->lex, at, "%s has %u bits and %s has %u", a->dst.symbol->name, a->dst.sf.n_bits, src->symbol->name,
                                                src->sf.n_bits));
        }
        return true;
    }
    if (t->type == LEX_STRING && string) {
        a->class = &action_assign_string;
        a->data = (char *) t->s;
        lexer_next(&p->lex);
        return true;
    }
    if ((t->type != LEX_INTEGER && t->type != LEX_MASKED) || string) {
        return action_expected(p, string ? "a string or a field" : "a number or a field");
    }
    a->class = &action_assign_constant;
    struct constant *c = a->data = arena_alloc(p->arena, sizeof *c);
    char *error = constant_parse(&p->lex, &a->dst, c);
    return error ? action_fail(p, error) : true;
}

bool
action_parse_assignment(struct action_parser *p, struct action *a)
{
    struct token *t = &p->lex.token;
    size_t at = t->start;
    if (lexer_match(&p->lex, LEX_EQUALS)) {
        return assign_value_parse(p, a);
    } else if (lexer_match(&p->lex, LEX_DECREMENT)) {
        a->class = &action_decrement;
        return a->dst.sf.field == OFF_IP_TTL || action_fail(p, lexer_message(&p->lex, at, "only ip.ttl can be decremented"));
    } else if (lexer_match(&p->lex, LEX_EXCHANGE)) {
        a->class = &action_exchange;
        at = t->start;
        if (!action_parse_writable(p, &a->args[0])) {
            return false;
        }
        if (a->args[0].sf.n_bits != a->dst.sf.n_bits || a->args[0].symbol->kind != a->dst.symbol->kind) {
            return action_fail(p, lexer_message(&p->lex, at, "%s and %s are not of the same type and width", a->dst.symbol->name, a->args[0].symbol->name));
        }
        return true;
    }
    return action_expected(p, "`=' or `<->'");
}

/* In the egress pipeline the output port is fixed; that of a packet made there is not, nor is it when a packet starts again from the ingress pipeline (a router that has to
 * translate what it sends to itself). */
static bool
check_dst(const struct field *f, struct action_encoder *e)
{
    if (e->env->pipeline == LOGICAL_EGRESS && !e->other_packet && f->sf.field == LOGICAL_OUTPORT && !action_list_reenters(e->list)) {
        action_encode_fail(e, "outport cannot be changed in the egress pipeline");
        return false;
    }
    return true;
}

static void
constant_assign_format(const struct action *a, struct str *out)
{
    field_format(&a->dst, out);
    str_puts(out, " = ");
    constant_format(a->data, out);
}

/* 128 if there is no one. */
static unsigned
trailing_zeros(u128 x)
{
    uint64_t low = x, high = x >> 64;
    return low ? __builtin_ctzll(low) : high ? 64 + __builtin_ctzll(high) : 128;
}

static void
constant_assign_encode(const struct action *a, struct action_encoder *e)
{
    const struct constant *c = a->data;
    u128 value = u128_from(&c->value), mask = u128_from(&c->mask);
    if (!check_dst(&a->dst, e)) {
        return;
    }
    /* Each run of ones in the mask is a load. */
    for (unsigned low = 0; mask; ) {
        unsigned zeros = trailing_zeros(mask), n = trailing_zeros(~(mask >> zeros));
        low += zeros;
        struct of_subfield sf = { a->dst.sf.field, a->dst.sf.ofs + low, n };
        union of_value v = u128_to(value >> low & u128_ones(n));
        ofa_put_load(e->out, sf, &v);
        mask = n + zeros < 128 ? mask >> (zeros + n) : 0;
        low += n;
    }
}

static void
string_assign_format(const struct action *a, struct str *out)
{
    field_format(&a->dst, out);
    str_puts(out, " = ");
    lex_format_string(out, a->data);
}

static void
string_assign_encode(const struct action *a, struct action_encoder *e)
{
    uint32_t key = 0;
    const char *name = a->data;
    if (check_dst(&a->dst, e)) {
        if (!*name || !e->env->lookup_port || !e->env->lookup_port(e->env->aux, name, &key)) {
            key = 0;                   /* No port. */
        }
        ofa_put_load_u64(e->out, a->dst.sf.field, 0, 32, key);
    }
}

static void
field_assign_format(const struct action *a, struct str *out)
{
    field_format(&a->dst, out);
    str_puts(out, " = ");
    field_format(&a->args[0], out);
}

static void
field_assign_encode(const struct action *a, struct action_encoder *e)
{
    if (check_dst(&a->dst, e)) {
        ofa_put_move(e->out, a->args[0].sf, a->dst.sf);
    }
}

static void
exchange_format(const struct action *a, struct str *out)
{
    field_format(&a->dst, out);
    str_puts(out, " <-> ");
    field_format(&a->args[0], out);
}

static void
exchange_encode(const struct action *a, struct action_encoder *e)
{
    if (check_dst(&a->dst, e) && check_dst(&a->args[0], e)) {
        ofa_put_push(e->out, a->dst.sf);
        ofa_put_push(e->out, a->args[0].sf);
        ofa_put_pop(e->out, a->dst.sf);
        ofa_put_pop(e->out, a->args[0].sf);
    }
}

static void
decrement_format(const struct action *a, struct str *out)
{
    str_puts(out, "ip.ttl--");
}

static void
decrement_encode(const struct action *a, struct action_encoder *e)
{
    ofa_put_dec_ttl(e->out);
}

/* icmp4.frag_mtu = 1500; */
static bool
ovn_assign_parse(struct action_parser *p, struct action *a)
{
    char *error = field_parse(&p->lex, &a->dst);
    if (error) {
        return action_fail(p, error);
    }
    action_require(p, a->dst.symbol->prereqs);
    if (a->dst.sf.n_bits == 16) {
        return action_match(p, LEX_EQUALS, "`='") && action_parse_number(p, 0, UINT16_MAX, &a->number);
    }
    const struct token *t = &p->lex.token;
    if (!action_match(p, LEX_EQUALS, "`='")) {
        return false;
    } else if (t->type != LEX_INTEGER || t->format != LEX_IPV4) {
        return action_expected(p, "an IPv4 address");
    }
    a->number = of_value_low(&t->value);
    lexer_next(&p->lex);
    return true;
}

static void
ovn_assign_format(const struct action *a, struct str *out)
{
    union of_value v = of_value_u64(a->number);
    str_printf(out, "%s = ", a->dst.symbol->name);
    lex_format_constant(out, a->dst.sf.n_bits == 16 ? LEX_DECIMAL : LEX_IPV4, &v, NULL);
}

static void
ovn_assign_encode(const struct action *a, struct action_encoder *e)
{
    uint16_t mtu = htons(a->number);
    if (a->dst.sf.n_bits == 32) {
        uint32_t ip = htonl(a->number);
        action_put_punt(e, OPCODE_ICMP_INNER_SRC, &ip, sizeof ip, true);
        return;
    }
    action_put_punt(e, OPCODE_ICMP_FRAG_MTU, &mtu, sizeof mtu, true);
}

/* What they do to an imagined packet. */

static bool
constant_assign_trace(const struct action *a, struct trace_at *at)
{
    const struct constant *c = a->data;
    union of_value old = logical_packet_get(at->packet, a->dst.sf);
    union of_value v = u128_to((u128_from(&old) & ~u128_from(&c->mask)) | u128_from(&c->value));
    trace_set(at, a->dst.sf, &v);
    return true;
}

static bool
string_assign_trace(const struct action *a, struct trace_at *at)
{
    uint32_t key = 0;
    const char *name = a->data;
    if (!*name || !at->env->lookup_port(at, name, &key)) {
        key = 0;
    }
    trace_set_u64(at, a->dst.sf, key);
    return true;
}

static bool
field_assign_trace(const struct action *a, struct trace_at *at)
{
    union of_value v = logical_packet_get(at->packet, a->args[0].sf);
    trace_set(at, a->dst.sf, &v);
    return true;
}

static bool
exchange_trace(const struct action *a, struct trace_at *at)
{
    union of_value x = logical_packet_get(at->packet, a->dst.sf), y = logical_packet_get(at->packet, a->args[0].sf);
    trace_set(at, a->dst.sf, &y);
    trace_set(at, a->args[0].sf, &x);
    return true;
}

/* A packet whose life ends goes no further, as in the switch. */
static bool
decrement_trace(const struct action *a, struct trace_at *at)
{
    uint64_t ttl = of_value_low(&at->packet->f[OFF_IP_TTL]);
    if (ttl <= 1) {
        trace_comment(at, "TTL is %u already: the packet is dropped", (unsigned) ttl);
        return false;
    }
    trace_put_u64(at->packet, OFF_IP_TTL, ttl - 1);
    trace_add(at->env->arena, at->node, TRACE_MODIFY, "ip.ttl--;");
    return true;
}

/* The controller sets what is no field of the switch; no later match can see it. */
static bool
ovn_assign_trace(const struct action *a, struct trace_at *at)
{
    struct str s = STR_INIT;
    ovn_assign_format(a, &s);
    trace_add(at->env->arena, at->node, TRACE_MODIFY, "%s;", str_c(&s));
    str_free(&s);
    return true;
}

const struct action_class action_assign_constant = { .name = "=", .format = constant_assign_format, .encode = constant_assign_encode, .trace = constant_assign_trace };
const struct action_class action_assign_string = { .name = "=", .format = string_assign_format, .encode = string_assign_encode, .trace = string_assign_trace };
const struct action_class action_assign_field = { .name = "=", .format = field_assign_format, .encode = field_assign_encode, .trace = field_assign_trace };
const struct action_class action_exchange = { .name = "<->", .format = exchange_format, .encode = exchange_encode, .trace = exchange_trace };
const struct action_class action_decrement = { .name = "--", .format = decrement_format, .encode = decrement_encode, .trace = decrement_trace };
const struct action_class action_assign_ovn = { .name = "=", .parse = ovn_assign_parse, .format = ovn_assign_format, .encode = ovn_assign_encode, .trace = ovn_assign_trace };

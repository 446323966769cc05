/* DHCP: put_dhcp_opts, put_dhcpv6_opts (RFC 2131, 2132, 8415), dhcp_relay_req_chk, dhcp_relay_resp_chk. Their packets are made by the controller (opcode.h).
 *
 * Which options there are is told by the tables DHCP_Options and DHCPv6_Options, so names and types meet their values only at encoding; what is wrong then refuses
 * the flow, with the option's name. Here the values become what is on the wire. */
#include <arpa/inet.h>

#include "logical/actions/trace.h"

enum { MAX_OPTIONS = 128, MAX_VALUES = 1024 };

struct option {
    struct option *next;
    const char *name;
    bool is_set;                       /* In braces. */
    uint32_t n;
    struct constant *values;
};

static bool
value_parse(struct action_parser *p, struct constant *c)
{
    const struct token *t = &p->lex.token;
    *c = (struct constant) { .type = CONSTANT_INTEGER, .format = t->format, .masked = t->type == LEX_MASKED, .value = t->value, .mask = t->mask };
    if (t->type == LEX_STRING || t->type == LEX_ID) {
        c->type = CONSTANT_STRING;
        c->s = t->type == LEX_STRING ? t->s : arena_strndup(p->arena, t->s, t->n);
    } else if (t->type != LEX_INTEGER && t->type != LEX_MASKED) {
        return action_expected(p, "a constant or a string");
    }
    lexer_next(&p->lex);
    return true;
}

bool
action_parse_values(struct action_parser *p, bool *is_set, struct constant **values, uint32_t *n)
{
    uint32_t cap = 1;
    *values = arena_alloc(p->arena, sizeof **values);
    *n = 0;
    *is_set = lexer_match(&p->lex, LEX_LCURLY);
    do {
        if (*n == MAX_VALUES) {
            return action_fail(p, lexer_message(&p->lex, p->lex.token.start, "more than %d values", MAX_VALUES));
        } else if (*n == cap) {
            struct constant *bigger = arena_alloc(p->arena, 2 * cap * sizeof *bigger);
            memcpy(bigger, *values, cap * sizeof *bigger);
            *values = bigger;
            cap *= 2;
        }
        if (!value_parse(p, &(*values)[*n])) {
            return false;
        }
        ++*n;
        if (*is_set) {
            lexer_match(&p->lex, LEX_COMMA);
        }
    } while (*is_set && !lexer_match(&p->lex, LEX_RCURLY));
    return true;
}

void
action_format_values(bool is_set, const struct constant *values, uint32_t n, struct str *out)
{
    str_puts(out, is_set ? "{" : "");
    for (uint32_t i = 0; i < n; i++) {
        str_puts(out, i ? ", " : "");
        constant_format(&values[i], out);
    }
    str_puts(out, is_set ? "}" : "");
}

/* R = put_dhcp_opts(offerip = 10.0.0.2, dns_server = {8.8.8.8, 8.8.4.4}) */
static bool
options_parse(struct action_parser *p, struct action *a)
{
    struct option **tail = (struct option **) &a->data;
    unsigned n = 0;
    if (!action_match(p, LEX_LPAREN, "`('")) {
        return false;
    }
    do {
        struct option *o = arena_zalloc(p->arena, sizeof *o);
        struct token key;
        if (!action_parse_key(p, &key, "the name of an option")) {
            return false;
        }
        o->name = arena_strndup(p->arena, key.s, key.n);
        if (!action_parse_values(p, &o->is_set, &o->values, &o->n)) {
            return false;
        }
        *tail = o;
        tail = &o->next;
        if (++n > MAX_OPTIONS) {
            return action_fail(p, lexer_message(&p->lex, p->lex.token.start, "more than %d options", MAX_OPTIONS));
        }
    } while (lexer_match(&p->lex, LEX_COMMA));
    return action_match(p, LEX_RPAREN, "`,' or `)'");
}

static void
options_format(const struct action *a, struct str *out)
{
    str_printf(out, "%s(", a->class->name);
    for (const struct option *o = a->data; o; o = o->next) {
        str_printf(out, "%s%s = ", o == a->data ? "" : ", ", o->name);
        action_format_values(o->is_set, o->values, o->n, out);
    }
    str_putc(out, ')');
}

static bool
is_number(const struct constant *c, uint64_t max)
{
    return c->type == CONSTANT_INTEGER && !c->masked && c->format <= LEX_HEX && u128_from(&c->value) <= max;
}

static bool
is_address(const struct constant *c, enum lex_format format, bool masked)
{
    return c->type == CONSTANT_INTEGER && c->format == format && (masked || !c->masked);
}

bool
action_put_domains(const char *s, struct str *out)
{
    size_t start = out->len;
    while (*s) {
        size_t total = out->len;
        for (;;) {
            size_t n = strcspn(s, ".,");
            if (!n || n > 63) {
                return false;
            }
            str_putc(out, n);
            str_put(out, s, n);
            s += n;
            if (*s == '.' && s[1] && s[1] != ',') {
                s++;
            } else {
                s += *s == '.';
                break;
            }
        }
        str_putc(out, 0);
        if (out->len - total > 255) {
            return false;
        }
        if (*s == ',') {
            s++;
            s += strspn(s, " ");
            if (!*s) {
                return false;
            }
        }
    }
    return out->len > start;
}

/* Pairs of a network and the router to it, as RFC 3442 has them. */
static bool
put_static_routes(const struct option *o, struct str *out)
{
    for (uint32_t i = 0; i < o->n; i += 2) {
        const struct constant *net = &o->values[i], *router = net + 1;
        if (i + 1 == o->n || !is_address(net, LEX_IPV4, true) || !is_address(router, LEX_IPV4, false)) {
            return false;
        }
        uint32_t mask = net->masked ? of_value_low(&net->mask) : UINT32_MAX, rest = ~mask;
        if (rest & (rest + 1)) {
            return false;
        }
        int len = 32 - __builtin_popcount(rest);
        str_putc(out, len);
        str_put(out, net->value.b + 12, (len + 7) / 8);
        str_put(out, router->value.b + 12, 4);
    }
    return true;
}

/* Every value as one address of N bytes. */
static bool
put_addresses(const struct option *o, enum lex_format format, size_t n, struct str *out)
{
    for (uint32_t i = 0; i < o->n; i++) {
        if (!is_address(&o->values[i], format, false)) {
            return false;
        }
        str_put(out, o->values[i].value.b + 16 - n, n);
    }
    return true;
}

static bool
put_number(const struct option *o, size_t bytes, uint64_t max, struct str *out)
{
    if (o->n != 1 || !is_number(o->values, max)) {
        return false;
    }
    str_put(out, o->values->value.b + 16 - bytes, bytes);
    return true;
}

/* The option's value as TYPE is on the wire. False: it is no such value. */
static bool
put_value(const struct option *o, const char *type, uint8_t code, struct str *out)
{
    const struct constant *c = o->values;
    bool string = o->n == 1 && c->type == CONSTANT_STRING;
    if (str_eq(type, "bool")) {
        if (string && (str_eq(c->s, "true") || str_eq(c->s, "false"))) {
            str_putc(out, c->s[0] == 't');
            return true;
        }
        return put_number(o, 1, 1, out);
    } else if (str_eq(type, "uint8")) {
        return put_number(o, 1, UINT8_MAX, out);
    } else if (str_eq(type, "uint16")) {
        return put_number(o, 2, UINT16_MAX, out);
    } else if (str_eq(type, "uint32")) {
        return put_number(o, 4, UINT32_MAX, out);
    } else if (str_eq(type, "ipv4")) {
        return put_addresses(o, LEX_IPV4, 4, out);
    } else if (str_eq(type, "ipv6")) {
        return put_addresses(o, LEX_IPV6, 16, out);
    } else if (str_eq(type, "static_routes")) {
        return put_static_routes(o, out);
    } else if (str_eq(type, "domains") || str_eq(type, "domain")) {
        return string && action_put_domains(c->s, out);
    } else if (str_eq(type, "mac")) {
        if (o->n != 1 || !is_address(c, LEX_MAC, false)) {
            return false;
        }
        /* RFC 8415, 11.4: a DUID made of a link-layer address; 1 is Ethernet. */
        str_put(out, "\0\3\0\1", 4);
        str_put(out, c->value.b + 10, 6);
        return true;
    } else if (str_eq(type, "host_id") && o->n == 1 && is_address(c, LEX_IPV4, false)) {
        lex_format_constant(out, LEX_IPV4, &c->value, NULL);   /* RFC 2132, 9.4: it is a text. */
        return true;
    } else if (string && str_eq(type, "str") && code == 24) {
        return action_put_domains(c->s, out);  /* RFC 3646: the domain search list of DHCPv6. */
    } else if (string && (str_eq(type, "str") || str_eq(type, "host_id"))) {
        str_puts(out, c->s);
        return true;
    }
    return false;
}

static bool
option_encode(const struct option *o, bool ipv6, struct action_encoder *e, uint8_t *code, struct str *value)
{
    const char *type;
    if (!e->env->dhcp_option) {
        action_encode_fail(e, "DHCP is not supported here");
    } else if (!e->env->dhcp_option(e->env->aux, ipv6, o->name, code, &type)) {
        action_encode_fail(e, "there is no DHCP%s option of the name %s", ipv6 ? "v6" : "", o->name);
    } else if (!put_value(o, type, ipv6 ? *code : 0, value)) {
        action_encode_fail(e, "the value of the DHCP%s option %s is not of type %s", ipv6 ? "v6" : "", o->name, type);
    } else if (!ipv6 && value->len > 255) {
        action_encode_fail(e, "the value of the DHCP option %s is longer than 255 bytes", o->name);
    }
    return !e->error;
}

static bool
begin_result(const struct action *a, struct action_encoder *e, struct str *out)
{
    struct opcode_result r;
    if (!action_result(a, e, &r)) {
        return false;
    }
    str_put(out, &r, sizeof r);
    return true;
}

static void
dhcp_encode(const struct action *a, struct action_encoder *e)
{
    struct str data = STR_INIT, options = STR_INIT, value = STR_INIT;
    bool offer = false, ok = begin_result(a, e, &data);
    for (const struct option *o = a->data; ok && o; o = o->next) {
        uint8_t code;
        str_clear(&value);
        ok = option_encode(o, false, e, &code, &value);
        if (ok && !code && value.len == 4) {
            offer = true;
            str_put(&data, value.s, 4);
        } else if (ok) {
            str_putc(&options, code);
            str_putc(&options, value.len);
            str_put(&options, value.s, value.len);
        }
    }
    if (ok && (!offer || data.len != sizeof(struct opcode_result) + 4)) {
        action_encode_fail(e, "put_dhcp_opts needs one option offerip (of code 0)");
    } else if (ok) {
        str_put(&data, options.s, options.len);
        action_put_punt(e, OPCODE_PUT_DHCP_OPTS, data.s, data.len, true);
    }
    str_free(&data);
    str_free(&options);
    str_free(&value);
}

static void
dhcpv6_encode(const struct action *a, struct action_encoder *e)
{
    struct str data = STR_INIT, value = STR_INIT;
    bool ok = begin_result(a, e, &data);
    for (const struct option *o = a->data; ok && o; o = o->next) {
        uint8_t code;
        str_clear(&value);
        ok = option_encode(o, true, e, &code, &value);
        if (ok) {
            uint16_t head[2] = { htons(code), htons(value.len) };
            str_put(&data, head, sizeof head);
            str_put(&data, value.s, value.len);
        }
    }
    if (ok) {
        action_put_punt(e, OPCODE_PUT_DHCPV6_OPTS, data.s, data.len, true);
    }
    str_free(&data);
    str_free(&value);
}

/* R = dhcp_relay_req_chk(192.168.1.1, 172.16.1.1): the relay's address and the server's. */
struct relay {
    union of_value ip[2];
};

static bool
relay_parse(struct action_parser *p, struct action *a)
{
    struct relay *x = a->data = arena_zalloc(p->arena, sizeof *x);
    if (!action_match(p, LEX_LPAREN, "`('")) {
        return false;
    }
    for (int i = 0; i < 2; i++) {
        const struct token *t = &p->lex.token;
        if (i && !action_match(p, LEX_COMMA, "`,'")) {
            return false;
        } else if (t->type != LEX_INTEGER || t->format != LEX_IPV4) {
            return action_expected(p, i ? "the IPv4 address of the server" : "the IPv4 address of the relay");
        }
        x->ip[i] = t->value;
        lexer_next(&p->lex);
    }
    return action_match(p, LEX_RPAREN, "`)'");
}

static void
relay_format(const struct action *a, struct str *out)
{
    const struct relay *x = a->data;
    str_printf(out, "%s(", a->class->name);
    lex_format_constant(out, LEX_IPV4, &x->ip[0], NULL);
    str_puts(out, ", ");
    lex_format_constant(out, LEX_IPV4, &x->ip[1], NULL);
    str_putc(out, ')');
}

static void
relay_encode(const struct action *a, struct action_encoder *e)
{
    const struct relay *x = a->data;
    struct str data = STR_INIT;
    if (begin_result(a, e, &data)) {
        str_put(&data, x->ip[0].b + 12, 4);
        str_put(&data, x->ip[1].b + 12, 4);
        action_put_punt(e, a->class->param, data.s, data.len, true);
    }
    str_free(&data);
}

/* Whether it is a request that can be answered is not in a microflow. */
static bool
options_trace(const struct action *a, struct trace_at *at)
{
    struct str s = STR_INIT;
    trace_comment(at, a->class->param ? "We assume that this packet is a DHCPv6 request." : "We assume that this packet is DHCPDISCOVER or DHCPREQUEST.");
    options_format(a, &s);
    trace_add(at->env->arena, at->node, TRACE_MODIFY, "%s;", str_c(&s));
    str_free(&s);
    trace_set_u64(at, a->dst.sf, 1);
    return true;
}

static bool
relay_trace(const struct action *a, struct trace_at *at)
{
    trace_comment(at, "We assume that this packet is one that a DHCP relay passes on.");
    trace_set_u64(at, a->dst.sf, 1);
    return true;
}

static const struct action_class functions[] = {
    { .name = "put_dhcp_opts", .parse = options_parse, .format = options_format, .encode = dhcp_encode, .trace = options_trace, .result_bits = 1 },
    { .name = "put_dhcpv6_opts", .parse = options_parse, .format = options_format, .encode = dhcpv6_encode, .trace = options_trace, .param = 1, .result_bits = 1 },
    { .name = "dhcp_relay_req_chk", .parse = relay_parse, .format = relay_format, .encode = relay_encode, .trace = relay_trace, .param = OPCODE_DHCP_RELAY_REQ_CHK, .result_bits = 1 },
    { .name = "dhcp_relay_resp_chk", .parse = relay_parse, .format = relay_format, .encode = relay_encode, .trace = relay_trace, .param = OPCODE_DHCP_RELAY_RESP_CHK, .result_bits = 1 },
};
const struct action_family action_family_options_result = { functions, ARRAY_SIZE(functions), true };

/* R = put_nd_ra_opts(addr_mode = "slaac", slla = 00:00:00:00:10:02, prefix = aef0::/64, mtu = 1450): the router advertisement that answers a solicitation,
 * RFC 4861 4.2 and 4.6, RFC 4191 (preference, routes), RFC 8106 (DNS). Known in full when it is parsed; made by the controller (opcode.h). Lifetimes are infinite: who is
 * answered may never be told again. */
#include <arpa/inet.h>

#include "logical/actions/trace.h"

enum { OPT_SLLA = 1, OPT_PREFIX = 3, OPT_MTU = 5, OPT_ROUTE = 24, OPT_RDNSS = 25, OPT_DNSSL = 31 };
enum { RA_MANAGED = 0x80, RA_OTHER = 0x40, PREFIX_ON_LINK = 0x80, PREFIX_AUTONOMOUS = 0x40 };

enum ra_key { RA_ADDR_MODE, RA_SLLA, RA_MTU, RA_PREFIX, RA_PREFERENCE, RA_ROUTE, RA_RDNSS, RA_DNSSL, RA_N_KEYS };
static const char *const keys[] = { "addr_mode", "slla", "mtu", "prefix", "router_preference", "route_info", "rdnss", "dnssl" };

struct argument {
    struct argument *next;
    enum ra_key key;
    bool is_set;
    uint32_t n;
    struct constant *values;
};
struct advertisement {
    struct argument *arguments;
    uint8_t flags, prefix_flags;
    struct str *options;               /* While parsing. */
    uint8_t *bytes;                    /* The options, as on the wire. */
    size_t n_bytes;
};

static const uint8_t infinite[4] = { 255, 255, 255, 255 };

static void
put_option(struct str *out, uint8_t type, const struct str *body)
{
    size_t n = 2 + body->len, padded = (n + 7) / 8 * 8;
    str_putc(out, type);
    str_putc(out, padded / 8);
    str_put(out, body->s, body->len);
    str_put(out, (uint8_t[8]) { 0 }, padded - n);
}

/* RFC 4191, 2.1. */
static bool
preference(const char *s, size_t n, uint8_t *bits)
{
    static const char *const names[] = { "MEDIUM", "HIGH", NULL, "LOW" };
    for (unsigned i = 0; i < ARRAY_SIZE(names); i++) {
        if (names[i] && strlen(names[i]) == n && !strncmp(s, names[i], n)) {
            *bits = i << 3;
            return true;
        }
    }
    return false;
}

static unsigned
prefix_length(const union of_value *mask)
{
    u128 rest = ~u128_from(mask);
    unsigned n = 0;
    for (; rest; rest >>= 1) {
        n++;
    }
    return 128 - n;
}

/* "HIGH-2001::/64,LOW-fc00::/7" */
static bool
put_routes(const char *s, struct str *out)
{
    for (;;) {
        size_t n = strcspn(s, "-"), rest = s[n] ? strcspn(s + n + 1, ",") : 0;
        struct str body = STR_INIT;
        struct expr_constant c;
        uint8_t bits;
        char *prefix = rest ? xstrndup(s + n + 1, rest) : NULL;
        bool ok = prefix && preference(s, n, &bits) && expr_constant_parse(prefix, &c) && c.width == 128;
        free(prefix);
        if (!ok) {
            return false;
        }
        str_putc(&body, prefix_length(&c.mask));
        str_putc(&body, bits);
        str_put(&body, infinite, 4);
        str_put(&body, c.value.b, 16);
        put_option(out, OPT_ROUTE, &body);
        str_free(&body);
        s += n + 1 + rest;
        if (!*s++) {
            return true;
        }
    }
}

/* Is V what KEY takes? Then its option is added. */
static bool
put_argument(struct advertisement *ra, const struct argument *g, struct str *out)
{
    const struct constant *v = g->values;
    bool string = v->type == CONSTANT_STRING && g->n == 1, ip6 = v->type == CONSTANT_INTEGER && v->format == LEX_IPV6;
    struct str body = STR_INIT;
    uint8_t bits = 0;
    bool ok = false;
    switch (g->key) {
    case RA_ADDR_MODE:
        ok = string && (str_eq(v->s, "slaac") || str_eq(v->s, "dhcpv6_stateful") || str_eq(v->s, "dhcpv6_stateless"));
        if (ok) {
            ra->flags |= v->s[0] == 's' ? 0 : str_eq(v->s, "dhcpv6_stateful") ? RA_MANAGED : RA_OTHER;
            ra->prefix_flags = PREFIX_ON_LINK | (ra->flags & RA_MANAGED ? 0 : PREFIX_AUTONOMOUS);
        }
        break;
    case RA_SLLA:
        ok = v->type == CONSTANT_INTEGER && v->format == LEX_MAC && !v->masked && g->n == 1;
        str_put(&body, v->value.b + 10, 6);
        put_option(out, OPT_SLLA, &body);
        break;
    case RA_MTU:
        ok = v->type == CONSTANT_INTEGER && v->format <= LEX_HEX && !v->masked && g->n == 1 && u128_from(&v->value) <= UINT32_MAX;
        str_put(&body, "\0\0", 2);
        str_put(&body, v->value.b + 12, 4);
        put_option(out, OPT_MTU, &body);
        break;
    case RA_PREFIX:
        ok = ip6 && v->masked && g->n == 1;
        if (ok) {
            str_putc(&body, prefix_length(&v->mask));
            str_putc(&body, ra->prefix_flags);
            str_put(&body, infinite, 4);
            str_put(&body, infinite, 4);
            str_put(&body, "\0\0\0\0", 4);
            str_put(&body, v->value.b, 16);
            put_option(out, OPT_PREFIX, &body);
        }
        break;
    case RA_PREFERENCE:
        ok = string && preference(v->s, strlen(v->s), &bits);
        ra->flags |= bits;
        break;
    case RA_ROUTE:
        ok = string && put_routes(v->s, out);
        break;
    case RA_RDNSS:
        ok = g->n <= 100;
        str_put(&body, "\0\0", 2);
        str_put(&body, infinite, 4);
        for (uint32_t i = 0; i < g->n; i++) {
            ok = ok && v[i].type == CONSTANT_INTEGER && v[i].format == LEX_IPV6 && !v[i].masked;
            str_put(&body, v[i].value.b, 16);
        }
        put_option(out, OPT_RDNSS, &body);
        break;
    case RA_DNSSL:
        str_put(&body, "\0\0", 2);
        str_put(&body, infinite, 4);
        ok = string && action_put_domains(v->s, &body) && body.len < 2000;
        put_option(out, OPT_DNSSL, &body);
        break;
    case RA_N_KEYS:
        break;
    }
    str_free(&body);
    return ok;
}

static bool
argument_parse(struct action_parser *p, struct argument *g)
{
    struct token key;
    if (!action_parse_key(p, &key, "the name of an option")) {
        return false;
    }
    while (g->key < RA_N_KEYS && !token_is(&key, keys[g->key])) {
        g->key++;
    }
    if (g->key == RA_N_KEYS) {
        return action_fail(p, lexer_message(&p->lex, key.start, "addr_mode, slla, mtu, prefix, router_preference, route_info, rdnss or dnssl expected"));
    }
    return action_parse_values(p, &g->is_set, &g->values, &g->n);
}

static bool
nd_ra_parse(struct action_parser *p, struct action *a)
{
    struct advertisement *ra = a->data = arena_zalloc(p->arena, sizeof *ra);
    struct argument **tail = &ra->arguments;
    struct str options = STR_INIT;
    size_t start = p->lex.token.start, at;
    unsigned seen = 0;
    if (!action_match(p, LEX_LPAREN, "`('")) {
        return false;
    }
    do {
        struct argument *g = arena_zalloc(p->arena, sizeof *g);
        at = p->lex.token.start;
        if (!argument_parse(p, g)) {
            str_free(&options);
            return false;
        }
        /* The mode decides how prefixes are announced, so it is first. */
        bool late = g->key == RA_PREFIX && !(seen & 1 << RA_ADDR_MODE);
        seen |= 1 << g->key;
        if (late || options.len > 8192 || !put_argument(ra, g, &options)) {
            str_free(&options);
            return action_fail(p, lexer_message(&p->lex, at, late ? "addr_mode is expected before %s" : "this is no value for %s", keys[g->key]));
        }
        *tail = g;
        tail = &g->next;
    } while (lexer_match(&p->lex, LEX_COMMA));
    ra->n_bytes = options.len;
    ra->bytes = arena_alloc(p->arena, options.len);
    memcpy(ra->bytes, str_c(&options), options.len);
    str_free(&options);
    if (!(seen & 1 << RA_ADDR_MODE) || !(seen & 1 << RA_SLLA)) {
        return action_fail(p, lexer_message(&p->lex, start, "put_nd_ra_opts needs addr_mode and slla"));
    }
    return action_match(p, LEX_RPAREN, "`,' or `)'");
}

static void
nd_ra_format(const struct action *a, struct str *out)
{
    const struct advertisement *ra = a->data;
    str_puts(out, "put_nd_ra_opts(");
    for (const struct argument *g = ra->arguments; g; g = g->next) {
        str_printf(out, "%s%s = ", g == ra->arguments ? "" : ", ", keys[g->key]);
        action_format_values(g->is_set, g->values, g->n, out);
    }
    str_putc(out, ')');
}

static void
nd_ra_encode(const struct action *a, struct action_encoder *e)
{
    const struct advertisement *ra = a->data;
    struct opcode_nd_ra head = { .flags = ra->flags };
    struct opcode_result r;
    if (action_result(a, e, &r)) {
        struct str data = STR_INIT;
        str_put(&data, &r, sizeof r);
        str_put(&data, &head, sizeof head);
        str_put(&data, ra->bytes, ra->n_bytes);
        action_put_punt(e, OPCODE_PUT_ND_RA_OPTS, data.s, data.len, true);
        str_free(&data);
    }
}

static bool
nd_ra_trace(const struct action *a, struct trace_at *at)
{
    trace_comment(at, "We assume that this packet is a router solicitation.");
    trace_put_u64(at->packet, OFF_ICMPV6_TYPE, 134);
    trace_put_u64(at->packet, OFF_IP_TTL, 255);
    trace_set_u64(at, a->dst.sf, 1);
    return true;
}

static const struct action_class functions[] = {
    { .name = "put_nd_ra_opts", .parse = nd_ra_parse, .format = nd_ra_format, .encode = nd_ra_encode, .trace = nd_ra_trace, .result_bits = 1 },
};
const struct action_family action_family_nd_ra_result = { functions, ARRAY_SIZE(functions), true };

/* What the switch remembers by itself of the packets that pass, as flows that it learns: commit_ecmp_nh, commit_lb_aff. The tables are those that check_ecmp_nh(),
 * check_ecmp_nh_mac() and chk_lb_aff() ask (action.h). Learned flows belong to the logical flow that makes them (by its cookie) and go with it. */
#include "logical/actions/trace.h"

enum { LEARNED_PRIORITY = 100, ECMP_IDLE_TIMEOUT = 60 };

static bool
bool_parse(struct action_parser *p, bool *value)
{
    *value = token_is(&p->lex.token, "true");
    if (!*value && !token_is(&p->lex.token, "false")) {
        return action_expected(p, "true or false");
    }
    lexer_next(&p->lex);
    return true;
}

static const struct proto {
    const char *name;
    uint8_t number;
    enum of_field src, dst;
} protos[] = {
    { "tcp", 6, OFF_TCP_SRC, OFF_TCP_DST },
    { "udp", 17, OFF_UDP_SRC, OFF_UDP_DST },
    { "sctp", 132, OFF_SCTP_SRC, OFF_SCTP_DST },
};

static bool
proto_parse(struct action_parser *p, const struct proto **proto)
{
    for (size_t i = 0; i < ARRAY_SIZE(protos); i++) {
        if (token_is(&p->lex.token, protos[i].name)) {
            *proto = &protos[i];
            lexer_next(&p->lex);
            return true;
        }
    }
    return action_expected(p, "tcp, udp or sctp");
}

static void
require(struct action_parser *p, const char *predicate)
{
    action_require(p, symbol_find(predicate, strlen(predicate))->expansion);
}

static size_t
learn_begin(struct action_encoder *e, uint8_t table, uint16_t idle_timeout, bool ipv6, uint8_t proto)
{
    struct ofa_learn l = {
        .table = table, .priority = LEARNED_PRIORITY, .idle_timeout = idle_timeout, .cookie = e->env->cookie, .delete_learned = true,
    };
    struct of_subfield dp = { OFF_METADATA, 0, 24 };
    union of_value type = of_value_u64(ipv6 ? 0x86dd : 0x800), number = of_value_u64(proto);
    size_t offset = ofa_begin_learn(e->out, &l);
    ofa_learn_match_field(e->out, dp, dp);
    ofa_learn_match_value(e->out, whole(OFF_ETH_TYPE), &type);
    if (proto) {
        ofa_learn_match_value(e->out, whole(OFF_IP_PROTO), &number);
    }
    return offset;
}

static void
learn_end(struct action_encoder *e, size_t offset)
{
    union of_value one = of_value_u64(1);
    ofa_learn_load_value(e->out, flag_bit(MLF_LOOKUP), &one);
    ofa_end_learn(e->out, offset);
}

/* commit_ecmp_nh(ipv6 = false, proto = tcp) */
struct ecmp {
    bool ipv6;
    const struct proto *proto;         /* NULL: any, and ports do not count. */
};

static bool
ecmp_parse(struct action_parser *p, struct action *a)
{
    struct ecmp *x = a->data = arena_zalloc(p->arena, sizeof *x);
    if (!action_match(p, LEX_LPAREN, "`('")) {
        return false;
    }
    do {
        struct token key;
        if (!action_parse_key(p, &key, "ipv6 or proto")) {
            return false;
        } else if (token_is(&key, "ipv6")) {
            if (!bool_parse(p, &x->ipv6)) {
                return false;
            }
        } else if (!token_is(&key, "proto")) {
            return action_fail(p, lexer_message(&p->lex, key.start, "commit_ecmp_nh has the arguments ipv6 and proto"));
        } else if (!proto_parse(p, &x->proto)) {
            return false;
        }
    } while (lexer_match(&p->lex, LEX_COMMA));
    require(p, x->ipv6 ? "ip6" : "ip4");
    if (x->proto) {
        require(p, x->proto->name);
    }
    return action_match(p, LEX_RPAREN, "`,' or `)'");
}

static void
ecmp_format(const struct action *a, struct str *out)
{
    const struct ecmp *x = a->data;
    str_printf(out, "commit_ecmp_nh(ipv6 = %s", x->ipv6 ? "true" : "false");
    if (x->proto) {
        str_printf(out, ", proto = %s", x->proto->name);
    }
    str_putc(out, ')');
}

static void
ecmp_encode(const struct action *a, struct action_encoder *e)
{
    const struct ecmp *x = a->data;
    const uint8_t *tables[] = { &e->env->tables.ecmp_nh_mac, &e->env->tables.ecmp_nh };
    enum of_field src = x->ipv6 ? OFF_IPV6_SRC : OFF_IPV4_SRC, dst = x->ipv6 ? OFF_IPV6_DST : OFF_IPV4_DST;
    for (int back = 0; back < 2; back++) {     /* As this packet goes, with its source's MAC; and the way back. */
        if (!*tables[back]) {
            action_encode_fail(e, "commit_ecmp_nh is not supported here");
            return;
        }
        size_t offset = learn_begin(e, *tables[back], ECMP_IDLE_TIMEOUT, x->ipv6, x->proto ? x->proto->number : 0);
        if (!back) {
            ofa_learn_match_field(e->out, whole(OFF_ETH_SRC), whole(OFF_ETH_SRC));
        }
        ofa_learn_match_field(e->out, whole(src), whole(back ? dst : src));
        ofa_learn_match_field(e->out, whole(dst), whole(back ? src : dst));
        if (x->proto) {
            ofa_learn_match_field(e->out, whole(x->proto->src), whole(back ? x->proto->dst : x->proto->src));
            ofa_learn_match_field(e->out, whole(x->proto->dst), whole(back ? x->proto->src : x->proto->dst));
        } else {
            ofa_learn_match_field(e->out, whole(OFF_IP_PROTO), whole(OFF_IP_PROTO));
        }
        learn_end(e, offset);
    }
}

/* commit_lb_aff(vip = "10.0.0.100:80", backend = "10.0.0.1:80", proto = tcp, timeout = 60) */
struct affinity {
    struct endpoint {
        const char *text;
        bool ipv6;
        union of_value ip;
        uint32_t port;                 /* 0: none. */
    } vip, backend;
    const struct proto *proto;
    uint32_t timeout;
};

/* "10.0.0.1", "10.0.0.1:80", "[fd00::1]:80", "fd00::1", in quotes. */
static bool
endpoint_parse(struct action_parser *p, struct endpoint *x)
{
    size_t at = p->lex.token.start;
    struct lexer l;
    if (!action_parse_string(p, &x->text)) {
        return false;
    }
    lexer_init(&l, x->text, p->arena);
    bool square = lexer_match(&l, LEX_LSQUARE), port = false;
    bool ok = l.token.type == LEX_INTEGER && (l.token.format == LEX_IPV6 || (l.token.format == LEX_IPV4 && !square));
    x->ipv6 = l.token.format == LEX_IPV6;
    x->ip = l.token.value;
    lexer_next(&l);
    ok = ok && (!square || lexer_match(&l, LEX_RSQUARE));
    if (ok && (square || !x->ipv6) && lexer_match(&l, LEX_COLON)) {
        x->port = of_value_low(&l.token.value);
        port = true;
        ok = l.token.type == LEX_INTEGER && l.token.format == LEX_DECIMAL && of_value_low(&l.token.value) - 1 < UINT16_MAX;
        lexer_next(&l);
    }
    x->port = port ? x->port : 0;
    return (ok && l.token.type == LEX_END) || action_fail(p, lexer_message(&p->lex, at, "\"%s\" is no address or address:port", x->text));
}

static bool
affinity_argument_parse(struct action_parser *p, struct affinity *x)
{
    struct token key;
    if (!action_parse_key(p, &key, "vip, backend, proto or timeout")) {
        return false;
    } else if (token_is(&key, "vip")) {
        return endpoint_parse(p, &x->vip);
    } else if (token_is(&key, "backend")) {
        return endpoint_parse(p, &x->backend);
    } else if (token_is(&key, "proto")) {
        return proto_parse(p, &x->proto);
    } else if (token_is(&key, "timeout")) {
        return action_parse_number(p, 1, UINT16_MAX, &x->timeout);
    }
    return action_fail(p, lexer_message(&p->lex, key.start, "commit_lb_aff has the arguments vip, backend, proto and timeout"));
}

static bool
affinity_parse(struct action_parser *p, struct action *a)
{
    struct affinity *x = a->data = arena_zalloc(p->arena, sizeof *x);
    size_t at = p->lex.token.start;
    if (!action_match(p, LEX_LPAREN, "`('")) {
        return false;
    }
    do {
        if (!affinity_argument_parse(p, x)) {
            return false;
        }
    } while (lexer_match(&p->lex, LEX_COMMA));
    if (!x->vip.text || !x->backend.text || !x->timeout || x->vip.ipv6 != x->backend.ipv6 || ((x->vip.port || x->backend.port) && !x->proto)) {
        return action_fail(p, lexer_message(&p->lex, at, "commit_lb_aff needs vip and backend of one family, a timeout, and with ports a proto"));
    }
    require(p, x->vip.ipv6 ? "ip6" : "ip4");
    if (x->proto) {
        require(p, x->proto->name);
    }
    return action_match(p, LEX_RPAREN, "`,' or `)'");
}

static void
affinity_format(const struct action *a, struct str *out)
{
    const struct affinity *x = a->data;
    str_puts(out, "commit_lb_aff(vip = ");
    lex_format_string(out, x->vip.text);
    str_puts(out, ", backend = ");
    lex_format_string(out, x->backend.text);
    if (x->proto) {
        str_printf(out, ", proto = %s", x->proto->name);
    }
    str_printf(out, ", timeout = %u)", x->timeout);
}

static void
affinity_encode(const struct action *a, struct action_encoder *e)
{
    const struct affinity *x = a->data;
    bool ipv6 = x->vip.ipv6;
    if (!e->env->tables.chk_lb_aff) {
        action_encode_fail(e, "commit_lb_aff is not supported here");
        return;
    }
    struct of_subfield src = whole(ipv6 ? OFF_IPV6_SRC : OFF_IPV4_SRC), dst = whole(ipv6 ? OFF_IPV6_DST : OFF_IPV4_DST);
    union of_value vip_port = of_value_u64(x->vip.port), port = of_value_u64(x->backend.port);
    size_t offset = learn_begin(e, e->env->tables.chk_lb_aff, x->timeout, ipv6, x->proto ? x->proto->number : 0);
    ofa_learn_match_field(e->out, src, src);
    ofa_learn_match_value(e->out, dst, &x->vip.ip);
    if (x->vip.port) {
        ofa_learn_match_value(e->out, whole(x->proto->dst), &vip_port);
    }
    ofa_learn_load_value(e->out, whole(ipv6 ? OFF_XXREG1 : OFF_REG4), &x->backend.ip);
    if (x->backend.port) {
        ofa_learn_load_value(e->out, (struct of_subfield) { OFF_REG8, 0, 16 }, &port);
    }
    learn_end(e, offset);
}

static const struct action_class statements[] = {
    { .name = "commit_ecmp_nh", .parse = ecmp_parse, .format = ecmp_format, .encode = ecmp_encode, .trace = trace_nothing },
    { .name = "commit_lb_aff", .parse = affinity_parse, .format = affinity_format, .encode = affinity_encode, .trace = trace_nothing },
};
const struct action_family action_family_learn = { statements, ARRAY_SIZE(statements), false };

/* Choices among alternatives, by an OpenFlow group of type select: ct_lb, ct_lb_mark, ct_lb_mark_local (a backend), select (a number), fwd_group (a port).
 *
 * The group itself is the caller's (struct action_env's "group"): the same buckets may be one group for many flows. One alternative needs no group. */
#include "logical/actions/trace.h"

enum { DEFAULT_WEIGHT = 100, MAX_ALTERNATIVES = 4096 };

/* Buckets under construction. Their actions are in one string, so that addresses come last. */
struct buckets {
    struct str bytes;
    struct bucket {
        size_t start;
        uint16_t weight;
        uint32_t watch_port;
    } *b;
    size_t n, cap;
};

static void
buckets_add(struct buckets *bs, uint16_t weight, uint32_t watch_port)
{
    GROW(bs->b, bs->cap, bs->n + 1);
    bs->b[bs->n++] = (struct bucket) { bs->bytes.len, weight, watch_port };
}

/* Encodes the choice and frees BS. */
static void
buckets_finish(struct buckets *bs, const struct action *a, const char *hash_fields, struct action_encoder *e)
{
    uint32_t id;
    if (e->error || !bs->n) {
        ;                              /* None of the alternatives is here: the packet goes nowhere. */
    } else if (bs->n == 1 && !bs->b[0].watch_port) {
        str_put(e->out, bs->bytes.s, bs->bytes.len);
    } else if (!e->env->group) {
        action_encode_fail(e, "%s is not supported here", a->class->name);
    } else {
        struct action_bucket *all = xmalloc(bs->n * sizeof *all);
        for (size_t i = 0; i < bs->n; i++) {
            size_t end = i + 1 < bs->n ? bs->b[i + 1].start : bs->bytes.len;
            all[i] = (struct action_bucket) { bs->b[i].weight, bs->bytes.s + bs->b[i].start, end - bs->b[i].start, bs->b[i].watch_port };
        }
        struct action_group g = { hash_fields, all, bs->n };
        if (e->env->group(e->env->aux, &g, &id)) {
            ofa_put_group(e->out, id);
        } else {
            action_encode_fail(e, "there is no OpenFlow group left for %s", a->class->name);
        }
        free(all);
    }
    free(bs->b);
    str_free(&bs->bytes);
}

/* hash_fields="ip_src,ip_dst" or hash_fields=ip_src,ip_dst: the name is the current token. */
static bool
hash_fields_parse(struct action_parser *p, const char **fields)
{
    struct token *t = &p->lex.token;
    size_t at = t->start;
    if (!token_is(t, "hash_fields")) {
        return action_expected(p, "hash_fields");
    }
    lexer_next(&p->lex);
    if (!action_match(p, LEX_EQUALS, "`='")) {
        return false;
    }
    if (t->type == LEX_STRING) {
        *fields = t->s;
        lexer_next(&p->lex);
    } else {
        size_t start = t->start, end;
        do {
            end = t->end;
            if (!action_match(p, LEX_ID, "the name of a field")) {
                return false;
            }
        } while (lexer_match(&p->lex, LEX_COMMA));
        *fields = arena_strndup(p->arena, p->lex.text + start, end - start);
    }
    size_t n = strspn(*fields, "abcdefghijklmnopqrstuvwxyz0123456789_,");
    return (n && !(*fields)[n]) || action_fail(p, lexer_message(&p->lex, at, "hash_fields are names of fields with commas between them"));
}

static void
hash_fields_format(const char *fields, struct str *out)
{
    str_puts(out, "; hash_fields=");
    lex_format_string(out, fields);
}

/* ct_lb_mark(backends=10.0.0.1:80,[fd00::1]:80; hash_fields="..."; skip_snat) */
struct backend {
    struct backend *next;
    const char *lport;                 /* Where it is; NULL: not said. */
    union of_value ip;
    uint32_t port;                     /* 0: as it is. */
};
enum lb_flag { LB_NONE, LB_SKIP_SNAT, LB_FORCE_SNAT };
struct balance {
    struct backend *backends;
    bool ipv6;
    const char *hash_fields;
    enum lb_flag flag;
};

/* ["port":]address[:port] */
static bool
backend_parse(struct action_parser *p, struct balance *lb, struct backend *b)
{
    struct token *t = &p->lex.token;
    if (t->type == LEX_STRING) {
        b->lport = t->s;
        lexer_next(&p->lex);
        if (!action_match(p, LEX_COLON, "`:'")) {
            return false;
        }
    }
    bool square = lexer_match(&p->lex, LEX_LSQUARE), first = !lb->backends;
    if (t->type != LEX_INTEGER || (square ? t->format != LEX_IPV6 : t->format != LEX_IPV4 && t->format != LEX_IPV6)) {
        return action_expected(p, square ? "an IPv6 address" : "an IP address");
    } else if (!first && lb->ipv6 != (t->format == LEX_IPV6)) {
        return action_expected(p, "an address of the same family");
    }
    lb->ipv6 = t->format == LEX_IPV6;
    b->ip = t->value;
    lexer_next(&p->lex);
    if (square && !action_match(p, LEX_RSQUARE, "`]'")) {
        return false;
    }
    return (lb->ipv6 && !square) || !lexer_match(&p->lex, LEX_COLON) || action_parse_number(p, 1, UINT16_MAX, &b->port);
}

static bool
ct_lb_parse(struct action_parser *p, struct action *a)
{
    struct token *t = &p->lex.token;
    action_require(p, symbol_find("ip", 2)->expansion);
    if (!lexer_match(&p->lex, LEX_LPAREN)) {
        return true;
    }
    struct balance *lb = a->data = arena_zalloc(p->arena, sizeof *lb);
    if (!token_is(t, "backends")) {
        return action_expected(p, "backends");
    }
    lexer_next(&p->lex);
    if (!action_match(p, LEX_EQUALS, "`='")) {
        return false;
    }
    size_t n = 0;
    struct backend **tail = &lb->backends;
    do {
        struct backend *b = arena_zalloc(p->arena, sizeof *b);
        if (!backend_parse(p, lb, b)) {
            return false;
        }
        *tail = b;
        tail = &b->next;
        if (++n > MAX_ALTERNATIVES) {
            return action_fail(p, lexer_message(&p->lex, t->start, "more than %d backends", MAX_ALTERNATIVES));
        }
    } while (lexer_match(&p->lex, LEX_COMMA));
    while (lexer_match(&p->lex, LEX_SEMICOLON)) {
        if (token_is(t, "skip_snat") || token_is(t, "force_snat")) {
            lb->flag = token_is(t, "skip_snat") ? LB_SKIP_SNAT : LB_FORCE_SNAT;
            lexer_next(&p->lex);
        } else if (!token_is(t, "hash_fields")) {
            return action_expected(p, "hash_fields, skip_snat or force_snat");
        } else if (!hash_fields_parse(p, &lb->hash_fields)) {
            return false;
        }
    }
    return action_match(p, LEX_RPAREN, "`;' or `)'");
}

static void
ct_lb_format(const struct action *a, struct str *out)
{
    const struct balance *lb = a->data;
    str_puts(out, a->class->name);
    if (!lb) {
        return;
    }
    for (const struct backend *b = lb->backends; b; b = b->next) {
        str_puts(out, b == lb->backends ? "(backends=" : ",");
        if (b->lport) {
            lex_format_string(out, b->lport);
            str_putc(out, ':');
        }
        bool square = lb->ipv6 && b->port;
        str_puts(out, square ? "[" : "");
        lex_format_constant(out, lb->ipv6 ? LEX_IPV6 : LEX_IPV4, &b->ip, NULL);
        str_puts(out, square ? "]" : "");
        if (b->port) {
            str_printf(out, ":%u", b->port);
        }
    }
    if (lb->hash_fields) {
        hash_fields_format(lb->hash_fields, out);
    }
    str_puts(out, lb->flag == LB_SKIP_SNAT ? "; skip_snat)" : lb->flag == LB_FORCE_SNAT ? "; force_snat)" : ")");
}

/* What the class is: the field that remembers that the connection is balanced, and whether only backends of this hypervisor count. */
enum { LB_MARK = 1, LB_LOCAL = 2 };

static void
ct_lb_encode(const struct action *a, struct action_encoder *e)
{
    const struct balance *lb = a->data;
    enum of_field f = a->class->param & LB_MARK ? OFF_CT_MARK : OFF_CT_LABEL;
    uint8_t table;
    if (!action_next_table(e, &table)) {
        return;
    }
    if (!lb) {                         /* The translation that the connection has. */
        size_t offset = action_begin_ct(e->out, e, ZONE_DEFAULT, false, table);
        ofa_put_nat(e->out, &(struct ofa_nat) { 0 });
        ofa_end_ct(e->out, offset);
        return;
    }
    struct buckets bs = { STR_INIT };
    for (const struct backend *b = lb->backends; b; b = b->next) {
        if (a->class->param & LB_LOCAL && b->lport && !(e->env->is_chassis_resident && e->env->is_chassis_resident(e->env->aux, b->lport))) {
            continue;
        }
        struct ofa_nat nat = { .dst = true, .ipv6 = lb->ipv6, .has_addr = true, .has_port = b->port, .port_min = b->port, .port_max = b->port };
        memcpy(nat.addr_min, b->ip.b + (lb->ipv6 ? 0 : 12), lb->ipv6 ? 16 : 4);
        memcpy(nat.addr_max, nat.addr_min, sizeof nat.addr_max);
        buckets_add(&bs, DEFAULT_WEIGHT, 0);
        size_t offset = action_begin_ct(&bs.bytes, e, ZONE_DEFAULT, true, table);
        ofa_put_nat(&bs.bytes, &nat);
        ofa_put_load_u64(&bs.bytes, f, 1, 1, 1);       /* natted */
        if (lb->flag) {
            ofa_put_load_u64(&bs.bytes, f, lb->flag == LB_SKIP_SNAT ? 2 : 3, 1, 1);
        }
        ofa_end_ct(&bs.bytes, offset);
    }
    buckets_finish(&bs, a, lb->hash_fields, e);
}

/* fwd_group(liveness=true, childports="p1", "p2"): number: liveness. */
struct child {
    struct child *next;
    const char *port;
};

static bool
fwd_group_parse(struct action_parser *p, struct action *a)
{
    struct token *t = &p->lex.token;
    struct child **tail = (struct child **) &a->data;
    if (!action_match(p, LEX_LPAREN, "`('")) {
        return false;
    }
    if (token_is(t, "liveness")) {
        lexer_next(&p->lex);
        if (!action_match(p, LEX_EQUALS, "`='")) {
            return false;
        }
        bool yes = token_is(t, "true") || (t->type == LEX_STRING && !strcmp(t->s, "true"));
        if (!yes && !token_is(t, "false") && !(t->type == LEX_STRING && !strcmp(t->s, "false"))) {
            return action_expected(p, "true or false");
        }
        a->number = yes;
        lexer_next(&p->lex);
        if (!action_match(p, LEX_COMMA, "`,'")) {
            return false;
        }
    }
    if (!token_is(t, "childports")) {
        return action_expected(p, "liveness or childports");
    }
    lexer_next(&p->lex);
    if (!action_match(p, LEX_EQUALS, "`='")) {
        return false;
    }
    do {
        struct child *c = arena_zalloc(p->arena, sizeof *c);
        if (!action_parse_string(p, &c->port)) {
            return false;
        }
        *tail = c;
        tail = &c->next;
    } while (lexer_match(&p->lex, LEX_COMMA));
    return action_match(p, LEX_RPAREN, "`,' or `)'");
}

static void
fwd_group_format(const struct action *a, struct str *out)
{
    str_puts(out, a->number ? "fwd_group(liveness=true, childports=" : "fwd_group(childports=");
    for (const struct child *c = a->data; c; c = c->next) {
        str_puts(out, c == a->data ? "" : ", ");
        lex_format_string(out, c->port);
    }
    str_putc(out, ')');
}

static void
fwd_group_encode(const struct action *a, struct action_encoder *e)
{
    const struct action_env *env = e->env;
    struct buckets bs = { STR_INIT };
    for (const struct child *c = a->data; c; c = c->next) {
        uint32_t key, watch = 0;
        if (!env->lookup_port || !env->lookup_port(env->aux, c->port, &key)) {
            continue;
        }
        if (a->number && !(env->tunnel_port && env->tunnel_port(env->aux, c->port, &watch))) {
            watch = 0;                 /* Here, or not known: nothing to watch. */
        }
        buckets_add(&bs, DEFAULT_WEIGHT, watch);
        ofa_put_load_u64(&bs.bytes, LOGICAL_OUTPORT, 0, 32, key);
        ofa_put_resubmit(&bs.bytes, env->pipeline == LOGICAL_INGRESS ? env->output_table : env->save_inport_table);
    }
    buckets_finish(&bs, a, NULL, e);
}

/* What they do to an imagined packet. */

/* Connection tracking remembers where the packet wanted to go. */
static void
set_backend(struct logical_packet *p, const struct trace_backend *b)
{
    p->f[b->ipv6 ? OFF_CT_IPV6_DST : OFF_CT_NW_DST] = p->f[b->ipv6 ? OFF_IPV6_DST : OFF_IPV4_DST];
    trace_put_u64(p, OFF_CT_TP_DST, of_value_low(&p->f[transport_dst(p)]));
    p->f[b->ipv6 ? OFF_IPV6_DST : OFF_IPV4_DST] = b->ip;
    if (b->port) {
        trace_put_u64(p, transport_dst(p), b->port);
    }
}

static bool
choose_backend(const struct balance *lb, struct trace_at *at, struct trace_backend *chosen)
{
    struct trace_backend *all = NULL;
    size_t n = 0, cap = 0;
    for (const struct backend *b = lb->backends; b; b = b->next) {
        GROW(all, cap, n + 1);
        all[n++] = (struct trace_backend) { lb->ipv6, b->ip, b->port };
    }
    if (n) {
        *chosen = all[at->env->choose_backend(at, all, n)];
    }
    free(all);
    return n > 0;
}

static void
backend_comment(struct trace_at *at, const struct trace_backend *b)
{
    struct str s = STR_INIT;
    str_puts(&s, b->ipv6 && b->port ? "[" : "");
    lex_format_constant(&s, b->ipv6 ? LEX_IPV6 : LEX_IPV4, &b->ip, NULL);
    str_puts(&s, b->ipv6 && b->port ? "]" : "");
    if (b->port) {
        str_printf(&s, ":%u", b->port);
    }
    trace_note(at, "the backend is taken to be %s", str_c(&s));
    str_free(&s);
}

static bool
ct_lb_trace(const struct action *a, struct trace_at *at)
{
    const struct balance *lb = a->data;
    struct trace_backend b;
    bool assumed, chosen = lb ? choose_backend(lb, at, &b) : at->env->established_backend(at, &b);
    uint32_t translated = of_value_low(&at->packet->f[OFF_CT_STATE]) & (CT_SNAT | CT_DNAT);
    uint32_t state = at->env->ct_state(at, &assumed) | translated;
    if (chosen) {
        backend_comment(at, &b);
    }
    struct trace_at *copy = trace_enter(at, "%s%s", a->class->name, assumed ? " /* default (use --ct to customize) */" : "");
    trace_put_u64(copy->packet, OFF_CT_STATE, state | (chosen ? CT_DNAT : 0));
    if (chosen) {
        set_backend(copy->packet, &b);
    }
    if (lb) {
        enum of_field f = a->class->param & LB_MARK ? OFF_CT_MARK : OFF_CT_LABEL;
        uint64_t mark = of_value_low(&copy->packet->f[f]) | 2 | (lb->flag == LB_SKIP_SNAT ? 4 : lb->flag == LB_FORCE_SNAT ? 8 : 0);
        trace_put_u64(copy->packet, f, mark);
    }
    trace_next(copy);
    trace_leave(copy);
    return true;
}

/* Any child will do: the first. */
static bool
fwd_group_trace(const struct action *a, struct trace_at *at)
{
    for (const struct child *c = a->data; c; c = c->next) {
        uint32_t key;
        if (at->env->lookup_port(at, c->port, &key)) {
            struct trace_at *copy = trace_enter(at, "fwd_group /* child port \"%s\" */", c->port);
            trace_put_u64(copy->packet, LOGICAL_OUTPORT, key);
            at->env->output(copy);
            trace_leave(copy);
            return true;
        }
    }
    trace_comment(at, "none of the child ports is there");
    return true;
}

static const struct action_class statements[] = {
    { .name = "ct_lb", .parse = ct_lb_parse, .format = ct_lb_format, .encode = ct_lb_encode, .trace = ct_lb_trace, .param = 0 },
    { .name = "ct_lb_mark", .parse = ct_lb_parse, .format = ct_lb_format, .encode = ct_lb_encode, .trace = ct_lb_trace, .param = LB_MARK },
    { .name = "ct_lb_mark_local", .parse = ct_lb_parse, .format = ct_lb_format, .encode = ct_lb_encode, .trace = ct_lb_trace, .param = LB_MARK | LB_LOCAL },
    { .name = "fwd_group", .parse = fwd_group_parse, .format = fwd_group_format, .encode = fwd_group_encode, .trace = fwd_group_trace },
};
const struct action_family action_family_group = { statements, ARRAY_SIZE(statements), false };

/* R = select(1=20, 2=30), R = select(values=(1=20, 2=30); hash_fields="ip_src") */
struct choice {
    struct choice *next;
    uint32_t value, weight;
};
struct selection {
    struct choice *choices;
    const char *hash_fields;
};

static bool
choices_parse(struct action_parser *p, struct action *a, struct selection *s)
{
    uint32_t max = a->dst.sf.n_bits >= 16 ? UINT16_MAX : (1u << a->dst.sf.n_bits) - 1;
    struct choice **tail = &s->choices;
    size_t n = 0;
    do {
        struct choice *c = arena_zalloc(p->arena, sizeof *c);
        c->weight = DEFAULT_WEIGHT;
        if (!action_parse_number(p, 0, max, &c->value)
            || (lexer_match(&p->lex, LEX_EQUALS) && !action_parse_number(p, 1, UINT16_MAX, &c->weight))) {
            return false;
        }
        *tail = c;
        tail = &c->next;
        if (++n > MAX_ALTERNATIVES) {
            return action_fail(p, lexer_message(&p->lex, p->lex.token.start, "more than %d values", MAX_ALTERNATIVES));
        }
    } while (lexer_match(&p->lex, LEX_COMMA));
    return n > 1 || action_expected(p, "`,' and a second value");
}

static bool
select_parse(struct action_parser *p, struct action *a)
{
    struct selection *s = a->data = arena_zalloc(p->arena, sizeof *s);
    if (!action_match(p, LEX_LPAREN, "`('")) {
        return false;
    }
    if (!token_is(&p->lex.token, "values")) {
        return choices_parse(p, a, s) && action_match(p, LEX_RPAREN, "`,' or `)'");
    }
    lexer_next(&p->lex);
    return action_match(p, LEX_EQUALS, "`='") && action_match(p, LEX_LPAREN, "`('") && choices_parse(p, a, s) && action_match(p, LEX_RPAREN, "`,' or `)'")
           && (!lexer_match(&p->lex, LEX_SEMICOLON) || hash_fields_parse(p, &s->hash_fields)) && action_match(p, LEX_RPAREN, "`)'");
}

static void
select_format(const struct action *a, struct str *out)
{
    const struct selection *s = a->data;
    str_puts(out, s->hash_fields ? "select(values=(" : "select(");
    for (const struct choice *c = s->choices; c; c = c->next) {
        str_printf(out, "%s%u=%u", c == s->choices ? "" : ", ", c->value, c->weight);
    }
    if (s->hash_fields) {
        str_putc(out, ')');
        hash_fields_format(s->hash_fields, out);
    }
    str_putc(out, ')');
}

static void
select_encode(const struct action *a, struct action_encoder *e)
{
    const struct selection *s = a->data;
    struct buckets bs = { STR_INIT };
    uint8_t table;
    if (!action_next_table(e, &table)) {
        return;
    }
    for (const struct choice *c = s->choices; c; c = c->next) {
        union of_value v = of_value_u64(c->value);
        buckets_add(&bs, c->weight, 0);
        ofa_put_load(&bs.bytes, a->dst.sf, &v);
        ofa_put_resubmit(&bs.bytes, table);
    }
    buckets_finish(&bs, a, s->hash_fields, e);
}

static bool
select_trace(const struct action *a, struct trace_at *at)
{
    const struct selection *s = a->data;
    uint32_t *numbers = NULL, *weights = NULL;
    size_t n = 0, caps[2] = { 0, 0 };
    for (const struct choice *c = s->choices; c; c = c->next, n++) {
        GROW(numbers, caps[0], n + 1);
        GROW(weights, caps[1], n + 1);
        numbers[n] = c->value;
        weights[n] = c->weight;
    }
    uint32_t chosen = numbers[at->env->choose_number(at, numbers, weights, n)];
    free(numbers);
    free(weights);
    struct str name = STR_INIT;
    field_format(&a->dst, &name);
    struct trace_at *copy = trace_enter(at, "select: %s = %u", str_c(&name), chosen);
    str_free(&name);
    trace_set_u64(copy, a->dst.sf, chosen);
    trace_next(copy);
    trace_leave(copy);
    return false;
}

static const struct action_class functions[] = {
    { .name = "select", .parse = select_parse, .format = select_format, .encode = select_encode, .trace = select_trace, .result_bits = ACTION_NUMBER },
};
const struct action_family action_family_group_result = { functions, ARRAY_SIZE(functions), true };

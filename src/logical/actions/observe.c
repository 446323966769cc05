/* What others get to see of a packet: sample, mirror, trigger_event; and what limits it: set_meter. */
#include <arpa/inet.h>

#include "logical/actions/trace.h"

/* sample(probability=N, collector_set=N, obs_domain=N, obs_point=N or @cookie or a field) */
struct sample {
    uint32_t probability, collector_set, obs_domain, obs_point;
    bool cookie;
    bool from_field;                   /* The point is args[0]. */
};

static bool
sample_argument_parse(struct action_parser *p, struct action *a, struct sample *s)
{
    struct token key;
    if (!action_parse_key(p, &key, "probability, collector_set, obs_domain or obs_point")) {
        return false;
    } else if (token_is(&key, "probability")) {
        return action_parse_number(p, 1, UINT16_MAX, &s->probability);
    } else if (token_is(&key, "collector_set")) {
        return action_parse_number(p, 0, UINT32_MAX, &s->collector_set);
    } else if (token_is(&key, "obs_domain")) {
        return action_parse_number(p, 0, UINT8_MAX, &s->obs_domain);
    } else if (!token_is(&key, "obs_point")) {
        return action_fail(p, lexer_message(&p->lex, key.start, "sample has the arguments probability, collector_set, obs_domain and obs_point"));
    }
    const struct token *t = &p->lex.token;
    s->cookie = s->from_field = false;
    if (t->type == LEX_PORT_GROUP && t->n == 6 && !memcmp(t->s, "cookie", 6)) {
        s->cookie = true;
        lexer_next(&p->lex);
        return true;
    } else if (t->type == LEX_ID) {
        size_t at = t->start;
        s->from_field = true;
        return action_parse_field(p, &a->args[0])
               && (a->args[0].sf.n_bits == 32 || action_fail(p, lexer_message(&p->lex, at, "obs_point needs a field of 32 bits")));
    }
    return action_parse_number(p, 0, UINT32_MAX, &s->obs_point);
}

static bool
sample_parse(struct action_parser *p, struct action *a)
{
    struct sample *s = a->data = arena_zalloc(p->arena, sizeof *s);
    size_t at = p->lex.token.start;
    if (!action_match(p, LEX_LPAREN, "`('")) {
        return false;
    }
    do {
        if (!sample_argument_parse(p, a, s)) {
            return false;
        }
    } while (lexer_match(&p->lex, LEX_COMMA));
    return action_match(p, LEX_RPAREN, "`,' or `)'") && (s->probability || action_fail(p, lexer_message(&p->lex, at, "sample needs a probability")));
}

static void
sample_format(const struct action *a, struct str *out)
{
    const struct sample *s = a->data;
    str_printf(out, "sample(probability=%u, collector_set=%u, obs_domain=%u, obs_point=", s->probability, s->collector_set, s->obs_domain);
    if (s->cookie) {
        str_puts(out, "@cookie");
    } else if (s->from_field) {
        field_format(&a->args[0], out);
    } else {
        str_printf(out, "%u", s->obs_point);
    }
    str_putc(out, ')');
}

static void
sample_encode(const struct action *a, struct action_encoder *e)
{
    const struct sample *s = a->data;
    uint32_t dp;
    if (s->from_field) {
        action_encode_fail(e, "this switch cannot sample with an observation point from a field");
    } else if (!e->env->datapath_key || !e->env->datapath_key(e->env->aux, &dp)) {
        action_encode_fail(e, "sample needs one datapath");
    } else {
        ofa_put_sample(e->out, s->probability, s->collector_set, s->obs_domain << 24 | (dp & 0xffffff), s->cookie ? e->env->cookie : s->obs_point);
    }
}

/* mirror("port"): a copy goes to that port. */
static bool
mirror_parse(struct action_parser *p, struct action *a)
{
    const char *port;
    bool ok = action_match(p, LEX_LPAREN, "`('") && action_parse_string(p, &port) && action_match(p, LEX_RPAREN, "`)'");
    a->data = ok ? (char *) port : NULL;
    return ok;
}

static void
mirror_format(const struct action *a, struct str *out)
{
    str_puts(out, "mirror(");
    lex_format_string(out, a->data);
    str_putc(out, ')');
}

static void
mirror_encode(const struct action *a, struct action_encoder *e)
{
    uint32_t key;
    if (e->env->lookup_port && e->env->lookup_port(e->env->aux, a->data, &key)) {
        size_t offset = ofa_begin_clone(e->out);
        ofa_put_load_u64(e->out, LOGICAL_OUTPORT, 0, 32, key);
        ofa_put_load_u64(e->out, LOGICAL_FLAGS, MLF_ALLOW_LOOPBACK, 1, 1);
        ofa_put_resubmit(e->out, e->env->output_table);
        ofa_end_clone(e->out, offset);
    }
}

/* trigger_event(event = "empty_lb_backends", meter = "...", vip = "...", protocol = "...", load_balancer = "..."); number: the event. */
static const char *const events[] = { [OPCODE_EVENT_EMPTY_LB_BACKENDS] = "empty_lb_backends" };
static const char *const event_keys[] = { "vip", "protocol", "load_balancer" };
struct event {
    const char *meter, *values[ARRAY_SIZE(event_keys)];
};

static bool
event_argument_parse(struct action_parser *p, struct event *x)
{
    struct token key;
    if (!action_parse_key(p, &key, "meter, vip, protocol or load_balancer")) {
        return false;
    } else if (token_is(&key, "meter")) {
        return action_parse_string(p, &x->meter);
    }
    for (size_t i = 0; i < ARRAY_SIZE(event_keys); i++) {
        if (token_is(&key, event_keys[i])) {
            return action_parse_string(p, &x->values[i]);
        }
    }
    return action_fail(p, lexer_message(&p->lex, key.start, "the event has the arguments meter, vip, protocol and load_balancer"));
}

static bool
event_parse(struct action_parser *p, struct action *a)
{
    struct event *x = a->data = arena_zalloc(p->arena, sizeof *x);
    struct token key;
    const char *name;
    if (!action_match(p, LEX_LPAREN, "`('")) {
        return false;
    }
    size_t at = p->lex.token.start;
    if (!action_parse_key(p, &key, "event") || !token_is(&key, "event")) {
        return action_fail(p, lexer_message(&p->lex, at, "event is expected first"));
    }
    at = p->lex.token.start;
    if (!action_parse_string(p, &name)) {
        return false;
    }
    while (a->number < ARRAY_SIZE(events) && strcmp(events[a->number], name)) {
        a->number++;
    }
    if (a->number == ARRAY_SIZE(events)) {
        return action_fail(p, lexer_message(&p->lex, at, "there is no event of the name \"%s\"", name));
    }
    while (lexer_match(&p->lex, LEX_COMMA)) {
        if (!event_argument_parse(p, x)) {
            return false;
        }
    }
    return action_match(p, LEX_RPAREN, "`,' or `)'");
}

static void
event_format(const struct action *a, struct str *out)
{
    const struct event *x = a->data;
    str_printf(out, "trigger_event(event = \"%s\"", events[a->number]);
    if (x->meter) {
        str_puts(out, ", meter = ");
        lex_format_string(out, x->meter);
    }
    for (size_t i = 0; i < ARRAY_SIZE(event_keys); i++) {
        if (x->values[i]) {
            str_printf(out, ", %s = ", event_keys[i]);
            lex_format_string(out, x->values[i]);
        }
    }
    str_putc(out, ')');
}

static void
event_encode(const struct action *a, struct action_encoder *e)
{
    const struct event *x = a->data;
    struct str data = STR_INIT;
    uint16_t head[2] = { htons(a->number) };
    str_put(&data, head, 2);
    for (size_t i = 0; i < ARRAY_SIZE(event_keys); i++) {
        if (x->values[i]) {
            head[0] = htons(i);
            head[1] = htons(strlen(x->values[i]));
            str_put(&data, head, sizeof head);
            str_puts(&data, x->values[i]);
        }
    }
    action_put_metered(e, x->meter, OPCODE_TRIGGER_EVENT, data.s, data.len);
    str_free(&data);
}

/* set_meter(rate); set_meter(rate, burst); in kbps and kbit; number: rate. */
static bool
set_meter_parse(struct action_parser *p, struct action *a)
{
    uint32_t *burst = a->data = arena_zalloc(p->arena, sizeof *burst);
    return action_match(p, LEX_LPAREN, "`('") && action_parse_number(p, 0, UINT32_MAX, &a->number)
           && (!lexer_match(&p->lex, LEX_COMMA) || action_parse_number(p, 0, UINT32_MAX, burst)) && action_match(p, LEX_RPAREN, "`,' or `)'");
}

static void
set_meter_format(const struct action *a, struct str *out)
{
    const uint32_t *burst = a->data;
    str_printf(out, *burst ? "set_meter(%u, %u)" : "set_meter(%u)", a->number, *burst);
}

static void
set_meter_encode(const struct action *a, struct action_encoder *e)
{
    const uint32_t *burst = a->data;
    uint32_t id;
    if (!e->env->rate_meter) {
        action_encode_fail(e, "set_meter is not supported here");
    } else if (!e->env->rate_meter(e->env->aux, a->number, *burst, &id)) {
        action_encode_fail(e, "there is no OpenFlow meter left for set_meter");
    } else {
        ofa_put_meter(e->out, id);
    }
}

static bool
mirror_trace(const struct action *a, struct trace_at *at)
{
    uint32_t key;
    if (at->env->lookup_port(at, a->data, &key)) {
        struct trace_at *copy = trace_enter(at, "mirror");
        trace_put_u64(copy->packet, LOGICAL_OUTPORT, key);
        trace_set_u64(copy, flag_bit(MLF_ALLOW_LOOPBACK), 1);
        at->env->output(copy);
        trace_leave(copy);
    }
    return true;
}

static const struct action_class statements[] = {
    { .name = "sample", .parse = sample_parse, .format = sample_format, .encode = sample_encode, .trace = trace_nothing },
    { .name = "mirror", .parse = mirror_parse, .format = mirror_format, .encode = mirror_encode, .trace = mirror_trace },
    { .name = "trigger_event", .parse = event_parse, .format = event_format, .encode = event_encode, .trace = trace_nothing },
    { .name = "set_meter", .parse = set_meter_parse, .format = set_meter_format, .encode = set_meter_encode, .trace = trace_nothing },
};
const struct action_family action_family_observe = { statements, ARRAY_SIZE(statements), false };

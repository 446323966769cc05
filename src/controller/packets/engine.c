/* engine.c - one packet-in: what it asks for (the userdata of the controller action, logical/opcode.h), and who does that.
 *
 * No thread, no socket: what comes out goes through the callbacks of struct engine, so that all of it is tested by calling it.
 *
 * Packets come from virtual machines and are not trusted: a handler sees parsed headers only, and refuses what it does not understand. The
 * userdata are our own flows' (or, for a moment after an upgrade, our predecessor's). */
#include <stdlib.h>

#include "base/log.h"
#include "controller/packets/packets.h"
#include "openflow/action.h"

LOG_MODULE(packets);
METRIC(packet_malformed)               /* No Ethernet frame, from a group address, or no operation. */
METRIC(packet_unknown)                 /* An operation that we do not have. */
METRIC(packet_refused)                 /* Nothing to be made of it, or learnt from it. */
METRIC(packet_learn_repeated)          /* Learnt a moment ago. */
METRIC(packet_learn_limited)           /* Too much from one port. */
METRIC(packet_learn_dropped)           /* No room on the way to the main thread. */
/* packet_NAME for each handler: packets it served. */
#define COMPOSE(OPCODE, NAME) METRIC(packet_##NAME)
#define LEARN(OPCODE, NAME) METRIC(packet_##NAME)
#include "controller/packets/handlers.def"
#undef COMPOSE
#undef LEARN

struct handler {
    punt_composer *compose;
    punt_learner *learn;
    struct metric *served;
};
static const struct handler handlers[] = {
#define COMPOSE(OPCODE, NAME) [OPCODE_##OPCODE] = { .compose = NAME##_compose, .served = &metric_packet_##NAME },
#define LEARN(OPCODE, NAME) [OPCODE_##OPCODE] = { .learn = NAME##_learn, .served = &metric_packet_##NAME },
#include "controller/packets/handlers.def"
#undef COMPOSE
#undef LEARN
};

void
engine_init(struct engine *e)
{
    *e = (struct engine) { .filter = learn_filter_create() };
}

void
engine_destroy(struct engine *e)
{
    learn_filter_destroy(e->filter);
    str_free(&e->packet);
    str_free(&e->actions);
}

uint64_t
punt_field(const struct punt *p, enum of_field field)
{
    const struct of_term *t = of_match_get(p->metadata, field);

    return t ? of_value_low(&t->value) : 0;
}

/* The new packet continues with what the pipeline knew of the old one. */
static void
put_metadata(struct str *actions, const struct of_match *metadata)
{
    for (size_t i = 0; i < metadata->n; i++) {
        enum of_field f = metadata->terms[i].field;
        if (f == OFF_METADATA || f == OFF_PKT_MARK || (f >= OFF_REG0 && f <= OFF_REG15)) {
            ofa_put_load_u64(actions, f, 0, of_field_info(f)->n_bits, of_value_low(&metadata->terms[i].value));
        }
    }
}

static bool
compose(struct engine *e, const struct handler *h, const struct punt *p)
{
    str_clear(&e->packet);
    str_clear(&e->actions);
    if (p->data_len % 8 || !h->compose(p, &e->packet)) {
        return false;
    }
    put_metadata(&e->actions, p->metadata);
    str_put(&e->actions, p->data, p->data_len);
    e->send(e->aux, e->packet.s, e->packet.len, e->actions.s, e->actions.len);
    return true;
}

static bool
learn(struct engine *e, const struct handler *h, const struct punt *p, int64_t now)
{
    struct learnt l;

    memset(&l, 0, sizeof l);           /* Padding too. */
    if (!h->learn(p, &l)) {
        return false;
    }
    switch (learn_filter_judge(e->filter, &l, now)) {
    case LEARN_NEW:
        if (!e->learnt(e->aux, &l)) {
            METRIC_INC(packet_learn_dropped);
            learn_filter_forget(e->filter, &l);
        }
        break;
    case LEARN_REPEATED:
        METRIC_INC(packet_learn_repeated);
        break;
    case LEARN_LIMITED:
        METRIC_INC(packet_learn_limited);
        break;
    }
    return true;
}

/* Nobody serves it. A packet that waits for an answer goes on without one. */
static void
handle_unknown(struct engine *e, const struct of_packet_in *in, unsigned opcode)
{
    METRIC_INC(packet_unknown);
    if (!(e->warned & UINT64_C(1) << MIN(opcode, 63u))) {
        e->warned |= UINT64_C(1) << MIN(opcode, 63u);
        LOG_WARN("a packet asks for operation %u, which is not supported: it and others like it are %s", opcode,
                 in->continuation ? "continued without an answer" : "dropped");
    }
    if (in->continuation) {
        e->resume(e->aux, in);
    }
}

void
engine_handle(struct engine *e, const struct of_packet_in *in, int64_t now)
{
    struct opcode_header header;
    struct punt p = { .metadata = &in->metadata };

    if (in->userdata_len < sizeof header) {
        METRIC_INC(packet_malformed);
        return;
    }
    memcpy(&header, in->userdata, sizeof header);
    p.opcode = header.opcode;
    p.data = (const uint8_t *) in->userdata + sizeof header;
    p.data_len = in->userdata_len - sizeof header;
    const struct handler *h = p.opcode < ARRAY_SIZE(handlers) ? &handlers[p.opcode] : NULL;
    if (!h || !h->served) {
        handle_unknown(e, in, header.opcode);
    } else if (!eth_parse(in->packet, in->packet_len, &p.eth) || eth_addr_is_multicast(p.eth.src)) {
        METRIC_INC(packet_malformed);
    } else if (h->compose ? compose(e, h, &p) : learn(e, h, &p, now)) {
        metric_add(h->served, 1);
    } else {
        METRIC_INC(packet_refused);
    }
}

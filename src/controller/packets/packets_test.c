/* packets_test.c - packet in, packet out: handlers through the engine, against bytes made elsewhere (net/test_packets.h); the learning filter; the channel between threads. */
#include "base/test.h"

#include <pthread.h>

#include "base/clock.h"
#include "controller/packets/packets.h"
#include "logical/symbols.h"
#include "net/test_packets.h"
#include "openflow/action.h"

static struct engine e;
static struct of_match metadata;
static struct str out, out_actions;
static size_t n_out, n_resumed, n_learnt;
static struct learnt last;
static bool full;
static int64_t now = 1000000;

static void
on_send(void *aux, const void *packet, size_t n, const void *actions, size_t actions_len)
{
    str_clear(&out);
    str_clear(&out_actions);
    str_put(&out, packet, n);
    str_put(&out_actions, actions, actions_len);
    n_out++;
}

static void
on_resume(void *aux, const struct of_packet_in *in)
{
    n_resumed++;
}

static bool
on_learnt(void *aux, const struct learnt *l)
{
    if (!full) {
        memcpy(&last, l, sizeof last);
        n_learnt++;
    }
    return !full;
}

static int
setup(void **state)
{
    engine_init(&e);
    e.send = on_send;
    e.resume = on_resume;
    e.learnt = on_learnt;
    n_out = n_resumed = n_learnt = 0;
    full = false;
    metadata = (struct of_match) OF_MATCH_INIT;
    return 0;
}

static int
teardown(void **state)
{
    engine_destroy(&e);
    of_match_destroy(&metadata);
    str_free(&out);
    str_free(&out_actions);
    return 0;
}

/* A packet-in of PACKET for OPCODE with DATA. */
static void
handle_bytes(unsigned opcode, const void *packet, size_t n, const void *data, size_t data_len, bool paused)
{
    struct opcode_header header = { .opcode = opcode };
    struct str userdata = STR_INIT;

    str_put(&userdata, &header, sizeof header);
    str_put(&userdata, data, data_len);
    struct of_packet_in in = { .packet = packet, .packet_len = n, .userdata = userdata.s, .userdata_len = userdata.len, .metadata = metadata,
                               .continuation = paused ? "x" : NULL, .continuation_len = paused };
    engine_handle(&e, &in, now);
    str_free(&userdata);
}

static void
handle(unsigned opcode, const char *hex)
{
    struct str s = t_bytes(hex), nested = STR_INIT;

    ofa_put_resubmit(&nested, 42);
    handle_bytes(opcode, s.s, s.len, nested.s, nested.len, false);
    str_free(&s);
    str_free(&nested);
}

static void
add_field(enum of_field f, uint64_t value)
{
    assert_true(of_match_add_u64(&metadata, f, value));
}

static void
test_compose(void **state)
{
    static const struct {
        enum opcode opcode;
        const char *in, *out;          /* NULL: none. */
    } cases[] = {
        { OPCODE_ND_NA, T_NS, T_NA_TO_NS },
        { OPCODE_ND_NA_ROUTER, T_NS, T_NA_ROUTER_TO_NS },
        { OPCODE_ND_NA, T_NS_DAD, T_NA_TO_DAD },
        { OPCODE_ND_NA, T_NA, NULL },
        { OPCODE_ND_NA, T_UDP6, NULL },
        { OPCODE_ND_NA, T_UDP4, NULL },
        { OPCODE_ND_NS, T_UDP6, T_UDP6_ND_NS },
        { OPCODE_ND_NS, T_UDP4, NULL },
        { OPCODE_ARP, T_UDP4, T_UDP4_ARP },
        { OPCODE_ARP, T_UDP6, NULL },
        { OPCODE_ARP, T_UDP4_ARP, NULL },
        { OPCODE_ICMP, T_UDP4, T_UDP4_ICMP },
        { OPCODE_ICMP_ERROR, T_UDP4, T_UDP4_ICMP },
        { OPCODE_ICMP, T_UDP4_REJECT, NULL },
        { OPCODE_REJECT, T_UDP4, T_UDP4_REJECT },
        { OPCODE_REJECT, T_UDP6, T_UDP6_REJECT },
        { OPCODE_REJECT, T_UDP6_REJECT, NULL },
        { OPCODE_REJECT, T_SYN, T_SYN_REJECT },
        { OPCODE_REJECT, T_SYN_REJECT, NULL },
        { OPCODE_REJECT, T_UDP4_ARP, NULL },
        { OPCODE_TCP_RESET, T_ACK6, T_ACK6_RESET },
        { OPCODE_TCP_RESET, T_UDP6, NULL },
    };

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        size_t before = n_out;
        handle(cases[i].opcode, cases[i].in);
        assert_int_equal(n_out - before, cases[i].out != NULL);
        if (cases[i].out) {
            struct str s = t_bytes(cases[i].out);
            assert_int_equal(out.len, s.len);
            assert_memory_equal(out.s, s.s, s.len);
            str_free(&s);
        }
    }
}

/* What the new packet begins with: metadata (tags too), registers and mark of the old one, and then the nested actions. */
static void
test_actions(void **state)
{
    struct str text = STR_INIT;

    add_field(OFF_METADATA, 0x8000000000000005);
    add_field(OFF_REG14, 7);
    add_field(OFF_REG0, 1);
    add_field(OFF_PKT_MARK, 3);
    add_field(OFF_IN_PORT, 9);
    add_field(OFF_TUN_ID, 4);
    handle(OPCODE_ND_NA, T_NS);
    ofa_format(out_actions.s, out_actions.len, &text);
    assert_string_equal(str_c(&text), "set_field:0x8000000000000005->metadata,set_field:0x3->pkt_mark,set_field:0x1->reg0,set_field:0x7->reg14,resubmit(,42)");
    str_free(&text);
}

/* Cut-off packets and bent operations do nothing. */
static void
test_bent(void **state)
{
    static const char *const all[] = { T_NS, T_UDP4, T_UDP6, T_SYN, T_ACK6, T_UDP4_ARP };

    for (size_t i = 0; i < ARRAY_SIZE(all); i++) {
        struct str s = t_bytes(all[i]);
        for (size_t n = 0; n < s.len; n++) {
            void *exact = xmemdup(s.s, n);
            for (unsigned opcode = OPCODE_ARP; opcode <= OPCODE_REJECT; opcode++) {
                handle_bytes(opcode, exact, n, NULL, 0, false);
            }
            free(exact);
        }
        handle_bytes(OPCODE_ND_NA, s.s, s.len, "1234567", 7, false);
        str_free(&s);
    }
    struct of_packet_in none = { .packet = "x", .packet_len = 1 };
    engine_handle(&e, &none, now);
    assert_int_equal(n_out, 0);
}

static void
test_unknown(void **state)
{
    struct str s = t_bytes(T_NS);

    handle_bytes(OPCODE_DNS_LOOKUP, s.s, s.len, NULL, 0, true);
    assert_int_equal(n_resumed, 1);    /* The packet goes on, without an answer. */
    handle_bytes(OPCODE_DNS_LOOKUP, s.s, s.len, NULL, 0, false);
    handle_bytes(OPCODE_NONE, s.s, s.len, NULL, 0, false);
    handle_bytes(255, s.s, s.len, NULL, 0, false);
    assert_int_equal(n_resumed, 1);
    assert_int_equal(n_out, 0);
    str_free(&s);
}

static void
test_learn(void **state)
{
    handle(OPCODE_PUT_FDB, T_UDP4);    /* From nowhere. */
    assert_int_equal(n_learnt, 0);
    add_field(OFF_METADATA, 0x8000000000000005);
    add_field(LOGICAL_INPORT, 7);
    add_field(OFF_REG0, 0x0a000009);
    handle(OPCODE_PUT_FDB, T_UDP4);
    assert_int_equal(n_learnt, 1);
    assert_true(last.kind == LEARNT_FDB && last.dp_key == 5 && last.port_key == 7 && last.mac.b[5] == 1);
    handle(OPCODE_PUT_FDB, T_UDP4);    /* Again, at once. */
    assert_int_equal(n_learnt, 1);
    now += 1001;
    full = true;                       /* No room now; then there is. */
    handle(OPCODE_PUT_FDB, T_UDP4);
    full = false;
    handle(OPCODE_PUT_FDB, T_UDP4);
    assert_int_equal(n_learnt, 2);

    handle(OPCODE_PUT_ARP, T_UDP4_ARP);
    assert_int_equal(n_learnt, 3);
    assert_true(last.kind == LEARNT_NEIGHBOUR && !last.ip.v6 && ntohl(last.ip.v4_addr.s_addr) == 0x0a000009);
    add_field(OFF_REG0 + 3, 2);
    handle(OPCODE_PUT_ND, T_NA);
    assert_int_equal(n_learnt, 4);
    assert_true(last.ip.v6 && last.ip.v6_addr.s6_addr[0] == 10 && last.ip.v6_addr.s6_addr[15] == 2 && last.mac.b[5] == 2);
    struct str s = t_bytes(T_UDP4);
    s.s[6] |= 1;                       /* A group is nobody's address. */
    handle_bytes(OPCODE_PUT_FDB, s.s, s.len, NULL, 0, false);
    assert_int_equal(n_learnt, 4);
    str_free(&s);
}

/* Made-up addresses: of one port only so many; another port still learns; later this one does again. */
static void
test_flood(void **state)
{
    struct learn_filter *f = learn_filter_create();
    struct learnt l;
    size_t n = 0;

    memset(&l, 0, sizeof l);
    l.kind = LEARNT_FDB;
    l.dp_key = 1;
    l.port_key = 1;
    for (unsigned i = 0; i < 10000; i++) {
        l.mac.b[4] = i >> 8;
        l.mac.b[5] = i;
        n += learn_filter_judge(f, &l, now) == LEARN_NEW;
    }
    assert_true(n >= 100 && n <= 200);
    l.port_key = 2;
    assert_int_equal(learn_filter_judge(f, &l, now), LEARN_NEW);
    assert_int_equal(learn_filter_judge(f, &l, now), LEARN_REPEATED);
    l.port_key = 1;
    assert_int_equal(learn_filter_judge(f, &l, now), LEARN_LIMITED);
    assert_int_equal(learn_filter_judge(f, &l, now + 1000), LEARN_NEW);
    learn_filter_destroy(f);
}

/* ---- the channel ---- */

enum { N_MESSAGES = 20000, CAPACITY = 64 };
static struct channel *channel;
static struct loop *loop;
static uint64_t n_received;
static unsigned n_full;

static void *
send_all(void *aux)
{
    for (uint64_t i = 0; i < N_MESSAGES; i++) {
        while (!channel_send(channel, &i)) {
            __atomic_add_fetch(&n_full, 1, __ATOMIC_RELAXED);
            sched_yield();
        }
    }
    return NULL;
}

static void
on_message(void *aux, const void *message)
{
    uint64_t i;

    memcpy(&i, message, sizeof i);
    assert_true(i == n_received);
    n_received++;
}

static void
test_channel(void **state)
{
    int64_t end = clock_msec() + 20000;
    pthread_t thread;

    loop = loop_create();
    channel = channel_create(loop, sizeof(uint64_t), CAPACITY, on_message, NULL);
    for (uint64_t i = 0; i < CAPACITY; i++) {
        assert_true(channel_send(channel, &i));
    }
    assert_false(channel_send(channel, &(uint64_t) { 0 }));
    loop_once(loop, 0);
    loop_once(loop, 0);
    assert_int_equal(n_received, CAPACITY);
    n_received = 0;
    assert_int_equal(pthread_create(&thread, NULL, send_all, NULL), 0);
    while (n_received < N_MESSAGES && clock_msec() < end) {
        loop_once(loop, 1000);
    }
    pthread_join(thread, NULL);
    assert_int_equal(n_received, N_MESSAGES);
    channel_destroy(channel);
    loop_destroy(loop);
}

#define TEST(F) cmocka_unit_test_setup_teardown(F, setup, teardown)
int
main(void)
{
    const struct CMUnitTest tests[] = { TEST(test_compose), TEST(test_actions), TEST(test_bent), TEST(test_unknown), TEST(test_learn), TEST(test_flood),
                                        cmocka_unit_test(test_channel) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

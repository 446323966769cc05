/* flows_test.c - the flow table against a model: random wishes, a switch that sometimes fails or refuses, reconnects. */
#include "base/test.h"

#include "base/clock.h"
#include "openflow/action.h"
#include "openflow/flows_private.h"

enum { N_KEYS = 40, N_CONTENTS = 4 };

/* The match of key K: its register number and value. */
struct content {
    struct str match, actions;
    struct of_flow_spec spec;
};

static void
content_init(struct content *c, unsigned key, unsigned content)
{
    struct of_match m = OF_MATCH_INIT;

    *c = (struct content) { STR_INIT, STR_INIT, { 0 } };
    assert_true(of_match_add_u64(&m, OFF_REG0 + key % 4, key));
    of_match_put_oxm(&m, &c->match);
    of_match_destroy(&m);
    if (content & 2) {
        ofa_put_resubmit(&c->actions, content);
    } else {
        ofa_put_conjunction(&c->actions, content + 1, content & 1, 2);
    }
    c->spec = (struct of_flow_spec) { key % 3, 100 + key % 2, content, c->match.s, c->match.len, c->actions.s, c->actions.len };
}

static void
content_destroy(struct content *c)
{
    str_free(&c->match);
    str_free(&c->actions);
}

static struct content all[N_KEYS][N_CONTENTS];

/* A switch: what it has for each key, as a content hash; 0: nothing. */
static uint64_t has[N_KEYS];

static unsigned
key_index(const struct of_flow_key *k)
{
    for (unsigned i = 0; i < N_KEYS; i++) {
        const struct of_flow_spec *s = &all[i][0].spec;
        if (s->table == k->table && s->priority == k->priority && s->match_len == k->match_len && !memcmp(s->match, k->match, k->match_len)) {
            return i;
        }
    }
    fail();
    return 0;
}

/* What must be installed for a key with these wishes: conjunctions (contents 0 and 1) together, unless there is another. */
static uint64_t
expected(const unsigned *refs, const bool *refused)
{
    struct str both = STR_INIT;
    uint64_t hash = 0, cookie = UINT64_MAX;

    for (unsigned c = 2; c < N_CONTENTS; c++) {
        if (refs[c] && !refused[c]) {
            return of_content_hash(c, all[0][c].actions.s, all[0][c].actions.len);
        }
    }
    for (unsigned c = 0; c < 2; c++) {
        if (refs[c] && !refused[c]) {
            str_put(&both, all[0][c].actions.s, all[0][c].actions.len);
            cookie = MIN(cookie, c);
        }
    }
    if (both.len) {
        hash = of_content_hash(cookie, both.s, both.len);
    }
    str_free(&both);
    return hash;
}

/* Sends all differences to the model switch. */
static void
sync(struct of_flows *f)
{
    struct of_change c;
    bool deleting = false;

    while (of_flows_take(f, &c)) {
        unsigned i = key_index(&c.key);
        assert_int_equal(c.before.present, has[i] != 0);
        assert_true(!has[i] || has[i] == c.before.content);
        assert_true(!deleting || !c.add);
        deleting |= !c.add;
        if (rand() % 8 == 0) {                 /* Failed. */
            unsigned char match[64];
            memcpy(match, c.key.match, c.key.match_len);
            c.key.match = match;
            of_flows_revert(f, &c.key, c.before);
            deleting = false;
        } else {
            has[i] = c.add ? of_content_hash(c.cookie, c.actions, c.actions_len) : 0;
            assert_true(c.after.content == has[i]);
        }
    }
    assert_int_equal(of_flows_n_pending(f), 0);
}

static void
reconnect(struct of_flows *f)
{
    of_flows_begin_adoption(f);
    for (unsigned i = 0; i < N_KEYS; i++) {
        if (rand() % 10 == 0) {
            has[i] = rand() % 2 ? 12345 : 0;   /* Someone else was here. */
        }
        if (has[i]) {
            const struct of_flow_spec *s = &all[i][0].spec;
            of_flows_adopt(f, &(struct of_flow_key) { s->table, s->priority, s->match_len, s->match }, has[i]);
        }
    }
}

static void
test_model(void **state)
{
    static unsigned refs[N_KEYS][N_CONTENTS];
    static bool refused[N_KEYS][N_CONTENTS];
    struct of_flows *f = of_flows_create();

    srand(7);
    for (unsigned k = 0; k < N_KEYS; k++) {
        for (unsigned c = 0; c < N_CONTENTS; c++) {
            content_init(&all[k][c], k, c);
        }
    }
    for (int step = 0; step < 200000; step++) {
        unsigned k = rand() % N_KEYS, c = rand() % N_CONTENTS;
        const struct of_flow_spec *s = &all[k][c].spec;
        if (rand() % 2) {
            of_flows_add(f, s);
            refs[k][c]++;
        } else if (refs[k][c]) {
            of_flows_remove(f, of_flow_digest(s));
            refs[k][c]--;
            refused[k][c] &= refs[k][c] > 0;
        }
        if (rand() % 500 == 0) {
            reconnect(f);
            memset(refused, 0, sizeof refused);
        }
        if (refs[k][2] && !refused[k][2] && rand() % 50 == 0) {
            assert_true(of_flows_refuse(f, &(struct of_flow_key) { s->table, s->priority, s->match_len, s->match },
                                        of_content_hash(2, all[k][2].actions.s, all[k][2].actions.len)));
            refused[k][2] = true;
        }
        if (rand() % 20 == 0) {
            sync(f);
            size_t n = 0, n_refused = 0, clashes = 0;
            for (unsigned i = 0; i < N_KEYS; i++) {
                assert_true(has[i] == expected(refs[i], refused[i]));
                n += refs[i][0] || refs[i][1] || refs[i][2] || refs[i][3];
                n_refused += refused[i][2];
                clashes += refs[i][2] && refs[i][3];
            }
            assert_int_equal(of_flows_count(f), n);
            assert_int_equal(of_flows_n_refused(f), n_refused);
            assert_int_equal(of_flows_n_clashes(f), clashes);
        }
    }
    for (unsigned k = 0; k < N_KEYS; k++) {
        for (unsigned c = 0; c < N_CONTENTS; c++) {
            while (refs[k][c]) {
                of_flows_remove(f, of_flow_digest(&all[k][c].spec));
                refs[k][c]--;
            }
        }
    }
    sync(f);
    for (unsigned k = 0; k < N_KEYS; k++) {
        assert_true(!has[k]);
        for (unsigned c = 0; c < N_CONTENTS; c++) {
            content_destroy(&all[k][c]);
        }
    }
    struct str s = STR_INIT;
    of_flows_format(f, &s);
    assert_string_equal(str_c(&s), "");
    str_free(&s);
    of_flows_destroy(f);
}

static void
test_format(void **state)
{
    struct of_flows *f = of_flows_create();
    struct content a, b;
    struct str s = STR_INIT;

    content_init(&a, 1, 2);
    content_init(&b, 2, 0);
    of_flows_add(f, &b.spec);
    of_flows_add(f, &a.spec);
    of_flows_format(f, &s);
    assert_string_equal(str_c(&s), " cookie=0x2, table=1, priority=101,reg1=0x1 actions=resubmit(,2)\n"
                                   " cookie=0x0, table=2, priority=100,reg2=0x2 actions=conjunction(1,1/2)\n");
    str_free(&s);
    content_destroy(&a);
    content_destroy(&b);
    of_flows_destroy(f);
}

/* 400,000 flows as a big hypervisor has them: the memory that DESIGN.md allows, and time per flow. */
static void
test_size(void **state)
{
    enum { N = 400000 };
    struct of_flows *f = of_flows_create();
    struct str match = STR_INIT, actions = STR_INIT;
    struct digest *digests = xmalloc(N * sizeof *digests);

    int64_t start = clock_cpu_usec();
    for (unsigned i = 0; i < N; i++) {
        struct of_match m = OF_MATCH_INIT;
        str_clear(&match);
        str_clear(&actions);
        assert_true(of_match_add_u64(&m, OFF_METADATA, i % 200));
        assert_true(of_match_add_u64(&m, OFF_REG15, i % 7));
        assert_true(of_match_add_u64(&m, OFF_ETH_TYPE, 0x800));
        assert_true(of_match_add_u64(&m, OFF_IPV4_DST, i));
        of_match_put_oxm(&m, &match);
        of_match_destroy(&m);
        ofa_put_load_u64(&actions, OFF_REG0, 3, 1, 1);
        ofa_put_load_u64(&actions, OFF_REG15, 0, 32, i);
        ofa_put_resubmit(&actions, 20);
        struct of_flow_spec spec = { i % 40, 100, i, match.s, match.len, actions.s, actions.len };
        of_flows_add(f, &spec);
        digests[i] = of_flow_digest(&spec);
    }
    int64_t added = clock_cpu_usec();
    printf("%d flows: %zu MB, %.2f us to add one", N, of_flows_bytes(f) >> 20, (added - start) / (double) N);
    assert_true(of_flows_bytes(f) < 100 << 20);
    for (unsigned i = 0; i < N; i++) {
        of_flows_remove(f, digests[i]);
    }
    printf(", %.2f us to remove one\n", (clock_cpu_usec() - added) / (double) N);
    assert_int_equal(of_flows_count(f), 0);
    assert_int_equal(of_flows_n_pending(f), 0);
    free(digests);
    str_free(&match);
    str_free(&actions);
    of_flows_destroy(f);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_model),
        cmocka_unit_test(test_format),
        cmocka_unit_test(test_size),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

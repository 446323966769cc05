/* The invariant (DESIGN.md 2), on a synthetic graph: after any sequence of changes, the incremental state equals the
 * state computed from scratch; and verify finds what is not so.
 *
 * The graph is a small picture of northd: *cells* are the input (rows); "ports" (one unit over all cells, so that it
 * must diff) says which port is in which group; "group" (a unit a group) reads the members and their cells and says
 * a sum and a number; "flow" (a unit a port) reads its group's sum. */
#include "base/test.h"
#include "incr/incr.h"

enum { N_CELLS = 24, N_GROUPS = 5 };

struct cell {
    struct dep_source source;
    int group;                         /* -1: not there. */
    int value;
};

struct world {
    struct incr *g;
    struct cell *cells;
    struct incr_relation *member, *sum, *flow, *text;
    struct incr_numbers *numbers;
    bool lie;                          /* The flow unit says something else than it did. */
    struct hmap sink;                  /* What the sinks were told: struct entry. */
};

struct entry {
    struct hmap_node node;
    int port, sum;
    char text[32];
    struct incr_fact *fact;
};

static void
run_ports(struct incr_unit *u, void *w_)
{
    struct world *w = w_;
    for (int i = 0; i < N_CELLS; i++) {
        dep_read(incr_reader(u), &w->cells[i].source, 1);
        if (w->cells[i].group >= 0) {
            incr_emit(u, w->member, &w->cells[i].group, sizeof(int), &i, sizeof i);
        }
    }
}

static void
run_group(struct incr_unit *u, void *w_)
{
    struct world *w = w_;
    const struct incr_key *k = incr_subject(u);
    int group, sum = 0;

    memcpy(&group, k->bytes, sizeof group);
    INCR_FOR_EACH_FACT (f, w->member, k->bytes, k->len, incr_reader(u)) {
        int i;
        memcpy(&i, f->value, sizeof i);
        dep_read(incr_reader(u), &w->cells[i].source, 2);
        sum += w->cells[i].value;
    }
    INCR_FOR_EACH_FACT (f, w->member, k->bytes, k->len, incr_reader(u)) {
        int pair[2] = { group, sum % 3 };
        incr_emit(u, w->sum, f->value, sizeof(int), pair, sizeof pair);
    }
}

static void
run_flow(struct incr_unit *u, void *w_)
{
    struct world *w = w_;
    const struct incr_key *k = incr_subject(u);
    int port;

    memcpy(&port, k->bytes, sizeof port);
    INCR_FOR_EACH_FACT (f, w->sum, k->bytes, k->len, incr_reader(u)) {
        int pair[2];
        char text[32] = "";
        memcpy(pair, f->value, sizeof pair);
        snprintf(text, sizeof text, "port %d group %d sum %d", port, pair[0], pair[1] + w->lie);
        incr_emit(u, w->flow, &port, sizeof port, &pair[1], sizeof(int));
        incr_emit(u, w->text, &port, sizeof port, text, sizeof text);
        incr_number(u, w->numbers, &port, sizeof port, 0, 0);
    }
}

/* The digest sink keeps what it was told, as a database would. */
static void
told_text(void *w_, struct incr_fact *f, enum incr_event event, const void *value, size_t len)
{
    struct world *w = w_;

    if (event == INCR_REMOVED) {
        struct entry *e = f->sink_data;
        assert_null(value);
        hmap_remove(&w->sink, &e->node);
        free(e);
        f->sink_data = NULL;
        return;
    }
    struct entry *e = f->sink_data;
    if (event == INCR_ADDED) {
        assert_null(e);
        e = f->sink_data = XNEW(struct entry);
        hmap_insert(&w->sink, &e->node, f->node.hash);
    }
    assert_int_equal(len, sizeof e->text);
    memcpy(e->text, value, len);
    memcpy(&e->port, f->key->bytes, sizeof e->port);
    e->fact = f;
}

static void
told_nothing(void *aux, struct incr_fact *f, enum incr_event event, const void *value, size_t len)
{
}

static struct world *
world_create(struct cell *cells)
{
    struct world *w = XNEW(struct world);
    w->g = incr_create();
    w->cells = cells;
    hmap_init(&w->sink);
    w->numbers = incr_numbers_create("number", 1, N_CELLS);
    w->member = incr_relation_create(w->g, "member", 0);
    w->sum = incr_relation_create(w->g, "sum", 0);
    w->flow = incr_relation_create(w->g, "flow", 0);
    w->text = incr_relation_create(w->g, "text", INCR_DIGEST);
    incr_set_sink(w->flow, told_nothing, w);
    incr_set_sink(w->text, told_text, w);
    incr_class_alone(incr_class_create(w->g, "ports", run_ports, w));
    incr_class_over_relation(incr_class_create(w->g, "group", run_group, w), w->member);
    incr_class_over_relation(incr_class_create(w->g, "flow", run_flow, w), w->sum);
    return w;
}

static void
world_destroy(struct world *w)
{
    incr_destroy(w->g);
    incr_numbers_destroy(w->numbers);
    HMAP_FOR_EACH_SAFE (e, struct entry, node, &w->sink) {
        hmap_remove(&w->sink, &e->node);
        free(e);
    }
    hmap_destroy(&w->sink);
    free(w);
}

static void
assert_same_sinks(const struct world *a, const struct world *b)
{
    assert_int_equal(hmap_count(&a->sink), hmap_count(&b->sink));
    HMAP_FOR_EACH (x, struct entry, node, &a->sink) {
        bool found = false;
        HMAP_FOR_EACH (y, struct entry, node, &b->sink) {
            found |= x->port == y->port && str_eq(x->text, y->text);
        }
        assert_true(found);
    }
}

static void
assert_verified(struct world *w, size_t n)
{
    struct str s = STR_INIT;
    size_t got = incr_verify(w->g, &s);
    if (n == SIZE_MAX ? !got : got != n) {
        fail_msg("verify says %zu: %s", got, str_c(&s));
    }
    str_free(&s);
}

static void
change(struct cell *c)
{
    if (rand() % 3) {
        c->value = rand() % 10;
        dep_changed(&c->source, 2);
    } else {
        c->group = rand() % (N_GROUPS + 1) - 1;
        dep_changed(&c->source, 1);
    }
}

static void
test_invariant(void **state)
{
    struct test_seeds seeds = test_seeds(60);

    for (uint64_t seed; test_seeds_next(&seeds, &seed); ) {
        struct cell cells[N_CELLS] = { { { NULL } } };
        srand(seed);
        for (int i = 0; i < N_CELLS; i++) {
            cells[i].group = rand() % (N_GROUPS + 1) - 1;
        }
        struct world *live = world_create(cells);
        incr_run(live->g);
        for (int step = 0; step < 60; step++) {
            for (int n = rand() % 4; n >= 0; n--) {
                change(&cells[rand() % N_CELLS]);
            }
            incr_run(live->g);
            assert_verified(live, 0);
            struct world *scratch = world_create(cells);
            incr_run(scratch->g);
            assert_same_sinks(live, scratch);
            world_destroy(scratch);
        }
        world_destroy(live);
    }
}

/* A change that leaves a unit's facts as they were goes no further; an untouched graph does not run. */
static void
test_only_the_difference(void **state)
{
    struct cell cells[N_CELLS] = { { { NULL } } };
    struct world *w = world_create(cells);         /* All in group 0, value 0. */

    assert_int_equal(incr_run(w->g), 1 + 1 + N_CELLS);
    assert_int_equal(incr_run(w->g), 0);
    cells[3].value = 3;                            /* sum % 3 is the same */
    dep_changed(&cells[3].source, 2);
    assert_int_equal(incr_run(w->g), 1);
    cells[3].value = 4;
    dep_changed(&cells[3].source, 2);
    assert_int_equal(incr_run(w->g), 1 + N_CELLS);
    dep_changed(&cells[3].source, 4);              /* nobody reads that */
    assert_int_equal(incr_run(w->g), 0);
    incr_recompute(w->g);
    assert_int_equal(incr_run(w->g), 1 + 1 + N_CELLS);
    world_destroy(w);
}

static void
test_verify_finds(void **state)
{
    struct cell cells[N_CELLS] = { { { NULL } } };
    struct world *w = world_create(cells);

    incr_run(w->g);
    assert_verified(w, 0);
    cells[5].value = 1;                            /* changed behind the back of all */
    assert_verified(w, SIZE_MAX);
    cells[5].value = 0;
    w->lie = true;
    assert_verified(w, 2 * N_CELLS);               /* one lacks, one stale, each */
    world_destroy(w);
}

static void
test_refresh(void **state)
{
    struct cell cells[N_CELLS] = { { { NULL } } };
    struct world *w = world_create(cells);

    incr_run(w->g);
    HMAP_FOR_EACH (e, struct entry, node, &w->sink) {
        if (e->port == 7) {
            memset(e->text, 'x', sizeof e->text - 1);
            incr_refresh(e->fact);
            incr_refresh(e->fact);
        }
    }
    assert_int_equal(incr_run(w->g), 1);
    HMAP_FOR_EACH (e, struct entry, node, &w->sink) {
        assert_true(str_after(e->text, "port ") != NULL);
    }
    world_destroy(w);
}

static uint32_t requested[4], got[4];
static struct dep_source request_sources[4];
static struct incr_relation *owners;
static struct incr_numbers *space;

static void
run_owners(struct incr_unit *u, void *aux)
{
    for (int i = 0; i < 4; i++) {
        incr_emit(u, owners, &i, sizeof i, NULL, 0);
    }
}

static void
run_owner(struct incr_unit *u, void *aux)
{
    int i;
    memcpy(&i, incr_subject(u)->bytes, sizeof i);
    dep_read(incr_reader(u), &request_sources[i], 1);
    got[i] = incr_number(u, space, &i, sizeof i, requested[i], i == 3 ? 9 : 0);
}

static void
request(int i, uint32_t number)
{
    requested[i] = number;
    dep_changed(&request_sources[i], 1);
}

static void
test_numbers(void **state)
{
    struct incr *g = incr_create();

    space = incr_numbers_create("key", 5, 9);
    owners = incr_relation_create(g, "owners", 0);
    incr_class_alone(incr_class_create(g, "owners", run_owners, NULL));
    incr_class_over_relation(incr_class_create(g, "owner", run_owner, NULL), owners);
    requested[2] = 6;
    incr_run(g);
    assert_int_equal(got[2], 6);
    assert_int_equal(got[3], 9);
    uint32_t before = got[0], victim = got[1];
    request(0, victim);                            /* takes it from 1, who runs again */
    incr_run(g);
    assert_int_equal(got[0], victim);
    assert_true(got[1] != victim && got[1] >= 5);
    request(1, 6);                                 /* 1 < 2: the smaller owner has it */
    incr_run(g);
    assert_int_equal(got[1], 6);
    request(2, 0);
    request(0, 0);
    request(1, 0);
    incr_run(g);
    assert_int_equal(got[0], victim);              /* stays */
    assert_true(got[0] != got[1] && got[1] != got[2] && got[2] != got[3] && got[0] != got[2]);
    assert_true(before >= 5);
    incr_destroy(g);
    incr_numbers_destroy(space);
}

static void
test_low_numbers(void **state)
{
    struct incr *g = incr_create();

    memset(requested, 0, sizeof requested);
    space = incr_numbers_create("key", 5, 50);
    incr_numbers_prefer_low(space);
    owners = incr_relation_create(g, "owners", 0);
    incr_class_alone(incr_class_create(g, "owners", run_owners, NULL));
    incr_class_over_relation(incr_class_create(g, "owner", run_owner, NULL), owners);
    incr_run(g);
    uint32_t a = got[0], b = got[1], c = got[2];
    assert_true(a <= 7 && b <= 7 && c <= 7);
    request(0, 50);                                /* a is free */
    incr_run(g);
    request(1, c);                                 /* and b; 2 has lost c and gets another */
    incr_run(g);
    assert_int_equal(got[1], c);
    assert_int_equal(got[2], MIN(a, b));
    incr_destroy(g);
    incr_numbers_destroy(space);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_invariant), cmocka_unit_test(test_only_the_difference),
        cmocka_unit_test(test_verify_finds), cmocka_unit_test(test_refresh), cmocka_unit_test(test_numbers), cmocka_unit_test(test_low_numbers),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

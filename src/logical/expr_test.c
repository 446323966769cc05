/* expr_test.c - expressions: exact matches for chosen texts, refusals with their columns, and the property that counts: the matches accept a packet if and
 * only if direct evaluation says true, for every small expression over a small set of fields and for random large ones; and parse(format(x)) is x. */
#include "base/test.h"

#include "logical/expr.h"

/* What this hypervisor knows. */

static bool
lookup_port(void *aux, const char *name, uint32_t *key)
{
    *key = name[1] - '0';
    return name[0] == 'p' && name[1] >= '1' && name[1] <= '3' && !name[2];
}

static const struct expr_constants *
address_set(void *aux, const char *name)
{
    static struct expr_constant c[3];
    static struct expr_constants set = { 0, c }, empty = { 0, c };
    if (!set.n) {
        assert_true(expr_constant_parse("0.0.0.1", &c[0]));
        assert_true(expr_constant_parse("0.0.0.2/31", &c[1]));
        assert_true(expr_constant_parse("fd00::/64", &c[2]));
        set.n = 3;
    }
    return !strcmp(name, "as") ? &set : !strcmp(name, "empty") ? &empty : NULL;
}

static const struct expr_keys *
port_group(void *aux, const char *name)
{
    static const uint32_t keys[] = { 2, 3 };
    static const struct expr_keys pg = { 2, keys };
    return !strcmp(name, "pg") ? &pg : NULL;
}

static bool
resident(void *aux, const char *name)
{
    return name[0] == 'h';
}

static struct expr_env env = { lookup_port, address_set, port_group, resident, NULL, EXPR_CONJUNCTIONS_NEVER };

static struct expr *
parse(const char *text)
{
    struct expr *e;
    char *error = expr_parse(text, &e);
    if (error) {
        fail_msg("%s: %s", text, error);
    }
    return e;
}

/* TEXT's matches, one a line. */
static void
check_matches(const char *text, const char *expected)
{
    struct expr *e = parse(text);
    struct expr_matches m = EXPR_MATCHES_INIT;
    struct str s = STR_INIT;
    assert_null(expr_resolve(e, NULL, &env, &m));
    for (size_t i = 0; i < m.n; i++) {
        str_puts(&s, i ? "\n" : "");
        if (m.m[i].match.n) {
            of_match_format(&m.m[i].match, &s);
        } else {
            str_puts(&s, "any");
        }
    }
    if (strcmp(str_c(&s), expected)) {
        fail_msg("%s:\n%s\nand not:\n%s", text, str_c(&s), expected);
    }
    str_free(&s);
    expr_matches_destroy(&m);
    expr_unref(e);
}

static void
test_matches(void **state)
{
    check_matches("1", "any");
    check_matches("0", "");
    check_matches("ip4", "ip");
    check_matches("ip", "ip\nipv6");
    check_matches("ip4 && tcp.dst == 80", "tcp,tp_dst=80");
    check_matches("tcp.dst == {80, 443} && ip4", "tcp,tp_dst=80\ntcp,tp_dst=443");
    check_matches("1024 <= tcp.src <= 49151 && ip4.src == 10.0.0.0/8",
                  "tcp,nw_src=10.0.0.0/8,tp_src=1024/0xfc00\ntcp,nw_src=10.0.0.0/8,tp_src=2048/0xf800\n"
                  "tcp,nw_src=10.0.0.0/8,tp_src=4096/0xf000\ntcp,nw_src=10.0.0.0/8,tp_src=8192/0xe000\n"
                  "tcp,nw_src=10.0.0.0/8,tp_src=16384/0xc000\ntcp,nw_src=10.0.0.0/8,tp_src=32768/0xc000");
    check_matches("inport == \"p2\" && eth.mcast", "reg14=0x2,dl_dst=01:00:00:00:00:00/01:00:00:00:00:00");
    check_matches("ip6.mcast_flood && ip6.dst == {ff02::1, ff02::2, ff02::3, ff05::2, ff02::1:ff00:7, ff02::2:ff00:7, ff0e::1} && eth.dst == 33:33:00:00:00:01",
                  "ipv6,dl_dst=33:33:00:00:00:01,ipv6_dst=ff02::1\nipv6,dl_dst=33:33:00:00:00:01,ipv6_dst=ff02::2\n"
                  "ipv6,dl_dst=33:33:00:00:00:01,ipv6_dst=ff05::2\nipv6,dl_dst=33:33:00:00:00:01,ipv6_dst=ff02::1:ff00:7");
    check_matches("!eth.mcast", "dl_dst=00:00:00:00:00:00/01:00:00:00:00:00");
    check_matches("inport == \"gone\"", "");
    check_matches("inport == @pg", "reg14=0x2\nreg14=0x3");
    check_matches("inport == {@pg, \"p1\", @gone}", "reg14=0x2\nreg14=0x3\nreg14=0x1");
    check_matches("ip4.src == $as", "ip,nw_src=0.0.0.1\nip,nw_src=0.0.0.2/31");
    check_matches("ip6.src == $as", "ipv6,ipv6_src=fd00::/64");
    check_matches("ip4.src == $gone || ip4.src != $gone", "");
    check_matches("ip4.src != $empty", "ip");
    check_matches("!ct.est", "ct_state=-est+trk");
    check_matches("ct.new && !ct.rel", "ct_state=+new-rel+trk");
    check_matches("vlan.vid == 5", "vlan_tci=0x1005/0x1fff");
    check_matches("xxreg0 == 0x10000000000000002 && reg3 == 2", "reg0=0,reg1=0x1,reg2=0,reg3=0x2");
    check_matches("xxreg0[64..95] == 7", "reg1=0x7");
    check_matches("xreg1 == 5 && reg3 == 4", "");
    check_matches("is_chassis_resident(\"h\")", "any");
    check_matches("!is_chassis_resident(\"h\") || reg0 == 1", "reg0=0x1");
    check_matches("ip4.dst == 0.0.0.0/0", "ip");
    check_matches("ip4.dst != 0.0.0.0/0", "");
    check_matches("tcp.src >= 0 && ip6", "tcp6");
    check_matches("tcp.src < 0", "");
    check_matches("nd_ns && ip6.dst == {ff02::1:ff00:1, fd00::1} && nd.target == fd00::1",
                  "icmp6,nw_ttl=255,ipv6_dst=ff02::1:ff00:1,icmp_type=135,icmp_code=0,nd_target=fd00::1\n"
                  "icmp6,nw_ttl=255,ipv6_dst=fd00::1,icmp_type=135,icmp_code=0,nd_target=fd00::1");
    check_matches("eth.dst == ff:ff:ff:ff:ff:ff || eth.bcast || eth.mcast", "dl_dst=01:00:00:00:00:00/01:00:00:00:00:00");
}

static void
check_count(const char *text, size_t n)
{
    struct expr *e = parse(text);
    struct expr_matches m = EXPR_MATCHES_INIT;
    assert_null(expr_resolve(e, NULL, &env, &m));
    assert_int_equal(m.n, n);
    expr_matches_destroy(&m);
    expr_unref(e);
}

/* Networks that are left out add up and do not multiply. */
static void
test_counts(void **state)
{
    check_count("ip4.dst != 10.0.0.0/8", 8);
    check_count("ip4.dst != {10.0.0.0/8, 172.16.0.0/12, 192.168.0.0/16}", 7 + 10 + 14);
    check_count("ip4.dst != 10.0.0.0/8 && ip4.dst != 172.16.0.0/12 && ip4.dst != 192.168.0.0/16", 7 + 10 + 14);
    check_count("tcp.src != 80 && ip4", 16);
    check_count("reg0 != 5/5", 2);
    check_count("tcp.src != 80 && udp.dst == 5", 0);
    struct str s = STR_INIT;
    for (int i = 0; i < 17; i++) {
        str_printf(&s, "%s(reg1[%d] || reg2[%d])", i ? " && " : "", i, i);
    }
    struct expr *e = parse(str_c(&s));
    struct expr_matches m = EXPR_MATCHES_INIT;
    char *error = expr_resolve(e, NULL, NULL, &m);
    assert_string_equal(error, "this match would make more than 65536 OpenFlow flows");
    assert_int_equal(m.n, 0);
    free(error);
    str_free(&s);
    expr_unref(e);
}

/* What the conjunctions of TEXT are, as flows. */
static void
check_conjunctions(const char *text, const char *expected)
{
    struct expr *e = parse(text);
    struct expr_matches m = EXPR_MATCHES_INIT;
    struct str s = STR_INIT;
    uint32_t numbers[] = { 100, 200, 300 };
    env.conjunctions = EXPR_CONJUNCTIONS_FEWER;
    assert_null(expr_resolve(e, NULL, &env, &m));
    env.conjunctions = EXPR_CONJUNCTIONS_NEVER;
    for (size_t i = 0; i < m.n; i++) {
        expr_match_renumber(&m.m[i], numbers);
        of_match_format(&m.m[i].match, &s);
        for (size_t k = 0; k < m.m[i].n_conjs; k++) {
            str_printf(&s, " %u:%u/%u", m.m[i].conjs[k].id, m.m[i].conjs[k].clause + 1, m.m[i].conjs[k].n_clauses);
        }
        str_puts(&s, i + 1 < m.n ? "\n" : "");
    }
    if (strcmp(str_c(&s), expected)) {
        fail_msg("%s:\n%s\nand not:\n%s", text, str_c(&s), expected);
    }
    str_free(&s);
    expr_matches_destroy(&m);
    expr_unref(e);
}

static void
test_conjunctions(void **state)
{
    check_conjunctions("ip4.src == {1.1.1.1, 1.1.1.2, 1.1.1.3} && tcp.dst == {1, 2, 3}",
                       "tcp,nw_src=1.1.1.1 100:1/2\ntcp,nw_src=1.1.1.2 100:1/2\ntcp,nw_src=1.1.1.3 100:1/2\n"
                       "tcp,tp_dst=1 100:2/2\ntcp,tp_dst=2 100:2/2\ntcp,tp_dst=3 100:2/2\ntcp,conj_id=100");
    /* 4 are less than 5. */
    check_conjunctions("reg0 == {1, 2} && reg1 == {1, 2}", "reg0=0x1,reg1=0x1\nreg0=0x1,reg1=0x2\nreg0=0x2,reg1=0x1\nreg0=0x2,reg1=0x2");
    /* The small factor is multiplied out: 2 * (4 + 4 + 1) and not 4 + 4 + 2 + 1? No: 11 is less. */
    check_conjunctions("reg0 == {1, 2, 3} && reg1 == {1, 2, 3} && reg0 == {1, 2, 3, 4}",
                       "reg0=0x1 100:1/3 100:3/3\nreg0=0x2 100:1/3 100:3/3\nreg0=0x3 100:1/3 100:3/3\nreg0=0x4 100:3/3\n"
                       "reg1=0x1 100:2/3\nreg1=0x2 100:2/3\nreg1=0x3 100:2/3\nconj_id=100");
    /* One alternative is a product itself. */
    check_conjunctions("reg2 == 1 && ((reg0 == {1, 2, 3, 4} && reg1 == {1, 2, 3, 4}) || reg0 == 9)",
                       "reg0=0x9,reg2=0x1\nreg0=0x1,reg2=0x1 100:1/2\nreg0=0x2,reg2=0x1 100:1/2\nreg0=0x3,reg2=0x1 100:1/2\nreg0=0x4,reg2=0x1 100:1/2\n"
                       "reg1=0x1,reg2=0x1 100:2/2\nreg1=0x2,reg2=0x1 100:2/2\nreg1=0x3,reg2=0x1 100:2/2\nreg1=0x4,reg2=0x1 100:2/2\nreg2=0x1,conj_id=100");
    check_conjunctions("(reg0 == {1, 2, 3} && reg1 == {1, 2, 3}) || reg0 == 1",
                       "reg0=0x1\nreg0=0x2 100:1/2\nreg0=0x3 100:1/2\nreg1=0x1 100:2/2\nreg1=0x2 100:2/2\nreg1=0x3 100:2/2\nconj_id=100");
}

/* 10,000 addresses and 20 ports: a sum. One address more or less is one flow, and nothing else of it changes. */
static struct expr_constant many[10000];
static size_t n_many;

static const struct expr_constants *
many_set(void *aux, const char *name)
{
    static struct expr_constants set;
    set = (struct expr_constants) { n_many, many };
    return strcmp(name, "many") ? NULL : &set;
}

static void
test_large_sets(void **state)
{
    struct expr_env large = { .address_set = many_set, .lookup_port = lookup_port, .conjunctions = EXPR_CONJUNCTIONS_FEWER };
    struct str s = STR_INIT;
    n_many = ARRAY_SIZE(many);
    for (size_t i = 0; i < n_many; i++) {
        many[i] = (struct expr_constant) { of_value_u64(0x0a000000 + 2 * i), of_value_u64(UINT32_MAX), 32 };
    }
    str_puts(&s, "inport == \"p1\" && ip4.src == $many && tcp.dst == {1");
    for (int i = 2; i <= 20; i++) {
        str_printf(&s, ", %d", 2 * i);
    }
    str_puts(&s, "}");
    struct expr *e = parse(str_c(&s));
    struct expr_matches whole = EXPR_MATCHES_INIT, rest = EXPR_MATCHES_INIT;
    struct expr_templates t = EXPR_TEMPLATES_INIT;
    assert_null(expr_resolve(e, NULL, &large, &whole));
    assert_int_equal(whole.n, 10000 + 20 + 1);
    assert_int_equal(whole.n_conj_ids, 1);
    large.address_set = NULL;          /* Not even asked. */
    assert_null(expr_resolve_split(e, NULL, &large, &rest, &t));
    assert_int_equal(rest.n, 20 + 1);
    assert_int_equal(t.n, 1);
    assert_string_equal(t.t[0].set, "many");
    struct expr_match m;
    assert_true(expr_template_fill(&t.t[0], &many[5], &m));
    str_clear(&s);
    of_match_format(&m.match, &s);
    assert_string_equal(str_c(&s), "tcp,reg14=0x1,nw_src=10.0.0.10");
    assert_int_equal(m.n_conjs, 1);
    expr_match_destroy(&m);
    struct expr_constant mac;
    assert_true(expr_constant_parse("00:00:00:00:00:01", &mac));
    assert_false(expr_template_fill(&t.t[0], &mac, &m));
    expr_templates_destroy(&t);
    expr_matches_destroy(&whole);
    expr_matches_destroy(&rest);
    expr_unref(e);
    str_free(&s);
}

static void
test_refusals(void **state)
{
    static const struct {
        const char *text, *error;
    } t[] = {
        { "", "column 1: an expression expected, not the end" },
        { "ip4 &&", "column 7: an expression expected, not the end" },
        { "ip4 && tcp || udp", "column 12: && and || can only be used together with parentheses" },
        { "!ip.proto == 1", "column 2: parentheses are required between ! and a comparison" },
        { "inport != \"a\"", "column 1: inport is nominal: it cannot be tested for being unequal" },
        { "!(inport == \"a\")", "column 3: inport is nominal: it cannot be tested for being unequal" },
        { "!ip4", "column 2: ip4 is nominal: it cannot be negated" },
        { "ip4 == 0", "column 1: ip4 is nominal: it cannot be negated" },
        { "ip.proto > 3", "column 1: ip.proto is nominal: it can only be tested for equality" },
        { "ip.proto[1]", "column 9: the bits of ip.proto cannot be used one by one" },
        { "tcp.src == 65536", "column 12: `65536' needs 17 bits, tcp.src has 16" },
        { "vlan.tci[5..3] == 1", "column 9: vlan.tci has the bits 0 to 15, low before high" },
        { "vlan.tci[16]", "column 9: vlan.tci has the bits 0 to 15, low before high" },
        { "tcp.src", "column 8: a relational operator expected, not the end" },
        { "foo == 1", "column 1: there is no field of the name `foo'" },
        { "ip4.src == 10.0.0.0 / 8", "column 21: this character has no meaning here" },
        { "ip4.src == 10.0.0.0/33", "column 21: this prefix is longer than the address" },
        { "ip4.src == \"x\"", "column 12: ip4.src is compared with numbers" },
        { "inport == 5", "column 11: inport is compared with strings" },
        { "inport == \"x", "column 11: this string does not end" },
        { "ip4.src == ^V", "column 12: the template variable `^V' has no value here" },
        { "tcp.src < {1, 2}", "column 1: only == and != can be used with masks and sets" },
        { "1 < tcp.src > 3", "column 13: a range is two of < and <=, or two of > and >=" },
        { "ip4 /* no end", "column 5: this comment does not end on its line" },
        { "2", "column 2: a relational operator expected, not the end" },
        { "ip4.src == ip4.dst", "column 12: a constant expected, not `ip4.dst'" },
        { "tcp.src == {}", "column 13: a constant expected, not `}'" },
        { "icmp4.frag_mtu == 5", "column 16: icmp4.frag_mtu can only be set by an action" },
        { "is_chassis_resident(x)", "column 21: the name of a logical port, in quotes, expected, not `x'" },
        { "ip4 ip6", "column 5: &&, || or the end expected, not `ip6'" },
    };
    for (size_t i = 0; i < ARRAY_SIZE(t); i++) {
        struct expr *e;
        char *error = expr_parse(t[i].text, &e);
        if (!error || strcmp(error, t[i].error)) {
            fail_msg("%s: \"%s\" and not \"%s\"", t[i].text, error ? error : "accepted", t[i].error);
        }
        assert_null(e);
        free(error);
    }
    struct str s = STR_INIT;
    for (int i = 0; i < 100000; i++) {
        str_putc(&s, '(');
    }
    struct expr *e;
    char *error = expr_parse(str_c(&s), &e);
    assert_string_equal(error, "column 101: more than 100 parentheses within each other");
    free(error);
    str_clear(&s);
    for (int i = 0; i < 300000; i++) {
        str_puts(&s, "ip4 && reg0 == 1 && ");
    }
    error = expr_parse(str_c(&s), &e);
    assert_string_equal(error, "column 4194305: a text has at most 4194304 bytes");
    free(error);
    str_free(&s);
}

/* Packets over a small domain: every value that the atoms below tell apart. */

struct domain {
    enum of_field field;
    int n;
    uint64_t values[6];
};
static const struct domain domains[] = {
    { OFF_ETH_TYPE, 3, { 0x800, 0x86dd, 0x806 } },
    { OFF_IP_PROTO, 2, { 6, 17 } },
    { OFF_TCP_DST, 4, { 0, 1, 2, 3 } },
    { OFF_REG0, 4, { 0, 1, 2, 7 } },
    { OFF_REG14, 3, { 1, 2, 4 } },
    { OFF_CT_STATE, 3, { 0, 0x20, 0x22 } },
    { OFF_IPV4_SRC, 4, { 0, 1, 2, 3 } },
};
enum { N_PACKETS = 3 * 2 * 4 * 4 * 3 * 3 * 4 };
static struct logical_packet packets[N_PACKETS];

static void
make_packets(void)
{
    for (int i = 0; i < N_PACKETS; i++) {
        int rest = i;
        for (size_t d = 0; d < ARRAY_SIZE(domains); d++) {
            packets[i].f[domains[d].field] = of_value_u64(domains[d].values[rest % domains[d].n]);
            rest /= domains[d].n;
        }
    }
}

static bool
match_accepts(const struct of_match *m, const struct logical_packet *p)
{
    for (size_t i = 0; i < m->n; i++) {
        union of_value v = of_value_and(&p->f[m->terms[i].field], &m->terms[i].mask);
        if (of_value_compare(&v, &m->terms[i].value)) {
            return false;
        }
    }
    return true;
}

/* As the switch does it: a packet is accepted by a flow by itself, or if for some id all clauses are met and so is the flow of conj_id. */
static bool
matches_accept(const struct expr_matches *m, struct logical_packet *p)
{
    uint64_t met[64] = { 0 };
    uint8_t n_clauses[64] = { 0 };
    assert_true(m->n_conj_ids <= 64);
    p->f[OFF_CONJ_ID] = (union of_value) { .b = { 0 } };
    for (size_t i = 0; i < m->n; i++) {
        const struct expr_match *x = &m->m[i];
        if (of_match_get(&x->match, OFF_CONJ_ID) || !match_accepts(&x->match, p)) {
            continue;
        } else if (!x->n_conjs) {
            return true;
        }
        for (size_t k = 0; k < x->n_conjs; k++) {
            const struct expr_conj *c = &x->conjs[k];
            assert_true(c->id < m->n_conj_ids && c->clause < c->n_clauses && c->n_clauses >= 2);
            assert_true(!n_clauses[c->id] || n_clauses[c->id] == c->n_clauses);
            n_clauses[c->id] = c->n_clauses;
            met[c->id] |= UINT64_C(1) << c->clause;
        }
    }
    for (uint32_t id = 0; id < m->n_conj_ids; id++) {
        if (!n_clauses[id] || met[id] != (UINT64_C(2) << (n_clauses[id] - 1)) - 1) {
            continue;
        }
        p->f[OFF_CONJ_ID] = of_value_u64(id);
        for (size_t i = 0; i < m->n; i++) {
            if (of_match_get(&m->m[i].match, OFF_CONJ_ID) && match_accepts(&m->m[i].match, p)) {
                return true;
            }
        }
        return false;                  /* The switch goes on looking; ours never needs that. */
    }
    return false;
}

/* With addresses left out and filled in again. */
static bool
resolve_split(const struct expr *e, struct expr_matches *m)
{
    struct expr_templates t = EXPR_TEMPLATES_INIT;
    char *error = expr_resolve_split(e, NULL, &env, m, &t);
    if (error) {
        free(error);
        return false;
    }
    for (size_t i = 0; i < t.n; i++) {
        const struct expr_constants *set = address_set(NULL, t.t[i].set);
        for (size_t k = 0; set && k < set->n; k++) {
            struct expr_match x;
            struct expr_template again;
            struct str bytes = STR_INIT;
            expr_template_put(&t.t[i], &bytes);
            expr_template_get(bytes.s, &again);
            str_free(&bytes);
            bool filled = expr_template_fill(&again, &set->values[k], &x);
            expr_template_destroy(&again);
            if (filled) {
                GROW(m->m, m->cap, m->n + 1);
                m->m[m->n++] = x;
            }
        }
    }
    expr_templates_destroy(&t);
    return true;
}

static size_t n_conjunctive, n_refused[5];
enum { N_MODES = 5 };

static void
check_mode(const char *text, const struct expr *e, int mode, int step)
{
    struct expr_matches m = EXPR_MATCHES_INIT;
    env.conjunctions = mode % 3;
    if (mode >= 3) {
        env.conjunctions = mode == 3 ? EXPR_CONJUNCTIONS_FEWER : EXPR_CONJUNCTIONS_ALWAYS;
        if (!resolve_split(e, &m)) {
            n_refused[mode]++;
            env.conjunctions = EXPR_CONJUNCTIONS_NEVER;
            return;
        }
    } else {
        char *error = expr_resolve(e, NULL, &env, &m);
        if (error) {                   /* Rare, and not only with conjunctions. */
            assert_non_null(strstr(error, "more than 65536"));
            free(error);
            n_refused[mode]++;
            env.conjunctions = EXPR_CONJUNCTIONS_NEVER;
            return;
        }
    }
    n_conjunctive += m.n_conj_ids > 0;
    for (int i = step > 1 ? rand() % step : 0; i < N_PACKETS; i += step) {
        bool accepted = matches_accept(&m, &packets[i]);
        if (accepted != expr_evaluate(e, &env, &packets[i])) {
            fail_msg("%s: mode %d: packet %d is %s", text, mode, i, accepted ? "accepted" : "not accepted");
        }
    }
    expr_matches_destroy(&m);
    env.conjunctions = EXPR_CONJUNCTIONS_NEVER;
}

/* The properties for one text. False if it is not valid. */
static bool
check_property(const char *text, int step)
{
    struct expr *e, *again;
    char *error = expr_parse(text, &e);
    if (error) {
        free(error);
        return false;
    }
    struct str s = STR_INIT;
    expr_format(e, &s);
    error = expr_parse(str_c(&s), &again);
    if (error || !expr_equal(e, again)) {
        fail_msg("%s is formatted as %s, which is not the same (%s)", text, str_c(&s), error);
    }
    for (int mode = 0; mode < N_MODES; mode++) {
        check_mode(text, e, mode, step);
    }
    str_free(&s);
    expr_unref(e);
    expr_unref(again);
    return true;
}

static const char *const atoms[] = {
    "ip4", "arp", "tcp", "tcp.dst == 1", "tcp.dst != 1", "tcp.dst < 2", "1 <= tcp.dst <= 2", "tcp.dst == {0, 3}", "tcp.dst != {0, 3}",
    "reg0 == 1", "reg0[0]", "!reg0[1]", "reg0 != 5/5", "reg0 == {1/1, 2}", "reg0[0..1] > 1", "inport == \"p1\"", "inport == {\"p2\", \"px\"}",
    "inport == @pg", "ct.est", "!ct.est", "ct.trk", "1", "0", "is_chassis_resident(\"h1\")", "ip4.src == $gone", "ip4.src != $as", "xxreg0[96..97] == 2",
    "(tcp.dst == {0, 1, 2} && reg0 == {0, 1, 2, 7}) || reg0[0]",
    "ip4.src == $as", "ip4.src == {$as, 0.0.0.0}", "tcp.dst == {0, 1, 2}", "reg0 == {1, 2, 7}", "inport == {@pg, \"p1\"}",
};

static void
test_exhaustive(void **state)
{
    char text[200];
    int n = 0, n_bad = 0;
    make_packets();
    size_t a = ARRAY_SIZE(atoms);
    for (size_t i = 0; i < 2 * a; i++) {
        snprintf(text, sizeof text, "%s(%s)", i < a ? "" : "!", atoms[i % a]);
        *(check_property(text, 1) ? &n : &n_bad) += 1;
        for (size_t k = 0; k < 2 * 2 * a; k++) {
            snprintf(text, sizeof text, "%s(%s) %s %s(%s)", i < a ? "" : "!", atoms[i % a], k < 2 * a ? "&&" : "||", k / a % 2 ? "!" : "", atoms[k % a]);
            *(check_property(text, 67) ? &n : &n_bad) += 1;
            for (size_t l = 0; l < 2 * a; l += 1 + rand() % 7) {
                snprintf(text, sizeof text, "(%s %s %s(%s)) %s (%s%s)", atoms[i % a], k < 2 * a ? "&&" : "||", k / a % 2 ? "!" : "", atoms[k % a],
                         k < 2 * a ? "||" : "&&", l < a ? "" : "!", atoms[l % a]);
                *(check_property(text, 307) ? &n : &n_bad) += 1;
            }
        }
    }
    assert_true(n > 20000);            /* The generator does make valid expressions. */
    assert_true(n_bad > 1000);
    assert_true(n_conjunctive > 10000);
}

static void
random_expression(struct str *s, int depth)
{
    if (!depth || rand() % 4 == 0) {
        str_printf(s, "(%s)", atoms[rand() % ARRAY_SIZE(atoms)]);
        return;
    }
    str_puts(s, rand() % 8 ? "(" : "!(");
    const char *op = rand() % 2 ? "&&" : "||";
    int n = 2 + rand() % 3;
    for (int i = 0; i < n; i++) {
        str_printf(s, "%s", i ? op : "");
        random_expression(s, depth - 1);
    }
    str_putc(s, ')');
}

static void
test_random(void **state)
{
    int n = 0;
    make_packets();
    for (int i = 0; i < 4000; i++) {
        struct str s = STR_INIT;
        random_expression(&s, 1 + i % 4);
        n += check_property(str_c(&s), 41);
        str_free(&s);
    }
    assert_true(n > 1000);
    for (int i = 0; i < N_MODES; i++) {
        assert_true(n_refused[i] < 50);
    }
}

static void
test_format(void **state)
{
    static const char *const t[][2] = {
        { "80==tcp.src", "tcp.src == 80" },
        { "!(tcp.src==80)&&!(ct.est||!ct.new)", "tcp.src != 80 && !ct.est && ct.new" },
        { "( ip4 ) && (ip.proto==6&&tcp.dst==0x50)", "ip4 && ip.proto == 6 && tcp.dst == 0x50" },
        { "{aef0::1/128 ::1,fe80::/10 ,} == ip6.src // x", "ip6.src == {aef0::1/128, ::1, fe80::/10}" },
        { "inport==\"a\\\"\\u00e9\\n\"", "inport == \"a\\\"\u00e9\\n\"" },
        { "10 < /* a */ reg0[3..9]<=20", "reg0[3..9] > 10 && reg0[3..9] <= 20" },
        { "eth.dst == 1:0:0:0:0:0/01:00:00:00:00:00", "eth.dst == 01:00:00:00:00:00/01:00:00:00:00:00" },
        { "ct_label == 0x1/0xffffffffffffffffffffffffffffffff", "ct_label == 0x1/0xffffffffffffffffffffffffffffffff" },
        { "ip4.src == 10.0.0.1/8 && reg0 == 5/4", "ip4.src == 10.0.0.0/8 && reg0 == 4/4" },
        { "vlan.present == 0 || !(vlan.present != 1)", "!vlan.present || vlan.present" },
    };
    for (size_t i = 0; i < ARRAY_SIZE(t); i++) {
        struct expr *e = parse(t[i][0]);
        struct str s = STR_INIT;
        expr_format(e, &s);
        assert_string_equal(str_c(&s), t[i][1]);
        str_free(&s);
        expr_unref(e);
    }
}

static const char *
template_lookup(void *aux, const char *name)
{
    return !strcmp(name, "port") ? "80" : NULL;
}

static const char *
long_lookup(void *aux, const char *name)
{
    return aux;
}

/* A short text with long values is not made longer than what is refused in any case. */
static void
test_long_templates(void **state)
{
    enum { LONG = 1 << 20 };
    char *value = xmalloc(LONG + 1);
    memset(value, '1', LONG);
    value[LONG] = '\0';
    struct str s = STR_INIT, text = STR_INIT;
    struct expr *e;
    for (int i = 0; i < 1000; i++) {
        str_puts(&text, "^x ");
    }
    assert_true(expr_expand_templates(str_c(&text), long_lookup, value, &s));
    assert_in_range(s.len, EXPR_MAX_TEXT + 1, EXPR_MAX_TEXT + 2 * LONG);
    char *error = expr_parse(str_c(&s), &e);
    assert_string_equal(error, "column 4194305: a text has at most 4194304 bytes");
    free(error);
    free(value);
    str_free(&s);
    str_free(&text);
}

static void
test_templates(void **state)
{
    struct str s = STR_INIT;
    assert_false(expr_expand_templates("ip4 && inport == \"^port\"", template_lookup, NULL, &s));
    assert_true(expr_expand_templates("tcp.dst == {^port,^other} /* ^port */", template_lookup, NULL, &s));
    assert_string_equal(str_c(&s), "tcp.dst == {80,^other} /* ^port */");
    str_free(&s);
}

/* Every symbol can be written and its prerequisites are what evaluation and matches agree on. */
static void
test_symbols(void **state)
{
    size_t n;
    const struct symbol *t = symbol_table(&n);
    for (size_t i = 0; i < n; i++) {
        char text[64];
        assert_ptr_equal(symbol_find(t[i].name, strlen(t[i].name)), &t[i]);
        if (t[i].kind == SYMBOL_FIELD) {
            assert_true(t[i].sf.ofs + t[i].sf.n_bits <= of_field_info(t[i].sf.field)->n_bits);
            assert_true(t[i].level != SYMBOL_ORDINAL || of_field_info(t[i].sf.field)->maskable);
            snprintf(text, sizeof text, "%s == 1", t[i].name);
        } else {
            snprintf(text, sizeof text, t[i].kind == SYMBOL_STRING ? "%s == \"p1\"" : "%s", t[i].name);
        }
        if (t[i].kind != SYMBOL_OVN_FIELD) {
            make_packets();
            assert_true(check_property(text, 1));
        }
    }
    assert_null(symbol_find("ip4.sr", 6));
    assert_null(symbol_find("ip4.srcs", 8));
}

int
main(void)
{
    srand(1);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_matches), cmocka_unit_test(test_counts), cmocka_unit_test(test_conjunctions), cmocka_unit_test(test_large_sets),
        cmocka_unit_test(test_refusals), cmocka_unit_test(test_format),
        cmocka_unit_test(test_long_templates),
        cmocka_unit_test(test_templates), cmocka_unit_test(test_symbols), cmocka_unit_test(test_exhaustive), cmocka_unit_test(test_random),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* switch_test.c - against a real ovs-vswitchd with a dummy datapath, in a directory of its own; it touches no network.
 *
 * Skipped (exit 77) where Open vSwitch is not installed. */
#include "base/test.h"

#include <errno.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "openflow/action.h"
#include "openflow/flows_private.h"
#include "openflow/switch.h"
#include "runtime/socket.h"

static char dir[] = "/tmp/of_switch_test.XXXXXX";
static pid_t ovsdb_pid, vswitchd_pid;
static struct loop *loop;

static struct of_flows *flows;
static struct of_switch *sw;
static unsigned n_changes;

/* --- The switch. --- */

static pid_t
start(const char *const argv[])
{
    pid_t pid = fork();

    assert_true(pid >= 0);
    if (!pid) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);      /* Outlives no test. */
        execvp(argv[0], (char **) (uintptr_t) argv);
        _exit(127);
    }
    return pid;
}

/* A shell command; its output into OUT if that is given. */
static void
run(struct str *out, const char *fmt, ...)
{
    struct str command = STR_INIT;
    char buf[4096];
    va_list args;
    size_t n;

    va_start(args, fmt);
    str_vprintf(&command, fmt, args);
    va_end(args);
    FILE *f = popen(str_c(&command), "r");
    assert_non_null(f);
    while ((n = fread(buf, 1, sizeof buf, f)) > 0) {
        if (out) {
            str_put(out, buf, n);
        }
    }
    int status = pclose(f);
    if (status) {
        fprintf(stderr, "%s: status %d\n", str_c(&command), status);
    }
    assert_int_equal(status, 0);
    str_free(&command);
}

static void
wait_for_file(const char *name)
{
    char *path = xasprintf("%s/%s", dir, name);
    for (int i = 0; i < 1000 && access(path, F_OK); i++) {
        usleep(10000);
    }
    assert_int_equal(access(path, F_OK), 0);
    free(path);
}

static void
start_vswitchd(void)
{
    char *db = xasprintf("unix:%s/db.sock", dir), *ctl = xasprintf("--unixctl=%s/vs.ctl", dir);
    char *log = xasprintf("--log-file=%s/vs.log", dir);

    vswitchd_pid = start((const char *[]) { "ovs-vswitchd", db, "--disable-system", "--enable-dummy=override", ctl, log, "-vconsole:off", NULL });
    free(db);
    free(ctl);
    free(log);
}

static void
stop(pid_t *pid)
{
    if (*pid > 0) {
        kill(*pid, SIGKILL);
        waitpid(*pid, NULL, 0);
        *pid = 0;
    }
}

static void
cleanup(void)
{
    stop(&vswitchd_pid);
    stop(&ovsdb_pid);
    run(NULL, "rm -rf %s", dir);
}

static void
start_all(void)
{
    char *db = xasprintf("%s/conf.db", dir), *remote = xasprintf("--remote=punix:%s/db.sock", dir);
    char *ctl = xasprintf("--unixctl=%s/db.ctl", dir);

    setenv("OVS_RUNDIR", dir, 1);
    setenv("OVS_LOGDIR", dir, 1);
    setenv("OVS_DBDIR", dir, 1);
    run(NULL, "ovsdb-tool create %s /usr/share/openvswitch/vswitch.ovsschema", db);
    ovsdb_pid = start((const char *[]) { "ovsdb-server", db, remote, ctl, "-vconsole:off", NULL });
    wait_for_file("db.sock");
    run(NULL, "ovs-vsctl --db=unix:%s/db.sock --no-wait -- init -- add-br br -- set bridge br datapath_type=dummy fail-mode=secure", dir);
    start_vswitchd();
    wait_for_file("br.mgmt");
    free(db);
    free(remote);
    free(ctl);
}

/* --- Ours. --- */

static void
changed(void *aux)
{
    n_changes++;
}

static void
connect_anew(void)
{
    char *target = xasprintf("unix:%s/br.mgmt", dir);
    of_switch_set_target(sw, NULL);
    of_switch_set_target(sw, target);
    free(target);
}

static int
setup(void **state)
{
    loop = loop_create();
    flows = of_flows_create();
    sw = of_switch_create(loop, flows);
    of_switch_on_change(sw, changed, NULL);
    connect_anew();
    return 0;
}

static int
teardown(void **state)
{
    of_switch_destroy(sw);
    of_flows_destroy(flows);
    loop_destroy(loop);
    return 0;
}

static void
wait_ready(uint64_t generation)
{
    int64_t end = clock_msec() + 20000;
    while (!of_switch_is_ready(sw) || of_switch_generation(sw) < generation) {
        loop_once(loop, 100);
        assert_true(clock_msec() < end);
    }
}

/* Syncs until everything desired now is installed. */
static void
install(void)
{
    int64_t end = clock_msec() + 20000;
    wait_ready(0);
    uint64_t mark = of_switch_mark(sw);
    unsigned before = n_changes;
    while (of_switch_installed(sw) < mark) {
        of_switch_sync(sw);
        loop_once(loop, 100);
        assert_true(clock_msec() < end);
    }
    loop_once(loop, 0);
    assert_true(n_changes > before);
}

static unsigned
count_in_switch(const char *filter)
{
    struct str out = STR_INIT;
    run(&out, "ovs-ofctl -O OpenFlow15 dump-aggregate unix:%s/br.mgmt '%s'", dir, filter);
    const char *p = strstr(str_c(&out), "flow_count=");
    assert_non_null(p);
    unsigned n = atoi(p + strlen("flow_count="));
    str_free(&out);
    return n;
}

static void
add(uint8_t table, uint16_t priority, uint64_t cookie, struct of_match *m, struct str *actions)
{
    struct str oxm = STR_INIT;
    of_match_put_oxm(m, &oxm);
    of_flows_add(flows, &(struct of_flow_spec) { table, priority, cookie, oxm.s, oxm.len, actions->s, actions->len });
    str_free(&oxm);
    of_match_clear(m);
    str_clear(actions);
}

/* A flow of its own for number I. */
static void
add_numbered(uint8_t table, unsigned i)
{
    struct of_match m = OF_MATCH_INIT;
    struct str a = STR_INIT;

    assert_true(of_match_add_u64(&m, OFF_METADATA, i % 64));
    assert_true(of_match_add_u64(&m, OFF_ETH_TYPE, 0x800));
    assert_true(of_match_add_u64(&m, OFF_IPV4_DST, i));
    ofa_put_load_u64(&a, OFF_REG15, 0, 32, i);
    ofa_put_resubmit(&a, 20);
    add(table, 100, i, &m, &a);
    of_match_destroy(&m);
    str_free(&a);
}

/* After a new connection everything that we had installed is found and is what we want. */
static void
assert_adopts(void)
{
    uint64_t sent = of_switch_n_sent(sw), generation = of_switch_generation(sw);
    struct of_change c;
    size_t n = 0;

    connect_anew();
    wait_ready(generation + 1);
    while (of_flows_n_pending(flows) && of_flows_take(flows, &c)) {
        struct str s = STR_INIT;
        of_flow_format(&c.key, c.cookie, c.actions, c.actions_len, &s);
        print_error("%s:%s\n", c.add ? "not as installed" : "not ours", str_c(&s));
        str_free(&s);
        n++;
    }
    assert_int_equal(n, 0);
    install();
    assert_int_equal(of_switch_n_sent(sw), sent);
}

/* --- Tests. --- */

#define SF(FIELD, OFS, N) ((struct of_subfield) { OFF_##FIELD, OFS, N })

/* What a field needs before it may be matched or set. */
static void
add_prerequisites(struct of_match *m, enum of_field f)
{
    uint16_t eth = f >= OFF_IP_PROTO && f <= OFF_IPV4_DST                     ? 0x800
                   : f >= OFF_IPV6_SRC && f <= OFF_IPV6_LABEL                 ? 0x86dd
                   : f >= OFF_ARP_OP && f <= OFF_ARP_THA                      ? 0x806
                   : f >= OFF_TCP_SRC && f <= OFF_ICMPV4_CODE                 ? 0x800
                   : f >= OFF_ICMPV6_TYPE && f <= OFF_ND_OPTIONS_TYPE         ? 0x86dd
                   : f == OFF_CT_IPV6_SRC || f == OFF_CT_IPV6_DST             ? 0x86dd
                   : f >= OFF_CT_NW_PROTO && f <= OFF_CT_TP_DST               ? 0x800
                                                                              : 0;
    uint8_t proto = f >= OFF_TCP_SRC && f <= OFF_TCP_FLAGS               ? 6
                    : f == OFF_UDP_SRC || f == OFF_UDP_DST               ? 17
                    : f == OFF_SCTP_SRC || f == OFF_SCTP_DST             ? 132
                    : f == OFF_ICMPV4_TYPE || f == OFF_ICMPV4_CODE       ? 1
                    : f >= OFF_ICMPV6_TYPE && f <= OFF_ND_OPTIONS_TYPE   ? 58
                                                                         : 0;
    if (eth) {
        assert_true(of_match_add_u64(m, OFF_ETH_TYPE, eth));
    }
    if (proto) {
        assert_true(of_match_add_u64(m, OFF_IP_PROTO, proto));
    }
    if (f >= OFF_ND_TARGET && f <= OFF_ND_OPTIONS_TYPE) {
        assert_true(of_match_add_u64(m, OFF_ICMPV6_TYPE, f == OFF_ND_TLL ? 136 : 135));
        assert_true(of_match_add_u64(m, OFF_ICMPV6_CODE, 0));
    }
    if (f >= OFF_CT_NW_PROTO && f <= OFF_CT_TP_DST) {
        union of_value trk = of_value_u64(0x22);           /* +trk+est */
        assert_true(of_match_add(m, OFF_CT_STATE, &trk, &trk));
        if (f == OFF_CT_TP_SRC || f == OFF_CT_TP_DST) {
            assert_true(of_match_add_u64(m, OFF_CT_NW_PROTO, 6));
        }
    }
}

/* Every field, exact and with a mask; VLANs. */
static void
test_matches(void **state)
{
    struct of_match m = OF_MATCH_INIT;
    struct str a = STR_INIT;
    unsigned n = 0;

    for (enum of_field f = 0; f < OFF_N_FIELDS; f++) {
        const struct of_field_info *info = of_field_info(f);
        union of_value one = of_value_u64(1), all = of_value_ones(info->n_bits), top = of_value_shl(&one, info->n_bits - 1);
        union of_value some = of_value_or(&one, &top), zero = of_value_u64(0);
        for (int i = 0; i < (info->maskable ? 4 : 2); i++) {
            add_prerequisites(&m, f);
            if (f == OFF_VLAN_TCI || (f == OFF_CT_STATE && i < 2) || (f == OFF_TUN_FLAGS && i != 3)
                || (f == OFF_CT_NW_PROTO && !i)) {     /* Open vSwitch forgets ct_nw_proto=0. */
                of_match_clear(&m);
                continue;
            } else if (f == OFF_TUN_FLAGS) {
                assert_true(of_match_add(&m, f, &one, &one));
            } else if (f == OFF_CT_STATE) {
                some = of_value_u64(0x21);
                assert_true(of_match_add(&m, f, i == 2 ? &one : &some, &some));
            } else {
                assert_true(of_match_add(&m, f, i % 2 ? &one : &zero, i < 2 ? &all : i == 2 ? &one : &some));
            }
            add(1, ++n, f, &m, &a);
        }
    }
    static const uint16_t tci[][2] = { { 0x1000, 0x1000 }, { 0, 0x1000 }, { 0x1005, 0x1fff }, { 0x5, 0xfff }, { 0x7005, 0xffff },
                                       { 0xf000, 0xf000 }, { 0x1005, 0x100f }, { 0, 0xffff }, { 0x1000, 0xf000 }, { 0x1000, 0x1fff } };
    for (size_t i = 0; i < ARRAY_SIZE(tci); i++) {
        union of_value v = of_value_u64(tci[i][0]), k = of_value_u64(tci[i][1]);
        assert_true(of_match_add(&m, OFF_VLAN_TCI, &v, &k));
        add(2, ++n, 0, &m, &a);
    }
    install();
    assert_int_equal(of_switch_n_refused(sw), 0);
    assert_int_equal(count_in_switch(""), n);
    assert_adopts();
    of_match_destroy(&m);
}

static void
put_nats(struct str *a, unsigned i)
{
    static const struct ofa_nat nats[] = {
        { 0 },
        { .src = true },
        { .src = true, .has_addr = true, .addr_min = { 1, 2, 3, 4 }, .addr_max = { 1, 2, 3, 4 } },
        { .dst = true, .has_addr = true, .addr_min = { 1, 2, 3, 4 }, .addr_max = { 1, 2, 3, 9 }, .has_port = true, .port_min = 80, .port_max = 80, .hash = true },
        { .src = true, .has_addr = true, .addr_min = { 1, 2, 3, 4 }, .addr_max = { 1, 2, 3, 4 }, .has_port = true, .port_min = 80, .port_max = 90, .random = true, .persistent = true },
        { .dst = true, .ipv6 = true, .has_addr = true, .addr_min = { 0xfe, 0x80, [15] = 1 }, .addr_max = { 0xfe, 0x80, [15] = 9 }, .has_port = true, .port_min = 80, .port_max = 81 },
        { .dst = true, .ipv6 = true, .has_addr = true, .addr_min = { 0xfe, 0x80, [15] = 1 }, .addr_max = { 0xfe, 0x80, [15] = 1 } },
    };
    ofa_put_nat(a, &nats[i]);
}
enum { N_NATS = 7 };

/* The shapes that there are: fields and values, narrow and wide, whole and in part. */
static void
put_learn(struct str *a)
{
    struct ofa_learn l = { .table = 70, .priority = 100, .idle_timeout = 60, .cookie = 0x1234, .delete_learned = true };
    union of_value v = of_value_u64(0x800), tcp = of_value_u64(6), ip = of_value_u64(0x0a000001), port = of_value_u64(80), one = of_value_u64(1);
    union of_value wide = { .b = { 0xfd, [15] = 9 } };
    size_t at = ofa_begin_learn(a, &l);

    ofa_learn_match_field(a, SF(METADATA, 0, 24), SF(METADATA, 0, 24));
    ofa_learn_match_value(a, SF(ETH_TYPE, 0, 16), &v);
    ofa_learn_match_value(a, SF(IP_PROTO, 0, 8), &tcp);
    ofa_learn_match_field(a, SF(IPV4_SRC, 0, 32), SF(IPV4_DST, 0, 32));
    ofa_learn_match_value(a, SF(IPV4_DST, 0, 32), &ip);
    ofa_learn_match_value(a, SF(TCP_DST, 0, 16), &port);
    ofa_learn_match_field(a, SF(ETH_SRC, 0, 48), SF(ETH_SRC, 0, 48));
    ofa_learn_load_value(a, SF(REG10, 11, 1), &one);
    ofa_learn_load_value(a, SF(REG8, 0, 16), &port);
    ofa_learn_load_value(a, SF(XXREG1, 0, 128), &wide);
    ofa_end_learn(a, at);
}

/* Action number I; false if there is none. */
static bool
put_action(struct str *a, unsigned i)
{
    struct ofa_ct ct = { .commit = true, .recirc_table = 255, .zone = 5 };
    size_t at;

    switch (i) {
    case 0: ofa_put_output(a, 5); return true;
    case 1: ofa_put_output(a, OFPP_LOCAL_); return true;
    case 2: ofa_put_output(a, OFPP_IN_PORT_); return true;
    case 3: ofa_put_output(a, OFPP_CONTROLLER_); return true;
    case 4: ofa_put_output_reg(a, SF(REG15, 0, 16)); return true;
    case 5: ofa_put_output_reg(a, SF(XXREG0, 64, 32)); return true;
    case 6: ofa_put_group(a, 7); return true;
    case 7: ofa_put_resubmit(a, 255); return true;
    case 8: ofa_put_resubmit_port(a, 3, 9); return true;
    case 9: ofa_put_push_vlan(a, 0x8100); return true;
    case 10: ofa_put_push_vlan(a, 0x88a8); return true;
    case 11: ofa_put_set_queue(a, 3); return true;
    case 12: ofa_put_meter(a, 3); ofa_put_output(a, 1); return true;
    case 13: ofa_put_controller(a, 128, 0, NULL, 0, false, 0); return true;
    case 14: ofa_put_controller(a, 128, 3, NULL, 0, false, 0); return true;
    case 15: ofa_put_controller(a, UINT16_MAX, 0, "\1\2\3", 3, false, 0); return true;
    case 16: ofa_put_controller(a, 64, 5, "\1\2\3\4", 4, true, 3); return true;
    case 17: ofa_put_controller(a, UINT16_MAX, 0, NULL, 0, true, 0); return true;
    case 18: ofa_put_controller(a, UINT16_MAX, 0, NULL, 0, false, 3); return true;
    case 19: ofa_put_conjunction(a, 5, 0, 2); ofa_put_conjunction(a, 6, 2, 3); return true;
    case 20: ofa_put_note(a, "\1\2\3\4\5\6\7\10\11", 9); return true;
    case 21: ofa_put_check_pkt_larger(a, 1500, SF(REG0, 3, 1)); return true;
    case 22: ofa_put_check_pkt_larger(a, 1500, SF(XXREG1, 100, 1)); return true;
    case 23: ofa_put_ct_clear(a); return true;
    case 24:
        at = ofa_begin_clone(a);
        ofa_put_load_u64(a, OFF_REG1, 0, 32, 5);
        ofa_put_resubmit(a, 4);
        ofa_end_clone(a, at);
        return true;
    case 25:
        ct.commit = false, ct.recirc_table = 9, ct.zone_from_field = true, ct.zone_field = SF(REG13, 0, 16);
        ofa_end_ct(a, ofa_begin_ct(a, &ct));
        return true;
    case 26:
        ct.force = true;
        at = ofa_begin_ct(a, &ct);
        ofa_put_load_u64(a, OFF_CT_MARK, 0, 32, 5);
        ofa_put_load_u64(a, OFF_CT_LABEL, 64, 8, 5);
        ofa_put_move(a, SF(REG1, 0, 32), SF(CT_MARK, 0, 32));
        ofa_put_move(a, SF(ETH_SRC, 0, 48), SF(CT_LABEL, 32, 48));
        ofa_end_ct(a, at);
        return true;
    case 27: ofa_end_ct(a, ofa_begin_ct(a, &ct)); return true;
    case 28: ofa_put_move(a, SF(TUN_METADATA0, 16, 15), SF(REG14, 0, 15)); return true;
    case 29: ofa_put_move(a, SF(TUN_ID, 0, 24), SF(METADATA, 0, 24)); return true;
    case 30: ofa_put_move(a, SF(REG14, 0, 15), SF(TUN_METADATA0, 16, 15)); return true;
    case 31: ofa_put_move(a, SF(IN_PORT, 0, 16), SF(REG14, 0, 16)); return true;
    case 32: ofa_put_move(a, SF(XXREG0, 0, 128), SF(XXREG1, 0, 128)); return true;
    case 33: ofa_put_dec_ttl(a); return true;
    case 34: ofa_put_load_u64(a, OFF_IP_TTL, 0, 4, 3); return true;    /* A part of a field that cannot be masked. */
    case 35: ofa_put_load_u64(a, OFF_IP_DSCP, 0, 3, 3); return true;
    case 36: ofa_put_sample(a, 65535, 1, 0x2000003, 0xdeadbeef); return true;
    case 37: put_learn(a); return true;
    case 38: ofa_put_recirculate(a); ofa_put_resubmit(a, 9); return true;
    }
    return false;
}

static bool
is_settable(enum of_field f)
{
    return f != OFF_TUN_FLAGS && f != OFF_ETH_TYPE && f != OFF_IP_PROTO && f != OFF_IP_FRAG && f != OFF_TCP_FLAGS
           && f != OFF_CONJ_ID && f < OFF_CT_STATE;
}

/* Every action, and every field set, moved, pushed and popped, comes back byte for byte. */
static void
test_actions(void **state)
{
    struct of_match m = OF_MATCH_INIT;
    struct str a = STR_INIT;
    unsigned n = 0;

    run(NULL, "ovs-ofctl -O OpenFlow15 --may-create mod-meter unix:%s/br.mgmt meter=3,pktps,bands=type=drop,rate=100 2>/dev/null"
              " || ovs-ofctl -O OpenFlow15 add-meter unix:%s/br.mgmt meter=3,pktps,bands=type=drop,rate=100", dir, dir);
    run(NULL, "ovs-ofctl -O OpenFlow15 --may-create mod-group unix:%s/br.mgmt group_id=7,type=all,bucket=output:1", dir);
    for (unsigned i = 0; put_action(&a, i); i++) {
        if (i >= 25 && i <= 27) {
            assert_true(of_match_add_u64(&m, OFF_ETH_TYPE, 0x800));
        } else if (i >= 33) {
            assert_true(of_match_add_u64(&m, OFF_ETH_TYPE, 0x800));
        }
        add(3, ++n, i, &m, &a);
    }
    assert_true(of_match_add_u64(&m, OFF_VLAN_TCI, 0x1005));
    ofa_put_pop_vlan(&a);
    add(3, ++n, 0, &m, &a);
    for (unsigned i = 0; i < N_NATS; i++) {
        struct ofa_ct ct = { .commit = i > 0, .recirc_table = 8 };
        assert_true(of_match_add_u64(&m, OFF_ETH_TYPE, i >= 5 ? 0x86dd : 0x800));
        size_t at = ofa_begin_ct(&a, &ct);
        put_nats(&a, i);
        ofa_end_ct(&a, at);
        add(4, ++n, 0, &m, &a);
    }
    for (enum of_field f = 0; f < OFF_N_FIELDS; f++) {
        const struct of_field_info *info = of_field_info(f);
        add_prerequisites(&m, f);
        if (is_settable(f)) {
            ofa_put_load_u64(&a, f, 0, info->n_bits, 1);
            if (info->maskable) {
                ofa_put_load_u64(&a, f, info->n_bits - 2, 1, 1);
            }
            ofa_put_pop(&a, (struct of_subfield) { f, 0, info->n_bits });
            ofa_put_pop(&a, (struct of_subfield) { f, 0, 2 });
        }
        if (f != OFF_CONJ_ID) {
            ofa_put_push(&a, (struct of_subfield) { f, 0, info->n_bits });
            ofa_put_move(&a, (struct of_subfield) { f, 0, 1 }, SF(REG0, 0, 1));
        }
        add(5, ++n, f, &m, &a);
    }
    install();
    assert_int_equal(of_switch_n_refused(sw), 0);
    assert_adopts();
    of_match_destroy(&m);
    str_free(&a);
}

/* Many flows; what was there before goes; a new process adopts. */
static void
test_many(void **state)
{
    enum { N = 50000 };                  /* Three bundles. */

    run(NULL, "ovs-ofctl -O OpenFlow15 add-flow unix:%s/br.mgmt 'table=9,priority=7,tcp,nsh_flags=1,actions=drop' 2>/dev/null || "
              "ovs-ofctl -O OpenFlow15 add-flow unix:%s/br.mgmt 'table=9,priority=7,mpls,mpls_label=7,idle_timeout=600,actions=drop'", dir, dir);
    wait_ready(0);
    for (unsigned i = 0; i < N; i++) {
        add_numbered(1, i);
    }
    int64_t start = clock_msec(), cpu = clock_cpu_usec();
    install();
    print_message("%d flows installed in %d ms, %d ms of our CPU\n", N, (int) (clock_msec() - start), (int) (clock_cpu_usec() - cpu) / 1000);
    assert_int_equal(count_in_switch(""), N);
    start = clock_msec(), cpu = clock_cpu_usec();
    assert_adopts();
    print_message("adopted in %d ms, %d ms of our CPU\n", (int) (clock_msec() - start), (int) (clock_cpu_usec() - cpu) / 1000);

    teardown(state);
    setup(state);
    wait_ready(0);
    for (unsigned i = 0; i < N; i++) {
        add_numbered(1, i);
    }
    install();
    assert_int_equal(of_switch_n_sent(sw), 0);
    assert_int_equal(count_in_switch(""), N);
}

static void
test_switch_restarts(void **state)
{
    for (unsigned i = 0; i < 500; i++) {
        add_numbered(1, i);
    }
    install();
    uint64_t generation = of_switch_generation(sw), installed = of_switch_installed(sw);
    stop(&vswitchd_pid);
    while (of_switch_is_ready(sw)) {
        loop_once(loop, 100);
    }
    assert_int_equal(of_switch_installed(sw), 0);
    start_vswitchd();
    wait_ready(generation + 1);
    assert_int_equal(of_switch_installed(sw), 0);
    install();
    assert_true(of_switch_installed(sw) > installed);
    assert_int_equal(count_in_switch(""), 500);
    assert_int_equal(of_switch_tun_metadata_index(sw), 0);
}

/* Bad flows among many: of the sort that is refused as it is read, and of the sort that is refused as it is committed. */
static void
test_refused(void **state)
{
    struct of_match m = OF_MATCH_INIT;
    struct str a = STR_INIT;
    int64_t start = clock_msec();

    for (unsigned i = 0; i < 3000; i++) {
        add_numbered(1, i);
        if (i % 100 == 50) {
            assert_true(of_match_add_u64(&m, OFF_TCP_DST, i));     /* No prerequisite. */
            add(1, 5, i, &m, &a);
        } else if (i % 100 == 70) {
            assert_true(of_match_add_u64(&m, OFF_REG0, i));
            ofa_put_group(&a, 100 + i);                            /* There is none. */
            add(1, 5, i, &m, &a);
        } else if (i % 1000 == 99) {
            assert_true(of_match_add_u64(&m, OFF_REG0, i));
            str_put(&a, "\0\0\0\7", 4);                            /* No action. */
            add(1, 5, i, &m, &a);
        }
    }
    for (unsigned i = 0; i < 70000; i++) {
        str_putc(&a, 0);                                           /* Fits into no message. */
    }
    add(1, 6, 0, &m, &a);
    install();
    assert_int_equal(of_switch_n_refused(sw), 30 + 30 + 3 + 1);
    assert_int_equal(count_in_switch(""), 3000);
    print_message("64 flows of 3000 refused, in %d ms and %d flow-mods\n", (int) (clock_msec() - start), (int) of_switch_n_sent(sw));
    assert_true(of_switch_n_sent(sw) <= 5 * 3064);

    uint64_t sent = of_switch_n_sent(sw);
    install();
    assert_int_equal(of_switch_n_sent(sw), sent);

    run(NULL, "ovs-ofctl -O OpenFlow15 add-group unix:%s/br.mgmt group_id=170,type=all,bucket=output:1", dir);
    of_switch_retry_refused(sw);
    install();
    assert_int_equal(count_in_switch(""), 3001);
    of_match_destroy(&m);
    str_free(&a);
}

/* Changes, removals, clashes and conjunctions, seen in the switch. */
static void
test_changes(void **state)
{
    struct of_match m = OF_MATCH_INIT;
    struct str a = STR_INIT, out = STR_INIT;

    for (unsigned i = 0; i < 3; i++) {
        assert_true(of_match_add_u64(&m, OFF_REG1, 7));
        ofa_put_conjunction(&a, 9 - i, 1, 2);
        add(6, 50, 8, &m, &a);
        assert_true(of_match_add_u64(&m, OFF_REG2, 7));
        ofa_put_resubmit(&a, 30 - i);
        add(6, 40, 8, &m, &a);
    }
    install();
    run(&out, "ovs-ofctl -O OpenFlow15 --no-stats dump-flows unix:%s/br.mgmt", dir);
    assert_string_equal(str_c(&out), " cookie=0x8, table=6, priority=50,reg1=0x7 actions=conjunction(7,2/2),conjunction(8,2/2),conjunction(9,2/2)\n"
                                     " cookie=0x8, table=6, priority=40,reg2=0x7 actions=resubmit(,28)\n");
    str_clear(&a);
    struct str ours = STR_INIT;
    of_flows_format(flows, &ours);
    assert_string_equal(str_c(&ours), str_c(&out));

    /* A change while a bundle is under way goes in the next; a mark waits for it. */
    uint64_t first = of_switch_mark(sw);
    add_numbered(7, 1);
    of_switch_sync(sw);
    add_numbered(7, 2);
    uint64_t second = of_switch_mark(sw);
    while (of_switch_installed(sw) < first) {
        loop_once(loop, 100);
    }
    assert_true(of_switch_installed(sw) < second);
    install();
    assert_int_equal(count_in_switch("table=7"), 2);

    /* With nothing wanted everything goes. */
    of_flows_destroy(flows);
    of_switch_destroy(sw);
    flows = of_flows_create();
    sw = of_switch_create(loop, flows);
    of_switch_on_change(sw, changed, NULL);
    connect_anew();
    wait_ready(1);
    assert_int_equal(count_in_switch(""), 4);
    install();
    assert_int_equal(count_in_switch(""), 0);
    str_free(&out);
    str_free(&ours);
    str_free(&a);
    of_match_destroy(&m);
}

/* What came last on the connection for packets. */
static struct {
    size_t n, packet_len, userdata_len;
    uint8_t packet[64], userdata[8];
    uint64_t cookie, reg;
    bool paused;
} got;
static struct of_switch *packets;
static bool resume;
static const uint8_t a_packet[60] = { 2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2, 0x12, 0x34, 'h', 'i' };

static void
on_packet_in(void *aux, const struct of_packet_in *in)
{
    const struct of_term *t = of_match_get(&in->metadata, OFF_REG14);

    got.n++;
    got.packet_len = in->packet_len;
    got.userdata_len = in->userdata_len;
    got.cookie = in->cookie;
    got.reg = t ? of_value_low(&t->value) : 0;
    got.paused = in->continuation_len > 0;
    memcpy(got.packet, in->packet, MIN(in->packet_len, sizeof got.packet));
    memcpy(got.userdata, in->userdata ? in->userdata : "", MIN(in->userdata_len, sizeof got.userdata));
    if (got.paused && resume) {
        struct of_match metadata = OF_MATCH_INIT;
        uint8_t packet[sizeof a_packet];
        memcpy(packet, in->packet, sizeof packet);
        packet[15] = 'o';
        assert_true(of_match_add_u64(&metadata, OFF_REG14, 78));
        of_switch_resume(packets, in, packet, sizeof packet, &metadata);
        of_match_destroy(&metadata);
    }
}

static void
on_unwanted_packet(void *aux, const struct of_packet_in *in)
{
    fail_msg("the connection for flows got a packet");
}

/* Sends the packet into TABLE and waits until N have come in. */
static void
send_packet(uint8_t table, size_t n)
{
    int64_t end = clock_msec() + 10000;
    struct str a = STR_INIT;

    memset(&got, 0, sizeof got);
    ofa_put_resubmit(&a, table);
    of_switch_packet_out(packets, OFPP_CONTROLLER_, a_packet, sizeof a_packet, a.s, a.len);
    while (got.n < n && clock_msec() < end) {
        loop_once(loop, 100);
    }
    assert_int_equal(got.n, n);
    assert_int_equal(got.packet_len, sizeof a_packet);
    str_free(&a);
}

/* A packet out, through tables, and in again, on a connection of its own. */
static void
test_packets(void **state)
{
    struct of_match m = OF_MATCH_INIT;
    int64_t end = clock_msec() + 10000;
    struct str a = STR_INIT;

    for (int pause = 0; pause < 2; pause++) {
        ofa_put_load_u64(&a, OFF_REG14, 0, 32, 77);
        ofa_put_controller(&a, UINT16_MAX, 0, "\0\0\0\5abcd", 8, pause, 0);
        if (pause) {
            ofa_put_controller(&a, UINT16_MAX, 0, "\0\0\0\6efgh", 8, false, 0);
        }
        add(pause, 1, 0x1122334455667788, &m, &a);
    }
    install();
    packets = of_switch_create(loop, NULL);
    of_switch_set_target(packets, of_switch_target(sw));
    of_switch_on_packet_in(packets, on_packet_in, NULL);
    of_switch_on_packet_in(sw, on_unwanted_packet, NULL);
    while (!of_switch_is_ready(packets) && clock_msec() < end) {
        loop_once(loop, 100);
    }
    send_packet(0, 1);
    assert_memory_equal(got.packet, a_packet, sizeof a_packet);
    assert_int_equal(got.userdata_len, 8);
    assert_memory_equal(got.userdata, "\0\0\0\5abcd", 8);
    assert_int_equal(got.reg, 77);
    assert_true(got.cookie == 0x1122334455667788);
    assert_false(got.paused);

    resume = false;
    send_packet(1, 1);
    assert_memory_equal(got.userdata, "\0\0\0\5abcd", 8);
    assert_int_equal(got.reg, 77);
    assert_true(got.paused);

    resume = true;
    send_packet(1, 2);                 /* Paused, then resumed as another. */
    assert_memory_equal(got.userdata, "\0\0\0\6efgh", 8);
    assert_int_equal(got.packet[15], 'o');
    assert_int_equal(got.reg, 78);
    assert_false(got.paused);

    /* The connection comes back by itself. */
    uint64_t generation = of_switch_generation(packets);
    of_switch_set_target(packets, NULL);
    of_switch_set_target(packets, of_switch_target(sw));
    while (of_switch_generation(packets) == generation && clock_msec() < end) {
        loop_once(loop, 100);
    }
    send_packet(0, 1);
    of_switch_on_packet_in(sw, NULL, NULL);
    of_switch_destroy(packets);
    str_free(&a);
}

/* The Geneve option's field: found where it is, made where it is not, not forced. */
static void
test_tunnel_option(void **state)
{
    static const struct {
        const char *map;
        int index;
    } cases[] = { { "{class=0x102,type=0x80,len=4}->tun_metadata3", 3 },
                  { "{class=0x102,type=0x80,len=8}->tun_metadata3", -1 },
                  { "{class=0x103,type=0x80,len=4}->tun_metadata0", 1 },
                  { "{class=0x103,type=0x80,len=4}->tun_metadata1", 0 } };

    install();                         /* No flow needs a field. */
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        uint64_t generation = of_switch_generation(sw);
        of_switch_set_target(sw, NULL);
        assert_int_equal(of_switch_tun_metadata_index(sw), -1);
        run(NULL, "ovs-ofctl -O OpenFlow15 del-tlv-map unix:%s/br.mgmt", dir);
        run(NULL, "ovs-ofctl -O OpenFlow15 add-tlv-map unix:%s/br.mgmt '%s'", dir, cases[i].map);
        connect_anew();
        wait_ready(generation + 1);
        assert_int_equal(of_switch_tun_metadata_index(sw), cases[i].index);
    }
    run(NULL, "ovs-ofctl -O OpenFlow15 del-tlv-map unix:%s/br.mgmt", dir);
}

/* What a broken switch says to us; each ends the connection, which is tried again. */
static void
test_garbage(void **state)
{
    static const struct {
        uint8_t bytes[64];
        size_t n;
    } says[] = {
        { "\6\0\0\3\0\0\0\1", 8 },                            /* Too short for its own header. */
        { "\4\0\0\10\0\0\0\1", 8 },                           /* Only OpenFlow 1.3. */
        { "\6\0\0\10\0\0\0\1\6\0\0\10\0\0\0\1", 16 },           /* Greets twice. */
        { "\6\0\0\10\0\0\0\1\6\1\0\12\0\0\0\1\0\0", 18 },       /* Half an error. */
        { "\6\0\0\10\0\0\0\1\6\6\0\12\0\0\0\1\0\0", 18 },       /* Half of its features. */
        { "\6\0\0\10\0\0\0\1\6\4\0\24\0\0\0\1\0\0\43\40\0\0\0\32\0\0\0\0", 28 },  /* Half a table of options. */
        { "GET / HTTP/1.0\r\n\r\n", 18 },
    };
    char *path = xasprintf("%s/fake", dir), *target = xasprintf("unix:%s", path), *error;
    int listener = socket_listen_unix(path, &error);
    int64_t end = clock_msec() + 20000;

    assert_true(listener >= 0);
    for (size_t i = 0; i < ARRAY_SIZE(says); i++) {
        of_switch_set_target(sw, NULL);        /* No back-off. */
        of_switch_set_target(sw, target);
        int fd;
        while ((fd = socket_accept(listener)) < 0 && clock_msec() < end) {
            loop_once(loop, 10);
        }
        assert_int_equal(write(fd, says[i].bytes, says[i].n), says[i].n);
        char buf[4096];
        ssize_t n;
        while ((n = read(fd, buf, sizeof buf)) != 0 && clock_msec() < end) {
            if (n < 0 && errno != EAGAIN) {
                break;
            }
            loop_once(loop, 10);
        }
        assert_true(clock_msec() < end);
        assert_false(of_switch_is_ready(sw));
        close(fd);
    }
    close(listener);
    free(path);
    free(target);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_matches, setup, teardown), cmocka_unit_test_setup_teardown(test_actions, setup, teardown),
        cmocka_unit_test_setup_teardown(test_many, setup, teardown),    cmocka_unit_test_setup_teardown(test_switch_restarts, setup, teardown),
        cmocka_unit_test_setup_teardown(test_refused, setup, teardown), cmocka_unit_test_setup_teardown(test_changes, setup, teardown),
        cmocka_unit_test_setup_teardown(test_packets, setup, teardown), cmocka_unit_test_setup_teardown(test_tunnel_option, setup, teardown),
        cmocka_unit_test_setup_teardown(test_garbage, setup, teardown),
    };

    if (system("command -v ovs-vswitchd >/dev/null && command -v ovsdb-server >/dev/null && command -v ovs-ofctl >/dev/null")) {
        printf("skipped: Open vSwitch is not installed\n");
        return 77;
    }
    signal(SIGPIPE, SIG_IGN);
    if (getenv("ALL_LOGS")) {
        log_set_rate_limits("any", false);
    }
    if (!mkdtemp(dir)) {
        perror(dir);
        return 1;
    }
    start_all();
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    cleanup();
    return failed;
}

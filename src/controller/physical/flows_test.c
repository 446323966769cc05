/* Flows by example: what stands on the wire and what peers, runbooks and other parts rely on. One switch `blue` with a port here, one on another chassis, a container in
 * the one here, a localport and a flood group; then one fact is changed at a time. */
#include "base/test.h"

#include "base/log.h"
#include "controller/physical/testgraph.h"

#define ROW(N) "0000000" #N "-0000-4000-8000-000000000000"
#define REF(N) "[\"uuid\",\"" ROW(N) "\"]"

static struct testgraph
blue(const char *encap)
{
    struct testgraph t = testgraph_create();
    struct str s = STR_INIT;

    testgraph_apply(t.c->ovs,
                    "{\"Open_vSwitch\":{\"" ROW(1) "\":{\"new\":{\"external_ids\":[\"map\",[[\"ovn-encap-ip\",\"172.31.0.9\"],"
                    "[\"ovn-encap-type\",\"geneve,vxlan\"]]]}}},"
                    "\"Bridge\":{\"" ROW(2) "\":{\"new\":{\"name\":\"br-int\",\"external_ids\":[\"map\",[[\"ct-zone-here\",\"7\"]]],"
                    "\"ports\":[\"set\",[" REF(3) "," REF(4) "]]}}},"
                    "\"Port\":{\"" ROW(3) "\":{\"new\":{\"name\":\"vm\",\"interfaces\":" REF(5) "}},"
                    "\"" ROW(4) "\":{\"new\":{\"name\":\"ovn-hv1-0\",\"interfaces\":" REF(6) ","
                    "\"external_ids\":[\"map\",[[\"ovn-chassis-id\",\"hv1@172.31.0.1\"]]]}}}}");
    str_printf(&s, "{\"Interface\":{\"" ROW(5) "\":{\"new\":{\"name\":\"vm\",\"ofport\":5,\"external_ids\":[\"map\",[[\"iface-id\",\"here\"]]]}},"
               "\"" ROW(6) "\":{\"new\":{\"name\":\"ovn-hv1-0\",\"type\":\"%s\",\"ofport\":6}}}}", encap);
    testgraph_apply(t.c->ovs, s.s);
    str_clear(&s);
    str_printf(&s, "{\"Chassis\":{\"" ROW(1) "\":{\"new\":{\"name\":\"hv0\"}},\"" ROW(2) "\":{\"new\":{\"name\":\"hv1\",\"encaps\":" REF(3) "}}},"
               "\"Encap\":{\"" ROW(3) "\":{\"new\":{\"type\":\"%s\",\"ip\":\"172.31.0.1\",\"chassis_name\":\"hv1\"}}},"
               "\"Datapath_Binding\":{\"" ROW(4) "\":{\"new\":{\"tunnel_key\":10,\"external_ids\":[\"map\",[[\"logical-switch\",\"x\"]]]}}},"
               "\"Port_Binding\":{\"" ROW(5) "\":{\"new\":{\"logical_port\":\"here\",\"datapath\":" REF(4) ",\"tunnel_key\":1,\"chassis\":" REF(1) "}},"
               "\"" ROW(6) "\":{\"new\":{\"logical_port\":\"there\",\"datapath\":" REF(4) ",\"tunnel_key\":2,\"chassis\":" REF(2) "}}},"
               "\"Multicast_Group\":{\"" ROW(7) "\":{\"new\":{\"datapath\":" REF(4) ",\"name\":\"_MC_flood\",\"tunnel_key\":32768,"
               "\"ports\":[\"set\",[" REF(5) "," REF(6) "]]}}}}", encap);
    testgraph_apply(t.c->sb, s.s);
    str_free(&s);
    incr_run(t.c->incr);
    return t;
}

/* Whether the table has LINE (a whole one, without its cookie). */
static bool
has(struct testgraph *t, const char *line)
{
    struct str s = STR_INIT;
    char *text, *at;
    bool found = false;

    of_flows_format(t->c->flows, &s);
    str_puts(&s, "\n");
    text = s.s;
    for (at = strstr(text, line); at && !found; at = strstr(at + 1, line)) {
        found = at[strlen(line)] == '\n' && at > text && (at[-1] == ' ');
    }
    str_free(&s);
    return found;
}

#define assert_has(T, LINE) \
    do { \
        if (!has((T), (LINE))) { \
            struct str s_ = STR_INIT; \
            of_flows_format((T)->c->flows, &s_); \
            fail_msg("no flow \"%s\" in:\n%s", (LINE), str_c(&s_)); \
        } \
    } while (0)

static void
test_geneve(void **state)
{
    struct testgraph t = blue("geneve");

    assert_has(&t, "priority=100,in_port=5 actions=set_field:0x7/0xffff->reg13,set_field:0x1->reg14,set_field:0xa->metadata,resubmit(,1),resubmit(,8)");
    assert_has(&t, "table=54, priority=100,metadata=0xa/0xffffff,reg15=0x2 actions=set_field:0xa->tun_id,set_field:0x2->tun_metadata0,"
                   "move:reg14[0..14]->tun_metadata0[16..30],output:6");
    /* The group: one copy to the chassis, and the members here. */
    assert_has(&t, "table=54, priority=100,metadata=0xa/0xffffff,reg15=0x8000 actions=set_field:0xa->tun_id,set_field:0x8000->tun_metadata0,"
                   "move:reg14[0..14]->tun_metadata0[16..30],output:6,resubmit(,56)");
    assert_has(&t, "table=56, priority=100,metadata=0xa/0xffffff,reg15=0x8000 actions=clone(set_field:0x1->reg15,resubmit(,56))");
    assert_has(&t, "table=57, priority=100,metadata=0xa/0xffffff,reg10=0/0x1,reg14=0x1,reg15=0x1 actions=drop");
    assert_has(&t, "table=89, priority=100,metadata=0xa/0xffffff,reg15=0x1 actions=output:5");
    testgraph_destroy(&t);
}

static void
test_vxlan(void **state)
{
    struct testgraph t = blue("vxlan");

    /* As the peer's hypervisors have it: the outport above the datapath; 0x8000 is 0x800 of 12 bits. */
    assert_has(&t, "table=54, priority=100,metadata=0xa/0xffffff,reg15=0x2 actions=set_field:0x200a->tun_id,output:6");
    assert_has(&t, "table=54, priority=100,metadata=0xa/0xffffff,reg15=0x8000 actions=set_field:0x80000a->tun_id,output:6,resubmit(,56)");
    testgraph_destroy(&t);
}

/* A VM that moves is on both chassis: all get a copy; then only one. */
static void
test_moving(void **state)
{
    struct testgraph t = blue("geneve");

    testgraph_apply(t.c->sb, "{\"Port_Binding\":{\"" ROW(5) "\":{\"old\":{},\"new\":{\"additional_chassis\":" REF(2) "}}}}");
    incr_run(t.c->incr);
    assert_has(&t, "table=54, priority=100,metadata=0xa/0xffffff,reg15=0x1 actions=set_field:0xa->tun_id,set_field:0x1->tun_metadata0,"
                   "move:reg14[0..14]->tun_metadata0[16..30],output:6,resubmit(,56)");
    assert_has(&t, "table=89, priority=100,metadata=0xa/0xffffff,reg15=0x1 actions=output:5");
    testgraph_apply(t.c->sb, "{\"Port_Binding\":{\"" ROW(5) "\":{\"old\":{},\"new\":{\"chassis\":" REF(2) ",\"additional_chassis\":[\"set\",[]]}}}}");
    incr_run(t.c->incr);
    assert_has(&t, "table=54, priority=100,metadata=0xa/0xffffff,reg15=0x1 actions=set_field:0xa->tun_id,set_field:0x1->tun_metadata0,"
                   "move:reg14[0..14]->tun_metadata0[16..30],output:6");
    assert_false(has(&t, "table=89, priority=100,metadata=0xa/0xffffff,reg15=0x1 actions=output:5"));
    testgraph_destroy(&t);
}

static void
test_logical_flows(void **state)
{
    struct testgraph t = blue("geneve");

    /* One that does not parse, one that asks for what is not there, one with an impossible table: all others work. */
    testgraph_apply(t.c->sb,
                    "{\"Logical_Flow\":{"
                    "\"" ROW(1) "\":{\"new\":{\"logical_datapath\":" REF(4) ",\"pipeline\":\"ingress\",\"table_id\":3,\"priority\":50,"
                    "\"match\":\"inport == \\\"here\\\" && ip4\",\"actions\":\"outport = \\\"_MC_flood\\\"; output;\"}},"
                    "\"" ROW(2) "\":{\"new\":{\"logical_datapath\":" REF(4) ",\"pipeline\":\"ingress\",\"table_id\":3,\"priority\":51,"
                    "\"match\":\"inport == \",\"actions\":\"next;\"}},"
                    "\"" ROW(3) "\":{\"new\":{\"logical_datapath\":" REF(4) ",\"pipeline\":\"ingress\",\"table_id\":3,\"priority\":52,"
                    "\"match\":\"1\",\"actions\":\"make_coffee;\"}},"
                    "\"" ROW(8) "\":{\"new\":{\"logical_datapath\":" REF(4) ",\"pipeline\":\"egress\",\"table_id\":26,\"priority\":53,"
                    "\"match\":\"1\",\"actions\":\"next;\"}},"
                    "\"" ROW(9) "\":{\"new\":{\"logical_datapath\":" REF(4) ",\"pipeline\":\"egress\",\"table_id\":15,\"priority\":54,"
                    "\"match\":\"outport == \\\"here\\\"\",\"actions\":\"output;\",\"tags\":[\"map\",[[\"in_out_port\",\"here\"]]]}}}}");
    size_t before = of_flows_count(t.c->flows);
    incr_run(t.c->incr);
    assert_int_equal(of_flows_count(t.c->flows), before + 2);
    assert_has(&t, "table=11, priority=50,ip,metadata=0xa/0xffffff,reg14=0x1 actions=set_field:0x8000->reg15,resubmit(,52)");
    assert_has(&t, "table=77, priority=54,metadata=0xa/0xffffff,reg15=0x1 actions=resubmit(,88)");
    /* The port goes elsewhere: what is about what it gets is of no use here. */
    testgraph_apply(t.c->sb, "{\"Port_Binding\":{\"" ROW(6) "\":{\"old\":{},\"new\":{\"chassis\":" REF(1) "}},"
                             "\"" ROW(5) "\":{\"old\":{},\"new\":{\"chassis\":" REF(2) "}}}}");
    incr_run(t.c->incr);
    assert_false(has(&t, "table=77, priority=54,metadata=0xa/0xffffff,reg15=0x1 actions=resubmit(,88)"));
    testgraph_destroy(&t);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_geneve),
        cmocka_unit_test(test_vxlan),
        cmocka_unit_test(test_moving),
        cmocka_unit_test(test_logical_flows),
    };

    free(log_set("off"));
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* bench-replica [MEGABYTES [ROUNDS]] - the replica's cost (DESIGN.md 7): a southbound database's content,
 * from JSON text to typed rows; the same into digests; then one element more in a set of 10,000; and the digest of a record.
 *
 * The content is made up like a real one: datapaths, ports bound to them (a third of the bytes), logical flows.
 * Prints megabytes a CPU second (best of ROUNDS), bytes of memory a row, and CPU time a change. */
#include <inttypes.h>
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "ovsdb/replica.h"
#include "schema/nb.h"
#include "schema/sb.h"

enum { N_DATAPATHS = 200 };

void
ovsdb_session_monitor_changed(struct ovsdb *db)
{
}

static void
put_uuid(struct str *s, uint64_t n)
{
    char text[UUID_LEN + 1];
    uint64_t a = n * 0x9e3779b97f4a7c15, b = (n + 77) * 0xff51afd7ed558ccd;
    uuid_format(&(struct uuid) { { a >> 32, a, b >> 32, b } }, text);
    str_put(s, text, UUID_LEN);
}

static void
put_datapath(struct str *s, int i)
{
    str_puts(s, i ? ",\"" : "\"");
    put_uuid(s, i);
    str_printf(s, "\":{\"initial\":{\"tunnel_key\":%d,\"external_ids\":[\"map\",[[\"logical-switch\",\"", i + 1);
    put_uuid(s, 1000000 + i);
    str_printf(s, "\"],[\"name\",\"node-%d\"]]]}}", i);
}

static void
put_port(struct str *s, int i)
{
    str_puts(s, i ? ",\"" : "\"");
    put_uuid(s, 2000000 + i);
    str_printf(s, "\":{\"initial\":{\"chassis\":[\"uuid\",\"");
    put_uuid(s, 3000000 + i % N_DATAPATHS);
    str_puts(s, "\"],\"datapath\":[\"uuid\",\"");
    put_uuid(s, i % N_DATAPATHS);
    str_printf(s, "\"],\"external_ids\":[\"map\",[[\"namespace\",\"project-%d\"],[\"pod\",\"true\"]]],"
               "\"logical_port\":\"project-%d_pod-%d\",\"mac\":\"0a:58:0a:f4:%02x:%02x 10.244.%d.%d\","
               "\"options\":[\"map\",[[\"iface-id-ver\",\"", i % 50, i % 50, i, i >> 8 & 255, i & 255, i >> 8 & 255, i & 255);
    put_uuid(s, 4000000 + i);
    str_printf(s, "\"],[\"requested-chassis\",\"node-%d\"]]],\"port_security\":\"0a:58:0a:f4:%02x:%02x 10.244.%d.%d\",\"requested_chassis\":[\"uuid\",\"",
               i % N_DATAPATHS, i >> 8 & 255, i & 255, i >> 8 & 255, i & 255);
    put_uuid(s, 3000000 + i % N_DATAPATHS);
    str_printf(s, "\"],\"tunnel_key\":%d,\"up\":true}}", i / N_DATAPATHS + 1);
}

static void
put_flow(struct str *s, int i)
{
    static const char *const stages[] = { "ls_in_check_port_sec", "ls_in_l2_lkup", "ls_in_acl_eval", "lr_in_ip_routing", "ls_in_lb" };

    str_puts(s, i ? ",\"" : "\"");
    put_uuid(s, 5000000 + i);
    str_puts(s, "\":{\"initial\":{\"actions\":");
    switch (i % 5) {
    case 0: str_puts(s, "\"reg0[15] = check_in_port_sec(); next;\""); break;
    case 1: str_printf(s, "\"outport = \\\"project-%d_pod-%d\\\"; output;\"", i % 50, i); break;
    case 2: str_puts(s, "\"reg8[16] = 1; reg0[1] = 1; next;\""); break;
    case 3: str_printf(s, "\"ip.ttl--; reg8[0..15] = 0; reg0 = 10.244.%d.1; reg1 = 10.244.%d.2; eth.src = 0a:58:0a:f4:%02x:01; outport = \\\"rtos-node-%d\\\"; flags.loopback = 1; next;\"",
                       i % 256, i % 256, i % 256, i % 200); break;
    default: str_printf(s, "\"reg1 = 172.30.%d.%d; reg2[0..15] = 443; ct_lb_mark(backends=10.244.3.%d:8443,10.244.9.12:8443,10.244.77.8:8443);\"",
                        i >> 8 & 255, i & 255, i % 250); break;
    }
    str_printf(s, ",\"external_ids\":[\"map\",[[\"source\",\"northd.c:%d\"],[\"stage-hint\",\"%08x\"],[\"stage-name\",\"%s\"]]],",
               1000 + i % 700, (unsigned) i * 2654435761u, stages[i % 5]);
    str_printf(s, "\"logical_d%s\":[\"uuid\",\"", i % 3 ? "atapath" : "p_group");
    put_uuid(s, i % 3 ? i % N_DATAPATHS : 6000000 + i % 40);
    str_puts(s, "\"],\"match\":");
    switch (i % 5) {
    case 0: str_printf(s, "\"inport == \\\"project-%d_pod-%d\\\"\"", i % 50, i); break;
    case 1: str_printf(s, "\"eth.dst == 0a:58:0a:f4:%02x:%02x\"", i >> 8 & 255, i & 255); break;
    case 2: str_printf(s, "\"reg0[7] == 1 && (outport == @a%d && ip4 && ip4.src == $a%d_v4 && tcp && tcp.dst == %d)\"", i, i * 7, i % 65536); break;
    case 3: str_printf(s, "\"reg7 == 0 && ip4.dst == 10.%d.%d.0/24\"", i >> 8 & 255, i & 255); break;
    default: str_printf(s, "\"ct.new && ip4.dst == 172.30.%d.%d && reg1[16..23] == 6 && reg1[0..15] == %d\"", i >> 8 & 255, i & 255, i % 65536); break;
    }
    str_printf(s, ",\"pipeline\":\"%s\",\"priority\":%d,\"table_id\":%d}}", i % 4 ? "ingress" : "egress", 50 + i % 2000, i % 35);
}

static void
put_table(struct str *s, const char *name, size_t until, void (*put)(struct str *, int), int n, int *count)
{
    str_printf(s, "%s\"%s\":{", s->len > 1 ? "," : "", name);
    int i;
    for (i = 0; n ? i < n : s->len < until; i++) {
        put(s, i);
    }
    *count += i;
    str_putc(s, '}');
}

static struct ovsdb *
replica(const struct ovsdb_db_desc *desc)
{
    struct ovsdb *db = XNEW(struct ovsdb);
    db->desc = desc;
    ovsdb_replica_init(db);
    return db;
}

static void
apply(struct ovsdb *db, const char *text, size_t n)
{
    struct json_reader r;
    json_reader_init(&r, text, n);
    json_next(&r);
    char *error = ovsdb_replica_apply(db, &r, OVSDB_UPDATE2);
    if (error) {
        panic("%s", error);
    }
    json_reader_destroy(&r);
}

static void
bench_content(size_t bytes, int rounds, bool digest)
{
    struct str s = STR_INIT;
    int n = 0;
    int64_t best = INT64_MAX;
    size_t memory = 0;

    str_putc(&s, '{');
    put_table(&s, "Datapath_Binding", 0, put_datapath, N_DATAPATHS, &n);
    put_table(&s, "Port_Binding", bytes / 3, put_port, 0, &n);
    put_table(&s, "Logical_Flow", bytes, put_flow, 0, &n);
    str_putc(&s, '}');
    for (int i = 0; i < rounds; i++) {
        struct ovsdb *db = replica(&sb_db);
        if (digest) {
            ovsdb_use_digest(db, &sb_table_logical_flow, UINT64_C(0x1ff));
            ovsdb_use_digest(db, &sb_table_port_binding, UINT64_C(0xfff));
        }
        ovsdb_use_all(db);
        size_t before = mallinfo2().uordblks + mallinfo2().hblkhd;
        int64_t start = clock_cpu_usec();
        apply(db, s.s, s.len);
        best = MIN(best, clock_cpu_usec() - start);
        memory = mallinfo2().uordblks + mallinfo2().hblkhd - before;
        ovsdb_replica_destroy(db);
        free(db);
        intern_collect();
    }
    printf("%-42s %6.0f MB/s CPU  (%zu MB, %d rows; %zu bytes of memory a row)\n",
           digest ? "replica, JSON text to digests" : "replica, JSON text to typed rows",
           (double) s.len / best, s.len / 1000000, n, memory / n);
    str_free(&s);
}

/* A switch of 10,000 ports gets one more, and loses it. */
static void
bench_element(void)
{
    enum { N = 10000, CHANGES = 20000 };
    struct ovsdb *db = replica(&nb_db);
    struct str s = STR_INIT, diff = STR_INIT;

    ovsdb_use_all(db);
    str_puts(&s, "{\"Logical_Switch\":{\"");
    put_uuid(&s, 1);
    str_puts(&s, "\":{\"initial\":{\"name\":\"big\",\"ports\":[\"set\",[");
    for (int i = 0; i < N; i++) {
        str_puts(&s, i ? ",[\"uuid\",\"" : "[\"uuid\",\"");
        put_uuid(&s, 100 + i);
        str_puts(&s, "\"]");
    }
    str_puts(&s, "]]}}}}");
    apply(db, s.s, s.len);
    int64_t start = clock_cpu_usec();
    for (int i = 0; i < CHANGES; i++) {
        str_clear(&diff);
        str_puts(&diff, "{\"Logical_Switch\":{\"");
        put_uuid(&diff, 1);
        str_puts(&diff, "\":{\"modify\":{\"ports\":[\"uuid\",\"");
        put_uuid(&diff, 100000 + i / 2);
        str_puts(&diff, "\"]}}}}");
        apply(db, diff.s, diff.len);
    }
    printf("%-42s %6.2f us CPU\n", "one element of a set of 10,000", (double) (clock_cpu_usec() - start) / CHANGES);
    str_free(&s);
    str_free(&diff);
    ovsdb_replica_destroy(db);
    free(db);
}

static void
bench_record(void)
{
    enum { N = 200000 };
    struct ovsdb_record *r = ovsdb_record_create(&sb_table_logical_flow);
    uint64_t x = 0;
    struct uuid datapath = { { 1, 2, 3, 4 } };

    int64_t start = clock_cpu_usec();
    for (int i = 0; i < N; i++) {
        ovsdb_record_reset(r);
        ovsdb_record_uuid(r, SB_LOGICAL_FLOW_LOGICAL_DATAPATH, &datapath);
        ovsdb_record_str(r, SB_LOGICAL_FLOW_PIPELINE, "ingress");
        ovsdb_record_int(r, SB_LOGICAL_FLOW_TABLE_ID, i % 35);
        ovsdb_record_int(r, SB_LOGICAL_FLOW_PRIORITY, i);
        ovsdb_record_str(r, SB_LOGICAL_FLOW_MATCH, "ct.new && ip4.dst == 172.30.1.2 && reg1[16..23] == 6 && reg1[0..15] == 443");
        ovsdb_record_str(r, SB_LOGICAL_FLOW_ACTIONS, "reg1 = 172.30.1.2; reg2[0..15] = 443; ct_lb_mark(backends=10.244.3.4:8443);");
        ovsdb_record_map(r, SB_LOGICAL_FLOW_EXTERNAL_IDS, "stage-name", "ls_in_lb");
        ovsdb_record_map(r, SB_LOGICAL_FLOW_EXTERNAL_IDS, "source", "lb.c:100");
        ovsdb_record_map(r, SB_LOGICAL_FLOW_EXTERNAL_IDS, "stage-hint", "0a1b2c3d");
        x += ovsdb_record_digest(r, UINT64_MAX).lo;
    }
    printf("%-42s %6.0f ns CPU%s\n", "a logical flow's record, filled and digested", (double) (clock_cpu_usec() - start) * 1000 / N, x ? "" : " ");
    ovsdb_record_destroy(r);
}

int
main(int argc, char *argv[])
{
    int64_t megabytes = 50, rounds = 5;

    program_set_name(argv[0]);
    if ((argc > 1 && !str_to_int(argv[1], 1, 2000, &megabytes)) || (argc > 2 && !str_to_int(argv[2], 1, 1000, &rounds))) {
        fprintf(stderr, "usage: %s [MEGABYTES [ROUNDS]]\n", argv[0]);
        return 1;
    }
    bench_content(megabytes * 1000000, rounds, false);
    bench_content(megabytes * 1000000, rounds, true);
    bench_element();
    bench_record();
    return 0;
}

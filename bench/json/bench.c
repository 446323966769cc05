/* bench-json [MEGABYTES [ROUNDS]] - how fast JSON is read, beside jansson (DESIGN.md 8).
 *
 * Makes an OVSDB message as a replica of a southbound database gets it at start-up (an update of
 * logical flows), and reads it with json/ (every token pulled; strings and integers looked at) and with
 * jansson's json_loadb(). Prints megabytes a CPU second, each the best of the same number of rounds, taken
 * in turn. The two do not do the same: jansson has no pull reader, and what it gives is a tree (whose freeing is
 * not counted); a program that reads through jansson pays for that tree, one that reads through json/ does not. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/uuid.h"
#include "json/json.h"
#include "peer.h"

static void
put_uuid(struct str *s)
{
    struct uuid u = uuid_random();
    char text[UUID_LEN + 1];
    uuid_format(&u, text);
    json_put_cstr(s, text);
}

static void
put_flow(struct str *s, int i)
{
    static const char *const matches[] = {
        "inport == \"pod-%d\" && eth.src == {0a:58:0a:f4:%02x:%02x}",
        "ip4.dst == 10.244.%d.%d && reg0[7] == 1",
        "ip && ct.new && ip4.dst == 172.30.%d.%d && tcp.dst == 443",
        "eth.dst == 0a:58:0a:f4:%02x:%02x",
        "1",
    };
    static const char *const actions[] = {
        "next;",
        "reg0[0] = 1; next;",
        "ct_lb_mark(backends=10.244.3.4:8443,10.244.9.12:8443,10.244.77.8:8443);",
        "outport = \"pod-%d\"; output;",
        "drop;",
    };
    char text[256];
    put_uuid(s);
    str_puts(s, ":{\"insert\":{\"actions\":");
    snprintf(text, sizeof text, actions[i % 5], i);
    json_put_cstr(s, text);
    str_puts(s, ",\"external_ids\":[\"map\",[[\"source\",\"lswitch.c:");
    json_put_int(s, 1000 + i % 9000);
    str_puts(s, "\"],[\"stage-hint\",\"");
    str_printf(s, "%08x", i * 2654435761u);
    str_puts(s, "\"],[\"stage-name\",\"ls_in_acl_eval\"]]],\"logical_dp_group\":");
    if (i % 3) {
        str_puts(s, "[\"set\",[]],\"logical_datapath\":[\"uuid\",");
        put_uuid(s);
    } else {
        str_puts(s, "[\"uuid\",");
        put_uuid(s);
        str_puts(s, "],\"logical_datapath\":[\"set\",[]");
    }
    str_puts(s, "],\"match\":");
    snprintf(text, sizeof text, matches[i % 5], i % 256, i / 256 % 256, i % 251);
    json_put_cstr(s, text);
    str_printf(s, ",\"pipeline\":\"%s\",\"priority\":%d,\"table_id\":%d,\"hash\":%u}}",
               i & 1 ? "ingress" : "egress", i % 65536, i % 33, i * 40503u);
}

static void
make_update(struct str *s, size_t size)
{
    str_puts(s, "{\"id\":null,\"method\":\"update3\",\"params\":[[\"monid\",\"OVN_Southbound\"],");
    put_uuid(s);
    str_puts(s, ",{\"Logical_Flow\":{");
    for (int i = 0; s->len < size; i++) {
        if (i) {
            str_putc(s, ',');
        }
        put_flow(s, i);
    }
    str_puts(s, "}}]}");
}

static uint64_t sink, n_tokens;

/* CPU time in microseconds. */
static int64_t
read_ours(const struct str *text)
{
    int64_t start = clock_cpu_usec();
    struct json_reader r;
    json_reader_init(&r, text->s, text->len);
    n_tokens = 0;
    for (enum json_token t; (t = json_next(&r)) != JSON_END; n_tokens++) {
        switch (t) {
        case JSON_KEY:
        case JSON_STRING:
            sink += r.s.n + (r.s.n ? r.s.p[0] : 0);
            break;
        case JSON_INTEGER:
            sink += r.i;
            break;
        case JSON_ERROR:
            panic("%s", json_error(&r));
        default:
            break;
        }
    }
    json_reader_destroy(&r);
    return clock_cpu_usec() - start;
}

static int64_t
frame_ours(const struct str *text)
{
    int64_t start = clock_cpu_usec();
    struct json_framer f = JSON_FRAMER_INIT;
    bool complete;
    for (size_t i = 0; i < text->len;) {
        size_t n = MIN(text->len - i, 65536);
        size_t used = json_framer_feed(&f, text->s + i, n, &complete);
        REQUIRE(used <= n && complete == (i + used == text->len));
        i += used;
    }
    return clock_cpu_usec() - start;
}

int
main(int argc, char **argv)
{
    program_set_name(argv[0]);
    int megabytes = argc > 1 ? atoi(argv[1]) : 50, rounds = argc > 2 ? atoi(argv[2]) : 5;
    if (megabytes < 1 || rounds < 1) {
        fprintf(stderr, "usage: %s [MEGABYTES [ROUNDS]]\n", program_name());
        return 2;
    }
    struct str text = STR_INIT;
    make_update(&text, (size_t) megabytes * 1000000);
    int64_t reader = INT64_MAX, framer = INT64_MAX, peer = INT64_MAX;
    for (int i = 0; i < rounds; i++) {
        reader = MIN(reader, read_ours(&text));
        framer = MIN(framer, frame_ours(&text));
        peer = peer_exists ? MIN(peer, peer_read(&text)) : 0;
    }
    /* Bytes a microsecond are megabytes a second. */
    double ours = text.len / (double) MAX(reader, 1);
    printf("json: %zu bytes, %" PRIu64 " tokens: reader %.0f MB/s, framer %.0f MB/s", text.len, n_tokens, ours,
           text.len / (double) MAX(framer, 1));
    if (peer_exists) {
        double theirs = text.len / (double) MAX(peer, 1);
        printf(", jansson (a tree) %.0f MB/s, reader/jansson %.1f", theirs, ours / theirs);
    } else {
        printf(", jansson not installed");
    }
    printf("\n");
    str_free(&text);
    return sink == 42;         /* So that the reading is not optimised away. */
}

/* fuzz_action.c - any text is valid actions or a message with a column; what is valid formats to a text that formats to itself, encodes alike before and after, or is refused
 * with nothing appended, also where nothing is supported; what is encoded can be shown; and the formatted text requires what the text did. */
#include <stdlib.h>

#include "logical/action.h"
#include "openflow/action.h"

int LLVMFuzzerTestOneInput(const uint8_t *, size_t);

static bool
lookup_port(void *aux, const char *name, uint32_t *key)
{
    *key = strlen(name) % 3 + 1;
    return *name != 'x';
}

/* Looks at every byte of every bucket. */
static bool
group(void *aux, const struct action_group *g, uint32_t *id)
{
    struct str s = STR_INIT;
    REQUIRE(g->n >= 1);
    for (size_t i = 0; i < g->n; i++) {
        REQUIRE(g->buckets[i].len % 8 == 0);
        ofa_format(g->buckets[i].actions, g->buckets[i].len, &s);
    }
    *id = s.len;
    str_free(&s);
    return true;
}

static bool
rate_meter(void *aux, uint32_t kbps, uint32_t burst, uint32_t *id)
{
    *id = kbps;
    return kbps != 0;
}

/* The first letters say what an option is: code 0 for "o", and its type. */
static bool
dhcp_option(void *aux, bool ipv6, const char *name, uint8_t *code, const char **type)
{
    static const char *const types[] = { "bool", "uint8", "uint16", "uint32", "ipv4", "ipv6", "static_routes", "str", "host_id", "domains", "mac" };
    *code = *name == 'o' ? 0 : name[1] == 's' ? 24 : (uint8_t) name[0];
    *type = *name == 'o' ? "ipv4" : types[(uint8_t) name[0] % ARRAY_SIZE(types)];
    return *name != 'x';
}

static bool
resident(void *aux, const char *name)
{
    return *name == 'h';
}

static bool
tunnel_port(void *aux, const char *name, uint32_t *port)
{
    *port = 7;
    return *name == 't';
}

static bool
datapath_key(void *aux, uint32_t *key)
{
    *key = 5;
    return true;
}

static void
check_encoding(const struct actions *a, const struct actions *b, const struct action_env *env)
{
    struct str s = STR_INIT, t = STR_INIT, text = STR_INIT;
    char *error = actions_encode(a, env, &s), *error2 = actions_encode(b, env, &t);
    REQUIRE(!error == !error2 && s.len == t.len && (!s.len || !memcmp(s.s, t.s, s.len)));
    REQUIRE(!error || !s.len);
    REQUIRE(s.len % 8 == 0);
    ofa_format(s.s, s.len, &text);
    free(error);
    free(error2);
    str_free(&s);
    str_free(&t);
    str_free(&text);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    static const struct action_env ingress = {
        .cur_ltable = 5, .n_tables = 30, .ingress_table = 8, .egress_table = 62, .output_table = 52, .save_inport_table = 88, .is_switch = true,
        .tables = { 90, 91, 92, 93, 94, 95, 96, 97, 98, 99, 100, 101, 102, 103, 104, 105 }, .lookup_port = lookup_port,
        .group = group, .rate_meter = rate_meter, .dhcp_option = dhcp_option, .is_chassis_resident = resident, .tunnel_port = tunnel_port,
        .datapath_key = datapath_key,
    };
    static const struct action_env bare = { .n_tables = 30, .ingress_table = 8 };      /* Where nothing is supported. */
    struct action_env egress = ingress;
    egress.pipeline = LOGICAL_EGRESS;
    egress.is_switch = false;
    char *text = xstrndup((const char *) data, n);
    struct actions *a, *again;
    struct str s = STR_INIT, t = STR_INIT;
    char *error = actions_parse(text, &a);
    REQUIRE(!error == (a != NULL));
    if (error) {
        REQUIRE(!strncmp(error, "column ", 7));
    } else {
        actions_format(a, &s);
        error = actions_parse(str_c(&s), &again);
        REQUIRE(!error);
        actions_format(again, &t);
        REQUIRE(s.len == t.len && !strcmp(str_c(&s), str_c(&t)));
        check_encoding(a, again, &ingress);
        check_encoding(a, again, &egress);
        check_encoding(a, again, &bare);
        if (actions_prereqs(a)) {
            str_clear(&s);
            str_clear(&t);
            expr_format(actions_prereqs(a), &s);
            expr_format(actions_prereqs(again), &t);
            REQUIRE(s.len == t.len && !strcmp(str_c(&s), str_c(&t)));
        }
        actions_unref(again);
        actions_unref(a);
    }
    free(error);
    str_free(&s);
    str_free(&t);
    free(text);
    return 0;
}

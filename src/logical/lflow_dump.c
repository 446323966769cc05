/* lflow_dump.c - a helper for tests: logical flows in, OpenFlow out.
 *
 * Reads lines "PIPELINE<tab>TABLE<tab>PRIORITY<tab>MATCH<tab>ACTIONS" (pipeline ingress or egress) and writes for each the OpenFlow flows as ovs-ofctl takes them.
 * Every port has a key made of its name. What is refused is written to the standard error, and so is a text that is not the same after formatting; then the exit status is 1.
 *
 *   --hex           OpenFlow 1.5 flow_mod messages for "ovs-ofctl ofp-print" instead
 *   --conjunctions  conjunctive matches where they make fewer flows
 *   --dhcp FILE     the DHCP options there are: lines "4 or 6<space>CODE<space>NAME<space>TYPE"
 *   --groups FILE   the OpenFlow groups that the flows name are written there, as "ovs-ofctl add-groups" takes them
 *   --meters FILE   and the meters, one line each for "ovs-ofctl add-meter" */
#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/hash.h"
#include "logical/action.h"
#include "openflow/action.h"

static bool
lookup_port(void *aux, const char *name, uint32_t *key)
{
    *key = 1 + hash_string(name, 0) % 32767;
    return true;
}

/* What groups and meters are made for, in the order of their numbers. */
struct numbers {
    char **text;
    uint32_t n;
    size_t cap;
};
static struct numbers groups, meters;

static uint32_t
number_of(struct numbers *x, struct str *text)
{
    uint32_t i = 0;
    while (i < x->n && strcmp(x->text[i], str_c(text))) {
        i++;
    }
    if (i == x->n) {
        GROW(x->text, x->cap, x->n + 1);
        x->text[x->n++] = xstrdup(str_c(text));
    }
    str_free(text);
    return i + 1;
}

static void
write_numbers(const struct numbers *x, const char *key, const char *file)
{
    FILE *f = file ? fopen(file, "w") : NULL;
    for (uint32_t i = 0; f && i < x->n; i++) {
        fprintf(f, "%s=%u,%s\n", key, i + 1, x->text[i]);
    }
    if (file && (!f || fclose(f))) {
        fprintf(stderr, "%s cannot be written\n", file);
        exit(1);
    }
}

static bool
meter(void *aux, const char *name, uint32_t *id)
{
    struct str s = STR_INIT;
    str_puts(&s, "pktps,band=type=drop,rate=10");
    *id = number_of(&meters, &s);
    return true;
}

static bool
resident(void *aux, const char *name)
{
    return true;
}

static bool
group(void *aux, const struct action_group *g, uint32_t *id)
{
    struct str s = STR_INIT;
    str_puts(&s, g->hash_fields ? "type=select,selection_method=hash,fields(" : "type=select,selection_method=dp_hash");
    if (g->hash_fields) {
        str_printf(&s, "%s)", g->hash_fields);
    }
    for (size_t i = 0; i < g->n; i++) {
        str_printf(&s, ",bucket=bucket_id=%zu,weight:%u,", i, g->buckets[i].weight);
        if (g->buckets[i].watch_port) {
            str_printf(&s, "watch_port:%u,", g->buckets[i].watch_port);
        }
        str_puts(&s, "actions=");
        ofa_format(g->buckets[i].actions, g->buckets[i].len, &s);
    }
    *id = number_of(&groups, &s);
    return true;
}

static bool
rate_meter(void *aux, uint32_t kbps, uint32_t burst, uint32_t *id)
{
    struct str s = STR_INIT;
    str_printf(&s, burst ? "kbps,burst,band=type=drop,rate=%u,burst_size=%u" : "kbps,band=type=drop,rate=%u", kbps, burst);
    *id = number_of(&meters, &s);
    return true;
}

/* DHCP_Options and DHCPv6_Options. */
struct dhcp_option {
    bool ipv6;
    uint8_t code;
    char name[64], type[32];
};
static struct dhcp_option *dhcp_options;
static size_t n_dhcp_options, cap_dhcp_options;

static bool
dhcp_option(void *aux, bool ipv6, const char *name, uint8_t *code, const char **type)
{
    for (size_t i = 0; i < n_dhcp_options; i++) {
        const struct dhcp_option *o = &dhcp_options[i];
        if (o->ipv6 == ipv6 && str_eq(o->name, name)) {
            *code = o->code;
            *type = o->type;
            return true;
        }
    }
    return false;
}

static void
read_dhcp_options(const char *file)
{
    FILE *f = fopen(file, "r");
    struct dhcp_option o;
    int family, code;
    while (f && fscanf(f, "%d %d %63s %31s", &family, &code, o.name, o.type) == 4) {
        o.ipv6 = family == 6;
        o.code = code;
        GROW(dhcp_options, cap_dhcp_options, n_dhcp_options + 1);
        dhcp_options[n_dhcp_options++] = o;
    }
    if (!f || !feof(f)) {
        fprintf(stderr, "%s cannot be read\n", file);
        exit(1);
    }
    fclose(f);
}

static bool
datapath_key(void *aux, uint32_t *key)
{
    *key = 3;
    return true;
}

static const struct action_env action_env = {
    .n_tables = 40, .ingress_table = 8, .egress_table = 62, .output_table = 52, .save_inport_table = 88, .is_switch = true,
    .tables = { 90, 91, 92, 93, 94, 95, 96, 97, 98, 99, 100, 101, 102, 103, 104, 105 }, .cookie = 0xabcd1234,
    .lookup_port = lookup_port, .meter = meter, .group = group, .rate_meter = rate_meter, .dhcp_option = dhcp_option, .is_chassis_resident = resident,
    .datapath_key = datapath_key,
};

static void
put_be(struct str *s, uint64_t x, int bytes)
{
    for (int i = bytes; i-- > 0;) {
        str_putc(s, x >> (8 * i));
    }
}

/* OpenFlow 1.5.1, 7.3.4.2: one apply-actions instruction. */
static void
print_flow_mod(unsigned table, unsigned priority, const struct of_match *match, const struct str *actions)
{
    struct str oxm = STR_INIT, s = STR_INIT;
    of_match_put_oxm(match, &oxm);
    size_t match_len = 4 + oxm.len, padded = (match_len + 7) / 8 * 8;
    put_be(&s, 6, 1);
    put_be(&s, 14, 1);
    put_be(&s, 48 + padded + (actions->len ? 8 + actions->len : 0), 2);
    put_be(&s, 1, 4);
    put_be(&s, 0, 8);
    put_be(&s, 0, 8);
    put_be(&s, table, 1);
    put_be(&s, 0, 1);
    put_be(&s, 0, 4);
    put_be(&s, priority, 2);
    put_be(&s, UINT32_MAX, 4);
    put_be(&s, UINT32_MAX, 4);
    put_be(&s, UINT32_MAX, 4);
    put_be(&s, 0, 4);
    put_be(&s, 1, 2);
    put_be(&s, match_len, 2);
    str_put(&s, oxm.s, oxm.len);
    put_be(&s, 0, padded - match_len);
    if (actions->len) {
        put_be(&s, 4, 2);
        put_be(&s, 8 + actions->len, 2);
        put_be(&s, 0, 4);
        str_put(&s, actions->s, actions->len);
    }
    for (size_t i = 0; i < s.len; i++) {
        printf("%02x", (uint8_t) s.s[i]);
    }
    putchar('\n');
    str_free(&s);
    str_free(&oxm);
}

static void
print_flow(unsigned table, unsigned priority, const struct of_match *match, const struct str *actions)
{
    struct str s = STR_INIT;
    str_printf(&s, "table=%u,priority=%u%s", table, priority, match->n ? "," : "");
    of_match_format(match, &s);
    str_puts(&s, " actions=");
    ofa_format(actions->s, actions->len, &s);
    puts(str_c(&s));
    str_free(&s);
}

static char *
check_format(const struct expr *e, const struct actions *a)
{
    struct str s = STR_INIT, t = STR_INIT;
    struct expr *e2 = NULL;
    struct actions *a2 = NULL;
    expr_format(e, &s);
    char *error = expr_parse(str_c(&s), &e2);
    if (!error && !expr_equal(e, e2)) {
        error = xasprintf("formatted as %s, which is another match", str_c(&s));
    }
    str_clear(&s);
    actions_format(a, &s);
    if (!error) {
        error = actions_parse(str_c(&s), &a2);
    }
    if (!error) {
        actions_format(a2, &t);
        if (strcmp(str_c(&s), str_c(&t))) {
            error = xasprintf("formatted as %s and then as %s", str_c(&s), str_c(&t));
        }
    }
    str_free(&s);
    str_free(&t);
    expr_unref(e2);
    actions_unref(a2);
    return error;
}

/* Puts numbers for conjunctions in their place that hang on TEXT and their order. */
static void
renumber(struct expr_matches *m, const char *text)
{
    uint32_t *numbers = xmalloc((m->n_conj_ids + 1) * sizeof *numbers);
    for (uint32_t i = 0; i < m->n_conj_ids; i++) {
        numbers[i] = 1 + hash_string(text, i) % (UINT32_MAX - 1);
    }
    for (size_t i = 0; i < m->n; i++) {
        expr_match_renumber(&m->m[i], numbers);
    }
    free(numbers);
}

static char *
translate(char *line, bool hex, bool conjunctions)
{
    char *field[5];
    for (int i = 0; i < 5; i++) {
        field[i] = strsep(&line, i < 4 ? "\t" : "\n");
        if (!field[i]) {
            return xstrdup("five fields are needed");
        }
    }
    struct action_env env = action_env;
    struct expr_env expr_env = { .lookup_port = lookup_port, .is_chassis_resident = resident };
    expr_env.conjunctions = conjunctions ? EXPR_CONJUNCTIONS_FEWER : EXPR_CONJUNCTIONS_NEVER;
    env.pipeline = strcmp(field[0], "egress") ? LOGICAL_INGRESS : LOGICAL_EGRESS;
    env.cur_ltable = atoi(field[1]);
    unsigned table = env.cur_ltable + (env.pipeline == LOGICAL_INGRESS ? env.ingress_table : env.egress_table);
    struct expr *e = NULL;
    struct actions *a = NULL;
    struct expr_matches m = EXPR_MATCHES_INIT;
    struct str out = STR_INIT;
    char *error = expr_parse(field[3], &e);
    error = error ? error : actions_parse(field[4], &a);
    error = error ? error : check_format(e, a);
    error = error ? error : expr_resolve(e, actions_prereqs(a), &expr_env, &m);
    error = error ? error : actions_encode(a, &env, &out);
    renumber(&m, field[3]);
    for (size_t i = 0; !error && i < m.n; i++) {
        struct str conjs = STR_INIT;
        expr_match_put_conjunctions(&m.m[i], &conjs);
        (hex ? print_flow_mod : print_flow)(table, atoi(field[2]), &m.m[i].match, m.m[i].n_conjs ? &conjs : &out);
        str_free(&conjs);
    }
    expr_matches_destroy(&m);
    str_free(&out);
    expr_unref(e);
    actions_unref(a);
    return error;
}

int
main(int argc, char **argv)
{
    char *line = NULL;
    size_t cap = 0;
    int status = 0;
    bool hex = false, conjunctions = false;
    const char *groups_file = NULL, *meters_file = NULL;
    for (int i = 1; i < argc; i++) {
        const char *value = i + 1 < argc ? argv[i + 1] : "";
        hex |= !strcmp(argv[i], "--hex");
        conjunctions |= !strcmp(argv[i], "--conjunctions");
        if (!strcmp(argv[i], "--dhcp")) {
            read_dhcp_options(value);
        } else if (!strcmp(argv[i], "--groups")) {
            groups_file = value;
        } else if (!strcmp(argv[i], "--meters")) {
            meters_file = value;
        }
    }
    while (getline(&line, &cap, stdin) > 0) {
        char *copy = xstrdup(line);
        char *error = translate(line, hex, conjunctions);
        if (error) {
            fprintf(stderr, "%s\n    %s", error, copy);
            status = 1;
        }
        free(error);
        free(copy);
    }
    free(line);
    write_numbers(&groups, "group_id", groups_file);
    write_numbers(&meters, "meter", meters_file);
    return status;
}

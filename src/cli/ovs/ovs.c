/* ovs.c - see ovs.h.
 *
 * ovs-ofctl(8), of the switch that is asked, fetches and writes the flows: so they look as their readers know them, also those with fields and
 * actions that only this version of Open vSwitch has. */
#include "cli/ovs/ovs.h"

#include <stdio.h>
#include <stdlib.h>
#include "base/hmap.h"
#include "runtime/daemon.h"

enum { DEFAULT_PRIORITY = 32768 };     /* Which ovs-ofctl does not write. */

struct ovs_flow {
    struct hmap_node node;             /* By cookie. */
    unsigned table, priority;
    size_t order;
    char *text;
};
struct ovs_flows {
    struct hmap flows;
};

/* The number after the word KEY ("table="), which begins a word of what FLOW says before its actions. */
static unsigned
number_after(const char *flow, const char *key, unsigned default_)
{
    const char *actions = strstr(flow, "actions="), *p = flow;
    size_t n = strlen(key);

    while ((p = strstr(p, key)) && (!actions || p < actions)) {
        if (p == flow || p[-1] == ' ' || p[-1] == ',') {
            return strtoul(p + n, NULL, 10);
        }
        p += n;
    }
    return default_;
}

static void
add_line(struct ovs_flows *flows, const char *line)
{
    unsigned long long cookie;

    line += strspn(line, " ");
    if (sscanf(line, "cookie=0x%llx", &cookie) != 1 || !strchr(line, ',')) {
        return;
    }
    struct ovs_flow *f = XNEW(struct ovs_flow);
    f->table = number_after(line, "table=", 0);
    f->priority = number_after(line, "priority=", DEFAULT_PRIORITY);
    f->order = hmap_count(&flows->flows);
    f->text = xstrdup(line);
    hmap_insert(&flows->flows, &f->node, (uint32_t) cookie);
}

char *
ovs_default_remote(void)
{
    return xasprintf("unix:%s/br-int.mgmt", dir_ovs_run());
}

struct ovs_flows *
ovs_flows_get(const char *remote, bool stats, char **error)
{
    const char *const argv[] = { "ovs-ofctl", "-OOpenFlow15", "--timeout=10", "--no-names", stats ? "--stats" : "--no-stats", "--", "dump-flows", remote, NULL };
    struct str out = STR_INIT;
    struct ovs_flows *flows = NULL;

    *error = NULL;
    if (!child_run(argv, "", 0, true, &out)) {
        char *text = str_c(&out);
        text[strcspn(text, "\n")] = '\0';
        *error = xasprintf("--ovs: no switch at %s (%s)", remote, *text ? text : "ovs-ofctl(8) is not installed");
    } else {
        flows = XNEW(struct ovs_flows);
        hmap_init(&flows->flows);
        char *text = str_c(&out), *line;
        while ((line = strsep(&text, "\n"))) {
            add_line(flows, line);
        }
    }
    str_free(&out);
    return flows;
}

void
ovs_flows_destroy(struct ovs_flows *flows)
{
    if (flows) {
        HMAP_FOR_EACH_SAFE (f, struct ovs_flow, node, &flows->flows) {
            free(f->text);
            free(f);
        }
        hmap_destroy(&flows->flows);
        free(flows);
    }
}

static int
compare_flows(const void *a_, const void *b_)
{
    const struct ovs_flow *a = *(const struct ovs_flow *const *) a_, *b = *(const struct ovs_flow *const *) b_;

    if (a->table != b->table) {
        return a->table < b->table ? -1 : 1;
    } else if (a->priority != b->priority) {
        return a->priority > b->priority ? -1 : 1;
    }
    return (a->order > b->order) - (a->order < b->order);
}

void
ovs_flows_for_each(const struct ovs_flows *flows, uint32_t cookie, void (*cb)(void *aux, const char *flow), void *aux)
{
    const struct ovs_flow **found = NULL;
    size_t n = 0, cap = 0;

    HMAP_FOR_EACH_HASH (f, struct ovs_flow, node, cookie, &flows->flows) {
        GROW(found, cap, n + 1);
        found[n++] = f;
    }
    if (n) {
        qsort(found, n, sizeof *found, compare_flows);
    }
    for (size_t i = 0; i < n; i++) {
        cb(aux, found[i]->text);
    }
    free(found);
}

const char *
ovs_flow_after_cookie(const char *flow)
{
    const char *rest = strchr(flow, ',');

    return rest ? rest + 1 + strspn(rest + 1, " ") : flow;
}

/* Words before the actions are separated by spaces: "cookie=0x1," (each ends with a comma), "send_flow_rem", and last the match, with its priority first. */
void
ovs_flow_put_brief(const char *flow, struct str *out)
{
    static const char *const flags[] = { "send_flow_rem", "check_overlap", "reset_counts", "no_packet_counts", "no_byte_counts" };
    const char *actions = strstr(flow, "actions=");

    str_printf(out, "table=%u ", number_after(flow, "table=", 0));
    if (!actions) {
        return;
    }
    const char *end = actions;
    while (end > flow && end[-1] == ' ') {
        end--;
    }
    const char *match = end;
    while (match > flow && match[-1] != ' ') {
        match--;
    }
    size_t n = end - match;
    for (size_t i = 0; i < ARRAY_SIZE(flags); i++) {
        n = n == strlen(flags[i]) && !strncmp(match, flags[i], n) ? 0 : n;
    }
    if (n && match[n - 1] != ',') {
        if (str_after(match, "priority=")) {
            const char *comma = memchr(match, ',', n);
            match = comma ? comma + 1 : end;
        }
        str_put(out, match, end - match);
        str_puts(out, end > match ? " " : "");
    }
    str_puts(out, actions);
}

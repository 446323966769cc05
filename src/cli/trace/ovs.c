/* ovs.c - the flows of a real switch, by cookie, for --ovs. The cookie of a flow begins like the UUID of its logical flow.
 *
 * ovs-ofctl(8), of the switch that is asked, fetches and writes them. */
#include "cli/trace/show.h"

#include <stdio.h>
#include <stdlib.h>

struct ovs_flow {
    struct hmap_node node;             /* By cookie. */
    uint32_t cookie;
    size_t order;
    char *text;
};
struct ovs_flows {
    struct hmap flows;
};

static void
add_line(struct ovs_flows *flows, const char *line)
{
    unsigned long long cookie;
    const char *p = strstr(line, "cookie=0x"), *rest;

    if (!p || sscanf(p, "cookie=0x%llx", &cookie) != 1 || !(rest = strchr(p, ','))) {
        return;
    }
    struct ovs_flow *f = XNEW(struct ovs_flow);
    f->cookie = cookie;
    f->order = hmap_count(&flows->flows);
    rest += 1 + strspn(rest + 1, " ");
    f->text = xstrndup(rest, strcspn(rest, "\n"));
    hmap_insert(&flows->flows, &f->node, f->cookie);
}

struct ovs_flows *
ovs_flows_get(const char *remote, char **error)
{
    const char *const argv[] = { "ovs-ofctl", "-OOpenFlow15", "--timeout=10", "--no-stats", "--no-names", "dump-flows", remote, NULL };
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
compare_order(const void *a_, const void *b_)
{
    const struct ovs_flow *const *a = a_, *const *b = b_;

    return ((*a)->order > (*b)->order) - ((*a)->order < (*b)->order);
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
        qsort(found, n, sizeof *found, compare_order);
    }
    for (size_t i = 0; i < n; i++) {
        cb(aux, found[i]->text);
    }
    free(found);
}

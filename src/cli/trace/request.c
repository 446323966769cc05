/* request.c - see request.h. */
#include "cli/trace/request.h"

#include <stdlib.h>
#include "cli/trace/show.h"

enum { FORM_DETAILED = 1, FORM_SUMMARY = 2, FORM_MINIMAL = 4, FORM_JSON = 8, FORM_GRAPH = 16, FORM_WHY = 32 };

void
request_destroy(struct request *r)
{
    free(r->ct_states);
}

static char *
add_ct(struct request *r, const char *arg)
{
    uint32_t state;
    char *error = trace_parse_ct_state(arg, &state);

    if (!error) {
        GROW(r->ct_states, r->cap_ct_states, r->n_ct_states + 1);
        r->ct_states[r->n_ct_states++] = state;
    }
    return error;
}

char *
request_option(struct request *r, int opt, const char *arg, bool *known)
{
    static const unsigned forms[] = { [REQUEST_OPT_DETAILED - REQUEST_OPT_DETAILED] = FORM_DETAILED, FORM_SUMMARY, FORM_MINIMAL,
                                      FORM_DETAILED | FORM_SUMMARY | FORM_MINIMAL };
    static char *default_switch;

    *known = true;
    switch (opt) {
    case REQUEST_OPT_DETAILED:
    case REQUEST_OPT_SUMMARY:
    case REQUEST_OPT_MINIMAL:
    case REQUEST_OPT_ALL:
        r->forms |= forms[opt - REQUEST_OPT_DETAILED];
        return NULL;
    case REQUEST_OPT_JSON:
    case REQUEST_OPT_GRAPH:
    case REQUEST_OPT_WHY:
        r->forms |= opt == REQUEST_OPT_JSON ? FORM_JSON : opt == REQUEST_OPT_GRAPH ? FORM_GRAPH : FORM_WHY;
        return NULL;
    case REQUEST_OPT_OVS:
        default_switch = default_switch ? default_switch : ovs_default_remote();
        r->ovs = arg ? arg : default_switch;
        return NULL;
    case REQUEST_OPT_CT:
        return add_ct(r, arg);
    case REQUEST_OPT_LB_DST:
        r->lb_dst = arg;
        return NULL;
    case REQUEST_OPT_SELECT_ID:
        return str_to_int(arg, 0, UINT16_MAX, &r->select_id) ? NULL : xasprintf("%s: --select-id is a number from 0 to 65535", arg);
    case REQUEST_OPT_FRIENDLY:
    case REQUEST_OPT_NO_FRIENDLY:
        r->friendly = opt == REQUEST_OPT_FRIENDLY;
        return NULL;
    }
    *known = false;
    return NULL;
}

char *
request_arguments(struct request *r, int argc, const char *const argv[])
{
    if (argc < 1 || argc > 2) {
        return xstrdup(argc < 1 ? "a microflow is needed (--help for help)" : "one or two arguments are needed: [DATAPATH] MICROFLOW");
    }
    r->datapath = argc == 2 ? argv[0] : NULL;
    r->microflow = argv[argc - 1];
    return NULL;
}

char *
request_parse(struct request *r, bool daemon, int argc, const char *const argv[])
{
    static const struct option options[] = { REQUEST_OPTIONS, { NULL, 0, NULL, 0 } };
    char **args = xcalloc(argc + 1, sizeof *args), *error = NULL;
    int opt;

    for (int i = 0; i < argc; i++) {
        args[i] = (char *) argv[i];
    }
    optind = 0;
    opterr = 0;
    while (!error && (opt = getopt_long(argc, args, ":", options, NULL)) != -1) {
        bool known;
        if (daemon && (opt == REQUEST_OPT_LB_DST || opt == REQUEST_OPT_SELECT_ID)) {
            error = xasprintf("%s is not available in daemon mode", opt == REQUEST_OPT_LB_DST ? "--lb-dst" : "--select-id");
        } else if (opt == '?' || opt == ':') {
            error = xasprintf("%s: %s", args[optind - 1], opt == '?' ? "unknown option" : "an argument is needed");
        } else {
            error = request_option(r, opt, optarg, &known);
        }
    }
    error = error ? error : request_arguments(r, argc - optind, (const char *const *) args + optind);
    free(args);
    return error;
}

bool
request_wants_nb(const struct request *r)
{
    return r->forms & (FORM_WHY | FORM_JSON);
}

/* Graphviz draws it, if it is there. */
static void
put_graph(const struct trace_result *r, struct str *out)
{
    struct str dot = STR_INIT;

    show_dot(r, &dot);
    if (!graph_to_svg(str_c(&dot), dot.len, out)) {
        str_put(out, dot.s, dot.len);
    }
    str_free(&dot);
}

static void
put_forms(const struct request *q, const struct trace_result *r, const struct ovs_flows *ovs, struct ovsdb *nb,
          struct str *out)
{
    unsigned forms = q->forms ? q->forms : FORM_DETAILED;
    bool banners = forms & (forms - 1);

    if (forms & (FORM_DETAILED | FORM_SUMMARY | FORM_MINIMAL)) {
        str_printf(out, "# %s\n", r->openflow);
    }
    if (forms & FORM_DETAILED) {
        str_puts(out, banners ? "# Detailed trace.\n" : "");
        show_detailed(r, ovs, out);
    }
    if (forms & FORM_SUMMARY) {
        str_puts(out, banners ? "# Summary trace.\n" : "");
        show_summary(r, out);
    }
    if (forms & FORM_MINIMAL) {
        str_puts(out, banners ? "# Minimal trace.\n" : "");
        show_minimal(r, out);
    }
    if (forms & FORM_JSON) {
        show_json(r, q->microflow, nb, out);
    }
    if (forms & FORM_GRAPH) {
        put_graph(r, out);
    }
    if (forms & FORM_WHY) {
        str_puts(out, banners && forms != (FORM_WHY | FORM_JSON) ? "# Why.\n" : "");
        show_why(r, nb, out);
    }
}

char *
request_run(const struct request *q, const struct world_indexes *db, struct ovsdb *nb, struct str *out)
{
    struct trace_question question = { .datapath = q->datapath, .microflow = q->microflow, .friendly = q->friendly, .ct_states = q->ct_states,
                                       .n_ct_states = q->n_ct_states, .lb_dst = q->lb_dst, .select_id = q->select_id };
    struct trace_result r;
    char *error = NULL;
    struct ovs_flows *ovs = q->ovs ? ovs_flows_get(q->ovs, false, &error) : NULL;

    error = error ? error : trace_run(db, &question, &r);
    if (!error) {
        put_forms(q, &r, ovs, nb, out);
        trace_result_destroy(&r);
    }
    ovs_flows_destroy(ovs);
    return error;
}

/* data.c - the trace for programs (JSON) and as a picture (Graphviz). */
#include "cli/trace/show.h"

#include "json/json.h"

static const char *const kinds[] = {
    [TRACE_PIPELINE] = "pipeline", [TRACE_TABLE] = "table", [TRACE_ACTION] = "action", [TRACE_GOTO] = "action", [TRACE_COMMENT] = "comment", [TRACE_NOTE] = "note", [TRACE_MODIFY] = "modify",
    [TRACE_OUTPUT] = "output", [TRACE_TRANSFORM] = "transform", [TRACE_MULTICAST] = "multicast", [TRACE_ERROR] = "error",
};

/* ---- JSON ---- */

static void
put_member(struct str *out, const char *name, const char *value)
{
    if (out->s[out->len - 1] != '{') {
        str_putc(out, ',');
    }
    json_put_cstr(out, name);
    str_putc(out, ':');
    if (value) {
        json_put_cstr(out, value);
    }
}

static void
put_integer(struct str *out, const char *name, int64_t value)
{
    put_member(out, name, NULL);
    json_put_int(out, value);
}

/* What a flow's row says of itself. */
static void
put_flow(const struct trace_step *step, struct str *out)
{
    const char *stage = datapath_stage(step->dp, step->pipeline, step->table);
    char uuid[UUID_LEN + 1];

    put_member(out, "datapath", datapath_name(step->dp));
    put_member(out, "pipeline", step->pipeline == LOGICAL_INGRESS ? "ingress" : "egress");
    put_integer(out, "table", step->table);
    if (!step->flow) {
        put_member(out, "stage", stage);
        return;
    }
    struct sb_logical_flow *row = step->flow->row;
    const struct ovsdb_map *ids = sb_logical_flow_external_ids(row, NULL);
    const char *name = ovsdb_map_get(ids, "stage-name"), *hint = ovsdb_map_get(ids, "stage-hint"), *source = ovsdb_map_get(ids, "source");
    uuid_format(&row->row_.uuid, uuid);
    put_member(out, "stage", name ? name : stage);
    put_integer(out, "priority", step->flow->priority);
    put_member(out, "uuid", uuid);
    put_member(out, "match", sb_logical_flow_match(row, NULL));
    put_member(out, "actions", sb_logical_flow_actions(row, NULL));
    if (hint) {
        put_member(out, "stage_hint", hint);
    }
    if (source) {
        put_member(out, "source", source);
    }
}

/* What a table calls last stands after the table and not within it, or the depth would be that of the pipelines. NULL: nothing. */
static const struct trace_node *
tail_of(const struct trace_node *n)
{
    const struct trace_node *last = n->kind == TRACE_TABLE ? n->last : NULL;

    return last && (last->kind == TRACE_TABLE || last->kind == TRACE_PIPELINE || last->kind == TRACE_TRANSFORM || last->kind == TRACE_MULTICAST)
           ? last : NULL;
}

static void put_nodes(const struct trace_node *first, const struct trace_node *end, struct str *out);

static void
put_node(const struct trace_node *n, struct str *out)
{
    str_puts(out, out->s[out->len - 1] == '[' ? "{" : ",{");
    put_member(out, "type", kinds[n->kind]);
    put_member(out, "text", n->text);
    if (n->kind == TRACE_TABLE) {
        put_flow(n->data, out);
    } else if (n->kind == TRACE_OUTPUT) {
        const struct port *p = n->data;
        put_member(out, "datapath", datapath_name(p->dp));
        put_member(out, "port", p->name);
    }
    if (n->first && n->first != tail_of(n)) {
        put_member(out, "nodes", NULL);
        put_nodes(n->first, tail_of(n), out);
    }
    str_putc(out, '}');
}

/* From FIRST to before END. */
static void
put_nodes(const struct trace_node *first, const struct trace_node *end, struct str *out)
{
    str_putc(out, '[');
    for (const struct trace_node *n = first; n != end; n = n->next) {
        for (const struct trace_node *t = n; t; t = tail_of(t)) {
            put_node(t, out);
        }
    }
    str_putc(out, ']');
}

static void
put_outputs(const struct trace_node *first, struct str *out)
{
    for (const struct trace_node *n = first; n; n = n->next) {
        if (n->kind == TRACE_OUTPUT) {
            const struct port *p = n->data;
            str_puts(out, out->s[out->len - 1] == '[' ? "{" : ",{");
            put_member(out, "datapath", datapath_name(p->dp));
            put_member(out, "port", p->name);
            put_member(out, "type", p->type);
            str_putc(out, '}');
        }
        put_outputs(n->first, out);
    }
}

void
show_json(const struct trace_result *r, const char *microflow, struct ovsdb *nb, struct str *out)
{
    struct str why = STR_INIT;

    show_why(r, nb, &why);
    str_truncate(&why, why.len - 1);
    str_putc(out, '{');
    put_member(out, "microflow", microflow);
    put_member(out, "openflow", r->openflow);
    put_member(out, "datapath", datapath_name(r->dp));
    if (r->inport) {
        put_member(out, "inport", r->inport->name);
    }
    put_member(out, "verdict", show_verdict(r));
    put_member(out, "outputs", NULL);
    str_putc(out, '[');
    put_outputs(r->root->first, out);
    str_putc(out, ']');
    put_member(out, "why", str_c(&why));
    put_member(out, "trace", NULL);
    put_nodes(r->root->first, NULL, out);
    str_puts(out, "}\n");
    str_free(&why);
}

/* ---- Graphviz: a box a pipeline or another packet, with the tables in it; an ellipse a port ---- */

struct graph {
    struct str *out;
    unsigned n;
};

static void
put_label(struct str *out, const char *text, size_t max)
{
    size_t n = 0;

    for (; *text && n < max; text++, n++) {
        if (strchr("\"\\", *text)) {
            str_putc(out, '\\');
        }
        str_putc(out, *text);
    }
    str_puts(out, *text ? "..." : "");
}

static bool
begins_box(const struct trace_node *n)
{
    return n->kind == TRACE_PIPELINE || n->kind == TRACE_TRANSFORM || n->kind == TRACE_MULTICAST;
}

/* A table as a line: its stage, and what it matched. */
static void
put_table_line(const struct trace_node *n, struct str *out)
{
    const struct trace_step *step = n->data;
    const char *stage = datapath_stage(step->dp, step->pipeline, step->table);

    str_printf(out, "%u %s", step->table, stage);
    if (!step->flow) {
        str_puts(out, ": no match");
    } else if (!str_eq(sb_logical_flow_match(step->flow->row, NULL), "1")) {
        str_puts(out, ": ");
        put_label(out, sb_logical_flow_match(step->flow->row, NULL), 90);
    }
    str_puts(out, step->packet ? " \xe2\x86\x92 drop\\l" : "\\l");
}

/* What happens in a box, without the boxes that it leads to; *dropped: a table in it drops. */
static void
put_lines(const struct trace_node *first, struct str *out, bool *dropped)
{
    for (const struct trace_node *n = first; n; n = n->next) {
        if (n->kind == TRACE_TABLE) {
            const struct trace_step *step = n->data;
            put_table_line(n, out);
            *dropped |= step->packet != NULL;
            put_lines(n->first, out, dropped);
        } else if (n->kind == TRACE_MODIFY || n->kind == TRACE_COMMENT || n->kind == TRACE_NOTE || n->kind == TRACE_ERROR) {
            str_puts(out, "    ");
            put_label(out, n->text, 90);
            str_puts(out, "\\l");
        }
    }
}

static void put_box(struct graph *, const struct trace_node *, unsigned parent);

static void
put_below(struct graph *g, const struct trace_node *first, unsigned parent)
{
    for (const struct trace_node *n = first; n; n = n->next) {
        if (n->kind == TRACE_OUTPUT) {
            const struct port *p = n->data;
            unsigned id = ++g->n;
            str_printf(g->out, "  n%u [shape=ellipse, style=filled, fillcolor=\"#d5f5d5\", label=\"", id);
            put_label(g->out, port_name(p), 60);
            str_printf(g->out, "\"];\n  n%u -> n%u;\n", parent, id);
        } else if (begins_box(n)) {
            put_box(g, n, parent);
        } else {
            put_below(g, n->first, parent);
        }
    }
}

static void
put_box(struct graph *g, const struct trace_node *n, unsigned parent)
{
    struct str lines = STR_INIT;
    bool dropped = false;
    unsigned id = ++g->n;

    put_lines(n->first, &lines, &dropped);
    str_printf(g->out, "  n%u [fillcolor=\"%s\", label=\"", id, dropped ? "#f8d5d5" : n->kind == TRACE_PIPELINE ? "#e8eefc" : "#fdf5dc");
    put_label(g->out, n->text, 120);
    str_printf(g->out, "\\n%s\"];\n", str_c(&lines));
    if (parent) {
        str_printf(g->out, "  n%u -> n%u;\n", parent, id);
    }
    str_free(&lines);
    put_below(g, n->first, id);
}

void
show_dot(const struct trace_result *r, struct str *out)
{
    struct graph g = { .out = out };

    str_puts(out, "digraph trace {\n  label=\"");
    put_label(out, r->openflow, 300);
    str_puts(out, "\";\n  labelloc=t;\n  node [shape=box, style=filled, fontname=\"monospace\", fontsize=10];\n");
    for (const struct trace_node *n = r->root->first; n; n = n->next) {
        put_box(&g, n, 0);
    }
    str_puts(out, "}\n");
}

bool
graph_to_svg(const char *dot, size_t n, struct str *out)
{
    static const char *const argv[] = { "dot", "-Tsvg", NULL };
    size_t before = out->len;

    if (!child_run(argv, dot, n, false, out) && out->s) {
        str_truncate(out, before);
    }
    return out->len > before;
}

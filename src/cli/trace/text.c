/* text.c - the three forms of text that ovn-trace(8) describes.
 *
 * In the detailed form what is called last is not indented: "tail recursion". Copies of a packet (a multicast group's) are, where something happens to them. */
#include "cli/trace/show.h"

/* A loop is thousands of levels deep: where that makes a long text of it, nobody counts them any more. */
static void
indent(struct str *out, unsigned n)
{
    str_printf(out, "%*s", (int) MIN(n, out->len < 16 << 20 ? 4096 : 160), "");
}

static void
put_ovs_flow(void *out, const char *flow)
{
    str_printf(out, "    *  %s\n", ovs_flow_after_cookie(flow));
}

struct detailed {
    struct str *out;
    const struct ovs_flows *ovs;
};

static void detailed(const struct detailed *, const struct trace_node *first, unsigned level, bool copies);

static void
detailed_heading(const struct detailed *d, const struct trace_node *n, unsigned level)
{
    str_putc(d->out, '\n');
    indent(d->out, level);
    str_printf(d->out, "%s\n", n->text);
    indent(d->out, level);
    for (const char *p = n->text; *p; p++) {
        str_putc(d->out, '-');
    }
    str_putc(d->out, '\n');
}

static bool
is_last(const struct trace_node *n)
{
    for (n = n->next; n; n = n->next) {
        if (n->kind != TRACE_NOTE && n->kind != TRACE_MODIFY && n->kind != TRACE_OUTPUT) {
            return false;
        }
    }
    return true;
}

static void
detailed_node(const struct detailed *d, const struct trace_node *n, unsigned level, bool copies)
{
    bool tail = is_last(n) && !(copies && n->first && n->first->kind == TRACE_TABLE);
    const struct trace_step *step = n->data;

    switch (n->kind) {
    case TRACE_TABLE:
        level += tail ? 0 : 4;
        indent(d->out, level);
        str_printf(d->out, "%s\n", n->text);
        if (d->ovs && step->flow) {
            ovs_flows_for_each(d->ovs, step->flow->row->row_.uuid.parts[0], put_ovs_flow, d->out);
        }
        detailed(d, n->first, level, false);
        break;
    case TRACE_PIPELINE:
    case TRACE_TRANSFORM:
    case TRACE_MULTICAST:
        detailed_heading(d, n, level + (tail ? 0 : 4));
        detailed(d, n->first, level + (tail ? 0 : 8), n->kind == TRACE_MULTICAST);
        break;
    case TRACE_ACTION:
    case TRACE_GOTO:
        indent(d->out, level + 4);
        str_printf(d->out, "%s\n", n->text);
        break;
    case TRACE_COMMENT:
        indent(d->out, level + 4);
        str_printf(d->out, "/* %s */\n", n->text);
        break;
    case TRACE_ERROR:
        indent(d->out, level + 4);
        str_printf(d->out, "*** %s\n", n->text);
        break;
    case TRACE_NOTE:
    case TRACE_MODIFY:
    case TRACE_OUTPUT:
        break;
    }
}

static void
detailed(const struct detailed *d, const struct trace_node *first, unsigned level, bool copies)
{
    for (const struct trace_node *n = first; n; n = n->next) {
        detailed_node(d, n, level, copies);
    }
}

void
show_detailed(const struct trace_result *r, const struct ovs_flows *ovs, struct str *out)
{
    struct detailed d = { out, ovs };

    detailed(&d, r->root->first, 0, false);
}

/* "TEXT { ... };", or "TEXT;" if PUT writes nothing of what is in it. */
static void
put_block(const struct trace_node *n, unsigned level, struct str *out, void (*put)(const struct trace_node *first, unsigned level, struct str *out))
{
    size_t start = out->len, body;

    indent(out, level);
    str_printf(out, "%s {\n", n->text);
    body = out->len;
    put(n->first, level + 4, out);
    if (out->len > body) {
        indent(out, level);
        str_puts(out, "};\n");
    } else {
        str_truncate(out, start);
        indent(out, level);
        str_printf(out, "%s;\n", n->text);
    }
}

static void
summary(const struct trace_node *first, unsigned level, struct str *out)
{
    for (const struct trace_node *n = first; n; n = n->next) {
        switch (n->kind) {
        case TRACE_TABLE:
            summary(n->first, level, out);
            break;
        case TRACE_PIPELINE:
        case TRACE_TRANSFORM:
        case TRACE_MULTICAST:
            put_block(n, level, out, summary);
            break;
        case TRACE_ACTION:
            indent(out, level);
            str_printf(out, "%s\n", n->text);
            break;
        case TRACE_COMMENT:
        case TRACE_ERROR:
            indent(out, level);
            str_printf(out, n->kind == TRACE_ERROR ? "*** %s;\n" : "/* %s */;\n", n->text);
            break;
        case TRACE_GOTO:
        case TRACE_NOTE:
        case TRACE_MODIFY:
        case TRACE_OUTPUT:
            break;
        }
    }
}

void
show_summary(const struct trace_result *r, struct str *out)
{
    summary(r->root->first, 0, out);
}

static void
minimal(const struct trace_node *first, unsigned level, struct str *out)
{
    for (const struct trace_node *n = first; n; n = n->next) {
        switch (n->kind) {
        case TRACE_TABLE:
        case TRACE_PIPELINE:
        case TRACE_MULTICAST:
            minimal(n->first, level, out);
            break;
        case TRACE_TRANSFORM:
            put_block(n, level, out, minimal);
            break;
        case TRACE_MODIFY:
        case TRACE_OUTPUT:
            indent(out, level);
            str_printf(out, "%s\n", n->text);
            break;
        case TRACE_ERROR:
            indent(out, level);
            str_printf(out, "*** %s;\n", n->text);
            break;
        case TRACE_ACTION:
        case TRACE_GOTO:
        case TRACE_COMMENT:
        case TRACE_NOTE:
            break;
        }
    }
}

void
show_minimal(const struct trace_result *r, struct str *out)
{
    minimal(r->root->first, 0, out);
}

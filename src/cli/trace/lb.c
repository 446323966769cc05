/* lb.c - load balancers as a trace needs them: addresses with ports, and the virtual ones of a datapath. */
#include <stdlib.h>
#include "cli/trace/simulate.h"

char *
endpoint_parse(const char *text, const char *what, struct trace_backend *b)
{
    const char *end = text + strlen(text), *colon = strrchr(text, ':');
    struct expr_constant c;
    int64_t port = 0;

    bool square = *text == '[';
    if (colon && (square ? colon > text && colon[-1] == ']' : strchr(text, ':') == colon)) {
        if (!str_to_int(colon + 1, 1, UINT16_MAX, &port)) {
            return xasprintf("%s: bad port number in %s", text, what);
        }
        end = colon;
    }
    if (square && (end == text + 1 || end[-1] != ']')) {
        return xasprintf("%s: %s is IP[:PORT], with an IPv6 address in brackets", text, what);
    }
    char *ip = xstrndup(text + square, end - text - 2 * square);
    bool ok = expr_constant_parse(ip, &c) && c.width != 48 && !strchr(ip, '/');
    free(ip);
    *b = (struct trace_backend) { ok && c.width == 128, ok ? c.value : of_value_u64(0), port };
    return ok ? NULL : xasprintf("%s: %s is IP[:PORT]", text, what);
}

static bool
has(const struct ovsdb_set *rows, const struct ovsdb_row *row)
{
    for (uint32_t i = 0; i < rows->n; i++) {
        if (rows->v[i].row == row) {
            return true;
        }
    }
    return false;
}

static bool
is_on(const struct sb_load_balancer *lb, const struct datapath *dp)
{
    const struct ovsdb_row *row = &dp->row->row_;
    const struct sb_logical_dp_group *groups[] = { sb_load_balancer_datapath_group(lb, NULL), sb_load_balancer_ls_datapath_group(lb, NULL),
                                                   sb_load_balancer_lr_datapath_group(lb, NULL) };

    for (size_t i = 0; i < ARRAY_SIZE(groups); i++) {
        if (groups[i] && has(sb_logical_dp_group_datapaths(groups[i], NULL), row)) {
            return true;
        }
    }
    return has(sb_load_balancer_datapaths(lb, NULL), row);
}

static bool
serves(const struct sb_load_balancer *lb, unsigned proto, const struct trace_backend *vip)
{
    const struct ovsdb_map *vips = sb_load_balancer_vips(lb, NULL);
    const char *name = sb_load_balancer_protocol(lb, NULL);
    unsigned own = name && str_eq(name, "udp") ? 17 : name && str_eq(name, "sctp") ? 132 : 6;

    for (uint32_t i = 0; i < vips->n; i++) {
        struct trace_backend b;
        char *error = endpoint_parse(vips->v[i].k.s, "a VIP", &b);
        if (!error && b.ipv6 == vip->ipv6 && !of_value_compare(&b.ip, &vip->ip) && (!b.port || (b.port == vip->port && own == proto))) {
            return true;
        }
        free(error);
    }
    return false;
}

bool
datapath_has_vip(const struct datapath *dp, unsigned proto, const struct trace_backend *vip)
{
    OVSDB_FOR_EACH (row, ovsdb_table(dp->world->db->sb, &sb_table_load_balancer), NULL) {
        if (is_on(sb_load_balancer_of(row), dp) && serves(sb_load_balancer_of(row), proto, vip)) {
            return true;
        }
    }
    return false;
}

/* lb.c - load balancers as a trace needs them: addresses with ports, and which of them are virtual. */
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

bool
world_has_vip(const struct world *w, const struct trace_backend *vip)
{
    OVSDB_FOR_EACH (row, ovsdb_table(w->db->sb, &sb_table_load_balancer), NULL) {
        const struct ovsdb_map *vips = sb_load_balancer_vips(sb_load_balancer_of(row), NULL);
        for (uint32_t i = 0; i < vips->n; i++) {
            struct trace_backend b;
            char *error = endpoint_parse(vips->v[i].k.s, "a VIP", &b);
            if (!error && b.ipv6 == vip->ipv6 && !of_value_compare(&b.ip, &vip->ip) && (!b.port || b.port == vip->port)) {
                return true;
            }
            free(error);
        }
    }
    return false;
}

/* commands.c - lists and tables that ovn-controller shows on request: ovn-controller(8), "Control commands".
 *
 * Where ours works without such a thing (a cache of logical flows; OpenFlow groups and meters, as long as no feature needs them; EVPN) the
 * answer is what an empty one would give, so that tools which ask go on. */
#include "controller/commands.h"

#include <inttypes.h>
#include <stdlib.h>

#include "controller/physical/physical.h"
#include "controller/translate/translate.h"

/* ---- sorted lines ---- */

struct lines {
    char **v;
    size_t n, cap;
};

static void PRINTF_LIKE(2, 3)
add_line(struct lines *l, const char *fmt, ...)
{
    struct str s = STR_INIT;
    va_list args;

    va_start(args, fmt);
    str_vprintf(&s, fmt, args);
    va_end(args);
    GROW(l->v, l->cap, l->n + 1);
    l->v[l->n++] = str_steal(&s);
}

static int
compare_lines(const void *a, const void *b)
{
    return strcmp(*(char *const *) a, *(char *const *) b);
}

/* HEAD (a line, or ""), the lines in order, each once, and TAIL; frees them. */
static void
reply_lines(struct unixctl_conn *conn, const char *head, struct lines *l, const char *tail)
{
    struct str s = STR_INIT;

    str_puts(&s, head);
    if (l->n) {
        qsort(l->v, l->n, sizeof *l->v, compare_lines);
    }
    for (size_t i = 0; i < l->n; i++) {
        if (!i || !str_eq(l->v[i], l->v[i - 1])) {
            str_printf(&s, "%s\n", l->v[i]);
        }
    }
    str_puts(&s, tail);
    unixctl_reply(conn, str_c(&s));
    str_free(&s);
    for (size_t i = 0; i < l->n; i++) {
        free(l->v[i]);
    }
    free(l->v);
}

/* ---- what there is ---- */

static void
add_conjunction(void *l_, const void *owner_, size_t len UNUSED, uint32_t number)
{
    const struct conj_owner *owner = owner_;

    add_line(l_, "lflow: " UUID_FMT ", Conjunction: %" PRIu32, UUID_ARGS(&owner->lflow), number);
}

static void
command_conjunctions(struct unixctl_conn *conn, int argc, const char *argv[], void *c_)
{
    struct controller *c = c_;
    struct lines l = { NULL, 0, 0 };

    incr_numbers_for_each(c->translate->conj_ids, add_conjunction, &l);
    char *tail = xasprintf("---\nTotal %zu IDs used.\n", l.n);
    reply_lines(conn, "Conjunction IDs allocations:\n", &l, tail);
    free(tail);
}

/* The addresses of neighbours on local datapaths. */
static void
command_mac_bindings(struct unixctl_conn *conn, int argc, const char *argv[], void *c_)
{
    struct controller *c = c_;
    struct lines l = { NULL, 0, 0 };

    OVSDB_FOR_EACH (row, ovsdb_table(c->sb, &sb_table_mac_binding), NULL) {
        const struct sb_mac_binding *mb = sb_mac_binding_of(row);
        const struct dp_key_value *dp = datapath_get(c, sb_mac_binding_datapath(mb, NULL), NULL);
        if (dp) {
            add_line(&l, "datapath: %" PRIu32 ", logical port: %s, ip: %s, mac: %s", dp->key, sb_mac_binding_logical_port(mb, NULL),
                     sb_mac_binding_ip(mb, NULL), sb_mac_binding_mac(mb, NULL));
        }
    }
    reply_lines(conn, "", &l, "");
}

static const char *
peer_of(const struct sb_port_binding *pb)
{
    const char *peer = ovsdb_map_get(sb_port_binding_options(pb, NULL), "peer");

    return peer && *peer ? peer : NULL;
}

/* debug/dump-related-ports: the ports of local datapaths that are here or everywhere, so that what is said of them concerns this chassis.
 * debug/dump-peer-ports: those of them through which one datapath leads to another. */
static void
command_ports(struct unixctl_conn *conn, int argc, const char *argv[], void *c_)
{
    struct controller *c = c_;
    struct lines l = { NULL, 0, 0 };
    bool peers = str_eq(argv[0], "debug/dump-peer-ports");

    OVSDB_FOR_EACH (row, ovsdb_table(c->sb, &sb_table_port_binding), NULL) {
        struct sb_port_binding *pb = sb_port_binding_of(row);
        struct port_info p;
        if (!datapath_get(c, sb_port_binding_datapath(pb, NULL), NULL) || !port_get(c, pb, NULL, &p)) {
            continue;
        }
        const char *name = sb_port_binding_logical_port(pb, NULL), *peer = peer_of(pb);
        if (peers && peer) {
            add_line(&l, "%s: peer %s, datapath %" PRIu32, name, peer, p.dp_key);
        } else if (!peers && (p.bound || p.kind != PORT_VIF)) {
            add_line(&l, "%s: datapath %" PRIu32 ", port %" PRIu32, name, p.dp_key, p.key);
        }
    }
    reply_lines(conn, "", &l, "");
}

/* The variables of this chassis in Chassis_Template_Var. */
static void
command_template_vars(struct unixctl_conn *conn, int argc, const char *argv[], void *c_)
{
    struct controller *c = c_;
    const struct controller_config *config = controller_config(c, NULL);
    struct ovsdb_row *row = config ? ovsdb_index_get_str(c->translate->template_var_by_chassis, NULL, config->chassis) : NULL;
    struct lines l = { NULL, 0, 0 };

    if (row) {
        const struct ovsdb_map *variables = sb_chassis_template_var_variables(sb_chassis_template_var_of(row), NULL);
        for (uint32_t i = 0; i < variables->n; i++) {
            add_line(&l, "name: '%s' value: '%s'", variables->v[i].k.s, variables->v[i].v.s);
        }
    }
    reply_lines(conn, "Local template vars:\n", &l, "");
}

/* ---- what there is not ---- */

/* Each logical flow is translated once and its result kept as flows: there is no cache beside them, and so nothing to flush. */
static void
command_lflow_cache(struct unixctl_conn *conn, int argc, const char *argv[], void *c_)
{
    unixctl_reply(conn, !str_eq(argv[0], "lflow-cache/show-stats") ? NULL :
                  "Enabled: false\n"
                  "high-watermark  : 0\n"
                  "total           : 0\n"
                  "cache-expr      : 0\n"
                  "cache-matches   : 0\n"
                  "trim count      : 0\n"
                  "Mem usage (KB)  : 0\n");
}

static void
command_empty(struct unixctl_conn *conn, int argc, const char *argv[], void *c_)
{
    unixctl_reply(conn, NULL);
}

void
commands_register(struct controller *c)
{
    static const struct {
        const char *name, *usage;
        unixctl_cb *cb;
    } commands[] = {
        { "debug/dump-lflow-conj-ids", "", command_conjunctions },
        { "debug/dump-mac-bindings", "", command_mac_bindings },
        { "debug/dump-peer-ports", "", command_ports },
        { "debug/dump-related-ports", "", command_ports },
        { "debug/dump-local-template-vars", "", command_template_vars },
        { "flush-lflow-cache", "[deprecated]", command_lflow_cache },
        { "lflow-cache/flush", "", command_lflow_cache },
        { "lflow-cache/show-stats", "", command_lflow_cache },
        { "group-table-list", "", command_empty },
        { "meter-table-list", "", command_empty },
        { "evpn/remote-vtep-list", "", command_empty },
        { "evpn/vtep-arp-list", "", command_empty },
        { "evpn/vtep-binding-list", "", command_empty },
        { "evpn/vtep-fdb-list", "", command_empty },
        { "evpn/vtep-multicast-group-list", "", command_empty },
    };

    ovsdb_use(c->sb, &sb_table_mac_binding, OVSDB_COLUMN(SB_MAC_BINDING_LOGICAL_PORT) | OVSDB_COLUMN(SB_MAC_BINDING_IP)
              | OVSDB_COLUMN(SB_MAC_BINDING_MAC) | OVSDB_COLUMN(SB_MAC_BINDING_DATAPATH));
    for (size_t i = 0; i < ARRAY_SIZE(commands); i++) {
        unixctl_register(commands[i].name, commands[i].usage, 0, 0, commands[i].cb, c);
    }
    inject_register_commands(c);
}

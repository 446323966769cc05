/* vflow.c - lflow-list --vflows: the rows besides logical flows that OpenFlow flows are made of. ovn-sbctl(8), "Logical Flow Commands".
 *
 * A section a table, left out if it has nothing to show. Rows are sorted by their datapath's name, then by their own. */
#include "cli/sbctl/flow.h"

#include <stdlib.h>

static const struct ovsdb_table_desc *const DP = &sb_table_datapath_binding;
static const struct ovsdb_table_desc *const PORT = &sb_table_port_binding;
static const struct ovsdb_table_desc *const LB = &sb_table_load_balancer;
static const uint16_t lb_groups[] = { SB_LOAD_BALANCER_DATAPATH_GROUP, SB_LOAD_BALANCER_LS_DATAPATH_GROUP, SB_LOAD_BALANCER_LR_DATAPATH_GROUP };

/* A row to show. */
struct vflow {
    struct view_row *row;
    const char *datapath, *name, *name2;       /* To sort by; never NULL. */
};
struct section {
    struct ctl *c;
    struct view_row *only;             /* Of this datapath; NULL: of all. */
    const struct ovs_flows *ovs;
    struct vflow *v;
    size_t n;
};

void
vflow_needs(struct ctl *c)
{
    ctl_need_all(c, PORT, OVSDB_COLUMN(SB_PORT_BINDING_DATAPATH) | OVSDB_COLUMN(SB_PORT_BINDING_LOGICAL_PORT)
                 | OVSDB_COLUMN(SB_PORT_BINDING_TUNNEL_KEY));
    ctl_need_all(c, &sb_table_mac_binding, OVSDB_COLUMN(SB_MAC_BINDING_DATAPATH) | OVSDB_COLUMN(SB_MAC_BINDING_LOGICAL_PORT)
                 | OVSDB_COLUMN(SB_MAC_BINDING_IP) | OVSDB_COLUMN(SB_MAC_BINDING_MAC));
    ctl_need_all(c, &sb_table_multicast_group, OVSDB_COLUMN(SB_MULTICAST_GROUP_DATAPATH) | OVSDB_COLUMN(SB_MULTICAST_GROUP_NAME)
                 | OVSDB_COLUMN(SB_MULTICAST_GROUP_TUNNEL_KEY) | OVSDB_COLUMN(SB_MULTICAST_GROUP_PORTS));
    ctl_need_all(c, &sb_table_chassis, OVSDB_COLUMN(SB_CHASSIS_NAME));
    ctl_need_all(c, LB, OVSDB_COLUMN(SB_LOAD_BALANCER_NAME) | OVSDB_COLUMN(SB_LOAD_BALANCER_PROTOCOL) | OVSDB_COLUMN(SB_LOAD_BALANCER_VIPS)
                 | OVSDB_COLUMN(SB_LOAD_BALANCER_DATAPATHS) | OVSDB_COLUMN(SB_LOAD_BALANCER_DATAPATH_GROUP)
                 | OVSDB_COLUMN(SB_LOAD_BALANCER_LS_DATAPATH_GROUP) | OVSDB_COLUMN(SB_LOAD_BALANCER_LR_DATAPATH_GROUP));
}

static const char *
text(struct view_row *row, uint16_t column)
{
    const char *s = view_str(row, column);

    return s ? s : "";
}

static struct view_row *
datapath_of(struct ctl *c, struct view_row *row, uint16_t column)
{
    const struct datum *d = view_datum(row, column);

    return d->n ? view_get(&c->view, DP, &d->k[0].u) : NULL;
}

static int
compare_vflows(const void *a_, const void *b_)
{
    const struct vflow *a = a_, *b = b_;
    int cmp = strcmp(a->datapath, b->datapath);

    cmp = cmp ? cmp : strcmp(a->name, b->name);
    cmp = cmp ? cmp : strcmp(a->name2, b->name2);
    return cmp ? cmp : uuid_compare(&a->row->uuid, &b->row->uuid);
}

/* The rows of T that are asked for, sorted; DATAPATH, NAME, NAME2 are columns, UINT16_MAX: none. The heading, if there are any. */
static void
begin(struct section *s, const char *title, const struct ovsdb_table_desc *t, uint16_t datapath, uint16_t name, uint16_t name2)
{
    size_t n;
    struct view_row **rows = view_rows(&s->c->view, t, &n);

    s->v = ARENA_NEW(&s->c->arena, struct vflow, n);
    s->n = 0;
    for (size_t i = 0; i < n; i++) {
        struct view_row *dp = datapath == UINT16_MAX ? NULL : datapath_of(s->c, rows[i], datapath);
        if (s->only && datapath != UINT16_MAX && dp != s->only) {
            continue;
        }
        s->v[s->n++] = (struct vflow) { rows[i], dp ? datapath_names(s->c, dp) : "", text(rows[i], name),
                                        name2 == UINT16_MAX ? "" : text(rows[i], name2) };
    }
    if (s->n) {
        qsort(s->v, s->n, sizeof *s->v, compare_vflows);
        ctl_print(s->c, "\n%s:\n", title);
    }
}

static void
begin_row(const struct section *s, const struct vflow *v)
{
    ctl_print(s->c, "  ");
    if (ctl_has(s->c, "--uuid")) {
        ctl_print(s->c, "uuid=0x%08x, ", v->row->uuid.parts[0]);
    }
}

/* With its datapath, unless that was asked for. */
static void
begin_row_of_datapath(const struct section *s, const struct vflow *v)
{
    begin_row(s, v);
    if (!s->only) {
        ctl_print(s->c, "datapath=%s, ", v->datapath);
    }
}

static void
print_ports(struct section *s)
{
    begin(s, "Port Bindings", PORT, SB_PORT_BINDING_DATAPATH, SB_PORT_BINDING_LOGICAL_PORT, UINT16_MAX);
    for (size_t i = 0; i < s->n; i++) {
        begin_row_of_datapath(s, &s->v[i]);
        ctl_print(s->c, "logical_port=%s, tunnel_key=%-5lld\n", s->v[i].name, (long long) view_int(s->v[i].row, SB_PORT_BINDING_TUNNEL_KEY, 0));
        print_ovs_flows(s->c, s->ovs, &s->v[i].row->uuid);
    }
}

static void
print_macs(struct section *s)
{
    begin(s, "MAC Bindings", &sb_table_mac_binding, SB_MAC_BINDING_DATAPATH, SB_MAC_BINDING_LOGICAL_PORT, SB_MAC_BINDING_IP);
    for (size_t i = 0; i < s->n; i++) {
        begin_row_of_datapath(s, &s->v[i]);
        ctl_print(s->c, "logical_port=%s, ip=%s, mac=%s\n", s->v[i].name, s->v[i].name2, text(s->v[i].row, SB_MAC_BINDING_MAC));
        print_ovs_flows(s->c, s->ovs, &s->v[i].row->uuid);
    }
}

static void
print_groups(struct section *s)
{
    begin(s, "MC Groups", &sb_table_multicast_group, SB_MULTICAST_GROUP_DATAPATH, SB_MULTICAST_GROUP_NAME, UINT16_MAX);
    for (size_t i = 0; i < s->n; i++) {
        const struct datum *refs = view_datum(s->v[i].row, SB_MULTICAST_GROUP_PORTS);
        struct view_row **ports = ARENA_NEW(&s->c->arena, struct view_row *, refs->n);
        size_t n = 0;
        for (size_t j = 0; j < refs->n; j++) {
            struct view_row *port = view_get(&s->c->view, PORT, &refs->k[j].u);
            if (port) {
                ports[n++] = port;
            }
        }
        view_sort_by_str(ports, n, SB_PORT_BINDING_LOGICAL_PORT);
        begin_row_of_datapath(s, &s->v[i]);
        ctl_print(s->c, "name=%s, tunnel_key=%-5lld, ports=(", s->v[i].name,
                  (long long) view_int(s->v[i].row, SB_MULTICAST_GROUP_TUNNEL_KEY, 0));
        for (size_t j = 0; j < n; j++) {
            ctl_print(s->c, "%s%s", j ? ", " : "", text(ports[j], SB_PORT_BINDING_LOGICAL_PORT));
        }
        ctl_print(s->c, ")\n");
        print_ovs_flows(s->c, s->ovs, &s->v[i].row->uuid);
    }
}

static void
print_chassis(struct section *s)
{
    begin(s, "Chassis", &sb_table_chassis, UINT16_MAX, SB_CHASSIS_NAME, UINT16_MAX);
    for (size_t i = 0; i < s->n; i++) {
        begin_row(s, &s->v[i]);
        ctl_print(s->c, "name=%s\n", s->v[i].name);
        print_ovs_flows(s->c, s->ovs, &s->v[i].row->uuid);
    }
}

/* ---- load balancers: of many datapaths ---- */

static bool
lb_has(struct ctl *c, struct view_row *lb, const struct uuid *datapath)
{
    union datum_atom key = { .u = *datapath };

    if (datum_find(view_datum(lb, SB_LOAD_BALANCER_DATAPATHS), &key, OVSDB_UUID) != SIZE_MAX) {
        return true;
    }
    for (size_t i = 0; i < ARRAY_SIZE(lb_groups); i++) {
        const struct datum *group = ovsdb_has_column(c->db, LB, lb_groups[i]) ? view_datum(lb, lb_groups[i]) : NULL;
        if (group && group->n && group_has(c, &group->k[0].u, datapath)) {
            return true;
        }
    }
    return false;
}

static int
compare_texts(const void *a, const void *b)
{
    return strcmp(*(const char *const *) a, *(const char *const *) b);
}

static void
print_lb_datapaths(struct ctl *c, struct view_row *lb)
{
    size_t n, n_names = 0;
    struct view_row **datapaths = view_rows(&c->view, DP, &n);
    const char **names = ARENA_NEW(&c->arena, const char *, n);

    for (size_t i = 0; i < n; i++) {
        if (lb_has(c, lb, &datapaths[i]->uuid)) {
            names[n_names++] = datapath_names(c, datapaths[i]);
        }
    }
    qsort(names, n_names, sizeof *names, compare_texts);
    for (size_t i = 0; i < n_names; i++) {
        ctl_print(c, "datapath=%s, ", names[i]);
    }
}

static void
print_lbs(struct section *s)
{
    size_t n;
    struct view_row **rows = view_rows(&s->c->view, LB, &n);
    bool any = false;

    view_sort_by_str(rows, n, SB_LOAD_BALANCER_NAME);
    for (size_t i = 0; i < n; i++) {
        const struct datum *vips = view_datum(rows[i], SB_LOAD_BALANCER_VIPS);
        const char *protocol = view_str(rows[i], SB_LOAD_BALANCER_PROTOCOL);
        if (s->only && !lb_has(s->c, rows[i], &s->only->uuid)) {
            continue;
        }
        ctl_print(s->c, "%s", any ? "" : "\nLoad Balancers:\n");
        any = true;
        begin_row(s, &(struct vflow) { .row = rows[i] });
        ctl_print(s->c, "name=\"%s\", protocol=\"%s\", ", text(rows[i], SB_LOAD_BALANCER_NAME), protocol ? protocol : "tcp");
        if (!s->only) {
            print_lb_datapaths(s->c, rows[i]);
        }
        ctl_print(s->c, "\n  vips:\n");
        for (size_t j = 0; j < vips->n; j++) {
            ctl_print(s->c, "    %s = %s\n", vips->k[j].s, vips->v[j].s);
        }
        ctl_print(s->c, "\n");
        print_ovs_flows(s->c, s->ovs, &rows[i]->uuid);
    }
}

void
vflow_print(struct ctl *c, struct view_row *only, const struct ovs_flows *ovs)
{
    struct section s = { .c = c, .only = only, .ovs = ovs };

    print_ports(&s);
    print_macs(&s);
    print_groups(&s);
    print_chassis(&s);
    print_lbs(&s);
}

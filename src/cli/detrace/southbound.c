/* southbound.c - the southbound row behind a cookie, in lines. They are what Debian's ovn-detrace writes, as far as it knows the table; the row's UUID, and
 * what else is worth knowing, stands behind that. */
#include <inttypes.h>
#include <stdlib.h>

#include "cli/common/describe.h"
#include "cli/detrace/detrace.h"
#include "schema/sb.h"

/* Of more, the first are named and the others counted. */
enum { MAX_DATAPATHS = 32, MAX_MEMBERS = 64, NO_COLUMN = UINT16_MAX };

static const struct kind {
    const struct ovsdb_table_desc *table;
    uint16_t datapath;                 /* The column that says in which datapath it is. */
    const char *template;              /* NULL: southbound_put() knows. */
} kinds[] = {
    { &sb_table_logical_flow, SB_LOGICAL_FLOW_LOGICAL_DATAPATH, NULL },
    { &sb_table_datapath_binding, NO_COLUMN, NULL },
    { &sb_table_port_binding, SB_PORT_BINDING_DATAPATH, "Port Binding: logical_port \"%logical_port\", tunnel_key %tunnel_key" },
    { &sb_table_mac_binding, SB_MAC_BINDING_DATAPATH, "MAC Binding: ip \"%ip\", logical_port \"%logical_port\", mac \"%mac\"" },
    { &sb_table_static_mac_binding, SB_STATIC_MAC_BINDING_DATAPATH, "Static MAC Binding: ip \"%ip\", logical_port \"%logical_port\", mac \"%mac\"" },
    { &sb_table_fdb, NO_COLUMN, "FDB: mac \"%mac\", dp_key %dp_key, port_key %port_key" },
    { &sb_table_multicast_group, SB_MULTICAST_GROUP_DATAPATH, "Multicast Group: name \"%name\", tunnel_key %tunnel_key" },
    { &sb_table_igmp_group, SB_IGMP_GROUP_DATAPATH, "IGMP Group: address \"%address\"" },
    { &sb_table_chassis, NO_COLUMN, "Chassis: chassis-name \"%name\", chassis-str \"%hostname\"" },
    { &sb_table_encap, NO_COLUMN, "Encap: type %type, ip \"%ip\", chassis-name \"%chassis_name\"" },
    { &sb_table_load_balancer, NO_COLUMN, "Load Balancer: $name protocol $protocol vips $vips" },
    { &sb_table_ecmp_nexthop, NO_COLUMN, "ECMP Nexthop: nexthop \"%nexthop\", mac \"%mac\"" },
    { &sb_table_advertised_mac_binding, SB_ADVERTISED_MAC_BINDING_DATAPATH, "Advertised MAC Binding: ip \"%ip\", mac \"%mac\"" },
};

const struct ovsdb_table_desc *
southbound_table(size_t i)
{
    return i < ARRAY_SIZE(kinds) ? kinds[i].table : NULL;
}

static const struct kind *
find_kind(const struct ovsdb_table_desc *t)
{
    for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
        if (kinds[i].table == t) {
            return &kinds[i];
        }
    }
    return NULL;
}

uint64_t
southbound_columns(const struct ovsdb_table_desc *t)
{
    const struct kind *kind = find_kind(t);
    uint64_t columns = kind && kind->template ? describe_columns(t, kind->template) : 0;

    if (kind && kind->datapath != NO_COLUMN) {
        columns |= OVSDB_COLUMN(kind->datapath);
    }
    if (t == &sb_table_logical_flow) {
        columns |= OVSDB_COLUMN(SB_LOGICAL_FLOW_LOGICAL_DP_GROUP) | OVSDB_COLUMN(SB_LOGICAL_FLOW_PIPELINE) | OVSDB_COLUMN(SB_LOGICAL_FLOW_TABLE_ID)
                   | OVSDB_COLUMN(SB_LOGICAL_FLOW_PRIORITY) | OVSDB_COLUMN(SB_LOGICAL_FLOW_MATCH) | OVSDB_COLUMN(SB_LOGICAL_FLOW_ACTIONS)
                   | OVSDB_COLUMN(SB_LOGICAL_FLOW_EXTERNAL_IDS);
    } else if (t == &sb_table_logical_dp_group) {
        columns |= OVSDB_COLUMN(SB_LOGICAL_DP_GROUP_DATAPATHS);
    } else if (t == &sb_table_datapath_binding) {
        columns |= OVSDB_COLUMN(SB_DATAPATH_BINDING_EXTERNAL_IDS);
    } else if (t == &sb_table_multicast_group) {
        columns |= OVSDB_COLUMN(SB_MULTICAST_GROUP_PORTS);
    } else if (t == &sb_table_port_binding) {
        columns |= OVSDB_COLUMN(SB_PORT_BINDING_CHASSIS) | OVSDB_COLUMN(SB_PORT_BINDING_TYPE);
    }
    return columns;
}

/* ---- what rows refer to ---- */

static void
want_all(struct source *s, const struct ovsdb_table_desc *t, const struct datum *refs, size_t max)
{
    for (size_t i = 0; i < MIN(refs->n, max); i++) {
        source_want(s, t, &refs->k[i].u);
    }
}

void
southbound_want_related(struct source *s, const struct ovsdb_table_desc *t, const struct uuid *uuid)
{
    const struct datum *cells = source_row(s, t, uuid);
    const struct kind *kind = find_kind(t);

    if (!cells) {
        return;
    }
    if (kind->datapath != NO_COLUMN) {
        want_all(s, &sb_table_datapath_binding, &cells[kind->datapath], 1);
    }
    if (t == &sb_table_logical_flow) {
        const struct datum *group = &cells[SB_LOGICAL_FLOW_LOGICAL_DP_GROUP];
        const struct datum *row = group->n ? source_row(s, &sb_table_logical_dp_group, &group->k[0].u) : NULL;
        want_all(s, &sb_table_logical_dp_group, group, 1);
        if (row) {
            want_all(s, &sb_table_datapath_binding, &row[SB_LOGICAL_DP_GROUP_DATAPATHS], MAX_DATAPATHS);
        }
    } else if (t == &sb_table_port_binding) {
        want_all(s, &sb_table_chassis, &cells[SB_PORT_BINDING_CHASSIS], 1);
    } else if (t == &sb_table_multicast_group) {
        want_all(s, &sb_table_port_binding, &cells[SB_MULTICAST_GROUP_PORTS], MAX_MEMBERS);
    }
}

bool
southbound_hint(const struct source *s, const struct ovsdb_table_desc *t, const struct uuid *uuid, uint32_t *first)
{
    const struct datum *cells = t == &sb_table_logical_flow ? source_row(s, t, uuid) : NULL;
    const char *hint = source_map(cells, SB_LOGICAL_FLOW_EXTERNAL_IDS, "stage-hint");
    char *end;

    if (!hint || strspn(hint, "0123456789abcdefABCDEF") < 8) {
        return false;
    }
    char *digits = xstrndup(hint, 8);
    *first = strtoul(digits, &end, 16);
    free(digits);
    return true;
}

/* ---- lines ---- */

static void
put_uuid(const struct uuid *uuid, struct str *out)
{
    str_printf(out, " (" UUID_FMT ")", UUID_ARGS(uuid));
}

/* "name" (UUID) */
static void
put_datapath(const struct source *s, const struct uuid *uuid, struct str *out)
{
    const char *name = source_map(source_row(s, &sb_table_datapath_binding, uuid), SB_DATAPATH_BINDING_EXTERNAL_IDS, "name");

    str_putc(out, '"');
    describe_text(name ? name : "", out);
    str_putc(out, '"');
    put_uuid(uuid, out);
}

struct named {
    const char *name;
    const struct uuid *uuid;
};

static int
compare_named(const void *a_, const void *b_)
{
    const struct named *a = a_, *b = b_;
    int cmp = strcmp(a->name, b->name);

    return cmp ? cmp : uuid_compare(a->uuid, b->uuid);
}

/* Those of REFS, at most MAX, sorted by what column COLUMN (KEY of it, if not NULL) says; the caller frees. */
static struct named *
sort_by_name(const struct source *s, const struct ovsdb_table_desc *t, const struct datum *refs, size_t max, uint16_t column, const char *key)
{
    size_t n = MIN(refs->n, max);
    struct named *v = xcalloc(n + 1, sizeof *v);

    for (size_t i = 0; i < n; i++) {
        const struct datum *cells = source_row(s, t, &refs->k[i].u);
        const char *name = key ? source_map(cells, column, key) : source_str(cells, column);
        v[i] = (struct named) { name ? name : "", &refs->k[i].u };
    }
    qsort(v, n, sizeof *v, compare_named);
    return v;
}

static void
put_flow_datapaths(const struct source *s, const struct datum *cells, struct str *out)
{
    const struct datum *one = &cells[SB_LOGICAL_FLOW_LOGICAL_DATAPATH], *group = &cells[SB_LOGICAL_FLOW_LOGICAL_DP_GROUP];
    const struct datum *row = group->n ? source_row(s, &sb_table_logical_dp_group, &group->k[0].u) : NULL;
    const char *pipeline = source_str(cells, SB_LOGICAL_FLOW_PIPELINE);

    str_puts(out, "  * Logical datapaths:\n");
    for (int i = 0; i < 2; i++) {
        const struct datum *refs = !i ? one : row ? &row[SB_LOGICAL_DP_GROUP_DATAPATHS] : NULL;
        if (!refs) {
            continue;
        }
        struct named *v = sort_by_name(s, &sb_table_datapath_binding, refs, MAX_DATAPATHS, SB_DATAPATH_BINDING_EXTERNAL_IDS, "name");
        for (size_t j = 0; j < MIN(refs->n, MAX_DATAPATHS); j++) {
            str_puts(out, "  *     ");
            put_datapath(s, v[j].uuid, out);
            str_printf(out, " [%s]\n", pipeline);
        }
        if (refs->n > MAX_DATAPATHS) {
            str_printf(out, "  *     and %zu more\n", refs->n - MAX_DATAPATHS);
        }
        free(v);
    }
}

static void
put_flow(const struct source *s, const struct datum *cells, const struct uuid *uuid, struct str *out)
{
    const char *stage = source_map(cells, SB_LOGICAL_FLOW_EXTERNAL_IDS, "stage-name");
    const char *source = source_map(cells, SB_LOGICAL_FLOW_EXTERNAL_IDS, "source");

    put_flow_datapaths(s, cells, out);
    str_printf(out, "  * Logical flow: table=%" PRId64 " (", source_int(cells, SB_LOGICAL_FLOW_TABLE_ID));
    describe_text(stage ? stage : "None", out);
    describe_row(&sb_table_logical_flow, "), priority=%priority, match=(%match), actions=(%actions)", cells, out);
    put_uuid(uuid, out);
    if (source) {
        str_puts(out, " source ");
        describe_text(source, out);
    }
    str_putc(out, '\n');
}

static void
put_members(const struct source *s, const struct datum *ports, struct str *out)
{
    struct named *v = sort_by_name(s, &sb_table_port_binding, ports, MAX_MEMBERS, SB_PORT_BINDING_LOGICAL_PORT, NULL);

    str_puts(out, " ports: (");
    for (size_t i = 0; i < MIN(ports->n, MAX_MEMBERS); i++) {
        str_puts(out, i ? ", " : "");
        describe_text(v[i].name, out);
    }
    if (ports->n > MAX_MEMBERS) {
        str_printf(out, " and %zu more", ports->n - MAX_MEMBERS);
    }
    str_putc(out, ')');
    free(v);
}

static void
put_binding_place(const struct source *s, const struct datum *cells, struct str *out)
{
    const struct datum *ref = &cells[SB_PORT_BINDING_CHASSIS];
    const struct datum *chassis = ref->n ? source_row(s, &sb_table_chassis, &ref->k[0].u) : NULL;

    if (chassis) {
        describe_row(&sb_table_chassis, ", chassis-name \"%name\", chassis-str \"%hostname\"", chassis, out);
    }
    describe_row(&sb_table_port_binding, "[, type \"%type\"]", cells, out);
}

void
southbound_put(const struct source *s, const struct ovsdb_table_desc *t, const struct uuid *uuid, struct str *out)
{
    const struct kind *kind = find_kind(t);
    const struct datum *cells = source_row(s, t, uuid);

    if (!cells) {                      /* It has gone since the UUIDs were read. */
        return;
    }
    if (t == &sb_table_logical_flow) {
        put_flow(s, cells, uuid, out);
        return;
    }
    const struct datum *dp = kind->datapath != NO_COLUMN ? &cells[kind->datapath] : NULL;
    if ((dp && dp->n) || t == &sb_table_datapath_binding) {
        str_puts(out, "  * Logical datapath: ");
        put_datapath(s, dp ? &dp->k[0].u : uuid, out);
        str_putc(out, '\n');
    }
    if (!kind->template) {
        return;
    }
    str_puts(out, "  * ");
    describe_row(t, kind->template, cells, out);
    if (t == &sb_table_multicast_group) {
        put_members(s, &cells[SB_MULTICAST_GROUP_PORTS], out);
    } else if (t == &sb_table_port_binding) {
        put_binding_place(s, cells, out);
    }
    put_uuid(uuid, out);
    str_putc(out, '\n');
}

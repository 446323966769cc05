/* resolve.c - what the names in a logical flow mean on this hypervisor. Every answer is a recorded read: when it changes, the flow's unit runs again.
 *
 * A port's key belongs to its datapath. A flow for a set of datapaths asks first for the whole set: the well-known multicast groups have the
 * same key everywhere (mc_key has one fact then), and with it the flow stays one flow. If a name's key differs, or it is a port's, the caller asks
 * for each datapath. */
#include <stdlib.h>

#include "base/log.h"
#include "controller/translate/translate.h"

LOG_MODULE(resolve);

static bool
port_key(struct resolver *r, const struct sb_port_binding *pb, uint32_t *key)
{
    int64_t value;

    if (sb_port_binding_datapath(pb, r->by) != r->dp) {
        return false;
    }
    value = sb_port_binding_tunnel_key(pb, r->by);
    *key = value;
    return value > 0 && value < 65536;
}

static bool
lookup_in_datapath(struct resolver *r, const char *name, uint32_t *key)
{
    struct ovsdb_row *row = ovsdb_index_get_str(r->c->port_by_name, r->by, name);

    if (row && port_key(r, sb_port_binding_of(row), key)) {
        return true;
    }
    row = ovsdb_index_get(r->c->mcast_by_name, r->by, (union ovsdb_atom[]) { { .row = &r->dp->row_ }, { .s = name } });
    if (!row) {
        return false;
    }
    int64_t value = sb_multicast_group_tunnel_key(sb_multicast_group_of(row), r->by);
    *key = value;
    return value > 0 && value < 65536;
}

static bool
lookup_in_set(struct resolver *r, const char *name, uint32_t *key)
{
    const struct incr_fact *fact;
    size_t n = strlen(name);

    if (ovsdb_index_get_str(r->c->port_by_name, r->by, name) || incr_count(r->c->mc_key, name, n, r->by) > 1) {
        r->differs = true;
        return false;
    }
    fact = incr_first(r->c->mc_key, name, n, r->by);
    if (!fact) {
        return false;
    }
    *key = *(const uint64_t *) (const void *) fact->value;
    return true;
}

bool
resolver_lookup_port(void *r_, const char *name, uint32_t *key)
{
    struct resolver *r = r_;

    if (str_eq(name, "none")) {        /* What outport is when nothing has set it (ovn-northd(8), "Destination unknown"). */
        *key = 0;
        return true;
    }
    return r->dp ? lookup_in_datapath(r, name, key) : lookup_in_set(r, name, key);
}

static const struct expr_constants *
lookup_address_set(void *r_, const char *name)
{
    struct resolver *r = r_;
    struct ovsdb_row *row = ovsdb_index_get_str(r->c->translate->address_set_by_name, r->by, name);
    size_t n = 0;

    if (!row) {
        return NULL;
    }
    const struct ovsdb_set *addresses = sb_address_set_addresses(sb_address_set_of(row), r->by);
    GROW(r->constants, r->cap_constants, addresses->n + 1);
    for (uint32_t i = 0; i < addresses->n; i++) {
        if (expr_constant_parse(addresses->v[i].s, &r->constants[n])) {
            n++;
        } else {
            LOG_WARN_RL("address set %s: \"%s\" is no address", name, addresses->v[i].s);
        }
    }
    r->constant_set = (struct expr_constants) { .n = n, .values = r->constants };
    return &r->constant_set;
}

static const struct expr_keys *
lookup_port_group(void *r_, const char *name)
{
    struct resolver *r = r_;
    size_t n = 0;
    uint32_t key;

    if (!r->dp) {
        r->differs = true;
        return NULL;
    }
    /* Southbound, a group has a row a datapath: the datapath's key is in the name. */
    char *full_name = xasprintf("%u_%s", r->dp_key, name);
    struct ovsdb_row *row = ovsdb_index_get_str(r->c->translate->port_group_by_name, r->by, full_name);
    free(full_name);
    if (!row && !(row = ovsdb_index_get_str(r->c->translate->port_group_by_name, r->by, name))) {
        return NULL;
    }
    const struct ovsdb_set *ports = sb_port_group_ports(sb_port_group_of(row), r->by);
    GROW(r->keys, r->cap_keys, ports->n + 1);
    for (uint32_t i = 0; i < ports->n; i++) {
        struct ovsdb_row *port = ovsdb_index_get_str(r->c->port_by_name, r->by, ports->v[i].s);
        if (port && port_key(r, sb_port_binding_of(port), &key)) {
            r->keys[n++] = key;
        }
    }
    r->key_set = (struct expr_keys) { .n = n, .keys = r->keys };
    return &r->key_set;
}

bool
resolver_is_chassis_resident(void *r_, const char *name)
{
    struct resolver *r = r_;
    const struct controller_config *config = controller_config(r->c, r->by);
    struct ovsdb_row *row = ovsdb_index_get_str(r->c->port_by_name, r->by, name);

    return row && config && config->chassis_row && sb_port_binding_chassis(sb_port_binding_of(row), r->by) == config->chassis_row;
}

/* A variable of Chassis_Template_Var as it is here. */
static const char *
lookup_template(void *r_, const char *name)
{
    struct resolver *r = r_;
    const struct controller_config *config = controller_config(r->c, r->by);
    struct ovsdb_row *row = config ? ovsdb_index_get_str(r->c->translate->template_var_by_chassis, r->by, config->chassis) : NULL;

    return row ? ovsdb_map_get(sb_chassis_template_var_variables(sb_chassis_template_var_of(row), r->by), name) : NULL;
}

const char *
resolver_expand(struct resolver *r, const char *text)
{
    struct str s = STR_INIT;
    const char *expanded = expr_expand_templates(text, lookup_template, r, &s) ? intern(s.s, s.len) : intern_ref(text);

    str_free(&s);
    return expanded;
}

bool
resolver_datapath_key(void *r_, uint32_t *key)
{
    struct resolver *r = r_;

    *key = r->dp_key;
    r->differs |= !r->dp;
    return r->dp != NULL;
}

struct expr_env
resolver_env(struct resolver *r)
{
    return (struct expr_env) {
        .lookup_port = resolver_lookup_port, .address_set = lookup_address_set, .port_group = lookup_port_group,
        .is_chassis_resident = resolver_is_chassis_resident, .aux = r,
    };
}

void
resolver_destroy(struct resolver *r)
{
    free(r->constants);
    free(r->keys);
}

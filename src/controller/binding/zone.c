/* zone.c - conntrack zones: one for each bound port, kept in the bridge's external_ids:ct-zone-NAME so that
 * they survive us.
 *
 * A number is handed out once and stays while its port is bound (incr_numbers); what stands in the bridge is
 * adopted. Keys of ports that are not bound here go. ovn-controller(8), "Open vSwitch database usage";
 * ct-zone-range narrows the numbers that may be used.
 *
 * The bridge has a key a port, so a change of one must not cost all: keys are spread over buckets by their hash,
 * and what is in a bucket is said again only when its digest changes. */
#include "controller/binding/binding.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/log.h"

LOG_MODULE(zone);

#define PREFIX "ct-zone-"
enum { MIN_ZONE = 1, MAX_ZONE = 65535, N_BUCKETS = 64 };

struct zones {
    struct incr_numbers *numbers;
    struct incr_relation *bucket;      /* key uint32_t, value uint64_t: digest of the keys and values in it. */
};

/* The port that KEY is about, and its bucket; NULL: it is no key of a zone. */
static const char *
zone_key_port(const char *key, uint32_t *hash)
{
    const char *name = str_after(key, PREFIX);

    if (!name || !*name) {
        return NULL;
    }
    *hash = hash_bytes(name, strlen(name), 0);
    return name;
}

static void
buckets_run(struct incr_unit *unit, void *c_)
{
    struct controller *c = c_;
    struct dep_reader *by = incr_reader(unit);
    const struct controller_config *config = controller_config(c, by);
    uint64_t digests[N_BUCKETS] = { 0 };

    if (!config || !config->bridge_row) {
        return;
    }
    const struct ovsdb_map *ids = ovs_bridge_external_ids(config->bridge_row, by);
    for (uint32_t i = 0; i < ids->n; i++) {
        uint32_t hash;

        if (zone_key_port(ids->v[i].k.s, &hash)) {
            uint64_t value = hash_bytes(ids->v[i].v.s, strlen(ids->v[i].v.s), hash);
            digests[hash % N_BUCKETS] += (value << 32 | hash) * UINT64_C(0x9e3779b97f4a7c15);
        }
    }
    for (uint32_t i = 0; i < N_BUCKETS; i++) {
        if (digests[i]) {
            incr_emit(unit, c->binding->zones->bucket, &i, sizeof i, &digests[i], sizeof digests[i]);
        }
    }
}

/* What the bridge says, of one bucket. That there are such keys, and which, is in the digest: so they are read
 * without being recorded. */
static void
rows_run(struct incr_unit *unit, void *c_)
{
    struct controller *c = c_;
    struct dep_reader *by = incr_reader(unit);
    const struct controller_config *config = controller_config(c, by);
    uint32_t bucket = *(const uint32_t *) (const void *) incr_subject(unit)->bytes, hash;

    if (!incr_first(c->binding->zones->bucket, &bucket, sizeof bucket, by) || !config || !config->bridge_row) {
        return;
    }
    const struct ovsdb_map *ids = ovs_bridge_external_ids(config->bridge_row, NULL);
    for (uint32_t i = 0; i < ids->n; i++) {
        const char *name = zone_key_port(ids->v[i].k.s, &hash);
        int64_t zone;

        if (name && hash % N_BUCKETS == bucket) {
            zone = str_to_int(ids->v[i].v.s, MIN_ZONE, MAX_ZONE, &zone) ? zone : 0;
            incr_emit(unit, c->binding->zone_row, name, strlen(name), &zone, sizeof zone);
        }
    }
}

static void
port_run(struct incr_unit *unit, void *c_)
{
    struct controller *c = c_;
    struct dep_reader *by = incr_reader(unit);
    const struct sb_port_binding *pb = *(struct sb_port_binding *const *) (const void *) incr_subject(unit)->bytes;
    const struct controller_config *config = controller_config(c, by);
    const char *name = sb_port_binding_logical_port(pb, by);
    const struct incr_fact *found = incr_first(c->binding->zone_row, name, strlen(name), by);
    int64_t there = found ? *(const int64_t *) (const void *) found->value : 0;
    int64_t zone = incr_number(unit, c->binding->zones->numbers, name, strlen(name), 0, there);

    if (!zone) {
        LOG_WARN_RL("port %s gets no conntrack zone: all are in use", name);
        return;
    }
    incr_emit(unit, c->zone, name, strlen(name), &zone, sizeof zone);
    if (zone != there && config && config->bridge_row) {
        struct ovsdb_record *r = ovsdb_record_create(&ovs_table_bridge);
        char *key = xasprintf(PREFIX "%s", name), number[24];
        struct write w;

        snprintf(number, sizeof number, "%"PRId64, zone);
        ovsdb_record_map(r, OVS_BRIDGE_EXTERNAL_IDS, key, number);
        write_begin(&w, c->binding->ovs_writer, by, "conntrack zone of port %s", name);
        write_later(&w);
        write_add(&w, &config->bridge_row->row_.uuid, r);
        write_emit(&w, unit, c->binding->ovs_write, "zone %s", name);
        ovsdb_record_destroy(r);
        free(key);
    }
}

/* A key of the bridge whose port has no zone here goes. At a graceful exit they stay: what the zones hold does
 * too. */
static void
excess_run(struct incr_unit *unit, void *c_)
{
    struct controller *c = c_;
    struct dep_reader *by = incr_reader(unit);
    const struct incr_key *name = incr_subject(unit);
    const struct controller_config *config = controller_config(c, by);

    if (!incr_count(c->zone, name->bytes, name->len, by) && !c->leaving && config && config->bridge_row) {
        char *key = xasprintf(PREFIX "%.*s", (int) name->len, name->bytes);
        struct write w;

        write_begin(&w, c->binding->ovs_writer, by, "end of conntrack zone %s", key);
        write_remove_key(&w, &ovs_table_bridge, &config->bridge_row->row_.uuid, OVS_BRIDGE_EXTERNAL_IDS, key);
        write_emit(&w, unit, c->binding->ovs_write, "zone %.*s", (int) name->len, name->bytes);
        free(key);
    }
}

void
zone_create(struct controller *c)
{
    c->binding->zones = XNEW(struct zones);
    c->binding->zones->numbers = incr_numbers_create("ct-zone", MIN_ZONE, MAX_ZONE);
    c->binding->zones->bucket = incr_relation_create(c->incr, "zone_bucket", 0);
    incr_class_alone(incr_class_create(c->incr, "zone-buckets", buckets_run, c));
    incr_class_over_relation(incr_class_create(c->incr, "zone-rows", rows_run, c), c->binding->zones->bucket);
    incr_class_over_relation(incr_class_create(c->incr, "zone", port_run, c), c->bound);
    incr_class_over_relation(incr_class_create(c->incr, "zone-excess", excess_run, c), c->binding->zone_row);
}

void
zone_destroy(struct controller *c)
{
    incr_numbers_destroy(c->binding->zones->numbers);
    free(c->binding->zones);
}

/* address_set.c - flows that compare with an address of a set: a change of one address costs that address, not the set and not the logical flow.
 *
 *   class     subject           reads                says
 *   --------- ----------------- -------------------- --------------------------------------------------------------------
 *   lflow     sb Logical_Flow   ...                  template: all of a flow but the address, with the set's name in it
 *   aset      sb Address_Set    template             aset: name -> row, number of buckets; aset_bucket: (row, bucket) -> addresses
 *   template  template          aset                 part: (row, bucket, template)
 *   part      part              aset_bucket          flows: the template with each address of the bucket
 *
 * The addresses of a set are spread over buckets by their hash. One that comes or goes changes one bucket; for each template that means about BUCKET flows
 * said again, of which one is new. The number of buckets follows the size of the set in powers of two, so that it seldom changes.
 * Sets that nothing here asks for are not looked at. */
#include <stdlib.h>

#include "base/log.h"
#include "controller/translate/translate.h"

LOG_MODULE(address_set);

enum { BUCKET = 16, MAX_BUCKETS = 4096 };

/* `template`: this, the bytes of the expr_template, then the actions of the flow. */
struct template_head {
    uint64_t metadata, metadata_mask;
    uint32_t cookie;
    uint16_t priority;
    uint8_t table;
    uint8_t pad;
    uint32_t template_len, actions_len;
};
struct aset_value {
    struct sb_address_set *row;
    uint32_t n_buckets, pad;
};
struct bucket_key {
    struct sb_address_set *row;
    uint32_t bucket, pad;
};

void
address_template_emit(struct controller *c, struct incr_unit *u, const struct expr_template *t, const struct flow_place *place, const struct str *actions)
{
    struct template_head head = {
        .metadata = place->metadata, .metadata_mask = place->metadata_mask, .cookie = place->cookie, .priority = place->priority, .table = place->table,
        .actions_len = actions->len,
    };
    struct str s = STR_INIT;

    str_put(&s, &head, sizeof head);
    expr_template_put(t, &s);
    ((struct template_head *) (void *) s.s)->template_len = s.len - sizeof head;
    str_put(&s, actions->s, actions->len);
    incr_emit(u, c->translate->template, s.s, s.len, NULL, 0);
    incr_emit(u, c->translate->template_set, t->set, strlen(t->set), NULL, 0);
    str_free(&s);
}

static uint32_t
buckets_of(uint32_t n)
{
    uint32_t buckets = 1;

    while (buckets < MAX_BUCKETS && buckets * BUCKET < n) {
        buckets *= 2;
    }
    return buckets;
}

static void
aset_run(struct incr_unit *u, void *c_)
{
    struct controller *c = c_;
    struct dep_reader *by = incr_reader(u);
    struct sb_address_set *row = sb_address_set_of(incr_row(u));
    const char *name = sb_address_set_name(row, by);

    if (!incr_count(c->translate->template_set, name, strlen(name), by)) {
        return;
    }
    const struct ovsdb_set *addresses = sb_address_set_addresses(row, by);
    struct aset_value value = { .row = row, .n_buckets = buckets_of(addresses->n) };
    /* Sorted by counting: START[b] is where bucket b begins. */
    uint32_t *start = xcalloc(value.n_buckets + 1, sizeof *start), *at = xcalloc(value.n_buckets, sizeof *at);
    const char **sorted = xcalloc(addresses->n + 1, sizeof *sorted);
    uint32_t *bucket = xcalloc(addresses->n + 1, sizeof *bucket);

    for (uint32_t i = 0; i < addresses->n; i++) {
        bucket[i] = hash_bytes(addresses->v[i].s, intern_len(addresses->v[i].s), 0) & (value.n_buckets - 1);
        start[bucket[i] + 1]++;
    }
    for (uint32_t b = 0; b < value.n_buckets; b++) {
        start[b + 1] += start[b];
        at[b] = start[b];
    }
    for (uint32_t i = 0; i < addresses->n; i++) {
        sorted[at[bucket[i]]++] = addresses->v[i].s;
    }
    for (uint32_t b = 0; b < value.n_buckets; b++) {
        struct bucket_key key = { .row = row, .bucket = b };
        incr_emit(u, c->translate->aset_bucket, &key, sizeof key, &sorted[start[b]], (start[b + 1] - start[b]) * sizeof *sorted);
    }
    incr_emit(u, c->translate->aset, name, strlen(name), &value, sizeof value);
    free(start);
    free(at);
    free(sorted);
    free(bucket);
}

static void
template_run(struct incr_unit *u, void *c_)
{
    struct controller *c = c_;
    struct dep_reader *by = incr_reader(u);
    const struct incr_key *subject = incr_subject(u);
    struct expr_template t;
    struct str key = STR_INIT;

    expr_template_get(subject->bytes + sizeof(struct template_head), &t);
    INCR_FOR_EACH_FACT (fact, c->translate->aset, t.set, strlen(t.set), by) {
        const struct aset_value *v = (const void *) fact->value;

        for (uint32_t b = 0; ovsdb_present(&v->row->row_, by) && b < v->n_buckets; b++) {
            struct bucket_key head = { .row = v->row, .bucket = b };
            str_clear(&key);
            str_put(&key, &head, sizeof head);
            str_put(&key, subject->bytes, subject->len);
            incr_emit(u, c->translate->part, key.s, key.len, NULL, 0);
        }
    }
    str_free(&key);
    expr_template_destroy(&t);
}

static void
part_run(struct incr_unit *u, void *c_)
{
    struct controller *c = c_;
    struct dep_reader *by = incr_reader(u);
    const char *bytes = incr_subject(u)->bytes;
    const struct template_head *head = (const void *) (bytes + sizeof(struct bucket_key));
    const char *template = (const char *) head + sizeof *head, *actions = template + head->template_len;
    struct expr_template t;

    expr_template_get(template, &t);
    INCR_FOR_EACH_FACT (fact, c->translate->aset_bucket, bytes, sizeof(struct bucket_key), by) {
        const char *const *addresses = (const void *) fact->value;

        for (size_t i = 0; i < fact->len / sizeof *addresses; i++) {
            struct expr_constant constant;
            struct expr_match m;

            if (!expr_constant_parse(addresses[i], &constant)) {
                LOG_WARN_RL("address set %s: \"%s\" is no address", t.set, addresses[i]);
            } else if (expr_template_fill(&t, &constant, &m)) {
                struct flow_place place = {
                    .metadata = head->metadata, .metadata_mask = head->metadata_mask, .cookie = head->cookie, .priority = head->priority, .table = head->table,
                };
                flow_place_emit(c, u, &m, &place, actions, head->actions_len);
                expr_match_destroy(&m);
            }
        }
    }
    expr_template_destroy(&t);
}

void
address_set_create(struct controller *c)
{
    struct translate *t = c->translate;

    t->template = incr_relation_create(c->incr, "template", 0);
    t->template_set = incr_relation_create(c->incr, "template_set", 0);
    t->aset = incr_relation_create(c->incr, "aset", 0);
    t->aset_bucket = incr_relation_create(c->incr, "aset_bucket", 0);
    t->part = incr_relation_create(c->incr, "part", 0);
}

void
address_set_create_classes(struct controller *c)
{
    incr_class_over_table(incr_class_create(c->incr, "aset", aset_run, c), ovsdb_table(c->sb, &sb_table_address_set));
    incr_class_over_relation(incr_class_create(c->incr, "template", template_run, c), c->translate->template);
    incr_class_over_relation(incr_class_create(c->incr, "part", part_run, c), c->translate->part);
}

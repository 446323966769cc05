/* claim.c - when a port becomes ours, and when it is up: the part of binding that depends on what happened and
 * not only on what is.
 *
 * The rule. A port with an interface here (a `claim` fact, port.c) is made ours when the interface appears or
 * changes, and whenever the port is nobody's. When another chassis takes it while our interface stays (a
 * virtual machine that moves), it is theirs: we do not take it back only because of that. So the last one whose
 * interface came wins, and two hypervisors with the same iface-id do not fight. A restart is an appearance: to
 * keep a machine's old place from taking it then, remove its interface there or set requested-chassis, as CMSes
 * do: a port that is requested for chassis is theirs alone. Another that says it has it is not believed, and it is taken back.
 *
 * Once ours: when all flows that this brought are in the switch (a barrier), Port_Binding.up and the
 * interface's ovn-installed are set. Both stay through a restart. */
#include "controller/binding/binding.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/log.h"

LOG_MODULE(claim);

struct claim {
    struct hmap_node node;             /* In `claims`, by port. */
    struct list list;                  /* In `dirty`, if it must be looked at. */
    struct sb_port_binding *port;      /* As long as there is a fact that names it. */
    struct uuid uuid;                  /* Of the port. */
    const struct ovs_interface *iface; /* What appeared; only compared. */
    struct uuid iface_uuid;
    int64_t ofport;
    bool wanted;                       /* We are the last who came: make it ours. */
    bool ours;                         /* It was seen as ours. */
    bool waiting;                      /* For the barrier. */
    bool in_place;                     /* The barrier was passed. */
    struct barrier barrier;
};

struct claims {
    struct hmap map;
    struct list dirty;
};

static struct claim *
claim_find(struct claims *s, const struct sb_port_binding *port)
{
    HMAP_FOR_EACH_HASH (p, struct claim, node, hash_pointer(port, 0), &s->map) {
        if (p->port == port) {
            return p;
        }
    }
    return NULL;
}

/* The sink of `claim`: only notes what changed. */
static void
fact_changed(void *c_, struct incr_fact *fact, enum incr_event event, const void *value, size_t len)
{
    struct controller *c = c_;
    struct claims *s = c->binding->claims;
    struct sb_port_binding *port = *(struct sb_port_binding *const *) (const void *) fact->key->bytes;
    struct claim *p = claim_find(s, port);

    if (!p) {
        p = XNEW(struct claim);
        p->port = port;
        list_init(&p->list);
        hmap_insert(&s->map, &p->node, hash_pointer(port, 0));
    }
    p->uuid = port->row_.uuid;
    if (list_is_empty(&p->list)) {
        list_push_back(&s->dirty, &p->list);
    }
}

static void
unset(struct writer *w, const char *what, const struct uuid *uuid)
{
    char *key = xasprintf("%s " UUID_FMT, what, UUID_ARGS(uuid));

    writer_unset(w, key, strlen(key));
    free(key);
}

/* An interface came: releasing the port before was right. */
static void
forgive_release(struct controller *c, const struct claim *p)
{
    char *key = xasprintf("port " UUID_FMT, UUID_ARGS(&p->uuid));

    writer_forgive(c->binding->sb_writer, key, strlen(key));
    free(key);
}

static void
claim_free(struct controller *c, struct claim *p)
{
    unset(c->binding->sb_writer, "claim", &p->uuid);
    unset(c->binding->sb_writer, "up", &p->uuid);
    unset(c->binding->ovs_writer, "up", &p->uuid);
    list_remove(&p->list);
    hmap_remove(&c->binding->claims->map, &p->node);
    free(p);
}

static void
put_chassis(struct controller *c, const struct claim *p, const struct claim_value *v)
{
    struct ovsdb_record *r = ovsdb_record_create(&sb_table_port_binding);
    struct write w;

    write_begin(&w, c->binding->sb_writer, NULL, "claim of port %s", sb_port_binding_logical_port(p->port, NULL));
    if (v->usurped) {
        LOG_INFO_RL("port %s: taken from chassis %s, which was not requested for it", sb_port_binding_logical_port(p->port, NULL),
                    sb_chassis_name(sb_port_binding_chassis(p->port, NULL), NULL));
        write_guard(&w);               /* It may say so again and again. */
    } else {
        ovsdb_record_bool(r, SB_PORT_BINDING_UP, false);
    }
    ovsdb_record_add_uuid(r, SB_PORT_BINDING_CHASSIS, &v->us->row_.uuid);
    write_update(&w, &p->uuid, r);
    ovsdb_record_destroy(r);
    write_put(&w, c->binding->sb_writer, "claim " UUID_FMT, UUID_ARGS(&p->uuid));
}

static void
put_up(struct controller *c, const struct claim *p, const struct claim_value *v)
{
    struct write w;

    if (!v->up) {
        struct ovsdb_record *r = ovsdb_record_create(&sb_table_port_binding);
        write_begin(&w, c->binding->sb_writer, NULL, "port %s is up", sb_port_binding_logical_port(p->port, NULL));
        ovsdb_record_bool(r, SB_PORT_BINDING_UP, true);
        write_update_if(&w, &p->uuid, r, SB_PORT_BINDING_CHASSIS, &v->us->row_.uuid);
        ovsdb_record_destroy(r);
        write_put(&w, c->binding->sb_writer, "up " UUID_FMT, UUID_ARGS(&p->uuid));
    } else {
        unset(c->binding->sb_writer, "up", &p->uuid);
    }
    if (!v->installed) {
        struct ovsdb_record *r = ovsdb_record_create(&ovs_table_interface);
        char now[24];

        snprintf(now, sizeof now, "%"PRId64, clock_wall_msec());
        write_begin(&w, c->binding->ovs_writer, NULL, "interface %s is installed", ovs_interface_name(v->iface, NULL));
        ovsdb_record_map(r, OVS_INTERFACE_EXTERNAL_IDS, "ovn-installed", "true");
        ovsdb_record_map(r, OVS_INTERFACE_EXTERNAL_IDS, "ovn-installed-ts", now);
        write_add(&w, &v->iface->row_.uuid, r);
        ovsdb_record_destroy(r);
        write_put(&w, c->binding->ovs_writer, "up " UUID_FMT, UUID_ARGS(&p->uuid));
    } else {
        unset(c->binding->ovs_writer, "up", &p->uuid);
    }
}

/* Not ours, or not up any more: what was to be said of it is void. */
static void
forget_up(struct controller *c, struct claim *p)
{
    p->waiting = p->in_place = false;
    unset(c->binding->sb_writer, "up", &p->uuid);
    unset(c->binding->ovs_writer, "up", &p->uuid);
}

/* P is ours. Returns whether it must be looked at again in the next cycle. */
static bool
bring_up(struct controller *c, struct claim *p, const struct claim_value *v)
{
    if (!p->in_place && !(v->up && v->installed)) {
        if (!p->waiting) {
            p->waiting = true;
            barrier_begin(&p->barrier);
        }
        if (!barrier_is_passed(c, &p->barrier)) {
            return true;
        }
        p->waiting = false;
        p->in_place = true;
    }
    if (p->in_place) {
        put_up(c, p, v);
    }
    return false;
}

/* Looks at P after a change. Returns whether it must be looked at again in the next cycle. */
static bool
claim_look(struct controller *c, struct claim *p, const struct claim_value *v)
{
    const char *name = sb_port_binding_logical_port(p->port, NULL);

    if (p->iface != v->iface || !uuid_equal(&p->iface_uuid, &v->iface->row_.uuid) || p->ofport != v->ofport) {
        p->iface = v->iface;
        p->iface_uuid = v->iface->row_.uuid;
        p->ofport = v->ofport;
        p->wanted = v->chassis != v->us;
        forgive_release(c, p);
        forget_up(c, p);
    }
    if (v->chassis == v->us) {
        if (!p->ours) {
            LOG_INFO("%s: port %s", ovs_interface_name(v->iface, NULL), name);
        }
        p->ours = true;
        p->wanted = false;
    } else if (!v->chassis) {
        p->wanted = true;
        p->ours = false;
    } else if (p->ours) {
        LOG_INFO("port %s was taken by chassis %s", name, sb_chassis_name(v->chassis, NULL));
        p->ours = false;
    }
    if (p->wanted) {
        put_chassis(c, p, v);
    } else {
        unset(c->binding->sb_writer, "claim", &p->uuid);
    }
    if (p->ours) {
        return bring_up(c, p, v);
    }
    forget_up(c, p);
    return false;
}

void
claim_run(struct controller *c)
{
    struct claims *s = c->binding->claims;

    LIST_FOR_EACH_SAFE (p, struct claim, list, &s->dirty) {
        const struct incr_fact *f = incr_first(c->binding->claim, &p->port, sizeof p->port, NULL);

        if (!f) {
            claim_free(c, p);
        } else if (!claim_look(c, p, (const struct claim_value *) (const void *) f->value)) {
            list_remove(&p->list);
        }
    }
}

void
claim_create(struct controller *c)
{
    struct claims *s = c->binding->claims = XNEW(struct claims);

    hmap_init(&s->map);
    list_init(&s->dirty);
    incr_set_sink(c->binding->claim, fact_changed, c);
}

void
claim_destroy(struct controller *c)
{
    struct claims *s = c->binding->claims;

    HMAP_FOR_EACH_SAFE (p, struct claim, node, &s->map) {
        hmap_remove(&s->map, &p->node);
        free(p);
    }
    hmap_destroy(&s->map);
    free(s);
}

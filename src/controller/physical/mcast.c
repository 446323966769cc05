/* mcast.c - multicast groups: one copy to each member here, one to each other chassis that has members.
 *
 *   class    subject             reads                        says
 *   -------- ------------------- ---------------------------- ---------------------------------------------
 *   member   sb Port_Binding     who refers to it, the port   member: group -> a port here, a patch port, or a chassis
 *   mcast    sb Multicast_Group  member, tunnel               flows; mc_key: the key that its name has
 *
 * Many ports on one chassis are one fact (group -> chassis), so one more of them costs one unit and moves no flow.
 *
 * A chassis that gets a copy expands the group for its own ports only (LOCAL_OUTPUT). Patch ports are on every chassis: a copy goes into them
 * where the packet is sent (REMOTE_OUTPUT), or each chassis would put one there. */
#include <stdlib.h>

#include "base/log.h"
#include "controller/physical/physical.h"

LOG_MODULE(mcast);

/* The switch drops a packet, all its copies included, that is resubmitted more than 4096 times in one translation: a copy to a member here is resubmitted
 * 21 times or so (LOCAL_OUTPUT, CHECK_LOOPBACK, 16 egress tables and a look-up in one, SAVE_INPORT, LOG_TO_PHY). So the members are in pieces, and from one to
 * the next the packet is recirculated. The switch does that 6 times (dpif-netdev; the kernel is no more generous); what was recirculated before, by conntrack
 * or a tunnel, counts. */
enum { PIECE = 170, N_PIECES = 7, MAX_LOCAL_MEMBERS = PIECE * N_PIECES, MAX_PATCH_MEMBERS = 1000 };

enum member_kind { MEMBER_CHASSIS, MEMBER_PATCH, MEMBER_HERE };
struct member {
    enum member_kind kind;
    uint32_t key;                      /* Of the port. */
    struct sb_chassis *chassis;        /* MEMBER_CHASSIS, else NULL. */
};

struct member_run {
    struct controller *c;
    struct incr_unit *u;
    struct sb_multicast_group *group;
};

static void
emit_member(struct member_run *r, const struct member *m)
{
    incr_emit(r->u, r->c->physical->member, &r->group, sizeof r->group, m, sizeof *m);
}

static void
emit_chassis(void *r_, struct sb_chassis *chassis)
{
    emit_member(r_, &(struct member) { .kind = MEMBER_CHASSIS, .chassis = chassis });
}

static void
member_run(struct incr_unit *u, void *c_)
{
    struct controller *c = c_;
    struct dep_reader *by = incr_reader(u);
    struct ovsdb_referrer_iter iter;
    struct port_info p;

    if (!port_get(c, sb_port_binding_of(incr_row(u)), by, &p)) {
        return;
    }
    OVSDB_FOR_EACH_REFERRER (row, &iter, incr_row(u), &sb_table_multicast_group, SB_MULTICAST_GROUP_PORTS, by) {
        struct member_run r = { .c = c, .u = u, .group = sb_multicast_group_of(row) };
        /* A port of another datapath is none of the group's. */
        if (sb_multicast_group_datapath(r.group, by) != sb_port_binding_datapath(p.pb, by)) {
            continue;
        }
        if (p.bound || p.kind == PORT_PATCH) {
            emit_member(&r, &(struct member) { .kind = p.bound ? MEMBER_HERE : MEMBER_PATCH, .key = p.key });
        }
        port_for_each_remote(c, &p, by, emit_chassis, &r);
    }
}

static int
compare_members(const void *a_, const void *b_)
{
    const struct member *a = a_, *b = b_;

    if (a->kind != b->kind) {
        return a->kind < b->kind ? -1 : 1;
    }
    return a->chassis && b->chassis ? memcmp(&a->chassis->row_.uuid, &b->chassis->row_.uuid, sizeof(struct uuid))
                                    : (a->key > b->key) - (a->key < b->key);
}

static struct member *
get_members(struct controller *c, struct sb_multicast_group *group, struct dep_reader *by, size_t *n)
{
    struct member *members = NULL;
    size_t cap = 0;

    *n = 0;
    INCR_FOR_EACH_FACT (fact, c->physical->member, &group, sizeof group, by) {
        GROW(members, cap, *n + 1);
        memcpy(&members[(*n)++], fact->value, sizeof *members);
    }
    if (*n) {
        qsort(members, *n, sizeof *members, compare_members);
    }
    return members;
}

/* A copy to each of N members. */
static void
put_copies(struct flow *f, const struct member *members, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        size_t clone = ofa_begin_clone(&f->actions);
        flow_load(f, LOGICAL_OUTPORT, 0, 32, members[i].key);
        flow_resubmit(f, OFT_LOCAL_OUTPUT);
        ofa_end_clone(&f->actions, clone);
    }
}

/* To N members here, a piece after the other; which one is next is in reg0, as nobody needs what the ingress pipeline had there. */
static void
emit_pieces(struct flow *f, const struct member *members, size_t n, uint32_t dp_key, uint32_t key, uint32_t cookie)
{
    for (size_t piece = 0; piece * PIECE < n; piece++) {
        size_t left = n - piece * PIECE;

        flow_match_dp(f, dp_key);
        flow_match(f, LOGICAL_OUTPORT, key);
        if (piece) {
            flow_match(f, OFF_REG0, piece);
        }
        put_copies(f, members + piece * PIECE, MIN(left, PIECE));
        if (left > PIECE) {
            flow_load(f, OFF_REG0, 0, 32, piece + 1);
            ofa_put_recirculate(&f->actions);
            flow_resubmit(f, OFT_MORE_MEMBERS);
        }
        flow_emit(f, piece ? OFT_MORE_MEMBERS : OFT_LOCAL_OUTPUT, 100, cookie);
    }
}

static void
emit_group(struct flow *f, struct sb_multicast_group *group, uint32_t dp_key, uint32_t key, struct dep_reader *by)
{
    uint32_t cookie = row_cookie(&group->row_);
    size_t n, patch = 0, local = 0, chassis = 0;
    struct member *members = get_members(f->c, group, by, &n);

    for (size_t i = 0; i < n; i++) {
        const struct tunnel_value *tunnel;
        if (members[i].kind == MEMBER_CHASSIS && (tunnel = tunnel_to(f->c, members[i].chassis, by))) {
            tunnel_put_output(f, tunnel, dp_key, key);
            chassis++;
        }
        patch += members[i].kind == MEMBER_PATCH;
        local += members[i].kind == MEMBER_HERE;
    }
    /* They are in order: chassis, patch ports, ports here. */
    put_copies(f, members + n - local - patch, MIN(patch, MAX_PATCH_MEMBERS));
    if (patch || chassis) {
        flow_match_dp(f, dp_key);
        flow_match(f, LOGICAL_OUTPORT, key);
        flow_resubmit(f, OFT_LOCAL_OUTPUT);
        flow_emit(f, OFT_REMOTE_OUTPUT, 100, cookie);
    }
    if (local > MAX_LOCAL_MEMBERS) {
        LOG_WARN_RL("multicast group %s: %zu members here; only %d get a copy", sb_multicast_group_name(group, by), local,
                    MAX_LOCAL_MEMBERS);
    }
    emit_pieces(f, members + n - local, MIN(local, MAX_LOCAL_MEMBERS), dp_key, key, cookie);
    free(members);
}

static void
mcast_run(struct incr_unit *u, void *c_)
{
    struct controller *c = c_;
    struct dep_reader *by = incr_reader(u);
    struct sb_multicast_group *group = sb_multicast_group_of(incr_row(u));
    const struct dp_key_value *dp = datapath_get(c, sb_multicast_group_datapath(group, by), by);

    if (!dp) {
        return;
    }
    const char *name = sb_multicast_group_name(group, by);
    int64_t key = sb_multicast_group_tunnel_key(group, by);
    if (key < MIN_MCAST_KEY || key > MAX_MCAST_KEY) {
        LOG_WARN_RL("multicast group %s: %lld is no tunnel key", name, (long long) key);
        return;
    }
    uint64_t value = key;
    incr_emit(u, c->mc_key, name, strlen(name), &value, sizeof value);
    struct flow f = FLOW_INIT(c, u);
    emit_group(&f, group, dp->key, key, by);
    flow_destroy(&f);
}

void
mcast_create(struct controller *c)
{
    ovsdb_use(c->sb, &sb_table_multicast_group, OVSDB_COLUMN(SB_MULTICAST_GROUP_DATAPATH) | OVSDB_COLUMN(SB_MULTICAST_GROUP_NAME)
              | OVSDB_COLUMN(SB_MULTICAST_GROUP_TUNNEL_KEY) | OVSDB_COLUMN(SB_MULTICAST_GROUP_PORTS));
    c->physical->member = incr_relation_create(c->incr, "member", 0);
    incr_class_over_table(incr_class_create(c->incr, "member", member_run, c), ovsdb_table(c->sb, &sb_table_port_binding));
    incr_class_over_table(incr_class_create(c->incr, "mcast", mcast_run, c), ovsdb_table(c->sb, &sb_table_multicast_group));
}

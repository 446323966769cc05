/* copp.c - which meters limit what reaches the controllers. ovn-nbctl(8), "Control Plane Protection Policy commands". */
#include "cli/nbctl/nbctl.h"

#define METERS OVSDB_COLUMN(NB_COPP_METERS)

static const char *const protocols[] = {
    "arp", "arp-resolve", "dhcpv4-opts", "dhcpv6-opts", "dns", "event-elb", "icmp4-error", "icmp6-error", "igmp", "nd-na", "nd-ns",
    "nd-ns-resolve", "nd-ra-opts", "tcp-reset", "bfd", "reject", "svc-monitor", "dhcpv4-relay",
};

static const char *
needs(struct ctl *c)
{
    noun_need(c, &noun_copp, ctl_arg(c, 1), METERS);
    return NULL;
}

static const char *
check_protocol(struct ctl *c, const char *protocol)
{
    struct str all = STR_INIT;

    for (size_t i = 0; i < ARRAY_SIZE(protocols); i++) {
        if (str_eq(protocols[i], protocol)) {
            str_free(&all);
            return NULL;
        }
        str_printf(&all, "%s%s", i ? ", " : "", protocols[i]);
    }
    return ctl_error(c, "Invalid control protocol. Allowed values: %s.", arena_take(&c->arena, &all));
}

static const char *
copp_add(struct ctl *c)
{
    struct view_row *copp;

    TRY(check_protocol(c, ctl_arg(c, 2)));
    TRY(noun_find(c, &noun_copp, ctl_arg(c, 1), false, &copp));
    if (!copp) {
        TRY(noun_insert(c, &noun_copp, ctl_arg(c, 1), "a policy", false, &copp));
    }
    noun_put(c, copp, NB_COPP_METERS, ctl_arg(c, 2), ctl_arg(c, 3));
    return NULL;
}

static const char *
copp_del(struct ctl *c)
{
    struct view_row *copp;

    if (ctl_arg(c, 2)) {
        TRY(check_protocol(c, ctl_arg(c, 2)));
    }
    TRY(noun_find(c, &noun_copp, ctl_arg(c, 1), false, &copp));
    if (copp && ctl_arg(c, 2)) {
        view_remove_keys(copp, NB_COPP_METERS, datum_of_str(&c->arena, ctl_arg(c, 2)));
    } else if (copp) {
        view_delete(copp);
    }
    return NULL;
}

static const char *
copp_list(struct ctl *c)
{
    struct view_row *copp;

    TRY(noun_find(c, &noun_copp, ctl_arg(c, 1), false, &copp));
    if (copp) {
        const struct datum *meters = view_datum(copp, NB_COPP_METERS);
        for (size_t i = 0; i < meters->n; i++) {
            ctl_print(c, "%s: %s\n", meters->k[i].s, meters->v[i].s);
        }
    }
    return NULL;
}

/* ls-copp-add, lr-copp-add. */
static const char *
attach_needs(struct ctl *c)
{
    noun_need(c, &noun_copp, ctl_arg(c, 1), 0);
    noun_need(c, c->call->command->name[1] == 's' ? &noun_switch : &noun_router, ctl_arg(c, 2), 0);
    return NULL;
}

static const char *
attach(struct ctl *c)
{
    bool is_switch = c->call->command->name[1] == 's';
    struct view_row *copp, *owner;

    TRY(noun_find(c, &noun_copp, ctl_arg(c, 1), true, &copp));
    TRY(noun_find(c, is_switch ? &noun_switch : &noun_router, ctl_arg(c, 2), true, &owner));
    noun_set_ref(c, owner, is_switch ? NB_LOGICAL_SWITCH_COPP : NB_LOGICAL_ROUTER_COPP, copp);
    return NULL;
}

static const struct ctl_command commands[] = {
    { "copp-add", NULL, "NAME PROTO METER", 3, 3, "let METER limit packets of PROTO in policy NAME", needs, copp_add, CTL_WRITES },
    { "copp-del", NULL, "NAME [PROTO]", 1, 2, "no longer limit PROTO; delete policy NAME", needs, copp_del, CTL_WRITES },
    { "copp-list", NULL, "NAME", 1, 1, "print policy NAME", needs, copp_list, 0 },
    { "ls-copp-add", NULL, "NAME SWITCH", 2, 2, "apply policy NAME to SWITCH", attach_needs, attach, CTL_WRITES },
    { "lr-copp-add", NULL, "NAME ROUTER", 2, 2, "apply policy NAME to ROUTER", attach_needs, attach, CTL_WRITES },
    { NULL },
};
const struct ctl_group nbctl_copp_group = { "Control plane protection commands", commands };

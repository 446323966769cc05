/* router.c - lr-add, lr-del, lr-list. ovn-nbctl(8), "Logical Router Commands". */
#include "cli/nbctl/nbctl.h"

static const struct ovsdb_table_desc *const LR = &nb_table_logical_router;

const char *
router_of_port(struct ctl *c, const struct view_row *port, struct view_row **row)
{
    if (port->base && !ctl_need_referrer(c, LR, NB_LR(NAME), NB_LOGICAL_ROUTER_PORTS, &port->uuid)) {
        return CTL_AGAIN;
    }
    *row = view_referrer(&c->view, LR, NB_LOGICAL_ROUTER_PORTS, &port->uuid);
    return NULL;
}

static const char *
needs_router(struct ctl *c)
{
    if (ctl_arg(c, 1)) {
        noun_need(c, &noun_router, ctl_arg(c, 1), 0);
    } else {
        noun_expect(c, LR, 0);
    }
    return NULL;
}

static const char *
router_add(struct ctl *c)
{
    return noun_run_add(c, &noun_router, "a router");
}

static const char *
router_del(struct ctl *c)
{
    struct view_row *row;

    TRY(noun_find(c, &noun_router, ctl_arg(c, 1), !ctl_has(c, "--if-exists"), &row));
    if (row) {
        view_delete(row);              /* The server removes what belongs to it. */
    }
    return NULL;
}

static const char *
list_needs(struct ctl *c)
{
    ctl_need_all(c, LR, NB_LR(NAME));
    return NULL;
}

static const char *
router_list(struct ctl *c)
{
    return noun_run_list(c, &noun_router);
}

static const struct ctl_command commands[] = {
    { "lr-add", "--may-exist --add-duplicate", "[ROUTER]", 0, 1, "create a logical router named ROUTER", needs_router, router_add,
      CTL_WRITES },
    { "lr-del", "--if-exists", "ROUTER", 1, 1, "delete ROUTER and all its ports", needs_router, router_del, CTL_WRITES },
    { "lr-list", NULL, "", 0, 0, "print the UUIDs and names of all logical routers", list_needs, router_list, 0 },
    { NULL },
};
const struct ctl_group nbctl_router_group = { "Logical router commands", commands };

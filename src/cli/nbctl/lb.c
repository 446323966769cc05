/* lb.c - load balancers: lb-add, lb-del, lb-list, and which switches and routers have them. ovn-nbctl(8), "Load Balancer Commands". */
#include "cli/nbctl/nbctl.h"

#include <stdlib.h>

static const struct ovsdb_table_desc *const LB = &nb_table_load_balancer;

#define COL(C) OVSDB_COLUMN(NB_LOAD_BALANCER_##C)
#define LISTED (COL(NAME) | COL(VIPS) | COL(PROTOCOL) | COL(OPTIONS))

/* ---- addresses with ports ---- */

struct endpoint {
    struct ip_addr ip;
    int64_t port;                      /* 0: none. */
    const char *text;                  /* Canonical. */
};

/* "10.0.0.1", "10.0.0.1:80", "fd00::1", "[fd00::1]", "[fd00::1]:80". */
static bool
parse_endpoint(struct ctl *c, const char *text, struct endpoint *e)
{
    const char *ip_text = text, *rest = "", *canonical;

    if (*text == '[') {
        const char *end = strchr(text, ']');
        if (!end) {
            return false;
        }
        ip_text = arena_strndup(&c->arena, text + 1, end - text - 1);
        rest = end + 1;
    } else {
        const char *colon = strchr(text, ':');
        if (colon && !strchr(colon + 1, ':')) {
            ip_text = arena_strndup(&c->arena, text, colon - text);
            rest = colon;
        }
    }
    e->port = 0;
    if (!noun_parse_ip(c, ip_text, &e->ip, &canonical) || (*rest && (*rest != ':' || !str_to_int(rest + 1, 1, 65535, &e->port)))) {
        return false;
    }
    e->text = !e->port   ? canonical
              : e->ip.v6 ? arena_printf(&c->arena, "[%s]:%lld", canonical, (long long) e->port)
                         : arena_printf(&c->arena, "%s:%lld", canonical, (long long) e->port);
    return true;
}

/* "A,B,C", each with a port if the VIP has one, of its family. The message says of each what is wrong with it. */
static const char *
parse_backends(struct ctl *c, const char *arg, const struct endpoint *vip, const char **canonical)
{
    struct str all = STR_INIT, errors = STR_INIT;

    for (const char *p = arg; *p;) {
        size_t n = strcspn(p, ",");
        if (n) {
            const char *one = arena_strndup(&c->arena, p, n), *comma = errors.len ? ", " : "";
            struct endpoint e;
            char buf[INET6_ADDRSTRLEN];
            bool valid = parse_endpoint(c, one, &e);
            if (valid && e.ip.v6 != vip->ip.v6) {
                str_printf(&errors, "%s%s: IP address family is different from VIP %s", comma, one, ip_addr_to_str(&vip->ip, buf));
            } else if (!valid || !e.port != !vip->port) {
                str_printf(&errors, vip->port ? "%s%s: should be an IP address and a port number with : as a separator"
                                              : "%s%s: should be an IP address", comma, one);
            } else {
                str_printf(&all, "%s%s", all.len ? "," : "", e.text);
            }
        }
        p += n + (p[n] != '\0');
    }
    *canonical = arena_take(&c->arena, &all);
    const char *error = errors.len ? ctl_error(c, "%s.", str_c(&errors)) : NULL;
    str_free(&errors);
    return error;
}

/* ---- lb-add ---- */

static const char *
add_needs(struct ctl *c)
{
    noun_need(c, &noun_lb, ctl_arg(c, 1), LISTED);
    return NULL;
}

/* The VIP and what is behind it. Of a template nothing is known before a chassis fills it in. */
static const char *
parse_vip(struct ctl *c, const char **vip, const char **backends, bool *has_port)
{
    struct endpoint e;

    *vip = ctl_arg(c, 2);
    *backends = ctl_arg(c, 3);
    if (ctl_has(c, "--template")) {
        *has_port = strchr(*vip, ':') != NULL;
        return NULL;
    }
    if (!parse_endpoint(c, *vip, &e)) {
        return ctl_error(c, "%s: should be an IP address (or an IP address and a port number with : as a separator).", *vip);
    }
    *has_port = e.port != 0;
    *vip = e.text;
    return NULL;
}

static const char *
check_protocol(struct ctl *c, bool has_port)
{
    const char *protocol = ctl_arg(c, 4), *family = ctl_arg(c, 5);

    if (protocol && !has_port) {
        return ctl_error(c, "Protocol is unnecessary when no port of vip is given.");
    }
    if (protocol && !str_eq(protocol, "tcp") && !str_eq(protocol, "udp") && !str_eq(protocol, "sctp")) {
        return ctl_error(c, "%s: protocol must be one of \"tcp\", \"udp\",  or \"sctp\".", protocol);
    }
    if (family && ctl_has(c, "--template") && !str_eq(family, "ipv4") && !str_eq(family, "ipv6")) {
        return ctl_error(c, "%s: the address family is \"ipv4\" or \"ipv6\"", family);
    }
    return NULL;
}

/* What a load balancer is, it is from the beginning. */
static void
set_options(struct ctl *c, struct view_row *lb)
{
    static const char *const options[][2] = { { "--reject", "reject" }, { "--event", "event" }, { "--add-route", "add_route" },
                                              { "--template", "template" } };
    for (size_t i = 0; i < ARRAY_SIZE(options); i++) {
        if (ctl_has(c, options[i][0])) {
            noun_put(c, lb, NB_LOAD_BALANCER_OPTIONS, options[i][1], "true");
        }
    }
    if (ctl_has(c, "--template")) {
        noun_put(c, lb, NB_LOAD_BALANCER_OPTIONS, "address-family", ctl_arg(c, 5) ? ctl_arg(c, 5) : "ipv4");
    }
}

static const char *
lb_add(struct ctl *c)
{
    const char *name = ctl_arg(c, 1), *vip, *backends, *canonical;
    struct view_row *lb = NULL;
    struct endpoint e;
    bool has_port = false;

    if (ctl_has(c, "--reject") && ctl_has(c, "--event")) {
        return ctl_error(c, "--reject and --event can't specified at the same time");
    }
    TRY(parse_vip(c, &vip, &backends, &has_port));
    if (!ctl_has(c, "--template")) {
        REQUIRE(parse_endpoint(c, vip, &e));
        TRY(parse_backends(c, backends, &e, &canonical));
        backends = canonical;
    }
    TRY(check_protocol(c, has_port));
    if (!ctl_has(c, "--add-duplicate")) {
        TRY(noun_find(c, &noun_lb, name, false, &lb));
    }
    if (lb && view_map_str(lb, NB_LOAD_BALANCER_VIPS, vip) && !ctl_has(c, "--may-exist")) {
        return ctl_error(c, "%s: a load balancer with this vip (%s) already exists", name, vip);
    }
    if (!lb) {
        if (!ctl_has(c, "--add-duplicate")) {
            view_verify_absent(&c->view, LB, NB_LOAD_BALANCER_NAME, name);
        }
        lb = view_insert(&c->view, LB, NULL);
        view_set_str(lb, NB_LOAD_BALANCER_NAME, name);
        view_set_str(lb, NB_LOAD_BALANCER_PROTOCOL, "tcp");
        set_options(c, lb);
    }
    if (ctl_arg(c, 4)) {
        view_set_str(lb, NB_LOAD_BALANCER_PROTOCOL, ctl_arg(c, 4));
    }
    noun_put(c, lb, NB_LOAD_BALANCER_VIPS, vip, backends);
    return NULL;
}

/* ---- lb-del ---- */

static const char *
lb_del(struct ctl *c)
{
    const char *vip = ctl_arg(c, 2);
    struct view_row *lb;
    struct endpoint e;

    TRY(noun_find(c, &noun_lb, ctl_arg(c, 1), false, &lb));
    if (!lb) {
        return NULL;
    }
    if (!vip) {
        view_delete(lb);
        return NULL;
    }
    if (!view_map_str(lb, NB_LOAD_BALANCER_VIPS, vip) && parse_endpoint(c, vip, &e)) {
        vip = e.text;
    }
    if (!view_map_str(lb, NB_LOAD_BALANCER_VIPS, vip)) {
        return ctl_has(c, "--if-exists") ? NULL : ctl_error(c, "vip %s is not part of the load balancer.", ctl_arg(c, 2));
    }
    view_remove_keys(lb, NB_LOAD_BALANCER_VIPS, datum_of_str(&c->arena, vip));
    if (!view_datum(lb, NB_LOAD_BALANCER_VIPS)->n) {
        view_verify(lb, NB_LOAD_BALANCER_VIPS);
        view_delete(lb);
    }
    return NULL;
}

/* ---- lists ---- */

static void
print_lb(struct ctl *c, struct view_row *lb, int width)
{
    const struct datum *vips = view_datum(lb, NB_LOAD_BALANCER_VIPS);
    const char *protocol = view_str(lb, NB_LOAD_BALANCER_PROTOCOL), *template = view_map_str(lb, NB_LOAD_BALANCER_OPTIONS, "template");
    bool is_template = template && str_eq(template, "true");
    char uuid[UUID_LEN + 1];
    struct endpoint e;

    uuid_format(&lb->uuid, uuid);
    for (size_t i = 0; i < vips->n; i++) {
        bool has_port = is_template || (parse_endpoint(c, vips->k[i].s, &e) && e.port);
        ctl_print(c, "%-40s%-20.16s%-11.7s%-*s%s\n", i ? "" : uuid, i ? "" : view_str(lb, NB_LOAD_BALANCER_NAME),
                  !has_port ? "" : protocol ? protocol : "tcp", width, vips->k[i].s, vips->v[i].s);
    }
}

static void
print_lbs(struct ctl *c, struct view_row **lbs, size_t n)
{
    int width = 0;
    size_t n_vips = 0;

    for (size_t i = 0; i < n; i++) {
        const struct datum *vips = view_datum(lbs[i], NB_LOAD_BALANCER_VIPS);
        for (size_t j = 0; j < vips->n; j++) {
            width = MAX(width, (int) strlen(vips->k[j].s) + 4);
        }
        n_vips += vips->n;
    }
    if (!n_vips) {
        return;
    }
    ctl_print(c, "%-40s%-20s%-11s%-*s%s\n", "UUID", "LB", "PROTO", width, "VIP", "IPs");
    view_sort_by_str(lbs, n, NB_LOAD_BALANCER_NAME);
    for (size_t i = 0; i < n; i++) {
        print_lb(c, lbs[i], width);
    }
}

static const char *
list_needs(struct ctl *c)
{
    if (ctl_arg(c, 1)) {
        noun_need(c, &noun_lb, ctl_arg(c, 1), LISTED);
    } else {
        ctl_need_all(c, LB, LISTED);
    }
    return NULL;
}

static const char *
lb_list(struct ctl *c)
{
    size_t n, kept = 0;
    struct view_row **rows = view_rows(&c->view, LB, &n);
    const char *id = ctl_arg(c, 1);
    struct uuid uuid;

    for (size_t i = 0; i < n; i++) {
        if (!id || str_eq(view_str(rows[i], NB_LOAD_BALANCER_NAME), id) || (noun_is_uuid(id, &uuid) && uuid_equal(&uuid, &rows[i]->uuid))) {
            rows[kept++] = rows[i];
        }
    }
    print_lbs(c, rows, kept);
    return NULL;
}

/* ---- whose they are: ls-lb-*, lr-lb-* ---- */

struct owner {
    const struct noun *noun;
    const char *what;
    uint16_t column;
};

static const struct owner *
owner_kind(const struct ctl *c)
{
    static const struct owner ls = { &noun_switch, "logical switch", NB_LOGICAL_SWITCH_LOAD_BALANCER };
    static const struct owner lr = { &noun_router, "logical router", NB_LOGICAL_ROUTER_LOAD_BALANCER };
    return c->call->command->name[1] == 's' ? &ls : &lr;
}

static const char *
owner_needs(struct ctl *c)
{
    const struct owner *o = owner_kind(c);

    noun_need(c, o->noun, ctl_arg(c, 1), OVSDB_COLUMN(o->column));
    noun_expect(c, LB, LISTED);
    if (ctl_arg(c, 2)) {
        noun_need(c, &noun_lb, ctl_arg(c, 2), LISTED);
    }
    return NULL;
}

static const char *
owner_lb_add(struct ctl *c)
{
    const struct owner *o = owner_kind(c);
    struct view_row *row, *lb;

    TRY(noun_find(c, o->noun, ctl_arg(c, 1), true, &row));
    TRY(noun_find(c, &noun_lb, ctl_arg(c, 2), true, &lb));
    if (datum_find(view_datum(row, o->column), &(union datum_atom) { .u = lb->uuid }, OVSDB_UUID) != SIZE_MAX) {
        return ctl_has(c, "--may-exist") ? NULL : ctl_error(c, UUID_FMT " : a load balancer with this UUID already exists",
                                                            UUID_ARGS(&lb->uuid));
    }
    view_add_ref(row, o->column, lb);
    return NULL;
}

static const char *
owner_lb_del(struct ctl *c)
{
    const struct owner *o = owner_kind(c);
    struct view_row *row, *lb;

    TRY(noun_find(c, o->noun, ctl_arg(c, 1), true, &row));
    if (!ctl_arg(c, 2)) {
        view_remove(row, o->column, *view_datum(row, o->column));
        return NULL;
    }
    TRY(noun_find(c, &noun_lb, ctl_arg(c, 2), true, &lb));
    if (datum_find(view_datum(row, o->column), &(union datum_atom) { .u = lb->uuid }, OVSDB_UUID) == SIZE_MAX) {
        return ctl_has(c, "--if-exists") ? NULL : ctl_error(c, "load balancer %s is not part of any %s.", ctl_arg(c, 2), o->what);
    }
    view_remove_ref(row, o->column, lb);
    return NULL;
}

static const char *
owner_lb_list(struct ctl *c)
{
    const struct owner *o = owner_kind(c);
    struct view_row *row, **lbs;
    size_t n;

    TRY(noun_find(c, o->noun, ctl_arg(c, 1), true, &row));
    TRY(noun_members(c, row, o->column, LISTED, &lbs, &n));
    print_lbs(c, lbs, n);
    return NULL;
}

static const struct ctl_command commands[] = {
    { "lb-add", "--may-exist --add-duplicate --reject --event --add-route --template",
      "LB VIP[:PORT] IP[:PORT][,IP[:PORT]]... [PROTOCOL [ADDRESS_FAMILY]]", 3, 5,
      "create a load balancer, or add a VIP to one", add_needs, lb_add, CTL_WRITES },
    { "lb-del", "--if-exists", "LB [VIP]", 1, 2, "remove a load balancer, or a VIP of it", add_needs, lb_del, CTL_WRITES },
    { "lb-list", NULL, "[LB]", 0, 1, "print the load balancers", list_needs, lb_list, 0 },
    { "lr-lb-add", "--may-exist", "ROUTER LB", 2, 2, "add a load balancer to ROUTER", owner_needs, owner_lb_add, CTL_WRITES },
    { "lr-lb-del", "--if-exists", "ROUTER [LB]", 1, 2, "remove one from ROUTER, or all", owner_needs, owner_lb_del, CTL_WRITES },
    { "lr-lb-list", NULL, "ROUTER", 1, 1, "print those of ROUTER", owner_needs, owner_lb_list, 0 },
    { "ls-lb-add", "--may-exist", "SWITCH LB", 2, 2, "add a load balancer to SWITCH", owner_needs, owner_lb_add, CTL_WRITES },
    { "ls-lb-del", "--if-exists", "SWITCH [LB]", 1, 2, "remove one from SWITCH, or all", owner_needs, owner_lb_del, CTL_WRITES },
    { "ls-lb-list", NULL, "SWITCH", 1, 1, "print those of SWITCH", owner_needs, owner_lb_list, 0 },
    { NULL },
};
const struct ctl_group nbctl_lb_group = { "Load balancer commands", commands };

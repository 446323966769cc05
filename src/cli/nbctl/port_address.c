/* port_address.c - see port_address.h. Logical_Switch_Port.addresses in ovn-nb(5):
 *
 *     MAC [IP]...    MAC dynamic    dynamic [IPv4] [IPv6]    router    unknown */
#include "cli/nbctl/port_address.h"

#include <stdlib.h>

/* TEXT is IP addresses with blanks between them. */
static bool
is_ip_list(const char *text)
{
    while (*(text += strspn(text, " "))) {
        size_t n = strcspn(text, " ");
        struct ip_addr ip;
        if (!ip_addr_parse(text, n, &ip)) {
            return false;
        }
        text += n;
    }
    return true;
}

const char *
port_check_address(struct ctl *c, const char *text)
{
    struct eth_addr mac;
    const char *rest = text + strspn(text, " "), *dynamic = str_after(rest, "dynamic");

    if (dynamic && *dynamic == ' ' && !dynamic[strspn(dynamic, " ")]) {
        dynamic = NULL;
    }
    if (str_eq(rest, "router") || str_eq(rest, "unknown")
        || (dynamic && rest == text && (!*dynamic || (*dynamic == ' ' && is_ip_list(dynamic))))) {
        return NULL;
    }
    rest = eth_addr_parse(rest, &mac);
    if (rest && (!*rest || *rest == ' ')) {
        rest += strspn(rest, " ");
        dynamic = str_after(rest, "dynamic");
        if ((dynamic && is_ip_list(dynamic)) || is_ip_list(rest)) {
            return NULL;
        }
        return ctl_error(c, "%s: Invalid address format. See ovn-nb(5). Hint: An Ethernet address may be followed by IP addresses, e.g. "
                         "\"0a:00:00:00:00:01 10.0.0.1 fd00::1\".", text);
    }
    return ctl_error(c, "%s: Invalid address format. See ovn-nb(5). Hint: An Ethernet address must be listed before an IP address, "
                     "together as a single argument.", text);
}

static bool
parse(const char *text, struct lport_addresses *a)
{
    char *error = lport_addresses_parse(text, a);
    free(error);
    return !error;
}

bool
port_have_ips(size_t n, const char *const texts[])
{
    bool any = false;

    for (size_t i = 0; !any && i < n; i++) {
        struct lport_addresses a;
        if (parse(texts[i], &a)) {
            any = a.n_ips > 0;
            lport_addresses_destroy(&a);
        }
    }
    return any;
}

/* The first address of A that THEIRS has. */
static const struct ip_addr *
common_ip(const struct lport_addresses *a, const struct lport_addresses *theirs)
{
    for (size_t i = 0; i < a->n_ips; i++) {
        for (size_t j = 0; j < theirs->n_ips; j++) {
            if (ip_addr_equal(&a->ips[i], &theirs->ips[j])) {
                return &a->ips[i];
            }
        }
    }
    return NULL;
}

static const char *
check_against(struct ctl *c, struct view_row *ls, const struct lport_addresses *a, struct view_row *other)
{
    const struct datum *texts = view_datum(other, NB_LOGICAL_SWITCH_PORT_ADDRESSES);
    char buf[INET6_ADDRSTRLEN];

    for (size_t i = 0; i < texts->n; i++) {
        struct lport_addresses theirs;
        if (!parse(texts->k[i].s, &theirs)) {
            continue;
        }
        const struct ip_addr *ip = common_ip(a, &theirs);
        const char *error = !ip ? NULL
            : ctl_error(c, "Error on switch %s: duplicate IPv%d address '%s' found on logical switch port '%s'",
                        view_str(ls, NB_LOGICAL_SWITCH_NAME), ip->v6 ? 6 : 4, ip_addr_to_str(ip, buf),
                        view_str(other, NB_LOGICAL_SWITCH_PORT_NAME));
        lport_addresses_destroy(&theirs);
        TRY(error);
    }
    return NULL;
}

const char *
port_check_duplicates(struct ctl *c, struct view_row *ls, const struct view_row *port, size_t n, const char *const texts[])
{
    struct view_row **rows;
    size_t n_rows;

    TRY(noun_members(c, ls, NB_LOGICAL_SWITCH_PORTS, NB_LSP(ADDRESSES) | NB_LSP(NAME), &rows, &n_rows));
    for (size_t i = 0; i < n; i++) {
        struct lport_addresses a;
        const char *error = NULL;
        if (!parse(texts[i], &a)) {
            continue;
        }
        for (size_t j = 0; !error && j < n_rows; j++) {
            error = rows[j] != port ? check_against(c, ls, &a, rows[j]) : NULL;
        }
        lport_addresses_destroy(&a);
        TRY(error);
    }
    return NULL;
}

/* Documented actions that are not built yet: known by name, so that they are refused as what they are. An entry moves to its family when it is built. */
#include "logical/actions/internal.h"

static bool
later_parse(struct action_parser *p, struct action *a)
{
    return action_fail(p, lexer_message(&p->lex, p->lex.token.start, "%s is not supported yet", a->class->name));
}

#define LATER(NAME) { .name = NAME, .parse = later_parse }

static const struct action_class statements[] = {
    LATER("set_meter"), LATER("fwd_group"), LATER("trigger_event"), LATER("commit_ecmp_nh"), LATER("commit_lb_aff"), LATER("sample"),
    LATER("mirror"), LATER("flood_remote"), LATER("dhcp_relay_req_chk"), LATER("chk_evpn_arp"),
};
const struct action_family action_family_later = { statements, ARRAY_SIZE(statements), false };

#define LATER_RESULT(NAME) { .name = NAME, .parse = later_parse, .result_bits = ACTION_ANY_WIDTH }

static const struct action_class functions[] = {
    LATER_RESULT("put_dhcp_opts"), LATER_RESULT("put_dhcpv6_opts"), LATER_RESULT("put_nd_ra_opts"), LATER_RESULT("ct_state_save"),
    LATER_RESULT("dhcp_relay_req_chk"), LATER_RESULT("dhcp_relay_resp_chk"), LATER_RESULT("select"),
};
const struct action_family action_family_later_result = { functions, ARRAY_SIZE(functions), true };

/* port_address.h - what lsp-set-addresses accepts: forms of addresses, and no IP address twice in a switch. */
#ifndef CLI_NBCTL_PORT_ADDRESS_H
#define CLI_NBCTL_PORT_ADDRESS_H 1

#include "cli/nbctl/nbctl.h"

/* TEXT has one of the forms that ovn-nb(5) gives for Logical_Switch_Port.addresses, or a message. */
const char *port_check_address(struct ctl *, const char *text) MUST_USE;
/* Whether any of the N texts has an IP address behind an Ethernet address. */
bool port_have_ips(size_t n, const char *const texts[]);
/* None of the IP addresses in the N texts is one of another port of LS, or a message that names it. */
const char *port_check_duplicates(struct ctl *, struct view_row *ls, const struct view_row *port, size_t n, const char *const texts[]) MUST_USE;

#endif

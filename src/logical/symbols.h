/* symbols.h - the fields, subfields and predicates of the logical language: ovn-sb(5), Logical_Flow, "Symbols".
 *
 * One table (symbols.def) says for each: name, where it lives in the switch, level of measurement, prerequisites, expansion, and whether
 * actions may write it. A symbol's prerequisites and expansion mention only symbols that stand before it in the table, so cycles cannot be.
 *
 * This header also fixes where the logical state of a packet lives on a hypervisor (ovn-architecture(7) names the registers; the bits of
 * reg10 never leave the hypervisor and are ours). */
#ifndef LOGICAL_SYMBOLS_H
#define LOGICAL_SYMBOLS_H 1

#include "openflow/field.h"

/* Where logical state lives. */
#define LOGICAL_FLAGS OFF_REG10
#define LOGICAL_DNAT_ZONE OFF_REG11    /* Routers; the low 16 bits. */
#define LOGICAL_SNAT_ZONE OFF_REG12
#define LOGICAL_CT_ZONE OFF_REG13      /* The zone of the logical port: the low 16 bits. */
#define LOGICAL_INPORT OFF_REG14
#define LOGICAL_OUTPORT OFF_REG15
/* Bits of LOGICAL_FLAGS. Bits 0 and 1 are known by number as well: northd of some releases writes "flags[1]". */
enum {
    MLF_ALLOW_LOOPBACK = 0,            /* flags.loopback */
    MLF_RCV_FROM_RAMP = 1,             /* Came from a VTEP. */
    MLF_LOCAL_ONLY = 2,
    MLF_OVERRIDE_LOCAL_ONLY = 3,
    MLF_FORCE_SNAT_FOR_DNAT = 4,       /* flags.force_snat_for_dnat */
    MLF_FORCE_SNAT_FOR_LB = 5,         /* flags.force_snat_for_lb */
    MLF_SKIP_SNAT_FOR_LB = 6,          /* flags.skip_snat_for_lb */
    MLF_LOCALNET = 7,                  /* flags.localnet */
    MLF_RX_FROM_TUNNEL = 8,            /* flags.tunnel_rx */
    MLF_UNSNAT_NEW = 9,                /* flags.unsnat_new */
    MLF_UNSNAT_NOT_TRACKED = 10,       /* flags.unsnat_not_tracked */
    MLF_LOOKUP = 11,                   /* The answer of every lookup table (action.h): set = found. */
    MLF_PORT_SEC_FAILED = 12,          /* The answer of the port security tables: set = the packet is refused. */
    MLF_CHECK_LARGER = 13,             /* Scratch of check_pkt_larger(). */
    MLF_LOOKUP_IPV6 = 14,              /* An argument of the MAC binding tables: the address asked for is IPv6. */
    MLF_USE_SNAT_ZONE = 15,            /* flags.use_snat_zone: northd 23.03 writes it. */
    MLF_NETWORK_ID = 16,               /* flags.network_id: 4 bits, 16..19. */
};

enum symbol_level { SYMBOL_NOMINAL, SYMBOL_ORDINAL, SYMBOL_BOOLEAN };
enum symbol_kind {
    SYMBOL_FIELD,                      /* An integer field or subfield. */
    SYMBOL_STRING,                     /* inport, outport: the name of a port; a 32-bit key in the switch. */
    SYMBOL_PREDICATE,
    SYMBOL_OVN_FIELD,                  /* icmp4.frag_mtu...: only in actions, what the switch cannot set itself. */
};

struct expr;

struct symbol {
    const char *name;
    enum symbol_kind kind;
    enum symbol_level level;
    bool writable;
    struct of_subfield sf;             /* Not for predicates. For an OVN field, just its width. */
    const char *prereqs_text;          /* NULL: none. */
    const char *expansion_text;        /* Predicates. */
    /* Filled once, before main(). */
    const struct expr *prereqs;
    const struct expr *expansion, *negation;
};

/* NULL if there is none of that name. */
const struct symbol *symbol_find(const char *name, size_t n);
/* All of them, in the table's order. */
const struct symbol *symbol_table(size_t *n);

#endif

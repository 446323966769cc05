/* match.c - matches as sorted terms, and as OXM TLVs (OpenFlow 1.5.1, 7.2.3; ovs-fields(7)).
 *
 * Two meanings must not have two forms, as flows are compared by bytes. So wide registers (xreg, xxreg) become terms on reg0..reg15
 * as they are added; and of a VLAN TCI without CFI ("no tag"), where all other bits are zero in every packet, only the CFI bit
 * is kept. The field order of enum of_field puts prerequisites (Ethernet type, IP protocol, ICMPv6 type, ct_state) first.
 *
 * OpenFlow 1.5 speaks of VLANs as vlan_vid (with the CFI bit as "present") and vlan_pcp; Open vSwitch answers in these whatever was sent. A
 * PCP with a mask, or without the CFI bit, has no such form: it is sent as the extension field vlan_tci and matches properly,
 * but a switch tells it back wrongly, so such a flow is sent again at each connect. */
#include "openflow/match.h"

#include <stdlib.h>

#include "openflow/put.h"

enum {
    OXM_IN_PORT = 0x80000004,
    OXM_VLAN_VID = 0x80000c02,
    OXM_VLAN_PCP = 0x80000e01,
    OXM_PACKET_TYPE = 0x80005804,
    OXM_HASMASK = 0x100,
};
enum { TCI_CFI = 0x1000, TCI_VID = 0x1fff, TCI_PCP = 0xe000 };
#define OXM_LEN(HEADER) ((HEADER) & 0xff)
#define OXM_TYPE(HEADER) ((HEADER) & 0xfffffe00)

void
of_match_destroy(struct of_match *m)
{
    free(m->terms);
    *m = (struct of_match) OF_MATCH_INIT;
}

void
of_match_clear(struct of_match *m)
{
    m->n = 0;
}

struct of_match
of_match_clone(const struct of_match *m)
{
    return (struct of_match) { m->n ? xmemdup(m->terms, m->n * sizeof *m->terms) : NULL, m->n, m->n };
}

bool
of_match_equal(const struct of_match *a, const struct of_match *b)
{
    if (a->n != b->n) {
        return false;
    }
    for (size_t i = 0; i < a->n; i++) {
        const struct of_term *x = &a->terms[i], *y = &b->terms[i];
        if (x->field != y->field || of_value_compare(&x->value, &y->value) || of_value_compare(&x->mask, &y->mask)) {
            return false;
        }
    }
    return true;
}

/* The first term whose field is not before F. */
static size_t
find(const struct of_match *m, enum of_field f)
{
    size_t low = 0, high = m->n;

    while (low < high) {
        size_t mid = (low + high) / 2;
        if (m->terms[mid].field < f) {
            low = mid + 1;
        } else {
            high = mid;
        }
    }
    return low;
}

const struct of_term *
of_match_get(const struct of_match *m, enum of_field f)
{
    size_t i = find(m, f);

    return i < m->n && m->terms[i].field == f ? &m->terms[i] : NULL;
}

/* No tag (CFI 0): says nothing more than the CFI bit. False if it asks for other bits of a tag that is not there. */
static bool
normalize_tci(struct of_term *t)
{
    uint16_t value = of_value_low(&t->value), mask = of_value_low(&t->mask);

    if (mask & TCI_CFI && !(value & TCI_CFI)) {
        t->mask = of_value_u64(TCI_CFI);
        return !value;
    }
    return true;
}

static bool
add_term(struct of_match *m, struct of_term t)
{
    size_t i = find(m, t.field);
    bool there = i < m->n && m->terms[i].field == t.field;

    if (there) {
        const struct of_term *old = &m->terms[i];
        union of_value both = of_value_and(&old->mask, &t.mask);
        union of_value a = of_value_and(&old->value, &both), b = of_value_and(&t.value, &both);
        if (of_value_compare(&a, &b)) {
            return false;
        }
        t.value = of_value_or(&t.value, &old->value);
        t.mask = of_value_or(&t.mask, &old->mask);
    }
    if (t.field == OFF_VLAN_TCI && !normalize_tci(&t)) {
        return false;
    }
    if (!there) {
        GROW(m->terms, m->cap, m->n + 1);
        memmove(&m->terms[i + 1], &m->terms[i], (m->n - i) * sizeof *m->terms);
        m->n++;
    }
    m->terms[i] = t;
    return true;
}

/* The first narrow register of F and their number; 0 if F is no wide register. */
static unsigned
wide_register(enum of_field f, enum of_field *first)
{
    if (f >= OFF_XXREG0 && f <= OFF_XXREG3) {
        *first = OFF_REG0 + 4 * (f - OFF_XXREG0);
        return 4;
    } else if (f >= OFF_XREG0 && f <= OFF_XREG7) {
        *first = OFF_REG0 + 2 * (f - OFF_XREG0);
        return 2;
    }
    return 0;
}

/* All of it or nothing: looks for a contradiction first. */
static bool
add_wide(struct of_match *m, enum of_field first, unsigned n, const union of_value *value, const union of_value *mask)
{
    struct of_term parts[4];
    union of_value low = of_value_ones(32);

    for (unsigned i = 0; i < n; i++) {
        unsigned shift = 32 * (n - 1 - i);
        union of_value v = of_value_shr(value, shift), k = of_value_shr(mask, shift);
        struct of_term *t = &parts[i];
        *t = (struct of_term) { first + i, of_value_and(&v, &low), of_value_and(&k, &low) };
        const struct of_term *old = of_match_get(m, t->field);
        if (old) {
            union of_value both = of_value_and(&old->mask, &t->mask);
            union of_value a = of_value_and(&old->value, &both), b = of_value_and(&t->value, &both);
            if (of_value_compare(&a, &b)) {
                return false;
            }
        }
    }
    for (unsigned i = 0; i < n; i++) {
        if (!of_value_is_zero(&parts[i].mask)) {
            REQUIRE(add_term(m, parts[i]));
        }
    }
    return true;
}

bool
of_match_add(struct of_match *m, enum of_field f, const union of_value *value, const union of_value *mask)
{
    union of_value all = of_value_ones(of_field_info(f)->n_bits);
    struct of_term t = { f, *value, of_value_and(mask, &all) };
    enum of_field first;

    t.value = of_value_and(&t.value, &t.mask);
    if (of_value_is_zero(&t.mask)) {
        return true;
    }
    unsigned n = wide_register(f, &first);
    return n ? add_wide(m, first, n, &t.value, &t.mask) : add_term(m, t);
}

bool
of_match_add_bits(struct of_match *m, struct of_subfield sf, const union of_value *value)
{
    union of_value ones = of_value_ones(sf.n_bits);
    union of_value mask = of_value_shl(&ones, sf.ofs), v = of_value_and(value, &ones);

    REQUIRE(sf.ofs + sf.n_bits <= of_field_info(sf.field)->n_bits);
    v = of_value_shl(&v, sf.ofs);
    return of_match_add(m, sf.field, &v, &mask);
}

bool
of_match_add_u64(struct of_match *m, enum of_field f, uint64_t x)
{
    union of_value value = of_value_u64(x), mask = of_value_ones(of_field_info(f)->n_bits);

    return of_match_add(m, f, &value, &mask);
}

enum { FRAG_ANY = 1, FRAG_LATER = 2, CT_STATE_KNOWN = 0xff };

/* T as it is said to the switch, and shown, in the words that there are: a later fragment is a fragment (ovs-fields(7), "ip_frag"), and of ct_state there are eight
 * bits. S is room for it. */
static const struct of_term *
spoken(const struct of_term *t, struct of_term *s)
{
    if (t->field != OFF_IP_FRAG && t->field != OFF_CT_STATE) {
        return t;
    }
    uint32_t value = of_value_low(&t->value), mask = of_value_low(&t->mask);

    *s = *t;
    if (t->field == OFF_CT_STATE && !(value & ~CT_STATE_KNOWN)) {
        s->mask = of_value_u64(mask & CT_STATE_KNOWN);
    } else if (t->field == OFF_IP_FRAG && (mask == FRAG_ANY || mask == FRAG_LATER) && value == (mask & FRAG_LATER)) {
        s->value = of_value_u64(mask == FRAG_LATER ? FRAG_ANY | FRAG_LATER : 0);
        s->mask = of_value_u64(FRAG_ANY | FRAG_LATER);
    }
    return s;
}

static void
put_oxm(struct str *out, uint32_t header, const union of_value *value, const union of_value *mask)
{
    size_t n = OXM_LEN(header);
    uint8_t b[4 + 2 * sizeof value->b];

    if (mask) {
        header = OXM_TYPE(header) | OXM_HASMASK | 2 * n;
        of_value_to_wire(mask, b + 4 + n, n);
    }
    of_value_to_wire(value, b + 4, n);
    for (int i = 0; i < 4; i++) {
        b[i] = header >> (24 - 8 * i);
    }
    str_put(out, b, 4 + OXM_LEN(header));
}

static void
put_vlan(struct str *out, const struct of_term *t)
{
    uint16_t value = of_value_low(&t->value), mask = of_value_low(&t->mask);

    if (mask & TCI_PCP && !((mask & TCI_PCP) == TCI_PCP && value & TCI_CFI)) {
        put_oxm(out, of_field_info(OFF_VLAN_TCI)->header, &t->value, mask == 0xffff ? NULL : &t->mask);
        return;
    }
    union of_value vid = of_value_u64(value & TCI_VID), vid_mask = of_value_u64(mask & TCI_VID);
    put_oxm(out, OXM_VLAN_VID, &vid, (mask & TCI_VID) == TCI_VID ? NULL : &vid_mask);
    if (mask & TCI_PCP) {
        union of_value pcp = of_value_u64(value >> 13);
        put_oxm(out, OXM_VLAN_PCP, &pcp, NULL);
    }
}

void
of_match_put_oxm(const struct of_match *m, struct str *out)
{
    for (size_t i = 0; i < m->n; i++) {
        struct of_term room;
        const struct of_term *t = spoken(&m->terms[i], &room);
        const struct of_field_info *info = of_field_info(t->field);
        union of_value all = of_value_ones(info->n_bits);
        if (of_value_is_zero(&t->mask)) {
            continue;
        } else if (t->field == OFF_VLAN_TCI) {
            put_vlan(out, t);
        } else if (t->field == OFF_IN_PORT) {
            uint32_t port = of_value_low(&t->value);
            union of_value wide = of_value_u64(port >= 0xfff8 ? port | 0xffff0000 : port);
            put_oxm(out, OXM_IN_PORT, &wide, NULL);
        } else {
            put_oxm(out, info->header, &t->value, of_value_compare(&t->mask, &all) ? &t->mask : NULL);
        }
    }
}

/* The field that the header HEADER (without mask bit) names, in either form. */
static bool
find_header(uint32_t type, enum of_field *f)
{
    for (int i = 0; i < OFF_N_FIELDS; i++) {
        const struct of_field_info *info = of_field_info(i);
        if (OXM_TYPE(info->header) == type || OXM_TYPE(info->nxm) == type) {
            *f = i;
            return true;
        }
    }
    return false;
}

/* One TLV whose body (value and, with HAS_MASK, mask, of N bytes each) is at P. */
static char *
parse_tlv(uint32_t header, const uint8_t *p, size_t n, bool has_mask, struct of_match *m)
{
    uint32_t type = OXM_TYPE(header);
    union of_value value, mask;
    enum of_field f;
    size_t bytes;

    if (type == OXM_TYPE(OXM_VLAN_VID)) {
        f = OFF_VLAN_TCI;
        bytes = 2;
        mask = of_value_u64(TCI_VID);
    } else if (type == OXM_TYPE(OXM_VLAN_PCP)) {
        f = OFF_VLAN_TCI;
        bytes = 1;
        mask = of_value_u64(TCI_PCP);
    } else if (type == OXM_TYPE(OXM_IN_PORT) && !has_mask) {
        f = OFF_IN_PORT;
        bytes = 4;
        mask = of_value_ones(16);
    } else if (type == OXM_TYPE(OXM_PACKET_TYPE)) {
        return NULL;               /* Ethernet: the only one here. */
    } else if (find_header(type, &f)) {
        bytes = of_field_info(f)->n_bytes;
        mask = of_value_ones(of_field_info(f)->n_bits);
    } else {
        return xasprintf("unknown match field 0x%08x", header);
    }
    if (n != bytes) {
        return xasprintf("match field 0x%08x has %zu bytes instead of %zu", header, n, bytes);
    }
    value = of_value_from_wire(p, n);
    if (type == OXM_TYPE(OXM_VLAN_PCP)) {
        value = of_value_shl(&value, 13);
    } else if (has_mask) {
        union of_value given = of_value_from_wire(p + n, n);
        mask = of_value_and(&mask, &given);
    }
    if (!of_match_add(m, f, &value, &mask)) {
        return xasprintf("match field 0x%08x contradicts another", header);
    }
    return NULL;
}

char *
of_match_parse_oxm(const void *data, size_t n, struct of_match *m)
{
    const uint8_t *p = data;

    while (n) {
        if (n < 4) {
            return xstrdup("match ends inside a field's header");
        }
        uint32_t header = get_u32(p);
        bool has_mask = header & OXM_HASMASK;
        size_t len = OXM_LEN(header);
        if (len > n - 4 || (has_mask && len % 2)) {
            return xasprintf("match field 0x%08x has a bad length", header);
        }
        char *error = parse_tlv(header, p + 4, has_mask ? len / 2 : len, has_mask, m);
        if (error) {
            return error;
        }
        p += 4 + len;
        n -= 4 + len;
    }
    return NULL;
}

/* How Open vSwitch abbreviates Ethernet type and IP protocol; NULL if it does not. */
static const char *
protocol_name(uint16_t eth_type, int proto)
{
    static const struct {
        uint16_t eth_type;
        int proto;
        const char *name;
    } names[] = {
        { 0x0800, -1, "ip" },   { 0x0800, 1, "icmp" },  { 0x0800, 6, "tcp" },    { 0x0800, 17, "udp" },   { 0x0800, 132, "sctp" },
        { 0x86dd, -1, "ipv6" }, { 0x86dd, 6, "tcp6" },  { 0x86dd, 17, "udp6" },  { 0x86dd, 58, "icmp6" }, { 0x86dd, 132, "sctp6" },
        { 0x0806, -1, "arp" },  { 0x8035, -1, "rarp" },
    };

    for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
        if (names[i].eth_type == eth_type && names[i].proto == proto) {
            return names[i].name;
        }
    }
    return NULL;
}

/* "+trk-new": the flags that MASK asks for. */
static void
format_flags(const char *const names[], size_t n, const struct of_term *t, struct str *out)
{
    for (size_t i = 0; i < n; i++) {
        if (of_value_low(&t->mask) >> i & 1) {
            str_printf(out, "%c%s", of_value_low(&t->value) >> i & 1 ? '+' : '-', names[i]);
        }
    }
}

/* The names that ovs-fields(7) has for the values and masks of ip_frag. */
static const char *
frag_name(const struct of_term *t)
{
    static const struct {
        uint8_t value, mask;
        const char *name;
    } names[] = { { 0, 3, "no" }, { 1, 1, "yes" }, { 1, 3, "first" }, { 3, 3, "later" }, { 0, 2, "not_later" } };
    for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
        if (of_value_low(&t->value) == names[i].value && of_value_low(&t->mask) == names[i].mask) {
            return names[i].name;
        }
    }
    return NULL;
}

static void
format_term(const struct of_term *term, struct str *out)
{
    static const char *const ct[] = { "new", "est", "rel", "rpl", "inv", "trk", "snat", "dnat" };
    static const char *const tcp[] = { "fin", "syn", "rst", "psh", "ack", "urg", "ece", "cwr", "ns" };
    struct of_term room;
    const struct of_term *t = spoken(term, &room);
    const struct of_field_info *info = of_field_info(t->field);
    union of_value all = of_value_ones(info->n_bits), no_mask = of_value_not(&t->mask);
    bool exact = !of_value_compare(&t->mask, &all);

    str_printf(out, "%s=", info->show);
    if (t->field == OFF_CT_STATE && of_value_low(&t->mask) <= 0xff) {
        format_flags(ct, ARRAY_SIZE(ct), t, out);
        return;
    } else if (t->field == OFF_TCP_FLAGS && of_value_low(&t->mask) <= 0x1ff) {
        format_flags(tcp, ARRAY_SIZE(tcp), t, out);
        return;
    } else if (t->field == OFF_IP_FRAG && frag_name(t)) {
        str_puts(out, frag_name(t));
        return;
    }
    of_value_format(t->field, &t->value, out);
    if (exact) {
        return;
    }
    str_putc(out, '/');
    unsigned ones = 0;                         /* A prefix is written as its length. */
    while (ones < info->n_bits && t->mask.b[16 - info->n_bytes + ones / 8] >> (7 - ones % 8) & 1) {
        ones++;
    }
    union of_value rest = of_value_ones(info->n_bits - ones), other = of_value_and(&all, &no_mask);
    bool is_ip = info->format == OFF_IP4 || info->format == OFF_IP6;
    if (is_ip && !of_value_compare(&rest, &other)) {
        str_printf(out, "%u", ones);
    } else if (is_ip || info->format == OFF_MAC) {
        of_value_format(t->field, &t->mask, out);
    } else {
        str_printf(out, "0x");
        for (int i = 16 - info->n_bytes, seen = 0; i < 16; i++) {
            if (seen || t->mask.b[i] || i == 15) {
                str_printf(out, seen ? "%02x" : "%x", t->mask.b[i]);
                seen = 1;
            }
        }
    }
}

void
of_match_format(const struct of_match *m, struct str *out)
{
    const struct of_term *eth = of_match_get(m, OFF_ETH_TYPE), *ip = of_match_get(m, OFF_IP_PROTO);
    const char *name = eth && ip ? protocol_name(of_value_low(&eth->value), of_value_low(&ip->value)) : NULL;
    const char *sep = "";

    if (name) {
        eth = ip = NULL;
    } else if (eth && (name = protocol_name(of_value_low(&eth->value), -1))) {
        eth = NULL;
    }
    if (name) {
        str_puts(out, name);
        sep = ",";
    }
    for (size_t i = 0; i < m->n; i++) {
        const struct of_term *t = &m->terms[i];
        bool named = (t->field == OFF_ETH_TYPE && !eth) || (t->field == OFF_IP_PROTO && !ip);
        if (!named) {
            str_puts(out, sep);
            sep = ",";
            format_term(t, out);
        }
    }
}

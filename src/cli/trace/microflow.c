/* microflow.c - the packet of a trace: ovn-trace(8), "microflow", with the names that a southbound database knows; and how it is shown. */
#include "cli/trace/simulate.h"

#include <stdlib.h>

enum { MAX_NAMES = 64 };

/* The ports that the expression names. */
struct names {
    struct world *world;
    struct port *ports[MAX_NAMES];
    size_t n;
    char *unknown;
};

static bool
lookup(void *names_, const char *name, uint32_t *key)
{
    struct names *names = names_;
    struct port *p = world_find_port(names->world, name);

    if (!p || names->n == MAX_NAMES) {
        if (!names->unknown) {
            names->unknown = xstrdup(name);
        }
        return false;
    }
    names->ports[names->n++] = p;
    *key = p->key;
    return true;
}

static const struct expr_constants *
address_set(void *names_, const char *name)
{
    struct names *names = names_;

    return world_address_set(names->world, name);
}

static bool
resident(void *names UNUSED, const char *name UNUSED)
{
    return true;
}

static char *
resolve(const char *text, struct names *names, struct logical_packet *p)
{
    struct expr_env env = { .lookup_port = lookup, .address_set = address_set, .is_chassis_resident = resident, .aux = names };
    char *error = logical_packet_parse(text, &env, p);

    if (names->unknown) {
        const char *near = world_nearest_port(names->world, names->unknown);
        free(error);
        return near ? xasprintf("unknown port \"%s\" (did you mean \"%s\"?)", names->unknown, near)
                    : xasprintf("unknown port \"%s\"", names->unknown);
    }
    return error;
}

static char *
find_inport(const struct names *names, const struct logical_packet *p, struct datapath **dp, struct port **inport)
{
    uint32_t key = of_value_low(&p->f[LOGICAL_INPORT]);

    *inport = NULL;
    for (size_t i = 0; i < names->n && key; i++) {
        if (names->ports[i]->key == key && (!*inport || names->ports[i]->dp == *dp)) {
            *inport = names->ports[i];
        }
    }
    if (!*inport && !*dp) {
        return xstrdup("the microflow does not say an inport, so a datapath is needed (ovn-trace DATAPATH MICROFLOW)");
    } else if (*inport && *dp && (*inport)->dp != *dp) {
        return xasprintf("port \"%s\" is on datapath \"%s\", not on \"%s\"", port_name(*inport), datapath_name((*inport)->dp),
                         datapath_name(*dp));
    }
    *dp = *inport ? (*inport)->dp : *dp;
    return NULL;
}

char *
microflow_parse(const char *text, struct world *w, struct datapath **dp, struct port **inport, struct logical_packet *p)
{
    struct names names = { .world = w };
    char *error = resolve(text, &names, p);

    if (!error) {
        error = find_inport(&names, p, dp, inport);
    }
    free(names.unknown);
    return error;
}

/* ---- as OpenFlow ---- */

static uint64_t
get(const struct logical_packet *p, enum of_field f)
{
    return of_value_low(&p->f[f]);
}

static void
put_mac(struct str *s, const char *name, const union of_value *v)
{
    str_printf(s, ",%s=", name);
    of_value_format(OFF_ETH_SRC, v, s);
}

static void
put_ip(struct str *s, const char *name, enum of_field f, const struct logical_packet *p)
{
    str_printf(s, ",%s=", name);
    of_value_format(f, &p->f[f], s);
}

/* The word that stands for the protocol, NULL: none does. */
static const char *
protocol(const struct logical_packet *p)
{
    uint64_t type = get(p, OFF_ETH_TYPE), proto = get(p, OFF_IP_PROTO);

    switch (type) {
    case 0x806:
        return "arp";
    case 0x8035:
        return "rarp";
    case 0x800:
        return proto == 6 ? "tcp" : proto == 17 ? "udp" : proto == 132 ? "sctp" : proto == 1 ? "icmp" : "ip";
    case 0x8847:
        return "mpls";
    case 0x8848:
        return "mplsm";
    case 0x86dd:
        return proto == 6 ? "tcp6" : proto == 17 ? "udp6" : proto == 132 ? "sctp6" : proto == 58 ? "icmp6" : "ipv6";
    }
    return NULL;
}

static void
put_tcp_flags(unsigned flags, struct str *s)
{
    static const char *const names[] = { "fin", "syn", "rst", "psh", "ack", "urg", "ece", "cwr", "ns" };

    str_puts(s, flags ? ",tcp_flags=" : ",tcp_flags=0");
    for (unsigned i = 0, n = 0; i < 12; i++) {
        if (flags >> i & 1) {
            str_puts(s, n++ ? "|" : "");
            str_printf(s, i < ARRAY_SIZE(names) ? "%s" : "[%s]", i < ARRAY_SIZE(names) ? names[i] : i == 9 ? "200" : i == 10 ? "400" : "800");
        }
    }
}

static void
put_transport(const struct logical_packet *p, struct str *s)
{
    uint64_t proto = get(p, OFF_IP_PROTO);
    bool ipv6 = get(p, OFF_ETH_TYPE) == 0x86dd;
    enum of_field src = proto == 6 ? OFF_TCP_SRC : proto == 17 ? OFF_UDP_SRC : OFF_SCTP_SRC;

    if (proto == 6 || proto == 17 || proto == 132) {
        enum of_field dst = proto == 6 ? OFF_TCP_DST : proto == 17 ? OFF_UDP_DST : OFF_SCTP_DST;
        str_printf(s, ",tp_src=%u,tp_dst=%u", (unsigned) get(p, src), (unsigned) get(p, dst));
        if (proto == 6) {
            put_tcp_flags(get(p, OFF_TCP_FLAGS), s);
        }
    } else if (proto == 2 && !ipv6) {
        str_puts(s, ",tp_src=0,tp_dst=0");
    } else if (proto == (ipv6 ? 58 : 1)) {
        unsigned type = get(p, ipv6 ? OFF_ICMPV6_TYPE : OFF_ICMPV4_TYPE);
        str_printf(s, ",icmp_type=%u,icmp_code=%u", type, (unsigned) get(p, ipv6 ? OFF_ICMPV6_CODE : OFF_ICMPV4_CODE));
        if (ipv6 && (type == 135 || type == 136)) {
            put_ip(s, "nd_target", OFF_ND_TARGET, p);
            put_mac(s, "nd_sll", &p->f[OFF_ND_SLL]);
            put_mac(s, "nd_tll", &p->f[OFF_ND_TLL]);
        }
    }
}

static void
put_ip_fields(const struct logical_packet *p, struct str *s)
{
    static const char *const frags[] = { "no", "first", "later", "later" };
    bool ipv6 = get(p, OFF_ETH_TYPE) == 0x86dd;
    const char *word = protocol(p);

    if (ipv6) {
        put_ip(s, "ipv6_src", OFF_IPV6_SRC, p);
        put_ip(s, "ipv6_dst", OFF_IPV6_DST, p);
        str_printf(s, ",ipv6_label=0x%05x", (unsigned) get(p, OFF_IPV6_LABEL));
    } else {
        put_ip(s, "nw_src", OFF_IPV4_SRC, p);
        put_ip(s, "nw_dst", OFF_IPV4_DST, p);
    }
    if (str_eq(word, "ip") || str_eq(word, "ipv6")) {
        str_printf(s, ",nw_proto=%u", (unsigned) get(p, OFF_IP_PROTO));
    }
    str_printf(s, ",nw_tos=%u,nw_ecn=%u,nw_ttl=%u,nw_frag=%s", (unsigned) get(p, OFF_IP_DSCP) << 2, (unsigned) get(p, OFF_IP_ECN),
               (unsigned) get(p, OFF_IP_TTL), frags[get(p, OFF_IP_FRAG) == 1 ? 1 : get(p, OFF_IP_FRAG) & 2]);
    put_transport(p, s);
}

static void
put_arp_fields(const struct logical_packet *p, struct str *s)
{
    put_ip(s, "arp_spa", OFF_ARP_SPA, p);
    put_ip(s, "arp_tpa", OFF_ARP_TPA, p);
    str_printf(s, ",arp_op=%u", (unsigned) get(p, OFF_ARP_OP));
    put_mac(s, "arp_sha", &p->f[OFF_ARP_SHA]);
    put_mac(s, "arp_tha", &p->f[OFF_ARP_THA]);
}

void
microflow_format(const struct logical_packet *p, struct str *s)
{
    const char *word = protocol(p);
    unsigned tci = get(p, OFF_VLAN_TCI), type = get(p, OFF_ETH_TYPE);
    size_t start = s->len;

    if (get(p, OFF_PKT_MARK)) {
        str_printf(s, "pkt_mark=%#x,", (unsigned) get(p, OFF_PKT_MARK));
    }
    if (get(p, OFF_CT_STATE)) {
        str_puts(s, "ct_state=");
        trace_put_ct_state(get(p, OFF_CT_STATE), s);
        str_putc(s, ',');
    }
    if (word) {
        str_printf(s, "%s,", word);
    }
    for (int reg = OFF_REG0; reg <= OFF_REG15; reg++) {
        if (get(p, reg)) {
            str_printf(s, "reg%d=%#x,", reg - OFF_REG0, (unsigned) get(p, reg));
        }
    }
    if (tci & 0x1000) {
        str_printf(s, "dl_vlan=%u,dl_vlan_pcp=%u,vlan_tci1=0x0000,", tci & 0xfff, tci >> 13);
    } else {
        str_printf(s, "vlan_tci=0x%04x,", tci);
    }
    str_truncate(s, s->len - 1);
    REQUIRE(s->len > start);
    put_mac(s, "dl_src", &p->f[OFF_ETH_SRC]);
    put_mac(s, "dl_dst", &p->f[OFF_ETH_DST]);
    if (type == 0x800 || type == 0x86dd) {
        put_ip_fields(p, s);
    } else if (type == 0x8847 || type == 0x8848) {
        str_puts(s, ",mpls_label=0,mpls_tc=0,mpls_ttl=0,mpls_bos=0,mpls_lse1=0,mpls_lse2=0");
    } else if (word) {
        put_arp_fields(p, s);
    } else {
        str_printf(s, ",dl_type=0x%04x", type);
    }
}

/* action_format.c - shows encoded actions as ovs-ofctl does, for logs, tests and people. What it does not know, or what is malformed, is shown as bytes. */
#include <arpa/inet.h>

#include "openflow/action.h"
#include "openflow/action_wire.h"
#include "openflow/put.h"

/* Nesting shown: deeper is bytes. */
enum { MAX_DEPTH = 16 };

static void format_list(const uint8_t *, size_t n, struct str *, int depth);

static void
format_hex(const uint8_t *p, size_t n, struct str *out)
{
    for (size_t i = 0; i < n; i++) {
        str_printf(out, "%s%02x", i ? "." : "", p[i]);
    }
}

static void
format_value_hex(const union of_value *v, struct str *out)
{
    size_t i = 0;

    while (i < 15 && !v->b[i]) {
        i++;
    }
    str_printf(out, "%x", v->b[i]);
    while (++i < 16) {
        str_printf(out, "%02x", v->b[i]);
    }
}

static bool
find_field(uint32_t header, enum of_field *f)
{
    for (int i = 0; i < OFF_N_FIELDS; i++) {
        const struct of_field_info *info = of_field_info(i);
        if (!((info->header ^ header) & 0xfffffe00) || !((info->nxm ^ header) & 0xfffffe00)) {
            *f = i;
            return true;
        }
    }
    return false;
}

static void
format_subfield(uint32_t header, unsigned ofs, unsigned n_bits, struct str *out)
{
    enum of_field f;

    if (!find_field(header, &f)) {
        str_printf(out, "0x%08x", header);
        f = OFF_N_FIELDS;
    } else {
        str_puts(out, of_field_info(f)->name);
    }
    if (f != OFF_N_FIELDS && !ofs && n_bits == of_field_info(f)->n_bits) {
        str_puts(out, "[]");
    } else if (n_bits == 1) {
        str_printf(out, "[%u]", ofs);
    } else {
        str_printf(out, "[%u..%u]", ofs, ofs + n_bits - 1);
    }
}

static void
format_port(uint32_t port, struct str *out)
{
    union of_value v = of_value_u64(port);
    of_value_format(OFF_IN_PORT, &v, out);
}

/* P: type, length, OXM header, value, mask, padding. */
static bool
format_set_field(const uint8_t *p, size_t n, struct str *out)
{
    enum of_field f;

    if (n < 8) {
        return false;
    }
    uint32_t header = get_u32(p + 4);
    size_t len = header & 0xff, bytes = header & 0x100 ? len / 2 : len;
    if (!find_field(header, &f) || 8 + len > n || of_field_info(f)->n_bytes < bytes) {
        return false;
    }
    union of_value v = of_value_from_wire(p + 8, bytes);
    str_puts(out, "set_field:");
    of_value_format(f, &v, out);
    if (header & 0x100) {
        v = of_value_from_wire(p + 8 + bytes, bytes);
        str_putc(out, '/');
        of_value_format(f, &v, out);
    }
    str_printf(out, "->%s", of_field_info(f)->name);
    return true;
}

static void
format_properties(const uint8_t *p, size_t n, struct str *out)
{
    const char *sep = "";

    while (n >= 4 && get_u16(p + 2) >= 4 && get_u16(p + 2) <= n) {
        size_t len = get_u16(p + 2), padded = MIN((len + 7) & ~(size_t) 7, n);
        str_puts(out, sep);
        sep = ",";
        switch (get_u16(p)) {
        case NXAC2PT_MAX_LEN:
            str_printf(out, "max_len=%u", len >= 6 ? get_u16(p + 4) : 0);
            break;
        case NXAC2PT_CONTROLLER_ID:
            str_printf(out, "id=%u", len >= 6 ? get_u16(p + 4) : 0);
            break;
        case NXAC2PT_USERDATA:
            str_puts(out, "userdata=");
            format_hex(p + 4, len - 4, out);
            break;
        case NXAC2PT_PAUSE:
            str_puts(out, "pause");
            break;
        case NXAC2PT_METER_ID:
            str_printf(out, "meter_id=%u", len >= 8 ? get_u32(p + 4) : 0);
            break;
        default:
            str_printf(out, "property%u", get_u16(p));
        }
        p += padded;
        n -= padded;
    }
}

static void
format_ct(const uint8_t *p, size_t n, struct str *out, int depth)
{
    uint16_t flags = get_u16(p + 10), zone = get_u16(p + 16), alg = get_u16(p + 22);
    uint32_t src = get_u32(p + 12);
    size_t start;

    str_puts(out, "ct(");
    start = out->len;
    if (flags & NX_CT_F_COMMIT) {
        str_puts(out, "commit,");
    }
    if (flags & NX_CT_F_FORCE) {
        str_puts(out, "force,");
    }
    if (p[18] != 255) {
        str_printf(out, "table=%u,", p[18]);
    }
    if (src) {
        str_puts(out, "zone=");
        format_subfield(src, zone >> 6, (zone & 63) + 1, out);
        str_putc(out, ',');
    } else if (zone) {
        str_printf(out, "zone=%u,", zone);
    }
    if (alg) {
        str_printf(out, "alg=%u,", alg);
    }
    if (n > 24) {
        str_puts(out, "exec(");
        format_list(p + 24, n - 24, out, depth + 1);
        str_puts(out, "),");
    }
    if (out->len > start) {
        str_truncate(out, out->len - 1);
    }
    str_putc(out, ')');
}

static void
format_address(const uint8_t *p, size_t n, bool bracket, struct str *out)
{
    char text[INET6_ADDRSTRLEN];

    inet_ntop(n == 16 ? AF_INET6 : AF_INET, p, text, sizeof text);
    str_printf(out, bracket ? "[%s]" : "%s", text);
}

static bool
format_nat(const uint8_t *p, size_t n, struct str *out)
{
    uint16_t flags = get_u16(p + 12), range = get_u16(p + 14);
    size_t size = range & (NX_NAT_IPV6_MIN | NX_NAT_IPV6_MAX) ? 16 : 4;
    bool min = range & (NX_NAT_IPV4_MIN | NX_NAT_IPV6_MIN), max = range & (NX_NAT_IPV4_MAX | NX_NAT_IPV6_MAX);
    bool port = range & NX_NAT_PROTO_MIN, port_max = range & NX_NAT_PROTO_MAX;
    bool bracket = size == 16 && port;
    size_t need = 16 + (min + max) * size + 2 * port + 2 * port_max;

    if (n < need) {
        return false;
    }
    p += 16;
    str_puts(out, "nat");
    if (!(flags & (NX_NAT_F_SRC | NX_NAT_F_DST))) {
        return true;
    }
    str_puts(out, flags & NX_NAT_F_SRC ? "(src" : "(dst");
    if (min) {
        str_putc(out, '=');
        format_address(p, size, bracket, out);
        p += size;
    }
    if (max) {
        str_putc(out, '-');
        format_address(p, size, bracket, out);
        p += size;
    }
    if (port) {
        str_printf(out, ":%u", get_u16(p));
        p += 2;
    }
    if (port_max) {
        str_printf(out, "-%u", get_u16(p));
    }
    str_printf(out, "%s%s%s)", flags & NX_NAT_F_PERSISTENT ? ",persistent" : "",
               flags & NX_NAT_F_PROTO_HASH ? ",hash" : "", flags & NX_NAT_F_PROTO_RANDOM ? ",random" : "");
    return true;
}

/* One specification of a learn action at P; its length, 0 if it is none (padding). */
static size_t
format_learn_spec(const uint8_t *p, size_t n, struct str *out)
{
    unsigned header = n >= 2 ? get_u16(p) : 0, n_bits = header & 0x7ff, type = header >> 11 & 3;
    bool immediate = header & 1 << 13;
    size_t src = immediate ? (n_bits + 15) / 16 * 2 : 6;
    enum of_field f;

    if (!n_bits || n_bits > 128 || n < 2 + src + 6 || type > 1 || !find_field(get_u32(p + 2 + src), &f)) {
        return 0;
    }
    uint32_t dst = get_u32(p + 2 + src);
    unsigned dst_ofs = get_u16(p + 6 + src);
    bool whole = !dst_ofs && n_bits == of_field_info(f)->n_bits;
    if (type) {
        str_puts(out, ",load:");
    } else {
        str_putc(out, ',');
        if (whole && immediate) {
            str_puts(out, of_field_info(f)->name);
        } else {
            format_subfield(dst, dst_ofs, n_bits, out);
        }
        str_putc(out, '=');
    }
    if (immediate) {
        union of_value v = of_value_from_wire(p + 2, src);
        if (type) {
            str_puts(out, "0x");
            format_value_hex(&v, out);
        } else {
            of_value_format(f, &v, out);
        }
    } else {
        format_subfield(get_u32(p + 2), get_u16(p + 6), n_bits, out);
    }
    if (type) {
        str_puts(out, "->");
        format_subfield(dst, dst_ofs, n_bits, out);
    }
    return 2 + src + 6;
}

static bool
format_learn(const uint8_t *p, size_t n, struct str *out)
{
    if (n < 32) {
        return false;
    }
    str_printf(out, "learn(table=%u", p[26]);
    if (get_u16(p + 10)) {
        str_printf(out, ",idle_timeout=%u", get_u16(p + 10));
    }
    if (get_u16(p + 12)) {
        str_printf(out, ",hard_timeout=%u", get_u16(p + 12));
    }
    if (get_u16(p + 14) != 32768) {
        str_printf(out, ",priority=%u", get_u16(p + 14));
    }
    if (get_u16(p + 24) & 2) {
        str_puts(out, ",delete_learned");
    }
    if (get_u64(p + 16)) {
        str_printf(out, ",cookie=0x%llx", (unsigned long long) get_u64(p + 16));
    }
    for (size_t at = 32, len; at < n && (len = format_learn_spec(p + at, n - at, out)); at += len) {
    }
    str_putc(out, ')');
    return true;
}

/* Open vSwitch's own actions: P has N >= 16 bytes. */
static bool
format_nicira(const uint8_t *p, size_t n, struct str *out, int depth)
{
    uint16_t x = get_u16(p + 10);
    unsigned subtype = get_u16(p + 8);

    if (n < 24 && (subtype == NXAST_OUTPUT_REG || subtype == NXAST_STACK_PUSH || subtype == NXAST_STACK_POP
                   || subtype == NXAST_CHECK_PKT_LARGER || subtype == NXAST_CT)) {
        return false;
    }
    switch (subtype) {
    case NXAST_RESUBMIT_TABLE:
        str_puts(out, "resubmit(");
        if (x != 0xfff8) {
            str_printf(out, "%u", x);
        }
        str_printf(out, ",%u)", p[12]);
        return true;
    case NXAST_OUTPUT_REG:
        str_puts(out, "output:");
        format_subfield(get_u32(p + 12), x >> 6, (x & 63) + 1, out);
        return true;
    case NXAST_STACK_PUSH:
    case NXAST_STACK_POP:
        str_puts(out, subtype == NXAST_STACK_PUSH ? "push:" : "pop:");
        format_subfield(get_u32(p + 12), x, get_u16(p + 16), out);
        return true;
    case NXAST_CONTROLLER:
        str_printf(out, "controller(max_len=%u,id=%u)", x, get_u16(p + 12));
        return true;
    case NXAST_CONTROLLER2:
        str_puts(out, "controller(");
        format_properties(p + 16, n - 16, out);
        str_putc(out, ')');
        return true;
    case NXAST_CONJUNCTION:
        str_printf(out, "conjunction(%u,%u/%u)", get_u32(p + 12), p[10] + 1, p[11]);
        return true;
    case NXAST_NOTE:
        str_puts(out, "note:");
        format_hex(p + 10, n - 10, out);
        return true;
    case NXAST_CHECK_PKT_LARGER:
        str_printf(out, "check_pkt_larger(%u)->", x);
        format_subfield(get_u32(p + 14), get_u16(p + 12), 1, out);
        return true;
    case NXAST_CT_CLEAR:
        str_puts(out, "ct_clear");
        return true;
    case NXAST_ENCAP:
        if (get_u32(p + 12) == PACKET_TYPE_NSH && n == 16) {
            str_puts(out, "encap(nsh)");
            return true;
        }
        return false;
    case NXAST_DECAP:
        if (get_u32(p + 12) == PACKET_TYPE_NEXT_PROTO && n == 16) {
            str_puts(out, "decap()");
            return true;
        }
        return false;
    case NXAST_CLONE:
        str_puts(out, "clone(");
        format_list(p + 16, n - 16, out, depth + 1);
        str_putc(out, ')');
        return true;
    case NXAST_CT:
        format_ct(p, n, out, depth);
        return true;
    case NXAST_NAT:
        return format_nat(p, n, out);
    case NXAST_LEARN:
        return format_learn(p, n, out);
    case NXAST_SAMPLE:
        if (n < 24) {
            return false;
        }
        str_printf(out, "sample(probability=%u,collector_set_id=%u,obs_domain_id=%u,obs_point_id=%u)", x, get_u32(p + 12), get_u32(p + 16),
                   get_u32(p + 20));
        return true;
    default:
        return false;
    }
}

/* The actions of one 32-bit number; P has N >= 8 bytes. */
static bool
format_standard(const uint8_t *p, size_t n, struct str *out)
{
    uint32_t x = get_u32(p + 4);

    switch (get_u16(p)) {
    case OFPAT_OUTPUT:
        if (x == OFPP_CONTROLLER_ && n >= 10) {
            str_printf(out, "CONTROLLER:%u", get_u16(p + 8));
        } else if (x == OFPP_IN_PORT_ || x == OFPP_LOCAL_) {
            format_port(x, out);
        } else {
            str_puts(out, "output:");
            format_port(x, out);
        }
        return true;
    case OFPAT_PUSH_VLAN:
        str_printf(out, "push_vlan:0x%04x", x >> 16);
        return true;
    case OFPAT_POP_VLAN:
        str_puts(out, "pop_vlan");
        return true;
    case OFPAT_SET_QUEUE:
        str_printf(out, "set_queue:%u", x);
        return true;
    case OFPAT_GROUP:
        str_printf(out, "group:%u", x);
        return true;
    case OFPAT_METER:
        str_printf(out, "meter:%u", x);
        return true;
    case OFPAT_DEC_NW_TTL:
        str_puts(out, "dec_ttl");
        return true;
    case OFPAT_SET_FIELD:
        return format_set_field(p, n, out);
    case OFPAT_COPY_FIELD:
        if (n < 20) {
            return false;
        }
        str_puts(out, "move:");
        format_subfield(get_u32(p + 12), get_u16(p + 6), get_u16(p + 4), out);
        str_puts(out, "->");
        format_subfield(get_u32(p + 16), get_u16(p + 8), get_u16(p + 4), out);
        return true;
    default:
        return false;
    }
}

static void
format_list(const uint8_t *p, size_t n, struct str *out, int depth)
{
    for (const char *sep = ""; n; sep = ",") {
        size_t len = n >= 8 ? get_u16(p + 2) : 0;
        bool ok = len >= 8 && len % 8 == 0 && len <= n && depth <= MAX_DEPTH, known = false;
        str_puts(out, sep);
        if (ok && get_u16(p) != OFPAT_EXPERIMENTER) {
            known = format_standard(p, len, out);
        } else if (ok && len >= 16 && get_u32(p + 4) == NX_VENDOR) {
            known = format_nicira(p, len, out, depth);
        }
        if (!ok) {
            len = n;
        }
        if (!known) {
            str_puts(out, "bytes:");
            format_hex(p, len, out);
        }
        p += len;
        n -= len;
    }
}

void
ofa_format(const void *actions, size_t n, struct str *out)
{
    if (!n) {
        str_puts(out, "drop");
    }
    format_list(actions, n, out, 0);
}

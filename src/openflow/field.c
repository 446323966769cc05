/* field.c - the table of fields and arithmetic on their values. */
#include "openflow/field.h"

#include <arpa/inet.h>
#include <endian.h>

#include "base/str.h"

static const struct of_field_info fields[OFF_N_FIELDS] = {
#define FIELD(ENUM, NAME, SHOW, FORMAT, BITS, BYTES, MASKABLE, HEADER, NXM) \
    [OFF_##ENUM] = { NAME, SHOW, OFF_##FORMAT, BITS, BYTES, MASKABLE, HEADER, (NXM) ? (NXM) : (HEADER) },
#include "openflow/fields.def"
#undef FIELD
};

const struct of_field_info *
of_field_info(enum of_field f)
{
    REQUIRE(f < OFF_N_FIELDS);
    return &fields[f];
}

bool
of_field_find(const char *name, enum of_field *field)
{
    int shown = 0;

    for (int i = 0; i < OFF_N_FIELDS; i++) {
        if (str_eq(fields[i].name, name)) {
            *field = i;
            return true;
        }
    }
    for (int i = 0; i < OFF_N_FIELDS; i++) {
        if (str_eq(fields[i].show, name)) {
            *field = i;
            shown++;
        }
    }
    return shown == 1;
}

/* Values: two 64-bit halves, be64[0] the upper. */
static uint64_t
hi(const union of_value *v)
{
    return be64toh(v->be64[0]);
}

static uint64_t
lo(const union of_value *v)
{
    return be64toh(v->be64[1]);
}

static union of_value
make(uint64_t upper, uint64_t lower)
{
    return (union of_value) { .be64 = { htobe64(upper), htobe64(lower) } };
}

union of_value
of_value_u64(uint64_t x)
{
    return make(0, x);
}

uint64_t
of_value_low(const union of_value *v)
{
    return lo(v);
}

bool
of_value_is_zero(const union of_value *v)
{
    return !(v->be64[0] | v->be64[1]);
}

union of_value
of_value_ones(unsigned n)
{
    return n >= 128  ? make(UINT64_MAX, UINT64_MAX)
           : n > 64  ? make(UINT64_MAX >> (128 - n), UINT64_MAX)
           : n == 0  ? make(0, 0)
                     : make(0, UINT64_MAX >> (64 - n));
}

union of_value
of_value_shl(const union of_value *v, unsigned n)
{
    return n == 0    ? *v
           : n >= 128 ? make(0, 0)
           : n >= 64 ? make(lo(v) << (n - 64), 0)
                     : make(hi(v) << n | lo(v) >> (64 - n), lo(v) << n);
}

union of_value
of_value_shr(const union of_value *v, unsigned n)
{
    return n == 0    ? *v
           : n >= 128 ? make(0, 0)
           : n >= 64 ? make(0, hi(v) >> (n - 64))
                     : make(hi(v) >> n, lo(v) >> n | hi(v) << (64 - n));
}

union of_value
of_value_and(const union of_value *a, const union of_value *b)
{
    return (union of_value) { .be64 = { a->be64[0] & b->be64[0], a->be64[1] & b->be64[1] } };
}

union of_value
of_value_or(const union of_value *a, const union of_value *b)
{
    return (union of_value) { .be64 = { a->be64[0] | b->be64[0], a->be64[1] | b->be64[1] } };
}

union of_value
of_value_not(const union of_value *a)
{
    return (union of_value) { .be64 = { ~a->be64[0], ~a->be64[1] } };
}

int
of_value_compare(const union of_value *a, const union of_value *b)
{
    return memcmp(a, b, sizeof *a);
}

void
of_value_to_wire(const union of_value *v, void *p, size_t n)
{
    REQUIRE(n <= sizeof v->b);
    memcpy(p, v->b + sizeof v->b - n, n);
}

union of_value
of_value_from_wire(const void *p, size_t n)
{
    union of_value v = { .be64 = { 0, 0 } };

    REQUIRE(n <= sizeof v.b);
    memcpy(v.b + sizeof v.b - n, p, n);
    return v;
}

static void
format_port(uint32_t port, struct str *out)
{
    static const struct {
        uint32_t port;
        const char *name;
    } names[] = { { 0xfffffff8, "IN_PORT" }, { 0xfffffff9, "TABLE" },      { 0xfffffffa, "NORMAL" },
                  { 0xfffffffb, "FLOOD" },   { 0xfffffffc, "ALL" },        { 0xfffffffd, "CONTROLLER" },
                  { 0xfffffffe, "LOCAL" },   { 0xffffffff, "ANY" } };

    for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
        if (names[i].port == port) {
            str_puts(out, names[i].name);
            return;
        }
    }
    str_printf(out, "%u", port);
}

void
of_value_format(enum of_field f, const union of_value *v, struct str *out)
{
    const uint8_t *b = v->b;
    char ip[INET6_ADDRSTRLEN];

    switch (of_field_info(f)->format) {
    case OFF_DEC:
        str_printf(out, "%llu", (unsigned long long) lo(v));
        break;
    case OFF_HEX:
        if (hi(v)) {
            str_printf(out, "0x%llx%016llx", (unsigned long long) hi(v), (unsigned long long) lo(v));
        } else {
            str_printf(out, lo(v) ? "0x%llx" : "%llu", (unsigned long long) lo(v));
        }
        break;
    case OFF_PORT:
        format_port(lo(v) >= 0xfff8 && lo(v) <= 0xffff ? lo(v) | 0xffff0000 : lo(v), out);
        break;
    case OFF_MAC:
        str_printf(out, "%02x:%02x:%02x:%02x:%02x:%02x", b[10], b[11], b[12], b[13], b[14], b[15]);
        break;
    case OFF_IP4:
        str_printf(out, "%u.%u.%u.%u", b[12], b[13], b[14], b[15]);
        break;
    case OFF_IP6:
        str_puts(out, inet_ntop(AF_INET6, b, ip, sizeof ip));
        break;
    }
}

/* wire.c - OpenFlow 1.5.1 messages (chapter 7) and Open vSwitch's (nicira-ext.h). */
#include "openflow/wire.h"

#include <stdlib.h>

#include "openflow/action_wire.h"
#include "openflow/put.h"

enum { BUNDLE_ADD_LEN = 16, FLOW_MOD_LEN = 48, FLOW_DESC_LEN = 24, OFPBF_ATOMIC_ORDERED = 3 };
enum { OFPFC_ADD = 0, OFPFC_DELETE_STRICT = 4 };
enum { OFPIT_APPLY_ACTIONS = 4, OFPMP_FLOW_DESC = 1, OFPMPF_MORE = 1, OFPMT_OXM = 1 };

bool
ofm_parse_header(const uint8_t *p, struct ofm *m)
{
    size_t len = get_u16(p + 2);

    *m = (struct ofm) { p[0], p[1], get_u32(p + 4), p + OF_HEADER_LEN, len - OF_HEADER_LEN };
    return len >= OF_HEADER_LEN;
}

size_t
ofm_begin(struct str *out, uint8_t type, uint32_t xid)
{
    size_t offset = out->len;

    put_u8(out, OF_VERSION);
    put_u8(out, type);
    put_u16(out, 0);
    put_u32(out, xid);
    return offset;
}

void
ofm_end(struct str *out, size_t offset)
{
    REQUIRE(out->len - offset <= OF_MAX_MESSAGE);
    set_u16(out, offset + 2, out->len - offset);
}

void
ofm_put_echo(struct str *out, uint8_t type, uint32_t xid, const void *data, size_t n)
{
    size_t offset = ofm_begin(out, type, xid);

    str_put(out, data, n);
    ofm_end(out, offset);
}

void
ofm_put_empty(struct str *out, uint8_t type, uint32_t xid)
{
    ofm_put_echo(out, type, xid, NULL, 0);
}

void
ofm_put_hello(struct str *out, uint32_t xid)
{
    size_t offset = ofm_begin(out, OFPT_HELLO, xid);

    put_u16(out, 1);                   /* OFPHET_VERSIONBITMAP */
    put_u16(out, 8);
    put_u32(out, 1u << OF_VERSION);
    ofm_end(out, offset);
}

bool
ofm_hello_has_version(const struct ofm *m, uint8_t version)
{
    const uint8_t *p = m->body;

    for (size_t n = m->n; n >= 8;) {
        size_t len = get_u16(p + 2), padded = (len + 7) & ~(size_t) 7;
        if (get_u16(p) == 1 && len >= 8) {
            return get_u32(p + 4) >> version & 1;
        } else if (len < 4 || padded > n) {
            break;
        }
        p += padded;
        n -= padded;
    }
    return m->version >= version;
}

static size_t
begin_nicira(struct str *out, uint32_t subtype, uint32_t xid)
{
    size_t offset = ofm_begin(out, OFPT_EXPERIMENTER, xid);

    put_u32(out, NX_VENDOR);
    put_u32(out, subtype);
    return offset;
}

void
ofm_put_async_setup(struct str *out, uint32_t xid, bool packets)
{
    size_t offset;

    if (packets) {                     /* A connection to the management socket gets none before it names a length. */
        offset = ofm_begin(out, OFPT_SET_CONFIG, xid);
        put_u16(out, 0);
        put_u16(out, UINT16_MAX);
        ofm_end(out, offset);

        offset = begin_nicira(out, NXT_SET_PACKET_IN_FORMAT, xid);
        put_u32(out, 2);               /* NXPIF_NXT_PACKET_IN2 */
        ofm_end(out, offset);
    }
    offset = ofm_begin(out, OFPT_SET_ASYNC, xid);
    for (uint16_t property = 0; property < 6; property++) {
        put_u16(out, property);        /* Packet-in (1: as master or equal), port status, flow removed. */
        put_u16(out, 8);
        put_u32(out, property == 1 && packets ? 0x3e : 0);         /* All reasons but table miss. */
    }
    ofm_end(out, offset);
}

void
ofm_put_flow_dump(struct str *out, uint32_t xid)
{
    size_t offset = ofm_begin(out, OFPT_MULTIPART_REQUEST, xid);

    put_u16(out, OFPMP_FLOW_DESC);
    put_zeros(out, 6);
    put_u8(out, 0xff);                 /* All tables, ports, groups, cookies. */
    put_zeros(out, 3);
    put_u32(out, UINT32_MAX);
    put_u32(out, UINT32_MAX);
    put_zeros(out, 4 + 8 + 8);
    put_u16(out, OFPMT_OXM);
    put_u16(out, 4);
    put_zeros(out, 4);
    ofm_end(out, offset);
}

void
ofm_put_bundle_control(struct str *out, uint32_t xid, uint32_t bundle, uint16_t type)
{
    size_t offset = ofm_begin(out, OFPT_BUNDLE_CONTROL, xid);

    put_u32(out, bundle);
    put_u16(out, type);
    put_u16(out, OFPBF_ATOMIC_ORDERED);
    ofm_end(out, offset);
}

bool
ofm_put_change(struct str *out, uint32_t xid, uint32_t bundle, const struct of_change *c)
{
    size_t offset = out->len, actions_len = c->add ? c->actions_len : 0;

    if (BUNDLE_ADD_LEN + FLOW_MOD_LEN + 4 + 7 + c->key.match_len + 8 + actions_len > OF_MAX_MESSAGE) {
        return false;
    }
    if (bundle) {
        ofm_begin(out, OFPT_BUNDLE_ADD_MESSAGE, xid);
        put_u32(out, bundle);
        put_u16(out, 0);
        put_u16(out, OFPBF_ATOMIC_ORDERED);
    }
    size_t inner = ofm_begin(out, OFPT_FLOW_MOD, xid);
    put_u64(out, c->add ? c->cookie : 0);
    put_u64(out, 0);
    put_u8(out, c->key.table);
    put_u8(out, c->add ? OFPFC_ADD : OFPFC_DELETE_STRICT);
    put_u16(out, 0);
    put_u16(out, 0);
    put_u16(out, c->key.priority);
    put_u32(out, UINT32_MAX);          /* No buffer; any port, any group. */
    put_u32(out, UINT32_MAX);
    put_u32(out, UINT32_MAX);
    put_u16(out, 0);
    put_u16(out, 0);
    size_t match = out->len;
    put_u16(out, OFPMT_OXM);
    put_u16(out, 4 + c->key.match_len);
    str_put(out, c->key.match, c->key.match_len);
    put_padding(out, match);
    if (actions_len) {
        put_u16(out, OFPIT_APPLY_ACTIONS);
        put_u16(out, 8 + actions_len);
        put_u32(out, 0);
        str_put(out, c->actions, actions_len);
    }
    ofm_end(out, inner);
    if (bundle) {
        ofm_end(out, offset);
    }
    return true;
}

struct of_flow_key
ofm_change_key(const uint8_t *p)
{
    p += p[1] == OFPT_BUNDLE_ADD_MESSAGE ? BUNDLE_ADD_LEN : 0;
    return (struct of_flow_key) { p[24], get_u16(p + 30), get_u16(p + FLOW_MOD_LEN + 2) - 4, p + FLOW_MOD_LEN + 4 };
}

void
ofm_change_content(const uint8_t *p, uint64_t *cookie, const void **actions, size_t *n)
{
    p += p[1] == OFPT_BUNDLE_ADD_MESSAGE ? BUNDLE_ADD_LEN : 0;
    size_t start = FLOW_MOD_LEN + ((get_u16(p + FLOW_MOD_LEN + 2) + 7) & ~7u) + 8, len = get_u16(p + 2);

    *cookie = get_u64(p + 8);
    *actions = p + start;
    *n = len > start ? len - start : 0;
}

void
ofm_put_packet_out(struct str *out, uint32_t xid, uint32_t in_port, const void *packet, size_t packet_len, const void *actions,
                   size_t actions_len)
{
    size_t offset = ofm_begin(out, OFPT_PACKET_OUT, xid);

    put_u32(out, UINT32_MAX);
    put_u16(out, actions_len);
    put_zeros(out, 2);
    put_u16(out, OFPMT_OXM);
    put_u16(out, 12);
    put_u32(out, 0x80000004);          /* OXM_OF_IN_PORT */
    put_u32(out, in_port);
    put_zeros(out, 4);
    str_put(out, actions, actions_len);
    str_put(out, packet, packet_len);
    ofm_end(out, offset);
}

void
ofm_put_tlv_request(struct str *out, uint32_t xid)
{
    ofm_end(out, begin_nicira(out, NXT_TLV_TABLE_REQUEST, xid));
}

void
ofm_put_tlv_add(struct str *out, uint32_t xid, uint16_t class, uint8_t type, uint8_t len, uint16_t index)
{
    size_t offset = begin_nicira(out, NXT_TLV_TABLE_MOD, xid);

    put_u16(out, 0);                   /* NXTTMC_ADD */
    put_zeros(out, 6);
    put_u16(out, class);
    put_u8(out, type);
    put_u8(out, len);
    put_u16(out, index);
    put_zeros(out, 2);
    ofm_end(out, offset);
}

char *
ofm_parse_multipart(const struct ofm *m, uint16_t *type, bool *more, const uint8_t **body, size_t *n)
{
    if (m->n < 8) {
        return xstrdup("multipart reply is too short");
    }
    *type = get_u16(m->body);
    *more = get_u16(m->body + 2) & OFPMPF_MORE;
    *body = m->body + 8;
    *n = m->n - 8;
    return NULL;
}

/* The instructions at P as we would write them: none, or one apply-actions. False if there are others. */
static bool
parse_instructions(const uint8_t *p, size_t n, const uint8_t **actions, size_t *actions_len)
{
    *actions = p;
    *actions_len = 0;
    if (!n) {
        return true;
    }
    if (n < 8 || get_u16(p) != OFPIT_APPLY_ACTIONS || get_u16(p + 2) != n) {
        return false;
    }
    *actions = p + 8;
    *actions_len = n - 8;
    return true;
}

char *
ofm_next_flow(const uint8_t **p, size_t *n, struct ofm_flow *f)
{
    const uint8_t *d = *p, *actions;
    size_t len = *n >= 2 ? get_u16(d) : 0, actions_len;

    if (len < FLOW_DESC_LEN + 8 || len > *n) {
        return xasprintf("flow description of %zu bytes in %zu", len, *n);
    }
    size_t match_len = get_u16(d + FLOW_DESC_LEN + 2), stats = FLOW_DESC_LEN + ((match_len + 7) & ~(size_t) 7);
    if (get_u16(d + FLOW_DESC_LEN) != OFPMT_OXM || match_len < 4 || stats + 4 > len) {
        return xasprintf("flow description with a bad match (length %zu)", match_len);
    }
    size_t stats_len = get_u16(d + stats + 2), instructions = stats + ((stats_len + 7) & ~(size_t) 7);
    if (stats_len < 4 || instructions > len) {
        return xasprintf("flow description with bad statistics (length %zu)", stats_len);
    }
    f->key = (struct of_flow_key) { d[4], get_u16(d + 6), match_len - 4, d + FLOW_DESC_LEN + 4 };
    bool plain = parse_instructions(d + instructions, len - instructions, &actions, &actions_len);
    f->content = of_content_hash(get_u64(d + 16), actions, actions_len);
    if (!plain || get_u64(d + 8)) {    /* Time-outs, flags, importance: nothing that we install. */
        f->content = ~f->content;
    }
    *p += len;
    *n -= len;
    return NULL;
}

char *
ofm_parse_error(const struct ofm *m, struct ofm_error *e)
{
    size_t skip = 4;

    *e = (struct ofm_error) { 0 };
    if (m->n < 4) {
        return xstrdup("error message is too short");
    }
    e->type = get_u16(m->body);
    e->code = get_u16(m->body + 2);
    if (e->type == 0xffff) {
        if (m->n < 8) {
            return xstrdup("experimenter error message is too short");
        }
        e->experimenter = get_u32(m->body + 4);
        skip = 8;
    }
    e->data = m->body + skip;
    e->n = m->n - skip;
    e->failed_xid = m->xid;
    if (e->n >= OF_HEADER_LEN) {
        e->failed_type = e->data[1];
    }
    return NULL;
}

/* The names of codes of one error type, by number. */
static const char *const bad_request[] = {
    "OFPBRC_BAD_VERSION", "OFPBRC_BAD_TYPE", "OFPBRC_BAD_MULTIPART", "OFPBRC_BAD_EXPERIMENTER", "OFPBRC_BAD_EXP_TYPE", "OFPBRC_EPERM",
    "OFPBRC_BAD_LEN", "OFPBRC_BUFFER_EMPTY", "OFPBRC_BUFFER_UNKNOWN", "OFPBRC_BAD_TABLE_ID", "OFPBRC_IS_SLAVE", "OFPBRC_BAD_PORT",
    "OFPBRC_BAD_PACKET", "OFPBRC_MULTIPART_BUFFER_OVERFLOW", "OFPBRC_MULTIPART_REQUEST_TIMEOUT", "OFPBRC_MULTIPART_REPLY_TIMEOUT",
    "OFPBRC_MULTIPART_BAD_SCHED", "OFPBRC_PIPELINE_FIELDS_ONLY", "OFPBRC_UNKNOWN",
};
static const char *const bad_action[] = {
    "OFPBAC_BAD_TYPE", "OFPBAC_BAD_LEN", "OFPBAC_BAD_EXPERIMENTER", "OFPBAC_BAD_EXP_TYPE", "OFPBAC_BAD_OUT_PORT", "OFPBAC_BAD_ARGUMENT",
    "OFPBAC_EPERM", "OFPBAC_TOO_MANY", "OFPBAC_BAD_QUEUE", "OFPBAC_BAD_OUT_GROUP", "OFPBAC_MATCH_INCONSISTENT", "OFPBAC_UNSUPPORTED_ORDER",
    "OFPBAC_BAD_TAG", "OFPBAC_BAD_SET_TYPE", "OFPBAC_BAD_SET_LEN", "OFPBAC_BAD_SET_ARGUMENT", "OFPBAC_BAD_SET_MASK", "OFPBAC_BAD_METER",
};
static const char *const bad_instruction[] = {
    "OFPBIC_UNKNOWN_INST", "OFPBIC_UNSUP_INST", "OFPBIC_BAD_TABLE_ID", "OFPBIC_UNSUP_METADATA", "OFPBIC_UNSUP_METADATA_MASK",
    "OFPBIC_BAD_EXPERIMENTER", "OFPBIC_BAD_EXP_TYPE", "OFPBIC_BAD_LEN", "OFPBIC_EPERM", "OFPBIC_DUP_INST",
};
static const char *const bad_match[] = {
    "OFPBMC_BAD_TYPE", "OFPBMC_BAD_LEN", "OFPBMC_BAD_TAG", "OFPBMC_BAD_DL_ADDR_MASK", "OFPBMC_BAD_NW_ADDR_MASK", "OFPBMC_BAD_WILDCARDS",
    "OFPBMC_BAD_FIELD", "OFPBMC_BAD_VALUE", "OFPBMC_BAD_MASK", "OFPBMC_BAD_PREREQ", "OFPBMC_DUP_FIELD", "OFPBMC_EPERM",
};
static const char *const flow_mod_failed[] = {
    "OFPFMFC_UNKNOWN", "OFPFMFC_TABLE_FULL", "OFPFMFC_BAD_TABLE_ID", "OFPFMFC_OVERLAP", "OFPFMFC_EPERM", "OFPFMFC_BAD_TIMEOUT",
    "OFPFMFC_BAD_COMMAND", "OFPFMFC_BAD_FLAGS", "OFPFMFC_CANT_SYNC", "OFPFMFC_BAD_PRIORITY", "OFPFMFC_IS_SYNC",
};
static const char *const bundle_failed[] = {
    "OFPBFC_UNKNOWN", "OFPBFC_EPERM", "OFPBFC_BAD_ID", "OFPBFC_BUNDLE_EXIST", "OFPBFC_BUNDLE_CLOSED", "OFPBFC_OUT_OF_BUNDLES",
    "OFPBFC_BAD_TYPE", "OFPBFC_BAD_FLAGS", "OFPBFC_MSG_BAD_LEN", "OFPBFC_MSG_BAD_XID", "OFPBFC_MSG_UNSUP", "OFPBFC_MSG_CONFLICT",
    "OFPBFC_MSG_TOO_MANY", "OFPBFC_MSG_FAILED", "OFPBFC_TIMEOUT", "OFPBFC_BUNDLE_IN_PROGRESS",
};

void
ofm_format_error(const struct ofm_error *e, struct str *out)
{
    static const struct {
        uint16_t type;
        const char *const *names;
        size_t n;
    } types[] = {
        { 1, bad_request, ARRAY_SIZE(bad_request) },
        { 2, bad_action, ARRAY_SIZE(bad_action) },
        { 3, bad_instruction, ARRAY_SIZE(bad_instruction) },
        { 4, bad_match, ARRAY_SIZE(bad_match) },
        { 5, flow_mod_failed, ARRAY_SIZE(flow_mod_failed) },
        { 17, bundle_failed, ARRAY_SIZE(bundle_failed) },
    };

    for (size_t i = 0; i < ARRAY_SIZE(types); i++) {
        if (types[i].type == e->type && e->code < types[i].n) {
            str_puts(out, types[i].names[e->code]);
            return;
        }
    }
    if (e->type == 0xffff) {
        str_printf(out, "error %u of experimenter 0x%x", e->code, e->experimenter);
    } else {
        str_printf(out, "error type %u code %u", e->type, e->code);
    }
}

char *
ofm_parse_bundle_reply(const struct ofm *m, struct ofm_bundle_reply *r)
{
    if (m->n < 8) {
        return xstrdup("bundle reply is too short");
    }
    *r = (struct ofm_bundle_reply) { get_u32(m->body), get_u16(m->body + 4) };
    return NULL;
}

bool
ofm_parse_nicira(const struct ofm *m, uint32_t *subtype, const uint8_t **body, size_t *n)
{
    if (m->type != OFPT_EXPERIMENTER || m->n < 8 || get_u32(m->body) != NX_VENDOR) {
        return false;
    }
    *subtype = get_u32(m->body + 4);
    *body = m->body + 8;
    *n = m->n - 8;
    return true;
}

char *
ofm_parse_tlv_table(const uint8_t *p, size_t n, uint16_t class, uint8_t type, uint8_t len, struct ofm_tlv_table *t)
{
    *t = (struct ofm_tlv_table) { .index = -1 };
    if (n < 16 || (n - 16) % 8) {
        return xasprintf("tunnel option table of %zu bytes", n);
    }
    for (p += 16, n -= 16; n; p += 8, n -= 8) {
        uint16_t index = get_u16(p + 4);
        if (index >= 64) {
            return xasprintf("tunnel option table names field %u", index);
        }
        t->used |= UINT64_C(1) << index;
        if (get_u16(p) == class && p[2] == type) {
            t->index = p[3] == len ? index : -1;
            t->conflict = p[3] != len;
        }
    }
    return NULL;
}

/* The packet's metadata: exact fields. Those we do not know are nobody's concern here. */
static char *
parse_metadata(const uint8_t *p, size_t n, struct of_match *m)
{
    while (n) {
        size_t len = n >= 4 ? 4 + p[3] : 0;
        if (!len || len > n) {
            return xstrdup("packet-in with bad metadata");
        }
        free(of_match_parse_oxm(p, len, m));
        p += len;
        n -= len;
    }
    return NULL;
}

enum {
    NXPINT_PACKET,
    NXPINT_FULL_LEN,
    NXPINT_BUFFER_ID,
    NXPINT_TABLE_ID,
    NXPINT_COOKIE,
    NXPINT_REASON,
    NXPINT_METADATA,
    NXPINT_USERDATA,
    NXPINT_CONTINUATION,
};

char *
ofm_parse_packet_in(const uint8_t *p, size_t n, struct of_packet_in *in)
{
    *in = (struct of_packet_in) { .metadata = OF_MATCH_INIT };
    while (n) {
        size_t len = n >= 4 ? get_u16(p + 2) : 0, padded = (len + 7) & ~(size_t) 7;
        if (len < 4 || len > n) {
            return xasprintf("packet-in with a property of %zu bytes in %zu", len, n);
        }
        const uint8_t *data = p + 4;
        size_t size = len - 4;
        switch (get_u16(p)) {
        case NXPINT_PACKET:
            in->packet = data;
            in->packet_len = size;
            break;
        case NXPINT_TABLE_ID:
            in->table = size ? data[0] : 0;
            break;
        case NXPINT_COOKIE:
            in->cookie = size >= 12 ? get_u64(data + 4) : 0;
            break;
        case NXPINT_REASON:
            in->reason = size ? data[0] : 0;
            break;
        case NXPINT_METADATA: {
            char *error = parse_metadata(data, size, &in->metadata);
            if (error) {
                return error;
            }
            break;
        }
        case NXPINT_USERDATA:
            in->userdata = data;
            in->userdata_len = size;
            break;
        case NXPINT_CONTINUATION:
            in->continuation = data;
            in->continuation_len = size;
            break;
        }
        p += MIN(padded, n);
        n -= MIN(padded, n);
    }
    return in->packet ? NULL : xstrdup("packet-in without a packet");
}

static void
put_resume_property(struct str *out, uint16_t type, const void *data, size_t n)
{
    size_t offset = out->len;

    put_u16(out, type);
    put_u16(out, 4 + n);
    str_put(out, data, n);
    put_padding(out, offset);
}

void
ofm_put_resume(struct str *out, uint32_t xid, const struct of_packet_in *in, const void *packet, size_t packet_len, const struct of_match *metadata)
{
    size_t offset = begin_nicira(out, NXT_RESUME, xid);
    struct str oxm = STR_INIT;

    put_resume_property(out, NXPINT_PACKET, packet, packet_len);
    of_match_put_oxm(metadata, &oxm);
    put_resume_property(out, NXPINT_METADATA, oxm.s, oxm.len);
    put_resume_property(out, NXPINT_CONTINUATION, in->continuation, in->continuation_len);
    ofm_end(out, offset);
    str_free(&oxm);
}

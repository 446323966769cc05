/* fuzz_openflow.c - what a switch may send, through every parser of src/openflow: a stream of messages. A match that is accepted,
 * written and read again, is written in the same way; actions of any bytes can be shown. */
#include <stdlib.h>

#include "openflow/action.h"
#include "openflow/wire.h"

int LLVMFuzzerTestOneInput(const uint8_t *, size_t);

static void
check_match(const void *p, size_t n)
{
    struct of_match m = OF_MATCH_INIT, again = OF_MATCH_INIT;
    struct str oxm = STR_INIT, oxm_again = STR_INIT, text = STR_INIT;

    char *error = of_match_parse_oxm(p, n, &m);
    if (!error) {
        of_match_put_oxm(&m, &oxm);
        char *second = of_match_parse_oxm(oxm.s, oxm.len, &again);
        REQUIRE(!second && again.n <= m.n);
        of_match_put_oxm(&again, &oxm_again);
        REQUIRE(oxm_again.len == oxm.len && !memcmp(str_c(&oxm_again), str_c(&oxm), oxm.len));
        of_match_format(&m, &text);
    }
    free(error);
    of_match_destroy(&m);
    of_match_destroy(&again);
    str_free(&oxm);
    str_free(&oxm_again);
    str_free(&text);
}

static char *
check_flows(const struct ofm *m, struct of_flows *flows)
{
    const uint8_t *p;
    uint16_t type;
    bool more;
    size_t n;
    char *error = ofm_parse_multipart(m, &type, &more, &p, &n);

    while (!error && n) {
        struct ofm_flow f;
        error = ofm_next_flow(&p, &n, &f);
        if (!error) {
            check_match(f.key.match, f.key.match_len);
            of_flows_adopt(flows, &f.key, f.content);
        }
    }
    return error;
}

static char *
check_nicira(const struct ofm *m)
{
    struct ofm_tlv_table table;
    struct of_packet_in in;
    const uint8_t *p;
    uint32_t subtype;
    size_t n;

    if (!ofm_parse_nicira(m, &subtype, &p, &n)) {
        return NULL;
    } else if (subtype == NXT_TLV_TABLE_REPLY) {
        return ofm_parse_tlv_table(p, n, 0x102, 0x80, 4, &table);
    } else if (subtype == NXT_PACKET_IN2) {
        char *error = ofm_parse_packet_in(p, n, &in);
        if (!error) {
            digest_bytes(in.packet, in.packet_len);
            digest_bytes(in.userdata, in.userdata_len);
            digest_bytes(in.continuation, in.continuation_len);
        }
        of_match_destroy(&in.metadata);
        return error;
    }
    return NULL;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    struct of_flows *flows = of_flows_create();
    struct ofm_bundle_reply reply;
    struct str s = STR_INIT;
    struct ofm_error e;
    struct ofm m;

    ofa_format(data, n, &s);
    while (n >= OF_HEADER_LEN && ofm_parse_header(data, &m) && OF_HEADER_LEN + m.n <= n) {
        char *error = NULL;
        switch (m.type) {
        case OFPT_ERROR:
            error = ofm_parse_error(&m, &e);
            if (!error) {
                ofm_format_error(&e, &s);
            }
            break;
        case OFPT_MULTIPART_REPLY:
            error = check_flows(&m, flows);
            break;
        case OFPT_BUNDLE_CONTROL:
            error = ofm_parse_bundle_reply(&m, &reply);
            break;
        case OFPT_EXPERIMENTER:
            error = check_nicira(&m);
            break;
        case OFPT_HELLO:
            (void) !ofm_hello_has_version(&m, OF_VERSION);
            break;
        }
        free(error);
        data += OF_HEADER_LEN + m.n;
        n -= OF_HEADER_LEN + m.n;
    }
    str_free(&s);
    of_flows_destroy(flows);
    return 0;
}

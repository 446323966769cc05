/* fuzz_json.c - the reader, the writer and the framer against each other, on any bytes:
 * what the reader accepts, written and read again, is the same; the framer does not depend on how the
 * stream is cut, and ends where the reader ends. */
#include <stdlib.h>

#include "json/json.h"
#include "json/json_copy.h"

int LLVMFuzzerTestOneInput(const uint8_t *, size_t);

enum { REFUSED = -1, UNFINISHED = -2 };

/* Where the first message of TEXT ends, fed in pieces of up to STEP bytes. */
static int64_t
frame(const char *text, size_t n, size_t step)
{
    struct json_framer f = JSON_FRAMER_INIT;
    for (size_t i = 0; i < n;) {
        bool complete;
        size_t piece = MIN(step, n - i);
        size_t used = json_framer_feed(&f, text + i, piece, &complete);
        if (used == SIZE_MAX) {
            return REFUSED;
        }
        REQUIRE(used == piece || (complete && used && used < piece));
        i += used;
        if (complete) {
            return i;
        }
    }
    return UNFINISHED;
}

static void
check_raw(const char *text, size_t n)
{
    struct json_reader r;
    json_reader_init(&r, text, n);
    json_next(&r);
    const char *p;
    size_t len;
    REQUIRE(json_raw(&r, &p, &len) && json_next(&r) == JSON_END);
    REQUIRE(p >= text && p + len <= text + n);
    struct json_reader inner;
    json_reader_init(&inner, p, len);
    json_next(&inner);
    REQUIRE(json_skip(&inner) && inner.p == p + len);
    json_reader_destroy(&inner);
    json_reader_destroy(&r);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    const char *text = (const char *) data;
    struct str once = STR_INIT, twice = STR_INIT;
    struct json_reader r;
    bool ok = json_copy(&r, text, n, &once);
    REQUIRE(ok == !*json_error(&r));
    json_reader_destroy(&r);

    int64_t end = frame(text, n, SIZE_MAX);
    REQUIRE(end == frame(text, n, 1) && end == frame(text, n, 67));
    if (ok) {
        REQUIRE(json_copy(&r, once.s, once.len, &twice));
        json_reader_destroy(&r);
        REQUIRE(once.len == twice.len && !memcmp(once.s, twice.s, once.len));
        check_raw(text, n);
        if (*once.s == '{' || *once.s == '[') {
            size_t last = n;
            while (strchr(" \t\r\n", text[last - 1])) {
                last--;
            }
            REQUIRE(end == (int64_t) last);
            REQUIRE(frame(once.s, once.len, 61) == (int64_t) once.len);
        } else {
            REQUIRE(end == REFUSED);
        }
    }

    /* As a string, any bytes are written so that they read back, and UTF-8 unchanged. */
    struct str quoted = STR_INIT, again = STR_INIT;
    json_put_string(&quoted, text, n);
    json_reader_init(&r, quoted.s, quoted.len);
    REQUIRE(json_next(&r) == JSON_STRING);
    json_put_string(&again, r.s.p, r.s.n);
    REQUIRE(json_next(&r) == JSON_END);
    REQUIRE(again.len == quoted.len && !memcmp(again.s, quoted.s, quoted.len));
    json_reader_destroy(&r);

    if (n == 8) {
        double d;
        memcpy(&d, data, 8);
        str_clear(&again);
        json_put_real(&again, d);
        json_reader_init(&r, again.s, again.len);
        enum json_token t = json_next(&r);
        REQUIRE(t == JSON_NULL || (t == JSON_INTEGER && r.i == d) || (t == JSON_REAL && r.d == d));
        json_reader_destroy(&r);
    }
    str_free(&once);
    str_free(&twice);
    str_free(&quoted);
    str_free(&again);
    return 0;
}

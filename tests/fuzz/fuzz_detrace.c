/* fuzz_detrace.c - the scanner of ovn-detrace on any bytes: the text stays what it is, marks stand between lines and in order, and nothing
 * hangs on how the input is cut. */
#include <stdlib.h>

#include "cli/detrace/scan.h"

int LLVMFuzzerTestOneInput(const uint8_t *, size_t);

/* In pieces of up to STEP bytes. */
static void
scan(struct scanner *s, struct str *text, const uint8_t *data, size_t n, size_t step, bool ports)
{
    *s = (struct scanner) SCANNER_INIT;
    s->ports = ports;
    for (size_t i = 0; i < n; i += step) {
        scan_feed(s, data + i, MIN(step, n - i));
    }
    scan_end(s);
    str_put(text, str_c(&s->text), s->text.len);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    struct scanner a, b;
    struct str text = STR_INIT, again = STR_INIT;
    size_t at = 0;

    if (n < 2) {
        return 0;
    }
    bool ports = data[0] & 1;
    size_t step = 1 + data[1];
    data += 2;
    n -= 2;
    scan(&a, &text, data, n, MAX(n, 1), ports);
    scan(&b, &again, data, n, step, ports);
    REQUIRE(text.len == n && again.len == n && (!n || (!memcmp(text.s, data, n) && !memcmp(again.s, data, n))));
    REQUIRE(a.n_marks == b.n_marks);
    for (size_t i = 0; i < a.n_marks; i++) {
        const struct scan_mark *m = &a.marks[i];
        REQUIRE(m->at >= at && m->at <= n && (!m->at || m->at == n || data[m->at - 1] == '\n'));
        REQUIRE(m->kind == SCAN_COOKIE ? m->number != 0 : ports);
        REQUIRE(b.marks[i].at == m->at && b.marks[i].kind == m->kind && b.marks[i].number == m->number && str_eq(b.marks[i].name, m->name)
                && str_eq(b.marks[i].bridge, m->bridge));
        at = m->at;
    }
    scan_destroy(&a);
    scan_destroy(&b);
    str_free(&text);
    str_free(&again);
    return 0;
}

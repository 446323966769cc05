/* tls_protocols.c - the option --ssl-protocols. Apart from the rest of TLS, so that a program that connects to nothing checks its options
 * without OpenSSL. */
#include <stdlib.h>
#include <strings.h>
#include "base/str.h"
#include "runtime/tls.h"

enum { TLS_1_2 = 0x0303, TLS_1_3 = 0x0304 };           /* As on the wire, RFC 8446 4.2.1; OpenSSL's numbers, too. */

/* One name; false: no such protocol. Versions before 1.2 are 0. */
static bool
parse_version(const char *s, size_t n, int *version)
{
    static const struct {
        const char *name;
        int version;
    } names[] = { { "TLSv1.3", TLS_1_3 }, { "TLSv1.2", TLS_1_2 }, { "TLSv1.1", 0 }, { "TLSv1", 0 } };

    for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
        if (strlen(names[i].name) == n && !strncasecmp(names[i].name, s, n)) {
            *version = names[i].version;
            return true;
        }
    }
    return false;
}

char *
tls_parse_protocols(const char *text, int *min, int *max, bool *old)
{
    *min = *max = 0;
    *old = false;
    for (const char *s = text + strspn(text, ", "); *s; s += strspn(s, ", ")) {
        size_t n = strcspn(s, ", ");
        const char *dash = memchr(s, '-', n);
        bool above = n > 1 && s[n - 1] == '+';
        int from, to;

        if (!parse_version(s, dash ? dash - s : n - above, &from)
            || (dash && (above || !parse_version(dash + 1, s + n - dash - 1, &to)))) {
            return xasprintf("%.*s: expected TLSv1.2, TLSv1.3, a list of them or a range like TLSv1.2+", (int) n, s);
        }
        to = above ? TLS_1_3 : dash ? to : from;
        *old |= !from || !to;
        if (from > to) {
            return xasprintf("%.*s: the range ends before it begins", (int) n, s);
        }
        if (to) {
            from = from ? from : TLS_1_2;
            *min = *min ? MIN(*min, from) : from;
            *max = MAX(*max, to);
        }
        s += n;
    }
    return *max ? NULL : xasprintf("\"%s\" names no protocol of TLSv1.2 or later", text);
}

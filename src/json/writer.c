/* writer.c - writes JSON (RFC 8259) to a growing text.
 *
 * Punctuation is the caller's (str_putc()); here are the parts that need care: strings, escaped no more
 * than the grammar asks, and numbers, as short as they can be without losing anything. */
#include <inttypes.h>
#include <locale.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "json/json.h"
#include "json/scan.h"
#include "json/utf8.h"

/* Writes the escape of C, a special character, to OUT. Returns its length, at most 6. */
static size_t
escape(uint8_t c, char *out)
{
    static const char digits[] = "0123456789abcdef";
    static const char letters[256] = {['"'] = '"',  ['\\'] = '\\', ['\b'] = 'b', ['\f'] = 'f',
                                      ['\n'] = 'n', ['\r'] = 'r',  ['\t'] = 't'};
    out[0] = '\\';
    if (letters[c]) {
        out[1] = letters[c];
        return 2;
    }
    memcpy(out + 1, "u00", 3);
    out[4] = digits[c >> 4];
    out[5] = digits[c & 15];
    return 6;
}

/* Appends [P, END), which has no special character, with U+FFFD for what is not UTF-8. */
static void
put_mended(struct str *s, const char *p, const char *end)
{
    while (p < end) {
        const char *bad = utf8_check(p, end);
        str_put(s, p, bad - p);
        p = bad;
        if (p < end) {
            str_put(s, "\xef\xbf\xbd", 3);
            p -= utf8_next(p, end);
        }
    }
}

void
json_put_string(struct str *s, const char *p, size_t n)
{
    const char *end = p + n;
    str_reserve(s, n + 2);
    str_putc(s, '"');
    while (p < end) {
        bool not_ascii = false;
        const char *stop = scan_string(p, end, &not_ascii);
        if (not_ascii) {
            put_mended(s, p, stop);
        } else {
            str_put(s, p, stop - p);
        }
        if (stop < end) {
            char e[6];
            str_put(s, e, escape(*stop++, e));
        }
        p = stop;
    }
    str_putc(s, '"');
}

void
json_put_cstr(struct str *s, const char *text)
{
    json_put_string(s, text, strlen(text));
}

void
json_put_int(struct str *s, int64_t i)
{
    char buf[24], *p = buf + sizeof buf;
    uint64_t v = i < 0 ? -(uint64_t) i : (uint64_t) i;
    do {
        *--p = '0' + v % 10;
        v /= 10;
    } while (v);
    if (i < 0) {
        *--p = '-';
    }
    str_put(s, p, buf + sizeof buf - p);
}

/* Appends TEXT, as %g makes it in any locale, as JSON: with a point, and "e18" or "e-7" for an exponent. */
static void
put_g(struct str *s, const char *text)
{
    const char *point = localeconv()->decimal_point;
    size_t n = strcspn(text, "e");
    const char *at = strstr(text, point);
    if (at) {
        str_put(s, text, at - text);
        str_putc(s, '.');
        at += strlen(point);
        str_put(s, at, text + n - at);
    } else {
        str_put(s, text, n);
    }
    if (text[n]) {
        str_putc(s, 'e');
        json_put_int(s, atoi(text + n + 1));
    }
}

void
json_put_real(struct str *s, double d)
{
    if (!isfinite(d)) {
        str_puts(s, "null");
    } else if (fabs(d) < 1e15 && d == (double) (int64_t) d) {
        if (d == 0 && signbit(d)) {
            str_puts(s, "-0.0");       /* "-0" reads as an integer, which has no such zero. */
        } else {
            json_put_int(s, d);
        }
    } else {
        /* 15 digits always survive in a normal number, so that %g's cutting of zeros finds every shorter
         * text; a subnormal number may need fewer. 17 are always enough. */
        char text[64];
        for (int digits = fabs(d) < 2.3e-308 ? 1 : 15; digits <= 17; digits++) {
            snprintf(text, sizeof text, "%.*g", digits, d);
            if (strtod(text, NULL) == d) {
                break;
            }
        }
        put_g(s, text);
    }
}

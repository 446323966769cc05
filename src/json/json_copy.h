/* json_copy.h - for tests and fuzzers: what the reader reads, written again by the writer. */
#ifndef JSON_JSON_COPY_H
#define JSON_JSON_COPY_H 1

#include "json/json.h"

/* Reads all of TEXT and appends it to OUT without white space. False on an error, then in R, which the
 * caller destroys in any case. */
static inline bool
json_copy(struct json_reader *r, const char *text, size_t n, struct str *out)
{
    json_reader_init(r, text, n);
    for (;;) {
        enum json_token before = r->token, t = json_next(r);
        bool first = before == JSON_OBJECT_BEGIN || before == JSON_ARRAY_BEGIN || before == JSON_KEY
                     || !out->len;
        if (t == JSON_ERROR) {
            return false;
        }
        if (t == JSON_END) {
            return true;
        }
        if (!first && t != JSON_OBJECT_END && t != JSON_ARRAY_END) {
            str_putc(out, ',');
        }
        switch (t) {
        case JSON_OBJECT_BEGIN:
            str_putc(out, '{');
            break;
        case JSON_OBJECT_END:
            str_putc(out, '}');
            break;
        case JSON_ARRAY_BEGIN:
            str_putc(out, '[');
            break;
        case JSON_ARRAY_END:
            str_putc(out, ']');
            break;
        case JSON_KEY:
        case JSON_STRING:
            json_put_string(out, r->s.p, r->s.n);
            if (t == JSON_KEY) {
                str_putc(out, ':');
            }
            break;
        case JSON_INTEGER:
            json_put_int(out, r->i);
            break;
        case JSON_REAL:
            json_put_real(out, r->d);
            break;
        default:
            str_puts(out, json_token_name(t));         /* true, false, null */
            break;
        }
    }
}

#endif

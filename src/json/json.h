/* json.h - JSON (RFC 8259), exact: a pull reader over one complete message, a framer that finds
 * where messages end in a byte stream, and a writer.
 *
 * The reader copies nothing: strings point into the message where they have no escapes, else into
 * the reader's own scratch memory, valid until the next json_next(). Depth is bounded. It is the
 * hot path of every daemon (DESIGN.md 8): at least 3 times jansson on a database dump, see bench/. */
#ifndef JSON_JSON_H
#define JSON_JSON_H 1

#include "base/str.h"

enum json_token {
    JSON_ERROR,                /* See json_error(); stays. */
    JSON_END,                  /* The one value of the text is complete and nothing follows. */
    JSON_OBJECT_BEGIN, JSON_OBJECT_END,
    JSON_ARRAY_BEGIN, JSON_ARRAY_END,
    JSON_KEY,                  /* A member's name, in `s`; its value is the next token. */
    JSON_STRING,               /* In `s`. */
    JSON_INTEGER,              /* In `i`; a number with no fraction or exponent that fits. */
    JSON_REAL,                 /* In `d`; any other number. */
    JSON_TRUE, JSON_FALSE, JSON_NULL,
};

enum { JSON_MAX_DEPTH = 200 };

struct json_reader {
    const char *start, *p, *end;
    enum json_token token;     /* The current token. */
    struct { const char *p; size_t n; } s;
    int64_t i;
    double d;
    size_t depth;
    uint8_t state;
    uint64_t stack[(JSON_MAX_DEPTH + 63) / 64];        /* A bit a level: 1 object, 0 array. */
    struct str scratch;
    char error[96];
};

/* TEXT must stay until the reader is done with; it need not be NUL-terminated. */
void json_reader_init(struct json_reader *, const char *text, size_t n);
void json_reader_destroy(struct json_reader *);
enum json_token json_next(struct json_reader *);
/* Skips the rest of the value whose first token is current. False on an error. */
bool json_skip(struct json_reader *);
/* The text [*p, *p + *n) of the value whose first token is current; skips it. False on an error. */
bool json_raw(struct json_reader *, const char **p, size_t *n);
/* "line 1, column 17: ..." or "". */
const char *json_error(const struct json_reader *);
static inline bool
json_string_is(const struct json_reader *r, const char *s)
{
    return r->s.n == strlen(s) && !memcmp(r->s.p, s, r->s.n);
}

/* Finds the end of the first JSON object or array in a stream, a chunk at a time, without decoding. */
struct json_framer {
    uint32_t depth;
    bool in_string, escaped, started;
};
/* Looks at N more bytes. Returns how many of them belong to the message, with *complete set when its
 * end was reached; SIZE_MAX if the bytes cannot begin or continue a message (not JSON). */
size_t json_framer_feed(struct json_framer *, const char *, size_t n, bool *complete);

/* Writing: appends to a str. Strings must be UTF-8; what is not becomes U+FFFD. */
void json_put_string(struct str *, const char *, size_t n);
void json_put_cstr(struct str *, const char *);
void json_put_int(struct str *, int64_t);
void json_put_real(struct str *, double);      /* Shortest text that reads back equal. */

#endif

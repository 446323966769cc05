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
    JSON_REAL,                 /* In `d`, finite; any other number. Beyond a double is an error. */
    JSON_TRUE, JSON_FALSE, JSON_NULL,
};

enum { JSON_MAX_DEPTH = 200 };

struct json_reader {
    const char *start, *p, *end;
    const char *at;            /* Where the current token begins. */
    enum json_token token;     /* The current token. */
    struct { const char *p; size_t n; } s;
    int64_t i;
    double d;
    size_t depth;
    uint8_t state;
    uint64_t stack[(JSON_MAX_DEPTH + 63) / 64];        /* A bit a level: 1 object, 0 array. */
    struct str scratch;
    char error[128];
};

/* A text is exactly one value with white space around it. Strings are valid UTF-8 without lone
 * surrogates and may hold NUL (as \u0000): those who forbid it (OVSDB does) look at the length.
 * -0 is the integer 0. After JSON_END or JSON_ERROR, json_next() returns the same again.
 * TEXT must stay until the reader is done with; it need not be NUL-terminated. */
void json_reader_init(struct json_reader *, const char *text, size_t n);
void json_reader_destroy(struct json_reader *);
enum json_token json_next(struct json_reader *);
/* Skips the rest of the value whose first token is current (of a JSON_KEY, the member), so that the
 * current token is its last one. False on an error, or if the token begins no value. */
bool json_skip(struct json_reader *);
/* The text [*p, *p + *n) of the value whose first token is current; skips it. False on an error. */
bool json_raw(struct json_reader *, const char **p, size_t *n);
/* "line 1, column 17: expected ..., found ..." or "". Columns count bytes, from 1. */
const char *json_error(const struct json_reader *);
/* For callers that refuse the current token: "expected WHAT" there becomes the reader's error, unless
 * it has one already. Returns JSON_ERROR. */
enum json_token json_refuse(struct json_reader *, const char *what);
/* "an object", "a string", ...: for messages. */
const char *json_token_name(enum json_token);
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
/* Looks at N more bytes. Returns how many of them belong to the message (with the white space before
 * it), with *complete set when its end was reached, and then the framer is ready for the next message;
 * SIZE_MAX if the bytes cannot begin or continue a message (not JSON, or deeper than JSON_MAX_DEPTH).
 * It accepts the prefix of every text that the reader accepts, and of many that the reader refuses. */
size_t json_framer_feed(struct json_framer *, const char *, size_t n, bool *complete);

/* Start with zeroes; SIZE_MAX is final. */
#define JSON_FRAMER_INIT { 0, false, false, false }

/* Writing: appends to a str. Strings must be UTF-8; what is not becomes U+FFFD. */
void json_put_string(struct str *, const char *, size_t n);
void json_put_cstr(struct str *, const char *);
void json_put_int(struct str *, int64_t);
void json_put_real(struct str *, double);      /* Shortest text that reads back equal;
                                                * null for what JSON cannot say (NaN, infinity). */

#endif

/* reader.c - the pull reader of JSON texts (RFC 8259).
 *
 * A state says what may come next; the kind of each open container is a bit in `stack`. json_next()
 * takes with each token what must precede it (a comma) or, for a member's name, follow it (the colon),
 * so that a call returns one token and a message is read once, left to right.
 *
 * A string without escapes is a pointer into the text. One with escapes is decoded into `scratch`,
 * block by block. UTF-8 is checked only where a byte above 0x7f was seen. An error keeps the position
 * and is final. */
#include <locale.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "json/json.h"
#include "json/scan.h"
#include "json/utf8.h"

enum {
    ST_TOP,                    /* The text's value. */
    ST_ARRAY_FIRST,            /* A value or ]. */
    ST_ARRAY_NEXT,             /* A comma and a value, or ]. */
    ST_OBJECT_FIRST,           /* A name or }. */
    ST_OBJECT_NEXT,            /* A comma and a name, or }. */
    ST_OBJECT_VALUE,           /* A member's value. */
    ST_DONE,                   /* Only white space. */
    ST_END,
    ST_ERROR,
};

/* The state once a value that began in this state is complete. */
static const uint8_t state_after[] = {
    [ST_TOP] = ST_DONE,
    [ST_ARRAY_FIRST] = ST_ARRAY_NEXT,
    [ST_ARRAY_NEXT] = ST_ARRAY_NEXT,
    [ST_OBJECT_VALUE] = ST_OBJECT_NEXT,
};

void
json_reader_init(struct json_reader *r, const char *text, size_t n)
{
    text = n ? text : "";
    *r = (struct json_reader) {.start = text, .p = text, .end = text + n, .at = text};
}

void
json_reader_destroy(struct json_reader *r)
{
    str_free(&r->scratch);
}

const char *
json_error(const struct json_reader *r)
{
    return r->error;
}

const char *
json_token_name(enum json_token token)
{
    static const char *const names[] = {
        [JSON_ERROR] = "an error",           [JSON_END] = "end of text",
        [JSON_OBJECT_BEGIN] = "an object",   [JSON_OBJECT_END] = "end of object",
        [JSON_ARRAY_BEGIN] = "an array",     [JSON_ARRAY_END] = "end of array",
        [JSON_KEY] = "a member",             [JSON_STRING] = "a string",
        [JSON_INTEGER] = "an integer",       [JSON_REAL] = "a real number",
        [JSON_TRUE] = "true",                [JSON_FALSE] = "false",
        [JSON_NULL] = "null",
    };
    return names[token];
}

/* ---- Errors ---- */

static enum json_token
set_error(struct json_reader *r, const char *at, const char *expected, const char *found)
{
    size_t line = 1;
    const char *bol = r->start;
    for (const char *p; (p = memchr(bol, '\n', at - bol)); bol = p + 1) {
        line++;
    }
    int n = snprintf(r->error, sizeof r->error, "line %zu, column %zu: expected %s", line,
                     (size_t) (at - bol) + 1, expected);
    if (found && n > 0 && (size_t) n < sizeof r->error) {
        snprintf(r->error + n, sizeof r->error - n, ", found %s", found);
    }
    r->p = r->at = at;
    r->state = ST_ERROR;
    return r->token = JSON_ERROR;
}

static __attribute__((cold, noinline)) enum json_token
fail(struct json_reader *r, const char *at, const char *expected)
{
    char found[16] = "end of text";
    if (at < r->end) {
        uint8_t c = *at;
        snprintf(found, sizeof found, c > ' ' && c < 0x7f ? "'%c'" : "byte 0x%02x", c);
    }
    return set_error(r, at, expected, found);
}

enum json_token
json_refuse(struct json_reader *r, const char *what)
{
    return r->state == ST_ERROR ? JSON_ERROR : set_error(r, r->at, what, json_token_name(r->token));
}

/* ---- Strings ---- */

static int
hex4(const char *p, const char *end)
{
    if (end - p < 4) {
        return -1;
    }
    int v = 0;
    for (int i = 0; i < 4; i++) {
        uint8_t c = p[i];
        int digit = c >= '0' && c <= '9'                       ? c - '0'
                    : (c | 0x20) >= 'a' && (c | 0x20) <= 'f' ? (c | 0x20) - 'a' + 10
                                                             : -1;
        if (digit < 0) {
            return -1;
        }
        v = v << 4 | digit;
    }
    return v;
}

/* Decodes the escape whose backslash is at P to OUT, of room for 4 bytes, and advances OUT. Returns what
 * follows the escape; NULL after an error. */
static const char *
read_escape(struct json_reader *r, const char *p, char **out)
{
    static const char decoded[256] = {['"'] = '"',  ['\\'] = '\\', ['/'] = '/',  ['b'] = '\b',
                                      ['f'] = '\f', ['n'] = '\n',  ['r'] = '\r', ['t'] = '\t'};
    const char *end = r->end;
    if (end - p >= 2 && decoded[(uint8_t) p[1]]) {
        *(*out)++ = decoded[(uint8_t) p[1]];
        return p + 2;
    }
    if (end - p < 2 || p[1] != 'u') {
        fail(r, MIN(p + 1, end), "an escape (one of \"\\/bfnrtu)");
        return NULL;
    }
    int code = hex4(p + 2, end);
    if (code < 0) {
        fail(r, p + 2, "four hexadecimal digits");
        return NULL;
    }
    const char *next = p + 6;
    if (code >= 0xdc00 && code <= 0xdfff) {
        fail(r, p, "a high surrogate before a low one");
        return NULL;
    }
    if (code >= 0xd800 && code <= 0xdbff) {
        int low = end - next >= 2 && next[0] == '\\' && next[1] == 'u' ? hex4(next + 2, end) : -1;
        if (low < 0xdc00 || low > 0xdfff) {
            fail(r, next, "a low surrogate after a high one");
            return NULL;
        }
        code = 0x10000 + ((code - 0xd800) << 10) + (low - 0xdc00);
        next += 6;
    }
    *out += utf8_encode(code, *out);
    return next;
}

/* Makes room for at least a block (or the tail that is less than one) after OUT. */
static inline char *
scratch_room(struct str *scratch, char *out)
{
    enum { ROOM = 2 * SCAN_STEP };
    size_t used = out - scratch->s;
    if (__builtin_expect(scratch->cap - used < ROOM, 0)) {
        scratch->len = used;
        str_reserve(scratch, MAX(used, ROOM));
        out = scratch->s + used;
    }
    return out;
}

/* Decodes the string that begins at START (after its quote), known to be plain up to P, a backslash.
 * Returns the byte that ends it: its quote, a control character or the end of the text; NULL after an
 * error. */
static __attribute__((noinline)) const char *
decode_string(struct json_reader *r, const char *start, const char *p, bool *not_ascii)
{
    struct str *scratch = &r->scratch;
    const char *end = r->end;
    scratch->len = 0;
    str_reserve(scratch, p - start + 16 * SCAN_STEP);
    memcpy(scratch->s, start, p - start);
    char *out = scratch->s + (p - start);
    scan_mask seen = 0;
    for (;;) {
        out = scratch_room(scratch, out);
        if (p < end && *p == '\\') {
            p = read_escape(r, p, &out);
            if (!p) {
                return NULL;
            }
        }
        if (end - p >= SCAN_STEP) {
            scan_mask high, special = scan_block(p, &high);
            memcpy(out, p, SCAN_STEP);
            if (!special) {
                seen |= high;
                p += SCAN_STEP;
                out += SCAN_STEP;
                continue;
            }
            seen |= high & SCAN_BELOW(special);
            p += SCAN_INDEX(special);
            out += SCAN_INDEX(special);
        } else {
            for (; p < end && !scan_is_special(*p); p++) {
                seen |= *p & 0x80;
                *out++ = *p;
            }
        }
        if (p == end || *p != '\\') {
            break;
        }
    }
    r->s.p = scratch->s;
    r->s.n = out - scratch->s;
    *not_ascii |= seen != 0;
    return p;
}

static __attribute__((cold, noinline)) const char *
string_unfinished(struct json_reader *r, const char *p)
{
    fail(r, p, p == r->end ? "'\"' at the end of a string" : "an escape for a control character");
    return NULL;
}

/* Reads the string whose quote is at P into r->s. Returns what follows it; NULL after an error. */
static inline const char *
read_string(struct json_reader *r, const char *p)
{
    const char *start = p + 1;
    bool not_ascii = false;
    p = scan_string(start, r->end, &not_ascii);
    r->s.p = start;
    r->s.n = p - start;
    if (p < r->end && *p == '\\') {
        p = decode_string(r, start, p, &not_ascii);
        if (!p) {
            return NULL;
        }
    }
    if (__builtin_expect(p == r->end || *p != '"', 0)) {
        return string_unfinished(r, p);
    }
    if (__builtin_expect(not_ascii, 0)) {
        /* In the text and not in what was decoded: escapes are ASCII and split no character. */
        const char *bad = utf8_check(start, p);
        if (bad < p) {
            fail(r, bad, "UTF-8");
            return NULL;
        }
    }
    return p + 1;
}

/* ---- Numbers ---- */

static inline bool
is_digit(const char *p, const char *end)
{
    return p < end && (uint8_t) (*p - '0') <= 9;
}

static double
text_to_double(struct str *scratch, const char *p, size_t n)
{
    /* strtod() obeys the locale; a program may have set one. */
    static locale_t c_locale;
    locale_t locale = __atomic_load_n(&c_locale, __ATOMIC_ACQUIRE);
    if (!locale) {
        locale_t mine = newlocale(LC_ALL_MASK, "C", (locale_t) 0);
        REQUIRE(mine);
        if (__atomic_compare_exchange_n(&c_locale, &locale, mine, false, __ATOMIC_ACQ_REL,
                                        __ATOMIC_ACQUIRE)) {
            locale = mine;
        } else {
            freelocale(mine);
        }
    }
    str_clear(scratch);
    str_put(scratch, p, n);
    return strtod_l(str_c(scratch), NULL, locale);
}

/* Goes on with the number that begins at START and has a fraction or an exponent at P or is too large for
 * an integer. DIGITS is its integer part, if EXACT. Returns what follows it; NULL after an error. */
static __attribute__((noinline)) const char *
read_real(struct json_reader *r, const char *start, const char *p, uint64_t digits, bool exact)
{
    static const double power_of_10[] = {1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,
                                         1e8,  1e9,  1e10, 1e11, 1e12, 1e13, 1e14, 1e15,
                                         1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22};
    const char *end = r->end;
    int64_t scale = 0;
    if (p < end && *p == '.') {
        if (!is_digit(++p, end)) {
            fail(r, p, "a digit of the fraction");
            return NULL;
        }
        for (; is_digit(p, end); p++, scale--) {
            exact = exact && !__builtin_mul_overflow(digits, 10, &digits)
                    && !__builtin_add_overflow(digits, (uint64_t) (*p - '0'), &digits);
        }
    }
    if (p < end && (*p | 0x20) == 'e') {
        p++;
        bool negative = p < end && *p == '-';
        p += p < end && (*p == '-' || *p == '+');
        if (!is_digit(p, end)) {
            fail(r, p, "a digit of the exponent");
            return NULL;
        }
        int64_t exponent = 0;
        for (; is_digit(p, end); p++) {
            exponent = MIN(exponent * 10 + (*p - '0'), 1000000);
        }
        scale += negative ? -exponent : exponent;
    }
    /* Both the digits and a small power of ten are doubles exactly, so one operation rounds once. */
    if (exact && digits <= UINT64_C(1) << 53 && scale >= -22 && scale <= 22) {
        double d = scale < 0 ? digits / power_of_10[-scale] : digits * power_of_10[scale];
        r->d = *start == '-' ? -d : d;
    } else {
        r->d = text_to_double(&r->scratch, start, p - start);
        if (!isfinite(r->d)) {
            set_error(r, start, "a number in the range of a double", NULL);
            return NULL;
        }
    }
    r->token = JSON_REAL;
    return p;
}

/* Reads the number that begins at P. Returns what follows it; NULL after an error. */
static inline const char *
read_number(struct json_reader *r, const char *p)
{
    const char *start = p, *end = r->end;
    bool negative = *p == '-', exact = true;
    p += negative;
    if (!is_digit(p, end)) {
        fail(r, p, "a digit");
        return NULL;
    }
    uint64_t v = *p++ - '0';
    if (v) {
        for (; is_digit(p, end); p++) {
            exact = exact && !__builtin_mul_overflow(v, 10, &v)
                    && !__builtin_add_overflow(v, (uint64_t) (*p - '0'), &v);
        }
    } else if (is_digit(p, end)) {
        fail(r, p, "no digit after a leading zero");
        return NULL;
    }
    if ((p < end && (*p == '.' || (*p | 0x20) == 'e')) || !exact || v > (uint64_t) INT64_MAX + negative) {
        return read_real(r, start, p, v, exact);
    }
    r->i = negative ? (int64_t) -v : (int64_t) v;
    r->token = JSON_INTEGER;
    return p;
}

/* ---- Tokens ---- */

static inline enum json_token
finish(struct json_reader *r, const char *p, enum json_token token)
{
    r->p = p;
    return r->token = token;
}

static __attribute__((cold, noinline)) enum json_token
too_deep(struct json_reader *r, const char *p)
{
    char expected[32];
    snprintf(expected, sizeof expected, "at most %d levels", JSON_MAX_DEPTH);
    return fail(r, p, expected);
}

static inline enum json_token
open_container(struct json_reader *r, const char *p, bool object)
{
    if (__builtin_expect(r->depth == JSON_MAX_DEPTH, 0)) {
        return too_deep(r, p);
    }
    uint64_t bit = UINT64_C(1) << r->depth % 64, *word = &r->stack[r->depth / 64];
    *word = object ? *word | bit : *word & ~bit;
    r->depth++;
    r->state = object ? ST_OBJECT_FIRST : ST_ARRAY_FIRST;
    return finish(r, p + 1, object ? JSON_OBJECT_BEGIN : JSON_ARRAY_BEGIN);
}

static inline enum json_token
close_container(struct json_reader *r, const char *p, enum json_token token)
{
    size_t up = --r->depth - 1;
    r->state = !r->depth ? ST_DONE : r->stack[up / 64] >> up % 64 & 1 ? ST_OBJECT_NEXT : ST_ARRAY_NEXT;
    return finish(r, p + 1, token);
}

static enum json_token
read_literal(struct json_reader *r, const char *p, const char *text, size_t n, enum json_token token)
{
    if ((size_t) (r->end - p) < n || memcmp(p, text, n)) {
        return fail(r, p, "a value");
    }
    r->state = state_after[r->state];
    return finish(r, p + n, token);
}

/* Reads the token at P (P < END), which must begin a value. */
static inline enum json_token
read_value(struct json_reader *r, const char *p)
{
    r->at = p;
    switch (*p) {
    case '"':
        p = read_string(r, p);
        if (!p) {
            return JSON_ERROR;
        }
        r->state = state_after[r->state];
        return finish(r, p, JSON_STRING);
    case '[':
        return open_container(r, p, false);
    case '{':
        return open_container(r, p, true);
    case '-': case '0': case '1': case '2': case '3': case '4':
    case '5': case '6': case '7': case '8': case '9':
        p = read_number(r, p);
        if (!p) {
            return JSON_ERROR;
        }
        r->state = state_after[r->state];
        return finish(r, p, r->token);
    case 't':
        return read_literal(r, p, "true", 4, JSON_TRUE);
    case 'f':
        return read_literal(r, p, "false", 5, JSON_FALSE);
    case 'n':
        return read_literal(r, p, "null", 4, JSON_NULL);
    }
    return fail(r, p, r->state == ST_ARRAY_FIRST ? "a value or ']'" : "a value");
}

/* Reads the member's name at P, and its colon. */
static inline enum json_token
read_key(struct json_reader *r, const char *p)
{
    r->at = p;
    if (__builtin_expect(p == r->end || *p != '"', 0)) {
        return fail(r, p, r->state == ST_OBJECT_FIRST ? "'\"' or '}'" : "'\"' of a member's name");
    }
    p = read_string(r, p);
    if (!p) {
        return JSON_ERROR;
    }
    p = scan_space(p, r->end);
    if (__builtin_expect(p == r->end || *p != ':', 0)) {
        return fail(r, p, "':' after a member's name");
    }
    r->state = ST_OBJECT_VALUE;
    return finish(r, p + 1, JSON_KEY);
}

/* The text ends, at P, where a token or the true end should be. */
static __attribute__((noinline)) enum json_token
read_end(struct json_reader *r, const char *p)
{
    static const char *const expected[] = {
        [ST_TOP] = "a value",
        [ST_ARRAY_FIRST] = "a value or ']'",
        [ST_ARRAY_NEXT] = "',' or ']'",
        [ST_OBJECT_FIRST] = "'\"' or '}'",
        [ST_OBJECT_NEXT] = "',' or '}'",
        [ST_OBJECT_VALUE] = "a value",
    };
    if (r->state == ST_DONE) {
        r->state = ST_END;
    }
    if (r->state == ST_END) {
        r->at = p;
        return finish(r, p, JSON_END);
    }
    return r->state == ST_ERROR ? JSON_ERROR : fail(r, p, expected[r->state]);
}

enum json_token
json_next(struct json_reader *r)
{
    const char *end = r->end, *p = scan_space(r->p, end);
    if (__builtin_expect(p == end, 0)) {
        return read_end(r, p);
    }
    switch (r->state) {
    case ST_ARRAY_FIRST:
        if (*p == ']') {
            r->at = p;
            return close_container(r, p, JSON_ARRAY_END);
        }
        return read_value(r, p);
    case ST_ARRAY_NEXT:
        if (*p == ']') {
            r->at = p;
            return close_container(r, p, JSON_ARRAY_END);
        }
        if (*p != ',') {
            return fail(r, p, "',' or ']'");
        }
        p = scan_space(p + 1, end);
        return p < end ? read_value(r, p) : fail(r, p, "a value");
    case ST_OBJECT_FIRST:
        if (*p == '}') {
            r->at = p;
            return close_container(r, p, JSON_OBJECT_END);
        }
        return read_key(r, p);
    case ST_OBJECT_NEXT:
        if (*p == '}') {
            r->at = p;
            return close_container(r, p, JSON_OBJECT_END);
        }
        if (*p != ',') {
            return fail(r, p, "',' or '}'");
        }
        return read_key(r, scan_space(p + 1, end));
    case ST_TOP:
    case ST_OBJECT_VALUE:
        return read_value(r, p);
    case ST_DONE:
        return fail(r, p, "nothing after the value");
    }
    return r->token;           /* An error, again. */
}

bool
json_skip(struct json_reader *r)
{
    if (r->token == JSON_KEY && json_next(r) == JSON_ERROR) {
        return false;
    }
    switch (r->token) {
    case JSON_OBJECT_BEGIN:
    case JSON_ARRAY_BEGIN:
        for (size_t depth = r->depth; r->depth >= depth;) {
            if (json_next(r) == JSON_ERROR) {
                return false;
            }
        }
        return true;
    case JSON_STRING: case JSON_INTEGER: case JSON_REAL:
    case JSON_TRUE: case JSON_FALSE: case JSON_NULL:
        return true;
    default:
        json_refuse(r, "a value");
        return false;
    }
}

bool
json_raw(struct json_reader *r, const char **p, size_t *n)
{
    if (r->token == JSON_KEY && json_next(r) == JSON_ERROR) {
        return false;
    }
    const char *start = r->at;
    if (!json_skip(r)) {
        return false;
    }
    *p = start;
    *n = r->p - start;
    return true;
}

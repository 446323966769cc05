/* Tests of the reader, the framer and the writer. Texts are copied to blocks of their exact size, so that a
 * sanitizer or valgrind sees any byte read beyond. */
#include "base/test.h"

#include <float.h>
#include <locale.h>
#include <math.h>

#include "json/json.h"
#include "json/json_copy.h"
#include "json/utf8.h"

/* ---- Reading ---- */

/* A text and what it becomes when written again, or the error. */
static void
check_n(const char *text, size_t n, const char *expected)
{
    char *exact = xmemdup(text, n);
    struct json_reader r;
    struct str out = STR_INIT;
    bool ok = json_copy(&r, exact, n, &out);
    assert_string_equal(ok ? str_c(&out) : json_error(&r), expected);
    enum json_token last = ok ? JSON_END : JSON_ERROR;
    assert_int_equal(json_next(&r), last);             /* Final. */
    assert_int_equal(r.token, last);
    json_reader_destroy(&r);
    str_free(&out);
    free(exact);
}

static void
check(const char *text, const char *expected)
{
    check_n(text, strlen(text), expected);
}

static void
same(const char *text)
{
    check(text, text);
}

static void
test_tokens(void **state)
{
    const char text[] = " { \"a\\u0062\" : [ 1 , -2.5, \"x\\ny\", true,false , null,{}, [ ] ] ,\r\n\t\"\":\"\" } ";
    static const enum json_token tokens[] = {
        JSON_OBJECT_BEGIN, JSON_KEY, JSON_ARRAY_BEGIN, JSON_INTEGER, JSON_REAL, JSON_STRING, JSON_TRUE,
        JSON_FALSE, JSON_NULL, JSON_OBJECT_BEGIN, JSON_OBJECT_END, JSON_ARRAY_BEGIN, JSON_ARRAY_END,
        JSON_ARRAY_END, JSON_KEY, JSON_STRING, JSON_OBJECT_END, JSON_END, JSON_END};
    struct json_reader r;
    json_reader_init(&r, text, sizeof text - 1);
    for (size_t i = 0; i < ARRAY_SIZE(tokens); i++) {
        assert_int_equal(json_next(&r), tokens[i]);
        switch (i) {
        case 1:
            assert_true(json_string_is(&r, "ab"));
            assert_false(json_string_is(&r, "a"));
            assert_ptr_equal(r.at, strchr(text, '"'));
            break;
        case 3:
            assert_int_equal(r.i, 1);
            assert_int_equal(r.depth, 2);
            break;
        case 4:
            assert_true(r.d == -2.5);
            break;
        case 5:
            assert_true(json_string_is(&r, "x\ny"));
            break;
        case 14: case 15:
            assert_int_equal(r.s.n, 0);
            break;
        }
    }
    assert_string_equal(json_error(&r), "");
    json_reader_destroy(&r);
}

static void
test_accepted(void **state)
{
    same("true");
    same("null");
    same("\"\"");
    same("[]");
    same("[[],{},[[]],{\"a\":{}},1]");
    same("{\"a\":[{\"b\":[true]},false],\"a\":2}");
    check(" \t\r\n[ ] \t\r\n", "[]");
    /* Strings, shorter and longer than a block of any width, with the escape at every place. */
    for (int n = 0; n < 70; n++) {
        char text[128], expected[128];
        snprintf(text, sizeof text, "[\"%*s\\/%*s\",7]", n, "", 69 - n, "");
        snprintf(expected, sizeof expected, "[\"%*s/%*s\",7]", n, "", 69 - n, "");
        check(text, expected);
    }
    check("\"\\\"\\\\\\/\\b\\f\\n\\r\\t\"", "\"\\\"\\\\/\\b\\f\\n\\r\\t\"");
    check("\"\\u0041\\u00e9\\u20AC\\uD83d\\uDe00\"", "\"A\u00e9\u20ac\U0001f600\"");
    same("\"\\u0000\\u001f\x7f\"");
    same("\"\xc2\x80\xdf\xbf\xe0\xa0\x80\xed\x9f\xbf\xee\x80\x80\xef\xbf\xbf\xf0\x90\x80\x80\xf4\x8f\xbf\xbf\"");
    same("{\"\u00e9\\\"\u00e9\":\"0123456789abcdef0123456789abcde\u00e9\"}");
}

static void
test_numbers(void **state)
{
    same("0");
    check("-0", "0");
    same("[-1,10,1234567890]");
    same("9223372036854775807");
    same("-9223372036854775808");
    check("9223372036854775808", "9.223372036854776e18");
    check("-9223372036854775809", "-9.223372036854776e18");
    check("18446744073709551616", "1.8446744073709552e19");
    check("123456789012345678901234567890", "1.2345678901234568e29");
    same("0.1");
    same("-0.0");
    same("2.5");
    check("0e5", "0");
    check("1E+2", "100");
    check("1.50e-3", "0.0015");
    check("0.000001", "1e-6");
    same("1e22");
    same("1e23");
    same("1.7976931348623157e308");
    same("2.2250738585072014e-308");
    same("5e-324");
    check("4.9e-324", "5e-324");
    check("1e-400", "0");
    check("1e-99999999999999999999", "0");
    check("3.14159265358979323846264338327950288", "3.141592653589793");
    struct json_reader r;
    json_reader_init(&r, "1.0", 3);
    assert_int_equal(json_next(&r), JSON_REAL);
    assert_true(r.d == 1);
    json_reader_destroy(&r);
    json_reader_init(&r, "12345", 3);          /* Not beyond the end. */
    assert_int_equal(json_next(&r), JSON_INTEGER);
    assert_int_equal(r.i, 123);
    json_reader_destroy(&r);
}

static void
test_errors(void **state)
{
    check("", "line 1, column 1: expected a value, found end of text");
    check(" \n ", "line 2, column 2: expected a value, found end of text");
    check("nul", "line 1, column 1: expected a value, found 'n'");
    check("nulL", "line 1, column 1: expected a value, found 'n'");
    check("[truefalse]", "line 1, column 6: expected ',' or ']', found 'f'");
    check("NaN", "line 1, column 1: expected a value, found 'N'");
    check("'a'", "line 1, column 1: expected a value, found '''");
    check("\xef\xbb\xbf[]", "line 1, column 1: expected a value, found byte 0xef");
    check("[] []", "line 1, column 4: expected nothing after the value, found '['");
    check("1 ,", "line 1, column 3: expected nothing after the value, found ','");
    check_n("1\0", 2, "line 1, column 2: expected nothing after the value, found byte 0x00");
    check("[", "line 1, column 2: expected a value or ']', found end of text");
    check("[,", "line 1, column 2: expected a value or ']', found ','");
    check("[}", "line 1, column 2: expected a value or ']', found '}'");
    check("[1", "line 1, column 3: expected ',' or ']', found end of text");
    check("[1 2", "line 1, column 4: expected ',' or ']', found '2'");
    check("[1}", "line 1, column 3: expected ',' or ']', found '}'");
    check("[1,", "line 1, column 4: expected a value, found end of text");
    check("[1,]", "line 1, column 4: expected a value, found ']'");
    check("{", "line 1, column 2: expected '\"' or '}', found end of text");
    check("{]", "line 1, column 2: expected '\"' or '}', found ']'");
    check("{a", "line 1, column 2: expected '\"' or '}', found 'a'");
    check("{\"a\"", "line 1, column 5: expected ':' after a member's name, found end of text");
    check("{\"a\",", "line 1, column 5: expected ':' after a member's name, found ','");
    check("{\"a\":", "line 1, column 6: expected a value, found end of text");
    check("{\"a\":}", "line 1, column 6: expected a value, found '}'");
    check("{\"a\":1", "line 1, column 7: expected ',' or '}', found end of text");
    check("{\"a\":1]", "line 1, column 7: expected ',' or '}', found ']'");
    check("{\"a\":1,", "line 1, column 8: expected '\"' of a member's name, found end of text");
    check("{\"a\":1,}", "line 1, column 8: expected '\"' of a member's name, found '}'");
    check("{\n\"a\":\n 01}", "line 3, column 3: expected no digit after a leading zero, found '1'");
    check("-", "line 1, column 2: expected a digit, found end of text");
    check("-a", "line 1, column 2: expected a digit, found 'a'");
    check("+1", "line 1, column 1: expected a value, found '+'");
    check(".5", "line 1, column 1: expected a value, found '.'");
    check("1.", "line 1, column 3: expected a digit of the fraction, found end of text");
    check("1.e1", "line 1, column 3: expected a digit of the fraction, found 'e'");
    check("1e", "line 1, column 3: expected a digit of the exponent, found end of text");
    check("1e+", "line 1, column 4: expected a digit of the exponent, found end of text");
    check("[1ex", "line 1, column 4: expected a digit of the exponent, found 'x'");
    check("[-1e400]", "line 1, column 2: expected a number in the range of a double");
    check("0x10", "line 1, column 2: expected nothing after the value, found 'x'");
    check("[1.5.5]", "line 1, column 5: expected ',' or ']', found '.'");
}

static void
test_string_errors(void **state)
{
    check("\"abc", "line 1, column 5: expected '\"' at the end of a string, found end of text");
    check("\"a\\nb", "line 1, column 6: expected '\"' at the end of a string, found end of text");
    check("\"a\nb\"", "line 1, column 3: expected an escape for a control character, found byte 0x0a");
    check("\"\\\"\x1f\"", "line 1, column 4: expected an escape for a control character, found byte 0x1f");
    check_n("\"\0\"", 3, "line 1, column 2: expected an escape for a control character, found byte 0x00");
    check("\"\\", "line 1, column 3: expected an escape (one of \"\\/bfnrtu), found end of text");
    check("\"\\x41\"", "line 1, column 3: expected an escape (one of \"\\/bfnrtu), found 'x'");
    check_n("\"\\\0\"", 4, "line 1, column 3: expected an escape (one of \"\\/bfnrtu), found byte 0x00");
    check("\"\\u12", "line 1, column 4: expected four hexadecimal digits, found '1'");
    check("\"\\u12g4\"", "line 1, column 4: expected four hexadecimal digits, found '1'");
    check("\"\\ud83d\"", "line 1, column 8: expected a low surrogate after a high one, found '\"'");
    check("\"\\ud83d\\u0041\"", "line 1, column 8: expected a low surrogate after a high one, found '\\'");
    check("\"\\ud83d\\ud83d\"", "line 1, column 8: expected a low surrogate after a high one, found '\\'");
    check("\"\\ud83d\\ude0", "line 1, column 8: expected a low surrogate after a high one, found '\\'");
    check("\"\\ude00\\ud83d\"", "line 1, column 2: expected a high surrogate before a low one, found '\\'");
    static const char *const bad[] = {
        "\x80", "\xbf", "\xc0\x80", "\xc1\xbf", "\xc3", "\xc3(", "\xe0\x9f\xbf", "\xe2\x82", "\xe2\x82(",
        "\xed\xa0\x80", "\xed\xbf\xbf", "\xf0\x8f\xbf\xbf", "\xf0\x9f\x98", "\xf4\x90\x80\x80",
        "\xf5\x80\x80\x80", "\xff"};
    for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
        /* Short and long, plain and after or before an escape, in a value and in a name. */
        static const char *const shapes[] = {"\"%s\"", "[\"0123456789abcdef%s0123456789abcdef\"]",
                                             "\"\\n%s\"", "\"%s\\u00bf\"", "{\"\\t0123456789abcdef%s\":1}",
                                             "[\"%s\",\"0123456789abcdef\"]",
                                             "[\"\\n%s\",\"0123456789abcdef\"]"};
        for (size_t j = 0; j < ARRAY_SIZE(shapes); j++) {
            char text[128], expected[128];
            snprintf(text, sizeof text, shapes[j], bad[i]);
            snprintf(expected, sizeof expected, "line 1, column %zu: expected UTF-8, found byte 0x%02x",
                     strcspn(text, bad[i]) + 1, (uint8_t) bad[i][0]);
            check(text, expected);
        }
    }
}

static void
test_depth(void **state)
{
    char text[2 * JSON_MAX_DEPTH + 8];
    memset(text, '[', JSON_MAX_DEPTH);
    memset(text + JSON_MAX_DEPTH, ']', JSON_MAX_DEPTH);
    text[2 * JSON_MAX_DEPTH] = '\0';
    same(text);
    memset(text, '[', JSON_MAX_DEPTH + 1);
    check(text, "line 1, column 201: expected at most 200 levels, found '['");
    /* Kinds are remembered across the words of the stack. */
    struct str s = STR_INIT, closing = STR_INIT;
    for (int i = 0; i < JSON_MAX_DEPTH - 1; i++) {
        bool object = i * 7 % 5 < 2;
        str_puts(&s, object ? "{\"k\":" : "[");
        str_putc(&closing, object ? '}' : ']');
    }
    str_puts(&s, "[]");
    for (size_t i = closing.len; i-- > 0;) {
        str_putc(&s, closing.s[i]);
    }
    same(s.s);
    str_free(&s);
    str_free(&closing);
}

static void
test_skip_raw(void **state)
{
    const char *text = "{\"a\": [1, {\"b\":[]} ] ,\"c\":\"x\\ty\",\"d\": -5 }";
    struct json_reader r;
    const char *p;
    size_t n;
    json_reader_init(&r, text, strlen(text));
    assert_int_equal(json_next(&r), JSON_OBJECT_BEGIN);
    assert_int_equal(json_next(&r), JSON_KEY);
    assert_int_equal(json_next(&r), JSON_ARRAY_BEGIN);
    assert_true(json_raw(&r, &p, &n));
    assert_int_equal(n, strlen("[1, {\"b\":[]} ]"));
    assert_memory_equal(p, "[1, {\"b\":[]} ]", n);
    assert_int_equal(r.token, JSON_ARRAY_END);
    assert_int_equal(json_next(&r), JSON_KEY);
    assert_int_equal(json_next(&r), JSON_STRING);
    assert_true(json_raw(&r, &p, &n));
    assert_int_equal(n, 6);
    assert_memory_equal(p, "\"x\\ty\"", n);
    assert_int_equal(json_next(&r), JSON_KEY);
    assert_true(json_skip(&r));                        /* The member. */
    assert_int_equal(r.i, -5);
    assert_int_equal(json_next(&r), JSON_OBJECT_END);
    assert_false(json_skip(&r));
    assert_string_equal(json_error(&r), "line 1, column 42: expected a value, found end of object");
    assert_int_equal(json_next(&r), JSON_ERROR);
    json_reader_destroy(&r);

    json_reader_init(&r, text, strlen(text));
    json_next(&r);
    assert_true(json_skip(&r));
    assert_int_equal(json_next(&r), JSON_END);
    json_reader_destroy(&r);

    json_reader_init(&r, "[[1,2]", 6);
    json_next(&r);
    assert_false(json_skip(&r));
    assert_false(json_skip(&r));
    assert_string_equal(json_error(&r), "line 1, column 7: expected ',' or ']', found end of text");
    json_reader_destroy(&r);

    json_reader_init(&r, "[1,\n{}]", 7);
    json_next(&r);
    json_next(&r);
    json_next(&r);
    assert_int_equal(json_refuse(&r, "a UUID"), JSON_ERROR);
    assert_int_equal(json_refuse(&r, "another"), JSON_ERROR);
    assert_string_equal(json_error(&r), "line 2, column 1: expected a UUID, found an object");
    json_reader_destroy(&r);
}

/* ---- Framing ---- */

enum { REFUSED = -1, UNFINISHED = -2 };

/* Where the first message ends, when the stream comes in three pieces cut at I and J. */
static long
frame(const char *text, size_t n, size_t i, size_t j)
{
    struct json_framer f = JSON_FRAMER_INIT;
    size_t cuts[] = {0, i, j, n};
    for (int k = 0; k < 3; k++) {
        bool complete;
        size_t size = cuts[k + 1] - cuts[k];
        char *piece = xmemdup(text + cuts[k], size);
        size_t used = json_framer_feed(&f, piece, size, &complete);
        free(piece);
        if (used == SIZE_MAX) {
            return REFUSED;
        }
        if (complete) {
            assert_true(used <= size && !f.started && !f.depth);
            return cuts[k] + used;
        }
        assert_int_equal(used, size);
    }
    return UNFINISHED;
}

static void
check_frame(const char *text, long expected)
{
    size_t n = strlen(text);
    for (size_t i = 0; i <= n; i++) {
        for (size_t j = i; j <= n; j++) {
            long end = frame(text, n, i, j);
            if (end != expected) {
                fail_msg("%s cut at %zu and %zu: %ld, not %ld", text, i, j, end, expected);
            }
        }
    }
}

static void
test_framer(void **state)
{
    check_frame("", UNFINISHED);
    check_frame(" \r\n\t", UNFINISHED);
    check_frame("[]", 2);
    check_frame(" \n{} []", 4);
    check_frame("{\"a\":1}{\"b\":2}", 7);
    check_frame("[\"]\"]]", 5);
    check_frame("[\"\\\"]\"] ", 7);
    check_frame("[\"\\\\\"]\"]", 6);
    check_frame("[\"\\\\\\\"]\"]", 9);
    check_frame("[\"abc", UNFINISHED);
    check_frame("[[[]]", UNFINISHED);
    check_frame("1", REFUSED);
    check_frame("  x[]", REFUSED);
    check_frame("]", REFUSED);
    check_frame("\"a\"", REFUSED);
    check_frame("[\\\"]", REFUSED);
    /* Longer than some blocks; quotes, brackets and runs of backslashes around their borders. */
    for (int shift = 0; shift < 5; shift++) {
        struct str s = STR_INIT;
        str_printf(&s, "%*s{\"0123456789abcdef0123456789abcdef0123456789abcd]]}}\\\\\\\\\\\"[[{\":[[\"%*s\\\\\",", shift, "",
                   60, "}\\\"]");
        str_puts(&s, "{\"k\":[\"\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\"],\"l\":{}}]]}");
        long end = s.len;
        str_puts(&s, "  {\"}\":[]}");
        check_frame(s.s, end);
        s.s[end - 1] = ' ';
        check_frame(s.s, UNFINISHED);
        str_free(&s);
    }
}

static void
test_framer_depth(void **state)
{
    char text[2 * JSON_MAX_DEPTH + 3];
    for (int extra = 0; extra < 2; extra++) {
        size_t n = JSON_MAX_DEPTH + extra;
        memset(text, '[', n);
        memset(text + n, ']', n);
        for (size_t i = 0; i <= 2 * n; i++) {
            assert_int_equal(frame(text, 2 * n, i, MIN(i + 70, 2 * n)), extra ? REFUSED : (long) (2 * n));
        }
    }
}

/* Many messages in a stream, in pieces of all sizes. */
static void
test_framer_stream(void **state)
{
    struct str s = STR_INIT;
    for (int i = 0; i < 60; i++) {
        str_printf(&s, "{\"id\":%d,\"result\":[%*s\"%*s\\\"]\"]}%s", i, i % 7, "", i, "\\\\", i % 3 ? "" : "\n");
    }
    for (size_t step = 1; step < 300; step++) {
        struct json_framer f = JSON_FRAMER_INIT;
        int n_messages = 0;
        for (size_t i = 0; i < s.len;) {
            bool complete;
            size_t used = json_framer_feed(&f, s.s + i, MIN(step, s.len - i), &complete);
            assert_true(used <= step);
            i += used;
            if (complete) {
                assert_int_equal(s.s[i - 1], '}');
                n_messages++;
            }
        }
        assert_int_equal(n_messages, 60);
        assert_false(f.in_string);
    }
    str_free(&s);
}

/* ---- Writing ---- */

static void
check_string(const char *text, size_t n, const char *expected)
{
    struct str s = STR_INIT;
    char *exact = xmemdup(text, n);
    json_put_string(&s, exact, n);
    assert_string_equal(s.s, expected);
    free(exact);
    str_free(&s);
}

static void
test_put_string(void **state)
{
    check_string("", 0, "\"\"");
    check_string("a\"b\\c/d", 7, "\"a\\\"b\\\\c/d\"");
    check_string("\0\1\b\t\n\f\r\x1f\x7f", 9, "\"\\u0000\\u0001\\b\\t\\n\\f\\r\\u001f\x7f\"");
    check_string("\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80", 9, "\"\u00e9\u20ac\U0001f600\"");
    check_string("a\xff" "b", 3, "\"a\ufffd" "b\"");
    check_string("\xc0\x80", 2, "\"\ufffd\ufffd\"");
    check_string("\xe2\x82", 2, "\"\ufffd\"");             /* A character's beginning is one. */
    check_string("\xe2\x82\n\xac", 4, "\"\ufffd\\n\ufffd\"");
    check_string("\xed\xa0\x80", 3, "\"\ufffd\ufffd\ufffd\"");
    check_string("\xf0\x9f\x98\xf0\x9f\x98\x80", 7, "\"\ufffd\U0001f600\"");
    struct str s = STR_INIT;
    json_put_cstr(&s, "0123456789abcdef0123456789abcdef");
    json_put_cstr(&s, "x");
    assert_string_equal(s.s, "\"0123456789abcdef0123456789abcdef\"\"x\"");
    str_free(&s);
}

static void
check_real(double d, const char *expected)
{
    struct str s = STR_INIT;
    json_put_real(&s, d);
    assert_string_equal(s.s, expected);
    str_free(&s);
}

static void
test_put_numbers(void **state)
{
    struct str s = STR_INIT;
    json_put_int(&s, 0);
    str_putc(&s, ' ');
    json_put_int(&s, INT64_MAX);
    str_putc(&s, ' ');
    json_put_int(&s, INT64_MIN);
    assert_string_equal(s.s, "0 9223372036854775807 -9223372036854775808");
    str_free(&s);
    check_real(0, "0");
    check_real(-0.0, "-0.0");
    check_real(1, "1");
    check_real(-1234567, "-1234567");
    check_real(0.1, "0.1");
    check_real(0.1 + 0.2, "0.30000000000000004");
    check_real(1.0 / 3, "0.3333333333333333");
    check_real(1e15, "1e15");
    check_real(9007199254740993.0, "9007199254740992");
    check_real(1e300, "1e300");
    check_real(DBL_MAX, "1.7976931348623157e308");
    check_real(DBL_MIN, "2.2250738585072014e-308");
    check_real(DBL_TRUE_MIN, "5e-324");
    check_real(NAN, "null");
    check_real(-INFINITY, "null");
}

/* The locale's decimal point is nobody's business; skipped where no such locale is installed. */
static void
test_locale(void **state)
{
    static const char *const names[] = {"de_DE.UTF-8", "fr_FR.UTF-8", "de_DE", "nl_NL.UTF-8"};
    for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
        if (setlocale(LC_NUMERIC, names[i])) {
            same("[3.14159265358979,1.2345e-10]");
            setlocale(LC_NUMERIC, "C");
            return;
        }
    }
    skip();
}

/* ---- Random round trips ---- */

static uint64_t random_state = 88172645463325252;

static uint64_t
random_u64(void)
{
    random_state ^= random_state << 13;
    random_state ^= random_state >> 7;
    return random_state ^= random_state << 17;
}

static void
put_random_string(struct str *s)
{
    char text[4 * 80];
    size_t n = 0;
    for (int left = random_u64() % 80; left > 0; left--) {
        switch (random_u64() % 12) {
        case 0:
            text[n++] = random_u64() % 0x80;
            break;
        case 1: {
            uint32_t code = random_u64() % 0x110000;
            n += utf8_encode(code >= 0xd800 && code <= 0xdfff ? 0xfffd : code, text + n);
            break;
        }
        case 2:
            text[n++] = "\"\\[]{}"[random_u64() % 6];
            break;
        default:
            text[n++] = 'a' + random_u64() % 26;
        }
    }
    json_put_string(s, text, n);
}

static void
put_random_value(struct str *s, int depth)
{
    int kind = random_u64() % (depth ? 9 : 6);
    switch (kind) {
    case 0:
        json_put_int(s, (int64_t) random_u64() >> random_u64() % 64);
        break;
    case 1: {
        uint64_t bits = random_u64();
        double d;
        memcpy(&d, &bits, 8);
        json_put_real(s, d);
        break;
    }
    case 2:
        json_put_real(s, (int64_t) (random_u64() % 2000001 - 1000000) / 1000.0);
        break;
    case 3:
        str_puts(s, (const char *[]) {"true", "false", "null"}[random_u64() % 3]);
        break;
    case 4: case 5:
        put_random_string(s);
        break;
    default:
        str_putc(s, kind == 6 ? '{' : '[');
        for (int i = random_u64() % 6; i > 0; i--) {
            if (kind == 6) {
                put_random_string(s);
                str_putc(s, ':');
            }
            put_random_value(s, depth - 1);
            if (i > 1) {
                str_putc(s, ',');
            }
        }
        str_putc(s, kind == 6 ? '}' : ']');
    }
}

static void
test_random(void **state)
{
    for (int i = 0; i < 5000; i++) {
        struct str s = STR_INIT;
        put_random_value(&s, i % 8);
        check_n(s.s, s.len, s.s);
        if (*s.s == '[' || *s.s == '{') {
            size_t a = random_u64() % s.len, b = a + random_u64() % (s.len - a);
            assert_int_equal(frame(s.s, s.len, a, b), s.len);
            assert_int_equal(frame(s.s, s.len - 1, MIN(a, s.len - 1), s.len - 1), UNFINISHED);
        }
        str_free(&s);
    }
}

/* Doubles keep every bit. */
static void
test_random_reals(void **state)
{
    struct str s = STR_INIT;
    for (int i = 0; i < 20000; i++) {
        uint64_t bits = random_u64() >> (i % 4 ? 0 : 12), read;
        double d;
        memcpy(&d, &bits, 8);
        if (!isfinite(d)) {
            continue;
        }
        str_clear(&s);
        json_put_real(&s, d);
        struct json_reader r;
        json_reader_init(&r, s.s, s.len);
        double got = json_next(&r) == JSON_INTEGER ? (double) r.i : r.d;
        memcpy(&read, &got, 8);
        if (bits != read) {
            fail_msg("%a became %s, which reads as %a", d, s.s, got);
        }
        json_reader_destroy(&r);
    }
    str_free(&s);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_tokens),        cmocka_unit_test(test_accepted),
        cmocka_unit_test(test_numbers),       cmocka_unit_test(test_errors),
        cmocka_unit_test(test_string_errors), cmocka_unit_test(test_depth),
        cmocka_unit_test(test_skip_raw),      cmocka_unit_test(test_framer),
        cmocka_unit_test(test_framer_depth),  cmocka_unit_test(test_framer_stream),
        cmocka_unit_test(test_put_string),    cmocka_unit_test(test_put_numbers),
        cmocka_unit_test(test_locale),        cmocka_unit_test(test_random),
        cmocka_unit_test(test_random_reals),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

#include "logical/lex.h"

#include <arpa/inet.h>
#include <stdio.h>

static bool
is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static int
hex_digit(char c)
{
    return is_digit(c) ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

static bool
is_id_start(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || c == '.';
}

static bool
is_id_char(char c)
{
    return is_id_start(c) || is_digit(c);
}

size_t
lex_id_length(const char *s)
{
    size_t n = 0;
    if (is_id_start(*s)) {
        while (is_id_char(s[n])) {
            n++;
        }
    }
    return n;
}

static void
fail(struct lexer *l, size_t at, const char *message)
{
    l->token.type = LEX_ERROR;
    l->token.s = message;
    l->token.n = strlen(message);
    l->token.start = at;
    l->pos = l->token.end = at;        /* It stays there: the next token is the same error. */
}

/* Skips white space and comments. False if a comment does not end. */
static bool
skip_space(struct lexer *l)
{
    for (;;) {
        const char *s = l->text + l->pos;
        if (*s == ' ' || *s == '\t' || *s == '\n' || *s == '\r' || *s == '\v' || *s == '\f') {
            l->pos++;
        } else if (s[0] == '/' && s[1] == '/') {
            l->pos += strcspn(s, "\n");
        } else if (s[0] == '/' && s[1] == '*') {
            size_t n = 2;
            while (s[n] && s[n] != '\n' && !(s[n] == '*' && s[n + 1] == '/')) {
                n++;
            }
            if (s[n] != '*') {
                fail(l, l->pos, "this comment does not end on its line");
                return false;
            }
            l->pos += n + 2;
        } else {
            return true;
        }
    }
}

/* Numbers and addresses. */

/* "hh:hh:hh:hh:hh:hh" with one or two digits a group. Its length, or 0. */
static size_t
scan_mac(const char *s, size_t n, union of_value *v)
{
    size_t i = 0;
    memset(v, 0, sizeof *v);
    for (int group = 0; group < 6; group++) {
        if (group && (i >= n || s[i++] != ':')) {
            return 0;
        }
        int d = i < n ? hex_digit(s[i]) : -1;
        if (d < 0) {
            return 0;
        }
        i++;
        int d2 = i < n ? hex_digit(s[i]) : -1;
        if (d2 >= 0) {
            i++;
            d = d * 16 + d2;
        }
        v->b[10 + group] = d;
    }
    return i == n ? i : 0;
}

static size_t
scan_ipv6(const char *s, size_t n, union of_value *v)
{
    char text[INET6_ADDRSTRLEN];
    if (n >= sizeof text || n < 2) {
        return 0;
    }
    memcpy(text, s, n);
    text[n] = '\0';
    return inet_pton(AF_INET6, text, v->b) == 1 ? n : 0;
}

/* A dotted quad at the beginning of S. Its length, or 0. */
static size_t
scan_ipv4(const char *s, union of_value *v)
{
    size_t i = 0;
    memset(v, 0, sizeof *v);
    for (int octet = 0; octet < 4; octet++) {
        if (octet && s[i++] != '.') {
            return 0;
        }
        int x = 0, digits = 0;
        while (is_digit(s[i]) && digits < 4) {
            x = x * 10 + s[i++] - '0';
            digits++;
        }
        if (!digits || digits > 3 || x > 255) {
            return 0;
        }
        v->b[12 + octet] = x;
    }
    return s[i] == '.' || is_id_char(s[i]) ? 0 : i;
}

/* One constant at S. Its length; 0 and *MESSAGE (NULL: it is no constant at all). */
static size_t
scan_constant(const char *s, union of_value *v, enum lex_format *format, const char **message)
{
    *message = NULL;
    size_t run = 0;
    bool colon = false;
    while (run < 64 && (hex_digit(s[run]) >= 0 || s[run] == ':' || s[run] == '.')) {
        colon |= s[run++] == ':';
    }
    if (colon) {
        size_t n = scan_mac(s, run, v);
        if (n) {
            *format = LEX_MAC;
            return n;
        }
        n = scan_ipv6(s, run, v);
        if (n) {
            *format = LEX_IPV6;
            return n;
        }
    }
    if (!is_digit(*s)) {
        return 0;
    }
    size_t n = scan_ipv4(s, v);
    if (n) {
        *format = LEX_IPV4;
        return n;
    }
    memset(v, 0, sizeof *v);
    if (s[0] == '0' && (s[1] == 'x' || s[1] == 'X')) {
        *format = LEX_HEX;
        size_t i = 2;
        while (s[i] == '0') {
            i++;
        }
        size_t first = i;
        while (hex_digit(s[i]) >= 0) {
            i++;
        }
        if (i == 2) {
            *message = "hexadecimal digits expected after 0x";
            return 0;
        }
        if (i - first > 32) {
            *message = "this number has more than 128 bits";
            return 0;
        }
        for (size_t k = first; k < i; k++) {
            unsigned nibble = i - 1 - k;
            v->b[15 - nibble / 2] |= hex_digit(s[k]) << (nibble % 2 * 4);
        }
        n = i;
    } else {
        *format = LEX_DECIMAL;
        uint64_t x = 0;
        for (; is_digit(s[n]); n++) {
            if (x > (UINT64_MAX - (s[n] - '0')) / 10) {
                *message = "a decimal number has at most 64 bits; use 0x";
                return 0;
            }
            x = x * 10 + (s[n] - '0');
        }
        for (int i = 0; i < 8; i++) {
            v->b[15 - i] = x >> (8 * i);
        }
    }
    /* "0..3" is a number and an ellipsis; "1a", "1.5" and the like are nothing. */
    if ((s[n] == '.' && s[n + 1] != '.') || (is_id_char(s[n]) && s[n] != '.')) {
        *message = "this is not a number, an IP address or an Ethernet address";
        return 0;
    }
    return n;
}

static void
set_prefix(union of_value *mask, unsigned width, unsigned len)
{
    memset(mask, 0, sizeof *mask);
    for (unsigned i = 0; i < len; i++) {
        unsigned bit = width - 1 - i;
        mask->b[15 - bit / 8] |= 1 << bit % 8;
    }
}

/* True if there is a constant at the current position, or a wrong one (then the token is an error). */
static bool
lex_constant(struct lexer *l)
{
    struct token *t = &l->token;
    const char *message;
    size_t n = scan_constant(l->text + l->pos, &t->value, &t->format, &message);
    if (!n) {
        if (message) {
            fail(l, l->pos, message);
        }
        return message != NULL;
    }
    t->type = LEX_INTEGER;
    size_t after = l->pos + n;
    const char *s = l->text + after;
    if (*s == '/' && s[1] != '/' && s[1] != '*') {
        enum lex_format mask_format = LEX_DECIMAL;
        size_t m = scan_constant(s + 1, &t->mask, &mask_format, &message);
        unsigned width = t->format == LEX_IPV4 ? 32 : t->format == LEX_IPV6 ? 128 : 0;
        if (!m) {
            fail(l, after + 1, message ? message : "a mask is expected after `/'");
            return true;
        }
        if (width && mask_format == LEX_DECIMAL) {
            uint64_t len = of_value_low(&t->mask);
            if (len > width) {
                fail(l, after + 1, "this prefix is longer than the address");
                return true;
            }
            set_prefix(&t->mask, width, len);
        } else if (mask_format != t->format && !(t->format <= LEX_HEX && mask_format <= LEX_HEX)) {
            fail(l, after + 1, "a mask has the same form as the constant before it");
            return true;
        }
        t->value = of_value_and(&t->value, &t->mask);  /* "10.0.0.1/24" is written for 10.0.0.0/24, and taken so by others. */
        t->type = LEX_MASKED;
        t->format = MAX(t->format, mask_format == LEX_HEX ? LEX_HEX : LEX_DECIMAL);
        after += 1 + m;
    }
    l->pos = t->end = after;
    return true;
}

/* Strings. */

static size_t
put_utf8(char *p, unsigned c)
{
    if (c < 0x80) {
        p[0] = c;
        return 1;
    } else if (c < 0x800) {
        p[0] = 0xc0 | c >> 6;
        p[1] = 0x80 | (c & 0x3f);
        return 2;
    } else if (c < 0x10000) {
        p[0] = 0xe0 | c >> 12;
        p[1] = 0x80 | (c >> 6 & 0x3f);
        p[2] = 0x80 | (c & 0x3f);
        return 3;
    }
    p[0] = 0xf0 | c >> 18;
    p[1] = 0x80 | (c >> 12 & 0x3f);
    p[2] = 0x80 | (c >> 6 & 0x3f);
    p[3] = 0x80 | (c & 0x3f);
    return 4;
}

static int
hex4(const char *s)
{
    int x = 0;
    for (int i = 0; i < 4; i++) {
        int d = hex_digit(s[i]);
        if (d < 0) {
            return -1;
        }
        x = x * 16 + d;
    }
    return x;
}

/* The escape after a backslash at S. Writes to *OUT; the length of it in the text, or 0 if it is wrong. */
static size_t
unescape(const char *s, char **out)
{
    static const char from[] = "\"\\/bfnrt", to[] = "\"\\/\b\f\n\r\t";
    const char *p = *s ? strchr(from, *s) : NULL;
    if (p) {
        *(*out)++ = to[p - from];
        return 1;
    }
    int c = *s == 'u' ? hex4(s + 1) : -1;
    size_t n = 5;
    if (c >= 0xd800 && c < 0xdc00) {
        int low = s[5] == '\\' && s[6] == 'u' ? hex4(s + 7) : -1;
        if (low < 0xdc00 || low > 0xdfff) {
            return 0;
        }
        c = 0x10000 + ((c - 0xd800) << 10) + (low - 0xdc00);
        n = 11;
    }
    if (c <= 0 || (c >= 0xdc00 && c < 0xe000)) {
        return 0;                      /* A NUL cannot be in a name. */
    }
    *out += put_utf8(*out, c);
    return n;
}

static void
lex_string(struct lexer *l)
{
    const char *s = l->text + l->pos + 1;
    size_t n = strcspn(s, "\"\\");
    struct token *t = &l->token;
    t->type = LEX_STRING;
    if (s[n] != '"') {
        /* There are escapes: find the end to know how much room is needed at most. */
        while (s[n] && s[n] != '"') {
            n += s[n] == '\\' && s[n + 1] ? 2 : 1;
        }
    }
    if (s[n] != '"') {
        fail(l, l->pos, "this string does not end");
        return;
    }
    char *buffer = arena_alloc(l->arena, n + 1), *out = buffer;
    for (size_t i = 0; i < n;) {
        if ((unsigned char) s[i] < 0x20) {
            fail(l, l->pos + 1 + i, "a control character must be escaped in a string");
            return;
        } else if (s[i] != '\\') {
            *out++ = s[i++];
        } else {
            size_t used = unescape(s + i + 1, &out);
            if (!used || i + 1 + used > n) {
                fail(l, l->pos + 1 + i, "this escape is not one of JSON's");
                return;
            }
            i += 1 + used;
        }
    }
    *out = '\0';
    t->s = buffer;
    t->n = out - buffer;
    l->pos = t->end = l->pos + n + 2;
}

/* Operators. */

static enum lex_type
operator_at(const char *s, size_t *n)
{
    static const struct {
        char text[4];
        enum lex_type type;
    } ops[] = {                        /* Longer ones before their beginnings. */
        { "<->", LEX_EXCHANGE }, { "==", LEX_EQ }, { "!=", LEX_NE }, { "<=", LEX_LE }, { ">=", LEX_GE },
        { "&&", LEX_AND }, { "||", LEX_OR }, { "..", LEX_ELLIPSIS }, { "--", LEX_DECREMENT },
        { "<", LEX_LT }, { ">", LEX_GT }, { "!", LEX_NOT }, { "=", LEX_EQUALS }, { "(", LEX_LPAREN }, { ")", LEX_RPAREN },
        { "[", LEX_LSQUARE }, { "]", LEX_RSQUARE }, { "{", LEX_LCURLY }, { "}", LEX_RCURLY }, { ",", LEX_COMMA },
        { ";", LEX_SEMICOLON }, { ":", LEX_COLON },
    };
    for (size_t i = 0; i < ARRAY_SIZE(ops); i++) {
        size_t len = strlen(ops[i].text);
        if (!strncmp(s, ops[i].text, len)) {
            *n = len;
            return ops[i].type;
        }
    }
    *n = 0;
    return LEX_ERROR;
}

void
lexer_next(struct lexer *l)
{
    struct token *t = &l->token;
    if (!skip_space(l)) {
        return;
    }
    const char *s = l->text + l->pos;
    t->start = l->pos;
    if (!*s) {
        t->type = LEX_END;
        t->end = l->pos;
    } else if (*s == '"') {
        lex_string(l);
    } else if ((is_digit(*s) || hex_digit(*s) >= 0 || *s == ':') && lex_constant(l)) {
        return;
    } else if (is_id_start(*s) && !(s[0] == '.' && s[1] == '.')) {
        t->type = LEX_ID;
        t->s = s;
        t->n = lex_id_length(s);
        l->pos = t->end = l->pos + t->n;
    } else if (*s == '$' || *s == '@' || *s == '^') {
        t->n = lex_id_length(s + 1);
        if (!t->n) {
            fail(l, l->pos, "a name is expected here");
            return;
        }
        t->type = *s == '$' ? LEX_ADDRESS_SET : *s == '@' ? LEX_PORT_GROUP : LEX_TEMPLATE;
        t->s = s + 1;
        l->pos = t->end = l->pos + t->n + 1;
    } else {
        size_t n;
        t->type = operator_at(s, &n);
        if (t->type == LEX_ERROR) {
            fail(l, l->pos, "this character has no meaning here");
            return;
        }
        l->pos = t->end = l->pos + n;
    }
}

void
lexer_init(struct lexer *l, const char *text, struct arena *arena)
{
    l->text = text;
    l->pos = 0;
    l->arena = arena;
    l->token.s = NULL;
    l->token.n = 0;
    lexer_next(l);
}

const char *
token_describe(const struct lexer *l)
{
    const struct token *t = &l->token;
    if (t->type == LEX_END) {
        return "the end";
    } else if (t->type == LEX_ERROR) {
        return t->s;
    }
    size_t n = MIN(t->end - t->start, 60);
    char *p = arena_alloc(l->arena, n + 3);
    p[0] = '`';
    memcpy(p + 1, l->text + t->start, n);
    memcpy(p + 1 + n, "'", 2);
    return p;
}

char *
lexer_message(const struct lexer *l, size_t at, const char *fmt, ...)
{
    struct str s = STR_INIT;
    str_printf(&s, "column %zu: ", at + 1);
    va_list args;
    va_start(args, fmt);
    str_vprintf(&s, fmt, args);
    va_end(args);
    return str_steal(&s);
}

/* Formatting. */

void
lex_format_string(struct str *out, const char *s)
{
    str_putc(out, '"');
    for (; *s; s++) {
        static const char from[] = "\"\\\b\f\n\r\t", to[] = "\"\\bfnrt";
        const char *p = strchr(from, *s);
        if (p) {
            str_putc(out, '\\');
            str_putc(out, to[p - from]);
        } else if ((unsigned char) *s < 0x20) {
            str_printf(out, "\\u%04x", *s);
        } else {
            str_putc(out, *s);
        }
    }
    str_putc(out, '"');
}

static void
format_value(struct str *out, enum lex_format format, const union of_value *v)
{
    char text[INET6_ADDRSTRLEN];
    const uint8_t *b = v->b;
    switch (format) {
    case LEX_MAC:
        str_printf(out, "%02x:%02x:%02x:%02x:%02x:%02x", b[10], b[11], b[12], b[13], b[14], b[15]);
        return;
    case LEX_IPV4:
        str_printf(out, "%d.%d.%d.%d", b[12], b[13], b[14], b[15]);
        return;
    case LEX_IPV6:
        str_puts(out, inet_ntop(AF_INET6, b, text, sizeof text));
        return;
    case LEX_DECIMAL:
        str_printf(out, "%llu", (unsigned long long) of_value_low(v));
        return;
    case LEX_HEX:
        break;
    }
    int i = 0;
    while (i < 15 && !b[i]) {
        i++;
    }
    str_printf(out, "0x%x", b[i]);
    while (++i < 16) {
        str_printf(out, "%02x", b[i]);
    }
}

void
lex_format_constant(struct str *out, enum lex_format format, const union of_value *value, const union of_value *mask)
{
    format_value(out, format, value);
    if (!mask) {
        return;
    }
    str_putc(out, '/');
    unsigned width = format == LEX_IPV4 ? 32 : format == LEX_IPV6 ? 128 : 0;
    for (unsigned len = 0; width && len <= width; len++) {
        union of_value prefix;
        set_prefix(&prefix, width, len);
        if (!of_value_compare(&prefix, mask)) {
            str_printf(out, "%u", len);
            return;
        }
    }
    format_value(out, format, mask);
}

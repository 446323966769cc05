#include "base/str.h"

#include <stdio.h>
#include <stdlib.h>

void
str_free(struct str *s)
{
    free(s->s);
    *s = (struct str) STR_INIT;
}

void
str_clear(struct str *s)
{
    str_truncate(s, 0);
}

void
str_truncate(struct str *s, size_t len)
{
    REQUIRE(len <= s->len);
    s->len = len;
    if (s->s) {
        s->s[len] = '\0';
    }
}

void
str_reserve(struct str *s, size_t extra)
{
    s->s = xgrow(s->s, &s->cap, s->len + extra + 1, 1);
}

char *
str_c(struct str *s)
{
    if (!s->s) {
        str_reserve(s, 0);
        s->s[0] = '\0';
    }
    return s->s;
}

char *
str_steal(struct str *s)
{
    char *text = str_c(s);
    *s = (struct str) STR_INIT;
    return text;
}

void
str_put(struct str *s, const void *data, size_t n)
{
    if (s->len + n >= s->cap) {
        str_reserve(s, n);
    }
    if (n) {
        memcpy(s->s + s->len, data, n);
    }
    s->len += n;
    s->s[s->len] = '\0';
}

void
str_join(struct str *s, struct str *tail)
{
    if (tail->len <= s->len) {
        str_put(s, str_c(tail), tail->len);
    } else {
        str_reserve(tail, s->len);
        memmove(tail->s + s->len, tail->s, tail->len + 1);
        if (s->len) {
            memcpy(tail->s, s->s, s->len);
        }
        tail->len += s->len;
        struct str whole = *tail;
        *tail = *s;
        *s = whole;
    }
    str_free(tail);
}

void
str_puts(struct str *s, const char *text)
{
    str_put(s, text, strlen(text));
}

void
str_printf(struct str *s, const char *fmt, ...)
{
    va_list args;

    va_start(args, fmt);
    str_vprintf(s, fmt, args);
    va_end(args);
}

void
str_vprintf(struct str *s, const char *fmt, va_list args)
{
    va_list again;

    va_copy(again, args);
    str_reserve(s, 64);
    int n = vsnprintf(s->s + s->len, s->cap - s->len, fmt, args);
    REQUIRE(n >= 0);
    if ((size_t) n >= s->cap - s->len) {
        str_reserve(s, n);
        vsnprintf(s->s + s->len, s->cap - s->len, fmt, again);
    }
    va_end(again);
    s->len += n;
}

#include "base/util.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <ctype.h>

static const char *prog_name = "ovn";

static noreturn void
out_of_memory(void)
{
    fputs("out of memory\n", stderr);
    abort();
}

void *
xmalloc(size_t size)
{
    void *p = malloc(size ? size : 1);
    if (!p) {
        out_of_memory();
    }
    return p;
}

void *
xcalloc(size_t n, size_t size)
{
    void *p = n && size ? calloc(n, size) : calloc(1, 1);
    if (!p) {
        out_of_memory();
    }
    return p;
}

void *
xrealloc(void *p, size_t size)
{
    p = realloc(p, size ? size : 1);
    if (!p) {
        out_of_memory();
    }
    return p;
}

void *
xmemdup(const void *p, size_t size)
{
    void *copy = xmalloc(size);
    if (size) {
        memcpy(copy, p, size);
    }
    return copy;
}

char *
xstrdup(const char *s)
{
    return xmemdup(s, strlen(s) + 1);
}

char *
xstrndup(const char *s, size_t n)
{
    n = strnlen(s, n);
    char *copy = xmalloc(n + 1);
    memcpy(copy, s, n);
    copy[n] = '\0';
    return copy;
}

char *
xasprintf(const char *fmt, ...)
{
    va_list args;
    char *s;

    va_start(args, fmt);
    if (vasprintf(&s, fmt, args) < 0) {
        out_of_memory();
    }
    va_end(args);
    return s;
}

void *
xgrow(void *p, size_t *cap, size_t need, size_t size)
{
    if (need <= *cap) {
        return p;
    }
    size_t n = *cap ? *cap : 4;
    while (n < need) {
        n += n / 2 + 1;
    }
    if (n > SIZE_MAX / size) {
        out_of_memory();
    }
    *cap = n;
    return xrealloc(p, n * size);
}

void
panic(const char *fmt, ...)
{
    va_list args;

    fprintf(stderr, "%s: ", prog_name);
    va_start(args, fmt);
    vfprintf(stderr, fmt, args);
    va_end(args);
    fputc('\n', stderr);
    abort();
}

void
program_set_name(const char *argv0)
{
    const char *slash = strrchr(argv0, '/');
    prog_name = slash ? slash + 1 : argv0;
}

const char *
program_name(void)
{
    return prog_name;
}

const char *
ovn_version(void)
{
    return OVN_VERSION;
}

bool
str_to_int(const char *s, int64_t min, int64_t max, int64_t *value)
{
    char *end;

    if (!*s || isspace((unsigned char) *s)) {
        return false;
    }
    const char *digits = *s == '-' || *s == '+' ? s + 1 : s;
    int base = digits[0] == '0' && (digits[1] == 'x' || digits[1] == 'X') ? 16 : 10;
    errno = 0;
    long long v = strtoll(s, &end, base);
    if (errno || *end || v < min || v > max) {
        return false;
    }
    *value = v;
    return true;
}

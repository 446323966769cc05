/* str.h - a growing text buffer, always NUL-terminated when `s` is not NULL.
 *
 *     struct str s = STR_INIT;
 *     str_printf(&s, "%d ports", n);
 *     puts(str_c(&s));
 *     str_free(&s);
 */
#ifndef BASE_STR_H
#define BASE_STR_H 1

#include <stdarg.h>
#include "base/util.h"

struct str {
    char *s;       /* NULL until something was added. */
    size_t len;    /* Without the NUL. */
    size_t cap;
};
#define STR_INIT { NULL, 0, 0 }

void str_free(struct str *);
void str_clear(struct str *);                           /* Empties it, keeps the memory. */
void str_reserve(struct str *, size_t extra);           /* Room for EXTRA more bytes and the NUL. */
char *str_c(struct str *);                              /* The text; "" when empty. Owned by the str. */
char *str_steal(struct str *);                          /* The text, owned by the caller; empties it. */
void str_put(struct str *, const void *data, size_t n);
void str_join(struct str *, struct str *tail);         /* Appends TAIL and empties it; of two long buffers, one stays. */
void str_puts(struct str *, const char *);
void str_truncate(struct str *, size_t len);
void str_printf(struct str *, const char *fmt, ...) PRINTF_LIKE(2, 3);
void str_vprintf(struct str *, const char *fmt, va_list) PRINTF_LIKE(2, 0);

static inline void
str_putc(struct str *s, char c)
{
    if (s->len + 2 > s->cap) {
        str_reserve(s, 1);
    }
    s->s[s->len++] = c;
    s->s[s->len] = '\0';
}

#endif

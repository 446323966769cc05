/* utf8.h - UTF-8 (RFC 3629), strict: no overlong forms, no surrogates, nothing above U+10FFFF. */
#ifndef JSON_UTF8_H
#define JSON_UTF8_H 1

#include "base/util.h"

/* The length of the character at P (P < END): positive if it is valid. If it is not, the negated length
 * of what a single U+FFFD should stand for (the longest beginning of a character, else one byte). */
int utf8_next(const char *p, const char *end);
/* The first byte in [P, END) where no valid character begins; END if all is well. */
const char *utf8_check(const char *p, const char *end);
/* Writes CODE, a valid scalar value, to OUT. Returns its length, 1 to 4. */
size_t utf8_encode(uint32_t code, char out[4]);

#endif

/* lex.h - tokens of the logical language: ovn-sb(5), Logical_Flow, "match" and "actions", which share them.
 *
 * A constant is a decimal number (up to 64 bits), a hexadecimal one (0x, up to 128), an IPv4 or IPv6 address or an Ethernet address; "/" and a mask of the same form, or
 * for addresses a prefix length, may follow it without space (bits that the mask leaves out are ignored). Identifiers are letters, digits, "_" and "."; they begin with none of the digits. Strings are those of
 * JSON. Comments are // to the end of the line and / * ... * / within a line. */
#ifndef LOGICAL_LEX_H
#define LOGICAL_LEX_H 1

#include "base/str.h"
#include "logical/arena.h"
#include "openflow/field.h"

enum lex_type {
    LEX_END, LEX_ERROR, LEX_ID, LEX_STRING, LEX_INTEGER, LEX_MASKED,
    LEX_ADDRESS_SET,                   /* $name */
    LEX_PORT_GROUP,                    /* @name */
    LEX_TEMPLATE,                      /* ^name */
    LEX_LPAREN, LEX_RPAREN, LEX_LSQUARE, LEX_RSQUARE, LEX_LCURLY, LEX_RCURLY,
    LEX_EQ, LEX_NE, LEX_LT, LEX_LE, LEX_GT, LEX_GE, LEX_NOT, LEX_AND, LEX_OR,
    LEX_ELLIPSIS, LEX_COMMA, LEX_SEMICOLON, LEX_EQUALS, LEX_EXCHANGE, LEX_DECREMENT, LEX_COLON,
};
enum lex_format { LEX_DECIMAL, LEX_HEX, LEX_IPV4, LEX_IPV6, LEX_MAC };

struct token {
    enum lex_type type;
    enum lex_format format;            /* Constants. */
    size_t start, end;                 /* Offsets in the text. */
    const char *s;                     /* Identifiers and names (in the text, not terminated), strings (unescaped, terminated), the message of an error. */
    size_t n;
    union of_value value, mask;        /* Constants; mask is set for LEX_MASKED. */
};

struct lexer {
    const char *text;
    size_t pos;
    struct token token;                /* The current one. */
    struct arena *arena;               /* Where unescaped strings and messages go. */
};

void lexer_init(struct lexer *, const char *text, struct arena *);     /* And gets the first token. */
void lexer_next(struct lexer *);
/* What the token is, for people: "end of input", "`foo'". Static or in the arena. */
const char *token_describe(const struct lexer *);
/* A message: "column 5: MESSAGE", the caller owns it. */
char *lexer_message(const struct lexer *, size_t at, const char *fmt, ...) PRINTF_LIKE(3, 4);

static inline bool
lexer_match(struct lexer *l, enum lex_type type)
{
    if (l->token.type == type) {
        lexer_next(l);
        return true;
    }
    return false;
}

static inline bool
token_is(const struct token *t, const char *id)
{
    return t->type == LEX_ID && t->n == strlen(id) && !memcmp(t->s, id, t->n);
}

/* The length of the identifier at the beginning of S. */
size_t lex_id_length(const char *s);
void lex_format_string(struct str *, const char *s);
/* MASK NULL: not masked. */
void lex_format_constant(struct str *, enum lex_format, const union of_value *value, const union of_value *mask);

#endif

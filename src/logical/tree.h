/* tree.h - the inside of a parsed expression; for the files expr*.c and the actions' parsers only.
 *
 * A tree has no "not": the parser pushes it down to the comparisons (a prerequisite stays positive: "!(tcp.src == 80)" is about TCP packets). Prerequisites and
 * expansions are not in the tree; resolving and evaluating take them from the symbols. All nodes, constants and names live in the expression's arena. */
#ifndef LOGICAL_TREE_H
#define LOGICAL_TREE_H 1

#include "logical/arena.h"
#include "logical/expr.h"
#include "logical/lex.h"

/* A field, or some bits of it, as written. */
struct field {
    const struct symbol *symbol;
    struct of_subfield sf;
};

enum constant_type { CONSTANT_INTEGER, CONSTANT_STRING, CONSTANT_ADDRESS_SET, CONSTANT_PORT_GROUP };
struct constant {
    enum constant_type type;
    enum lex_format format;
    bool masked;
    union of_value value, mask;        /* Integers; mask is all ones of the field if not masked. */
    const char *s;                     /* The others. */
};

enum node_type { NODE_BOOL, NODE_AND, NODE_OR, NODE_COMPARE, NODE_PREDICATE, NODE_RESIDENT, NODE_REF };
enum compare_op { OP_EQ, OP_NE, OP_LT, OP_LE, OP_GT, OP_GE };

struct node {
    struct node *next;                 /* The next child of the same parent. */
    enum node_type type;
    uint32_t at;                       /* Where it began in the text. */
    union {
        bool value;                    /* NODE_BOOL */
        struct node *children;         /* NODE_AND, NODE_OR: two or more, none of the parent's type. */
        const struct expr *ref;        /* NODE_REF: another expression, which lives longer. */
        struct {                       /* NODE_PREDICATE */
            const struct symbol *symbol;
            bool negated;
        } predicate;
        struct {                       /* NODE_RESIDENT */
            const char *port;
            bool negated;
        } resident;
        struct {                       /* NODE_COMPARE: one constant, or a set with OP_EQ and OP_NE. */
            struct field field;
            enum compare_op op;
            bool is_set;
            uint32_t n;
            struct constant *constants;
        } compare;
    };
};

struct expr {
    unsigned refs;
    struct arena arena;                /* It is in there itself. */
    struct node *root;
};

/* Fields are parsed alike in matches and actions. */
char *field_parse(struct lexer *, struct field *) MUST_USE;
void field_format(const struct field *, struct str *);
/* Is it written "name" or "name[N]" and one bit wide. */
bool field_is_whole(const struct field *);
/* Checks the current token, an integer constant, against a field's width, and takes it. */
char *constant_parse(struct lexer *, const struct field *, struct constant *) MUST_USE;
void constant_format(const struct constant *, struct str *);

/* 128-bit numbers. */
typedef unsigned __int128 u128;
static inline u128
u128_from(const union of_value *v)
{
    return (u128) __builtin_bswap64(v->be64[0]) << 64 | __builtin_bswap64(v->be64[1]);
}
static inline union of_value
u128_to(u128 x)
{
    return (union of_value) { .be64 = { __builtin_bswap64(x >> 64), __builtin_bswap64(x) } };
}
static inline u128
u128_ones(unsigned n)
{
    return n >= 128 ? ~(u128) 0 : ((u128) 1 << n) - 1;
}

/* An expression made of others, each of which must outlive it: their conjunction. NULL for none; of one: that one, referenced. */
struct expr *expr_all_of(const struct expr *const *, size_t n);

#endif

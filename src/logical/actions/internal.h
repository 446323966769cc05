/* internal.h - what the families of actions share; for action.c and actions/ only.
 *
 * An action is one entry of its family's table: a name and how it is parsed, formatted, encoded and traced. Two kinds share a name space each: statements ("next;", "clone {...};") and
 * functions with a result ("R = lookup_fdb(P, A);"). Parsers leave the first error in the parser and return false. */
#ifndef LOGICAL_ACTIONS_INTERNAL_H
#define LOGICAL_ACTIONS_INTERNAL_H 1

#include "logical/action.h"
#include "logical/opcode.h"
#include "logical/tree.h"
#include "openflow/action.h"

enum { ACTION_MAX_ARGS = 3 };
/* Of results: any number. */
enum { ACTION_NUMBER = 254 };

struct action;
struct trace_at;

struct action_parser {
    struct lexer lex;
    struct arena *arena;
    char *error;
    unsigned depth;                    /* Of braces. */
    bool other_packet;                 /* Within arp {} and the like: fields are those of another packet, and require nothing of this one. */
    bool in_ct_commit;                 /* ct_mark and ct_label may be assigned. */
    const struct expr **prereqs;
    size_t n_prereqs, cap_prereqs;
};

struct action_encoder {
    const struct action_env *env;
    struct str *out;
    char *error;
    bool other_packet;                 /* As in struct action_parser: its output port is not fixed. */
    const struct action *list;         /* All actions of the flow. */
};

struct action_class {
    const char *name;
    /* For calls NAME(ARGS) with fields for arguments: a letter each: P a port, I 32 bits, X 128 bits, E 48 bits. They are parsed and formatted by the frame
     * and PARSE and FORMAT are NULL. */
    const char *args;
    const char *prereq;                /* A predicate, or NULL. */
    bool (*parse)(struct action_parser *, struct action *);    /* After the name. NULL without args: nothing follows it. */
    void (*format)(const struct action *, struct str *);       /* All but ";". NULL without args: just the name. */
    void (*encode)(const struct action *, struct action_encoder *);
    bool (*trace)(const struct action *, struct trace_at *);   /* False: the packet goes no further (actions/trace.h). */
    unsigned param;                    /* The class' own: an opcode, a bit, the offset of a table in struct action_env. */
    uint8_t result_bits;               /* Functions: the width of the result; 0: a port; ACTION_NUMBER. */
};

struct action {
    struct action *next;
    const struct action_class *class;
    struct field dst;                  /* Of functions and assignments. */
    struct field args[ACTION_MAX_ARGS];
    struct action *nested;
    uint32_t number;                   /* What the class makes of it. */
    void *data;                        /* As well; in the arena. */
};

/* The families. */
struct action_family {
    const struct action_class *classes;
    size_t n;
    bool functions;
};
extern const struct action_family action_family_basic, action_family_lookup, action_family_lookup_result, action_family_ct, action_family_ct_result,
    action_family_group, action_family_group_result, action_family_learn, action_family_nd_ra_result, action_family_observe, action_family_options_result,
    action_family_punt, action_family_punt_result;
bool action_list_reenters(const struct action *);      /* Sends a packet back to the ingress pipeline: actions/basic.c. */
extern const struct action_class action_drop;          /* Only the last of a list: action.c, actions/basic.c. */
/* Assignments have no name: actions/assign.c. */
extern const struct action_class action_assign_constant, action_assign_string, action_assign_field, action_exchange, action_decrement, action_assign_ovn;

/* Parsing. */
bool action_fail(struct action_parser *, char *message);       /* Takes MESSAGE; returns false. */
bool action_expected(struct action_parser *, const char *what);
bool action_match(struct action_parser *, enum lex_type, const char *what);
bool action_parse_field(struct action_parser *, struct field *);               /* And requires its prerequisites. */
bool action_parse_writable(struct action_parser *, struct field *);
bool action_parse_number(struct action_parser *, uint32_t min, uint32_t max, uint32_t *);
/* "NAME =": WHAT is expected. */
bool action_parse_key(struct action_parser *, struct token *key, const char *what);
bool action_parse_string(struct action_parser *, const char **);
/* A constant or a string, or several in braces. */
bool action_parse_values(struct action_parser *, bool *is_set, struct constant **, uint32_t *n);
bool action_parse_nested(struct action_parser *, struct action *);     /* "{ action; ... }" */
void action_require(struct action_parser *, const struct expr *);              /* NULL: nothing. */
bool action_parse_assignment(struct action_parser *, struct action *);
const struct action_class *action_find(const char *name, size_t n, bool function);

/* Formatting. */
void action_format(const struct action *, struct str *);               /* "a" */
void action_list_format(const struct action *, struct str *);          /* "a; b;" */
void action_format_nested(const struct action *, struct str *);        /* "name { a; b; }" */
void action_format_values(bool is_set, const struct constant *, uint32_t n, struct str *);

/* Encoding. */
void action_list_encode(const struct action *, struct action_encoder *);
void action_encode_fail(struct action_encoder *, const char *fmt, ...) PRINTF_LIKE(2, 3);
/* The OpenFlow table of logical table LTABLE, or of the one after the current (false: there is none, an error is left). */
bool action_table(struct action_encoder *, enum logical_pipeline, unsigned ltable, uint8_t *table);
bool action_next_table(struct action_encoder *, uint8_t *table);
/* Puts the values of fields into registers (or fields) TO for a lookup or the controller, what was there on the stack; and back. */
struct action_setup {
    size_t n;
    struct of_subfield from[ACTION_MAX_ARGS], to[ACTION_MAX_ARGS];
};
void action_setup_add(struct action_setup *, struct of_subfield from, struct of_subfield to);
void action_setup_begin(const struct action_setup *, struct str *);
void action_setup_end(const struct action_setup *, struct str *);
/* To the controller: header and N more bytes. */
void action_put_punt(struct action_encoder *, enum opcode, const void *data, size_t n, bool pause);
/* The same limited by the meter of that name (NULL, or not there: as all others). */
void action_put_metered(struct action_encoder *, const char *meter, enum opcode, const void *data, size_t n);
/* Where the controller leaves its answer. False (and an error is left): it is no register. */
bool action_result(const struct action *, struct action_encoder *, struct opcode_result *);
/* Domain names with commas between them, as in DNS (RFC 1035, 3.1), without compression. */
bool action_put_domains(const char *, struct str *out);

/* Connection tracking: which zone, and the beginning of a ct action. */
enum action_zone { ZONE_DEFAULT, ZONE_DNAT, ZONE_SNAT };
size_t action_begin_ct(struct str *out, const struct action_encoder *, enum action_zone, bool commit, uint8_t table);

static inline struct of_subfield
whole(enum of_field f)
{
    return (struct of_subfield) { f, 0, of_field_info(f)->n_bits };
}

static inline struct of_subfield
flag_bit(unsigned bit)
{
    return (struct of_subfield) { LOGICAL_FLAGS, bit, 1 };
}

#endif

/* debug.h - the parts of ovn-debug(8): stages.c (stages and tables), language.c (expressions and actions), names.c (what names in them mean). */
#ifndef CLI_DEBUG_DEBUG_H
#define CLI_DEBUG_DEBUG_H 1

#include "cli/common/fatal.h"
#include "cli/detrace/source.h"
#include "logical/action.h"

/* What the options say. */
struct debug_options {
    const char *db;                    /* The southbound database; NULL: names are only those of the options. */
    const char *datapath;              /* By name or UUID; NULL: not said. */
    const char *stage;                 /* Where actions are; NULL: at the beginning of the ingress pipeline of a switch. */
    bool leader_only;
    enum expr_conjunctions conjunctions;
    const char **ports, **address_sets, **port_groups, **residents;    /* NAME=VALUE, and NAME; ended by NULL. */
};

struct debug_command {
    const char *name, *arguments;
    int min_args, max_args;
    const char *help;
    int (*run)(const struct debug_options *, const char *const argv[]);        /* Returns the exit status. */
};
extern const struct debug_command stage_commands[], language_commands[];       /* Ended by one without a name. */

/* The stage of that name; false: there is none. */
struct debug_stage {
    const char *name;
    bool is_switch, egress;
    uint8_t table;
};
const struct debug_stage *stage_find(const char *name);        /* NULL: there is none. */
const struct debug_stage *stage_must_find(const char *name);   /* Else it ends the program, with what may have been meant. */

/* names.c: answers for expr_resolve() and actions_encode(). */
struct names {
    const struct debug_options *options;
    struct source sb;                  /* If options->db. */
    struct uuid datapath;
    int64_t datapath_key;              /* 0: any. */
    char **unknown;                    /* What was asked for and is not there. */
    size_t n_unknown, cap_unknown;
    struct expr_constant *constants;   /* What the last answers point to. */
    struct expr_constants constant_set;
    size_t cap_constants;
    uint32_t *keys;
    struct expr_keys key_set;
    size_t cap_keys;
    struct str groups;                 /* OpenFlow groups that actions want, as lines. */
    uint32_t n_groups, n_meters;
};
void names_init(struct names *, const struct debug_options *);
/* Says what was unknown. */
void names_destroy(struct names *);
struct expr_env names_expr_env(struct names *);
void names_action_env(struct names *, struct action_env *);

#endif

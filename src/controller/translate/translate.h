/* translate.h - between the files of translate/: from southbound logical flows to OpenFlow flows.
 *
 *   lflow.c    one unit a logical flow: for which datapaths, with which tables
 *   address_set.c  flows that differ by an address of a set
 *   parsed.c   parsed matches and actions, shared by text
 *   resolve.c  what names mean here: ports, groups, address sets, template variables */
#ifndef CONTROLLER_TRANSLATE_TRANSLATE_H
#define CONTROLLER_TRANSLATE_TRANSLATE_H 1

#include "controller/controller.h"
#include "logical/action.h"
#include "logical/expr.h"

/* ---- parsed.c ---- */

/* What became of a text. */
struct parsed {
    const char *text;                  /* Interned, referenced. NULL: the place is free. */
    struct expr *expr;                 /* Of a match. */
    struct actions *actions;           /* Of a column "actions". */
    char *error;                       /* Or what is wrong with it. */
    bool warned;                       /* Somebody was told. */
};
struct parsed_cache;
struct parsed_cache *parsed_cache_create(void);
void parsed_cache_destroy(struct parsed_cache *);
/* TEXT is interned. The answer is good until the next call of the same function. */
struct parsed *parsed_match(struct parsed_cache *, const char *text);
struct parsed *parsed_actions(struct parsed_cache *, const char *text);

/* ---- resolve.c ---- */

/* Who has a conjunction id: the same in all datapaths, as every flow matches metadata; so a tag that comes or goes changes none. */
struct conj_owner {
    struct uuid lflow;
    uint32_t i;
    uint32_t of_group;                 /* Not of the row's own datapath. */
};

struct translate {
    struct parsed_cache *parsed;
    struct ovsdb_index *address_set_by_name, *port_group_by_name, *template_var_by_chassis;
    struct incr_numbers *conj_ids;     /* Owner: struct conj_owner. */
    struct incr_relation *template;    /* As address_set.c says, and those below. */
    struct incr_relation *template_set;/* key the name of an address set that there are templates for; no value. */
    struct incr_relation *aset, *aset_bucket, *part;
};

/* ---- lflow.c ---- */

/* Where a match becomes a flow. */
struct flow_place {
    uint64_t metadata, metadata_mask;
    uint32_t cookie;
    uint16_t priority;
    uint8_t table;
};
/* Says the flow of M, whose match gets the metadata: with its conjunction actions if it has any, else with ACTIONS. */
void flow_place_emit(struct controller *, struct incr_unit *, struct expr_match *m, const struct flow_place *, const void *actions, size_t actions_len);

/* ---- address_set.c ---- */

void address_set_create(struct controller *);          /* The relations... */
void address_set_create_classes(struct controller *);  /* ... and, after lflow, the classes. */
/* The flows of T, with each address of its set. */
void address_template_emit(struct controller *, struct incr_unit *, const struct expr_template *, const struct flow_place *, const struct str *actions);

/* The callbacks of struct expr_env and struct action_env; their aux. */
struct resolver {
    struct controller *c;
    struct dep_reader *by;
    struct sb_datapath_binding *dp;    /* Where names are looked up; NULL: in a set of datapaths, where only what is the same in all has a meaning. */
    uint32_t dp_key;
    bool differs;                      /* A name has not one meaning in the whole set. */
    /* What the last answers point to. */
    struct expr_constant *constants;
    struct expr_constants constant_set;
    size_t cap_constants;
    uint32_t *keys;
    struct expr_keys key_set;
    size_t cap_keys;
};
void resolver_destroy(struct resolver *);
/* TEXT (interned) with this chassis' values for the template variables in it (^NAME); what has no value stays. Interned; the caller has a reference. */
const char *resolver_expand(struct resolver *, const char *text);
struct expr_env resolver_env(struct resolver *);
bool resolver_lookup_port(void *resolver, const char *name, uint32_t *key);
bool resolver_is_chassis_resident(void *resolver, const char *name);
bool resolver_datapath_key(void *resolver, uint32_t *key);

#endif

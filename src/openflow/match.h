/* match.h - a flow's match: the conjunction of (field & mask) == value terms. */
#ifndef OPENFLOW_MATCH_H
#define OPENFLOW_MATCH_H 1

#include "base/str.h"
#include "openflow/field.h"

struct of_term {
    enum of_field field;
    union of_value value, mask;        /* value & ~mask == 0; mask != 0. */
};
/* Sorted by field; one term a field. A plain value: copy with of_match_clone(), free with of_match_destroy(). */
struct of_match {
    struct of_term *terms;
    size_t n, cap;
};
#define OF_MATCH_INIT { NULL, 0, 0 }

void of_match_destroy(struct of_match *);
void of_match_clear(struct of_match *);
struct of_match of_match_clone(const struct of_match *);
bool of_match_equal(const struct of_match *, const struct of_match *);

/* Adds a term, ANDed with what is there. A wide register becomes terms of reg0..reg15, so of_match_get() finds those only. False if the two contradict (nothing matches then; M is unchanged). */
bool of_match_add(struct of_match *, enum of_field, const union of_value *value, const union of_value *mask) MUST_USE;
bool of_match_add_bits(struct of_match *, struct of_subfield, const union of_value *value /* right-aligned in the subfield */) MUST_USE;
bool of_match_add_u64(struct of_match *, enum of_field, uint64_t value) MUST_USE;
/* The term for a field, or NULL. */
const struct of_term *of_match_get(const struct of_match *, enum of_field);

/* Appends the OXM TLVs (no ofp_match header or padding), prerequisites first, always the same for the same match. */
void of_match_put_oxm(const struct of_match *, struct str *);
/* The reverse, for what a switch tells. A message (caller owns) or NULL. Unknown fields are refused. */
char *of_match_parse_oxm(const void *, size_t n, struct of_match *) MUST_USE;
/* As ovs-ofctl shows it: "metadata=0x1,dl_dst=...". */
void of_match_format(const struct of_match *, struct str *);

#endif

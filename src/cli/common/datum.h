/* datum.h - the content of a column as a command handles it: a set of atoms, or a map.
 *
 * Independent of any replica: texts and UUIDs by value, all memory in an arena. A column with one value is a set of one element.
 * Elements are sorted (integers, reals by value, texts by strcmp, UUIDs) and unique. A datum is never changed: operations make a new one.
 *
 * Written as ovn-nbctl(8), "Database Values": [a, "b c"] {k=v} 5 [] (parse.c reads it, datum.c writes it). */
#ifndef CLI_COMMON_DATUM_H
#define CLI_COMMON_DATUM_H 1

#include "cli/common/arena.h"
#include "ovsdb/types.h"

union datum_atom {
    int64_t i;
    double d;
    bool b;
    const char *s;
    struct uuid u;
};
struct datum {
    size_t n;
    union datum_atom *k, *v;           /* V only for maps. */
};

enum datum_style { DATUM_STRING, DATUM_BARE, DATUM_JSON };

int datum_atom_compare(const union datum_atom *, const union datum_atom *, enum ovsdb_type);
/* As in the order of "find": more elements is larger, then the elements, then (maps) the values. */
int datum_compare(const struct datum *, const struct datum *, const struct ovsdb_column_desc *);
/* The index of KEY, or SIZE_MAX. */
size_t datum_find(const struct datum *, const union datum_atom *key, enum ovsdb_type);
/* Whether every element of A (of a map: key and value) is in B. */
bool datum_is_subset(const struct datum *a, const struct datum *b, const struct ovsdb_column_desc *);
/* What is in A and not in B (maps: the same key with another value is not in B). */
struct datum datum_minus(struct arena *, const struct datum *a, const struct datum *b, const struct ovsdb_column_desc *);
/* What is in A, and of B what A has not (maps: by key, A wins). */
struct datum datum_union(struct arena *, const struct datum *a, const struct datum *b, const struct ovsdb_column_desc *);
/* A without the elements whose keys KEYS has. */
struct datum datum_without_keys(struct arena *, const struct datum *a, const struct datum *keys, const struct ovsdb_column_desc *);
/* Sorts what is in D in place. False: an element (key) is there twice. */
bool datum_sort(struct datum *, enum ovsdb_type key);

/* What a new row has: nothing, or the column's zero, false, "". */
struct datum datum_default(struct arena *, const struct ovsdb_column_desc *);
struct datum datum_of_str(struct arena *, const char *);
struct datum datum_of_strs(struct arena *, size_t n, const char *const[]);     /* Any order, duplicates dropped. */
struct datum datum_of_int(struct arena *, int64_t);
struct datum datum_of_bool(struct arena *, bool);
struct datum datum_of_uuid(struct arena *, const struct uuid *);

void datum_put_atom(struct str *, const union datum_atom *, enum ovsdb_type, enum datum_style);
void datum_put(struct str *, const struct datum *, const struct ovsdb_column_desc *, enum datum_style);

/* ---- parse.c ---- */

/* "@name" stands for a row made or found elsewhere on the command line. Returns a message (in the arena) or NULL. */
typedef const char *datum_symbol_cb(void *aux, const char *name, struct uuid *);
struct datum_parser {
    struct arena *arena;
    datum_symbol_cb *symbol;
    void *aux;
};
/* Reads all of TEXT as a value of COLUMN. ANY_COUNT: as many elements as there are (an operand of a set operator). Constraints of the column
 * (ranges, enumerations) are checked too. A message (in the arena) or NULL. */
const char *datum_parse(const struct datum_parser *, const struct ovsdb_column_desc *, const char *text, bool any_count, struct datum *) MUST_USE;
/* Reads one atom; *end is what follows it. A message (in the arena) or NULL. */
const char *datum_parse_atom(const struct datum_parser *, const struct ovsdb_base_desc *, const char *text, const char **end,
                             union datum_atom *) MUST_USE;
/* All of TEXT is one atom: in quotes, or as it stands, whatever it has in it. A message (in the arena) or NULL. */
const char *datum_parse_whole_atom(const struct datum_parser *, const struct ovsdb_base_desc *, const char *text, union datum_atom *) MUST_USE;
/* Reads a word: a quoted text or characters other than white space and :=,[]{}!<>. *end is what follows. A message or NULL. */
const char *datum_parse_word(struct arena *, const char *text, const char **end, const char **word) MUST_USE;

#endif

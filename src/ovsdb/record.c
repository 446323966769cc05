/* record.c - rows to be written, and the canonical form of contents.
 *
 * A record has, for each column that is set, an array of elements (one atom; in a map two), added in any order
 * and brought into the canonical order (types.h) when somebody looks. Arrays and the memory of texts are kept
 * when a record is reset, so that filling one a hundred thousand times allocates nothing.
 *
 * A digest is XXH3-128 of a binary form: for each column, by index, that is not at its default, its index, the number
 * of elements, and the atoms: numbers and booleans as 8 bytes, texts with their length before them, UUIDs as 16 bytes.
 * Rows and records are written by the same functions, so that one content has one digest. It is good
 * within a process (the order of bytes is the machine's). */
#include "ovsdb/rows.h"

#include <stdlib.h>

union record_atom {
    int64_t i;
    double d;
    struct { const char *p; size_t n; } s;     /* In the record's memory. */
    struct uuid u;
};

struct record_cell {
    union record_atom *a;
    size_t n, cap;                     /* Elements; atoms. */
    bool sorted;                       /* In order, no key twice. */
};

struct chunk {
    struct chunk *next;
    size_t cap;
    char text[];
};

struct ovsdb_record {
    const struct ovsdb_table_desc *table;
    uint64_t columns;
    struct chunk *chunks;              /* The first is being filled. */
    size_t used, total;                /* Of the first chunk; of all. */
    struct ovsdb_sink sink;            /* Reading JSON: into... */
    struct record_cell *reading;
    struct record_cell cells[];
};

struct ovsdb_record *
ovsdb_record_create(const struct ovsdb_table_desc *table)
{
    struct ovsdb_record *r = xcalloc(1, sizeof *r + table->n_columns * sizeof r->cells[0]);
    r->table = table;
    return r;
}

static void
free_chunks(struct ovsdb_record *r)
{
    while (r->chunks) {
        struct chunk *c = r->chunks;
        r->chunks = c->next;
        free(c);
    }
    r->used = 0;
}

void
ovsdb_record_destroy(struct ovsdb_record *r)
{
    if (r) {
        for (size_t i = 0; i < r->table->n_columns; i++) {
            free(r->cells[i].a);
        }
        free_chunks(r);
        free(r);
    }
}

static void
add_chunk(struct ovsdb_record *r, size_t cap)
{
    struct chunk *c = xmalloc(sizeof *c + cap);
    *c = (struct chunk) { .next = r->chunks, .cap = cap };
    r->chunks = c;
    r->used = 0;
}

void
ovsdb_record_reset(struct ovsdb_record *r)
{
    r->columns = 0;
    r->used = 0;
    if (r->chunks && r->chunks->next) {        /* One that holds as much as all together. */
        size_t total = 0;
        for (const struct chunk *c = r->chunks; c; c = c->next) {
            total += c->cap;
        }
        free_chunks(r);
        add_chunk(r, total);
    }
}

const struct ovsdb_table_desc *
ovsdb_record_table(const struct ovsdb_record *r)
{
    return r->table;
}

uint64_t
ovsdb_record_columns(const struct ovsdb_record *r)
{
    return r->columns;
}

/* ---- filling ---- */

static union record_atom
text_atom(struct ovsdb_record *r, const char *s, size_t n)
{
    if (!r->chunks || r->chunks->cap - r->used < n) {
        add_chunk(r, MAX(n, r->chunks ? r->chunks->cap * 2 : 512));
    }
    char *p = r->chunks->text + r->used;
    memcpy(p, s, n);
    r->used += n;
    return (union record_atom) { .s = { p, n } };
}

/* The cell of COLUMN, of TYPE, emptied. */
static struct record_cell *
cell_start(struct ovsdb_record *r, uint16_t column)
{
    struct record_cell *cell = &r->cells[column];

    REQUIRE(column < r->table->n_columns);
    r->columns |= OVSDB_COLUMN(column);
    cell->n = 0;
    cell->sorted = true;
    return cell;
}

static void
cell_push(struct record_cell *cell, size_t at, union record_atom a)
{
    if (at >= cell->cap) {
        GROW(cell->a, cell->cap, at + 1);
    }
    cell->a[at] = a;
}

/* COLUMN becomes the one value A. */
static void
set_one(struct ovsdb_record *r, uint16_t column, enum ovsdb_type type, union record_atom a)
{
    struct record_cell *cell = cell_start(r, column);
    const struct ovsdb_column_desc *c = &r->table->columns[column];

    REQUIRE((c->shape == OVSDB_ONE || c->shape == OVSDB_OPT) && c->key.type == type);
    cell_push(cell, 0, a);
    cell->n = 1;
}

/* COLUMN also has A. */
static void
set_add(struct ovsdb_record *r, uint16_t column, enum ovsdb_type type, union record_atom a)
{
    const struct ovsdb_column_desc *c = &r->table->columns[column];

    REQUIRE(column < r->table->n_columns && (c->shape == OVSDB_SET || c->shape == OVSDB_OPT) && c->key.type == type);
    struct record_cell *cell = &r->cells[column];
    if (!(r->columns & OVSDB_COLUMN(column)) || c->shape == OVSDB_OPT) {
        cell_start(r, column);
    }
    cell_push(cell, cell->n++, a);
    cell->sorted = cell->n == 1;
}

void
ovsdb_record_int(struct ovsdb_record *r, uint16_t column, int64_t i)
{
    set_one(r, column, OVSDB_INTEGER, (union record_atom) { .i = i });
}

void
ovsdb_record_real(struct ovsdb_record *r, uint16_t column, double d)
{
    set_one(r, column, OVSDB_REAL, (union record_atom) { .d = d + 0.0 });
}

void
ovsdb_record_bool(struct ovsdb_record *r, uint16_t column, bool b)
{
    set_one(r, column, OVSDB_BOOLEAN, (union record_atom) { .i = b });
}

void
ovsdb_record_str(struct ovsdb_record *r, uint16_t column, const char *s)
{
    set_one(r, column, OVSDB_STRING, text_atom(r, s, strlen(s)));
}

void
ovsdb_record_uuid(struct ovsdb_record *r, uint16_t column, const struct uuid *u)
{
    set_one(r, column, OVSDB_UUID, (union record_atom) { .u = *u });
}

void
ovsdb_record_empty(struct ovsdb_record *r, uint16_t column)
{
    cell_start(r, column);
    REQUIRE(r->table->columns[column].shape != OVSDB_ONE);
}

void
ovsdb_record_add_int(struct ovsdb_record *r, uint16_t column, int64_t i)
{
    set_add(r, column, OVSDB_INTEGER, (union record_atom) { .i = i });
}

void
ovsdb_record_add_str(struct ovsdb_record *r, uint16_t column, const char *s)
{
    set_add(r, column, OVSDB_STRING, text_atom(r, s, strlen(s)));
}

void
ovsdb_record_add_uuid(struct ovsdb_record *r, uint16_t column, const struct uuid *u)
{
    set_add(r, column, OVSDB_UUID, (union record_atom) { .u = *u });
}

static void
map_add(struct ovsdb_record *r, uint16_t column, const char *key, enum ovsdb_type type, union record_atom value)
{
    const struct ovsdb_column_desc *c = &r->table->columns[column];

    REQUIRE(column < r->table->n_columns && c->shape == OVSDB_MAP);
    REQUIRE(c->key.type == OVSDB_STRING && c->value.type == type);
    struct record_cell *cell = &r->cells[column];
    if (!(r->columns & OVSDB_COLUMN(column))) {
        cell_start(r, column);
    }
    cell_push(cell, cell->n * 2, text_atom(r, key, strlen(key)));
    cell_push(cell, cell->n * 2 + 1, value);
    cell->n++;
    cell->sorted = cell->n == 1;
}

void
ovsdb_record_map(struct ovsdb_record *r, uint16_t column, const char *key, const char *value)
{
    map_add(r, column, key, OVSDB_STRING, text_atom(r, value, strlen(value)));
}

void
ovsdb_record_map_uuid(struct ovsdb_record *r, uint16_t column, const char *key, const struct uuid *value)
{
    map_add(r, column, key, OVSDB_UUID, (union record_atom) { .u = *value });
}

/* What an atom of a row is in a record; texts stay where they are. */
static union record_atom
of_row(const union ovsdb_atom *a, const struct ovsdb_base_desc *base)
{
    switch (base->type) {
    case OVSDB_STRING:
        return (union record_atom) { .s = { a->s, intern_len(a->s) } };
    case OVSDB_UUID:
        return (union record_atom) { .u = ovsdb_atom_uuid(a, base) };
    case OVSDB_INTEGER:
    case OVSDB_REAL:
    case OVSDB_BOOLEAN:
        break;
    }
    return (union record_atom) { .i = a->i };
}

void
ovsdb_record_copy(struct ovsdb_record *r, uint16_t column, const struct ovsdb_row *row)
{
    struct record_cell *cell = cell_start(r, column);
    const struct ovsdb_column_desc *c = &r->table->columns[column];
    size_t n;

    REQUIRE(row->table->desc == r->table && !row->table->digest);
    const union ovsdb_atom *a = ovsdb_row_atoms(row, c, &n);
    for (size_t i = 0; i < n * ovsdb_stride(c); i++) {
        union record_atom atom = of_row(&a[i], ovsdb_base(c, i));
        if (ovsdb_base(c, i)->type == OVSDB_STRING) {
            atom = text_atom(r, atom.s.p, atom.s.n);
        }
        cell_push(cell, i, atom);
    }
    cell->n = n;
}

/* ---- reading JSON ---- */

static const char *
record_sink_atom(struct ovsdb_sink *sink, const struct ovsdb_base_desc *base, const struct json_reader *j,
                 const struct uuid *uuid)
{
    struct ovsdb_record *r = CONTAINER_OF(sink, struct ovsdb_record, sink);
    union record_atom a = { .u = { { 0 } } };

    switch (base->type) {
    case OVSDB_INTEGER:
        a.i = j->i;
        break;
    case OVSDB_REAL:
        a.d = (j->token == JSON_INTEGER ? (double) j->i : j->d) + 0.0;
        break;
    case OVSDB_BOOLEAN:
        a.i = j->token == JSON_TRUE;
        break;
    case OVSDB_STRING:
        a = text_atom(r, j->s.p, j->s.n);
        break;
    case OVSDB_UUID:
        a.u = *uuid;
        break;
    }
    cell_push(r->reading, r->reading->n++, a);
    return NULL;
}

const char *
ovsdb_record_read(struct ovsdb_record *r, uint16_t column, struct json_reader *j)
{
    size_t n;

    r->reading = cell_start(r, column);
    r->sink.atom = record_sink_atom;
    const char *error = ovsdb_decode(j, &r->table->columns[column], &r->sink, &n);
    r->reading->n = error ? 0 : n;
    r->reading->sorted = r->reading->n < 2;
    if (error) {
        r->columns &= ~OVSDB_COLUMN(column);
    }
    return error;
}

static char *
check_atom(const union record_atom *a, const struct ovsdb_base_desc *base)
{
    if (base->type == OVSDB_INTEGER && (a->i < base->min_integer || a->i > base->max_integer)) {
        return xasprintf("%lld is not in the valid range %lld to %lld", (long long) a->i,
                         (long long) base->min_integer, (long long) base->max_integer);
    }
    if (base->type == OVSDB_STRING && base->enum_strings) {
        for (const char *const *e = base->enum_strings; *e; e++) {
            if (strlen(*e) == a->s.n && !memcmp(*e, a->s.p, a->s.n)) {
                return NULL;
            }
        }
        return xasprintf("%.*s is not one of the allowed values", (int) MIN(a->s.n, 200), a->s.p);
    }
    return NULL;
}

char *
ovsdb_record_check(const struct ovsdb_record *r, uint16_t column, const struct ovsdb_base_desc *base)
{
    const struct record_cell *cell = &r->cells[column];
    size_t stride = ovsdb_stride(&r->table->columns[column]);

    for (size_t i = 0; r->columns & OVSDB_COLUMN(column) && i < cell->n; i++) {
        char *bad = check_atom(&cell->a[i * stride], base);
        if (bad) {
            return bad;
        }
    }
    return NULL;
}

static void cell_sort(const struct ovsdb_column_desc *, struct record_cell *);

char *
ovsdb_record_json_value(struct ovsdb_record *r, uint16_t column, const char *json, size_t len)
{
    const struct ovsdb_column_desc *c = &r->table->columns[column];
    struct json_reader j;
    char *error = NULL;

    REQUIRE(column < r->table->n_columns);
    json_reader_init(&j, json, len);
    json_next(&j);
    const char *what = ovsdb_record_read(r, column, &j);
    if ((what && j.token == JSON_ERROR) || (!what && json_next(&j) != JSON_END)) {
        error = xasprintf("column %s: %s", c->name, json_error(&j));
    } else if (what) {
        error = xasprintf("column %s: %s", c->name, what);
    }
    json_reader_destroy(&j);
    struct record_cell *cell = &r->cells[column];
    for (size_t i = 0; !error && i < cell->n * ovsdb_stride(c); i++) {
        char *bad = check_atom(&cell->a[i], ovsdb_base(c, i));
        if (bad) {
            error = xasprintf("column %s: %s", c->name, bad);
            free(bad);
        }
    }
    if (!error) {
        cell_sort(c, cell);
        if (cell->n < c->min || cell->n > c->max) {
            error = xasprintf("column %s: %zu values, but it takes %u to %u", c->name, cell->n, c->min, c->max);
        }
    }
    if (error) {
        r->columns &= ~OVSDB_COLUMN(column);
    }
    return error;
}

/* ---- canonical order ---- */

static int
compare_texts(const union record_atom *a, const union record_atom *b)
{
    int cmp = memcmp(a->s.p, b->s.p, MIN(a->s.n, b->s.n));
    return cmp ? cmp : a->s.n < b->s.n ? -1 : a->s.n > b->s.n;
}

static int
compare_record_atoms(const void *a_, const void *b_, const void *base_)
{
    const union record_atom *a = a_, *b = b_;

    switch (((const struct ovsdb_base_desc *) base_)->type) {
    case OVSDB_REAL:
        return a->d < b->d ? -1 : a->d > b->d;
    case OVSDB_STRING:
        return compare_texts(a, b);
    case OVSDB_UUID:
        return uuid_compare(&a->u, &b->u);
    case OVSDB_INTEGER:
    case OVSDB_BOOLEAN:
        break;
    }
    return a->i < b->i ? -1 : a->i > b->i;
}

static void
cell_sort(const struct ovsdb_column_desc *c, struct record_cell *cell)
{
    size_t stride = ovsdb_stride(c), i, out = 0;

    if (cell->sorted) {
        return;
    }
    cell->sorted = true;
    for (i = 1; i < cell->n; i++) {
        if (compare_record_atoms(&cell->a[(i - 1) * stride], &cell->a[i * stride], &c->key) >= 0) {
            break;
        }
    }
    if (i >= cell->n) {
        return;
    }
    ovsdb_sort(cell->a, cell->n, stride * sizeof *cell->a, compare_record_atoms, &c->key);
    for (i = 0; i < cell->n; i++) {            /* Of equal keys, the one added last stays. */
        const union record_atom *e = &cell->a[i * stride];
        if (i + 1 == cell->n || compare_record_atoms(e, e + stride, &c->key)) {
            memmove(&cell->a[out++ * stride], e, stride * sizeof *e);
        }
    }
    cell->n = out;
}

/* The elements of COLUMN, set in R, in order. Sorting changes nothing that can be seen from outside. */
static const struct record_cell *
cell_of(const struct ovsdb_record *r, uint16_t column)
{
    struct record_cell *cell = (struct record_cell *) (uintptr_t) &r->cells[column];
    cell_sort(&r->table->columns[column], cell);
    return cell;
}

static bool
is_default(const struct ovsdb_column_desc *c, const union record_atom *a, size_t n)
{
    return !n
           || (c->shape == OVSDB_ONE
               && (c->key.type == OVSDB_STRING ? !a->s.n
                   : c->key.type == OVSDB_UUID ? uuid_is_zero(&a->u)
                                               : !a->i));
}

static bool
equal_atoms(const union record_atom *a, const union record_atom *b, enum ovsdb_type type)
{
    return type == OVSDB_STRING ? a->s.n == b->s.n && !memcmp(a->s.p, b->s.p, a->s.n)
           : type == OVSDB_UUID ? uuid_equal(&a->u, &b->u)
                                : a->i == b->i;
}

bool
ovsdb_record_equals(const struct ovsdb_record *r, uint16_t column, const struct ovsdb_row *row)
{
    const struct ovsdb_column_desc *c = &r->table->columns[column];
    size_t n;

    REQUIRE(row->table->desc == r->table && !row->table->digest && r->columns & OVSDB_COLUMN(column));
    const struct record_cell *cell = cell_of(r, column);
    const union ovsdb_atom *a = ovsdb_row_atoms(row, c, &n);
    if (n != cell->n) {
        return false;
    }
    for (size_t i = 0; i < n * ovsdb_stride(c); i++) {
        const struct ovsdb_base_desc *base = ovsdb_base(c, i);
        union record_atom b = of_row(&a[i], base);
        if (!equal_atoms(&cell->a[i], &b, base->type)) {
            return false;
        }
    }
    return true;
}

/* ---- digest ---- */

/* The binary form being written. One for all: digests are the main thread's, as interned texts are. */
static struct {
    char *p;
    size_t n, cap;
} canon;

static inline void
canon_put(const void *data, size_t n)
{
    if (canon.cap - canon.n < n) {
        canon.p = xgrow(canon.p, &canon.cap, canon.n + n, 1);
    }
    memcpy(canon.p + canon.n, data, n);
    canon.n += n;
}

static inline void
canon_head(uint32_t column, size_t n)
{
    canon_put((uint32_t[2]) { column, n }, 8);
}

static inline void
canon_atom(const union record_atom *a, enum ovsdb_type type)
{
    if (type == OVSDB_STRING) {
        canon_put(&a->s.n, sizeof a->s.n);
        canon_put(a->s.p, a->s.n);
    } else {
        canon_put(a, type == OVSDB_UUID ? sizeof a->u : sizeof a->i);
    }
}

struct digest
ovsdb_record_digest(const struct ovsdb_record *r, uint64_t columns)
{
    canon.n = 0;
    for (uint64_t rest = columns & r->columns; rest; rest &= rest - 1) {
        uint16_t column = __builtin_ctzll(rest);
        const struct ovsdb_column_desc *c = &r->table->columns[column];
        const struct record_cell *cell = cell_of(r, column);
        if (!is_default(c, cell->a, cell->n)) {
            canon_head(column, cell->n);
            for (size_t i = 0; i < cell->n * ovsdb_stride(c); i++) {
                canon_atom(&cell->a[i], ovsdb_base(c, i)->type);
            }
        }
    }
    return digest_bytes(canon.p, canon.n);
}

struct digest
ovsdb_row_digest(const struct ovsdb_row *row, uint64_t columns)
{
    const struct ovsdb_table_desc *t = row->table->desc;

    REQUIRE(!row->table->digest);
    canon.n = 0;
    for (uint64_t rest = columns & ovsdb_all_columns(t); rest; rest &= rest - 1) {
        const struct ovsdb_column_desc *c = &t->columns[__builtin_ctzll(rest)];
        size_t n;
        const union ovsdb_atom *a = ovsdb_row_atoms(row, c, &n);
        for (size_t i = 0; i < n * ovsdb_stride(c); i++) {
            union record_atom atom = of_row(&a[i], ovsdb_base(c, i));
            if (!i) {
                if (is_default(c, &atom, n)) {
                    break;
                }
                canon_head(c->index, n);
            }
            canon_atom(&atom, ovsdb_base(c, i)->type);
        }
    }
    return digest_bytes(canon.p, canon.n);
}

/* ---- JSON ---- */

static void
put_atom(struct str *out, const union record_atom *a, enum ovsdb_type type)
{
    switch (type) {
    case OVSDB_INTEGER:
        json_put_int(out, a->i);
        break;
    case OVSDB_REAL:
        json_put_real(out, a->d);
        break;
    case OVSDB_BOOLEAN:
        str_puts(out, a->i ? "true" : "false");
        break;
    case OVSDB_STRING:
        json_put_string(out, a->s.p, a->s.n);
        break;
    case OVSDB_UUID: {
        char text[UUID_LEN + 1];
        uuid_format(&a->u, text);
        str_puts(out, "[\"uuid\",\"");
        str_put(out, text, UUID_LEN);
        str_puts(out, "\"]");
        break;
    }
    }
}

void
ovsdb_record_put_value(const struct ovsdb_record *r, uint16_t column, struct str *out)
{
    const struct ovsdb_column_desc *c = &r->table->columns[column];

    REQUIRE(column < r->table->n_columns && r->columns & OVSDB_COLUMN(column));
    const struct record_cell *cell = cell_of(r, column);
    if (c->shape != OVSDB_MAP && cell->n == 1) {
        put_atom(out, &cell->a[0], c->key.type);
        return;
    }
    str_puts(out, c->shape == OVSDB_MAP ? "[\"map\",[" : "[\"set\",[");
    for (size_t i = 0; i < cell->n; i++) {
        if (i) {
            str_putc(out, ',');
        }
        if (c->shape == OVSDB_MAP) {
            str_putc(out, '[');
            put_atom(out, &cell->a[i * 2], c->key.type);
            str_putc(out, ',');
            put_atom(out, &cell->a[i * 2 + 1], c->value.type);
            str_putc(out, ']');
        } else {
            put_atom(out, &cell->a[i], c->key.type);
        }
    }
    str_puts(out, "]]");
}

void
ovsdb_record_put_json(const struct ovsdb_record *r, uint64_t columns, struct str *out)
{
    char separator = '{';

    for (uint64_t rest = columns & r->columns; rest; rest &= rest - 1) {
        uint16_t column = __builtin_ctzll(rest);
        str_putc(out, separator);
        separator = ',';
        json_put_cstr(out, r->table->columns[column].name);
        str_putc(out, ':');
        ovsdb_record_put_value(r, column, out);
    }
    if (separator == '{') {
        str_putc(out, '{');
    }
    str_putc(out, '}');
}

/* schema.c - what the server's schema has of the tables and columns that we know (get_schema, RFC 7047 3.2, 4.1.2).
 *
 * A column counts as there if we can read what it holds: the same key and value types, a single value or several on both
 * sides (differences of the two look different, ovsdb-server(7) 4.1.14), and no "none" where we know only "one". Everything
 * else is left out of monitors and transactions, so that we work with an older schema for all it has. Where the server allows
 * less in a column than our schema does (an integer's range, an enumeration), that is kept as a limit: a writer asks before it
 * writes (ovsdb_server_refuses()), as one bad value makes the server refuse a whole transaction. */
#include "ovsdb/session.h"

#include <stdlib.h>
#include "base/log.h"

LOG_MODULE(ovsdb_schema);

struct server_type {
    int key, value;                    /* enum ovsdb_type; -1: none. */
    int64_t min, max;                  /* `max` INT64_MAX: unlimited. */
    int64_t min_integer, max_integer;  /* Of the key; */
    struct str allowed;                /* its enumeration: texts, each ended by NUL; empty: none. */
};

void
schema_request(struct ovsdb_session *s)
{
    session_set_state(s, S_SCHEMA);
    struct str *out = session_request(s, "get_schema", REQ_SCHEMA, NULL);
    str_putc(out, '[');
    json_put_cstr(out, s->db->desc->name);
    str_putc(out, ']');
    session_request_end(s);
}

static int
type_from_name(const struct json_reader *r)
{
    static const char *const names[] = {
        [OVSDB_INTEGER] = "integer", [OVSDB_REAL] = "real", [OVSDB_BOOLEAN] = "boolean",
        [OVSDB_STRING] = "string", [OVSDB_UUID] = "uuid",
    };
    for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
        if (json_string_is(r, names[i])) {
            return i;
        }
    }
    return -1;
}

/* The "enum" of a base type: ["set",[...]] or one value. Only texts are kept. */
static bool
read_enum(struct json_reader *r, struct str *allowed)
{
    int depth = 0;

    do {
        depth += (r->token == JSON_ARRAY_BEGIN) - (r->token == JSON_ARRAY_END);
        if (r->token == JSON_STRING && depth != 1) {
            str_put(allowed, r->s.p, r->s.n);
            str_putc(allowed, '\0');
        } else if (r->token == JSON_OBJECT_BEGIN || r->token == JSON_ERROR) {
            return false;
        }
    } while (depth && (json_next(r), true));
    return true;
}

/* <base-type>: a name, or an object with the name in "type". T (may be NULL) gets the limits. */
static bool
read_base_type(struct json_reader *r, int *type, struct server_type *t)
{
    if (r->token == JSON_STRING) {
        *type = type_from_name(r);
        return true;
    }
    if (r->token != JSON_OBJECT_BEGIN) {
        return false;
    }
    while (json_next(r) == JSON_KEY) {
        bool is_type = json_string_is(r, "type"), is_enum = json_string_is(r, "enum");
        int64_t *limit = !t ? NULL : json_string_is(r, "minInteger") ? &t->min_integer
                         : json_string_is(r, "maxInteger") ? &t->max_integer : NULL;
        json_next(r);
        if (is_type && r->token == JSON_STRING) {
            *type = type_from_name(r);
        } else if (limit && r->token == JSON_INTEGER) {
            *limit = r->i;
        } else if (is_enum && t ? !read_enum(r, &t->allowed) : !json_skip(r)) {
            return false;
        }
    }
    return r->token == JSON_OBJECT_END;
}

/* <type>: a name, or an object of "key", "value", "min", "max". */
static bool
read_type(struct json_reader *r, struct server_type *t)
{
    *t = (struct server_type) {
        .key = -1, .value = -1, .min = 1, .max = 1, .min_integer = INT64_MIN, .max_integer = INT64_MAX,
    };
    if (r->token == JSON_STRING) {
        return read_base_type(r, &t->key, NULL);
    }
    if (r->token != JSON_OBJECT_BEGIN) {
        return false;
    }
    while (json_next(r) == JSON_KEY) {
        bool key = json_string_is(r, "key"), value = json_string_is(r, "value");
        int64_t *limit = json_string_is(r, "min") ? &t->min : json_string_is(r, "max") ? &t->max : NULL;

        json_next(r);
        if (key || value) {
            if (!read_base_type(r, key ? &t->key : &t->value, key ? t : NULL)) {
                return false;
            }
        } else if (limit && r->token == JSON_INTEGER) {
            *limit = r->i;
        } else if (limit && r->token == JSON_STRING) {
            *limit = INT64_MAX;
        } else if (!json_skip(r)) {
            return false;
        }
    }
    return r->token == JSON_OBJECT_END;
}

static bool
type_is_compatible(const struct server_type *t, const struct ovsdb_column_desc *c)
{
    int value = c->shape == OVSDB_MAP ? (int) c->value.type : -1;

    return t->key == (int) c->key.type && t->value == value && (t->max > 1) == (c->max > 1)
           && (c->shape != OVSDB_ONE || t->min == 1);
}

/* ---- limits ---- */

static bool
is_allowed(const struct str *allowed, const char *text)
{
    for (size_t i = 0; i < allowed->len; i += strlen(allowed->s + i) + 1) {
        if (str_eq(allowed->s + i, text)) {
            return true;
        }
    }
    return false;
}

static bool
is_narrower(const struct server_type *t, const struct ovsdb_column_desc *c)
{
    if (c->key.type == OVSDB_INTEGER) {
        return t->min_integer > c->key.min_integer || t->max_integer < c->key.max_integer;
    } else if (c->key.type != OVSDB_STRING || !t->allowed.len) {
        return false;
    } else if (!c->key.enum_strings) {
        return true;
    }
    for (const char *const *s = c->key.enum_strings; *s; s++) {
        if (!is_allowed(&t->allowed, *s)) {
            return true;
        }
    }
    return false;
}

static void
limit_add(struct ovsdb_table *table, const struct ovsdb_column_desc *c, const struct server_type *t)
{
    struct ovsdb_limit *l = XNEW(struct ovsdb_limit);

    l->column = c->index;
    l->key = (struct ovsdb_base_desc) {
        .type = c->key.type, .min_integer = t->min_integer, .max_integer = t->max_integer,
    };
    if (t->allowed.len) {
        const char **texts = xcalloc(t->allowed.len + 1, sizeof *texts);
        size_t n = 0;
        for (size_t i = 0; i < t->allowed.len; i += strlen(t->allowed.s + i) + 1) {
            texts[n++] = xstrdup(t->allowed.s + i);
        }
        l->key.enum_strings = texts;
    }
    l->next = table->limits;
    table->limits = l;
}

char *
ovsdb_server_refuses(const struct ovsdb *db, const struct ovsdb_record *record, uint16_t *column)
{
    const struct ovsdb_table *t = ovsdb_table(db, ovsdb_record_table(record));

    for (const struct ovsdb_limit *l = t->limits; l; l = l->next) {
        char *why = ovsdb_record_check(record, l->column, &l->key);
        if (why) {
            *column = l->column;
            return why;
        }
    }
    return NULL;
}

unsigned
ovsdb_schema_seqno(const struct ovsdb *db)
{
    return db->session->schema_seqno;
}

/* ---- the reply ---- */

/* {"columns": {name: {"type": ..., ...}}, ...} of TABLE; NULL: of a table we do not know. */
static bool
read_columns(struct json_reader *r, struct ovsdb_table *table)
{
    if (r->token != JSON_OBJECT_BEGIN) {
        return false;
    }
    while (json_next(r) == JSON_KEY) {
        const struct ovsdb_column_desc *column = NULL;
        for (size_t i = 0; i < table->desc->n_columns && !column; i++) {
            column = json_string_is(r, table->desc->columns[i].name) ? &table->desc->columns[i] : NULL;
        }
        if (json_next(r) != JSON_OBJECT_BEGIN) {
            return false;
        }
        if (!column) {
            if (!json_skip(r)) {
                return false;
            }
            continue;
        }
        while (json_next(r) == JSON_KEY) {
            bool is_type = json_string_is(r, "type");
            struct server_type t;

            json_next(r);
            if (!is_type) {
                if (!json_skip(r)) {
                    return false;
                }
                continue;
            }
            bool ok = read_type(r, &t);
            if (ok && type_is_compatible(&t, column)) {
                table->server_columns |= OVSDB_COLUMN(column->index);
                if (is_narrower(&t, column)) {
                    limit_add(table, column, &t);
                }
            }
            str_free(&t.allowed);
            if (!ok) {
                return false;
            }
        }
        if (r->token != JSON_OBJECT_END) {
            return false;
        }
    }
    return r->token == JSON_OBJECT_END;
}

static bool
read_tables(struct ovsdb *db, struct json_reader *r)
{
    if (r->token != JSON_OBJECT_BEGIN) {
        return false;
    }
    while (json_next(r) == JSON_KEY) {
        struct ovsdb_table *table = NULL;
        for (size_t i = 0; i < db->desc->n_tables && !table; i++) {
            table = json_string_is(r, db->desc->tables[i].name) ? &db->tables[i] : NULL;
        }
        if (json_next(r) != JSON_OBJECT_BEGIN) {
            return false;
        }
        if (!table) {
            if (!json_skip(r)) {
                return false;
            }
            continue;
        }
        table->server_has = true;
        while (json_next(r) == JSON_KEY) {
            bool columns = json_string_is(r, "columns");
            json_next(r);
            if (columns ? !read_columns(r, table) : !json_skip(r)) {
                return false;
            }
        }
        if (r->token != JSON_OBJECT_END) {
            return false;
        }
    }
    return r->token == JSON_OBJECT_END;
}

/* Counts schemas that are not as the last one. */
static void
schema_compare(struct ovsdb_session *s)
{
    struct str text = STR_INIT;

    for (size_t i = 0; i < s->db->desc->n_tables; i++) {
        const struct ovsdb_table *t = &s->db->tables[i];
        str_printf(&text, "%d %llx", t->server_has, (unsigned long long) t->server_columns);
        for (const struct ovsdb_limit *l = t->limits; l; l = l->next) {
            str_printf(&text, " %u %lld %lld", l->column, (long long) l->key.min_integer, (long long) l->key.max_integer);
            for (const char *const *e = l->key.enum_strings; e && *e; e++) {
                str_printf(&text, " %s", *e);
            }
        }
        str_putc(&text, '\n');
    }
    struct digest d = digest_bytes(text.s, text.len);
    s->schema_seqno += !digest_equal(d, s->schema);
    s->schema = d;
    str_free(&text);
}

void
schema_say(struct ovsdb_session *s)
{
    struct ovsdb *db = s->db;
    struct str missing = STR_INIT;

    for (size_t i = 0; i < db->desc->n_tables; i++) {
        const struct ovsdb_table *t = &db->tables[i];
        if (t->in_use && !t->server_has) {
            str_printf(&missing, " %s", t->desc->name);
        } else if (t->in_use) {
            for (size_t c = 0; c < t->desc->n_columns; c++) {
                if (t->used & ~t->server_columns & OVSDB_COLUMN(c)) {
                    str_printf(&missing, " %s.%s", t->desc->name, t->desc->columns[c].name);
                }
            }
        }
    }
    struct digest said = digest_bytes(str_c(&missing), missing.len);
    if (missing.len && !digest_equal(said, s->schema_said)) {
        LOG_INFO("%s: the server's schema lacks, and we do without:%s", db->desc->name, missing.s);
    }
    s->schema_said = said;
    str_free(&missing);
}

char *
schema_reply(struct ovsdb_session *s, struct rpc_message *m)
{
    struct ovsdb *db = s->db;
    struct json_reader *r = &m->payload;

    if (s->state != S_SCHEMA) {
        return NULL;
    }
    if (m->kind == RPC_ERROR) {
        char *text = rpc_error_text(m->error, m->error_len);
        if (s->has_cluster && s->remotes.n == 1) {     /* The database is going or coming. */
            session_set_state(s, S_WAIT);
            free(s->last_error);
            s->last_error = text;
        } else {
            session_refuse(s, text);
        }
        return NULL;
    }
    for (size_t i = 0; i < db->desc->n_tables; i++) {
        db->tables[i].server_has = false;
        db->tables[i].server_columns = 0;
        ovsdb_limits_free(&db->tables[i]);
    }
    bool ok = r->token == JSON_OBJECT_BEGIN;
    while (ok && json_next(r) == JSON_KEY) {
        bool tables = json_string_is(r, "tables");
        json_next(r);
        ok = tables ? read_tables(db, r) : json_skip(r);
    }
    if (!ok || r->token != JSON_OBJECT_END) {
        return xstrdup("malformed database schema");
    }
    s->schema_known = true;
    schema_compare(s);
    session_changed(s);
    rpc_set_limit(s->rpc, s->max_message);
    monitor_request(s);
    return NULL;
}

bool
ovsdb_has_table(const struct ovsdb *db, const struct ovsdb_table_desc *desc)
{
    return db->tables[desc->index].server_has;
}

bool
ovsdb_has_column(const struct ovsdb *db, const struct ovsdb_table_desc *desc, uint16_t column)
{
    return db->tables[desc->index].server_has
           && db->tables[desc->index].server_columns & OVSDB_COLUMN(column);
}

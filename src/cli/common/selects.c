/* selects.c - see selects.h. */
#include "cli/common/selects.h"

#include <stdio.h>
#include <stdlib.h>
#include "json/json.h"

void
selects_init(struct selects *s, struct ovsdb *db)
{
    *s = (struct selects) { .db = db, .txn = ovsdb_txn_create(db) };
}

void
selects_destroy(struct selects *s)
{
    if (s->txn) {
        ovsdb_txn_destroy(s->txn);
    }
    free(s->asked);
}

void
selects_put(struct selects *s, const struct ovsdb_table_desc *t, uint64_t columns, const char *clause)
{
    struct str op = STR_INIT;

    str_printf(&op, "{\"op\":\"select\",\"table\":\"%s\",\"where\":[%s],\"columns\":[\"_uuid\"", t->name, clause ? clause : "");
    for (uint16_t i = 0; i < t->n_columns; i++) {
        if ((columns & OVSDB_COLUMN(i)) && ovsdb_has_column(s->db, t, i)) {
            str_printf(&op, ",\"%s\"", t->columns[i].name);
        }
    }
    str_puts(&op, "]}");
    ovsdb_txn_put_raw(s->txn, str_c(&op));
    str_free(&op);
    GROW(s->asked, s->cap, s->n + 1);
    s->asked[s->n++] = (struct selected) { t, columns };
}

void
selects_put_uuid(struct selects *s, const struct ovsdb_table_desc *t, uint64_t columns, const struct uuid *uuid)
{
    char clause[64 + UUID_LEN];

    snprintf(clause, sizeof clause, "[\"_uuid\",\"==\",[\"uuid\",\"" UUID_FMT "\"]]", UUID_ARGS(uuid));
    selects_put(s, t, columns, clause);
}

struct ovsdb_txn *
selects_txn(struct selects *s)
{
    struct ovsdb_txn *txn = s->txn;

    s->txn = NULL;
    return txn;
}

/* [{"rows":[...]}, ...] */
static bool
take_answers(const struct selects *s, struct store *store, struct json_reader *r)
{
    size_t i = 0;

    if (json_next(r) != JSON_ARRAY_BEGIN) {
        return false;
    }
    while (json_next(r) == JSON_OBJECT_BEGIN && i < s->n) {
        while (json_next(r) == JSON_KEY) {
            bool rows = json_string_is(r, "rows");
            json_next(r);
            if (rows ? !store_take(store, s->asked[i].t, s->asked[i].columns, r) : !json_skip(r)) {
                return false;
            }
        }
        i++;
    }
    return i == s->n;
}

bool
selects_take(const struct selects *s, struct store *store, const struct ovsdb_txn_result *result)
{
    struct json_reader r;

    json_reader_init(&r, result->reply, result->reply_len);
    bool ok = take_answers(s, store, &r);
    json_reader_destroy(&r);
    return ok;
}

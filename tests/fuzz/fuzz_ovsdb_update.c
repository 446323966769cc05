/* fuzz_ovsdb_update - what a database server may send: bytes as <table-updates>, applied to a replica again and again, in both
 * notations, then as a whole new content. The replica must stay consistent, and everything is given back in the end.
 *
 * The first byte says how; the rest, up to each 0 byte, is a message. */
#include <stdlib.h>

#include "ovsdb/replica.h"
#include "schema/nb.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

void
ovsdb_session_monitor_changed(struct ovsdb *db)
{
}

static void
apply(struct ovsdb *db, const uint8_t *data, size_t n, enum ovsdb_update_kind kind)
{
    struct json_reader r;
    char *text = xmemdup(data, n);

    json_reader_init(&r, text, n);
    json_next(&r);
    free(ovsdb_replica_apply(db, &r, kind));
    json_reader_destroy(&r);
    free(text);
}

/* Looks at everything: references lead to rows, rows are where their referrers say. */
static void
check(struct ovsdb *db)
{
    struct ovsdb_record *r = ovsdb_record_create(&nb_table_logical_switch);
    struct ovsdb_referrer_iter i;
    struct str s = STR_INIT;

    OVSDB_FOR_EACH(row, ovsdb_table(db, &nb_table_logical_switch), NULL) {
        const struct nb_logical_switch *ls = nb_logical_switch_of(row);
        for (size_t k = 0; k < ls->ports.n; k++) {
            bool found = false;
            OVSDB_FOR_EACH_REFERRER(from, &i, ls->ports.v[k].row, &nb_table_logical_switch, NB_LOGICAL_SWITCH_PORTS, NULL) {
                found |= from == row;
            }
            REQUIRE(found);
        }
        ovsdb_record_reset(r);
        for (uint16_t c = 0; c < nb_table_logical_switch.n_columns; c++) {
            ovsdb_record_copy(r, c, row);
            REQUIRE(ovsdb_record_equals(r, c, row));
        }
        REQUIRE(digest_equal(ovsdb_record_digest(r, UINT64_MAX), ovsdb_row_digest(row, UINT64_MAX)));
        ovsdb_record_put_json(r, UINT64_MAX, &s);
    }
    str_free(&s);
    ovsdb_record_destroy(r);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct ovsdb *db = XNEW(struct ovsdb);
    uint8_t how = size ? data[0] : 0;
    size_t start = 1;

    db->desc = &nb_db;
    ovsdb_replica_init(db);
    ovsdb_use_digest(db, &nb_table_acl, UINT64_C(0xff));
    ovsdb_use_all(db);
    ovsdb_index_create(db, &nb_table_logical_switch_port, 1, (uint16_t[]) { NB_LOGICAL_SWITCH_PORT_NAME });
    ovsdb_index_create(db, &nb_table_logical_switch, 1, (uint16_t[]) { NB_LOGICAL_SWITCH_NAME });
    for (size_t i = 1; i <= size; i++) {
        if (i == size || !data[i]) {
            apply(db, data + start, i - start, how & 1 ? OVSDB_UPDATE : OVSDB_UPDATE2);
            check(db);
            ovsdb_collect(db);
            start = i + 1;
        }
    }
    if (how & 2 && size) {
        ovsdb_replica_replace_begin(db);
        apply(db, data + 1, size - 1, OVSDB_UPDATE2);
        ovsdb_replica_replace_end(db);
        check(db);
        ovsdb_collect(db);
    }
    ovsdb_replica_destroy(db);
    free(db);
    intern_collect();
    return 0;
}

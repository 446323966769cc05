/* Rows, applied from messages: what is there, and who hears of it. replica_random_test.c holds the same against a model. */
#include "ovsdb/testdb.h"

#define U1 "00000001-0000-0000-0000-000000000001"
#define U2 "00000002-0000-0000-0000-000000000002"
#define U3 "00000003-0000-0000-0000-000000000003"
#define SW "0000000a-0000-0000-0000-00000000000a"
#define R(U) "[\"uuid\",\"" U "\"]"

static int n_notified;

static void
note(struct dep_reader *r)
{
    n_notified++;
}

static struct uuid
uuid(const char *s)
{
    struct uuid u;
    assert_true(uuid_parse(s, &u));
    return u;
}

static struct ovsdb_row *
get(struct ovsdb *db, const struct ovsdb_table_desc *t, const char *s, struct dep_reader *by)
{
    struct uuid u = uuid(s);
    return ovsdb_get(ovsdb_table(db, t), &u, by);
}

static struct port *
port(struct ovsdb *db, const char *s)
{
    struct ovsdb_row *row = get(db, T_PORT, s, NULL);
    assert_non_null(row);
    return (struct port *) row;
}

static void
test_insert_modify_delete(void **state)
{
    struct ovsdb *db = db_new();
    ovsdb_use_all(db);
    struct ovsdb_table *t = ovsdb_table(db, T_PORT);

    assert_int_equal(ovsdb_count(t), 0);
    db_ok(db, OVSDB_UPDATE2, "{\"Port\":{\"" U1 "\":{\"initial\":{\"name\":\"p1\",\"tag\":5,\"weight\":0.25,\"up\":true,"
          "\"opt\":3,\"addrs\":[\"set\",[\"b\",\"a\",\"b\"]],\"nums\":7,\"options\":[\"map\",[[\"y\",\"2\"],[\"x\",\"true\"],[\"n\",\"-12\"]]],"
          "\"unknown\":[1,{\"a\":[]}],\"id\":" R(U3) "}}},\"Nonsense\":{\"x\":1}}");
    assert_int_equal(db->seqno, 1);
    assert_int_equal(ovsdb_count(t), 1);
    struct port *p = port(db, U1);
    assert_string_equal(p->name.s, "p1");
    assert_int_equal(p->tag.i, 5);
    assert_true(p->weight.d == 0.25 && p->up.b && p->opt.has && p->opt.v.i == 3 && !p->optname.has);
    assert_int_equal(p->addrs.n, 2);
    assert_string_equal(p->addrs.v[0].s, "a");
    assert_true(ovsdb_set_has_str(&p->addrs, "b") && !ovsdb_set_has_str(&p->addrs, "c"));
    assert_int_equal(p->nums.n, 1);
    assert_string_equal(ovsdb_map_get(&p->options, "y"), "2");
    assert_null(ovsdb_map_get(&p->options, "z"));
    assert_true(ovsdb_map_get_bool(&p->options, "x", false) && ovsdb_map_get_bool(&p->options, "y", true));
    assert_int_equal(ovsdb_map_get_int(&p->options, "n", 0), -12);
    assert_int_equal(ovsdb_map_get_int(&p->options, "x", 9), 9);
    struct uuid u3 = uuid(U3), id = ovsdb_atom_uuid(&p->id, &port_columns[P_ID].key);
    assert_true(uuid_equal(&id, &u3));

    /* Differences. */
    db_ok(db, OVSDB_UPDATE2, "{\"Port\":{\"" U1 "\":{\"modify\":{\"tag\":6,\"opt\":4,\"addrs\":[\"set\",[\"a\",\"c\"]],\"nums\":[\"set\",[7,8,9]],"
          "\"options\":[\"map\",[[\"y\",\"2\"],[\"x\",\"false\"],[\"w\",\"1\"]]],\"optname\":\"red\"}}}}");
    assert_int_equal(p->tag.i, 6);
    assert_int_equal(p->opt.v.i, 4);
    assert_string_equal(p->optname.v.s, "red");
    assert_true(p->addrs.n == 2 && ovsdb_set_has_str(&p->addrs, "b") && ovsdb_set_has_str(&p->addrs, "c"));
    assert_true(p->nums.n == 2 && p->nums.v[0].i == 8 && p->nums.v[1].i == 9);
    assert_int_equal(p->options.n, 3);
    assert_null(ovsdb_map_get(&p->options, "y"));
    assert_string_equal(ovsdb_map_get(&p->options, "x"), "false");
    db_ok(db, OVSDB_UPDATE2, "{\"Port\":{\"" U1 "\":{\"modify\":{\"opt\":[\"set\",[]],\"nums\":[\"set\",[8,9]]}}}}");
    assert_true(!p->opt.has && !p->nums.n && !p->nums.v);
    assert_int_equal(db->seqno, 3);

    /* Inserted again, the same but for what is not named: that is at its default. */
    db_ok(db, OVSDB_UPDATE2, "{\"Port\":{\"" U1 "\":{\"insert\":{\"name\":\"p1\"}}}}");
    assert_ptr_equal(port(db, U1), p);
    assert_true(p->tag.i == 0 && !p->addrs.n && !p->options.n && !p->optname.has && ovsdb_count(t) == 1);
    assert_int_equal(db->seqno, 4);
    db_ok(db, OVSDB_UPDATE2, "{\"Port\":{\"" U1 "\":{\"insert\":{\"name\":\"p1\"}}}}");
    assert_int_equal(db->seqno, 4);

    /* What was never there. */
    db_ok(db, OVSDB_UPDATE2, "{\"Port\":{\"" U2 "\":{\"modify\":{\"name\":\"x\"}},\"" U3 "\":{\"delete\":null}}}");
    assert_true(db->seqno == 4 && ovsdb_count(t) == 1);
    db_ok(db, OVSDB_UPDATE2, "{\"Port\":{\"" U1 "\":{\"delete\":null}}}");
    db_ok(db, OVSDB_UPDATE2, "{\"Port\":{\"" U1 "\":{\"delete\":null}}}");
    assert_true(db->seqno == 5 && ovsdb_count(t) == 0 && !get(db, T_PORT, U1, NULL));
    assert_string_equal(p->name.s, "");

    /* RFC 7047 "update". */
    db_ok(db, OVSDB_UPDATE, "{\"Port\":{\"" U1 "\":{\"new\":{\"name\":\"q\",\"tag\":1,\"addrs\":[\"set\",[\"a\"]]}}}}");
    assert_int_equal(p->addrs.n, 1);
    db_ok(db, OVSDB_UPDATE, "{\"Port\":{\"" U1 "\":{\"old\":{\"tag\":1},\"new\":{\"name\":\"q\",\"tag\":2,\"addrs\":[\"set\",[\"a\"]]}}}}");
    assert_true(p->tag.i == 2 && p->addrs.n == 1);
    db_ok(db, OVSDB_UPDATE, "{\"Port\":{\"" U1 "\":{\"old\":{\"name\":\"q\",\"tag\":2}}}}");
    assert_int_equal(ovsdb_count(t), 0);
    ovsdb_collect(db);
    assert_int_equal(hmap_count(&t->rows), 0);
    db_free(db);
}

static void
test_columns_in_use(void **state)
{
    struct ovsdb *db = db_new();

    monitor_changes = 0;
    ovsdb_use(db, T_PORT, OVSDB_COLUMN(P_NAME));
    ovsdb_use(db, T_PORT, OVSDB_COLUMN(P_NAME));
    ovsdb_use(db, T_PORT, 0);
    assert_int_equal(monitor_changes, 1);
    db_ok(db, OVSDB_UPDATE2, "{\"Port\":{\"" U1 "\":{\"insert\":{\"tag\":5,\"name\":\"a\"}}},\"Switch\":{\"" SW "\":{\"insert\":{}}}}");
    assert_string_equal(port(db, U1)->name.s, "a");
    assert_int_equal(port(db, U1)->tag.i, 0);
    assert_int_equal(ovsdb_count(ovsdb_table(db, T_SWITCH)), 0);
    db_free(db);
}

static void
test_references(void **state)
{
    struct ovsdb *db = db_new();
    ovsdb_use_all(db);
    struct dep_reader refs, names, presence, first;
    struct ovsdb_referrer_iter i;

    dep_reader_init(&refs, note);
    dep_reader_init(&names, note);
    dep_reader_init(&presence, note);
    dep_reader_init(&first, note);
    /* A reference before its row. */
    db_ok(db, OVSDB_UPDATE2, "{\"Switch\":{\"" SW "\":{\"insert\":{\"name\":\"s\",\"ports\":[\"set\",[" R(U2) "," R(U1) "]]}}}}");
    struct sw *sw = (struct sw *) get(db, T_SWITCH, SW, NULL);
    assert_int_equal(sw->ports.n, 2);
    struct ovsdb_row *p1 = sw->ports.v[0].row;
    assert_true(!p1->present && !ovsdb_present(p1, &presence) && p1->n_referrers == 1);
    assert_ptr_equal(ovsdb_referrer_first(&i, p1, T_SWITCH, S_PORTS, &refs), &sw->row_);
    assert_null(ovsdb_referrer_next(&i));
    assert_null(ovsdb_referrer_first(&i, p1, T_SWITCH, S_FIRST, &first));
    ovsdb_collect(db);         /* Needed: it stays. */
    db_ok(db, OVSDB_UPDATE2, "{\"Port\":{\"" U1 "\":{\"insert\":{\"name\":\"p1\"}}}}");
    assert_ptr_equal(get(db, T_PORT, U1, &names), p1);
    dep_read(&names, &p1->source, OVSDB_COLUMN(P_NAME));
    assert_true(presence.stale && !refs.stale && !first.stale && !names.stale);

    db_ok(db, OVSDB_UPDATE2, "{\"Switch\":{\"" SW "\":{\"modify\":{\"first\":" R(U1) "}}}}");
    assert_true(first.stale && !refs.stale && !names.stale);
    db_ok(db, OVSDB_UPDATE2, "{\"Switch\":{\"" SW "\":{\"modify\":{\"ports\":" R(U3) "}}}}");
    assert_false(refs.stale);
    db_ok(db, OVSDB_UPDATE2, "{\"Switch\":{\"" SW "\":{\"modify\":{\"ports\":" R(U1) "}}}}");
    assert_true(refs.stale && !names.stale);
    assert_null(ovsdb_referrer_first(&i, p1, T_SWITCH, S_PORTS, NULL));

    /* The switch goes: so do its references; p1 keeps its row, the rest are freed when nobody reads them. */
    dep_reader_begin(&first);
    assert_ptr_equal(ovsdb_referrer_first(&i, p1, T_SWITCH, S_FIRST, &first), &sw->row_);
    struct ovsdb_row *p3 = ovsdb_get(p1->table, &(struct uuid) { { 3, 0, 0, 3 } }, &refs);
    assert_null(p3);
    db_ok(db, OVSDB_UPDATE2, "{\"Switch\":{\"" SW "\":{\"delete\":null}}}");
    assert_true(first.stale && !p1->n_referrers && !p1->referrers);
    ovsdb_collect(db);
    assert_int_equal(hmap_count(&p1->table->rows), 2);     /* p1, and p3 for its reader. */
    dep_reader_begin(&refs);
    ovsdb_collect(db);
    assert_int_equal(hmap_count(&p1->table->rows), 1);
    assert_int_equal(hmap_count(&ovsdb_table(db, T_SWITCH)->rows), 0);

    /* Twice from one column. */
    db_ok(db, OVSDB_UPDATE2, "{\"Port\":{\"" U1 "\":{\"modify\":{\"links\":[\"map\",[[\"a\"," R(SW) "],[\"b\"," R(SW) "]]]}}}}");
    struct ovsdb_row *s = ((struct port *) p1)->links.v[0].v.row;
    assert_int_equal(s->n_referrers, 2);
    assert_ptr_equal(ovsdb_referrer_first(&i, s, T_PORT, P_LINKS, &first), p1);
    assert_null(ovsdb_referrer_next(&i));
    dep_reader_begin(&first);
    ovsdb_referrer_first(&i, s, T_PORT, P_LINKS, &first);
    db_ok(db, OVSDB_UPDATE2, "{\"Port\":{\"" U1 "\":{\"modify\":{\"links\":[\"map\",[[\"a\"," R(SW) "]]]}}}}");
    assert_false(first.stale);
    db_ok(db, OVSDB_UPDATE2, "{\"Port\":{\"" U1 "\":{\"modify\":{\"links\":[\"map\",[[\"b\"," R(SW) "]]]}}}}");
    assert_true(first.stale);
    dep_reader_begin(&first);
    dep_reader_begin(&names);
    dep_reader_begin(&presence);
    db_free(db);
}

/* One row that very many refer to, coming and going. */
static void
test_many_referrers(void **state)
{
    enum { N = 3000 };
    struct ovsdb *db = db_new();
    ovsdb_use_all(db);
    struct uuid s = uuid(SW);
    struct ovsdb_referrer_iter i;

    for (int round = 0; round < 2; round++) {
        for (int k = 0; k < N; k++) {
            char text[256], id[UUID_LEN + 1];
            struct uuid u = test_uuid(0, (k * 7) % N);
            uuid_format(&u, id);
            snprintf(text, sizeof text, round ? "{\"Port\":{\"%s\":{\"delete\":null}}}" : "{\"Port\":{\"%s\":{\"insert\":{\"switch\":" R(SW) "}}}}", id);
            db_ok(db, OVSDB_UPDATE2, text);
            if (k % 500 == 0) {
                struct ovsdb_row *sw = ovsdb_row_find(ovsdb_table(db, T_SWITCH), &s);
                int n = 0;
                OVSDB_FOR_EACH_REFERRER(row, &i, sw, T_PORT, P_SWITCH, NULL) {
                    assert_ptr_equal(((struct port *) row)->sw.row, sw);
                    n++;
                }
                assert_int_equal(n, round ? N - k - 1 : k + 1);
            }
        }
    }
    assert_int_equal(ovsdb_row_find(ovsdb_table(db, T_SWITCH), &s)->n_referrer_groups, 0);
    for (int k = 0; k < 2; k++) {
        ovsdb_collect(db);
    }
    assert_int_equal(hmap_count(&ovsdb_table(db, T_PORT)->rows), 0);
    db_free(db);
}

static void
test_indexes(void **state)
{
    struct ovsdb *db = db_new();
    ovsdb_use_all(db);
    struct ovsdb_index *by_name = ovsdb_index_create(db, T_PORT, 1, (uint16_t[]) { P_NAME });
    struct ovsdb_index *by_opt = ovsdb_index_create(db, T_PORT, 1, (uint16_t[]) { P_OPT });
    struct dep_reader a, b, c;
    struct ovsdb_row *const *rows;

    ovsdb_blank_text();
    ovsdb_blank_uuid();
    intern_collect();
    size_t texts = intern_count();

    dep_reader_init(&a, note);
    dep_reader_init(&b, note);
    dep_reader_init(&c, note);
    assert_ptr_equal(ovsdb_index_create(db, T_PORT, 1, (uint16_t[]) { P_NAME }), by_name);
    assert_null(ovsdb_index_get_str(by_name, &a, "a"));    /* Nothing, and yet it is read. */
    assert_null(ovsdb_index_get_str(by_name, &b, "b"));
    assert_null(ovsdb_index_get_int(by_opt, &c, 0));
    db_ok(db, OVSDB_UPDATE2, "{\"Port\":{\"" U2 "\":{\"insert\":{\"name\":\"a\"}}}}");
    assert_true(a.stale && !b.stale && !c.stale);          /* No value is not the value 0. */
    dep_reader_begin(&a);
    assert_ptr_equal(ovsdb_index_get_str(by_name, &a, "a"), port(db, U2));
    db_ok(db, OVSDB_UPDATE2, "{\"Port\":{\"" U1 "\":{\"insert\":{\"name\":\"a\",\"opt\":0}},\"" U3 "\":{\"insert\":{\"name\":\"a\"}}}}");
    assert_true(a.stale && !b.stale && c.stale);
    dep_reader_begin(&a);
    assert_int_equal(ovsdb_index_find(by_name, &a, &(union ovsdb_atom) { .s = "a" }, &rows), 3);
    assert_true(rows[0] == &port(db, U1)->row_ && rows[1] == &port(db, U2)->row_ && rows[2] == &port(db, U3)->row_);
    db_ok(db, OVSDB_UPDATE2, "{\"Port\":{\"" U1 "\":{\"modify\":{\"tag\":1}}}}");
    db_ok(db, OVSDB_UPDATE2, "{\"Port\":{\"" U1 "\":{\"insert\":{\"name\":\"a\",\"opt\":0,\"tag\":1}}}}");
    assert_false(a.stale || b.stale);
    db_ok(db, OVSDB_UPDATE2, "{\"Port\":{\"" U1 "\":{\"modify\":{\"name\":\"b\"}}}}");
    assert_true(a.stale && b.stale);
    assert_ptr_equal(ovsdb_index_get_str(by_name, NULL, "b"), port(db, U1));
    dep_reader_begin(&b);
    assert_ptr_equal(ovsdb_index_get_str(by_name, &b, "b"), port(db, U1));
    db_ok(db, OVSDB_UPDATE2, "{\"Port\":{\"" U1 "\":{\"delete\":null}}}");
    assert_true(b.stale && !ovsdb_index_get_str(by_name, NULL, "b"));
    db_ok(db, OVSDB_UPDATE2, "{\"Port\":{\"" U2 "\":{\"delete\":null},\"" U3 "\":{\"delete\":null}}}");
    dep_reader_begin(&a);
    dep_reader_begin(&b);
    dep_reader_begin(&c);
    ovsdb_collect(db);
    intern_collect();
    assert_int_equal(intern_count(), texts);   /* Keys that nobody reads are gone. */

    /* By two columns, one a reference, made when rows are there; the row of the key goes, the key stays. */
    db_ok(db, OVSDB_UPDATE2, "{\"Port\":{\"" U1 "\":{\"insert\":{\"tag\":1,\"switch\":" R(SW) "}},\"" U2 "\":{\"insert\":{\"tag\":2,\"switch\":" R(SW) "}}}}");
    struct ovsdb_index *two = ovsdb_index_create(db, T_PORT, 2, (uint16_t[]) { P_SWITCH, P_TAG });
    struct ovsdb_row *sw = port(db, U1)->sw.row;
    assert_ptr_equal(ovsdb_index_get(two, &a, (union ovsdb_atom[]) { { .row = sw }, { .i = 2 } }), port(db, U2));
    assert_null(ovsdb_index_get(two, &b, (union ovsdb_atom[]) { { .row = sw }, { .i = 3 } }));
    db_ok(db, OVSDB_UPDATE2, "{\"Port\":{\"" U1 "\":{\"delete\":null},\"" U2 "\":{\"delete\":null}}}");
    assert_true(a.stale && !b.stale);
    ovsdb_collect(db);
    assert_int_equal(hmap_count(&ovsdb_table(db, T_SWITCH)->rows), 0);
    db_ok(db, OVSDB_UPDATE2, "{\"Port\":{\"" U1 "\":{\"insert\":{\"tag\":3,\"switch\":" R(SW) "}}}}");
    assert_true(b.stale);
    dep_reader_begin(&a);
    dep_reader_begin(&b);
    db_free(db);
}

struct seen {
    struct ovsdb_watch watch;
    int n, came, went;
    uint64_t changed;
    char name[32];
};

static void
see(struct ovsdb_watch *w, struct ovsdb_row *row, uint64_t changed)
{
    struct seen *seen = CONTAINER_OF(w, struct seen, watch);

    seen->n++;
    seen->changed = changed;
    seen->came += changed & OVSDB_PRESENT && row->present;
    seen->went += changed & OVSDB_PRESENT && !row->present;
    snprintf(seen->name, sizeof seen->name, "%s", row->table->digest ? "" : ((struct port *) row)->name.s);
}

static void
test_watch_and_replace(void **state)
{
    struct ovsdb *db = db_new();
    ovsdb_use_all(db);
    struct seen w = { .watch.cb = see };
    struct dep_reader members, tag;

    dep_reader_init(&members, note);
    dep_reader_init(&tag, note);
    ovsdb_watch(ovsdb_table(db, T_PORT), &w.watch);
    db_ok(db, OVSDB_UPDATE2, "{\"Port\":{\"" U1 "\":{\"insert\":{\"name\":\"a\",\"tag\":1}},\"" U2 "\":{\"insert\":{\"name\":\"b\"}}}}");
    assert_true(w.n == 2 && w.came == 2);
    struct ovsdb_row *p1 = get(db, T_PORT, U1, NULL);
    ovsdb_first(p1->table, &members);
    dep_read(&tag, &p1->source, OVSDB_COLUMN(P_TAG));
    db_ok(db, OVSDB_UPDATE2, "{\"Port\":{\"" U1 "\":{\"modify\":{\"name\":\"c\"}}}}");
    assert_true(w.n == 3 && w.changed == OVSDB_COLUMN(P_NAME) && !members.stale && !tag.stale);
    db_ok(db, OVSDB_UPDATE2, "{\"Port\":{\"" U1 "\":{\"modify\":{\"name\":\"c\"}}}}");
    assert_int_equal(w.n, 3);

    /* The same again: nobody hears. */
    uint64_t seqno = db->seqno;
    ovsdb_replica_replace_begin(db);
    db_ok(db, OVSDB_UPDATE2, "{\"Port\":{\"" U1 "\":{\"initial\":{\"name\":\"c\",\"tag\":1}},\"" U2 "\":{\"initial\":{\"name\":\"b\"}}}}");
    ovsdb_replica_replace_end(db);
    assert_true(db->seqno == seqno && w.n == 3 && !members.stale && !tag.stale);
    /* One changed by omission, one gone (seen with what it had), one new. */
    ovsdb_replica_replace_begin(db);
    db_ok(db, OVSDB_UPDATE2, "{\"Port\":{\"" U1 "\":{\"initial\":{\"name\":\"c\"}},\"" U3 "\":{\"initial\":{\"name\":\"d\"}}}}");
    assert_true(w.n == 5 && w.came == 3 && w.changed & OVSDB_PRESENT && tag.stale);
    ovsdb_replica_replace_end(db);
    assert_true(w.n == 6 && w.went == 1 && members.stale && ovsdb_count(p1->table) == 2);
    assert_string_equal(w.name, "b");
    int n = 0;
    OVSDB_FOR_EACH(row, p1->table, NULL) {
        n++;
    }
    assert_int_equal(n, 2);
    ovsdb_unwatch(&w.watch);
    dep_reader_begin(&tag);
    dep_reader_begin(&members);
    db_free(db);
}

static void
test_digest_table(void **state)
{
    struct ovsdb *db = db_new();
    ovsdb_use_digest(db, T_PORT, OVSDB_COLUMN(P_NAME) | OVSDB_COLUMN(P_SWITCH) | OVSDB_COLUMN(P_OPTIONS));
    struct seen w = { .watch.cb = see };
    struct ovsdb_record *r = ovsdb_record_create(T_PORT);
    struct uuid sw = uuid(SW);

    ovsdb_watch(ovsdb_table(db, T_PORT), &w.watch);
    size_t texts = intern_count();
    db_ok(db, OVSDB_UPDATE2, "{\"Port\":{\"" U1 "\":{\"initial\":{\"options\":[\"map\",[[\"k\",\"v\"],[\"a\",\"b\"]]],\"switch\":" R(SW) ","
          "\"tag\":9,\"name\":\"a text of its own\"}}}}");
    assert_int_equal(intern_count(), texts);
    struct ovsdb_row *row = get(db, T_PORT, U1, NULL);
    struct ovsdb_digest_row *d = (struct ovsdb_digest_row *) row;
    ovsdb_record_map(r, P_OPTIONS, "a", "b");
    ovsdb_record_map(r, P_OPTIONS, "k", "v");
    ovsdb_record_str(r, P_NAME, "a text of its own");
    ovsdb_record_uuid(r, P_SWITCH, &sw);
    assert_true(digest_equal(d->digest, ovsdb_record_digest(r, UINT64_MAX)));
    assert_true(w.n == 1 && w.came == 1);
    /* Not a column of the digest. */
    db_ok(db, OVSDB_UPDATE2, "{\"Port\":{\"" U1 "\":{\"modify\":{\"tag\":8}}}}");
    assert_int_equal(w.n, 1);
    db_ok(db, OVSDB_UPDATE2, "{\"Port\":{\"" U1 "\":{\"modify\":{\"options\":[\"map\",[[\"a\",\"c\"]]]}}}}");
    assert_true(w.n == 2 && !d->digest.lo && !d->digest.hi && w.changed == db->tables[0].digest_columns);
    ovsdb_record_map(r, P_OPTIONS, "a", "c");
    ovsdb_replica_replace_begin(db);
    db_ok(db, OVSDB_UPDATE2, "{\"Port\":{\"" U1 "\":{\"initial\":{\"options\":[\"map\",[[\"a\",\"c\"],[\"k\",\"v\"]]],\"switch\":" R(SW) ",\"name\":\"a text of its own\"}}}}");
    ovsdb_replica_replace_end(db);
    assert_true(w.n == 3 && digest_equal(d->digest, ovsdb_record_digest(r, UINT64_MAX)));
    db_ok(db, OVSDB_UPDATE2, "{\"Port\":{\"" U1 "\":{\"delete\":null}}}");
    assert_int_equal(w.went, 1);
    ovsdb_unwatch(&w.watch);
    ovsdb_record_destroy(r);
    db_free(db);
}

static void
test_malformed(void **state)
{
    static const char *const bad[] = {
        "[]", "1", "{\"Port\":1}", "{\"Port\":{\"x\":{}}}", "{\"Port\":{\"" U1 "\":1}}",
        "{\"Port\":{\"" U1 "\":{\"insert\":null}}}", "{\"Port\":{\"" U1 "\":{\"insert\":{\"name\":1}}}}",
        "{\"Port\":{\"" U1 "\":{\"insert\":{\"name\":\"x\",\"tag\":\"y\"}}}}",
        "{\"Port\":{\"" U1 "\":{\"insert\":{\"name\":[\"set\",[]]}}}}",
        "{\"Port\":{\"" U1 "\":{\"insert\":{\"opt\":[\"set\",[1,2]]}}}}",
        "{\"Port\":{\"" U1 "\":{\"insert\":{\"addrs\":[\"set\",[\"a\",\"b\",3]]}}}}",
        "{\"Port\":{\"" U1 "\":{\"insert\":{\"options\":[\"map\",[[\"a\",\"b\"],[\"c\",4]]]}}}}",
        "{\"Port\":{\"" U1 "\":{\"insert\":{\"options\":[\"map\",[[\"a\",\"b\",\"c\"]]]}}}}",
        "{\"Port\":{\"" U1 "\":{\"insert\":{\"peers\":[\"set\",[" R(U2) ",[\"uuid\",\"zz\"]]]}}}}",
        "{\"Port\":{\"" U1 "\":{\"insert\":{\"switch\":[\"named-uuid\",\"a\"]}}}}",
        "{\"Port\":{\"" U1 "\":{\"insert\":{\"name\":\"a\\u0000b\"}}}}",
        "{\"Port\":{\"" U1 "\":{\"insert\":{\"name\":\"a\"", "{\"Port\":{\"" U1 "\":{\"modify\":{\"addrs\":[\"set\",[\"x\"", "",
    };
    struct ovsdb *db = db_new();
    ovsdb_use_all(db);
    ovsdb_index_create(db, T_PORT, 1, (uint16_t[]) { P_NAME });

    for (int round = 0; round < 2; round++) {
        for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
            char *error = db_apply(db, OVSDB_UPDATE2, bad[i]);
            if (!error) {
                fail_msg("accepted: %s", bad[i]);
            }
            free(error);
        }
        db_ok(db, OVSDB_UPDATE2, "{\"Port\":{\"" U1 "\":{\"insert\":{\"name\":\"good\"}}}}");
    }
    assert_string_equal(port(db, U1)->name.s, "good");
    db_free(db);
}

/* Sets and maps of many elements, changed one at a time and many at once. */
static void
test_large_set(void **state)
{
    enum { N = 10000 };
    struct ovsdb *db = db_new();
    ovsdb_use_all(db);
    struct str s = STR_INIT;

    str_puts(&s, "{\"Port\":{\"" U1 "\":{\"insert\":{\"nums\":[\"set\",[");
    for (int i = 0; i < N; i++) {
        str_printf(&s, "%s%d", i ? "," : "", i * 7919 % N * 2);
    }
    str_puts(&s, "]]}}}}");
    db_ok(db, OVSDB_UPDATE2, str_c(&s));
    struct port *p = port(db, U1);
    assert_int_equal(p->nums.n, N);
    for (int i = 0; i < N; i++) {
        assert_int_equal(p->nums.v[i].i, i * 2);
    }
    db_ok(db, OVSDB_UPDATE2, "{\"Port\":{\"" U1 "\":{\"modify\":{\"nums\":[\"set\",[5001,20001,-1,0]]}}}}");
    assert_true(p->nums.n == N + 2 && p->nums.v[0].i == -1 && p->nums.v[1].i == 2 && p->nums.v[2501].i == 5001);
    str_clear(&s);
    str_puts(&s, "{\"Port\":{\"" U1 "\":{\"modify\":{\"nums\":[\"set\",[");
    for (int i = 2; i < N * 2; i++) {
        str_printf(&s, "%d%s", i, i + 1 < N * 2 ? "," : "");
    }
    str_puts(&s, "]]}}}}");
    db_ok(db, OVSDB_UPDATE2, str_c(&s));       /* Even ones go, odd ones come but for 5001. */
    assert_int_equal(p->nums.n, 1 + N - 1 - 1 + 1);
    assert_true(p->nums.v[1].i == 3 && p->nums.v[2500].i == 5003);
    str_free(&s);
    db_free(db);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_insert_modify_delete),
        cmocka_unit_test(test_columns_in_use),
        cmocka_unit_test(test_references),
        cmocka_unit_test(test_many_referrers),
        cmocka_unit_test(test_indexes),
        cmocka_unit_test(test_watch_and_replace),
        cmocka_unit_test(test_digest_table),
        cmocka_unit_test(test_malformed),
        cmocka_unit_test(test_large_set),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* Random changes against a model. After each message:
 *   - the replica equals the model, its referrers and indexes equal what a walk over all rows finds;
 *   - so does a replica that gets everything anew, and one that replaces an older content;
 *   - exactly those readers were notified whose reading changed. */
#include "ovsdb/testdb.h"

enum { N_PORTS = 12, N_SWITCHES = 5, N_ELEMENTS = 24, ROUNDS = 400 };

/* A row: a set as bits, a map as a value for each key (0: not there). */
struct model_row {
    bool present;
    int name, tag, weight, up, opt, optname, sw, id;
    uint32_t addrs, nums, peers;
    uint8_t options[N_ELEMENTS], links[6];
    uint32_t ports;
    int first;
};
struct model {
    struct model_row ports[N_PORTS], switches[N_SWITCHES];
};

static uint32_t seed = 1;

static uint32_t
rnd(uint32_t n)
{
    seed = seed * 1664525 + 1013904223;
    return (seed >> 8) % n;
}

static void
put_uuid(struct str *s, struct uuid u)
{
    str_printf(s, UUID_FMT, UUID_ARGS(&u));
}

static void
put_ref(struct str *s, int table, int n)
{
    str_puts(s, "[\"uuid\",\"");
    put_uuid(s, test_uuid(table, n));
    str_puts(s, "\"]");
}

static void
put_column(struct str *s, const char *name)
{
    if (s->s[s->len - 1] != '{') {
        str_putc(s, ',');
    }
    str_printf(s, "\"%s\":", name);
}

/* A set: bits, in a random order. kind: 't' texts, 'i' integers, 'p' ports. */
static void
put_set(struct str *s, const char *name, uint32_t bits, char kind, bool always)
{
    if (!bits && !always) {
        return;
    }
    put_column(s, name);
    str_puts(s, "[\"set\",[");
    int start = rnd(N_ELEMENTS), n = 0;
    for (int k = 0; k < N_ELEMENTS; k++) {
        int i = (start + k) % N_ELEMENTS;
        if (bits >> i & 1) {
            str_puts(s, n++ ? "," : "");
            if (kind == 't') {
                str_printf(s, "\"text %d\"", i);
            } else if (kind == 'i') {
                str_printf(s, "%d", i - 5);
            } else {
                put_ref(s, 0, i);
            }
        }
    }
    str_puts(s, "]]");
}

static void
put_map(struct str *s, const char *name, const uint8_t *v, const uint8_t *old, int n, bool refs, bool always)
{
    bool any = always;

    if (always) {
        put_column(s, name);
        str_puts(s, "[\"map\",[");
    }
    for (int i = 0; i < n; i++) {
        int value = !old ? v[i] : old[i] == v[i] ? 0 : v[i] ? v[i] : old[i];
        if (value) {
            if (!any) {
                put_column(s, name);
            }
            str_puts(s, s->s[s->len - 1] == ']' ? "," : any ? "" : "[\"map\",[");
            any = true;
            str_printf(s, "[\"key %d\",", i);
            if (refs) {
                put_ref(s, 1, value);
            } else {
                str_printf(s, "\"value %d\"", value);
            }
            str_putc(s, ']');
        }
    }
    if (any) {
        str_puts(s, "]]");
    }
}

/* The columns in which NEW differs from OLD (NULL: from the defaults), as differences if OLD. With ALL, every column. */
static void
put_port(struct str *s, const struct model_row *new, const struct model_row *old, bool all)
{
    static const struct model_row none = { .present = true };
    const struct model_row *o = old ? old : &none;

    if (all || new->name != o->name) {
        put_column(s, "name");
        new->name ? str_printf(s, "\"name %d\"", new->name) : str_puts(s, "\"\"");
    }
    if (all || new->tag != o->tag) {
        put_column(s, "tag");
        str_printf(s, "%d", new->tag);
    }
    if (all || new->weight != o->weight) {
        put_column(s, "weight");
        str_printf(s, "%de-1", new->weight);
    }
    if (all || new->up != o->up) {
        put_column(s, "up");
        str_puts(s, new->up ? "true" : "false");
    }
    if (all || new->opt != o->opt) {
        put_column(s, "opt");
        new->opt ? str_printf(s, "%d", new->opt - 1) : str_puts(s, "[\"set\",[]]");
    }
    if (all || new->optname != o->optname) {
        put_column(s, "optname");
        new->optname ? str_printf(s, "[\"set\",[\"o%d\"]]", new->optname) : str_puts(s, "[\"set\",[]]");
    }
    put_set(s, "addrs", new->addrs ^ (old ? o->addrs : 0), 't', all);
    put_set(s, "nums", new->nums ^ (old ? o->nums : 0), 'i', all);
    put_set(s, "peers", new->peers ^ (old ? o->peers : 0), 'p', all);
    put_map(s, "options", new->options, old ? o->options : NULL, N_ELEMENTS, false, all);
    put_map(s, "links", new->links, old ? o->links : NULL, ARRAY_SIZE(new->links), true, all);
    if (all || new->sw != o->sw || !old) {
        put_column(s, "switch");
        put_ref(s, 1, new->sw);
    }
    if (new->id != o->id || !old || all) {
        put_column(s, "id");
        put_ref(s, 7, new->id);
    }
}

static void
put_switch(struct str *s, const struct model_row *new, const struct model_row *old, bool all)
{
    if (all || new->name != (old ? old->name : 0)) {
        put_column(s, "name");
        new->name ? str_printf(s, "\"name %d\"", new->name) : str_puts(s, "\"\"");
    }
    put_set(s, "ports", new->ports ^ (old ? old->ports : 0), 'p', all);
    if (all || new->first != (old ? old->first : 0)) {
        put_column(s, "first");
        new->first ? put_ref(s, 0, new->first - 1) : str_puts(s, "[\"set\",[]]");
    }
}

static void
put_rows(struct str *s, int table, const struct model_row *new, const struct model_row *old, int n,
         enum ovsdb_update_kind kind)
{
    void (*put)(struct str *, const struct model_row *, const struct model_row *, bool) = table ? put_switch : put_port;
    bool first = true;

    str_printf(s, "\"%s\":{", table ? "Switch" : "Port");
    for (int i = 0; i < n; i++) {
        bool was = old && old[i].present, is = new[i].present;
        if ((!was && !is) || (was && is && !memcmp(&old[i], &new[i], sizeof *new))) {
            continue;
        }
        str_puts(s, first ? "\"" : ",\"");
        first = false;
        put_uuid(s, test_uuid(table, i));
        if (!is) {
            str_puts(s, kind == OVSDB_UPDATE ? "\":{\"old\":{}}" : "\":{\"delete\":null}");
        } else {
            str_puts(s, kind == OVSDB_UPDATE ? "\":{\"new\":{" : was ? "\":{\"modify\":{" : "\":{\"insert\":{");
            put(s, &new[i], was && kind == OVSDB_UPDATE2 ? &old[i] : NULL, kind == OVSDB_UPDATE);
            str_puts(s, kind == OVSDB_UPDATE && was ? "},\"old\":{}}" : "}}");
        }
    }
    str_putc(s, '}');
}

static void
apply(struct ovsdb *db, const struct model *new, const struct model *old, enum ovsdb_update_kind kind)
{
    struct str s = STR_INIT;

    str_putc(&s, '{');
    put_rows(&s, 1, new->switches, old ? old->switches : NULL, N_SWITCHES, kind);
    str_putc(&s, ',');
    put_rows(&s, 0, new->ports, old ? old->ports : NULL, N_PORTS, kind);
    str_putc(&s, '}');
    db_ok(db, kind, str_c(&s));
    str_free(&s);
}

static void
change(struct model *m)
{
    for (int k = 1 + rnd(4); k; k--) {
        struct model_row *p = &m->ports[rnd(N_PORTS)], *s = &m->switches[rnd(N_SWITCHES)];
        if (!p->present || !rnd(8)) {
            memset(p, 0, sizeof *p);
            p->present = rnd(3) > 0;
            p->sw = p->id = p->present;    /* Absent is absent: nothing is left to differ. */
        }
        if (p->present) {
            switch (rnd(12)) {
            case 0: p->name = rnd(4); break;
            case 1: p->tag = rnd(3); break;
            case 2: p->weight = rnd(3); break;
            case 3: p->up = rnd(2); break;
            case 4: p->opt = rnd(4); break;
            case 5: p->optname = rnd(3); break;
            case 6: p->addrs ^= rnd(4) ? 1u << rnd(N_ELEMENTS) : rnd(1u << N_ELEMENTS); break;
            case 7: p->nums ^= rnd(4) ? 1u << rnd(N_ELEMENTS) : rnd(1u << N_ELEMENTS); break;
            case 8: p->peers ^= rnd(4) ? 1u << rnd(N_PORTS + 2) : rnd(1u << (N_PORTS + 2)); break;
            case 9:
                p->options[rnd(N_ELEMENTS)] = rnd(3);
                for (int i = rnd(4) ? N_ELEMENTS : 0; i < N_ELEMENTS; i++) {
                    p->options[i] = rnd(4);
                }
                break;
            case 10: p->links[rnd(ARRAY_SIZE(p->links))] = rnd(N_SWITCHES); break;
            case 11: p->sw = rnd(N_SWITCHES + 2); p->id = 1 + rnd(3); break;
            }
        }
        if (!s->present || !rnd(10)) {
            memset(s, 0, sizeof *s);
            s->present = rnd(3) > 0;
        } else {
            s->ports ^= 1u << rnd(N_PORTS + 2);
            s->first = rnd(N_PORTS + 1);
            s->name = 1 + rnd(3);
        }
    }
}

/* ---- looking ---- */

static void
put_content(struct str *s, const struct ovsdb_row *row, uint64_t columns)
{
    struct ovsdb_record *r = ovsdb_record_create(row->table->desc);
    for (uint16_t c = 0; c < row->table->desc->n_columns; c++) {
        if (columns >> c & 1) {
            ovsdb_record_copy(r, c, row);
        }
    }
    ovsdb_record_put_json(r, UINT64_MAX, s);
    ovsdb_record_destroy(r);
}

static int
compare_uuids(const void *a, const void *b)
{
    return uuid_compare(&(*(struct ovsdb_row *const *) a)->uuid, &(*(struct ovsdb_row *const *) b)->uuid);
}

static void
put_sorted(struct str *s, struct ovsdb_row **rows, size_t n)
{
    qsort(rows, n, sizeof *rows, compare_uuids);
    for (size_t i = 0; i < n; i++) {
        put_uuid(s, rows[i]->uuid);
        str_putc(s, ' ');
    }
}

static void
put_referrers(struct str *s, struct ovsdb_row *row, uint16_t from, uint16_t column, struct dep_reader *by)
{
    struct ovsdb_row *rows[N_PORTS + N_SWITCHES];
    struct ovsdb_referrer_iter i;
    size_t n = 0;

    OVSDB_FOR_EACH_REFERRER(r, &i, row, &test_tables[from], column, by) {
        assert_true(r->present && n < ARRAY_SIZE(rows));
        rows[n++] = r;
    }
    put_sorted(s, rows, n);
}

/* Who refers to ROW, by looking at everybody. */
static void
put_referrers_slowly(struct str *s, struct ovsdb *db, struct ovsdb_row *row, uint16_t from, uint16_t column)
{
    struct ovsdb_row *rows[N_PORTS + N_SWITCHES];
    const struct ovsdb_column_desc *c = &test_tables[from].columns[column];
    size_t n = 0;

    OVSDB_FOR_EACH(r, &db->tables[from], NULL) {
        size_t k;
        const union ovsdb_atom *a = ovsdb_row_atoms(r, c, &k);
        for (size_t i = 0; i < k * ovsdb_stride(c); i++) {
            if (ovsdb_base(c, i)->ref && a[i].row == row) {
                rows[n++] = r;
                break;
            }
        }
    }
    put_sorted(s, rows, n);
}

static const struct { uint16_t from, column, to; } relations[] = {
    { 0, P_SWITCH, 1 }, { 0, P_PEERS, 0 }, { 0, P_LINKS, 1 }, { 1, S_PORTS, 0 }, { 1, S_FIRST, 0 },
};

static char *
dump(struct ovsdb *db)
{
    struct str s = STR_INIT;

    for (int table = 0; table < 2; table++) {
        for (int i = 0; i < N_PORTS + 2; i++) {
            struct uuid u = test_uuid(table, i);
            struct ovsdb_row *row = ovsdb_row_find(&db->tables[table], &u);
            if (!row) {
                continue;
            }
            if (row->present) {
                put_content(&s, row, UINT64_MAX);
            }
            for (size_t k = 0; k < ARRAY_SIZE(relations); k++) {
                if (relations[k].to == table) {
                    size_t start = s.len;
                    put_referrers(&s, row, relations[k].from, relations[k].column, NULL);
                    struct str slow = STR_INIT;
                    put_referrers_slowly(&slow, db, row, relations[k].from, relations[k].column);
                    assert_string_equal(s.s ? s.s + start : "", str_c(&slow));
                    str_free(&slow);
                }
            }
            if (row->present || row->n_referrers) {
                str_printf(&s, " %d.%d\n", table, i);
            }
        }
    }
    return str_steal(&s);
}

static void
put_index(struct str *s, struct ovsdb_index *index, const union ovsdb_atom *key, struct dep_reader *by)
{
    struct ovsdb_row *const *rows;
    size_t n = ovsdb_index_find(index, by, key, &rows);
    for (size_t i = 0; i < n; i++) {
        assert_true(!i || uuid_compare(&rows[i - 1]->uuid, &rows[i]->uuid) < 0);
        put_uuid(s, rows[i]->uuid);
        str_putc(s, ' ');
    }
}

static void
name_of(char name[32], int n)
{
    snprintf(name, 32, "name %d", n);
    name[n ? 31 : 0] = '\0';
}

/* The index by name has what looking at everybody finds. */
static void
check_index(struct ovsdb *db, struct ovsdb_index *by_name)
{
    for (int k = 0; k < 4; k++) {
        struct ovsdb_row *rows[N_PORTS];
        struct str s = STR_INIT, slow = STR_INIT;
        char name[32];
        size_t n = 0;

        name_of(name, k);
        OVSDB_FOR_EACH(row, &db->tables[0], NULL) {
            if (str_eq(((struct port *) row)->name.s, name)) {
                rows[n++] = row;
            }
        }
        put_sorted(&slow, rows, n);
        put_index(&s, by_name, &(union ovsdb_atom) { .s = name }, NULL);
        assert_string_equal(str_c(&s), str_c(&slow));
        str_free(&s);
        str_free(&slow);
    }
}

/* ---- readers ---- */

struct probe {
    struct dep_reader reader;
    int kind, row, a, b;
    char *seen;
};

static void
note(struct dep_reader *r)
{
}

static char *
look(struct ovsdb *db, struct ovsdb_index *indexes[], struct probe *p, struct dep_reader *by)
{
    struct str s = STR_INIT;
    struct uuid u = test_uuid(0, p->row);

    if (p->kind == 0) {
        struct ovsdb_row *row = ovsdb_get(&db->tables[0], &u, by);
        str_puts(&s, row ? "present" : "absent");
        if (row) {
            dep_read(by, &row->source, OVSDB_COLUMN(p->a));
            put_content(&s, row, OVSDB_COLUMN(p->a));
        }
    } else if (p->kind == 1) {
        char name[32];
        name_of(name, p->a);
        put_index(&s, indexes[0], &(union ovsdb_atom) { .s = name }, by);
    } else if (p->kind == 2) {
        put_index(&s, indexes[1], (union ovsdb_atom[]) { { .i = p->a }, { .i = p->b } }, by);
    } else if (p->kind == 3) {
        ovsdb_get(&db->tables[0], &u, by);
        put_referrers(&s, ovsdb_row_make(&db->tables[0], &u), 1, S_PORTS, by);
        str_puts(&s, ovsdb_get(&db->tables[0], &u, NULL) ? "present" : "absent");
    } else {
        ovsdb_first(&db->tables[0], by);
        for (int i = 0; i < N_PORTS; i++) {
            u = test_uuid(0, i);
            str_puts(&s, ovsdb_get(&db->tables[0], &u, NULL) ? "1" : "0");
        }
    }
    return str_steal(&s);
}

static void
run(int kind)
{
    struct ovsdb *db = db_new();
    static struct probe probes[60];
    struct model m, old, older;
    struct ovsdb_index *indexes[2];

    memset(&m, 0, sizeof m);
    memset(&older, 0, sizeof older);
    ovsdb_use_all(db);
    indexes[0] = ovsdb_index_create(db, T_PORT, 1, (uint16_t[]) { P_NAME });
    indexes[1] = ovsdb_index_create(db, T_PORT, 2, (uint16_t[]) { P_OPT, P_TAG });
    for (size_t i = 0; i < ARRAY_SIZE(probes); i++) {
        probes[i] = (struct probe) { .kind = rnd(5), .row = rnd(N_PORTS), .a = rnd(P_N), .b = rnd(3) };
        dep_reader_init(&probes[i].reader, note);
        probes[i].seen = look(db, indexes, &probes[i], &probes[i].reader);
    }
    for (int round = 0; round < ROUNDS; round++) {
        old = m;
        change(&m);
        uint64_t seqno = db->seqno;
        apply(db, &m, &old, kind);
        assert_int_equal(db->seqno != seqno, memcmp(&m, &old, sizeof m) != 0);
        char *now = dump(db);
        check_index(db, indexes[0]);

        for (size_t i = 0; i < ARRAY_SIZE(probes); i++) {
            struct probe *p = &probes[i];
            char *seen = look(db, indexes, p, NULL);
            if (p->reader.stale != !str_eq(seen, p->seen)) {
                fail_msg("round %d, probe %zu of kind %d: %s: %s -> %s", round, i, p->kind,
                         p->reader.stale ? "notified" : "not notified", p->seen, seen);
            }
            if (p->reader.stale) {
                dep_reader_begin(&p->reader);
                free(p->seen);
                p->seen = look(db, indexes, p, &p->reader);
            }
            free(seen);
        }
        if (round % 20 == 0) {
            struct ovsdb *fresh = db_new(), *replaced = db_new();
            ovsdb_use_all(fresh);
            ovsdb_use_all(replaced);
            struct ovsdb_index *by_name = ovsdb_index_create(replaced, T_PORT, 1, (uint16_t[]) { P_NAME });
            apply(fresh, &m, NULL, round % 40 ? OVSDB_UPDATE : OVSDB_UPDATE2);
            apply(replaced, &older, NULL, OVSDB_UPDATE2);
            ovsdb_replica_replace_begin(replaced);
            apply(replaced, &m, NULL, OVSDB_UPDATE2);
            ovsdb_replica_replace_end(replaced);
            check_index(replaced, by_name);
            char *f = dump(fresh), *r = dump(replaced);
            assert_string_equal(now, f);
            assert_string_equal(now, r);
            /* Replacing by the same changes nothing. */
            seqno = replaced->seqno;
            ovsdb_replica_replace_begin(replaced);
            apply(replaced, &m, NULL, OVSDB_UPDATE2);
            ovsdb_replica_replace_end(replaced);
            assert_int_equal(replaced->seqno, seqno);
            free(f);
            free(r);
            db_free(fresh);
            db_free(replaced);
            older = m;
        }
        free(now);
        ovsdb_collect(db);
        intern_collect();
    }
    for (size_t i = 0; i < ARRAY_SIZE(probes); i++) {
        dep_reader_begin(&probes[i].reader);
        free(probes[i].seen);
    }
    memset(&m.ports, 0, sizeof m.ports);
    old = m;
    memset(&m, 0, sizeof m);
    ovsdb_replica_replace_begin(db);
    ovsdb_replica_replace_end(db);
    ovsdb_collect(db);
    assert_int_equal(hmap_count(&db->tables[0].rows) + hmap_count(&db->tables[1].rows), 0);
    db_free(db);
    intern_collect();
    assert_int_equal(intern_count(), 2);       /* The two blanks: every other text was given back. */
}

static void
test_differences(void **state)
{
    struct test_seeds seeds = test_seeds(5);

    for (uint64_t n; test_seeds_next(&seeds, &n); ) {
        seed = n * 1000003;
        run(OVSDB_UPDATE2);
    }
}

static void
test_whole_rows(void **state)
{
    seed = 77;
    run(OVSDB_UPDATE);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_differences),
        cmocka_unit_test(test_whole_rows),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

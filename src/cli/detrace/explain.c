/* explain.c - cookies, explained: the southbound rows whose UUIDs begin so, and the northbound rows behind those.
 *
 * What a batch of lines asks is read together: three transactions southbound (the rows; what they refer to; the members of datapath groups) and one
 * northbound, whatever the number of lines. The texts are kept, as a table of flows has a cookie often more than once. */
#include <stdio.h>
#include <stdlib.h>

#include "cli/common/northbound.h"
#include "cli/detrace/detrace.h"
#include "runtime/daemon.h"
#include "schema/nb.h"
#include "schema/sb.h"

enum { MAX_KEPT = 64 << 20, ROUNDS = 2, MAX_TABLES = 64 };

struct explanation {
    struct hmap_node node;
    uint32_t cookie;
    char *text;                        /* NULL: not known yet. */
};

void
explainer_init(struct explainer *e, struct loop *loop, const char *sb_remotes, const char *nb_remotes, bool leader_only)
{
    *e = (struct explainer) { .bytes = 0 };
    hmap_init(&e->explained);
    source_init(&e->sb, loop, &sb_db, sb_remotes, leader_only);
    source_init(&e->nb, loop, &nb_db, nb_remotes, leader_only);
}

static void
forget(struct explainer *e)
{
    HMAP_FOR_EACH_SAFE (x, struct explanation, node, &e->explained) {
        free(x->text);
        free(x);
    }
    hmap_destroy(&e->explained);
    hmap_init(&e->explained);
    e->bytes = 0;
}

void
explainer_destroy(struct explainer *e)
{
    forget(e);
    hmap_destroy(&e->explained);
    source_destroy(&e->sb);
    source_destroy(&e->nb);
}

static struct explanation *
find(const struct explainer *e, uint32_t cookie)
{
    HMAP_FOR_EACH_HASH (x, struct explanation, node, cookie, &e->explained) {
        return x;                      /* The hash is the cookie. */
    }
    return NULL;
}

const char *
explainer_text(const struct explainer *e, uint32_t cookie)
{
    const struct explanation *x = find(e, cookie);

    return x && x->text ? x->text : "";
}

/* ---- northbound ---- */

static const struct northbound_kind *
northbound_kind(const struct ovsdb_table_desc *t)
{
    for (size_t i = 0; i < n_northbound_kinds; i++) {
        if (northbound_kinds[i].table == t) {
            return &northbound_kinds[i];
        }
    }
    return NULL;
}

static uint64_t
northbound_columns(const struct ovsdb_table_desc *t)
{
    return describe_columns(t, northbound_kind(t)->line);
}

/* Whether the northbound database answers; if not, that is said once. */
static bool
northbound_ready(struct explainer *e)
{
    const struct ovsdb_table_desc *tables[MAX_TABLES];

    REQUIRE(n_northbound_kinds <= MAX_TABLES);
    for (size_t i = 0; i < n_northbound_kinds; i++) {
        tables[i] = northbound_kinds[i].table;
    }
    if (e->nb.error || !source_index(&e->nb, n_northbound_kinds, tables)) {
        if (!e->nb_warned) {
            fprintf(stderr, "%s: %s: northbound objects are not shown (--ovnnb says where they are)\n", program_name(), e->nb.error);
            e->nb_warned = true;
        }
        return false;
    }
    return true;
}

static void
want_northbound(struct explainer *e, const struct source_uuid *row)
{
    uint32_t first;
    size_t n;

    if (southbound_hint(&e->sb, row->table, &row->uuid, &first) && northbound_ready(e)) {
        const struct source_uuid *found = source_find(&e->nb, first, &n);
        for (size_t i = 0; i < n; i++) {
            source_want(&e->nb, found[i].table, &found[i].uuid);
        }
    }
}

static void
put_northbound(struct explainer *e, const struct source_uuid *row, struct str *out)
{
    uint32_t first;
    size_t n;

    if (e->nb.error || !southbound_hint(&e->sb, row->table, &row->uuid, &first)) {
        return;
    }
    const struct source_uuid *found = source_find(&e->nb, first, &n);
    for (size_t i = 0; i < n; i++) {
        const struct datum *cells = source_row(&e->nb, found[i].table, &found[i].uuid);
        if (cells) {
            str_puts(out, "   * ");
            describe_row(found[i].table, northbound_kind(found[i].table)->line, cells, out);
            str_printf(out, " (" UUID_FMT ")\n", UUID_ARGS(&found[i].uuid));
        }
    }
}

/* ---- cookies ---- */

static bool
southbound_ready(struct explainer *e)
{
    const struct ovsdb_table_desc *tables[MAX_TABLES];
    size_t n = 0;

    while ((tables[n] = southbound_table(n))) {
        REQUIRE(++n < MAX_TABLES);
    }
    return source_index(&e->sb, n, tables);
}

/* Calls CB for each southbound row that COOKIE may mean, table by table. */
static void
for_each_row(struct explainer *e, uint32_t cookie, void (*cb)(struct explainer *, const struct source_uuid *, bool again, void *aux), void *aux)
{
    size_t n;
    const struct source_uuid *found = source_find(&e->sb, cookie, &n);

    for (size_t t = 0; n && southbound_table(t); t++) {
        bool again = false;
        for (size_t i = 0; i < n; i++) {
            if (found[i].table == southbound_table(t)) {
                cb(e, &found[i], again, aux);
                again = true;
            }
        }
    }
}

static void
want_row(struct explainer *e, const struct source_uuid *row, bool again UNUSED, void *aux UNUSED)
{
    source_want(&e->sb, row->table, &row->uuid);
}

static void
want_related(struct explainer *e, const struct source_uuid *row, bool again UNUSED, void *aux UNUSED)
{
    southbound_want_related(&e->sb, row->table, &row->uuid);
}

static void
want_hinted(struct explainer *e, const struct source_uuid *row, bool again UNUSED, void *aux UNUSED)
{
    want_northbound(e, row);
}

static void
put_row(struct explainer *e, const struct source_uuid *row, bool again, void *out_)
{
    struct str *out = out_;
    size_t before = out->len;

    if (again) {
        str_puts(out, "   * [Duplicate uuid cookie]\n");
    }
    size_t begin = out->len;
    southbound_put(&e->sb, row->table, &row->uuid, out);
    put_northbound(e, row, out);
    if (out->len == begin) {
        str_truncate(out, before);
    }
}

bool
explainer_prepare(struct explainer *e, const struct scan_mark *marks, size_t n)
{
    struct explanation **fresh = NULL;
    size_t n_fresh = 0, cap = 0;

    if (e->bytes > MAX_KEPT) {
        forget(e);
    }
    for (size_t i = 0; i < n; i++) {
        if (marks[i].kind == SCAN_COOKIE && !find(e, marks[i].number)) {
            GROW(fresh, cap, n_fresh + 1);
            fresh[n_fresh] = XNEW(struct explanation);
            fresh[n_fresh]->cookie = marks[i].number;
            hmap_insert(&e->explained, &fresh[n_fresh]->node, marks[i].number);
            n_fresh++;
        }
    }
    bool ok = !n_fresh || southbound_ready(e);
    for (int round = 0; ok && n_fresh && round <= ROUNDS; round++) {
        for (size_t i = 0; i < n_fresh; i++) {
            for_each_row(e, fresh[i]->cookie, round ? want_related : want_row, NULL);
        }
        ok = source_fetch(&e->sb, southbound_columns);
    }
    for (size_t i = 0; ok && i < n_fresh; i++) {
        for_each_row(e, fresh[i]->cookie, want_hinted, NULL);
    }
    if (ok && !source_fetch(&e->nb, northbound_columns)) {
        northbound_ready(e);           /* Says so. */
    }
    for (size_t i = 0; ok && i < n_fresh; i++) {
        struct str out = STR_INIT;
        for_each_row(e, fresh[i]->cookie, put_row, &out);
        e->bytes += sizeof **fresh + out.cap;
        fresh[i]->text = out.len ? str_steal(&out) : NULL;
        str_free(&out);
    }
    source_forget(&e->sb);
    source_forget(&e->nb);
    free(fresh);
    return ok;
}

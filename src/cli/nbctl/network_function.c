/* network_function.c - nf-*: machines into whose way packets are put; nfg-*: groups of them that ACLs name.
 *
 * Both have a number of 1 to 255 that the data path carries; of functions, the lowest free one if none is given. */
#include "cli/nbctl/nbctl.h"

#include <limits.h>

static const struct ovsdb_table_desc *const NF = &nb_table_network_function, *const NFG = &nb_table_network_function_group;

#define NF_COL(C) OVSDB_COLUMN(NB_NETWORK_FUNCTION_##C)
#define NFG_COL(C) OVSDB_COLUMN(NB_NETWORK_FUNCTION_GROUP_##C)

/* ---- functions ---- */

/* nf-add NF [ID] INPORT [OUTPORT]: whether the second argument is a number. */
static bool
has_id(struct ctl *c, int64_t *id)
{
    return ctl_arg(c, 3) && noun_parse_int(c, ctl_arg(c, 2), 1, 255, id);
}

static const char *
nf_add_needs(struct ctl *c)
{
    int64_t id;

    ctl_need_all(c, NF, NF_COL(NAME) | NF_COL(ID));
    for (int i = has_id(c, &id) ? 3 : 2; ctl_arg(c, i); i++) {
        noun_need(c, &noun_port, ctl_arg(c, i), 0);
    }
    return NULL;
}

/* A number that no row of T has in COLUMN; *id 0: the lowest. */
static const char *
choose_id(struct ctl *c, const struct ovsdb_table_desc *t, uint16_t column, int64_t *id)
{
    size_t n;
    struct view_row **rows = view_rows(&c->view, t, &n);
    bool used[256] = { false };

    for (size_t i = 0; i < n; i++) {
        used[view_int(rows[i], column, 0) & 255] = true;
    }
    if (*id) {
        return used[*id] ? ctl_error(c, "id %lld is already used in table %s", (long long) *id, t->name) : NULL;
    }
    for (*id = 1; *id < 256 && used[*id]; (*id)++) {
    }
    return *id < 256 ? NULL : ctl_error(c, "all ids of table %s, 1 to 255, are used", t->name);
}

static const char *
nf_add(struct ctl *c)
{
    struct view_row *nf, *in, *out = NULL;
    int64_t id = 0;
    int first = has_id(c, &id) ? 3 : 2;

    TRY(ctl_check_has(c, NF, NULL));
    if (c->call->argc > first + 2) {
        return ctl_error(c, "%s: id must be in the range 1...255", ctl_arg(c, 2));
    }
    TRY(noun_find(c, &noun_nf, ctl_arg(c, 1), false, &nf));
    if (nf && !ctl_has(c, "--may-exist")) {
        return ctl_error(c, "%s: a network function with this name already exists", ctl_arg(c, 1));
    }
    TRY(noun_find(c, &noun_port, ctl_arg(c, first), true, &in));
    if (ctl_arg(c, first + 1)) {
        TRY(noun_find(c, &noun_port, ctl_arg(c, first + 1), true, &out));
    }
    if (!nf || (id && view_int(nf, NB_NETWORK_FUNCTION_ID, 0) != id)) {
        TRY(choose_id(c, NF, NB_NETWORK_FUNCTION_ID, &id));
        if (!nf) {
            TRY(noun_insert(c, &noun_nf, ctl_arg(c, 1), "a network function", false, &nf));
        }
        view_set(nf, NB_NETWORK_FUNCTION_ID, datum_of_int(&c->arena, id));
    }
    noun_set_ref(c, nf, NB_NETWORK_FUNCTION_INPORT, in);
    if (out) {
        noun_set_ref(c, nf, NB_NETWORK_FUNCTION_OUTPORT, out);
    } else {
        noun_clear(nf, NB_NETWORK_FUNCTION_OUTPORT);
    }
    return NULL;
}

static const char *
nf_needs(struct ctl *c)
{
    noun_need(c, &noun_nf, ctl_arg(c, 1), 0);
    return NULL;
}

static const char *
nf_del(struct ctl *c)
{
    struct view_row *nf;

    TRY(noun_find(c, &noun_nf, ctl_arg(c, 1), !ctl_has(c, "--if-exists"), &nf));
    if (nf) {
        view_delete(nf);
    }
    return NULL;
}

static const char *
nf_list_needs(struct ctl *c)
{
    ctl_need_all(c, NF, NF_COL(NAME) | NF_COL(INPORT) | NF_COL(OUTPORT) | NF_COL(ID));
    noun_expect(c, &nb_table_logical_switch_port, NB_LSP(NAME));
    return NULL;
}

/* " WHAT:NAME" of the port that COLUMN refers to. */
static const char *
print_port(struct ctl *c, struct view_row *nf, uint16_t column, const char *what)
{
    struct view_row **ports;
    size_t n;

    TRY(noun_members(c, nf, column, NB_LSP(NAME), &ports, &n));
    if (n) {
        ctl_print(c, " %s:%s", what, view_str(ports[0], NB_LOGICAL_SWITCH_PORT_NAME));
    }
    return NULL;
}

static const char *
nf_list(struct ctl *c)
{
    size_t n;
    struct view_row **rows = view_rows(&c->view, NF, &n);

    TRY(noun_fetch_members(c, rows, n, NB_NETWORK_FUNCTION_INPORT, NB_LSP(NAME)));
    TRY(noun_fetch_members(c, rows, n, NB_NETWORK_FUNCTION_OUTPORT, NB_LSP(NAME)));
    view_sort_by_str(rows, n, NB_NETWORK_FUNCTION_NAME);
    for (size_t i = 0; i < n; i++) {
        ctl_print(c, UUID_FMT " (%s) id:%lld", UUID_ARGS(&rows[i]->uuid), view_str(rows[i], NB_NETWORK_FUNCTION_NAME),
                  (long long) view_int(rows[i], NB_NETWORK_FUNCTION_ID, 0));
        TRY(print_port(c, rows[i], NB_NETWORK_FUNCTION_INPORT, "in"));
        TRY(print_port(c, rows[i], NB_NETWORK_FUNCTION_OUTPORT, "out"));
        ctl_print(c, "\n");
    }
    return NULL;
}

/* ---- groups ---- */

static const char *
nfg_add_needs(struct ctl *c)
{
    ctl_need_all(c, NFG, NFG_COL(NAME) | NFG_COL(ID));
    for (int i = 4; ctl_arg(c, i); i++) {
        noun_need(c, &noun_nf, ctl_arg(c, i), 0);
    }
    return NULL;
}

static const char *
nfg_add(struct ctl *c)
{
    const char *mode = ctl_arg(c, 3);
    struct datum members = { .n = 0 };
    struct view_row *group, *nf;
    int64_t id;

    TRY(ctl_check_has(c, NFG, NULL));
    if (!noun_parse_int(c, ctl_arg(c, 2), 1, 255, &id)) {
        return ctl_error(c, "%s: id must be in the range 1...255", ctl_arg(c, 2));
    }
    if (!str_eq(mode, "inline") && !str_eq(mode, "vtap")) {
        return ctl_error(c, "%s: mode must be \"inline\" or \"vtap\"", mode);
    }
    TRY(noun_find(c, &noun_nfg, ctl_arg(c, 1), false, &group));
    if (group && !ctl_has(c, "--may-exist")) {
        return ctl_error(c, "%s: a network function group with this name already exists", ctl_arg(c, 1));
    }
    for (int i = 4; ctl_arg(c, i); i++) {
        TRY(noun_find(c, &noun_nf, ctl_arg(c, i), true, &nf));
        struct datum one = datum_of_uuid(&c->arena, &nf->uuid);
        members = datum_union(&c->arena, &members, &one, &NFG->columns[NB_NETWORK_FUNCTION_GROUP_NETWORK_FUNCTION]);
    }
    if (!group || view_int(group, NB_NETWORK_FUNCTION_GROUP_ID, 0) != id) {
        TRY(choose_id(c, NFG, NB_NETWORK_FUNCTION_GROUP_ID, &id));
    }
    if (!group) {
        TRY(noun_insert(c, &noun_nfg, ctl_arg(c, 1), "a network function group", false, &group));
    }
    view_set(group, NB_NETWORK_FUNCTION_GROUP_ID, datum_of_int(&c->arena, id));
    view_set_str(group, NB_NETWORK_FUNCTION_GROUP_MODE, mode);
    view_set(group, NB_NETWORK_FUNCTION_GROUP_NETWORK_FUNCTION, members);
    return NULL;
}

static const char *
nfg_needs(struct ctl *c)
{
    noun_need(c, &noun_nfg, ctl_arg(c, 1), NFG_COL(NETWORK_FUNCTION));
    if (ctl_arg(c, 2)) {
        noun_need(c, &noun_nf, ctl_arg(c, 2), 0);
    }
    return NULL;
}

static const char *
nfg_del(struct ctl *c)
{
    struct view_row *group;

    TRY(noun_find(c, &noun_nfg, ctl_arg(c, 1), !ctl_has(c, "--if-exists"), &group));
    if (group) {
        view_delete(group);
    }
    return NULL;
}

/* nfg-add-nf, nfg-del-nf. */
static const char *
nfg_change(struct ctl *c)
{
    bool add = str_eq(c->call->command->name, "nfg-add-nf");
    struct view_row *group, *nf;

    TRY(noun_find(c, &noun_nfg, ctl_arg(c, 1), true, &group));
    TRY(noun_find(c, &noun_nf, ctl_arg(c, 2), true, &nf));
    bool has = datum_find(view_datum(group, NB_NETWORK_FUNCTION_GROUP_NETWORK_FUNCTION), &(union datum_atom) { .u = nf->uuid },
                          OVSDB_UUID) != SIZE_MAX;
    if (add && has) {
        return ctl_has(c, "--may-exist") ? NULL : ctl_error(c, "%s: already in network function group %s", ctl_arg(c, 2), ctl_arg(c, 1));
    }
    if (!add && !has) {
        return ctl_has(c, "--if-exists") ? NULL : ctl_error(c, "%s: not in network function group %s", ctl_arg(c, 2), ctl_arg(c, 1));
    }
    (add ? view_add_ref : view_remove_ref)(group, NB_NETWORK_FUNCTION_GROUP_NETWORK_FUNCTION, nf);
    return NULL;
}

#define NFG_LISTED (NFG_COL(NAME) | NFG_COL(ID) | NFG_COL(MODE) | NFG_COL(NETWORK_FUNCTION))

static const char *
nfg_list_needs(struct ctl *c)
{
    if (ctl_arg(c, 1)) {
        noun_need(c, &noun_nfg, ctl_arg(c, 1), NFG_LISTED);
    } else {
        ctl_need_all(c, NFG, NFG_LISTED);
    }
    noun_expect(c, NF, NF_COL(NAME));
    return NULL;
}

static const char *
nfg_list(struct ctl *c)
{
    struct view_row **rows, *group, **members;
    size_t n, n_members;

    if (ctl_arg(c, 1)) {
        TRY(noun_find(c, &noun_nfg, ctl_arg(c, 1), true, &group));
        rows = &group;
        n = 1;
    } else {
        rows = view_rows(&c->view, NFG, &n);
        view_sort_by_str(rows, n, NB_NETWORK_FUNCTION_GROUP_NAME);
    }
    TRY(noun_fetch_members(c, rows, n, NB_NETWORK_FUNCTION_GROUP_NETWORK_FUNCTION, NF_COL(NAME)));
    for (size_t i = 0; i < n; i++) {
        ctl_print(c, UUID_FMT " (%s) id:%lld mode:%s\n", UUID_ARGS(&rows[i]->uuid), view_str(rows[i], NB_NETWORK_FUNCTION_GROUP_NAME),
                  (long long) view_int(rows[i], NB_NETWORK_FUNCTION_GROUP_ID, 0), view_str(rows[i], NB_NETWORK_FUNCTION_GROUP_MODE));
        TRY(noun_members(c, rows[i], NB_NETWORK_FUNCTION_GROUP_NETWORK_FUNCTION, NF_COL(NAME), &members, &n_members));
        view_sort_by_str(members, n_members, NB_NETWORK_FUNCTION_NAME);
        for (size_t j = 0; j < n_members; j++) {
            ctl_print(c, "    " UUID_FMT " (%s)\n", UUID_ARGS(&members[j]->uuid), view_str(members[j], NB_NETWORK_FUNCTION_NAME));
        }
    }
    return NULL;
}

static const struct ctl_command commands[] = {
    { "nf-add", "--may-exist", "NF [ID] INPORT [OUTPORT]", 2, 4,
      "add a network function: packets enter it at INPORT and come\nout of it at OUTPORT; ID is 1 to 255, by default the lowest free one", nf_add_needs, nf_add, CTL_WRITES },
    { "nf-del", "--if-exists", "NF", 1, 1, "delete it", nf_needs, nf_del, CTL_WRITES },
    { "nf-list", NULL, "", 0, 0, "print the network functions", nf_list_needs, nf_list, 0 },
    { "nfg-add", "--may-exist", "NFG ID MODE [NF]...", 3, INT_MAX, "add a group of network functions: MODE is inline or vtap",
      nfg_add_needs, nfg_add, CTL_WRITES },
    { "nfg-del", "--if-exists", "NFG", 1, 1, "delete it", nfg_needs, nfg_del, CTL_WRITES },
    { "nfg-list", NULL, "[NFG]", 0, 1, "print the groups of network functions", nfg_list_needs, nfg_list, 0 },
    { "nfg-add-nf", "--may-exist", "NFG NF", 2, 2, "add NF to group NFG", nfg_needs, nfg_change, CTL_WRITES },
    { "nfg-del-nf", "--if-exists", "NFG NF", 2, 2, "remove NF from group NFG", nfg_needs, nfg_change, CTL_WRITES },
    { NULL },
};
const struct ctl_group nbctl_nf_group = { "Network function commands", commands };

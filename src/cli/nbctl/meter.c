/* meter.c - meter-add, meter-del, meter-list. ovn-nbctl(8), "Meter Commands". Meters of one band are made here; others are listed. */
#include "cli/nbctl/nbctl.h"

static const struct ovsdb_table_desc *const METER = &nb_table_meter, *const BAND = &nb_table_meter_band;

#define COL(C) OVSDB_COLUMN(NB_METER_##C)

static const char *
needs_name(struct ctl *c)
{
    if (ctl_arg(c, 1)) {
        noun_need(c, &noun_meter, ctl_arg(c, 1), 0);
    } else {
        ctl_need_all(c, METER, COL(NAME));
    }
    return NULL;
}

static const char *
meter_add(struct ctl *c)
{
    const char *name = ctl_arg(c, 1), *unit = ctl_arg(c, 4);
    struct view_row **rows, *meter, *band;
    int64_t rate, burst = 0;
    size_t n;

    if (str_after(name, "__")) {
        return ctl_error(c, "meter names that begin with \"__\" are reserved");
    }
    if (!str_eq(ctl_arg(c, 2), "drop")) {
        return ctl_error(c, "action must be \"drop\"");
    }
    if (!noun_parse_int(c, ctl_arg(c, 3), 1, UINT32_MAX, &rate)) {
        return ctl_error(c, "rate must be in the range 1...4294967295");
    }
    if (!str_eq(unit, "kbps") && !str_eq(unit, "pktps")) {
        return ctl_error(c, "unit must be \"kbps\" or \"pktps\"");
    }
    if (ctl_arg(c, 5) && !noun_parse_int(c, ctl_arg(c, 5), 0, UINT32_MAX, &burst)) {
        return ctl_error(c, "burst must be in the range 0...4294967295");
    }
    rows = view_find_str(&c->view, METER, NB_METER_NAME, name, &n);
    meter = n ? rows[0] : NULL;        /* --may-exist: it becomes as it is wanted. */
    if (meter && !ctl_has(c, "--may-exist")) {
        return ctl_error(c, "meter with name \"%s\" already exists", name);
    }
    if (!meter) {
        TRY(noun_insert(c, &noun_meter, name, "a meter", false, &meter));
    }
    band = view_insert(&c->view, BAND, NULL);
    view_set_str(band, NB_METER_BAND_ACTION, "drop");
    view_set(band, NB_METER_BAND_RATE, datum_of_int(&c->arena, rate));
    view_set(band, NB_METER_BAND_BURST_SIZE, datum_of_int(&c->arena, burst));
    view_set_str(meter, NB_METER_UNIT, unit);
    noun_set_ref(c, meter, NB_METER_BANDS, band);
    if (ctl_has(c, "--fair")) {
        view_set(meter, NB_METER_FAIR, datum_of_bool(&c->arena, true));
    }
    return NULL;
}

static const char *
meter_del(struct ctl *c)
{
    struct view_row **rows, *meter;
    size_t n;

    if (ctl_arg(c, 1)) {
        TRY(noun_find(c, &noun_meter, ctl_arg(c, 1), false, &meter));
        if (meter) {
            view_delete(meter);
        }
        return NULL;
    }
    rows = view_rows(&c->view, METER, &n);
    for (size_t i = 0; i < n; i++) {
        view_delete(rows[i]);
    }
    return NULL;
}

static const char *
list_needs(struct ctl *c)
{
    ctl_need_all(c, METER, COL(NAME) | COL(UNIT) | COL(BANDS) | COL(FAIR));
    ctl_need_all(c, BAND, OVSDB_COLUMN(NB_METER_BAND_ACTION) | OVSDB_COLUMN(NB_METER_BAND_RATE)
                 | OVSDB_COLUMN(NB_METER_BAND_BURST_SIZE));
    return NULL;
}

static const char *
meter_list(struct ctl *c)
{
    size_t n, n_bands;
    struct view_row **rows = view_rows(&c->view, METER, &n), **bands;

    view_sort_by_str(rows, n, NB_METER_NAME);
    for (size_t i = 0; i < n; i++) {
        const char *unit = view_str(rows[i], NB_METER_UNIT);
        ctl_print(c, "%s:%s bands:\n", view_str(rows[i], NB_METER_NAME), view_bool(rows[i], NB_METER_FAIR, false) ? " (fair)" : "");
        TRY(noun_members(c, rows[i], NB_METER_BANDS, 0, &bands, &n_bands));
        for (size_t j = 0; j < n_bands; j++) {
            int64_t burst = view_int(bands[j], NB_METER_BAND_BURST_SIZE, 0);
            ctl_print(c, "  %s: %lld %s", view_str(bands[j], NB_METER_BAND_ACTION), (long long) view_int(bands[j], NB_METER_BAND_RATE, 0),
                      unit);
            if (burst) {
                ctl_print(c, ", %lld %s burst", (long long) burst, str_eq(unit, "kbps") ? "kb" : "packet");
            }
            ctl_print(c, "\n");
        }
    }
    return NULL;
}

static const struct ctl_command commands[] = {
    { "meter-add", "--fair --may-exist", "NAME ACTION RATE UNIT [BURST]", 4, 5,
      "add a meter: ACTION is drop, UNIT kbps or pktps", needs_name, meter_add, CTL_WRITES },
    { "meter-del", NULL, "[NAME]", 0, 1, "remove one meter, or all", needs_name, meter_del, CTL_WRITES },
    { "meter-list", NULL, "", 0, 0, "print the meters", list_needs, meter_list, 0 },
    { NULL },
};
const struct ctl_group nbctl_meter_group = { "Meter commands", commands };

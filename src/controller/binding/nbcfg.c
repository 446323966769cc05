/* nbcfg.c - reports how far this chassis is: SB_Global.nb_cfg, once all that came with it is in the switch,
 * goes to Chassis_Private.nb_cfg and to external_ids of the bridge, with the time. */
#include "controller/binding/binding.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/log.h"
#include "runtime/unixctl.h"

LOG_MODULE(nb_cfg);

struct nb_cfg {
    int64_t target;                    /* On its way into the switch; 0: none. */
    int64_t done;                      /* In the switch; 0: none yet. */
    int64_t done_at;                   /* Wall clock. */
    int64_t target_sb_at, done_sb_at;  /* SB_Global.nb_cfg_timestamp of these; 0: the database has none. */
    struct barrier barrier;
    int64_t delay;                     /* debug/delay-nb-cfg-report, ms. */
    int64_t not_before;
    struct loop_timer *timer;
    struct loop *loop;
};

static struct sb_sb_global *
global_row(struct controller *c)
{
    return sb_sb_global_of(ovsdb_first(ovsdb_table(c->sb, &sb_table_sb_global), NULL));
}

static void
unset(struct writer *w)
{
    writer_unset(w, "nb_cfg", strlen("nb_cfg"));
}

static void
report_southbound(struct controller *c, const struct controller_config *config, const struct sb_sb_global *global)
{
    struct nb_cfg *s = c->binding->nb_cfg;
    const struct sb_chassis_private *row =
        (struct sb_chassis_private *) ovsdb_index_get_str(c->binding->private_by_name, NULL, config->chassis);
    struct write w;

    if (row && sb_chassis_private_nb_cfg(row, NULL) != s->done
        && ovsdb_map_get_bool(sb_sb_global_options(global, NULL), "enable_chassis_nb_cfg_update", true)) {
        struct ovsdb_record *r = ovsdb_record_create(&sb_table_chassis_private);

        ovsdb_record_int(r, SB_CHASSIS_PRIVATE_NB_CFG, s->done);
        ovsdb_record_int(r, SB_CHASSIS_PRIVATE_NB_CFG_TIMESTAMP, s->done_at);
        write_begin(&w, c->binding->sb_writer, NULL, "nb_cfg %"PRId64" of chassis %s", s->done, config->chassis);
        write_guard(&w);
        write_update(&w, &row->row_.uuid, r);
        write_put(&w, c->binding->sb_writer, "nb_cfg");
        ovsdb_record_destroy(r);
    } else {
        unset(c->binding->sb_writer);
    }
}

static void
report_local(struct controller *c, const struct controller_config *config)
{
    struct nb_cfg *s = c->binding->nb_cfg;
    struct write w;

    if (config->bridge_row
        && ovsdb_map_get_int(ovs_bridge_external_ids(config->bridge_row, NULL), "ovn-nb-cfg", -1) != s->done) {
        struct ovsdb_record *r = ovsdb_record_create(&ovs_table_bridge);
        char number[24], time[24], sb_time[24];

        snprintf(number, sizeof number, "%"PRId64, s->done);
        snprintf(time, sizeof time, "%"PRId64, s->done_at);
        ovsdb_record_map(r, OVS_BRIDGE_EXTERNAL_IDS, "ovn-nb-cfg", number);
        ovsdb_record_map(r, OVS_BRIDGE_EXTERNAL_IDS, "ovn-nb-cfg-ts", time);
        if (s->done_sb_at) {
            snprintf(sb_time, sizeof sb_time, "%"PRId64, s->done_sb_at);
            ovsdb_record_map(r, OVS_BRIDGE_EXTERNAL_IDS, "ovn-nb-cfg-sb-ts", sb_time);
        }
        write_begin(&w, c->binding->ovs_writer, NULL, "nb_cfg of bridge %s", config->bridge);
        write_add(&w, &config->bridge_row->row_.uuid, r);
        write_put(&w, c->binding->ovs_writer, "nb_cfg");
        ovsdb_record_destroy(r);
    } else {
        unset(c->binding->ovs_writer);
    }
}

void
nb_cfg_run(struct controller *c)
{
    struct nb_cfg *s = c->binding->nb_cfg;
    const struct sb_sb_global *global = global_row(c);
    const struct controller_config *config = controller_config(c, NULL);

    if (!global || !config || c->leaving) {
        unset(c->binding->sb_writer);
        unset(c->binding->ovs_writer);
        return;
    }
    int64_t now = sb_sb_global_nb_cfg(global, NULL);
    /* One at a time: a newer one does not make the one under way begin anew, or nothing would ever be done under load. */
    if (!s->target && now && now != s->done) {
        s->target = now;
        s->target_sb_at = sb_sb_global_nb_cfg_timestamp(global, NULL);
        barrier_begin(&s->barrier);
        s->not_before = s->delay ? clock_msec() + s->delay : 0;
    }
    if (s->target && barrier_is_passed(c, &s->barrier)) {
        int64_t left = s->not_before - clock_msec();

        if (left > 0) {
            loop_timer_set(s->timer, left);
        } else {
            s->done = s->target;
            s->done_at = clock_wall_msec();
            s->done_sb_at = s->target_sb_at;
            s->target = 0;
            if (now != s->done) {
                loop_wake(c->loop);
            }
        }
    }
    if (s->done) {
        report_southbound(c, config, global);
        report_local(c, config);
    }
}

static void
wake(void *s_)
{
    struct nb_cfg *s = s_;

    loop_wake(s->loop);
}

static void
command_delay(struct unixctl_conn *conn, int argc, const char *argv[], void *s_)
{
    struct nb_cfg *s = s_;
    int64_t seconds;

    if (!str_to_int(argv[1], 0, UINT32_MAX, &seconds)) {
        unixctl_error(conn, "unsigned integer required");
        return;
    }
    s->delay = seconds * 1000;
    char *text = seconds ? xasprintf("delay nb_cfg report for %"PRId64" seconds.", seconds) : xstrdup("no delay for nb_cfg report.");
    unixctl_reply(conn, text);
    free(text);
}

void
nb_cfg_register_commands(struct controller *c)
{
    unixctl_register("debug/delay-nb-cfg-report", "SECONDS", 1, 1, command_delay, c->binding->nb_cfg);
}

void
nb_cfg_create(struct controller *c)
{
    struct nb_cfg *s = c->binding->nb_cfg = XNEW(struct nb_cfg);

    s->loop = c->loop;
    s->timer = loop_timer_create(c->loop, wake, s);
    ovsdb_use(c->sb, &sb_table_sb_global, OVSDB_COLUMN(SB_SB_GLOBAL_NB_CFG) | OVSDB_COLUMN(SB_SB_GLOBAL_NB_CFG_TIMESTAMP)
              | OVSDB_COLUMN(SB_SB_GLOBAL_OPTIONS));
    ovsdb_use(c->sb, &sb_table_chassis_private, OVSDB_COLUMN(SB_CHASSIS_PRIVATE_NB_CFG));
}

void
nb_cfg_destroy(struct controller *c)
{
    loop_timer_destroy(c->binding->nb_cfg->timer);
    free(c->binding->nb_cfg);
}

/* stages.c - the stages of the logical pipelines, which are where ovn-northd has them (stages.def), and the OpenFlow tables they become. */
#include <stdio.h>

#include "cli/debug/debug.h"
#include "controller/translate/layout.h"

static const struct debug_stage stages[] = {
#define STAGE(DP, PIPELINE, TABLE, NAME) { #DP "_" #PIPELINE "_" #NAME, (#DP)[1] == 's', (#PIPELINE)[0] == 'o', TABLE },
#include "northd/stages.def"
#undef STAGE
};

static int
oftable(const struct debug_stage *s)
{
    struct action_env layout = action_env_of_layout(LOGICAL_INGRESS, 0);

    return s->table + (s->egress ? layout.egress_table : layout.ingress_table);
}

const struct debug_stage *
stage_find(const char *name)
{
    for (size_t i = 0; i < ARRAY_SIZE(stages); i++) {
        if (str_eq(stages[i].name, name)) {
            return &stages[i];
        }
    }
    return NULL;
}

const struct debug_stage *
stage_must_find(const char *name)
{
    const struct debug_stage *s = stage_find(name), *near = NULL;

    for (size_t i = 0; !s && *name && i < ARRAY_SIZE(stages); i++) {
        near = !near && strstr(stages[i].name, name) ? &stages[i] : near;
    }
    if (!s) {
        ctl_fatal("there is no stage \"%s\"%s%s%s (stage-list lists them)", name, near ? "; did you mean \"" : "", near ? near->name : "", near ? "\"?" : "");
    }
    return s;
}

static int
to_ltable(const struct debug_options *o UNUSED, const char *const argv[])
{
    printf("%d\n", stage_must_find(argv[0])->table);
    return 0;
}

static int
to_oftable(const struct debug_options *o UNUSED, const char *const argv[])
{
    printf("%d\n", oftable(stage_must_find(argv[0])));
    return 0;
}

static int
pipeline_starts(const struct debug_options *o UNUSED, const char *const argv[] UNUSED)
{
    struct action_env layout = action_env_of_layout(LOGICAL_INGRESS, 0);

    printf("ingress: %d\noutput: %d\negress: %d\ndelivery: %d\n", layout.ingress_table, layout.output_table, layout.egress_table,
           layout.save_inport_table);
    return 0;
}

static int
from_oftable(const struct debug_options *o UNUSED, const char *const argv[])
{
    int64_t table;
    bool found = false;

    if (!str_to_int(argv[0], 0, 254, &table)) {
        ctl_fatal("%s: an OpenFlow table is a number from 0 to 254", argv[0]);
    }
    for (size_t i = 0; i < ARRAY_SIZE(stages); i++) {
        if (oftable(&stages[i]) == table) {
            puts(stages[i].name);
            found = true;
        }
    }
    if (!found) {
        ctl_fatal("OpenFlow table %d is not a stage (ovn-architecture(7) says what the others do)", (int) table);
    }
    return 0;
}

static int
list(const struct debug_options *o UNUSED, const char *const argv[])
{
    bool any = false;

    for (size_t i = 0; i < ARRAY_SIZE(stages); i++) {
        if (!argv[0] || str_after(stages[i].name, argv[0])) {
            printf("%s %d %d\n", stages[i].name, stages[i].table, oftable(&stages[i]));
            any = true;
        }
    }
    if (!any) {
        ctl_fatal("no stage's name begins with \"%s\"", argv[0]);
    }
    return 0;
}

static int
to_cookie(const struct debug_options *o UNUSED, const char *const argv[])
{
    struct uuid uuid;

    if (strlen(argv[0]) != UUID_LEN || !uuid_parse(argv[0], &uuid)) {
        ctl_fatal("%s is not a UUID", argv[0]);
    }
    printf("0x%x\n", uuid.parts[0]);
    return 0;
}

const struct debug_command stage_commands[] = {
    { "lflow-stage-to-ltable", "STAGE", 1, 1, "the logical table of a stage: a number", to_ltable },
    { "lflow-stage-to-oftable", "STAGE", 1, 1, "the OpenFlow table of a stage: a number", to_oftable },
    { "lflow-pipeline-oftable-start-list", "", 0, 0, "where each part of the pipeline begins: NAME: TABLE", pipeline_starts },
    { "oftable-to-stage", "TABLE", 1, 1, "the stages that an OpenFlow table is: of a switch, then of a router", from_oftable },
    { "stage-list", "[PREFIX]", 0, 1, "all stages, or those whose names begin so: NAME LTABLE OFTABLE", list },
    { "uuid-to-cookie", "UUID", 1, 1, "the cookie of OpenFlow flows that are made of this row", to_cookie },
    { NULL },
};

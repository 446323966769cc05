/* testgraph.h - for tests: ovn-controller's whole graph on replicas that the test fills, with no server and no switch. */
#ifndef CONTROLLER_PHYSICAL_TESTGRAPH_H
#define CONTROLLER_PHYSICAL_TESTGRAPH_H 1

#include "base/test.h"
#include "controller/controller.h"
#include "ovsdb/replica.h"

struct testgraph {
    struct loop *loop;
    struct controller *c;
};

static UNUSED struct testgraph
testgraph_create(void)
{
    struct testgraph t = { .loop = loop_create() };
    t.c = controller_create(t.loop, "hv0");
    return t;
}

static UNUSED void
testgraph_destroy(struct testgraph *t)
{
    controller_destroy(t->c);
    loop_destroy(t->loop);
}

/* JSON is a <table-updates> of RFC 7047 4.1.6. */
static UNUSED void
testgraph_apply(struct ovsdb *db, const char *json)
{
    struct json_reader r;

    json_reader_init(&r, json, strlen(json));
    json_next(&r);
    char *error = ovsdb_replica_apply(db, &r, OVSDB_UPDATE);
    json_reader_destroy(&r);
    if (error) {
        fail_msg("%s: %s", json, error);
    }
}

#endif

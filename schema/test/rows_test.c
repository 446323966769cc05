/* rows_test.c - the generated descriptors and accessors. */
#include "base/test.h"
#include "schema/nb.h"
#include "schema/ovs.h"
#include "schema/sb.h"
#include "schema/server.h"

static const struct ovsdb_db_desc *const dbs[] = { &nb_db, &sb_db, &ovs_db, &server_db };

static size_t
shape_size(enum ovsdb_shape shape)
{
    switch (shape) {
    case OVSDB_ONE: return sizeof(union ovsdb_atom);
    case OVSDB_OPT: return sizeof(struct ovsdb_opt);
    case OVSDB_SET: return sizeof(struct ovsdb_set);
    case OVSDB_MAP: return sizeof(struct ovsdb_map);
    }
    return 0;
}

/* Every descriptor agrees with its place, its row structure and its shape. */
static void
test_descriptors(void **state)
{
    for (size_t d = 0; d < ARRAY_SIZE(dbs); d++) {
        for (size_t i = 0; i < dbs[d]->n_tables; i++) {
            const struct ovsdb_table_desc *t = &dbs[d]->tables[i];
            assert_int_equal(t->index, i);
            assert_ptr_equal(t->db, dbs[d]);
            assert_ptr_equal(ovsdb_table_find(dbs[d], t->name), t);
            size_t end = sizeof(struct ovsdb_row);
            for (size_t j = 0; j < t->n_columns; j++) {
                const struct ovsdb_column_desc *c = &t->columns[j];
                assert_int_equal(c->index, j);
                assert_ptr_equal(ovsdb_column_find(t, c->name), c);
                assert_int_equal(c->offset, end);
                end += shape_size(c->shape);
                bool one = c->min == 1 && c->max == 1, opt = c->min == 0 && c->max == 1;
                assert_int_equal(c->shape == OVSDB_ONE, one && c->shape != OVSDB_MAP);
                assert_int_equal(c->shape == OVSDB_OPT, opt && c->shape != OVSDB_MAP);
                assert_true(c->key.min_integer <= c->key.max_integer);
            }
            assert_int_equal(t->row_size, end);
            for (const uint16_t *const *index = t->indexes; *index; index++) {
                assert_true((*index)[0] < t->n_columns);
            }
        }
        assert_null(ovsdb_table_find(dbs[d], "No_Such_Table"));
    }
    assert_null(ovsdb_column_find(&nb_table_acl, "no_such_column"));
}

/* In each table, columns and references to it have bits of their own, below OVSDB_PRESENT. */
static void
test_referrer_bits(void **state)
{
    for (size_t d = 0; d < ARRAY_SIZE(dbs); d++) {
        const struct ovsdb_db_desc *db = dbs[d];
        for (size_t i = 0; i < db->n_tables; i++) {
            const struct ovsdb_table_desc *target = &db->tables[i];
            uint64_t used = (UINT64_C(1) << target->n_columns) - 1;
            assert_false(used & OVSDB_PRESENT);
            for (size_t j = 0; j < db->n_tables; j++) {
                for (size_t k = 0; k < db->tables[j].n_columns; k++) {
                    const struct ovsdb_column_desc *c = &db->tables[j].columns[k];
                    if (c->key.ref == target || c->value.ref == target) {
                        assert_true(c->referrer_bit < 63);
                        assert_false(used & OVSDB_COLUMN(c->referrer_bit));
                        used |= OVSDB_COLUMN(c->referrer_bit);
                    }
                }
            }
        }
    }
}

/* What the descriptors say of some columns of every kind. */
static void
test_constraints(void **state)
{
    const struct ovsdb_table_desc *lsp = &nb_table_logical_switch_port;
    assert_string_equal(lsp->name, "Logical_Switch_Port");
    assert_false(lsp->is_root);
    assert_int_equal(lsp->indexes[0][0], NB_LOGICAL_SWITCH_PORT_NAME);
    assert_int_equal(lsp->indexes[0][1], UINT16_MAX);
    assert_null(lsp->indexes[1]);
    const struct ovsdb_column_desc *c = &lsp->columns[NB_LOGICAL_SWITCH_PORT_TAG];
    assert_int_equal(c->shape, OVSDB_OPT);
    assert_int_equal(c->key.min_integer, 1);
    assert_int_equal(c->key.max_integer, 4095);
    c = &lsp->columns[NB_LOGICAL_SWITCH_PORT_DHCPV4_OPTIONS];
    assert_ptr_equal(c->key.ref, &nb_table_dhcp_options);
    assert_true(c->key.weak);
    c = &nb_table_logical_switch.columns[NB_LOGICAL_SWITCH_PORTS];
    assert_ptr_equal(c->key.ref, lsp);
    assert_false(c->key.weak);
    assert_int_equal(c->max, UINT32_MAX);
    c = &nb_table_acl.columns[NB_ACL_ACTION];
    assert_string_equal(c->key.enum_strings[0], "allow");
    assert_string_equal(c->key.enum_strings[5], "pass");
    assert_null(c->key.enum_strings[6]);
    c = &sb_table_rbac_role.columns[SB_RBAC_ROLE_PERMISSIONS];
    assert_int_equal(c->shape, OVSDB_MAP);
    assert_ptr_equal(c->value.ref, &sb_table_rbac_permission);
    assert_int_equal(nb_table_nb_global.max_rows, 1);
    assert_int_equal(sb_table_chassis.max_rows, UINT32_MAX);
    assert_true(sb_table_connection.columns[SB_CONNECTION_IS_CONNECTED].ephemeral);
    assert_false(ovs_table_bridge.columns[OVS_BRIDGE_NAME].mutable_);
    assert_true(ovs_table_open_vswitch.is_root);
    assert_string_equal(nb_db.name, "OVN_Northbound");
    assert_string_equal(sb_db.version, "21.11.0");
}

/* A zeroed row reads as empty, by nobody. */
static void
test_empty_row(void **state)
{
    struct sb_port_binding pb = { 0 };
    struct server_database db = { 0 };
    struct uuid uuid;
    int64_t i;
    bool b;
    assert_string_equal(sb_port_binding_logical_port(&pb, NULL), "");
    assert_null(sb_port_binding_parent_port(&pb, NULL));
    assert_int_equal(sb_port_binding_tunnel_key(&pb, NULL), 0);
    assert_false(sb_port_binding_tag(&pb, NULL, &i));
    assert_false(sb_port_binding_up(&pb, NULL, &b));
    assert_null(sb_port_binding_datapath(&pb, NULL));
    uuid = sb_port_binding_datapath_uuid(&pb, NULL);
    assert_true(uuid_is_zero(&uuid));
    assert_null(sb_port_binding_chassis(&pb, NULL));
    assert_false(sb_port_binding_chassis_uuid(&pb, NULL, &uuid));
    assert_int_equal(sb_port_binding_mac(&pb, NULL)->n, 0);
    assert_int_equal(sb_port_binding_options(&pb, NULL)->n, 0);
    assert_false(server_database_cid(&db, NULL, &uuid));
    assert_null(sb_port_binding_of(NULL));
    assert_ptr_equal(sb_port_binding_of(&pb.row_), &pb);
}

/* Values come out as they are; a reference to an absent row is NULL but keeps its UUID. */
static void
test_values(void **state)
{
    struct sb_chassis ch = { .row_ = { .uuid = { { 1, 2, 3, 4 } }, .present = true } };
    struct sb_datapath_binding dp = { .row_ = { .uuid = { { 5, 6, 7, 8 } } } };
    const struct uuid nb_uuid = { { 9, 10, 11, 12 } };
    struct sb_port_binding pb = {
        .logical_port = { .s = intern_str("p1") }, .tunnel_key = { .i = 17 },
        .parent_port = { .v = { .s = intern_str("p0") }, .has = true }, .tag = { .v = { .i = 5 }, .has = true },
        .up = { .v = { .b = true }, .has = true }, .chassis = { .v = { .row = &ch.row_ }, .has = true },
        .datapath = { .row = &dp.row_ },
    };
    struct uuid uuid;
    int64_t i = 0;
    bool up = false;
    assert_string_equal(sb_port_binding_logical_port(&pb, NULL), "p1");
    assert_string_equal(sb_port_binding_parent_port(&pb, NULL), "p0");
    assert_int_equal(sb_port_binding_tunnel_key(&pb, NULL), 17);
    assert_true(sb_port_binding_tag(&pb, NULL, &i));
    assert_int_equal(i, 5);
    assert_true(sb_port_binding_up(&pb, NULL, &up));
    assert_true(up);
    assert_ptr_equal(sb_port_binding_chassis(&pb, NULL), &ch);
    assert_true(sb_port_binding_chassis_uuid(&pb, NULL, &uuid));
    assert_true(uuid_equal(&uuid, &ch.row_.uuid));
    assert_null(sb_port_binding_datapath(&pb, NULL));
    uuid = sb_port_binding_datapath_uuid(&pb, NULL);
    assert_true(uuid_equal(&uuid, &dp.row_.uuid));
    dp.row_.present = true;
    assert_ptr_equal(sb_port_binding_datapath(&pb, NULL), &dp);
    dp.nb_uuid = (struct ovsdb_opt) { .v = { .s = intern((const char *) &nb_uuid, sizeof nb_uuid) }, .has = true };
    assert_true(sb_datapath_binding_nb_uuid(&dp, NULL, &uuid));
    assert_true(uuid_equal(&uuid, &nb_uuid));
    assert_ptr_equal(ovsdb_row_cell(&pb.row_, &sb_table_port_binding.columns[SB_PORT_BINDING_MAC]), &pb.mac);
    intern_unref(pb.logical_port.s);
    intern_unref(pb.parent_port.v.s);
    intern_unref(dp.nb_uuid.v.s);
    intern_collect();
}

static void
notify(struct dep_reader *reader)
{
}

/* A read is of the column read and of no other; following a reference reads the presence of its row too. */
static void
test_recorded_reads(void **state)
{
    struct sb_chassis ch = { .row_ = { .present = true } };
    struct sb_port_binding pb = { .chassis = { .v = { .row = &ch.row_ }, .has = true } };
    struct dep_reader reader;
    dep_reader_init(&reader, notify);

    dep_reader_begin(&reader);
    sb_port_binding_logical_port(&pb, &reader);
    sb_port_binding_mac(&pb, &reader);
    dep_changed(&pb.row_.source, OVSDB_COLUMN(SB_PORT_BINDING_TYPE) | OVSDB_PRESENT);
    assert_false(reader.stale);
    dep_changed(&pb.row_.source, OVSDB_COLUMN(SB_PORT_BINDING_MAC));
    assert_true(reader.stale);

    dep_reader_begin(&reader);
    sb_port_binding_chassis(&pb, &reader);
    dep_changed(&ch.row_.source, OVSDB_COLUMN(SB_CHASSIS_NAME));
    assert_false(reader.stale);
    dep_changed(&ch.row_.source, OVSDB_PRESENT);
    assert_true(reader.stale);

    struct uuid uuid;
    dep_reader_begin(&reader);
    assert_true(sb_port_binding_chassis_uuid(&pb, &reader, &uuid));
    dep_changed(&ch.row_.source, OVSDB_PRESENT);
    assert_false(reader.stale);
    dep_changed(&pb.row_.source, OVSDB_COLUMN(SB_PORT_BINDING_CHASSIS));
    assert_true(reader.stale);

    dep_reader_begin(&reader);
    dep_source_destroy(&pb.row_.source);
    dep_source_destroy(&ch.row_.source);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_descriptors), cmocka_unit_test(test_referrer_bits),
        cmocka_unit_test(test_constraints), cmocka_unit_test(test_empty_row),
        cmocka_unit_test(test_values), cmocka_unit_test(test_recorded_reads),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* ssl.c - the certificate that the database server shows: ovn-nbctl(8), ovn-sbctl(8), "SSL Configuration Commands". The server reads
 * them if it was started with --private-key=db:OVN_Northbound,SSL,private_key and so on. */
#include "cli/common/connection.h"

static const struct connection_schema *const S = &connection_schema;

/* The columns, which both databases have. */
static uint16_t
column(const char *name)
{
    return ovsdb_column_find(S->ssl, name)->index;
}

static const char *
ssl_needs(struct ctl *c)
{
    ctl_need_all(c, S->global, OVSDB_COLUMN(S->global_ssl));
    ctl_need_all(c, S->ssl, OVSDB_COLUMN(column("private_key")) | OVSDB_COLUMN(column("certificate")) | OVSDB_COLUMN(column("ca_cert"))
                 | OVSDB_COLUMN(column("bootstrap_ca_cert")));
    return NULL;
}

static struct view_row *
find_ssl(struct ctl *c)
{
    struct view_row *global = view_first(&c->view, S->global);
    const struct datum *ref = global ? view_datum(global, S->global_ssl) : NULL;

    return ref && ref->n ? view_get(&c->view, S->ssl, &ref->k[0].u) : NULL;
}

static const char *
ssl_get(struct ctl *c)
{
    struct view_row *ssl = find_ssl(c);

    if (ssl) {
        ctl_print(c, "Private key: %s\nCertificate: %s\nCA Certificate: %s\nBootstrap: %s\n", view_str(ssl, column("private_key")),
                  view_str(ssl, column("certificate")), view_str(ssl, column("ca_cert")),
                  view_bool(ssl, column("bootstrap_ca_cert"), false) ? "true" : "false");
    }
    return NULL;
}

static const char *
ssl_del(struct ctl *c)
{
    struct view_row *global = view_first(&c->view, S->global);

    if (global && view_datum(global, S->global_ssl)->n) {
        view_set(global, S->global_ssl, (struct datum) { .n = 0 });    /* The server removes the row. */
    }
    return NULL;
}

static const char *
ssl_set(struct ctl *c)
{
    static const char *const names[] = { "private_key", "certificate", "ca_cert", "ssl_protocols", "ssl_ciphers", "ssl_ciphersuites" };
    struct view_row *global = ctl_singleton(c, S->global), *ssl = view_insert(&c->view, S->ssl, NULL);

    for (size_t i = 0; i < ARRAY_SIZE(names) && ctl_arg(c, i + 1); i++) {
        TRY(ctl_check_has(c, S->ssl, &S->ssl->columns[column(names[i])]));
        view_set_str(ssl, column(names[i]), ctl_arg(c, i + 1));
    }
    view_set(ssl, column("bootstrap_ca_cert"), datum_of_bool(&c->arena, ctl_has(c, "--bootstrap")));
    view_set(global, S->global_ssl, datum_of_uuid(&c->arena, &ssl->uuid));
    return NULL;
}

static const struct ctl_command commands[] = {
    { "get-ssl", NULL, "", 0, 0, "print the TLS configuration of the database server", ssl_needs, ssl_get, 0 },
    { "del-ssl", NULL, "", 0, 0, "delete it", ssl_needs, ssl_del, CTL_WRITES },
    { "set-ssl", "--bootstrap", "PRIVATE-KEY CERTIFICATE CA-CERT [PROTOCOLS [CIPHERS [CIPHERSUITES]]]", 3, 6,
      "set it: files that the server reads", ssl_needs, ssl_set, CTL_WRITES },
    { NULL },
};
const struct ctl_group ctl_ssl_group = { "TLS configuration commands", commands };

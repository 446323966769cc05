/* tls.h - TLS for a client's connections: the process's key and certificates, and one connection. OpenSSL 3, TLSv1.2 and later.
 *
 * The process has one identity: a private key, its certificate, and the CA certificates that peers must be signed by; names of
 * files, from the command line (runtime/daemon.h) or from a database (tls_configure()). Files are read again when they
 * changed, before each connection and once a minute; what cannot be read whole leaves the old ones in force, with a warning. Connections that
 * stand keep what they began with.
 *
 * A peer is verified against the CA and not by its name: certificates here name hosts or roles, and connections go to
 * addresses (ovsdb(7), ovn-nbctl(8) "PKI Options"). `--ca-cert=none` verifies nothing. */
#ifndef RUNTIME_TLS_H
#define RUNTIME_TLS_H 1

#include <sys/types.h>
#include "runtime/daemon.h"

struct tls;

/* How messages begin that call for a person, and not for another try: wrong files, refused certificates, no TLS. */
#define TLS_REFUSED "TLS: "
/* How the message begins that ends a connection because it gave us the CA certificate: connect again, at once. */
#define TLS_BOOTSTRAPPED "bootstrapped: "

/* What the database (SSL row) says, for what the command line does not: its files if none is an option, and each other
 * value. NULL members: nothing said. Copied. Used from the next connection on; true if this is news. */
bool tls_configure(const struct tls_options *from_database);
/* Reads the files again if they changed. */
void tls_refresh(void);

/* "TLSv1.2", "TLSv1.2,TLSv1.3", "TLSv1.2+", "TLSv1.2-TLSv1.3" as versions on the wire (0x0303, 0x0304); *old: names that are no longer
 * spoken were in it and left out. NULL, or a message (caller owns). */
char *tls_parse_protocols(const char *text, int *min, int *max, bool *old) MUST_USE;

/* A connection to be made to HOST[:PORT], which is the name to ask for unless it is an address or --ssl-server-name says
 * another. NULL and *error (caller owns) if the process has no usable identity. */
struct tls *tls_create(const char *host_port, char **error) MUST_USE;
void tls_attach(struct tls *, int fd);                 /* The socket, which stays the caller's. */
void tls_destroy(struct tls *);                        /* NULL is ignored. */
unsigned tls_events(const struct tls *, bool writing);

/* As the functions of the same names in stream.h. */
int tls_handshake(struct tls *);
ssize_t tls_recv(struct tls *, void *, size_t n);
ssize_t tls_send(struct tls *, const void *, size_t n);
bool tls_has_more(const struct tls *);
const char *tls_error(const struct tls *);

#endif

/* tls.c - one TLS connection as a client: handshake, bytes, and why it failed.
 *
 * OpenSSL reads and writes the socket through a BIO of ours, which never raises SIGPIPE. It may want to read in order to write and the
 * reverse (a key update, RFC 8446 4.6.3): the direction wanted by each is remembered for tls_events().
 *
 * In TLSv1.3 a client's handshake is complete before the server has looked at its certificate, so a refusal arrives
 * as the first thing to be read (RFC 8446 4.4.2.4, 6.2); until the first byte of data such an end is explained as a refusal.
 *
 * Bootstrapping (--bootstrap-ca-cert): nothing is verified; when the handshake is complete, the last certificate that
 * the server sent is taken if it is self-signed and the server's own certificate verifies against it. It is written to the
 * file, and the connection ends. */
#include <errno.h>
#include <openssl/x509v3.h>
#include <stdlib.h>
#include <arpa/inet.h>
#include <sys/socket.h>

#include "base/log.h"
#include "runtime/tls_private.h"

LOG_MODULE(tls);

struct tls {
    SSL *ssl;
    bool bootstrap;
    char *ca_path;
    bool established;                  /* The handshake is complete on our side. */
    bool heard;                        /* Data was received. */
    bool recv_wants_write, send_wants_read, handshake_wants_write;
    char *verify_error;                /* Why the peer's certificate was refused. */
    char *error;                       /* Why the connection ended. */
};

/* ---- the socket under OpenSSL ---- */

static int
bio_result(BIO *b, ssize_t n, int flag)
{
    BIO_clear_retry_flags(b);
    if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR)) {
        BIO_set_flags(b, flag | BIO_FLAGS_SHOULD_RETRY);
    }
    return n;
}

static int
bio_write(BIO *b, const char *p, int n)
{
    return bio_result(b, send((intptr_t) BIO_get_data(b), p, n, MSG_NOSIGNAL | MSG_DONTWAIT), BIO_FLAGS_WRITE);
}

static int
bio_read(BIO *b, char *p, int n)
{
    ssize_t got = recv((intptr_t) BIO_get_data(b), p, n, MSG_DONTWAIT);

    if (!got) {
        BIO_set_flags(b, BIO_FLAGS_IN_EOF);
    }
    return bio_result(b, got, BIO_FLAGS_READ);
}

static long
bio_ctrl(BIO *b, int command, long n, void *p)
{
    return command == BIO_CTRL_FLUSH || (command == BIO_CTRL_EOF && BIO_test_flags(b, BIO_FLAGS_IN_EOF));
}

static BIO *
bio_create(int fd)
{
    static BIO_METHOD *method;

    if (!method) {
        method = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "socket");
        REQUIRE(method && BIO_meth_set_write(method, bio_write) && BIO_meth_set_read(method, bio_read)
                && BIO_meth_set_ctrl(method, bio_ctrl));
    }
    BIO *b = BIO_new(method);
    REQUIRE(b);
    BIO_set_data(b, (void *) (intptr_t) fd);
    BIO_set_init(b, 1);
    return b;
}

/* ---- why it failed ---- */

/* The peer's certificate at fault, and why, from OpenSSL's verification: into verify_error. */
static int
verified(int ok, X509_STORE_CTX *store)
{
    SSL *ssl = X509_STORE_CTX_get_ex_data(store, SSL_get_ex_data_X509_STORE_CTX_idx());
    struct tls *t = SSL_get_app_data(ssl);
    X509 *c = X509_STORE_CTX_get_current_cert(store);
    int error = X509_STORE_CTX_get_error(store);

    if (ok || !c || t->verify_error) {
        return ok;
    }
    char *name = tls_name_text(X509_get_subject_name(c)), *issuer = tls_name_text(X509_get_issuer_name(c));
    char *from = tls_time_text(X509_get0_notBefore(c)), *until = tls_time_text(X509_get0_notAfter(c));
    struct str s = STR_INIT;

    str_printf(&s, "the %s (%s) ", X509_STORE_CTX_get_error_depth(store) ? "peer's CA certificate" : "peer's certificate", name);
    switch (error) {
    case X509_V_ERR_CERT_HAS_EXPIRED:
        str_printf(&s, "expired on %s", until);
        break;
    case X509_V_ERR_CERT_NOT_YET_VALID:
        str_printf(&s, "is not yet valid, but from %s on (is our clock right?)", from);
        break;
    case X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT:
        str_printf(&s, "is self-signed, and not in %s", t->ca_path);
        break;
    case X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN:
    case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT:
    case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY:
    case X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE:
    case X509_V_ERR_CERT_SIGNATURE_FAILURE:
        str_printf(&s, "is signed by another CA (%s) than that in %s", issuer, t->ca_path);
        break;
    case X509_V_ERR_INVALID_PURPOSE:
        str_puts(&s, "is not made for a server (extended key usage)");
        break;
    default:
        str_printf(&s, "is not acceptable: %s", X509_verify_cert_error_string(error));
    }
    t->verify_error = str_steal(&s);
    free(name);
    free(issuer);
    free(from);
    free(until);
    return ok;
}

/* What a peer may dislike in our certificate. */
static void
put_own_certificate(struct str *s, const struct tls *t)
{
    const char *path = tls_files_certificate();
    X509 *own = SSL_get_certificate(t->ssl);

    str_printf(s, "our certificate %s", path ? path : "");
    if (!own) {
        return;
    }
    char *name = tls_name_text(X509_get_subject_name(own)), *issuer = tls_name_text(X509_get_issuer_name(own));
    bool expired = X509_cmp_current_time(X509_get0_notAfter(own)) < 0;
    bool early = X509_cmp_current_time(X509_get0_notBefore(own)) > 0;
    char *when = tls_time_text(expired ? X509_get0_notAfter(own) : X509_get0_notBefore(own));

    str_printf(s, " (%s), which ", name);
    if (expired || early) {
        str_printf(s, "%s %s", expired ? "expired on" : "is not valid before", when);
    } else if (tls_is_self_signed(own)) {
        str_puts(s, "is self-signed");
    } else {
        str_printf(s, "is signed by %s", issuer);
    }
    free(name);
    free(issuer);
    free(when);
}

/* The peer's alert (RFC 8446 6, RFC 5246 7.2) in words; NULL if it is not one to explain. */
static char *
explain_alert(const struct tls *t, int alert)
{
    struct str s = STR_INIT;

    switch (alert) {
    case SSL_AD_BAD_CERTIFICATE:
    case SSL_AD_UNSUPPORTED_CERTIFICATE:
    case SSL_AD_CERTIFICATE_REVOKED:
    case SSL_AD_CERTIFICATE_EXPIRED:
    case SSL_AD_CERTIFICATE_UNKNOWN:
    case SSL_AD_UNKNOWN_CA:
    case SSL_AD_DECRYPT_ERROR:
    case SSL_AD_ACCESS_DENIED:
    case SSL_AD_CERTIFICATE_REQUIRED:
        str_printf(&s, TLS_REFUSED "the peer refuses (%s) ",
                   alert == SSL_AD_UNKNOWN_CA ? "not signed by its CA" : SSL_alert_desc_string_long(alert));
        put_own_certificate(&s, t);
        return str_steal(&s);
    case SSL_AD_PROTOCOL_VERSION:
        return xasprintf(TLS_REFUSED "the peer refuses our protocol versions: too old, or not its own (--ssl-protocols)");
    case SSL_AD_HANDSHAKE_FAILURE:
    case SSL_AD_INSUFFICIENT_SECURITY:
        return xasprintf(TLS_REFUSED "no cipher or protocol version in common with the peer (--ssl-ciphers, --ssl-protocols)");
    case SSL_AD_UNRECOGNIZED_NAME:
        return xasprintf(TLS_REFUSED "the peer does not know the name asked for (--ssl-server-name)");
    default:
        return NULL;
    }
}

/* The connection was lost, not refused in words. */
static char *
explain_end(const struct tls *t, const char *how)
{
    if (!t->established) {
        return xasprintf("%s during the TLS handshake (does it speak TLS? tcp: is without)", how);
    } else if (!t->heard) {
        struct str s = STR_INIT;
        str_printf(&s, "%s right after the TLS handshake: perhaps it refuses ", how);
        put_own_certificate(&s, t);
        return str_steal(&s);
    }
    return xstrdup(how);
}

static char *
explain(struct tls *t, int ssl_error, int saved_errno)
{
    unsigned long e = ERR_peek_error();
    int reason = ERR_GET_LIB(e) == ERR_LIB_SSL ? ERR_GET_REASON(e) : 0;
    char *text = NULL;

    if (ssl_error == SSL_ERROR_ZERO_RETURN || reason == SSL_R_UNEXPECTED_EOF_WHILE_READING) {
        text = explain_end(t, "the peer closed the connection");
    } else if (ssl_error == SSL_ERROR_SYSCALL && !e) {
        text = explain_end(t, saved_errno ? strerror(saved_errno) : "the peer closed the connection");
    } else if (!t->established && t->verify_error && SSL_get_verify_mode(t->ssl) != SSL_VERIFY_NONE) {
        text = xasprintf(TLS_REFUSED "%s", t->verify_error);
    } else if (reason > SSL_AD_REASON_OFFSET && reason < SSL_AD_REASON_OFFSET + 256) {
        text = explain_alert(t, reason - SSL_AD_REASON_OFFSET);
    } else if (!t->established && (reason == SSL_R_WRONG_VERSION_NUMBER || reason == SSL_R_PACKET_LENGTH_TOO_LONG
                                   || reason == SSL_R_HTTP_REQUEST || reason == SSL_R_BAD_RECORD_TYPE)) {
        text = xasprintf(TLS_REFUSED "the peer does not speak TLS here: is it tcp: instead of ssl:?");
    } else if (reason == SSL_R_UNSUPPORTED_PROTOCOL || reason == SSL_R_TLSV1_ALERT_PROTOCOL_VERSION) {
        text = xasprintf(TLS_REFUSED "the peer's protocol version (%s) is too old or excluded by --ssl-protocols",
                         SSL_get_version(t->ssl));
    }
    if (!text) {
        char *why = tls_library_error();
        text = xasprintf(TLS_REFUSED "%s", why);
        free(why);
    }
    ERR_clear_error();
    return text;
}

/* TEXT is taken. */
static int
fail(struct tls *t, char *text)
{
    if (t->error) {
        free(text);
    } else {
        t->error = text;
    }
    return -1;
}

/* After an operation returned N <= 0: 0, not now (*OTHER: it wants the other direction than its own, UNLIKE); -1, it ended. */
static int
operation_failed(struct tls *t, int n, int unlike, bool *other)
{
    int saved_errno = errno;
    int error = SSL_get_error(t->ssl, n);

    if (error == SSL_ERROR_WANT_READ || error == SSL_ERROR_WANT_WRITE) {
        *other = error == unlike;
        return 0;
    }
    return fail(t, explain(t, error, saved_errno));
}

/* ---- a connection ---- */

/* The name to ask the server for: SNI knows no addresses (RFC 6066 3). */
static void
set_server_name(struct tls *t, const char *host_port)
{
    const char *name = tls_files_server_name();
    char *host = xstrndup(host_port, strcspn(host_port, ":"));
    struct in_addr ip;

    if (!name && *host_port != '[' && !inet_aton(host, &ip)) {
        name = host;
    }
    if (name && *name && SSL_set_tlsext_host_name(t->ssl, name) != 1) {
        LOG_WARN("%s: not a name that can be asked for", name);
        ERR_clear_error();
    }
    free(host);
}

struct tls *
tls_create(const char *host_port, char **error)
{
    char *ca_path;
    bool bootstrap;
    SSL_CTX *ctx = tls_files_context(&ca_path, &bootstrap, error);

    if (!ctx) {
        return NULL;
    }
    struct tls *t = XNEW(struct tls);
    t->ssl = SSL_new(ctx);
    REQUIRE(t->ssl);
    t->ca_path = ca_path;
    t->bootstrap = bootstrap;
    SSL_CTX_free(ctx);
    SSL_set_app_data(t->ssl, t);
    SSL_set_verify(t->ssl, SSL_get_verify_mode(t->ssl), verified);
    SSL_set_connect_state(t->ssl);
    set_server_name(t, host_port);
    return t;
}

void
tls_attach(struct tls *t, int fd)
{
    BIO *b = bio_create(fd);

    SSL_set_bio(t->ssl, b, b);
}

void
tls_destroy(struct tls *t)
{
    if (!t) {
        return;
    }
    if (t->established && !t->error) {
        SSL_shutdown(t->ssl);          /* Says goodbye if there is room; waits for nothing. */
        ERR_clear_error();
    }
    SSL_free(t->ssl);
    free(t->ca_path);
    free(t->verify_error);
    free(t->error);
    free(t);
}

unsigned
tls_events(const struct tls *t, bool writing)
{
    if (!t->established) {
        return t->handshake_wants_write ? LOOP_WRITE : LOOP_READ;
    }
    return (t->recv_wants_write ? LOOP_WRITE : LOOP_READ) | (!writing ? 0 : t->send_wants_read ? LOOP_READ : LOOP_WRITE);
}

/* Whether LEAF, with what came between, is signed by CA. */
static bool
signed_by(X509 *leaf, STACK_OF(X509) *chain, X509 *ca)
{
    X509_STORE *store = X509_STORE_new();
    X509_STORE_CTX *ctx = X509_STORE_CTX_new();

    REQUIRE(store && ctx);
    bool yes = X509_STORE_add_cert(store, ca) == 1 && X509_STORE_CTX_init(ctx, store, leaf, chain) == 1
               && X509_verify_cert(ctx) == 1;
    X509_STORE_CTX_free(ctx);
    X509_STORE_free(store);
    ERR_clear_error();
    return yes;
}

/* Takes the peer's CA certificate. Ends the connection, whatever comes of it. */
static int
bootstrap(struct tls *t)
{
    STACK_OF(X509) *chain = SSL_get_peer_cert_chain(t->ssl);
    int n = chain ? sk_X509_num(chain) : 0;
    X509 *ca = n ? sk_X509_value(chain, n - 1) : NULL;

    if (!ca || !tls_is_self_signed(ca)) {
        return fail(t, xasprintf(TLS_REFUSED "the peer does not send its CA certificate (see --peer-ca-cert of ovsdb-server): "
                                 "%s cannot be bootstrapped", t->ca_path));
    }
    if (!signed_by(sk_X509_value(chain, 0), chain, ca)) {
        return fail(t, xasprintf(TLS_REFUSED "the peer's certificate is not valid under the CA certificate that it sends: "
                                 "%s is not bootstrapped", t->ca_path));
    }
    char *error = tls_files_save_ca(t->ca_path, ca);
    if (error) {
        char *text = xasprintf(TLS_REFUSED "%s", error);
        free(error);
        return fail(t, text);
    }
    char *name = tls_name_text(X509_get_subject_name(ca));
    fail(t, xasprintf(TLS_BOOTSTRAPPED "the peer's CA certificate (%s) is now in %s", name, t->ca_path));
    free(name);
    return -1;
}

int
tls_handshake(struct tls *t)
{
    ERR_clear_error();
    if (t->error) {
        return -1;
    }
    errno = 0;
    int n = SSL_do_handshake(t->ssl);
    if (n != 1) {
        return operation_failed(t, n, SSL_ERROR_WANT_WRITE, &t->handshake_wants_write) ? -1 : EAGAIN;
    }
    t->established = true;
    if (t->bootstrap) {
        return bootstrap(t);
    }
    LOG_DBG("%s, %s", SSL_get_version(t->ssl), SSL_get_cipher_name(t->ssl));
    return 0;
}

ssize_t
tls_recv(struct tls *t, void *p, size_t n)
{
    size_t done = 0, got;

    /* OpenSSL returns at most one record (16 kB) a call. */
    while (!t->error && done < n) {
        ERR_clear_error();
        errno = 0;
        int ok = SSL_read_ex(t->ssl, (char *) p + done, n - done, &got);
        t->recv_wants_write = false;
        if (ok == 1) {
            t->heard = true;
            done += got;
        } else if (!operation_failed(t, ok, SSL_ERROR_WANT_WRITE, &t->recv_wants_write)) {
            break;
        }
    }
    return done ? (ssize_t) done : t->error ? -1 : 0;
}

ssize_t
tls_send(struct tls *t, const void *p, size_t n)
{
    size_t sent;

    if (t->error) {
        return -1;
    }
    ERR_clear_error();
    errno = 0;
    int ok = SSL_write_ex(t->ssl, p, n, &sent);
    t->send_wants_read = false;
    if (ok == 1) {
        return sent;
    }
    /* What the peer said before it hung up (a refusal, say) is still to be read: so the reading side tells why. */
    int saved_errno = errno, error = SSL_get_error(t->ssl, ok);
    if (error == SSL_ERROR_WANT_READ || error == SSL_ERROR_WANT_WRITE) {
        t->send_wants_read = error == SSL_ERROR_WANT_READ;
        return 0;
    }
    ERR_clear_error();
    errno = saved_errno;
    return -1;
}

bool
tls_has_more(const struct tls *t)
{
    return t->error || SSL_pending(t->ssl) > 0;
}

const char *
tls_error(const struct tls *t)
{
    return t->error ? t->error : "";
}

/* tls_files.c - the process's identity under TLS: options, files, an SSL_CTX made of them, reading them again.
 *
 * A file's stamp (inode, size, times) tells whether it changed. When the stamps differ from those that the context was made of, a new context is
 * made; if that fails (half of a pair was replaced, a file is half written) the old one stays and the next look tries again. Each
 * different failure is said once. */
#include <errno.h>
#include <fcntl.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/log.h"
#include "runtime/tls_private.h"

LOG_MODULE(tls);

#define DEFAULT_CIPHERS "HIGH:!aNULL:!MD5"
#define N_OPTIONS (sizeof(struct tls_options) / sizeof(const char *))

/* Of a file; all zero: there is none. */
struct stamp {
    dev_t dev;
    ino_t ino;
    off_t size;
    struct timespec modified, changed;
};
enum { KEY, CERTIFICATE, CA, N_FILES };

static struct {
    struct tls_options database;       /* Copies. */
    SSL_CTX *ctx;                      /* NULL: none could be made yet. */
    bool bootstrap;                    /* `ctx` has no CA, because the file is still to come. */
    bool stale;                        /* Options changed, or the last reading failed: do not trust stamps. */
    struct stamp stamps[N_FILES];      /* What `ctx` was made of. */
    char *complaint;                   /* Said. */
} files;

/* ---- options ---- */

static struct tls_options
effective(void)
{
    struct tls_options o = *daemon_tls_options();
    const struct tls_options *db = &files.database;

    if (!o.private_key && !o.certificate && !o.ca_cert && !o.bootstrap_ca_cert) {
        o.private_key = db->private_key;
        o.certificate = db->certificate;
        o.ca_cert = db->ca_cert;
        o.bootstrap_ca_cert = db->bootstrap_ca_cert;
    }
    o.protocols = o.protocols ? o.protocols : db->protocols;
    o.ciphers = o.ciphers ? o.ciphers : db->ciphers;
    o.ciphersuites = o.ciphersuites ? o.ciphersuites : db->ciphersuites;
    o.server_name = o.server_name ? o.server_name : db->server_name;
    return o;
}

bool
tls_configure(const struct tls_options *from_database)
{
    const char *const *new = (const char *const *) from_database;
    const char **old = (const char **) &files.database;
    bool news = false;

    for (size_t i = 0; i < N_OPTIONS; i++) {
        const char *value = new[i] && *new[i] ? new[i] : NULL;
        if (value == old[i] || (value && old[i] && str_eq(value, old[i]))) {
            continue;
        }
        free((char *) old[i]);
        old[i] = value ? xstrdup(value) : NULL;
        news = true;
    }
    files.stale |= news;
    return news;
}

const char *
tls_files_server_name(void)
{
    return effective().server_name;
}

const char *
tls_files_certificate(void)
{
    return effective().certificate;
}

/* ---- texts ---- */

char *
tls_name_text(const X509_NAME *name)
{
    struct str s = STR_INIT;
    char whole[256];
    int at = X509_NAME_get_index_by_NID(name, NID_commonName, -1);
    const ASN1_STRING *cn = at >= 0 ? X509_NAME_ENTRY_get_data(X509_NAME_get_entry(name, at)) : NULL;
    const char *p = cn ? (const char *) ASN1_STRING_get0_data(cn) : X509_NAME_oneline(name, whole, sizeof whole);
    size_t n = cn ? (size_t) ASN1_STRING_length(cn) : p ? strlen(p) : 0;

    for (size_t i = 0; i < MIN(n, 128); i++) {
        str_putc(&s, p[i] >= ' ' && p[i] <= '~' ? p[i] : '?');
    }
    if (!s.len) {
        str_puts(&s, "without a name");
    }
    return str_steal(&s);
}

char *
tls_time_text(const ASN1_TIME *t)
{
    struct tm tm;
    char buf[64];

    if (ASN1_TIME_to_tm(t, &tm) != 1 || !strftime(buf, sizeof buf, "%Y-%m-%d %H:%M:%S UTC", &tm)) {
        return xstrdup("an unreadable date");
    }
    return xstrdup(buf);
}

bool
tls_is_self_signed(X509 *certificate)
{
    bool yes = X509_check_issued(certificate, certificate) == X509_V_OK
               && X509_verify(certificate, X509_get0_pubkey(certificate)) == 1;
    ERR_clear_error();
    return yes;
}

char *
tls_library_error(void)
{
    unsigned long e = ERR_get_error();
    const char *reason = e ? ERR_reason_error_string(e) : NULL;

    ERR_clear_error();
    return xstrdup(reason ? reason : "an unknown error");
}

/* ---- reading ---- */

static void
take_stamp(const char *path, struct stamp *s)
{
    struct stat st;

    memset(s, 0, sizeof *s);
    if (path && !stat(path, &st)) {
        *s = (struct stamp) { st.st_dev, st.st_ino, st.st_size, st.st_mtim, st.st_ctim };
    }
}

static bool
same_stamp(const struct stamp *a, const struct stamp *b)
{
    return a->dev == b->dev && a->ino == b->ino && a->size == b->size && a->modified.tv_sec == b->modified.tv_sec
           && a->modified.tv_nsec == b->modified.tv_nsec && a->changed.tv_sec == b->changed.tv_sec
           && a->changed.tv_nsec == b->changed.tv_nsec;
}

static const char *
ca_file(const struct tls_options *o)
{
    return o->ca_cert ? o->ca_cert : o->bootstrap_ca_cert;
}

static void
take_stamps(const struct tls_options *o, struct stamp stamps[N_FILES])
{
    take_stamp(o->private_key, &stamps[KEY]);
    take_stamp(o->certificate, &stamps[CERTIFICATE]);
    take_stamp(ca_file(o), &stamps[CA]);
}

/* A daemon cannot ask for a passphrase: none. */
static int
no_passphrase(char *buf, int size, int writing, void *aux)
{
    return 0;
}

/* NULL, or why PATH cannot be opened (WHAT: "private key", ...; caller owns). */
static char *
check_readable(const char *what, const char *path)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    struct stat st;
    char *error = NULL;

    if (fd < 0) {
        return xasprintf("%s %s: %s", what, path, strerror(errno));
    }
    if (!fstat(fd, &st) && S_ISDIR(st.st_mode)) {
        error = xasprintf("%s %s: %s", what, path, strerror(EISDIR));
    }
    close(fd);
    return error;
}

static char *
load_identity(SSL_CTX *ctx, const struct tls_options *o)
{
    char *error = check_readable("private key", o->private_key);

    if (error || (error = check_readable("certificate", o->certificate))) {
        return error;
    }
    if (SSL_CTX_use_certificate_chain_file(ctx, o->certificate) != 1) {
        char *why = tls_library_error();
        error = xasprintf("certificate %s: not a usable certificate in PEM form (%s)", o->certificate, why);
        free(why);
        return error;
    }
    if (SSL_CTX_use_PrivateKey_file(ctx, o->private_key, SSL_FILETYPE_PEM) != 1) {
        unsigned long e = ERR_peek_error();
        if (ERR_GET_LIB(e) == ERR_LIB_X509 && ERR_GET_REASON(e) == X509_R_KEY_VALUES_MISMATCH) {
            error = xasprintf("private key %s does not match certificate %s", o->private_key, o->certificate);
            ERR_clear_error();
            return error;
        }
        char *why = tls_library_error();
        error = xasprintf("private key %s: not a usable key in PEM form without passphrase (%s)", o->private_key, why);
        free(why);
        return error;
    }
    if (SSL_CTX_check_private_key(ctx) != 1) {
        ERR_clear_error();
        return xasprintf("private key %s does not match certificate %s", o->private_key, o->certificate);
    }
    return NULL;
}

static char *
load_ca(SSL_CTX *ctx, const struct tls_options *o, bool *bootstrap)
{
    const char *path = ca_file(o);

    if (o->ca_cert && str_eq(o->ca_cert, "none")) {
        SSL_CTX_set_verify(ctx, SSL_VERIFY_NONE, NULL);
        return NULL;
    }
    char *error = check_readable("CA certificate", path);
    if (error && !o->ca_cert && access(path, F_OK) && errno == ENOENT) {
        free(error);
        *bootstrap = true;
        SSL_CTX_set_verify(ctx, SSL_VERIFY_NONE, NULL);
        return NULL;
    }
    if (!error && SSL_CTX_load_verify_file(ctx, path) != 1) {
        char *why = tls_library_error();
        error = xasprintf("CA certificate %s: no usable certificate in PEM form (%s)", path, why);
        free(why);
    }
    return error;
}

static char *
set_protocols(SSL_CTX *ctx, const struct tls_options *o)
{
    int min = TLS1_2_VERSION, max = 0;
    bool old;

    if (o->protocols) {
        char *error = tls_parse_protocols(o->protocols, &min, &max, &old);
        if (error) {
            char *longer = xasprintf("protocols: %s", error);
            free(error);
            return longer;
        }
        if (old) {
            LOG_INFO("protocols \"%s\": those before TLSv1.2 are not spoken", o->protocols);
        }
    }
    SSL_CTX_set_min_proto_version(ctx, min);
    SSL_CTX_set_max_proto_version(ctx, max);
    if (SSL_CTX_set_cipher_list(ctx, o->ciphers ? o->ciphers : DEFAULT_CIPHERS) != 1) {
        ERR_clear_error();
        return xasprintf("ciphers \"%s\": OpenSSL knows none of them", o->ciphers);
    }
    if (o->ciphersuites && SSL_CTX_set_ciphersuites(ctx, o->ciphersuites) != 1) {
        ERR_clear_error();
        return xasprintf("ciphersuites \"%s\": OpenSSL does not know one of them", o->ciphersuites);
    }
    return NULL;
}

/* Our own certificate works from its first to its last second: say so before a peer refuses it. */
static void
check_own_dates(SSL_CTX *ctx, const char *path)
{
    X509 *own = SSL_CTX_get0_certificate(ctx);
    bool expired = X509_cmp_current_time(X509_get0_notAfter(own)) < 0;
    bool early = X509_cmp_current_time(X509_get0_notBefore(own)) > 0;

    if (expired || early) {
        char *when = tls_time_text(expired ? X509_get0_notAfter(own) : X509_get0_notBefore(own));
        LOG_WARN("our certificate %s %s %s: peers will refuse it", path, expired ? "expired on" : "is not valid before", when);
        free(when);
    }
}

/* A context of what the files hold now, or NULL and *error. */
static SSL_CTX *
load(const struct tls_options *o, bool *bootstrap, char **error)
{
    *bootstrap = false;
    if (!o->private_key || !o->certificate || !ca_file(o)) {
        *error = xasprintf("ssl: needs --%s (and --private-key, --certificate, --ca-cert or --bootstrap-ca-cert)",
                           !o->private_key ? "private-key" : !o->certificate ? "certificate" : "ca-cert");
        return NULL;
    }
    ERR_clear_error();
    SSL_CTX *ctx = SSL_CTX_new(TLS_client_method());
    REQUIRE(ctx);
    SSL_CTX_set_verify(ctx, SSL_VERIFY_PEER, NULL);
    SSL_CTX_set_mode(ctx, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
    SSL_CTX_set_options(ctx, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION);
    SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_OFF);
    SSL_CTX_set_default_passwd_cb(ctx, no_passphrase);
    if ((*error = set_protocols(ctx, o)) || (*error = load_identity(ctx, o)) || (*error = load_ca(ctx, o, bootstrap))) {
        SSL_CTX_free(ctx);
        return NULL;
    }
    return ctx;
}

/* Brings files.ctx in line with the files. NULL, or why that is not possible (caller owns). */
static char *
refresh(void)
{
    struct tls_options o = effective();
    struct stamp now[N_FILES];
    bool same = files.ctx && !files.stale, bootstrap;
    char *error = NULL;

    take_stamps(&o, now);
    for (size_t i = 0; same && i < N_FILES; i++) {
        same = same_stamp(&now[i], &files.stamps[i]);
    }
    if (same) {
        return NULL;
    }
    SSL_CTX *ctx = load(&o, &bootstrap, &error);
    files.stale = !ctx;
    if (!ctx) {
        return error;
    }
    if (files.ctx && !files.bootstrap) {
        LOG_INFO("read the TLS files again: %s, %s, %s", o.private_key, o.certificate, ca_file(&o));
    }
    SSL_CTX_free(files.ctx);
    files.ctx = ctx;
    files.bootstrap = bootstrap;
    memcpy(files.stamps, now, sizeof now);
    free(files.complaint);
    files.complaint = NULL;
    check_own_dates(ctx, o.certificate);
    return NULL;
}

/* ERROR (taken): the old files stay in force. */
static void
complain(char *error)
{
    if (!files.complaint || !str_eq(files.complaint, error)) {
        LOG_WARN("%s: the files read before stay in use", error);
        free(files.complaint);
        files.complaint = error;
    } else {
        free(error);
    }
}

void
tls_refresh(void)
{
    char *error = refresh();

    if (error && files.ctx) {
        complain(error);
    } else {
        free(error);                   /* Whoever connects is told. */
    }
}

SSL_CTX *
tls_files_context(char **ca_path, bool *bootstrap, char **error)
{
    *error = refresh();
    if (*error && !files.ctx) {
        char *why = *error;
        *error = xasprintf(TLS_REFUSED "%s", why);
        free(why);
        return NULL;
    }
    if (*error) {
        complain(*error);
        *error = NULL;
    }
    struct tls_options o = effective();
    const char *ca = ca_file(&o);
    *ca_path = xstrdup(ca ? ca : "");
    *bootstrap = files.bootstrap;
    SSL_CTX_up_ref(files.ctx);
    return files.ctx;
}

char *
tls_files_save_ca(const char *path, X509 *certificate)
{
    char *new = xasprintf("%s.XXXXXX", path), *error = NULL;
    int fd = mkstemp(new);
    FILE *f = fd >= 0 ? fdopen(fd, "w") : NULL;

    if (!f) {
        error = xasprintf("CA certificate %s: cannot be written: %s", path, strerror(errno));
        free(new);
        return error;
    }
    bool written = PEM_write_X509(f, certificate) == 1 && !fchmod(fd, 0644) && !fflush(f) && !fsync(fd);
    written = !fclose(f) && written;
    /* The name appears with its whole content, and never in another's place. */
    if (!written || (link(new, path) && errno != EEXIST)) {
        error = xasprintf("CA certificate %s: cannot be written: %s", path, strerror(errno));
    }
    unlink(new);
    free(new);
    return error;
}

/* tls_private.h - between tls_files.c (the process's identity) and tls.c (a connection). */
#ifndef RUNTIME_TLS_PRIVATE_H
#define RUNTIME_TLS_PRIVATE_H 1

#include <openssl/err.h>
#include <openssl/ssl.h>
#include "runtime/tls.h"

/* The identity in force, read again if its files changed; *ca_path is the CA's file, *bootstrap whether it does not exist and is to be
 * obtained. NULL and *error (caller owns): there is none. A reference goes to the caller. */
SSL_CTX *tls_files_context(char **ca_path, bool *bootstrap, char **error);
/* Writes CERTIFICATE to PATH, unless there is such a file by now. NULL, or a message (caller owns). */
char *tls_files_save_ca(const char *path, X509 *certificate) MUST_USE;
/* The name to ask servers for, NULL: their own. Valid until the next tls_configure(). */
const char *tls_files_server_name(void);
const char *tls_files_certificate(void);

/* The common name of NAME, or all of it, printable; caller owns. */
char *tls_name_text(const X509_NAME *);
char *tls_time_text(const ASN1_TIME *);                /* "2026-01-31 12:00:00 UTC", caller owns. */
bool tls_is_self_signed(X509 *);
/* The first error in OpenSSL's queue in words; empties the queue. Caller owns. */
char *tls_library_error(void);

#endif

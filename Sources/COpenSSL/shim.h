#include <openssl/evp.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

/* Names the host that is meant, for servers with several certificates: a macro of OpenSSL. */
static inline long copenssl_name_host(SSL *session, const char *name) {
  return SSL_set_tlsext_host_name(session, name);
}

/* The other side's certificate, to be freed: a macro of OpenSSL whose name has changed. */
static inline X509 *copenssl_peer_certificate(const SSL *session) {
  return SSL_get_peer_certificate(session);
}

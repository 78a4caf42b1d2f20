/* certificate.h - the certificate of the https listeners: reading and checking.
 *
 * Floor: net.  Any thread.
 *
 * It may be replaced at any time.  Sessions keep the one they began with, so it
 * lives until the last of its users has given it back.
 */
#ifndef PEERPOST_NET_CERTIFICATE_H
#define PEERPOST_NET_CERTIFICATE_H

#include <stdatomic.h>
#include <stddef.h>

#include "base/refuse.h"

#define CERTIFICATE_WHY_SIZE REFUSE_WHY_SIZE

/* With its chain and its key. */
struct certificate {
	/* gnutls_certificate_credentials_t */
	struct gnutls_certificate_credentials_st *credentials;
	_Atomic(size_t) n_users;
};

/* Read a certificate with its chain, the server's own first, and its key,
 * both PEM; the caller is its first user.  Warns (in the log) of a key that
 * everybody can read, and of a certificate that is not valid today.
 * NULL: they cannot be used; out_why (CERTIFICATE_WHY_SIZE bytes) has one
 * sentence without a full stop, which names the file. */
struct certificate *certificate_read(
    const char *cert_path, const char *key_path, char *out_why);

/* Add a user.  Returns certificate. */
struct certificate *certificate_share(struct certificate *certificate);
/* Remove a user.  NULL is fine. */
void certificate_release(struct certificate *certificate);

#endif

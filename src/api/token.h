/* token.h - session tokens.
 *
 * Floor: api.  Engine thread only.
 */
#ifndef PEERPOST_API_TOKEN_H
#define PEERPOST_API_TOKEN_H

#include "base/digest.h"
#include "store/store.h"

#define TOKEN_MAX_KEY 64 /* characters of an Idempotency-Key */

/* 256 random bits in base64url. */
void token_make(char out[DIGEST_TOKEN_SIZE]);

/* HMAC-SHA-256 with the database's secret, over an Idempotency-Key and the
 * player's id, in base64url.  Over the key itself, not its hash, which is in
 * the database beside the secret.  The key has at least 128 random bits
 * (request_parse() checks its length), and so has the token.  ERR_STORAGE. */
MUST_CHECK enum err token_derive(struct store *store, struct span key,
    uint32_t player, char out[DIGEST_TOKEN_SIZE]);

#endif

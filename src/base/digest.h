/* digest.h - SHA-256, HMAC-SHA-256, HMAC-SHA-1 (by nettle), and base64.
 *
 * Floor: base.  Any thread; pure.
 */
#ifndef PEERPOST_BASE_DIGEST_H
#define PEERPOST_BASE_DIGEST_H

#include <stddef.h>
#include <stdint.h>

#include "base/span.h"

#define DIGEST_SIZE 32
#define DIGEST_TOKEN_SIZE 44 /* base64url of 32 bytes (43), and a NUL */
#define DIGEST_SHA1_SIZE 20
#define DIGEST_SHA1_TEXT_SIZE 29 /* base64 of 20 bytes (28), and a NUL */

/* SHA-256 of one text. */
void digest_sha256(struct span text, uint8_t out[DIGEST_SIZE]);

/* SHA-256 of several texts, each preceded by its length, so that no two
 * different lists of texts have the same input. */
void digest_sha256_list(
    const struct span *texts, size_t n, uint8_t out[DIGEST_SIZE]);

/* HMAC-SHA-256 (RFC 2104) of text under a key of DIGEST_SIZE bytes. */
void digest_hmac(
    const uint8_t key[DIGEST_SIZE], struct span text, uint8_t out[DIGEST_SIZE]);

/* base64url without padding (RFC 4648, section 5), with a NUL. */
void digest_to_token(
    const uint8_t bytes[DIGEST_SIZE], char out[DIGEST_TOKEN_SIZE]);

/* HMAC-SHA-1 (RFC 2104, RFC 2202) of text under a key of any length.  Only
 * where a protocol of others requires it: TURN servers. */
void digest_hmac_sha1(
    struct span key, struct span text, uint8_t out[DIGEST_SHA1_SIZE]);

/* base64 with padding (RFC 4648, section 4), with a NUL. */
void digest_sha1_to_text(
    const uint8_t bytes[DIGEST_SHA1_SIZE], char out[DIGEST_SHA1_TEXT_SIZE]);

#endif

/* digest.c - see digest.h. */
#include "base/digest.h"

#include <assert.h>
#include <nettle/base64.h>
#include <nettle/hmac.h>
#include <nettle/sha1.h>
#include <nettle/sha2.h>

static_assert(DIGEST_SIZE == SHA256_DIGEST_SIZE, "SHA-256 has 32 bytes");
static_assert(BASE64_ENCODE_RAW_LENGTH(DIGEST_SIZE) == DIGEST_TOKEN_SIZE,
    "a token is 43 characters, the padding's place is the NUL's");
static_assert(DIGEST_SHA1_SIZE == SHA1_DIGEST_SIZE, "SHA-1 has 20 bytes");
static_assert(
    BASE64_ENCODE_RAW_LENGTH(DIGEST_SHA1_SIZE) + 1 == DIGEST_SHA1_TEXT_SIZE,
    "base64 of it is 28 characters");

void
digest_sha256(struct span text, uint8_t out[DIGEST_SIZE])
{
	struct sha256_ctx ctx;

	sha256_init(&ctx);
	sha256_update(&ctx, text.len, (const uint8_t *)text.at);
	sha256_digest(&ctx, DIGEST_SIZE, out);
}

void
digest_sha256_list(const struct span *texts, size_t n, uint8_t out[DIGEST_SIZE])
{
	struct sha256_ctx ctx;

	sha256_init(&ctx);
	for (size_t i = 0; i < n; i++) {
		uint8_t len[8];

		for (int k = 0; k < 8; k++)
			len[k] = (uint8_t)((uint64_t)texts[i].len >> (8 * k));
		sha256_update(&ctx, sizeof(len), len);
		if (texts[i].len)
			sha256_update(
			    &ctx, texts[i].len, (const uint8_t *)texts[i].at);
	}
	sha256_digest(&ctx, DIGEST_SIZE, out);
}

void
digest_hmac(
    const uint8_t key[DIGEST_SIZE], struct span text, uint8_t out[DIGEST_SIZE])
{
	struct hmac_sha256_ctx ctx;

	hmac_sha256_set_key(&ctx, DIGEST_SIZE, key);
	hmac_sha256_update(&ctx, text.len, (const uint8_t *)text.at);
	hmac_sha256_digest(&ctx, DIGEST_SIZE, out);
}

void
digest_to_token(const uint8_t bytes[DIGEST_SIZE], char out[DIGEST_TOKEN_SIZE])
{
	struct base64_encode_ctx ctx;
	char raw[BASE64_ENCODE_RAW_LENGTH(DIGEST_SIZE) + 4];
	size_t n;

	base64url_encode_init(&ctx);
	n = base64_encode_update(&ctx, raw, DIGEST_SIZE, bytes);
	n += base64_encode_final(&ctx, raw + n);
	assert(n == DIGEST_TOKEN_SIZE && raw[n - 1] == '=');
	memcpy(out, raw, n);
	out[n - 1] = '\0';
}

void
digest_hmac_sha1(
    struct span key, struct span text, uint8_t out[DIGEST_SHA1_SIZE])
{
	struct hmac_sha1_ctx ctx;

	hmac_sha1_set_key(&ctx, key.len, (const uint8_t *)key.at);
	hmac_sha1_update(&ctx, text.len, (const uint8_t *)text.at);
	hmac_sha1_digest(&ctx, DIGEST_SHA1_SIZE, out);
}

void
digest_sha1_to_text(
    const uint8_t bytes[DIGEST_SHA1_SIZE], char out[DIGEST_SHA1_TEXT_SIZE])
{
	base64_encode_raw(out, DIGEST_SHA1_SIZE, bytes);
	out[DIGEST_SHA1_TEXT_SIZE - 1] = '\0';
}

/* token.c - see token.h. */
#include "api/token.h"

#include <assert.h>
#include <string.h>

#include "base/random.h"

void
token_make(char out[DIGEST_TOKEN_SIZE])
{
	uint8_t bytes[DIGEST_SIZE];

	random_bytes(bytes, sizeof(bytes));
	digest_to_token(bytes, out);
}

enum err
token_derive(struct store *store, struct span key, uint32_t player,
    char out[DIGEST_TOKEN_SIZE])
{
	uint8_t secret[DIGEST_SIZE], bytes[DIGEST_SIZE];
	char input[TEXT_INT_SIZE + 1 + TOKEN_MAX_KEY];
	size_t len;
	enum err err = store->secret(store, secret);

	if (err)
		return err;
	assert(key.len <= TOKEN_MAX_KEY);
	len = text_from_int(input, player);
	input[len++] = ' ';
	memcpy(input + len, key.at, key.len);
	digest_hmac(secret, (struct span){ input, len + key.len }, bytes);
	digest_to_token(bytes, out);
	return ERR_NONE;
}

/* test_digest.c - published vectors, and that lists are told apart. */
#include "tests/unit/unit.h"

#include <stdlib.h>

#include "base/digest.h"

#define N_OF(array) (sizeof(array) / sizeof((array)[0]))

static void
assert_digest(const uint8_t digest[DIGEST_SIZE], const char *hex)
{
	static const char digits[] = "0123456789abcdef";
	char text[2 * DIGEST_SIZE + 1];

	for (size_t i = 0; i < DIGEST_SIZE; i++) {
		text[2 * i] = digits[digest[i] >> 4];
		text[2 * i + 1] = digits[digest[i] & 15];
	}
	text[2 * DIGEST_SIZE] = '\0';
	assert_string_equal(text, hex);
}

static void
assert_token(const uint8_t bytes[DIGEST_SIZE], const char *wanted)
{
	char token[DIGEST_TOKEN_SIZE];

	digest_to_token(bytes, token);
	assert_string_equal(token, wanted);
}

/* FIPS 180-2, appendix B, and the empty text of NIST's CAVP. */
static void
test_sha256_gives_the_vectors_of_nist(void **state)
{
	static const struct {
		const char *text, *hex;
	} rows[] = {
		{ "",
		    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991"
		    "b7852b855" },
		{ "abc",
		    "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410"
		    "ff61f20015ad" },
		{ "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
		    "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd41"
		    "9db06c1" },
	};
	uint8_t digest[DIGEST_SIZE];
	size_t million = 1000000;
	char *many = malloc(million);

	(void)state;
	for (size_t i = 0; i < N_OF(rows); i++) {
		digest_sha256(span_of(rows[i].text), digest);
		assert_digest(digest, rows[i].hex);
	}
	assert_non_null(many);
	memset(many, 'a', million);
	digest_sha256((struct span){ many, million }, digest);
	assert_digest(digest,
	    "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200"
	    "e046d39ccc7112cd0");
	free(many);
}

/* RFC 4231, cases 1 to 4.  HMAC pads a key with zeros to the hash's block of
 * 64 bytes, so their shorter keys are keys of DIGEST_SIZE with zeros too. */
static void
test_hmac_gives_the_vectors_of_rfc_4231(void **state)
{
	uint8_t key[DIGEST_SIZE], digest[DIGEST_SIZE];
	char data[50];

	(void)state;
	memset(key, 0, sizeof(key));
	memset(key, 0x0b, 20);
	digest_hmac(key, span_of("Hi There"), digest);
	assert_digest(digest,
	    "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da"
	    "726e9376c2e32cff7");

	memset(key, 0, sizeof(key));
	memcpy(key, "Jefe", 4);
	digest_hmac(key, span_of("what do ya want for nothing?"), digest);
	assert_digest(digest,
	    "5bdcc146bf60754e6a042426089575c75a003f089d27398"
	    "39dec58b964ec3843");

	memset(key, 0, sizeof(key));
	memset(key, 0xaa, 20);
	memset(data, 0xdd, sizeof(data));
	digest_hmac(key, (struct span){ data, sizeof(data) }, digest);
	assert_digest(digest,
	    "773ea91e36800e46854db8ebd09181a72959098b3ef8c12"
	    "2d9635514ced565fe");

	memset(key, 0, sizeof(key));
	for (uint8_t i = 0; i < 25; i++)
		key[i] = (uint8_t)(i + 1);
	memset(data, 0xcd, sizeof(data));
	digest_hmac(key, (struct span){ data, sizeof(data) }, digest);
	assert_digest(digest,
	    "82558a389a443c0ea4cc819899f2083a85f0faa3e578f80"
	    "77a2e3ff46729665b");
}

static void
test_hmac_uses_all_of_the_key(void **state)
{
	uint8_t key[DIGEST_SIZE], one[DIGEST_SIZE], other[DIGEST_SIZE];

	(void)state;
	memset(key, 0, sizeof(key));
	digest_hmac(key, span_of("x"), one);
	for (size_t i = 0; i < sizeof(key); i++) {
		key[i] = 1;
		digest_hmac(key, span_of("x"), other);
		assert_memory_not_equal(one, other, DIGEST_SIZE);
		key[i] = 0;
	}
}

/* RFC 2202, cases 1, 2, 3 and 6; of its digests, the texts by
 *	xxd -r -p | base64 */
static void
test_hmac_sha1_gives_the_vectors_of_rfc_2202(void **state)
{
	char key[80], data[50], text[DIGEST_SHA1_TEXT_SIZE];
	uint8_t mac[DIGEST_SHA1_SIZE];

	(void)state;
	memset(key, 0x0b, 20);
	digest_hmac_sha1((struct span){ key, 20 }, span_of("Hi There"), mac);
	digest_sha1_to_text(mac, text);
	assert_string_equal(text, "thcxhlUFcmTii8C2+zeMjvFGvgA=");

	digest_hmac_sha1(
	    span_of("Jefe"), span_of("what do ya want for nothing?"), mac);
	digest_sha1_to_text(mac, text);
	assert_string_equal(text, "7/zfauXrL6LSdBbV8YTfnCWafHk=");

	memset(key, 0xaa, 80);
	memset(data, 0xdd, sizeof(data));
	digest_hmac_sha1(
	    (struct span){ key, 20 }, (struct span){ data, sizeof(data) }, mac);
	digest_sha1_to_text(mac, text);
	assert_string_equal(text, "El1zQrmsEc2Ro5r0iqF7T2PxddM=");

	/* longer than a block of the hash */
	digest_hmac_sha1((struct span){ key, 80 },
	    span_of("Test Using Larger Than Block-Size Key - Hash Key First"),
	    mac);
	digest_sha1_to_text(mac, text);
	assert_string_equal(text, "qkrl4VJy0A6VcFY3zoo7Ve1AIRI=");
}

static void
test_a_token_is_base64url_without_padding(void **state)
{
	uint8_t bytes[DIGEST_SIZE];

	(void)state;
	memset(bytes, 0, sizeof(bytes));
	assert_token(bytes, "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA");
	memset(bytes, 0xff, sizeof(bytes));
	assert_token(bytes, "__________________________________________8");
	memset(bytes, 0xfb, sizeof(bytes));
	assert_token(bytes, "-_v7-_v7-_v7-_v7-_v7-_v7-_v7-_v7-_v7-_v7-_s");
	/* RFC 7636, appendix B */
	digest_sha256(
	    span_of("dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"), bytes);
	assert_token(bytes, "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM");
}

static void
test_no_two_lists_of_texts_are_alike(void **state)
{
	static const struct {
		size_t n;
		struct span texts[3];
	} lists[] = {
		{ 0, { { NULL, 0 } } },
		{ 1, { { "", 0 } } },
		{ 2, { { "", 0 }, { "", 0 } } },
		{ 1, { { "abc", 3 } } },
		{ 2, { { "ab", 2 }, { "c", 1 } } },
		{ 2, { { "a", 1 }, { "bc", 2 } } },
		{ 2, { { "", 0 }, { "abc", 3 } } },
		{ 2, { { "abc", 3 }, { "", 0 } } },
		{ 3, { { "a", 1 }, { "b", 1 }, { "c", 1 } } },
		{ 1, { { "abc\0\0\0\0\0\0\0\0", 11 } } },
		{ 1, { { "\0\0\0\0\0\0\0\0", 8 } } },
	};
	uint8_t digests[N_OF(lists)][DIGEST_SIZE], again[DIGEST_SIZE];

	(void)state;
	for (size_t i = 0; i < N_OF(lists); i++) {
		digest_sha256_list(lists[i].texts, lists[i].n, digests[i]);
		digest_sha256_list(lists[i].texts, lists[i].n, again);
		assert_memory_equal(digests[i], again, DIGEST_SIZE);
		for (size_t j = 0; j < i; j++)
			assert_memory_not_equal(
			    digests[i], digests[j], DIGEST_SIZE);
	}
}

static void
test_a_text_that_is_not_there_hashes_as_an_empty_one(void **state)
{
	const struct span none = { NULL, 0 }, empty = { "", 0 };
	uint8_t one[DIGEST_SIZE], other[DIGEST_SIZE];

	(void)state;
	digest_sha256_list(&none, 1, one);
	digest_sha256_list(&empty, 1, other);
	assert_memory_equal(one, other, DIGEST_SIZE);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_sha256_gives_the_vectors_of_nist),
		cmocka_unit_test(test_hmac_gives_the_vectors_of_rfc_4231),
		cmocka_unit_test(test_hmac_sha1_gives_the_vectors_of_rfc_2202),
		cmocka_unit_test(test_hmac_uses_all_of_the_key),
		cmocka_unit_test(test_a_token_is_base64url_without_padding),
		cmocka_unit_test(test_no_two_lists_of_texts_are_alike),
		cmocka_unit_test(
		    test_a_text_that_is_not_there_hashes_as_an_empty_one),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

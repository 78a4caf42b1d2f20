/* fuzz_forwarded.c - X-Forwarded-For, Forwarded, and the addresses in them.
 *
 * The first byte of the input chooses the peer; the rest is the text of the
 * header, for each of the two in turn.  It stands for what a client may have
 * sent: with a trusted proxy's element to its right, that is what counts.
 */
#include <arpa/inet.h>
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "net/forwarded.h"
#include "tests/fuzz/fuzz.h"

#define MAX_TEXT 4096
#define N_OF(array) (sizeof(array) / sizeof((array)[0]))

enum header { X_FORWARDED_FOR, FORWARDED };

/* Trusted ones first. */
static const char *const peers[] = { "10.0.0.1", "2001:db8:77::1", "::1",
	"192.0.2.99", "2001:db8:78::1" };
#define N_TRUSTED_PEERS 3

/* What a trusted proxy may append, so that 198.51.100.7 is the client. */
static const char *const x_elements[] = { "198.51.100.7", "198.51.100.7:4711",
	"[::ffff:198.51.100.7], 10.0.0.2" };
static const char *const elements[] = { "for=198.51.100.7",
	"for=198.51.100.7;host=\"\"",
	"host=\"a, for=192.0.2.1;b=\";for=\"198.51.100.7:4711\"",
	"for=198.51.100.7;host=\"\\\", for=192.0.2.1;b=\\\"\\\\\"",
	"for=\"[::ffff:198.51.100.7]\";host=\";b=\", for=10.0.0.2" };

static const char *const lefts[] = { "garbage", ",", "for=192.0.2.1;b=\"",
	"b=\"\\" };

static struct trusted_proxies trusted;

static bool
is_same(struct peer_address a, struct peer_address b)
{
	return memcmp(&a, &b, sizeof(a)) == 0;
}

static struct peer_address
parse(const char *text)
{
	struct peer_address peer;
	bool is_read = peer_address_parse(span_of(text), &peer);

	assert(is_read);
	return peer;
}

static struct peer_address
find(struct peer_address peer, enum header header, struct span text)
{
	const struct span nothing = { NULL, 0 };

	if (header == X_FORWARDED_FOR)
		return forwarded_client(&trusted, &peer, text, nothing);
	return forwarded_client(&trusted, &peer, nothing, text);
}

/* The client that left, a comma and right make together. */
static struct peer_address
find_joined(struct peer_address peer, enum header header, struct span left,
    struct span right)
{
	size_t len = left.len + 2 + right.len;
	char *both = malloc(len);
	struct peer_address client;

	assert(both);
	memcpy(both, left.at, left.len);
	memcpy(both + left.len, ", ", 2);
	memcpy(both + left.len + 2, right.at, right.len);
	client = find(peer, header, (struct span){ both, len });
	free(both);
	return client;
}

static bool
stands_between_commas(struct span text, struct peer_address client)
{
	size_t start = 0;

	for (size_t i = 0; i <= text.len; i++) {
		struct span piece = { text.at + start, i - start };
		struct peer_address found;

		if (i < text.len && text.at[i] != ',')
			continue;
		if (peer_address_parse(text_trim(piece), &found) &&
		    is_same(found, client))
			return true;
		start = i + 1;
	}
	return false;
}

/* Whether text begins with client, in quotes or not. */
static bool
is_value(struct span text, struct peer_address client)
{
	bool is_quoted = text.len && text.at[0] == '"';
	struct peer_address found;
	char plain[64];
	size_t len = 0;

	for (size_t i = is_quoted; i < text.len; i++) {
		if (is_quoted ? text.at[i] == '"' :
				memchr(",; \t", text.at[i], 4) != NULL)
			break;
		if (is_quoted && text.at[i] == '\\' && ++i == text.len)
			return false;
		if (len == sizeof(plain))
			return false;
		plain[len++] = text.at[i];
	}
	return peer_address_parse((struct span){ plain, len }, &found) &&
	    is_same(found, client);
}

static bool
stands_after_for(struct span text, struct peer_address client)
{
	for (size_t i = 0; i + 4 <= text.len; i++)
		if (text_equals_nocase(
			(struct span){ text.at + i, 4 }, "for=") &&
		    is_value((struct span){ text.at + i + 4, text.len - i - 4 },
			client))
			return true;
	return false;
}

/* What holds whatever the text is. */
static void
check_text(struct peer_address peer, enum header header, struct span text)
{
	const struct peer_address client = find(peer, header, text);
	const struct peer_address with_proxy = find_joined(peer, header, text,
	    span_of(header == X_FORWARDED_FOR ? "10.0.0.2" : "for=10.0.0.2"));

	assert(is_same(client, with_proxy));
	if (is_same(client, peer))
		return;
	assert(header == X_FORWARDED_FOR ? stands_between_commas(text, client) :
					   stands_after_for(text, client));
	if (trusted_proxies_has(&trusted, &client))
		return;
	for (size_t i = 0; i < N_OF(lefts); i++) {
		const struct peer_address same = find_joined(
		    peer, header, span_of(lefts[i]), text);

		assert(is_same(client, same));
	}
}

static void
check_trusted(struct peer_address peer, struct span text)
{
	const struct peer_address client = parse("198.51.100.7");

	check_text(peer, X_FORWARDED_FOR, text);
	check_text(peer, FORWARDED, text);
	for (size_t i = 0; i < N_OF(x_elements); i++) {
		const struct peer_address found = find_joined(
		    peer, X_FORWARDED_FOR, text, span_of(x_elements[i]));

		assert(is_same(found, client));
	}
	for (size_t i = 0; i < N_OF(elements); i++) {
		const struct peer_address found = find_joined(
		    peer, FORWARDED, text, span_of(elements[i]));

		assert(is_same(found, client));
	}
}

static void
check_untrusted(struct peer_address peer, struct span text)
{
	const struct peer_address client = forwarded_client(
	    &trusted, &peer, text, text);

	assert(is_same(client, peer));
}

/* X-Forwarded-For wins unless it is blank. */
static void
check_both(struct peer_address peer, struct span text)
{
	const bool is_blank = text_trim(text).len == 0;
	const struct peer_address found = forwarded_client(
	    &trusted, &peer, text, span_of("for=\"[::7]\""));

	assert(is_same(found,
	    is_blank ? parse("::7") : find(peer, X_FORWARDED_FOR, text)));
}

/* An address, written in the usual form, is the same address. */
static void
check_address(struct span text)
{
	char usual[INET6_ADDRSTRLEN];
	struct peer_address peer;

	if (!peer_address_parse(text, &peer))
		return;
	assert(!peer.is_unix);
	assert(inet_ntop(AF_INET6, peer.ip, usual, sizeof(usual)));
	assert(is_same(parse(usual), peer));
}

/* A block holds the address that it is written with. */
static void
check_block(struct span text)
{
	struct trusted_proxies proxies = { .n_blocks = 0 };
	char *copy = malloc(text.len + 1);

	assert(copy);
	memcpy(copy, text.at, text.len);
	copy[text.len] = '\0';
	if (trusted_proxies_add(&proxies, copy) && proxies.n_blocks) {
		const struct trusted_block *block = &proxies.blocks[0];
		struct peer_address first = { .is_unix = false };

		assert(proxies.n_blocks == 1 && !proxies.is_unix);
		assert(block->n_bits <= 128);
		memcpy(first.ip, block->prefix, sizeof(first.ip));
		assert(trusted_proxies_has(&proxies, &first));
	}
	free(copy);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct span text = { (const char *)data + 1, size - 1 };
	size_t i;

	if (size == 0 || size > MAX_TEXT)
		return 0;
	if (!trusted.n_blocks) {
		trusted_proxies_add(&trusted, "127.0.0.0/8");
		trusted_proxies_add(&trusted, "::1");
		trusted_proxies_add(&trusted, "unix");
		trusted_proxies_add(&trusted, "10.0.0.0/8");
		trusted_proxies_add(&trusted, "2001:db8:77::/48");
	}
	i = data[0] % N_OF(peers);
	if (i < N_TRUSTED_PEERS) {
		check_trusted(parse(peers[i]), text);
		check_both(parse(peers[i]), text);
	} else {
		check_untrusted(parse(peers[i]), text);
	}
	check_address(text);
	check_block(text);
	return 0;
}

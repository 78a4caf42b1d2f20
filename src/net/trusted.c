/* trusted.c - see trusted.h. */
#include "net/trusted.h"

#include <string.h>

#include "base/span.h"
#include "base/text.h"

#define IPV6_BITS 128
#define IPV4_BITS 32
#define IPV4_PREFIX_BITS (IPV6_BITS - IPV4_BITS) /* ::ffff:0:0/96 */

/* Zero everything after the first n_bits. */
static void
mask(uint8_t ip[16], unsigned n_bits)
{
	for (unsigned i = n_bits / 8; i < 16; i++) {
		unsigned n_kept = i == n_bits / 8 ? n_bits % 8 : 0;

		ip[i] = (uint8_t)(ip[i] & ~(0xffu >> n_kept));
	}
}

static bool
parse_block(const char *text, struct trusted_block *out)
{
	const char *slash = strchr(text, '/');
	const struct span ip = { text,
		slash ? (size_t)(slash - text) : strlen(text) };
	const bool is_ipv4 = !memchr(text, ':', ip.len);
	const unsigned n_max = is_ipv4 ? IPV4_BITS : IPV6_BITS;
	struct peer_address peer;
	uint64_t n_bits = n_max;

	if (!peer_address_parse_bare(ip, &peer))
		return false;
	if (slash && !text_to_uint(span_of(slash + 1), n_max, &n_bits))
		return false;
	if (is_ipv4)
		n_bits += IPV4_PREFIX_BITS;
	memcpy(out->prefix, peer.ip, sizeof(out->prefix));
	out->n_bits = (uint8_t)n_bits;
	mask(out->prefix, out->n_bits);
	return true;
}

bool
trusted_proxies_add(struct trusted_proxies *trusted, const char *text)
{
	struct trusted_block block;

	if (strcmp(text, "none") == 0)
		return true;
	if (strcmp(text, "unix") == 0) {
		trusted->is_unix = true;
		return true;
	}
	if (trusted->n_blocks == TRUSTED_MAX || !parse_block(text, &block))
		return false;
	trusted->blocks[trusted->n_blocks++] = block;
	return true;
}

static bool
block_has(const struct trusted_block *block, const struct peer_address *peer)
{
	uint8_t ip[16];

	/* Its bytes would be in ::/0, but it is not an IPv6 address. */
	if (block->n_bits < IPV4_PREFIX_BITS && peer_address_is_ipv4(peer))
		return false;
	memcpy(ip, peer->ip, sizeof(ip));
	mask(ip, block->n_bits);
	return memcmp(ip, block->prefix, sizeof(ip)) == 0;
}

bool
trusted_proxies_has(
    const struct trusted_proxies *trusted, const struct peer_address *peer)
{
	if (peer->is_unix)
		return trusted->is_unix;
	for (size_t i = 0; i < trusted->n_blocks; i++)
		if (block_has(&trusted->blocks[i], peer))
			return true;
	return false;
}

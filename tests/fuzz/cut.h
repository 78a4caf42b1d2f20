/* cut.h - bytes in pieces, as an input of a fuzz target says.
 */
#ifndef PEERPOST_TESTS_FUZZ_CUT_H
#define PEERPOST_TESTS_FUZZ_CUT_H

#include <stdint.h>

#include "base/span.h"

/* how 0: byte by byte; up to 127: pieces of this size; above: of all sizes up
 * to 31 and 0, each time in another order. */
struct cut {
	uint8_t how;
	uint32_t random;
};

static inline struct cut
cut_of(uint8_t how)
{
	return (struct cut){ how, how };
}

/* Take the next piece off *rest. */
static inline struct span
cut_take(struct cut *cut, struct span *rest)
{
	struct span piece = { rest->at, cut->how ? cut->how : 1 };

	if (cut->how > 127) {
		cut->random = cut->random * 1103515245 + 12345;
		piece.len = cut->random >> 16 & 31;
	}
	if (piece.len > rest->len)
		piece.len = rest->len;
	rest->at += piece.len;
	rest->len -= piece.len;
	return piece;
}

#endif

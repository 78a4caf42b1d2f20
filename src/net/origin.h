/* origin.h - the origins whose pages are allowed (RFC 6454, section 6).
 *
 * Floor: net.  Any thread; pure.
 *
 * One is "*" (all), "null" (pages that have none, such as files), an origin as
 * browsers send it, or one whose host begins with "*.": the star stands for one
 * or more labels of the host's name.
 */
#ifndef PEERPOST_NET_ORIGIN_H
#define PEERPOST_NET_ORIGIN_H

#include <stdbool.h>
#include <stddef.h>

#include "base/refuse.h"
#include "base/span.h"

#define ORIGIN_MAX_SCHEME 32
#define ORIGIN_MAX_HOST 253 /* RFC 1035, section 2.3.4, as text */
/* With "://", a port and a NUL. */
#define ORIGIN_SIZE (ORIGIN_MAX_SCHEME + 3 + ORIGIN_MAX_HOST + 6 + 1)
#define ORIGIN_WHY_SIZE REFUSE_WHY_SIZE

/* Normalise an operator's origin to the form that browsers send, in lower case
 * and without the default port, and write it to out.
 * false: no browser sends such an origin; out_why has the correct form. */
bool origin_normalise(
    const char *text, char out[ORIGIN_SIZE], char out_why[ORIGIN_WHY_SIZE]);

/* Whether origin, the value of a request's Origin, equals allowed or matches
 * its pattern.  allowed has been normalised, and is not "*".  An origin that
 * matches is shorter than ORIGIN_SIZE. */
bool origin_fits(const char *allowed, struct span origin);

#endif

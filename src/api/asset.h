/* asset.h - files that are built into the daemon, and their replies.
 *
 * Floor: api.  Any thread; pure.
 *
 * embed_assets.awk makes the files part of the program, by writing
 * asset_files.h; route.c has their paths.
 */
#ifndef PEERPOST_API_ASSET_H
#define PEERPOST_API_ASSET_H

#include <stdbool.h>

#include "base/span.h"

struct request;

struct asset {
	struct span bytes; /* static */
	const char *type;  /* media type */
	const char *etag;  /* strong, with its quotes */
	bool is_page;      /* HTML, sent with a Content Security Policy */
};

/* Write the reply: the file, or 304 if the request's If-None-Match has its
 * entity tag (RFC 9110, section 13.1.2). */
void asset_answer(struct request *request, const struct asset *asset);

/* Write a redirect to location (static), which is relative to the request's own
 * path. */
void asset_redirect(struct request *request, const char *location);

#endif

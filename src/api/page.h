/* page.h - GET /: a page for people.
 *
 * Floor: api.  Any thread; pure.
 *
 * The page is src/api/page.html.  Its style and its script are within it, and
 * its Content Security Policy names their digests (embed_assets.awk), so that
 * nothing else can be either.
 */
#ifndef PEERPOST_API_PAGE_H
#define PEERPOST_API_PAGE_H

#include "api/request.h"

/* Write the reply.  base_path: "" or "/prefix".  What the client has sent is
 * shown only as far as it cannot mean anything to HTML or a shell. */
void page_answer(struct request *request, const char *base_path);

#endif

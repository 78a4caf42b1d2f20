/* page.h - GET /: a page for people.
 *
 * Floor: api.  Any thread; pure.
 */
#ifndef PEERPOST_API_PAGE_H
#define PEERPOST_API_PAGE_H

#include "api/request.h"

/* The digest of the text of its style element, in base64, as a Content Security
 * Policy names it.  tests/api/pages.test.mjs compares them. */
#define PAGE_STYLE_SHA256 "IwVzUj7A/n1RbjDUXupdb5j/SloRY/YXjE0VFJJ39U8="

/* Write the reply.  base_path: "" or "/prefix". */
void page_answer(struct request *request, const char *base_path);

#endif

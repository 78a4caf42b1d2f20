/* page.h - GET /: a page for people.
 *
 * Floor: api.  Any thread; pure.
 */
#ifndef PEERPOST_API_PAGE_H
#define PEERPOST_API_PAGE_H

#include "api/request.h"

/* Write the reply.  base_path: "" or "/prefix". */
void page_answer(struct request *request, const char *base_path);

#endif

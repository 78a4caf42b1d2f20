/* page.h - replies to GET /, GET /room and GET /ice-servers.
 *
 * Floor: api.
 *
 * The page at / is src/api/page.html.  It contains its style and its script,
 * and its Content Security Policy names their digests (embed_assets.awk), so
 * the browser accepts no others.
 */
#ifndef PEERPOST_API_PAGE_H
#define PEERPOST_API_PAGE_H

#include "api/transaction.h"

/* GET /.  Any thread; pure.  Write the reply.  base_path: "" or "/prefix".
 * Text from the client is shown only if it has no meaning to HTML or to a
 * shell. */
void page_answer(struct request *request, const char *base_path);

/* GET /room.  Engine thread only.  Write the reply: a snapshot of the caller's
 * room.  ERR_STORAGE. */
MUST_CHECK enum err get_room_run(
    struct transaction *txn, struct request *request);

/* GET /ice-servers.  Engine thread only.  Write the reply: the STUN and TURN
 * servers for the caller, with credentials whose time starts now.  ERR_STORAGE.
 */
MUST_CHECK enum err get_ice_servers_run(
    struct transaction *txn, struct request *request);

#endif

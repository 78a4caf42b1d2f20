/* page.h - what is shown: a page for people, the caller's room, its ICE
 * servers.
 *
 * Floor: api.
 *
 * The page at / is src/api/page.html.  Its style and its script are within it,
 * and its Content Security Policy names their digests (embed_assets.awk), so
 * that nothing else can be either.
 */
#ifndef PEERPOST_API_PAGE_H
#define PEERPOST_API_PAGE_H

#include "api/transaction.h"

/* GET /.  Any thread; pure.  Write the reply.  base_path: "" or "/prefix".
 * What the client has sent is shown only as far as it cannot mean anything to
 * HTML or a shell. */
void page_answer(struct request *request, const char *base_path);

/* GET /room.  Engine thread only.  Write the reply: a snapshot of the caller's
 * room.  ERR_STORAGE. */
MUST_CHECK enum err get_room_run(
    struct transaction *txn, struct request *request);

/* GET /ice-servers.  Engine thread only.  Write the reply: the STUN and TURN
 * servers for the caller, with credentials that count from now.  ERR_STORAGE.
 */
MUST_CHECK enum err get_ice_servers_run(
    struct transaction *txn, struct request *request);

#endif

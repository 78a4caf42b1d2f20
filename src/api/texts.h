/* texts.h - events, failures and rooms as JSON text.
 *
 * Floor: api.  Events and failures: any thread, pure.  Rooms: engine thread
 * only.
 */
#ifndef PEERPOST_API_TEXTS_H
#define PEERPOST_API_TEXTS_H

#include "base/buf.h"
#include "base/err.h"
#include "core/event.h"
#include "core/world.h"

/* Append {"id":id,"command":CODE,"data":body}.  body is JSON, verbatim. */
void event_text_add(
    struct buf *out, uint64_t id, enum event_kind kind, struct span body);

/* Append {"command":code,"data":SENTENCE,"error":WORD}.  why: the sentence (see
 * fault.h); NULL: that of err. */
void event_text_add_failure(
    struct buf *out, const char *code, enum err err, const char *why);

/* The same for a session that has ended: PTO and the reason. */
void event_text_add_ended(struct buf *out, enum end_reason reason);

/* Append ["NAME",...], in join order.  ERR_STORAGE. */
MUST_CHECK enum err room_text_add_names(
    struct world *world, const struct room *room, struct buf *out);

/* Append [{"id":PEER,"name":NAME},...], in join order.  ERR_STORAGE. */
MUST_CHECK enum err room_text_add_peers(
    struct world *world, const struct room *room, struct buf *out);

/* Append the snapshot of player's room: {"room":UUID,"host":1,"sealed":BOOL,
 * "id":PEER,"peers":[...],"next":HEAD}; null if it is in none.
 * mailbox_load() first.  ERR_STORAGE. */
MUST_CHECK enum err room_text_add_snapshot(
    struct world *world, const struct player *player, struct buf *out);

#endif

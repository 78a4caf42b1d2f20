/* event_text.h - events and failures as JSON text.
 *
 * Floor: api.  Any thread; pure.
 */
#ifndef PEERPOST_API_EVENT_TEXT_H
#define PEERPOST_API_EVENT_TEXT_H

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

/* The same for a session that has ended: PTO and why. */
void event_text_add_ended(struct buf *out, enum end_reason reason);

#endif

/* reply.h - writing replies, and the records that they are made from.
 *
 * Floor: api.  Any thread; pure.
 *
 * The outcomes of a request's commands are written one after the other into a
 * record.  With an Idempotency-Key the record is stored (it holds neither a
 * token nor anything that a repeated request contains), and every reply is made
 * from it, the first as well as a repeated one.
 */
#ifndef PEERPOST_API_REPLY_H
#define PEERPOST_API_REPLY_H

#include "api/command.h"
#include "api/request.h"

/* Begin a JSON reply.  Returns its body, to be written. */
struct buf *reply_begin(struct request *request, unsigned status);

/* The bytes of the reply to GET: those of a file, or those written to its body.
 * They are not sent with status 304, nor to HEAD. */
struct span reply_body(const struct reply *reply);
/* The number of bytes of body that are sent. */
size_t reply_n_sent(const struct request *request);

/* Append one outcome to the record. */
void reply_record(struct buf *record, const struct outcome *outcome);

/* Append the outcome of a failed call: its whole reply.  reason: why the
 * session ended, with ERR_TIMED_OUT. */
void reply_set_failed(struct outcome *out, const struct call *call,
    enum err err, enum end_reason reason);

/* Write status, type and JSON of the replies in record to the request's reply:
 * one reply, an array, or, if the request is wrapped, {"replies":[...] with the
 * brace left open for events to follow.  token is used where a session was
 * registered. */
void reply_render(
    struct request *request, struct span record, const char *token);

/* Fail the whole request, since its session has ended: 410. */
void reply_fail_ended(struct request *request, enum end_reason reason);

/* Fail the whole request, since it has no session: with err, or for
 * ERR_TIMED_OUT with the reason (transaction_find_session()). */
void reply_fail_session(
    struct request *request, enum err err, enum end_reason reason);

/* Fail the whole request; the code is that of its command, if it has just
 * one, else of its route. */
void reply_fail(struct request *request, enum err err);

/* Write a failure reply: {"command":code,"data":sentence,"error":word}, with
 * its status and Retry-After.  If the request, or its only call, keeps a
 * sentence for this err, that is used.  code NULL: the code of the request's
 * route.  On listeners other than LISTENER_PUBLIC there are no codes, and the
 * reply is that of reply_fail_admin(). */
void reply_fail_as(struct request *request, const char *code, enum err err);

/* Write a failure reply for an operator.  Both texts are borrowed for the call;
 * word is a literal that needs no escaping. */
void reply_fail_admin(struct request *request, unsigned status,
    const char *word, const char *message);

#endif

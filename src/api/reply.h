/* reply.h - writing replies; what commands have answered, as bytes to keep.
 *
 * Floor: api.  Any thread; pure.
 *
 * The outcomes of a request's commands are written one after the other into a
 * record.  The record is what is stored with an Idempotency-Key (it holds
 * neither a token nor anything that the repeated request says again), and the
 * reply is always made from it, the first time as every other time.
 */
#ifndef PEERPOST_API_REPLY_H
#define PEERPOST_API_REPLY_H

#include "api/command.h"
#include "api/request.h"

/* Begin a reply that is JSON.  Returns its body, to be written. */
struct buf *reply_begin(struct request *request, unsigned status);

/* The bytes of the reply to GET: a file's, or those that were written.  They
 * are not sent with status 304, nor to HEAD. */
struct span reply_body(const struct reply *reply);
/* How many bytes of body are sent. */
size_t reply_n_sent(const struct request *request);

/* Append one outcome to the record. */
void reply_record(struct buf *record, const struct outcome *outcome);

/* The outcome of a call that has failed: its whole reply.  reason: why the
 * session ended, with ERR_TIMED_OUT. */
void reply_set_failed(struct outcome *out, const struct call *call,
    enum err err, enum end_reason reason);

/* Write status, type and JSON of the replies that record tells to the
 * request's reply: one, or an array, or {"replies":[...] with the brace left
 * open (for events to follow) when the request is wrapped.  token is used
 * where a session was registered. */
void reply_render(
    struct request *request, struct span record, const char *token);

/* Fail the whole request because its session has ended: 410. */
void reply_fail_ended(struct request *request, enum end_reason reason);

/* Fail the whole request because there is no session for it: with err, or for
 * ERR_TIMED_OUT with the reason (transaction_find_session()). */
void reply_fail_session(
    struct request *request, enum err err, enum end_reason reason);

/* Fail the whole request; the code is that of its command, if it has just
 * one, else of its route. */
void reply_fail(struct request *request, enum err err);

/* Write a failure reply: {"command":code,"data":sentence,"error":word}, with
 * its status and Retry-After.  The sentence is that of the request, or of its
 * only call, if it is kept for this err.  code NULL: the code of the request's
 * route.  At listeners other than LISTENER_PUBLIC there are no codes, and it is
 * that of reply_fail_admin(). */
void reply_fail_as(struct request *request, const char *code, enum err err);

/* Write a failure reply for an operator.  Both texts are borrowed for the call;
 * word is a literal that needs no escaping. */
void reply_fail_admin(struct request *request, unsigned status,
    const char *word, const char *message);

#endif

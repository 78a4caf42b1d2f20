/* reply.c - see reply.h.
 *
 * A record is a row of: one byte of enum outcome_kind, four bytes of length
 * (little endian), and so many bytes of text.  Stored replies have this form,
 * so later releases must still read it.
 */
#include "api/reply.h"

#include <assert.h>

#include "api/asset.h"
#include "api/fault.h"
#include "api/route.h"
#include "api/texts.h"
#include "api/value.h"

#define HEAD_SIZE 5

static_assert(HEAD_SIZE +
	    sizeof("{'command':'###!ICB','data':'','error':'bad-cursor'}") +
	    FAULT_MAX_JSON <=
	COMMAND_SMALL_ANSWER,
    "a failure that is explained is a small answer");

struct buf *
reply_begin(struct request *request, unsigned status)
{
	request_reset_reply(request);
	request->reply.status = status;
	request->reply.type = REPLY_JSON;
	return &request->reply.body;
}

struct span
reply_body(const struct reply *reply)
{
	return reply->type == REPLY_ASSET ? reply->asset->bytes :
					    buf_span(&reply->body);
}

size_t
reply_n_sent(const struct request *request)
{
	if (request->method == METHOD_HEAD || request->reply.status == 304)
		return 0;
	if (request->reply.type == REPLY_FILE)
		return (size_t)request->reply.fd_size;
	return reply_body(&request->reply).len;
}

void
reply_record(struct buf *record, const struct outcome *outcome)
{
	size_t len = outcome->text.len;
	unsigned char head[HEAD_SIZE] = { (unsigned char)outcome->kind };

	for (int i = 0; i < 4; i++)
		head[1 + i] = (unsigned char)(len >> (8 * i));
	buf_add(record, head, sizeof(head));
	buf_add_span(record, buf_span(&outcome->text));
}

/* Take the next outcome off the front of the record. */
static enum outcome_kind
take_outcome(struct span *record, struct span *out_text)
{
	const unsigned char *p = (const unsigned char *)record->at;
	enum outcome_kind kind;
	size_t len = 0;

	assert(record->len >= HEAD_SIZE);
	kind = (enum outcome_kind)p[0];
	for (int i = 0; i < 4; i++)
		len |= (size_t)p[1 + i] << (8 * i);
	assert(record->len - HEAD_SIZE >= len);
	*out_text = (struct span){ record->at + HEAD_SIZE, len };
	record->at += HEAD_SIZE + len;
	record->len -= HEAD_SIZE + len;
	return kind;
}

void
reply_set_failed(struct outcome *out, const struct call *call, enum err err,
    enum end_reason reason)
{
	out->kind = OUTCOME_FAILED;
	buf_reset(&out->text);
	if (err == ERR_TIMED_OUT)
		event_text_add_ended(&out->text, reason);
	else
		event_text_add_failure(&out->text,
		    call->command ? call->command->failed : "###!ICB", err,
		    err == call->err ? call->why : NULL);
}

static void
add_success(struct buf *out, const struct call *call, struct span data)
{
	buf_add_text(out, "{\"command\":\"");
	buf_add_text(out, call->command->ok);
	buf_add_text(out, "\",\"data\":");
	buf_add_span(out, data);
}

/* Render one outcome; false: it has no reply. */
static bool
render_one(struct buf *out, const struct call *call, struct span *record,
    const char *token)
{
	struct span text;

	switch (take_outcome(record, &text)) {
	case OUTCOME_NONE:
		return false;
	case OUTCOME_ECHO:
		add_success(out, call, call->data.text);
		break;
	case OUTCOME_TEXT:
		add_success(out, call, text);
		break;
	case OUTCOME_TOKEN:
		add_success(out, call, text);
		buf_add_text(out, ",\"token\":\"");
		buf_add_text(out, token);
		buf_add_text(out, "\"");
		break;
	case OUTCOME_FAILED:
		buf_add_span(out, text);
		return true;
	}
	buf_add_text(out, "}");
	return true;
}

static void
render_array(struct request *request, struct span record, const char *token)
{
	struct buf *out = &request->reply.body;

	buf_add_text(out, "[");
	for (size_t i = 0; i < request->n_calls; i++) {
		if (i)
			buf_add_text(out, ",");
		if (!render_one(out, &request->calls[i], &record, token))
			buf_add_text(out, "null");
	}
	buf_add_text(out, "]");
}

void
reply_render(struct request *request, struct span record, const char *token)
{
	struct reply *reply = &request->reply;

	(void)reply_begin(request, 200);
	if (request->is_wrapped)
		buf_add_text(&reply->body, "{\"replies\":");
	if (request->is_wrapped || request->is_array) {
		render_array(request, record, token);
	} else if (!render_one(&reply->body, request->calls, &record, token)) {
		reply->status = 204;
		reply->type = REPLY_EMPTY;
	}
}

void
reply_fail_admin(struct request *request, unsigned status, const char *word,
    const char *message)
{
	struct buf *out = reply_begin(request, status);

	buf_add_text(out, "{\"error\":\"");
	buf_add_text(out, word);
	buf_add_text(out, "\",\"message\":");
	value_add_string(out, span_of(message));
	buf_add_text(out, "}");
}

/* The specific sentence kept for err, or NULL. */
static const char *
find_why(const struct request *request, enum err err)
{
	const struct call *call = request->calls;

	if (request->why && request->err == err)
		return request->why;
	if (call && !request->is_array && call->err == err)
		return call->why;
	return NULL;
}

void
reply_fail_as(struct request *request, const char *code, enum err err)
{
	struct reply *reply = &request->reply;
	const char *why = find_why(request, err);

	if (request->listener_class != LISTENER_PUBLIC) {
		reply_fail_admin(request, err_status(err), err_word(err),
		    why ? why : err_sentence(err));
		reply->err = err;
		reply->retry_after_s = err_retry_after(err);
		return;
	}
	if (!code)
		code = route_failure_code(request->route);
	event_text_add_failure(
	    reply_begin(request, err_status(err)), code, err, why);
	request->poll_end = POLL_NONE;
	reply->err = err;
	reply->retry_after_s = err_retry_after(err);
}

void
reply_fail_ended(struct request *request, enum end_reason reason)
{
	event_text_add_ended(
	    reply_begin(request, err_status(ERR_TIMED_OUT)), reason);
	request->reply.err = ERR_TIMED_OUT;
}

void
reply_fail(struct request *request, enum err err)
{
	const char *code = route_failure_code(request->route);

	if (request->n_calls == 1 && !request->is_array &&
	    request->calls->command)
		code = request->calls->command->failed;
	reply_fail_as(request, code, err);
}

void
reply_fail_session(
    struct request *request, enum err err, enum end_reason reason)
{
	if (err == ERR_TIMED_OUT)
		reply_fail_ended(request, reason);
	else
		reply_fail(request, err);
}

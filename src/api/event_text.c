/* event_text.c - see event_text.h. */
#include "api/event_text.h"

#include <stdlib.h>

#include "api/value.h"

/* The protocol's codes, by kind of event. */
static const char *
code_of(enum event_kind kind)
{
	switch (kind) {
	case EVENT_CONNECTED_TO_ROOM:
		return "###!CTR";
	case EVENT_PEER_CONNECTED:
		return "###!RPC";
	case EVENT_PEER_DISCONNECTED:
		return "###!RPD";
	case EVENT_ROOM_CLOSED:
		return "###!RCL";
	case EVENT_ROOM_SEALED:
		return "###!SRK";
	case EVENT_ROOM_MESSAGE:
		return "###!RMK";
	case EVENT_OFFER:
		return "###!OOO";
	case EVENT_ANSWER:
		return "###!AAA";
	case EVENT_CANDIDATE:
		return "###!CCC";
	}
	/* A kind of event that no release has stored. */
	abort();
}

void
event_text_add(
    struct buf *out, uint64_t id, enum event_kind kind, struct span body)
{
	buf_add_text(out, "{\"id\":");
	buf_add_int(out, (int64_t)id);
	buf_add_text(out, ",\"command\":\"");
	buf_add_text(out, code_of(kind));
	buf_add_text(out, "\",\"data\":");
	buf_add_span(out, body);
	buf_add_text(out, "}");
}

static void
add_failure(
    struct buf *out, const char *code, const char *sentence, const char *word)
{
	buf_add_text(out, "{\"command\":\"");
	buf_add_text(out, code);
	buf_add_text(out, "\",\"data\":");
	value_add_string(out, span_of(sentence));
	buf_add_text(out, ",\"error\":\"");
	buf_add_text(out, word);
	buf_add_text(out, "\"}");
}

void
event_text_add_failure(
    struct buf *out, const char *code, enum err err, const char *why)
{
	add_failure(out, code, why ? why : err_sentence(err), err_word(err));
}

static const char *
reason_sentence(enum end_reason reason)
{
	switch (reason) {
	case END_STOPPED_POLLING:
		return "Player Stopped Polling";
	case END_LEFT_IN_LOBBY:
		return "Player Took Too Long To Enter A Room";
	case END_MAILBOX_OVERFLOW:
		return "Mailbox Overflow";
	case END_KICKED:
		return "Player Kicked By Operator";
	case END_UNREGISTERED:
	case END_UNUSED:
		break;
	}
	return err_sentence(ERR_TIMED_OUT);
}

void
event_text_add_ended(struct buf *out, enum end_reason reason)
{
	add_failure(
	    out, "###!PTO", reason_sentence(reason), err_word(ERR_TIMED_OUT));
}

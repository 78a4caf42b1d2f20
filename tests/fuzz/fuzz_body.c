/* fuzz_body.c - the bodies of all kinds of POST.
 *
 * The first byte of the input chooses the route and whether the body came as
 * text/plain; the rest is the body, in a block of its exact size.  Whatever
 * it is, the request is answered by the parser or well-formed: the engine
 * relays what the calls point at without looking again.
 */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "api/command.h"
#include "api/fault.h"
#include "api/parse.h"
#include "base/text.h"
#include "tests/fuzz/fuzz.h"

#define MAX_BODY 65536

static const char *const targets[] = { "/register", "/create-room",
	"/join-room", "/seal-room", "/message", "/offer", "/answer",
	"/candidate", "/leave-room", "/unregister", "/command", "/events" };

#define N_TARGETS (sizeof(targets) / sizeof(targets[0]))
#define TEXT_PLAIN 0x80 /* in the first byte */

static int
is_inside(struct span part, struct span whole)
{
	return part.at >= whole.at &&
	    part.at + part.len <= whole.at + whole.len;
}

static void
check_relay(const struct call *call)
{
	const struct span id = call->args.relay.id;

	assert(call->data.type == JSON_OBJECT);
	assert(id.len > 0 && is_inside(id, call->data.text));
	assert(id.at > call->data.text.at);
	assert(call->args.relay.peer <= 0x7fffffff);
}

/* What the command will rely on. */
static void
check_args(const struct call *call)
{
	const struct command *command = call->command;
	char uuid[TEXT_UUID_SIZE];

	if (command == &command_register) {
		assert(memchr(call->args.name, '\0', STORE_NAME_SIZE));
		assert(text_is_name(span_of(call->args.name), 1, 64));
	} else if (command == &command_join_room) {
		assert(memchr(call->args.uuid, '\0', TEXT_UUID_SIZE));
		assert(text_is_uuid(span_of(call->args.uuid), uuid));
		assert(strcmp(uuid, call->args.uuid) == 0);
	} else if (command == &command_message) {
		assert(call->data.type != JSON_NULL);
	} else if (command == &command_offer || command == &command_answer ||
	    command == &command_candidate) {
		check_relay(call);
	}
}

static void
check_call(const struct call *call, struct span body)
{
	struct json_value value;

	assert(call->command || call->err);
	if (call->data.text.len) {
		assert(is_inside(call->data.text, body));
		assert(json_check(call->data.text, &value) == ERR_NONE);
		assert(value.type == call->data.type);
		assert(value.text.len == call->data.text.len);
	} else {
		assert(call->data.type == JSON_NULL);
	}
	if (!call->err)
		check_args(call);
}

/* What is said of a fault is short, and can be printed; and something is said of
 * each value that is not what it must be. */
static void
check_why(const char *why, enum err err)
{
	if (!why) {
		assert(err != ERR_BAD_DATA && err != ERR_BAD_CURSOR &&
		    err != ERR_BAD_NAME);
		return;
	}
	assert(err != ERR_NONE && err != ERR_UNKNOWN_COMMAND);
	assert(text_is_name(span_of(why), 1, FAULT_MAX));
	assert(strlen(why) <= FAULT_MAX);
}

static void
check_request(const struct request *request)
{
	const struct poll_args *poll = &request->poll;

	assert(request->err == ERR_NONE || err_status(request->err) == 400);
	assert(request->n_calls <= REQUEST_MAX_CALLS);
	assert(request->n_calls == 0 || request->calls);
	assert(request->err || !request->is_wrapped || request->is_array ||
	    poll->has_after);
	for (size_t i = 0; i < request->n_calls; i++)
		check_why(request->calls[i].why, request->calls[i].err);
	/* One command's fault is told by its call. */
	if (request->n_calls != 1 || request->calls->err != request->err)
		check_why(request->why, request->err);
	for (size_t i = 0; !request->err && i < request->n_calls; i++)
		check_call(&request->calls[i], buf_span(&request->body));
	assert(!poll->has_after || poll->after < UINT64_C(1) << 53);
	assert(!poll->has_wait || poll->wait_s < UINT64_C(1) << 53);
	assert(!poll->has_max || poll->max < UINT64_C(1) << 53);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct request *request;

	if (size == 0 || size > MAX_BODY)
		return 0;
	request = request_new(MAX_BODY);
	request->method = METHOD_POST;
	request->target = span_of(targets[data[0] % TEXT_PLAIN % N_TARGETS]);
	request->idempotency_key = span_of("key");
	request->is_text_plain = data[0] >= TEXT_PLAIN;
	request->body.len = request->body.cap = size - 1;
	request->body.data = malloc(size > 1 ? size - 1 : 1);
	assert(request->body.data);
	memcpy(request->body.data, data + 1, size - 1);
	if (request_parse(request, ""))
		check_request(request);
	else
		assert(request->reply.status >= 400);
	request_free(request);
	return 0;
}

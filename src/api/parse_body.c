/* parse_body.c - see parse_body.h. */
#include "api/parse_body.h"

#include "api/command.h"
#include "api/fault.h"
#include "api/route.h"
#include "api/token.h"
#include "api/value.h"
#include "base/mem.h"
#include "base/text.h"

#define MAX_CODE 32 /* bytes; ours have six */

void
parse_token(struct request *request, struct span token)
{
	if (token.len == 0)
		return;
	digest_sha256(token, request->token_hash);
	request->has_token = true;
}

enum err
parse_key(struct request *request, struct span key)
{
	if (key.len == 0 || key.len > TOKEN_MAX_KEY)
		return ERR_BAD_KEY;
	for (size_t i = 0; i < key.len; i++)
		if (key.at[i] < 0x20 || key.at[i] > 0x7e)
			return ERR_BAD_KEY;
	request->idempotency_key = key;
	digest_sha256(key, request->key_hash);
	request->has_key = true;
	return ERR_NONE;
}

/* Check that the text is JSON.  ERR_BAD_JSON: *out_why may say more, and then
 * belongs to the caller. */
static MUST_CHECK enum err
check_json(struct span text, struct json_value *out, char **out_why)
{
	enum err err = json_check(text, out);

	if (err)
		*out_why = fault_in_utf8("the body", text);
	return err;
}

/* The members of an object that we interpret, by index in a table of names. */
struct member_spec {
	const char *const *names;
	size_t n;
};

/* Find the members named in spec; missing ones have a text of NULL.
 * ERR_BAD_JSON: one of them occurs twice; *out_why says which. */
static MUST_CHECK enum err
find_members(struct json_value object, struct member_spec spec,
    struct json_value *out, char **out_why)
{
	struct json_walk walk = json_walk(object);
	struct json_value value;
	struct span key;

	for (size_t i = 0; i < spec.n; i++)
		out[i] = (struct json_value){ JSON_NULL, { NULL, 0 } };
	while (json_next_member(&walk, &key, &value)) {
		size_t i = value_find_name(key, spec.names, spec.n);

		if (i == spec.n)
			continue;
		if (out[i].text.at) {
			*out_why = fault_say(FAULT_TWICE, spec.names[i]);
			return ERR_BAD_JSON;
		}
		out[i] = value;
	}
	return ERR_NONE;
}

static const struct json_value no_data = { JSON_NULL, { "", 0 } };

/* Read an envelope's command and data into call. */
static void
read_call(struct call *call, struct json_value code, struct json_value data)
{
	struct buf text;

	call->command = NULL;
	call->data = data.text.at ? data : no_data;
	call->data_name = "data";
	call->err = ERR_BAD_DATA;
	if (code.type != JSON_STRING) {
		call->why = fault_in_value(
		    "command", code, "a string with the code of a command");
		return;
	}
	buf_init(&text, MAX_CODE);
	if (value_string(code, &text))
		call->command = command_find(buf_span(&text));
	buf_fini(&text);
	call->err = call->command ? call->command->check(call) :
				    ERR_UNKNOWN_COMMAND;
}

static void
read_element(struct call *call, struct json_value element)
{
	static const char *const names[] = { "command", "data" };
	struct json_value found[2];

	*call = (struct call){ .data = no_data, .err = ERR_BAD_DATA };
	if (element.type != JSON_OBJECT) {
		call->why = fault_in_value("The element", element,
		    "an object with the member command");
		return;
	}
	call->err = find_members(
	    element, (struct member_spec){ names, 2 }, found, &call->why);
	if (!call->err)
		read_call(call, found[0], found[1]);
}

/* name: its name in a sentence.  ERR_BAD_DATA: too many. */
static MUST_CHECK enum err
read_array(struct request *request, const char *name, struct json_value array)
{
	struct json_walk walk = json_walk(array);
	struct json_value element;
	size_t n = 0;

	request->is_array = true;
	while (json_next_element(&walk, &element))
		n++;
	if (n > REQUEST_MAX_CALLS) {
		request_explain(request,
		    fault_say("%s has %zu elements: it must have at most %d.",
			name, n, REQUEST_MAX_CALLS));
		return ERR_BAD_DATA;
	}
	if (n == 0)
		return ERR_NONE;
	request->calls = mem_resize(NULL, n, sizeof(struct call));
	walk = json_walk(array);
	while (json_next_element(&walk, &element))
		read_element(&request->calls[request->n_calls++], element);
	return ERR_NONE;
}

static struct call *
new_single_call(struct request *request)
{
	request->calls = mem_new(sizeof(struct call));
	request->n_calls = 1;
	return request->calls;
}

/* Two requests are the same if their paths and commands are, whatever their
 * tokens, cursors or waits. */
static void
hash_request(struct request *request, struct span first, struct span second)
{
	const struct span parts[] = { span_of(request->route->path), first,
		second };

	if (request->has_key)
		digest_sha256_list(parts, 3, request->request_hash);
}

struct span
parse_body(const struct request *request)
{
	return text_skip_mark(buf_span(&request->body));
}

void
parse_command(struct request *request)
{
	const struct command *command = request->route->command;
	struct span body = parse_body(request);
	struct call *call = new_single_call(request);

	call->command = command;
	call->data = no_data;
	call->data_name = "The body";
	hash_request(request, text_trim(body), (struct span){ "", 0 });
	if (command->check_bare &&
	    command->check_bare(call, body, request->is_text_plain)) {
		request->err = call->err;
		return;
	}
	if (text_trim(body).len == 0 && command->check == command_check_nothing)
		return;
	call->err = check_json(body, &call->data, &call->why);
	if (!call->err)
		call->err = command->check(call);
	request->err = call->err;
}

enum { AFTER, WAIT, MAX, TOKEN, COMMAND, DATA, COMMANDS, KEY, N_MEMBERS };
#define N_POLL_MEMBERS COMMAND
static const char *const member_names[N_MEMBERS] = { "after", "wait", "max",
	"token", "command", "data", "commands", "key" };

/* The Idempotency-Key of a client that cannot set headers; a header wins.  It
 * is used in place, so it must be written without escapes. */
static MUST_CHECK enum err
read_body_key(struct request *request, struct json_value key)
{
	struct span text = key.text;

	if (!text.at || request->has_key)
		return ERR_NONE;
	if (key.type != JSON_STRING || memchr(text.at, '\\', text.len))
		return ERR_BAD_KEY;
	return parse_key(request, (struct span){ text.at + 1, text.len - 2 });
}

static void
read_body_token(struct request *request, struct json_value token)
{
	struct buf text;

	if (request->has_token && !request->is_query_token)
		return;
	buf_init(&text, REQUEST_MAX_TOKEN);
	if (value_string(token, &text))
		parse_token(request, buf_span(&text));
	buf_fini(&text);
}

static MUST_CHECK enum err
read_number(struct request *request, const char *name, struct json_value value,
    bool *has, uint64_t *out)
{
	if (!value.text.at)
		return ERR_NONE;
	*has = value_uint(value, out);
	if (*has)
		return ERR_NONE;
	request_explain(
	    request, fault_in_value(name, value, FAULT_WHOLE_NUMBER));
	return ERR_BAD_CURSOR;
}

/* The members that polls and envelopes share. */
static MUST_CHECK enum err
read_poll_members(
    struct request *request, const struct json_value found[N_POLL_MEMBERS])
{
	struct poll_args *poll = &request->poll;
	enum err err;

	if (found[TOKEN].text.at) {
		if (found[TOKEN].type != JSON_STRING) {
			request->has_odd_token = true;
			request_explain(request,
			    fault_in_secret("token", found[TOKEN],
				"the string that register returned"));
			return ERR_BAD_DATA;
		}
		read_body_token(request, found[TOKEN]);
	}
	err = read_number(
	    request, "after", found[AFTER], &poll->has_after, &poll->after);
	if (!err)
		err = read_number(request, "wait", found[WAIT], &poll->has_wait,
		    &poll->wait_s);
	if (!err)
		err = read_number(
		    request, "max", found[MAX], &poll->has_max, &poll->max);
	return err;
}

/* Find the first n of the known members. */
static MUST_CHECK enum err
find_known(struct request *request, struct json_value object, size_t n,
    struct json_value *out)
{
	char *why = NULL;
	enum err err = find_members(
	    object, (struct member_spec){ member_names, n }, out, &why);

	if (err)
		request_explain(request, why);
	return err;
}

/* {"token","command","data","commands","after","max","key"} */
static MUST_CHECK enum err
read_wrapper(struct request *request, struct json_value object)
{
	struct json_value found[N_MEMBERS];
	bool has_array;
	enum err err;

	err = find_known(request, object, N_MEMBERS, found);
	if (!err)
		err = read_poll_members(request, found);
	if (!err)
		err = read_body_key(request, found[KEY]);
	if (err)
		return err;
	has_array = found[COMMANDS].text.at != NULL;
	if (has_array == (found[COMMAND].text.at != NULL)) {
		request_explain(request,
		    fault_say("The body has %s: it must have one of them.",
			has_array ? "both command and commands" :
				    "neither command nor commands"));
		return ERR_BAD_DATA;
	}
	request->is_wrapped = has_array || request->poll.has_after;
	if (has_array) {
		if (found[COMMANDS].type != JSON_ARRAY) {
			request_explain(request,
			    fault_in_value("commands", found[COMMANDS],
				"an array of commands"));
			return ERR_BAD_DATA;
		}
		hash_request(
		    request, found[COMMANDS].text, (struct span){ "", 0 });
		return read_array(request, "commands", found[COMMANDS]);
	}
	hash_request(request, found[COMMAND].text, found[DATA].text);
	read_call(new_single_call(request), found[COMMAND], found[DATA]);
	return ERR_NONE;
}

/* Check that the body is JSON, and explain why if it is not. */
static MUST_CHECK enum err
check_body(struct request *request, struct span body, struct json_value *out)
{
	char *why = NULL;
	enum err err = check_json(body, out, &why);

	if (err)
		request_explain(request, why);
	return err;
}

/* ERR_BAD_DATA, and why. */
static MUST_CHECK enum err
refuse_body(struct request *request, struct json_value value, const char *must)
{
	request_explain(request, fault_in_value("The body", value, must));
	return ERR_BAD_DATA;
}

void
parse_envelope(struct request *request)
{
	struct json_value value;
	enum err err;

	err = check_body(request, parse_body(request), &value);
	if (!err && value.type == JSON_ARRAY) {
		hash_request(request, value.text, (struct span){ "", 0 });
		err = read_array(request, "The body", value);
	} else if (!err) {
		err = value.type == JSON_OBJECT ?
		    read_wrapper(request, value) :
		    refuse_body(request, value,
			"an object with the member command or commands, or an "
			"array of commands");
	}
	if (!request->err)
		request->err = err;
}

void
parse_poll(struct request *request)
{
	struct span body = text_trim(parse_body(request));
	struct json_value found[N_POLL_MEMBERS], value;
	enum err err;

	if (body.len == 0)
		return;
	err = check_body(request, body, &value);
	if (!err && value.type == JSON_OBJECT) {
		err = find_known(request, value, N_POLL_MEMBERS, found);
		if (!err)
			err = read_poll_members(request, found);
	} else if (!err && value.type != JSON_NULL &&
	    !span_equals(value.text, "\"null\"")) {
		err = refuse_body(request, value,
		    "an object, null, the string 'null', or left out");
	}
	if (!request->err)
		request->err = err;
}

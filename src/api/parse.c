/* parse.c - see parse.h.  The order of the checks is the order of the errors
 * that a client sees (peerpost-protocol(7), FAILURES). */
#include "api/parse.h"

#include <stdio.h>

#include "api/asset.h"
#include "api/command.h"
#include "api/fault.h"
#include "api/page.h"
#include "api/parse_body.h"
#include "api/reply.h"
#include "api/route.h"
#include "api/value.h"
#include "base/text.h"

/* From /demo: without the slash, the page's relative links would lead beside
 * it, not below it.  A relative location is right wherever we are mounted. */
#define DEMO_FROM_ABOVE "demo/"

/* "Bearer TOKEN" (RFC 6750, section 2.1); anything else counts as absent. */
static struct span
bearer_token(struct span header)
{
	static const char scheme[] = "Bearer ";
	size_t len = sizeof(scheme) - 1;
	struct span token = { NULL, 0 };

	if (header.len <= len ||
	    !text_equals_nocase((struct span){ header.at, len }, scheme))
		return token;
	return text_trim((struct span){ header.at + len, header.len - len });
}

/* Known query members. */
enum query_name { QUERY_AFTER, QUERY_WAIT, QUERY_MAX, QUERY_TOKEN, N_QUERY };

static enum query_name
find_query_name(const char *name)
{
	static const char *const names[N_QUERY] = { "after", "wait", "max",
		"access_token" };
	int i;

	for (i = 0; i < N_QUERY; i++)
		if (strcmp(name, names[i]) == 0)
			break;
	return (enum query_name)i;
}

enum err
parse_number(struct request *request, const struct target_member *member,
    bool *out_has, uint64_t *out)
{
	struct span text = span_of(member->value);
	char name[sizeof(member->name) + sizeof(" in the query")];

	*out_has = !member->is_cut && text_to_whole(text, VALUE_MAX_UINT, out);
	if (*out_has)
		return ERR_NONE;
	snprintf(name, sizeof(name), "%s in the query", member->name);
	request_explain(request, fault_in_text(name, text, FAULT_WHOLE_NUMBER));
	return ERR_BAD_CURSOR;
}

static MUST_CHECK enum err
read_query_member(struct request *request, enum query_name name,
    const struct target_member *member)
{
	struct poll_args *poll = &request->poll;
	bool is_poll = request->route->kind == ROUTE_EVENTS;

	switch (name) {
	case QUERY_AFTER:
		return is_poll ? parse_number(request, member, &poll->has_after,
				     &poll->after) :
				 ERR_NONE;
	case QUERY_WAIT:
		return is_poll ? parse_number(request, member, &poll->has_wait,
				     &poll->wait_s) :
				 ERR_NONE;
	case QUERY_MAX:
		return is_poll ?
		    parse_number(request, member, &poll->has_max, &poll->max) :
		    ERR_NONE;
	case QUERY_TOKEN:
		if (request->has_token || !member->value[0])
			break;
		parse_token(request, span_of(member->value));
		request->is_query_token = true;
		break;
	case N_QUERY:
		break;
	}
	return ERR_NONE;
}

/* The whole query is walked even after an error in a number, so that the token
 * is found wherever it is. */
static MUST_CHECK enum err
read_query(struct request *request, struct span query, enum err *out_malformed)
{
	bool is_seen[N_QUERY + 1] = { false };
	enum err err = ERR_NONE;

	*out_malformed = ERR_NONE;
	for (;;) {
		struct target_member member;
		enum query_name name;
		enum err member_err;
		bool has_more;

		*out_malformed = target_next_member(&query, &member, &has_more);
		if (*out_malformed || !has_more)
			return err;
		name = find_query_name(member.name);
		if (name == N_QUERY)
			continue;
		if (is_seen[name]) {
			*out_malformed = ERR_BAD_REQUEST;
			if (err)
				return err;
			request_explain(
			    request, fault_say(FAULT_TWICE, member.name));
			return ERR_BAD_REQUEST;
		}
		is_seen[name] = true;
		member_err = read_query_member(request, name, &member);
		if (!err)
			err = member_err;
	}
}

/* Keys apply to commands only. */
static MUST_CHECK enum err
read_key(struct request *request)
{
	if (!request->idempotency_key.at ||
	    (request->route->kind != ROUTE_COMMAND &&
		request->route->kind != ROUTE_ENVELOPE))
		return ERR_NONE;
	return parse_key(request, request->idempotency_key);
}

/* Last-Event-ID wins over the query and over the body. */
static void
read_last_event_id(struct request *request)
{
	struct poll_args *poll = &request->poll;
	struct span id = text_trim(request->last_event_id);

	/* An EventSource that has seen no event sends an empty one. */
	if (id.len == 0)
		return;
	poll->has_after = text_to_whole(id, VALUE_MAX_UINT, &poll->after);
	if (poll->has_after)
		return;
	request_explain(
	    request, fault_in_text("Last-Event-ID", id, FAULT_WHOLE_NUMBER));
	if (!request->err)
		request->err = ERR_BAD_CURSOR;
}

static void
answer_preflight(struct request *request)
{
	request_reset_reply(request);
	request->reply.status = 204;
	request->reply.type = REPLY_EMPTY;
	request->reply.is_preflight = true;
}

bool
parse_is_encoded(const struct request *request)
{
	struct span rest = request->content_encoding;

	if (request->method != METHOD_POST || !rest.at)
		return false;
	for (;;) {
		const char *comma = memchr(rest.at, ',', rest.len);
		struct span coding = { rest.at,
			comma ? (size_t)(comma - rest.at) : rest.len };

		coding = text_trim(coding);
		if (coding.len && !text_equals_nocase(coding, "identity"))
			return true;
		if (!comma)
			return false;
		rest.len -= (size_t)(comma + 1 - rest.at);
		rest.at = comma + 1;
	}
}

/* The checks that come before that of the session. */
static MUST_CHECK enum err
check_envelope(struct request *request, const char *base_path)
{
	enum err err, malformed;
	struct target target;

	err = target_parse(request->target, base_path, &target);
	if (err)
		return err;
	request->route = route_find(target.path);
	if (request->route && request->route->kind == ROUTE_DEMO &&
	    !request->has_demo)
		request->route = NULL;
	if (!request->route)
		return ERR_NOT_FOUND;
	if (!route_allows(request->route, request->method))
		return ERR_METHOD_NOT_ALLOWED;
	if (request->is_too_large)
		return ERR_TOO_LARGE;
	if (parse_is_encoded(request))
		return ERR_UNSUPPORTED_ENCODING;
	err = read_key(request);
	if (err)
		return err;
	parse_token(request, bearer_token(request->authorization));
	request->err = read_query(request, target.query, &malformed);
	return malformed;
}

bool
request_parse(struct request *request, const char *base_path)
{
	enum err err;

	if (request->method == METHOD_OPTIONS) {
		answer_preflight(request);
		return false;
	}
	err = check_envelope(request, base_path);
	if (err) {
		reply_fail_as(request, NULL, err);
		if (err == ERR_METHOD_NOT_ALLOWED)
			request->reply.allow = request->route->allow;
		return false;
	}
	switch (request->route->kind) {
	case ROUTE_PAGE:
		page_answer(request, base_path);
		return false;
	case ROUTE_ASSET:
	case ROUTE_DEMO:
		if (request->route->asset)
			asset_answer(request, request->route->asset);
		else
			asset_redirect(request, DEMO_FROM_ABOVE);
		return false;
	case ROUTE_COMMAND:
		parse_command(request);
		break;
	case ROUTE_ENVELOPE:
		parse_envelope(request);
		break;
	case ROUTE_EVENTS:
		if (request->method == METHOD_POST)
			parse_poll(request);
		read_last_event_id(request);
		break;
	case ROUTE_ROOM:
	case ROUTE_ICE_SERVERS:
	case ROUTE_HEALTH:
	case ROUTE_READY:
	case ROUTE_METRICS:
	case ROUTE_ADMIN:
	case ROUTE_RELOAD:
		break;
	}
	return true;
}

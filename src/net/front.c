/* front.c - see front.h. */
#include "net/front.h"

#include <string.h>

#include "api/admin/parse.h"
#include "api/parse.h"
#include "api/reply.h"
#include "api/route.h"
#include "base/clock.h"
#include "base/metric.h"
#include "base/random.h"
#include "base/text.h"
#include "net/forwarded.h"

bool
front_has_capacity(const struct front *front)
{
	return !front->shared->is_starved &&
	    front->shared->n_connections < front->settings.max_connections;
}

bool
front_is_crowded(const struct front *front)
{
	size_t max = front->settings.max_connections;

	return front->shared->n_connections >= max - max / 16;
}

bool
front_claim_eviction(struct front *front)
{
	/* Other threads may make room, or take it, at any moment in between. */
	while (!front_has_capacity(front)) {
		if (atomic_exchange(&front->shared->is_evicting, true))
			return false;
		if (!front_has_capacity(front))
			return true;
		front->shared->is_evicting = false;
	}
	return false;
}

bool
front_claim_yield(struct front *front)
{
	return !front_has_capacity(front) &&
	    !atomic_exchange(&front->shared->is_yielding, true);
}

void
front_take_place(struct front *front)
{
	front->shared->n_connections++;
}

void
front_give_place(struct front *front)
{
	front->shared->n_connections--;
}

/* Those of the operator are not counted: they would blur the players'. */
void
front_add_connection(struct front *front, enum front_kind kind)
{
	front->n_connections++;
	if (front->settings.listener_class != LISTENER_PUBLIC)
		return;
	metric_add(METRIC_CONNECTIONS_ACCEPTED + (unsigned)kind, 1);
	metric_add(METRIC_CONNECTIONS + (unsigned)kind, 1);
}

void
front_remove_connection(struct front *front, enum front_kind kind)
{
	front->n_connections--;
	front_give_place(front);
	front->shared->is_evicting = false;
	front->shared->is_yielding = false;
	front->shared->is_starved = false;
	if (front->settings.listener_class == LISTENER_PUBLIC)
		metric_sub(METRIC_CONNECTIONS + (unsigned)kind, 1);
}

void
front_count_unsent(struct front *front, size_t n_less, size_t n_more)
{
	if (n_less == n_more)
		return;
	front->shared->n_unsent += n_more - n_less;
	metric_add(METRIC_UNSENT_BYTES, (uint64_t)n_more - n_less);
}

bool
front_has_too_much_unsent(const struct front *front)
{
	return front->settings.max_unsent &&
	    front->shared->n_unsent > front->settings.max_unsent;
}

void
front_shared_init(struct front_shared *shared)
{
	shared->n_unsent = 0;
	shared->n_connections = 0;
	address_counts_init(&shared->addresses);
	/* Ids of one run are unlikely to repeat those of the last. */
	shared->last_id = random_between(1, UINT32_MAX);
}

static uint32_t
new_id(struct front_shared *shared)
{
	uint32_t id;

	do
		id = ++shared->last_id;
	while (id == 0);
	return id;
}

struct request *
front_request_new(struct front *front, void *owner,
    void (*give_back)(struct request *request, enum task_kind kind),
    enum front_kind kind, const struct peer_address *peer,
    struct front_client *out)
{
	struct request *request = request_new(front->settings.max_body);

	*out = (struct front_client){
		.kind = kind, .began_us = clock_now_us(), .peer = *peer
	};
	request->id = new_id(front->shared);
	request->owner = owner;
	request->give_back = give_back;
	request->listener_class = front->settings.listener_class;
	request->has_demo = front->settings.has_demo;
	if (front->players) {
		request->n_connections = front->players->shared->n_connections;
		request->max_connections = front->players->settings
					       .max_connections;
		request->is_full = front->players->shared->is_full;
	}
	return request;
}

bool
front_parse_method(struct span name, enum method *out)
{
	static const struct {
		const char *name;
		enum method method;
	} known[] = { { "GET", METHOD_GET }, { "POST", METHOD_POST },
		{ "HEAD", METHOD_HEAD }, { "OPTIONS", METHOD_OPTIONS },
		{ "PUT", METHOD_OTHER }, { "DELETE", METHOD_OTHER },
		{ "CONNECT", METHOD_OTHER }, { "TRACE", METHOD_OTHER },
		{ "PATCH", METHOD_OTHER } };

	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
		if (span_equals(name, known[i].name)) {
			*out = known[i].method;
			return true;
		}
	}
	return false;
}

bool
front_is_text_plain(struct span type)
{
	const char *end = type.at ? memchr(type.at, ';', type.len) : NULL;

	if (end)
		type.len = (size_t)(end - type.at);
	return text_equals_nocase(text_trim(type), "text/plain");
}

bool
front_has_control(struct span value)
{
	for (size_t i = 0; i < value.len; i++) {
		unsigned char byte = (unsigned char)value.at[i];

		if ((byte < 0x20 && byte != '\t') || byte == 0x7f)
			return true;
	}
	return false;
}

bool
front_is_oversized(struct span length)
{
	uint64_t size;

	return length.at &&
	    (!text_to_uint(length, UINT64_MAX, &size) ||
		size > FRONT_MAX_DRAIN);
}

bool
front_add_body(struct request *request, struct span piece, size_t *n_drained)
{
	buf_add_span(&request->body, piece);
	if (!request->body.overflowed)
		return true;
	request->is_too_large = true;
	*n_drained += piece.len;
	return *n_drained <= FRONT_MAX_DRAIN;
}

struct address
front_address(const struct front *front, const struct peer_address *peer)
{
	struct address address = address_of_peer(peer);

	address.is_exempt |= trusted_proxies_has(
	    &front->settings.trusted, peer);
	return address;
}

void
front_identify(const struct front *front, struct request *request,
    const struct peer_address *peer, bool is_proxied,
    struct span x_forwarded_for, struct span forwarded,
    struct front_client *client)
{
	struct peer_address found = forwarded_client(
	    &front->settings.trusted, peer, x_forwarded_for, forwarded);

	client->peer = found;
	client->address = address_of_peer(&found);
	client->is_proxied = is_proxied || found.is_unix != peer->is_unix ||
	    memcmp(found.ip, peer->ip, sizeof(found.ip)) != 0;
	memcpy(request->address, client->address.key, ADDRESS_KEY_SIZE);
	request->is_exempt = client->address.is_exempt;
}

bool
front_is_https(const struct front *front, const struct peer_address *peer,
    bool is_tls, struct span x_forwarded_proto)
{
	struct span proto = x_forwarded_proto;
	const char *end = proto.at ? memchr(proto.at, ',', proto.len) : NULL;

	if (!proto.at || !trusted_proxies_has(&front->settings.trusted, peer))
		return is_tls;
	if (end) /* with several proxies, the client's is the first */
		proto.len = (size_t)(end - proto.at);
	return text_equals_nocase(text_trim(proto), "https");
}

/* false: too many requests of this client are under way. */
static bool
count(struct front *front, struct front_client *client)
{
	if (!client->is_proxied)
		return true;
	client->is_counted = address_counts_add(&front->shared->addresses,
	    &client->address, front->settings.max_connections_per_address);
	return client->is_counted;
}

/* See request_parse(). */
static MUST_CHECK bool
parse(const struct front *front, struct request *request)
{
	return request->listener_class == LISTENER_PUBLIC ?
	    request_parse(request, front->settings.base_path) :
	    admin_parse(request);
}

bool
front_submit(
    struct front *front, struct request *request, struct front_client *client)
{
	if (!parse(front, request))
		return false;
	if (!front->cq) {
		reply_fail_as(request, NULL, ERR_SHUTTING_DOWN);
		return false;
	}
	if (request->route->kind == ROUTE_RELOAD) {
		front->on_reload(front->cls, request);
		return false;
	}
	if (!count(front, client)) {
		metric_add(METRIC_LIMITED_REQUESTS, 1);
		reply_fail_as(request, NULL, ERR_RATE_LIMITED);
		return false;
	}
	engine_submit(front->cq, request);
	return true;
}

void
front_release(struct front *front, struct front_client *client)
{
	if (client->is_counted)
		address_counts_remove(
		    &front->shared->addresses, &client->address);
	client->is_counted = false;
}

void
front_refuse_body(const struct front *front, struct request *request)
{
	request->is_too_large = true;
	/* A wrong path or method comes first, as it does with a small body. */
	if (parse(front, request))
		reply_fail_as(request, NULL, ERR_TOO_LARGE);
}

static void
give_back(struct task *task)
{
	struct settings_change *change = CONTAINER_OF(
	    task, struct settings_change, task);

	if (task->kind == TASK_SETTINGS)
		change->give_back(change);
	else
		task->request->give_back(task->request, task->kind);
}

void
front_complete(struct queue_chain chain)
{
	struct queue_item *item;

	while ((item = queue_chain_take(&chain)) != NULL)
		give_back(CONTAINER_OF(item, struct task, item));
}

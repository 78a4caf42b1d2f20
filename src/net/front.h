/* front.h - everything that the transports have in common.
 *
 * Floor: net.  A front belongs to one loop thread.
 *
 * A transport (http.h, fastcgi.h) turns bytes into a struct request and its
 * reply into bytes.  All that does not depend on the encoding is here, so that
 * all transports answer alike.
 */
#ifndef PEERPOST_NET_FRONT_H
#define PEERPOST_NET_FRONT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "engine/engine.h"
#include "net/address.h"
#include "net/loop.h"
#include "net/trusted.h"

/* The most bytes of a request's header block or parameters; a larger one is
 * answered 431. */
#define FRONT_MAX_HEADER ((size_t)16 << 10)
/* A body over the limit is read and dropped up to this size, so that its sender
 * can read the answer. */
#define FRONT_MAX_DRAIN ((size_t)8 << 20)
/* The longest that sending a reply to a player may take or, over FastCGI, go
 * without progress. */
#define FRONT_REST_MS 75000
/* A connection idle for less is not closed, not even to make room. */
#define FRONT_SPARED_MS 750
/* The same for one that has never had a reply. */
#define FRONT_SPARED_NEW_MS 250

struct front_settings {
	enum listener_class listener_class;
	const char *base_path;      /* "" or "/prefix" */
	const char *const *origins; /* as in origin.h; NULL-terminated */
	bool allows_any_origin;     /* answer "*" */
	bool has_demo;
	bool has_access_log;
	size_t max_body;
	int64_t request_timeout_ms; /* from its first byte to its last */
	int64_t idle_ms;            /* over HTTP, between two requests */
	int64_t rest_ms;            /* for a reply: FRONT_REST_MS or another */
	size_t max_connections;     /* of all that share it */
	uint32_t max_connections_per_address; /* 0: no limit */
	size_t max_unsent; /* bytes of replies; 0: no limit */
	struct trusted_proxies trusted;
};

/* Shared by the transports of all threads. */
struct front_shared {
	_Atomic(size_t) n_connections;   /* including those on their way */
	struct address_counts addresses; /* connections; see front_submit() */
	_Atomic(size_t) n_fastcgi;       /* requests that are live */
	_Atomic(size_t) n_unsent;        /* bytes of replies in memory */
	_Atomic(uint32_t) last_id;       /* of a request */
	_Atomic(bool) is_waited_for;     /* room is needed, and there is none */
	_Atomic(bool) is_evicting;       /* a connection is being closed */
	_Atomic(bool) is_yielding;       /* one is ending to make room */
	_Atomic(bool) is_full;           /* as shown to operators */
	/* There is no descriptor or no memory for one more, whatever the count;
	 * until one is closed, or for a second. */
	_Atomic(bool) is_starved;
};

/* The transports of one loop thread. */
struct front {
	struct front_shared *shared;
	struct loop *loop;
	struct completion_queue *cq; /* NULL: shut down, all is answered 503 */
	struct front_settings settings;
	_Atomic(size_t) n_connections; /* other threads may read it */
	bool is_draining;              /* every reply closes its connection */
	/* At listeners other than LISTENER_PUBLIC: a front of the players', and
	 * the function that answers ROUTE_RELOAD. */
	const struct front *players;
	void (*on_reload)(void *cls, struct request *request);
	void *cls;
};

void front_shared_init(struct front_shared *shared);

/* The client of a request, and its progress. */
struct front_client {
	enum front_kind kind;
	int64_t began_us; /* clock_now_us() */
	bool is_hung_up;  /* while the engine had its request */
	bool is_finished; /* front_finish() has seen it */
	struct peer_address peer;
	struct address address; /* of peer, as it is counted */
	bool is_proxied;        /* its client is not the connection's peer */
	bool is_counted; /* in shared->addresses, while the engine has it */
};

/* Whether there is room for one more connection. */
bool front_has_capacity(const struct front *front);
/* Whether little room is left: less than a sixteenth of all. */
bool front_is_crowded(const struct front *front);
/* There is no room, and the caller has found a connection to close.  false: one
 * is being closed already, or has just been. */
bool front_claim_eviction(struct front *front);
/* Whether a connection that has just been served should end, because there is
 * no room.  false: there is room, or another one is ending already. */
bool front_claim_yield(struct front *front);
/* Take a place for a connection on its way to these transports: the caller adds
 * it to one, or gives the place back.  Any thread. */
void front_take_place(struct front *front);
void front_give_place(struct front *front);
/* A connection that has a place has been added; one has ended, and its place is
 * free. */
void front_add_connection(struct front *front, enum front_kind kind);
void front_remove_connection(struct front *front, enum front_kind kind);

/* Subtract and add bytes of replies that wait to be sent.  Whether there are
 * too many of them. */
void front_count_unsent(struct front *front, size_t n_less, size_t n_more);
bool front_has_too_much_unsent(const struct front *front);

/* A new request of a transport: owner and give_back are as in request.h.  It
 * begins now, and its client is peer until front_identify() finds another. */
struct request *front_request_new(struct front *front, void *owner,
    void (*give_back)(struct request *request, enum task_kind kind),
    enum front_kind kind, const struct peer_address *peer,
    struct front_client *out);

/* Look up a method by name.  false: HTTP has no such method (RFC 9110, section
 * 9, and PATCH); *out is untouched. */
bool front_parse_method(struct span name, enum method *out);
/* Whether a Content-Type is text/plain, whatever its parameters. */
bool front_is_text_plain(struct span type);
/* Whether a header's value has a byte that RFC 9110, section 5.5, does not
 * allow: a control character other than a tab. */
bool front_has_control(struct span value);

/* Whether the announced body is so large that there is no point in reading it:
 * answer at once.  length: the value of Content-Length; if it is not there, no.
 */
bool front_is_oversized(struct span length);
/* Add a piece of the body, or only count it if the body is too large already.
 * n_drained: bytes dropped so far.  false: too many have been dropped. */
bool front_add_body(
    struct request *request, struct span piece, size_t *n_drained);

/* The address that connections of peer are counted by.  Those of a trusted
 * proxy are not counted: the requests of its clients are, see front_submit().
 */
struct address front_address(
    const struct front *front, const struct peer_address *peer);

/* Determine the client of a request that came from peer, and note it in the
 * request.  The headers (values; "not there" if there is none) are believed
 * only if they come from trusted proxies, see forwarded.h.  is_proxied: peer
 * itself is not the peer of the connection. */
void front_identify(const struct front *front, struct request *request,
    const struct peer_address *peer, bool is_proxied,
    struct span x_forwarded_for, struct span forwarded,
    struct front_client *client);

/* Whether a request that came from peer was sent over TLS: to us or to the web
 * server (is_tls), or to a trusted proxy that says so (the value of
 * X-Forwarded-Proto, or "not there"). */
bool front_is_https(const struct front *front, const struct peer_address *peer,
    bool is_tls, struct span x_forwarded_proto);

/* The request is complete: submit it to the engine (true), which gives it back
 * through request->give_back; or answer it here (false).
 * The requests of one client behind a proxy that the engine has at a time are
 * limited like the connections of a direct client. */
bool front_submit(
    struct front *front, struct request *request, struct front_client *client);
/* The engine has given it back. */
void front_release(struct front *front, struct front_client *client);
/* Answer it here, because its body is too large. */
void front_refuse_body(const struct front *front, struct request *request);

/* Count the request and its reply, and log them: at debug, at info with the
 * client's address if there is an access log, or as a warning from status 500
 * up (except for an unknown method).  Call when the reply is about to be handed
 * to the socket, and again when the request is about to be freed: only the
 * first call counts.  A reply without a status: there was none. */
void front_finish(const struct front *front, const struct request *request,
    struct front_client *client);

/* Give the requests that the engine has returned back to their transports. */
void front_complete(struct queue_chain chain);

#endif

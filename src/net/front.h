/* front.h - what the transports have in common.
 *
 * Floor: net.  A front belongs to one loop thread.
 *
 * A transport (http.h, fastcgi.h) turns bytes into a struct request and its
 * reply into bytes.  Whatever does not depend on how they are written is
 * here, so that all of them answer alike.
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

/* The header block, or the parameters, of a request; more is answered 431. */
#define FRONT_MAX_HEADER ((size_t)16 << 10)
/* A body over the limit is read and dropped up to this size, so that its
 * sender can read the answer. */
#define FRONT_MAX_DRAIN ((size_t)8 << 20)
/* A reply to a player may take so long, or over FastCGI be without progress. */
#define FRONT_REST_MS 75000
/* Not even to make room is a connection closed that is idle for less. */
#define FRONT_SPARED_MS 750
/* But one that has never got anything. */
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
	int64_t rest_ms;            /* for a reply, FRONT_REST_MS or another */
	size_t max_connections;     /* of all that share */
	uint32_t max_connections_per_address; /* 0: no limit */
	size_t max_unsent; /* bytes of replies; 0: no limit */
	struct trusted_proxies trusted;
};

/* What the transports have in common, whatever thread they are on. */
struct front_shared {
	_Atomic(size_t) n_connections;   /* and those that are on their way */
	struct address_counts addresses; /* of connections, and see submit */
	_Atomic(size_t) n_fastcgi;       /* requests that are live */
	_Atomic(size_t) n_unsent;        /* bytes of replies in memory */
	_Atomic(uint32_t) last_id;       /* of a request */
	_Atomic(bool) is_waited_for;     /* there is no room, and must be */
	_Atomic(bool) is_evicting;       /* a connection is being closed */
	_Atomic(bool) is_yielding;       /* one ends for others to come */
	_Atomic(bool) is_full;           /* as operators see it */
	/* There is no descriptor, or no memory, for one more, whatever the
	 * count says; until one is closed, or for a second. */
	_Atomic(bool) is_starved;
};

/* The transports of one loop thread. */
struct front {
	struct front_shared *shared;
	struct loop *loop;
	struct completion_queue *cq; /* NULL: shut down, all is answered 503 */
	struct front_settings settings;
	_Atomic(size_t) n_connections; /* others may look */
	bool is_draining;              /* every reply closes its connection */
	/* At listeners other than LISTENER_PUBLIC: one of the players'; and
	 * what answers ROUTE_RELOAD. */
	const struct front *players;
	void (*on_reload)(void *cls, struct request *request);
	void *cls;
};

void front_shared_init(struct front_shared *shared);

/* Whose request it is, and how it is going. */
struct front_client {
	enum front_kind kind;
	int64_t began_us; /* clock_now_us() */
	bool is_hung_up;  /* while the engine had its request */
	bool is_finished; /* front_finish() has seen it */
	struct peer_address peer;
	struct address address; /* of peer, as it is counted */
	bool is_proxied;        /* it is not the peer of the connection */
	bool is_counted; /* in shared->addresses, while the engine has it */
};

/* Whether there is room for one more connection. */
bool front_has_capacity(const struct front *front);
/* Whether there is hardly any left: less than a sixteenth of all. */
bool front_is_crowded(const struct front *front);
/* There is none, and the caller has found a connection to close.  false: one
 * is being closed already, or has just been. */
bool front_claim_eviction(struct front *front);
/* Whether a connection that has just got what it came for should end, because
 * there is no room.  false: there is, or another one is ending already. */
bool front_claim_yield(struct front *front);
/* A place for a connection that is on its way to these transports: who
 * accepts it adds it to them, or gives the place back.  On any thread. */
void front_take_place(struct front *front);
void front_give_place(struct front *front);
/* There is one more, which has a place; or one less, and a place more. */
void front_add_connection(struct front *front, enum front_kind kind);
void front_remove_connection(struct front *front, enum front_kind kind);

/* Of the bytes of replies that wait to be sent, so many are there no more, and
 * so many more.  Whether they are too many. */
void front_count_unsent(struct front *front, size_t n_less, size_t n_more);
bool front_has_too_much_unsent(const struct front *front);

/* A new request of a transport's: owner and give_back are as in request.h.  It
 * began now, and is that of peer until front_identify() knows better. */
struct request *front_request_new(struct front *front, void *owner,
    void (*give_back)(struct request *request, enum task_kind kind),
    enum front_kind kind, const struct peer_address *peer,
    struct front_client *out);

/* What the method's name means.  false: HTTP knows no such method
 * (RFC 9110, section 9, and PATCH); *out is untouched. */
bool front_parse_method(struct span name, enum method *out);
/* Whether a Content-Type is text/plain, whatever its parameters. */
bool front_is_text_plain(struct span type);
/* Whether there is a byte in a header's value that RFC 9110, section 5.5, has
 * no place for: a control, other than a tab. */
bool front_has_control(struct span value);

/* Whether so large a body has been announced that reading it makes no sense:
 * answer at once.  length: the value of Content-Length; not there: no. */
bool front_is_oversized(struct span length);
/* Add a piece of the body, or count it if there is too much of it already.
 * n_drained: what has been dropped so far.  false: it will never end. */
bool front_add_body(
    struct request *request, struct span piece, size_t *n_drained);

/* What the connections of peer are counted by.  Those of a trusted proxy are
 * not: its clients' requests are, see front_submit(). */
struct address front_address(
    const struct front *front, const struct peer_address *peer);

/* Find out whose request it is that came from peer, and tell the request.
 * What the headers say (values; "not there" if there is none) is believed of
 * trusted proxies only, see forwarded.h.  is_proxied: peer is already not the
 * peer of the connection. */
void front_identify(const struct front *front, struct request *request,
    const struct peer_address *peer, bool is_proxied,
    struct span x_forwarded_for, struct span forwarded,
    struct front_client *client);

/* Whether the request that came from peer was sent over TLS: to us or to the
 * web server (is_tls), or to a trusted proxy that says so (the value of
 * X-Forwarded-Proto; not there: it does not say). */
bool front_is_https(const struct front *front, const struct peer_address *peer,
    bool is_tls, struct span x_forwarded_proto);

/* The request is there as a whole: let the engine answer (true), which gives
 * it back through request->give_back; or answer it here (false).
 * The requests that a proxy has brought from one client and that the engine
 * has are limited like the connections of a client that comes itself. */
bool front_submit(
    struct front *front, struct request *request, struct front_client *client);
/* The engine has given it back. */
void front_release(struct front *front, struct front_client *client);
/* Answer it here: its body is too large. */
void front_refuse_body(const struct front *front, struct request *request);

/* Count the request and its reply, and write them into the log: at debug, or
 * at info with the client's address if there is to be an access log, or as a
 * warning from status 500 up (but for a method that nobody knows).  When the
 * reply is about to be handed to the socket, and then again when the request is
 * about to be freed: the first time counts.  A reply without a status: there
 * was none. */
void front_finish(const struct front *front, const struct request *request,
    struct front_client *client);

/* Give back what came from the engine, each to where it came from. */
void front_complete(struct queue_chain chain);

#endif
